"""Subscriptions at hubs: those that are due, what hubs say of them, what they push.

Whoever notes a poll or a push locks the feed's row first; what hubs say locks the subscription
alone, and neither writes the other's columns.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa

from monitor.model import (
    DueBy,
    FeedId,
    FeedStatus,
    Subscription,
    SubscriptionId,
    SubscriptionState,
    bucket_of,
)
from monitor.storage import tables as t
from monitor.storage.work import Row, Work, claim, is_held
from monitor.websub import soonest_poll

_IS_WANTED = t.subscription.c.state != SubscriptionState.LEAVING
_ONE = t.subscription.c.id == sa.bindparam("subscription")
_LEFT = {
    "state": SubscriptionState.LEAVING,
    "attempts": 0,
    "error": None,
    "due_at": sa.bindparam("now", type_=t.subscription.c.due_at.type),
}

LOCK_FEED = sa.select(t.feed.c.id).where(t.feed.c.id == sa.bindparam("feed")).with_for_update()
FEED_NAME = sa.select(t.feed.c.name).where(t.feed.c.id == sa.bindparam("feed"))
SUBSCRIPTION_OF = sa.select(t.subscription).where(
    t.subscription.c.feed_id == sa.bindparam("feed"), _IS_WANTED
)
SUBSCRIPTIONS_OF = sa.select(t.subscription).where(
    t.subscription.c.feed_id.in_(sa.bindparam("feeds", expanding=True)), _IS_WANTED
)
SUBSCRIPTION = sa.select(t.subscription).where(_ONE).with_for_update()
SUBSCRIPTION_AT = sa.select(t.subscription).where(t.subscription.c.token == sa.bindparam("token"))
ADD = sa.insert(t.subscription)
LEAVE = sa.update(t.subscription).where(_ONE).values(_LEFT)
LEAVE_OTHERS = (
    sa.update(t.subscription)
    .where(t.subscription.c.feed_id == sa.bindparam("feed"), _IS_WANTED)
    .values(_LEFT)
)
LEAVE_IDLE = (
    sa.update(t.subscription)
    .where(
        _IS_WANTED,
        t.subscription.c.feed_id.in_(
            sa.select(t.feed.c.id).where(
                sa.or_(~t.feed.c.declared, t.feed.c.status == FeedStatus.GONE)
            )
        ),
    )
    .values(_LEFT)
)
LEAVE_ALL = sa.update(t.subscription).where(_IS_WANTED).values(_LEFT)
CALL_ELSEWHERE = (
    sa.update(t.subscription)
    .where(_IS_WANTED, t.subscription.c.callback != sa.bindparam("begin") + t.subscription.c.token)
    .values(
        callback=sa.bindparam("begin") + t.subscription.c.token,
        state=SubscriptionState.WANTED,
        attempts=0,
        error=None,
        due_at=sa.bindparam("now", type_=t.subscription.c.due_at.type),
    )
)
CLAIM = claim(t.subscription, returning=tuple(t.subscription.c))
RELEASE = (
    sa.update(t.subscription)
    .where(
        t.subscription.c.id.in_(sa.bindparam("subscriptions", expanding=True)),
        is_held(t.subscription),
    )
    .values(lease_until=None)
)
_SAID = ("state", "attempts", "due_at", "asked_at", "verified_at", "expires_at", "error")
SAVE = (
    sa.update(t.subscription)
    .where(_ONE)
    .values({name: sa.bindparam(f"new_{name}") for name in _SAID})
)
DROP = sa.delete(t.subscription).where(_ONE)
PUSHED = (
    sa.update(t.subscription)
    .where(_ONE)
    .values(pushed_at=sa.bindparam("now", type_=t.subscription.c.pushed_at.type))
)
MISSED = (
    sa.update(t.subscription)
    .where(_ONE)
    .values(missed_at=sa.bindparam("now", type_=t.subscription.c.missed_at.type))
)
PUSHED_FEED = (
    sa.select(
        t.feed.c.id,
        t.feed.c.url,
        t.feed.c.bucket,
        t.feed.c.due_at,
        t.feed.c.lease_until,
        t.feed.c.polled_at,
    )
    .where(
        t.feed.c.id == sa.select(t.subscription.c.feed_id).where(_ONE).scalar_subquery(),
        t.feed.c.declared,
        t.feed.c.failures == 0,
        t.feed.c.due_at.is_not(None),
    )
    .with_for_update(of=t.feed)
)
HASTEN = (
    sa.update(t.feed)
    .where(t.feed.c.id == sa.bindparam("feed"))
    .values(due_at=sa.bindparam("new_due_at"), due_by=DueBy.PUSHED)
)


class SubscriptionWork(Work):
    """The part of `ports.Transaction` about subscriptions at hubs."""

    def subscription_of(self, feed: FeedId) -> Subscription | None:
        """See `ports.Transaction`."""
        self._run(LOCK_FEED, {"feed": feed})
        return _subscription(self._run(SUBSCRIPTION_OF, {"feed": feed}).first())

    def subscription_seen(self, feed: FeedId) -> Subscription | None:
        """By what a feed's pushes come; to be looked at only."""
        return _subscription(self._run(SUBSCRIPTION_OF, {"feed": feed}).first())

    def feed_name(self, feed: FeedId) -> str:
        """See `ports.Transaction`."""
        name: str = self._run(FEED_NAME, {"feed": feed}).scalar_one()
        return name

    def subscribe(
        self, feed: FeedId, *, hub: str, topic: str, callback: str, secret: str, now: datetime
    ) -> None:
        """See `ports.Transaction`."""
        self._run(LEAVE_OTHERS, {"feed": feed, "now": now})
        self._run(
            ADD,
            {
                "feed_id": feed,
                "hub": hub,
                "topic": topic,
                "bucket": bucket_of(urlsplit(hub).hostname or ""),
                "callback": callback,
                "token": callback.rpartition("/")[2],
                "secret": secret,
                "state": SubscriptionState.WANTED,
                "attempts": 0,
                "due_at": now,
                "created_at": now,
            },
        )

    def leave_hub(self, subscription: SubscriptionId, now: datetime) -> None:
        """See `ports.Transaction`."""
        self._run(LEAVE, {"subscription": subscription, "now": now})

    def sync_subscriptions(self, callbacks: str | None, now: datetime) -> None:
        """See `ports.Transaction`."""
        if callbacks is None:
            self._run(LEAVE_ALL, {"now": now})
            return
        self._run(LEAVE_IDLE, {"now": now})
        self._run(CALL_ELSEWHERE, {"begin": callbacks, "now": now})

    def claim_subscriptions(
        self, bucket: int, now: datetime, lease: timedelta, limit: int
    ) -> Sequence[Subscription]:
        """See `ports.Transaction`."""
        rows = self._run(
            CLAIM,
            {
                "in_bucket": bucket,
                "now": now,
                "until": now + lease,
                "holder": self.holder,
                "limit": limit,
            },
        ).all()
        return [_read(row) for row in sorted(rows, key=lambda row: (row.due_at, row.id))]

    def release_subscriptions(self, subscriptions: Sequence[SubscriptionId]) -> None:
        """See `ports.Transaction`."""
        if subscriptions:
            self._run(RELEASE, {"subscriptions": subscriptions, "holder": self.holder})

    def subscription(self, subscription: SubscriptionId) -> Subscription | None:
        """See `ports.Transaction`."""
        return _subscription(self._run(SUBSCRIPTION, {"subscription": subscription}).first())

    def subscription_at(self, token: str) -> Subscription | None:
        """See `ports.Transaction`."""
        return _subscription(self._run(SUBSCRIPTION_AT, {"token": token}).first())

    def save_subscription(self, subscription: Subscription) -> None:
        """See `ports.Transaction`."""
        said = {f"new_{name}": getattr(subscription, name) for name in _SAID}
        self._run(SAVE, {"subscription": subscription.id, **said})

    def drop_subscription(self, subscription: SubscriptionId) -> None:
        """See `ports.Transaction`."""
        self._run(DROP, {"subscription": subscription})

    def note_push(
        self, subscription: SubscriptionId, now: datetime, soonest: Callable[[str], timedelta]
    ) -> int | None:
        """See `ports.Transaction`."""
        feed = self._run(PUSHED_FEED, {"subscription": subscription}).first()
        self._run(PUSHED, {"subscription": subscription, "now": now})
        if feed is None:
            return None
        if feed.lease_until is not None and feed.lease_until > now:
            # what is leased was due: `save_feeds` sees by this that it was pushed meanwhile
            due_at = feed.due_at if feed.due_at > now else now + soonest(feed.url)
        else:
            due_at = min(feed.due_at, soonest_poll(now, feed.polled_at, soonest(feed.url)))
        if due_at != feed.due_at:
            self._run(HASTEN, {"feed": feed.id, "new_due_at": due_at})
        bucket: int = feed.bucket
        return bucket if due_at <= now else None

    def note_miss(self, subscription: SubscriptionId, now: datetime) -> None:
        """See `ports.Transaction`."""
        self._run(MISSED, {"subscription": subscription, "now": now})


def subscriptions_of(work: Work, feeds: Collection[int]) -> Mapping[int, Subscription]:
    """By what the pushes of each of these feeds come, if they do."""
    rows = work.connection.execute(SUBSCRIPTIONS_OF, {"feeds": list(feeds)})
    return {row.feed_id: _read(row) for row in rows}


def _subscription(row: Row | None) -> Subscription | None:
    return None if row is None else _read(row)


def _read(row: Row) -> Subscription:
    return Subscription(
        id=SubscriptionId(row.id),
        feed=FeedId(row.feed_id),
        hub=row.hub,
        topic=row.topic,
        callback=row.callback,
        secret=row.secret,
        state=SubscriptionState(row.state),
        attempts=row.attempts,
        created_at=row.created_at,
        due_at=row.due_at,
        asked_at=row.asked_at,
        verified_at=row.verified_at,
        expires_at=row.expires_at,
        pushed_at=row.pushed_at,
        missed_at=row.missed_at,
        error=row.error,
    )
