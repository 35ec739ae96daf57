"""The newsroom over real HTTP: conditions, compression, one address."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from monitor.demo.server import NewsroomServer
from tests.fakes import FakeClock

START = datetime(2025, 5, 10, 0, 0, tzinfo=UTC)
SPA = "/spa/rss/national.xml"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
async def server(clock: FakeClock):
    async with NewsroomServer(clock, START) as running:
        yield running


@pytest.fixture
async def client(server: NewsroomServer):
    async with aiohttp.ClientSession(server.base_url, auto_decompress=False) as session:
        yield session


async def test_it_listens_on_loopback_and_its_links_lead_back_to_it(server, client):
    """The port is known once it listens."""
    assert server.base_url.startswith("http://127.0.0.1:")
    async with client.get(SPA) as response:
        text = gzip.decompress(await response.read()).decode()
    assert f"<link>{server.base_url}/spa/" in text


async def test_a_feed_is_not_modified_until_it_is(clock, client):
    """Its tag is echoed and answered by 304 without a body; an article later it is a new one."""
    async with client.get(SPA) as first:
        tag = first.headers["ETag"]
        await first.read()
    async with client.get(SPA, headers={"If-None-Match": tag}) as second:
        assert second.status == 304
        assert await second.read() == b""
        assert second.headers["ETag"] == tag
    clock.advance(minutes=6)
    async with client.get(SPA, headers={"If-None-Match": tag}) as third:
        assert third.status == 200
        assert third.headers["ETag"] != tag


async def test_a_date_alone_is_a_condition_too_and_gives_way_to_a_tag(clock, client):
    """RFC 9110, 13.1.3: If-Modified-Since is ignored where there is an If-None-Match."""
    async with client.get(SPA) as first:
        since = {"If-Modified-Since": first.headers["Last-Modified"]}
    async with client.get(SPA, headers=since) as second:
        assert second.status == 304
    async with client.get(SPA, headers=since | {"If-None-Match": '"other"'}) as third:
        assert third.status == 200
    clock.advance(minutes=6)
    async with client.get(SPA, headers=since) as fourth:
        assert fourth.status == 200


async def test_a_feed_without_validators_is_always_sent(client):
    """Its reader must know the body again by itself."""
    path = "/boundary-line/rss/stories.xml"
    async with client.get(path) as first:
        assert "ETag" not in first.headers
        assert "Last-Modified" not in first.headers
        body = await first.read()
    async with client.get(path, headers={"If-None-Match": '"x"'}) as second:
        assert second.status == 200
        assert await second.read() == body


async def test_it_compresses_for_those_who_can_read_that(client):
    """The same words either way, under the same weak tag."""
    async with client.get(SPA, headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        small = await packed.read()
    async with client.get(SPA, headers={"Accept-Encoding": "identity"}) as plain:
        assert "Content-Encoding" not in plain.headers
        large = await plain.read()
    assert gzip.decompress(small) == large
    assert len(small) < len(large)
    assert plain.headers["ETag"] == packed.headers["ETag"]
    assert plain.headers["ETag"].startswith("W/")


async def test_errors_are_no_answers_to_conditions(clock, client):
    """A dead feed says 404 to whoever holds its last document."""
    async with client.get("/sarhad-news/rss2.php") as alive:
        tag = alive.headers["ETag"]
    clock.advance(minutes=262)
    async with client.get("/sarhad-news/rss2.php", headers={"If-None-Match": tag}) as dead:
        assert dead.status == 404


async def test_paths_in_devanagari_and_queries_are_understood(clock, server, client):
    """As the feed writes them: percent-encoded; with tracking behind them."""
    clock.advance(minutes=300)
    newsroom = server.newsroom
    for name in ("satluj-samachar/ऑपरेशन-त्रिशक्ति", "dareecha/jang-bandi"):
        item = newsroom.script.items[name]
        url = newsroom.url(item)
        joint = "&" if "?" in url else "?"
        async with client.get(f"{url}{joint}utm_source=x") as response:
            assert response.status == 200
            page = gzip.decompress(await response.read()).decode()
        assert item.versions[-1].headline in page


async def test_it_counts_what_it_served(server, client):
    """By path and status."""
    for _ in range(2):
        async with client.get("/nobody") as response:
            assert response.status == 404
    assert server.served["/nobody", 404] == 2


async def test_a_taken_port_is_said_so(server, clock):
    """And leaves nothing behind."""
    port = int(server.base_url.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"):
        async with NewsroomServer(clock, START, port=port):
            pass


async def test_a_minute_may_be_a_second(clock):
    """The story then runs on a clock that is as slow as any."""
    async with (
        NewsroomServer(clock, START, minute=timedelta(seconds=1)) as server,
        aiohttp.ClientSession(server.base_url) as session,
    ):
        clock.advance(seconds=206)
        async with session.get("/indus-courier/feeds/home") as response:
            assert "agree on ceasefire" in await response.text()
