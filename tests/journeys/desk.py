"""A reader's browser before the desk: the machine's own chromium on a service that really runs.

The newsroom is a server on loopback that publishes what a test tells it to; the service is the one
that `monitor run` starts, sixty times as fast. Nothing is loaded from outside, and what the browser
says in its console, refused by the page's policy or broken in a script, fails the test.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import Final

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright, expect

from alerts.memory import MemorySink
from monitor import config
from monitor.demo.play import FastClock
from monitor.parts import Pace
from monitor.service import Service, assembled
from tests.journeys.test_life import free_port
from tests.webserver import Reply, WebServer

SPEED: Final = 60
"""Seconds of the service in one of ours: feeds that are asked every thirty are asked twice a second."""

_FLAGS: Final = (
    "--no-sandbox",  # in a container there is none to be had
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
expect.set_options(timeout=20_000)  # milliseconds: other tests share the processors

_IMPACTS: Final = {"serious", "critical"}


def chromium() -> str:
    """The machine's browser; a test that finds none is skipped."""
    found = os.environ.get("MONITOR_CHROMIUM") or shutil.which("chromium")
    found = found or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no chromium here (Debian: apt-get install chromium)")
    return found


@dataclass
class Outlet:
    """A publisher on loopback: one feed, and the pages it lists."""

    server: WebServer
    name: str
    items: list[str] = field(default_factory=list)

    @property
    def feed(self) -> str:
        """The URL of its feed."""
        return self.server.url(f"/{self.name}/feed.xml")

    @property
    def site(self) -> str:
        """The URL of its front page, which names the feed."""
        return self.server.url(f"/{self.name}/")

    def open(self) -> None:
        """Serve a front page and a feed without entries."""
        self.server.route(
            f"/{self.name}/",
            _html(
                f'<html><head><title>{self.name}</title><link rel="alternate" '
                f'type="application/rss+xml" title="{self.name}" href="{self.feed}"></head>'
                "<body><h1>Front page</h1></body></html>"
            ),
        )
        self._serve()

    def publish(
        self, clock: FastClock, slug: str, title: str, body: str, *, language: str = "en"
    ) -> str:
        """An article, as of now: its page is served and the feed lists it. Its URL."""
        path = f"/{self.name}/{slug}"
        paragraphs = "".join(f"<p>{escape(each)}</p>" for each in body.split("\n"))
        self.server.route(
            path,
            _html(
                f'<html lang="{language}"><head><title>{escape(title)}</title></head><body>'
                f"<article><h1>{escape(title)}</h1>{paragraphs}</article></body></html>"
            ),
        )
        link = self.server.url(path)
        self.items.insert(
            0,
            f"<item><guid>{slug}</guid><title>{escape(escape(title))}</title><link>{link}</link>"
            f"<pubDate>{format_datetime(clock.now())}</pubDate></item>",
        )
        self._serve()
        return link

    def _serve(self) -> None:
        self.server.route(
            f"/{self.name}/feed.xml",
            Reply(
                f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>'
                f"<title>{self.name}</title><link>{self.site}</link>{''.join(self.items)}"
                "</channel></rss>",
                headers={"Content-Type": "application/rss+xml"},
            ),
        )


def _html(text: str) -> Reply:
    return Reply(text, headers={"Content-Type": "text/html; charset=utf-8"})


@dataclass
class Desk:
    """A running service and what stands around it."""

    service: Service
    clock: FastClock
    config: Path
    url: str
    sink: MemorySink
    server: WebServer
    outlets: Mapping[str, Outlet]

    def publish(
        self, outlet: str, slug: str, title: str, body: str, *, language: str = "en"
    ) -> str:
        """See `Outlet.publish`."""
        return self.outlets[outlet].publish(self.clock, slug, title, body, language=language)

    def opened(self, outlet: str) -> Outlet:
        """A publisher that no feed of the configuration is of."""
        room = Outlet(self.server, outlet)
        room.open()
        return room

    def save(self, text: str) -> None:
        """Another feeds.toml, as editors save it."""
        new = self.config.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.replace(self.config)

    async def alerted(self, channel: str, number: int = 1) -> None:
        """Wait until so many messages are shown in a channel."""
        async with asyncio.timeout(20):
            while len(self.sink.messages(channel)) < number:  # noqa: ASYNC110 it tells nobody
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def desk(
    folder: Path,
    database: str,
    *,
    outlets: Sequence[str] = (),
    watches: str = "",
    more: str = "",
    env: Mapping[str, str] | None = None,
) -> AsyncIterator[Desk]:
    """A service over a newsroom: `outlets` by name, tables of `watches`, and `more` of the file."""
    clock, sink = FastClock(SPEED), MemorySink()
    async with WebServer() as server:
        rooms = {name: Outlet(server, name) for name in outlets}
        feeds = ""
        for name, room in rooms.items():
            room.open()
            feeds += f'\n[[feed]]\nname = "{name}"\nurl = "{room.feed}"\ninterval = "30s"\n'
        path = folder / "feeds.toml"
        path.write_text(
            '[fetch]\nallow = ["127.0.0.1"]\nspacing = "0s"\n'
            f"[web]\nport = {free_port()}\n{more}\n{watches}\n{feeds}",
            encoding="utf-8",
        )
        environment = {"MONITOR_DATABASE_URL": database, **(env or {})}
        pace = Pace(speed=SPEED, tick=0.1, maintenance=1.0)
        settings = config.load(path, environment)
        async with assembled(settings, clock=clock, sink=sink, pace=pace) as service:
            stop, up = asyncio.Event(), asyncio.get_running_loop().create_future()
            running = asyncio.create_task(
                service.run(stop, path=path, env=environment, announce=up.set_result)
            )
            try:
                await asyncio.wait({running, up}, return_when=asyncio.FIRST_COMPLETED)
                url = up.result()
                yield Desk(service, clock, path, url, sink, server, rooms)
            finally:
                stop.set()
                await running


@contextlib.asynccontextmanager
async def reading(
    at: Desk, *, dark: bool = False, script: bool = True, may_say: str = ""
) -> AsyncIterator[Page]:
    """A browser's page before the desk; `may_say` is a pattern of what its console may hold."""
    async with async_playwright() as playwright:
        browser: Browser = await playwright.chromium.launch(
            executable_path=chromium(), args=list(_FLAGS)
        )
        context = await browser.new_context(
            base_url=at.url,
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        page = await context.new_page()
        page.set_default_timeout(20_000)
        said: list[str] = []
        outside: list[str] = []

        def heard(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                said.append(message.text)

        def asked(request: Request) -> None:
            if not request.url.startswith((at.url, "data:", "blob:")):
                outside.append(request.url)

        page.on("console", heard)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", asked)
        try:
            yield page
        finally:
            await context.close()
            await browser.close()
        told = [each for each in said if not (may_say and re.search(may_say, each))]
        assert not told, f"the browser complains: {told}"
        assert not outside, f"asked for outside: {outside}"


async def accessible(page: Page) -> None:
    """Assert that axe-core finds nothing serious on the page as it is shown now."""
    found = await Axe().run(page)
    grave = [
        f"{each['id']}: {each['help']}: {[node['html'][:200] for node in each['nodes'][:3]]}"
        for each in found.response["violations"]
        if each["impact"] in _IMPACTS
    ]
    assert not grave, f"{page.url}: {grave}"
