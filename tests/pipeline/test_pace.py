"""What is told by itself, later, or together with others: each story exactly once, whatever happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from alerts import Alert, Card, Deferred
from monitor.match import compile_watches
from monitor.model import (
    DeliveryState,
    DigestTime,
    Feed,
    Hit,
    Job,
    Kind,
    PendingArticle,
    QuietHours,
    Watch,
)
from monitor.pipeline.pace import plan_digests
from monitor.storage import SqlReports
from tests.contracts.material import (
    BUCKET,
    CEASEFIRE,
    LEASE,
    NOW,
    content,
    found,
    given_feed,
)
from tests.pipeline.test_deliver import CHANNEL, MATCHED, Desk

KOLKATA = "Asia/Kolkata"  # 12:00 UTC, when the tests begin, is 17:30 there
NIGHT = QuietHours(start=time(17), end=time(7), zone=KOLKATA)
MORNING = datetime(2025, 5, 11, 1, 30, tzinfo=UTC)
URGENT = Watch(name="Urgent", terms=("urgent",), priority="critical")


class Room(Desk):
    """A desk with stories as many as a test wants, for the watches that it names."""

    def __init__(self, store, feed: list[Feed]) -> None:
        super().__init__(store)
        self.feed = feed

    def again(self) -> Room:
        """The same one after a restart."""
        room = Room(self.store, self.feed)
        room.sink, room.clock = self.sink, self.clock
        room.pipeline.context.sink, room.pipeline.context.clock = self.sink, self.clock
        return room

    def watch(self, *watches: Watch) -> None:
        rules = self.pipeline.context.rules
        self.pipeline.context.rules = replace(
            rules, watches=watches, matcher=compile_watches(watches)
        )

    async def declare(self, *watches: Watch) -> None:
        """As a start or a reload does."""
        self.watch(*watches)
        rules, now = self.pipeline.context.rules, self.clock.now()
        await self.store.write(lambda tx: tx.sync_watches(watches, now))
        await self.store.write(lambda tx: plan_digests(tx, rules, now))
        await self.store.write(lambda tx: tx.reconsider_held(now))
        self.clock.advance(seconds=1)

    async def _listed(self, *guids: str) -> Sequence[PendingArticle]:
        """Articles of these names, in a feed, claimed."""
        if not self.feed:
            self.feed.append(await given_feed(self.store))
        now, feed = self.clock.now(), self.feed[0]
        await self.store.write(lambda tx: tx.add_entries(feed, [*map(found, guids)], now))
        claimed: list[PendingArticle] = []
        while len(claimed) < len(guids):  # few of one host at once
            claimed += await self.store.write(lambda tx: tx.claim_articles(BUCKET, now, LEASE, 500))
        return sorted(claimed, key=lambda pending: pending.id)

    async def come(
        self, *guids: str, watches: tuple[str, ...] = ("Ceasefire",), want: bool = True
    ) -> None:
        """New stories, now, found by these watches, and to be told."""
        now = self.clock.now()
        for pending in await self._listed(*guids):

            def save(tx, pending=pending):
                article = content(pending.url, title=f"Headline {pending.entry.guid}")
                tx.save_article(pending.id, article, state="done", now=now, due_at=None)
                story = tx.new_story(now)
                tx.put_in_story(pending.id, story, copy_of=None)
                tx.set_hits(pending.id, [replace(MATCHED, watch=name) for name in watches], now)
                if want:
                    tx.want_delivery(story, CHANNEL, now)
                return story

            self.stories.append(await self.store.write(save))

    async def found_by(self, story: int, *watches: str) -> None:
        """Another report of a story, in which these watches found something, and it is wanted."""
        now = self.clock.now()
        [pending] = await self._listed(f"more-{now.timestamp()}")

        def save(tx):
            article = content(pending.url, title="Another headline")
            tx.save_article(pending.id, article, state="done", now=now, due_at=None)
            tx.put_in_story(pending.id, self.stories[story], copy_of=None)
            tx.set_hits(pending.id, [Hit(watch=name, spans=MATCHED.spans) for name in watches], now)
            tx.want_delivery(self.stories[story], CHANNEL, now)

        await self.store.write(save)

    async def tick(self, **later: float) -> None:
        """Some time later, all that is due in the channel, as the scheduler has it done."""
        self.clock.advance(**later)
        now = self.clock.now()
        jobs = await self.store.read(lambda tx: tx.due_jobs(now))
        if Job(Kind.DELIVER, CHANNEL) in jobs:
            await self.deliver()

    async def pass_by(self, until: datetime, step: timedelta = timedelta(minutes=10)) -> None:
        """The time until then, looked at in steps."""
        while self.clock.now() + step < until:
            await self.tick(seconds=step.total_seconds())
        await self.tick(seconds=(until - self.clock.now()).total_seconds())

    @property
    def alerts(self) -> list[str]:
        """The headlines that have a message of their own."""
        return [each.headline for each in self.shown if isinstance(each, Alert)]

    @property
    def cards(self) -> list[Card]:
        return [each for each in self.shown if isinstance(each, Card)]

    @property
    def shown(self):
        return self.sink.messages(CHANNEL)


def listed(card: Card) -> list[str]:
    """The headlines of a card's list."""
    return [line.parts[0].text for line in card.lines if line.bullet]


@pytest.fixture
async def room(store) -> Room:
    room = Room(store, [])
    await room.declare(CEASEFIRE)
    return room


def names(first: int, last: int) -> list[str]:
    return [f"{number:03}" for number in range(first, last)]


def headlines(first: int, last: int) -> list[str]:
    return [f"Headline {number:03}" for number in range(first, last)]


# ---------------------------------------------------------------------------- floods


async def test_ten_stories_in_a_minute_are_ten_messages(room: Room) -> None:
    """The limit is what is still told one by one."""
    await room.come(*names(0, 10))
    await room.tick()
    assert room.alerts == headlines(0, 10)
    assert room.cards == []


async def test_what_is_too_much_shares_one_message_that_is_edited(room: Room) -> None:
    """Ten alone, the others in a summary with links; those that come later join it."""
    await room.come(*names(0, 15))
    await room.tick()
    assert room.alerts == headlines(0, 10)
    [card] = room.cards
    assert listed(card) == headlines(10, 15)[::-1]
    assert all(line.parts[0].url for line in card.lines)
    await room.come(*names(15, 20))
    await room.tick(seconds=15)
    await room.tick(seconds=15)
    [card] = room.cards
    assert listed(card) == headlines(10, 20)[::-1]
    assert await room.states() == [DeliveryState.FOLDED] * 10 + [DeliveryState.SENT] * 10
    assert room.sink.posts == 11


async def test_a_summary_lists_so_many_then_another_begins(room: Room) -> None:
    """Sixty in a second: ten messages, and three with all the others."""
    await room.come(*names(0, 70))
    await room.tick()
    assert [len(listed(card)) for card in room.cards] == [20, 20, 20]
    told = {headline for card in room.cards for headline in listed(card)}
    assert told | set(room.alerts) == set(headlines(0, 70))
    assert not told & set(room.alerts)


async def test_after_the_flood_stories_stand_alone_and_the_next_has_its_own_summary(
    room: Room,
) -> None:
    """Calm for a minute: alone; calm for five: another message."""
    await room.come(*names(0, 12))
    await room.tick()
    room.clock.advance(minutes=2)
    await room.come("100")
    await room.tick()
    assert room.alerts[-1] == "Headline 100"
    room.clock.advance(minutes=10)
    await room.come(*names(200, 212))
    await room.tick()
    assert [listed(card) for card in room.cards] == [
        headlines(10, 12)[::-1],
        headlines(210, 212)[::-1],
    ]


async def test_a_restart_in_a_flood_decides_the_same(room: Room) -> None:
    """Counted is what the database holds."""
    await room.come(*names(0, 11))
    await room.tick()
    again = room.again()
    await again.come(*names(11, 14))
    await again.tick(seconds=15)
    await again.tick(seconds=15)
    assert (len(room.alerts), [len(listed(card)) for card in room.cards]) == (10, [4])


async def test_what_is_critical_stands_alone_in_any_flood(room: Room) -> None:
    """The flood's limit is for what can wait."""
    await room.declare(CEASEFIRE, URGENT)
    await room.come(*names(0, 12))
    await room.come("urgent", watches=("Urgent",))
    await room.tick()
    assert room.alerts == [*headlines(0, 10), "Headline urgent"]


async def test_a_folded_story_stays_folded_unless_it_becomes_critical(room: Room) -> None:
    """More of it changes nothing; a critical watch that finds it opens its own message."""
    await room.declare(CEASEFIRE, URGENT)
    await room.come(*names(0, 12))
    await room.tick()
    await room.found_by(11, "Ceasefire")
    await room.tick(minutes=1)
    assert (len(room.alerts), len(room.cards)) == (10, 1)
    await room.found_by(11, "Urgent")
    await room.tick(minutes=1)
    assert len(room.alerts) == 11
    assert await room.states() == [DeliveryState.FOLDED] + [DeliveryState.SENT] * 11


async def test_a_reply_to_a_folded_story_opens_its_message(room: Room) -> None:
    """A material update needs a thread to stand in."""
    await room.come(*names(0, 12))
    await room.tick()
    story, now = room.stories[11], room.clock.now()
    await room.store.write(
        lambda tx: tx.tell(
            CHANNEL, f"reply:{story}:toll", Card(title="12, not 9"), now, story=story
        )
    )
    await room.tick(minutes=1)
    await room.tick(seconds=10)
    assert room.alerts[-1] == "Headline 011"
    assert room.cards[-1].title == "12, not 9"


async def test_many_replies_to_folded_stories_are_no_second_flood(room: Room) -> None:
    """As many of their messages as `flood` in each minute; none is lost, and each has its reply."""
    await room.come(*names(0, 36))
    await room.tick()
    assert (len(room.alerts), len(room.cards)) == (10, 2)
    for story in room.stories[10:]:
        now = room.clock.now()
        await room.store.write(
            lambda tx, s=story, now=now: tx.tell(
                CHANNEL, f"reply:{s}:correction", Card(title=f"of {s}"), now, story=s
            )
        )
    shown = []
    for _ in range(20):
        await room.tick(seconds=10)
        shown.append(len(room.alerts) - 10)
    assert [shown[at] for at in (0, 5, 11, 17)] == [10, 10, 20, 26]
    assert sorted(card.title for card in room.cards[2:]) == sorted(
        f"of {story}" for story in room.stories[10:]
    )


async def test_where_nothing_can_be_edited_a_summary_gathers_and_is_posted_once(
    room: Room,
) -> None:
    """A webhook: half a minute's stories a message, none twice."""
    room.sink.can_update = False
    await room.come(*names(0, 12))
    await room.tick()
    await room.come(*names(12, 14))
    await room.tick(seconds=10)
    assert room.cards == []
    await room.tick(seconds=30)
    [card] = room.cards
    assert listed(card) == headlines(10, 14)[::-1]
    await room.come(*names(14, 26))
    await room.tick(seconds=5)
    await room.tick(seconds=31)
    told = [headline for card in room.cards for headline in listed(card)]
    assert sorted(told + room.alerts) == headlines(0, 26)


# ---------------------------------------------------------------------------- an outage


async def test_what_waited_for_hours_comes_in_digests_newest_first(room: Room) -> None:
    """Six hours without Slack, four hundred stories: one message, then a few that list them."""
    for number in range(0, 400, 10):
        await room.come(*names(number, number + 10))
        room.sink.fail(Deferred("connect"))
        await room.tick(minutes=9)
    assert room.shown == []
    await room.tick(minutes=10)
    for _ in range(5):
        await room.tick(seconds=1)
    assert len(room.alerts) == 1
    told = [headline for card in room.cards for headline in listed(card)]
    assert told == [name for name in headlines(0, 400)[::-1] if name not in room.alerts]
    assert len(room.cards) == 20


async def test_a_few_that_waited_long_come_one_by_one(room: Room) -> None:
    """Twenty in six hours are read as they are."""
    await room.come(*names(0, 10))
    room.sink.fail(Deferred("connect", retry_after=3600 * 5))
    await room.tick()
    await room.tick(hours=6)
    assert room.alerts == headlines(0, 10)
    assert room.cards == []


# ---------------------------------------------------------------------------- quiet hours


async def test_a_night_is_told_in_one_message_in_the_morning(room: Room) -> None:
    """Held until 07:00 there, told together, never again."""
    await room.declare(replace(CEASEFIRE, quiet_hours=NIGHT))
    await room.come("a")
    await room.tick()
    await room.tick(hours=3)
    await room.come("b")
    await room.pass_by(MORNING - timedelta(seconds=1))
    assert room.shown == []
    assert await room.states() == [DeliveryState.HELD] * 2
    await room.tick(seconds=1)
    [card] = room.cards
    assert listed(card) == ["Headline b", "Headline a"]
    await room.pass_by(MORNING + timedelta(hours=2))
    assert len(room.shown) == 1
    await room.come("c")
    await room.tick()
    assert room.alerts == ["Headline c"]


async def test_what_is_critical_pierces_the_night(room: Room) -> None:
    """At once, by itself; also a story that was held until then."""
    quiet = replace(CEASEFIRE, quiet_hours=NIGHT)
    await room.declare(quiet, replace(URGENT, quiet_hours=NIGHT))
    await room.come("a")
    await room.come("b", watches=("Urgent",))
    await room.tick()
    assert room.alerts == ["Headline b"]
    await room.found_by(0, "Urgent")
    await room.tick(minutes=1)
    assert len(room.alerts) == 2
    await room.pass_by(MORNING + timedelta(hours=1))
    assert room.cards == []


async def test_a_channel_is_quiet_for_a_story_only_if_all_its_watches_are(room: Room) -> None:
    """Two watches, two nights: who is awake tells."""
    short = QuietHours(start=time(17), end=time(18), zone=KOLKATA)
    awake = Watch(name="Awake", terms=("awake",))
    await room.declare(
        replace(CEASEFIRE, quiet_hours=NIGHT),
        Watch(name="Short", terms=("short",), quiet_hours=short),
        awake,
    )
    await room.come("a", watches=("Ceasefire", "Awake"))
    await room.come("b", watches=("Ceasefire", "Short"))
    await room.come("c", watches=("Ceasefire",))
    await room.tick()
    assert room.alerts == ["Headline a"]
    await room.pass_by(NOW + timedelta(hours=1))
    assert [listed(card) for card in room.cards] == [["Headline b"]]
    await room.pass_by(MORNING)
    assert [listed(card) for card in room.cards] == [["Headline b"], ["Headline c"]]


async def test_quiet_hours_that_were_taken_out_hold_nothing(room: Room) -> None:
    """An edit of the configuration tells at once what was held."""
    await room.declare(replace(CEASEFIRE, quiet_hours=NIGHT))
    await room.come("a")
    await room.tick()
    await room.declare(CEASEFIRE)
    await room.tick()
    assert room.alerts == ["Headline a"]


async def test_what_is_held_moves_with_its_watch(room: Room) -> None:
    """In the morning it is told where the watch tells now."""
    await room.declare(replace(CEASEFIRE, quiet_hours=NIGHT))
    await room.come("a")
    await room.tick()
    await room.declare(replace(CEASEFIRE, quiet_hours=NIGHT, channel="#other"))
    await room.pass_by(MORNING + timedelta(minutes=1))
    await room.pipeline.run(Job(Kind.DELIVER, "#other"))
    assert room.shown == []
    assert len(room.sink.messages("#other")) == 1


# ---------------------------------------------------------------------------- digests

DAILY = DigestTime(at=time(7), zone=KOLKATA)


async def test_a_digest_tells_of_the_day_beside_the_messages(room: Room) -> None:
    """Stories by watch, counts, how the feeds are; the alerts came when they came."""
    await room.declare(replace(CEASEFIRE, digest=DAILY), Watch(name="Idle", terms=("idle",)))
    await room.come("a", "b")
    await room.pass_by(MORNING)
    assert room.alerts == ["Headline a", "Headline b"]
    [card] = room.cards
    assert card.title == "Daily digest: 2 stories"
    assert sorted(listed(card)) == ["Headline a", "Headline b"]
    assert "".join(part.text for part in card.lines[0].parts) == "Ceasefire: 2 stories, 2 articles"
    assert card.image is not None
    assert card.image.alt.startswith("Ceasefire: mentions a day, from 07:00 to 07:00: ")
    assert card.image.alt.endswith(" 2")
    assert "feeds live" in card.note[0].text or "feed live" in card.note[0].text
    await room.pass_by(MORNING + timedelta(days=1), timedelta(hours=1))
    assert [card.title for card in room.cards] == [
        "Daily digest: 2 stories",
        "Daily digest: 0 stories",
    ]


async def test_a_digest_alone(room: Room) -> None:
    """With realtime = false: held for the digest, and told nowhere else."""
    await room.declare(replace(CEASEFIRE, digest=DAILY, realtime=False))
    await room.come("a", "b")
    await room.pass_by(MORNING - timedelta(seconds=1))
    assert room.shown == []
    await room.tick(seconds=1)
    [card] = room.cards
    assert sorted(listed(card)) == ["Headline a", "Headline b"]
    assert await room.states() == [DeliveryState.FOLDED] * 2
    await room.found_by(0, "Ceasefire")
    await room.tick(hours=1)
    assert room.alerts == []


async def test_what_grows_in_the_minute_of_the_digest_is_in_it(room: Room) -> None:
    """It is held anew no sooner than it was told."""
    await room.declare(replace(CEASEFIRE, digest=DAILY, realtime=False))
    await room.come("a")
    await room.pass_by(MORNING - timedelta(seconds=1))
    await room.found_by(0, "Ceasefire")
    await room.tick(seconds=1)
    await room.tick(hours=1)
    assert [listed(card) for card in room.cards] == [["Headline a"]]
    assert await room.states() == [DeliveryState.FOLDED]


async def test_a_long_digest_lists_all_that_is_told_nowhere_else(room: Room) -> None:
    """As many messages as that takes."""
    await room.declare(replace(CEASEFIRE, digest=DAILY, realtime=False))
    await room.come(*names(0, 60))
    await room.pass_by(MORNING)
    assert sorted(headline for card in room.cards for headline in listed(card)) == headlines(0, 60)
    assert len(room.cards) == 4


@pytest.mark.parametrize("down", [timedelta(seconds=2), timedelta(hours=5), timedelta(days=3)])
async def test_whoever_starts_late_tells_the_digest_once(room: Room, down: timedelta) -> None:
    """Down at 06:59:59, up again later: one digest, of all since the last one."""
    watch = replace(CEASEFIRE, digest=DAILY)
    await room.declare(watch)
    await room.come("a")
    await room.pass_by(MORNING - timedelta(seconds=1))
    again = room.again()
    again.clock.advance(seconds=down.total_seconds())
    await again.declare(watch)
    await again.tick()
    await again.tick(seconds=1)
    assert [card.title for card in room.cards] == ["Daily digest: 1 story"]


async def test_killed_between_the_digest_and_its_message_it_is_one(room: Room) -> None:
    """The row is committed before the call; the message is looked for before it is repeated."""
    await room.declare(replace(CEASEFIRE, digest=DAILY))
    await room.pass_by(MORNING - timedelta(minutes=1))

    async def die(channel, message, post=room.sink.post, **how):
        await post(channel, message, **how)
        raise KeyboardInterrupt

    room.sink.post = die
    with pytest.raises(KeyboardInterrupt):
        await room.tick(minutes=1)
    del room.sink.post
    await room.tick(minutes=5)
    await room.tick(minutes=5)
    assert len(room.cards) == 1


async def test_a_weekly_digest_comes_on_its_day(room: Room) -> None:
    """The tests begin on a Saturday."""
    weekly = DigestTime(at=time(7), zone=KOLKATA, weekday=0)
    await room.declare(replace(CEASEFIRE, digest=weekly))
    await room.come("a")
    await room.pass_by(MORNING + timedelta(hours=23), timedelta(hours=1))
    assert room.cards == []
    await room.pass_by(MORNING + timedelta(days=1), timedelta(hours=1))
    assert [card.title for card in room.cards] == ["Weekly digest: 1 story"]


async def test_a_digest_that_nobody_wants_any_more_does_not_come(room: Room) -> None:
    """And what was held for it is told now."""
    await room.declare(replace(CEASEFIRE, digest=DAILY, realtime=False))
    await room.come("a")
    await room.tick()
    await room.declare(CEASEFIRE)
    await room.pass_by(MORNING + timedelta(hours=1))
    assert (room.alerts, room.cards) == (["Headline a"], [])


async def test_what_is_held_is_not_said_to_wait(room: Room) -> None:
    """Nobody is to look into a queue that is as it should be."""
    await room.declare(replace(CEASEFIRE, quiet_hours=NIGHT))
    await room.come("a")
    await room.tick()
    reports = SqlReports(room.store)
    counts = await reports.counts(room.clock.now())
    assert counts.oldest_waiting_at is None
    [row] = await reports.deliveries(10)
    assert (row.state, row.error) == (
        DeliveryState.HELD,
        "held for quiet hours, 17:00-07:00 Asia/Kolkata",
    )
