"""What the tests look at the page with: a client on a really served app, and a strict parser."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html.parser import HTMLParser

import aiohttp
from lxml import html
from multidict import CIMultiDictProxy
from prometheus_client import CollectorRegistry

from monitor.ports import Reports
from monitor.web import WebServer, create_app
from tests.fakes import FakeClock
from tests.web.samples import NOW, FixedHealth, MemoryReports

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

_VOID = {"br", "hr", "img", "input", "link", "meta"}


@dataclass(frozen=True)
class Answer:
    """A response, read to its end."""

    status: int
    headers: CIMultiDictProxy[str]
    text: str

    @property
    def page(self) -> html.HtmlElement:
        """The answer as a tree, after `StrictParser` had nothing to say."""
        StrictParser().check(self.text)
        return html.document_fromstring(self.text)


class Browser:
    """Asks one site."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self.url = url

    async def get(self, path: str = "/", *, method: str = "GET", **headers: str) -> Answer:
        """Ask for a path as a browser would; headers by name, `_` for `-`. Follows nothing."""
        return await self._ask(method, path, headers)

    async def post(self, path: str, data: object, **headers: str) -> Answer:
        """Send a form as this page's own would be; a header that is empty is left out."""
        own = {"Origin": self.url.rstrip("/"), "Sec_Fetch_Site": "same-origin"} | headers
        return await self._ask("POST", path, {k: v for k, v in own.items() if v}, data)

    async def submit(self, path: str, **headers: str) -> Answer:
        """Load a page and send the form on it."""
        return await self.post(path, fields_of((await self.get(path)).page), **headers)

    def forget(self) -> None:
        """Drop all cookies."""
        self._session.cookie_jar.clear()

    async def _ask(self, method: str, path: str, headers, data: object = None) -> Answer:
        own = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._session.request(
            method,
            self.url.rstrip("/") + path,
            headers=HTML | own,
            data=data,
            allow_redirects=False,
        ) as response:
            return Answer(response.status, response.headers, await response.text())


@contextlib.asynccontextmanager
async def browsing(
    reports: Reports | None = None,
    health: FixedHealth | None = None,
    *,
    clock: FakeClock | None = None,
    registry: CollectorRegistry | None = None,
    **options,
) -> AsyncIterator[Browser]:
    """A browser on a served page; everything is fine and empty unless told otherwise."""
    app = create_app(
        reports or MemoryReports(),
        health or FixedHealth(),
        clock or FakeClock(NOW),
        registry=registry or CollectorRegistry(),
        **options,
    )
    jar = aiohttp.CookieJar(unsafe=True)  # from addresses, as browsers do
    async with (
        WebServer(app, "127.0.0.1", 0) as server,
        aiohttp.ClientSession(cookie_jar=jar) as session,
    ):
        yield Browser(session, server.url)


class StrictParser(HTMLParser):
    """Refuses what browsers would quietly mend: unbalanced tags, doubled attributes and ids."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []
        self._ids: set[str] = set()

    def check(self, text: str) -> None:
        """Raise AssertionError at the first fault."""
        assert text.startswith("<!doctype html>")
        self.feed(text)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"doubled attribute in <{tag}> at {self.getpos()}"
        for name, value in attrs:
            if name == "id":
                assert value not in self._ids, f"doubled id {value}"
                self._ids.add(value or "")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing at {self.getpos()}"
        assert self._open.pop() == tag, f"</{tag}> is crossed at {self.getpos()}"


def fields_of(page: html.HtmlElement) -> dict[str, str]:
    """What the page's form holds."""
    [form] = page.xpath("//form[@method='post']")
    return {field.get("name"): field.get("value") for field in form.iter("input")}


def words_of(element: html.HtmlElement) -> str:
    """An element's text, white space made one."""
    return " ".join(element.text_content().split())
