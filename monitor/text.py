"""The one normal form of text, which matching, search and the recognition of copies share.

`tokens` cuts a text into words. Each has a *norm*, in which spellings that readers take for the
same word are the same string, and the place of the word in the original characters:

* case, width, ligatures, soft hyphens, zero-width characters (NFKC case-folding, UAX 15 and 31);
* marks of Latin, Greek, Hebrew and Arabic letters; of Cyrillic ones too, but й and ў are letters
  of their own; nukta, candrabindu and the homorganic nasals of Devanagari (सिन्दूर = सिंदूर);
* the Arabic, Persian and Urdu code points of one letter (ي ى ی, ك ک, ه ہ ة ۃ, forms of alef);
* digits of every script;
* dotted acronyms (U.S. = US) and thousands (1,000 = 1000).

A word is letters, marks and digits: a mark never ends one, so Hindi सेना is one word. What a
hyphen, an apostrophe or a zero-width non-joiner holds together is several tokens that say so
(`Link.JOINED`); so "cease-fire" can be read as two words or as one. A possessive 's is no token
and outside its word; don't and he'll are one. Chinese, Japanese and Thai have no spaces: there
every character, or cluster of a letter with its marks, is a token, and Katakana and Hangul runs
are words. Hashtags are taken apart at their capitals. URLs and e-mail addresses have no words.

The result depends on nothing but the text and the interpreter's Unicode tables.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from bisect import bisect_right
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple


class Link(Enum):
    """How a token stands to the one before it."""

    APART = "apart"  # another word
    JOINED = "joined"  # another part of the same word: cease-fire, l'Iran, #OperationSindoor
    NEXT = "next"  # directly beside it, where words are not spaced
    BREAK = "break"  # a sentence or a paragraph ended between them: no phrase runs across


class Token(NamedTuple):
    """A word, or a part of one: its normal form and where it stands in the original text."""

    norm: str
    start: int  # half-open offsets, in characters of the text as it was given
    end: int
    link: Link


# ------------------------------------------------------------------------- what characters are

_APOSTROPHES: Final = "'`´ʹʻʼʽʾʿˈ׳״‘’‛′＇"
_HYPHENS: Final = "-‐‑‒–−֊־﹣－"  # not the em dash: it parts words
_DOTS: Final = ".．"
_COMMAS: Final = ",，"
_AMPERSANDS: Final = "&＆"
_TIES: Final = "_＿·・･"  # join like a hyphen
_TAGS: Final = "#＃"
_ZWNJ: Final = "\u200c"
_OPAQUE: Final = "\ufffc"  # stands for each character of a URL
_STACKERS: Final = "\u1039\u17d2"  # Burmese, Khmer: the next consonant hangs below
_THAI_AM: Final = "\u0e33\u0eb3"  # vowel signs by behaviour, letters by category
_FILLERS: Final = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"

_FIXED: Final = {
    ord(char): kind
    for chars, kind in (
        (_APOSTROPHES, "'"),
        (_HYPHENS, "-"),
        (_DOTS, "."),
        (_COMMAS, ","),
        (_AMPERSANDS, "&"),
        (_TIES, "_"),
        (_TAGS, "#"),
        (_ZWNJ, "Z"),
        (_OPAQUE, "U"),
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
_UNSPACED: Final = "IS"


class _Kinds(dict[int, str]):
    """From a code point to one letter for what it is, as `str.translate` wants it.

    ``L`` letter, ``A`` Arabic letter, ``D`` digit, ``K`` Katakana, ``H`` Hangul, ``I`` a character
    that is a token, ``S`` a letter that starts a cluster, ``M`` mark, ``V`` stacking mark,
    ``X`` nothing, ``Z`` non-joiner, ``U`` part of a URL, punctuation that joins as itself,
    a space for everything that parts words.
    """

    def __missing__(self, code: int) -> str:
        kind = self[code] = _FIXED.get(code) or _kind_of(code)
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


_KINDS: Final = _Kinds()

# ------------------------------------------------------------------------- the normal form

_LETTERS: Final = str.maketrans(
    # Latin letters that no decomposition takes apart.
    dict(zip("ıøđðłħŧŋĸə", "ioddlhtnka", strict=True))
    | {"þ": "th", "æ": "ae", "œ": "oe"}
    # One Arabic letter under several code points: keyboards of Arabic, Persian, Urdu, Pashto.
    | dict.fromkeys("ىیېۍؠ", "ي")
    | dict.fromkeys("کڪ", "ك")
    | dict.fromkeys("ہەةۃ", "ه")
    | {"ٱ": "ا", "ـ": None}
    # Devanagari and Bengali candrabindu: in print mostly anusvara.
    | {"ँ": "ं", "ঁ": "ং"}
)
# Thai and Lao sara am comes out of NFKC in two halves, of which the second is a letter.
_SARA_AM: Final = (("\u0e4d\u0e32", "\u0e33"), ("\u0ecd\u0eb2", "\u0eb3"))
_NUKTA: Final = "\u093c"
_BREVE: Final = "\u0306"
_MOST_MARKS: Final = 30  # on one letter: the Stream-Safe Text Format of UAX 15
_DIAERESIS: Final = "\u0308"
# A nasal before a consonant of its own row is written with anusvara or in full: हिंदी, हिन्दी.
_HOMORGANIC: Final = re.compile("ङ्(?=[कखगघ])|ञ्(?=[चछजझ])|ण्(?=[टठडढ])|न्(?=[तथदध])|म्(?=[पफबभ])")


@lru_cache(maxsize=1 << 16)
def fold(word: str) -> str:
    """The normal form of one word, which is not taken apart any further."""
    if word.isascii():
        return word.lower()
    bare = "".join(char for char in _stream_safe(word) if _KINDS[ord(char)] not in "XZ")
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", bare).casefold())
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
        kind = _KINDS[ord(char)]
        marks = marks + 1 if kind in "MV" else marks if kind in "XZ" else 0
        if marks <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)


def _stays(char: str) -> bool:
    return char in "&.," or _KINDS[ord(char)] in "LADKHISMV"


def _mark_is_folded(mark: str, base: str) -> bool:
    """Whether readers take the letter with and without this mark for the same."""
    code = ord(base) if base else 0
    if 0x400 <= code < 0x530:  # Cyrillic: й is not и, ї is not і
        return mark != _BREVE and not (mark == _DIAERESIS and base == "і")
    if mark == _NUKTA:
        return True
    if mark in _SARA_AM[0][0] or mark in _SARA_AM[1][0]:
        return False
    latin_or_greek = code < 0x400 or 0x1D00 <= code < 0x2000 or 0x2C60 <= code < 0x2C80
    latin_extended = 0xA720 <= code < 0xA800 or 0xAB30 <= code < 0xAB70
    hebrew = 0x590 <= code < 0x600
    return latin_or_greek or latin_extended or hebrew or _KINDS[code] == "A"


# ------------------------------------------------------------------------- words of a chunk

# Over the kinds of a chunk's characters, not over the characters.
_WORDS: Final = re.compile(
    r"""
      (?<![LADM.]) [LA][MX]* (?:\.[LA][MX]*)+ (?![LADMX]) \.?          # U.S.
    | (?<![LADM]) (?:[LD][MX]*){1,3} & (?:[LD][MX]*){1,3} (?![LDMX&])  # AT&T
    | (?<![LADM]) D{1,3} (?:,D{2,3}){0,5} ,D{3} (?!D) (?:\.D+)? [LDMX]*    # 1,000  1,00,000.5
    | (?<![LADM]) D+ (?:\.D+)+ [LDMX]*                                 # 3.5
    | [LD] [LDMXZ]*
    | A [ADMX]*
    | K [KMX]*
    | H [HMX]*
    | I [MX]*
    | S (?:[MX] | VX*S?)*
    """,
    re.VERBOSE,
)
_URL: Final = re.compile(
    r"""(?:https?://|(?<!\w)www\.) [^\s<>"“”‘’\u3000-\u9fff\uff00-\uffef]+
      | (?<![\w.+-]) [\w.+-]+ @ [\w-]+ (?:\.[\w-]+)+""",
    re.IGNORECASE | re.VERBOSE,
)
_POSSESSIVE: Final = frozenset("'LX")  # all that may stand between neighbours in unspaced scripts
_ENCLITICS: Final = frozenset({"re", "ve", "ll", "d", "m"})
_PRONOUNS: Final = "i you he she it we they who what that this there here where how when why"
_CONTRACTED: Final = frozenset(_PRONOUNS.split())
# Whole paragraphs of Chinese are one chunk, and never seen again.
_LONGEST_CACHED: Final = 48


class _Chunk(NamedTuple):
    """What stands between two white spaces."""

    tokens: tuple[Token, ...]  # offsets from the chunk's own start
    opaque_tail: bool  # a URL stands after the last token


def _chunk(raw: str) -> _Chunk:
    """The tokens of a chunk. News repeats its words: nearly every chunk was seen before."""
    return _seen_chunk(raw) if len(raw) <= _LONGEST_CACHED else _new_chunk(raw)


def _new_chunk(raw: str) -> _Chunk:
    if ("@" in raw and "." in raw) or "://" in raw or "www." in raw.lower():
        raw = _URL.sub(lambda match: _OPAQUE * len(match[0]), raw)
    kinds = raw.translate(_KINDS)
    found: list[Token] = []
    end = 0  # of the last token or dropped possessive
    last_kind = " "
    tagged = False
    for match in _WORDS.finditer(kinds):
        start, stop = match.start(), match.start() + len(match[0].rstrip("XZ"))
        gap = kinds[end:start].replace("X", "")
        kind = kinds[start]
        tagged = gap.endswith("#") or (tagged and gap == "_")
        link = _link(gap, last_kind, kind, first=not found)
        word = raw[start:stop]
        clitic = word.casefold() if link is Link.JOINED and gap == "'" else ""
        if clitic == "s":
            end, last_kind = stop, kind
            continue
        if clitic and _is_contraction(found[-1].norm, clitic):
            whole = found.pop()
            found.append(whole._replace(norm=f"{whole.norm}'{fold(clitic)}", end=stop))
        else:
            found += _parts(word, start, link, tagged=tagged)
        end, last_kind = stop, kind
    return _Chunk(tuple(token for token in found if token.norm), "U" in kinds[end:])


_seen_chunk = lru_cache(maxsize=1 << 16)(_new_chunk)


def _link(gap: str, before: str, kind: str, *, first: bool) -> Link:
    """How a token stands to the one before it, by what is between the two in one chunk."""
    if "U" in gap:
        return Link.BREAK
    if not gap:
        return Link.NEXT if not first or kind in _UNSPACED else Link.APART
    if first:
        return Link.BREAK if kind in _UNSPACED else Link.APART
    if gap in ("'", "-", "_", "&", "Z"):
        return Link.JOINED
    return Link.BREAK if kind in _UNSPACED or before in _UNSPACED else Link.APART


def _is_contraction(word: str, clitic: str) -> bool:
    if clitic == "t":
        return word.endswith("n")
    return clitic in _ENCLITICS and word in _CONTRACTED


def _parts(word: str, start: int, link: Link, *, tagged: bool) -> list[Token]:
    """A run of letters and digits as tokens: one, or a hashtag's camel-case parts."""
    cuts = [0, *(_humps(word) if tagged else ()), len(word)]
    return [
        Token(_norm(word[here:there]), start + here, start + there, Link.JOINED if here else link)
        for here, there in itertools.pairwise(cuts)
    ]


def _norm(word: str) -> str:
    """As `fold`, without the dots of an acronym and the commas of a number."""
    norm = fold(word)
    if norm.isalpha():
        return norm
    before, ampersand, after = norm.partition("&")
    if ampersand and max(len(before), len(after)) > 3:  # a ligature came apart: no AT&T any more
        return before + after
    return norm.replace(",", "") if norm[:1].isdecimal() else norm.replace(".", "")


def _humps(word: str) -> list[int]:
    """Where a hashtag is to be cut: OperationSindoor2025, G20Summit, UNSCVote."""
    return [
        at
        for at in range(1, len(word))
        if _is_hump(word[at - 1], word[at], word[at + 1 : at + 2])
        and _KINDS[ord(word[at])] not in "MX"
    ]


def _is_hump(before: str, here: str, after: str) -> bool:
    if before.isdecimal() or here.isdecimal():
        return before.isdecimal() != here.isdecimal()
    return here.isupper() and (before.islower() or (before.isupper() and after.islower()))


# ------------------------------------------------------------------------- a whole text

_CHUNKS: Final = re.compile(r"\S+")
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
    while start > 0 and _KINDS[ord(text[start - 1])] in "LAMX":
        start -= 1
    word = text[start:end]
    if not word.isascii():  # г., डॉ.: no list for every language
        return len(word) <= 3
    return len(word) == 1 or word.lower() in _ABBREVIATIONS


def tokens(text: str) -> list[Token]:
    """The words of a text in order, not overlapping. Never raises; linear in the text."""
    ends = [*sentence_ends(text), len(text) + 1]
    sentence_end = ends[0]
    found: list[Token] = []
    last = 0  # end of the last token
    opaque = False  # a URL was passed since
    for match in _CHUNKS.finditer(text):
        parts, opaque_tail = _chunk(match[0])
        at = match.start()
        for norm, start, end, within in parts:
            here, link = at + start, within
            if here >= sentence_end:
                sentence_end = ends[bisect_right(ends, here)]
                link = Link.BREAK
            elif opaque:
                link = Link.BREAK
            elif here - last > 1:
                link = _link_over(text[last:here], within)
            last = at + end
            opaque = False
            found.append(Token(norm, here, last, link))
        opaque = opaque or opaque_tail
    return found


def _link_over(gap: str, link: Link) -> Link:
    """How a chunk's first token stands to the token before the white space."""
    if link is Link.NEXT and not set("".join(gap.split()).translate(_KINDS)) <= _POSSESSIVE:
        return Link.BREAK
    if gap[0] in _HYPHENS and "\n" in gap and len(gap.strip()) == 1:
        return Link.JOINED  # hyphenation at the end of a line
    return link


def normal_form(text: str) -> str:
    """The norms of a text, a space between: what is searched. Its normal form is itself."""
    return " ".join(token.norm for token in tokens(text))


def is_cut(text: str, at: int) -> bool:
    """Whether a text may be cut here without taking a character from its marks, a flag in half.

    The rules of UAX 29 that matter in news: marks, joiners, variation selectors and skin tones
    stay with what they follow, pairs of regional indicators and Hangul syllables stay whole.
    """
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    kind = _KINDS[ord(after)]
    if kind in "MXZV" or before == "\u200d" or "\U0001f3fb" <= after <= "\U0001f3ff":
        return False
    if "\u1160" <= after <= "\u11ff" and _KINDS[ord(before)] == "H":
        return False
    if _is_flag_half(before) and _is_flag_half(after):
        start = at
        while start > 0 and _is_flag_half(text[start - 1]):
            start -= 1
        return (at - start) % 2 == 0
    return True


def _is_flag_half(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
