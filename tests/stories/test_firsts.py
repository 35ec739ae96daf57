"""Who had a story first: by dates that can be believed, else by when it was seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.stories.firsts import Sight, race

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def sight(publisher: str, published: int | None, seen: int, *, backlog: bool = False) -> Sight:
    """A report, in minutes after noon."""
    return Sight(
        publisher=publisher,
        published_at=None if published is None else NOON + published * MINUTE,
        first_seen_at=NOON + seen * MINUTE,
        backlog=backlog,
    )


@pytest.mark.parametrize(
    ("sights", "places"),
    [
        ([], []),
        ([sight("A", 0, 3), sight("A", 5, 6)], []),
        ([sight("A", 4, 5), sight("B", 0, 9)], [("B", True, 4), ("A", False, 4)]),
        # the first of a publisher's reports counts
        ([sight("A", 0, 1), sight("B", 9, 9), sight("B", 2, 4)], [("A", True, 2), ("B", False, 2)]),
        # no date, or one in the future, or of last year: when it was seen
        ([sight("A", None, 3), sight("B", 99, 7)], [("A", True, 4), ("B", False, 4)]),
        ([sight("A", -500_000, 3), sight("B", 1, 7)], [("B", True, 2), ("A", False, 2)]),
        # what was there when its feed was polled first was seen at no time of its own
        ([sight("A", None, 3, backlog=True), sight("B", 1, 7)], []),
        ([sight("A", 0, 3, backlog=True), sight("B", 1, 7)], [("A", True, 1), ("B", False, 1)]),
        (
            [sight("C", 9, 9), sight("A", 0, 3), sight("B", 1, 7)],
            [("A", True, 1), ("B", False, 1), ("C", False, 9)],
        ),
    ],
)
def test_a_race(sights: list[Sight], places: list[tuple[str, bool, int]]) -> None:
    """The first is ahead of the next; the others are behind the first."""
    found = [(each.publisher, each.first, each.by // MINUTE) for each in race(sights)]
    assert found == places
