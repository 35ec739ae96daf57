"""Ours, for `bench.stories`: the service's own ingest, on a database of its own.

Every document is a page that a feed led to, in the order of their times, and what `monitor run`
does with an article is done with it: the host's furniture, fingerprint, copies, story, hits,
delivery, each in its transaction. If the desk `tells`, every story is shown as soon as it is
there; else nobody is told of anything, and stories may be put together later. Two seams are not the service's: the network, and extraction,
which gives the document's title and text as they are. A watch that finds everything stands for
those who wait for these events (`matched`): what no watch finds is looked through for copies only.

No document knows more of another than its words, time and host: each was listed by a feed of its
own, at an address of its own. One without a time comes behind the others, at the last one's.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

import sqlalchemy as sa

from alerts.memory import MemorySink
from bench._stories_score import Score
from bench._stories_sets import Document, Edits
from monitor.compose import Rules, place_entry
from monitor.match import Matcher
from monitor.model import (
    BUCKETS,
    Entry,
    Extraction,
    Feed,
    FeedId,
    FeedSpec,
    FeedStatus,
    Hit,
    Validators,
    Watch,
    bucket_of,
)
from monitor.pipeline.context import Context
from monitor.pipeline.deliver import Deliver
from monitor.pipeline.ingest import Ingest
from monitor.ports import FoundEntry, NotModified, Page, Transaction
from monitor.storage import SqlStore, upgrade
from monitor.storage import tables as t

START: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""When everything happened that nobody dated."""

Progress = Callable[[int], None]

WATCH: Final = Watch(name="everything", terms=("everything",))
CHANNEL: Final = "#news"
_HOST: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an article ended: its story, and the oldest article of its family."""

    story: int
    root: str


@dataclass(slots=True)
class Desk:
    """Takes documents in, one after the other; then tells where each one is."""

    store: SqlStore
    matched: bool
    names: dict[str, str] = field(default_factory=dict)  # ids of documents by their addresses
    tells: bool = False  # of every story at once
    spent: list[float] = field(default_factory=list)  # CPU seconds of each ingest
    wall: list[float] = field(default_factory=list)  # and seconds of the clock
    sink: MemorySink = field(default_factory=MemorySink)
    _ingest: Ingest = field(init=False)
    _deliver: Deliver = field(init=False)
    _now: datetime = START
    _shown: dict[str, Extraction] = field(default_factory=dict)  # by address

    def __post_init__(self) -> None:
        context = Context(
            store=self.store,
            fetcher=_Network(),
            offload=_Reader(self._shown),
            sink=self.sink,
            clock=_Clock(lambda: self._now),
            rules=Rules(
                watches=(WATCH,),
                matcher=cast("Matcher", _Matcher(self.matched)),
                default_channel=CHANNEL,
                interval=timedelta(minutes=5),
                max_age=None,
            ),
            jitter=lambda: 0.0,
        )
        self._ingest, self._deliver = Ingest(context), Deliver(context)

    async def take(
        self, documents: Sequence[Document], progress: Progress | None = None, at_once: int = 1
    ) -> None:
        """Take them in, the oldest first, so many `at_once`."""
        dated = [each.at for each in documents if each.at is not None]
        last = max(dated, default=START)
        ordered = sorted(documents, key=lambda each: each.at or last)
        first = len(self.names)
        feeds = [_spec(each, first + place) for place, each in enumerate(ordered)]
        ids = await self.store.write(lambda tx: _declare(tx, feeds, ordered[0].at or last))
        for place in range(0, len(ordered), at_once):
            some = slice(place, place + at_once)
            listed = [
                (document, _feed(ids[spec.url], spec))
                for document, spec in zip(ordered[some], feeds[some], strict=True)
            ]
            await self._place(listed, ordered[some][-1].at or last)
            if progress is not None:
                progress(place + len(listed))

    async def _place(self, listed: Sequence[tuple[Document, Feed]], now: datetime) -> None:
        """Some documents, from their feeds' entries to their stories and messages."""
        self._now = now
        self._shown.clear()
        buckets = set()
        for document, feed in listed:
            entry = Entry(
                guid="1",
                url=f"https://{feed.host}/{len(self.names)}/article",
                title=document.title,
                text="",
                published_at=document.at,
            )
            found = place_entry(feed, entry)
            self.names[found.url] = document.id
            self._shown[entry.url or ""] = Extraction(
                title=document.title, body=document.text, language=document.language
            )
            buckets.add(bucket_of(found.host))
            await self.store.write(partial(_add_entry, feed=feed, found=found, now=now))
        began, spent = time.perf_counter(), time.process_time()
        await asyncio.gather(*(self._ingest.run(bucket) for bucket in sorted(buckets)))
        self.spent.append((time.process_time() - spent) / len(listed))
        self.wall.append((time.perf_counter() - began) / len(listed))
        if self.matched and self.tells:
            await self._deliver.run(CHANNEL)

    async def placed(self) -> dict[str, Placed]:
        """Where each document is, by its id."""
        columns = (t.article.c.id, t.article.c.url, t.article.c.story_id, t.article.c.copy_of)
        rows = await self.store.query(
            lambda connection: connection.execute(sa.select(*columns)).all()
        )
        names = {row.id: self.names[row.url] for row in rows}
        return {names[row.id]: Placed(row.story_id, names[row.copy_of or row.id]) for row in rows}


def placed(
    documents: Sequence[Document],
    *,
    matched: bool,
    tells: bool = False,
    progress: Progress | None = None,
) -> tuple[dict[str, Placed], list[float]]:
    """Where the documents end, all taken in by one new desk; and the CPU seconds of each."""
    with database() as path:
        run = _placed(path, documents, {}, matched=matched, tells=tells, progress=progress)
        return asyncio.run(run)


async def _placed(
    path: Path,
    documents: Sequence[Document],
    names: dict[str, str],
    *,
    matched: bool,
    tells: bool = False,
    progress: Progress | None = None,
) -> tuple[dict[str, Placed], list[float]]:
    async with SqlStore(f"sqlite:///{path}") as store:
        await store.write(lambda tx: tx.sync_watches([WATCH], START))
        desk = Desk(store, matched, names, tells=tells)
        await desk.take(documents, progress)
        return await desk.placed(), desk.spent


def found_edits(given: Edits) -> tuple[Score, dict[str, float]]:
    """Whose copies the edits are said to be, and the share of each kind that was found.

    An edit meets the articles, and the edits of its kind, never another edit of its own article:
    what is a copy of a copy would be found too easily.
    """
    kinds: dict[str, list[Document]] = {}
    for edit in given.edits:
        kinds.setdefault(given.kind[edit.id], []).append(edit)
    shares, right, said = {}, 0, 0
    with database() as path:
        names: dict[str, str] = {}
        asyncio.run(_placed(path, [*given.bases, *given.others], names, matched=False))
        for kind, edits in sorted(kinds.items()):
            copy = path.with_name(f"{kind}.db")
            shutil.copyfile(path, copy)
            where, _ = asyncio.run(_placed(copy, edits, dict(names), matched=False))
            copy.unlink()
            roots = {base.id: where[base.id].root for base in given.bases}
            own = [where[edit.id].root == roots[given.base[edit.id]] for edit in edits]
            shares[kind] = sum(own) / len(edits)
            right += sum(own)
            said += sum(where[edit.id].root in roots.values() for edit in edits)
    return Score(precision=right / max(1, said), recall=right / len(given.edits)), shares


def merged(documents: Sequence[Document]) -> float:
    """The share of all pairs of different documents that are taken for copies."""
    where, _ = placed(documents, matched=False)
    families = Counter(each.root for each in where.values())
    pairs = sum(count * (count - 1) for count in families.values())
    return pairs / max(1, len(documents) * (len(documents) - 1))


@contextmanager
def database() -> Iterator[Path]:
    """A SQLite file of its own, as `monitor run` would make it."""
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder:
        path = Path(folder) / "monitor.db"
        upgrade(f"sqlite:///{path}")
        yield path


def _spec(document: Document, number: int) -> FeedSpec:
    """The feed that listed this document and no other, at the host that the document names."""
    host = urlsplit(document.url).hostname or re.sub(r"[^a-z0-9]+", "-", document.source.lower())
    if not _HOST.fullmatch(host):
        host = f"{host.strip('-')}.example" if host.strip("-").isascii() and host.strip("-") else ""
    host = host or f"host-{number}.example"
    publisher = document.source or host
    return FeedSpec(url=f"https://{host}/feeds/{number}.xml", name=publisher, publisher=publisher)


def _feed(number: FeedId, spec: FeedSpec) -> Feed:
    return Feed(
        id=number,
        spec=spec,
        host=urlsplit(spec.url).hostname or "",
        status=FeedStatus.OK,
        validators=Validators(),
        body_hash=None,
        failures=0,
        polled_at=None,
        due_at=START,
    )


def _add_entry(tx: Transaction, *, feed: Feed, found: FoundEntry, now: datetime) -> None:
    tx.add_entries(feed, [found], now)


def _declare(tx: Transaction, feeds: Sequence[FeedSpec], now: datetime) -> dict[str, FeedId]:
    tx.sync_feeds(feeds, now)
    claimed: Iterable[Feed] = (
        feed
        for bucket in range(BUCKETS)
        for feed in tx.claim_feeds(bucket, now, timedelta(days=1), len(feeds))
    )
    return {feed.spec.url: feed.id for feed in claimed}


# --------------------------------------------------------------------------- the seams


@dataclass(frozen=True, slots=True)
class _Clock:
    told: Callable[[], datetime]

    def now(self) -> datetime:
        return self.told()

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError  # nothing here waits for anything


class _Network:
    async def get(self, url: str, **_: Any) -> Page | NotModified:
        """A page at every address, with nothing in it: `_Reader` knows what it says."""
        return Page(url=url, body=b"")

    async def post(self, *_: Any) -> None:
        raise NotImplementedError  # nobody is sent anything


@dataclass(frozen=True, slots=True)
class _Reader:
    shown: Mapping[str, Extraction]

    async def ready(self) -> None:
        return

    async def run(self, *given: Any, **__: Any) -> Any:
        return self.shown[given[0].keywords["url"]]


@dataclass(frozen=True, slots=True)
class _Matcher:
    matched: bool

    def match(self, _: object) -> tuple[Hit, ...]:
        return (Hit(watch=WATCH.name, spans=()),) if self.matched else ()
