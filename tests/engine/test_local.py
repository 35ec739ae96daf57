"""The engine of one process: one job per lock, nothing queued twice, a bug costs one job."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from monitor.engine.local import LocalEngine
from monitor.errors import StorageError
from monitor.model import Job, Kind


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


@asynccontextmanager
async def running(engine: LocalEngine, handle):
    stop = asyncio.Event()
    task = asyncio.create_task(engine.run(handle, stop))
    try:
        yield stop
    finally:
        stop.set()
        await task
        await engine.drain(1)


def poll(key: int) -> Job:
    return Job(Kind.POLL, str(key))


async def test_a_queued_job_is_queued_once():
    """Waking a waiting job again changes nothing."""
    engine, desk = LocalEngine(), Desk()
    async with running(engine, desk):
        engine.wake([poll(1), poll(1)])
        engine.wake([poll(1)])
        await desk.until(1)
        desk.go.set()
        await engine.settle()
    assert desk.begun == [poll(1)]


async def test_a_job_at_work_may_be_queued_once_more():
    """What falls due in a channel while its job is at work is done after it, not beside it."""
    engine, desk = LocalEngine(), Desk()
    job = Job(Kind.DELIVER, "#a")
    async with running(engine, desk):
        engine.wake([job])
        await desk.until(1)
        engine.wake([job])
        engine.wake([job])
        desk.go.set()
        await engine.settle()
    assert desk.begun == [job, job]
    assert max(desk.together) == 1


async def test_a_bucket_waits_for_none_of_its_jobs():
    """Hosts are kept apart by leases: what falls due begins beside what is slow."""
    engine, desk = LocalEngine(), Desk()
    async with running(engine, desk):
        engine.wake([poll(1)])
        await desk.until(1)
        engine.wake([poll(1), Job(Kind.INGEST, "1"), Job(Kind.SUBSCRIBE, "1")])
        await desk.until(4)
        assert len(desk.at_work) == 3  # two of them are alike
        desk.go.set()
        await engine.settle()


async def test_at_most_so_many_jobs_at_once():
    """The number of workers bounds what runs side by side."""
    engine, desk = LocalEngine(workers=2), Desk()
    async with running(engine, desk):
        engine.wake([poll(key) for key in range(6)])
        await desk.until(2)
        desk.go.set()
        await engine.settle()
    assert len(desk.begun) == 6
    assert max(desk.together) == 2


@pytest.mark.parametrize(
    ("error", "event"),
    [(ValueError("a bug"), "job.crashed"), (StorageError("away"), "job.postponed")],
)
async def test_a_failing_job_costs_itself_only(error, event):
    """A crashed job is logged and its lock is free again."""
    engine = LocalEngine()
    done: list[Job] = []

    async def handle(job: Job) -> None:
        if not done:
            done.append(job)
            raise error
        done.append(job)

    with capture_logs() as logs:
        async with running(engine, handle):
            engine.wake([poll(1)])
            await engine.settle()
            engine.wake([poll(1)])
            await engine.settle()
    assert done == [poll(1), poll(1)]
    assert [entry["event"] for entry in logs] == [event]


async def test_stop_lets_jobs_end_and_starts_no_more():
    """After stop, what is at work may end; what waits is dropped, for its rows are still due."""
    engine, desk = LocalEngine(workers=1), Desk()
    async with running(engine, desk) as stop:
        engine.wake([poll(1), poll(2)])
        await desk.until(1)
        stop.set()
        desk.go.set()
        assert await engine.drain(5) == 0
        engine.wake([poll(3)])
    assert desk.begun == [poll(1)]
    assert engine.idle


async def test_drain_cancels_what_does_not_end():
    """A job that hangs is cancelled when the grace is over."""
    engine, desk = LocalEngine(), Desk()
    async with running(engine, desk) as stop:
        engine.wake([poll(1)])
        await desk.until(1)
        stop.set()
        assert await engine.drain(0.01) == 1
    assert not desk.at_work
