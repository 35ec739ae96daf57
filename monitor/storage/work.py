"""What the parts of a transaction share: a connection, leases, inserts that may find a twin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from monitor.storage import tables as t

Row = sa.Row[Any]


class Work:
    """A part of a transaction. Statements are built once, as module constants: building one
    costs more than SQLite needs to run it.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def _run(
        self,
        statement: sa.Executable,
        values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> sa.CursorResult[Any]:
        return self.connection.execute(statement, values)

    def _insert(self, pair: InsertPair, values: Any) -> sa.CursorResult[Any]:
        return self.connection.execute(pair[self.connection.dialect.name], values)


InsertPair = Mapping[str, sa.Executable]
"""One INSERT … ON CONFLICT in each dialect's own construct."""


def insert_missing(
    table: sa.Table,
    *returning: sa.ColumnElement[Any],
    source: sa.Select[Any] | None = None,
    count: bool = False,
) -> InsertPair:
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


def upsert(table: sa.Table, *, key: Sequence[str], update: Sequence[str]) -> InsertPair:
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


def claim(
    table: sa.Table,
    *also: sa.ColumnElement[bool],
    returning: Sequence[sa.ColumnElement[Any]],
    values: Mapping[str, Any] | None = None,
    fairly: Fairness | None = None,
) -> sa.Executable:
    """Lease up to `:limit` due rows of `:in_bucket` until `:until`, longest due first.

    One statement for both databases. On PostgreSQL rows that somebody else is claiming are
    passed over; SQLite has one writer and leaves the lock clause out.
    """
    is_ours = sa.and_(table.c.bucket == sa.bindparam("in_bucket"), is_due(table), *also)
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
        .values(lease_until=until, **(values or {}))
        .returning(*returning)
    )


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


WORKING_TABLES = (t.feed, t.article, t.delivery)
