"""Which articles report one event.

An article joins the story that it is most like, if it is like enough, and else opens its own.
Like means: the cosine between its terms (`monitor.stories.terms`) and the mean of the story's,
lessened by each day of silence between them: single-pass clustering, as it was done for Topic
Detection and Tracking (Allan, Papka, Lavrenko, SIGIR 1998).

How much is enough depends on the story: reports of a plain event are much alike, and one that is
only somewhat like them is of another of its kind (the next quake, the next match); what is said
about a quarrel in parliament is less alike. The length of the mean of unit vectors tells how much
alike they are, so nothing more has to be kept. This took AllSides from .90 to .92 (B³, all of it).

On a desk that watches one crisis nearly every report has the crisis' own words, whatever the event.
So a term by which an article is found counts for less the more of the other reports of these days
have it, too, those of the story in question left out. This took the stories of the demo's six hours
of war from .55 to .78 (B³, against its authors' events), and cost nowhere.

Tried, with no gain that held on other sets: the likest member beside the mean, names and their
agreement, numbers and dates that disagree, pairs of capitalised words, a logistic model of these. The size of a story is no evidence: a rule that knew it would
keep large stories from growing.

Everything here is a value, bounded whatever the input; storage and locks are others'.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import exp, log, sqrt
from operator import mul
from types import MappingProxyType
from typing import Final, NamedTuple

from monitor.stories.frequencies import Frequencies
from monitor.stories.terms import cosine, unit, vector

CHAPTER = timedelta(hours=72)
"""How long after its first article a story takes new ones; then a chapter of it opens."""

SILENT: Final = timedelta(days=6)
"""How long a story may have been silent, or be yet to come, and still be found."""

LEAST: Final = 0.16
"""The cosine below which nothing belongs together."""

_AS_ALIKE: Final = 0.8  # of what the story's own articles have in common, a new one must have
_UNKNOWN: Final = 0.22  # how alike the articles of a story are before there are some …
_UNKNOWN_FOR: Final = 2.4  # … which counts as much as this many of them
_TERSE: Final = 40  # terms; of an article with fewer, chance decides more, and less is asked
# From which score for the second best on two stories are one, and at what cosine between them.
# Headlines need that: of a large event, the first few share no word. With texts it rarely helps.
_ONE_BY_HEADLINE: Final = (1.0, 0.11)
_ONE_BY_TEXT: Final = (1.2, 0.25)
_FRESH: Final = timedelta(hours=16)  # of silence cost nothing; e times less for each as long again

LATELY: Final = timedelta(days=2)
"""How long before an article reports tell what everybody speaks of."""

EVERY: Final = -1
"""Stands for all terms where reports are counted."""

_GENERALLY: Final = 30.0  # reports that what is usual in news counts as, beside those of these days

KEPT: Final = 120
"""Terms that a story is known by, the heaviest."""

INDEXED: Final = 12
"""Terms by which an article's story is found. With 16 it costs a sixth more and finds the same; with 8
reports of one crisis begin to be mixed up (P of the demo's stories .77 in place of .80)."""

Vector = Mapping[int, float]
"""Weights by the number of the term (32 bit, unsigned), of length 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an article says, as far as events are concerned."""

    vector: Vector  # heaviest first
    at: datetime
    rarity: Mapping[int, float]  # of the terms it is found by: how rare they are in news at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """What the articles of a story have in common."""

    first_at: datetime
    last_at: datetime
    articles: int  # that were grown into it, copies not among them
    centroid: Vector  # the mean of their vectors, not of length 1; heaviest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Where an article belongs."""

    thread: int | None  # index of its thread; None: it opens a story
    score: float  # how like the best thread, 1 being just enough
    also: int | None = None  # index of a second thread that turns out to be the same event


def report(
    title: str, body: str, *, at: datetime, language: str | None, frequencies: Frequencies
) -> Report:
    """An article as `choose` looks at it; `at` is when it was published."""
    found, rarity = vector(title, body, frequencies.weigher(language), rarity_of=INDEXED)
    return Report(vector=found, at=at, rarity=rarity)


def terms_to_look_up(report: Report) -> Sequence[int]:
    """The terms whose newest stories are the candidates, heaviest first."""
    return tuple(report.rarity)


def terms_to_count(report: Report) -> Sequence[int]:
    """The terms of which it matters how many of the latest reports have them."""
    return (EVERY, *report.rarity)


def terms_to_index(report: Report) -> Sequence[int]:
    """The terms under which the story of this article is to be found from now on."""
    return terms_to_look_up(report)


def is_terse(report: Report) -> bool:
    """Whether there is little more than a headline to go by."""
    return len(report.vector) < _TERSE


def opened(report: Report) -> Thread:
    """The thread of a story that begins with this article."""
    return Thread(first_at=report.at, last_at=report.at, articles=1, centroid=report.vector)


def grown(thread: Thread, report: Report) -> Thread:
    """The thread with one more article."""
    return _together(thread, opened(report))


def merged(one: Thread, other: Thread) -> Thread:
    """The thread of two stories that are one."""
    return _together(one, other)


def choose(
    report: Report, threads: Sequence[Thread], lately: Mapping[int, int] = MappingProxyType({})
) -> Choice:
    """The thread that an article belongs to; of equal ones the first.

    `lately`: how many of the latest reports have each of `terms_to_count`.
    """
    everywhere = _everywhere(report, lately)
    reports = lately.get(EVERY, 0)
    scores = [_score(report, thread, everywhere, reports) for thread in threads]
    order = sorted(range(len(threads)), key=lambda index: -scores[index])
    if not order or scores[order[0]] < 1:
        return Choice(thread=None, score=scores[order[0]] if order else 0.0)
    best, *others = order
    also = None
    enough, alike = _ONE_BY_HEADLINE if is_terse(report) else _ONE_BY_TEXT
    if others and scores[others[0]] >= enough:
        one, other = unit(threads[best].centroid), unit(threads[others[0]].centroid)
        also = others[0] if cosine(one, other) >= alike else None
    return Choice(thread=best, score=scores[best], also=also)


class _Said(NamedTuple):
    """A term of a report that others have lately, too."""

    term: int
    here: float  # its weight in the report
    rarity: float
    reports: int  # that have it
    usual: float  # as many had it if it were no commoner these days than in news at all


def _everywhere(report: Report, lately: Mapping[int, int]) -> Sequence[_Said]:
    return [
        _Said(term, report.vector[term], rarity, reports, _GENERALLY * exp(-rarity))
        for term, rarity in report.rarity.items()
        if (reports := lately.get(term, 0))
    ]


def _score(report: Report, thread: Thread, everywhere: Sequence[_Said], reports: int) -> float:
    apart = max(thread.first_at - report.at, report.at - thread.last_at)
    if apart > SILENT:
        return 0.0
    weights = thread.centroid.values()
    length = sum(map(mul, weights, weights))  # squared
    if not length:
        return 0.0
    alike = _alike(report, thread, length, everywhere, reports)
    fading = exp(-max(0.0, apart / _FRESH - 1))
    return alike * fading / _enough(len(report.vector), thread.articles, length)


def _alike(
    report: Report, thread: Thread, length: float, everywhere: Sequence[_Said], reports: int
) -> float:
    """The cosine, with what other stories speak of these days counting for less in both."""
    of_report, of_both, of_thread = 1.0, cosine(report.vector, thread.centroid), length
    others = max(0.0, reports - thread.articles)
    weight_of = thread.centroid.get
    for term, here, rarity, having, usual in everywhere:
        there = weight_of(term, 0.0)
        # the mean weight tells how many of the story's own have it
        own = min(1.0, there / here) * thread.articles
        share = (max(0.0, having - own) + usual) / (others + _GENERALLY)
        kept = min(1.0, max(0.0, -log(share)) / rarity) if share > 0 else 1.0
        less = 1 - kept * kept
        of_report -= less * here * here
        of_both -= less * here * there
        of_thread -= less * there * there
    product = of_report * of_thread
    return of_both / sqrt(product) if product > 1e-9 else 0.0


def _enough(terms: int, articles: int, length: float) -> float:
    """The cosine that an article of so many terms must have with a thread.

    The squared length of a mean of unit vectors is the mean of all cosines between them, that of
    each with itself among them; without those it estimates how alike two of them are. Of few
    articles that is little to go by, so it is mixed with what is usual.
    """
    others = max(0.0, articles * length - 1)  # articles - 1 times the mean cosine of two of them
    pairs = (others + _UNKNOWN_FOR * _UNKNOWN) / (articles - 1 + _UNKNOWN_FOR)
    usual = pairs / sqrt(max(length, _UNKNOWN))  # the cosine of one of them with the mean
    return max(LEAST, _AS_ALIKE * min(1.0, sqrt(terms / _TERSE)) * usual)


def _together(one: Thread, other: Thread) -> Thread:
    articles = one.articles + other.articles
    weights = {term: weight * one.articles for term, weight in one.centroid.items()}
    for term, weight in other.centroid.items():
        weights[term] = weights.get(term, 0.0) + weight * other.articles
    heaviest = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))[:KEPT]
    return Thread(
        first_at=min(one.first_at, other.first_at),
        last_at=max(one.last_at, other.last_at),
        articles=articles,
        centroid=MappingProxyType({term: weight / articles for term, weight in heaviest}),
    )


# --------------------------------------------------------------------------- for the database


_HEAD: Final = struct.Struct("<BddIB")  # version, first and last (POSIX seconds), articles, terms
_VERSION: Final = 1


def packed(thread: Thread) -> bytes:
    """A thread as at most 982 bytes."""
    head = _HEAD.pack(
        _VERSION,
        thread.first_at.timestamp(),
        thread.last_at.timestamp(),
        thread.articles,
        len(thread.centroid),
    )
    count = len(thread.centroid)
    return head + struct.pack(f"<{count}I{count}f", *thread.centroid, *thread.centroid.values())


def unpacked(data: bytes) -> Thread:
    """A thread out of what `packed` made of it. Raises `ValueError` for anything else."""
    try:
        version, first, last, articles, count = _HEAD.unpack_from(data)
        if version != _VERSION:
            raise ValueError(f"not a thread: version {version}")
        numbers = _terms(count).unpack_from(data, _HEAD.size)
    except struct.error as error:
        raise ValueError(f"not a thread: {error}") from error
    return Thread(
        first_at=datetime.fromtimestamp(first, UTC),
        last_at=datetime.fromtimestamp(last, UTC),
        articles=articles,
        centroid=dict(zip(numbers[:count], numbers[count:], strict=True)),
    )


def is_silent(data: bytes, at: datetime) -> bool:
    """Whether `choose` would pass over this packed thread, which its head tells."""
    _, first, last, *_ = _HEAD.unpack_from(data)
    apart: float = max(first - at.timestamp(), at.timestamp() - last)
    return apart > SILENT.total_seconds()


@lru_cache(maxsize=KEPT + 1)
def _terms(count: int) -> struct.Struct:
    return struct.Struct(f"<{count}I{count}f")
