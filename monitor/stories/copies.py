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
import re
import struct
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import chain
from typing import Final

from monitor.text import chunk_of, split, tokens

SHORTEST: Final = 40
"""Words (characters, in scripts without spaces) below which equal texts prove nothing."""

WINDOW: Final = timedelta(hours=72)
"""How far apart two articles may be that share most of their text. What is printed again later is
an explainer, a column, a template: the largest single gain in precision (.78 → .95)."""

HOTTEST: Final = 50
"""Articles that may share a key; more, and it is furniture or a template: it is passed over."""

RANKED: Final = 20
"""Candidates to judge, those with most keys in common first."""

_LONGEST: Final = 1 << 18
"""Characters that are read. Forty thousand words: the longest that a newspaper prints has fewer,
and what is longer is no better known by its rest."""

_KEYS: Final = 24  # of the whole text; 99 % of heavily edited copies share one
_LEAD: Final = 40  # tokens: what a summary of two sentences keeps
_LEAD_KEYS: Final = 6
_SKETCH: Final = 128
_NUMBERS: Final = 64

_DATELINE_REACH: Final = 60  # characters; the longest seen: place, state, date and agency
_WIRE: Final = re.compile(  # New Delhi, May 10 (PTI) Prime Minister …
    r"""[^\n.!?()]{0,60}
    \( (?:ap|reuters|afp|pti|ani|ians|uni|app|dpa|efe|ansa|xinhua|tass|kyodo|yonhap|bloomberg
        |anadolu|aa|cnn|bbc|भाषा|एएनआई|पीटीआई|रॉयटर्स|एएफपी) (?:/[^()\n]{1,20})? \)
    \s* (?:[-–—:]+\s*)?""",
    re.IGNORECASE | re.VERBOSE,
)
_DASH: Final = re.compile(r"\s+[-–—]{1,2}\s+|[–—]\s+|(?<=[A-Z])—|:\s+")

_MASK: Final = (1 << 64) - 1
_SIGN: Final = 1 << 63
# Odd, and nothing else about them matters: fractional parts of the golden ratio, √2 and √3.
_FIRST: Final = 0x9E3779B97F4A7C15
_SECOND: Final = 0x6A09E667F3BCC909
_THIRD: Final = 0xBB67AE8584CAA73B


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What is kept of a text to know its copies by. The same for the same text, everywhere."""

    words: int  # tokens; in scripts without spaces one per character, or cluster with its marks
    keys: tuple[int, ...] = ()  # signed 64 bit, at most 30: what candidates are looked up by
    sketch: tuple[int, ...]  # the smallest three-word shingles, 32 bit, in order, at most 128
    shingles: int  # how many different ones the text has
    numbers: frozenset[int]  # of the different numbers in it, 32 bit; the 64 smallest
    exact: str | None = None  # of all words together; None if too short to prove a copy


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How much two texts share, each figure from 0 to 1."""

    jaccard: float  # shared shingles among those of either
    containment: float  # and among those of the shorter text
    numbers: float  # shared numbers among those of the text with fewer; 1 where one has none
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
    text = _without_dateline(_without_title(title, body[:_LONGEST]))
    chunks = [_hashed(raw) for line in split(text) for raw in line.raws]
    words = [*chain.from_iterable([hashes for _, hashes in chunks])]
    triples = [
        (one * _FIRST + two * _SECOND + three) & _MASK
        for one, two, three in zip(words, words[1:], words[2:], strict=False)
    ]
    sixes = [(one * _THIRD + two) & _MASK for one, two in zip(triples, triples[3:], strict=False)]
    keys = {*_smallest(sixes, _KEYS), *_smallest(sixes[: _LEAD - 5], _LEAD_KEYS)}
    shingles = {triple >> 32 for triple in triples}
    exact = None
    if len(words) >= SHORTEST:
        # Without spaces, so that cease-fire, cease fire and ceasefire are one.
        joined = "".join([norms for norms, _ in chunks])
        exact = hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()
    return Fingerprint(
        words=len(words),
        keys=tuple(sorted(key - _SIGN for key in keys)),
        sketch=tuple(_smallest(shingles, _SKETCH)),
        shingles=len(shingles),
        numbers=frozenset(_smallest([word >> 32 for word in words if word & 1], _NUMBERS)),
        exact=exact,
    )


def text_hash(title: str, body: str) -> str | None:
    """A hash that two articles share if their bodies are the same words; None if too short."""
    return fingerprint(title, body).exact


def likeness(this: Fingerprint, other: Fingerprint) -> Likeness:
    """How much two texts share, as far as their fingerprints tell; symmetric but for `new`.

    Of two texts with more shingles than are kept it is an estimate, some hundredths off.
    """
    both, mine, theirs = _overlap(this.sketch, other.sketch, _SKETCH)
    numbers, fewer = 0, 0
    if this.numbers and other.numbers:
        numbers, some, others = _overlap(sorted(this.numbers), sorted(other.numbers), _NUMBERS)
        fewer = min(some, others)
    smaller = min(mine, theirs)
    return Likeness(
        jaccard=both / (mine + theirs - both) if both else 0.0,
        containment=both / smaller if both else 0.0,
        numbers=numbers / fewer if fewer else 1.0,
        new=1 - both / mine if mine else 0.0,
    )


def kinship(this: Fingerprint, other: Fingerprint, apart: timedelta) -> Kinship | None:
    """What this article is to another one, `apart` in time; None if no copy of it.

    It is a copy if the two resemble each other or one holds most of the other, and the numbers
    are the same: the reports of a series (prices, results, forecasts) differ in nothing else. Of
    short texts nearly every word has to be the same.
    """
    if abs(apart) > WINDOW:
        return None
    like = likeness(this, other)
    shorter = min(this.words, other.words)
    if shorter < SHORTEST:
        same = shorter >= 15 and like.containment >= 0.85 and like.numbers == 1
    else:
        same = (like.jaccard >= 0.45 or like.containment >= 0.62) and (
            like.numbers >= 0.7 or like.containment >= 0.85
        )
    if not same:
        return None
    return Kinship.UPDATE if like.new > NEWS else Kinship.COPY


# --------------------------------------------------------------------------- as bytes

_HEAD: Final = struct.Struct("<BIIBB")  # version, words, shingles, how many of sketch and numbers
_VERSION: Final = 1


def packed(fingerprint: Fingerprint) -> bytes:
    """A fingerprint as bytes, without its keys and `exact`, which are columns of their own."""
    sketch, numbers = fingerprint.sketch, sorted(fingerprint.numbers)
    head = _HEAD.pack(_VERSION, fingerprint.words, fingerprint.shingles, len(sketch), len(numbers))
    return head + struct.pack(f"<{len(sketch) + len(numbers)}I", *sketch, *numbers)


def unpacked(data: bytes) -> Fingerprint:
    """What `packed` made bytes of. Raises ValueError if it is nothing of this version."""
    try:
        version, words, shingles, sketch, numbers = _HEAD.unpack_from(data)
        values = struct.unpack_from(f"<{sketch + numbers}I", data, _HEAD.size)
    except struct.error as error:
        raise ValueError(f"no fingerprint: {data[:20]!r}") from error
    if version != _VERSION:
        raise ValueError(f"a fingerprint of version {version}, not {_VERSION}")
    return Fingerprint(
        words=words,
        sketch=values[:sketch],
        shingles=shingles,
        numbers=frozenset(values[sketch:]),
    )


# --------------------------------------------------------------------------- parts


def _hash_chunk(raw: str) -> tuple[str, tuple[int, ...]]:
    """The norms of a chunk, run together, and the hash of each; the last bit says "a number"."""
    norms = [token.norm for token in chunk_of(raw).tokens if token.norm]
    hashes = []
    for norm in norms:
        digest = hashlib.blake2b(norm.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        number = norm[0].isdecimal()
        hashes.append(int.from_bytes(digest, "little") & ~1 | number)
    return "".join(norms), tuple(hashes)


_remembered = lru_cache(maxsize=1 << 15)(_hash_chunk)


def _hashed(raw: str) -> tuple[str, tuple[int, ...]]:
    return _remembered(raw) if len(raw) <= 48 else _hash_chunk(raw)


def _smallest(values: Collection[int], count: int) -> list[int]:
    """The smallest different values, in order."""
    return sorted(set(values))[:count]


def _overlap(some: Collection[int], others: Collection[int], kept: int) -> tuple[int, int, int]:
    """How many values two samples share, and how many each has, in the range that both know.

    A sample that is full says nothing about values above its last one.
    """
    ends = [max(sample) for sample in (some, others) if len(sample) >= kept]
    if ends:
        end = min(ends)
        some = [value for value in some if value <= end]
        others = [value for value in others if value <= end]
    return len(set(some).intersection(others)), len(some), len(others)


def _without_title(title: str, body: str) -> str:
    headline = [token.norm for token in tokens(title)]
    beginning = tokens(body[: 3 * len(title) + 100])[: len(headline)]
    if headline and [token.norm for token in beginning] == headline:
        return body[beginning[-1].end :].lstrip(" \n.:–—-")
    return body


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
