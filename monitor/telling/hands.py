"""What people can do about a message, and what it says that they did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum

from alerts import Card, Part, line
from alerts.message import Button, Touch
from monitor.model import Deed, Hand, Watch


class Action(StrEnum):
    """What a button asks for."""

    SEE = "see"
    MUTE = "mute"
    UNMUTE = "unmute"
    SNOOZE_1H = "snooze_1h"
    SNOOZE_24H = "snooze_24h"
    WAKE = "wake"
    REJECT = "reject"
    ACCEPT = "accept"


SNOOZES: Mapping[Action, timedelta] = {
    Action.SNOOZE_1H: timedelta(hours=1),
    Action.SNOOZE_24H: timedelta(hours=24),
}

_SAID = {
    Deed.SEEN: "✓ seen",
    Deed.MUTED: "✕ muted",
    Deed.SNOOZED: "◷ snoozed",
    Deed.IRRELEVANT: "≠ called not relevant",
}


def touches(hands: Mapping[Deed, Hand]) -> tuple[Touch, ...]:
    """What people did, in the order in which it is always told."""
    return tuple(
        Touch(what=said, by=hands[deed].by, at=hands[deed].at, until=deed is Deed.SNOOZED)
        for deed, said in _SAID.items()
        if deed in hands
    )


def buttons(hands: Mapping[Deed, Hand]) -> tuple[Button, ...]:
    """What can be done after that: each deed, or taking it back."""
    offered: list[Button] = []
    if Deed.SEEN not in hands:
        offered.append(Button(action=Action.SEE, label="Acknowledge", first=True))
    if Deed.MUTED in hands:
        offered.append(Button(action=Action.UNMUTE, label="Unmute"))
    else:
        offered.append(Button(action=Action.MUTE, label="Mute story"))
    if Deed.SNOOZED in hands:
        offered.append(Button(action=Action.WAKE, label="End snooze"))
    else:
        offered.append(Button(action=Action.SNOOZE_1H, label="Snooze 1 h"))
        offered.append(Button(action=Action.SNOOZE_24H, label="Snooze 24 h"))
    if Deed.IRRELEVANT in hands:
        offered.append(Button(action=Action.ACCEPT, label="Relevant after all"))
    else:
        offered.append(Button(action=Action.REJECT, label="Not relevant"))
    return tuple(offered)


def critical(watches: Iterable[Watch]) -> frozenset[str]:
    """Names of the watches whose stories must be acknowledged."""
    return frozenset(watch.name for watch in watches if watch.priority == "critical")


def reminder(headline: str, url: str | None, after: timedelta, notify: Iterable[str]) -> Card:
    """What is said of a critical story that nobody has acknowledged."""
    minutes = round(after.total_seconds() / 60)
    waited = "a minute" if minutes == 1 else f"{minutes} minutes"
    return Card(
        title=f"Nobody has acknowledged this in {waited}",
        lines=(line(Part(text=headline, url=url)),),
        notify=tuple(notify),
    )
