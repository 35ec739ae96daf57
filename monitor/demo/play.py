"""``monitor demo``: the real service against the newsroom, six hours of news in minutes.

Nothing in the service knows that it is a demo: it gets a clock that runs fast, a configuration that
names loopback feeds, a Slack that is on this machine, and a database in a temporary folder.
"""

from __future__ import annotations

import asyncio
import signal
import tempfile
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from alerts.slack import INTERACTIVE_SCOPES, SCOPES, SlackSink
from monitor import config
from monitor.demo.archive import plant, plant_races
from monitor.demo.config import BULLETINS, NEWSDESK, OPS, demo_config
from monitor.demo.newsroom import HOURS
from monitor.demo.server import NewsroomServer
from monitor.demo.slack import SlackDouble
from monitor.demo.slack.page import YOU
from monitor.demo.slack.rendering import words_of
from monitor.model import DeliveryState
from monitor.parts import Pace
from monitor.ports import Counts
from monitor.service import Service, assembled

LOOK = 300.0
"""Seconds of the newsroom between two looks for spikes."""


class FastClock:
    """A clock that starts now and runs `speed` times as fast as the machine's."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self.start = datetime.now(UTC).replace(microsecond=0)
        self._began = time.monotonic()

    def now(self) -> datetime:
        """The time in the newsroom."""
        return self.start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Seconds of the newsroom since the start."""
        return (time.monotonic() - self._began) * self.speed

    async def sleep(self, seconds: float) -> None:
        """Wait for seconds of the newsroom's time."""
        await asyncio.sleep(seconds / self.speed)


async def play(*, minutes: float, port: int, console: Console, stay: bool = True) -> Counts:
    """Play the newsroom's hours in so many minutes of the machine's time; returns the totals.

    The service's page is served at `port`, its Slack at the next one, or at any if that is taken.
    With `stay` both are served until Ctrl-C, also when the story is over.
    """
    clock = FastClock(speed=HOURS * 60 / minutes)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="monitor-demo-")))
        newsroom = await stack.enter_async_context(NewsroomServer(clock, clock.start))
        slack = workspace(clock)
        await _start(slack, port + 1)
        stack.push_async_callback(slack.stop)
        path = folder / "feeds.toml"
        path.write_text(demo_config(newsroom.base_url, start=clock.start), encoding="utf-8")
        database = f"sqlite:///{folder / 'demo.db'}"
        env = {
            "MONITOR_DATABASE_URL": database,
            "MONITOR_WEB_PORT": str(port),
            "SLACK_BOT_TOKEN": slack.token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.url,
        }
        settings = config.load(path, env)
        sink = SlackSink(  # one message a second of the newsroom's seconds
            slack.token,
            base_url=slack.url,
            interactive=True,
            monotonic=clock.monotonic,
            sleep=clock.sleep,
        )
        pace = Pace(
            speed=clock.speed,
            tick=0.25,
            maintenance=max(1.0, LOOK / clock.speed),
            debounce=timedelta(minutes=2),
        )
        service = await stack.enter_async_context(
            assembled(settings, clock=clock, pace=pace, sink=sink)
        )
        matcher = service.pipeline.context.rules.matcher
        await plant_races(service.store, database, clock.start)
        await plant(service.store, database, matcher, BULLETINS, clock.start)
        before = await service.reports.counts(clock.now())
        console.print(
            f"A newsroom of {len(settings.feeds)} feeds plays {HOURS} hours of an invented crisis "
            f"in {minutes:g} minutes.\nOnly this machine is touched. Ctrl-C ends it.\n",
            soft_wrap=True,
        )
        beside = [
            asyncio.create_task(_end(service, stop, minutes, console, before, stay=stay)),
            asyncio.create_task(_follow(slack, console)),
        ]
        try:
            await service.run(
                stop,
                path=path,
                env=env,
                announce=lambda url: console.print(
                    f"The page:   {url}\nIts Slack:  {slack.page_url}\n", soft_wrap=True
                ),
            )
        finally:
            for task in beside:
                task.cancel()
        return await service.reports.counts(clock.now())


def workspace(clock: FastClock) -> SlackDouble:
    """A Slack with the demo's channels, on the newsroom's clock; it limits as Slack does."""
    slack = SlackDouble(
        scopes=(*SCOPES, *INTERACTIVE_SCOPES),
        rate_limited=True,
        now=lambda: clock.now().timestamp(),
        monotonic=clock.monotonic,
    )
    slack.add_user(YOU, "Asha", handle="asha")
    for name in (NEWSDESK, OPS):
        slack.add_channel(name)
    return slack


async def _start(slack: SlackDouble, port: int) -> None:
    try:
        await slack.start(port)
    except (OSError, OverflowError):  # taken, or there is none above
        await slack.start()


async def _follow(slack: SlackDouble, console: Console) -> None:
    """Print what is said in Slack, a line for each message."""
    printed = 0.0
    while True:
        rows = [
            (float(row["ts"]), channel.name, row)
            for channel in slack.channels()
            for row in channel.messages
            if float(row["ts"]) > printed
        ]
        for at, channel, row in sorted(rows, key=lambda each: each[0]):
            clock = datetime.fromtimestamp(at, UTC).astimezone()
            lead = "  ↳ " if "thread_ts" in row else ""
            console.print(
                f"{clock:%H:%M}  #{channel}  {lead}{words_of(row).splitlines()[0]}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
            printed = at
        try:
            await slack.until_something(1.0)
        except TimeoutError:
            continue


async def _end(
    service: Service,
    stop: asyncio.Event,
    minutes: float,
    console: Console,
    before: Counts,
    *,
    stay: bool,
) -> None:
    """When the last hour has been played: the totals, and the end unless somebody looks on."""
    await asyncio.sleep(minutes * 60)
    counts = await service.reports.counts(service.clock.now())
    articles = sum(counts.articles.values()) - sum(before.articles.values())
    console.print(
        f"\nThe story is told: {articles} articles in "
        f"{counts.stories - before.stories} stories, {counts.hits - before.hits} hits, "
        f"{counts.messages(DeliveryState.SENT)} messages."
        + (" Page and Slack stay until Ctrl-C." if stay else ""),
        soft_wrap=True,
    )
    if not stay:
        stop.set()
