"""Which texts are copies: the same words, or most of one report inside another.

News travels by copying. A wire report is printed cut to half its length, under another headline,
behind another dateline, with paragraphs of the outlet's own in between. What stays is runs of
words, so a text is known by its *shingles*: every run of three or six of its tokens, hashed. Of
these a `Fingerprint` keeps the smallest, which are a fair sample of all (Broder 1997, "On the
resemblance and containment of documents"), and two samples tell how much two texts share.

Candidates share a *key*: one of the smallest six-word shingles. Bands of MinHash (LSH) want a high
Jaccard resemblance, which a copy that was cut to a quarter has not; one of its few smallest
shingles it keeps nearly always. `kinship` judges what was found.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import struct
import sys
from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from monitor.stories.chunks import BITS, LANE, Words, remembered
from monitor.stories.credits import NAMES
from monitor.text import norms_of, split, tokens

SHORTEST: Final = 40
"""Words (characters, in scripts without spaces) below which equal texts prove nothing."""

WINDOW: Final = timedelta(hours=72)
"""How far apart two articles may be that share most of their text. What is printed again later is
an explainer, a column, a template: the largest single gain in precision (.78 → .95)."""

HOTTEST: Final = 50
"""Articles that may share a key; more, and it is furniture or a template: it is passed over."""

RANKED: Final = 20
"""Candidates to judge, those with most keys in common first."""

_LONGEST: Final = 1 << 17
"""Characters that are read. Twenty thousand words: the longest that a newspaper prints has fewer,
and what is longer is no better known by its rest."""

_KEYS: Final = 24  # of the whole text; 99 % of heavily edited copies share one
_LEAD: Final = 40  # tokens: what a summary of two sentences keeps
_LEAD_KEYS: Final = 6
_SKETCH: Final = 256
_FEW: Final = 8  # shingles, by which nothing can be estimated
_PROOF: Final = 15  # words that a copy has at least
_PARTICULARS: Final = 64  # names, and numbers, that are kept
_OPENING: Final = 16
_TITLE: Final = 24  # words
_LONGEST_TITLE: Final = 500  # characters

_DATELINE_REACH: Final = 60  # characters; the longest seen: place, state, date and agency
_WIRE: Final = re.compile(  # New Delhi, May 10 (PTI) Prime Minister …
    rf"""[^\n!?()]{{0,{_DATELINE_REACH}}} [(（] (?:{NAMES}|cnn|bbc) (?:/[^()\n]{{1,20}})? [)）]
    \s* (?:[-–—:]+\s*)?""",
    re.IGNORECASE | re.VERBOSE,
)
_DASH: Final = re.compile(r"\s+[-–—]{1,2}\s+|[–—]\s+|(?<=[A-Z])—|:\s+")

_MASKED: Final = bytes([0xFF] * 8 + [0] * (LANE - 8))
_KEY_BITS: Final = (
    32  # of a hash. Among ten million keys one article in 14 finds a stranger's, and judges it
)
_KEY_MASK: Final = (1 << _KEY_BITS) - 1
_SIGN: Final = 1 << _KEY_BITS - 1
# Odd, and nothing else about them matters: fractional parts of the golden ratio, √2 and √3.
_FIRST: Final = 0x9E3779B97F4A7C15
_SECOND: Final = 0x6A09E667F3BCC909
_THIRD: Final = 0xBB67AE8584CAA73B


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What is kept of a text to know its copies by. The same for the same text, everywhere.

    All but the keys and `exact` are hashes of 21 bits, in order, each once.
    """

    words: int  # tokens; in scripts without spaces one per character, or cluster with its marks
    keys: tuple[int, ...] = ()  # signed 32 bit, at most 30: what candidates are looked up by
    sketch: tuple[int, ...]  # the smallest three-word shingles, at most 256
    shingles: int  # how many different ones the text has
    opening: tuple[int, ...] = ()  # the smallest of those in the first 40 tokens, at most 16
    numbers: tuple[int, ...] = ()  # the different numbers in it, the 64 smallest hashes
    names: tuple[int, ...] = ()  # and words that are always capitalised in it
    title: tuple[int, ...] = ()  # words of the headline
    figures: tuple[int, ...] = ()  # and its numbers
    exact: str | None = None  # of all words together; None if too short to prove a copy


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How much two texts share, each share from 0 to 1."""

    jaccard: float  # shared shingles among those of either
    containment: float  # and among those of the shorter text
    compared: int  # of the shorter text's shingles, how many these two were estimated by
    opening: float  # shared shingles of the beginnings
    numbers: float  # shared numbers among those of the text with fewer; one more is taken for
    particulars: float  # granted, so that few prove little. And shared numbers and names together
    title: float  # shared words of the headlines, numbers left out; 0 where one has none
    series: bool  # the headlines have much the same words, and each a number of its own
    new: float  # of this text's shingles, those that the other has not


class Kinship(StrEnum):
    """What an article is to an earlier one with much the same text."""

    COPY = "copy"
    UPDATE = "update"  # a copy with more than `NEWS` of text that the earlier one has not


NEWS: Final = 0.25
"""The share of new text that makes a copy worth telling of."""


def fingerprint(title: str, body: str) -> Fingerprint:
    """The fingerprint of an article's body; never raises, and linear in the text.

    Blind to case, white space, quotes and whatever else the normal form folds, to a dateline, and
    to the headline where the body repeats it: outlets write their own above one wire report.
    """
    title = title[:_LONGEST_TITLE]
    text = _without_dateline(_without_title(title, body[:_LONGEST]))
    lines = [[remembered[raw] for raw in line.raws] for line in split(text)]
    chunks = [*itertools.chain.from_iterable(lines)]
    words, triples, sixes = _shingled(b"".join([chunk.lanes for chunk in chunks]))
    keys = {*_smallest_of_many(sixes, _KEYS), *_smallest(sixes[: _LEAD - 5], _LEAD_KEYS)}
    shingles = [triple >> 64 - BITS for triple in triples]
    all_shingles = {*shingles}
    plain = set[int]().union(*[chunk.plain for chunk in chunks])
    numbers = itertools.chain.from_iterable([chunk.numbers for chunk in chunks])
    headline = [remembered[raw] for raw in title.split()]
    exact = None
    if words >= SHORTEST:
        # Without spaces, so that cease-fire, cease fire and ceasefire are one.
        joined = "".join([chunk.norms for chunk in chunks])
        exact = hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()
    return Fingerprint(
        words=words,
        keys=tuple(sorted({(key & _KEY_MASK) - _SIGN for key in keys})),
        sketch=tuple(sorted(all_shingles)[:_SKETCH]),
        shingles=len(all_shingles),
        opening=_smallest(shingles[: _LEAD - 2], _OPENING),
        numbers=_smallest(numbers, _PARTICULARS),
        names=_smallest(_names(lines) - plain, _PARTICULARS),
        title=_smallest(
            [word for chunk in headline for word in chunk.capitals + chunk.plain], _TITLE
        ),
        figures=_smallest([word for chunk in headline for word in chunk.numbers], _TITLE),
        exact=exact,
    )


def likeness(this: Fingerprint, other: Fingerprint) -> Likeness:
    """How much two texts share, as far as their fingerprints tell; symmetric but for `new`.

    Of texts with more shingles than are kept it is an estimate, three hundredths off.
    """
    both, mine, theirs = _overlap(this.sketch, other.sketch, _SKETCH)
    smaller = min(mine, theirs)
    begun, *beginnings = _overlap(this.opening, other.opening, _OPENING)
    opening = begun / min(beginnings) if begun else 0.0
    containment = both / smaller if both else 0.0
    if smaller < _FEW and min(this.words, other.words) <= _LEAD:  # it is nothing but an opening
        containment = max(containment, opening)
    numbers, *of_numbers = _overlap(this.numbers, other.numbers, _PARTICULARS)
    names, *of_names = _overlap(this.names, other.names, _PARTICULARS)
    all_of = min(of_numbers[0] + of_names[0], of_numbers[1] + of_names[1])
    worded = min(len(this.title), len(other.title))
    title = len(set(this.title).intersection(other.title)) / worded if worded else 0.0
    here, there = set(this.figures), set(other.figures)
    return Likeness(
        jaccard=both / (mine + theirs - both) if both else 0.0,
        containment=containment,
        compared=smaller,
        opening=opening,
        numbers=(numbers + 1) / (min(of_numbers) + 1),
        particulars=(numbers + names + 1) / (all_of + 1),
        title=title,
        series=title >= 0.75 and not here <= there and not there <= here,
        new=1 - both / mine if mine else 0.0,
    )


def kinship(this: Fingerprint, other: Fingerprint, apart: timedelta) -> Kinship | None:
    """What this article is to another one, `apart` in time; None if no copy of it.

    It is a copy if the two resemble each other or one holds most of the other, and names and
    numbers are the same: the reports of a series (prices, results, forecasts) differ in nothing
    else. Of short texts nearly every word has to be the same.
    """
    if abs(apart) > WINDOW:
        return None
    like = likeness(this, other)
    short = min(this.words, other.words)
    if like.series or not (_is_copy_of_short(like, short) if short < SHORTEST else _is_copy(like)):
        return None
    return Kinship.UPDATE if like.new > NEWS else Kinship.COPY


def _is_copy(like: Likeness) -> bool:
    if like.compared < _FEW and like.opening < 0.5:
        return False
    if like.containment >= 0.85:
        return like.numbers >= 0.5 or like.particulars >= 0.6
    if like.numbers < 0.78 and like.particulars < 0.8:
        return False
    if like.jaccard >= 0.43:
        return True
    # Held, not resembling: either may quote the other, or both the same. A copy begins like it.
    if like.opening < 0.25:
        return False
    if like.containment >= 0.62:
        return True
    # Edited in every sentence: few words in a row are left, but what it tells of is the same.
    return like.containment >= 0.5 and like.jaccard >= 0.3 and like.particulars >= 0.85


def _is_copy_of_short(like: Likeness, words: int) -> bool:
    if words < _PROOF or (like.opening < 0.5 and like.title < 0.6):
        return False
    if like.containment >= 0.85 and like.numbers == 1:
        return like.particulars >= 0.75 or like.containment >= 0.95
    return like.containment >= 0.65 and like.title >= 0.75 and like.particulars >= 0.65


# --------------------------------------------------------------------------- as bytes

_HEAD: Final = struct.Struct("<BII6H")  # version, words, shingles; lengths of the six samples
_VERSION: Final = 1
_WIDE: Final = 1 << 15  # in a length: one of the gaps takes three bytes


def packed(fingerprint: Fingerprint) -> bytes:
    """A fingerprint as bytes, without its keys and `exact`, which are columns of their own.

    Samples are written as the gaps between their values, of which most fit into two bytes: 0.7 KB
    for an article of 750 words.
    """
    lengths: list[int] = []
    parts: list[bytes] = []
    for sample in _samples(fingerprint):
        gaps = [after - before for before, after in itertools.pairwise((0, *sample))]
        wide = max(gaps, default=0) > 0xFFFF
        planes = struct.pack(f"<{len(gaps)}I", *gaps)
        lengths.append(len(gaps) | wide * _WIDE)
        parts += [planes[place::4] for place in range(2 + wide)]
    head = _HEAD.pack(_VERSION, fingerprint.words, fingerprint.shingles, *lengths)
    return head + b"".join(parts)


def unpacked(data: bytes) -> Fingerprint:
    """What `packed` made bytes of. Raises ValueError if it is nothing of this version."""
    if len(data) < _HEAD.size or data[0] != _VERSION:
        raise ValueError(f"no fingerprint of version {_VERSION}: {data[:20]!r}")
    _, words, shingles, *lengths = _HEAD.unpack_from(data)
    samples: list[tuple[int, ...]] = []
    at = _HEAD.size
    for length in lengths:
        count = length & ~_WIDE
        planes = bytearray(4 * count)
        end = at + (3 if length & _WIDE else 2) * count
        if end > len(data):
            raise ValueError(f"a fingerprint that was cut: {data[:20]!r}")
        for place, begin in enumerate(range(at, end, count or 1)):
            planes[place::4] = data[begin : begin + count]
        samples.append(tuple(itertools.accumulate(struct.unpack(f"<{count}I", planes))))
        at = end
    sketch, opening, numbers, names, title, figures = samples
    return Fingerprint(
        words=words,
        sketch=sketch,
        shingles=shingles,
        opening=opening,
        numbers=numbers,
        names=names,
        title=title,
        figures=figures,
    )


def _samples(fingerprint: Fingerprint) -> tuple[tuple[int, ...], ...]:
    return (
        fingerprint.sketch,
        fingerprint.opening,
        fingerprint.numbers,
        fingerprint.names,
        fingerprint.title,
        fingerprint.figures,
    )


# --------------------------------------------------------------------------- parts


def _shingled(lanes: bytes) -> tuple[int, list[int], list[int]]:
    """Of how many words these are the lanes, and the hashes of all runs of three and of six.

    What a loop over the words would do, h₁ · a + h₂ · b + h₃ modulo 2⁶⁴, is done for all of them at
    once: the lanes are one long number, and between its words is room for a product. That takes
    half the time.
    """
    words = len(lanes) // LANE
    bits = 8 * LANE
    every = int.from_bytes(lanes, "little")
    every = every * _FIRST + (every >> bits) * _SECOND + (every >> 2 * bits)
    data, triples = _low_of(every, words - 2)
    every = int.from_bytes(data, "little")
    _, sixes = _low_of(every * _THIRD + (every >> 3 * bits), words - 5)
    return words, triples, sixes


def _low_of(number: int, count: int) -> tuple[bytes, list[int]]:
    """The lower 64 bits of the first `count` lanes: in lanes, and as numbers."""
    if count <= 0:
        return b"", []
    mask = int.from_bytes(_MASKED * count, "little")
    data = (number & mask).to_bytes(count * LANE, "little")
    numbers = array("Q", data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return data, numbers[:: LANE // 8].tolist()


def _names(lines: Iterable[Sequence[Words]]) -> set[int]:
    """Words with a capital that no sentence begins with."""
    return {
        capital
        for line in lines
        for before, chunk in itertools.pairwise(line)
        if chunk.capitals and not before.stop
        for capital in chunk.capitals
    }


def _smallest(values: Iterable[int], count: int) -> tuple[int, ...]:
    """The smallest different values, in order."""
    return tuple(sorted(set(values))[:count])


def _smallest_of_many(values: Collection[int], count: int) -> tuple[int, ...]:
    """The smallest different values of hashes of 64 bits, in order; without sorting all."""
    if len(values) > 8 * count:
        low = (1 << 64) // len(values) * 3 * count  # three times as many as are wanted are below
        if len(few := {value for value in values if value < low}) >= count:
            return _smallest(few, count)
    return _smallest(values, count)


def _overlap(some: Sequence[int], others: Sequence[int], kept: int) -> tuple[int, int, int]:
    """How many values two samples share, and how many each has, in the range that both know.

    A sample that is full says nothing about values above its last one.
    """
    ends = [sample[-1] for sample in (some, others) if len(sample) >= kept]
    if ends:
        end = min(ends)
        some, others = some[: bisect_right(some, end)], others[: bisect_right(others, end)]
    return len(set(some).intersection(others)), len(some), len(others)


def _without_title(title: str, body: str) -> str:
    start = body[: 3 * len(title) + 100]
    norms = _norms(start)
    length = 0
    for norm in _norms(title):
        if next(norms, None) != norm:
            return body
        length += 1
    return body[tokens(start)[length - 1].end :].lstrip(" \n.:–—-") if length else body


def _norms(text: str) -> Iterator[str]:
    for line in split(text):
        for raw in line.raws:
            yield from [norm for norm, _ in norms_of(raw)[0] if norm]


def _without_dateline(body: str) -> str:
    """Without "NEW DELHI, May 10 (PTI) —" and the like: each outlet has its own, or none.

    What looks like one and is none costs nothing: it is left out of every copy.
    """
    body = body.lstrip()
    wire = _WIRE.match(body)
    if wire:
        return body[wire.end() :]
    dash = _DASH.search(body, 0, _DATELINE_REACH)
    if dash and all(not word[:1].islower() for word in body[: dash.start()].split()):
        return body[dash.end() :]
    return body
