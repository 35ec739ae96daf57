"""Delays in slots: nearly what they were, and nothing that can't be."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.polling import delays, week

SECOND = timedelta(seconds=1)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday


@pytest.mark.parametrize(
    ("delay", "slot"),
    [
        (None, delays.UNKNOWN),
        (-SECOND, delays.UNKNOWN),
        (timedelta(days=30), delays.UNKNOWN),
        (timedelta(0), 0),
        (15 * SECOND, 0),
        (16 * SECOND, 1),
        (delays.LONGEST, len(delays.ENDS) - 1),
    ],
)
def test_what_can_be_believed_has_a_slot(delay: timedelta | None, slot: int) -> None:
    """The future and what lies weeks back have none."""
    assert delays.slot_of(delay) == slot


@given(st.lists(st.floats(20, 500_000), min_size=1, max_size=60), st.sampled_from([0.5, 0.95]))
def test_a_quantile_is_nearly_that_of_the_delays_themselves(
    seconds: list[float], share: float
) -> None:
    """Within a slot, which is half as long again as the one before."""
    counts = Counter(delays.slot_of(each * SECOND) for each in seconds)
    found = delays.quantile(counts, share)
    assert found is not None
    ordered = sorted(seconds)
    true = next(x for n, x in enumerate(ordered, 1) if n >= share * len(ordered) - 1e-9)
    assert true / 1.6 - 1 <= found.total_seconds() <= true * 1.6 + 1


def test_nothing_has_no_quantile_and_all_are_distributed() -> None:
    """What has no date is not in it."""
    assert delays.quantile({}, 0.5) is None
    assert delays.quantile({delays.UNKNOWN: 9}, 0.5) is None
    counts = {delays.UNKNOWN: 9, 0: 2, delays.slot_of(timedelta(hours=3)): 1}
    assert delays.distribution(counts) == (2, 0, 0, 0, 1, 0, 0)
    assert delays.total(counts) == 3


def test_hours_of_the_week_fade() -> None:
    """An entry of four weeks ago counts half; the week begins on Monday, in UTC."""
    assert week.hour_of(NOW) == 12
    assert week.hour_of(NOW + timedelta(days=6, hours=11)) == week.HOURS - 1
    old = NOW - timedelta(weeks=4)
    found = week.profile({5: week.weight(NOW) * 2, 6: week.weight(old)}, NOW)
    assert (found[5], found[6], found[7]) == pytest.approx((2.0, 0.5, 0.0))
