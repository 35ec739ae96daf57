"""What a process and all it has started take: CPU and memory, as Linux counts them.

A child that has ended and was waited for is on its parent's account, so that nothing is lost when
worker processes come and go.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")


def family(root: int) -> list[int]:
    """A process and its descendants."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        each = waiting.pop()
        found.append(each)
        waiting += parents.get(each, ())
    return found


def cpu(root: int) -> float:
    """Seconds of CPU that a process and its descendants have used, to a hundredth."""
    ticks = 0
    for each in family(root):
        if fields := _stat(each):
            ticks += sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime
    return ticks / _TICKS


def memory(root: int) -> float:
    """Megabytes that a process and its descendants hold; what they share counts once."""
    return sum(map(_proportional, family(root))) / 1024


class Peak:
    """The most that was ever seen, in MB."""

    def __init__(self) -> None:
        self.family = 0.0

    def look(self, root: int) -> None:
        self.family = max(self.family, memory(root))


@contextmanager
def peak(root: int, every: float = 0.5) -> Iterator[Peak]:
    """Watch the memory of a process and its descendants."""
    seen, over = Peak(), threading.Event()

    def watch() -> None:
        while not over.wait(every):
            seen.look(root)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _stat(process: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the state on (proc(5)); None if it has gone."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _proportional(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
