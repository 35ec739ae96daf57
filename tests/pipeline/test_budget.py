"""The price of a poll, by all feeds or by some of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.compose import Rules
from monitor.match import compile_watches
from monitor.pipeline.budget import market_of
from tests.polling.test_rhythm import START, poisson, watched

MINUTE = timedelta(minutes=1)
NOW = START + timedelta(days=20)


def test_the_price_by_some_feeds_is_that_by_all():
    """Each stands for so many, and has their part of the budget."""
    learnt = [watched(poisson(per_day, 20), NOW).to_json() for per_day in (0.5, 2, 5, 20, 100)]
    rules = Rules(watches=(), matcher=compile_watches(()), default_channel="", interval=20 * MINUTE)
    some = {f"https://{number}.example/": learnt[number % 5] for number in range(150)}
    many = {f"{url}{copy}": each for url, each in some.items() for copy in range(8)}
    for given in (rules, replace(rules, budget=100.0)):
        whole, part = market_of(many, given, NOW), market_of(some, given, NOW, 8)
        assert whole is not None
        assert part is not None
        assert part.prior == pytest.approx(whole.prior, rel=0.02)
        assert part.price.theta == pytest.approx(whole.price.theta, rel=0.02)
