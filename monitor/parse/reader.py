"""feedparser, told not to let one item's traces be found in the next.

What `feedparser.parse` does around its two parsers is done here instead, for four reasons: the
document's characters are decoded already; a guid is no link, and is not to be resolved like one;
each item has to mean the same whatever stands before it (`monitor.parse.cut`); and most of its time
goes to looking up, tag after tag, what is the same for all of them, and to what nobody here asks for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from html.entities import html5
from typing import Any, Final, NamedTuple
from xml.parsers import expat
from xml.sax.saxutils import escape
from xml.sax.xmlreader import AttributesNSImpl

from feedparser.api import LooseFeedParser, StrictFeedParser, replace_doctype
from feedparser.datetimes import _parse_date
from feedparser.mixin import _cp1252
from feedparser.urls import make_safe_absolute_uri
from feedparser.util import FeedParserDict

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
    reader = expat.ParserCreate("utf-8", " ")  # whatever the document declares
    reader.namespace_prefixes = True
    reader.buffer_text = True
    reader.StartElementHandler = parser.begin
    reader.EndElementHandler = parser.end
    reader.CharacterDataHandler = parser.characters
    reader.StartNamespaceDeclHandler = parser.startPrefixMapping
    # nothing is fetched, and what is missing is passed over: as xml.sax has it
    reader.ExternalEntityRefHandler = lambda *_: 1
    reader.SkippedEntityHandler = lambda *_: None
    reader.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_UNLESS_STANDALONE)
    try:
        reader.Parse(data, True)
    except expat.ExpatError as error:
        return f"line {error.lineno}: {expat.ErrorString(error.code)}"
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


def parsed_date(text: str) -> Any:
    """A date in any of the forms that feedparser knows, as a `time.struct_time` in UTC, or None."""
    return _parse_date(text)


# --------------------------------------------------------------------------- feedparser, leaner

_ASKED_FOR: Final = frozenset({
    "author", "authors", "content", "created", "date", "feedburner_origlink", "guid", "href", "id",
    "image", "issued", "language", "link", "links", "modified", "published", "source", "subtitle",
    "summary", "textinput", "title", "updated",
})  # fmt: skip
"""What is read of a document, by us or by feedparser's own handlers, and what leads to it."""

_PUSHED_FOR_NOTHING: Final = {
    "category": "category",
    "dc_subject": "category",
    "keywords": "category",
    "media_category": "category",
    "media_credit": "credit",
    "media_thumbnail": "url",
}
"""Elements whose handlers only gather what nobody asks for, and what they call it."""
_FOR_NOTHING: Final = frozenset({"enclosure", "media_content"})
"""The same of those that hold no text."""

_REFERENCE: Final = re.compile("&([A-Za-z0-9_]+);")  # ?a=1&b=2, as feedparser finds it
_C1: Final = re.compile("[\x80-\x9f]")
_NOT_IN_TEXTINPUT: Final = frozenset({"title", "link", "description", "name"})
_NOT_IN_IMAGE: Final = frozenset({"title", "link", "description", "url", "href", "width", "height"})
_ROOTS: Final = frozenset({"feed", "rss", "rdf:RDF"})


class _Params(FeedParserDict):  # type: ignore[misc]  # feedparser's gap
    """What is known of an element's content; its keys have no aliases."""

    __getitem__: Any = dict.__getitem__
    __setitem__: Any = dict.__setitem__
    __contains__: Any = dict.__contains__
    get: Any = dict.get

    def __deepcopy__(self, memo: object) -> Any:
        return _Params(self)  # strings


_ALIASES: Final = FeedParserDict.keymap.keys() | {
    *("category", "enclosures", "license", "updated", "updated_parsed")
}


class _Item(FeedParserDict):  # type: ignore[misc]  # feedparser's gap
    """An item; what has no alias is looked up without looking for one."""

    def __getitem__(self, key: str) -> Any:
        return super().__getitem__(key) if key in _ALIASES else dict.__getitem__(self, key)

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) if key in _ALIASES else dict.__contains__(self, key)

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key, default) if key in _ALIASES else dict.get(self, key, default)


class _Tag(NamedTuple):
    """What a tag is to feedparser, worked out once."""

    name: str
    element: str
    start: Callable[..., object] | None
    end: Callable[..., object] | None
    pushed: str | None  # in place of its handlers
    ignored: bool
    outside: bool  # of a text input
    off: bool  # an image


_LONGEST_KEPT: Final = 64  # characters of a name that is worth to be known


@lru_cache(maxsize=1024)  # of all documents: feeds use the same few hundred
def _tag(kind: type, local: str, prefix: str, element: str) -> _Tag:
    return _Tag(
        name=local,
        element=element,
        start=getattr(kind, f"_start_{element}", None),
        end=getattr(kind, f"_end_{element}", None),
        pushed=_PUSHED_FOR_NOTHING.get(element),
        ignored=element in _FOR_NOTHING,
        outside=not prefix and local not in _NOT_IN_TEXTINPUT,
        off=not prefix and local not in _NOT_IN_IMAGE,
    )


class _Lean:
    """Without what nobody asks for."""

    pop: Callable[..., Any]

    def _end_published(self) -> None:
        self.pop("published")  # without parsing it: see `parsed_date`

    def _end_updated(self) -> None:
        self.pop("updated")

    def _end_created(self) -> None:
        self.pop("created")

    def _end_expirationdate(self) -> None:
        self.pop("expired")

    _end_issued = _end_pubdate = _end_published
    _end_modified = _end_lastbuilddate = _end_updated


class _Strict(_Lean, StrictFeedParser):  # type: ignore[misc]  # likewise
    """At an item's end, all is as it was at its beginning.

    feedparser's own state is not: a ``<div>`` in a summary leaves its ``xml:base`` behind, a
    prefix that an item declares stays declared, an image of an item is the feed's.

    It is driven by expat itself. `begin` and `end` do what `startElementNS`, `unknown_starttag` and
    their counterparts do for an ordinary tag: one without namespaced attributes, outside of markup.
    """

    baseuri: str
    lang: str | None
    can_be_relative_uri = _GUIDLESS
    _KEPT = frozenset({"entries", "property_depth_map", "_before", "_tags"})

    def __init__(self, *given: Any) -> None:
        self._before: list[dict[str, Any]] = []
        self._tags: dict[str, _Tag | None] = {}
        self._settled: str | None = ""  # a base that is the same when it is resolved
        super().__init__(*given)
        self.resolve_relative_uris = self.sanitize_html = False
        self.contentparams = _Params()

    # -- tags

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        """A tag, as expat names it."""
        try:
            tag = self._tags[name]
        except KeyError:
            tag = self._tags[name] = self._known(name)
        given: dict[str, str] = {}
        if tag is None or self.decls or self.incontent:
            return self._begin_slowly(name, attributes)
        for key, value in attributes.items():
            lower = key.lower()
            if " " in key or lower in {"lang", "base"}:
                return self._begin_slowly(name, attributes)
            given[lower] = value.lower() if lower in {"rel", "type"} else value
        self.depth += 1
        base, lang = self.baseuri, self.lang
        if base != self._settled:
            self.baseuri = make_safe_absolute_uri(base, base) or base
            self._settled = base if base == self.baseuri else None
        if lang and tag.name in _ROOTS:
            self.feeddata["language"] = lang.replace("_", "-")
        self.basestack.append(self.baseuri)
        self.langstack.append(lang)
        if tag.outside:
            self.intextinput = 0
        if tag.off:
            self.inimage = 0
        if tag.pushed is not None:
            self.elementstack.append([tag.pushed, 1, []])
        elif tag.start is not None:
            try:
                tag.start(self, given)
            except AttributeError:
                self._unhandled(tag.element, given)
        elif not tag.ignored:
            self._unhandled(tag.element, given)
        return None

    def _unhandled(self, element: str, given: dict[str, str]) -> None:
        if given:
            if element in _ASKED_FOR:
                self._get_context()[element] = given
        else:
            self.elementstack.append([element, 1, []])

    def _begin_slowly(self, name: str, attributes: Mapping[str, str]) -> None:
        given, qnames = {}, {}
        for key, value in attributes.items():
            pair, qname = _pair(key)
            given[pair], qnames[pair] = value, qname
        self.startElementNS(_pair(name)[0], None, AttributesNSImpl(given, qnames))

    def end(self, name: str) -> None:
        """The end of a tag."""
        try:
            tag = self._tags[name]
        except KeyError:
            tag = self._tags[name] = self._known(name)
        if tag is None or self.incontent > 1 or self.svgOK:
            self.endElementNS(_pair(name)[0], None)
            return
        stack = self.elementstack
        if tag.pushed is not None:
            self._drop(tag.pushed)
        elif tag.end is not None:
            try:
                tag.end(self)
            except AttributeError:
                self.pop(tag.element)
        elif tag.element not in _ASKED_FOR and not self.incontent:
            self._drop(tag.element)
        elif stack and stack[-1][0] == tag.element:
            self.pop(tag.element)
        if self.incontent:
            self._in_content(tag.name)
        bases, langs = self.basestack, self.langstack
        if bases:
            bases.pop()
            if bases and bases[-1]:
                self.baseuri = bases[-1]
        if langs:
            langs.pop()
            if langs:
                self.lang = langs[-1]
        self.depth -= 1

    def _drop(self, element: str) -> None:
        if self.elementstack and self.elementstack[-1][0] == element:
            self.elementstack.pop()

    def _in_content(self, name: str) -> None:
        """The end of a tag that was markup."""
        params = self.contentparams
        if not params.get("type", "xml").endswith("xml"):
            if name in {"xhtml:div", "div"}:
                return
            params["type"] = "application/xhtml+xml"
        if params.get("type") == "application/xhtml+xml":
            self.handle_data(f"</{name.rpartition(':')[2]}>", escape=0)

    def _known(self, name: str) -> _Tag | None:
        """What a tag is; None: one to be looked at each time."""
        (namespace, local), _ = _pair(name)
        lower, local = (namespace or "").lower(), local.lower()
        if "backend.userland.com/rss" in lower or local in {"math", "svg"}:
            return None
        if prefix := self._matchnamespaces.get(lower):
            local = f"{prefix.lower()}:{local}"
        elif namespace:
            known = self.namespaces_in_use.items()
            named = next((key for key, uri in known if key and uri == namespace), None)
            local = f"{named}:{local}" if named else local
        local = local.lower()
        prefix, colon, suffix = local.partition(":")
        if not colon:
            prefix, suffix = "", local
        prefix = self.namespacemap.get(prefix, prefix)
        element = f"{prefix}_{suffix}" if prefix else suffix
        known = _tag if len(element) <= _LONGEST_KEPT else _tag.__wrapped__
        kind: Any = type(self)
        return known(kind, local, prefix, element)

    def track_namespace(self, prefix: str | None, uri: str) -> None:
        """A declaration: what tags are may be something else from now on."""
        self._tags = {}
        super().track_namespace(prefix, uri)

    # -- text

    def characters(self, text: str) -> None:
        """What stands between two tags."""
        if self.elementstack:
            if self.contentparams.get("type") == "application/xhtml+xml":
                text = escape(text)
            self.elementstack[-1][2].append(text)

    def push_content(
        self, tag: str, attrs_d: Mapping[str, str], default_content_type: str, expecting_text: int
    ) -> None:
        """As feedparser has it, in a dictionary without aliases."""
        super().push_content(tag, attrs_d, default_content_type, expecting_text)
        self.contentparams = _Params(**self.contentparams)

    def pop(self, element: str, strip_whitespace: int = 1) -> Any:
        """An element's text, where it belongs: as feedparser has it, for what is no markup."""
        stack, params = self.elementstack, self.contentparams
        if not stack or stack[-1][0] != element:
            return None
        kind = params.get("type")
        if kind == "application/xhtml+xml" or params.get("base64"):
            return super().pop(element, strip_whitespace)
        _, expected, pieces = stack.pop()
        text = "".join(pieces)
        if strip_whitespace:
            text = text.strip()
        if not expected:
            return text
        if text and element in _GUIDLESS:
            text = self.resolve_uri(text)
        plain = kind == "text/plain" and not self.version.startswith("atom")
        if plain and self.looks_like_html(text):
            params["type"] = "text/html"
        params.pop("mode", None)
        params.pop("base64", None)
        if not text.isascii():
            text = _mended(text)
        if element in {"category", "tags", "itunes_keywords"}:
            return text
        if element == "title" and -1 < self.title_depth <= self.depth:
            return text
        if self.inentry and not self.insource:
            self._keep_in_entry(element, text)
        elif self.infeed or self.insource:
            self._keep_in_feed(element, text)
        return text

    def _keep_in_entry(self, element: str, text: str) -> None:
        entry = self.entries[-1]
        if element == "content":
            entry.setdefault(element, []).append(_Params(self.contentparams, value=text))
        elif element == "link":
            if not self.inimage:
                text = _REFERENCE.sub(r"&\g<1>", text.replace("&amp;", "&"))
                entry[element] = text
                if text:
                    entry["links"][-1]["href"] = text
        else:
            element = "summary" if element == "description" else element
            depths = self.property_depth_map.setdefault(entry, {})
            if self.depth <= depths.get(element, self.depth):
                depths[element] = self.depth
                entry[element] = text
            if self.incontent:
                entry[f"{element}_detail"] = _Params(self.contentparams, value=text)

    def _keep_in_feed(self, element: str, text: str) -> None:
        context = self._get_context()
        element = "subtitle" if element == "description" else element
        if element == "link":
            text = _REFERENCE.sub(r"&\g<1>", text)
        context[element] = text
        if element == "link":
            context["links"][-1]["href"] = text
        elif self.incontent:
            context[f"{element}_detail"] = _Params(self.contentparams, value=text)

    # -- items

    def _start_item(self, attributes: dict[str, str]) -> None:
        self._before.append(
            {
                name: type(value)(value) if isinstance(value, list | dict) else value
                for name, value in self.__dict__.items()
                if name not in self._KEPT
            }
        )
        super()._start_item(attributes)
        self.entries[-1] = _Item(self.entries[-1])

    _start_entry = _start_item

    def _end_item(self) -> None:
        super()._end_item()
        if self._before:
            before = self._before.pop()
            if any(
                before[name] != getattr(self, name)
                for name in ("namespacemap", "namespaces_in_use")
            ):
                self._tags = {}
            self.__dict__.update(before)

    _end_entry = _end_item


class _Loose(_Lean, LooseFeedParser):  # type: ignore[misc]  # likewise
    """For what isn't XML. Its items can't be told apart, so they are left as they are found."""

    can_be_relative_uri = _GUIDLESS


def _pair(name: str) -> tuple[tuple[str | None, str], str]:
    """Namespace and local name, and the qualified one, of what expat calls a name."""
    match name.split():
        case [local]:
            return (None, local), local
        case [namespace, local]:
            return (namespace, local), local
        case [namespace, local, prefix]:
            return (namespace, local), f"{prefix}:{local}"
    raise ValueError("a namespace with blanks in it")


def _mended(text: str) -> str:
    """UTF-8 that was taken for Latin-1, and Windows' characters where no others can be."""
    with suppress(UnicodeError):
        text = text.encode("iso-8859-1").decode()
    return text.translate(_cp1252) if _C1.search(text) else text
