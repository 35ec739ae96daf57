"""What a poll costs: ours beside reader, a feed library that is known for its care, in one run.

    python -m bench.poll [--corpus FOLDER] [--feeds N] [--hosts N] [--rounds N]
                         [--failing SHARE] [--workers N] [--timeout SECONDS] [--alone]

N feeds (2,000, unless told) of the corpus are polled in four scenes: for the first time; when there is
nothing new, and the server says 304; the same, and it sends all again without validators; when
three items are new. Each has a host to itself (`bench._farm`), unless there are to be fewer: then a
poll is a new connection, as it is where minutes lie between two. A tenth of the hosts fails in all
scenes: refuses, answers 500, or says nothing. Each round begins with new databases (SQLite) and new
processes; in each scene the one polls everything, then the other, in turns the first.

What counts is CPU for a poll: that of the process and of all it has started, parsing, writing and
logging included, pages and their text left out. The server is a process of its own and counts for
nobody. Ours is the service itself (`bench._poll_ours`): due feeds are found by the tick's look at
the database, claimed by buckets, asked politely, guarded, parsed in killable processes. reader
(`bench._poll_reader`) is installed from the package index into a venv of its own, below the user's
cache folder. The figures are medians of the rounds' ratios; memory is the peak of a process with
what it has started, shared pages counted once. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final

from bench import options_of
from bench._children import ROOT, Child, child
from bench._farm import Scene
from bench._usage import cpu, peak

READER: Final = "3.26"
OURS: Final = "from bench._poll_ours import main; main()"
"""Not by -m: what is started so, multiprocessing imports in each worker process once more."""
PACKAGES: Final = (f"reader=={READER}", "sgmllib3k==1.0.0")
"""sgmllib3k: what its feedparser needs and doesn't ask for."""

TARGETS: Final = {Scene.FIRST: 1.7, Scene.SAME: 10, Scene.UNCHANGED: 150, Scene.NEWS: 8}
MEMORY: Final = 1.5


@dataclass(slots=True)
class Party:
    """One of the two, over all rounds: CPU seconds a poll by scene, and MB at most."""

    name: str
    script: Sequence[str]
    python: str = sys.executable
    costs: dict[Scene, list[float]] = field(default_factory=lambda: {each: [] for each in Scene})
    walls: dict[Scene, list[float]] = field(default_factory=lambda: {each: [] for each in Scene})
    peaks: list[float] = field(default_factory=list)
    ends: dict[Scene, dict[str, int]] = field(default_factory=dict)  # of the last round


def reader_python() -> str | None:
    """The Python of a venv with reader, made if need be; None if it can't be had."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    python = cache / "monitor-bench" / f"reader-{READER}" / "bin" / "python"
    if _runs(python, "-c", "import reader"):
        return str(python)
    print(f"installing {' and '.join(PACKAGES)} into {python.parent.parent}", flush=True)
    made = _runs(sys.executable, "-m", "venv", "--clear", str(python.parent.parent))
    if made and _runs(python, "-m", "pip", "install", "--quiet", *PACKAGES):
        return str(python)
    return None


def _runs(*command: str | Path) -> bool:
    try:
        return subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


# --------------------------------------------------------------------------- the run


def play(
    parties: Sequence[Party], farm: Child, urls: Sequence[str], workers: int, timeout: float
) -> None:
    """A round: all scenes, from a first poll on."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        order = json.dumps({"urls": urls, "folder": folder, "workers": workers, "timeout": timeout})
        running = [
            stack.enter_context(child(*party.script, python=party.python)) for party in parties
        ]
        watched = [stack.enter_context(peak(each.process.pid)) for each in running]
        for each in running:
            each.say(order)
        for place, scene in enumerate(Scene):
            farm.say(scene)
            turns = list(zip(parties, running, strict=True))
            for party, each in turns if place % 2 == 0 else reversed(turns):
                began, used = perf_counter(), cpu(each.process.pid)
                party.ends[scene] = each.say("poll")
                party.costs[scene].append((cpu(each.process.pid) - used) / len(urls))
                party.walls[scene].append(perf_counter() - began)
        for party, seen in zip(parties, watched, strict=True):
            party.peaks.append(seen.family)


def told(parties: Sequence[Party], number: int) -> Iterator[str]:
    """The last round, as people read it."""
    for scene in Scene:
        parts = [
            f"{party.name} {party.costs[scene][-1] * 1e3:8.3f} ms"
            f" ({number / party.walls[scene][-1]:,.0f} a second)"
            for party in parties
        ]
        yield f"  {scene:16}" + "   ".join(parts)
    yield "  memory          " + "   ".join(
        f"{each.name} {each.peaks[-1]:.0f} MB" for each in parties
    )


def verdicts(ours: Party, peer: Party) -> Iterator[dict[str, Any]]:
    """What was to be reached, and was."""
    for scene, limit in TARGETS.items():
        ratios = [
            theirs / mine for mine, theirs in zip(ours.costs[scene], peer.costs[scene], strict=True)
        ]
        yield _verdict(f"{scene}: CPU of reader, ours = 1", median(ratios), limit, least=True)
    shares = [mine / theirs for mine, theirs in zip(ours.peaks, peer.peaks, strict=True)]
    yield _verdict("peak memory, reader = 1", median(shares), MEMORY, least=False)


def _verdict(what: str, value: float, limit: float, *, least: bool) -> dict[str, Any]:
    reached = value >= limit if least else value <= limit
    sign = ">=" if least else "<="
    print(f"{'PASS' if reached else 'FAIL'}  {what}: {value:.3g} (wanted: {sign} {limit:g})")
    return {"target": what, "limit": limit, "measured": round(value, 3), "reached": reached}


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--feeds", "--limit", type=_number, default=2_000)
    parser.add_argument("--hosts", type=_number, help="one for each feed, unless told")
    parser.add_argument("--rounds", type=_number, default=3)
    parser.add_argument("--failing", type=float, default=0.1, help="share of hosts that fail")
    parser.add_argument("--workers", type=_number, default=1, help="threads of reader")
    parser.add_argument(
        "--timeout", type=float, default=1.0, help="seconds that a server gets that says nothing"
    )
    parser.add_argument("--alone", action="store_true", help="ours only, nothing is installed")
    options = parser.parse_args()
    ours = Party("ours", ["-c", OURS])
    python = None if options.alone else reader_python()
    parties = [ours]
    if python is not None:
        parties.append(Party("reader", [str(ROOT / "bench" / "_poll_reader.py")], python))
    elif not options.alone:
        print("reader: left out, it can't be installed here")
    hosts = options.hosts or options.feeds
    numbers = {"--feeds": options.feeds, "--hosts": hosts, "--failing": options.failing}
    farm_of = [str(part) for option in numbers.items() for part in option]
    folder = ("--corpus", str(options.corpus))
    with child("-m", "bench._farm", *folder, *farm_of) as farm:
        urls = farm.hear()
        for turn in range(options.rounds):
            play(parties, farm, urls, options.workers, options.timeout)
            print(f"round {turn + 1}: {options.feeds:,} feeds, CPU for a poll")
            for line in told(parties, options.feeds):
                print(line, flush=True)
    for party in parties:
        print(f"{party.name}, how polls ended: {json.dumps(party.ends)}")
    result = {
        "bench": "poll",
        "feeds": options.feeds,
        "hosts": hosts,
        "rounds": options.rounds,
        "cpu_ms": {
            party.name: {scene: round(median(party.costs[scene]) * 1e3, 4) for scene in Scene}
            for party in parties
        },
        "memory_mb": {party.name: round(median(party.peaks), 1) for party in parties},
        "ends": {party.name: party.ends for party in parties},
        "targets": list(verdicts(*parties)) if len(parties) == 2 else [],
    }
    print(json.dumps(result))


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"not a number from 1 on: {text}")
    return int(text)


if __name__ == "__main__":
    main()
