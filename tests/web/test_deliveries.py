"""The outbox on the page, over a real database."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from alerts import Card
from monitor.compose import Rules
from monitor.match import compile_watches
from monitor.model import DeliveryState, StoryId
from monitor.storage import SqlReports, SqlStore
from monitor.web import Decisions
from tests.contracts.archive import Archive
from tests.contracts.material import CEASEFIRE, LEASE, NOW
from tests.fakes import FakeClock
from tests.web.browser import Browser, browsing, words_of

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Outbox:
    """Messages of stories, in whatever state."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self._archive = Archive()
        self._archive.watch(CEASEFIRE, NOW)
        self._minutes = 0

    async def add(
        self, title: str, state: DeliveryState, *, error: str | None = None, channel: str = "#news"
    ) -> None:
        """A message, wanted a minute after the one before, with one outcome."""
        self._minutes += 1
        at = NOW + self._minutes * MINUTE
        story = StoryId(self._archive.story(NOW))
        self._archive.article(at, CEASEFIRE.name, story=story, title=title)
        await self._archive.save(self.store)

        def work(tx):
            tx.want_delivery(story, channel, at)
            row = tx.claim_due(channel, at, LEASE)
            tx.finish_delivery(row.id, state, at, due_at=at + HOUR, error=error)
            tx.note_outcome([row.id], "rejected" if error else "sent", at, error=error)

        await self.store.write(work)

    @contextlib.asynccontextmanager
    async def browsing(self, **options) -> AsyncIterator[Browser]:
        clock = FakeClock(NOW + HOUR)
        rules = Rules(
            watches=(CEASEFIRE,),
            matcher=compile_watches((CEASEFIRE,)),
            default_channel="#news",
            interval=HOUR,
        )
        options = {"decisions": Decisions(self.store, clock, lambda: rules)} | options
        async with browsing(SqlReports(self.store), clock=clock, **options) as browser:
            yield browser


@pytest.fixture
def outbox(sqlite_store: SqlStore) -> Outbox:
    return Outbox(sqlite_store)


async def listed(browser: Browser, path: str) -> list[str]:
    """The headlines of the last table of a page."""
    tables = (await browser.get(path)).page.xpath("//table")
    return [words_of(each) for each in tables[-1].xpath(".//td[2]/a")] if tables else []


async def test_what_is_in_trouble_stands_first_with_all_that_became_of_it(outbox: Outbox):
    """And again among the newest, where it belongs."""
    await outbox.add("refused", DeliveryState.DEAD, error="invalid_blocks")
    await outbox.add("shown", DeliveryState.SENT)
    async with outbox.browsing() as browser:
        page = (await browser.get("/deliveries")).page
    troubled, newest = page.xpath("//table")
    [row] = troubled.xpath("./tbody/tr")
    assert words_of(row) == (
        "failed refused invalid_blocks 1 event of refused 12:01:00 refused: invalid_blocks "
        "Send again: refused Drop: refused #news 1 59 min ago given up"
    )
    assert [words_of(each) for each in newest.xpath(".//td[2]/a")] == ["shown", "refused"]


async def test_messages_are_found_by_state_and_channel_page_by_page(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
):
    """What is sought stands in the address, and only that."""
    monkeypatch.setattr("monitor.web.deliveries._SHOWN", 2)
    for number in range(3):
        await outbox.add(f"shown {number}", DeliveryState.SENT)
    await outbox.add("refused", DeliveryState.DEAD, error="no", channel="#other")
    await outbox.store.write(
        lambda tx: tx.tell("#ops", "feeds", Card(delivery_id="", title="Ill"), NOW)
    )
    async with outbox.browsing() as browser:
        assert await listed(browser, "/deliveries?state=shown") == ["shown 2", "shown 1"]
        page = (await browser.get("/deliveries?state=shown")).page
        [further] = page.xpath("//a[@rel='next']/@href")
        assert await listed(browser, further) == ["shown 0"]
        assert await listed(browser, "/deliveries?channel=%23other") == ["refused"]
        assert await listed(browser, "/deliveries?state=held") == []
        sent = await browser.get("/deliveries?state=shown&channel=")
        strange = await browser.get("/deliveries?state=eaten&before=x")
        notice = (await browser.get("/deliveries?channel=%23ops")).page
    assert (sent.status, sent.headers["Location"]) == (307, "/deliveries?state=shown")
    assert "There is no state “eaten”." in words_of(strange.page.find(".//main"))
    assert "Ill notice" in words_of(notice.xpath("//tbody/tr")[0])


async def test_a_message_is_sent_again_or_dropped_by_form(outbox: Outbox):
    """By whom is kept; what can't be done is refused, and nothing is done without the page."""
    await outbox.add("refused", DeliveryState.DEAD, error="no")
    async with outbox.browsing() as browser:
        origin = {"Origin": browser.url.rstrip("/")}
        for act, state in (("retry", "waiting"), ("drop", "dropped")):
            page = (await browser.get("/deliveries")).page
            form = page.find_class("row-acts")[0]
            fields = {each.get("name"): each.get("value") for each in form.iter("input")}
            answer = await browser.post(form.get("action"), fields | {"act": act}, **origin)
            assert (answer.status, answer.headers["Location"]) == (303, "/deliveries")
            assert await listed(browser, f"/deliveries?state={state}") == ["refused"]
        again = await browser.post(form.get("action"), fields | {"act": "drop"}, **origin)
        astray = await browser.post(
            form.get("action"), fields | {"act": "retry", "back": "//evil.example/"}, **origin
        )
        foreign = await browser.post(form.get("action"), fields | {"act": "retry"}, Origin="null")
        page = (await browser.get("/deliveries?state=waiting")).page
    assert (again.status, astray.headers["Location"], foreign.status) == (409, "/deliveries", 403)
    became = [words_of(each) for each in page.xpath("//ol[@class='became']/li")]
    assert [each.partition(" ")[2] for each in became] == [
        "to be sent again: by page",
        "dropped: by page",
        "to be sent again: by page",
        "refused: no",
    ]


async def test_who_may_change_nothing_sees_no_buttons(outbox: Outbox):
    """Nor is there anything to send a form to."""
    await outbox.add("refused", DeliveryState.DEAD, error="no")
    async with outbox.browsing(decisions=None) as browser:
        page = (await browser.get("/deliveries")).page
        answer = await browser.post("/deliveries/abcd", {})
    assert not page.find_class("row-acts")
    assert answer.status in {404, 405}
