"""Untrusted text made fit to be shown: cleaned, shortened and given a reading direction. Pure.

What is removed can't be seen and only misleads: control characters (a terminal obeys them),
bidirectional overrides and embeddings (they make a line read as what it is not, Unicode TR 36),
zero-width characters. What looks alike but carries meaning stays: the joiners of Arabic and Indic
scripts and of emoji, variation selectors, direction marks in right-to-left text.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from alerts.message import Passage

ELLIPSIS = "…"
_FSI, _PDI, _RLM = "\u2068", "\u2069", "\u200f"
_ZWNJ, _ZWJ = "\u200c", "\u200d"
_MARKS_OF_DIRECTION = frozenset("\u200e\u200f\u061c")

# Letters that join: U+200C and U+200D are spelling between them, noise elsewhere.
_JOINING = (
    (0x0600, 0x08FF),  # Arabic, Syriac, Thaana, N'Ko, Mandaic and their extensions
    (0x0900, 0x0DFF),  # Devanagari to Sinhala
    (0x0F00, 0x109F),  # Tibetan, Myanmar
    (0x1780, 0x18AF),  # Khmer, Mongolian
    (0xA840, 0xABFF),  # Phags-pa, Devanagari extended and other Brahmic scripts
    (0xFB50, 0xFDFF),  # Arabic presentation forms
    (0xFE70, 0xFEFE),
    (0x10A00, 0x11FFF),  # further Indic scripts
    (0x1E900, 0x1E95F),  # Adlam
)
_INVISIBLE = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u180e\u2800")
# signs of numbers and verses: category Cf, yet they print, around what follows
_NUMBER_SIGNS = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
_PREPENDED = _NUMBER_SIGNS | frozenset(  # and letters that are written before their syllable
    "\u0d4e\u1cf5\u1cf6\U000111c2\U000111c3\U0001193f\U00011941\U00011a3a\U00011a84\U00011a85"
    "\U00011a86\U00011a87\U00011a88\U00011a89\U00011d46\U00011f02"
)
_TAGS = range(0xE0020, 0xE0080)
_BLACK_FLAG = "\U0001f3f4"  # flags of England, Scotland, Wales: this and tag characters


def clean(text: str) -> str:
    """The text on one line without what can't be seen; white space is single spaces."""
    return "".join(piece for _, piece in _kept(text)).strip(" ")


def clean_passage(passage: Passage) -> Passage:
    """The same for a passage; its marks point into the new text, in order, disjoint, not empty."""
    kept = list(_kept(passage.text))
    raw = "".join(piece for _, piece in kept)
    lead = len(raw) - len(raw.lstrip(" "))
    text = raw.strip(" ")
    origins = [origin for origin, _ in kept]  # of each kept character: one piece, one character

    def moved(offset: int) -> int:
        at = bisect_right(origins, offset - 1)  # kept characters before the offset
        return min(max(at - lead, 0), len(text))

    marks = ((moved(start), moved(end)) for start, end in passage.marks)
    return Passage(text=text, marks=_tidy(marks))


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters: cut between words if one ends near, never inside a grapheme."""
    if len(text) <= limit:
        return text
    room = limit - len(ELLIPSIS)
    edges = [at for at in boundaries(text[: limit + 1]) if at <= room]
    between_words = [at for at in edges if text[at] == " " and at >= room * 2 // 3]
    cut = (between_words or edges or [0])[-1]
    return text[:cut].rstrip(" ") + ELLIPSIS


def shorten_passage(passage: Passage, limit: int) -> Passage:
    """The same for a passage: the part that holds its first mark, marks kept where they are shown.

    A passage whose first mark lies beyond the limit loses its beginning instead of the mark.
    """
    if len(passage.text) <= limit:
        return passage
    skip = _start_of_view(passage, limit)
    lead = ELLIPSIS if skip else ""
    rest = passage.text[skip:]
    shown = shorten(rest, limit - len(lead))
    body = len(rest) if shown == rest else len(shown) - len(ELLIPSIS)

    def moved(offset: int) -> int:
        return len(lead) + min(max(offset - skip, 0), body)

    marks = ((moved(start), moved(end)) for start, end in passage.marks)
    return Passage(text=lead + shown, marks=_tidy(marks))


def pieces(passage: Passage) -> Iterator[tuple[str, bool]]:
    """The text in order as (piece, marked)."""
    at = 0
    for start, end in passage.marks:
        if at < start:
            yield passage.text[at:start], False
        yield passage.text[start:end], True
        at = end
    if at < len(passage.text):
        yield passage.text[at:], False


def reads_right_to_left(text: str) -> bool:
    """Whether the first letter with a direction belongs to a right-to-left script (UAX 9, P2)."""
    return _first_direction(text) in {"R", "AL"}


def isolated(text: str) -> str:
    """The text fenced with U+2068 and U+2069 if it holds right-to-left letters.

    A neighbour can't turn its order, and it can't turn a neighbour's. Other text is unchanged.
    """
    return f"{_FSI}{text}{_PDI}" if _has_right_to_left(text) else text


def directed(text: str) -> tuple[str, str]:
    """What to put before and after a line of its own so that it reads right in any frame.

    The isolate keeps the order of words where the frame runs left to right; U+200F before it
    turns a frame that goes by its first letter, since UAX 9 (P2) skips what is in isolates.
    """
    if not _has_right_to_left(text):
        return "", ""
    return (_RLM if reads_right_to_left(text) else "") + _FSI, _PDI


def boundaries(text: str) -> Iterator[int]:
    """Offsets between graphemes, ends included: UAX 29 without tables, erring towards longer ones."""
    yield 0
    flags = 0  # regional indicators in a row: a flag is two
    conjunct = False  # a virama was seen: marks may follow, then the consonant that it binds
    for at, (before, after) in enumerate(pairwise(text), start=1):
        flags = flags + 1 if _is_flag_letter(before) else 0
        conjunct = _binds(before) or (conjunct and _extends(before))
        if conjunct and unicodedata.category(after).startswith("L"):
            continue
        if not _joined(before, after, odd_flag=flags % 2 == 1):
            yield at
    if text:
        yield len(text)


# ---------------------------------------------------------------------------- cleaning


def _kept(text: str) -> Iterator[tuple[int, str]]:
    """(offset in the original, character) of what stays."""
    rtl = _has_right_to_left(text)
    previous = ""
    flag = False  # inside a flag made of tags
    for at, raw in enumerate(text):
        char = _visible(raw, rtl=rtl)
        if raw in {_ZWJ, _ZWNJ}:
            following = text[at + 1 : at + 2]
            char = raw if _joins(previous, raw, following) else ""
        elif ord(raw) in _TAGS:
            char = raw if flag else ""
        flag = raw == _BLACK_FLAG or (flag and ord(raw) in _TAGS)
        if not char or (char == " " and previous == " "):
            continue
        previous = char
        yield at, char


def _visible(char: str, *, rtl: bool) -> str:
    """What a character is shown as; nothing if it can't be seen."""
    if " " <= char <= "~":
        return char
    category = unicodedata.category(char)
    if category in {"Zs", "Zl", "Zp"} or char in "\t\n\r\v\f\x85":
        return " "
    if category == "Cs":  # half of a pair: can't be encoded
        return "\ufffd"
    if category in {"Cc", "Cf"}:
        return char if _meant(char, rtl=rtl) else ""
    if char in _INVISIBLE or ord(char) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF:
        return ""
    return char


def _meant(char: str, *, rtl: bool) -> bool:
    """Format characters that are part of the writing."""
    if char in _MARKS_OF_DIRECTION:
        return rtl
    return char in _NUMBER_SIGNS


def _joins(before: str, joiner: str, after: str) -> bool:
    """Whether a joiner between these is spelling."""
    if _in_joining_script(before):
        return True
    return (
        joiner == _ZWJ and bool(before) and bool(after) and _in_emoji(before) and _in_emoji(after)
    )


def _in_joining_script(char: str) -> bool:
    return bool(char) and any(first <= ord(char) <= last for first, last in _JOINING)


def _in_emoji(char: str) -> bool:
    return unicodedata.category(char) in {"So", "Sk"} or char == "\ufe0f" or char in "♀♂⚕⚖✈❤"


def _tidy(marks: Iterator[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Sorted, disjoint, not empty."""
    tidy: list[tuple[int, int]] = []
    for start, end in sorted(marks):
        begin = max(start, tidy[-1][1]) if tidy else start
        if begin < end:
            tidy.append((begin, end))
    return tuple(tidy)


# ---------------------------------------------------------------------------- shortening


def _start_of_view(passage: Passage, limit: int) -> int:
    """Where to begin so that the first mark is seen; the start if it is seen from there."""
    if not passage.marks or passage.marks[0][1] <= limit * 2 // 3:
        return 0
    text, mark = passage.text, passage.marks[0][0]
    earliest = max(mark - limit // 3, 0)
    edges = [at for at in boundaries(text[: mark + 1]) if at <= mark]
    words = [at for at in edges if at > earliest and text[at - 1] == " "]
    return words[0] if words else edges[bisect_right(edges, earliest) - 1]


# ---------------------------------------------------------------------------- graphemes


def _is_flag_letter(char: str) -> bool:
    return 0x1F1E6 <= ord(char) <= 0x1F1FF


def _joined(before: str, after: str, *, odd_flag: bool) -> bool:
    """Whether no cut may be made between two characters."""
    if before < "\u0300" and after < "\u0300":
        return before == "\r" and after == "\n"
    if _extends(after) or before == _ZWJ:
        return True
    if _is_flag_letter(before) and _is_flag_letter(after):
        return odd_flag
    return _binds(before) or _same_syllable(ord(before), ord(after))


def _binds(char: str) -> bool:
    """Viramas, what is written before its syllable, and what is newer than our tables."""
    return (
        unicodedata.combining(char) == 9 or char in _PREPENDED or unicodedata.category(char) == "Cn"
    )


def _extends(char: str) -> bool:
    """Marks, joiners, skin tones, tags, and the two vowels that follow their letter."""
    return (
        unicodedata.category(char) in {"Mn", "Mc", "Me", "Cn"}
        or char in {_ZWJ, _ZWNJ, "\u0e33", "\u0eb3", "\uff9e", "\uff9f"}
        or 0x1F3FB <= ord(char) <= 0x1F3FF
        or ord(char) in _TAGS
    )


def _same_syllable(before: int, after: int) -> bool:
    """Conjoining Hangul (UAX 29 GB6 to GB8), where a syllable block counts as its last letter."""
    leading = 0x1100 <= before <= 0x115F or 0xA960 <= before <= 0xA97C
    vowel = 0x1160 <= before <= 0x11A7 or 0xD7B0 <= before <= 0xD7C6
    syllable = 0xAC00 <= before <= 0xD7A3
    open_syllable = syllable and (before - 0xAC00) % 28 == 0
    trailing = 0x11A8 <= before <= 0x11FF or 0xD7CB <= before <= 0xD7FB
    next_vowel = 0x1160 <= after <= 0x11A7 or 0xD7B0 <= after <= 0xD7C6
    next_trailing = 0x11A8 <= after <= 0x11FF or 0xD7CB <= after <= 0xD7FB
    if leading:
        next_leading = 0x1100 <= after <= 0x115F or 0xA960 <= after <= 0xA97C
        return next_leading or next_vowel or 0xAC00 <= after <= 0xD7A3
    if vowel or open_syllable:
        return next_vowel or next_trailing
    return (syllable or trailing) and next_trailing


# ---------------------------------------------------------------------------- direction


def _first_direction(text: Sequence[str]) -> str:
    for char in text:
        direction = unicodedata.bidirectional(char)
        if direction in {"L", "R", "AL"}:
            return direction
    return ""


def _has_right_to_left(text: str) -> bool:
    """Whether it holds a right-to-left letter; a mark of direction alone is none."""
    return not text.isascii() and any(
        char >= "\u0590"
        and char not in _MARKS_OF_DIRECTION
        and unicodedata.bidirectional(char) in {"R", "AL"}
        for char in text
    )
