"""From a chunk of text to what it means to the watches: which terms it is, and what may go on here.

News repeats its words, so what a chunk means is found out once and remembered (`memo`): for most
chunks that is nothing. Phrases are found by two of their words that stand side by side, the two
that are rarest: all chunks that are the same *word* to the phrases share one object, and that knows
which words may follow it. So a pair is one look into a small dictionary, however many phrases
there are.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, TypeAlias

from monitor.match.frequency import Frequencies
from monitor.match.nodes import Leaf
from monitor.match.spellings import Element, Gap, Spelling
from monitor.text import Chunk, Reading, chunk_of, plain_keys

LONGEST_READING: Final = 5
"""Tokens of a reading that can be part of a phrase; a hashtag as a whole is none."""

_WILD_SHARE: Final = 0.02
_HEAD: Final = 3  # letters that wildcards are found by; some have fewer


class Phrase:
    """A spelling of several words, and which of them it is looked for at: the first of a pair."""

    __slots__ = ("at", "leaf", "others", "spelling")

    def __init__(self, leaf: Leaf, spelling: Spelling, at: int) -> None:
        self.leaf = leaf
        self.spelling = spelling
        self.at = at
        plain = all(element.wild is None and element.gap is Gap.ANY for element in spelling)
        self.others = _beside(spelling, at) if plain else None
        """Where from `at` its words stand that are not of the pair, and their keys.

        None if it takes more than the right words in a row: wildcards, or a say in what parts them.
        """


Seconds: TypeAlias = Mapping[str, tuple[Phrase, ...]]
"""By the key of the second word of a pair, the phrases that have a certain key as the first."""

Tail: TypeAlias = tuple[Seconds, Reading | None]
"""What may follow on a reading; None: on the only one that there is."""


def _beside(spelling: Spelling, at: int) -> tuple[tuple[int, str], ...]:
    return tuple(
        (place - at, element.key)
        for place, element in enumerate(spelling)
        if not 0 <= place - at <= 1
    )


class Meaning:
    """What a chunk means to the watches.

    To the phrases all plain chunks with the same keys are the same *word*. It is a meaning, too:
    that of those among them which are no term.
    """

    __slots__ = (
        "alone",
        "chunk",
        "finds",
        "followers",
        "heads",
        "inner",
        "is_active",
        "is_blank",
        "is_counted",
        "is_odd",
        "keys",
        "tails",
        "word",
    )

    def __init__(
        self,
        chunk: Chunk | None = None,
        *,
        keys: frozenset[str] = frozenset(),
        word: Meaning | None = None,
        finds: Sequence[tuple[Leaf, Reading]] = (),
        alone: Sequence[tuple[Phrase, Reading]] = (),
        is_counted: bool = False,
        inner: Sequence[tuple[Phrase, Reading]] = (),
        heads: Sequence[str] = (),
        tails: Sequence[Tail] = (),
    ) -> None:
        self.chunk = chunk  # None: others mean the same
        self.keys = keys  # of a word: those that some phrase looks for
        self.word = self if keys else word  # None: of no consequence to phrases, or odd
        self.followers: Followers = {} if keys else word.followers if word else _NOBODY
        """Behind this, the words that may go on with a phrase. It grows as words turn up."""
        self.finds = finds  # terms that it is, or that are part of it
        self.alone = alone  # phrases that are looked for at it, whatever stands beside it
        self.is_counted = is_counted  # not just one word of a script with spaces
        self.inner = inner  # phrases of which a pair stands within it
        self.heads = heads  # what it begins with that phrases look for as a second word
        self.tails = tails  # what may follow on what it ends with
        self.is_blank = chunk is not None and not chunk.tokens  # phrases are looked for across it
        is_joint = self.word is None and bool(inner or heads or tails or self.is_blank)
        self.is_odd = bool(alone) or is_counted or is_joint
        """It takes more than to note its finds, and to look up its word and the next one's."""
        self.is_active = bool(finds) or self.is_odd


Followers: TypeAlias = dict[Meaning | None, tuple[Phrase, ...]]
"""By a second word, the phrases that may be there behind a certain first."""

_NOBODY: Final[Followers] = {}

NOTHING: Final = Meaning()
"""What a chunk means that is one word, and nobody's, not even in a phrase."""


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
        self._words: dict[frozenset[str], Meaning] = {}
        self._words_with: dict[str, list[Meaning]] = {}
        self._spelled: set[str] = set()  # all keys that a word of a phrase is known by
        self._making = threading.Lock()
        for leaf in leaves:
            for spelling in leaf.spellings:
                self._add(leaf, spelling)
        self._heads = sorted({len(head) for head in self._wild})
        self._lengths = sorted({len(prefix) for prefix in self._open})
        self._stems = {key[:_HEAD] for key in (*self._wild, *self._open)}
        self._has_short_stems = any(len(stem) < _HEAD for stem in self._stems)
        self._sought = {*self._single, *self._alone}
        self._keys = self._sought | self._spelled

    # -- terms

    def _add(self, leaf: Leaf, spelling: Spelling) -> None:
        pair = self._rarest_pair(spelling)
        if pair is not None:
            first, second = spelling[pair].key, spelling[pair + 1].key
            table = self._behind.setdefault(first, {})
            if second not in table:
                self._before.setdefault(second, []).append(first)
            phrase = Phrase(leaf, spelling, pair)
            table[second] = (*table.get(second, ()), phrase)
            self._spelled.update((first, second), (key for _, key in phrase.others or ()))
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
        keys = plain_keys(raw)
        if keys is not None:
            if not self._has_any(keys, self._keys):
                return NOTHING
            if not self._has_any(keys, self._sought):
                return self._word(keys) or NOTHING
        chunk = chunk_of(raw)
        if chunk.count == 1 and not chunk.unspaced:
            for reading in chunk.readings:
                if self._has_any(reading.keys, self._keys):
                    break
            else:
                return NOTHING
        finds: dict[tuple[Leaf, int, int], tuple[Leaf, Reading]] = {}
        alone: list[tuple[Phrase, Reading]] = []
        single, phrases, stems = self._single, self._alone, self._stems
        for reading in chunk.readings:
            for key in reading.keys:
                if key in single:
                    for leaf in single[key]:
                        finds.setdefault((leaf, reading.start, reading.end), (leaf, reading))
                if key in phrases:
                    alone += [(phrase, reading) for phrase in phrases[key]]
            if stems:
                for target in self._wild_targets(reading.keys):
                    if isinstance(target, Leaf):
                        finds.setdefault((target, reading.start, reading.end), (target, reading))
                    else:
                        alone.append((target, reading))
        if not is_plain(chunk):
            last = len(chunk.tokens)
            return Meaning(
                chunk,
                finds=tuple(finds.values()),
                alone=tuple(alone),
                is_counted=chunk.count != 1 or chunk.unspaced,
                inner=tuple(self._inner(chunk)),
                heads=tuple(self._seconds(beginning_at(chunk, 0))),
                tails=tuple(self._firsts(ending_at(chunk, last))),
            )
        word = self._word(chunk.readings[0].keys)
        if not (finds or alone):
            return word or NOTHING
        return Meaning(
            chunk,
            word=word,
            finds=tuple(finds.values()),
            alone=tuple(alone),
            heads=word.heads if word else (),
            tails=word.tails if word else (),
        )

    def _has_any(self, keys: Sequence[str], wanted: AbstractSet[str]) -> bool:
        """Whether one of these keys is wanted, or may be what a wildcard finds."""
        if self._has_short_stems or not wanted.isdisjoint(keys):
            return True
        stems = self._stems
        if stems:
            for key in keys:
                if key[:_HEAD] in stems:
                    return True
        return False

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

    def _word(self, keys: Sequence[str]) -> Meaning | None:
        """The word with these keys; a new one is made known to those that it may follow."""
        wanted = self._spelled.intersection(keys)
        if not wanted:
            return None
        keyed = frozenset(wanted)
        word = self._words.get(keyed)
        if word is None:
            with self._making:  # of two words made at once, neither would know the other
                word = self._words.get(keyed) or self._new_word(keyed)
        return word

    def _new_word(self, keys: frozenset[str]) -> Meaning:
        word = Meaning(
            keys=keys,
            heads=tuple(key for key in keys if key in self._before),
            tails=tuple((self._behind[key], None) for key in keys if key in self._behind),
        )
        for key in keys:
            self._words_with.setdefault(key, []).append(word)
        for key in keys:
            for second, phrases in self._behind.get(key, {}).items():
                for other in self._words_with.get(second, ()):
                    _follow(word, other, phrases)
            for first in self._before.get(key, ()):
                for other in self._words_with.get(first, ()):
                    if other is not word:  # with itself it was noted above
                        _follow(other, word, self._behind[first][key])
        self._words[keys] = word  # from now on others see it
        return word

    def _firsts(self, readings: Iterable[Reading]) -> Iterator[Tail]:
        behind = self._behind
        return (
            (behind[key], reading) for reading in readings for key in reading.keys if key in behind
        )

    def _seconds(self, readings: Iterable[Reading]) -> Iterator[str]:
        return (key for reading in readings for key in reading.keys if key in self._before)

    def _inner(self, chunk: Chunk) -> Iterator[tuple[Phrase, Reading]]:
        for token in range(1, len(chunk.tokens)):
            seconds = tuple(self._seconds(beginning_at(chunk, token)))
            if seconds:
                firsts = self._firsts(ending_at(chunk, token))
                yield from phrases_of(chunk, firsts, seconds)


def _follow(word: Meaning, other: Meaning, phrases: tuple[Phrase, ...]) -> None:
    word.followers[other] = (*word.followers.get(other, ()), *phrases)


def is_plain(chunk: Chunk) -> bool:
    """Whether it is one word with one reading, of a script with spaces."""
    return len(chunk.readings) == 1 and chunk.count == 1 and not chunk.unspaced


def phrases_of(
    chunk: Chunk, tails: Iterable[Tail], heads: Sequence[str]
) -> list[tuple[Phrase, Reading]]:
    """The phrases that a chunk and what is behind it may be part of, each with its reading."""
    return [
        (phrase, reading or chunk.readings[0])
        for seconds, reading in tails
        for key in heads
        if key in seconds
        for phrase in seconds[key]
    ]


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
