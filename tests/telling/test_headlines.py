"""Whether a headline turned, over pairs as desks change them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.telling.headlines import Turn, turn
from tests.telling.pairs import PAIRS, UNSEEN


def measured(pairs):
    """Precision and recall of `turn` against what a person calls material."""
    told = [(turn(before, after) is not None, material) for before, after, material in pairs]
    right = sum(said and material for said, material in told)
    return right / sum(said for said, _ in told), right / sum(material for _, material in told)


@pytest.mark.parametrize(("pairs", "least"), [(PAIRS, 0.95), (UNSEEN, 0.8)], ids=["seen", "unseen"])
def test_what_is_told_is_material(pairs, least):
    """Nearly nothing immaterial is told; of what turned, most is.

    The words were chosen with the first set in sight. Of the second, written afterwards, .85 was
    found, and of the first .83 at the first try, with a precision of .96.
    """
    precision, recall = measured(pairs)
    assert sum(not material for *_, material in pairs) >= 20
    assert precision >= 0.95
    assert recall >= least


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("Envoys met in Muscat: report", "FO denies envoys met in Muscat", Turn.DENIED),
        ("Jet reportedly lost", "Air force confirms jet lost", Turn.CONFIRMED),
        ("India, Pakistan agree to truce", "Truce violated within hours", Turn.BROKEN),
        ("India, Pakistan agree to truce", "Truce called off", Turn.BROKEN),
        ("Talks suspended", "Talks resume in Muscat", Turn.KEPT),
        ("Airspace reopens", "Airspace closed again", Turn.REVERSED),
        ("Soldier hurt near Uri", "Soldier hurt near Uri dies", Turn.REVERSED),
        ("PM to attend summit", "PM not to attend summit", Turn.NEGATED),
        ("संघर्षविराम पर सहमति", "संघर्षविराम का उल्लंघन", Turn.BROKEN),
        ("مذاکرات پیر کو", "مذاکرات منسوخ", Turn.BROKEN),
    ],
)
def test_how_it_turned_is_said(before, after, what):
    """Each way in which a headline can turn."""
    assert turn(before, after) is what
    assert turn(after, after) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Truce holds", "Could the truce collapse?"),
        ("Truce holds", "Truce could collapse, analysts warn"),
        ("Truce holds", "Analysts fear truce violations"),
        ("FO denies talks", "Foreign Office: reports of talks denied"),
        ("Fire in market", "Fire breaks out in market"),
        ("Pakistan rejects charge", "Pakistan rejects charge of truce violation"),
    ],
)
def test_what_is_asked_feared_or_said_before_is_no_turn(before, after):
    """A question, a warning, the same denial in other words."""
    assert turn(before, after) is None


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_two_texts_are_compared(before, after):
    """Never an error, and nothing turns into itself."""
    assert turn(before, before) is None
    assert turn(before, after) in {None, *Turn}
