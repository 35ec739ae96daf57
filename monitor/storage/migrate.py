"""Brings a database to this version, or says why not.

Migrations are a package of their own beside this one, so that a wheel carries them; there is no
`alembic.ini`. A start runs them under a lock: of several processes one does the work, the others
wait and find it done. Where there is nothing to do, Alembic isn't even imported: with what it brings
it takes 8 MB and a tenth of the CPU of a start.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

import migrations
from monitor import __version__
from monitor.errors import StorageError
from monitor.model import BUCKETS
from monitor.storage import faults
from monitor.storage import tables as t
from monitor.storage.address import Address, read_address
from monitor.storage.engines import BUSY_SECONDS, postgres_engine, sqlite_engine

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS: Final = Path(migrations.__file__).parent

_VERSION: Final = sa.table("alembic_version", sa.column("version_num"))
"""Where Alembic writes the revision."""

MIGRATION_LOCK = 0x6D6F6E00
"""Key of the advisory lock on PostgreSQL ("mon", 0)."""

UPGRADE_SECONDS = 60.0
"""How long one that comes second waits on SQLite for the first to have done it. On PostgreSQL it
waits for as long as it takes."""

EMPTY_SECONDS, EMPTY_LOOKS = 0.5, 10
"""How long a file may be empty that another process is making, and how often it is looked at."""

FOLDER_MODE = 0o700
"""A folder made for the database is its owner's alone: it holds what others wrote."""


def upgrade(url: str) -> str:
    """Make the database if need be, and bring it to this version; returns its revision.

    Raises `StorageError` if that can't be done or its version is newer than this program.
    """
    address = read_address(url)
    is_new = address.path is not None and not address.path.exists()
    if address.path is not None:
        make_folder(address)
        refuse_remains(address)
    engine = _engine(address, create=True)
    try:
        with faults.explaining(address), engine.begin() as connection:
            if address.path is None:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            else:
                _refuse_others(connection, address)
            _refuse_newer(connection, address)
            if _revision(connection) != head():
                _migrate(connection)
            _remember(connection)
    except (StorageError, sa.exc.DBAPIError):
        if is_new:
            _forget_empty(address)
        raise
    finally:
        engine.dispose()
    return head()


def current(url: str) -> str | None:
    """The database's revision, None before the first `upgrade`. Creates nothing."""
    address = read_address(url)
    if address.path is not None:
        refuse_remains(address)
        if not address.path.exists():
            return None
    engine = _engine(address, create=False)
    try:
        with faults.explaining(address), engine.connect() as connection:
            return _revision(connection)
    finally:
        engine.dispose()


def head() -> str:
    """The revision that this program works with."""
    return max(_revisions())


def check(connection: sa.Connection, address: Address) -> None:
    """Raise `StorageError` unless the database is of exactly this version, and ours."""
    _refuse_newer(connection, address)
    if _revision(connection) != head():
        raise StorageError(
            f"database {address}: its tables are not those of this version: "
            "run `monitor db upgrade`"
        )
    statement = sa.select(t.monitor.c.value).where(t.monitor.c.key == "buckets")
    buckets = connection.execute(statement).scalar_one_or_none()
    if buckets != str(BUCKETS):
        raise StorageError(
            f"database {address}: made for {buckets} buckets, this version has {BUCKETS}"
        )


def refuse_remains(address: Address) -> None:
    """Raise `StorageError` if a SQLite file was lost, emptied or replaced by a folder: a new one in its
    place would look like a fresh start, and would have SQLite throw away what its log still holds.
    """
    try:
        _refuse_remains(address)
    except OSError as error:
        raise StorageError(
            f"database {address}: the file can't be looked at ({error.strerror}): may this user "
            "read and write it and its folder?"
        ) from error


def _refuse_remains(address: Address) -> None:
    path = address.path
    assert path is not None
    log = path.with_name(f"{path.name}-wal")
    if path.is_dir():
        raise StorageError(f"database {address}: it is a folder: name a file in it, or remove it")
    if not path.exists():
        if _size(log):
            raise StorageError(
                f"database {address}: it is gone, but its log {log} is there: put it back, or restore "
                "a backup; to begin anew, move the log away"
            )
        return
    for _ in range(EMPTY_LOOKS):  # another process may be making it at this moment
        if path.stat().st_size:
            return
        time.sleep(EMPTY_SECONDS / EMPTY_LOOKS)
    raise StorageError(
        f"database {address}: the file is empty: restore a backup, or remove it to begin anew"
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _forget_empty(address: Address) -> None:
    """Leave nothing behind where there was no room for a first page."""
    assert address.path is not None
    with contextlib.suppress(OSError):
        if not address.path.stat().st_size:
            address.path.unlink()


def make_folder(address: Address) -> None:
    """Make the folder of a SQLite file. Raises `StorageError` if that is impossible."""
    assert address.path is not None
    folder = address.path.parent
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"database {address}: the folder {folder} can't be made ({error.strerror}): "
            "make it, writable for this user"
        ) from error


def _engine(address: Address, *, create: bool) -> sa.Engine:
    if address.path is not None:
        begin = "BEGIN IMMEDIATE" if create else "BEGIN"
        wait = UPGRADE_SECONDS if create else BUSY_SECONDS
        return sqlite_engine(address, begin=begin, size=1, create=create, timeout=wait)
    return postgres_engine(address, size=1)


def _migrate(connection: sa.Connection) -> None:
    from alembic import command  # noqa: PLC0415 needed once in many starts

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415 as in `_migrate`

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _revisions() -> set[str]:
    """Those this program knows: each is the number that its file's name begins with."""
    return {path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py")}


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(sa.select(_VERSION.c.version_num)).scalar_one_or_none()


def _refuse_newer(connection: sa.Connection, address: Address) -> None:
    revision = _revision(connection)
    if revision is not None and revision not in _revisions():
        raise StorageError(
            f"database {address}: it is of a newer version (revision {revision}, this program "
            f"knows up to {head()}): run that version, or restore a backup"
        )


def _refuse_others(connection: sa.Connection, address: Address) -> None:
    """Make no tables among those of another program."""
    if _revision(connection) is None and (tables := sa.inspect(connection).get_table_names()):
        raise StorageError(
            f"database {address}: it is another program's (it has a table {tables[0]}, and none of "
            "monitor's): name another file"
        )


def _remember(connection: sa.Connection) -> None:
    """Write down what is fixed for ever, when there is nothing written yet."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    facts = {"buckets": str(BUCKETS), "created_by": __version__}
    connection.execute(
        dialect.insert(t.monitor).on_conflict_do_nothing(),
        [{"key": key, "value": value} for key, value in facts.items()],
    )
