"""What people decide about stories holds for ever, and the channels show it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from monitor.compose import Rules, compose_alert
from monitor.errors import Refused
from monitor.match import compile_watches
from monitor.model import Delivery, DeliveryState, Sent, StoryId
from monitor.pipeline.by_hand import merge_by_hand, split_by_hand
from monitor.pipeline.group import Role
from monitor.ports import Transaction
from monitor.storage import SqlReports, SqlStore, tables
from tests.contracts.material import CEASEFIRE, LEASE, NOW
from tests.pipeline.desk import CHANNEL, HIT, HOUR, LATER, Desk, News, text

WATCH = replace(CEASEFIRE, channel=CHANNEL)
RULES = Rules(
    watches=(WATCH,),
    matcher=compile_watches((WATCH,)),
    default_channel=CHANNEL,
    interval=timedelta(minutes=5),
    max_age=None,
)
ONE = News("a", text(1, 300), hits=(HIT,))
OTHER = News("b", text(2, 300), hits=(HIT,))
COPY = News("copy", text(2, 300)[:1500], at=NOW + HOUR)


@pytest.fixture
async def desk(store: SqlStore) -> Desk:
    await store.write(lambda tx: tx.sync_watches([WATCH], NOW))
    return Desk(store)


async def merge(desk: Desk, one: StoryId, other: StoryId) -> StoryId:
    return await desk.store.write(lambda tx: merge_by_hand(tx, one, other, by="Ada", now=NOW))


async def split(desk: Desk, name: str) -> StoryId:
    article = desk.ids[name]
    return await desk.store.write(
        lambda tx: split_by_hand(tx, article, by="Ada", now=NOW, rules=RULES)
    )


async def alert_of(desk: Desk, delivery: Delivery):
    return compose_alert(delivery, await desk.view(delivery.story), RULES)


async def test_of_two_that_are_shown_one_message_becomes_a_pointer(desk: Desk):
    """The older goes on; the other's message says where, once, and is not touched again."""
    first, second = await desk.bring(ONE, OTHER)
    messages = {delivery.story: delivery.id for delivery in await desk.show()}
    assert await merge(desk, second.story, first.story) == first.story
    again = {delivery.id: delivery for delivery in await desk.show()}
    assert again.keys() == set(messages.values())
    pointer = await alert_of(desk, again[messages[second.story]])
    whole = await alert_of(desk, again[messages[first.story]])
    assert (pointer.pointer, pointer.headline) == (True, "Headline a")
    assert (whole.pointer, whole.also) == (False, ("Publisher 2",))

    [copy] = await desk.bring(COPY)
    assert (copy.story, copy.role) == (first.story, Role.COPY)
    assert [delivery.id for delivery in await desk.show()] == [messages[first.story]]


async def test_the_message_that_is_shown_goes_on(desk: Desk):
    """Though its story is the younger one: nothing is posted, the message tells of both."""
    first, second = await desk.bring(replace(ONE, hits=()), OTHER)
    [shown] = await desk.show()
    assert shown.story == second.story
    assert await merge(desk, first.story, second.story) == second.story
    [edited] = await desk.show()
    assert edited.id == shown.id
    assert {each.article for each in (await desk.view(first.story)).articles} == {
        *desk.ids.values()
    }


@pytest.mark.parametrize("shown_too", [True, False])
async def test_messages_of_other_channels_go_along(desk: Desk, shown_too: bool):
    """What only the one was told in is told of both from now on, shown already or not."""
    first, second = await desk.bring(ONE, OTHER)
    await desk.show()
    await desk.store.write(lambda tx: tx.want_delivery(second.story, "#asia", NOW))
    before = await desk.show("#asia") if shown_too else []
    await merge(desk, first.story, second.story)
    [asia] = await desk.show("#asia")
    assert asia.story == first.story
    assert [delivery.id for delivery in before] == ([asia.id] if shown_too else [])


async def test_what_waits_is_told_once(desk: Desk):
    """Two messages that nobody has seen yet become one."""
    first, second = await desk.bring(ONE, OTHER)
    await merge(desk, first.story, second.story)
    [delivery] = await desk.show()
    assert delivery.story == first.story
    assert (await alert_of(desk, delivery)).also == ("Publisher 2",)


async def test_what_waits_is_told_though_the_other_was_given_up(desk: Desk):
    """What was refused was the one message, and not that of both."""
    first, second = await desk.bring(ONE, OTHER)
    refused = await claim(desk, LATER)
    assert refused.story == first.story
    await finish(desk, refused, DeliveryState.DEAD)
    assert await merge(desk, first.story, second.story) == first.story
    [delivery] = await desk.show()
    assert (delivery.story, delivery.id != refused.id) == (first.story, True)


async def test_what_is_being_sent_is_not_told_again(desk: Desk):
    """The one is shown elsewhere and waits here, where the other is on its way: that goes on."""
    second, first = await desk.bring(OTHER, replace(ONE, at=NOW + HOUR))
    await desk.store.write(lambda tx: tx.want_delivery(second.story, "#asia", NOW))
    await desk.show("#asia")
    await desk.store.write(lambda tx: tx.postpone_channel(CHANNEL, LATER))
    await desk.store.write(recall_last)
    sending = await claim(desk, NOW)
    assert sending.story == first.story
    assert await merge(desk, first.story, second.story) == second.story
    await finish(desk, sending, DeliveryState.SENT, Sent(channel="C1", ref="1"))
    [edited] = await desk.show()
    assert (edited.id, edited.story) == (sending.id, second.story)


def recall_last(tx: Transaction) -> None:
    """Have the newest story's row be due before the others'."""
    newest = sa.select(sa.func.max(tables.delivery.c.story_id)).scalar_subquery()
    row = sa.update(tables.delivery).where(tables.delivery.c.story_id == newest)
    tx.connection.execute(row.values(due_at=NOW))


async def claim(desk: Desk, now: datetime) -> Delivery:
    """What is next in the channel."""
    delivery = await desk.store.write(lambda tx: tx.claim_due(CHANNEL, now, LEASE))
    assert delivery is not None
    return delivery


async def finish(
    desk: Desk, delivery: Delivery, state: DeliveryState, sent: Sent | None = None
) -> None:
    """A call has ended."""
    await desk.store.write(lambda tx: tx.finish_delivery(delivery.id, state, NOW, sent=sent))


async def test_a_merged_story_is_found_by_what_both_were_about(desk: Desk):
    """The reports that come later match the one or the other."""
    titles = ("Hollin and Varsk sign a ceasefire", "Ostrava miners agree a ceasefire over pay")
    news = [
        News(name, f"{title}. {text(n, 20)}", title=title, hits=(HIT,))
        for n, (name, title) in enumerate(zip("ab", titles, strict=True))
    ]
    first, second = await desk.bring(*news)
    assert first.story != second.story
    await merge(desk, first.story, second.story)
    for n, title in enumerate(titles):
        [later] = await desk.bring(
            News(f"later{n}", f"{title}. {text(50 + n, 20)}", title, hits=(HIT,))
        )
        assert later.story == first.story


async def test_a_merge_of_chapters_leaves_no_circle(desk: Desk):
    """The third is told and takes the place of the first: what is next to come would go round."""
    placed = await desk.bring(*(replace(ONE, name=f"c{n}", body=text(n)) for n in range(4)))
    first, second, third, fourth = (each.story for each in placed)
    for one, other in ((first, second), (second, third), (third, fourth)):
        await desk.store.write(partial(follow, one=one, other=other))
    for _ in (first, second):  # nobody is told of these
        await desk.store.write(drop_next)
    await desk.show()
    assert await merge(desk, first, third) == third
    after = {
        story: await desk.store.read(lambda tx, s=story: tx.chapter_after(s))
        for story in (second, third, fourth)
    }
    assert after == {second: None, third: fourth, fourth: None}


def follow(tx: Transaction, one: StoryId, other: StoryId) -> None:
    """Have a story be the chapter after another."""
    tx.connection.execute(
        sa.update(tables.story).values(follows=one).where(tables.story.c.id == other)
    )


def drop_next(tx: Transaction) -> None:
    """Nobody is to be told what is next in the channel."""
    delivery = tx.claim_due(CHANNEL, LATER, LEASE)
    assert delivery is not None
    tx.drop_delivery(delivery.id)


async def test_a_split_article_takes_its_copies_along_and_is_told(desk: Desk):
    """It was in another's message; now it has its own, and stays there however it is looked at."""
    first, second = await desk.bring(ONE, OTHER)
    await merge(desk, first.story, second.story)
    await desk.bring(COPY)
    [shown] = await desk.show()
    own = await split(desk, "b")
    assert await desk.together() == {frozenset("a"), frozenset({"b", "copy"})}
    told = {delivery.story: delivery for delivery in await desk.show()}
    assert told.keys() == {first.story, own}
    assert told[first.story].id == shown.id
    assert (await alert_of(desk, told[first.story])).also == ()

    [again] = await desk.bring(replace(COPY, name="copy2"))
    assert (again.story, again.role) == (own, Role.COPY)
    await desk.again(OTHER)
    await desk.again(COPY)
    assert await desk.together() == {frozenset("a"), frozenset({"b", "copy", "copy2"})}


@pytest.mark.parametrize("state", ["shown", "waiting", "on its way", "given up"])
async def test_the_message_goes_along_with_all_that_was_found(desk: Desk, state: str):
    """Nothing is left in the old story to be told: the headline is not posted a second time."""
    first, second = await desk.bring(ONE, replace(OTHER, hits=()))
    await merge(desk, first.story, second.story)
    [before] = await desk.show() if state == "shown" else [None]
    if state in {"on its way", "given up"}:
        before = await claim(desk, LATER)
    if state == "given up":
        await finish(desk, before, DeliveryState.DEAD)
    own = await split(desk, "a")
    if state == "on its way":
        await finish(desk, before, DeliveryState.SENT, Sent(channel="C1", ref="1"))
    [after] = await desk.show()
    assert after.story == own
    assert (await alert_of(desk, after)).headline == "Headline a"
    if before is not None:
        assert (after.id == before.id) == (state != "given up")

    if state != "given up":  # the other is told by itself, if it comes to that
        await desk.again(replace(OTHER, hits=(HIT,)))
        [told] = await desk.show()
        assert (told.story, told.id != after.id) == (first.story, True)


async def test_a_copy_that_was_split_off_stays_off(desk: Desk):
    """Its text would put it back; nobody was told of it, so that it could be moved."""
    first, copy = await desk.bring(replace(OTHER, hits=()), COPY)
    assert copy.story == first.story
    own = await split(desk, "copy")
    assert (await desk.again(COPY)).story == own != first.story
    [later] = await desk.bring(replace(COPY, name="copy2", at=NOW + 2 * HOUR))
    assert later.story in {own, first.story}
    assert (
        len(await desk.together()) == 2
    )  # a copy of both does not put together what was taken apart


async def test_a_split_can_be_taken_back_by_a_merge(desk: Desk):
    """The newest word counts."""
    first, _ = await desk.bring(replace(OTHER, hits=()), COPY)
    own = await split(desk, "copy")
    trace = await SqlReports(desk.store).story(own)
    assert {(each.story, each.belongs, each.by) for each in trace.verdicts} == {
        (first.story, False, "Ada"),
        (own, True, "Ada"),
    }
    merging = partial(merge_by_hand, one=own, other=first.story, by="Bob", now=NOW)
    assert await desk.store.write(merging) == first.story
    trace = await SqlReports(desk.store).story(own)
    assert [(each.story, each.belongs, each.by) for each in trace.verdicts] == []
    assert [(story, by) for story, _, by in trace.merged] == [(own, "Bob")]
    assert len(await desk.together()) == 1
    await desk.bring(replace(COPY, name="copy2", at=NOW + 2 * HOUR))
    assert len(await desk.together()) == 1


async def test_what_was_decided_of_a_story_holds_for_what_it_is_merged_into(desk: Desk):
    """By whom stays, too; the article that was taken out is not put back."""
    first, _ = await desk.bring(replace(OTHER, hits=()), COPY)
    own = await split(desk, "copy")
    [one] = await desk.bring(ONE)
    merging = partial(merge_by_hand, one=one.story, other=first.story, by="Bob", now=NOW)
    kept = await desk.store.write(merging)
    trace = await SqlReports(desk.store).story(kept)
    assert [(each.story, each.belongs, each.by) for each in trace.verdicts] == [
        (kept, False, "Ada")
    ]
    assert await desk.store.read(lambda tx: tx.ruled_apart(kept, own))
    assert (await desk.again(COPY)).story == own


async def test_what_makes_no_sense_is_refused(desk: Desk):
    """With a sentence that says why."""
    [first, _] = await desk.bring(OTHER, COPY)
    with pytest.raises(Refused, match=r"no story 99: see `monitor stories list`"):
        await merge(desk, first.story, StoryId(99))
    with pytest.raises(Refused, match="are one already"):
        await merge(desk, first.story, first.story)
    with pytest.raises(Refused, match="nothing but its copies is in story"):
        await split(desk, "b")
    await desk.list(ONE)
    with pytest.raises(Refused, match="in no story yet"):
        await split(desk, "a")
