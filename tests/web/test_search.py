"""The archive searched on the page over a real database: in any script, and into files and feeds."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import AsyncIterator
from urllib.parse import quote
from xml.etree import ElementTree as ET

import feedparser
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from monitor.match import Document
from monitor.storage import SqlReports, SqlStore
from monitor.storage import tables as t
from monitor.web import Doors
from monitor.web.search import SHOWN, read
from tests.contracts.material import MINUTE, NOW
from tests.contracts.test_search import given, index
from tests.fakes import FakeClock
from tests.web.browser import Browser, browsing

HINDI = "भारत और पाकिस्तान युद्धविराम पर राज़ी, कश्मीर में शांति"
URDU = "پاکستان اور بھارت جنگ بندی پر متفق"
TEXTS = (
    Document(title="Ceasefire holds", body="Guns fell silent.\n\nSo far.", language="en"),
    Document(title=HINDI, body="कश्मीर में लोग घरों को लौटे।", language="hi"),
    Document(title=URDU, body="کشمیر میں خاموشی ہے۔", language="ur"),
    Document(title="<script>alert(1)</script> truce", body="<b>truce</b> & peace", language="x<y"),
    Document(title='=HYPERLINK("https://evil.example") truce', body="+1 truce", language="en"),
)


@pytest.fixture
async def browser(store: SqlStore) -> AsyncIterator[Browser]:
    """At the page of a service with a small archive."""
    await given(store, TEXTS, listed=[1])
    await index(store)
    async with browsing(SqlReports(store), clock=FakeClock(NOW + 60 * MINUTE)) as opened:
        yield opened


def asked(query: str, ending: str = "", **other: str) -> str:
    """The address of a search."""
    more = "".join(f"&{name.rstrip('_')}={quote(value)}" for name, value in other.items())
    return f"/search{ending}?q={quote(query)}{more}"


def titles(page) -> list[str]:
    """The headlines of what was found."""
    return [" ".join(each.text_content().split()) for each in page.xpath("//main//article//h3")]


async def test_without_a_query_it_says_what_may_be_asked(browser: Browser) -> None:
    """Each example is a link that works."""
    page = (await browser.get("/search")).page
    [field] = page.xpath("//input[@name='q']")
    assert field.get("autofocus") is not None
    links = page.xpath("//dl[@class='examples']//a/@href")
    assert len(links) > 5
    for link in links:
        assert (await browser.get(link)).status == 200, link


@pytest.mark.parametrize(
    ("query", "title", "marked", "language"),
    [
        ("cease-fire", "Ceasefire holds", ["Ceasefire"], "en"),
        ("कश्मीर", HINDI, ["कश्मीर", "कश्मीर"], "hi"),
        ("جنگ بندی", URDU, ["جنگ", "بندی"], "ur"),
        ('"جنگ بندی"', URDU, ["جنگ بندی"], "ur"),
    ],
)
async def test_what_is_found_is_marked_in_any_script(
    browser: Browser, query: str, title: str, marked: list[str], language: str
) -> None:
    """In its own language and direction, with how the query was read."""
    page = (await browser.get(asked(query))).page
    assert titles(page) == [title]
    [article] = page.xpath("//main//article")
    assert [each.text for each in article.xpath(".//mark")] == marked
    [headline] = article.xpath(".//h3")
    assert (headline.get("lang"), headline.get("dir")) == (language, "auto")
    assert article.xpath(".//blockquote/@dir") == ["auto"]
    assert page.xpath("//p[@class='reading']/code")
    assert page.xpath("//h2[@id='found-title']")[0].text_content().strip() == "1 article"


async def test_a_mistake_is_shown_where_it_is(browser: Browser) -> None:
    """As in the terminal, and the query stays in its field."""
    page = (await browser.get(asked("ceasefire AND"))).page
    [shown] = page.xpath("//pre[@id='trouble'][@role='alert']")
    assert shown.text_content().splitlines()[:3] == [
        "column 11: AND needs a word on its right",
        "  ceasefire AND",
        "            ^^^",
    ]
    [field] = page.xpath("//input[@name='q']")
    assert (field.get("value"), field.get("aria-invalid")) == ("ceasefire AND", "true")
    page = (await browser.get(asked("truce", before="x"))).page
    assert "is no place in a search" in page.xpath("//pre[@id='trouble']")[0].text


async def test_nothing_found_says_what_was_searched(browser: Browser) -> None:
    """And how to find more."""
    page = (await browser.get(asked("zymurgy", language="hi"))).page
    said = page.xpath("//div[@class='empty']")[0].text_content()
    assert "No stored article matches this query and these filters." in said
    assert page.xpath("//div[@class='empty']//a/@href") == ["/search?q=zymurgy"]


async def test_filters_are_in_the_address(browser: Browser) -> None:
    """A form's empty fields are not; what can't be read is told."""
    assert titles((await browser.get("/search?language=ur")).page) == [URDU]
    assert titles((await browser.get(asked("truce", publisher="Nobody"))).page) == []
    assert len(titles((await browser.get(asked("truce", time="day"))).page)) == 2
    answer = await browser.get("/search?q=truce&watch=&language=en&time=")
    assert (answer.status, answer.headers["Location"]) == (307, "/search?q=truce&language=en")
    page = (await browser.get(asked("truce", time="eon", from_="yesterday"))).page
    assert len(page.xpath("//p[@class='trouble']")) == 2
    assert read({"q": " a ", "from": "2025-05-10", "x": "y"}).url() == "/search?q=a&from=2025-05-10"


async def test_older_finds_are_a_page_further(browser: Browser, store: SqlStore) -> None:
    """Each once."""
    await given(store, [Document(f"truce {number}", "") for number in range(30)], first=10)
    await index(store)
    page = (await browser.get(asked("truce"))).page
    [further] = page.xpath("//a[@rel='next']/@href")
    older = (await browser.get(further)).page
    assert len(titles(page)) == SHOWN
    assert len(titles(older)) == 32 - SHOWN
    assert not set(titles(page)) & set(titles(older))
    assert not older.xpath("//a[@rel='next']")


async def test_what_feeds_wrote_is_text(browser: Browser) -> None:
    """On the page, in RSS and in a spreadsheet."""
    answer = await browser.get(asked("truce"))
    assert answer.page.xpath("//main//script") == []
    assert "<script>alert(1)</script> truce" in titles(answer.page)
    table = csv.reader(io.StringIO((await browser.get(asked("truce", ".csv"))).text))
    rows = list(table)
    assert rows[0][0].endswith("id")
    assert {row[6][:1] for row in rows[1:]} == {"'", "<"}
    assert {row[7] for row in rows[1:]} == {"'+1 truce", "<b>truce</b> & peace"}


async def test_finds_are_a_feed_that_a_reader_can_follow(browser: Browser, store: SqlStore) -> None:
    """Valid, with its own address, and not sent again as long as it is the same."""
    with_controls = Document(title="truce \x0b\ufffe", body="\x00 truce")
    await given(store, [with_controls], first=50)
    await index(store)
    answer = await browser.get(asked("truce", ".rss"))
    root = ET.fromstring(answer.text)
    own = root.find("channel/{http://www.w3.org/2005/Atom}link")
    assert own is not None
    assert own.get("href", "").endswith("/search.rss?q=truce")
    assert answer.headers["Content-Type"].startswith("application/rss+xml")
    parsed = feedparser.parse(answer.text)
    assert not parsed.bozo
    assert len({each.id for each in parsed.entries}) == len(parsed.entries) == 3
    assert parsed.entries[-1].link == "https://a.example/4"
    again = await browser.get(asked("truce", ".rss"), If_None_Match=answer.headers["ETag"])
    assert (again.status, again.text) == (304, "")
    assert (await browser.get(asked("truce OR", ".rss"))).status == 400


async def test_a_reader_follows_a_search_by_the_key_in_its_link(store: SqlStore) -> None:
    """It opens this search, and no other; who has none is told where to find it."""
    await given(store, TEXTS, listed=[1])
    await index(store)
    doors = Doors(token=SecretStr("a-token-to-write-with"))
    mine = {"Authorization": "Bearer a-token-to-write-with"}
    async with browsing(SqlReports(store), doors=doors) as browser:
        page = (await browser.get(asked("truce", lang="en"), **mine)).page
        [link] = page.xpath("//link[@rel='alternate']/@href")
        assert page.xpath("//a[text()='RSS']/@href") == [link]
        answer = await browser.get(link, Accept="*/*")
        assert answer.status == 200
        assert link.partition("?")[2] in html.unescape(answer.text)  # its own link works, too
        other = link.replace("q=truce", "q=ceasefire")
        for path in (other, link.replace(".rss", ".csv"), link[:-1], asked("truce", ".rss")):
            refused = await browser.get(path, Accept="*/*")
            assert refused.status == 401, path
            assert ("from its page" in refused.text) == (".rss" in path)


async def test_finds_are_lines_of_json(browser: Browser, store: SqlStore) -> None:
    """All of them, as a file to keep; half a character does no harm."""
    with store._engines.write.begin() as connection:
        connection.execute(sa.update(t.article).where(t.article.c.id == 1).values(title="A truce"))
    answer = await browser.get(asked("ceasefire OR truce OR کشمیر", ".jsonl"))
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [row["id"] for row in rows] == [5, 4, 3, 1]
    assert rows[2]["found"] == ["کشمیر"]
    assert rows[3]["first_seen_at"] == "2025-05-10T12:01:00Z"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="search-')
    assert (await browser.get("/search.csv?q=x&time=eon")).status == 400
