"""The read side about watches. See `ports.Watches`.

Hits are counted from an index; what they are in is looked up for the newest of them alone, so that
a watch that finds everything costs no more than others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final

import sqlalchemy as sa

from monitor.model import DeliveryState
from monitor.ports import Snoozed, Watched
from monitor.storage import tables as t
from monitor.storage.hands import HandWork
from monitor.storage.store import SqlStore
from monitor.storage.work import Row

MOST: Final = 500
"""Newest hits of a watch of which stories and messages are counted: a millisecond or two."""

_TIME = t.hit.c.matched_at.type
_SINCE = sa.bindparam("since", type_=_TIME)
_NAMES = sa.bindparam("names", expanding=True)
_GIVEN_UP = (DeliveryState.DEAD, DeliveryState.DROPPED)

WATCHES = sa.select(
    t.watch.c.id,
    t.watch.c.name,
    t.watch.c.created_at,
    t.watch.c.changed_at,
    sa.select(sa.func.count())
    .select_from(t.hit)
    .where(t.hit.c.watch_id == t.watch.c.id, t.hit.c.matched_at >= _SINCE)
    .scalar_subquery()
    .label("hits"),
).where(t.watch.c.name.in_(_NAMES))
NEWEST = (
    sa.select(t.hit.c.article_id)
    .where(t.hit.c.watch_id == sa.bindparam("watch"), t.hit.c.matched_at >= _SINCE)
    .order_by(t.hit.c.matched_at.desc())
    .limit(MOST)
    .subquery("newest")
)
STORIES = (
    sa.select(t.article.c.story_id)
    .join(NEWEST, NEWEST.c.article_id == t.article.c.id)
    .where(t.article.c.story_id.is_not(None))
    .distinct()
    .subquery("found_in")
)
FOUND_IN = sa.select(sa.func.count(), sa.func.count(t.delivery.c.id)).select_from(
    STORIES.outerjoin(
        t.delivery,
        sa.and_(
            t.delivery.c.story_id == STORIES.c.story_id,
            t.delivery.c.channel == sa.bindparam("in_channel"),
            t.delivery.c.state.not_in(_GIVEN_UP),
        ),
    )
)
HELD = (
    sa.select(t.watch.c.name, sa.func.count().label("stories"))
    .join(t.hold, t.hold.c.watch_id == t.watch.c.id)
    .where(t.watch.c.name.in_(_NAMES))
    .group_by(t.watch.c.name)
)
SNOOZES = (
    sa.select(t.snooze)
    .where(
        t.snooze.c.watch.in_(_NAMES),
        t.snooze.c.until > sa.bindparam("now", type_=t.snooze.c.until.type),
    )
    .order_by(t.snooze.c.channel)
)


class SqlWatches:
    """`ports.Watches` over an open store."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def lately(
        self,
        names: Collection[str],
        since: datetime,
        now: datetime,
        channels: Mapping[str, str],
    ) -> Mapping[str, Watched]:
        """See `ports.Watches`."""
        if not names:
            return {}

        def ask(connection: sa.Connection) -> Mapping[str, Watched]:
            wanted = {"names": [*names]}
            precisions = HandWork(connection).precisions(names)
            held = {row.name: row.stories for row in connection.execute(HELD, wanted)}
            snoozes: dict[str, list[Snoozed]] = {}
            for row in connection.execute(SNOOZES, {**wanted, "now": now}):
                one = Snoozed(channel=row.channel, until=row.until, by=row.by)
                snoozes.setdefault(row.watch, []).append(one)
            return {
                row.name: Watched(
                    created_at=row.created_at,
                    changed_at=row.changed_at,
                    hits=row.hits,
                    is_more=row.hits > MOST,
                    held=held.get(row.name, 0),
                    precision=precisions.get(row.name),
                    snoozes=tuple(snoozes.get(row.name, ())),
                    **_found_in(connection, row, since, channels.get(row.name, "")),
                )
                for row in connection.execute(WATCHES, {**wanted, "since": since}).all()
            }

        return await self._store.query(ask)

    async def days(self, names: Collection[str], since: date) -> Mapping[str, Mapping[date, int]]:
        """See `ports.Watches`."""
        start = datetime.combine(since, time(), UTC)

        def ask(connection: sa.Connection) -> Mapping[str, Mapping[date, int]]:
            found: dict[str, dict[date, int]] = {}
            for name, day, hits in connection.execute(
                _by_day(connection.dialect.name), {"names": [*names], "since": start}
            ):
                found.setdefault(name, {})[date.fromisoformat(day)] = hits
            return found

        return await self._store.query(ask) if names else {}


def _found_in(
    connection: sa.Connection, row: Row, since: datetime, channel: str
) -> Mapping[str, int]:
    if not row.hits:
        return {"stories": 0, "messages": 0}
    values = {"watch": row.id, "since": since, "in_channel": channel}
    stories, messages = connection.execute(FOUND_IN, values).one()
    return {"stories": stories, "messages": messages}


def _by_day(dialect: str) -> sa.Select[Any]:
    day: sa.ColumnElement[str] = (
        sa.func.substr(sa.cast(t.hit.c.matched_at, sa.Text), 1, 10)
        if dialect == "sqlite"
        else sa.func.to_char(sa.func.timezone("UTC", t.hit.c.matched_at), "YYYY-MM-DD")
    )
    return (
        sa.select(t.watch.c.name, day.label("day"), sa.func.count().label("hits"))
        .join(t.hit, t.hit.c.watch_id == t.watch.c.id)
        .where(t.watch.c.name.in_(_NAMES), t.hit.c.matched_at >= _SINCE)
        .group_by(t.watch.c.name, sa.text("day"))
    )
