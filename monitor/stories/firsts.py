"""Who reported a story first, and how long before the others. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

SETTLED: Final = timedelta(days=1)
"""How old a story is when it is counted: who comes later than that was not in the race."""

BELIEVED: Final = timedelta(days=7)
"""A date so long before an article was first seen is of something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """An article of a story, as a publisher's feed listed it."""

    publisher: str
    published_at: datetime | None
    first_seen_at: datetime
    backlog: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How a publisher did: the first, by so long before the next; or so long after the first."""

    publisher: str
    first: bool
    by: timedelta


def race(sights: Iterable[Sight]) -> tuple[Place, ...]:
    """The places of a story's publishers, the first first; none unless there are several.

    A report is of its date, if that can be believed, else of when it was seen: which is none at
    all where the feed listed it already when it was polled first.
    """
    times: dict[str, datetime] = {}
    for each in sights:
        at = _time_of(each)
        if at is not None:
            times[each.publisher] = min(at, times.get(each.publisher, at))
    if len(times) < 2:
        return ()
    order = sorted(times.items(), key=lambda item: (item[1], item[0]))
    (winner, won), (_, next_at) = order[0], order[1]
    return (
        Place(publisher=winner, first=True, by=next_at - won),
        *(Place(publisher=name, first=False, by=at - won) for name, at in order[1:]),
    )


def _time_of(sight: Sight) -> datetime | None:
    published, seen = sight.published_at, sight.first_seen_at
    if published is not None and timedelta(0) <= seen - published <= BELIEVED:
        return published
    return None if sight.backlog else seen
