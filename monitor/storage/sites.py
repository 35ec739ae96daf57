"""What sites repeat: which articles of a host a paragraph stood in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from monitor.model import ArticleId, Seen
from monitor.storage import tables as t
from monitor.storage.families import day_of
from monitor.storage.work import Work, among, each_of, for_each
from monitor.stories.furniture import MEMORY, PARAGRAPH_BITS

KEPT = 4
"""Articles of a paragraph that are kept, the newest: one more than make it furniture, because the
one that asks may be among them."""

MOST_OF_A_HOST = 100_000
"""Paragraphs of one host that are kept, about 2 MB: a month of twenty long articles a hour."""

SLICES = 1 << 10
"""Parts of the memory, by hash. One a minute is swept, so that each is in 17 hours."""

_hash, _article, _day = (
    t.site_paragraph.c.hash,
    t.site_paragraph.c.article_id,
    t.site_paragraph.c.day,
)
_in_slice = _hash.between(sa.bindparam("first"), sa.bindparam("last"))


def _note(dialect: str) -> sa.Executable:
    is_no_copy = sa.exists().where(
        t.article.c.id == sa.bindparam("article", type_=sa.BigInteger()),
        t.article.c.copy_of.is_(None),
    )
    each = sa.select(
        each_of("hashes", dialect),
        sa.bindparam("article", type_=sa.BigInteger()),
        sa.bindparam("day", type_=sa.Integer()),
        sa.bindparam("fed", type_=sa.Boolean()),
    ).where(is_no_copy)
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    rows = insert(t.site_paragraph).from_select(["hash", "article_id", "day", "fed"], each)
    return rows.on_conflict_do_update(
        index_elements=["hash", "article_id"],
        set_={"day": rows.excluded.day, "fed": rows.excluded.fed},
    )


def _drop_surplus() -> sa.Executable:
    place = sa.func.row_number().over(partition_by=_hash, order_by=(_day.desc(), _article.desc()))
    places = (
        sa.select(_hash, _article, place.label("place"))
        .where(among(_hash, "hashes"))
        .subquery("places")
    )
    surplus = sa.select(places.c.hash, places.c.article_id).where(places.c.place > KEPT)
    return sa.delete(t.site_paragraph).where(sa.tuple_(_hash, _article).in_(surplus))


SEEN = (
    sa.select(
        _hash,
        sa.func.count().label("articles"),
        sa.func.sum(sa.cast(t.site_paragraph.c.fed, sa.Integer)).label("fed"),
    )
    .where(
        among(_hash, "hashes"),
        _article != sa.bindparam("but"),
        _day >= sa.bindparam("since"),
    )
    .group_by(_hash)
)
NOTE = for_each(_note)
DROP_SURPLUS = _drop_surplus()
DROP_OLD = sa.delete(t.site_paragraph).where(_in_slice, _day < sa.bindparam("before"))


_host = _hash.op(">>")(sa.literal_column(str(PARAGRAPH_BITS), sa.Integer)).label("host")
FULL_HOSTS: sa.Select[Any] = (
    sa.select(_host, sa.func.min(_day).label("oldest"), sa.func.max(_day).label("newest"))
    .where(_in_slice)
    .group_by(_host)
    .having(sa.func.count() > sa.bindparam("most"))
)


class SiteWork(Work):
    """The part of `ports.Transaction` about what sites repeat."""

    def seen_paragraphs(
        self, hashes: Collection[int], *, but: ArticleId, since: datetime
    ) -> Mapping[int, Seen]:
        """See `ports.Transaction`. What stood in more than `KEPT` articles has that many."""
        if not hashes:
            return {}
        values = {"hashes": hashes, "but": but, "since": day_of(since)}
        return {
            row.hash: Seen(articles=row.articles, fed=row.fed) for row in self._run(SEEN, values)
        }

    def note_paragraphs(
        self, article: ArticleId, paragraphs: Mapping[int, bool], now: datetime
    ) -> None:
        """See `ports.Transaction`."""
        for fed in (False, True):
            hashes = [each for each, is_fed in paragraphs.items() if is_fed is fed]
            if hashes:
                values = {"article": article, "day": day_of(now), "fed": fed, "hashes": hashes}
                self._on(NOTE, values)
        if paragraphs:
            self._run(DROP_SURPLUS, {"hashes": paragraphs})

    def forget_paragraphs(self, now: datetime) -> int:
        """See `ports.Transaction`. Of a host with too many, the older half of its days goes."""
        width = (1 << 63) // SLICES
        first = int(now.timestamp() // 60) % SLICES * width
        part = {"first": first, "last": first + width - 1}
        gone = self._run(DROP_OLD, part | {"before": day_of(now - MEMORY)}).rowcount
        for row in self._run(FULL_HOSTS, part | {"most": MOST_OF_A_HOST}).all():
            start = row.host << PARAGRAPH_BITS
            last = start + (1 << PARAGRAPH_BITS) - 1
            before = row.oldest + (row.newest - row.oldest) // 2 + 1
            values = {"first": start, "last": last, "before": before}
            gone += self._run(DROP_OLD, values).rowcount
        return gone
