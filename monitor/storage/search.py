"""Full text over the archive, asked in the watch language. See `ports.Search`.

The index tells which articles may match; whether one does, and where, the live matcher says, so that
search and alerts can't disagree. The newest of those that are not indexed yet are read as they are.
"""

from __future__ import annotations

import functools
import heapq
import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

import sqlalchemy as sa

from monitor import config
from monitor.errors import Refused
from monitor.match import Document, Matcher, compile_watches
from monitor.match.about import Wanted
from monitor.match.backtest import Archived
from monitor.match.lookup import (
    NOTHING,
    WHATEVER,
    Condition,
    condition_of,
    either,
    every,
    mark_of_feed,
    mark_of_language,
    terms_of,
)
from monitor.match.nodes import Node
from monitor.match.presearch import Presearch
from monitor.model import Watch
from monitor.ports import EVERYTHING, Filters, Match, Results
from monitor.storage import archive
from monitor.storage import tables as t
from monitor.storage.indexing import NEXT, candidates
from monitor.storage.store import SqlStore
from monitor.storage.work import Row, among

AT_ONCE: Final = 32
"""Candidates whose text is read together."""

PATIENCE: Final = 0.02
"""Seconds after which a page ends where it is, and says so; the next one goes on."""

WALKING: Final = 0.2
"""The same for who takes page after page: to begin one costs as much as some finds."""

READ_UNINDEXED: Final = 50
"""Articles that wait to be indexed and are read all the same, the newest."""

MOST_FEEDS: Final = 250
"""Feeds that articles are looked up by: what more of them have to do with is no help."""

MOST_COUNTED: Final = 10_000
"""Unindexed articles that are counted."""

MOST_TERMS: Final = 8
"""Terms of a query that are looked up one by one, if it finds nothing."""

SLACK: Final = 100
"""Articles by which ids and times may differ in order: of two that come at once."""

_LAST: Final = 1 << 62

_id, _seen = t.article.c.id, t.article.c.first_seen_at
_matched = t.article.c.ingested_at.is_not(None)
_below = sa.bindparam("below", type_=sa.BigInteger())
_above = sa.bindparam("above", type_=sa.BigInteger())
_most = sa.bindparam("most", type_=sa.Integer(), literal_execute=True)
_at = sa.bindparam("at", type_=_seen.type)

ALL = sa.select(_id).where(_matched, _id < _below, _id > _above).order_by(_id.desc()).limit(_most)
OF_WATCH = (
    sa.select(t.hit.c.article_id)
    .join(t.watch, t.watch.c.id == t.hit.c.watch_id)
    .where(
        t.watch.c.name == sa.bindparam("watch"),
        t.hit.c.article_id < _below,
        t.hit.c.article_id > _above,
    )
    .order_by(t.hit.c.article_id.desc())
    .limit(_most)
)
FIRST_SINCE = sa.select(_id).where(_matched, _seen >= _at).order_by(_seen, _id).limit(SLACK)
LAST_BEFORE = (
    sa.select(_id).where(_matched, _seen < _at).order_by(_seen.desc(), _id.desc()).limit(SLACK)
)
QUEUED = (
    NEXT.with_only_columns(t.unindexed.c.article_id)
    .where(t.unindexed.c.article_id < _below, t.unindexed.c.article_id > _above)
    .limit(_most)
)
HIT_BY = (
    sa.select(t.hit.c.article_id)
    .join(t.watch, t.watch.c.id == t.hit.c.watch_id)
    .where(
        t.watch.c.name == sa.bindparam("watch"),
        among(t.hit.c.article_id, "articles"),
    )
)
SEEN = sa.select(_seen).where(_id >= sa.bindparam("article")).order_by(_id).limit(1)
FEEDS: sa.Select[Any] = sa.select(
    t.feed.c.id, t.feed.c.name, t.feed.c.publisher, t.feed.c.side, t.feed.c.tags
)


class SqlSearch:
    """`ports.Search` over an open store."""

    def __init__(self, store: SqlStore, *, patience: float = PATIENCE) -> None:
        self._store = store
        self._patience = patience

    async def find(
        self,
        query: str | None,
        filters: Filters = EVERYTHING,
        *,
        cursor: str | None = None,
        limit: int = 20,
    ) -> Results:
        """See `ports.Search`."""
        below = _place(cursor)

        def ask(connection: sa.Connection) -> Results:
            return _Page(connection, query, filters, below).results(limit, self._patience)

        return await self._store.query(ask)

    async def walk(
        self, query: str | None, filters: Filters = EVERYTHING, *, limit: int | None = None
    ) -> AsyncIterator[Sequence[Match]]:
        """See `ports.Search`."""
        cursor: str | None = None
        left = limit

        def ask(connection: sa.Connection) -> Results:
            asked = _Page(connection, query, filters, _place(cursor), queue=READ_UNINDEXED)
            return asked.results(at_once, max(self._patience, WALKING))

        while left is None or left > 0:
            at_once = _WALKED if left is None else min(_WALKED, left)
            page = await self._store.query(ask)
            if page.matches:
                yield page.matches
            if page.cursor is None:
                return
            cursor = page.cursor
            left = None if left is None else left - len(page.matches)


_WALKED: Final = 200


@dataclass(frozen=True, slots=True, eq=False)
class _Query:
    """A query, ready to be put to articles."""

    root: Node
    matcher: Matcher
    presearch: Presearch

    def match(self, each: Archived) -> Match | None:
        """What of the article matches, if it does."""
        if not self.presearch.may_match(each.document):
            return None
        hits = self.matcher.match(each.document)
        return Match(archived=each, spans=hits[0].spans) if hits else None


@functools.lru_cache(maxsize=16)  # each remembers the words that it met
def _compiled(query: str) -> _Query:
    """Pages of one search, and who polls it as RSS, ask the same again. Raises `QueryError`."""
    config.checked(query)
    matcher = compile_watches([Watch(name="search", query=query)])
    [plan] = matcher.plans().values()
    return _Query(plan.root, matcher, Presearch([plan]))


class _Page:
    """One page of one search, on one snapshot."""

    def __init__(
        self,
        connection: sa.Connection,
        query: str | None,
        filters: Filters,
        below: int,
        *,
        queue: int = MOST_COUNTED,
    ) -> None:
        """`queue`: as many that wait to be indexed are looked for."""
        self._connection = connection
        self._queue = queue
        self._query = None if query is None else _compiled(query)
        self._filters = filters
        self._above, self._below = self._bounds(below)
        self._feeds: archive.Feeds = {}
        self._listing: Sequence[Row] | None = None

    def results(self, limit: int, patience: float) -> Results:
        """The page."""
        until = perf_counter() + patience
        condition = self._condition()
        queued, unread = ((), {}) if condition == WHATEVER else self._queued()
        found: list[Match] = []
        place: int | None = None  # the last candidate that was looked at
        ids = self._candidates(condition, queued)
        while batch := list(itertools.islice(ids, min(AT_ONCE, limit - len(found) + 4))):
            if place is not None and perf_counter() > until:
                back_to = self._connection.execute(SEEN, {"article": place}).scalar_one_or_none()
                return Results(matches=tuple(found), cursor=str(place), back_to=back_to, **unread)
            for each in archive.some(self._connection, self._feeds, self._of_watch(batch)):
                match = self._match(each)
                if match is None:
                    continue
                found.append(match)
                if len(found) == limit:
                    is_last = each.article == batch[-1] and next(ids, None) is None
                    cursor = None if is_last else str(each.article)
                    return Results(matches=tuple(found), cursor=cursor, **unread)
            place = batch[-1]
        nowhere = () if found or unread or self._below != _LAST else self._nowhere(queued)
        return Results(matches=tuple(found), cursor=None, nowhere=nowhere, **unread)

    def _nowhere(self, queued: Sequence[int]) -> tuple[str, ...]:
        """Those of a query's terms that stand in no article: who misspelt one sees which."""
        terms = (
            {} if self._query is None else {each.label: each for each in terms_of(self._query.root)}
        )
        if queued or not 1 < len(terms) <= MOST_TERMS:
            return ()
        looked_up = {label: condition_of(term, lambda _: WHATEVER) for label, term in terms.items()}
        return tuple(
            label
            for label, condition in looked_up.items()
            if condition != WHATEVER
            and next(candidates(self._connection, condition, above=0, below=_LAST), None) is None
        )

    # -- where to look

    def _bounds(self, below: int) -> tuple[int, int]:
        """Ids between which all that were first seen in the filters' time are."""
        filters, above = self._filters, 0
        if filters.since is not None:
            first = self._connection.execute(FIRST_SINCE, {"at": filters.since}).scalars().all()
            above = min(first, default=_LAST) - 1
        if filters.until is not None:
            last = self._connection.execute(LAST_BEFORE, {"at": filters.until}).scalars().all()
            below = min(below, max(last, default=0) + 1)
        return above, below

    def _condition(self) -> Condition:
        parts = [] if self._query is None else [condition_of(self._query.root, self._resolve)]
        filters = self._filters
        if filters.publisher is not None:
            publisher = filters.publisher
            parts.append(self._listed(lambda feed: feed.publisher == publisher))
        if filters.side is not None:
            side = filters.side
            parts.append(self._listed(lambda feed: feed.side == side))
        if filters.language is not None:
            parts.append(mark_of_language(filters.language))
        return every(parts)

    def _resolve(self, wanted: Wanted) -> Condition:
        """What articles are looked up by whose feeds are as a query wants them."""
        return self._listed(
            lambda feed: wanted.fits(
                Document(
                    title="",
                    body="",
                    sources=tuple(filter(None, (feed.publisher, feed.name))),
                    tags=feed.tags,
                    sides=(feed.side,) if feed.side else (),
                )
            )
        )

    def _listed(self, is_wanted: Callable[[Row], bool]) -> Condition:
        if self._listing is None:
            self._listing = self._connection.execute(FEEDS).all()
        marks = [mark_of_feed(feed.id) for feed in self._listing if is_wanted(feed)]
        return WHATEVER if len(marks) > MOST_FEEDS else either(marks)

    def _queued(self) -> tuple[Sequence[int], dict[str, Any]]:
        """Those that wait to be indexed and are read all the same, and what to say of the others."""
        queued = self._connection.execute(
            QUEUED, {"below": self._below, "above": self._above, "most": self._queue}
        )
        ids = queued.scalars().all()
        unread = ids[READ_UNINDEXED:]
        if not unread:
            return ids, {}
        newest = self._connection.execute(SEEN, {"article": unread[0]}).scalar_one_or_none()
        return ids[:READ_UNINDEXED], {"unindexed": len(unread), "unindexed_at": newest}

    def _candidates(self, condition: Condition, queued: Sequence[int]) -> Iterator[int]:
        """Ids of articles that may match, the newest first, each once."""
        if condition == NOTHING:
            return iter(())
        if condition == WHATEVER:
            watch = self._filters.watch
            return self._in_turn(ALL if watch is None else OF_WATCH, {"watch": watch})
        looked_up = candidates(self._connection, condition, above=self._above, below=self._below)
        both = heapq.merge(looked_up, queued, reverse=True)
        return (article for article, _ in itertools.groupby(both))

    def _in_turn(self, statement: sa.Select[Any], values: dict[str, Any]) -> Iterator[int]:
        below = self._below
        while True:
            place = {"below": below, "above": self._above, "most": 2 * AT_ONCE}
            found = self._connection.execute(statement, {**values, **place}).scalars().all()
            yield from found
            if len(found) < 2 * AT_ONCE:
                return
            below = found[-1]

    # -- what of it

    def _of_watch(self, articles: Sequence[int]) -> Sequence[int]:
        """Those in which the filters' watch found something."""
        if self._filters.watch is None:
            return articles
        values = {"watch": self._filters.watch, "articles": articles}
        found = set(self._connection.execute(HIT_BY, values).scalars())
        return [article for article in articles if article in found]

    def _match(self, each: Archived) -> Match | None:
        if not _passes(each, self._filters):
            return None
        return Match(archived=each, spans=()) if self._query is None else self._query.match(each)


def _passes(each: Archived, filters: Filters) -> bool:
    """Whether an article is as the filters want it, but for the watch."""
    document = each.document
    language = (document.language or "").lower().replace("_", "-")
    wanted = (filters.language or "").lower().replace("_", "-")
    return (
        (filters.since is None or each.first_seen_at >= filters.since)
        and (filters.until is None or each.first_seen_at < filters.until)
        and (filters.publisher is None or filters.publisher in document.sources)
        and (filters.side is None or filters.side in document.sides)
        and (not wanted or language == wanted or language.startswith(f"{wanted}-"))
    )


def _place(cursor: str | None) -> int:
    """The id before which to go on. Raises `Refused`."""
    if cursor is None:
        return _LAST
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < len(str(_LAST))):
        raise Refused(f"{cursor[:40]!r} is no place in a search: begin again without it")
    return int(cursor)
