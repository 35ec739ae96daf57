"""Particles behind Korean words."""

from __future__ import annotations

import unicodedata

import pytest

from monitor.text import chunk_of
from monitor.text.particles import stems


@pytest.mark.parametrize(
    ("word", "stem"),
    [
        ("휴전은", "휴전"),
        ("휴전이", "휴전"),
        ("휴전을", "휴전"),
        ("휴전의", "휴전"),
        ("휴전에", "휴전"),
        ("휴전과", "휴전"),
        ("휴전으로", "휴전"),
        ("휴전이라고", "휴전"),
        ("휴전입니다", "휴전"),
        ("이란에서는", "이란"),
        ("이란으로부터", "이란"),
        ("파키스탄까지는", "파키스탄"),
        ("인도는", "인도"),
        ("인도가", "인도"),
        ("인도를", "인도"),
        ("인도와", "인도"),
        ("인도로", "인도"),
        ("이스라엘로", "이스라엘"),
        ("하마스에게", "하마스"),
        ("군인들이", "군인"),
        ("군인들에게는", "군인"),
        ("군인들", "군인"),
        ("핵을", "핵"),
        ("핵에서", "핵"),
    ],
)
def test_a_word_is_reached_from_its_stem(word: str, stem: str) -> None:
    """Particles, their combinations, and the plural's."""
    assert (stem, len(stem)) in stems(word)


@pytest.mark.parametrize(
    "word",
    "휴전협정 이란성 한국인 국가 마을 가을 전문가 정도 회의 결과 대만 우리 은 은은한 이 들 F16".split(),  # noqa: SIM905
)
def test_a_word_without_a_particle_has_no_stem(word: str) -> None:
    """Compounds, and words that end as if there were one."""
    assert stems(word) == ()


def test_the_particle_is_outside_the_span() -> None:
    """휴전 is marked in 휴전은, also where both stand in brackets."""
    [found] = [found for found in chunk_of("(휴전은)").readings if "휴전" in found.keys]
    assert (found.first, found.after, found.start, found.end) == (0, 1, 1, 3)
    assert found.keys == ("휴전", "=휴전")


def test_the_span_of_decomposed_text_ends_with_the_stem() -> None:
    """Syllables in their letters, and with unseen characters inside."""
    word = unicodedata.normalize("NFD", "휴전\u200b은")
    [found] = [found for found in chunk_of(word).readings if "휴전" in found.keys]
    assert word[found.start : found.end] == unicodedata.normalize("NFD", "휴전")


def test_joined_words_have_stems_too() -> None:
    """한-미는 is 한미 with a particle."""
    found = {"한-미는"[one.start : one.end]: one.keys for one in chunk_of("한-미는").readings}
    assert found["한-미"] == ("한미", "=한-미")


def test_an_endless_word_has_no_stem() -> None:
    """Nor is it looked at for long."""
    assert stems("휴" * 100 + "는") == ()
