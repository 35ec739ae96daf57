"""Messages for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from alerts import Alert, Passage

AT = datetime(2025, 5, 10, 12, 0, tzinfo=UTC)


def alert(**changes: Any) -> Alert:
    """An alert with everything in it."""
    values: dict[str, Any] = {
        "delivery_id": "01JTY000000000000000000001",
        "headline": "India and Pakistan agree to a ceasefire",
        "url": "https://news.example.org/2025/05/10/ceasefire",
        "passage": Passage(
            text="Both sides said the ceasefire holds in Kashmir.", marks=((20, 29), (39, 46))
        ),
        "publisher": "Example Times",
        "published_at": AT,
        "found_at": AT,
        "watches": ("India–Pakistan ceasefire",),
        "terms": ("ceasefire", "Kashmir"),
        "also": (),
    }
    return Alert(**(values | changes))
