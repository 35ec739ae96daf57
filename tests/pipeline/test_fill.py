"""What a feed dropped is found in its site's news sitemap, and nothing else is brought in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor import telemetry
from monitor.compose import place_entry
from monitor.model import Entry, Feed, FeedId, FeedSpec, FeedStatus, Kind, Validators
from monitor.pipeline.fill import DOCUMENTS, MOST, fill, missing
from tests.webserver import Reply, redirect

NOW = datetime(2025, 5, 10, 12, 0, tzinfo=UTC)
SITE = "https://paper.example"
FEED = Feed(
    id=FeedId(1),
    spec=FeedSpec(url="https://feeds.example/paper.xml", name="Paper", publisher="Paper"),
    host="feeds.example",
    status=FeedStatus.OK,
    validators=Validators(),
    body_hash=None,
    failures=0,
    polled_at=None,
    due_at=NOW,
    newest_at=NOW - timedelta(hours=10),
)


def entry(path: str, hours: float | None, *, site: str = SITE) -> Entry:
    """An entry of so many hours ago."""
    at = None if hours is None else NOW - timedelta(hours=hours)
    return Entry(guid=f"{site}{path}", url=f"{site}{path}", title=path, text="", published_at=at)


def listing(*paths: str, hours: float | None = 1):
    return [place_entry(FEED, entry(path, hours)) for path in paths]


def found(entries, listed, *, since: float = 10) -> list[str]:
    gone = missing(FEED, entries, listed, since=NOW - timedelta(hours=since), now=NOW)
    return [each.url.removeprefix(SITE) for each in gone]


PLAIN = listing("/a-1", "/a-2", "/a-3", "/a-4")


@pytest.mark.parametrize(
    ("entries", "listed", "expected"),
    [
        ([entry("/x", 5)], PLAIN, ["/x"]),
        ([entry("/x", 5), entry("/y", 3)], PLAIN, ["/y", "/x"]),  # newest first
        ([entry("/x", 11)], PLAIN, []),  # was there before
        ([entry("/x", 10)], PLAIN, []),
        ([entry("/x", 0.5)], PLAIN, []),  # so new that the feed would list it
        ([entry("/x", -5)], PLAIN, []),
        ([entry("/x", None)], PLAIN, []),
        ([entry("/a-2", 5)], PLAIN, []),  # is listed
        ([entry("/a-2?utm_source=news", 5)], PLAIN, []),
        ([entry("/x", 5), entry("/x#top", 5)], PLAIN, ["/x"]),
        ([entry("/x", 5, site="https://other.example")], PLAIN, []),
        ([entry("/x", 5, site="http://[x")], PLAIN, []),
        ([entry("/x", 0.5)], listing("/a", "/b", hours=None), ["/x"]),  # it bears no dates
        ([entry("/x", 5)], [], []),
    ],
)
def test_what_is_missing(entries, listed, expected):
    """Between the two polls, of the site, and not listed."""
    assert found(entries, listed) == expected


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (["/sport/1", "/sport/2", "/sport/3"], ["/sport/x"]),
        (["/sport/1", "/sport/2", "/world/3", "/world/4"], ["/world/x", "/sport/x"]),
        (["/sport/1", "/world/2"], ["/2024/x", "/world/x", "/sport/x"]),  # anything
        (["/2025/1", "/2025/2"], ["/2024/x"]),  # a year is no section
        (["/sport/1", "/sport/2", "/one"], ["/2024/x", "/world/x", "/sport/x"]),
    ],
)
def test_a_feed_of_a_section_is_filled_with_its_section(listed, expected):
    """Not with all that its site published."""
    entries = [entry("/sport/x", 7), entry("/world/x", 6), entry("/2024/x", 5)]
    assert found(entries, listing(*listed)) == expected


def test_a_subdomain_is_the_same_site():
    """Of one registrable domain."""
    listed = [place_entry(FEED, entry("/a", 1, site="https://www.example.com"))]
    entries = [entry("/x", 5, site="https://sport.example.com"), entry("/y", 5)]
    assert found(entries, listed) == ["https://sport.example.com/x"]


def test_a_gap_is_filled_with_the_newest():
    """Two hundred, however many there are."""
    entries = [entry(f"/{n}", 2 + n / 100) for n in range(MOST + 50)]
    assert found(entries, PLAIN) == [f"/{n}" for n in range(MOST)]


# --------------------------------------------------------------------------- with a site


def sitemap(*items: tuple[str, datetime]) -> Reply:
    rows = "".join(
        f"<url><loc>{url}</loc><news:news><news:title>From the sitemap</news:title>"
        f"<news:publication_date>{at.isoformat()}</news:publication_date></news:news></url>"
        for url, at in items
    )
    return Reply(f"<urlset>{rows}</urlset>", headers={"Content-Type": "application/xml"})


async def gap(newsroom):
    """A feed that was polled, and ten hours later lists something else; the second poll's view."""
    newsroom.feed("courier", ("One", "/1"))
    await newsroom.declare("courier")
    await newsroom.work(Kind.POLL)
    newsroom.clock.advance(hours=10)
    now = newsroom.clock.now()
    [job] = [
        job
        for job in await newsroom.store.read(lambda tx: tx.due_jobs(now))
        if job.kind is Kind.POLL
    ]
    [feed] = await newsroom.store.write(
        lambda tx: tx.claim_feeds(int(job.key), now, timedelta(minutes=5), 10)
    )
    link = newsroom.server.url("/9")
    nine = Entry(guid="9", url=link, title="Nine", text="", published_at=now)
    newsroom.server.requests.clear()
    return feed, [place_entry(feed, nine)]


def at(newsroom, hours: float) -> datetime:
    return newsroom.clock.now() - timedelta(hours=hours)


async def test_a_gap_is_filled_from_the_news_sitemap(newsroom):
    """That robots.txt names: its articles are read as those of the feed, and counted."""
    feed, listed = await gap(newsroom)
    server = newsroom.server
    server.route("/robots.txt", Reply("User-agent: *\nSitemap: /all.xml\nSitemap: /news.xml"))
    server.route(
        "/all.xml", Reply("<sitemapindex><sitemap><loc>/2024.xml</loc></sitemap></sitemapindex>")
    )
    server.route(
        "/news.xml",
        sitemap(
            (server.url("/1"), at(newsroom, 12)),
            (server.url("/4"), at(newsroom, 5)),
            (server.url("/9"), at(newsroom, 0)),
        ),
    )
    before = telemetry.FILLED._value.get()
    added = await fill(newsroom.context, feed, listed)
    assert (added.entries, added.linked) == (1, 0)
    assert telemetry.FILLED._value.get() == before + 1
    assert [request.path for request in server.requests] == ["/robots.txt", "/news.xml", "/all.xml"]
    jobs = await newsroom.store.read(lambda tx: tx.due_jobs(newsroom.clock.now()))
    assert Kind.INGEST in {job.kind for job in jobs}
    assert (await fill(newsroom.context, feed, listed)).entries == 0  # it is known now


async def test_an_index_leads_to_its_news(newsroom):
    """Before anything else that is named, and not to its archives."""
    feed, listed = await gap(newsroom)
    server = newsroom.server
    server.route("/robots.txt", redirect("/r.txt"))
    server.route("/r.txt", Reply("Sitemap: /index.xml\nSitemap: /more.xml"))
    names = ("/2023.xml", "/news-1.xml", "/news-2.xml", "/news-3.xml", "/news-4.xml")
    rows = "".join(f"<sitemap><loc>{name}</loc></sitemap>" for name in names)
    server.route("/index.xml", Reply(f"<sitemapindex>{rows}</sitemapindex>"))
    server.route("/news-1.xml", Reply(status=500))
    server.route("/news-2.xml", sitemap((server.url("/4"), at(newsroom, 5))))
    assert (await fill(newsroom.context, feed, listed)).entries == 1
    asked = [request.path for request in server.requests if request.path.endswith(".xml")]
    assert asked == ["/index.xml", "/news-1.xml", "/news-2.xml"]
    assert len(asked) == DOCUMENTS


async def test_the_front_page_may_name_it(newsroom):
    """Where robots.txt does not."""
    feed, listed = await gap(newsroom)
    server = newsroom.server
    server.route("/robots.txt", Reply(status=404))
    server.route("/", Reply('<link rel="sitemap" href="/s.xml">'))
    server.route("/s.xml", sitemap((server.url("/4"), at(newsroom, 5))))
    assert (await fill(newsroom.context, feed, listed)).entries == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=404),
        Reply("<html>not found</html>"),
        Reply("<urlset>" + "<url/>" * 10),
        Reply(b"x" * (11 << 20)),
        Reply(b"\x1f\x8b\x08broken"),
    ],
    ids=["missing", "html", "empty", "large", "gzip"],
)
async def test_a_gap_may_stay(newsroom, reply):
    """A sitemap that can't be read is no error of the feed's."""
    feed, listed = await gap(newsroom)
    newsroom.server.route("/robots.txt", Reply("Sitemap: /news.xml"))
    newsroom.server.route("/news.xml", reply)
    assert (await fill(newsroom.context, feed, listed)).entries == 0


async def test_nothing_is_guessed(newsroom):
    """A site that names no sitemap is asked for two pages, and no more."""
    feed, listed = await gap(newsroom)
    newsroom.server.route("/", Reply("<p>hello"))
    newsroom.server.route("/robots.txt", Reply("User-agent: *\nAllow: /"))
    assert (await fill(newsroom.context, feed, listed)).entries == 0
    assert [request.path for request in newsroom.server.requests] == ["/robots.txt", "/"]
    assert (await fill(newsroom.context, feed, ())).entries == 0
    assert len(newsroom.server.requests) == 2
