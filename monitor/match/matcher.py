"""All watches of a configuration against an article.

An article is cut into chunks once; what each chunk means to the watches is remembered (`index`).
A query is asked only if one of its anchors, the rarest terms it can't do without, was seen. So the
cost of an article grows with what is found in it, and hardly with the number of watches: the idea
of Lucene Monitor's presearcher, on a memo of chunks in place of an index.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain, count
from operator import attrgetter
from typing import Final, NamedTuple

from monitor.errors import ConfigError, Mistake, QueryError
from monitor.match.document import Document
from monitor.match.frequency import SHIPPED, Frequencies
from monitor.match.index import (
    NOTHING,
    Index,
    Meaning,
    Phrase,
    beginning_at,
    ending_at,
    phrases_of,
)
from monitor.match.memo import Memo
from monitor.match.nodes import Leaf, Node, TermNode
from monitor.match.plan import Content, Plan, Planner, content_of
from monitor.match.scan import Range, Scan, are_apart
from monitor.match.spellings import Expansion, Spelling
from monitor.model import Hit, Span, Watch
from monitor.text import Chunk, Reading, chunk_of

_TERM: Final = attrgetter("term")
_PAIRS: Final = attrgetter("pairs")
_LISTS: Final = attrgetter("lists")

MOST_SPANS: Final = 2_000
"""Spans of one hit that are kept: what a page of nothing but a watch's words would have is no use."""


class _Waiting(NamedTuple):
    """Who waits for a term. Numbers in arrays: a few hundred are looked at for each article."""

    term: int  # its own number
    lists: tuple[tuple[int, TermNode], ...]  # watches of which it is a term, any of which is enough
    pairs: array[int]  # watches, each before a term: asked if that is there, too, or is it itself


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
        self._names = [watch.name for watch in self.watches]
        numbers = {leaf: 0 for plan in self._plans for leaf in plan.leaves}
        numbers.update(zip(numbers, count(), strict=False))
        lists: defaultdict[Leaf, list[tuple[int, TermNode]]] = defaultdict(list)
        pairs: defaultdict[Leaf, list[int]] = defaultdict(list)
        always: list[int] = []
        for number, plan in enumerate(self._plans):
            if plan.anchors is None:
                always.append(number)
                continue
            for term in plan.terms:
                lists[term.leaf].append((number, term))
            for leaf in () if plan.terms else plan.anchors:
                for other in plan.second or (leaf,):
                    pairs[leaf] += number, numbers[other]
        nobody: array[int] = array("I")
        waiting = {
            leaf: _Waiting(
                number,
                tuple(lists[leaf]) if leaf in lists else (),
                array("I", pairs[leaf]) if leaf in pairs else nobody,
            )
            for leaf, number in numbers.items()
        }
        self._always = tuple(always)
        self._waiting = waiting
        self._index = Index(waiting, frequencies)
        self._meanings = Memo(self._index.meaning)
        self._chunks = Memo(chunk_of)  # those that were part of a phrase, and their neighbours

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
        present = list(map(self._waiting.__getitem__, scan.found))
        seen = set(map(_TERM, present))
        listed: dict[int, list[TermNode]] = {}
        asked = set(self._always)
        for pairs in filter(None, map(_PAIRS, present)):
            each = iter(pairs)
            asked.update([number for number, term in zip(each, each, strict=True) if term in seen])
        for number, node in chain.from_iterable(map(_LISTS, present)):
            if number in listed:
                listed[number].append(node)
            else:
                listed[number] = [node]
        plans, names = self._plans, self._names
        hits: list[Hit] = []
        for number in sorted(listed.keys() | asked):
            terms = listed.get(number)
            if terms is not None:
                if len(terms) == 1:
                    spans = _term_spans(scan, terms[0])
                else:
                    here = (term for term in plans[number].terms if term.leaf in scan.found)
                    spans = spans_of(scan, *here)
            else:
                root = plans[number].root
                if not root.holds(scan):
                    continue
                spans = spans_of(scan, root)
            hits.append(Hit(watch=names[number], spans=spans))
        return tuple(hits)

    def scan(self, document: Document) -> Scan:
        """The document with everything found in it that is a term of some watch."""
        scan = Scan(document, self._chunks.__getitem__)
        scan.meanings = list(map(self._meanings.__getitem__, scan.raws))
        self._scan(scan, 0, scan.body_at)
        self._scan(scan, scan.body_at, len(scan.raws))
        return scan

    def _scan(self, scan: Scan, first: int, end: int) -> None:
        """Find what there is in a field: the chunks from `first` to before `end`."""
        found = scan.found
        meanings = scan.meanings[first:end]
        active: list[int] = []
        pairs: list[int] = []
        followers = NOTHING.followers
        for at, meaning in enumerate(meanings):  # as little as can be: every chunk comes by
            if meaning.word in followers:
                pairs.append(at - 1)
            followers = meaning.followers
            if meaning.is_active:
                active.append(at)
        odd: list[int] = []
        for at in active:
            meaning = meanings[at]
            place = first + at
            for leaf, reading in meaning.finds:
                if leaf in found:
                    found[leaf].append((place, reading, place, reading))
                else:
                    found[leaf] = [(place, reading, place, reading)]
            if meaning.is_odd:
                odd.append(at)
        for at in pairs:
            for phrase in meanings[at].followers[meanings[at + 1].word]:
                _note_pair(scan, first, meanings, at, phrase)
        if odd:
            _odd_phrases(scan, first, meanings, odd)


def _odd_phrases(scan: Scan, first: int, meanings: Sequence[Meaning], odd: Sequence[int]) -> None:
    """Find the phrases that run through chunks of several readings, or over empty ones."""
    joints: dict[tuple[int, int], None] = {}  # neighbours of which one is odd
    for at in odd:
        meaning = meanings[at]
        chunk = scan.chunk(first + at)
        for phrase, reading in meaning.alone:
            _note(scan, first + at, chunk, reading, phrase)
        if meaning.is_counted:
            scan.note_odd(first + at, chunk)
        if meaning.word is not None:
            continue
        for phrase, reading in meaning.inner:
            _note(scan, first + at, chunk, reading, phrase)
        if meaning.is_blank:
            if not at or not meanings[at - 1].is_blank:  # of a row of dashes, once
                joints[_next(meanings, at, -1), _next(meanings, at, 1)] = None
            continue
        if meaning.heads:
            joints[_next(meanings, at, -1), at] = None
        if meaning.tails:
            joints[at, _next(meanings, at, 1)] = None
    for before, behind in joints:
        if before < 0 or behind == len(meanings):
            continue
        tails, heads = meanings[before].tails, meanings[behind].heads
        if tails and heads:
            chunk = scan.chunk(first + before)
            for phrase, reading in phrases_of(chunk, tails, heads):
                _note(scan, first + before, chunk, reading, phrase)


def _next(meanings: Sequence[Meaning], at: int, step: int) -> int:
    """The next chunk with a word in it, in this direction; else the first place outside."""
    at += step
    while 0 <= at < len(meanings) and meanings[at].is_blank:
        at += step
    return at


def _note_pair(
    scan: Scan, first: int, meanings: Sequence[Meaning], at: int, phrase: Phrase
) -> None:
    """Note a phrase of which two plain words stand here, if the others do, too."""
    stands = True if phrase.others == () else _stands(phrase, meanings, at)
    if stands:
        begin = first + at - phrase.at
        last = begin + len(phrase.spelling) - 1
        begins, ends = scan.chunk(begin).readings[0], scan.chunk(last).readings[0]
        scan.found.setdefault(phrase.leaf, []).append((begin, begins, last, ends))
    elif stands is None:
        chunk = scan.chunk(first + at)
        _note(scan, first + at, chunk, chunk.readings[0], phrase)


def _stands(phrase: Phrase, meanings: Sequence[Meaning], at: int) -> bool | None:
    """Whether a phrase's other words are beside its pair; None if that can't be said so easily."""
    if phrase.others is None:
        return None
    stands = True
    for distance, key in phrase.others:
        place = at + distance
        if not 0 <= place < len(meanings):
            return None  # it may be shorter than it looks: the-first-words of-it
        word = meanings[place].word
        if word is None:
            if meanings[place] is not NOTHING:
                return None
            stands = False
        elif key not in word.keys:
            stands = False
    return stands


def _note(scan: Scan, at: int, chunk: Chunk, reading: Reading, phrase: Phrase) -> None:
    """Note a phrase, if all of it stands here."""
    last = _forward(scan, at, chunk, reading, phrase.spelling, phrase.at + 1)
    if last is not None:
        for begin in _backward(scan, at, chunk, reading, phrase.spelling, phrase.at):
            scan.found.setdefault(phrase.leaf, []).append((*begin, *last))


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


def _forward(
    scan: Scan, at: int, chunk: Chunk, reading: Reading, spelling: Spelling, number: int
) -> tuple[int, Reading] | None:
    """Where the rest of a phrase ends soonest, its words from `number` on standing behind a reading.

    Remembered: "ind* ind* ind*" could go through ind-ind-ind-… in more ways than can be counted.
    """
    if number == len(spelling):
        return at, reading
    key = (id(spelling), number, at, reading.after)
    if key not in scan.ends:
        scan.ends[key] = _rest(scan, at, chunk, reading.after, spelling, number)
    return scan.ends[key]


def _rest(
    scan: Scan, at: int, chunk: Chunk, token: int, spelling: Spelling, number: int
) -> tuple[int, Reading] | None:
    point = scan.behind(at, chunk, token)
    if point is None:
        return None
    place, following, first, link = point
    element = spelling[number]
    if not element.gap.allows(link):
        return None
    shortest: tuple[int, Reading] | None = None
    for next_one in beginning_at(following, first):
        if element.fits(next_one.keys):
            end = _forward(scan, place, following, next_one, spelling, number + 1)
            if end is not None and (
                shortest is None or (end[0], end[1].end) < (shortest[0], shortest[1].end)
            ):
                shortest = end
    return shortest


def _backward(
    scan: Scan, at: int, chunk: Chunk, reading: Reading, spelling: Spelling, number: int
) -> Iterable[tuple[int, Reading]]:
    """Where a phrase may begin, the words before `number` standing before a reading."""
    begins = {(at, reading.first, reading.start): (at, chunk, reading)}
    for before in range(number - 1, -1, -1):
        gap, element = spelling[before + 1].gap, spelling[before]
        points = {(place, one.first): (within, one) for place, within, one in begins.values()}
        begins = {}
        for (behind, first), (within, _) in points.items():
            point = scan.before(behind, within, first)
            if point is None or not gap.allows(point[3]):
                continue
            place, previous, token, _ = point
            for last_one in ending_at(previous, token):
                if element.fits(last_one.keys):
                    begins[place, last_one.first, last_one.start] = (place, previous, last_one)
    return [(at, one) for at, _, one in begins.values()]


# ------------------------------------------------------------------------- spans


def _term_spans(scan: Scan, term: TermNode) -> tuple[Span, ...]:
    """A term's spans; many watches share it."""
    key = (term.leaf, term.label)
    known = scan.spans.get(key)
    if known is None:
        finds = term.finds(scan)
        if are_apart(finds):
            known = tuple([_span(scan.range_of(find), term.label) for find in finds[:MOST_SPANS]])
        else:
            known = spans_of(scan, term)
        scan.spans[key] = known
    return known


def spans_of(scan: Scan, *nodes: Node) -> tuple[Span, ...]:
    """What to show of some nodes: in reading order, none within another."""
    found: dict[Range, str] = {}
    for node in nodes:
        node.mark(scan, found)
    spans: list[Span] = []
    reached = (False, -1)
    for where in sorted(found) if len(found) > 1 else found:
        in_body, _, minus_end = where
        if (in_body, -minus_end) <= reached:
            continue
        reached = (in_body, -minus_end)
        spans.append(_span(where, found[where]))
        if len(spans) == MOST_SPANS:
            break
    return tuple(spans)


def _span(where: Range, term: str) -> Span:
    in_body, start, minus_end = where
    return Span(field="body" if in_body else "title", start=start, end=-minus_end, term=term)
