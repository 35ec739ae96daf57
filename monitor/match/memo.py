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
    """What was found out about chunks, by a function that is called for those not known.

    Of the most that are remembered the older half is forgotten, however often it was asked for: to
    learn a few thousand common words again costs less than to keep count of who comes by.
    """

    def __init__(self, learn: Callable[[str], T], most: int = MOST_REMEMBERED) -> None:
        super().__init__()
        self._learn = learn
        self._most = most

    def __missing__(self, raw: str) -> T:
        known = self._learn(raw)
        if len(raw) <= LONGEST_REMEMBERED:
            if len(self) >= self._most:
                for old in list(self)[: self._most // 2]:
                    self.pop(old, None)  # another thread may be at it, too
            self[raw] = known
        return known
