"""The service as its operator sets it up, and a hub: news arrives when it is pushed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import aiohttp
import pytest

from monitor.config import Fetch, Monitor, Polling, Settings, Web
from monitor.demo.play import FastClock
from monitor.model import FeedSpec
from monitor.parts import Pace
from monitor.service import Service, assembled
from tests.hub import Hub
from tests.journeys.test_life import free_port
from tests.webserver import Reply, WebServer

pytestmark = pytest.mark.timeout(90)

PUBLIC = "http://desk.example"


@contextlib.asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Service]:
    """A service at work, its clock sixty times as fast as ours."""
    clock = FastClock(60)
    async with assembled(settings, clock=clock, pace=Pace(speed=60, tick=0.1)) as service:
        stop = asyncio.Event()
        running = asyncio.create_task(service.run(stop))
        try:
            await until(lambda: _is_ready(service))
            yield service
        finally:
            stop.set()
            await running


async def until(what, seconds: float = 30) -> None:
    """Wait for something to come true."""
    async with asyncio.timeout(seconds):
        while not await what():  # noqa: ASYNC110 the database says, and rings no bell
            await asyncio.sleep(0.05)


async def test_news_arrives_when_it_is_pushed(tmp_path: Path) -> None:
    """Started, subscribed, pushed, stopped, started again, no longer wanted."""
    async with AsyncExitStack() as stack:
        publisher = await stack.enter_async_context(WebServer())
        port = free_port()
        hub = await stack.enter_async_context(Hub(call_at=port))
        topic = publisher.url("/feed")
        settings = Settings(
            monitor=Monitor(database=f"sqlite:///{tmp_path / 'monitor.db'}", workers=1),
            polling=Polling(interval=timedelta(hours=2), fastest=timedelta(minutes=2)),
            fetch=Fetch(allow=("127.0.0.1",), spacing=timedelta(0)),
            web=Web(port=port, public_url=PUBLIC),
            feeds=(FeedSpec(url=topic, name="Courier", publisher="Courier"),),
        )

        def lists(*titles: str) -> None:
            when = format_datetime(datetime.now(UTC))
            items = "".join(
                f"<item><guid>{title}</guid><title>{title}</title><pubDate>{when}</pubDate></item>"
                for title in titles
            )
            publisher.route(
                "/feed",
                Reply(
                    f"<rss version='2.0'><channel><title>C</title>{items}</channel></rss>",
                    headers={
                        "Content-Type": "application/rss+xml",
                        "Link": f'<{hub.url}>; rel="hub", <{topic}>; rel="self"',
                    },
                ),
            )

        async def entries(service: Service) -> int:
            [row] = await service.reports.feeds()
            return row.entries

        async def subscribed() -> bool:
            return bool(hub.subscribers)

        lists("One")
        async with serving(settings) as service:
            await until(subscribed)
            await until(lambda: _is(entries(service), 1))
            lists("Two", "One")
            assert await hub.publish(topic) == [202]
            await until(lambda: _is(entries(service), 2))
            async with aiohttp.ClientSession() as session:
                for host, status in (("localhost", 200), ("desk.example", 403)):
                    url, called = f"http://127.0.0.1:{port}/", {"Host": host}
                    async with session.get(url, headers=called) as answer:
                        assert answer.status == status

        lists("Three", "Two", "One")
        async with serving(settings) as service:  # what was agreed outlives us
            assert await hub.publish(topic) == [202]
            await until(lambda: _is(entries(service), 3))
            assert len(hub.asked) == 1

        unset = settings.model_copy(update={"web": Web(port=port)})
        async with serving(unset):
            await until(lambda: _is(_subscribers(hub), 0))


async def _is_ready(service: Service) -> bool:
    return service.ready()[0]


async def _is(what, value) -> bool:
    return await what == value


async def _subscribers(hub: Hub) -> int:
    return len(hub.subscribers)
