"""What became of a text when its publisher changed it: words that went, words that came.

Texts are held against each other by paragraphs, and where those differ by words; in scripts without
spaces by letters with their marks. White space doesn't count, nor does whether a quotation mark is
straight or curly. Both are bounded: what is too long to be compared word by word in a moment is shown
as gone and new.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Final, Literal

from monitor.ports import Revision
from monitor.text.characters import APOSTROPHES

CONTEXT: Final = 40
"""Characters that are shown before and behind a change, to the end of a word."""

PASSAGES: Final = 8
"""Places of one text that are shown."""

LONGEST: Final = 400
"""Characters that are shown of what went, and of what came, in one place."""

_READ: Final = 200_000  # characters of a text that are looked at
_PAIRS: Final = 10_000_000  # of words, or paragraphs, that are compared
_ALIKE: Final = 0.3  # share of words in common below which two passages are two passages

Kind = Literal["same", "gone", "new"]


@dataclass(frozen=True, slots=True)
class Edit:
    """Words that stayed, went or came."""

    text: str
    kind: Kind


Passage = tuple[Edit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The places where two texts differ, each with a few words around it."""

    passages: tuple[Passage, ...] = ()
    more: int = 0  # places that are not shown


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    space: str  # behind it: one, or none

    @property
    def said(self) -> str:
        """By what words are told apart: not by how a house sets its quotation marks."""
        return self.text if self.text.isascii() else self.text.translate(_QUOTES)


_QUOTES: Final = dict.fromkeys(map(ord, APOSTROPHES), "'") | dict.fromkeys(map(ord, "“”„‟″＂"), '"')

_Run = tuple[Kind, Sequence[_Word]]


def changes(before: str, after: str) -> Changes:
    """Where `after` says something else than `before`; tens of milliseconds at the most."""
    runs = [*_joined(_runs(_paragraphs(before), _paragraphs(after)))]
    passages = [*_passages(runs)]
    shown = tuple(tuple(_edits(each)) for each in passages[:PASSAGES])
    return Changes(passages=shown, more=max(0, len(passages) - PASSAGES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Revised:
    """A revision with what replaced it."""

    revision: Revision
    passages: tuple[Passage, ...]  # of the headline, then of the text
    more: int  # places of the text that are not shown


def revised(
    revisions: Sequence[Revision], title: str, body: str, *, most: int
) -> tuple[Revised, ...]:
    """What changed with each of an article's last revisions, the oldest first.

    `title` and `body` are what the article says now. What still stands, as a part of that, has
    changed in its headline only.
    """
    titles = [*(each.title for each in revisions), title]
    bodies = [*(each.body for each in revisions), body]
    told = []
    for number in range(max(0, len(revisions) - most), len(revisions)):
        headline = changes(titles[number], titles[number + 1])
        before = bodies[number]
        after = next(each for each in bodies[number + 1 :] if each is not None)
        text = changes(before, after) if before is not None else Changes()
        told.append(
            Revised(
                revision=revisions[number],
                passages=(*headline.passages, *text.passages),
                more=text.more,
            )
        )
    return tuple(told)


# --------------------------------------------------------------------------- words

# Thai, Lao, Burmese, Khmer; kana, Bopomofo, Han
_UNSPACED: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u312f\u31a0-\u31ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
_CHUNK: Final = re.compile(rf"([{_UNSPACED}])|[^\s{_UNSPACED}]+")
_NOT_SHOWN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]"
)
"""Controls of a terminal, halves of characters, and what turns the direction of all that follows."""


def _paragraphs(text: str) -> Sequence[Sequence[_Word]]:
    clean = _NOT_SHOWN.sub("\N{REPLACEMENT CHARACTER}", text[:_READ])
    return [words for line in clean.splitlines() if (words := [*_words(line)])]


def _words(line: str) -> Iterator[_Word]:
    begin = end = 0
    for match in _CHUNK.finditer(line):
        alone = match[1] is not None
        if end and alone and match.start() == end and unicodedata.category(match[1])[0] == "M":
            end = match.end()  # a vowel sign, or a tone: its letter's
            continue
        if end:
            yield _Word(line[begin:end], " " if match.start() > end else "")
        begin, end = match.span()
    if end:
        yield _Word(line[begin:end], " ")


# --------------------------------------------------------------------------- what differs


def _runs(before: Sequence[Sequence[_Word]], after: Sequence[Sequence[_Word]]) -> Iterator[_Run]:
    old, new = [*map(_key, before)], [*map(_key, after)]
    for is_same, i, j in _blocks(old, new):
        if is_same:
            yield "same", _flat(after[j])
        else:
            yield from _by_words(_flat(before[i]), _flat(after[j]))


def _by_words(before: Sequence[_Word], after: Sequence[_Word]) -> Iterator[_Run]:
    old, new = [word.said for word in before], [word.said for word in after]
    blocks = [*_blocks(old, new)]
    kept = sum(i.stop - i.start for is_same, i, _ in blocks if is_same)
    if kept < _ALIKE * min(len(old), len(new)):
        yield "gone", before
        yield "new", after
        return
    for is_same, i, j in blocks:
        if is_same:
            yield "same", after[j]
        else:
            yield "gone", before[i]
            yield "new", after[j]


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[bool, slice, slice]]:
    """Where two lists are the same, and where not, in order."""
    first = _common(old, new)
    last = _common(old[first:][::-1], new[first:][::-1])
    yield True, slice(0, first), slice(0, first)
    a, b = old[first : len(old) - last], new[first : len(new) - last]
    if len(a) * len(b) <= _PAIRS:
        many = len(a) * len(b) > _PAIRS // 10  # then what is frequent begins no match
        for tag, i1, i2, j1, j2 in SequenceMatcher(None, a, b, autojunk=many).get_opcodes():
            i, j = slice(first + i1, first + i2), slice(first + j1, first + j2)
            yield tag == "equal", i, j
    else:
        yield False, slice(first, first + len(a)), slice(first, first + len(b))
    yield True, slice(len(old) - last, len(old)), slice(len(new) - last, len(new))


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How much two lists have in common at their beginnings."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


def _key(paragraph: Sequence[_Word]) -> str:
    return " ".join(word.said for word in paragraph)


def _flat(paragraphs: Iterable[Sequence[_Word]]) -> Sequence[_Word]:
    return [word for paragraph in paragraphs for word in paragraph]


def _joined(runs: Iterable[_Run]) -> Iterator[_Run]:
    """Between what stayed, once what went and once what came."""
    full = (run for run in runs if run[1])
    for is_same, group in groupby(full, key=lambda run: run[0] == "same"):
        together = [*group]
        kinds: tuple[Kind, ...] = ("same",) if is_same else ("gone", "new")
        for kind in kinds:
            if words := _flat(run[1] for run in together if run[0] == kind):
                yield kind, words


# --------------------------------------------------------------------------- what is shown


def _passages(runs: Sequence[_Run]) -> Iterator[Sequence[_Run]]:
    """The changes with their context; those that are near each other are in one passage."""
    passage: list[_Run] = []
    for number, (kind, words) in enumerate(runs):
        if kind != "same":
            passage.append((kind, words))
            continue
        is_last = number == len(runs) - 1
        head, tail = _head(words), _head(words[::-1])[::-1]
        if passage and not is_last and len(head) + len(tail) >= len(words):
            passage.append((kind, words))
            continue
        if passage:
            dots = [_MORE] if len(head) < len(words) else []
            yield [*passage, (kind, [*head, *dots])]
        if is_last:
            return
        dots = [_MORE] if len(tail) < len(words) else []
        passage = [(kind, [*dots, *tail])]
    if passage:
        yield passage


_MORE: Final = _Word("…", " ")


def _head(words: Sequence[_Word]) -> Sequence[_Word]:
    """So many of the first as make a context."""
    length = 0
    for number, word in enumerate(words, start=1):
        length += len(word.text) + len(word.space)
        if length >= CONTEXT:
            return words[:number]
    return words


def _edits(runs: Iterable[_Run]) -> Iterator[Edit]:
    for kind, words in runs:
        text = "".join(f"{word.text}{word.space}" for word in words)
        if kind != "same" and len(text) > LONGEST:
            text = f"{text[:LONGEST].rstrip()}… "
        yield Edit(text, kind)
