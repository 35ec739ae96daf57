"""When is a feed, or a page that could not be had, asked for again? Pure: numbers in, times out.

The row is the schedule: what these functions return is written to ``due_at``, so that a restart
polls nothing early and forgets nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.errors import Code, Permanent, Transient, WorkError
from monitor.model import FeedStatus

LONGEST = timedelta(hours=24)
"""No feed that may come back is left alone for longer; also the cap on a server's Retry-After
(88 hours were seen in the wild)."""

TRANSIENT_CEILING = timedelta(hours=1)
"""A server in trouble is asked at least this often, so that it is known soon when it recovers;
unless its feed is polled less often when all is well."""

_FIRST_RETRY = timedelta(minutes=5)

JITTER = 0.1
"""Share of the interval by which polls are spread, so that feeds added together drift apart."""

_PAGE_BACKOFF = (
    timedelta(minutes=1),  # a page is often announced a moment before it is there
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
)
REVISED = timedelta(hours=72)
"""What is edited later is a correction of the archive, and no news."""
SOONEST_REVISION = timedelta(minutes=10)

SOONEST_UPDATE = timedelta(minutes=5)
ROLLING_QUIET = timedelta(hours=24)
"""A rolling page without an update for so long has ended."""
ROLLING = timedelta(days=14)
"""No page rolls for longer: what goes on then is a page that always looks new."""

_HOPELESS_PAGE = {
    Code.BLOCKED,
    Code.DISALLOWED,
    Code.BAD_URL,
    Code.OPAQUE_LINK,
    Code.WRONG_TYPE,
    Code.TOO_LARGE,
    Code.GONE,
    Code.PAYWALL,  # neither opens by itself, however often we knock
    Code.CONSENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NextPoll:
    """What a poll's end means for the feed."""

    status: FeedStatus
    due_at: datetime | None  # None: never again
    failures: int


def after_about(now: datetime, interval: timedelta, jitter: float) -> datetime:
    """An interval from now, give or take a tenth; `jitter` is anywhere in -1 … 1."""
    return now + interval * (1 + JITTER * jitter)


def after_failure(
    now: datetime, interval: timedelta, failures: int, error: WorkError, jitter: float
) -> NextPoll:
    """The next poll after one that failed; `failures` counts those before it in a row.

    The wait doubles with each failure in a row: up to an hour for what heals by itself, up to a day
    for what somebody must mend (401, 403, 404, a bot check, what is no feed or can't be read). What
    heals by itself is asked again soon at first, however seldom the feed is polled. A server's own
    Retry-After is obeyed. 410 ends the feed.
    """
    if error.code is Code.GONE:
        return NextPoll(status=FeedStatus.GONE, due_at=None, failures=failures + 1)
    heals = isinstance(error, Transient) and error.code is not Code.CHALLENGED
    first, ceiling = interval, LONGEST
    if heals:
        first, ceiling = min(interval, _FIRST_RETRY), TRANSIENT_CEILING
    wait = min(first * 2 ** min(failures, 12), max(ceiling, interval))
    wait *= 1 + JITTER * jitter
    if isinstance(error, Transient) and error.retry_after is not None:
        wait = max(wait, min(error.retry_after, LONGEST))
    return NextPoll(status=FeedStatus.FAILING, due_at=now + wait, failures=failures + 1)


def page_retry(now: datetime, error: WorkError, attempts: int, limit: int) -> datetime | None:
    """When to ask again for a page that could not be had; None when it is not worth it.

    `attempts` counts the failed one. Even a 404 is tried again: feeds announce pages early. So is a
    page over which a parser was killed: it may have been the machine that was slow, or full.
    """
    is_left_alone = error.code is Code.KILLED and isinstance(error, Permanent)
    if attempts >= limit or is_left_alone or error.code in _HOPELESS_PAGE:
        return None
    wait = _PAGE_BACKOFF[min(attempts, len(_PAGE_BACKOFF)) - 1]
    if isinstance(error, Transient) and error.retry_after is not None:
        wait = max(wait, min(error.retry_after, LONGEST))
    return now + wait


def revision_due(now: datetime, first_seen_at: datetime, read_at: datetime) -> datetime | None:
    """When to read an article again of which its feed says something new; None if not any more.

    Not before ten minutes, or a quarter of its age, have passed since it was read last: a feed
    whose text counts comments has a page read twenty times in all and not with each poll.
    """
    age = now - first_seen_at
    if age > REVISED:
        return None
    return max(now, read_at + max(SOONEST_REVISION, age / 4))


def rolling_due(
    now: datetime, first_seen_at: datetime, last_update_at: datetime
) -> datetime | None:
    """When to ask a rolling page for more updates; None when none came for a day, or for ever.

    Every five minutes while they come, then after a third of the time that it has been quiet: a
    page that has ended costs some twenty requests.
    """
    quiet = now - last_update_at
    if quiet > ROLLING_QUIET or now - first_seen_at > ROLLING:
        return None
    return now + max(SOONEST_UPDATE, quiet / 3)


def delivery_retry(now: datetime, attempts: int, retry_after: float | None) -> datetime:
    """When to try a delivery again: after 2 s, then doubling up to 5 minutes."""
    if retry_after is not None:
        return now + timedelta(seconds=min(retry_after, LONGEST.total_seconds()))
    return now + timedelta(seconds=min(2.0 ** min(attempts, 9), 300))
