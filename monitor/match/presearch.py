"""Whether a document can match at all, by its letters alone.

To read an archive for one watch is to read thousands of articles that have nothing to do with it.
An article is cut into chunks only if the letters of a term which the watch can't do without stand
in it, punctuation left out. Only for what is certain: text in ASCII but for the dashes and quotes
of print, with no word hyphenated at a line's end. All other text may match.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from typing import Final

from monitor.match.document import Document
from monitor.match.nodes import Leaf
from monitor.match.plan import Plan
from monitor.match.spellings import Spelling

_HARMLESS: Final = "\u2018\u2019\u201c\u201d\u2013\u2014\u2026\u2022\xa0£€"
"""Characters beside ASCII that part words, or the parts of one, and are no letters."""

_LETTERS: Final = (string.ascii_lowercase + string.digits).encode()
_SMALL: Final = bytes(range(256)).lower()
_OTHERS: Final = bytes(set(range(128)) - set(_LETTERS) - set(_LETTERS.upper()) - set(b" \t\n"))
_OPEN_LINE: Final = re.compile(rb"-\s*\n")

# What a singular ends in whose plural does not begin with the whole of it, and how much of it that
# leaves: city, cities. The plural is what stands in the text.
_ENDINGS: Final = (
    *((word, 1) for word in ("foot", "tooth", "goose", "mouse")),
    *((end, 0) for end in ("y", "f", "fe", "is", "on", "um", "us", "ix", "ex")),
    ("man", 1),
)


class Presearch:
    """What must stand in a text for any of some watches to match."""

    def __init__(self, plans: Iterable[Plan]) -> None:
        self._ways: set[tuple[bytes, ...]] | None = set()
        for plan in plans:
            if plan.anchors is None:
                self._ways = None
                return
            for leaf in plan.anchors:
                self._ways |= set(_ways(leaf))

    def may_match(self, document: Document) -> bool:
        """False only if no watch can match."""
        if self._ways is None or document.furniture:
            return True
        text = f"{document.title}\n{document.body}"
        data = text.encode("ascii", "ignore")
        left_out = len(text) - len(data)
        if left_out and left_out != sum(map(text.count, _HARMLESS)):
            return True
        if _OPEN_LINE.search(data):
            return True
        letters = data.translate(_SMALL, _OTHERS)
        return any(all(stem in letters for stem in way) for way in self._ways)


def _ways(leaf: Leaf) -> Iterable[tuple[bytes, ...]]:
    """For each spelling of a term the letters that must be there; none if it is not in ASCII."""
    return (_stems(spelling) for spelling in leaf.spellings if _is_ascii(spelling))


def _is_ascii(spelling: Spelling) -> bool:
    return all(element.key.isascii() for element in spelling)


def _stems(spelling: Spelling) -> tuple[bytes, ...]:
    stems = (
        stem_of(element.key) if element.wild is None else _open_stem_of(element.key)
        for element in spelling
    )
    return tuple(stem for stem in stems if stem)


def stem_of(key: str) -> bytes:
    """The letters that every word has which can be looked up by this key."""
    word = key.lower().encode().translate(None, _OTHERS)
    for ending, left in _ENDINGS:
        if word.endswith(ending.encode()):
            return word[: len(word) - len(ending) + left]
    return word


def _open_stem_of(head: str) -> bytes:
    """As `stem_of`, of the letters before a wildcard's sign: woma* finds women, crisi* crises."""
    word = head.lower().encode().translate(None, _OTHERS)
    kept = len(word)
    for ending, left in _ENDINGS:
        for length in range(1, len(ending) + 1):  # so much of it stands before the sign
            if word.endswith(ending[:length].encode()):
                kept = min(kept, len(word) - length + min(length, left))
    return word[:kept]
