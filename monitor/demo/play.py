"""``monitor demo``: the real service against the newsroom, six hours of news in minutes.

Nothing in the service knows that it is a demo: it gets a clock that runs fast, a configuration that
names loopback feeds, and a database in a temporary folder.
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

from monitor import config
from monitor.demo.config import demo_config
from monitor.demo.newsroom import HOURS
from monitor.demo.server import NewsroomServer
from monitor.ports import Counts
from monitor.service import Pace, Service, assembled


class FastClock:
    """A clock that starts now and runs `speed` times as fast as the machine's."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self.start = datetime.now(UTC).replace(microsecond=0)
        self._began = time.monotonic()

    def now(self) -> datetime:
        """The time in the newsroom."""
        return self.start + timedelta(seconds=(time.monotonic() - self._began) * self.speed)

    async def sleep(self, seconds: float) -> None:
        """Wait for seconds of the newsroom's time."""
        await asyncio.sleep(seconds / self.speed)


async def play(*, minutes: float, port: int, console: Console, stay: bool = True) -> Counts:
    """Play the newsroom's hours in so many minutes of the machine's time; returns the totals.

    With `stay` the page is served until Ctrl-C, also when the story is over.
    """
    clock = FastClock(speed=HOURS * 60 / minutes)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="monitor-demo-")))
        newsroom = await stack.enter_async_context(NewsroomServer(clock, clock.start))
        path = folder / "feeds.toml"
        path.write_text(demo_config(newsroom.base_url), encoding="utf-8")
        settings = config.load(
            path,
            {
                "MONITOR_DATABASE_URL": f"sqlite:///{folder / 'demo.db'}",
                "MONITOR_WEB_PORT": str(port),
            },
        )
        pace = Pace(speed=clock.speed, tick=0.25, debounce=timedelta(minutes=2))
        service = await stack.enter_async_context(
            assembled(settings, clock=clock, pace=pace, alerts_to=console.file)
        )
        console.print(
            f"A newsroom of {len(settings.feeds)} feeds plays {HOURS} hours of an invented crisis "
            f"in {minutes:g} minutes.\nOnly this machine is touched. Ctrl-C ends it.\n",
            soft_wrap=True,
        )
        ending = asyncio.create_task(_end(service, stop, minutes, console, stay=stay))
        try:
            await service.run(stop, announce=lambda url: console.print(f"The page: {url}\n"))
        finally:
            ending.cancel()
        return await service.reports.counts(clock.now())


async def _end(
    service: Service, stop: asyncio.Event, minutes: float, console: Console, *, stay: bool
) -> None:
    """When the last hour has been played: the totals, and the end unless somebody looks on."""
    await asyncio.sleep(minutes * 60)
    counts = await service.reports.counts(service.clock.now())
    console.print(
        f"\nThe story is told: {sum(counts.articles.values())} articles in {counts.stories} "
        f"stories, {counts.hits} hits, {sum(counts.deliveries.values())} messages."
        + (" The page stays until Ctrl-C." if stay else ""),
        soft_wrap=True,
    )
    if not stay:
        stop.set()
