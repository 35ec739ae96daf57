"""Spikes: what is usual, what is more, and what is no more than chance."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import comb, exp, factorial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import SpikeRule, StoryId
from monitor.telling.spikes import (
    HOUR,
    QUARTER,
    SPAN,
    Baseline,
    Began,
    History,
    at_least,
    hour_of,
    judge,
    learn,
    quarter_of,
    start_of,
)

NOW = datetime(2025, 5, 10, 12, 0, tzinfo=UTC)  # a Saturday
MINUTE = timedelta(minutes=1)
RULE = SpikeRule()
THIS_HOUR = hour_of(NOW)


def began(minutes_ago: float, publisher: str = "Dawn", story: int = 0) -> Began:
    """A story that began so long ago."""
    return Began(
        story=StoryId(story or round(minutes_ago * 1000)),
        at=NOW - timedelta(minutes=minutes_ago),
        publishers=frozenset({publisher}),
    )


def burst(number: int, minutes: float = 10.0) -> list[Began]:
    """So many stories, of publishers in turns, spread over the last minutes."""
    return [
        began(minutes * n / number, ("Dawn", "PTI", "BBC")[n % 3], n + 1) for n in range(number)
    ]


def steady(an_hour: int, days: int = 28, *, every: int = 1, last: int = THIS_HOUR) -> History:
    """So many stories in every hour (or every so-many-th), and the service never down."""
    hours = range(last - 24 * days, last)
    return History(
        begun={
            4 * hour + n % 4: (an_hour + 3 - n) // 4 for hour in hours[::every] for n in range(4)
        },
        hours=hours,
    )


# ------------------------------------------------------------------------------ the law


def exactly(count: int, mean: Fraction, size: int) -> Fraction:
    """The negative binomial tail for a whole size, in exact fractions."""
    odds = mean / (mean + size)
    terms = (comb(x + size - 1, x) * odds**x for x in range(count))
    return 1 - (1 - odds) ** size * sum(terms, Fraction(0))


@pytest.mark.parametrize("size", [1, 2, 3, 20])
@pytest.mark.parametrize("mean", [Fraction(1, 50), Fraction(1, 2), Fraction(3), Fraction(40)])
@pytest.mark.parametrize("count", [0, 1, 2, 4, 11, 40, 41, 120])
def test_the_tail_is_right_to_nine_digits(count: int, mean: Fraction, size: int):
    """Far out, too, where 1 minus the rest has nothing left."""
    wanted = float(exactly(count, mean, size))
    assert at_least(count, float(mean), 1 / size) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize(
    ("count", "mean", "spread", "wanted"),
    [  # scipy.stats.nbinom.sf(count - 1, 1 / spread, 1 / (1 + spread * mean)), scipy 1.17.1
        (8, 1.3, 0.4, 0.002304987304958307),
        (15, 2.0, 1.7, 0.007675765238016798),
        (90, 31.5, 0.27, 0.0064366637505592445),
        (25, 0.75, 0.05, 6.429860040072826e-25),
    ],
)
def test_the_tail_is_that_of_others(count: int, mean: float, spread: float, wanted: float):
    """Sizes that are no whole numbers."""
    assert at_least(count, mean, spread) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize(("count", "mean"), [(1, 0.25), (4, 0.5), (10, 10.0), (30, 3.0)])
def test_without_spread_it_is_poissons_law(count: int, mean: float):
    """What the limit of the one is."""
    below = sum(exp(-mean) * mean**x / factorial(x) for x in range(count))
    if 1 - below > 1e-6:
        assert at_least(count, mean, 0.0) == pytest.approx(1 - below, rel=1e-9)
    assert at_least(count, mean, 0.0) == pytest.approx(at_least(count, mean, 1e-5), rel=1e-2)


@given(
    count=st.integers(0, 300),
    mean=st.floats(0.001, 200.0),
    spread=st.one_of(st.just(0.0), st.floats(1e-3, 5.0)),
)
def test_the_tail_falls_with_the_count_and_rises_with_the_mean(
    count: int, mean: float, spread: float
):
    """It is a probability."""
    tail = at_least(count, mean, spread)
    assert 0.0 <= tail <= 1.0
    assert at_least(count + 1, mean, spread) <= tail * (1 + 1e-9)
    assert at_least(count, mean * 1.5, spread) >= tail * (1 - 1e-9)


# ------------------------------------------------------------------------------ what is usual


def test_what_always_comes_is_usual():
    """Of every hour alike; a quarter brings a quarter of it, a window over two hours some of both."""
    usual = learn(steady(8), NOW)
    assert usual.rates == pytest.approx([8.0] * 168, rel=0.01)
    assert usual.usual(NOW, HOUR) == pytest.approx(8.0, rel=0.01)
    assert usual.usual(NOW + 5 * MINUTE, QUARTER) == pytest.approx(2.0, rel=0.01)


def test_an_hour_of_the_week_is_usual_by_itself():
    """Saturdays at 11 bring thirty where other hours bring two: no news on a Saturday at 12."""
    history = steady(2)
    busy = {hour for hour in history.hours if (hour - THIS_HOUR + 1) % 168 == 0}
    begun = dict(history.begun) | {4 * hour + part: 8 for hour in busy for part in range(4)}
    usual = learn(History(begun=begun, hours=history.hours), NOW)
    assert usual.usual(NOW, HOUR) > 8
    assert usual.usual(NOW - 24 * HOUR, HOUR) < 5
    assert usual.usual(NOW - 48 * HOUR - 6 * HOUR, HOUR) == pytest.approx(2, abs=0.5)


def test_nothing_is_still_something():
    """Who has seen no story in four weeks does not know that there is none."""
    usual = learn(steady(0), NOW)
    assert 0 < usual.usual(NOW, HOUR) < 0.01
    assert judge(usual, burst(3), RULE, NOW) is None
    assert judge(usual, burst(4), RULE, NOW) is not None


def test_days_without_the_service_are_no_days_without_news():
    """Two weeks of four it was off: the rate is that of the others, the span is theirs."""
    whole = steady(8)
    off = range(THIS_HOUR - 24 * 20, THIS_HOUR - 24 * 8)
    history = History(
        begun={quarter: n for quarter, n in whole.begun.items() if quarter // 4 not in off},
        hours=frozenset(whole.hours) - frozenset(off),
    )
    usual = learn(history, NOW)
    assert usual.usual(NOW, HOUR) == pytest.approx(8.0, rel=0.02)
    assert usual.span == timedelta(days=16) - HOUR  # the last hour is what is judged


def test_a_spike_of_last_week_is_no_measure():
    """What was improbable then would be missed now, if it made the spread."""
    quiet = steady(4)
    hours = range(THIS_HOUR - 100, THIS_HOUR - 96)
    begun = dict(quiet.begun) | {4 * hour + part: 15 for hour in hours for part in range(4)}
    before, after = learn(quiet, NOW), learn(History(begun=begun, hours=quiet.hours), NOW)
    assert after.spreads[HOUR] == pytest.approx(before.spreads[HOUR], rel=0.1)
    assert after.rates == pytest.approx(before.rates, rel=0.1)


def test_what_goes_on_for_a_day_becomes_usual():
    """A watch was edited, feeds were added, a war began: that is told, and not for weeks."""
    quiet = steady(2)
    begun = dict(quiet.begun)
    for hours_ago in range(2, 20):
        begun |= {4 * (THIS_HOUR - hours_ago) + part: 5 for part in range(4)}
    before = learn(quiet, NOW).usual(NOW, HOUR)
    after = learn(History(begun=begun, hours=quiet.hours), NOW).usual(NOW, HOUR)
    assert before == pytest.approx(2, rel=0.01)
    assert 8 < after < 20
    less = dict.fromkeys(range(4 * (THIS_HOUR - 20), 4 * THIS_HOUR), 0)
    calm = learn(History(begun=dict(quiet.begun) | less, hours=quiet.hours), NOW)
    assert calm.usual(NOW, HOUR) == pytest.approx(before, rel=0.3)  # never by as much downwards


def test_what_swings_widely_needs_more_to_be_a_spike():
    """Eight stories in every fourth hour are not two in each."""
    even, uneven = learn(steady(2), NOW), learn(steady(8, every=5), NOW)
    assert uneven.spreads[HOUR] > 1 > 2 * even.spreads[HOUR]
    assert judge(even, burst(11), RULE, NOW) is not None
    assert judge(uneven, burst(11), RULE, NOW) is None


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (0, "too little history: 0 of 14 days"),
        (6, "too little history: 5 of 14 days"),
        (14, "too little history: 13 of 14 days"),  # all but its last hour
        (15, None),
        (60, None),
    ],
)
def test_too_little_history_is_said_and_nothing_guessed(days: int, said: str | None):
    """The service is young, or the watch."""
    usual = learn(steady(1, days=days), NOW)
    assert usual.shortfall == said
    assert (judge(usual, burst(40), RULE, NOW) is None) is (said is not None)
    assert usual.span <= SPAN


def test_what_is_judged_is_not_what_is_usual():
    """The last hour's stories count for no baseline, nor do those of hours to come."""
    history = steady(2)
    begun = dict(history.begun) | {quarter_of(NOW) - n: 50 for n in range(-4, 5)}
    hours = [*history.hours, THIS_HOUR, THIS_HOUR + 1]
    assert learn(History(begun=begun, hours=hours), NOW) == learn(history, NOW)


# ------------------------------------------------------------------------------ what is more

USUAL = Baseline(rates=(2.0,) * 168, spreads={HOUR: 0.3, QUARTER: 0.3}, span=timedelta(days=23))


def test_a_burst_is_told_with_its_figures():
    """By the window in which it is least probable."""
    spike = judge(USUAL, [*burst(9), began(40, "Reuters", 77)], RULE, NOW)
    assert spike is not None
    assert (spike.window, len(spike.stories), spike.usual) == (QUARTER, 9, pytest.approx(0.5))
    assert spike.lift == pytest.approx(18)
    assert spike.span == timedelta(days=23)
    assert spike.publishers == ("BBC", "Dawn", "PTI")
    assert [story.at for story in spike.stories] == sorted(
        (story.at for story in spike.stories), reverse=True
    )


def test_what_builds_up_is_seen_by_the_hour():
    """Twenty in an hour, no more than seven in any quarter."""
    spike = judge(USUAL, burst(20, minutes=59), RULE, NOW)
    assert spike is not None
    assert (spike.window, len(spike.stories)) == (HOUR, 20)


def test_the_same_burst_is_usual_where_much_is_usual():
    """Twelve in ten minutes, where sixty an hour begin."""
    assert judge(replace(USUAL, rates=(60.0,) * 168), burst(12), RULE, NOW) is None


def test_half_as_many_again_are_no_event():
    """However improbable: of four hundred an hour, which hardly vary, six hundred."""
    much = replace(USUAL, rates=(400.0,) * 168, spreads={HOUR: 0.0, QUARTER: 0.0})
    assert at_least(600, 400.0, 0.0) < 1e-12
    assert judge(much, burst(600, minutes=59.9), RULE, NOW) is None
    assert judge(much, burst(800, minutes=59.9), RULE, NOW) is not None


def test_sensitivity_moves_the_threshold():
    """Seven in a quarter that brings half of one."""
    found = {
        sensitivity: next(
            n
            for n in range(50)
            if judge(USUAL, burst(n), SpikeRule(sensitivity=sensitivity), NOW)  # type: ignore[arg-type]
        )
        for sensitivity in ("high", "normal", "low")
    }
    assert found["high"] < found["normal"] < found["low"]


def test_stories_before_and_after_the_window_do_not_count():
    """An hour is sixty minutes, and nothing is of the future."""
    late = [began(60, "PTI", 1), *(began(-n, "BBC", 10 + n) for n in range(1, 9))]
    assert judge(USUAL, late, RULE, NOW) is None


def test_after_one_was_told_there_is_rest():
    """Until the cool-down is over, to the minute."""
    rule = SpikeRule(cooldown=timedelta(hours=2))
    assert judge(USUAL, burst(30), rule, NOW, NOW - timedelta(minutes=119)) is None
    assert judge(USUAL, burst(30), rule, NOW, NOW - timedelta(minutes=120)) is not None


stories = st.lists(
    st.builds(
        began,
        st.floats(0, 70, allow_nan=False),
        st.sampled_from(["Dawn", "PTI", "BBC"]),
        st.integers(1, 10_000),
    ),
    max_size=40,
)
rates = st.floats(0.0005, 50.0)


@given(recent=stories, more=stories, rate=rates)
def test_more_stories_never_undo_a_spike(recent: list[Began], more: list[Began], rate: float):
    """Monotone: what is told is told of any burst that holds it."""
    usual = replace(USUAL, rates=(rate,) * 168)
    spike = judge(usual, recent, RULE, NOW)
    if spike is not None:
        again = judge(usual, [*recent, *more], RULE, NOW)
        assert again is not None
        assert again.chance <= spike.chance * (1 + 1e-9)


@given(number=st.integers(0, 500), rate=rates)
def test_one_publisher_alone_is_never_a_spike(number: int, rate: float):
    """However much it posts."""
    usual = replace(USUAL, rates=(rate,) * 168)
    alone = [began(n / 60, "Dawn", n + 1) for n in range(number)]
    assert judge(usual, alone, RULE, NOW) is None


@given(number=st.integers(0, 30), rate=rates, least=st.integers(2, 30))
def test_fewer_than_the_rule_asks_for_are_never_a_spike(number: int, rate: float, least: int):
    """Nor less than twice as many as usual."""
    usual = replace(USUAL, rates=(rate,) * 168)
    spike = judge(usual, burst(number), SpikeRule(stories=least), NOW)
    if spike is not None:
        assert len(spike.stories) >= least
        assert spike.lift >= 2
        assert len(spike.publishers) >= 2


def test_hours_begin_where_they_should():
    """A time is in its hour."""
    assert start_of(hour_of(NOW + 59 * MINUTE)) == NOW
    assert quarter_of(NOW + 59 * MINUTE) == 4 * hour_of(NOW) + 3
