"""Times of day by the clocks of a place, also on the days on which these are changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import DigestTime, QuietHours
from monitor.telling.quiet import day_of, instant, next_digest, wakes_at

HOUR = timedelta(hours=1)
ZONES = (
    "UTC",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour
    "Africa/Casablanca",  # four changes a year
    "Pacific/Apia",  # skipped 2011-12-30
)

zones = st.sampled_from(ZONES)
walls = st.times().map(lambda at: at.replace(second=0, microsecond=0))
moments = st.datetimes(datetime(2010, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))
nights = st.builds(QuietHours, start=walls, end=walls, zone=zones).filter(
    lambda quiet: quiet.start != quiet.end
)
digests = st.builds(
    DigestTime, at=walls, zone=zones, weekday=st.none() | st.integers(min_value=0, max_value=6)
)


@pytest.mark.parametrize(
    ("zone", "day", "wall", "expected"),
    [
        ("Asia/Kolkata", date(2025, 5, 11), time(7), "2025-05-11T01:30"),
        ("Europe/Berlin", date(2025, 3, 30), time(1, 59), "2025-03-30T00:59"),
        ("Europe/Berlin", date(2025, 3, 30), time(2, 30), "2025-03-30T01:00"),  # skipped
        ("Europe/Berlin", date(2025, 3, 30), time(3), "2025-03-30T01:00"),
        ("Europe/Berlin", date(2025, 10, 26), time(2, 30), "2025-10-26T00:30"),  # the first of two
        ("Australia/Lord_Howe", date(2025, 10, 5), time(2, 15), "2025-10-04T15:30"),
        ("Pacific/Apia", date(2011, 12, 30), time(7), "2011-12-30T10:00"),  # no such day
    ],
)
def test_a_time_of_day_is_one_instant(zone, day, wall, expected):
    """Once a day, whatever the clocks do; one that they skip is when they skip it."""
    assert instant(day, wall, ZoneInfo(zone)) == datetime.fromisoformat(expected).replace(
        tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("hours", "zone", "now", "wakes"),
    [
        ("23:00-07:00", "Asia/Kolkata", "2025-05-10T17:29:59", None),
        ("23:00-07:00", "Asia/Kolkata", "2025-05-10T17:30", "2025-05-11T01:30"),
        ("23:00-07:00", "Asia/Kolkata", "2025-05-11T01:29:59", "2025-05-11T01:30"),
        ("23:00-07:00", "Asia/Kolkata", "2025-05-11T01:30", None),
        ("12:00-13:00", "UTC", "2025-05-10T12:30", "2025-05-10T13:00"),
        ("12:00-13:00", "UTC", "2025-05-10T13:00", None),
        # an hour shorter, an hour longer
        ("23:00-07:00", "Europe/Berlin", "2025-03-29T22:00", "2025-03-30T05:00"),
        ("23:00-07:00", "Europe/Berlin", "2025-10-25T21:00", "2025-10-26T06:00"),
        # the end is skipped, and comes twice
        ("23:00-02:30", "Europe/Berlin", "2025-03-30T00:59:59", "2025-03-30T01:00"),
        ("23:00-02:30", "Europe/Berlin", "2025-03-30T01:00", None),
        ("23:00-02:30", "Europe/Berlin", "2025-10-26T00:29", "2025-10-26T00:30"),
        ("23:00-02:30", "Europe/Berlin", "2025-10-26T01:15", None),  # no second night
    ],
)
def test_a_night_has_one_end(hours, zone, now, wakes):
    """By the clocks of the watch's own zone."""
    start, end = (time.fromisoformat(part) for part in hours.split("-"))
    quiet = QuietHours(start=start, end=end, zone=zone)
    found = wakes_at(quiet, datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == (wakes and datetime.fromisoformat(wakes).replace(tzinfo=UTC))


@given(nights, moments)
def test_who_sleeps_wakes_within_a_day_or_so_and_is_awake_then(quiet, now):
    """The end lies ahead, and it is not in the same night."""
    wakes = wakes_at(quiet, now)
    if wakes is not None:
        assert now < wakes <= now + timedelta(hours=49)  # of a day that a place skipped
        again = wakes_at(quiet, wakes)
        assert again is None or quiet.start == quiet.end or again > wakes


@given(nights, moments)
def test_a_night_is_over_when_it_says(quiet, now):
    """All moments of one night name the same end."""
    wakes = wakes_at(quiet, now)
    if wakes is not None:
        middle = now + (wakes - now) / 2
        assert wakes_at(quiet, middle) == wakes


@given(digests, moments)
def test_digests_follow_each_other_day_by_day(when, now):
    """Strictly later, each day or week once, none left out: by the place's own calendar."""
    first = next_digest(when, now)
    second = next_digest(when, first)
    assert now < first < second
    apart = day_of(when, second) - day_of(when, first)
    assert apart <= timedelta(days=1 if when.weekday is None else 7) + timedelta(days=1)
    assert first - now <= timedelta(days=2 if when.weekday is None else 9)


@given(digests, moments, st.timedeltas(timedelta(0), timedelta(days=1)))
def test_the_next_digest_is_the_same_until_it_is_due(when, now, later):
    """So a restart does not move it."""
    due = next_digest(when, now)
    if now + later < due:
        assert next_digest(when, now + later) == due


@pytest.mark.parametrize(
    ("when", "after", "due"),
    [
        (DigestTime(at=time(7), zone="Asia/Kolkata"), "2025-05-11T01:29:59", "2025-05-11T01:30"),
        (DigestTime(at=time(7), zone="Asia/Kolkata"), "2025-05-11T01:30", "2025-05-12T01:30"),
        (
            DigestTime(at=time(7), zone="Asia/Kolkata", weekday=0),
            "2025-05-11T12:00",
            "2025-05-12T01:30",
        ),
        (DigestTime(at=time(2, 30), zone="Europe/Berlin"), "2025-03-29T12:00", "2025-03-30T01:00"),
        (DigestTime(at=time(2, 30), zone="Europe/Berlin"), "2025-10-26T00:30", "2025-10-27T01:30"),
    ],
)
def test_when_a_digest_is_due(when, after, due):
    """The morning when clocks go back has one."""
    found = next_digest(when, datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)
