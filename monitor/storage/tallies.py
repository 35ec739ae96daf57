"""How many rows the largest tables have, known without counting them all.

Ids only grow, so a table is cut into *windows* of them. A window that lies behind the newest rows is
counted once, beside the work, and what came out is kept; only the rest is counted when somebody asks,
and that is never more than two windows. Nothing is written for it where articles are stored.

So what is new is counted as it is. What changes in a window that was counted (an article is fetched
again, or deleted) shows when that window's turn comes again, within the hour.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from monitor.model import ArticleState
from monitor.storage import tables as t
from monitor.storage.work import Work

WINDOW: Final = 1 << 13
"""Ids of a window: SQLite counts it in a millisecond, PostgreSQL in three."""

MOST: Final = 16
"""Windows of a table that are counted in one step, of those that never were."""

TURNS: Final = 60
"""Minutes in which every window has its turn."""

COUNTED: Final = (t.article, t.story, t.hit)

_first: sa.BindParameter[int] = sa.bindparam("first", type_=sa.BigInteger())
_behind: sa.BindParameter[int] = sa.bindparam("behind", type_=sa.BigInteger())


def _number(table: sa.Table, state: str | None = None) -> sa.Select[str, int]:
    """Rows with ids in a range. A state at a time: SQLite reads its index and no article."""
    of_state = [] if state is None else [table.c.state == state]
    return sa.select(
        sa.literal(state or "", sa.Text).label("state"), sa.func.count().label("amount")
    ).where(table.c.id >= _first, table.c.id < _behind, *of_state)


IN_RANGE: Final[Mapping[str, sa.Executable]] = {
    "article": sa.union_all(*(_number(t.article, state) for state in ArticleState)),
    "story": _number(t.story),
    "hit": _number(t.hit),
}
ENDS: Final = {
    table.name: sa.select(
        # apart: of both at once SQLite would look at every row
        sa.select(sa.func.min(table.c.id)).scalar_subquery().label("lowest"),
        sa.select(sa.func.max(table.c.id)).scalar_subquery().label("highest"),
    )
    for table in COUNTED
}
KNOWN = sa.select(t.row_tally.c.name, sa.func.max(t.row_tally.c.number).label("newest")).group_by(
    t.row_tally.c.name
)
KEPT = sa.select(
    t.row_tally.c.name, t.row_tally.c.state, sa.func.sum(t.row_tally.c.amount).label("amount")
).group_by(t.row_tally.c.name, t.row_tally.c.state)
_of_table = t.row_tally.c.name == sa.bindparam("of", type_=sa.Text())
FORGET = sa.delete(t.row_tally).where(
    _of_table, t.row_tally.c.number == sa.bindparam("number", type_=sa.BigInteger())
)
FORGET_BEFORE = sa.delete(t.row_tally).where(
    _of_table, t.row_tally.c.number < sa.bindparam("number", type_=sa.BigInteger())
)
KEEP = sa.insert(t.row_tally)
WAITING = sa.select(sa.func.count()).where(t.article.c.state == ArticleState.NEW)


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows the tables have."""

    articles: Mapping[str, int]  # by state, as far as there are any
    stories: int
    hits: int


def count_rows(connection: sa.Connection) -> Rows:
    """How many there are: see the module. Articles that wait are counted as they are."""
    newest = {row.name: row.newest for row in connection.execute(KNOWN)}
    found: dict[tuple[str, str], int] = {}
    for row in connection.execute(KEPT):
        found[row.name, row.state] = int(row.amount)
    for name in IN_RANGE:
        first = (newest[name] + 1) * WINDOW if name in newest else 0
        for state, rows in _in_range(connection, name, first, 1 << 62):
            found[name, state] = found.get((name, state), 0) + rows
    found["article", ArticleState.NEW] = connection.execute(WAITING).scalar_one()
    return Rows(
        articles={
            state: rows for (name, state), rows in found.items() if name == "article" and rows
        },
        stories=found.get(("story", ""), 0),
        hits=found.get(("hit", ""), 0),
    )


def _in_range(
    connection: sa.Connection, table: str, first: int, behind: int
) -> Iterator[tuple[str, int]]:
    for row in connection.execute(IN_RANGE[table], {"first": first, "behind": behind}):
        yield row.state, row.amount


def due_windows(lowest: int, highest: int, known: int | None, turn: int) -> Collection[int]:
    """Which windows to count now, of those that lie behind the newest rows.

    `lowest`, `highest`: ids that there are. `known`: the last window that was counted ever. `turn`:
    the number of this minute. Those that never were counted, from the lowest on, and of the others
    those whose turn it is.
    """
    first, end = lowest // WINDOW, highest // WINDOW  # the newest rows' own is not complete
    new = first if known is None else max(known + 1, first)
    again = range(first, min(new, end))
    return [
        *(number for number in again if number % TURNS == turn % TURNS),
        *range(new, min(new + MOST, end)),
    ]


class TallyWork(Work):
    """The part of `ports.Transaction` about how many rows there are."""

    def tally_rows(self, now: datetime) -> int:
        """See `ports.Transaction`."""
        newest = {row.name: row.newest for row in self._run(KNOWN)}
        turn = int(now.timestamp()) // 60
        counted = 0
        for name, ends in ENDS.items():
            row = self._run(ends).one()
            if row.highest is None:
                continue
            self._run(FORGET_BEFORE, {"of": name, "number": row.lowest // WINDOW})
            for number in due_windows(row.lowest, row.highest, newest.get(name), turn):
                self._run(FORGET, {"of": name, "number": number})
                found = _in_range(self.connection, name, number * WINDOW, (number + 1) * WINDOW)
                rows = [
                    {"name": name, "number": number, "state": state, "amount": rows}
                    for state, rows in found
                ]
                self._run(KEEP, rows)
                counted += 1
        return counted
