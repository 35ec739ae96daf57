"""The budget of polls: what a poll must bring is so set that all of them together keep to it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from monitor.compose import Rules
from monitor.model import Cadence
from monitor.pipeline.context import Context, Market
from monitor.polling import schedule
from monitor.polling.rhythm import Rhythm, mean_rate
from monitor.polling.schedule import Limits

ASKED: Final = 10_000
"""Feeds by which the price is set, at most. A rhythm takes a tenth of a millisecond to read; by so
many of a million the polls are a hundredth more or less than by all."""


async def set_price(context: Context) -> None:
    """Learn from all feeds, or from enough of them, what a poll must bring from now on."""
    rhythms, step = await context.store.read(lambda tx: tx.rhythms(ASKED))
    now = context.clock.now()
    context.market = await asyncio.to_thread(market_of, rhythms, context.rules, now, step)


def market_of(
    rhythms: Mapping[str, str | None], rules: Rules, now: datetime, step: int = 1
) -> Market | None:
    """The price of a poll for feeds of these rhythms, by URL; None if no feed's interval is free.

    The budget is the operator's, or as many polls as one for each feed at the usual interval.
    `step`: of how many feeds each of these stands for all, and so has their part of the budget.
    """
    free = {
        url: Rhythm.from_json(text)
        for url, text in rhythms.items()
        if rules.cadence_of(url).interval is None
    }
    if not free:
        return None
    prior = mean_rate(free.values(), now)
    demands = [
        schedule.demand(rhythm, now, prior, cadence.weight, limits_of(cadence))
        for url, rhythm in free.items()
        for cadence in [rules.cadence_of(url)]
    ]
    usual = len(free) * 60 / rules.interval.total_seconds()
    per_minute = rules.budget / step if rules.budget else usual
    return Market(schedule.price(demands, per_minute), prior)


def limits_of(cadence: Cadence) -> Limits:
    """The bounds of a cadence, as schedules have them."""
    return Limits(cadence.fastest, cadence.slowest)
