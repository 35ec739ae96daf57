"""Socket Mode of the double: addresses that are good once, envelopes, acknowledgements, goodbyes.

What people do is told to one of the open connections; what is not acknowledged is told again, as
Slack does, when the next connection opens.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

Json = dict[str, Any]


class Sockets:
    """The WebSocket side of a workspace. `acknowledged` holds the ids of envelopes, in order."""

    def __init__(self, changed: asyncio.Condition) -> None:
        self.acknowledged: list[str] = []
        self.opened = 0
        self.lose_acks = 0  # so many acknowledgements are not heard
        self._changed = changed
        self._tickets: set[str] = set()
        self._waiting: dict[str, Json] = {}
        self._open: list[web.WebSocketResponse] = []

    def ticket(self) -> str:
        """What an address ends in; good for one connection."""
        ticket = f"ticket-{self.opened}-{len(self._tickets)}"
        self._tickets.add(ticket)
        return ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One connection, to its end."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403)
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.opened += 1
        self._open.append(socket)
        await socket.send_json({"type": "hello", "num_connections": len(self._open)})
        for envelope in tuple(self._waiting.values()):
            await socket.send_json(envelope | {"retry_attempt": 1, "retry_reason": "timeout"})
        await self._notify()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._hear(json.loads(message.data))
        finally:
            self._open.remove(socket)
            await self._notify()
        return socket

    async def tell(self, kind: str, payload: Json) -> str:
        """Something happened: tell whoever is connected; returns the envelope's id."""
        envelope_id = f"envelope-{len(self._waiting) + len(self.acknowledged)}-{self.opened}"
        envelope = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": True,
        }
        await self.send(envelope)
        return envelope_id

    async def send(self, envelope: Json) -> None:
        """Send an envelope over the newest connection; again if it stays unacknowledged."""
        self._waiting[envelope["envelope_id"]] = envelope
        if self._open:
            await self._open[-1].send_json(envelope)

    async def send_text(self, words: str) -> None:
        """Send what may be no envelope at all."""
        for socket in tuple(self._open):
            await socket.send_str(words)

    async def say_goodbye(self, reason: str = "refresh_requested") -> None:
        """Announce to every connection that it will end."""
        for socket in tuple(self._open):
            await socket.send_json({"type": "disconnect", "reason": reason})

    async def hang_up(self) -> None:
        """End every connection without a word."""
        for socket in tuple(self._open):
            await socket.close()

    async def until(self, holds: Callable[[Sockets], bool]) -> None:
        """Wait until something holds of the connections and acknowledgements."""
        async with self._changed:
            await self._changed.wait_for(lambda: holds(self))

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._open)

    async def _hear(self, answer: Json) -> None:
        if self.lose_acks > 0:
            self.lose_acks -= 1
            return
        self._waiting.pop(answer["envelope_id"], None)
        self.acknowledged.append(answer["envelope_id"])
        await self._notify()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
