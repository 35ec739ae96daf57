"""What every use case works with, and how claimed rows are worked through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from time import monotonic
from typing import TypeVar
from weakref import WeakValueDictionary

from alerts import Sink
from monitor.compose import Rules
from monitor.errors import StorageError
from monitor.polling.schedule import Price
from monitor.ports import Clock, Fetcher, Offload, Store, Transaction

T = TypeVar("T")

BATCH = 50
"""Rows that one job claims at once."""

REMEMBERED = 10_000
"""Sources that a lane knows to be slow, at most."""


class Lane:
    """Slots for what is at work at once: so many in all, and of one source no more than a share.

    The share is what keeps one feed that lists thousands of slow links from holding up everybody
    else's news. Sources that held a slot for long the last time share a part of the slots, so that
    many slow ones hold up each other, and nobody else. Waiting for a slot costs a row nothing of its
    fetch's deadline.
    """

    def __init__(
        self,
        *,
        slots: int,
        per_source: int,
        for_slow: int | None = None,
        slow: float = 3.0,
        patience: float | None = 5.0,
        timer: Callable[[], float] = monotonic,
    ) -> None:
        """`for_slow`: how many slots slow sources get; a third of all, unless told. `slow`: seconds
        for which such a one held its slot, by `timer`. `patience`: seconds after which who got none
        gives up.
        """
        self._slots = asyncio.Semaphore(slots)
        self.slots = slots  # and as many hosts wait for one, before no more is claimed
        self._waiting = 0
        self._usual = 1  # hosts of which the last claim brought rows
        self._claiming: set[asyncio.Task[object] | None] = set()
        self._asking: set[int] = set()
        self._gate = asyncio.Lock()
        self._changed = asyncio.Event()
        self._for_slow = asyncio.Semaphore(for_slow or -(-slots // 3))
        self._per_source = per_source
        self._slow = slow
        self._patience = patience
        self._timer = timer
        self._sources: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._were_slow: dict[str, None] = {}  # the last to be so is the last

    def slot(self, source: str) -> AbstractAsyncContextManager[bool]:
        """Wait for a slot and hold it; False if there was none within the patience.

        A job must not wait for long: what it holds is nobody else's meanwhile.
        """
        share = self._sources.get(source)
        if share is None:
            share = self._sources[source] = asyncio.Semaphore(self._per_source)
        wanted = [share, self._slots]
        if self.is_slow(source):
            wanted.insert(1, self._for_slow)
        return _Slot(wanted, self._patience, self._timer, partial(self._note, source))

    @asynccontextmanager
    async def turn(self, bucket: int) -> AsyncIterator[bool]:
        """Wait until more can be begun, then let a job claim; False if one of its bucket waits already.

        What is claimed must be begun within the patience. Without a turn, a service with more to do than
        it can would claim everything that is due, give it back after seconds, and claim it again: a
        third of what its database's one writer did, with 10,000 feeds due at once.
        """
        if bucket in self._asking:
            yield False
            return
        job = asyncio.current_task()
        self._asking.add(bucket)
        try:
            async with self._gate:  # in the order of coming
                while not self.turn_is_free():
                    self._changed.clear()
                    await self._changed.wait()
                self._claiming.add(job)
        finally:
            self._asking.discard(bucket)
        try:
            yield True
        finally:
            self._claiming.discard(job)
            self._changed.set()

    def turn_is_free(self) -> bool:
        """Whether a job may claim now; what those that are claiming will bring counts as there."""
        return self._waiting + self._usual * len(self._claiming) < self.slots

    def came(self, hosts: int) -> None:
        """Rows of so many hosts were claimed by this job, and wait for a slot from now on."""
        self._claiming.discard(asyncio.current_task())
        self._usual = max(1, hosts)
        self._waiting += hosts
        self._changed.set()

    def went(self) -> None:
        """One of these hosts waits no more."""
        self._waiting -= 1
        self._changed.set()

    def is_slow(self, source: str) -> bool:
        """Whether a source has to share the slots for slow ones."""
        return source in self._were_slow

    def _note(self, source: str, seconds: float) -> None:
        self._were_slow.pop(source, None)
        if seconds >= self._slow:
            self._were_slow[source] = None
            if len(self._were_slow) > REMEMBERED:
                del self._were_slow[next(iter(self._were_slow))]


class _Slot:
    """What a lane gives, while it is held. No generator: a poll should not pay for one."""

    __slots__ = ("_began", "_held", "_note", "_patience", "_timer", "_wanted")

    def __init__(
        self,
        wanted: Sequence[asyncio.Semaphore],
        patience: float | None,
        timer: Callable[[], float],
        note: Callable[[float], None],
    ) -> None:
        self._wanted = wanted
        self._patience = patience
        self._timer = timer
        self._note = note
        self._held: list[asyncio.Semaphore] = []
        self._began: float | None = None

    async def __aenter__(self) -> bool:
        # all free, as they are nearly always: nothing to wait for, nor to time
        is_waiting = any(semaphore.locked() for semaphore in self._wanted)
        try:
            async with asyncio.timeout(self._patience) if is_waiting else nullcontext():
                for semaphore in self._wanted:
                    await semaphore.acquire()
                    self._held.append(semaphore)
        except TimeoutError:
            return False
        except BaseException:
            self._release()
            raise
        self._began = self._timer()
        return True

    async def __aexit__(self, *_: object) -> None:
        self._release()
        if self._began is not None:
            self._note(self._timer() - self._began)

    def _release(self) -> None:
        for semaphore in self._held:
            semaphore.release()
        self._held.clear()


def polls_at_once(timer: Callable[[], float] = monotonic) -> Lane:
    """The lane of feeds; `timer` runs while a server is waited for."""
    return Lane(slots=100, per_source=1, timer=timer)


def pages_at_once(timer: Callable[[], float] = monotonic) -> Lane:
    """The lane of pages, likewise.

    In most of its slots nothing happens: a page waits for the end of its host's pause, a second after
    its feed, and another one where robots.txt is asked first. With 50 of them it was 25 pages a
    second, however quick servers and processor were.
    """
    return Lane(slots=200, per_source=8, timer=timer)


def parsers_of(workers: int) -> Lane:
    """The lane of so many worker processes: some are left for what was not made to be slow."""
    return Lane(
        slots=workers, per_source=workers, for_slow=max(1, workers // 2), slow=1.0, patience=None
    )


@dataclass(frozen=True, slots=True)
class Market:
    """What the polls of all feeds are worth, as `monitor.polling.schedule` has it."""

    price: Price
    prior: float  # the fleet's rate, items a second


@dataclass(slots=True, kw_only=True)
class Context:
    """The seams and the rules. `rules` may be swapped between any two units of work."""

    store: Store
    fetcher: Fetcher
    offload: Offload
    sink: Sink
    clock: Clock
    rules: Rules
    jitter: Callable[[], float]  # anywhere in -1 … 1
    others: Mapping[str, Sink] = field(default_factory=dict)
    """Sinks beside the main one, by what the names of their channels begin with."""
    for_pages: Fetcher | None = None  # asks as robots.txt allows; None: all are asked alike
    market: Market | None = None  # None: nothing is known yet, feeds are polled alike
    stopping: bool = False  # begin nothing new
    is_present: Callable[[], bool] = lambda: True
    """Whether others hold this process for alive: else what it has leased may be theirs by now."""
    begin_pause: Callable[[str], None] = lambda _: None
    """Begins a host's pause, as if it had been asked just now."""
    sink_problem: str | None = None  # why the sink refuses us altogether
    polls: Lane = field(default_factory=polls_at_once)
    """Feeds at work at once, by host."""
    pages: Lane = field(default_factory=pages_at_once)
    """Articles at work at once, by feed."""
    parsers: Lane = field(default_factory=lambda: parsers_of(2))
    """Calls of `offload` at once, by host and by feed."""
    budget: timedelta = timedelta(seconds=20)
    """A job begins nothing new after this long, so that leases outlast what is at work."""
    lease: timedelta = timedelta(minutes=5)
    """Longer than a budget plus the slowest fetch, parse and extraction."""
    delivery_lease: timedelta = timedelta(minutes=3)
    """Longer than the slowest attempt: two look-ups (33 s each with Slack) and two posts, each once
    more in plain text (15 s), with their turns."""

    def sink_of(self, channel: str) -> Sink:
        """The sink that shows a channel, by the channel's name."""
        for prefix, sink in self.others.items():
            if channel.startswith(prefix):
                return sink
        return self.sink


async def claimed(
    context: Context,
    claim: Callable[[Transaction], Sequence[T]],
    host: Callable[[T], str],
) -> Sequence[T]:
    """Claim rows of hosts; where another process asked a host last, it has its pause first."""

    def take(tx: Transaction) -> tuple[Sequence[T], Collection[str]]:
        rows = claim(tx)
        hosts = {host(row) for row in rows}
        return rows, tx.take_turns(hosts, context.clock.now(), context.lease) if hosts else ()

    if not context.is_present():  # what it would claim is anybody's, and soon another's
        return ()
    rows, others = await context.store.write(take)
    for each in others:
        context.begin_pause(each)
    return rows


async def work_by_host(
    context: Context,
    rows: Sequence[T],
    *,
    lane: Lane,
    host: Callable[[T], str],
    source: Callable[[T], str],
    do: Callable[[T], Awaitable[None]],
    give_back: Callable[[Sequence[T]], Awaitable[object]],
    set_aside: Callable[[T, datetime], Awaitable[object]] | None = None,
) -> None:
    """Hosts side by side, each host strictly in series; what is not begun is given back.

    A row that ends by a bug is not: its lease keeps it from coming again at once. Where that would
    keep others from its host, too, it is set aside for as long.
    """
    until = context.clock.now() + context.budget
    not_begun = list(rows)

    def is_over() -> bool:
        is_ours = context.is_present()  # else its hosts may be asked by others by now
        return context.stopping or not is_ours or context.clock.now() >= until

    async def in_series(mine: Sequence[T]) -> None:
        waits = True
        full: set[str] = set()  # sources without a slot: what others list here need not wait

        def come() -> None:
            nonlocal waits
            if waits:
                waits = False
                lane.went()

        try:
            if lane.is_slow(source(mine[0])):
                come()  # whoever is quick need not wait for it
            await one_by_one(mine, full, come)
        finally:
            come()

    async def one_by_one(mine: Sequence[T], full: set[str], come: Callable[[], None]) -> None:
        for row in mine:
            if is_over():
                return
            if source(row) in full:
                continue
            async with lane.slot(source(row)) as is_free:
                come()
                if is_over():
                    return
                if not is_free:
                    full.add(source(row))
                    continue
                not_begun.remove(row)
                try:
                    await do(row)
                except asyncio.CancelledError:
                    not_begun.append(row)
                    raise
                except StorageError:
                    raise
                except Exception:
                    if set_aside is not None:
                        await set_aside(row, context.clock.now() + context.lease)
                    raise

    ordered = sorted(rows, key=host)
    groups = [list(group) for _, group in groupby(ordered, key=host)]
    lane.came(len(groups))
    try:
        results = await asyncio.gather(*map(in_series, groups), return_exceptions=True)
    finally:
        if not_begun:
            await asyncio.shield(give_back(tuple(not_begun)))
    for result in results:
        if isinstance(result, BaseException):
            raise result
