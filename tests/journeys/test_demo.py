"""The demo's six hours, minute by minute on a fake clock, held against what its authors say."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from alerts.memory import MemorySink
from monitor import config
from monitor.demo.config import demo_config
from monitor.demo.expected import expected
from monitor.demo.newsroom import HOURS
from monitor.demo.server import NewsroomServer
from monitor.model import ArticleState, DeliveryState, FeedStatus
from monitor.scheduler import submit_due
from monitor.service import CONSOLE_CHANNEL, Pace, assembled
from tests.fakes import FakeClock

pytestmark = pytest.mark.timeout(240)
STEP = 2  # minutes of the newsroom between two looks at what is due


@asynccontextmanager
async def played(tmp_path, sqlite_url):
    """The service after the last hour, and its sink."""
    clock, sink = FakeClock(), MemorySink()
    start = clock.now()
    async with NewsroomServer(clock, start) as newsroom:
        path = tmp_path / "feeds.toml"
        path.write_text(demo_config(newsroom.base_url), encoding="utf-8")
        settings = config.load(path, {"MONITOR_DATABASE_URL": sqlite_url})
        async with assembled(settings, clock=clock, sink=sink, pace=Pace()) as service:
            stop = asyncio.Event()
            working = asyncio.create_task(service.engine.run(service.pipeline.run, stop))
            for minute in range(0, HOURS * 60 + STEP, STEP):
                clock.advance(seconds=(start + timedelta(minutes=minute) - clock.now()).seconds)
                while await submit_due(service.store, clock.now()):
                    await service.engine.settle()
            yield service, sink
            stop.set()
            await working


async def test_the_service_tells_the_story_as_its_authors_wrote_it(tmp_path, sqlite_url):
    """Every article once, copies with their original, the stated hits, one message a story."""
    facts = expected()
    async with played(tmp_path, sqlite_url) as (service, sink):
        counts = await service.reports.counts(service.clock.now())
        feeds = {row.spec.name: row for row in await service.reports.feeds()}
        hits = await service.reports.hits(1000)
        shown = sink.messages(CONSOLE_CHANNEL)

    assert counts.entries == facts.entries
    assert counts.articles == {ArticleState.DONE: len(facts.articles)}
    for fact in facts.feeds:
        row = feeds[fact.name]
        assert row.entries == fact.entries, fact.name
        assert row.status is (FeedStatus.OK if fact.dies_at is None else FeedStatus.FAILING)

    found: dict[str, set[str]] = {}
    for row in hits:
        found.setdefault(row.title, set()).add(row.watch)
    for article in facts.articles:
        told = set().union(*(found.get(headline, set()) for headline in article.headlines))
        possible = {*article.hits, *article.later_hits, *article.traps}
        assert set(article.hits) <= told <= possible, article.id

    together = [a for a in facts.articles if a.twin_of and not a.furnished]
    assert counts.stories == len(facts.articles) - len(together)
    telling = [a for a in facts.articles if a.alertable and (a.hits or a.traps)]
    assert len(shown) == len(telling) - len(together)
    assert counts.deliveries == {DeliveryState.SENT: len(shown)}
    assert len({message.delivery_id for message in shown}) == len(shown)

    biggest = Counter({message.headline: len(message.also) for message in shown}).most_common(1)
    assert biggest[0][1] >= 2  # copies are named in the message, not posted


async def test_only_loopback_is_named(tmp_path, sqlite_url):
    """Nothing in the demo's configuration leads off this machine."""
    async with NewsroomServer(FakeClock(), FakeClock().now()) as newsroom:
        path = tmp_path / "feeds.toml"
        path.write_text(demo_config(newsroom.base_url), encoding="utf-8")
        settings = config.load(path, {"MONITOR_DATABASE_URL": sqlite_url})
    assert {urlsplit(spec.url).hostname for spec in settings.feeds} == {"127.0.0.1"}
    assert settings.warnings == ()
