"""What runs in a worker of the pool: the call, and what keeps it within bounds.

Imports little, for this is all that a worker begins with.
"""

from __future__ import annotations

import importlib
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

from monitor.errors import Code, ParseError

T = TypeVar("T")

OUT_OF_MEMORY: Final = 99
"""Exit code of a worker that is not trusted with another call."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A `ParseError` on its way home: the exception itself would not survive pickling."""

    code: Code
    detail: str
    status: int | None


def prepare(memory: int, preload: tuple[str, ...]) -> None:
    """Set up a worker: Ctrl-C is the parent's business, SIGTERM ends it even inside C code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for module in preload:
        importlib.import_module(module)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = pages * os.sysconf("SC_PAGE_SIZE") + memory
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def call(function: Callable[..., T], args: tuple[Any, ...], alarm: float) -> T | Failed:
    """One call, with the kernel's alarm set."""
    signal.setitimer(signal.ITIMER_REAL, alarm)
    try:
        return function(*args)
    except ParseError as error:
        return Failed(error.code, error.detail, error.status)
    except MemoryError:
        _leave()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _leave() -> NoReturn:
    """End the worker: after a failed allocation nothing in it can be relied on."""
    os._exit(OUT_OF_MEMORY)
