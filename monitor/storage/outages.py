"""Feeds that nobody could reach, because our own network was away: how many, and asked again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from monitor.model import FeedId
from monitor.polling.outage import ALIVE, JUST_NOW, LATELY, UNREACHED
from monitor.ports import Reach
from monitor.storage import tables as t
from monitor.storage.work import Work, among

_TIME = t.feed.c.polled_at.type
_since = sa.bindparam("since", type_=_TIME)
_is_unreached = sa.and_(
    t.feed.c.failures > 0,
    t.feed.c.error_code.in_(sorted(UNREACHED)),
    t.feed.c.ok_at >= sa.bindparam("alive", type_=_TIME),
)
REACH = sa.select(
    sa.func.count().label("asked"),
    sa.func.coalesce(sa.func.sum(sa.case((_is_unreached, 1), else_=0)), 0).label("unreached"),
    sa.func.max(sa.case((_is_unreached, t.feed.c.polled_at))).label("tried_at"),
).where(t.feed.c.declared, t.feed.c.polled_at >= _since)
UNREACHED_FEEDS = (
    sa.select(t.feed.c.id)
    .where(
        t.feed.c.declared,
        _is_unreached,
        t.feed.c.polled_at.between(_since, sa.bindparam("before", type_=_TIME)),
        t.feed.c.due_at > sa.bindparam("later", type_=_TIME),
        t.feed.c.lease_until.is_(None),
    )
    .order_by(t.feed.c.polled_at, t.feed.c.id)
)
ASK_AGAIN = (
    sa.update(t.feed)
    .where(
        among(t.feed.c.id, "feeds"),
        t.feed.c.failures > 0,
        t.feed.c.due_at > sa.bindparam("at", type_=_TIME),
        t.feed.c.lease_until.is_(None),
    )
    .values(due_at=sa.bindparam("at", type_=_TIME))
)


class OutageWork(Work):
    """The part of `ports.Transaction` for a network that was away."""

    def reach(self, now: datetime) -> Reach:
        """See `ports.Transaction`."""
        row = self._run(REACH, _times(now)).one()
        return Reach(int(row.asked), int(row.unreached), row.tried_at)

    def unreached_feeds(self, now: datetime, due_after: datetime) -> Sequence[FeedId]:
        """See `ports.Transaction`."""
        values = {**_times(now), "before": now - JUST_NOW, "later": due_after}
        return [FeedId(number) for number in self._run(UNREACHED_FEEDS, values).scalars()]

    def ask_feeds_again(self, feeds: Sequence[FeedId], at: datetime) -> int:
        """See `ports.Transaction`."""
        return self._run(ASK_AGAIN, {"feeds": feeds, "at": at}).rowcount


def _times(now: datetime) -> dict[str, Any]:
    return {"since": now - LATELY, "alive": now - ALIVE}
