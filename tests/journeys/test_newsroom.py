"""The whole path on real pages: newsroom → database → Slack, run again, and killed on the way."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from monitor.demo.slack import SlackDouble
from tests.conftest import PROJECT
from tests.journeys.killed import INSTANTS
from tests.journeys.newsroom import EVERYTHING, MATTERS, Newsroom, feeds_toml, newsroom
from tests.webserver import WebServer

pytestmark = pytest.mark.timeout(240)


@dataclass
class Site:
    """The newsroom served, a Slack, and a folder for the service."""

    room: Newsroom
    server: WebServer
    slack: SlackDouble
    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    query: str = ""

    @property
    def database(self) -> Path:
        return self.folder / "monitor.db"

    async def work(self, instant: str | None = None) -> int:
        """Let the service do what is due; returns its exit status (-9: it killed itself)."""
        config = self.folder / "feeds.toml"
        config.write_text(feeds_toml(self.room, self.server, query=self.query), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.journeys.killed",
            str(config),
            *([instant] if instant else []),
            cwd=PROJECT,
            env={
                "PATH": os.environ["PATH"],
                "MONITOR_DATABASE_URL": f"sqlite:///{self.database}",
                "SLACK_BOT_TOKEN": self.slack.token,
                "SLACK_API_URL": self.slack.url,
                **self.env,
            },
            stderr=asyncio.subprocess.PIPE,
        )
        _, log = await process.communicate()
        (self.folder / "log").write_bytes(log)
        status = process.returncode
        assert status in {0, -signal.SIGKILL}, log.decode()[-3000:]
        assert b"job.crashed" not in log, log.decode()[-3000:]
        return status

    def state(self) -> dict[str, object]:
        """What the database says, without ids and times."""
        with closing(sqlite3.connect(self.database)) as db:
            ask = lambda sql: sorted(db.execute(sql).fetchall())  # noqa: E731
            return {
                "entries": ask(
                    "SELECT feed.name, guid, article.url FROM entry JOIN feed ON feed.id = entry.feed_id"
                    " JOIN article ON article.id = article_id"
                ),
                "articles": ask("SELECT url, state, source, length(body) FROM article"),
                "hits": ask(
                    "SELECT article.url, watch.name, spans FROM hit"
                    " JOIN article ON article.id = article_id JOIN watch ON watch.id = watch_id"
                ),
                "deliveries": ask(
                    "SELECT article.url, channel, delivery.state FROM delivery"
                    " JOIN article ON article.story_id = delivery.story_id"
                ),
                "leased": ask("SELECT id FROM feed WHERE lease_until IS NOT NULL")
                + ask("SELECT id FROM article WHERE lease_until IS NOT NULL")
                + ask("SELECT id FROM delivery WHERE lease_until IS NOT NULL"),
            }

    def stories(self) -> dict[int, set[str]]:
        """The stories as sets of article ids."""
        found: dict[int, set[str]] = {}
        with closing(sqlite3.connect(self.database)) as db:
            for story, url in db.execute("SELECT story_id, url FROM article"):
                found.setdefault(story, set()).add(self.room.articles[urlsplit(url).path])
        return found

    def shown(self) -> list[str]:
        """The delivery ids in the channel, as Slack keeps them."""
        return [
            message["metadata"]["event_payload"]["delivery_id"]
            for message in self.slack.messages("newsdesk")
        ]


@pytest.fixture
async def site(corpus, tmp_path):
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(WebServer(port=0))
        slack = await stack.enter_async_context(SlackDouble())
        slack.add_channel("newsdesk")
        room = newsroom(corpus)
        room.serve(server)
        yield Site(room=room, server=server, slack=slack, folder=tmp_path)


def paths(urls) -> set[str]:
    return {urlsplit(url).path for url in urls}


def check_promises(site: Site) -> None:
    """What the manifest says is what is stored and shown."""
    state = site.state()
    assert len(state["articles"]) == len(site.room.articles)
    assert len(state["entries"]) == site.room.items
    assert {row[1] for row in state["articles"]} == {"done"}
    assert paths(row[0] for row in state["hits"]) == site.room.hits()
    assert {row[2] for row in state["deliveries"]} == {"sent"}
    assert state["leased"] == []
    assert len(site.shown()) == len(set(site.shown())) == len(site.room.hits())


async def test_the_newsroom_arrives_as_its_manifest_says(site):
    """55 pages in 8 feeds, each listed twice: 55 articles, and one message for each that hits."""
    assert await site.work() == 0
    assert (len(site.room.articles), site.room.items) == (55, 110)
    check_promises(site)


@pytest.mark.slow
async def test_the_newsroom_is_in_the_stories_that_a_person_would_name(site):
    """55 pages that everybody watches: only what reports one matter is together, in two languages."""
    site.query = EVERYTHING
    assert await site.work() == 0
    assert {row[0] for row in site.state()["hits"]} == {row[0] for row in site.state()["articles"]}
    stories = site.stories()
    together = [ids for ids in stories.values() if len(ids) > 1]
    assert sum(map(len, stories.values())) == 55
    assert [ids for ids in together if not any(ids <= matter for matter in MATTERS)] == []
    assert {"EuronewsEN_2026_01_06", "EuronewsDE_2026_01_06"} in together


async def test_a_second_run_adds_nothing(site):
    """Nothing is fetched, stored or shown again."""
    await site.work()
    before, messages, asked = site.state(), site.slack.messages(), len(site.server.requests)
    await site.work()
    assert site.state() == before
    assert site.slack.messages() == messages
    assert len(site.server.requests) == asked  # a restart polls nothing early


OFTEN = {"article uncommitted", "message shown, answer lost"}
"""The others are met by `make test-slow`."""


@pytest.mark.parametrize(
    "instant",
    [pytest.param(each, marks=[pytest.mark.slow] * (each not in OFTEN)) for each in INSTANTS],
)
async def test_killed_at_any_instant_it_ends_in_the_same_state(site, instant):
    """Kill -9, then a restart: nothing is lost and nobody is told twice."""
    site.room = site.room.only("americas-atom", "africa-jsonfeed", "southasia-pacific-rss2")
    assert len(site.room.hits()) == 3
    assert await site.work(instant) == -signal.SIGKILL
    assert await site.work() == 0
    check_promises(site)
