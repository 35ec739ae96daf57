"""feedparser, told not to let one item's traces be found in the next.

What `feedparser.parse` does around its two parsers is done here instead, for three reasons: the
document's characters are decoded already; a guid is no link, and is not to be resolved like one; and
each item has to mean the same whatever stands before it (`monitor.parse.cut`).
"""

from __future__ import annotations

import io
import re
import xml.sax
import xml.sax.handler
from collections.abc import Sequence
from dataclasses import dataclass
from html.entities import html5
from typing import Any

from feedparser.api import LooseFeedParser, StrictFeedParser, replace_doctype

from monitor.errors import Code, ParseError

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
_AMPERSAND = re.compile(
    rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)"
    rb"|&(?:(?P<xml>#[0-9]{1,7};|#x[0-9A-Fa-f]{1,6};|(?:amp|lt|gt|quot|apos);)"
    rb"|(?P<name>[A-Za-z][A-Za-z0-9]{1,31};))?",
    re.DOTALL,
)
_BASE = re.compile(rb"base\s*=", re.IGNORECASE)
_GUIDLESS = StrictFeedParser.can_be_relative_uri - {"id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What feedparser made of a document."""

    feed: Any
    entries: Sequence[Any]
    version: str  # empty: it is no feed
    fault: str | None  # why it isn't XML, even repaired; then it was read as a browser would


def read_document(text: bytes, url: str) -> Document:
    """Read RSS, Atom or RDF in UTF-8. Raises `ParseError` (`PARSE`) where feedparser gives up.

    Sanitizing is off: it is quadratic on some bytes, and all markup goes in `monitor.parse.plain`
    anyway. `url` is what an ``xml:base`` is relative to. In a document without one feedparser is
    spared it, as it would work it out anew for each tag, a seventh of its time; relative links stay
    what they are.
    """
    try:
        return _read(text, url if _BASE.search(text) else "")
    except _GAVE_UP as error:
        raise ParseError(Code.PARSE, f"the feed can't be read ({type(error).__name__})") from None


def _read(text: bytes, url: str) -> Document:
    version, data, entities = replace_doctype(text)
    parser: Any = _Strict(url, None, "utf-8")
    fault = _by_expat(data, parser)
    if fault is not None and (repaired := _repaired(data)) != data:
        parser = _Strict(url, None, "utf-8")
        fault = _by_expat(repaired, parser)
    if fault is not None:
        parser = _Loose(url, None, "utf-8", entities)
        parser.resolve_relative_uris = parser.sanitize_html = False
        parser.feed(data.decode("utf-8", "replace"))
    return Document(
        feed=parser.feeddata,
        entries=parser.entries,
        version=version or parser.version,
        fault=fault,
    )


def _by_expat(data: bytes, parser: Any) -> str | None:
    """Read XML; what is wrong with it, if something is."""
    parser.resolve_relative_uris = parser.sanitize_html = False
    reader = xml.sax.make_parser()  # noqa: S317 feedparser has taken out what is dangerous
    reader.setFeature(xml.sax.handler.feature_namespaces, True)
    reader.setFeature(xml.sax.handler.feature_external_ges, False)
    reader.setContentHandler(parser)
    reader.setErrorHandler(parser)
    source = xml.sax.InputSource()
    source.setByteStream(io.BytesIO(data))
    source.setEncoding("utf-8")  # whatever the document declares
    try:
        reader.parse(source)
    except xml.sax.SAXException as error:
        return _in_words(error)
    return None


def _repaired(data: bytes) -> bytes:
    """With an ampersand for each that is meant to be one, and characters for HTML's names of them.

    These are by far the most frequent faults of feeds. What is whole by itself is not changed.
    """
    return data if b"<!ENTITY" in data else _AMPERSAND.sub(_reference, data)


def _reference(found: re.Match[bytes]) -> bytes:
    if not found[0].startswith(b"&") or found["xml"]:
        return found[0]
    if (name := found["name"]) and (text := html5.get(name.decode())):
        return "".join(f"&#{ord(character)};" for character in text).encode()
    return b"&amp;" + found[0][1:]


def _in_words(error: xml.sax.SAXException) -> str:
    if isinstance(error, xml.sax.SAXParseException):
        return f"line {error.getLineNumber()}: {error.getMessage()}"
    return str(error)


class _Strict(StrictFeedParser):  # type: ignore[misc]
    """At an item's end, all is as it was at its beginning.

    feedparser's own state is not: a ``<div>`` in a summary leaves its ``xml:base`` behind, a
    prefix that an item declares stays declared, an image of an item is the feed's.
    """

    can_be_relative_uri = _GUIDLESS
    _KEPT = frozenset({"entries", "property_depth_map", "_before"})

    def __init__(self, *given: Any) -> None:
        self._before: list[dict[str, Any]] = []
        super().__init__(*given)

    def _start_item(self, attributes: dict[str, str]) -> None:
        self._before.append(
            {
                name: type(value)(value) if isinstance(value, list | dict) else value
                for name, value in self.__dict__.items()
                if name not in self._KEPT
            }
        )
        super()._start_item(attributes)

    _start_entry = _start_item

    def _end_item(self) -> None:
        super()._end_item()
        if self._before:
            self.__dict__.update(self._before.pop())

    _end_entry = _end_item


class _Loose(LooseFeedParser):  # type: ignore[misc]
    """For what isn't XML. Its items can't be told apart, so they are left as they are found."""

    can_be_relative_uri = _GUIDLESS
