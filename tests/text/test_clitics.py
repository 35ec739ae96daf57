"""Little words before Arabic and Hebrew ones."""

from __future__ import annotations

import pytest

from monitor.text import chunk_of


def norms(word: str) -> set[str]:
    """By which norms a word is found, its own left out."""
    [own, *others] = (
        key for found in chunk_of(word).readings for key in found.keys if not key.startswith("=")
    )
    return set(others) - {own}


@pytest.mark.parametrize(
    ("word", "bare"),
    [
        ("والهدنة", {"الهدنه", "هدنه"}),
        ("وَالهُدْنَةُ", {"الهدنه", "هدنه"}),
        ("بالهدنة", {"الهدنه", "هدنه"}),
        ("وبالهدنة", {"بالهدنه", "الهدنه", "هدنه"}),
        ("كالهدنة", {"الهدنه", "هدنه"}),
        ("للهدنة", {"لهدنه", "الهدنه", "هدنه"}),
        ("وللهدنة", {"للهدنه", "لهدنه", "الهدنه", "هدنه"}),
        ("فالهدنة", {"الهدنه", "هدنه"}),
        ("الهدنة", {"هدنه"}),
        ("لإيران", {"ايران"}),
        ("وإيران", {"ايران"}),
        ("بغزة", {"غزه"}),
        ("الهند", {"هند"}),
        ("ألمانيا", set()),
        ("لألمانيا", {"المانيا"}),
        ("لِأَلْمانيا", {"المانيا"}),
        ("سيعود", set()),
        ("هدنة", set()),
        ("ولد", set()),
        ("الا", set()),
    ],
)
def test_an_arabic_word_is_reached_from_the_bare_one(word: str, bare: set[str]) -> None:
    """Conjunction, preposition and article, in that order; three letters have to remain."""
    assert norms(word) == bare


@pytest.mark.parametrize(
    "word", ["لاہور", "بلوچ", "وزیر", "کابل", "فوجی", "وہ", "بنگلہ", "پاکستان"]
)
def test_urdu_and_persian_words_are_left_whole(word: str) -> None:
    """A letter that Arabic doesn't have says that nothing was written together."""
    assert norms(word) == set()


@pytest.mark.parametrize(
    ("word", "bare"),
    [
        ("הממשלה", {"ממשלה", "משלה", "שלה"}),
        ("ובירושלים", {"בירושלים", "ירושלים"}),
        ("שהממשלה", {"הממשלה", "ממשלה", "משלה"}),
        ("בתל", {"תל"}),
        ("האש", {"אש"}),
        ("ישראל", set()),
        ("של", set()),
        ("בארה״ב", {"ארהב"}),
    ],
)
def test_a_hebrew_word_is_reached_from_the_bare_one(word: str, bare: set[str]) -> None:
    """Up to three letters before it; at least three remain, or two behind one."""
    assert norms(word) == bare


def test_a_hebrew_prefix_with_a_hyphen_stays_outside() -> None:
    """What stands behind the hyphen is found by itself, and not with its prefix."""
    word = "ו-איראן"
    found = [word[one.start : one.end] for one in chunk_of(word).readings if "איראן" in one.keys]
    assert found == ["איראן"]


def test_the_whole_word_is_what_was_found() -> None:
    """The little words are part of the span."""
    assert {(found.start, found.end) for found in chunk_of("«والهدنة»").readings} == {(1, 8)}
