"""Full text over the archive finds what the live matcher finds: on SQLite and on PostgreSQL."""

from __future__ import annotations

import contextlib
import itertools
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from monitor.errors import QueryError, Refused
from monitor.match import Document, compile_watches, lookup
from monitor.model import ArticleId, ArticleState, Watch, bucket_of
from monitor.pipeline.index import _indexed
from monitor.ports import EVERYTHING, Filters, Results
from monitor.storage import SqlReports, SqlStore, indexing
from monitor.storage import tables as t
from monitor.storage.search import READ_UNINDEXED, SqlSearch
from tests.contracts.material import MINUTE, NOW
from tests.contracts.test_plans import recording
from tests.match.queries import Queries, documents, snippets

FEEDS = (
    # publisher, name, side, tags
    ("Dawn", "Dawn Latest", "pakistan", ("wire", "world")),
    ("The Hindu", "The Hindu", "india", ("world",)),
    ("Times of India", "TOI Opinion", "india", ("opinion",)),
    ("Reuters", "Reuters World", None, ()),
)
PATIENT = 1e9


async def given(
    store: SqlStore, texts: Sequence[Document], *, first: int = 1, listed: Any = None
) -> list[int]:
    """These texts as matched articles of the archive, a minute apart; returns their ids."""
    chance = random.Random(5)
    host = "a.example"
    ids = list(range(first, first + len(texts)))
    with store._engines.write.begin() as connection:
        known = connection.execute(sa.select(t.feed.c.id)).scalars().all()
        if not known:
            connection.execute(sa.insert(t.feed), [_feed(*each) for each in FEEDS])
            known = connection.execute(sa.select(t.feed.c.id)).scalars().all()
        articles, entries = [], []
        for number, text in zip(ids, texts, strict=True):
            at = NOW + number * MINUTE
            site = text.sites[0] if text.sites else host
            articles.append(
                {
                    "id": number,
                    "url": f"https://{site}/{number}",
                    "link": f"https://{site}/{number}",
                    "feed_id": known[0],
                    "host": site,
                    "bucket": bucket_of(site),
                    "state": ArticleState.DONE,
                    "attempts": 1,
                    "first_seen_at": at,
                    "ingested_at": at,
                    "language": text.language,
                    "authors": text.authors,
                    "title": text.title,
                    "body": text.body,
                }
            )
            by = listed or chance.sample(known, chance.choice((1, 1, 2)))
            entries += [_entry(feed, number, at) for feed in by]
        connection.execute(sa.insert(t.article), articles)
        connection.execute(sa.insert(t.entry), entries)
        connection.execute(
            sa.insert(t.unindexed), [{"article_id": number, "wanted": 1} for number in ids]
        )
    return ids


def _feed(publisher: str, name: str, side: str | None, tags: tuple[str, ...]) -> dict[str, Any]:
    return {
        "url": f"https://{name}.example/feed",
        "name": name,
        "publisher": publisher,
        "side": side,
        "tags": tags,
        "declared": True,
        "host": "a.example",
        "bucket": 1,
        "status": "ok",
        "failures": 0,
        "entries": 0,
        "created_at": NOW,
    }


def _entry(feed: int, number: int, at: datetime) -> dict[str, Any]:
    return {
        "feed_id": feed,
        "guid": f"{feed}-{number}",
        "article_id": number,
        "first_seen_at": at,
        "backlog": False,
        "authors": (),
        "title": "",
        "text": "",
    }


async def index(store: SqlStore, batch: int = 200) -> None:
    """Have everything indexed that waits for it."""
    while waiting := await store.read(lambda tx: tx.unindexed(batch)):
        marked = _indexed(waiting)
        await store.write(lambda tx, marked=marked: tx.index(marked))  # type: ignore[misc]


async def found(
    search: SqlSearch, query: str | None, filters: Filters = EVERYTHING, *, limit: int = 1000
) -> list[int]:
    """Ids of all that a search finds, page by page."""
    return [
        int(match.archived.article)
        async for page in search.walk(query, filters, limit=limit)
        for match in page
    ]


@pytest.fixture
def search(store: SqlStore) -> SqlSearch:
    """Over the store, in no hurry."""
    return SqlSearch(store, patience=PATIENT)


def text(title: str = "", body: str = "", **other: Any) -> Document:
    """A text to be found."""
    return Document(title=title, body=body, **other)


async def test_search_finds_exactly_what_live_matching_finds(
    store: SqlStore, search: SqlSearch, request: pytest.FixtureRequest
) -> None:
    """Random queries over random texts in many scripts, real ones among them."""
    chance = random.Random(11)
    real: list[tuple[str, str]] = []
    with contextlib.suppress(pytest.skip.Exception):  # without the corpus all are made up
        real = snippets(request.getfixturevalue("corpus"), 100, chance)
    texts = documents(chance, 150, real)
    await given(store, texts)
    await index(store)
    queries = Queries(chance, [part for each in texts for part in (each.title, each.body)])
    asked = list(dict.fromkeys(queries.query() for _ in range(220)))
    matcher = compile_watches([Watch(name=query, query=query) for query in asked])
    expected: dict[str, list[tuple[int, Any]]] = {query: [] for query in asked}
    async for batch in SqlReports(store).archive(NOW):
        for each in batch:
            for hit in matcher.match(each.document):
                expected[hit.watch].append((int(each.article), hit.spans))
    assert sum(map(len, expected.values())) > 500
    for query in asked:
        page = await search.find(query, limit=1000)
        assert [(m.archived.article, m.spans) for m in page.matches] == expected[query], query
