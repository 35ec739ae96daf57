"""What the page of trends asks: how often watches found something, when, and whose it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from monitor.model import StoryId

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


class Counted(StrEnum):
    """What is counted: each article, or each story once, where it was mentioned first."""

    ARTICLES = "articles"
    STORIES = "stories"


class Split(StrEnum):
    """What counts are told apart by."""

    WATCH = "watch"
    PUBLISHER = "publisher"
    SIDE = "side"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """So many whole hours, or days, in UTC."""

    first: datetime
    steps: int
    step: timedelta  # HOUR or DAY

    @property
    def end(self) -> datetime:
        """When the first step after it begins."""
        return self.first + self.steps * self.step

    @property
    def before(self) -> Period:
        """The one of the same length that ends where this one begins."""
        first = self.first - self.steps * self.step
        return Period(first=first, steps=self.steps, step=self.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Counts under one name."""

    name: str  # "" where a side or language is not known
    count: int
    before: int  # in the period before
    by_step: Sequence[int] = ()  # where it was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeStory:
    """A story that a spike was of."""

    story: StoryId | None  # None: it was deleted since
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeRow:
    """A spike that people were told of."""

    watch: str
    at: datetime
    said: str
    stories: Sequence[SpikeStory]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """The answer. Each sequence of parts has the largest first, none that is nothing twice."""

    whole: Part  # of the watches asked for together; of all, articles that any found are one
    watches: Sequence[Part]  # all that are declared; the first few by step, too
    parts: Mapping[Split, Sequence[Part]]  # by publisher, side and language
    series: Sequence[Part]  # the largest of what it was to be split by, by step
    spikes: Sequence[SpikeRow]  # the newest first
    since: datetime | None  # the first day of which anything is counted
    counting: datetime | None  # what was found before this is still being counted


class Trends(Protocol):
    """Questions about kept counts."""

    async def trend(
        self,
        period: Period,
        *,
        watches: Sequence[str] = (),
        counted: Counted = Counted.ARTICLES,
        split: Split = Split.WATCH,
        largest: int = 7,
    ) -> Trend:
        """How often these watches found something, all of them if none is named."""
