"""What was planned by a clock that has been set back since."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from monitor.model import DeliveryState
from monitor.storage import tables as t
from monitor.storage.work import WORKING_TABLES, Work

_TIME = t.feed.c.due_at.type
_now = sa.bindparam("now", type_=_TIME)
_lease = sa.bindparam("lease", type_=_TIME)
_too_long = sa.bindparam("too_long", type_=_TIME)

SOON: Final = timedelta(hours=1)
"""No message that is tried again waits for longer."""

SLACK: Final = timedelta(minutes=2)
"""By how much the clocks of machines that share a database may differ."""

_later = sa.bindparam("later", type_=_TIME)
_soon = sa.bindparam("soon", type_=_TIME)
_waits = (DeliveryState.PENDING, DeliveryState.RETRY, DeliveryState.SENDING, DeliveryState.SENT)


def _due_now(table: sa.Table, *when: sa.ColumnElement[bool]) -> sa.Update:
    return sa.update(table).where(table.c.due_at > _now, *when).values(due_at=_now)


BRING_FORWARD = (
    _due_now(t.feed, t.feed.c.polled_at > _later),
    _due_now(t.article, t.article.c.first_seen_at > _later),
    _due_now(t.subscription, t.subscription.c.asked_at > _later),
    *(
        _due_now(
            table,
            table.c.state.in_(_waits),
            sa.or_(table.c.created_at > _later, table.c.due_at > _soon),
        )
        for table in (t.delivery, t.notice)
    ),
)
SHORTEN_LEASES = tuple(
    sa.update(table)
    .where(table.c.due_at.is_not(None), table.c.lease_until > _too_long)
    .values(lease_until=_lease)
    for table in WORKING_TABLES
)


class ClockWork(Work):
    """The part of a transaction for plans of the future."""

    def bring_forward(self, now: datetime, lease: timedelta) -> int:
        """See `ports.Transaction`."""
        values = {
            "now": now,
            "later": now + SLACK,
            "lease": now + lease,
            "too_long": now + lease + SLACK,  # other processes lease while this one looks
            "soon": now + SOON,
        }
        return sum(
            self._run(statement, values).rowcount for statement in (*SHORTEN_LEASES, *BRING_FORWARD)
        )
