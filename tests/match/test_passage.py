"""Passages are the densest part of a text, cut where readers would, with marks that stay right."""

from __future__ import annotations

import itertools
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.match.passage import best_passage, highlight
from monitor.model import Span


def spans_of(text: str, *terms: str) -> list[Span]:
    """Where terms stand in a text, plainly searched."""
    return [
        Span(field="body", start=at, end=at + len(term), term=term)
        for term in terms
        for at in range(len(text))
        if text.startswith(term, at)
    ]


def passage(text: str, *terms: str, limit: int = 300) -> tuple[str, list[str]]:
    """The passage and what is marked in it."""
    best = best_passage(text, spans_of(text, *terms), limit)
    return best.text, [best.text[start:end] for start, end in best.marks]


FILLER = "Nothing of note was said on that day, by anybody, anywhere. "


def test_the_part_with_most_different_terms_is_chosen() -> None:
    """Two different words count more than one word three times."""
    text = "truce truce truce. " + FILLER * 3 + "The truce in Kashmir holds. " + FILLER * 3
    assert passage(text, "truce", "Kashmir", limit=40) == (
        "The truce in Kashmir holds.",
        ["truce", "Kashmir"],
    )


def test_of_equal_passages_the_earliest_is_chosen() -> None:
    """News says first what matters."""
    text = "A truce began. " + FILLER * 2 + "A truce ended. " + FILLER * 2
    assert passage(text, "truce", limit=20) == ("A truce began.", ["truce"])


def test_whole_sentences_are_added_while_they_fit() -> None:
    """Behind first, then before."""
    text = "One is here. Two is here. The truce holds. Four is here. " + FILLER
    assert passage(text, "truce", limit=45)[0] == "Two is here. The truce holds. Four is here."


def test_a_sentence_that_does_not_fit_is_cut_between_words() -> None:
    """An ellipsis stands for what is left out of the sentence, and words stay whole."""
    text = "word " * 100 + "truce " + "word " * 100
    cut, marked = passage(text, "truce", limit=40)
    assert marked == ["truce"]
    assert cut == "…word word truce word word word word…"


def test_the_start_of_a_sentence_is_kept_if_the_find_is_near() -> None:
    """Only the end is cut."""
    text = FILLER + "The truce " + "word " * 100
    assert passage(text, "truce", limit=40)[0] == "The truce word word word word word word…"


def test_without_finds_it_is_the_beginning() -> None:
    """A text whose title alone was hit is shown from its start."""
    assert passage("  First one.\n\nSecond one. " + FILLER, limit=30) == (
        "First one. Second one.",
        [],
    )


def test_what_is_whole_stays_so() -> None:
    """However little of the room it takes: the next sentence does not fit, and is not begun."""
    text = "The truce in Kashmir holds. W" + "word " * 80
    assert passage(text, "truce")[0] == "The truce in Kashmir holds."
    assert passage(text)[0] == "The truce in Kashmir holds."
    said = "“The truce holds,” he said to us on Sunday."
    assert passage(f"{said} {FILLER * 5}", "truce", limit=100)[0] == said


def test_a_very_short_passage_goes_on_into_the_next_sentence() -> None:
    """A dateline or a counter of comments alone says nothing."""
    assert passage("0\n\n" + "word " * 30, limit=30)[0] == "0 word word word word word…"
    assert passage("LAHORE:\n\n" + "word " * 30, limit=30)[0] == "LAHORE: word word word word…"


def test_white_space_becomes_single_spaces_and_marks_move_along() -> None:
    """Line breaks, tabs and no-break spaces inside and before a find."""
    text = "\n\n A  word,\t\u00a0then Operation\n  Sindoor\r\n\r\n again.  "
    assert passage(text, "Operation\n  Sindoor", "again") == (
        "A word, then Operation Sindoor again.",
        ["Operation Sindoor", "again"],
    )


@pytest.mark.parametrize(
    ("text", "term", "expected"),
    [
        ("यह पहला वाक्य है। युद्धविराम लागू है। यह तीसरा वाक्य है।", "युद्धविराम", "युद्धविराम लागू है।"),
        ("یہ پہلا جملہ ہے۔ جنگ بندی ہو گئی۔ کیا یہ سچ ہے؟", "جنگ بندی", "جنگ بندی ہو گئی۔"),
        (
            "这是第一句话，说了很多很多。各方今日在北京宣布停火。这是第三句话，也说了很多很多。",
            "停火",
            "各方今日在北京宣布停火。",
        ),
        (
            "Gen. X came to the town. Dr. A. Khan of the U.S. saw a truce. It is good.",
            "truce",
            "Dr. A. Khan of the U.S. saw a truce.",
        ),
    ],
)
def test_sentences_end_as_their_script_has_it(text: str, term: str, expected: str) -> None:
    """Danda, Urdu and Chinese full stops, and abbreviations that are none."""
    limit = max(len(expected) + 2, 20)
    assert passage(text, term, limit=limit)[0] == expected


def test_text_without_spaces_is_cut_between_characters() -> None:
    """A long Chinese sentence is cut close to the limit."""
    text = "各方宣布停火協議並且" * 40
    cut = best_passage(text, spans_of(text, "停火")[20:21], limit=40)
    assert 30 <= len(cut.text) <= 40
    assert cut.text.startswith("…")
    assert cut.text.endswith("…")


def test_no_character_is_taken_from_its_marks() -> None:
    """A word longer than the passage is cut between graphemes."""
    word = unicodedata.normalize("NFD", "é") * 100
    assert best_passage(word, (), limit=20).text == word[:18] + "…"


def test_overlapping_finds_are_one_mark() -> None:
    """Marks are in order and apart."""
    text = "the Operation Sindoor goes on"
    best = best_passage(text, spans_of(text, "Operation Sindoor", "Sindoor", "Operation"), 50)
    assert best.marks == ((4, 21),)


def test_a_passage_has_room_for_something() -> None:
    """A limit that leaves no room is refused."""
    with pytest.raises(ValueError, match="at least 20"):
        best_passage("text", (), 19)


_texts = st.lists(
    st.sampled_from(
        [
            "word",
            "truce",
            "Kashmir",
            "a" * 90,
            "नि" * 30,
            "停火協議" * 9,
            "e\u0301" * 40,
            "👩\u200d🚀" * 9,
            *(".", ". ", "。", "।", " ", " ", " ", "\n\n", "  \t", "\u00a0", "?", "”"),
        ]
    ),
    max_size=60,
).map("".join)


@given(_texts, st.integers(20, 120))
def test_a_passage_is_an_excerpt_within_its_limit(text: str, limit: int) -> None:
    """Never too long, on one line, taken from the text; marks cover parts of what was found."""
    spans = spans_of(text, "truce", "Kashmir", "停火")
    best = best_passage(text, spans, limit)
    line = " ".join(text.split())
    assert len(best.text) <= limit
    assert best.text.removeprefix("…").removesuffix("…") in line
    assert bool(best.marks) == bool(spans)
    last = -1
    for start, end in best.marks:
        assert last < start < end <= len(best.text)
        assert (
            best.text[start:end].replace("停火", "").replace("truce", "").replace("Kashmir", "")
            == ""
        )
        last = end


@given(_texts, st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=8))
def test_the_pieces_of_a_highlighted_text_are_the_text(
    text: str, ranges: list[tuple[int, int]]
) -> None:
    """Whatever the spans, nothing is lost, doubled or empty, and marked pieces are apart."""
    spans = [Span(field="body", start=first, end=last, term="t") for first, last in ranges]
    pieces = highlight(text, spans)
    assert "".join(piece for piece, _ in pieces) == text
    assert all(piece for piece, _ in pieces)
    marks = [marked for _, marked in pieces]
    assert not any(one and other for one, other in itertools.pairwise(marks))
    covered = {at for first, last in ranges for at in range(first, last) if at < len(text)}
    assert sum(len(piece) for piece, marked in pieces if marked) == len(covered)


def test_of_a_long_text_only_the_densest_part_is_read() -> None:
    """A passage deep in half a million characters is the one that its surroundings alone give."""
    filler = "Nothing happened in the valley that day, and nobody wrote it down. " * 4_000
    core = "The ceasefire holds. In Kashmir the ceasefire was welcomed by all who live there. "
    text = filler + core + filler
    spans = [
        Span(field="body", start=match.start(), end=match.end(), term=match[0])
        for match in re.finditer("ceasefire|Kashmir", text)
    ]
    best = best_passage(text, spans)
    assert "The ceasefire holds. In Kashmir the ceasefire was welcomed" in best.text
    assert [best.text[start:end] for start, end in best.marks] == [
        "ceasefire",
        "Kashmir",
        "ceasefire",
    ]
    assert len(best.text) <= 300
    assert best_passage(filler + filler, []).text.startswith("Nothing happened in the valley")
