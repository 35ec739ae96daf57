"""The engine of many processes: jobs in PostgreSQL, by procrastinate.

A job is inserted in the transaction that makes it due, so there is one exactly if that commits. It
is only a hint: handlers claim rows by their state, a job that dies with its process is deleted and
not done again, and whatever it left behind is found by the next tick. Nothing here retries.

What procrastinate needs to be watched for was measured, and is met so:

- A released lock wakes nobody: the queue is looked at four times a second.
- A deep queue behind locks is slow to fetch from: at most one job is queued for each kind and key.
- The documented repair of stalled jobs breaks where the same job is queued again: ours deletes.
- A worker returns, without an error, when PostgreSQL drops its connections: it is begun again.
- Many deduplicated inserts in free order deadlock: they are one sorted statement, the last.
- A commit that waits for the disk halves what an engine can do, and no job needs to outlive a power
  cut: the engine's own connections don't wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Final

import procrastinate
import psycopg
from procrastinate import exceptions
from procrastinate.jobs import Status
from procrastinate.manager import JobManager

from monitor import telemetry
from monitor.engine.edge import Edge
from monitor.engine.members import LEADER, MEMBERS, with_options
from monitor.errors import StorageError
from monitor.model import Job, Kind
from monitor.ports import KindOfWork, Workload

log = telemetry.get_logger()

QUEUES: Final = {kind: "alerts" if kind is Kind.DELIVER else "net" for kind in Kind}
"""Who delivers may be another process than who fetches."""

PRIORITIES: Final = {Kind.DELIVER: 2, Kind.INGEST: 1}
"""What is nearest to being told is done first."""

CONCURRENCY: Final = 128
"""Jobs at once in a process. They wait for hosts most of their time; what is fetched at once is bounded
elsewhere (`monitor.pipeline.context.Lane`)."""

CONNECTIONS: Final = 6
"""To PostgreSQL at most, beside the one that is told of new jobs."""

LOOK: Final = 0.25
"""Seconds between two looks into the queue, beside what PostgreSQL tells of by itself."""

HEARTBEAT: Final = 2.0
STALLED: Final = 10.0
"""Seconds without a heartbeat from which the jobs of a process are given up."""

AGAIN: Final = 1.0
"""Seconds until a worker that lost PostgreSQL is begun again."""

_TASK: Final = "monitor"
_SCHEMA_LOCK: Final = 0x6D6F6E_0001

# One statement, the last of its transaction, in the order of its rows: whoever inserts the same jobs
# waits for us here, and for nothing that we wait for.
_INSERT: Final = """
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args)
SELECT * FROM unnest(
    %(queues)s::text[], %(tasks)s::text[], %(priorities)s::int[], %(locks)s::text[],
    %(queueing)s::text[], %(args)s::jsonb[])
ON CONFLICT DO NOTHING
"""
_WORKLOAD: Final = """
SELECT args->>'kind' AS kind,
    count(*) FILTER (WHERE status = 'todo') AS queued,
    count(*) FILTER (WHERE status = 'doing') AS running,
    count(*) FILTER (WHERE status = 'doing' AND
        (worker_id IS NULL OR last_heartbeat < now() - make_interval(secs => %(stalled)s)))
        AS stalled,
    coalesce(extract(epoch FROM now() - min(deferred.at)
        FILTER (WHERE status = 'todo')), 0)::float AS oldest
FROM procrastinate_jobs AS job
LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
LEFT JOIN LATERAL (
    SELECT at FROM procrastinate_events
    WHERE job_id = job.id AND type = 'deferred' ORDER BY id DESC LIMIT 1
) AS deferred ON status = 'todo'
WHERE status IN ('todo', 'doing')
GROUP BY 1
"""
_UNSETTLED: Final = """
SELECT count(*) AS jobs, max(job.id) AS last,
    count(*) FILTER (WHERE status = 'doing' AND
        (worker_id IS NULL OR last_heartbeat < now() - make_interval(secs => %(stalled)s)))
        AS stalled
FROM procrastinate_jobs AS job
LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
WHERE status IN ('todo', 'doing')
    AND (%(last)s::bigint IS NULL OR job.id <= %(last)s::bigint)
"""
_WORKERS: Final = """
SELECT
    (SELECT count(*) FROM procrastinate_workers
        WHERE last_heartbeat >= now() - make_interval(secs => %(stalled)s)) AS workers,
    count(*) FILTER (WHERE classid = %(members)s) AS processes,
    count(*) FILTER (WHERE classid = %(leader)s) AS leaders
FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 2
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class _Manager(JobManager):
    """A job that was deleted meanwhile, or whose end can't be written, has ended nevertheless.

    So it is where this process gave no sign for so long that others gave it up, and where PostgreSQL
    went away. What is left of such a job is tidied; a worker's task that raises is waited for by nobody.
    """

    async def finish_job(self, job: Any, *args: Any, **kwargs: Any) -> None:
        """See procrastinate."""
        try:
            await super().finish_job(job, *args, **kwargs)
        except exceptions.ConnectorException as error:
            log.debug("engine.unfinished", job=job.queueing_lock, error=str(error.__cause__))


class ClusterEngine:
    """Does jobs of some kinds, as one process of many; see `ports.Engine`.

    `conninfo` is libpq's. Open it first; with the store its tables must be there already.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        kinds: Collection[Kind] = tuple(Kind),
        concurrency: int = CONCURRENCY,
        stalled: float = STALLED,
    ) -> None:
        for talker in ("procrastinate", "psycopg.pool"):  # a line for each job, and for each try
            logging.getLogger(talker).setLevel(logging.CRITICAL)
        options = with_options(conninfo, "-c synchronous_commit=off")
        self._conninfo = conninfo
        self._queues = sorted({QUEUES[kind] for kind in kinds})
        self._concurrency = concurrency
        self._stalled = stalled
        self._edge = Edge()
        self._app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(
                conninfo=conninfo,
                min_size=1,
                max_size=CONNECTIONS,
                kwargs={"options": options, "application_name": "monitor-engine"},
            )
        )
        self._app.job_manager = _Manager(self._app.connector)
        self._app.task(name=_TASK)(self._do)
        self._handle: Callable[[Job], Awaitable[None]] | None = None
        self._working: asyncio.Task[None] | None = None
        self._ending: asyncio.Event = asyncio.Event()
        self._at_work: set[asyncio.Task[Any]] = set()

    async def open(self, *, make: bool = True) -> None:
        """Connect; unless told not to, make its tables if there are none. Raises `StorageError`."""
        async with _explained("the engine"):
            if make:
                await prepare(self._conninfo)
            await self._app.open_async()

    async def close(self) -> None:
        """Close its connections."""
        await self._app.close_async()

    def insert(self, connection: Any, jobs: Sequence[Job]) -> None:
        """Within SQLAlchemy's transaction: a job that is queued already is none."""
        connection.exec_driver_sql(
            _INSERT,
            {
                "queues": [QUEUES[job.kind] for job in jobs],
                "tasks": [_TASK] * len(jobs),
                "priorities": [PRIORITIES.get(job.kind, 0) for job in jobs],
                "locks": [job.lock for job in jobs],
                "queueing": [f"{job.kind}:{job.key}" for job in jobs],
                "args": [_arguments(job) for job in jobs],
            },
        )

    def wake(self, jobs: Sequence[Job]) -> None:
        """Nothing: PostgreSQL tells those who wait."""

    async def run(self, handle: Callable[[Job], Awaitable[None]], stop: asyncio.Event) -> None:
        """See `ports.Engine`. Whatever becomes of the connections, it begins again."""
        self._handle = handle
        self._working = asyncio.create_task(self._work(), name="engine")
        await stop.wait()
        self._ending.set()

    async def _work(self) -> None:
        """Be a worker until the end, again after each loss of PostgreSQL."""
        while not self._ending.is_set():
            worker = asyncio.create_task(
                self._app.run_worker_async(
                    queues=self._queues,
                    concurrency=self._concurrency,
                    fetch_job_polling_interval=LOOK,
                    delete_jobs="always",
                    install_signal_handlers=False,
                    update_heartbeat_interval=HEARTBEAT,
                    stalled_worker_timeout=self._stalled,
                )
            )
            ending = asyncio.create_task(self._ending.wait())
            await asyncio.wait({worker, ending}, return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
            if not worker.done():
                worker.cancel()  # begins nothing more, and waits for what is at work
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({worker})
            if self._ending.is_set():
                return
            error = None if worker.cancelled() else worker.exception()
            log.warning("engine.lost", error=str(error or "PostgreSQL has closed the connection"))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), AGAIN)

    async def _do(self, kind: str, key: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        assert self._handle is not None
        self._at_work.add(task)
        try:
            await self._edge.attend(Job(Kind(kind), key), self._handle)
        finally:
            self._at_work.discard(task)

    async def drain(self, seconds: float) -> int:
        """See `ports.Engine`."""
        self._ending.set()
        if self._working is None:
            return 0
        late: set[asyncio.Task[Any]] = set()
        done, _ = await asyncio.wait({self._working}, timeout=seconds)
        if not done:
            late = set(self._at_work)
            for task in late:
                task.cancel()
            _, hanging = await asyncio.wait({self._working}, timeout=1.0)
            for each in hanging:
                each.cancel()
        return len(late)

    async def settle(self, *, so_far: bool = False) -> None:
        """See `ports.Engine`. A job of the dead would be at work for ever, and keeps its lock."""
        last = (await self._unsettled(None))["last"] if so_far else None
        while (found := await self._unsettled(last))["jobs"]:
            if found["stalled"]:
                await self.tidy()
            await asyncio.sleep(LOOK / 5)  # other processes tell nobody

    async def _unsettled(self, last: int | None) -> Mapping[str, Any]:
        async with _explained("how the jobs stand"):
            return await self._app.connector.execute_query_one_async(
                _UNSETTLED, last=last, stalled=self._stalled
            )

    async def workload(self) -> Workload:
        """See `ports.Engine`."""
        async with _explained("how the jobs stand"):
            rows = await self._app.connector.execute_query_all_async(
                _WORKLOAD, stalled=self._stalled
            )
            workers = await self._app.connector.execute_query_one_async(
                _WORKERS, stalled=self._stalled, members=MEMBERS, leader=LEADER
            )
        found = {
            Kind(row["kind"]): KindOfWork(
                queued=row["queued"],
                running=row["running"],
                stalled=row["stalled"],
                oldest=row["oldest"],
            )
            for row in rows
        }
        return Workload(
            kinds={kind: found.get(kind, KindOfWork()) for kind in Kind},
            workers=workers["workers"],
            processes=workers["processes"],
            is_led=workers["leaders"] > 0,
        )

    async def tidy(self) -> int:
        """See `ports.Engine`. To delete is to repair: what such a job left is due."""
        manager = self._app.job_manager
        async with _explained("stalled jobs"):
            stalled = list(await manager.get_stalled_jobs(seconds_since_heartbeat=self._stalled))
            for job in stalled:  # it may have ended after all, or somebody else may be tidying
                await manager.finish_job(job, status=Status.FAILED, delete_job=True)
        if stalled:
            log.warning("engine.stalled", jobs=len(stalled))
        return len(stalled)


async def prepare(conninfo: str) -> None:
    """Make procrastinate's tables if there are none; one process at a time."""
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        await connection.execute("SELECT pg_advisory_lock(%s)", (_SCHEMA_LOCK,))
        try:
            found = await connection.execute("SELECT to_regclass('procrastinate_jobs')")
            row = await found.fetchone()
            if row is not None and row[0] is None:
                schema = procrastinate.schema.SchemaManager.get_schema()
                await connection.execute(schema.encode())
        finally:
            await connection.execute("SELECT pg_advisory_unlock(%s)", (_SCHEMA_LOCK,))


async def is_prepared(conninfo: str) -> bool:
    """Whether there are procrastinate's tables: a process has run here. Raises `StorageError`."""
    async with (
        _explained("the engine"),
        await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection,
    ):
        found = await connection.execute("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")
        row = await found.fetchone()
        return bool(row and row[0])


def _arguments(job: Job) -> psycopg.types.json.Jsonb:
    return psycopg.types.json.Jsonb({"kind": str(job.kind), "key": job.key})


@contextlib.asynccontextmanager
async def _explained(what: str) -> AsyncIterator[None]:
    """PostgreSQL's troubles as ours: try again later."""
    try:
        yield
    except (psycopg.Error, exceptions.ConnectorException) as error:
        cause = error.__cause__ or error
        raise StorageError(
            f"{what}: PostgreSQL: {str(cause).strip() or type(cause).__name__}"
        ) from error
