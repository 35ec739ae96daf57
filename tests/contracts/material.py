"""Values that the contract tests put into a store, and short ways to put them there."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

from monitor.model import (
    Article,
    ArticleId,
    ArticleState,
    Entry,
    Feed,
    FeedSpec,
    FeedStatus,
    Hit,
    PendingArticle,
    Span,
    StoryId,
    Validators,
    Watch,
    bucket_of,
)
from monitor.ports import Added, FeedUpdate, FoundEntry, Transaction
from monitor.storage import SqlStore

NOW = datetime(2025, 5, 10, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
LEASE = timedelta(minutes=5)
HOST = "news.example"
BUCKET = bucket_of(HOST)
CEASEFIRE = Watch(name="Ceasefire", terms=("ceasefire", "truce"))
KASHMIR = Watch(name="Kashmir", terms=("Kashmir",), channel="#asia")
SPAN = Span(field="title", start=0, end=9, term="ceasefire")
HIT = Hit(watch="Ceasefire", spans=(SPAN,))


def spec(number: int = 1, host: str = HOST) -> FeedSpec:
    """A feed as declared."""
    return FeedSpec(
        url=f"https://{host}/feed/{number}",
        name=f"Feed {number}",
        publisher=f"Publisher {number}",
        side="india",
        language="en",
        tags=("wire", "asia"),
    )


def found(
    guid: str, url: str | None = None, *, host: str = HOST, text: str = "Words.", title: str = ""
) -> FoundEntry:
    """An entry of a feed; its article's URL follows from its guid unless given."""
    url = url or f"https://{host}/{guid}"
    entry = Entry(
        guid=guid,
        url=f"{url}?utm_source=rss",
        title=title or f"Title of {guid}",
        text=text,
        authors=("A. Reporter",),
        published_at=NOW - MINUTE,
        language="en",
    )
    return FoundEntry(entry=entry, url=url, host=host)


def content(url: str, text_hash: str | None = None, title: str = "ceasefire holds") -> Article:
    """An article as extracted."""
    return Article(
        url=url,
        title=title,
        body="The ceasefire holds.\n\nSo far.",
        source="page",
        authors=("A. Reporter", "बी. लेखक"),
        published_at=NOW - MINUTE,
        language="en",
        text_hash=text_hash,
    )


def polled(due_at: datetime | None, **changes: object) -> FeedUpdate:
    """A poll that went well."""
    values: dict[str, object] = {
        "status": FeedStatus.OK,
        "due_at": due_at,
        "polled_at": NOW,
        "failures": 0,
        "validators": Validators(etag='W/"1"', last_modified="Sat, 10 May 2025 11:00:00 GMT"),
        "body_hash": "aa",
    }
    return FeedUpdate(**(values | changes))  # type: ignore[arg-type]


async def given_feed(store: SqlStore, number: int = 1, host: str = HOST) -> Feed:
    """Declare and claim one feed (and no other)."""

    def work(transaction: Transaction) -> Feed:
        transaction.sync_feeds([spec(number, host)], NOW)
        [feed] = transaction.claim_feeds(bucket_of(host), NOW, LEASE, 10)
        return feed

    return await store.write(work)


async def given_entries(store: SqlStore, feed: Feed, *entries: FoundEntry) -> Added:
    """Add entries to a feed."""
    return await store.write(lambda transaction: transaction.add_entries(feed, entries, NOW))


async def given_articles(store: SqlStore, *guids: str, number: int = 1) -> list[PendingArticle]:
    """Claimed articles, one per guid, of one feed."""
    feed = await given_feed(store, number)
    await given_entries(store, feed, *map(found, guids))
    claimed = await store.write(
        lambda transaction: transaction.claim_articles(BUCKET, NOW, LEASE, 100)
    )
    return list(claimed)


def in_new_story(
    article: ArticleId, url: str, *hits: Hit, text_hash: str | None = None
) -> Callable[[Transaction], StoryId]:
    """Work that writes an article as the first of a new story."""

    def work(transaction: Transaction) -> StoryId:
        transaction.lock_stories()
        transaction.save_article(
            article, content(url, text_hash), state=ArticleState.DONE, now=NOW, due_at=None
        )
        story = transaction.new_story(NOW)
        transaction.put_in_story(article, story, copy_of=None)
        transaction.set_hits(article, hits, NOW)
        return story

    return work


async def given_story(store: SqlStore, guid: str = "a", number: int = 1) -> StoryId:
    """A story of one article with a hit, of the feed of this number."""
    await store.write(lambda transaction: transaction.sync_watches([CEASEFIRE, KASHMIR], NOW))
    [article] = await given_articles(store, guid, number=number)
    return await store.write(in_new_story(article.id, article.url, HIT))


@contextlib.asynccontextmanager
async def several(url: str, number: int) -> AsyncIterator[list[SqlStore]]:
    """Stores on one database, as several processes would have them."""
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(SqlStore(url)) for _ in range(number)]
