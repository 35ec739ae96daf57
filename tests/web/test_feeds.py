"""Feeds on the page over a real database: how they are, and how one is added, asked, taken out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from monitor import config, opml
from monitor.config import Settings
from monitor.fetch import HttpFetcher
from monitor.model import DueBy, Feed, FeedEvent, FeedEventKind, FeedSpec, FeedStatus, Health
from monitor.ports import FeedUpdate
from monitor.storage import SqlReports, SqlStore
from monitor.web import Scout
from monitor.web.editor import Editor
from monitor.web.feed_changes import drafted
from tests.contracts.material import LEASE, NOW, found, polled
from tests.fakes import FakeClock
from tests.web.browser import Answer, Browser, browsing, fields_of, words_of
from tests.webserver import Reply, WebServer

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
FILE = """\
# Ask Mina before you change this.
[web]
editable = true

[fetch]
allow = ["127.0.0.0/8"]

[[watch]]
name  = "Ceasefire"
terms = ["ceasefire"]

[[feed]]
name = "Wire"
url  = "https://a.example/rss.xml"
side = "india"
tags = ["asia"]

# slow, and worth it
[[feed]]
name      = "ڈان"
url       = "https://b.example/rss.xml"
publisher = "Dawn <b>"
language  = "ur"
"""
RSS = """<rss version="2.0"><channel><title>World | The Post</title><language>en</language>
<item><guid>1</guid><title>&lt;script&gt;alert(1)&lt;/script&gt; Truce</title><link>https://p.example/1</link></item>
</channel></rss>"""
PAGE = """<!DOCTYPE html><html><head><title>Post</title>
<link rel="alternate" type="application/rss+xml" title="World | The Post" href="/rss.xml">
<link rel="alternate" type="application/rss+xml" title="The same" href="/copy.xml">
<link rel="alternate" type="application/rss+xml" title="Gone" href="/gone.xml">
</head><body></body></html>"""
HTML = {"Content-Type": "text/html; charset=utf-8"}


class Here:
    """Does what a worker process would do, at once."""

    async def ready(self):
        """At any time."""

    async def run(self, function, *args, timeout):
        del timeout
        return function(*args)


@dataclass
class Office:
    """A service that takes over its file as soon as it is saved."""

    store: SqlStore
    path: Path
    server: WebServer
    fetcher: HttpFetcher
    settings: Settings = field(default_factory=Settings)
    feeds: dict[str, Feed] = field(default_factory=dict)

    async def take_over(self) -> None:
        settings = config.load(self.path, {})
        await self.store.write(lambda tx: tx.sync_feeds(settings.feeds, NOW))
        self.settings = settings

    async def poll(self, **updates: FeedUpdate) -> None:
        """Have feeds polled with these ends, by their names."""
        claimed = await self.store.write(
            lambda tx: [f for b in range(64) for f in tx.claim_feeds(b, NOW, LEASE, 50)]
        )
        self.feeds |= {feed.spec.name: feed for feed in claimed}
        ends = {feed.id: updates.get(name, polled(NOW)) for name, feed in self.feeds.items()}
        await self.store.write(lambda tx: tx.save_feeds(ends))

    @contextlib.asynccontextmanager
    async def browsing(self, **options) -> AsyncIterator[Browser]:
        clock = FakeClock(NOW + 60 * MINUTE)
        options.setdefault(
            "scout",
            Scout(
                store=self.store,
                fetcher=self.fetcher,
                offload=Here(),
                settings=lambda: self.settings,
                pause=lambda _: timedelta(seconds=1),
            ),
        )
        options.setdefault("editor", Editor(self.path, {}, lambda: self.settings))
        async with browsing(SqlReports(self.store), clock=clock, **options) as browser:
            following = asyncio.create_task(self._follow())
            yield browser
            following.cancel()

    async def _follow(self) -> None:
        text = self.path.read_text()
        while True:
            await asyncio.sleep(0.02)
            if self.path.read_text() != text:
                text = self.path.read_text()
                await self.take_over()


@pytest.fixture
async def office(sqlite_store: SqlStore, tmp_path: Path) -> AsyncIterator[Office]:
    """Two feeds, and a site that has more."""
    path = tmp_path / "feeds.toml"
    path.write_text(FILE)
    async with (
        WebServer() as server,
        HttpFetcher(
            clock=FakeClock(), user_agent="monitor/test", timeout=5, allow=("127.0.0.1",)
        ) as fetcher,
    ):
        server.route("/", Reply(PAGE, headers=HTML))
        server.route("/rss.xml", Reply(RSS))
        server.route("/copy.xml", Reply(RSS))
        server.route("/gone.xml", Reply("", status=410))
        office = Office(sqlite_store, path, server, fetcher)
        await office.take_over()
        yield office


def said(answer: Answer, path: str = "//main") -> str:
    """The words of the page."""
    return words_of(answer.page.xpath(path)[0])


# --------------------------------------------------------------------------- looking


async def test_the_list_tells_how_feeds_are_and_why_they_are_polled_then(office: Office) -> None:
    """Those in trouble first, with a sentence; words of the world as text."""
    await office.poll(
        ڈان=polled(
            NOW + 70 * MINUTE,
            status=FeedStatus.FAILING,
            failures=3,
            health=Health.FAILING,
            health_since=NOW,
            error_code="timeout",
            error_detail="no answer <b>",
            due_by=DueBy.BACKOFF,
        ),
        Wire=polled(NOW + 90 * MINUTE, due_by=DueBy.HINT),
    )
    async with office.browsing() as browser:
        page = await browser.get("/feeds")
        first, second = [words_of(row) for row in page.page.xpath("//tbody/tr")]
        assert first.startswith("failing ڈان Dawn <b> since 1 h ago")
        assert "The server did not answer in time. no answer <b> · failed 3 times in a row" in first
        assert "in 10 min it failed: asked ever less often" in first
        assert second.startswith("live Wire india")
        assert "in 30 min it asks to be left alone until then" in second
        assert "all 2" in said(page, "//ul[@class='pills']")
        only = await browser.get("/feeds?state=trouble&sort=name&q=dawn")
        assert len(only.page.xpath("//tbody/tr")) == 1
        assert only.page.xpath("//input[@name='q']/@value") == ["dawn"]
        none = await browser.get("/feeds?side=nobody&page=7&state=odd&sort=odd")
        assert "No feed is all of this." in said(none)


async def test_a_list_without_feeds_says_what_to_do(office: Office) -> None:
    """The first start."""
    await office.store.write(lambda tx: tx.sync_feeds([], NOW))
    async with office.browsing() as browser:
        page = await browser.get("/feeds")
        assert "No feed is declared." in said(page)
        assert page.page.xpath("//a[@href='/feeds/add']")
    async with office.browsing(scout=None, editor=None) as browser:
        assert not (await browser.get("/feeds")).page.xpath("//a[@href='/feeds/add']")


async def test_a_feed_is_told_whole(office: Office) -> None:
    """Health, rhythm, manners, week, delays, history, entries."""
    await office.poll()
    wire = office.feeds["Wire"]
    [again] = await office.store.write(
        lambda tx: [
            f for b in range(64) for f in tx.claim_feeds(b, NOW, LEASE, 50) if f.id == wire.id
        ]
    )
    event = FeedEvent(kind=FeedEventKind.ERROR, at=NOW, detail="timeout: no answer <i>")
    gap = FeedEvent(kind=FeedEventKind.GAP, at=NOW, detail="", until=NOW + MINUTE, count=2)
    turn = FeedEvent(kind=FeedEventKind.HEALTH, at=NOW, detail="live>silent")
    move = FeedEvent(kind=FeedEventKind.MOVE, at=NOW, detail="https://new.example/")

    def poll(tx) -> None:
        tx.add_entries(again, [found(f"n{n}", title="<i>Truce</i>") for n in range(6)], NOW)
        tx.save_feeds({again.id: polled(NOW + DAY, events=(event, gap, turn, move))})

    await office.store.write(poll)
    async with office.browsing() as browser:
        page = await browser.get(f"/feeds/{wire.id}")
        words = said(page)
        facts = dict(
            zip(
                *(map(words_of, page.page.xpath(f"//dl//{tag}")) for tag in ("dt", "dd")),
                strict=True,
            )
        )
        assert facts["Next poll"] == "in 23 h"
        assert facts["Interval"] == "2 min to 6 h, as it posts"
        assert facts["Pause"] == "1 s between two requests to a.example"
        assert facts["Validators"] == "ETag and Last-Modified"
        assert len(page.page.xpath("//table[@class='heat']/tbody/tr")) == 7
        assert len(page.page.xpath("//table[@class='heat']//td[@class='h5']")) == 1
        assert "Half of them within" in words
        assert "error The server did not answer in time. no answer <i>" in words
        assert "gap Entries were lost between two polls." in words
        assert "twice in 1 min" in words or "twice in 60 s" in words
        assert "silent Was live, is silent." in words
        assert "https://new.example/" in words
        assert words.count("<i>Truce</i>") == 6
        assert "None of its publisher's stories" in words
        assert (await browser.get("/feeds/99")).status == 404
        assert (await browser.get(f"/feeds/{1 << 70}")).status == 404
        assert (await browser.get(f"/feeds/{wire.id}/nonsense")).status == 404
        assert "No story has been counted yet." in said(await browser.get("/feeds/firsts"))


# --------------------------------------------------------------------------- adding


async def test_a_feed_is_added_by_the_address_of_its_site(office: Office) -> None:
    """Looked for, taken, shown as a difference, written, and in use."""
    async with office.browsing() as browser:
        form = await browser.get("/feeds/add")
        sent = fields_of(form.page) | {"site": office.server.url("/")}
        page = await browser.post("/feeds/add", sent)
        assert "3 feeds found" in said(page)
        items = [words_of(each) for each in page.page.xpath("//ul[@class='candidates']/li")]
        assert "Truce" in items[0]
        assert not page.page.xpath("//main//script")
        assert "the same as in" in items[1]
        assert "can't be read" in items[2]
        [first, _] = page.page.xpath("//a[@class='button' and starts-with(@href,'/feeds/new')]")
        form = await browser.get(first.get("href"))
        typed = fields_of(form.page)
        assert typed["url"] == office.server.url("/rss.xml")
        assert (typed["name"], typed["publisher"]) == ("World | The Post", "The Post")
        page = await browser.post("/feeds/new", typed | {"tags": "asia, world", "side": "India"})
        added = [words_of(each) for each in page.page.xpath("//ins")]
        assert 'added: name = "World | The Post"' in " ".join(added).replace("  ", " ")
        [save] = page.page.xpath("//section[@id='save']//form")
        fields = {each.get("name"): each.get("value") for each in save.iter("input")}
        gone = await browser.post("/feeds/new", fields)
        assert (gone.status, gone.headers["Location"]) == (303, "/feeds?q=World+%7C+The+Post")
        assert "World | The Post" in said(await browser.get(gone.headers["Location"]))
        text = office.path.read_text()
        assert text.startswith(FILE.rstrip())
        assert 'tags      = ["asia", "world"]' in text
        # now it is known
        page = await browser.post("/feeds/add", sent)
        assert "It is declared already, as World | The Post." in said(page)


async def test_what_the_page_may_not_write_is_shown_to_be_pasted(office: Office) -> None:
    """Without `editable`; and who sends the form anyway is refused."""
    office.path.write_text(FILE.replace("editable = true", "editable = false"))
    await office.take_over()
    async with office.browsing() as browser:
        typed = fields_of((await browser.get("/feeds/new?name=N&url=https://n.example/f")).page)
        page = await browser.post("/feeds/new", typed)
        assert 'url = "https://n.example/f"' in said(page, "//pre[@class='paste']").replace(
            "  ", " "
        )
        refused = await browser.post("/feeds/new", typed | {"do": "save", "mark": "x"})
        assert refused.status == 403
        assert "n.example" not in office.path.read_text()


@pytest.mark.parametrize(
    ("site", "sentence"),
    [
        ("", "'' is no address of a page"),
        ("http://10.0.0.1/", "[fetch] allow opens hosts of your own"),
        ("file:///etc/passwd", "file:///etc/passwd"),
    ],
)
async def test_a_site_that_has_none_is_one_sentence(
    office: Office, site: str, sentence: str
) -> None:
    """What is inside the network stays closed, here as everywhere."""
    async with office.browsing() as browser:
        form = fields_of((await browser.get("/feeds/add")).page)
        page = await browser.post("/feeds/add", form | {"site": site})
        assert page.status == 409
        assert sentence in said(page, "//*[@role='alert']")


FEEDS = (FeedSpec(url="https://a.example/rss.xml", name="Wire", publisher="Wire"),)


@pytest.mark.parametrize(
    ("typed", "mistakes"),
    [
        ({}, {"name", "url"}),
        ({"name": "N", "url": "ftp://n.example"}, {"url"}),
        ({"name": "wire", "url": "http://A.example/rss.xml"}, {"name", "url"}),
        ({"name": "N", "url": "https://n.example/", "tier": "7"}, {"tier"}),
        (
            {"name": "N", "url": "https://n.example/", "tier": "two", "language": "??"},
            {"tier", "language"},
        ),
        ({"name": "x" * 200, "url": "https://n.example/"}, {"name"}),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(typed: dict[str, str], mistakes: set[str]) -> None:
    """And nothing that was typed is lost."""
    draft = drafted(typed, FEEDS)
    assert set(draft.mistakes) == mistakes
    assert {key: value for key, value in draft.fields.items() if value} == typed


def test_what_goes_without_saying_is_not_written() -> None:
    """The usual tier, and a publisher that is called as its feed is."""
    typed = {"name": "N", "url": "https://n.example/", "tier": "2", "publisher": "N", "tags": " , "}
    assert drafted(typed, ()).table == {"name": "N", "url": "https://n.example/"}


# --------------------------------------------------------------------------- changing


async def test_a_feed_is_polled_now(office: Office) -> None:
    """Once; who presses again at once is told why not."""
    await office.poll(Wire=polled(NOW + DAY), ڈان=polled(NOW + DAY))
    feed = office.feeds["Wire"].id
    async with office.browsing() as browser:
        form = fields_of((await browser.get(f"/feeds/{feed}")).page)
        answer = await browser.post(f"/feeds/{feed}/poll", form)
        assert (answer.status, answer.headers["Location"]) == (303, f"/feeds/{feed}")
        assert "now: somebody asked for it" in said(await browser.get(f"/feeds/{feed}"))
        assert (await browser.post(f"/feeds/{feed}/poll", {"token": "x"})).status == 403


@pytest.mark.parametrize("what", ["remove", "rest"])
async def test_a_feed_is_taken_out_or_put_to_rest(office: Office, what: str) -> None:
    """By its lines in the file, with what was above them."""
    await office.poll()
    feed = office.feeds["ڈان"].id
    async with office.browsing() as browser:
        path = f"/feeds/{feed}/{what}"
        answer = await browser.post(path, fields_of((await browser.get(path)).page))
        assert answer.status == 303
        text = office.path.read_text()
        assert ("b.example" in text, "enabled" in text) == ((what == "rest"), (what == "rest"))
        assert "ڈان" not in said(await browser.get("/feeds"), "//table")
        assert "not declared" in said(await browser.get(f"/feeds/{feed}"))
        left = await browser.get("/feeds?state=left")
        assert words_of(left.page.xpath("//tbody/tr")[0]).startswith("not polled ڈان")
        assert "not declared any more 1" in said(left)
        if what == "rest":
            path = f"/feeds/{feed}/wake"
            await browser.post(path, fields_of((await browser.get(path)).page))
            assert "enabled" not in office.path.read_text()


async def test_an_edit_of_somebody_else_is_not_overwritten(office: Office) -> None:
    """What was agreed to was an edit of another file."""
    await office.poll()
    path = f"/feeds/{office.feeds['Wire'].id}/remove"
    async with office.browsing() as browser:
        form = fields_of((await browser.get(path)).page)
        office.path.write_text(FILE + "\n# mine\n")
        answer = await browser.post(path, form)
        assert answer.status == 409
        assert "was edited by somebody else" in said(answer)
        assert office.path.read_text() == FILE + "\n# mine\n"


# --------------------------------------------------------------------------- OPML


async def test_a_list_is_read_shown_and_written(office: Office) -> None:
    """What is new, there already, twice and wrong; and out again."""
    text = (
        '<opml><body><outline text="Asia"><outline text="New &lt;b&gt;" xmlUrl="https://n.example/"/>'
        '<outline text="Twice" xmlUrl="https://n.example/"/></outline>'
        '<outline text="W" xmlUrl="http://a.example/rss.xml"/><outline xmlUrl="x:y" text="Odd"/></body></opml>'
    )
    async with office.browsing() as browser:
        form = fields_of((await browser.get("/feeds/import")).page)
        page = await browser.post("/feeds/import", {"token": form["token"], "list": text})
        assert "1 new feed, 1 there already, 1 twice in the list, 1 that can't be a feed." in said(
            page
        )
        [save] = page.page.xpath("//form[@class='confirm']")
        fields = {each.get("name"): each.get("value") for each in save.iter("input")}
        assert (await browser.post("/feeds/import", fields)).status == 303
        out = await browser.get("/feeds.opml")
        assert out.headers["Content-Type"].startswith("text/x-opml")
        assert [(each.title, each.tags) for each in opml.read(out.text.encode())] == [
            ("Wire", ("asia",)),
            ("ڈان", ()),
            ("New <b>", ("Asia",)),
        ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("<rss/>", "This is no OPML"),
        ('<!DOCTYPE o [<!ENTITY a SYSTEM "file:///etc/passwd">]><opml>&a;</opml>', "entities"),
        ("<opml><body/></opml>", "The list holds no feed."),
        ("", "This is no OPML"),
    ],
)
async def test_a_list_that_is_none_is_one_sentence(
    office: Office, text: str, sentence: str
) -> None:
    """And nothing is written."""
    async with office.browsing() as browser:
        form = fields_of((await browser.get("/feeds/import")).page)
        page = await browser.post("/feeds/import", {"token": form["token"], "list": text})
        assert sentence in said(page)
        assert office.path.read_text() == FILE


async def test_a_long_list_is_taken(office: Office) -> None:
    """Longer than other forms may be; not all of it is shown one by one."""
    row = '<outline text="पत्र {n}" xmlUrl="https://h{n}.example/rss.xml?a=1&amp;b=2"/>\n'
    text = "<opml><body>" + "".join(row.format(n=n) for n in range(600)) + "</body></opml>"
    async with office.browsing() as browser:
        form = fields_of((await browser.get("/feeds/import")).page)
        page = await browser.post("/feeds/import", {"token": form["token"], "list": text})
        assert "600 new feeds." in said(page)
        assert "And 100 more." in said(page)
