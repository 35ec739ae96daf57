"""Sitemaps (sitemaps.org) and news sitemaps (Google's extension of them): what a site published.

A news sitemap lists the articles of two days with their dates, so it fills what a feed dropped
between two polls. Pure; runs in a worker process, for the bytes are anybody's.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from lxml import etree

from monitor.errors import Code, ParseError
from monitor.model import Entry
from monitor.parse.build import MAX_ENTRIES, build_entry, first_of_each, language_tag, web_link
from monitor.parse.dates import when
from monitor.parse.tags import tags_of

MOST = 50_000
"""URLs in one document, by the protocol."""
LARGEST = 50 << 20
"""Bytes of one document, unpacked, by the protocol."""

_GZIP = b"\x1f\x8b"
_NAMED = re.compile(r"[ \t]*site-?maps?[ \t]*:[ \t]*(\S+)", re.IGNORECASE)
_NEWS = re.compile(r"news(?!letter)|latest|recent", re.IGNORECASE)
_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitemap:
    """What a document lists: pages, or other sitemaps."""

    entries: tuple[Entry, ...] = ()  # newest first; without a date what is no news
    children: tuple[str, ...] = ()  # URLs: what looks like news first, then what changed last


def parse_sitemap(body: bytes, url: str) -> Sitemap:
    """The pages or the sitemaps that a document lists; `url` is where it came from.

    XML, plain or packed with gzip, however broken: what can be read of it counts. Entries carry the
    news extension's title, date and language; of other pages only the URL is known, for a date of
    change is no date of publication. Raises `ParseError`: `PARSE` for what is no sitemap,
    `TOO_LARGE` for what unpacks to more than 50 MiB.
    """
    root = _root(_unpacked(body))
    try:
        kind = _name(root) if root is not None else ""
        if root is None or kind not in {"urlset", "sitemapindex"}:
            raise ParseError(Code.PARSE, "this is no sitemap")
        if kind == "sitemapindex":
            return Sitemap(children=_children(root, url))
        newest = sorted(_of(root, "url"), key=_published_at, reverse=True)[:MAX_ENTRIES]
        return Sitemap(entries=first_of_each(_entry(node, url) for node in newest))
    except UnicodeDecodeError:  # what libxml2 makes of &#xD800;, once it may recover
        raise ParseError(Code.PARSE, "this sitemap has characters that there are not") from None


def named_in_robots(text: str, url: str) -> tuple[str, ...]:
    """The sitemaps that a robots.txt names, what looks like news first; `url` is its own."""
    found = (_NAMED.match(line) for line in text.splitlines())
    return _ranked(web_link(url, match[1]) for match in found if match)


def named_in_page(body: bytes, url: str) -> tuple[str, ...]:
    """The sitemaps that a page in UTF-8 names by ``<link rel="sitemap">``."""
    return _ranked(
        web_link(url, tag.get("href"))
        for tag in tags_of(body)
        if tag.name == "link" and "sitemap" in tag.tokens("rel")
    )


def looks_like_news(url: str) -> bool:
    """Whether a sitemap is one of news, by its path: no host's name tells."""
    parts = urlsplit(url)
    return _NEWS.search(f"{parts.path}?{parts.query}") is not None


def _ranked(urls: Iterator[str | None]) -> tuple[str, ...]:
    unique = dict.fromkeys(url for url in urls if url)
    return tuple(sorted(unique, key=looks_like_news, reverse=True))


def _unpacked(body: bytes) -> bytes:
    if not body.startswith(_GZIP):
        return body
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(body, LARGEST + 1)
    except zlib.error:
        raise ParseError(Code.PARSE, "the gzip is broken") from None
    if len(unpacked) > LARGEST:
        raise ParseError(Code.TOO_LARGE, f"it unpacks to more than {LARGEST:,} bytes")
    return unpacked


def _root(body: bytes) -> etree._Element | None:
    """The document's element, without entities, DTDs and the network."""
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        recover=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(body.lstrip(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _children(root: etree._Element, url: str) -> tuple[str, ...]:
    found: dict[str, datetime] = {}
    for node in _of(root, "sitemap"):
        link = web_link(url, _text(node, "loc"))
        if link:
            found.setdefault(link, when(_text(node, "lastmod")) or _EARLIEST)
    return tuple(sorted(found, key=lambda link: (looks_like_news(link), found[link]), reverse=True))


def _entry(node: etree._Element, base: str) -> Entry | None:
    link = web_link(base, _text(node, "loc"))
    if link is None:
        return None
    news = _news(node)
    about = next(_of(news, "publication"), None) if news is not None else None
    return build_entry(
        guid=link,
        link=link,
        title=_text(news, "title"),
        texts=[],
        authors=[],
        published_at=when(_text(news, "publication_date")),
        language=language_tag(_text(about, "language")),
    )


def _news(node: etree._Element) -> etree._Element | None:
    return next(_of(node, "news"), None)


def _published_at(node: etree._Element) -> datetime:
    return when(_text(_news(node), "publication_date")) or _EARLIEST


def _of(parent: etree._Element, name: str) -> Iterator[etree._Element]:
    """The first children of a name, of whatever namespace: some declare none."""
    seen = 0
    for node in parent:
        if _name(node) == name:
            yield node
            seen += 1
            if seen >= MOST:
                return


def _name(node: etree._Element) -> str:
    tag = node.tag
    return tag.rpartition("}")[2].rpartition(":")[2].lower() if isinstance(tag, str) else ""


def _text(parent: etree._Element | None, name: str) -> str:
    """The text of the first child of a name; "" if there is none, or no parent."""
    node = next(_of(parent, name), None) if parent is not None else None
    return "".join(node.itertext(with_tail=False)).strip() if node is not None else ""
