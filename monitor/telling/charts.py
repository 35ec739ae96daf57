"""What charts show: counts by day, out of counts by quarter of an hour. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from alerts import Image
from alerts.chart import Chart, draw

DAY: Final = timedelta(days=1)
DAYS: Final = 14
"""Bars of a daily digest's chart; a weekly one has twice as many."""


def since(until: datetime, days: int) -> datetime:
    """When the first of so many days began, if the last ends then."""
    return until - days * DAY


def days_chart(
    watches: Sequence[str],
    by_quarter: Mapping[int, int],
    *,
    until: datetime,
    zone: str,
    days: int,
    news: int,
) -> Chart:
    """Mentions in each of the days up to a moment, of which the last few are the news.

    A day lasts from that time of day to the next, as a digest's does, and has the name of the day
    that most of it lies in, by the clocks of the zone.
    """
    begins = [until - number * DAY for number in range(days, 0, -1)]
    first = begins[0].timestamp()
    values = [0] * days
    for quarter, count in by_quarter.items():
        number = int((quarter * 900 - first) // DAY.total_seconds())
        if 0 <= number < days:
            values[number] += count
    due = until.astimezone(ZoneInfo(zone))
    middles = [(begin + DAY / 2).astimezone(ZoneInfo(zone)) for begin in begins]
    what = f"{watches[0]}: mentions" if len(watches) == 1 else "Mentions"
    return Chart(
        title=f"{what} a day, from {due:%H:%M} to {due:%H:%M}",
        values=tuple(values),
        labels=tuple(f"{day:%a} {day.day}" for day in middles),
        marked=news,
    )


def as_image(chart: Chart) -> Image:
    """The chart drawn, with its numbers in words for who can't see it."""
    rows = zip(chart.labels, chart.values, strict=True)
    return Image(
        png=draw(chart),
        alt=f"{chart.title}: {', '.join(f'{label} {count}' for label, count in rows)}",
    )
