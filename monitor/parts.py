"""Settings to parts: which sinks there are, and by which rules the pipeline goes."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import IO

from alerts import Sink, apprise, cloudevents
from alerts.apprise import AppriseSink
from alerts.cloudevents import Endpoint, EventSink
from alerts.console import ConsoleSink
from alerts.interactions import SocketMode
from alerts.signing import key_of
from alerts.slack import BASE_URL, SlackSink
from alerts.webhook import SlackWebhookSink
from monitor import telemetry
from monitor.compose import Rules
from monitor.config import Settings
from monitor.fetch.connecting import guarded
from monitor.match import Matcher, compile_watches
from monitor.pipeline.retention import Limits
from monitor.scheduler import MAINTENANCE, TICK

CONSOLE_CHANNEL = "terminal"
"""The channel's name where alerts are printed: what only a terminal showed is no channel's yet."""

WEBHOOK_CHANNEL = "webhook"
"""The channel's name where a webhook posts, unless [slack] channel says it better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast this service's clock runs, and how patient it must be because of that."""

    speed: float = 1.0  # seconds of its clock per second of the machine's
    tick: float = TICK  # of the machine's seconds
    maintenance: float = MAINTENANCE  # likewise
    debounce: timedelta = timedelta(seconds=30)

    def patient(self, span: timedelta) -> timedelta:
        """A span of the machine's time in the clock's."""
        return span * self.speed


class Elsewhere:
    """The sinks beside the main one; what they lead to changes with the settings."""

    def __init__(self, settings: Settings) -> None:
        self._allow: Sequence[str] = ()
        self._events = EventSink({}, connector=guarded(lambda: self._allow))
        self._apprise = AppriseSink({})
        self.sinks: Mapping[str, Sink] = {
            cloudevents.PREFIX: self._events,
            apprise.PREFIX: self._apprise,
        }
        self.configure(settings)

    def configure(self, settings: Settings) -> None:
        """Lead where these settings say, from the next message on."""
        self._allow = settings.fetch.allow
        self._events.endpoints = {
            hook.name: Endpoint(
                url=hook.url, keys=tuple(map(key_of, settings.secrets_of("webhook", hook.name)))
            )
            for hook in settings.webhooks
        }
        self._apprise.lists = {
            name: settings.secrets_of("apprise", name) for name in settings.lists
        }

    async def close(self) -> None:
        """Give back connections."""
        for sink in self.sinks.values():
            await sink.close()


def sink_of(settings: Settings, stream: IO[str]) -> Sink:
    """Slack by token, else by webhook, else the terminal."""
    if settings.slack_token is not None:
        token = settings.slack_token.get_secret_value()
        return SlackSink(
            token,
            base_url=settings.slack_api_url or BASE_URL,
            interactive=settings.slack_app_token is not None,
            heard=lambda method, outcome: telemetry.SLACK_CALLS.labels(method, outcome).inc(),
        )
    if settings.slack_webhook is not None:
        return SlackWebhookSink(settings.slack_webhook.get_secret_value())
    return ConsoleSink(stream)


@asynccontextmanager
async def sink_for(settings: Settings, channel: str) -> AsyncIterator[Sink]:
    """What shows messages in a channel, by the channel's name."""
    elsewhere = Elsewhere(settings)
    main = sink_of(settings, sys.stdout)
    try:
        beside = (sink for prefix, sink in elsewhere.sinks.items() if channel.startswith(prefix))
        yield next(beside, main)
    finally:
        await main.close()
        await elsewhere.close()


def is_elsewhere(channel: str | None) -> bool:
    """Whether a channel is that of a sink beside the main one."""
    return channel is not None and channel.startswith((cloudevents.PREFIX, apprise.PREFIX))


def rules_of(settings: Settings, pace: Pace, sink: Sink, previous: Matcher | None = None) -> Rules:
    """The settings, compiled; what `previous` has compiled already is not compiled again."""
    channel, watches = settings.slack.channel or CONSOLE_CHANNEL, settings.watches
    ops = settings.slack.ops_channel
    if isinstance(sink, ConsoleSink):
        channel = channel if is_elsewhere(channel) else CONSOLE_CHANNEL
    elif isinstance(sink, SlackWebhookSink):
        channel = settings.slack.channel or WEBHOOK_CHANNEL
    if isinstance(sink, ConsoleSink | SlackWebhookSink):  # all is shown in one place
        watches = tuple(
            watch if is_elsewhere(watch.channel) else replace(watch, channel=None)
            for watch in watches
        )
    return Rules(
        watches=watches,
        matcher=compile_watches(settings.watches, previous=previous),
        default_channel=channel,
        interval=settings.polling.interval,
        budget=settings.polling.budget,
        cadence=settings.polling.cadence,
        hint_cap=settings.polling.hint_cap,
        cadences=settings.cadences,
        public_url=settings.web.public_url if settings.web.enabled else None,
        max_age=settings.alerts.max_age,
        flood=settings.alerts.flood,
        max_feed=settings.fetch.max_feed,
        max_page=settings.fetch.max_page,
        page_attempts=settings.fetch.page_attempts,
        debounce=pace.debounce,
        buttons=(
            settings.slack.buttons
            and settings.slack_app_token is not None
            and isinstance(sink, SlackSink)
        ),
        repeat_critical=settings.alerts.repeat_critical,
        ops_channel=ops if is_elsewhere(ops) or not isinstance(sink, ConsoleSink) else None,
        heartbeat=settings.slack.heartbeat,
    )


def socket_of(settings: Settings) -> SocketMode | None:
    """The connection over which Slack tells what people do; None without an app token."""
    if settings.slack_app_token is None:
        return None
    token = settings.slack_app_token.get_secret_value()
    return SocketMode(token, base_url=settings.slack_api_url or BASE_URL)


def limits_of(settings: Settings) -> Limits:
    """How long what was read is kept."""
    kept = settings.retention
    return Limits(articles=kept.articles, matched=kept.matched, size=kept.size)
