"""When a feed is polled next, so that a budget of polls buys the least delay. Pure.

The delay of an item is the time from its publication to the poll that finds it. Of a feed that
posts at a rate r, polled every t seconds, items wait r t / 2 seconds in each second; a poll costs
one. With one price θ (item-seconds a poll) for all feeds, both together are least at
t = √(2θ/r): the square-root rule (Sia and Cho, 2007), where polling in proportion to the rate is
no better than polling all feeds alike.

Where the rate changes, the next poll is due when the items that are to be expected by then,
∫ r = √(2θ r): the same where r stays, and the condition of Sia and Cho for neighbouring polls,
with the interval that follows taken from its own rate. So a poll waits while a rush comes in, and
is there just behind it; and a feed that sleeps is asked before its morning and not after. On twelve
feeds the delay is .816 of a fixed interval's with it, .828 by the rate of the moment and .830 where
the waiting itself, ∫∫ r, is to reach θ (with a profile of hours; `rhythm` tells of the rest).

The price is such that all polls together meet the budget. They do so by the mean over the day:
where all the world is awake there are more of them than at night.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from monitor.polling.rhythm import SLOT, Expectation, Rhythm, expectation


@dataclass(frozen=True, slots=True)
class Limits:
    """How near to each other, and how far apart, polls of a feed may be."""

    fastest: timedelta = timedelta(minutes=2)
    slowest: timedelta = timedelta(hours=6)


LIMITS: Final = Limits()


PATIENCE: Final = 1.5
"""How many times as long as with equal shares of the budget the items of any feed may wait."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a feed wants of the budget."""

    pace: float  # items a second, as if they came steadily
    weight: float = 1.0  # how many times as bad a delay of its items is
    limits: Limits = LIMITS
    claim: float = 0.0  # 0 … 1: the share of an even interval's polls that give the same delay


@dataclass(frozen=True, slots=True)
class Price:
    """What a poll has to bring, for all feeds alike."""

    theta: float  # seconds, summed over items, that they would have waited longer
    fair: float = math.inf  # seconds: no feed waits longer than polled as often, evenly


def demand(
    rhythm: Rhythm, now: datetime, prior: float, weight: float = 1.0, limits: Limits = LIMITS
) -> Demand:
    """The demand of a feed with this rhythm; `prior` is the fleet's rate, items a second."""
    seen = expectation(rhythm, now, prior)
    pace = seen.pace
    return Demand(pace, weight, limits, _claim(seen, pace))


def price(demands: Sequence[Demand], per_minute: float, patience: float = PATIENCE) -> Price:
    """The price at which the polls of all feeds are so many a minute.

    Polls rise with x = 1/√(2θ), for each feed in a straight line between the limits it has: so the
    sum is a broken line, and is followed from corner to corner. Out of reach, when all feeds are
    as slow, or as fast, as they may be, it is the price at which the last of them came to be so.
    `patience` bounds a feed's delay, in multiples of that of equal shares; infinite: not at all.
    """
    budget = per_minute / 60
    fair = patience * len(demands) / budget
    corners: list[tuple[float, float]] = []  # where a slope changes, and by how much
    polls = 0.0
    for each in demands:
        most = 1 / each.limits.fastest.total_seconds()
        least = min(most, max(1 / each.limits.slowest.total_seconds(), each.claim / fair))
        polls += least
        slope = math.sqrt(each.weight * each.pace)
        if slope > 0:
            corners += ((least / slope, slope), (most / slope, -slope))
    corners.sort()
    at, slope = corners[0][0] if corners else 1.0, 0.0
    for corner, change in corners:
        rise = slope * (corner - at)
        if polls + rise >= budget:
            at += (budget - polls) / slope if slope > 0 else 0.0
            break
        polls, at, slope = polls + rise, corner, slope + change
    return Price(1 / (2 * at * at), fair)


def next_interval(
    rhythm: Rhythm,
    now: datetime,
    price: Price,
    *,
    prior: float,
    weight: float = 1.0,
    limits: Limits = LIMITS,
) -> timedelta:
    """How long after a good poll the feed is polled again; jitter and hints come on top.

    `prior` is the fleet's rate, items a second. An unlearned feed is polled as one of the mean.
    """
    seen = expectation(rhythm, now, prior)
    theta = price.theta / weight if weight > 0 else math.inf
    if price.fair < math.inf:
        pace = seen.pace
        wanted, claim = math.sqrt(pace / (2 * theta)), _claim(seen, pace) / price.fair
        if claim > wanted:
            theta *= (wanted / claim) ** 2
    start = now.timestamp()
    fastest, slowest = limits.fastest.total_seconds(), limits.slowest.total_seconds()
    found, at, end = 0.0, start, start + slowest
    while at < end:
        until = min(end, at - at % SLOT + SLOT)
        rate = seen.at(at)
        enough = math.sqrt(2 * theta * rate)
        if found + rate * (until - at) >= enough:
            at += max(0.0, enough - found) / rate
            break
        found += rate * (until - at)
        at = max(until, at + 1e-3)
    return timedelta(seconds=min(max(at - start, fastest), slowest))


def _claim(seen: Expectation, pace: float) -> float:
    """The polls that this feed needs for the mean delay of an even interval, for each of its own.

    The more it posts by the clock, the fewer. A feed of which nothing was found lately has
    nothing that could be late.
    """
    return pace / seen.rate * min(1.0, seen.known)
