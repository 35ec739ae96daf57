"""Dates as feeds write them."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Before this there were no feeds: an older date is a zero that somebody formatted."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

# Hours that zone names stand for. feedparser takes the names it does not know for UTC, which puts
# an Indian or Pakistani feed five hours into the future.
_ZONES = {
    "": 0.0, "UT": 0.0, "UTC": 0.0, "GMT": 0.0, "Z": 0.0, "WET": 0.0,
    "EST": -5.0, "EDT": -4.0, "CST": -6.0, "CDT": -5.0,
    "MST": -7.0, "MDT": -6.0, "PST": -8.0, "PDT": -7.0, "AKST": -9.0, "AKDT": -8.0, "HST": -10.0,
    "BST": 1.0, "CET": 1.0, "CEST": 2.0, "MEZ": 1.0, "MESZ": 2.0, "EET": 2.0, "EEST": 3.0,
    "MSK": 3.0, "IRST": 3.5, "GST": 4.0, "AFT": 4.5, "PKT": 5.0, "IST": 5.5, "NPT": 5.75,
    "BDT": 6.0, "MMT": 6.5, "WIB": 7.0, "HKT": 8.0, "SGT": 8.0, "PHT": 8.0, "JST": 9.0,
    "KST": 9.0, "AEST": 10.0, "AEDT": 11.0, "NZST": 12.0, "NZDT": 13.0,
}  # fmt: skip

_RFC822 = re.compile(
    r"(?:[A-Za-z]{3,9}\s*[,.]?\s*)?"
    r"(?P<day>\d{1,2})[\s-]*(?P<month>[A-Za-z]{3})[a-z]*\.?[\s,-]*(?P<year>\d{4})"
    r"[\s,]+(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:\.\d+)?)?"
    r"\s*(?P<zone>[A-Za-z]{0,4})\s*(?P<offset>[+-]\d{1,2}(?::?\d{2})?)?",
    re.ASCII,
)


def when(raw: object, parsed: time.struct_time | None = None) -> datetime | None:
    """The moment that a feed's date means, in UTC, if it means one.

    `raw` is the text as given; `parsed` what feedparser made of it, for the forms that this
    function does not know. A date without a zone is taken for UTC.
    """
    found = None
    if isinstance(raw, str):
        text = raw.strip()[:64]
        found = _rfc822(text) or _iso(text)
    if found is None and parsed is not None:
        try:
            found = datetime(*parsed[:6], tzinfo=UTC)
        except (ValueError, TypeError, OverflowError):
            return None
    return found if found is not None and found >= OLDEST else None


def _rfc822(text: str) -> datetime | None:
    """``Sat, 10 May 2025 17:30:00 +0530`` and its misspellings, such as ``GMT+9``."""
    match = _RFC822.fullmatch(text)
    if match is None:
        return None
    month, zone = match["month"].lower(), _zone(match["zone"], match["offset"])
    if month not in _MONTHS or zone is None:
        return None
    try:
        local = datetime(
            int(match["year"]),
            _MONTHS.index(month) + 1,
            int(match["day"]),
            int(match["hour"]),
            int(match["minute"]),
            min(int(match["second"] or 0), 59),  # leap seconds
            tzinfo=zone,
        )
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=512)
def _zone(name: str, offset: str | None) -> timezone | None:
    hours = _ZONES.get(name.upper())
    if hours is None:
        return None
    delta = timedelta(hours=hours)
    if offset:
        digits = offset[1:].replace(":", "")
        minutes = int(digits[-2:]) if len(digits) > 2 else 0
        whole = int(digits[:-2]) if len(digits) > 2 else int(digits)
        delta += (1 if offset[0] == "+" else -1) * timedelta(hours=whole, minutes=minutes)
    return timezone(delta) if abs(delta) < timedelta(hours=24) else None


def _iso(text: str) -> datetime | None:
    """ISO 8601 and RFC 3339, from a date alone to microseconds."""
    if len(text) < 10 or not text[:4].isdecimal():
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
