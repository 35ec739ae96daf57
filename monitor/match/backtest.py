"""What a watch would have found in the articles there are.

Pure: articles come in batches, from wherever they are kept; what is shown of them is worked out
when all were read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.match import Document
from monitor.model import ArticleId, StoryId


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """An article as it was matched, from the archive."""

    article: ArticleId
    story: StoryId | None  # None: not grouped yet
    url: str | None  # None when its entry had no link
    document: Document
    published_at: datetime | None
    first_seen_at: datetime
    backlog: bool = False  # in its feeds already when they were polled for the first time
