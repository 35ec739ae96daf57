"""Where the service's processes come from: forked from one that has imported everything.

Two hundred times killed is two hundred times started, and a start is two seconds of imports, twice: the
service's own, and the parsers' in the server that forks its workers. Here they are imported once. What
is started is the same otherwise: a process of its own with nothing open but its log, and a fork server
beneath it that ends with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import multiprocessing
import os
import random
import select
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver, util
from pathlib import Path
from typing import Any, NoReturn, Self

from monitor.engine.pool import PARSERS, WORKER
from tests.conftest import PROJECT


class Child:
    """A process of the service."""

    def __init__(self) -> None:
        self.pid = 0
        self.born, self.ready, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.status: int | None = None  # as of `asyncio.subprocess`


class Nursery:
    """Starts them. An async context manager; whoever lives when it ends is killed."""

    def __init__(self) -> None:
        self._children: list[Child] = []
        self._folder = tempfile.TemporaryDirectory(prefix="chaos-")  # what the killed leave there
        self._process: asyncio.subprocess.Process | None = None
        self._hearing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            # not by -m: what is started so, multiprocessing imports in each worker once more
            *("-c", "from tests.chaos.nursery import main; main()"),
            cwd=PROJECT,
            env={"PATH": os.environ["PATH"], "TMPDIR": self._folder.name},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._hearing = asyncio.create_task(self._hear())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._hearing is not None
        self._process.stdin.close()
        await self._process.wait()
        self._hearing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._hearing
        self._folder.cleanup()

    async def start(self, config: Path, log: Path, env: Mapping[str, str]) -> Child:
        """One more; it has begun, and need not serve yet."""
        assert self._process is not None
        assert self._process.stdin is not None
        child = Child()
        self._children.append(child)
        order = {"number": len(self._children) - 1, "config": str(config), "log": str(log)}
        self._process.stdin.write(json.dumps({**order, "env": dict(env)}).encode() + b"\n")
        async with asyncio.timeout(60):
            await child.born.wait()
        return child

    async def _hear(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            what, number, *rest = line.decode().split()
            child = self._children[int(number)]
            if what == "born":
                child.pid = int(rest[0])
                child.born.set()
            elif what == "ready":
                child.ready.set()
            else:
                child.status = int(rest[0])
                child.ended.set()


def main() -> None:
    """A process for each line of the input; tells who was born, serves and has ended."""
    for module in ("tests.chaos.service", *WORKER, *PARSERS):
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    numbers: dict[int, int] = {}  # by their pids
    pieces = b""
    while True:
        readable, _, _ = select.select([0, wake], [], [])
        if wake in readable:
            os.read(wake, 1 << 10)
            _bury(numbers)
        if 0 not in readable:
            continue
        piece = os.read(0, 1 << 16)
        if not piece:
            break
        *lines, pieces = (pieces + piece).split(b"\n")
        for line in lines:
            order = json.loads(line)
            if not (pid := os.fork()):
                _live(order, (wake, waker))
            numbers[pid] = order["number"]
            _tell(f"born {order['number']} {pid}")
    for pid in numbers:
        os.kill(pid, signal.SIGKILL)


def _bury(numbers: dict[int, int]) -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = ended
            _tell(f"gone {numbers.pop(pid)} {os.waitstatus_to_exitcode(status)}")


def _tell(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def _live(order: Mapping[str, Any], pipes: Sequence[int]) -> NoReturn:
    """Be the service, as if it had been started."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for pipe in pipes:
        os.close(pipe)
    for fd, path, how in (
        (0, os.devnull, os.O_RDONLY),
        (2, order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT),
    ):
        opened = os.open(path, how, 0o644)
        os.dup2(opened, fd)
        os.close(opened)
    os.environ.update(order["env"])
    random.seed()
    _start_fork_server()
    from tests.chaos.service import main as serve

    serve(Path(order["config"]), lambda: _tell(f"ready {order['number']}"))
    sys.exit()


def _start_fork_server() -> None:
    """multiprocessing's, with what it is to import imported: before there is a thread, or anything open."""
    spawn = util.spawnv_passfds

    def forked(path: bytes, args: Sequence[Any], fds: Sequence[int]) -> int:
        code = args[-1]
        if "forkserver" not in str(code):
            return int(spawn(path, args, fds))
        if pid := os.fork():
            return pid
        try:
            kept = sorted({0, 1, 2, *fds})
            for low, high in zip(kept, [*kept[1:], os.sysconf("SC_OPEN_MAX")], strict=True):
                os.closerange(low + 1, high)
            exec(code, {})
        finally:
            os._exit(0)

    util.spawnv_passfds = forked
    multiprocessing.get_context("forkserver").set_forkserver_preload([*WORKER, *PARSERS])
    forkserver.ensure_running()


if __name__ == "__main__":
    main()
