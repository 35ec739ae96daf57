"""Runs pure functions where they can be killed.

Parsers of hostile bytes hang in C code, eat memory and crash. Here that costs one call: workers are
processes with a limit on memory, killed when a call runs out of time, replaced when they die, and
retired after a number of calls. They are forked by a server process that has imported the parsers
once, so that a new worker costs milliseconds.

A worker outlives nobody: at rest it ends when its pipe to us closes, and at work an alarm that the
kernel keeps ends it soon after its deadline, even when we were killed and nobody watches.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import pebble

from monitor import telemetry
from monitor.engine.worker import OUT_OF_MEMORY, Failed, call, prepare
from monitor.errors import Code, ParseError

T = TypeVar("T")

PARSERS: Final = (
    "monitor.parse.reader",
    "monitor.extract",
    "feedparser",
    "htmldate",
    "trafilatura",
)
"""What the workers parse with: also what we import only there, where it is needed."""

WORKER: Final = ("monitor.engine.worker", "pebble")
"""What a worker begins with. Like the parsers, the fork server imports it once for all: what each
imports for itself is memory of its own, and its collector then writes into all that was shared."""

ALARM_GRACE = 2.0
"""Seconds after a call's deadline at which the kernel ends a worker that nobody has killed."""

STARTED_WITHIN = 60.0
"""Seconds within which a worker has started, importing the parsers with others on a slow machine."""

LOST_AFTER = 30.0
"""Seconds after a call's deadline at which it counts as lost, should the pool never answer."""


class ProcessPool:
    """Implements `monitor.ports.Offload` with pebble. An async context manager: enter it once.

    `memory` is how many bytes a worker may allocate beyond what it has when it starts. A worker
    retires after `max_calls`. `preload` names the modules that are imported before the first call;
    functions from other modules work as well and pay for their import. `at_once`: workers are there
    from the start; else from the first call on, which waits for them.
    """

    def __init__(
        self,
        *,
        workers: int = 2,
        memory: int = 1 << 30,
        max_calls: int = 500,
        preload: Sequence[str] = PARSERS,
        at_once: bool = True,
    ) -> None:
        self._workers = max(1, workers)
        self._memory = memory
        self._max_calls = max_calls
        self._preload = (*WORKER, *preload)
        self._at_once = at_once
        self._is_open = False
        self._turns = asyncio.Semaphore(self._workers)
        self._renewing = asyncio.Lock()
        self._pool: pebble.ProcessPool | None = None
        self._under_way: set[pebble.ProcessFuture[Any]] = set()
        self._script: str | None = None
        self._first: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._script, self._is_open = _hide_script(), True
        if self._at_once:
            self._pool = await asyncio.to_thread(self._start)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_open = False
        async with self._renewing:  # what is starting is to be stopped as well
            pool, self._pool = self._pool, None
        for future in tuple(self._under_way):
            future.cancel()  # type: ignore[no-untyped-call]  # pebble's gap
        if pool is not None:
            await asyncio.to_thread(_stop, pool)
        if self._script is not None:
            vars(sys.modules["__main__"])["__file__"] = self._script

    async def ready(self) -> None:
        """See `monitor.ports.Offload`. Workers start for a second or two; later calls return at once."""
        if self._first is None:
            self._first = asyncio.create_task(self._begin())
        await asyncio.shield(self._first)

    async def _begin(self) -> None:
        try:
            with suppress(ParseError):  # who can't work will say so when there is work
                await self.run(bool, timeout=STARTED_WITHIN)
        except BaseException:
            self._first = None  # no file was free, or no memory: the next who asks has more luck
            raise

    async def run(self, function: Callable[..., T], *args: Any, timeout: float) -> T:
        """The function's result, or what it raised; see `monitor.ports.Offload`.

        Waiting for a free worker is not part of `timeout` (seconds). Cancelling the call kills the
        worker.
        """
        async with self._turns:
            future = await self._schedule(function, args, timeout)
            self._under_way.add(future)
            try:
                async with asyncio.timeout(timeout + LOST_AFTER):
                    result = await asyncio.wrap_future(future)
            except (TimeoutError, MemoryError, BrokenProcessPool, pebble.ProcessExpired) as error:
                telemetry.PARSER_KILLS.labels(_reason(error)).inc()
                raise ParseError(Code.KILLED, _why(error, timeout)) from None
            except asyncio.CancelledError:
                if not self._is_open and not _being_cancelled():
                    raise ParseError(Code.KILLED, "the pool was closed") from None
                raise
            finally:
                self._under_way.discard(future)
        if isinstance(result, Failed):
            raise ParseError(result.code, result.detail, status=result.status)
        return result

    async def _schedule(
        self, function: Callable[..., T], args: tuple[Any, ...], timeout: float
    ) -> pebble.ProcessFuture[T | Failed]:
        arguments = (function, args, timeout + ALARM_GRACE)
        pool = self._pool or await self._renewed(None)
        try:
            return pool.schedule(call, args=arguments, timeout=timeout)
        except RuntimeError:  # pebble gives a pool up when a worker is killed at rest
            return (await self._renewed(pool)).schedule(call, args=arguments, timeout=timeout)

    async def _renewed(self, broken: pebble.ProcessPool | None) -> pebble.ProcessPool:
        """The pool that takes the place of this one, or of none; who is cancelled leaves no worker."""
        await asyncio.shield(asyncio.create_task(self._renew(broken)))
        if self._pool is None:
            raise ParseError(Code.KILLED, "the pool was closed")
        return self._pool

    async def _renew(self, broken: pebble.ProcessPool | None) -> None:
        async with self._renewing:
            if self._is_open and self._pool is broken:
                if broken is not None:
                    await asyncio.to_thread(_stop, broken)
                self._pool = await asyncio.to_thread(self._start)

    def _start(self) -> pebble.ProcessPool:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(self._preload))
        pool = pebble.ProcessPool(
            max_workers=self._workers,
            max_tasks=self._max_calls,
            initializer=prepare,
            initargs=(self._memory, self._preload),
            context=context,
        )
        assert pool.active  # asking starts the workers: here, and not on the event loop
        return pool


def _hide_script() -> str | None:
    """Keep workers from running the script that was started; returns its path.

    multiprocessing has each new process run it once more, so that what it defines can be unpickled.
    Nothing of ours is defined there, and for a console script it means to import the whole command
    line: seconds for each worker. It finds the script by its `__file__`.
    """
    main = sys.modules["__main__"]
    started_as_module = getattr(main, "__spec__", None) is not None
    return None if started_as_module else vars(main).pop("__file__", None)


def _stop(pool: pebble.ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]  # pebble's gap
    pool.join()


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _reason(error: BaseException) -> str:
    """One word for the metric."""
    match error:
        case pebble.ProcessExpired() if error.exitcode != OUT_OF_MEMORY:
            return "died"
        case TimeoutError():
            return "time"
        case MemoryError() | pebble.ProcessExpired():
            return "memory"
        case _:
            return "lost"


def _why(error: BaseException, timeout: float) -> str:
    if isinstance(error, pebble.ProcessExpired):
        if error.exitcode == OUT_OF_MEMORY:
            return "ran out of memory"
        return f"the worker process died ({_exit_name(error.exitcode)})"
    if isinstance(error, TimeoutError):
        return f"took longer than {timeout:g} s"
    if isinstance(error, MemoryError):
        return "ran out of memory"
    return "the worker process was lost"


def _exit_name(code: int) -> str:
    if code < 0:
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"
    return f"exit code {code}"
