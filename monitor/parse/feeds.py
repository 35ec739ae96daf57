"""RSS, Atom and RDF by feedparser, JSON Feed by our own reader."""

from __future__ import annotations

import io
import re
import xml.sax
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import urljoin
from xml.sax.saxutils import escape

import feedparser

from monitor.errors import Code, ParseError
from monitor.model import Entry, ParsedFeed
from monitor.parse.build import MAX_ENTRIES, build_entry, first_of_each, language_tag, web_link
from monitor.parse.dates import when
from monitor.parse.jsonfeed import looks_like_json, parse_json_feed
from monitor.parse.plain import one_line

# feedparser promises never to raise and does, on bytes that nobody has written by hand.
_GAVE_UP = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    xml.sax.SAXException,
)
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)
_FEED = re.compile(rb"<(?:[a-z]+:)?(?:rss|feed|rdf|channel)[\s>]", re.IGNORECASE)
_HTML_PAGE = "this is an HTML page"


def parse_feed(body: bytes, *, url: str, content_type: str) -> ParsedFeed:
    """The entries that a feed's bytes list, in their order.

    `url` is where they came from: relative links are resolved against it. `content_type` is the
    header as sent. Raises `ParseError` and nothing else: `NOT_A_FEED` says what was found instead,
    `PARSE` that a feed is broken beyond reading.
    """
    if not body.strip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"):
        raise ParseError(Code.NOT_A_FEED, "the body is empty")
    if looks_like_json(body, content_type):
        return parse_json_feed(body, url=url)
    start = body[:4096]
    if _HTML.search(start) and not _FEED.search(start):
        raise ParseError(Code.NOT_A_FEED, _HTML_PAGE)  # feedparser takes a while to say so
    parsed = _feedparser(body, url, content_type)
    if not parsed.entries:
        _check_emptiness(parsed, body)
    feed = parsed.feed
    language = _language(feed)
    return ParsedFeed(
        title=one_line(_text(feed, "title")),
        language=language,
        entries=first_of_each(
            _entry(entry, url, body, language) for entry in parsed.entries[:MAX_ENTRIES]
        ),
    )


def _feedparser(body: bytes, url: str, content_type: str) -> Any:
    """What feedparser makes of it.

    The bytes are wrapped, as a body that names a file or a URL would be opened. Sanitizing is off:
    it is quadratic on some bytes, and all markup goes in `monitor.parse.plain` anyway.
    """
    headers = {"content-location": url}
    if content_type:
        headers["content-type"] = content_type
    try:
        return feedparser.parse(
            io.BytesIO(body),
            response_headers=headers,
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except _GAVE_UP as error:
        raise ParseError(Code.PARSE, f"the feed can't be read ({type(error).__name__})") from None


def _check_emptiness(parsed: Any, body: bytes) -> None:
    """Tell an empty feed, which is fine, from what is none and from what is broken."""
    if not parsed.get("version"):
        html = _HTML.search(body[:4096])
        raise ParseError(Code.NOT_A_FEED, _HTML_PAGE if html else "no feed was found in it")
    problem = parsed.get("bozo_exception")
    if isinstance(problem, xml.sax.SAXParseException):
        where = f"line {problem.getLineNumber()}: {problem.getMessage()}"
        raise ParseError(Code.PARSE, f"the XML is broken at {where}"[:200])


def _entry(entry: Mapping[str, Any], base: str, body: bytes, language: str | None) -> Entry | None:
    texts = [_text(part, "value") for part in entry.get("content") or () if _is_text(part)]
    texts.append(_text(entry, "summary"))
    return build_entry(
        guid=_as_given(_text(entry, "id"), base, body),
        link=web_link(base, _own(entry, "feedburner_origlink"))
        or web_link(base, _own(entry, "link")),
        title=_text(entry, "title"),
        texts=texts,
        authors=_authors(entry),
        published_at=_published_at(entry),
        language=_language(entry) or language,
    )


def _as_given(guid: str, base: str, body: bytes) -> str:
    """A guid as the document has it.

    feedparser resolves a guid such as ``333483`` against the feed's URL as if it were a link. An
    entry would then be another one as soon as the feed moves.
    """
    for start in (urljoin(base, "."), urljoin(base, "/")):
        if guid.startswith(start):
            forms = (guid.encode(), escape(guid).encode(), escape(guid, {'"': "&quot;"}).encode())
            tail = guid[len(start) :]
            return guid if any(form in body for form in forms) or not tail else tail
    return guid


def _published_at(entry: Mapping[str, Any]) -> Any:
    for name in ("published", "updated", "created"):
        moment = when(_own(entry, name), _own(entry, f"{name}_parsed"))
        if moment is not None:
            return moment
    return None


def _authors(entry: Mapping[str, Any]) -> Iterator[str]:
    listed = entry.get("authors") or ()
    for author in listed:
        if name := _text(author, "name"):
            yield name
    if not any(_text(author, "name") for author in listed):
        yield _text(entry, "author")


def _language(holder: Mapping[str, Any]) -> str | None:
    """What the element says, else the xml:lang that its parts stand under."""
    if tag := language_tag(_own(holder, "language")):
        return tag
    details = [_own(holder, name) for name in ("title_detail", "summary_detail")]
    details += holder.get("content") or ()
    for detail in details:
        if isinstance(detail, Mapping) and (tag := language_tag(detail.get("language"))):
            return tag
    return None


def _is_text(part: Mapping[str, Any]) -> bool:
    """Whether a content element holds words, and not a picture in base64."""
    kind = _text(part, "type").lower()
    return not kind or kind.startswith("text/") or "html" in kind or "xml" in kind


def _own(holder: Mapping[str, Any], key: str) -> Any:
    """A value of feedparser's dictionary itself, without its aliases for keys of old."""
    return dict.get(cast("dict[str, Any]", holder), key)


def _text(holder: Mapping[str, Any], key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""
