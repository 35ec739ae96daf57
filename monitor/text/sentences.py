"""Where sentences end."""

from __future__ import annotations

import re
from typing import Final

from monitor.text.characters import KINDS

_STOPS: Final = re.compile(
    r"""
    [.!?…।॥۔؟。！？｡\n]  # first and by itself, so that the search runs at the speed of a character set
    (?: (?<=[.!?…]) (?<![.!?…]{2})
        (?P<maybe> [.!?…]* ["'”’»)\]]* ) (?= \s+ ["'“‘«(\[]* (?P<next>\S) | \s*\Z )
      | (?<=[।॥۔؟。！？｡]) [।॥۔؟。！？｡\s"'”’»)\]」』）]*
      | (?<=\n) [^\S\n]* \n \s*
    )
    """,
    re.VERBOSE,
)
# A capital after these is no new sentence. Single letters and U.S. are seen by themselves.
_TITLES: Final = """
    mr mrs ms dr prof hon rev st sr jr mme mlle sra gen lt col maj brig capt cmdr sgt cpl adm
    sen rep gov pres no nos nr vs inc ltd corp co bros dept mt ft bzw ca
    jan feb mar apr jun jul aug sept sep oct nov dec
"""
_ABBREVIATIONS: Final = frozenset(_TITLES.split())


def sentence_ends(text: str) -> list[int]:
    """Where sentences and paragraphs end, in ascending order: offsets behind the end's marks.

    Careful to a fault: after an abbreviation, an initial, or before a small letter, a full stop
    ends nothing. To miss an end can make two words a phrase; to see one that is not there would
    hide "Gen. Munir" from who looks for him.
    """
    return [
        match.end()
        for match in _STOPS.finditer(text)
        if match["maybe"] is None or not _goes_on(text, match)
    ]


def _goes_on(text: str, stop: re.Match[str]) -> bool:
    """Whether the sentence goes on behind these stops."""
    if (stop["next"] or "").islower():
        return True
    if text[stop.start()] != "." or text[stop.start() + 1 : stop.start() + 2] == ".":
        return False
    end = start = stop.start()
    while start > 0 and KINDS[ord(text[start - 1])] in "LAMX":
        start -= 1
    word = text[start:end]
    if not word.isascii():  # г., डॉ.: no list for every language
        return len(word) <= 3
    return len(word) == 1 or word.lower() in _ABBREVIATIONS
