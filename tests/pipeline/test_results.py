"""Results of polls are written together, and none waits for long."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from monitor.errors import StorageError
from monitor.pipeline import results
from monitor.pipeline.results import Results


class Table:
    """A store that writes down which results came in one transaction."""

    def __init__(self, error: Exception | None = None, poison: int = 0) -> None:
        self.error = error
        self.poison = poison
        self.written: list[list[int]] = []

    async def write(self, work):
        if self.error:
            raise self.error
        return work(self)


def write(table: Table, batch: Sequence[int]) -> list[str]:
    """What `Results` is given to write with."""
    if table.poison in batch:
        raise ZeroDivisionError
    table.written.append(sorted(batch))
    return [f"saved {each}" for each in batch]


def kept_in(table: Table, weight=lambda _: 1) -> Results[int, str]:
    return Results(SimpleNamespace(store=table), write, weight)  # type: ignore[arg-type]


async def poll(kept: Results[int, str], feed: int, ends: asyncio.Event | None = None) -> str:
    """A poll whose answer comes when it is told to."""
    with kept.expected():
        if ends is not None:
            await ends.wait()
        return await kept.save(feed)


async def test_a_result_alone_is_written_at_once(monkeypatch):
    """There is nobody to wait for."""
    monkeypatch.setattr(results, "MOMENT", 60.0)
    table = Table()
    assert await poll(kept_in(table), 1) == "saved 1"
    assert table.written == [[1]]


async def test_results_wait_for_those_of_polls_at_work(monkeypatch):
    """All that are at work share a transaction."""
    monkeypatch.setattr(results, "MOMENT", 60.0)
    table, ends = Table(), asyncio.Event()
    kept = kept_in(table)
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
    kept = kept_in(table)
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
    kept = kept_in(table)
    silent = asyncio.create_task(poll(kept, 1, never))
    await asyncio.sleep(0)
    await asyncio.wait_for(asyncio.gather(poll(kept, 2), poll(kept, 3)), 5)
    assert table.written == [[2, 3]]
    never.set()
    await silent


async def test_what_takes_long_to_write_is_written_apart(monkeypatch):
    """Others wait for the one who writes."""
    monkeypatch.setattr(results, "MANY", 10)
    table, ends = Table(), asyncio.Event()
    kept = kept_in(table, lambda result: 6 if result > 2 else 1)
    polls = [asyncio.create_task(poll(kept, number, ends)) for number in (1, 3, 4, 2, 5)]
    await asyncio.sleep(0)
    ends.set()
    assert await asyncio.gather(*polls) == [f"saved {each}" for each in (1, 3, 4, 2, 5)]
    assert table.written == [[1, 3, 4], [2, 5]]


async def test_one_that_can_not_be_written_costs_no_other(monkeypatch):
    """They are written one by one then."""
    monkeypatch.setattr(results, "MOMENT", 60.0)
    kept = kept_in(table := Table(poison=2))
    given = await asyncio.gather(*(poll(kept, each) for each in (1, 2, 3)), return_exceptions=True)
    assert [given[0], type(given[1]), given[2]] == ["saved 1", ZeroDivisionError, "saved 3"]
    assert table.written == [[1], [3]]


async def test_who_waits_no_more_keeps_nobody_from_learning(monkeypatch):
    """A poll that was cancelled: its result is written all the same."""
    monkeypatch.setattr(results, "MOMENT", 0.01)
    table, never = Table(), asyncio.Event()
    kept = kept_in(table)
    silent, gone, last = (
        asyncio.create_task(poll(kept, *each)) for each in ((1, never), (2,), (3,))
    )
    await asyncio.sleep(0)
    gone.cancel()
    assert await last == "saved 3"
    assert table.written == [[2, 3]]
    silent.cancel()


async def test_who_gave_a_result_learns_that_it_was_not_written():
    """Each of them: their leases end by themselves."""
    kept = kept_in(Table(StorageError("the disk is full")))
    given = await asyncio.gather(poll(kept, 1), poll(kept, 2), return_exceptions=True)
    assert [type(each) for each in given] == [StorageError, StorageError]
    kept = kept_in(table := Table())
    await poll(kept, 1)
    assert table.written == [[1]]
    with pytest.raises(ZeroDivisionError), kept.expected():
        raise ZeroDivisionError
    await poll(kept, 2)
    assert table.written == [[1], [2]]
