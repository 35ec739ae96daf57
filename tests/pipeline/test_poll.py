"""A poll: what is read, what is kept, and when the feed is asked again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from monitor.model import FeedStatus, Kind
from tests.webserver import Reply, conditional

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
    """A crash leaves its row leased: it is tried again when the lease ends, the others at once."""
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
