from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import FeedId
from monitor.polling import outage
from monitor.ports import Reach

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FEEDS = st.lists(st.integers(1, 10**9).map(FeedId), unique=True, max_size=300)


@pytest.mark.parametrize(
    ("asked", "unreached", "is_ours"),
    [
        (4, 3, True),  # all but the one that has come back
        (2, 2, False),  # too few to tell: each may be away by itself
        (6, 3, True),
        (7, 3, False),  # most were reached
        (10_000, 4_000, False),
        (10_000, 9_000, True),
        (0, 0, False),
    ],
)
def test_a_crowd_is_our_own_network(asked, unreached, is_ours):
    assert outage.is_ours(Reach(asked, unreached)) is is_ours


@pytest.mark.parametrize(
    ("reach", "is_quiet"),
    [
        (Reach(8, 8, NOW - timedelta(minutes=6)), True),
        (Reach(8, 8, NOW - timedelta(minutes=4)), False),  # one of them will find out
        (Reach(8, 2, NOW - timedelta(minutes=6)), False),  # those are away by themselves
        (Reach(0, 0), False),
    ],
)
def test_a_crowd_of_which_nobody_was_asked_for_minutes_is_quiet(reach, is_quiet):
    assert outage.is_quiet(reach, NOW) is is_quiet


@given(FEEDS)
def test_each_is_asked_once_and_no_second_asks_more_than_a_few(feeds):
    """Within the time that is told; and whoever works it out finds the same."""
    slots = list(outage.spread(feeds, NOW))
    assert sorted(feed for _, some in slots for feed in some) == sorted(feeds)
    assert all(0 < len(some) <= outage.PER_SECOND for _, some in slots)
    assert len({at for at, _ in slots}) == len(slots)
    assert all(NOW <= at < NOW + outage.lasts(len(feeds)) for at, _ in slots)
    assert list(outage.spread(feeds[::-1], NOW)) == slots


def test_however_many_are_asked_within_the_time_that_a_crowd_may_take():
    """Then more a second: none waits for longer than it is worth."""
    feeds = [FeedId(number) for number in range(60_001)]
    slots = list(outage.spread(feeds, NOW))
    assert slots[-1][0] - NOW < outage.lasts(len(feeds)) == outage.LONGEST
    assert max(len(some) for _, some in slots) == 51


def test_feeds_of_one_host_that_were_declared_together_are_not_asked_together():
    """Numbers that follow each other are often one outlet's."""
    [(_, first), *_] = outage.spread([FeedId(number) for number in range(1000)], NOW)
    assert max(first) - min(first) > 500


def test_what_failed_for_want_of_a_network_was_asked_within_what_counts_as_lately():
    """Its back-off ends before: the hour, its jitter."""
    assert timedelta(hours=1) * 1.1 < outage.LATELY
