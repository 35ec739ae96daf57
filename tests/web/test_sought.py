"""What the front page's URL says, and what it is read as."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ports import Sought, Standing
from monitor.web import sought
from tests.web.samples import NOW


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, Sought()),
        ({"watch": "Kashmir", "side": " india "}, Sought(watch="Kashmir", side="india")),
        ({"q": "guns  fall"}, Sought(words=("guns", "fall"))),
        ({"state": "held"}, Sought(standing=Standing.HELD)),
        ({"time": "hour"}, Sought(since=NOW - timedelta(hours=1))),
        ({"from": "2025-05-10T11:30", "time": "hour"}, Sought(since=NOW - timedelta(minutes=30))),
        ({"from": "2025-05-10T13:30+02:00"}, Sought(since=NOW - timedelta(minutes=30))),
        ({"to": "2025-05-10"}, Sought(until=NOW + timedelta(hours=12))),
        ({"to": "2025-05-10T12:00"}, Sought(until=NOW)),
    ],
    ids=str,
)
def test_filters_are_read(params: dict[str, str], expected: Sought):
    """Each as it is meant; two times together are the narrower one; a day ends with it."""
    asked = sought.read(params)
    assert asked.sought(NOW) == expected
    assert asked.mistakes == ()


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"state": "asleep"}, "no state “asleep”"),
        ({"time": "year"}, "“year” is no time"),
        ({"from": "yesterday"}, "“yesterday” is no time"),
        ({"before": "12"}, "cut off"),
        ({"before": f"{'9' * 18}-1"}, "cut off"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_left_out_and_told(params: dict[str, str], said: str):
    """The page is shown without it."""
    asked = sought.read(params)
    assert (asked.sought(NOW), asked.before) == (Sought(), None)
    assert said in asked.mistakes[0]


def test_addresses_hold_the_filters_that_are_set_and_no_others():
    """With one more, with one less, and further on."""
    asked = sought.read({"watch": "A & B", "side": "", "q": "x", "strange": "y"})
    assert asked.url() == "/?q=x&watch=A+%26+B"
    assert asked.url(side="india") == "/?q=x&watch=A+%26+B&side=india"
    assert asked.without("q") == "/?watch=A+%26+B"
    assert sought.read({}).url() == "/"
    assert sought.read({}).further((NOW, 7)) == "/?before=1746878400000000-7"


@given(
    st.datetimes(timezones=st.just(NOW.tzinfo), min_value=NOW.replace(tzinfo=None)),
    st.integers(0, 10**18 - 1),
)
def test_places_are_read_as_they_are_written(at, hit):
    """To the microsecond."""
    if (at - NOW).days < 10_000_000 and len(str(int(at.timestamp() * 1e6))) < 19:
        assert sought.place(sought.written((at, hit))) == (at, hit)
