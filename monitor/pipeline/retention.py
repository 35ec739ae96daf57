"""Retention: what is too old goes, by age first; by size, too, where the operator sets a limit.

Each minute a second or two of small steps, so that nobody waits for long: a step is one transaction
of some ten milliseconds. A few thousand stories a minute may go, more than come.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from monitor import telemetry
from monitor.model import StoryId
from monitor.pipeline.context import Context
from monitor.ports import Transaction
from monitor.ports.retention import Bounds, Pruned

log = telemetry.get_logger()

FLOOR: Final = timedelta(days=30)
"""Nothing younger goes, whatever the size: copies are looked for fourteen days back, what sites
repeat is remembered for thirty, and feeds list their last month."""

FLOOR_MATCHED: Final = timedelta(days=60)
"""Nor what watches found: what is usual at an hour of the week is learnt from the last four."""

SECONDS: Final = 1.5
"""Of each minute."""

ENOUGH: Final = 0.95
"""Of the limit: what is above it is brought down to this, so that it is not done each minute."""


MEASURED: Final = 15
"""Rounds after which the size is looked at again, where it limits nothing: PostgreSQL's takes 0.1 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long things are kept. None: for ever, and however large."""

    articles: timedelta | None = None
    matched: timedelta | None = None
    size: int | None = None  # bytes

    def bounds(self, now: datetime) -> Bounds:
        """What is too old."""
        return Bounds(
            plain=now - self.articles if self.articles else None,
            matched=now - self.matched if self.matched else None,
        )

    def bounds_by_size(self, now: datetime, *, matched: bool) -> Bounds:
        """What may go because there is too much: first what no watch found anything in."""
        by_age = self.bounds(now)
        least = now - FLOOR_MATCHED
        return Bounds(
            plain=now - FLOOR,
            matched=max(by_age.matched or least, least) if matched else by_age.matched,
        )


class Retention:
    """Keeps the database within limits."""

    def __init__(self, context: Context, limits: Limits) -> None:
        self._with = context
        self.limits = limits
        self._after: StoryId | None = None
        self._by_size = False  # whether there was too much when it was looked at last
        self._with_matched = False
        self._told = False
        self._rounds = 0

    async def look(self, *, seconds: float = SECONDS) -> Counter[str]:
        """Delete some of what may go; returns how many rows of which tables."""
        await self._measure()
        until = monotonic() + seconds
        gone: Counter[str] = Counter()
        while not self._with.stopping:
            gone.update(await self._step())
            if self._after is None or monotonic() > until:
                break
        for table, rows in gone.items():
            telemetry.PRUNED.labels(table).inc(rows)
        if gone:
            log.info("database.pruned", **gone)
        return gone

    async def _step(self) -> Counter[str]:
        now, after, limit = self._with.clock.now(), self._after, self.limits.size
        bounds = self.limits.bounds(now)
        if self._by_size:
            bounds = self.limits.bounds_by_size(now, matched=self._with_matched)

        def prune(tx: Transaction) -> Pruned:
            if bounds.matched is not None:
                tx.seal_mentions(bounds.matched)  # what was counted is not to be counted as nothing
            return tx.prune(bounds, now, after=after)

        pruned = await self._with.store.write(prune)
        self._after = pruned.after
        if self._by_size and limit is not None and (pruned.after is None or pruned.rows):
            size = await self._with.store.read(lambda tx: tx.stored_bytes())
            if size <= limit * ENOUGH:
                self._by_size = self._with_matched = self._told = False
                self._after = None
            elif pruned.after is None:
                self._whole_round(size)
        return Counter(pruned.rows)

    async def _measure(self) -> None:
        self._rounds += 1
        if self.limits.size is None:
            self._by_size = self._with_matched = False
            if self._rounds % MEASURED != 1:
                return
        size = await self._with.store.read(lambda tx: tx.stored_bytes())
        telemetry.DATABASE_BYTES.set(size)
        is_over = self.limits.size is not None and size > self.limits.size
        if is_over and not self._by_size:
            self._by_size, self._after = True, None

    def _whole_round(self, size: int) -> None:
        """All that may go for its size has gone, and there is still too much."""
        if not self._with_matched:
            self._with_matched = True
        elif not self._told:
            self._told = True
            log.warning(
                "database.too_large",
                bytes=size,
                limit=self.limits.size,
                detail="nothing is left that is old enough to go: raise [retention] size",
            )
