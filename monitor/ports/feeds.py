"""What is asked about feeds: which there are, how they are, and how good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from monitor.model import (
    ArticleId,
    ArticleState,
    DueBy,
    FeedEvent,
    FeedId,
    FeedSpec,
    FeedStatus,
    Health,
    Hints,
    Move,
    StoryId,
    Subscription,
    SubscriptionState,
    Validators,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRow:
    """A feed for the page and for `monitor status`."""

    spec: FeedSpec
    status: FeedStatus
    polled_at: datetime | None
    ok_at: datetime | None
    due_at: datetime | None
    failures: int
    error: str | None  # "code: detail"
    entries: int
    newest_at: datetime | None  # publication of its newest entry
    health: Health
    health_since: datetime | None
    gaps: int  # polls that missed items
    gap_at: datetime | None
    rhythm: str | None  # JSON of `monitor.polling.rhythm`
    move: Move | None  # where it says it lives now
    subscription: SubscriptionState | None = None  # at a hub, if it is to push it
    subscribed_until: datetime | None = None  # the end of what its hub promised
    pushed_at: datetime | None = None  # last
    id: FeedId | None = None
    due_by: DueBy | None = None  # why it is due then
    overlap: str | None = None  # JSON of `monitor.polling.gaps`
    hints: Hints = Hints()  # what its document asks of pollers


class FeedOrder(StrEnum):
    """By what a list of feeds goes."""

    TROUBLE = "trouble"  # the worst first
    NAME = "name"
    PUBLISHER = "publisher"
    ENTRIES = "entries"  # those with most first
    NEWEST = "newest"  # the longest without a new entry first
    POLLED = "polled"  # polled last first
    DUE = "due"  # due next first


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedsSought:
    """Which feeds are to be shown: those that are all of this."""

    states: frozenset[Health] = frozenset()  # any of these; empty: all
    side: str | None = None
    publisher: str | None = None
    tag: str | None = None
    text: str = ""  # each word of it stands in name, publisher, URL or tags
    order: FeedOrder = FeedOrder.TROUBLE
    left: bool = False  # those that were declared once, and are not any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """How long after publication entries were seen, by slot of `monitor.polling.delays`."""

    counts: Mapping[int, int] = field(default_factory=dict)
    days: float = 0.0  # in which they came

    @property
    def entries(self) -> int:
        """All of them, those without a date, too."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Firsts:
    """How a publisher did where several reported a story, by slot of `monitor.polling.delays`."""

    publisher: str
    ahead: Mapping[int, int]  # stories that it had first: by how long before the next
    behind: Mapping[int, int]  # the others: by how long after the first

    @property
    def first(self) -> int:
        """How many it had first."""
        return sum(self.ahead.values())

    @property
    def stories(self) -> int:
        """How many it reported that another one reported, too."""
        return self.first + sum(self.behind.values())

    @property
    def share(self) -> float:
        """Of those that it reported, the share that it had first."""
        return self.first / self.stories if self.stories else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFigures:
    """A feed with how good it is."""

    row: FeedRow
    delays: Delays  # of the last seven days
    firsts: Firsts | None  # of its publisher; None: in no race


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedsFound:
    """A page of a list of feeds."""

    feeds: Sequence[FeedFigures]
    found: int  # how many are what was sought
    states: Mapping[Health, int]  # of all declared feeds
    sides: Mapping[str, int]
    tags: Mapping[str, int]
    left: int = 0  # that were declared once, and are not any more

    @property
    def declared(self) -> int:
        """How many there are."""
        return sum(self.states.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """An entry of a feed, and what became of it."""

    article: ArticleId
    url: str | None  # as the feed gave it
    title: str
    language: str | None
    published_at: datetime | None
    first_seen_at: datetime
    backlog: bool
    article_url: str  # canonical
    state: ArticleState
    error: str | None  # "code: detail"
    story: StoryId | None
    watches: tuple[str, ...]  # that found something in it


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedTrace:
    """Everything known about one feed."""

    row: FeedRow
    declared: bool
    host: str
    created_at: datetime
    validators: Validators
    subscription: Subscription | None
    delays: Delays  # of the last four weeks
    firsts: Firsts | None
    week: Mapping[int, float]  # by hour of the week: weights of `monitor.polling.week`
    events: Sequence[FeedEvent]  # the newest first
    newest: Sequence[EntryRow]


class Fleet(Protocol):
    """Read-only questions about feeds."""

    async def find(
        self, sought: FeedsSought, now: datetime, *, skip: int = 0, limit: int = 50
    ) -> FeedsFound:
        """Declared feeds, or those that are left, a page of them."""

    async def feed(self, feed: FeedId, now: datetime, *, entries: int = 25) -> FeedTrace | None:
        """All about a feed, declared or not."""

    async def firsts(self, now: datetime, *, limit: int = 100) -> Sequence[Firsts]:
        """Publishers that reported what others reported, too: those who had most first, first."""

    async def urls(self) -> Mapping[str, str]:
        """By what URLs declared feeds go, also those that they have moved to: their names."""
