"""The read side about watches. See `ports.Watches`.

What was found on a day is read from the counts that are kept; what was told of it is looked up for
the newest hits alone, so that a watch that finds everything costs no more than others.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from monitor.model import DeliveryState
from monitor.ports import Snoozed, Watched
from monitor.ports.watches import Found
from monitor.storage import tables as t
from monitor.storage.hands import HandWork
from monitor.storage.store import SqlStore
from monitor.storage.work import among, for_each

MOST: Final = 1_000
"""Newest hits of which messages are counted, of all watches that are asked for: some ten ms."""

MOST_OF_ONE: Final = 300

LATELY: Final = timedelta(days=7)

_EPOCH: Final = date(1970, 1, 1)
_BY_DAY: Final = 24  # hours: the grain of the counts that are read
_SINCE = sa.bindparam("since", type_=t.hit.c.matched_at.type)
_GIVEN_UP = (DeliveryState.DEAD, DeliveryState.DROPPED)


def _watches(dialect: str) -> sa.Select[Any]:
    """Of each watch that is asked for, how many of its newest hits there are, and how many stories
    of these were told in the channel that is given with it: one look at an index for each watch.
    """
    given = sa.bindparam("channels", type_=sa.Text())
    each = (
        sa.func.json_each(given)
        if dialect == "sqlite"
        else sa.func.jsonb_each_text(sa.cast(given, postgresql.JSONB))
    )
    asked = each.table_valued(
        sa.column("key", sa.Text()), sa.column("value", sa.Text()), name="asked"
    )
    newest = (
        sa.select(t.hit.c.article_id)
        .where(t.hit.c.watch_id == t.watch.c.id, t.hit.c.matched_at >= _SINCE)
        .order_by(t.hit.c.matched_at.desc())
        .limit(sa.bindparam("most", type_=sa.Integer(), literal_execute=True))
        .correlate(t.watch)
        .subquery("newest")
    )
    stories = (
        sa.select(t.article.c.story_id)
        .join(newest, newest.c.article_id == t.article.c.id)
        .where(t.article.c.story_id.is_not(None))
        .distinct()
        .correlate(t.watch)
        .subquery("found_in")
    )
    messages = (
        sa.select(sa.func.count())
        .select_from(t.delivery)
        .join(stories, stories.c.story_id == t.delivery.c.story_id)
        .where(t.delivery.c.channel == asked.c.value, t.delivery.c.state.not_in(_GIVEN_UP))
        .correlate(t.watch, asked)
    )
    return sa.select(
        t.watch.c.name,
        t.watch.c.created_at,
        t.watch.c.changed_at,
        messages.scalar_subquery().label("messages"),
        sa.select(sa.func.count())
        .select_from(newest)
        .correlate(t.watch)
        .scalar_subquery()
        .label("hits"),
    ).join(asked, asked.c.key == t.watch.c.name)


WATCHES = for_each(_watches)
DAYS: sa.Select[Any] = (
    sa.select(
        t.watch.c.name,
        t.mention_total.c.at,
        t.mention_total.c.articles,
        t.mention_total.c.stories,
    )
    .join(t.mention_total, t.mention_total.c.watch_id == t.watch.c.id)
    .where(
        among(t.watch.c.name, "names"),
        t.mention_total.c.grain == _BY_DAY,
        t.mention_total.c.at >= sa.bindparam("day"),
    )
)
HELD = (
    sa.select(t.watch.c.name, sa.func.count().label("stories"))
    .join(t.hold, t.hold.c.watch_id == t.watch.c.id)
    .where(among(t.watch.c.name, "names"))
    .group_by(t.watch.c.name)
)
SNOOZES = (
    sa.select(t.snooze)
    .where(
        among(t.snooze.c.watch, "names"),
        t.snooze.c.until > sa.bindparam("now", type_=t.snooze.c.until.type),
    )
    .order_by(t.snooze.c.channel)
)


class SqlWatches:
    """`ports.Watches` over an open store."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def lately(
        self, names: Collection[str], now: datetime, channels: Mapping[str, str]
    ) -> Mapping[str, Watched]:
        """See `ports.Watches`."""
        most = min(MOST_OF_ONE, max(1, MOST // max(1, len(names))))

        def ask(connection: sa.Connection) -> Mapping[str, Watched]:
            wanted = {"names": [*names]}
            precisions = HandWork(connection).precisions(names)
            held = {row.name: row.stories for row in connection.execute(HELD, wanted)}
            snoozes: dict[str, list[Snoozed]] = {}
            for row in connection.execute(SNOOZES, {**wanted, "now": now}):
                one = Snoozed(channel=row.channel, until=row.until, by=row.by)
                snoozes.setdefault(row.watch, []).append(one)
            found: dict[str, Watched] = {}
            asked = {
                "channels": json.dumps({name: channels.get(name, "") for name in names}),
                "since": now - LATELY,
                "most": most,
            }
            for row in connection.execute(WATCHES[connection.dialect.name], asked):
                found[row.name] = Watched(
                    created_at=row.created_at,
                    changed_at=row.changed_at,
                    messages=row.messages,
                    counted_of=most if row.hits == most else None,
                    precision=precisions.get(row.name),
                    held=held.get(row.name, 0),
                    snoozes=tuple(snoozes.get(row.name, ())),
                )
            return found

        return await self._store.query(ask) if names else {}

    async def days(self, names: Collection[str], since: date) -> Mapping[str, Mapping[date, Found]]:
        """See `ports.Watches`."""
        values = {"names": [*names], "day": (since - _EPOCH).days}

        def ask(connection: sa.Connection) -> Mapping[str, Mapping[date, Found]]:
            found: dict[str, dict[date, Found]] = {}
            for row in connection.execute(DAYS, values):
                day = _EPOCH + timedelta(days=row.at)
                found.setdefault(row.name, {})[day] = Found(row.articles, row.stories)
            return found

        return await self._store.query(ask) if names else {}
