"""The part of a text that shows best why it matched, and a text in marked and plain pieces."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from monitor.model import Span
from monitor.text import Link, is_cut, sentence_ends, tokens

_ELLIPSIS: Final = "…"
_CHUNKS: Final = re.compile(r"\S+")
_SHORTEST: Final = 20
_LONG: Final = 20_000  # characters above which only the densest part of a text is read
_MARGIN: Final = 2_000  # characters on either side of it: sentences are shorter
_GOES_ON: Final = frozenset(":;,-‐–—،؛、：；，")  # no sentence ends in one
_MOST_MARKS: Final = 2_000  # looked at in a long text


@dataclass(frozen=True, slots=True)
class Passage:
    """An excerpt on one line, with the places of what matched in it."""

    text: str
    marks: tuple[tuple[int, int], ...]  # half-open offsets into `text`: in order and apart


@dataclass(frozen=True, slots=True)
class _Mark:
    start: int
    end: int
    term: str


def best_passage(text: str, spans: Sequence[Span], limit: int = 300) -> Passage:
    """The passage of at most `limit` characters in which most different terms were found.

    `spans` are those of this text's field. Of equal passages the one with more finds is taken,
    then the earliest; without spans it is the text's beginning. White space becomes single
    spaces. Whole sentences are taken where they fit; of what follows a heading or a dateline, which
    are none, a part. Where a sentence is cut, it is cut between words (in scripts without spaces, and
    in a word that is longer than the passage, between characters), and an ellipsis stands for the rest
    of it. Raises `ValueError` below 20.
    """
    if limit < _SHORTEST:
        raise ValueError(f"a passage has at least {_SHORTEST} characters, not {limit}")
    if len(text) > _LONG:
        text, spans = _densest_part(text, spans, limit)
    line = _Line(text)
    marks = [
        _Mark(line.place(span.start), line.place(span.end), span.term)
        for span in sorted(spans, key=lambda span: (span.start, span.end))
    ]
    line.keep_whole(marks)
    start, end = line.widen(*_densest(marks, limit - 2), limit)
    head = _ELLIPSIS if line.cuts_sentence(start) else ""
    tail = _ELLIPSIS if line.cuts_sentence(end) else ""
    shift = len(head) - start
    inside = _merged(((mark.start, mark.end) for mark in marks), start, end)
    return Passage(
        text=f"{head}{line.text[start:end].rstrip()}{tail}",
        marks=tuple((first + shift, last + shift) for first, last in inside),
    )


def _densest_part(text: str, spans: Sequence[Span], limit: int) -> tuple[str, Sequence[Span]]:
    """A piece of a long text around its densest finds, and those in it: all that a passage needs."""
    early = sorted(spans, key=lambda span: (span.start, span.end))[:_MOST_MARKS]
    start, end = _densest([_Mark(span.start, span.end, span.term) for span in early], limit)
    low, high = max(0, start - _MARGIN), min(len(text), end + _MARGIN)
    inside = [
        replace(span, start=span.start - low, end=span.end - low)
        for span in spans
        if low <= span.start and span.end <= high
    ]
    return text[low:high], inside


def highlight(text: str, spans: Iterable[Span]) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it was matched; put together they are the text."""
    pieces: list[tuple[str, bool]] = []
    done = 0
    for start, end in _merged(((span.start, span.end) for span in spans), 0, len(text)):
        pieces += [(text[done:start], False), (text[start:end], True)]
        done = end
    pieces.append((text[done:], False))
    return [piece for piece in pieces if piece[0]]


def _merged(pairs: Iterable[tuple[int, int]], low: int, high: int) -> list[tuple[int, int]]:
    """Ranges in order and apart, as far as they lie within bounds."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted((max(first, low), min(last, high)) for first, last in pairs):
        if first >= last:
            continue
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _densest(marks: Sequence[_Mark], room: int) -> tuple[int, int]:
    """The range of at most `room` characters with most terms, from its first mark to its last.

    A single mark may be longer.
    """
    best = (0, 0)
    best_score = (0, 0)
    for index, mark in enumerate(marks):
        reach = bisect_right(marks, mark.start + room, lo=index, key=lambda other: other.start)
        window = [other for other in marks[index:reach] if other.end <= mark.start + room]
        score = (len({other.term for other in window}), len(window))
        if score > best_score:
            best, best_score = (mark.start, max(other.end for other in window)), score
    if marks and best_score == (0, 0):
        return marks[0].start, marks[0].end
    return best


class _Line:
    """A text on one line, with where it may be cut. All places are offsets into that line."""

    def __init__(self, text: str) -> None:
        chunks = [(match.start(), match[0]) for match in _CHUNKS.finditer(text)]
        self.text = " ".join(chunk for _, chunk in chunks)
        self._given = [at for at, _ in chunks]
        self._ends = [at + len(chunk) for at, chunk in chunks]
        self._here: list[int] = []
        at = 0
        for _, chunk in chunks:
            self._here.append(at)
            at += len(chunk) + 1
        starts = {0, len(self.text), *(self._next_place(end) for end in sentence_ends(text))}
        self._sentences = sorted(starts)
        unspaced = (token.start for token in tokens(self.text) if token.link is Link.NEXT)
        self._cuts = sorted({*self._here, *unspaced, len(self.text)})

    def place(self, offset: int) -> int:
        """Where a character of the given text is here; white space is the end of what precedes."""
        chunk = bisect_right(self._given, offset) - 1
        if chunk < 0:
            return 0
        return self._here[chunk] + min(offset, self._ends[chunk]) - self._given[chunk]

    def keep_whole(self, marks: Iterable[_Mark]) -> None:
        """Have no passage end or start inside these, if it can be helped."""
        inside = {
            cut
            for mark in marks
            for cut in self._cuts[
                bisect_right(self._cuts, mark.start) : bisect_left(self._cuts, mark.end)
            ]
        }
        self._cuts = [cut for cut in self._cuts if cut not in inside]

    def _next_place(self, offset: int) -> int:
        """Where a character of the given text is here; white space is the start of what follows."""
        chunk = bisect_right(self._ends, offset)
        if chunk == len(self._given):
            return len(self.text)
        return self._here[chunk] + max(offset, self._given[chunk]) - self._given[chunk]

    def cuts_sentence(self, at: int) -> bool:
        """Whether a passage that starts or ends here leaves a part of a sentence out."""
        place = bisect_left(self._sentences, at)
        return place == len(self._sentences) or self._sentences[place] != at

    def _size(self, start: int, end: int) -> int:
        """The length of the passage from here to there, as it will be shown."""
        blank = end > start and self.text[end - 1] == " "
        return end - start - blank + self.cuts_sentence(start) + self.cuts_sentence(end)

    def widen(self, first: int, last: int, limit: int) -> tuple[int, int]:
        """The passage around a range: to whole sentences if they fit, else to whole words."""
        start = self._sentences[bisect_right(self._sentences, first) - 1]
        if start < first and last - start + 2 > limit:
            start = self._start_of_word(first, lead=(limit - 2 - (last - first)) // 3)
        end = self._sentences[min(bisect_left(self._sentences, last), len(self._sentences) - 1)]
        if self._size(start, end) > limit:
            return start, self._end_of_word(start, last, limit)
        start, end = self._more_sentences(start, end, limit)
        if 2 * self._size(start, end) < limit and not self._is_said(start, end):
            end = self._end_of_word(start, end, limit)
        return start, end

    def _is_said(self, start: int, end: int) -> bool:
        """Whether this ends like a sentence; a heading, a dateline or a counter says nothing yet."""
        text = self.text[start:end].rstrip()
        return end == len(self.text) or (
            bool(text) and unicodedata.category(text[-1])[0] == "P" and text[-1] not in _GOES_ON
        )

    def _start_of_word(self, first: int, lead: int) -> int:
        """A start with at most so many characters before the range, at a word."""
        place = bisect_left(self._cuts, first - max(lead, 0))
        return min(self._cuts[place], first) if place < len(self._cuts) else first

    def _end_of_word(self, start: int, last: int, limit: int) -> int:
        """The last place where a passage with an ellipsis at its end may end."""
        furthest = start + limit - 1 - self.cuts_sentence(start)
        blank = self.text[furthest : furthest + 1] == " "  # falls away at the end
        cut = self._cuts[bisect_right(self._cuts, furthest + blank) - 1]
        if last <= furthest:
            cut = max(cut, last)
        if cut > start:
            return cut
        while furthest > start + 1 and not is_cut(self.text, furthest):
            furthest -= 1
        return furthest

    def _more_sentences(self, start: int, end: int, limit: int) -> tuple[int, int]:
        """Whole sentences behind, then before, as long as they fit."""
        after = bisect_right(self._sentences, end)
        while after < len(self._sentences) and self._size(start, self._sentences[after]) <= limit:
            end = self._sentences[after]
            after += 1
        before = bisect_left(self._sentences, start) - 1
        while (
            not self.cuts_sentence(start)
            and before >= 0
            and self._size(self._sentences[before], end) <= limit
        ):
            start = self._sentences[before]
            before -= 1
        return start, end
