"""Articles that are read again: what was read before, what it said, the updates it had."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from monitor.model import Article, ArticleId, ArticleState, Hit, StoryId
from monitor.ports import Stored
from monitor.storage import tables as t
from monitor.storage.articles import superseded
from monitor.storage.work import Work, insert_missing, is_held

MOST_REVISIONS = 20
"""Former texts of one article that are kept, the newest."""

FINISHED = (ArticleState.DONE, ArticleState.FAILED)

STORED: sa.Select[tuple[object, ...]] = sa.select(
    t.article.c.url,
    t.article.c.state,
    t.article.c.story_id,
    t.article.c.ingested_at,
    t.article.c.source,
    t.article.c.authors,
    t.article.c.published_at,
    t.article.c.language,
    t.article.c.text_hash,
    t.article.c.agency,
    t.article.c.title,
    t.article.c.body,
    t.article.c.furniture,
).where(t.article.c.id == sa.bindparam("article"))
HITS = (
    sa.select(t.watch.c.name, t.hit.c.spans)
    .join(t.watch, t.watch.c.id == t.hit.c.watch_id)
    .where(t.hit.c.article_id == sa.bindparam("article"))
    .order_by(t.hit.c.id)
)
UPDATES = sa.select(t.article_update.c.key, t.article_update.c.at).where(
    t.article_update.c.article_id == sa.bindparam("article")
)
ASK_AGAIN = (
    sa.update(t.article)
    .where(
        t.article.c.id == sa.bindparam("article"),
        t.article.c.state.in_(FINISHED),
        sa.or_(
            t.article.c.due_at.is_(None),
            t.article.c.due_at > sa.bindparam("at", type_=t.article.c.due_at.type),
        ),
    )
    .values(due_at=sa.bindparam("at", type_=t.article.c.due_at.type), attempts=0)
)
LEAVE = (
    sa.update(t.article)
    .where(t.article.c.id == sa.bindparam("article"), is_held(t.article))
    .values(
        due_at=sa.bindparam("new_due_at", type_=t.article.c.due_at.type),
        ingested_at=sa.bindparam("now", type_=t.article.c.ingested_at.type),
        lease_until=None,
        attempts=sa.bindparam("new_attempts"),
        deaths=0,
    )
)
LATEST = sa.select(sa.func.max(t.revision.c.number)).where(
    t.revision.c.article_id == sa.bindparam("article")
)
KEEP_REVISION = sa.insert(t.revision)
DROP_REVISIONS = sa.delete(t.revision).where(
    t.revision.c.article_id == sa.bindparam("article"),
    t.revision.c.number <= sa.bindparam("last"),
)
KEEP_UPDATES = insert_missing(t.article_update)


class RevisionWork(Work):
    """The part of `ports.Transaction` about articles that are read again."""

    def ask_again(self, article: ArticleId, due_at: datetime) -> None:
        """See `ports.Transaction`."""
        self._run(ASK_AGAIN, {"article": article, "at": due_at})

    def stored_article(self, article: ArticleId) -> Stored | None:
        """See `ports.Transaction`."""
        of = {"article": article}
        row = self._run(STORED, of).one_or_none()
        if row is None or row.ingested_at is None:
            return None
        return Stored(
            content=Article(
                url=row.url,
                title=row.title or "",
                body=row.body or "",
                source="page" if row.source == "page" else "feed",
                authors=row.authors,
                published_at=row.published_at,
                language=row.language,
                text_hash=row.text_hash,
                agency=row.agency,
                furniture=row.furniture,
            ),
            state=ArticleState(row.state),
            story=None if row.story_id is None else StoryId(row.story_id),
            hits=tuple(Hit(watch=each.name, spans=each.spans) for each in self._run(HITS, of)),
            updates={each.key: each.at for each in self._run(UPDATES, of)},
        )

    def leave_article(
        self, article: ArticleId, *, now: datetime, due_at: datetime | None, attempts: int = 0
    ) -> None:
        """See `ports.Transaction`."""
        values = {"article": article, "now": now, "new_due_at": due_at, "new_attempts": attempts}
        if not self._run(LEAVE, values | {"holder": self.holder}).rowcount:
            raise superseded(article)

    def keep_revision(
        self, article: ArticleId, title: str, body: str | None, replaced_at: datetime
    ) -> None:
        """See `ports.Transaction`."""
        number = (self._run(LATEST, {"article": article}).scalar_one() or 0) + 1
        self._run(
            KEEP_REVISION,
            {
                "article_id": article,
                "number": number,
                "title": title,
                "body": body,
                "replaced_at": replaced_at,
            },
        )
        self._run(DROP_REVISIONS, {"article": article, "last": number - MOST_REVISIONS})

    def keep_updates(self, article: ArticleId, updates: Mapping[str, datetime]) -> None:
        """See `ports.Transaction`."""
        rows = [{"article_id": article, "key": key, "at": at} for key, at in updates.items()]
        if rows:
            self._on(KEEP_UPDATES, rows)
