"""While the service reads what is made to be slow, it still answers: probes, the tick, other feeds."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from alerts.memory import MemorySink
from monitor.model import Kind
from monitor.pipeline.context import Lane
from monitor.scheduler import submit_due
from monitor.web import WebServer as Page
from monitor.web import create_app
from tests.journeys.test_corpus import feed, service
from tests.webserver import Reply, Request, WebServer

pytestmark = pytest.mark.timeout(40)

LONGEST = 1.0
"""Seconds of CPU that the event loop may spend between two turns of a timer; each of these bodies
took more. CPU of its own thread: what else the machine does is not counted."""


@contextlib.asynccontextmanager
async def loop_watched() -> AsyncIterator[list[float]]:
    """Collects the CPU that the loop spent between two turns of a 10 ms timer."""
    late: list[float] = []

    async def tick() -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(0.01)
            late.append(time.thread_time() - began)

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
        f"<description>{n} {letter * 150_000}</description></item>"
        for n, letter in (("of grocers", "中"), ("in Kargil district", "山"), ("2", "水"))
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
                    assert "ceasefire 2" in re.sub("<[^>]*>", "", await answer.text())
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
            due = await wired.store.read(lambda tx: tx.due_jobs(wired.clock.now()))
            [poll] = [job for job in due if job.kind is Kind.POLL]
            async with loop_watched() as late:
                await wired.pipeline.run(poll)
            assert max(late) < LONGEST
            [row] = await wired.reports.feeds()
            assert row.entries == 1_500


class Telling(MemorySink):
    """Says when it was first told something."""

    def __init__(self) -> None:
        super().__init__()
        self.told = asyncio.Event()

    async def post(self, channel, message, **more):
        self.told.set()
        return await super().post(channel, message, **more)


async def test_a_flood_of_slow_links_keeps_nobody_elses_news(sqlite_url):
    """One feed lists hundreds of pages on as many hosts that never answer; another's news arrives."""
    begun, let_go = asyncio.Event(), asyncio.Event()
    ended: list[str] = []

    async def never(request: Request) -> Reply:
        begun.set()
        await let_go.wait()
        ended.append(request.path)
        return Reply("late")

    async with WebServer(host="0.0.0.0") as server:
        base = f"http://127.0.0.1:{server.port}"
        flood = "".join(
            f"<item><title>t{n}</title><link>http://127.0.{n // 250 + 1}.{n % 250 + 1}:{server.port}"
            f"/slow/{n}</link></item>"
            for n in range(400)
        )
        news = f"<item><title>Ceasefire holds</title><link>{base}/news</link></item>"
        server.route("/flood", rss(flood))
        server.route("/news.xml", rss(news))
        server.route("/slow/*", never)
        server.route("/news", Reply("<p>The ceasefire holds.</p>"))
        flooding, honest = feed(base + "/flood", "Flood"), feed(base + "/news.xml", "News")
        async with service(sqlite_url, flooding) as (wired, _):
            sink = wired.pipeline.context.sink = Telling()
            wired.pipeline.context.pages = Lane(slots=50, per_source=8, patience=0.1)
            stop = asyncio.Event()
            working = asyncio.create_task(wired.engine.run(wired.pipeline.run, stop))
            await submit_due(wired.store, wired.clock.now())
            await begun.wait()
            await wired.store.write(lambda tx: tx.sync_feeds([flooding, honest], wired.clock.now()))
            await submit_due(wired.store, wired.clock.now())
            await sink.told.wait()
            assert ended == []
            wired.pipeline.context.stopping = True
            stop.set()
            let_go.set()
            await wired.engine.drain(10)
            await working
