"""Subscribe: a feed that offers a hub is pushed by it, and polled less for that.

A poll that read a feed notes the hub; `Subscribe` asks it, again before each lease ends, and takes
its leave when the feed is not polled any more. What hubs say comes in by `monitor.web.push`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from monitor import telemetry, websub
from monitor.compose import Rules
from monitor.errors import WorkError
from monitor.model import (
    Feed,
    Job,
    Kind,
    Subscription,
    SubscriptionId,
    SubscriptionState,
    bucket_of,
)
from monitor.pipeline.context import BATCH, Context, work_by_host
from monitor.ports import Transaction

log = telemetry.get_logger()

SETTLED = timedelta(days=1)
"""A feed that offers another hub than before is taken at its word once a day: it could name a new
one with every poll, and have us call anybody."""


class Read(NamedTuple):
    """What a poll that read a feed's document found about pushes."""

    offer: websub.Offer | None
    grew: bool  # something new was listed


def note_poll(
    tx: Transaction, feed: Feed, read: Read, due_at: datetime, rules: Rules, now: datetime
) -> datetime:
    """Take up the hub that a feed offers, and judge it by what the poll found.

    Returns when the feed is polled next, of which `due_at` is what it would be without pushes.
    """
    if rules.public_url is None:
        return due_at
    held = tx.subscription_of(feed.id)
    if _take_up(tx, feed, read.offer, held, rules.public_url, now):
        return due_at
    if held is not None and read.grew and websub.is_miss(held, feed.polled_at, now):
        tx.note_miss(held.id, now)
        return due_at
    return backup_due(held, feed.spec.url, due_at, rules, now)


def backup_due(
    held: Subscription | None, url: str, due_at: datetime, rules: Rules, now: datetime
) -> datetime:
    """When a feed is polled next, of which `due_at` is what it would be without pushes."""
    cadence = rules.cadence_of(url)
    if rules.public_url is None or cadence.interval is not None:
        return due_at
    return websub.backup_due(held, due_at, now, cadence.slowest)


def _take_up(
    tx: Transaction,
    feed: Feed,
    offer: websub.Offer | None,
    held: Subscription | None,
    public_url: str,
    now: datetime,
) -> bool:
    """Make the feed's subscription the one that it offers; True if that is another one."""
    if offer is None:
        if held is not None and not websub.is_active(held, now):
            tx.leave_hub(held.id, now)  # nobody pushes, and nobody says any more that they would
        return False
    if held is not None:
        same = held.hub == offer.hub and websub.same_topic(held.topic, offer.topic)
        if same or now - held.created_at < SETTLED:
            return False
    tx.subscribe(
        feed.id,
        hub=offer.hub,
        topic=offer.topic,
        callback=websub.callback_url(public_url, secrets.token_urlsafe(32)),
        secret=secrets.token_urlsafe(32),
        now=now,
    )
    tx.submit(Job(Kind.SUBSCRIBE, str(bucket_of(_host(offer.hub)))))
    return True


class Subscribe:
    """Asks the hubs of a bucket for what is due."""

    def __init__(self, context: Context) -> None:
        self._with = context

    async def run(self, bucket: int) -> None:
        """Ask once for every due subscription of a bucket."""
        due = await self._with.store.write(
            lambda tx: tx.claim_subscriptions(
                bucket, self._with.clock.now(), self._with.lease, BATCH
            )
        )
        await work_by_host(
            self._with,
            due,
            lane=self._with.polls,
            host=lambda each: _host(each.hub),
            source=lambda each: _host(each.hub),
            do=self._ask,
            give_back=self._give_back,
        )

    async def _give_back(self, rest: Sequence[Subscription]) -> None:
        ids = [each.id for each in rest]
        await self._with.store.write(lambda tx: tx.release_subscriptions(ids))

    async def _ask(self, due: Subscription) -> None:
        now = self._with.clock.now()
        begun = await self._with.store.write(lambda tx: _begin(tx, due.id, now))
        if begun is None:
            return
        asked, feed = begun
        error: WorkError | None = None
        try:
            await self._with.fetcher.post(asked.hub, websub.form(asked))
        except WorkError as caught:
            error = caught
        now = self._with.clock.now()
        await self._with.store.write(lambda tx: _end(tx, due.id, error, now))
        leaves = asked.state is SubscriptionState.LEAVING
        outcome = "accepted" if error is None else str(error.code)
        telemetry.HUB_REQUESTS.labels("unsubscribe" if leaves else "subscribe", outcome).inc()
        (log.warning if error else log.info)(
            "hub.asked",
            feed=feed,
            hub=_host(asked.hub),
            mode="unsubscribe" if leaves else "subscribe",
            status=outcome,
            **({"error": error.detail, "attempts": asked.attempts} if error else {}),
        )


def _begin(
    tx: Transaction, subscription: SubscriptionId, now: datetime
) -> tuple[Subscription, str] | None:
    """Write down that its hub is asked, since it may verify before it answers; None: it is not.

    Returns the feed's name, too.
    """
    held = tx.subscription(subscription)
    if held is None:
        return None
    if websub.is_left(held, now):
        tx.drop_subscription(held.id)
        return None
    asked = websub.asking(held, now)
    tx.save_subscription(asked)
    return asked, tx.feed_name(asked.feed)


def _end(
    tx: Transaction, subscription: SubscriptionId, error: WorkError | None, now: datetime
) -> None:
    held = tx.subscription(subscription)
    if held is None:  # left, and verified while we asked
        return
    tx.save_subscription(
        websub.accepted(held, now) if error is None else websub.refused(held, error, now)
    )
    tx.release_subscriptions([held.id])


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
