"""Our own network was away, and is back: what was put off for its sake is asked again soon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Final

from monitor import telemetry
from monitor.model import FeedId, Health
from monitor.pipeline.context import Context
from monitor.polling import outage
from monitor.ports import Transaction

log = telemetry.get_logger()

LOOK: Final = timedelta(seconds=30)
"""A process looks no more often than this; who comes back meanwhile is one of the same crowd."""
SECONDS: Final = 20
"""In which those are due that are written in one transaction."""


class Outage:
    """Has the feeds of a crowd asked again when one of them, that was out of reach, was reached.

    What was failed of whom is in the rows: several processes may do so at once, for the same feeds.
    """

    def __init__(self, context: Context) -> None:
        self._with = context
        self._reached = False
        self._looked_at: datetime | None = None

    def reached(self) -> None:
        """A feed was read that nobody could reach before."""
        self._reached = True

    async def look(self) -> int:
        """If one was reached: have the others due, if it was our network; returns how many."""
        now = self._with.clock.now()
        if not self._reached or (self._looked_at and abs(now - self._looked_at) < LOOK):
            return 0
        self._reached, self._looked_at = False, now
        store = self._with.store
        reach = await store.read(lambda tx: tx.reach(now))
        if not outage.is_ours(reach):
            return 0
        soon = now + outage.lasts(reach.unreached)
        feeds = await store.read(lambda tx: tx.unreached_feeds(now, soon))
        rows = 0
        slots = outage.spread(feeds, now)
        while some := tuple(islice(slots, SECONDS)):
            rows += await store.write(partial(_ask_again, some))
        if rows:
            log.warning("network.back", feeds=rows, detail="what could not be reached is due again")
        return rows


def _ask_again(slots: Sequence[tuple[datetime, Sequence[FeedId]]], tx: Transaction) -> int:
    return sum(tx.ask_feeds_again(feeds, at) for at, feeds in slots)


async def knock(context: Context, feeds: Mapping[Health, int]) -> None:
    """Where our own network is away and nobody was asked for minutes: have one feed asked.

    Done once a minute, by one process. `feeds`: how many there are of each health; rows are looked
    at only where half of them fail.
    """
    if 2 * feeds.get(Health.FAILING, 0) < sum(feeds.values()):
        return
    now = context.clock.now()
    if outage.is_quiet(await context.store.read(lambda tx: tx.reach(now)), now):
        first = (await context.store.read(lambda tx: tx.unreached_feeds(now, now)))[:1]
        await context.store.write(lambda tx: tx.ask_feeds_again(first, now))
