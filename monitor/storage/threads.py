"""Threads: what stories are about, and the terms they are found by."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from monitor.model import StoryId
from monitor.storage import tables as t
from monitor.storage.work import Pair, Work, each_of, for_each, is_among


def _stories_about(dialect: str) -> sa.Select[Any]:
    """For each term the end of its part of the index, however many stories it has."""
    term = each_of("terms", dialect)
    row = t.story_term.alias("newest")
    newest = (
        sa.select(row.c.story_id)
        .where(row.c.term == term)
        .order_by(row.c.story_id.desc())
        .limit(sa.bindparam("each", type_=sa.Integer(), literal_execute=True))
        .correlate(term.table)
    )
    found = sa.and_(t.story_term.c.term == term, t.story_term.c.story_id.in_(newest))
    return (
        sa.select(t.story_term.c.term, t.story_term.c.story_id)
        .select_from(term.table)
        .join(t.story_term, found)
    )


def _threads(dialect: str) -> sa.Select[Any]:
    return sa.select(t.story.c.id, t.story.c.thread).where(
        is_among(t.story.c.id, "stories", dialect), t.story.c.thread.is_not(None)
    )


def _add_terms(dialect: str) -> sa.Executable:
    each = sa.select(each_of("terms", dialect), sa.bindparam("story", type_=sa.BigInteger()))
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    rows = insert(t.story_term).from_select(["term", "story_id"], each)
    return (
        rows.on_conflict_do_nothing() if dialect == "postgresql" else rows.prefix_with("OR IGNORE")
    )


STORIES_ABOUT: Pair = for_each(_stories_about)
THREADS: Pair = for_each(_threads)
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

    def stories_about(self, terms: Collection[int], *, each: int) -> Sequence[tuple[int, StoryId]]:
        """See `ports.Transaction`."""
        rows = self._on(STORIES_ABOUT, {"terms": terms, "each": each})
        return [(row.term, StoryId(row.story_id)) for row in rows]

    def threads(self, stories: Collection[StoryId]) -> Mapping[StoryId, bytes]:
        """See `ports.Transaction`. A story merged into another has none any more."""
        rows = self._on(THREADS, {"stories": stories})
        return {StoryId(row.id): row.thread for row in rows}

    def set_thread(self, story: StoryId, packed: bytes, terms: Collection[int]) -> None:
        """See `ports.Transaction`. Terms it was found by before go on leading to it."""
        self._run(SET_THREAD, {"of_story": story, "packed": packed})
        if terms:
            self._on(ADD_TERMS, {"terms": terms, "story": story})

    def chapter_after(self, story: StoryId) -> StoryId | None:
        """See `ports.Transaction`. Of several, the newest."""
        found = self._run(CHAPTER_AFTER, {"before": story}).scalar_one_or_none()
        return None if found is None else StoryId(found)
