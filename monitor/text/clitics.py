"""Little words that Arabic and Hebrew write together with the next one.

والهدنة is و (and) + ال (the) + هدنة (truce). Nothing but a dictionary can tell whether a word's
first letters are its own, so all that they may be is taken off, and a word is found by each of
what remains; three letters have to. That one of these remains is another word that somebody
looks for is rare: a watch names people, places and events, and their names are long.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

_SHORTEST: Final = 3  # letters that remain

# The Arabic language's own letters, with its vowel signs: a word with any other letter (پ چ گ ک ی
# ہ ے ں ٹ …) is Persian, Urdu, Pashto or Kurdish, which write these little words apart.
_ARABIC: Final = re.compile("[\u0621-\u063a\u0640-\u0652\u0670\u0671]+")
_ARTICLE: Final = "ال"
_AND: Final = frozenset("وف")
_PREPOSITIONS: Final = frozenset("بلك")

_HEBREW: Final = re.compile("[א-ת]+")
_HEBREW_CLITICS: Final = frozenset("הובלמשכ")
_MOST_CLITICS: Final = 3  # שמהבית: that + from + the + house
_THE: Final = "ה"


def bare_arabic(norm: str, word: str) -> tuple[str, ...]:
    """What remains of an Arabic word without its conjunction, preposition and article.

    `norm` is the word's normal form, `word` its characters, which tell Arabic from Urdu.
    """
    if len(norm) <= _SHORTEST or norm[0] not in _ARABIC_FIRST:
        return ()
    if not _ARABIC.fullmatch(unicodedata.normalize("NFKC", word)):
        return ()
    found = dict.fromkeys(_without_arabic(norm))
    return tuple(rest for rest in found if len(rest) >= _SHORTEST)


def _without_arabic(norm: str) -> Iterator[str]:
    for rest in (norm, norm[1:]) if norm[0] in _AND else (norm,):
        if rest is not norm:
            yield rest
        if rest[:1] in _PREPOSITIONS:
            yield rest[1:]
            if rest.startswith("لل"):  # ل + ال are written لل
                yield _ARTICLE + rest[2:]
                yield rest[2:]
            elif rest.startswith(_ARTICLE, 1):
                yield rest[3:]
        elif rest.startswith(_ARTICLE):
            yield rest[2:]


_ARABIC_FIRST: Final = _AND | _PREPOSITIONS | {"ا"}


def bare_hebrew(norm: str) -> tuple[str, ...]:
    """What remains of a Hebrew word without up to three of ה ו ב ל מ ש כ before it."""
    if norm[0] not in _HEBREW_CLITICS or not _HEBREW.fullmatch(norm):
        return ()
    found: list[str] = []
    for length in range(1, _MOST_CLITICS + 1):
        if norm[length - 1 : length] not in _HEBREW_CLITICS:
            break
        rest = norm[length:]
        if len(rest) >= _SHORTEST or (len(rest) == _SHORTEST - 1 and norm[:length] == _THE):
            found.append(rest)
    return tuple(found)
