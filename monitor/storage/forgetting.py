"""What nothing asks for any more is deleted, a little at a time.

The archive stays, and so does what each story's message is: of these there is one, for ever. What
goes is what copies and events are looked up by, which nothing that is older than the windows of
`monitor.stories` is asked for; and what was said beside the messages of stories, once it is certain
that its subject is never told again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from monitor.model import DeliveryState, Health
from monitor.storage import tables as t
from monitor.storage.families import day_of
from monitor.storage.outbox import GIVEN_UP
from monitor.storage.work import Work

STEP: Final = 20_000
"""Rows of keys deleted at once: 30 ms, for which others wait."""

FINGERPRINTS: Final = 1_000
"""Fingerprints deleted at once."""

SLICES: Final = 24 * 60
"""Parts that the terms of stories are looked through in: one a minute, and so all once a day."""

NOTICES: Final = 1_000
"""Notices deleted at once."""

TOLD: Final = timedelta(days=90)
"""How long what was said is kept at least: the longest rest after a spike is thirty days."""

DEEDS: Final = timedelta(days=365)
"""How long it is kept who did what."""

OUTCOMES: Final = timedelta(days=90)
"""How long it is kept what became of a message each time."""

_TERMS: Final = 1 << 32

_key = t.article_key.c
_place = sa.tuple_(_key.day, _key.key, _key.article_id)
_days = _key.day < sa.bindparam("day", type_=sa.Integer())
STEP_ENDS = (
    sa.select(_key.day, _key.key, _key.article_id)
    .where(_days)
    .order_by(_key.day, _key.key, _key.article_id)
    .limit(1)
    .offset(sa.bindparam("step", type_=sa.Integer(), literal_execute=True))
)
ALL_OLD_KEYS = sa.delete(t.article_key).where(_days)
SOME_OLD_KEYS = sa.delete(t.article_key).where(
    _place
    < sa.tuple_(
        sa.bindparam("to_day", type_=sa.Integer()),
        sa.bindparam("to_key", type_=sa.Integer()),
        sa.bindparam("to_article", type_=sa.BigInteger()),
    )
)
OLDEST_KEPT = (
    # a hundred: ids follow the time of arrival but for articles that were merged
    sa.select(t.article.c.id, t.article.c.story_id)
    .where(
        t.article.c.ingested_at.is_not(None),
        t.article.c.first_seen_at >= sa.bindparam("before", type_=t.article.c.first_seen_at.type),
    )
    .order_by(t.article.c.first_seen_at, t.article.c.id)
    .limit(100)
)
OLD_FINGERPRINTS = sa.delete(t.fingerprint).where(
    t.fingerprint.c.article_id.in_(
        sa.select(t.fingerprint.c.article_id)
        .where(t.fingerprint.c.article_id < sa.bindparam("article"))
        .order_by(t.fingerprint.c.article_id)
        .limit(sa.bindparam("step", type_=sa.Integer(), literal_execute=True))
    )
)
OLD_TERMS = sa.delete(t.story_term).where(
    t.story_term.c.term >= sa.bindparam("first", type_=sa.BigInteger()),
    t.story_term.c.term < sa.bindparam("last", type_=sa.BigInteger()),
    t.story_term.c.story_id < sa.bindparam("story", type_=sa.BigInteger()),
)
OLD_REPORTS = sa.delete(t.report_term).where(
    t.report_term.c.day < sa.bindparam("day", type_=sa.Integer())
)

_TIME = t.notice.c.created_at.type
_before = sa.bindparam("before", type_=_TIME)
_subject = t.notice.c.subject
_URL_IN_SUBJECT: Final = 300  # characters: what is longer goes on with a hash
_url = sa.func.substr(t.feed.c.url, 1, _URL_IN_SUBJECT)
_is_of_ill_feed = sa.and_(
    _subject.startswith("feed:"),
    sa.exists().where(
        t.feed.c.health.in_([each for each in Health if each.is_trouble] + [Health.RECOVERED]),
        sa.func.substr(_subject, len("feed:") + 1, sa.func.length(_url)) == _url,
    ),
)
_is_of_live_story = sa.exists().where(
    t.article.c.story_id == t.notice.c.story_id,
    sa.or_(t.article.c.first_seen_at >= _before, t.article.c.due_at.is_not(None)),
)


def _is_last_about(prefix: str) -> sa.ColumnElement[bool]:
    later = t.notice.alias(f"later_about_{prefix}")
    return sa.and_(
        _subject.startswith(f"{prefix}:"),
        ~sa.exists().where(
            later.c.channel == t.notice.c.channel,
            later.c.id > t.notice.c.id,
            later.c.subject.startswith(f"{prefix}:"),
        ),
    )


GOES_ON: Final = ("feeds", "config", "slack", "watches")
"""What the last message about each of these says may be true still, and be edited."""

OLD_NOTICES = sa.delete(t.notice).where(
    t.notice.c.id.in_(
        sa.select(t.notice.c.id)
        .where(
            t.notice.c.state.in_((DeliveryState.SENT, *GIVEN_UP)),
            t.notice.c.due_at.is_(None),
            t.notice.c.created_at < _before,
            ~_is_of_live_story,
            ~_is_of_ill_feed,
            *(~_is_last_about(prefix) for prefix in GOES_ON),
        )
        .order_by(t.notice.c.created_at)
        .limit(sa.bindparam("step", type_=sa.Integer(), literal_execute=True))
    )
)
OLD_DEEDS = sa.delete(t.audit).where(t.audit.c.at < sa.bindparam("before", type_=t.audit.c.at.type))
OLD_OUTCOMES = sa.delete(t.outcome).where(
    t.outcome.c.id.in_(
        sa.select(t.outcome.c.id)
        .where(t.outcome.c.at < sa.bindparam("before", type_=t.outcome.c.at.type))
        .order_by(t.outcome.c.at)
        .limit(sa.bindparam("step", type_=sa.Integer(), literal_execute=True))
    )
)
OLD_SNOOZES = sa.delete(t.snooze).where(
    t.snooze.c.until < sa.bindparam("before", type_=t.snooze.c.until.type)
)


class ForgetWork(Work):
    """The part of `ports.Transaction` about what is forgotten."""

    def forget(self, before: datetime, now: datetime) -> int:
        """See `ports.Transaction`. Which terms are looked through goes by the minute of `now`."""
        forgotten = self._forget_keys(day_of(before))
        forgotten += self._run(OLD_REPORTS, {"day": day_of(before)}).rowcount
        kept = self._run(OLDEST_KEPT, {"before": before}).all()
        if not kept:
            return forgotten
        article = min(row.id for row in kept)
        values = {"article": article, "step": FINGERPRINTS}
        forgotten += self._run(OLD_FINGERPRINTS, values).rowcount
        stories = [row.story_id for row in kept if row.story_id is not None]
        if stories:
            part = int(now.timestamp() / 60) % SLICES
            first, last = (_TERMS * edge // SLICES for edge in (part, part + 1))
            values = {"first": first, "last": last, "story": min(stories)}
            forgotten += self._run(OLD_TERMS, values).rowcount
        return forgotten

    def forget_told(self, now: datetime) -> int:
        """See `ports.Transaction`.

        A notice goes when all of this is true; then nothing tells its subject again, or edits it:

        - it was told ninety days ago (`TOLD`), was shown or given up, and is not due;
        - if it is a reply, its story got no article in that time, and none of its articles is to be
          read again: only what comes to a story, or changes in it, is told in its thread;
        - if it is about a feed, that feed is well, and was for a day;
        - it is not the last one that its channel was told about many feeds, about the
          configuration, about Slack or about watches that are too broad (`GOES_ON`).

        All other subjects name the moment that they are about. Judgements stay as long as the
        deliveries they are about: they are what a watch's precision is measured by.
        """
        gone = self._run(OLD_NOTICES, {"before": now - TOLD, "step": NOTICES}).rowcount
        gone += self._run(OLD_SNOOZES, {"before": now}).rowcount
        gone += self._run(OLD_OUTCOMES, {"before": now - OUTCOMES, "step": NOTICES}).rowcount
        return gone + self._run(OLD_DEEDS, {"before": now - DEEDS}).rowcount

    def _forget_keys(self, day: int) -> int:
        end = self._run(STEP_ENDS, {"day": day, "step": STEP}).one_or_none()
        if end is None:
            return self._run(ALL_OLD_KEYS, {"day": day}).rowcount
        values = {"to_day": end.day, "to_key": end.key, "to_article": end.article_id}
        return self._run(SOME_OLD_KEYS, values).rowcount
