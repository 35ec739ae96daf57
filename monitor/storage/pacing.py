"""What waits for a channel, and what is told of several stories together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from monitor.model import DeliveryId, DeliveryState, StoryId
from monitor.ports import Brief, DueDigest, Finding, Summary, Waiting
from monitor.storage import outbox
from monitor.storage import tables as t
from monitor.storage.leads import leads
from monitor.storage.work import Work, insert_missing

TIME = t.delivery.c.due_at.type
MINUTE = timedelta(minutes=1)
_channel = sa.bindparam("in_channel", type_=sa.Text())
_rows = t.delivery.c.id.in_(sa.bindparam("rows", expanding=True))
_sleeps = t.delivery.c.state.in_((DeliveryState.HELD, DeliveryState.FOLDED))
# what a running call ends as is not ours to say
_is_idle = sa.or_(_sleeps, t.delivery.c.state.in_((DeliveryState.PENDING, DeliveryState.RETRY)))

WAITING: sa.Select[Any] = (
    sa.select(
        t.delivery.c.id,
        t.delivery.c.story_id,
        t.delivery.c.state,
        t.delivery.c.created_at,
        t.delivery.c.held_until,
        t.delivery.c.told_in,
    )
    .where(outbox.due_in_channel(t.delivery), _is_idle, t.delivery.c.sent_ref.is_(None))
    .order_by(t.delivery.c.created_at, t.delivery.c.story_id)
    .with_for_update(skip_locked=True)
)
WANTED: sa.Select[Any] = (
    sa.select(t.delivery.c.created_at, t.delivery.c.story_id)
    .where(
        t.delivery.c.state.in_([state for state in DeliveryState if state != DeliveryState.HELD]),
        t.delivery.c.channel == _channel,
        t.delivery.c.created_at > sa.bindparam("after", type_=TIME),
        t.delivery.c.created_at <= sa.bindparam("until", type_=TIME),
    )
    .order_by(t.delivery.c.created_at, t.delivery.c.story_id)
)
HOLD = (
    sa.update(t.delivery)
    .where(_rows, _is_idle)
    .values(
        state=DeliveryState.HELD,
        due_at=sa.bindparam("until", type_=TIME),
        held_until=sa.bindparam("until", type_=TIME),
        error=sa.bindparam("why"),
    )
)
FOLD = (
    sa.update(t.delivery)
    .where(_rows, _is_idle)
    .values(
        state=DeliveryState.FOLDED,
        due_at=None,
        held_until=None,
        error=None,
        told_in=sa.func.coalesce(sa.bindparam("of", type_=sa.Text()), t.delivery.c.told_in),
    )
)
SHOW = (
    sa.update(t.delivery)
    .where(_rows, _sleeps)
    .values(
        state=DeliveryState.PENDING,
        due_at=sa.bindparam("now", type_=TIME),
        held_until=None,
        error=None,
    )
)
HELD: sa.Select[Any] = sa.select(t.delivery.c.id, t.delivery.c.story_id).where(
    t.delivery.c.state == DeliveryState.HELD,
    t.delivery.c.channel == _channel,
    t.delivery.c.held_until.is_(None),  # it may be due: something was added to it
)
WAKE_ALL = (
    sa.update(t.delivery)
    .where(t.delivery.c.state == DeliveryState.HELD)
    .values(due_at=sa.bindparam("now", type_=TIME))
)
ANSWERED: sa.Select[Any] = (
    sa.select(t.delivery.c.id)
    .select_from(t.notice.join(t.delivery, t.delivery.c.story_id == t.notice.c.story_id))
    .where(
        t.delivery.c.state == DeliveryState.FOLDED,
        t.delivery.c.channel == _channel,
        outbox.due_in_channel(t.notice),
        outbox.is_waiting(t.notice),
    )
    .group_by(t.delivery.c.id)
    .order_by(sa.func.min(t.notice.c.id))
    .limit(sa.bindparam("most", type_=sa.Integer()))
)
OPENED: sa.Select[Any] = sa.select(sa.func.count()).where(
    t.delivery.c.channel == _channel,
    t.delivery.c.told_in.is_not(None),
    sa.or_(
        t.delivery.c.state.in_((DeliveryState.PENDING, DeliveryState.RETRY, DeliveryState.SENDING)),
        t.delivery.c.sent_at > sa.bindparam("after", type_=TIME),
    ),
)
LAST_SUMMARY: sa.Select[Any] = (
    sa.select(t.delivery.c.told_in, t.delivery.c.created_at)
    .where(
        t.delivery.c.state == DeliveryState.FOLDED,
        t.delivery.c.channel == _channel,
        t.delivery.c.told_in.startswith(sa.bindparam("kind", type_=sa.Text()), autoescape=False),
        t.delivery.c.created_at > sa.bindparam("after", type_=TIME),
    )
    .order_by(t.delivery.c.created_at.desc(), t.delivery.c.story_id.desc())
    .limit(1)
)
TOLD_IN: sa.Select[Any] = (
    sa.select(t.delivery.c.story_id)
    .where(t.delivery.c.channel == _channel, t.delivery.c.told_in == sa.bindparam("of"))
    .order_by(t.delivery.c.created_at.desc(), t.delivery.c.story_id.desc())
)
WATCHES: sa.Select[Any] = (
    sa.select(t.article.c.story_id, t.watch.c.name)
    .join(t.hit, t.hit.c.article_id == t.article.c.id)
    .join(t.watch, t.watch.c.id == t.hit.c.watch_id)
    .where(t.article.c.story_id.in_(sa.bindparam("stories", expanding=True)))
    .distinct()
)
PUBLISHERS: sa.Select[Any] = (
    sa.select(t.article.c.story_id, t.entry.c.article_id, t.feed.c.publisher)
    .join(t.article, t.article.c.id == t.entry.c.article_id)
    .join(t.feed, t.feed.c.id == t.entry.c.feed_id)
    .where(t.article.c.story_id.in_(sa.bindparam("stories", expanding=True)))
    .order_by(t.entry.c.first_seen_at, t.entry.c.id)
)
FINDINGS: sa.Select[Any] = (
    sa.select(
        t.watch.c.name,
        t.delivery.c.story_id,
        sa.func.count(t.article.c.id.distinct()).label("articles"),
    )
    .join(t.hit, t.hit.c.watch_id == t.watch.c.id)
    .join(t.article, t.article.c.id == t.hit.c.article_id)
    .join(t.delivery, t.delivery.c.story_id == t.article.c.story_id)
    .where(
        t.watch.c.name.in_(sa.bindparam("watches", expanding=True)),
        t.hit.c.matched_at > sa.bindparam("after", type_=TIME),
        t.hit.c.matched_at <= sa.bindparam("until", type_=TIME),
        t.delivery.c.channel == _channel,
    )
    .group_by(t.watch.c.name, t.delivery.c.story_id)
    .order_by(t.watch.c.name, sa.desc("articles"), t.delivery.c.story_id.desc())
)

ADD_DIGEST = insert_missing(t.digest)
_this_digest = sa.and_(
    t.digest.c.channel == _channel, t.digest.c.schedule == sa.bindparam("of_schedule")
)
DUE_DIGESTS = (
    sa.select(t.digest)
    .where(t.digest.c.channel == _channel, t.digest.c.due_at <= sa.bindparam("now", type_=TIME))
    .order_by(t.digest.c.due_at, t.digest.c.schedule)
    .with_for_update(skip_locked=True)
)
NEXT_DIGEST = (
    sa.update(t.digest)
    .where(_this_digest)
    .values(since=sa.bindparam("now", type_=TIME), due_at=sa.bindparam("by", type_=TIME))
)
DROP_DIGEST = sa.delete(t.digest).where(_this_digest)
DROP_DIGESTS_SINCE = sa.delete(t.digest).where(t.digest.c.since > sa.bindparam("since", type_=TIME))
DUE_DIGEST_CHANNELS = (
    sa.select(t.digest.c.channel)
    .where(t.digest.c.due_at <= sa.bindparam("now", type_=TIME))
    .distinct()
)


class PaceWork(Work):
    """The part of `ports.Transaction` about what is told when, and together with what."""

    def waiting_in(self, channel: str, now: datetime) -> Sequence[Waiting]:
        """See `ports.Transaction`."""
        return [
            Waiting(
                id=DeliveryId(row.id),
                story=StoryId(row.story_id),
                state=DeliveryState(row.state),
                wanted_at=row.created_at,
                held_until=row.held_until,
                told_in=row.told_in,
            )
            for row in self._run(WAITING, {"in_channel": channel, "now": now})
        ]

    def wanted_between(
        self, channel: str, after: datetime, until: datetime
    ) -> Sequence[tuple[datetime, StoryId]]:
        """See `ports.Transaction`."""
        span = {"in_channel": channel, "after": after, "until": until}
        return [(row.created_at, StoryId(row.story_id)) for row in self._run(WANTED, span)]

    def hold_back(
        self, deliveries: Collection[DeliveryId], why: str, until: datetime | None
    ) -> None:
        """See `ports.Transaction`."""
        if deliveries:
            self._run(HOLD, {"rows": [*deliveries], "why": why, "until": until})

    def fold(self, deliveries: Collection[DeliveryId], into: str | None = None) -> None:
        """See `ports.Transaction`."""
        if deliveries:
            self._run(FOLD, {"rows": [*deliveries], "of": into})

    def unhold(self, deliveries: Collection[DeliveryId], now: datetime) -> None:
        """See `ports.Transaction`."""
        if deliveries:
            self._run(SHOW, {"rows": [*deliveries], "now": now})

    def held_without_end(self, channel: str) -> Mapping[StoryId, DeliveryId]:
        """See `ports.Transaction`."""
        rows = self._run(HELD, {"in_channel": channel})
        return {StoryId(row.story_id): DeliveryId(row.id) for row in rows}

    def reconsider_held(self, now: datetime) -> None:
        """See `ports.Transaction`."""
        self._run(WAKE_ALL, {"now": now})

    def open_folded(self, channel: str, now: datetime, most: int) -> None:
        """See `ports.Transaction`."""
        of = {"in_channel": channel, "now": now, "most": most}
        rows = self._run(ANSWERED, of).scalars().all()
        if not rows:
            return
        opened = self._run(OPENED, {"in_channel": channel, "after": now - MINUTE}).scalar_one()
        self.unhold([DeliveryId(row) for row in rows[: max(0, most - opened)]], now)

    def last_summary(self, channel: str, kind: str, after: datetime) -> Summary | None:
        """See `ports.Transaction`."""
        values = {"in_channel": channel, "kind": kind, "after": after}
        row = self._run(LAST_SUMMARY, values).one_or_none()
        if row is None:
            return None
        stories = self.stories_told_in(channel, row.told_in)
        return Summary(subject=row.told_in, last=row.created_at, stories=tuple(stories))

    def stories_told_in(self, channel: str, subject: str) -> Sequence[StoryId]:
        """See `ports.Transaction`."""
        rows = self._run(TOLD_IN, {"in_channel": channel, "of": subject})
        return [StoryId(story) for story in rows.scalars()]

    def watches_of(self, stories: Collection[StoryId]) -> Mapping[StoryId, frozenset[str]]:
        """See `ports.Transaction`."""
        found: dict[StoryId, set[str]] = defaultdict(set)
        if stories:
            for row in self._run(WATCHES, {"stories": [*stories]}):
                found[StoryId(row.story_id)].add(row.name)
        return {story: frozenset(names) for story, names in found.items()}

    def briefs(
        self, stories: Collection[StoryId], max_age: timedelta | None
    ) -> Mapping[StoryId, Brief]:
        """See `ports.Transaction`."""
        if not stories:
            return {}
        asked = {"stories": [*stories]}
        carried: dict[StoryId, dict[str, None]] = defaultdict(dict)
        first: dict[int, str] = {}
        for row in self._run(PUBLISHERS, asked):
            carried[StoryId(row.story_id)].setdefault(row.publisher)
            first.setdefault(row.article_id, row.publisher)
        watches = self.watches_of(stories)
        found: dict[StoryId, Brief] = {}
        for story, lead in leads(self.connection, stories, max_age).items():
            publisher = first.get(lead.article, "")
            found[story] = Brief(
                story=story,
                headline=lead.title,
                url=lead.url,
                publisher=publisher,
                others=len(carried[story].keys() - {publisher}),
                first_seen_at=lead.first_seen_at,
                watches=tuple(sorted(watches.get(story, ()))),
            )
        return found

    def found_for(
        self, channel: str, watches: Collection[str], after: datetime, until: datetime
    ) -> Sequence[Finding]:
        """See `ports.Transaction`."""
        if not watches:
            return []
        span = {"in_channel": channel, "watches": [*watches], "after": after, "until": until}
        return [
            Finding(watch=row.name, story=StoryId(row.story_id), articles=row.articles)
            for row in self._run(FINDINGS, span)
        ]

    # -- digests

    def sync_digests(self, wanted: Mapping[tuple[str, str], datetime], now: datetime) -> None:
        """See `ports.Transaction`."""
        stored = {(row.channel, row.schedule) for row in self._run(sa.select(t.digest))}
        new = [
            {"channel": channel, "schedule": schedule, "since": now, "due_at": due_at}
            for (channel, schedule), due_at in wanted.items()
            if (channel, schedule) not in stored
        ]
        if new:
            self._on(ADD_DIGEST, new)
        for channel, schedule in stored - wanted.keys():
            self._run(DROP_DIGEST, {"in_channel": channel, "of_schedule": schedule})

    def drop_digests_since(self, at: datetime) -> int:
        """See `ports.Transaction`."""
        return self._run(DROP_DIGESTS_SINCE, {"since": at}).rowcount

    def due_digests(self, channel: str, now: datetime) -> Sequence[DueDigest]:
        """See `ports.Transaction`."""
        return [
            DueDigest(schedule=row.schedule, since=row.since, due_at=row.due_at)
            for row in self._run(DUE_DIGESTS, {"in_channel": channel, "now": now})
        ]

    def next_digest(self, channel: str, schedule: str, now: datetime, due_at: datetime) -> None:
        """See `ports.Transaction`."""
        values = {"in_channel": channel, "of_schedule": schedule, "now": now, "by": due_at}
        self._run(NEXT_DIGEST, values)
