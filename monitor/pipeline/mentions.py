"""Mentions are counted beside the pipeline, in small steps: nobody waits for a chart."""

from __future__ import annotations

from datetime import datetime

from monitor.ports import Store

_STEPS = 50  # a minute; an archive of ninety days is counted in ten


async def count_mentions(store: Store, now: datetime) -> int:
    """Count what changed, and some of what was never counted; returns in how many steps."""
    for step in range(_STEPS):
        if not await store.write(lambda tx: tx.count_mentions(now)):
            return step + 1
    return _STEPS
