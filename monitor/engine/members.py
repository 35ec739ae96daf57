"""Who of the processes that share a PostgreSQL is alive, and which of them keeps the clock.

Each holds an advisory lock of its own number on a connection of its own; one of them also the
leader's. A lock ends with its connection, however the process ended: PostgreSQL sees a kill -9 at
once, and ends the session of a process that hangs (`idle_session_timeout`). So nobody has to judge
by clocks. What a process has leased bears its number, and is free when that is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Final, Self, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict

from monitor import telemetry
from monitor.errors import StorageError

log = telemetry.get_logger()

T = TypeVar("T")

BEAT: Final = 0.5
"""Seconds between two signs of life."""

HANGS: Final = 5.0
"""Seconds without one after which PostgreSQL ends the session of a process, and without an answer after
which a process connects anew."""

PRESENT: Final = 3.0
"""Seconds since the last sign for which a process trusts that it is still held for alive."""

MEMBERS: Final = 0x6D6F6E02
LEADER: Final = 0x6D6F6E03
"""First numbers of their advisory locks; the second is that of the process, or none."""

_ALL: Final = """
SELECT objid::bigint FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = %s
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Member:
    """One process of many. `leads`: whether it keeps the clock from the beginning, if nobody does.

    An asynchronous context manager; `conninfo` is libpq's.
    """

    def __init__(self, conninfo: str, *, leads: bool = True) -> None:
        self._conninfo = conninfo
        self._leads = leads
        self._signing = asyncio.Lock()
        self._beating: asyncio.Task[None] | None = None
        self._connection: psycopg.AsyncConnection | None = None
        self._seen: float | None = None
        self._is_leader = False
        self.number: int | None = secrets.randbelow(2**31)

    @property
    def is_leader(self) -> bool:
        """Whether this process keeps the clock."""
        return self._is_leader and self.is_present

    @property
    def is_present(self) -> bool:
        """Whether the others hold it for alive."""
        return self._seen is not None and asyncio.get_running_loop().time() - self._seen < PRESENT

    async def stand(self) -> None:
        """See `ports.Membership`."""
        self._leads = True
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error):  # the next beat joins again
                await self._sign()

    async def resign(self) -> None:
        """See `ports.Membership`."""
        self._leads = False
        with contextlib.suppress(psycopg.Error):
            await in_time(self._give_up_the_clock(), PRESENT)

    async def _give_up_the_clock(self) -> None:
        async with self._signing:
            led, self._is_leader = self._is_leader, False
            if led and self._connection is not None:
                await self._connection.execute("SELECT pg_advisory_unlock(%s, 0)", (LEADER,))

    async def present(self) -> frozenset[int]:
        """See `ports.Membership`."""
        connection = self._connection
        if connection is None:
            raise StorageError("PostgreSQL is away: who else is alive can't be known")
        try:
            found = await in_time(connection.execute(_ALL, (MEMBERS,)), HANGS)
            return frozenset(row[0] for row in await found.fetchall())
        except psycopg.Error as error:
            raise StorageError(f"who else is alive can't be known: {error}") from error

    async def __aenter__(self) -> Self:
        await self._join()
        self._beating = asyncio.create_task(self._beat(), name="member")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._beating is not None:
            self._beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._beating
        await self._leave()

    async def _join(self) -> None:
        """Connect and take the lock of our number. Raises `StorageError`."""
        try:
            connection = await psycopg.AsyncConnection.connect(
                self._conninfo,
                autocommit=True,
                application_name="monitor-member",
                connect_timeout=10,
                options=with_options(self._conninfo, f"-c idle_session_timeout={HANGS:.0f}s"),
            )
        except psycopg.Error as error:
            raise StorageError(f"PostgreSQL can't be reached: {str(error).strip()}") from error
        self._connection = connection
        async with _gone_is_known(self):
            mine = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (MEMBERS, self.number))
            row = await (await in_time(mine, HANGS)).fetchone()
            if row is None or not row[0]:
                raise psycopg.OperationalError("it holds our former session for alive still")
            await self._sign()

    async def _leave(self) -> None:
        self._is_leader, self._seen = False, None
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error):
                await self._connection.close()
            self._connection = None

    async def _beat(self) -> None:
        while True:
            try:
                if self._connection is None:
                    await self._join()
                await self._sign()
            except (StorageError, psycopg.Error) as error:
                if self._is_leader:
                    log.warning("leader.lost", error=str(error))
                await self._leave()
            await asyncio.sleep(BEAT)

    async def _sign(self) -> None:
        """A sign of life; and the leader's place, if it is free. Raises `psycopg.Error`, in time."""
        await in_time(self._give_sign(), HANGS)

    async def _give_sign(self) -> None:
        async with self._signing:
            connection = self._connection
            if connection is None:  # lost while we waited
                return
            began = asyncio.get_running_loop().time()
            if self._is_leader or not self._leads:
                await connection.execute("SELECT 1")
            else:
                found = await connection.execute("SELECT pg_try_advisory_lock(%s, 0)", (LEADER,))
                row = await found.fetchone()
                self._is_leader = bool(row and row[0])
                if self._is_leader:
                    log.info("leader.is_here")
            self._seen = began


def with_options(conninfo: str, options: str) -> str:
    """What the server is to be told: what the address says itself, a `search_path` for one, and ours."""
    return f"{conninfo_to_dict(conninfo).get('options') or ''} {options}".strip()


async def in_time(work: Coroutine[Any, Any, T], seconds: float) -> T:
    """What a connection answers. Raises `psycopg.OperationalError` if it answers nothing for so long.

    Cancelled, psycopg asks the server to cancel and waits for it to agree, ten seconds where nobody
    answers; cancelled again, it closes the connection.
    """
    working = asyncio.create_task(work)
    try:
        await asyncio.wait({working}, timeout=seconds)
    finally:
        in_vain = not working.done()
        while not working.done():
            working.cancel()
            await asyncio.sleep(0)
    if in_vain:
        raise psycopg.OperationalError(f"no answer for {seconds:g} seconds")
    return working.result()


@contextlib.asynccontextmanager
async def _gone_is_known(member: Member) -> AsyncIterator[None]:
    try:
        yield
    except psycopg.Error as error:
        await member._leave()  # noqa: SLF001 of this module
        raise StorageError(f"PostgreSQL: {str(error).strip()}") from error
