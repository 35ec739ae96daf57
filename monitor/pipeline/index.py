"""Index: what an article can be looked up by is worked out and kept, beside the work.

An alert does not wait for it. Until it is done search reads the newest articles as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from monitor.match.lookup import mark_of_feed, marks_of
from monitor.pipeline.context import Context
from monitor.ports import Indexed, Unindexed

BATCH: Final = 50
"""Articles of one step: 50 ms of work, and one transaction of 15 ms for which others wait."""

REST: Final = 2.0
"""How often as long as a full step took the next one is waited for: whoever brings a large archive
along has its news first."""


class Index:
    """Indexes articles that wait for it, the newest first."""

    def __init__(self, context: Context, *, batch: int = BATCH, rest: float = REST) -> None:
        self._with = context
        self._batch = batch
        self._rest = rest

    async def run(self) -> None:
        """Go on until it is done or the budget is spent."""
        until = self._with.clock.now() + self._with.budget
        loop = asyncio.get_running_loop()
        while not self._with.stopping and self._with.clock.now() < until:
            began = loop.time()
            if await self._step() < self._batch:
                return
            await asyncio.sleep(self._rest * (loop.time() - began))

    async def _step(self) -> int:
        """Index some; returns how many waited, if not more than a batch."""
        waiting = await self._with.store.read(lambda tx: tx.unindexed(self._batch))
        if waiting:
            indexed = await asyncio.to_thread(_indexed, waiting)
            await self._with.store.write(lambda tx: tx.index(indexed))
        return len(waiting)


def _indexed(waiting: Sequence[Unindexed]) -> Sequence[Indexed]:
    return [
        Indexed(article=each.article, wanted=each.wanted, marks=_marks(each)) for each in waiting
    ]


def _marks(each: Unindexed) -> frozenset[str]:
    if each.document is None:
        return frozenset()
    return frozenset((*marks_of(each.document), *map(mark_of_feed, each.feeds)))
