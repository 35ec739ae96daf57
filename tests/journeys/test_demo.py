"""The demo's six hours, minute by minute on a fake clock, held against what its authors say."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from alerts import Alert, Card
from alerts.memory import MemorySink
from monitor import config
from monitor.demo.config import NEWSDESK, OPS, demo_config
from monitor.demo.expected import expected
from monitor.demo.newsroom import HOURS
from monitor.demo.server import NewsroomServer
from monitor.model import ArticleState, DeliveryState, FeedStatus
from monitor.parts import Pace
from monitor.scheduler import submit_due
from monitor.service import assembled
from tests.fakes import FakeClock

pytestmark = pytest.mark.timeout(240)
STORIES = sa.text("SELECT title, story_id FROM article")
TOLD = sa.text("SELECT DISTINCT story_id FROM delivery")
PRECISION, RECALL = 0.75, 0.8
"""How far stories are the events that a person names: the demo tells six hours of one crisis, whose
events share their words, their names and their day."""
STEP = 2  # minutes of the newsroom between two looks at what is due


@asynccontextmanager
async def played(tmp_path, sqlite_url):
    """The service after the last hour, and its sink."""
    clock, sink = FakeClock(), MemorySink()
    start = clock.now()
    async with NewsroomServer(clock, start) as newsroom:
        path = tmp_path / "feeds.toml"
        path.write_text(demo_config(newsroom.base_url, start=start), encoding="utf-8")
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
        hits = await service.reports.catalogue.hits(1000)
        said = sink.messages(f"#{NEWSDESK}")
        ops = [card.title for card in sink.messages(f"#{OPS}")]
        story_of = dict(
            await service.store.query(lambda c: [tuple(row) for row in c.execute(STORIES)])
        )
        in_messages = set(await service.store.query(lambda c: c.execute(TOLD).scalars().all()))
        held = {*await service.store.read(lambda tx: tx.held_stories())}
        aloud = [sink.shown[f"#{NEWSDESK}"][ref].title for ref in sink.broadcast]

    shown = [message for message in said if isinstance(message, Alert)]
    [looked_back] = [card for card in said if isinstance(card, Card) and "are on." in card.title]
    assert {line.parts[0].text for line in looked_back.lines if line.bullet} <= {
        headline for fact in facts.articles if fact.backlog for headline in fact.headlines
    }
    assert counts.entries == facts.entries
    assert counts.articles == {ArticleState.DONE: len(facts.articles)}
    for fact in facts.feeds:
        row = feeds[fact.name]
        assert row.entries == fact.entries, fact.name
        assert row.status is (FeedStatus.OK if fact.dies_at is None else FeedStatus.FAILING)

    found: dict[str, set[str]] = {}
    for row in hits:
        found.setdefault(row.title, set()).add(row.hit.watch)
    for article in facts.articles:
        told = set().union(*(found.get(headline, set()) for headline in article.headlines))
        possible = {*article.hits, *article.later_hits, *article.traps}
        lasting = {*article.hits} & {*article.later_hits}  # what is read again may lose some
        assert lasting <= told <= possible, article.id

    stories = {fact.id: story_of[headline] for headline, fact in facts_by(facts, story_of)}
    assert stories.keys() == {article.id for article in facts.articles}
    for article in facts.articles:  # a copy is with its original, whatever its desk did to it
        for original in filter(None, (article.copy_of, article.twin_of)):
            assert stories[article.id] == stories[original], article.id
    for article in facts.articles:  # what is news and was found is told, or its story is, or waits
        is_news = article.alertable and not article.backlog
        story = stories[article.id]
        assert not is_news or not article.hits or story in in_messages | held, article.id
    assert stories["delhi-ledger/blast-pasni-fuel-jetty"] in held  # and in the end it was not so
    assert not held & in_messages
    replies = [card.title for card in said if isinstance(card, Card)]
    assert "Corrected" in replies
    assert any(title.startswith("Killed: ") for title in replies)
    assert any(title.startswith("Ceasefire: 4 publishers") for title in aloud)
    assert sum(title.startswith("Daily digest: ") for title in replies) == 1
    assert ops == ["Chinar Chronicle is well again", "Sarhad News is failing"]
    assert counts.deliveries == {DeliveryState.SENT: len(shown)}
    assert len({message.delivery_id for message in shown}) == len(shown) == len(in_messages)
    precision, recall = agreement(
        [(stories[a.id], a.event, a.language) for a in facts.articles if a.hits]
    )
    assert precision >= PRECISION
    assert recall >= RECALL

    biggest = max(shown, key=lambda message: message.carriers)
    assert biggest.carriers >= 10  # copies are named in the message, not posted
    assert biggest.independent < len(biggest.also)
    assert any("SPA" in message.also and message.carriers > 5 for message in shown)


def facts_by(facts, headlines):
    """The articles by the headlines that they were stored under."""
    return [(h, a) for a in facts.articles for h in a.headlines if h in headlines]


def agreement(placed):
    """B³ of stories against events as a person names them, each language by itself."""
    shares = [
        [
            sum(other == mine for other in placed)
            / sum(other[part] == mine[part] and other[2] == mine[2] for other in placed)
            for mine in placed
        ]
        for part in (0, 1)
    ]
    return [sum(each) / len(each) for each in shares]


async def test_only_loopback_is_named(tmp_path, sqlite_url):
    """Nothing in the demo's configuration leads off this machine."""
    async with NewsroomServer(FakeClock(), FakeClock().now()) as newsroom:
        path = tmp_path / "feeds.toml"
        path.write_text(demo_config(newsroom.base_url), encoding="utf-8")
        settings = config.load(path, {"MONITOR_DATABASE_URL": sqlite_url})
    assert {urlsplit(spec.url).hostname for spec in settings.feeds} == {"127.0.0.1"}
    assert settings.warnings == ()
