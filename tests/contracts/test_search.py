"""Full text over the archive finds what the live matcher finds: on SQLite and on PostgreSQL."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import random
import re
from collections.abc import Sequence
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
from monitor.storage.sizes import table_sizes
from tests.contracts.material import MINUTE, NOW
from tests.contracts.test_plans import SCANS, plans, recording
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
        real = snippets(request.getfixturevalue("corpus"), 70, chance)
    texts = documents(chance, 110, real)
    await given(store, texts)
    await index(store)
    queries = Queries(chance, [part for each in texts for part in (each.title, each.body)])
    asked = list(dict.fromkeys(queries.query() for _ in range(130)))
    matcher = compile_watches([Watch(name=query, query=query) for query in asked])
    expected: dict[str, list[tuple[int, Any]]] = {query: [] for query in asked}
    async for batch in SqlReports(store).archive(NOW):
        for each in batch:
            for hit in matcher.match(each.document):
                expected[hit.watch].append((int(each.article), hit.spans))
    assert sum(map(len, expected.values())) > 200
    for query in asked:
        page = await search.find(query, limit=1000)
        assert [(m.archived.article, m.spans) for m in page.matches] == expected[query], query


SPELLED = (
    # query, what of the texts it finds
    ("ceasefire", {"plain", "hyphen", "open", "plural", "shouted", "tag"}),
    ("cease-fire", {"plain", "hyphen", "open", "plural", "shouted", "tag"}),
    ("=ceasefire", {"plain", "tag"}),
    ('"cease fire holds"', {"open", "hyphen", "plain"}),
    ("title:ceasefire", {"plain"}),
    ("cease*", {"plain", "hyphen", "open", "plural", "shouted", "tag", "ceased"}),
    ("ceasefire AND NOT holds", {"plural", "shouted", "tag"}),
    ("हिंदी", {"hindi", "hindi in full"}),
    ("कश्मीर*", {"hindi"}),
    ("جنگ بندی", {"urdu"}),
    ("lang:ur", {"urdu"}),
    ("lang:hi", {"hindi", "hindi in full"}),
    ("cafe", {"accents"}),
    ("=café", {"accents"}),
    ("US", {"capitals"}),
    ("us", {"capitals", "pronoun"}),
    ("停火", {"chinese"}),
    ("停火*", {"chinese"}),
    ("author:Byron", {"accents"}),
    ("site:bbc.co.uk", {"plural"}),
    ('"hindi" OR "nowhere"', set()),
)
TEXTS = {
    "plain": text("A ceasefire", "The ceasefire holds."),
    "hyphen": text("", "A cease-fire holds."),
    "open": text("", "The cease fire holds."),
    "plural": text("", "Two ceasefires.", sites=("www.bbc.co.uk",)),
    "shouted": text("", "CEASEFIRE"),
    "tag": text("", "#ceasefire"),
    "ceased": text("", "They ceased."),
    "hindi": text("", "हिंदी में कश्मीर", language="hi"),
    "hindi in full": text("", "हिन्दी", language="hi"),
    "urdu": text("", "جنگ بندی پر اتفاق", language="ur"),
    "accents": text("", "the café", authors=("Ada Byron",)),
    "capitals": text("", "The US said so."),
    "pronoun": text("", "They told us so."),
    "chinese": text("", "双方同意停火协议", language="zh"),
}


async def test_it_is_the_same_word_as_in_live_matching(store: SqlStore, search: SqlSearch) -> None:
    """Spellings, scripts, accents, capitals, fields, wildcards, what is known beside the text."""
    names = dict(zip(await given(store, [*TEXTS.values()]), TEXTS, strict=True))
    await index(store)
    for query, expected in SPELLED:
        assert {names[number] for number in await found(search, query)} == expected, query


async def test_pages_go_back_in_time_and_stay_where_they_were(
    store: SqlStore, search: SqlSearch
) -> None:
    """The newest first, each once, whatever comes while somebody reads."""
    await given(store, [text("truce", "") for _ in range(25)])
    await index(store)
    first = await search.find("truce", limit=10)
    assert [match.archived.article for match in first.matches] == [*range(25, 15, -1)]
    await given(store, [text("truce", "") for _ in range(3)], first=26)
    second = await search.find("truce", cursor=first.cursor, limit=10)
    third = await search.find("truce", cursor=second.cursor, limit=10)
    assert [match.archived.article for match in second.matches] == [*range(15, 5, -1)]
    assert [match.archived.article for match in third.matches] == [*range(5, 0, -1)]
    assert third.cursor is None
    assert third.back_to is None


async def test_what_can_not_be_read_is_refused(search: SqlSearch) -> None:
    """A cursor in a sentence, a query as everywhere."""
    for cursor in ("x", "-1", "1.5", "", "9" * 40, "٣"):
        with pytest.raises(Refused, match="no place in a search"):
            await search.find("truce", cursor=cursor)
    for query in ("truce AND", '"', "NOT truce", "---", ""):
        with pytest.raises(QueryError):
            await search.find(query)


async def test_what_is_not_indexed_yet_is_found_if_it_is_new(
    store: SqlStore, search: SqlSearch
) -> None:
    """Some are read as they are; of the others it is said that they can't be found."""
    await given(store, [text("truce") for _ in range(READ_UNINDEXED + 3)])
    page = await search.find("truce", limit=1000)
    assert [match.archived.article for match in page.matches] == [*range(READ_UNINDEXED + 3, 3, -1)]
    assert page.unindexed == 3
    assert page.unindexed_at == NOW + 3 * MINUTE
    await index(store, batch=2)
    page = await search.find("truce", limit=1000)
    assert len(page.matches) == READ_UNINDEXED + 3
    assert (page.unindexed, page.unindexed_at) == (0, None)


async def test_a_page_takes_no_longer_than_it_may(store: SqlStore) -> None:
    """It says how far it came, and the next one goes on."""
    await given(store, [text("x" if number % 40 else "a foot") for number in range(1, 121)])
    await index(store)
    hasty = SqlSearch(store, patience=0)
    pages: list[Results] = []
    cursor: str | None = None
    while not pages or cursor is not None:
        pages.append(await hasty.find("fo?t", cursor=cursor, limit=20))
        cursor = pages[-1].cursor
    assert len(pages) > 2
    assert pages[0].back_to == NOW + int(pages[0].cursor or 0) * MINUTE
    ids = [match.archived.article for page in pages for match in page.matches]
    assert ids == [120, 80, 40]
    assert await found(hasty, "fo?t") == ids


async def test_what_is_read_again_is_found_by_its_new_words(
    store: SqlStore, search: SqlSearch
) -> None:
    """And by its former ones no more, whether it was indexed anew or not."""
    [number] = await given(store, [text("truce")])
    await index(store)
    with store._engines.write.begin() as connection:
        connection.execute(sa.update(t.article).values(title="treaty"))
        indexing.want_index(connection, number)
    for _ in range(2):
        assert await found(search, "treaty") == [number]
        assert await found(search, "truce") == []
        await index(store)


async def test_what_is_wanted_again_while_it_is_indexed_stays_wanted(store: SqlStore) -> None:
    """Its text was read before the change."""
    [number] = await given(store, [text("truce")])
    waiting = await store.read(lambda tx: tx.unindexed(10))
    with store._engines.write.begin() as connection:
        indexing.want_index(connection, number)
    await store.write(lambda tx: tx.index(_indexed(waiting)))
    [again] = await store.read(lambda tx: tx.unindexed(10))
    assert (again.article, again.wanted) == (number, 2)


async def test_what_is_deleted_is_not_found(store: SqlStore, search: SqlSearch) -> None:
    """Indexed or waiting for it; and what waits and is gone is passed over."""
    await given(store, [text("truce") for _ in range(4)])
    await index(store)
    await given(store, [text("truce") for _ in range(2)], first=5)
    gone = [ArticleId(1), ArticleId(5)]
    with store._engines.write.begin() as connection:
        for table in (t.entry, t.article):
            column = t.entry.c.article_id if table is t.entry else t.article.c.id
            connection.execute(sa.delete(table).where(column.in_([*gone, 6])))
    await store.write(lambda tx: indexing.forget_indexed(tx.connection, gone))
    assert await found(search, "truce") == [4, 3, 2]
    assert [each.article for each in await store.read(lambda tx: tx.unindexed(10))] == [6]
    await index(store)
    assert await found(search, "truce") == [4, 3, 2]


async def test_filters_are_kept_to(store: SqlStore, search: SqlSearch) -> None:
    """Time, publisher, side, language and watch; alone and beside a query."""
    await given(store, [text("truce", language="pt-BR"), text("truce", language="en")], listed=[1])
    await given(store, [text("truce", language="pt")], first=3, listed=[2, 3])
    await given(store, [text("treaty")], first=4, listed=[4])
    with store._engines.write.begin() as connection:
        connection.execute(
            sa.insert(t.watch),
            {"id": 7, "name": "W", "terms": (), "declared": True, "created_at": NOW},
        )
        connection.execute(
            sa.insert(t.hit),
            [
                {"article_id": number, "watch_id": 7, "spans": (), "matched_at": NOW}
                for number in (1, 4)
            ],
        )
    await index(store)
    at = NOW + 2 * MINUTE
    for filters, expected in (
        (Filters(since=at), [4, 3, 2]),
        (Filters(until=at), [1]),
        (Filters(since=at, until=at + MINUTE), [2]),
        (Filters(since=NOW + timedelta(days=9)), []),
        (Filters(until=NOW - timedelta(days=9)), []),
        (Filters(publisher="The Hindu"), [3]),
        (Filters(publisher="Hindu"), []),
        (Filters(side="pakistan"), [2, 1]),
        (Filters(language="pt"), [3, 1]),
        (Filters(language="PT_br"), [1]),
        (Filters(watch="W"), [4, 1]),
        (Filters(watch="none"), []),
        (Filters(watch="W", language="pt"), [1]),
    ):
        assert await found(search, None, filters) == expected, filters
        of_query = [number for number in expected if number != 4]
        assert await found(search, "truce", filters) == of_query, filters


async def test_who_misspelt_a_word_is_told_which(store: SqlStore, search: SqlSearch) -> None:
    """If nothing was found: of several terms those that stand nowhere, and not what is forbidden."""
    await given(store, [text("The truce in Kashmir")])
    await index(store)
    for query, nowhere in (
        ("trucee Kashmir", ("trucee",)),
        ('trucee NEAR/3 "line of control" NOT cricket', ("trucee", "line of control")),
        ("title:Kashmir nowhere*", ("nowhere*",)),
        ("truce NEAR/0 Kashmir", ()),
        ("trucee", ()),
        ("truce", ()),
    ):
        page = await search.find(query)
        assert (page.nowhere, bool(page.matches)) == (nowhere, query == "truce"), query
    assert (await search.find("trucee Kashmir", Filters(until=NOW))).nowhere == ()


async def test_a_feed_is_asked_for_as_it_is_called_now(store: SqlStore, search: SqlSearch) -> None:
    """Its name, side and tags are no part of the index."""
    await given(store, [text("truce"), text("truce")], listed=[1])
    await given(store, [text("truce")], first=3, listed=[2])
    await index(store)
    assert await found(search, "source:Dawn") == [2, 1]
    with store._engines.write.begin() as connection:
        connection.execute(sa.update(t.feed).where(t.feed.c.id == 2).values(name="Dawn Urdu"))
        connection.execute(sa.update(t.feed).where(t.feed.c.id == 1).values(tags=("new",)))
    assert await found(search, "source:Dawn") == [3, 2, 1]
    assert await found(search, "truce tag:new") == [2, 1]


async def test_another_version_of_the_marks_indexes_everything_anew(
    store: SqlStore, search: SqlSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once; as the archive of before there was an index is indexed."""
    await given(store, [text("truce") for _ in range(3)])
    await index(store)
    assert await store.write(lambda tx: tx.renew_index())  # no version is known yet
    await index(store)
    assert not await store.write(lambda tx: tx.renew_index())
    monkeypatch.setattr(lookup, "VERSION", lookup.VERSION + 1)
    assert await store.write(lambda tx: tx.renew_index())
    assert [each.article for each in await store.read(lambda tx: tx.unindexed(9))] == [3, 2, 1]
    assert not await store.write(lambda tx: tx.renew_index())
    await index(store)
    assert await found(search, "truce") == [3, 2, 1]


async def test_a_part_of_the_index_that_leads_nowhere_is_dropped(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite, where nothing can be taken out of it; what is left there is indexed anew."""
    if store.address.path is None:
        pytest.skip("on PostgreSQL what is deleted is gone")
    monkeypatch.setattr(indexing, "VOLUME", 8)
    search = SqlSearch(store, patience=PATIENT)
    await store.write(lambda tx: tx.renew_index())
    await given(store, [text("truce") for _ in range(20)])
    await index(store)
    assert await found(search, "truce") == [*range(20, 0, -1)]
    gone = [ArticleId(number) for number in range(1, 8)] + [ArticleId(9)]
    with store._engines.write.begin() as connection:
        connection.execute(sa.delete(t.entry).where(t.entry.c.article_id.in_(gone)))
        connection.execute(sa.delete(t.article).where(t.article.c.id.in_(gone)))
    await store.write(lambda tx: indexing.forget_indexed(tx.connection, gone))
    assert await store.write(lambda tx: tx.renew_index())
    assert not await store.write(lambda tx: tx.renew_index())
    with store._engines.read.connect() as connection:
        assert connection.execute(indexing.VOLUMES).scalars().all() == [2, 1]
    assert await found(search, "truce") == [*range(20, 9, -1), 8]
    await index(store)
    assert await found(search, "truce") == [*range(20, 9, -1), 8]


async def test_the_index_is_one_table_to_who_asks_how_large_it_is(store: SqlStore) -> None:
    """FTS5's can't be counted, and are several."""
    await given(store, [text("truce") for _ in range(3)])
    await index(store)
    await store.write(lambda tx: indexing.forget_indexed(tx.connection, [ArticleId(2)]))
    sizes = await store.query(table_sizes)
    assert sizes["article_mark"].rows == 2
    assert (sizes["article_mark"].bytes or 9_000) > 8_000
    assert not [name for name in sizes if name.startswith(indexing.VOLUME_NAME)]


async def test_no_search_reads_the_archive_from_end_to_end(store: SqlStore) -> None:
    """What is looked up is found by an index, on either database."""
    await given(store, [text("truce", language="en") for _ in range(5)])
    await index(store)
    search = SqlSearch(store, patience=PATIENT)
    with recording(store._engines.read) as statements:
        for query in ("truce OR tre*", "source:Dawn", "lang:en title:truce", None):
            for filters in (
                EVERYTHING,
                Filters(since=NOW, until=NOW + timedelta(days=1)),
                Filters(watch="W", publisher="Dawn"),
            ):
                await search.find(query, filters)
    explained = plans(store, statements)
    assert {text: plan for text, plan in explained.items() if SCANS.search(plan)} == {}
    assert any(
        re.search("VIRTUAL TABLE INDEX|ix_article_mark_marks", plan) for plan in explained.values()
    )


def test_the_marks_are_those_of_this_version() -> None:
    """Whoever changes them, or the keys of words, has every archive indexed anew: `VERSION`."""
    marks = set(itertools.chain.from_iterable(lookup.marks_of(each) for each in TEXTS.values()))
    digest = hashlib.sha256("\n".join(sorted(marks)).encode()).hexdigest()[:12]
    assert (lookup.VERSION, digest) == (1, "7dd5d770610f")
