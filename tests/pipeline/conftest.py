"""A pipeline over real parts, with the clock and the web in the test's hands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import pytest

from alerts.memory import MemorySink
from monitor.compose import Rules
from monitor.engine.pool import ProcessPool
from monitor.fetch import HttpFetcher
from monitor.match import compile_watches
from monitor.model import FeedSpec, Job, Kind, Watch
from monitor.pipeline import Context, Pipeline
from monitor.storage import SqlReports, SqlStore
from tests.fakes import FakeClock
from tests.webserver import Reply, WebServer

CHANNEL = "#newsdesk"
TRUCE = Watch(name="Truce", terms=("ceasefire",))
PARAGRAPHS = (
    (
        "Both sides agreed on Saturday to a ceasefire along the disputed line, officials said, after "
        "four days of shelling that emptied villages on either side of the valley and closed roads."
    ),
    (
        "The two directors of operations will speak again on Monday, a spokesman told reporters, and "
        "the bridges are to open to lorries carrying food and medicine before the end of the week."
    ),
)


def page(title: str, *paragraphs: str, canonical: str = "") -> Reply:
    """An article's page."""
    link = f'<link rel="canonical" href="{canonical}">' if canonical else ""
    body = "".join(f"<p>{text}</p>" for text in paragraphs or PARAGRAPHS)
    return Reply(
        f'<html lang="en"><head><title>{title}</title>{link}</head>'
        f"<body><article><h1>{title}</h1>{body}</article></body></html>",
        headers={"Content-Type": "text/html; charset=utf-8"},
    )


def report_from(place: str, words: int = 60) -> str:
    """A text of its own for each place: no two share a word."""
    return " ".join(f"word{place.strip('/')}{number}" for number in range(words)) + "."


class Newsroom:
    """A service without a life of its own: each test says what happens when."""

    def __init__(self, store: SqlStore, server: WebServer, pool: ProcessPool, fetcher) -> None:
        self.store, self.server, self.reports = store, server, SqlReports(store)
        self.sink, self.clock = MemorySink(), FakeClock()
        self.context = Context(
            store=store,
            fetcher=fetcher,
            offload=pool,
            sink=self.sink,
            clock=self.clock,
            rules=Rules(
                watches=(TRUCE,),
                matcher=compile_watches((TRUCE,)),
                default_channel=CHANNEL,
                interval=timedelta(minutes=5),
                max_age=None,  # what a feed holds from the start is told, too
            ),
            jitter=lambda: 0.0,
        )
        self.pipeline = Pipeline(self.context)

    def rules(self, **changes) -> None:
        self.context.rules = replace(self.context.rules, **changes)

    async def declare(self, *names: str) -> None:
        """Feeds at /NAME.xml of publishers of that name, and the watch."""
        specs = [
            FeedSpec(url=self.server.url(f"/{name}.xml"), name=name, publisher=name.title())
            for name in names
        ]
        now = self.clock.now()
        await self.store.write(lambda tx: tx.sync_feeds(specs, now))
        await self.store.write(lambda tx: tx.sync_watches([TRUCE], now))

    def feed(
        self, name: str, *items: tuple[str, str | None], date: bool = True, text: str = ""
    ) -> None:
        """An RSS feed of (headline, path of its page) items, published now."""
        when = format_datetime(self.clock.now())
        rows = "".join(
            f"<item><guid isPermaLink='false'>{headline}</guid><title>{headline}</title>"
            + (f"<link>{self.server.url(path)}</link>" if path else "")
            + (f"<pubDate>{when}</pubDate>" if date else "")
            + (f"<description>{text}</description>" if text else "")
            + "</item>"
            for headline, path in items
        )
        body = f'<rss version="2.0"><channel><title>{name}</title>{rows}</channel></rss>'
        self.server.route(
            f"/{name}.xml", Reply(body, headers={"Content-Type": "application/rss+xml"})
        )

    async def work(self, *kinds: Kind, **later: float) -> None:
        """Some time later, do what is due (of these kinds), once."""
        self.clock.advance(**later)
        now = self.clock.now()
        jobs: list[Job] = sorted(await self.store.read(lambda tx: tx.due_jobs(now)))
        for job in jobs:
            if not kinds or job.kind in kinds:
                await self.pipeline.run(job)

    async def settle(self, **later: float) -> None:
        """Some time later, do what is due until nothing is."""
        self.clock.advance(**later)
        while True:
            now = self.clock.now()
            if not await self.store.read(lambda tx, now=now: tx.due_jobs(now)):
                return
            await self.work()

    def shown(self):
        return self.sink.messages(CHANNEL)


@pytest.fixture
async def newsroom(sqlite_store) -> AsyncIterator[Newsroom]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(WebServer())
        pool = await stack.enter_async_context(ProcessPool(workers=1))
        clock = FakeClock()
        fetcher = await stack.enter_async_context(
            HttpFetcher(clock=clock, user_agent="monitor/test", timeout=5, allow=("127.0.0.1",))
        )
        yield Newsroom(sqlite_store, server, pool, fetcher)
