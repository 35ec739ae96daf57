"""What an analyst does at the desk, in a browser."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from monitor.model import ArticleState
from tests.journeys.desk import Desk, accessible, desk, reading

pytestmark = pytest.mark.timeout(120)

TRUCE = '[[watch]]\nname = "Truce"\nterms = ["ceasefire", "युद्धविराम", "جنگ بندی"]\nchannel = "#newsdesk"\n'
NEWS = (
    "The two armies agreed to a ceasefire along the whole of the line from noon on Saturday, the "
    "foreign ministry said, after four days in which villages on both sides were emptied.\n"
    "Officers are to speak again by telephone on Monday about what happens to the guns."
)
HINDI = (
    "भारत और पाकिस्तान शनिवार दोपहर से युद्धविराम पर सहमत हो गए हैं, विदेश मंत्रालय ने बताया। चार दिनों की "
    "गोलाबारी के बाद सीमा के दोनों ओर के गाँव खाली थे।"
)
URDU = (
    "بھارت اور پاکستان ہفتے کی دوپہر سے جنگ بندی پر متفق ہو گئے ہیں، وزارت خارجہ نے بتایا۔ چار دن کی گولہ "
    "باری کے بعد لکیر کے دونوں طرف کے دیہات خالی تھے۔"
)
OTHER = (
    "Apple growers in the upper valley expect a late harvest after a cold spring, their union said, "
    "and asked for storage until the road to the plains is open to lorries again in the autumn."
)
TABLES = """[...document.querySelectorAll("table")]
    .filter(it => it.checkVisibility() && getComputedStyle(it).display !== "table")
    .map(it => it.className)"""
"""Tables that are none: another's style lays them out."""
XSS = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


async def until(is_so: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(20):
        while not await is_so():  # noqa: ASYNC110 the service tells nobody
            await asyncio.sleep(0.05)


async def polled(at: Desk, feeds: int = 1) -> None:
    """Wait until every feed was read once: what comes from then on is news."""

    async def is_so() -> bool:
        rows = await at.service.reports.feeds()
        return len(rows) >= feeds and all(row.polled_at for row in rows)

    await until(is_so)


async def watches(at: Desk, number: int) -> bool:
    """Whether so many are in use."""
    return len(at.service.settings.watches) == number


async def seen(at: Desk) -> bool:
    """Whether an article was read."""
    counts = await at.service.reports.counts(at.clock.now())
    return bool(counts.articles.get(ArticleState.DONE))


async def sections(page: Page) -> list[str]:
    """The paths of the navigation."""
    await page.goto("/")
    links = await page.get_by_role("navigation", name="Sections").get_by_role("link").all()
    return [await link.get_attribute("href") or "" for link in links]


async def test_an_empty_desk_says_what_to_do(tmp_path: Path, sqlite_url: str) -> None:
    """First start: every page stands, in light and dark, says what is missing, and how to begin."""
    async with desk(tmp_path, sqlite_url) as at:
        for dark in (False, True):
            async with reading(at, dark=dark) as page:
                for path in await sections(page):
                    answer = await page.goto(path)
                    assert answer is not None
                    assert answer.status == 200, path
                    await expect(page.locator("h1")).to_have_count(1)
                    assert await page.locator("main .empty, main .examples").count() >= 1, path
                    await accessible(page)


async def test_an_alert_appears_live_and_its_story_can_be_muted(
    tmp_path: Path, sqlite_url: str
) -> None:
    """Published, shown without a reload, opened by the keyboard, muted: a reply is not told."""
    async with desk(tmp_path, sqlite_url, outlets=["courier", "herald"], watches=TRUCE) as at:
        await polled(at)
        async with reading(at) as page:
            await page.goto("/")
            await expect(page.get_by_text("Live", exact=True)).to_be_visible()
            at.publish("courier", "truce", "Ceasefire agreed along the line", NEWS)
            shown = page.get_by_role("link", name="Ceasefire agreed along the line")
            await expect(shown).to_be_visible(timeout=20_000)
            await expect(page.locator("#stream mark").first).to_have_text("Ceasefire")
            await at.alerted("#newsdesk")
            await expect(page.locator("#stream")).to_contain_text("alerted", timeout=15_000)
            at.publish("herald", "truce", "Ceasefire agreed along the line", NEWS)
            await expect(page.locator("#stream")).to_contain_text("herald", timeout=20_000)
            await page.keyboard.press("?")
            await expect(page.get_by_role("dialog")).to_be_visible()
            await page.keyboard.press("Escape")
            await page.keyboard.press("j")
            await page.keyboard.press("o")
            await page.wait_for_url("**/stories/*")
            await accessible(page)
            await page.get_by_role("button", name="Mute").click()
            await expect(page.get_by_role("button", name="Unmute")).to_be_visible()
            await page.goto("/")
            await expect(page.locator("#stream")).to_contain_text("muted")


async def test_the_archive_is_searched_in_every_script(tmp_path: Path, sqlite_url: str) -> None:
    """Hindi and Urdu find what they mean, marked, in their own direction; filters are in the URL."""
    async with desk(tmp_path, sqlite_url, outlets=["courier"], watches=TRUCE) as at:
        await polled(at)
        at.publish("courier", "hi", "युद्धविराम पर सहमति", HINDI, language="hi")
        at.publish("courier", "ur", "جنگ بندی پر اتفاق", URDU, language="ur")
        at.publish("courier", "apples", "Apples come late this year", OTHER)
        await at.alerted("#newsdesk", 2)
        async with reading(at, may_say="400") as page:
            await page.goto("/search")
            box = page.get_by_role("searchbox").first
            for query, language, wanted in (
                ("युद्धविराम", "hi", "युद्धविराम पर सहमति"),
                ('"جنگ بندی"', "ur", "جنگ بندی پر اتفاق"),
                ("apple NEAR/3 growers", "en", "Apples come late this year"),
            ):
                await box.fill(query)
                await page.get_by_role("button", name="Search").click()
                found = page.locator("main h3", has_text=wanted)
                await expect(found).to_be_visible()
                await expect(page.locator("main h3")).to_have_count(1)
                assert await page.locator("main mark").count() >= 1
                assert await found.evaluate("e => getComputedStyle(e).direction") == (
                    "rtl" if language == "ur" else "ltr"
                )
                await accessible(page)
            await box.fill("apple NEAR/x growers")
            await page.get_by_role("button", name="Search").click()
            await expect(page.locator("main pre")).to_contain_text("^^^")


async def test_a_watch_is_tried_saved_and_takes_effect(tmp_path: Path, sqlite_url: str) -> None:
    """A mistake is shown where it stands; a good query is tried, saved, and alerts."""
    more = "editable = true\n"
    async with desk(tmp_path, sqlite_url, outlets=["courier"], watches=TRUCE, more=more) as at:
        await polled(at)
        at.publish("courier", "apples", "Apples come late this year", OTHER)
        await until(lambda: seen(at))
        async with reading(at, may_say="422") as page:
            await page.goto("/watches")
            await page.get_by_role("link", name="New watch").click()
            text = page.get_by_label("Query or terms")
            await text.fill("apple* NEAR/ (harvest OR growers)")
            await page.get_by_role("button", name="Try it").click()
            await expect(page.locator("pre.picture")).to_contain_text("^^^")
            await accessible(page)
            await text.fill("apple* NEAR/5 (harvest OR growers)")
            await page.get_by_label("Name").fill("Apples")
            await page.get_by_role("button", name="Try it").click()
            await expect(page.locator("#result")).to_contain_text("Apples come late this year")
            await accessible(page)
            await page.get_by_role("button", name="Save to feeds.toml").click()
            await expect(page.get_by_role("heading", name="Apples", exact=True)).to_be_visible()
            written = at.config.read_text(encoding="utf-8")
            assert "NEAR/5" in written
            assert 'name = "Truce"' in written
            await until(lambda: watches(at, 2))
            later = OTHER.replace("upper valley", "lower plains").replace("road", "railway")
            at.publish("courier", "more", "Growers count their apples", later)
            await page.goto("/")
            found = page.get_by_role("link", name="Growers count their apples")
            await expect(found).to_be_visible(timeout=20_000)


async def test_a_feed_is_added_by_the_address_of_its_site(tmp_path: Path, sqlite_url: str) -> None:
    """The site names its feed; it is looked at, named, written to the file, and polled."""
    more = "editable = true\n"
    async with desk(tmp_path, sqlite_url, outlets=["courier"], watches=TRUCE, more=more) as at:
        await polled(at)
        herald = at.opened("herald")
        herald.publish(at.clock, "truce", "Ceasefire holds at noon", NEWS)
        async with reading(at) as page:
            await page.goto("/feeds")
            await page.get_by_role("link", name="Add a feed").click()
            await page.get_by_label("The address of a site").fill(herald.site)
            await page.get_by_role("button", name="Look for feeds").click()
            await expect(page.locator("main")).to_contain_text("Ceasefire holds at noon")
            await accessible(page)
            await page.get_by_role("link", name="Take this one").click()
            await page.get_by_label("Name").fill("The Herald")
            await page.get_by_role("button", name="See what is written").click()
            await page.get_by_role("button", name="Add it").click()
            await expect(page.locator("main")).to_contain_text("The Herald")
            assert herald.feed in at.config.read_text(encoding="utf-8")
            await polled(at, 2)
            await page.goto("/feeds")
            await page.get_by_role("link", name="The Herald").first.click()
            await expect(page.get_by_role("heading", level=1)).to_contain_text("The Herald")
            await accessible(page)


async def test_with_a_token_one_logs_in(tmp_path: Path, sqlite_url: str) -> None:
    """Nothing is told before; a wrong token is refused; then one lands where one wanted to go."""
    env = {"MONITOR_WEB_TOKEN": "correct-horse-battery-staple"}
    async with (
        desk(tmp_path, sqlite_url, outlets=["courier"], watches=TRUCE, env=env) as at,
        reading(at, may_say="401|403") as page,
    ):
        await page.goto("/watches")
        await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
        await expect(page.locator("body")).not_to_contain_text("Truce")
        await accessible(page)
        await page.get_by_label("Token").fill("wrong-horse-battery-staple")
        await page.get_by_role("button", name="Log in").click()
        await expect(page.get_by_role("alert")).to_be_visible()
        await page.get_by_label("Token").fill(env["MONITOR_WEB_TOKEN"])
        await page.get_by_role("button", name="Log in").click()
        await expect(page.get_by_role("heading", name="Truce")).to_be_visible()
        await page.get_by_role("link", name="log out").click()
        await page.get_by_role("button", name="Log out").click()
        await page.goto("/watches")
        await expect(page.get_by_label("Token")).to_be_visible()


async def test_what_a_feed_says_is_text(tmp_path: Path, sqlite_url: str) -> None:
    """Markup in headline, text and feed's name is shown letter by letter, on every page."""
    async with desk(tmp_path, sqlite_url, outlets=["courier"], watches=TRUCE) as at:
        name = f"C {XSS}"
        text = at.config.read_text(encoding="utf-8").replace(
            'name = "courier"', f"name = '''{name}'''"
        )
        at.save(text)
        await polled(at)
        at.publish("courier", "xss", f"Ceasefire {XSS}", f"{XSS} {NEWS}")
        await at.alerted("#newsdesk")
        async with reading(at) as page:
            paths = [*await sections(page), "/search?q=ceasefire"]
            await page.goto("/")
            await expect(page.locator("main")).to_contain_text("<script>document.title")
            story = await page.locator("#stream a.opens").first.get_attribute("href")
            await page.goto("/feeds")
            feed = await page.locator("main td a").first.get_attribute("href")
            for path in (*paths, story or "", feed or ""):
                await page.goto(path)
                assert await page.title() != "owned"
                assert await page.locator("img[src=x], script:not([src])").count() == 0


async def test_every_page_of_a_desk_in_use_can_be_read_by_everybody(
    tmp_path: Path, sqlite_url: str
) -> None:
    """In the dark, and without script: nothing serious for axe-core, one heading, a title."""
    async with desk(tmp_path, sqlite_url, outlets=["courier", "herald"], watches=TRUCE) as at:
        await polled(at)
        at.publish("courier", "a", "Ceasefire agreed along the line", NEWS)
        at.publish("herald", "a", "Ceasefire agreed along the line", NEWS)
        at.publish("herald", "ur", "جنگ بندی پر اتفاق", URDU, language="ur")
        await at.alerted("#newsdesk", 2)
        async with reading(at) as page:
            paths = [*await sections(page), "/search?q=ceasefire", "/api", "/follow"]
            for where, link in (
                ("/", "#stream a.opens"), ("/watches", "main h2 a, main h3 a"), ("/feeds", "main td a"),
            ):  # fmt: skip
                await page.goto(where)
                paths.append(await page.locator(link).first.get_attribute("href") or "")
        for dark, script in ((True, True), (False, False)):
            async with reading(at, dark=dark, script=script) as page:
                for path in paths:
                    await page.goto(path)
                    await expect(page.locator("h1")).to_have_count(1)
                    assert (await page.title()).endswith("monitor")
                    assert await page.evaluate(TABLES) == []
                    if script:
                        await accessible(page)
