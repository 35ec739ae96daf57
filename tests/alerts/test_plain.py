"""Messages in words alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.message import Card, Image, Part, line
from alerts.plain import BODY, TITLE, to_plain
from tests.alerts.examples import AT, alert


def test_a_story_in_words():
    """Headline, address, passage, and who says so."""
    plain = to_plain(alert(also=("PTI", "Dawn"), independent=2))
    assert plain.title == "India and Pakistan agree to a ceasefire"
    assert plain.body.splitlines() == [
        "https://news.example.org/2025/05/10/ceasefire",
        "“Both sides said the ceasefire holds in Kashmir.”",
        (
            "Example Times · 2025-05-10 12:00 UTC · India–Pakistan ceasefire · ceasefire, Kashmir"
            " · +2 outlets: PTI, Dawn · 2 independent reports"
        ),
    ]


def test_a_story_of_which_little_is_known():
    """No empty lines, no links to nowhere."""
    changes: dict[str, Any] = {"url": "javascript:alert(1)", "passage": None, "published_at": None}
    body = to_plain(alert(headline="", **changes)).body
    assert (
        body
        == "Example Times · found 2025-05-10 12:00 UTC · India–Pakistan ceasefire · ceasefire, Kashmir"
    )


def test_a_story_that_was_merged_says_where_it_is_told():
    """And no more."""
    plain = to_plain(alert(pointer=True))
    assert plain.title == "Now part of: India and Pakistan agree to a ceasefire"
    assert plain.body == "https://news.example.org/2025/05/10/ceasefire"


def test_a_card_in_words():
    """Bullets, quotes, links and times; a picture in its own words; the small print last."""
    card = Card(
        title="Spike: Truce",
        lines=(
            line(Part(text="9 new stories", bold=True), ", where next to none are usual."),
            line(Part(text="Truce holds", url="https://a.example/1"), " — Dawn", bullet=True),
            line("They said so", quote=True),
            line("  query = (", code=True),
            line("          ^", code=True),
            line("since ", Part(text="", at=AT)),
            line(""),
        ),
        note=(Part(text="usual: 0.1"),),
        image=Image(png=b"", alt="Truce: new stories an hour"),
    )
    assert to_plain(card).body.splitlines() == [
        "9 new stories, where next to none are usual.",
        "• Truce holds (https://a.example/1) — Dawn",
        "“They said so”",
        "  query = (",
        "          ^",
        "since 2025-05-10 12:00 UTC",
        "[Truce: new stories an hour]",
        "usual: 0.1",
    ]


def test_a_part_that_is_only_a_blank_keeps_its_neighbours_apart():
    """As in Slack; and so does the blank behind a link."""
    link = Part(text="holds ", url="https://a.example/1")
    card = Card(title="x", lines=(line("Truce", " ", link, "again"),))
    assert to_plain(card).body == "Truce holds (https://a.example/1) again"


def test_what_is_long_ends_with_a_whole_line():
    """Or, if a line alone is too long, in it."""
    rows = to_plain(Card(title="x", lines=tuple(line(f"{n} " + "y" * 97) for n in range(90)))).body
    assert len(rows) <= BODY
    assert all(len(row) >= 99 for row in rows.splitlines())
    one = to_plain(Card(title="x", lines=(line("y" * 9000),))).body
    assert len(one) == BODY
    assert one.endswith("…")


@pytest.mark.parametrize("title", ["", "\u202e\x00", "x" * 500])
def test_a_title_is_always_there(title: str):
    """On one line, and short: it becomes a subject."""
    assert 0 < len(to_plain(Card(title=title)).title) <= TITLE


@given(text=st.text(), title=st.text())
def test_any_words_become_lines_without_what_can_not_be_seen(text: str, title: str):
    """No line can be forged, no terminal driven."""
    plain = to_plain(Card(title=title, lines=(line(text, Part(text=text, url=text)),)))
    assert "\n" not in plain.title
    assert plain.body.count("\n") == 0
    assert not any(ord(char) < 32 for char in plain.title + plain.body)
