"""What watches found, as feeds that any reader can follow: RSS 2.0, Atom (RFC 4287), JSON Feed 1.1.

An item is an article. Its id is made of the article's URL: it stays the same in every feed, and
when the article is read again. All words are plain text: what is markup in an article's words is
shown as such.

A reader logs in nowhere. So where there is a token, each feed's URL ends in a key of its own, made
of the token: it opens that feed and nothing else, and is good until the token changes.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from html import escape
from typing import Any, Final
from urllib.parse import quote, urlencode

from lxml import etree
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from monitor import __version__
from monitor.match.passage import best_passage
from monitor.ports import FoundRow
from monitor.web import view
from monitor.web.access import Access
from monitor.web.desk import Desk
from monitor.web.hosts import path_of
from monitor.web.validators import revalidated, tag_of, unchanged

ITEMS: Final = 100
_PASSAGE: Final = 300  # characters
_ATOM: Final = "http://www.w3.org/2005/Atom"
_XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PATH: Final = re.compile(r"(?:/watches/(?P<watch>.+))?/hits\.(?P<kind>rss|atom|json)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An article that watches found something in."""

    id: str
    title: str
    text: str
    article: str | None  # its URL
    story: str | None  # URL of its page here
    publisher: str
    language: str | None
    published_at: datetime
    found_at: datetime
    watches: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A feed."""

    id: str
    title: str
    about: str
    url: str  # its own
    home: str  # of the page that shows the same
    updated_at: datetime
    items: Sequence[Item] = field(default_factory=tuple)


class Syndication:
    """`/hits.rss` and its like, of all watches and of each; and the page that lists them."""

    def __init__(self, desk: Desk, access: Access) -> None:
        self._desk = desk
        self._reports = desk.reports
        self._access = access

    def routes(self) -> Sequence[BaseRoute]:
        """What is answered."""
        return [
            Route("/follow", self.follow),
            *(
                Route(path, self.feed)
                for kind in WRITERS
                for path in (f"/hits.{kind}", f"/watches/{{watch:path}}/hits.{kind}")
            ),
        ]

    def is_open(self, request: Request) -> bool:
        """Whether a request has the key of the feed that it asks for."""
        asked = _PATH.fullmatch(path_of(request)) if request.method in {"GET", "HEAD"} else None
        key = request.query_params.get("key", "")
        return bool(asked and key) and self._access.is_key(_name_of(asked and asked["watch"]), key)

    async def follow(self, request: Request) -> Response:
        """Every feed, with its key."""
        rows = await self._reports.watches(self._desk.clock.now())
        names = [None, *sorted((row.watch.name for row in rows), key=str.casefold)]
        return self._desk.pages.render(
            "follow.html",
            lines=[
                (name, [(kind, self._url(request, name, kind)) for kind in WRITERS])
                for name in names
            ],
            has_keys=self._access.has_tokens,
        )

    async def feed(self, request: Request) -> Response:
        """One feed."""
        asked = _PATH.fullmatch(path_of(request))
        assert asked is not None
        watch = asked["watch"]
        rows = await self._reports.catalogue.hits(ITEMS, watch=watch)
        if not rows and watch is not None:
            known = await self._reports.watches(self._desk.clock.now())
            if watch not in {row.watch.name for row in known}:
                raise HTTPException(404, "There is no such watch.")
        base = self._access.origins.base(request)
        items = tuple(_items(rows, base))
        channel = Channel(
            id=uuid.uuid5(uuid.NAMESPACE_URL, f"monitor:hits:{watch or ''}").urn,
            title=f"{watch} · monitor" if watch else "monitor",
            about=f"What the watch “{watch}” found" if watch else "What all watches found",
            url=self._url(request, watch, asked["kind"], has_key="key" in request.query_params),
            home=f"{base}/" if watch is None else f"{base}/?{urlencode({'watch': watch})}",
            updated_at=max((item.found_at for item in items), default=_BEGINNING),
            items=items,
        )
        media_type, write = WRITERS[asked["kind"]]
        return _answer(request, write(channel), media_type, channel.updated_at)

    def _url(self, request: Request, watch: str | None, kind: str, *, has_key: bool = True) -> str:
        path = "" if watch is None else f"/watches/{quote(watch, safe='')}"
        key = self._access.key_of(_name_of(watch)) if has_key else None
        where = f"{self._access.origins.base(request)}{path}/hits.{kind}"
        return f"{where}?key={key}" if key else where


_BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""When a feed was updated in which nothing is: it must say something, and always the same."""


def _name_of(watch: str | None) -> str:
    """What a key is made of; no watch is called so."""
    return "all\n" if watch is None else f"watch\n{watch}"


def _items(rows: Sequence[FoundRow], base: str) -> list[Item]:
    """Hits as articles, those found last first."""
    articles: dict[int, list[FoundRow]] = {}
    for row in rows:
        articles.setdefault(row.article, []).append(row)
    return [_item(group, base) for group in articles.values()]


def _item(rows: Sequence[FoundRow], base: str) -> Item:
    row = rows[0]
    spans = sorted({span for each in rows for span in each.hit.spans if span.field == "body"})
    link = view.web_link(row.url)
    return Item(
        id=uuid.uuid5(uuid.NAMESPACE_URL, link or f"monitor:article:{row.article}").urn,
        title=_plain(row.title) or "(untitled)",
        text=_plain(best_passage(row.body, spans, _PASSAGE).text) if row.body.strip() else "",
        article=link,
        story=None if row.story is None else f"{base}/stories/{row.story}",
        publisher=_plain(row.publisher),
        language=view.language(row.language),
        published_at=min(row.published_at or row.first_seen_at, row.matched_at),
        found_at=row.matched_at,
        watches=tuple(dict.fromkeys(each.hit.watch for each in rows)),
    )


def _plain(words: str) -> str:
    """Words without what XML can't hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", words).strip()


# --------------------------------------------------------------------------- the three formats


def rss(channel: Channel) -> bytes:
    """RSS 2.0. A description is HTML there: words are escaped once more."""
    root = etree.Element("rss", {"version": "2.0"}, nsmap={"atom": _ATOM})
    top = etree.SubElement(root, "channel")
    _add(top, "title", channel.title)
    _add(top, "link", channel.home)
    _add(top, "description", channel.about)
    etree.SubElement(
        top,
        f"{{{_ATOM}}}link",
        {"rel": "self", "type": "application/rss+xml", "href": channel.url},
    )
    _add(top, "lastBuildDate", _rfc_822(channel.updated_at))
    _add(top, "generator", f"monitor {__version__}")
    for item in channel.items:
        each = etree.SubElement(top, "item")
        _add(each, "title", escape(item.title, quote=False))
        if item.article or item.story:
            _add(each, "link", item.article or item.story or "")
        _add(each, "guid", item.id, isPermaLink="false")
        _add(each, "pubDate", _rfc_822(item.found_at))
        _add(each, "description", f"<p>{escape(item.text)}</p><p>{escape(item.publisher)}</p>")
        if item.story:
            _add(each, "comments", item.story)
        for watch in item.watches:
            _add(each, "category", watch)
    return _xml(root)


def atom(channel: Channel) -> bytes:
    """Atom, RFC 4287."""
    root = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})
    _add(root, "title", channel.title)
    _add(root, "subtitle", channel.about)
    _add(root, "id", channel.id)
    _add(root, "updated", _rfc_3339(channel.updated_at))
    _link(root, "self", channel.url, type="application/atom+xml")
    _link(root, "alternate", channel.home, type="text/html")
    _add(_add(root, "author"), "name", "monitor")
    _add(root, "generator", "monitor", version=__version__)
    for item in channel.items:
        each = _add(root, "entry")
        if item.language:
            each.set(_XML_LANG, item.language)
        _add(each, "title", item.title, type="text")
        _add(each, "id", item.id)
        _add(each, "updated", _rfc_3339(item.found_at))
        _add(each, "published", _rfc_3339(item.published_at))
        _add(_add(each, "author"), "name", item.publisher or "unknown")
        _link(each, "alternate", item.article or item.story or channel.home)
        if item.story and item.article:
            _link(each, "related", item.story, type="text/html", title="Story")
        _add(each, "summary", item.text, type="text")
        for watch in item.watches:
            _add(each, "category", term=watch)
    return _xml(root)


def json_feed(channel: Channel) -> bytes:
    """JSON Feed 1.1."""
    told: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": channel.title,
        "description": channel.about,
        "home_page_url": channel.home,
        "feed_url": channel.url,
        "items": [_json_item(item) for item in channel.items],
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _json_item(item: Item) -> Mapping[str, Any]:
    told = {
        "id": item.id,
        "url": item.story or item.article,
        "external_url": item.article,
        "title": item.title,
        "content_text": item.text or item.title,
        "date_published": _rfc_3339(item.published_at),
        "date_modified": _rfc_3339(item.found_at),
        "authors": [{"name": item.publisher}] if item.publisher else None,
        "language": item.language,
        "tags": [*item.watches],
    }
    return {name: value for name, value in told.items() if value is not None}


WRITERS: Final[Mapping[str, tuple[str, Callable[[Channel], bytes]]]] = {
    "rss": ("application/rss+xml", rss),
    "atom": ("application/atom+xml", atom),
    "json": ("application/feed+json", json_feed),
}
"""By how a path ends."""


def _add(parent: Any, name: str, text: str | None = None, **attributes: str) -> Any:
    """A child, in its parent's namespace if that has one."""
    space = etree.QName(parent).namespace
    child = etree.SubElement(parent, f"{{{space}}}{name}" if space else name)
    for key, value in attributes.items():
        child.set(key, _plain(value))
    if text is not None:
        child.text = _plain(text)
    return child


def _link(parent: Any, rel: str, href: str, **attributes: str) -> None:
    _add(parent, "link", rel=rel, href=href, **attributes)


def _xml(root: Any) -> bytes:
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)
    return written


def _rfc_822(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC).replace(microsecond=0), usegmt=True)


def _rfc_3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _answer(request: Request, body: bytes, media_type: str, updated_at: datetime) -> Response:
    """The feed, unless who asks has it: by its tag, else by its date."""
    tag = tag_of(body)
    modified = {"Last-Modified": _rfc_822(updated_at)}
    if same := unchanged(request, tag, modified):
        return same
    since = request.headers.get("if-modified-since")
    if since and "if-none-match" not in request.headers and _is_since(updated_at, since):
        return Response(status_code=304, headers=modified | revalidated(tag))
    headers = modified | revalidated(tag) | {"Content-Type": f"{media_type}; charset=utf-8"}
    return Response(body, headers=headers)


def _is_since(updated_at: datetime, since: str) -> bool:
    try:
        return updated_at.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (TypeError, ValueError):  # no date, or one without a time zone
        return False
