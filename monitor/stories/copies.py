"""Which texts are the same, word for word."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from monitor.text import tokens

SHORTEST: Final = 40
"""Words (characters, in scripts without spaces) below which equal texts prove nothing."""

_DATELINE_REACH: Final = 60  # characters; the longest seen: place, state, date and agency
_WIRE: Final = re.compile(  # New Delhi, May 10 (PTI) Prime Minister …
    r"""[^\n.!?()]{0,60}
    \( (?:ap|reuters|afp|pti|ani|ians|uni|app|dpa|efe|ansa|xinhua|tass|kyodo|yonhap|bloomberg
        |anadolu|aa|cnn|bbc|भाषा|एएनआई|पीटीआई|रॉयटर्स|एएफपी) (?:/[^()\n]{1,20})? \)
    \s* (?:[-–—:]+\s*)?""",
    re.IGNORECASE | re.VERBOSE,
)
_DASH: Final = re.compile(r"\s+[-–—]{1,2}\s+|[–—]\s+|(?<=[A-Z])—|:\s+")


def text_hash(title: str, body: str) -> str | None:
    """A hash that two articles share if their bodies are the same words; None if too short.

    Blind to case, white space, quotes, hyphens and whatever else the normal form folds, to a
    dateline, and to the headline where the body repeats it: outlets write their own above one
    wire report.
    """
    words = [token.norm for token in tokens(_without_dateline(_without_title(title, body)))]
    if len(words) < SHORTEST:
        return None
    # Without spaces, so that cease-fire, cease fire and ceasefire are one.
    return hashlib.sha256("".join(words).encode("utf-8", "surrogatepass")).hexdigest()


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
