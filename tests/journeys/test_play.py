"""``monitor demo`` from its first line to its last, with somebody who presses a button meanwhile."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal

import aiohttp
import pytest
from rich.console import Console

from monitor.demo.play import play
from tests.journeys.test_life import free_port

pytestmark = pytest.mark.timeout(240)
SPEED = 4.0  # minutes for all: an alert comes within seconds, and there is time to press


async def until(said, *, seconds: float = 120):
    """What is found as soon as there is something."""
    async with asyncio.timeout(seconds):
        while not (found := await said()):  # noqa: ASYNC110 over HTTP
            await asyncio.sleep(0.2)
        return found


async def test_an_alert_comes_is_acknowledged_and_says_so():
    """Over HTTP and WebSocket, in the page that the first lines name; Ctrl-C ends it."""
    screen = io.StringIO()
    console = Console(file=screen, width=200)
    playing = asyncio.create_task(play(minutes=SPEED, port=free_port(), console=console))

    async def addresses():
        assert not playing.done() or playing.result()
        return re.findall(r"^(?:The page|Its Slack): +(http\S+)", screen.getvalue(), re.MULTILINE)

    desk, slack = await until(addresses)
    async with aiohttp.ClientSession() as browser:

        async def page():
            async with browser.get(slack) as answer:
                return await answer.text()

        async def button():
            return re.search(
                r'name="channel" value="(\w+)"><input type="hidden" name="ts" value="([\d.]+)">'
                r'<button name="action" value="see"',
                await page(),
            )

        found = await until(button)
        form = {"channel": found[1], "ts": found[2], "action": "see"}
        async with browser.post(
            f"{slack}press", data=form, headers={"Origin": slack.rstrip("/")}
        ) as answer:
            assert answer.status == 200

        async def seen():
            return "✓ seen by Asha" in await page()

        await until(seen)
        async with browser.get(desk) as answer:
            assert answer.status == 200
    os.kill(os.getpid(), signal.SIGINT)
    counts = await playing

    assert counts.hits
    lines = screen.getvalue().splitlines()
    assert lines[0].startswith("A newsroom of 14 feeds plays 6 hours of an invented crisis")
    assert any(re.match(r"\d\d:\d\d  #newsdesk  \S", line) for line in lines)
