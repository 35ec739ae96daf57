"""What does the jobs, here or in many processes, and who of many is at the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from monitor.model import Job, Kind


class Role(StrEnum):
    """What a process does for the service."""

    ALL = "all"
    SCHEDULER = "scheduler"  # keeps the clock, if no other does, and what must be done once
    WORKER = "worker"  # polls feeds, reads pages
    ALERTS = "alerts"  # sends messages, hears what people do in Slack
    WEB = "web"  # serves the page

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The jobs that such a process does."""
        match self:
            case Role.ALL:
                return tuple(Kind)
            case Role.WORKER:
                return tuple(kind for kind in Kind if kind is not Kind.DELIVER)
            case Role.ALERTS:
                return (Kind.DELIVER,)
        return ()

    def does(self, part: Role) -> bool:
        """Whether such a process does what `part` stands for."""
        return self in {Role.ALL, part}


@dataclass(frozen=True, slots=True, kw_only=True)
class KindOfWork:
    """How the jobs of one kind stand, over all processes."""

    queued: int = 0
    running: int = 0
    stalled: int = 0  # at work in a process that gives no sign of life
    oldest: float = 0.0  # seconds for which the oldest that is queued has waited


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """How an engine stands."""

    kinds: Mapping[Kind, KindOfWork]
    workers: int  # processes that do jobs
    processes: int = 1  # that are alive
    is_led: bool = True  # whether one of them keeps the clock

    @property
    def stalled(self) -> int:
        """Jobs that are at work in processes without a sign of life."""
        return sum(each.stalled for each in self.kinds.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineState:
    """What a process is among all, and how their engine stands."""

    role: Role
    is_leader: bool
    workload: Workload


class Engine(Protocol):
    """Takes jobs and has them done. Losing one costs a tick: the rows are the truth."""

    def insert(self, connection: Any, jobs: Sequence[Job]) -> None:
        """See `JobOutlet`."""

    def wake(self, jobs: Sequence[Job]) -> None:
        """See `JobOutlet`."""

    async def run(self, handle: Callable[[Job], Awaitable[None]], stop: asyncio.Event) -> None:
        """Do jobs as they come until `stop`; jobs at work then go on: see `drain`."""

    async def settle(self, *, so_far: bool = False) -> None:
        """Wait until nothing is queued or at work; `so_far`: nothing of what is by now.

        Among many that is in any process; jobs of the dead are removed.
        """

    async def drain(self, seconds: float) -> int:
        """Let jobs at work end; cancel those that don't within `seconds`. Returns how many."""

    async def workload(self) -> Workload:
        """How the jobs stand. Raises `StorageError` where that is in a database that is away."""

    async def tidy(self) -> int:
        """Remove jobs whose process has died; returns how many. For one process among many."""


class Membership(Protocol):
    """A process among those that share a database."""

    @property
    def number(self) -> int | None:
        """By what its leases are known; None where it is alone."""

    @property
    def is_leader(self) -> bool:
        """Whether this process keeps the clock."""

    @property
    def is_present(self) -> bool:
        """Whether the others hold it for alive: if not, what it holds may be somebody else's."""

    async def stand(self) -> None:
        """Keep the clock from now on, or as soon as nobody else does."""

    async def resign(self) -> None:
        """Keep it no more: another one takes it over at once."""

    async def present(self) -> frozenset[int]:
        """The numbers of all that are alive. Raises `StorageError` if they can't be known."""
