"""How the service fares, for those who run it: feeds in trouble, what was told, a day in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from monitor.model import DeliveryState, Health
from monitor.ports import Day, IllFeed, Told
from monitor.storage import outbox
from monitor.storage import tables as t
from monitor.storage.work import Work

FEED_TIME, TIME = t.feed.c.polled_at.type, t.notice.c.created_at.type
_trouble = t.feed.c.health.in_([health for health in Health if health.is_trouble])
_since = sa.bindparam("since", type_=FEED_TIME)
_is_ill = sa.and_(t.feed.c.declared, _trouble, t.feed.c.health_since >= _since)
ILL_FEEDS = (
    sa.select(t.feed)
    .where(_is_ill)
    .order_by(t.feed.c.health_since, t.feed.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer()))
)
COUNT_ILL = sa.select(sa.func.count()).select_from(t.feed).where(_is_ill)
POLLED = sa.select(
    sa.func.count().label("polled"),
    sa.func.coalesce(sa.func.sum(sa.case((t.feed.c.failures > 0, 1), else_=0)), 0).label("failed"),
).where(t.feed.c.declared, t.feed.c.polled_at >= _since)
_about = (
    t.notice.c.channel == sa.bindparam("in_channel"),
    t.notice.c.subject.like(sa.bindparam("kind", type_=sa.Text()), escape="/"),
)
LAST_TOLD = sa.select(t.notice).where(*_about).order_by(t.notice.c.id.desc()).limit(1)
TOLD_SINCE = (
    sa.select(sa.func.count())
    .select_from(t.notice)
    .where(*_about, t.notice.c.created_at >= sa.bindparam("since", type_=TIME))
)


TAKE_BACK = sa.delete(t.notice).where(
    *_about,
    t.notice.c.state == DeliveryState.PENDING,
    t.notice.c.attempts == 0,
)


def _dead(table: sa.Table, *also: sa.ColumnElement[bool]) -> sa.Select[Any]:
    since = sa.bindparam("since", type_=TIME)
    return (
        sa.select(sa.func.count())
        .select_from(table)
        .where(table.c.state == DeliveryState.DEAD, table.c.created_at >= since, *also)
    )


DEAD_IN = [_dead(table, table.c.channel == sa.bindparam("in_channel")) for table in outbox.TABLES]
DEAD = [_dead(table) for table in outbox.TABLES]
BY_HEALTH = (
    sa.select(t.feed.c.health, sa.func.count().label("feeds"))
    .where(t.feed.c.declared)
    .group_by(t.feed.c.health)
)
NEW_ARTICLES = (
    sa.select(sa.func.count()).select_from(t.article).where(t.article.c.first_seen_at >= _since)
)
SHOWN_STORIES = (
    sa.select(sa.func.count())
    .select_from(t.delivery)
    .where(
        t.delivery.c.created_at >= sa.bindparam("since", type_=TIME),
        t.delivery.c.sent_at.is_not(None),
    )
)


def _escaped(prefix: str) -> str:
    """As LIKE reads it: a URL is full of underscores and per cent signs."""
    return prefix.replace("/", "//").replace("%", "/%").replace("_", "/_") + "%"


class OpsWork(Work):
    """The part of `ports.Transaction` that those who run the service are told from."""

    def ill_feeds(self, since: datetime, limit: int) -> tuple[int, Sequence[IllFeed]]:
        """See `ports.Transaction`."""
        rows = self._run(ILL_FEEDS, {"since": since, "most": limit})
        feeds = [
            IllFeed(
                name=row.name,
                url=row.url,
                health=Health(row.health),
                since=row.health_since,
                error=row.error_detail or "",
            )
            for row in rows
        ]
        return self._run(COUNT_ILL, {"since": since}).scalar_one(), feeds

    def feeds_by_health(self) -> Mapping[Health, int]:
        """See `ports.Transaction`."""
        return {Health(row.health): row.feeds for row in self._run(BY_HEALTH)}

    def polls_since(self, since: datetime) -> tuple[int, int]:
        """See `ports.Transaction`."""
        row = self._run(POLLED, {"since": since}).one()
        return int(row.polled), int(row.failed)

    def last_told(self, channel: str, prefix: str) -> tuple[str, Told] | None:
        """See `ports.Transaction`."""
        values = {"in_channel": channel, "kind": _escaped(prefix)}
        row = self._run(LAST_TOLD, values).one_or_none()
        return None if row is None else (row.subject, outbox.told_of(row))

    def told_since(self, channel: str, prefix: str, since: datetime) -> int:
        """See `ports.Transaction`."""
        values = {"in_channel": channel, "kind": _escaped(prefix), "since": since}
        return int(self._run(TOLD_SINCE, values).scalar_one())

    def take_back(self, channel: str, prefix: str) -> None:
        """See `ports.Transaction`."""
        self._run(TAKE_BACK, {"in_channel": channel, "kind": _escaped(prefix)})

    def dead_since(self, channel: str, since: datetime) -> int:
        """See `ports.Transaction`."""
        values = {"in_channel": channel, "since": since}
        return sum(self._run(statement, values).scalar_one() for statement in DEAD_IN)

    def day_since(self, since: datetime, now: datetime) -> Day:
        """See `ports.Transaction`."""
        of = {"since": since}
        return Day(
            feeds=self.feeds_by_health(),
            articles=self._run(NEW_ARTICLES, of).scalar_one(),
            alerts=self._run(SHOWN_STORIES, of).scalar_one(),
            dead=sum(self._run(statement, of).scalar_one() for statement in DEAD),
            oldest_waiting_at=self._run(outbox.OLDEST_WAITING, {"now": now}).scalar_one(),
        )
