"""What began for a watch, and when: the counts that spikes are judged by.

A story begins for a watch when the first of its articles that is fresh was first seen: one that its
publisher dates within the hour before, or does not date while the feed was already watched. What
comes later is no news of this hour, and after the service was away it would all be of one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from monitor.model import StoryId
from monitor.ports import Beginning, Beginnings, spike_subject
from monitor.storage import tables as t
from monitor.storage.work import Work, for_each

FRESH: Final = timedelta(hours=1)
"""How old an article may be when it is first seen, to be news of that hour."""

NEW: Final = timedelta(days=1)
"""The same, to be a mention of that day: what a new feed lists at first is none."""

_TIME = t.article.c.first_seen_at.type
_SINCE = sa.bindparam("since", type_=_TIME)
_UNTIL = sa.bindparam("until", type_=_TIME)


def seconds(at: sa.ColumnElement[Any], dialect: str) -> sa.ColumnElement[int]:
    """Whole seconds since 1970."""
    if dialect == "sqlite":
        return sa.cast(sa.func.strftime("%s", at, type_=sa.Text()), sa.Integer)
    return sa.cast(sa.func.floor(sa.extract("epoch", at)), sa.BigInteger)


def _quarter(at: sa.ColumnElement[Any], dialect: str) -> sa.Label[int]:
    """Quarters of an hour since 1970."""
    return seconds(at, dialect).op("/")(sa.literal_column("900")).label("quarter")


def is_fresh(article: Any, dialect: str, within: timedelta = FRESH) -> sa.ColumnElement[bool]:
    """Whether an article was news when it was seen first."""
    age = seconds(article.c.first_seen_at, dialect) - seconds(article.c.published_at, dialect)
    listed = (
        sa.exists()
        .where(t.entry.c.article_id == article.c.id, ~t.entry.c.backlog)
        .correlate(article)
    )
    return sa.or_(
        age <= int(within.total_seconds()), sa.and_(article.c.published_at.is_(None), listed)
    )


def _lately(dialect: str) -> sa.Executable:
    """The fresh articles since `:since` in which `:watches` found something, in stories in which
    they had found nothing before.
    """
    before, found = t.article.alias("before"), t.hit.alias("found")
    root, feed = t.article.alias("root"), t.feed.alias("root_feed")
    known = (
        sa.exists()
        .where(
            before.c.story_id == t.article.c.story_id,
            before.c.first_seen_at < _SINCE,
            found.c.article_id == before.c.id,
            found.c.watch_id == t.hit.c.watch_id,
            is_fresh(before, dialect),
        )
        .correlate(t.article, t.hit)
    )
    return (
        sa.select(
            t.watch.c.name.label("watch"),
            t.article.c.story_id,
            t.article.c.first_seen_at,
            t.article.c.title,
            sa.case((t.article.c.link.is_not(None), t.article.c.url)).label("url"),
            root.c.agency,
            feed.c.publisher,
        )
        .select_from(t.watch)
        .join(t.hit, t.hit.c.watch_id == t.watch.c.id)
        .join(t.article, t.article.c.id == t.hit.c.article_id)
        .join(root, root.c.id == sa.func.coalesce(t.article.c.copy_of, t.article.c.id))
        .join(feed, feed.c.id == root.c.feed_id)
        .where(
            t.watch.c.name.in_(sa.bindparam("watches", expanding=True)),
            t.hit.c.matched_at >= _SINCE,  # never before it was seen: what the index can tell
            t.article.c.first_seen_at >= _SINCE,
            t.article.c.story_id.is_not(None),
            is_fresh(t.article, dialect),
            ~known,
        )
        .order_by(t.article.c.first_seen_at, t.article.c.id)
    )


def _by_quarter(dialect: str) -> sa.Executable:
    """How many stories began for `:watch` since `:since`, by quarter of an hour since 1970."""
    began = (
        sa.select(sa.func.min(t.article.c.first_seen_at, type_=_TIME).label("at"))
        .select_from(t.hit)
        .join(t.article, t.article.c.id == t.hit.c.article_id)
        .where(
            t.hit.c.watch_id == sa.bindparam("watch"),
            t.hit.c.matched_at >= _SINCE,
            t.article.c.first_seen_at >= _SINCE,
            t.article.c.story_id.is_not(None),
            is_fresh(t.article, dialect),
        )
        .group_by(t.article.c.story_id)
        .subquery("began")
    )
    quarter = _quarter(began.c.at, dialect)
    return sa.select(quarter, sa.func.count().label("stories")).group_by(quarter)


def _mentions(dialect: str) -> sa.Executable:
    """In how many articles `:watches` found something since `:since`, by quarter likewise."""
    quarter = _quarter(t.article.c.first_seen_at, dialect)
    return (
        sa.select(quarter, sa.func.count(t.article.c.id.distinct()).label("articles"))
        .select_from(t.watch)
        .join(t.hit, t.hit.c.watch_id == t.watch.c.id)
        .join(t.article, t.article.c.id == t.hit.c.article_id)
        .where(
            t.watch.c.name.in_(sa.bindparam("watches", expanding=True)),
            t.hit.c.matched_at >= _SINCE,
            t.article.c.first_seen_at >= _SINCE,
            is_fresh(t.article, dialect, NEW),
        )
        .group_by(quarter)
    )


LATELY = for_each(_lately)
MENTIONS = for_each(_mentions)
BY_QUARTER = for_each(_by_quarter)
WATCH = sa.select(t.watch.c.id, t.watch.c.created_at).where(t.watch.c.name == sa.bindparam("watch"))
WAS_READ = (
    sa.select(t.article.c.id)
    .where(
        t.article.c.ingested_at.is_not(None),
        t.article.c.first_seen_at >= _SINCE,
        t.article.c.first_seen_at < _UNTIL,
    )
    .limit(1)
)
LAST_TOLD = sa.select(sa.func.max(t.notice.c.created_at, type_=_TIME)).where(
    t.notice.c.channel == sa.bindparam("channel"),
    # a range that the index knows, in whatever order the database has its texts …
    t.notice.c.subject >= sa.bindparam("first", type_=sa.Text()),
    t.notice.c.subject < sa.bindparam("beyond", type_=sa.Text()),
    # … in which others may be, too
    sa.func.substr(t.notice.c.subject, 1, sa.bindparam("skip", type_=sa.Integer()))
    == sa.bindparam("prefix", type_=sa.Text()),
    sa.func.length(t.notice.c.subject) == sa.bindparam("length", type_=sa.Integer()),
)


class SpikeWork(Work):
    """The part of `ports.Transaction` about what began for watches."""

    def begun_since(self, watches: Collection[str], since: datetime) -> Sequence[Beginning]:
        """See `ports.Transaction`."""
        if not watches:
            return ()
        rows = self._on(LATELY, {"watches": sorted(watches), "since": since})
        return [
            Beginning(
                watch=row.watch,
                story=StoryId(row.story_id),
                at=row.first_seen_at,
                voice=row.agency or row.publisher,
                title=row.title or "",
                url=row.url,
            )
            for row in rows
        ]

    def beginnings(self, watch: str, since: datetime) -> Beginnings:
        """See `ports.Transaction`."""
        known = self._run(WATCH, {"watch": watch}).one_or_none()
        if known is None:
            return Beginnings(by_quarter={}, declared_at=None)
        rows = self._on(BY_QUARTER, {"watch": known.id, "since": since})
        return Beginnings(
            by_quarter={row.quarter: row.stories for row in rows}, declared_at=known.created_at
        )

    def mentions(self, watches: Collection[str], since: datetime) -> Mapping[int, int]:
        """See `ports.Transaction`."""
        rows = self._on(MENTIONS, {"watches": sorted(watches), "since": since})
        return {row.quarter: row.articles for row in rows}

    def was_read(self, hours: Collection[tuple[datetime, datetime]]) -> Sequence[bool]:
        """See `ports.Transaction`. One look at an index for each."""
        return [
            self._run(WAS_READ, {"since": since, "until": until}).first() is not None
            for since, until in hours
        ]

    def spike_told_at(self, channel: str, watch: str) -> datetime | None:
        """See `ports.Transaction`. `spike_subject` is what is looked for."""
        prefix = spike_subject(watch, None)
        found = self._run(
            LAST_TOLD,
            {
                "channel": channel,
                "prefix": prefix,
                "skip": len(prefix),
                "first": f"{prefix}2",  # years begin so
                "beyond": f"{prefix}3",
                "length": len(prefix) + len("2025-05-10T12:00Z"),
            },
        ).scalar_one()
        assert found is None or isinstance(found, datetime)
        return found
