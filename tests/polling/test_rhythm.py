"""A rhythm is learned from what polls find, forgets, and is no surer than it may be."""

from __future__ import annotations

import base64
import json
import random
import zlib
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.polling.rhythm import (
    PRIOR,
    SLOTS,
    Rhythm,
    expectation,
    expected,
    learn,
    mean_rate,
    rate,
    silence,
)

START = datetime(2025, 5, 10, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
NEW = learn(Rhythm(), START, None, [])

moments = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))


def watched(posts, until, every=HOUR, rhythm=NEW, start=START):
    """What is learned from polls at even intervals."""
    posts, at, first = sorted(posts), start, 0
    while at < until:
        before, at = at, at + every
        last = bisect_right(posts, at)
        rhythm, first = learn(rhythm, at, before, posts[first:last]), last
    return rhythm


def poisson(per_day, days, seed=1, start=START):
    dice, at = random.Random(seed), start
    while (at := at + dice.expovariate(per_day) * DAY) < start + days * DAY:
        yield at


def rhythms():
    """Of a few polls that found anything."""
    found = st.lists(st.none() | moments, max_size=30)
    polls = st.lists(st.tuples(st.integers(1, 10**7), found), max_size=6)

    def told(polls):
        rhythm, at = NEW, START
        for wait, found in polls:
            before, at = at, at + timedelta(seconds=wait)
            rhythm = learn(rhythm, at, before, found)
        return rhythm

    return polls.map(told)


# --------------------------------------------------------------------------- learning


@pytest.mark.parametrize("per_day", [2, 20, 200])
def test_the_rate_of_a_steady_feed_is_found(per_day):
    """Within what chance allows, for ten days' worth of items are remembered."""
    rhythm = watched(poisson(per_day, 40), START + 40 * DAY)
    seen = expectation(rhythm, START + 40 * DAY, PRIOR)
    assert seen.rate * DAY.total_seconds() == pytest.approx(per_day, rel=4 / (10 * per_day) ** 0.5)


def test_what_a_poll_found_counts_the_same_however_often_it_came():
    """Dates tell when items came; the polls do not."""
    posts = list(poisson(30, 10))
    often, rarely = (watched(posts, START + 10 * DAY, every=hours * HOUR) for hours in (1, 6))
    for at in (START + 10 * DAY + hour * HOUR for hour in range(24)):
        assert rate(often, at, PRIOR) == pytest.approx(rate(rarely, at, PRIOR), rel=0.02)


def test_posts_by_the_clock_are_expected_by_the_clock():
    """An edition at six, and little else."""
    posts = [START + day * DAY + 6 * HOUR + n * MINUTE for day in range(14) for n in range(4)]
    posts += [START + day * DAY + 15.5 * HOUR for day in range(14)]
    rhythm, today = watched(posts, START + 14 * DAY), START + 14 * DAY
    at_six, at_three, at_night = (
        rate(rhythm, today + hours * HOUR + 2 * MINUTE, PRIOR) for hours in (6, 15.5, 3)
    )
    assert at_six > 3 * at_three > 30 * at_night > 0
    whole = expected(rhythm, today, today + DAY, PRIOR)
    assert 3 < whole < 7
    assert expected(rhythm, today + 5 * HOUR, today + 7 * HOUR, PRIOR) > whole / 3


def test_a_burst_does_not_spoil_the_night():
    """Three hundred items in an evening, of a feed with twenty a day, a week ago.

    They count little by now, and other hours look no busier for them than the mean does.
    """
    usual = list(poisson(20, 21))
    burst = [START + 14 * DAY + 20 * HOUR + n * 10 * timedelta(seconds=1) for n in range(300)]
    plain = watched(usual, START + 21 * DAY)
    spoilt = watched([*usual, *burst], START + 21 * DAY)
    for hour in (1, 3, 5, 12):
        at = START + 21 * DAY + hour * HOUR
        assert rate(spoilt, at, PRIOR) < 2.5 * rate(plain, at, PRIOR)
    at = START + 21 * DAY + 3 * HOUR
    assert expected(spoilt, at, at + HOUR, PRIOR) < 2.5 * expected(plain, at, at + HOUR, PRIOR)


def test_a_feed_that_ended_is_expected_to_bring_nothing():
    """A month later, however busy it was; and after a quiet night it is what it was."""
    for per_day in (1, 10, 100):
        rhythm = watched(poisson(per_day, 30), START + 30 * DAY)
        last = START + 30 * DAY
        live, night, dead = (
            expectation(rhythm, last + later, PRIOR).rate for later in (HOUR, 8 * HOUR, 30 * DAY)
        )
        assert night > 0.5 * live
        assert dead < live / 10
        assert dead * DAY.total_seconds() < 0.1


def test_a_poll_without_news_teaches_nothing():
    """So it need not be written."""
    rhythm = watched(poisson(10, 3), START + 3 * DAY)
    assert learn(rhythm, START + 4 * DAY, START + 3 * DAY, []) is rhythm


def test_what_came_while_nobody_looked_is_known_by_its_date():
    """A list of twenty after two days of a post an hour: the rate stays, its oldest day is unknown."""
    days, away = 10, timedelta(days=2)
    rhythm = watched([START + n * HOUR + MINUTE for n in range(24 * days)], START + days * DAY)
    now = START + days * DAY + away
    listed = [now - n * HOUR - 30 * MINUTE for n in range(20)]
    known = learn(rhythm, now, now - away, listed, unseen=True)
    believed = learn(rhythm, now, now - away, listed)
    usual = expectation(rhythm, now - away, PRIOR).rate
    assert expectation(known, now, PRIOR).rate == pytest.approx(usual, rel=0.03)
    assert expectation(believed, now, PRIOR).rate < 0.92 * usual
    assert known.exposure < believed.exposure
    assert known.quiet == believed.quiet


@pytest.mark.parametrize("date", [None, START - 9 * DAY, START + 90 * DAY])
def test_what_came_while_nobody_looked_and_bears_no_date_is_backlog(date):
    """It adds neither items nor time watched; what is learned goes on from there."""
    rhythm = watched([START + n * HOUR for n in range(1, 48)], START + 2 * DAY)
    now, before = START + 5 * DAY, START + 47 * HOUR
    assert rhythm.at == before.timestamp()
    after = learn(rhythm, now, before, [date] * 40, unseen=True)
    assert after.counts == rhythm.counts
    assert after.items / after.exposure == pytest.approx(rhythm.items / rhythm.exposure)
    assert after.at == now.timestamp()


def test_backlog_is_no_news():
    """What the first poll lists may be of any age."""
    rhythm = learn(Rhythm(), START, None, [START - n * MINUTE for n in range(50)])
    assert rhythm == NEW
    assert rate(rhythm, START, PRIOR) == pytest.approx(PRIOR)


@pytest.mark.parametrize("date", [None, START - 9 * DAY, START + 9 * DAY, START + 2 * HOUR])
def test_items_without_a_date_to_be_believed_are_spread(date):
    """Over the interval in which they came to be seen."""
    rhythm = learn(NEW, START + 2 * HOUR, START + HOUR, [date] * 12)
    if date == START + 2 * HOUR:
        assert sum(map(bool, rhythm.counts)) == 1
    else:
        assert all(rhythm.counts[12:24])
        assert not any(rhythm.counts[:12] + rhythm.counts[24:])


def test_feeds_of_which_little_is_known_are_taken_for_the_mean_one():
    """At first wholly; and its own items soon count for more."""
    assert rate(Rhythm(), START, 5.0) == rate(NEW, START, 5.0) == 5.0
    fleet = [watched(poisson(per_day, 9, seed=per_day), START + 9 * DAY) for per_day in (5, 50, 95)]
    per_day = mean_rate([*fleet, Rhythm(), NEW], START + 9 * DAY) * DAY.total_seconds()
    assert 30 < per_day < 55
    assert mean_rate([], START) == mean_rate([Rhythm()], START) == PRIOR


@settings(max_examples=50)
@given(rhythm=rhythms(), at=moments, prior=st.floats(1e-9, 1))
def test_whatever_was_found_expectations_are_sane(rhythm, at, prior):
    """Above nothing, below what was ever found, and a mean day is one of the mean rate."""
    seen = expectation(rhythm, at, prior)
    assert 0 <= seen.rate <= max(prior, (rhythm.items + 0.5) / 1e-3)
    assert sum(seen.profile) / SLOTS == pytest.approx(1)
    assert min(seen.profile) > 0
    assert 0 <= seen.pace <= seen.rate * 1.000001
    assert 0 <= silence(rhythm, START, at, prior) <= 1


@settings(max_examples=50)
@given(rhythm=rhythms(), times=st.lists(st.integers(0, 10**6), min_size=3, max_size=3).map(sorted))
def test_what_is_expected_adds_up(rhythm, times):
    """Of two spans as much as of both; and of a day a day's worth."""
    seen = expectation(rhythm, START, PRIOR)
    one, two, three = (START + timedelta(seconds=each) for each in times)
    now = START  # what is known at the beginning is asked for, in one piece and in two
    whole = expected(rhythm, now, now + 2 * DAY, PRIOR)
    assert whole == pytest.approx(2 * 86400 * seen.rate)
    assert expected(rhythm, two, one, PRIOR) == 0.0
    assert expected(rhythm, one, two, PRIOR) <= expected(rhythm, one, three, PRIOR)


# --------------------------------------------------------------------------- silence


def test_a_silence_is_the_less_probable_the_longer_and_the_busier():
    """And none is what a thinly known feed does."""
    last = START + 20 * DAY
    busy, slow = (watched(poisson(per_day, 20), last) for per_day in (50, 2))
    spans = [timedelta(hours=hours) for hours in (0, 1, 6, 24, 96, 999)]
    for rhythm in (busy, slow):
        chances = [
            silence(rhythm, rhythm_end(rhythm), rhythm_end(rhythm) + span, PRIOR) for span in spans
        ]
        assert chances[0] == 1
        assert all(later < sooner for sooner, later in pairwise(chances))
    assert silence(busy, last, last + DAY, PRIOR) < 1e-9
    assert silence(slow, last, last + DAY, PRIOR) > 0.02
    few = learn(NEW, START + HOUR, START, [START + n * MINUTE for n in (10, 20, 30)])
    assert silence(few, START + HOUR, START + 2 * DAY, PRIOR) > 1e-4
    assert silence(Rhythm(), START, START + 999 * DAY, PRIOR) == 1


def rhythm_end(rhythm):
    assert rhythm.at is not None
    return datetime.fromtimestamp(rhythm.at, UTC)


def test_a_night_is_no_silence():
    """Of a feed that sleeps each night."""
    posts = [START + day * DAY + 9 * HOUR + n * 20 * MINUTE for day in range(30) for n in range(36)]
    rhythm, evening = watched(posts, START + 30 * DAY), START + 29 * DAY + 21 * HOUR
    by_night = silence(rhythm, evening, evening + 10 * HOUR, PRIOR)
    by_day = silence(rhythm, evening + 12 * HOUR, evening + 22 * HOUR, PRIOR)
    assert by_day < 1e-3
    assert by_night > 0.05


# --------------------------------------------------------------------------- stored


@settings(max_examples=50)
@given(rhythm=rhythms())
def test_what_is_stored_is_read_again(rhythm):
    """As far as its numbers are written."""
    text = rhythm.to_json()
    again = Rhythm.from_json(text)
    assert len(text) <= 1024
    assert again.to_json() == text
    assert again.counts == rhythm.counts
    at = START + 3 * DAY
    assert rate(again, at, PRIOR) == pytest.approx(rate(rhythm, at, PRIOR), rel=1e-3)


def test_the_busiest_feed_fits_a_kilobyte():
    """Two hundred items a day for half a year; and old counts fade."""
    rhythm = watched(poisson(200, 180), START + 180 * DAY, every=3 * HOUR)
    assert len(rhythm.to_json()) <= 1024
    assert sum(rhythm.counts) < 200 * 180 * 8
    late = learn(rhythm, START + 999 * DAY, START + 998 * DAY, [START + 999 * DAY])
    assert sum(late.counts) < 10


def stored(**changes):
    good = json.loads(watched(poisson(9, 3), START + 3 * DAY).to_json())
    return json.dumps(good | changes)


@settings(max_examples=100)
@given(
    text=st.text()
    | st.sampled_from([stored()]).flatmap(
        lambda good: st.integers(0, len(good)).map(lambda n: good[:n] + good[n + 1 :])
    )
)
def test_no_text_is_too_bad(text):
    """It is read as something, and something is learned from there on."""
    rhythm = Rhythm.from_json(text)
    at = START + 100 * DAY
    assert 0 <= rate(rhythm, at, PRIOR) < float("inf")
    assert Rhythm.from_json(learn(rhythm, at, at - DAY, [at]).to_json()).at is not None


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "null",
        "[]",
        "{}",
        "7",
        "[" * 9999,
        stored(items="many"),
        stored(items=-1),
        stored(items=1e300),
        stored(at=None),
        stored(at=0),
        stored(items=float("nan")),
        stored(exposure=float("inf")),
        stored(counts="?"),
        stored(counts=base64.b64encode(zlib.compress(bytes(10))).decode()),
        stored(counts=base64.b64encode(zlib.compress(bytes(10**7))).decode() * 2),
        stored(counts=5),
    ],
)
def test_garbage_is_an_unlearned_rhythm(text):
    """And no error."""
    assert Rhythm.from_json(text) == Rhythm()
