"""What `monitor doctor` looks at: each thing that alerts depend on, and what to do about it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Final

from alerts import Alert, AlertError, Passage, Stopped
from alerts.slack import Identity, SlackSink
from monitor.config import Settings
from monitor.errors import StorageError, WorkError
from monitor.model import FeedSpec
from monitor.opening import fetching, looking_at
from monitor.parts import Pace, is_elsewhere, rules_of, sink_of, socket_of
from monitor.pipeline.poll import FEED_ACCEPT
from monitor.ports import Clock, Fetcher
from monitor.storage import current
from monitor.telling import hands
from monitor.web import words
from monitor.web.view import feed_link

FEEDS: Final = 5
"""Feeds that are asked, spread over all of them."""

SKEW: Final = timedelta(seconds=30)
"""Between our clock and Slack's, above which times shown to people, and searches by time, go wrong."""

INVITE: Final = "type /invite @monitor there"
REINSTALL: Final = "bring the app to `monitor slack manifest` and install it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. `is_right`: None where there is nothing to be right or wrong."""

    subject: str
    said: str
    is_right: bool | None


def counted(settings: Settings) -> str:
    """How much there is to do."""
    return (
        f"{words.some(len(settings.watches), 'watch', 'watches')} over "
        f"{words.some(len(settings.feeds), 'feed')}"
    )


def configuration(path: Path, settings: Settings) -> Finding:
    """Of a file without mistakes."""
    warned = "; ".join(str(warning) for warning in settings.warnings)
    return Finding(
        subject="configuration",
        said=f"{path}: {counted(settings)}{f'; {warned}' if warned else ''}",
        is_right=True,
    )


async def findings(settings: Settings, clock: Clock) -> AsyncIterator[Finding]:
    """Everything beside the configuration, as it is found out."""
    yield await _database(settings, clock)
    async for finding in _slack(settings, clock):
        yield finding
    for each in await _feeds(settings, clock):
        yield each


# ------------------------------------------------------------------------------ database


async def _database(settings: Settings, clock: Clock) -> Finding:
    try:
        version = await asyncio.to_thread(current, settings.monitor.database)
        if version is None:
            said = "is not there yet: `monitor run` makes it"
            return Finding(subject="database", said=said, is_right=None)
        async with looking_at(settings) as reports:
            counts = await reports.counts(clock.now())
    except StorageError as error:
        said = str(error).removeprefix("database ")  # which stands before it
        return Finding(subject="database", said=said, is_right=False)
    said = f"version {version}, {words.some(sum(counts.articles.values()), 'article')}"
    return Finding(subject="database", said=said, is_right=True)


# ------------------------------------------------------------------------------ Slack


async def _slack(settings: Settings, clock: Clock) -> AsyncIterator[Finding]:
    sink = sink_of(settings, sys.stdout)
    try:
        if not isinstance(sink, SlackSink):
            said = _WEBHOOK if settings.slack_webhook else _NO_TOKEN
            yield Finding(subject=sink.name, said=said, is_right=None)
            return
        rules = rules_of(settings, Pace(), sink)
        channels = {name for name in rules.channels if not is_elsewhere(name)}
        try:
            identity = await sink.check(*sorted(channels))
        except AlertError as error:
            yield Finding(subject="token", said=_in_words(error), is_right=False)
        else:
            for finding in _identified(identity, sorted(channels), clock.now()):
                yield finding
            yield await _blocks(sink, clock.now())
    finally:
        await sink.close()
    yield await _socket(settings)


def _in_words(error: AlertError) -> str:
    """What Slack has against a token, or that it could not be asked."""
    return str(error) if isinstance(error, Stopped) else f"Slack can't be asked just now: {error}"


_WEBHOOK = (
    "can't be looked at without posting; it posts to one channel, and can't edit, answer in threads, or"
    " look what arrived"
)
_NO_TOKEN = "no SLACK_BOT_TOKEN is set: alerts are printed where monitor runs"  # noqa: S105 no secret


def _identified(identity: Identity, channels: Sequence[str], now: datetime) -> Iterator[Finding]:
    yield Finding(
        subject="token", said=f"{identity.user} of {identity.team}, {identity.url}", is_right=True
    )
    missing = f"lacks {', '.join(identity.missing)}: {REINSTALL}" if identity.missing else ""
    yield Finding(
        subject="scopes", said=missing or "all that are needed", is_right=not identity.missing
    )
    for channel in channels if identity.sees_channels else ():
        if channel in identity.unknown:
            said = f"misspelt, archived, or private and the bot is not in it: {INVITE}"
            yield Finding(subject=channel, said=said, is_right=False)
        elif channel in identity.unreadable:
            said = f"can be posted to, but not read after a broken connection: {INVITE}"
            yield Finding(subject=channel, said=said, is_right=False)
        else:
            yield Finding(subject=channel, said="the bot is in it", is_right=True)
    if identity.at is not None:
        yield clock_against(identity.at, now)


def clock_against(theirs: datetime, ours: datetime) -> Finding:
    """Our clock against that of Slack, which says whole seconds."""
    skew = ours - theirs
    seconds = round(skew.total_seconds())
    if abs(skew) <= SKEW:
        return Finding(subject="clock", said="agrees with Slack's", is_right=True)
    how = f"{abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'} Slack's"
    return Finding(subject="clock", said=f"{how}: set it (NTP)", is_right=False)


async def _blocks(sink: SlackSink, now: datetime) -> Finding:
    """Slack's own opinion of how an alert is put, with everything in it."""
    wrong = await sink.faults_of(sample(now))
    if wrong is None:
        said = "Slack's blocks.validate can't be reached"
        return Finding(subject="blocks", said=said, is_right=None)
    said = f"Slack would refuse an alert: {wrong}" if wrong else "Slack takes an alert as it is put"
    return Finding(subject="blocks", said=said, is_right=not wrong)


def sample(now: datetime) -> Alert:
    """An alert with all of its parts."""
    return Alert(
        delivery_id="0" * 32,
        headline="A headline with <, > and & in it, جنگ بندی, युद्धविराम",
        url="https://example.org/a",
        passage=Passage(text="Both sides said that the ceasefire holds.", marks=((25, 34),)),
        publisher="The Example",
        published_at=now,
        found_at=now,
        watches=("Ceasefire",),
        terms=("ceasefire",),
        also=("The Sample",),
        buttons=hands.buttons({}),
    )


async def _socket(settings: Settings) -> Finding:
    socket = socket_of(settings)
    if socket is None:
        said = "no SLACK_APP_TOKEN is set: alerts have no buttons, and nobody hears /monitor"
        return Finding(subject="app token", said=said, is_right=None)
    try:
        await socket.check()
    except AlertError as error:
        return Finding(subject="app token", said=_in_words(error), is_right=False)
    finally:
        await socket.close()
    said = "buttons and /monitor are heard"
    return Finding(subject="app token", said=said, is_right=True)


# ------------------------------------------------------------------------------ feeds


async def _feeds(settings: Settings, clock: Clock) -> Sequence[Finding]:
    chosen = spread(settings.feeds, FEEDS)
    # not politely: each tells how fast it answers
    async with fetching(settings, clock, polite=False) as http:
        return await asyncio.gather(
            *(_feed(spec, http, settings.fetch.max_feed) for spec in chosen)
        )


def spread(feeds: Sequence[FeedSpec], most: int) -> Sequence[FeedSpec]:
    """So many of them, at equal distances."""
    if len(feeds) <= most:
        return feeds
    return [feeds[number * len(feeds) // most] for number in range(most)]


async def _feed(spec: FeedSpec, fetcher: Fetcher, max_bytes: int) -> Finding:
    began = perf_counter()
    try:
        await fetcher.get(spec.url, accept=FEED_ACCEPT, max_bytes=max_bytes)
    except WorkError as error:
        link = feed_link(spec.url)  # none where it holds a password or a key
        said = f"{link}: {error}" if link else str(error)
        return Finding(subject=spec.name, said=said, is_right=False)
    said = f"answers within {perf_counter() - began:.1f} s"
    return Finding(subject=spec.name, said=said, is_right=True)
