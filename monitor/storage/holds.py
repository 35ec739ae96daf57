"""Stories that wait to be told until they are corroborated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from monitor.model import DeliveryState, StoryId
from monitor.ports import Hold
from monitor.storage import tables as t
from monitor.storage.outbox import GIVEN_UP
from monitor.storage.work import Work, among, insert_missing

_story: sa.BindParameter[int] = sa.bindparam("story")
_watch = sa.select(t.watch.c.id).where(t.watch.c.name == sa.bindparam("name")).scalar_subquery()
ADD_HOLD = insert_missing(
    t.hold,
    source=sa.select(
        sa.bindparam("story", type_=sa.BigInteger()),
        t.watch.c.id,
        sa.bindparam("why", type_=t.hold.c.lacks.type),
        sa.bindparam("now", type_=t.hold.c.since.type),
    ).where(t.watch.c.name == sa.bindparam("name")),
)
SET_HOLD = (
    sa.update(t.hold)
    .where(t.hold.c.story_id == _story, t.hold.c.watch_id == _watch)
    .values(lacks=sa.bindparam("why", type_=t.hold.c.lacks.type))
)
HOLDS = (
    sa.select(t.hold.c.story_id, t.watch.c.name, t.hold.c.lacks, t.hold.c.since)
    .join(t.watch, t.watch.c.id == t.hold.c.watch_id)
    .where(among(t.hold.c.story_id, "stories"))
    .order_by(t.hold.c.since, t.watch.c.name)
)
RELEASE = sa.delete(t.hold).where(t.hold.c.story_id == _story, t.hold.c.watch_id == _watch)
HELD_STORIES = sa.select(t.hold.c.story_id).distinct().order_by(t.hold.c.story_id)
OLD_HOLDS = sa.delete(t.hold).where(
    t.hold.c.since < sa.bindparam("before", type_=t.hold.c.since.type)
)
SHOWN_IN = (
    sa.select(t.delivery.c.channel)
    .where(
        t.delivery.c.story_id == _story,
        sa.or_(t.delivery.c.sent_ref.is_not(None), t.delivery.c.state == DeliveryState.SENDING),
    )
    .order_by(t.delivery.c.channel)
)
LISTED_IN = (
    sa.select(t.delivery.c.channel)
    .where(
        t.delivery.c.story_id == _story,
        t.delivery.c.state == DeliveryState.FOLDED,
        t.delivery.c.sent_ref.is_(None),
        # who wants a digest alone is told by the next one
        sa.or_(
            t.delivery.c.told_in.not_like("digest:%"),
            t.delivery.c.told_in.like("digest:quiet:%"),
            t.delivery.c.told_in.like("digest:snooze:%"),
        ),
    )
    .order_by(t.delivery.c.channel)
)
WANTED_IN = (
    sa.select(t.delivery.c.channel)
    .where(t.delivery.c.story_id == _story, t.delivery.c.state.not_in(GIVEN_UP))
    .order_by(t.delivery.c.channel)
)
REPLIES = (
    sa.select(t.notice.c.subject)
    .where(
        t.notice.c.story_id == _story,
        t.notice.c.channel == sa.bindparam("in_channel"),
        t.notice.c.created_at > sa.bindparam("after", type_=t.notice.c.created_at.type),
    )
    .order_by(t.notice.c.id)
)


def holds_of(connection: sa.Connection, stories: Sequence[int]) -> Mapping[int, tuple[Hold, ...]]:
    """For which watches each of these stories waits, the longest first."""
    held: dict[int, tuple[Hold, ...]] = {}
    for row in connection.execute(HOLDS, {"stories": stories}):
        hold = Hold(watch=row.name, lacks=row.lacks, since=row.since)
        held[row.story_id] = (*held.get(row.story_id, ()), hold)
    return held


class HoldWork(Work):
    """The part of `ports.Transaction` about stories that wait, and about what stands under others."""

    def hold(self, story: StoryId, watch: str, lacks: str, now: datetime) -> None:
        """See `ports.Transaction`."""
        values = {"story": story, "name": watch, "why": lacks, "now": now}
        self._on(ADD_HOLD, values)
        self._run(SET_HOLD, {"story": story, "name": watch, "why": lacks})

    def holds(self, story: StoryId) -> Mapping[str, Hold]:
        """See `ports.Transaction`."""
        return {hold.watch: hold for hold in holds_of(self.connection, [story]).get(story, ())}

    def release(self, story: StoryId, watch: str) -> None:
        """See `ports.Transaction`."""
        self._run(RELEASE, {"story": story, "name": watch})

    def held_stories(self) -> Sequence[StoryId]:
        """See `ports.Transaction`."""
        return [StoryId(story) for story in self._run(HELD_STORIES).scalars()]

    def forget_holds(self, now: datetime, kept: timedelta) -> int:
        """See `ports.Transaction`."""
        return self._run(OLD_HOLDS, {"before": now - kept}).rowcount

    def shown_in(self, story: StoryId) -> Sequence[str]:
        """See `ports.Transaction`."""
        return [*self._run(SHOWN_IN, {"story": story}).scalars()]

    def listed_in(self, story: StoryId) -> Sequence[str]:
        """See `ports.Transaction`."""
        return [*self._run(LISTED_IN, {"story": story}).scalars()]

    def wanted_in(self, story: StoryId) -> Sequence[str]:
        """See `ports.Transaction`."""
        return [*self._run(WANTED_IN, {"story": story}).scalars()]

    def replies(self, story: StoryId, channel: str, since: datetime) -> Sequence[str]:
        """See `ports.Transaction`."""
        values = {"story": story, "in_channel": channel, "after": since}
        return [*self._run(REPLIES, values).scalars()]
