"""What robots.txt says is done, asked once a day, and no host can make it cost much."""

from __future__ import annotations

import asyncio
import gc
import time
from datetime import timedelta

import pytest

from monitor.errors import Code, Permanent, Transient
from monitor.fetch.robots import ASKED_AGAIN, KEPT, OLD, Robots, RobotsFetcher
from monitor.ports import Page
from tests.webserver import Reply, redirect

ROBOTS = """\
# the whole truth
User-agent: GPTBot
User-agent: CCBot
Disallow: /

User-agent: *
Disallow: /private/
Disallow: /*.pdf$
Allow: /private/open/
Crawl-delay: 2

Sitemap: https://example.test/news.xml
"""


@pytest.fixture
def robots(fetcher, clock):
    return Robots(fetcher, clock)


def read(pages, url):
    return pages.get(url, accept="text/html", max_bytes=1 << 20)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", True),
        ("/news/1", True),
        ("/private/1", False),
        ("/private/open/1", True),  # the longest rule counts
        ("/report.pdf", False),
        ("/report.pdf?page=2", True),
        ("/robots.txt", True),
    ],
)
async def test_the_longest_rule_counts(server, robots, path, allowed):
    """As RFC 9309 has it, wildcards included."""
    server.route("/robots.txt", Reply(ROBOTS))
    assert await robots.allows(server.url(path)) is allowed


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", True),
        ("Disallow: /", True),  # nobody is named
        ("User-agent: *\nDisallow:", True),
        ("User-agent: *\nDisallow: /", False),
        ("\ufeffUSER-AGENT: *\nDISALLOW: /", False),
        ("User-agent: *\r\nDisallow: /\r\n", False),
        ("User-agent: other\nDisallow: /", True),
        ("User-agent: monitoring\nDisallow: /", True),  # somebody else
        ("User-agent: mon\nDisallow: /", True),
        ("User-agent: Monitor/1.0 # us\nDisallow: /", False),
        ("User-agent: *\nDisallow: /\nUser-agent: monitor\nAllow: /", True),
        ("User-agent: monitor\nDisallow: /\nUser-agent: *\nAllow: /", False),
        ("User-agent: monitor\nUser-agent: other\nDisallow: /", False),  # one group
        ("User-agent: other\n\nUser-agent: monitor\nDisallow: /", False),
        ("User-agent: monitor\nAllow: /a\nUser-agent: other\nDisallow: /", True),
        ("User-agent: monitor\nSitemap: /s.xml\nHost: x\nUser-agent: other\nDisallow: /", False),
        ("User-agent: other\nDisallow: /\nUser-agent: monitor\nAllow: /x", True),
        ("User-agent: monitor\nAllow: /x\nUser-agent: monitor\nDisallow: /", False),  # both count
        ("<html><body>User-agent: * Disallow: /</body></html>", True),
        ("\0\xff\u2028: : :\n:\nUser-agent:\nDisallow: /", True),
    ],
)
async def test_only_rules_for_us_or_everybody(server, robots, text, allowed):
    """The others' are passed over, however they are grouped."""
    server.route("/robots.txt", Reply(text))
    assert await robots.allows(server.url("/page")) is allowed


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418, 451])
async def test_a_site_without_rules_allows_all(server, robots, status):
    """RFC 9309 §2.3.1.3; it is not asked again for a day."""
    server.route("/robots.txt", Reply(status=status))
    assert await robots.allows(server.url("/a"))
    assert await robots.allows(server.url("/b"))
    assert len(server.to("/robots.txt")) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_site_in_trouble_is_left_alone(server, robots, clock, status):
    """RFC 9309 §2.3.1.4: skipped, and asked again in some minutes, not each time."""
    server.route("/robots.txt", [Reply(status=status), Reply(ROBOTS)])
    for path in ("/a", "/b"):
        with pytest.raises(Transient) as caught:
            await robots.allows(server.url(path))
        assert caught.value.retry_after == ASKED_AGAIN
        assert caught.value.status == status
    assert len(server.to("/robots.txt")) == 1
    clock.advance(seconds=ASKED_AGAIN.total_seconds())
    assert await robots.allows(server.url("/a"))


async def test_a_retry_after_is_obeyed(server, robots, clock):
    """Up to a day."""
    server.route("/robots.txt", Reply(status=503, headers={"Retry-After": "7200"}))
    with pytest.raises(Transient):
        await robots.allows(server.url("/a"))
    clock.advance(hours=1)
    with pytest.raises(Transient):
        await robots.allows(server.url("/a"))
    assert len(server.to("/robots.txt")) == 1


async def test_a_host_that_does_not_answer_is_skipped(robots):
    """Its pages would not answer either."""
    with pytest.raises(Transient) as caught:
        await robots.allows("http://127.0.0.1:1/page")
    assert caught.value.code is Code.CONNECT


async def test_the_last_word_holds_while_a_site_is_in_trouble(server, robots, clock):
    """For a week; then nobody knows any more."""
    server.route("/robots.txt", [Reply(ROBOTS), Reply(status=500)])
    page, private = server.url("/page"), server.url("/private/1")
    assert await robots.allows(page)
    clock.advance(seconds=KEPT.total_seconds())
    assert await robots.allows(page)
    assert not await robots.allows(private)
    assert len(server.to("/robots.txt")) == 2
    clock.advance(seconds=OLD.total_seconds())
    with pytest.raises(Transient):
        await robots.allows(page)


async def test_it_is_asked_once_a_day(server, robots, clock):
    """And then anew."""
    server.route("/robots.txt", [Reply(ROBOTS), Reply("User-agent: *\nDisallow: /")])
    for _ in range(5):
        assert await robots.allows(server.url("/page"))
        clock.advance(hours=4)
    clock.advance(hours=4)
    assert not await robots.allows(server.url("/page"))
    assert len(server.to("/robots.txt")) == 2


async def test_those_who_ask_at_once_share_an_answer(server, robots):
    """Also when the first of them gives up."""

    async def slowly(request):
        await asyncio.sleep(0.02)
        return Reply(ROBOTS)

    server.route("/robots.txt", slowly)
    first = asyncio.create_task(robots.allows(server.url("/page")))
    await asyncio.sleep(0.005)
    others = [asyncio.create_task(robots.allows(server.url(f"/private/{n}"))) for n in range(9)]
    await asyncio.sleep(0)
    first.cancel()
    assert not any(await asyncio.gather(*others))
    assert len(server.to("/robots.txt")) <= 2  # the one that was given up, and another


async def test_redirects_to_the_rules_are_followed(server, robots):
    """They hold for the origin that was asked about."""
    server.route("/robots.txt", redirect("/there.txt"))
    server.route("/there.txt", Reply(ROBOTS))
    assert not await robots.allows(server.url("/private/1"))


async def test_a_redirect_into_the_house_is_no_rule(server, robots):
    """The guard refuses it; a page of the site itself may be read."""
    server.route("/robots.txt", redirect("http://169.254.169.254/robots.txt"))
    assert await robots.allows(server.url("/page"))


@pytest.mark.parametrize("url", ["ftp://example.test/x", "http://", "http://[x/", "nothing"])
async def test_what_has_no_origin_is_left_to_the_fetcher(robots, url):
    """It says what is wrong with it."""
    assert await robots.allows(url)
    assert robots.crawl_delay(url) == timedelta(0)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("2", 2), ("0.5", 0.5), ("3600", 30), ("-1", 0), ("inf", 0), ("nan", 0), ("soon", 0)],
)
async def test_a_pause_is_given_within_reason(server, robots, said, seconds):
    """At most half a minute; and none is known before it was asked."""
    server.route("/robots.txt", Reply(f"User-agent: *\nCrawl-delay: {said}\nDisallow: /x"))
    assert robots.crawl_delay(server.url("/page")) == timedelta(0)
    await robots.allows(server.url("/page"))
    assert robots.crawl_delay(server.url("/other")) == timedelta(seconds=seconds)


async def test_pages_are_read_as_allowed(server, fetcher, robots):
    """What is not allowed is not asked for, and will not be."""
    server.route("/robots.txt", Reply(ROBOTS))
    server.route("/news", Reply("<p>news"))
    server.route("/private/1", Reply("<p>secret"))
    pages = RobotsFetcher(fetcher, robots)
    answer = await read(pages, server.url("/news"))
    assert isinstance(answer, Page)
    assert answer.body == b"<p>news"
    with pytest.raises(Permanent) as caught:
        await read(pages, server.url("/private/1"))
    assert caught.value.code is Code.DISALLOWED
    assert server.to("/private/1") == []


async def test_what_a_redirect_leads_to_is_asked_about(server, fetcher, robots):
    """The page behind it is not used."""
    server.route("/robots.txt", Reply(ROBOTS))
    server.route("/go", redirect("/private/1"))
    server.route("/private/1", Reply("<p>secret"))
    with pytest.raises(Permanent) as caught:
        await read(RobotsFetcher(fetcher, robots), server.url("/go"))
    assert caught.value.code is Code.DISALLOWED


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"User-agent: a{n}\n" for n in range(18_000)) + "Disallow: /\n" * 20_000,
        "User-agent: *\n" + "".join(f"Disallow: /{n}\n" for n in range(40_000)),
        "User-agent: *\nDisallow: /" + "*a" * 250_000,
        "User-agent:" + " " * 500_000,
        "user-agent\n" * 50_000,
    ],
    ids=["agents", "rules", "stars", "spaces", "heads"],
)
async def test_no_rules_take_long(server, robots, text):
    """Half a megabyte of anything: seconds, where it could be hours."""
    server.route("/robots.txt", Reply(text))
    began = time.process_time()
    await robots.allows(server.url("/" + "a" * 1_500))
    assert time.process_time() - began < 5


async def test_what_is_longer_is_read_in_part_or_not_at_all(server, robots):
    """Half a megabyte is read; two are no robots.txt."""
    rules = "User-agent: *\nDisallow: /early\n" + "#" * (600 << 10) + "\nDisallow: /late\n"
    server.route("/robots.txt", Reply(rules))
    assert not await robots.allows(server.url("/early"))
    assert await robots.allows(server.url("/late"))


async def test_two_megabytes_are_no_rules(server, robots):
    """An endless one ends there."""
    server.route("/robots.txt", Reply("User-agent: *\nDisallow: /\n" + "#" * (3 << 20)))
    assert await robots.allows(server.url("/page"))


class Everywhere:
    """A fetcher that has the same rules for every host."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.asked = 0

    async def get(self, url, **_):
        self.asked += 1
        return Page(url=url, body=self.text.encode())


@pytest.mark.parametrize(
    ("text", "most"),
    [("User-agent: *\nDisallow: /x\n", 2_000), ("User-agent: *\n" + "Disallow: /x\n" * 9_000, 10)],
)
async def test_memory_is_bounded(clock, text, most):
    """By hosts and by rules: those asked about longest ago are forgotten."""
    wire = Everywhere(text)
    robots = Robots(wire, clock)
    hosts = [f"http://h{n}.test/" for n in range(most + 2)]
    for host in hosts:
        await robots.allows(host)
        await robots.allows(hosts[0])
    assert wire.asked == len(hosts)  # the first was asked about all the time
    assert await robots.allows(hosts[-1])
    assert wire.asked == len(hosts)
    await robots.allows(hosts[1])
    assert wire.asked == len(hosts) + 1
    gc.collect()
    assert not robots._asking
