"""Little words that Arabic and Hebrew write together with the next one.

والهدنة is و (and) + ال (the) + هدنة (truce). Nothing but a dictionary can tell whether a word's
first letters are its own, so all that they may be is taken off, and a word is found by each of
what remains, if that is three letters. That one of these remains is another word that somebody
looks for is rare: a watch names people, places and events, and their names are long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_SHORTEST: Final = 3  # letters that remain

# The Arabic language's own letters, with its vowel signs: a word with any other letter (پ چ گ ک ی
# ہ ے ں ٹ …) is Persian, Urdu, Pashto or Kurdish, which write these little words apart.
_ARABIC: Final = re.compile("[\u0621-\u063a\u0640-\u0652\u0670\u0671]+")
_SIGNS: Final = re.compile("[\u0640\u064b-\u0652\u0670]")  # vowels and the like, tatweel
_ARTICLE: Final = "ال"
_AND: Final = frozenset("وف")
_PREPOSITIONS: Final = frozenset("بلك")
_FIRST: Final = _AND | _PREPOSITIONS | {_ARTICLE[0]}

_HEBREW: Final = re.compile("[א-ת]+")
_HEBREW_CLITICS: Final = frozenset("הובלמשכ")
_MOST_CLITICS: Final = 3  # שמהבית: that + from + the + house


def bare_arabic(norm: str, word: str) -> tuple[str, ...]:
    """What remains of an Arabic word without its conjunction, preposition and article.

    `norm` is the word's normal form, `word` its characters, which tell Arabic from Urdu.
    """
    if len(norm) <= _SHORTEST or norm[0] not in _FIRST or not _ARABIC.fullmatch(word):
        return ()
    letters = _SIGNS.sub("", word)
    if len(letters) != len(norm):
        letters = norm
    found = dict.fromkeys(_without_arabic(norm, letters))
    return tuple(rest for rest in found if len(rest) >= _SHORTEST)


def _without_arabic(norm: str, letters: str) -> Iterator[str]:
    """What may remain; `letters` are the norm's before they were folded, for ألمانيا has no ال."""
    for at in (0, 1) if norm[0] in _AND else (0,):
        if at:
            yield norm[at:]
        if norm[at : at + 1] in _PREPOSITIONS:
            yield norm[at + 1 :]
            if letters.startswith("لل", at):  # ل + ال are written لل
                yield _ARTICLE + norm[at + 2 :]
                yield norm[at + 2 :]
            elif letters.startswith(_ARTICLE, at + 1):
                yield norm[at + 3 :]
        elif letters.startswith(_ARTICLE, at):
            yield norm[at + 2 :]


def bare_hebrew(norm: str, most: int = _MOST_CLITICS) -> tuple[str, ...]:
    """What remains of a Hebrew word without up to three of ה ו ב ל מ ש כ before it.

    Behind one of them two letters are enough (בתל אביב). `most`: letters that may be taken off.
    """
    if norm[0] not in _HEBREW_CLITICS or not _HEBREW.fullmatch(norm):
        return ()
    found: list[str] = []
    for length in range(1, min(_MOST_CLITICS, most) + 1):
        needed = _SHORTEST - 1 if length == 1 else _SHORTEST
        if norm[length - 1] not in _HEBREW_CLITICS or len(norm) - length < needed:
            break
        found.append(norm[length:])
    return tuple(found)
