"""A query, ready to be asked about a text.

Each node answers three questions about a `Scan`: does it hold, where are its finds (for what counts
places: NEAR, ATLEAST), and which finds is a reader to be shown. A place has two measures: words,
for distances, and tokens, for what comes first and what overlaps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, NamedTuple, TypeAlias

from monitor.match.about import Wanted
from monitor.match.query import Field
from monitor.match.scan import Find, Range, Scan
from monitor.match.spellings import Spelling

MOST_PLACES: Final = 20_000
"""Pairs of one NEAR in one text. A page of nothing but "India Pakistan" has no end of them.

They are shared out among the left ones, so that what stands behind such a page is still found.
"""

_FEW_PAIRS: Final = 500
_MOST_STEPS: Final = 200_000  # words tried for the groups of one window in one text

Marks: TypeAlias = dict[Range, str]
"""What a reader is to be shown, and the watch's own spelling of the term that found it first."""


class Place(NamedTuple):
    """Where something stands that NEAR and ATLEAST can count."""

    first_word: int
    last_word: int
    start: tuple[int, int]  # first token: its chunk, and its number there
    end: tuple[int, int]  # behind the last token
    finds: tuple[tuple[Find, str], ...]


class Node(ABC):
    """Something that can be asked about a text."""

    __slots__ = ()

    @abstractmethod
    def holds(self, scan: Scan) -> bool:
        """Whether the text is as this wants it."""

    def places(self, scan: Scan) -> Sequence[Place]:  # noqa: ARG002 what counts no places has none
        """Where it is, in reading order of the beginnings."""
        return ()

    def words(self, scan: Scan) -> Sequence[tuple[int, int]]:
        """The first and the last word of each of its places: a first look at how near they are."""
        return [(place.first_word, place.last_word) for place in self.places(scan)]

    def mark(self, scan: Scan, marks: Marks) -> None:  # noqa: B027 what is not there has none
        """Add what to show of it to a reader, if it holds."""


class Leaf:
    """A term as all queries share it; it is the same only as itself."""

    __slots__ = ("capitals", "spellings")

    def __init__(self, spellings: tuple[Spelling, ...], *, capitals: bool) -> None:
        self.spellings = spellings
        self.capitals = capitals  # does not count where everything is in capitals


@dataclass(frozen=True, slots=True, eq=False)
class TermNode(Node):
    """A word or a phrase."""

    leaf: Leaf
    field: Field | None
    label: str

    def finds(self, scan: Scan) -> Sequence[Find]:
        """The finds that count here, in reading order; of several from one start the shortest."""
        found = scan.found.get(self.leaf, ())
        if not found or (len(found) == 1 and self.field is None and not self.leaf.capitals):
            return found
        return scan.counted(self.leaf, self.field, capitals=self.leaf.capitals)

    def words(self, scan: Scan) -> Sequence[tuple[int, int]]:
        known = scan.words_of.get((self.leaf, self.field))
        if known is None:
            known = []
            for first, begins, last, ends in self.finds(scan):
                word = end = scan.word_at(first, begins.first)
                if last != first or ends.after - begins.first > 1:
                    end = scan.word_at(last, ends.after - 1)
                known.append((word, end))
            scan.words_of[self.leaf, self.field] = known
        return known

    def holds(self, scan: Scan) -> bool:
        if self.field is None and not self.leaf.capitals:
            return self.leaf in scan.found
        return bool(self.finds(scan))

    def places(self, scan: Scan) -> Sequence[Place]:
        return [
            Place(
                first_word,
                last_word,
                (find[0], find[1].first),
                (find[2], find[3].after),
                ((find, self.label),),
            )
            for (first_word, last_word), find in zip(
                self.words(scan), self.finds(scan), strict=True
            )
        ]

    def mark(self, scan: Scan, marks: Marks) -> None:
        if self.leaf in scan.found:
            key = (self.leaf, self.field)
            ranges = scan.ranges.get(key)
            if ranges is None:
                ranges = scan.ranges[key] = list(map(scan.range_of, self.finds(scan)))
            for where in ranges:
                if where not in marks:
                    marks[where] = self.label


@dataclass(frozen=True, slots=True, eq=False)
class MetaNode(Node):
    """Something known of the article beside its text."""

    wanted: Wanted

    def holds(self, scan: Scan) -> bool:
        return self.wanted.fits(scan.document)


@dataclass(frozen=True, slots=True, eq=False)
class AllNode(Node):
    """All of them."""

    parts: tuple[Node, ...]

    def holds(self, scan: Scan) -> bool:
        for part in self.parts:  # noqa: SIM110 a generator costs more than what it asks
            if not part.holds(scan):
                return False
        return True

    def mark(self, scan: Scan, marks: Marks) -> None:
        for part in self.parts:
            part.mark(scan, marks)


@dataclass(frozen=True, slots=True, eq=False)
class AnyNode(Node):
    """Any of them."""

    parts: tuple[Node, ...]

    def holds(self, scan: Scan) -> bool:
        for part in self.parts:  # noqa: SIM110
            if part.holds(scan):
                return True
        return False

    def places(self, scan: Scan) -> Sequence[Place]:
        found = [place for part in self.parts for place in part.places(scan)]
        found.sort(key=lambda place: (place.start, place.end))
        return found

    def words(self, scan: Scan) -> Sequence[tuple[int, int]]:
        return [words for part in self.parts for words in part.words(scan)]

    def mark(self, scan: Scan, marks: Marks) -> None:
        for part in self.parts:
            if part.holds(scan):
                part.mark(scan, marks)


@dataclass(frozen=True, slots=True, eq=False)
class NotNode(Node):
    """Not it."""

    part: Node

    def holds(self, scan: Scan) -> bool:
        return not self.part.holds(scan)


@dataclass(frozen=True, slots=True, eq=False)
class NearNode(Node):
    """Two with at most `distance` words between them.

    What overlaps in letters is no pair; what interlocks has no word between.
    """

    left: Node
    right: Node
    distance: int
    ordered: bool

    def holds(self, scan: Scan) -> bool:
        return self._may_be_near(scan) and bool(self.places(scan))

    def _may_be_near(self, scan: Scan) -> bool:
        """A first look at the words alone: most pairs are far from each other."""
        ones, others = self.left.words(scan), self.right.words(scan)
        if len(ones) * len(others) > _FEW_PAIRS:
            return True
        reach = self.distance + 1
        for first, last in ones:
            for other_first, other_last in others:
                if other_first - last <= reach and first - other_last <= reach:
                    return True
        return False

    def places(self, scan: Scan) -> Sequence[Place]:
        known = scan.places_of.get(self)
        if known is None:
            known = scan.places_of[self] = sorted(
                self._pairs(scan), key=lambda place: (place.start, place.end)
            )
        return known

    def _pairs(self, scan: Scan) -> Iterator[Place]:
        left, right = self.left.places(scan), self.right.places(scan)
        if not left or not right:
            return
        begins = [place.first_word for place in right]  # in order, as the places are
        widest = max(place.last_word - place.first_word for place in right)
        left_to_make = MOST_PLACES
        for number, one in enumerate(left):
            mine = most = max(1, left_to_make // (len(left) - number))
            low = bisect_left(begins, one.first_word - self.distance - 1 - widest)
            for at in range(low, len(right)):
                other = right[at]
                if other.first_word - one.last_word - 1 > self.distance:
                    break
                if self._is_pair(one, other):
                    yield _together((one, other))
                    mine -= 1
                    if not mine:
                        break
            left_to_make -= most - mine

    def _is_pair(self, one: Place, other: Place) -> bool:
        if one.first_word - other.last_word - 1 > self.distance:
            return False
        if self.ordered:
            return one.end <= other.start
        return _are_apart(one, other)

    def mark(self, scan: Scan, marks: Marks) -> None:
        _mark(scan, self.places(scan), marks)


@dataclass(frozen=True, slots=True, eq=False)
class WithinNode(Node):
    """All, in any order, with at most `distance` other words among them."""

    parts: tuple[Node, ...]
    distance: int

    def holds(self, scan: Scan) -> bool:
        return all(part.holds(scan) for part in self.parts) and bool(self.places(scan))

    def places(self, scan: Scan) -> Sequence[Place]:
        known = scan.places_of.get(self)
        if known is None:
            known = scan.places_of[self] = sorted(
                self._groups(scan), key=lambda place: (place.start, place.end)
            )
        return known

    def _groups(self, scan: Scan) -> Iterator[Place]:
        choices = [part.places(scan) for part in self.parts]
        if not all(choices):
            return
        rarest = sorted(range(len(choices)), key=lambda part: len(choices[part]))
        choices = [choices[part] for part in rarest]  # a flood of the others is not gone through
        in_order = sorted(range(len(choices)), key=rarest.__getitem__)
        widths = [max(map(_width, places)) for places in choices]
        begins = [[place.first_word for place in places] for places in choices]
        reach = self.distance + sum(widths)  # words from the first to the last of a group
        steps = groups = 0  # that are left to make

        def extend(group: tuple[Place, ...]) -> Iterator[Place]:
            nonlocal steps, groups
            first = min(each.first_word for each in group)
            last = max(each.last_word for each in group)
            size = len(group)
            words = sum(map(_width, group)) + sum(widths[size:])
            if last - first + 1 - words > self.distance:
                return  # already too far apart, whatever comes between
            if size == len(choices):
                groups -= 1
                yield _together([group[part] for part in in_order])
                return
            places, order = choices[size], begins[size]
            for at in range(bisect_left(order, last - reach), len(places)):
                if order[at] > first + reach or steps <= 0 or groups <= 0:
                    return
                steps -= 1
                if all(_are_apart(each, places[at]) for each in group):
                    yield from extend((*group, places[at]))

        enough = len(choices) ** 2  # steps to one group, where there is no lack of words
        saved, left_to_make = 0.0, MOST_PLACES
        for number, first in enumerate(choices[0]):
            saved += _MOST_STEPS / len(choices[0])
            if saved < enough:
                continue
            steps = int(saved)
            groups = most = max(1, left_to_make // (len(choices[0]) - number))
            saved -= steps
            yield from extend((first,))
            saved += steps
            left_to_make -= most - groups

    def mark(self, scan: Scan, marks: Marks) -> None:
        _mark(scan, self.places(scan), marks)


@dataclass(frozen=True, slots=True, eq=False)
class AtLeastNode(Node):
    """So many finds."""

    count: int
    part: Node

    def holds(self, scan: Scan) -> bool:
        return len({place.start for place in self.part.places(scan)}) >= self.count

    def mark(self, scan: Scan, marks: Marks) -> None:
        self.part.mark(scan, marks)


def _width(place: Place) -> int:
    return place.last_word - place.first_word + 1


def _together(places: Sequence[Place]) -> Place:
    return Place(
        min(place.first_word for place in places),
        max(place.last_word for place in places),
        min(place.start for place in places),
        max(place.end for place in places),
        tuple(find for place in places for find in place.finds),
    )


def _are_apart(one: Place, other: Place) -> bool:
    """Whether no token is part of both."""
    if one.end <= other.start or other.end <= one.start:
        return True
    if len(one.finds) == len(other.finds) == 1:
        return False
    return all(
        _end(first) <= _start(second) or _end(second) <= _start(first)
        for first, _ in one.finds
        for second, _ in other.finds
    )


def _start(find: Find) -> tuple[int, int]:
    return find[0], find[1].first


def _end(find: Find) -> tuple[int, int]:
    return find[2], find[3].after


def _mark(scan: Scan, places: Sequence[Place], marks: Marks) -> None:
    """Mark all places; the first part's finds first, so that it names them."""
    for column in zip_longest(*(place.finds for place in places)):
        for find, label in filter(None, column):
            marks.setdefault(scan.range_of(find), label)
