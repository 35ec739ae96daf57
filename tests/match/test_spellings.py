"""What a term is looked for by: all the ways it may be printed, and no others."""

from __future__ import annotations

import pytest

from monitor.match.query import Term
from monitor.match.spellings import MOST_SPELLINGS, Gap, expand, shown
from monitor.text import Link


def spelled(text: str, *, exact: bool = False) -> list[str]:
    """The spellings of a term, its own first."""
    return [shown(one) for one in expand(Term(text, 0, len(text), exact=exact)).spellings]


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("Kashmir", ["kashmir"]),
        ("Bunyān", ["bunyan"]),
        ("cease-fire", ["cease fire", "ceasefire", "#ceasefire"]),
        ("ceasefire", ["ceasefire", "cease fire"]),
        ("cease fire", ["cease fire", "ceasefire", "#ceasefire"]),
        ("the rapist", ["the rapist", "#therapist"]),
        ("Operation Sindoor", ["operation sindoor", "#operationsindoor"]),
        ("F-16", ["f 16", "f16", "#f16", "f 16s"]),
        ("F16", ["f16", "f 16", "f 16s"]),
        ("F 16", ["f 16", "f16", "#f16"]),
        ("A-10", ["a10"]),  # not "a 10-year-old"
        ("A320", ["a320"]),
        ("A 10", ["a 10", "a10", "#a10"]),
        ("A-10*", ["a10*"]),
        ("AIM-120C", ["aim 120c", "aim120c", "#aim120c"]),
        ("Il-76", ["il76", "=IL 76", "=IL 76s"]),
        ("Su-30", ["su30", "=SU 30", "=SU 30s", "=Su 30", "=Su 30s"]),
        ("air base attack", ["air base attack", "airbase attack", "#airbaseattack"]),
        ("Führer", ["fuhrer", "fuehrer"]),
        ("Fuehrer", ["fuehrer"]),
        ("McDonald's", ["mcdonald's", "mcdonalds"]),
        ("Hama's", ["hama's"]),
        (
            "India's army",
            ["india army", "india's army", "indias army", "#indiaarmy", "#indiasarmy"],
        ),
        ("cease-fire*", ["cease fire*", "ceasefire*"]),
        ("J.D. Vance", ["jd vance", "j d vance", "#jdvance"]),
        ("J. D. Vance", ["j d vance", "jd vance", "#jdvance"]),
        ("وزیر اعظم", ["وزير اعظم", "#وزيراعظم", "وزيراعظم"]),
        ("AC/DC", ["ac dc", "#acdc"]),
        ("9/11", ["9 11", "#911"]),
        ("don't", ["don't"]),
        ("Hamas", ["hamas"]),
        ("ceasefires", ["ceasefires", "cease fires"]),
        ("Kashmir*", ["kashmir*"]),
        ("wom?n", ["wom?n"]),
        ("Jammu-Kash*", ["jammu kash*", "jammukash*"]),
        ("Kashmir* valley", ["kashmir* valley"]),
        ("#OperationSindoor", ["#operationsindoor"]),
        ("آتش‌بس", ["اتش بس", "اتشبس", "#اتشبس"]),
        ("停火", ["停 火"]),
        ("정전 협정", ["정전 협정", "#정전협정", "정전협정"]),
        ("휴전은", ["휴전은"]),
        ("AT&T", ["at&t"]),
        ("U.S. troops", ["=US troops", "#ustroops"]),
        ("WHO says", ["=WHO says", "#whosays"]),
        ("who says", ["who says", "#whosays"]),
        ("WAR ON TERROR", ["war on terror", "#waronterror"]),
        ("—", []),
        ("https://example.org", []),
    ],
)
def test_a_term_is_looked_for_in_every_way_it_is_printed(term: str, expected: list[str]) -> None:
    """In normal form; the one way: a term is never cut down to what it derives from."""
    assert spelled(term) == expected


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("WHO", ["=WHO"]),
        ("AC/DC", ["=AC =DC"]),
        ("LoC", ["=LoC"]),
        ("F-16", ["=F-16"]),
        ("停火", ["=停 =火"]),
    ],
)
def test_an_exact_term_has_one_spelling(term: str, expected: list[str]) -> None:
    """Its own characters."""
    assert spelled(term, exact=True) == expected


@pytest.mark.parametrize(
    ("term", "keys"),
    [
        ("US", ["=US"]),
        ("U.S.", ["=US"]),
        ("WHO", ["=WHO"]),
        ("IT", ["=IT"]),
        ("AL", ["=AL"]),  # not al-Qaeda
        ("NAB", ["=NAB"]),  # not what the police do
        ("INS", ["=INS"]),  # not German
        ("ESA", ["=ESA"]),  # not Spanish
        ("ITU", ["=ITU"]),  # not Indonesian
        ("LeT", ["=LeT", "=LET"]),
    ],
)
def test_acronyms_that_are_words_are_looked_for_in_capitals(term: str, keys: list[str]) -> None:
    """Alone, where all is in capitals doesn't count."""
    found = expand(Term(term, 0, 0))
    assert [shown(one) for one in found.spellings] == keys
    assert found.capitals


@pytest.mark.parametrize("term", ["us", "Us", "Who", "NATO", "CEASEFIRE", "US troops", "F"])
def test_other_words_are_found_in_any_case(term: str) -> None:
    """What was typed in small letters, what is no word in small letters, what is long."""
    assert not expand(Term(term, 0, 0)).capitals


@pytest.mark.parametrize(
    ("gap", "links"),
    [
        (Gap.ANY, {Link.APART, Link.SPACED, Link.JOINED, Link.NEXT}),
        (Gap.CLOSE, {Link.SPACED, Link.JOINED, Link.NEXT}),
        (Gap.NEXT, {Link.NEXT}),
    ],
)
def test_what_may_stand_between_two_words(gap: Gap, links: set[Link]) -> None:
    """Never a sentence's end where words are not spaced."""
    assert {link for link in Link if gap.allows(link)} == links


def test_a_monster_of_a_phrase_has_a_bounded_number_of_spellings() -> None:
    """Every hyphen doubles them."""
    assert len(spelled(" ".join(["all-the-way-down"] * 9))) == MOST_SPELLINGS
