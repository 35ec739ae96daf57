"""What every store promises about what people do about messages."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from alerts import Card
from monitor.model import Deed, DeliveryId, DeliveryState, Hand, Sent, StoryId
from monitor.ports import AuditRow, Judged, Precision, Transaction
from monitor.storage import SqlReports, SqlStore
from tests.contracts.material import CEASEFIRE, HIT, KASHMIR, LEASE, MINUTE, NOW, given_story

CHANNEL = "#newsdesk"
SENT = Sent(channel="C1", ref="1715342400.000100")


@pytest.fixture
async def story(store: SqlStore) -> StoryId:
    """A story of one article."""
    return await given_story(store)


async def shown(store: SqlStore, story: StoryId, after: timedelta = timedelta()) -> DeliveryId:
    """A message of a story."""

    def work(tx: Transaction) -> DeliveryId:
        tx.want_delivery(story, CHANNEL, NOW + after)
        delivery = tx.claim_due(CHANNEL, NOW + after, LEASE)
        assert delivery is not None
        tx.finish_delivery(delivery.id, DeliveryState.SENT, NOW + after, sent=SENT)
        return delivery.id

    return await store.write(work)


def note(tx: Transaction, mark: str = "ack:d:U1:1") -> bool:
    """Somebody acknowledged."""
    return tx.note_deed(
        mark, user="U1", name="Asha", action="ack", subject="d", channel="C1", now=NOW
    )


async def test_a_deed_is_noted_once_however_often_it_is_told(store: SqlStore) -> None:
    """By its mark, a long one too; and by several at once."""
    told = await asyncio.gather(*(store.write(note) for _ in range(4)))
    assert sorted(told) == [False, False, False, True]
    assert await store.write(lambda tx: note(tx, "x" * 5000))
    assert not await store.write(lambda tx: note(tx, "x" * 5000))
    row = AuditRow(at=NOW, user="U1", name="Asha", action="ack", subject="d", channel="C1")
    assert await SqlReports(store).audit(10) == [row, row]
    assert await SqlReports(store).audit(1) == [row]


async def test_hands_come_with_the_delivery(store: SqlStore, story: StoryId) -> None:
    """The first one stays; what is taken back is gone."""
    delivery = await shown(store, story)
    set_hand = lambda by: lambda tx: tx.set_hand(delivery, Deed.SEEN, by, NOW)  # noqa: E731
    assert await store.write(set_hand("Asha"))
    assert not await store.write(set_hand("Omar"))
    assert await store.read(lambda tx: tx.delivery_of(delivery)) == (story, CHANNEL)
    assert await store.read(lambda tx: tx.delivery_of(DeliveryId("none"))) is None
    await store.write(lambda tx: tx.want_delivery(story, CHANNEL, NOW))
    claimed = await store.write(lambda tx: tx.claim_due(CHANNEL, NOW, LEASE))
    assert claimed is not None
    assert claimed.hands == {Deed.SEEN: Hand(by="Asha", at=NOW)}
    assert await store.write(lambda tx: tx.clear_hand(delivery, Deed.SEEN))
    assert not await store.write(lambda tx: tx.clear_hand(delivery, Deed.SEEN))


async def test_what_is_muted_is_neither_edited_nor_answered(
    store: SqlStore, story: StoryId
) -> None:
    """Not by a hit, not by a copy, not by a reply; in this channel alone, and until it is undone."""
    delivery = await shown(store, story)
    await store.write(lambda tx: tx.set_hand(delivery, Deed.MUTED, "Asha", NOW))

    def grow(tx: Transaction) -> tuple[bool, list[str]]:
        tx.want_delivery(story, CHANNEL, NOW)
        reply = tx.tell(CHANNEL, f"reply:{story}:x", Card(title="More"), NOW, story=story)
        return reply, list(tx.refresh_deliveries(story, NOW))

    assert await store.read(lambda tx: tx.is_muted(story, CHANNEL))
    assert not await store.read(lambda tx: tx.is_muted(story, "#other"))
    assert await store.write(grow) == (False, [])
    assert await store.write(lambda tx: tx.claim_due(CHANNEL, NOW + MINUTE, LEASE)) is None
    await store.write(lambda tx: tx.clear_hand(delivery, Deed.MUTED))
    assert await store.write(grow) == (True, [CHANNEL])


async def test_a_snooze_ends_by_itself_or_by_hand(store: SqlStore) -> None:
    """The last one counts; of the channel asked for."""
    await store.write(lambda tx: tx.snooze("Ceasefire", CHANNEL, NOW + MINUTE, "Asha"))
    await store.write(lambda tx: tx.snooze("Ceasefire", CHANNEL, NOW + 2 * MINUTE, "Omar"))
    await store.write(lambda tx: tx.snooze("Kashmir", "#other", NOW + MINUTE, "Asha"))
    at = lambda after: store.read(lambda tx: tx.snoozes(CHANNEL, NOW + after))  # noqa: E731
    assert await at(MINUTE) == {"Ceasefire": NOW + 2 * MINUTE}
    assert await at(2 * MINUTE) == {}
    await store.write(lambda tx: tx.end_snooze("Ceasefire", CHANNEL, NOW))
    assert await at(MINUTE) == {}


LENGTHS = {"short": timedelta(hours=1), "long": timedelta(hours=24)}


@pytest.mark.parametrize(
    ("pressed", "until", "then"),
    [
        (["short"], timedelta(hours=25), timedelta(hours=1)),
        (["long", "short"], timedelta(hours=25), timedelta(hours=1)),
        (["short", "long"], timedelta(hours=25), timedelta(hours=24)),
        (["long", "ack"], timedelta(hours=25), timedelta(hours=24)),
        (["long"], timedelta(hours=23), None),
        (["short"], timedelta(hours=1, minutes=1), None),  # clocks of machines differ
        ([], timedelta(hours=25), timedelta(hours=24)),  # nobody knows any more what was pressed
        ([], timedelta(hours=23), None),
    ],
)
async def test_a_snooze_of_a_clock_ahead_is_shortened_to_its_own_length(
    store: SqlStore,
    story: StoryId,
    pressed: list[str],
    until: timedelta,
    then: timedelta | None,
) -> None:
    """By the last that was pressed on its message, which says so from now on."""
    delivery = await shown(store, story)

    def snooze(tx: Transaction) -> None:
        for number, action in enumerate(pressed):
            tx.note_deed(
                str(number), user="U1", name="Asha", action=action, subject=delivery,
                channel="C1", now=NOW - number * MINUTE,
            )  # fmt: skip
        if pressed:
            tx.set_hand(delivery, Deed.SNOOZED, "Asha", NOW + until)
        tx.snooze("Ceasefire", CHANNEL, NOW + until, "Asha")
        tx.snooze("Kashmir", "#other", NOW + MINUTE, "Omar")

    await store.write(snooze)
    for expected in ([delivery] if pressed and then else [], []):  # once
        assert await store.write(lambda tx: tx.shorten_snoozes(LENGTHS, NOW)) == expected
    ends = NOW + (until if then is None else then)
    assert await store.read(lambda tx: tx.snoozes(CHANNEL, NOW)) == {"Ceasefire": ends}
    assert await store.read(lambda tx: tx.snoozes("#other", NOW)) == {"Kashmir": NOW + MINUTE}
    if pressed:
        hands = await store.read(lambda tx: tx.hands_of(delivery))
        assert hands == {Deed.SNOOZED: Hand(by="Asha", at=ends)}


async def test_precision_is_counted_by_watch_and_term(store: SqlStore) -> None:
    """A later judgement takes the place of an earlier one; one taken back does not count."""
    await store.write(lambda tx: tx.sync_watches([CEASEFIRE, KASHMIR], NOW))
    deliveries = [
        await shown(store, await given_story(store, f"g{number}", number), number * MINUTE)
        for number in range(3)
    ]

    def judge(tx: Transaction) -> None:
        for delivery in deliveries:
            found = {"Ceasefire": ["truce"], "Kashmir": ["Kashmir"]}
            tx.judge(delivery, found, relevant=True, now=NOW)
        tx.judge(deliveries[0], {"Ceasefire": ["ceasefire", "truce"]}, relevant=False, now=NOW)
        tx.judge(deliveries[1], {}, relevant=None, now=NOW)

    await store.write(judge)
    rows = {row.watch.name: row.precision for row in await SqlReports(store).watches(NOW)}
    assert rows["Ceasefire"] == Precision(
        judged=2,
        relevant=1,
        terms={"truce": Judged(judged=2, relevant=1), "ceasefire": Judged(judged=1, relevant=0)},
    )
    assert rows["Ceasefire"].precision == 0.5
    assert rows["Kashmir"] == Precision(
        judged=2, relevant=2, terms={"Kashmir": Judged(judged=2, relevant=2)}
    )


@pytest.mark.parametrize("deed", [Deed.SEEN, Deed.MUTED, Deed.IRRELEVANT, Deed.SNOOZED, None])
async def test_a_story_is_unacknowledged_until_somebody_says_something(
    store: SqlStore, story: StoryId, deed: Deed | None
) -> None:
    """Of the watches asked for, shown in the time asked for; a snooze is about other stories."""
    delivery = await shown(store, story)
    await store.write(lambda tx: tx.sync_watches([CEASEFIRE], NOW))

    def hit(tx: Transaction) -> None:
        [article] = tx.story_view(story).articles
        tx.set_hits(article.article, [HIT], NOW)
        if deed:
            tx.set_hand(delivery, deed, "Asha", NOW)

    await store.write(hit)
    ask = lambda watches, first, last: store.read(  # noqa: E731
        lambda tx: tx.unacknowledged(watches, NOW + first, NOW + last)
    )
    there = [(story, CHANNEL)] if deed in {None, Deed.SNOOZED} else []
    assert await ask(["Ceasefire"], -MINUTE, MINUTE) == there
    assert await ask(["Kashmir"], -MINUTE, MINUTE) == []
    assert await ask([], -MINUTE, MINUTE) == ()
    assert await ask(["Ceasefire"], MINUTE, 2 * MINUTE) == []


async def test_a_message_is_found_by_the_end_of_its_id_sent_again_and_dropped(store: SqlStore):
    """Of either kind; of many that end so, two."""
    story = await given_story(store)
    await store.write(lambda tx: tx.want_delivery(story, "#a", NOW))
    await store.write(lambda tx: tx.tell("#a", "spike:1", Card(title="Spike"), NOW))
    delivery, notice = [
        await store.write(lambda tx: tx.claim_due("#a", NOW, LEASE)) for _ in range(2)
    ]
    assert delivery is not None
    assert notice is not None
    for row, finish in ((delivery, "finish_delivery"), (notice, "finish_notice")):
        await store.write(
            lambda tx, r=row, f=finish: getattr(tx, f)(r.id, DeliveryState.DEAD, NOW, error="no")
        )
        [found] = await store.read(lambda tx, r=row: tx.messages_named(r.id[-8:]))
        assert (found.id, found.channel, found.is_shown) == (row.id, "#a", False)
        assert found.state is DeliveryState.DEAD
        await store.write(lambda tx, r=row: tx.drop(r.id, "dropped by Ada"))
        assert await store.write(lambda tx: tx.claim_due("#a", NOW, LEASE)) is None
        await store.write(lambda tx, r=row: tx.resend(r.id, NOW))
        again = await store.write(lambda tx: tx.claim_due("#a", NOW, LEASE))
        assert again is not None
        assert (again.id, again.attempts, again.found_sending_at) == (row.id, 1, None)
    assert await store.read(lambda tx: tx.messages_named("nothing")) == []
    assert len(await store.read(lambda tx: tx.messages_named(""))) == 2
