"""Mentions: kept counts of the articles in which watches found something, for charts.

An article is a mention of a watch that found something in it, in the hour in which it was first
seen, if it was news then: what its publisher dates more than a day before, or a new feed lists as its
backlog, is none (as in digests: `storage.spikes`). A story is counted once for a watch, where the
first of its mentions is: of that hour, feed and language. So both add up over hours, feeds and
languages. Beside each watch's own there are the counts of `ANY`: articles in which any found
something.

Whatever changes a hit, a story's articles or when one was seen notes that (`touch`), in its own
transaction, as a row that nobody else waits for. `count_mentions` counts the hours in question anew
out of the hits themselves, so that it is right however often, and in whatever order, it is done;
days and totals are kept by what changed in their hours. The archive of before is counted the same
way, hour by hour, back from the newest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from monitor.model import ArticleId, StoryId
from monitor.storage import tables as t
from monitor.storage.spikes import NEW, is_fresh, seconds
from monitor.storage.work import Work, among, for_each, upsert

ANY: Final = 0
"""In place of a watch's id: whichever found something."""

HOURS_AT_ONCE: Final = 6
"""Hours counted in one transaction: some 20 ms, for which others wait."""

_NOTES_AT_ONCE: Final = 500
_DAY: Final = 24  # hours
_HOUR: Final = timedelta(hours=1)
_LOCK: Final = 0x6D6F6E03  # key of an advisory lock on PostgreSQL ("mon", 3)
DOWN_TO: Final = "mentions_down_to"  # keys in `monitor`: the hour from which on all is counted,
_SEALED: Final = "mentions_sealed"  # and the one before which nothing is counted any more

_TIME = t.article.c.first_seen_at.type
_SINCE = sa.bindparam("since", type_=_TIME)
_UNTIL = sa.bindparam("until", type_=_TIME)

Place = tuple[int, int, str]
"""Watch, feed, language."""


def hour_of(at: datetime) -> int:
    """Whole hours since 1970."""
    return int(at.timestamp()) // 3600


def start_of(hour: int) -> datetime:
    """When an hour since 1970 began."""
    return datetime.fromtimestamp(hour * 3600, UTC)


def _hour(at: sa.ColumnElement[Any], dialect: str) -> sa.ColumnElement[int]:
    return seconds(at, dialect).op("/")(sa.literal_column("3600"))


# --------------------------------------------------------------------------- what changed


def _note(dialect: str) -> sa.Executable:
    articles = sa.select(t.article.c.id, _hour(t.article.c.first_seen_at, dialect)).where(
        among(t.article.c.id, "articles")
    )
    return sa.insert(t.mention_due).from_select(["article_id", "at"], articles)


NOTE_ARTICLES = for_each(_note)
NOTE_STORY = sa.insert(t.mention_due).values(story_id=sa.bindparam("story"))
NOTE_HOUR = sa.insert(t.mention_due).values(at=sa.bindparam("hour"))


def touch(work: Work, *articles: ArticleId) -> None:
    """What was found in these articles has changed, or when they were seen, or what they are."""
    work._on(NOTE_ARTICLES, {"articles": articles})  # noqa: SLF001 - of the same family


def touch_stories(work: Work, *stories: StoryId | None) -> None:
    """Articles came to these stories from others, or went."""
    notes = [{"story": story} for story in sorted({each for each in stories if each is not None})]
    if notes:
        work._run(NOTE_STORY, notes)  # noqa: SLF001 - of the same family


# --------------------------------------------------------------------------- counting

NOTES = sa.select(t.mention_due).order_by(t.mention_due.c.id).limit(_NOTES_AT_ONCE)
FORGET_NOTES = sa.delete(t.mention_due).where(among(t.mention_due.c.id, "ids"))
STORIES_OF = sa.select(t.article.c.story_id).where(
    t.article.c.story_id.is_not(None), among(t.article.c.id, "articles")
)


def _in_stories(dialect: str) -> sa.Executable:
    """The mentions of `:stories`, each watch's oldest first."""
    return (
        sa.select(
            t.article.c.story_id,
            t.hit.c.watch_id,
            _hour(t.article.c.first_seen_at, dialect).label("at"),
        )
        .join(t.hit, t.hit.c.article_id == t.article.c.id)
        .where(among(t.article.c.story_id, "stories"), is_fresh(t.article, dialect, NEW))
        .order_by(t.article.c.story_id, t.article.c.first_seen_at, t.article.c.id)
    )


def _in_hour(dialect: str, *, of_any: bool) -> sa.Executable:
    """Mentions of an hour by watch, feed and language: articles, and the stories they began."""
    earlier, found = t.article.alias("earlier"), t.hit.alias("found")
    before = [
        earlier.c.story_id == t.article.c.story_id,
        sa.or_(
            earlier.c.first_seen_at < t.article.c.first_seen_at,
            sa.and_(
                earlier.c.first_seen_at == t.article.c.first_seen_at,
                earlier.c.id < t.article.c.id,
            ),
        ),
        found.c.article_id == earlier.c.id,
        is_fresh(earlier, dialect, NEW),
    ]
    source: sa.FromClause = t.article
    watch: sa.ColumnElement[int] = sa.literal(ANY)
    also: list[sa.ColumnElement[bool]] = []
    if of_any:
        is_found = sa.exists().where(t.hit.c.article_id == t.article.c.id).correlate(t.article)
        also.append(is_found)
        known = sa.exists().where(*before).correlate(t.article)
    else:
        source = t.article.join(t.hit, t.hit.c.article_id == t.article.c.id)
        watch = t.hit.c.watch_id
        known = sa.exists().where(*before, found.c.watch_id == t.hit.c.watch_id)
        known = known.correlate(t.article, t.hit)
    language = sa.func.coalesce(t.article.c.language, "")
    begins = sa.case((sa.and_(t.article.c.story_id.is_not(None), ~known), 1), else_=0)
    each = (
        sa.select(
            watch.label("watch"),
            t.article.c.feed_id.label("feed"),
            language.label("language"),
            begins.label("begins"),
        )
        .select_from(source)
        .where(
            t.article.c.ingested_at.is_not(None),
            t.article.c.first_seen_at >= _SINCE,
            t.article.c.first_seen_at < _UNTIL,
            is_fresh(t.article, dialect, NEW),
            *also,
        )
        .subquery("each")
    )
    return sa.select(
        each.c.watch,
        each.c.feed,
        each.c.language,
        sa.func.count().label("articles"),
        sa.func.sum(each.c.begins).label("stories"),
    ).group_by(each.c.watch, each.c.feed, each.c.language)


IN_STORIES = for_each(_in_stories)
IN_HOUR = for_each(lambda dialect: _in_hour(dialect, of_any=False))
IN_HOUR_OF_ANY = for_each(lambda dialect: _in_hour(dialect, of_any=True))
KEPT = sa.select(t.mention_hour).where(t.mention_hour.c.at == sa.bindparam("hour"))


def _add(table: sa.Table) -> Mapping[str, sa.Executable]:
    """Add to the counts of rows that may be there or not."""
    pair: dict[str, sa.Executable] = {}
    for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert)):
        rows = insert(table)
        pair[name] = rows.on_conflict_do_update(
            index_elements=list(table.primary_key.columns),
            set_={
                "articles": table.c.articles + rows.excluded.articles,
                "stories": table.c.stories + rows.excluded.stories,
            },
        )
    return pair


ADD_OF_HOUR, ADD_OF_DAY, ADD_TOTAL = map(_add, (t.mention_hour, t.mention_day, t.mention_total))

_key = sa.bindparam("name", type_=sa.Text())
REMEMBERED = sa.select(t.monitor.c.value).where(t.monitor.c.key == _key)
REMEMBER = upsert(t.monitor, key=["key"], update=["value"])
NEWEST_BEFORE = (
    sa.select(t.article.c.first_seen_at)
    .where(t.article.c.ingested_at.is_not(None), t.article.c.first_seen_at < _UNTIL)
    .order_by(t.article.c.first_seen_at.desc(), t.article.c.id.desc())
    .limit(1)
)
_hours = sa.bindparam("hours", type_=sa.Integer())
_days = sa.bindparam("days", type_=sa.Integer())
_counted = sa.select(t.watch.c.id).union_all(sa.select(sa.literal(ANY))).scalar_subquery()
FORGET = (
    sa.delete(t.mention_hour).where(t.mention_hour.c.at < _hours),
    sa.delete(t.mention_day).where(
        t.mention_day.c.watch_id.in_(_counted), t.mention_day.c.at < _days
    ),
    *(
        sa.delete(t.mention_total).where(
            t.mention_total.c.grain == grain,
            t.mention_total.c.watch_id.in_(_counted),
            t.mention_total.c.at < before,
        )
        for grain, before in ((1, _hours), (_DAY, _days))
    ),
)


class MentionWork(Work):
    """The part of `ports.Transaction` about kept counts of mentions."""

    def count_mentions(self, now: datetime) -> bool:
        """See `ports.Transaction`."""
        if self.connection.dialect.name == "postgresql":
            self._run(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        notes = self._run(NOTES).all()
        if not notes:
            return self._count_older(now)
        hours = sorted(self._changed_hours(notes), reverse=True)
        self._recount(hours[:HOURS_AT_ONCE])
        self._run(FORGET_NOTES, {"ids": [note.id for note in notes]})
        if later := hours[HOURS_AT_ONCE:]:
            self._run(NOTE_HOUR, [{"hour": hour} for hour in later])
        return bool(later) or len(notes) == _NOTES_AT_ONCE or self._mark(DOWN_TO) != 0

    def seal_mentions(self, before: datetime, *, forget: datetime | None = None) -> int:
        """See `ports.Transaction`."""
        sealed = self._mark(_SEALED) or 0
        self._set_mark(_SEALED, max(sealed, hour_of(before), hour_of(forget) if forget else 0))
        if forget is None:
            return 0
        days = hour_of(forget) // _DAY
        bounds = {"hours": days * _DAY, "days": days}
        return sum(self._run(each, bounds).rowcount for each in FORGET)

    def _changed_hours(self, notes: Sequence[Any]) -> Collection[int]:
        """The hours whose counts these notes may have changed.

        If k articles of a story changed, the one that it began with before is an unchanged one only
        if none but changed ones now stand before it: so it is among the first k + 1.
        """
        hours = {note.at for note in notes if note.at is not None}
        articles = {note.article_id for note in notes if note.article_id is not None}
        whole = {note.story_id for note in notes if note.story_id is not None}
        changed = Counter(self._run(STORIES_OF, {"articles": sorted(articles)}).scalars())
        stories = sorted(whole | changed.keys())
        if not stories:
            return hours
        begun: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for row in self._on(IN_STORIES, {"stories": stories}):
            begun[row.story_id, row.watch_id].append(row.at)
        for (story, _), mine in begun.items():
            hours.update(mine if story in whole else mine[: changed[story] + 1])
        return hours

    def _count_older(self, now: datetime) -> bool:
        """Count some of what was there before anything was counted; whether there is more."""
        down_to = self._mark(DOWN_TO)
        if down_to is None:
            down_to = hour_of(now) + 1
        if down_to == 0:
            return False
        newest = self._run(NEWEST_BEFORE, {"until": start_of(down_to)}).scalar_one_or_none()
        last = hour_of(newest) if newest is not None else 0
        if last <= (self._mark(_SEALED) or 0):
            self._set_mark(DOWN_TO, 0)
            return False
        self._recount(range(last, last - HOURS_AT_ONCE, -1))
        self._set_mark(DOWN_TO, last - HOURS_AT_ONCE + 1)
        return True

    def _mark(self, name: str) -> int | None:
        value = self._run(REMEMBERED, {"name": name}).scalar_one_or_none()
        return None if value is None else int(value)

    def _set_mark(self, name: str, hour: int) -> None:
        self._on(REMEMBER, {"key": name, "value": str(hour)})

    def _recount(self, hours: Iterable[int]) -> None:
        of_hours: list[dict[str, Any]] = []
        of_days: Counter[tuple[int, int, int, str, str]] = Counter()
        totals: Counter[tuple[int, int, int, str]] = Counter()
        sealed = self._mark(_SEALED) or 0
        for hour in hours:
            if hour < sealed:
                continue
            for (watch, feed, language), (articles, stories) in self._difference(hour).items():
                of_hours.append(_row((hour, watch, feed, language), _OF_HOUR, articles, stories))
                for what, more in (("articles", articles), ("stories", stories)):
                    of_days[watch, hour // _DAY, feed, language, what] += more
                    totals[1, watch, hour, what] += more
                    totals[_DAY, watch, hour // _DAY, what] += more
        # sorted: whoever writes the same rows waits for the others in one order
        self._add_counts(
            ADD_OF_HOUR, sorted(of_hours, key=lambda row: [row[name] for name in _OF_HOUR])
        )
        self._add_counts(ADD_OF_DAY, _rows(of_days, _OF_DAY))
        self._add_counts(ADD_TOTAL, _rows(totals, _TOTAL))

    def _difference(self, hour: int) -> Mapping[Place, tuple[int, int]]:
        """By how much what is kept of an hour is to be changed; only what is."""
        span = {"since": start_of(hour), "until": start_of(hour) + _HOUR}
        found: dict[Place, tuple[int, int]] = {}
        for statement in (IN_HOUR, IN_HOUR_OF_ANY):
            for row in self._on(statement, span):
                found[row.watch, row.feed, row.language] = (row.articles, int(row.stories))
        for row in self._run(KEPT, {"hour": hour}):
            place = (row.watch_id, row.feed_id, row.language)
            articles, stories = found.get(place, (0, 0))
            found[place] = (articles - row.articles, stories - row.stories)
        return {place: more for place, more in found.items() if any(more)}

    def _add_counts(
        self, statement: Mapping[str, sa.Executable], rows: Sequence[Mapping[str, Any]]
    ) -> None:
        if rows:
            self._on(statement, rows)


_OF_HOUR: Final = ("at", "watch_id", "feed_id", "language")
_OF_DAY: Final = ("watch_id", "at", "feed_id", "language")
_TOTAL: Final = ("grain", "watch_id", "at")


def _row(key: tuple[Any, ...], names: Sequence[str], articles: int, stories: int) -> dict[str, Any]:
    return {**dict(zip(names, key, strict=True)), "articles": articles, "stories": stories}


def _rows(counted: Mapping[tuple[Any, ...], int], names: Sequence[str]) -> Sequence[dict[str, Any]]:
    """Counts by key and what is counted as rows, in the order of their keys."""
    keys = sorted({key[:-1] for key in counted})
    return [
        _row(key, names, counted.get((*key, "articles"), 0), counted.get((*key, "stories"), 0))
        for key in keys
    ]
