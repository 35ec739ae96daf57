"""How is a feed, and since when? Pure.

A state is a word for the operator, who may be told when it changes; so none of them follows from a
single poll. Trouble is trouble when it was seen three times in a row, or twice six hours apart:
news sites answer a 404 or a 503 for some minutes whenever they are rolled out anew. Silence is
held against the feed's own rhythm, and ends with a new item, not with a good poll.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.errors import Code
from monitor.model import FeedStatus, Health

FAILURES = 3
"""Failed polls in a row that are trouble, however soon they come."""
FAILING = timedelta(hours=6)
"""Two failed polls in a row are trouble when nothing was read for so long."""

IMPROBABLE = 1e-3
"""A silence is improbable when so few of those that a feed's rhythm makes would be as long."""
SHORTEST_SILENCE = timedelta(hours=12)
"""No silence is one before, however busy the feed: a night passes by."""
OF_THE_LONGEST = 2
"""Nor is one before it is twice the longest that the feed broke lately: a rhythm knows hours, and
neither weekends nor holidays."""
FEWEST_ITEMS = 5.0
WATCHED = timedelta(days=5)
"""What a rhythm must be learned from. It forgets half in a week, so this is a week, with the first
weekend in it."""

STALE = timedelta(days=30)
"""How old the newest entry of a feed must be that has no rhythm to be held against."""
RECOVERY = timedelta(days=1)
"""How long a feed that was in trouble is said to have recovered."""

_TROUBLE = frozenset({Health.SILENT, Health.STALE, Health.FAILING, Health.CHALLENGED, Health.GONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What can be known of a feed at the end of a poll."""

    status: FeedStatus  # how this poll ended
    failures: int = 0  # polls failed in a row, this one included
    error: Code | None = None  # of this poll
    ok_at: datetime | None = None  # the last good poll, this one included; None: never read
    posted_at: datetime | None = None  # when the last new item was found; None: none but backlog
    posts: float = 0.0  # new items that its rhythm was learned from, decayed
    watched: timedelta = timedelta(0)  # the time in which they came, decayed
    longest: timedelta = timedelta(0)  # that it was silent between two of them, of late
    silence: float = 1.0  # the probability of so long a silence, by its rhythm
    newest_at: datetime | None = None  # publication of its newest entry, so far as they are dated


def judge(
    was: Health, since: datetime | None, signs: Signs, now: datetime
) -> tuple[Health, datetime]:
    """How a feed is after a poll, and since when: the state stays `since` while it lasts.

    Trouble began when the feed was read last (failing, challenged), or when it listed something new
    last (silent, stale): that is what its since-when says, not when it was noticed.
    """
    state = _state(was, since, signs, now)
    if state is was and since is not None:
        return was, since
    if state in {Health.FAILING, Health.CHALLENGED}:
        began = since if was in {Health.FAILING, Health.CHALLENGED} else signs.ok_at
        return state, began or now
    if state is Health.SILENT:
        return state, signs.posted_at or signs.newest_at or now
    if state is Health.STALE:
        return state, signs.posted_at or signs.newest_at or since or now
    return state, now


def _state(was: Health, since: datetime | None, signs: Signs, now: datetime) -> Health:
    if signs.status is FeedStatus.GONE:
        return Health.GONE
    if signs.status is FeedStatus.FAILING:
        return _failing(was, signs, now)
    if signs.ok_at is None:
        return Health.NEW
    if _is_silent(was, since, signs, now):
        return Health.SILENT
    if _is_stale(was, since, signs, now):
        return Health.STALE
    if was in _TROUBLE:
        return Health.RECOVERED
    if was is Health.RECOVERED and since is not None and now - since < RECOVERY:
        return Health.RECOVERED
    return Health.LIVE


def _failing(was: Health, signs: Signs, now: datetime) -> Health:
    """A bot check stays one: those who set it up also answer with other errors in between."""
    if was is Health.CHALLENGED:
        return was
    is_old = signs.ok_at is not None and now - signs.ok_at >= FAILING
    if signs.failures >= FAILURES or (signs.failures > 1 and is_old):
        return Health.CHALLENGED if signs.error is Code.CHALLENGED else Health.FAILING
    return was


def _is_silent(was: Health, since: datetime | None, signs: Signs, now: datetime) -> bool:
    """Improbably long without a new item; once it is, only a new item ends it.

    The rhythm forgets: after a month of silence, silence is what it expects.
    """
    if signs.posted_at is None:
        return False
    if was is Health.SILENT and since is not None and signs.posted_at <= since:
        return True
    return (
        signs.posts >= FEWEST_ITEMS
        and signs.watched >= WATCHED
        and now - signs.posted_at >= max(SHORTEST_SILENCE, OF_THE_LONGEST * signs.longest)
        and signs.silence < IMPROBABLE
    )


def _is_stale(was: Health, since: datetime | None, signs: Signs, now: datetime) -> bool:
    """Nothing in it is new, and too little ever was to call it silent.

    Such is the feed of a section that was given up, and the old copy that a cache serves for ever.
    """
    if signs.posted_at is not None:
        return now - signs.posted_at >= STALE and signs.silence < IMPROBABLE
    if signs.newest_at is not None:
        return now - signs.newest_at >= STALE
    return was is Health.STALE or (
        was is Health.LIVE and since is not None and now - since >= STALE
    )
