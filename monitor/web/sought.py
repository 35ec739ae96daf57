"""What is looked for on the front page, as its URL says it. Pure.

Every filter is in the URL, and only those that are set: a page can be sent to somebody, and what it
shows is what its address says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from monitor.ports import FoundPlace, Sought, Standing

SPANS: Final[Mapping[str, tuple[str, timedelta]]] = {
    "hour": ("the last hour", timedelta(hours=1)),
    "day": ("the last 24 hours", timedelta(days=1)),
    "week": ("the last 7 days", timedelta(days=7)),
}
"""Of `time`: what it is called, and how long it is."""

FIELDS: Final = ("q", "watch", "publisher", "side", "language", "state", "time", "from", "to")
"""The filters, in the order in which a URL has them."""

_LONGEST: Final = 200  # characters of a field
_MOST_WORDS: Final = 10
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The filters of a page, and where it begins."""

    given: Mapping[str, str] = field(default_factory=dict)  # those that are set
    before: FoundPlace | None = None
    mistakes: tuple[str, ...] = ()  # what could not be read, and is not asked for

    def url(self, **other: str) -> str:
        """The page's address from its beginning, with other filters beside its own."""
        return _url({**self.given, **other})

    def without(self, name: str) -> str:
        """The same with one filter taken away."""
        return _url({**self.given, name: ""})

    def further(self, place: FoundPlace) -> str:
        """Where the page goes on."""
        url = self.url()
        return f"{url}{'&' if '?' in url else '?'}before={written(place)}"

    @property
    def query(self) -> str:
        """The filters as they stand in a URL."""
        return self.url().removeprefix("/").removeprefix("?")

    def sought(self, now: datetime) -> Sought:
        """What that is, at a moment."""
        values = self.given
        since = moment(values.get("from", ""))
        until = moment(values.get("to", ""), ends=True)
        if values.get("time") in SPANS:
            since = max(since or _EPOCH, now - SPANS[values["time"]][1])
        return Sought(
            watch=values.get("watch"),
            publisher=values.get("publisher"),
            side=values.get("side"),
            language=values.get("language"),
            standing=Standing(values["state"]) if "state" in values else None,
            since=since,
            until=until,
            words=tuple(values.get("q", "").split()[:_MOST_WORDS]),
        )


def read(params: Mapping[str, str]) -> Asked:
    """What a URL asks for; what can't be read is left out, and told."""
    given: dict[str, str] = {}
    mistakes: list[str] = []
    for name in FIELDS:
        value = params.get(name, "").strip()[:_LONGEST]
        if not value:
            continue
        if name == "state" and value not in {str(each) for each in Standing}:
            mistakes.append(f"There is no state “{value}”.")
        elif name == "time" and value not in SPANS:
            mistakes.append(f"“{value}” is no time: hour, day or week is.")
        elif name in {"from", "to"} and moment(value) is None:
            mistakes.append(f"“{value}” is no time: write it as 2026-05-10 or 2026-05-10T14:30.")
        else:
            given[name] = value
    before = None
    if given_place := params.get("before", ""):
        before = place(given_place)
        if before is None:
            mistakes.append("The address is cut off: this is the beginning of the list.")
    return Asked(given=given, before=before, mistakes=tuple(mistakes))


def _url(values: Mapping[str, str]) -> str:
    query = {name: values[name] for name in FIELDS if values.get(name)}
    return f"/?{urlencode(query)}" if query else "/"


def written(place: FoundPlace) -> str:
    """A place as a URL has it."""
    at, hit = place
    return f"{(at - _EPOCH) // timedelta(microseconds=1)}-{hit}"


def place(text: str) -> FoundPlace | None:
    """A place, as `written`; None if it is none."""
    moment, dash, number = text.partition("-")
    if not (dash and _is_number(moment) and _is_number(number)):
        return None
    try:
        return _EPOCH + timedelta(microseconds=int(moment)), int(number)
    except OverflowError:
        return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def moment(text: str, *, ends: bool = False) -> datetime | None:
    """A day or a moment, in UTC unless it says otherwise; of a day its end, if asked for."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    is_day = len(text) <= len("2026-05-10")
    try:
        return moment + timedelta(days=1) if ends and is_day else moment.astimezone(UTC)
    except OverflowError:
        return None
