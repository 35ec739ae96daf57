"""What a watch may look for: terms and queries. As in `values`, each function returns the value or
raises `Invalid`, which knows the character that is wrong and shows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from monitor.config.values import Invalid, kind, no_token, text
from monitor.errors import QueryError
from monitor.match.language import parse, parse_term, rendered
from monitor.match.query import And, AtLeast, Meta, Near, Node, Not, Or, Query, Term, Within
from monitor.match.spellings import expand

LONGEST_TERM = 200  # characters

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # but for tabs and line ends

_PLAIN = re.compile(r"[A-Za-z0-9]+(?: [A-Za-z0-9]+)*")  # nearly all are: they have words


def term(value: object) -> str:
    """Something to search for: a word, or several as a phrase."""
    line = text(value)
    assert isinstance(value, str)
    if len(line) > LONGEST_TERM:
        raise Invalid(f"a term must be at most {LONGEST_TERM} characters, not {len(line)}")
    try:
        _refuse_wordless(line, [parse_term(line)])
    except QueryError as error:
        raise Invalid(explained(error), value.index(line) + error.start) from None
    return line


def query(value: object) -> str:
    """A query in the watch language, on one line or several."""
    read_query(value)
    assert isinstance(value, str)
    return value.strip()


def read_query(value: object) -> Query:
    """What a query says. Offsets count from the first character of the value, blanks included."""
    if not isinstance(value, str):
        raise Invalid(f"must be text in '''three quotes''', not {kind(value)}")
    if not value.strip():
        raise Invalid("must not be empty")
    if control := _CONTROL.search(value):
        raise Invalid("must not hold control characters", control.start())
    no_token(value)
    try:
        return checked(value)
    except QueryError as error:
        raise Invalid(explained(error), error.start) from None


def checked(text: str) -> Query:
    """What a query says. Raises `QueryError`, also for a term that could never be found."""
    found = parse(text)
    _refuse_wordless(text, terms_of(found.root))
    return found


def explained(error: QueryError) -> str:
    """The error with its picture, for a line that begins with the place in the file."""
    _, *picture = rendered(error).split("\n")
    shown = (line if line.startswith(" ") else f"  {line}" for line in picture)
    return "\n".join((error.message, *shown))


def terms_of(node: Node) -> Iterator[Term]:
    """The terms of a query, in its order."""
    match node:
        case Term():
            yield node
        case And(parts=parts) | Or(parts=parts) | Within(parts=parts):
            for part in parts:
                yield from terms_of(part)
        case Not(part=part) | AtLeast(part=part):
            yield from terms_of(part)
        case Near(left=left, right=right):
            yield from terms_of(left)
            yield from terms_of(right)
        case _:  # what is known of an article beside its text
            return


def metas_of(node: Node) -> Iterator[Meta]:
    """What a query asks beside the text, in its order."""
    match node:
        case Meta():
            yield node
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from metas_of(part)
        case Not(part=part):
            yield from metas_of(part)
        case _:  # Meta can neither be counted nor near something
            return


def _refuse_wordless(whole: str, terms: Iterable[Term]) -> None:
    """Refuse what could never be found: a watch that can't fire must not look as if it could."""
    for each in terms:
        if not _PLAIN.fullmatch(each.text) and not expand(each).spellings:
            message = f'"{each.text}" has no word to look for'
            raise QueryError(message, whole, each.start, each.end)
