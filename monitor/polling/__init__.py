"""When is a feed, a page or a delivery asked for again, and how is a feed? Pure: no I/O, no clock."""

from __future__ import annotations

from monitor.polling.retries import (
    JITTER,
    LONGEST,
    NextPoll,
    after_about,
    after_failure,
    delivery_retry,
    page_retry,
    revision_due,
    rolling_due,
)

__all__ = [
    "JITTER",
    "LONGEST",
    "NextPoll",
    "after_about",
    "after_failure",
    "delivery_retry",
    "page_retry",
    "revision_due",
    "rolling_due",
]
