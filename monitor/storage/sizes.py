"""How much there is: rows and bytes, by table and in all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from monitor.storage.indexing import INDEXED_ARTICLES, VOLUME_NAME
from monitor.storage.work import Work

SAMPLE = 200
"""Rows of a table by which PostgreSQL's row width is estimated: 5 ms a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSize:
    """What a table takes, its indexes included."""

    rows: int
    bytes: int | None  # None: this SQLite was built without `dbstat`


class SizeWork(Work):
    """The part of `ports.Transaction` about how much there is."""

    def stored_bytes(self) -> int:
        """See `ports.Transaction`. On SQLite the pages in use.

        PostgreSQL gives the room of deleted rows to new ones and hardly ever back to the disk, so
        its own figure would not fall: this is the number of live rows times the width of a few of
        them, and as large a part of the indexes.
        """
        if self.connection.dialect.name == "sqlite":
            return used_bytes(self.connection)
        total = 0.0
        for row in self.connection.execute(_POSTGRES_TABLES):
            quoted = self.connection.dialect.identifier_preparer.quote(row.name)
            # fields that PostgreSQL packed or keeps elsewhere count as they are stored
            sample = f"(SELECT * FROM {quoted} LIMIT {SAMPLE}) s"  # noqa: S608 - its own name
            width = self._run(sa.text(f"SELECT avg(pg_column_size(s.*)) FROM {sample}")).scalar()  # noqa: S608 - its own name
            live = row.live * float(width or 0)
            whole = max(live, float(row.heap))
            total += live + (row.indexes * live / whole if whole else 0)
        return int(total)


def used_bytes(connection: sa.Connection) -> int:
    """Of a SQLite file, without the pages that are free for what comes."""
    pages, free, size = (
        connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def table_sizes(connection: sa.Connection) -> Mapping[str, TableSize]:
    """Every table, the largest first. Reads the whole of a SQLite file."""
    # an index of FTS5 can't be counted, and is several tables: it counts as `article_mark`
    names: list[str] = []
    volumes: list[str] = []
    for name in sorted(set(sa.inspect(connection).get_table_names())):
        (volumes if name.startswith(VOLUME_NAME) else names).append(name)
    by_table = (_sqlite_bytes if connection.dialect.name == "sqlite" else _postgres_bytes)(
        connection
    )
    quote = connection.dialect.identifier_preparer.quote
    found = {
        name: TableSize(
            rows=connection.exec_driver_sql(f"SELECT count(*) FROM {quote(name)}").scalar_one(),  # noqa: S608 - a table's own name
            bytes=by_table.get(name),
        )
        for name in names
    }
    if volumes:
        found["article_mark"] = TableSize(
            rows=connection.execute(INDEXED_ARTICLES).scalar_one(),
            bytes=sum(by_table.get(name, 0) for name in volumes) if by_table else None,
        )
    return dict(sorted(found.items(), key=lambda each: (-(each[1].bytes or 0), -each[1].rows)))


def _sqlite_bytes(connection: sa.Connection) -> Mapping[str, int]:
    try:
        rows = connection.exec_driver_sql(_DBSTAT).all()
    except sa.exc.OperationalError:  # built without it
        return {}
    return {row[0]: row[1] for row in rows}


def _postgres_bytes(connection: sa.Connection) -> Mapping[str, int]:
    return {row.name: row.heap + row.indexes for row in connection.execute(_POSTGRES_TABLES)}


_DBSTAT = """
    SELECT owner.tbl_name, sum(stat.pgsize) FROM dbstat AS stat
    JOIN sqlite_schema AS owner ON owner.name = stat.name
    WHERE stat.aggregate = TRUE GROUP BY owner.tbl_name
"""
_POSTGRES_TABLES = sa.text(
    "SELECT c.relname AS name, coalesce(s.n_live_tup, 0) AS live,"
    " pg_table_size(c.oid) AS heap, pg_indexes_size(c.oid) AS indexes"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid"
    " WHERE c.relkind = 'r' AND n.nspname = current_schema()"
)
