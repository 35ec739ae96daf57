"""The service that `bench.alerts` measures: as `monitor run` puts it together, with its Slack.

The first line on stdin is JSON: ``folder`` of database and log, ``feeds`` (URLs), ``watches``
(words, each with a channel of its own), ``interval`` (seconds between two polls of a feed),
``slack`` and ``token``. When every feed has been polled once, their next polls are spread evenly,
and it says so. It serves until its stdin ends; each further line is answered by the seconds of CPU
that it and its workers have used.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from bench._alerts_press import NETWORK
from bench._usage import cpu
from monitor import telemetry
from monitor.config import Fetch, Monitor, Settings, Web
from monitor.model import Cadence, FeedId, FeedSpec, Watch
from monitor.ports import Transaction
from monitor.service import Service, assembled
from monitor.storage import SqlStore
from monitor.storage import tables as t


def settings_for(order: Mapping[str, Any]) -> Settings:
    """The defaults, but for loopback and for how often feeds are asked."""
    interval = timedelta(seconds=order["interval"])
    return Settings(
        monitor=Monitor(database=f"sqlite:///{order['folder']}/alerts.db"),
        fetch=Fetch(allow=(NETWORK,)),
        web=Web.model_construct(port=0),  # any that is free
        watches=tuple(
            Watch(name=word, terms=(word,), channel=f"#watch-{number}")
            for number, word in enumerate(order["watches"])
        ),
        feeds=tuple(
            FeedSpec(url=url, name=f"Feed {number}", publisher=f"Outlet {number}")
            for number, url in enumerate(order["feeds"])
        ),
        cadences={url: Cadence(interval=interval) for url in order["feeds"]},
        slack_token=SecretStr(order["token"]),
        slack_api_url=order["slack"],
    )


async def spread(service: Service, interval: float) -> None:
    """Once all feeds were polled: have them be due one after the other, as they come to be in time.

    Feeds that were added together are polled together at first.
    """
    assert isinstance(service.store, SqlStore)
    polled = sa.select(t.feed.c.id, t.feed.c.polled_at)
    while True:
        rows = await service.store.query(lambda connection: connection.execute(polled).all())
        if all(row.polled_at for row in rows):
            break
        await asyncio.sleep(0.1)
    now = datetime.now(UTC)

    def put_off(tx: Transaction) -> None:
        for number, row in enumerate(rows):
            at = now + timedelta(seconds=interval * number / len(rows))
            tx.set_feed_aside(FeedId(row.id), at)

    await service.store.write(put_off)


async def serve() -> None:
    order = json.loads(sys.stdin.readline())
    with (Path(order["folder"]) / "alerts.log").open("w", encoding="utf-8") as lines:
        telemetry.set_up_logging("json", stream=lines)
        async with assembled(settings_for(order)) as service:
            stop = asyncio.Event()
            running = asyncio.create_task(service.run(stop))
            await spread(service, order["interval"])
            print(json.dumps("ready"), flush=True)
            while await asyncio.to_thread(sys.stdin.readline):
                print(json.dumps(cpu(os.getpid())), flush=True)
            stop.set()
            await running


def main() -> None:
    asyncio.run(serve())
