"""The page as a browser gets it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from lxml.html import HtmlElement

from monitor.errors import StorageError
from monitor.model import DeliveryState
from tests.web.browser import browsing, words_of
from tests.web.samples import (
    NO_COUNTS,
    NOW,
    FixedHealth,
    MemoryReports,
    delivery_row,
    feed_row,
    hit_row,
    lifelike,
)

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</mark></blockquote><svg/onload=alert(1)>",
    "' autofocus onfocus='alert(1)",
    "<!-- <style>*{display:none}</style>",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "&lt;b&gt; &amp; <b>bold</b>",
    "\u202eevil\u2066 <a href=javascript:alert(1)>x</a>",
]


async def test_a_busy_page_is_well_formed_and_has_its_landmarks():
    """The page parses strictly and offers the landmarks that a screen reader steers by."""
    async with browsing(lifelike()) as browser:
        answer = await browser.get()
    page = answer.page
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.get("lang") == "en"
    assert [len(page.findall(f".//{tag}")) for tag in ("header", "main", "footer", "h1")] == [1] * 4
    for section in page.xpath("//main/section[@aria-labelledby]"):
        assert page.get_element_by_id(section.get("aria-labelledby")).tag == "h2"
    assert len(page.xpath("//*[@role='status'][@aria-live='polite']")) == 1
    fields = page.xpath("//form//select | //form//input[not(@type='hidden')]")
    assert all(field.xpath("ancestor::label") for field in fields)


async def test_a_hit_says_who_what_when_and_why():
    """A hit shows its headline as a link, its publisher, age, delays, watches, terms and state."""
    async with browsing(lifelike()) as browser:
        first = (await browser.get()).page.xpath("//ol[@id='stream']/li")[0]
    assert first.find(".//h3/a").get("href") == "/stories/3"
    [original] = first.xpath(".//a[@rel]")
    assert original.get("href") == "https://news.example/3"
    assert original.get("rel") == "noopener noreferrer nofollow"
    said = words_of(first)
    assert "2 min ago" in said
    assert "Northern Wire" in said
    assert "3 publishers, 4 copies: Indus Mirror, The Deccan Post" in said
    assert "alerted #channel-0 trying again #channel-1" in said
    assert "India–Pakistan ceasefire ceasefire, Kashmir, Operation Sindoor" in said
    assert "South Asia, everything" in said
    assert "published 11:55:40 seen 11:57:00 + 80 s found 11:57:02 + 2.4 s alerted 11:57:02" in said
    assert first.find(".//time").get("datetime") == "2025-05-10T11:57:02+00:00"


async def test_what_matched_is_marked_in_headline_and_passage():
    """Every mark holds a watched term and nothing else, in every script."""
    async with browsing(lifelike()) as browser:
        page = (await browser.get()).page
    marked = {mark.text for mark in page.iter("mark")}
    assert marked == {
        "ceasefire",
        "Kashmir",
        "Operation Sindoor",
        "युद्धविराम",
        "कश्मीर",
        "جنگ بندی",
        "کشمیر",
    }


@pytest.mark.parametrize(("language", "word"), [("ur", "جنگ بندی"), ("hi", "युद्धविराम")])
async def test_other_scripts_carry_their_language_and_direction(language: str, word: str):
    """Headline and passage of an Urdu or Hindi hit say their language and find their direction."""
    async with browsing(lifelike()) as browser:
        page = (await browser.get()).page
    texts = page.xpath(f"//*[@lang='{language}']")
    assert [each.tag for each in texts] == ["h3", "blockquote"]
    assert all(each.get("dir") == "auto" and word in each.text_content() for each in texts)


async def test_what_needs_somebody_stands_first_and_leads_there():
    """The worst first; and the figures that it is about are coloured."""
    async with browsing(lifelike()) as browser:
        page = (await browser.get()).page
    [needs] = page.find_class("needs")
    assert words_of(needs) == (
        "Needs somebody: 1 message could not be delivered, 4 feeds in trouble, "
        "1 message uncertain, 1 message to be tried again."
    )
    assert [link.get("href") for link in needs.iter("a")] == [
        "/deliveries?state=failed",
        "/feeds",
        "/deliveries?state=uncertain",
        "/deliveries?state=retrying",
    ]
    assert [words_of(each.find("dt")) for each in page.find_class("bad") if each.tag == "div"] == [
        "Feeds live",
        "Alerted in 24 h",
    ]


async def test_a_message_shows_its_error_until_it_is_sent():
    """A waiting message says what went wrong; a sent one keeps no old error."""
    old = "ratelimited: asked to wait"
    reports = MemoryReports(
        delivery_rows=(
            delivery_row(1, "Waits", DeliveryState.RETRY, error=old, attempts=3),
            delivery_row(2, "Shown", DeliveryState.SENT, error=old),
        )
    )
    async with browsing(reports) as browser:
        page = (await browser.get("/deliveries?channel=%23newsdesk&state=")).headers["Location"]
        waits, shown = (await browser.get(page)).page.xpath("//tbody[last()]/tr")[-2:]
    assert words_of(waits) == f"retrying Waits {old} #newsdesk 3 60 s ago in 20 s"
    assert words_of(shown) == "sent Shown #newsdesk 1 2 min ago 1 min ago"


async def test_an_empty_page_says_what_to_do():
    """Where there is nothing yet, the page explains how something gets there."""
    async with browsing() as browser:
        pages = [(await browser.get(path)).page for path in ("/", "/deliveries")]
    said = [words_of(each) for page in pages for each in page.find_class("empty")]
    assert [line.partition(".")[0] for line in said] == [
        "No article has matched a watch yet",
        "Nothing has been sent yet",
    ]
    assert all("feeds.toml" in line or "Slack" in line for line in said)
    assert "looked at" not in said[0]


async def test_where_no_feed_can_be_read_the_page_says_so():
    """Why, and what would help; once one was read, or where a filter is set, nothing of it."""
    lost = {"ok_at": None, "entries": 0, "polled_at": NOW, "failures": 1}
    feeds = [feed_row(name, error="dns: x has no address", **lost) for name in ("Dawn", "Jang")]
    odd = feed_row("BBC", error="not_found: 404", **lost)
    for rows, said in (
        (
            (*feeds, odd),
            "No feed could be read yet: 3 of 3 feeds failed. Of most: The host name has",
        ),
        ((*feeds, feed_row("Geo")), "No article has matched a watch yet."),
    ):
        async with browsing(MemoryReports(feed_rows=rows)) as browser:
            [empty] = (await browser.get()).page.find_class("empty")
            assert words_of(empty).startswith(said)
            assert ("MONITOR_PROXY" in words_of(empty)) == ("could be read" in said)


async def test_no_hit_after_many_entries_says_how_many_were_looked_at():
    """Where entries were read but none matched, the page shows that the service works."""
    reports = MemoryReports(totals=replace(NO_COUNTS, entries=1234))
    async with browsing(reports) as browser:
        page = (await browser.get()).page
    assert "1,234 entries have been looked at so far." in words_of(page.find_class("empty")[0])


async def test_troubles_of_the_service_are_banners():
    """A stalled clockwork, a rejected configuration and a dead sink are told on top, all at once."""
    health = FixedHealth(
        age=14.2,
        mistakes="feeds.toml:20:1: url: must start with http://\nfeeds.toml:31:1: unknown key",
        problem="Slack: invalid_auth",
    )
    async with browsing(lifelike(), health) as browser:
        page = (await browser.get()).page
    stalled, config, sink = (words_of(each) for each in page.find_class("banner"))
    assert "14.2 s ago; 3 s is the limit" in stalled
    assert "feeds.toml:20:1: url: must start with http:// feeds.toml:31:1: unknown key" in config
    assert "Slack: invalid_auth" in sink
    assert words_of(page.find_class("state")[0]) == "not running"


async def test_a_healthy_service_has_no_banner():
    """When nothing is wrong, nothing shouts."""
    async with browsing(lifelike()) as browser:
        page = (await browser.get()).page
    assert page.find_class("banner") == []
    assert words_of(page.find_class("state")[0]) == "running"


@pytest.mark.parametrize("words", HOSTILE)
async def test_hostile_words_are_shown_as_words(words: str):
    """Whatever a feed, a server or a file says is text: no element, no attribute, no script."""
    reports = MemoryReports(
        hit_rows=(
            hit_row(1, words, f"{words} ceasefire {words}", "ceasefire", watch=words,
                    publisher=words, language=words, url=words),
            hit_row(2, "x", words, words, copies=1, publisher="Other " + words),
        ),
        delivery_rows=(delivery_row(1, words, DeliveryState.DEAD, error=words, channel=words),),
    )  # fmt: skip
    health = FixedHealth(mistakes=words, problem=words, version=words, up=(False, words))
    async with browsing(reports, health) as browser:
        pages = [(await browser.get(path)).page for path in ("/", "/deliveries")]
    for page in pages:
        _is_harmless(page)
    for place in ("h3", "blockquote", "bdi"):
        assert any(" ".join(words.split()) in words_of(each) for each in pages[0].iter(place))
    assert any(" ".join(words.split()) in words_of(each) for each in pages[1].iter("bdi"))


def _is_harmless(page: HtmlElement) -> None:
    """No element, no attribute and no link but the templates' own."""
    assert {each.tag for each in page.iter("svg", "style", "b", "iframe")} == set()
    assert all(each.get("src").startswith("/static/") for each in page.iter("script"))
    assert all(image.get("src").startswith("/static/") for image in page.iter("img"))
    assert not [name for each in page.iter() for name in each.attrib if name.startswith("on")]
    assert all(re.match(r"/|#|https?:", link) for link in page.xpath("//@href | //@src"))


async def test_only_web_addresses_become_links():
    """A headline whose URL is no http(s) address is shown without a link."""
    urls = ["javascript:alert(1)", "data:text/html,x", "//evil.example", "http://", "ftp://x/",
            "JaVaScRiPt://x/%0aalert(1)", "http://[", "/", "", None]  # fmt: skip
    rows = tuple(hit_row(number, "Truce", "", "Truce", url=url) for number, url in enumerate(urls))
    async with browsing(MemoryReports(hit_rows=rows)) as browser:
        page = (await browser.get()).page
    assert page.xpath("//ol[@id='stream']//a[@rel]") == []
    assert [words_of(each) for each in page.iter("h3")] == ["Truce"] * len(urls)


async def test_half_a_character_does_not_take_the_page_down():
    """A lone surrogate in a headline is replaced; the page is served."""
    reports = MemoryReports(hit_rows=(hit_row(1, "Truce \ud83d holds", "", "Truce"),))
    async with browsing(reports) as browser:
        answer = await browser.get()
    assert answer.status == 200
    assert words_of(answer.page.find(".//h3")) == "Truce ? holds"


async def test_an_unreadable_database_is_told_as_what_it_is():
    """A storage error is a 503 page that says why, without secrets, under the usual header."""
    reports = MemoryReports(error=StorageError("can't open postgresql://me:hunter2@db/monitor"))
    async with browsing(reports) as browser:
        answer = await browser.get()
        plain = await browser.get(Accept="*/*")
    assert answer.status == plain.status == 503
    assert "can't open postgresql://***@db/monitor" in words_of(answer.page.find(".//main"))
    assert plain.text == "can't open postgresql://***@db/monitor\n"


async def test_a_bug_is_a_page_too_and_tells_nothing():
    """An unforeseen error answers 500 in the page's style, guarded, without its text."""
    async with browsing(MemoryReports(error=RuntimeError("the secret is 42"))) as browser:
        answer = await browser.get()
    assert answer.status == 500
    assert "It has been logged" in words_of(answer.page.find(".//main"))
    assert "42" not in words_of(answer.page)
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["Cache-Control"] == "no-store"


async def test_an_unknown_path_is_a_page_for_people_and_a_line_for_programs():
    """404 answers HTML to a browser and plain text to anything else."""
    async with browsing() as browser:
        page = await browser.get("/nope")
        line = await browser.get("/nope", Accept="*/*")
    assert page.status == line.status == 404
    assert words_of(page.page.find(".//h1")) == "Not Found"
    assert line.text == "There is no such page here.\n"


async def test_nothing_can_be_written():
    """Only GET and HEAD are answered, on every path."""
    async with browsing() as browser:
        for path in ("/", "/healthz", "/metrics", "/status", "/static/style.css"):
            assert (await browser.get(path, method="HEAD")).status == 200
            for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
                answer = await browser.get(path, method=method)
                assert answer.status == 405
                assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD"}


async def test_the_style_sheet_is_ours_and_may_be_kept():
    """The page loads style sheets, a script and an icon, all from here, named by their content."""
    async with browsing() as browser:
        page = (await browser.get()).page
        links = page.xpath("//link/@href | //script/@src")
        answers = [await browser.get(link) for link in links]
        missing = await browser.get("/static/app.py")
        outside = await browser.get("/static/..%2fapp.py")
    assert [answer.status for answer in answers] == [200] * 5
    assert [answer.headers["Content-Type"] for answer in answers] == [
        "image/svg+xml",
        "text/css; charset=utf-8",
        "text/javascript; charset=utf-8",
        "text/css; charset=utf-8",
        "text/javascript; charset=utf-8",
    ]
    assert all("immutable" in answer.headers["Cache-Control"] for answer in answers)
    assert all(re.fullmatch(r"/static/[a-z]+\.[a-z]+\?v=[0-9a-f]{12}", link) for link in links)
    assert missing.status == outside.status == 404
    assert "@import" not in answers[1].text
    assert "url(" not in answers[1].text
