"""What is too old to be kept is deleted: whole stories, the oldest first, a few at a time.

The unit is the story, because what is shown of one is shown together: its articles, their hits and
revisions, its messages. It goes when its newest article is old enough, nothing of it waits to be
read or told, and nobody is at it. Articles that are in no story go by themselves.

A feed may list for years what is deleted here, without a date, and every bit of it would look new.
So of each entry and each URL a *mark* stays, eight bytes of a hash (`bygone`): what bears one is
passed over when a feed lists it, and a page that turns out to be one is stored as old news
(`pipeline.ingest`). 64 bits: of a hundred million marks, one new item in 10^11 meets one by chance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from monitor.model import DeliveryState, FeedId, StoryId
from monitor.ports.retention import Bounds, Pruned
from monitor.storage import tables as t
from monitor.storage.families import day_of
from monitor.storage.indexing import forget_indexed
from monitor.storage.types import key_of
from monitor.storage.work import Work, among, insert_missing

WINDOW: Final = 500
"""Stories that a step looks at: 10 to 20 ms of index probes."""

STEP: Final = 25
"""Stories, or articles without one, that a step deletes: 10 to 25 ms, for which others wait."""

MANY: Final = 1 << 31
"""More articles without a story than there are."""

MARKS_KEPT: Final = timedelta(days=730)
"""How long a mark is kept after a feed listed what it stands for, or since it was deleted."""

SEEN_AGAIN: Final = 30
"""Days after which a mark that was met is noted as met today: it need not be exact."""

SLICES: Final = 24 * 60
"""Parts that all marks are looked through in: one a minute, and so all once a day."""

SETTLED: Final = tuple(
    state
    for state in DeliveryState
    if state
    not in {DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.RETRY, DeliveryState.HELD}
)
"""States of a message that nothing is done about any more."""

_story, _article = t.story.c, t.article.c
_TIME = _article.first_seen_at.type


def _time(name: str) -> sa.BindParameter[datetime]:
    return sa.bindparam(name, type_=_TIME)


def _is_in(table: sa.Table, *where: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Whether a row of the table belongs to the story."""
    return sa.exists().where(table.c.story_id == _story.id, *where)


END_OF_WINDOW = (
    sa.select(_story.id, _story.created_at)
    .where(_story.id > sa.bindparam("after", type_=sa.BigInteger()))
    .order_by(_story.id)
    .limit(sa.bindparam("window", type_=sa.Integer(), literal_execute=True))
)
GOING = (
    sa.select(_story.id)
    .where(
        _story.id > sa.bindparam("after", type_=sa.BigInteger()),
        _story.id <= sa.bindparam("upto", type_=sa.BigInteger()),
        _story.created_at < _time("plain"),
        _story.merged_into.is_(None),  # goes with what it was merged into
        ~_is_in(t.article, _article.first_seen_at >= _time("plain")),
        ~_is_in(
            t.article,
            sa.or_(_article.ingested_at >= _time("plain"), _article.lease_until > _time("now")),
        ),
        sa.or_(
            ~_is_in(t.article, sa.exists().where(t.hit.c.article_id == _article.id)),
            sa.and_(
                _story.created_at < _time("matched"),
                ~_is_in(t.article, _article.first_seen_at >= _time("matched")),
            ),
        ),
        ~_is_in(t.delivery, t.delivery.c.state.not_in(SETTLED)),
        ~_is_in(t.notice, t.notice.c.state.not_in(SETTLED)),
        ~_is_in(t.hold, t.hold.c.since >= _time("plain")),
    )
    .order_by(_story.id)
    .limit(sa.bindparam("step", type_=sa.Integer(), literal_execute=True))
)
WITHOUT_STORY = (
    sa.select(_article.id)
    .where(
        _article.story_id.is_(None),
        _article.first_seen_at < _time("plain"),
        sa.or_(_article.lease_until.is_(None), _article.lease_until <= _time("now")),
    )
    .order_by(_article.first_seen_at)
    .limit(sa.bindparam("step", type_=sa.Integer(), literal_execute=True))
)


def _select(column: sa.Column[Any], by: sa.Column[Any], name: str) -> sa.Select[Any]:
    return sa.select(column).where(among(by, name))


MERGED_INTO = _select(_story.id, _story.merged_into, "stories")
ARTICLES_OF = _select(_article.id, _article.story_id, "stories")
GUIDS_OF = sa.select(t.entry.c.feed_id, t.entry.c.guid).where(
    among(t.entry.c.article_id, "articles")
)
URLS_OF = _select(t.article_url.c.url, t.article_url.c.article_id, "articles")

BY_ARTICLE: Final[Sequence[sa.Table]] = (
    t.hit, t.revision, t.article_update, t.fingerprint, t.verdict, t.entry, t.article_url,
)  # fmt: skip
"""Tables whose rows go with their article: those that refer to it."""

BY_STORY: Final[Sequence[sa.Table]] = (t.verdict, t.hold, t.notice, t.delivery)
"""Tables whose rows go with their story; judgements and what people did go with the delivery."""


def _delete(table: sa.Table, by: sa.Column[Any], name: str) -> sa.Executable:
    return sa.delete(table).where(among(by, name))


def _clear(column: sa.Column[Any], name: str) -> sa.Executable:
    """Nothing refers to what goes."""
    return sa.update(column.table).where(among(column, name)).values({column.name: None})


DELETE_BY_ARTICLE = {
    table.name: _delete(table, table.c.article_id, "articles") for table in BY_ARTICLE
}
DELETE_BY_STORY = {table.name: _delete(table, table.c.story_id, "stories") for table in BY_STORY}
NO_COPIES = _clear(_article.copy_of, "articles")
NO_CHAPTERS = _clear(_story.follows, "stories")
NOT_MERGED = _clear(_story.merged_into, "stories")
DELETE_ARTICLES = _delete(t.article, _article.id, "articles")
DELETE_STORIES = _delete(t.story, _story.id, "stories")


def _counted(table: sa.Table) -> sa.Select[Any]:
    """Rows that go with these articles and stories, each once."""
    by_article = _article.id if table is t.article else table.c.get("article_id")
    by_story = _story.id if table is t.story else table.c.get("story_id")
    if table is t.article:
        by_story = None
    of = [
        among(column, name)
        for column, name in ((by_article, "articles"), (by_story, "stories"))
        if column is not None
    ]
    return sa.select(sa.func.count()).select_from(table).where(sa.or_(*of))


COUNTED = {
    table.name: _counted(table)
    for table in (t.article, t.story, *dict.fromkeys((*BY_ARTICLE, *BY_STORY)))
}

KEEP_MARKS = insert_missing(t.bygone)
KNOWN_MARKS = sa.select(t.bygone.c.mark, t.bygone.c.day).where(among(t.bygone.c.mark, "marks"))
MEET_MARKS = (
    sa.update(t.bygone)
    .where(among(t.bygone.c.mark, "marks"))
    .values(day=sa.bindparam("today", type_=sa.Integer()))
)
OLD_MARKS = sa.delete(t.bygone).where(
    t.bygone.c.mark >= sa.bindparam("first", type_=sa.BigInteger()),
    t.bygone.c.mark <= sa.bindparam("last", type_=sa.BigInteger()),
    t.bygone.c.day < sa.bindparam("day", type_=sa.Integer()),
)


class PruneWork(Work):
    """The part of `ports.Transaction` about what is too old."""

    def prune(self, bounds: Bounds, now: datetime, *, after: StoryId | None = None) -> Pruned:
        """See `ports.Transaction`."""
        self._forget_marks(now)
        if bounds.plain is None:
            return Pruned()
        stories, upto = going(self.connection, bounds, now, after=after or 0, step=STEP)
        rows: dict[str, int] = {}
        if stories:
            self._delete_stories(stories, now, rows)
        if upto is not None:
            return Pruned(rows=rows, after=StoryId(stories[-1] if len(stories) == STEP else upto))
        articles = without_story(self.connection, bounds, now, step=STEP)
        self._delete_articles(articles, now, rows)
        # what is in no story is found by its time: the next step finds the next
        return Pruned(rows=rows, after=after if len(articles) == STEP else None)

    def is_bygone(self, url: str) -> bool:
        """See `ports.Transaction`."""
        return bool(self._run(KNOWN_MARKS, {"marks": [mark_of_url(url)]}).all())

    def _delete_stories(self, stories: Sequence[int], now: datetime, rows: dict[str, int]) -> None:
        every, newest = list(stories), list(stories)
        while newest:  # what was merged into these, and into those
            newest = list(self._run(MERGED_INTO, {"stories": newest}).scalars())
            every += newest
        articles = list(self._run(ARTICLES_OF, {"stories": every}).scalars())
        self._delete_articles(articles, now, rows)
        for name, statement in DELETE_BY_STORY.items():
            _count(rows, name, self._run(statement, {"stories": every}).rowcount)
        for statement in (NO_CHAPTERS, NOT_MERGED):
            self._run(statement, {"stories": every})
        _count(rows, "story", self._run(DELETE_STORIES, {"stories": every}).rowcount)

    def _delete_articles(
        self, articles: Sequence[int], now: datetime, rows: dict[str, int]
    ) -> None:
        if not articles:
            return
        values = {"articles": articles}
        marks = {mark_of_guid(row.feed_id, row.guid) for row in self._run(GUIDS_OF, values)}
        marks |= {mark_of_url(url) for url in self._run(URLS_OF, values).scalars()}
        today = day_of(now)
        if marks:
            self._on(KEEP_MARKS, [{"mark": mark, "day": today} for mark in sorted(marks)])
        for name, statement in DELETE_BY_ARTICLE.items():
            _count(rows, name, self._run(statement, values).rowcount)
        self._run(NO_COPIES, values)
        _count(rows, "article", self._run(DELETE_ARTICLES, values).rowcount)
        forget_indexed(self.connection, articles)

    def _forget_marks(self, now: datetime) -> None:
        part = int(now.timestamp() / 60) % SLICES
        first, last = (-(1 << 63) + (1 << 64) * edge // SLICES for edge in (part, part + 1))
        values = {"first": first, "last": last - 1, "day": day_of(now - MARKS_KEPT)}
        self._run(OLD_MARKS, values)


def bygone(
    work: Work, listed: Mapping[tuple[FeedId, str], str], now: datetime
) -> Collection[tuple[FeedId, str]]:
    """Of what feeds list, URLs by feed and key of their guid, what was deleted.

    What is met is remembered for as long again.
    """
    behind: dict[int, list[tuple[FeedId, str]]] = {}
    for place, url in listed.items():
        for mark in (mark_of_guid(*place), mark_of_url(url)):
            behind.setdefault(mark, []).append(place)
    met = work.connection.execute(KNOWN_MARKS, {"marks": sorted(behind)}).all()
    today = day_of(now)
    stale = sorted(row.mark for row in met if row.day < today - SEEN_AGAIN)
    if stale:
        work.connection.execute(MEET_MARKS, {"marks": stale, "today": today})
    return {place for row in met for place in behind[row.mark]}


def going(
    connection: sa.Connection, bounds: Bounds, now: datetime, *, after: int, step: int
) -> tuple[Sequence[int], int | None]:
    """Stories to be deleted, of the `WINDOW` that come next; and where it ends.

    None if there are no more that are old enough. Ids rise with the time at which stories began.
    """
    assert bounds.plain is not None
    window = connection.execute(END_OF_WINDOW, {"after": after, "window": WINDOW}).all()
    if not window or window[0].created_at >= bounds.plain:
        return (), None
    values = {
        "after": after,
        "upto": window[-1].id,
        "plain": bounds.plain,
        "matched": bounds.matched or _BEGINNING,
        "now": now,
        "step": step,
    }
    return connection.execute(GOING, values).scalars().all(), window[-1].id


def without_story(
    connection: sa.Connection, bounds: Bounds, now: datetime, *, step: int
) -> Sequence[int]:
    """Articles in no story that are to be deleted: what was never read, or said nothing."""
    values = {"plain": bounds.plain, "now": now, "step": step}
    return connection.execute(WITHOUT_STORY, values).scalars().all()


def would_go(
    connection: sa.Connection,
    bounds: Bounds,
    now: datetime,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Mapping[str, int]:
    """How many rows of which tables pruning to these bounds would delete. Only looks.

    `progress` is told up to which story it has looked.
    """
    rows: dict[str, int] = {}
    if bounds.plain is None:
        return rows
    after = 0
    while True:
        stories, upto = going(connection, bounds, now, after=after, step=WINDOW)
        if upto is None:
            break
        every, newest = list(stories), list(stories)
        while newest:
            values = {"stories": newest}
            newest = list(connection.execute(MERGED_INTO, values).scalars())
            every += newest
        articles = connection.execute(ARTICLES_OF, {"stories": every}).scalars().all()
        _count_going(connection, articles, every, rows)
        after = upto
        progress(after)
    _count_going(connection, without_story(connection, bounds, now, step=MANY), (), rows)
    return rows


def _count_going(
    connection: sa.Connection,
    articles: Sequence[int],
    stories: Sequence[int],
    rows: dict[str, int],
) -> None:
    for name, statement in COUNTED.items():
        values = {"articles": articles, "stories": stories}
        _count(rows, name, connection.execute(statement, values).scalar_one())


def mark_of_guid(feed: int, guid: str) -> int:
    """What stays of an entry: a hash of its feed and its guid."""
    return _mark(f"{feed}\n{key_of(guid)}")


def mark_of_url(url: str) -> int:
    """What stays of a canonical URL that led to an article."""
    return _mark(key_of(url))


def _mark(text: str) -> int:
    digest = hashlib.blake2b(text.encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _count(rows: dict[str, int], name: str, number: int) -> None:
    if number:
        rows[name] = rows.get(name, 0) + number


_BEGINNING: Final = datetime.fromisoformat("0001-01-02T00:00:00+00:00")
"""Before everything: what was matched stays for ever."""
