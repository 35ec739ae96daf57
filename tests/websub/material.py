"""A subscription to make others from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from monitor.model import FeedId, Subscription, SubscriptionId, SubscriptionState

NOW = datetime(2025, 5, 10, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WANTED = Subscription(
    id=SubscriptionId(1),
    feed=FeedId(7),
    hub="https://hub.example/",
    topic="https://news.example/feed",
    callback="https://desk.example/websub/" + 43 * "a",
    secret="s3cret",
    state=SubscriptionState.WANTED,
    created_at=NOW,
    due_at=NOW,
)
ACTIVE = replace(
    WANTED,
    state=SubscriptionState.ACTIVE,
    due_at=NOW + 8 * DAY,
    asked_at=NOW - MINUTE,
    verified_at=NOW,
    expires_at=NOW + 10 * DAY,
)
