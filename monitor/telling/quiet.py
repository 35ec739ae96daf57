"""Times of day as people mean them: when a watch is quiet, when a digest is due.

Both are by the clocks of a place, which are put forward and back. Every law here is about instants:
each day has one beginning and one end of its quiet hours and one time for its digest, also the day
on which that time of day does not exist or comes twice.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitor.model import DigestTime, QuietHours

DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """When the clocks of a place first show a time of a day, in UTC.

    A time that they skip (in spring, once 03:00 follows 02:00) is when they skip it; of one that
    they show twice it is the first (PEP 495).
    """
    wall = datetime.combine(day, at, tzinfo=zone)  # fold=0: the first of two
    found = wall.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return found
    # the clocks jump over it: somewhere between its readings by the offsets after and before
    low, high = wall.replace(fold=1).astimezone(UTC), found
    after = high.astimezone(zone).utcoffset()
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        if middle.astimezone(zone).utcoffset() == after:
            high = middle
        else:
            low = middle
    return high.replace(microsecond=0)


def wakes_at(quiet: QuietHours, now: datetime) -> datetime | None:
    """When the quiet hours end that `now` is in; None if it is in none."""
    zone = ZoneInfo(quiet.zone)
    today = now.astimezone(zone).date()
    over_midnight = quiet.end <= quiet.start
    for day in (today - DAY, today):
        start = instant(day, quiet.start, zone)
        end = instant(day + DAY if over_midnight else day, quiet.end, zone)
        if start <= now < end:
            return end
    return None


def next_digest(when: DigestTime, after: datetime) -> datetime:
    """The first time after an instant at which a digest is due."""
    zone = ZoneInfo(when.zone)
    day = after.astimezone(zone).date()
    for ahead in range(-1, 9):  # a day that a place skips altogether is in the weeks of none
        each = day + ahead * DAY
        if when.weekday is None or each.weekday() == when.weekday:
            due = instant(each, when.at, zone)
            if due > after:
                return due
    raise AssertionError("every week has each of its days")


def day_of(when: DigestTime, due: datetime) -> date:
    """The day, by the clocks of its place, that a digest is of."""
    return due.astimezone(ZoneInfo(when.zone)).date()
