"""New watches and the articles of before: what is still to be looked at, and what was found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from monitor.match.backtest import Archived
from monitor.model import ArticleId, ArticleState, Hit, StoryId
from monitor.ports import Backfilling
from monitor.storage import archive
from monitor.storage import tables as t
from monitor.storage.mentions import touch
from monitor.storage.work import Work, insert_missing

TIME = t.backfill.c.due_at.type
_this = t.backfill.c.id == sa.bindparam("row")

DUE: sa.Select[Any] = (
    sa.select(t.backfill)
    .where(t.backfill.c.due_at <= sa.bindparam("now", type_=TIME))
    .order_by(t.backfill.c.due_at, t.backfill.c.id)
    .limit(1)
)
DUE_BACKFILLS = DUE.with_only_columns(t.backfill.c.id)
GO_ON = (
    sa.update(t.backfill)
    .where(_this)
    .values(
        next_at=sa.bindparam("at", type_=TIME),
        next_article=sa.bindparam("article"),
        articles=sa.bindparam("looked_at"),
        due_at=sa.bindparam("by", type_=TIME),
    )
)
END = sa.delete(t.backfill).where(_this)
SET_WATCHES = sa.update(t.backfill).where(_this).values(watches=sa.bindparam("left"))
UNPOLLED = sa.select(
    sa.or_(
        sa.exists().where(t.feed.c.declared, t.feed.c.polled_at.is_(None)),
        sa.exists().where(t.article.c.state == ArticleState.NEW),
    )
)
ADD_HITS = insert_missing(t.hit)
WATCH_IDS: sa.Select[Any] = sa.select(t.watch.c.name, t.watch.c.id).where(
    t.watch.c.name.in_(sa.bindparam("watches", expanding=True))
)
FOUND: sa.Select[Any] = (
    sa.select(
        t.watch.c.name,
        t.article.c.story_id,
        sa.func.count().label("articles"),
        sa.func.max(t.article.c.first_seen_at).label("last_at"),
    )
    .join(t.hit, t.hit.c.watch_id == t.watch.c.id)
    .join(t.article, t.article.c.id == t.hit.c.article_id)
    .where(
        t.watch.c.name.in_(sa.bindparam("watches", expanding=True)),
        t.article.c.first_seen_at >= sa.bindparam("since", type_=TIME),
        t.article.c.story_id.is_not(None),
    )
    .group_by(t.watch.c.name, t.article.c.story_id)
    .order_by(sa.desc("last_at"), t.article.c.story_id.desc(), t.watch.c.name)
)
CHANNELS: sa.Select[Any] = sa.select(t.delivery.c.story_id, t.delivery.c.channel).where(
    t.delivery.c.story_id.in_(sa.bindparam("stories", expanding=True))
)


class BackfillWork(Work):
    """The part of `ports.Transaction` about watches that are run over what was stored before."""

    def want_backfill(self, watches: Sequence[str], since: datetime, now: datetime) -> None:
        """See `ports.Transaction`."""
        for row in self._run(sa.select(t.backfill)).all():
            left = [name for name in row.watches if name not in set(watches)]
            if not left:
                self._run(END, {"row": row.id})
            elif len(left) < len(row.watches):
                self._run(SET_WATCHES, {"row": row.id, "left": left})
        if watches:
            self._run(
                sa.insert(t.backfill),
                {
                    "watches": list(watches),
                    "wanted_at": now,
                    "since": since,
                    "next_at": now,  # what came since is matched as it comes
                    "next_article": 0,
                    "articles": 0,
                    "due_at": now,
                },
            )

    def due_backfill(self, now: datetime) -> Backfilling | None:
        """See `ports.Transaction`."""
        row = self._run(DUE, {"now": now}).one_or_none()
        if row is None:
            return None
        return Backfilling(
            id=row.id,
            watches=row.watches,
            wanted_at=row.wanted_at,
            since=row.since,
            before=(row.next_at, row.next_article),
            articles=row.articles,
        )

    def is_reading_backlog(self) -> bool:
        """See `ports.Transaction`."""
        return bool(self._run(UNPOLLED).scalar_one())

    def archive_before(
        self, since: datetime, before: tuple[datetime, int], limit: int
    ) -> Sequence[Archived]:
        """See `ports.Transaction`."""
        return archive.batch_of(self.connection, {}, since=since, before=before, limit=limit)

    def add_hits(self, article: ArticleId, hits: Sequence[Hit], now: datetime) -> None:
        """See `ports.Transaction`."""
        if not hits:
            return
        asked = {"watches": [hit.watch for hit in hits]}
        ids = {row.name: row.id for row in self._run(WATCH_IDS, asked)}
        is_there = sa.select(t.article.c.id).where(t.article.c.id == article)
        if self._run(is_there).first() is None:  # it was merged into another meanwhile
            return
        rows = [
            {
                "article_id": article,
                "watch_id": ids[hit.watch],
                "spans": hit.spans,
                "matched_at": now,
            }
            for hit in hits
            if hit.watch in ids
        ]
        if rows:
            self._on(ADD_HITS, rows)
            touch(self, article)

    def go_on_with(
        self, backfill: int, *, before: tuple[datetime, int], articles: int, due_at: datetime
    ) -> bool:
        """See `ports.Transaction`."""
        at, article = before
        values = {"row": backfill, "at": at, "article": article, "looked_at": articles}
        return self._run(GO_ON, {**values, "by": due_at}).rowcount > 0

    def end_backfill(self, backfill: int) -> bool:
        """See `ports.Transaction`."""
        return self._run(END, {"row": backfill}).rowcount > 0

    def backfilled(
        self, watches: Collection[str], since: datetime
    ) -> Sequence[tuple[str, StoryId, int, tuple[str, ...]]]:
        """See `ports.Transaction`."""
        rows = self._run(FOUND, {"watches": [*watches], "since": since}).all() if watches else []
        told: dict[int, list[str]] = defaultdict(list)
        if rows:
            for row in self._run(CHANNELS, {"stories": [row.story_id for row in rows]}):
                told[row.story_id].append(row.channel)
        return [
            (row.name, StoryId(row.story_id), row.articles, tuple(told[row.story_id]))
            for row in rows
        ]
