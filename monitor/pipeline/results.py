"""Results of polls, written to the database together.

Nine polls of ten end with 304 or a known body. A transaction for each would cost several times the
request itself, and for what is new a statement costs the same for one feed as for ten. So a result
waits for those of other polls that are at work, a moment at most, and those that end while a
transaction is being written share the next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Generic, TypeVar

from monitor.errors import StorageError
from monitor.pipeline.context import Context
from monitor.ports import Transaction

MOMENT = 0.05
"""Seconds that a result waits for others. Its lease is the feed's meanwhile."""

MANY = 200
"""Results of the lightest kind that are written at once, and without waiting for more."""

R = TypeVar("R")
S = TypeVar("S")


class Results(Generic[R, S]):
    """Writes what it is given, in few transactions.

    `write` does so in one, and returns what became of each. `weight` says how many of the lightest
    ones a result is as long to write as.
    """

    def __init__(
        self,
        context: Context,
        write: Callable[[Transaction, Sequence[R]], Sequence[S]],
        weight: Callable[[R], int] = lambda _: 1,
    ) -> None:
        self._with = context
        self._persist = write
        self._weight = weight
        self._at_work = 0  # polls without a result so far
        self._waiting: deque[tuple[R, asyncio.Future[S]]] = deque()
        self._heavy = 0  # the weight of those that wait
        self._writer: asyncio.Task[None] | None = None  # will write those that wait
        self._enough = asyncio.Event()  # nothing more is to be waited for

    @contextmanager
    def expected(self) -> Iterator[None]:
        """A poll is at work: others' results may wait for its own."""
        self._at_work += 1
        try:
            yield
        finally:
            self._at_work -= 1
            self._look()

    async def save(self, result: R) -> S:
        """What became of the result, once it is committed; raises what the transaction raised.

        Where one can't be written, the others of its transaction are, each by itself.
        """
        outcome: asyncio.Future[S] = asyncio.get_running_loop().create_future()
        self._waiting.append((result, outcome))
        self._heavy += self._weight(result)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        self._at_work -= 1
        try:
            self._look()
            return await outcome
        finally:
            self._at_work += 1

    def _look(self) -> None:
        if self._waiting and (self._at_work <= 0 or self._heavy >= MANY):
            self._enough.set()

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                self._look()
                with suppress(TimeoutError):
                    async with asyncio.timeout(MOMENT):
                        await self._enough.wait()
                self._enough.clear()
                await self._write(self._batch())
        finally:
            self._writer = None

    def _batch(self) -> Sequence[tuple[R, asyncio.Future[S]]]:
        """Those that waited longest, as many as are not too many; others gather meanwhile."""
        batch, heavy = [], 0
        while self._waiting and heavy < MANY:
            batch.append(self._waiting.popleft())
            heavy += self._weight(batch[-1][0])
        self._heavy -= heavy
        return batch

    async def _write(self, batch: Sequence[tuple[R, asyncio.Future[S]]]) -> None:
        try:
            outcomes = await self._with.store.write(
                lambda tx: self._persist(tx, [result for result, _ in batch])
            )
            for (_, waiting), outcome in zip(batch, outcomes, strict=True):
                if not waiting.done():  # who was cancelled waits no more
                    waiting.set_result(outcome)
        except Exception as error:  # noqa: BLE001 raised again, by those who wait
            if len(batch) > 1 and not isinstance(error, StorageError):
                for each in batch:
                    await self._write([each])
                return
            for _, waiting in batch:
                if not waiting.done():
                    waiting.set_exception(error)
