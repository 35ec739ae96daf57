"""What an article can be looked up by, and what must be looked up for a query.

For full text over the archive. An article has *marks*: the keys of its words, as `monitor.text` gives
them to live matching, and some more for its headline and for what is known of it beside its text.
Of a query a *condition* over marks is worked out that every article fulfils which matches it. So an
index of marks leaves nothing out; what it brings too much, the matcher sorts out.

What a condition does not say: where words stand, how often, and what must not be there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, TypeAlias

from monitor.match.about import Wanted
from monitor.match.document import Document
from monitor.match.memo import Memo
from monitor.match.nodes import (
    AllNode,
    AnyNode,
    AtLeastNode,
    MetaNode,
    NearNode,
    Node,
    TermNode,
    WithinNode,
)
from monitor.match.scan import Scan
from monitor.match.spellings import Element, Spelling
from monitor.text import chunk_of, plain_keys, tokens

VERSION: Final = 1
"""Of the marks: whoever changes them, or the keys of `monitor.text`, adds one, and every archive is
indexed anew."""

LONGEST: Final = 64
"""Characters of a mark; what is longer is cut."""

STEMS: Final = (3, 5)
"""Letters that wildcards are looked up by, of words that have more: the longest of these that stand
before the sign. A wildcard has three at least."""

_CLOSE_STEMS: Final = (2,)  # the same of Chinese, Japanese and Korean
_CLOSE: Final = "\u2e80"  # from here on a character is a syllable, or a word
_BLANKS: Final = re.compile(r"[\x00- \x7f]")
_TITLE: Final = ":t"
_LANGUAGE: Final = ":l"
_HOST: Final = ":h"
_AUTHOR: Final = ":a"
_FEED: Final = ":f"
_STEM: Final = "*"


@dataclass(frozen=True, slots=True)
class Every:
    """All of these. None of them: whatever article."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of these at least. None of them: no article."""

    parts: tuple[Condition, ...]


Condition: TypeAlias = "str | Every | Either"
"""A mark that an article must have, or such conditions together."""

WHATEVER: Final = Every(())
"""What every article fulfils."""

NOTHING: Final = Either(())
"""What no article fulfils."""

Resolve: TypeAlias = "Callable[[Wanted], Condition]"
"""What to look up for something wanted of the feeds that list an article: source:, tag:, side:."""


# ------------------------------------------------------------------------- of an article


def marks_of(document: Document) -> set[str]:
    """Everything that an article can be looked up by, but for what its feeds say."""
    scan = Scan(document, chunk_of)
    marks = set[str]().union(*[_remembered[raw] for raw in set(scan.raws)])
    in_title = set(scan.raws[: scan.body_at])
    marks.update(_cut(f"{_TITLE}{key}") for raw in in_title for key in _keys_in(raw))
    marks.update(_language_marks(document.language))
    for site in document.sites:
        marks.update(_host_marks(site))
    for author in document.authors:
        marks.update(_cut(f"{_AUTHOR}{token.norm}") for token in tokens(author))
    return marks


def mark_of_feed(number: int) -> str:
    """What an article is looked up by that a feed lists."""
    return f"{_FEED}{number}"


def mark_of_language(language: str) -> str:
    """What an article is looked up by that is in a language, or in a variety of it."""
    return _cut(f"{_LANGUAGE}{language.lower().replace('_', '-')}")


def _marks_in(raw: str) -> frozenset[str]:
    return frozenset(mark for key in _keys_in(raw) for mark in _marks_of_key(key))


_remembered: Final = Memo(_marks_in, most=1 << 14)
"""What the chunks of late can be looked up by: nine out of ten of an article's are among them."""


def _keys_in(raw: str) -> Iterator[str]:
    """The keys of a chunk, but for those that nobody looks for; one may come twice."""
    keys = plain_keys(raw)
    if keys is None:
        keys = tuple(key for reading in chunk_of(raw).readings for key in reading.keys)
    return (key for key in keys if key and not (key[0] == "=" and _is_plain(key)))


def _is_plain(key: str) -> bool:
    """Whether an exact key tells hardly more than its normal form: nothing is capital but its start."""
    rest = key[2:]
    return rest.islower() or rest == rest.lower()


def _marks_of_key(key: str) -> Iterator[str]:
    yield _cut(key)
    if key[0] in "=#":
        return
    for length in _stems_of(key):
        if len(key) > length:
            yield _cut(_STEM + key[:length])


def _stems_of(key: str) -> tuple[int, ...]:
    return _CLOSE_STEMS if key[0] >= _CLOSE else STEMS


def _language_marks(language: str | None) -> Iterator[str]:
    known = (language or "").lower().replace("_", "-")
    for end in range(1, len(known) + 1):
        yield _cut(f"{_LANGUAGE}^{known[:end]}")
        if end == len(known) or known[end] == "-":
            yield _cut(f"{_LANGUAGE}{known[:end]}")


def _host_marks(host: str) -> Iterator[str]:
    labels = host.lower().rstrip(".").split(".")
    for at, label in enumerate(labels):
        yield _cut(f"{_HOST}{label}")
        yield _cut(f"{_HOST}{'.'.join(labels[at:])}")


def _cut(mark: str) -> str:
    """A mark as an index takes it: of some length, and without blanks, which set marks apart."""
    mark = mark[:LONGEST]
    return mark if mark.isprintable() and " " not in mark else _BLANKS.sub("_", mark)


# ------------------------------------------------------------------------- of a query


def condition_of(node: Node, resolve: Resolve) -> Condition:
    """What must be looked up, so that no article is missed that the query matches."""
    match node:
        case TermNode():
            title = node.field == "title"
            return either(_of_spelling(each, title=title) for each in node.leaf.spellings)
        case MetaNode():
            return _of_wanted(node.wanted, resolve)
        case AllNode() | WithinNode():
            return every(condition_of(part, resolve) for part in node.parts)
        case NearNode():
            return every(condition_of(part, resolve) for part in (node.left, node.right))
        case AnyNode():
            return either(condition_of(part, resolve) for part in node.parts)
        case AtLeastNode():
            return condition_of(node.part, resolve)
        case _:
            return WHATEVER


def terms_of(node: Node) -> Iterator[TermNode]:
    """The terms of a query that it may be looked up by: not what must not be there."""
    match node:
        case TermNode():
            yield node
        case AllNode() | AnyNode() | WithinNode():
            for part in node.parts:
                yield from terms_of(part)
        case NearNode():
            yield from terms_of(node.left)
            yield from terms_of(node.right)
        case AtLeastNode():
            yield from terms_of(node.part)


def every(parts: Iterable[Condition]) -> Condition:
    """All of these conditions, as short as can be."""
    found: dict[Condition, None] = {}
    for part in parts:
        if part == NOTHING:
            return NOTHING
        found.update(dict.fromkeys(part.parts if isinstance(part, Every) else (part,)))
    return next(iter(found)) if len(found) == 1 else Every(tuple(found))


def either(parts: Iterable[Condition]) -> Condition:
    """One of these conditions, as short as can be."""
    found: dict[Condition, None] = {}
    for part in parts:
        if part == WHATEVER:
            return WHATEVER
        found.update(dict.fromkeys(part.parts if isinstance(part, Either) else (part,)))
    kept = tuple(each for each in found if not _is_said(each, found))
    return kept[0] if len(kept) == 1 else Either(kept)


def is_fulfilled(condition: Condition, marks: AbstractSet[str]) -> bool:
    """Whether an article with these marks fulfils a condition: what an index answers for many."""
    match condition:
        case str():
            return condition in marks
        case Every():
            return all(is_fulfilled(part, marks) for part in condition.parts)
        case Either():
            return any(is_fulfilled(part, marks) for part in condition.parts)


def _is_said(condition: Condition, others: AbstractSet[Condition] | dict[Condition, None]) -> bool:
    """Whether one part of it alone is enough: beside `a`, (a and b) says nothing."""
    return isinstance(condition, Every) and any(part in others for part in condition.parts)


def _of_spelling(spelling: Spelling, *, title: bool) -> Condition:
    return every(_of_element(element, title=title) for element in spelling)


def _of_element(element: Element, *, title: bool) -> Condition:
    """What every word has that an element fits."""
    if element.wild is not None:
        return _of_head(element.key)
    key = element.key
    if key[0] == "=" and _is_plain(key):
        shown = key[1:]
        readings = chunk_of(shown).readings
        norm = next((each.keys[0] for each in readings if key in each.keys), None)
        if norm is None:
            return WHATEVER
        key = norm
    return _cut(f"{_TITLE}{key}" if title else key)


def _of_head(head: str) -> Condition:
    """What every word has that begins with these letters."""
    lengths = [each for each in _stems_of(head) if each <= len(head)] if head else []
    if not lengths:
        return WHATEVER
    stem = _cut(_STEM + head[: lengths[-1]])
    return Either((_cut(head), stem)) if len(head) == lengths[-1] else stem


def _of_wanted(wanted: Wanted, resolve: Resolve) -> Condition:
    match wanted.about:
        case "lang":
            return _cut(f"{_LANGUAGE}{'^' if wanted.is_open else ''}{wanted.value}")
        case "site":
            return _of_host(wanted)
        case "author":
            words = wanted.words[:-1] if wanted.is_open else wanted.words
            return every(_cut(f"{_AUTHOR}{word}") for word in words)
        case "source":
            listed = resolve(wanted)
            return either((listed, _of_host(wanted))) if "." in wanted.value else listed
        case "tag" | "side":
            return resolve(wanted)


def _of_host(wanted: Wanted) -> Condition:
    return WHATEVER if wanted.is_open else _cut(f"{_HOST}{wanted.value}")
