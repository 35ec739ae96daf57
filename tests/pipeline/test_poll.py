"""A poll: what is read, what is kept, and when the feed is asked again."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import pytest
from structlog.testing import capture_logs

from monitor import telemetry
from monitor.model import (
    Cadence,
    DueBy,
    FeedEventKind,
    FeedSpec,
    FeedStatus,
    Health,
    Job,
    Kind,
    bucket_of,
)
from monitor.pipeline.budget import set_price
from tests.webserver import Reply, conditional, redirect

RSS = '<rss version="2.0"><channel><title>C</title><item><guid>1</guid><title>One</title></item></channel></rss>'
MINUTE = timedelta(minutes=1)


async def only_feed(newsroom):
    [row] = await newsroom.reports.feeds()
    return row


async def test_a_good_poll_saves_entries_and_comes_again_in_an_interval(newsroom):
    """Entries, status and the next poll, in one go."""
    newsroom.feed("courier", ("One", "/1"), ("Two", "/2"))
    await newsroom.declare("courier")
    await newsroom.work(Kind.POLL)
    row = await only_feed(newsroom)
    assert (row.status, row.entries, row.failures) == (FeedStatus.OK, 2, 0)
    assert row.due_at == newsroom.clock.now() + 5 * MINUTE
    await newsroom.work(Kind.POLL, minutes=4)
    assert len(newsroom.server.requests) == 1


async def test_log_and_metrics_count_entries_alike(newsroom):
    """An entry is new or linked, not both: of two in a second feed, one leads to a known article."""
    newsroom.feed("courier", ("One", "/1"))
    newsroom.feed("ledger", ("One again", "/1"), ("Two", "/2"))
    await newsroom.declare("courier")
    await newsroom.work(Kind.POLL)
    await newsroom.declare("courier", "ledger")
    with capture_logs() as logs:
        await newsroom.work(Kind.POLL)
    [line] = [line for line in logs if line["event"] == "feed.polled"]
    assert (line["feed"], line["new"], line["linked"]) == ("ledger", 1, 1)


async def test_validators_are_echoed_byte_for_byte(newsroom):
    """Whatever the server gave, however odd; and 304 is a good poll."""
    etag, modified = "W/\"odd, 'tag' é\"", "Sat, 10 May 2025 09:00:00 GMT"
    newsroom.server.route("/courier.xml", conditional(RSS, etag=etag, last_modified=modified))
    await newsroom.declare("courier")
    await newsroom.work(Kind.POLL)
    await newsroom.work(Kind.POLL, minutes=5)
    _, second = newsroom.server.requests
    assert second.headers["if-none-match"] == etag
    assert second.headers["if-modified-since"] == modified
    row = await only_feed(newsroom)
    assert (row.status, row.entries) == (FeedStatus.OK, 1)
    assert row.due_at == newsroom.clock.now() + 5 * MINUTE


async def test_an_unchanged_body_is_known_by_its_hash(newsroom):
    """A server that gives no validators costs a hash, not a parse."""
    newsroom.feed("courier", ("One", "/1"))
    await newsroom.declare("courier")
    await newsroom.work(Kind.POLL)

    async def refuse(*_, **__):
        raise AssertionError("parsed again")

    newsroom.context.offload.run = refuse
    await newsroom.work(Kind.POLL, minutes=5)
    assert (await only_feed(newsroom)).status is FeedStatus.OK


@pytest.mark.parametrize(
    ("reply", "code", "wait"),
    [
        (Reply(status=503), "server_error", 5 * MINUTE),
        (Reply(status=429, headers={"Retry-After": "3600"}), "rate_limited", 60 * MINUTE),
        (Reply(status=404), "not_found", 5 * MINUTE),
        (Reply("<html><body>Hello</body></html>"), "not_a_feed", 5 * MINUTE),
        (Reply(""), "not_a_feed", 5 * MINUTE),
    ],
)
async def test_a_failed_poll_says_why_and_backs_off(newsroom, reply, code, wait):
    """The reason is kept for the page; the next poll is as far off as the class of error asks."""
    newsroom.server.route("/courier.xml", reply)
    await newsroom.declare("courier")
    await newsroom.work(Kind.POLL)
    row = await only_feed(newsroom)
    assert row.error is not None
    assert row.error.startswith(code)
    assert (row.status, row.failures) == (FeedStatus.FAILING, 1)
    assert row.due_at == newsroom.clock.now() + wait


async def test_a_feed_that_recovers_is_fine_again(newsroom):
    """Failures are counted in a row, and forgotten with the first good poll."""
    newsroom.server.route("/courier.xml", [Reply(status=500), Reply(status=500), Reply(RSS)])
    await newsroom.declare("courier")
    for _ in range(3):
        await newsroom.work(Kind.POLL, hours=1)
    row = await only_feed(newsroom)
    assert (row.status, row.failures, row.error, row.entries) == (FeedStatus.OK, 0, None, 1)


async def test_gone_is_never_polled_again(newsroom):
    """410: not at the next interval, not after a week."""
    newsroom.server.route("/courier.xml", Reply(status=410))
    await newsroom.declare("courier")
    await newsroom.work(Kind.POLL)
    await newsroom.work(Kind.POLL, days=7)
    assert len(newsroom.server.requests) == 1
    assert (await only_feed(newsroom)).status is FeedStatus.GONE


async def test_when_stopping_claimed_feeds_are_given_back(newsroom):
    """What was claimed and not begun is due at once after the next start."""
    newsroom.feed("courier", ("One", "/1"))
    await newsroom.declare("courier")
    newsroom.context.stopping = True
    await newsroom.work(Kind.POLL)
    assert newsroom.server.requests == []
    newsroom.context.stopping = False
    await newsroom.work(Kind.POLL)
    assert len(newsroom.server.requests) == 1


async def test_a_job_begins_nothing_after_its_budget(newsroom):
    """Feeds of one host that don't fit into a job's time are left for the next one."""
    names = [f"feed{number}" for number in range(4)]
    for name in names:
        newsroom.feed(name, (name, f"/{name}"))
    await newsroom.declare(*names)
    get = newsroom.context.fetcher.get

    async def slow(url, **given):
        newsroom.clock.advance(seconds=15)
        return await get(url, **given)

    newsroom.context.fetcher = type("Slow", (), {"get": staticmethod(slow)})()
    await newsroom.work(Kind.POLL)
    assert len(newsroom.server.requests) == 2
    await newsroom.work(Kind.POLL)
    assert len({request.path for request in newsroom.server.requests}) == 4


async def test_a_bug_in_one_feed_does_not_spin(newsroom):
    """A crash sets its row aside: it is tried again after a lease, the others at once."""
    newsroom.feed("bad", ("x", "/x"))
    newsroom.feed("good", ("y", "/y"))
    await newsroom.declare("bad", "good")
    get = newsroom.context.fetcher.get
    tried = []

    async def buggy(url, **given):
        tried.append(url)
        if "bad" in url:
            raise ZeroDivisionError
        return await get(url, **given)

    newsroom.context.fetcher = type("Buggy", (), {"get": staticmethod(buggy)})()
    with pytest.raises(ZeroDivisionError):
        await newsroom.work(Kind.POLL)
    await newsroom.work(Kind.POLL)
    assert sum("bad" in url for url in tried) == 1
    assert sum("good" in url for url in tried) == 1
    with pytest.raises(ZeroDivisionError):
        await newsroom.work(Kind.POLL, minutes=6)


class Held:
    """A fetcher that holds what is asked of some hosts until it is told to let go."""

    def __init__(self, fetcher, *hosts):
        self.fetcher, self.hosts = fetcher, hosts
        self.asked, self.waits, self.go = [], asyncio.Event(), asyncio.Event()

    async def get(self, url, **given):
        self.asked.append(url)
        if urlsplit(url).hostname in self.hosts:
            self.waits.set()
            await self.go.wait()
        return await self.fetcher.get(url, **given)


async def test_a_slow_host_keeps_its_bucket_waiting_for_nothing(newsroom):
    """Others of its bucket are polled meanwhile; it is not asked a second time by its side."""
    slow, good = (
        "127.0.0.1",
        next(
            host
            for n in range(2, 250)
            if bucket_of(host := f"127.0.0.{n}") == bucket_of("127.0.0.1")
        ),
    )
    newsroom.context.fetcher = held = Held(newsroom.context.fetcher, slow)
    specs = [
        FeedSpec(url=newsroom.server.url(f"/{n}").replace(slow, host), name=str(n), publisher="P")
        for n, host in enumerate([slow, slow, good])
    ]
    newsroom.server.route("/*", Reply(RSS))
    now, bucket = newsroom.clock.now(), Job(Kind.POLL, str(bucket_of(slow)))
    await newsroom.store.write(lambda tx: tx.sync_feeds(specs[:1], now))
    polling = asyncio.create_task(newsroom.pipeline.run(bucket))
    await held.waits.wait()
    await newsroom.store.write(lambda tx: tx.sync_feeds(specs, now))
    await newsroom.pipeline.run(bucket)
    assert held.asked == [specs[0].url, specs[2].url]
    held.go.set()
    await polling
    await newsroom.pipeline.run(bucket)
    assert held.asked[2:] == [specs[1].url]


# ------------------------------------------------------------------------------ when it comes again


async def test_what_a_feed_asks_for_is_given(newsroom):
    """Its own time to live, or how long its server calls the answer fresh; an hour at most."""
    ttl = RSS.replace("<title>C", "<ttl>30</ttl><title>C")
    for name, reply in {
        "ttl": Reply(ttl),
        "fresh": Reply(RSS, headers={"Cache-Control": "max-age=1200"}),
        "silly": Reply(RSS, headers={"Cache-Control": "max-age=86400"}),
        "plain": Reply(RSS),
    }.items():
        newsroom.server.route(f"/{name}.xml", reply)
    await newsroom.declare("ttl", "fresh", "silly", "plain")
    fixed = Cadence(interval=2 * MINUTE)
    newsroom.rules(cadences={newsroom.server.url("/plain.xml"): fixed})
    await newsroom.work(Kind.POLL)
    now = newsroom.clock.now()
    assert {row.spec.name: row.due_at - now for row in await newsroom.reports.feeds()} == {
        "ttl": 30 * MINUTE,
        "fresh": 20 * MINUTE,
        "silly": 60 * MINUTE,
        "plain": 2 * MINUTE,
    }
    await newsroom.work(Kind.POLL, minutes=60)  # the document is known now, and its ttl still holds
    [row] = [row for row in await newsroom.reports.feeds() if row.spec.name == "ttl"]
    assert row.due_at == newsroom.clock.now() + 30 * MINUTE


async def test_polls_go_where_news_is_to_be_expected(newsroom):
    """Of two feeds the busier is asked more often, and the budget is kept."""
    await newsroom.declare("busy", "quiet")
    for hour in range(96):
        for name, items in {"busy": hour, "quiet": hour // 24}.items():
            newsroom.feed(
                name, *((f"{name} {item}", None) for item in range(items - 20, items + 1))
            )
        await newsroom.work(Kind.POLL, hours=1)
    newsroom.rules(interval=60 * MINUTE, cadence=Cadence(slowest=timedelta(hours=24)))
    await set_price(newsroom.context)
    await newsroom.work(Kind.POLL, hours=1)
    now = newsroom.clock.now()
    wait = {row.spec.name: (row.due_at - now) / MINUTE for row in await newsroom.reports.feeds()}
    assert wait["busy"] < 60 < wait["quiet"]
    assert 1 / wait["busy"] + 1 / wait["quiet"] == pytest.approx(2 / 60, rel=0.3)


# ------------------------------------------------------------------------------ where it lives


async def test_a_feed_that_has_moved_for_good_is_asked_where_it_is(newsroom):
    """After three good polls and a day; and where it was, once it is not there any more."""
    newsroom.server.route("/courier.xml", redirect("/new.xml", 301))
    newsroom.server.route("/new.xml", Reply(RSS))
    await newsroom.declare("courier")
    for _ in range(3):
        await newsroom.work(Kind.POLL, hours=13)
    row = await only_feed(newsroom)
    assert (row.move.url, row.move.polls) == (newsroom.server.url("/new.xml"), 3)
    assert len(newsroom.server.to("/courier.xml")) == 3
    await newsroom.work(Kind.POLL, hours=1)
    await newsroom.work(Kind.POLL, hours=1)
    assert len(newsroom.server.to("/courier.xml")) == 3
    assert len(newsroom.server.to("/new.xml")) == 5
    newsroom.server.route("/new.xml", Reply(status=404))
    newsroom.server.route("/courier.xml", Reply(RSS))
    await newsroom.work(Kind.POLL, hours=1)
    await newsroom.work(Kind.POLL, hours=1)
    assert len(newsroom.server.to("/courier.xml")) == 4
    assert (await only_feed(newsroom)).move is None


async def test_a_redirect_for_now_changes_nothing(newsroom):
    """302, 303, 307; nor does a permanent one behind them."""
    newsroom.server.route("/courier.xml", redirect("/hop.xml", 302))
    newsroom.server.route("/hop.xml", redirect("/new.xml", 301))
    newsroom.server.route("/new.xml", Reply(RSS))
    await newsroom.declare("courier")
    for _ in range(5):
        await newsroom.work(Kind.POLL, hours=13)
    assert len(newsroom.server.to("/courier.xml")) == 5
    assert (await only_feed(newsroom)).move is None


# ------------------------------------------------------------------------------ how it is


async def test_lost_items_are_noticed_and_the_feed_is_asked_sooner(newsroom):
    """On a feed that always shared items with the poll before; counted, told, and shown."""
    await newsroom.declare("courier")
    newsroom.rules(interval=60 * MINUTE)
    for first in (0, 3, 6, 9, 12):
        newsroom.feed("courier", *((f"item {first + each}", None) for each in range(10)))
        await newsroom.work(Kind.POLL, hours=1)
    assert (await only_feed(newsroom)).gaps == 0
    before = telemetry.REGISTRY.get_sample_value("monitor_feed_gaps_total")
    newsroom.feed("courier", *((f"item {100 + each}", None) for each in range(10)))
    with capture_logs() as logs:
        await newsroom.work(Kind.POLL, hours=1)
    row = await only_feed(newsroom)
    assert (row.gaps, row.gap_at) == (1, newsroom.clock.now())
    assert row.due_at <= newsroom.clock.now() + 30 * MINUTE
    assert [line["feed"] for line in logs if line["event"] == "feed.gap"] == ["courier"]
    assert telemetry.REGISTRY.get_sample_value("monitor_feed_gaps_total") == before + 1


async def test_a_feed_that_falls_silent_is_known_by_its_own_rhythm(newsroom):
    """Hourly for a week, then nothing: silent within two days, recovered with the next item."""
    await newsroom.declare("courier")
    for hour in range(7 * 24):
        newsroom.feed("courier", *((f"item {item}", None) for item in range(hour, hour + 5)))
        await newsroom.work(Kind.POLL, hours=1)
    assert (await only_feed(newsroom)).health is Health.LIVE
    last = newsroom.clock.now()
    for _ in range(47):
        await newsroom.work(Kind.POLL, hours=1)
    row = await only_feed(newsroom)
    assert (row.health, row.health_since) == (Health.SILENT, last)
    newsroom.feed("courier", ("news at last", None), ("item 170", None))
    await newsroom.work(Kind.POLL, hours=1)
    row = await only_feed(newsroom)
    assert (row.health, row.health_since) == (Health.RECOVERED, newsroom.clock.now())
    await newsroom.work(Kind.POLL, hours=25)
    assert (await only_feed(newsroom)).health is Health.LIVE


@pytest.mark.parametrize(
    ("reply", "health"),
    [
        (Reply(status=503), Health.FAILING),
        (Reply(status=403, headers={"cf-mitigated": "challenge"}), Health.CHALLENGED),
        (Reply("<html><body>Hello</body></html>"), Health.FAILING),
    ],
)
async def test_trouble_is_said_when_it_lasts(newsroom, reply, health):
    """One failed poll is not worth a word; since when it lasts is when it was read last."""
    newsroom.server.route("/courier.xml", Reply(RSS))
    await newsroom.declare("courier")
    await newsroom.work(Kind.POLL)
    well = newsroom.clock.now()
    newsroom.server.route("/courier.xml", reply)
    await newsroom.work(Kind.POLL, minutes=10)
    assert (await only_feed(newsroom)).health is Health.LIVE
    for _ in range(2):
        await newsroom.work(Kind.POLL, hours=2)
    row = await only_feed(newsroom)
    assert (row.health, row.health_since) == (health, well)
    newsroom.server.route("/courier.xml", Reply(RSS))
    await newsroom.work(Kind.POLL, hours=25)
    assert (await only_feed(newsroom)).health is Health.RECOVERED


# ------------------------------------------------------------------------------ what is read


async def test_only_what_is_new_is_parsed(newsroom):
    """What was listed before, byte for byte, is not; nor anything, if only a date is new."""
    sent = []
    run = newsroom.context.offload.run

    async def told(function, *args, **options):
        sent.append(args[0])
        return await run(function, *args, **options)

    newsroom.context.offload.run = told
    item = "<item><guid>{0}</guid><title>Number {0}</title></item>".format
    page = '<rss version="2.0"><channel><title>C</title><lastBuildDate>{}</lastBuildDate>{}</channel></rss>'
    old = "".join(map(item, range(40)))
    await newsroom.declare("courier")
    for body in (page.format(1, old), page.format(2, old), page.format(3, item(41) + old)):
        newsroom.server.route("/courier.xml", Reply(body))
        await newsroom.work(Kind.POLL, minutes=5)
    assert [cut.rest.count(b"<item>") for cuts in sent for cut in cuts] == [40, 1]
    assert (await only_feed(newsroom)).entries == 41


async def test_a_hostile_feed_costs_itself(newsroom, corpus):
    """Everything in the collection of attacks ends as a poll of its own, well or classified."""
    attacks = sorted((corpus / "hostile" / "xml").iterdir())
    names = [f"attack{number}" for number, _ in enumerate(attacks)]
    for name, path in zip(names, attacks, strict=True):
        newsroom.server.route(f"/{name}.xml", Reply(path.read_bytes()))
    newsroom.feed("good", ("One", None))
    await newsroom.declare("good", *names)
    await newsroom.work(Kind.POLL)
    rows = await newsroom.reports.feeds()
    assert len(rows) == len(attacks) + 1
    assert all(row.polled_at is not None for row in rows)
    assert {row.status for row in rows} <= {FeedStatus.OK, FeedStatus.FAILING}
    [good] = [row for row in rows if row.spec.name == "good"]
    assert (good.status, good.entries) == (FeedStatus.OK, 1)


async def test_naughty_strings_go_through_a_whole_poll(newsroom, corpus):
    """As titles, ids, links, dates and authors: all that show anything are entries, none an error."""
    strings = json.loads(
        (corpus / "hostile" / "big_list_of_naughty_strings.json").read_text("utf-8")
    )
    legal = [
        re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", s) for s in strings
    ]
    rows = "".join(
        f"<item><guid>{number}|{escape(s)}</guid><title>{escape(s)}</title><link>{escape(s)}</link>"
        f"<pubDate>{escape(s)}</pubDate><author>{escape(s)}</author>"
        f"<description>{escape(s)}</description></item>"
        for number, s in enumerate(legal)
    )
    feed = f'<rss version="2.0"><channel><title>C</title>{rows}</channel></rss>'
    newsroom.server.route("/naughty.xml", Reply(feed.encode("utf-8", "replace")))
    await newsroom.declare("naughty")
    await newsroom.work(Kind.POLL)
    row = await only_feed(newsroom)
    visible = sum(bool(each.strip()) for each in legal)
    assert (row.status, row.entries) == (FeedStatus.OK, visible)


# --------------------------------------------------------------------------- history


@pytest.mark.parametrize(
    ("reply", "cadence", "why"),
    [
        (Reply(RSS), None, DueBy.BUDGET),
        (Reply(RSS), Cadence(interval=MINUTE), DueBy.FIXED),
        (Reply(RSS, headers={"Cache-Control": "max-age=3000"}), None, DueBy.HINT),
        (Reply(status=500), None, DueBy.BACKOFF),
        (Reply(status=429, headers={"Retry-After": "3600"}), None, DueBy.RETRY_AFTER),
        (Reply(status=410), None, DueBy.BACKOFF),
    ],
)
async def test_a_poll_says_why_the_next_one_is_when_it_is(newsroom, reply, cadence, why):
    """In a word that the page explains."""
    newsroom.server.route("/courier.xml", reply)
    await newsroom.declare("courier")
    if cadence is not None:
        url = newsroom.server.url("/courier.xml")
        newsroom.context.rules = replace(newsroom.context.rules, cadences={url: cadence})
    await newsroom.work(Kind.POLL)
    assert (await only_feed(newsroom)).due_by is why


async def test_what_happens_to_a_feed_is_remembered(newsroom):
    """Errors that go on as one, with their number; each change of its health; good polls not."""
    replies = [Reply(RSS), *[Reply(status=500)] * 4, *[Reply(RSS)] * 3]
    newsroom.server.route("/courier.xml", replies)
    await newsroom.declare("courier")
    for _ in replies:
        await newsroom.work(Kind.POLL, hours=2)
    row = await only_feed(newsroom)
    trace = await newsroom.reports.fleet.feed(row.id, newsroom.clock.now())
    told = [(each.kind, each.detail.partition(":")[0], each.count) for each in trace.events]
    assert told == [
        (FeedEventKind.HEALTH, "failing>recovered", 1),
        (FeedEventKind.HEALTH, "live>failing", 1),
        (FeedEventKind.ERROR, "server_error", 4),
        (FeedEventKind.HEALTH, "new>live", 1),
    ]
