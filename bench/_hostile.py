"""Servers that mean harm, for `bench.soak`.

    python -m bench._hostile --hosts N [--corpus FOLDER]

One process plays as many hosts as told, the ways of `KINDS` in turns: it writes one line of JSON with
their feeds' URLs and what a name server says of their names, then serves until its stdin ends. Each
line that comes there is answered by how often the address inside was connected to, which nobody but
these hosts tells of: by redirects, and by names that change what they stand for.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
import sys
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import brotli  # type: ignore[import-untyped]
import trustme
from backports import zstd

from bench import options_of
from tests.webserver import Raw, Reply, Request, Route, WebServer, redirect

HERE: Final = "127.2.0.1"
NOBODY: Final = "127.2.0.9"  # where nothing listens
INSIDE: Final = "127.3.0.1"

Answers = Sequence[Sequence[str]] | None
"""What a name server says of a name, time after time, from the start again; None: nothing."""

_BOMB: Final = 256 << 20
_LARGE: Final = 5 << 20
_XML: Final = {"Content-Type": "application/rss+xml"}
_HTML: Final = {"Content-Type": "text/html; charset=utf-8"}
_FEED: Final = (
    '<?xml version="1.0"?><rss version="2.0"><channel><title>{title}</title>{items}</channel></rss>'
)


# --------------------------------------------------------------------------- broken HTTP


def _drip(head: bytes, drop: bytes) -> Raw:
    async def write(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.25)

    return Raw(write)


async def _reset(_: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n<rss>")
    await writer.drain()
    wire = writer.get_extra_info("socket")
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _headers(_: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(200_000):
        writer.write(b"X-%d: %s\r\n" % (number, b"y" * 200))
        await writer.drain()


async def _endless() -> AsyncIterator[bytes]:
    while True:
        yield b"<item>" + b"x" * 16_384
        await asyncio.sleep(0.01)  # so that it lasts: the cap comes after ten seconds


def _bombs() -> dict[str, Reply]:
    block = b"\0" * (1 << 20)
    gzip = zlib.compressobj(9, zlib.DEFLATED, 31)
    br, packed = brotli.Compressor(quality=5), zstd.ZstdCompressor()
    found = {"gzip": b"", "br": b"", "zstd": b""}
    for _ in range(_BOMB >> 20):
        found["gzip"] += gzip.compress(block)
        found["br"] += br.process(block)
        found["zstd"] += packed.compress(block)
    found["gzip"] += gzip.flush()
    found["br"] += br.finish()
    found["zstd"] += packed.flush()
    return {
        name: Reply(body, headers={**_XML, "Content-Encoding": name})
        for name, body in found.items()
    }


# --------------------------------------------------------------------------- broken documents


def _naughty(corpus: Path) -> str:
    """A feed of nothing but naughty strings: as titles, texts, ids and in links."""
    path = corpus / "hostile" / "big_list_of_naughty_strings.json"
    strings = json.loads(path.read_text(encoding="utf-8"))
    items = (
        f"<item><title>{escape(each)}</title><guid>{escape(each)}{number}</guid>"
        f"<link>/naughty/{number}?{escape(each)}</link><description>{escape(each)}</description></item>"
        for number, each in enumerate(strings)
    )
    return _FEED.format(title="naughty", items="".join(items)).encode("utf-8", "replace").decode()


def _xml(corpus: Path) -> list[Reply]:
    """XML that is broken, or that is a bomb by its entities; another one each time."""
    attacks = [path.read_bytes() for path in sorted((corpus / "hostile" / "xml").iterdir())]
    attacks += [
        b"<rss><channel><item><title>cut off in the mid",
        b"<?xml version='1.0' encoding='utf-16'?><rss><channel/></rss>",
        b"<rss>" + b"<channel>" * 50_000,
        b"<rss><channel><item><description>" + b"<!--" * 50_000,
        b"<rss><channel><item " + b" ".join(b"a%d='1'" % each for each in range(40_000)) + b"/>",
        bytes(range(256)) * 64,
    ]
    return [Reply(each, headers=_XML) for each in attacks]


def _lister() -> Callable[[Request], Reply]:
    """A feed that is in order, and lists a page of each bad kind with every poll."""
    turns = count()

    def answer(_: Request) -> Reply:
        turn = next(turns)
        items = (
            f"<item><title>{kind} {turn}</title><link>/{kind}/{turn}</link>"
            f"<description>Page {turn} of the kind {kind}.</description></item>"
            for kind in ("large", "drip", "gzip", "attributes", "loop", "inside", "reset")
        )
        return Reply(_FEED.format(title="pages", items="".join(items)), headers=_XML)

    return answer


def _moving() -> Callable[[Request], Reply]:
    """Redirects that never lead to the same place twice."""
    turns = count()
    return lambda _: redirect(f"/loop/{next(turns)}")


# --------------------------------------------------------------------------- who they are


def routes(corpus: Path, inside: Callable[[str], str]) -> Mapping[str, Route]:
    """How each kind answers; `inside` is the URL of a path at the address inside."""
    large = "<html><body>" + "<p>Nothing <a href='/'>but</a> words.</p>" * (_LARGE // 42)
    spellings = ("http://2130706433{0}", "http://[::ffff:127.3.0.1]{0}", "file:///etc/hosts")
    odd = [each.format(inside("/").removeprefix(f"http://{INSIDE}")) for each in spellings]
    tags = " ".join(f"a{each}='1'" for each in range(40_000))
    return {
        "drip": _drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"."),
        "slow-headers": _drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        **_bombs(),
        "reset": Raw(_reset),
        "loop": _moving(),
        "inside": [redirect(each) for each in (inside("/secret"), *odd)],
        "rebinding": Reply(_FEED.format(title="rebinding", items=""), headers=_XML, close=True),
        "rebound": Reply(b"nobody comes here"),
        "no-tls": Reply(b"plain"),
        "bad-tls": Reply(b"plain"),
        "dns": Reply(b"nobody comes here"),
        "xml": _xml(corpus),
        "large": Reply(large, headers=_HTML),
        "endless": Reply(chunks=_endless, headers=_XML),
        "headers": Raw(_headers),
        "html": Reply("<html><head><title>Hello</title></head><p>No feed.</p>", headers=_HTML),
        "naughty": Reply(_naughty(corpus), headers=_XML),
        "pages": _lister(),
        "attributes": Reply(f"<html><body><div {tags}>x</div>", headers=_HTML),
    }


KINDS: Final = (
    *("reset", "loop", "inside", "rebinding", "drip", "slow-headers", "gzip", "br", "zstd"),
    *("rebound", "no-tls", "bad-tls", "dns", "xml", "large", "endless", "headers", "html"),
    *("naughty", "pages"),
)
"""The ways of the hosts; what they list knows one more, `attributes`."""

NAMES: Final[Mapping[str, Answers]] = {
    "rebinding": [[HERE], [INSIDE]],
    "rebound": [[NOBODY, INSIDE]],
    "dns": None,
}


async def _no_http(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _serve(corpus: Path, number: int) -> None:
    served = WebServer(HERE)
    await served.start()
    hidden = WebServer(INSIDE, served.port)  # the same port: only the address is another
    await hidden.start()
    for kind, route in routes(corpus, hidden.url).items():
        served.route(f"/{kind}/*", _forgetting(served, route))
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("somebody-else.example").configure_cert(stranger)
    tls = await asyncio.start_server(_no_http, HERE, 0, ssl=stranger)
    ports = {"bad-tls": tls.sockets[0].getsockname()[1]}
    feeds: dict[str, str] = {}
    names: dict[str, Answers] = {}
    for each in range(number):
        kind = KINDS[each % len(KINDS)]
        host = f"{kind}-{each}.example"
        scheme = "https" if kind.endswith("tls") else "http"
        feeds[host] = f"{scheme}://{host}:{ports.get(kind, served.port)}/{kind}/feed"
        names[host] = NAMES.get(kind, [[HERE]])
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    print(json.dumps({"feeds": feeds, "names": names}), flush=True)
    while await lines.readline():
        print(json.dumps(hidden.connections), flush=True)
    tls.close()
    for server in (served, hidden):
        await server.stop()


def _forgetting(server: WebServer, route: Route) -> Route:
    """The route, on a server that need not remember what it was asked."""
    if isinstance(route, Raw):

        async def write(request: Request, writer: asyncio.StreamWriter) -> None:
            server.requests.clear()
            await route.write(request, writer)

        return Raw(write)
    turns = count()

    def answer(request: Request) -> Reply | Awaitable[Reply]:
        server.requests.clear()
        if isinstance(route, Reply):
            return route
        return route(request) if callable(route) else route[next(turns) % len(route)]

    return answer


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--hosts", type=int, required=True)
    options = parser.parse_args()
    asyncio.run(_serve(options.corpus, options.hosts))


if __name__ == "__main__":
    main()
