"""Stories for a list: those in which something was found last, or about when another one began."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from monitor.model import StoryId
from monitor.ports import StoryRow
from monitor.storage import tables as t
from monitor.storage.holds import holds_of
from monitor.storage.leads import leads
from monitor.storage.work import among
from monitor.stories.copies import NEWS


def _found(*where: sa.ColumnElement[bool], newest: bool) -> sa.Select[Any]:
    """Stories of some hits, as often as something was found in them, from one end of the hits."""
    order = t.hit.c.id.desc() if newest else t.hit.c.id
    hits = (
        sa.select(t.hit.c.article_id, t.hit.c.id)
        .where(*where)
        .order_by(order)
        .limit(sa.bindparam("limit"))
        .subquery("some_hits")
    )
    return (
        sa.select(t.article.c.story_id)
        .join(hits, hits.c.article_id == t.article.c.id)
        .where(t.article.c.story_id.is_not(None))
        .order_by(hits.c.id.desc() if newest else hits.c.id)
    )


NEWEST_FOUND = _found(newest=True)
FIRST_HIT = (
    sa.select(sa.func.min(t.hit.c.id))
    .join(t.article, t.article.c.id == t.hit.c.article_id)
    .where(t.article.c.story_id == sa.bindparam("story"))
)
FOUND_BEFORE = _found(t.hit.c.id < sa.bindparam("hit"), newest=True)
FOUND_AFTER = _found(t.hit.c.id >= sa.bindparam("hit"), newest=False)
STORY_CHANNELS = (
    sa.select(t.delivery.c.story_id, t.delivery.c.channel)
    .where(among(t.delivery.c.story_id, "stories"))
    .order_by(t.delivery.c.story_id, t.delivery.c.channel)
)
STORY_PUBLISHERS = (
    sa.select(t.article.c.story_id, t.feed.c.publisher)
    .join(t.entry, t.entry.c.article_id == t.article.c.id)
    .join(t.feed, t.feed.c.id == t.entry.c.feed_id)
    .where(among(t.article.c.story_id, "stories"))
    .group_by(t.article.c.story_id, t.feed.c.publisher)
    .order_by(sa.func.min(t.entry.c.first_seen_at), sa.func.min(t.entry.c.id))
)
STORIES = (
    sa.select(
        t.story.c.id,
        t.story.c.created_at,
        sa.func.min(t.article.c.first_seen_at).label("first_at"),
        sa.func.max(t.article.c.first_seen_at).label("last_at"),
        sa.func.count().label("articles"),
        sa.func.count(t.article.c.copy_of)
        .filter(sa.func.coalesce(t.article.c.novelty, 0) <= NEWS)
        .label("copies"),
    )
    .join(t.article, t.article.c.story_id == t.story.c.id)
    .where(among(t.story.c.id, "stories"))
    .group_by(t.story.c.id, t.story.c.created_at)
)


def newest(connection: sa.Connection, limit: int, max_age: timedelta | None) -> Sequence[StoryRow]:
    """Those with the newest articles first."""
    found = connection.execute(NEWEST_FOUND, {"limit": 20 * limit}).scalars()
    rows = _story_rows(connection, list(dict.fromkeys(found))[:limit], max_age)
    return sorted(rows, key=lambda row: (row.last_at, row.story), reverse=True)


def nearest(
    connection: sa.Connection, limit: int, near: StoryId, max_age: timedelta | None
) -> Sequence[StoryRow]:
    """Those that began least before or after another one, the newest first."""
    first = connection.execute(FIRST_HIT, {"story": near}).scalar_one()
    if first is None:
        return ()
    chosen: set[int] = set()
    for statement in (FOUND_BEFORE, FOUND_AFTER):
        found = connection.execute(statement, {"hit": first, "limit": 20 * limit}).scalars()
        chosen.update([story for story in dict.fromkeys(found) if story != near][:limit])
    own, *rows = _story_rows(connection, [near, *sorted(chosen)], max_age)
    rows = sorted(rows, key=lambda row: (abs(row.first_at - own.first_at), row.story))[:limit]
    return sorted(rows, key=lambda row: (row.first_at, row.story), reverse=True)


def _story_rows(
    connection: sa.Connection, stories: Sequence[int], max_age: timedelta | None
) -> Sequence[StoryRow]:
    asked = {"stories": stories}
    channels: dict[int, list[str]] = {}
    for row in connection.execute(STORY_CHANNELS, asked):
        channels.setdefault(row.story_id, []).append(row.channel)
    publishers: dict[int, list[str]] = {}
    for row in connection.execute(STORY_PUBLISHERS, asked):
        publishers.setdefault(row.story_id, []).append(row.publisher)
    held = holds_of(connection, stories)
    named = leads(connection, stories, max_age)
    rows = {row.id: row for row in connection.execute(STORIES, asked)}
    return [
        StoryRow(
            story=StoryId(story),
            headline=named[StoryId(story)].title,
            created_at=rows[story].created_at,
            first_at=rows[story].first_at,
            last_at=rows[story].last_at,
            articles=rows[story].articles,
            copies=rows[story].copies,
            publishers=tuple(publishers.get(story, ())),
            channels=tuple(channels.get(story, ())),
            held=held.get(story, ()),
        )
        for story in stories
    ]
