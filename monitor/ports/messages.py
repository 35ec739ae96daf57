"""What is asked of the outbox: which messages there are, and what became of each of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monitor.model import Deed, DeliveryId, DeliveryState, Hand, StoryId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """An outbox row for the page: of a story's message, or of a notice, which has a subject."""

    id: DeliveryId
    story: StoryId | None  # None: a notice that is no reply
    headline: str  # of a notice, its title
    channel: str
    state: DeliveryState
    attempts: int
    created_at: datetime
    due_at: datetime | None
    sent_at: datetime | None
    error: str | None
    subject: str | None = None

    @property
    def is_uncertain(self) -> bool:
        """Whether a call broke off, so that nobody knows yet whether the message is shown."""
        return self.state is DeliveryState.SENDING and self.error is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a message at some time."""

    at: datetime
    what: str  # sent, updated, found, deferred, ambiguous, rejected, closed, held, folded, …
    error: str | None


MessagePlace = tuple[datetime, DeliveryId]
"""Where a list goes on: before this moment, and at it before the message of this id."""


class Messages(Protocol):
    """Read-only questions about messages of stories, and notices."""

    async def newest(
        self,
        limit: int,
        *,
        states: Collection[DeliveryState] = (),
        channel: str | None = None,
        before: MessagePlace | None = None,
    ) -> Sequence[DeliveryRow]:
        """Messages, those first that were wanted last; without `states`, in whatever state."""

    async def of_story(self, story: StoryId) -> Sequence[DeliveryRow]:
        """What is said of a story: its messages, then what is said in their threads, in order."""

    async def outcomes(
        self, messages: Collection[DeliveryId]
    ) -> Mapping[DeliveryId, tuple[Outcome, ...]]:
        """What became of each of these, in order; of ninety days, and the last hundred."""

    async def hands(
        self, messages: Collection[DeliveryId]
    ) -> Mapping[DeliveryId, Mapping[Deed, Hand]]:
        """What people did about these; those are left out about which nobody did anything."""

    async def channels(self) -> Sequence[str]:
        """Every channel that a message was ever for, by name."""
