"""From one database to another, of whichever kind: SQLite to PostgreSQL when one process is not enough.

All rows go over in one transaction, out of one snapshot; then both sides are read again and compared,
table by table, by the number of rows and the sum of their hashes. Only then is the copy kept. What
either kind makes for itself is not copied but made anew: the index of the archive, in the background
of the first start.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from monitor.errors import StorageError
from monitor.storage import faults
from monitor.storage import tables as t
from monitor.storage.address import Address, read_address
from monitor.storage.engines import make_engines
from monitor.storage.exclusive import exclusive
from monitor.storage.migrate import check, upgrade

BATCH: Final = 500
"""Rows read and written at once."""

MADE_ANEW: Final = (t.article_mark, t.index_volume, t.unindexed)
"""What the index of the archive consists of, which is another thing on each kind of database."""

_KEYS_OF: Final = {"sqlite": t.article_key, "postgresql": t.fingerprint}
_IN_USE: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'monitor-member'
"""

Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What a table holds: so many rows, and the sum of their hashes."""

    rows: int
    digest: int


def move(source: str, target: str, *, progress: Progress = lambda *_: None) -> Mapping[str, int]:
    """Copy everything from one database URL to another; returns the rows by table.

    The target is made if it is not there, and must hold nothing. Raises `StorageError`, and leaves
    the target empty, if anything is in use, in the way, or not the same on both sides in the end.
    """
    here, there = read_address(source), read_address(target)
    if str(here) == str(there):
        raise StorageError(f"database {here} can't be copied to itself")
    if here.path is not None and not here.path.exists():
        raise StorageError(f"database {here}: there is none yet, so there is nothing to copy")
    with ExitStack() as stack:
        for url in (source, target):
            stack.enter_context(exclusive(url))
        upgrade(target)
        reading = stack.enter_context(_connected(here, write=False))
        writing = stack.enter_context(_connected(there, write=True))
        check(reading, here)
        for connection, address in ((reading, here), (writing, there)):
            _refuse_in_use(connection, address)
        _refuse_full(writing, there)
        return _moved(reading, writing, progress)


def _moved(reading: sa.Connection, writing: sa.Connection, progress: Progress) -> Mapping[str, int]:
    tables = [each for each in t.metadata.sorted_tables if each not in MADE_ANEW]
    rows_of = {table: _count(reading, table) for table in tables}
    total, done = sum(rows_of.values()), 0
    writing.execute(sa.delete(t.monitor))
    for table in tables:
        for batch in _batches(reading, table):
            _write(writing, table, batch)
            done += len(batch)
            progress("Copying", done, total)
        _link(reading, writing, table)
        _count_on(writing, table)
    _move_keys(reading, writing)
    done = 0
    for table in tables:
        sums = []
        for connection in (reading, writing):
            sums.append(_sum(connection, table))
            done += sums[-1].rows
            progress("Comparing", done, 2 * total)
        if sums[0] != sums[1]:
            raise StorageError(
                f"table {table}: {sums[0].rows} rows became {sums[1].rows}, or they differ: "
                "nothing was kept of the copy"
            )
    if _all_keys(reading) != _all_keys(writing):
        raise StorageError("the keys of copies differ: nothing was kept of the copy")
    writing.commit()
    return {table.name: rows for table, rows in rows_of.items()}


@contextmanager
def _connected(address: Address, *, write: bool) -> Iterator[sa.Connection]:
    engines = make_engines(address)
    try:
        engine = engines.write if write else engines.read
        with faults.explaining(address), engine.connect() as connection:
            yield connection
    finally:
        engines.dispose()


def _refuse_in_use(connection: sa.Connection, address: Address) -> None:
    if connection.dialect.name == "postgresql":
        processes = connection.exec_driver_sql(_IN_USE).scalar_one()
        if processes:
            raise StorageError(
                f"database {address} is in use by {processes} processes of a service: stop it first"
            )


def _refuse_full(connection: sa.Connection, address: Address) -> None:
    """What is there already would be mixed with what comes."""
    for table in (t.feed, t.watch, t.article, t.story):
        if connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first():
            raise StorageError(
                f"database {address} holds something already (in table {table}): name an empty one"
            )


def _columns(connection: sa.Connection, table: sa.Table) -> list[sa.Column[Any]]:
    """Those that both kinds of database have in the same way."""
    del connection
    return [column for column in table.c if column is not t.fingerprint.c["keys"]]


def _own(table: sa.Table) -> list[sa.Column[Any]]:
    """Columns that name other rows of the same table."""
    return [
        column
        for column in table.c
        if any(key.column.table is table for key in column.foreign_keys)
    ]


def _batches(connection: sa.Connection, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    """A table's rows; what both kinds of database keep elsewhere left out."""
    if table is t.article_key:
        return
    columns = _columns(connection, table)
    statement = sa.select(*columns).order_by(*table.primary_key)
    if table is t.monitor:  # which version of the index there is: none, here
        statement = statement.where(t.monitor.c.key != "marks")
    found = connection.execution_options(yield_per=BATCH).execute(statement)
    for rows in found.mappings().partitions(BATCH):
        yield [dict(row) for row in rows]


def _write(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; what names others of the table comes when all are there: see `_link`."""
    empty = dict.fromkeys(column.name for column in _own(table))
    values = [{**row, **empty} for row in rows]
    if table is t.fingerprint and connection.dialect.name == "postgresql":
        values = [{**row, "keys": []} for row in values]
    connection.execute(sa.insert(table), values)


def _link(reading: sa.Connection, writing: sa.Connection, table: sa.Table) -> None:
    [key] = table.primary_key if _own(table) else (None,)
    for column in _own(table):
        assert key is not None
        found = reading.execute(sa.select(key, column).where(column.is_not(None)))
        update = (
            sa.update(table).where(key == sa.bindparam("row")).values({column: sa.bindparam("to")})
        )
        for rows in found.partitions(BATCH):
            writing.execute(update, [{"row": row, "to": to} for row, to in rows])


def _count_on(connection: sa.Connection, table: sa.Table) -> None:
    """Have PostgreSQL give the next row an id that is not taken. SQLite sees to it by itself."""
    column = table.autoincrement_column
    if column is None or connection.dialect.name != "postgresql":
        return
    sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
    last = sa.select(sa.func.max(column)).scalar_subquery()
    connection.execute(
        sa.select(sa.func.setval(sequence, sa.func.coalesce(last, 1), last.is_not(None)))
    )


# --------------------------------------------------------------------------- what copies are found by


def _keys(connection: sa.Connection) -> Iterator[tuple[int, int, list[int]]]:
    """Article, day, and the keys that it is found by, whichever way they are kept."""
    if connection.dialect.name == "postgresql":
        kept = sa.select(t.fingerprint.c.article_id, t.fingerprint.c.day, t.fingerprint.c["keys"])
        for article, day, keys in connection.execute(kept.order_by(t.fingerprint.c.article_id)):
            if keys:
                yield article, day, sorted(keys)
        return
    by_article: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    rows = sa.select(t.article_key.c.article_id, t.article_key.c.day, t.article_key.c.key)
    for article, day, key in connection.execute(rows):
        by_article[article, day].append(key)
    for (article, day), keys in sorted(by_article.items()):
        yield article, day, sorted(keys)


def _move_keys(reading: sa.Connection, writing: sa.Connection) -> None:
    known = set(writing.execute(sa.select(t.fingerprint.c.article_id)).scalars())
    for batch in _some(each for each in _keys(reading) if each[0] in known):
        if writing.dialect.name == "postgresql":
            update = (
                sa.update(t.fingerprint)
                .where(t.fingerprint.c.article_id == sa.bindparam("article"))
                .values({"keys": sa.bindparam("found", type_=t.fingerprint.c["keys"].type)})
            )
            writing.execute(update, [{"article": row[0], "found": row[2]} for row in batch])
        else:
            rows = [
                {"day": day, "key": key, "article_id": article}
                for article, day, keys in batch
                for key in keys
            ]
            writing.execute(sa.insert(t.article_key), rows)


def _all_keys(connection: sa.Connection) -> Sum:
    known = set(connection.execute(sa.select(t.fingerprint.c.article_id)).scalars())
    return _summed((article, keys) for article, _, keys in _keys(connection) if article in known)


# --------------------------------------------------------------------------- comparing


def _count(connection: sa.Connection, table: sa.Table) -> int:
    if table is t.article_key:
        return 0
    found = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
    assert isinstance(found, int)
    return found


def _sum(connection: sa.Connection, table: sa.Table) -> Sum:
    return _summed(tuple(row.values()) for rows in _batches(connection, table) for row in rows)


def _summed(rows: Iterable[Any]) -> Sum:
    """The same in whatever order the rows come."""
    number = digest = 0
    for row in rows:
        text = repr(_plain(row)).encode("utf-8", "surrogatepass")
        digest += int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())
        number += 1
    return Sum(number, digest % (1 << 64))


def _plain(value: Any) -> Any:
    """A value as both databases give it back."""
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, memoryview):
        return bytes(value)
    if hasattr(value, "__dataclass_fields__"):
        return [_plain(getattr(value, name)) for name in value.__dataclass_fields__]
    return value


def _some(rows: Iterable[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
