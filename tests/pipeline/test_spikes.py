"""Spikes over a real archive: told once, with their figures, and never guessed."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Literal

import pytest
from PIL import Image as Picture

from alerts.memory import MemorySink
from alerts.message import Card
from monitor.compose import Rules
from monitor.match import compile_watches
from monitor.model import QuietHours, SpikeRule, Watch
from monitor.pipeline import Context
from monitor.pipeline.spikes import Spikes, compose_spike, shortfalls
from monitor.ports import spike_subject
from monitor.storage import SqlStore
from monitor.telling.spikes import HOUR, QUARTER, Began, Spike
from tests.contracts.archive import Archive
from tests.contracts.material import NOW, several
from tests.fakes import FakeClock

CHANNEL = "#newsdesk"
TRUCE = Watch(name="Truce", terms=("ceasefire",), spike=SpikeRule())
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def context(store: SqlStore, clock: FakeClock, *watches: Watch) -> Context:
    """What looking for spikes needs of a service."""
    return Context(
        store=store,
        fetcher=None,  # type: ignore[arg-type]
        offload=None,  # type: ignore[arg-type]
        sink=MemorySink(),
        clock=clock,
        rules=Rules(
            watches=watches,
            matcher=compile_watches(watches),
            default_channel=CHANNEL,
            interval=timedelta(minutes=5),
        ),
        jitter=lambda: 0.0,
    )


def archive(clock: FakeClock, days: int = 28, every: timedelta = 2 * HOUR) -> Archive:
    """One story for the watch every two hours, and other articles each hour."""
    made, now = Archive(), clock.now()
    made.watch(TRUCE, now - 60 * DAY)
    for hour in range(1, 24 * days):
        at = now - hour * HOUR
        made.article(at)
        if (hour * HOUR) % every == timedelta(0):
            made.article(at, "Truce")
    return made


def burst(made: Archive, now: datetime, number: int, *publishers: str, minutes: int = 10) -> None:
    """Stories of these publishers in turns, in the last minutes."""
    names = publishers or ("Dawn", "BBC", "PTI")
    for n in range(number):
        at = now - minutes * MINUTE * n / number
        made.article(at, "Truce", publisher=names[n % len(names)], title=f"Story {n}")


async def card(store: SqlStore, at: datetime, watch: str = "Truce") -> Card | None:
    """What the channel was told at that minute."""
    told = await store.read(lambda tx: tx.told(CHANNEL, spike_subject(watch, at)))
    return told.card if told else None


def words(shown: Card) -> str:
    return "\n".join(
        "".join(part.text for part in parts)
        for parts in (*(each.parts for each in shown.lines), shown.note)
    )


async def test_a_burst_is_told_with_its_figures_and_a_picture(store: SqlStore, clock: FakeClock):
    """How many, of how many, against what, by how much history."""
    made = archive(clock)
    burst(made, clock.now(), 9)
    await made.save(store)
    assert await Spikes(context(store, clock, TRUCE)).look() == 1
    shown = await card(store, clock.now())
    assert shown is not None
    assert shown.title == "Spike: Truce"
    said = words(shown)
    assert (
        "9 new stories of 3 publishers in 15 minutes, where this hour of the week usually" in said
    )
    assert "brings next to none, over 27 days." in said
    assert "Story 0 — Dawn\nStory 1 — BBC\nStory 2 — PTI\nStory 3 — Dawn\nStory 4 — BBC" in said
    assert "and 4 more" in said
    assert "usual: 0.1 · so many by chance: less than one time in" in said
    assert shown.image is not None
    assert Picture.open(io.BytesIO(shown.image.png)).format == "PNG"
    assert shown.image.alt.startswith("Truce: new stories an hour, UTC: ")


async def test_it_is_told_once(store: SqlStore, clock: FakeClock):
    """Minute after minute, by one process after another; and again when the cool-down is over."""
    made = archive(clock)
    burst(made, clock.now(), 9)
    await made.save(store)
    assert await Spikes(context(store, clock, TRUCE)).look() == 1
    for _ in range(3):
        clock.advance(minutes=1)
        assert await Spikes(context(store, clock, TRUCE)).look() == 0  # as after a kill
    clock.advance(hours=6)
    burst(made, clock.now(), 9)
    await made.save(store)
    assert await Spikes(context(store, clock, TRUCE)).look() == 1


async def test_of_several_processes_one_tells(database_url: str, clock: FakeClock):
    """They look in the same moment, or a minute apart, before either has told."""
    made = archive(clock)
    burst(made, clock.now(), 9)
    later = FakeClock(clock.now() + MINUTE)
    async with several(database_url, 3) as stores:
        await made.save(stores[0])
        looks = [
            Spikes(context(one, at, TRUCE)).look()
            for one, at in zip(stores, (clock, later, clock), strict=True)
        ]
        assert sum(await asyncio.gather(*looks)) == 1


@pytest.mark.parametrize(
    ("number", "publishers", "days"),
    [
        (3, ("Dawn", "BBC"), 28),  # fewer than the rule asks for
        (30, ("Dawn",), 28),  # one outlet
        (30, ("Dawn", "BBC"), 13),  # too little history
    ],
)
async def test_what_is_no_spike(
    store: SqlStore, clock: FakeClock, number: int, publishers: tuple[str, ...], days: int
):
    """Nobody is told anything."""
    made = archive(clock, days)
    burst(made, clock.now(), number, *publishers)
    await made.save(store)
    assert await Spikes(context(store, clock, TRUCE)).look() == 0
    assert await card(store, clock.now()) is None


async def test_copies_of_one_text_are_one_story(store: SqlStore, clock: FakeClock):
    """Thirty outlets that print one dispatch: that story's own message counts them."""
    made = archive(clock)
    now = clock.now()
    story = made.story(now)
    root = made.article(now - 9 * MINUTE, "Truce", story=story, agency="PTI")
    for n in range(30):
        made.article(now - 8 * MINUTE, "Truce", publisher=f"Outlet {n}", story=story, copy_of=root)
    await made.save(store)
    assert await Spikes(context(store, clock, TRUCE)).look() == 0


async def test_only_watches_with_a_rule_are_looked_at(store: SqlStore, clock: FakeClock):
    """And an edit counts at once."""
    made = archive(clock)
    burst(made, clock.now(), 9)
    await made.save(store)
    service = context(store, clock, replace(TRUCE, spike=None))
    spikes = Spikes(service)
    assert await spikes.look() == 0
    service.rules = replace(service.rules, watches=(TRUCE,))
    assert await spikes.look() == 1


async def test_what_is_usual_is_learned_anew_each_hour(store: SqlStore, clock: FakeClock):
    """By a process that runs for weeks, too: the hours behind it are part of the baseline."""
    made = archive(clock, days=13)
    await made.save(store)
    spikes = Spikes(context(store, clock, TRUCE))
    assert await spikes.look() == 0
    for hour in range(48):
        made.article(clock.now() + hour * HOUR)
    clock.advance(hours=48)
    burst(made, clock.now(), 9)
    await made.save(store)
    assert await spikes.look() == 1


async def test_a_snoozed_watch_tells_no_spike(store: SqlStore, clock: FakeClock):
    """Somebody asked for rest; when it is over, what is still a spike is told."""
    made = archive(clock)
    burst(made, clock.now(), 9)
    await made.save(store)
    until = clock.now() + MINUTE
    await store.write(lambda tx: tx.snooze("Truce", CHANNEL, until, "Ada"))
    spikes = Spikes(context(store, clock, TRUCE))
    assert await spikes.look() == 0
    clock.advance(minutes=2)
    assert await spikes.look() == 1


@pytest.mark.parametrize(
    ("priority", "waits"), [("normal", timedelta(hours=5)), ("critical", timedelta(0))]
)
async def test_at_night_a_spike_waits_for_the_morning(
    store: SqlStore, clock: FakeClock, priority: Literal["normal", "critical"], waits: timedelta
):
    """With the time at which it was one; what is critical wakes people."""
    quiet = QuietHours(start=time(10), end=time(17), zone="UTC")
    watch = replace(TRUCE, quiet_hours=quiet, priority=priority)
    made = archive(clock)
    burst(made, clock.now(), 9)
    await made.save(store)
    assert await Spikes(context(store, clock, watch)).look() == 1
    told = await store.read(lambda tx: tx.told(CHANNEL, spike_subject("Truce", clock.now())))
    assert told is not None
    assert (told.due_at or clock.now()) - clock.now() == waits
    assert told.card.note[0].at == clock.now()


async def test_too_little_history_is_said(store: SqlStore, clock: FakeClock):
    """Of watches that have a rule; a new watch's days count from when it was declared."""
    made = archive(clock)
    new = Watch(name="New", terms=("truce",), spike=SpikeRule())
    made.watch(new, clock.now() - 6 * DAY - HOUR)
    await made.save(store)
    quiet = Watch(name="Quiet", terms=("quiet",))
    unknown = Watch(name="Unknown", terms=("unknown",), spike=SpikeRule())
    assert await shortfalls(store, (TRUCE, new, quiet, unknown), clock.now()) == {
        "New": "too little history: 6 of 14 days",
        "Unknown": "too little history: 0 of 14 days",
    }


@pytest.mark.parametrize(
    ("usual", "number", "said"),
    [
        (2.5, 8, ", 3.2 × what this hour of the week usually brings, over 23 days."),
        (0.1, 4, ", where this hour of the week usually brings next to none, over 23 days."),
    ],
)
def test_a_spike_in_words(usual: float, number: int, said: str):
    """What is multiplied is said, and by how much history it was measured."""
    stories = [
        Began(
            story=n,  # type: ignore[arg-type]
            at=datetime.min.replace(tzinfo=UTC),
            publishers=frozenset({("Dawn", "PTI")[n % 2]}),
        )
        for n in range(number)
    ]
    spike = Spike(
        window=QUARTER, stories=stories, usual=usual, chance=4.4e-6, span=timedelta(days=23.9)
    )
    shown = words(compose_spike("Truce", spike, NOW))
    assert shown.startswith(f"{number} new stories of 2 publishers in 15 minutes{said}")
    assert f"Dawn, PTI · usual: {usual} · so many by chance: less than one time in 200,000" in shown
