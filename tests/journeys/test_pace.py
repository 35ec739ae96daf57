"""A flood at a real service, which is killed in the middle of it."""

from __future__ import annotations

import asyncio
import json
from email.utils import formatdate

from monitor.demo.slack import SlackDouble
from tests.journeys.test_life import Operator, operator  # noqa: F401 a fixture
from tests.webserver import Reply

STORIES = 14


def flood(desk: Operator) -> None:
    """A feed that lists many articles about many things, each with a ceasefire in it."""
    items = ""
    for number in range(STORIES):
        words = " ".join(f"word{number}x{n}" for n in range(80))
        page = f"<html><body><article><h1>Headline {number}</h1><p>A ceasefire: {words}.</p>"
        desk.server.route(f"/{number}", Reply(page, headers={"Content-Type": "text/html"}))
        link = desk.server.url(f"/{number}")
        items += (
            f"<item><title>Headline {number}</title><link>{link}</link><guid>{link}</guid>"
            f"<pubDate>{formatdate(usegmt=True)}</pubDate></item>"
        )
    feed = f'<rss version="2.0"><channel><title>S</title>{items}</channel></rss>'
    desk.server.route("/rss", Reply(feed, headers={"Content-Type": "application/rss+xml"}))


def told(slack: SlackDouble) -> list[str]:
    """Every headline that the channel shows, as often as it does."""
    shown = json.dumps(slack.messages("newsdesk"))
    return [
        f"Headline {number}"
        for number in range(STORIES)
        for _ in range(shown.count(f'"text": "Headline {number}"'))
    ]


async def test_a_flood_is_told_once_however_often_the_service_is_killed(operator) -> None:  # noqa: F811
    """Ten messages and a list of the others; no story is missing, none is there twice."""
    async with SlackDouble() as slack:
        slack.add_channel("newsdesk")
        flood(operator)
        operator.write("ceasefire", extra='[slack]\nchannel = "#newsdesk"\n')
        operator.config.write_text(
            operator.config.read_text().replace("[fetch]", '[fetch]\nspacing = "0s"')
        )
        env = {"SLACK_BOT_TOKEN": slack.token, "SLACK_API_URL": slack.url}
        for messages in (2, 9):
            async with operator.running(**env) as service:
                await slack.wait_for(messages, "newsdesk")
                service.process.kill()
                await service.process.wait()
        async with operator.running(**env) as service:
            async with asyncio.timeout(60):
                while len(told(slack)) < STORIES:  # noqa: ASYNC110 the double rings no bell for edits
                    await asyncio.sleep(0.1)
            assert await service.stop() == 0
        assert sorted(told(slack)) == sorted(f"Headline {number}" for number in range(STORIES))
        assert len(slack.messages("newsdesk")) == 11
