"""Subscriptions at hubs as both databases keep them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monitor.model import (
    Feed,
    FeedId,
    FeedStatus,
    Job,
    Kind,
    Subscription,
    SubscriptionState,
    bucket_of,
)
from monitor.ports import FeedUpdate, Transaction
from monitor.storage import SqlReports, SqlStore
from tests.contracts.material import (
    BUCKET,
    LEASE,
    MINUTE,
    NOW,
    SECOND,
    given_feed,
    polled,
    several,
    spec,
)

HUB = "https://hub.example/ask"
HUBS = bucket_of("hub.example")
BEGIN = "https://desk.example/websub/"
DAY = timedelta(days=1)
SOONEST = 2 * MINUTE
State = SubscriptionState


def token(letter: str = "a") -> str:
    return letter * 43


def soonest(_url: str) -> timedelta:
    return SOONEST


async def subscribed(store: SqlStore, feed: FeedId, letter: str = "a", **changes) -> Subscription:
    """A subscription of a feed, with changes."""

    def work(tx: Transaction) -> Subscription:
        tx.subscribe(
            feed, hub=HUB, topic=f"https://news.example/{letter}", callback=BEGIN + token(letter),
            secret="s3cret", now=NOW,
        )  # fmt: skip
        made = tx.subscription_at(token(letter))
        assert made is not None
        tx.save_subscription(replace(made, **changes))
        found = tx.subscription(made.id)
        assert found is not None
        return found

    return await store.write(work)


async def at(store: SqlStore, letter: str = "a") -> Subscription | None:
    return await store.read(lambda tx: tx.subscription_at(token(letter)))


async def due(store: SqlStore, now: datetime) -> list[Job]:
    return [
        job
        for job in await store.read(lambda tx: tx.due_jobs(now))
        if job.kind is Kind.SUBSCRIBE
    ]  # fmt: skip


async def claimed(store: SqlStore, now: datetime = NOW) -> list[Subscription]:
    return [
        *await store.write(lambda tx: tx.claim_subscriptions(HUBS, now, LEASE, 10)),
    ]


async def save(store: SqlStore, feed: Feed, **changes) -> None:
    update: FeedUpdate = polled(NOW + DAY, **changes)
    await store.write(lambda tx: tx.save_feeds({feed.id: update}))


async def reclaimed(store: SqlStore, now: datetime) -> list[Feed]:
    return [*await store.write(lambda tx: tx.claim_feeds(BUCKET, now, LEASE, 10))]


async def test_what_is_written_is_read_back(store: SqlStore) -> None:
    """Every column, by id, by token and by feed."""
    feed = await given_feed(store)
    times = {
        name: NOW + number * SECOND
        for number, name in enumerate(("due_at", "asked_at", "verified_at", "expires_at"))
    }
    held = await subscribed(store, feed.id, state=State.ACTIVE, attempts=3, error="x\x00y", **times)
    assert held == Subscription(
        id=held.id, feed=feed.id, hub=HUB, topic="https://news.example/a",
        callback=BEGIN + token(), secret="s3cret", state=State.ACTIVE, attempts=3,
        created_at=NOW, error="x\ufffdy", **times,
    )  # fmt: skip
    assert await at(store) == held
    assert await store.write(lambda tx: tx.subscription_of(feed.id)) == held
    assert await at(store, "b") is None


async def test_a_new_subscription_is_due_and_claimed_once(store: SqlStore) -> None:
    """By the bucket of its hub's host; until its lease ends it is nobody else's."""
    feed = await given_feed(store)
    held = await subscribed(store, feed.id)
    assert await due(store, NOW) == [Job(Kind.SUBSCRIBE, str(HUBS))]
    assert await claimed(store) == [held]
    assert await claimed(store) == []
    assert await due(store, NOW) == []
    await store.write(lambda tx: tx.save_subscription(replace(held, attempts=1)))
    assert await claimed(store) == []  # saving does not end it
    await store.write(lambda tx: tx.release_subscriptions([held.id]))
    assert [each.attempts for each in await claimed(store)] == [1]
    assert len(await claimed(store, NOW + LEASE + SECOND)) == 1  # whoever held it died
    await store.write(lambda tx: tx.release_leases())
    assert len(await claimed(store)) == 1


async def test_another_hub_takes_the_place_of_the_first(store: SqlStore) -> None:
    """The feed has one; the other is told that it is not wanted any more."""
    feed = await given_feed(store)
    await subscribed(store, feed.id, "a", state=State.ACTIVE, due_at=NOW + DAY, attempts=2)
    second = await subscribed(store, feed.id, "b")
    assert await store.write(lambda tx: tx.subscription_of(feed.id)) == second
    first = await at(store, "a")
    assert first is not None
    assert (first.state, first.attempts, first.due_at) == (State.LEAVING, 0, NOW)
    await store.write(lambda tx: tx.drop_subscription(first.id))
    assert await at(store, "a") is None
    await store.write(lambda tx: tx.leave_hub(second.id, NOW))
    assert await store.write(lambda tx: tx.subscription_of(feed.id)) is None


async def test_a_claimed_feed_says_by_what_it_is_pushed(store: SqlStore) -> None:
    """By what it is pushed now, not by what it is leaving; others by nothing."""
    feed = await given_feed(store)
    assert feed.subscription is None
    await subscribed(store, feed.id, "a")
    second = await subscribed(store, feed.id, "b")
    await store.write(lambda tx: tx.sync_feeds([spec(1), spec(2)], NOW))
    await store.write(lambda tx: tx.release_feeds([feed.id]))
    assert [each.subscription for each in await reclaimed(store, NOW)] == [second, None]


async def test_hubs_are_left_when_feeds_are_not_polled_any_more(store: SqlStore) -> None:
    """Undeclared or gone; the others stay as they are."""
    await store.write(lambda tx: tx.sync_feeds([spec(n) for n in (1, 2, 3)], NOW))
    one, two, three = await reclaimed(store, NOW)
    for feed, letter in ((one, "a"), (two, "b"), (three, "c")):
        await subscribed(store, feed.id, letter, state=State.ACTIVE, due_at=NOW + DAY)
    await store.write(lambda tx: tx.sync_feeds([spec(1), spec(2)], NOW))
    await store.write(
        lambda tx: tx.save_feeds({two.id: polled(None, status=FeedStatus.GONE, failures=1)})
    )
    await store.write(lambda tx: tx.sync_subscriptions(BEGIN, NOW))
    states = [held and held.state for held in [await at(store, letter) for letter in "abc"]]
    assert states == [State.ACTIVE, State.LEAVING, State.LEAVING]
    await store.write(lambda tx: tx.sync_subscriptions(BEGIN, NOW + MINUTE))
    again = await at(store, "b")
    assert again is not None
    assert again.due_at == NOW  # one farewell, not one a minute


async def test_without_a_public_url_every_hub_is_left(store: SqlStore) -> None:
    """They could not reach us."""
    feed = await given_feed(store)
    await subscribed(store, feed.id, state=State.ACTIVE, due_at=NOW + DAY)
    await store.write(lambda tx: tx.sync_subscriptions(None, NOW))
    held = await at(store)
    assert held is not None
    assert (held.state, held.due_at) == (State.LEAVING, NOW)
    assert held.callback == BEGIN + token()  # by which the hub knows it


async def test_at_a_new_public_url_every_hub_is_asked_anew(store: SqlStore) -> None:
    """By the new callback, once."""
    feed = await given_feed(store)
    await subscribed(store, feed.id, state=State.ACTIVE, due_at=NOW + DAY)
    moved = "https://new.example/websub/"
    await store.write(lambda tx: tx.sync_subscriptions(moved, NOW))
    held = await at(store)
    assert held is not None
    assert (held.state, held.due_at, held.callback) == (State.WANTED, NOW, moved + token())
    await store.write(lambda tx: tx.save_subscription(replace(held, state=State.ACTIVE)))
    await store.write(lambda tx: tx.sync_subscriptions(moved, NOW))
    held = await at(store)
    assert held is not None
    assert held.state is State.ACTIVE


# --------------------------------------------------------------------------- pushes


async def pushed(store: SqlStore, held: Subscription, now: datetime) -> int | None:
    return await store.write(lambda tx: tx.note_push(held.id, now, soonest))


async def feed_due(store: SqlStore, now: datetime) -> bool:
    jobs = await store.read(lambda tx: tx.due_jobs(now))
    return any(job.kind is Kind.POLL for job in jobs)


async def test_a_push_makes_its_feed_due(store: SqlStore) -> None:
    """At once, when it has not been polled for a while."""
    feed = await given_feed(store)
    held = await subscribed(store, feed.id)
    await save(store, feed)
    later = NOW + 10 * MINUTE
    assert not await feed_due(store, later)
    assert await pushed(store, held, later) == BUCKET
    assert await feed_due(store, later)
    found = await at(store)
    assert found is not None
    assert found.pushed_at == later


async def test_many_pushes_are_one_poll(store: SqlStore) -> None:
    """A hub that calls all day has the publisher asked as often as any other feed at most."""
    feed = await given_feed(store)
    held = await subscribed(store, feed.id)
    await save(store, feed)
    for seconds in range(0, 115, 5):
        assert await pushed(store, held, NOW + seconds * SECOND) is None
        assert not await feed_due(store, NOW + seconds * SECOND)
    assert await feed_due(store, NOW + SOONEST)


async def test_a_push_never_puts_a_poll_off(store: SqlStore) -> None:
    """What is due sooner stays so."""
    feed = await given_feed(store)
    held = await subscribed(store, feed.id)
    await store.write(lambda tx: tx.save_feeds({feed.id: polled(NOW + MINUTE)}))
    await pushed(store, held, NOW)
    assert await feed_due(store, NOW + MINUTE)


async def test_a_push_while_the_feed_is_polled_has_it_polled_again(store: SqlStore) -> None:
    """What is pushed may have come after what was just read."""
    feed = await given_feed(store)
    held = await subscribed(store, feed.id)
    assert await pushed(store, held, NOW + SECOND) is None
    await pushed(store, held, NOW + 2 * SECOND)
    await save(store, feed, polled_at=NOW + 3 * SECOND)
    assert not await feed_due(store, NOW + SOONEST)
    assert await feed_due(store, NOW + SOONEST + SECOND)


async def test_pushes_do_not_hurry_a_feed_that_fails(store: SqlStore) -> None:
    """Its back-off, and the publisher's Retry-After, stand; before and during the poll."""
    feed = await given_feed(store)
    held = await subscribed(store, feed.id)
    await pushed(store, held, NOW + SECOND)
    failing = {"status": FeedStatus.FAILING, "failures": 1, "polled_at": NOW + 3 * SECOND}
    await save(store, feed, **failing)
    assert not await feed_due(store, NOW + 60 * MINUTE)
    assert await pushed(store, held, NOW + 60 * MINUTE) is None
    assert not await feed_due(store, NOW + 60 * MINUTE)


@pytest.mark.parametrize("gone", [True, False])
async def test_pushes_do_not_wake_what_is_not_polled(store: SqlStore, gone: bool) -> None:
    """A feed that is gone, or no longer declared."""
    feed = await given_feed(store)
    held = await subscribed(store, feed.id)
    if gone:
        last = polled(None, status=FeedStatus.GONE, failures=1)
        await store.write(lambda tx: tx.save_feeds({feed.id: last}))
    else:
        await save(store, feed)
        await store.write(lambda tx: tx.sync_feeds([], NOW))
    assert await pushed(store, held, NOW + 60 * MINUTE) is None
    assert not await feed_due(store, NOW + 30 * DAY)


async def test_what_hubs_say_and_what_they_push_do_not_overwrite_each_other(
    store: SqlStore,
) -> None:
    """A renewal that was begun before a push keeps the push; a miss keeps both."""
    feed = await given_feed(store)
    held = await subscribed(store, feed.id)
    await save(store, feed)
    await pushed(store, held, NOW + MINUTE)
    await store.write(lambda tx: tx.note_miss(held.id, NOW + 2 * MINUTE))
    await store.write(lambda tx: tx.save_subscription(replace(held, state=State.ACTIVE)))
    found = await at(store)
    assert found is not None
    assert (found.state, found.pushed_at, found.missed_at) == (
        State.ACTIVE,
        NOW + MINUTE,
        NOW + 2 * MINUTE,
    )


async def test_pushes_and_polls_at_once_lose_nothing(database_url: str) -> None:
    """Side by side on several connections: whoever comes last, the feed is due for the push."""
    async with several(database_url, 3) as stores:
        store, *others = stores
        feed = await given_feed(store)
        held = await subscribed(store, feed.id)
        for round_ in range(8):
            now = NOW + round_ * DAY
            await store.write(lambda tx, n=now: tx.claim_feeds(BUCKET, n, LEASE, 10))
            ended = polled(now + 6 * DAY, polled_at=now + SECOND)

            def poll(tx: Transaction, ended=ended, now=now) -> None:
                tx.subscription_of(feed.id)
                tx.note_miss(held.id, now)
                tx.save_feeds({feed.id: ended})

            await asyncio.gather(
                others[0].write(poll),
                others[1].write(lambda tx, n=now: tx.note_push(held.id, n + SECOND, soonest)),
            )
            # polled after the push, or pushed after the poll
            assert await feed_due(store, now + SOONEST + SECOND)


async def test_who_is_pushed_is_shown_and_counted(store: SqlStore):
    """By the subscription that is wanted: one that is being left counts no more."""
    feeds = [await given_feed(store, number) for number in range(4)]
    await store.write(lambda tx: tx.sync_feeds([feed.spec for feed in feeds], NOW))
    active = {"state": State.ACTIVE, "expires_at": NOW + DAY}
    await subscribed(store, feeds[0].id, "a", **active)
    left = await subscribed(store, feeds[1].id, "b", state=State.ASKED)
    await store.write(lambda tx: tx.save_subscription(replace(left, state=State.LEAVING)))
    await subscribed(store, feeds[1].id, "c", **active)
    await subscribed(store, feeds[2].id, "d", state=State.ACTIVE, expires_at=NOW - SECOND)
    pushed = await at(store, "c")
    assert pushed is not None
    await store.write(lambda tx: tx.note_push(pushed.id, NOW, soonest))

    reports = SqlReports(store)
    listed = await reports.feeds()
    rows = {row.spec.url: row for row in listed}
    assert len(listed) == len(rows) == 4
    assert [
        (row.subscription, row.subscribed_until, row.pushed_at)
        for row in (rows[feed.spec.url] for feed in feeds)
    ] == [
        (State.ACTIVE, NOW + DAY, None),
        (State.ACTIVE, NOW + DAY, NOW),
        (State.ACTIVE, NOW - SECOND, None),
        (None, None, None),
    ]
    assert (await reports.counts(NOW)).pushed == 2
