"""The service that is killed, as `monitor run` makes it.

Two things are different. Its clock, which it shares with the newsroom and with Slack, runs fast
(``CHAOS_CLOCK``: the time it began, by the machine's monotonic clock and since 1970, and how fast).
And somebody has remarks to make in the thread of each story, three in quick succession, beside
what the service itself has to say.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from alerts import Card
from alerts.slack import SlackSink
from monitor import config, telemetry
from monitor.errors import StorageError
from monitor.parts import Pace
from monitor.ports import Role, Transaction
from monitor.service import Service, assembled
from monitor.storage import tables as t

REMARKS = 3
TIMEOUT = 1.0  # of the machine's seconds: what Slack does not answer by then is given up
NO_DATABASE = 3  # the status of a process that found none at its start
SECOND_LOOK = 3.0  # of the clock's


@dataclass(frozen=True, slots=True)
class SharedClock:
    """One time for several processes, `speed` times as fast as the machine's."""

    began: float  # of time.monotonic()
    start: float  # seconds since 1970
    speed: float

    def __str__(self) -> str:
        return f"{self.began!r} {self.start!r} {self.speed!r}"

    def seconds(self) -> float:
        """Seconds since 1970."""
        return self.start + (time.monotonic() - self.began) * self.speed

    def monotonic(self) -> float:
        """For what only measures."""
        return time.monotonic() * self.speed

    def now(self) -> datetime:
        """The time."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds / self.speed)


async def remark(service: Service) -> None:
    """Say something of each story that has none of it yet; all of a story's in one transaction."""
    known = sa.exists().where(t.notice.c.subject == sa.literal("remark:1:") + t.delivery.c.id)
    new = sa.select(t.delivery.c.id, t.delivery.c.story_id, t.delivery.c.channel).where(~known)

    def say(tx: Transaction) -> None:
        # the ports have no such look: nobody else wants to know
        for row in tx._run(new).all():
            for number in range(1, REMARKS + 1):
                card = Card(title=f"Remark {number} of {row.id}")
                now = service.clock.now()
                tx.tell(row.channel, f"remark:{number}:{row.id}", card, now, story=row.story_id)

    while True:
        await service.clock.sleep(5)
        with suppress(StorageError):  # a database that is away: the next time
            await service.store.write(say)


async def serve(path: Path, ready: Callable[[], object]) -> None:
    """Until SIGTERM, or worse; says when it begins."""
    clock = SharedClock(*map(float, os.environ["CHAOS_CLOCK"].split()))
    settings = config.load(path, os.environ)
    assert settings.slack_token is not None
    assert settings.slack_api_url is not None
    sink = SlackSink(
        settings.slack_token.get_secret_value(),
        base_url=settings.slack_api_url,
        timeout=TIMEOUT,
        second_look=SECOND_LOOK,
        monotonic=clock.monotonic,
        sleep=clock.sleep,
    )
    pace = Pace(speed=clock.speed, tick=0.25)
    role = Role(os.environ.get("CHAOS_ROLE", "all"))
    async with assembled(settings, clock=clock, sink=sink, pace=pace, role=role) as service:
        context = service.pipeline.context
        # leases are as long as ever, by the machine's clock: none of the dead may be waited for
        context.budget = timedelta(seconds=5) * clock.speed
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        leads = role.does(Role.SCHEDULER)
        remarking = asyncio.create_task(remark(service) if leads else stop.wait())
        ready()
        try:
            await service.run(stop)
        finally:
            remarking.cancel()


def main(path: Path, ready: Callable[[], object]) -> None:
    """Run it, in a process of its own (`tests.chaos.nursery`)."""
    telemetry.set_up_logging("json", stream=sys.stderr)
    try:
        asyncio.run(serve(path, ready))
    except StorageError as error:  # as `monitor run` ends
        telemetry.get_logger().warning("chaos.not_started", error=str(error))
        sys.exit(NO_DATABASE)
