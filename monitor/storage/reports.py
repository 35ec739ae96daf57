"""The read side: what the page and the command line ask. Each question is one snapshot.

Every list is read from the end of an index, so that its cost is that of the rows shown.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from alerts.message import card_from_json
from monitor.match.backtest import Archived
from monitor.model import ArticleId, DeliveryState, StoryId, Watch
from monitor.ports import (
    ArticleTrace,
    AuditRow,
    Counts,
    DeliveryRow,
    FeedRow,
    Precision,
    StoryRow,
    StoryTrace,
    WatchRow,
)
from monitor.storage import archive, figures, story_lists, traces
from monitor.storage import tables as t
from monitor.storage.catalogue import SqlCatalogue
from monitor.storage.feed_reports import DECLARED, SqlFleet, feed_row
from monitor.storage.hands import HandWork
from monitor.storage.leads import leads
from monitor.storage.messages import (
    DELIVERIES,
    NOTICES,
    SqlMessages,
    delivery_row,
    named,
    notice_row,
)
from monitor.storage.now import SqlNews
from monitor.storage.search import SqlSearch
from monitor.storage.store import SqlStore
from monitor.storage.trends import SqlTrends
from monitor.storage.watches import SqlWatches
from monitor.storage.work import Row

WATCHES = sa.select(
    t.watch,
    sa.select(sa.func.count())
    .select_from(t.hit)
    .where(
        t.hit.c.watch_id == t.watch.c.id,
        t.hit.c.matched_at >= sa.bindparam("since", type_=t.hit.c.matched_at.type),
    )
    .scalar_subquery()
    .label("hits"),
).where(t.watch.c.declared)
AUDIT = (
    sa.select(
        t.audit.c.at,
        t.audit.c.user,
        t.audit.c.name,
        t.audit.c.action,
        t.audit.c.subject,
        t.audit.c.channel,
        t.delivery.c.story_id.label("story"),
        t.notice.c.card,
    )
    .outerjoin(t.delivery, t.delivery.c.id == t.audit.c.subject)
    .outerjoin(t.notice, t.notice.c.id == t.audit.c.subject)
    .order_by(t.audit.c.at.desc(), t.audit.c.id.desc())
)


SETTLED = (DeliveryState.SENT, DeliveryState.FOLDED, DeliveryState.DROPPED)
"""What people were told, or need not be."""


class SqlReports:
    """`ports.Reports` over an open store."""

    def __init__(
        self, store: SqlStore, max_age: Callable[[], timedelta | None] = lambda: None
    ) -> None:
        """`max_age`: [alerts] max_age as it is now: stories are named by what was news."""
        self._store = store
        self._max_age = max_age
        self.search = SqlSearch(store)
        self.trends = SqlTrends(store)
        self.watched = SqlWatches(store)
        self.catalogue = SqlCatalogue(store, max_age)
        self.fleet = SqlFleet(store)
        self.news = SqlNews(store, max_age)
        self.messages = SqlMessages(store, max_age)

    async def counts(self, now: datetime) -> Counts:
        """See `ports.Reports`. Feeds are the declared ones; entries are those of every feed."""
        return await self._store.query(lambda connection: figures.counts(connection, now))

    async def feeds(self) -> Sequence[FeedRow]:
        """See `ports.Reports`."""
        rows = await self._store.query(lambda connection: connection.execute(DECLARED).all())
        feeds = [feed_row(row) for row in rows]
        return sorted(feeds, key=lambda feed: (not _in_trouble(feed), feed.spec.name.casefold()))

    async def deliveries(
        self, limit: int, *, states: Collection[DeliveryState] = ()
    ) -> Sequence[DeliveryRow]:
        """See `ports.Reports`."""

        def ask(connection: sa.Connection) -> Sequence[DeliveryRow]:
            rows = _outbox(connection, states, limit) if states else _deliveries(connection, limit)
            return named(connection, rows, self._max_age())

        return await self._store.query(ask)

    async def trace(self, url: str) -> ArticleTrace | None:
        """See `ports.Reports`. Any canonical URL that leads to the article will do."""
        return await self._store.query(
            lambda connection: traces.article_trace(
                connection, traces.TRACED_BY_URL, {"url": url}, self._max_age()
            )
        )

    async def traced(self, article: ArticleId) -> ArticleTrace | None:
        """See `ports.Reports`."""
        return await self._store.query(
            lambda connection: traces.article_trace(
                connection, traces.TRACED, {"article": article}, self._max_age()
            )
        )

    async def stories(self, limit: int, *, near: StoryId | None = None) -> Sequence[StoryRow]:
        """See `ports.Reports`. Nearest are looked for among some hundred hits before and after."""
        age = self._max_age()
        if near is None:
            return await self._store.query(
                lambda connection: story_lists.newest(connection, limit, age)
            )
        return await self._store.query(
            lambda connection: story_lists.nearest(connection, limit, near, age)
        )

    async def story(self, story: StoryId) -> StoryTrace | None:
        """See `ports.Reports`."""
        return await self._store.query(
            lambda connection: traces.story_trace(connection, story, self._max_age())
        )

    async def watches(self, since: datetime) -> Sequence[WatchRow]:
        """See `ports.Reports`."""

        def ask(connection: sa.Connection) -> list[WatchRow]:
            precisions = HandWork(connection).precisions()
            rows = connection.execute(WATCHES, {"since": since})
            return [_watch_row(row, precisions.get(row.name)) for row in rows]

        rows = await self._store.query(ask)
        return sorted(rows, key=lambda row: row.watch.name.casefold())

    async def audit(self, limit: int) -> Sequence[AuditRow]:
        """See `ports.Reports`."""

        def ask(connection: sa.Connection) -> list[AuditRow]:
            rows = connection.execute(AUDIT.limit(limit)).mappings().all()
            stories = {row["story"] for row in rows if row["story"] is not None}
            titles = {each.story: each.title for each in leads(connection, stories, age).values()}
            return [
                AuditRow(
                    **{key: value for key, value in row.items() if key not in {"story", "card"}},
                    headline=card_from_json(row["card"]).title
                    if row["card"]
                    else titles.get(row["story"], ""),
                )
                for row in rows
            ]

        age = self._max_age()
        return await self._store.query(ask)

    async def archive(
        self, since: datetime, *, before: datetime | None = None, batch: int = 500
    ) -> AsyncGenerator[Sequence[Archived], None]:
        """See `ports.Reports`."""
        feeds: archive.Feeds = {}
        place = (before or archive.END_OF_TIME, 0)  # ids count from 1
        while True:
            articles = await self._store.query(
                functools.partial(
                    archive.batch_of, feeds=feeds, since=since, before=place, limit=batch
                )
            )
            if articles:
                yield articles
            if len(articles) < batch:
                return
            place = (articles[-1].first_seen_at, articles[-1].article)

    async def archive_size(self, since: datetime) -> int:
        """See `ports.Reports`."""
        return await self._store.query(lambda connection: archive.count(connection, since))

    async def archived(self, article: ArticleId) -> Archived | None:
        """See `ports.Reports`."""
        return await self._store.query(lambda connection: archive.one(connection, article))


def _watch_row(row: Row, precision: Precision | None) -> WatchRow:
    watch = Watch(
        name=row.name,
        terms=row.terms,
        query=row.query,
        variants=row.variants,
        channel=row.channel,
    )
    return WatchRow(watch=watch, hits=row.hits, precision=precision)


def _in_trouble(feed: FeedRow) -> bool:
    return feed.health.is_trouble or feed.failures > 0


def _deliveries(connection: sa.Connection, limit: int) -> Sequence[DeliveryRow]:
    found: list[DeliveryRow] = []
    for group in ([state for state in DeliveryState if state not in SETTLED], SETTLED):
        found += _outbox(connection, group, limit - len(found))
    return found


def _outbox(
    connection: sa.Connection, states: Collection[DeliveryState], limit: int
) -> Sequence[DeliveryRow]:
    """Rows of either table in one of these states, the newest first."""
    rows = [
        delivery_row(row)
        for row in connection.execute(
            DELIVERIES.where(t.delivery.c.state.in_(states))
            .order_by(t.delivery.c.created_at.desc(), t.delivery.c.story_id.desc())
            .limit(limit)
        )
    ]
    rows += [
        notice_row(row)
        for row in connection.execute(
            NOTICES.where(t.notice.c.state.in_(states))
            .order_by(t.notice.c.created_at.desc(), t.notice.c.id.desc())
            .limit(limit)
        )
    ]
    return sorted(rows, key=lambda row: row.created_at, reverse=True)[:limit]
