"""A query of the watch language as a tree, and how it is written out with all its brackets.

Nodes are plain values: `monitor.match.language` makes them out of text, `monitor.match.matcher`
looks for them. Offsets are half-open and count the characters of the query's text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Field: TypeAlias = Literal["title", "body", "lead"]
"""A part of an article's text. `lead` is the title and the body's first two paragraphs."""

About: TypeAlias = Literal["source", "site", "lang", "tag", "side", "author"]
"""Something that is known of an article beside its text."""


@dataclass(frozen=True, slots=True)
class Term:
    """Words that stand one after the other: one word, or a phrase."""

    text: str  # as typed, without quotes, `=` and field: may hold `*` and `?`; a hashtag has its #
    start: int
    end: int
    phrase: bool = False  # typed in quotes
    exact: bool = False  # typed with `=`: capitals, accents and number as they stand
    field: Field | None = None  # None: anywhere in the text


@dataclass(frozen=True, slots=True)
class Meta:
    """Something that is known of the article: `source:Dawn`."""

    about: About
    value: str  # without quotes; may end in `*`
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class And:
    """All of them. At least one is no `Not`."""

    parts: tuple[Node, ...]  # two or more


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them. None is a `Not`."""

    parts: tuple[Node, ...]  # two or more


@dataclass(frozen=True, slots=True)
class Not:
    """Not it. Only ever a part of an `And`."""

    part: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Near:
    """Both, with at most `distance` words between them; `ordered`: left before right.

    Operands are `Term`, `Or` of such, `Near` or `Within`.
    """

    left: Node
    right: Node
    distance: int
    ordered: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Within:
    """All words, in any order, with at most `distance` other words among them: "a b"~n."""

    parts: tuple[Term, ...]  # two or more
    distance: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class AtLeast:
    """So many finds of it, in title and body together: ATLEAST/n, word{n}."""

    count: int  # one or more
    part: Node  # Term, Or of such, Near or Within
    start: int
    end: int


Node: TypeAlias = Term | Meta | And | Or | Not | Near | Within | AtLeast


@dataclass(frozen=True, slots=True)
class Note:
    """Something about a query that is right but may surprise: "or" was read as OR."""

    message: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was read."""

    text: str
    root: Node
    notes: tuple[Note, ...] = ()
