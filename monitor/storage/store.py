"""The database behind `ports.Store`: work runs in threads, a transaction at a time in each.

Synchronous on purpose: one hop to a thread per transaction instead of one per statement, and a
transaction that can't wait for the network because it can't await.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import sqlalchemy as sa

from monitor import telemetry
from monitor.errors import StorageError
from monitor.model import Job
from monitor.ports import JobOutlet, Transaction
from monitor.storage import faults
from monitor.storage.address import read_address
from monitor.storage.engines import make_engines
from monitor.storage.migrate import check, refuse_remains
from monitor.storage.transaction import SqlTransaction

T = TypeVar("T")

RUNS = 5
"""How often work is run in all when the database asks for another run."""

TOGETHER = 16
"""Writers that wait for SQLite and are served by one transaction. A commit is a write to the disk, as
long as all that an ingest does before; and those who wait are in one queue either way."""

WELL_AFTER = 5.0
"""Seconds without a failure after which a database that was written to counts as well again: on a full
disk some transactions find room still."""

_WRITES, _READS = (telemetry.TRANSACTION_SECONDS.labels(kind) for kind in ("write", "read"))

Outcome = tuple[Any, Sequence[Job]]


@dataclass(frozen=True, slots=True)
class _Failure:
    """What kept something from being stored, and when, by `monotonic`."""

    sentence: str
    at: float
    is_damage: bool


@dataclass(slots=True, eq=False)
class _Turn:
    """Somebody's work in the queue of SQLite's one writer."""

    work: Callable[[Transaction], object]
    taken: bool = False  # out of the queue: from now on it is done by itself
    outcome: Outcome | None = None  # committed


class SqlStore:
    """`ports.Store` on SQLite (one writer, several readers) or PostgreSQL.

    `outlet` gets the jobs that transactions submit: `insert(connection, jobs)` with SQLAlchemy's
    `Connection` as the last statements of the transaction, `wake(jobs)` on the event loop after
    its commit. It may be set after construction (an engine needs the store, too). `holder` is the
    number by which the leases of this process are known among many.

    Everything raises `StorageError` for what an operator can mend, and leaves bugs as they are.
    """

    def __init__(
        self, url: str, outlet: JobOutlet | None = None, *, holder: int | None = None
    ) -> None:
        self.address = read_address(url)
        self.outlet = outlet
        self.holder = holder
        self._engines = make_engines(self.address)
        self._writers = ThreadPoolExecutor(self._engines.writers, "monitor-write")
        self._readers = ThreadPoolExecutor(self._engines.readers, "monitor-read")
        self._writing: set[asyncio.Task[object]] = set()
        self._queue: deque[_Turn] = deque()
        self._failure: _Failure | None = None  # the last one
        self._stored_at = 0.0

    async def open(self) -> None:
        """Connect, and make sure that the tables are those of this version."""
        if self.address.path is not None:
            await asyncio.to_thread(refuse_remains, self.address)
            if not self.address.path.exists():
                raise StorageError(
                    f"database {self.address}: there is none yet: `monitor run` makes it"
                )
        await self.query(lambda connection: check(connection, self.address))

    async def close(self) -> None:
        """Let transactions end, then close all connections."""
        if self._writing:
            await asyncio.wait(self._writing)
        await asyncio.to_thread(self._shut)

    def _shut(self) -> None:
        self._readers.shutdown()
        self._writers.shutdown()
        self._engines.dispose()

    async def __aenter__(self) -> Self:
        try:
            await self.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def problem(self) -> str | None:
        """Why nothing can be stored, if so: from the first failure until something was stored and
        for some seconds nothing failed; if the file is damaged, for good.
        """
        failure = self._failure
        if failure is None:
            return None
        is_well = self._stored_at > failure.at and monotonic() - failure.at >= WELL_AFTER
        return failure.sentence if failure.is_damage or not is_well else None

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """See `ports.Store`.

        A caller that is cancelled leaves when the transaction has ended, so that what it does
        next (give back a lease) comes after; the jobs are woken all the same.
        """
        task = asyncio.create_task(self._write(work))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task})
            raise

    async def _write(self, work: Callable[[Transaction], T]) -> T:
        loop = asyncio.get_running_loop()
        turn = _Turn(work)
        if self._engines.writers == 1:
            self._queue.append(turn)
        try:
            result, jobs = await loop.run_in_executor(self._writers, self._take_turn, turn)
        except StorageError as error:
            if self._failure is None or not self._failure.is_damage:
                self._failure = _Failure(str(error), monotonic(), faults.is_damage(error))
            raise
        if jobs and self.outlet is not None:
            self.outlet.wake(jobs)
        return cast("T", result)

    def _take_turn(self, turn: _Turn) -> Outcome:
        """In a writer's thread: the work's outcome, after its commit.

        SQLite has one such thread, which does what others wait for in the same transaction. If
        anything fails there nothing of it was done, and each is run by itself.
        """
        if turn.outcome is None and len(turns := self._together(turn)) > 1:
            with suppress(Exception):  # whose it is will be seen
                outcomes = self._commit([each.work for each in turns])
                for each, outcome in zip(turns, outcomes, strict=True):
                    each.outcome = outcome
        if turn.outcome is None:
            [turn.outcome] = self._persist(lambda: self._commit([turn.work]))
        return turn.outcome

    def _together(self, turn: _Turn) -> Sequence[_Turn]:
        """A turn and those behind it that share its transaction: once, failed or not."""
        turns = [turn]
        if not turn.taken:
            with suppress(ValueError):  # only SQLite's writer has a queue
                self._queue.remove(turn)
            while self._queue and len(turns) < TOGETHER:
                turns.append(self._queue.popleft())
        for each in turns:
            each.taken = True
        return turns

    def _commit(self, works: Sequence[Callable[[Transaction], object]]) -> Sequence[Outcome]:
        """One transaction; and what each work returned, with the jobs that it submitted."""
        outcomes: list[Outcome] = []
        with _WRITES.time(), self._engines.write.connect() as connection:
            before = _changes(connection)
            for work in works:
                transaction = SqlTransaction(connection, set(), self.holder)
                result = work(transaction)
                jobs = sorted(transaction.jobs or ())
                if jobs and self.outlet is not None:
                    # sorted: workers that submit the same jobs wait for each other in one order
                    self.outlet.insert(connection, jobs)
                outcomes.append((result, jobs))
            try:
                connection.commit()
            except sa.exc.DBAPIError as error:
                if error.connection_invalidated:
                    raise StorageError(
                        f"database {self.address}: the connection broke during a commit, "
                        "which may or may not have been done"
                    ) from error
                raise
            if before is None or _changes(connection) != before:  # a full disk takes what is empty
                self._stored_at = monotonic()
        return outcomes

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """See `ports.Store`. One snapshot; writing in it is an error."""
        return await self.query(lambda connection: work(SqlTransaction(connection, None)))

    async def query(self, ask: Callable[[sa.Connection], T]) -> T:
        """Run `ask` in a reader's thread, on one snapshot of the database."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._persist, lambda: self._ask(ask))

    def _ask(self, ask: Callable[[sa.Connection], T]) -> T:
        with _READS.time(), self._engines.read.connect() as connection:
            return ask(connection)

    def _persist(self, transact: Callable[[], T]) -> T:
        """In a thread: run a transaction, again if the database asks for it."""
        with faults.explaining(self.address):
            for _ in range(RUNS - 1):
                try:
                    return transact()
                except sa.exc.DBAPIError as error:
                    if not (faults.is_passing(error) or error.connection_invalidated):
                        raise
            return transact()


def _changes(connection: sa.Connection) -> int | None:
    """How many rows SQLite has changed over this connection; None on PostgreSQL."""
    driver = connection.connection.driver_connection
    return driver.total_changes if isinstance(driver, sqlite3.Connection) else None
