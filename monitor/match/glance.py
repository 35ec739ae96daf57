"""A first look at a chunk that was never seen: can it hold anything that is looked for?

To cut a chunk and find all that it can be read as costs ten times what a look at the first letters
of its words does, and of the chunks that news has for the first time hardly one in fifty is of
interest to a single watch. A backtest, which meets every chunk of an archive for the first time,
is twice as fast for it.

Only what is certain is passed over: one word of Latin letters and digits, perhaps in parts
(cease-fire, F-16, India's, 2,000, U.S.), in common punctuation. All that it can be looked up by
begins with the first two characters of one of its runs of letters or digits, in small letters; with
the first, if the run has one only. The plurals whose second letter is not their singular's are
known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

MOST: Final = 200
"""Beginnings above which a look would tell hardly anything."""

_ONE_WORD: Final = re.compile(
    r"""
    [\"'(\[$@+\u2018\u201c\u2014]*
    (?: [A-Za-z0-9]+ (?: ['\u2019-] [A-Za-z0-9]+ ){0,8}
      | [0-9]{1,3} (?: ,[0-9]{3} ){1,4} | [0-9]+\.[0-9]+
      | [A-Za-z] (?: \.[A-Za-z] ){1,8} )
    [.,;:!?\"')\]%\u2019\u201d\u2014\u2026]*
    """,
    re.VERBOSE,
)
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
        """False if the chunk is certain to be one word, and nothing of that kind."""
        if self._is_blind or _ONE_WORD.fullmatch(raw) is None:
            return True
        pairs, letters, short = self._pairs, self._letters, self._short
        for run in _RUNS.findall(raw):
            if len(run) == 1:  # perhaps the first of an acronym: U.S.
                if run.lower() in letters:
                    return True
            elif run[:2].lower() in pairs or run[0].lower() in short:
                return True
        return False
