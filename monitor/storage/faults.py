"""What went wrong in the database: try again, tell the operator, or a bug.

SQLite's codes are those of sqlite.org/rescode.html, PostgreSQL's those of appendix A of its manual.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeGuard

import sqlalchemy as sa

from monitor.errors import StorageError
from monitor.storage.address import Address

if TYPE_CHECKING:
    import psycopg

SQLITE_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
SQLITE_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
SQLITE_SENTENCES = {
    sqlite3.SQLITE_BUSY: "another process keeps it locked: stop that process",
    sqlite3.SQLITE_LOCKED: "another process keeps it locked: stop that process",
    sqlite3.SQLITE_CANTOPEN: "the file can't be opened: may this user read and write it and its "
    "folder, and may this process open more files (`ulimit -n`)?",
    sqlite3.SQLITE_PERM: "permission denied: let this user read and write the file and its folder",
    sqlite3.SQLITE_READONLY: "it can't be written: let this user write the file and its folder, "
    "and mount them writable",
    sqlite3.SQLITE_FULL: "the disk is full: make room; what was saved is safe",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write: look at the system's log, at quotas "
    "and at limits of a file's size",
    sqlite3.SQLITE_CORRUPT: "the file is damaged: keep a copy of it and restore a backup",
    sqlite3.SQLITE_NOTADB: "the file is not a SQLite database: name another file, or move it away",
}

POSTGRES_PASSING = {
    "40001",  # serialization failure
    "40P01",  # deadlock
    "55P03",  # lock not available
    "23503",  # foreign key: the article was merged into another since we looked
}
POSTGRES_SENTENCES = {
    "40": "transactions keep getting in each other's way",
    "55P03": "somebody keeps it locked",
    "53100": "the server's disk is full: make room; what was saved is safe",
    "53300": "the server has no connection left: raise max_connections or stop other clients",
    "53": "the server is out of resources: look at its log",
    "25006": "the server takes no writes: it is a replica or read-only, name the primary",
    "28": "the server refuses the user or the password",
    "3D000": "the server has no database of this name: create it",
    "42501": "the user may not do this: grant it the rights to this database",
    "57P03": "the server is starting or stopping",
    "57": "the server is shutting down or ended the connection",
    "58": "the server's disk or system failed: look at its log",
    "XX": "the server reports damage: look at its log",
    "08": "the connection to the server broke",
}
CONNECT_SENTENCES = {
    # before a connection stands psycopg has the server's words only, no code; first match counts
    "starting up": POSTGRES_SENTENCES["57P03"],
    "shutting down": POSTGRES_SENTENCES["57P03"],
    "too many": POSTGRES_SENTENCES["53300"],
    "does not support SSL": "the server speaks no TLS, and sslmode in the address asks for it: "
    "set it up there",
    "root certificate file": "the certificates that sslrootcert in the address names can't be read: "
    "name a file that this process can read",
    "certificate verify failed": "the server's certificate is by nobody whom sslrootcert in the "
    "address names: is it the right server?",
    "does not match host name": "the server's certificate is for another name than the address "
    "says: is it the right server?",
    "password authentication failed": POSTGRES_SENTENCES["28"],
    "no password supplied": POSTGRES_SENTENCES["28"],
    "no pg_hba.conf entry": POSTGRES_SENTENCES["28"],
    "role ": POSTGRES_SENTENCES["28"],
    "database ": POSTGRES_SENTENCES["3D000"],
    "failed to resolve host": "the server's name is unknown: check the host",
    "": "the server can't be reached: is it running, and are host and port right?",
}
ABSENT = {
    *(POSTGRES_SENTENCES[code] for code in ("57P03", "53300", "08")),
    *(CONNECT_SENTENCES[words] for words in ("failed to resolve host", "")),
}
"""What passes by itself where machines are just being started."""

NOT_MIGRATED = "it has no tables of monitor: run `monitor db upgrade`"


def is_passing(error: sa.exc.DBAPIError) -> bool:
    """Whether the database asks for the whole transaction to be run again."""
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return _sqlite_code(cause) in SQLITE_PASSING
    return _is_postgres(cause) and cause.sqlstate in POSTGRES_PASSING


def is_damage(error: StorageError) -> bool:
    """Whether it will not pass by itself: the file is damaged, or is no database any more."""
    cause = error.__cause__
    origin = cause.orig if isinstance(cause, sa.exc.DBAPIError) else cause
    return isinstance(origin, sqlite3.Error) and _sqlite_code(origin) in SQLITE_DAMAGE


def is_absent(error: StorageError) -> bool:
    """Whether there is no server to talk to, and one may be soon: it starts, or takes nobody more yet."""
    cause = error.__cause__
    origin = cause.orig if isinstance(cause, sa.exc.DBAPIError) else cause
    return _is_postgres(origin) and _postgres_sentence(origin) in ABSENT


@contextmanager
def explaining(address: Address) -> Iterator[None]:
    """What an operator can do something about is raised as `StorageError`, any other as it is: a bug."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        explained = _explained(error, address)
        if explained is None:
            raise
        raise explained from error


def _explained(error: sa.exc.DBAPIError, address: Address) -> StorageError | None:
    cause = error.orig
    sentence: str | None = None
    if isinstance(cause, sqlite3.Error):
        sentence = SQLITE_SENTENCES.get(_sqlite_code(cause))
        if sentence is None and "no such table" in str(cause):
            sentence = NOT_MIGRATED
    elif _is_postgres(cause):
        sentence = _postgres_sentence(cause)
    return StorageError(f"database {address}: {sentence}") if sentence else None


def explained_plainly(cause: sqlite3.Error, address: Address) -> StorageError:
    """The same for what SQLite says itself, without SQLAlchemy between; its own words at worst."""
    sentence = SQLITE_SENTENCES.get(_sqlite_code(cause), str(cause))
    return StorageError(f"database {address}: {sentence}")


def _sqlite_code(cause: sqlite3.Error) -> int:
    """The primary code; the extended one says more than anybody acts on."""
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF


def _is_postgres(cause: BaseException | None) -> TypeGuard[psycopg.Error]:
    """Whether PostgreSQL's driver has raised it. Who uses no server never imports its 9 MB."""
    driver = sys.modules.get("psycopg")
    return driver is not None and isinstance(cause, driver.Error)


def _postgres_sentence(cause: psycopg.Error) -> str | None:
    state = cause.sqlstate
    if state == "42P01":
        return NOT_MIGRATED
    if state is not None:
        return POSTGRES_SENTENCES.get(state) or POSTGRES_SENTENCES.get(state[:2])
    if isinstance(cause, sys.modules["psycopg"].OperationalError):
        words = str(cause)
        return next(sentence for part, sentence in CONNECT_SENTENCES.items() if part in words)
    return None
