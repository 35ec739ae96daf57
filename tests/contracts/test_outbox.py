"""What every store promises about deliveries: one message per story and channel, for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.model import Delivery, DeliveryState, Sent, StoryId
from monitor.storage import SqlStore
from tests.contracts.material import LEASE, MINUTE, NOW, SECOND, given_story

CHANNEL = "#newsdesk"
SENT = Sent(channel="C1", ref="1715342400.000100")


@pytest.fixture
async def story(store: SqlStore) -> StoryId:
    """A story of one article."""
    return await given_story(store)


async def want(store: SqlStore, story: StoryId, after: timedelta = timedelta()) -> bool:
    """Ask for the story in the channel."""
    return await store.write(lambda t: t.want_delivery(story, CHANNEL, NOW + after))


async def claim(store: SqlStore, after: timedelta = timedelta()) -> Delivery | None:
    """Take what is due in the channel."""
    return await store.write(lambda t: t.claim_due(CHANNEL, NOW + after, LEASE))


async def claimed(store: SqlStore, after: timedelta = timedelta()) -> Delivery:
    """Take what must be due in the channel."""
    delivery = await claim(store, after)
    assert delivery is not None
    return delivery


async def finish(
    store: SqlStore,
    delivery: Delivery,
    state: DeliveryState = DeliveryState.SENT,
    *,
    sent: Sent | None = SENT,
    due: timedelta | None = None,
    error: str | None = None,
) -> None:
    """End a call."""
    due_at = None if due is None else NOW + due
    await store.write(
        lambda t: t.finish_delivery(delivery.id, state, NOW, sent=sent, due_at=due_at, error=error)
    )


async def test_a_story_is_wanted_once_per_channel(store: SqlStore, story: StoryId) -> None:
    """The first wish makes the row, the next ones find it."""
    assert await want(store, story)
    assert not await want(store, story)
    assert await store.write(lambda t: t.want_delivery(story, "#other", NOW))

    delivery = await claimed(store)
    assert (delivery.story, delivery.channel, delivery.attempts) == (story, CHANNEL, 1)
    assert delivery.sent is None
    assert delivery.found_sending_at is None
    assert len(delivery.id) == 32
    assert await claim(store) is None


async def test_deliveries_of_a_channel_leave_in_the_order_they_were_wanted(
    store: SqlStore,
) -> None:
    """The oldest due first; of two made at the same moment, the older story."""
    stories = [await given_story(store, f"guid{number}", number) for number in range(3)]
    await want(store, stories[2], MINUTE)
    await want(store, stories[1])
    await want(store, stories[0])

    order = [(await claimed(store, MINUTE)).story for _ in stories]
    assert order == stories


async def test_a_sent_delivery_rests_until_the_story_is_wanted_again(
    store: SqlStore, story: StoryId
) -> None:
    """Then the same message is claimed with where it is shown: an edit, counted from one."""
    await want(store, story)
    first = await claimed(store)
    await finish(store, first)
    assert await claim(store, timedelta(days=1)) is None

    assert not await want(store, story, MINUTE)
    assert await claim(store) is None
    edit = await claimed(store, MINUTE)
    assert (edit.id, edit.sent, edit.attempts) == (first.id, SENT, 1)
    assert edit.found_sending_at is None
    await finish(store, edit, sent=None)
    await want(store, story, MINUTE)
    assert (await claimed(store, MINUTE)).sent == SENT


async def test_a_refresh_waits_and_is_not_put_off_by_the_next(
    store: SqlStore, story: StoryId
) -> None:
    """A story that grows all the time is shown anew all the same."""
    await want(store, story)
    await finish(store, await claimed(store))
    refresh = 30 * SECOND
    assert await store.write(lambda t: t.refresh_deliveries(story, NOW + refresh)) == [CHANNEL]
    assert await store.write(lambda t: t.refresh_deliveries(story, NOW + MINUTE)) == [CHANNEL]

    assert await claim(store, refresh - SECOND) is None
    assert (await claimed(store, refresh)).sent == SENT


async def test_a_want_is_sooner_than_a_refresh_that_waits(store: SqlStore, story: StoryId) -> None:
    """News of an article is shown at once even where an edit was put off."""
    await want(store, story)
    await finish(store, await claimed(store))
    await store.write(lambda t: t.refresh_deliveries(story, NOW + MINUTE))
    await want(store, story, SECOND)

    assert await claim(store, SECOND) is not None


async def test_a_refresh_does_not_hurry_what_was_not_shown_yet(
    store: SqlStore, story: StoryId
) -> None:
    """A retry keeps its back-off: it will show the story as it is then."""
    await want(store, story)
    first = await claimed(store)
    await finish(store, first, DeliveryState.RETRY, sent=None, due=MINUTE, error="ratelimited")
    await store.write(lambda t: t.refresh_deliveries(story, NOW))
    await want(store, story)

    assert await claim(store) is None
    again = await claimed(store, MINUTE)
    assert (again.id, again.attempts, again.sent) == (first.id, 2, None)


@pytest.mark.parametrize("refresh", [False, True])
async def test_what_is_wanted_during_a_call_is_due_again_at_its_end(
    store: SqlStore, story: StoryId, refresh: bool
) -> None:
    """The message that is just being sent may not hold the newest article."""
    await want(store, story)
    running = await claimed(store)
    if refresh:
        await store.write(lambda t: t.refresh_deliveries(story, NOW + MINUTE))
    else:
        await want(store, story)
    assert await claim(store) is None
    await finish(store, running)

    again = await claimed(store)
    assert (again.id, again.sent, again.attempts) == (running.id, SENT, 1)
    await finish(store, again)
    assert await claim(store, timedelta(days=1)) is None


async def test_a_failed_call_keeps_its_back_off_though_it_was_wanted_anew(
    store: SqlStore, story: StoryId
) -> None:
    """The retry shows the newest story anyway."""
    await want(store, story)
    running = await claimed(store)
    await want(store, story)
    await finish(store, running, DeliveryState.RETRY, sent=None, due=MINUTE)

    assert await claim(store) is None
    await finish(store, await claimed(store, MINUTE))
    assert await claim(store, timedelta(days=1)) is None


async def test_what_is_given_up_stays_so(store: SqlStore, story: StoryId) -> None:
    """A dead letter is not raised by the next copy."""
    await want(store, story)
    await finish(store, await claimed(store), DeliveryState.DEAD, sent=None, error="is_archived")
    assert not await want(store, story)
    assert await store.write(lambda t: t.refresh_deliveries(story, NOW)) == []

    assert await claim(store, timedelta(days=1)) is None


async def test_a_call_that_never_ended_is_found_with_the_time_of_its_start(
    store: SqlStore, story: StoryId
) -> None:
    """Whoever finds it must look before repeating, from the first uncertain moment on."""
    await want(store, story)
    first = await claimed(store)
    assert await claim(store, LEASE - SECOND) is None
    again = await claimed(store, LEASE)
    assert (again.id, again.attempts, again.found_sending_at) == (first.id, 2, NOW)
    third = await claimed(store, 2 * LEASE)
    assert third.found_sending_at == NOW


async def test_a_start_finds_the_calls_of_the_process_before(
    store: SqlStore, story: StoryId
) -> None:
    """Released leases leave `sending` as it is: the message may have been shown."""
    await want(store, story)
    await claimed(store)
    await store.write(lambda t: t.release_leases())

    assert (await claimed(store)).found_sending_at == NOW


async def test_an_uncertain_call_can_be_left_to_be_looked_at_later(
    store: SqlStore, story: StoryId
) -> None:
    """Finished as `sending`, it is claimed when due and still uncertain since its start."""
    await want(store, story)
    await finish(store, await claimed(store), DeliveryState.SENDING, sent=None, due=MINUTE)

    assert await claim(store, MINUTE - SECOND) is None
    assert (await claimed(store, MINUTE)).found_sending_at == NOW
    # what is certain again is certain
    await finish(store, await claimed(store, MINUTE + LEASE), DeliveryState.RETRY, due=MINUTE)
    assert (await claimed(store, MINUTE)).found_sending_at is None


async def test_an_uncertain_call_without_a_time_is_looked_at_when_its_lease_ends(
    store: SqlStore, story: StoryId
) -> None:
    """It is never forgotten."""
    await want(store, story)
    await finish(store, await claimed(store), DeliveryState.SENDING, sent=None)

    assert await claim(store, LEASE - SECOND) is None
    assert (await claimed(store, LEASE)).found_sending_at == NOW


async def test_a_late_word_does_not_undo_what_another_worker_wrote(
    store: SqlStore, story: StoryId
) -> None:
    """Of two ends of the same call the first counts."""
    await want(store, story)
    slow = await claimed(store)
    quick = await claimed(store, LEASE)
    await finish(store, quick)
    await finish(store, slow, DeliveryState.DEAD, sent=None, error="late")

    await want(store, story)
    assert (await claimed(store)).sent == SENT
