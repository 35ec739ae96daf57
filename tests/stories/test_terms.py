"""A text as weighted terms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.stories.frequencies import shipped
from monitor.stories.terms import READ, TERMS, cosine, term_id, unit, vector, words


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Ministers' visits, women's rights", "minis visit women right"),
        ("U.S.-led F-16 raids in 2025", "us led f 16 raid in 2025"),
        ("1,000 soldiers; 9/11", "1000 soldi 9 11"),
        ("#OperationSindoor", "opera sindo"),
        ("Лукашенко и Лукашенко", "лукаш и лукаш"),
        ("外长王毅", "外长 长王 王毅"),
        ("停火。巴基", "停火 巴基"),
        ("iPhone手机", "iphon 手机"),
        ("https://example.com/ceasefire", ""),
        ("", ""),
    ],
)
def test_words_are_cut_to_what_their_forms_share(text: str, terms: str) -> None:
    assert [word.form for word in words(text)] == terms.split()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("युद्धविराम", "युद्धविरामों"),
        ("والهدنة", "الهدنة"),
        ("휴전은", "휴전을"),
        ("Parlamentswahl", "Parlamentswahlen"),
        ("negociación", "negociaciones"),
    ],
)
def test_forms_of_a_word_are_one_term(one: str, other: str) -> None:
    assert [word.form for word in words(one)] == [word.form for word in words(other)]


def test_a_name_is_a_capital_that_no_sentence_explains() -> None:
    found = {
        word.form: word.capital for word in words("“Talks began.” They met Munir in Doha\n— Today")
    }
    assert found == {
        "talk": False, "began": False, "they": False, "met": False, "munir": True, "in": False,
        "doha": True, "today": False,
    }  # fmt: skip


def test_headline_names_and_repetition_weigh() -> None:
    weigh = shipped().weigher("en")
    body = "zzqua said zzqub and zzqub, but Zzquc and zzqud"
    weights, _ = vector("zzque", body, weigh)
    order = [term_id(form) for form in ("zzque", "zzqub", "zzquc", "zzqua", "zzqud")]
    assert [term for term in weights if term in order] == order
    assert term_id("said") not in weights


def test_terms_are_numbered_alike_everywhere() -> None:
    assert term_id("cease") == 1687675716


def test_only_the_beginning_is_read() -> None:
    text = "Munir met Witkoff in Doha. " * 1000
    assert sum(len(word.form) for word in words(text)) < READ
    assert vector("", text, shipped().weigher("en")) == vector(
        "", text[:READ], shipped().weigher("en")
    )


@given(st.text(max_size=400), st.text(max_size=400))
def test_vectors_are_of_one_length_and_bounded(one: str, other: str) -> None:
    weigh = shipped().weigher(None)
    (first, _), (second, _) = vector(one, other, weigh), vector(other, one, weigh)
    assert len(first) <= TERMS
    assert cosine(first, first) == pytest.approx(1 if first else 0)
    assert 0 <= cosine(first, second) == pytest.approx(cosine(second, first))
    assert unit({}) == {}
