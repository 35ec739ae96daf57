"""What operators hear of feeds, of what was refused, and that all is well."""

from __future__ import annotations

from datetime import time

import pytest

from alerts import Card, Closed, Rejected
from alerts.plain import words_of
from monitor.model import DigestTime, Kind
from monitor.pipeline.ops import note_heartbeat
from tests.webserver import Reply

OPS = "#ops"


@pytest.fixture
def room(newsroom):
    """A newsroom whose operators have a channel."""
    newsroom.rules(ops_channel=OPS)
    return newsroom


def titles(room) -> list[str]:
    return [card.title for card in room.sink.messages(OPS)]


async def polls(room, times: int = 1, **later) -> None:
    """Some polls, each some time later, and what comes of them."""
    for _ in range(times):
        await room.work(Kind.POLL, **(later or {"hours": 4}))
        await room.work(Kind.DELIVER, minutes=1)


def down(room, *names: str) -> None:
    for name in names:
        room.server.route(f"/{name}.xml", Reply("no", status=503))


async def test_a_feeds_trouble_is_one_message_that_ends_well(room):
    """Told at the third failure, edited when it is read again, and not told twice."""
    await room.declare("dawn")
    room.feed("dawn", ("Truce", None))
    await polls(room)
    down(room, "dawn")
    await polls(room, 2, minutes=30)
    assert titles(room) == []
    await polls(room, 3)
    assert titles(room) == ["dawn is failing"]
    room.feed("dawn", ("Truce", None))
    await polls(room, 3)
    assert titles(room) == ["dawn is well again"]
    assert room.sink.updates == 1


async def test_a_relapse_within_a_day_is_the_same_message(room):
    """After a day of health it is a new one."""
    await room.declare("dawn")
    room.feed("dawn", ("Truce", None))
    await polls(room)
    down(room, "dawn")
    await polls(room, 4)
    room.feed("dawn", ("Truce", None))
    await polls(room, 1)
    down(room, "dawn")
    await polls(room, 4)
    assert titles(room) == ["dawn is failing"]
    room.feed("dawn", ("Truce", None))
    await polls(room, 12)
    down(room, "dawn")
    await polls(room, 4)
    assert titles(room) == ["dawn is well again", "dawn is failing"]


async def test_many_feeds_that_fall_ill_together_are_one_message(room):
    """Our network is down: nobody wants to hear that from each feed; and it ends well, too."""
    names = [f"paper{number}" for number in range(9)]
    await room.declare(*names)
    for name in names:
        room.feed(name, (f"Truce {name}", None))
    await polls(room)
    down(room, *names)
    await polls(room, 4)
    await polls(room, 1, minutes=1)
    assert titles(room) == ["9 feeds in trouble"]
    for name in names:
        room.feed(name, (f"Truce {name}", None))
    await polls(room, 4)
    await polls(room, 1, minutes=1)
    assert titles(room) == ["All feeds are well again"]
    assert len(room.sink.messages(OPS)) == 1


async def test_without_a_channel_nobody_is_told(newsroom):
    """Log and page say it."""
    await newsroom.declare("dawn")
    down(newsroom, "dawn")
    await polls(newsroom, 5)
    assert newsroom.sink.shown == {}


async def test_what_was_refused_is_told_once_a_day(room):
    """One list, edited."""
    for title in ("one", "two"):
        now = room.clock.now()
        await room.store.write(lambda tx, t=title, now=now: tx.tell("#desk", t, Card(title=t), now))
        room.sink.fail(Rejected("no_text"))
        await room.settle()
    [card] = room.sink.messages(OPS)
    assert list(words_of(card))[:3] == [
        "2 messages could not be shown in #desk",
        "• two: no_text",
        "• one: no_text",
    ]


async def test_what_operators_can_not_be_shown_is_not_told_there(room):
    """A refused card about a refusal would be about itself."""
    await room.store.write(lambda tx: tx.tell(OPS, "x", Card(title="x"), room.clock.now()))
    room.sink.fail(Rejected("no_text"))
    await room.settle()
    assert room.sink.messages(OPS) == []


async def test_a_closed_channel_is_told(room):
    """Once a day; its messages wait."""
    await room.declare("dawn")
    room.feed("dawn", ("The ceasefire holds", None))
    room.sink.fail(Closed("channel_not_found", retry_after=60))
    await room.work(Kind.POLL)
    await room.work(Kind.INGEST)
    await room.work(Kind.DELIVER)
    await room.work(Kind.DELIVER)
    assert titles(room) == ["#newsdesk can't be posted to"]


async def test_notices_of_a_channel_that_is_no_more_in_use_are_dropped(room):
    """Nobody will ever mend it."""
    now = room.clock.now()
    await room.store.write(lambda tx: tx.tell("#misspelt", "x", Card(title="x"), now))
    room.sink.fail(Closed("channel_not_found", retry_after=60))
    await room.settle()
    await room.settle(hours=1)
    assert room.sink.posts == 1


async def test_a_heartbeat_comes_once_a_day_at_its_hour(room):
    """Not before, not twice, and not hours late."""
    room.rules(ops_channel=OPS, heartbeat=DigestTime(at=time(18, 0), zone="Asia/Kolkata"))
    said = []
    for minutes in (0, 29, 2, 10, 24 * 60 - 10, 10, 30 * 60):
        room.clock.advance(minutes=minutes)
        now = room.clock.now()
        await room.store.write(lambda tx, now=now: note_heartbeat(tx, room.context.rules, now))
        await room.work(Kind.DELIVER)
        said.append(len(room.sink.messages(OPS)))
    assert said == [0, 0, 1, 1, 2, 2, 2]
    assert titles(room) == ["monitor is running"] * 2
