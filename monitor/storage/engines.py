"""Connections as each database needs them for what we promise.

SQLite. `BEGIN` alone takes the write lock at the first write, after the reads: a concurrent
writer then fails at once, whatever the timeout ("database is locked", 254 of 320 transactions),
and with no BEGIN at all updates are lost silently (271 of 320, both measured). `BEGIN IMMEDIATE`
on a single connection loses none. WAL lets readers go on beside the writer.
`synchronous=FULL`: the outbox rests on "`sending` was committed before the call"; NORMAL may
forget the last commits when the power fails, and an alert would be sent twice. It costs 0.3 ms
of CPU and one fsync a commit (ingest of an article with two hits: 1.1 against 0.8 ms of CPU),
beside 17 ms for extracting the article.

PostgreSQL. READ COMMITTED for writing: a statement after `lock_stories` must see what others
committed before they released it. Reading is one snapshot (REPEATABLE READ, read only).
"""

from __future__ import annotations

import functools
import json
import sqlite3
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from monitor.storage.address import SILENT, Address

BUSY_SECONDS = 1.0  # a run; the store runs work five times, and a stop has ten seconds
CONNECT_SECONDS = 10
CHECKPOINT = 4000
"""Pages (16 MB) in SQLite's log, before they are written into the database. An article changes forty,
many of them the same as the one before: with four times the usual 1000 they are written less often."""
READERS = 4
WRITERS = 8

dumps = functools.partial(json.dumps, separators=(",", ":"))
"""JSON in ASCII: half surrogate pairs and NULs stay escaped, which both databases take."""


@dataclass(frozen=True, slots=True)
class Engines:
    """Two ways into one database, and how many may go each of them at a time."""

    write: sa.Engine
    read: sa.Engine
    writers: int
    readers: int

    def dispose(self) -> None:
        """Close all connections."""
        self.read.dispose()
        self.write.dispose()


def make_engines(address: Address) -> Engines:
    """The engines for a database; nothing is connected yet."""
    if address.path is not None:
        return Engines(
            write=sqlite_engine(address, begin="BEGIN IMMEDIATE", size=1),
            read=sqlite_engine(address, begin="BEGIN", size=READERS, read_only=True),
            writers=1,
            readers=READERS,
        )
    write = postgres_engine(address, size=WRITERS + READERS)
    read = write.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Engines(write=write, read=read, writers=WRITERS, readers=READERS)


def sqlite_engine(
    address: Address,
    *,
    begin: str,
    size: int,
    read_only: bool = False,
    create: bool = False,
    timeout: float = BUSY_SECONDS,
) -> sa.Engine:
    """Connections to a SQLite file, which must exist unless `create`.

    `timeout`: seconds that a transaction waits for another one to end.
    """
    uri = f"file:{quote(str(address.path))}?mode={'rwc' if create else 'rw'}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT}")
            if read_only:
                connection.execute("PRAGMA query_only = ON")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    engine = sa.create_engine(
        "sqlite+pysqlite://",
        creator=connect,
        poolclass=sa.QueuePool,
        pool_size=size,
        max_overflow=0,
        json_serializer=dumps,
    )

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def postgres_engine(address: Address, *, size: int) -> sa.Engine:
    """Connections to PostgreSQL. One found broken makes the pool renew all (the store runs the
    work again), so that none need be asked before use.
    """
    arguments: dict[str, Any] = {
        "application_name": "monitor",
        "connect_timeout": CONNECT_SECONDS,
        **SILENT,
    }
    return sa.create_engine(
        address.url,
        connect_args={
            name: value for name, value in arguments.items() if name not in address.url.query
        },
        isolation_level="READ COMMITTED",
        pool_size=size,
        max_overflow=0,
        json_serializer=dumps,
    )
