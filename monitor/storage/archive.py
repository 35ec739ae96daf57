"""The archive: every article that was matched once, to be matched again.

Read in batches by key, newest first, each in a transaction of its own: a backtest over a year
neither keeps a snapshot open nor costs more per article than one over a day.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

import sqlalchemy as sa

from monitor.match import Document
from monitor.match.backtest import Archived
from monitor.model import ArticleId, StoryId
from monitor.storage import tables as t
from monitor.storage.work import Row, among

Feeds: TypeAlias = dict[int, Row]
"""Feeds by id, as far as articles named them: there are few, and each is asked for once."""

_HOST = re.compile(r"https?://(\[[^]]*\]|[^/:?#]+)")  # a tenth of what urlsplit costs

END_OF_TIME = datetime.max.replace(tzinfo=UTC)

_article = (
    t.article.c.id,
    t.article.c.url,
    t.article.c.link,
    t.article.c.story_id,
    t.article.c.first_seen_at,
    t.article.c.published_at,
    t.article.c.language,
    t.article.c.authors,
    t.article.c.title,
    t.article.c.body,
)
_place = sa.tuple_(t.article.c.first_seen_at, t.article.c.id)
_since = t.article.c.first_seen_at >= sa.bindparam("since", type_=t.article.c.first_seen_at.type)
_is_matched = t.article.c.ingested_at.is_not(None)

BATCH: sa.Select[Any] = (
    sa.select(*_article)
    .where(
        _is_matched,
        _since,
        _place
        < sa.tuple_(
            sa.bindparam("at", type_=t.article.c.first_seen_at.type),
            sa.bindparam("article", type_=t.article.c.id.type),
        ),
    )
    .order_by(t.article.c.first_seen_at.desc(), t.article.c.id.desc())
    .limit(sa.bindparam("batch", type_=sa.Integer(), literal_execute=True))
)
COUNT = sa.select(sa.func.count()).select_from(t.article).where(_is_matched, _since)
ONE: sa.Select[Any] = sa.select(*_article).where(t.article.c.id == sa.bindparam("article"))
SOME: sa.Select[Any] = (
    sa.select(*_article)
    .where(among(t.article.c.id, "articles"), _is_matched)
    .order_by(t.article.c.id.desc())
)
LISTED_BY = (
    sa.select(t.entry.c.article_id, t.entry.c.feed_id, t.entry.c.backlog)
    .where(among(t.entry.c.article_id, "articles"))
    .order_by(t.entry.c.article_id, t.entry.c.first_seen_at, t.entry.c.id)
)
FEEDS = sa.select(
    t.feed.c.id, t.feed.c.name, t.feed.c.publisher, t.feed.c.side, t.feed.c.tags
).where(among(t.feed.c.id, "feeds"))


def batch_of(
    connection: sa.Connection,
    feeds: Feeds,
    *,
    since: datetime,
    before: tuple[datetime, int],
    limit: int,
) -> list[Archived]:
    """The next articles before a place (first seen, id) in the archive. `feeds` is added to."""
    at, article = before
    rows = connection.execute(
        BATCH, {"since": since, "at": at, "article": article, "batch": limit}
    ).all()
    return _archived(connection, feeds, rows)


def one(connection: sa.Connection, article: ArticleId) -> Archived | None:
    """One article, whatever its state."""
    rows = connection.execute(ONE, {"article": article}).all()
    return next(iter(_archived(connection, {}, rows)), None)


def some(
    connection: sa.Connection, feeds: Feeds, articles: Collection[ArticleId | int]
) -> list[Archived]:
    """Those of these articles that were matched, by id, the newest first. `feeds` is added to."""
    rows = connection.execute(SOME, {"articles": [*articles]}).all() if articles else []
    return _archived(connection, feeds, rows)


def count(connection: sa.Connection, since: datetime) -> int:
    """How many articles there are."""
    number = connection.execute(COUNT, {"since": since}).scalar_one()
    assert isinstance(number, int)
    return number


def _archived(connection: sa.Connection, feeds: Feeds, rows: Iterable[Row]) -> list[Archived]:
    rows = list(rows)
    listed: dict[int, dict[int, bool]] = {row.id: {} for row in rows}  # feeds in order, each once
    if rows:
        for article, feed, backlog in connection.execute(LISTED_BY, {"articles": list(listed)}):
            listed[article][feed] = listed[article].get(feed, True) and backlog
    if missing := {feed for each in listed.values() for feed in each} - feeds.keys():
        found = connection.execute(FEEDS, {"feeds": sorted(missing)})
        feeds.update({row.id: row for row in found})
    return [_one(row, listed[row.id], feeds) for row in rows]


def _one(row: Row, listed: Mapping[int, bool], feeds: Feeds) -> Archived:
    by = [feeds[feed] for feed in listed]
    return Archived(
        article=ArticleId(row.id),
        story=None if row.story_id is None else StoryId(row.story_id),
        url=row.url if row.link else None,
        document=Document(
            title=row.title or "",
            body=row.body or "",
            language=row.language,
            sources=_each(name for feed in by for name in (feed.publisher, feed.name)),
            sites=_each((_host(row.url),)),
            tags=_each(tag for feed in by for tag in feed.tags),
            sides=_each(feed.side for feed in by),
            authors=row.authors,
        ),
        published_at=row.published_at,
        first_seen_at=row.first_seen_at,
        backlog=all(listed.values()),
    )


def _each(names: Iterable[Any]) -> tuple[str, ...]:
    """Every name once, in order; no name is none."""
    return tuple(dict.fromkeys(name for name in names if name))


def _host(url: str) -> str:
    """The host of a canonical URL; none of one that is no link."""
    found = _HOST.match(url)
    return found[1] if found else ""
