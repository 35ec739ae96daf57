"""feedparser, told not to let one item's traces be found in the next.

What `feedparser.parse` does around its two parsers is done here instead, for three reasons: the
document's characters are decoded already; a guid is no link, and is not to be resolved like one; and
each item has to mean the same whatever stands before it (`monitor.parse.cut`).
"""

from __future__ import annotations

import io
import xml.sax
import xml.sax.handler
from collections.abc import Sequence
from dataclasses import dataclass
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
_GUIDLESS = StrictFeedParser.can_be_relative_uri - {"id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What feedparser made of a document."""

    feed: Any
    entries: Sequence[Any]
    version: str  # empty: it is no feed
    fault: str | None  # why it isn't XML; then it was read as a browser would read it


def read_document(text: bytes, url: str) -> Document:
    """Read RSS, Atom or RDF in UTF-8. Raises `ParseError` (`PARSE`) where feedparser gives up.

    Sanitizing is off: it is quadratic on some bytes, and all markup goes in `monitor.parse.plain`
    anyway. `url` is what ``xml:base`` and relative links are resolved against.
    """
    try:
        return _read(text, url)
    except _GAVE_UP as error:
        raise ParseError(Code.PARSE, f"the feed can't be read ({type(error).__name__})") from None


def _read(text: bytes, url: str) -> Document:
    version, data, entities = replace_doctype(text)
    parser: Any = _Strict(url, None, "utf-8")
    fault = None
    try:
        _by_expat(data, parser)
    except xml.sax.SAXException as error:
        fault = _in_words(error)
        parser = _Loose(url, None, "utf-8", entities)
        parser.resolve_relative_uris = parser.sanitize_html = False
        parser.feed(data.decode("utf-8", "replace"))
    return Document(
        feed=parser.feeddata,
        entries=parser.entries,
        version=version or parser.version,
        fault=fault,
    )


def _by_expat(data: bytes, parser: Any) -> None:
    parser.resolve_relative_uris = parser.sanitize_html = False
    reader = xml.sax.make_parser()  # noqa: S317 feedparser has taken out what is dangerous
    reader.setFeature(xml.sax.handler.feature_namespaces, True)
    reader.setFeature(xml.sax.handler.feature_external_ges, False)
    reader.setContentHandler(parser)
    reader.setErrorHandler(parser)
    source = xml.sax.InputSource()
    source.setByteStream(io.BytesIO(data))
    source.setEncoding("utf-8")  # whatever the document declares
    reader.parse(source)


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
