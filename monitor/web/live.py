"""What happens, told to pages that are open: server-sent events.

One watcher asks the database what has changed, for all readers of this process: whoever wrote it,
this process or another. So it works with many workers on one database. It asks only while somebody
reads. What is told is the same HTML that the page is made of; a reader who was away names what it
knew (`Last-Event-ID`) and is told the rest.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from monitor import telemetry
from monitor.errors import MonitorError
from monitor.model import StoryId
from monitor.ports import Marks, NowRow
from monitor.web import sought, stream
from monitor.web.desk import Desk
from monitor.web.sought import Asked

MOST: Final = 100
"""Readers of one process: each keeps a connection open."""

EVERY: Final = 1.0
"""Seconds between two looks."""

BEHIND: Final = 3
"""Looks that overlap: a transaction that ends late may bear an older number than what is known."""

STRIP_EVERY: Final = 10
"""Looks between two readings of how things stand."""

BEAT: Final = 15.0
"""Seconds of silence after which a reader is told that the connection stands."""

WAITING: Final = 200
"""Events that may wait for a reader; who is slower has to come again."""

TOGETHER: Final = 60
"""Stories that are told at once; where there are more the page had better be loaded anew."""

KEPT: Final = 2_000
"""Stories of which it is known what was told of them last."""

HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx keeps an answer back otherwise
}

log = telemetry.get_logger()


@dataclass(slots=True, eq=False)
class _Reader:
    """An open page."""

    asked: Asked
    events: asyncio.Queue[str | None] = field(default_factory=lambda: asyncio.Queue(WAITING))


class Live:
    """Tells open pages what happens."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._readers: set[_Reader] = set()
        self._watcher: asyncio.Task[None] | None = None
        self._known: deque[Marks] = deque(maxlen=BEHIND + 1)  # of the last looks, oldest first
        self._told: OrderedDict[tuple[str, StoryId], int] = OrderedDict()
        self._ended = False

    async def listen(self, request: Request) -> Response:
        """The events of a page, from what it knows on, until either side ends it."""
        if self._ended or len(self._readers) >= MOST:
            return PlainTextResponse(
                "Too many pages are open: this one is not live. Load it anew to see what is new.\n",
                503,
                headers={"Retry-After": "30"},
            )
        reader = _Reader(sought.read(request.query_params))
        since = read_marks(
            request.headers.get("last-event-id") or request.query_params.get("since", "")
        )
        self._readers.add(reader)
        if self._watcher is None:
            self._known.clear()
            self._watcher = asyncio.create_task(self._watch(), name="live")
        return StreamingResponse(
            self._events(reader, since), media_type="text/event-stream", headers=HEADERS
        )

    def end(self) -> None:
        """End every stream at once, and begin none: the server stops."""
        self._ended = True
        for reader in tuple(self._readers):
            self._dismiss(reader)
        if self._watcher is not None:
            self._watcher.cancel()

    # -- one reader

    async def _events(self, reader: _Reader, since: Marks | None) -> AsyncIterator[str]:
        try:
            yield "retry: 2000\n\n"
            if since is not None:
                async for event in self._missed(reader, since):
                    yield event
            while True:
                try:
                    async with asyncio.timeout(BEAT):
                        told = await reader.events.get()
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if told is None:
                    return
                yield told
        finally:
            self._readers.discard(reader)
            if not self._readers and self._watcher is not None:
                self._watcher.cancel()
                self._watcher = None

    async def _missed(self, reader: _Reader, since: Marks) -> AsyncIterator[str]:
        """What happened since a page was made, or was heard from last."""
        try:
            marks, stories = await self._desk.reports.news.changed(since)
            if len(stories) > TOGETHER:
                yield _event("missed", {"stories": len(stories)}, marks)
                return
            for _, event in await self._told_of(reader.asked, stories, marks):
                yield event
        except MonitorError as error:
            log.warning("live.missed", error=str(error))

    def _dismiss(self, reader: _Reader) -> None:
        """Let a reader go: it comes again, and says what it knows."""
        self._readers.discard(reader)
        while not reader.events.empty():
            reader.events.get_nowait()
        reader.events.put_nowait(None)

    def _tell(self, reader: _Reader, event: str) -> None:
        try:
            reader.events.put_nowait(event)
        except asyncio.QueueFull:
            self._dismiss(reader)

    # -- the watcher

    async def _watch(self) -> None:
        looks = 0
        while True:
            try:
                await self._look()
                if looks % STRIP_EVERY == 0:
                    await self._tell_strip()
            except MonitorError as error:  # the database is away: what happened is told later
                log.warning("live.look", error=str(error))
            except Exception as error:
                log.exception("live.broke", error=str(error))
            looks += 1
            await asyncio.sleep(EVERY)

    async def _look(self) -> None:
        news = self._desk.reports.news
        if not self._known:
            self._known.append(await news.marks())
            return
        marks, stories = await news.changed(self._known[0])
        certain = self._known[0]  # what bears an older number has long been told
        self._known.append(marks)
        if not stories:
            return
        readers: dict[str, list[_Reader]] = {}
        for reader in self._readers:
            readers.setdefault(reader.asked.query, []).append(reader)
        for query, same in readers.items():
            for row, event in await self._told_of(same[0].asked, stories[:TOGETHER], certain):
                if self._is_new(query, row):
                    for reader in same:
                        self._tell(reader, event)

    def _is_new(self, query: str, row: NowRow) -> bool:
        """Whether it was not told like this before: looks overlap."""
        said = hash((row.at, row.lead, row.articles, row.publishers, row.held, repr(row.messages)))
        key = query, row.story
        if self._told.get(key) == said:
            return False
        self._told[key] = said
        self._told.move_to_end(key)
        if len(self._told) > KEPT:
            self._told.popitem(last=False)
        return True

    async def _tell_strip(self) -> None:
        now = self._desk.clock.now()
        strip = await self._desk.reports.news.strip(now)
        html = self._desk.pages.text(
            "now_strip.html", figures=stream.figures(strip, now), needs=stream.needs(strip)
        )
        said = {"html": html, "clock": f"{now:%H:%M:%S} UTC", "at": now.isoformat()}
        event = _event("strip", said, None)
        for reader in tuple(self._readers):
            self._tell(reader, event)

    async def _told_of(
        self, asked: Asked, stories: Sequence[StoryId], marks: Marks
    ) -> Sequence[tuple[NowRow, str]]:
        """Those of the stories that a page shows, the oldest first, as it is told of them."""
        desk, now = self._desk, self._desk.clock.now()
        rows = await desk.reports.news.among(asked.sought(now), stories)
        rules = desk.decisions.rules() if desk.decisions else None
        max_age = rules.max_age if rules else None

        def render() -> list[tuple[NowRow, str]]:
            made = []
            for row in reversed(rows):
                item = stream.item(row, max_age, now)
                html = desk.pages.text("now_fragment.html", item=item, asked=asked)
                said = {"story": row.story, "at": row.at.isoformat(), "html": html}
                made.append((row, _event("story", said, marks)))
            return made

        return await asyncio.to_thread(render)


def _event(kind: str, said: object, marks: Marks | None) -> str:
    number = f"id: {write_marks(marks)}\n" if marks else ""
    # in one line: what a feed wrote can't end it, or begin another
    return f"{number}event: {kind}\ndata: {json.dumps(said)}\n\n"


def write_marks(marks: Marks) -> str:
    """Marks as a page keeps them."""
    return f"{marks.hit}.{marks.outcome}.{marks.deed}"


def read_marks(text: str) -> Marks | None:
    """What a page knew; None if it does not say."""
    with suppress(ValueError):
        numbers = [int(part) for part in text.split(".") if len(part) < 19]
        if len(numbers) == 3 and min(numbers) >= 0:
            return Marks(hit=numbers[0], outcome=numbers[1], deed=numbers[2])
    return None
