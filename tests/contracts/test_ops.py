"""What every store knows of how the service fares."""

from __future__ import annotations

from datetime import datetime, timedelta

from alerts import Card
from monitor.errors import Code
from monitor.model import DeliveryState, FeedStatus, Health, Sent
from monitor.ports import Transaction
from monitor.storage import SqlStore
from tests.contracts.material import LEASE, MINUTE, NOW, given_feed, given_story, polled

CHANNEL = "#ops"
HOUR = timedelta(hours=1)


async def given_health(
    store: SqlStore, number: int, health: Health, since: datetime, *, failures: int = 0
) -> None:
    """A feed that is so since then."""
    feed = await given_feed(store, number, f"host{number}.example")
    update = polled(
        NOW + HOUR,
        status=FeedStatus.FAILING if failures else FeedStatus.OK,
        failures=failures,
        health=health,
        health_since=since,
        error_code=str(Code.SERVER_ERROR) if failures else None,
        error_detail="503" if failures else None,
    )
    await store.write(lambda tx: tx.save_feeds({feed.id: update}))


async def tell(store: SqlStore, subject: str, after: timedelta = timedelta()) -> None:
    """Say something in the channel."""
    await store.write(lambda tx: tx.tell(CHANNEL, subject, Card(title=subject), NOW + after))


async def test_feeds_in_trouble_are_counted_and_the_first_given(store: SqlStore) -> None:
    """Those that fell ill since then, longest first; feeds that left the configuration don't count."""
    await given_health(store, 1, Health.FAILING, NOW, failures=3)
    await given_health(store, 2, Health.LIVE, NOW)
    # each declaration leaves out the feeds before: only the last one is polled
    count, feeds = await store.read(lambda tx: tx.ill_feeds(NOW - HOUR, 10))
    assert (count, feeds) == (0, [])
    await given_health(store, 3, Health.CHALLENGED, NOW, failures=4)
    count, [feed] = await store.read(lambda tx: tx.ill_feeds(NOW - HOUR, 10))
    assert (count, feed.name, feed.health, feed.since) == (1, "Feed 3", Health.CHALLENGED, NOW)
    assert feed.error == "503"
    assert (await store.read(lambda tx: tx.ill_feeds(NOW + MINUTE, 10)))[0] == 0
    assert await store.read(lambda tx: tx.ill_feeds(NOW, 0)) == (1, [])


async def test_polls_are_counted_with_those_that_failed(store: SqlStore) -> None:
    """Of the feeds that are polled, by their last poll."""
    assert await store.read(lambda tx: tx.polls_since(NOW)) == (0, 0)
    await given_health(store, 1, Health.LIVE, NOW, failures=1)
    assert await store.read(lambda tx: tx.polls_since(NOW)) == (1, 1)
    assert await store.read(lambda tx: tx.polls_since(NOW + MINUTE)) == (0, 0)


async def test_what_was_told_last_of_a_kind_is_found(store: SqlStore) -> None:
    """By how its subject begins, whatever characters that has."""
    prefix = "feed:https://a_b.example/%7e:"
    assert await store.read(lambda tx: tx.last_told(CHANNEL, prefix)) is None
    await tell(store, f"{prefix}1")
    await tell(store, f"{prefix}2", MINUTE)
    await tell(store, "feed:https://axb.example/%7e:3", 2 * MINUTE)
    await tell(store, "feed:https://a_b.example/x7e:4", 2 * MINUTE)

    found = await store.read(lambda tx: tx.last_told(CHANNEL, prefix))
    assert found is not None
    assert (found[0], found[1].card.title, found[1].told_at) == (
        f"{prefix}2",
        f"{prefix}2",
        NOW + MINUTE,
    )
    assert await store.read(lambda tx: tx.told_since(CHANNEL, "feed:", NOW + MINUTE)) == 3
    assert await store.read(lambda tx: tx.told_since("#other", "feed:", NOW)) == 0


async def test_what_nobody_began_to_show_is_taken_back(store: SqlStore) -> None:
    """What may be shown stays."""
    await tell(store, "feed:1")
    notice = await store.write(lambda tx: tx.claim_due(CHANNEL, NOW, LEASE))
    assert notice is not None
    await tell(store, "feed:2")
    await tell(store, "feeds:1")
    await store.write(lambda tx: tx.take_back(CHANNEL, "feed:"))

    def kept(tx: Transaction) -> list[str]:
        subjects = ("feed:1", "feed:2", "feeds:1")
        return [subject for subject in subjects if tx.told(CHANNEL, subject)]

    assert await store.read(kept) == ["feed:1", "feeds:1"]


async def test_a_day_in_numbers(store: SqlStore) -> None:
    """What came, what was shown, what was refused, what waits."""
    shown, refused, _ = [await given_story(store, f"g{n}", n) for n in (1, 2, 3)]
    for story in (shown, refused):
        await store.write(lambda tx, s=story: tx.want_delivery(s, "#desk", NOW))
    for state in (DeliveryState.SENT, DeliveryState.DEAD):
        row = await store.write(lambda tx: tx.claim_due("#desk", NOW, LEASE))
        assert row is not None
        sent = Sent(channel="C1", ref="1") if state is DeliveryState.SENT else None
        await store.write(
            lambda tx, r=row, s=state, at=sent: tx.finish_delivery(r.id, s, NOW, sent=at)
        )
    day = await store.read(lambda tx: tx.day_since(NOW - HOUR, NOW))
    assert (day.articles, day.alerts, day.dead, day.oldest_waiting_at) == (3, 1, 1, None)
    assert sum(day.feeds.values()) == 1  # the others left the configuration
    await store.write(lambda tx: tx.want_delivery(shown, "#late", NOW + MINUTE))
    day = await store.read(lambda tx: tx.day_since(NOW + HOUR, NOW + HOUR))
    assert (day.articles, day.alerts, day.dead) == (0, 0, 0)
    assert day.oldest_waiting_at == NOW + MINUTE
    assert await store.read(lambda tx: tx.dead_since("#desk", NOW)) == 1
    assert await store.read(lambda tx: tx.dead_since("#late", NOW)) == 0


async def test_that_the_sink_refuses_us_is_known_to_all(database_url: str) -> None:
    """Whoever found out, whoever hears that it is over; of a sink that is not in use any more nothing."""
    async with SqlStore(database_url) as sends, SqlStore(database_url) as shows:

        async def known() -> tuple[str, str] | None:
            return await shows.read(lambda tx: tx.sink_trouble())

        assert await known() is None
        await sends.write(lambda tx: tx.note_sink("webhook", "no_service", NOW))
        await sends.write(lambda tx: tx.note_sink("slack", "invalid_auth", NOW))
        assert await known() == ("slack", "invalid_auth")
        await shows.write(lambda tx: tx.note_sink("slack", "a\x00b", NOW))
        assert (await known() or ("", ""))[1].startswith("a")
        await shows.write(lambda tx: tx.note_sink("slack", None, NOW))
        assert await known() is None
