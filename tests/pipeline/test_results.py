"""Results of polls are written together, and none waits for long."""

from __future__ import annotations

import asyncio

import pytest

from monitor.errors import StorageError
from monitor.model import FeedId
from monitor.pipeline import results
from monitor.pipeline.results import Results


class Table:
    """A store that writes down which results came in one transaction."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.written: list[list[int]] = []

    async def write(self, work):
        if self.error:
            raise self.error
        work(self)

    def save_feeds(self, batch):
        self.written.append(sorted(batch))


async def poll(kept: Results, feed: int, ends: asyncio.Event | None = None) -> None:
    """A poll whose answer comes when it is told to."""
    with kept.expected():
        if ends is not None:
            await ends.wait()
        await kept.save(FeedId(feed), None)


async def test_a_result_alone_is_written_at_once(monkeypatch):
    """There is nobody to wait for."""
    monkeypatch.setattr(results, "MOMENT", 60.0)
    table = Table()
    await poll(Results(table), 1)
    assert table.written == [[1]]


async def test_results_wait_for_those_of_polls_at_work(monkeypatch):
    """All that are at work share a transaction."""
    monkeypatch.setattr(results, "MOMENT", 60.0)
    table, ends = Table(), asyncio.Event()
    kept = Results(table)
    polls = [asyncio.create_task(poll(kept, number, ends)) for number in range(1, 4)]
    early = asyncio.create_task(poll(kept, 4))
    await asyncio.sleep(0.01)
    assert table.written == []
    ends.set()
    await asyncio.gather(early, *polls)
    assert table.written == [[1, 2, 3, 4]]


async def test_none_waits_longer_than_a_moment(monkeypatch):
    """A server that says nothing keeps no other feed's result."""
    monkeypatch.setattr(results, "MOMENT", 0.01)
    table, never = Table(), asyncio.Event()
    kept = Results(table)
    silent = asyncio.create_task(poll(kept, 1, never))
    await asyncio.sleep(0)
    await asyncio.wait_for(poll(kept, 2), 5)
    assert table.written == [[2]]
    never.set()
    await silent
    assert table.written == [[2], [1]]


async def test_enough_are_not_kept_waiting(monkeypatch):
    """A transaction is large enough at some point."""
    monkeypatch.setattr(results, "MOMENT", 60.0)
    monkeypatch.setattr(results, "MANY", 2)
    table, never = Table(), asyncio.Event()
    kept = Results(table)
    silent = asyncio.create_task(poll(kept, 1, never))
    await asyncio.sleep(0)
    await asyncio.wait_for(asyncio.gather(poll(kept, 2), poll(kept, 3)), 5)
    assert table.written == [[2, 3]]
    never.set()
    await silent


async def test_who_gave_a_result_learns_that_it_was_not_written():
    """Each of them: their leases end by themselves."""
    kept = Results(Table(StorageError("the disk is full")))
    given = await asyncio.gather(poll(kept, 1), poll(kept, 2), return_exceptions=True)
    assert [type(each) for each in given] == [StorageError, StorageError]
    kept = Results(table := Table())
    await poll(kept, 1)
    assert table.written == [[1]]
    with pytest.raises(ZeroDivisionError), kept.expected():
        raise ZeroDivisionError
    await poll(kept, 2)
    assert table.written == [[1], [2]]
