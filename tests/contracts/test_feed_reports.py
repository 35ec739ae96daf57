"""What is kept of how feeds did, and what is asked of it, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from monitor.errors import Refused
from monitor.model import (
    ArticleState,
    DueBy,
    Feed,
    FeedEvent,
    FeedEventKind,
    FeedId,
    FeedSpec,
    FeedStatus,
    Health,
    Kind,
)
from monitor.pipeline.by_hand import poll_by_hand
from monitor.polling import delays, week
from monitor.ports import FeedOrder, FeedsSought, Transaction
from monitor.storage import SqlStore
from monitor.storage import tables as t
from monitor.storage.feed_history import EVENTS
from monitor.storage.feed_reports import SqlFleet
from tests.contracts.material import (
    BUCKET,
    LEASE,
    MINUTE,
    NOW,
    content,
    found,
    given_entries,
    given_feed,
    given_story,
    polled,
    spec,
)
from tests.contracts.test_plans import SCANS, plans, recording
from tests.databases import RecordingOutlet

DAY = timedelta(days=1)


@pytest.fixture
def fleet(store: SqlStore) -> SqlFleet:
    """What is asked about feeds of the store."""
    return SqlFleet(store)


async def given_feeds(store: SqlStore, *specs: FeedSpec) -> list[Feed]:
    """Declared feeds, each leased."""

    def work(tx: Transaction) -> list[Feed]:
        tx.sync_feeds(specs, NOW)
        return [feed for bucket in range(64) for feed in tx.claim_feeds(bucket, NOW, LEASE, 100)]

    return await store.write(work)


def failing(minutes: int, detail: str = "timeout: no answer", failures: int = 1) -> object:
    """How a poll that failed leaves its feed."""
    at = NOW + minutes * MINUTE
    event = FeedEvent(
        kind=FeedEventKind.ERROR,
        at=at,
        detail=detail,
        same_since=at - 5 * MINUTE if failures > 1 else None,
    )
    return polled(
        at + 5 * MINUTE,
        polled_at=at,
        status=FeedStatus.FAILING,
        failures=failures,
        error_code="timeout",
        error_detail="no answer",
        due_by=DueBy.BACKOFF,
        events=(event,),
    )


async def test_what_happens_again_extends_the_last_event(store: SqlStore, fleet: SqlFleet) -> None:
    """If it is the same error, in one run; else it is another one."""
    feed = await given_feed(store)
    for update in (
        failing(0),
        failing(5, "timeout: none either", 2),
        failing(10, "dns: no address", 3),
        failing(60, "dns: no address"),
    ):
        await store.write(lambda tx, update=update: tx.save_feeds({feed.id: update}))
    trace = await fleet.feed(feed.id, NOW)
    assert trace is not None
    told = [(each.detail, (each.at - NOW) // MINUTE, each.count) for each in trace.events]
    assert told == [
        ("dns: no address", 60, 1),
        ("dns: no address", 10, 1),
        ("timeout: none either", 0, 2),
    ]
    assert trace.events[-1].until == NOW + 5 * MINUTE
    assert trace.row.due_by is DueBy.BACKOFF


async def test_what_happens_again_much_later_is_another_event(
    store: SqlStore, fleet: SqlFleet
) -> None:
    """Of gaps, those of one day are one."""
    feed = await given_feed(store)
    for at in (NOW, NOW + 2 * DAY, NOW + 2 * DAY + MINUTE):
        gap = FeedEvent(kind=FeedEventKind.GAP, at=at, detail="", same_since=at - DAY)
        update = polled(at, polled_at=at, events=(gap,))
        await store.write(lambda tx, update=update: tx.save_feeds({feed.id: update}))
    trace = await fleet.feed(feed.id, NOW)
    assert trace is not None
    assert [each.count for each in trace.events] == [2, 1]


async def test_a_poll_without_news_writes_no_history(store: SqlStore, fleet: SqlFleet) -> None:
    """Nine of ten are such."""
    feed = await given_feed(store)
    await store.write(lambda tx: tx.save_feeds({feed.id: polled(NOW, due_by=DueBy.HINT)}))
    trace = await fleet.feed(feed.id, NOW)
    assert trace is not None
    assert (trace.events, trace.delays.counts, trace.week) == ([], {}, {})
    assert trace.row.due_by is DueBy.HINT


async def test_history_is_bounded_by_number_and_by_age(store: SqlStore, fleet: SqlFleet) -> None:
    """A feed that flaps for years takes no more room than one that did for a week."""
    one, other = await given_feeds(store, spec(1), spec(2))
    gap = FeedEvent(kind=FeedEventKind.GAP, at=NOW, detail="")

    def flap(tx: Transaction) -> None:
        tx.save_feeds({other.id: polled(NOW, events=(gap,))})
        for _ in range(EVENTS + 5):
            tx.save_feeds({one.id: polled(NOW, events=(gap,))})

    await store.write(flap)
    traces = [await fleet.feed(each.id, NOW) for each in (one, other)]
    assert [len(trace.events) for trace in traces if trace] == [EVENTS, 1]
    assert await store.write(lambda tx: tx.forget_feed_history(NOW + 80 * DAY)) == 0
    assert await store.write(lambda tx: tx.forget_feed_history(NOW + 91 * DAY)) == EVENTS + 1


async def test_new_entries_are_counted_by_delay_and_by_hour(
    store: SqlStore, fleet: SqlFleet
) -> None:
    """Not what was there before the first poll; and each once."""
    feed = await given_feed(store)
    await given_entries(store, feed, found("backlog"))
    await store.write(lambda tx: tx.save_feeds({feed.id: polled(NOW)}))
    [feed] = await store.write(lambda tx: tx.claim_feeds(BUCKET, NOW, LEASE, 10))
    for _ in range(2):
        await given_entries(store, feed, found("a"), found("b"))
    trace = await fleet.feed(feed.id, NOW + DAY)
    assert trace is not None
    assert trace.delays.counts == {delays.slot_of(MINUTE): 2}  # they are a minute old
    assert trace.delays.days == pytest.approx(1.0)
    assert week.profile(trace.week, NOW)[week.hour_of(NOW - MINUTE)] == pytest.approx(2, abs=0.01)
    listed = await fleet.find(FeedsSought(), NOW + DAY)
    assert [each.delays.entries for each in listed.feeds] == [2]
    assert await store.write(lambda tx: tx.forget_feed_history(NOW + 29 * DAY)) == 1


async def test_newest_entries_are_told_with_what_became_of_them(
    store: SqlStore, fleet: SqlFleet
) -> None:
    """The newest first; article, story and what watches found."""
    story = await given_story(store)
    [row] = (await fleet.find(FeedsSought(), NOW)).feeds
    assert row.row.id is not None
    trace = await fleet.feed(row.row.id, NOW)
    assert trace is not None
    [entry] = trace.newest
    assert (entry.story, entry.watches, entry.state) == (story, ("Ceasefire",), ArticleState.DONE)
    assert await fleet.feed(FeedId(99), NOW) is None


FLEET = (
    FeedSpec(url="https://a.example/1", name="Zeta", publisher="A", side="india", tags=("wire",)),
    FeedSpec(url="https://b.example/2", name="alpha", publisher="B", side="pakistan"),
    FeedSpec(url="https://c.example/3", name="भारत", publisher="C", tags=("wire", "hindi")),
)


@pytest.mark.parametrize(
    ("sought", "names"),
    [
        (FeedsSought(), ["alpha", "Zeta", "भारत"]),
        (FeedsSought(order=FeedOrder.NAME), ["alpha", "Zeta", "भारत"]),
        (FeedsSought(order=FeedOrder.PUBLISHER), ["Zeta", "alpha", "भारत"]),
        (FeedsSought(side="india"), ["Zeta"]),
        (FeedsSought(tag="wire"), ["Zeta", "भारत"]),
        (FeedsSought(publisher="B"), ["alpha"]),
        (FeedsSought(text="EXAMPLE alp"), ["alpha"]),
        (FeedsSought(text="hindi"), ["भारत"]),
        (FeedsSought(states=frozenset({Health.GONE, Health.FAILING})), ["alpha"]),
        (FeedsSought(side="india", tag="hindi"), []),
    ],
)
async def test_feeds_are_sought(
    store: SqlStore, fleet: SqlFleet, sought: FeedsSought, names: list[str]
) -> None:
    """By state, side, publisher, tag and words, all together; trouble first unless it is said."""
    feeds = {feed.spec.name: feed for feed in await given_feeds(store, *FLEET)}
    ill = polled(NOW, status=FeedStatus.FAILING, failures=3, health=Health.FAILING)
    await store.write(lambda tx: tx.save_feeds({feeds["alpha"].id: ill}))
    result = await fleet.find(sought, NOW)
    assert [each.row.spec.name for each in result.feeds] == names
    assert result.found == len(names)
    assert (result.declared, dict(result.sides)) == (3, {"india": 1, "pakistan": 1})
    assert dict(result.tags) == {"wire": 2, "hindi": 1}
    paged = await fleet.find(sought, NOW, skip=1, limit=1)
    assert [each.row.spec.name for each in paged.feeds] == names[1:2]


@pytest.mark.parametrize("order", list(FeedOrder))
async def test_every_order_takes_feeds_that_were_never_polled(
    store: SqlStore, fleet: SqlFleet, order: FeedOrder
) -> None:
    """What is not known comes at one end."""
    feeds = await given_feeds(store, *FLEET)
    await store.write(lambda tx: tx.save_feeds({feeds[0].id: polled(NOW)}))
    assert len((await fleet.find(FeedsSought(order=order), NOW)).feeds) == 3


async def test_urls_that_lead_to_a_declared_feed(store: SqlStore, fleet: SqlFleet) -> None:
    """By their names."""
    await given_feeds(store, *FLEET)
    assert (await fleet.urls())["https://b.example/2"] == "alpha"


# --------------------------------------------------------------------------- who is first


async def test_places_are_counted_once_when_a_story_is_a_day_old(
    store: SqlStore, fleet: SqlFleet
) -> None:
    """By which publisher was first, and by how much."""
    one, other = await given_feeds(store, spec(1), spec(2))
    await given_entries(store, one, found("early", "https://news.example/e"))
    await given_entries(store, other, found("late", "https://news.example/l"))

    def group(tx: Transaction) -> None:
        articles = tx.claim_articles(BUCKET, NOW, LEASE, 10)
        story = tx.new_story(NOW)
        for article in articles:
            tx.save_article(
                article.id, content(article.url), state=ArticleState.DONE, now=NOW, due_at=None
            )
            tx.put_in_story(article.id, story, copy_of=None)
        tx.connection.execute(  # type: ignore[attr-defined]
            sa.update(t.entry)
            .where(t.entry.c.guid == "late")
            .values(published_at=NOW - 21 * MINUTE, first_seen_at=NOW)
        )

    await store.write(group)
    assert await store.write(lambda tx: tx.count_places(NOW + MINUTE)) == 0
    assert await fleet.firsts(NOW) == []
    assert await store.write(lambda tx: tx.count_places(NOW + DAY)) == 1
    assert await store.write(lambda tx: tx.count_places(NOW + DAY)) == 0
    first, second = await fleet.firsts(NOW + DAY)
    assert (first.publisher, first.first, first.stories, first.share) == ("Publisher 2", 1, 1, 1.0)
    assert (second.publisher, second.first, second.stories) == ("Publisher 1", 0, 1)
    lead = delays.quantile(first.ahead, 0.5)
    assert lead is not None
    assert 12 * MINUTE < lead < 32 * MINUTE  # it was twenty
    assert second.behind == first.ahead
    trace = await fleet.feed(other.id, NOW + DAY)
    assert trace is not None
    assert trace.firsts == first
    assert await store.write(lambda tx: tx.forget_feed_history(NOW + 50 * DAY)) == 2


async def test_a_story_that_is_too_young_holds_up_those_after_it(store: SqlStore) -> None:
    """So that none is passed over for good; and stories of one publisher are counted as none."""
    await given_story(store)
    assert await store.write(lambda tx: tx.count_places(NOW)) == 0
    await store.write(lambda tx: tx.new_story(NOW + DAY))
    assert await store.write(lambda tx: tx.count_places(NOW + DAY)) == 1
    assert await store.write(lambda tx: tx.count_places(NOW + 2 * DAY)) == 1


# --------------------------------------------------------------------------- polled by hand


async def test_a_feed_is_polled_now_by_name_url_or_number(
    store: SqlStore, outlet: RecordingOutlet
) -> None:
    """Its bucket is given to the engine, and the page says that somebody asked for it."""
    feeds = await given_feeds(store, *FLEET)
    later = {feed.id: polled(NOW + DAY, due_by=DueBy.BUDGET) for feed in feeds}
    await store.write(lambda tx: tx.save_feeds(later))
    at = NOW + 5 * MINUTE
    [zeta] = [feed.id for feed in feeds if feed.spec.name == "Zeta"]
    asked = ({"name": "ALPHA"}, {"name": "https://c.example/3"}, {"feed": zeta})
    for each in asked:
        done = await store.write(lambda tx, each=each: poll_by_hand(tx, now=at, **each))
        assert (len(done.due), dict(done.left)) == (1, {})
    assert {job.kind for job in outlet.inserted} >= {Kind.POLL}
    rows = (await SqlFleet(store).find(FeedsSought(), at)).feeds
    assert {(each.row.due_at, each.row.due_by) for each in rows} == {(at, DueBy.HAND)}
    with pytest.raises(Refused, match="there is no feed nobody"):
        await store.write(lambda tx: poll_by_hand(tx, now=at, name="nobody"))


async def test_what_should_be_left_alone_is_left_alone_by_hand_too(store: SqlStore) -> None:
    """What is polled, was a moment ago, or has a server that said when to come again."""
    one, two, _three = await given_feeds(store, *FLEET)
    patience = polled(NOW + DAY, status=FeedStatus.FAILING, failures=1, due_by=DueBy.RETRY_AFTER)
    await store.write(lambda tx: tx.save_feeds({one.id: patience, two.id: polled(NOW + DAY)}))
    early = await store.write(lambda tx: poll_by_hand(tx, now=NOW + timedelta(seconds=5)))
    assert early.due == ()
    assert set(early.left.values()) == {"it was polled a moment ago", "it is being polled"}
    later = await store.write(lambda tx: poll_by_hand(tx, now=NOW + MINUTE))
    assert later.due == (two.spec.name,)
    assert later.left[one.spec.name] == "its server asked to be left alone until 12:00 UTC"


async def test_history_is_written_and_read_by_indexes(store: SqlStore, fleet: SqlFleet) -> None:
    """Whatever the archive holds; the list of feeds reads all feeds, and no more."""
    await given_story(store)
    gap = FeedEvent(kind=FeedEventKind.GAP, at=NOW, detail="", same_since=NOW - DAY)

    def work(tx: Transaction) -> None:
        tx.save_feeds({FeedId(1): polled(NOW, events=(gap, gap))})
        tx.count_places(NOW + DAY)
        tx.new_story(NOW)
        tx.count_places(NOW + 2 * DAY)
        tx.forget_feed_history(NOW)

    engines = store._engines
    with recording(engines.write) as written, recording(engines.read) as read:
        await store.write(work)
        await fleet.find(FeedsSought(), NOW)
        await fleet.feed(FeedId(1), NOW)
        await fleet.firsts(NOW)
    tables = re.compile(rf"{SCANS.pattern}|(?:SCAN|Seq Scan on) feed_(?:event|tally|week)\b")
    explained = plans(store, [*written, *read])
    assert len(explained) > 15
    assert {text: plan for text, plan in explained.items() if tables.search(plan)} == {}
