"""Results of polls that brought nothing new, written to the database together.

Nine polls of ten end with 304 or a known body. A transaction for each would cost several times the
request itself; here those that end while one is being written share the next.
"""

from __future__ import annotations

import asyncio

from monitor.model import FeedId
from monitor.ports import FeedUpdate, Store


class Results:
    """Writes what it is given, in as few transactions as there is time for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[FeedId, FeedUpdate] = {}
        self._next: asyncio.Task[None] | None = None  # will write those that wait
        self._writing = asyncio.Lock()

    async def save(self, feed: FeedId, update: FeedUpdate) -> None:
        """Returns when the result is committed; raises what the transaction raised."""
        self._waiting[feed] = update
        if self._next is None:
            self._next = asyncio.create_task(self._write())
        await asyncio.shield(self._next)

    async def _write(self) -> None:
        async with self._writing:  # others gather meanwhile
            batch, self._waiting, self._next = self._waiting, {}, None
            await self._store.write(lambda tx: tx.save_feeds(batch))
