"""Hands on the messages of the program as it runs: pressed in Slack, shown in Slack."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from alerts.interactions import MAKE_ANOTHER
from alerts.slack import INTERACTIVE_SCOPES, SCOPES
from monitor.demo.slack import SlackDouble
from tests.journeys.test_life import Operator, operator

pytestmark = pytest.mark.timeout(90)

CHANNEL = '[slack]\nchannel = "#newsdesk"\n'
__all__ = ["operator"]  # a fixture


async def told(slack: SlackDouble, words: str) -> dict[str, Any]:
    """The message, once it says this."""
    async with asyncio.timeout(30):
        while True:
            for row in slack.messages("newsdesk"):
                if words in str(row["blocks"]):
                    return row
            await asyncio.sleep(0.05)


async def test_a_press_is_seen_by_all_and_a_question_answered(operator: Operator) -> None:
    """From the button to the edited message; after a restart, too; nothing secret in the log."""
    operator.write("ceasefire", extra=CHANNEL)
    async with SlackDouble(scopes=(*SCOPES, *INTERACTIVE_SCOPES)) as slack:
        slack.add_channel("newsdesk")
        slack.add_user("U1", "Asha")
        env = {
            "SLACK_BOT_TOKEN": slack.token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.url,
        }
        async with operator.running(**env) as service:
            [alert] = await slack.wait_for(1, "newsdesk")
            await slack.sockets.until(lambda sockets: sockets.connections == 1)
            await slack.press("newsdesk", alert["ts"], "see", user="U1")
            await told(slack, "✓ seen by Asha")
            await slack.command("newsdesk", f"why {operator.server.url('/ceasefire')}", user="U1")
            [answer] = await slack.wait_for_answers(1)
            assert "Truce: ceasefire" in str(answer["blocks"])
            await slack.press("newsdesk", alert["ts"], "mute", user="U1")
            await told(slack, "muted by Asha")
            assert await service.stop() == 0
        assert slack.sockets.connections == 0
        async with operator.running(**env) as again:
            await slack.sockets.until(lambda sockets: sockets.connections == 1)
            await slack.press("newsdesk", alert["ts"], "unmute", user="U1")
            row = await told(slack, "Mute story")
            assert "✓ seen by Asha" in str(row["blocks"])
            assert await again.stop() == 0
        assert len(slack.messages()) == 1
        log = str(service.log + again.log)
        assert slack.app_token not in log
        assert "ticket" not in log


async def test_without_a_connection_alerts_go_out_all_the_same(operator: Operator) -> None:
    """The app token is not good: that is said, once, and nothing waits for it."""
    operator.write("ceasefire", extra=CHANNEL)
    async with SlackDouble(scopes=(*SCOPES, *INTERACTIVE_SCOPES)) as slack:
        slack.add_channel("newsdesk")
        env = {
            "SLACK_BOT_TOKEN": slack.token,
            "SLACK_APP_TOKEN": "xapp-1-wrong",
            "SLACK_API_URL": slack.url,
        }
        async with operator.running(**env) as service:
            await slack.wait_for(1, "newsdesk")
            waiting = "not connected to Slack: buttons and commands wait: invalid_auth"
            if not any(entry["event"].startswith(waiting) for entry in service.log):
                await service.event(f"{waiting}: {MAKE_ANOTHER}")
            assert await service.stop() == 0


async def test_buttons_can_be_left_out(operator: Operator) -> None:
    """`[slack] buttons = false`: the command is heard, and messages stay as they were."""
    operator.write("ceasefire", extra=CHANNEL + "buttons = false\n")
    async with SlackDouble(scopes=(*SCOPES, *INTERACTIVE_SCOPES)) as slack:
        slack.add_channel("newsdesk")
        env = {
            "SLACK_BOT_TOKEN": slack.token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.url,
        }
        async with operator.running(**env) as service:
            [alert] = await slack.wait_for(1, "newsdesk")
            assert [block["type"] for block in alert["blocks"]] == ["rich_text", "context"]
            await slack.sockets.until(lambda sockets: sockets.connections == 1)
            await slack.command("newsdesk", "help")
            await slack.wait_for_answers(1)
            assert await service.stop() == 0
