"""What is new in documents, parsed where it can be killed: those that wait go together.

What three items leave of a document takes a worker a millisecond or two, and to send it there and
back takes as long again. So whoever gets hold of a worker takes those with it that wait for one.
Each is judged by itself all the same: if the worker has to be killed, all are parsed again, one by
one, and only the culprit is lost.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from monitor.errors import ParseError
from monitor.model import ParsedFeed
from monitor.parse import Cut, Unread, parse_rest, parse_rests
from monitor.pipeline.context import Context

PARSE_SECONDS: Final = 5.0
"""How long a worker may take."""

TOGETHER: Final = 128 << 10
"""Bytes that go to a worker together at most: a tenth of a second."""


@dataclass(slots=True, eq=False)
class _Turn:
    """A document that waits for a worker; `parsed` is set by whoever took it there."""

    found: Cut
    parsed: asyncio.Future[ParsedFeed | Unread | None]
    taken: bool = False
    alone: bool = False  # a worker was lost with it: it is not to cost others theirs again


@dataclass(slots=True)
class Parsing:
    """The worker processes, as polls use them."""

    context: Context
    _waiting: deque[_Turn] = field(default_factory=deque)

    async def rest(self, found: Cut, host: str) -> ParsedFeed | None:
        """As `parse_rest`, which see; raises `ParseError` for what can't be parsed or was killed."""
        turn = _Turn(found, asyncio.get_running_loop().create_future())
        self._waiting.append(turn)
        try:
            async with self.context.parsers.slot(host):
                if not turn.taken:
                    await self._parse(turn)
            result = await turn.parsed  # without a slot: another one has taken it, perhaps
        finally:
            if not turn.taken:
                self._waiting.remove(turn)
        if turn.alone:
            async with self.context.parsers.slot(host):
                return await self.context.offload.run(parse_rest, found, timeout=PARSE_SECONDS)
        if isinstance(result, Unread):
            raise ParseError(result.code, result.detail, status=result.status)
        return result

    async def _parse(self, first: _Turn) -> None:
        """Have a worker parse a document, and with it as many of those that wait as are small."""
        self._waiting.remove(first)
        turns, size = [first], len(first.found.rest)
        while self._waiting and size + len(self._waiting[0].found.rest) <= TOGETHER:
            turns.append(self._waiting.popleft())
            size += len(turns[-1].found.rest)
        for turn in turns:
            turn.taken = True
        try:
            results = await self.context.offload.run(
                parse_rests, [turn.found for turn in turns], timeout=PARSE_SECONDS
            )
            for turn, result in zip(turns, results, strict=True):
                if not turn.parsed.done():  # who was cancelled waits no more
                    turn.parsed.set_result(result)
        except ParseError as error:
            if len(turns) == 1:
                first.parsed.set_result(Unread.of(error))
        finally:
            for turn in turns:
                if not turn.parsed.done():
                    turn.alone = True
                    turn.parsed.set_result(None)
