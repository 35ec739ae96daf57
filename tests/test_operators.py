"""What operators are told waits in the outbox, and is not said twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts import Card, Deferred
from alerts.memory import MemorySink
from alerts.slack import SlackSink
from monitor.compose import Rules
from monitor.demo.slack import SlackDouble
from monitor.demo.slack.server import ALL_SCOPES
from monitor.match import compile_watches
from monitor.model import Job, Kind
from monitor.operators import Operators
from monitor.pipeline import Context, Pipeline
from monitor.storage import SqlStore
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


async def test_a_blip_at_the_start_is_over_once_slack_answers(context, slack, database_url):
    """It is asked again every minute until it does, and every process knows, before and after."""
    async with SqlStore(database_url) as mine, SqlStore(database_url) as others:
        context.store = mine
        operators = Operators(context)
        real, context.sink = context.sink, Unreachable(slack.token, base_url=slack.url)
        await asked(operators.greet, operators)
        assert await others.read(lambda tx: tx.sink_trouble()) == ("slack", "unreachable")
        await asked(operators.greet_again, operators)
        assert context.sink_problem == "unreachable"
        await context.sink.close()
        context.sink = real
        await asked(operators.greet_again, operators)
        assert context.sink_problem is None
        assert await others.read(lambda tx: tx.sink_trouble()) is None
        seen = len(slack.calls)
        await asked(operators.greet_again, operators)
        assert len(slack.calls) == seen


async def test_who_was_refused_before_the_start_takes_it_back(context, slack):
    """The token was mended, and the process started again: it has no memory of the problem."""
    await context.store.write(lambda tx: tx.note_sink("slack", "invalid_auth", context.clock.now()))
    await greeted(context)
    assert await context.store.read(lambda tx: tx.sink_trouble()) is None


async def test_a_token_that_may_not_post_is_no_end_of_the_problem(context, slack):
    """Slack knows us, and takes nothing."""
    await context.store.write(
        lambda tx: tx.note_sink("slack", "missing_scope", context.clock.now())
    )
    slack.scopes = tuple(scope for scope in slack.scopes if scope != "chat:write")
    operators = Operators(context)
    await asked(operators.greet, operators)
    assert await context.store.read(lambda tx: tx.sink_trouble()) == ("slack", "missing_scope")


async def test_what_slack_lacks_is_told_by_who_sends(context, slack):
    """Of many processes another keeps the clock: it speaks of what all notice, and not of this."""
    operators = Operators(context, speaks=lambda: False)
    await asked(operators.greet, operators)
    await operators.tell("config", Card(title="The configuration was rejected"))
    await Pipeline(context).run(Job(Kind.DELIVER, OPS))
    [told] = slack.messages("ops")
    assert "The token lacks groups:history" in told["text"]


async def asked(begin, operators) -> None:
    """Slack is asked, if need be, and has answered."""
    begin()
    while operators._errands:
        await next(iter(operators._errands))


class Unreachable(SlackSink):
    """Slack behind a network that is away."""

    async def check(self, *channels):
        raise Deferred("unreachable")
