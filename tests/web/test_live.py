"""What open pages are told while they are open: server-sent events, as a browser reads them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
import pytest
from lxml import html

from monitor.model import DeliveryState, StoryId
from monitor.ports import Marks
from monitor.storage import SqlReports, SqlStore
from monitor.web import WebServer, create_app
from monitor.web import live as web_live
from monitor.web.live import read_marks, write_marks
from tests.contracts.archive import Archive
from tests.contracts.material import CEASEFIRE, NOW
from tests.fakes import FakeClock
from tests.web.browser import words_of
from tests.web.samples import FixedHealth

SOON = 10  # seconds: a page that is told nothing in that time is told nothing
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True)
class Event:
    """What a browser hands to a page."""

    kind: str
    id: str
    data: dict


class Page:
    """An open page."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def next(self, kind: str = "story") -> Event:
        """The next event of a kind."""
        async with asyncio.timeout(SOON):
            while True:
                fields: dict[str, str] = {}
                while line := (await self._response.content.readline()).decode().rstrip("\n"):
                    name, _, value = line.partition(": ")
                    fields[name] = value
                if self._response.content.at_eof():
                    raise EOFError
                if fields.get("event") == kind:
                    return Event(kind, fields.get("id", ""), json.loads(fields["data"]))

    async def story(self) -> str:
        """What the next story says."""
        return words_of(html.fragment_fromstring((await self.next()).data["html"]))


class Newsroom:
    """A database that another process writes to, and a page of it that is served."""

    def __init__(self, store: SqlStore, archive: Archive) -> None:
        self.store = store
        self._archive = archive
        self._minutes = 0

    async def find(self, title: str, *, story: int | None = None) -> StoryId:
        """Something is found in a new article."""
        self._minutes += 1
        story = story or self._archive.story(NOW)
        at = NOW + self._minutes * MINUTE
        self._archive.article(at, CEASEFIRE.name, story=story, title=title)
        await self._archive.save(self.store)
        return StoryId(story)

    async def tell(self, story: StoryId) -> None:
        """Its message is shown: in one transaction, so that nobody sees it on its way."""

        def work(tx):
            tx.want_delivery(story, "#news", NOW)
            row = tx.claim_due("#news", NOW, HOUR)
            tx.finish_delivery(row.id, DeliveryState.SENT, NOW)
            tx.note_outcome([row.id], "sent", NOW)

        await self.store.write(work)

    async def marks(self) -> str:
        return write_marks(await SqlReports(self.store).news.marks())

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        clock = FakeClock(NOW + HOUR)
        app = create_app(SqlReports(self.store), FixedHealth(), clock)
        async with WebServer(app, "127.0.0.1", 0) as server:
            yield server.url.rstrip("/")


def of(store: SqlStore) -> Newsroom:
    archive = Archive()
    archive.watch(CEASEFIRE, NOW)
    return Newsroom(store, archive)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A watcher that looks again at once."""
    monkeypatch.setattr(web_live, "EVERY", 0.02)


@pytest.fixture
async def newsroom(sqlite_store: SqlStore) -> Newsroom:
    return of(sqlite_store)


@contextlib.asynccontextmanager
async def opened(url: str, query: str = "", **headers: str) -> AsyncIterator[Page]:
    """A page that hears what happens from now on."""
    own = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/live?{query}", headers=own) as response,
    ):
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        page = Page(response)
        await page.next("strip")  # by now the watcher knows where things stand
        yield page


async def test_what_is_found_is_told_as_the_page_shows_it(store: SqlStore):
    """And what becomes of it, whoever wrote it; each once."""
    newsroom = of(store)
    async with newsroom.serving() as url, opened(url) as page:
        story = await newsroom.find("Guns fall silent")
        first = await page.next()
        assert first.data["story"] == story
        item = html.fragment_fromstring(first.data["html"])
        assert (item.tag, item.get("id")) == ("li", f"story-{story}")
        assert words_of(item).startswith(
            "59 min ago Guns fall silent Dawn original Body. Ceasefire H"
        )
        assert "no alert" in words_of(item)
        await newsroom.tell(story)
        assert "alerted #news" in await page.story()
        await newsroom.find("Another")
        assert "Another" in await page.story()


async def test_a_page_is_told_what_it_shows_and_nothing_else(newsroom: Newsroom):
    """By the filters of its URL, which are the page's."""
    async with newsroom.serving() as url, opened(url, "q=guns") as page:
        await newsroom.find("Nothing to see")
        await newsroom.find("Guns fall silent")
        assert "Guns fall silent" in await page.story()


@pytest.mark.parametrize("how", ["since", "Last-Event-ID"])
async def test_who_was_away_is_told_the_rest(newsroom: Newsroom, how: str):
    """From where the page was made, or heard last."""
    await newsroom.find("Known")
    marks = await newsroom.marks()
    missed = await newsroom.find("Missed")
    told = {"query": f"since={marks}"} if how == "since" else {"Last_Event_ID": marks}
    async with newsroom.serving() as url, aiohttp.ClientSession() as session:
        headers = {"Last-Event-ID": marks} if how != "since" else {}
        query = told.get("query", "")
        async with session.get(f"{url}/live?{query}", headers=headers) as response:
            event = await Page(response).next()
    assert event.data["story"] == missed
    assert read_marks(event.id) is not None


async def test_who_was_away_for_long_had_better_load_the_page_anew(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
):
    """Instead of being told of everything."""
    monkeypatch.setattr(web_live, "TOGETHER", 2)
    for number in range(3):
        await newsroom.find(f"Story {number}")
    async with (
        newsroom.serving() as url,
        aiohttp.ClientSession() as session,
        session.get(f"{url}/live?since=0.0.0") as response,
    ):
        assert (await Page(response).next("missed")).data == {"stories": 3}


async def test_only_so_many_pages_are_live(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch):
    """One more is told to ask later, and one that leaves makes room."""
    monkeypatch.setattr(web_live, "MOST", 1)
    async with newsroom.serving() as url, aiohttp.ClientSession() as session:
        async with opened(url), session.get(f"{url}/live") as refused:
            assert (refused.status, refused.headers["Retry-After"]) == (503, "30")
        for _ in range(100):
            async with session.get(f"{url}/live") as again:
                if again.status == 200:
                    break
            await asyncio.sleep(0.02)
        assert again.status == 200


async def test_open_pages_do_not_keep_the_service_from_stopping(newsroom: Newsroom):
    """Each is ended at once."""
    async with contextlib.AsyncExitStack() as stack:
        serving = newsroom.serving()
        url = await serving.__aenter__()
        pages = [await stack.enter_async_context(opened(url)) for _ in range(3)]
        began = time.monotonic()
        await serving.__aexit__(None, None, None)
        assert time.monotonic() - began < 0.8
        for page in pages:
            with pytest.raises((EOFError, aiohttp.ClientError)):
                await page.next()


async def test_what_a_feed_says_stays_within_its_event(newsroom: Newsroom):
    """Line ends in a headline neither end an event nor begin another; HTML is text."""
    async with newsroom.serving() as url, opened(url) as page:
        await newsroom.find("a\n\nevent: strip\ndata: {}\n\n<img src=x onerror=alert(1)>\r\u2028b")
        event = await page.next()
    item = html.fragment_fromstring(event.data["html"])
    assert "<img src=x onerror=alert(1)>" in words_of(item)
    assert not [*item.iter("img")]


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("1.2.3", Marks(hit=1, outcome=2, deed=3)),
        ("", None),
        ("1.2", None),
        ("1.2.x", None),
        ("-1.2.3", None),
        ("1.2.3.4", None),
        (f"1.2.{'9' * 30}", None),
    ],
)
def test_marks_are_read_as_they_are_written(text: str, marks: Marks | None):
    """What is no mark is none: the page is told from now on."""
    assert read_marks(text) == marks
    if marks is not None:
        assert write_marks(marks) == text
