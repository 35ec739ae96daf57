"""Stories that wait to be corroborated, and what stands under others, on either database."""

from __future__ import annotations

from datetime import timedelta

from alerts import Card
from monitor.model import StoryId
from monitor.ports import Hold
from monitor.storage import SqlStore
from tests.contracts.material import LEASE, NOW, given_articles, given_story, in_new_story

HOUR = timedelta(hours=1)


async def test_a_story_waits_since_it_did_first(store: SqlStore):
    """What it lacks changes; once for each watch; unknown watches wait for nothing."""
    story = await given_story(store)
    for name, lacks, at in (
        ("Ceasefire", "1 of 3 publishers", NOW),
        ("Ceasefire", "2 of 3 publishers", NOW + HOUR),
        ("Kashmir", "1 of 2 sides", NOW + HOUR),
        ("Nobody's", "1 of 2 sides", NOW),
    ):
        await store.write(lambda tx, n=name, w=lacks, t=at: tx.hold(story, n, w, t))
    held = await store.read(lambda tx: tx.holds(story))
    assert held == {
        "Ceasefire": Hold(watch="Ceasefire", lacks="2 of 3 publishers", since=NOW),
        "Kashmir": Hold(watch="Kashmir", lacks="1 of 2 sides", since=NOW + HOUR),
    }
    assert await store.read(lambda tx: tx.held_stories()) == [story]
    await store.write(lambda tx: tx.release(story, "Ceasefire"))
    assert [*await store.read(lambda tx: tx.holds(story))] == ["Kashmir"]
    assert await store.write(lambda tx: tx.forget_holds(NOW + 3 * HOUR, 2 * HOUR)) == 0
    assert await store.write(lambda tx: tx.forget_holds(NOW + 4 * HOUR, 2 * HOUR)) == 1
    assert await store.read(lambda tx: tx.held_stories()) == []


async def test_a_story_that_is_left_waits_for_nothing(store: SqlStore):
    """Its only article moves to another: nothing is left of it, and nothing is in the way."""
    story = await given_story(store)
    await store.write(lambda tx: tx.hold(story, "Ceasefire", "1 of 2 publishers", NOW))
    [article] = await given_articles(store, "b", number=2)
    other = await store.write(in_new_story(article.id, article.url))
    [first] = (await store.read(lambda tx: tx.story_view(story))).articles
    await store.write(lambda tx: tx.put_in_story(first.article, other, copy_of=None))
    assert await store.read(lambda tx: tx.held_stories()) == []
    assert (await store.read(lambda tx: tx.story_view(story))).articles == ()


async def test_what_stands_under_a_story_is_counted(store: SqlStore):
    """Since a moment, in a channel; and where it is wanted, and shown."""
    story = await given_story(store)
    await store.write(lambda tx: tx.want_delivery(story, "#a", NOW))
    assert await store.read(lambda tx: (tx.wanted_in(story), tx.shown_in(story))) == (["#a"], [])
    await store.write(lambda tx: tx.claim_due("#a", NOW, LEASE))
    assert await store.read(lambda tx: tx.shown_in(story)) == ["#a"]
    for number, subject in enumerate(("one", "two", "three")):
        at = NOW + number * HOUR
        await store.write(
            lambda tx, s=subject, t=at: tx.tell("#a", f"reply:{s}", Card(title=s), t, story=story)
        )
    lately = await store.read(lambda tx: tx.replies(story, "#a", NOW))
    assert lately == ["reply:two", "reply:three"]
    assert await store.read(lambda tx: tx.replies(StoryId(9), "#a", NOW - HOUR)) == []
    assert await store.read(lambda tx: tx.replies(story, "#b", NOW - timedelta(days=1))) == []


async def test_a_view_has_as_much_of_each_text_as_is_asked_for(store: SqlStore):
    """All of it, or its beginning; and of which side its feeds are."""
    story = await given_story(store)
    [whole] = (await store.read(lambda tx: tx.story_view(story))).articles
    [short] = (await store.read(lambda tx: tx.story_view(story, most=3))).articles
    assert (whole.body[:13], short.body) == ("The ceasefire", "The")
    assert (whole.sides, whole.tier) == (("india",), 2)
