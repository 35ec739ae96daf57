"""What a transaction is told, and what it tells: values without behaviour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from alerts.message import Card
from monitor.model import (
    Article,
    ArticleId,
    ArticleState,
    DeliveryId,
    DeliveryState,
    DueBy,
    Entry,
    Feed,
    FeedEvent,
    FeedId,
    FeedStatus,
    Health,
    Hints,
    Hit,
    Move,
    Sent,
    StoryId,
    Validators,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEntry:
    """An entry with the canonical URL and host of its article."""

    entry: Entry
    url: str
    host: str


@dataclass(frozen=True, slots=True)
class Finds:
    """Entries that a poll found in its feed's document."""

    feed: Feed
    entries: Sequence[FoundEntry]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A finished article of which a feed says something else than before."""

    article: ArticleId
    bucket: int
    first_seen_at: datetime
    read_at: datetime  # when it was read last


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of a poll's entries."""

    entries: int = 0  # not seen in this feed before
    known: int = 0  # seen in this feed before, by guid or by article
    published: tuple[datetime | None, ...] = ()  # those of the new ones, as they are dated
    linked: int = 0  # of these, led to an article that was known already
    buckets: tuple[int, ...] = ()  # where new articles wait
    stories: tuple[StoryId, ...] = ()  # stories of the linked articles: one more feed carries them
    changed: tuple[Changed, ...] = ()  # articles that are listed with other words than before
    made: tuple[ArticleId, ...] = field(default=(), compare=False)  # new articles: for their traces


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedUpdate:
    """How a poll leaves its feed."""

    status: FeedStatus
    due_at: datetime | None  # None: never again
    polled_at: datetime
    failures: int
    validators: Validators
    body_hash: str | None
    error_code: str | None = None
    error_detail: str | None = None
    health: Health = Health.LIVE
    health_since: datetime | None = None
    move: Move | None = None
    due_by: DueBy | None = None
    events: tuple[FeedEvent, ...] = ()  # what is worth remembering of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A feed as far as somebody must know it who would have it polled now."""

    id: FeedId
    name: str
    url: str
    bucket: int
    due_at: datetime | None  # None: never
    due_by: DueBy | None
    lease_until: datetime | None  # while it is being polled
    polled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What is remembered of a feed's document: written only when there was a new one."""

    blocks: bytes  # marks of its items
    hints: Hints
    rhythm: str | None
    overlap: str | None
    gap_at: datetime | None = None  # now, if items were lost before it; counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A stored article as the grouping step sees it."""

    article: ArticleId
    story: StoryId | None
    state: ArticleState
    root: ArticleId  # of its family: itself, unless it is a copy
    source: str | None = None  # of its text: page | feed


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an article stands before it is grouped (again)."""

    story: StoryId | None = None
    root: ArticleId | None = None  # of its family, where it has a story
    fixed: bool = False  # others are in the story, somebody was told of it, or people decided
    ruled_out: frozenset[StoryId] = frozenset()  # stories that people took it out of


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An article that shares keys with another one, and may be a copy of the same text."""

    article: ArticleId
    story: StoryId
    root: ArticleId
    published_at: datetime | None
    first_seen_at: datetime
    keys: frozenset[int]  # those in common
    packed: bytes  # its fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What a look-up by keys found: those with most keys in common first."""

    articles: tuple[Candidate, ...] = ()
    hot: frozenset[int] = frozenset()  # keys that too many share: they were passed over


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An article as it was read last, to hold a new reading against."""

    content: Article
    state: ArticleState
    story: StoryId | None
    hits: tuple[Hit, ...]
    updates: Mapping[str, datetime]  # of a rolling page, those that were read: key → time


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """One article of a story, with who carried it and what was found in it."""

    article: ArticleId
    url: str | None  # None when the entry had no link
    title: str
    body: str
    publishers: tuple[str, ...]  # of every feed that listed it, first seen first
    published_at: datetime | None
    first_seen_at: datetime
    hits: tuple[Hit, ...]
    backlog: bool = False  # every feed that lists it did so when it was polled first
    copy_of: ArticleId | None = None  # the root of its family
    novelty: float | None = None  # of a copy: the share of its text that is new
    agency: str | None = None  # whose report it prints
    language: str | None = None
    sides: tuple[str, ...] = ()  # of every feed that listed it, first seen first
    tier: int = 2  # the best of these feeds'


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A story waits to be told for a watch."""

    watch: str
    lacks: str  # "1 of 2 publishers"
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryView:
    """A story as it stands: its articles, first seen first.

    Asked for a story that was merged into another, it is that other one.
    """

    story: StoryId
    articles: tuple[Coverage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was said about a subject, or will be."""

    card: Card
    state: DeliveryState
    told_at: datetime  # first
    due_at: datetime | None
    sent: Sent | None  # where it is shown
    sent_at: datetime | None  # first


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """A fresh article in a story that a watch had found nothing in before."""

    watch: str
    story: StoryId
    at: datetime  # when it was first seen
    voice: str  # whose words it prints: an agency, else the publisher of the first of its copies
    title: str
    url: str | None  # None when the entry had no link


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginnings:
    """How many stories began for a watch."""

    by_quarter: Mapping[int, int]  # of an hour, since 1970; none where there were none
    declared_at: datetime | None  # when the watch was stored first; None: it is not yet


def spike_subject(watch: str, at: datetime | None) -> str:
    """What a notice of a spike is about; without a time, what all of this watch begin with."""
    return f"spike:{watch}:{f'{at:%Y-%m-%dT%H:%M}Z' if at else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A story that waits to be told in a channel, and has no message of its own there."""

    id: DeliveryId
    story: StoryId
    state: DeliveryState
    wanted_at: datetime  # first
    held_until: datetime | None = None
    told_in: str | None = None  # subject of the notice that told it together with others


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A notice that tells several stories."""

    subject: str
    last: datetime  # when the youngest of them was wanted
    stories: tuple[StoryId, ...]  # the youngest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """A row of the outbox, as far as somebody who would send or drop it must know it."""

    id: DeliveryId
    channel: str
    state: DeliveryState
    is_shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """A story in a line."""

    story: StoryId
    headline: str  # see `monitor.compose.leading`
    url: str | None
    publisher: str
    others: int  # publishers beside that one
    first_seen_at: datetime
    watches: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a watch found of a story."""

    watch: str
    story: StoryId
    articles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDigest:
    """A digest that is due, of what came since then."""

    schedule: str
    since: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfilling:
    """Watches that are being run over what was stored before they came or changed."""

    id: int
    watches: tuple[str, ...]
    wanted_at: datetime
    since: datetime
    before: tuple[datetime, int]  # place in the archive where it goes on: first seen, article
    articles: int  # looked at so far


@dataclass(frozen=True, slots=True, kw_only=True)
class IllFeed:
    """A feed that is in trouble."""

    name: str
    url: str
    health: Health
    since: datetime
    error: str  # what the last poll met; nothing for one that answers


@dataclass(frozen=True, slots=True)
class Reach:
    """How many feeds were asked lately, and how it went."""

    asked: int
    unreached: int  # of them: that can't be reached now, and could within a week
    tried_at: datetime | None = None  # when one of those was asked last


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """How a service fared in some time."""

    feeds: Mapping[Health, int]  # as they are now
    articles: int  # first seen in it
    alerts: int  # stories shown
    dead: int  # messages refused for good
    oldest_waiting_at: datetime | None  # creation of the oldest that is not shown yet
