"""The tick: what is due becomes jobs, and a database that is away is waited for."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from monitor.errors import StorageError
from monitor.model import Job, Kind
from monitor.scheduler import Scheduler, submit_due
from tests.contracts.material import BUCKET, NOW, spec
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
