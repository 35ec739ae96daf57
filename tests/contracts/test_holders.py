"""Leases of many processes: whose they are, and what becomes of those of the dead."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from alerts import Card
from monitor.errors import Superseded
from monitor.model import (
    ArticleState,
    DeliveryState,
    FeedEvent,
    FeedEventKind,
    Hints,
    Job,
    Kind,
    PendingArticle,
)
from monitor.ports import Listing
from monitor.storage import SqlStore, tables
from tests.contracts.material import (
    BUCKET,
    HOST,
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
    await store.write(lambda t: t.release_feeds([feed.id]))
    store.holder = 8
    [feed] = await store.write(lambda t: t.claim_feeds(BUCKET, NOW, LEASE, 10))
    store.holder = 7
    assert await articles() == 0
    store.holder = 8
    await store.write(lambda t: t.release_feeds([feed.id]))
    store.holder = 7
    assert await articles() == 1


async def given_up(store: SqlStore, number: int) -> None:
    """The others hold a process for dead; what this one writes from now on, another writes."""
    await store.write(lambda t: t.release_leases_of([number], NOW))
    store.holder = number + 1


async def test_a_late_word_of_a_poll_ends_no_lease_of_another(store: SqlStore) -> None:
    """What it found is stored; how the feed is, and when it is due, is said by who has it now."""
    store.holder = 7
    feed = await given_feed(store)
    await given_up(store, 7)
    [feed] = await store.write(lambda t: t.claim_feeds(BUCKET, NOW, LEASE, 10))
    event = FeedEvent(kind=FeedEventKind.GAP, at=NOW, detail="")
    listing = Listing(blocks=b"late", hints=Hints(), rhythm=None, overlap=None, gap_at=NOW)
    failed = polled(NOW + MINUTE, failures=1, events=(event,))

    async def late_words() -> None:
        store.holder = 7
        added = await given_entries(store, feed, found("a"))
        assert added.entries + added.known == 1
        await store.write(lambda t: t.keep_listings({feed.id: listing}))
        assert set(await store.write(lambda t: t.save_feeds({feed.id: failed}))) == {feed.id}
        await store.write(lambda t: t.release_feeds([feed.id]))
        await store.write(lambda t: t.set_feed_aside(feed.id, NOW + MINUTE))
        store.holder = 8

    await late_words()
    assert await store.read(lambda t: t.lease_holders(NOW)) == {8}
    assert set(await store.write(lambda t: t.save_feeds({feed.id: polled(NOW)}))) == set()
    await late_words()  # nor does it undo what that has said by then
    [again] = await store.write(lambda t: t.claim_feeds(BUCKET, NOW, LEASE, 10))
    assert (again.failures, again.blocks) == (0, b"")
    assert await store.query(events_of) == 0


def events_of(connection: sa.Connection) -> int:
    """How much is remembered of what happened to feeds."""
    return int(connection.scalar(sa.select(sa.func.count()).select_from(tables.feed_event)) or 0)


async def test_a_late_word_of_an_ingest_ends_no_lease_of_another(store: SqlStore) -> None:
    """Nor does what it read stand for what that reads: a process that was away got timeouts."""
    store.holder = 7
    article, other = await given_articles(store, "a", "b")
    await given_up(store, 7)
    await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10))

    async def late_words() -> None:
        store.holder = 7
        text = content(article.url)
        for word in (
            lambda t: t.save_article(
                article.id, text, state=ArticleState.FAILED, now=NOW, due_at=None
            ),
            lambda t: t.leave_article(article.id, now=NOW, due_at=None),
            lambda t: t.merge_article(article.id, into=other.id),
        ):
            with pytest.raises(Superseded, match="by another process"):
                await store.write(word)
        await store.write(lambda t: t.release_articles([article.id, other.id]))
        await store.write(lambda t: t.set_article_aside(article.id, NOW + MINUTE))
        await store.write(lambda t: t.suspect_article(article.id, 5))
        store.holder = 8

    await late_words()
    assert await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10)) == []
    await store.write(in_new_story(article.id, article.url))
    await late_words()
    await store.write(lambda t: t.release_articles([other.id]))
    [again] = await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10))
    assert (again.id, again.deaths) == (other.id, 0)
    stored = await store.read(lambda t: t.stored_article(article.id))
    assert stored is not None
    assert stored.state is ArticleState.DONE


async def test_what_was_not_claimed_gets_a_text_and_keeps_its_holder(store: SqlStore) -> None:
    """The page of an article under a second URL is the first one's, which another may be reading."""
    store.holder = 7
    article, other = await given_articles(store, "a", "b")
    store.holder = 8

    async def save(which: PendingArticle, due_at: datetime | None) -> None:
        text = content(which.url)
        await store.write(
            lambda t: t.save_article(
                which.id, text, state=ArticleState.DONE, now=NOW, due_at=due_at, is_claimed=False
            )
        )

    await save(article, None)
    stored = await store.read(lambda t: t.stored_article(article.id))
    assert stored is not None
    assert stored.content.title == "ceasefire holds"
    assert await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10)) == []
    await store.write(lambda t: t.release_leases_of([7], NOW))
    again = await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10))
    assert {each.id for each in again} == {article.id, other.id}  # still due: it was somebody's
    await given_up(store, 8)
    await save(article, None)
    [again] = await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10))
    assert again.id == other.id


async def test_a_late_word_of_a_call_ends_no_other_call(store: SqlStore) -> None:
    """A refusal that comes late would have the message posted again, without a look."""
    store.holder = 7
    story = await given_story(store)
    card = Card(title="Stopped")
    await store.write(lambda t: t.want_delivery(story, "#a", NOW))
    await store.write(lambda t: t.tell("#b", "ops", card, NOW))
    for channel in ("#a", "#b"):
        await store.write(lambda t, to=channel: t.claim_due(to, NOW, LEASE))
    await given_up(store, 7)
    delivery = await store.write(lambda t: t.claim_due("#a", NOW, LEASE))
    notice = await store.write(lambda t: t.claim_due("#b", NOW, LEASE))
    assert delivery is not None
    assert notice is not None
    for row, finish in (
        (delivery, lambda t, *how: t.finish_delivery(delivery.id, *how, due_at=NOW)),
        (notice, lambda t, *how: t.finish_notice(notice.id, *how, due_at=NOW)),
    ):
        store.holder = 7
        for state in (DeliveryState.RETRY, DeliveryState.DEAD, DeliveryState.SENDING):
            assert not await store.write(lambda t, f=finish, s=state: f(t, s, NOW))
        await store.write(lambda t: t.drop_delivery(delivery.id))
        assert await store.write(lambda t, r=row: t.claim_due(r.channel, NOW, LEASE)) is None
        store.holder = 8
        assert await store.write(lambda t, f=finish: f(t, DeliveryState.RETRY, NOW))
        assert not await store.write(lambda t, f=finish: f(t, DeliveryState.DEAD, NOW))


async def test_a_late_word_of_a_subscriber_ends_no_lease_of_another(store: SqlStore) -> None:
    """A hub is asked by one at a time."""
    store.holder = 7
    feed = await given_feed(store)
    where = {"hub": f"https://{HOST}/hub", "topic": feed.spec.url}
    callback = "https://monitor.example/websub/0123"
    await store.write(
        lambda t: t.subscribe(feed.id, **where, callback=callback, secret="s", now=NOW)
    )
    [one] = await store.write(lambda t: t.claim_subscriptions(BUCKET, NOW, LEASE, 10))
    await given_up(store, 7)
    [one] = await store.write(lambda t: t.claim_subscriptions(BUCKET, NOW, LEASE, 10))
    store.holder = 7
    await store.write(lambda t: t.release_subscriptions([one.id]))
    assert await store.write(lambda t: t.claim_subscriptions(BUCKET, NOW, LEASE, 10)) == []
    store.holder = 8
    await store.write(lambda t: t.release_subscriptions([one.id]))
    assert await store.write(lambda t: t.claim_subscriptions(BUCKET, NOW, LEASE, 10)) == [one]


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
