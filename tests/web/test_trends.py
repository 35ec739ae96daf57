"""The page of trends over a real database: what it shows, what it can be asked, what it hides."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.datastructures import QueryParams

from alerts.message import Card, Part, line
from monitor.model import Watch
from monitor.pipeline.mentions import count_mentions
from monitor.ports import spike_subject
from monitor.ports.trends import DAY, HOUR, Counted, Split
from monitor.storage import SqlReports, SqlStore
from monitor.web.trends import MOST_WATCHES, Asked, Unclear, change, read
from tests.contracts.archive import Archive
from tests.fakes import FakeClock
from tests.web.browser import Browser, browsing, words_of
from tests.web.samples import NOW

HOSTILE = '"><script>alert(1)</script>'
URDU = "جنگ بندی"
HINDI = "दैनिक समाचार"


@pytest.fixture
async def store(sqlite_store: SqlStore) -> SqlStore:
    """Two weeks in which two watches found something, one of them in a spike."""
    archive = Archive()
    for name in ("Ceasefire", URDU, HOSTILE):
        archive.watch(Watch(name=name, terms=("x",)), NOW - 40 * DAY)
    for days in range(15):
        archive.article(NOW - days * DAY, "Ceasefire", publisher=HINDI)
    for _ in range(6):
        archive.article(NOW, "Ceasefire", URDU, publisher="Dawn")
    archive.article(NOW, HOSTILE, publisher=HOSTILE)
    await archive.save(sqlite_store)
    says = line(Part(text="6 new stories of 2 publishers", bold=True))
    card = Card(title=f"Spike: {URDU}", lines=(says,))
    await sqlite_store.write(lambda tx: tx.tell("#news", spike_subject(URDU, NOW), card, NOW))
    await count_mentions(sqlite_store, NOW)
    return sqlite_store


def on(store: SqlStore):
    return browsing(SqlReports(store), clock=FakeClock(NOW))


async def said(browser: Browser, path: str) -> str:
    answer = await browser.get(path)
    assert answer.status == 200
    return words_of(answer.page.xpath("//main")[0])


async def test_it_tells_how_much_that_is_and_how_much_more(store: SqlStore):
    async with on(store) as browser:
        page = (await browser.get("/trends")).page
    assert (
        "14 articles in which any watch found something, 3 May 2025 to 10 May 2025: +100 % on 7 in "
        "the same time before." in words_of(page.xpath("//main")[0])
    )
    rows = [
        [cell for cell in map(words_of, row.xpath("./th|./td")) if cell]
        for row in page.xpath("//table[contains(@class, 'watches')]/tbody/tr")
    ]
    assert [[row[0].removesuffix(" 1 spike"), *row[-3:]] for row in rows] == [
        ["Ceasefire", "13", "+86 %", "65 %"],
        [URDU, "6", "new", "30 %"],
        [HOSTILE, "1", "new", "5 %"],
    ]


async def test_spikes_are_marked_and_listed(store: SqlStore):
    async with on(store) as browser:
        page = (await browser.get("/trends")).page
    assert words_of(page.xpath("//ol[@class='spikes']")[0]) == (
        f"{URDU} 10 May 2025, 12:00 UTC 6 new stories of 2 publishers"
    )
    assert f"Spike: {URDU}" in page.xpath("//svg//desc")[0].text_content()
    assert len(page.xpath("//figure//svg//*[@class='marker']")) == 1


@pytest.mark.parametrize("split", Split)
async def test_a_chart_is_a_table_too(store: SqlStore, split: Split):
    async with on(store) as browser:
        page = (await browser.get(f"/trends?span=24h&by={split}")).page
    [figure] = page.xpath("//figure")
    newest = figure.xpath(".//tbody/tr[1]/td[@class='number']")
    assert sum(int(cell.text) for cell in newest) == {Split.WATCH: 14}.get(split, 8)
    assert figure.xpath(".//svg[@role='img'][@aria-labelledby]")


async def test_what_is_chosen_is_in_every_link(store: SqlStore):
    async with on(store) as browser:
        page = (await browser.get("/trends?span=30d&watch=Ceasefire&by=side")).page
        links = page.xpath("//ul[@class='pills']//a/@href")
    asked = {"watch": ["Ceasefire"], "by": ["side"]}
    spans = ["24h", None, "30d", "90d"]  # seven days go without saying
    assert [parse_qs(urlsplit(link).query) for link in links] == [
        asked | ({"span": [span]} if span else {}) for span in spans
    ]


async def test_its_form_may_be_sent(store: SqlStore):
    async with on(store) as browser:
        headers = (await browser.get("/trends")).headers
    assert "form-action 'self'" in headers["Content-Security-Policy"]


async def test_names_are_nothing_but_names(store: SqlStore):
    """Also where the drawing tells them, and for spreadsheets."""
    async with on(store) as browser:
        page = (await browser.get("/trends?by=publisher")).page
        table = (await browser.get("/trends.csv?by=publisher")).text
    assert not page.xpath("//script[not(@src)]|//b|//@onload|//@style")
    assert HOSTILE in [words_of(each) for each in page.xpath("//ul[@class='legend']//bdi")]
    assert HOSTILE in next(csv.reader(io.StringIO(table)))


async def test_the_numbers_as_a_table_for_programs(store: SqlStore):
    async with on(store) as browser:
        answer = await browser.get("/trends.csv?span=custom&from=2025-05-04&to=2025-05-10")
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0] == ["from", "Ceasefire", URDU, HOSTILE, "marked"]
    assert rows[1] == ["2025-05-04T00:00:00Z", "1", "0", "0", ""]
    assert rows[-1] == ["2025-05-10T00:00:00Z", "7", "6", "1", f"Spike: {URDU}"]


async def test_a_name_is_no_formula(sqlite_store: SqlStore):
    archive = Archive()
    archive.watch(Watch(name="=1+1", terms=("x",)), NOW)
    archive.article(NOW, "=1+1")
    await archive.save(sqlite_store)
    await count_mentions(sqlite_store, NOW)
    async with on(sqlite_store) as browser:
        table = (await browser.get("/trends.csv")).text
    assert next(csv.reader(io.StringIO(table))) == ["from", "'=1+1", "marked"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("span=2y", "There is no span '2y'"),
        ("by=colour", "There is no by='colour': it is watch, publisher, side, language."),
        ("count=words", "There is no count='words': it is articles, stories."),
        ("span=custom", "“from” must be a day such as 2025-05-10, not ''."),
        ("span=custom&from=2025-05-09&to=2025-05-01", "The first day comes after the last one."),
        ("span=custom&from=2023-05-09&to=2025-05-01", "At most 366 days can be shown at once."),
        ("&".join(f"watch={n}" for n in range(MOST_WATCHES + 1)), "At most 50"),
    ],
)
async def test_what_cannot_be_asked_is_said_in_a_sentence(store: SqlStore, query, sentence):
    async with on(store) as browser:
        page, table = (
            await browser.get(f"/trends?{query}"),
            await browser.get(f"/trends.csv?{query}"),
        )
    assert (page.status, table.status) == (400, 400)
    [trouble] = page.page.xpath("//p[@role='alert']")
    assert words_of(trouble).startswith(sentence)
    assert table.text.startswith(sentence)


async def test_empty_states_say_what_to_do(sqlite_store: SqlStore):
    async with on(sqlite_store) as browser:
        assert "No watch yet. Declare one under [[watch]]" in await said(browser, "/trends")
        archive = Archive()
        archive.watch(Watch(name="Ceasefire", terms=("x",)), NOW)
        await archive.save(sqlite_store)
        assert "Nothing was found yet" in await said(browser, "/trends")
        archive.article(NOW - DAY, "Ceasefire")
        await archive.save(sqlite_store)
        await count_mentions(sqlite_store, NOW)
        assert "the archive begins on 9 May 2025" in await said(browser, "/trends")
        assert (await browser.get("/trends?watch=Gone")).status == 200


@pytest.mark.parametrize(
    ("query", "first", "steps", "step"),
    [
        ("", datetime(2025, 5, 3, 15, tzinfo=UTC), 168, HOUR),
        ("span=24h", datetime(2025, 5, 9, 13, tzinfo=UTC), 24, HOUR),
        ("span=30d", datetime(2025, 4, 11, tzinfo=UTC), 30, DAY),
        ("span=90d", datetime(2025, 2, 10, tzinfo=UTC), 90, DAY),
        ("span=custom&from=2025-05-08&to=2025-05-10", datetime(2025, 5, 8, tzinfo=UTC), 72, HOUR),
        ("span=custom&from=2025-05-07&to=2025-06-10", datetime(2025, 5, 7, tzinfo=UTC), 4, DAY),
    ],
)
def test_a_span_is_whole_hours_or_days(query, first, steps, step):
    period = read(QueryParams(query), NOW).period(NOW)
    assert (period.first, period.steps, period.step) == (first, steps, step)
    assert period.before.end == first


def test_what_is_asked_can_be_asked_again():
    asked = Asked(
        span="custom",
        first=NOW.date() - DAY,
        last=NOW.date(),
        watches=("a & b", URDU),
        split=Split.SIDE,
        counted=Counted.STORIES,
    )
    assert read(QueryParams(asked.query()), NOW) == asked
    assert Asked().href() == "/trends"
    with pytest.raises(Unclear):
        read(QueryParams("span=0d"), NOW)


@pytest.mark.parametrize(
    ("count", "before", "told"),
    [
        (0, 0, "as before"),
        (5, 5, "as before"),
        (5, 0, "new"),
        (0, 5, "−100 %"),
        (14, 10, "+40 %"),
        (88, 100, "−12 %"),
        (1001, 1000, "as before"),
        (150, 10, "×15"),
    ],
)
def test_change_in_words(count, before, told):
    assert change(count, before) == told
