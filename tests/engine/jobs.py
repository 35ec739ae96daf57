"""What the pool's tests have their workers do. A module of its own: workers import it by name."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import signal
import sys
import time
from pathlib import Path

from monitor.errors import Code, ParseError


def add(a: int, b: int) -> int:
    """Work as it should be."""
    return a + b


def pid() -> int:
    """Which worker this is."""
    return os.getpid()


def refuse(detail: str) -> None:
    """Find the bytes wanting."""
    raise ParseError(Code.NO_TEXT, detail, status=200)


def blunder() -> None:
    """Have a bug."""
    raise ZeroDivisionError("a bug")


def hang(mark: str | None = None) -> None:
    """Hang in C code that holds the interpreter and never looks at signals."""
    if mark:
        Path(mark).write_text(str(os.getpid()))
    re.match(r"(a+)+$", "a" * 64 + "b")


def eat_memory() -> int:
    """Ask for more than a worker may have."""
    return len(bytearray(8 << 30))


def crash() -> None:
    """Die of a segmentation fault."""
    ctypes.string_at(0)


def leave() -> None:
    """End the process without a word."""
    os._exit(3)


def signals() -> dict[str, bool]:
    """What a worker does about Ctrl-C and SIGTERM, and whether it may dump core."""
    return {
        "int": signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
        "term": signal.getsignal(signal.SIGTERM) is signal.SIG_DFL,
        "core": resource.getrlimit(resource.RLIMIT_CORE) == (0, 0),
    }


def imported(module: str) -> bool:
    """Whether a module was there before it was asked for."""
    return module in sys.modules


def alarm_left() -> float:
    """Seconds until the kernel would end this worker."""
    return signal.getitimer(signal.ITIMER_REAL)[0]


def wait_for(path: str) -> str:
    """Work until a file appears."""
    while not Path(path).exists():
        time.sleep(0.005)
    return path
