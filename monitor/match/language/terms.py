"""What may stand in a word or a phrase: wildcards, hashtags, at least one word to look for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple, NoReturn

from monitor.errors import QueryError
from monitor.match.language.lexemes import QUOTE, seen
from monitor.match.language.names import shortened
from monitor.text import Link, tokens

_BEFORE_STAR: Final = 3  # letters
_BESIDE_MARK: Final = 2  # letters of a word with ?
_MOST_WORDS: Final = 200  # in a row; characters, in Chinese, Japanese or Thai

_SURELY_WORDS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9'’*?& -]*")
_PIECES: Final = re.compile(r"\S+")
_SPECIAL: Final = re.compile(r"[*?]")
_TAGS: Final = "#＃"
_IN_TAGS: Final = "_·・\u200c\u200d"
_ADDRESS: Final = re.compile(r"(?:[a-z]+://|www\.)([^\s/]+)", re.IGNORECASE)
_HOST: Final = re.compile(r"[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}", re.IGNORECASE)
_MAIL: Final = re.compile(r"\S+@\S+\.\S+")
_QUESTION: Final = re.compile(r"[?!.…]*\?[?!.…]*\Z")


class Place(NamedTuple):
    """Where in a query a term stands."""

    query: str
    start: int
    end: int

    def fail(
        self, message: str, hint: str, start: int | None = None, end: int | None = None
    ) -> NoReturn:
        """Raises `QueryError` for the term, or for a part of it."""
        first = self.start if start is None else start
        last = self.end if end is None else end
        raise QueryError(message, self.query, first, last, hint)


class Piece(NamedTuple):
    """A part of a phrase between white space."""

    text: str
    start: int  # offsets into the query
    end: int


@lru_cache(maxsize=1 << 14)
def words_in(text: str) -> int:
    """How many words stand in a text without white space; the parts of cease-fire are one."""
    count = 0
    for token in tokens(text.replace("?", "x")):
        if count == 0 or token.link not in (Link.JOINED, Link.NEXT):
            count += 1
    return count


def has_word(text: str) -> bool:
    """Whether there is something to look for."""
    if _SURELY_WORDS.fullmatch(text):
        return True
    return any(words_in(piece) for piece in text.split())


def check_word(text: str, place: Place, *, exact: bool) -> None:
    """Fails for a word, typed without quotes, that can't be looked for."""
    check_length(text, place)
    if text[0] in _TAGS:
        _check_hashtag(text, place, exact=exact)
        return
    if "*" in text or "?" in text:
        check_wildcards(Piece(text, place.start, place.end), place, exact=exact)
    if not has_word(text):
        _no_word(text, place)


def check_length(text: str, place: Place) -> None:
    """Fails for more words in a row than anybody repeats in the same order."""
    if len(text) > _MOST_WORDS and len(tokens(text)) > _MOST_WORDS:
        place.fail(
            f"more than {_MOST_WORDS} words in a row",
            "a few of them that stand nowhere else find the same texts",
        )


def is_hashtag(text: str) -> bool:
    """Whether a text is a # with a word behind it, and nothing else."""
    return len(text) > 1 and text[0] in _TAGS and all(map(_is_in_tag, text[1:]))


def _is_in_tag(char: str) -> bool:
    return char.isalnum() or char in _IN_TAGS or unicodedata.category(char)[0] == "M"


def _check_hashtag(text: str, place: Place, *, exact: bool) -> None:
    if exact:
        place.fail(
            "a hashtag has no capitals of its own",
            f"leave the = out: {shortened(text)}",
        )
    for offset, char in enumerate(text[1:], place.start + 1):
        if char in "*?":
            place.fail(
                f'a hashtag can\'t hold "{char}"',
                "leave the # out: words are found in hashtags too",
                offset,
                offset + 1,
            )
        if not _is_in_tag(char):
            place.fail(
                f'a hashtag ends before "{char}"',
                f"put a space before it, or write {shortened(text[: offset - place.start])}",
                offset,
                offset + 1,
            )
    if not has_word(text):
        _no_word(text, place)


def _no_word(text: str, place: Place) -> NoReturn:
    if address := _ADDRESS.match(text):
        host = shortened(address[1].removeprefix("www."))
        place.fail(
            "addresses in an article's text are not looked for",
            f"write site:{host} for articles of that site",
        )
    if _MAIL.fullmatch(text):
        place.fail(
            "e-mail addresses in an article's text are not looked for",
            'write the name in front of the @ as a phrase, as in "asim munir"',
        )
    if _HOST.fullmatch(text):
        place.fail(
            "addresses in an article's text are not looked for",
            f"write site:{shortened(text)} for articles of that site",
        )
    place.fail("there is no word to look for", "write at least one letter or digit")


def check_wildcards(piece: Piece, place: Place, *, exact: bool) -> None:
    """Fails where a `*` or `?` stands wrong in a piece without white space."""
    text = piece.text
    signs = list(_SPECIAL.finditer(text))
    if not signs:
        return
    at = signs[0].start()
    sign = signs[0][0]
    start = piece.start + at
    if exact:
        place.fail(
            f'"=" takes every character as it stands, and "{sign}" none',
            f'leave out the "=" or the "{sign}"',
            start,
            start + 1,
        )
    letters = [index for index, char in enumerate(text) if _is_letter(char)]
    if not letters:
        _alone(sign, place, start)
    if letters[0] > at:
        place.fail(
            f'a word can\'t begin with "{sign}"',
            "write how it begins, as in Kashmir*, or all its forms with OR between them",
            start,
            start + 1,
        )
    weight = sum(_weight(text[index]) for index in letters)
    if sign == "?" and weight < _BESIDE_MARK:
        place.fail(
            f'a word with "?" has at least {_BESIDE_MARK} letters',
            "write all its forms with OR between them",
            start,
            start + 1,
        )
    star = text.find("*")
    if star < 0:
        return
    start = piece.start + star
    if letters[-1] > star or signs[-1].start() > star:
        place.fail(
            '"*" stands at the end of a word',
            'write how the word begins, as in Kashmir*; "?" in a word is exactly one letter',
            start,
            start + 1,
        )
    if letters[-1] != star - 1 and text[star - 1] != "?":
        place.fail(
            '"*" stands directly behind a letter',
            f"leave out what is between them: {shortened(text[: letters[-1] + 1])}*",
            start,
            start + 1,
        )
    if weight < _BEFORE_STAR:
        place.fail(
            f'"*" needs at least {_BEFORE_STAR} letters before it',
            "write more of the word, or its forms with OR between them",
            start,
            start + 1,
        )


def _alone(sign: str, place: Place, start: int) -> NoReturn:
    place.fail(
        f'"{sign}" stands for letters of a word, not for whole words',
        'write "India Pakistan"~1 or India ONEAR/1 Pakistan for one word between',
        start,
        start + 1,
    )


def _is_letter(char: str) -> bool:
    """Letters, digits and the vowel signs of scripts that write them as marks."""
    return char.isalnum() or unicodedata.category(char)[0] == "M"


def _weight(char: str) -> int:
    """A character of Chinese, Japanese or Korean says as much as two letters."""
    return 2 if unicodedata.east_asian_width(char) == "W" else 1


def pieces(inner: str, offset: int, place: Place, *, exact: bool) -> list[Piece]:
    """The pieces of a phrase, checked; `offset` is where `inner` begins in the query.

    A question mark that ends the phrase, or stands alone, is punctuation, as are pieces without
    a word. Fails if no piece is left.
    """
    found: list[Piece] = []
    asked = _QUESTION.search(inner.rstrip())
    last = asked.start() if asked else len(inner)
    for match in _PIECES.finditer(inner[:last]):
        piece = Piece(match[0], offset + match.start(), offset + match.end())
        if not piece.text.strip("?"):
            continue
        check_wildcards(piece, place, exact=exact)
        found.append(piece)
    if not any(has_word(piece.text) for piece in found):
        text = " ".join(piece.text for piece in found)
        _no_word(text, place)
    return found


def literal(text: str) -> Iterator[str]:
    """The pieces of a term of a list, where quotes are punctuation and `?` ends no word."""
    for piece in QUOTE.sub(" ", seen(text)).split():
        bare = piece.rstrip("?!.,;:…") if piece.rstrip("!.,;:…").endswith("?") else piece
        if bare:
            yield bare
