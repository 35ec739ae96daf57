"""What of a poll is worth remembering, and why the next one is when it is. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitor.errors import Transient, WorkError
from monitor.model import DueBy, Feed, FeedEvent, FeedEventKind, FeedStatus, Health, Move
from monitor.polling import moves
from monitor.polling.retries import LONGEST

ONE_LOSS = timedelta(days=1)
"""Entries that are lost again within so long are lost by the same mistake."""


def events(
    feed: Feed,
    now: datetime,
    *,
    health: Health,
    move: Move | None,
    error: WorkError | None = None,
    lost: bool = False,
) -> tuple[FeedEvent, ...]:
    """What happened to a feed in a poll that left it like this; mostly nothing."""
    found = []
    if error is not None:
        found.append(
            FeedEvent(
                kind=FeedEventKind.ERROR,
                at=now,
                detail=f"{error.code}: {error.detail}",
                same_since=feed.polled_at if feed.failures else None,
            )
        )
    if lost:
        found.append(
            FeedEvent(kind=FeedEventKind.GAP, at=now, detail="", same_since=now - ONE_LOSS)
        )
    if health is not feed.health:
        found.append(FeedEvent(kind=FeedEventKind.HEALTH, at=now, detail=f"{feed.health}>{health}"))
    if move is not None and moves.lasts(move, now):
        before = feed.move is not None and feed.polled_at is not None
        if not (before and moves.lasts(feed.move, feed.polled_at or now)):
            found.append(FeedEvent(kind=FeedEventKind.MOVE, at=now, detail=move.url))
    return tuple(found)


def after_failure(
    error: WorkError, status: FeedStatus, due_at: datetime | None, now: datetime
) -> DueBy:
    """Why a feed that failed is asked again when it is."""
    asked = error.retry_after if isinstance(error, Transient) else None
    if asked is None or due_at is None or status is FeedStatus.GONE:
        return DueBy.BACKOFF
    return DueBy.RETRY_AFTER if due_at - now <= min(asked, LONGEST) else DueBy.BACKOFF
