"""What the two tables of the outbox share, `delivery` and `notice`: statements over either.

`wanted` counts the times somebody asked for a row's message, `shown` is that count as the last
call found it: if it grew while the call ran, the row is due again at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from alerts.message import card_from_json
from monitor.model import DeliveryId, DeliveryState, Sent
from monitor.ports import Told
from monitor.storage import tables as t
from monitor.storage.work import Row, is_due, is_held

TIME = t.delivery.c.due_at.type
TABLES = (t.delivery, t.notice)

GIVEN_UP = tuple(state for state in DeliveryState if state.is_given_up)

BY = sa.bindparam("by", type_=TIME)


def want_again(table: sa.Table) -> sa.Update:
    """Count the wish; a message that stands as sent is due by `:by` (sooner, if it was so already).

    So is what is held or was told with others: there may be a reason now to tell it by itself.
    What was not shown yet keeps its turn (it will be shown as it is then), what was given up stays
    so.
    """
    is_sent = table.c.state.in_((DeliveryState.SENT, DeliveryState.HELD, DeliveryState.FOLDED))
    is_idle = sa.and_(is_sent, table.c.due_at.is_(None))
    return sa.update(table).values(
        wanted=table.c.wanted + 1,
        attempts=sa.case((is_idle, 0), else_=table.c.attempts),
        due_at=sa.case(
            (is_idle, BY), (sa.and_(is_sent, table.c.due_at > BY), BY), else_=table.c.due_at
        ),
    )


def due_in_channel(table: sa.Table) -> sa.ColumnElement[bool]:
    """What is due at `:now` in `:in_channel`, and nobody's."""
    return sa.and_(table.c.channel == sa.bindparam("in_channel"), is_due(table))


def claim_row(table: sa.Table) -> sa.Update:
    """Mark the row `:row` as `sending` by `:holder`, for a call that began at `:since` or before."""
    return (
        sa.update(table)
        .where(table.c.id == sa.bindparam("row"))
        .values(
            state=DeliveryState.SENDING,
            attempts=table.c.attempts + 1,
            shown=table.c.wanted,
            claimed_at=sa.bindparam("since", type_=TIME),
            lease_until=sa.bindparam("until", type_=TIME),
            lease_by=sa.bindparam("holder", type_=sa.Integer()),
        )
    )


def finish_row(table: sa.Table) -> sa.Update:
    """Write how the call of the row `:row` ended.

    With `sending` the call stays uncertain: whoever claims it, at `:new_due_at` or without one at
    the end of the lease, is told so. A row that somebody else has claimed or finished meanwhile is
    left as it is.
    """
    state = sa.bindparam("new_state", type_=sa.Text())
    now = sa.bindparam("now", type_=TIME)
    is_shown = state == DeliveryState.SENT
    due_at = sa.bindparam("new_due_at", type_=TIME)
    goes_on = sa.and_(state == DeliveryState.SENDING, due_at.is_(None))
    again = sa.and_(is_shown, table.c.wanted > table.c.shown)
    at_channel = sa.bindparam("at_channel", type_=sa.Text())
    at_ref = sa.bindparam("at_ref", type_=sa.Text())
    return (
        sa.update(table)
        # only a call that runs can end, by who made it: a late word never undoes what another
        # process wrote, nor ends the call that it makes
        .where(
            table.c.id == sa.bindparam("row"),
            table.c.state == DeliveryState.SENDING,
            is_held(table),
        )
        .values(
            state=state,
            lease_until=sa.case((goes_on, table.c.lease_until), else_=None),
            error=sa.bindparam("new_error"),
            due_at=sa.case((again, now), (goes_on, table.c.due_at), else_=due_at),
            attempts=sa.case((again, 0), else_=table.c.attempts),
            sent_channel=sa.func.coalesce(at_channel, table.c.sent_channel),
            sent_ref=sa.func.coalesce(at_ref, table.c.sent_ref),
            sent_at=sa.case(
                (is_shown, sa.func.coalesce(table.c.sent_at, now)), else_=table.c.sent_at
            ),
        )
    )


def ended(
    row: DeliveryId,
    state: DeliveryState,
    now: datetime,
    *,
    holder: int | None,
    sent: Sent | None,
    due_at: datetime | None,
    error: str | None,
) -> Mapping[str, Any]:
    """The parameters of `finish_row`."""
    return {
        "row": row,
        "holder": holder,
        "new_state": state,
        "now": now,
        "at_channel": sent.channel if sent else None,
        "at_ref": sent.ref if sent else None,
        "new_due_at": due_at,
        "new_error": error,
    }


def is_waiting(table: sa.Table) -> sa.ColumnElement[bool]:
    """Not shown yet, and to be shown."""
    return sa.and_(
        table.c.state.in_((DeliveryState.PENDING, DeliveryState.RETRY)),
        table.c.sent_ref.is_(None),
        table.c.due_at.is_not(None),
    )


def never_shown(table: sa.Table) -> sa.ColumnElement[bool]:
    """Wanted, not shown yet, and nothing but its turn or the channel is in the way."""
    tried = table.c.state.in_((DeliveryState.RETRY, DeliveryState.SENDING))
    pending = table.c.state == DeliveryState.PENDING
    if table is t.notice:  # what is said in the morning, or in a while, is not late before
        pending = sa.and_(pending, table.c.due_at <= sa.bindparam("now", type_=TIME))
    return sa.and_(table.c.sent_at.is_(None), sa.or_(tried, pending))


_late = sa.union_all(
    *(sa.select(table.c.created_at).where(never_shown(table)) for table in TABLES)
).subquery("late")
OLDEST_WAITING = sa.select(sa.func.min(_late.c.created_at, type_=TIME))
"""When the oldest message was wanted that is not shown at `:now`."""


def postpone(table: sa.Table) -> sa.Update:
    """What waits in `:in_channel` is not due before `:by`."""
    return (
        sa.update(table)
        .where(
            table.c.channel == sa.bindparam("in_channel"), is_waiting(table), table.c.due_at < BY
        )
        .values(due_at=BY)
    )


def _turns(table: sa.Table) -> sa.Select[Any]:
    return sa.select(table.c.due_at).where(
        table.c.channel == sa.bindparam("in_channel"),
        table.c.state == DeliveryState.RETRY,
        is_waiting(table),
    )


_turn = sa.union_all(*map(_turns, TABLES)).subquery("turn")
LAST_TURN = sa.select(sa.func.max(_turn.c.due_at))
"""When `:in_channel` is tried again, if it could not be had: what comes new waits behind that.

What is held for a reason of its own (until the morning) is in nobody's way.
"""
POSTPONE = tuple(map(postpone, TABLES))


def sent_of(row: Row) -> Sent | None:
    """Where a row's message is shown."""
    if row.sent_channel is None:
        return None
    return Sent(channel=row.sent_channel, ref=row.sent_ref)


def told_of(row: Row) -> Told:
    """What a row of `notice` says, and where."""
    return Told(
        card=card_from_json(row.card),
        state=DeliveryState(row.state),
        told_at=row.created_at,
        due_at=row.due_at,
        sent=sent_of(row),
        sent_at=row.sent_at,
    )


def due_channels() -> sa.Select[Any]:
    """Channels with a due row, found by leaping from one to the next in each table's index."""
    return sa.select(sa.union(*map(_due_channels, TABLES)).subquery("due_in").c.name)


def _due_channels(table: sa.Table) -> sa.Select[Any]:
    row = table.alias()
    waits = row.c.due_at.is_not(None)
    channel = sa.select(sa.func.min(row.c.channel).label("name")).where(waits)
    channel_cte = channel.cte(f"channel_of_{table.name}", recursive=True)
    following = sa.select(sa.func.min(row.c.channel)).where(
        waits, row.c.channel > channel_cte.c.name
    )
    channel_cte = channel_cte.union_all(
        sa.select(following.correlate(channel_cte).scalar_subquery()).where(
            channel_cte.c.name.is_not(None)
        )
    )
    due = sa.select(table.c.id).where(table.c.channel == channel_cte.c.name, is_due(table))
    return sa.select(channel_cte.c.name).where(due.correlate(channel_cte).exists())
