"""What the people who run the service are told beside the log and the page.

Errands: they run beside the work, and neither a poll nor a stop waits for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from uuid import uuid4

from alerts import AlertError, Card, Stopped
from alerts.console import ConsoleSink
from alerts.slack import SlackSink
from monitor import telemetry
from monitor.pipeline import Context

log = telemetry.get_logger()


class Operators:
    """Speaks to operators through the sink, and about the sink."""

    def __init__(self, context: Context) -> None:
        self._with = context
        self._errands: set[asyncio.Task[None]] = set()

    def greet(self) -> None:
        """Find out, before an alert does, what would keep it from being shown in Slack."""
        if isinstance(self._with.sink, SlackSink):
            self._begin(self._ask_slack(self._with.sink))

    def tell(self, channel: str | None, text: str) -> None:
        """Say something in the operators' channel, as far as that can be done just now."""
        if channel is not None and not isinstance(self._with.sink, ConsoleSink):
            self._begin(self._post(channel, text))

    async def close(self) -> None:
        """Give up what is under way."""
        for errand in self._errands:
            errand.cancel()
        await asyncio.gather(*self._errands, return_exceptions=True)

    async def _ask_slack(self, slack: SlackSink) -> None:
        rules = self._with.rules
        channels = {watch.channel or rules.default_channel for watch in rules.watches}
        try:
            identity = await slack.check(*sorted(channels))
        except AlertError as error:
            self._with.sink_problem = str(error)
            if isinstance(error, Stopped):
                log.error("slack.refused", error=str(error))
            else:  # it may be another time
                log.warning("slack.unreachable", error=str(error))
            return
        log.info("slack.ready", team=identity.team, user=identity.user)
        if identity.missing:
            log.warning("slack.scopes_missing", scopes=list(identity.missing))
        if identity.unknown:
            log.error(
                "slack.channels_unknown",
                channels=list(identity.unknown),
                detail="misspelt, or private and the bot is not in it: their alerts wait",
            )
        if identity.unreadable:
            log.warning(
                "slack.channels_unreadable",
                channels=list(identity.unreadable),
                detail="invite the bot, so that a broken-off post can be looked up",
            )

    async def _post(self, channel: str, text: str) -> None:
        notice = Card(title=text, delivery_id=uuid4().hex)
        try:
            await self._with.sink.post(channel, notice)
        except AlertError as error:
            log.warning("operators.untold", channel=channel, error=str(error))

    def _begin(self, errand: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)
