"""Kinds of characters, and where a text may be cut."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from monitor.text import is_cut
from monitor.text.characters import KINDS


@pytest.mark.parametrize(
    ("text", "cuts"),
    [
        ("ab", [0, 1, 2]),
        ("e\u0301a", [0, 2, 3]),
        ("नि", [0, 2]),
        ("👍🏽!", [0, 2, 3]),
        ("👩\u200d🚀", [0, 3]),
        ("🇮🇳🇵🇰", [0, 2, 4]),
        (unicodedata.normalize("NFD", "휴전"), [0, 2, 5]),
    ],
)
def test_a_text_is_cut_between_what_readers_see_as_characters(text: str, cuts: list[int]) -> None:
    """Marks, joiners, skin tones and flags are never cut off."""
    assert [at for at in range(len(text) + 1) if is_cut(text, at)] == cuts


@pytest.mark.parametrize(
    ("chars", "kind"),
    [
        ("aéжΩक", "L"),
        ("كپے", "A"),
        ("5५٥๕", "D"),
        ("カー", "K"),
        ("휴ᄒ", "H"),
        ("停のㄅ", "I"),
        ("กမខ", "S"),
        ("ि\u0301ำ", "M"),
        ("\u00ad\u200b\u200d\ufeff\u2066\ufe0f", "X"),
        ("'’ʼ`", "'"),
        ("-‑–־", "-"),
        ("。！?…۔।", "!"),
        ("/／", "/"),
        ("—()²™👍", " "),
    ],
)
def test_characters_have_kinds(chars: str, kind: str) -> None:
    """Letters by how their script is written; marks, unseen and joining characters."""
    assert set(chars.translate(KINDS)) == {kind}


def test_what_nobody_assigned_is_not_remembered() -> None:
    """A text of unassigned code points leaves no table behind."""
    unassigned = "".join(map(chr, range(0x50000, 0x50100)))
    assert set(unassigned.translate(KINDS)) == {" "}
    assert not {ord(char) for char in unassigned} & set(KINDS)
    assert "é".translate(KINDS) == "L"
    assert ord("é") in KINDS


def test_every_code_point_has_one_kind() -> None:
    """A kind is one letter, so that kinds stand where their characters do."""
    step = 97  # a sample in every block
    for code in range(0, sys.maxunicode, step):
        assert len(chr(code).translate(KINDS)) == 1
