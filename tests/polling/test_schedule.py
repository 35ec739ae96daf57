"""The polls go where news is to be expected, and are as many as the budget says."""

from __future__ import annotations

import math
import random
import time
from dataclasses import replace
from datetime import timedelta
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.polling.rhythm import PRIOR, Rhythm, expectation
from monitor.polling.schedule import Demand, Limits, Price, demand, next_interval, price
from tests.polling.test_rhythm import DAY, HOUR, MINUTE, START, poisson, rhythms, watched

SHARE = 1800.0
"""Seconds of an equal share in most of these tests."""

limits = st.tuples(st.integers(10, 10**5), st.integers(10, 10**5)).map(
    lambda pair: Limits(timedelta(seconds=min(pair)), timedelta(seconds=max(pair)))
)
demands = st.lists(
    st.builds(
        Demand,
        st.floats(1e-9, 1) | st.just(0.0),
        st.floats(0.01, 100),
        limits,
        st.floats(0, 1),
    ),
    min_size=1,
    max_size=30,
)


def polls(demands, found):
    """Polls a minute that a price makes of demands: the square-root rule between the limits."""
    for each in demands:
        fastest, slowest = (
            limit.total_seconds() for limit in (each.limits.fastest, each.limits.slowest)
        )
        wanted = math.sqrt(each.weight * each.pace / (2 * found.theta))
        yield 60 * min(1 / fastest, max(1 / slowest, each.claim / found.fair, wanted))


# --------------------------------------------------------------------------- the price


@settings(max_examples=200)
@given(demands=demands, per_minute=st.floats(1e-3, 1e4), patience=st.sampled_from([1.5, math.inf]))
def test_the_price_meets_the_budget(demands, per_minute, patience):
    """Or all feeds are as slow, or as fast, as they may be."""
    found = price(demands, per_minute, patience)
    made = sum(polls(demands, found))
    if made != pytest.approx(per_minute, rel=1e-6):
        wanted = [each for each in demands if each.pace > 0]
        floor = sum(polls(demands, Price(math.inf, found.fair)))
        ceiling = sum(polls(wanted, Price(1e-300, found.fair)))
        ceiling += sum(polls([each for each in demands if not each.pace > 0], found))
        reached = floor if per_minute < made else ceiling
        assert made == pytest.approx(reached, rel=1e-6)


@settings(max_examples=50)
@given(demands=demands, per_minute=st.floats(1e-2, 1e3))
def test_a_larger_budget_has_a_lower_price(demands, per_minute):
    """Never a higher one."""
    dear, cheap = (price(demands, per_minute * times, math.inf).theta for times in (1, 2))
    assert cheap <= dear * (1 + 1e-9)


def test_of_no_feeds_there_is_a_price_too():
    """The first poll of a new fleet asks for it."""
    assert price([], 5).theta > 0


def test_unlearned_feeds_share_the_budget_equally():
    """A new fleet is polled at even intervals."""
    fleet = [demand(Rhythm(), START, PRIOR) for _ in range(40)]
    found = price(fleet, 40 / 30)
    assert next_interval(Rhythm(), START, found, prior=PRIOR) == pytest.approx(
        timedelta(minutes=30), abs=timedelta(seconds=1)
    )


def test_one_busy_feed_does_not_take_it_all():
    """It ends at its fastest, and what it leaves is the others'."""
    fleet = [Demand(100.0), *(Demand(1e-4) for _ in range(99))]
    made = list(polls(fleet, price(fleet, 100 / 30)))
    assert made[0] == pytest.approx(0.5)
    assert made[1] == pytest.approx((100 / 30 - 0.5) / 99)


def test_ten_thousand_feeds_are_priced_at_once():
    """In fifty milliseconds of CPU; twice that here, for the machine's sake."""
    dice = random.Random(3)
    fleet = [
        Demand(dice.lognormvariate(-9, 2), dice.choice([1.0, 1.0, 3.0]), claim=dice.random())
        for _ in range(10_000)
    ]
    spent = []
    for _ in range(3):
        began = time.process_time()
        found = price(fleet, 10_000 / 30)
        spent.append(time.process_time() - began)
    assert sum(polls(fleet, found)) == pytest.approx(10_000 / 30)
    assert min(spent) < 0.1


# --------------------------------------------------------------------------- the next poll


@settings(max_examples=100)
@given(
    rhythm=rhythms(),
    later=st.integers(0, 10**7),
    limits=limits,
    theta=st.floats(1e-6, 1e12),
    fair=st.floats(1, 1e6) | st.just(math.inf),
    weight=st.floats(0, 100),
)
def test_no_interval_is_outside_its_limits(rhythm, later, limits, theta, fair, weight):
    """Whatever was learned, and whatever the price."""
    found = next_interval(
        rhythm,
        START + timedelta(seconds=later),
        Price(theta, fair),
        prior=PRIOR,
        weight=weight,
        limits=limits,
    )
    assert limits.fastest <= found <= limits.slowest


@given(prior=st.floats(1e-6, 1e-2), theta=st.floats(10, 1000))
def test_a_steady_feed_is_polled_by_the_root_of_its_rate(prior, theta):
    """τ = √(2θ/r), between the limits."""
    found = next_interval(Rhythm(), START, Price(theta), prior=prior).total_seconds()
    assert found == pytest.approx(min(21600, max(120, math.sqrt(2 * theta / prior))), rel=1e-3)


def test_busier_feeds_and_those_that_weigh_more_are_polled_more():
    """At the same moment and price."""
    now = START + 20 * DAY
    rhythms = [watched(poisson(per_day, 20), now) for per_day in (0.5, 5, 50, 500)]
    waits = [next_interval(rhythm, now, Price(300), prior=PRIOR) for rhythm in rhythms]
    assert waits == sorted(waits, reverse=True)
    assert waits[0] > 3 * waits[2]
    light, heavy = (
        next_interval(rhythms[1], now, Price(300), prior=PRIOR, weight=weight) for weight in (1, 4)
    )
    assert 1.3 * heavy < light


def test_the_budget_is_met_over_a_day():
    """By polls that follow each other, of feeds that post by the clock, each at hours of its own."""
    dice, fleet = random.Random(4), []
    now = START + 15 * DAY
    for place in range(12):
        hour = dice.randrange(24)
        posts = list(poisson(2 + place, 15, seed=place))
        posts += [
            START + day * DAY + timedelta(hours=hour, minutes=dice.uniform(0, 180))
            for day in range(15)
            for _ in range(10)
        ]
        fleet.append(watched(posts, now))
    found = price([demand(rhythm, now, PRIOR) for rhythm in fleet], 12 / 30)
    made = 0
    for rhythm in fleet:
        at = now
        while at < now + DAY:
            going_on = replace(rhythm, at=at.timestamp(), epoch=at.timestamp() - 86400)
            at += next_interval(going_on, at, found, prior=PRIOR)
            made += 1
    assert made / 12 == pytest.approx(48, rel=0.12)


def test_a_feed_is_asked_behind_its_rush_and_not_before():
    """Thirty items in the ten minutes from six on, a few at noon."""
    posts = [
        START + day * DAY + 6 * HOUR + n * timedelta(seconds=20)
        for day in range(30)
        for n in range(30)
    ]
    posts += [START + day * DAY + 12 * HOUR for day in range(30)]
    rhythm, today = watched(posts, START + 30 * DAY), START + 30 * DAY
    cheap = Price(3000)
    before = today + 5.5 * HOUR
    wake = before + next_interval(rhythm, before, cheap, prior=PRIOR)
    assert today + 6 * HOUR < wake <= today + 6 * HOUR + 15 * MINUTE
    noon = today + 12.5 * HOUR
    assert next_interval(rhythm, noon, cheap, prior=PRIOR) > 2 * HOUR


@pytest.mark.parametrize("per_day", [2, 20, 200])
def test_a_feed_that_ended_drifts_to_the_slowest(per_day):
    """In a month; and patience, that it may be asked for its rare news, ends as well."""
    rhythm = watched(poisson(per_day, 30), START + 30 * DAY)
    for quiet, fair, least in ((30, math.inf, 6), (30, 1.5 * SHARE, 1), (90, 1.5 * SHARE, 6)):
        now = START + (30 + quiet) * DAY
        assert next_interval(rhythm, now, Price(300, fair), prior=PRIOR) >= least * HOUR


def test_no_live_feed_waits_much_longer_than_with_equal_shares():
    """That is what patience is: without it a slow feed pays for the busy ones."""
    now = START + 30 * DAY
    rhythm = watched(poisson(1, 30), now)
    rhythm = watched([now + 12 * HOUR], now + DAY, rhythm=rhythm, start=now)
    patient, fair = (
        next_interval(rhythm, now + DAY, Price(300, fair), prior=PRIOR).total_seconds()
        for fair in (math.inf, 1.5 * SHARE)
    )
    assert patient > 2 * SHARE
    assert fair < 2 * SHARE


@settings(max_examples=50)
@given(rhythm=rhythms(), weight=st.floats(0.1, 10))
def test_a_demand_is_what_is_expected(rhythm, weight):
    """Of the feed's mean day."""
    now = START + 30 * DAY
    seen = expectation(rhythm, now, PRIOR)
    found = demand(rhythm, now, PRIOR, weight)
    assert found.pace == pytest.approx(
        seen.rate * mean(math.sqrt(each) for each in seen.profile) ** 2
    )
    assert found.weight == weight
    assert 0 <= found.claim <= 1 + 1e-9
