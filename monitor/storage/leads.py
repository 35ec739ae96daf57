"""The articles that stories are named by."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from monitor.compose import leading
from monitor.model import StoryId
from monitor.storage import tables as t
from monitor.storage.work import among


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """An article that may stand for its story."""

    story: StoryId
    article: int
    title: str
    url: str | None  # None when the entry had no link
    published_at: datetime | None
    first_seen_at: datetime
    backlog: bool
    is_hit: bool


IS_BACKLOG: sa.ColumnElement[bool] = ~sa.exists().where(
    t.entry.c.article_id == t.article.c.id, ~t.entry.c.backlog
)
"""Whether every feed that lists an article did so when it was polled first."""

PUBLISHER: sa.Label[str | None] = (
    sa.select(t.feed.c.publisher)
    .join(t.entry, t.entry.c.feed_id == t.feed.c.id)
    .where(t.entry.c.article_id == t.article.c.id)
    .order_by(t.entry.c.first_seen_at, t.entry.c.id)
    .limit(1)
    .correlate(t.article)
    .scalar_subquery()
    .label("publisher")
)
"""Who had an article first."""

ARTICLES: sa.Select[Any] = (
    sa.select(
        t.article.c.story_id,
        t.article.c.id,
        t.article.c.title,
        t.article.c.url,
        t.article.c.link,
        t.article.c.published_at,
        t.article.c.first_seen_at,
        IS_BACKLOG.label("backlog"),
        sa.exists().where(t.hit.c.article_id == t.article.c.id).label("is_hit"),
    )
    .where(among(t.article.c.story_id, "stories"))
    .order_by(t.article.c.story_id, t.article.c.first_seen_at, t.article.c.id)
)


def leads(
    connection: sa.Connection, stories: Collection[int], max_age: timedelta | None
) -> Mapping[StoryId, Lead]:
    """By which article each of these stories is named, see `monitor.compose.leading`.

    Where nothing was found it is the first; a story without articles has none.
    """
    if not stories:
        return {}
    rows = connection.execute(ARTICLES, {"stories": [*stories]})
    named: dict[StoryId, Lead] = {}
    for story, group in groupby(map(_lead, rows), key=lambda each: each.story):
        articles = tuple(group)
        found = leading((each for each in articles if each.is_hit), max_age)
        named[story] = found or articles[0]
    return named


def _lead(row: sa.Row[Any]) -> Lead:
    return Lead(
        story=StoryId(row.story_id),
        article=row.id,
        title=row.title or "",
        url=row.url if row.link else None,
        published_at=row.published_at,
        first_seen_at=row.first_seen_at,
        backlog=bool(row.backlog),
        is_hit=bool(row.is_hit),
    )
