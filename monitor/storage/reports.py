"""The read side: what the page and the command line ask. Each question is one snapshot.

Every list is read from the end of an index, so that its cost is that of the rows shown.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from alerts.message import card_from_json
from monitor.match.backtest import Archived
from monitor.model import (
    ArticleId,
    ArticleState,
    DeliveryState,
    Health,
    Hit,
    StoryId,
    SubscriptionState,
    Watch,
)
from monitor.ports import (
    ArticleTrace,
    AuditRow,
    Counts,
    DeliveryRow,
    FeedRow,
    Precision,
    Revision,
    Sighting,
    StoryRow,
    StoryTrace,
    Verdict,
    WatchRow,
)
from monitor.storage import archive, outbox
from monitor.storage import tables as t
from monitor.storage.catalogue import SqlCatalogue
from monitor.storage.feed_reports import DECLARED, SqlFleet, error_of, feed_row
from monitor.storage.hands import HandWork
from monitor.storage.holds import holds_of
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
from monitor.storage.tallies import count_rows
from monitor.storage.transaction import SqlTransaction
from monitor.storage.trends import SqlTrends
from monitor.storage.watches import SqlWatches
from monitor.storage.work import Row, among, is_due
from monitor.stories.copies import NEWS

PUSHED = sa.select(sa.func.count(t.subscription.c.feed_id.distinct())).where(
    t.subscription.c.state == SubscriptionState.ACTIVE,
    t.subscription.c.expires_at > sa.bindparam("now", type_=t.subscription.c.expires_at.type),
)


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
        return await self._store.query(lambda connection: _counts(connection, now))

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
            lambda connection: _trace(connection, TRACED_BY_URL, {"url": url}, self._max_age())
        )

    async def traced(self, article: ArticleId) -> ArticleTrace | None:
        """See `ports.Reports`."""
        return await self._store.query(
            lambda connection: _trace(connection, TRACED, {"article": article}, self._max_age())
        )

    async def stories(self, limit: int, *, near: StoryId | None = None) -> Sequence[StoryRow]:
        """See `ports.Reports`. Nearest are looked for among some hundred hits before and after."""
        age = self._max_age()
        if near is None:
            return await self._store.query(lambda connection: _stories(connection, limit, age))
        return await self._store.query(
            lambda connection: _stories_near(connection, limit, near, age)
        )

    async def story(self, story: StoryId) -> StoryTrace | None:
        """See `ports.Reports`."""
        return await self._store.query(
            lambda connection: _story_trace(connection, story, self._max_age())
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
    ) -> AsyncIterator[Sequence[Archived]]:
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


# --------------------------------------------------------------------------- counts


_since = sa.bindparam("since", type_=t.article.c.first_seen_at.type)
NOT_TOLD = sa.select(sa.func.count()).where(
    t.article.c.ingested_at.is_not(None),
    t.article.c.first_seen_at > _since,
    # whatever is found in an article is found after it was seen: all hits that ever were stay unread
    sa.exists().where(
        t.hit.c.article_id == t.article.c.id,
        t.hit.c.matched_at > sa.bindparam("found_since", type_=t.hit.c.matched_at.type),
    ),
    ~sa.exists().where(t.delivery.c.story_id == t.article.c.story_id),
    ~sa.exists().where(t.hold.c.story_id == t.article.c.story_id),
)
"""Articles in which something was found that was no news."""

_CLOCKS = timedelta(hours=1)  # that those of several machines differ by at most

SETTLED = (DeliveryState.SENT, DeliveryState.FOLDED, DeliveryState.DROPPED)
"""What people were told, or need not be."""

UNCERTAIN = [
    sa.select(sa.func.count())
    .select_from(table)
    .where(table.c.state == DeliveryState.SENDING, table.c.error.is_not(None))
    for table in outbox.TABLES
]


def _by(table: sa.Table, column: sa.Column[Any]) -> sa.Select[Any]:
    return sa.select(
        sa.literal(table.name, sa.Text()).label("name"),
        column.label("state"),
        sa.func.count().label("number"),
    ).group_by(column)


STATES = sa.union_all(
    _by(t.feed, t.feed.c.health).where(t.feed.c.declared),
    *(_by(table, table.c.state) for table in outbox.TABLES),
)
FIGURES = sa.select(
    *(
        each.scalar_subquery().label(name)
        for name, each in {
            "entries": sa.select(sa.func.coalesce(sa.func.sum(t.feed.c.entries), 0)),
            "oldest_waiting_at": outbox.OLDEST_WAITING,
            "due_feeds": sa.select(sa.func.count())
            .select_from(t.feed)
            .where(t.feed.c.declared, is_due(t.feed)),
            "last_poll_at": sa.select(sa.func.max(t.feed.c.polled_at)),
            "stories_held": sa.select(sa.func.count(t.hold.c.story_id.distinct())),
            "not_told": NOT_TOLD,
            "pushed": PUSHED,
            **{
                f"uncertain_{table.name}": each
                for table, each in zip(outbox.TABLES, UNCERTAIN, strict=True)
            },
        }.items()
    )
)


def _counts(connection: sa.Connection, now: datetime) -> Counts:
    states: dict[str, dict[str, int]] = {}
    for row in connection.execute(STATES):
        states.setdefault(row.name, {})[row.state] = row.number
    rows = count_rows(connection)
    since = now - timedelta(days=1)
    asked = {"now": now, "since": since, "found_since": since - _CLOCKS}
    figures = connection.execute(FIGURES, asked).one()
    deliveries, notices = states.get("delivery", {}), states.get("notice", {})
    return Counts(
        feeds={Health(state): number for state, number in states.get("feed", {}).items()},
        entries=figures.entries,
        articles={ArticleState(state): number for state, number in rows.articles.items()},
        stories=rows.stories,
        hits=rows.hits,
        deliveries={DeliveryState(state): number for state, number in deliveries.items()},
        oldest_waiting_at=figures.oldest_waiting_at,
        due_feeds=figures.due_feeds,
        last_poll_at=figures.last_poll_at,
        stories_held=figures.stories_held,
        not_told=figures.not_told,
        notices={DeliveryState(state): number for state, number in notices.items()},
        pushed=figures.pushed,
        uncertain=figures.uncertain_delivery + figures.uncertain_notice,
    )


# --------------------------------------------------------------------------- lists


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


def _story(row: Row) -> StoryId | None:
    return None if row.story_id is None else StoryId(row.story_id)


# --------------------------------------------------------------------------- stories


def _stories(
    connection: sa.Connection, limit: int, max_age: timedelta | None
) -> Sequence[StoryRow]:
    found = connection.execute(NEWEST_FOUND, {"limit": 20 * limit}).scalars()
    rows = _story_rows(connection, list(dict.fromkeys(found))[:limit], max_age)
    return sorted(rows, key=lambda row: (row.last_at, row.story), reverse=True)


def _stories_near(
    connection: sa.Connection, limit: int, near: StoryId, max_age: timedelta | None
) -> Sequence[StoryRow]:
    first = connection.execute(FIRST_HIT, {"story": near}).scalar_one()
    if first is None:
        return ()
    chosen: set[int] = set()
    for statement in (FOUND_BEFORE, FOUND_AFTER):
        found = connection.execute(statement, {"hit": first, "limit": 20 * limit}).scalars()
        chosen.update([story for story in dict.fromkeys(found) if story != near][:limit])
    own, *rows = _story_rows(connection, [near, *sorted(chosen)], max_age)
    nearest = sorted(rows, key=lambda row: (abs(row.first_at - own.first_at), row.story))[:limit]
    return sorted(nearest, key=lambda row: (row.first_at, row.story), reverse=True)


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


def _story_trace(
    connection: sa.Connection, story: StoryId, max_age: timedelta | None
) -> StoryTrace | None:
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


# --------------------------------------------------------------------------- one article


def _trace(
    connection: sa.Connection,
    which: sa.Select[Any],
    asked: Mapping[str, Any],
    max_age: timedelta | None,
) -> ArticleTrace | None:
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
        story=_story(row),
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
