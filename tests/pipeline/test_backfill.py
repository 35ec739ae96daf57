"""A watch that came or changed is run over what was stored before, and says so once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.model import FeedSpec, Job, Kind, Watch
from monitor.pipeline.backfill import Backfill, want_backfill
from tests.contracts.material import CEASEFIRE, content, polled
from tests.pipeline.test_pace import Room, headlines, listed, names

DAY = timedelta(hours=24)
HOLDS = Watch(name="Holds", terms=("holds",))
BACKFILL = Job(Kind.BACKFILL, "")


class Archive(Room):
    """Articles that nobody looked for when they came."""

    async def hold(self, *guids: str) -> None:
        """Articles that say "ceasefire" and "holds", found by nothing, each a story of its own."""
        now = self.clock.now()
        for pending in await self._listed(*guids):

            def save(tx, pending=pending):
                article = content(pending.url, title=f"Headline {pending.entry.guid}")
                tx.save_article(pending.id, article, state="done", now=now, due_at=None)
                story = tx.new_story(now)
                tx.put_in_story(pending.id, story, copy_of=None)
                return story

            self.stories.append(await self.store.write(save))
        feed = self.feed[0]
        await self.store.write(lambda tx: tx.save_feeds({feed.id: polled(None, polled_at=now)}))
        self.clock.advance(seconds=1)

    async def reload(self, *watches: Watch, span: timedelta | None = DAY) -> None:
        """An edit of the configuration, as the service applies it."""
        self.watch(*watches)
        now = self.clock.now()

        def apply(tx):
            want_backfill(tx, tx.sync_watches(watches, now), span, now)

        await self.store.write(apply)

    async def is_due(self) -> bool:
        return BACKFILL in await self.store.read(lambda tx: tx.due_jobs(self.clock.now()))

    async def work(self, **later: float) -> None:
        """What is due of it, then what the channel is to be told."""
        self.clock.advance(**later)
        if await self.is_due():
            await self.pipeline.run(BACKFILL)
        await self.tick()

    async def hits(self, watch: str) -> int:
        stories = self.stories
        found = await self.store.read(lambda tx: tx.watches_of(stories))
        return sum(watch in names for names in found.values())


@pytest.fixture
async def archive(store) -> Archive:
    archive = Archive(store, [])
    await archive.reload(span=None)
    return archive


async def test_a_new_watch_tells_once_what_it_would_have_found(archive: Archive) -> None:
    """Fifteen stories of the last day: hits like any others, one message with the newest ten."""
    await archive.hold("old")
    archive.clock.advance(hours=25)
    await archive.hold(*names(0, 15))
    await archive.reload(HOLDS)
    await archive.work()
    [card] = archive.cards
    assert card.title == "Watch “Holds” is on. Of the 24 h before: 15 articles in 15 stories"
    assert listed(card) == headlines(5, 15)[::-1]
    assert all(line.parts[0].url for line in card.lines)
    assert "5 older ones are on the page" in card.note[0].text
    assert (await archive.hits("Holds"), archive.alerts) == (15, [])
    await archive.work(minutes=1)
    assert len(archive.shown) == 1


async def test_it_goes_on_where_it_was_killed(archive: Archive) -> None:
    """Batches of four, a new process after each; the last one dies before it can tell."""
    await archive.hold(*names(0, 10))
    await archive.reload(HOLDS)
    context = archive.pipeline.context
    for done in (4, 8, 10):
        todo = await archive.store.read(lambda tx: tx.due_backfill(archive.clock.now()))
        await Backfill(context, batch=4)._step(todo, archive.clock.now())
        assert await archive.hits("Holds") == done
    await archive.work()
    [card] = archive.cards
    assert card.title.endswith("10 articles in 10 stories")


async def test_two_that_work_on_it_at_once_tell_once(archive: Archive) -> None:
    """Whoever comes second finds it done."""
    await archive.hold("a")
    await archive.reload(HOLDS)
    todo = await archive.store.read(lambda tx: tx.due_backfill(archive.clock.now()))
    workers = [Backfill(archive.pipeline.context) for _ in range(2)]
    for worker in workers:
        await worker._step(todo, archive.clock.now())
    for worker in workers:
        await worker.run()
    await archive.tick()
    assert (len(archive.cards), await archive.hits("Holds")) == (1, 1)


async def test_a_watch_that_looks_for_something_else_looks_back_again(archive: Archive) -> None:
    """Its channel alone is no reason to; an edit meanwhile begins anew and tells once."""
    await archive.hold("a", "b")
    await archive.reload(CEASEFIRE)
    await archive.work()
    assert len(archive.cards) == 1
    await archive.reload(Watch(name="Ceasefire", terms=CEASEFIRE.terms, notify=("U1",)))
    assert not await archive.is_due()
    archive.clock.advance(minutes=1)
    await archive.reload(Watch(name="Ceasefire", terms=("nothing of the kind",)))
    archive.clock.advance(seconds=1)
    await archive.reload(Watch(name="Ceasefire", terms=("holds",)))
    await archive.work()
    assert len(archive.cards) == 2


async def test_several_new_watches_share_a_message(archive: Archive) -> None:
    """Of one channel: counts of each, and the newest of all."""
    await archive.hold("a", "b")
    await archive.reload(HOLDS, CEASEFIRE, Watch(name="Idle", terms=("idle",)))
    await archive.work()
    [card] = archive.cards
    assert card.title == "3 watches are on. Of the 24 h before: 4 articles in 2 stories"
    assert ["".join(part.text for part in line.parts) for line in card.lines[:3]] == [
        "Holds: 2 stories",
        "Ceasefire: 2 stories",
        "Idle: 0 stories",
    ]


async def test_what_the_channel_was_told_is_not_listed(archive: Archive) -> None:
    """It is counted."""
    await archive.declare(CEASEFIRE)
    await archive.come("told")
    await archive.tick()
    await archive.hold("untold")
    await archive.reload(CEASEFIRE, HOLDS)
    await archive.work()
    [card] = archive.cards
    assert listed(card) == ["Headline untold"]
    assert "1 of them told here before" in card.note[0].text


async def test_a_watch_that_finds_nothing_says_so(archive: Archive) -> None:
    """Whoever has just written it wants to know."""
    await archive.hold("a")
    await archive.reload(Watch(name="Idle", terms=("idle",)))
    await archive.work()
    assert [card.title for card in archive.cards] == [
        "Watch “Idle” is on. Of the 24 h before: nothing"
    ]


async def test_the_first_start_of_all_has_nothing_to_tell(archive: Archive) -> None:
    """No article, no message: silence is what was to be expected."""
    await archive.reload(HOLDS)
    await archive.work()
    assert (archive.shown, await archive.is_due()) == ([], False)


async def test_a_first_start_tells_what_the_feeds_held(archive: Archive) -> None:
    """Once they were all read: these stories are told nowhere else."""
    feed = FeedSpec(url="https://slow.example/f", name="Slow", publisher="Slow")
    await archive.store.write(lambda tx: tx.sync_feeds([feed], archive.clock.now()))
    await archive.reload(HOLDS)
    await archive.work()
    assert archive.shown == []
    await archive.come("a", watches=("Holds",), want=False)
    await archive.work(minutes=1)
    assert archive.shown == []  # the slow one was not read yet
    await archive.work(minutes=10)
    [card] = archive.cards
    assert listed(card) == ["Headline a"]


async def test_it_can_be_switched_off(archive: Archive) -> None:
    """[alerts] backfill = "off"."""
    await archive.hold("a")
    await archive.reload(HOLDS, span=None)
    assert not await archive.is_due()


async def test_a_watch_that_was_taken_out_meanwhile_tells_nothing(archive: Archive) -> None:
    """Nor does it keep the queue."""
    await archive.hold("a")
    await archive.reload(HOLDS)
    await archive.reload()
    await archive.work()
    assert (archive.shown, await archive.is_due()) == ([], False)


async def test_each_watch_tells_in_its_own_channel(archive: Archive) -> None:
    """As its alerts will."""
    await archive.hold("a")
    await archive.reload(HOLDS, Watch(name="Asia", terms=("ceasefire",), channel="#asia"))
    await archive.work()
    await archive.pipeline.run(Job(Kind.DELIVER, "#asia"))
    assert len(archive.cards) == 1
    assert len(archive.sink.messages("#asia")) == 1
