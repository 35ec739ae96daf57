"""How well documents were put together: B³, pairs, and the threshold that flatters most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench._stories_sets import Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Precision and recall from 0 to 1. `threads`: predicted stories that an event lies in."""

    precision: float
    recall: float
    threads: float | None = None

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def as_json(self) -> dict[str, Any]:
        found = {"p": self.precision, "r": self.recall, "f1": self.f1}
        if self.threads is not None:
            found["threads"] = self.threads
        return {name: round(value, 4) for name, value in found.items()}


def b_cubed(event: Mapping[str, str], story: Mapping[str, object]) -> Score:
    """B³ (Bagga and Baldwin, 1998): per document, the shares of its story and of its event.

    A document without a story has one of its own.
    """
    pairs = [(its, story.get(key, (key,))) for key, its in event.items()]
    both, events, stories = (
        Counter(pairs),
        Counter(a for a, _ in pairs),
        Counter(b for _, b in pairs),
    )
    count = len(pairs)
    return Score(
        precision=sum(n * n / stories[place] for (_, place), n in both.items()) / count,
        recall=sum(n * n / events[its] for (its, _), n in both.items()) / count,
        threads=len(both) / len(events),
    )


def of_pairs(same: Mapping[Pair, bool], declared: Mapping[Pair, bool]) -> Score:
    """Of the judged pairs only; one that was not declared is apart."""
    right = sum(label and declared.get(pair, False) for pair, label in same.items())
    said = sum(declared.get(pair, False) for pair in same)
    asked = sum(same.values())
    return Score(precision=right / max(1, said), recall=right / max(1, asked))
