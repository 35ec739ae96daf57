"""What a text is cut into, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Link(Enum):
    """How a token stands to the one before it."""

    APART = "apart"  # another word; punctuation may stand between
    SPACED = "spaced"  # another word, nothing but white space between them
    JOINED = "joined"  # another part of the same word: cease-fire, l'Iran, #OperationSindoor
    NEXT = "next"  # directly beside it, or behind white space where words are not spaced
    BREAK = "break"  # in scripts without spaces: a sentence or a paragraph ended between them


class Token(NamedTuple):
    """A word, or a part of one: its normal form and where it stands in the original text.

    A URL or an e-mail address is a token too, whose norm is empty: it has a place, and no name.
    """

    norm: str
    start: int  # half-open offsets, in characters of the text as it was given
    end: int
    link: Link


class Reading(NamedTuple):
    """One way to read neighbouring tokens as one word, and what that word is looked up by.

    Keys live in one namespace: a normal form ("ceasefire"); "=" and the characters as they
    stand ("=US"); "#" and a whole hashtag ("#operationsindoor"). Of a single plain word the norm
    comes first; then the exact key; then the forms that it can be reached from.
    """

    first: int  # index of its first token
    after: int  # index of the token behind its last one
    keys: tuple[str, ...]
    start: int  # its characters, which may be fewer or more than its tokens': 휴전|은, #|Sindoor
    end: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """What stands between two white spaces. Its offsets count from its own first character."""

    tokens: tuple[Token, ...]
    words: tuple[int, ...]  # for each token, which word of the chunk it is part of: 0, 0, 1 …
    count: int  # of words
    readings: tuple[Reading, ...]  # in order of their first tokens
    clean_start: bool  # nothing visible before the first token; if it has none, nothing at all
    clean_end: bool  # and behind the last one
    stop_start: bool  # before the first token stands what ends a sentence
    stop_end: bool  # and behind the last one
    unspaced: bool  # whether it has a token of a script without spaces: breaks matter there
    opening: str  # the kind of the first token, one letter of `characters`; empty without one
    closing: str  # and of the last one
