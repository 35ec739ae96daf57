"""The database behind `ports.Store`: work runs in threads, a transaction at a time in each.

Synchronous on purpose: one hop to a thread per transaction instead of one per statement, and a
transaction that can't wait for the network because it can't await.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

import sqlalchemy as sa

from monitor.errors import StorageError
from monitor.model import Job
from monitor.ports import JobOutlet, Transaction
from monitor.storage import faults
from monitor.storage.address import read_address
from monitor.storage.engines import make_engines
from monitor.storage.migrate import check
from monitor.storage.transaction import SqlTransaction

T = TypeVar("T")

RUNS = 5
"""How often work is run in all when the database asks for another run."""


class SqlStore:
    """`ports.Store` on SQLite (one writer, several readers) or PostgreSQL.

    `outlet` gets the jobs that transactions submit: `insert(connection, jobs)` with SQLAlchemy's
    `Connection` as the last statements of the transaction, `wake(jobs)` on the event loop after
    its commit. It may be set after construction (an engine needs the store, too).

    Everything raises `StorageError` for what an operator can mend, and leaves bugs as they are.
    """

    def __init__(self, url: str, outlet: JobOutlet | None = None) -> None:
        self.address = read_address(url)
        self.outlet = outlet
        self._engines = make_engines(self.address)
        self._writers = ThreadPoolExecutor(self._engines.writers, "monitor-write")
        self._readers = ThreadPoolExecutor(self._engines.readers, "monitor-read")
        self._writing: set[asyncio.Task[object]] = set()

    async def open(self) -> None:
        """Connect, and make sure that the tables are those of this version."""
        if self.address.path is not None and not self.address.path.exists():
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
        result, jobs = await loop.run_in_executor(
            self._writers, self._persist, lambda: self._commit_once(work)
        )
        if jobs and self.outlet is not None:
            self.outlet.wake(jobs)
        return result

    def _commit_once(self, work: Callable[[Transaction], T]) -> tuple[T, Sequence[Job]]:
        with self._engines.write.connect() as connection:
            transaction = SqlTransaction(connection, set())
            result = work(transaction)
            jobs = sorted(transaction.jobs or ())
            if jobs and self.outlet is not None:
                # sorted: workers that submit the same jobs wait for each other in one order
                self.outlet.insert(connection, jobs)
            try:
                connection.commit()
            except sa.exc.DBAPIError as error:
                if error.connection_invalidated:
                    raise StorageError(
                        f"database {self.address}: the connection broke during a commit, "
                        "which may or may not have been done"
                    ) from error
                raise
        return result, jobs

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """See `ports.Store`. One snapshot; writing in it is an error."""
        return await self.query(lambda connection: work(SqlTransaction(connection, None)))

    async def query(self, ask: Callable[[sa.Connection], T]) -> T:
        """Run `ask` in a reader's thread, on one snapshot of the database."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._persist, lambda: self._ask(ask))

    def _ask(self, ask: Callable[[sa.Connection], T]) -> T:
        with self._engines.read.connect() as connection:
            return ask(connection)

    def _persist(self, transact: Callable[[], T]) -> T:
        """In a thread: run a transaction, again if the database asks for it."""
        for _ in range(RUNS - 1):
            try:
                return transact()
            except sa.exc.DBAPIError as error:
                if not (faults.is_passing(error) or error.connection_invalidated):
                    self._explain(error)
                    raise
        try:
            return transact()
        except sa.exc.DBAPIError as error:
            self._explain(error)
            raise

    def _explain(self, error: sa.exc.DBAPIError) -> None:
        """Raise what the operator should read instead, if there is something to do about it."""
        explained = faults.explained(error, self.address)
        if explained is not None:
            raise explained from error
