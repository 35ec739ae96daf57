"""The normal form of one word: spellings that readers take for the same are the same string.

NFKC case-folding (UAX 15, Unicode's CaseFolding.txt), then what Unicode keeps apart and readers
do not: marks of Latin, Greek, Hebrew and Arabic letters, Cyrillic ones but for й, ї and ў, nukta
where it is left out in print, the code points of one Arabic letter.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from monitor.text.characters import KINDS

_LETTERS: Final = str.maketrans(
    # Latin letters that no decomposition takes apart.
    dict(zip("ıøđðłħŧŋĸə", "ioddlhtnka", strict=True))
    | {"þ": "th", "æ": "ae", "œ": "oe"}
    # One Arabic letter under several code points: keyboards of Arabic, Persian, Urdu, Pashto.
    | dict.fromkeys("ىیېۍؠ", "ي")
    | dict.fromkeys("کڪ", "ك")
    | dict.fromkeys("ہەةۃ", "ه")
    | {"ٱ": "ا", "ـ": None, "٫": ".", "٬": ","}
    # Devanagari and Bengali candrabindu: in print mostly anusvara.
    | {"ँ": "ं", "ঁ": "ং"}
    # Letters that also have a spelling with a zero-width joiner, which is dropped.
    | {"ൺ": "ണ്", "ൻ": "ന്", "ർ": "ര്", "ൽ": "ല്", "ൾ": "ള്", "ൿ": "ക്", "ৎ": "ত্"}
)
# Thai and Lao sara am comes out of NFKC in two halves, of which the second is a letter.
_SARA_AM: Final = (("\u0e4d\u0e32", "\u0e33"), ("\u0ecd\u0eb2", "\u0eb3"))
# Devanagari, Gurmukhi, Gujarati, Kannada: as often left out as printed. Of Bengali and Oriya
# letters it makes others: য is not য়.
_NUKTAS: Final = "\u093c\u0a3c\u0abc\u0cbc"
LONGEST_CACHED: Final = 48
"""Characters of what is remembered: whole paragraphs of Chinese are never seen again."""

_BREVE: Final = "\u0306"
_MOST_MARKS: Final = 30  # on one letter: the Stream-Safe Text Format of UAX 15
_DIAERESIS: Final = "\u0308"
# A nasal before a consonant of its own row is written with anusvara or in full: हिंदी, हिन्दी.
_HOMORGANIC: Final = re.compile("ङ्(?=[कखगघ])|ञ्(?=[चछजझ])|ण्(?=[टठडढ])|न्(?=[तथदध])|म्(?=[पफबभ])")
_LONGEST_BESIDE_AND: Final = 3  # letters: AT&T, S&P
_SIGNS: Final = str.maketrans("", "", ".״")
# What German, Swedish, Danish and Norwegian write where a keyboard has no marks.
_DIGRAPHS: Final = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"}
_WITH_DIGRAPH: Final = re.compile("[äöüåø]", re.IGNORECASE)


def fold(word: str) -> str:
    """The normal form of one word, which is not taken apart any further."""
    if word.isascii():
        return word.lower()
    return _seen(word) if len(word) <= LONGEST_CACHED else _fold(word)


def _fold(word: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", bare(word)).casefold())
    kept: list[str] = []
    base = ""
    for char in unicodedata.normalize("NFD", folded):
        if unicodedata.category(char) in ("Mn", "Me"):
            if not _mark_is_folded(char, base):
                kept.append(char)
            continue
        base = char
        digit = unicodedata.decimal(char, None)
        kept.append(char if digit is None else str(digit))
    joined = unicodedata.normalize("NFC", "".join(kept)).translate(_LETTERS)
    for halves, whole in _SARA_AM:
        joined = joined.replace(halves, whole)
    return _HOMORGANIC.sub("ं", "".join(char for char in joined if _stays(char)))


_seen = lru_cache(maxsize=1 << 15)(_fold)


def bare(word: str) -> str:
    """The word without characters that nobody sees."""
    return "".join(char for char in _stream_safe(word) if KINDS[ord(char)] not in "XZ")


def exact(word: str) -> str:
    """The word's characters as they stand, without those that nobody sees.

    Capitals and accents are kept; width, ligatures and composition (NFKC) are no difference.
    """
    return word if word.isascii() else unicodedata.normalize("NFKC", bare(word))


def norm_of(word: str) -> str:
    """As `fold`, without the dots of an acronym and the commas of a number."""
    norm = fold(word)
    if norm.isalpha():
        return norm
    before, ampersand, after = norm.partition("&")
    if ampersand and max(len(before), len(after)) > _LONGEST_BESIDE_AND:
        return before + after  # a ligature came apart: no AT&T any more
    return norm.replace(",", "") if norm[:1].isdecimal() else norm.replace(".", "")


def exact_of(word: str) -> str:
    """As `exact`, without the dots of an acronym and the sign in a Hebrew one."""
    shown = exact(word)
    if shown.isalpha() or shown[:1].isdecimal():
        return shown
    return shown.translate(_SIGNS)


def with_digraphs(word: str) -> str | None:
    """The normal form with ae for ä, oe for ö and ø, ue for ü, aa for å; None if it has none."""
    if word.isascii():
        return None
    composed = exact(word).lower()
    if not _WITH_DIGRAPH.search(composed):
        return None
    return norm_of(_WITH_DIGRAPH.sub(lambda match: _DIGRAPHS[match[0]], composed))


def _stream_safe(word: str) -> str:
    """The word with at most `_MOST_MARKS` marks on a letter.

    Normalization sorts the marks of one letter, and takes the square of their number for it: 36 s
    without letting go of the interpreter for 200,000.
    """
    if len(word) <= _MOST_MARKS:
        return word
    kept: list[str] = []
    marks = 0
    for char in word:
        kind = KINDS[ord(char)]
        marks = marks + 1 if kind in "MV" else marks if kind in "XZ" else 0
        if marks <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)


def _stays(char: str) -> bool:
    return char in "&.," or KINDS[ord(char)] in "LADKHISMV"


def _mark_is_folded(mark: str, base: str) -> bool:
    """Whether readers take the letter with and without this mark for the same."""
    code = ord(base) if base else 0
    if 0x400 <= code < 0x530:  # Cyrillic: й is not и, ї is not і
        return mark != _BREVE and not (mark == _DIAERESIS and base == "і")
    if mark in _NUKTAS:
        return True
    if mark in _SARA_AM[0][0] or mark in _SARA_AM[1][0]:
        return False
    latin_or_greek = code < 0x400 or 0x1D00 <= code < 0x2000 or 0x2C60 <= code < 0x2C80
    latin_extended = 0xA720 <= code < 0xA800 or 0xAB30 <= code < 0xAB70
    hebrew = 0x590 <= code < 0x600
    return latin_or_greek or latin_extended or hebrew or KINDS[code] == "A"
