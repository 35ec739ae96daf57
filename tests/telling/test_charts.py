"""Mentions by day."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from monitor.telling.charts import as_image, days_chart, since
from monitor.telling.spikes import quarter_of

UNTIL = datetime(2025, 5, 10, 1, 30, tzinfo=UTC)  # seven in the morning of a Saturday in Kolkata
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def counted(*times: datetime) -> dict[int, int]:
    return {quarter_of(at): number for number, at in enumerate(times, 1)}


def test_a_day_ends_when_the_digest_is_due():
    """And is called what most of it was, in the place of the digest."""
    by_quarter = counted(UNTIL - HOUR, UNTIL - 23 * HOUR, UNTIL - 25 * HOUR, UNTIL - 80 * HOUR)
    chart = days_chart(["Truce"], by_quarter, until=UNTIL, zone="Asia/Kolkata", days=3, news=1)
    assert chart.title == "Truce: mentions a day, from 07:00 to 07:00"
    assert chart.labels == ("Wed 7", "Thu 8", "Fri 9")
    assert chart.values == (0, 3, 3)
    assert chart.marked == 1
    assert since(UNTIL, 3) == UNTIL - 3 * DAY


def test_a_day_that_ends_in_the_evening_is_called_by_that_evening():
    """What most of it was."""
    chart = days_chart(["A"], {}, until=UNTIL + 18 * HOUR, zone="UTC", days=2, news=1)
    assert chart.labels == ("Fri 9", "Sat 10")


def test_of_several_watches_nobody_is_named():
    """The digest below names them."""
    chart = days_chart(["A", "B"], {}, until=UNTIL, zone="UTC", days=2, news=1)
    assert chart.title == "Mentions a day, from 01:30 to 01:30"
    assert chart.values == (0, 0)


def test_a_chart_says_its_numbers_to_who_can_not_see_it():
    """Day by day."""
    chart = days_chart(["Truce"], counted(UNTIL - HOUR), until=UNTIL, zone="UTC", days=2, news=1)
    shown = as_image(chart)
    assert shown.alt == "Truce: mentions a day, from 01:30 to 01:30: Thu 8 0, Fri 9 1"
    assert Image.open(io.BytesIO(shown.png)).format == "PNG"


@given(
    ago=st.lists(st.integers(1, 96 * 40), max_size=30),
    days=st.integers(1, 30),
    zone=st.sampled_from(["UTC", "Asia/Kolkata", "Europe/Berlin", "America/New_York"]),
)
def test_what_is_of_these_days_is_counted_once(ago: list[int], days: int, zone: str):
    """And nothing else, wherever the clocks are put forward."""
    by_quarter: dict[int, int] = {}
    for quarters in ago:
        quarter = quarter_of(UNTIL) - quarters
        by_quarter[quarter] = by_quarter.get(quarter, 0) + 1
    chart = days_chart(["A"], by_quarter, until=UNTIL, zone=zone, days=days, news=1)
    assert len(chart.values) == len(chart.labels) == days
    assert sum(chart.values) == sum(quarters <= 96 * days for quarters in ago)
