"""Stories and hits: which article belongs where, what was found in it, the whole to be shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from monitor.model import ArticleId, DeliveryState, Hit, StoryId
from monitor.ports import Coverage, Place, StoryView
from monitor.storage import tables as t
from monitor.storage.mentions import touch, touch_stories
from monitor.storage.work import Work, for_each

STORIES_LOCK = 0x6D6F6E01
"""Key of the advisory lock on PostgreSQL ("mon", 1), the same in every process."""

NEW_STORY = sa.insert(t.story).returning(t.story.c.id)
STORY_OF = sa.select(t.article.c.story_id).where(t.article.c.id == sa.bindparam("article"))
_other, _following = t.article.alias("other"), t.story.alias("following")
PLACE_OF = sa.select(
    t.article.c.story_id,
    sa.func.coalesce(t.article.c.copy_of, t.article.c.id).label("root"),
    sa.or_(
        sa.exists().where(_other.c.story_id == t.article.c.story_id, _other.c.id != t.article.c.id),
        sa.exists().where(t.hit.c.article_id == t.article.c.id),
        sa.exists().where(t.verdict.c.article_id == t.article.c.id, t.verdict.c.belongs),
        sa.exists().where(
            t.delivery.c.story_id == t.article.c.story_id,
            sa.or_(t.delivery.c.sent_ref.is_not(None), t.delivery.c.state == DeliveryState.SENDING),
        ),
    ).label("fixed"),
).where(t.article.c.id == sa.bindparam("article"))
RULED_OUT = sa.select(t.verdict.c.story_id).where(
    t.verdict.c.article_id == sa.bindparam("article"), ~t.verdict.c.belongs
)
_left: sa.BindParameter[int] = sa.bindparam("left")
_most = sa.bindparam("most", type_=sa.Integer())
DROP_EMPTY = sa.delete(t.story).where(
    t.story.c.id == _left,
    ~sa.exists().where(t.article.c.story_id == _left),
    ~sa.exists().where(t.delivery.c.story_id == _left),
    ~sa.exists().where(t.notice.c.story_id == _left),
    ~sa.exists().where(t.verdict.c.story_id == _left),
    ~sa.exists().where(_following.c.follows == _left),
    ~sa.exists().where(_following.c.merged_into == _left),
)
PUT_IN_STORY = (
    sa.update(t.article)
    .where(t.article.c.id == sa.bindparam("article"))
    .values(
        story_id=sa.bindparam("story"),
        copy_of=sa.bindparam("original"),
        novelty=sa.bindparam("share_new"),
    )
)
LIVES_IN = sa.select(sa.func.coalesce(t.story.c.merged_into, t.story.c.id)).where(
    t.story.c.id == sa.bindparam("story")
)
OTHER_HITS = sa.delete(t.hit).where(
    t.hit.c.article_id == sa.bindparam("article"),
    t.hit.c.watch_id.not_in(
        sa.select(t.watch.c.id).where(t.watch.c.name.in_(sa.bindparam("watches", expanding=True)))
    ),
)


def _set_hits(dialect: str) -> sa.Executable:
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    hit = t.hit.c
    found = sa.select(
        sa.bindparam("article", type_=sa.BigInteger()),
        t.watch.c.id,
        sa.bindparam("new_spans", type_=hit.spans.type),
        sa.bindparam("now", type_=hit.matched_at.type),
    ).where(t.watch.c.name == sa.bindparam("watch"))
    rows = insert(t.hit).from_select(["article_id", "watch_id", "spans", "matched_at"], found)
    return rows.on_conflict_do_update(
        index_elements=["article_id", "watch_id"], set_={"spans": rows.excluded.spans}
    ).execution_options(preserve_rowcount=True)


SET_HITS = for_each(_set_hits)

NO_HOLDS = sa.delete(t.hold).where(
    t.hold.c.story_id == _left, ~sa.exists().where(t.article.c.story_id == _left)
)

STORY_ARTICLES = (
    sa.select(
        t.article.c.id,
        t.article.c.url,
        t.article.c.link,
        t.article.c.title,
        sa.case(
            (_most.is_(None), t.article.c.body), else_=sa.func.substr(t.article.c.body, 1, _most)
        ).label("body"),
        t.article.c.published_at,
        t.article.c.first_seen_at,
        t.article.c.copy_of,
        t.article.c.novelty,
        t.article.c.agency,
        t.article.c.language,
    )
    .where(t.article.c.story_id == sa.bindparam("story"))
    .order_by(t.article.c.first_seen_at, t.article.c.id)
)
STORY_PUBLISHERS = (
    sa.select(
        t.entry.c.article_id, t.entry.c.backlog, t.feed.c.publisher, t.feed.c.side, t.feed.c.tier
    )
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

    def place_of(self, article: ArticleId) -> Place:
        """See `ports.Transaction`."""
        if article in self.placeless:
            return Place()
        row = self._run(PLACE_OF, {"article": article}).one_or_none()
        if row is None or row.story_id is None:
            return Place()
        return Place(
            story=StoryId(row.story_id),
            root=ArticleId(row.root),
            fixed=row.fixed,
            ruled_out=frozenset(self._run(RULED_OUT, {"article": article}).scalars()),
        )

    def new_story(self, now: datetime, *, follows: StoryId | None = None) -> StoryId:
        """See `ports.Transaction`."""
        values = {"created_at": now, "follows": follows}
        return StoryId(self._run(NEW_STORY, values).scalar_one())

    def put_in_story(
        self,
        article: ArticleId,
        story: StoryId,
        *,
        copy_of: ArticleId | None,
        novelty: float | None = None,
    ) -> None:
        """See `ports.Transaction`. A story left empty, and never shown, is no more."""
        left = None if article in self.placeless else self.story_of(article)
        self.placeless.discard(article)
        self._run(
            PUT_IN_STORY,
            {"article": article, "story": story, "original": copy_of, "share_new": novelty},
        )
        if left is not None and left != story:
            self._run(NO_HOLDS, {"left": left})
            self._run(DROP_EMPTY, {"left": left})
            touch_stories(self, left, story)

    def set_hits(self, article: ArticleId, hits: Sequence[Hit], now: datetime) -> None:
        """See `ports.Transaction`. A hit that was there already keeps its id and time.

        Raises `KeyError` for a watch that was never declared.
        """
        if article not in self.hitless:
            others = {"article": article, "watches": [hit.watch for hit in hits]}
            if self._run(OTHER_HITS, others).rowcount and not hits:
                touch(self, article)
        if not hits:
            return
        touch(self, article)
        self.hitless.discard(article)
        of_article = {"article": article, "now": now}
        values = [of_article | {"watch": hit.watch, "new_spans": hit.spans} for hit in hits]
        if self._on(SET_HITS, values).rowcount != len(hits):
            raise KeyError(f"hits of watches that nobody declared: {[hit.watch for hit in hits]}")

    def story_view(self, story: StoryId, *, most: int | None = None) -> StoryView:
        """See `ports.Transaction`."""
        story = StoryId(self._run(LIVES_IN, {"story": story}).scalar_one_or_none() or story)
        of = {"story": story}
        publishers: defaultdict[int, dict[str, None]] = defaultdict(dict)  # ordered, each once
        sides: defaultdict[int, dict[str, None]] = defaultdict(dict)
        tiers: dict[int, int] = {}
        fresh = set()  # articles that a feed listed after its first poll
        for row in self._run(STORY_PUBLISHERS, of):
            publishers[row.article_id][row.publisher] = None
            if row.side:
                sides[row.article_id][row.side] = None
            tiers[row.article_id] = min(row.tier, tiers.get(row.article_id, row.tier))
            if not row.backlog:
                fresh.add(row.article_id)
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
                backlog=row.id not in fresh,
                copy_of=None if row.copy_of is None else ArticleId(row.copy_of),
                novelty=row.novelty,
                agency=row.agency,
                language=row.language,
                sides=tuple(sides[row.id]),
                tier=tiers.get(row.id, 2),
            )
            for row in self._run(STORY_ARTICLES, of | {"most": most})
        )
        return StoryView(story=story, articles=articles)
