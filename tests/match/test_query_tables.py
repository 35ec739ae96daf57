"""What the tests of Lucene, tantivy and liqe say of a query is what we say, or it is known why not.

The tables are those of the corpus. A case either agrees, or one of `RULES` covers it, which are
listed with their counts in docs/watch-language.md for those who come from there.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from monitor.errors import QueryError
from monitor.match import Document, compile_watches
from monitor.match.language import parse, rendered
from monitor.match.query import And, Node, Not, Or, bracketed
from monitor.model import Watch
from tests.conftest import PROJECT

TABLES = ("lucene_classic", "tantivy_grammar", "tantivy_logical", "liqe_matches")


class Rule(NamedTuple):
    """Why some of the cases don't agree, and what becomes of them here."""

    name: str  # its row in the docs
    pattern: str  # of the query
    refused: bool | None  # here; None: some are, and some are read in their own way


_THEIR_FIELD = r"(?<![\w.])(?!(title|source|site|tag|author|name|tags):)[\w.]+\s*:"

RULES = (
    Rule("boost", r"\^", True),
    Rule("fuzzy", r'\w~(?!.*")|(^|\s)~', True),
    Rule("range or list", r"[\[{].* TO |\bIN \[", True),
    Rule("comparison", r"[<>]|:=\d", True),
    Rule("regular expression", r":/.*/", True),
    Rule("escape", r"\\", None),
    Rule("single quotes", r"'.*'", None),
    Rule("field", _THEIR_FIELD, None),
    Rule("wildcard", r"[*]|\?Term", True),
    Rule("only excluding", r"OR (-|!|NOT )|^(-|NOT )\w+( OR .*)?$|-\(-", True),
    Rule("empty", r'^\s*$|^" "', True),
    Rule("distance 0", r"~0$", False),
    Rule("hyphen", r"\w-\w", False),
    Rule("sign", r' [-+!] |\w&&\w|~\d"', False),
    Rule("test analyzer", r"\bstop\b|\bphrase\b|term[12]|1\.0 1 2", False),
    Rule("capitals", r'"David"', False),
    Rule("part of a word", r'"da"', False),
    Rule("plus", r"\+", False),
    Rule("space", r"\s", False),
)


# ------------------------------------------------------------------------- a common notation


def ours(node: Node) -> Any:
    """A tree as nested tuples; leaves as the others write them."""
    match node:
        case And():
            return ("and", *map(ours, node.parts))
        case Or():
            return ("or", *map(ours, node.parts))
        case Not():
            return ("not", ours(node.part))
        case _:
            return _leaf(bracketed(node))


def _leaf(text: str) -> str:
    """A word is a word, with or without quotes."""
    return text.lower() if " " in text else text.lower().replace('"', "")


_CLAUSE = re.compile(
    r"""\s* (?P<occur> [-+?*](?=[\w("'\\-]) )?
        (?: (?P<open> \( ) | (?P<leaf> (?:"?\w+"?:)? (?: "[^"]*"(?:~\d+)? | [^\s()]+ ) ) )
    """,
    re.VERBOSE,
)


def theirs(text: str) -> Any:
    """The same of Lucene's and tantivy's `(+must -not ?should *unspecified)`.

    Raises `ValueError` where some words are only wished for: we have no such thing.
    """
    tree, end = _clauses(text, 0)
    if text[end:].strip():
        raise ValueError(f"not read: {text[end:]}")
    return tree


def _clauses(text: str, at: int) -> tuple[Any, int]:
    found: list[tuple[str, Any]] = []
    while match := _CLAUSE.match(text, at):
        at = match.end()
        item: Any = _leaf(re.sub(r'^"(\w+)":', r"\1:", match["leaf"] or ""))
        if match["open"]:
            item, at = _clauses(text, at)
            closing = re.compile(r"\s*\)").match(text, at)
            if closing is None:
                raise ValueError(f"never closed: {text}")
            at = closing.end()
        found.append((match["occur"] or "", item))
    return _joined(found), at


def _joined(clauses: list[tuple[str, Any]]) -> Any:
    occurs = {occur for occur, _ in clauses}
    if occurs <= {"+", "-", "*"}:
        word = "and"
    elif occurs <= {"", "?"}:
        word = "or"
    else:
        raise ValueError("some are only wished for")
    parts = [("not", item) if occur == "-" else item for occur, item in clauses]
    if len(parts) == 1:
        return parts[0]
    flat: list[Any] = []
    for part in parts:
        flat += part[1:] if isinstance(part, tuple) and part[0] == word else [part]
    return (word, *flat)


_TERM = r'Term\(field=(\d+), type=Str, "([^"]*)"\)'


def logical(text: str) -> str:
    """The logical trees of tantivy in the notation of its grammar: field 0 is the title, 0 and 1 anywhere."""
    text = text.partition('"#,')[0]  # a part of the test's code, where the table was cut out

    def phrase(match: re.Match[str]) -> str:
        words = re.findall(_TERM, match[1])
        if not words:  # of another type than text
            return match[0]
        field = "title:" if words[0][0] == "0" else ""
        return f'{field}"{" ".join(word for _, word in words)}"'

    text = re.sub(r'"\[(\(.*?\))\]"', phrase, text)
    text = re.sub(rf"\({_TERM} {_TERM}\)", lambda m: m[2] if m[2] == m[4] else m[0], text)
    text = re.sub(r'\(title:("[^"]*"~?\d*) \1\)', r"\1", text)
    return re.sub(r'Term\(field=0, type=Str, "([^"]*)"\)', r"title:\1", text)


# ------------------------------------------------------------------------- the cases


def cases(corpus: Path, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((corpus / "query" / f"{table}.json").read_text())[
        "cases"
    ]
    return found


def read(query: str) -> Any:
    try:
        return ours(parse(query).root)
    except QueryError as error:
        return error


def parses_alike(case: dict[str, Any]) -> bool:
    """Whether a query is the same tree here, or a mistake here and there."""
    here = read(case["query"])
    if case.get("expected_error") or case.get("strict_parse") == "error":
        return isinstance(here, QueryError)
    expected = case.get("expected") or case.get("expected_ast")
    if expected is None:
        expected = logical(case["expected_logical_ast"])
    try:
        return bool(here == theirs(expected))
    except ValueError:
        return False


def people(corpus: Path) -> Iterator[tuple[str, Document]]:
    """The documents of liqe: the name as title, every other value as text, tags also as tags."""
    table = json.loads((corpus / "query" / "liqe_matches.json").read_text())
    for person in table["documents"]:
        texts = [
            str(value)
            for key, value in person.items()
            if key not in ("name", "location", "tags", "attributes") and value is not None
        ]
        texts += person.get("location", {}).values()
        tags = tuple(person.get("tags", ()))
        body = "\n\n".join([*texts, *tags])
        yield person["name"], Document(person["name"], body, tags=tags)


def finds_alike(case: dict[str, Any], documents: list[tuple[str, Document]]) -> bool:
    """Whether a query finds the same people."""
    query = case["query"].replace("name:", "title:").replace("tags:", "tag:")
    try:
        parse(query)
    except QueryError:
        return False
    matcher = compile_watches([Watch(name="case", query=query)])
    found = [name for name, document in documents if matcher.match(document)]
    return bool(found == case["matching_names"])


def disagreeing(corpus: Path, table: str) -> list[dict[str, Any]]:
    alike: Callable[[dict[str, Any]], bool] = parses_alike
    if table == "liqe_matches":
        documents = list(people(corpus))

        def alike(case: dict[str, Any]) -> bool:
            return finds_alike(case, documents)

    return [case for case in cases(corpus, table) if not alike(case)]


def rule_of(query: str) -> Rule:
    return next(rule for rule in RULES if re.search(rule.pattern, query))


@pytest.mark.parametrize("table", TABLES)
def test_a_case_agrees_or_it_is_known_why_not(corpus: Path, table: str) -> None:
    """And what a rule says becomes of its cases is what becomes of them."""
    for case in disagreeing(corpus, table):
        query = case["query"]
        rule = rule_of(query)
        if rule.refused is not None:
            found = read(query.replace("name:", "title:"))
            assert isinstance(found, QueryError) == rule.refused, (rule.name, query, found)


def test_the_docs_count_what_does_not_agree(corpus: Path) -> None:
    """Each rule has its row with the number of its cases, and every table its sum."""
    counted = Counter(
        rule_of(case["query"]).name for table in TABLES for case in disagreeing(corpus, table)
    )
    text = (PROJECT / "docs" / "watch-language.md").read_text("utf-8")
    section = text.partition("## What other dialects' tests say")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+?) \| (\d+) \|", section, re.MULTILINE)
    assert {name: int(number) for name, number in rows} == dict(counted)
    for table in TABLES:
        every = cases(corpus, table)
        agreeing = len(every) - len(disagreeing(corpus, table))
        assert f"{table} {agreeing} of {len(every)}" in section


def test_every_rule_is_needed(corpus: Path) -> None:
    """Else it would hide a case that should agree."""
    used = {rule_of(case["query"]) for table in TABLES for case in disagreeing(corpus, table)}
    assert used == set(RULES)


def test_simple_inputs_are_read_or_refused(corpus: Path) -> None:
    """Lucene's simple parser must take whatever comes; ours may refuse, in a sentence."""
    for case in cases(corpus, "lucene_simple_inputs"):
        found = read(case["query"])
        if isinstance(found, QueryError):
            assert found.hint
            assert rendered(found)


# ------------------------------------------------------------------------- of the notation itself


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a", "a"),
        ("(a)", "a"),
        ("(+a -b)", ("and", "a", ("not", "b"))),
        ("+a -b", ("and", "a", ("not", "b"))),
        ("(?a ?(+b +c))", ("or", "a", ("and", "b", "c"))),
        ("(*a *b)", ("and", "a", "b")),
        ('+(title:dog title:cat) -author:"bob dole"',
         ("and", ("or", "title:dog", "title:cat"), ("not", 'author:"bob dole"'))),
        ('"Field":"a b"~3', 'field:"a b"~3'),
    ],
)  # fmt: skip
def test_the_others_notation_is_read(text: str, tree: Any) -> None:
    """So that trees can be compared."""
    assert theirs(text) == tree


def test_wishes_are_no_part_of_the_notation() -> None:
    """A tree in which some words are optional has no counterpart."""
    with pytest.raises(ValueError, match="wished"):
        theirs("+a b")
