"""What polling asks of the database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from monitor.model import Feed, FeedId, Subscription, SubscriptionId
from monitor.ports.facts import Added, Asked, FeedUpdate, Finds, FoundEntry, Listing, Reach


class Polls(Protocol):
    """The part of `Transaction` about feeds, and the hubs that push them."""

    # -- feeds

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

    def release_feeds(self, feeds: Sequence[FeedId]) -> None:
        """End leases without a poll: what was due is still due. None ends another process's lease."""

    def set_feed_aside(self, feed: FeedId, until: datetime) -> None:
        """End the lease of a feed whose poll ended by a bug: it is due again then."""

    def save_feeds(self, updates: Mapping[FeedId, FeedUpdate]) -> Collection[FeedId]:
        """Write the results of polls and end their leases; returns those that were written nowhere.

        Another process has claimed these meanwhile: what is known of them is its to say. What was
        pushed while it was polled well is due when the push had it be.
        """

    def keep_listings(self, listings: Mapping[FeedId, Listing]) -> None:
        """Remember feeds' documents; not of those that another process has claimed meanwhile."""

    def add_entries(self, feed: Feed, found: Sequence[FoundEntry], now: datetime) -> Added:
        """Save the entries that this feed has not listed before, and the new words of the others.

        Each is linked to the article of its URL; where there is none, the article is made, `new`
        and due now.
        """

    def add_finds(self, finds: Sequence[Finds]) -> Sequence[Added]:
        """`add_entries` for several feeds, each there once: as if one came after the other."""

    def take_turns(
        self, hosts: Collection[str], now: datetime, lease: timedelta
    ) -> Collection[str]:
        """Among many processes: ask these hosts next, of which rows were claimed just now.

        Returns those that another may have asked until a moment ago: their pause begins now.
        """

    def forget_turns(self, now: datetime) -> int:
        """Forget who asked hosts long ago; returns how many hosts."""

    # -- when they are asked

    def rhythms(self, most: int) -> tuple[Mapping[str, str | None], int]:
        """How feeds post that are polled, by URL: JSON of `monitor.polling.rhythm`.

        Of all, or, where there are more than `most`, of one of so many, evenly: the number returned.
        """

    def feeds_to_ask(self) -> Sequence[Asked]:
        """All declared feeds, as far as one must know them to have them polled now."""

    def ask_feeds(self, feeds: Mapping[FeedId, datetime]) -> None:
        """Have these feeds polled at these times, because somebody wants to know."""

    def reach(self, now: datetime) -> Reach:
        """How many feeds were asked lately, and how many of them can't be reached."""

    def unreached_feeds(self, now: datetime, due_after: datetime) -> Sequence[FeedId]:
        """Those that can't be reached, were not asked just now, and are due later than this.

        Who was asked longest ago is the first.
        """

    def ask_feeds_again(self, feeds: Sequence[FeedId], at: datetime) -> int:
        """Have feeds that failed due at a time, if they are due later; returns how many were."""

    # -- how they did

    def count_places(self, now: datetime) -> int:
        """Count who was first with some of the stories that are a day old; returns of how many.

        Each story is counted once, in the order in which they came up.
        """

    def forget_feed_history(self, now: datetime) -> int:
        """Delete what is too old of how feeds did; returns how many rows."""

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
