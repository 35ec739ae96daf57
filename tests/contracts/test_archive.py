"""The archive and the stored watches, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from monitor.match import Document
from monitor.match.backtest import Archived
from monitor.model import ArticleId, ArticleState, Hit, Watch
from monitor.ports import Transaction, WatchRow
from monitor.storage import SqlReports, SqlStore, tables
from tests.contracts.material import (
    BUCKET,
    CEASEFIRE,
    HIT,
    KASHMIR,
    LEASE,
    MINUTE,
    NOW,
    SPAN,
    content,
    found,
    given_articles,
    given_entries,
    given_feed,
    given_story,
    in_new_story,
    spec,
)

LONG_AGO = NOW - timedelta(days=365)
QUERY = Watch(
    name="Indus",
    query="Indus NEAR/5 (treaty OR संधि)\nNOT cricket",
    variants=(("treaty", ("معاہدہ", "pact")), ("Indus", ())),
    channel="#water",
)


@pytest.fixture
def reports(store: SqlStore) -> SqlReports:
    """The read side of the store."""
    return SqlReports(store)


async def all_of(reports: SqlReports, since: datetime = LONG_AGO, **options: object) -> list[str]:
    """The archive's articles by the last part of their URL."""
    urls = []
    async for batch in reports.archive(since, **options):  # type: ignore[arg-type]
        urls += [each.url.rpartition("/")[2] for each in batch if each.url]
    return urls


async def given_archive(store: SqlStore, **first_seen: int) -> dict[str, ArticleId]:
    """Matched articles by guid, each first seen so many minutes after NOW."""
    ids = {}
    for article in await given_articles(store, *first_seen):
        guid = article.url.rpartition("/")[2]
        ids[guid] = article.id
        await store.write(in_new_story(article.id, article.url))
    with store._engines.write.begin() as connection:
        for guid, minutes in first_seen.items():
            at = NOW + minutes * MINUTE
            statement = sa.update(tables.article).where(tables.article.c.id == ids[guid])
            connection.execute(statement.values(first_seen_at=at))
    return ids


# --------------------------------------------------------------------------- the archive


async def test_an_archived_article_is_what_was_matched(
    store: SqlStore, reports: SqlReports
) -> None:
    """With everything that a query may ask of it: every feed and publisher, tag, side, host."""
    story = await given_story(store)
    other = dataclasses.replace(
        spec(2), name="Paper", publisher="Publisher 1", side=None, tags=("asia", "paper")
    )
    await store.write(lambda t: t.sync_feeds([other], NOW))
    [second] = await store.write(lambda t: t.claim_feeds(BUCKET, NOW, LEASE, 10))
    await given_entries(store, second, found("other", "https://news.example/a"))
    [[article]] = [batch async for batch in reports.archive(LONG_AGO)]

    assert article == Archived(
        article=article.article,
        story=story,
        url="https://news.example/a",
        document=Document(
            title="ceasefire holds",
            body="The ceasefire holds.\n\nSo far.",
            language="en",
            sources=("Publisher 1", "Feed 1", "Paper"),
            sites=("news.example",),
            tags=("wire", "asia", "paper"),
            sides=("india",),
            authors=("A. Reporter", "बी. लेखक"),
        ),
        published_at=NOW - MINUTE,
        first_seen_at=NOW,
        backlog=True,
    )
    assert await reports.archived(article.article) == article


async def test_an_article_is_backlog_only_while_every_feed_had_it_from_the_start(
    store: SqlStore, reports: SqlReports
) -> None:
    """One feed that brought it as news is enough; the same feed again does not count twice."""
    feed = await given_feed(store)
    late = dataclasses.replace(feed, ok_at=NOW)
    await given_entries(store, feed, found("a"), found("b"))
    await given_entries(store, late, found("a2", "https://news.example/a"), found("c"))
    await given_entries(store, feed, found("c2", "https://news.example/c"))
    for article in await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10)):
        await store.write(in_new_story(article.id, article.url))

    [batch] = [batch async for batch in reports.archive(LONG_AGO)]
    seen = {each.url: (each.backlog, each.document.sources) for each in batch}
    assert seen == {
        "https://news.example/a": (False, ("Publisher 1", "Feed 1")),
        "https://news.example/b": (True, ("Publisher 1", "Feed 1")),
        "https://news.example/c": (False, ("Publisher 1", "Feed 1")),
    }


async def test_the_site_is_where_the_article_was_found(
    store: SqlStore, reports: SqlReports
) -> None:
    """Wherever its feed led; an entry without a link has no URL to show, and no site."""
    feed = await given_feed(store)
    linkless = found("x", "urn:monitor:1")
    linkless = dataclasses.replace(linkless, entry=dataclasses.replace(linkless.entry, url=None))
    await given_entries(store, feed, found("a"), linkless)
    for article in await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10)):
        url = "urn:monitor:1" if article.link is None else "https://paper.example:8443/a"
        await store.write(in_new_story(article.id, url))

    [batch] = [batch async for batch in reports.archive(LONG_AGO)]
    assert {each.url: each.document.sites for each in batch} == {
        "https://paper.example:8443/a": ("paper.example",),
        None: (),
    }


async def test_the_archive_comes_newest_first_whatever_the_batch(
    store: SqlStore, reports: SqlReports
) -> None:
    """Every article once, also where a batch ends between two of the same moment."""
    await given_archive(store, a=3, b=1, c=3, d=3, e=2)
    whole = await all_of(reports)
    assert whole[:3] == ["d", "c", "a"]
    assert whole[3:] == ["e", "b"]
    for batch in range(1, 7):
        assert await all_of(reports, batch=batch) == whole


async def test_the_archive_is_bounded_on_both_sides(store: SqlStore, reports: SqlReports) -> None:
    """From `since` on, and up to but without `before`; and it can be counted."""
    await given_archive(store, a=0, b=1, c=2)
    assert await all_of(reports, NOW + MINUTE) == ["c", "b"]
    assert await all_of(reports, before=NOW + 2 * MINUTE) == ["b", "a"]
    assert await all_of(reports, NOW + MINUTE, before=NOW + MINUTE) == []
    assert [await reports.archive_size(NOW + minutes * MINUTE) for minutes in range(4)] == [
        3,
        2,
        1,
        0,
    ]


async def test_what_was_never_matched_is_not_in_the_archive(
    store: SqlStore, reports: SqlReports
) -> None:
    """It waits for its page. What has a headline only was matched, and is."""
    first, second, third = await given_articles(store, "a", "b", "c")

    def save(transaction: Transaction, article: ArticleId, state: ArticleState, url: str) -> None:
        text = dataclasses.replace(content(url), body="")
        transaction.save_article(article, text, state=state, now=NOW, due_at=None)

    await store.write(lambda t: save(t, first.id, ArticleState.FAILED, first.url))
    await store.write(lambda t: save(t, second.id, ArticleState.PARTIAL, second.url))
    assert await all_of(reports) == ["b", "a"]
    assert await reports.archive_size(LONG_AGO) == 2

    waiting = await reports.archived(third.id)
    assert waiting is not None
    assert (waiting.document.title, waiting.document.body, waiting.story) == ("", "", None)
    assert waiting.document.sources == ("Publisher 1", "Feed 1")


async def test_an_article_that_comes_or_goes_meanwhile_moves_no_other(
    store: SqlStore, reports: SqlReports
) -> None:
    """A year's backtest runs beside the service."""
    ids = await given_archive(store, a=0, b=1, c=2, d=3)
    urls = []
    async for batch in reports.archive(LONG_AGO, batch=2):
        urls += [each.url.rpartition("/")[2] for each in batch if each.url]
        if len(urls) == 2:
            await store.write(lambda t: t.merge_article(ids["d"], ids["c"]))
            await store.write(lambda t: t.merge_article(ids["b"], ids["a"]))
            await given_entries(store, await given_feed(store, 2), found("e"))
    assert urls == ["d", "c", "a"]


async def test_an_empty_archive_is_no_batch(reports: SqlReports) -> None:
    """Not one empty batch either."""
    assert [batch async for batch in reports.archive(LONG_AGO)] == []
    assert await reports.archive_size(LONG_AGO) == 0
    assert await reports.archived(ArticleId(1)) is None


# --------------------------------------------------------------------------- watches


async def test_watches_are_stored_whole(store: SqlStore, reports: SqlReports) -> None:
    """Terms, query, spellings, channel: what the service ran last can be compared with an edit."""
    watches = [KASHMIR, QUERY, CEASEFIRE]
    await store.write(lambda t: t.sync_watches(watches, NOW))
    stored = [row.watch for row in await reports.watches(NOW)]
    assert stored == [CEASEFIRE, QUERY, KASHMIR]  # by name


async def test_an_edit_of_query_or_spellings_is_stored(
    store: SqlStore, reports: SqlReports
) -> None:
    """A query becomes terms and the other way round; a watch that is gone is not listed."""
    await store.write(lambda t: t.sync_watches([QUERY, KASHMIR], NOW))
    for changed in (
        dataclasses.replace(QUERY, query="Indus"),
        dataclasses.replace(QUERY, variants=()),
        dataclasses.replace(QUERY, query=None, terms=("Indus",)),
        QUERY,
    ):
        await store.write(lambda t, watch=changed: t.sync_watches([watch], NOW))  # type: ignore[misc]
        assert await reports.watches(NOW) == [WatchRow(watch=changed, hits=0)]


async def test_hits_of_a_watch_are_counted_since_a_moment(
    store: SqlStore, reports: SqlReports
) -> None:
    """By when they were found."""
    await store.write(lambda t: t.sync_watches([CEASEFIRE, KASHMIR], NOW))
    articles = await given_articles(store, "a", "b", "c")
    for minutes, article in enumerate(articles):
        at = NOW + minutes * MINUTE
        hits = [HIT] if minutes else [HIT, Hit(watch="Kashmir", spans=(SPAN,))]
        await store.write(in_new_story(article.id, article.url))
        await store.write(lambda t, id=article.id, hits=hits, at=at: t.set_hits(id, hits, at))  # type: ignore[misc]  # noqa: A006

    async def counts(minutes: int) -> list[int]:
        return [row.hits for row in await reports.watches(NOW + minutes * MINUTE)]

    assert await counts(0) == [3, 1]
    assert await counts(1) == [2, 0]
    assert await counts(3) == [0, 0]
