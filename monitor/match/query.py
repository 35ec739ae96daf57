"""A query of the watch language as a tree, and how it is written out with all its brackets.

Nodes are plain values: `monitor.match.language` makes them out of text, `monitor.match.matcher`
looks for them. Offsets are half-open and count the characters of the query's text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Field: TypeAlias = Literal["title", "body", "lead"]
"""A part of an article's text. `lead` is the title and the body's first two paragraphs."""

About: TypeAlias = Literal["source", "site", "lang", "tag", "side", "author"]
"""Something that is known of an article beside its text."""


@dataclass(frozen=True, slots=True)
class Term:
    """Words that stand one after the other: one word, or a phrase.

    `text` is what was typed, without quotes, `=`, field and the punctuation around it, and with
    single spaces. A `*` in it stands for the rest of its word and has at least three letters
    before it (in Chinese, Japanese and Korean two characters); a `?` stands for one letter. With
    `exact` it holds neither. Without `phrase` it has no spaces, and a # in front makes it a
    hashtag.
    """

    text: str
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

    Operands are `Term`, `Near`, `Within`, or `Or` of such.
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

    parts: tuple[Term, ...]  # two or more, of one field, all exact or none; no phrases
    distance: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class AtLeast:
    """So many finds of it, in title and body together: ATLEAST/n, word{n}."""

    count: int  # one or more
    part: Node  # Term, Near, Within, or Or of such
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


_PLAIN_VALUE: Final = re.compile(r"[^\W_][\w.-]*\*?")


def bracketed(node: Node) -> str:
    """The node in the watch language, with all its brackets and its operators in capitals.

    Read again it is the same node, but for the offsets.
    """
    match node:
        case Term():
            words = f'"{node.text}"' if node.phrase else node.text
            return f"{_scope(node)}{words}"
        case Meta():
            plain = _PLAIN_VALUE.fullmatch(node.value)
            return f"{node.about}:{node.value}" if plain else f'{node.about}:"{node.value}"'
        case And():
            return " AND ".join(_inside(part) for part in node.parts)
        case Or():
            return " OR ".join(_inside(part) for part in node.parts)
        case Not():
            return f"NOT {_inside(node.part)}"
        case Near():
            near = "ONEAR" if node.ordered else "NEAR"
            return f"{_inside(node.left)} {near}/{node.distance} {_inside(node.right)}"
        case Within():
            words = " ".join(part.text for part in node.parts)
            return f'{_scope(node.parts[0])}"{words}"~{node.distance}'
        case AtLeast():
            return f"ATLEAST/{node.count} {_inside(node.part)}"


def _inside(node: Node) -> str:
    """A node as a part of another."""
    written = bracketed(node)
    return f"({written})" if isinstance(node, And | Or | Near) else written


def _scope(term: Term) -> str:
    field = f"{term.field}:" if term.field else ""
    return f"{field}=" if term.exact else field
