"""The watch language: from what an analyst types, or pastes, to a `Query`.

What an operand may be::

    word  cease-fire  Kashmir*  wom?n  =US  #hashtag  "a phrase"  "a b"~5  (group)
    title:…  body:…  lead:…                                       before any of these
    source:…  site:…  lang:…  tag:…  side:…  author:…             before a value or (a OR b)
    ATLEAST/3 …  word{3}                                          how often

and what joins them, from the tightest: ``NEAR/n`` and ``ONEAR/n``, ``NOT`` and ``-``, ``AND`` or
nothing, ``OR``. Operators of other dialects are understood where they mean the same; what is
not understood is refused with a word on what to write instead, and what is understood in a way
that may surprise leaves a note. `docs/watch-language.md` says it to those who write queries.
"""

from __future__ import annotations

from monitor.match.language.parser import DEEPEST, LONGEST, parse, parse_term
from monitor.match.language.showing import line_and_column, rendered

__all__ = ["DEEPEST", "LONGEST", "line_and_column", "parse", "parse_term", "rendered"]
