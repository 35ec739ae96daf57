"""How common words are in news, by language: what a word that two articles share is worth.

The shipped table holds counts and nothing else: in how many of some ten thousand articles each
word was found (`bench/_frequencies.py` makes it). What the archive counts is added to it, so that
the names of the day, and languages that the table lacks, find their weight.

Words are those of `monitor.stories.terms`: the first letters of normal forms, pairs of characters
where words are not spaced.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from importlib.resources import files
from itertools import groupby
from math import log
from typing import Final

from monitor.stories.common import common
from monitor.stories.terms import Weigher

RAREST: Final = 0.0005
"""The share of articles for what is in no table; nothing counts as rarer.

A word of one article in ten thousand is a misprint as often as a name, and the table of a small
language can't tell.
"""

COMMONEST: Final = 0.2
"""The share from which on a word says nothing about an event."""

FEWEST: Final = 50
"""Articles of a language, below which its counts are noise."""

_PRIOR: Final = (1.0, 0.2, 0.05, 0.01, 0.003)  # by length: without a table, short words are common
_HEADER: Final = "# word frequencies 1"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many articles of one language hold a word."""

    articles: int
    words: Mapping[str, int]

    def __add__(self, other: Counts) -> Counts:
        words = Counter(self.words)
        words.update(other.words)
        return Counts(self.articles + other.articles, words)


@dataclass(frozen=True)
class Frequencies:
    """In how large a share of a language's articles a word is found."""

    languages: Mapping[str, Counts]  # by ISO 639-1 code, in small letters

    def weigher(self, language: str | None) -> Weigher:
        """What weighs the words of an article in this language; None: it is not known.

        A weight is log(1 / share), from 0 for what `COMMONEST` articles hold to 7.6 for the
        rarest. "en-IN" is "en". Where there is no table for the language, a word is as common as
        in the language that has it most, so that nobody's articles and prepositions pass for
        names; what is in none of them is the rarer the longer it is; and some words are known to say
        nothing (`monitor.stories.common`).
        """
        return self._weighers.get(code_of(language)) or self._weighers[""]

    def __add__(self, other: Frequencies) -> Frequencies:
        languages = dict(self.languages)
        for code, counts in other.languages.items():
            languages[code] = languages[code] + counts if code in languages else counts
        return Frequencies(languages)

    @cached_property
    def _weighers(self) -> Mapping[str, Weigher]:
        tables = {
            code: counts for code, counts in self.languages.items() if counts.articles >= FEWEST
        }
        every = tuple(tables.values())
        lists = common() | {"": frozenset[str]().union(*common().values())}
        without = {code: _weigher(every, _prior, words) for code, words in lists.items()}
        return without | {
            code: _weigher((counts,), partial(_unseen, counts.articles), lists.get(code))
            for code, counts in tables.items()
        }


def code_of(language: str | None) -> str:
    """The code of a language that is named by a tag: "en" of "en-IN"; empty for None."""
    return (language or "").replace("_", "-").partition("-")[0].strip().lower()


def measured(articles: Iterable[tuple[str | None, Iterable[str]]]) -> Frequencies:
    """What these articles count, each given by its language and its words.

    Of languages that are not known nothing is counted.
    """
    number: Counter[str] = Counter()
    words: dict[str, Counter[str]] = {}
    for language, found in articles:
        if code := code_of(language):
            number[code] += 1
            words.setdefault(code, Counter()).update(set(found))
    return Frequencies({code: Counts(number[code], words[code]) for code in number})


def _weigher(
    tables: tuple[Counts, ...],
    unseen: Callable[[str], float],
    nothing: Collection[str] | None,
) -> Weigher:
    """`nothing`: words that weigh nothing, whatever was counted."""

    def weight(word: str) -> float:
        if nothing and word in nothing:
            return 0.0
        share = max((table.words.get(word, 0) / table.articles for table in tables), default=0.0)
        share = share or unseen(word)
        return 0.0 if share >= COMMONEST else -log(max(share, RAREST))

    return Weigher(weight)


def _unseen(articles: int, _word: str) -> float:
    """Half an article: a small table's gaps are no sign of rarity."""
    return 0.5 / articles


def _prior(word: str) -> float:
    return _PRIOR[len(word)] if len(word) < len(_PRIOR) else RAREST


# --------------------------------------------------------------------------- the file


@lru_cache(maxsize=1)
def shipped() -> Frequencies:
    """The table that comes with the package."""
    text = files("monitor.stories").joinpath("frequencies.txt").read_text(encoding="utf-8")
    return parsed(text)


def parsed(text: str) -> Frequencies:
    """A table out of its text. Raises `ValueError` for what `written` would not have made."""
    header, *lines = text.splitlines()
    if header != _HEADER:
        raise ValueError(f"not a table of frequencies: it begins with {header[:40]!r}")
    languages: dict[str, Counts] = {}
    words: dict[str, int] = {}
    for line in lines:
        count, *found = line.split(" ")
        if count == "language":
            code, articles = found
            words = {}
            languages[code] = Counts(int(articles), words)
        else:
            words.update(dict.fromkeys(found, int(count)))
    return Frequencies(languages)


def written(frequencies: Frequencies, fewest: int = 2) -> Iterator[str]:
    """The lines of a table: words by how many articles hold them, from the commonest on.

    Words of fewer than `fewest` articles, or of less than `RAREST` of them, are left out: without
    an entry they weigh the same or nearly so.
    """
    yield _HEADER
    for code, counts in sorted(frequencies.languages.items()):
        if counts.articles < FEWEST:
            continue
        yield f"language {code} {counts.articles}"
        least = max(fewest, RAREST * counts.articles)
        kept = sorted((-count, word) for word, count in counts.words.items() if count >= least)
        for count, found in groupby(kept, key=lambda pair: pair[0]):
            yield f"{-count} {' '.join(word for _, word in found)}"
