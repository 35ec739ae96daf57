"""How long news waits for its poll: ours beside its peers, at the same number of polls.

    python -m bench.polling [--corpus FOLDER] [--polls 48] [--rounds N] [--limit N] [--confirmed]

Two fleets of the corpus are replayed: the twelve feeds (`posting_times`, contiguous windows only,
one after the other, none of the time between them), and 56 outlets in the same ten days. Every way
of polling sees what its polls bring and nothing else, from the first poll of a window on: nothing
is trained before, and what ours learns, it learns from the polls that it makes. A feed of few days
counts as much as one of many: polls and items are those of its mean day.

All ways make the same number of polls in all. For that each has a knob (the interval, a factor, the
shortest wait, the price), which is set with hindsight; of a peer all variants are tried, and the
one with the least mean delay stands in the table. All are jittered as the service's polls are.
`by its price` is ours without hindsight: the outlets together, in the order of time, at the
price that the rhythms alone say each ten minutes.

A delay counts from when an item could be seen first to the poll that finds it. When was that? The
date of publication, except for `apnews_scraped`, where it is the scraper's clock and the list was
not there before its commit. Dates can be checked: an item that a snapshot taken after its date
doesn't list was not to be seen then. `--confirmed` leaves these items out.

The oracles know rates that nobody can know, and poll by the rule of ours: each feed's mean rate;
its mean day by hours; every single hour of the future. The second is fitted to the very items that
are judged, and so is the third with a few items an hour or none: the less there are, the more of
what they seem to know is the items themselves.

The last line is one JSON object.
"""

# ruff: noqa: ARG002 - all ways of polling are asked alike, whatever each makes of it
# mypy: disable-error-code="misc"

from __future__ import annotations

import argparse
import bisect
import csv
import gzip
import heapq
import json
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean
from typing import Any, Final, Protocol

from bench import options_of
from monitor.polling.retries import JITTER
from monitor.polling.rhythm import PRIOR, Rhythm, learn, mean_rate
from monitor.polling.schedule import LIMITS, PATIENCE, Price, demand, next_interval, price

DAY: Final = 86400.0
FASTEST: Final = LIMITS.fastest.total_seconds()
SLOWEST: Final = LIMITS.slowest.total_seconds()
SEED: Final = 7
REPRICED: Final = 600.0  # seconds
FEW: Final = 30  # items: with fewer a feed's mean delay is mostly chance


# --------------------------------------------------------------------------- what was posted


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time in which a feed was watched closely; seconds since 1970."""

    start: float
    end: float
    items: Sequence[tuple[float, float]]  # when it could be seen, what its date says; sorted
    listed: Sequence[float]  # dates of what it listed at the start


@dataclass(frozen=True, slots=True)
class Stream:
    """A feed."""

    name: str
    windows: Sequence[Window]
    confirmed: float  # share of its items that the first snapshot after their date lists

    @property
    def days(self) -> float:
        return sum(each.end - each.start for each in self.windows) / DAY

    @property
    def items(self) -> int:
        return sum(len(each.items) for each in self.windows)


Fleet = Sequence[Stream]


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def feeds(folder: Path, *, confirmed: bool) -> Iterator[Stream]:
    """Those of which snapshots tell when they were looked at."""
    for entry in json.loads((folder / "index.json").read_text(encoding="utf-8")):
        if "contiguous_windows" not in entry:
            continue
        path = folder / entry["file"]
        shots = sorted(
            seconds(row["snapshot_utc"])
            for row in rows(path.with_name(path.name.replace(".csv", ".snapshots.csv")))
        )
        dated = [
            (
                seconds(row["published_utc"]),
                seconds(row["first_seen_utc"]),
                seconds(row["last_seen_utc"]),
            )
            for row in rows(path)
        ]
        scraped = "scraped" in path.name
        windows, right, all_ = [], 0, 0
        for window in entry["contiguous_windows"]:
            start, end = seconds(window["start"]), seconds(window["end"])
            items = []
            for date, first, _ in dated:
                sight = first if scraped else date
                if start < sight <= end:
                    true = bisect.bisect_left(shots, first) <= bisect.bisect_right(shots, sight)
                    right, all_ = right + true, all_ + 1
                    if true or not confirmed:
                        items.append((sight, date))
            listed = sorted(
                date for date, first, last in dated if max(date, first) <= start <= last
            )
            windows.append(Window(start, end, sorted(items), listed))
        windows.sort(key=lambda each: each.start)
        yield Stream(path.name.split(".", 1)[0], windows, right / max(1, all_))


def outlets(folder: Path) -> list[Stream]:
    """Those of which only publication and an hourly sight are known: the same days for all."""
    by_name: dict[str, list[float]] = {}
    seen = []
    for row in rows(folder / "lede_56outlets_aug2026.csv.gz"):
        seen.append(seconds(row["first_seen_utc"]))
        by_name.setdefault(row["outlet"], []).append(seconds(row["published_utc"]))
    start, end = min(seen), max(seen)
    return [
        Stream(
            name,
            [
                Window(
                    start,
                    end,
                    sorted((date, date) for date in dates if start < date <= end),
                    sorted(date for date in dates if date <= start),
                )
            ],
            1.0,
        )
        for name, dates in sorted(by_name.items())
    ]


# --------------------------------------------------------------------------- ways to poll


class Way(Protocol):
    """One feed's poller. Both say how many seconds to wait, jitter aside."""

    def begin(self, window: Window) -> float: ...

    def after(self, at: float, before: float, found: Sequence[float]) -> float:
        """The next wait after a poll; `found` are the dates of its new items."""


Make = Callable[[Stream], Way]


@dataclass(slots=True)
class Fixed:
    interval: float

    def begin(self, window: Window) -> float:
        return self.interval

    def after(self, at: float, before: float, found: Sequence[float]) -> float:
        return self.interval


@dataclass(slots=True)
class EntryFrequency:
    """Miniflux's: a week's entries by their mean gap, times a factor, between two bounds."""

    factor: float
    least: float
    most: float
    dates: list[float] = field(default_factory=list)

    def begin(self, window: Window) -> float:
        self.dates = sorted(window.listed)
        return self._wait(window.start)

    def after(self, at: float, before: float, found: Sequence[float]) -> float:
        if found:
            self.dates = sorted([*self.dates, *found])
        return self._wait(at)

    def _wait(self, at: float) -> float:
        first = bisect.bisect_left(self.dates, at - 7 * DAY)
        last = bisect.bisect_right(self.dates, at)
        if first or last < len(self.dates):
            self.dates = self.dates[first:last]
        if len(self.dates) < 2:
            return self.most
        gap = (self.dates[-1] - self.dates[0]) / (len(self.dates) - 1)
        weekly = math.ceil(7 * DAY / gap) if gap else math.inf
        return min(self.most, max(self.least, 7 * DAY * self.factor / weekly))


@dataclass(slots=True)
class HalfGap:
    """A share of the mean gap between the last ten items, between two bounds."""

    share: float
    least: float
    most: float
    dates: list[float] = field(default_factory=list)

    def begin(self, window: Window) -> float:
        self.dates = []
        return self.after(window.start, window.start, window.listed)

    def after(self, at: float, before: float, found: Sequence[float]) -> float:
        self.dates = sorted([*self.dates, *found])[-10:]
        if len(self.dates) < 2:
            return self.most
        gap = (self.dates[-1] - self.dates[0]) / (len(self.dates) - 1)
        return min(self.most, max(self.least, self.share * gap))


@dataclass(slots=True)
class BackOff:
    """The shortest wait after news; longer and longer without."""

    shortest: float
    times: float  # so many times as long at the most
    up: float
    wait: float = 0.0

    def begin(self, window: Window) -> float:
        self.wait = self.shortest
        return self.wait

    def after(self, at: float, before: float, found: Sequence[float]) -> float:
        most = self.shortest * self.times
        self.wait = self.shortest if found else min(most, self.wait * self.up)
        return self.wait


def moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


@dataclass(slots=True)
class Ours:
    price: Price
    prior: float = PRIOR
    rhythm: Rhythm = field(default_factory=Rhythm)

    def begin(self, window: Window) -> float:
        before = None if self.rhythm.at is None else moment(self.rhythm.at)
        listed = [moment(date) for date in window.listed]
        self.rhythm = learn(self.rhythm, moment(window.start), before, listed, unseen=True)
        return self._wait(window.start)

    def after(self, at: float, before: float, found: Sequence[float]) -> float:
        if found:
            dates = [moment(date) for date in found]
            self.rhythm = learn(self.rhythm, moment(at), moment(before), dates)
        return self._wait(at)

    def _wait(self, at: float) -> float:
        wait = next_interval(self.rhythm, moment(at), self.price, prior=self.prior)
        return wait.total_seconds()


@dataclass(slots=True)
class Oracle:
    """The rule of ours, over rates that are known: `rates` a second in cells from `start` on."""

    theta: float
    know: Callable[[Window], tuple[float, Sequence[float]]]  # a cell's length, and their rates
    fair: float = math.inf
    start: float = 0.0
    cell: float = 0.0
    rates: Sequence[float] = ()

    def begin(self, window: Window) -> float:
        self.start = window.start
        self.cell, self.rates = self.know(window)
        return self._wait(window.start)

    def after(self, at: float, before: float, found: Sequence[float]) -> float:
        return self._wait(at)

    def _wait(self, since: float) -> float:
        step, got, at = 60.0, 0.0, since
        while at - since < SLOWEST:
            place = min(int((at - self.start) / self.cell), len(self.rates) - 1)
            rate = self.rates[place]
            is_enough = rate > 0 and got >= math.sqrt(2 * self.theta * rate)
            if is_enough and at - since >= FASTEST:
                break
            got += rate * step
            at += step
        return at - since


def of_the_mean(stream: Stream) -> Callable[[Window], tuple[float, Sequence[float]]]:
    rate = stream.items / (stream.days * DAY)
    return lambda window: (window.end - window.start, [rate])


def of_the_day(stream: Stream) -> Callable[[Window], tuple[float, Sequence[float]]]:
    hours = [0.0] * 24
    for window in stream.windows:
        for sight, _ in window.items:
            hours[int(sight % DAY // 3600)] += 1 / (stream.days * 3600)

    def know(window: Window) -> tuple[float, Sequence[float]]:
        cells = int((window.end - window.start) / 60) + 1
        return 60.0, [hours[int((window.start + 60 * n) % DAY // 3600)] for n in range(cells)]

    return know


def of_each_hour(_: Stream) -> Callable[[Window], tuple[float, Sequence[float]]]:
    def know(window: Window) -> tuple[float, Sequence[float]]:
        counts = [0] * (int((window.end - window.start) / 3600) + 3)
        for sight, _ in window.items:
            counts[int((sight - window.start) / 3600) + 1] += 1
        beside = zip(counts, counts[1:], counts[2:], strict=False)
        return 3600.0, [(a + 2 * b + c) / 4 / 3600 for a, b, c in beside]

    return know


# --------------------------------------------------------------------------- replay


@dataclass(slots=True)
class Outcome:
    """What became of a fleet; delays in seconds, by feed."""

    days: dict[str, float]
    polls: dict[str, int] = field(default_factory=dict)
    delays: dict[str, list[float]] = field(default_factory=dict)

    @property
    def polls_a_day(self) -> float:
        """Of a feed, on the average."""
        return mean(self.polls[name] / days for name, days in self.days.items())

    @property
    def delay(self) -> float:
        """Of an item, on the average of the fleet's day."""
        waited = sum(sum(self.delays[name]) / days for name, days in self.days.items())
        return waited / sum(len(self.delays[name]) / days for name, days in self.days.items())

    @property
    def p95(self) -> float:
        """Of the items of the fleet's day."""
        weighed = sorted(
            (delay, 1 / days) for name, days in self.days.items() for delay in self.delays[name]
        )
        left = 0.05 * sum(weight for _, weight in weighed)
        while weighed:
            delay, weight = weighed.pop()
            left -= weight
            if left <= 0:
                return delay
        return 0.0

    def by_feed(self) -> dict[str, float]:
        """Each one's mean delay, of those that posted."""
        return {name: mean(delays) for name, delays in self.delays.items() if delays}


def replay(fleet: Fleet, make: Make, rounds: int = 1) -> Outcome:
    """Every feed on its own, each round with another jitter."""
    outcome = Outcome({each.name: each.days * rounds for each in fleet})
    for each in fleet:
        polls, delays = 0, list[float]()
        for turn in range(rounds):
            dice = random.Random(f"{SEED} {turn} {each.name}")
            way = make(each)
            for window in each.windows:
                polls += watch(window, way, dice, delays)
        outcome.polls[each.name], outcome.delays[each.name] = polls, delays
    return outcome


def watch(window: Window, way: Way, dice: random.Random, delays: list[float]) -> int:
    """Polls that one window takes; what its items waited is added to `delays`."""
    items, place, polls, before = window.items, 0, 0, window.start
    at = before + way.begin(window) * dice.random()  # fleets don't start in step
    while True:
        first = place
        while place < len(items) and items[place][0] <= at:
            delays.append(at - items[place][0])
            place += 1
        if at > window.end:
            return polls
        polls += 1
        wait = way.after(at, before, [date for _, date in items[first:place]])
        before, at = at, at + wait * (1 + JITTER * dice.uniform(-1, 1))


def tuned(
    fleet: Fleet, polls: float, least: float, most: float, way: Callable[[float], Make]
) -> float:
    """The knob with which a way of polling makes so many polls a day; the higher, the fewer."""
    for _ in range(16):
        knob = math.sqrt(least * most)
        made = replay(fleet, way(knob)).polls_a_day
        if abs(made / polls - 1) < 0.002:
            break
        least, most = (knob, most) if made > polls else (least, knob)
    return knob


def in_time(fleet: Fleet, polls: float, patience: float) -> Outcome:
    """Ours without hindsight: all feeds in the order of time, at the price that rhythms say."""
    dice = random.Random(SEED)
    outcome = Outcome({each.name: each.days for each in fleet})
    per_minute = polls * len(fleet) / DAY * 60
    ways = {each.name: Ours(Price(1.0)) for each in fleet}
    windows = {each.name: each.windows[0] for each in fleet}
    start, end = fleet[0].windows[0].start, fleet[0].windows[0].end
    places = dict.fromkeys(ways, 0)
    before = dict.fromkeys(ways, start)
    queue: list[tuple[float, str]] = []
    outcome.polls = dict.fromkeys(ways, 0)
    outcome.delays = {name: [] for name in ways}
    current, prior, repriced = Price(1.0), PRIOR, -math.inf

    def reprice(at: float) -> None:
        nonlocal current, prior, repriced
        rhythms = [way.rhythm for way in ways.values()]
        prior = mean_rate(rhythms, moment(at))
        wanted = [demand(rhythm, moment(at), prior) for rhythm in rhythms]
        current, repriced = price(wanted, per_minute, patience), at
        for way in ways.values():
            way.price, way.prior = current, prior

    reprice(start)
    for name, way in ways.items():
        heapq.heappush(queue, (start + way.begin(windows[name]) * dice.random(), name))
    while queue:
        at, name = heapq.heappop(queue)
        items, place = windows[name].items, places[name]
        while place < len(items) and items[place][0] <= at:
            outcome.delays[name].append(at - items[place][0])
            place += 1
        if at > end:
            places[name] = place
            continue
        if at - repriced > REPRICED:
            reprice(at)
        outcome.polls[name] += 1
        found = [date for _, date in items[places[name] : place]]
        wait = ways[name].after(at, before[name], found)
        places[name], before[name] = place, at
        heapq.heappush(queue, (at + wait * (1 + JITTER * dice.uniform(-1, 1)), name))
    return outcome


# --------------------------------------------------------------------------- the contest


@dataclass(frozen=True, slots=True)
class Entrant:
    """A way of polling, with the knobs that it may be set to."""

    name: str
    peer: bool
    least: float
    most: float
    variants: Sequence[tuple[str, Callable[[float], Make]]]


def entrants(polls: float) -> list[Entrant]:
    even = DAY / polls
    minute = 60.0
    bounds = [(5 * minute, hi * minute) for hi in (60, 120, 360, 1440) if hi * minute > even]
    return [
        Entrant("fixed interval", False, 60, DAY, [("", lambda knob: lambda _: Fixed(knob))]),
        Entrant(
            "entry frequency",
            True,
            1e-3,
            1e2,
            [
                (
                    f"{lo / 60:g} min … {hi / 60:g} min",
                    lambda knob, lo=lo, hi=hi: lambda _: EntryFrequency(knob, lo, hi),
                )
                for lo, hi in bounds
            ],
        ),
        Entrant(
            "half the average gap",
            True,
            1e-3,
            1e2,
            [
                (
                    f"{lo / 60:g} min … {hi / 60:g} min",
                    lambda knob, lo=lo, hi=hi: lambda _: HalfGap(knob, lo, hi),
                )
                for lo, hi in bounds[:2]
            ],
        ),
        Entrant(
            "back-off",
            True,
            30,
            DAY,
            [
                (
                    f"x {up:g} up to x {times:g}",
                    lambda knob, times=times, up=up: lambda _: BackOff(knob, times, up),
                )
                for times, up in ((2, 1.5), (4, 1.5), (4, 2), (6, 1.5), (16, 1.5))
            ],
        ),
        Entrant(
            "ours",
            False,
            1,
            1e5,
            [("", lambda knob: lambda _: Ours(Price(knob, PATIENCE * even)))],
        ),
        Entrant("ours, patient", False, 1, 1e5, [("", lambda knob: lambda _: Ours(Price(knob)))]),
        *(
            Entrant(
                f"oracle: {what}",
                False,
                0.1,
                1e5,
                [("", lambda knob, know=know: lambda stream: Oracle(knob, know(stream)))],
            )
            for what, know in (
                ("mean rate", of_the_mean),
                ("mean day", of_the_day),
                ("each hour", of_each_hour),
            )
        ),
    ]


def told(name: str, outcome: Outcome, fixed: Outcome, fleet: Fleet, variant: str) -> dict[str, Any]:
    """Print a row, and give it."""
    even = fixed.by_feed()
    many = {each.name for each in fleet if each.items >= FEW}
    times = {which: delay / even[which] for which, delay in outcome.by_feed().items()}
    worst = max(times, key=lambda which: times[which])
    known = max(
        (which for which in times if which in many), key=lambda which: times[which], default=worst
    )
    row = {
        "polls_a_day": round(outcome.polls_a_day, 2),
        "mean_min": round(outcome.delay / 60, 3),
        "p95_min": round(outcome.p95 / 60, 2),
        "of_fixed": round(outcome.delay / fixed.delay, 4),
        "mean_of_feeds_min": round(mean(outcome.by_feed().values()) / 60, 3),
        "worst_of_fixed": [worst, round(times[worst], 3)],
        "worst_of_those_with_30_items": [known, round(times[known], 3)],
        "variant": variant,
    }
    print(
        f"  {name:22}{row['polls_a_day']:7.1f}{row['mean_min']:8.2f}{row['p95_min']:8.1f}"
        f"{row['of_fixed']:8.3f}{row['mean_of_feeds_min']:8.1f}"
        f"{times[known]:7.2f} {known:18}{times[worst]:7.2f} {worst:18} {variant}",
        flush=True,
    )
    return row


def contest(fleet: Fleet, polls: float, rounds: int, *, together: bool) -> dict[str, Any]:
    print(
        f"  {'':22}{'polls':>7}{'mean':>8}{'p95':>8}{'x fixed':>8}{'feeds':>8}"
        f"   worst feed of {FEW} items    of all"
    )
    found: dict[str, Any] = {}
    details: dict[str, Outcome] = {}
    fixed: Outcome | None = None
    for entrant in entrants(polls):
        tried = []
        for variant, way in entrant.variants:
            knob = tuned(fleet, polls, entrant.least, entrant.most, way)
            outcome = replay(fleet, way(knob))
            if abs(outcome.polls_a_day / polls - 1) < 0.02:  # else its bounds don't allow it
                tried.append((outcome.delay, variant, way(knob)))
        if not tried:
            print(f"  {entrant.name}: can't make so many polls")
            continue
        _, variant, make = min(tried, key=lambda each: each[:2])
        outcome = replay(fleet, make, rounds)
        fixed = fixed or outcome
        details[entrant.name] = outcome
        found[entrant.name] = told(entrant.name, outcome, fixed, fleet, variant)
        found[entrant.name]["peer"] = entrant.peer
    assert fixed is not None
    if together:
        for name, patience in (("by its price", PATIENCE), ("by its price, patient", math.inf)):
            outcome = in_time(fleet, polls, patience)
            found[name] = told(name, outcome, fixed, fleet, "")
    print("\n  mean and p95 delay in minutes, feed by feed, and of ours / fixed")
    for each in fleet:
        ours, even = details["ours"].delays[each.name], details["fixed interval"].delays[each.name]
        if even:
            print(
                f"    {each.name:20}{each.items / each.days:7.1f} a day{each.days:7.1f} days"
                f"{mean(even) / 60:8.1f}{p95(even) / 60:8.1f}"
                f"{mean(ours) / 60:8.1f}{p95(ours) / 60:8.1f}{mean(ours) / mean(even):8.2f}"
            )
    return found


def p95(delays: Sequence[float]) -> float:
    return sorted(delays)[int(0.95 * len(delays))] if delays else 0.0


def judged(what: str, value: float, limit: float) -> dict[str, Any]:
    reached = value <= limit
    print(f"  {'PASS' if reached else 'FAIL'}  {what}: {value:.3f} (wanted: <= {limit:g})")
    return {"target": what, "limit": limit, "measured": round(value, 4), "reached": reached}


def targets(name: str, found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    ours = found["ours"]
    best = min(row["mean_min"] for row in found.values() if row.get("peer"))
    yield judged(f"{name}: mean delay, of a fixed interval's", ours["of_fixed"], 0.55)
    yield judged(f"{name}: mean delay, of the best peer's", ours["mean_min"] / best, 0.7)
    yield judged(f"{name}: the worst feed's, of its fixed one", ours["worst_of_fixed"][1], 1.5)


def options() -> argparse.Namespace:
    parser = options_of(__doc__)
    parser.add_argument("--polls", type=float, default=48, help="of a feed a day, on the average")
    parser.add_argument(
        "--rounds", type=int, default=3, help="replays that a figure is the mean of"
    )
    parser.add_argument("--limit", type=int, default=None, help="feeds of each fleet, at most")
    parser.add_argument("--confirmed", action="store_true", help="only items with a true date")
    return parser.parse_args()


def main() -> None:
    given = options()
    folder = given.corpus / "posting_times"
    twelve = list(feeds(folder, confirmed=given.confirmed))
    print("Items that the first snapshot after their date lists: ", end="")
    print(", ".join(f"{each.name} {each.confirmed:.0%}" for each in twelve))
    result: dict[str, Any] = {"bench": "polling", "polls": given.polls, "rounds": given.rounds}
    verdicts = []
    for name, fleet in (("feeds", twelve), ("outlets", outlets(folder))):
        chosen = [each for each in fleet if each.items][: given.limit]
        print(f"\n{len(chosen)} {name}, {given.polls:g} polls a day each, on the average")
        result[name] = contest(chosen, given.polls, given.rounds, together=name == "outlets")
        verdicts += list(targets(name, result[name]))
    print(json.dumps({**result, "targets": verdicts}))


if __name__ == "__main__":
    main()
