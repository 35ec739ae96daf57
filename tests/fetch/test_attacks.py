"""Servers and names that mean harm. The listener inside must never be reached."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import re
import socket
import struct
import threading
import zlib
from collections import Counter
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


class Inside(Names):
    """All names lead to the listener inside, whatever port was asked for."""

    def __init__(self, port: int) -> None:
        super().__init__({})
        self.port = port

    async def resolve(self, host: str, port: int = 0, family: object = 0) -> object:
        return await Names({host: ["127.0.0.1"]}).resolve(host, self.port)


def at_port(url: str, port: int) -> str:
    """The URL with the listener's port in place of its own: then a literal address leads there."""
    return re.sub(r"(?i)^(https?://[^/?#\\]*?)(:\d+)?(?=[/?#\\]|$)", rf"\g<1>:{port}", url)


async def test_no_url_of_the_attack_collection_reaches_the_listener_inside(
    server: WebServer, clock: FakeClock, corpus: Path
) -> None:
    """All of 159 published attack URLs are refused: 115 lead inside, 44 are no http URLs at all.

    Names lead to the listener. That it can be reached is shown by a fetcher that is allowed to.
    """
    server.route("/*", Reply(b"secret", close=True))
    cases = json.loads((corpus / "hostile" / "ssrf_urls.json").read_text())["cases"]
    assert len(cases) == 159
    urls = [case["url"] for case in cases]
    codes: Counter[Code] = Counter()
    async with HttpFetcher(
        clock=clock, user_agent="t", timeout=5, resolver=Inside(server.port)
    ) as fetcher:
        for url in urls:
            error = await refusal(fetcher, url)
            codes[error.code] += 1
            assert error.code in {Code.BLOCKED, Code.BAD_URL}, url
            error = await refusal(fetcher, at_port(url, server.port))
            assert error.code in {Code.BLOCKED, Code.BAD_URL}, url
    assert server.connections == 0
    assert codes == {Code.BLOCKED: 115, Code.BAD_URL: 44}
    reached = 0
    async with HttpFetcher(
        clock=clock,
        user_agent="t",
        timeout=5,
        allow=["127.0.0.0/8", "0.0.0.0"],
        resolver=Inside(server.port),
    ) as fetcher:
        for url in urls:
            before = server.connections
            plain = at_port(url, server.port).replace("https:", "http:", 1)
            with contextlib.suppress(WorkError):
                await fetcher.get(plain, accept="*/*", max_bytes=CAP)
            reached += server.connections > before
    assert reached > 50


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
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b:1::7f00:1",
        "::",
        "0.0.0.0",
        "fec0::1",
        "ff02::1",
        "224.0.0.1",
        "255.255.255.255",
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


async def test_the_bomb_of_the_collection_ends_at_the_cap(
    server: WebServer, fetcher: HttpFetcher, corpus: Path
) -> None:
    """A hundred megabytes of XML in a hundred kilobytes, against the cap that feeds really have."""
    bomb = (corpus / "hostile" / "generated_gzip_bomb_100MB.xml.gz").read_bytes()
    server.route("/bomb", Reply(bomb, headers={"Content-Encoding": "gzip"}))
    before = peak(anew=True)
    with pytest.raises(Permanent) as caught:
        await fetcher.get(server.url("/bomb"), accept="*/*", max_bytes=15 << 20)
    assert caught.value.code is Code.TOO_LARGE
    assert peak() - before < 64 << 20
    server.route("/file", Reply(bomb, headers={"Content-Type": "application/gzip"}))
    answer = await fetcher.get(server.url("/file"), accept="*/*", max_bytes=15 << 20)
    assert isinstance(answer, Page)
    assert answer.body == bomb  # what is not called a coding is not unpacked


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


@pytest.mark.parametrize(
    ("once", "again", "code"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", Code.TIMEOUT),
        (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", Code.TIMEOUT),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x" * 4096, Code.TIMEOUT),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0" * 4096, Code.TIMEOUT),
        (b"HTTP/1.1 200 ", b"O" * 4096, Code.PROTOCOL),
        (b"", b"\0" * 4096, Code.PROTOCOL),
        (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" * 100, None),
    ],
    ids=["100", "103", "extension", "chunk size", "reason", "zeros", "unasked answers"],
)
async def test_a_flood_ends_in_a_word_for_it(
    server: WebServer, clock: FakeClock, once: bytes, again: bytes, code: Code | None
) -> None:
    """Whatever comes without end, it ends by the deadline, in little memory."""

    async def flood(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(once)
        while True:
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(0)

    server.route("/flood", Raw(flood))
    before = peak(anew=True)
    async with HttpFetcher(
        clock=clock, user_agent="t", timeout=0.5, allow=["127.0.0.1"]
    ) as fetcher:
        if code is None:
            answer = await fetcher.get(server.url("/flood"), accept="*/*", max_bytes=CAP)
            assert isinstance(answer, Page)
            assert answer.body == b""
        else:
            error = await refusal(fetcher, server.url("/flood"))
            assert isinstance(error, Transient)
            assert error.code is code
    assert peak() - before < 64 << 20


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"]
)
async def test_a_reset_is_the_servers_trouble(
    server: WebServer, fetcher: HttpFetcher, head: bytes
) -> None:
    """Before, in and after the headers."""

    async def reset(_: Request, writer: asyncio.StreamWriter) -> None:
        if head:
            writer.write(head)
            await writer.drain()
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        writer.transport.abort()

    server.route("/reset", Raw(reset))
    error = await refusal(fetcher, server.url("/reset"))
    assert isinstance(error, Transient)
    assert error.code in {Code.PROTOCOL, Code.CONNECT}


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


async def test_stalled_look_ups_of_the_system_do_not_hold_up_others() -> None:
    """Twenty names whose servers are silent, given up again and again, and one that is known."""
    release = threading.Event()

    def look_up(host: str, port: int, **_: object) -> list[object]:
        if host.startswith("hang"):
            release.wait(30)
            raise socket.gaierror(socket.EAI_AGAIN, "timed out")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]

    resolver = ThreadResolver(look_up=look_up)
    for _ in range(5):
        stuck = [
            asyncio.create_task(resolver.resolve(f"hang{number}.example")) for number in range(20)
        ]
        [found] = await asyncio.wait_for(resolver.resolve("good.example", 80), 5)
        assert found["host"] == "192.0.2.1"
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
    release.set()


async def test_look_ups_run_on_threads_that_never_hold_up_the_exit() -> None:
    """The real resolver knows loopback, and its threads are daemons that end."""
    resolver = ThreadResolver(limit=1)
    for _ in range(3):  # the place is given back each time
        found = await resolver.resolve("localhost", 80)
        assert {entry["host"] for entry in found} <= {"127.0.0.1", "::1"}
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "dns")
    with pytest.raises(OSError, match=r".+"):
        await resolver.resolve("a" * 64 + ".invalid", 80)
