"""Messages → what is shown of them: what they are, what became of each, what may be done. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alerts.message import Button
from monitor.model import Deed, DeliveryId, DeliveryState, Hand
from monitor.ports import DeliveryRow, Outcome
from monitor.telling.hands import buttons
from monitor.web import words
from monitor.web.stream import Chip, by_hand

STATES: Final[Mapping[str, tuple[str, tuple[DeliveryState, ...]]]] = {
    "failed": ("failed", (DeliveryState.DEAD,)),
    "retrying": ("to be tried again", (DeliveryState.RETRY,)),
    "uncertain": ("uncertain", (DeliveryState.SENDING,)),
    "waiting": ("waiting", (DeliveryState.PENDING, DeliveryState.RETRY, DeliveryState.SENDING)),
    "held": ("held", (DeliveryState.HELD,)),
    "shown": ("shown", (DeliveryState.SENT, DeliveryState.FOLDED)),
    "dropped": ("dropped", (DeliveryState.DROPPED,)),
}
"""What one may look for: its name in the URL, in words, and the states that it is."""

TROUBLE: Final = (DeliveryState.DEAD, DeliveryState.RETRY, DeliveryState.SENDING)
"""What may need somebody; of what is being sent, only what broke off."""

_RETRY: Final = {DeliveryState.DEAD, DeliveryState.DROPPED, DeliveryState.RETRY}
_DROP: Final = {
    DeliveryState.DEAD,
    DeliveryState.RETRY,
    DeliveryState.PENDING,
    DeliveryState.HELD,
}

_BECAME: Final[Mapping[str, tuple[str, str]]] = {
    "sent": ("shown", "good"),
    "updated": ("edited", "good"),
    "found": ("found shown, though the call had broken off", "good"),
    "deferred": ("put off", "warn"),
    "stopped": ("put off: nothing can be said there at all", "bad"),
    "ambiguous": ("broke off: it may be shown", "warn"),
    "rejected": ("refused", "bad"),
    "closed": ("the channel can't be had", "warn"),
    "held": ("held", "calm"),
    "folded": ("alerted with others, in one message", "good"),
    "resent": ("to be sent again", "calm"),
    "dropped": ("dropped", "calm"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Became:
    """What became of a message at some time, in words."""

    at: datetime
    said: str
    tone: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A message."""

    row: DeliveryRow
    state: str
    tone: str
    kind: str  # of what is no story's own message: reply or notice
    error: str  # only while it matters: a message that is shown has none
    became: tuple[Became, ...]  # the last first
    may_retry: bool
    may_drop: bool


def lines(
    rows: Sequence[DeliveryRow], outcomes: Mapping[DeliveryId, Sequence[Outcome]]
) -> tuple[Line, ...]:
    """Messages with all that became of them, in the order given."""
    return tuple(_line(row, outcomes.get(row.id, ())) for row in rows)


def _line(row: DeliveryRow, outcomes: Sequence[Outcome]) -> Line:
    is_shown = row.sent_at is not None
    return Line(
        row=row,
        state="uncertain" if row.is_uncertain else words.DELIVERY[row.state],
        tone="warn" if row.is_uncertain else words.TONE[row.state],
        kind="" if row.subject is None else "reply" if row.story is not None else "notice",
        error=row.error if row.error and row.state is not DeliveryState.SENT else "",
        became=tuple(became(each) for each in reversed(outcomes)),
        may_retry=not is_shown and row.state in _RETRY,
        may_drop=not is_shown and row.state in _DROP,
    )


def became(outcome: Outcome) -> Became:
    """What became of a message, in words."""
    said, tone = _BECAME.get(outcome.what, (outcome.what, "calm"))
    return Became(at=outcome.at, said=said, tone=tone, detail=outcome.error or "")


def is_trouble(row: DeliveryRow) -> bool:
    """Whether somebody may have to look at it."""
    return row.state in {DeliveryState.DEAD, DeliveryState.RETRY} or row.is_uncertain


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What people did about a message."""

    row: DeliveryRow
    chips: tuple[Chip, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What may be done about a message: what Slack's buttons do."""

    message: DeliveryId
    channel: str
    buttons: tuple[Button, ...]


Hands = Mapping[DeliveryId, Mapping[Deed, Hand]]


def done(rows: Sequence[DeliveryRow], hands: Hands, now: datetime) -> tuple[Done, ...]:
    """What people did about messages; those of which nobody did anything are left out."""
    found = [
        Done(row=row, chips=by_hand([hands[row.id]], now)) for row in rows if hands.get(row.id)
    ]
    return tuple(each for each in found if each.chips)


def deeds(rows: Sequence[DeliveryRow], hands: Hands) -> tuple[Offered, ...]:
    """What may be done about each message of a story that stands."""
    return tuple(
        Offered(message=row.id, channel=row.channel, buttons=buttons(hands.get(row.id, {})))
        for row in rows
        if row.subject is None and not row.state.is_given_up
    )
