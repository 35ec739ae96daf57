"""What every use case works with, and how claimed rows are worked through."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import TypeVar

from alerts import Sink
from monitor.compose import Rules
from monitor.ports import Clock, Fetcher, Offload, Store

T = TypeVar("T")

BATCH = 50
"""Rows that one job claims at once."""


@dataclass(slots=True, kw_only=True)
class Context:
    """The seams and the rules. `rules` may be swapped between any two units of work."""

    store: Store
    fetcher: Fetcher
    offload: Offload
    sink: Sink
    clock: Clock
    rules: Rules
    jitter: Callable[[], float]  # anywhere in -1 … 1
    stopping: bool = False  # begin nothing new
    sink_problem: str | None = None  # why the sink refuses us altogether
    budget: timedelta = timedelta(seconds=60)
    """A job begins nothing new after this long; the next tick goes on."""
    lease: timedelta = timedelta(minutes=5)
    """Longer than a budget plus the slowest fetch and parse."""
    delivery_lease: timedelta = timedelta(seconds=90)
    """Longer than the slowest call to a sink with its look-ups."""


async def work_by_host(
    context: Context,
    rows: Sequence[T],
    *,
    host: Callable[[T], str],
    do: Callable[[T], Awaitable[None]],
    give_back: Callable[[Sequence[T]], Awaitable[object]],
) -> None:
    """Hosts side by side, each host strictly in series; what is not begun is given back."""
    until = context.clock.now() + context.budget
    not_begun = list(rows)

    async def in_series(mine: Iterable[T]) -> None:
        for row in mine:
            if context.stopping or context.clock.now() >= until:
                return
            not_begun.remove(row)
            try:
                await do(row)
            except asyncio.CancelledError:
                not_begun.append(row)
                raise

    ordered = sorted(rows, key=host)
    groups = [list(group) for _, group in groupby(ordered, key=host)]
    try:
        results = await asyncio.gather(*map(in_series, groups), return_exceptions=True)
    finally:
        # A row that crashed its job is not among them: its lease keeps it from doing so again
        # at once.
        if not_begun:
            await asyncio.shield(give_back(tuple(not_begun)))
    for result in results:
        if isinstance(result, BaseException):
            raise result
