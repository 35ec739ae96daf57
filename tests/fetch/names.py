"""A name server of the test's own."""

from __future__ import annotations

import asyncio
import socket
from collections import defaultdict

from aiohttp.abc import AbstractResolver, ResolveResult


class Names(AbstractResolver):
    """Answers from a table; a host with several answers gives each once, the last for ever.

    A host that is not in the table does not exist. One whose answer is None hangs until `close`.
    """

    def __init__(self, table: dict[str, list[str] | list[list[str]] | None]) -> None:
        self._table = table
        self._asked: dict[str, int] = defaultdict(int)
        self.hanging = asyncio.Event()
        self._closed = asyncio.Event()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The next answer for a host."""
        if host not in self._table:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answers = self._table[host]
        if answers is None:
            self.hanging.set()
            await self._closed.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "closed")
        if answers and isinstance(answers[0], list):
            turn = min(self._asked[host], len(answers) - 1)
            self._asked[host] += 1
            addresses = answers[turn]
        else:
            addresses = answers
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=0,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Let go of whoever hangs."""
        self._closed.set()
