"""Several sinks as one: a channel's name says whose it is.

``webhook:desk`` and ``apprise:desk`` lead to the sinks of these prefixes, every other name to the
main one. What a sink can't do is left out for its channels: its messages stay as they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from alerts.errors import Stopped
from alerts.message import Message
from alerts.sink import Posted, Sink


class Router:
    """Hands each message to the sink of its channel."""

    can_update = True
    can_find = True
    can_thread = True

    def __init__(self, main: Sink, others: Mapping[str, Sink]) -> None:
        """`others`: by what the names of their channels begin with (``webhook:``)."""
        self.main = main
        self.others = others
        self.name = main.name

    def of(self, channel: str) -> Sink:
        """The sink that shows a channel."""
        for prefix, sink in self.others.items():
            if channel.startswith(prefix):
                return sink
        return self.main

    async def post(
        self,
        channel: str,
        message: Message,
        *,
        thread: Posted | None = None,
        broadcast: bool = False,
    ) -> Posted:
        """Show a message; one that answers another stands by itself where there are no threads."""
        sink = self.of(channel)
        if not sink.can_thread:
            thread, broadcast = None, False
        return await sink.post(channel, message, thread=thread, broadcast=broadcast)

    async def update(self, posted: Posted, message: Message) -> None:
        """Change a shown message, where that can be done."""
        sink = self.of(posted.channel)
        if sink.can_update:
            await sink.update(posted, message)

    async def find(
        self, channel: str, delivery_id: str, since: datetime, *, thread: Posted | None = None
    ) -> Posted | None:
        """Look for a message where one can look; else Stopped."""
        sink = self.of(channel)
        if not sink.can_find:
            raise Stopped("cant_find", f"{sink.name} can't look for messages")
        return await sink.find(channel, delivery_id, since, thread=thread)

    async def close(self) -> None:
        """Give back the connections of all."""
        for sink in (self.main, *self.others.values()):
            await sink.close()
