"""Feeds of hits: valid, escaped, the same for who has them, and opened by their own keys."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import urlsplit

import feedparser
import pytest
from lxml import etree
from pydantic import SecretStr

from monitor import parse
from monitor.model import Hit, Span, Watch
from monitor.storage import SqlReports, SqlStore
from monitor.web import Doors
from tests.contracts.material import CEASEFIRE, KASHMIR, NOW
from tests.fakes import FakeClock
from tests.pipeline.desk import HIT, Desk, News, text
from tests.web.browser import Browser, browsing

KINDS = ("rss", "atom", "json")
MINUTE = timedelta(minutes=1)
HOSTILE = "Ceasefire <script>alert(1)</script> & \x0b “so” ]]> संघर्ष"
SHOWN = HOSTILE.replace("\x0b", "\N{REPLACEMENT CHARACTER}")
SLASHED = Watch(name='A/B "c" <d> ?#', terms=("valley",))
DOORS = Doors(token=SecretStr("a-token-to-write-with"), read_token=SecretStr("a-token-to-read-w"))
LOGGED_IN = {"Authorization": "Bearer a-token-to-read-w"}


def valley(start: int) -> Hit:
    return Hit(
        watch=SLASHED.name,
        spans=(Span(field="body", start=start, end=start + 6, term="valley"),),
    )


@pytest.fixture
async def store(sqlite_store: SqlStore) -> SqlStore:
    """Two articles; two watches found something in the second."""
    await sqlite_store.write(lambda tx: tx.sync_watches([CEASEFIRE, KASHMIR, SLASHED], NOW))
    desk = Desk(sqlite_store)
    await desk.bring(
        News("first", "In the valley. " + text(1), title="Ceasefire begins", hits=(HIT,)),
        News(
            "second",
            "The <b>valley</b> & the hills. " + text(2),
            title=HOSTILE,
            hits=(HIT, valley(7)),
            at=NOW + MINUTE,
        ),
    )
    return sqlite_store


@contextlib.asynccontextmanager
async def reading(store: SqlStore, **options) -> AsyncIterator[Browser]:
    clock = FakeClock(NOW + timedelta(hours=1))
    async with browsing(SqlReports(store), clock=clock, **options) as browser:
        yield browser


async def links(browser: Browser, **headers: str) -> dict[tuple[str, str], str]:
    """What the page of feeds links to: path and query, by watch and kind."""
    page = (await browser.get("/follow", **headers)).page
    found = {}
    for row in page.xpath("//tbody/tr"):
        name = " ".join(row.find("th").text_content().split())
        for kind, link in zip(KINDS, row.xpath(".//a/@href"), strict=True):
            parts = urlsplit(link)
            found[name, kind] = f"{parts.path}{'?' * bool(parts.query)}{parts.query}"
    return found


async def test_what_readers_make_of_them(store: SqlStore):
    """Each article once, the newest first, with links to it and to its story, as plain text."""
    async with reading(store) as browser:
        for kind in ("rss", "atom"):
            answer = await browser.get(f"/hits.{kind}")
            assert answer.headers["Content-Type"] == f"application/{kind}+xml; charset=utf-8"
            told = feedparser.parse(answer.text)
            assert not told.bozo
            assert told.version == {"rss": "rss20", "atom": "atom10"}[kind]
            second, first = told.entries
            assert first.title == "Ceasefire begins"
            assert [tag.term for tag in second.tags] == [SLASHED.name, "Ceasefire"]
            assert second.link == "https://news.example/second"
            assert "/stories/2" in str(second)
            if kind == "atom":  # RSS doesn't say whether a title is HTML, and readers guess
                assert second.title == SHOWN
            assert second.id.startswith("urn:uuid:")
            assert second.published_parsed[:5] == (2025, 5, 10, 12, 1)


async def test_our_own_parser_reads_them(store: SqlStore):
    """Whoever follows a monitor with a monitor gets the same articles, whatever the format."""
    async with reading(store) as browser:
        ids = []
        for kind in KINDS:
            answer = await browser.get(f"/hits.{kind}")
            feed = parse.parse_feed(
                answer.text.encode(),
                url="http://desk.example/hits",
                content_type=answer.headers["Content-Type"],
            )
            second, first = feed.entries
            assert first.title == "Ceasefire begins"
            # what looks like a tag in a title, feeds' readers take for one: so does ours
            assert second.title.startswith("Ceasefire ")
            assert second.title.endswith("& \N{REPLACEMENT CHARACTER} “so” ]]> संघर्ष")
            assert second.text.startswith("The ")
            assert "& the hills." in second.text
            ids.append([entry.guid for entry in feed.entries])
    assert ids[0] == ids[1] == ids[2]


async def test_json_feed_is_as_it_is_specified(store: SqlStore):
    """Version 1.1: what must be there is, and nothing is null."""
    async with reading(store) as browser:
        answer = await browser.get("/hits.json")
    assert answer.headers["Content-Type"] == "application/feed+json; charset=utf-8"
    told = json.loads(answer.text)
    assert told["version"] == "https://jsonfeed.org/version/1.1"
    assert urlsplit(told["feed_url"]).path == "/hits.json"
    for item in told["items"]:
        assert {"id", "url", "external_url", "title", "content_text"} <= item.keys()
        assert None not in item.values()
        assert urlsplit(item["url"]).path.startswith("/stories/")


async def test_atom_has_what_rfc_4287_wants(store: SqlStore):
    """Ids, times and authors in feed and entries, one link of each kind, the text's language."""
    async with reading(store) as browser:
        for path in ("/hits.atom", "/watches/Kashmir/hits.atom"):
            root = etree.fromstring((await browser.get(path)).text.encode())
            space = {"a": "http://www.w3.org/2005/Atom"}
            for each in (root, *root.findall("a:entry", space)):
                for name in ("id", "title", "updated"):
                    assert len(each.findall(f"a:{name}", space)) == 1
                assert each.find("a:author/a:name", space).text
                rels = [link.get("rel") for link in each.findall("a:link", space)]
                assert len(rels) == len(set(rels))
            [mine] = root.xpath("a:link[@rel='self']/@href", namespaces=space)
            assert urlsplit(mine).path == path
    async with reading(store) as browser:
        root = etree.fromstring((await browser.get("/hits.atom")).text.encode())
        languages = root.xpath("//a:entry/@xml:lang", namespaces=space)
    assert languages == ["en", "en"]


async def test_each_watch_has_its_own(store: SqlStore):
    """Also one with a slash in its name; one that found nothing is empty; an unknown one is none."""
    async with reading(store) as browser:
        found = await links(browser)
        assert {name for name, _ in found} == {"All watches", "Ceasefire", "Kashmir", SLASHED.name}
        counts = {}
        for (name, _), path in found.items():
            answer = await browser.get(path)
            assert answer.status == 200
            feed = parse.parse_feed(
                answer.text.encode(),
                url="http://desk.example/hits",
                content_type=answer.headers["Content-Type"],
            )
            counts.setdefault(name, set()).add(len(feed.entries))
        assert counts == {
            "All watches": {2},
            "Ceasefire": {2},
            "Kashmir": {0},
            SLASHED.name: {1},
        }
        for path in ("/watches/Nothing/hits.rss", "/hits.xml", "/watches/Ceasefire/hits.csv"):
            assert (await browser.get(path)).status == 404


async def test_a_reader_needs_the_key_of_its_feed(store: SqlStore):
    """It opens that feed, in each format, and nothing else, until the token changes."""
    async with reading(store, doors=DOORS) as browser:
        assert (await browser.get("/follow")).status == 303
        found = await links(browser, **LOGGED_IN)
        keyed = found["Ceasefire", "rss"]
        assert (await browser.get(keyed)).status == 200
        key = keyed.partition("?key=")[2]
        assert len(key) == 32
        assert f"?key={key}" in (await browser.get(keyed)).text  # its own link works, too
        for path in (
            "/watches/Kashmir/hits.rss",
            "/hits.rss",
            "/follow",
            "/watches/Ceasefire",
            "/watches/Ceasefire/hits.rss/",
            "/",
        ):
            assert (await browser.get(f"{path}?key={key}", Accept="*/*")).status == 401
        posted = await browser.get(keyed, method="POST", Accept="*/*")
        assert posted.status == 401
        for wrong in ("", "?key=", f"?key={key[:-1]}", "?key=%ff"):
            path = f"/watches/Ceasefire/hits.rss{wrong}"
            answer = await browser.get(path, Accept="*/*")
            assert (answer.status, "/follow" in answer.text) == (401, True)
    async with reading(store, doors=Doors(token=SecretStr("another-token-now"))) as browser:
        assert (await browser.get(keyed, Accept="*/*")).status == 401


async def test_who_has_it_is_not_sent_it_again(store: SqlStore):
    """By tag, or by date; something new is sent."""
    async with reading(store) as browser:
        for kind in KINDS:
            first = await browser.get(f"/hits.{kind}")
            tag, at = first.headers["ETag"], first.headers["Last-Modified"]
            assert at == "Sat, 10 May 2025 12:01:00 GMT"
            for known in ({"If_None_Match": tag}, {"If_Modified_Since": at}):
                same = await browser.get(f"/hits.{kind}", **known)
                assert (same.status, same.text, same.headers["ETag"]) == (304, "", tag)
            for known in (
                {"If_None_Match": '"x"', "If_Modified_Since": at},
                {"If_Modified_Since": "Sat, 10 May 2025 12:00:59 GMT"},
                {"If_Modified_Since": "lately"},
            ):
                assert (await browser.get(f"/hits.{kind}", **known)).status == 200
            head = await browser.get(f"/hits.{kind}", method="HEAD")
            assert (head.text, head.headers["ETag"]) == ("", tag)
