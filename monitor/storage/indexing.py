"""The index of the archive: by which marks an article can be looked up (`monitor.match.lookup`).

Whatever changes what an article can be found by puts it into a queue, `unindexed`, in the same
transaction; who indexes takes the newest first. So a crash loses nothing, and the archive of before
there was an index is indexed beside the work.

On SQLite the index is FTS5, which keeps new words beside the old and merges them later, and is read
from the newest article on. It holds neither text nor the places of words: those the matcher finds. A
posting can't be taken out of such an index, so it is cut into *volumes* by articles' ids: one whose
articles are mostly gone is dropped, and what is left of it indexed anew. A posting of what an article
said before, or of one that is gone, is a candidate that does not match.

On PostgreSQL an article's marks are a list of numbers, with an index over its elements (GIN). That
can't be read from one end: for a word that a million articles have it gives a million. So a number is
made of the mark and of a *window* of articles' ids, and one window is read after the other.
"""

from __future__ import annotations

import string
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from monitor.match import lookup
from monitor.match.lookup import Condition, Either, Every
from monitor.model import ArticleId
from monitor.ports import Indexed, Unindexed
from monitor.storage import archive
from monitor.storage import tables as t
from monitor.storage.types import storable
from monitor.storage.work import Pair, Work, among, insert_missing

VOLUME: Final = 1 << 16
"""Ids of a volume: some 45 MB of index."""

MOST_GONE: Final = 0.75
"""The share of a volume's articles that may be gone."""

WINDOW: Final = 1 << 14
"""Ids of a window."""

MOST_WINDOWS: Final = 16
"""Windows that are looked at together, if there was little in those before."""

MOST_SCANS: Final = 200
"""Looks into the index together: PostgreSQL plans each of them."""

FROM_WINDOWS: Final = 500
"""Candidates that are asked for together, of windows."""

AT_ONCE: Final = 64
"""The same of a volume."""

_WINDOW_BITS: Final = 10  # of 32: of windows that share these the ids tell them apart
_MARK_BITS: Final = 32 - _WINDOW_BITS
_LOWEST: Final = -(1 << 31)  # of PostgreSQL's integer

# Nothing but blanks sets marks apart. Both quotes are doubled: within a string of SQL in another.
_SIGNS: Final = string.punctuation.replace("'", "''").replace('"', '""')
_IN_VOLUME: Final = f"""
    marks, content='', columnsize=0, detail=none, tokenize="ascii tokenchars '{_SIGNS}'"
"""
VOLUME_NAME: Final = "marks_"
"""What the tables of volumes are called, and those that FTS5 makes for them: this, then the number."""

MAKE_VOLUME: Final = "CREATE VIRTUAL TABLE marks_{} USING fts5({})"
DROP_VOLUME: Final = "DROP TABLE marks_{}"
ADD_TO_VOLUME: Final = "INSERT INTO marks_{} (rowid, marks) VALUES (?, ?)"
OF_VOLUME: Final = (
    "SELECT rowid FROM marks_{} WHERE marks_{} MATCH ? AND rowid > ? AND rowid < ?"
    " ORDER BY rowid DESC LIMIT ?"
)

BY_INDEX: Final = "SET LOCAL enable_seqscan = off"
"""For the rest of a transaction. PostgreSQL counts the pages of a table and not those where its long
values are: it would rather read every list of marks than the index over them."""

_queued = t.unindexed.c
NEXT = sa.select(_queued.article_id, _queued.wanted).order_by(_queued.article_id.desc())
SOME_NEXT = NEXT.limit(sa.bindparam("most", type_=sa.Integer(), literal_execute=True))
IS_QUEUED = sa.select(_queued.article_id).limit(1)


def _want(dialect: Any) -> sa.Executable:
    insert = dialect.insert(t.unindexed).values(article_id=sa.bindparam("article"), wanted=1)
    statement: sa.Executable = insert.on_conflict_do_update(
        index_elements=["article_id"], set_={"wanted": t.unindexed.c.wanted + 1}
    )
    return statement


WANT: Pair = {"sqlite": _want(sqlite), "postgresql": _want(postgresql)}
WANT_ALL = insert_missing(
    t.unindexed,
    source=sa.select(t.article.c.id, sa.literal(1, sa.Integer)).where(
        t.article.c.ingested_at.is_not(None),
        t.article.c.id >= sa.bindparam("first", type_=sa.BigInteger()),
        t.article.c.id < sa.bindparam("behind", type_=sa.BigInteger()),
    ),
)
INDEXED = sa.delete(t.unindexed).where(
    _queued.article_id == sa.bindparam("article"), _queued.wanted == sa.bindparam("as_wanted")
)
UNWANT = sa.delete(t.unindexed).where(among(_queued.article_id, "articles"))
_marked = postgresql.insert(t.article_mark)
SET_MARKS = _marked.on_conflict_do_update(
    index_elements=["article_id"], set_={"marks": _marked.excluded.marks}
)
_MARKS = sa.type_coerce(t.article_mark.c.marks, postgresql.ARRAY(sa.Integer))
UNMARK = sa.delete(t.article_mark).where(among(t.article_mark.c.article_id, "articles"))
ARE_THERE = sa.select(t.article.c.id).where(among(t.article.c.id, "articles"))
LISTED_BY = (
    sa.select(t.entry.c.article_id, t.entry.c.feed_id)
    .where(among(t.entry.c.article_id, "articles"))
    .distinct()
)
_volume = t.index_volume.c
VOLUMES = sa.select(_volume.number).order_by(_volume.number.desc())
_this = _volume.number == sa.bindparam("volume")
GROW = sa.update(t.index_volume).where(_this)
GROW = GROW.values(articles=_volume.articles + sa.bindparam("more"))
BEGIN_VOLUME = sa.insert(t.index_volume)
LOSE = sa.update(t.index_volume).where(_this)
LOSE = LOSE.values(gone=_volume.gone + sa.bindparam("fewer"))
WORN = (
    sa.select(_volume.number)
    .where(_volume.gone > _volume.articles * sa.literal(MOST_GONE, sa.Float))
    .order_by(_volume.number)
    .limit(1)
)
INDEXED_ARTICLES = sa.select(sa.func.coalesce(sa.func.sum(_volume.articles - _volume.gone), 0))
END_VOLUME = sa.delete(t.index_volume).where(_this)
VERSION = sa.select(t.monitor.c.value).where(t.monitor.c.key == "marks")
NEW_VERSION = insert_missing(t.monitor, count=True)
SET_VERSION = (
    sa.update(t.monitor)
    .where(t.monitor.c.key == "marks", t.monitor.c.value != sa.bindparam("version"))
    .values(value=sa.bindparam("version"))
)


def want_index(connection: sa.Connection, *articles: ArticleId | int) -> None:
    """Have articles indexed: what they can be found by has changed."""
    if articles:
        # sorted: two that want the same wait for each other in one order
        statement = WANT[connection.dialect.name]
        connection.execute(statement, [{"article": article} for article in sorted(articles)])


def forget_indexed(connection: sa.Connection, articles: Collection[ArticleId | int]) -> None:
    """These articles are deleted: they are not indexed any more, nor wait for it."""
    if not articles:
        return
    connection.execute(UNWANT, {"articles": articles})
    if connection.dialect.name != "sqlite":
        connection.execute(UNMARK, {"articles": articles})
        return
    lost = Counter(article // VOLUME for article in articles)
    connection.execute(LOSE, [{"volume": number, "fewer": lost[number]} for number in sorted(lost)])


class IndexWork(Work):
    """The part of `ports.Transaction` about the index."""

    def unindexed(self, limit: int) -> tuple[Unindexed, ...]:
        """See `ports.Transaction`."""
        wanted = {row.article_id: row.wanted for row in self._run(SOME_NEXT, {"most": limit})}
        documents = {
            each.article: each.document for each in archive.some(self.connection, {}, list(wanted))
        }
        feeds: dict[int, list[int]] = {}
        for row in self._run(LISTED_BY, {"articles": list(wanted)}) if wanted else ():
            feeds.setdefault(row.article_id, []).append(row.feed_id)
        return tuple(
            Unindexed(
                article=ArticleId(article),
                wanted=times,
                document=documents.get(ArticleId(article)),
                feeds=tuple(feeds.get(article, ())),
            )
            for article, times in wanted.items()
        )

    def index(self, indexed: Collection[Indexed]) -> None:
        """See `ports.Transaction`."""
        marked = {each.article: each.marks for each in indexed if each.marks}
        if marked:
            there = self._run(ARE_THERE, {"articles": list(marked)}).scalars()
            marked = {article: marked[article] for article in map(ArticleId, there)}
        if self.connection.dialect.name == "sqlite":
            self._add_to_volumes(marked)
        elif marked:
            rows = [
                {"article_id": article, "marks": sorted(_numbers(article // WINDOW, marks))}
                for article, marks in sorted(marked.items())
            ]
            self._run(SET_MARKS, rows)
        if indexed:
            self._run(
                INDEXED, [{"article": each.article, "as_wanted": each.wanted} for each in indexed]
            )

    def renew_index(self) -> bool:
        """See `ports.Transaction`."""
        if self._is_another_version():
            for number in self._run(VOLUMES).scalars().all():
                self._drop_volume(number)
            self._run(sa.delete(t.article_mark))
            self._on(WANT_ALL, {"first": 0, "behind": 1 << 62})
            return True
        worn = self._run(WORN).scalar_one_or_none()
        if worn is not None:
            self._drop_volume(worn)
            self._on(WANT_ALL, {"first": worn * VOLUME, "behind": (worn + 1) * VOLUME})
        return worn is not None

    def _is_another_version(self) -> bool:
        """Whether the index was made by another version; from now on it counts as this one's."""
        version = {"key": "marks", "value": str(lookup.VERSION)}
        if self._run(VERSION).scalar_one_or_none() is None:
            return self._on(NEW_VERSION, version).rowcount > 0
        return self._run(SET_VERSION, {"version": version["value"]}).rowcount > 0

    def _drop_volume(self, number: int) -> None:
        self.connection.exec_driver_sql(DROP_VOLUME.format(number))
        self._run(END_VOLUME, {"volume": number})

    def _add_to_volumes(self, marked: Mapping[ArticleId, Collection[str]]) -> None:
        volumes: dict[int, list[tuple[int, str]]] = {}
        for article in sorted(marked):
            words = storable(" ".join(sorted(marked[article])))
            volumes.setdefault(article // VOLUME, []).append((article, words))
        for number, rows in volumes.items():
            if not self._run(GROW, {"volume": number, "more": len(rows)}).rowcount:
                self.connection.exec_driver_sql(MAKE_VOLUME.format(number, _IN_VOLUME))
                self._run(BEGIN_VOLUME, {"number": number, "articles": len(rows), "gone": 0})
            self.connection.exec_driver_sql(ADD_TO_VOLUME.format(number), rows)


# ------------------------------------------------------------------------------- looking up


def candidates(
    connection: sa.Connection, condition: Condition, *, above: int, below: int
) -> Iterator[int]:
    """Ids of indexed articles between two, the newest first, that may fulfil a condition.

    All that do are among them; some are of articles that are gone, or said it before.
    """
    if condition == lookup.NOTHING:
        return iter(())
    if connection.dialect.name == "sqlite":
        return _in_volumes(connection, condition, above, below)
    return _in_windows(connection, condition, above, below)


def _in_volumes(
    connection: sa.Connection, condition: Condition, above: int, below: int
) -> Iterator[int]:
    asked = storable(_expression(condition))
    for number in connection.execute(VOLUMES).scalars().all():
        if number * VOLUME >= below or (number + 1) * VOLUME <= above:
            continue
        place, found = below, [0]
        statement = OF_VOLUME.format(number, number)
        while found:
            found = [
                row[0]
                for row in connection.exec_driver_sql(statement, (asked, above, place, AT_ONCE))
            ]
            yield from found
            if len(found) < AT_ONCE:
                break
            place = found[-1]


def _expression(condition: Condition) -> str:
    """A condition as FTS5 reads it."""
    match condition:
        case str():
            return '"' + condition.replace('"', '""') + '"'
        case Every():
            return "(" + " AND ".join(map(_expression, condition.parts)) + ")"
        case Either():
            return "(" + " OR ".join(map(_expression, condition.parts)) + ")"


def _in_windows(
    connection: sa.Connection, condition: Condition, above: int, below: int
) -> Iterator[int]:
    newest = connection.execute(sa.select(sa.func.max(t.article_mark.c.article_id))).scalar_one()
    oldest = connection.execute(sa.select(sa.func.min(t.article_mark.c.article_id))).scalar_one()
    if newest is None:
        return
    below, above = min(below, newest + 1), max(above, oldest - 1)
    connection.exec_driver_sql(BY_INDEX)
    most = max(1, min(MOST_WINDOWS, MOST_SCANS // _size(condition)))
    step = 1
    last = (below - 1) // WINDOW
    while last >= 0 and (last + 1) * WINDOW > above:
        first = max(last - step + 1, 0)
        windows = _of_windows(condition, first, last)
        found: Sequence[int] = [0]
        while found:
            found = connection.execute(windows, {"above": above, "below": below}).scalars().all()
            yield from found
            if len(found) < FROM_WINDOWS:
                break
            below = found[-1]
        last, step = first - 1, min(2 * step, most)


def _size(condition: Condition) -> int:
    """How many looks into the index it takes."""
    return 1 if isinstance(condition, str) else 1 + sum(map(_size, condition.parts))


def _of_windows(condition: Condition, first: int, last: int) -> sa.Select[Any]:
    """The newest ids of some windows, `above` and `below` two.

    The first part is read by the index over marks and by nothing else: by the ids, which are in the
    wanted order, all lists would have to be read.
    """
    matched = (
        sa.select(t.article_mark.c.article_id)
        .where(sa.or_(*(_has(condition, window) for window in range(first, last + 1))))
        .cte("matched")
        .prefix_with("MATERIALIZED")
    )
    return (
        sa.select(matched.c.article_id)
        .where(
            matched.c.article_id > sa.bindparam("above", type_=sa.BigInteger()),
            matched.c.article_id < sa.bindparam("below", type_=sa.BigInteger()),
        )
        .order_by(matched.c.article_id.desc())
        .limit(FROM_WINDOWS)
    )


def _has(condition: Condition, window: int) -> sa.ColumnElement[bool]:
    if isinstance(condition, str):
        return _MARKS.contains([_number(window, condition)])
    own = sorted(_numbers(window, (each for each in condition.parts if isinstance(each, str))))
    others = [_has(each, window) for each in condition.parts if not isinstance(each, str)]
    if isinstance(condition, Every):
        return sa.and_(*([_MARKS.contains(own)] if own else []), *others)
    return sa.or_(*([_MARKS.overlap(own)] if own else []), *others)


def _numbers(window: int, marks: Iterable[str]) -> set[int]:
    return {_number(window, mark) for mark in marks}


def _number(window: int, mark: str) -> int:
    """A mark in a window as a whole number of 32 bits: those of a window are neighbours."""
    hashed = zlib.crc32(mark.encode(errors="surrogatepass")) >> _WINDOW_BITS
    return (window % (1 << _WINDOW_BITS) << _MARK_BITS | hashed) + _LOWEST
