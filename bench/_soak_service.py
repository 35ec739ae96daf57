"""The service that `bench.soak` watches: as `monitor run` puts it together, and all of it.

The first line on stdin is JSON: ``folder`` of database and log, ``feeds`` (URL by name), ``names``
(what a name server says of each host) and ``interval`` (seconds between two polls of a feed). It
serves until its stdin ends; each further line is answered by how many polls and articles ended how,
and how many jobs a bug has ended.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from prometheus_client import Counter as Metric

from alerts.memory import MemorySink
from bench._hostile import Answers
from monitor import telemetry
from monitor.config import Fetch, Monitor, Settings, Web
from monitor.fetch import client
from monitor.fetch.resolver import ThreadResolver
from monitor.model import Cadence, FeedSpec, Watch
from monitor.service import assembled

NETWORKS = ("127.1.0.0/16", "127.2.0.0/16")
"""What plays the public internet."""

STALL = 30.0
"""Seconds that a name server which doesn't answer holds a look-up, as a stub resolver does."""

WATCH = Watch(name="some", query="title:(ba OR ze)")


class NameServer:
    """What `getaddrinfo` says, out of a table."""

    def __init__(self, table: Mapping[str, Answers]) -> None:
        self._table = table
        self._turns = {host: count() for host in table}
        self._lock = threading.Lock()

    def look_up(self, host: str, port: int, **also: Any) -> list[Any]:
        """As `socket.getaddrinfo`; a host that is not in the table is asked for in earnest."""
        if host not in self._table:
            return socket.getaddrinfo(host, port, **also)
        answers = self._table[host]
        if answers is None:
            time.sleep(STALL)
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        with self._lock:
            turn = next(self._turns[host])
        stream = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*stream, (address, port)) for address in answers[turn % len(answers)]]


def settings_for(order: dict[str, Any]) -> Settings:
    """The defaults, but for loopback and for how often feeds are asked."""
    interval = timedelta(seconds=order["interval"])
    return Settings(
        monitor=Monitor(database=f"sqlite:///{order['folder']}/soak.db"),
        fetch=Fetch(allow=NETWORKS),
        web=Web.model_construct(port=0),  # any that is free
        watches=(WATCH,),
        feeds=tuple(
            FeedSpec(url=url, name=name, publisher=name) for name, url in order["feeds"].items()
        ),
        cadences={url: Cadence(interval=interval) for url in order["feeds"].values()},
    )


def told(metric: Metric) -> dict[str, int]:
    """A metric's counts by its one label."""
    [family] = metric.collect()
    counts: Counter[str] = Counter()
    for sample in family.samples:
        if sample.name.endswith("_total"):
            counts[next(iter(sample.labels.values()))] += int(sample.value)
    return dict(counts)


def main() -> None:
    asyncio.run(serve())


async def serve() -> None:
    order = json.loads(sys.stdin.readline())
    names = NameServer(order["names"])
    vars(client)["ThreadResolver"] = partial(ThreadResolver, look_up=names.look_up)
    with (Path(order["folder"]) / "soak.log").open("w", encoding="utf-8") as lines:
        telemetry.set_up_logging("json", stream=lines)
        async with assembled(settings_for(order), sink=MemorySink()) as service:
            stop = asyncio.Event()
            running = asyncio.create_task(service.run(stop))
            print(json.dumps("ready"), flush=True)
            while await asyncio.to_thread(sys.stdin.readline):
                counts = {
                    "polls": told(telemetry.POLLS),
                    "articles": told(telemetry.ARTICLES),
                    "crashed": told(telemetry.JOBS_CRASHED),
                }
                print(json.dumps(counts), flush=True)
            stop.set()
            await running
