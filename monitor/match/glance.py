"""A first look at a chunk that was never seen: can it hold anything that is looked for?

To cut a chunk and find all that it can be read as costs ten times what a look at the first letters
of its words does, and of the chunks that news has for the first time hardly one in fifty is of
interest to a single watch. A backtest, which meets every chunk of an archive for the first time,
is twice as fast for it.

Only what is certain is passed over: chunks of plain Latin letters, digits and punctuation. All that
they can be looked up by begins with the first two characters of one of their runs of letters or
digits, in small letters; with the first, if the run has one only (U.S., F-16). The plurals whose
second letter is not their singular's are known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

MOST: Final = 200
"""Beginnings above which a look would tell hardly anything."""

_CERTAIN: Final = re.compile('[!-"$-~\u2013\u2014\u2018\u2019\u201c\u201d\u2026]+')
"""ASCII but for #, as a hashtag has words within its letters; dashes and quotes in print."""

_RUNS: Final = re.compile("[A-Za-z]+|[0-9]+")
_PLURALS: Final = {"fo": "fe", "to": "te", "mo": "mi", "go": "ge", "ma": "me"}
"""Of foot, tooth, mouse, goose, man: how their plurals begin."""


class Glance:
    """What the words begin with that some watches look for."""

    def __init__(self, keys: Iterable[str]) -> None:
        """`keys` are those of `monitor.text`; of a wildcard, the letters before its sign."""
        found = {key.lstrip("=#")[:2].lower() for key in keys}
        self._pairs = found | {_PLURALS.get(pair, pair) for pair in found}
        self._letters = {pair[:1] for pair in found}
        self._short = {pair for pair in found if len(pair) == 1}  # k* goes on with any letter
        self._is_blind = "" in found or len(self._pairs) > MOST

    def sees(self, raw: str) -> bool:
        """False if the chunk is certain to hold nothing of that kind."""
        if self._is_blind or _CERTAIN.fullmatch(raw) is None:
            return True
        pairs, letters, short = self._pairs, self._letters, self._short
        for run in _RUNS.findall(raw):
            if len(run) == 1:  # perhaps the first of an acronym: U.S.
                if run.lower() in letters:
                    return True
            elif run[:2].lower() in pairs or run[0].lower() in short:
                return True
        return False
