"""Spikes: once a minute, whether a watch finds far more than usual; told once, by the database.

The stories of the last hour are asked for each time, all watches together; what is usual is learned
anew each hour, only of watches for which enough began to be judged.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from alerts.chart import Chart, draw
from alerts.message import Card, Image, Line, Part, line
from monitor import telemetry
from monitor.model import Watch
from monitor.pipeline.context import Context
from monitor.ports import Beginning, Store, Transaction, spike_subject
from monitor.telling.quiet import wakes_at
from monitor.telling.spikes import (
    HOUR,
    SPAN,
    Baseline,
    Began,
    History,
    Spike,
    hour_of,
    judge,
    learn,
    start_of,
)

log = telemetry.get_logger()

_AT_ONCE = 500  # watches in one question
_SHOWN_STORIES = 5
_SHOWN_PUBLISHERS = 6
_SHOWN_HOURS = 24
_FEW = 0.5  # what is usual below this is no measure to multiply


class Memory:
    """What is usual for watches, each learned once an hour; and in which hours anything was read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._was_read: dict[int, bool] = {}
        self._usual: dict[str, tuple[int, Baseline]] = {}

    async def usual(self, watch: str, now: datetime) -> Baseline:
        """What a watch usually brings, by the archive."""
        hour = hour_of(now)
        kept = self._usual.get(watch)
        if kept is not None and kept[0] == hour:
            return kept[1]
        hours = await self._hours(now)
        begun = await self._store.read(
            lambda tx: tx.beginnings(watch, start_of(hour_of(now - SPAN)))
        )
        # what was found before it was declared was found by looking back
        known = [quarter // 4 for quarter in begun.by_quarter]
        since = min([hour if begun.declared_at is None else hour_of(begun.declared_at), *known])
        history = History(begun=begun.by_quarter, hours={each for each in hours if each >= since})
        baseline = await asyncio.to_thread(learn, history, now)
        self._usual[watch] = (hour, baseline)
        return baseline

    def forget_all_but(self, watches: Collection[str]) -> None:
        """Watches may come and go."""
        self._usual = {name: kept for name, kept in self._usual.items() if name in watches}

    async def _hours(self, now: datetime) -> Collection[int]:
        """The hours of the baseline in which anything was read. What is past stays as it was."""
        hours = range(hour_of(now - SPAN), hour_of(now))
        asked = [hour for hour in hours if hour not in self._was_read]
        spans = [(start_of(hour), start_of(hour + 1)) for hour in asked]
        answers = await self._store.read(lambda tx: tx.was_read(spans))
        known = self._was_read | dict(zip(asked, answers, strict=True))
        self._was_read = {hour: known[hour] for hour in hours}
        return [hour for hour in hours if known[hour]]


class Spikes:
    """Looks for spikes of the watches that have a rule for them, and has channels told."""

    def __init__(self, context: Context) -> None:
        self._with = context
        self._memory = Memory(context.store)

    async def look(self) -> int:
        """Tell of every spike that there is now; returns how many."""
        watches = {watch.name: watch for watch in self._with.rules.watches if watch.spike}
        self._memory.forget_all_but(watches)
        if not watches:
            return 0
        now = self._with.clock.now()
        told = 0
        for name, stories in (await self._begun(watches, now)).items():
            told += await self._judge(watches[name], stories, now)
        return told

    async def _begun(
        self, watches: Mapping[str, Watch], now: datetime
    ) -> Mapping[str, Sequence[Began]]:
        """The stories of the last hour, of the watches for which there are enough."""
        found: list[Beginning] = []
        names = sorted(watches)
        for at in range(0, len(names), _AT_ONCE):
            ask = partial(_begun_since, watches=names[at : at + _AT_ONCE], since=now - HOUR)
            found += await self._with.store.read(ask)
        articles: dict[str, list[Beginning]] = defaultdict(list)
        for each in found:
            articles[each.watch].append(each)
        stories = {name: began(mine) for name, mine in articles.items()}
        enough = {name: rule.stories for name, watch in watches.items() if (rule := watch.spike)}
        return {name: mine for name, mine in stories.items() if len(mine) >= enough[name]}

    async def _judge(self, watch: Watch, stories: Sequence[Began], now: datetime) -> bool:
        channel = self._with.rules.channel_of(watch.name)
        if channel is None or watch.spike is None:
            return False
        rests = partial(_rests, watch=watch, channel=channel, now=now)
        if await self._with.store.read(rests):
            return False  # before anything is learned or drawn
        usual = await self._memory.usual(watch.name, now)
        spike = judge(usual, stories, watch.spike, now)
        if spike is None:
            return False
        since = start_of(hour_of(now) - _SHOWN_HOURS + 1)
        begun = await self._with.store.read(lambda tx: tx.beginnings(watch.name, since))
        chart = hours_chart(watch.name, begun.by_quarter, usual, spike, now)
        image = Image(png=await asyncio.to_thread(draw, chart), alt=alt(chart))
        card = compose_spike(watch.name, spike, now, image)
        due_at = _wakes_at(watch, now)

        def tell(tx: Transaction) -> bool:
            tx.lock_stories()  # another process looks, too
            if rests(tx):
                return False
            return tx.tell(channel, spike_subject(watch.name, now), card, now, due_at=due_at)

        is_told = await self._with.store.write(tell)
        if is_told:
            log.info(
                "spike.told",
                watch=watch.name,
                channel=channel,
                stories=len(spike.stories),
                minutes=spike.window // timedelta(minutes=1),
                usual=round(spike.usual, 2),
                chance=f"{spike.chance:.1e}",
            )
        return is_told


def _begun_since(
    tx: Transaction, *, watches: Sequence[str], since: datetime
) -> Sequence[Beginning]:
    return tx.begun_since(watches, since)


def _rests(tx: Transaction, *, watch: Watch, channel: str, now: datetime) -> bool:
    """Whether people have just been told of a spike, or asked for rest."""
    assert watch.spike is not None
    if watch.name in tx.snoozes(channel, now):
        return True
    told_at = tx.spike_told_at(channel, watch.name)
    return told_at is not None and now - told_at < watch.spike.cooldown


def _wakes_at(watch: Watch, now: datetime) -> datetime | None:
    """When a watch's quiet hours end; what is critical pierces them."""
    if watch.quiet_hours is None or watch.priority == "critical":
        return None
    return wakes_at(watch.quiet_hours, now)


async def shortfalls(store: Store, watches: Sequence[Watch], now: datetime) -> Mapping[str, str]:
    """What to say of the watches whose spikes can't be judged yet, by their names."""
    memory = Memory(store)
    found = {
        watch.name: (await memory.usual(watch.name, now)).shortfall
        for watch in watches
        if watch.spike
    }
    return {name: words for name, words in found.items() if words}


def began(articles: Sequence[Beginning]) -> Sequence[Began]:
    """The stories that these articles, the first seen first, began: each once."""
    stories: dict[int, list[Beginning]] = defaultdict(list)
    for each in articles:
        stories[each.story].append(each)
    return [
        Began(
            story=mine[0].story,
            at=mine[0].at,
            publishers=frozenset(each.voice for each in mine),
            title=mine[0].title,
            url=mine[0].url,
        )
        for mine in stories.values()
    ]


# ------------------------------------------------------------------------------ what is said


def compose_spike(watch: str, spike: Spike, now: datetime, image: Image | None = None) -> Card:
    """A spike as a card: how much, how much is usual, and what it is about."""
    shown = spike.stories[:_SHOWN_STORIES]
    left = len(spike.stories) - len(shown)
    return Card(
        title=f"Spike: {watch}",
        lines=(
            line(Part(text=_how_many(spike), bold=True), f", {_how_usual(spike)}."),
            *(_story(story) for story in shown),
            *([line(f"and {left} more", bullet=True)] if left else ()),
        ),
        note=(Part(text="", at=now), Part(text=f" · {_by_what(spike)}")),
        image=image,
    )


def _how_many(spike: Spike) -> str:
    minutes = spike.window // timedelta(minutes=1)
    number = len(spike.publishers)
    return f"{len(spike.stories)} new stories of {number} publishers in {minutes} minutes"


def _how_usual(spike: Spike) -> str:
    days = f"over {spike.span // timedelta(days=1)} days"
    if spike.usual < _FEW:
        return f"where this hour of the week usually brings next to none, {days}"
    return f"{spike.lift:.1f} × what this hour of the week usually brings, {days}"


def _by_what(spike: Spike) -> str:
    """Who, and how sure."""
    names = spike.publishers[:_SHOWN_PUBLISHERS]
    more = len(spike.publishers) - len(names)
    who = ", ".join(names) + (f" and {more} more" if more else "")
    odds = min(round(1 / max(spike.chance, 1e-12)), 10**9)
    return f"{who} · usual: {spike.usual:.1f} · so many by chance: less than one time in {_rounded(odds):,}"


def _rounded(number: int) -> int:
    """Down to one digit that counts."""
    unit = int(10 ** (len(str(number)) - 1))
    return number // unit * unit


def _story(story: Began) -> Line:
    words = Part(text=story.title or "(untitled)", url=story.url)
    return line(words, f" — {', '.join(sorted(story.publishers))}", bullet=True)


def hours_chart(
    watch: str, by_quarter: Mapping[int, int], usual: Baseline, spike: Spike, now: datetime
) -> Chart:
    """The last day, hour by hour, held against what is usual; the last hour is not over yet."""
    last = hour_of(now)
    hours = range(last - _SHOWN_HOURS + 1, last + 1)
    return Chart(
        title=f"{watch}: new stories an hour, UTC",
        values=tuple(
            sum(by_quarter.get(4 * hour + part, 0) for part in range(4)) for hour in hours
        ),
        labels=tuple(f"{start_of(hour):%H:%M}" for hour in hours),
        usual=tuple(usual.usual(start_of(hour + 1), HOUR) for hour in hours),
        marked=1 + last - hour_of(now - spike.window),
    )


def alt(chart: Chart) -> str:
    """What a chart shows, in words."""
    peak = max(chart.values, default=0)
    now = chart.values[-1] if chart.values else 0
    return (
        f"{chart.title}: {now} in the hour that runs, at most {peak} in {len(chart.values)} hours"
    )
