"""The database as the pipeline sees it, and where its jobs go."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from alerts.message import Card
from monitor.match.backtest import Archived
from monitor.model import (
    Article,
    ArticleId,
    ArticleState,
    Deed,
    Delivery,
    DeliveryId,
    DeliveryState,
    Entry,
    Feed,
    FeedId,
    FeedSpec,
    Hand,
    Health,
    Hit,
    Job,
    Notice,
    PendingArticle,
    Seen,
    Sent,
    StoryId,
    Subscription,
    SubscriptionId,
    Watch,
)
from monitor.ports.facts import (
    Added,
    Asked,
    Backfilling,
    Beginning,
    Beginnings,
    Brief,
    Candidates,
    Day,
    DueDigest,
    FeedUpdate,
    Finding,
    Finds,
    FoundEntry,
    Hold,
    IllFeed,
    Known,
    Listing,
    Place,
    Reach,
    Stored,
    StoryView,
    Summary,
    Told,
    Waiting,
    Waits,
)
from monitor.ports.retention import Bounds, Pruned
from monitor.ports.search import Indexed, Unindexed

T = TypeVar("T")


class Transaction(Protocol):
    """One unit of work. Committed when the function that uses it returns, undone when it raises.

    Plain synchronous calls: a transaction can't wait for the network by construction.
    """

    def submit(self, job: Job) -> None:
        """Have the engine do this job, if and only if this transaction commits."""

    # -- configuration

    def sync_feeds(self, specs: Sequence[FeedSpec], now: datetime) -> None:
        """Make the stored feeds those of the configuration; new ones are due now.

        A feed that is no longer declared is kept, with its history, and not polled.
        """

    def sync_watches(self, watches: Sequence[Watch], now: datetime) -> Sequence[str]:
        """Make the stored watches those of the configuration.

        Returns the names of those that are new, or look for something else than before.
        """

    # -- schedule

    def due_jobs(self, now: datetime) -> Collection[Job]:
        """A job for every bucket and channel in which something is due and not leased."""

    def release_leases(self) -> int:
        """Give back everything that is leased (only where nobody else can be at work)."""

    def bring_forward(self, now: datetime, lease: timedelta) -> int:
        """The clock was set back: what was done later than `now`, and planned from there, is due.

        No lease lasts longer than `lease` from now. Returns how many rows were changed. What is held
        for quiet hours or a digest stays held.
        """

    # -- poll

    def lease_holders(self, now: datetime) -> frozenset[int]:
        """The numbers of the processes that lease anything now."""

    def release_leases_of(self, holders: Collection[int], now: datetime) -> int:
        """Give back what processes have leased that are dead; returns how many rows."""

    def claim_feeds(
        self,
        bucket: int,
        now: datetime,
        lease: timedelta,
        limit: int,
        *,
        idle_hosts: bool = False,
    ) -> Sequence[Feed]:
        """Take due feeds of a bucket for the length of a lease, longest due first.

        `idle_hosts`: only of hosts of which none is anybody's at the moment; among many
        processes, neither feed nor article.
        """

    def take_turns(
        self, hosts: Collection[str], now: datetime, lease: timedelta
    ) -> Collection[str]:
        """Among many processes: ask these hosts next, of which rows were claimed just now.

        Returns those that another may have asked until a moment ago: their pause begins now.
        """

    def forget_turns(self, now: datetime) -> int:
        """Forget who asked hosts long ago; returns how many hosts."""

    def save_feeds(self, updates: Mapping[FeedId, FeedUpdate]) -> None:
        """Write the results of polls and end their leases.

        What was pushed while it was polled well is due when the push had it be.
        """

    def keep_listings(self, listings: Mapping[FeedId, Listing]) -> None:
        """Remember feeds' documents."""

    def rhythms(self, most: int) -> tuple[Mapping[str, str | None], int]:
        """How feeds post that are polled, by URL: JSON of `monitor.polling.rhythm`.

        Of all, or, where there are more than `most`, of one of so many, evenly: the number returned.
        """

    def feeds_to_ask(self) -> Sequence[Asked]:
        """All declared feeds, as far as one must know them to have them polled now."""

    def ask_feeds(self, feeds: Mapping[FeedId, datetime]) -> None:
        """Have these feeds polled at these times, because somebody wants to know."""

    def count_places(self, now: datetime) -> int:
        """Count who was first with some of the stories that are a day old; returns of how many.

        Each story is counted once, in the order in which they came up.
        """

    def forget_feed_history(self, now: datetime) -> int:
        """Delete what is too old of how feeds did; returns how many rows."""

    def release_feeds(self, feeds: Sequence[FeedId]) -> None:
        """End leases without a poll: what was due is still due."""

    def set_feed_aside(self, feed: FeedId, until: datetime) -> None:
        """End the lease of a feed whose poll ended by a bug: it is due again then."""

    def add_entries(self, feed: Feed, found: Sequence[FoundEntry], now: datetime) -> Added:
        """Save the entries that this feed has not listed before, and the new words of the others.

        Each is linked to the article of its URL; where there is none, the article is made, `new`
        and due now.
        """

    def add_finds(self, finds: Sequence[Finds]) -> Sequence[Added]:
        """`add_entries` for several feeds, each there once: as if one came after the other."""

    def ask_again(self, article: ArticleId, due_at: datetime) -> None:
        """Have a finished article read again, from its first attempt; sooner if it waits for that."""

    def is_said_otherwise(self, article: ArticleId, entry: Entry) -> bool:
        """Whether the words with which an article would be claimed are not those of `entry` now."""

    # -- subscriptions at hubs

    def subscription_of(self, feed: FeedId) -> Subscription | None:
        """By what a feed's pushes come. Until the commit, none of them is noted."""

    def feed_name(self, feed: FeedId) -> str:
        """What the operator calls a feed."""

    def subscribe(
        self, feed: FeedId, *, hub: str, topic: str, callback: str, secret: str, now: datetime
    ) -> None:
        """Have a feed pushed by this hub; what it was pushed by before is to be left."""

    def leave_hub(self, subscription: SubscriptionId, now: datetime) -> None:
        """Have its hub told that a subscription is not wanted any more."""

    def sync_subscriptions(self, callbacks: str | None, now: datetime) -> None:
        """Leave the hubs of feeds that are not polled any more; all, if `callbacks` is None.

        `callbacks` is what the URLs begin with that hubs may call: who knows others is asked anew.
        """

    def claim_subscriptions(
        self, bucket: int, now: datetime, lease: timedelta, limit: int
    ) -> Sequence[Subscription]:
        """Take due subscriptions of a bucket of hubs for the length of a lease."""

    def release_subscriptions(self, subscriptions: Sequence[SubscriptionId]) -> None:
        """End leases; what is due still is."""

    def subscription(self, subscription: SubscriptionId) -> Subscription | None:
        """One as it stands, to be saved in this transaction; None if it is gone."""

    def subscription_at(self, token: str) -> Subscription | None:
        """The one whose callback ends in this token."""

    def save_subscription(self, subscription: Subscription) -> None:
        """Write what became of it; pushes and misses apart, and the lease stays."""

    def drop_subscription(self, subscription: SubscriptionId) -> None:
        """Forget it."""

    def note_push(
        self, subscription: SubscriptionId, now: datetime, soonest: Callable[[str], timedelta]
    ) -> int | None:
        """Its hub pushed: its feed is due now, but so long after it was polled last.

        `soonest` tells how long, by its URL; a feed that is being polled is due again after that.
        Returns the feed's bucket if it is due now. One that fails, or is not polled any more, stays
        as it is.
        """

    def note_miss(self, subscription: SubscriptionId, now: datetime) -> None:
        """A poll found what its hub had not pushed."""

    # -- ingest

    def claim_articles(
        self,
        bucket: int,
        now: datetime,
        lease: timedelta,
        limit: int,
        *,
        idle_hosts: bool = False,
    ) -> Sequence[PendingArticle]:
        """Take due articles of a bucket for the length of a lease.

        `idle_hosts`: only of hosts of which none is anybody's at the moment; among many
        processes, neither feed nor article.
        """

    def release_articles(self, articles: Sequence[ArticleId]) -> None:
        """End leases of what was not begun."""

    def begin_article(self, article: ArticleId, attempts: int) -> None:
        """Note that work on a claimed article begins, as its `attempts`-th attempt.

        What takes the process down is known by it: what was only claimed beside it is innocent.
        """

    def set_article_aside(self, article: ArticleId, until: datetime) -> None:
        """End the lease of an article whose ingest ended by a bug: it is due again then."""

    def lock_stories(self) -> None:
        """From here to the commit, nobody else decides what is the same story."""

    def article_at(self, url: str) -> Known | None:
        """The article that this canonical URL leads to."""

    def twin_of(self, text_hash: str, since: datetime, other_than: ArticleId) -> Known | None:
        """The oldest article first seen after `since` with exactly this text."""

    def told_apart(self, one: ArticleId, other: ArticleId) -> bool:
        """Whether a feed lists both under different headlines: to its publisher they are two."""

    def url_of(self, article: ArticleId) -> str:
        """The canonical URL that an article is known by."""

    def story_of(self, article: ArticleId) -> StoryId | None:
        """The story an article belongs to, if it was decided."""

    def place_of(self, article: ArticleId) -> Place:
        """Where an article stands, and what people decided about it."""

    def copy_candidates(
        self,
        keys: Collection[int],
        first: datetime,
        last: datetime,
        *,
        other_than: ArticleId,
        hottest: int,
        limit: int,
    ) -> Candidates:
        """Up to `limit` articles that share keys, of the days from `first` to `last`.

        Keys that more than `hottest` articles share are passed over.
        """

    def keep_fingerprint(
        self, article: ArticleId, at: datetime, keys: Collection[int], packed: bytes
    ) -> None:
        """Have an article of this time found by these keys, and judged by this fingerprint."""

    def join_families(self, root: ArticleId, into: ArticleId) -> None:
        """`root` and its copies are copies of `into`."""

    def stories_about(
        self, terms: Mapping[int, float], *, each: int, limit: int
    ) -> Sequence[tuple[StoryId, bytes]]:
        """The stories that share the heaviest of these terms, with what they are about.

        Of each term the `each` newest are looked at; what a term weighs, it adds to all of them.
        """

    def threads(self, stories: Collection[StoryId]) -> Mapping[StoryId, bytes]:
        """What stories are about, as it was set; without those that have no thread."""

    def set_thread(self, story: StoryId, packed: bytes, terms: Collection[int]) -> None:
        """Have a story found by these terms, too, and judged by this thread from now on."""

    def add_report(self, at: datetime, terms: Collection[int]) -> None:
        """Count a report of this time that is about these terms, each once."""

    def reports_with(
        self, terms: Collection[int], first: datetime, last: datetime
    ) -> Mapping[int, int]:
        """How many reports of the days from `first` to `last` are about each of these terms."""

    def chapter_after(self, story: StoryId) -> StoryId | None:
        """The story that follows this one."""

    def is_shown(self, story: StoryId) -> bool:
        """Whether a message of the story stands anywhere, or may stand."""

    def ruled_apart(self, one: StoryId, other: StoryId) -> bool:
        """Whether people took an article of the one out of the other."""

    def rule(
        self, article: ArticleId, story: StoryId, *, belongs: bool, by: str, now: datetime
    ) -> None:
        """Keep what people decided about an article and a story."""

    def merge_stories(
        self, gone: StoryId, into: StoryId, *, now: datetime, by: str | None = None
    ) -> Collection[str]:
        """Everything of `gone` belongs to `into`, its messages too; returns the channels of both.

        Where both are shown in a channel, the message of `gone` is due to become a pointer. `by`:
        who decided; None if nobody did.
        """

    def save_article(
        self,
        article: ArticleId,
        content: Article,
        *,
        state: ArticleState,
        now: datetime,
        due_at: datetime | None,
        error_code: str | None = None,
        error_detail: str | None = None,
    ) -> None:
        """Write an article's text and end the lease; `content.url` leads to it from now on.

        Raises `Superseded` if the article was merged into another since it was claimed.
        """

    def merge_article(self, article: ArticleId, into: ArticleId) -> None:
        """`article` turned out to be `into` under another URL: move its entries and URLs there.

        Raises `Superseded` if it was merged away already.
        """

    def new_story(self, now: datetime, *, follows: StoryId | None = None) -> StoryId:
        """Open a story; the next chapter of another one, if that is given."""

    def put_in_story(
        self,
        article: ArticleId,
        story: StoryId,
        *,
        copy_of: ArticleId | None,
        novelty: float | None = None,
    ) -> None:
        """Write the decision which story an article belongs to, and whose copy it is."""

    def set_hits(self, article: ArticleId, hits: Sequence[Hit], now: datetime) -> None:
        """Make these the article's hits."""

    def want_delivery(self, story: StoryId, channel: str, now: datetime) -> bool:
        """Have the channel show the story as it is now: a new message, or an edit of the old one.

        True if this made a new row. One row per story and channel, for ever.
        """

    def refresh_deliveries(self, story: StoryId, due_at: datetime) -> Sequence[str]:
        """Have every channel that shows the story show it as it is now; returns the channels."""

    def move_delivery(self, story: StoryId, channel: str, to: StoryId) -> None:
        """What the channel shows, or is to show, of the one story is of the other from now on.

        What was given up stays, and what is in the way of one that is there already.
        """

    # -- what people do about messages

    def note_deed(
        self,
        mark: str,
        *,
        user: str,
        name: str,
        action: str,
        subject: str,
        channel: str,
        now: datetime,
    ) -> bool:
        """Keep who did what, on what; False if a deed of this mark was noted before."""

    def delivery_of(self, delivery: DeliveryId) -> tuple[StoryId, str] | None:
        """The story that a message tells, and the channel as the configuration calls it."""

    def set_hand(self, delivery: DeliveryId, deed: Deed, by: str, at: datetime) -> bool:
        """Somebody did this about a message; False if it was done already: the first one stays.

        A message that was muted is not due for what is wanted from then on.
        """

    def hands_of(self, delivery: DeliveryId) -> Mapping[Deed, Hand]:
        """What people did about a message."""

    def clear_hand(self, delivery: DeliveryId, deed: Deed) -> bool:
        """It was taken back; False if there was nothing to take back."""

    def is_muted(self, story: StoryId, channel: str) -> bool:
        """Whether nothing more is to be said of a story in a channel."""

    def judge(
        self,
        delivery: DeliveryId,
        found: Mapping[str, Sequence[str]],
        *,
        relevant: bool | None,
        now: datetime,
    ) -> None:
        """Whether what watches found, by these terms, was worth telling; None: nobody knows."""

    def snooze(self, watch: str, channel: str, until: datetime, by: str) -> None:
        """Have a watch begin no new messages in a channel until then."""

    def end_snooze(self, watch: str, channel: str, now: datetime) -> None:
        """Have it begin new ones again; what is held in the channel may be told now."""

    def snoozes(self, channel: str, now: datetime) -> Mapping[str, datetime]:
        """The watches that are snoozed in a channel, and until when."""

    def unacknowledged(
        self, watches: Collection[str], first: datetime, last: datetime
    ) -> Sequence[tuple[StoryId, str]]:
        """Stories in which one of these watches found something, and channels where they were shown
        first between `first` and `last`, and which nobody has acknowledged or muted since.
        """

    # -- what is done to messages by hand

    def messages_named(self, name: str) -> Sequence[Waits]:
        """The rows of the outbox, of either kind, whose ids end so; two at most."""

    def resend(self, message: DeliveryId, now: datetime) -> None:
        """Have a message that is not shown be due now, as if it had never been tried."""

    def drop(self, message: DeliveryId, why: str) -> None:
        """Give up a message that is not shown."""

    # -- spikes

    def begun_since(self, watches: Collection[str], since: datetime) -> Sequence[Beginning]:
        """The fresh articles since then that these watches found, in stories new to them."""

    def beginnings(self, watch: str, since: datetime) -> Beginnings:
        """How many stories began for a watch since then."""

    def mentions(self, watches: Collection[str], since: datetime) -> Mapping[int, int]:
        """In how many articles any of these watches found something, by quarter of an hour, since
        1970, in which they were first seen; from `since` on.
        """

    def count_mentions(self, now: datetime) -> bool:
        """Count some of what changed in what watches found; whether there is more to count.

        A small step. What was there before anything was counted follows, the newest first.
        """

    def seal_mentions(self, before: datetime, *, forget: datetime | None = None) -> int:
        """Let what is counted of the time before stay as it is, whatever becomes of its articles.

        To be said before articles with hits are deleted. With `forget` the counts of the days
        before that one are deleted; returns how many rows.
        """

    def was_read(self, hours: Collection[tuple[datetime, datetime]]) -> Sequence[bool]:
        """Of each span of time, whether any article was first seen then, and read."""

    def spike_told_at(self, channel: str, watch: str) -> datetime | None:
        """When a channel was last told of a spike of this watch."""

    # -- stories that wait, and what stands under others

    def hold(self, story: StoryId, watch: str, lacks: str, now: datetime) -> None:
        """A story waits, for a watch, until it is better reported; it goes on waiting since when it did."""

    def holds(self, story: StoryId) -> Mapping[str, Hold]:
        """For which watches a story waits."""

    def release(self, story: StoryId, watch: str) -> None:
        """It waits no more."""

    def held_stories(self) -> Sequence[StoryId]:
        """All that wait."""

    def forget_holds(self, now: datetime, kept: timedelta) -> int:
        """What has waited for longer than this waits no more, and is not told; returns how many."""

    def shown_in(self, story: StoryId) -> Sequence[str]:
        """The channels in which a message of the story stands, or may stand."""

    def listed_in(self, story: StoryId) -> Sequence[str]:
        """The channels in which a message tells of the story together with others, and none alone.

        Without those that want digests alone.
        """

    def wanted_in(self, story: StoryId) -> Sequence[str]:
        """The channels that show the story, or will."""

    def replies(self, story: StoryId, channel: str, since: datetime) -> Sequence[str]:
        """The subjects that were first told in a story's thread since then, oldest first."""

    # -- maintenance

    def forget(self, before: datetime, now: datetime) -> int:
        """Delete some of what grouping keeps of articles of before; returns how many rows.

        A small step: what is left is for the next call.
        """

    def forget_told(self, now: datetime) -> int:
        """Delete some of what was said of what is over, and who did what long ago; how many rows.

        A small step, too. What could still be told again, or edited, stays.
        """

    def prune(self, bounds: Bounds, now: datetime, *, after: StoryId | None = None) -> Pruned:
        """Delete some of the stories that came before these bounds, with all that is of them.

        A small step; the next one goes on `after` what this one answers. What waits to be read or
        told stays, and of what goes it is remembered that it was there (`is_bygone`).
        """

    def is_bygone(self, url: str) -> bool:
        """Whether this canonical URL led to an article that was deleted."""

    def stored_bytes(self) -> int:
        """How much all rows and indexes take. On PostgreSQL an estimate."""

    # -- what sites repeat

    def seen_paragraphs(
        self, hashes: Collection[int], *, but: ArticleId, since: datetime
    ) -> Mapping[int, Seen]:
        """In which other articles than `but` each paragraph stood since then, if in any."""

    def note_paragraphs(
        self, article: ArticleId, paragraphs: Mapping[int, bool], now: datetime
    ) -> None:
        """These paragraphs stand in the article; True where its feed says them, too.

        A copy does not count: the same text under a second URL is not repeated, but republished.
        """

    def forget_paragraphs(self, now: datetime) -> int:
        """Delete some of what sites repeated long ago, or too much of; returns how many rows.

        A small step, another one each minute: all are taken in turns.
        """

    # -- what was read before

    def stored_article(self, article: ArticleId) -> Stored | None:
        """An article as it was read last; None if it was not yet, or was merged away."""

    def leave_article(
        self, article: ArticleId, *, now: datetime, due_at: datetime | None, attempts: int = 0
    ) -> None:
        """It was read again and says the same: end the lease; `attempts` that count for the next.

        Raises `Superseded` if it was merged into another since it was claimed.
        """

    def keep_revision(
        self, article: ArticleId, title: str, body: str | None, replaced_at: datetime
    ) -> None:
        """What the article said until now. Of many, the newest are kept."""

    def keep_updates(self, article: ArticleId, updates: Mapping[str, datetime]) -> None:
        """These updates of a rolling page, by their keys, were read."""

    # -- deliver

    def claim_delivery(self, channel: str, now: datetime, lease: timedelta) -> Delivery | None:
        """Take the oldest due row of a channel, marked `sending`: one to be shown before an edit."""

    def drop_delivery(self, delivery: DeliveryId) -> None:
        """Forget a claimed row that was never shown: a later want makes a new one.

        One that was wanted anew since it was claimed stays.
        """

    def tell(
        self,
        channel: str,
        subject: str,
        card: Card,
        now: datetime,
        *,
        story: StoryId | None = None,
        broadcast: bool = False,
        due_at: datetime | None = None,
        again: bool = False,
    ) -> bool:
        """Have a channel show a card; its delivery is submitted, unless it is for later.

        One message per channel and subject, for ever: a subject that was told is not told again,
        unless `again`: then its message is edited to be this card. With `story` it is a reply in
        that story's thread, shown once the story is; with `broadcast` the channel shows it, too.
        Returns whether there is something new to show.
        """

    def told(self, channel: str, subject: str) -> Told | None:
        """What was said about a subject in a channel."""

    def last_told(self, channel: str, prefix: str) -> tuple[str, Told] | None:
        """The subject that was told last of those that begin so, with what was said."""

    def take_back(self, channel: str, prefix: str) -> None:
        """Forget what was told about subjects that begin so, as far as nobody began to show it."""

    def told_since(self, channel: str, prefix: str, since: datetime) -> int:
        """How many subjects that begin so were told for the first time since then."""

    def claim_notice(self, channel: str, now: datetime, lease: timedelta) -> Notice | None:
        """Take the oldest due notice of a channel, marked `sending`.

        A reply waits for its story's message, and for an earlier reply that may be shown or not.
        If it has a `story` and no `root`, that message was given up, or there never was one.
        """

    def claim_due(self, channel: str, now: datetime, lease: timedelta) -> Delivery | Notice | None:
        """Take what has been due longest in a channel, of either kind, marked `sending`.

        A message of a story that is only to be edited comes when nothing else is due.
        """

    def finish_notice(
        self,
        notice: DeliveryId,
        state: DeliveryState,
        now: datetime,
        *,
        sent: Sent | None = None,
        due_at: datetime | None = None,
        error: str | None = None,
    ) -> None:
        """What `finish_delivery` does, of a notice."""

    # -- what is told when, and together with what

    def waiting_in(self, channel: str, now: datetime) -> Sequence[Waiting]:
        """Stories that are due to be told in a channel, those first that were wanted first."""

    def wanted_between(
        self, channel: str, after: datetime, until: datetime
    ) -> Sequence[tuple[datetime, StoryId]]:
        """When stories were first wanted in a channel in a span of time, in order; not those held."""

    def hold_back(
        self, deliveries: Collection[DeliveryId], why: str, until: datetime | None
    ) -> None:
        """Have these wait until then, or for a digest."""

    def fold(self, deliveries: Collection[DeliveryId], into: str | None = None) -> None:
        """A notice of this subject tells these; without one, what told them already."""

    def unhold(self, deliveries: Collection[DeliveryId], now: datetime) -> None:
        """Have these shown by themselves, now, though they are held or told with others."""

    def held_without_end(self, channel: str) -> Mapping[StoryId, DeliveryId]:
        """What is held in a channel for a digest."""

    def reconsider_held(self, now: datetime) -> None:
        """The rules have changed: all that is held is due."""

    def open_folded(self, channel: str, now: datetime, most: int) -> None:
        """Stories told with others, in whose threads something is to be said, are shown now.

        At most so many a minute: those first in whose threads it was said first.
        """

    def last_summary(self, channel: str, kind: str, after: datetime) -> Summary | None:
        """The youngest notice whose subject begins so, if it tells what was wanted after then."""

    def stories_told_in(self, channel: str, subject: str) -> Sequence[StoryId]:
        """The stories that a notice tells, the youngest first."""

    def watches_of(self, stories: Collection[StoryId]) -> Mapping[StoryId, frozenset[str]]:
        """The names of all watches that found anything in these stories."""

    def briefs(
        self, stories: Collection[StoryId], max_age: timedelta | None
    ) -> Mapping[StoryId, Brief]:
        """Stories, each in a line; `max_age`: of what may lead one."""

    def found_for(
        self, channel: str, watches: Collection[str], after: datetime, until: datetime
    ) -> Sequence[Finding]:
        """What watches found, in a span of time, of stories that a channel is told.

        Of each watch, by its name, that with most articles first.
        """

    def sync_digests(self, wanted: Mapping[tuple[str, str], datetime], now: datetime) -> None:
        """Make the digests by (channel, schedule) these; new ones are first due then."""

    def due_digests(self, channel: str, now: datetime) -> Sequence[DueDigest]:
        """The digests of a channel that are due."""

    def next_digest(self, channel: str, schedule: str, now: datetime, due_at: datetime) -> None:
        """One was told, of everything until now; the next one is due then."""

    # -- what new watches would have found

    def want_backfill(self, watches: Sequence[str], since: datetime, now: datetime) -> None:
        """Have these watches run over the articles first seen since then.

        If they are being run already they begin anew.
        """

    def due_backfill(self, now: datetime) -> Backfilling | None:
        """The oldest that is due."""

    def is_reading_backlog(self) -> bool:
        """Whether a declared feed was not polled yet, or an article waits for its first reading."""

    def archive_before(
        self, since: datetime, before: tuple[datetime, int], limit: int
    ) -> Sequence[Archived]:
        """The next articles of the archive, newest first."""

    def add_hits(self, article: ArticleId, hits: Sequence[Hit], now: datetime) -> None:
        """These watches found something in an article, too; what is known of others stays."""

    def go_on_with(
        self, backfill: int, *, before: tuple[datetime, int], articles: int, due_at: datetime
    ) -> bool:
        """Articles down to this place were looked at; False if it is not wanted any more."""

    def end_backfill(self, backfill: int) -> bool:
        """Forget it; False if somebody did so already."""

    def backfilled(
        self, watches: Collection[str], since: datetime
    ) -> Sequence[tuple[str, StoryId, int, tuple[str, ...]]]:
        """What watches found among the articles first seen since then, the newest stories first.

        Rows of watch, story, number of articles, and the channels that the story is told in.
        """

    def recall_deliveries(self, channels: Collection[str], now: datetime) -> None:
        """What waits for any other channel than these is due now: delivering moves it."""

    def postpone_channel(self, channel: str, until: datetime) -> None:
        """Nothing that waits to be shown in the channel is due before `until`."""

    def story_view(self, story: StoryId, *, most: int | None = None) -> StoryView:
        """The story as it stands; of each body at most so many characters."""

    def finish_delivery(
        self,
        delivery: DeliveryId,
        state: DeliveryState,
        now: datetime,
        *,
        sent: Sent | None = None,
        due_at: datetime | None = None,
        error: str | None = None,
    ) -> None:
        """Write a call's result and end the lease.

        With `sending` the call stays uncertain: whoever claims it, at `due_at` or without one at
        the end of the lease, is told so. A row that was wanted anew while the call ran is due again
        at once; one that somebody else has finished meanwhile is left as it is.
        """

    def note_outcome(
        self,
        messages: Collection[DeliveryId],
        what: str,
        now: datetime,
        *,
        error: str | None = None,
    ) -> None:
        """Keep what became of these messages just now, of either kind: for who asks later."""

    # -- what articles are looked up by

    def unindexed(self, limit: int) -> Sequence[Unindexed]:
        """Articles that wait to be indexed, the newest first."""

    def index(self, indexed: Collection[Indexed]) -> None:
        """Keep what articles can be looked up by; those wanted again meanwhile go on waiting."""

    def forget_indexed(self, articles: Collection[ArticleId]) -> None:
        """These articles are deleted: they are not indexed any more, nor wait for it."""

    def renew_index(self) -> bool:
        """Have a part of the index made anew, if most of what it leads to is gone; all of it, if
        another version made it. Whether there was such a part.
        """

    # -- how the service fares

    def tally_rows(self, now: datetime) -> int:
        """Count some of the rows that nobody is to count who asks how many there are; of how many
        windows (see `monitor.storage.tallies`). To be done every minute.
        """

    def ill_feeds(self, since: datetime, limit: int) -> tuple[int, Sequence[IllFeed]]:
        """How many feeds are in trouble that began since then, and the first of them."""

    def feeds_by_health(self) -> Mapping[Health, int]:
        """How many of the declared feeds are how."""

    def polls_since(self, since: datetime) -> tuple[int, int]:
        """How many feeds were polled since then, and of how many the last poll failed."""

    def reach(self, now: datetime) -> Reach:
        """How many feeds were asked lately, and how many of them can't be reached."""

    def unreached_feeds(self, now: datetime, due_after: datetime) -> Sequence[FeedId]:
        """Those that can't be reached, were not asked just now, and are due later than this.

        Who was asked longest ago is the first.
        """

    def ask_feeds_again(self, feeds: Sequence[FeedId], at: datetime) -> int:
        """Have feeds that failed due at a time, if they are due later; returns how many were."""

    def dead_since(self, channel: str, since: datetime) -> int:
        """How many messages of a channel that were wanted since then are given up."""

    def day_since(self, since: datetime, now: datetime) -> Day:
        """How the service fared since then, and what waits now."""


class Store(Protocol):
    """The database: the truth about everything."""

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in one transaction. It may be run again if the database asks for it."""

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`, which only reads, beside any writer."""


class JobOutlet(Protocol):
    """Where submitted jobs go. The store calls it; an engine is one."""

    def insert(self, connection: Any, jobs: Sequence[Job]) -> None:
        """Last statements of the transaction, if the engine keeps its jobs in the database."""

    def wake(self, jobs: Sequence[Job]) -> None:
        """After the commit, on the event loop."""
