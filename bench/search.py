"""Full text over a large archive: what the index costs, and what a search does.

    python -m bench.search [--articles N] [--postgres]        (needs no corpus)

Writes an archive of its own, whose words are as common as they are in news, in seven languages.
Printed are bytes and milliseconds of each article in the index (the working out of marks, which is
beside the event loop, and the writing, for which others wait), and of each search the time of its
first page, best of five, with the text of what it found and where in it. The target is that of a
page: 50 ms. By the clock. The last line is one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import sqlalchemy as sa

from bench import options_of
from bench._web_archive import LANGUAGES, RARE, TERMS, Press
from monitor.model import ArticleState, bucket_of
from monitor.pipeline.index import BATCH, _indexed
from monitor.ports import Filters
from monitor.storage import SqlStore, upgrade
from monitor.storage import tables as t
from monitor.storage.search import SqlSearch

TARGET: Final = 50.0
"""Milliseconds of a page."""

END: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
CHUNK: Final = 2_000
HOST: Final = "news.example"
FEEDS: Final = 40

SEARCHES: Final[dict[str, tuple[str | None, Filters]]] = {
    "a word": ("ceasefire", Filters()),
    "a common word": ("the", Filters()),
    "a rare word": (RARE, Filters()),
    "a word that is nowhere": ("qwertyuiop", Filters()),
    "common words that never meet": ("the AND कश्मीर AND هدنة", Filters()),
    "a phrase": ('"line of control"', Filters()),
    "a phrase of common words": ('"the of and"', Filters()),
    "near": ("India NEAR/5 Pakistan", Filters()),
    "a wildcard": ("minist* NOT the", Filters()),
    "hindi": ("युद्धविराम OR कश्मीर", Filters()),
    "urdu": ("جنگ بندی", Filters()),
    "many words": (" OR ".join(f'"{term}"' for term in TERMS), Filters()),
    "of one publisher": ("people", Filters(publisher="Outlet 7")),
    "long ago": ("people", Filters(until=END - timedelta(days=80))),
    "only what is known of it": ("lang:ur source:Outlet", Filters()),
    "everything": (None, Filters(language="de")),
    "next to nothing to look up": ("pe?ple", Filters()),
}


def write_archive(store: SqlStore, count: int) -> None:
    """So many matched articles of ninety days."""
    dice = random.Random(3)
    press = Press(dice)
    languages = dice.choices(list(LANGUAGES), list(LANGUAGES.values()), k=count)
    feeds = [
        {
            "id": number,
            "url": f"https://{HOST}/{number}",
            "name": f"Outlet {number} – news",
            "publisher": f"Outlet {number}",
            "tags": (),
            "declared": True,
            "host": HOST,
            "bucket": bucket_of(HOST),
            "status": "ok",
            "failures": 0,
            "entries": 0,
            "created_at": END,
        }
        for number in range(1, FEEDS + 1)
    ]
    engine = _engine(store)
    with engine.begin() as connection:
        connection.execute(sa.insert(t.feed), feeds)
    for first in range(0, count, CHUNK):
        articles: list[dict[str, Any]] = []
        entries: list[dict[str, Any]] = []
        for number in range(first + 1, min(count, first + CHUNK) + 1):
            language = languages[number - 1]
            at = END - timedelta(days=90) * (count - number) / count
            feed = dice.randrange(1, FEEDS + 1)
            body = "\n\n".join(dice.choices(press.paragraphs[language], k=dice.randrange(4, 9)))
            title = press.headline(language, number)
            if dice.random() < 0.02:
                title = f"{dice.choice(TERMS)} {title}"
            if number % 100_000 == 50_000:
                body += f" {RARE}"
            articles.append(
                {
                    "id": number,
                    "url": f"https://{HOST}/{number}",
                    "link": f"https://{HOST}/{number}",
                    "feed_id": feed,
                    "host": HOST,
                    "bucket": bucket_of(HOST),
                    "state": ArticleState.DONE,
                    "attempts": 1,
                    "first_seen_at": at,
                    "ingested_at": at,
                    "published_at": at,
                    "language": language,
                    "authors": (),
                    "title": title,
                    "body": body,
                }
            )
            entries.append(
                {
                    "feed_id": feed,
                    "guid": str(number),
                    "article_id": number,
                    "first_seen_at": at,
                    "backlog": False,
                    "authors": (),
                    "title": title,
                    "text": "",
                }
            )
        with engine.begin() as connection:
            connection.execute(sa.insert(t.article), articles)
            connection.execute(sa.insert(t.entry), entries)


def _engine(store: SqlStore) -> sa.Engine:
    return store._engines.write  # noqa: SLF001 - in bulk, past the transactions


async def indexed(store: SqlStore) -> dict[str, float]:
    """Index everything, as the service does: what it costs, in milliseconds and bytes an article."""
    await store.write(lambda tx: tx.renew_index())
    before = await store.query(_bytes)
    working, writing, articles = 0.0, [], 0
    while waiting := await store.read(lambda tx: tx.unindexed(BATCH)):
        began = perf_counter()
        marked = _indexed(waiting)
        worked = perf_counter()
        await store.write(lambda tx, marked=marked: tx.index(marked))  # type: ignore[misc]
        writing.append(perf_counter() - worked)
        working += worked - began
        articles += len(waiting)
    size = (await store.query(_bytes) - before) / articles
    return {
        "working out, ms an article": round(1000 * working / articles, 2),
        "writing, ms an article": round(1000 * sum(writing) / articles, 2),
        "the longest of all writes, ms": round(1000 * max(writing), 1),
        "bytes an article": round(size),
    }


def _bytes(connection: sa.Connection) -> int:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        free = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
        return int(4096 * (pages - free))
    return int(
        connection.exec_driver_sql("SELECT pg_total_relation_size('article_mark')").scalar_one()
    )


async def searched(store: SqlStore) -> dict[str, dict[str, Any]]:
    """Of each search the first page: its time, how much is on it, and whether it came to an end."""
    search = SqlSearch(store)
    results: dict[str, dict[str, Any]] = {}
    for name, (query, filters) in SEARCHES.items():
        times = []
        for _ in range(5):
            began = perf_counter()
            page = await search.find(query, filters)
            times.append(1000 * (perf_counter() - began))
        results[name] = {
            "ms": round(min(times), 1),
            "first_ms": round(times[0], 1),
            "found": len(page.matches),
            "bounded": page.back_to is not None,
        }
    return results


async def measured(url: str, articles: int) -> dict[str, Any]:
    """An archive at this address, written, indexed and searched."""
    upgrade(url)
    async with SqlStore(url) as store:
        await asyncio.to_thread(write_archive, store, articles)
        cost = await indexed(store)
        if store.address.path is None:
            engine = _engine(store).execution_options(isolation_level="AUTOCOMMIT")
            with engine.connect() as it:
                it.exec_driver_sql("VACUUM ANALYZE article_mark")
        return {"index": cost, "searches": await searched(store)}


def shown(name: str, result: dict[str, Any]) -> None:
    """For people."""
    print(f"\n{name}")
    for what, value in result["index"].items():
        print(f"  {what:34} {value:>10,}")
    for what, each in result["searches"].items():
        bound = "  and further back" if each["bounded"] else ""
        print(f"  {what:34} {each['ms']:>8} ms  {each['found']:>3} found{bound}")


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--articles", "--limit", type=int, default=20_000)
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL, too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-search-") as folder:
        url = f"sqlite:///{Path(folder)}/monitor.db"
        results = {"sqlite": asyncio.run(measured(url, given.articles))}
    shown("SQLite", results["sqlite"])
    if given.postgres:
        from tests.postgres import find_binaries, running_postgres  # noqa: PLC0415 (not needed else)

        binaries = find_binaries()
        assert binaries is not None, "no PostgreSQL: install the development requirements"
        with running_postgres(binaries) as url:
            results["postgresql"] = asyncio.run(measured(url, given.articles))
        shown("PostgreSQL", results["postgresql"])
    slow = [
        f"{database}: {name}"
        for database, result in results.items()
        for name, each in result["searches"].items()
        if each["ms"] > TARGET
    ]
    print(f"\nA page may take {TARGET:.0f} ms: {', '.join(slow) or 'none takes longer'}.")
    print(json.dumps({"articles": given.articles, **results, "slow": slow}))


if __name__ == "__main__":
    main()
