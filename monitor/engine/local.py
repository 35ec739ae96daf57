"""The engine of one process: jobs as asyncio tasks, nothing to install, nothing to run beside.

It may forget everything at any instant: the next tick submits again whatever the rows say is due.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from monitor.engine.edge import Edge
from monitor.model import BUCKETS, Job, Kind
from monitor.ports import KindOfWork, Workload


class LocalEngine:
    """Runs at most `workers` jobs at once, of each lock at most one, each job queued at most once.

    A job ends when the slowest of its hosts has, and others of its bucket begin meanwhile: so there
    are workers for the jobs of half a minute. How much is fetched at once is not bounded here (see
    `monitor.pipeline.context.Lane`).
    """

    def __init__(self, *, workers: int = 60 * BUCKETS) -> None:
        self._workers = workers
        self._waiting: deque[Job] = deque()
        self._queued: set[Job] = set()
        self._locked: set[str] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._open = True
        self._edge = Edge()

    def insert(self, connection: Any, jobs: Sequence[Job]) -> None:
        """Nothing: these jobs live in memory."""

    def wake(self, jobs: Sequence[Job]) -> None:
        """Queue jobs that are not queued already. A job at work may be queued once more."""
        for job in jobs:
            if self._open and job not in self._queued:
                self._queued.add(job)
                self._waiting.append(job)
        self._changed.set()

    @property
    def idle(self) -> bool:
        """Whether nothing is queued and nothing is at work."""
        return not self._waiting and not self._running

    async def run(self, handle: Callable[[Job], Awaitable[None]], stop: asyncio.Event) -> None:
        """Do jobs as they come until `stop`; jobs at work then go on: see `drain`."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self._changed.clear()
                self._start(handle)
                changed = asyncio.create_task(self._changed.wait())
                await asyncio.wait({changed, stopping}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
        finally:
            self._open = False
            self._waiting.clear()
            self._queued.clear()
            stopping.cancel()

    async def settle(self, *, so_far: bool = False) -> None:  # noqa: ARG002 nobody else adds to it
        """See `ports.Engine`."""
        while not self.idle:
            if self._running:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0)

    async def drain(self, seconds: float) -> int:
        """Let jobs at work end; cancel those that don't within `seconds`. Returns how many."""
        if not self._running:
            return 0
        _, late = await asyncio.wait(self._running, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=1.0)
        return len(late)

    async def workload(self) -> Workload:
        """See `ports.Engine`. How long a job has waited is nobody's care here: none waits long."""
        queued = Counter(job.kind for job in self._waiting)
        running = Counter(Kind(task.get_name().partition(":")[0]) for task in self._running)
        return Workload(
            kinds={kind: KindOfWork(queued=queued[kind], running=running[kind]) for kind in Kind},
            workers=1,
        )

    async def tidy(self) -> int:
        """Nothing: with the process its jobs die."""
        return 0

    def _start(self, handle: Callable[[Job], Awaitable[None]]) -> None:
        blocked: list[Job] = []
        while self._waiting and len(self._running) < self._workers:
            job = self._waiting.popleft()
            if job.lock in self._locked:
                blocked.append(job)
                continue
            self._queued.discard(job)
            if job.lock is not None:
                self._locked.add(job.lock)
            task = asyncio.create_task(self._do(job, handle), name=f"{job.kind}:{job.key}")
            self._running.add(task)
            task.add_done_callback(self._ended)
        self._waiting.extendleft(reversed(blocked))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._changed.set()

    async def _do(self, job: Job, handle: Callable[[Job], Awaitable[None]]) -> None:
        try:
            await self._edge.attend(job, handle)
        finally:
            if job.lock is not None:
                self._locked.discard(job.lock)


class Alone:
    """The only process there is: it leads, and nobody takes what it holds."""

    number: int | None = None
    is_leader = True
    is_present = True

    async def stand(self) -> None:
        """It leads anyway."""

    async def resign(self) -> None:
        """There is nobody else."""

    async def present(self) -> frozenset[int]:
        """Nobody has a number."""
        return frozenset()
