"""Which feeds a web page names: for those who gave a page where a feed should be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from monitor.errors import Code, ParseError
from monitor.parse.build import MAX_TITLE, web_link
from monitor.parse.characters import utf8_of
from monitor.parse.plain import one_line
from monitor.parse.tags import Tag, tags_of

MAX_FOUND = 40

_SCANNED = 1 << 20  # bytes of a page
_KINDS = {
    "application/rss+xml": "RSS",
    "application/atom+xml": "Atom",
    "application/rdf+xml": "RDF",
    "application/feed+json": "JSON Feed",
    "application/x.atom+xml": "Atom",
    "application/x-atom+xml": "Atom",
}
_VAGUE = frozenset({"application/json", "application/xml", "text/xml", "text/json"})
_LIKE_A_FEED = re.compile(r"(?<![a-z])(?:rss\d*|feeds?|atom|rdf)(?![a-z])", re.IGNORECASE)
_NO_FEED = re.compile(r"\.(?:html?|php|aspx?|png|jpe?g|gif|svg|css|js|pdf)$", re.IGNORECASE)
_READERS = frozenset({"feedly.com", "www.feedly.com", "add.my.yahoo.com", "feeds.feedburner.com"})


@dataclass(frozen=True, slots=True)
class FoundFeed:
    """A feed that a page names. `kind` is what the page calls it; "link" where that is a guess."""

    url: str
    title: str
    kind: str


def discover(body: bytes, url: str, *, content_type: str = "") -> tuple[FoundFeed, ...]:
    """The feeds that a page's bytes name, surest first; at most `MAX_FOUND`.

    First those of ``<link rel="alternate">`` (the RSS Advisory Board's and WHATWG's autodiscovery),
    in the page's order, then plain links whose address looks like a feed's. `url` is where the page
    came from.
    """
    base = url
    sure: dict[str, FoundFeed] = {}
    guessed: dict[str, FoundFeed] = {}
    for tag in tags_of(utf8_of(body[:_SCANNED], content_type)):
        if tag.name == "base":
            base = web_link(url, tag.get("href")) or base
            continue
        link = web_link(base, tag.get("href"))
        if link is None or link == url:
            continue
        if tag.name == "a":
            if _looks_like_a_feed(link):
                title = one_line(tag.words or tag.get("title"))[:MAX_TITLE]
                guessed.setdefault(link, FoundFeed(link, title, "link"))
        elif kind := _kind(tag, link):
            sure.setdefault(link, FoundFeed(link, one_line(tag.get("title"))[:MAX_TITLE], kind))
    found = [*sure.values(), *(feed for link, feed in guessed.items() if link not in sure)]
    return tuple(found[:MAX_FOUND])


def not_a_feed(body: bytes, url: str, *, page: bool) -> ParseError:
    """The error for what is no feed; for a page it names the first feed that the page names."""
    if not page:
        return ParseError(Code.NOT_A_FEED, "no feed was found in it")
    detail = "this is a web page, not a feed"
    if found := discover(body, url):
        others = f"{len(found) - 1} more: " if len(found) > 1 else ""
        detail += f"; it names {found[0].url} ({others}monitor feeds discover {url})"
    return ParseError(Code.NOT_A_FEED, detail)


def _kind(tag: Tag, link: str) -> str | None:
    if not tag.tokens("rel") & {"alternate", "feed"}:
        return None
    declared = tag.get("type").partition(";")[0].strip().lower()
    if kind := _KINDS.get(declared):
        return kind
    if declared in _VAGUE and _LIKE_A_FEED.search(f"{urlsplit(link).path} {tag.get('title')}"):
        return "JSON Feed" if "json" in declared else "XML"
    return "feed" if not declared and "feed" in tag.tokens("rel") else None


def _looks_like_a_feed(link: str) -> bool:
    parts = urlsplit(link)
    if parts.hostname in _READERS - {"feeds.feedburner.com"} or _NO_FEED.search(parts.path):
        return False
    return parts.hostname in _READERS or bool(_LIKE_A_FEED.search(parts.path))
