"""All watches of a configuration against an article.

An article is cut into chunks once; what each chunk means to the watches is remembered (`index`).
A query is asked only if one of its anchors, the rarest terms it can't do without, was seen. So the
cost of an article grows with what is found in it, and hardly with the number of watches: the idea
of Lucene Monitor's presearcher, on a memo of chunks in place of an index.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress, pairwise
from operator import attrgetter
from typing import Final, Literal

from monitor.errors import ConfigError, Mistake, QueryError
from monitor.match.document import Document
from monitor.match.frequency import SHIPPED, Frequencies
from monitor.match.index import NOTHING, Index, Meaning, Phrase, beginning_at, ending_at
from monitor.match.memo import Memo
from monitor.match.nodes import Leaf, Mark, TermNode
from monitor.match.plan import Content, Plan, Planner, content_of
from monitor.match.scan import Find, Range, Scan
from monitor.match.spellings import Expansion, Gap, Spelling
from monitor.model import Hit, Span, Watch
from monitor.text import Chunk, Reading

_ANY: Final = Gap.ANY
_IS_ACTIVE: Final = attrgetter("is_active")
_WORD: Final = attrgetter("word")
_PUNCTUATION: Final = '.,;:!?…"“”‘’()[]'

MOST_SPANS: Final = 2_000
"""Spans of one hit that are kept: what a page of nothing but a watch's words would have is no use."""


class Meanings(Memo[Meaning]):
    """What each chunk means, as far as it was seen before."""

    def __init__(self, index: Index) -> None:
        super().__init__(index.meaning)

    def __missing__(self, raw: str) -> Meaning:
        core = raw.strip(_PUNCTUATION)
        if core != raw and core.isalpha() and self.get(core) is NOTHING:
            self.keep(raw, NOTHING)  # without its comma, a word has all of its keys, or more
            return NOTHING
        return super().__missing__(raw)


class _Waiting:
    """The watches that wait for a term."""

    __slots__ = ("alone", "seconds")

    def __init__(self) -> None:
        self.alone: tuple[int, ...] = ()  # for nothing else
        self.seconds: dict[Leaf, tuple[int, ...]] = {}  # for another term, too: AND, NEAR

    def add(self, number: int, plan: Plan) -> None:
        """One more watch."""
        if plan.second is None:
            self.alone = (*self.alone, number)
        else:
            self.seconds[plan.second] = (*self.seconds.get(plan.second, ()), number)


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
        waiting: dict[Leaf, _Waiting] = {}
        always: list[int] = []
        leaves: dict[Leaf, None] = {}
        for number, plan in enumerate(self._plans):
            leaves.update(dict.fromkeys(plan.leaves))
            if plan.anchors is None:
                always.append(number)
            else:
                for leaf in plan.anchors:
                    waiting.setdefault(leaf, _Waiting()).add(number, plan)
        self._always = tuple(always)
        self._waiting = waiting
        self._index = Index(leaves, frequencies)
        self._meanings = Meanings(self._index)

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
        waiting, plans = self._waiting, self._plans
        numbers = set(self._always)
        seen = scan.found.keys()
        for leaf in seen & waiting.keys():
            numbers.update(waiting[leaf].alone)
            if seconds := waiting[leaf].seconds:
                for second in seconds.keys() & seen:
                    numbers.update(seconds[second])
        hits: list[Hit] = []
        for number in sorted(numbers):
            plan = plans[number]
            if plan.terms:
                here = [term for term in plan.terms if term.leaf in seen]
                spans = _term_spans(scan, here[0]) if len(here) == 1 else _list_spans(scan, here)
            elif plan.root.holds(scan):
                spans = spans_of(plan.root.marks(scan))
            else:
                continue
            hits.append(Hit(watch=self.watches[number].name, spans=spans))
        return tuple(hits)

    def scan(self, document: Document) -> Scan:
        """The document with everything found in it that is a term of some watch."""
        scan = Scan(document)
        self._scan(scan, 0, scan.body_at)
        self._scan(scan, scan.body_at, len(scan.raws))
        return scan

    def _scan(self, scan: Scan, first: int, end: int) -> None:
        """Find what there is in a field: the chunks from `first` to before `end`."""
        found = scan.found
        meanings = list(map(self._meanings.__getitem__, scan.raws[first:end]))
        odd: list[int] = []
        for at, meaning in compress(enumerate(meanings), map(_IS_ACTIVE, meanings)):
            place = first + at
            for leaf, reading in meaning.finds:
                if leaf in found:
                    found[leaf].append((place, reading, place, reading))
                else:
                    found[leaf] = [(place, reading, place, reading)]
            for phrase, reading in meaning.alone:
                _note(scan, place, meaning.chunk, reading, phrase)
            if meaning.is_counted:
                scan.note_odd(place, meaning.chunk)
            if meaning.is_joint:
                odd.append(at)
        words = list(map(_WORD, meanings))
        is_paired = len(words) - words.count(None) > 1  # to count is cheap, to pair is not
        neighbours = list(map(self._index.pairs.get, pairwise(words))) if is_paired else ()
        for at, phrases in compress(enumerate(neighbours), neighbours):
            assert phrases is not None
            place, chunk = first + at, meanings[at].chunk
            for phrase in phrases:
                begin = place - phrase.at
                find = _plainly(scan, begin, phrase.spelling, first, end)
                if find is None:
                    _note(scan, place, chunk, chunk.readings[0], phrase)
                elif find:
                    found.setdefault(phrase.leaf, []).append(find)
        if odd:
            self._odd_phrases(scan, first, meanings, odd)

    def _odd_phrases(
        self, scan: Scan, first: int, meanings: Sequence[Meaning], odd: Sequence[int]
    ) -> None:
        """Find the phrases that run through chunks of several readings, or over empty ones."""
        joints: dict[tuple[int, int], None] = {}  # neighbours of which one is odd
        for at in odd:
            meaning = meanings[at]
            for phrase, reading in meaning.inner:
                _note(scan, first + at, meaning.chunk, reading, phrase)
            if not meaning.chunk.tokens:
                if at and not meanings[at - 1].chunk.tokens:
                    continue  # of a row of dashes, the first was looked across
                joints[_next(meanings, at, -1), _next(meanings, at, 1)] = None
                continue
            if meaning.heads:
                joints[_next(meanings, at, -1), at] = None
            if meaning.tails:
                joints[at, _next(meanings, at, 1)] = None
        for before, behind in joints:
            if before < 0 or behind == len(meanings):
                continue
            one, heads = meanings[before], meanings[behind].heads
            if heads and one.tails:
                for phrase, reading in self._index.phrases(one.tails, heads):
                    _note(scan, first + before, one.chunk, reading, phrase)


def _next(meanings: Sequence[Meaning], at: int, step: int) -> int:
    """The next chunk with a word in it, in this direction; else the first place outside."""
    at += step
    while 0 <= at < len(meanings) and not meanings[at].chunk.tokens:
        at += step
    return at


def _plainly(
    scan: Scan, begin: int, spelling: Spelling, first: int, end: int
) -> Find | Literal[False] | None:
    """A phrase of plain words, each a chunk of its own; None if that can't be said so easily."""
    if begin < first or begin + len(spelling) > end:
        return None
    chunks = [scan.chunk(at) for at in range(begin, begin + len(spelling))]
    for chunk, element in zip(chunks, spelling, strict=True):
        if len(chunk.readings) != 1 or chunk.count != 1 or chunk.unspaced:
            return None
        if element.gap is not _ANY or element.wild is not None:
            return None
    for chunk, element in zip(chunks, spelling, strict=True):
        if element.key not in chunk.readings[0].keys:
            return False
    return begin, chunks[0].readings[0], begin + len(spelling) - 1, chunks[-1].readings[0]


def _note(scan: Scan, at: int, chunk: Chunk, reading: Reading, phrase: Phrase) -> None:
    """Note a phrase, if all of it stands here."""
    leaf, spelling, here = phrase
    last = _forward(scan, at, chunk, reading, spelling, here + 1)
    if last is not None:
        for begin in _backward(scan, at, chunk, reading, spelling, here):
            scan.found.setdefault(leaf, []).append((*begin, *last))


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
        known = scan.spans[key] = spans_of(term.marks(scan))
    return known


def _list_spans(scan: Scan, terms: Iterable[TermNode]) -> tuple[Span, ...]:
    return spans_of(mark for term in terms for mark in term.marks(scan))


def spans_of(marks: Iterable[Mark]) -> tuple[Span, ...]:
    """The marks as spans of the original text, in reading order, none within another."""
    found: dict[Range, str] = {}
    for where, label in marks:
        if where not in found:
            found[where] = label
    spans: list[Span] = []
    reached = (False, -1)
    for where in sorted(found) if len(found) > 1 else found:
        in_body, start, minus_end = where
        if (in_body, -minus_end) <= reached:
            continue
        reached = (in_body, -minus_end)
        field: Literal["title", "body"] = "body" if in_body else "title"
        spans.append(Span(field=field, start=start, end=-minus_end, term=found[where]))
        if len(spans) == MOST_SPANS:
            break
    return tuple(spans)
