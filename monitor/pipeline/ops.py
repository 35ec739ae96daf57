"""What those who run the service are told, decided in the transactions in which it happens.

One message for each time that a feed is in trouble, edited until it is well; one for many feeds that
fall ill together. A feed that falls ill again within a day of being well has its message edited.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from monitor import telemetry
from monitor.compose import Rules
from monitor.errors import StorageError
from monitor.model import Feed, Health
from monitor.pipeline.context import Context
from monitor.ports import FeedUpdate, IllFeed, Transaction
from monitor.telling import ops, quiet

GATHER: Final = timedelta(seconds=30)
"""A message about feeds waits for so long: the next of them may be ill, too, or this one well."""
BEFORE: Final = timedelta(days=3)
"""How long before a feed falls ill it may have been read last: what fails is asked ever less often."""
FEW: Final = 200
"""Feeds that are looked at one by one."""
DAY: Final = timedelta(days=1)
LATE: Final = timedelta(hours=1)
"""A heartbeat that is later than this is none."""

log = telemetry.get_logger()

_LONG = 300  # characters of a URL that are told apart by a hash


def note_health(
    tx: Transaction, feed: Feed, update: FeedUpdate, rules: Rules, now: datetime
) -> None:
    """A poll was saved: tell if it changed how its feed is."""
    was, state = feed.health, update.health
    channel = rules.ops_channel
    if channel is None or not is_turn(was, state):
        return
    key = f"feed:{_key(feed.spec.url)}:"
    own = tx.last_told(channel, key)
    if own and not (feed.health_since and ops.speaks_of(own[1].card, feed.health_since)):
        own = None  # it is about another time
    if state.is_trouble:
        _tell_ill(tx, channel, key, own[0] if own else None, _ill(feed, update, now), now)
    elif own is not None:
        tx.tell(channel, own[0], ops.well(_was_ill(feed, now), now), now, again=True)
    _refresh_crowd(tx, channel, now)


def is_turn(was: Health, state: Health) -> bool:
    """Whether people want to hear of it."""
    return state is not was and (state.is_trouble or was.is_trouble)


def note_dead(
    tx: Transaction, channel: str, headline: str, error: str, rules: Rules, now: datetime
) -> None:
    """A message was refused for good."""
    ours = rules.ops_channel
    if ours is None or ours == channel:
        return
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    subject = f"dead:{channel}:{now:%Y-%m-%d}"
    before = tx.told(ours, subject)
    count = max(1, tx.dead_since(channel, midnight))
    card = ops.dead_letter(before.card if before else None, count, channel, headline, error)
    tx.tell(ours, subject, card, now, again=True)


def note_closed(tx: Transaction, channel: str, error: str, rules: Rules, now: datetime) -> None:
    """A channel takes nothing: told once a day."""
    ours = rules.ops_channel
    if ours is not None and ours != channel:
        tx.tell(ours, f"closed:{channel}:{now:%Y-%m-%d}", ops.closed(channel, error, now), now)


async def note_sink(context: Context, problem: str | None, *, is_new: bool = False) -> None:
    """The main sink refuses us altogether, or, without a problem, it takes from us.

    Every process shall know, so it is written, unless all know already; `is_new`: in any case.
    """
    if problem == context.sink_problem and not is_new:
        return
    name, now = context.sink.name, context.clock.now()
    context.sink_problem = problem
    try:
        await context.store.write(lambda tx: tx.note_sink(name, problem, now))
    except StorageError as error:  # what it was about is settled: it is found out again
        log.warning("sink.unnoted", problem=problem, error=str(error))


def note_heartbeat(tx: Transaction, rules: Rules, now: datetime) -> None:
    """Once a day, at the hour that the operator wants it: how the last day was."""
    channel, when = rules.ops_channel, rules.heartbeat
    if channel is None or when is None:
        return
    due = quiet.next_digest(when, now - LATE)
    if due > now:
        return
    subject = f"heartbeat:{quiet.day_of(when, due)}"
    if tx.told(channel, subject) is None:
        tx.tell(channel, subject, ops.heartbeat(tx.day_since(now - DAY, now), now), now)


def _tell_ill(
    tx: Transaction, channel: str, key: str, own: str | None, feed: IllFeed, now: datetime
) -> None:
    """By its own message, or, if many fall ill, by theirs."""
    if own is not None:
        tx.tell(channel, own, ops.ill(feed), now, again=True)
        return
    polled, failed = tx.polls_since(now - ops.MINUTES)
    told = tx.told_since(channel, "feed:", now - ops.MINUTES)
    crowd = tx.last_told(channel, "feeds:")
    if crowd is not None and ops.is_open(crowd[1].card) and now - _began(crowd[0]) <= ops.OPEN:
        return  # it is one of them, and their message is edited anyway
    if ops.is_crowd(polled=polled, failed=failed, told=told + 1):
        tx.take_back(channel, "feed:")
        count, feeds = _crowd(tx, channel, now)
        card = ops.ill_together(count, feeds, polled=polled, failed=failed)
        tx.tell(channel, f"feeds:{now.isoformat()}", card, now, due_at=now + GATHER)
        return
    tx.tell(channel, f"{key}{now.isoformat()}", ops.ill(feed), now, due_at=now + GATHER)


def _refresh_crowd(tx: Transaction, channel: str, now: datetime) -> None:
    """The message about many feeds says how they are by now."""
    crowd = tx.last_told(channel, "feeds:")
    if crowd is None or not ops.is_open(crowd[1].card):
        return
    subject = crowd[0]
    polled, failed = tx.polls_since(now - ops.MINUTES)
    count, feeds = _crowd(tx, channel, _began(subject))
    card = ops.well_together(now)
    if count:
        card = ops.ill_together(count, feeds, polled=polled, failed=failed)
    tx.tell(channel, subject, card, now, due_at=now + GATHER, again=True)


def _crowd(tx: Transaction, channel: str, began: datetime) -> tuple[int, Sequence[IllFeed]]:
    """Feeds in trouble that have no message of their own; of very many, all."""
    count, feeds = tx.ill_feeds(began - BEFORE, FEW)
    if count > FEW:
        return count, feeds
    mine = [each for each in feeds if not _has_own(tx, channel, each)]
    return len(mine), mine


def _has_own(tx: Transaction, channel: str, feed: IllFeed) -> bool:
    own = tx.last_told(channel, f"feed:{_key(feed.url)}:")
    return own is not None and ops.speaks_of(own[1].card, feed.since)


def _began(subject: str) -> datetime:
    return datetime.fromisoformat(subject.partition(":")[2])


def _ill(feed: Feed, update: FeedUpdate, now: datetime) -> IllFeed:
    return IllFeed(
        name=feed.spec.name,
        url=feed.spec.url,
        health=update.health,
        since=update.health_since or now,
        error=update.error_detail or "",
    )


def _was_ill(feed: Feed, now: datetime) -> IllFeed:
    return IllFeed(
        name=feed.spec.name,
        url=feed.spec.url,
        health=feed.health,
        since=feed.health_since or now,
        error="",
    )


def _key(url: str) -> str:
    """A feed's URL, short enough to be a part of a key."""
    if len(url) <= _LONG:
        return url
    return f"{url[:_LONG]}…{hashlib.blake2b(url.encode(), digest_size=8).hexdigest()}"
