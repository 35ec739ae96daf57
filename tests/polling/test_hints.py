"""What feeds and servers ask for is given, within bounds."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Hints
from monitor.polling.hints import CAP, fresh_for, http_date, put_off

NOW = datetime(2025, 5, 10, 12, 20, tzinfo=UTC)  # a Saturday
ONE = "Sat, 10 May 2025 13:20:00 GMT"
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"cache-control": "max-age=300"}, 300),
        ({"cache-control": "public, max-age=300", "age": "100"}, 200),
        ({"cache-control": "max-age=300", "age": "400"}, 0),
        ({"cache-control": "max-age=300", "age": "old"}, 300),
        ({"cache-control": "MAX-AGE = 300"}, 300),
        ({"cache-control": 'max-age="300"'}, 300),
        ({"cache-control": "max-age=300, max-age=600"}, 300),
        ({"cache-control": 'private="a, max-age=9", max-age=300'}, 300),
        ({"cache-control": "max-age=300;must-revalidate"}, None),
        ({"cache-control": "s-maxage=300"}, None),
        ({"cache-control": "x-max-age=300"}, None),
        ({"cache-control": "no-cache, max-age=300"}, 0),
        ({"cache-control": "no-store", "expires": ONE}, 0),
        ({"cache-control": "max-age=0", "expires": ONE}, 0),
        ({"cache-control": "max-age=-1", "expires": ONE}, 3600),
        ({"cache-control": "max-age=3e2"}, None),
        ({"cache-control": "max-age=٣٠٠"}, None),
        ({"cache-control": f"max-age={'9' * 400}"}, 365 * 86400),
        ({"expires": ONE}, 3600),
        ({"expires": ONE, "date": "Sat, 10 May 2025 13:00:00 GMT"}, 1200),
        ({"expires": ONE, "date": "yesterday", "age": "600"}, 3000),
        ({"expires": "Sat, 10 May 2024 13:20:00 GMT"}, 0),
        ({"expires": "Sat, 10 May 9999 13:20:00 GMT"}, 365 * 86400),
        ({"expires": "0"}, None),
        ({"expires": "-1"}, None),
        ({"expires": ""}, None),
    ],
)
def test_an_answer_is_fresh_as_its_headers_say(headers, seconds):
    """Cache-Control before Expires; what can't be read says nothing."""
    found = fresh_for(headers, NOW)
    assert found == (None if seconds is None else timedelta(seconds=seconds))


@given(st.dictionaries(st.sampled_from(["cache-control", "expires", "date", "age"]), st.text()))
def test_no_header_is_too_odd(headers):
    """Garbage never raises, and never asks for more than a year."""
    found = fresh_for(headers, NOW)
    assert found is None or timedelta(0) <= found <= timedelta(days=365)


@pytest.mark.parametrize("piece", [" ", "a ", 'a="', "a,", '"', "max-age =", "\t,"])
def test_a_long_header_costs_little(piece):
    """What fills a header of 32 KB with anything gets no second of ours."""
    began = time.process_time()
    fresh_for({"cache-control": piece * (32_768 // len(piece))}, NOW)
    assert time.process_time() - began < 1


def test_dates_without_a_zone_are_utc():
    """-0000 says that nobody knows; HTTP has only one zone."""
    assert http_date("Sat, 10 May 2025 12:20:00 -0000") == NOW
    assert http_date("Sat, 10 May 2025 14:20:00 +0200") == NOW
    assert http_date("soon") is None


HOURS = frozenset(range(24))


@pytest.mark.parametrize(
    ("hints", "fresh", "due", "expected"),
    [
        (Hints(), None, 5, 5),
        (Hints(ttl=30 * MINUTE), None, 5, 30),
        (Hints(ttl=30 * MINUTE), 40 * MINUTE, 5, 40),
        (Hints(ttl=30 * MINUTE), 10 * MINUTE, 45, 45),  # never sooner
        (Hints(ttl=timedelta(days=7)), None, 5, 60),  # nobody is believed for a week
        (Hints(), timedelta(days=1), 5, 60),
        (Hints(), timedelta(days=1), 180, 180),
        (Hints(skip_hours=frozenset({12})), None, 5, 40),  # 13:00
        (Hints(skip_hours=frozenset({13})), None, 5, 5),
        (Hints(skip_hours=frozenset({12, 13})), None, 5, 60),
        (Hints(skip_hours=HOURS), None, 5, 60),
        (Hints(skip_hours=HOURS), None, 200, 200),
        (Hints(skip_days=frozenset({5})), None, 5, 60),
        (Hints(skip_days=frozenset({6})), None, 5, 5),
        (Hints(ttl=30 * MINUTE, skip_hours=frozenset({12})), None, 5, 40),
        (Hints(ttl=-30 * MINUTE), -MINUTE, 5, 5),
        (Hints(ttl=timedelta.max), timedelta.max, 5, 60),
    ],
)
def test_a_poll_is_put_off_as_asked(hints, fresh, due, expected):
    """By time to live, freshness and skipped hours: no further than the cap, and never forward."""
    found = put_off(NOW + due * MINUTE, hints=hints, fresh_for=fresh, now=NOW, cap=CAP)
    assert found == NOW + expected * MINUTE


def test_a_cap_of_nothing_ignores_all_that_is_asked():
    """An operator may know better."""
    asked = Hints(ttl=30 * MINUTE, skip_hours=HOURS, skip_days=frozenset(range(7)))
    due = NOW + 5 * MINUTE
    assert put_off(due, hints=asked, fresh_for=CAP, now=NOW, cap=timedelta(0)) == due


def test_skipped_time_ends_where_it_ends():
    """From Friday night over a skipped weekend and the skipped hours of Monday."""
    friday = datetime(2025, 5, 9, 23, 55, tzinfo=UTC)
    weekend = Hints(skip_days=frozenset({5, 6}), skip_hours=frozenset(range(6)))
    due = friday + 10 * MINUTE
    week = timedelta(days=7)
    monday = datetime(2025, 5, 12, 6, 0, tzinfo=UTC)
    assert put_off(due, hints=weekend, fresh_for=None, now=friday, cap=week) == monday


@given(
    st.builds(
        Hints,
        ttl=st.none() | st.timedeltas(),
        skip_hours=st.frozensets(st.integers(0, 23)),
        skip_days=st.frozensets(st.integers(0, 6)),
    ),
    st.none() | st.timedeltas(),
    st.timedeltas(timedelta(0), timedelta(days=2)),
    st.timedeltas(timedelta(0), timedelta(days=2)),
)
def test_what_is_asked_never_brings_a_poll_forward_nor_beyond_the_cap(hints, fresh, wait, cap):
    """For any hints."""
    found = put_off(NOW + wait, hints=hints, fresh_for=fresh, now=NOW, cap=cap)
    assert NOW + wait <= found <= NOW + max(wait, cap)
