"""What the page and the command line ask, which change nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from monitor.match.backtest import Archived
from monitor.model import (
    ArticleId,
    ArticleState,
    DeliveryState,
    Health,
    Hit,
    StoryId,
    Watch,
)
from monitor.ports.catalogue import Catalogue
from monitor.ports.facts import (
    Hold,
    StoryView,
)
from monitor.ports.feeds import FeedRow, Fleet
from monitor.ports.messages import DeliveryRow, Messages
from monitor.ports.now import News
from monitor.ports.search import Search
from monitor.ports.trends import Trends
from monitor.ports.watches import Precision, Watches


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much of everything there is."""

    feeds: Mapping[Health, int]
    entries: int
    articles: Mapping[ArticleState, int]
    stories: int
    hits: int
    deliveries: Mapping[DeliveryState, int]
    oldest_waiting_at: datetime | None  # when the oldest message was wanted that is not shown yet
    due_feeds: int
    last_poll_at: datetime | None
    stories_held: int = 0  # that wait for others to confirm them
    not_told: int = 0  # articles of the last day in which something was found that was no news
    notices: Mapping[DeliveryState, int] = field(default_factory=dict)
    pushed: int = 0  # feeds whose hubs push them now
    uncertain: int = 0  # messages of either kind of which nobody knows whether they are shown

    def messages(self, *states: DeliveryState) -> int:
        """How many deliveries and notices are in one of these states."""
        return sum(of.get(state, 0) for of in (self.deliveries, self.notices) for state in states)

    @property
    def waiting(self) -> int:
        """How many messages are to be shown as soon as their channels can be had."""
        return self.messages(DeliveryState.PENDING, DeliveryState.RETRY, DeliveryState.SENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A feed that listed an article, and when."""

    feed: str
    publisher: str
    guid: str
    url: str | None
    title: str
    published_at: datetime | None
    first_seen_at: datetime
    backlog: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What an article said before, and until when."""

    title: str
    body: str | None  # None: it still stands, as a part of what the article says now
    replaced_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleTrace:
    """Everything known about one article: what `monitor why` explains from."""

    article: ArticleId
    url: str
    title: str
    body: str
    state: ArticleState
    source: str | None
    language: str | None
    attempts: int
    error: str | None
    published_at: datetime | None
    first_seen_at: datetime
    ingested_at: datetime | None
    due_at: datetime | None
    story: StoryId | None
    copy_of: str | None  # URL of the article this one is a copy of
    sightings: tuple[Sighting, ...]
    hits: tuple[Hit, ...]
    deliveries: tuple[DeliveryRow, ...]
    furniture: tuple[str, ...] = ()  # paragraphs that its site repeats: not read
    revisions: tuple[Revision, ...] = ()  # what it said before, oldest first
    updates: int = 0  # of a rolling page, those that were read
    held: tuple[Hold, ...] = ()  # for which watches its story waits


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryRow:
    """A story for a list."""

    story: StoryId
    headline: str  # see `monitor.compose.leading`
    created_at: datetime
    first_at: datetime  # when its oldest article was first seen
    last_at: datetime  # and its newest
    articles: int
    copies: int  # of these, copies of another one with little new text
    publishers: tuple[str, ...]  # of every feed that listed any, first seen first
    channels: tuple[str, ...]  # that show it, or will
    held: tuple[Hold, ...] = ()  # for which watches it waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What somebody decided about an article and a story."""

    article: ArticleId
    url: str  # of the article
    story: StoryId
    belongs: bool
    decided_at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryTrace:
    """Everything known about one story: what `monitor stories show` tells."""

    view: StoryView
    created_at: datetime
    follows: StoryId | None  # the chapter before
    chapter_after: StoryId | None
    merged: tuple[tuple[StoryId, datetime, str | None], ...]  # into it: which, when, by whom
    verdicts: tuple[Verdict, ...]  # about its articles, and about what is kept out of it
    deliveries: tuple[DeliveryRow, ...]
    held: tuple[Hold, ...] = ()  # for which watches it waits
    revisions: Mapping[ArticleId, tuple[Revision, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRow:
    """A declared watch as the service last ran it."""

    watch: Watch
    hits: int  # since the moment that was asked for
    precision: Precision | None = None  # None: nobody has judged what it found


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """Who did what, when, on what."""

    at: datetime
    user: str
    name: str
    action: str
    subject: str
    channel: str
    headline: str = ""  # of the message that it was about, if it was about one


class Reports(Protocol):
    """Read-only questions of the page and the command line."""

    @property
    def fleet(self) -> Fleet:
        """What is asked about feeds."""

    @property
    def news(self) -> News:
        """What the front page asks."""

    @property
    def messages(self) -> Messages:
        """What is asked of the outbox."""

    @property
    def search(self) -> Search:
        """Full text over the archive."""

    @property
    def trends(self) -> Trends:
        """What is asked of the counts of mentions."""

    @property
    def watched(self) -> Watches:
        """What is asked about watches beside `watches`."""

    @property
    def catalogue(self) -> Catalogue:
        """What programs ask, which go through all there is."""

    async def counts(self, now: datetime) -> Counts:
        """Totals by state."""

    async def feeds(self) -> Sequence[FeedRow]:
        """All declared feeds: those in trouble first, then by name."""

    async def deliveries(
        self, limit: int, *, states: Collection[DeliveryState] = ()
    ) -> Sequence[DeliveryRow]:
        """The newest deliveries and notices; those that wait or failed first.

        With `states` only what is in one of them.
        """

    async def trace(self, url: str) -> ArticleTrace | None:
        """All about the article at a canonical URL."""

    async def traced(self, article: ArticleId) -> ArticleTrace | None:
        """All about an article."""

    async def stories(self, limit: int, *, near: StoryId | None = None) -> Sequence[StoryRow]:
        """The stories in which something was found last, by their newest article, the newest first.

        With `near`, those whose first articles were seen nearest in time to that of this one,
        which is not among them.
        """

    async def story(self, story: StoryId) -> StoryTrace | None:
        """All about a story; about the one it was merged into, if it was."""

    async def watches(self, since: datetime) -> Sequence[WatchRow]:
        """The declared watches as they are stored, with their hits since then; by name."""

    async def audit(self, limit: int) -> Sequence[AuditRow]:
        """What people did about messages, in Slack and by hand; the newest first."""

    # -- the archive: articles that were matched once

    def archive(
        self, since: datetime, *, before: datetime | None = None, batch: int = 500
    ) -> AsyncGenerator[Sequence[Archived], None]:
        """Articles first seen since then (and before, if given), the newest first, in batches.

        Each batch is a snapshot of its own. An article that is first seen, or merged away,
        meanwhile may be missing; none comes twice.
        """

    async def archive_size(self, since: datetime) -> int:
        """How many articles `archive` would give."""

    async def archived(self, article: ArticleId) -> Archived | None:
        """One article as `archive` would give it, whether it was matched yet or not."""
