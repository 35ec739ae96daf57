"""What a request costs: ours beside bare aiohttp; kept connections beside new ones, in one run.

    python -m bench.fetch [--corpus FOLDER] [--limit REQUESTS] [--rounds N]

A server in a process of its own answers 304, or 200 with a feed of the corpus in gzip, over plain
TCP and over TLS (1.3, P-256), and keeps the connection or closes it after each answer. Ours and
aiohttp ask it two at a time, in turns; aiohttp is spared all that makes the difference: redirects,
caps, the guard, politeness' validators. Counted is CPU time of the asking process for a request, in
microseconds; the ratios are medians of the rounds'. The last line is one JSON object.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import multiprocessing
import ssl
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from time import process_time
from typing import Final, NamedTuple

import aiohttp
import trustme

from bench import options_of
from monitor.fetch import HttpFetcher
from monitor.model import Validators

FEED: Final = Path("feeds", "bbc-world_2026-08-13.xml")
ACCEPT: Final = "application/rss+xml, */*;q=0.5"
ETAG: Final = '"5d8c72a5edda8"'
SINCE: Final = "Sat, 10 May 2025 11:00:00 GMT"
AT_ONCE: Final = 2
CAP: Final = 15 << 20

Ask = Callable[[str], Awaitable[None]]


class Case(NamedTuple):
    """What is asked for, and over what."""

    answer: str  # 304 | 200
    scheme: str  # http | https
    kept: bool  # the connection

    @property
    def name(self) -> str:
        return f"{self.answer}, {self.scheme}, {'kept' if self.kept else 'new'} connection"


CASES: Final = tuple(
    Case(answer, scheme, kept)
    for answer in ("304", "200")
    for scheme in ("http", "https")
    for kept in (True, False)
)


class SystemClock:
    """The machine's."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _head(status: str, kept: bool, more: str = "") -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nETag: {ETAG}\r\nLast-Modified: {SINCE}\r\nServer: bench\r\n"
        f"Cache-Control: max-age=300\r\nConnection: {'keep-alive' if kept else 'close'}\r\n"
        f"{more}\r\n"
    ).encode()


def serve(report: Connection, certificate: str, feed: bytes) -> None:
    """Answer by the first letters of the path: /304k, /304c, /200k, /200c."""
    packed = gzip.compress(feed)
    coded = f"Content-Type: text/xml\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n"
    answers = {
        b"304k": _head("304 Not Modified", kept=True),
        b"304c": _head("304 Not Modified", kept=False),
        b"200k": _head("200 OK", kept=True, more=coded) + packed,
        b"200c": _head("200 OK", kept=False, more=coded) + packed,
    }

    class Server(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self.transport, self.waiting = transport, b""

        def data_received(self, data: bytes) -> None:
            self.waiting += data
            while (end := self.waiting.find(b"\r\n\r\n")) >= 0:
                key = self.waiting[5:9]
                self.waiting = self.waiting[end + 4 :]
                self.transport.write(answers[key])
                if key.endswith(b"c"):
                    self.transport.close()

    async def main() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        loop = asyncio.get_running_loop()
        plain = await loop.create_server(Server, "127.0.0.1", 0)
        secure = await loop.create_server(Server, "127.0.0.1", 0, ssl=context)
        report.send([each.sockets[0].getsockname()[1] for each in (plain, secure)])
        await asyncio.Event().wait()

    asyncio.run(main())


async def cost(ask: Ask, url: str, requests: int) -> float:
    """Microseconds of CPU a request."""

    async def some(number: int) -> None:
        for _ in range(number):
            await ask(url)

    began = process_time()
    await asyncio.gather(*(some(-(-requests // AT_ONCE)) for _ in range(AT_ONCE)))
    return (process_time() - began) / requests * 1e6


async def measure(
    ports: tuple[int, int], trust: ssl.SSLContext, *, requests: int, rounds: int
) -> dict[str, dict[str, list[float]]]:
    """CPU of each round, by case and by who asks."""
    costs: dict[str, dict[str, list[float]]] = {
        case.name: {"ours": [], "aiohttp": []} for case in CASES
    }
    fetcher = HttpFetcher(
        clock=SystemClock(), user_agent="monitor/bench", allow=["127.0.0.1"], tls=trust
    )
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=AT_ONCE, ssl=trust),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "monitor/bench", "Accept": ACCEPT},
        timeout=aiohttp.ClientTimeout(total=20),
    )
    told = {"If-None-Match": ETAG, "If-Modified-Since": SINCE}

    async def bare(url: str) -> None:
        async with session.get(url, headers=told, allow_redirects=False) as response:
            await response.read()

    async with fetcher, session:

        async def ours(url: str) -> None:
            known = Validators(etag=ETAG, last_modified=SINCE, url=url)
            await fetcher.get(url, accept=ACCEPT, max_bytes=CAP, validators=known)

        for turn in range(rounds + 1):  # the first is to warm up, and does not count
            for case in CASES:
                port = ports[case.scheme == "https"]
                path = case.answer + ("k" if case.kept else "c")
                url = f"{case.scheme}://127.0.0.1:{port}/{path}/feed.xml"
                for name, ask in (("ours", ours), ("aiohttp", bare))[:: 1 if turn % 2 else -1]:
                    number = requests if case.kept else max(1, requests // 4)
                    spent = await cost(ask, url, number)
                    if turn:
                        costs[case.name][name].append(spent)
    return costs


def ratio(above: list[float], below: list[float]) -> float:
    """The median of the rounds'."""
    return round(median(one / other for one, other in zip(above, below, strict=True)), 2)


def main() -> None:
    options = options_of(__doc__)
    options.add_argument("--limit", type=int, default=2000, help="requests of a round and case")
    options.add_argument("--rounds", type=int, default=7)
    given = options.parse_args()
    feed = (given.corpus / FEED).read_bytes()
    authority = trustme.CA()
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    ask, report = multiprocessing.Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as folder:
        certificate = Path(folder, "certificate.pem")
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
        server = multiprocessing.get_context("spawn").Process(
            target=serve, args=(report, str(certificate), feed), daemon=True
        )
        server.start()
        try:
            plain, secure = ask.recv()
            costs = asyncio.run(
                measure((plain, secure), trust, requests=given.limit, rounds=given.rounds)
            )
        finally:
            server.kill()
            server.join()

    print(f"CPU a request, µs (feed: {len(feed) // 1024} KB)\n")
    print(f"{'':34}{'ours':>8}{'aiohttp':>10}{'ratio':>8}")
    for name, spent in costs.items():
        shown = f"{median(spent['ours']):8.0f}{median(spent['aiohttp']):10.0f}"
        print(f"{name:34}{shown}{ratio(spent['ours'], spent['aiohttp']):8.2f}")
    new = {
        f"{answer}: new {what} to kept": ratio(
            costs[Case(answer, scheme, kept=False).name]["ours"],
            costs[Case(answer, scheme, kept=True).name]["ours"],
        )
        for answer in ("304", "200")
        for scheme, what in (("http", "TCP"), ("https", "TLS"))
    }
    print()
    for what, times in new.items():
        print(f"{what:34}{times:8.1f}")
    result = {
        "microseconds": {
            name: {who: round(median(each)) for who, each in spent.items()}
            for name, spent in costs.items()
        },
        "ours to aiohttp": {
            name: ratio(spent["ours"], spent["aiohttp"]) for name, spent in costs.items()
        },
        "new to kept": new,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
