"""One request at a time to a host, with a pause between two, for feeds and pages together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from monitor.model import Validators
from monitor.ports import Clock, Fetcher, NotModified, Page

FORGET_ABOVE = 10_000
"""Hosts remembered at most before those that are free again are forgotten."""


class PoliteFetcher:
    """A fetcher that keeps `spacing` between the end of a request and the next to its host."""

    def __init__(self, fetcher: Fetcher, clock: Clock, *, spacing: timedelta) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._turns: dict[str, asyncio.Lock] = {}
        self._free_at: dict[str, datetime] = {}
        self.spacing = spacing

    async def get(
        self, url: str, *, accept: str, max_bytes: int, validators: Validators = Validators()
    ) -> Page | NotModified:
        """As the fetcher below, when it is this host's turn."""
        async with self._turn(url):
            return await self._fetcher.get(
                url, accept=accept, max_bytes=max_bytes, validators=validators
            )

    async def post(self, url: str, fields: Mapping[str, str]) -> None:
        """As the fetcher below, when it is this host's turn."""
        async with self._turn(url):
            await self._fetcher.post(url, fields)

    @asynccontextmanager
    async def _turn(self, url: str) -> AsyncIterator[None]:
        try:
            host = (urlsplit(url).hostname or "").lower()
        except ValueError:
            host = ""  # no host to be polite to: the fetcher below says what is wrong
        async with self._turns.setdefault(host, asyncio.Lock()):
            wait = (self._free_at.get(host, self._clock.now()) - self._clock.now()).total_seconds()
            if wait > 0:
                await self._clock.sleep(min(wait, self.spacing.total_seconds()))
            try:
                yield
            finally:
                self._free_at[host] = self._clock.now() + self.spacing
                self._forget()

    def _forget(self) -> None:
        if len(self._turns) <= FORGET_ABOVE:
            return
        now = self._clock.now()
        for host in [host for host, lock in self._turns.items() if not lock.locked()]:
            if self._free_at.get(host, now) <= now:
                del self._turns[host]
                self._free_at.pop(host, None)
