"""The next poll: always in the future, never absurdly far, and as the server asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import Code, ParseError, Permanent, Transient
from monitor.model import FeedStatus
from monitor.polling.retries import (
    JITTER,
    LONGEST,
    TRANSIENT_CEILING,
    after_about,
    after_failure,
    delivery_retry,
    page_retry,
    revision_due,
    rolling_due,
)

NOW = datetime(2025, 5, 10, 12, 0, tzinfo=UTC)
FIVE = timedelta(minutes=5)

intervals = st.timedeltas(timedelta(seconds=30), timedelta(days=30))
jitters = st.floats(-1, 1)
errors = st.one_of(
    st.builds(
        lambda seconds: Transient(
            Code.RATE_LIMITED,
            "",
            retry_after=None if seconds is None else timedelta(seconds=seconds),
        ),
        st.none() | st.integers(0, 10**7),
    ),
    st.sampled_from([Permanent(Code.NOT_FOUND, ""), ParseError(Code.NOT_A_FEED, "")]),
)


@given(interval=intervals, jitter=jitters)
def test_success_waits_one_interval_give_or_take_the_jitter(interval, jitter):
    """A good poll is followed by one interval, ±10 %."""
    due_at = after_about(NOW, interval, jitter)
    assert abs(due_at - NOW - interval) <= interval * JITTER + timedelta(microseconds=1)


@given(interval=intervals, failures=st.integers(0, 10_000), error=errors, jitter=jitters)
def test_a_failed_feed_is_tried_again_in_bounded_time(interval, failures, error, jitter):
    """However often a feed fails, its next poll is in the future and within a day's reach."""
    then = after_failure(NOW, interval, failures, error, jitter)
    assert then.due_at is not None
    assert NOW < then.due_at <= NOW + max(LONGEST, interval) * (1 + JITTER)
    assert then.failures == failures + 1
    assert then.status is FeedStatus.FAILING


def test_failures_double_the_wait_up_to_a_ceiling():
    """What heals by itself is asked at least hourly; what must be mended, daily."""
    timeout = Transient(Code.TIMEOUT, "")
    missing = Permanent(Code.NOT_FOUND, "")
    waits = [after_failure(NOW, FIVE, n, timeout, 0).due_at - NOW for n in range(6)]
    assert waits[:4] == [FIVE, 2 * FIVE, 4 * FIVE, 8 * FIVE]
    assert waits[5] == TRANSIENT_CEILING
    assert after_failure(NOW, FIVE, 20, missing, 0).due_at == NOW + LONGEST


@pytest.mark.parametrize(
    "error",
    [
        Permanent(Code.NOT_FOUND, ""),
        Permanent(Code.UNAUTHORIZED, ""),
        Transient(Code.CHALLENGED, ""),
        ParseError(Code.PARSE, ""),
        ParseError(Code.NOT_A_FEED, ""),
        ParseError(Code.KILLED, ""),
    ],
)
def test_what_somebody_must_mend_is_left_alone_for_a_day(error):
    """In the end: it begins with the feed's own interval."""
    waits = [after_failure(NOW, FIVE, n, error, 0).due_at - NOW for n in range(12)]
    assert waits[0] == FIVE
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST


def test_a_passing_trouble_does_not_cost_a_slow_feed_its_turn():
    """Of a feed that is polled each six hours, one timeout is not twelve hours of news."""
    six, timeout = timedelta(hours=6), Transient(Code.TIMEOUT, "")
    waits = [after_failure(NOW, six, n, timeout, 0).due_at - NOW for n in range(12)]
    assert waits[:3] == [FIVE, 2 * FIVE, 4 * FIVE]
    assert waits[-1] == six


def test_retry_after_is_obeyed_up_to_a_day():
    """The server's own word counts more than our back-off, but 88 hours are too many."""
    asked = Transient(Code.RATE_LIMITED, "", retry_after=timedelta(hours=2))
    absurd = Transient(Code.RATE_LIMITED, "", retry_after=timedelta(hours=88))
    assert after_failure(NOW, FIVE, 0, asked, 0).due_at == NOW + timedelta(hours=2)
    assert after_failure(NOW, FIVE, 0, absurd, 0).due_at == NOW + LONGEST


def test_gone_ends_the_feed():
    """410 is the server's way to say: never again."""
    then = after_failure(NOW, FIVE, 0, Permanent(Code.GONE, ""), 0)
    assert (then.status, then.due_at) == (FeedStatus.GONE, None)


@pytest.mark.parametrize(
    "code",
    [
        Code.BLOCKED,
        Code.OPAQUE_LINK,
        Code.GONE,
        Code.TOO_LARGE,
        Code.WRONG_TYPE,
        Code.PAYWALL,
        Code.CONSENT,
    ],
)
def test_hopeless_pages_are_not_asked_for_again(code):
    """A page that is refused for what it is will not become another, and no wall opens by itself."""
    assert page_retry(NOW, Permanent(code, ""), 1, 5) is None
    assert page_retry(NOW, ParseError(code, ""), 1, 5) is None


@pytest.mark.parametrize("code", [Code.CHALLENGED, Code.SERVER_ERROR, Code.NOT_FOUND])
def test_pages_that_say_sorry_are_asked_for_again(code):
    """A bot check or an error drawn as a page may be another one in a minute."""
    assert page_retry(NOW, ParseError(code, ""), 1, 5) == NOW + timedelta(minutes=1)


def test_a_page_is_left_alone_for_deaths_of_the_service_and_not_for_one_of_a_parser():
    """A parser is killed as well where the machine is slow, or a neighbour took its memory."""
    assert page_retry(NOW, Permanent(Code.KILLED, "gave up"), 1, 5) is None
    assert page_retry(NOW, ParseError(Code.KILLED, "10 s"), 1, 5) == NOW + timedelta(minutes=1)
    assert page_retry(NOW, ParseError(Code.KILLED, "10 s"), 5, 5) is None


@pytest.mark.parametrize(
    ("age", "read", "due"),
    [
        ({"minutes": 1}, {"minutes": 1}, {"minutes": 9}),  # ten minutes after it was read
        ({"minutes": 30}, {"minutes": 30}, {}),  # long enough ago: now
        ({"hours": 8}, {"hours": 1}, {"hours": 1}),  # a quarter of its age
        ({"hours": 73}, {"hours": 60}, None),  # no news any more
    ],
)
def test_an_edited_article_is_read_again_in_time(age, read, due):
    """Soon while it is young, and not with each poll."""
    found = revision_due(NOW, NOW - timedelta(**age), NOW - timedelta(**read))
    assert found == (None if due is None else NOW + timedelta(**due))


@pytest.mark.parametrize(
    ("age", "quiet", "due"),
    [
        ({"hours": 1}, {}, {"minutes": 5}),
        ({"hours": 1}, {"minutes": 10}, {"minutes": 5}),
        ({"hours": 4}, {"hours": 3}, {"hours": 1}),
        ({"hours": 30}, {"hours": 25}, None),  # it has ended
        ({"days": 15}, {}, None),  # nothing rolls for ever
    ],
)
def test_a_rolling_page_is_asked_while_it_rolls(age, quiet, due):
    """Every five minutes while updates come, then less and less."""
    found = rolling_due(NOW, NOW - timedelta(**age), NOW - timedelta(**quiet))
    assert found == (None if due is None else NOW + timedelta(**due))


def test_a_missing_page_is_tried_again_with_a_limit():
    """Feeds announce pages early, so even a 404 gets more chances, further and further apart."""
    missing = Permanent(Code.NOT_FOUND, "")
    due = [page_retry(NOW, missing, attempts, 5) for attempts in (1, 2, 3, 4, 5)]
    assert due[-1] is None
    assert due[:4] == sorted(due[:4])
    assert due[0] == NOW + timedelta(minutes=1)


def test_deliveries_back_off_to_five_minutes_unless_told():
    """Slack's Retry-After is obeyed to the second; otherwise the wait doubles to 5 minutes."""
    assert delivery_retry(NOW, 1, 30.0) == NOW + timedelta(seconds=30)
    assert delivery_retry(NOW, 1, None) == NOW + timedelta(seconds=2)
    assert delivery_retry(NOW, 400, None) == NOW + timedelta(seconds=300)
