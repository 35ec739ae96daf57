"""What both engines do, that of one process and that of many: one job per lock, nothing queued twice,
a bug costs one job; and what only the one of many has to do.
"""

from __future__ import annotations

import asyncio
import gc
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from monitor.config import Monitor, Settings
from monitor.engine import cluster, members
from monitor.engine.cluster import ClusterEngine
from monitor.engine.local import LocalEngine
from monitor.engine.members import BEAT, Member
from monitor.errors import StorageError
from monitor.model import Job, Kind
from monitor.opening import workload_of
from monitor.ports import Engine, KindOfWork
from monitor.storage.address import read_address


class Desk:
    """A handler that holds each job until told, and writes down who was at work together."""

    def __init__(self) -> None:
        self.begun: list[Job] = []
        self.at_work: set[Job] = set()
        self.together: Counter[int] = Counter()
        self.go = asyncio.Event()
        self.moved = asyncio.Condition()

    async def __call__(self, job: Job) -> None:
        self.begun.append(job)
        self.at_work.add(job)
        self.together[len(self.at_work)] += 1
        async with self.moved:
            self.moved.notify_all()
        try:
            await self.go.wait()
        finally:
            self.at_work.discard(job)

    async def until(self, number: int) -> None:
        async with self.moved:
            await self.moved.wait_for(lambda: len(self.begun) >= number)


NO_SIGN = "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'"


class Office:
    """Makes engines of one kind and hands them jobs as a transaction does."""

    def __init__(self, kind: str, url: str) -> None:
        self.url = url
        self._kind = kind

    @property
    def conninfo(self) -> str:
        """The database as libpq knows it."""
        return self.url

    def engine(self, *, workers: int = 50, **options) -> Engine:
        """One process's engine."""
        if self._kind == "local":
            return LocalEngine(workers=workers)
        return ClusterEngine(self.conninfo, concurrency=workers, **options)

    @asynccontextmanager
    async def opened(self, **options) -> AsyncIterator[Engine]:
        """One that takes jobs, and does none yet."""
        engine = self.engine(**options)
        if isinstance(engine, ClusterEngine):
            await engine.open()
        try:
            yield engine
        finally:
            await engine.drain(5)
            if isinstance(engine, ClusterEngine):
                await engine.close()

    async def submit(self, engine: Engine, *jobs: Job) -> None:
        """As `SqlStore` does: in the transaction, sorted; and after it."""
        if self._kind == "cluster":
            with self.connected() as connection:
                engine.insert(connection, sorted(set(jobs)))
        engine.wake(jobs)

    async def write(self, change: Callable[[sa.Connection], object]) -> None:
        """A transaction beside the event loop: it may wait for one that the engine is about to end."""

        def at_once() -> None:
            with self.connected() as connection:
                change(connection)

        await asyncio.to_thread(at_once)

    @contextmanager
    def connected(self) -> Iterator[sa.Connection]:
        """A transaction on the database."""
        database = sa.create_engine(read_address(self.url).url, poolclass=sa.NullPool)
        with database.begin() as connection:
            yield connection


@pytest.fixture(params=["local", "cluster"])
def office(request: pytest.FixtureRequest) -> Office:
    url = "" if request.param == "local" else request.getfixturevalue("empty_postgres_url")
    return Office(request.param, url)


@pytest.fixture
def bureau(empty_postgres_url: str) -> Office:
    """Of the engine of many processes only."""
    return Office("cluster", empty_postgres_url)


@asynccontextmanager
async def running(engine: Engine, handle):
    stop = asyncio.Event()
    task = asyncio.create_task(engine.run(handle, stop))
    try:
        yield stop
    finally:
        stop.set()
        await task


def poll(key: int) -> Job:
    return Job(Kind.POLL, str(key))


async def test_a_queued_job_is_queued_once(office):
    """Waking a waiting job again changes nothing."""
    desk = Desk()
    async with office.opened() as engine, running(engine, desk):
        await office.submit(engine, poll(1), poll(1))
        await office.submit(engine, poll(1))
        await desk.until(1)
        desk.go.set()
        await engine.settle()
    assert desk.begun == [poll(1)]


async def test_a_job_at_work_may_be_queued_once_more(office):
    """What falls due in a channel while its job is at work is done after it, not beside it."""
    desk = Desk()
    job = Job(Kind.DELIVER, "#a")
    async with office.opened() as engine, running(engine, desk):
        await office.submit(engine, job)
        await desk.until(1)
        await office.submit(engine, job)
        await office.submit(engine, job)
        desk.go.set()
        await engine.settle()
    assert desk.begun == [job, job]
    assert max(desk.together) == 1


async def test_a_bucket_waits_for_none_of_its_jobs(office):
    """Hosts are kept apart by leases: what falls due begins beside what is slow."""
    desk = Desk()
    async with office.opened() as engine, running(engine, desk):
        await office.submit(engine, poll(1))
        await desk.until(1)
        await office.submit(engine, poll(1), Job(Kind.INGEST, "1"), Job(Kind.SUBSCRIBE, "1"))
        await desk.until(4)
        assert len(desk.at_work) == 3  # two of them are alike
        desk.go.set()
        await engine.settle()


async def test_at_most_so_many_jobs_at_once(office):
    """The number of workers bounds what runs side by side."""
    desk = Desk()
    async with office.opened(workers=2) as engine, running(engine, desk):
        await office.submit(engine, *(poll(key) for key in range(6)))
        await desk.until(2)
        desk.go.set()
        await engine.settle()
    assert len(desk.begun) == 6
    assert max(desk.together) == 2


@pytest.mark.parametrize(
    ("error", "event"),
    [(ValueError("a bug"), "job.crashed"), (StorageError("away"), "job.postponed")],
)
async def test_a_failing_job_costs_itself_only(office, error, event):
    """A crashed job is logged and its lock is free again."""
    done: list[Job] = []

    async def handle(job: Job) -> None:
        if not done:
            done.append(job)
            raise error
        done.append(job)

    with capture_logs() as logs:
        async with office.opened() as engine, running(engine, handle):
            await office.submit(engine, poll(1))
            await engine.settle()
            await office.submit(engine, poll(1))
            await engine.settle()
    assert done == [poll(1), poll(1)]
    assert [entry["event"] for entry in logs] == [event]


async def test_stop_lets_jobs_end_and_starts_no_more(office):
    """After stop, what is at work may end, and nothing else begins: its rows are still due."""
    desk = Desk()
    async with office.opened(workers=1) as engine, running(engine, desk) as stop:
        await office.submit(engine, poll(1), poll(2))
        await desk.until(1)
        stop.set()
        desk.go.set()
        assert await engine.drain(5) == 0
        await office.submit(engine, poll(3))
        assert not any(each.running for each in (await engine.workload()).kinds.values())
    assert desk.begun == [poll(1)]


async def test_drain_cancels_what_does_not_end(office):
    """A job that hangs is cancelled when the grace is over."""
    desk = Desk()
    async with office.opened() as engine, running(engine, desk) as stop:
        await office.submit(engine, poll(1))
        await desk.until(1)
        stop.set()
        assert await engine.drain(0.01) == 1
    assert not desk.at_work


async def test_how_the_jobs_stand(office):
    """By kind: how many are queued and at work."""
    desk = Desk()
    async with office.opened(workers=2) as engine, running(engine, desk):
        await office.submit(engine, poll(1), Job(Kind.DELIVER, "#a"))
        await desk.until(2)
        await office.submit(engine, poll(2), poll(3))
        await asyncio.sleep(0)
        workload = await engine.workload()
        assert workload.workers == 1
        assert workload.stalled == 0
        assert (workload.kinds[Kind.POLL].queued, workload.kinds[Kind.POLL].running) == (2, 1)
        assert workload.kinds[Kind.DELIVER].running == 1
        assert workload.kinds[Kind.BACKFILL] == KindOfWork()
        assert await engine.tidy() == 0
        desk.go.set()
        await engine.settle()
    assert len(desk.begun) == 4


# --------------------------------------------------------------------------- of many processes


async def test_a_job_is_submitted_if_its_transaction_commits(bureau: Office):
    """Rolled back with the rest; twice in two transactions, it is one."""
    done: list[Job] = []

    async def handle(job: Job) -> None:
        done.append(job)

    async with bureau.opened() as engine:
        database = sa.create_engine(read_address(bureau.url).url, poolclass=sa.NullPool)
        with database.connect() as connection:
            engine.insert(connection, [poll(1), poll(2)])
            connection.rollback()
        await bureau.submit(engine, poll(2))
        await bureau.submit(engine, poll(2), poll(3))
        async with running(engine, handle):
            await engine.settle()
    assert sorted(done) == [poll(2), poll(3)]


async def test_transactions_that_submit_the_same_jobs_wait_for_each_other(bureau: Office):
    """In one order: no deadlock, whatever they submit."""
    keys = [str(number) for number in range(12)]
    async with bureau.opened() as engine:
        database = sa.create_engine(read_address(bureau.url).url, pool_size=8)

        def submit(seed: int) -> None:
            picked = random.Random(seed).sample(keys, 9)
            with database.begin() as connection:
                engine.insert(connection, sorted(Job(Kind.POLL, key) for key in picked))

        await asyncio.gather(*(asyncio.to_thread(submit, seed) for seed in range(80)))
        database.dispose()
        assert (await engine.workload()).kinds[Kind.POLL].queued == len(keys)


async def test_two_processes_share_the_work_and_keep_the_locks(bureau: Office):
    """What one channel is sent is sent by one of them at a time."""
    desk = Desk()
    channels = [Job(Kind.DELIVER, name) for name in ("#a", "#b")]
    async with AsyncExitStack() as stack:
        one, two = [await stack.enter_async_context(bureau.opened(workers=1)) for _ in range(2)]
        for each in (one, two):
            await stack.enter_async_context(running(each, desk))
        await bureau.submit(one, *channels)
        await desk.until(2)
        await bureau.submit(two, *channels)
        assert (await one.workload()).workers == 2
        assert desk.at_work == set(channels)
        desk.go.set()
        await one.settle()
    assert Counter(desk.begun) == dict.fromkeys(channels, 2)


async def test_who_only_looks_sees_how_the_jobs_stand(bureau: Office):
    """Without being one of the processes, and without making anything."""
    settings = Settings(monitor=Monitor(database=bureau.url))
    assert await workload_of(settings) is None
    async with bureau.opened() as engine:
        await bureau.submit(engine, poll(1))
        seen = await workload_of(settings)
    assert seen is not None
    assert (seen.kinds[Kind.POLL].queued, seen.processes, seen.is_led) == (1, 0, False)


async def test_a_process_does_what_it_is_for(bureau: Office):
    """One that only delivers leaves what is to be fetched to others."""
    done: list[Job] = []

    async def handle(job: Job) -> None:
        done.append(job)

    async with bureau.opened(kinds=[Kind.DELIVER]) as engine, running(engine, handle):
        await bureau.submit(engine, poll(1), Job(Kind.DELIVER, "#a"))
        await until(lambda: done)
    assert done == [Job(Kind.DELIVER, "#a")]


@asynccontextmanager
async def hanging(bureau: Office, desk: Desk, job: Job) -> AsyncIterator[ClusterEngine]:
    """One process is at a job that is queued again, and is held for dead; the other one's engine."""
    async with bureau.opened() as hung, running(hung, desk), bureau.opened() as living:
        await bureau.submit(hung, job)
        await desk.until(1)
        await bureau.submit(living, job)
        await bureau.write(lambda connection: connection.exec_driver_sql(NO_SIGN))
        yield living


async def test_a_job_of_a_dead_process_is_in_nobodys_way(
    bureau: Office, monkeypatch: pytest.MonkeyPatch
):
    """It is removed when its process gives no sign; the same job, queued again, is done."""
    unheard: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
    monkeypatch.setattr(cluster, "HEARTBEAT", 3600.0)
    desk, done = Desk(), []

    async def handle(job: Job) -> None:
        done.append(job)

    channel = Job(Kind.DELIVER, "#a")
    async with hanging(bureau, desk, channel) as living:
        assert (await living.workload()).kinds[Kind.DELIVER].stalled == 1
        async with running(living, handle):
            assert done == []
            assert await living.tidy() == 1
            await until(lambda: done == [channel])
        desk.go.set()  # it was only asleep: that its job is gone disturbs nobody
        await until(lambda: not desk.at_work)
    gc.collect()  # asyncio tells then of tasks that raised
    assert unheard == []


async def test_what_the_dead_left_is_not_waited_for(
    bureau: Office, monkeypatch: pytest.MonkeyPatch
):
    """Nor what is submitted while somebody waits for what there is so far: there is always more."""
    monkeypatch.setattr(cluster, "HEARTBEAT", 3600.0)
    desk, done = Desk(), []

    async def handle(job: Job) -> None:
        done.append(job)
        if job.kind is Kind.POLL:
            await bureau.submit(living, job)

    channel = Job(Kind.DELIVER, "#a")
    async with hanging(bureau, desk, channel) as living:
        async with running(living, handle), asyncio.timeout(8):
            await living.settle()
            assert done == [channel]
            await bureau.submit(living, poll(1))
            await living.settle(so_far=True)
            assert poll(1) in done
        desk.go.set()
        await until(lambda: not desk.at_work)


async def test_when_postgresql_drops_the_connections_work_goes_on(
    bureau: Office, postgres_admin: sa.Connection
):
    """Procrastinate's worker ends without an error: it is begun again."""
    done: list[Job] = []

    async def handle(job: Job) -> None:
        done.append(job)

    name = sa.make_url(bureau.url).database
    async with bureau.opened() as engine, running(engine, handle):
        await bureau.submit(engine, poll(1))
        await engine.settle()
        postgres_admin.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        await bureau.submit(engine, poll(2))
        await until(lambda: len(done) == 2)
        await bureau.submit(engine, poll(3))
        await until(lambda: len(done) == 3)


async def test_a_process_that_was_struck_off_comes_back(bureau: Office):
    """It slept so long that another one removed it: it is entered anew, and works."""
    done: list[Job] = []

    async def handle(job: Job) -> None:
        done.append(job)

    async with bureau.opened() as engine, running(engine, handle):
        await bureau.submit(engine, poll(1))
        await until(lambda: done)
        strike_off = "DELETE FROM procrastinate_workers"
        await bureau.write(lambda connection: connection.exec_driver_sql(strike_off))
        await bureau.submit(engine, poll(2))
        await until(lambda: len(done) == 2)
        assert (await engine.workload()).workers == 1


# --------------------------------------------------------------------------- who is there


async def test_one_of_many_leads_and_another_when_it_is_gone(bureau: Office):
    """As soon as the connection of the first has ended, whatever ended it."""
    async with Member(bureau.conninfo) as first:
        await until(lambda: first.is_leader)
        async with Member(bureau.conninfo) as second, Member(bureau.conninfo) as third:
            assert await second.present() == {first.number, second.number, third.number}
            async with bureau.opened() as engine:
                workload = await engine.workload()
            assert (workload.processes, workload.is_led) == (3, True)
            await asyncio.sleep(2 * BEAT)
            assert [each.is_leader for each in (first, second, third)] == [True, False, False]
            assert first._connection is not None
            await first._connection.close()  # as a kill -9 does
            await until(lambda: second.is_leader or third.is_leader)
            await until(lambda: not first.is_leader)
            await until(lambda: first.is_present)  # it comes back, and leads no more
            assert [each.is_leader for each in (first, second, third)].count(True) == 1
    assert not first.is_leader


async def test_one_that_hangs_is_given_up(bureau: Office, monkeypatch: pytest.MonkeyPatch):
    """PostgreSQL ends its session; it knows by itself that it is not held for alive any more."""
    monkeypatch.setattr(members, "HANGS", 1.0)
    monkeypatch.setattr(members, "PRESENT", 0.7)
    async with Member(bureau.conninfo) as hung:
        await until(lambda: hung.is_leader)
        assert hung._beating is not None
        hung._beating.cancel()
        async with Member(bureau.conninfo) as other:
            await until(lambda: other.is_leader)
            assert not hung.is_present
            assert not hung.is_leader
            assert await other.present() == {other.number}


async def test_one_that_may_not_lead_does_not(bureau: Office):
    """It is there, and leaves the clock to others."""
    async with Member(bureau.conninfo, leads=False) as worker:
        await asyncio.sleep(1.5 * BEAT)
        assert worker.is_present
        assert not worker.is_leader


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(8):
        while not is_so():  # noqa: ASYNC110 it is another process's, or PostgreSQL's, to tell
            await asyncio.sleep(0.02)
