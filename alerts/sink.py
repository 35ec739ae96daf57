"""The seam that every way of telling people stands behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from alerts.errors import Stopped
from alerts.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """Where a message is shown: enough to change it later."""

    channel: str  # the service's own id of the channel
    ref: str  # the service's own id of the message; empty when it has none


class Sink(Protocol):
    """A way to show messages. Calls raise only `alerts.errors.AlertError`."""

    name: str
    """One word for logs and metrics: slack, webhook, console."""

    can_update: bool
    """Whether `update` changes what people see; otherwise a growing story stays as posted."""

    can_find: bool
    """Whether `find` can tell if a broken-off post was shown."""

    can_thread: bool
    """Whether a message can answer another one; otherwise it stands by itself."""

    async def post(
        self,
        channel: str,
        message: Message,
        *,
        thread: Posted | None = None,
        broadcast: bool = False,
    ) -> Posted:
        """Show a message in a channel for the first time.

        With `thread` it answers that message; with `broadcast` the channel shows it, too.
        """

    async def update(self, posted: Posted, message: Message) -> None:
        """Change a shown message. Safe to repeat, so a broken-off call is `Deferred`."""

    async def find(
        self, channel: str, delivery_id: str, since: datetime, *, thread: Posted | None = None
    ) -> Posted | None:
        """Look for a message that a broken-off `post` (with the same `thread`) may have left behind.

        None only when it is surely not there, after a second look where the service's own view
        lags. `Stopped` when this sink may not look at all, `Deferred` when it can't just now.
        """

    async def close(self) -> None:
        """Give back connections."""


class Blind:
    """What sinks have in common that don't know what they have shown."""

    name: str
    can_find = False
    can_thread = False

    async def find(
        self,
        channel: str,  # noqa: ARG002 - the seam asks for it
        delivery_id: str,  # noqa: ARG002 - the seam asks for it
        since: datetime,  # noqa: ARG002 - the seam asks for it
        *,
        thread: Posted | None = None,  # noqa: ARG002 - the seam asks for it
    ) -> Posted | None:
        """Refuse: nobody knows what arrived."""
        raise Stopped("cant_find", f"{self.name} can't look for messages")
