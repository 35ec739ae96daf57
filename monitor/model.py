"""The values that travel between the steps. All frozen; all times aware and in UTC.

The words are the glossary's (docs/design.md): a *feed* lists *entries*; an entry leads to an
*article*; articles about one event are a *story*; a *watch* that matches an article is a *hit*;
what a channel should show for a story is a *delivery*, and all else that it should show a *notice*.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Literal, NewType, TypeAlias

from alerts.message import Card
from monitor.errors import Code

FeedId = NewType("FeedId", int)
ArticleId = NewType("ArticleId", int)
StoryId = NewType("StoryId", int)
WatchId = NewType("WatchId", int)
SubscriptionId = NewType("SubscriptionId", int)
DeliveryId = NewType("DeliveryId", str)  # 32 hex digits: also the mark that Slack keeps for us

BUCKETS = 64
"""Number of groups that hosts are spread over. Fixed when a database is created."""


def bucket_of(host: str) -> int:
    """The bucket (0 … BUCKETS-1) of a host name: what one worker at a time may touch."""
    return zlib.crc32(host.lower().encode()) % BUCKETS


class FeedStatus(StrEnum):
    """How the last poll of a feed ended."""

    NEW = "new"  # never polled
    OK = "ok"
    FAILING = "failing"
    GONE = "gone"  # 410: not polled any more


class Health(StrEnum):
    """How a feed is, held against its own rhythm and the rest of the fleet."""

    NEW = "new"  # never read
    LIVE = "live"
    RECOVERED = "recovered"  # live again, since less than a day
    SILENT = "silent"  # answers, and has listed nothing new for improbably long
    STALE = "stale"  # answers, and even its newest entry was old when it was read first
    FAILING = "failing"  # several polls in a row failed
    CHALLENGED = "challenged"  # a bot check stands where the feed should be
    GONE = "gone"  # 410: not polled any more

    @property
    def is_trouble(self) -> bool:
        """Whether somebody should look."""
        return self not in {Health.NEW, Health.LIVE, Health.RECOVERED}


class DueBy(StrEnum):
    """Why a feed is polled next when it is."""

    FIXED = "fixed"  # its interval is fixed
    BUDGET = "budget"  # then as much is to be expected of it as a poll should bring
    HINT = "hint"  # it, or its server, asks to be left alone until then
    CAUTION = "caution"  # it lost entries between two polls: so soon that half would still be known
    PUSHED = "pushed"  # its hub says that there is something new
    BACKUP = "backup"  # its hub pushes it: only in case that a push is lost
    BACKOFF = "backoff"  # it failed: ever less often
    RETRY_AFTER = "retry_after"  # its server said when to come again
    HAND = "hand"  # somebody wants to know


class FeedEventKind(StrEnum):
    """What may happen to a feed that is worth remembering."""

    ERROR = "error"  # polls failed
    GAP = "gap"  # entries were lost between two polls
    HEALTH = "health"  # it is otherwise than before
    MOVE = "move"  # it lives somewhere else now


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEvent:
    """Something that happened to a feed, once or several times."""

    kind: FeedEventKind
    at: datetime
    detail: str  # "code: detail" of an error, "was>is" of its health, the new URL of a move
    until: datetime | None = None  # last; None: it happened once
    count: int = 1
    same_since: datetime | None = None  # the same that happened since then is one with it


class ArticleState(StrEnum):
    """How far an article has come."""

    NEW = "new"  # known by its URL only: waits for `ingest`
    DONE = "done"  # has its final text
    PARTIAL = "partial"  # has the feed's own text; the page is tried again when due
    FAILED = "failed"  # has neither page nor text: only its headline was matched


class DeliveryState(StrEnum):
    """The life of an outbox row: pending → sending → sent | retry | dead.

    Beside that a story's row may be held until its time has come, or be told with others; and any
    row may be dropped.
    """

    PENDING = "pending"
    SENDING = "sending"  # committed before the call: found after a crash, it is reconciled
    SENT = "sent"
    RETRY = "retry"
    DEAD = "dead"  # refused for good
    DROPPED = "dropped"  # by hand, or because what it belongs to is not shown: nobody need look
    HELD = "held"  # for the end of quiet hours, or for a digest
    FOLDED = "folded"  # told in a notice that lists several stories

    @property
    def is_given_up(self) -> bool:
        """Whether it is not tried again by itself, whatever comes."""
        return self in {DeliveryState.DEAD, DeliveryState.DROPPED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often the operator wants a feed to be asked."""

    interval: timedelta | None = None  # always this; None: as often as it posts
    weight: float = 1.0  # how much a minute's delay of its news matters, next to other feeds'
    fastest: timedelta = timedelta(minutes=2)
    slowest: timedelta = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What a server gave to recognise its answer by; echoed byte for byte."""

    etag: str | None = None
    last_modified: str | None = None
    url: str | None = None  # that gave them, after redirects; only it is told; None: any


CONFIRMS_NOTHING = 3
"""The tier of feeds whose reports are shown, and count for nothing where a story must be confirmed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSpec:
    """A feed as the operator declares it."""

    url: str
    name: str
    publisher: str
    side: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    tier: int = 2  # 1 (the record) … 3 (carried, but confirms nothing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a feed asks of those who poll it, in its own document."""

    ttl: timedelta | None = None  # RSS ttl, or sy:updatePeriod over sy:updateFrequency: the longer
    skip_hours: frozenset[int] = frozenset()  # 0 … 23, UTC
    skip_days: frozenset[int] = frozenset()  # 0 (Monday) … 6, UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Where a feed says it lives now, by permanent redirects only; taken over when it lasts."""

    url: str
    since: datetime  # when it said so first
    polls: int = 1  # that it said so in a row, and were read as a feed there


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed with what the last poll left behind."""

    id: FeedId
    spec: FeedSpec
    host: str
    status: FeedStatus
    validators: Validators
    body_hash: str | None  # of the last body that was read to its end
    failures: int  # polls failed in a row
    polled_at: datetime | None  # None: never polled
    due_at: datetime
    ok_at: datetime | None = None  # None: never read, what it lists now is backlog
    rhythm: str | None = None  # how it posts, as JSON of `monitor.polling.rhythm`
    overlap: str | None = None  # whether its polls share items, as JSON of `monitor.polling.gaps`
    blocks: bytes = b""  # marks of the items that it listed last
    hints: Hints = Hints()
    move: Move | None = None
    health: Health = Health.NEW
    health_since: datetime | None = None
    newest_at: datetime | None = None  # publication of its newest entry
    gaps: int = 0  # how often a poll shared no item with the one before
    error: str | None = None  # the code of why the last poll failed, if it did
    subscription: Subscription | None = None  # by what its pushes come


class SubscriptionState(StrEnum):
    """How far a feed's subscription at a hub has come."""

    WANTED = "wanted"  # the hub was not asked yet
    ASKED = "asked"  # and has not verified it yet
    ACTIVE = "active"  # verified: the hub pushes, until the lease ends
    DENIED = "denied"  # the hub says no
    FAILED = "failed"  # the hub can't be asked, or refuses to be
    LEAVING = "leaving"  # not wanted any more: the hub is told so, then it is forgotten


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """By what a feed's pushes come (WebSub): asked of a hub, verified by it, renewed in time."""

    id: SubscriptionId
    feed: FeedId
    hub: str
    topic: str  # what the hub calls the feed
    callback: str = dataclasses.field(repr=False)  # our URL for this one: who knows it may call
    secret: str = dataclasses.field(repr=False)  # pushes are signed with it
    state: SubscriptionState
    attempts: int = 0  # requests since the hub last said yes or no
    created_at: datetime
    due_at: datetime | None = None  # when the hub is asked (again)
    asked_at: datetime | None = None
    verified_at: datetime | None = None
    expires_at: datetime | None = None  # the end of the lease
    pushed_at: datetime | None = None  # the last push that was signed as it should be
    missed_at: datetime | None = None  # when a poll last found what nobody had pushed
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item of a feed, as parsed: plain text throughout, links absolute."""

    guid: str  # the item's own id, else its link, else a hash of its content
    url: str | None  # absolute http(s) link, not yet canonical; None when the item has none
    title: str
    text: str  # the longest of content and summary as plain text, paragraphs apart by "\n\n"
    authors: tuple[str, ...] = ()
    published_at: datetime | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """What a feed's bytes say."""

    title: str
    language: str | None
    entries: tuple[Entry, ...]  # without those whose bytes were read before
    hints: Hints = Hints()
    hub: str | None = None  # where it can be subscribed to (WebSub), absolute
    topic: str | None = None  # rel=self: by what name, absolute
    listed: int = 0  # items in the document, those read before included
    known: int = 0  # of these, whose bytes were read before
    blocks: bytes = b""  # marks of all items' bytes, for the next poll; empty: not to be trusted


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One entry of a page that grows for hours, as a live blog does."""

    id: str  # 32 hex digits: stays when the page, or the entry's own words, change
    text: str  # with its headline, if it has one; paragraphs apart by "\n\n"
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What a page says about its article: the output of `monitor.extract`."""

    title: str
    body: str  # plain text, paragraphs apart by "\n\n"
    authors: tuple[str, ...] = ()
    published_at: datetime | None = None
    language: str | None = None
    canonical_url: str | None = None  # rel=canonical as given, absolute; not judged
    updates: tuple[Update, ...] = ()  # in the page's order; all their words are in the body, too
    reason: Code | None = None  # why the body is less than the article: PAYWALL


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingArticle:
    """A claimed article that waits for its page, with what its first entry said of it."""

    id: ArticleId
    url: str  # canonical: what the article is known by
    link: str | None  # as the feed gave it: what is fetched; None when the entry has no link
    state: ArticleState
    attempts: int  # times the page was asked for, this one included
    deaths: int  # processes that died, or failed by a bug, taking it apart since it was last read
    entry: Entry
    feed: FeedSpec
    backlog: bool  # the feed's first poll listed it already
    first_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An article ready to be stored and matched."""

    url: str
    title: str
    body: str
    source: Literal["page", "feed"]
    authors: tuple[str, ...] = ()
    published_at: datetime | None = None
    language: str | None = None
    text_hash: str | None = None  # of the normal form; None when too short to prove a copy
    agency: str | None = None  # whose report it prints, by byline or dateline
    furniture: tuple[str, ...] = ()  # paragraphs that its site prints everywhere: not in the body


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """In how many other articles of its host a paragraph stood."""

    articles: int
    fed: int  # of these, where the feed says it, too


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """From when on a story is said again, aloud: so many who report it themselves, of so many sides."""

    publishers: int = 1
    sides: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """A span of each day, by the clocks of a time zone; it may go over midnight."""

    start: time
    end: time
    zone: str  # an IANA name

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M} {self.zone}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestTime:
    """When a digest is due, each day or each week, by the clocks of a time zone."""

    at: time
    zone: str  # an IANA name
    weekday: int | None = None  # 0 (Monday) … 6; None: each day

    def __str__(self) -> str:
        day = "" if self.weekday is None else f"{WEEKDAYS[self.weekday]} "
        return f"{day}{self.at:%H:%M} {self.zone}"


WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""As they are written in a `DigestTime`."""

Priority: TypeAlias = Literal["normal", "critical"]
"""What is critical is told at once, by itself, at any hour."""

Sensitivity: TypeAlias = Literal["low", "normal", "high"]
"""How improbable something must be to be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeRule:
    """When a watch finds so much more than usual that people are told."""

    sensitivity: Sensitivity = "normal"
    stories: int = 4  # at least, within an hour
    cooldown: timedelta = timedelta(hours=6)  # after one was told


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A named query with a destination.

    It has either `terms`, any one of which is enough, or a `query` in the watch language.
    """

    name: str
    terms: tuple[str, ...] = ()
    query: str | None = None
    variants: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Other spellings of a term (of `terms`, or of the query): found, they count as that term."""
    channel: str | None = None  # None: the default channel
    min_publishers: int = 1  # that report a story themselves, before it is told
    min_sides: int = 0  # that these belong to
    escalate: Escalation | None = None
    notify: tuple[str, ...] = ()  # Slack's ids of who is named when a story escalates
    spike: SpikeRule | None = None  # None: nobody is told of spikes
    priority: Priority = "normal"
    quiet_hours: QuietHours | None = None  # what comes then waits for their end
    digest: DigestTime | None = None
    realtime: bool = True  # False: told by its digest alone


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """Where a term was found: half-open character offsets into the *original* text."""

    field: Literal["title", "body"]
    start: int
    end: int
    term: str = dataclasses.field(compare=False)  # the watch's own spelling


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A watch matched an article."""

    watch: str
    spans: tuple[Span, ...]  # sorted, title before body


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Where a delivered message lives: Slack's channel id and message timestamp."""

    channel: str
    ref: str


class Deed(StrEnum):
    """What people can do about a message."""

    SEEN = "seen"
    MUTED = "muted"  # it is not edited any more, and nothing is said in its thread
    SNOOZED = "snoozed"  # its watches begin no new messages in its channel for a while
    IRRELEVANT = "irrelevant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Who did something, and when; of a snooze, until when it lasts."""

    by: str  # what they are called: untrusted
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A claimed row of the outbox."""

    id: DeliveryId
    channel: str
    attempts: int
    sent: Sent | None  # where it is shown already: update instead of posting
    found_sending_at: datetime | None  # a call begun then never ended: reconcile before posting
    revision: int = 0  # how often its message was wanted until now


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Outgoing):
    """What `channel` should show for `story`."""

    story: StoryId
    hands: Mapping[Deed, Hand] = dataclasses.field(default_factory=dict)  # what people did about it


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Outgoing):
    """Anything else that `channel` should show: one message per subject, for ever."""

    subject: str  # what it is about: `digest:WHEN:DAY`, `reply:STORY:WHAT`
    card: Card
    story: StoryId | None = None  # in whose thread it stands
    broadcast: bool = False  # a reply that the channel shows, too
    root: Sent | None = None  # of `story`, where it is shown


class Kind(StrEnum):
    """What a job does; its key is a channel (deliver), nothing (backfill, index) or a bucket."""

    POLL = "poll"
    INGEST = "ingest"
    SUBSCRIBE = "subscribe"
    DELIVER = "deliver"
    BACKFILL = "backfill"
    INDEX = "index"


@dataclass(frozen=True, slots=True, order=True)
class Job:
    """A hint that something is due. The rows are the truth; losing a job costs one tick."""

    kind: Kind
    key: str

    @property
    def lock(self) -> str | None:
        """What this job must hold alone: its channel, its bucket's hubs, all backfills, the index.

        None: feeds and articles are claimed host by host, so that their leases are what is held.
        """
        return None if self.kind in {Kind.POLL, Kind.INGEST} else f"{self.kind}:{self.key}"
