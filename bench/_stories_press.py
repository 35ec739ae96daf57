"""Invented news in any number, for `bench.stories cost`: the corpus' words in the corpus' order.

An article is a walk over pairs of neighbouring words: which word follows which, and how often, is
that of real texts. Its event is one of these texts, whose own pairs it mostly follows, so that
reports of one event share its names and hardly a sentence, and reports of different ones share
the phrases that all news shares. Its length is that of a real text. Some are copies of what came
shortly before: behind another dateline, cut, with a paragraph of their own.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from bench import _stories_sets as sets

COPIES: Final = 0.12  # of all articles
_LATELY: Final = 300  # articles that are copied
_OWN: Final = 0.7  # of the words that the event's own text knows how to go on from
_SHORTEST: Final = 120  # words
_PARAGRAPH: Final = 45
_TITLE: Final = 9
_ALIVE: Final = 40  # articles about, before another event comes in its place
_AT_ONCE: Final = 400  # events
_PLACES: Final = ("NEW DELHI", "LONDON", "WASHINGTON", "PARIS", "NAIROBI", "SYDNEY")


@dataclass(frozen=True, slots=True)
class _Text:
    title: list[str]
    words: list[str]
    following: dict[str, list[str]]


class Press:
    """Writes articles, the same ones for the same seed."""

    def __init__(self, corpus: Path, *, seed: int = 1) -> None:
        self._dice = random.Random(seed)
        self._texts, self._following = _read(corpus)
        self._events = deque(self._dice.sample(self._texts, min(_AT_ONCE, len(self._texts))))
        self._late: deque[sets.Document] = deque(maxlen=_LATELY)

    def articles(self, begin: datetime, gap: timedelta) -> Iterator[sets.Document]:
        """Articles without end, one every `gap`."""
        number = 0
        while True:
            name, at = f"press {number}", begin + number * gap
            if self._late and self._dice.random() < COPIES:
                yield self._copy(name, at)
            else:
                made = self._report(name, at)
                self._late.append(made)
                yield made
            number += 1

    def _report(self, name: str, at: datetime) -> sets.Document:
        if self._dice.random() < 1 / _ALIVE:
            self._events.rotate()
            self._events[0] = self._dice.choice(self._texts)
        event = self._dice.choice(self._events)
        length = len(self._dice.choice(self._texts).words)
        title = self._dice.sample(event.title, min(len(event.title), _TITLE))
        body = self._walk(event, self._dice.randrange(20), length)
        return sets.Document(
            id=name,
            title=" ".join(title),
            text=_in_paragraphs(body),
            at=at,
            source=self._outlet(),
            language="en",
        )

    def _walk(self, event: _Text, start: int, length: int) -> list[str]:
        dice, every, own = self._dice, self._following, event.following
        word = event.words[start]
        walked = [word]
        while len(walked) < length:
            after = (own.get(word) if dice.random() < _OWN else None) or every.get(word)
            word = dice.choice(after or event.words)
            walked.append(word)
        return walked

    def _copy(self, name: str, at: datetime) -> sets.Document:
        dice = self._dice
        given = dice.choice(self._late)
        paragraphs = given.text.split("\n\n")
        kept = paragraphs[: max(2, round(len(paragraphs) * dice.uniform(0.5, 1)))]
        if dice.random() < 0.3:
            kept.append(" ".join(self._walk(dice.choice(self._events), 0, _PARAGRAPH)))
        kept[0] = f"{dice.choice(_PLACES)}, {at:%B} {at.day} (Reuters) - {kept[0]}"
        title = dice.sample(given.title.split(), len(given.title.split()))
        return sets.Document(
            id=name,
            title=" ".join(title),
            text="\n\n".join(kept),
            at=at,
            source=self._outlet(),
            language="en",
        )

    def _outlet(self) -> str:
        """A few hosts list much, many list little."""
        return f"outlet-{int(self._dice.paretovariate(0.7)) % 5_000}"


@lru_cache(maxsize=1)
def _read(corpus: Path) -> tuple[Sequence[_Text], Mapping[str, list[str]]]:
    """The texts that are long enough to be events, and what follows each word in any."""
    texts = []
    following: defaultdict[str, list[str]] = defaultdict(list)
    for each in sets.read_documents(corpus / "stories" / "story_allsides.jsonl.gz"):
        words = each.text.split()
        own: defaultdict[str, list[str]] = defaultdict(list)
        for one, other in pairwise(words):
            following[one].append(other)
            own[one].append(other)
        if len(words) >= _SHORTEST:
            texts.append(_Text(each.title.split(), words, dict(own)))
    return texts, following


def _in_paragraphs(words: Sequence[str]) -> str:
    parts = (words[at : at + _PARAGRAPH] for at in range(0, len(words), _PARAGRAPH))
    return "\n\n".join(" ".join(part) for part in parts)
