"""The read side about feeds. See `ports.Fleet`.

A list of thousands is sought and sorted by a few columns of each; what is shown of a feed beside
them is read for those of the page alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from monitor.model import (
    ArticleId,
    ArticleState,
    DueBy,
    FeedEvent,
    FeedEventKind,
    FeedId,
    FeedStatus,
    Health,
    StoryId,
    SubscriptionState,
    Validators,
)
from monitor.ports import (
    Delays,
    EntryRow,
    FeedFigures,
    FeedOrder,
    FeedRow,
    FeedsFound,
    FeedsSought,
    FeedTrace,
    Firsts,
)
from monitor.storage import tables as t
from monitor.storage.feed_history import DAYS, EVENTS, WEEKS, day_of, week_of
from monitor.storage.feeds import FEED_COLUMNS, feed_spec, move_of
from monitor.storage.store import SqlStore
from monitor.storage.subscriptions import SubscriptionWork
from monitor.storage.work import Row
from monitor.telemetry import redact

LATELY: Final = 7
"""Days that a feed in a list is judged by."""

FEEDS: sa.Select[Any] = sa.select(
    *FEED_COLUMNS,
    t.subscription.c.state.label("subscription"),
    t.subscription.c.expires_at,
    t.subscription.c.pushed_at,
).outerjoin(
    t.subscription,
    sa.and_(
        t.subscription.c.feed_id == t.feed.c.id,
        t.subscription.c.state != SubscriptionState.LEAVING,
    ),
)
DECLARED = FEEDS.where(t.feed.c.declared)
SOME = FEEDS.where(t.feed.c.id.in_(sa.bindparam("feeds", expanding=True)))
ONE = FEEDS.where(t.feed.c.id == sa.bindparam("feed"))


def _raw(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """As the driver gives it: a time that only sorts need not be made one."""
    return sa.type_coerce(column, sa.types.NullType()).label(column.name)


LISTED = sa.select(
    t.feed.c.id,
    t.feed.c.name,
    t.feed.c.publisher,
    t.feed.c.url,
    t.feed.c.side,
    t.feed.c.tags,
    t.feed.c.health,
    t.feed.c.failures,
    t.feed.c.entries,
    _raw(t.feed.c.health_since),
    _raw(t.feed.c.newest_at),
    _raw(t.feed.c.polled_at),
    _raw(t.feed.c.due_at),
    t.feed.c.declared,
)
_days: sa.BindParameter[Any] = sa.bindparam("days", expanding=True)
DELAYS = (
    # days one by one: a range would be read for all feeds
    sa.select(
        t.feed_tally.c.feed_id,
        t.feed_tally.c.slot,
        sa.func.sum(t.feed_tally.c.entries).label("entries"),
        sa.func.min(t.feed_tally.c.day).label("since"),
    )
    .where(
        t.feed_tally.c.day.in_(_days),
        t.feed_tally.c.feed_id.in_(sa.bindparam("feeds", expanding=True)),
    )
    .group_by(t.feed_tally.c.feed_id, t.feed_tally.c.slot)
)
PLACES = (
    sa.select(
        t.publisher_tally.c.publisher,
        t.publisher_tally.c.first,
        t.publisher_tally.c.slot,
        sa.func.sum(t.publisher_tally.c.stories).label("stories"),
    )
    .where(t.publisher_tally.c.week.in_(sa.bindparam("weeks", expanding=True)))
    .group_by(t.publisher_tally.c.publisher, t.publisher_tally.c.first, t.publisher_tally.c.slot)
)
FIRST_MOST = (
    # whose places are asked for: a few of many, for there is a row for each week and slot
    sa.select(t.publisher_tally.c.publisher)
    .where(t.publisher_tally.c.week.in_(sa.bindparam("weeks", expanding=True)))
    .group_by(t.publisher_tally.c.publisher)
    .order_by(
        sa.func.sum(t.publisher_tally.c.stories)
        .filter(t.publisher_tally.c.first)
        .desc()
        .nulls_last(),
        sa.func.sum(t.publisher_tally.c.stories).desc(),
        t.publisher_tally.c.publisher,
    )
    .limit(sa.bindparam("limit", type_=sa.Integer(), literal_execute=True))
)
PLACES_OF = PLACES.where(
    t.publisher_tally.c.publisher.in_(sa.bindparam("publishers", expanding=True))
)
EVENTS_OF = (
    sa.select(t.feed_event, t.feed_event.c.count.label("times"))
    .where(t.feed_event.c.feed_id == sa.bindparam("feed"))
    .order_by(t.feed_event.c.id.desc())
    .limit(EVENTS)
)
WEEK_OF = sa.select(t.feed_week.c.hour, t.feed_week.c.weight).where(
    t.feed_week.c.feed_id == sa.bindparam("feed")
)
NEWEST = (
    sa.select(
        t.entry.c.id,
        t.entry.c.article_id,
        t.entry.c.link,
        t.entry.c.title,
        t.entry.c.language,
        t.entry.c.published_at,
        t.entry.c.first_seen_at,
        t.entry.c.backlog,
        t.article.c.url,
        t.article.c.state,
        t.article.c.error_code,
        t.article.c.error_detail,
        t.article.c.story_id,
    )
    .join(t.article, t.article.c.id == t.entry.c.article_id)
    .where(t.entry.c.feed_id == sa.bindparam("feed"))
    .order_by(t.entry.c.id.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer(), literal_execute=True))
)
FOUND_IN = (
    sa.select(t.hit.c.article_id, t.watch.c.name)
    .join(t.watch, t.watch.c.id == t.hit.c.watch_id)
    .where(t.hit.c.article_id.in_(sa.bindparam("articles", expanding=True)))
    .order_by(t.hit.c.id)
)
URLS = sa.select(t.feed.c.url, t.feed.c.move_url, t.feed.c.name).where(t.feed.c.declared)


class SqlFleet:
    """`ports.Fleet` over an open store."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def find(
        self, sought: FeedsSought, now: datetime, *, skip: int = 0, limit: int = 50
    ) -> FeedsFound:
        """See `ports.Fleet`."""
        return await self._store.query(
            lambda connection: _found(connection, sought, now, skip, limit)
        )

    async def feed(self, feed: FeedId, now: datetime, *, entries: int = 25) -> FeedTrace | None:
        """See `ports.Fleet`."""
        return await self._store.query(lambda connection: _trace(connection, feed, now, entries))

    async def firsts(self, now: datetime, *, limit: int = 100) -> Sequence[Firsts]:
        """See `ports.Fleet`."""

        def ask(connection: sa.Connection) -> Mapping[str, Firsts]:
            asked = {"weeks": _weeks(now), "limit": limit}
            return _places_of(
                connection, connection.execute(FIRST_MOST, asked).scalars().all(), now
            )

        found = await self._store.query(ask)
        return sorted(found.values(), key=lambda each: (-each.first, -each.stories, each.publisher))

    async def urls(self) -> Mapping[str, str]:
        """See `ports.Fleet`."""
        rows = await self._store.query(lambda connection: connection.execute(URLS).all())
        moved = {row.move_url: row.name for row in rows if row.move_url}
        return moved | {row.url: row.name for row in rows}


# --------------------------------------------------------------------------- the list


def _found(
    connection: sa.Connection, sought: FeedsSought, now: datetime, skip: int, limit: int
) -> FeedsFound:
    every = connection.execute(LISTED).all()
    rows = [row for row in every if row.declared]
    among = [row for row in every if not row.declared] if sought.left else rows
    wanted = sorted((row for row in among if _is_sought(row, sought)), key=_KEYS[sought.order])
    shown = [row.id for row in wanted[skip : skip + limit]]
    return FeedsFound(
        feeds=_figures(connection, shown, now),
        found=len(wanted),
        states={Health(name): count for name, count in Counter(row.health for row in rows).items()},
        sides=Counter(row.side for row in rows if row.side),
        tags=Counter(tag for row in rows for tag in row.tags),
        left=len(every) - len(rows),
    )


def _is_sought(row: Any, sought: FeedsSought) -> bool:
    if sought.states and row.health not in sought.states:
        return False
    if sought.side is not None and row.side != sought.side:
        return False
    if sought.publisher is not None and row.publisher != sought.publisher:
        return False
    if sought.tag is not None and sought.tag not in row.tags:
        return False
    if not sought.text:
        return True
    text = "\n".join((row.name, row.publisher, row.url, *row.tags)).casefold()
    return all(word in text for word in sought.text.casefold().split())


_BADNESS: Final = {
    state: place
    for place, state in enumerate(
        (
            Health.GONE,
            Health.CHALLENGED,
            Health.FAILING,
            Health.SILENT,
            Health.STALE,
        )
    )
}


def _by_name(row: Row) -> Any:
    return row.name.casefold(), row.id


def _by_trouble(row: Row) -> Any:
    bad = _BADNESS.get(row.health, len(_BADNESS))
    return bad, -row.failures, *_by_name(row)


def _by_newest(row: Row) -> Any:
    # as text: times of both databases sort so, and none comes first
    return "" if row.newest_at is None else str(row.newest_at), *_by_name(row)


def _by_due(row: Row) -> Any:
    return row.due_at is None, str(row.due_at), *_by_name(row)


class _Reversed(str):
    """A text that sorts the other way round."""

    __slots__ = ()

    def __lt__(self, other: str) -> bool:
        return str.__gt__(self, other)


_KEYS: Final = {
    FeedOrder.TROUBLE: _by_trouble,
    FeedOrder.NAME: _by_name,
    FeedOrder.PUBLISHER: lambda row: (row.publisher.casefold(), *_by_name(row)),
    FeedOrder.ENTRIES: lambda row: (-row.entries, *_by_name(row)),
    FeedOrder.NEWEST: _by_newest,
    FeedOrder.POLLED: lambda row: (row.polled_at is None, _Reversed(str(row.polled_at)), row.id),
    FeedOrder.DUE: _by_due,
}


def _figures(
    connection: sa.Connection, feeds: Sequence[int], now: datetime
) -> Sequence[FeedFigures]:
    if not feeds:
        return ()
    rows = {row.id: row for row in connection.execute(SOME, {"feeds": feeds})}
    delays = _delays(connection, rows, now, LATELY)
    publishers = {row.publisher for row in rows.values()}
    firsts = _places_of(connection, publishers, now)
    return [
        FeedFigures(
            row=feed_row(rows[feed]),
            delays=delays[feed],
            firsts=firsts.get(rows[feed].publisher),
        )
        for feed in feeds
    ]


def _delays(
    connection: sa.Connection, rows: Mapping[int, Row], now: datetime, days: int
) -> Mapping[int, Delays]:
    """Of each of these feeds, in so many days, or since it is known."""
    today = day_of(now)
    since = today - days + 1
    counts: dict[int, dict[int, int]] = {feed: {} for feed in rows}
    asked = {"days": [*range(since, today + 1)], "feeds": [*rows]}
    for row in connection.execute(DELAYS, asked):
        counts[row.feed_id][row.slot] = int(row.entries)
    start = datetime.fromtimestamp(since * 86_400, UTC)
    return {
        feed: Delays(
            counts=counts[feed],
            days=max((now - max(start, row.created_at)) / timedelta(days=1), 0.0),
        )
        for feed, row in rows.items()
    }


def _places_of(
    connection: sa.Connection, publishers: Collection[str], now: datetime
) -> Mapping[str, Firsts]:
    asked = {"weeks": _weeks(now), "publishers": [*publishers]}
    return _places(connection.execute(PLACES_OF, asked))


def _places(rows: sa.CursorResult[Any]) -> Mapping[str, Firsts]:
    ahead: dict[str, dict[int, int]] = {}
    behind: dict[str, dict[int, int]] = {}
    for row in rows:
        of = ahead if row.first else behind
        of.setdefault(row.publisher, {})[row.slot] = int(row.stories)
    return {
        name: Firsts(publisher=name, ahead=ahead.get(name, {}), behind=behind.get(name, {}))
        for name in {**ahead, **behind}
    }


def _weeks(now: datetime) -> Sequence[int]:
    this = week_of(now)
    return [*range(this - WEEKS, this + 1)]


# --------------------------------------------------------------------------- one feed


def _trace(
    connection: sa.Connection, feed: FeedId, now: datetime, entries: int
) -> FeedTrace | None:
    row = connection.execute(ONE, {"feed": feed}).first()
    if row is None:
        return None
    return FeedTrace(
        row=feed_row(row),
        declared=row.declared,
        host=row.host,
        created_at=row.created_at,
        validators=Validators(
            etag=row.etag, last_modified=row.last_modified, url=row.validators_url
        ),
        subscription=SubscriptionWork(connection).subscription_seen(feed),
        delays=_delays(connection, {row.id: row}, now, DAYS)[row.id],
        firsts=_places_of(connection, [row.publisher], now).get(row.publisher),
        week={each.hour: each.weight for each in connection.execute(WEEK_OF, {"feed": feed})},
        events=[
            FeedEvent(
                kind=FeedEventKind(each.kind),
                at=each.at,
                until=each.until,
                detail=redact(each.detail),
                count=each.times,
            )
            for each in connection.execute(EVENTS_OF, {"feed": feed})
        ],
        newest=_newest(connection, feed, entries),
    )


def _newest(connection: sa.Connection, feed: FeedId, limit: int) -> Sequence[EntryRow]:
    rows = connection.execute(NEWEST, {"feed": feed, "limit": limit}).all()
    # what one poll brought has one time: by its own dates, and else as it was listed
    rows = sorted(rows, key=lambda row: row.id)
    rows = sorted(rows, key=_newness, reverse=True)
    watches: dict[int, list[str]] = {}
    articles = sorted({row.article_id for row in rows})
    for hit in connection.execute(FOUND_IN, {"articles": articles}) if articles else ():
        watches.setdefault(hit.article_id, []).append(hit.name)
    return [
        EntryRow(
            article=ArticleId(row.article_id),
            url=row.link,
            title=row.title,
            language=row.language,
            published_at=row.published_at,
            first_seen_at=row.first_seen_at,
            backlog=row.backlog,
            article_url=row.url,
            state=ArticleState(row.state),
            error=error_of(row),
            story=None if row.story_id is None else StoryId(row.story_id),
            watches=tuple(watches.get(row.article_id, ())),
        )
        for row in rows
    ]


def _newness(row: Any) -> Any:
    seen = row.first_seen_at
    return seen, min(row.published_at or seen, seen)


def feed_row(row: Row) -> FeedRow:
    """A row of `FEEDS`, for who reads it: without a secret but in `spec`."""
    move = move_of(row)
    return FeedRow(
        id=FeedId(row.id),
        spec=feed_spec(row),
        status=FeedStatus(row.status),
        polled_at=row.polled_at,
        ok_at=row.ok_at,
        due_at=row.due_at,
        due_by=None if row.due_by is None else DueBy(row.due_by),
        failures=row.failures,
        error=error_of(row),
        entries=row.entries,
        newest_at=row.newest_at,
        health=Health(row.health),
        health_since=row.health_since,
        gaps=row.gaps,
        gap_at=row.gap_at,
        rhythm=row.rhythm,
        overlap=row.overlap,
        hints=row.hints,
        move=move and replace(move, url=redact(move.url)),
        subscription=SubscriptionState(row.subscription) if row.subscription else None,
        subscribed_until=row.expires_at,
        pushed_at=row.pushed_at,
    )


def error_of(row: Any) -> str | None:
    """What went wrong, of a row that holds a code and a detail; without a secret."""
    if row.error_code is None:
        return None
    said = f"{row.error_code}: {row.error_detail}" if row.error_detail else str(row.error_code)
    return redact(said)
