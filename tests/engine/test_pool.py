"""Running functions where they can be killed; with real processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench._usage import family
from monitor.engine.pool import ProcessPool
from monitor.errors import Code, ParseError
from tests.engine import jobs

LONG = 60.0
"""A timeout that is never reached."""

PATIENCE = 30.0
"""How long to wait for what must come."""

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def pool() -> AsyncIterator[ProcessPool]:
    """A pool of one worker, so that what happens to a worker happens to the next call."""
    async with ProcessPool(workers=1, preload=["tests.engine.jobs"]) as pool:
        yield pool


async def test_who_waits_for_its_workers_goes_on_when_they_are_there_or_never_will_be() -> None:
    """And the second one does not wait."""
    async with ProcessPool(workers=1, preload=["tests.engine.jobs"], at_once=False) as pool:
        await pool.ready()
        assert len(family(os.getpid())) > 1
        await pool.ready()
    late = ProcessPool(workers=1, preload=["tests.engine.jobs"])
    await late.ready()


@pytest.mark.skipif(sys.platform != "linux", reason="another may keep fewer files than it has open")
async def test_workers_that_could_not_start_are_started_for_the_next() -> None:
    """For a moment no file was free."""
    async with ProcessPool(workers=1, preload=["tests.engine.jobs"], at_once=False) as pool:
        await asyncio.to_thread(int)  # the thread that will start them is there
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = os.open(os.devnull, os.O_RDONLY)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
        try:
            with pytest.raises(OSError, match="Too many open files"):
                await pool.ready()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        await pool.ready()
        assert await pool.run(jobs.add, 1, 1, timeout=LONG) == 2


async def killed(pool: ProcessPool, *call: object, timeout: float = LONG) -> ParseError:
    """Run what must not end well."""
    with pytest.raises(ParseError) as caught:
        await pool.run(*call, timeout=timeout)
    assert caught.value.code is Code.KILLED
    return caught.value


async def gone(pid: int) -> None:
    """Wait until a process has ended."""
    try:
        end = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(end, ended.set)
    try:
        async with asyncio.timeout(PATIENCE):
            await ended.wait()
    finally:
        loop.remove_reader(end)
        os.close(end)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A named pipe through which a worker tells that it has begun."""
    pipe = tmp_path / "mark"
    os.mkfifo(pipe)
    return pipe


async def told(mark: Path) -> int:
    """The process that has told through the pipe."""
    async with asyncio.timeout(PATIENCE):
        return int(await asyncio.to_thread(mark.read_text))


async def test_a_result_comes_back(pool: ProcessPool) -> None:
    """Arguments go in, the result comes out, computed in another process."""
    assert await pool.run(jobs.add, 2, 3, timeout=LONG) == 5
    assert await pool.run(jobs.pid, timeout=LONG) != os.getpid()


async def test_our_own_errors_come_back_whole(pool: ProcessPool) -> None:
    """A ParseError keeps its code, detail and status on the way, and costs no worker."""
    before = await pool.run(jobs.pid, timeout=LONG)
    with pytest.raises(ParseError) as caught:
        await pool.run(jobs.refuse, "a page of adverts", timeout=LONG)
    error = caught.value
    assert (error.code, error.detail, error.status) == (Code.NO_TEXT, "a page of adverts", 200)
    assert await pool.run(jobs.pid, timeout=LONG) == before


async def test_bugs_come_back_as_what_they_are(pool: ProcessPool) -> None:
    """What is not in the error tree is not dressed up as something else."""
    with pytest.raises(ZeroDivisionError, match="a bug"):
        await pool.run(jobs.blunder, timeout=LONG)


async def test_a_call_that_hangs_is_killed(pool: ProcessPool) -> None:
    """Even C code that holds the interpreter ends at the timeout; the next call is unaffected."""
    error = await killed(pool, jobs.hang, timeout=0.2)
    assert error.detail == "took longer than 0.2 s"
    assert await pool.run(jobs.add, 1, 1, timeout=LONG) == 2


async def test_a_call_that_eats_memory_is_killed(pool: ProcessPool) -> None:
    """Running out of memory costs the call and its worker."""
    before = await pool.run(jobs.pid, timeout=LONG)
    assert (await killed(pool, jobs.eat_memory)).detail == "ran out of memory"
    assert await pool.run(jobs.pid, timeout=LONG) != before


@pytest.mark.parametrize(("call", "detail"), [(jobs.crash, "SIGSEGV"), (jobs.leave, "exit code 3")])
async def test_a_crash_costs_one_call(pool: ProcessPool, call: object, detail: str) -> None:
    """A dead worker is named and replaced."""
    assert detail in (await killed(pool, call)).detail
    assert await pool.run(jobs.add, 1, 1, timeout=LONG) == 2


async def test_a_worker_killed_at_rest_is_replaced(pool: ProcessPool) -> None:
    """The system's out-of-memory killer may take an idle worker: the service goes on."""
    for _ in range(2):
        worker = await pool.run(jobs.pid, timeout=LONG)
        os.kill(worker, signal.SIGKILL)
        await gone(worker)
        with contextlib.suppress(ParseError):  # the pool may notice only now
            await pool.run(jobs.add, 1, 1, timeout=LONG)
        assert await pool.run(jobs.add, 1, 1, timeout=LONG) == 2


async def test_cancelling_a_call_kills_its_worker(pool: ProcessPool, mark: Path) -> None:
    """Nobody waits for the result any more: the work ends too."""
    call = asyncio.create_task(pool.run(jobs.hang, str(mark), timeout=LONG))
    worker = await told(mark)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await gone(worker)
    assert await pool.run(jobs.add, 1, 1, timeout=LONG) == 2


async def test_waiting_for_a_turn_is_not_counted(pool: ProcessPool, tmp_path: Path) -> None:
    """With one worker, a call that waits longer than its own timeout still gets its time."""
    go = tmp_path / "go"
    first = asyncio.create_task(pool.run(jobs.wait_for, str(go), timeout=LONG))
    others = [asyncio.create_task(pool.run(jobs.add, n, n, timeout=1)) for n in range(3)]
    done, _ = await asyncio.wait([first, *others], timeout=1.2)
    assert not done
    go.touch()
    assert await first == str(go)
    assert await asyncio.gather(*others) == [0, 2, 4]


async def test_calls_run_beside_each_other(tmp_path: Path) -> None:
    """Two workers do two things at once: each waits for a file that the other's end brings."""
    async with ProcessPool(workers=2, preload=["tests.engine.jobs"]) as pool:
        first, second = tmp_path / "1", tmp_path / "2"
        waiting = asyncio.create_task(pool.run(jobs.wait_for, str(first), timeout=LONG))
        second.touch()
        await pool.run(jobs.wait_for, str(second), timeout=LONG)
        first.touch()
        assert await waiting == str(first)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("at_once", [True, False])
async def test_workers_start_at_once_or_with_the_first_calls(at_once: bool) -> None:
    """Who may never parse holds no memory for it; who does has all its first calls done by one pool."""
    before = children()
    async with ProcessPool(workers=2, preload=["tests.engine.jobs"], at_once=at_once) as pool:
        assert bool(children() - before) == at_once
        first = await asyncio.gather(*(pool.run(jobs.add, n, n, timeout=LONG) for n in range(4)))
        assert first == [0, 2, 4, 6]
        pids = [await pool.run(jobs.pid, timeout=LONG) for _ in range(4)]
        assert len(set(pids)) <= 2
    for pid in set(pids):
        await gone(pid)
    with pytest.raises(ParseError, match="closed"):
        await pool.run(jobs.pid, timeout=LONG)


@pytest.mark.parametrize("leaves", ["cancelled", "closed"])
async def test_who_goes_while_workers_start_leaves_none(pool: ProcessPool, leaves: str) -> None:
    """Who tried a feed on the page and left, or a stop just then: the start ends, and is stopped."""
    before = children()  # with the fork server
    async with ProcessPool(workers=1, preload=["tests.engine.jobs"], at_once=False) as lazy:
        call = asyncio.create_task(lazy.run(jobs.pid, timeout=LONG))
        for _ in range(2):  # until its start is under way
            await asyncio.sleep(0)
        if leaves == "cancelled":
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await lazy.run(jobs.pid, timeout=LONG)
    if leaves == "closed":
        with contextlib.suppress(ParseError):  # it may have come to an answer yet
            await call
    for pid in children() - before:
        await gone(pid)
    assert await pool.run(jobs.add, 1, 1, timeout=LONG) == 2


async def test_workers_retire() -> None:
    """After a number of calls a worker is replaced, so that leaks don't add up."""
    async with ProcessPool(workers=1, max_calls=2, preload=["tests.engine.jobs"]) as pool:
        pids = [await pool.run(jobs.pid, timeout=LONG) for _ in range(6)]
    assert len(set(pids)) == 3


async def test_a_worker_is_set_up(pool: ProcessPool) -> None:
    """Ctrl-C and core dumps are off, SIGTERM kills at once, modules are there, the alarm is set."""
    assert await pool.run(jobs.signals, timeout=LONG) == {"int": True, "term": True, "core": True}
    assert await pool.run(jobs.imported, "tests.engine.jobs", timeout=LONG)
    assert LONG < await pool.run(jobs.alarm_left, timeout=LONG) <= LONG + 2


async def test_closing_does_not_wait_for_a_hung_worker(mark: Path) -> None:
    """Leaving ends what runs, in far less than its timeout, and who waits is told."""
    async with ProcessPool(workers=1, preload=["tests.engine.jobs"]) as pool:
        call = asyncio.create_task(pool.run(jobs.hang, str(mark), timeout=LONG))
        waiting = asyncio.create_task(pool.run(jobs.pid, timeout=LONG))
        worker = await told(mark)
    for late in (call, waiting, pool.run(jobs.pid, timeout=LONG)):
        with pytest.raises(ParseError, match="closed"):
            await late
    await gone(worker)


def test_why_errors_do_not_travel_by_themselves() -> None:
    """The reason for carrying errors as values: their constructor is not what pickle expects."""
    with pytest.raises(TypeError):
        pickle.loads(pickle.dumps(ParseError(Code.PARSE, "x", status=3)))


SCRIPT = """
import asyncio, sys
print("script", flush=True)
from monitor.engine.pool import ProcessPool
from tests.engine import jobs

async def main() -> None:
    async with ProcessPool(workers=2, preload=["tests.engine.jobs"]) as pool:
        print(await pool.run(jobs.add, 2, 3, timeout=60), flush=True)

asyncio.run(main())
print(__file__ == sys.argv[0])
"""


def test_workers_do_not_run_the_script_again(tmp_path: Path) -> None:
    """What was started, the whole command line say, is no business of a worker."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout.split() == ["script", "5", "True"]
    assert not done.stderr


OWN = """
import asyncio, os
from bench._usage import family
from monitor.engine.pool import ProcessPool
from pathlib import Path

def own(pid):
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty:"))

async def main() -> None:
    async with ProcessPool(workers=2) as pool:
        while len(workers := family(os.getpid())[3:]) < 2:  # after the tracker and the server
            await asyncio.sleep(0.01)
        await asyncio.gather(*(pool.run(abs, -1, timeout=60) for _ in range(4)))
        print(max(map(own, family(os.getpid())[1:])))

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_workers_share_what_they_parse_with() -> None:
    """Of 35 MB a few are a process's own: 24 were, when each imported something for itself."""
    done = subprocess.run(
        [sys.executable, "-c", OWN], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 12_000


ORPHANS = """
import asyncio, sys
from monitor.engine.pool import ProcessPool
from tests.engine import jobs

async def main() -> None:
    async with ProcessPool(workers=2, preload=["tests.engine.jobs"]) as pool:
        hung = asyncio.create_task(pool.run(jobs.hang, sys.argv[1], timeout=1.0))
        print(await pool.run(jobs.pid, timeout=60), flush=True)
        await hung

asyncio.run(main())
"""


async def test_no_worker_outlives_a_killed_parent(mark: Path) -> None:
    """After kill -9 of the service, idle and hung workers and the fork server are soon gone."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        ORPHANS,
        str(mark),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert parent.stdout is not None
    idle = int(await parent.stdout.readline())
    hung = await told(mark)
    family = await asyncio.to_thread(session_of, parent.pid)
    assert {idle, hung} <= family
    assert len(family) >= 4  # the parent, its fork server and two workers
    parent.kill()
    await parent.wait()
    for pid in family:
        await gone(pid)


def children() -> set[int]:
    """Processes that this one, or its fork server, has started."""
    return set(family(os.getpid()))


def session_of(leader: int) -> set[int]:
    """Every process of a session."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader:
                found.add(int(stat.parent.name))
    return found
