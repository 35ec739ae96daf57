"""SlackWebhookSink against the double's webhooks."""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from alerts import AlertError, Ambiguous, Deferred, Posted, Rejected, Stopped
from alerts.webhook import SlackWebhookSink
from monitor.demo.slack import FAULTS, SlackDouble
from tests.alerts.examples import alert


class Time:
    """Seconds that pass when somebody sleeps."""

    def __init__(self) -> None:
        self.at = 0.0

    def monotonic(self) -> float:
        """The time."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Pass at once."""
        self.at += seconds


@pytest.fixture
async def slack() -> AsyncIterator[SlackDouble]:
    """A workspace with one channel."""
    async with SlackDouble() as double:
        double.add_channel("newsdesk")
        yield double


@pytest.fixture
def url(slack: SlackDouble) -> str:
    """The secret address."""
    return slack.webhook_url("newsdesk")


@pytest.fixture
def time() -> Time:
    """The sink's time."""
    return Time()


@pytest.fixture
async def sink(url: str, time: Time) -> AsyncIterator[SlackWebhookSink]:
    """A sink of that address."""
    sink = SlackWebhookSink(url, monotonic=time.monotonic, sleep=time.sleep)
    yield sink
    await sink.close()


@pytest.fixture
async def impatient(url: str, time: Time) -> AsyncIterator[SlackWebhookSink]:
    """A sink that gives up a silent Slack soon."""
    sink = SlackWebhookSink(url, timeout=0.2, monotonic=time.monotonic, sleep=time.sleep)
    yield sink
    await sink.close()


async def test_an_alert_is_posted_as_blocks(slack: SlackDouble, sink: SlackWebhookSink) -> None:
    """The same message as a bot's, without a reference to it."""
    posted = await sink.post("#ignored", alert())

    (stored,) = slack.messages("newsdesk")
    assert posted == Posted(channel="#ignored", ref="")
    assert stored["blocks"][0]["elements"][0]["elements"][0]["text"] == alert().headline


async def test_whether_a_message_is_still_ours_is_asked_right_before_it_is_posted(
    slack: SlackDouble, sink: SlackWebhookSink, time: Time
) -> None:
    """A message waits for its turn, and may be another process's meanwhile."""
    await sink.post("#newsdesk", alert())
    sink.may_post = lambda: time.at < 1
    with pytest.raises(Deferred, match="away"):
        await sink.post("#newsdesk", alert())
    assert time.at == 1
    assert len(slack.calls) == 1


async def test_it_says_what_it_can_not_do(sink: SlackWebhookSink) -> None:
    """Flags for those who ask first, errors for those who don't."""
    assert (sink.can_update, sink.can_find) == (False, False)
    with pytest.raises(Rejected, match="cant_update"):
        await sink.update(Posted(channel="x", ref=""), alert())
    with pytest.raises(Stopped, match="cant_find"):
        await sink.find("x", "1", datetime.now(UTC))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("drop_before", Ambiguous),
        ("drop_after", Ambiguous),
        ("500", Ambiguous),
        ("502_stored", Ambiguous),
        ("garbage", Ambiguous),
        ("429:3", Deferred),
    ],
)
async def test_a_broken_call_is_classed(
    slack: SlackDouble, sink: SlackWebhookSink, fault: str, kind: type[AlertError]
) -> None:
    """Nobody can look it up, so the caller must know that it is not known."""
    slack.script("webhook", fault)

    with pytest.raises(kind):
        await sink.post("#newsdesk", alert())


async def test_a_silent_slack_is_given_up(slack: SlackDouble, impatient: SlackWebhookSink) -> None:
    """Nobody knows what it did with the message."""
    slack.script("webhook", "slow_after")

    with pytest.raises(Ambiguous, match="timeout"):
        await impatient.post("#newsdesk", alert())


async def test_a_redirect_is_not_followed(slack: SlackDouble, sink: SlackWebhookSink) -> None:
    """Alerts go to Slack's address and nowhere else."""
    slack.script("webhook", "redirect")

    with pytest.raises(Stopped, match="HTTP 307"):
        await sink.post("#newsdesk", alert())


async def test_retry_after_is_waited_out(
    slack: SlackDouble, sink: SlackWebhookSink, time: Time
) -> None:
    """No request is made before the pause is over."""
    slack.script("webhook", "429:3")
    for _ in range(2):
        with pytest.raises(Deferred) as error:
            await sink.post("#newsdesk", alert())
        assert error.value.retry_after == 3
    assert len(slack.calls) == 1

    time.at += 3
    await sink.post("#newsdesk", alert())
    assert len(slack.messages()) == 1


async def test_posts_are_a_second_apart(sink: SlackWebhookSink, time: Time) -> None:
    """Slack's limit for webhooks."""
    for _ in range(3):
        await sink.post("#newsdesk", alert())

    assert time.at == 2.0


async def test_a_removed_webhook_stops_the_sink(
    slack: SlackDouble, sink: SlackWebhookSink, url: str
) -> None:
    """There is no other place to go to: the queue waits for an operator."""
    slack.remove_webhook(url)

    with pytest.raises(Stopped, match="no_service"):
        await sink.post("#newsdesk", alert())


async def test_an_archived_channel_stops_the_sink(
    slack: SlackDouble, sink: SlackWebhookSink
) -> None:
    """The same for its one channel."""
    slack.change_channel("newsdesk", archived=True)

    with pytest.raises(Stopped, match="channel_is_archived"):
        await sink.post("#newsdesk", alert())


async def test_nothing_that_is_raised_or_logged_holds_the_address(
    slack: SlackDouble,
    impatient: SlackWebhookSink,
    url: str,
    time: Time,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever has the address can post."""
    caplog.set_level(logging.DEBUG)
    secret = url.rpartition("/")[2]
    bad = SlackWebhookSink("hxxp://" + secret)
    errors: list[AlertError] = []
    slack.script("webhook", *FAULTS)
    for _ in FAULTS:
        with pytest.raises(AlertError) as caught:
            await impatient.post("#newsdesk", alert())
        errors.append(caught.value)
        time.at += 3600  # whatever pause it asked for is over
    with pytest.raises(AlertError) as caught:
        await bad.post("#newsdesk", alert())
    await bad.close()
    errors.append(caught.value)

    assert errors[-1].code == "bad_address"
    for error in errors:
        assert error.__context__ is None
        assert secret not in "".join(traceback.format_exception(error))
    assert secret not in caplog.text
