"""What grouping keeps of old articles is deleted, a little at a time.

The archive stays. What goes is what copies and events are looked up by, which nothing that is older
than the windows of `monitor.stories` is asked for.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from monitor.storage import tables as t
from monitor.storage.families import day_of
from monitor.storage.work import Work

STEP: Final = 20_000
"""Rows of keys deleted at once: 30 ms, for which others wait."""

FINGERPRINTS: Final = 1_000
"""Fingerprints deleted at once."""

SLICES: Final = 24 * 60
"""Parts that the terms of stories are looked through in: one a minute, and so all once a day."""

_TERMS: Final = 1 << 32

_key = t.article_key.c
_place = sa.tuple_(_key.day, _key.key, _key.article_id)
_days = _key.day < sa.bindparam("day", type_=sa.Integer())
STEP_ENDS = (
    sa.select(_key.day, _key.key, _key.article_id)
    .where(_days)
    .order_by(_key.day, _key.key, _key.article_id)
    .limit(1)
    .offset(sa.bindparam("step", type_=sa.Integer(), literal_execute=True))
)
ALL_OLD_KEYS = sa.delete(t.article_key).where(_days)
SOME_OLD_KEYS = sa.delete(t.article_key).where(
    _place
    < sa.tuple_(
        sa.bindparam("to_day", type_=sa.Integer()),
        sa.bindparam("to_key", type_=sa.Integer()),
        sa.bindparam("to_article", type_=sa.BigInteger()),
    )
)
OLDEST_KEPT = (
    # a hundred: ids follow the time of arrival but for articles that were merged
    sa.select(t.article.c.id, t.article.c.story_id)
    .where(
        t.article.c.ingested_at.is_not(None),
        t.article.c.first_seen_at >= sa.bindparam("before", type_=t.article.c.first_seen_at.type),
    )
    .order_by(t.article.c.first_seen_at, t.article.c.id)
    .limit(100)
)
OLD_FINGERPRINTS = sa.delete(t.fingerprint).where(
    t.fingerprint.c.article_id.in_(
        sa.select(t.fingerprint.c.article_id)
        .where(t.fingerprint.c.article_id < sa.bindparam("article"))
        .order_by(t.fingerprint.c.article_id)
        .limit(sa.bindparam("step", type_=sa.Integer(), literal_execute=True))
    )
)
OLD_TERMS = sa.delete(t.story_term).where(
    t.story_term.c.term >= sa.bindparam("first", type_=sa.BigInteger()),
    t.story_term.c.term < sa.bindparam("last", type_=sa.BigInteger()),
    t.story_term.c.story_id < sa.bindparam("story", type_=sa.BigInteger()),
)


OLD_REPORTS = sa.delete(t.report_term).where(
    t.report_term.c.day < sa.bindparam("day", type_=sa.Integer())
)


class ForgetWork(Work):
    """The part of `ports.Transaction` about what is forgotten."""

    def forget(self, before: datetime, now: datetime) -> int:
        """See `ports.Transaction`. Which terms are looked through goes by the minute of `now`."""
        forgotten = self._forget_keys(day_of(before))
        forgotten += self._run(OLD_REPORTS, {"day": day_of(before)}).rowcount
        kept = self._run(OLDEST_KEPT, {"before": before}).all()
        if not kept:
            return forgotten
        article = min(row.id for row in kept)
        values = {"article": article, "step": FINGERPRINTS}
        forgotten += self._run(OLD_FINGERPRINTS, values).rowcount
        stories = [row.story_id for row in kept if row.story_id is not None]
        if stories:
            part = int(now.timestamp() / 60) % SLICES
            first, last = (_TERMS * edge // SLICES for edge in (part, part + 1))
            values = {"first": first, "last": last, "story": min(stories)}
            forgotten += self._run(OLD_TERMS, values).rowcount
        return forgotten

    def _forget_keys(self, day: int) -> int:
        end = self._run(STEP_ENDS, {"day": day, "step": STEP}).one_or_none()
        if end is None:
            return self._run(ALL_OLD_KEYS, {"day": day}).rowcount
        values = {"to_day": end.day, "to_key": end.key, "to_article": end.article_id}
        return self._run(SOME_OLD_KEYS, values).rowcount
