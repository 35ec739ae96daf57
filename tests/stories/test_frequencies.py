"""Rare words weigh, common ones don't; what the archive counts is added to what is shipped."""

from __future__ import annotations

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.stories import terms
from monitor.stories.frequencies import (
    COMMONEST,
    FEWEST,
    RAREST,
    Counts,
    Frequencies,
    code_of,
    measured,
    parsed,
    shipped,
    written,
)

HEAVIEST = -log(RAREST)


@pytest.mark.parametrize(
    ("language", "common", "rare"),
    [
        ("en", "the", "plosser"[:5]),
        ("en-IN", "said", "srina"),
        ("de", "und", "lokfü"),
        ("ru", "что", "чебур"),
        ("zh", "一个", "巴基"),
        (None, "und", "plosser"[:5]),
        ("sw", "na", "plosser"[:5]),
    ],
)
def test_common_words_weigh_nothing_and_rare_ones_much(
    language: str | None, common: str, rare: str
) -> None:
    weigh = shipped().weigher(language)
    assert weigh(common) < 2
    assert 4 < weigh(rare) <= HEAVIEST


@pytest.mark.parametrize("language", ["hi", "ur-PK", "fa", "bn", None])
def test_particles_weigh_nothing_where_nothing_was_counted(language: str | None) -> None:
    weigh = shipped().weigher(language)
    said = {
        "hi": "सेना ने कहा कि वह लेकिन",
        "ur-PK": "فوج نے کہا کہ وہ لیکن",
        "fa": "ارتش گفت که این برای",
        "bn": "সেনা বলেছেন এবং কিন্তু",
    }
    texts = [said[language]] if language else said.values()
    for text in texts:
        army, *others = (word.form for word in terms.words(text))
        assert weigh(army) > 3
        assert [weigh(other) for other in others] == [0.0] * len(others)


def test_a_language_without_a_table_takes_short_words_for_common() -> None:
    weigh = Frequencies({}).weigher("sw")
    weights = [weigh("xyzwvu"[:length]) for length in range(1, 7)]
    assert weights == sorted(weights)
    assert weights[0] == 0
    assert weights[-1] == pytest.approx(HEAVIEST)


def test_what_the_archive_counts_is_added() -> None:
    name = "zelen"
    archive = measured(("de-AT", [name, name, "heute"]) for _ in range(600))
    table = shipped() + archive
    assert archive.languages["de"].words[name] == 600  # each article once
    assert table.weigher("de")(name) < shipped().weigher("de")(name)
    assert table.weigher("en")(name) == shipped().weigher("en")(name)
    assert measured([(None, ["word"])]).languages == {}


def test_few_articles_are_no_table() -> None:
    few = Frequencies({"de": Counts(FEWEST - 1, {"und": FEWEST - 1})})
    assert few.weigher("de")("und") > 0
    enough = few + Frequencies({"de": Counts(1, {"und": 1})})
    assert enough.weigher("de")("und") == 0
    assert enough.weigher("de")("oder") == pytest.approx(log(2 * FEWEST))


def test_tags_are_read_for_their_language() -> None:
    assert [code_of(tag) for tag in ("en-GB", "EN", "pt_BR", " de ", "", None)] == [
        "en",
        "en",
        "pt",
        "de",
        "",
        "",
    ]


words = st.text(st.characters(codec="utf-8", categories=["L"]), min_size=1, max_size=5)


@given(st.dictionaries(words, st.integers(2, 5000), max_size=30))
def test_a_table_is_written_and_read(counts: dict[str, int]) -> None:
    table = Frequencies({"xx": Counts(4000, counts)})
    again = parsed("\n".join(written(table)))
    assert again == table
    assert list(written(again)) == list(written(table))


def test_only_a_table_is_read() -> None:
    with pytest.raises(ValueError, match="not a table"):
        parsed("3 the of\n")


def test_what_is_left_out_weighs_as_much() -> None:
    table = Frequencies({"xx": Counts(100_000, {"rare": 40, "known": 60})})
    again = parsed("\n".join(written(table)))
    assert "rare" not in again.languages["xx"].words
    for word in ("rare", "known"):
        assert again.weigher("xx")(word) == table.weigher("xx")(word)


def test_the_shipped_table_is_of_beginnings_of_words() -> None:
    """As `monitor.stories.terms` makes them: else nothing is found in it."""
    assert {"en", "de", "es", "fr", "it", "pl", "ru", "tr", "ar", "zh"} <= set(shipped().languages)
    for counts in shipped().languages.values():
        assert all(len(word) <= 5 for word in counts.words if word.isalpha())
        assert max(counts.words.values()) >= COMMONEST * counts.articles
