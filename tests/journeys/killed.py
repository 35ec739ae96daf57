"""A service that does everything that is due and exits, or kills itself (-9) at a named instant.

``python -m tests.journeys.killed CONFIG [INSTANT]``. The real service in its own process; the
instants are met by thin wrappers around its seams, which only count and kill.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

from monitor import config, telemetry
from monitor.parts import Pace
from monitor.service import assembled


@dataclass(frozen=True)
class Instant:
    """The `nth` time that `call` was made, and when around it."""

    call: str
    when: Literal["uncommitted", "after"]
    nth: int = 1


INSTANTS = {
    "feeds claimed": Instant("claim_feeds", "after"),
    "feed fetched": Instant("get_feed", "after", 3),
    "poll uncommitted": Instant("add_finds", "uncommitted"),
    "poll committed": Instant("add_finds", "after"),
    "articles claimed": Instant("claim_articles", "after"),
    "page fetched": Instant("get_page", "after", 5),
    "article uncommitted": Instant("set_hits", "uncommitted", 10),
    "alert wanted": Instant("want_delivery", "after"),
    "delivery marked sending": Instant("claim_due", "after"),
    "message shown, answer lost": Instant("post", "after", 2),
    "answer read, not recorded": Instant("finish_delivery", "uncommitted"),
}


class Reaper:
    """Counts calls, and kills this process when the instant has come."""

    def __init__(self, instant: Instant | None) -> None:
        self._instant = instant
        self._seen: Counter[str] = Counter()

    def met(self, call: str, when: str) -> None:
        if self._instant is None or (call, when) != (self._instant.call, self._instant.when):
            return
        self._seen[call] += 1
        if self._seen[call] == self._instant.nth:
            os.kill(os.getpid(), signal.SIGKILL)


class _Transaction:
    """Hands every call on and writes down those that did something."""

    def __init__(self, transaction, made: list[str]) -> None:
        self._transaction = transaction
        self._made = made

    def __getattr__(self, name):
        call = getattr(self._transaction, name)

        def made(*args, **kwargs):
            result = call(*args, **kwargs)
            if result or not name.startswith("claim"):
                self._made.append(name)
            return result

        return made


class _Store:
    def __init__(self, store, reaper: Reaper) -> None:
        self._store, self._reaper = store, reaper

    async def write(self, work):
        made: list[str] = []

        def watched(transaction):
            result = work(_Transaction(transaction, made))
            for call in made:
                self._reaper.met(call, "uncommitted")
            return result

        result = await self._store.write(watched)
        for call in made:
            self._reaper.met(call, "after")
        return result

    async def read(self, work):
        return await self._store.read(work)


class _Fetcher:
    def __init__(self, fetcher, reaper: Reaper) -> None:
        self._fetcher, self._reaper = fetcher, reaper

    async def get(self, url, **kwargs):
        answer = await self._fetcher.get(url, **kwargs)
        self._reaper.met("get_feed" if "/feeds/" in url else "get_page", "after")
        return answer


class _Sink:
    def __init__(self, sink, reaper: Reaper) -> None:
        self._sink, self._reaper = sink, reaper

    def __getattr__(self, name):
        return getattr(self._sink, name)

    async def post(self, channel, message, **more):
        posted = await self._sink.post(channel, message, **more)
        self._reaper.met("post", "after")
        return posted


async def work(path: Path, instant: Instant | None) -> None:
    """Do what is due; an edit of a grown message is due at once."""
    settings = config.load(path, os.environ)
    async with assembled(settings, pace=Pace(debounce=timedelta(0))) as service:
        reaper, context = Reaper(instant), service.pipeline.context
        context.store = _Store(context.store, reaper)
        context.fetcher = _Fetcher(context.fetcher, reaper)
        context.for_pages = None  # all that is asked goes by the reaper
        context.sink = _Sink(context.sink, reaper)
        if settings.monitor.database.startswith("postgresql"):
            # Leases of the dead end by themselves there; not in five minutes of a test.
            context.lease = context.delivery_lease = timedelta(seconds=2)
        await service.once()


def main() -> None:
    telemetry.set_up_logging("text", level="INFO")
    instant = INSTANTS[sys.argv[2]] if len(sys.argv) > 2 else None
    asyncio.run(work(Path(sys.argv[1]), replace(instant) if instant else None))


if __name__ == "__main__":
    main()
