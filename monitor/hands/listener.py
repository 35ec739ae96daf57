"""Hears what is done in Slack, and does it: once, however often it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

from alerts import AlertError, Card
from alerts.interactions import Asked, Deed, Pressed, SocketMode
from alerts.slack import SlackSink
from monitor import telemetry
from monitor.config import Settings
from monitor.errors import StorageError
from monitor.hands.commands import Desk, answered
from monitor.model import DeliveryId
from monitor.pipeline import Context
from monitor.pipeline.hands import act, remind
from monitor.ports import Reports
from monitor.telling.hands import Action

log = telemetry.get_logger()


class Hands:
    """What people do in Slack, heard over Socket Mode."""

    def __init__(
        self,
        socket: SocketMode,
        context: Context,
        reports: Reports,
        settings: Callable[[], Settings],
    ) -> None:
        self._socket = socket
        self._with = context
        self._reports = reports
        self._settings = settings

    async def run(self, stop: asyncio.Event) -> None:
        """Listen until `stop`."""
        await self._socket.run(self.handle, stop)

    async def close(self) -> None:
        """Give back connections."""
        await self._socket.close()

    @property
    def problem(self) -> str | None:
        """Why nothing is heard, if so."""
        return self._socket.problem

    async def handle(self, deed: Deed) -> None:
        """Do what somebody pressed, answer what somebody asked."""
        match deed:
            case Pressed():
                await self._press(deed)
            case Asked():
                await self._answer(deed)

    async def remind(self) -> None:
        """Say again what is critical and nobody has acknowledged."""
        after, now = self._with.rules.repeat_critical, self._with.clock.now()
        if after is None or not self._with.rules.buttons:
            return
        rules = self._with.rules

        def is_heard(channel: str) -> bool:
            return self._with.sink_of(channel) is self._with.sink

        count = await self._with.store.write(
            lambda tx: remind(tx, rules, after, now, has_buttons=is_heard)
        )
        if count:
            log.info("hands.reminded", stories=count)

    async def _press(self, pressed: Pressed) -> None:
        try:
            action = Action(pressed.action)
        except ValueError:  # a button of another version of this program
            log.warning("hands.unknown", action=pressed.action)
            return
        name = await self._name(pressed)
        work = partial(
            act,
            action=action,
            delivery=DeliveryId(pressed.value),
            mark=pressed.mark,
            user=pressed.user,
            name=name,
            channel=pressed.channel,
            rules=self._with.rules,
            now=self._with.clock.now(),
        )
        is_done = await self._with.store.write(work)
        log.info("hands.pressed", action=action, by=name, delivery=pressed.value, done=is_done)

    async def _answer(self, asked: Asked) -> None:
        name, now = await self._name(asked), self._with.clock.now()
        is_new = await self._with.store.write(
            lambda tx: tx.note_deed(
                asked.mark,
                user=asked.user,
                name=name,
                action=asked.command,
                subject=asked.words,
                channel=asked.channel,
                now=now,
            )
        )
        if not is_new:
            return
        desk = Desk(reports=self._reports, settings=self._settings(), now=now)
        try:
            async for card in _without_faults(answered(asked.words, desk)):
                await self._socket.answer(asked.response_url, card)
        except AlertError as error:
            log.warning("hands.unanswered", error=str(error))
        log.info("hands.asked", words=asked.words, by=name)

    async def _name(self, deed: Deed) -> str:
        """What people call who did it."""
        sink = self._with.sink
        known = await sink.user_name(deed.user) if isinstance(sink, SlackSink) else None
        return known or deed.user_name or deed.user


async def _without_faults(cards: AsyncIterator[Card]) -> AsyncIterator[Card]:
    """The cards; where the database is away, that it is."""
    try:
        async for card in cards:
            yield card
    except StorageError as error:
        log.warning("hands.storage", error=str(error))
        yield Card(title="The database can't be asked just now: try again in a minute.")
