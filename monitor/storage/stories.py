"""Stories and hits: which article belongs where, what was found in it, the whole to be shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from monitor.model import ArticleId, Hit, StoryId
from monitor.ports import Coverage, StoryView
from monitor.storage import tables as t
from monitor.storage.work import Work, upsert

STORIES_LOCK = 0x6D6F6E01
"""Key of the advisory lock on PostgreSQL ("mon", 1), the same in every process."""

NEW_STORY = sa.insert(t.story).returning(t.story.c.id)
STORY_OF = sa.select(t.article.c.story_id).where(t.article.c.id == sa.bindparam("article"))
STORY_LEFT = sa.select(t.article.c.story_id).where(t.article.c.id == sa.bindparam("article"))
DROP_EMPTY = sa.delete(t.story).where(
    t.story.c.id == sa.bindparam("left"),
    ~sa.exists().where(t.article.c.story_id == sa.bindparam("left")),
    ~sa.exists().where(t.delivery.c.story_id == sa.bindparam("left")),
)
PUT_IN_STORY = (
    sa.update(t.article)
    .where(t.article.c.id == sa.bindparam("article"))
    .values(story_id=sa.bindparam("story"), copy_of=sa.bindparam("original"))
)
WATCH_IDS = sa.select(t.watch.c.name, t.watch.c.id).where(
    t.watch.c.name.in_(sa.bindparam("names", expanding=True))
)
NO_HITS = sa.delete(t.hit).where(t.hit.c.article_id == sa.bindparam("article"))
OTHER_HITS = NO_HITS.where(t.hit.c.watch_id.not_in(sa.bindparam("watches", expanding=True)))
SET_HITS = upsert(t.hit, key=("article_id", "watch_id"), update=("spans",))

STORY_ARTICLES = (
    sa.select(
        t.article.c.id,
        t.article.c.url,
        t.article.c.link,
        t.article.c.title,
        t.article.c.body,
        t.article.c.published_at,
        t.article.c.first_seen_at,
    )
    .where(t.article.c.story_id == sa.bindparam("story"))
    .order_by(t.article.c.first_seen_at, t.article.c.id)
)
STORY_PUBLISHERS = (
    sa.select(t.entry.c.article_id, t.feed.c.publisher)
    .join(t.article, t.article.c.id == t.entry.c.article_id)
    .join(t.feed, t.feed.c.id == t.entry.c.feed_id)
    .where(t.article.c.story_id == sa.bindparam("story"))
    .order_by(t.entry.c.first_seen_at, t.entry.c.id)
)
STORY_HITS = (
    sa.select(t.hit.c.article_id, t.watch.c.name, t.hit.c.spans)
    .join(t.article, t.article.c.id == t.hit.c.article_id)
    .join(t.watch, t.watch.c.id == t.hit.c.watch_id)
    .where(t.article.c.story_id == sa.bindparam("story"))
    .order_by(t.hit.c.id)
)


class StoryWork(Work):
    """The part of `ports.Transaction` about stories and hits."""

    def lock_stories(self) -> None:
        """See `ports.Transaction`. SQLite's only writer holds that lock already."""
        if self.connection.dialect.name == "postgresql":
            self._run(sa.select(sa.func.pg_advisory_xact_lock(STORIES_LOCK)))

    def story_of(self, article: ArticleId) -> StoryId | None:
        """See `ports.Transaction`."""
        story = self._run(STORY_OF, {"article": article}).scalar_one_or_none()
        return None if story is None else StoryId(story)

    def new_story(self, now: datetime) -> StoryId:
        """See `ports.Transaction`."""
        return StoryId(self._run(NEW_STORY, {"created_at": now}).scalar_one())

    def put_in_story(
        self, article: ArticleId, story: StoryId, *, copy_of: ArticleId | None
    ) -> None:
        """See `ports.Transaction`. A story left empty, and never shown, is no more."""
        left = self._run(STORY_LEFT, {"article": article}).scalar_one_or_none()
        self._run(PUT_IN_STORY, {"article": article, "story": story, "original": copy_of})
        if left is not None and left != story:
            self._run(DROP_EMPTY, {"left": left})

    def set_hits(self, article: ArticleId, hits: Sequence[Hit], now: datetime) -> None:
        """See `ports.Transaction`. A hit that was there already keeps its id and time.

        Raises `KeyError` for a watch that was never declared.
        """
        if not hits:
            self._run(NO_HITS, {"article": article})
            return
        rows = self._run(WATCH_IDS, {"names": [hit.watch for hit in hits]})
        ids = {row.name: row.id for row in rows}
        self._run(OTHER_HITS, {"article": article, "watches": list(ids.values())})
        values = [
            {
                "article_id": article,
                "watch_id": ids[hit.watch],
                "spans": hit.spans,
                "matched_at": now,
            }
            for hit in hits
        ]
        self._insert(SET_HITS, values)

    def story_view(self, story: StoryId) -> StoryView:
        """See `ports.Transaction`."""
        of = {"story": story}
        publishers: defaultdict[int, dict[str, None]] = defaultdict(dict)  # ordered, each once
        for row in self._run(STORY_PUBLISHERS, of):
            publishers[row.article_id][row.publisher] = None
        hits: defaultdict[int, list[Hit]] = defaultdict(list)
        for row in self._run(STORY_HITS, of):
            hits[row.article_id].append(Hit(watch=row.name, spans=row.spans))
        articles = tuple(
            Coverage(
                article=ArticleId(row.id),
                url=row.url if row.link else None,
                title=row.title or "",
                body=row.body or "",
                publishers=tuple(publishers[row.id]),
                published_at=row.published_at,
                first_seen_at=row.first_seen_at,
                hits=tuple(hits[row.id]),
            )
            for row in self._run(STORY_ARTICLES, of)
        )
        return StoryView(story=story, articles=articles)
