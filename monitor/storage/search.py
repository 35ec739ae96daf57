"""Full text over the archive, asked in the watch language. See `ports.Search`.

What may match is looked up; whether it does, and where, the live matcher says.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from monitor import config
from monitor.errors import Refused
from monitor.match import Matcher, compile_watches
from monitor.match.backtest import Archived
from monitor.match.presearch import Presearch
from monitor.model import Watch
from monitor.ports import EVERYTHING, Filters, Match, Results
from monitor.storage import archive
from monitor.storage import tables as t
from monitor.storage.store import SqlStore

AT_ONCE: Final = 64
"""Candidates whose text is read together."""

MOST: Final = 1_000
"""Candidates of one page whose text is read: then it says how far it came."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query, ready to be put to articles."""

    matcher: Matcher
    presearch: Presearch


@functools.lru_cache(maxsize=64)
def _asked(query: str) -> _Asked:
    config.checked(query)
    matcher = compile_watches([Watch(name="search", query=query)])
    return _Asked(matcher, Presearch(matcher.plans().values()))


class SqlSearch:
    """`ports.Search` over an open store."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def find(
        self,
        query: str | None,
        filters: Filters = EVERYTHING,
        *,
        cursor: str | None = None,
        limit: int = 20,
    ) -> Results:
        """See `ports.Search`."""
        before = _place(cursor)
        return await self._store.query(
            lambda connection: _page(connection, query, filters, before, limit)
        )

    async def walk(
        self, query: str | None, filters: Filters = EVERYTHING, *, limit: int | None = None
    ) -> AsyncIterator[Sequence[Match]]:
        """See `ports.Search`."""
        cursor, left = None, limit
        while left is None or left > 0:
            page = await self.find(query, filters, cursor=cursor, limit=min(200, left or 200))
            if page.matches:
                yield page.matches
            if page.cursor is None:
                return
            cursor = page.cursor
            left = None if left is None else left - len(page.matches)


def _place(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not cursor.isdecimal() or len(cursor) > 18:
        raise Refused(f"{cursor[:40]!r} is no place in a search: begin again without a cursor")
    return int(cursor)


_candidates: sa.Select[Any] = (
    sa.select(t.article.c.id)
    .where(t.article.c.ingested_at.is_not(None), t.article.c.id < sa.bindparam("before"))
    .order_by(t.article.c.id.desc())
    .limit(sa.bindparam("most", type_=sa.Integer(), literal_execute=True))
)


def _page(
    connection: sa.Connection, query: str | None, filters: Filters, before: int | None, limit: int
) -> Results:
    asked = None if query is None else _asked(query)
    matches: list[Match] = []
    feeds: archive.Feeds = {}
    place = before or 1 << 62
    looked_at = 0
    last: Archived | None = None
    while looked_at < MOST:
        ids = connection.execute(_candidates, {"before": place, "most": AT_ONCE}).scalars().all()
        for each in archive.some(connection, feeds, ids):
            last, place = each, int(each.article)
            looked_at += 1
            if _passes(each, filters) and (match := _match(asked, each)) is not None:
                matches.append(match)
                if len(matches) == limit:
                    return Results(matches=tuple(matches), cursor=str(place))
        if len(ids) < AT_ONCE:
            return Results(matches=tuple(matches), cursor=None)
    return Results(
        matches=tuple(matches), cursor=str(place), back_to=last.first_seen_at if last else None
    )


def _match(asked: _Asked | None, each: Archived) -> Match | None:
    if asked is None:
        return Match(archived=each, spans=())
    if not asked.presearch.may_match(each.document):
        return None
    hits = asked.matcher.match(each.document)
    return Match(archived=each, spans=hits[0].spans) if hits else None


def _passes(each: Archived, filters: Filters) -> bool:
    since, until = filters.since, filters.until
    document = each.document
    language = (document.language or "").lower()
    return (
        (since is None or each.first_seen_at >= since)
        and (until is None or each.first_seen_at < until)
        and (filters.publisher is None or filters.publisher in document.sources)
        and (filters.side is None or filters.side in document.sides)
        and (
            filters.language is None
            or language == filters.language.lower()
            or language.startswith(f"{filters.language.lower()}-")
        )
    )
