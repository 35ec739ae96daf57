"""Cases with known answers, in every script, and the command that puts them to the matcher."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.match import Document
from monitor.match.accept import answer, case_of, main, passes, report
from tests.match.marked import cases, unmarked

CASES = {case["id"]: case for case in cases()}
CEASEFIRE = {
    "id": "C1",
    "query": "ceasefire",
    "title": "",
    "body": "A cease-fire.",
    "match": True,
    "spans": [{"field": "body", "start": 2, "end": 12, "text": "cease-fire"}],
    "why": "a hyphen is nothing",
}


def status_of(folder: Path, content: object) -> int:
    """The exit status for a file with this content."""
    file = folder / "cases.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return main([str(file)])


@pytest.mark.parametrize("name", CASES)
def test_a_case_has_its_known_answer(name: str) -> None:
    """Found or not, and every span to the character."""
    case = case_of(CASES[name])
    given = answer(case)
    assert passes(case, given), report(case, given)


def test_every_case_says_why_and_has_a_name_of_its_own() -> None:
    """Names are unique over all files."""
    assert len(CASES) == len(list(cases()))
    assert all(case["why"] for case in CASES.values())


def test_marks_become_spans() -> None:
    """Two kinds of marks, for finds that overlap."""
    assert unmarked("body", "a [b {c] d}") == (
        "a b c d",
        [
            {"field": "body", "start": 2, "end": 5, "text": "b c"},
            {"field": "body", "start": 4, "end": 7, "text": "c d"},
        ],
    )


def test_the_command_counts_in_its_last_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing else is said where all pass."""
    unknown_keys = {**CEASEFIRE, "id": 2, "note": "not read", "spans": None}
    assert status_of(tmp_path, [CEASEFIRE, unknown_keys]) == 0
    assert capsys.readouterr().out == '{"cases": 2, "passed": 2}\n'


def test_a_failure_is_told_with_what_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who reads it sees query, text, expectation, answer and reason."""
    wrong = {**CEASEFIRE, "spans": [{"field": "body", "start": 2, "end": 7}]}
    missed = {**CEASEFIRE, "id": "C2", "match": False, "spans": []}
    other = {**CEASEFIRE, "id": "C3", "query": "armistice"}
    assert status_of(tmp_path, [CEASEFIRE, wrong, missed, other]) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == '{"cases": 4, "passed": 1}'
    assert "C1  'ceasefire'\n" in out
    assert "  expected  body 2-7 'cease'\n  got       body 2-12 'cease-fire'\n" in out
    assert "  expected  no match\n  got       body 2-12 'cease-fire'\n" in out
    assert "  expected  body 2-12 'cease-fire'\n  got       no match\n" in out
    assert "  why       a hyphen is nothing\n" in out


@pytest.mark.parametrize("query", ["ceasefire AND (", "NOT ceasefire"])
def test_a_query_that_the_language_refuses_is_a_failure(
    query: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is no mistake of the file: the answer was expected and is not there."""
    assert status_of(tmp_path, [{**CEASEFIRE, "query": query}, CEASEFIRE]) == 1
    out = capsys.readouterr().out
    assert "  got       " in out
    assert "^" in out
    assert out.splitlines()[-1] == '{"cases": 2, "passed": 1}'


def test_terms_may_stand_for_a_query(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Any one of them; several words are a phrase."""
    case = {key: value for key, value in CEASEFIRE.items() if key != "query"}
    assert status_of(tmp_path, [{**case, "terms": ["a truce", "ceasefire"]}]) == 0
    assert status_of(tmp_path, [{**case, "query": ["a truce", "a ceasefire"], "spans": None}]) == 0
    assert status_of(tmp_path, [{**case, "terms": ["ceasefire a"]}]) == 1
    assert capsys.readouterr().out


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ({"source": "Dawn"}, {"sources": ("Dawn",)}),
        ({"sources": ["Dawn", "Dawn – Latest"]}, {"sources": ("Dawn", "Dawn – Latest")}),
        ({"site": "dawn.com", "url": "https://www.dawn.com/1?2"}, {
            "sites": ("dawn.com", "www.dawn.com")
        }),
        ({"tag": "wire", "tags": ["world"]}, {"tags": ("wire", "world")}),
        ({"side": "india"}, {"sides": ("india",)}),
        ({"author": ["A. Khan"]}, {"authors": ("A. Khan",)}),
        ({"lang": "hi"}, {"language": "hi"}),
        ({"weather": 12}, {}),
        (None, {}),
    ],
)  # fmt: skip
def test_meta_is_what_is_known_of_the_article(meta: object, expected: dict[str, Any]) -> None:
    """Singular or plural, one or several; unknown keys are passed over."""
    case = case_of({**CEASEFIRE, "meta": meta})
    assert case.document == Document(title="", body="A cease-fire.", **expected)


def test_the_language_beside_meta_counts_first() -> None:
    """Both places are read."""
    assert case_of({**CEASEFIRE, "lang": "ur", "meta": {"lang": "hi"}}).document.language == "ur"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"match": "yes"}, '"match" is neither true nor false'),
        ({"match": False}, "has spans and is not to match"),
        ({"query": ""}, 'has neither a "query" nor "terms"'),
        ({"query": None, "terms": [1]}, '"terms" is neither a string nor a list of strings'),
        ({"body": 1}, '"body" is no string'),
        ({"why": []}, '"why" is no string'),
        ({"meta": []}, ""),
        ({"meta": "Dawn"}, '"meta" is no object'),
        ({"meta": {"source": 1}}, '"meta.source" is neither a string nor a list of strings'),
        ({"meta": {"url": "https://[/"}}, "\"meta.url\" names no host: 'https://[/'"),
        ({"spans": {}}, '"spans" is no list'),
        ({"spans": [1]}, "a span is no object"),
        ({"spans": [{"field": "lead", "start": 0, "end": 1}]}, "a span is in 'lead'"),
        ({"spans": [{"field": "body", "start": 0, "end": 14}]}, "from 0 to 14 is not in the body"),
        ({"spans": [{"field": "body", "start": 2, "end": 2}]}, "from 2 to 2 is not in the body"),
        ({"spans": [{"field": "body", "start": "2", "end": 3}]}, "from '2' to 3 is not"),
        (
            {"spans": [{"field": "body", "start": 2, "end": 7, "text": "fire"}]},
            "the body from 2 to 7 is 'cease', not 'fire'",
        ),
    ],
)
def test_a_case_that_is_wrong_in_itself_gets_a_sentence(
    change: dict[str, Any], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It counts as not passed; the others are still put to the matcher."""
    status = status_of(tmp_path, [{**CEASEFIRE, **change}, CEASEFIRE])
    out, err = capsys.readouterr()
    if not sentence:
        assert (status, err) == (0, "")
        return
    assert status == 2
    assert "case 1 (C1): " in err
    assert sentence in err
    assert err.count("\n") == 1
    assert out == '{"cases": 2, "passed": 1}\n'


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[1, ", "Expecting value"),
        ("{}", "is no list of cases"),
        ("[" * 200_000, "recursion"),
        ([1], "case 1 (?): is no object"),
    ],
)
def test_a_file_that_is_no_list_of_cases_gets_a_sentence(
    content: object, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No trace."""
    assert status_of(tmp_path, content) == 2
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1


def test_a_file_that_is_not_there_gets_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its name, and why."""
    assert main([str(tmp_path / "none.json")]) == 2
    assert capsys.readouterr().err.endswith("none.json: No such file or directory\n")
