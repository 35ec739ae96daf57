"""A move is believed when it lasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.polling.moves import after, lasts

NOW = datetime(2025, 5, 10, 12, 0, tzinfo=UTC)
NEW, OTHER = "https://new.example/feed", "https://portal.example/login"


@pytest.mark.parametrize(
    ("polls", "believed"),
    [
        ([], False),
        ([(0, NEW)], False),
        ([(0, NEW), (30, NEW)], False),  # long enough, but only two polls
        ([(0, NEW), (1, NEW), (2, NEW), (3, NEW)], False),  # often enough, in three hours
        ([(0, NEW), (12, NEW), (24, NEW)], True),
        ([(0, NEW), (12, NEW), (23.9, NEW)], False),
        ([(0, NEW), (12, NEW), (13, None), (24, NEW)], False),  # it was at home in between
        ([(0, NEW), (12, NEW), (13, OTHER), (24, NEW)], False),
        ([(0, OTHER), (12, NEW), (24, NEW), (30, NEW)], False),  # a day counts from its own first
        ([(0, OTHER), (12, NEW), (24, NEW), (36, NEW)], True),
        ([(0, NEW), (12, NEW), (24, NEW), (25, None)], False),
    ],
)
def test_three_good_polls_over_a_day_that_say_the_same(polls, believed):
    """Anything else is a captive portal, or somebody who changed their mind."""
    move = None
    for hours, moved_to in polls:
        now = NOW + timedelta(hours=hours)
        move = after(move, moved_to, now)
    assert lasts(move, NOW + timedelta(hours=polls[-1][0] if polls else 0)) is believed


def test_a_move_remembers_since_when():
    """What the page shows before it is believed."""
    move = after(after(None, NEW, NOW), NEW, NOW + timedelta(hours=1))
    assert move is not None
    assert (move.url, move.since, move.polls) == (NEW, NOW, 2)
