"""The archive, searched in the watch language: as a page, CSV, JSON lines and RSS."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import ClassVar, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from monitor.errors import QueryError, Refused
from monitor.match.language import line_and_column, parse, rendered
from monitor.match.query import Note, bracketed
from monitor.model import StoryId
from monitor.ports import Filters, Match, Results
from monitor.web import view, words
from monitor.web.access import Access
from monitor.web.desk import Desk
from monitor.web.finds import Channel, Value, lines_of_csv, lines_of_json, record, rss
from monitor.web.hosts import path_of
from monitor.web.security import FORM_HEADERS
from monitor.web.sought import moment

SHOWN: Final = 20
"""Finds of a page."""

MOST_ROWS: Final = 10_000
"""Rows of a download; `monitor export` writes all there are."""

IN_FEED: Final = 50
"""Items of a feed."""

SPANS: Final[Mapping[str, tuple[str, timedelta]]] = {
    "day": ("the last 24 hours", timedelta(days=1)),
    "week": ("the last 7 days", timedelta(days=7)),
    "month": ("the last 30 days", timedelta(days=30)),
    "year": ("the last year", timedelta(days=365)),
}
"""Of `time`: what it is called, and how long it is."""

FIELDS: Final = ("q", "watch", "publisher", "language", "side", "time", "from", "to")
"""What a URL may ask for, in this order."""

EXAMPLES: Final = (
    ("ceasefire", "a word, however it is spelt: cease-fire, CEASEFIRES"),
    ('"line of control"', "words in a row"),
    ("(truce OR ceasefire) AND Kashmir", "one of these, and that"),
    ("India NEAR/10 Pakistan", "at most ten words apart"),
    ("nuclear* NOT power", "beginnings of words, and what must not be there"),
    ("title:कश्मीर", "in the headline, in any script"),
    ("جنگ بندی lang:ur", "in one language"),
)
"""Queries for who has none, and what they mean."""

_LONGEST: Final = 4_000  # characters of a query in a URL
_LONGEST_VALUE: Final = 200
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a URL asks for."""

    given: Mapping[str, str] = field(default_factory=dict)  # what is set
    cursor: str | None = None
    mistakes: tuple[str, ...] = ()  # what could not be read, and is not asked for

    @property
    def query(self) -> str | None:
        """In the watch language; None: none."""
        return self.given.get("q")

    def url(self, ending: str = "", **other: str) -> str:
        """The address of this search from its beginning, with other values beside its own."""
        values = {**self.given, **other}
        asked = {name: values[name] for name in FIELDS if values.get(name)}
        return f"/search{ending}?{urlencode(asked)}" if asked else f"/search{ending}"

    @property
    def all_of_it(self) -> str:
        """The address of the same query without filters."""
        return f"/search?{urlencode({'q': self.query or ''})}"

    def further(self, cursor: str) -> str:
        """Where the page goes on."""
        return f"{self.url()}&{urlencode({'before': cursor})}"

    def filters(self, now: datetime) -> Filters:
        """What an article must be beside what the query asks, at a moment."""
        given = self.given
        since, until = moment(given.get("from", "")), moment(given.get("to", ""), ends=True)
        if given.get("time") in SPANS:
            since = max(since or _FIRST, now - SPANS[given["time"]][1])
        return Filters(
            since=since,
            until=until,
            publisher=given.get("publisher"),
            side=given.get("side"),
            language=given.get("language"),
            watch=given.get("watch"),
        )


def read(params: Mapping[str, str]) -> Asked:
    """What a URL asks for; what can't be read is left out, and told."""
    given: dict[str, str] = {}
    mistakes: list[str] = []
    for name in FIELDS:
        value = params.get(name, "").strip()[: _LONGEST if name == "q" else _LONGEST_VALUE]
        if not value:
            continue
        if name == "time" and value not in SPANS:
            mistakes.append(f"“{value}” is no time: {', '.join(SPANS)} are.")
        elif name in {"from", "to"} and moment(value) is None:
            mistakes.append(f"“{value}” is no time: write it as 2026-05-10 or 2026-05-10T14:30.")
        else:
            given[name] = value
    return Asked(given=given, cursor=params.get("before") or None, mistakes=tuple(mistakes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A find, ready to be shown."""

    article: int
    story: StoryId | None
    headline: tuple[view.Segment, ...]
    passage: tuple[view.Segment, ...]
    href: str | None
    publisher: str
    language: str | None
    sides: tuple[str, ...]
    at: datetime  # first seen
    published_at: datetime | None


def item(match: Match) -> Item:
    """A find as the page shows it."""
    each = match.archived
    document = each.document
    return Item(
        article=int(each.article),
        story=each.story,
        headline=view.headline(document.title, match.spans),
        passage=view.passage(document.body, match.spans),
        href=view.web_link(each.url),
        publisher=match.publisher,
        language=view.language(document.language),
        sides=document.sides,
        at=each.first_seen_at,
        published_at=each.published_at,
    )


class Search:
    """The section about everything that was stored."""

    nav: ClassVar = ("/search", "Search")

    def __init__(self, desk: Desk, access: Access) -> None:
        self._desk = desk
        self._access = access

    def is_open(self, request: Request) -> bool:
        """Whether a request has the key of the feed that it asks for: of this search, and no other."""
        if path_of(request) != "/search.rss" or request.method not in {"GET", "HEAD"}:
            return False
        return self._access.is_key(
            _signed(read(request.query_params)), request.query_params.get("key", "")
        )

    def routes(self) -> Sequence[BaseRoute]:
        """What is answered below ``/search``."""
        return [
            Route("/search", self.index),
            Route("/search.csv", self.csv),
            Route("/search.jsonl", self.jsonl),
            Route("/search.rss", self.rss),
        ]

    async def index(self, request: Request) -> Response:
        """A page of finds, or what may be asked."""
        asked = read(request.query_params)
        if any(not value for value in request.query_params.values()):  # a form sends all its fields
            return RedirectResponse(asked.url())
        desk = self._desk
        trouble, results, items = "", Results(matches=(), cursor=None), []
        if asked.given:
            try:
                results = await self._find(asked)
                items = await asyncio.to_thread(lambda: [*map(item, results.matches)])
            except (QueryError, Refused) as error:
                trouble = _said(error)
        choices = await desk.reports.news.choices()
        response = desk.pages.render(
            "search.html",
            asked=asked,
            results=results,
            items=items,
            trouble=trouble,
            reading="" if trouble or asked.query is None else _reading(asked.query),
            notes=() if trouble or asked.query is None else _notes(asked.query),
            examples=EXAMPLES,
            options={
                "watch": [(name, name) for name in choices.watches],
                "publisher": [(name, name) for name in choices.publishers],
                "side": [(name, name) for name in choices.sides],
                "language": words.languages(choices.languages),
                "time": [(name, said) for name, (said, _) in SPANS.items()],
            },
            most=MOST_ROWS,
            feed=self._feed(asked),
        )
        response.headers.update(FORM_HEADERS)
        return response

    async def csv(self, request: Request) -> Response:
        """The newest finds as a table, for a spreadsheet."""
        # a byte order mark: without it Excel takes it for the code page of its country
        return await self._file(
            request,
            "csv",
            "text/csv",
            lambda found, first: ("\ufeff" if first else "") + lines_of_csv(found, head=first),
        )

    async def jsonl(self, request: Request) -> Response:
        """The newest finds, an object a line."""
        return await self._file(
            request, "jsonl", "application/jsonl", lambda found, _: lines_of_json(found)
        )

    async def rss(self, request: Request) -> Response:
        """The newest finds as a feed to subscribe to."""
        asked, base = read(request.query_params), self._access.origins.base(request)
        try:
            results = await self._find(asked, IN_FEED)
        except (QueryError, Refused) as error:
            return _refusal(error)
        said = asked.query or "everything"
        matches = results.matches
        newest = max((match.archived.first_seen_at for match in matches), default=None)
        channel = Channel(
            title=f"{said} – monitor",
            description=f"What is found in the archive by: {said}",
            page=f"{base}{asked.url()}",
            own=f"{base}{self._feed(asked) if 'key' in request.query_params else asked.url('.rss')}",
            built_at=newest or self._desk.clock.now(),
        )
        body = await asyncio.to_thread(rss, channel, matches, f"{base}/")
        tag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        headers = {"ETag": tag, "Cache-Control": "private, max-age=60"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(body, media_type="application/rss+xml", headers=headers)

    def _feed(self, asked: Asked) -> str:
        """Where a reader follows this search: with a key, where one is needed."""
        key = self._access.key_of(_signed(asked))
        where = asked.url(".rss")
        return f"{where}{'&' if asked.given else '?'}key={key}" if key else where

    async def _find(self, asked: Asked, limit: int = SHOWN) -> Results:
        filters = asked.filters(self._desk.clock.now())
        return await self._desk.reports.search.find(
            asked.query, filters, cursor=asked.cursor, limit=limit
        )

    async def _file(
        self,
        request: Request,
        ending: str,
        media_type: str,
        write: Callable[[Iterable[Mapping[str, Value]], bool], str],
    ) -> Response:
        asked = read(request.query_params)
        if asked.mistakes:
            return _refusal(Refused(" ".join(asked.mistakes)))
        now = self._desk.clock.now()
        pages = self._desk.reports.search.walk(asked.query, asked.filters(now), limit=MOST_ROWS)
        try:
            first = await anext(pages, None) or ()  # a tuple in its place: SystemError in 3.11
        except (QueryError, Refused) as error:
            return _refusal(error)

        async def body() -> AsyncIterator[str]:
            yield await asyncio.to_thread(lambda: write([*map(record, first)], True))
            async for page in pages:
                yield await asyncio.to_thread(_written, write, page)

        name = f"search-{now:%Y%m%d-%H%M}.{ending}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(body(), media_type=media_type, headers=headers)


def _signed(asked: Asked) -> str:
    """What the key of a search's feed is made of; no watch's is made of that."""
    return f"search\n{asked.url()}"


def _written(
    write: Callable[[Iterable[Mapping[str, Value]], bool], str], page: Sequence[Match]
) -> str:
    return write([*map(record, page)], False)


def _refusal(error: QueryError | Refused) -> Response:
    return PlainTextResponse(f"{_said(error)}\n", HTTPStatus.BAD_REQUEST)


def _said(error: QueryError | Refused) -> str:
    return rendered(error) if isinstance(error, QueryError) else str(error)


def _reading(query: str) -> str:
    return bracketed(parse(query).root)


def _notes(query: str) -> Sequence[str]:
    return [_placed(query, note) for note in parse(query).notes]


def _placed(query: str, note: Note) -> str:
    row, column = line_and_column(query, note.start)
    place = f"line {row}, column {column}" if "\n" in query else f"column {column}"
    return f"{place}: {note.message}"
