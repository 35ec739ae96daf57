"""What sites repeat: which articles of a host a paragraph stood in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from monitor.model import ArticleId, Seen
from monitor.storage import tables as t
from monitor.storage.work import Work, upsert
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

SEEN = (
    sa.select(
        _hash,
        sa.func.count().label("articles"),
        sa.func.sum(sa.cast(t.site_paragraph.c.fed, sa.Integer)).label("fed"),
    )
    .where(
        _hash.in_(sa.bindparam("hashes", expanding=True)),
        _article != sa.bindparam("but"),
        _day >= sa.bindparam("since"),
    )
    .group_by(_hash)
)
IS_COPY = sa.select(t.article.c.copy_of.is_not(None)).where(
    t.article.c.id == sa.bindparam("article")
)
NOTE = upsert(t.site_paragraph, key=("hash", "article_id"), update=("day", "fed"))
_place = (
    sa.select(
        _hash,
        _article,
        sa.func.row_number()
        .over(partition_by=_hash, order_by=(_day.desc(), _article.desc()))
        .label("place"),
    )
    .where(_hash.in_(sa.bindparam("hashes", expanding=True)))
    .subquery("places")
)
DROP_SURPLUS = sa.delete(t.site_paragraph).where(
    _hash.in_(sa.bindparam("hashes", expanding=True)),
    sa.tuple_(_hash, _article).in_(
        sa.select(_place.c.hash, _place.c.article_id).where(_place.c.place > KEPT)
    ),
)
DROP_OLD = sa.delete(t.site_paragraph).where(_in_slice, _day < sa.bindparam("before"))
_host = _hash.op(">>")(sa.literal_column(str(PARAGRAPH_BITS), sa.Integer))
FULL_HOSTS: sa.Select[Any] = (
    sa.select(
        _host.label("host"),
        sa.func.min(_day).label("oldest"),
        sa.func.max(_day).label("newest"),
    )
    .where(_in_slice)
    .group_by(_host)
    .having(sa.func.count() > MOST_OF_A_HOST)
)


class SiteWork(Work):
    """The part of `ports.Transaction` about what sites repeat."""

    def seen_paragraphs(
        self, hashes: Collection[int], *, but: ArticleId, since: datetime
    ) -> Mapping[int, Seen]:
        """See `ports.Transaction`. What stood in more than `KEPT` articles has that many."""
        if not hashes:
            return {}
        values = {"hashes": sorted(hashes), "but": but, "since": _day_of(since)}
        return {
            row.hash: Seen(articles=row.articles, fed=row.fed) for row in self._run(SEEN, values)
        }

    def note_paragraphs(
        self, article: ArticleId, paragraphs: Mapping[int, bool], now: datetime
    ) -> None:
        """See `ports.Transaction`."""
        if not paragraphs or self._run(IS_COPY, {"article": article}).scalar_one_or_none():
            return
        rows = [
            {"hash": each, "article_id": article, "day": _day_of(now), "fed": fed}
            for each, fed in sorted(paragraphs.items())
        ]
        self._on(NOTE, rows)
        self._run(DROP_SURPLUS, {"hashes": sorted(paragraphs)})

    def forget_paragraphs(self, now: datetime) -> int:
        """See `ports.Transaction`. Of a host with too many, the older half of its days goes."""
        width = (1 << 63) // SLICES
        first = int(now.timestamp() // 60) % SLICES * width
        part = {"first": first, "last": first + width - 1}
        gone = self._run(DROP_OLD, part | {"before": _day_of(now - MEMORY)}).rowcount
        for row in self._run(FULL_HOSTS, part).all():
            start = row.host << PARAGRAPH_BITS
            last = start + (1 << PARAGRAPH_BITS) - 1
            before = row.oldest + (row.newest - row.oldest) // 2 + 1
            values = {"first": start, "last": last, "before": before}
            gone += self._run(DROP_OLD, values).rowcount
        return gone


def _day_of(at: datetime) -> int:
    """Days since 1970."""
    return int(at.timestamp()) // int(timedelta(days=1).total_seconds())
