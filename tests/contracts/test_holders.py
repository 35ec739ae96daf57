"""Leases of many processes: whose they are, and what becomes of those of the dead."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitor.model import Job, Kind
from monitor.storage import SqlStore
from tests.contracts.material import (
    BUCKET,
    HOST,
    LEASE,
    NOW,
    SECOND,
    found,
    given_entries,
    given_feed,
    given_story,
    spec,
)


async def test_leases_bear_the_number_of_their_process(store: SqlStore) -> None:
    """Of what it claimed and has not given back; a process that is alone has none."""
    await given_feed(store)
    assert await store.read(lambda t: t.lease_holders(NOW)) == frozenset()

    store.holder = 7
    story = await given_story(store, number=2)  # leaves its feed leased
    await store.write(lambda t: t.sync_feeds([spec(1), spec(2), spec(3)], NOW))
    store.holder = 8
    await store.write(lambda t: t.want_delivery(story, "#a", NOW))
    await store.write(lambda t: t.claim_due("#a", NOW, LEASE))
    assert await store.read(lambda t: t.lease_holders(NOW)) == {7, 8}
    assert await store.read(lambda t: t.lease_holders(NOW + LEASE)) == frozenset()


async def test_what_the_dead_held_is_due_again_and_nothing_else(store: SqlStore) -> None:
    """Feeds, articles and messages; what others hold stays theirs."""
    store.holder = 7
    story = await given_story(store)
    await store.write(lambda t: t.want_delivery(story, "#a", NOW))
    await store.write(lambda t: t.claim_due("#a", NOW, LEASE))
    store.holder = 8
    await given_feed(store, 2)
    await store.write(lambda t: t.sync_feeds([spec(1), spec(2)], NOW))

    assert await store.write(lambda t: t.release_leases_of([7], NOW)) == 2
    assert await store.write(lambda t: t.release_leases_of([7], NOW)) == 0
    assert await store.read(lambda t: t.lease_holders(NOW)) == {8}
    due = set(await store.read(lambda t: t.due_jobs(NOW)))
    assert {Job(Kind.POLL, str(BUCKET)), Job(Kind.DELIVER, "#a")} <= due
    [again] = await store.write(lambda t: t.claim_feeds(BUCKET, NOW, LEASE, 10))
    assert again.spec == spec(1)
    delivery = await store.write(lambda t: t.claim_due("#a", NOW, LEASE))
    assert delivery is not None
    assert delivery.found_sending_at == NOW  # whether it is shown is to be looked up


async def test_among_many_a_host_is_one_process_s_for_feeds_and_pages(store: SqlStore) -> None:
    """Who asks it for a feed has it alone. A process that is alone has them take turns by itself."""
    feed = await given_feed(store)
    await given_entries(store, feed, found("a"))

    async def articles() -> int:
        claimed = await store.write(
            lambda t: t.claim_articles(BUCKET, NOW + SECOND, LEASE, 10, idle_hosts=True)
        )
        await store.write(lambda t: t.release_articles([each.id for each in claimed]))
        return len(claimed)

    assert await articles() == 1
    store.holder = 7
    assert await articles() == 0
    await store.write(lambda t: t.release_feeds([feed.id]))
    assert await articles() == 1


async def test_whose_turn_at_a_host_was_last_is_known_to_the_next(store: SqlStore) -> None:
    """Of the time that a lease lasts; a process that is alone need not know."""
    hosts = {HOST, "b.example"}

    async def others(holder: int | None, now: datetime) -> set[str]:
        store.holder = holder
        return {*await store.write(lambda t: t.take_turns(hosts, now, LEASE))}

    assert await others(None, NOW) == set()
    assert await others(7, NOW) == set()
    assert await others(7, NOW) == set()
    assert await others(8, NOW + SECOND) == hosts
    assert await others(8, NOW + SECOND) == set()
    hosts = {HOST, "c.example"}
    assert await others(7, NOW + 2 * SECOND) == {HOST}
    assert await others(8, NOW + 2 * SECOND + LEASE) == set()
    hosts = {"", "x" * 3000, "a\x00b", "\ud800.example"}
    assert await others(8, NOW) == set()


async def test_whose_turn_was_last_is_forgotten_after_an_hour(store: SqlStore) -> None:
    """No lease lasts for so long."""
    store.holder = 7
    await store.write(lambda t: t.take_turns({HOST}, NOW, LEASE))
    assert await store.write(lambda t: t.forget_turns(NOW + 2 * LEASE)) == 0
    assert await store.write(lambda t: t.forget_turns(NOW + timedelta(hours=2))) == 1


async def test_a_lease_of_another_clock_is_left_unless_that_was_far_ahead(store: SqlStore) -> None:
    """Clocks of several machines differ a little; and others lease while one starts."""
    store.holder = 7
    await given_feed(store)

    async def planned_anew(ahead: timedelta) -> int:
        """How much was changed by a process whose clock is behind by so much."""
        return await store.write(lambda t: t.bring_forward(NOW - ahead, LEASE))

    assert await planned_anew(timedelta(seconds=90)) == 0
    assert await planned_anew(timedelta(hours=1)) > 0
    assert await store.read(lambda t: t.lease_holders(NOW)) == frozenset()
