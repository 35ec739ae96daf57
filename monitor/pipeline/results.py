"""Results of polls that brought nothing new, written to the database together.

Nine polls of ten end with 304 or a known body. A transaction for each would cost several times the
request itself. So a result waits for those of other polls that are at work, a moment at most, and
those that end while a transaction is being written share the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from monitor.model import FeedId
from monitor.ports import FeedUpdate, Store

MOMENT = 0.05
"""Seconds that a result waits for others. Its lease is the feed's meanwhile."""

MANY = 200
"""Results that are written without waiting for more."""


class Results:
    """Writes what it is given, in few transactions."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._at_work = 0  # polls without a result so far
        self._waiting: dict[FeedId, FeedUpdate] = {}
        self._next: asyncio.Task[None] | None = None  # will write those that wait
        self._enough = asyncio.Event()  # nothing more is to be waited for
        self._writing = asyncio.Lock()

    @contextmanager
    def expected(self) -> Iterator[None]:
        """A poll is at work: others' results may wait for its own."""
        self._at_work += 1
        try:
            yield
        finally:
            self._at_work -= 1
            self._look()

    async def save(self, feed: FeedId, update: FeedUpdate) -> None:
        """Returns when the result is committed; raises what the transaction raised."""
        self._waiting[feed] = update
        if self._next is None:
            self._next = asyncio.create_task(self._write())
        self._at_work -= 1
        try:
            self._look()
            await asyncio.shield(self._next)
        finally:
            self._at_work += 1

    def _look(self) -> None:
        if self._waiting and (self._at_work <= 0 or len(self._waiting) >= MANY):
            self._enough.set()

    async def _write(self) -> None:
        async with self._writing:  # others gather meanwhile
            with suppress(TimeoutError):
                async with asyncio.timeout(MOMENT):
                    await self._enough.wait()
            self._enough.clear()
            batch, self._waiting, self._next = self._waiting, {}, None
            await self._store.write(lambda tx: tx.save_feeds(batch))
