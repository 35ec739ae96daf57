"""What the page must know of the running service, and the words for it.

``/livez`` asks whether this process moves at all: nothing else is in it, not even the database, so
that it is what to start a process again by. ``/healthz`` asks whether its clockwork ticks, for which
it must reach the database: feeds and Slack are not in it, because starting the process again would
not mend them. ``/readyz`` asks whether the service is up: database migrated, configuration read,
scheduler running.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from monitor.ports import EngineState

STUCK: Final = 300.0
"""Seconds for which a tick may wait for the database: it tries five times, on a network that may be gone."""


class Health(Protocol):
    """The state of the service that runs beside the page. Answers at once and never raises, but for one."""

    @property
    def version(self) -> str:
        """The version of the program."""

    def tick_age(self) -> float | None:
        """Seconds since the scheduler last ticked; None before the first tick."""

    def stuck_for(self) -> float | None:
        """Seconds since a tick last began or ended, whatever came of it; None before the first."""

    def ready(self) -> tuple[bool, str]:
        """Whether the service is up, and if not, why, as a sentence."""

    def config_error(self) -> str | None:
        """The mistakes of the last configuration, one a line, if it was rejected."""

    def sink_problem(self) -> str | None:
        """Why no alert can be delivered at all (``Slack: invalid_auth``), if so."""

    async def engine_state(self) -> EngineState:
        """What this process is among all, and how their jobs stand: this asks the database, where
        there are many. Raises `StorageError`.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The answer to a probe."""

    ok: bool
    reason: str


def moving(stuck_for: float | None) -> Check:
    """Whether the process moves, whatever the database does: one that is starting yet does, too."""
    if stuck_for is not None and stuck_for > STUCK:
        return Check(
            ok=False,
            reason=f"A tick has been stuck for {stuck_for:.0f} s; {STUCK:g} s is the limit.",
        )
    return Check(ok=True, reason="The process is alive.")


def alive(tick_age: float | None, stale_after: float) -> Check:
    """Whether the clockwork runs; both in seconds."""
    if tick_age is None:
        return Check(ok=False, reason="The scheduler has not ticked yet.")
    if tick_age > stale_after:
        return Check(
            ok=False,
            reason=f"The scheduler last ticked {tick_age:.1f} s ago; {stale_after:g} s is the limit.",
        )
    return Check(ok=True, reason=f"The scheduler ticked {tick_age:.1f} s ago.")


def ready(health: Health, stale_after: float) -> Check:
    """Whether the service is up and its clockwork runs."""
    up, why = health.ready()
    if not up:
        return Check(ok=False, reason=why or "The service is not up yet.")
    return alive(health.tick_age(), stale_after)
