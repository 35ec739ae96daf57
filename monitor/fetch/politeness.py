"""One request at a time to a host, with a pause between two, for feeds and pages together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from monitor.model import Validators
from monitor.ports import Clock, Fetcher, NotModified, Page

FORGET_ABOVE = 10_000
"""Hosts remembered at most before those that are free again are forgotten."""


class PoliteFetcher:
    """A fetcher that keeps a pause between the end of a request and the next to its host.

    It lasts for `spacing`, or for what `delay_of` says of the URL if that is longer: a site's own
    wish, as its robots.txt has it.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        clock: Clock,
        *,
        spacing: timedelta,
        delay_of: Callable[[str], timedelta] = lambda _: timedelta(0),
    ) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._free_at: dict[str, datetime] = {}
        self.spacing = spacing
        self.delay_of = delay_of

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
        turn = self._turns.get(host)
        if turn is None:
            turn = self._turns[host] = asyncio.Lock()
        async with turn:
            wait = (self._free_at.get(host, self._clock.now()) - self._clock.now()).total_seconds()
            if wait > 0:  # no longer than the pause itself, should the clock have been set back
                await self._clock.sleep(min(wait, self._pause(url).total_seconds()))
            try:
                yield
            finally:
                self._free_at[host] = self._clock.now() + self._pause(url)
                self._forget()

    def _pause(self, url: str) -> timedelta:
        return max(self.spacing, self.delay_of(url))

    def _forget(self) -> None:
        if len(self._free_at) > FORGET_ABOVE:
            now = self._clock.now()
            self._free_at = {host: at for host, at in self._free_at.items() if at > now}
