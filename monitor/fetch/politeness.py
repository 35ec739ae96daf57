"""One request at a time to a host, with a pause between two, for feeds and pages together."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from time import monotonic
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from monitor.model import Validators
from monitor.ports import Clock, Fetcher, NotModified, Page

FORGET_ABOVE = 10_000
"""Hosts remembered at most before those that are free again are forgotten."""

_ANSWERED: ContextVar[float] = ContextVar("answered", default=0.0)

_PLAIN_HOST = re.compile(r"https?://([a-z0-9.-]+)(?::[0-9]{1,5})?(?:[/?#]|\Z)", re.ASCII)


def answer_time() -> float:
    """A clock that runs only while this task waits for a server: for how long it has, in seconds.

    Who wants to know which servers are slow must not ask how long a poll or a page took: that counts
    our own pauses, and the queues behind them when there is much to do.
    """
    return _ANSWERED.get()


@contextmanager
def _answering() -> Iterator[None]:
    began = monotonic()
    try:
        yield
    finally:
        _ANSWERED.set(_ANSWERED.get() + monotonic() - began)


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
        turn = await self._take(host := _host_of(url), url)
        try:
            with _answering():
                return await self._fetcher.get(
                    url, accept=accept, max_bytes=max_bytes, validators=validators
                )
        finally:
            self._give_back(turn, host, url)

    async def post(self, url: str, fields: Mapping[str, str]) -> None:
        """As the fetcher below, when it is this host's turn."""
        turn = await self._take(host := _host_of(url), url)
        try:
            with _answering():
                await self._fetcher.post(url, fields)
        finally:
            self._give_back(turn, host, url)

    async def _take(self, host: str, url: str) -> asyncio.Lock:
        """Wait for a host's turn, and for the end of its pause."""
        turn = self._turns.get(host)
        if turn is None:
            turn = self._turns[host] = asyncio.Lock()
        await turn.acquire()
        free_at = self._free_at.get(host)
        if free_at is not None:
            try:
                wait = (free_at - self._clock.now()).total_seconds()
                if wait > 0:  # no longer than the pause itself, should the clock have been set back
                    await self._clock.sleep(min(wait, self.pause(url).total_seconds()))
            except BaseException:
                turn.release()
                raise
        return turn

    def _give_back(self, turn: asyncio.Lock, host: str, url: str) -> None:
        """End a turn: the pause begins."""
        self._free_at[host] = self._clock.now() + self.pause(url)
        self._forget()
        turn.release()

    def begin_pause(self, host: str) -> None:
        """Another process asked this host until now: begin its pause here, if none is running."""
        until = self._clock.now() + self.pause(f"https://{host}/")
        self._free_at[host] = max(until, self._free_at.get(host, until))
        self._forget()

    def pause(self, url: str) -> timedelta:
        """How long is waited between two requests to a URL's host."""
        return max(self.spacing, self.delay_of(url))

    def _forget(self) -> None:
        if len(self._free_at) > FORGET_ABOVE:
            now = self._clock.now()
            self._free_at = {host: at for host, at in self._free_at.items() if at > now}


def _host_of(url: str) -> str:
    """Whose turn it is; "" if there is none to be polite to: the fetcher below says what is wrong."""
    if plain := _PLAIN_HOST.match(url):  # nearly all are
        return plain[1]
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
