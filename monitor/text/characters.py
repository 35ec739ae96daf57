"""What each character is to a text that is cut into words: one letter, its *kind*.

Own tables over `unicodedata` (Unicode's general categories), not ICU. PyICU is a C++ build
against a system's library, whose version would then decide what matches; and UAX 29's word
boundaries, which it is asked for, are not a watch's: they follow dictionaries where Thai and
Chinese are searched by substring, leave U.S.-led, F-16 and #OperationSindoor as they stand, and
know no clitics. Scripts are by Unicode's Blocks.txt; what joins is UAX 29's MidLetter, MidNumLet
and ExtendNumLet with the hyphens of PropList.txt; what nobody sees is DerivedCoreProperties.txt's
Default_Ignorable_Code_Point.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from typing import Final

APOSTROPHES: Final = "'`´ʹʻʼʽʾʿˈ׳‘’‛′＇՚᾽"
HYPHENS: Final = "-‐‑‒–−֊־﹣－"  # not the em dash: it parts words
_DOTS: Final = ".．٫"
_COMMAS: Final = ",，٬"
_AMPERSANDS: Final = "&＆"
_TIES: Final = "_＿·‧•・･゠"  # join like a hyphen
_SLASHES: Final = "/／"
_TAGS: Final = "#＃"
_STOPS: Final = "!?…‥。！？｡۔؟।॥።។៕။﹖﹗"
_GERSHAYIM: Final = "״"  # inside a Hebrew acronym: צה״ל
_ZWNJ: Final = "\u200c"
OPAQUE: Final = "\ufffc"  # stands for each character of a URL
# Burmese and Khmer: the next consonant hangs below; Thai and Lao: a vowel sign in two halves, of
# which the second is a letter.
_STACKERS: Final = "\u1039\u17d2\u0e4d\u0ecd"
_THAI_AM: Final = "\u0e33\u0eb3"  # vowel signs by behaviour, letters by category
_FILLERS: Final = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"

_FIXED: Final = {
    ord(char): kind
    for chars, kind in (
        (APOSTROPHES, "'"),
        (HYPHENS, "-"),
        (_DOTS, "."),
        (_COMMAS, ","),
        (_AMPERSANDS, "&"),
        (_TIES, "_"),
        (_SLASHES, "/"),
        (_TAGS, "#"),
        (_STOPS, "!"),
        (_GERSHAYIM, "G"),
        (_ZWNJ, "Z"),
        (OPAQUE, "U"),
        (_STACKERS, "V"),
        (_THAI_AM, "M"),
        (_FILLERS, "X"),
    )
    for char in chars
}

# Scripts that are written without spaces, and others that need rules of their own.
_SCRIPTS: Final = (
    (0x0600, 0x06FF, "A"),  # Arabic
    (0x0750, 0x077F, "A"),
    (0x0870, 0x08FF, "A"),
    (0x0E00, 0x0EFF, "S"),  # Thai, Lao
    (0x1000, 0x109F, "S"),  # Burmese
    (0x1100, 0x11FF, "H"),  # Hangul
    (0x1780, 0x17FF, "S"),  # Khmer
    (0x3005, 0x3007, "I"),
    (0x3041, 0x309F, "I"),  # Hiragana
    (0x30A0, 0x30FF, "K"),  # Katakana
    (0x3100, 0x312F, "I"),  # Bopomofo
    (0x3130, 0x318F, "H"),
    (0x31A0, 0x31BF, "I"),
    (0x31F0, 0x31FF, "K"),
    (0x3400, 0x9FFF, "I"),  # Han
    (0xA960, 0xA97F, "H"),
    (0xAC00, 0xD7FF, "H"),
    (0xF900, 0xFAFF, "I"),
    (0xFB50, 0xFDFF, "A"),
    (0xFE70, 0xFEFE, "A"),
    (0xFF66, 0xFF9F, "K"),
    (0xFFA1, 0xFFDC, "H"),
    (0x1AFF0, 0x1B16F, "K"),
    (0x20000, 0x3FFFF, "I"),
)
_SCRIPT_STARTS: Final = [first for first, _, _ in _SCRIPTS]

UNSPACED: Final = frozenset("IS")
"""Kinds of tokens that stand side by side without spaces."""

STOPPED: Final = frozenset("ISK")
"""Kinds of tokens between which the end of a sentence is minded."""


_NOBODYS: Final = frozenset({"Cn", "Co", "Cs"})  # a million code points that are not remembered


class _Kinds(dict[int, str]):
    """From a code point to one letter for what it is, as `str.translate` wants it.

    ``L`` letter, ``A`` Arabic letter, ``D`` digit, ``K`` Katakana, ``H`` Hangul, ``I`` a character
    that is a token, ``S`` a letter that starts a cluster, ``M`` mark, ``V`` stacking mark,
    ``X`` nothing, ``Z`` non-joiner, ``U`` part of a URL, ``G`` the sign of a Hebrew acronym,
    ``!`` the end of a sentence, punctuation that joins as itself, a space for everything else
    that parts words.
    """

    def __missing__(self, code: int) -> str:
        kind = _FIXED.get(code) or _kind_of(code)
        if unicodedata.category(chr(code)) not in _NOBODYS:
            self[code] = kind
        return kind


def _kind_of(code: int) -> str:
    if 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF or 0x180B <= code <= 0x180F:
        return "X"  # variation selectors
    category = unicodedata.category(chr(code))
    if category == "Cf":
        return "X"
    if category[0] == "M":
        return "M"
    if category == "Nd":
        return "D"
    if category[0] == "L" or category == "Nl":
        place = bisect_right(_SCRIPT_STARTS, code) - 1
        if place >= 0 and code <= _SCRIPTS[place][1]:
            return _SCRIPTS[place][2]
        return "L"
    return " "  # punctuation, symbols; superscripts too: a footnote's number is no word


KINDS: Final = _Kinds()
"""`text.translate(KINDS)` is the kind of each character."""


def is_cut(text: str, at: int) -> bool:
    """Whether a text may be cut here without taking a character from its marks, a flag in half.

    The rules of UAX 29 that matter in news: marks, joiners, variation selectors and skin tones
    stay with what they follow, pairs of regional indicators and Hangul syllables stay whole.
    """
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    kind = KINDS[ord(after)]
    if kind in "MXZV" or before == "\u200d" or "\U0001f3fb" <= after <= "\U0001f3ff":
        return False
    if "\u1160" <= after <= "\u11ff" and KINDS[ord(before)] == "H":
        return False
    if _is_flag_half(before) and _is_flag_half(after):
        start = at
        while start > 0 and _is_flag_half(text[start - 1]):
            start -= 1
        return (at - start) % 2 == 0
    return True


def _is_flag_half(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
