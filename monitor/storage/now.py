"""The front page: stories in which something was found, read from the end of the hits.

A list is made of hits, the newest first, in steps of some hundred: its cost is that of what is
shown, or, where little of much is sought, that of a few thousand hits and not of the archive.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from monitor.model import (
    ArticleId,
    ArticleState,
    Deed,
    DeliveryId,
    DeliveryState,
    Hand,
    Health,
    Hit,
    StoryId,
)
from monitor.ports.now import (
    Choices,
    FoundPlace,
    Marks,
    Message,
    NowPage,
    NowRow,
    Reported,
    Sought,
    Standing,
    Strip,
)
from monitor.storage import outbox
from monitor.storage import tables as t
from monitor.storage.holds import holds_of
from monitor.storage.leads import IS_BACKLOG, PUBLISHER, leads
from monitor.storage.store import SqlStore
from monitor.storage.work import Row, among, is_due
from monitor.stories.copies import NEWS

STEP: Final = 400
"""Hits that are looked at together: a few milliseconds."""

STEPS: Final = 5
"""How often more are looked at before the list ends where it has come to."""

CHANGES: Final = 300
"""Changes of a kind that are told: who has missed more looks anew."""

LANGUAGES: Final = 500
"""Newest hits whose languages may be looked for."""

DAY: Final = timedelta(days=1)
END: Final = datetime(9999, 1, 1, tzinfo=UTC)
BEGIN: Final = datetime(1970, 1, 1, tzinfo=UTC)

TIME = t.hit.c.matched_at.type

_place = sa.tuple_(sa.bindparam("at", type_=TIME), sa.bindparam("hit", type_=sa.BigInteger()))
_newest = (t.hit.c.matched_at.desc(), t.hit.c.id.desc())
_watch = sa.select(t.watch.c.id).where(t.watch.c.name == sa.bindparam("watch")).scalar_subquery()
_in_time = t.hit.c.matched_at >= sa.bindparam("since", type_=TIME)


def _listed_by(column: sa.Column[Any], name: str) -> sa.ColumnElement[bool]:
    """Whether a feed that listed the article is one of these."""
    return sa.exists().where(
        t.entry.c.article_id == t.article.c.id,
        t.feed.c.id == t.entry.c.feed_id,
        column == sa.bindparam(name),
    )


_language = sa.bindparam("language", type_=sa.Text())
_of_story = t.delivery.c.story_id == t.article.c.story_id
_waits = sa.exists().where(t.hold.c.story_id == t.article.c.story_id)


def _done(deed: Deed) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        _of_story, t.hand.c.delivery_id == t.delivery.c.id, t.hand.c.kind == deed
    )


STANDINGS: Final[Mapping[Standing, sa.ColumnElement[bool]]] = {
    Standing.ALERTED: sa.exists().where(
        _of_story, t.delivery.c.state.in_((DeliveryState.SENT, DeliveryState.FOLDED))
    ),
    Standing.HELD: sa.or_(
        _waits, sa.exists().where(_of_story, t.delivery.c.state == DeliveryState.HELD)
    ),
    Standing.MUTED: _done(Deed.MUTED),
    Standing.ACKNOWLEDGED: _done(Deed.SEEN),
    Standing.SILENT: sa.and_(~sa.exists().where(_of_story), ~_waits),
}
"""Of an article: whether its story is one of these."""

_CONDITIONS: Final[Mapping[str, sa.ColumnElement[bool]]] = {
    "publisher": _listed_by(t.feed.c.publisher, "publisher"),
    "side": _listed_by(t.feed.c.side, "side"),
    "language": sa.or_(
        sa.func.lower(t.article.c.language) == _language,
        sa.func.lower(t.article.c.language).startswith(_language + "-"),
    ),
}


def _fits(sought: Sought) -> sa.ColumnElement[bool]:
    """Whether an article is all that is sought but the watch, the time and the words."""
    given = [each for name, each in _CONDITIONS.items() if getattr(sought, name) is not None]
    if sought.standing is not None:
        given.append(STANDINGS[sought.standing])
    return sa.and_(sa.true(), *given)


def _found(sought: Sought) -> sa.Select[Any]:
    """Some hits before a place, the newest first, and whether they are what is sought."""
    at = sa.bindparam("at", type_=TIME)
    hits = (
        sa.select(t.hit.c.id, t.hit.c.matched_at, t.hit.c.article_id)
        .where(
            t.hit.c.matched_at <= at,
            sa.tuple_(t.hit.c.matched_at, t.hit.c.id) < _place,
            _in_time,
            *([t.hit.c.watch_id == _watch] if sought.watch is not None else []),
        )
        .order_by(*_newest)
        .limit(sa.bindparam("step", type_=sa.Integer(), literal_execute=True))
        .subquery("some_hits")
    )
    return (
        sa.select(
            hits.c.id,
            hits.c.matched_at,
            t.article.c.id.label("article"),
            t.article.c.story_id,
            t.article.c.copy_of,
            *([t.article.c.title] if sought.words else []),
            _fits(sought).label("fits"),
        )
        .join(t.article, t.article.c.id == hits.c.article_id)
        .order_by(hits.c.matched_at.desc(), hits.c.id.desc())
    )


def _found_in(sought: Sought) -> sa.Select[Any]:
    """What is sought of some stories, from a place on, the newest first."""
    return (
        sa.select(
            t.hit.c.id,
            t.hit.c.matched_at,
            t.article.c.id.label("article"),
            t.article.c.story_id,
            t.article.c.copy_of,
            *([t.article.c.title] if sought.words else []),
            sa.true().label("fits"),
        )
        .join(t.hit, t.hit.c.article_id == t.article.c.id)
        .where(
            among(t.article.c.story_id, "stories"),
            sa.tuple_(t.hit.c.matched_at, t.hit.c.id) >= _place,
            _in_time,
            t.hit.c.matched_at < sa.bindparam("until", type_=TIME),
            _fits(sought),
            *([t.hit.c.watch_id == _watch] if sought.watch is not None else []),
        )
        .order_by(*_newest)
    )


def _values(sought: Sought) -> dict[str, Any]:
    given = {"watch": sought.watch, "publisher": sought.publisher, "side": sought.side}
    values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if sought.language is not None:
        values["language"] = sought.language.lower()
    return values | {"since": sought.since or BEGIN}


REPORTED: sa.Select[Any] = sa.select(
    t.article.c.id,
    t.article.c.title,
    t.article.c.body,
    t.article.c.url,
    t.article.c.link,
    PUBLISHER,
    t.article.c.language,
    t.article.c.published_at,
    t.article.c.first_seen_at,
    IS_BACKLOG.label("backlog"),
).where(among(t.article.c.id, "articles"))
HITS: sa.Select[Any] = (
    sa.select(t.hit.c.article_id, t.watch.c.name, t.hit.c.spans, t.hit.c.matched_at)
    .join(t.watch, t.watch.c.id == t.hit.c.watch_id)
    .where(among(t.hit.c.article_id, "articles"))
    .order_by(t.hit.c.id)
)
CARRIED: sa.Select[Any] = (
    sa.select(
        t.article.c.story_id,
        t.article.c.id,
        t.article.c.language,
        t.article.c.copy_of,
        t.article.c.novelty,
        t.feed.c.publisher,
        t.feed.c.side,
    )
    .outerjoin(t.entry, t.entry.c.article_id == t.article.c.id)
    .outerjoin(t.feed, t.feed.c.id == t.entry.c.feed_id)
    .where(among(t.article.c.story_id, "stories"))
    .order_by(t.article.c.first_seen_at, t.article.c.id, t.entry.c.first_seen_at, t.entry.c.id)
)
WATCHES: sa.Select[Any] = (
    sa.select(t.article.c.story_id, t.watch.c.name)
    .join(t.hit, t.hit.c.article_id == t.article.c.id)
    .join(t.watch, t.watch.c.id == t.hit.c.watch_id)
    .where(among(t.article.c.story_id, "stories"))
    .group_by(t.article.c.story_id, t.watch.c.name)
    .order_by(sa.func.min(t.hit.c.id))
)
MESSAGES: sa.Select[Any] = (
    sa.select(
        t.delivery.c.story_id,
        t.delivery.c.id,
        t.delivery.c.channel,
        t.delivery.c.state,
        t.delivery.c.due_at,
        t.delivery.c.held_until,
        t.delivery.c.sent_at,
        t.delivery.c.error,
        t.notice.c.sent_at.label("listed_at"),
        t.hand.c.kind,
        t.hand.c.by,
        t.hand.c.at,
    )
    .outerjoin(t.hand, t.hand.c.delivery_id == t.delivery.c.id)
    .outerjoin(
        t.notice,
        sa.and_(
            t.notice.c.channel == t.delivery.c.channel, t.notice.c.subject == t.delivery.c.told_in
        ),
    )
    .where(among(t.delivery.c.story_id, "stories"))
    .order_by(t.delivery.c.created_at, t.delivery.c.channel)
)
_hit = sa.bindparam("hit", type_=sa.BigInteger())
_outcome = sa.bindparam("outcome", type_=sa.BigInteger())
_deed = sa.bindparam("deed", type_=sa.BigInteger())


def _newest_of(table: sa.Table, after: sa.BindParameter[Any]) -> sa.Subquery:
    return (
        sa.select(table)
        .where(table.c.id > after)
        .order_by(table.c.id.desc())
        .limit(CHANGES)
        .subquery(f"new_{table.name}")
    )


_new_hit = _newest_of(t.hit, _hit)
_new_outcome = _newest_of(t.outcome, _outcome)
_new_deed = _newest_of(t.audit, _deed)
CHANGED = (
    sa.select(t.article.c.story_id).join(_new_hit, _new_hit.c.article_id == t.article.c.id),
    sa.select(t.delivery.c.story_id).join(_new_outcome, _new_outcome.c.message == t.delivery.c.id),
    # what was told with others, as soon as the message that tells it is shown
    sa.select(t.delivery.c.story_id)
    .join(
        t.notice,
        sa.and_(
            t.notice.c.channel == t.delivery.c.channel, t.notice.c.subject == t.delivery.c.told_in
        ),
    )
    .join(_new_outcome, _new_outcome.c.message == t.notice.c.id),
    sa.select(t.delivery.c.story_id).join(_new_deed, _new_deed.c.subject == t.delivery.c.id),
)
MARKS = sa.select(
    *(
        sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0)).scalar_subquery().label(name)
        for name, table in (("hit", t.hit), ("outcome", t.outcome), ("deed", t.audit))
    )
)

_since = sa.bindparam("since", type_=TIME)
FEEDS: sa.Select[Any] = (
    sa.select(
        t.feed.c.health,
        sa.func.count().label("number"),
        sa.func.max(t.feed.c.polled_at, type_=TIME).label("polled_at"),
        sa.func.sum(t.feed.c.entries).label("entries"),
        sa.func.sum(sa.case((is_due(t.feed), 1), else_=0)).label("due"),
    )
    .where(t.feed.c.declared)
    .group_by(t.feed.c.health)
)
UNSETTLED = (
    DeliveryState.PENDING,
    DeliveryState.SENDING,
    DeliveryState.RETRY,
    DeliveryState.DEAD,
    DeliveryState.HELD,
)
OUTBOX = sa.union_all(
    *(
        sa.select(
            table.c.state,
            sa.func.count().label("number"),
            sa.func.count(table.c.error)
            .filter(table.c.state == DeliveryState.SENDING)
            .label("uncertain"),
        )
        .where(table.c.state.in_(UNSETTLED))
        .group_by(table.c.state)
        for table in outbox.TABLES
    )
)
FIGURES = sa.select(
    sa.select(sa.func.count())
    .where(t.article.c.state == ArticleState.NEW)
    .scalar_subquery()
    .label("waiting_articles"),
    sa.select(sa.func.count()).where(t.hit.c.matched_at > _since).scalar_subquery().label("hits"),
    sa.select(sa.func.count())
    .where(
        t.delivery.c.state.in_((DeliveryState.SENT, DeliveryState.FOLDED)),
        t.delivery.c.created_at > _since,
    )
    .scalar_subquery()
    .label("told"),
    outbox.OLDEST_WAITING.scalar_subquery().label("oldest_waiting_at"),
    sa.select(sa.func.count(t.hold.c.story_id.distinct())).scalar_subquery().label("stories_held"),
)

WATCH_NAMES = sa.select(t.watch.c.name).where(t.watch.c.declared)
FEED_WORDS: sa.Select[Any] = (
    sa.select(t.feed.c.publisher, t.feed.c.side, t.feed.c.language)
    .where(t.feed.c.declared)
    .distinct()
)
HIT_LANGUAGES = (
    sa.select(t.article.c.language)
    .where(
        t.article.c.id.in_(
            sa.select(t.hit.c.article_id).order_by(t.hit.c.id.desc()).limit(LANGUAGES)
        )
    )
    .distinct()
)


class SqlNews:
    """`ports.News` over an open store."""

    def __init__(self, store: SqlStore, max_age: Callable[[], timedelta | None]) -> None:
        """`max_age`: [alerts] max_age as it is now: stories are named by what was news."""
        self._store = store
        self._max_age = max_age

    async def page(
        self, sought: Sought, limit: int, *, before: FoundPlace | None = None
    ) -> NowPage:
        """See `ports.News`."""
        age = self._max_age()
        return await self._store.query(
            lambda connection: _page(connection, sought, limit, before, age)
        )

    async def among(self, sought: Sought, stories: Collection[StoryId]) -> Sequence[NowRow]:
        """See `ports.News`."""
        age = self._max_age()
        return await self._store.query(lambda connection: _among(connection, sought, stories, age))

    async def marks(self) -> Marks:
        """See `ports.News`."""
        return await self._store.query(_marks)

    async def changed(self, since: Marks) -> tuple[Marks, Sequence[StoryId]]:
        """See `ports.News`."""

        def ask(connection: sa.Connection) -> tuple[Marks, Sequence[StoryId]]:
            marks = _marks(connection)
            if marks == since:
                return marks, ()
            asked = {"hit": since.hit, "outcome": since.outcome, "deed": since.deed}
            stories: dict[StoryId, None] = {}
            for statement in CHANGED:
                for story in connection.execute(statement, asked).scalars():
                    if story is not None:
                        stories[StoryId(story)] = None
            return marks, tuple(stories)

        return await self._store.query(ask)

    async def strip(self, now: datetime) -> Strip:
        """See `ports.News`."""
        return await self._store.query(lambda connection: _strip(connection, now))

    async def choices(self) -> Choices:
        """See `ports.News`."""
        return await self._store.query(_choices)


# --------------------------------------------------------------------------- which stories


def _page(
    connection: sa.Connection,
    sought: Sought,
    limit: int,
    before: FoundPlace | None,
    max_age: timedelta | None,
) -> NowPage:
    start = before or (sought.until or END, 1 << 62)
    if before is None and sought.until is not None:
        start = (sought.until, 0)
    found: dict[StoryId, Row] = {}
    at, ended = start, False
    for _ in range(STEPS):
        values = _values(sought) | {"at": at[0], "hit": at[1], "step": STEP}
        rows = connection.execute(_found(sought), values).all()
        fresh: dict[StoryId, Row] = {}
        for row in rows:
            if _is_sought(row, sought) and row.story_id not in found:
                fresh.setdefault(StoryId(row.story_id), row)
        if before is not None:
            for story in _found_since(connection, sought, start, fresh):
                del fresh[story]
        found |= fresh
        ended = len(rows) < STEP
        if rows:
            at = (rows[-1].matched_at, rows[-1].id)
        if ended or len(found) > limit:
            break
    chosen = [*found.values()][:limit]
    shown = tuple(_rows(connection, chosen, max_age))
    if len(found) > limit:
        return NowPage(rows=shown, earlier=(chosen[-1].matched_at, chosen[-1].id))
    if ended:
        return NowPage(rows=shown, earlier=None)
    return NowPage(rows=shown, earlier=at, looked_back_to=at[0])


def _found_since(
    connection: sa.Connection, sought: Sought, start: FoundPlace, stories: Collection[StoryId]
) -> set[StoryId]:
    """Those of the stories that stood before the place where a list goes on."""
    if not stories:
        return set()
    values = _values(sought) | {
        "at": start[0],
        "hit": start[1],
        "until": sought.until or END,
        "stories": [*stories],
    }
    rows = connection.execute(_found_in(sought), values)
    return {StoryId(row.story_id) for row in rows if _is_sought(row, sought)}


def _is_sought(row: Row, sought: Sought) -> bool:
    if row.story_id is None or not row.fits:
        return False
    title = (row.title or "").casefold() if sought.words else ""
    return all(word.casefold() in title for word in sought.words)


def _among(
    connection: sa.Connection,
    sought: Sought,
    stories: Collection[StoryId],
    max_age: timedelta | None,
) -> Sequence[NowRow]:
    if not stories:
        return ()
    values = _values(sought) | {
        "at": BEGIN,
        "hit": 0,
        "until": sought.until or END,
        "stories": [*stories],
    }
    found: dict[int, Row] = {}
    for row in connection.execute(_found_in(sought), values):
        if _is_sought(row, sought):
            found.setdefault(row.story_id, row)
    return _rows(connection, [*found.values()], max_age)


# --------------------------------------------------------------------------- what they are


def _rows(
    connection: sa.Connection, found: Sequence[Row], max_age: timedelta | None
) -> Sequence[NowRow]:
    """Stories by the newest of what was found in them."""
    if not found:
        return ()
    stories = [row.story_id for row in found]
    asked = {"stories": stories}
    named = leads(connection, stories, max_age)
    latest = {row.story_id: row.article for row in found if not row.copy_of}
    articles = {lead.article for lead in named.values()} | set(latest.values())
    reported = _reported(connection, articles)
    carried: dict[int, list[Row]] = {}
    for row in connection.execute(CARRIED, asked):
        carried.setdefault(row.story_id, []).append(row)
    watches: dict[int, list[str]] = {}
    for row in connection.execute(WATCHES, asked):
        watches.setdefault(row.story_id, []).append(row.name)
    messages = _messages(connection, asked)
    held = holds_of(connection, stories)
    made = []
    for row in found:
        story = row.story_id
        lead = named[StoryId(story)].article
        of = carried[story]
        articles_of = {each.id: each for each in of}
        made.append(
            NowRow(
                story=StoryId(story),
                at=row.matched_at,
                lead=reported[lead],
                latest=reported[latest[story]] if latest.get(story, lead) != lead else None,
                articles=len(articles_of),
                copies=sum(
                    each.copy_of is not None and (each.novelty or 0) <= NEWS
                    for each in articles_of.values()
                ),
                publishers=_each_once(each.publisher for each in of),
                sides=_each_once(each.side for each in of),
                languages=_each_once(each.language for each in of),
                watches=tuple(watches.get(story, ())),
                held=held.get(story, ()),
                messages=tuple(messages.get(story, ())),
            )
        )
    return made


def _each_once(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))


def _reported(connection: sa.Connection, articles: Collection[int]) -> Mapping[int, Reported]:
    asked = {"articles": sorted(articles)}
    hits: dict[int, list[Hit]] = {}
    matched: dict[int, datetime] = {}
    for row in connection.execute(HITS, asked):
        hits.setdefault(row.article_id, []).append(Hit(watch=row.name, spans=row.spans))
        matched.setdefault(row.article_id, row.matched_at)
    return {
        row.id: Reported(
            article=ArticleId(row.id),
            title=row.title or "",
            body=row.body or "",
            url=row.url if row.link else None,
            publisher=row.publisher or "",
            language=row.language,
            published_at=row.published_at,
            first_seen_at=row.first_seen_at,
            matched_at=matched.get(row.id),
            backlog=bool(row.backlog),
            hits=tuple(hits.get(row.id, ())),
        )
        for row in connection.execute(REPORTED, asked)
    }


def _messages(
    connection: sa.Connection, asked: Mapping[str, Any]
) -> Mapping[int, Sequence[Message]]:
    hands: dict[str, dict[Deed, Hand]] = {}
    rows: dict[str, Row] = {}
    for row in connection.execute(MESSAGES, asked):
        done = hands.setdefault(row.id, {})
        if row.kind is not None:
            done[Deed(row.kind)] = Hand(by=row.by, at=row.at)
        rows[row.id] = row
    messages: dict[int, list[Message]] = {}
    for row in rows.values():
        messages.setdefault(row.story_id, []).append(
            Message(
                id=DeliveryId(row.id),
                channel=row.channel,
                state=DeliveryState(row.state),
                due_at=row.due_at,
                held_until=row.held_until,
                sent_at=row.sent_at,
                told_at=row.sent_at or row.listed_at,
                error=row.error,
                hands=hands[row.id],
            )
        )
    return messages


# --------------------------------------------------------------------------- how things stand


def _marks(connection: sa.Connection) -> Marks:
    row = connection.execute(MARKS).one()
    return Marks(hit=row.hit, outcome=row.outcome, deed=row.deed)


def _strip(connection: sa.Connection, now: datetime) -> Strip:
    feeds = connection.execute(FEEDS, {"now": now}).all()
    numbers: dict[str, int] = {}
    uncertain = 0
    for row in connection.execute(OUTBOX):
        numbers[row.state] = numbers.get(row.state, 0) + row.number
        uncertain += row.uncertain
    tried = (DeliveryState.PENDING, DeliveryState.RETRY, DeliveryState.SENDING)
    figures = connection.execute(FIGURES, {"now": now, "since": now - DAY}).one()
    return Strip(
        feeds={Health(row.health): row.number for row in feeds},
        due_feeds=sum(row.due for row in feeds),
        last_poll_at=max((row.polled_at for row in feeds if row.polled_at), default=None),
        entries=sum(row.entries for row in feeds),
        waiting_articles=figures.waiting_articles,
        hits=figures.hits,
        told=figures.told,
        dead=numbers.get(DeliveryState.DEAD, 0),
        waiting=sum(numbers.get(state, 0) for state in tried),
        retrying=numbers.get(DeliveryState.RETRY, 0),
        uncertain=uncertain,
        oldest_waiting_at=figures.oldest_waiting_at,
        held=numbers.get(DeliveryState.HELD, 0),
        stories_held=figures.stories_held,
    )


def _choices(connection: sa.Connection) -> Choices:
    feeds = connection.execute(FEED_WORDS).all()
    languages = {*connection.execute(HIT_LANGUAGES).scalars(), *(row.language for row in feeds)}
    return Choices(
        watches=_sorted(connection.execute(WATCH_NAMES).scalars()),
        publishers=_sorted(row.publisher for row in feeds),
        sides=_sorted(row.side for row in feeds),
        languages=_sorted({each.partition("-")[0].lower() for each in languages if each}),
    )


def _sorted(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({name for name in names if name}, key=str.casefold))
