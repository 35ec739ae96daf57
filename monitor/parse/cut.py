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

Of a document that fails in one of them, a hash of all but its dates is kept: if nothing else
changes, it isn't parsed again either.

All this takes time in proportion to the bytes, whatever they are, and needs no process that can be
killed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from monitor.errors import Code, ParseError
from monitor.model import Hints, ParsedFeed
from monitor.parse.build import MAX_ENTRIES
from monitor.parse.characters import is_clean, utf8_of
from monitor.parse.discover import not_a_feed
from monitor.parse.head import Links, read_hints, read_links
from monitor.parse.marks import NO_GUID, Marks, digest_of, mark_of, packed

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
_DATE = re.compile(
    b"<" + _PREFIX + rb"(?:lastbuilddate|pubdate|updated|modified|date)\s*>[^<]*", re.IGNORECASE
)
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
    marks: Sequence[bytes] = ()  # of all items, in their order
    kept: Marks = field(default_factory=Marks)  # from the last time
    fresh: Sequence[int] = ()  # the places of the rest's items among all
    inherited: bytes = b""  # digest of what all items inherit; empty where nothing can be cut
    document: bytes = b""  # digest of everything but dates; only of what is whole

    @property
    def known(self) -> int:
        """How many of the items were read before, byte for byte."""
        return sum(mark in self.kept.guids for mark in self.marks)

    @property
    def unchanged(self) -> ParsedFeed | None:
        """What the feed says, if nothing in it is new: then there is nothing to parse."""
        if self.rest:
            return None
        guids = [self.kept.guids.get(mark, NO_GUID) for mark in self.marks]
        return ParsedFeed(
            title="",
            language=None,
            entries=(),
            hints=self.hints,
            hub=self.links.hub,
            topic=self.links.topic,
            listed=len(self.marks),
            known=self.known,
            blocks=packed(self.kept.digest, self.marks, guids, cuts=self.kept.cuts),
        )


def cut(body: bytes, *, url: str, content_type: str, blocks: bytes = b"") -> Cut:
    """Cut away the items of which `blocks`, a former `ParsedFeed.blocks`, has marks.

    `url` is where the body came from, `content_type` the header as sent. Raises `ParseError`
    (`NOT_A_FEED`) for what is none at first sight.
    """
    kept = Marks.unpacked(blocks)
    if kept.cuts and body.startswith(
        b"<"
    ):  # what is known was clean, so only the rest is looked at
        found = _cut(body, url, kept)
        if not found.whole and is_clean(found.rest):
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
    items = _items(text, kept.guids if kept.cuts else ())
    outside = items.head[:_HEAD] + items.tail[:_HEAD]
    found = Cut(
        url=url,
        hints=read_hints(outside),
        links=read_links(outside, url),
        marks=items.marks,
        kept=kept,
        inherited=_inherited(items) if items.sound else b"",
    )
    return _without_known(found, items)


def _inherited(items: _Items) -> bytes:
    """Digest of what can make the same bytes mean something else."""
    return digest_of(*_INHERITED.findall(items.head.lower()), *_DATE.sub(b"", items.tail).split())


def _without_known(found: Cut, items: _Items) -> Cut:
    kept, marks = found.kept, found.marks[:MAX_ENTRIES]
    if kept.cuts and items.sound and kept.digest == found.inherited:
        fresh = [place for place, mark in enumerate(marks) if mark not in kept.guids]
        if marks and not fresh:
            return found
        if len(fresh) < len(marks):
            return replace(found, rest=items.only(fresh), fresh=fresh)
    document = digest_of(_DATE.sub(b"", items.head), *items.parts())
    if not kept.cuts and kept.digest == document:
        return found
    places = range(len(marks))
    return replace(found, rest=items.only(places), whole=True, fresh=places, document=document)


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

    text: bytes
    spans: Sequence[tuple[int, int]]
    marks: Sequence[bytes]
    sound: bool  # the document seems to be well-formed, its items no more than siblings
    head: bytes  # what stands before the first item, without comments
    tail: bytes  # what stands between and behind them

    def only(self, places: Collection[int]) -> bytes:
        """The document without the items that stand at other places."""
        if not self.sound or len(places) == len(self.spans):
            return self.text
        left = set(places)
        gone = [span for place, span in enumerate(self.spans) if place not in left]
        return _gaps(self.text, gone, 0, len(self.text))

    def parts(self) -> Sequence[bytes]:
        """What stands for everything behind the head, but for comments."""
        if not self.sound:
            return [self.text[self.spans[0][0] if self.spans else 0 :]]
        return [*self.marks, self.tail]


def _items(text: bytes, known: Container[bytes]) -> _Items:
    """The outermost items and entries of a document.

    What is not closed, or stands in another item, makes the document unsound; then only what came
    before it is told. `known` are marks of items that are whole: such a one is not looked into, so
    that a document in which nothing is new costs little more than its hashes.
    """
    spans: list[tuple[int, int]] = []
    marks: list[bytes] = []
    asides: list[tuple[int, int]] = []
    first, done, sound, hurried = len(text), 0, True, True
    while token := _next_token(text, done):
        what, at, done = token
        if what is _What.ASIDE:
            if not text.startswith(_DATA, at):
                asides.append((at, done))
            continue
        first = min(first, at)
        if what is _What.BEGIN and hurried:
            end = _read_before(text, at, known, spans, marks)
            if end > at:
                done = end
                continue
        end = _end_of_item(text, done) if what is _What.BEGIN else done
        if end < 0 or what not in {_What.BEGIN, _What.EMPTY}:
            sound = False
            break
        hurried = hurried and _supposed_end(text, at) <= end
        spans.append((at, end))
        marks.append(mark_of(text[at:end]))
        done = end
    head = _gaps(text, [aside for aside in asides if aside[1] <= first], 0, first)
    tail = _gaps(text, sorted([*spans, *asides]), first, len(text)) if sound else b""
    sound = sound and b"<!ENTITY" not in head  # an entity may hold an item
    return _Items(text=text, spans=spans, marks=marks, sound=sound, head=head, tail=tail)


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
