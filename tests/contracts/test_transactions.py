"""What every store promises about transactions: whole or not at all, jobs only when whole."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from monitor.errors import StorageError
from monitor.model import Job, Kind
from monitor.ports import Transaction
from monitor.storage import SqlStore, upgrade
from monitor.storage.address import read_address
from monitor.storage.store import RUNS
from tests.contracts.material import BUCKET, LEASE, NOW, given_feed, given_story, polled, spec
from tests.databases import RecordingOutlet

PROJECT = Path(__file__).parent.parent.parent
POLL = Job(Kind.POLL, "1")
INGEST = Job(Kind.INGEST, "1")


def declaring(transaction: Transaction) -> None:
    """Work with a trace in the database and a job."""
    transaction.sync_feeds([spec()], NOW)
    transaction.submit(POLL)


async def feeds_in(store: SqlStore) -> int:
    """How many feeds can be claimed."""
    return len(await store.write(lambda t: t.claim_feeds(BUCKET, NOW, LEASE, 10)))


class Wrong(Exception):
    """Something goes wrong in somebody's work."""


async def test_work_that_raises_leaves_nothing_and_submits_nothing(
    store: SqlStore, outlet: RecordingOutlet
) -> None:
    """The exception arrives as it was raised."""

    def work(transaction: Transaction) -> None:
        declaring(transaction)
        raise Wrong

    with pytest.raises(Wrong):
        await store.write(work)
    assert await feeds_in(store) == 0
    assert (outlet.inserted, outlet.woken) == ([], [])


async def test_jobs_go_out_sorted_and_once_first_inside_and_then_after_the_commit(
    store: SqlStore, outlet: RecordingOutlet
) -> None:
    """An engine that keeps jobs in the database gets them last, every worker in one order."""

    def work(transaction: Transaction) -> None:
        for job in (POLL, INGEST, POLL):
            transaction.submit(job)
        assert outlet.inserted == []

    await store.write(work)
    assert outlet.inserted == outlet.woken == [INGEST, POLL]


async def test_who_waits_for_one_writer_shares_its_transaction_but_not_its_faults(
    store: SqlStore, outlet: RecordingOutlet
) -> None:
    """Each gets its own answer, whatever becomes of the others; what is told is committed."""
    begun, go = threading.Event(), threading.Event()
    commits: list[int] = []

    def slow(_: Transaction) -> None:
        begun.set()
        assert go.wait(10)

    def counting(number: int) -> Callable[[Transaction], int]:
        def work(transaction: Transaction) -> int:
            transaction.sync_feeds([spec(each) for each in range(number + 1)], NOW)
            transaction.submit(POLL)
            if number == 3:
                raise Wrong
            return number

        return work

    def count(_: sa.Connection) -> None:
        commits.append(1)

    sa.event.listen(sa.Engine, "commit", count)
    try:
        first = asyncio.create_task(store.write(slow))
        await asyncio.to_thread(begun.wait, 10)
        fine = [asyncio.create_task(store.write(counting(number))) for number in (0, 1, 2)]
        await asyncio.sleep(0)
        go.set()
        assert await asyncio.gather(*fine) == [0, 1, 2]
        await first
        of_fine = len(commits)
        begun.clear()
        go.clear()
        first = asyncio.create_task(store.write(slow))
        await asyncio.to_thread(begun.wait, 10)
        mixed = [asyncio.create_task(store.write(counting(number))) for number in (2, 3, 4)]
        await asyncio.sleep(0)
        go.set()
        two, wrong, four = await asyncio.gather(*mixed, return_exceptions=True)
        await first
    finally:
        sa.event.remove(sa.Engine, "commit", count)
    assert (two, type(wrong), four) == (2, Wrong, 4)
    assert of_fine == (1 if store.address.path is not None else 3)
    assert outlet.woken == [POLL] * 5
    assert await feeds_in(store) == 5


async def test_an_outlet_that_fails_undoes_the_work(
    store: SqlStore, outlet: RecordingOutlet
) -> None:
    """State and jobs are committed together or not at all."""
    outlet.fault = Wrong()
    with pytest.raises(Wrong):
        await store.write(declaring)
    assert await feeds_in(store) == 0
    assert outlet.woken == []


async def test_reading_writes_nothing(store: SqlStore) -> None:
    """Neither rows nor jobs."""
    with pytest.raises((sa.exc.DBAPIError, StorageError)):
        await store.read(lambda t: t.sync_feeds([spec()], NOW))
    with pytest.raises(RuntimeError, match="use write"):
        await store.read(lambda t: t.submit(POLL))
    assert await feeds_in(store) == 0


async def test_a_reader_sees_one_moment_beside_a_writer(store: SqlStore) -> None:
    """What is committed while a reader reads is not there for it."""
    reading, written = threading.Event(), threading.Event()

    def look_twice(transaction: Transaction) -> tuple[int, int]:
        first = len(transaction.due_jobs(NOW))
        reading.set()
        assert written.wait(30)
        return first, len(transaction.due_jobs(NOW))

    reader = asyncio.create_task(store.read(look_twice))
    await asyncio.to_thread(reading.wait, 30)
    await store.write(declaring)
    written.set()
    assert await reader == (0, 0)
    assert len(await store.read(lambda t: t.due_jobs(NOW))) == 1


class Gate:
    """Work that stops in the middle until told to go on."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Event(), threading.Event()

    def __call__(self, transaction: Transaction) -> None:
        """Do something, wait, do the rest."""
        transaction.sync_feeds([spec(1)], NOW)
        self.reached.set()
        assert self.open.wait(30)
        transaction.sync_feeds([spec(1), spec(2)], NOW)
        transaction.submit(POLL)


async def test_cancelling_the_caller_neither_cuts_a_transaction_nor_loses_a_job(
    store: SqlStore, outlet: RecordingOutlet
) -> None:
    """The caller leaves when the transaction is over; what it submitted is woken."""
    gate = Gate()
    caller = asyncio.create_task(store.write(gate))
    await asyncio.to_thread(gate.reached.wait, 30)
    caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done()
    gate.open.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert outlet.woken == [POLL]
    assert await feeds_in(store) == 2


async def test_closing_waits_for_transactions(database_url: str) -> None:
    """Even for one whose caller was cancelled twice and is gone."""
    gate, outlet = Gate(), RecordingOutlet()
    async with SqlStore(database_url, outlet) as store:
        caller = asyncio.create_task(store.write(gate))
        await asyncio.to_thread(gate.reached.wait, 30)
        for _ in range(2):
            caller.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await caller
        closing = asyncio.create_task(store.close())
        gate.open.set()
        await closing
    assert outlet.woken == [POLL]
    async with SqlStore(database_url) as store:
        assert await feeds_in(store) == 2


def failing(times: int, error: Callable[[], Exception]) -> Callable[[Transaction], int]:
    """Work that the database wants to be run again this many times; returns its run."""
    runs = 0

    def work(transaction: Transaction) -> int:
        nonlocal runs
        runs += 1
        declaring(transaction)
        if runs <= times:
            raise error()
        return runs

    return work


def busy() -> Exception:
    """What SQLite says when another process writes."""
    cause = sqlite3.OperationalError("database is locked")
    cause.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return sa.exc.OperationalError("BEGIN IMMEDIATE", {}, cause)


async def test_work_is_run_again_whole_when_the_database_is_busy(
    sqlite_store: SqlStore, outlet: RecordingOutlet
) -> None:
    """And counts once."""
    assert await sqlite_store.write(failing(RUNS - 1, busy)) == RUNS
    assert outlet.inserted == outlet.woken == [POLL]
    assert await feeds_in(sqlite_store) == 1


async def test_a_database_that_stays_busy_is_told_to_the_operator(
    sqlite_store: SqlStore, outlet: RecordingOutlet
) -> None:
    """With the file and what to do."""
    with pytest.raises(StorageError, match=r"sqlite:///.*monitor.db: another process"):
        await sqlite_store.write(failing(RUNS, busy))
    assert outlet.woken == []


async def test_a_writer_waits_for_another_process_to_finish(
    sqlite_url: str, sqlite_store: SqlStore
) -> None:
    """A backup or a second command line holds the lock for a moment."""
    other = sqlite3.connect(
        sqlite_url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False
    )
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO story (created_at) VALUES ('2025-05-10T12:00:00.000000Z')")
    writing = asyncio.create_task(sqlite_store.write(declaring))
    await asyncio.sleep(0)
    other.execute("COMMIT")
    other.close()
    await writing
    assert await feeds_in(sqlite_store) == 1


async def test_a_deadlock_is_run_again(postgres_url: str) -> None:
    """Two transactions that lock two rows crosswise both succeed in the end."""
    async with SqlStore(postgres_url) as store:
        await store.write(lambda t: t.sync_feeds([spec(1), spec(2)], NOW))
        feeds = await store.write(lambda t: t.claim_feeds(BUCKET, NOW, LEASE, 2))
        both = threading.Barrier(2)

        def crosswise(order: list[int]) -> Callable[[Transaction], None]:
            is_first_run = True

            def work(transaction: Transaction) -> None:
                nonlocal is_first_run
                transaction.save_feeds({feeds[order[0]].id: polled(NOW)})
                if is_first_run:
                    is_first_run = False
                    both.wait(30)
                transaction.save_feeds({feeds[order[1]].id: polled(NOW)})

            return work

        await asyncio.gather(store.write(crosswise([0, 1])), store.write(crosswise([1, 0])))


async def test_a_server_that_drops_its_connections_is_found_again(
    postgres_url: str, outlet: RecordingOutlet
) -> None:
    """A connection that breaks before the commit costs another run, no more."""
    async with SqlStore(postgres_url, outlet) as store:
        runs = 0

        def work(transaction: Transaction) -> None:
            nonlocal runs
            runs += 1
            declaring(transaction)
            if runs == 1:
                connection: sa.Connection = transaction.connection  # type: ignore[attr-defined]
                ask = sa.text("SELECT pg_terminate_backend(pg_backend_pid())")
                connection.execute(ask)

        await store.write(work)
        assert runs == 2
        assert outlet.woken == [POLL]
        assert await feeds_in(store) == 1


async def test_a_restarted_server_is_found_again(postgres_url: str) -> None:
    """Connections that broke while they rested cost nothing but another run."""
    async with SqlStore(postgres_url) as store:
        await asyncio.gather(*(store.write(declaring) for _ in range(8)))
        await asyncio.gather(*(store.read(lambda t: t.due_jobs(NOW)) for _ in range(4)))
        engine = sa.create_engine(read_address(postgres_url).url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        assert len(await store.read(lambda t: t.due_jobs(NOW))) == 1
        await asyncio.gather(*(store.write(declaring) for _ in range(8)))


async def test_a_write_that_was_just_begun_is_done_before_closing(database_url: str) -> None:
    """Even if it did not reach its thread yet."""
    outlet = RecordingOutlet()
    store = SqlStore(database_url, outlet)
    await store.open()
    writing = asyncio.create_task(store.write(declaring))
    await asyncio.sleep(0)
    await store.close()
    assert outlet.woken == [POLL]
    await writing


KILLED = """
import asyncio, os, signal, sys
from monitor.storage import SqlStore
from tests.contracts.material import NOW, spec

def whole(transaction):
    transaction.sync_feeds([spec(1)], NOW)

def half(transaction):
    transaction.sync_feeds([spec(1), spec(2)], NOW)
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    async with SqlStore(sys.argv[1]) as store:
        await store.write(whole)
        await store.write(half)

asyncio.run(main())
"""


async def test_a_killed_process_leaves_whole_transactions(database_url: str) -> None:
    """The one it was in is as if it had never begun, and is in nobody's way."""
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, database_url, cwd=PROJECT
    )
    assert await killed.wait() == -signal.SIGKILL
    async with SqlStore(database_url) as store:
        assert await feeds_in(store) == 1
        await store.write(lambda t: t.sync_feeds([spec(1), spec(2)], NOW))
        assert await feeds_in(store) == 1


# --------------------------------------------------------------------------- what operators read


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://root:secret@db/monitor", "begins with mysql"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("postgresql://me:secret@host:port/db", "can't be read"),
        ("secret", "can't be read"),
    ],
)
def test_a_url_we_do_not_serve_is_refused_without_repeating_it(url: str, sentence: str) -> None:
    """It may hold a password."""
    with pytest.raises(StorageError, match=sentence) as caught:
        SqlStore(url)
    assert "secret" not in str(caught.value)


async def told(url: str) -> str:
    """What is said about a database that can't be opened."""
    with pytest.raises(StorageError) as caught:
        async with SqlStore(url):
            pass
    return str(caught.value)


async def test_opening_a_missing_file_makes_no_empty_one(tmp_path: Path) -> None:
    """A lost volume must not look like a fresh start."""
    path = tmp_path / "monitor.db"
    assert "there is none yet" in await told(f"sqlite:///{path}")
    assert not path.exists()


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """And left as it is."""
    path = tmp_path / "notes.txt"
    path.write_text("shopping list\n" * 100)
    assert "not a SQLite database" in await told(f"sqlite:///{path}")
    with pytest.raises(StorageError, match="not a SQLite database"):
        upgrade(f"sqlite:///{path}")
    assert path.read_text() == "shopping list\n" * 100


def spoil(path: Path) -> None:
    """Overwrite everything but the first page of a file."""
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))


async def test_a_damaged_database_is_named(sqlite_url: str) -> None:
    """Pages of rubbish in the middle of the file."""
    spoil(Path(sqlite_url.removeprefix("sqlite:///")))
    assert "damaged" in await told(sqlite_url)


async def test_a_full_disk_is_told_and_costs_no_row(
    sqlite_store: SqlStore, outlet: RecordingOutlet
) -> None:
    """What was committed stays; the transaction that found no room is undone."""
    await given_story(sqlite_store)
    outlet.woken.clear()

    def limit(transaction: Transaction) -> None:
        connection: sa.Connection = transaction.connection  # type: ignore[attr-defined]
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        many = [spec(number) for number in range(1000)]
        transaction.sync_feeds(many, NOW)
        transaction.submit(POLL)

    with pytest.raises(StorageError, match="disk is full"):
        await sqlite_store.write(limit)
    assert outlet.woken == []
    due = await sqlite_store.read(lambda t: t.due_jobs(NOW + LEASE))
    assert [job.kind for job in due] == [Kind.POLL, Kind.INDEX]


async def test_a_database_without_our_tables_is_told_to_be_upgraded(
    empty_postgres_url: str, tmp_path: Path
) -> None:
    """With the command."""
    assert "monitor db upgrade" in await told(empty_postgres_url)
    path = tmp_path / "empty.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode = WAL")  # which writes a first page
    assert "monitor db upgrade" in await told(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"port": 1}, "can't be reached"),
        ({"database": "nowhere"}, "no database of this name"),
        ({"username": "nobody"}, "refuses the user"),
    ],
)
async def test_a_server_that_can_not_be_used_is_told(
    postgres_url: str, change: dict[str, object], sentence: str
) -> None:
    """With the address, and never the password."""
    url = sa.make_url(postgres_url).set(password="hunter2").set(**change)  # type: ignore[arg-type]
    url = url.update_query_dict({"sslpassword": "hunter3"})
    words = await told(url.render_as_string(hide_password=False))
    assert sentence in words
    assert "postgresql://" in words
    assert "hunter" not in words


async def test_a_bug_is_not_dressed_up(store: SqlStore) -> None:
    """A broken constraint is nobody's but ours."""
    await given_feed(store)

    def work(transaction: Transaction) -> None:
        connection: sa.Connection = transaction.connection  # type: ignore[attr-defined]
        connection.execute(sa.text("INSERT INTO monitor VALUES ('buckets', '1')"))

    with pytest.raises(sa.exc.IntegrityError):
        await store.write(work)
