"""Each deed is offered, or taking it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Deed, Hand, Watch
from monitor.telling.hands import SNOOZES, Action, buttons, critical, reminder, touches

AT = datetime(2025, 5, 10, 12, tzinfo=UTC)
BACK = {
    Deed.MUTED: (Action.MUTE, Action.UNMUTE),
    Deed.SNOOZED: (Action.SNOOZE_1H, Action.WAKE),
    Deed.IRRELEVANT: (Action.REJECT, Action.ACCEPT),
}


@given(st.sets(st.sampled_from(Deed)))
def test_what_was_done_can_be_taken_back_and_nothing_else(done: set[Deed]) -> None:
    """But for an acknowledgement: somebody has seen it for ever."""
    hands = {deed: Hand(by="Asha", at=AT) for deed in done}
    offered = [button.action for button in buttons(hands)]
    assert len(offered) == len(set(offered)) <= 5
    assert (Action.SEE in offered) is (Deed.SEEN not in done)
    for deed, (do, undo) in BACK.items():
        assert ((do in offered), (undo in offered)) == (deed not in done, deed in done)
    assert len(touches(hands)) == len(done)


def test_of_a_snooze_it_is_said_until_when() -> None:
    """Of all else, since when."""
    hands = {deed: Hand(by="Asha", at=AT) for deed in Deed}
    assert [touch.until for touch in touches(hands)] == [False, False, True, False]


def test_every_button_is_one_that_is_known() -> None:
    """Those that snooze know for how long."""
    everything = {deed: Hand(by="Asha", at=AT) for deed in Deed}
    offered = {button.action for hands in ({}, everything) for button in buttons(hands)}
    assert offered == set(Action)
    assert {str(action) for action in SNOOZES} == {name for name in offered if "snooze" in name}


def test_only_some_watches_must_be_acknowledged() -> None:
    """Those that the operator calls critical."""
    watches = [Watch(name="A", terms=("a",)), Watch(name="B", terms=("b",), priority="critical")]
    assert critical(watches) == {"B"}


@pytest.mark.parametrize(("minutes", "said"), [(1, "a minute"), (10, "10 minutes")])
def test_a_reminder_says_how_long_nobody_answered(minutes: int, said: str) -> None:
    """And links the story, for who sees it in the channel alone."""
    card = reminder("Truce <ends>", "https://x/a", timedelta(minutes=minutes), ["U1"])
    assert card.title == f"Nobody has acknowledged this in {said}"
    assert card.lines[0].parts[0].url == "https://x/a"
    assert card.notify == ("U1",)
