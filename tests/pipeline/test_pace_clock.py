"""Quiet hours and digests while the clock is set: each story is told, once, at the right morning."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.model import DeliveryState
from monitor.pipeline.pace import plan_anew
from tests.contracts.material import CEASEFIRE, LEASE
from tests.pipeline.test_pace import DAILY, MORNING, NIGHT, Room, listed, room

__all__ = ["room"]

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
STEP = timedelta(hours=2)


async def clock_set(room: Room, **by: float) -> None:
    """The clock is set, and what the service does when it notices."""
    room.clock.advance(**by)
    if timedelta(**by) < timedelta(0):
        now, rules = room.clock.now(), room.pipeline.context.rules
        await room.store.write(lambda tx: tx.bring_forward(now, LEASE) + plan_anew(tx, rules, now))
    await room.tick()
    await room.tick(seconds=1)


@pytest.mark.parametrize("ahead", [{"hours": 1}, {"days": 1}])
async def test_a_night_that_was_leapt_into_the_next_ends_when_it_does(room: Room, ahead) -> None:
    """A day ahead and back: nothing is told at night, and all of it in the first morning."""
    await room.declare(replace(CEASEFIRE, quiet_hours=NIGHT))
    await room.come("a")
    await room.tick()
    await clock_set(room, **ahead)
    await room.come("b")
    await room.tick()
    await clock_set(room, **{unit: -number for unit, number in ahead.items()})
    await room.pass_by(MORNING - SECOND, STEP)
    assert room.shown == []
    await room.tick(seconds=1)
    await room.pass_by(MORNING + timedelta(hours=2), STEP)
    assert [sorted(listed(card)) for card in room.cards] == [["Headline a", "Headline b"]]
    assert room.alerts == []


async def test_a_morning_that_comes_twice_tells_nothing_twice(room: Room) -> None:
    """An hour back, half an hour after it: quiet again, for what is new."""
    await room.declare(replace(CEASEFIRE, quiet_hours=NIGHT))
    await room.come("a", "b")
    await room.pass_by(MORNING + timedelta(minutes=30), STEP)
    assert len(room.shown) == 1
    await clock_set(room, hours=-1)
    await room.come("c", "d")
    await room.pass_by(MORNING - SECOND, STEP)
    assert len(room.shown) == 1
    await room.pass_by(MORNING + timedelta(hours=2), STEP)
    assert [sorted(listed(card)) for card in room.cards] == [
        ["Headline a", "Headline b"],
        ["Headline c", "Headline d"],
    ]
    assert room.alerts == []


async def test_out_of_the_night_by_the_clock_it_is_told(room: Room) -> None:
    """Held by a clock three hours ahead that made it night: told when the clock is right."""
    await room.declare(
        replace(CEASEFIRE, quiet_hours=replace(NIGHT, start=NIGHT.start.replace(19)))
    )
    await clock_set(room, hours=3)
    await room.come("a")
    await room.tick()
    assert await room.states() == [DeliveryState.HELD]
    await clock_set(room, hours=-3)
    assert room.alerts == ["Headline a"]
    await room.pass_by(MORNING + timedelta(hours=1), STEP)
    assert len(room.shown) == 1


@pytest.mark.parametrize("realtime", [True, False])
async def test_a_digest_that_came_a_day_early_comes_again_of_what_is_new(
    room: Room, realtime: bool
) -> None:
    """A day ahead and back: no story is left out, none is listed twice, and no morning."""
    await room.declare(replace(CEASEFIRE, digest=DAILY, realtime=realtime))
    await room.come("a")
    await room.tick()
    await clock_set(room, days=1)
    assert [listed(card) for card in room.cards] == [["Headline a"]]
    await clock_set(room, days=-1)
    await room.come("b")
    await room.tick()
    await room.pass_by(MORNING, STEP)
    assert [listed(card) for card in room.cards] == [["Headline a"], ["Headline b"]]
    await room.tick(seconds=1)
    await room.come("c")
    await room.pass_by(MORNING + DAY, timedelta(hours=6))
    assert [listed(card) for card in room.cards][2:] == [["Headline c"]]
    assert room.alerts == [f"Headline {each}" for each in "abc" if realtime]


@pytest.mark.parametrize("realtime", [True, False])
async def test_a_digest_s_time_that_comes_twice_loses_nothing(room: Room, realtime: bool) -> None:
    """An hour back, half an hour after it: a second one of the same day, of what came since."""
    await room.declare(replace(CEASEFIRE, digest=DAILY, realtime=realtime))
    await room.come("a")
    await room.pass_by(MORNING + timedelta(minutes=30), STEP)
    await clock_set(room, hours=-1)
    await room.come("b")
    await room.tick()
    await room.pass_by(MORNING + timedelta(minutes=30), STEP)
    assert [listed(card) for card in room.cards] == [["Headline a"], ["Headline b"]]
    await room.pass_by(MORNING + DAY, timedelta(hours=6))
    assert [listed(card) for card in room.cards][2:] == [[]]


async def test_a_digest_that_an_hour_back_puts_off_comes_once(room: Room) -> None:
    """Ten minutes before it, by the clock as it was: when it is seven by the right one."""
    await room.declare(replace(CEASEFIRE, digest=DAILY))
    await room.come("a")
    await room.pass_by(MORNING - timedelta(minutes=10), STEP)
    await clock_set(room, hours=-1)
    await room.pass_by(MORNING - SECOND, STEP)
    assert room.cards == []
    await room.pass_by(MORNING + timedelta(hours=2), STEP)
    assert [listed(card) for card in room.cards] == [["Headline a"]]
