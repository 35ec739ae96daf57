"""What is new in a feed: items whose bytes were read before are cut away before it is parsed.

A feed lists fifty items of which three are new, and feedparser's cost grows with all fifty. So a
document is cut into its items by one pass over its bytes, and of each a *mark* is kept, a hash.
What was marked last time is left out; what remains is a smaller document of the same kind.

That parsing it gives the same as parsing the whole, less what was left out, rests on four things.
Each is looked at, and where one fails the whole is parsed:

- The characters are decoded before anything is cut.
- The cut is along whole elements. Marks are good for cutting only if their document was XML without
  a fault and had as many entries as items: then a marked item is whole in itself, and to take it
  away makes nothing well-formed that was not, nor the reverse.
- An item means the same wherever it stands. `monitor.parse.reader` sees to it that none leaves a
  trace in the next; what all inherit (namespaces, language, base) is hashed and kept with the marks.
- Entries that share a guid are judged together. So the guid's hash is kept beside the mark, and an
  entry that shares its with one that was left out has the whole parsed.

And if from the first item on nothing has changed at all, there is nothing to look for, in a broken
document no more than in any other.

All this takes time in proportion to the bytes, whatever they are, and needs no process that can be
killed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from monitor.errors import Code, ParseError
from monitor.model import Hints, ParsedFeed
from monitor.parse.build import MAX_ENTRIES
from monitor.parse.characters import is_clean, utf8_of
from monitor.parse.discover import not_a_feed
from monitor.parse.head import Links, read_hints, read_links
from monitor.parse.marks import MAX_MARKS, Marks, joined, mark_of

_START = 4_096  # bytes in which a web page gives itself away
_HEAD = 65_536  # bytes of what stands outside of items that are looked at for hints

_PREFIX = rb"(?:[^\s<>/:!?]*:)?"
_TOKEN = re.compile(
    rb"<!\[CDATA\[|<!--|<\?|</?" + _PREFIX + rb"(?:item|entry)(?=[\s/>])", re.IGNORECASE
)
_DATA = b"<![CDATA["
_CLOSED_BY = {_DATA: b"]]>", b"<!--": b"-->", b"<?": b"?>"}
_NAME = re.compile(rb"[^\s/>]+")
_PAGE = re.compile(rb"<(?:!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)
_FEED = re.compile(b"<" + _PREFIX + rb"(?:rss|feed|rdf|channel|item|entry)[\s/>]", re.IGNORECASE)
_INHERITED = re.compile(  # in lower case
    rb"""(?:xmlns[^\s<>=]{0,99}|base|lang|version)\s{0,9}=\s{0,9}(?:"[^"<]*"|'[^'<]*')"""
    b"|<!doctype[^<>]*|<" + _PREFIX + rb"language\s*>[^<]*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A feed's document without what was read before. Small, and fit to be sent to a process."""

    url: str
    rest: bytes = b""  # what has to be parsed, in UTF-8; empty: nothing in it is new
    whole: bool = False  # nothing was cut away
    json: bool = False
    hints: Hints = Hints()
    links: Links = Links()
    listed: int = 0  # items in it
    known: int = 0  # of these, that were read before, byte for byte
    kept: Marks = Marks()  # of this document; if something is new, still without its items
    marks: Sequence[bytes] = ()  # of all items, in their order, if something is new
    guids: Mapping[bytes, bytes] = field(default_factory=dict)  # of the known: mark → guid's hash
    fresh: Sequence[int] = ()  # the places of the rest's items among all

    @property
    def unchanged(self) -> ParsedFeed | None:
        """What the feed says, if nothing in it is new: then there is nothing to parse."""
        if self.rest:
            return None
        return ParsedFeed(
            title="",
            language=None,
            entries=(),
            hints=self.hints,
            hub=self.links.hub,
            topic=self.links.topic,
            listed=self.listed,
            known=self.known,
            blocks=self.kept.packed(),
        )


def cut(body: bytes, *, url: str, content_type: str, blocks: bytes = b"") -> Cut:
    """Cut away the items of which `blocks`, a former `ParsedFeed.blocks`, has marks.

    `url` is where the body came from, `content_type` the header as sent. Raises `ParseError`
    (`NOT_A_FEED`) for what is none at first sight.
    """
    kept = Marks.unpacked(blocks)
    if kept.each and body.startswith(b"<"):
        found = _cut(body, url, kept)
        if not found.whole and is_clean(found.rest):  # what is known was looked at the last time
            return found
    text = utf8_of(body, content_type)
    if not text:
        raise ParseError(Code.NOT_A_FEED, "the body is empty")
    if _looks_like_json(text, content_type):
        return Cut(url=url, rest=text, whole=True, json=True, kept=kept)
    page = bool(_PAGE.search(text[:_START]))
    if not _FEED.search(text[:_START] if page else text):
        raise not_a_feed(text, url, page=page)
    return _cut(text, url, kept)


def _cut(text: bytes, url: str, kept: Marks) -> Cut:
    first, asides = _first_item(text)
    head = _gaps(text, asides, 0, first)
    now = Marks(
        inherited=mark_of(*_INHERITED.findall(head.lower()), b""),
        listing=mark_of(text[first:]),
    )
    same = kept.inherited == now.inherited
    links = read_links(head[:_HEAD], url)
    found = Cut(url=url, hints=read_hints(head[:_HEAD]), links=links, kept=kept)
    if same and kept.listing == now.listing and kept.each:
        return replace(found, listed=kept.count, known=kept.count)
    known = kept.guids()
    items = _items(text, first, known if kept.cuts else ())
    sound = items.sound and b"<!ENTITY" not in head  # an entity may hold an item
    there = {mark: known[mark] for mark in items.marks if mark in known}
    marks = items.marks[:MAX_ENTRIES]
    fresh = [place for place, mark in enumerate(marks) if mark not in there]
    found = replace(
        found,
        listed=len(items.marks),
        known=sum(mark in there for mark in items.marks),
        kept=replace(now, cuts=sound),
        marks=items.marks,
        guids=there,
    )
    if not (same and sound and kept.cuts) or len(fresh) == len(marks):
        places = range(len(marks))
        rest = items.only(text, places) if sound else text
        return replace(found, rest=rest, whole=True, fresh=places)
    if fresh:
        return replace(found, rest=items.only(text, fresh), fresh=fresh)
    each = joined(items.marks, (there[mark] for mark in items.marks[:MAX_MARKS]))
    return replace(found, kept=replace(now, cuts=True, each=each))


def _looks_like_json(text: bytes, content_type: str) -> bool:
    """By its first character, whatever it is called."""
    return text.startswith(b"{") or ("json" in content_type.lower() and not text.startswith(b"<"))


class _What(Enum):
    """What a token is."""

    BEGIN = auto()
    END = auto()
    EMPTY = auto()  # both at once
    ASIDE = auto()  # a comment, an instruction, CDATA
    BROKEN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Items:
    """Where the items of a document are."""

    spans: Sequence[tuple[int, int]]
    marks: Sequence[bytes]
    sound: bool  # the document seems to be well-formed, its items no more than siblings

    def only(self, text: bytes, places: Collection[int]) -> bytes:
        """The document without the items that stand at other places."""
        if len(places) == len(self.spans):
            return text
        left = set(places)
        gone = [span for place, span in enumerate(self.spans) if place not in left]
        return _gaps(text, gone, 0, len(text))


def _first_item(text: bytes) -> tuple[int, Sequence[tuple[int, int]]]:
    """Where the first item begins, and the comments and instructions before it."""
    asides: list[tuple[int, int]] = []
    done = 0
    while token := _next_token(text, done):
        what, at, done = token
        if what is not _What.ASIDE:
            return at, asides
        if not text.startswith(_DATA, at):
            asides.append((at, done))
    return len(text), asides


def _items(text: bytes, first: int, known: Collection[bytes]) -> _Items:
    """The outermost items and entries of a document, from the first on.

    What is not closed, or stands in another item, makes the document unsound; then only what came
    before it is told. `known` are marks of items that are whole: such a one is not looked into.
    """
    spans: list[tuple[int, int]] = []
    marks: list[bytes] = []
    done, hurried = first, True
    while token := _next_token(text, done):
        what, at, done = token
        if what is _What.ASIDE:
            continue
        if what is _What.BEGIN and hurried and known:
            end = _read_before(text, at, known, spans, marks)
            if end > at:
                done = end
                continue
        end = _end_of_item(text, done) if what is _What.BEGIN else done
        if end < 0 or what not in {_What.BEGIN, _What.EMPTY}:
            return _Items(spans=spans, marks=marks, sound=False)
        hurried = hurried and _supposed_end(text, at) <= end
        spans.append((at, end))
        marks.append(mark_of(text[at:end]))
        done = end
    return _Items(spans=spans, marks=marks, sound=True)


def _read_before(
    text: bytes,
    at: int,
    known: Container[bytes],
    spans: list[tuple[int, int]],
    marks: list[bytes],
) -> int:
    """Where a run of known items ends that begins here; they are added to spans and marks."""
    opening, closing = _brackets(text, at)
    done = at
    while text.startswith(opening, at):
        end = text.find(closing, at) + len(closing)
        mark = mark_of(text[at:end])
        if mark not in known:
            break
        spans.append((at, end))
        marks.append(mark)
        done = end
        at = text.find(b"<", done)
    return done


def _supposed_end(text: bytes, at: int) -> int:
    """Where an item ends at the first look. No later than it does, unless it is oddly written."""
    _, closing = _brackets(text, at)
    return text.find(closing, at) + len(closing)


def _brackets(text: bytes, at: int) -> tuple[bytes, bytes]:
    name = _NAME.match(text, at + 1)
    assert name is not None, "an item has a name"
    return b"<" + name[0], b"</" + name[0] + b">"


def _end_of_item(text: bytes, done: int) -> int:
    """Where an item ends whose tag ended at `done`; -1: nowhere, or another begins in it."""
    while token := _next_token(text, done):
        what, _, done = token
        if what is not _What.ASIDE:
            return done if what is _What.END else -1
    return -1


def _next_token(text: bytes, done: int) -> tuple[_What, int, int] | None:
    """The next tag of an item, or what may hold what only looks like one, and its place."""
    token = _TOKEN.search(text, done)
    if token is None:
        return None
    at, found = token.span()
    closed_by = _CLOSED_BY.get(token[0], b">")
    end = text.find(closed_by, found) + len(closed_by)
    if end <= found:
        return _What.BROKEN, at, len(text)
    if token[0] in _CLOSED_BY:
        return _What.ASIDE, at, end
    tag = text[at + 1 : end]
    if b"<" in tag or tag.count(b'"') % 2 or tag.count(b"'") % 2:  # it does not end where it seems
        return _What.BROKEN, at, end
    if tag.startswith(b"/"):
        return _What.END, at, end
    return _What.EMPTY if tag.endswith(b"/>") else _What.BEGIN, at, end


def _gaps(text: bytes, spans: Sequence[tuple[int, int]], start: int, end: int) -> bytes:
    """What stands between spans."""
    parts = []
    for at, until in spans:
        parts.append(text[start:at])
        start = max(start, until)
    return b"".join([*parts, text[start:end]])
