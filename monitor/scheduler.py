"""The clockwork: a tick each second that turns what is due into jobs, and rare maintenance.

The rows are the schedule. The tick only looks at them, so it is schedule, start-up recovery and
repair in one: whatever a crash or a lost job left behind is due, and found by the next tick.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from monitor import telemetry
from monitor.errors import StorageError
from monitor.ports import Clock, Engine, Membership, Store, Transaction

TICK = 1.0
"""Seconds between two looks at what is due."""

MAINTENANCE = 60.0
"""Seconds between two rounds of it."""

PATIENCE = 3.0
"""Seconds for which a process may be away before what it holds is given to others."""

SEARCH = 10.0
"""Seconds between two looks through all leases for those of processes that nobody saw alive."""

MISSED = 10
"""Ticks that may fail to come before they are brought back."""

log = telemetry.get_logger()


class Scheduler:
    """Owns APScheduler: few jobs, all in memory; the schedule of feeds is in their rows.

    One job per feed was measured to block the event loop for a minute at 10,000 feeds; one tick
    with an indexed query costs 1 % of a core.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        maintenance: Callable[[], Awaitable[None]],
        relief: Relief | None = None,
        tick: float = TICK,
        round_every: float = MAINTENANCE,
    ) -> None:
        """`relief`: where this is one process among many. Only the one that leads submits jobs."""
        self._store = store
        self._clock = clock
        self._maintenance = maintenance
        self._relief = relief
        self._seconds = tick
        self._round_every = round_every
        self._ticked_at: datetime | None = None
        self._storage_down = False
        self._runs = 0
        self._moved_at: float | None = None
        self._watching: asyncio.Task[None] | None = None
        # Late runs are run, not skipped: APScheduler's default drops a job that is 1 s late.
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def start(self) -> None:
        """Tick from now on, on the running event loop."""
        now = datetime.now(UTC)  # APScheduler runs on the machine's own time
        for work, every in (
            (self.tick, {"seconds": self._seconds}),
            (self.maintain, {"seconds": self._round_every}),
        ):
            self._scheduler.add_job(_until_stopped, "interval", (work,), next_run_time=now, **every)
        self._scheduler.start()
        self._watching = asyncio.create_task(self._watch())

    def stop(self) -> None:
        """Start nothing more."""
        if self._watching is not None:
            self._watching.cancel()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def tick_age(self) -> float | None:
        """Seconds since the last tick that reached the database; None before the first."""
        if self._ticked_at is None:
            return None
        # a clock that was set back makes a tick of the future: that is no sign of life either
        return abs((self._clock.now() - self._ticked_at).total_seconds())

    def stuck_for(self) -> float | None:
        """Seconds since a tick last began or ended, whatever the database said; None before the first."""
        return None if self._moved_at is None else time.monotonic() - self._moved_at

    async def tick(self) -> int:
        """Have the engine do everything that is due; returns the number of jobs."""
        self._moved_at = time.monotonic()
        try:
            return await self._tick()
        finally:
            self._moved_at = time.monotonic()

    async def _tick(self) -> int:
        self._runs += 1
        now = self._clock.now()
        try:
            jobs = 0
            if self._relief is None or self._relief.is_due:
                jobs = await submit_due(self._store, now)
            if self._relief is not None:
                await self._relief.look()
        except StorageError as error:
            if not self._storage_down:
                log.warning("tick.failed", error=str(error))
            self._storage_down = True
            return 0
        if self._storage_down:
            log.info("tick.recovered")
            self._storage_down = False
        self._ticked_at = now
        telemetry.TICKED.set(now.timestamp())
        return jobs

    async def _watch(self) -> None:
        """APScheduler waits for a time of day: after the clock was set back, for an hour if need be.

        This waits by the event loop's clock, which nobody sets, and has the jobs run again.
        """
        while True:
            before = self._runs
            await asyncio.sleep(MISSED * self._seconds)
            if self._runs == before:
                log.warning("tick.missed", detail="was the machine's clock set back?")
                self.run_now()

    def run_now(self) -> None:
        """Tick and maintain at once, and from now on as ever."""
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=datetime.now(UTC))

    async def maintain(self) -> None:
        """Once a minute; a database that is away is the tick's to report."""
        try:
            await self._maintenance()
        except StorageError as error:
            log.debug("maintenance.skipped", error=str(error))
        except Exception:  # the outermost edge: a bug costs this round only, and is told as ours
            log.exception("maintenance.crashed")


class Relief:
    """Gives back what processes hold that have died: their leases, and their jobs.

    A process that comes back within `patience` seconds, as all do after a restart of PostgreSQL, has
    lost nothing. Who was seen alive and is not any more is known without looking at rows; leases,
    of which no index knows the holder, are looked through every `search` seconds only: for a process
    that came and died between two looks, or before this one led.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        engine: Engine,
        member: Membership,
        *,
        patience: float = PATIENCE,
        search: float = SEARCH,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._engine = engine
        self._member = member
        self._patience = patience
        self._search = search
        self._monotonic = monotonic
        self._searched_at: float | None = None
        self._known: frozenset[int] = frozenset()  # who was alive, or holds leases
        self._missed: dict[int, float] = {}  # who of them is not there, since when

    @property
    def is_due(self) -> bool:
        """Whether this process is the one to do what must be done once."""
        return self._member.is_leader

    async def look(self) -> None:
        """If this process leads: see who is not there any more. Raises `StorageError`."""
        if not self._member.is_leader:
            self._known, self._missed, self._searched_at = frozenset(), {}, None
            if not self._member.is_present:
                raise StorageError("PostgreSQL has not answered for seconds")
            return
        now = self._clock.now()
        at = self._monotonic()
        present = await self._member.present()
        if self._searched_at is None or at - self._searched_at >= self._search:
            self._known |= await self._store.read(lambda tx: tx.lease_holders(now))
            self._searched_at = at
        self._known |= present
        gone = self._known - present
        self._missed = {number: self._missed.get(number, at) for number in gone}
        dead = [each for each, since in self._missed.items() if at - since >= self._patience]
        if dead:
            rows = await self._store.write(lambda tx: tx.release_leases_of(dead, now))
            self._known -= frozenset(dead)
            if rows:
                log.warning("process.died", rows=rows, detail="what it held is given back")
        await self._engine.tidy()


async def _until_stopped(work: Callable[[], Awaitable[object]]) -> None:
    """A stop cancels what runs; APScheduler would write an error with a traceback of it."""
    with contextlib.suppress(asyncio.CancelledError):
        await work()


async def submit_due(store: Store, now: datetime) -> int:
    """Submit a job for each bucket and channel with something due; returns how many."""
    due = sorted(await store.read(lambda tx: tx.due_jobs(now)))

    def submit(tx: Transaction) -> None:
        for job in due:
            tx.submit(job)

    if due:
        await store.write(submit)
    return len(due)
