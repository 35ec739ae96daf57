"""What was found out about chunks of text. News repeats its words: nearly every chunk was seen before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

MOST_REMEMBERED: Final = 1 << 17
"""Chunks. News of a month has some hundred thousand, most of which come once."""

LONGEST_REMEMBERED: Final = 48
"""Characters of a chunk that is remembered. Whole paragraphs of Chinese are one, and come once."""


class Memo(dict[str, T]):
    """What was found out about chunks, by a function that is called for those never seen.

    Of `MOST_REMEMBERED` chunks the ones that were not seen lately are forgotten.
    """

    def __init__(self, learn: Callable[[str], T]) -> None:
        super().__init__()
        self._learn = learn
        self._older: dict[str, T] = {}

    def __missing__(self, raw: str) -> T:
        known = self._older[raw] if raw in self._older else self._learn(raw)
        self.keep(raw, known)
        return known

    def keep(self, raw: str, known: T) -> None:
        """Remember this, unless the chunk is a long one."""
        if len(raw) > LONGEST_REMEMBERED:
            return
        if len(self) >= MOST_REMEMBERED // 2:
            self._older = dict(self)
            self.clear()
        self[raw] = known
