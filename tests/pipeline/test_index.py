"""What was read can be looked up: right behind the work, and whatever breaks it off."""

from __future__ import annotations

import asyncio

import pytest

from monitor.model import Job, Kind
from monitor.pipeline.index import Index
from monitor.storage import SqlReports
from tests.pipeline.test_backfill import Archive

INDEX = Job(Kind.INDEX, "")


@pytest.fixture
async def archive(store) -> Archive:
    archive = Archive(store, [])
    await archive.reload(span=None)
    return archive


async def found(archive: Archive, query: str) -> list[str]:
    """Ends of URLs of what a search finds in the index."""
    page = await SqlReports(archive.store).search.find(query)
    return [str(match.archived.url).rpartition("/")[2] for match in page.matches]


async def waiting(archive: Archive) -> int:
    return len(await archive.store.read(lambda tx: tx.unindexed(1000)))


async def test_what_is_read_is_indexed_by_the_next_job(archive: Archive) -> None:
    """The tick submits it as long as anything waits; what is found before it is found after it."""
    await archive.hold("a", "b")
    assert INDEX in await archive.store.read(lambda tx: tx.due_jobs(archive.clock.now()))
    assert await found(archive, "ceasefire") == ["b", "a"]
    await archive.pipeline.run(INDEX)
    assert await waiting(archive) == 0
    assert INDEX not in await archive.store.read(lambda tx: tx.due_jobs(archive.clock.now()))
    assert await found(archive, "ceasefire") == ["b", "a"]
    assert await found(archive, "title:headline") == ["b", "a"]


async def test_it_goes_on_until_nothing_waits_or_its_time_is_up(archive: Archive) -> None:
    """Batch by batch, each in a transaction of its own."""
    await archive.hold("a", "b", "c")
    context = archive.pipeline.context
    context.stopping = True
    await Index(context, batch=1, rest=0).run()
    assert await waiting(archive) == 3
    context.stopping = False
    await Index(context, batch=1, rest=0).run()
    assert await waiting(archive) == 0


async def test_two_at_once_do_no_harm(archive: Archive) -> None:
    """As several processes may be: what both have done is done."""
    await archive.hold("a", "b", "c")
    context = archive.pipeline.context
    await asyncio.gather(*(Index(context, batch=2, rest=0).run() for _ in range(3)))
    assert await waiting(archive) == 0
    assert await found(archive, "ceasefire") == ["c", "b", "a"]
