"""What is kept for how long: the question that pruning asks, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from monitor.model import StoryId


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Stories whose newest article came before these may go. None: they stay for ever."""

    plain: datetime | None  # in which no watch found anything
    matched: datetime | None  # in which one did


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What a step of pruning did."""

    rows: Mapping[str, int] = field(default_factory=dict)  # deleted, by table
    after: StoryId | None = None  # where the next step goes on; None: all were looked at
