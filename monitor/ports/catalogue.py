"""What programs ask, which go through all there is: lists that go on where the last one ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monitor.model import ArticleId, DeliveryId, FeedId, Hit, StoryId
from monitor.ports.feeds import FeedRow
from monitor.ports.messages import DeliveryRow

HitPlace = tuple[datetime, int]
"""Where a list goes on: before this moment, and at it before the hit of this number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRow:
    """A hit, with the article that it was found in."""

    id: int
    matched_at: datetime
    hit: Hit
    article: ArticleId
    story: StoryId | None
    url: str | None  # None when the entry had no link
    title: str
    body: str
    publisher: str
    language: str | None
    published_at: datetime | None
    first_seen_at: datetime

    @property
    def place(self) -> HitPlace:
        """Where a list goes on after it."""
        return self.matched_at, self.id


class Catalogue(Protocol):
    """Read-only questions of programs. The cost of each is that of what it gives."""

    async def hits(
        self,
        limit: int,
        *,
        watch: str | None = None,
        since: datetime | None = None,
        before: HitPlace | None = None,
    ) -> Sequence[FoundRow]:
        """Hits, of one watch if it is given, the newest first; none that are older than `since`."""

    async def url_of(self, article: ArticleId) -> str | None:
        """The canonical URL that an article is known by; None if there is no such article."""

    async def feeds(self, limit: int, *, after: FeedId | None = None) -> Sequence[FeedRow]:
        """Declared feeds, those first that were declared first."""

    async def message(self, message: DeliveryId) -> DeliveryRow | None:
        """A message or a notice."""
