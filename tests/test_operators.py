"""What operators are told waits in the outbox, and is not said twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts import Card
from alerts.memory import MemorySink
from alerts.slack import SlackSink
from monitor.compose import Rules
from monitor.demo.slack import SlackDouble
from monitor.demo.slack.server import ALL_SCOPES
from monitor.match import compile_watches
from monitor.model import Job, Kind
from monitor.operators import Operators
from monitor.pipeline import Context, Pipeline
from tests.contracts.material import CEASEFIRE
from tests.fakes import FakeClock

OPS = "#ops"


@pytest.fixture
async def slack():
    """A workspace with an operators' channel, and a token that lacks a scope."""
    scopes = tuple(scope for scope in ALL_SCOPES if scope != "groups:history")
    async with SlackDouble(scopes=scopes) as double:
        double.add_channel("newsdesk")
        double.add_channel("ops")
        yield double


@pytest.fixture
async def context(slack, sqlite_store):
    sink = SlackSink(slack.token, base_url=slack.url)
    yield Context(
        store=sqlite_store,
        fetcher=None,
        offload=None,
        sink=sink,
        clock=FakeClock(),
        rules=Rules(
            watches=(CEASEFIRE,),
            matcher=compile_watches((CEASEFIRE,)),
            default_channel="#newsdesk",
            interval=timedelta(minutes=5),
            ops_channel=OPS,
        ),
        jitter=lambda: 0.0,
    )
    await sink.close()


async def greeted(context) -> Operators:
    """A start, and what is said at it."""
    operators = Operators(context)
    operators.greet()
    while operators._errands:
        await next(iter(operators._errands))
    await Pipeline(context).run(Job(Kind.DELIVER, OPS))
    return operators


async def test_what_slack_lacks_is_told_once_a_day(context, slack):
    """However often the service starts; and again the day after."""
    await greeted(context)
    context.clock.advance(minutes=1)
    await greeted(context)
    [told] = slack.messages("ops")
    assert "The token lacks groups:history" in told["text"]
    context.clock.advance(hours=25)
    await greeted(context)
    assert len(slack.messages("ops")) == 2


async def test_what_slack_has_again_ends_the_message(context, slack):
    """It is edited."""
    operators = await greeted(context)
    slack.scopes = ALL_SCOPES
    operators.greet()
    while operators._errands:
        await next(iter(operators._errands))
    await Pipeline(context).run(Job(Kind.DELIVER, OPS))
    [told] = slack.messages("ops")
    assert told["text"] == "Slack has all that it needs"


async def test_nothing_said_is_lost_in_a_restart(context, slack):
    """The process ends before anything is posted; the next one posts it."""
    operators = Operators(context)
    await operators.tell("config", Card(title="The configuration was rejected"))
    await operators.close()
    assert slack.messages("ops") == []
    await Pipeline(context).run(Job(Kind.DELIVER, OPS))
    assert [row["text"] for row in slack.messages("ops")] == ["The configuration was rejected"]


async def test_what_goes_on_is_one_message_until_it_ends(context, slack):
    """Rejected, rejected for another reason, applied: one; the next edit is another."""
    operators = Operators(context)
    for title, ends in (("no", False), ("still no", False), ("yes", True), ("more", True)):
        await operators.tell("config", Card(title=title), ends=ends)
        await Pipeline(context).run(Job(Kind.DELIVER, OPS))
        context.clock.advance(minutes=1)
    assert [row["text"] for row in slack.messages("ops")] == ["yes", "more"]


async def test_slack_is_asked_wherever_it_stands(context, slack):
    """Beside the sink that most channels lead to, too; about its own channels alone."""
    slack_sink, context.sink = context.sink, MemorySink()
    context.others = {"#": slack_sink}
    await greeted(context)
    [told] = slack.messages("ops")
    assert "The token lacks groups:history" in told["text"]
