"""Threads: what stories are about, and the terms they are found by."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from monitor.model import StoryId
from monitor.storage import tables as t
from monitor.storage.families import day_of
from monitor.storage.work import Pair, Work, among, each_of, for_each

_PARTS: Final = 10**6
"""Of a weight, for its sum: that of whole numbers is the same in any order."""


@lru_cache(maxsize=64)
def _stories_about(terms: int, each: int, limit: int) -> sa.Select[Any]:
    """Of each of so many terms the end of its part of the index, added up by the database.

    To fetch the rows, some thousands, costs three times as much.
    """
    newest = []
    for number in range(terms):
        row = t.story_term.alias(f"row_{number}").c
        ids = (
            sa.select(row.story_id)
            .where(row.term == sa.bindparam(f"term_{number}"))
            .order_by(row.story_id.desc())
            .limit(_number(each))
            .subquery(f"newest_{number}")
        )
        weight = sa.bindparam(f"weight_{number}", type_=sa.BigInteger())
        newest.append(sa.select(ids.c.story_id, weight.label("weight")))
    rows = sa.union_all(*newest).subquery("newest")
    shared = sa.func.sum(rows.c.weight)
    ranked = (
        sa.select(rows.c.story_id, shared.label("shared"))
        .group_by(rows.c.story_id)
        .order_by(shared.desc(), rows.c.story_id.desc())
        .limit(_number(limit))
        .subquery("ranked")
    )
    return (
        sa.select(t.story.c.id, t.story.c.thread)
        .join(ranked, ranked.c.story_id == t.story.c.id)
        .where(t.story.c.thread.is_not(None))
        .order_by(ranked.c.shared.desc(), t.story.c.id.desc())
    )


def _number(value: int) -> sa.ColumnElement[int]:
    """As it stands: a plan for an unknown limit expects a tenth of the table."""
    return sa.literal_column(str(int(value)), sa.Integer)


def _add_terms(dialect: str) -> sa.Executable:
    each = sa.select(each_of("terms", dialect), sa.bindparam("story", type_=sa.BigInteger()))
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    rows = insert(t.story_term).from_select(["term", "story_id"], each)
    return (
        rows.on_conflict_do_nothing() if dialect == "postgresql" else rows.prefix_with("OR IGNORE")
    )


def _add_report(dialect: str) -> sa.Executable:
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    each = sa.select(
        sa.bindparam("day", type_=sa.Integer()),
        each_of("terms", dialect),
        sa.literal_column("1", sa.Integer),
    ).where(sa.true())  # of a SELECT, SQLite takes ON CONFLICT only behind a WHERE
    return (
        insert(t.report_term)
        .from_select(["day", "term", "reports"], each)
        .on_conflict_do_update(
            index_elements=["day", "term"], set_={"reports": t.report_term.c.reports + 1}
        )
    )


_of = t.report_term.c
REPORTS_WITH = (
    sa.select(_of.term, sa.func.sum(_of.reports).label("reports"))
    .where(among(_of.day, "days"), among(_of.term, "terms"))
    .group_by(_of.term)
)
ADD_REPORT: Pair = for_each(_add_report)
THREADS = sa.select(t.story.c.id, t.story.c.thread).where(
    among(t.story.c.id, "stories"), t.story.c.thread.is_not(None)
)
ADD_TERMS: Pair = for_each(_add_terms)
SET_THREAD = (
    sa.update(t.story)
    .where(t.story.c.id == sa.bindparam("of_story"))
    .values(thread=sa.bindparam("packed"))
)
CHAPTER_AFTER = (
    sa.select(t.story.c.id)
    .where(t.story.c.follows == sa.bindparam("before"))
    .order_by(t.story.c.id.desc())
    .limit(1)
)


class ThreadWork(Work):
    """The part of `ports.Transaction` about what stories are about."""

    def stories_about(
        self, terms: Mapping[int, float], *, each: int, limit: int
    ) -> Sequence[tuple[StoryId, bytes]]:
        """See `ports.Transaction`. Of stories that share as much, the newer come first."""
        if not terms:
            return []
        values: dict[str, int] = {}
        for number, (term, weight) in enumerate(terms.items()):
            values[f"term_{number}"] = term
            values[f"weight_{number}"] = round(weight * _PARTS)
        rows = self._run(_stories_about(len(terms), each, limit), values)
        return [(StoryId(row.id), row.thread) for row in rows]

    def threads(self, stories: Collection[StoryId]) -> Mapping[StoryId, bytes]:
        """See `ports.Transaction`. A story merged into another has none any more."""
        rows = self._run(THREADS, {"stories": stories})
        return {StoryId(row.id): row.thread for row in rows}

    def set_thread(self, story: StoryId, packed: bytes, terms: Collection[int]) -> None:
        """See `ports.Transaction`. Terms it was found by before go on leading to it."""
        self._run(SET_THREAD, {"of_story": story, "packed": packed})
        if terms:
            self._on(ADD_TERMS, {"terms": terms, "story": story})

    def add_report(self, at: datetime, terms: Collection[int]) -> None:
        """See `ports.Transaction`."""
        self._on(ADD_REPORT, {"day": day_of(at), "terms": terms})

    def reports_with(
        self, terms: Collection[int], first: datetime, last: datetime
    ) -> Mapping[int, int]:
        """See `ports.Transaction`."""
        days = range(day_of(first), day_of(last) + 1)
        rows = self._run(REPORTS_WITH, {"days": days, "terms": terms})
        return {row.term: int(row.reports) for row in rows}

    def chapter_after(self, story: StoryId) -> StoryId | None:
        """See `ports.Transaction`. Of several, the newest."""
        found = self._run(CHAPTER_AFTER, {"before": story}).scalar_one_or_none()
        return None if found is None else StoryId(found)
