"""Is this more than usual? Stories that begin for a watch, held against the same hour of the week.

What a watch usually brings is learned from the hours before (`learn`): of this hour of the week, and
as long as there are few of those, of this hour of any day. News comes in bursts, so a count is held
against a negative binomial distribution, whose spread is learned from how far each of those hours
was from what the others would have said of it; by a Poisson law every busy morning would be news.

Hours in which the service read nothing count for nothing: a week without it is no week without
news. How far back the baseline goes is measured by the hours that are left, and said with it.

Counted are stories, each once, when the first of its articles that is fresh matched. Times are
whole quarters and hours since 1970, in UTC.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from monitor.model import Sensitivity, SpikeRule, StoryId

HOUR: Final = timedelta(hours=1)
QUARTER: Final = timedelta(minutes=15)
WINDOWS: Final = (QUARTER, HOUR)
"""What is looked at: a burst of minutes, and one that builds up."""

SPAN: Final = timedelta(days=28)
"""How far back the baseline goes: four of each hour of the week."""

NEEDED: Final = timedelta(days=14)
"""Below this much of it nothing is guessed: two of each hour of the week."""

PUBLISHERS: Final = 2
"""One outlet that posts much is no event."""

CHANCE: Final[Mapping[Sensitivity, float]] = {"low": 1e-6, "normal": 2e-5, "high": 5e-4}
"""The probability of such a count at a usual time, below which it is a spike. Measured
(bench/spikes.py): what that means in false alarms a month."""

LIFT: Final = 2.0
"""How many times as much as usual it must be: of a hundred stories, thirty more are no event."""

_WEEK = 168  # hours
_OTHER_WEEKS = tuple(week * _WEEK for week in range(-3, 4) if week)
_LIKE_THIS_HOUR = ((-1, 0.5), (0, 1.0), (1, 0.5))  # those beside it tell something of it
_DAYS_WEIGHT = 2.0  # what other days say of an hour weighs as much as so many of itself
_ALL_WEIGHT = 1.0  # and what all hours say
_EVEN = 0.25  # the spread (variance over mean², beyond Poisson's) where nothing is known,
_EVEN_WEIGHT = 10.0  # which counts as much as this sum of squared means
_LEAST_SPREAD = 0.05
_NO_SPREAD = 1e-6
_LEVEL_HOURS = 24  # by what came in these, what is usual is raised, where it was more;
_LEVEL_WEIGHT = 4.0  # so many stories as usual are added to both, against chance
_OUTLIER = 1e-4  # an hour as improbable was a spike itself: no measure of what is usual


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """A story that a watch has just begun to find."""

    story: StoryId
    at: datetime
    publishers: frozenset[str]  # who reports it; of what an agency wrote, the agency
    title: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What a watch brought before."""

    begun: Mapping[int, int]  # stories that began, by quarter; none where there were none
    hours: Collection[int]  # in which anything was read at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a watch usually brings."""

    rates: Sequence[float]  # stories an hour, by hour of the week; from Thursday 00:00, as 1970 did
    spreads: Mapping[timedelta, float]  # by window: variance over mean², beyond Poisson's
    span: timedelta  # of the hours that it was learned from

    @property
    def is_enough(self) -> bool:
        """Whether anything can be judged by it."""
        return self.span >= NEEDED

    @property
    def shortfall(self) -> str | None:
        """What to say where it is not enough: "too little history: 6 of 14 days"."""
        if self.is_enough:
            return None
        return f"too little history: {self.span // timedelta(days=1)} of {NEEDED.days} days"

    def usual(self, until: datetime, window: timedelta) -> float:
        """How many stories usually begin in a window that ends then."""
        return sum(share * self.rates[hour % _WEEK] for hour, share in _shares(until, window))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """Far more than usual."""

    window: timedelta
    stories: Sequence[Began]  # newest first
    usual: float
    chance: float  # of so many at a usual time
    span: timedelta  # of the baseline

    @property
    def publishers(self) -> tuple[str, ...]:
        """Who reports them, those with most stories first."""
        counted: dict[str, int] = defaultdict(int)
        for began in self.stories:
            for publisher in sorted(began.publishers):
                counted[publisher] += 1
        return tuple(sorted(counted, key=lambda name: (-counted[name], name)))

    @property
    def lift(self) -> float:
        """How many times as many as usual."""
        return len(self.stories) / self.usual


def judge(
    baseline: Baseline,
    recent: Iterable[Began],
    rule: SpikeRule,
    now: datetime,
    told_at: datetime | None = None,
) -> Spike | None:
    """The spike that there is at this moment, by the window in which it is least probable.

    `recent` are the stories that began within the last hour, or more; `told_at`, when people were
    told of this watch's last spike. None below `NEEDED`, `PUBLISHERS` or the rule's own least
    number of stories, and while the rule's cool-down runs.
    """
    if not baseline.is_enough or (told_at is not None and now - told_at < rule.cooldown):
        return None
    newest = sorted(recent, key=lambda began: (began.at, began.story), reverse=True)
    found: Spike | None = None
    for window in WINDOWS:
        inside = [began for began in newest if now - window < began.at <= now]
        usual = baseline.usual(now, window)
        if len(inside) < max(rule.stories, LIFT * usual):
            continue
        if len(frozenset().union(*(began.publishers for began in inside))) < PUBLISHERS:
            continue
        chance = at_least(len(inside), usual, baseline.spreads[window])
        if chance <= CHANCE[rule.sensitivity] and (found is None or chance < found.chance):
            found = Spike(
                window=window, stories=inside, usual=usual, chance=chance, span=baseline.span
            )
    return found


def learn(history: History, now: datetime) -> Baseline:
    """What is usual, by the whole hours before the last one.

    Hours that were spikes themselves are left out, once it is seen which ones they were; what came
    at the same hour of another week, too, was none. If more than usual came all day, for a watch was
    edited, feeds were added, or a war has begun, more than that is a spike.
    """
    last = hour_of(now - HOUR)
    first = hour_of(now - SPAN)
    hours = {hour for hour in history.hours if first <= hour < last}
    counts = {
        hour: sum(history.begun.get(4 * hour + part, 0) for part in range(4)) for hour in hours
    }
    span = timedelta(hours=len(hours))
    guess = _Usual(counts)
    spread = _spread((count, guess.without(hour)) for hour, count in counts.items())
    kept = {
        hour: count
        for hour, count in counts.items()
        if count < 2
        or at_least(count, guess.without(hour), spread) > _OUTLIER
        or any(2 * counts.get(hour + week, 0) >= count for week in _OTHER_WEEKS)
    }
    usual = _Usual(kept)
    by_hour = _spread((count, usual.without(hour)) for hour, count in kept.items())
    by_quarter = _spread(
        (history.begun.get(4 * hour + part, 0), usual.without(hour) / 4)
        for hour in kept
        for part in range(4)
    )
    level = _level(counts, usual, last)
    return Baseline(
        rates=tuple(level * usual.of(hour) for hour in range(_WEEK)),
        spreads={HOUR: by_hour, QUARTER: by_quarter},
        span=span,
    )


def at_least(count: int, mean: float, spread: float) -> float:
    """The probability of `count` or more where `mean` is usual: negative binomial.

    Its variance is mean + spread · mean²; without spread (below 1e-6) it is Poisson's. Summed term by term from
    the count upwards (from 0 where that is shorter), the first by its logarithm, so that it is
    right far below 1e-16.
    """
    if count <= 0:
        return 1.0
    if mean <= 0.0:
        return 0.0
    if count <= mean:
        return max(0.0, 1.0 - sum(_terms(0, count, mean, spread)))
    total = 0.0
    for term in _terms(count, None, mean, spread):
        total += term
        if term <= total * 1e-15:
            break
    return min(total, 1.0)


def hour_of(at: datetime) -> int:
    """The hour since 1970 that a time is in."""
    return int(at.timestamp()) // 3600


def quarter_of(at: datetime) -> int:
    """The quarter of an hour since 1970 that a time is in."""
    return int(at.timestamp()) // 900


def start_of(hour: int) -> datetime:
    """When an hour since 1970 began."""
    return datetime.fromtimestamp(hour * 3600, UTC)


class _Usual:
    """How many stories an hour brings, by what other hours brought."""

    def __init__(self, counts: Mapping[int, int]) -> None:
        self._counts = counts
        self._week: dict[int, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
        self._day: dict[int, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
        for hour, count in counts.items():
            for beside, weight in _LIKE_THIS_HOUR:
                _add(self._week, (hour + beside) % _WEEK, weight * count, weight)
                _add(self._day, (hour + beside) % 24, weight * count, weight)
        # one story more than there were: who has seen none can't know that there are none
        self._all = (sum(counts.values()) + 1.0) / max(len(counts), 1)

    def of(self, hour: int) -> float:
        """By all hours."""
        return self._by(hour, 0.0, 0.0)

    def without(self, hour: int) -> float:
        """By all hours but this one of them and those beside it, which are of one burst with it."""
        less = fewer = 0.0
        for beside, weight in _LIKE_THIS_HOUR:
            count = self._counts.get(hour + beside)
            if count is not None:
                less, fewer = less + weight * count, fewer + weight
        return self._by(hour, less, fewer)

    def _by(self, hour: int, less: float, fewer: float) -> float:
        stories, hours = self._day[hour % 24]
        of_day = (stories - less + _ALL_WEIGHT * self._all) / (hours - fewer + _ALL_WEIGHT)
        stories, hours = self._week[hour % _WEEK]
        return (stories - less + _DAYS_WEIGHT * of_day) / (hours - fewer + _DAYS_WEIGHT)


def _level(counts: Mapping[int, int], usual: _Usual, last: int) -> float:
    """How many times as much as usual the last day brought; 1 at least."""
    day = [hour for hour in range(last - _LEVEL_HOURS, last) if hour in counts]
    brought = sum(counts[hour] for hour in day) + _LEVEL_WEIGHT
    return max(1.0, brought / (sum(usual.of(hour) for hour in day) + _LEVEL_WEIGHT))


def _add(sums: dict[int, tuple[float, float]], key: int, stories: float, hours: float) -> None:
    before = sums[key]
    sums[key] = (before[0] + stories, before[1] + hours)


def _spread(counted: Iterable[tuple[int, float]]) -> float:
    """How far counts are from their means, beyond Poisson's law: by the method of moments."""
    excess = squares = 0.0
    for count, mean in counted:
        excess += (count - mean) ** 2 - mean
        squares += mean * mean
    return max(_LEAST_SPREAD, (excess + _EVEN * _EVEN_WEIGHT) / (squares + _EVEN_WEIGHT))


def _terms(first: int, end: int | None, mean: float, spread: float) -> Iterator[float]:
    """Probabilities of `first`, `first` + 1, … up to `end`, not included."""
    if spread < _NO_SPREAD:
        log = first * math.log(mean) - mean - math.lgamma(first + 1)
        size, odds = 0.0, 0.0
    else:
        size = 1.0 / spread
        odds = mean / (mean + size)
        log = (
            math.lgamma(first + size)
            - math.lgamma(size)
            - math.lgamma(first + 1)
            + size * math.log(size / (mean + size))
            + first * math.log(odds)
        )
    term, count = math.exp(log), first
    while end is None or count < end:
        yield term
        count += 1
        term *= mean / count if size == 0.0 else odds * (count - 1 + size) / count


def _shares(until: datetime, window: timedelta) -> Iterator[tuple[int, float]]:
    """The hours that a window touches, and how much of each."""
    end, at = until.timestamp() / 3600, (until - window).timestamp() / 3600
    while at < end:
        hour = math.floor(at)
        beyond = min(end, hour + 1.0)
        yield hour, beyond - at
        at = beyond
