"""The configuration file is edited the ways that editors, people and Kubernetes do it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.reload import edits

SOON = 30  # seconds: not a wait, only what ends a test that has failed
NEVER = 3600.0  # seconds between two looks, so that only events can have told


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with the content `one` in a folder of its own."""
    path = tmp_path / "config" / "feeds.toml"
    path.parent.mkdir()
    path.write_text("one", encoding="utf-8")
    return path


@pytest.fixture
def stop() -> asyncio.Event:
    """What ends the iterator."""
    return asyncio.Event()


def content_of(path: Path) -> str | None:
    """What a service would load."""
    return path.read_text(encoding="utf-8") if path.exists() else None


def follow(
    path: Path, stop: asyncio.Event, seen: asyncio.Queue[str | None], look_every: float
) -> asyncio.Task[None]:
    """Put the file's content in a queue after each edit that comes after this call."""
    iterator = edits(path, stop, look_every=look_every)

    async def run() -> None:
        async for _ in iterator:
            seen.put_nowait(content_of(path))

    return asyncio.create_task(run())


@pytest.fixture
async def watching(file: Path, stop: asyncio.Event) -> AsyncIterator[asyncio.Queue[str | None]]:
    """What a service saw that is told by events alone."""
    seen: asyncio.Queue[str | None] = asyncio.Queue()
    task = follow(file, stop, seen, NEVER)
    await armed(file, seen)
    yield seen
    stop.set()
    await asyncio.wait_for(task, SOON)


async def armed(file: Path, seen: asyncio.Queue[str | None]) -> None:
    """Wait until a first edit came through: from then on, only events tell."""
    replace(file, "armed")
    await until(seen, "armed")


async def until(seen: asyncio.Queue[str | None], content: str | None) -> list[str | None]:
    """All that is seen up to this content."""
    found: list[str | None] = []
    async with asyncio.timeout(SOON):
        while not found or found[-1] != content:
            found.append(await seen.get())
    return found


def replace(path: Path, content: str) -> None:
    """Write beside the file and put the new one in its place, as editors do."""
    beside = path.with_suffix(".tmp")
    beside.write_text(content, encoding="utf-8")
    beside.replace(path)


async def test_a_write_in_place_is_seen(file, watching):
    """`echo > feeds.toml`."""
    file.write_text("two", encoding="utf-8")
    await until(watching, "two")


async def test_replacing_the_file_is_seen_again_and_again(file, watching):
    """An editor's atomic save, three times: the watch does not stay with the first file."""
    for content in ("two", "three", "four"):
        replace(file, content)
        assert await until(watching, content) == [content]


async def test_two_saves_in_a_row_end_with_the_last(file, watching):
    """Whatever is seen on the way, the last content is seen, and no save more than once."""
    file.write_text("two", encoding="utf-8")
    file.write_text("three", encoding="utf-8")
    found = await until(watching, "three")
    replace(file, "four")
    found += await until(watching, "four")
    assert len(found) <= 3


async def test_a_touch_and_a_neighbour_are_no_edits(file, stop):
    """Only content counts: the same words saved again, or another file, are nothing."""
    seen: asyncio.Queue[str | None] = asyncio.Queue()
    task = follow(file, stop, seen, 0.01)
    replace(file, "two")
    assert await until(seen, "two") == ["two"]
    os.utime(file)
    replace(file, "two")
    (file.parent / "notes.txt").write_text("x", encoding="utf-8")
    replace(file, "three")
    assert await until(seen, "three") == ["three"]
    stop.set()
    await asyncio.wait_for(task, SOON)
    assert seen.empty()


async def test_a_file_that_goes_and_comes_back_is_seen_both_times(file, watching):
    """Deleting the file is told, so that somebody hears of it; so is its return."""
    file.unlink()
    await until(watching, None)
    file.write_text("back", encoding="utf-8")
    await until(watching, "back")


async def test_a_swap_of_kubernetes_links_is_seen(tmp_path, stop):
    """feeds.toml → ..data/feeds.toml, ..data → ..2: the second link is replaced, twice."""
    for name in ("..1", "..2", "..3"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "feeds.toml").write_text(name, encoding="utf-8")
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "feeds.toml").symlink_to("..data/feeds.toml")
    seen: asyncio.Queue[str | None] = asyncio.Queue()
    task = follow(tmp_path / "feeds.toml", stop, seen, NEVER)
    for name, old in (("..2", "..1"), ("..3", "..2")):
        (tmp_path / "..data_tmp").symlink_to(name)
        (tmp_path / "..data_tmp").replace(tmp_path / "..data")
        shutil.rmtree(tmp_path / old)
        await until(seen, name)
    stop.set()
    await asyncio.wait_for(task, SOON)


async def test_a_link_into_another_folder_is_looked_at(tmp_path, stop):
    """No event tells of an edit elsewhere: the content is compared from time to time."""
    target = tmp_path / "elsewhere.toml"
    target.write_text("one", encoding="utf-8")
    (tmp_path / "config").mkdir()
    link = tmp_path / "config" / "feeds.toml"
    link.symlink_to(target)
    seen: asyncio.Queue[str | None] = asyncio.Queue()
    task = follow(link, stop, seen, 0.01)
    replace(target, "two")
    await until(seen, "two")
    stop.set()
    await asyncio.wait_for(task, SOON)


async def test_a_folder_that_is_replaced_is_watched_on(file, stop):
    """The folder goes with everything in it and another one takes its name."""
    seen: asyncio.Queue[str | None] = asyncio.Queue()
    task = follow(file, stop, seen, 0.01)
    shutil.rmtree(file.parent)
    await until(seen, None)
    file.parent.mkdir()
    file.write_text("two", encoding="utf-8")
    await until(seen, "two")
    replace(file, "three")
    await until(seen, "three")
    stop.set()
    await asyncio.wait_for(task, SOON)


async def test_an_edit_between_the_call_and_the_first_step_is_seen(file, stop):
    """What happens while the first configuration is being loaded is not lost."""
    iterator = edits(file, stop, look_every=NEVER)
    file.write_text("two", encoding="utf-8")
    async with asyncio.timeout(SOON):
        await anext(iterator)
    stop.set()
    async with asyncio.timeout(SOON):
        assert await anext(iterator, "ended") == "ended"


async def test_stop_ends_a_quiet_watch(file, stop):
    """Nothing happens, and still it ends when it is told to."""
    task = follow(file, stop, asyncio.Queue(), NEVER)
    await asyncio.sleep(0)
    stop.set()
    await asyncio.wait_for(task, SOON)


async def test_a_cancelled_watch_leaves_stop_alone(file, stop):
    """Whoever cancels the watching task does not shut down the service."""
    seen: asyncio.Queue[str | None] = asyncio.Queue()
    task = follow(file, stop, seen, NEVER)
    await armed(file, seen)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, SOON)
    assert not stop.is_set()
