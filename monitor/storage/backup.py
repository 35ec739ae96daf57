"""A copy of a SQLite database while it is in use; for PostgreSQL, the command that makes one.

SQLite's own backup reads the pages of one snapshot, which a transaction holds open: what a service
writes meanwhile is neither waited for nor in the copy. The copy is checked before it gets its name,
and never takes the place of another file.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from monitor.errors import StorageError
from monitor.storage import faults
from monitor.storage.address import Address, read_address
from monitor.storage.engines import sqlite_engine
from monitor.storage.migrate import check, head, refuse_remains

PAGES = 2_000
"""Pages copied at once (8 MB), after each of which the progress is told."""

Progress = Callable[[str, int, int], None]
"""What is being done ("Copying", "Checking"), how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A backup that was made."""

    bytes: int
    revision: str  # of its tables: the program of that version, or a later one, opens it


def _no_progress(_what: str, _done: int, _of: int) -> None:
    pass


def backup(url: str, target: Path, *, progress: Progress = _no_progress) -> Copied:
    """Copy a SQLite database to a file that is not there yet, for its owner alone.

    Raises `StorageError` if that can't be done, or the copy is not whole; nothing is left then.
    """
    address = read_address(url)
    assert address.path is not None
    refuse_remains(address)
    if not address.path.exists():
        raise StorageError(f"database {address}: there is none yet, so there is nothing to copy")
    if target.exists() or target.is_symlink():
        raise StorageError(f"{target} is there already: name another file, or move it away")
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise StorageError(f"{target} can't be written: {error.strerror}") from error
    os.close(descriptor)
    unfinished = Path(name)
    try:
        copied = _copy(address, unfinished, progress)
        _settle(unfinished)
        os.link(unfinished, target)  # refuses what is there, which a rename would replace
    except FileExistsError:
        raise StorageError(
            f"{target} is there already: name another file, or move it away"
        ) from None
    except OSError as error:
        raise StorageError(f"{target} can't be written: {error.strerror}") from error
    finally:
        for each in (unfinished, *(Path(f"{unfinished}{end}") for end in ("-wal", "-shm"))):
            each.unlink(missing_ok=True)
    return copied


def backup_to_stream(url: str, stream: BinaryIO, *, progress: Progress = _no_progress) -> Copied:
    """The same into a pipe, once the copy is known to be whole: it waits in the temporary folder."""
    with tempfile.TemporaryDirectory(prefix="monitor-backup-") as folder:
        path = Path(folder) / "monitor.db"
        copied = backup(url, path, progress=progress)
        with path.open("rb") as file:
            done = 0
            while block := file.read(1 << 20):
                stream.write(block)
                done += len(block)
                progress("Sending", done, copied.bytes)
        stream.flush()
    return copied


def _copy(address: Address, target: Path, progress: Progress) -> Copied:
    engine = sqlite_engine(address, begin="BEGIN", size=1, read_only=True)
    try:
        with faults.explaining(address), engine.connect() as connection:
            check(connection, address)  # and holds the snapshot open
            source = connection.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)
            with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as copy:
                source.backup(
                    copy,
                    pages=PAGES,
                    progress=lambda _, left, pages: progress("Copying", pages - left, pages),
                )
                progress("Checking", 0, 1)
                copy.execute("PRAGMA journal_mode = DELETE").fetchall()
                found = [row[0] for row in copy.execute("PRAGMA integrity_check(3)")]
                progress("Checking", 1, 1)
    except sqlite3.Error as error:
        raise faults.explained_plainly(error, address) from error
    finally:
        engine.dispose()
    if found != ["ok"]:
        raise StorageError(
            f"database {address}: the file is damaged ({found[0]}), so no copy is kept: "
            "restore an earlier backup"
        )
    return Copied(bytes=target.stat().st_size, revision=head())


def _settle(path: Path) -> None:
    """On the disk, and not only on its way there."""
    for each, flags in ((path, os.O_RDWR), (path.parent, os.O_RDONLY)):
        descriptor = os.open(each, flags)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def pg_dump(url: str, target: str) -> str:
    """The command that copies a PostgreSQL database. It names no password: pg_dump asks for it."""
    address = read_address(url)
    assert address.path is None
    shown = address.url._replace(drivername="postgresql", password=None)  # `set` leaves a password
    name = shown.difference_update_query(["password"]).render_as_string(hide_password=False)
    return f"pg_dump --format=custom --no-owner --file={shlex.quote(target)} {shlex.quote(name)}"


def vacuum(url: str) -> None:
    """Write a SQLite file anew, without the room of what was deleted; nobody else may be at it.

    Raises `StorageError`, also if the disk has no room for a second copy meanwhile.
    """
    address = read_address(url)
    assert address.path is not None
    try:
        with contextlib.closing(
            sqlite3.connect(f"file:{quote(str(address.path))}?mode=rw", uri=True)
        ) as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error as error:
        raise faults.explained_plainly(error, address) from error
