"""While the service reads what is made to be slow, it still answers: probes, the tick, other feeds."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from monitor.web import WebServer as Page
from monitor.web import create_app
from tests.journeys.test_corpus import feed, service
from tests.webserver import Reply, WebServer

pytestmark = pytest.mark.timeout(120)

LONGEST = 1.0
"""Seconds that the event loop may be held up; each of these bodies took it away for longer."""


@contextlib.asynccontextmanager
async def loop_watched() -> AsyncIterator[list[float]]:
    """Collects by how much a 10 ms timer was late."""
    late: list[float] = []

    async def tick() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.01)
            late.append(time.perf_counter() - began - 0.01)

    task = asyncio.create_task(tick())
    try:
        yield late
        await asyncio.sleep(0.02)
    finally:
        task.cancel()


def rss(items: str) -> Reply:
    text = f'<rss version="2.0"><channel><title>S</title>{items}</channel></rss>'
    return Reply(text, headers={"Content-Type": "application/rss+xml; charset=utf-8"})


async def test_long_bodies_hold_nothing_up(sqlite_url):
    """Hashing, matching, composing and showing 200,000 characters happen beside the loop."""
    items = "".join(
        f"<item><title>ceasefire {n}</title><guid isPermaLink='false'>{n}</guid>"
        f"<description>{n} {'中' * 150_000}</description></item>"
        for n in range(3)
    )
    async with WebServer() as server:
        server.route("/feed", rss(items))
        async with service(sqlite_url, feed(server.url("/feed"), "Long")) as (wired, sink):
            async with loop_watched() as late:
                await wired.once()
                assert len(sink.messages("terminal")) == 3
                app = create_app(wired.reports, wired, wired.clock)
                async with (
                    Page(app, "127.0.0.1", 0) as page,
                    aiohttp.ClientSession() as client,
                    client.get(page.url) as answer,
                ):
                    assert "ceasefire 2" in await answer.text()
            assert max(late) < LONGEST


async def test_thousands_of_links_hold_nothing_up(sqlite_url):
    """Where a feed's entries belong is worked out beside the loop."""
    long = "&".join(f"p{n}={n}" for n in range(200))
    items = "".join(
        f"<item><title>t{n}</title><link>https://example.invalid/{n}?{long.replace('&', '&amp;')}"
        "</link></item>"
        for n in range(1_500)
    )
    async with WebServer() as server:
        server.route("/feed", rss(items))
        async with service(sqlite_url, feed(server.url("/feed"), "Many")) as (wired, _):
            [poll] = await wired.store.read(lambda tx: tx.due_jobs(wired.clock.now()))
            async with loop_watched() as late:
                await wired.pipeline.run(poll)
            assert max(late) < LONGEST
            [row] = await wired.reports.feeds()
            assert row.entries == 1_500
