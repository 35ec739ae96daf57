"""The outbox' rules against every way a sink can fail: each alert shown exactly once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts import Alert, Ambiguous, Card, Closed, Deferred, Posted, Rejected, Stopped
from alerts.memory import MemorySink
from monitor.compose import Rules
from monitor.match import compile_watches
from monitor.model import DeliveryState, Hit, Job, Kind, Span
from monitor.pipeline import Context, Pipeline
from monitor.storage import SqlReports
from tests.contracts.material import CEASEFIRE, NOW, content, given_articles
from tests.fakes import FakeClock

CHANNEL = "#newsdesk"
MATCHED = Hit(watch="Ceasefire", spans=(Span(field="body", start=4, end=13, term="ceasefire"),))


class Desk:
    """A pipeline whose sink, clock and store the test holds in its hands."""

    def __init__(self, store) -> None:
        self.store = store
        self.sink = MemorySink()
        self.clock = FakeClock(NOW)
        self.pipeline = Pipeline(
            Context(
                store=store,
                fetcher=None,
                offload=None,
                sink=self.sink,
                clock=self.clock,
                rules=Rules(
                    watches=(CEASEFIRE,),
                    matcher=compile_watches((CEASEFIRE,)),
                    default_channel=CHANNEL,
                    interval=timedelta(minutes=5),
                ),
                jitter=lambda: 0.0,
            )
        )
        self.stories = []

    async def want(self, *guids: str) -> None:
        """Articles that hit, each in a story of its own, with a delivery."""
        await self.store.write(lambda tx: tx.sync_watches([CEASEFIRE], NOW))
        for pending in await given_articles(self.store, *guids):

            def save(tx, pending=pending):
                tx.save_article(
                    pending.id, content(pending.url), state="done", now=NOW, due_at=None
                )
                story = tx.new_story(NOW)
                tx.put_in_story(pending.id, story, copy_of=None)
                tx.set_hits(pending.id, [MATCHED], NOW)
                tx.want_delivery(story, CHANNEL, NOW)
                return story

            self.stories.append(await self.store.write(save))

    async def tell(self, subject: str, title: str = "", *, channel: str = CHANNEL, **more) -> None:
        """Something else is said."""
        card, now = Card(title=title or subject), self.clock.now()
        await self.store.write(lambda tx: tx.tell(channel, subject, card, now, **more))

    async def reply(self, title: str, number: int = 0, **more) -> None:
        """A story's message is answered."""
        await self.tell(f"reply:{title}", title, story=self.stories[number], **more)

    def thread(self, number: int = 0) -> list[str]:
        """What stands below a story's message."""
        refs = [
            ref for ref, message in self.sink.shown[CHANNEL].items() if isinstance(message, Alert)
        ]
        return [card.title for card in self.sink.thread(CHANNEL, refs[number])]

    async def grow(self) -> None:
        """The first story is to be shown anew."""
        await self.store.write(lambda tx: tx.refresh_deliveries(self.stories[0], self.clock.now()))

    async def deliver(self, channel: str = CHANNEL, **later: float) -> None:
        """The job, some time later."""
        self.clock.advance(**later)
        await self.pipeline.run(Job(Kind.DELIVER, channel))

    async def states(self) -> list[DeliveryState]:
        """Of stories' own messages."""
        rows = await SqlReports(self.store).deliveries(100)
        return sorted(row.state for row in rows if row.subject is None)


@pytest.fixture
def desk(sqlite_store) -> Desk:
    return Desk(sqlite_store)


async def test_each_story_is_posted_once_in_the_order_of_its_discovery(desk):
    """Two stories, two messages; the next job finds nothing to do."""
    await desk.want("a", "b")
    await desk.deliver()
    await desk.deliver()
    assert [message.url for message in desk.sink.messages(CHANNEL)] == [
        "https://news.example/a",
        "https://news.example/b",
    ]
    assert desk.sink.posts == 2
    assert await desk.states() == [DeliveryState.SENT, DeliveryState.SENT]


async def test_a_grown_story_edits_its_message(desk):
    """The second time a story is wanted in a channel, its message is changed, not repeated."""
    await desk.want("a")
    await desk.deliver()
    [first] = desk.sink.messages(CHANNEL)
    await desk.grow()
    await desk.deliver()
    assert (desk.sink.posts, desk.sink.updates) == (1, 1)
    [edited] = desk.sink.messages(CHANNEL)
    assert edited.revision > first.revision


async def test_what_is_deferred_waits_as_long_as_the_service_asks(desk):
    """429 with Retry-After: nothing before it is over, then the message."""
    await desk.want("a")
    desk.sink.fail(Deferred("ratelimited", retry_after=30))
    await desk.deliver()
    await desk.deliver(seconds=29)
    assert desk.sink.messages(CHANNEL) == []
    await desk.deliver(seconds=2)
    assert len(desk.sink.messages(CHANNEL)) == 1


@pytest.mark.parametrize("shown", [True, False])
async def test_a_lost_answer_is_looked_up_before_anything_is_repeated(desk, shown):
    """Whether or not the post was stored before the connection broke: one message."""
    await desk.want("a")
    desk.sink.fail(Ambiguous("timeout"), shown=shown)
    await desk.deliver()
    assert len(desk.sink.messages(CHANNEL)) == 1
    assert await desk.states() == [DeliveryState.SENT]


@pytest.mark.parametrize("shown", [True, False])
async def test_two_lost_answers_leave_the_doubt_in_the_row(desk, shown):
    """The row stays `sending`; seconds later it is looked for again, from the first doubt on."""
    await desk.want("a")
    desk.sink.fail(Ambiguous("timeout"))
    desk.sink.fail(Ambiguous("timeout"), shown=shown)
    await desk.deliver()
    assert await desk.states() == [DeliveryState.SENDING]
    await desk.deliver(seconds=1)
    assert await desk.states() == [DeliveryState.SENDING]
    await desk.deliver(seconds=2)
    assert len(desk.sink.messages(CHANNEL)) == 1
    assert await desk.states() == [DeliveryState.SENT]


async def test_a_doubt_is_shown_with_its_reason(desk):
    """A row that stays `sending` says on the page what broke off."""
    await desk.want("a")
    desk.sink.fail(Ambiguous("timeout"), Ambiguous("timeout"))
    await desk.deliver()
    [row] = await SqlReports(desk.store).deliveries(10)
    assert (row.state, row.error) == (DeliveryState.SENDING, "timeout")
    await desk.deliver(minutes=5)
    [row] = await SqlReports(desk.store).deliveries(10)
    assert (row.state, row.error) == (DeliveryState.SENT, None)


async def test_a_look_that_is_refused_altogether_is_the_sinks_problem(desk):
    """A token revoked while a row is in doubt is on the page, as it is when a post is refused."""
    await desk.want("a")
    desk.sink.fail(Ambiguous("timeout"), Ambiguous("timeout"))
    await desk.deliver()

    async def refuse(*_, **__):
        raise Stopped("invalid_auth")

    desk.sink.find = refuse
    await desk.deliver(minutes=5)
    assert desk.pipeline.context.sink_problem == "invalid_auth"
    assert await desk.states() == [DeliveryState.SENDING]


async def test_a_row_found_sending_after_a_crash_is_looked_for(desk):
    """The message of a killed process is adopted and brought up to date, not posted again."""
    await desk.want("a")

    async def die(channel, message, *, post=desk.sink.post, **more):
        await post(channel, message, **more)
        raise KeyboardInterrupt

    desk.sink.post = die
    with pytest.raises(KeyboardInterrupt):
        await desk.deliver()
    del desk.sink.post
    await desk.deliver(minutes=5)
    assert len(desk.sink.messages(CHANNEL)) == 1
    assert (desk.sink.posts, desk.sink.updates) == (1, 1)
    assert await desk.states() == [DeliveryState.SENT]


@pytest.mark.parametrize("error", [Deferred("ratelimited"), Stopped("invalid_auth")])
async def test_a_doubt_outlives_a_look_that_has_to_wait(desk, error):
    """If history can't be read just now, nothing is posted on the chance that it is not there."""
    await desk.want("a")
    found = desk.sink.find
    desk.sink.fail(Ambiguous("timeout"), shown=True)

    async def refuse(*_, **__):
        raise error

    desk.sink.find = refuse
    await desk.deliver()
    await desk.deliver(minutes=5)
    desk.sink.find = found
    await desk.deliver(minutes=5)
    assert desk.sink.posts == 1
    assert len(desk.sink.messages(CHANNEL)) == 1
    assert await desk.states() == [DeliveryState.SENT]


@pytest.mark.parametrize("how", ["no find", "missing_scope", "not_in_channel"])
async def test_where_nobody_can_look_the_alert_is_repeated_rather_than_lost(desk, how):
    """A webhook, or a token without the history scope: at least once."""
    await desk.want("a")
    desk.sink.fail(Ambiguous("timeout"))

    async def refuse(*_, **__):
        raise Stopped(how)

    if how == "no find":
        desk.sink.can_find = False
    else:
        desk.sink.find = refuse
    await desk.deliver()
    assert desk.sink.posts == 2
    assert len(desk.sink.messages(CHANNEL)) == 1


async def test_a_refused_message_is_a_dead_letter_and_the_next_goes_on(desk):
    """One bad message does not keep the others back, and is not tried again."""
    await desk.want("a", "b")
    desk.sink.fail(Rejected("no_text"))
    await desk.deliver()
    await desk.deliver(hours=1)
    assert await desk.states() == [DeliveryState.DEAD, DeliveryState.SENT]
    assert desk.sink.posts == 2


async def test_a_closed_channel_keeps_its_queue(desk):
    """A misspelt channel loses nothing: once it is mended, everything arrives in its order."""
    await desk.want("a", "b")
    desk.sink.fail(Closed("channel_not_found", retry_after=60))
    await desk.deliver()
    await desk.deliver(seconds=30)
    assert desk.sink.posts == 1
    await desk.deliver(seconds=31)
    assert [message.url for message in desk.sink.messages(CHANNEL)] == [
        "https://news.example/a",
        "https://news.example/b",
    ]


async def test_a_refused_edit_leaves_the_message_as_it_stands(desk):
    """Somebody deleted the message, or the workspace forbids edits: it counts as shown."""
    await desk.want("a")
    await desk.deliver()
    await desk.grow()
    desk.sink.fail(Rejected("edit_window_closed"))
    await desk.deliver()
    assert await desk.states() == [DeliveryState.SENT]
    assert len(desk.sink.messages(CHANNEL)) == 1


async def test_an_edit_without_an_answer_is_simply_repeated(desk):
    """Editing twice does no harm."""
    await desk.want("a")
    await desk.deliver()
    await desk.grow()
    desk.sink.fail(Ambiguous("timeout"))
    await desk.deliver()
    await desk.deliver(minutes=1)
    assert (desk.sink.posts, desk.sink.updates) == (1, 2)
    assert await desk.states() == [DeliveryState.SENT]


async def test_a_sink_that_refuses_us_keeps_the_queue_and_says_so(desk):
    """A bad token loses nothing: once somebody has mended it, everything arrives."""
    await desk.want("a", "b")
    desk.sink.fail(Stopped("invalid_auth"))
    await desk.deliver()
    assert desk.pipeline.context.sink_problem == "invalid_auth"
    assert DeliveryState.DEAD not in await desk.states()
    await desk.deliver(minutes=2)
    assert len(desk.sink.messages(CHANNEL)) == 2
    assert desk.pipeline.context.sink_problem is None


async def test_a_sink_that_can_not_edit_shows_the_first_state(desk):
    """A webhook's message stays as posted; its row is settled all the same."""
    desk.sink.can_update = False
    await desk.want("a")
    await desk.deliver()
    await desk.grow()
    await desk.deliver()
    assert (desk.sink.posts, desk.sink.updates) == (1, 0)
    assert await desk.states() == [DeliveryState.SENT]


async def test_when_stopping_nothing_new_is_begun(desk):
    """What has not been begun keeps waiting for the next start."""
    await desk.want("a")
    desk.pipeline.context.stopping = True
    await desk.deliver()
    assert desk.sink.posts == 0
    assert await desk.states() == [DeliveryState.PENDING]


async def test_who_was_away_posts_nothing_and_goes_on_when_it_is_back(desk):
    """What it took before may be another's by now; a row that still is its own is given back."""
    await desk.want("a")
    context, looks = desk.pipeline.context, iter([True, False])
    context.is_present = lambda: next(looks, False)
    await desk.deliver()
    assert desk.sink.posts == 0
    assert await desk.states() == [DeliveryState.RETRY]
    await desk.deliver(minutes=5)  # nor does it take anything
    assert await desk.states() == [DeliveryState.RETRY]
    context.is_present = lambda: True
    await desk.deliver()
    assert desk.sink.posts == 1
    assert await desk.states() == [DeliveryState.SENT]


@pytest.mark.parametrize("error", [Deferred("ratelimited", retry_after=60.0), Rejected("no")])
async def test_a_late_answer_says_nothing_of_a_message_that_is_anothers_by_now(desk, error):
    """It neither has that posted again without a look, nor is the channel put off, nor anybody told."""
    await desk.want("a", "b")
    desk.store.holder = 7
    context, post = desk.pipeline.context, desk.sink.post
    context.rules = replace(context.rules, ops_channel="#ops")

    async def slow(*_, **__):
        await desk.store.write(lambda tx: tx.release_leases_of([7], NOW))
        desk.store.holder = 8
        await desk.store.write(lambda tx: tx.claim_due(CHANNEL, NOW, context.delivery_lease))
        desk.store.holder, context.stopping = 7, True
        raise error

    desk.sink.post = slow
    await desk.deliver()
    assert await desk.states() == [DeliveryState.PENDING, DeliveryState.SENDING]
    assert await desk.store.read(lambda tx: tx.lease_holders(NOW)) >= {8}
    assert await desk.store.write(lambda tx: tx.claim_due("#ops", NOW, context.lease)) is None
    desk.sink.post, desk.store.holder, context.stopping = post, 9, False
    await desk.deliver()
    assert [message.url for message in desk.sink.messages(CHANNEL)] == ["https://news.example/b"]


async def test_memory_sink_speaks_the_protocol(desk):
    """The sink of these tests answers `find` as Slack does: None when there is nothing."""
    assert await desk.sink.find(CHANNEL, "x", NOW) is None
    assert await desk.sink.post(CHANNEL, None) == Posted(channel=CHANNEL, ref="1")


# ------------------------------------------------------------------------------ notices


def titles(desk, channel=CHANNEL) -> list[str]:
    """What a channel shows, in short."""
    return [
        message.headline if isinstance(message, Alert) else message.title
        for message in desk.sink.messages(channel)
    ]


async def test_a_notice_is_shown_once_and_edited_from_then_on(desk):
    """A feed that is silent and recovers is one message."""
    await desk.tell("feed:1", "Dawn is silent")
    await desk.tell("feed:1", "Dawn is silent")
    await desk.deliver()
    [first] = desk.sink.shown[CHANNEL].values()
    await desk.tell("feed:1", "Dawn is back", again=True)
    await desk.deliver()
    await desk.deliver()
    [edited] = desk.sink.shown[CHANNEL].values()
    assert edited.revision > first.revision
    assert titles(desk) == ["Dawn is back"]
    assert (desk.sink.posts, desk.sink.updates) == (1, 1)


async def test_a_notice_carries_its_own_mark(desk):
    """By it a lost answer is found: two notices of the same words are two."""
    await desk.tell("a", "the same")
    await desk.tell("b", "the same")
    await desk.deliver()
    assert len({message.delivery_id for message in desk.sink.messages(CHANNEL)}) == 2


@pytest.mark.parametrize("shown", [True, False])
async def test_a_lost_answer_about_a_notice_is_looked_up(desk, shown):
    """As of an alert."""
    await desk.tell("a")
    desk.sink.fail(Ambiguous("timeout"), shown=shown)
    await desk.deliver()
    await desk.deliver(minutes=5)
    assert titles(desk) == ["a"]


async def test_a_reply_stands_in_its_storys_thread(desk):
    """Below the message, in the order it was told; broadcast where that was asked for."""
    await desk.want("a", "b")
    await desk.reply("first")
    await desk.reply("other", 1, broadcast=True)
    await desk.reply("second")
    await desk.deliver()
    await desk.deliver(seconds=10)
    assert desk.thread(0) == ["first", "second"]
    assert desk.thread(1) == ["other"]
    [broadcast] = desk.sink.broadcast
    assert desk.sink.shown[CHANNEL][broadcast].title == "other"


async def test_a_reply_that_was_told_before_its_story_is_shown_waits(desk):
    """Its story is refused for a minute: so is the reply, and nothing overtakes."""
    await desk.want("a")
    await desk.reply("first")
    desk.sink.fail(Deferred("ratelimited", retry_after=60))
    await desk.deliver()
    await desk.reply("second")
    await desk.deliver(seconds=30)
    assert desk.sink.posts == 1
    await desk.deliver(seconds=31)
    await desk.deliver(seconds=10)
    assert desk.thread() == ["first", "second"]


async def test_replies_keep_their_order_through_a_lost_answer(desk):
    """The second waits until it is known what became of the first."""
    await desk.want("a")
    await desk.deliver()
    await desk.reply("first")
    await desk.reply("second")
    desk.sink.fail(Ambiguous("timeout"), shown=True)
    desk.sink.fail(Ambiguous("timeout"))
    desk.sink.can_find = False  # so it is repeated at once, and breaks off again
    await desk.deliver()
    desk.sink.can_find = True
    await desk.deliver(seconds=30)
    await desk.deliver(minutes=3)
    await desk.deliver(seconds=10)
    assert desk.thread() == ["first", "second"]


async def test_a_reply_to_a_message_that_was_given_up_is_dropped(desk):
    """With the reason, and what comes behind it goes on."""
    await desk.want("a", "b")
    desk.sink.fail(Rejected("no_text"))
    await desk.deliver()
    await desk.reply("first")
    await desk.reply("other", 1)
    await desk.deliver()
    assert titles(desk) == ["ceasefire holds", "other"]
    told = await desk.store.read(lambda tx: tx.told(CHANNEL, "reply:first"))
    assert told.state is DeliveryState.DROPPED


async def test_where_there_are_no_threads_a_reply_says_what_it_answers(desk):
    """A webhook, a terminal: the reply is a message of its own."""
    desk.sink.can_thread = False
    await desk.want("a")
    await desk.reply("The toll is 31 now")
    await desk.deliver()
    assert titles(desk)[1] == "↳ Re: ceasefire holds — The toll is 31 now"


async def test_a_refused_notice_is_a_dead_letter_and_the_next_goes_on(desk):
    """One bad message does not keep the others back, and is not tried again."""
    await desk.tell("a")
    await desk.tell("b")
    desk.sink.fail(Rejected("no_text"))
    await desk.deliver()
    await desk.deliver(hours=1)
    assert titles(desk) == ["b"]
    assert desk.sink.posts == 2


async def test_one_channels_trouble_delays_no_other(desk):
    """A closed channel keeps alerts and notices, another one's are shown meanwhile."""
    await desk.want("a")
    await desk.tell("a")
    await desk.tell("b", channel="#ops")
    desk.sink.fail(Closed("channel_not_found", retry_after=60))
    await desk.deliver()
    await desk.tell("c")
    await desk.deliver("#ops", seconds=1)
    assert (titles(desk), titles(desk, "#ops")) == ([], ["b"])
    await desk.deliver(seconds=60)
    assert titles(desk) == ["ceasefire holds", "a", "c"]


async def test_a_notice_of_a_killed_process_is_adopted(desk):
    """Found in the thread by its mark, and not posted again."""
    await desk.want("a")
    await desk.deliver()
    await desk.reply("first")

    async def die(channel, message, *, post=desk.sink.post, **more):
        await post(channel, message, **more)
        raise KeyboardInterrupt

    desk.sink.post = die
    with pytest.raises(KeyboardInterrupt):
        await desk.deliver()
    del desk.sink.post
    await desk.deliver(minutes=5)
    assert desk.thread() == ["first"]
