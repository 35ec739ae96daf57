"""A look at a chunk's first letters never passes over what the chunk can be read as."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.match import glance
from monitor.match.glance import MOST, Glance
from monitor.text import chunk_of, plurals

WORDS = st.sampled_from(
    """
    cease fire men Women's feet teeth geese mice oxen children F16 F-16s Su-30MKI U.S. U.S.A. Ph.D.
    AT&T l'Iran d’Estaing don't O'Brien's 1,000 3.5 5G 1st 25-year-old iPhone OperationSindoor
    e-mail a.m. NATO MPs x X-ray COVID-19 co-operate and/or foo_bar @BBCWorld a@b.example
    https://a.example/men www.a.example WHO's G7 24/7 #OperationSindoor “so-called” (UN) [sic]
    cease-\nfire cease\u00adfire café naïve Müller’s ﬁre Ａ１ İran Москва युद्ध 停火 🇮🇳
    """.replace("\\n", "\n").split(" ")
)
RAWS = st.one_of(
    st.lists(WORDS, min_size=1, max_size=4).map("".join),
    st.text(string.ascii_letters + string.digits + ".,'’-&/_$", min_size=1, max_size=12),
    st.from_regex(glance._ONE_WORD, fullmatch=True),
    st.text(min_size=1, max_size=8),
)


def keys_of(raw: str) -> list[str]:
    """All that a chunk can be looked up by."""
    return [key for reading in chunk_of(raw).readings for key in reading.keys if key]


@given(raw=RAWS)
def test_what_a_chunk_can_be_looked_up_by_is_seen(raw: str) -> None:
    """By each key alone."""
    raw = "".join(raw.split())
    for key in keys_of(raw):
        assert Glance([key]).sees(raw), key


@given(raw=RAWS, length=st.integers(1, 4))
def test_a_wildcard_is_seen_by_its_first_letters(raw: str, length: int) -> None:
    """However few they are."""
    raw = "".join(raw.split())
    for key in keys_of(raw):
        if key[0] not in "=#":
            assert Glance([key[:length]]).sees(raw), key


@given(raw=RAWS)
def test_what_is_passed_over_is_one_word(raw: str) -> None:
    """Whoever counts words need not cut it."""
    raw = "".join(raw.split())
    if not Glance([]).sees(raw):
        chunk = chunk_of(raw)
        assert (chunk.count, chunk.unspaced) == (1, False)
        assert chunk.tokens


def test_every_irregular_plural_is_seen_by_its_singular() -> None:
    """As the text package has them."""
    for plural, singulars in plurals._IRREGULAR.items():
        for singular in singulars:
            assert Glance([singular]).sees(plural.upper())
    assert Glance(["policeman"]).sees("Policemen,")
    assert Glance(["man"]).sees("men")


@pytest.mark.parametrize(
    "raw", ["Gaza", "talks.", "“fire-fighters”", "Gaza’s", "$2,500.", "(@1998)", "R.N."]
)
def test_what_begins_otherwise_is_passed_over(raw: str) -> None:
    """Which is what it is for."""
    assert not Glance(["ceasefire", "=US", "#operationsindoor", "indus"]).sees(raw)
    assert Glance(["ceasefire"]).sees("CEaseless")


@pytest.mark.parametrize(
    "raw",
    [
        "Gazaé",
        "#Gaza",
        "Gaza,Rafah",
        "—",
        "a@Gaza",
        "9:30",
        "1,2345",
        "Gaza/Rafah",
        "गाज़ा",
        "غزة",
        "加沙",
        "Gaza\u200b",
        "",
    ],
)
def test_what_is_not_certain_is_seen(raw: str) -> None:
    """Marks, hashtags, other scripts: the text package has to say."""
    assert Glance(["ceasefire"]).sees(raw)


def test_where_everything_is_looked_for_nothing_is_passed_over() -> None:
    """Too many beginnings, or a wildcard with none."""
    letters = string.ascii_lowercase
    many = [one + other for one in letters for other in letters][: MOST + 1]
    assert Glance(many).sees("zz")
    assert not Glance(many[:MOST]).sees("zz")
    assert Glance([""]).sees("zz")
    assert not Glance([]).sees("zz")
