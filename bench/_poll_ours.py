"""Ours, for `bench.poll`: the service as `monitor run` puts it together, told to poll.

The first line on stdin is JSON: ``urls``, the ``folder`` of database and log, and ``timeout``. Each further one
has everything polled that is declared, and is answered by a line that counts how the polls ended.

The jobs are those that the tick finds due, and they are done by the service's engine; those that
would fetch pages stay undone. Between two rounds the clock is put forward by more than the longest
interval, so that every feed is due.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alerts.memory import MemorySink
from monitor import telemetry
from monitor.clock import SystemClock
from monitor.config import Fetch, Monitor, Settings, Web
from monitor.model import FeedSpec, Job, Kind
from monitor.polling import JITTER, LONGEST
from monitor.scheduler import submit_due
from monitor.service import Service, assembled


class Later(SystemClock):
    """The machine's clock, put forward."""

    def __init__(self) -> None:
        self._by = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._by

    def next_round(self) -> None:
        """Everything is due from now on."""
        self._by += LONGEST * (1 + 2 * JITTER)


def settings_for(urls: list[str], folder: Path, timeout: float) -> Settings:
    """The defaults, but for loopback, how long silence lasts, and no pause at a host."""
    return Settings(
        monitor=Monitor(database=f"sqlite:///{folder}/ours.db"),
        fetch=Fetch(
            timeout=timedelta(seconds=timeout), allow=("127.0.0.0/8",), spacing=timedelta(0)
        ),
        web=Web(enabled=False),
        feeds=tuple(
            FeedSpec(url=url, name=f"feed {number}", publisher=f"press {number}")
            for number, url in enumerate(urls)
        ),
    )


def outcomes() -> Counter[str]:
    """How polls ended so far."""
    [metric] = telemetry.POLLS.collect()
    return Counter(
        {
            each.labels["outcome"]: int(each.value)
            for each in metric.samples
            if each.name.endswith("_total")
        }
    )


async def poll(service: Service) -> dict[str, int]:
    """Poll all that is due; returns how many polls ended how."""
    before = outcomes()

    async def due() -> bool:
        jobs = await service.store.read(lambda tx: tx.due_jobs(service.clock.now()))
        return any(job.kind is Kind.POLL for job in jobs)

    while await due():
        await submit_due(service.store, service.clock.now())
        await service.engine.settle()
    return dict(outcomes() - before)


def main() -> None:
    asyncio.run(serve())


async def serve() -> None:
    order = json.loads(sys.stdin.readline())
    folder = Path(order["folder"])
    clock = Later()
    with (folder / "ours.log").open("w", encoding="utf-8") as lines:
        telemetry.set_up_logging("json", stream=lines)
        async with assembled(
            settings_for(order["urls"], folder, order["timeout"]), clock=clock, sink=MemorySink()
        ) as service:

            async def do(job: Job) -> None:
                if job.kind is Kind.POLL:
                    await service.pipeline.run(job)

            stop = asyncio.Event()
            working = asyncio.create_task(service.engine.run(do, stop))
            print(json.dumps("ready"), flush=True)
            while await asyncio.to_thread(sys.stdin.readline):
                print(json.dumps(await poll(service)), flush=True)
                clock.next_round()
            stop.set()
            await working
