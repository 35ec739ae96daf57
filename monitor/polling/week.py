"""In which hours of the week a feed posts, the last weeks more than those before. Pure.

Shown to people only: the schedule learns days and not weeks (`rhythm` says why). An entry counts
twice as much as one of four weeks before; so the sums never have to be touched to let them fade.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

HOURS: Final = 7 * 24

_LIFE: Final = timedelta(days=28)
_BEGAN: Final = datetime(2025, 1, 1, tzinfo=UTC)


def hour_of(at: datetime) -> int:
    """The hour of the week, from Monday, in UTC."""
    at = at.astimezone(UTC)
    return at.weekday() * 24 + at.hour


def weight(at: datetime) -> float:
    """What an entry of that time adds to its hour's sum."""
    return float(2.0 ** ((at - _BEGAN) / _LIFE))


def profile(weights: Mapping[int, float], now: datetime) -> tuple[float, ...]:
    """Entries by hour of the week as they count now: one of four weeks ago is half a one."""
    one = weight(now)
    return tuple(weights.get(hour, 0.0) / one for hour in range(HOURS))
