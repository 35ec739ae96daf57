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

import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import compress
from math import sqrt
from operator import mul
from typing import Final, NamedTuple

from monitor.match.memo import Memo
from monitor.stories.chunks import remembered
from monitor.text import Link, chunk_of, norms_of, plain_keys, split
from monitor.text.characters import KINDS, UNSPACED

READ: Final = 6000
"""Characters of a text that are looked at."""

TERMS: Final = 100
"""Terms an article is known by, the heaviest; 30 to 120 do about as well, Chinese wants many."""

_CONTENT: Final = 300  # of the text's words that weigh anything; 100 do, but for Chinese pairs
_OF_TITLE: Final = 4.0  # times a word of the text; 3 to 6 do about as well
_OF_NAME: Final = 1.2
_REPEATED: Final = 0.7  # exponent: what stands there twice is worth 1.6 times as much
_ENDS: Final = frozenset('."”»!?:')
_REMEMBERED: Final = 1 << 16  # chunks, and weights of a language
_NAME: Final = " "  # behind a form: it is written with a capital
_LETTERS: Final = 5  # of a word; four to seven do about as well
_LONGEST: Final = 20  # characters of what is no word of letters


class Word(NamedTuple):
    """A word of a text."""

    form: str
    capital: bool  # written with a capital where the beginning of a sentence doesn't explain it


def words(text: str) -> Iterator[Word]:
    """The words of a text in order, those of its first `READ` characters."""
    for form in _forms(text, _every_piece):
        yield Word(form.removesuffix(_NAME), capital=form.endswith(_NAME))


class Piece(NamedTuple):
    """The words of a chunk, `_NAME` behind those that have a capital."""

    inside: tuple[str, ...]
    beginning: tuple[str, ...]  # the same where a sentence begins with them
    ends: bool  # one ends behind them


_START: Final = Piece((), (), ends=True)  # of a line
_NOTHING: Final = Piece((), (), ends=False)  # no word: what stands before it is still before
_COMMON: Final = Piece((), (), ends=False)  # a word without weight, as most are
_COMMON_END: Final = Piece((), (), ends=True)


class Weigher:
    """What weighs the words of a language: as a function, a word by its form.

    It remembers weights.
    """

    def __init__(self, weight: Callable[[str], float]) -> None:
        self.weights = Memo(weight, most=_REMEMBERED)
        # what most chunks are to it
        self._common, self._common_end = (self, _COMMON), (self, _COMMON_END)

    def __call__(self, form: str) -> float:
        """The weight of a word, 0 if it tells no event from another."""
        return self.weights[form]

    def pieces(self, raws: Iterable[str]) -> Iterator[Piece]:
        """Chunks, with those of their words that weigh anything."""
        for raw in raws:
            words = remembered.get(raw)
            if words is None:  # of what was not read for copies, too
                yield self._weighed(raw)[1]
                continue
            weigher, piece = words.weighed
            if weigher is not self:
                words.weighed = _, piece = self._weighed(raw)
            yield piece

    def _weighed(self, raw: str) -> tuple[Weigher, Piece]:
        piece = _cut(raw)
        kept = [self(form.removesuffix(_NAME)) > 0 for form in piece.inside]
        if all(kept):
            return self, piece
        if not any(kept):
            return self._common_end if piece.ends else self._common
        inside, beginning = (tuple(compress(forms, kept)) for forms in piece[:2])
        return self, _piece(inside, beginning, ends=piece.ends)


def _forms(
    text: str, pieces: Callable[[Iterable[str]], Iterable[Piece]], most: int = READ
) -> list[str]:
    """The words of a text as its pieces have them, the first `most`."""
    found: list[str] = []
    before = _START
    for line in split(text[:READ]):
        before = _START
        for piece in pieces(line.raws):
            if piece is not _NOTHING:
                found += piece[1] if before[2] else piece[0]
                before = piece
        if len(found) >= most:
            return found[:most]
    return found


def _cut(raw: str) -> Piece:
    keys = plain_keys(raw)
    if keys is None:
        words, stops = _words_of(raw)
    else:  # one word of ASCII, which need not be cut
        ((norm, start),), stops = norms_of(raw)
        form = min((norm, *keys[2:]), key=len)
        words = [_beginning(form) + _NAME * raw[start].isupper()]
    ends = stops or raw[-1:] in _ENDS
    if not words:
        return _START if ends else _NOTHING
    return _piece(tuple(words), (words[0].removesuffix(_NAME), *words[1:]), ends=ends)


def _piece(inside: tuple[str, ...], beginning: tuple[str, ...], *, ends: bool) -> Piece:
    """A piece that shares what it can: how much memory is read tells how long that takes."""
    inside = tuple(map(sys.intern, inside))
    return Piece(inside, inside if beginning == inside else tuple(map(sys.intern, beginning)), ends)


def _words_of(raw: str) -> tuple[list[str], bool]:
    """The words of any chunk, and whether it stops behind them."""
    chunk = chunk_of(raw)
    shortest: dict[int, str] = {}
    for first, after, keys, _start, _end in chunk.readings:
        if after == first + 1:
            forms = [key for key in keys if key[0] not in "=#" and "'" not in key]
            shortest[first] = min([*forms, shortest.get(first) or keys[0]], key=len)
    found: list[str] = []
    before = ""  # the character that a pair may begin with
    for at, token in enumerate(chunk.tokens):
        initial = raw[token.start]
        if chunk.unspaced and KINDS[ord(initial)] in UNSPACED:
            if before and token.link is Link.NEXT:
                found.append(before + token.norm)
            before = token.norm
            continue
        before = ""
        if form := shortest.get(at) or token.norm:
            found.append(_beginning(form) + _NAME * initial.isupper())
    return found, chunk.stop_end


_pieces: Final = Memo(_cut, most=_REMEMBERED)


def _every_piece(raws: Iterable[str]) -> Iterable[Piece]:
    return map(_pieces.__getitem__, raws)


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
    title: str, body: str, weigh: Weigher, *, rarity_of: int = 0
) -> tuple[dict[int, float], dict[int, float]]:
    """The terms of an article and their weights, heaviest first, at most `TERMS`; of length 1.

    Beside it what `weigh` says of the `rarity_of` heaviest. Empty if there is nothing but common
    words.
    """
    of_title = _forms(title, weigh.pieces)
    times: dict[str, float] = {**Counter(of_title + _forms(body, weigh.pieces, _CONTENT))}
    names = {form[: -len(_NAME)]: count for form, count in times.items() if form[-1:] == _NAME}
    capitals = {form for form, count in names.items() if count > times.get(form, 0)}
    for form, count in names.items():  # one word, however it is written
        times[form] = times.get(form, 0) + count
        del times[form + _NAME]
    for form in of_title:
        times[form.removesuffix(_NAME)] += _OF_TITLE - 1
    rarities = weigh.weights
    weights = [
        (-(count**_REPEATED * rarities[form] * (_OF_NAME if form in capitals else 1.0)), form)
        for form, count in times.items()
    ]
    weights.sort()
    rarity = {term_id(form): rarities[form] for _, form in weights[:rarity_of]}
    return unit({term_id(form): -weight for weight, form in weights[:TERMS]}), rarity


def unit(weights: Mapping[int, float]) -> dict[int, float]:
    """The same direction, of length 1; empty stays empty."""
    length = sqrt(sum(map(mul, weights.values(), weights.values())))
    return {term: weight / length for term, weight in weights.items()} if length else {}


def cosine(one: Mapping[int, float], other: Mapping[int, float]) -> float:
    """How alike two vectors of length 1 are, from 0 to 1."""
    return sum(one[term] * other[term] for term in one.keys() & other.keys())
