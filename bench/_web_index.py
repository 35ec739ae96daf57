"""The index of a whole archive, made by the product's own functions, in other processes at once.

The service indexes fifty articles at a time, beside its work. Here nobody waits: what articles are
looked up by is worked out in as many processes as there are processors, and some thousand articles
are written in one transaction. What is written is the same.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from itertools import islice
from typing import Final

import sqlalchemy as sa

from monitor.match import Document
from monitor.match.lookup import mark_of_feed, marks_of
from monitor.model import ArticleId
from monitor.pipeline.index import _indexed
from monitor.ports import Indexed, Unindexed
from monitor.storage import archive
from monitor.storage.address import read_address
from monitor.storage.engines import Engines, make_engines
from monitor.storage.indexing import LISTED_BY, NEXT, IndexWork

TOGETHER: Final = 500
"""Articles that a process is given."""

AT_ONCE: Final = 16
"""So many of these are written in one transaction."""

FEW: Final = 2_000
"""Articles for which no other process is begun."""

MARKS: Final = "ix_article_mark_marks"


def index_all(url: str, say: Callable[[str], None]) -> int:
    """Index what waits, the newest first; returns how many.

    On PostgreSQL the index over the marks is left out meanwhile, and made when all are there.
    """
    engines = make_engines(read_address(url))
    try:
        with engines.write.begin() as connection:
            waiting = [(row.article_id, row.wanted) for row in connection.execute(NEXT)]
        if not waiting:
            return 0
        began = time.perf_counter()
        remake = _let_go(engines) if len(waiting) > FEW else None
        done = 0
        for indexed in _batches(url, waiting):
            with engines.write.begin() as connection:
                IndexWork(connection).index(indexed)
            done += len(indexed)
            if done % (5 * AT_ONCE * TOGETHER) == 0:
                say(f"{done:,} articles indexed in {time.perf_counter() - began:.0f} s")
        if remake is not None:
            with engines.write.begin() as connection:
                connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '512MB'")
                connection.exec_driver_sql(remake)
        say(f"indexed: {done:,} articles in {time.perf_counter() - began:.0f} s")
        return done
    finally:
        engines.dispose()


def _let_go(engines: Engines) -> str | None:
    """Have the database write fast and unsafely; returns how to make the index again, if it must."""
    with engines.write.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA synchronous = OFF")
            connection.exec_driver_sql("PRAGMA cache_size = -400000")
            connection.exec_driver_sql("BEGIN")
            return None
    with engines.write.begin() as connection:
        named = sa.text("SELECT indexdef FROM pg_indexes WHERE indexname = :name")
        remake: str = connection.execute(named, {"name": MARKS}).scalar_one()
        connection.exec_driver_sql(f"DROP INDEX {MARKS}")
        return remake


def _batches(url: str, waiting: Sequence[tuple[int, int]]) -> Iterator[list[Indexed]]:
    parts = iter([waiting[at : at + TOGETHER] for at in range(0, len(waiting), TOGETHER)])
    if len(waiting) <= FEW:
        for part in parts:
            yield marks_of_some(url, part)
        return
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=spawning) as pool:

        def ask(many: int) -> list[Future[list[Indexed]]]:
            return [pool.submit(marks_of_some, url, part) for part in islice(parts, many)]

        ahead = ask(2 * AT_ONCE)
        try:
            while ahead:
                these, ahead = ahead[:AT_ONCE], ahead[AT_ONCE:]
                found = [each for future in these for each in future.result()]
                ahead += ask(AT_ONCE)
                yield found
        finally:
            pool.shutdown(cancel_futures=True)


def marks_of_some(url: str, waiting: Sequence[tuple[int, int]]) -> list[Indexed]:
    """What some articles can be looked up by; given are their ids, and how often it was wanted."""
    articles = [article for article, _ in waiting]
    with _reading(url).begin() as connection:
        of_articles = {"articles": articles}
        documents = {each.article: each.document for each in archive.some(connection, {}, articles)}
        feeds: dict[int, list[int]] = {}
        for row in connection.execute(LISTED_BY, of_articles):
            feeds.setdefault(row.article_id, []).append(row.feed_id)
    found = []
    for at, (article, wanted) in enumerate(waiting):
        one = Unindexed(
            article=ArticleId(article),
            wanted=wanted,
            document=documents.get(ArticleId(article)),
            feeds=tuple(feeds.get(article, ())),
        )
        marks = _marks(one)
        if at == 0 and [marks] != [each.marks for each in _indexed([one])]:
            raise AssertionError(f"article {article}: other marks than those of the product")
        found.append(Indexed(article=one.article, wanted=wanted, marks=marks))
    return found


def _marks(each: Unindexed) -> frozenset[str]:
    """The same as the product's: but each paragraph is looked at once, for they return."""
    if each.document is None:
        return frozenset()
    paragraphs = each.document.body.split("\n\n")
    return frozenset().union(
        marks_of(replace(each.document, body="")),
        map(mark_of_feed, each.feeds),
        *map(_of_paragraph, paragraphs),
    )


@functools.lru_cache(maxsize=20_000)
def _of_paragraph(text: str) -> frozenset[str]:
    return frozenset(marks_of(Document(title="", body=text)))


@functools.cache
def _reading(url: str) -> sa.Engine:
    return make_engines(read_address(url)).read
