"""A document as the engine reads it: chunks, what was found in them, and where that is.

Everything beyond the chunks themselves is worked out only when it is asked for: offsets for hits,
distances for NEAR, so an article that concerns nobody costs hardly more than cutting it up.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from monitor.match.document import Document
from monitor.match.query import Field
from monitor.model import Span
from monitor.text import Chunk, Line, Link, Reading, link_across, split

if TYPE_CHECKING:
    from monitor.match.index import Meaning
    from monitor.match.nodes import Leaf, NearNode, Place, WithinNode

Find: TypeAlias = tuple[int, Reading, int, Reading]
"""The chunk and the reading that a find begins with, and those that it ends with."""

Range: TypeAlias = tuple[bool, int, int]
"""Where a find is, in the order in which readers come to it: whether in the body, where it starts,
and minus where it ends, so that of two from one place the longer comes first."""

FAR: Final = 1000
"""Words that no NEAR bridges: what lies between title and body, and behind a sentence's end where
words are not spaced."""

_LEAD_PARAGRAPHS: Final = 2
_SHOUTED: Final = 4  # words in capitals in a row
_SHOUTED_LINE: Final = 3  # where a whole line has nothing else


class Scan:
    """One document while it is matched."""

    __slots__ = (
        "_bases",
        "_counted",
        "_cut",
        "_has_breaks",
        "_lead_ends_at",
        "_line_starts",
        "_lines",
        "_odd",
        "_others",
        "_positions",
        "_shifts",
        "_shouted",
        "body_at",
        "document",
        "ends",
        "found",
        "meanings",
        "places_of",
        "ranges",
        "raws",
        "spans",
        "words_of",
    )

    def __init__(self, document: Document, cut: Callable[[str], Chunk]) -> None:
        self.document = document
        self._cut = cut
        self._lines: list[Line] = split(document.title)
        self.raws: list[str] = []
        self.meanings: list[Meaning] = []  # of each chunk
        self._bases: list[int] = []  # of each line, its first chunk
        self._take(self._lines)
        self.body_at = len(self.raws)  # the body's first chunk
        body = split(_own(document.body, document.furniture))
        self._take(body)
        self._lines += body
        self._line_starts: dict[int, list[int]] = {}
        self._positions: list[tuple[int, ...]] | None = None
        self._odd: list[int] = []
        self._shifts = [0]  # before each of the odd ones, and behind the last: words less chunks
        self._has_breaks = False
        self._lead_ends_at: int | None = None
        self._counted: dict[tuple[Leaf, Field | None], Sequence[Find]] = {}
        self._others: dict[int, Chunk] = {}  # chunks that their meaning does not hold
        self._shouted: dict[int, list[bool]] = {}  # of a line, for each of its chunks
        self.ends: dict[tuple[int, int, int, int], tuple[int, Reading] | None] = {}
        """Where phrases end, as far as that was asked: by spelling, word, and the point before it."""
        self.words_of: dict[tuple[Leaf, Field | None], Sequence[tuple[int, int]]] = {}
        self.ranges: dict[tuple[Leaf, Field | None], Sequence[Range]] = {}
        self.spans: dict[tuple[Leaf, str], tuple[Span, ...]] = {}
        self.found: dict[Leaf, list[Find]] = {}
        self.places_of: dict[NearNode | WithinNode, Sequence[Place]] = {}

    def _take(self, lines: Sequence[Line]) -> None:
        raws, bases = self.raws, self._bases
        for line in lines:
            bases.append(len(raws))
            raws += line.raws

    def chunk(self, at: int) -> Chunk:
        """A chunk, cut up."""
        chunk = self.meanings[at].chunk
        if chunk is None:
            chunk = self._others.get(at)
            if chunk is None:
                chunk = self._others[at] = self._cut(self.raws[at])
        return chunk

    # -- what stands beside what

    def behind(self, at: int, chunk: Chunk, token: int) -> tuple[int, Chunk, int, Link] | None:
        """The point behind a word: where the next one would begin, and how it stands to it."""
        if token < len(chunk.tokens):
            return at, chunk, token, chunk.tokens[token].link
        end = self.body_at if at < self.body_at else len(self.raws)
        for place in range(at + 1, end):
            following = self.chunk(place)
            if following.tokens:
                return place, following, 0, self._link(at, chunk, place, following)
        return None

    def before(self, at: int, chunk: Chunk, token: int) -> tuple[int, Chunk, int, Link] | None:
        """The point before a word: where the one before it would end, and the link between."""
        if token:
            return at, chunk, token, chunk.tokens[token].link
        first = 0 if at < self.body_at else self.body_at
        for place in range(at - 1, first - 1, -1):
            previous = self.chunk(place)
            if previous.tokens:
                return place, previous, len(previous.tokens), self._link(place, previous, at, chunk)
        return None

    def _link(self, at: int, before: Chunk, place: int, after: Chunk) -> Link:
        first, last = self._line_of(at), self._line_of(place)
        blank = any(self._lines[number].paragraph for number in range(first + 1, last + 1))
        return link_across(
            before, after, beside=place == at + 1, blank=blank, wrapped=first != last
        )

    def _line_of(self, at: int) -> int:
        return bisect_right(self._bases, at) - 1

    # -- where it is

    def note_odd(self, at: int, chunk: Chunk) -> None:
        """A chunk that is not just one word: what counts words must know of it. In order."""
        self._odd.append(at)
        self._shifts.append(self._shifts[-1] + chunk.count - 1)
        self._has_breaks = self._has_breaks or chunk.unspaced

    def word_at(self, at: int, token: int) -> int:
        """Which word of the text a token is part of; between the fields lies `FAR`."""
        if self._has_breaks:
            positions = self._positions
            if positions is None:
                positions = self._positions = self._word_positions()
            return positions[at][token]
        place = bisect_left(self._odd, at)
        word = at + self._shifts[place] + (FAR if at >= self.body_at else 0)
        if place < len(self._odd) and self._odd[place] == at:
            word += self.chunk(at).words[token]
        return word

    def _word_positions(self) -> list[tuple[int, ...]]:
        """For each chunk the words of its tokens, where sentences set them apart."""
        found: list[tuple[int, ...]] = []
        base = 0
        last: tuple[int, Chunk] | None = None
        for at in range(len(self.raws)):
            chunk = self.chunk(at)
            if at == self.body_at and at:
                base += FAR
                last = None
            here: list[int] = []
            for number, token in enumerate(chunk.tokens):
                link = token.link
                if number == 0:
                    link = self._link(*last, at, chunk) if last else Link.APART
                if link is Link.BREAK:
                    base += FAR
                here.append(base + chunk.words[number])
            found.append(tuple(here))
            base += chunk.count
            if chunk.tokens:
                last = (at, chunk)
        return found

    def range_of(self, find: Find) -> Range:
        """Where a find is."""
        first, begins, last, ends = find
        line = bisect_right(self._bases, first) - 1
        starts, base = self._starts_of(line), self._bases[line]
        start = starts[first - base]
        if last == first:
            end = start
        elif last - base < len(starts):
            end = starts[last - base]
        else:
            line = self._line_of(last)
            end = self._starts_of(line)[last - self._bases[line]]
        return first >= self.body_at, start + begins.start, -end - ends.end

    def _starts_of(self, line: int) -> list[int]:
        """Where a line's chunks begin, in characters of its field."""
        known = self._line_starts.get(line)
        if known is None:
            known = self._line_starts[line] = self._lines[line].starts()
        return known

    # -- what counts

    def counted(self, leaf: Leaf, field: Field | None, *, capitals: bool) -> Sequence[Find]:
        """A term's finds in a field, in reading order; of several from one start the shortest."""
        known = self._counted.get((leaf, field))
        if known is not None:
            return known
        finds = self.found[leaf]
        if field is not None or capitals:
            finds = [
                find
                for find in finds
                if self._is_in(find[0], field) and not (capitals and self._is_shouted(find))
            ]
        if not are_apart(finds):
            finds = _shortest(finds)
        self._counted[leaf, field] = finds
        return finds

    def _is_in(self, at: int, field: Field | None) -> bool:
        match field:
            case None:
                return True
            case "title":
                return at < self.body_at
            case "body":
                return at >= self.body_at
            case "lead":
                return at < self._lead_end()

    def _lead_end(self) -> int:
        """The chunk behind the body's second paragraph."""
        if self._lead_ends_at is None:
            firsts = list(self._paragraphs())
            rest = firsts[_LEAD_PARAGRAPHS:]
            self._lead_ends_at = rest[0] if rest else len(self.raws)
        return self._lead_ends_at

    def _paragraphs(self) -> Iterator[int]:
        """The first chunk of each paragraph: behind an empty line, or of each line without such."""
        body = [at for at, base in enumerate(self._bases) if base >= self.body_at]
        blanks = [at for at in body[1:] if self._lines[at].paragraph]
        yield from (self._bases[at] for at in (*body[:1], *(blanks or body[1:])))

    def _is_shouted(self, find: Find) -> bool:
        """Whether everything around is in capitals, so that a word's capitals say nothing.

        U.S. is an acronym everywhere.
        """
        at, reading, _, _ = find
        if "." in self.raws[at][reading.start : reading.end - 1]:
            return False
        number = self._line_of(at)
        known = self._shouted.get(number)
        if known is None:
            known = self._shouted[number] = _shouted(self._lines[number].raws)
        return known[at - self._bases[number]]


def are_apart(finds: Sequence[Find]) -> bool:
    """Whether they are in reading order, and no chunk is part of two."""
    reached = -1
    for first, _, last, _ in finds:
        if first <= reached:
            return False
        reached = last
    return True


def _shortest(finds: Iterable[Find]) -> list[Find]:
    """The finds in reading order; of several from one start the shortest."""
    shortest: dict[tuple[int, int], Find] = {}
    for find in finds:
        key = (find[0], find[1].start)
        other = shortest.get(key)
        if other is None or (find[2], find[3].end) < (other[2], other[3].end):
            shortest[key] = find
    return [shortest[key] for key in sorted(shortest)]


def _shouted(raws: Sequence[str]) -> list[bool]:
    """For each chunk of a line whether everything around it is in capitals."""
    words = [raw for raw in raws if any(map(str.isalpha, raw))]
    if len(words) >= _SHOUTED_LINE and all(map(_is_loud, words)):
        return [True] * len(raws)
    before = _loud_before(raws)
    behind = reversed([*_loud_before(reversed(raws))])
    return [
        one + (0 if raw.endswith(",") else other) >= _SHOUTED - 1
        for raw, one, other in zip(raws, before, behind, strict=True)
    ]


def _loud_before(raws: Iterable[str]) -> Iterator[int]:
    """For each chunk how many stand before it in a run of shouting; single letters don't count."""
    loud = 0
    for raw in raws:
        yield loud
        loud = loud + (len(raw) > 1) if _goes_on(raw) else 0


def _goes_on(raw: str) -> bool:
    """Whether shouting goes on with this chunk; a comma ends it: "US, UK, EU" is a list."""
    return _is_loud(raw) and not raw.endswith(",")


def _is_loud(raw: str) -> bool:
    """Whether it is all capitals; scripts without capitals can't shout: "US और UK", "US軍"."""
    return raw.isupper() and all(char.isupper() for char in raw if char.isalpha())


def _own(body: str, furniture: Sequence[tuple[int, int]]) -> str:
    """The body without what is not the article's own; every other character keeps its place."""
    if not furniture:
        return body
    pieces: list[str] = []
    at = 0
    for start, end in furniture:
        pieces += (body[at:start], "\n" * (end - start))
        at = end
    pieces.append(body[at:])
    return "".join(pieces)
