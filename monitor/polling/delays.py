"""How long things took, counted in slots, so that a thousand of them are a few numbers. Pure.

A slot ends half as far again as the one before it, from a quarter of a minute to a week. A quantile
that is read off between the ends of its slot is wrong by a fifth at most.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

UNKNOWN: Final = -1
"""The slot of what has no date to be believed."""

ENDS: Final = tuple(round(15 * 1.5**step) for step in range(27))
"""Where slots end: seconds. What took longer than the last is in the slot after it."""

LONGEST: Final = timedelta(seconds=ENDS[-1])


def slot_of(delay: timedelta | None) -> int:
    """The slot of a delay; of none, of a negative one, and of one above `LONGEST`: `UNKNOWN`.

    What was published in the future, or weeks ago, has no date to be believed.
    """
    if delay is None or not timedelta(0) <= delay <= LONGEST:
        return UNKNOWN
    return bisect.bisect_left(ENDS, delay.total_seconds())


def quantile(counts: Mapping[int, int], share: float) -> timedelta | None:
    """The delay that this share (0 … 1) of those counted by slot did not exceed; None: of none."""
    known = {slot: count for slot, count in counts.items() if slot >= 0 and count > 0}
    wanted = share * sum(known.values())
    for slot in sorted(known):
        if known[slot] >= wanted:
            start, end = edges(slot)
            return timedelta(seconds=round(start + (end - start) * wanted / known[slot]))
        wanted -= known[slot]
    return None


def edges(slot: int) -> tuple[float, float]:
    """Where a slot begins and ends: seconds."""
    return (0.0, *ENDS)[slot], ENDS[slot]


def total(counts: Mapping[int, int]) -> int:
    """How many have a delay that is known."""
    return sum(count for slot, count in counts.items() if slot != UNKNOWN)


COARSE: Final = (60, 300, 900, 3600, 6 * 3600, 86400)
"""Ends of what people read a distribution by: seconds."""


def distribution(counts: Mapping[int, int]) -> tuple[int, ...]:
    """How many took up to each of `COARSE`, and longer than the one before; and how many more.

    A slot belongs where its middle lies.
    """
    found = [0] * (len(COARSE) + 1)
    for slot, count in counts.items():
        if slot >= 0:
            found[bisect.bisect_left(COARSE, sum(edges(slot)) / 2)] += count
    return tuple(found)
