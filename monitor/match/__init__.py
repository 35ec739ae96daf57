"""Which watches an article matches, and where.

A term of one word is found as a whole word, a term of several as a phrase: its words in order,
nothing but spaces, punctuation or line ends between them, within the title or within the body,
within one sentence. What counts as the same word is `monitor.text`'s to say. Beyond that, the
spellings of a compound are one: cease-fire, ceasefire and (by `compounds`) cease fire.

A watch with several terms matches where any one of them does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from monitor.errors import ConfigError, Mistake
from monitor.match.patterns import Pattern, spellings
from monitor.match.reading import Reading
from monitor.model import Hit, Span, Watch

__all__ = ["Document", "Matcher", "TermTrace", "compile_watches"]

_FIELDS: tuple[Literal["title", "body"], ...] = ("title", "body")


@dataclass(frozen=True, slots=True)
class Document:
    """What is matched of an article."""

    title: str
    body: str  # paragraphs apart by "\n\n"
    language: str | None = None
    sources: tuple[str, ...] = ()  # who published it: names of publisher and feed
    sites: tuple[str, ...] = ()  # hosts it is served from
    tags: tuple[str, ...] = ()
    sides: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    furniture: tuple[tuple[int, int], ...] = ()
    """Parts of the body, in order and apart, that are not the article's own: nothing counts there."""


@dataclass(frozen=True, slots=True)
class TermTrace:
    """How one term of a watch was looked for in a document, and where it was found."""

    term: str  # the watch's own spelling
    spellings: tuple[str, ...]  # in normal form, the term's own first
    spans: tuple[Span, ...]  # title before body; empty: not found


@dataclass(frozen=True, slots=True)
class _Term:
    """A term of a watch, by their places in the configuration."""

    watch: int
    place: int
    spelled: str


class Matcher:
    """All watches of a configuration, ready to read documents. Made by `compile_watches`.

    It holds no state between documents and may be used by several threads.
    """

    def __init__(self, watches: Sequence[Watch]) -> None:
        self._watches = tuple(watches)
        self._spellings: dict[str, tuple[Pattern, ...]] = {}
        self._by_first_word: dict[str, list[tuple[Pattern, list[_Term]]]] = {}
        terms_of: dict[Pattern, list[_Term]] = {}
        for number, watch in enumerate(self._watches):
            for place, term in enumerate(watch.terms):
                for pattern in self._spellings.setdefault(term, spellings(term)):
                    terms_of.setdefault(pattern, []).append(_Term(number, place, term))
        for pattern, terms in terms_of.items():
            self._by_first_word.setdefault(pattern[0], []).append((pattern, terms))

    def match(self, document: Document) -> tuple[Hit, ...]:
        """A hit for each watch that matches, in the watches' order; spans title before body.

        A span covers exactly the characters of the words it found. Where spellings of one term
        overlap, the longest counts; where two terms of a watch found the same words, the first.
        """
        found: dict[int, list[tuple[_Term, Span]]] = {}
        for term, span in self._occurrences(document):
            found.setdefault(term.watch, []).append((term, span))
        return tuple(
            Hit(watch=self._watches[number].name, spans=_settled(found[number], distinct=True))
            for number in sorted(found)
        )

    def explain(self, watch_name: str, document: Document) -> tuple[TermTrace, ...]:
        """Each term of a watch, how it is looked for, and where it stands in a document.

        Raises `KeyError` for a name that no watch has.
        """
        number = next(
            (n for n, watch in enumerate(self._watches) if watch.name == watch_name), None
        )
        if number is None:
            raise KeyError(watch_name)
        found: dict[int, list[tuple[_Term, Span]]] = {}
        for term, span in self._occurrences(document):
            if term.watch == number:
                found.setdefault(term.place, []).append((term, span))
        return tuple(
            TermTrace(
                term=term,
                spellings=tuple(" ".join(pattern) for pattern in self._spellings[term]),
                spans=_settled(found.get(place, ()), distinct=False),
            )
            for place, term in enumerate(self._watches[number].terms)
        )

    def _occurrences(self, document: Document) -> Iterable[tuple[_Term, Span]]:
        """Everything found, overlaps and repetitions included."""
        for field in _FIELDS:
            reading = Reading(document.title if field == "title" else document.body)
            for first, norm, after in reading.words(self._by_first_word):
                for pattern, terms in self._by_first_word[norm]:
                    last = reading.follow(after, pattern)
                    if last is None:
                        continue
                    start, end = reading.span(first, last)
                    for term in terms:
                        yield term, Span(field=field, start=start, end=end, term=term.spelled)


def compile_watches(watches: Sequence[Watch]) -> Matcher:
    """A matcher for these watches.

    Raises `ConfigError` naming every term that has no word in it ("—", a bare URL): it could
    never be found, and a watch that can't fire must not look as if it could.
    """
    mistakes = tuple(
        Mistake(f"watch {watch.name!r}: term {term!r} has no word to look for")
        for watch in watches
        for term in watch.terms
        if not spellings(term)
    )
    if mistakes:
        raise ConfigError(mistakes)
    return Matcher(watches)


def _settled(found: Sequence[tuple[_Term, Span]], *, distinct: bool) -> tuple[Span, ...]:
    """Spans in reading order, without those that another span of the same term overlaps.

    With `distinct`, of several terms at the same place only the watch's first is kept.
    """
    ordered = sorted(
        found,
        key=lambda one: (_FIELDS.index(one[1].field), one[1].start, -one[1].end, one[0].place),
    )
    kept: list[Span] = []
    reached: dict[tuple[int, str], int] = {}  # by term and field: the end of its last span
    for term, span in ordered:
        key = (term.place, span.field)
        repeated = distinct and kept and kept[-1] == span
        if not repeated and span.start >= reached.get(key, 0):
            kept.append(span)
            reached[key] = span.end
    return tuple(sorted(kept, key=lambda span: (_FIELDS.index(span.field), span.start, span.end)))
