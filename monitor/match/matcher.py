"""All watches of a configuration against an article.

An article is cut into chunks once; what each chunk means to the watches is remembered (`index`).
A query is asked only if one of its anchors, the rarest terms it can't do without, was seen. So the
cost of an article grows with what is found in it, and hardly with the number of watches: the idea
of Lucene Monitor's presearcher, on a memo of chunks in place of an index.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from typing import Final

from monitor.errors import ConfigError, Mistake, QueryError
from monitor.match.document import Document
from monitor.match.frequency import SHIPPED, Frequencies
from monitor.match.index import Entry, Index, Meaning, Meanings, Phrase
from monitor.match.nodes import Leaf, Mark
from monitor.match.plan import Content, Plan, Planner, content_of
from monitor.match.scan import Find, Scan
from monitor.match.spellings import Expansion, Spelling
from monitor.model import Hit, Span, Watch
from monitor.text import Chunk, Reading

LONGEST_READING: Final = 5
"""Tokens of a reading that can be part of a phrase; a hashtag as a whole is none."""

MOST_SPANS: Final = 2_000
"""Spans of one hit that are kept: what a page of nothing but a watch's words would have is no use."""


class Matcher:
    """All watches of a configuration, ready to read documents. Made by `compile_watches`.

    It keeps nothing of a document but what its chunks mean, and may be used by several threads.
    """

    def __init__(
        self, watches: Sequence[Watch], plans: Sequence[Plan], frequencies: Frequencies
    ) -> None:
        self.watches = tuple(watches)
        self.frequencies = frequencies
        self._plans = tuple(plans)
        waiting: dict[Leaf, list[int]] = {}
        always: list[int] = []
        leaves: dict[Leaf, None] = {}
        for number, plan in enumerate(self._plans):
            leaves.update(dict.fromkeys(plan.leaves))
            if plan.anchors is None:
                always.append(number)
            else:
                for leaf in plan.anchors:
                    waiting.setdefault(leaf, []).append(number)
        self._always = tuple(always)
        self._waiting = {leaf: tuple(numbers) for leaf, numbers in waiting.items()}
        self._meanings = Meanings(Index(leaves, frequencies))

    def plans(self) -> dict[Content, Plan]:
        """The plans by what they were made of: for the next matcher, if little has changed."""
        return {
            content_of(watch): plan for watch, plan in zip(self.watches, self._plans, strict=True)
        }

    def match(self, document: Document) -> tuple[Hit, ...]:
        """A hit for each watch that matches, in the watches' order.

        Its spans cover exactly the characters of the words that make it match, title before body;
        of two where one holds the other the longer is kept, of equals the query's first term. A
        watch that asks for nothing in the text (source:Dawn) has no spans.
        """
        scan = self.scan(document)
        waiting = self._waiting
        numbers = set(self._always)
        for leaf in scan.found:
            if leaf in waiting:
                numbers.update(waiting[leaf])
        plans = self._plans
        return tuple(
            Hit(
                watch=self.watches[number].name,
                spans=spans_of(scan, plans[number].root.marks(scan)),
            )
            for number in sorted(numbers)
            if plans[number].root.holds(scan)
        )

    def scan(self, document: Document) -> Scan:
        """The document with everything found in it that is a term of some watch."""
        scan = Scan(document)
        found = scan.found
        meanings = list(map(self._meanings.__getitem__, scan.raws))
        for at, meaning in compress(enumerate(meanings), meanings):
            assert meaning is not None
            for leaf, reading in meaning.finds:
                if leaf in found:
                    found[leaf].append((at, reading, at, reading))
                else:
                    found[leaf] = [(at, reading, at, reading)]
            if meaning.entries:
                for leaf, find in _phrases(scan, at, meaning):
                    found.setdefault(leaf, []).append(find)
        return scan


def compile_watches(
    watches: Sequence[Watch],
    *,
    frequencies: Frequencies | None = None,
    previous: Matcher | None = None,
) -> Matcher:
    """A matcher for these watches.

    `frequencies` say how common words are here; with `previous`, watches that did not change are
    not read again, and its frequencies hold on unless there are newer ones. Raises `ConfigError`
    naming every watch whose query or terms can't be read.
    """
    if frequencies is None:
        frequencies = previous.frequencies if previous else SHIPPED
    known = previous.plans() if previous else {}
    planner = Planner(frequencies, _leaves_of(known.values()))
    plans: list[Plan] = []
    mistakes: list[Mistake] = []
    for watch in watches:
        plan = known.get(content_of(watch))
        if plan is None:
            try:
                plan = planner.plan(watch)
            except QueryError as error:
                mistakes.append(Mistake(f"watch {watch.name!r}: {error.message}"))
                continue
        plans.append(plan)
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return Matcher(watches, plans, frequencies)


def _leaves_of(plans: Iterable[Plan]) -> dict[Expansion, Leaf]:
    return {
        Expansion(leaf.spellings, leaf.capitals): leaf for plan in plans for leaf in plan.leaves
    }


# ------------------------------------------------------------------------- phrases


def _phrases(scan: Scan, at: int, meaning: Meaning) -> Iterator[tuple[Leaf, Find]]:
    """The phrases that run through a chunk's words."""
    for entry, reading in meaning.entries:
        for phrase in _candidates(scan, at, meaning.chunk, entry, reading):
            find = _verified(scan, at, meaning.chunk, reading, phrase)
            if find is not None:
                yield phrase.leaf, find


def _candidates(
    scan: Scan, at: int, chunk: Chunk, entry: Entry, reading: Reading
) -> Iterator[Phrase]:
    """The phrases whose next word, or the one before, is here as well."""
    if entry.after is not None:
        point = scan.behind(at, chunk, reading.after)
        if point is not None:
            _, following, token, _ = point
            for next_one in _beginning_at(following, token):
                for key in next_one.keys:
                    if key in entry.after:
                        yield from entry.after[key]
    if entry.before is not None:
        point = scan.before(at, chunk, reading.first)
        if point is not None:
            _, previous, token, _ = point
            for last_one in _ending_at(previous, token):
                for key in last_one.keys:
                    if key in entry.before:
                        yield from entry.before[key]
    yield from entry.alone


def _beginning_at(chunk: Chunk, token: int) -> Iterator[Reading]:
    """The readings that begin with a token: they are in order of their beginnings."""
    readings = chunk.readings
    for at in range(bisect_left(readings, (token,)) if token else 0, len(readings)):
        if readings[at].first != token:
            return
        yield readings[at]


def _ending_at(chunk: Chunk, token: int) -> Iterator[Reading]:
    """The readings that end before a token."""
    readings = chunk.readings
    for at in range(bisect_left(readings, (token - LONGEST_READING,)), len(readings)):
        if readings[at].first >= token:
            return
        if readings[at].after == token:
            yield readings[at]


def _verified(scan: Scan, at: int, chunk: Chunk, reading: Reading, phrase: Phrase) -> Find | None:
    """The whole phrase, if it stands here."""
    spelling, here = phrase.spelling, phrase.at
    last = _forward(scan, at, chunk, reading, spelling, here + 1)
    if last is None:
        return None
    first = _backward(scan, at, chunk, reading, spelling, here)
    if first is None:
        return None
    return (*first, *last)


def _forward(
    scan: Scan, at: int, chunk: Chunk, reading: Reading, spelling: Spelling, number: int
) -> tuple[int, Reading] | None:
    """Where the rest of a phrase ends, the words from `number` on standing behind a reading."""
    if number == len(spelling):
        return at, reading
    point = scan.behind(at, chunk, reading.after)
    if point is None:
        return None
    place, following, token, link = point
    element = spelling[number]
    if not element.gap.allows(link):
        return None
    for next_one in _beginning_at(following, token):
        if element.fits(next_one.keys):
            end = _forward(scan, place, following, next_one, spelling, number + 1)
            if end is not None:
                return end
    return None


def _backward(
    scan: Scan, at: int, chunk: Chunk, reading: Reading, spelling: Spelling, number: int
) -> tuple[int, Reading] | None:
    """Where a phrase begins, the words before `number` standing before a reading."""
    if number == 0:
        return at, reading
    point = scan.before(at, chunk, reading.first)
    if point is None:
        return None
    place, previous, token, link = point
    if not spelling[number].gap.allows(link):
        return None
    element = spelling[number - 1]
    for last_one in _ending_at(previous, token):
        if element.fits(last_one.keys):
            start = _backward(scan, place, previous, last_one, spelling, number - 1)
            if start is not None:
                return start
    return None


# ------------------------------------------------------------------------- spans


def spans_of(scan: Scan, marks: Iterable[Mark]) -> tuple[Span, ...]:
    """The marks as spans of the original text, in reading order, none within another."""
    found: dict[tuple[bool, int, int], str] = {}
    for (first, begins, last, ends), label in marks:
        start = scan.start_of(first) + begins.start
        key = (first >= scan.body_at, start, -(scan.start_of(last) + ends.end))
        found.setdefault(key, label)
    spans: list[Span] = []
    reached = (False, 0)
    for in_body, start, minus_end in sorted(found):
        if (in_body, -minus_end) <= reached and spans:
            continue
        reached = (in_body, -minus_end)
        spans.append(
            Span(
                field="body" if in_body else "title",
                start=start,
                end=-minus_end,
                term=found[in_body, start, minus_end],
            )
        )
        if len(spans) == MOST_SPANS:
            break
    return tuple(spans)
