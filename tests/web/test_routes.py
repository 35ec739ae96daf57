"""Every route that there is, found in the app: what is guarded, and who is refused.

New pages are covered as soon as they have a route.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest
from lxml import html
from prometheus_client import CollectorRegistry
from starlette.routing import BaseRoute, Mount, Route

from monitor.config import Settings
from monitor.fetch.client import HttpFetcher
from monitor.model import FeedSpec
from monitor.storage import SqlReports, SqlStore
from monitor.web import Decisions, Pushes, Scout, create_app
from monitor.web.editor import Editor
from monitor.web.security import FORM_HEADERS, HEADERS
from tests.contracts.material import NOW
from tests.fakes import FakeClock
from tests.pipeline.desk import HOUR
from tests.web.samples import FixedHealth
from tests.web.test_access import FAR, READ_TOKEN, TOKEN, TOKENS, Answer, Browser
from tests.web.test_api import Newsroom, filled

OPEN = {"/login", "/livez", "/healthz", "/readyz", "/metrics", "/favicon.ico"}
PLACES = {
    "watch": "Ceasefire",
    "name": "style.css",
    "delivery": "0" * 32,
    "message": "0" * 32,
    "what": "remove",
    "token": "A" * 43,
}
FILE = '[web]\neditable = true\n[[watch]]\nname = "Ceasefire"\nterms = ["ceasefire"]\n'


@dataclass(frozen=True)
class Door:
    """A path that something is answered at, and how it may be asked."""

    path: str
    methods: frozenset[str]

    @property
    def is_open(self) -> bool:
        return self.path in OPEN or self.path.startswith(("/static/", "/websub/"))

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/v1/")


def doors(routes: Sequence[BaseRoute], before: str = "") -> Iterator[Door]:
    """All of them, with something in the place of what a path leaves open."""
    for route in routes:
        if isinstance(route, Mount):
            yield from doors(route.routes or [], before + route.path)
        elif isinstance(route, Route):
            path = re.sub(r"{(\w+)(:\w+)?}", lambda found: PLACES.get(found[1], "1"), route.path)
            path = path.replace("/watches/style.css", "/watches/Ceasefire")
            yield Door(before + path, frozenset(route.methods or ()))


@pytest.fixture
async def newsroom(sqlite_store: SqlStore) -> Newsroom:
    return await filled(sqlite_store)


@pytest.fixture
async def app(newsroom: Newsroom, tmp_path):
    """With all that a page can be given."""
    clock = FakeClock(NOW + HOUR)
    file = tmp_path / "feeds.toml"
    file.write_text(FILE, encoding="utf-8")
    settings = Settings(feeds=(FeedSpec(url="https://a.example/", name="A", publisher="A"),))
    async with HttpFetcher(clock=clock, user_agent="test") as http:
        yield create_app(
            SqlReports(newsroom.store),
            FixedHealth(),
            clock,
            registry=CollectorRegistry(),
            doors=TOKENS,
            decisions=Decisions(newsroom.store, clock, lambda: newsroom.rules),
            pushes=Pushes(newsroom.store, clock, lambda: newsroom.rules),
            editor=Editor(file, {}, lambda: settings),
            scout=Scout(
                store=newsroom.store,
                fetcher=http,
                offload=None,
                settings=lambda: settings,
                pause=lambda _: timedelta(0),
            ),
        )


async def logged_in(app, token: str = TOKEN) -> Browser:
    browser = Browser(app, peer=FAR, host="192.0.2.1")
    assert (await browser.log_in(token)).status == 303
    return browser


async def test_every_page_keeps_to_its_policy(app):
    """Its headers are the guard's; nothing in it runs, is styled, or is loaded from elsewhere."""
    browser = await logged_in(app)
    seen = 0
    for door in doors(app.routes):
        if "GET" not in door.methods:
            continue
        async with asyncio.timeout(20):
            answer = await browser.get(door.path)
        assert answer.status < 500, (door, answer.text)
        assert_guarded(door, answer)
        if answer.headers.get("content-type", "").startswith("text/html"):
            seen += 1
            assert_harmless(door, html.document_fromstring(answer.text))
    assert seen > 20


def assert_guarded(door: Door, answer: Answer) -> None:
    """What every answer says."""
    headers = answer.headers
    policies = {HEADERS["Content-Security-Policy"], FORM_HEADERS["Content-Security-Policy"]}
    assert headers["content-security-policy"] in policies, door
    assert headers["referrer-policy"] in {"no-referrer", "same-origin"}, door
    for name in HEADERS.keys() - {"Content-Security-Policy", "Referrer-Policy"}:
        assert headers[name] == HEADERS[name], door
    assert "access-control-allow-origin" not in headers, door
    assert headers["cache-control"].startswith(("no-store", "private")) or door.is_open, door
    for cookie in headers.getlist("set-cookie"):
        assert re.search("; HttpOnly; .*; SameSite=strict", cookie), door


def assert_harmless(door: Door, page: html.HtmlElement) -> None:
    """Nothing that the policy would stop, and no link that tells where somebody came from."""
    assert page.xpath("//script[not(@src)] | //style | //base | //iframe | //object") == [], door
    assert page.xpath("//@*[name()='style' or starts-with(name(), 'on')]") == [], door
    for value in page.xpath("//img/@src | //script/@src | //link/@href"):
        assert re.match("/(?!/)", value), (door, value)
    for value in page.xpath("//form/@action | //button/@formaction"):
        assert re.match(r"/(?!/)|\?|$", value), (door, value)
    for link in page.xpath("//a[@href]"):
        href = link.get("href")
        assert re.match(r"https?://|[/#?]|mailto:", href), (door, href)
        if re.match("https?:", href) and not href.startswith("http://192.0.2.1"):
            assert {"noopener", "noreferrer", "nofollow"} <= set(link.get("rel", "").split()), (
                door,
                href,
            )
    for form in page.xpath("//form[@method='post']"):
        assert form.xpath(".//input[@name='token']/@value"), door


async def test_strangers_get_nowhere(app):
    """Whatever they ask for, and however; but for what is open, and that tells nothing."""
    stranger = Browser(app, peer=FAR, host="192.0.2.1")
    for door in doors(app.routes):
        for method in sorted(door.methods):
            answer = await stranger.get(door.path, method=method, Accept="*/*")
            if door.is_open:
                assert "easefire" not in answer.text
                assert answer.status in {200, 403, 404, 410}, door
            else:
                assert answer.status == 401, (door, method)
                assert "easefire" not in answer.text
            assert_guarded(door, answer)


async def test_nothing_is_changed_without_a_form_of_ours(app, newsroom: Newsroom):
    """A POST of somebody who may write, but not from this page; and of who may only read."""
    before = await everything(newsroom)
    writer, reader = await logged_in(app), await logged_in(app, READ_TOKEN)
    changing = [door for door in doors(app.routes) if door.methods - {"GET", "HEAD"}]
    assert len(changing) > 15
    for door in changing:
        if door.path.startswith("/websub/"):
            continue
        for browser in (writer, reader):
            for headers in (
                {"Origin": ""},
                {"Origin": "https://evil.example"},
                {"Sec_Fetch_Site": "cross-site"},
                *([] if door.is_api else [{}]),  # ours, without the form's token
            ):
                answer = await browser.post(door.path, {"url": "https://b.example/"}, **headers)
                assert answer.status == 403, (door, headers, answer.text)
                assert_guarded(door, answer)
    assert await everything(newsroom) == before


async def everything(newsroom: Newsroom) -> object:
    """What could have been changed."""
    reports = SqlReports(newsroom.store)
    return (
        [await reports.story(story) for story in newsroom.stories],
        await reports.deliveries(100),
        [(feed.spec, feed.due_at) for feed in await reports.feeds()],
        await reports.audit(100),
    )
