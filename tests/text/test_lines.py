"""A text's lines and chunks."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.text import split


def chunks(text: str) -> list[list[str]]:
    return [line.raws for line in split(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\t\n", []),
        ("a b\nc", [["a", "b"], ["c"]]),
        (" a\u00a0b \u202f c\r\n\n d", [["a", "b", "c"], ["d"]]),
        ("the cease-\nfire holds", [["the", "cease-\nfire", "holds"]]),
        ("the cease- \r\n  fire\nholds", [["the", "cease- \r\n  fire"], ["holds"]]),
        ("cease\u00ad\nfire", [["cease\u00ad\nfire"]]),
        ("cease‐\nfire-\nbreak now", [["cease‐\nfire-\nbreak", "now"]]),
        ("a-\nb-\n\nc", [["a-\nb-"], ["c"]]),
        ("a-\nb-\n- c", [["a-\nb-"], ["-", "c"]]),
        ("a-\nb c-\nd-", [["a-\nb", "c-\nd-"]]),
        ("cease-\n\nfire", [["cease-"], ["fire"]]),
        ("cease -\nfire", [["cease", "-"], ["fire"]]),
        ("cease-\n(fire)", [["cease-"], ["(fire)"]]),
        ("cease--\nfire", [["cease--"], ["fire"]]),
        ("cease—\nfire", [["cease—"], ["fire"]]),
        ("-\nfire", [["-"], ["fire"]]),
        ("cease-", [["cease-"]]),
    ],
)
def test_a_text_is_split_into_lines_of_chunks(text: str, expected: list[list[str]]) -> None:
    """Empty lines are none; a hyphen at a line's end holds two lines together."""
    assert chunks(text) == expected


def test_a_line_knows_whether_a_blank_one_stands_before_it() -> None:
    """Paragraphs are told from wrapped lines."""
    assert [line.paragraph for line in split("\n\na\nb\n \nc\n\n\nd-\ne\nf")] == [
        False,
        False,
        True,
        True,
        False,
    ]


texts = st.text(alphabet=st.sampled_from("ab-‐\u00ad \t\r\n\u00a0\x1c\x85\u2028é。—,"), max_size=40)


@given(texts)
@example("a-\n a- \n\n b\n")
@example("aa a a")
def test_every_chunk_stands_where_its_line_says(text: str) -> None:
    """Offsets point at the chunks, and lines at their text, which a line's end follows."""
    last = 0
    for line in split(text):
        assert text.startswith(line.text, line.start)
        assert text[line.start + len(line.text) :][:1] in ("", "\n")
        assert line.start == 0 or text[line.start - 1] == "\n"
        starts = line.starts()
        assert len(starts) == len(line.raws) > 0
        for raw, start in zip(line.raws, starts, strict=True):
            assert start >= last
            assert text.startswith(raw, start)
            assert not text[last:start].strip()
            last = start + len(raw)
    assert not text[last:].strip()


@given(texts)
def test_chunks_are_what_white_space_parts(text: str) -> None:
    """Put apart again at line ends, they are the text's words."""
    found = [part for line in split(text) for raw in line.raws for part in raw.split()]
    assert found == text.split() == re.findall(r"\S+", text)
