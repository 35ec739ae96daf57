"""Spikes on invented watches: how often nothing is told as one, and how soon a burst is.

    python -m bench.spikes [--days N] [--seed N] [--corpus FOLDER] [--limit N]

A watch's stories begin at a rate that rises and falls with the hour of the day and the day of the
week, and that is bursty beyond that: each hour's rate is multiplied by chance, and the chance of
one hour is like that of the hour before (a gamma law whose variance is `--spread`, mixed with its
past). Everything told in months of that is a false alarm. Then, at random times, something happens:
for an hour, stories begin at many times the rate; what is measured is after how many minutes and
how many stories people are told.

Then the headlines of real outlets in the summer of 2020 are replayed, by their times of publication,
for a few watches, each headline as a story of its own. What is told is listed with its figures: the
explosion in Beirut was at 15:08 UTC on 4 August, George Floyd died in the night to 26 May.

What the numbers mean: false alarms a month and watch, by sensitivity; of the bursts, the share that
was told within the hour, with the median minutes and stories until then, at normal sensitivity. The
last line is one JSON object.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import random
import statistics
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

from bench import options_of
from monitor.match import Document, compile_watches
from monitor.model import Sensitivity, SpikeRule, StoryId, Watch
from monitor.telling.spikes import (
    HOUR,
    SPAN,
    Baseline,
    Began,
    History,
    hour_of,
    judge,
    learn,
    quarter_of,
    start_of,
)

Row = dict[str, Any]

RATES = (0.1, 0.5, 2.0, 8.0, 30.0)  # stories an hour, on the average
BURSTS = (5.0, 10.0, 30.0)  # times the usual rate, but no fewer than 12 stories in the hour
OUTLETS = tuple(f"Outlet {number}" for number in range(12))
START = datetime(2025, 1, 6, tzinfo=UTC)  # a Monday


def main() -> None:
    options = options_of(__doc__)
    options.add_argument("--days", type=int, default=180, help="of each watch, beside its history")
    options.add_argument("--spread", type=float, default=0.3)
    options.add_argument("--bursts", type=int, default=60, help="of each kind and watch")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--limit", type=int, help="so many rates, and no headlines")
    given = options.parse_args()
    print(f"{given.days} days a watch, spread {given.spread}, seed {given.seed}\n")
    head = "".join(f"{name:>9}" for name in get_args(Sensitivity))
    bursts = "".join(f"{f'× {times:g}: told, min, stories':>30}" for times in BURSTS)
    print(f"stories/h{head}{bursts}   learn ms")
    rows = []
    for rate in RATES[: given.limit] if given.days else ():
        rows.append(row(rate, given.days, given.spread, given.bursts, random.Random(given.seed)))
        print(_line(rows[-1]), flush=True)
    if given.limit is None:
        print("\nheadlines, a month; what is told\n")
        replay(headlines(given.corpus / "posting_times"))
    print(json.dumps({"bench": "spikes", "days": given.days, "rates": rows}))


def _line(found: Row) -> str:
    alarms = "".join(f"{number:9.2f}" for number in found["alarms_a_month"].values())
    bursts = "".join(
        f"{each['told']:>12.0%}, {each['minutes']:5.0f} min, {each['stories']:4.0f}"
        if each["told"]
        else f"{'none':>30}"
        for each in found["bursts"].values()
    )
    return f"{found['stories_an_hour']:9}{alarms}{bursts}{found['learn_ms']:11.1f}"


def row(rate: float, days: int, spread: float, bursts: int, chance: random.Random) -> Row:
    """One watch's line of the table."""
    begun = stories(rate, days + SPAN.days, spread, chance)
    first = hour_of(START + SPAN)
    counted = Counter(quarter_of(story.at) for story in begun)
    watched = range(hour_of(START), hour_of(START) + 24 * (days + SPAN.days))
    took = []
    usual: dict[int, Baseline] = {}
    for hour in range(first, watched.stop):
        history = History(begun=counted, hours=range(hour - 24 * SPAN.days, hour))
        since = time.process_time()
        usual[hour] = learn(history, start_of(hour))
        took.append(time.process_time() - since)
    return {
        "stories_an_hour": rate,
        "alarms_a_month": {
            sensitivity: told(begun, usual, SpikeRule(sensitivity=sensitivity)) / days * 30
            for sensitivity in get_args(Sensitivity)
        },
        "bursts": {
            f"{times:g}": burst(begun, usual, rate, times, bursts, chance) for times in BURSTS
        },
        "learn_ms": round(statistics.mean(took) * 1000, 2),
    }


def stories(rate: float, days: int, spread: float, chance: random.Random) -> list[Began]:
    """Everything that begins, oldest first."""
    begun: list[Began] = []
    noise = 1.0
    for hour in range(24 * days):
        noise = 0.6 * noise + 0.4 * chance.gammavariate(SHARP / spread, spread / SHARP)
        begun += within(START + hour * HOUR, rate * profile(hour) * noise, chance)
    return [
        Began(story=StoryId(n), at=story.at, publishers=story.publishers)
        for n, story in enumerate(sorted(begun, key=lambda story: story.at))
    ]


SHARP = 0.25
"""Mixed with its past as it is, the noise's variance is a quarter of that of each hour's own part."""


def profile(hour: int) -> float:
    """How busy an hour is: the evening's peak is three times the night, the weekend half as busy."""
    day = 1.0 + 0.5 * math.sin((hour % 24 - 10) / 24 * 2 * math.pi)
    return day * (0.6 if hour // 24 % 7 >= 5 else 1.16)


def within(hour: datetime, mean: float, chance: random.Random) -> list[Began]:
    """The stories of an hour in which so many are to be expected."""
    return [
        Began(
            story=StoryId(0),
            at=hour + timedelta(seconds=chance.random() * 3600),
            publishers=frozenset({chance.choice(OUTLETS)}),
        )
        for _ in range(poisson(mean, chance))
    ]


def poisson(mean: float, chance: random.Random) -> int:
    """A number by Poisson's law: by the waiting times (exact, and fast enough here)."""
    count, at = 0, chance.expovariate(1.0)
    while at < mean:
        count, at = count + 1, at + chance.expovariate(1.0)
    return count


def told(begun: Sequence[Began], usual: dict[int, Baseline], rule: SpikeRule) -> int:
    """How many spikes are told: a count rises only when a story begins, so it is judged then."""
    times = [story.at for story in begun]
    spikes, told_at = 0, None
    for at, story in enumerate(begun):
        baseline = usual.get(hour_of(story.at))
        if baseline is None:
            continue
        recent = begun[bisect_right(times, story.at - HOUR) : at + 1]
        if judge(baseline, recent, rule, story.at, told_at) is not None:
            spikes, told_at = spikes + 1, story.at
    return spikes


def burst(
    begun: Sequence[Began],
    usual: dict[int, Baseline],
    rate: float,
    times: float,
    number: int,
    chance: random.Random,
) -> Row:
    """The share of so many bursts that is told, and the medians of how soon."""
    at = [story.at for story in begun]
    minutes, needed = [], []
    for hour in chance.sample(sorted(usual), number):
        start = start_of(hour) + timedelta(minutes=chance.uniform(0, 59))
        more = max(12.0, times * rate * profile(hour - hour_of(START)))
        extra = [
            Began(story=StoryId(-1 - n), at=story.at, publishers=story.publishers)
            for n, story in enumerate(within(start, more, chance))
        ]
        around = [*begun[bisect_right(at, start - HOUR) : bisect_right(at, start + HOUR)], *extra]
        around.sort(key=lambda story: story.at)
        for n, story in enumerate(around):
            baseline = usual.get(hour_of(story.at))
            if story.at < start or baseline is None:
                continue
            recent = [other for other in around[: n + 1] if other.at > story.at - HOUR]
            if judge(baseline, recent, SpikeRule(), story.at):
                minutes.append((story.at - start).total_seconds() / 60)
                needed.append(sum(other.story < 0 for other in around[: n + 1]))
                break
    if not minutes:
        return {"told": 0.0}
    return {
        "told": len(minutes) / number,
        "minutes": statistics.median(minutes),
        "stories": statistics.median(needed),
    }


# ------------------------------------------------------------------------------ real headlines

SUMMER = (datetime(2020, 4, 20, tzinfo=UTC), datetime(2020, 9, 1, tzinfo=UTC))
WATCHES = (
    Watch(name="Beirut", terms=("Beirut", "Lebanon")),
    Watch(name="Blasts", terms=("explosion", "blast")),
    Watch(name="Minneapolis", terms=("Minneapolis", "George Floyd", "Minnesota")),
    Watch(name="Quakes", terms=("earthquake", "tsunami")),
    Watch(name="Police", terms=("police",)),
    Watch(name="President", terms=("Trump",)),
    Watch(name="Virus", terms=("coronavirus", "COVID-19", "COVID", "virus")),
)


def headlines(folder: Path) -> list[tuple[datetime, str, str]]:
    """When, by whom, what: each headline of an outlet once, oldest first."""
    found: dict[tuple[str, str], datetime] = {}
    for file in sorted(folder.glob("*.csv.gz")):
        outlet = file.name.partition(".")[0]
        if ".snapshots." in file.name:
            continue
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in csv.DictReader(lines):
                at = datetime.fromisoformat(line["published_utc"])
                if SUMMER[0] <= at < SUMMER[1]:
                    key = (line.get("outlet") or outlet, line["title"])
                    found[key] = min(found.get(key, at), at)
    return sorted((at, outlet, title) for (outlet, title), at in found.items())


def replay(news: Sequence[tuple[datetime, str, str]]) -> None:
    """What each watch would have been told."""
    matcher = compile_watches(WATCHES)
    begun: dict[str, list[Began]] = {watch.name: [] for watch in WATCHES}
    hours = {hour_of(at) for at, _, _ in news}
    for number, (at, outlet, title) in enumerate(news):
        for hit in matcher.match(Document(title=title, body="")):
            begun[hit.watch].append(
                Began(story=StoryId(number), at=at, publishers=frozenset({outlet}), title=title)
            )
    for watch, mine in begun.items():
        counted = Counter(quarter_of(story.at) for story in mine)
        rate = len(mine) / (SUMMER[1] - SUMMER[0]).days * 30
        print(f"{watch:14}{rate:6.0f}")
        told_at, learned, baseline = None, -1, None
        for n, story in enumerate(mine):
            if hour_of(story.at) != learned:
                learned = hour_of(story.at)
                baseline = learn(History(begun=counted, hours=hours), story.at)
            recent = [each for each in mine[max(0, n - 200) : n + 1] if each.at > story.at - HOUR]
            spike = judge(baseline, recent, SpikeRule(), story.at, told_at) if baseline else None
            if spike is not None:
                told_at = story.at
                minutes = spike.window // timedelta(minutes=1)
                print(
                    f"{'':20}  {story.at:%d %b %H:%M}  {len(spike.stories)} of"
                    f" {len(spike.publishers)} in {minutes} min, usual {spike.usual:.2f}, over"
                    f" {spike.span // timedelta(days=1)} days, 1 in {1 / spike.chance:,.0f}"
                )


if __name__ == "__main__":
    main()
