"""Buttons and the command, from a press in the double's Slack to what its channel shows then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from alerts.interactions import SocketMode
from alerts.memory import MemorySink
from alerts.slack import SlackSink
from monitor.compose import Rules
from monitor.config import Settings
from monitor.demo.slack import SlackDouble
from monitor.hands import Hands
from monitor.match import compile_watches
from monitor.model import Hit, Job, Kind, Span, StoryId, Watch
from monitor.pipeline import Context, Pipeline
from monitor.pipeline.hands import act
from monitor.pipeline.pace import plan_anew
from monitor.storage import SqlReports, SqlStore
from monitor.telling.hands import Action
from tests.contracts.material import NOW, content, given_articles
from tests.fakes import FakeClock

CHANNEL = "#newsdesk"
TRUCE = Watch(name="Truce", terms=("ceasefire", "truce"), priority="critical", notify=("U0DESK",))
MATCHED = Hit(watch="Truce", spans=(Span(field="body", start=4, end=13, term="ceasefire"),))


async def at_once(_: float) -> None:
    """The sink's turns take no time."""


class Desk:
    """A service's hands over a real database and the double's Slack; time stands still."""

    def __init__(self, store: SqlStore, slack: SlackDouble) -> None:
        self.store, self.slack, self.clock = store, slack, FakeClock(NOW)
        self.reports = SqlReports(store)
        self.sink = SlackSink(slack.token, base_url=slack.url, sleep=at_once)
        self.context = Context(
            store=store,
            fetcher=None,
            offload=None,
            sink=self.sink,
            clock=self.clock,
            rules=Rules(
                watches=(TRUCE,),
                matcher=compile_watches((TRUCE,)),
                default_channel=CHANNEL,
                interval=timedelta(minutes=5),
                buttons=True,
                repeat_critical=timedelta(minutes=10),
            ),
            jitter=lambda: 0.0,
        )
        self.pipeline = Pipeline(self.context)
        socket = SocketMode(slack.app_token, base_url=slack.url)
        self.hands = Hands(socket, self.context, self.reports, Settings)
        self.stories: list[StoryId] = []
        self._told = self._batches = 0

    async def alert(self, *guids: str) -> list[str]:
        """Stories that are found and shown; the messages' time stamps."""
        self._batches += 1
        now = self.clock.now()
        await self.store.write(lambda tx: tx.sync_watches(self.context.rules.watches, now))
        for pending in await given_articles(self.store, *guids, number=self._batches):

            def save(tx: Any, pending: Any = pending) -> StoryId:
                article = content(pending.url)
                tx.save_article(pending.id, article, state="done", now=now, due_at=None)
                story: StoryId = tx.new_story(now)
                tx.put_in_story(pending.id, story, copy_of=None)
                tx.set_hits(pending.id, [MATCHED], now)
                tx.want_delivery(story, CHANNEL, now)
                return story

            self.stories.append(await self.store.write(save))
        await self.deliver()
        return [row["ts"] for row in self.slack.messages("newsdesk")]

    def use(self, watch: Watch) -> None:
        """An edit of the watch."""
        self.context.rules = replace(self.context.rules, watches=(watch,))

    async def deliver(self, **later: float) -> None:
        """The channel's job, some time later."""
        self.clock.advance(**later)
        await self.pipeline.run(Job(Kind.DELIVER, CHANNEL))

    async def press(self, ts: str, action: str, user: str = "U1") -> None:
        """Somebody presses a button; it is handled, and the message edited."""
        self._told += 1
        await self.slack.press("newsdesk", ts, action, user=user)
        await self.noted(self._told)
        await self.deliver(seconds=1)

    async def clock_set_back(self, by: timedelta) -> None:
        """The clock is put right, and what the service does when it notices."""
        self.clock.advance(seconds=-by.total_seconds())
        now = self.clock.now()
        await self.store.write(lambda tx: plan_anew(tx, self.context.rules, now))
        await self.deliver()

    async def noted(self, count: int) -> None:
        """Wait until so many deeds were done."""
        while len(await self.reports.audit(100)) < count:  # noqa: ASYNC110 the database tells nobody
            await asyncio.sleep(0.005)

    def shown(self, ts: str) -> tuple[str, list[str]]:
        """What stands below a message, and its buttons."""
        row = next(row for row in self.slack.messages("newsdesk") if row["ts"] == ts)
        blocks = {block["type"]: block for block in row["blocks"]}
        said = [block for block in row["blocks"] if block["type"] == "context"][1:]
        words = " ".join(each["text"] for block in said for each in block["elements"])
        return words, [button["action_id"] for button in blocks["actions"]["elements"]]


@pytest.fixture
async def desk(store: SqlStore) -> AsyncIterator[Desk]:
    async with SlackDouble(scopes=SCOPES) as slack:
        slack.add_channel("newsdesk")
        slack.add_user("U1", "Asha <!channel>")
        desk = Desk(store, slack)
        stop = asyncio.Event()
        running = asyncio.create_task(desk.hands.run(stop))
        await slack.sockets.until(lambda sockets: sockets.opened == 1)
        yield desk
        stop.set()
        await running
        await desk.hands.close()
        await desk.sink.close()


SCOPES = (
    *("chat:write", "chat:write.public", "channels:read", "groups:read"),
    *("channels:history", "groups:history", "commands", "users:read"),
)
PLAIN = ["see", "mute", "snooze_1h", "snooze_24h", "reject"]
DATE = "<!date^1746878400^{date_short_pretty} {time}|2025-05-10 12:00 UTC>"


async def test_a_message_offers_what_can_be_done(desk: Desk) -> None:
    """Five buttons, each with the delivery that it is about."""
    [ts] = await desk.alert("a")
    assert desk.shown(ts) == ("", PLAIN)


async def test_who_acknowledged_is_said_on_the_message(desk: Desk) -> None:
    """By the name people know, which forges nothing; the button is gone."""
    [ts] = await desk.alert("a")
    await desk.press(ts, "see")
    assert desk.shown(ts) == (f"✓ seen by Asha <!channel> {DATE}", PLAIN[1:])
    [row] = await desk.reports.audit(10)
    assert (row.user, row.name, row.action) == ("U1", "Asha <!channel>", "see")
    assert len(row.subject) == 32


async def test_the_first_who_acknowledged_stays(desk: Desk) -> None:
    """Two pressed before either saw the edit; Slack knows no name of the second."""
    [ts] = await desk.alert("a")
    for user in ("U1", "U0STRANGER"):
        await desk.slack.press("newsdesk", ts, "see", user=user)
    await desk.noted(2)
    await desk.deliver()
    assert desk.shown(ts)[0] == f"✓ seen by Asha <!channel> {DATE}"
    assert {row.name for row in await desk.reports.audit(10)} == {"Asha <!channel>", "human"}


async def test_a_press_that_is_told_twice_is_done_once(desk: Desk) -> None:
    """Slack did not hear the acknowledgement; meanwhile it was taken back."""
    [ts] = await desk.alert("a")
    desk.slack.sockets.lose_acks = 1
    await desk.press(ts, "mute")
    await desk.press(ts, "unmute")
    await desk.slack.sockets.hang_up()
    await desk.slack.sockets.until(lambda sockets: len(sockets.acknowledged) == 2)
    await desk.press(ts, "reject")  # handled after what was told again
    assert "muted" not in desk.shown(ts)[0]
    assert len(await desk.reports.audit(10)) == 3


async def test_a_muted_story_says_so_and_then_nothing(desk: Desk) -> None:
    """What it grows by, and replies in its thread, are left out until it is unmuted."""
    [ts] = await desk.alert("a")
    await desk.press(ts, "mute")
    words, buttons = desk.shown(ts)
    assert words == f"✕ muted by Asha <!channel> {DATE}"
    assert "unmute" in buttons
    edits = [call for call in desk.slack.calls if call.method == "chat.update"]
    await desk.store.write(lambda tx: tx.refresh_deliveries(desk.stories[0], desk.clock.now()))
    await desk.deliver(minutes=5)
    assert [call for call in desk.slack.calls if call.method == "chat.update"] == edits
    await desk.press(ts, "see")  # what is done about it is still shown
    assert "seen by" in desk.shown(ts)[0]
    assert await desk.store.read(lambda tx: tx.is_muted(desk.stories[0], CHANNEL))
    await desk.press(ts, "unmute")
    assert "muted" not in desk.shown(ts)[0]


async def test_judgements_make_precision(desk: Desk) -> None:
    """Acknowledged is relevant, unless somebody says it is not; which can be taken back."""
    for_each = await desk.alert("a", "b", "c")
    for ts in for_each:
        await desk.press(ts, "see")
    await desk.press(for_each[0], "reject")
    assert "called not relevant by" in desk.shown(for_each[0])[0]
    assert await desk_precision(desk) == (2, 3)
    await desk.press(for_each[0], "accept")
    assert await desk_precision(desk) == (3, 3)


async def desk_precision(desk: Desk) -> tuple[int, int]:
    """Of what was judged, how much was relevant."""
    [row] = await desk.reports.watches(NOW)
    assert row.precision is not None
    assert row.precision.terms.keys() == {"ceasefire"}
    return row.precision.relevant, row.precision.judged


async def test_a_snooze_is_of_the_watch_in_this_channel(desk: Desk) -> None:
    """An hour, or a day; ended by hand."""
    [ts] = await desk.alert("a")
    await desk.press(ts, "snooze_1h")
    now = desk.clock.now()
    ask = lambda: desk.store.read(lambda tx: tx.snoozes(CHANNEL, now))  # noqa: E731
    assert await ask() == {"Truce": NOW + timedelta(hours=1)}
    words, buttons = desk.shown(ts)
    assert words.startswith("◷ snoozed by Asha <!channel> until <!date^1746882000^")
    assert "wake" in buttons
    await desk.press(ts, "wake")
    assert await ask() == {}
    assert desk.shown(ts) == ("", PLAIN)


async def test_what_is_critical_is_said_again_once(desk: Desk) -> None:
    """In its thread, which is for escalations alone to leave; not what was acknowledged."""
    first, second = await desk.alert("a", "b")
    await desk.press(first, "see")
    await desk.hands.remind()
    await desk.deliver(minutes=9)
    assert len(desk.slack.messages()) == 2
    for _ in range(3):
        desk.clock.advance(minutes=2)
        await desk.hands.remind()
        await desk.deliver()
    [again] = [row for row in desk.slack.messages() if row.get("thread_ts")]
    assert again["thread_ts"] == second
    assert again.get("subtype") != "thread_broadcast"
    assert "Nobody has acknowledged this in 10 minutes" in str(again["blocks"])


async def test_nothing_is_said_again_without_buttons_or_when_switched_off(desk: Desk) -> None:
    """Nobody could acknowledge it."""
    await desk.alert("a")
    desk.clock.advance(minutes=30)
    rules = desk.context.rules
    for changes in ({"buttons": False}, {"repeat_critical": None}):
        desk.context.rules = replace(rules, **changes)
        await desk.hands.remind()
    await desk.deliver()
    assert len(desk.slack.messages()) == 1


async def test_nothing_is_said_again_where_there_are_no_buttons(desk: Desk) -> None:
    """A webhook, a mailbox: nobody can acknowledge anything there."""
    await desk.alert("a")
    desk.context.others = {"#": MemorySink()}
    desk.clock.advance(minutes=30)
    await desk.hands.remind()
    due = await desk.store.read(lambda tx: tx.due_jobs(desk.clock.now()))
    assert Job(Kind.DELIVER, CHANNEL) not in due


@pytest.mark.parametrize("action", ["another_version", "", "see "])
async def test_a_button_of_another_version_does_nothing(desk: Desk, action: str) -> None:
    """It is logged; the next press is handled."""
    [ts] = await desk.alert("a")
    payload = {
        "type": "block_actions",
        "user": {"id": "U1"},
        "container": {"channel_id": "C00000001", "message_ts": ts},
        "actions": [{"action_id": action, "value": "x", "action_ts": "1.0"}],
    }
    await desk.slack.sockets.tell("interactive", payload)
    await desk.press(ts, "see")
    assert len(await desk.reports.audit(10)) == 1


async def test_a_delivery_that_is_not_there_is_noted_and_left(desk: Desk) -> None:
    """A message of another database, say."""
    [ts] = await desk.alert("a")
    payload = {
        "type": "block_actions",
        "user": {"id": "U1"},
        "container": {"channel_id": "C00000001", "message_ts": ts},
        "actions": [{"action_id": "see", "value": "f" * 32, "action_ts": "1.0"}],
    }
    await desk.slack.sockets.tell("interactive", payload)
    await desk.noted(1)
    await desk.deliver()
    assert desk.shown(ts) == ("", PLAIN)


async def test_a_command_is_answered_to_its_author(desk: Desk) -> None:
    """And it is in the audit, with its words."""
    await desk.alert("a")
    await desk.slack.command("newsdesk", "status", user="U1")
    [answer] = await desk.slack.wait_for_answers(1)
    assert answer["response_type"] == "ephemeral"
    assert "1 alert shown" in str(answer)
    [row] = await desk.reports.audit(10)
    assert (row.action, row.subject, row.name) == ("/monitor", "status", "Asha <!channel>")


async def test_what_a_snoozed_watch_finds_comes_together_when_it_wakes(desk: Desk) -> None:
    """Critical or not: somebody has said so. At the end of the hour, or when it is ended."""
    desk.use(replace(TRUCE, priority="normal"))
    [ts] = await desk.alert("a")
    await desk.press(ts, "snooze_1h")
    await desk.alert("b", "c")
    await desk.deliver(minutes=58)
    assert len(desk.slack.messages()) == 1
    await desk.deliver(minutes=5)
    [_, digest] = desk.slack.messages()
    assert "While it was snoozed: 2 stories" in str(digest["blocks"])
    await desk.press(ts, "wake")  # what is over is cleared away
    await desk.press(ts, "snooze_24h")
    await desk.alert("d", "e")
    await desk.deliver(minutes=5)
    assert len(desk.slack.messages()) == 2
    await desk.press(ts, "wake")
    await desk.deliver()
    assert "While it was snoozed: 2 stories" in str(desk.slack.messages()[2]["blocks"])


@pytest.mark.parametrize(
    ("action", "length"),
    [("snooze_1h", timedelta(hours=1)), ("snooze_24h", timedelta(days=1))],
)
@pytest.mark.parametrize("back", [[timedelta(days=1)], [timedelta(hours=12)] * 2])
async def test_a_snooze_lasts_its_own_time_after_the_clock_was_put_right(
    desk: Desk, action: str, length: timedelta, back: list[timedelta]
) -> None:
    """Pressed while it was a day ahead: the message says until when, and what is held comes then."""
    desk.use(replace(TRUCE, priority="normal"))
    desk.clock.advance(days=1)
    [ts] = await desk.alert("a")
    await desk.press(ts, action)
    await desk.alert("b", "c")
    for each in back:
        await desk.clock_set_back(each)
    until = desk.clock.now() + length
    now = desk.clock.now()
    assert await desk.store.read(lambda tx: tx.snoozes(CHANNEL, now)) == {"Truce": until}
    assert f"until <!date^{int(until.timestamp())}^" in desk.shown(ts)[0]
    await desk.deliver(seconds=length.total_seconds() - 1)
    assert len(desk.slack.messages()) == 1
    await desk.deliver(seconds=1)
    assert "While it was snoozed: 2 stories" in str(desk.slack.messages()[1]["blocks"])


async def test_a_snooze_of_the_right_clock_is_as_long_as_it_was(desk: Desk) -> None:
    """Whatever the clock did meanwhile; the last one that was pressed counts."""
    [ts] = await desk.alert("a")
    await desk.press(ts, "snooze_1h")
    await desk.press(ts, "wake")
    await desk.press(ts, "snooze_24h")
    until = NOW + timedelta(hours=24, seconds=2)
    desk.clock.advance(hours=3)
    await desk.clock_set_back(timedelta(hours=2))
    now = desk.clock.now()
    assert await desk.store.read(lambda tx: tx.snoozes(CHANNEL, now)) == {"Truce": until}


async def test_a_critical_watch_can_be_snoozed_too(desk: Desk) -> None:
    """Somebody has said so; when it wakes, each of its stories has a message of its own."""
    [ts] = await desk.alert("a")
    await desk.press(ts, "snooze_1h")
    await desk.alert("b", "c")
    await desk.deliver(minutes=58)
    assert len(desk.slack.messages()) == 1
    await desk.deliver(minutes=5)
    await desk.deliver(minutes=5)
    assert len(desk.slack.messages()) == 3


async def test_an_acknowledgement_does_not_make_relevant_what_was_called_irrelevant(
    desk: Desk,
) -> None:
    """Whichever came first."""
    [ts] = await desk.alert("a")
    await desk.press(ts, "reject")
    await desk.press(ts, "see")
    assert await desk_precision(desk) == (0, 1)


async def test_a_question_that_is_told_twice_is_answered_once(desk: Desk) -> None:
    """Slack did not hear the acknowledgement."""
    desk.slack.sockets.lose_acks = 1
    await desk.slack.command("newsdesk", "help", user="U1")
    await desk.slack.wait_for_answers(1)
    await desk.slack.sockets.hang_up()
    await desk.slack.sockets.until(lambda sockets: len(sockets.acknowledged) == 1)
    await desk.slack.command("newsdesk", "watches", user="U1")
    await desk.slack.command("newsdesk", "watches", user="U1")
    answers = await desk.slack.wait_for_answers(3)
    assert sum("What you can ask" in answer["text"] for answer in answers) == 1


async def test_what_was_pressed_is_shown_at_once(desk: Desk) -> None:
    """The channel is to be worked on when the press is stored, not at the next tick."""
    await desk.alert("a")

    def press(tx: Any) -> set[Job]:
        delivery = tx.claim_due(CHANNEL, NOW, timedelta(0))
        assert delivery is None  # nothing is due before
        [row] = tx.connection.exec_driver_sql("SELECT id FROM delivery").all()
        where = {"user": "U1", "name": "Asha", "channel": "C1"}
        done = act(tx, Action.SEE, row.id, mark="m", rules=desk.context.rules, now=NOW, **where)
        assert done
        return set(tx.jobs)

    assert await desk.store.write(press) == {Job(Kind.DELIVER, CHANNEL)}
