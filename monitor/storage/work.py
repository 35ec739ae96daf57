"""What the parts of a transaction share: a connection, leases, inserts that may find a twin."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from monitor.model import ArticleId
from monitor.storage import tables as t

Row = sa.Row[Any]


class Work:
    """A part of a transaction. Statements are built once, as module constants: building one
    costs more than SQLite needs to run it.
    """

    def __init__(self, connection: sa.Connection, holder: int | None = None) -> None:
        """`holder`: by what number its leases are known."""
        self.connection = connection
        self.holder = holder
        # Of articles that this transaction has written, so that nobody else can until it ends:
        # those in no story, and those of which there are no hits. That need not be asked for.
        self.placeless: set[ArticleId] = set()
        self.hitless: set[ArticleId] = set()

    def _run(
        self,
        statement: sa.Executable,
        values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> sa.CursorResult[Any]:
        return self.connection.execute(statement, values)

    def lock_bucket(self, bucket: int) -> None:
        """Be the only one who claims feeds and articles of a bucket, to the end of the transaction.

        SQLite's only writer is that anyway.
        """
        if self.connection.dialect.name == "postgresql":
            self._run(LOCK, {"key": _BUCKET_LOCKS, "bucket": bucket})

    def _on(self, pair: Pair, values: Any) -> sa.CursorResult[Any]:
        return self.connection.execute(pair[self.connection.dialect.name], values)


Pair = Mapping[str, sa.Executable]
"""One statement in each dialect's own construct."""


class Numbers(sa.types.TypeDecorator[Collection[int]]):
    """Many whole numbers as one value, so that there is one statement for any number of them."""

    impl = sa.Text
    cache_ok = True
    item: ClassVar[type[sa.types.TypeEngine[Any]]] = sa.BigInteger

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """An array, or JSON, which SQLite can read as a table."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.Text())
        return dialect.type_descriptor(postgresql.ARRAY(self.item))

    def process_bind_param(self, value: Collection[Any] | None, dialect: sa.Dialect) -> Any:
        """Any collection will do."""
        assert value is not None
        return json.dumps([*value]) if dialect.name == "sqlite" else [*value]


class Texts(Numbers):
    """The same of texts."""

    cache_ok = True
    item = sa.Text


class among(sa.sql.functions.FunctionElement[bool]):  # noqa: N801 - as SQLAlchemy names functions
    """Whether a column is one of the values of the parameter `name`, a collection.

    One statement for both databases, and one text for any number of values: it need not be written
    anew for each number, as `in_` is.
    """

    type = sa.Boolean()
    inherit_cache = True
    _is_implicitly_boolean = True  # or SQLite is asked whether it equals 1, and finds no index

    def __init__(self, column: sa.ColumnElement[Any], name: str) -> None:
        many = Numbers() if isinstance(column.type, sa.Integer) else Texts()
        super().__init__(column, sa.bindparam(name, type_=many))


@compiles(among, "sqlite")
def _among_json(element: among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - of SQLAlchemy


@compiles(among, "postgresql")
def _among_array(element: among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} = ANY ({values})"


def each_of(name: str, dialect: str) -> sa.ColumnElement[int]:
    """The numbers of the parameter `name`, a collection, as rows to select from."""
    unfold = sa.func.json_each if dialect == "sqlite" else sa.func.unnest
    numbers = unfold(sa.bindparam(name, type_=Numbers()))
    table = numbers.table_valued(sa.column("value", sa.BigInteger), name=f"each_of_{name}")
    # PostgreSQL names the column as it is told, SQLite knows it by this name
    return (table if dialect == "sqlite" else table.render_derived()).c.value


def for_each(build: Callable[[str], sa.Executable]) -> Pair:
    """The statement that `build` makes for each dialect's name."""
    return {name: build(name) for name in ("sqlite", "postgresql")}


def insert_missing(
    table: sa.Table,
    *returning: sa.ColumnElement[Any],
    source: sa.Select[Any] | None = None,
    count: bool = False,
) -> Pair:
    """INSERT … ON CONFLICT DO NOTHING; of the rows of `source`, if given, for all columns.

    With `count` the result's `rowcount` tells how many rows were missing.
    """
    pair: dict[str, sa.Executable] = {}
    for dialect in (sqlite, postgresql):
        statement = dialect.insert(table)
        if source is not None:
            statement = statement.from_select(list(table.c), source)
        statement = statement.on_conflict_do_nothing()
        if count:
            statement = statement.execution_options(preserve_rowcount=True)
        name = dialect.__name__.rpartition(".")[2]
        pair[name] = statement.returning(*returning) if returning else statement
    return pair


def upsert(table: sa.Table, *, key: Sequence[str], update: Sequence[str]) -> Pair:
    """INSERT … ON CONFLICT DO UPDATE of the named columns."""
    lite, post = sqlite.insert(table), postgresql.insert(table)
    return {
        "sqlite": lite.on_conflict_do_update(
            index_elements=key, set_={name: lite.excluded[name] for name in update}
        ),
        "postgresql": post.on_conflict_do_update(
            index_elements=key, set_={name: post.excluded[name] for name in update}
        ),
    }


def is_due(table: sa.Table) -> sa.ColumnElement[bool]:
    """Due at `:now`, and nobody's."""
    now = sa.bindparam("now", type_=table.c.due_at.type)
    return sa.and_(
        table.c.due_at <= now,
        sa.or_(table.c.lease_until.is_(None), table.c.lease_until <= now),
    )


def is_held(table: sa.Table) -> sa.ColumnElement[bool]:
    """Nobody has claimed the row since `:holder` did, who may have been given up for dead meanwhile.

    Asked wherever a lease is ended, or a claimed row's outcome is written: a late word must not end
    the lease of who claimed it after that. A process that is alone has no number, nor have its rows.
    """
    holder = sa.bindparam("holder", type_=sa.Integer())
    return table.c.lease_by.is_not_distinct_from(holder)


def claim(
    table: sa.Table,
    *also: sa.ColumnElement[bool],
    returning: Sequence[sa.ColumnElement[Any]],
    fairly: Fairness | None = None,
    idle_in: Sequence[sa.Table] = (),
) -> sa.Executable:
    """Lease up to `:limit` due rows of `:in_bucket` for `:holder` until `:until`, longest due first.

    One statement for both databases. On PostgreSQL rows that somebody else is claiming are
    passed over; SQLite has one writer and leaves the lock clause out.

    `idle_in`: none of a host of which a row of these tables is leased, so that a host is somebody's
    alone. Claims of a bucket must then come one after the other: see `Work.lock_bucket`.
    """
    is_ours = sa.and_(table.c.bucket == sa.bindparam("in_bucket"), is_due(table), *also)
    if idle_in:
        is_ours = sa.and_(is_ours, table.c.host.not_in(_busy_hosts(idle_in)))
    due = sa.select(table.c.id).where(is_ours)
    order: list[sa.ColumnElement[Any]] = [table.c.due_at, table.c.id]
    if fairly is not None:
        turns = (
            sa.select(
                table.c.id,
                table.c.due_at,
                fairly.few_of.label("few_of"),
                _turn(fairly.by_turns, table.c.due_at, table.c.id).label("turn"),
            )
            .where(is_ours)
            .subquery("in_turns")
        )
        place = _turn(turns.c.few_of, turns.c.turn, turns.c.due_at, turns.c.id)
        turns = sa.select(turns.c.id, turns.c.turn, place.label("place")).subquery("turns")
        due = due.join(turns, turns.c.id == table.c.id).where(turns.c.place <= fairly.few)
        order.insert(0, turns.c.turn)
    claimed = (
        due.order_by(*order)
        # literal: a plan for an unknown limit would expect a tenth of the table and scan it
        .limit(sa.bindparam("limit", type_=sa.Integer(), literal_execute=True))
        .with_for_update(skip_locked=True, of=table)
        .cte("due")
    )
    until = sa.bindparam("until", type_=table.c.lease_until.type)
    return (
        sa.update(table)
        .where(table.c.id.in_(sa.select(claimed.c.id)))
        .values(lease_until=until, lease_by=sa.bindparam("holder", type_=sa.Integer()))
        .returning(*returning)
    )


def _busy_hosts(tables: Sequence[sa.Table]) -> sa.CompoundSelect[Any]:
    """Hosts of `:in_bucket` of which a row is leased: as many as are at work, however much is due."""
    return sa.union_all(*(_hosts_leased(table.alias(f"leased_{table}")) for table in tables))


def _hosts_leased(table: sa.FromClause) -> sa.Select[Any]:
    now = sa.bindparam("now", type_=table.c.due_at.type)
    return sa.select(table.c.host).where(
        table.c.bucket == sa.bindparam("in_bucket"),
        table.c.due_at.is_not(None),
        table.c.lease_until > now,
    )


OF_HOSTS = (t.feed, t.article)
"""What is claimed host by host. Within a process a host's feeds and pages take turns by themselves;
among many processes one of them has the host, for both."""


@dataclass(frozen=True, slots=True)
class Fairness:
    """Whose rows are claimed first: those of `by_turns` in turns, and of one of `few_of` only few.

    Otherwise a feed that lists thousands of articles, or one slow host, would hold up everybody
    whose articles came a second later.
    """

    by_turns: sa.ColumnElement[Any]
    few_of: sa.ColumnElement[Any]
    few: int


def _turn(among: sa.ColumnElement[Any], *order: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    return sa.func.row_number().over(partition_by=among, order_by=order)


def ended_leases(table: sa.Table) -> sa.Update:
    """End every lease of a table. Leased rows wait, so that the index of due rows finds them."""
    return (
        sa.update(table)
        .where(table.c.due_at.is_not(None), table.c.lease_until.is_not(None))
        .values(lease_until=None)
    )


def lease_holders(table: sa.Table) -> sa.Select[Any]:
    """Whose numbers the leases of a table bear at `:now`."""
    return sa.select(table.c.lease_by).where(_is_leased(table))


def leases_of(table: sa.Table) -> sa.Update:
    """End the leases of `:holders` that last at `:now`."""
    theirs = table.c.lease_by.in_(sa.bindparam("holders", expanding=True))
    return sa.update(table).where(_is_leased(table), theirs).values(lease_until=None)


def _is_leased(table: sa.Table) -> sa.ColumnElement[bool]:
    """Leased at `:now` by a process that has a number."""
    now = sa.bindparam("now", type_=table.c.due_at.type)
    return sa.and_(
        table.c.due_at.is_not(None), table.c.lease_until > now, table.c.lease_by.is_not(None)
    )


WORKING_TABLES = (t.feed, t.subscription, t.article, t.delivery, t.notice)
LOCK = sa.select(
    sa.func.pg_advisory_xact_lock(
        sa.bindparam("key", type_=sa.Integer), sa.bindparam("bucket", type_=sa.Integer)
    )
)
_BUCKET_LOCKS = 0x6D6F6E  # "mon"; keys of two numbers are none of those of one
