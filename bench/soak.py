"""Two hundred hosts that mean harm among two hundred good ones: what the good ones notice.

    python -m bench.soak [--corpus FOLDER] [--minutes M] [--hosts N] [--interval SECONDS]

The whole service runs in real time, on defaults but for loopback and an interval of twenty
seconds: polls, pages, matching, stories, alerts into a sink in memory. First, for a third of the
time, with N good outlets alone (`bench._outlets`), then with as many hostile hosts besides
(`bench._hostile`: drips, bombs, resets, redirects in circles and inside, names that change what
they stand for, bad TLS, name servers that hang, broken XML, endless bodies, pages of 5 MB, naughty
strings, …). Servers are processes of their own; names are looked up by the service's resolver, in
a table instead of the DNS.

Lag is from when a good feed was due, as the database says, to when its server was asked; the first
fifth of the time, which begins with all feeds due at once, does not count. Memory is
that of the service and all its processes, what they share counted once; it is flat if the last
third of the time needs no more than a tenth above the middle one. An unclassified error is a line
of the log at level error, a job that a bug has ended, or anything on stderr. The address inside must
never be reached. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from math import isnan
from pathlib import Path
from statistics import linear_regression, mean, quantiles
from typing import Any, Final

import sqlalchemy as sa

from bench import options_of
from bench._children import Child, child
from bench._usage import memory
from monitor.storage import tables as t

LOOK: Final = 0.5
"""Seconds between two looks at the database."""
WEIGH: Final = 3.0
TELL: Final = 30.0
WARMING: Final = 0.2

SERVICE: Final = "from bench._soak_service import main; main()"
"""Not by -m: what is started so, multiprocessing imports in each worker process once more."""

SCHEDULE: Final = sa.select(t.feed.c.url, t.feed.c.due_at, t.feed.c.polled_at)

Table = dict[str, dict[str, Any]]


@dataclass(slots=True)
class Seen:
    """What was seen of a run; times are seconds from its begin."""

    seconds: float
    lags: list[tuple[float, float]] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    counts: Table = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    inside: int = 0

    def p95(self, since: float = 0) -> float:
        """Of the lags from then on, in seconds."""
        lags = [lag for at, lag in self.lags if at >= since]
        return quantiles(lags, n=20)[-1] if len(lags) > 1 else float("nan")

    @property
    def settled(self) -> float:
        """The p95 of what counts."""
        return self.p95(self.seconds * WARMING)

    def growth(self) -> tuple[float, float]:
        """How much more memory the last third needs than the middle one; MB a minute over both."""
        third = len(self.memory) // 3
        if third < 2:
            return float("nan"), float("nan")
        middle, last = self.memory[third : 2 * third], self.memory[2 * third :]
        slope = linear_regression(*zip(*middle, *last, strict=True)).slope
        share = mean(held for _, held in last) / mean(held for _, held in middle)
        return share, slope * 60


class Lags:
    """Works out, from looks at the schedule and the servers' books, how late polls were."""

    def __init__(self, database: Path, feeds: Sequence[str]) -> None:
        self._engine = sa.create_engine(f"sqlite:///file:{database}?mode=ro&uri=true")
        self._feeds = set(feeds)
        self._before: dict[str, tuple[datetime, datetime | None]] = {}
        self._asked: dict[str, list[float]] = {}

    def close(self) -> None:
        self._engine.dispose()

    def look(self, asked: Sequence[tuple[str, float]]) -> Iterator[float]:
        """The lags of polls that were written down since the last look."""
        for url, at in asked:
            self._asked.setdefault(url, []).append(at)
        with self._engine.connect() as connection:
            rows = connection.execute(SCHEDULE).all()
        for url, due_at, polled_at in rows:
            if url not in self._feeds:
                continue
            due, polled = self._before.get(url, (due_at, None))
            self._before[url] = due_at, polled_at
            if polled_at is None or polled_at == polled:
                continue
            times = self._asked.pop(url, [])
            began = times[0] if times else polled_at.timestamp()
            yield max(0.0, began - due.timestamp())


def run(seconds: float, outlets: Child, good: Table, bad: Table, options: Any) -> Seen:
    """The service for so long, with these feeds; `bad` may be empty."""
    seen = Seen(seconds)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stderr = stack.enter_context((folder / "stderr").open("w", encoding="utf-8"))
        hostile = None
        if bad:
            place = ("--corpus", str(options.corpus), "--hosts", str(options.hosts))
            hostile = stack.enter_context(child("-m", "bench._hostile", *place))
            bad = hostile.hear()
        order = {"folder": str(folder), "interval": options.interval} | {
            part: good[part] | bad.get(part, {}) for part in ("feeds", "names")
        }
        service = stack.enter_context(child("-c", SERVICE, stderr=stderr))
        try:
            service.say(json.dumps(order))
        except RuntimeError:
            sys.exit((folder / "stderr").read_text(encoding="utf-8"))
        lags = Lags(folder / "soak.db", list(good["feeds"].values()))
        stack.callback(lags.close)
        outlets.say("")
        watch(seen, lags, outlets, service)
        seen.counts = service.say("")
        seen.inside = hostile.say("") if hostile else 0
        service.end()
        stderr.flush()
        seen.errors += errors(folder / "soak.log", folder / "stderr")
        for kind, number in seen.counts["crashed"].items():
            seen.errors += [f"a {kind} job was ended by a bug"] * number
    return seen


def watch(seen: Seen, lags: Lags, outlets: Child, service: Child) -> None:
    """Look, weigh and tell until the time is over."""
    began, weigh_at, tell_at = time.monotonic(), 0.0, TELL
    while (at := time.monotonic() - began) < seen.seconds:
        seen.lags += [(at, lag) for lag in lags.look(outlets.say(""))]
        if at >= weigh_at:
            seen.memory.append((at, memory(service.process.pid)))
            weigh_at += WEIGH
        if at >= tell_at:
            tell(at, seen, service.say(""))
            tell_at += TELL
        time.sleep(LOOK)


def tell(at: float, seen: Seen, counts: Table) -> None:
    """How it goes."""
    polls, articles = sum(counts["polls"].values()), sum(counts["articles"].values())
    print(
        f"  {at:5.0f} s  lag p95 {seen.p95(at - TELL):6.2f} s  "
        f"memory {seen.memory[-1][1]:5.0f} MB  polls {polls:,}  articles {articles:,}  "
        f"jobs crashed {sum(counts['crashed'].values())}",
        flush=True,
    )


def errors(log: Path, stderr: Path) -> Iterator[str]:
    """What nobody has foreseen."""
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            yield line
            continue
        if event.get("level") in {"error", "critical"}:
            yield line
    yield from stderr.read_text(encoding="utf-8").splitlines()


def verdicts(control: Seen, soak: Seen) -> Iterator[dict[str, Any]]:
    """What was to be, and was."""
    growth, slope = soak.growth()
    for what, value, limit in (
        ("lag p95 of good feeds, without hostile hosts = 1", soak.settled / control.settled, 2),
        (f"memory of the last third, middle one = 1 ({slope:+.1f} MB a minute)", growth, 1.1),
        ("unclassified errors", len(soak.errors) + len(control.errors), 0),
        ("connections to the address inside", soak.inside, 0),
    ):
        reached = value <= limit
        print(f"{'PASS' if reached else 'FAIL'}  {what}: {value:.3g} (wanted: <= {limit})")
        yield {"target": what, "limit": limit, "measured": _rounded(value), "reached": reached}


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--minutes", type=_number, default=10.0, help="with hostile hosts")
    parser.add_argument("--hosts", "--limit", type=int, default=200, help="of each sort")
    parser.add_argument("--interval", type=_number, default=20.0, help="between two polls")
    parser.add_argument("--log", type=Path, help="where to keep the lines that tell of errors")
    options = parser.parse_args()
    with child("-m", "bench._outlets", "--hosts", str(options.hosts)) as outlets:
        good = outlets.hear()
        print(f"{options.hosts} good hosts")
        control = run(options.minutes * 20, outlets, good, {}, options)
        print(f"{options.hosts} good hosts, {options.hosts} hostile ones")
        soak = run(options.minutes * 60, outlets, good, {"feeds": {}}, options)
    for name, seen in (("without", control), ("with", soak)):
        print(f"{name}: how polls ended: {json.dumps(seen.counts['polls'])}")
        print(f"{name}: how articles ended: {json.dumps(seen.counts['articles'])}")
        for line in dict.fromkeys(each[:300] for each in seen.errors):
            print(f"{name}: {line}")
    if options.log:
        options.log.write_text("\n".join([*control.errors, *soak.errors]), encoding="utf-8")
    result = {
        "bench": "soak",
        "minutes": options.minutes,
        "hosts": options.hosts,
        "lag_p95_s": {"without": _rounded(control.settled), "with": _rounded(soak.settled)},
        "polls": {"without": len(control.lags), "with": len(soak.lags)},
        "memory_mb": {"without": _last(control), "with": _last(soak)},
        "ends": {"without": control.counts, "with": soak.counts},
        "targets": list(verdicts(control, soak)),
    }
    print(json.dumps(result))


def _rounded(value: float) -> float | None:
    """As JSON knows numbers; None: too little was seen to tell."""
    return None if isnan(value) else round(value, 3)


def _last(seen: Seen) -> float:
    return round(seen.memory[-1][1], 1)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"not a number above 0: {text}")
    return number


if __name__ == "__main__":
    main()
