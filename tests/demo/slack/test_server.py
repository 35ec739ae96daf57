"""The double says no where Slack does; otherwise tests against it would prove nothing."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from monitor.demo.slack import SlackDouble, block_errors, message_error

PLAIN = {"type": "plain_text", "text": "x"}


@pytest.fixture
async def slack() -> AsyncIterator[SlackDouble]:
    """A workspace with one channel."""
    async with SlackDouble(now=lambda: 1_000.0) as double:
        double.add_channel("newsdesk")
        yield double


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A plain HTTP client."""
    async with aiohttp.ClientSession() as session:
        yield session


async def call(
    session: aiohttp.ClientSession, slack: SlackDouble, method: str, **body: Any
) -> dict[str, Any]:
    """One call with JSON, as the SDK posts."""
    headers = {"Authorization": f"Bearer {slack.token}"}
    async with session.post(slack.url + method, json=body, headers=headers) as response:
        answer: dict[str, Any] = await response.json()
        return answer | {"status": response.status, "headers": response.headers}


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    """A rich_text block of one section."""
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": list(elements)}],
    }


@pytest.mark.parametrize(
    "block",
    [
        {"type": "nonsense"},
        {"type": "section"},
        {"type": "section", "text": {"type": "plain_text", "text": ""}},
        {"type": "section", "text": {"type": "plain_text", "text": "x" * 3001}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "x", "emoji": False}},
        {"type": "section", "fields": [PLAIN] * 11},
        {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}},
        {"type": "header", "text": {"type": "mrkdwn", "text": "x"}},
        {"type": "context", "elements": [PLAIN] * 11},
        {"type": "context", "elements": []},
        {"type": "divider", "text": "x"},
        {"type": "divider", "block_id": "x" * 256},
        {"type": "actions", "elements": [{"type": "button", "text": PLAIN}] * 26},
        {"type": "actions", "elements": [{"type": "button", "text": PLAIN, "value": "x" * 2001}]},
        rich({"type": "text", "text": ""}),
        rich({"type": "text", "text": "x", "style": {"blink": True}}),
        rich({"type": "text", "text": "x", "style": {"bold": "yes"}}),
        rich({"type": "link", "text": "x"}),
        rich({"type": "link", "url": "javascript:x"}),
        rich({"type": "link", "url": "https://a.example/a b"}),
        rich({"type": "link", "url": "https://a.example/" + "x" * 3000}),
        {"type": "rich_text", "elements": [{"type": "text", "text": "x"}]},
    ],
)
def test_a_wrong_block_is_refused_with_a_pointer(block: dict[str, Any]) -> None:
    """Each of the documented limits."""
    wrong = block_errors([{"type": "divider"}, block])

    assert wrong
    assert all("[json-pointer:/blocks/1" in line for line in wrong)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"text": "x", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"text": "x", "blocks": "not json"}, "invalid_blocks_format"),
        (
            {"text": "x", "blocks": [rich({"type": "text", "text": "x" * 4001})] * 3},
            "msg_blocks_too_long",
        ),
        ({"text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_format"),
        (
            {"text": "x", "metadata": {"event_type": "a", "event_payload": {"b": {"c": {}}}}},
            "invalid_metadata_schema",
        ),
        (
            {"text": "x", "metadata": {"event_type": "a", "event_payload": {"b": "x" * 1100}}},
            "metadata_too_large",
        ),
    ],
)
def test_a_message_over_a_limit_is_refused(body: dict[str, Any], error: str) -> None:
    """With Slack's own code."""
    assert (message_error(body) or ("",))[0] == error


def test_an_update_takes_less_text() -> None:
    """4,000 characters, a tenth of a post."""
    assert message_error({"text": "x" * 4001}) is None
    assert message_error({"text": "x" * 4001}, update=True) == ("msg_too_long", [])


async def test_history_gives_metadata_to_those_who_ask(
    slack: SlackDouble, session: aiohttp.ClientSession
) -> None:
    """Newest first, in pages, thread replies left out."""
    metadata = {"event_type": "a", "event_payload": {"id": "1"}}
    posted = await call(
        session, slack, "chat.postMessage", channel="#newsdesk", text="x", metadata=metadata
    )
    place, ts = posted["channel"], posted["ts"]
    slack.say("newsdesk", "reply", thread_ts=ts)
    slack.say("newsdesk", "talk")

    first = await call(session, slack, "conversations.history", channel=place, limit=1)
    assert [row["text"] for row in first["messages"]] == ["talk"]
    second = await call(
        session,
        slack,
        "conversations.history",
        channel=place,
        limit=1,
        cursor=first["response_metadata"]["next_cursor"],
    )
    assert second["messages"][0]["metadata"] == {"event_type": "a"}
    full = await call(
        session, slack, "conversations.history", channel=place, include_all_metadata=True
    )
    assert full["messages"][1]["metadata"] == metadata
    replies = await call(session, slack, "conversations.replies", channel=place, ts=ts)
    assert [row["text"] for row in replies["messages"]] == ["x", "reply"]


async def test_time_stamps_are_unique_and_rise(slack: SlackDouble) -> None:
    """Even where the clock stands still."""
    stamps = [slack.say("newsdesk", str(number)) for number in range(50)]

    assert stamps == sorted(set(stamps))


async def test_a_channel_takes_a_burst_and_then_one_a_second(
    session: aiohttp.ClientSession,
) -> None:
    """The 26th is refused with a Retry-After; a second later one more is taken."""
    seconds = [0.0]
    async with SlackDouble(rate_limited=True, monotonic=lambda: seconds[0]) as slack:
        slack.add_channel("newsdesk")
        body = {"channel": "#newsdesk", "text": "x"}
        for _ in range(25):
            assert (await call(session, slack, "chat.postMessage", **body))["ok"]
        refused = await call(session, slack, "chat.postMessage", **body)
        assert (refused["status"], refused["error"]) == (429, "ratelimited")
        assert refused["headers"]["Retry-After"] == "1"
        seconds[0] = 1.0
        assert (await call(session, slack, "chat.postMessage", **body))["ok"]
        assert len(slack.messages()) == 26


@pytest.mark.parametrize(
    ("method", "body", "error"),
    [
        ("chat.postMessage", {"channel": "#nowhere", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "#newsdesk"}, "no_text"),
        ("chat.update", {"channel": "#newsdesk", "ts": "1", "text": "x"}, "channel_not_found"),
        ("chat.update", {"channel": "C00000001", "ts": "1", "text": "x"}, "message_not_found"),
        ("conversations.history", {"channel": "#newsdesk"}, "channel_not_found"),
        ("conversations.history", {"channel": "C00000001", "limit": 9999}, "invalid_limit"),
        ("conversations.replies", {"channel": "C00000001", "ts": "1"}, "thread_not_found"),
        ("conversations.info", {"channel": "C9"}, "channel_not_found"),
        ("chat.meMessage", {"channel": "#newsdesk", "text": "x"}, "unknown_method"),
    ],
)
async def test_methods_refuse_what_slack_refuses(
    slack: SlackDouble,
    session: aiohttp.ClientSession,
    method: str,
    body: dict[str, Any],
    error: str,
) -> None:
    """Ids where ids are needed, and nothing stored."""
    assert (await call(session, slack, method, **body))["error"] == error
    assert slack.messages() == []


async def test_only_its_own_messages_can_be_updated(
    slack: SlackDouble, session: aiohttp.ClientSession
) -> None:
    """Somebody else's stay."""
    ts = slack.say("newsdesk", "mine")

    answer = await call(session, slack, "chat.update", channel="C00000001", ts=ts, text="yours")

    assert answer["error"] == "cant_update_message"
    assert slack.messages()[0]["text"] == "mine"


async def test_a_misspelt_fault_fails_in_the_test(slack: SlackDouble) -> None:
    """Not silently by never happening."""
    with pytest.raises(KeyError):
        slack.script("chat.postMessage", "drop_sometime")


async def test_waiting_ends_when_enough_is_stored(
    slack: SlackDouble, session: aiohttp.ClientSession
) -> None:
    """Journeys wait for messages instead of sleeping."""
    await call(session, slack, "chat.postMessage", channel="#newsdesk", text="x")

    assert [row["text"] for row in await slack.wait_for(1, "newsdesk")] == ["x"]


async def test_a_method_takes_a_minutes_calls_at_once_and_then_by_its_tier(
    session: aiohttp.ClientSession,
) -> None:
    """The 51st look at a history within a minute is refused, whatever its channel."""
    seconds = [0.0]
    async with SlackDouble(rate_limited=True, monotonic=lambda: seconds[0]) as slack:
        places = [slack.add_channel("newsdesk"), slack.add_channel("other")]
        for number in range(50):
            answer = await call(session, slack, "conversations.history", channel=places[number % 2])
            assert answer["ok"]
        refused = await call(session, slack, "conversations.history", channel=places[0])
        assert (refused["status"], refused["headers"]["Retry-After"]) == (429, "2")
        seconds[0] = 2.0
        assert (await call(session, slack, "conversations.history", channel=places[0]))["ok"]


async def test_what_was_posted_is_found_in_the_history_after_a_while(
    session: aiohttp.ClientSession,
) -> None:
    """The history may lag behind a post."""
    seconds = [1e9]
    async with SlackDouble(history_delay=2, now=lambda: seconds[0]) as slack:
        place = slack.add_channel("newsdesk")
        ts = slack.say("newsdesk", "news")
        slack.say("newsdesk", "an answer", thread_ts=ts)
        found = []
        for seconds[0] in (1e9 + 1.9, 1e9 + 2.1):
            for method in ("conversations.history", "conversations.replies"):
                answer = await call(session, slack, method, channel=place, ts=ts)
                found.append([row["text"] for row in answer["messages"]])
        assert found == [[], ["news"], ["news"], ["news", "an answer"]]


async def test_a_bad_day_is_made_of_faults(session: aiohttp.ClientSession) -> None:
    """So many calls fail, in many ways; the same dice throw the same ones."""
    seen = []
    for _ in range(2):
        async with SlackDouble() as slack:
            place = slack.add_channel("newsdesk")
            slack.misbehave(random.Random(7), 0.3)
            for _ in range(60):
                with contextlib.suppress(aiohttp.ClientError, TimeoutError, ValueError):
                    async with asyncio.timeout(0.05):
                        await call(session, slack, "chat.postMessage", channel=place, text="x")
            seen.append([each.fault for each in slack.calls])
    assert seen[0] == seen[1]
    assert 10 <= sum(map(bool, seen[0])) <= 26
    assert len(set(seen[0])) > 6
