"""What an alert says that people did about it, and the buttons below."""

from __future__ import annotations

import pytest

from alerts.blocks import MAX_CHARACTERS, to_blocks
from alerts.message import Button, Passage, Touch
from monitor.demo.slack import message_error, texts
from monitor.telling.hands import buttons
from tests.alerts.examples import AT, alert

SEEN = Touch(what="✓ seen", by="Asha", at=AT)
DATE = "<!date^1746878400^{date_short_pretty} {time}|2025-05-10 12:00 UTC>"


def test_an_untouched_alert_has_neither() -> None:
    """No button is offered where nobody listens."""
    assert [block["type"] for block in to_blocks(alert()).blocks] == ["rich_text", "context"]


def test_who_did_what_is_one_line() -> None:
    """The time in the reader's own zone; of a snooze, until when."""
    later = Touch(what="◷ snoozed", by="Omar", at=AT, until=True)
    line = to_blocks(alert(touches=(SEEN, later))).blocks[2]
    assert [each["text"] for each in line["elements"]] == [
        "✓ seen by Asha",
        DATE,
        "◷ snoozed by Omar until",
        DATE,
    ]


@pytest.mark.parametrize(
    "name", ["<!channel> *x*", "\u202egro.live", "آشا", "", "\u200b", "x" * 500]
)
def test_a_name_is_somebody_elses_words(name: str) -> None:
    """Shown as it is in plain text, never where Slack looks for markup."""
    rendered = to_blocks(alert(touches=(Touch(what="✓ seen", by=name, at=AT),)))
    shown, at = rendered.blocks[2]["elements"]
    assert shown["type"] == "plain_text"
    assert shown["text"].startswith("✓ seen by ")
    assert "\u202e" not in shown["text"]
    assert len(shown["text"]) < 80
    assert at["text"] == DATE
    assert message_error({"text": rendered.text, "blocks": rendered.blocks}) is None


def test_a_button_carries_the_delivery() -> None:
    """What Slack hands back when it is pressed."""
    offered = (Button(action="see", label="Acknowledge", first=True), Button(action="m", label="M"))
    actions = to_blocks(alert(buttons=offered)).blocks[-1]
    first, second = actions["elements"]
    assert (first["action_id"], first["value"]) == ("see", alert().delivery_id)
    assert (first["style"], first["text"]["text"]) == ("primary", "Acknowledge")
    assert "style" not in second


def test_everything_at_once_is_within_the_bounds() -> None:
    """Six blocks, 2,500 characters: every field too long, each in need of marks of direction."""
    long, count = "ہ" * 400, range(99)
    rendered = to_blocks(
        alert(
            headline=long,
            url=f"https://a.example/{long}",
            passage=Passage(text=long, marks=tuple((at, at + 1) for at in range(0, 300, 2))),
            publisher=long,
            published_at=None,
            watches=tuple(f"{long}{number}" for number in count),
            terms=tuple(f"ک{long}{number}" for number in count),
            also=tuple(f"{long}{number}" for number in count),
            independent=98,
            carriers=4000,
            touches=tuple(Touch(what="≠ called not relevant", by=long, at=AT) for _ in count),
            buttons=buttons({}),
        )
    )
    assert message_error({"text": rendered.text, "blocks": rendered.blocks}, update=True) is None
    assert len(rendered.blocks) <= 6
    assert 2300 < sum(map(len, texts(rendered.blocks))) <= MAX_CHARACTERS


def test_a_pointer_has_no_buttons() -> None:
    """There is nothing to do about it: the story is told elsewhere."""
    buttons = (Button(action="see", label="Acknowledge"),)
    assert len(to_blocks(alert(pointer=True, buttons=buttons, touches=(SEEN,))).blocks) == 1
