"""docs/watch-language.md is true: its examples are run, its pictures drawn, its names exist."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest

from monitor.errors import QueryError
from monitor.match import Document, compile_watches
from monitor.match.language import parse, rendered
from monitor.match.query import bracketed
from monitor.model import Watch
from tests.conftest import PROJECT

DOC = (PROJECT / "docs" / "watch-language.md").read_text("utf-8")


def section(title: str) -> str:
    """What stands under a heading of the second level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", DOC, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no section {title!r}"
    return found[1]


def rows(text: str) -> list[list[str]]:
    """The cells of all tables' rows, without their heads."""
    lines = re.findall(r"^\|(.*)\|$", text, re.MULTILINE)
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)] for line in lines]
    rules = {at for at, row in enumerate(cells) if set("".join(row)) <= set("- ")}
    return [row for at, row in enumerate(cells) if not {at, at + 1} & rules]


def typed(cell: str) -> str:
    """What a cell has between backticks."""
    found = re.fullmatch(r"`(.+)`", cell)
    assert found is not None, f"{cell} is not between backticks"
    return found[1].replace(r"\|", "|")


class Example(NamedTuple):
    query: str
    title: str
    body: str
    about: dict[str, Any]
    spans: list[tuple[str, int, int]]
    matches: bool


_TITLE = re.compile(r"\*(?!\*)((?:\*\*.+?\*\*|[^*])+)\*(?!\*) ?")
_ABOUT = re.compile(r" \((\w+): ([^)]+)\)$")
_PLACES = {"source": "sources", "site": "sites", "lang": "language"}


def unmarked(text: str) -> tuple[str, list[tuple[int, int]]]:
    """A text without its bold marks, and where they were."""
    plain = ""
    spans = []
    for at, part in enumerate(text.split("**")):
        if at % 2:
            spans.append((len(plain), len(plain) + len(part)))
        plain += part
    return plain, spans


def example(row: list[str]) -> Example:
    query, article, sign = row
    text = article.replace("<br>", "\n")
    title = match[1] if (match := _TITLE.match(text)) else ""
    text = text[match.end() :] if match else text
    about: dict[str, Any] = {}
    if known := _ABOUT.search(text):
        text = text[: known.start()]
        value = known[2]
        about[_PLACES[known[1]]] = value if known[1] == "lang" else (value,)
    title, in_title = unmarked(title)
    body, in_body = unmarked(text)
    spans = [("title", *span) for span in in_title] + [("body", *span) for span in in_body]
    assert sign in "✓✗"
    return Example(typed(query), title, body, about, spans, sign == "✓")


EXAMPLES = [example(row) for row in rows(section("By example"))]


def test_there_are_forty_examples() -> None:
    """Of both kinds."""
    assert len(EXAMPLES) >= 40
    assert sum(not each.matches for each in EXAMPLES) >= 10


@pytest.mark.parametrize("case", EXAMPLES, ids=[f"{each.query} · {each.body}" for each in EXAMPLES])
def test_an_example_finds_what_it_shows(case: Example) -> None:
    """Just the characters that are bold."""
    matcher = compile_watches([Watch(name="doc", query=case.query)])
    hits = matcher.match(Document(case.title, case.body, **case.about))
    assert bool(hits) == case.matches
    found = [(span.field, span.start, span.end) for hit in hits for span in hit.spans]
    assert found == case.spans


@pytest.mark.parametrize("row", rows(section("Operators")), ids=lambda row: row[0])
def test_an_operator_can_be_written_as_the_table_says(row: list[str]) -> None:
    """Every way to write it is read as the first."""
    written, also, _ = row
    first = bracketed(parse(typed(written)).root)
    for other in re.findall(r"`([^`]+)`", also):
        assert bracketed(parse(other.replace(r"\|", "|")).root) == first


@pytest.mark.parametrize("row", rows(section("Fields")), ids=lambda row: row[0])
def test_a_field_has_the_names_of_the_table(row: list[str]) -> None:
    """Every name of it is read as the first."""
    name, also, _ = row
    first = bracketed(parse(f"{typed(name)}x AND y").root)
    for other in re.findall(r"`([^`]+)`", also):
        assert bracketed(parse(f"{other}x AND y").root) == first


@pytest.mark.parametrize("row", rows(section("What binds tighter")), ids=lambda row: row[0])
def test_a_query_has_the_brackets_of_the_table(row: list[str]) -> None:
    """As `explain` shows them."""
    query, read = row
    assert bracketed(parse(typed(query)).root) == typed(read)


PICTURES = re.findall(r"```text\n(.*?)\n```", section("Mistakes"), re.DOTALL)


@pytest.mark.parametrize("shown", PICTURES)
def test_a_mistake_looks_as_it_is_shown(shown: str) -> None:
    """The message, the line, the caret and the hint."""
    with pytest.raises(QueryError) as caught:
        parse(shown.split("\n")[1].removeprefix("  "))
    assert rendered(caught.value) == shown


def test_some_mistakes_are_shown() -> None:
    """Else nothing was tested."""
    assert len(PICTURES) >= 3


@pytest.mark.parametrize("row", rows(section("Coming from elsewhere")), ids=lambda row: row[1])
def test_what_is_pasted_is_read_as_the_table_says(row: list[str]) -> None:
    """Or refused, where it says so."""
    _, pasted, here = row
    if here.startswith("refused"):
        with pytest.raises(QueryError):
            parse(typed(pasted))
    else:
        assert bracketed(parse(typed(pasted)).root) == re.findall(r"`([^`]+)`", here)[0]


def test_the_toml_of_the_doc_is_a_configuration() -> None:
    """Its watches can be read."""
    import tomllib

    from monitor.match.language import parse_term

    watches = [
        watch
        for block in re.findall(r"```toml\n(.*?)```", DOC, re.DOTALL)
        for watch in tomllib.loads(block)["watch"]
    ]
    assert len(watches) == 2
    for watch in watches:
        for term in watch.get("terms", ()):
            parse_term(term)
        for variants in watch.get("variants", {}).values():
            for variant in variants:
                parse_term(variant)
        if "query" in watch:
            assert not parse(watch["query"]).notes
