"""Processes that answer each line on their stdin with one of JSON: servers, and who is measured."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent


class Child:
    """A running one."""

    def __init__(self, command: Sequence[str], stderr: IO[str] | None = None) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )

    def say(self, line: str) -> Any:
        """Its answer. Raises `RuntimeError` when it has died."""
        _pipe(self.process.stdin).write(f"{line}\n")
        _pipe(self.process.stdin).flush()
        return self.hear()

    def hear(self) -> Any:
        """What it says next. Raises `RuntimeError` when it has died."""
        answer = _pipe(self.process.stdout).readline()
        if not answer:
            raise RuntimeError(f"{self.process.args!r} ended with {self.process.wait()}")
        return json.loads(answer)

    def end(self) -> None:
        """By the end of its input; killed if that is not enough. Once more does no harm."""
        _pipe(self.process.stdin).close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        _pipe(self.process.stdout).close()


@contextmanager
def child(
    *arguments: str, python: str = sys.executable, stderr: IO[str] | None = None
) -> Iterator[Child]:
    """Python with these arguments, ended at the end."""
    started = Child([python, *arguments], stderr)
    try:
        yield started
    finally:
        started.end()


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
