"""What people decide about stories, kept as facts; and merging two, whoever decided it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from monitor.model import ArticleId, DeliveryState, StoryId
from monitor.storage import tables as t
from monitor.storage.deliveries import REFRESH
from monitor.storage.mentions import touch_stories
from monitor.storage.outbox import GIVEN_UP
from monitor.storage.work import Work, upsert

SET_VERDICT = upsert(
    t.verdict, key=("article_id", "story_id"), update=("belongs", "decided_at", "by")
)
_gone: sa.BindParameter[int] = sa.bindparam("gone")
_into: sa.BindParameter[int] = sa.bindparam("into")

RULED_APART = sa.select(
    sa.exists()
    .where(t.verdict.c.article_id == t.article.c.id, ~t.verdict.c.belongs)
    .where(
        sa.or_(
            sa.and_(t.article.c.story_id == _gone, t.verdict.c.story_id == _into),
            sa.and_(t.article.c.story_id == _into, t.verdict.c.story_id == _gone),
        )
    )
)
IS_SHOWN = sa.select(
    sa.exists().where(
        t.delivery.c.story_id == sa.bindparam("story"),
        sa.or_(t.delivery.c.sent_ref.is_not(None), t.delivery.c.state == DeliveryState.SENDING),
    )
)

# -- what merging does, in this order

_was, _other = t.story.alias("was"), t.delivery.alias("other")
_unshown = sa.and_(t.delivery.c.sent_ref.is_(None), t.delivery.c.state != DeliveryState.SENDING)
_of_gone, _of_into = t.delivery.c.story_id == _gone, t.delivery.c.story_id == _into


def _is_where(story: sa.BindParameter[int], *also: sa.ColumnElement[bool]) -> sa.Exists:
    """Whether a story has a row in the delivery's channel."""
    return sa.exists().where(
        _other.c.story_id == story, _other.c.channel == t.delivery.c.channel, *also
    )


_before = sa.select(_was.c.follows).where(_was.c.id == _into).cte("before", recursive=True)
_before = _before.union(sa.select(_was.c.follows).where(_was.c.id == _before.c.follows))
_ruled, _held = t.verdict.alias("ruled"), t.hold.alias("held")
MERGE = (
    sa.update(t.article).where(t.article.c.story_id == _gone).values(story_id=_into),
    # chapters close ranks: of a later and an earlier one, the place of the earlier is taken
    sa.update(t.story)
    .where(t.story.c.id == _into, sa.exists().where(_before.c.follows == _gone))
    .values(follows=sa.select(_was.c.follows).where(_was.c.id == _gone).scalar_subquery()),
    sa.update(t.story).where(t.story.c.follows == _gone).values(follows=_into),
    sa.update(t.story).where(t.story.c.merged_into == _gone).values(merged_into=_into),
    sa.update(t.story)
    .where(t.story.c.id == _gone)
    .values(
        merged_into=_into,
        merged_at=sa.bindparam("now", type_=t.story.c.merged_at.type),
        merged_by=sa.bindparam("who", type_=t.story.c.merged_by.type),
        follows=None,
        thread=None,
    ),
    # what was decided about the one holds for the other, unless this merge says the opposite
    sa.update(t.verdict)
    .where(
        t.verdict.c.story_id == _gone,
        ~sa.exists().where(
            _ruled.c.article_id == t.verdict.c.article_id, _ruled.c.story_id == _into
        ),
    )
    .values(story_id=_into),
    sa.delete(t.verdict).where(t.verdict.c.story_id == _gone),
    sa.delete(t.verdict).where(
        t.verdict.c.story_id == _into,
        ~t.verdict.c.belongs,
        t.verdict.c.article_id.in_(sa.select(t.article.c.id).where(t.article.c.story_id == _into)),
    ),
    # what the one waits for, the other may have: whoever merges looks again
    sa.update(t.hold)
    .where(
        t.hold.c.story_id == _gone,
        ~sa.exists().where(_held.c.story_id == _into, _held.c.watch_id == t.hold.c.watch_id),
    )
    .values(story_id=_into),
    sa.delete(t.hold).where(t.hold.c.story_id == _gone),
    # a message that is shown, or may be, goes before a row that is not, and what waits before what
    # was given up; of two that are shown, one becomes a pointer
    sa.delete(t.delivery).where(
        _of_into,
        _unshown,
        _is_where(
            _gone,
            sa.or_(_other.c.sent_ref.is_not(None), _other.c.state == DeliveryState.SENDING),
        ),
    ),
    sa.delete(t.delivery).where(
        _of_into,
        t.delivery.c.state.in_(GIVEN_UP),
        _is_where(_gone, _other.c.state.not_in(GIVEN_UP)),
    ),
    sa.update(t.delivery).where(_of_gone, ~_is_where(_into)).values(story_id=_into),
    sa.delete(t.delivery).where(_of_gone, _unshown),
)


class VerdictWork(Work):
    """The part of `ports.Transaction` about what people decide."""

    def rule(
        self, article: ArticleId, story: StoryId, *, belongs: bool, by: str, now: datetime
    ) -> None:
        """See `ports.Transaction`."""
        self._on(
            SET_VERDICT,
            {
                "article_id": article,
                "story_id": story,
                "belongs": belongs,
                "decided_at": now,
                "by": by,
            },
        )

    def ruled_apart(self, one: StoryId, other: StoryId) -> bool:
        """See `ports.Transaction`."""
        return bool(self._run(RULED_APART, {"gone": one, "into": other}).scalar_one())

    def is_shown(self, story: StoryId) -> bool:
        """See `ports.Transaction`."""
        return bool(self._run(IS_SHOWN, {"story": story}).scalar_one())

    def merge_stories(
        self, gone: StoryId, into: StoryId, *, now: datetime, by: str | None = None
    ) -> Collection[str]:
        """See `ports.Transaction`."""
        values = {"gone": gone, "into": into, "now": now, "who": by}
        for statement in MERGE:
            self._run(statement, values)
        touch_stories(self, into)
        return {
            channel
            for story in (gone, into)
            for channel in self._run(REFRESH, {"story": story, "by": now}).scalars()
        }
