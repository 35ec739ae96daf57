"""Everything that is known of one story, or one article."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from monitor.model import ArticleId, ArticleState, Hit, StoryId
from monitor.ports import ArticleTrace, Revision, Sighting, StoryTrace, Verdict
from monitor.storage import tables as t
from monitor.storage.feed_reports import error_of
from monitor.storage.holds import holds_of
from monitor.storage.messages import DELIVERIES, delivery_row, named
from monitor.storage.transaction import SqlTransaction
from monitor.storage.work import among

REVISIONS = (
    sa.select(t.revision)
    .where(among(t.revision.c.article_id, "articles"))
    .order_by(t.revision.c.article_id, t.revision.c.number)
)
_member = t.article.alias("member")
_of_story: sa.BindParameter[Any] = sa.bindparam("story")
MERGED = (
    sa.select(t.story)
    .where(sa.or_(t.story.c.id == _of_story, t.story.c.merged_into == _of_story))
    .order_by(t.story.c.id)
)
"""A story, and those that were made one with it."""
VERDICTS = (
    sa.select(t.verdict, t.article.c.url)
    .join(t.article, t.article.c.id == t.verdict.c.article_id)
    .where(
        sa.or_(
            t.verdict.c.story_id == _of_story,
            t.verdict.c.article_id.in_(
                sa.select(_member.c.id).where(_member.c.story_id == _of_story)
            ),
        )
    )
    .order_by(t.verdict.c.decided_at, t.verdict.c.article_id, t.verdict.c.story_id)
)
TOLD = DELIVERIES.where(t.delivery.c.story_id == _of_story).order_by(t.delivery.c.channel)
_original = t.article.alias("original")
_updates = sa.select(sa.func.count()).where(t.article_update.c.article_id == t.article.c.id)
_traced = sa.select(
    t.article, _original.c.url.label("original_url"), _updates.scalar_subquery().label("updates")
).outerjoin(_original, _original.c.id == t.article.c.copy_of)
_article: sa.BindParameter[Any] = sa.bindparam("article")
TRACED = _traced.where(t.article.c.id == _article)
TRACED_BY_URL = _traced.join(t.article_url, t.article_url.c.article_id == t.article.c.id).where(
    t.article_url.c.url == sa.bindparam("url", type_=t.article_url.c.url.type)
)
SIGHTINGS = (
    sa.select(t.entry, t.feed.c.name, t.feed.c.publisher)
    .join(t.feed, t.feed.c.id == t.entry.c.feed_id)
    .where(t.entry.c.article_id == _article)
    .order_by(t.entry.c.first_seen_at, t.entry.c.id)
)
HITS_OF = (
    sa.select(t.watch.c.name, t.hit.c.spans)
    .join(t.watch, t.watch.c.id == t.hit.c.watch_id)
    .where(t.hit.c.article_id == _article)
    .order_by(t.hit.c.id)
)


def story_trace(
    connection: sa.Connection, story: StoryId, max_age: timedelta | None
) -> StoryTrace | None:
    """A story, or what it became a part of; None if there is none."""
    read = SqlTransaction(connection, None)
    view = read.story_view(story)
    asked = {"story": view.story}
    stories = connection.execute(MERGED, asked).all()
    row = next((each for each in stories if each.id == view.story), None)
    if row is None or not view.articles:
        return None
    verdicts = connection.execute(VERDICTS, asked)
    return StoryTrace(
        view=view,
        created_at=row.created_at,
        follows=None if row.follows is None else StoryId(row.follows),
        chapter_after=read.chapter_after(view.story),
        merged=tuple(
            (StoryId(each.id), each.merged_at, each.merged_by)
            for each in stories
            if each is not row
        ),
        verdicts=tuple(
            Verdict(
                article=ArticleId(each.article_id),
                url=each.url,
                story=StoryId(each.story_id),
                belongs=each.belongs,
                decided_at=each.decided_at,
                by=each.by,
            )
            for each in verdicts
        ),
        deliveries=named(
            connection, [*map(delivery_row, connection.execute(TOLD, asked))], max_age
        ),
        held=holds_of(connection, [row.id]).get(row.id, ()),
        revisions=_revisions(connection, [each.article for each in view.articles]),
    )


def article_trace(
    connection: sa.Connection,
    which: sa.Select[Any],
    asked: Mapping[str, Any],
    max_age: timedelta | None,
) -> ArticleTrace | None:
    """An article, by `TRACED` or `TRACED_BY_URL`; None if there is none."""
    row = connection.execute(which, asked).first()
    if row is None:
        return None
    sightings = _sightings(connection, row.id)
    told = connection.execute(TOLD, {"story": row.story_id}) if row.story_id else ()
    return ArticleTrace(
        article=ArticleId(row.id),
        url=row.url,
        title=row.title or next((sighting.title for sighting in sightings), ""),
        body=row.body or "",
        state=ArticleState(row.state),
        source=row.source,
        language=row.language,
        attempts=row.attempts,
        error=error_of(row),
        published_at=row.published_at,
        first_seen_at=row.first_seen_at,
        ingested_at=row.ingested_at,
        due_at=row.due_at,
        story=None if row.story_id is None else StoryId(row.story_id),
        copy_of=row.original_url,
        sightings=sightings,
        hits=_hits_of(connection, row.id),
        deliveries=named(connection, [*map(delivery_row, told)], max_age),
        furniture=row.furniture,
        revisions=_revisions(connection, [row.id]).get(ArticleId(row.id), ()),
        updates=row.updates,
        held=holds_of(connection, [row.story_id]).get(row.story_id, ()) if row.story_id else (),
    )


def _revisions(
    connection: sa.Connection, articles: Sequence[int]
) -> Mapping[ArticleId, tuple[Revision, ...]]:
    """What each of these said before, oldest first."""
    found: dict[ArticleId, tuple[Revision, ...]] = {}
    for row in connection.execute(REVISIONS, {"articles": articles}):
        old = Revision(title=row.title, body=row.body, replaced_at=row.replaced_at)
        found[ArticleId(row.article_id)] = (*found.get(ArticleId(row.article_id), ()), old)
    return found


def _sightings(connection: sa.Connection, article: int) -> tuple[Sighting, ...]:
    rows = connection.execute(SIGHTINGS, {"article": article})
    return tuple(
        Sighting(
            feed=row.name,
            publisher=row.publisher,
            guid=row.guid,
            url=row.link,
            title=row.title,
            published_at=row.published_at,
            first_seen_at=row.first_seen_at,
            backlog=row.backlog,
        )
        for row in rows
    )


def _hits_of(connection: sa.Connection, article: int) -> tuple[Hit, ...]:
    rows = connection.execute(HITS_OF, {"article": article})
    return tuple(Hit(watch=row.name, spans=row.spans) for row in rows)
