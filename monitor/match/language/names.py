"""The names that mean something in a query, what other dialects call them, and near misses."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from monitor.match.query import About, Field

TEXT_FIELDS: Final[Mapping[str, Field]] = MappingProxyType(
    {
        "title": "title",
        "headline": "title",
        "intitle": "title",  # Google, FreshRSS
        "body": "body",
        "text": "body",
        "content": "body",
        "lead": "lead",
        "ingress": "lead",  # Meltwater
    }
)
"""Fields whose words are looked for; the first name of each is the one that is shown."""

ABOUT_FIELDS: Final[Mapping[str, About]] = MappingProxyType(
    {
        "source": "source",
        "publisher": "source",
        "publication": "source",
        "site": "site",
        "domain": "site",
        "domainis": "site",  # GDELT
        "host": "site",
        "lang": "lang",
        "language": "lang",
        "sourcelang": "lang",  # GDELT
        "tag": "tag",
        "side": "side",
        "author": "author",
        "byline": "author",
    }
)
"""Fields whose value is compared with what is known of an article."""

EXACT: Final = "raw"  # Brandwatch: raw:Google+

_FOREIGN: Final = {
    **dict.fromkeys(
        ("url", "inurl", "link", "links"),
        "an article is known by its site: write site:dawn.com",
    ),
    **dict.fromkeys(
        ("country", "sourcecountry", "sourcegeo", "geo", "location", "region", "city", "state"),
        "where a publisher is at home is known by tags or sides only: write tag:… or side:…",
    ),
    **dict.fromkeys(
        ("date", "published", "before", "after", "when", "since", "until", "year"),
        "a watch looks at what is new, so leave the time out",
    ),
    **dict.fromkeys(
        ("allintitle", "allintext"),
        "write title:(a b) for words that must all stand in the title",
    ),
    **dict.fromkeys(
        ("feed", "outlet", "sourcename", "medium", "media"),
        "write source:… for the name of a publisher or feed",
    ),
    **dict.fromkeys(
        ("sourcetype", "type", "category", "section", "topic", "subject"),
        "what kind of source or article it is is known by tags only: write tag:…",
    ),
    **dict.fromkeys(
        ("sentiment", "reach", "engagement", "engagementtype", "followers", "likes", "shares"),
        "nothing of the kind is known of an article, so leave it out",
    ),
    "hlead": "write lead:… for the headline and the first two paragraphs",
}
"""Fields of other dialects, and what serves here."""

_SHOWN: Final = "title, body, lead, source, site, lang, tag, side and author"
_LONGEST_QUOTED: Final = 40  # characters
_KNOWN: Final = (*TEXT_FIELDS, *ABOUT_FIELDS, EXACT)

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("and", "or", "not", "andnot"), "operator"),
        **dict.fromkeys(("near", "onear"), "near"),
        "around": "around",
        "atleast": "atleast",
        **dict.fromkeys(_KNOWN, "field"),
        **dict.fromkeys(("adn", "nad", "ont", "nto", "naer", "nera", "enar"), "miss"),
        **dict.fromkeys(("onaer", "onera", "atlest", "atleats", "alteast"), "miss"),
    }
)
"""By a word in small letters: what else than a word it may be, if it stands right."""

FOREIGN_OPERATORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("SENTENCE", "SAME"), "NEAR/15"),  # Talkwalker, Factiva
        "PARAGRAPH": "NEAR/50",
        **dict.fromkeys(("UND", "ET", "И", "ТА", "और", "اور", "و"), "AND"),
        **dict.fromkeys(("ODER", "OU", "ИЛИ", "АБО", "या", "یا", "أو", "او"), "OR"),
        **dict.fromkeys(("NICHT", "SAUF", "НЕ"), "NOT"),
    }
)
"""Words that are operators in other dialects, or were translated; here they are words."""

_NUMBERED: Final = ("NEAR", "ONEAR", "ATLEAST")


def shortened(typed: str) -> str:
    """What was typed, as a message quotes it."""
    return typed if len(typed) <= _LONGEST_QUOTED else f"{typed[:_LONGEST_QUOTED]}…"


@lru_cache(maxsize=256)
def close_operator(name: str, *, numbered: bool = False) -> str | None:
    """The operator that was probably meant; `numbered`: one that has a number."""
    known = _NUMBERED if numbered else (*_NUMBERED, "AND", "NOT")
    typed = name.upper()
    close = difflib.get_close_matches(typed, known, n=1, cutoff=0.66)
    return close[0] if close and close[0][0] == typed[0] else None


@lru_cache(maxsize=256)
def close_field(name: str, *, cutoff: float = 0.7) -> str | None:
    """The field that was probably meant."""
    close = difflib.get_close_matches(name.lower(), _KNOWN, n=1, cutoff=cutoff)
    return close[0] if close else None


def unknown_field(name: str, typed: str) -> tuple[str, str]:
    """What to say about a field that there is none of, and a hint; `typed` is it with its value."""
    quoted = f'to look for these characters themselves, quote them: "{shortened(typed)}"'
    known = name.lower()
    name = shortened(name)
    if foreign := _FOREIGN.get(known):
        return f'unknown field "{name}:"', foreign
    if close := close_field(name):
        return f'unknown field "{name}:" – did you mean "{close}:"?', f"write {close}:…; {quoted}"
    return f'unknown field "{name}:"', f"there are {_SHOWN}; {quoted}"
