"""What the page and the command line read, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import pytest

from alerts import Card
from monitor.model import (
    ArticleState,
    DeliveryState,
    Feed,
    FeedStatus,
    Health,
    Hit,
    Sent,
    Span,
    StoryId,
    Validators,
)
from monitor.ports import Counts, FeedUpdate, Transaction
from monitor.storage import SqlReports, SqlStore
from tests.contracts.material import (
    BUCKET,
    CEASEFIRE,
    HIT,
    KASHMIR,
    LEASE,
    MINUTE,
    NOW,
    SECOND,
    content,
    found,
    given_articles,
    given_entries,
    given_feed,
    given_story,
    in_new_story,
    polled,
    spec,
)

URL = "https://news.example/a"
KASHMIR_HIT = Hit(watch="Kashmir", spans=(Span(field="body", start=0, end=7, term="Kashmir"),))


@pytest.fixture
def reports(store: SqlStore) -> SqlReports:
    """The read side of the store."""
    return SqlReports(store)


async def deliver(
    store: SqlStore, story: StoryId, channel: str, state: DeliveryState, *, minutes: int = 0
) -> None:
    """A delivery of the story, made this many minutes from now, that ended in a state."""
    at = NOW + minutes * MINUTE

    def work(transaction: Transaction) -> None:
        transaction.want_delivery(story, channel, at)
        if state is DeliveryState.PENDING:
            return
        delivery = transaction.claim_due(channel, at, LEASE)
        assert delivery is not None
        if state is DeliveryState.SENDING:
            return
        is_sent = state is DeliveryState.SENT
        transaction.finish_delivery(
            delivery.id,
            state,
            at + SECOND,
            sent=Sent(channel="C1", ref="1.0") if is_sent else None,
            due_at=at + MINUTE if state is DeliveryState.RETRY else None,
            error=None if is_sent else "channel_not_found",
        )

    await store.write(work)


async def test_an_empty_database_has_nothing_of_everything(reports: SqlReports) -> None:
    """The page works before the first poll."""
    assert await reports.counts(NOW) == Counts(
        feeds={},
        entries=0,
        articles={},
        stories=0,
        hits=0,
        deliveries={},
        oldest_waiting_at=None,
        due_feeds=0,
        last_poll_at=None,
    )
    assert await reports.catalogue.hits(10) == []
    assert await reports.feeds() == []
    assert not await reports.deliveries(10)
    assert await reports.trace(URL) is None


async def test_what_was_found_and_was_no_news_is_counted_for_a_day(
    store: SqlStore, reports: SqlReports
) -> None:
    """Old, or in its feed from the start: a hit, and nobody is to be told."""
    story = await given_story(store)
    assert (await reports.counts(NOW + MINUTE)).not_told == 1
    assert (await reports.counts(NOW + 25 * 60 * MINUTE)).not_told == 0
    await store.write(lambda t: t.want_delivery(story, "#newsdesk", NOW))
    assert (await reports.counts(NOW + MINUTE)).not_told == 0


async def test_everything_is_counted_by_state(store: SqlStore, reports: SqlReports) -> None:
    """Of feeds the declared ones, of waiting deliveries the oldest that was never shown."""
    story = await given_story(store)
    feed = await given_feed(store, 2)
    await given_entries(store, feed, found("a", URL), found("b"))
    await store.write(lambda t: t.save_feeds({feed.id: polled(NOW + MINUTE)}))
    await store.write(lambda t: t.sync_feeds([spec(2), spec(3)], NOW))
    for minutes, state in enumerate(
        (
            DeliveryState.SENT,
            DeliveryState.DEAD,
            DeliveryState.RETRY,
            DeliveryState.PENDING,
            DeliveryState.PENDING,
        )
    ):
        await deliver(store, story, f"#{minutes}", state, minutes=minutes)

    assert await reports.counts(NOW) == Counts(
        feeds={Health.LIVE: 1, Health.NEW: 1},
        entries=3,
        articles={ArticleState.DONE: 1, ArticleState.NEW: 1},
        stories=1,
        hits=1,
        deliveries={
            DeliveryState.SENT: 1,
            DeliveryState.DEAD: 1,
            DeliveryState.RETRY: 1,
            DeliveryState.PENDING: 2,
        },
        oldest_waiting_at=NOW + 2 * MINUTE,
        due_feeds=1,
        last_poll_at=NOW,
    )
    assert (await reports.counts(NOW + MINUTE)).due_feeds == 2


async def test_the_newest_hits_come_first_and_whole(store: SqlStore, reports: SqlReports) -> None:
    """With the text, and who had it first."""
    story = await given_story(store)
    second = await given_feed(store, 2)
    await given_entries(store, second, found("again", URL), found("copy"))
    [copy] = await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10))

    def join(transaction: Transaction) -> None:
        transaction.save_article(
            copy.id, content(copy.url), state=ArticleState.DONE, now=NOW, due_at=None
        )
        transaction.put_in_story(copy.id, story, copy_of=None)
        transaction.set_hits(copy.id, [KASHMIR_HIT], NOW + MINUTE)

    await store.write(join)

    newest, oldest = await reports.catalogue.hits(10)
    assert oldest.url == URL
    assert oldest.title == "ceasefire holds"
    assert oldest.body == "The ceasefire holds.\n\nSo far."
    assert oldest.publisher == "Publisher 1"
    assert oldest.language == "en"
    assert oldest.hit == HIT
    assert (oldest.published_at, oldest.first_seen_at) == (NOW - MINUTE, NOW)
    assert oldest.matched_at == NOW
    assert oldest.story == story
    assert (newest.publisher, newest.hit) == ("Publisher 2", KASHMIR_HIT)
    assert newest.matched_at == NOW + MINUTE
    assert await reports.catalogue.hits(1) == [newest]


async def test_a_hit_of_an_old_article_does_not_become_new_by_matching_again(
    store: SqlStore, reports: SqlReports
) -> None:
    """The page's full text arrives later than the feed's; the time of the match stays."""
    await store.write(lambda t: t.sync_watches([CEASEFIRE, KASHMIR], NOW))
    first, second = await given_articles(store, "a", "b")
    for article in (first, second):
        await store.write(in_new_story(article.id, article.url, HIT))
    await store.write(lambda t: t.set_hits(first.id, [HIT, KASHMIR_HIT], NOW + MINUTE))

    rows = await reports.catalogue.hits(10)
    assert [(row.article, row.hit.watch) for row in rows] == [
        (first.id, "Kashmir"),
        (second.id, "Ceasefire"),
        (first.id, "Ceasefire"),
    ]
    assert rows[2].matched_at == NOW


async def test_feeds_in_trouble_come_first_then_by_name(
    store: SqlStore, reports: SqlReports
) -> None:
    """With the last time all was well, and what is wrong now."""
    specs = [dataclasses.replace(spec(number), name=name) for number, name in enumerate("bAc")]
    await store.write(lambda t: t.sync_feeds(specs, NOW))
    feeds = {
        feed.spec.name: feed
        for feed in await store.write(lambda t: t.claim_feeds(BUCKET, NOW, LEASE, 10))
    }
    await given_entries(store, feeds["c"], found("a"), found("b"))
    await store.write(lambda t: t.save_feeds({feeds["c"].id: polled(NOW + MINUTE)}))
    failed = FeedUpdate(
        status=FeedStatus.FAILING,
        due_at=NOW + LEASE,
        polled_at=NOW + MINUTE,
        failures=1,
        validators=Validators(),
        body_hash=None,
        error_code="server_error",
        error_detail="503 Service Unavailable",
    )
    await store.write(lambda t: t.save_feeds({feeds["c"].id: failed}))

    rows = await reports.feeds()
    assert [row.spec.name for row in rows] == ["c", "A", "b"]
    trouble = rows[0]
    assert trouble.spec == specs[2]
    assert trouble.status is FeedStatus.FAILING
    assert (trouble.polled_at, trouble.ok_at) == (NOW + MINUTE, NOW)
    assert trouble.due_at == NOW + LEASE
    assert trouble.failures == 1
    assert trouble.error == "server_error: 503 Service Unavailable"
    assert trouble.entries == 2
    assert trouble.newest_at == NOW - MINUTE
    assert rows[1].error is None


async def test_the_newest_entry_is_the_newest_that_is_not_in_the_future(
    store: SqlStore, reports: SqlReports
) -> None:
    """A feed that dates an item in 2099 still shows when it fell silent."""
    feed = await given_feed(store)

    async def newest_after(feed: Feed, guid: str, age: timedelta | None) -> object:
        each = found(guid)
        date = None if age is None else NOW - age
        entry = dataclasses.replace(each.entry, published_at=date)
        await given_entries(store, feed, dataclasses.replace(each, entry=entry))
        [row] = await reports.feeds()
        return row.newest_at

    assert await newest_after(feed, "undated", None) is None
    assert await newest_after(feed, "old", 2 * MINUTE) == NOW - 2 * MINUTE
    assert await newest_after(feed, "new", MINUTE) == NOW - MINUTE
    assert await newest_after(feed, "older", 3 * MINUTE) == NOW - MINUTE
    assert await newest_after(feed, "undated too", None) == NOW - MINUTE
    assert await newest_after(feed, "future", -timedelta(days=9999)) == NOW - MINUTE


async def test_deliveries_that_wait_or_failed_come_first(
    store: SqlStore, reports: SqlReports
) -> None:
    """Then the sent ones; the newest first in each part, up to the limit in all."""
    story = await given_story(store)
    states = [
        DeliveryState.SENT,
        DeliveryState.DEAD,
        DeliveryState.SENT,
        DeliveryState.SENDING,
        DeliveryState.RETRY,
        DeliveryState.PENDING,
    ]
    for minutes, state in enumerate(states):
        await deliver(store, story, f"#{minutes}", state, minutes=minutes)

    rows = await reports.deliveries(10)
    assert [row.channel for row in rows] == ["#5", "#4", "#3", "#1", "#2", "#0"]
    assert [row.channel for row in await reports.deliveries(5)] == ["#5", "#4", "#3", "#1", "#2"]
    assert await reports.deliveries(2) == rows[:2]
    dead, sent = rows[3], rows[5]
    assert (dead.state, dead.error) == (DeliveryState.DEAD, "channel_not_found")
    assert (dead.attempts, dead.due_at, dead.sent_at) == (1, None, None)
    assert dead.headline == "ceasefire holds"
    assert dead.story == story
    assert (sent.created_at, sent.sent_at, sent.error) == (NOW, NOW + SECOND, None)


async def test_notices_are_listed_and_counted_beside_deliveries(
    store: SqlStore, reports: SqlReports
) -> None:
    """What it says, where, how it stands and why; what is told later is not late before."""
    story = await given_story(store)
    await deliver(store, story, "#a", DeliveryState.SENT)

    async def tell(subject: str, at: datetime, of: StoryId | None = None, wait: int = 0) -> None:
        due_at = at + wait * MINUTE
        await store.write(
            lambda t: t.tell("#ops", subject, Card(title=subject), at, story=of, due_at=due_at)
        )

    async def finish(state: DeliveryState, error: str | None) -> None:
        notice = await store.write(lambda t: t.claim_due("#ops", NOW + 4 * MINUTE, LEASE))
        assert notice is not None
        await store.write(lambda t: t.finish_notice(notice.id, state, NOW, error=error))

    for minutes, (state, error) in enumerate(
        (
            (DeliveryState.DEAD, "too_long"),
            (DeliveryState.SENDING, "timeout"),
            (DeliveryState.DROPPED, "its story is not shown"),
        ),
        start=1,
    ):
        await tell(state, NOW + minutes * MINUTE)
        await finish(state, error)
    await tell("later", NOW, wait=60)
    await tell("reply", NOW + 5 * MINUTE, story)

    rows = await reports.deliveries(10)
    assert [(row.subject, row.headline, row.story) for row in rows] == [
        ("reply", "reply", story),
        ("sending", "sending", None),
        ("dead", "dead", None),
        ("later", "later", None),
        ("dropped", "dropped", None),
        (None, "ceasefire holds", story),
    ]
    assert [row.subject for row in rows if row.is_uncertain] == ["sending"]
    assert (rows[2].state, rows[2].channel, rows[2].attempts, rows[2].error) == (
        DeliveryState.DEAD,
        "#ops",
        1,
        "too_long",
    )
    assert await reports.deliveries(4) == rows[:4]

    counts = await reports.counts(NOW + 5 * MINUTE)
    assert (counts.waiting, counts.uncertain, counts.messages(DeliveryState.DEAD)) == (3, 1, 1)
    assert counts.oldest_waiting_at == NOW + 2 * MINUTE
    late = await reports.counts(NOW + 60 * MINUTE)
    assert late.oldest_waiting_at == NOW


async def test_an_edit_does_not_change_when_a_story_was_first_shown(
    store: SqlStore, reports: SqlReports
) -> None:
    """How fast an alert was is measured by its first showing."""
    story = await given_story(store)
    await deliver(store, story, "#a", DeliveryState.SENT)
    await deliver(store, story, "#a", DeliveryState.SENT, minutes=5)

    [row] = await reports.deliveries(1)
    assert row.sent_at == NOW + SECOND


async def test_an_article_is_traced_by_any_url_that_leads_to_it(
    store: SqlStore, reports: SqlReports
) -> None:
    """Who listed it, what it is a copy of, what was found, what was sent."""
    story = await given_story(store)
    second = await given_feed(store, 2)
    polled_before = dataclasses.replace(second, ok_at=NOW)
    await given_entries(store, polled_before, found("copy"), found("a", URL))
    [copy] = await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10))
    canonical = "https://news.example/copy/canonical"

    def join(transaction: Transaction) -> None:
        original = transaction.article_at(URL)
        assert original is not None
        transaction.save_article(
            copy.id,
            content(canonical),
            state=ArticleState.PARTIAL,
            now=NOW + SECOND,
            due_at=NOW + MINUTE,
            attempts=1,
            error_code="timeout",
            error_detail="20 s",
        )
        transaction.put_in_story(copy.id, story, copy_of=original.article)
        transaction.set_hits(copy.id, [KASHMIR_HIT, HIT], NOW)

    await store.write(join)
    await deliver(store, story, "#a", DeliveryState.SENT)

    trace = await reports.trace("https://news.example/copy")
    assert trace is not None
    assert trace == await reports.trace(canonical)
    assert (trace.article, trace.url, trace.story) == (copy.id, canonical, story)
    assert (trace.state, trace.source, trace.attempts) == (ArticleState.PARTIAL, "page", 1)
    assert (trace.title, trace.language) == ("ceasefire holds", "en")
    assert trace.error == "timeout: 20 s"
    assert (trace.first_seen_at, trace.ingested_at) == (NOW, NOW + SECOND)
    assert trace.due_at == NOW + MINUTE
    assert trace.copy_of == URL
    assert trace.hits == (KASHMIR_HIT, HIT)
    assert [row.channel for row in trace.deliveries] == ["#a"]
    [sighting] = trace.sightings
    assert (sighting.feed, sighting.publisher) == ("Feed 2", "Publisher 2")
    assert (sighting.guid, sighting.title) == ("copy", "Title of copy")
    assert (sighting.backlog, sighting.first_seen_at) == (False, NOW)
    original = await reports.trace(URL)
    assert original is not None
    assert [(each.feed, each.backlog) for each in original.sightings] == [
        ("Feed 1", True),
        ("Feed 2", False),
    ]
    assert original.copy_of is None


async def test_an_article_is_traced_before_it_was_fetched(
    store: SqlStore, reports: SqlReports
) -> None:
    """Its headline is the feed's until it has its own."""
    await given_articles(store, "a")
    trace = await reports.trace(URL)
    assert trace is not None
    assert (trace.title, trace.body, trace.state) == ("Title of a", "", ArticleState.NEW)
    assert (trace.story, trace.deliveries, trace.hits) == (None, (), ())
    assert trace.error is None
