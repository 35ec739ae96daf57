"""A whole text: its tokens, how they stand to each other, and what they can be read as."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.text import Link, Token, lattice, normal_form, tokens


def links(text: str) -> str:
    """The links after the first token, one letter each."""
    return "".join(token.link.value[0] for token in tokens(text)[1:])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cease-fire", "j"),
        ("cease - fire", "a"),
        ("cease-\n  fire", "j"),
        ("cease -\nfire", "a"),
        ("cease--fire", "a"),
        ("آتش\u200cبس", "j"),
        ("क\u200c्ष क", "s"),
        ("Delhi India", "s"),
        ("Delhi\nIndia", "s"),
        ("Delhi, India", "a"),
        ("Delhi. India", "a"),
        ("Delhi.” “India", "a"),
        ("Delhi! India", "a"),
        ("Delhi's India", "a"),
        ("Delhi\n \nIndia", "a"),
        ("Lt. Gen. Asim Munir", "aas"),
        ("U.S. Secretary", "s"),
        ("है। भारत", "a"),
        ("ہے۔بھارت", "a"),
        ("Delhi https://x.example/ India", "s"),
        ("停火", "n"),
        ("停 火", "a"),
        ("停\n火", "n"),
        ("停\u3000火", "a"),
        ("停\n\n火", "b"),
        ("停，火", "a"),
        ("停、火", "a"),
        ("停。 火", "b"),
        ("停。火", "b"),
        ("停!火", "b"),
        ("停……火", "b"),
        ("停。India", "b"),
        ("「停」火", "a"),
        ("停 — 火", "a"),
        ("F-16戰", "jn"),
        ("หยุด ยิง", "nnan"),
        ("ガザ停戦、ガザ", "nna"),
        ("ガザ。ガザ", "b"),
        ("휴전 유지.\n\n휴전", "sa"),
    ],
)
def test_tokens_say_how_they_stand_to_the_one_before(text: str, expected: str) -> None:
    """Phrases run over commas and line ends; where words aren't spaced, sentences part them."""
    assert links(text) == expected


def test_a_token_is_a_plain_value() -> None:
    """Tokens compare and unpack as tuples."""
    assert tokens("Kashmir's") == [Token("kashmir", 0, 7, Link.SPACED)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a cease-fire in Delhi/Agra", [0, 1, 1, 2, 3, 4]),
        ("Delhi https://x.example/ India", [0, 1, 2]),
        ("停火。停 火", [0, 1, 1002, 1003]),
        ("停\n\n火\n\n火", [0, 1001, 2002]),
        ("Delhi.\n\nIndia", [0, 1]),
    ],
)
def test_tokens_have_positions(text: str, words: list[int]) -> None:
    """Parts of a word share one; an address has one; a break sets far apart."""
    assert lattice(text).words == words


def test_readings_point_into_the_text() -> None:
    """Offsets and indexes count from the text's own beginning."""
    text = "An uneasy #Cease_Fire for F-16s\nin Kashmir"
    found = {
        text[one.start : one.end]: (one.first, one.after, one.keys)
        for one in lattice(text).readings
    }
    assert found["#Cease_Fire"] == (2, 4, ("#ceasefire", "=#Cease_Fire"))
    assert found["Cease_Fire"][2] == ("ceasefire", "=Cease_Fire")
    assert found["F-16s"] == (5, 7, ("f16s", "=F-16s", "f16"))
    assert found["Kashmir"] == (8, 9, ("kashmir", "=Kashmir"))


# --------------------------------------------------------------------------- laws

news = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from(
            "aAeEsStTi'’-–.,&#_ \n\u00ad\u200b\u200c\u200d1٢३سکیهےंनद्त。停ガหุİıßʼnéй/:@wהא\"휴는"
        ),
    ),
    max_size=60,
)


@given(news)
@example("http://")
@example("a.b.c.dd.e'sʼn't-")
@example("\u1100\u1161\u11a8 \ud800")
@example("a-\n\u0301 b")
def test_tokens_lie_in_the_text_in_order(text: str) -> None:
    """Offsets are inside the text, sorted and not overlapping; no token is empty."""
    last = 0
    for token in tokens(text):
        assert last <= token.start < token.end <= len(text)
        assert token.norm
        assert not token.norm.isspace()
        last = token.end


@given(news)
@example("ﷺ ŉ ΐ ᾳ ǰ ⅷ ㎏ 0ำ 0&00Þ")
def test_the_normal_form_is_its_own_normal_form(text: str) -> None:
    """Normalising twice changes nothing."""
    once = normal_form(text)
    assert normal_form(once) == once


@given(news)
def test_what_is_ignored_inside_words_is_ignored_everywhere(text: str) -> None:
    """Soft hyphens beside letters change no norm, but where they end a line."""
    soft = "".join(
        char + "\u00ad" if char.isascii() and char.isalpha() and after != "\n" else char
        for char, after in zip(text, f"{text[1:]} ", strict=False)
    )
    if "http" not in text and "www" not in text and "#" not in text and "\r" not in text:
        assert [token.norm for token in tokens(soft)] == [token.norm for token in tokens(text)]


@given(news)
@example("https://x.example 停。a")
def test_the_lattice_has_the_texts_tokens(text: str) -> None:
    """But for addresses, which have a place there; each word's first reading is its norm."""
    found = lattice(text)
    assert [token for token in found.tokens if token.norm] == tokens(text)
    assert len(found.words) == len(found.tokens)
    assert found.words == sorted(found.words)
    single = {
        one.first: one.keys[0]
        for one in reversed(found.readings)
        if one.after == one.first + 1 and not one.keys[0].startswith("#")
    }
    assert {at: token.norm for at, token in enumerate(found.tokens) if token.norm} == single


@given(st.lists(news, max_size=4))
def test_paragraphs_are_read_one_by_one(paragraphs: list[str]) -> None:
    """What stands between blank lines doesn't depend on its neighbours."""
    whole = tokens("\n\n".join(paragraphs))
    apart = [token.norm for paragraph in paragraphs for token in tokens(paragraph)]
    assert [token.norm for token in whole] == apart


HOSTILE = [
    "!", "12,", "a.b", "e\u0301", "\n ", "(", "www.", "'s", "n't", "停", "ก", "휴", "a-", "a-\n",
    "a\u00ad\n", "#aA", "#a_", "ア・", "א'", 'א"', "ب\u200c", "وال", "a@a.", "http://", "a&b&", "U.",
    "\u17d2", "1.1", "a'b", "_", "- ",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE, ids=repr)
def test_hostile_texts_cost_no_more_than_others(piece: str) -> None:
    """Tokens and readings grow with the text, and each is made of its own characters only."""
    text = piece * (20_000 // len(piece))
    found = lattice(text)
    assert len(found.tokens) <= len(text)
    assert len(found.readings) <= 8 * len(text)
    keys = sum(len(key) for one in found.readings for key in one.keys)
    assert keys <= 40 * len(text)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000 + "@",
        "." + " " * 100_000 + ".",
        "e" + "\u0301" * 100_000,
        "12," * 30_000,
        "a-\n" * 30_000,
        "#" + "aA" * 50_000,
        'א"' * 50_000,
        "停" * 100_000,
    ],
    ids=lambda text: repr(text[:4]),
)
def test_long_hostile_texts_are_read_to_their_end(text: str) -> None:
    """Texts made to send regular expressions astray; the test's own time limit is the law."""
    assert len(tokens(text)) <= len(text)
