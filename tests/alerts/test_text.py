"""Cleaning, shortening and direction of untrusted text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from alerts import Passage
from alerts.text import (
    boundaries,
    clean,
    clean_passage,
    directed,
    isolated,
    pieces,
    reads_right_to_left,
    shorten,
    shorten_passage,
)

URDU = "جنگ بندی کا اعلان"
SCRIPTS = (
    "क्षेत्र में युद्धविराम की घोषणा",
    URDU,
    "👩‍👩‍👧 family 👍🏽 🇮🇳🇵🇰🇮🇳",
    "한국어 각 조",
    "क\u094d\u093cष",  # a mark between the virama and what it binds
    "naïve e\u0301te\u0301",
    "กำลังใจ",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f England",
)


def graphemes(text: str) -> set[int]:
    """The offsets between graphemes according to an implementation with Unicode's tables."""
    return {0} | {match.end() for match in regex.finditer(r"\X", text)}


@st.composite
def passages(draw: st.DrawFn) -> Passage:
    """Any text with any sorted, disjoint marks."""
    text = draw(st.text(max_size=120))
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    return Passage(text=text, marks=tuple(zip(cuts[::2], cuts[1::2], strict=False)))


def marked(passage: Passage) -> list[str]:
    """The marked words."""
    return [passage.text[start:end] for start, end in passage.marks]


@pytest.mark.parametrize(
    ("dirty", "shown"),
    [
        ("a\x00b\x1b[31mc\x9bd\x7f", "ab[31mcd"),
        ("two\r\n lines\tand \u2028 more\u00a0", "two lines and more"),
        ("pay\u202egnp.exe", "paygnp.exe"),
        ("\u2066isolated\u2069 \u202aembedded\u202c", "isolated embedded"),
        ("zero\u200bwidth\ufeff\u2060\u00ad", "zerowidth"),
        ("joined\u200dlatin\u200c", "joinedlatin"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष श\u200cब", "क्\u200dष श\u200cब"),
        ("👩\u200d👩\u200d👧 ❤\ufe0f\u200d🔥", "👩\u200d👩\u200d👧 ❤\ufe0f\u200d🔥"),
        ("left\u200emark\u200f", "leftmark"),
        ("\u200fجنگ\u200e!", "\u200fجنگ\u200e!"),
        ("half \ud83d pair", "half \ufffd pair"),
        ("not\ufffe a\uffff char\ufdd0", "not a char"),
        ("tags\U000e0041\U000e0042", "tags"),
        (SCRIPTS[-1], SCRIPTS[-1]),
        ("\u200b\u2060 \ufeff", ""),
    ],
)
def test_what_can_not_be_seen_is_removed_and_spelling_stays(dirty: str, shown: str) -> None:
    """Overrides, controls and zero widths go; joiners stay where they are letters' business."""
    assert clean(dirty) == shown


@given(st.text())
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    """A cleaned text is clean, can be encoded and holds no control characters."""
    once = clean(text)
    assert clean(once) == once
    assert once.encode().decode() == once
    assert not any(char < " " or "\x7f" <= char < "\xa0" for char in once)


@given(passages())
def test_a_passage_is_cleaned_like_its_text(passage: Passage) -> None:
    """Marks stay on the characters that they stood on."""
    cleaned = clean_passage(passage)

    assert cleaned.text == clean(passage.text)
    assert all(0 <= start < end <= len(cleaned.text) for start, end in cleaned.marks)
    before = "".join(clean(word) for word in marked(passage)).replace(" ", "")
    after = "".join(clean(word) for word in marked(cleaned)).replace(" ", "")
    if passage.text.isalnum():
        assert after == before


def test_marks_move_with_what_is_removed() -> None:
    """White space and controls before and in a mark."""
    passage = Passage(text="  the \x00 cease\u200bfire,  Kashmir", marks=((8, 18), (21, 28)))

    assert marked(clean_passage(passage)) == ["ceasefire", "Kashmir"]


def test_marks_outside_the_text_are_pulled_in() -> None:
    """Offsets of another text do no harm: overlapping, empty, beyond the end."""
    passage = Passage(text="ceasefire", marks=((2, 5), (3, 7), (7, 7), (8, 99), (50, 60)))

    assert clean_passage(passage).marks == ((2, 5), (5, 7), (8, 9))


@pytest.mark.parametrize("text", SCRIPTS)
def test_no_cut_inside_a_grapheme_of_any_script(text: str) -> None:
    """Every offset where we would cut is one where Unicode's own tables allow it."""
    assert set(boundaries(text)) <= graphemes(text)


@given(st.text())
def test_cuts_are_between_graphemes(text: str) -> None:
    """The law behind the examples."""
    visible = clean(text)
    assert set(boundaries(visible)) <= graphemes(visible)


@given(st.text(), st.integers(1, 40))
def test_a_short_text_is_its_own_beginning(text: str, limit: int) -> None:
    """Within the limit, whole graphemes, an ellipsis only where something is missing."""
    text = clean(text)
    short = shorten(text, limit)

    assert len(short) <= limit
    if short != text:
        assert short.endswith("…")
        cut = len(short) - 1
        assert text.startswith(short[:cut])
        assert cut in graphemes(text)


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("India and Pakistan agree", 24, "India and Pakistan agree"),
        ("India and Pakistan agree", 23, "India and Pakistan…"),
        ("Donaudampfschifffahrtsgesellschaft", 10, "Donaudamp…"),
        ("क्षेत्र", 4, "…"),
        ("🇮🇳🇵🇰🇮🇳", 4, "🇮🇳…"),
    ],
)
def test_texts_are_cut_between_words_if_one_ends_near(text: str, limit: int, short: str) -> None:
    """A long word is cut rather than lost; a letter never is."""
    assert shorten(text, limit) == short


@given(passages(), st.integers(3, 60))
def test_a_short_passage_keeps_its_marks_in_order(passage: Passage, limit: int) -> None:
    """Marks are sorted, disjoint, inside; what they mark was marked before."""
    passage = clean_passage(passage)
    short = shorten_passage(passage, limit)

    assert len(short.text) <= limit
    flat = [at for mark in short.marks for at in mark]
    assert flat == sorted(flat)
    assert all(0 <= start < end <= len(short.text) for start, end in short.marks)
    before = marked(passage)
    assert all(any(word in whole for whole in before) for word in marked(short))
    assert "".join(piece for piece, _ in pieces(short)) == short.text


def test_the_first_mark_of_a_long_passage_is_shown() -> None:
    """A passage is shown for its marks: it loses its beginning, not them."""
    text = "word " * 100 + "the ceasefire holds " + "word " * 100
    start = text.index("ceasefire")
    short = shorten_passage(Passage(text=text, marks=((start, start + 9),)), 100)

    assert len(short.text) <= 100
    assert short.text.startswith("…word ")
    assert short.text.endswith("word…")
    assert marked(short) == ["ceasefire"]


@pytest.mark.parametrize(
    ("text", "right_to_left", "fenced"),
    [
        (URDU, True, True),
        ("BBC: " + URDU, False, True),
        ("«" + URDU + "» BBC", True, True),
        ("शांति", False, False),
        ("42 %", False, False),
    ],
)
def test_direction_follows_the_first_letter(text: str, right_to_left: bool, fenced: bool) -> None:
    """A line that begins right to left says so outside of its isolate; others are untouched."""
    before, after = directed(text)

    assert reads_right_to_left(text) is right_to_left
    assert before.startswith("\u200f") is right_to_left
    assert (before.endswith("\u2068"), after == "\u2069") == (fenced, fenced)
    assert isolated(text) == (f"\u2068{text}\u2069" if fenced else text)


def test_real_headlines_lose_nothing(corpus: Path) -> None:
    """Titles as publishers wrote them come out as they are but for white space."""
    path = corpus / "hostile" / "slack_special_titles.json"
    titles = [case["title"] for case in json.loads(path.read_text())["cases"]]

    assert len(titles) == 111
    for title in titles:
        assert clean(title) == " ".join(title.split())
