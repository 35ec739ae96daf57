"""How fast a watch is tried on stored articles, as `monitor watches test` does it.

    python -m bench.backtest [--corpus FOLDER] [--limit N]

Writes a SQLite database of its own, of articles of about 5 KB: the corpus's English texts, the
short ones put together, each text once. Each query is tried in a process of its own that has read
no text before, so that no word is known from elsewhere. The database is included; one core does
the matching. By the clock, and by the CPU time that it took (on a machine that others use, too, the
first is theirs). The last line is one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import sqlalchemy as sa

from bench import options_of
from bench._watches import LENGTH, News, news
from monitor.match.backtest import Backtest
from monitor.model import Watch
from monitor.storage import SqlReports, SqlStore, tables, upgrade

NOW = datetime(2025, 5, 10, 12, tzinfo=UTC)
FEEDS = 30

QUERIES = {
    "one term": "ceasefire",
    "terms": 'ceasefire OR Kashmir OR "Operation Sindoor"',
    "boolean": '(missile OR drone OR airstrike*) AND (India OR Pakistan) NOT (cricket OR "box office")',
    "proximity": "(India OR Pakistan) NEAR/8 (ceasefire OR truce OR talks)",
    "fields": 'title:(war OR attack) AND lead:(killed OR injured) AND source:"Outlet 1*"',
    "everything": "the",
}


def articles(corpus: Path) -> Iterator[News]:
    """Headlines and bodies of about 5 KB."""
    long, texts = news(corpus)
    yield from long
    parts: list[str] = []
    size = 0
    for text in texts:
        parts.append(text)
        size += len(text)
        if size >= LENGTH:
            body = "\n\n".join(parts)
            yield News(body.partition("\n")[0], body[:LENGTH])
            parts, size = [], 0


def write(url: str, found: Sequence[News]) -> None:
    """A database of these articles, one a minute."""
    upgrade(url)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.insert(tables.feed), [_feed(number) for number in range(FEEDS)])
        rows = [_article(number, each) for number, each in enumerate(found, 1)]
        connection.execute(sa.insert(tables.story), [_story(row) for row in rows])
        connection.execute(sa.insert(tables.article), rows)
        connection.execute(sa.insert(tables.entry), [_entry(row) for row in rows])
    engine.dispose()


def _feed(number: int) -> dict[str, Any]:
    return {
        "id": number + 1,
        "url": f"https://outlet-{number}.example/feed",
        "name": f"Outlet {number} World",
        "publisher": f"Outlet {number}",
        "side": "one" if number % 2 else None,
        "tags": ("newspaper", "asia"),
        "declared": True,
        "host": f"outlet-{number}.example",
        "bucket": 0,
        "status": "ok",
        "failures": 0,
        "entries": 0,
        "created_at": NOW,
    }


def _article(number: int, each: News) -> dict[str, Any]:
    outlet = number % FEEDS
    seen = NOW - timedelta(minutes=number)
    return {
        "id": number,
        "url": f"https://outlet-{outlet}.example/{number}",
        "link": f"https://outlet-{outlet}.example/{number}?rss",
        "feed_id": outlet + 1,
        "host": f"outlet-{outlet}.example",
        "bucket": 0,
        "state": "done",
        "attempts": 1,
        "first_seen_at": seen,
        "ingested_at": seen,
        "published_at": seen,
        "language": "en",
        "source": "page",
        "story_id": number,
        "authors": ("A. Reporter",),
        "title": each.title,
        "body": each.body,
    }


def _story(article: dict[str, Any]) -> dict[str, Any]:
    return {"id": article["id"], "created_at": article["first_seen_at"]}


def _entry(article: dict[str, Any]) -> dict[str, Any]:
    return {
        "feed_id": article["feed_id"],
        "guid": str(article["id"]),
        "article_id": article["id"],
        "first_seen_at": article["first_seen_at"],
        "backlog": False,
        "authors": article["authors"],
        "title": article["title"],
        "text": article["body"][:300],
    }


def tried(url: str, query: str | None) -> dict[str, Any]:
    """One reading of the archive; without a query it is only read."""
    return asyncio.run(_tried(url, query))


async def _tried(url: str, query: str | None) -> dict[str, Any]:
    number = 0
    test = Backtest(Watch(name="bench", query=query)) if query else None
    async with SqlStore(url) as store:
        began, worked = perf_counter(), process_time()
        async for batch in SqlReports(store).archive(NOW - timedelta(days=3650)):
            number += len(batch)
            if test:
                test.read(batch)
        seconds, cpu = perf_counter() - began, process_time() - worked
    return {
        "hits": test.outcome().new.hits if test else None,
        "articles_per_second": round(number / seconds),
        "articles_per_cpu_second": round(number / cpu),
    }


def alone(function: Callable[..., dict[str, Any]], *args: Any) -> dict[str, Any]:
    """The result of a function in a new process: forked from one that has read nothing either."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bench._watches", "monitor.match.backtest", "monitor.storage"])
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, *args).result()


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--limit", type=int, help="articles, at most")
    options = parser.parse_args()
    found = list(articles(options.corpus))[: options.limit]
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/archive.db"
        write(url, found)
        reading = alone(tried, url, None)["articles_per_second"]
        rows = {name: alone(tried, url, query) for name, query in QUERIES.items()}
    size = sum(len(each.body) for each in found) // len(found)
    print(f"{len(found):,} articles of {size:,} characters; read alone: {reading:,} a second")
    for name, row in rows.items():
        print(
            f"{name:12}{row['hits']:7,} hits{row['articles_per_second']:9,} articles a second"
            f"{row['articles_per_cpu_second']:9,} a second of CPU"
        )
    slowest = min(row["articles_per_second"] for row in rows.values())
    result = {
        "bench": "backtest",
        "articles": len(found),
        "characters": size,
        "read_per_second": reading,
        "slowest_per_second": slowest,
        "rows": rows,
    }
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
