"""The tick: what is due becomes jobs, and a database that is away is waited for."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from monitor.errors import StorageError
from monitor.model import Job, Kind
from monitor.scheduler import Relief, Scheduler, submit_due
from monitor.storage import SqlStore
from tests.contracts.material import BUCKET, NOW, given_feed, spec
from tests.fakes import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


async def nothing() -> None:
    """No maintenance."""


async def test_what_is_due_is_submitted(sqlite_store, outlet, clock):
    """A job for each bucket with something due; none when nothing is."""
    assert await submit_due(sqlite_store, NOW) == 0
    await sqlite_store.write(lambda tx: tx.sync_feeds([spec(1), spec(2)], NOW))
    assert await submit_due(sqlite_store, NOW) == 1
    assert outlet.woken == [Job(Kind.POLL, str(BUCKET))]


async def test_the_age_of_the_last_tick_is_known(sqlite_store, clock):
    """None before the first; then seconds of the clock."""
    scheduler = Scheduler(sqlite_store, clock, maintenance=nothing)
    assert scheduler.tick_age() is None
    await scheduler.tick()
    clock.advance(seconds=7)
    assert scheduler.tick_age() == 7


async def test_a_database_that_is_away_is_reported_once_and_waited_for(sqlite_store, clock):
    """Ticks go on; their age grows, so that the health probe sees it; then all is well again."""

    class Away:
        down = True

        async def read(self, work):
            if self.down:
                raise StorageError("the server does not answer")
            return await sqlite_store.read(work)

    store = Away()
    scheduler = Scheduler(store, clock, maintenance=nothing)
    with capture_logs() as logs:
        for _ in range(3):
            assert await scheduler.tick() == 0
        assert scheduler.tick_age() is None
        tried = scheduler.stuck_for()
        assert tried is not None
        assert tried < 5
        store.down = False
        await scheduler.tick()
    assert [entry["event"] for entry in logs] == ["tick.failed", "tick.recovered"]
    assert scheduler.tick_age() == 0


async def test_maintenance_waits_for_the_database_too(sqlite_store, clock):
    """A database that is away costs a round, not a stack trace in the log."""

    async def maintenance() -> None:
        raise StorageError("the server does not answer")

    await Scheduler(sqlite_store, clock, maintenance=maintenance).maintain()


async def test_a_bug_in_the_maintenance_is_told_with_its_trace(sqlite_store, clock):
    """It costs a round; the next one comes."""

    async def maintenance() -> None:
        raise ZeroDivisionError

    with capture_logs() as logs:
        await Scheduler(sqlite_store, clock, maintenance=maintenance).maintain()
    [entry] = logs
    assert (entry["event"], entry["log_level"]) == ("maintenance.crashed", "error")
    assert entry["exc_info"]


async def test_ticks_come_back_after_the_clock_was_set_back(sqlite_store, clock):
    """A next run that lies an hour ahead, as after a step back, is brought forward."""
    ticked = asyncio.Event()

    class Watched:
        async def read(self, work):
            ticked.set()
            return await sqlite_store.read(work)

    scheduler = Scheduler(Watched(), clock, maintenance=nothing, tick=0.02)
    scheduler.start()
    await ticked.wait()
    with capture_logs() as logs:
        for job in scheduler._scheduler.get_jobs():
            job.modify(next_run_time=datetime.now(UTC) + timedelta(hours=1))
        ticked.clear()
        await ticked.wait()
    scheduler.stop()
    assert [entry["event"] for entry in logs][:1] == ["tick.missed"]


async def test_a_tick_of_the_future_is_no_sign_of_life(sqlite_store, clock):
    """After the clock was set back, health does not rest on the last tick before it."""
    scheduler = Scheduler(sqlite_store, clock, maintenance=nothing)
    await scheduler.tick()
    clock.advance(hours=-1)
    assert scheduler.tick_age() == 3600


async def test_it_ticks_and_maintains_by_itself_until_stopped(sqlite_store, clock):
    """Both run at the start; to stop twice does no harm."""
    maintained, ticked = asyncio.Event(), asyncio.Event()

    class Watched:
        async def read(self, work):
            ticked.set()
            return await sqlite_store.read(work)

    async def maintenance() -> None:
        maintained.set()

    scheduler = Scheduler(Watched(), clock, maintenance=maintenance)
    scheduler.start()
    await asyncio.gather(maintained.wait(), ticked.wait())
    scheduler.stop()
    scheduler.stop()


async def test_a_stop_during_a_tick_is_no_error(clock, caplog):
    """What runs is cancelled, and nobody is told of a bug."""
    began = asyncio.Event()

    class Slow:
        async def read(self, work):
            began.set()
            await asyncio.Event().wait()

    scheduler = Scheduler(Slow(), clock, maintenance=nothing, tick=0.01)
    scheduler.start()
    await began.wait()
    scheduler.stop()
    for _ in range(5):
        await asyncio.sleep(0)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


# --------------------------------------------------------------------------- of many processes


class Cluster:
    """A store that counts looks through the leases, an engine without jobs, and who is alive."""

    number = 1
    is_leader = is_present = True
    at = 0.0  # by the clock that nobody sets

    def __init__(self, store: SqlStore) -> None:
        self.alive = {1}
        self.searches = self.tidied = 0
        self._store = store
        self.write = store.write

    async def present(self):
        return frozenset(self.alive)

    async def tidy(self):
        self.tidied += 1
        return 0

    async def read(self, work):
        self.searches += 1
        return await self._store.read(work)

    def relief(self, clock: FakeClock, **options) -> Relief:
        return Relief(self, clock, self, self, monotonic=lambda: self.at, **options)


@pytest.fixture
def cluster(sqlite_store) -> Cluster:
    return Cluster(sqlite_store)


async def leased(store: SqlStore, holder: int, feed: int) -> None:
    """A process polls a feed."""
    store.holder = holder
    await given_feed(store, feed, host=f"{feed}.example")


async def test_what_the_dead_held_is_given_back_once_they_are_missed(sqlite_store, cluster, clock):
    """Not before; who came back meanwhile keeps what it has, and nobody is missed twice."""
    relief = cluster.relief(clock, patience=3, search=1000)
    cluster.alive = {1, 7, 8}
    await relief.look()
    await leased(sqlite_store, 7, 1)
    await leased(sqlite_store, 8, 2)
    cluster.alive = {1}
    with capture_logs() as logs:
        for cluster.at, alive, held in (
            (10, {1}, {7, 8}),
            (12, {1, 8}, {7, 8}),
            (13, {1}, {8}),
            (15, {1}, {8}),
            (16, {1}, set()),
            (30, {1}, set()),
        ):
            cluster.alive = alive
            await relief.look()
            found = await sqlite_store.read(lambda tx: tx.lease_holders(NOW))
            assert found == held, cluster.at
    assert [(entry["event"], entry["rows"]) for entry in logs] == [("process.died", 1)] * 2
    assert cluster.searches == 1
    assert cluster.tidied == 7


async def test_leases_of_those_whom_nobody_saw_are_found(sqlite_store, cluster, clock):
    """When a process begins to lead, and now and then after that: they came and died between."""
    await leased(sqlite_store, 7, 1)
    relief = cluster.relief(clock, patience=3, search=10)
    for cluster.at in (0, 3):
        await relief.look()
    assert await sqlite_store.read(lambda tx: tx.lease_holders(NOW)) == frozenset()
    await leased(sqlite_store, 8, 2)
    for cluster.at in (9, 12, 15):
        await relief.look()
    assert await sqlite_store.read(lambda tx: tx.lease_holders(NOW)) == frozenset()
    assert cluster.searches == 2


async def test_who_leads_no_more_has_forgotten_whom_it_missed(sqlite_store, cluster, clock):
    """What it knew is old when it leads again; and if nobody answers, its tick is none."""
    relief = cluster.relief(clock, patience=3)
    cluster.alive = {1, 7}
    await relief.look()
    await leased(sqlite_store, 7, 1)
    cluster.alive = {1}
    await relief.look()
    cluster.is_leader, cluster.at = False, 5
    await relief.look()
    assert not relief.is_due
    cluster.is_leader, cluster.at = True, 6
    await relief.look()
    assert await sqlite_store.read(lambda tx: tx.lease_holders(NOW)) == {7}
    cluster.is_leader = cluster.is_present = False
    with pytest.raises(StorageError):
        await relief.look()
