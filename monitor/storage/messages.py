"""The outbox as it is looked through: its two tables as one list, read from the ends of indexes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from alerts.message import card_from_json
from monitor.model import Deed, DeliveryId, DeliveryState, Hand, StoryId
from monitor.ports.messages import DeliveryRow, MessagePlace, Outcome
from monitor.storage import tables as t
from monitor.storage.leads import leads
from monitor.storage.outbox import TABLES
from monitor.storage.store import SqlStore
from monitor.storage.work import Row, among

OUTCOMES: Final = 100
"""Of each message, those that are told: the last ones."""


def _outbox(table: sa.Table, *more: sa.Column[Any]) -> sa.Select[Any]:
    """Rows of one table of the outbox, with these columns more."""
    it = table.c
    when = (it.created_at, it.due_at, it.sent_at)
    return sa.select(it.id, it.story_id, *more, it.channel, it.state, it.attempts, *when, it.error)


DELIVERIES: Final = _outbox(t.delivery)
NOTICES: Final = _outbox(t.notice, t.notice.c.subject, t.notice.c.card)


def named(
    connection: sa.Connection, rows: Sequence[DeliveryRow], max_age: timedelta | None
) -> tuple[DeliveryRow, ...]:
    """The same, each that is of a story's own message by the story's headline."""
    named = leads(connection, {row.story for row in rows if row.story is not None}, max_age)
    titles: Mapping[StoryId | None, str] = {story: lead.title for story, lead in named.items()}
    return tuple(replace(row, headline=row.headline or titles.get(row.story, "")) for row in rows)


def delivery_row(row: Row) -> DeliveryRow:
    """A row of `DELIVERIES`; what it is called is for `named` to say."""
    return _message(row, headline="")


def notice_row(row: Row) -> DeliveryRow:
    """A row of `NOTICES`."""
    return _message(row, headline=card_from_json(row.card).title, subject=row.subject)


def _message(row: Row, *, headline: str, subject: str | None = None) -> DeliveryRow:
    return DeliveryRow(
        id=DeliveryId(row.id),
        story=None if row.story_id is None else StoryId(row.story_id),
        headline=headline,
        channel=row.channel,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        created_at=row.created_at,
        due_at=row.due_at,
        sent_at=row.sent_at,
        error=row.error,
        subject=subject,
    )


_SELECTS: Final = {t.delivery: DELIVERIES, t.notice: NOTICES}
_MAKE: Final = {t.delivery: delivery_row, t.notice: notice_row}


@functools.lru_cache(maxsize=128)
def newest_in(
    table: sa.Table, states: Sequence[DeliveryState], *, in_channel: bool, goes_on: bool
) -> sa.Select[Any]:
    """Of one table, in any of some states, the newest first: of each state an end of an index."""
    at = sa.bindparam("at", type_=table.c.created_at.type)
    place = sa.tuple_(at, sa.bindparam("last", type_=sa.Text()))
    limit = sa.bindparam("limit", type_=sa.Integer(), literal_execute=True)
    ends = []
    for state in states:
        where = [table.c.state == sa.literal(state, sa.Text())]
        if in_channel:
            where.append(table.c.channel == sa.bindparam("in_channel"))
        if goes_on:
            where += [table.c.created_at <= at, sa.tuple_(table.c.created_at, table.c.id) < place]
        end = _SELECTS[table].where(*where)
        end = end.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit)
        ends.append(sa.select(end.subquery()))
    every = sa.union_all(*ends).subquery("every")
    return sa.select(every).order_by(every.c.created_at.desc(), every.c.id.desc()).limit(limit)


_story: sa.BindParameter[Any] = sa.bindparam("story")
OF_STORY: Final = (
    (t.delivery, DELIVERIES.where(t.delivery.c.story_id == _story).order_by(t.delivery.c.channel)),
    (t.notice, NOTICES.where(t.notice.c.story_id == _story).order_by(t.notice.c.id)),
)
_ranked = (
    sa.select(
        t.outcome,
        sa.func.row_number()
        .over(partition_by=t.outcome.c.message, order_by=t.outcome.c.id.desc())
        .label("place"),
    )
    .where(among(t.outcome.c.message, "messages"))
    .subquery("ranked")
)
BECAME: Final = sa.select(_ranked).where(_ranked.c.place <= OUTCOMES).order_by(_ranked.c.id)


HANDS: Final = sa.select(t.hand).where(among(t.hand.c.delivery_id, "messages"))


def channels_of(table: sa.Table) -> sa.Select[Any]:
    """Channels, found by leaping from one to the next in an index."""
    row = table.alias()
    first = sa.select(sa.func.min(row.c.channel).label("name"))
    each = first.cte(f"each_channel_of_{table.name}", recursive=True)
    following = sa.select(sa.func.min(row.c.channel)).where(row.c.channel > each.c.name)
    each = each.union_all(
        sa.select(following.correlate(each).scalar_subquery()).where(each.c.name.is_not(None))
    )
    return sa.select(each.c.name).where(each.c.name.is_not(None))


CHANNELS: Final = sa.union(*map(channels_of, TABLES))


class SqlMessages:
    """`ports.Messages` over an open store."""

    def __init__(self, store: SqlStore, max_age: Callable[[], timedelta | None]) -> None:
        """`max_age`: [alerts] max_age as it is now: stories are named by what was news."""
        self._store = store
        self._max_age = max_age

    async def newest(
        self,
        limit: int,
        *,
        states: Collection[DeliveryState] = (),
        channel: str | None = None,
        before: MessagePlace | None = None,
    ) -> Sequence[DeliveryRow]:
        """See `ports.Messages`."""
        values: dict[str, Any] = {"limit": limit}
        if channel is not None:
            values["in_channel"] = channel
        if before is not None:
            values |= {"at": before[0], "last": before[1]}
        age = self._max_age()

        def ask(connection: sa.Connection) -> Sequence[DeliveryRow]:
            rows: list[DeliveryRow] = []
            for table in TABLES:
                statement = newest_in(
                    table,
                    tuple(states or DeliveryState),
                    in_channel=channel is not None,
                    goes_on=before is not None,
                )
                rows += map(_MAKE[table], connection.execute(statement, values))
            rows.sort(key=lambda row: (row.created_at, row.id), reverse=True)
            return named(connection, rows[:limit], age)

        return await self._store.query(ask)

    async def of_story(self, story: StoryId) -> Sequence[DeliveryRow]:
        """See `ports.Messages`."""
        age = self._max_age()

        def ask(connection: sa.Connection) -> Sequence[DeliveryRow]:
            rows = [
                _MAKE[table](row)
                for table, statement in OF_STORY
                for row in connection.execute(statement, {"story": story})
            ]
            return named(connection, rows, age)

        return await self._store.query(ask)

    async def outcomes(
        self, messages: Collection[DeliveryId]
    ) -> Mapping[DeliveryId, tuple[Outcome, ...]]:
        """See `ports.Messages`."""
        if not messages:
            return {}
        rows = await self._store.query(
            lambda connection: connection.execute(BECAME, {"messages": [*messages]}).all()
        )
        found: dict[DeliveryId, tuple[Outcome, ...]] = {}
        for row in rows:
            outcome = Outcome(at=row.at, what=row.what, error=row.error)
            found[row.message] = (*found.get(row.message, ()), outcome)
        return found

    async def hands(
        self, messages: Collection[DeliveryId]
    ) -> Mapping[DeliveryId, Mapping[Deed, Hand]]:
        """See `ports.Messages`."""
        if not messages:
            return {}
        rows = await self._store.query(
            lambda connection: connection.execute(HANDS, {"messages": [*messages]}).all()
        )
        found: dict[DeliveryId, dict[Deed, Hand]] = {}
        for row in rows:
            hand = Hand(by=row.by, at=row.at)
            found.setdefault(DeliveryId(row.delivery_id), {})[Deed(row.kind)] = hand
        return found

    async def channels(self) -> Sequence[str]:
        """See `ports.Messages`."""

        def ask(connection: sa.Connection) -> Sequence[str]:
            return sorted(connection.execute(CHANNELS).scalars(), key=str.casefold)

        return await self._store.query(ask)
