"""What becomes of a subscription with each event, and what its pushes mean for polling.

Values in, values out: `due_at` is when its hub is to be asked (again), so that the row is the
schedule. Each request is written down before it is made, because hubs verify while they answer.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from monitor.errors import Transient, WorkError
from monitor.model import Subscription, SubscriptionState
from monitor.websub.protocol import lease_of

RENEW_AFTER = 0.8
"""Share of a lease after which it is asked for again."""

SOONEST_RENEWAL = timedelta(minutes=10)
"""However short a lease is, its hub is asked no more often."""

ANSWER_WITHIN = timedelta(hours=1)
"""A hub that accepted and has not verified by then is asked again; then after twice as long."""

AGAIN = timedelta(days=1)
"""What refused, denied, or stays silent for long is asked this often: dead hubs are common."""

TRANSIENT_WAIT = timedelta(minutes=5)
FAREWELLS = 3
"""How often a hub is told that a subscription is not wanted any more."""

BACKUP = 6
"""How much less often a feed is polled whose hub can be relied on."""

NOT_VERIFIED = "its hub accepted and did not verify: can it reach [web] public_url?"

_LONGEST_REASON = 200


def is_active(subscription: Subscription, now: datetime) -> bool:
    """Whether its hub has promised to push."""
    return (
        subscription.state is SubscriptionState.ACTIVE
        and subscription.expires_at is not None
        and now < subscription.expires_at
    )


def is_left(subscription: Subscription, now: datetime) -> bool:
    """Whether nothing is left to say to the hub of a subscription that is not wanted any more."""
    return subscription.state is SubscriptionState.LEAVING and (
        subscription.asked_at is None
        or subscription.attempts >= FAREWELLS
        or (subscription.expires_at is not None and subscription.expires_at <= now)
    )


def asking(subscription: Subscription, now: datetime) -> Subscription:
    """As it is written down before its hub is asked. A lease that runs goes on."""
    state, error = subscription.state, subscription.error
    if state is not SubscriptionState.LEAVING and not is_active(subscription, now):
        if state is SubscriptionState.ASKED:
            error = NOT_VERIFIED
        state = SubscriptionState.ASKED
    return replace(
        subscription,
        state=state,
        attempts=subscription.attempts + 1,
        asked_at=now,
        error=error,
    )


def accepted(subscription: Subscription, now: datetime) -> Subscription:
    """The hub took the request. It may have verified or denied it meanwhile."""
    if not subscription.attempts:
        return subscription
    wait = min(ANSWER_WITHIN * 2 ** min(subscription.attempts - 1, 8), AGAIN)
    return replace(subscription, due_at=now + wait)


def refused(subscription: Subscription, error: WorkError, now: datetime) -> Subscription:
    """The hub did not take the request, or could not be asked. A lease that runs goes on."""
    if not subscription.attempts:
        return subscription
    wait = AGAIN
    if isinstance(error, Transient):
        wait = min(TRANSIENT_WAIT * 2 ** min(subscription.attempts - 1, 16), AGAIN)
        wait = max(wait, min(error.retry_after or wait, AGAIN))
    state = subscription.state
    if state is not SubscriptionState.LEAVING and not is_active(subscription, now):
        state = SubscriptionState.FAILED
    return replace(
        subscription, state=state, due_at=now + wait, error=f"{error.code}: {error.detail}"
    )


def confirmed(subscription: Subscription, lease: str | None, now: datetime) -> Subscription | None:
    """The hub asks whether we meant to subscribe, for a lease of so many seconds; None: we did not.

    It may ask more than once: what was confirmed before stays as it was.
    """
    if subscription.state is SubscriptionState.LEAVING:
        return None
    if not subscription.attempts:
        return subscription if subscription.state is SubscriptionState.ACTIVE else None
    promised = lease_of(lease)
    return replace(
        subscription,
        state=SubscriptionState.ACTIVE,
        attempts=0,
        verified_at=now,
        expires_at=now + promised,
        due_at=now + max(promised * RENEW_AFTER, SOONEST_RENEWAL),
        error=None,
    )


def denied(subscription: Subscription, reason: str, now: datetime) -> Subscription:
    """The hub says no, now or in the middle of a lease. `reason` is its own words, if any."""
    words = " ".join("".join(c if c.isprintable() else " " for c in reason).split())
    return replace(
        subscription,
        state=SubscriptionState.DENIED,
        attempts=0,
        due_at=now + AGAIN,
        error=f"denied by its hub: {words[:_LONGEST_REASON]}" if words else "denied by its hub",
    )


# --------------------------------------------------------------------------- polling


def soonest_poll(now: datetime, polled_at: datetime | None, soonest: timedelta) -> datetime:
    """When a feed is polled for a push: at once, but `soonest` after it was polled last.

    So a hub that calls all day makes us no nuisance to the publisher, and no push is lost.
    """
    return now if polled_at is None else max(now, polled_at + soonest)


def is_miss(subscription: Subscription, before: datetime | None, now: datetime) -> bool:
    """Whether something new that a poll found should have been pushed, and was not.

    `before` is when the feed was polled the time before. A push that comes later than the poll,
    because the poll came first, makes up for it: see `backup_due`.
    """
    pushed = subscription.pushed_at
    return is_active(subscription, now) and (
        pushed is None or (before is not None and pushed < before)
    )


def backup_due(
    subscription: Subscription | None, due_at: datetime, now: datetime, ceiling: timedelta
) -> datetime:
    """When a feed is polled that would be due at `due_at` without pushes.

    A hub whose last push is newer than its last miss is relied on, and polls become a backup:
    `BACKUP` times as rare, up to `ceiling` apart. They never end, because hubs do: one that dies
    costs one late article, which is a miss, and its feed is polled as ever.
    """
    if subscription is None or not is_active(subscription, now):
        return due_at
    pushed, missed = subscription.pushed_at, subscription.missed_at
    if pushed is None or (missed is not None and missed >= pushed):
        return due_at
    return max(due_at, min(now + (due_at - now) * BACKUP, now + ceiling))
