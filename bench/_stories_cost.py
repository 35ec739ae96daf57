"""What copies and stories cost when many articles are there already.

    python -m bench.stories cost [--corpus FOLDER] [--articles N] [--sample N] [--postgres]

N articles (a million, unless told) of the last two weeks are laid into the service's own tables on
a new SQLite file: addresses, texts of 2 KB, fingerprints, keys, stories, and for every tenth, which
a watch matched, the thread of its story. Their fingerprints and threads are those of a few thousand
invented articles (`bench._stories_press`), but for the keys, which are drawn, so that hardly any two
articles share one that do not share text; one in eight is a copy, and some hold stock phrases whose keys fifty
others have.

Then as many as `--sample` says are taken in by the service's own ingest, which is watched: half of
them match no watch, so that only copies are looked for, half match one. Told are

- the look-up of a new article's candidates among all these, and of its stories;
- CPU an article for copies (fingerprint, look-up, verdict, writing) and for events;
- articles a second through the whole ingest: one after the other, with two commits to the disk for
  each, and how much of that are commits; and `AT_ONCE` at a time, as the service has them, where
  those who wait for the disk share a commit;
- bytes on disk an article, by table; and how the memory of the process grows.

Beside it stands datasketch: its signature of the same texts, and its index in memory.
`--postgres` does the same on PostgreSQL (that of the tests: no fsync, 32 MB of buffers).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib.util
import json
import logging
import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from importlib import import_module
from itertools import islice, product
from multiprocessing import get_context
from statistics import mean, median, quantiles
from typing import Any, Final

import sqlalchemy as sa
import structlog
from sqlalchemy.engine.default import DefaultDialect

from bench import options_of
from bench._stories_desk import START, WATCH, Desk, database
from bench._stories_press import Press
from bench._stories_sets import Document
from bench.match import memory
from monitor.model import Article
from monitor.pipeline import ingest, reading
from monitor.pipeline.group import Marks, marks_of
from monitor.storage import SqlStore, upgrade
from monitor.storage import tables as t
from monitor.storage.address import read_address
from monitor.storage.families import day_of
from monitor.storage.transaction import SqlTransaction
from monitor.stories import copies, events
from monitor.stories.frequencies import shipped

DAYS: Final = 14  # over which what is laid in was published
MATCHED: Final = 10  # every so many-th article that is laid in was matched by a watch
MODELS: Final = 3_000  # invented articles that the others are made like
COPIED: Final = 8  # one in so many is a copy
COPY_KEYS: Final = 6  # of its own: those that its family has are not stored again
STOCK: Final = 2  # keys of an article that are stock phrases
BODY: Final = 2_000  # characters: as much of a row as lies beside the others
INDEXED: Final = 20_000  # articles in datasketch's index: a million take 5 GB
EVERY: Final = 250  # articles between two looks at the memory
AT_ONCE: Final = 8  # articles at work; the service has up to fifty
OWN_TABLES: Final = ("article_key", "fingerprint", "story", "story_term")

Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Model:
    """What is laid in: an invented article, as grouping keeps it."""

    title: str
    body: str
    keys: tuple[int, ...]
    packed: bytes
    text_hash: str | None
    report: events.Report
    terms: tuple[int, ...]


def models(press: Press, number: int) -> list[Model]:
    frequencies = shipped()
    made = []
    for each in islice(press.articles(START, timedelta()), number):
        content = Article(url="", title=each.title, body=each.text, source="page", language="en")
        marks: Marks = marks_of(content, first_seen_at=START, matched=True, frequencies=frequencies)
        assert marks.report is not None
        made.append(
            Model(
                title=each.title,
                body=each.text[:BODY],
                keys=tuple(marks.fingerprint.keys),
                packed=copies.packed(marks.fingerprint),
                text_hash=marks.fingerprint.exact,
                report=marks.report,
                terms=tuple(events.terms_to_index(marks.report)),
            )
        )
    return made


# --------------------------------------------------------------------------- laying in


@dataclass(slots=True)
class Rows:
    """Rows of some tables, a tuple each, in the order of `COLUMNS`."""

    story: list[tuple[Any, ...]] = field(default_factory=list)
    article: list[tuple[Any, ...]] = field(default_factory=list)
    article_url: list[tuple[Any, ...]] = field(default_factory=list)
    fingerprint: list[tuple[Any, ...]] = field(default_factory=list)
    article_key: list[tuple[Any, ...]] = field(default_factory=list)
    story_term: list[tuple[Any, ...]] = field(default_factory=list)


COLUMNS: Final = {
    "story": ("id", "created_at", "thread"),
    "article": (
        *("id", "url", "link", "feed_id", "host", "bucket", "state", "attempts", "first_seen_at"),
        *("ingested_at", "published_at", "source", "text_hash", "story_id", "copy_of", "title"),
        "body",
    ),
    "article_url": ("url", "article_id"),
    "fingerprint": ("article_id", "packed", "day", "keys"),
    "article_key": ("day", "key", "article_id"),
    "story_term": ("term", "story_id"),
}


def days_of_rows(given: Sequence[Model], number: int, feed: int) -> Iterator[Rows]:
    """What is laid in, a day at a time."""
    dice = random.Random(7)
    keys: list[tuple[int, ...]] = []  # of the day's articles so far
    first = 1
    for day in range(DAYS):
        rows = Rows()
        keys.clear()
        begin = START - timedelta(days=DAYS - day)
        after = 1 + number * (day + 1) // DAYS
        stock = [dice.getrandbits(32) - (1 << 31) for _ in range((after - first) * STOCK // 40 + 1)]
        for number_of_it in range(first, after):
            at = begin + timedelta(days=1) * ((number_of_it - first) / (after - first))
            _lay(rows, number_of_it, at, dice.choice(given), feed, keys, first, stock, dice)
        rows.article_key = sorted(set(rows.article_key))
        yield rows
        first = after


def _lay(
    rows: Rows,
    number: int,
    at: datetime,
    like: Model,
    feed: int,
    keys: list[tuple[int, ...]],
    first: int,
    stock: Sequence[int],
    dice: random.Random,
) -> None:
    moved = tuple(dice.getrandbits(32) - (1 << 31) for _ in like.keys)
    root = first + dice.randrange(len(keys)) if keys and dice.randrange(COPIED) == 0 else None
    keys.append(moved)
    matched = number % MATCHED == 0 and root is None
    url = f"https://host-{number % 5_000}.example/{number}/article"
    thread = replace(events.opened(like.report), first_at=at, last_at=at) if matched else None
    rows.story.append((number, at, events.packed(thread) if thread else None))
    rows.article.append(
        (
            *(number, url, url, feed, f"host-{number % 5_000}.example", number % 64, "done", 1, at),
            *(at, at, "page", f"{number:064x}" if like.text_hash else None, number, root),
            *(like.title, like.body),
        )
    )
    rows.article_url.append((url, number))
    day = day_of(at)
    own = moved[: COPY_KEYS if root else len(moved)] + tuple(dice.choices(stock, k=STOCK))
    rows.fingerprint.append((number, like.packed, day, [*own]))
    rows.article_key += [(day, key, number) for key in own]
    if matched:
        rows.story_term += [(term, number) for term in like.terms]


def lay_in(url: str, given: Sequence[Model], number: int) -> float:
    """Fill the tables; returns seconds. Past the service: that would take an hour."""
    began = time.perf_counter()
    address = read_address(url)
    if address.path is not None:
        engine = sa.create_engine(f"sqlite:///{address.path}")
    else:
        engine = sa.create_engine(address.url)
    with engine.begin() as connection:
        feed = connection.execute(
            sa.insert(t.feed).returning(t.feed.c.id),
            {
                "url": "https://host.example/feed.xml",
                "name": "press",
                "publisher": "press",
                "tags": (),
                "declared": False,
                "host": "host.example",
                "bucket": 0,
                "status": "ok",
                "failures": 0,
                "entries": 0,
                "created_at": START,
            },
        ).scalar_one()
    for rows in days_of_rows(given, number, feed):
        with engine.begin() as connection:
            driver = connection.connection.driver_connection
            if isinstance(driver, sqlite3.Connection):
                driver.execute("PRAGMA cache_size = -262144")  # 256 MB: addresses come in no order
            for name, columns in COLUMNS.items():
                if name == "article_key" and address.path is None:
                    continue
                given_rows = getattr(rows, name)
                if name == "fingerprint" and address.path is not None:
                    given_rows = [(*row[:-1], None) for row in given_rows]  # keys are rows
                values = _bound(name, given_rows, engine.dialect)
                if isinstance(driver, sqlite3.Connection):
                    marks = ", ".join("?" * len(columns))
                    driver.executemany(
                        f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", values
                    )
                else:
                    _copy(driver, name, columns, values)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if address.path is None:
            for name in ("article", "story"):
                told = f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), {number})"
                connection.exec_driver_sql(told)
            connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()
    return time.perf_counter() - began


def _bound(
    name: str, rows: Sequence[tuple[Any, ...]], dialect: sa.Dialect
) -> Iterator[tuple[Any, ...]]:
    """The rows as the driver takes them: times as the column types write them."""
    types = [t.metadata.tables[name].c[column].type for column in COLUMNS[name]]
    binds = [each.dialect_impl(dialect).bind_processor(dialect) for each in types]
    if not any(binds):
        yield from rows
        return
    for row in rows:
        yield tuple(
            bind(value) if bind is not None else value
            for bind, value in zip(binds, row, strict=True)
        )


def _copy(
    driver: Any, name: str, columns: Sequence[str], values: Iterator[tuple[Any, ...]]
) -> None:
    with driver.cursor().copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in values:
            copy.write_row(row)


def sizes(url: str) -> dict[str, int]:
    """Bytes on disk of each table with its indexes."""
    address = read_address(url)
    names = (*OWN_TABLES, "article", "article_url")
    if address.path is not None:
        file = sqlite3.connect(address.path)
        rows = file.execute(
            "SELECT tbl_name, SUM(pgsize) FROM dbstat JOIN sqlite_master USING (name) "
            "GROUP BY tbl_name"
        ).fetchall()
        file.close()
        return {name: size for name, size in rows if name in names}
    engine = sa.create_engine(address.url)
    with engine.connect() as connection:
        found = {
            name: connection.execute(sa.select(sa.func.pg_total_relation_size(name))).scalar_one()
            for name in names
        }
    engine.dispose()
    return found


# --------------------------------------------------------------------------- watching


@dataclass(slots=True)
class Watched:
    """Seconds that parts of the ingest took, one figure a call."""

    wall: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)

    def around(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **also: Any) -> Any:
            wall, cpu = time.perf_counter(), time.thread_time()
            result = work(*given, **also)
            self.cpu.setdefault(name, []).append(time.thread_time() - cpu)
            self.wall.setdefault(name, []).append(time.perf_counter() - wall)
            return result

        return timed


@contextmanager
def watched() -> Iterator[Watched]:
    """Watch what the ingest does for copies and stories: it is the service's own all the same."""
    seen = Watched()
    parts: list[tuple[Any, str]] = [
        (reading, "marks_of"),
        (ingest, "group"),
        (SqlTransaction, "copy_candidates"),
        (SqlTransaction, "stories_about"),
        (SqlTransaction, "threads"),
        (DefaultDialect, "do_commit"),
    ]
    with ExitStack() as stack:
        for owner, name in parts:
            work = getattr(owner, name)
            setattr(owner, name, seen.around(name, work))
            stack.callback(setattr, owner, name, work)
        yield seen


async def sustained(
    url: str,
    documents: Sequence[Document],
    names: dict[str, str],
    *,
    matched: bool,
    at_once: int = 1,
) -> Found:
    """Take the documents in, and tell what it cost; `names` are those of the desk before."""
    memories: list[float] = []
    walls: list[float] = []

    def look(done: int) -> None:
        walls.append(time.perf_counter())
        if done % EVERY == 0:
            gc.collect()
            memories.append(memory()[0])

    async with SqlStore(url) as store:
        await store.write(lambda tx: tx.sync_watches([WATCH], START))
        desk = Desk(store, matched, names)
        warm, rest = documents[: len(documents) // 5], documents[len(documents) // 5 :]
        await desk.take(warm, at_once=at_once)
        gc.collect()
        with watched() as seen:
            desk.spent.clear()
            desk.wall.clear()
            await desk.take(rest, look, at_once)
    parts = {
        name: {
            "cpu_ms": round(mean(seen.cpu[name]) * 1e3, 4),
            "p50_ms": round(median(times) * 1e3, 4),
            "p99_ms": round(quantiles(times, n=100)[-1] * 1e3, 4),
        }
        for name, times in seen.wall.items()
        if len(times) > 1
    }
    half = len(memories) // 2
    grown = (mean(memories[half:]) - mean(memories[:half])) if half else 0.0
    return {
        "articles": len(rest),
        "parts": parts,
        "ingest_cpu_ms": round(mean(desk.spent) * 1e3, 3),
        "in_commits": round(2 * mean(seen.wall["do_commit"]) / mean(desk.wall), 3),
        "ingest_per_s": round(1 / mean(desk.wall), 1),
        "memory_mb": round(memory()[0], 1),
        "memory_mb_per_1000": round(grown / max(1, half * EVERY) * 1e3, 3),
    }


def _all_sustained(url: str, documents: Sequence[Sequence[Document]]) -> Sequence[Found]:
    """In a process of its own, with no more in its memory than a service has."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    names: dict[str, str] = {}
    return [
        asyncio.run(sustained(url, given, names, matched=matched, at_once=at_once))
        for given, (at_once, matched) in zip(
            documents, product((1, AT_ONCE), (False, True)), strict=True
        )
    ]


# --------------------------------------------------------------------------- datasketch


def beside(documents: Sequence[Document], number: int) -> Found:
    """What datasketch takes for a signature of the same texts, and to look up one of `number`."""
    from bench._stories_rivals import PERMUTATIONS, shingles, words_of  # noqa: PLC0415 (numpy)

    package = import_module("datasketch")
    index = package.MinHashLSH(threshold=0.5, num_perm=PERMUTATIONS)
    scheme = package.MinHash(num_perm=PERMUTATIONS).scheme
    dice = import_module("numpy").random.default_rng(3)
    for place in range(number):
        values = dice.integers(1 << 32, size=PERMUTATIONS, dtype="uint64")
        filled = package.MinHash(num_perm=PERMUTATIONS, hashvalues=values, scheme=scheme)
        index.insert(place, filled)
    made: list[float] = []
    asked: list[float] = []
    for text in words_of(documents):
        began = time.process_time()
        signature = package.MinHash(num_perm=PERMUTATIONS)
        signature.update_batch(list(shingles(text, 3)))
        made.append(time.process_time() - began)
        began = time.perf_counter()
        index.query(signature)
        asked.append(time.perf_counter() - began)
    ours: list[float] = []
    for each in documents:
        began = time.process_time()
        copies.fingerprint(each.title, each.text)
        ours.append(time.process_time() - began)
    return {
        "signature_ms": round(mean(made) * 1e3, 4),
        "fingerprint_ms": round(mean(ours) * 1e3, 4),
        "fingerprint_of_signature": round(mean(ours) / mean(made), 3),
        "query_p50_ms": round(median(asked) * 1e3, 4),
        "indexed": number,
    }


# --------------------------------------------------------------------------- the run


def cost(url: str, given: Sequence[Model], press: Press, number: int, sample: int) -> Found:
    seconds = lay_in(url, given, number)
    disk = sizes(url)
    own = sum(disk[name] for name in OWN_TABLES) / number
    print(f"  {number:,} articles laid in within {seconds:.0f} s")
    print(f"  {own:,.0f} bytes on disk an article for copies and stories: ", end="")
    print(", ".join(f"{name} {disk[name] / number:,.0f}" for name in OWN_TABLES))
    print(
        f"  beside {(disk['article'] + disk['article_url']) / number:,.0f} for the article itself"
    )
    gap = timedelta(days=DAYS) / number
    news = press.articles(START, gap)
    first, second, third, fourth = (list(islice(news, sample // 4)) for _ in range(4))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as service:
        runs = service.submit(_all_sustained, url, (first, second, third, fourth))
        plain, told, many, many_told = runs.result()
    found: Found = {
        "articles": number,
        "laid_in_s": round(seconds, 1),
        "bytes_per_article": round(own, 1),
        "bytes_by_table": {name: round(size / number, 1) for name, size in disk.items()},
        "copies": plain,
        "events": told,
        "copies_at_once": many,
        "events_at_once": many_told,
    }
    for what, run in (("no watch matches", plain), ("a watch matches", told)):
        print(
            f"  {run['articles']:,} more articles, {what}: {run['ingest_per_s']:,.0f} a second "
            f"({run['in_commits']:.0%} of it in commits), ",
            end="",
        )
        print(f"{run['ingest_cpu_ms']:.2f} ms of CPU for the ingest of one; memory ", end="")
        print(
            f"{run['memory_mb']:.0f} MB, growing by {run['memory_mb_per_1000']:.2f} MB a thousand"
        )
        for name, part in run["parts"].items():
            print(f"    {name:18}{part['cpu_ms']:8.3f} ms of CPU  ", end="")
            print(f"p50 {part['p50_ms']:8.3f}  p99 {part['p99_ms']:8.3f} ms")
    for what, run in (("no watch matches", many), ("a watch matches", many_told)):
        print(f"  {AT_ONCE} at a time, {what}: {run['ingest_per_s']:,.0f} a second, ", end="")
        print(f"{run['ingest_cpu_ms']:.2f} ms of CPU for the ingest of one")
    by_copies = sum(plain["parts"][name]["cpu_ms"] for name in ("marks_of", "group"))
    by_all = sum(told["parts"][name]["cpu_ms"] for name in ("marks_of", "group"))
    found["copies_cpu_ms"] = round(by_copies, 3)
    found["events_cpu_ms"] = round(by_all - by_copies, 3)
    return found


def verdicts(name: str, found: Found) -> Iterator[Found]:
    look_up = found["copies"]["parts"]["copy_candidates"]["p50_ms"]
    rate = min(found["copies_at_once"]["ingest_per_s"], found["events_at_once"]["ingest_per_s"])
    for what, value, limit, least in (
        ("CPU an article for copies, ms", found["copies_cpu_ms"], 3, False),
        ("CPU an article for events, ms", found["events_cpu_ms"], 3, False),
        (f"look-up among {found['articles']:,}, p50, ms", look_up, 1, False),
        (f"articles a second, {AT_ONCE} at a time", rate, 100, True),
        ("bytes on disk an article", found["bytes_per_article"], 2_500, False),
    ):
        reached = value >= limit if least else value <= limit
        sign = ">=" if least else "<="
        print(
            f"  {'PASS' if reached else 'FAIL'}  {name}: {what}: {value:,.4g} (wanted: {sign} {limit:,})"
        )
        yield {"target": f"{name}: {what}", "limit": limit, "measured": value, "reached": reached}


def main(arguments: Sequence[str]) -> None:
    parser = options_of(__doc__)
    parser.prog = "python -m bench.stories cost"
    parser.add_argument("--articles", type=_number, default=1_000_000)
    parser.add_argument("--sample", type=_number, default=5_000)
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL, too")
    given = parser.parse_args(arguments)
    made = models(Press(given.corpus), min(MODELS, given.articles))
    result: Found = {"bench": "stories cost"}
    targets: list[Found] = []
    print("SQLite")
    with database() as path:
        url = f"sqlite:///{path}"
        result["sqlite"] = cost(
            url, made, Press(given.corpus, seed=2), given.articles, given.sample
        )
        targets += verdicts("SQLite", result["sqlite"])
    if given.postgres:
        from tests.postgres import find_binaries, running_postgres  # noqa: PLC0415 (not needed else)

        binaries = find_binaries()
        if binaries is None:
            print("PostgreSQL: left out, no binaries of it here")
        else:
            print("PostgreSQL")
            with running_postgres(binaries) as url:
                upgrade(url)
                result["postgresql"] = cost(
                    url, made, Press(given.corpus, seed=2), given.articles, given.sample
                )
                targets += verdicts("PostgreSQL", result["postgresql"])
    if importlib.util.find_spec("datasketch"):
        news = Press(given.corpus, seed=4).articles(START, timedelta())
        texts = list(islice(news, min(given.sample, 500)))
        result["datasketch"] = found = beside(texts, min(INDEXED, given.articles))
        print(f"datasketch: {found['signature_ms']:.2f} ms for a signature, ours ", end="")
        print(
            f"{found['fingerprint_ms']:.2f} ms ({found['fingerprint_of_signature']:.2f} of it); ",
            end="",
        )
        print(f"look-up among {found['indexed']:,} in memory: p50 {found['query_p50_ms']:.3f} ms")
    result["targets"] = targets
    print(json.dumps(result))


def _number(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 100:
        raise argparse.ArgumentTypeError(f"not a number of articles from 100 on: {text}")
    return number
