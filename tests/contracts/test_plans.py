"""No statement of the service's daily round reads a growing table from end to end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from monitor.model import ArticleId, ArticleState, DeliveryId, DeliveryState, FeedId, StoryId
from monitor.ports import Marks, Sought, Standing, Transaction
from monitor.storage import SqlReports, SqlStore
from tests.contracts.material import (
    BUCKET,
    CEASEFIRE,
    HIT,
    LEASE,
    NOW,
    content,
    found,
    given_story,
    polled,
    spec,
)

GROWING = (
    "article",
    "article_url",
    "entry",
    "hit",
    "delivery",
    "story",
    "article_key",
    "fingerprint",
    "story_term",
    "verdict",
    "site_paragraph",
    "revision",
    "article_update",
    "notice",
    "audit",
    "outcome",
)
SCANS = re.compile(
    rf"(?:SCAN|Seq Scan on) (?:{'|'.join(GROWING)})\b"
    # what waits has an index of its own, as long as the queue
    r"(?! USING (?:COVERING )?INDEX ix_\w+_(?:due_at|lease_until))"
)

Statement = tuple[str, Any]


@contextmanager
def recording(engine: sa.Engine) -> Iterator[list[Statement]]:
    """The statements that are run meanwhile, with their values."""
    statements: list[Statement] = []

    def record(_connection: Any, _cursor: Any, text: str, values: Any, *_: Any) -> None:
        statements.append((text, values))

    sa.event.listen(engine, "before_cursor_execute", record)
    yield statements
    sa.event.remove(engine, "before_cursor_execute", record)


def a_round(transaction: Transaction, story: StoryId) -> None:
    """Everything the service does between two ticks."""
    later = NOW + 2 * LEASE
    transaction.due_jobs(later)
    [feed] = transaction.claim_feeds(BUCKET, later, LEASE, 10)
    transaction.release_feeds([feed.id])
    transaction.add_entries(feed, [found("a"), found("b"), found("c")], later)
    transaction.save_feeds({feed.id: polled(later)})
    one, two = transaction.claim_articles(BUCKET, later, LEASE, 10)
    transaction.release_articles([one.id])
    transaction.lock_stories()
    transaction.article_at(one.url)
    transaction.twin_of("hash", NOW, one.id)
    transaction.story_of(one.id)
    transaction.place_of(one.id)
    transaction.copy_candidates([1, 2, 3], NOW, later, other_than=one.id, hottest=50, limit=20)
    transaction.keep_fingerprint(one.id, later, [1, 2, 3], b"packed")
    transaction.copy_candidates([1, 2, 3], NOW, later, other_than=two.id, hottest=50, limit=20)
    transaction.stories_about({1: 0.5, 2: 0.4, 3: 0.3}, each=200, limit=30)
    transaction.threads([story])
    transaction.set_thread(story, b"packed", [1, 2, 3])
    transaction.chapter_after(story)
    transaction.join_families(two.id, one.id)
    transaction.save_article(
        one.id, content(one.url, "hash"), state=ArticleState.DONE, now=later, due_at=None
    )
    transaction.put_in_story(one.id, transaction.new_story(later), copy_of=None)
    other = transaction.new_story(later, follows=story)
    transaction.rule(one.id, other, belongs=False, by="Ada", now=later)
    transaction.is_shown(story)
    transaction.ruled_apart(story, other)
    transaction.merge_stories(other, story, now=later)
    transaction.forget(NOW, later)
    transaction.set_hits(one.id, [HIT], later)
    transaction.seen_paragraphs([1, 2, 3], but=one.id, since=NOW)
    transaction.note_paragraphs(one.id, {1: True, 2: False}, later)
    transaction.forget_paragraphs(later)
    transaction.forget_told(later)
    transaction.tally_rows(later)
    transaction.stored_article(one.id)
    transaction.keep_revision(one.id, "Title", "Body", later)
    transaction.keep_updates(one.id, {"one": later})
    transaction.ask_again(one.id, later)
    transaction.merge_article(two.id, one.id)
    transaction.want_delivery(story, "#news", later)
    transaction.want_delivery(story, "#news", later)
    transaction.refresh_deliveries(story, later)
    _keep_pace(transaction, story, later)
    delivery = transaction.claim_due("#news", later, LEASE)
    assert delivery is not None
    transaction.story_view(delivery.story)
    transaction.finish_delivery(delivery.id, DeliveryState.SENT, later)
    transaction.release_leases()


def _keep_pace(transaction: Transaction, story: StoryId, later: datetime) -> None:
    """What is settled before each claim, and what a flood and a digest ask beside that."""
    transaction.due_digests("#news", later)
    transaction.open_folded("#news", later, 10)
    [waiting] = transaction.waiting_in("#news", later)
    transaction.watches_of([story])
    transaction.wanted_between("#news", NOW, later)
    transaction.hold_back([waiting.id], "held", later)
    transaction.fold([waiting.id], "flood:#news:1")
    transaction.last_summary("#news", "flood:#news:", NOW)
    transaction.stories_told_in("#news", "flood:#news:1")
    transaction.briefs([story], None)
    transaction.held_without_end("#news")
    transaction.found_for("#news", ["Ceasefire"], NOW, later)
    transaction.unhold([waiting.id], later)
    transaction.due_backfill(later)
    transaction.is_reading_backlog()
    transaction.archive_before(NOW, (later, 0), 10)


def plans(store: SqlStore, statements: list[Statement]) -> dict[str, str]:
    """How the database goes about each statement."""
    engine = store._engines.write
    is_sqlite = engine.dialect.name == "sqlite"
    explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
    found_plans = {}
    with engine.connect() as connection:
        if not is_sqlite:
            # a few rows are read faster than an index: what counts is that there is one
            connection.exec_driver_sql("SET enable_seqscan = off")
        for text, values in statements:
            if not text.lstrip().startswith(("SELECT", "WITH", "UPDATE", "DELETE", "INSERT")):
                continue
            one = values[0] if isinstance(values, list) else values
            rows = connection.exec_driver_sql(explain + text, one)
            found_plans[text] = "\n".join(str(row[-1]) for row in rows)
        connection.rollback()
    return found_plans


async def test_the_daily_round_goes_by_indexes(store: SqlStore) -> None:
    """Claims, due jobs, look-ups, the outbox: their cost does not grow with the archive."""
    story = await given_story(store)
    await store.write(lambda t: t.sync_feeds([spec(1)], NOW))
    with recording(store._engines.write) as statements:
        await store.write(lambda t: a_round(t, story))

    explained = plans(store, statements)
    assert len(explained) > 30
    assert {text: plan for text, plan in explained.items() if SCANS.search(plan)} == {}


async def test_what_is_leased_is_found_without_what_is_due(store: SqlStore) -> None:
    """The hosts that a claim passes over, and what a dead process holds: as much as is at work."""
    store.holder = 7
    await store.write(lambda t: t.sync_feeds([spec(1)], NOW))
    with recording(store._engines.write) as statements:
        await store.write(lambda t: t.claim_feeds(BUCKET, NOW, LEASE, 10, idle_hosts=True))
        await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10, idle_hosts=True))
        if store.address.path is None:  # a process that is alone holds nothing for others
            await store.write(lambda t: t.release_leases_of([7], NOW))
    looked = [
        (table, plan)
        for text, plan in plans(store, statements).items()
        for table in ("feed", "article")
        if f"UPDATE {table} SET" in text
    ]
    assert len(looked) == (2 if store.address.path else 4)
    assert [plan for table, plan in looked if f"ix_{table}_bucket_lease_until" not in plan] == []


async def _ask_for_the_front_page(reports: SqlReports, story: StoryId) -> None:
    """With each filter; what follows it live; and what is asked of the outbox."""
    place = (NOW, 7)
    for sought in (
        Sought(),
        Sought(watch="Ceasefire", since=NOW, until=NOW),
        Sought(publisher="a", side="b", language="c"),
        *(Sought(standing=each, words=("a",)) for each in Standing),
    ):
        await reports.news.page(sought, 10, before=place)
        await reports.news.among(sought, [story])
    await reports.news.strip(NOW)
    await reports.news.choices()
    await reports.news.changed(Marks(hit=0, outcome=0, deed=0))
    for channel in (None, "#news"):
        await reports.messages.newest(10, channel=channel, before=(NOW, DeliveryId("a")))
        await reports.messages.newest(10, channel=channel, states=[DeliveryState.DEAD])
    await reports.messages.of_story(story)
    await reports.messages.outcomes([DeliveryId("a")])
    await reports.messages.hands([DeliveryId("a")])
    await reports.messages.channels()


async def _ask_as_programs_do(reports: SqlReports) -> None:
    """Lists that go on, with each filter; one of each."""
    catalogue = reports.catalogue
    for watch in (None, CEASEFIRE.name):
        for since in (None, NOW):
            for before in (None, (NOW, 7)):
                await catalogue.hits(10, watch=watch, since=since, before=before)
    await catalogue.url_of(ArticleId(1))
    await catalogue.feeds(10, after=FeedId(1))
    await catalogue.message(DeliveryId("a"))


async def test_the_lists_of_the_page_go_by_indexes(store: SqlStore) -> None:
    """Newest hits, deliveries and one article's trace; only totals count whole indexes."""
    story = await given_story(store)
    await store.write(lambda t: t.sync_watches([CEASEFIRE], NOW))
    await store.write(lambda t: t.want_delivery(story, "#news", NOW))
    reports = SqlReports(store)
    with recording(store._engines.read) as statements:
        await reports.feeds()
        await reports.trace("https://news.example/a")
        await reports.traced(ArticleId(1))
        await reports.stories(10)
        await reports.stories(10, near=story)
        await reports.story(story)
        await reports.deliveries(10)
        await reports.watches(NOW)
        await reports.watched.lately([CEASEFIRE.name], NOW, {CEASEFIRE.name: "#news"})
        await reports.watched.days([CEASEFIRE.name], NOW.date())
        assert [batch async for batch in reports.archive(NOW - LEASE)] != []
        await reports.archive_size(NOW)
        await _ask_for_the_front_page(reports, story)
        await _ask_as_programs_do(reports)

    explained = plans(store, statements)
    bad = {text: plan for text, plan in explained.items() if SCANS.search(plan)}
    # the newest hits are the end of the table itself, read backwards
    from_the_end = re.compile(r"FROM hit (JOIN|ORDER BY)(?s:.*)hit.id DESC")
    walked = [text for text in bad if from_the_end.search(text)]
    assert [text for text in bad if text not in walked] == []
