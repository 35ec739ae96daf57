"""A whole text, plainly: its tokens, and every way to read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from monitor.text.chunks import chunk_of, link_across
from monitor.text.lines import split
from monitor.text.values import Chunk, Link, Reading, Token

BREAK_DISTANCE: Final = 1000
"""Words by which a break sets a text's positions apart: further than any query reaches."""

_token: Final = partial(tuple.__new__, Token)  # as `Token(…)`, at twice the speed


@dataclass(frozen=True, slots=True)
class Lattice:
    """A text's tokens, and what they can be read as; all indexes and offsets are the text's.

    The matcher never makes one: this is what explanations and the tests' oracle read.
    """

    tokens: list[Token]
    words: list[int]  # for each token, the position of its word; further on behind a break
    readings: list[Reading]


def lattice(text: str) -> Lattice:
    """The text cut into tokens, with their positions and readings."""
    found: list[Token] = []
    words: list[int] = []
    readings: list[Reading] = []
    position = 0  # of the chunk's first word
    for at, chunk, link in _chunks(text):
        base = len(found)
        for number, token in enumerate(chunk.tokens):
            norm, start, end, within = token if number else token._replace(link=link)
            if within is Link.BREAK and found:
                position += BREAK_DISTANCE
            found.append(Token(norm, at + start, at + end, within))
            words.append(position + chunk.words[number])
        readings += [
            Reading(base + first, base + after, keys, at + start, at + end)
            for first, after, keys, start, end in chunk.readings
        ]
        position += chunk.count
    return Lattice(found, words, readings)


def tokens(text: str) -> list[Token]:
    """The words of a text in order, not overlapping. Never raises; linear in the text.

    URLs and e-mail addresses have none.
    """
    found: list[Token] = []
    for at, chunk, link in _chunks(text):
        here: Link | None = link
        for norm, start, end, within in chunk.tokens:
            if norm:
                found.append(_token((norm, at + start, at + end, here or within)))
            here = None
    return found


def _chunks(text: str) -> Iterator[tuple[int, Chunk, Link]]:
    """Each chunk that has tokens: where it begins, and how it stands to the one before."""
    before: Chunk | None = None
    beside, blank, wrapped = True, False, False
    for line in split(text):
        blank, wrapped = blank or line.paragraph, before is not None
        for raw, at in zip(line.raws, line.starts(), strict=True):
            chunk = chunk_of(raw)
            if not chunk.tokens:
                beside = False
                continue
            if before is None:
                yield at, chunk, chunk.tokens[0].link
            else:
                link = link_across(before, chunk, beside=beside, blank=blank, wrapped=wrapped)
                yield at, chunk, link
            before = chunk
            beside, blank, wrapped = True, False, False


def normal_form(text: str) -> str:
    """The norms of a text, a space between: what is searched. Its normal form is itself."""
    return " ".join(token.norm for token in tokens(text))
