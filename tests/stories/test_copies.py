"""The same words have the same hash, however they are set; other words have another."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.stories.copies import SHORTEST, text_hash

BODY = (
    "India’s army said the cease-fire along the Line of Control was holding on Sunday, a day "
    "after both sides agreed to stop firing. “We remain on alert,” a spokesman said – adding that "
    "no violations had been seen since midnight.\n\n"
    "Pakistan's foreign ministry said it would honour the truce and asked for talks on all "
    "issues, Kashmir among them."
)


@pytest.mark.parametrize(
    "copy",
    [
        BODY.replace("’", "'").replace("“", '"').replace("”", '"'),
        BODY.replace("cease-fire", "ceasefire"),
        BODY.replace("cease-fire", "cease\u2011fire").replace(" – ", " - "),
        BODY.replace(" – ", "—"),
        BODY.replace("\n\n", "\n"),
        BODY.replace(" ", "\u00a0", 3).replace(" ", "  "),
        BODY.upper(),
        f"NEW DELHI, May 11 (Reuters) - {BODY}",
        f"NEW DELHI – {BODY}",
        f"New Delhi, May 11 (PTI) {BODY}",
        f"ISLAMABAD/NEW DELHI: {BODY}",
        f"WASHINGTON—{BODY}",
        f"नई दिल्ली, 11 मई (भाषा) {BODY}",
        f"A headline of this outlet\n\n{BODY}",
        f"A HEADLINE OF THIS OUTLET.\n\nNEW DELHI (AP) — {BODY}",
    ],
)
def test_a_wire_copy_has_the_hash_of_its_report(copy: str) -> None:
    """Typography, white space, dateline and a repeated headline make no difference."""
    assert text_hash("A headline of this outlet", copy) == text_hash("Another one", BODY)


@pytest.mark.parametrize(
    "other",
    [
        BODY.replace("Sunday", "Monday"),
        BODY.replace("no violations", "two violations"),
        f"{BODY} More to follow.",
        BODY.partition("\n")[0] + " It said so again." * 5,
    ],
)
def test_other_words_have_another_hash(other: str) -> None:
    """A correction or an added sentence is no exact copy."""
    assert text_hash("", other) != text_hash("", BODY)


def test_a_short_text_proves_nothing() -> None:
    """Below forty words there is no hash; from there on there is one."""
    assert text_hash("", "word " * (SHORTEST - 1)) is None
    assert text_hash("", "word " * SHORTEST) is not None
    assert text_hash("", "停" * (SHORTEST - 1)) is None
    assert text_hash("", "停" * SHORTEST) is not None
    assert text_hash("", "") is None


def test_no_two_articles_of_the_corpus_share_a_hash(corpus: Path) -> None:
    """Different pages have different texts."""
    import json

    articles = json.loads((corpus / "articles" / "index.json").read_bytes())
    bodies = {article["body"] for article in articles}
    hashes = [text_hash("", body) for body in bodies]
    known = [each for each in hashes if each is not None]
    assert len(known) > 130
    assert len(set(known)) == len(known)


@given(st.text(), st.text(max_size=2000))
def test_any_text_has_a_hash_or_none(title: str, body: str) -> None:
    """Nothing raises, and the same text has the same hash."""
    assert text_hash(title, body) == text_hash(title, body)
    long = text_hash(title, f"{body} {BODY}")
    assert long is not None
    assert len(long) == 64
