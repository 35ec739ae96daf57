"""From a chunk of text to what it may be the beginning of: which terms it is, and where to look on.

News repeats its words, so what a chunk means to the watches is found out once and remembered
(`Index.meaning`): for most chunks that is nothing, and then a look into a dictionary is all that
an article's word ever costs. A phrase is looked for only where its rarest word stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from monitor.match.frequency import Frequencies
from monitor.match.nodes import Leaf
from monitor.match.scan import LONGEST_REMEMBERED
from monitor.match.spellings import Element, Spelling
from monitor.text import Chunk, Reading, chunk_of

MOST_MEANINGS: Final = 1 << 16
"""Chunks that are remembered; then all are forgotten and learned anew."""

_WILD_SHARE: Final = 0.02
_HEAD: Final = 3  # letters that wildcards are found by; some have fewer


class Phrase(NamedTuple):
    """A spelling of several words, and which of them it is looked for at."""

    leaf: Leaf
    spelling: Spelling
    at: int


class Entry:
    """What begins with a key."""

    __slots__ = ("after", "alone", "before", "leaves")

    def __init__(self) -> None:
        self.leaves: tuple[Leaf, ...] = ()  # terms of just this word
        self.after: dict[str, tuple[Phrase, ...]] | None = None  # by the key that must follow
        self.before: dict[str, tuple[Phrase, ...]] | None = None  # by the key that must precede
        self.alone: tuple[Phrase, ...] = ()  # the word's neighbours are wildcards

    def has_phrases(self) -> bool:
        """Whether there is anything to look for beside it."""
        return self.after is not None or self.before is not None or bool(self.alone)


class Meaning(NamedTuple):
    """What a chunk means to the watches."""

    chunk: Chunk
    finds: tuple[tuple[Leaf, Reading], ...]
    entries: tuple[tuple[Entry, Reading], ...]  # those with phrases


class Meanings(dict[str, Meaning | None]):
    """What each chunk means; learned when it is first asked for."""

    def __init__(self, index: Index) -> None:
        super().__init__()
        self._index = index

    def __missing__(self, raw: str) -> Meaning | None:
        meaning = self._index.meaning(raw)
        if len(raw) <= LONGEST_REMEMBERED:
            if len(self) >= MOST_MEANINGS:
                self.clear()
            self[raw] = meaning
        return meaning


class Index:
    """All terms of all watches, by key."""

    def __init__(self, leaves: Iterable[Leaf], frequencies: Frequencies) -> None:
        self._frequencies = frequencies
        self._entries: dict[str, Entry] = {}
        self._wild: dict[str, list[tuple[Element, Leaf | Phrase]]] = {}
        for leaf in leaves:
            for spelling in leaf.spellings:
                self._add(leaf, spelling)
        self._heads = sorted({len(head) for head in self._wild})

    def _add(self, leaf: Leaf, spelling: Spelling) -> None:
        if len(spelling) == 1:
            (element,) = spelling
            if element.wild is not None:
                self._wild.setdefault(element.key[:_HEAD], []).append((element, leaf))
            else:
                entry = self._entry(element.key)
                if leaf not in entry.leaves:
                    entry.leaves = (*entry.leaves, leaf)
            return
        at = self._rarest(spelling)
        phrase = Phrase(leaf, spelling, at)
        element = spelling[at]
        if element.wild is not None:
            self._wild.setdefault(element.key[:_HEAD], []).append((element, phrase))
            return
        entry = self._entry(element.key)
        if at + 1 < len(spelling) and spelling[at + 1].wild is None:
            entry.after = _with(entry.after, spelling[at + 1].key, phrase)
        elif at and spelling[at - 1].wild is None:
            entry.before = _with(entry.before, spelling[at - 1].key, phrase)
        else:
            entry.alone = (*entry.alone, phrase)

    def _entry(self, key: str) -> Entry:
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = Entry()
        return entry

    def _rarest(self, spelling: Spelling) -> int:
        return min(
            range(len(spelling)),
            key=lambda at: (
                spelling[at].wild is not None,
                element_share(spelling[at], self._frequencies),
            ),
        )

    def meaning(self, raw: str) -> Meaning | None:
        """What a chunk means; None if nothing."""
        chunk = chunk_of(raw)
        finds: dict[tuple[Leaf, int, int], tuple[Leaf, Reading]] = {}
        entries: list[tuple[Entry, Reading]] = []
        known = self._entries
        for reading in chunk.readings:
            for key in reading.keys:
                entry = known.get(key)
                if entry is None:
                    continue
                for leaf in entry.leaves:
                    finds.setdefault((leaf, reading.start, reading.end), (leaf, reading))
                if entry.has_phrases():
                    entries.append((entry, reading))
            if self._heads:
                for target in self._wild_targets(reading):
                    if isinstance(target, Leaf):
                        finds.setdefault((target, reading.start, reading.end), (target, reading))
                    else:
                        entry = Entry()
                        entry.alone = (target,)
                        entries.append((entry, reading))
        if not finds and not entries:
            return None
        return Meaning(chunk, tuple(finds.values()), tuple(entries))

    def _wild_targets(self, reading: Reading) -> Iterator[Leaf | Phrase]:
        found: dict[int, Leaf | Phrase] = {}
        for key in reading.keys:
            if key[0] in "=#":
                continue
            for width in self._heads:
                for element, target in self._wild.get(key[:width], ()):
                    if len(element.key[:_HEAD]) == width and element.fits((key,)):
                        found[id(target)] = target
        yield from found.values()


def _with(
    table: dict[str, tuple[Phrase, ...]] | None, key: str, phrase: Phrase
) -> dict[str, tuple[Phrase, ...]]:
    if table is None:
        return {key: (phrase,)}
    table[key] = (*table.get(key, ()), phrase)
    return table


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
