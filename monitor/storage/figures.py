"""How much there is of everything: what the page's head, `monitor status` and the gauges tell."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from monitor.model import ArticleState, DeliveryState, Health, SubscriptionState
from monitor.ports import Counts
from monitor.storage import outbox
from monitor.storage import tables as t
from monitor.storage.tallies import count_rows
from monitor.storage.work import is_due

PUSHED = sa.select(sa.func.count(t.subscription.c.feed_id.distinct())).where(
    t.subscription.c.state == SubscriptionState.ACTIVE,
    t.subscription.c.expires_at > sa.bindparam("now", type_=t.subscription.c.expires_at.type),
)
_since = sa.bindparam("since", type_=t.article.c.first_seen_at.type)
NOT_TOLD = sa.select(sa.func.count()).where(
    t.article.c.ingested_at.is_not(None),
    t.article.c.first_seen_at > _since,
    # whatever is found in an article is found after it was seen: all hits that ever were stay unread
    sa.exists().where(
        t.hit.c.article_id == t.article.c.id,
        t.hit.c.matched_at > sa.bindparam("found_since", type_=t.hit.c.matched_at.type),
    ),
    ~sa.exists().where(t.delivery.c.story_id == t.article.c.story_id),
    ~sa.exists().where(t.hold.c.story_id == t.article.c.story_id),
)
"""Articles in which something was found that was no news."""

_CLOCKS = timedelta(hours=1)  # that those of several machines differ by at most

UNCERTAIN = [
    sa.select(sa.func.count())
    .select_from(table)
    .where(table.c.state == DeliveryState.SENDING, table.c.error.is_not(None))
    for table in outbox.TABLES
]


def _by(table: sa.Table, column: sa.Column[Any]) -> sa.Select[Any]:
    return sa.select(
        sa.literal(table.name, sa.Text()).label("name"),
        column.label("state"),
        sa.func.count().label("number"),
    ).group_by(column)


STATES = sa.union_all(
    _by(t.feed, t.feed.c.health).where(t.feed.c.declared),
    *(_by(table, table.c.state) for table in outbox.TABLES),
)
FIGURES = sa.select(
    *(
        each.scalar_subquery().label(name)
        for name, each in {
            "entries": sa.select(sa.func.coalesce(sa.func.sum(t.feed.c.entries), 0)),
            "oldest_waiting_at": outbox.OLDEST_WAITING,
            "due_feeds": sa.select(sa.func.count())
            .select_from(t.feed)
            .where(t.feed.c.declared, is_due(t.feed)),
            "last_poll_at": sa.select(sa.func.max(t.feed.c.polled_at)),
            "stories_held": sa.select(sa.func.count(t.hold.c.story_id.distinct())),
            "not_told": NOT_TOLD,
            "pushed": PUSHED,
            **{
                f"uncertain_{table.name}": each
                for table, each in zip(outbox.TABLES, UNCERTAIN, strict=True)
            },
        }.items()
    )
)


def counts(connection: sa.Connection, now: datetime) -> Counts:
    """What there is at a time."""
    states: dict[str, dict[str, int]] = {}
    for row in connection.execute(STATES):
        states.setdefault(row.name, {})[row.state] = row.number
    rows = count_rows(connection)
    since = now - timedelta(days=1)
    asked = {"now": now, "since": since, "found_since": since - _CLOCKS}
    figures = connection.execute(FIGURES, asked).one()
    deliveries, notices = states.get("delivery", {}), states.get("notice", {})
    return Counts(
        feeds={Health(state): number for state, number in states.get("feed", {}).items()},
        entries=figures.entries,
        articles={ArticleState(state): number for state, number in rows.articles.items()},
        stories=rows.stories,
        hits=rows.hits,
        deliveries={DeliveryState(state): number for state, number in deliveries.items()},
        oldest_waiting_at=figures.oldest_waiting_at,
        due_feeds=figures.due_feeds,
        last_poll_at=figures.last_poll_at,
        stories_held=figures.stories_held,
        not_told=figures.not_told,
        notices={DeliveryState(state): number for state, number in notices.items()},
        pushed=figures.pushed,
        uncertain=figures.uncertain_delivery + figures.uncertain_notice,
    )
