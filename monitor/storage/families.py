"""Families: which articles may be copies of one text, found by the keys they share."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from monitor.model import ArticleId, StoryId
from monitor.ports import Candidate, Candidates
from monitor.storage import tables as t
from monitor.storage.work import Pair, Row, Work, among, each_of, upsert

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def day_of(at: datetime) -> int:
    """Days since 1970."""
    return (at - _EPOCH).days


def _postings() -> Pair:
    rows = sa.select(t.article_key.c.key, t.article_key.c.article_id).where(
        among(t.article_key.c.day, "days"), among(t.article_key.c.key, "keys")
    )
    of = t.fingerprint.c
    keys = sa.bindparam("keys", type_=postgresql.ARRAY(sa.Integer))
    unfolded = sa.func.unnest(of["keys"]).table_valued("key", name="each_key").render_derived()
    lists = (
        sa.select(unfolded.c.key, of.article_id)
        .select_from(t.fingerprint.join(unfolded, sa.true()))
        .where(
            among(of.day, "days"),
            of["keys"].op("&&")(keys),
            unfolded.c.key == sa.any_(keys),
        )
    )
    return {"sqlite": rows, "postgresql": lists}


def _add_keys() -> sa.Executable:
    each = sa.select(
        sa.bindparam("day", type_=sa.Integer()),
        each_of("keys", "sqlite"),
        sa.bindparam("article", type_=sa.BigInteger()),
    )
    rows = sqlite.insert(t.article_key).from_select(["day", "key", "article_id"], each)
    # of a SELECT, SQLite takes ON CONFLICT only behind a WHERE
    return rows.prefix_with("OR IGNORE")


def _set_fingerprint() -> Pair:
    pair = upsert(t.fingerprint, key=("article_id",), update=("packed", "day"))
    rows = postgresql.insert(t.fingerprint)
    both: sa.ColumnElement[Any] = sa.literal_column(
        "ARRAY(SELECT DISTINCT unnest(fingerprint.keys || excluded.keys))"
    )
    values = {
        "packed": rows.excluded.packed,
        "day": rows.excluded.day,
        "keys": both,
    }
    lists = rows.on_conflict_do_update(index_elements=["article_id"], set_=values)
    return {"sqlite": pair["sqlite"], "postgresql": lists}


POSTINGS: Pair = _postings()
CANDIDATES = (
    sa.select(
        t.article.c.id,
        t.article.c.story_id,
        sa.func.coalesce(t.article.c.copy_of, t.article.c.id).label("root"),
        t.article.c.published_at,
        t.article.c.first_seen_at,
        t.fingerprint.c.packed,
    )
    .join(t.fingerprint, t.fingerprint.c.article_id == t.article.c.id)
    .where(among(t.article.c.id, "articles"), t.article.c.story_id.is_not(None))
)
ADD_KEYS = _add_keys()
SET_FINGERPRINT: Pair = _set_fingerprint()
JOIN_FAMILIES = (
    sa.update(t.article)
    .where(
        sa.or_(t.article.c.id == sa.bindparam("root"), t.article.c.copy_of == sa.bindparam("root"))
    )
    .values(copy_of=sa.bindparam("into"))
)


class FamilyWork(Work):
    """The part of `ports.Transaction` about copies."""

    def copy_candidates(
        self,
        keys: Collection[int],
        first: datetime,
        last: datetime,
        *,
        other_than: ArticleId,
        hottest: int,
        limit: int,
    ) -> Candidates:
        """See `ports.Transaction`. Of those with as many keys in common, the older come first."""
        holders: defaultdict[int, list[int]] = defaultdict(list)
        days = range(day_of(first), day_of(last) + 1)
        for row in self._on(POSTINGS, {"days": days, "keys": [*keys]}):
            if row.article_id != other_than:
                holders[row.key].append(row.article_id)
        hot = frozenset(key for key, articles in holders.items() if len(articles) > hottest)
        shared = Counter(
            article for key, articles in holders.items() if key not in hot for article in articles
        )
        ranked = sorted(shared, key=lambda article: (-shared[article], article))[:limit]
        if not ranked:
            return Candidates(hot=hot)
        rows = {row.id: row for row in self._run(CANDIDATES, {"articles": ranked})}
        return Candidates(
            articles=tuple(
                _candidate(rows[article], holders) for article in ranked if article in rows
            ),
            hot=hot,
        )

    def keep_fingerprint(
        self, article: ArticleId, at: datetime, keys: Collection[int], packed: bytes
    ) -> None:
        """See `ports.Transaction`. Keys of a text that it had before lead to it, too."""
        day = day_of(at)
        values = {"article_id": article, "packed": packed, "day": day}
        if self.connection.dialect.name == "postgresql":
            self._on(SET_FINGERPRINT, values | {"keys": [*keys]})
            return
        self._on(SET_FINGERPRINT, values)
        if keys:
            self._run(ADD_KEYS, {"day": day, "keys": keys, "article": article})

    def join_families(self, root: ArticleId, into: ArticleId) -> None:
        """See `ports.Transaction`."""
        self._run(JOIN_FAMILIES, {"root": root, "into": into})


def _candidate(row: Row, holders: dict[int, list[int]]) -> Candidate:
    return Candidate(
        article=ArticleId(row.id),
        story=StoryId(row.story_id),
        root=ArticleId(row.root),
        published_at=row.published_at,
        first_seen_at=row.first_seen_at,
        keys=frozenset(key for key, articles in holders.items() if row.id in articles),
        packed=row.packed,
    )
