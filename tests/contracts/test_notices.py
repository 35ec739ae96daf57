"""What every store promises about notices: one message per channel and subject, in its place."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts import Card, Part, line
from monitor.model import (
    Delivery,
    DeliveryState,
    Kind,
    Notice,
    Sent,
    StoryId,
)
from monitor.ports import Told
from monitor.storage import SqlStore
from tests.contracts.material import LEASE, MINUTE, NOW, SECOND, given_story

CHANNEL = "#newsdesk"
SENT = Sent(channel="C1", ref="1715342400.000100")
REPLY = Sent(channel="C1", ref="1715342401.000100")
ZERO = timedelta()


def card(title: str = "Dawn is silent") -> Card:
    """Something to say."""
    return Card(title=title, lines=(line("since ", Part(text="", at=NOW)),), notify=("U1",))


async def tell(
    store: SqlStore,
    subject: str = "feed:1",
    title: str = "Dawn is silent",
    *,
    after: timedelta = ZERO,
    story: StoryId | None = None,
    due: timedelta | None = None,
    again: bool = False,
) -> bool:
    """Say something in the channel."""
    due_at = None if due is None else NOW + due
    return await store.write(
        lambda t: t.tell(
            CHANNEL, subject, card(title), NOW + after, story=story, due_at=due_at, again=again
        )
    )


async def claim(store: SqlStore, after: timedelta = ZERO) -> Delivery | Notice | None:
    """Take what is due in the channel."""
    return await store.write(lambda t: t.claim_due(CHANNEL, NOW + after, LEASE))


async def claimed(store: SqlStore, after: timedelta = ZERO) -> Notice:
    """Take the notice that must be due in the channel."""
    notice = await claim(store, after)
    assert isinstance(notice, Notice)
    return notice


async def finish(
    store: SqlStore,
    row: Delivery | Notice,
    state: DeliveryState = DeliveryState.SENT,
    *,
    sent: Sent | None = SENT,
    due: timedelta | None = None,
    error: str | None = None,
) -> None:
    """End a call."""
    due_at = None if due is None else NOW + due
    await store.write(
        lambda t: (t.finish_notice if isinstance(row, Notice) else t.finish_delivery)(
            row.id, state, NOW, sent=sent, due_at=due_at, error=error
        )
    )


async def told(store: SqlStore, subject: str = "feed:1") -> Told | None:
    """What was said about it."""
    return await store.read(lambda t: t.told(CHANNEL, subject))


async def test_a_subject_is_told_once_in_a_channel(store: SqlStore) -> None:
    """The first word makes the row; the next is none, unless it is to replace the first."""
    assert await tell(store)
    assert not await tell(store)
    assert not await tell(store, title="other words")
    assert await store.write(lambda t: t.tell("#other", "feed:1", card(), NOW))

    notice = await claimed(store)
    assert (notice.subject, notice.channel, notice.card) == ("feed:1", CHANNEL, card())
    assert (notice.attempts, notice.sent, notice.found_sending_at) == (1, None, None)
    assert (notice.story, notice.root, notice.broadcast) == (None, None, False)
    assert await claim(store) is None


async def test_what_is_told_again_is_an_edit(store: SqlStore) -> None:
    """The same message, other words; the same words are no news."""
    await tell(store)
    first = await claimed(store)
    await finish(store, first)
    assert not await tell(store, again=True)
    assert await claim(store, timedelta(days=1)) is None

    assert await tell(store, title="Dawn is back", after=MINUTE, again=True)
    assert await claim(store) is None
    edit = await claimed(store, MINUTE)
    assert (edit.id, edit.sent, edit.attempts) == (first.id, SENT, 1)
    assert edit.card.title == "Dawn is back"


async def test_what_is_told_again_before_it_is_shown_keeps_its_turn(store: SqlStore) -> None:
    """One message, with the newest words."""
    await tell(store)
    await tell(store, "other", after=SECOND)
    assert await tell(store, title="Dawn is back", after=MINUTE, again=True)

    first = await claimed(store, MINUTE)
    assert (first.subject, first.card.title) == ("feed:1", "Dawn is back")


async def test_what_is_told_again_during_a_call_is_due_at_its_end(store: SqlStore) -> None:
    """The message that is just being sent has the old words."""
    await tell(store)
    running = await claimed(store)
    await tell(store, title="Dawn is back", again=True)
    assert await claim(store) is None
    await finish(store, running)

    again = await claimed(store)
    assert (again.id, again.sent, again.card.title) == (running.id, SENT, "Dawn is back")


async def test_what_is_given_up_stays_so(store: SqlStore) -> None:
    """Like a story's message."""
    await tell(store)
    await finish(store, await claimed(store), DeliveryState.DEAD, sent=None, error="refused")
    assert not await tell(store, title="other words", again=True)

    assert await claim(store, timedelta(days=1)) is None
    known = await told(store)
    assert known is not None
    assert known.state is DeliveryState.DEAD


async def test_it_is_known_what_was_told(store: SqlStore) -> None:
    """The words, when they were said, and where they stand."""
    assert await told(store) is None
    await tell(store, due=MINUTE)
    known = await told(store)
    assert known is not None
    assert (known.card, known.told_at, known.due_at) == (card(), NOW, NOW + MINUTE)
    assert (known.state, known.sent, known.sent_at) == (DeliveryState.PENDING, None, None)

    await finish(store, await claimed(store, MINUTE))
    known = await told(store)
    assert known is not None
    assert (known.state, known.sent, known.sent_at) == (DeliveryState.SENT, SENT, NOW)


async def test_what_is_for_later_waits_and_is_in_nobodys_way(store: SqlStore) -> None:
    """A digest for the morning does not hold the night's alerts."""
    story = await given_story(store)
    await tell(store, "digest", due=timedelta(hours=7))
    await tell(store, "feed:1")
    await store.write(lambda t: t.want_delivery(story, CHANNEL, NOW))

    alert = await claim(store)
    assert isinstance(alert, Delivery)
    await finish(store, alert)
    await finish(store, await claimed(store))
    assert await claim(store, MINUTE) is None
    assert (await claimed(store, timedelta(hours=7))).subject == "digest"


async def test_what_is_told_first_is_shown_first(store: SqlStore) -> None:
    """Also of two told at the same moment, and whatever kind they are of."""
    story = await given_story(store)

    def say(t: object) -> None:
        t.tell(CHANNEL, "b", card(), NOW)  # type: ignore[attr-defined]
        t.tell(CHANNEL, "a", card(), NOW)  # type: ignore[attr-defined]

    await store.write(say)
    await store.write(lambda t: t.want_delivery(story, CHANNEL, NOW + SECOND))
    await tell(store, "c", after=MINUTE)

    rows = [await claim(store, MINUTE) for _ in range(4)]
    assert [row.subject if isinstance(row, Notice) else "story" for row in rows if row] == [
        "b",
        "a",
        "story",
        "c",
    ]


async def test_nothing_new_waits_behind_a_storys_edits(store: SqlStore) -> None:
    """Slack takes fifty edits a minute, of all channels together: news would come after all of them."""
    known, other, fresh = [await given_story(store, f"guid{number}", number) for number in range(3)]
    for story in (known, other):
        await store.write(lambda t, of=story: t.want_delivery(of, CHANNEL, NOW))
        row = await claim(store)
        assert row is not None
        await finish(store, row)
        await store.write(lambda t, of=story: t.refresh_deliveries(of, NOW + SECOND))
    await store.write(lambda t: t.want_delivery(fresh, CHANNEL, NOW + MINUTE))
    await tell(store, "reply", after=2 * MINUTE, story=known)

    rows = [await claim(store, 3 * MINUTE) for _ in range(4)]
    assert [row.story for row in rows if row] == [fresh, known, known, other]
    assert [isinstance(row, Notice) for row in rows] == [False, True, False, False]


async def test_a_channel_that_cannot_be_had_keeps_its_order(store: SqlStore) -> None:
    """What comes while it is being waited for comes behind, of either kind."""
    story = await given_story(store)
    await tell(store, "first")
    await tell(store, "second")
    failed = await claimed(store)

    def pause(t: object) -> None:
        t.postpone_channel(CHANNEL, NOW + MINUTE)  # type: ignore[attr-defined]

    await store.write(pause)
    await finish(store, failed, DeliveryState.RETRY, sent=None, due=MINUTE, error="ratelimited")
    await store.write(lambda t: t.want_delivery(story, CHANNEL, NOW + SECOND))
    await tell(store, "third", after=2 * SECOND)

    assert await claim(store, MINUTE - SECOND) is None
    rows = [await claim(store, MINUTE) for _ in range(4)]
    kinds = [row.subject if isinstance(row, Notice) else "story" for row in rows if row]
    assert sorted(kinds) == ["first", "second", "story", "third"]
    assert [kind for kind in kinds if kind != "story"] == ["first", "second", "third"]


# ------------------------------------------------------------------------------ replies


async def shown_story(store: SqlStore, guid: str = "a", number: int = 1) -> StoryId:
    """A story whose message stands in the channel."""
    story = await given_story(store, guid, number)
    await store.write(lambda t: t.want_delivery(story, CHANNEL, NOW))
    root = await claim(store)
    assert isinstance(root, Delivery)
    await finish(store, root)
    return story


async def test_a_reply_goes_where_its_story_is_shown(store: SqlStore) -> None:
    """It is claimed with the message it answers."""
    story = await shown_story(store)
    await tell(store, "reply:1", story=story)

    reply = await claimed(store)
    assert (reply.story, reply.root) == (story, SENT)


async def test_a_reply_waits_for_its_story(store: SqlStore) -> None:
    """Until it is shown, whatever else is due meanwhile goes on, and the replies keep their order."""
    story = await given_story(store)
    await store.write(lambda t: t.want_delivery(story, CHANNEL, NOW))
    await tell(store, "reply:1", story=story)
    root = await claim(store)
    assert isinstance(root, Delivery)
    assert await claim(store) is None  # the root is being sent
    await tell(store, "reply:2", story=story, after=SECOND)
    await tell(store, "other", after=2 * SECOND)

    assert (await claimed(store, 3 * SECOND)).subject == "other"
    await finish(store, root)
    for subject in ("reply:1", "reply:2"):
        reply = await claimed(store, MINUTE)
        assert reply.subject == subject
        await finish(store, reply, sent=REPLY)


async def test_a_reply_waits_no_longer_than_its_story(store: SqlStore) -> None:
    """A story that can't be shown for now is asked for when it is tried again."""
    story = await given_story(store)
    await store.write(lambda t: t.want_delivery(story, CHANNEL, NOW))
    root = await claim(store)
    assert root is not None
    await finish(store, root, DeliveryState.RETRY, sent=None, due=MINUTE)
    await tell(store, "reply:1", story=story)

    again = await claim(store, MINUTE)
    assert isinstance(again, Delivery)
    await finish(store, again)
    assert (await claimed(store, MINUTE + 5 * SECOND)).root == SENT


@pytest.mark.parametrize("given_up", [True, False])
async def test_a_reply_to_what_never_was_shown_says_so(store: SqlStore, given_up: bool) -> None:
    """It is claimed without a root, for whoever decides what becomes of it."""
    story = await given_story(store)
    if given_up:
        await store.write(lambda t: t.want_delivery(story, CHANNEL, NOW))
        root = await claim(store)
        assert root is not None
        await finish(store, root, DeliveryState.DEAD, sent=None, error="refused")
    await tell(store, "reply:1", story=story)

    reply = await claimed(store)
    assert (reply.story, reply.root) == (story, None)


async def test_replies_do_not_overtake_one_that_may_be_shown(store: SqlStore) -> None:
    """Of a broken-off reply nobody knows yet: the next one waits, other stories' don't."""
    story = await shown_story(store)
    other = await shown_story(store, "b", 2)
    await tell(store, "reply:1", story=story)
    first = await claimed(store)
    await finish(store, first, DeliveryState.SENDING, sent=None)  # until its lease ends
    await tell(store, "reply:2", story=story)
    await tell(store, "reply:3", story=other)

    elsewhere = await claimed(store)
    assert elsewhere.subject == "reply:3"
    await finish(store, elsewhere)
    assert await claim(store, LEASE - SECOND) is None
    again = await claimed(store, LEASE)
    assert (again.id, again.found_sending_at) == (first.id, NOW)
    await finish(store, again, sent=REPLY)
    assert (await claimed(store, LEASE + MINUTE)).subject == "reply:2"


async def test_a_reply_follows_a_story_that_was_merged(store: SqlStore) -> None:
    """Its thread is that of the message which goes on."""
    gone = await shown_story(store)
    into = await given_story(store, "b", 2)
    await store.write(lambda t: t.want_delivery(into, CHANNEL, NOW))
    root = await claim(store)
    assert root is not None
    await finish(store, root, sent=REPLY)
    await tell(store, "reply:1", story=gone)
    await store.write(lambda t: t.merge_stories(gone, into, now=NOW))
    while isinstance(row := await claim(store), Delivery):
        await finish(store, row, sent=None)

    assert isinstance(row, Notice)
    assert row.root == REPLY


async def test_a_reply_follows_a_message_that_moved(store: SqlStore) -> None:
    """Its story was found to be another one."""
    story = await shown_story(store)
    other = await given_story(store, "b", 2)
    await tell(store, "reply:1", story=story)
    await store.write(lambda t: t.move_delivery(story, CHANNEL, other))

    reply = await claimed(store)
    assert (reply.story, reply.root) == (other, SENT)


# ------------------------------------------------------------------------------ work


async def test_channels_with_a_due_notice_have_work(store: SqlStore) -> None:
    """The tick finds it, once for both kinds."""
    story = await given_story(store)
    await store.write(lambda t: t.want_delivery(story, CHANNEL, NOW))
    await tell(store)
    await store.write(lambda t: t.tell("#ops", "feed:1", card(), NOW, due_at=NOW + MINUTE))

    def channels(after: timedelta) -> object:
        return lambda t: sorted(
            job.key for job in t.due_jobs(NOW + after) if job.kind is Kind.DELIVER
        )

    assert await store.read(channels(ZERO)) == [CHANNEL]  # type: ignore[arg-type]
    assert await store.read(channels(MINUTE)) == [CHANNEL, "#ops"]  # type: ignore[arg-type]


async def test_a_start_finds_the_calls_of_the_process_before(store: SqlStore) -> None:
    """Released leases leave `sending` as it is: the message may have been shown."""
    await tell(store)
    await claimed(store)
    assert await claim(store) is None
    await store.write(lambda t: t.release_leases())

    assert (await claimed(store)).found_sending_at == NOW
