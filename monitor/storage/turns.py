"""Who of many processes asked a host last: its pause holds, whoever asks next."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from monitor.storage import tables as t
from monitor.storage.types import storable
from monitor.storage.work import Work, upsert

KEPT: Final = timedelta(hours=1)
"""Longer than any lease: what is older tells nothing."""

LONGEST: Final = 253
"""Characters of a host's name; a longer one leads nowhere."""

_TIME = t.host_turn.c.at.type
TAKEN_OVER = sa.select(t.host_turn.c.host).where(
    t.host_turn.c.host.in_(sa.bindparam("hosts", expanding=True)),
    t.host_turn.c.holder != sa.bindparam("holder"),
    t.host_turn.c.at > sa.bindparam("since", type_=_TIME),
)
TAKE = upsert(t.host_turn, key=("host",), update=("holder", "at"))
FORGET = sa.delete(t.host_turn).where(t.host_turn.c.at < sa.bindparam("before", type_=_TIME))


class TurnWork(Work):
    """The part of `ports.Transaction` for hosts that go from one process to another."""

    def take_turns(
        self, hosts: Collection[str], now: datetime, lease: timedelta
    ) -> Collection[str]:
        """See `ports.Transaction`."""
        mine = sorted(storable(host) for host in hosts if 0 < len(host) <= LONGEST)
        if self.holder is None or not mine:
            return ()
        values = {"hosts": mine, "holder": self.holder, "since": now - lease}
        others = self._run(TAKEN_OVER, values).scalars().all()
        # sorted: two processes that claim hosts in common wait for each other in one order
        self._on(TAKE, [{"host": host, "holder": self.holder, "at": now} for host in mine])
        return others

    def forget_turns(self, now: datetime) -> int:
        """See `ports.Transaction`."""
        return self._run(FORGET, {"before": now - KEPT}).rowcount
