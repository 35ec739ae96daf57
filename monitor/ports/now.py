"""What the front page asks, and what follows it live: stories in which something was found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from monitor.model import (
    ArticleId,
    Deed,
    DeliveryId,
    DeliveryState,
    Hand,
    Health,
    Hit,
    StoryId,
)
from monitor.ports.facts import Hold


class Standing(StrEnum):
    """What became of a story that was found, as one may look for it."""

    ALERTED = "alerted"  # somebody was told
    HELD = "held"  # until others confirm it, for the end of quiet hours, or for a digest
    MUTED = "muted"
    ACKNOWLEDGED = "acknowledged"
    SILENT = "silent"  # nobody is told, nor will be


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which stories are to be shown: those of which one article is all of this."""

    watch: str | None = None
    publisher: str | None = None  # of any feed that listed the article
    side: str | None = None  # likewise
    language: str | None = None  # "en" is "en-IN", too
    standing: Standing | None = None
    since: datetime | None = None  # when it was found
    until: datetime | None = None  # before then
    words: tuple[str, ...] = ()  # of its headline, in any case: each is a part of it


FoundPlace = tuple[datetime, int]
"""Where a list goes on: before this moment, and at it before the hit of this number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """An article that stands for its story."""

    article: ArticleId
    title: str
    body: str
    url: str | None  # None when the entry had no link
    publisher: str  # of the first feed that listed it
    language: str | None
    published_at: datetime | None
    first_seen_at: datetime
    matched_at: datetime | None  # first
    backlog: bool  # every feed that lists it did so when it was polled first
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a channel shows of a story, or will; and what people did about that."""

    id: DeliveryId
    channel: str
    state: DeliveryState
    due_at: datetime | None
    held_until: datetime | None
    sent_at: datetime | None  # when it was shown first
    told_at: datetime | None  # `sent_at`; of what was told with others, when that was shown
    error: str | None
    hands: Mapping[Deed, Hand]


@dataclass(frozen=True, slots=True, kw_only=True)
class NowRow:
    """A story in which something was found."""

    story: StoryId
    at: datetime  # when something was found in it last, of what is sought
    lead: Reported  # see `monitor.compose.leading`
    latest: Reported | None  # the article in which that was; None: the lead, or a copy
    articles: int
    copies: int  # of these
    publishers: tuple[str, ...]  # of every feed that listed any, first seen first
    sides: tuple[str, ...]  # of the same
    languages: tuple[str, ...]  # of its articles, first seen first
    watches: tuple[str, ...]  # that found anything in it
    held: tuple[Hold, ...]
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NowPage:
    """Some stories, those in which something was found last first."""

    rows: tuple[NowRow, ...]
    earlier: FoundPlace | None  # where it goes on; None: this is all
    looked_back_to: datetime | None = None  # looking ended here before the page was full


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Marks:
    """Up to where something is known of what happens."""

    hit: int
    outcome: int
    deed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """What somebody who comes in wants to know first. All of it is read in a moment."""

    feeds: Mapping[Health, int]
    due_feeds: int
    last_poll_at: datetime | None
    entries: int
    waiting_articles: int  # to be read
    hits: int  # of the last day
    told: int  # messages of stories that were wanted in the last day and are shown
    dead: int
    waiting: int
    retrying: int  # of these
    uncertain: int
    oldest_waiting_at: datetime | None
    held: int  # messages
    stories_held: int  # until others confirm them


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What may be looked for: of the declared feeds and watches, in order."""

    watches: tuple[str, ...]
    publishers: tuple[str, ...]
    sides: tuple[str, ...]
    languages: tuple[str, ...]


class News(Protocol):
    """Read-only questions of the front page."""

    async def page(
        self, sought: Sought, limit: int, *, before: FoundPlace | None = None
    ) -> NowPage:
        """The stories in which something was found last.

        Where few of many are sought, looking ends after some thousand finds, see
        `NowPage.looked_back_to`.
        """

    async def among(self, sought: Sought, stories: Collection[StoryId]) -> Sequence[NowRow]:
        """Which of these stories are sought; those in which something was found last first."""

    async def marks(self) -> Marks:
        """Up to where things have happened."""

    async def changed(self, since: Marks) -> tuple[Marks, Sequence[StoryId]]:
        """The stories about which something happened since then, and the marks of now.

        A few hundred at most: the newest of each kind of change.
        """

    async def strip(self, now: datetime) -> Strip:
        """How things stand."""

    async def choices(self) -> Choices:
        """What may be looked for."""
