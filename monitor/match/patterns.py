"""From a term to the sequences of norms that it is found by."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from monitor.match.compounds import OPEN_FORMS
from monitor.text import Link, Token, tokens

Pattern: TypeAlias = tuple[str, ...]
"""Norms that stand one after the other."""

_LONGEST_JOIN: Final = 5  # words that may be printed as one: #OperationBunyanUnMarsoos
_DESIGNATION: Final = re.compile(r"([a-z]{1,3})(\d{1,4})")  # F16, Su30, G20


def spellings(term: str) -> tuple[Pattern, ...]:
    """All sequences of words in which a term may be printed, its own first; none if it has none.

    "cease-fire" is also ceasefire; "F16" is also F 16 (and, with a hyphen, F-16); "Operation
    Sindoor" is also operationsindoor, as in hashtags; "ceasefire" is also cease fire.
    """
    words = tokens(term)
    if not words:
        return ()
    own = tuple(word.norm for word in words)
    return tuple(dict.fromkeys(itertools.chain([own], _joined(words), _opened(own))))


def _joined(words: list[Token]) -> Iterator[Pattern]:
    """With one run of neighbours written as one word."""
    norms = tuple(word.norm for word in words)
    for start in range(len(words)):
        for end in range(start + 2, min(len(words), start + _LONGEST_JOIN) + 1):
            if words[end - 1].link is Link.NEXT:
                break  # no spaces there to leave out
            yield (*norms[:start], "".join(norms[start:end]), *norms[end:])


def _opened(norms: Pattern) -> Iterator[Pattern]:
    """With one compound in two words."""
    for place, norm in enumerate(norms):
        halves = OPEN_FORMS.get(norm)
        if halves is None and (match := _DESIGNATION.fullmatch(norm)):
            halves = (match[1], match[2])
        if halves is not None:
            yield (*norms[:place], *halves, *norms[place + 1 :])
