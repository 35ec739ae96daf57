"""What is kept of how feeds did: events, tallies of delays, and who was first with a story."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from monitor.model import DueBy, FeedEvent, FeedId
from monitor.polling import delays, week
from monitor.ports import Asked
from monitor.storage import tables as t
from monitor.storage.work import Pair, Row, Work, insert_missing
from monitor.stories import firsts

EVENTS: Final = 100
"""Events that are kept of a feed."""
EVENTS_FOR: Final = timedelta(days=90)
DAYS: Final = 28
"""How many days delays are kept for."""
WEEKS: Final = 4
"""How many weeks before this one it is kept for who was first."""
STORIES: Final = 1_000
"""Stories whose places are counted at once: some 20 ms."""

_COUNTED: Final = "places_counted_to"
"""Under this key of `monitor`: the last story whose places were counted."""

_feed = sa.bindparam("feed", type_=t.feed_event.c.feed_id.type)
LAST_EVENT = (
    sa.select(t.feed_event.c.id, t.feed_event.c.until, t.feed_event.c.detail)
    .where(t.feed_event.c.feed_id == _feed, t.feed_event.c.kind == sa.bindparam("of_kind"))
    .order_by(t.feed_event.c.id.desc())
    .limit(1)
)
EXTEND = (
    sa.update(t.feed_event)
    .where(t.feed_event.c.id == sa.bindparam("event"))
    .values(
        until=sa.bindparam("new_until"),
        detail=sa.bindparam("new_detail"),
        count=t.feed_event.c.count + 1,
    )
)
TRIM = sa.delete(t.feed_event).where(
    t.feed_event.c.feed_id == _feed,
    t.feed_event.c.id
    <= sa.select(t.feed_event.c.id)
    .where(t.feed_event.c.feed_id == _feed)
    .order_by(t.feed_event.c.id.desc())
    .limit(1)
    .offset(EVENTS)
    .scalar_subquery(),
)
OLD_EVENTS = sa.delete(t.feed_event).where(
    t.feed_event.c.until < sa.bindparam("before", type_=t.feed_event.c.until.type)
)
OLD_TALLIES = sa.delete(t.feed_tally).where(t.feed_tally.c.day < sa.bindparam("day"))
OLD_PLACES = sa.delete(t.publisher_tally).where(t.publisher_tally.c.week < sa.bindparam("week"))


def _adding(table: sa.Table, column: str) -> Pair:
    """INSERT, or add to the number that is there."""
    pair: dict[str, sa.Executable] = {}
    for dialect in (sqlite, postgresql):
        statement = dialect.insert(table)
        pair[dialect.__name__.rpartition(".")[2]] = statement.on_conflict_do_update(
            index_elements=list(table.primary_key.columns),
            set_={column: table.c[column] + statement.excluded[column]},
        )
    return pair


ADD_DELAYS = _adding(t.feed_tally, "entries")
ADD_HOURS = _adding(t.feed_week, "weight")
ADD_PLACES = _adding(t.publisher_tally, "stories")

STORIES_AFTER = (
    sa.select(t.story.c.id, t.story.c.created_at, t.story.c.merged_into)
    .where(t.story.c.id > sa.bindparam("story", type_=t.story.c.id.type))
    .order_by(t.story.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer(), literal_execute=True))
)
FIRST_STORY = (
    # the first article of the time that is looked at; ids of stories follow the time
    sa.select(t.article.c.story_id)
    .where(
        t.article.c.ingested_at.is_not(None),
        t.article.c.story_id.is_not(None),
        t.article.c.first_seen_at >= sa.bindparam("since", type_=t.article.c.first_seen_at.type),
    )
    .order_by(t.article.c.first_seen_at, t.article.c.id)
    .limit(1)
)
SIGHTS = (
    sa.select(
        t.article.c.story_id,
        t.feed.c.publisher,
        t.entry.c.published_at,
        t.entry.c.first_seen_at,
        t.entry.c.backlog,
    )
    .join(t.entry, t.entry.c.article_id == t.article.c.id)
    .join(t.feed, t.feed.c.id == t.entry.c.feed_id)
    .where(t.article.c.story_id.in_(sa.bindparam("stories", expanding=True)))
)
COUNTED = sa.select(t.monitor.c.value).where(t.monitor.c.key == _COUNTED).with_for_update()
"""Of several processes one counts at a time, and the next goes on from there."""
BEGIN_COUNTING = insert_missing(t.monitor)
KEEP_COUNTED = (
    sa.update(t.monitor)
    .where(t.monitor.c.key == _COUNTED)
    .values(value=sa.bindparam("story", type_=sa.Text()))
)

ASKED = (
    sa.select(
        t.feed.c.id,
        t.feed.c.name,
        t.feed.c.url,
        t.feed.c.bucket,
        t.feed.c.due_at,
        t.feed.c.due_by,
        t.feed.c.lease_until,
        t.feed.c.polled_at,
    )
    .where(t.feed.c.declared)
    .order_by(t.feed.c.id)
)
HASTEN = (
    sa.update(t.feed)
    .where(t.feed.c.id == sa.bindparam("feed"))
    .values(due_at=sa.bindparam("new_due_at"), due_by=DueBy.HAND)
)


class FeedHistoryWork(Work):
    """The part of `ports.Transaction` about how feeds did."""

    def note_feed_events(self, feed: FeedId, events: Sequence[FeedEvent]) -> None:
        """Remember what happened to a feed: with what it was before, if it is the same."""
        for each in events:
            last = self._same(feed, each)
            if last is not None:
                values = {"event": last, "new_until": each.at, "new_detail": each.detail}
                self._run(EXTEND, values)
                continue
            self._run(
                sa.insert(t.feed_event),
                {
                    "feed_id": feed,
                    "kind": each.kind,
                    "at": each.at,
                    "until": each.until or each.at,
                    "detail": each.detail,
                    "count": each.count,
                },
            )
            self._run(TRIM, {"feed": feed})

    def _same(self, feed: FeedId, event: FeedEvent) -> int | None:
        """The row that this is a repetition of."""
        if event.same_since is None:
            return None
        row = self._run(LAST_EVENT, {"feed": feed, "of_kind": event.kind}).first()
        if row is None or row.until < event.same_since or _code(row.detail) != _code(event.detail):
            return None
        found: int = row.id
        return found

    def tally(self, found: Iterable[tuple[int, datetime | None, datetime]]) -> None:
        """Count new entries: of which feed, by when they were published and when they were seen."""
        slots: Counter[tuple[int, int, int]] = Counter()
        hours: dict[tuple[int, int], float] = {}
        for feed, published, seen in found:
            delay = None if published is None else seen - published
            slot = delays.slot_of(delay)
            slots[day_of(seen), feed, slot] += 1
            at = published if published is not None and slot != delays.UNKNOWN else seen
            hour = feed, week.hour_of(at)
            hours[hour] = hours.get(hour, 0.0) + week.weight(at)
        if not slots:
            return
        self._on(
            ADD_DELAYS,
            [
                {"day": day, "feed_id": feed, "slot": slot, "entries": count}
                for (day, feed, slot), count in sorted(slots.items())
            ],
        )
        self._on(
            ADD_HOURS,
            [
                {"feed_id": feed, "hour": hour, "weight": weight}
                for (feed, hour), weight in sorted(hours.items())
            ],
        )

    def forget_feed_history(self, now: datetime) -> int:
        """See `ports.Transaction`."""
        gone = self._run(OLD_EVENTS, {"before": now - EVENTS_FOR}).rowcount
        gone += self._run(OLD_TALLIES, {"day": day_of(now) - DAYS}).rowcount
        return gone + self._run(OLD_PLACES, {"week": week_of(now) - WEEKS}).rowcount

    def count_places(self, now: datetime) -> int:
        """See `ports.Transaction`."""
        before = self._run(COUNTED).scalar()
        if before is None:
            first = str(self._first_story(now))
            self._on(BEGIN_COUNTING, {"key": _COUNTED, "value": first})
            return 0
        settled: list[Row] = []
        for row in self._run(STORIES_AFTER, {"story": int(before), "limit": STORIES}).all():
            if row.created_at > now - firsts.SETTLED:
                break  # in turn: a story that is too young holds up those after it
            settled.append(row)
        if not settled:
            return 0
        created = {row.id: row.created_at for row in settled if row.merged_into is None}
        sights: dict[int, list[firsts.Sight]] = {}
        for row in self._run(SIGHTS, {"stories": sorted(created)}) if created else ():
            sights.setdefault(row.story_id, []).append(
                firsts.Sight(
                    publisher=row.publisher,
                    published_at=row.published_at,
                    first_seen_at=row.first_seen_at,
                    backlog=row.backlog,
                )
            )
        counted: Counter[tuple[int, str, bool, int]] = Counter()
        for story, seen in sights.items():
            for place in firsts.race(seen):
                slot = delays.slot_of(min(place.by, delays.LONGEST))
                counted[week_of(created[story]), place.publisher, place.first, slot] += 1
        if counted:
            self._on(
                ADD_PLACES,
                [
                    {"week": at, "publisher": name, "first": first, "slot": slot, "stories": count}
                    for (at, name, first, slot), count in sorted(counted.items())
                ],
            )
        self._run(KEEP_COUNTED, {"story": str(settled[-1].id)})
        return len(settled)

    def _first_story(self, now: datetime) -> int:
        """The story before the first that is counted, where none was yet."""
        first = self._run(FIRST_STORY, {"since": now - timedelta(weeks=WEEKS)}).scalar()
        if first is not None:
            return int(first) - 1
        last = self._run(sa.select(sa.func.max(t.story.c.id))).scalar()
        return int(last or 0)

    def feeds_to_ask(self) -> Sequence[Asked]:
        """See `ports.Transaction`."""
        return [
            Asked(
                id=FeedId(row.id),
                name=row.name,
                url=row.url,
                bucket=row.bucket,
                due_at=row.due_at,
                due_by=None if row.due_by is None else DueBy(row.due_by),
                lease_until=row.lease_until,
                polled_at=row.polled_at,
            )
            for row in self._run(ASKED)
        ]

    def ask_feeds(self, feeds: Mapping[FeedId, datetime]) -> None:
        """See `ports.Transaction`."""
        if feeds:
            rows = [{"feed": feed, "new_due_at": at} for feed, at in sorted(feeds.items())]
            self._run(HASTEN, rows)


def day_of(at: datetime) -> int:
    """Days since 1970."""
    return int(at.timestamp() // 86_400)


def week_of(at: datetime) -> int:
    """Weeks since 1970."""
    return day_of(at) // 7


def _code(detail: str) -> str:
    return detail.partition(":")[0]
