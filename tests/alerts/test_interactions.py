"""Socket Mode against the double: told once, acknowledged at once, connected again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from alerts import Card, Rejected, Stopped
from alerts.interactions import MOST_WAITING, Asked, Deed, Pressed, SocketMode, deeds_in
from monitor.demo.slack import SlackDouble

NOW = datetime(2025, 5, 10, 12, 0, tzinfo=UTC)
BUTTON = {"type": "button", "action_id": "ack", "value": "d1"}
BLOCKS = [
    {"type": "actions", "elements": [BUTTON | {"text": {"type": "plain_text", "text": "Ack"}}]}
]


class Handler:
    """Keeps what it is told; what it is `busy` with waits until it is `free`."""

    def __init__(self, busy: type = object) -> None:
        self.busy = busy
        self.deeds: list[Deed] = []
        self.free = asyncio.Event()
        self.free.set()
        self._changed = asyncio.Condition()

    async def __call__(self, deed: Deed) -> None:
        if isinstance(deed, self.busy):
            await self.free.wait()
        async with self._changed:
            self.deeds.append(deed)
            self._changed.notify_all()

    async def wait_for(self, count: int) -> list[Deed]:
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.deeds) >= count)
        return self.deeds


@pytest.fixture
async def slack() -> AsyncIterator[SlackDouble]:
    async with SlackDouble() as double:
        double.add_channel("newsdesk")
        yield double


async def no_wait(_: float) -> None:
    """Attempts to connect follow one another at once."""
    await asyncio.sleep(0)


@asynccontextmanager
async def connected(
    slack: SlackDouble, handle: Callable[[Deed], Awaitable[None]]
) -> AsyncIterator[SocketMode]:
    """Socket Mode, up; at the end nothing of it is left."""
    mode = SocketMode(slack.app_token, base_url=slack.url, sleep=no_wait)
    stop, before = asyncio.Event(), asyncio.all_tasks()
    running = asyncio.create_task(mode.run(handle, stop))
    try:
        await mode.connected.wait()
        yield mode
    finally:
        stop.set()
        await running
        await mode.close()
        await slack.sockets.until(lambda sockets: sockets.connections == 0)
        left = {task for task in asyncio.all_tasks() - before if "socket" in str(task).lower()}
        assert left <= {task for task in left if "demo/slack" in str(task)}


def posted(slack: SlackDouble) -> str:
    """A message with a button; its ts."""
    row = {"text": "x", "blocks": BLOCKS, "bot_id": "B0BOT"}
    return slack._store(slack._channel("newsdesk"), row)


async def test_a_press_is_told_with_who_where_and_on_what(slack: SlackDouble) -> None:
    """The value the button carried, the message that it stands on, who pressed it."""
    handle = Handler()
    slack.add_user("U1", "Asha", handle="asha")
    ts = posted(slack)
    async with connected(slack, handle):
        envelope = await slack.press("newsdesk", ts, "ack", user="U1")
        [deed] = await handle.wait_for(1)

    assert isinstance(deed, Pressed)
    assert (deed.action, deed.value, deed.ref) == ("ack", "d1", ts)
    assert (deed.user, deed.user_name, deed.channel) == ("U1", "asha", "C00000001")
    assert slack.sockets.acknowledged == [envelope]


async def test_a_command_is_told_with_its_words_and_can_be_answered(slack: SlackDouble) -> None:
    """The answer is for its author alone."""
    handle = Handler()
    async with connected(slack, handle) as mode:
        await slack.command("newsdesk", "search <!channel> &lt; *truce*")
        [deed] = await handle.wait_for(1)
        assert isinstance(deed, Asked)
        assert (deed.command, deed.words) == ("/monitor", "search <!channel> &lt; *truce*")
        await mode.answer(deed.response_url, Card(title="<!channel>"))
        [answer] = await slack.wait_for_answers(1)

    assert answer["response_type"] == "ephemeral"
    assert answer["text"] == "&lt;!channel&gt;"


async def test_what_is_no_envelope_is_passed_over(slack: SlackDouble) -> None:
    """Neither words nor numbers nor depth end the connection."""
    handle = Handler()
    async with connected(slack, handle):
        for words in ("welcome", "[1]", "7", "{", '{"type": "hello"}', '{"a":' * 50_000):
            await slack.sockets.send_text(words)
        await slack.sockets.send({"envelope_id": "e1", "type": "events_api", "payload": {}})
        await slack.sockets.until(lambda sockets: sockets.acknowledged == ["e1"])
        assert slack.sockets.opened == 1
    assert handle.deeds == []


async def test_an_acknowledgement_waits_for_nobody(slack: SlackDouble) -> None:
    """The handler is busy: Slack is answered all the same; a press does not wait for a command."""
    handle = Handler(busy=Asked)
    handle.free.clear()
    ts = posted(slack)
    async with connected(slack, handle):
        for _ in range(3):
            await slack.command("newsdesk", "test x")
        await slack.press("newsdesk", ts, "ack")
        await slack.sockets.until(lambda sockets: len(sockets.acknowledged) == 4)
        assert [type(deed) for deed in await handle.wait_for(1)] == [Pressed]
        handle.free.set()
        await handle.wait_for(4)


async def test_what_was_acknowledged_in_vain_is_told_again_under_the_same_mark(
    slack: SlackDouble,
) -> None:
    """Slack did not hear it: the mark tells that it is the same press."""
    handle = Handler()
    slack.sockets.lose_acks = 1
    ts = posted(slack)
    async with connected(slack, handle):
        await slack.press("newsdesk", ts, "ack")
        await handle.wait_for(1)
        await slack.sockets.hang_up()
        first, again = await handle.wait_for(2)
    assert first.mark == again.mark


@pytest.mark.parametrize("reason", ["refresh_requested", "link_disabled", "too_many_websockets"])
async def test_after_a_goodbye_there_is_another_connection(slack: SlackDouble, reason: str) -> None:
    """Whatever the reason, what is done next is told."""
    handle = Handler()
    async with connected(slack, handle):
        await slack.sockets.say_goodbye(reason)
        await slack.sockets.until(lambda sockets: sockets.opened == 2)
        await slack.command("newsdesk", "status")
        assert len(await handle.wait_for(1)) == 1


async def test_of_a_planned_goodbye_the_old_connection_still_listens(slack: SlackDouble) -> None:
    """Slack announces it seconds ahead: nothing is done into a gap."""
    async with connected(slack, Handler()):
        await slack.sockets.say_goodbye()
        await slack.sockets.until(lambda sockets: sockets.opened == 2)
        assert slack.sockets.connections == 2


async def test_a_connection_that_breaks_is_made_again(slack: SlackDouble) -> None:
    """Without a word from Slack, too, and when no address is to be had at first."""
    handle = Handler()
    async with connected(slack, handle) as mode:
        slack.script("apps.connections.open", "500", "429:1", "garbage", "drop_before")
        await slack.sockets.hang_up()
        await slack.sockets.until(lambda sockets: sockets.opened == 2)
        await mode.connected.wait()
        assert mode.problem is None
        await slack.command("newsdesk", "status")
        await handle.wait_for(1)


async def test_a_refused_token_is_said_and_not_hammered_with(slack: SlackDouble) -> None:
    """A minute between attempts; the service goes on without hands."""
    waits: list[float] = []
    asked = asyncio.Event()

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        asked.set()
        await asyncio.Event().wait()

    mode = SocketMode("xapp-1-wrong", base_url=slack.url, sleep=wait)
    stop = asyncio.Event()
    running = asyncio.create_task(mode.run(Handler(), stop))
    await asked.wait()
    assert (waits, "invalid_auth" in (mode.problem or "")) == ([60.0], True)
    stop.set()
    await running
    with pytest.raises(Stopped, match="invalid_auth"):
        await mode.check()
    await mode.close()


async def test_a_handler_that_fails_stops_nobody(
    slack: SlackDouble, caplog: pytest.LogCaptureFixture
) -> None:
    """It is in the log; the next deed is handled."""
    told: list[Deed] = []
    done = asyncio.Event()

    async def handle(deed: Deed) -> None:
        told.append(deed)
        if len(told) == 1:
            raise RuntimeError("a bug")
        done.set()

    async with connected(slack, handle):
        await slack.command("newsdesk", "one")
        await slack.command("newsdesk", "two")
        await done.wait()
    assert "could not be handled: RuntimeError" in caplog.text


async def test_what_was_acknowledged_is_done_before_the_end(slack: SlackDouble) -> None:
    """A stop comes while deeds are queued."""
    handle = Handler()
    handle.free.clear()
    ts = posted(slack)
    async with connected(slack, handle):
        for _ in range(5):
            await slack.press("newsdesk", ts, "ack")
        await slack.sockets.until(lambda sockets: len(sockets.acknowledged) == 5)
        handle.free.set()
    assert len(handle.deeds) == 5


async def test_more_than_can_wait_is_not_acknowledged(slack: SlackDouble) -> None:
    """Slack then tells its author that it failed."""
    handle = Handler()
    handle.free.clear()
    ts = posted(slack)
    async with connected(slack, handle):
        for _ in range(MOST_WAITING + 3):
            await slack.press("newsdesk", ts, "ack")
        last = await slack.command("newsdesk", "status")  # another queue
        await slack.sockets.until(lambda sockets: last in sockets.acknowledged)
        assert len(slack.sockets.acknowledged) == MOST_WAITING + 1 + 1  # one is at work, a command
        handle.free.set()


# ------------------------------------------------------------------------------ pure


@pytest.mark.parametrize(
    "envelope",
    [
        {},
        {"type": "events_api", "payload": {}},
        {"type": "slash_commands", "payload": None},
        {"type": "slash_commands", "payload": {"command": "/monitor"}},
        {"type": "interactive", "payload": {"type": "view_submission"}},
        {"type": "interactive", "payload": {"type": "block_actions", "actions": 7}},
        {"type": "interactive", "payload": {"type": "block_actions", "actions": [{}]}},
        {"type": ["interactive"], "payload": {"type": {}}},
        {
            "type": "interactive",
            "payload": {
                "type": "block_actions",
                "user": {"id": "U1"},
                "container": {"channel_id": "C1", "message_ts": "1.2"},
                "actions": ["see"],
            },
        },
    ],
)
def test_what_is_not_ours_tells_nothing(envelope: dict[str, object]) -> None:
    """Other kinds of envelopes, and broken ones."""
    assert deeds_in(envelope, NOW) == ()


@pytest.mark.parametrize("stamp", ["nan", "1e999", "soon", ""])
def test_a_press_without_a_time_was_now(stamp: str) -> None:
    """Time stamps are Slack's, and a stranger's all the same."""
    payload = {
        "type": "block_actions",
        "user": {"id": "U1"},
        "container": {"channel_id": "C1", "message_ts": "1.2"},
        "actions": [{"action_id": "ack", "action_ts": stamp}],
    }
    [deed] = deeds_in({"type": "interactive", "payload": payload}, NOW)
    assert deed.at == NOW


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("https://hooks.slack.com/commands/T0/1/abc", True),
        ("https://hooks.slack-gov.com/commands/T0/1/abc", True),
        ("https://hooks.slack.com:8443/commands", False),
        ("http://hooks.slack.com/commands", False),
        ("https://hooks.slack.com.evil.example/commands", False),
        ("https://x@hooks.slack.com/commands", False),
        ("https://evil.example/https://hooks.slack.com/", False),
        ("http://127.0.0.1:8900/answers/1", True),
        ("http://127.0.0.1:8901/answers/1", False),
        ("http://127.0.0.1:port/answers/1", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
async def test_answers_go_to_slack_alone(url: str, ours: bool) -> None:
    """An address in an envelope is nobody's word for where our answers go."""
    mode = SocketMode("xapp-1", base_url="http://127.0.0.1:8900/api/")
    assert mode.is_ours(url) is ours
    if not ours:
        with pytest.raises(Rejected, match="bad_address"):
            await mode.answer(url, Card(title="x"))


async def test_no_secret_is_logged(slack: SlackDouble, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the token, nor the ticket of a connection, nor where answers go."""
    caplog.set_level(logging.DEBUG, logger="alerts")
    handle = Handler()
    async with connected(slack, handle) as mode:
        await slack.command("newsdesk", "status")
        [deed] = await handle.wait_for(1)
        assert isinstance(deed, Asked)
        slack.script("apps.connections.open", "error:internal_error")
        await slack.sockets.hang_up()
        await slack.sockets.until(lambda sockets: sockets.opened == 2)
        await mode.connected.wait()
    for secret in ("xapp-", "ticket", "/answers/"):
        assert secret not in caplog.text
