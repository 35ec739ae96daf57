"""What the people who run the service are told beside the log and the page.

It waits in the outbox like all that is said, so that a restart loses nothing of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from alerts import AlertError, Card, Stopped
from alerts.slack import SlackSink
from monitor import telemetry
from monitor.errors import StorageError
from monitor.pipeline import Context
from monitor.pipeline.ops import DAY, note_sink
from monitor.ports import Transaction
from monitor.telling import ops

log = telemetry.get_logger()

POST = "chat:write"
"""The scope without which Slack knows us and takes nothing."""


class Operators:
    """Speaks to operators through the outbox, and about the sink."""

    def __init__(self, context: Context, speaks: Callable[[], bool] = lambda: True) -> None:
        """`speaks`: whether this process is the one of many that says what all of them notice."""
        self._with = context
        self._speaks = speaks
        self._errands: set[asyncio.Task[None]] = set()
        self._unanswered = False  # a sink did not say how we stand with it
        self._open: dict[str, str] = {}  # by what it is about, the subject whose message goes on

    def greet(self) -> None:
        """Find out, before an alert does, what would keep it from being shown in Slack.

        An errand: it runs beside the work, and neither a poll nor a stop waits for it.
        """
        self._unanswered = False
        for sink in (self._with.sink, *self._with.others.values()):
            if isinstance(sink, SlackSink):
                self._begin(self._ask_slack(sink))

    def greet_again(self) -> None:
        """As long as it could not be found out, or something was wrong: to be done every minute."""
        if self._unanswered and not self._errands:
            self.greet()

    async def tell(
        self, about: str, card: Card, *, ends: bool = False, alone: bool = False
    ) -> None:
        """Say something in the operators' channel, if there is one.

        What is said next about the same edits that message, until something `ends` it. `alone`: of
        many processes this one noticed, so it speaks, whether or not it speaks for all.
        """
        channel, now = self._with.rules.ops_channel, self._with.clock.now()
        if channel is None or not (alone or self._speaks()):
            return
        is_new = about not in self._open
        subject = self._open.setdefault(about, f"{about}:{now.isoformat()}")
        if ends:
            del self._open[about]

        def say(tx: Transaction) -> None:
            last = tx.last_told(channel, f"{about}:")
            # each start finds the same
            if not (is_new and last and last[1].card == card and now - last[1].told_at < DAY):
                tx.tell(channel, subject, card, now, again=True)

        try:
            await self._with.store.write(say)
        except StorageError as error:
            log.warning("operators.untold", channel=channel, about=about, error=str(error))

    async def close(self) -> None:
        """Give up what is under way."""
        for errand in self._errands:
            errand.cancel()
        await asyncio.gather(*self._errands, return_exceptions=True)

    async def _ask_slack(self, slack: SlackSink) -> None:
        channels = self._with.rules.channels
        try:
            mine = sorted(each for each in channels if self._with.sink_of(each) is slack)
            identity = await slack.check(*mine)
        except AlertError as error:
            self._unanswered = True
            is_known = self._with.sink_problem == str(error)
            if slack is self._with.sink:
                await note_sink(self._with, str(error))
            if is_known:
                log.debug("slack.still_refused", error=str(error))
            elif isinstance(error, Stopped):
                log.error("slack.refused", error=str(error))
            else:  # it may be another time
                log.warning("slack.unreachable", error=str(error))
            return
        if slack is self._with.sink and POST not in identity.missing:
            await note_sink(self._with, None, is_new=True)
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
        lacks = ops.slack_lacks(identity.missing, identity.unknown, identity.unreadable)
        if lacks is not None:
            await self.tell("slack", lacks, alone=True)
        elif "slack" in self._open:
            await self.tell(
                "slack", Card(title="Slack has all that it needs"), ends=True, alone=True
            )

    def _begin(self, errand: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)
