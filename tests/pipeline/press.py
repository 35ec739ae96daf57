"""A newsroom whose feeds may be pushed: publisher, hub and our own page, all over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from email.utils import format_datetime

import pytest
from prometheus_client import CollectorRegistry

from monitor.fetch import HttpFetcher
from monitor.model import FeedId, Kind, Subscription
from monitor.storage import SqlStore
from monitor.web import Pushes, WebServer, create_app
from monitor.websub import callback_url
from tests.fakes import FakeClock
from tests.hub import Hub
from tests.pipeline.conftest import Newsroom
from tests.web.samples import FixedHealth
from tests.webserver import Reply
from tests.webserver import WebServer as Publisher

PUBLIC = "http://desk.example"


@dataclass
class Press:
    """What a test of pushes has at hand. Its one feed is /courier.xml."""

    newsroom: Newsroom
    hub: Hub
    page: WebServer

    @property
    def clock(self) -> FakeClock:
        return self.newsroom.clock

    @property
    def topic(self) -> str:
        return self.newsroom.server.url("/courier.xml")

    def list(self, *titles: str, hub: str | None = "", link: str = "", head: str = "") -> None:
        """What the feed lists, and which hub it offers (its own, unless told)."""
        when = format_datetime(self.clock.now())
        items = "".join(
            f"<item><guid>{title}</guid><title>{title}</title><pubDate>{when}</pubDate></item>"
            for title in titles
        )
        if not link and hub is not None:
            link = f'<{hub or self.hub.url}>; rel="hub", <{self.topic}>; rel="self"'
        self.newsroom.server.route(
            "/courier.xml",
            Reply(
                '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>'
                f"<title>Courier</title>{head}{items}</channel></rss>",
                headers={"Content-Type": "application/rss+xml"} | ({"Link": link} if link else {}),
            ),
        )

    async def work(self, *kinds: Kind, **later: float) -> None:
        """Some time later do what is due, once, polls and requests to hubs; the hub does its part."""
        await self.newsroom.work(*(kinds or (Kind.POLL, Kind.SUBSCRIBE)), **later)
        await self.hub.settled()

    async def begin(self, *titles: str, **offered: str | None) -> Subscription | None:
        """The feed is polled for the first time, and its hub is asked."""
        self.list(*titles or ("One",), **offered)
        await self.newsroom.declare("courier")
        await self.work(Kind.POLL)
        await self.work(Kind.SUBSCRIBE)
        return await self.held()

    async def held(self) -> Subscription | None:
        """By what the feed is pushed."""
        return await self.newsroom.store.write(lambda tx: tx.subscription_of(FeedId(1)))

    async def entries(self) -> int:
        """How many entries the feed has listed so far."""
        [row] = await self.newsroom.reports.feeds()
        return row.entries

    async def wait(self) -> float:
        """Minutes until the feed is polled next."""
        [row] = await self.newsroom.reports.feeds()
        assert row.due_at is not None
        return (row.due_at - self.clock.now()).total_seconds() / 60

    async def sync(self, public: str | None = PUBLIC) -> None:
        """What the service does each minute."""
        begin = None if public is None else callback_url(public, "")
        now = self.clock.now()
        await self.newsroom.store.write(lambda tx: tx.sync_subscriptions(begin, now))

    @property
    def polls(self) -> int:
        """How often the publisher was asked."""
        return len(self.newsroom.server.requests)


class _Here:
    """Parses beside the event loop: a worker process would be most of the time of these tests."""

    async def ready(self):
        """At any time."""

    async def run(self, function, *args, timeout: float):
        return await asyncio.to_thread(function, *args)


@pytest.fixture
async def press(store: SqlStore) -> AsyncIterator[Press]:
    """On each kind of database."""
    async with AsyncExitStack() as stack:
        publisher = await stack.enter_async_context(Publisher())
        fetcher = await stack.enter_async_context(
            HttpFetcher(
                clock=FakeClock(), user_agent="monitor/test", timeout=5, allow=("127.0.0.1",)
            )
        )
        newsroom = Newsroom(store, publisher, _Here(), fetcher)
        newsroom.rules(public_url=PUBLIC)
        app = create_app(
            newsroom.reports,
            FixedHealth(),
            newsroom.clock,
            registry=CollectorRegistry(),
            pushes=Pushes(store, newsroom.clock, lambda: newsroom.context.rules, seconds=2),
        )
        page = await stack.enter_async_context(WebServer(app, "127.0.0.1", 0))
        hub = await stack.enter_async_context(Hub(call_at=page.port))
        yield Press(newsroom, hub, page)
