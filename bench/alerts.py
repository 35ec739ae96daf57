"""How long it takes from a page that is served to a message in Slack.

    python -m bench.alerts [--rates 1,50] [--seconds S] [--feeds N] [--watches N] [--interval SECONDS]

Three processes, real HTTP: outlets (`bench._alerts_press`), the service on its defaults with SQLite
and two workers (`bench._alerts_service`), and here the double of Slack. N outlets, each on a host of
its own, print articles at a rate, all of them for a watch or, at a
higher rate, two or three a second. How late a feed is polled is no matter
of this bench: what is measured begins when the service has been served the page, and ends when
Slack has been handed the message. Before that, told apart: from the feed served to the row stored,
and to the page asked for (one host is asked once a second, its robots.txt first).

Slack takes one message a second and channel, and the service keeps to that. So there is a channel
for each watch, and messages whose channel had another one within the second before are counted
apart: they waited for their turn. The double answers at once; Slack takes a tenth of a second.

A machine that is too slow for a rate shows it by fewer pages a second, and by *fetched*: pages wait to
be asked for, so that those that were have their turn.

Stages: *read* is fetching, cutting and extracting the page (by ours and the workers' queues);
*matched* is from there until the delivery is claimed: furniture, matching, grouping, the
transaction, and the job's begin; *posted* is composing and handing over. The last line is one JSON
object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

import sqlalchemy as sa

from bench import options_of
from bench._children import Child, child
from monitor.demo.slack import SlackDouble
from monitor.storage import tables as t

SERVICE: Final = "from bench._alerts_service import main; main()"
AIMS: Final = ((1.0, 1.0), (50.0, 3.0))
"""Articles a second, and seconds that the slowest of a hundred messages may take."""
STAGES: Final = ("stored", "fetched", "read", "matched", "posted", "all")
TAIL: Final = 30.0
"""Seconds after the last article in which its message may come, beside a poll's interval."""


@dataclass(frozen=True, slots=True)
class Times:
    """Of one message, seconds since the epoch."""

    listed: float
    stored: float
    served: float
    read: float
    claimed: float
    posted: float
    waited: bool  # its channel had another one within the second before

    def stages(self) -> dict[str, float]:
        """How long each took."""
        return {
            "stored": self.stored - self.listed,
            "fetched": self.served - self.stored,
            "read": self.read - self.served,
            "matched": self.claimed - self.read,
            "posted": self.posted - self.claimed,
            "all": self.posted - self.served,
        }


@dataclass(slots=True)
class Measured:
    """What came of one rate."""

    rate: float
    printed: int = 0
    wanted: int = 0
    served: int = 0
    pace: float = 0.0  # pages served a second, from the first to the last
    lost: int = 0
    cores: float = 0.0
    times: list[Times] = field(default_factory=list)

    def of(self, stage: str, *, free: bool = True) -> tuple[float, float]:
        """The p50 and p99 of a stage, in seconds; `free`: of those that did not wait their turn."""
        found = [each.stages()[stage] for each in self.times if not (free and each.waited)]
        if len(found) < 2:
            return float("nan"), float("nan")
        cut = quantiles(found, n=100, method="inclusive")
        return cut[49], cut[98]


class Arrivals:
    """When which message came to the double."""

    def __init__(self, slack: SlackDouble) -> None:
        self._slack = slack
        self.posts: list[tuple[str, str, float]] = []  # channel, text, time
        slack.witness = self._note

    def _note(self, method: str, when: str) -> None:
        if (method, when) == ("chat.postMessage", "after"):
            call = self._slack.calls[-1]
            self.posts.append((call.channel, str(call.body.get("text", "")), time.time()))
            self._slack.calls.clear()


def rows_of(database: Path) -> dict[str, Any]:
    """What the database says of the articles that were told of, by headline."""
    engine = sa.create_engine(f"sqlite:///file:{database}?mode=ro&uri=true")
    rows = sa.select(
        t.article.c.title,
        t.article.c.first_seen_at,
        t.article.c.ingested_at,
        t.delivery.c.claimed_at,
    ).join(t.delivery, t.delivery.c.story_id == t.article.c.story_id)
    with engine.connect() as connection:
        found = {row.title: row for row in connection.execute(rows)}
    engine.dispose()
    return found


def joined(
    printed: Sequence[dict[str, Any]], posts: Sequence[tuple[str, str, float]], rows: dict[str, Any]
) -> Iterator[Times]:
    """What is known of each article that was told of."""
    by_name = {title.partition(" ")[0]: row for title, row in rows.items()}
    told: dict[str, tuple[str, float]] = {}
    free_at: dict[str, float] = {}
    waited: set[str] = set()
    names = {each["name"] for each in printed}
    for channel, text, at in posts:
        name = next((word for word in re.findall(r"\w+", text) if word in names), None)
        if name is None or name in told:
            continue
        told[name] = channel, at
        if at - free_at.get(channel, 0.0) < 1.05:
            waited.add(name)
        free_at[channel] = at
    for each in printed:
        row, post = by_name.get(each["name"]), told.get(each["name"])
        if row is not None and post is not None and each["served_at"]:
            yield Times(
                listed=each["listed_at"],
                stored=row.first_seen_at.timestamp(),
                served=each["served_at"],
                read=row.ingested_at.timestamp(),
                claimed=row.claimed_at.timestamp(),
                posted=post[1],
                waited=each["name"] in waited,
            )


async def measure(
    rate: float, press: Child, service: Child, arrivals: Arrivals, database: Path, options: Any
) -> Measured:
    """One rate, for so long."""
    arrivals.posts.clear()
    before, began = await asyncio.to_thread(service.say, ""), time.monotonic()
    await asyncio.to_thread(press.say, str(rate))
    await asyncio.sleep(options.seconds)
    cores = (await asyncio.to_thread(service.say, "") - before) / (time.monotonic() - began)
    printed = await asyncio.to_thread(press.say, "")
    until = time.monotonic() + options.interval * 1.2 + TAIL
    wanted = sum(each["watch"] is not None for each in printed)
    while time.monotonic() < until and len(arrivals.posts) < wanted:  # noqa: ASYNC110
        await asyncio.sleep(0.2)
    printed = await asyncio.to_thread(press.say, "")
    rows = await asyncio.to_thread(rows_of, database)
    hits = [each for each in printed if each["watch"] is not None]
    served = sorted(each["served_at"] for each in printed if each["served_at"])
    times = list(joined(hits, arrivals.posts, rows))
    return Measured(
        rate=rate,
        printed=len(printed),
        wanted=wanted,
        served=len(served),
        pace=len(served) / max(served[-1] - served[0], 1e-6) if served else 0.0,
        lost=wanted - len(times),
        cores=cores,
        times=times,
    )


async def run(options: Any) -> list[Measured]:
    """All rates, one after the other, in one service."""
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        stderr = stack.enter_context((folder / "stderr").open("w+", encoding="utf-8"))
        numbers = ("--feeds", str(options.feeds), "--watches", str(options.watches))
        press = stack.enter_context(child("-m", "bench._alerts_press", *numbers))
        printed_by = press.hear()
        slack = SlackDouble(rate_limited=True)
        for number in range(options.watches):
            slack.add_channel(f"watch-{number}")
        async with slack:
            arrivals = Arrivals(slack)
            order = printed_by | {
                "folder": str(folder),
                "interval": options.interval,
                "slack": slack.url,
                "token": slack.token,
            }
            service = stack.enter_context(child("-c", SERVICE, stderr=stderr))
            try:
                await asyncio.to_thread(service.say, json.dumps(order))
                found = []
                for rate in options.rates:
                    one = await measure(
                        rate, press, service, arrivals, folder / "alerts.db", options
                    )
                    found.append(one)
                    tell(one)
            except RuntimeError as error:
                raise SystemExit((folder / "stderr").read_text(encoding="utf-8")) from error
            await asyncio.to_thread(service.end)
        return found


def tell(one: Measured) -> None:
    """The figures of a rate."""
    waited = sum(each.waited for each in one.times)
    print(
        f"{one.rate:g} articles/s: {one.printed:,} printed, {one.served:,} pages served "
        f"({one.pace:.1f} a second), {len(one.times)} of {one.wanted} told, {waited} of them waited for their channel; "
        f"{one.cores:.2f} cores"
    )
    print(f"  {'stage':10}{'p50':>9}{'p99':>9}   seconds")
    for stage in STAGES:
        p50, p99 = one.of(stage)
        print(f"  {stage:10}{p50:9.3f}{p99:9.3f}")
    p50, p99 = one.of("all", free=False)
    print(f"  {'with turns':10}{p50:9.3f}{p99:9.3f}", flush=True)


def verdicts(found: Sequence[Measured]) -> Iterator[dict[str, Any]]:
    """What was to be, and was."""
    for one in found:
        for rate, limit in AIMS:
            if one.rate != rate:
                continue
            p99 = one.of("all")[1]
            reached = p99 <= limit
            what = f"page served to message, p99 at {rate:g} articles/s"
            print(f"{'PASS' if reached else 'FAIL'}  {what}: {p99:.2f} s (wanted: <= {limit:g})")
            yield {"target": what, "limit": limit, "measured": _rounded(p99), "reached": reached}
            kept, what = one.pace >= 0.9 * rate, f"pages served a second, of {rate:g}"
            print(f"{'PASS' if kept else 'FAIL'}  {what}: {one.pace:.1f}")
            yield {"target": what, "limit": rate, "measured": _rounded(one.pace), "reached": kept}


def _rounded(value: float) -> float | None:
    return round(value, 4) if value == value else None  # noqa: PLR0124 nan is no JSON


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--rates", type=_rates, default="1,50", help="articles a second")
    parser.add_argument("--seconds", "--limit", type=float, default=120.0, help="of each rate")
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument("--watches", type=int, default=20)
    parser.add_argument("--interval", type=float, default=20.0, help="seconds between two polls")
    parser.add_argument("--keep", type=Path, help="an empty folder for database and log")
    options = parser.parse_args()
    found = asyncio.run(run(options))
    result = {
        "bench": "alerts",
        "feeds": options.feeds,
        "watches": options.watches,
        "rates": [
            {
                "articles_per_s": one.rate,
                "pages_per_s": round(one.pace, 2),
                "told": len(one.times),
                "lost": one.lost,
                "cores": round(one.cores, 3),
                "p50_p99_s": {stage: [*map(_rounded, one.of(stage))] for stage in STAGES},
            }
            for one in found
        ],
        "targets": list(verdicts(found)),
    }
    print(json.dumps(result))


def _rates(text: str) -> list[float]:
    try:
        return [float(each) for each in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"no numbers: {text}") from None


if __name__ == "__main__":
    main()
