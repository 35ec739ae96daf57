"""``make fuzz``: every reader, or one, for so many minutes each; what is found is written down.

With atheris (libFuzzer for Python) it looks for inputs that take new paths through our code and
keeps them in build/fuzz for the next time; without, seeds are changed blindly. Findings are counted
once for each place they come from; the bytes and the trace stand in build/fuzz/<target>.

Exit status 1: something was found.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import io
import logging
import os
import random
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from monitor import telemetry
from tests.fuzz.mutate import mutated

ROOT = Path(__file__).resolve().parents[2]
FOUND = ROOT / "build" / "fuzz"
NAMES = {
    "feeds": ("monitor.parse", "feedparser"),
    "pages": ("monitor.extract", "monitor.match", "monitor.text"),
    "listings": ("monitor.parse",),
    "queries": ("monitor.match", "monitor.text", "monitor.hands.commands"),
    "settings": ("monitor.config", "monitor.match.language"),
    "edits": ("monitor.config", "tomlkit"),
    "urls": (
        "monitor.stories.urls",
        "monitor.stories.redirectors",
        "monitor.fetch",
        "protego",
        "w3lib",
    ),
    "hubs": ("monitor.websub",),
    "lists": ("monitor.opml", "monitor.pipeline.adopt", "monitor.config.addresses"),
    "revisions": ("monitor.telling.changes",),
    "requests": ("monitor.web",),
    "envelopes": ("monitor.hands", "monitor.pipeline.hands", "alerts"),
}
"""Targets, and the modules in which new paths are looked for: each takes a while to prepare."""

LARGEST = 30_000  # bytes of an input
SLOW = 60  # seconds for one input: more is a hang; watched code is ten times as slow
MEMORY = 3_000  # MB


def main() -> None:
    """Fuzz."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=1.0, help="for each target (1)")
    parser.add_argument("--target", choices=NAMES, action="append", help="only this one")
    parser.add_argument("--seed", type=int, default=1, help="of chance (1)")
    parser.add_argument("--again", type=Path, help="try one file of build/fuzz again")
    parser.add_argument("--blindly", action="store_true", help="without atheris")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    order = parser.parse_args()
    guided = not order.blindly and importlib.util.find_spec("atheris") is not None
    if order.again:
        _target(order.again.parent.name)(order.again.read_bytes())
        print(f"{order.again}: nothing is wrong with it any more")
    elif order.child:
        _Child(order.target[0], order.seed, order.minutes).run(guided=guided)
    else:
        found = [_watched(name, order, guided=guided) for name in order.target or NAMES]
        sys.exit(1 if any(found) else 0)


def _watched(name: str, order: argparse.Namespace, *, guided: bool) -> int:
    """One target in a process of its own, started again if it dies; how much was found."""
    folder = FOUND / name
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("crash-*"):
        old.unlink()
    began, starts = time.monotonic(), 0
    while (left := order.minutes * 60 - (time.monotonic() - began)) > 1 and starts < 20:
        command = [sys.executable, "-m", "tests.fuzz", "--child", "--target", name]
        command += ["--minutes", str(left / 60), "--seed", str(order.seed + starts)]
        command += [] if guided else ["--blindly"]
        subprocess.run(command, cwd=ROOT, check=False, env={**os.environ, "PYTHONHASHSEED": "0"})
        starts += 1
    found = sorted(each for each in folder.glob("crash-*") if each.suffix != ".txt")
    print(f"{name}: {len(found)} found in {time.monotonic() - began:.0f} s", flush=True)
    for each in found:
        print(f"  {each.relative_to(ROOT)}")
    return len(found)


def _target(name: str) -> Callable[[bytes], None]:
    from tests.fuzz.targets import PURE

    found: Mapping[str, Callable[[bytes], None]] = PURE
    if name not in PURE:
        from tests.fuzz.served import SERVED

        found = SERVED
    telemetry.set_up_logging("json", level="DEBUG", stream=io.StringIO())
    logging.disable(logging.CRITICAL)
    return found[name]


class _Child:
    """Tries inputs until its time is over; a mistake of ours doesn't end it, a death does."""

    def __init__(self, name: str, seed: int, minutes: float) -> None:
        self.name, self.seed, self.seconds = name, seed, minutes * 60
        self.folder = FOUND / name
        self.tried, self.known = 0, set[str]()
        self.slowest = 0.0
        self.function: Callable[[bytes], None] = _target

    def run(self, *, guided: bool) -> None:
        """For as long as there is time."""
        if guided:
            self._guided()
        else:
            self._blindly()

    def once(self, data: bytes) -> None:
        """One input."""
        self.tried += 1
        began = time.process_time()
        try:
            self.function(data)
        except Exception as error:  # noqa: BLE001 - whatever comes out is a finding
            self._note(data, error)
        self.slowest = max(self.slowest, time.process_time() - began)

    def _note(self, data: bytes, error: Exception) -> None:
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        frames = traceback.extract_tb(error.__traceback__)
        ours = [
            each for each in frames if str(ROOT) in each.filename and ".venv" not in each.filename
        ]
        place = f"{type(error).__name__} {[(each.filename, each.lineno) for each in ours[-2:]]}"
        if place in self.known:
            return
        self.known.add(place)
        name = self.folder / f"crash-{hashlib.sha256(place.encode()).hexdigest()[:8]}"
        if not name.exists() or name.stat().st_size > len(data):
            name.write_bytes(data)
            name.with_suffix(".txt").write_text("".join(traceback.format_exception(error)))
            print(f"{self.name}: {place}", flush=True)

    def _blindly(self) -> None:
        self.function = _target(self.name)
        begin = self._begin()
        chance = random.Random(self.seed)
        until = time.monotonic() + self.seconds
        for data in begin:
            if time.monotonic() < until:
                self.once(data)
        while time.monotonic() < until:
            self.once(mutated(chance.choice(begin), chance, begin, LARGEST))
        print(f"{self.name}: {self.tried} inputs, slowest {self.slowest:.1f} s of the processor")

    def _begin(self) -> Sequence[bytes]:
        from tests.fuzz.seeds import seeds

        return list(dict.fromkeys(seeds(self.name)))

    def _guided(self) -> None:
        import atheris

        with atheris.instrument_imports(include=list(NAMES[self.name])):
            self.function = _target(self.name)
        begin = self._begin()
        given, kept = self.folder / "seeds", self.folder / "corpus"
        for folder in (given, kept):
            folder.mkdir(exist_ok=True)
        for data in begin:
            (given / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)

        def change(data: bytes, most: int, seed: int) -> bytes:
            chance = random.Random(seed)
            if chance.random() < 0.5:
                guided: bytes = atheris.Mutate(data, most)
                return guided
            return mutated(data, chance, begin, most)

        arguments: list[Any] = [
            sys.argv[0], str(kept), str(given), f"-artifact_prefix={self.folder}/crash-", f"-seed={self.seed}",
            f"-max_total_time={max(1, int(self.seconds))}", f"-max_len={LARGEST}", f"-timeout={SLOW}", f"-report_slow_units={SLOW}",
            f"-rss_limit_mb={MEMORY}", "-print_final_stats=1", "-verbosity=0", "-detect_leaks=0", "-len_control=0",
        ]  # fmt: skip
        atheris.Setup(arguments, self.once, custom_mutator=change)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
