"""An article as weighted terms: what tells one event from another.

A *term* here is the beginning of a word in its normal form: its first five letters, which most
inflected forms share in any language of letters. No stemmer per language: against whole words,
five letters took pairs of one language from .876 to .902 (area under the curve, SemEval 2022
task 8, ten languages), Russian ones from .79 to .96, and cost nowhere. Where words are not spaced,
it is a pair of neighbouring characters. A term is known by a number that every process gives it.

It weighs by how rare it is in news (`monitor.stories.frequencies`), how often it stands in the
headline and the beginning of the text, and a little more if it is written as a name. The
beginning is enough: news tells the event first, the background later.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from math import sqrt
from typing import Final, NamedTuple

from monitor.text import Link, chunk_of, split
from monitor.text.characters import KINDS, UNSPACED
from monitor.text.folding import LONGEST_CACHED

READ: Final = 6000
"""Characters of a text that are looked at."""

TERMS: Final = 100
"""Terms an article is known by, the heaviest; 30 to 120 do about as well, Chinese wants many."""

_CONTENT: Final = 300  # of the text's words that weigh anything; 100 do, but for Chinese pairs
_OF_TITLE: Final = 4.0  # times a word of the text; 3 to 6 do about as well
_OF_NAME: Final = 1.2
_REPEATED: Final = 0.7  # exponent: what stands there twice is worth 1.6 times as much
_ENDS: Final = frozenset('."”»!?:')
_LETTERS: Final = 5  # of a word; four to seven do about as well
_LONGEST: Final = 20  # characters of what is no word of letters


class Word(NamedTuple):
    """A word of a text."""

    form: str
    capital: bool  # written with a capital where the beginning of a sentence doesn't explain it


def words(text: str) -> Iterator[Word]:
    """The words of a text in order, those of its first `READ` characters."""
    for line in split(text[:READ]):
        begins = True
        for raw in line.raws:
            found, ends = _seen(raw) if len(raw) <= LONGEST_CACHED else _cut(raw)
            for word in found:
                yield Word(word.form, capital=False) if begins and word.capital else word
                begins = False
            begins = begins or ends


def _cut(raw: str) -> tuple[tuple[Word, ...], bool]:
    """The words of a chunk, and whether it ends a sentence."""
    chunk = chunk_of(raw)
    shortest: dict[int, str] = {}
    for first, after, keys, _start, _end in chunk.readings:
        if after == first + 1:
            forms = [key for key in keys if key[0] not in "=#" and "'" not in key]
            shortest[first] = min([*forms, shortest.get(first) or keys[0]], key=len)
    found: list[Word] = []
    before = ""  # the character that a pair may begin with
    for at, token in enumerate(chunk.tokens):
        initial = raw[token.start]
        if chunk.unspaced and KINDS[ord(initial)] in UNSPACED:
            if before and token.link is Link.NEXT:
                found.append(Word(before + token.norm, capital=False))
            before = token.norm
            continue
        before = ""
        if form := shortest.get(at) or token.norm:
            found.append(Word(_beginning(form), capital=initial.isupper()))
    return tuple(found), chunk.stop_end or raw[-1:] in _ENDS


_seen = lru_cache(maxsize=1 << 15)(_cut)


def _beginning(form: str) -> str:
    """The first letters of a word, with their marks; numbers and such stay whole."""
    if form.isalpha():
        return form[:_LETTERS]
    if KINDS[ord(form[0])] not in "LAH" or any(char.isdecimal() for char in form):
        return form[:_LONGEST]
    starts = [at for at, char in enumerate(form[:_LONGEST]) if KINDS[ord(char)] not in "MVXZ"]
    return form[: starts[_LETTERS]] if len(starts) > _LETTERS else form[:_LONGEST]


@lru_cache(maxsize=1 << 16)
def term_id(form: str) -> int:
    """The number of a term: unsigned, 32 bit, the same in every process."""
    return zlib.crc32(form.encode("utf-8", "surrogatepass"))


def vector(
    title: str, body: str, weigh: Callable[[str], float], *, rarity_of: int = 0
) -> tuple[dict[int, float], dict[int, float]]:
    """The terms of an article and their weights, heaviest first, at most `TERMS`; of length 1.

    Beside it what `weigh` says of the `rarity_of` heaviest. Empty if there is nothing but common
    words.
    """
    times: dict[str, float] = {}
    capitals: dict[str, int] = {}  # how much more often with than without
    for form, capital in words(title):
        if weigh(form):
            times[form] = times.get(form, 0.0) + _OF_TITLE
            capitals[form] = capitals.get(form, 0) + (1 if capital else -1)
    seen = 0
    for form, capital in words(body):
        if not weigh(form):
            continue
        seen += 1
        if seen > _CONTENT:
            break
        times[form] = times.get(form, 0.0) + 1.0
        capitals[form] = capitals.get(form, 0) + (1 if capital else -1)
    weights = [
        (count**_REPEATED * weigh(form) * (_OF_NAME if capitals[form] > 0 else 1.0), form)
        for form, count in times.items()
    ]
    weights.sort(key=lambda pair: (-pair[0], pair[1]))
    rarity = {term_id(form): weigh(form) for _, form in weights[:rarity_of]}
    return unit({term_id(form): weight for weight, form in weights[:TERMS]}), rarity


def unit(weights: Mapping[int, float]) -> dict[int, float]:
    """The same direction, of length 1; empty stays empty."""
    length = sqrt(sum(weight * weight for weight in weights.values()))
    return {term: weight / length for term, weight in weights.items()} if length else {}


def cosine(one: Mapping[int, float], other: Mapping[int, float]) -> float:
    """How alike two vectors of length 1 are, from 0 to 1."""
    small, large = (one, other) if len(one) <= len(other) else (other, one)
    return sum(weight * large[term] for term, weight in small.items() if term in large)
