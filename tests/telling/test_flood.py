"""How many are too many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.telling.flood import CALM, LONG, MANY, MINUTE, PAGE, goes_on, is_backlog, overflows

NOW = datetime(2025, 5, 10, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)

streams = st.lists(st.integers(0, 600), min_size=1, max_size=80).map(
    lambda seconds: sorted(NOW + n * SECOND for n in seconds)
)
limits = st.integers(1, 12)


def alone(wanted: list[datetime], limit: int) -> list[datetime]:
    return [at for place, at in enumerate(wanted) if not overflows(wanted, place, limit)]


@pytest.mark.parametrize(
    ("seconds", "limit", "told_alone"),
    [
        ([0] * 10, 10, 10),
        ([0] * 50, 10, 10),
        ([*range(0, 60, 6)], 10, 10),
        ([*range(0, 600, 6)], 10, 100),  # ten a minute, for ten minutes
        ([*range(0, 600, 3)], 10, 10),  # twenty a minute: the first ten
        ([0, 0, 60, 60], 2, 4),
        ([0, 0, 59, 60], 2, 3),
    ],
)
def test_so_many_of_a_minute_are_told_alone(seconds, limit, told_alone):
    """A story is one too many if as many came in the minute before it, itself not counted."""
    assert len(alone([NOW + n * SECOND for n in seconds], limit)) == told_alone


@given(streams, limits)
def test_no_minute_has_more_messages_than_the_limit(wanted, limit):
    """Whatever comes, and whenever."""
    told = alone(wanted, limit)
    for place, at in enumerate(told):
        assert sum(at - MINUTE < other for other in told[: place + 1]) <= limit


@given(streams, limits)
def test_what_comes_later_changes_nothing(wanted, limit):
    """So a second look, after a restart, decides as the first one did."""
    for place in range(len(wanted)):
        seen = wanted[: place + 1]
        assert overflows(seen, place, limit) == overflows(wanted, place, limit)


@given(streams, limits)
def test_a_channel_in_which_little_happens_is_left_alone(wanted, limit):
    """Only what comes too fast is folded."""
    if len(wanted) <= limit:
        assert alone(wanted, limit) == wanted


@pytest.mark.parametrize(
    ("since", "listed", "expected"),
    [(CALM, 1, True), (CALM + SECOND, 1, False), (SECOND, PAGE - 1, True), (SECOND, PAGE, False)],
)
def test_a_summary_goes_on_until_it_is_calm_or_full(since, listed, expected):
    assert goes_on(NOW, listed, NOW + since) is expected


@pytest.mark.parametrize(
    ("waiting", "age", "expected"),
    [
        (MANY + 1, LONG + SECOND, True),
        (MANY, LONG + SECOND, False),
        (400, LONG, False),
        (400, timedelta(hours=6), True),
    ],
)
def test_what_waited_long_and_is_much_is_a_backlog(waiting, age, expected):
    assert is_backlog(waiting, NOW - age, NOW) is expected
