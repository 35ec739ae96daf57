"""What is asked about watches: when they were edited, and what they brought lately."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How many messages people judged, and how many of them were worth it."""

    judged: int
    relevant: int

    @property
    def precision(self) -> float:
        """The share that was worth it."""
        return self.relevant / self.judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision(Judged):
    """The same of a watch, and of each of its terms."""

    terms: Mapping[str, Judged]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snoozed:
    """A channel in which a watch is not to begin new messages for a while."""

    channel: str
    until: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A watch as it was last run, and what it brought in the last seven days."""

    created_at: datetime
    changed_at: datetime | None  # when anything in it was edited last; None: never since then
    messages: int  # that its channel shows, or will, of the stories in which it found something
    counted_of: int | None = None  # these are of so many of its newest hits; None: of all
    precision: Precision | None = None  # None: nobody has judged what it found
    held: int = 0  # stories that wait now for others to confirm them
    snoozes: tuple[Snoozed, ...] = ()


class Found(NamedTuple):
    """What a watch found on a day."""

    articles: int  # that were news then
    stories: int  # that began with them


class Watches(Protocol):
    """Read-only questions about the declared watches."""

    async def lately(
        self, names: Collection[str], now: datetime, channels: Mapping[str, str]
    ) -> Mapping[str, Watched]:
        """How these stand, by name; without those that never ran. `channels`: where each leads."""

    async def days(self, names: Collection[str], since: date) -> Mapping[str, Mapping[date, Found]]:
        """What each found on each day (UTC) from then on; days without anything are left out."""
