"""How long the page takes, with a million stored articles.

    python -m bench.web [--articles N] [--index N] [--database WHERE] [--postgres] [--rounds N]
                        [--only TEXT]

A database is filled with articles of invented outlets (`_web_archive.py`: 3 to 5 KB each, seven
languages, 400 feeds, 30 watches that find something in one of ten, stories, deliveries, revisions);
then the product's own functions count the mentions and index the texts: of all, or of the newest
`--index` articles. `--database` keeps a SQLite file, or names a PostgreSQL by its URL, and takes what
is there as it is. `--postgres` does it on the PostgreSQL of the tests (no fsync, 32 MB of buffers).

The real application is asked as ASGI, in this process, without a socket: every page of its
navigation, one of each kind of page that these link to, every other path without a parameter, and a
few searches and trends. So a page that is new is measured without being named here. What is streamed
is left out. Pages are asked in turn, `--rounds` times, the first time unmeasured.

What the numbers mean: milliseconds from the request to the last byte of the answer, the median and
the 95th percentile; the processor's time of that, the median, of this process and of PostgreSQL's
that serve it, which is the same but for a machine that is busy with other things; and how many
statements were run. A page passes if both together take 50 ms of the processor or less; downloads
and what programs ask are told without a verdict. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import sqlalchemy as sa
from lxml import html
from starlette.applications import Starlette
from starlette.routing import Match, Route

from bench import options_of
from bench._web_archive import END, RARE, fill
from bench._web_index import index_all
from monitor.engine.local import LocalEngine
from monitor.pipeline.mentions import count_mentions
from monitor.ports import EngineState, Role
from monitor.storage import SqlReports, SqlStore, upgrade
from monitor.storage import tables as t
from monitor.web import create_app

LIMIT: Final = 50.0  # milliseconds
PATIENCE: Final = 60  # seconds
DOWNLOAD: Final = 1_000.0  # what takes as long, and is no page, is asked once; as a page of twenty
ALL_COUNTED: Final = 20  # minutes, after which the rows of a million articles are tallied
SEARCHES: Final = (
    RARE,
    "ceasefire",
    '"Line of Control"',
    "युद्धविराम",
    '"जंग" OR "कश्मीर"',
    "ceasefire AND NOT Kashmir",
)
ASKED: Final = (
    *(f"/search?q={quote(query)}" for query in SEARCHES),
    "/search?q=ceasefire&time=week",
    *(f"/trends?span={span}" for span in ("24h", "30d", "90d")),
    *(f"/trends?span=90d&by={split}" for split in ("publisher", "side", "language")),
    "/trends?span=90d&count=stories",
    "/trends?watch=Ceasefire&span=90d&by=publisher",
)
LEFT_OUT: Final = re.compile(r"/(?:static/|login|logout|favicon|healthz|readyz|metrics)")


@dataclass(slots=True)
class Page:
    """What is asked, and how long it took."""

    path: str
    status: int = 0
    size: int = 0
    media: str = ""
    milliseconds: list[float] = field(default_factory=list)
    service: list[float] = field(default_factory=list)  # of the processor, this process
    server: list[float] = field(default_factory=list)  # and PostgreSQL's
    statements: int = 0  # that were run for it, the last time

    @property
    def is_page(self) -> bool:
        """And no download, or a program's answer."""
        return self.media == "text/html"

    def told(self) -> dict[str, Any]:
        """Its figures."""
        ordered = sorted(self.milliseconds)
        both = [sum(each) for each in zip(self.service, self.server, strict=True)]
        return {
            "page": self.path,
            "status": self.status,
            "bytes": self.size,
            "median_ms": round(statistics.median(ordered), 1),
            "p95_ms": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 1),
            "processor_ms": round(statistics.median(both), 1),
            "service_ms": round(statistics.median(self.service), 1),
            "server_ms": round(statistics.median(self.server), 1),
            "statements": self.statements,
            "is_page": self.is_page,
            "reached": statistics.median(both) <= LIMIT and self.status < 400,
        }


class Fixed:
    """A clock that stands at the newest article, and a service that is well."""

    version = "bench"

    def now(self) -> datetime:
        return END

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def tick_age(self) -> float:
        return 0.1

    def stuck_for(self) -> None:
        return None

    def ready(self) -> tuple[bool, str]:
        return True, ""

    def config_error(self) -> None:
        return None

    def sink_problem(self) -> None:
        return None

    async def engine_state(self) -> EngineState:
        return EngineState(role=Role.ALL, is_leader=True, workload=await LocalEngine().workload())


class Databank:
    """What a store's connections are asked, and what PostgreSQL takes for it, if it is one here."""

    def __init__(self, store: SqlStore) -> None:
        self.statements = 0
        self._serving: list[Path] = []
        engine = store._engines.read  # noqa: SLF001 - its connections

        @sa.event.listens_for(engine, "before_cursor_execute")
        def count(*_: Any) -> None:
            self.statements += 1

        if engine.dialect.name != "postgresql":
            return

        @sa.event.listens_for(engine.pool, "checkout")
        def know(connection: Any, *_: Any) -> None:
            spent = Path(f"/proc/{connection.info.backend_pid}/schedstat")
            if spent not in self._serving and spent.exists():
                self._serving.append(spent)

    def seconds(self) -> float:
        """Of the processor, so far: Linux counts nanoseconds."""
        return sum(int(each.read_text().split()[0]) for each in self._serving) / 1e9


async def ask(app: Starlette, page: Page, databank: Databank) -> bytes | None:
    """Ask once, and note how long it took; None if the answer is a stream without an end."""
    parts = urlsplit(page.path)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [(b"host", b"localhost"), (b"accept", b"text/html")],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    body: list[bytes] = []
    streams = False
    ended = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await ended.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal streams
        if message["type"] == "http.response.start":
            page.status = message["status"]
            kind = dict(message["headers"]).get(b"content-type", b"").decode()
            page.media = kind.partition(";")[0]
            if page.media == "text/event-stream":
                streams = True
                ended.set()
        else:
            body.append(message.get("body", b""))
            if not message.get("more_body"):
                ended.set()

    databank.statements = 0
    began, server, service = time.perf_counter(), databank.seconds(), time.process_time()
    try:
        async with asyncio.timeout(PATIENCE):
            await app(scope, receive, send)
    except Exception as error:  # noqa: BLE001 - a page's bug is its own; the app has answered 500
        page.status = 500
        _say(f"{page.path}: {type(error).__name__}: {error}")
    page.service.append(1000 * (time.process_time() - service))
    page.server.append(1000 * (databank.seconds() - server))
    page.milliseconds.append(1000 * (time.perf_counter() - began))
    page.statements = databank.statements
    page.size = sum(map(len, body))
    return None if streams else b"".join(body)


async def pages_of(app: Starlette, databank: Databank, only: str = "") -> list[Page]:
    """Every page that the app has, as far as its routes and links tell; of each kind one."""
    routes = [each for each in app.routes if isinstance(each, Route) and "{" not in each.path]
    waiting = ["/", *(each.path for each in routes if "GET" in (each.methods or ())), *ASKED]
    unlinked = set(waiting)
    kinds = {_kind(app, path) for path in waiting}
    found: dict[str, Page] = {}
    while waiting:
        page = Page(waiting.pop(0))
        if page.path in found or LEFT_OUT.match(page.path):
            continue
        if only not in page.path and page.path != "/":
            continue
        body = await ask(app, page, databank)
        if body is None or (page.status == 404 and page.path in unlinked):
            continue  # a stream; what this service does not have
        found[page.path] = page
        if not page.is_page or page.status != 200 or not body:
            continue
        for link in html.document_fromstring(body.decode()).xpath("//a/@href"):
            kind = _kind(app, link)
            if kind is not None and kind not in kinds:
                kinds.add(kind)
                waiting.append(link)
    return list(found.values())


def _kind(app: Starlette, path: str) -> str | None:
    """The pattern of the route that answers a path; None for what leads outside, or nowhere."""
    if not path.startswith("/") or path.startswith("//"):
        return None
    scope = {"type": "http", "method": "GET", "path": unquote(urlsplit(path).path)}
    for route in app.routes:
        if isinstance(route, Route) and route.matches(scope)[0] is Match.FULL:
            return route.path
    return None


async def measure(store: SqlStore, rounds: int, only: str) -> list[Page]:
    """Ask each page so often, in turn."""
    clock, databank = Fixed(), Databank(store)
    app = create_app(SqlReports(store), clock, clock)
    pages = [page for page in await pages_of(app, databank, only) if only in page.path]
    slow = [page for page in pages if page.milliseconds[0] > DOWNLOAD * (20 if page.is_page else 1)]
    for warm in range(2):  # caches of statements and templates
        for page in pages:
            if page not in slow:
                await ask(app, page, databank)
                if warm:
                    page.milliseconds.clear()
                    page.service.clear()
                    page.server.clear()
    for _ in range(rounds):
        for page in pages:
            if page not in slow:
                await ask(app, page, databank)
    return pages


async def prepare(store: SqlStore, url: str, articles: int, index: int | None) -> None:
    """Have the database as it would be: filled, counted, indexed. What is done is not repeated."""
    have = await store.query(
        lambda connection: connection.execute(sa.select(sa.func.count(t.article.c.id))).scalar_one()
    )
    if not have:
        began = time.perf_counter()
        engine = store._engines.write  # noqa: SLF001 - in bulk, past the transactions
        if engine.dialect.name == "sqlite":
            with engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA synchronous = OFF")
                connection.exec_driver_sql("PRAGMA cache_size = -400000")
                connection.exec_driver_sql("BEGIN")
        await asyncio.to_thread(fill, engine.begin, articles, _say)
        if store._engines.write.dialect.name == "postgresql":  # noqa: SLF001
            with store._engines.write.begin() as connection:  # noqa: SLF001
                connection.exec_driver_sql("ANALYZE")
        _say(f"filled: {articles:,} articles in {time.perf_counter() - began:.0f} s")
    began = time.perf_counter()
    while await count_mentions(store, END) > 1:
        pass
    _say(f"mentions counted in {time.perf_counter() - began:.1f} s")
    if index is not None:
        await store.write(lambda tx: _leave(tx, index))
    await asyncio.to_thread(index_all, url, _say)
    minute = timedelta(minutes=1)
    for number in range(ALL_COUNTED):
        await store.write(lambda tx, at=END + number * minute: tx.tally_rows(at))  # type: ignore[misc]


def _leave(transaction: Any, newest: int) -> None:
    """Have none but the newest articles indexed."""
    oldest = sa.select(t.unindexed.c.article_id).order_by(t.unindexed.c.article_id.desc())
    last = oldest.limit(1).offset(newest).scalar_subquery()
    transaction.connection.execute(sa.delete(t.unindexed).where(t.unindexed.c.article_id <= last))


def _say(said: str) -> None:
    print(said, file=sys.stderr, flush=True)


@contextlib.contextmanager
def database(given: argparse.Namespace) -> Iterator[str]:
    """The URL of the database to use, of this version."""
    with contextlib.ExitStack() as stack:
        if given.database is not None and "://" in given.database:
            url = given.database
        elif given.postgres:
            from tests.postgres import find_binaries, running_postgres  # noqa: PLC0415 (not needed else)

            binaries = find_binaries()
            if binaries is None:
                raise SystemExit("There are no binaries of PostgreSQL here: leave --postgres out.")
            url = stack.enter_context(running_postgres(binaries))
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            url = f"sqlite:///{Path(given.database or f'{folder}/web.db').resolve()}"
        upgrade(url)
        yield url


async def run(given: argparse.Namespace) -> list[Page]:
    with database(given) as url:
        async with SqlStore(url) as store:
            await prepare(store, url, given.articles, given.index)
            return await measure(store, given.rounds, given.only)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options_of(__doc__)
    parser.add_argument("--articles", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--database", help="a SQLite file to keep and to use again, or a URL")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL, in place of SQLite")
    parser.add_argument("--index", type=int, help="index no more than so many, the newest")
    parser.add_argument("--only", default="", help="only paths that hold this")
    given = parser.parse_args(arguments)
    told = [page.told() for page in asyncio.run(run(given))]
    told.sort(key=lambda each: -each["median_ms"])
    for each in told:
        verdict = ("PASS" if each["reached"] else "FAIL") if each["is_page"] else "    "
        print(
            f"{verdict}  {each['median_ms']:8.1f} ms  p95 {each['p95_ms']:8.1f}"
            f"  processor {each['service_ms']:7.1f} + {each['server_ms']:5.1f}"
            f"  {each['statements']:3} statements  {each['bytes'] / 1000:7.1f} KB"
            f"  {each['status']}  {each['page']}"
        )
    print(
        json.dumps(
            {
                "bench": "web",
                "database": _kind_of(given),
                "articles": given.articles,
                "load": round(os.getloadavg()[0], 1),
                "limit_ms": LIMIT,
                "pages": told,
            }
        )
    )


def _kind_of(given: argparse.Namespace) -> str:
    is_named = given.database is not None and given.database.startswith("postgres")
    return "postgresql" if given.postgres or is_named else "sqlite"


if __name__ == "__main__":
    main()
