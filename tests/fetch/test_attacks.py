"""Servers and names that mean harm. The listener inside must never be reached."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import brotli
import pytest
from backports import zstd

from monitor.errors import Code, Permanent, Transient, WorkError
from monitor.fetch import HttpFetcher
from monitor.fetch.resolver import ThreadResolver
from monitor.ports import Page
from tests.fakes import FakeClock
from tests.fetch.names import Names
from tests.webserver import Raw, Reply, Request, WebServer, redirect

CAP = 1 << 20


async def refusal(fetcher: HttpFetcher, url: str) -> WorkError:
    """Get what must be refused, and say how."""
    with pytest.raises((Transient, Permanent)) as caught:
        await fetcher.get(url, accept="*/*", max_bytes=CAP)
    return caught.value


# --------------------------------------------------------------------------- inside


@pytest.mark.parametrize(
    "spelling",
    [
        "http://127.0.0.1:{port}/",
        "http://127.1:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f000001:{port}/",
        "http://0x7f.1:{port}/",
        "http://0177.0.0.1:{port}/",
        "http://017700000001:{port}/",
        "http://0:{port}/",
        "http://0.0.0.0:{port}/",
        "http://localhost:{port}/",
        "http://LOCALHOST.:{port}/",
        "http://１２７.0.0.1:{port}/",
        "http://①②⑦.⓪.⓪.①:{port}/",
        "http://127。0。0。1:{port}/",
        "http://%31%32%37.0.0.1:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://[::ffff:7f00:1]:{port}/",
        "http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/",
        "http://[::]:{port}/",
        "http://[::1%25lo]:{port}/",
        "http://user@127.0.0.1:{port}/",
        "http://example.org@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}\\@example.org/",
        "http:127.0.0.1:{port}/",
        "http:\\\\127.0.0.1:{port}/",
        "HTTP://127.0.0.1:{port}/",
        "http://127.0.0.1:{port}#@example.org/",
        "http://127.0.0.1\t:{port}/",
    ],
)
async def test_no_spelling_leads_to_loopback(
    server: WebServer, clock: FakeClock, spelling: str
) -> None:
    """However an address inside is written, nobody is connected to, with the real resolver."""

    class Numbers(ThreadResolver):
        async def resolve(self, host: str, port: int = 0, family: object = 0) -> object:
            assert "example" not in host, "this spelling leads outside"
            return await super().resolve(host, port, family)

    async with HttpFetcher(clock=clock, user_agent="t", timeout=5, resolver=Numbers()) as fetcher:
        error = await refusal(fetcher, spelling.format(port=server.port))
    assert error.code in {Code.BLOCKED, Code.BAD_URL, Code.DNS}
    assert server.connections == 0


async def test_no_url_of_the_attack_collection_gets_out(clock: FakeClock, corpus: Path) -> None:
    """All 159 published attack URLs are refused before anything is sent; names lead inside."""

    class Inside(Names):
        async def resolve(self, host: str, port: int = 0, family: object = 0) -> object:
            return await Names({host: ["127.0.0.1"]}).resolve(host, port)

    cases = json.loads((corpus / "hostile" / "ssrf_urls.json").read_text())["cases"]
    async with HttpFetcher(clock=clock, user_agent="t", timeout=5, resolver=Inside({})) as fetcher:
        for case in cases:
            error = await refusal(fetcher, case["url"])
            assert error.code in {Code.BLOCKED, Code.BAD_URL}, case["url"]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "::1",
        "fd00::1",
        "fe80::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
async def test_a_public_name_does_not_lead_inside(
    server: WebServer, clock: FakeClock, address: str
) -> None:
    """What counts is the address that a name resolves to."""
    names = Names({"innocent.example": [address]})
    async with HttpFetcher(clock=clock, user_agent="t", resolver=names) as fetcher:
        error = await refusal(fetcher, f"http://innocent.example:{server.port}/")
    assert isinstance(error, Permanent)
    assert error.code is Code.BLOCKED
    assert address in error.detail
    assert server.connections == 0


async def test_several_private_addresses_are_blocked_too(
    server: WebServer, clock: FakeClock
) -> None:
    """The happy eyeballs of a name with many addresses see none of them."""
    names = Names({"many.example": ["127.0.0.1", "::1", "10.0.0.1"]})
    async with HttpFetcher(clock=clock, user_agent="t", resolver=names) as fetcher:
        error = await refusal(fetcher, f"http://many.example:{server.port}/")
    assert error.code is Code.BLOCKED
    assert server.connections == 0


@pytest.fixture
async def outside() -> AsyncIterator[WebServer]:
    """A second server, which plays the public internet on an address of its own."""
    async with WebServer("127.0.0.2") as outside:
        yield outside


async def test_a_redirect_does_not_lead_inside(
    server: WebServer, outside: WebServer, clock: FakeClock
) -> None:
    """The guard stands before every hop."""
    outside.route("/", redirect(server.url("/secret")))
    async with HttpFetcher(clock=clock, user_agent="t", allow=["127.0.0.2"]) as fetcher:
        error = await refusal(fetcher, outside.url("/"))
    assert error.code is Code.BLOCKED
    assert len(outside.requests) == 1
    assert server.connections == 0


async def test_a_name_that_changes_its_address_does_not_lead_inside(
    server: WebServer, outside: WebServer, clock: FakeClock
) -> None:
    """DNS rebinding: the address judged is the address used, at each connection."""
    outside.route("/*", Reply(b"hello", close=True))
    names = Names({"rebind.example": [["127.0.0.2"], ["127.0.0.1"]]})
    url = f"http://rebind.example:{outside.port}/"
    async with (
        HttpFetcher(clock=clock, user_agent="t", allow=["127.0.0.2"], resolver=names) as fetcher,
        WebServer(port=outside.port) as inside,
    ):
        answer = await fetcher.get(url, accept="*/*", max_bytes=CAP)
        assert isinstance(answer, Page)
        await names.resolve("rebind.example")
        fetcher._sessions[-1].connector.clear_dns_cache()
        error = await refusal(fetcher, url)
        assert error.code is Code.BLOCKED
        assert inside.connections == 0


async def test_an_allowed_host_opens_nothing_for_others(
    server: WebServer, clock: FakeClock
) -> None:
    """Concurrent calls to an allowed and another host of the same address are told apart."""
    server.route("/*", Reply(b"hello"))
    names = Names({"good.example": ["127.0.0.1"], "evil.example": ["127.0.0.1"]})
    async with HttpFetcher(
        clock=clock, user_agent="t", allow=["good.example"], resolver=names
    ) as fetcher:

        async def ask(host: str) -> object:
            return await fetcher.get(f"http://{host}:{server.port}/", accept="*/*", max_bytes=CAP)

        answers = await asyncio.gather(
            *(ask(host) for host in ("good.example", "evil.example") * 15),
            return_exceptions=True,
        )
    assert all(isinstance(answer, Page) for answer in answers[::2])
    assert all(isinstance(e, Permanent) and e.code is Code.BLOCKED for e in answers[1::2])
    assert {request.headers["host"].split(":")[0] for request in server.requests} == {
        "good.example"
    }


# --------------------------------------------------------------------------- too much


def gzip_bomb(size: int) -> bytes:
    """Zeros, packed."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b"\0" * (1 << 20)
    return b"".join(packer.compress(block) for _ in range(size >> 20)) + packer.flush()


def peak(*, anew: bool = False) -> int:
    """The most memory this process has had resident, in bytes; since now, if `anew`."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5")
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    raise AssertionError("no VmHWM")


@pytest.mark.parametrize("coding", ["gzip", "many", "deflate", "br", "zstd"])
async def test_a_bomb_ends_at_the_cap(server: WebServer, fetcher: HttpFetcher, coding: str) -> None:
    """A body that unpacks to 256 MiB is cut off within 64 MiB of memory."""
    size = 256 << 20
    bomb = {
        "gzip": lambda: gzip_bomb(size),
        "many": lambda: gzip_bomb(1 << 20) * 256,
        "deflate": lambda: zlib.compress(b"\0" * size, 9),
        "br": lambda: brotli.compress(b"\0" * size, quality=1),
        "zstd": lambda: zstd.compress(b"\0" * size),
    }[coding]()
    header = "gzip" if coding == "many" else coding
    server.route("/bomb", Reply(bomb, headers={"Content-Encoding": header}))
    before = peak(anew=True)
    error = await refusal(fetcher, server.url("/bomb"))
    assert isinstance(error, Permanent)
    assert error.code is Code.TOO_LARGE
    assert peak() - before < 64 << 20


async def test_an_endless_body_ends_at_the_cap(server: WebServer, fetcher: HttpFetcher) -> None:
    """Chunks without end are read up to the cap; then the connection is closed."""
    closed = asyncio.Event()

    async def forever() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 65536
        finally:
            closed.set()

    server.route("/endless", Reply(chunks=forever))
    error = await refusal(fetcher, server.url("/endless"))
    assert error.code is Code.TOO_LARGE
    await asyncio.wait_for(closed.wait(), 10)


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"."),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    ],
    ids=["body", "headers"],
)
async def test_a_drip_ends_at_the_deadline(
    server: WebServer, clock: FakeClock, head: bytes, drop: bytes
) -> None:
    """Every byte is progress, in a body or in headers that never end; the deadline counts the whole."""

    async def drip(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.02)  # a drip is made of waiting

    server.route("/drip", Raw(drip))
    async with HttpFetcher(
        clock=clock, user_agent="t", timeout=0.3, allow=["127.0.0.1"]
    ) as fetcher:
        error = await refusal(fetcher, server.url("/drip"))
    assert error.code is Code.TIMEOUT


@pytest.mark.parametrize("line", [b"X: " + b"y" * 1000 + b"\r\n", b"X: " + b"y" * 65536])
async def test_a_flood_of_headers_is_refused(
    server: WebServer, fetcher: HttpFetcher, line: bytes
) -> None:
    """Too many headers, or one without end, are not read to their end."""

    async def flood(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(line)
            await writer.drain()

    server.route("/flood", Raw(flood))
    error = await refusal(fetcher, server.url("/flood"))
    assert isinstance(error, Transient)
    assert error.code is Code.PROTOCOL


async def test_an_empty_stream_that_never_unpacks_to_anything_ends(
    server: WebServer, clock: FakeClock
) -> None:
    """Packed nothing, for ever: the deadline ends what no count of decoded bytes would."""
    nothing = gzip.compress(b"")

    async def forever() -> AsyncIterator[bytes]:
        while True:
            yield nothing
            await asyncio.sleep(0)

    server.route("/void", Reply(headers={"Content-Encoding": "gzip"}, chunks=forever))
    async with HttpFetcher(
        clock=clock, user_agent="t", timeout=0.5, allow=["127.0.0.1"]
    ) as fetcher:
        error = await refusal(fetcher, server.url("/void"))
    assert error.code in {Code.TIMEOUT, Code.TOO_LARGE}


async def test_naughty_strings_are_urls_or_refused(clock: FakeClock, corpus: Path) -> None:
    """No string given as a URL, or as the rest of one, gives an unclassified error."""
    strings = json.loads((corpus / "hostile" / "big_list_of_naughty_strings.json").read_text())
    assert len(strings) > 400
    async with HttpFetcher(clock=clock, user_agent="t", resolver=Names({})) as fetcher:
        for text in strings:
            for url in (text, f"http://{text}", f"http://nowhere.example/{text}"):
                error = await refusal(fetcher, url)
                assert error.code in {Code.BAD_URL, Code.DNS, Code.BLOCKED}, url


async def test_naughty_strings_as_redirects_are_followed_or_refused(
    server: WebServer, clock: FakeClock, corpus: Path
) -> None:
    """No target of a redirect gives an unclassified error."""
    strings = json.loads((corpus / "hostile" / "big_list_of_naughty_strings.json").read_text())
    targets = [t for t in strings if "\n" not in t and "\r" not in t and "\0" not in t]
    server.route("/at/*", lambda r: redirect(targets[int(r.path.rpartition("/")[2])]))
    async with HttpFetcher(
        clock=clock, user_agent="t", allow=["127.0.0.1"], resolver=Names({})
    ) as fetcher:
        for number in range(len(targets)):
            await refusal(fetcher, server.url(f"/at/{number}"))


# --------------------------------------------------------------------------- names that hang


async def test_names_that_hang_do_not_hold_up_others(server: WebServer, clock: FakeClock) -> None:
    """While twenty look-ups wait, another name is resolved and asked."""
    server.route("/", Reply(b"hello"))
    table = {f"hang{number}.example": None for number in range(20)}
    names = Names({**table, "good.example": ["127.0.0.1"]})
    async with HttpFetcher(
        clock=clock, user_agent="t", allow=["good.example"], resolver=names
    ) as fetcher:
        stuck = [asyncio.create_task(refusal(fetcher, f"http://{host}/")) for host in table]
        await names.hanging.wait()
        answer = await fetcher.get(
            f"http://good.example:{server.port}/", accept="*/*", max_bytes=CAP
        )
        assert isinstance(answer, Page)
        assert not any(task.done() for task in stuck)
        await names.close()
        assert {error.code for error in await asyncio.gather(*stuck)} == {Code.DNS}


async def test_look_ups_run_on_threads_that_never_hold_up_the_exit() -> None:
    """The real resolver knows loopback, and its threads are daemons that end."""
    resolver = ThreadResolver(limit=1)
    for _ in range(3):  # the place is given back each time
        found = await resolver.resolve("localhost", 80)
        assert {entry["host"] for entry in found} <= {"127.0.0.1", "::1"}
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "dns")
    with pytest.raises(OSError, match=r".+"):
        await resolver.resolve("a" * 64 + ".invalid", 80)
