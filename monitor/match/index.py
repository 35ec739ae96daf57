"""From a chunk of text to what it means to the watches: which terms it is, and what may go on here.

News repeats its words, so what a chunk means is found out once and remembered (`memo`): for most
chunks that is nothing. Phrases are found by two of their words that stand side by side, the two
that are rarest: all chunks that are the same *word* to the phrases share one object, so that a
pair of objects is one look into a dictionary (`Index.pairs`), whatever number of phrases there is.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from monitor.match.frequency import Frequencies
from monitor.match.glance import Glance
from monitor.match.nodes import Leaf
from monitor.match.spellings import Element, Spelling
from monitor.text import Chunk, Reading, chunk_of

LONGEST_READING: Final = 5
"""Tokens of a reading that can be part of a phrase; a hashtag as a whole is none."""

_WILD_SHARE: Final = 0.02
_HEAD: Final = 3  # letters that wildcards are found by; some have fewer


class Phrase(NamedTuple):
    """A spelling of several words, and which of them it is looked for at."""

    leaf: Leaf
    spelling: Spelling
    at: int


class Word:
    """What one or several chunks are to the phrases. It is the same only as itself."""

    __slots__ = ("keys",)

    def __init__(self, keys: frozenset[str]) -> None:
        self.keys = keys  # those that some phrase looks for


class Meaning:
    """What a chunk means to the watches."""

    __slots__ = (
        "alone",
        "chunk",
        "finds",
        "heads",
        "inner",
        "is_active",
        "is_counted",
        "is_joint",
        "tails",
        "word",
    )

    def __init__(
        self,
        chunk: Chunk,
        *,
        word: Word | None = None,
        finds: Sequence[tuple[Leaf, Reading]] = (),
        alone: Sequence[tuple[Phrase, Reading]] = (),
        is_counted: bool = False,
        inner: Sequence[tuple[Phrase, Reading]] = (),
        heads: Sequence[str] = (),
        tails: Sequence[tuple[str, Reading]] = (),
    ) -> None:
        self.chunk = chunk
        self.word = word  # None: of no consequence to phrases, or odd
        self.finds = finds  # terms that it is, or that are part of it
        self.alone = alone  # phrases that are looked for at it, whatever stands beside it
        self.is_counted = is_counted  # not just one word of a script with spaces
        self.inner = inner  # phrases of which a pair stands within it
        self.heads = heads  # what it begins with that phrases look for as a second word
        self.tails = tails  # what it ends with that they look for as a first
        self.is_joint = word is None and bool(inner or heads or tails or not chunk.tokens)
        """Phrases take the long way: it has several readings, or none."""
        self.is_active = bool(finds) or bool(alone) or is_counted or self.is_joint


Pair: TypeAlias = tuple[Word | None, Word | None]


class Index:
    """All terms of all watches, by key."""

    def __init__(self, leaves: Iterable[Leaf], frequencies: Frequencies) -> None:
        self._frequencies = frequencies
        self._single: dict[str, tuple[Leaf, ...]] = {}
        self._alone: dict[str, tuple[Phrase, ...]] = {}
        self._open: dict[str, tuple[Leaf | Phrase, ...]] = {}  # Kashmir*, by the letters before *
        self._wild: dict[str, list[tuple[Element, Leaf | Phrase]]] = {}  # the others, likewise
        self._behind: dict[str, dict[str, tuple[Phrase, ...]]] = {}  # by the first and second key
        self._before: dict[str, list[str]] = {}  # by the second: the first ones
        self._words: dict[frozenset[str], Word] = {}
        self._words_with: dict[str, list[Word]] = {}
        self._making = threading.Lock()
        self.pairs: dict[Pair, tuple[Phrase, ...]] = {}
        """The phrases that two neighbours may be part of. Filled as words turn up."""
        for leaf in leaves:
            for spelling in leaf.spellings:
                self._add(leaf, spelling)
        self._heads = sorted({len(head) for head in self._wild})
        self._lengths = sorted({len(prefix) for prefix in self._open})
        self._stems = {key[:_HEAD] for key in (*self._wild, *self._open)}
        self._has_short_stems = any(len(stem) < _HEAD for stem in self._stems)
        self._keys = {*self._single, *self._alone, *self._behind, *self._before}
        self._glance = Glance((*self._keys, *self._open, *self._wild))

    # -- terms

    def _add(self, leaf: Leaf, spelling: Spelling) -> None:
        pair = self._rarest_pair(spelling)
        if pair is not None:
            first, second = spelling[pair].key, spelling[pair + 1].key
            table = self._behind.setdefault(first, {})
            if second not in table:
                self._before.setdefault(second, []).append(first)
            table[second] = (*table.get(second, ()), Phrase(leaf, spelling, pair))
            return
        at = min(range(len(spelling)), key=lambda place: self._share(spelling[place]))
        element = spelling[at]
        target = leaf if len(spelling) == 1 else Phrase(leaf, spelling, at)
        if element.is_open():
            self._open[element.key] = (*self._open.get(element.key, ()), target)
        elif element.wild is not None:
            self._wild.setdefault(element.key, []).append((element, target))
        elif isinstance(target, Leaf):
            known = self._single.get(element.key, ())
            if leaf not in known:
                self._single[element.key] = (*known, leaf)
        else:
            self._alone[element.key] = (*self._alone.get(element.key, ()), target)

    def _rarest_pair(self, spelling: Spelling) -> int | None:
        """The first of the two neighbours that are seldom seen together; None if there is none."""
        if len(spelling) == 2:
            return None if spelling[0].wild or spelling[1].wild else 0
        return min(
            (
                at
                for at in range(len(spelling) - 1)
                if spelling[at].wild is None and spelling[at + 1].wild is None
            ),
            key=lambda at: self._share(spelling[at]) * self._share(spelling[at + 1]),
            default=None,
        )

    def _share(self, element: Element) -> float:
        return element_share(element, self._frequencies)

    # -- chunks

    def meaning(self, raw: str) -> Meaning:
        """What a chunk means; `NOTHING` for most."""
        if not self._glance.sees(raw):
            return NOTHING
        chunk = chunk_of(raw)
        # not one token with one reading
        is_odd = len(chunk.readings) != 1 or chunk.count != 1 or chunk.unspaced
        if not is_odd and self._is_nothing(chunk.readings[0].keys):
            return NOTHING
        finds: dict[tuple[Leaf, int, int], tuple[Leaf, Reading]] = {}
        alone: list[tuple[Phrase, Reading]] = []
        single, phrases = self._single, self._alone
        for reading in chunk.readings:
            for key in reading.keys:
                if key in single:
                    for leaf in single[key]:
                        finds.setdefault((leaf, reading.start, reading.end), (leaf, reading))
                if key in phrases:
                    alone += [(phrase, reading) for phrase in phrases[key]]
            if self._stems:
                for target in self._wild_targets(reading.keys):
                    if isinstance(target, Leaf):
                        finds.setdefault((target, reading.start, reading.end), (target, reading))
                    else:
                        alone.append((target, reading))
        if is_odd:
            last = len(chunk.tokens)
            meaning = Meaning(
                chunk,
                finds=tuple(finds.values()),
                alone=tuple(alone),
                is_counted=chunk.count != 1 or chunk.unspaced,
                inner=tuple(self._inner(chunk)),
                heads=tuple(self._seconds(beginning_at(chunk, 0))),
                tails=tuple(self._firsts(ending_at(chunk, last))),
            )
            return meaning if meaning.is_active else NOTHING
        (only,) = chunk.readings
        word = self._word(only.keys)
        if not (finds or alone or word):
            return NOTHING
        return Meaning(
            chunk,
            word=word,
            finds=tuple(finds.values()),
            alone=tuple(alone),
            heads=tuple(self._seconds((only,))),
            tails=tuple(self._firsts((only,))),
        )

    def _is_nothing(self, keys: Sequence[str]) -> bool:
        """Whether a word of these keys is nobody's, as nearly every word is."""
        if not self._keys.isdisjoint(keys):
            return False
        stems = self._stems
        return not stems or not (self._has_short_stems or any(key[:_HEAD] in stems for key in keys))

    def _wild_targets(self, keys: Sequence[str]) -> Iterable[Leaf | Phrase]:
        """What the wildcards find that fit one of these keys."""
        found: dict[int, Leaf | Phrase] = {}
        for key in keys:
            if key[0] in "=#":
                continue
            for length in self._lengths:
                if length > len(key):
                    break
                for target in self._open.get(key[:length], ()):
                    found[id(target)] = target
            for length in self._heads:
                if length > len(key):
                    break
                for element, target in self._wild.get(key[:length], ()):
                    if element.fits((key,)):
                        found[id(target)] = target
        return found.values()

    # -- phrases

    def _word(self, keys: Sequence[str]) -> Word | None:
        """The word with these keys; when it is a new one, all pairs are noted that it is part of."""
        wanted = frozenset(key for key in keys if key in self._behind or key in self._before)
        if not wanted:
            return None
        word = self._words.get(wanted)
        if word is None:
            with self._making:  # of two words made at once, neither would know the other
                word = self._words.get(wanted) or self._new_word(wanted)
        return word

    def _new_word(self, wanted: frozenset[str]) -> Word:
        word = Word(wanted)
        pairs: dict[Pair, tuple[Phrase, ...]] = {}
        for key in wanted:
            self._words_with.setdefault(key, []).append(word)
        for key in wanted:
            for second, phrases in self._behind.get(key, {}).items():
                for other in self._words_with.get(second, ()):
                    pairs[word, other] = (*pairs.get((word, other), ()), *phrases)
            for first in self._before.get(key, ()):
                for other in self._words_with.get(first, ()):
                    if other is not word:  # with itself it was noted above
                        found = self._behind[first][key]
                        pairs[other, word] = (*pairs.get((other, word), ()), *found)
        self.pairs.update(pairs)
        self._words[wanted] = word
        return word

    def _firsts(self, readings: Iterable[Reading]) -> Iterator[tuple[str, Reading]]:
        return (
            (key, reading) for reading in readings for key in reading.keys if key in self._behind
        )

    def _seconds(self, readings: Iterable[Reading]) -> Iterator[str]:
        return (key for reading in readings for key in reading.keys if key in self._before)

    def _inner(self, chunk: Chunk) -> Iterator[tuple[Phrase, Reading]]:
        for token in range(1, len(chunk.tokens)):
            seconds = tuple(self._seconds(beginning_at(chunk, token)))
            if seconds:
                yield from self.phrases(self._firsts(ending_at(chunk, token)), seconds)

    def phrases(
        self, tails: Iterable[tuple[str, Reading]], heads: Sequence[str]
    ) -> Iterator[tuple[Phrase, Reading]]:
        """The phrases that two neighbours may be part of, each with the left one's reading."""
        for first, reading in tails:
            table = self._behind[first]
            for second in heads:
                if second in table:
                    yield from ((phrase, reading) for phrase in table[second])


def beginning_at(chunk: Chunk, token: int) -> Iterator[Reading]:
    """The readings that begin with a token: they are in order of their beginnings."""
    readings = chunk.readings
    for at in range(bisect_left(readings, (token,)) if token else 0, len(readings)):
        if readings[at].first != token:
            return
        yield readings[at]


def ending_at(chunk: Chunk, token: int) -> Iterator[Reading]:
    """The readings that end before a token."""
    readings = chunk.readings
    for at in range(bisect_left(readings, (token - LONGEST_READING,)), len(readings)):
        if readings[at].first >= token:
            return
        if readings[at].after == token:
            yield readings[at]


NOTHING: Final = Meaning(chunk_of("x"))
"""What a chunk means that is one word, and nobody's."""


def element_share(element: Element, frequencies: Frequencies) -> float:
    """The share of articles that hold a word of a term, roughly."""
    if element.wild is not None:
        return max(_WILD_SHARE, frequencies.share(element.key))
    kind = element.key[0]
    if kind == "#":
        return frequencies.share(element.key) / 10
    if kind == "=":
        return frequencies.share(element.key[1:].lower())
    return frequencies.share(element.key)


def leaf_share(leaf: Leaf, frequencies: Frequencies) -> float:
    """The share of articles that a term is found in, roughly."""
    return sum(
        min(element_share(element, frequencies) for element in spelling)
        / (1 if len(spelling) == 1 else 5)
        for spelling in leaf.spellings
    )
