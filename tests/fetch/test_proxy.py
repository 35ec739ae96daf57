"""Everything through the operator's proxy; inside stays shut as far as looks tell."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trustme

from monitor.errors import Code, Permanent, Transient, WorkError
from monitor.fetch import HttpFetcher
from monitor.model import Validators
from monitor.ports import NotModified, Page
from tests.fakes import FakeClock
from tests.fetch.names import Names
from tests.webserver import Reply, WebServer, conditional, redirect

NOBODY = Names({})
"""With a proxy, no name but its own is looked up here."""


def through(server: WebServer, user: str = "") -> str:
    """The proxy's URL."""
    return f"http://{user}127.0.0.1:{server.port}"


async def refusal(fetcher: HttpFetcher, url: str) -> WorkError:
    """Get what must be refused, and say how."""
    with pytest.raises((Transient, Permanent)) as caught:
        await fetcher.get(url, accept="*/*", max_bytes=1000)
    return caught.value


async def test_http_is_asked_through_the_proxy(server: WebServer, clock: FakeClock) -> None:
    """The proxy's own address is exempt, names are left to it, and it is told its password.

    On every request, also on a connection that is used again; never to be seen by the server.
    """
    server.route("/feed", conditional(b"hello", etag='"1"'))
    proxy = through(server, "ann:pass%20word@")
    async with HttpFetcher(clock=clock, user_agent="t", proxy=proxy, resolver=NOBODY) as fetcher:
        first = await fetcher.get("http://news.example/feed", accept="*/*", max_bytes=1000)
        assert isinstance(first, Page)
        assert first.validators == Validators(etag='"1"', url="http://news.example/feed")
        second = await fetcher.get(
            "http://news.example/feed", accept="*/*", max_bytes=1000, validators=first.validators
        )
        assert isinstance(second, NotModified)
    assert [r.target for r in server.requests] == ["http://news.example/feed"] * 2
    expected = "Basic " + base64.b64encode(b"ann:pass word").decode()
    assert [r.headers["proxy-authorization"] for r in server.requests] == [expected] * 2
    assert server.connections == 1
    assert "authorization" not in server.requests[0].headers


async def test_without_a_password_nothing_is_said(server: WebServer, clock: FakeClock) -> None:
    """And a redirect goes through the proxy, too."""
    server.route("/a", redirect("http://other.example/b"))
    server.route("/b", Reply(b"hello"))
    async with HttpFetcher(
        clock=clock, user_agent="t", proxy=through(server), resolver=NOBODY
    ) as fetcher:
        answer = await fetcher.get("http://news.example/a", accept="*/*", max_bytes=1000)
    assert isinstance(answer, Page)
    assert server.requests[1].target == "http://other.example/b"
    assert not any("proxy-authorization" in r.headers for r in server.requests)


@asynccontextmanager
async def tunnelling(port: int) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A proxy that leads every CONNECT to one port here, and writes down what it was asked."""
    asked: list[bytes] = []
    open_tunnels: list[asyncio.Task[None] | None] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_tunnels.append(asyncio.current_task())
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        there = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))

    async with await asyncio.start_server(tunnel, "127.0.0.1", 0) as proxy:
        yield f"http://ann:word@127.0.0.1:{proxy.sockets[0].getsockname()[1]}", asked
        await asyncio.gather(*filter(None, open_tunnels))


async def test_https_goes_through_a_tunnel(clock: FakeClock) -> None:
    """The proxy is told where to and who asks; the server inside TLS sees no password."""
    authority = trustme.CA()
    inside, trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("news.example").configure_cert(inside)
    authority.configure_trust(trust)
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=inside) as server:
        port = server.sockets[0].getsockname()[1]
        async with (
            tunnelling(port) as (proxy, asked),
            HttpFetcher(
                clock=clock, user_agent="t", proxy=proxy, resolver=NOBODY, tls=trust
            ) as fetcher,
        ):
            page = await fetcher.get("https://news.example/feed", accept="*/*", max_bytes=1000)
    assert isinstance(page, Page)
    assert page.body == b"hello"
    [connect], [request] = asked, seen
    assert connect.startswith(b"CONNECT news.example:443 HTTP/1.1\r\n")
    assert b"\r\nProxy-Authorization: Basic YW5uOndvcmQ=\r\n" in connect
    assert request.startswith(b"GET /feed HTTP/1.1\r\n")
    assert b"roxy" not in request


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "017700000001",
        "0",
        "10.0.0.1",
        "169.254.169.254",
        "100.100.100.200",
        "127.0.0.1.",
        "0o177.0.0.1",
        "425.510.425.510",
        "a.0x7f",
        "①②⑦.⓪.⓪.①",
        "[::1]",
        "[::]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1%25eth0]",
        "localhost",
        "LOCALHOST.",
        "feeds.localhost",
        "metadata.google.internal",
        "printer.local",
        "router.home.arpa",
        "metadata",
    ],
)
async def test_what_is_inside_by_its_looks_is_not_even_asked_of_the_proxy(
    server: WebServer, clock: FakeClock, host: str
) -> None:
    """Addresses in any spelling, reserved names, names without a dot; as targets of redirects, too."""
    server.route("/to", redirect(f"http://{host}/secret"))
    async with HttpFetcher(
        clock=clock, user_agent="t", proxy=through(server), resolver=NOBODY
    ) as fetcher:
        error = await refusal(fetcher, f"http://{host}/secret")
        assert isinstance(error, Permanent)
        assert error.code in {Code.BLOCKED, Code.BAD_URL}
        error = await refusal(fetcher, "http://news.example/to")
        assert error.code in {Code.BLOCKED, Code.REDIRECT}
    assert [r.target for r in server.requests] == ["http://news.example/to"]


async def test_what_the_operator_allows_is_asked_of_the_proxy(
    server: WebServer, clock: FakeClock
) -> None:
    """By name, address or network."""
    server.route("/*", Reply(b"hello"))
    async with HttpFetcher(
        clock=clock,
        user_agent="t",
        allow=["wiki", "10.1.0.0/16"],
        proxy=through(server),
        resolver=NOBODY,
    ) as fetcher:
        for host in ("wiki", "10.1.2.3"):
            answer = await fetcher.get(f"http://{host}/", accept="*/*", max_bytes=1000)
            assert isinstance(answer, Page)
        assert (await refusal(fetcher, "http://10.2.0.1/")).code is Code.BLOCKED


async def test_of_the_attack_collection_only_names_reach_the_proxy(
    server: WebServer, clock: FakeClock, corpus: Path
) -> None:
    """No literal address of it does; where a public name leads is for the proxy to judge."""
    server.route("/*", Reply(b"hello"))
    cases = json.loads((corpus / "hostile" / "ssrf_urls.json").read_text())["cases"]
    async with HttpFetcher(
        clock=clock, user_agent="t", timeout=5, proxy=through(server), resolver=NOBODY
    ) as fetcher:
        for case in cases:
            with suppress(WorkError):
                await fetcher.get(case["url"], accept="*/*", max_bytes=1000)
    asked = {r.target.split("/")[2] for r in server.requests if r.method == "GET"}
    names = {host.rsplit(":", 1)[0] for host in asked}
    assert all(name.split(".")[-1].isalpha() for name in names), names
    assert not any(name.endswith(("localhost", "internal")) for name in names), names
    assert "169.254.169.254.nip.io" in names  # as an example of what the proxy must refuse


@pytest.mark.parametrize("status", [403, 407, 502])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_refuses_is_named(
    server: WebServer, clock: FakeClock, scheme: str, status: int
) -> None:
    """A refused tunnel, and a missing password, are the proxy's doing; nothing secret is shown."""
    server.route("*", Reply(status=status))
    proxy = through(server, "ann:secret@")
    async with HttpFetcher(clock=clock, user_agent="t", proxy=proxy, resolver=NOBODY) as fetcher:
        error = await refusal(fetcher, f"{scheme}://news.example/feed")
    assert "secret" not in str(error)
    if scheme == "https" or status == 407:
        assert isinstance(error, Transient)
        assert error.code is Code.CONNECT
        assert f"the proxy answered {status}" in error.detail


@pytest.mark.parametrize(
    ("proxy", "code"),
    [
        ("http://ann:secret@127.0.0.1:1", Code.CONNECT),
        ("http://ann:secret@gone.example:3128", Code.DNS),
    ],
)
async def test_a_proxy_that_is_not_there_is_named(clock: FakeClock, proxy: str, code: Code) -> None:
    """It is not the feed's server that has trouble."""
    async with HttpFetcher(clock=clock, user_agent="t", proxy=proxy, resolver=NOBODY) as fetcher:
        error = await refusal(fetcher, "http://news.example/feed")
    assert isinstance(error, Transient)
    assert error.code is code
    assert "the proxy" in error.detail
    assert "secret" not in str(error)


async def test_an_edit_of_the_rules_is_live(server: WebServer, clock: FakeClock) -> None:
    """Who is let in, who asks, and through whom; no old connection is used again."""
    server.route("/*", Reply(b"hello"))
    rules = {"user_agent": "t/1", "timeout": 5.0, "allow": ["127.0.0.1"], "proxy": None}
    async with HttpFetcher(clock=clock, **rules, resolver=NOBODY) as fetcher:

        async def ask(url: str) -> None:
            assert isinstance(await fetcher.get(url, accept="*/*", max_bytes=1000), Page)

        await ask(server.url("/a"))
        fetcher.configure(**rules)
        await ask(server.url("/a"))
        assert server.connections == 1  # nothing was edited
        fetcher.configure(**rules | {"allow": []})
        assert (await refusal(fetcher, server.url("/b"))).code is Code.BLOCKED
        fetcher.configure(**rules | {"user_agent": "t/2"})
        await ask(server.url("/c"))
        fetcher.configure(**rules | {"proxy": through(server), "timeout": 0.0})
        assert (await refusal(fetcher, "http://news.example/d")).code is Code.TIMEOUT
        fetcher.configure(**rules | {"proxy": through(server)})
        await ask("http://news.example/d")
    assert [r.headers["user-agent"] for r in server.requests] == ["t/1", "t/1", "t/2", "t/1"]
    assert [r.path for r in server.requests] == ["/a", "/a", "/c", "/d"]
