"""How fast a service may be called, and how long it asked to be left alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Monotonic = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


class Pacer:
    """A token bucket for each key (a channel, a method).

    Callers wait their turn in the order they came. Times are seconds of `monotonic`.
    """

    def __init__(self, *, rate: float, burst: int = 1, monotonic: Monotonic, sleep: Sleep) -> None:
        self._interval = 1.0 / rate
        self._burst = burst
        self._monotonic = monotonic
        self._sleep = sleep
        self._empty_at: dict[str, float] = {}  # when the bucket is empty, taking all who wait

    async def turn(self, key: str) -> None:
        """Wait until the next call under this key is within the rate."""
        now = self._monotonic()
        full = now - self._burst * self._interval
        # the token is taken before waiting: those who come later queue behind it
        at = self._empty_at[key] = max(self._empty_at.get(key, full), full) + self._interval
        if at > now:
            await self._sleep(at - now)


class Pauses:
    """For each key, how long the service asked to be left alone (Retry-After)."""

    def __init__(self, monotonic: Monotonic) -> None:
        self._monotonic = monotonic
        self._until: dict[str, float] = {}

    def begin(self, key: str, seconds: float) -> None:
        """The service asked for a pause; a longer one that runs already stays."""
        self._until[key] = max(self._until.get(key, 0.0), self._monotonic() + seconds)

    def left(self, key: str) -> float:
        """Seconds until the pause ends; 0 when there is none."""
        left = self._until.get(key, 0.0) - self._monotonic()
        if left <= 0:
            self._until.pop(key, None)
        return max(left, 0.0)
