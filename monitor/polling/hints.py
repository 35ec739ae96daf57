"""How long a feed and its server ask to be left alone. Pure.

An answer says how long it is fresh (`fresh_for`); the document itself may name a time to live, and
hours and days on which it is not written. All of them only ever lengthen an interval, and none by
more than a cap: CDNs stamp a day's freshness on what changes every minute, and templates that
nobody looks at any more skip every hour there is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from monitor.model import Hints

CAP = timedelta(hours=1)
"""How much of what is asked for is obeyed, unless the operator says otherwise."""

_LONGEST = timedelta(days=365)  # what RFC 9111 §1.2.2 calls infinity is more than a year, too
_DIRECTIVE = re.compile(r"([\w-]+)(?:\s*=\s*(?:\"([^\"]*)\"|([^\s,]*)))?[^,]*,?", re.ASCII)
_SECONDS = re.compile(r"\d+", re.ASCII)


def fresh_for(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """For how long an answer's headers (names in lower case) call it fresh; None: they don't say.

    RFC 9111 §4.2: ``max-age`` without the ``Age`` that it has already, else ``Expires`` less
    ``Date``. ``no-cache`` and ``no-store`` mean not at all. ``s-maxage`` is for shared caches, and
    passed over. What can't be read says nothing.
    """
    age = _seconds(headers.get("age", "").strip()) or timedelta(0)
    directives = _directives(headers.get("cache-control", ""))
    if "no-cache" in directives or "no-store" in directives:
        return timedelta(0)
    if (most := _seconds(directives.get("max-age", ""))) is not None:
        return max(timedelta(0), most - age)
    expires = http_date(headers.get("expires", ""))
    if expires is None:
        return None
    left = expires - (http_date(headers.get("date", "")) or now) - age
    return max(timedelta(0), min(left, _LONGEST))


def put_off(
    due_at: datetime, *, hints: Hints, fresh_for: timedelta | None, now: datetime, cap: timedelta
) -> datetime:
    """When to poll next, if it was to be at `due_at`: as much later as the feed asks for.

    Not before the answer is stale and the time to live over; out of a skipped hour or day (UTC) to
    its end. None of it brings a poll further away than `cap` from now, and none of it forward: a
    feed that skips all 24 hours is polled each `cap`, and what was to come later comes when it was.
    """
    asked = max(due_at, now + _bounded(hints.ttl), now + _bounded(fresh_for))
    return max(due_at, min(_out_of_skipped(asked, hints), now + cap))


def http_date(text: str) -> datetime | None:
    """A date as headers have it (RFC 9110 §5.6.7 and its misspellings), in UTC; None if none."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _bounded(span: timedelta | None) -> timedelta:
    return max(timedelta(0), min(span or timedelta(0), _LONGEST))


def _out_of_skipped(moment: datetime, hints: Hints) -> datetime:
    """The first moment that is not skipped; a week on, if all are."""
    if not hints.skip_hours and not hints.skip_days:
        return moment
    for _ in range(7 * 24):
        here = moment.astimezone(UTC)
        if here.weekday() not in hints.skip_days and here.hour not in hints.skip_hours:
            break
        moment = here.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return moment


def _directives(header: str) -> dict[str, str]:
    """The directives by name; the first of each, as §4.2.1 has it."""
    found: dict[str, str] = {}
    for name, quoted, plain in _DIRECTIVE.findall(header):
        found.setdefault(name.lower(), quoted or plain)
    return found


def _seconds(text: str) -> timedelta | None:
    """Digits as seconds, at most a year; None for anything else."""
    if not _SECONDS.fullmatch(text):
        return None
    digits = text.lstrip("0") or "0"
    return _LONGEST if len(digits) > 9 else min(timedelta(seconds=int(digits)), _LONGEST)
