"""The read side of programs: see `ports.Catalogue`. Each list is read from the end of an index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from monitor.model import ArticleId, DeliveryId, FeedId, Hit, StoryId
from monitor.ports.catalogue import FoundRow, HitPlace
from monitor.ports.feeds import FeedRow
from monitor.ports.messages import DeliveryRow
from monitor.storage import tables as t
from monitor.storage.feed_reports import DECLARED, feed_row
from monitor.storage.leads import PUBLISHER
from monitor.storage.messages import DELIVERIES, NOTICES, delivery_row, named, notice_row
from monitor.storage.store import SqlStore
from monitor.storage.work import Row

TIME = t.hit.c.matched_at.type

_limit: sa.BindParameter[Any] = sa.bindparam("limit", type_=sa.Integer(), literal_execute=True)


def _hits(*, of_watch: bool, since: bool, goes_on: bool) -> sa.Select[Any]:
    """Hits from the end of an index, before anything is looked up of their articles."""
    where: list[sa.ColumnElement[bool]] = []
    if of_watch:
        names = sa.select(t.watch.c.id).where(t.watch.c.name == sa.bindparam("watch"))
        where.append(t.hit.c.watch_id == names.scalar_subquery())
    if since:
        where.append(t.hit.c.matched_at >= sa.bindparam("since", type_=TIME))
    if goes_on:
        at = sa.bindparam("at", type_=TIME)
        place = sa.tuple_(at, sa.bindparam("hit", type_=sa.BigInteger()))
        where += [t.hit.c.matched_at <= at, sa.tuple_(t.hit.c.matched_at, t.hit.c.id) < place]
    found = (
        sa.select(t.hit)
        .where(*where)
        .order_by(t.hit.c.matched_at.desc(), t.hit.c.id.desc())
        .limit(_limit)
        .subquery("found")
    )
    return (
        sa.select(
            found.c.id,
            found.c.matched_at,
            found.c.spans,
            t.watch.c.name,
            t.article.c.id.label("article"),
            t.article.c.story_id,
            t.article.c.url,
            t.article.c.link,
            t.article.c.title,
            t.article.c.body,
            PUBLISHER,
            t.article.c.language,
            t.article.c.published_at,
            t.article.c.first_seen_at,
        )
        .join(t.article, t.article.c.id == found.c.article_id)
        .join(t.watch, t.watch.c.id == found.c.watch_id)
        .order_by(found.c.matched_at.desc(), found.c.id.desc())
    )


HITS = {
    (of_watch, since, goes_on): _hits(of_watch=of_watch, since=since, goes_on=goes_on)
    for of_watch in (False, True)
    for since in (False, True)
    for goes_on in (False, True)
}
URL_OF = sa.select(t.article.c.url).where(t.article.c.id == sa.bindparam("article"))
FEEDS = DECLARED.where(t.feed.c.id > sa.bindparam("after")).order_by(t.feed.c.id).limit(_limit)
_message: sa.BindParameter[Any] = sa.bindparam("message")
MESSAGE = (
    (DELIVERIES.where(t.delivery.c.id == _message), delivery_row),
    (NOTICES.where(t.notice.c.id == _message), notice_row),
)


class SqlCatalogue:
    """`ports.Catalogue` over an open store."""

    def __init__(self, store: SqlStore, max_age: Callable[[], timedelta | None]) -> None:
        """`max_age`: [alerts] max_age as it is now: stories are named by what was news."""
        self._store = store
        self._max_age = max_age

    async def hits(
        self,
        limit: int,
        *,
        watch: str | None = None,
        since: datetime | None = None,
        before: HitPlace | None = None,
    ) -> Sequence[FoundRow]:
        """See `ports.Catalogue`."""
        values: dict[str, Any] = {"limit": limit}
        if watch is not None:
            values["watch"] = watch
        if since is not None:
            values["since"] = since
        if before is not None:
            values |= {"at": before[0], "hit": before[1]}
        statement = HITS[watch is not None, since is not None, before is not None]
        rows = await self._store.query(
            lambda connection: connection.execute(statement, values).all()
        )
        return [*map(_found_row, rows)]

    async def url_of(self, article: ArticleId) -> str | None:
        """See `ports.Catalogue`."""
        url = await self._store.query(
            lambda connection: connection.execute(URL_OF, {"article": article}).scalar()
        )
        assert url is None or isinstance(url, str)
        return url

    async def feeds(self, limit: int, *, after: FeedId | None = None) -> Sequence[FeedRow]:
        """See `ports.Catalogue`."""
        rows = await self._store.query(
            lambda connection: connection.execute(
                FEEDS, {"limit": limit, "after": after or 0}
            ).all()
        )
        return [*map(feed_row, rows)]

    async def message(self, message: DeliveryId) -> DeliveryRow | None:
        """See `ports.Catalogue`."""
        age = self._max_age()

        def ask(connection: sa.Connection) -> DeliveryRow | None:
            for statement, make in MESSAGE:
                row = connection.execute(statement, {"message": message}).one_or_none()
                if row is not None:
                    return named(connection, [make(row)], age)[0]
            return None

        return await self._store.query(ask)


def _found_row(row: Row) -> FoundRow:
    return FoundRow(
        id=row.id,
        matched_at=row.matched_at,
        hit=Hit(watch=row.name, spans=row.spans),
        article=ArticleId(row.article),
        story=None if row.story_id is None else StoryId(row.story_id),
        url=row.url if row.link else None,
        title=row.title or "",
        body=row.body or "",
        publisher=row.publisher or "",
        language=row.language,
        published_at=row.published_at,
        first_seen_at=row.first_seen_at,
    )
