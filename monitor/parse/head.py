"""What a feed says of itself outside of its items: how often to ask, and where to subscribe."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from monitor.model import Hints
from monitor.parse.build import web_link
from monitor.parse.tags import tags_of

LONGEST = timedelta(days=7)
"""What asks to be left alone for longer is taken to mean this."""

_PERIODS = {
    b"hourly": timedelta(hours=1),
    b"daily": timedelta(days=1),
    b"weekly": timedelta(days=7),
    b"monthly": timedelta(days=30),
    b"yearly": timedelta(days=365),
}
_DAYS = (b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun")
_VALUE = re.compile(
    rb"<(?:[^\s<>/:!?]{1,60}:)?(?P<name>ttl|updateperiod|updatefrequency|hour|day)(?:\s[^<>]{0,200})?>"
    rb"\s{0,99}(?:<!\[CDATA\[\s{0,99})?(?P<value>[A-Za-z0-9]{1,12})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where a feed can be subscribed to, and by what name (WebSub), absolute."""

    hub: str | None = None
    topic: str | None = None


def read_hints(outside: bytes) -> Hints:
    """The hints in what an RSS document has outside of its items, in UTF-8.

    ``ttl`` (minutes), ``skipHours`` and ``skipDays`` are RSS 2.0's; ``updatePeriod`` and
    ``updateFrequency`` those of the RSS 1.0 syndication module, which RSS 2.0 and Atom feeds use as
    well. feedparser keeps of several hours only the last. What can't be understood is passed over.
    """
    found: dict[bytes, list[bytes]] = {}
    for match in _VALUE.finditer(outside):
        found.setdefault(match["name"].lower(), []).append(match["value"].lower())
    minutes = next((_number(value) for value in found.get(b"ttl", ())), 0)
    period = next((_PERIODS.get(value) for value in found.get(b"updateperiod", ())), None)
    times = next((_number(value) for value in found.get(b"updatefrequency", ())), 1)
    lifetimes = [timedelta(minutes=minutes), (period or timedelta(0)) / max(times, 1)]
    longest = min(max(lifetimes), LONGEST)
    hours = {_number(value) for value in found.get(b"hour", ()) if value.isdigit()}
    days = {value[:3] for value in found.get(b"day", ())}
    return Hints(
        ttl=longest or None,
        skip_hours=frozenset(hour % 24 for hour in hours if hour <= 24),
        skip_days=frozenset(n for n, day in enumerate(_DAYS) if day in days),
    )


def read_links(outside: bytes, url: str) -> Links:
    """The first ``rel=hub`` and ``rel=self`` among the links of a feed that came from `url`."""
    hub = topic = None
    for tag in tags_of(outside):
        rel = tag.tokens("rel") if tag.name == "link" else ()
        if "hub" in rel:
            hub = hub or web_link(url, tag.get("href"))
        if "self" in rel:
            topic = topic or web_link(url, tag.get("href"))
    return Links(hub=hub, topic=topic)


def _number(value: bytes) -> int:
    return int(value) if value.isdigit() and len(value) < 7 else 0
