"""From a term to what it is looked for by: sequences of keys.

`monitor.text` says under which keys the words of a text can be found; here the words of a term
become such keys. Each term has several spellings: "cease-fire" is two words in a row or one;
"ceasefire" is also "cease fire" (by `compounds`); "F16" is also "F 16"; "Operation Sindoor" is
also the hashtag #operationsindoor; "Führer" is also Fuehrer.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from monitor.match.acronyms import AMBIGUOUS, is_capitals_only
from monitor.match.compounds import JOINED_FORMS, OPEN_FORMS
from monitor.match.query import Term
from monitor.text import Chunk, Link, chunk_of, fold

MOST_SPELLINGS: Final = 64
"""Of one term. A phrase of six hyphenated words would have that many."""

_PHRASE_WORDS: Final = re.compile(r"\S+")
_DESIGNATION: Final = re.compile(r"([a-z]{1,5})(\d{1,4}[a-z]{0,3})")  # F16, Su30MKI, G20
# With a space behind them these are words before a number: "a 10-year-old", "il 76 per cento".
_WORDS: Final = frozenset({word for word in AMBIGUOUS if len(word) == 2} | set("aeioy"))
_MAKERS: Final = frozenset({"an", "mi", "su"})  # printed so, of aircraft: Su 30
_TAGS: Final = "#＃"
_INITIALS: Final = re.compile(r"(?:[A-Za-z]\.){1,4}[A-Za-z]\.?")
# Korean; Urdu and Persian (وزیر اعظم, وزیراعظم): printed with and without the space between.
_OPTIONAL_SPACES: Final = re.compile("[\uac00-\ud7a3]+|[\u0620-\u06d3]+")
_SIGNS: Final = re.compile(r"\\.|\.\*|\.", re.DOTALL)  # of a wildcard's pattern
_UMLAUTS: Final = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"}


class Gap(Enum):
    """What may stand between a word of a term and the one before it."""

    ANY = "any"  # spaces, punctuation, line ends
    CLOSE = "close"  # a space, a hyphen or nothing: cease fire, not "cease. Fire"
    NEXT = "next"  # nothing, in scripts without spaces

    def allows(self, link: Link) -> bool:
        """Whether two words of a text stand as the term wants them to."""
        return link in _ALLOWED[self]


_ALLOWED: Final = {
    Gap.ANY: frozenset({Link.APART, Link.SPACED, Link.JOINED, Link.NEXT}),
    Gap.CLOSE: frozenset({Link.SPACED, Link.JOINED, Link.NEXT}),
    Gap.NEXT: frozenset({Link.NEXT}),
}


class Element(NamedTuple):
    """One word of a spelling."""

    key: str  # as `monitor.text` has them; of a wildcard the letters before its first * or ?
    gap: Gap = Gap.ANY
    wild: re.Pattern[str] | None = None  # a wildcard: what a plain key must match as a whole

    def is_open(self) -> bool:
        """Whether it is a wildcard of the commonest kind: letters, then anything."""
        return self.wild is not None and self.wild.pattern == re.escape(self.key) + ".*"

    def fits(self, keys: Sequence[str]) -> bool:
        """Whether a word that can be looked up by these keys is this one."""
        if self.wild is None:
            return self.key in keys
        return any(key[0] not in "=#" and self.wild.fullmatch(key) for key in keys)


Spelling: TypeAlias = tuple[Element, ...]
"""Words that stand one after the other."""

_TYPED: Final = {Link.JOINED: Gap.CLOSE, Link.NEXT: Gap.NEXT}
"""What may stand between the parts of a word, by how they were typed."""


class Expansion(NamedTuple):
    """All that a term is looked for by."""

    spellings: tuple[Spelling, ...]  # its own first; none if the term has no word
    capitals: bool = False  # an acronym that is a word in small letters: not where all is capitals


def expand(term: Term) -> Expansion:
    """The spellings of a term."""
    text = term.text.strip()
    if text[:1] in _TAGS and " " not in text:
        tag = next((key for key in _whole_keys(chunk_of(text)) if key[0] == "#"), None)
        if tag is not None:
            return Expansion(((Element(tag),),))
    pieces = _PHRASE_WORDS.findall(text)
    if term.exact:
        return Expansion(_combined([_exact(piece) for piece in pieces]))
    if len(pieces) == 1 and (acronym := _acronym(text)):
        return Expansion(tuple(acronym), capitals=True)
    alone = len(pieces) == 1
    minded = not text.isupper()  # who types a whole phrase in capitals means nothing by them
    ways = [
        _wild(piece) or (_acronym(piece) if minded else []) or _plain(piece, alone=alone)
        for piece in pieces
    ]
    plain = _combined(ways)
    return Expansion(tuple(itertools.islice(_varied(plain), MOST_SPELLINGS)))


def shown(spelling: Spelling) -> str:
    """A spelling for people: its words, one space between."""
    return " ".join(
        element.key if element.wild is None else _shown_wild(element.wild) for element in spelling
    )


def _shown_wild(wild: re.Pattern[str]) -> str:
    signs = {".*": "*", ".": "?"}
    return _SIGNS.sub(lambda match: signs.get(match[0], match[0][-1:]), wild.pattern)


# ------------------------------------------------------------------------- one piece of a term


def _plain(piece: str, *, alone: bool = False) -> list[Spelling]:
    """The ways to read a piece without white space: part by part, or with parts as one word.

    A word that was typed `alone` with its 's, as McDonald's, is not meant without.
    """
    chunk = chunk_of(piece)
    words = chunk.tokens
    if not words:
        return []
    steps: dict[int, list[tuple[int, str]]] = {}
    end = words[-1].end
    possessive = any(reading.end > end for reading in chunk.readings)
    for reading in chunk.readings:
        first, after, keys = reading.first, reading.after, reading.keys
        if keys[0][0] in "=#" or reading.start != words[first].start:
            continue
        if reading.end > words[after - 1].end:
            steps.setdefault(first, []).extend((after, key) for key in keys)
        elif reading.end == words[after - 1].end and not (
            alone and possessive and after == len(words)
        ):  # a shorter one is a stem: no way to type the word
            steps.setdefault(first, []).append((after, keys[0]))

    def paths(at: int, before: Spelling) -> Iterator[Spelling]:
        if at == len(words):
            yield before
            return
        gap = Gap.ANY
        if before:
            gap = _TYPED.get(words[at].link, Gap.ANY)
        for after, key in sorted(steps.get(at, ())):
            yield from paths(after, (*before, Element(key, gap)))

    found = [path for path in itertools.islice(paths(0, ()), MOST_SPELLINGS) if _is_one(path)]
    if _INITIALS.fullmatch(piece):  # J.D. is also printed J. D.
        found += [tuple(map(Element, spelled[0].key)) for spelled in found if len(spelled) == 1]
    lower = piece.lower()
    if any(char in lower for char in _UMLAUTS):
        typed_out = "".join(_UMLAUTS.get(char, char) for char in lower)
        found += [one for one in _plain(typed_out) if one not in found]
    return found


def _acronym(piece: str) -> list[Spelling]:
    """An acronym in capitals, and as it was typed (LeT); nothing if it is no word written small."""
    if not is_capitals_only(piece):
        return []
    return list(dict.fromkeys((*_exact(piece), *_exact(piece.upper()))))


def _exact(piece: str) -> list[Spelling]:
    """The piece as it stands."""
    chunk = chunk_of(piece)
    whole = next((key for key in _whole_keys(chunk) if key[0] == "="), None)
    if whole is not None:
        return [(Element(whole),)]
    spelling: list[Element] = []
    for at, word in enumerate(chunk.tokens):
        keys = [
            key
            for reading in chunk.readings
            if (reading.first, reading.after) == (at, at + 1)
            for key in reading.keys
            if key[0] == "=" and reading.end == word.end and reading.start == word.start
        ]
        gap = _TYPED.get(word.link, Gap.ANY) if at else Gap.ANY
        spelling += [Element(key, gap) for key in keys[:1]]
    return [tuple(spelling)] if spelling else []


def _whole_keys(chunk: Chunk) -> list[str]:
    """What can be looked up that is the whole of a piece."""
    return [
        key
        for reading in chunk.readings
        if (reading.first, reading.after) == (0, len(chunk.tokens))
        and reading.start <= chunk.tokens[0].start
        and reading.end == chunk.tokens[-1].end
        for key in reading.keys
    ]


def _wild(piece: str) -> list[Spelling]:
    """A piece with wildcards; nothing if it has none.

    A `?` counts only with a letter before it: "who?" in a phrase has been cut already.
    """
    literal = piece.strip("“”\"'()[],;:!.")
    if "*" not in literal and "?" not in literal:
        return []
    parts = re.split(r"([*?])", literal)
    before = chunk_of(parts[0])
    ways: list[tuple[Spelling, str, Gap]] = []  # what stands before the open word, and its letters
    if len(before.tokens) > 1:  # Jammu-Kash*: only the last part is open, or the whole as one word
        at = before.tokens[-1].start
        gap = _TYPED.get(before.tokens[-1].link, Gap.ANY)
        ways += [
            (one, parts[0][at:], gap)
            for one in _plain(parts[0][:at])[:1]
            if _is_one((*one, Element(before.tokens[-1].norm, gap)))
        ]
        if gap is Gap.CLOSE:
            ways.append(((), parts[0], Gap.ANY))
    else:
        ways.append(((), parts[0], Gap.ANY))
    rest = "".join(
        (".*" if sign == "*" else ".") + re.escape(fold(letters))
        for sign, letters in zip(parts[1::2], parts[2::2], strict=True)
    )
    found: list[Spelling] = []
    for first, letters, gap in ways:
        head = "".join(token.norm for token in chunk_of(letters).tokens)
        if first or head or fold("".join(parts[2::2])):
            found.append((*first, Element(head, gap, re.compile(re.escape(head) + rest))))
    return found


# ------------------------------------------------------------------------- several pieces


def _combined(pieces: Sequence[Sequence[Spelling]]) -> tuple[Spelling, ...]:
    """The spellings of a phrase out of those of its pieces; a piece without a word is passed."""
    choices = [piece for piece in pieces if piece]
    if not choices:
        return ()
    combinations = itertools.islice(itertools.product(*choices), MOST_SPELLINGS)
    return tuple(dict.fromkeys(tuple(itertools.chain(*each)) for each in combinations))


def _varied(spellings: tuple[Spelling, ...]) -> Iterator[Spelling]:
    """All spellings, and what else they are printed as."""
    yield from dict.fromkeys(
        itertools.chain(spellings, *(_variations(spelling) for spelling in spellings))
    )


def _variations(spelling: Spelling) -> Iterator[Spelling]:
    if spelling[0].gap is Gap.ANY and all(element.gap is Gap.ANY for element in spelling):
        yield from _initials(spelling)
    for at, element in enumerate(spelling):
        if element.wild is not None:
            continue
        before, behind = spelling[:at], spelling[at + 1 :]
        for first, second in _halves(element.key):
            yield (*before, element._replace(key=first), Element(second, Gap.CLOSE), *behind)
        if behind and behind[0].wild is None and behind[0].gap is not Gap.NEXT:
            joined = element.key + behind[0].key
            is_designation = (
                behind[0].key[:1].isdecimal() and _DESIGNATION.fullmatch(joined) is not None
            )
            if joined in JOINED_FORMS or is_designation:
                yield (*before, element._replace(key=joined), *behind[1:])
    if len(spelling) < 2 or any(element.wild is not None for element in spelling):
        return
    if any(element.gap is not Gap.NEXT for element in spelling[1:]):
        whole = "".join(_letters(element) for element in spelling)
        if "'" not in whole:
            yield (Element(f"#{whole}"),)
        if _OPTIONAL_SPACES.fullmatch(whole):
            yield (Element(whole),)


def _initials(spelling: Spelling) -> Iterator[Spelling]:
    """J. D. Vance is also printed J.D. Vance."""
    first = 0
    for is_initial, group in itertools.groupby(spelling, _is_initial):
        letters = list(group)
        if is_initial and len(letters) > 1:
            joined = letters[0]._replace(key="".join(element.key for element in letters))
            yield (*spelling[:first], joined, *spelling[first + len(letters) :])
        first += len(letters)


def _letters(element: Element) -> str:
    """An element's normal form."""
    return fold(element.key[1:]) if element.key[0] == "=" else element.key


def _is_initial(element: Element) -> bool:
    return element.wild is None and len(element.key) == 1 and element.key.isalpha()


def _is_one(spelling: Spelling) -> bool:
    """Whether no designation in it, typed with a hyphen, could be read as a word and a number."""
    return not any(
        before.key in _WORDS and here.gap is Gap.CLOSE and _DESIGNATION.match(before.key + here.key)
        for before, here in itertools.pairwise(spelling)
    )


def _halves(key: str) -> Iterator[tuple[str, str]]:
    """The two words of a compound or a designation that is printed open as well."""
    if halves := OPEN_FORMS.get(key):
        yield halves
    elif match := _DESIGNATION.fullmatch(key):
        letters, number = match.groups()
        if letters not in _WORDS:
            firsts = [letters]
        elif len(letters) == 1:
            return
        else:
            firsts = [f"={letters.upper()}"]
            if letters in _MAKERS:
                firsts.append(f"={letters.capitalize()}")
        for first in firsts:
            yield first, number
            if number.isdecimal():
                yield first, f"{number}s"  # two F 16s
