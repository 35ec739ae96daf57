"""Fakes for the clock and for faults; everything else is tested for real."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta


class FakeClock:
    """A clock that moves when told to, or when somebody sleeps on it."""

    def __init__(self, now: datetime = datetime(2025, 5, 10, 12, 0, tzinfo=UTC)) -> None:
        self._now = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        """The time it was set to."""
        return self._now

    def advance(self, **delta: float) -> None:
        """Move on by a timedelta's arguments."""
        self._now += timedelta(**delta)

    async def sleep(self, seconds: float) -> None:
        """Move on at once; other tasks get their turn."""
        self.slept.append(seconds)
        self._now += timedelta(seconds=seconds)
        await asyncio.sleep(0)
