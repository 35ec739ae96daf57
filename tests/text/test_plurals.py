"""Plurals, one way: what a printed word may be the plural of."""

from __future__ import annotations

import pytest

from monitor.text import fold
from monitor.text.plurals import singulars
from monitor.text.words_in_s import NO_PLURALS


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("ceasefires", "ceasefire"),
        ("cities", "city"),
        ("movies", "movie"),
        ("ties", "tie"),
        ("boxes", "box"),
        ("churches", "church"),
        ("headaches", "headache"),
        ("clashes", "clash"),
        ("losses", "loss"),
        ("quizzes", "quiz"),
        ("sizes", "size"),
        ("heroes", "hero"),
        ("shoes", "shoe"),
        ("toes", "toe"),
        ("cases", "case"),
        ("viruses", "virus"),
        ("causes", "cause"),
        ("gases", "gas"),
        ("joneses", "jones"),
        ("leaves", "leaf"),
        ("leaves", "leave"),
        ("thieves", "thief"),
        ("moves", "move"),
        ("lives", "life"),
        ("men", "man"),
        ("women", "woman"),
        ("gunmen", "gunman"),
        ("children", "child"),
        ("crises", "crisis"),
        ("bases", "base"),
        ("bases", "basis"),
        ("criteria", "criterion"),
        ("kashmiris", "kashmiri"),
        ("pakistanis", "pakistani"),
        ("hindus", "hindu"),
        ("plateaus", "plateau"),
        ("visas", "visa"),
        ("videos", "video"),
        ("boys", "boy"),
        ("f16s", "f16"),
        ("su30mkis", "su30mki"),
    ],
)
def test_a_plural_is_reached_from_its_singular(plural: str, singular: str) -> None:
    """Regular, irregular and invented ones."""
    assert singular in singulars(plural)


@pytest.mark.parametrize(
    "word",
    """
    hamas paris texas athens marcos news this his was has does us its gas bus plus yes always
    perhaps series species kansas dallas vegas laos cyprus james charles williams jones honduras
    naxos adams roberts edwards carlos lucas reuters wales brussels algiers damascus tunis abbas
    houthi kashmiri iranian fighting ceasefire boss congress crisis analysis basis virus status
    campus illinois arkansas philippines netherlands maldives christmas politics economics
    headquarters overseas whereas 1990s 747s 16s s ss is as dos dans mais nous jueves
    yemen omen amen ramen
    """.split(),  # noqa: SIM905
)
def test_a_word_that_is_no_plural_has_no_singular(word: str) -> None:
    """Names, function words, numbers, and what ends in s without being many."""
    assert singulars(word) == ()


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("uses", "us"),
        ("bases", "bas"),
        ("omen", "oman"),
        ("goes", "go"),
        ("foes", "fo"),
        ("mens", "me"),
    ],
)
def test_a_word_is_not_the_plural_of_another_everyday_word(word: str, other: str) -> None:
    """Where a rule would make one, it is held back."""
    assert other not in singulars(word)


def test_the_table_holds_normal_forms_that_need_it() -> None:
    """Every entry is a norm, ends in s, and no rule says it already."""
    assert len(NO_PLURALS) > 500
    for word in NO_PLURALS:
        assert fold(word) == word
        assert word.isalpha()
        assert word.endswith("s")
        assert not word.endswith(("ss", "us", "is")), word
