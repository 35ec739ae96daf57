"""What `monitor slack test` does: a message that says it is none, and whatever can be done to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from alerts import AlertError, Card, Posted, Sink
from alerts.message import Part, line
from monitor.cli.examine import INVITE, REINSTALL, Finding

CARD = Card(
    title="A test of monitor",
    lines=(line("Somebody typed `monitor slack test`. There is nothing to do."),),
)
_ADVICE = {
    "missing_scope": REINSTALL,
    "not_in_channel": INVITE,
    "channel_not_found": f"is its name right? In a private channel, {INVITE}",
    "is_archived": "name another channel",
    "invalid_auth": "Slack does not know this token: copy it anew",
    "token_revoked": "install the app again and copy its token",
}


async def tried(sink: Sink, channel: str, now: datetime) -> AsyncIterator[Finding]:
    """What worked in a channel and what did not, step by step; without the first there is no other.

    At the end the message says that it was a test and is over.
    """
    card = replace(CARD, delivery_id=uuid4().hex)
    try:
        posted = await sink.post(channel, card)
    except AlertError as error:
        yield _wrong("post", error)
        return
    yield Finding(subject="post", said=f"a message stands in {channel}", is_right=True)
    yield await _answered(sink, channel, posted)
    yield await _found(sink, channel, card, now)
    yield await _edited(sink, card, posted)


async def _answered(sink: Sink, channel: str, posted: Posted) -> Finding:
    if not sink.can_thread:
        return _unable("answer", sink, "has no threads: what is new stands by itself")
    reply = Card(title="An answer, as news of a story comes", delivery_id=uuid4().hex)
    try:
        await sink.post(channel, reply, thread=posted)
    except AlertError as error:
        return _wrong("answer", error)
    return Finding(subject="answer", said="stands in its thread", is_right=True)


async def _found(sink: Sink, channel: str, card: Card, now: datetime) -> Finding:
    """Without this a message whose sending broke off is sent again."""
    if not sink.can_find:
        return _unable("find", sink, "can't look: a message in doubt is sent again")
    try:
        found = await sink.find(channel, card.delivery_id, now)
    except AlertError as error:
        return _wrong("find", error)
    said = "it is found in the channel's history" if found else "it is not in the channel's history"
    return Finding(subject="find", said=said, is_right=found is not None)


async def _edited(sink: Sink, card: Card, posted: Posted) -> Finding:
    if not sink.can_update:
        return _unable("edit", sink, "can't edit: a story that grows stays as it was told")
    over = replace(card, note=(Part(text="The test is over."),), revision=1)
    try:
        await sink.update(posted, over)
    except AlertError as error:
        return _wrong("edit", error)
    return Finding(subject="edit", said="it says now that the test is over", is_right=True)


def _wrong(subject: str, error: AlertError) -> Finding:
    advice = _ADVICE.get(error.code)
    return Finding(
        subject=subject, said=f"{error}{f'; {advice}' if advice else ''}", is_right=False
    )


def _unable(subject: str, sink: Sink, what: str) -> Finding:
    return Finding(subject=subject, said=f"{sink.name} {what}", is_right=None)
