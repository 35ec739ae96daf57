"""Full text over the archive, asked in the watch language."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monitor.match import Document
from monitor.match.backtest import Archived
from monitor.model import ArticleId, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What an article must be beside what a query asks; None: whatever."""

    since: datetime | None = None  # first seen then or later
    until: datetime | None = None  # first seen before then
    publisher: str | None = None  # of any feed that listed it, as it is written there
    side: str | None = None  # likewise
    language: str | None = None  # its code: "pt" is also pt-BR
    watch: str | None = None  # that found something in it, when it was matched


EVERYTHING = Filters()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """An article that a search found."""

    archived: Archived
    spans: tuple[Span, ...]  # title before body; none if the query asks for nothing in the text

    @property
    def publisher(self) -> str:
        """Who published it: of the feed that listed it first."""
        sources = self.archived.document.sources
        return sources[0] if sources else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """A page of what a search found, the newest first."""

    matches: tuple[Match, ...]
    cursor: str | None  # where the next page begins; None: there is nothing older
    back_to: datetime | None = None
    """Where looking ended before the page was full, or the archive at its end: all that was first
    seen since then was searched. None: that did not happen."""
    unindexed: int = 0
    """Articles that can't be found yet, because the index has not come to them: so many, or more."""
    unindexed_at: datetime | None = None  # when the newest of these was first seen
    nowhere: tuple[str, ...] = ()
    """If nothing was found at all: those of the query's several terms that stand in no article."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unindexed:
    """An article that waits to be indexed."""

    article: ArticleId
    wanted: int  # how often that was asked for
    document: Document | None  # None: it was not matched yet, or is gone
    feeds: tuple[int, ...]  # that list it


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """What an article can be looked up by."""

    article: ArticleId
    wanted: int  # as it was when its text was read
    marks: frozenset[str]


class Search(Protocol):
    """Questions about the text of every article that was matched once.

    An article is found if and only if a watch with that query would match it. The newest come
    first: in the order in which they were first seen.
    """

    async def find(
        self,
        query: str | None,
        filters: Filters = EVERYTHING,
        *,
        cursor: str | None = None,
        limit: int = 20,
    ) -> Results:
        """At most `limit` articles, from `cursor` on; without a query, all that pass the filters.

        Reads no more than can be read at once: a page may hold fewer, and none, and have a cursor.
        Raises `QueryError` for a query, and `Refused` for a cursor, that can't be read.
        """

    def walk(
        self, query: str | None, filters: Filters = EVERYTHING, *, limit: int | None = None
    ) -> AsyncIterator[Sequence[Match]]:
        """All of them, page by page, each a snapshot of its own. Raises as `find`."""
