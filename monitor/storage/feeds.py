"""Feeds: claiming those that are due, saving what a poll brought."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from monitor.model import (
    ArticleId,
    ArticleState,
    Entry,
    Feed,
    FeedId,
    FeedSpec,
    FeedStatus,
    Health,
    Move,
    StoryId,
    Subscription,
    Validators,
    bucket_of,
)
from monitor.ports import Added, Changed, FeedUpdate, Finds, FoundEntry, Listing
from monitor.storage import tables as t
from monitor.storage.feed_history import FeedHistoryWork
from monitor.storage.indexing import want_index
from monitor.storage.pruning import bygone
from monitor.storage.subscriptions import subscriptions_of
from monitor.storage.types import key_of, storable
from monitor.storage.work import (
    OF_HOSTS,
    Row,
    among,
    claim,
    for_each,
    insert_missing,
    is_held,
)

FEED_COLUMNS = tuple(column for column in t.feed.c if column.name != "blocks")
"""Without what is as large as all else."""
CLAIM_FEEDS, CLAIM_OF_IDLE_HOSTS, CLAIM_AMONG_MANY = (
    claim(t.feed, t.feed.c.declared, returning=tuple(t.feed.c), idle_in=idle_in)
    for idle_in in ((), (t.feed,), OF_HOSTS)
)
_WAS_PUSHED = sa.and_(  # what is leased was due before: due later, it was pushed meanwhile
    sa.bindparam("new_failures", type_=t.feed.c.failures.type) == 0,
    t.feed.c.due_at > sa.bindparam("new_polled_at", type_=t.feed.c.polled_at.type),
    t.feed.c.due_at < sa.bindparam("new_due_at", type_=t.feed.c.due_at.type),
)
SAVE_FEED = (
    sa.update(t.feed)
    .where(t.feed.c.id == sa.bindparam("feed"), is_held(t.feed))
    .values(
        {
            name: sa.bindparam(f"new_{name}")
            for name in (
                "status",
                "polled_at",
                "failures",
                "etag",
                "last_modified",
                "validators_url",
                "body_hash",
                "error_code",
                "error_detail",
                "health",
                "health_since",
                "move_url",
                "move_since",
                "move_polls",
            )
        }
    )
    .values(
        lease_until=None,
        due_at=sa.case(
            (_WAS_PUSHED, t.feed.c.due_at),
            else_=sa.bindparam("new_due_at", type_=t.feed.c.due_at.type),
        ),
        due_by=sa.case(
            (_WAS_PUSHED, t.feed.c.due_by),
            else_=sa.bindparam("new_due_by", type_=t.feed.c.due_by.type),
        ),
        ok_at=sa.func.coalesce(
            sa.bindparam("ok_at_now", type_=t.feed.c.ok_at.type), t.feed.c.ok_at
        ),
    )
)
TAKEN_OVER = sa.select(t.feed.c.id).where(among(t.feed.c.id, "feeds"), ~is_held(t.feed))
RELEASE_FEEDS = (
    sa.update(t.feed)
    .where(t.feed.c.id.in_(sa.bindparam("feeds", expanding=True)), is_held(t.feed))
    .values(lease_until=None)
)
SET_ASIDE = (
    sa.update(t.feed)
    .where(t.feed.c.id == sa.bindparam("feed"), is_held(t.feed))
    .values(lease_until=None, due_at=sa.bindparam("until", type_=t.feed.c.due_at.type))
)


def _known_guids(dialect: str) -> sa.Executable:
    """Entries by `:listed`, pairs of a feed and a guid: one statement for any number of them."""
    listed = sa.bindparam("listed", type_=sa.JSON().with_variant(postgresql.JSONB(), "postgresql"))
    feed: sa.ColumnElement[int]
    guid: sa.ColumnElement[str]
    if dialect == "sqlite":
        pair = sa.func.json_each(listed).table_valued("value", name="listed").c.value
        feed, guid = sa.func.json_extract(pair, "$[0]"), sa.func.json_extract(pair, "$[1]")
    else:
        each = sa.func.jsonb_array_elements(listed)
        rows = each.table_valued(sa.column("value", postgresql.JSONB), name="listed")
        pair = rows.render_derived().c.value
        feed, guid = pair[0].astext.cast(sa.BigInteger), pair[1].astext
    own = t.entry.c
    return sa.select(own.id, own.feed_id, own.guid, own.article_id, own.title, own.text).where(
        own.feed_id == feed, own.guid == guid
    )


KNOWN_GUIDS = for_each(_known_guids)
SAID_BEFORE = sa.select(t.entry.c.article_id, t.entry.c.title, t.entry.c.text).where(
    t.entry.c.feed_id == sa.bindparam("feed"),
    t.entry.c.article_id.in_(sa.bindparam("articles", expanding=True)),
)
SAY_ANEW = (
    sa.update(t.entry)
    .where(t.entry.c.id == sa.bindparam("entry"))
    .values(
        {name: sa.bindparam(f"new_{name}") for name in ("title", "text", "authors", "changed_at")}
    )
)
FINISHED = sa.select(
    t.article.c.id, t.article.c.bucket, t.article.c.first_seen_at, t.article.c.ingested_at
).where(
    t.article.c.id.in_(sa.bindparam("articles", expanding=True)),
    t.article.c.state.in_((ArticleState.DONE, ArticleState.FAILED)),
    t.article.c.ingested_at.is_not(None),
)
KEEP_LISTING = (
    sa.update(t.feed)
    .where(t.feed.c.id == sa.bindparam("feed"), is_held(t.feed))
    .values(
        {
            name: sa.bindparam(f"new_{name}", type_=t.feed.c[name].type)
            for name in ("blocks", "hints", "rhythm", "overlap")
        }
    )
    .values(
        gaps=t.feed.c.gaps + sa.bindparam("lost", type_=sa.Integer),
        gap_at=sa.func.coalesce(
            sa.bindparam("new_gap_at", type_=t.feed.c.gap_at.type), t.feed.c.gap_at
        ),
    )
)
LAST_FEED = sa.select(sa.func.coalesce(sa.func.max(t.feed.c.id), 0))
RHYTHMS = sa.select(t.feed.c.url, t.feed.c.rhythm).where(
    t.feed.c.declared, t.feed.c.due_at.is_not(None)
)
SOME_RHYTHMS = RHYTHMS.where(among(t.feed.c.id, "feeds"))  # no row but these is read
KNOWN_URLS = sa.select(t.article_url.c.url, t.article_url.c.article_id).where(
    t.article_url.c.url.in_(sa.bindparam("urls", expanding=True))
)
ADD_ARTICLES = sa.insert(t.article).returning(t.article.c.id, t.article.c.url)
ADD_URLS = insert_missing(t.article_url, count=True)
DROP_ARTICLES = sa.delete(t.article).where(
    t.article.c.id.in_(sa.bindparam("articles", expanding=True))
)
GROWN_STORIES = (
    sa.select(t.article.c.story_id)
    .where(
        t.article.c.id.in_(sa.bindparam("articles", expanding=True)),
        t.article.c.story_id.is_not(None),
        ~sa.exists().where(
            t.entry.c.article_id == t.article.c.id, t.entry.c.feed_id == sa.bindparam("feed")
        ),
    )
    .distinct()
    .order_by(t.article.c.story_id)
)
ADD_ENTRIES = insert_missing(t.entry)
COUNT_ENTRIES = (
    sa.update(t.feed)
    .where(t.feed.c.id == sa.bindparam("feed"))
    .values(
        entries=t.feed.c.entries + sa.bindparam("added"),
        newest_at=sa.case(
            (
                t.feed.c.newest_at > sa.bindparam("newest", type_=t.feed.c.newest_at.type),
                t.feed.c.newest_at,
            ),
            else_=sa.func.coalesce(
                sa.bindparam("newest", type_=t.feed.c.newest_at.type), t.feed.c.newest_at
            ),
        ),
    )
)


class _News:
    """What a poll found, and what becomes of it."""

    def __init__(self, finds: Finds) -> None:
        self.feed = finds.feed
        self.at = finds.at
        self.first: dict[str, FoundEntry] = {}  # what is not known here, by key of its guid
        for each in finds.entries:
            self.first.setdefault(key_of(each.entry.guid), each)
        self.known = 0
        self.rows: Sequence[dict[str, Any]] = ()
        self.made: dict[int, FoundEntry] = {}  # articles
        self.stories: tuple[StoryId, ...] = ()
        self.changed: set[int] = set()

    @property
    def linked(self) -> int:
        """How many entries led to articles that others have made."""
        return len(self.rows) - len(self.made)

    @property
    def newest(self) -> datetime | None:
        """When its newest entry was published."""
        dates = (row["published_at"] for row in self.rows)
        # a date in the future is a mistake of the feed's that would stand for years
        return max((date for date in dates if date and date <= self.at), default=None)


class FeedWork(FeedHistoryWork):
    """The part of `ports.Transaction` about feeds."""

    def claim_feeds(
        self,
        bucket: int,
        now: datetime,
        lease: timedelta,
        limit: int,
        *,
        idle_hosts: bool = False,
    ) -> Sequence[Feed]:
        """See `ports.Transaction`."""
        statement = CLAIM_FEEDS
        if idle_hosts:
            self.lock_bucket(bucket)
            statement = CLAIM_OF_IDLE_HOSTS if self.holder is None else CLAIM_AMONG_MANY
        rows = self._run(
            statement,
            {
                "in_bucket": bucket,
                "now": now,
                "until": now + lease,
                "holder": self.holder,
                "limit": limit,
            },
        ).all()
        if not rows:
            return []
        pushes = subscriptions_of(self, [row.id for row in rows])
        return [
            _feed(row, pushes.get(row.id))
            for row in sorted(rows, key=lambda row: (row.due_at, row.id))
        ]

    def save_feeds(self, updates: Mapping[FeedId, FeedUpdate]) -> Collection[FeedId]:
        """See `ports.Transaction`."""
        if not updates:
            return ()
        mine = {"holder": self.holder}
        rows = [_saved(feed, each) | mine for feed, each in sorted(updates.items())]
        late: Collection[FeedId] = ()
        if self._run(SAVE_FEED, rows).rowcount < len(rows):
            late = frozenset(self._run(TAKEN_OVER, {"feeds": [*updates]} | mine).scalars())
        for feed, each in sorted(updates.items()):
            if each.events and feed not in late:
                self.note_feed_events(feed, each.events)
        return late

    def keep_listings(self, listings: Mapping[FeedId, Listing]) -> None:
        """See `ports.Transaction`."""
        if listings:
            mine = {"holder": self.holder}
            rows = [_kept(feed, each) | mine for feed, each in sorted(listings.items())]
            self._run(KEEP_LISTING, rows)

    def rhythms(self, most: int) -> tuple[Mapping[str, str | None], int]:
        """See `ports.Transaction`. What was deleted leaves a number that is asked for in vain."""
        last = self._run(LAST_FEED).scalar_one()
        step = max(1, -(-last // most))
        if step == 1:
            rows = self._run(RHYTHMS)
        else:
            rows = self._run(SOME_RHYTHMS, {"feeds": range(step, last + 1, step)})
        return {row.url: row.rhythm for row in rows}, step

    def release_feeds(self, feeds: Sequence[FeedId]) -> None:
        """See `ports.Transaction`."""
        if feeds:
            self._run(RELEASE_FEEDS, {"feeds": feeds, "holder": self.holder})

    def set_feed_aside(self, feed: FeedId, until: datetime) -> None:
        """See `ports.Transaction`."""
        self._run(SET_ASIDE, {"feed": feed, "until": until, "holder": self.holder})

    def add_entries(self, feed: Feed, found: Sequence[FoundEntry], now: datetime) -> Added:
        """See `ports.Transaction`."""
        [added] = self.add_finds([Finds(feed, found, now)])
        return added

    def add_finds(self, finds: Sequence[Finds]) -> Sequence[Added]:
        """See `ports.Transaction`. `linked` and the new articles make up `entries`.

        A story is in `stories` only if this feed carried none of the linked article's entries yet.
        """
        news = [_News(each) for each in finds]
        by_feed = {each.feed.id: each for each in news}
        self._say_anew(by_feed)
        self._let_go(news, by_feed)
        self._add([each for each in news if each.first])
        return [self._added(each) for each in news]

    def _say_anew(self, news: Mapping[FeedId, _News]) -> None:
        """Take out what is here already; where it has other words now, it has them here, too."""
        listed = [[feed, guid] for feed, each in news.items() for guid in sorted(each.first)]
        if not listed:
            return
        for row in self._on(KNOWN_GUIDS, {"listed": listed}).all():
            of = news[row.feed_id]
            entry = of.first.pop(row.guid).entry
            of.known += 1
            if _words_of(entry) != _words_of(row):
                self._run(SAY_ANEW, _anew(row.id, entry, of.at))
                of.changed.add(row.article_id)

    def _let_go(self, news: Sequence[_News], by_feed: Mapping[FeedId, _News]) -> None:
        """Take out what was here and was deleted since."""
        listed = {
            (each.feed.id, guid): one.url for each in news for guid, one in each.first.items()
        }
        if listed:
            for feed, guid in bygone(self, listed, max(each.at for each in news)):
                del by_feed[feed].first[guid]
                by_feed[feed].known += 1

    def _add(self, news: Sequence[_News]) -> None:
        """Save new entries; `changed` gains the articles of which they say something else."""
        if not news:
            return
        articles = self._articles_for(news)
        for each in news:
            each.rows = [
                _entry(each.feed, guid, one, articles[key_of(one.url)], each.at)
                for guid, one in each.first.items()
            ]
            if each.linked:
                self._link(each, articles)
        rows = [row for each in news for row in each.rows]
        self._on(ADD_ENTRIES, rows)
        # what others list already can be found by this feed, too
        want_index(
            self.connection,
            *{
                row["article_id"]
                for each in news
                if each.linked
                for row in each.rows
                if row["article_id"] not in each.made
            },
        )
        self.tally(
            (each.feed.id, row["published_at"], each.at)
            for each in news
            if each.feed.ok_at is not None  # what was there before is not how it posts
            for row in each.rows
        )
        self._run(
            COUNT_ENTRIES,
            [
                {"feed": each.feed.id, "added": len(each.rows), "newest": each.newest}
                for each in sorted(news, key=lambda each: each.feed.id)
            ],
        )

    def _link(self, news: _News, articles: Mapping[str, int]) -> None:
        """What it means that a feed lists articles that were there."""
        said: dict[int, set[tuple[str, ...]]] = {}
        for one in news.first.values():
            said.setdefault(articles[key_of(one.url)], set()).add(_words_of(one.entry))
        news.stories = self._grown_by(news.feed, said)
        before = self._said_before(news.feed, said)
        news.changed |= {article for article in before if not said[article] <= before[article]}
        news.known += sum(row["article_id"] in before for row in news.rows)

    def _added(self, news: _News) -> Added:
        return Added(
            entries=len(news.rows),
            known=news.known,
            published=tuple(row["published_at"] for row in news.rows),
            linked=news.linked,
            buckets=tuple(sorted({bucket_of(one.host) for one in news.made.values()})),
            stories=news.stories,
            made=tuple(map(ArticleId, news.made)),
            changed=self._finished(news.changed) if news.changed else (),
        )

    def _said_before(
        self, feed: Feed, articles: Iterable[int]
    ) -> Mapping[int, set[tuple[str, ...]]]:
        """Those of the articles that this feed listed before, under other guids: in which words."""
        before: dict[int, set[tuple[str, ...]]] = {}
        for row in self._run(SAID_BEFORE, {"feed": feed.id, "articles": sorted(articles)}):
            before.setdefault(row.article_id, set()).add(_words_of(row))
        return before

    def _finished(self, articles: Iterable[int]) -> tuple[Changed, ...]:
        """Those of the articles that nobody is to read anyway."""
        rows = self._run(FINISHED, {"articles": sorted(articles)})
        return tuple(
            Changed(
                article=ArticleId(row.id),
                bucket=row.bucket,
                first_seen_at=row.first_seen_at,
                read_at=row.ingested_at,
            )
            for row in rows
        )

    def _grown_by(self, feed: Feed, articles: Iterable[int]) -> tuple[StoryId, ...]:
        """Stories of those articles that this feed has not listed before."""
        values = {"feed": feed.id, "articles": sorted(set(articles))}
        return tuple(map(StoryId, self._run(GROWN_STORIES, values).scalars()))

    def _articles_for(self, news: Sequence[_News]) -> Mapping[str, int]:
        """Ids of the entries' articles by key of their URL; `made` gains those that are new.

        Whoever lists a URL first has made its article, the others are linked to it.
        """
        by_url: dict[str, tuple[_News, FoundEntry]] = {}
        for each in news:
            for one in each.first.values():
                by_url.setdefault(key_of(one.url), (each, one))
        articles = self._leading_to(by_url)
        new = {url: each for url, each in by_url.items() if url not in articles}
        if not new:
            return articles
        rows = self._run(
            ADD_ARTICLES, [_new_article(each.feed, one, each.at) for each, one in new.values()]
        )
        made = {key_of(row.url): row.id for row in rows}
        # sorted: two polls that bring the same URLs wait for each other in one order
        leads = [{"url": url, "article_id": made[url]} for url in sorted(new)]
        if self._on(ADD_URLS, leads).rowcount == len(leads):
            articles |= made
        else:  # another poll made one of these articles between our look and our insert
            articles |= self._leading_to(new)
            lost = [made[url] for url in new if articles[url] != made[url]]
            self._run(DROP_ARTICLES, {"articles": lost})
        for url, (each, one) in new.items():
            if articles[url] == made[url]:
                each.made[made[url]] = one
        return articles

    def _leading_to(self, urls: Iterable[str]) -> dict[str, int]:
        rows = self._run(KNOWN_URLS, {"urls": sorted(urls)})
        return {row.url: row.article_id for row in rows}


def feed_spec(row: Row) -> FeedSpec:
    """The declaration in a row that holds a feed's columns."""
    return FeedSpec(
        url=row.url,
        name=row.name,
        publisher=row.publisher,
        side=row.side,
        tier=row.tier,
        language=row.language,
        tags=row.tags,
    )


def _feed(row: Row, subscription: Subscription | None) -> Feed:
    return Feed(
        id=FeedId(row.id),
        spec=feed_spec(row),
        host=row.host,
        status=FeedStatus(row.status),
        validators=Validators(
            etag=row.etag, last_modified=row.last_modified, url=row.validators_url
        ),
        body_hash=row.body_hash,
        failures=row.failures,
        polled_at=row.polled_at,
        due_at=row.due_at,
        ok_at=row.ok_at,
        rhythm=row.rhythm,
        overlap=row.overlap,
        blocks=row.blocks or b"",
        hints=row.hints,
        move=move_of(row),
        health=Health(row.health),
        health_since=row.health_since,
        newest_at=row.newest_at,
        gaps=row.gaps,
        error=row.error_code,
        subscription=subscription,
    )


def move_of(row: Row) -> Move | None:
    """Where a feed says it lives now, of a row that holds a feed's columns."""
    if row.move_url is None:
        return None
    return Move(url=row.move_url, since=row.move_since, polls=row.move_polls)


def _kept(feed: FeedId, listing: Listing) -> dict[str, Any]:
    return {
        "feed": feed,
        "new_blocks": listing.blocks or None,
        "new_hints": listing.hints,
        "new_rhythm": listing.rhythm,
        "new_overlap": listing.overlap,
        "lost": 0 if listing.gap_at is None else 1,
        "new_gap_at": listing.gap_at,
    }


def _saved(feed: FeedId, update: FeedUpdate) -> dict[str, Any]:
    move = update.move
    return {
        "feed": feed,
        "new_status": update.status,
        "new_due_at": update.due_at,
        "new_polled_at": update.polled_at,
        "new_failures": update.failures,
        "new_etag": update.validators.etag,
        "new_last_modified": update.validators.last_modified,
        "new_validators_url": update.validators.url,
        "new_body_hash": update.body_hash,
        "new_error_code": update.error_code,
        "new_error_detail": update.error_detail,
        "new_health": update.health,
        "new_health_since": update.health_since,
        "new_move_url": move and move.url,
        "new_move_since": move and move.since,
        "new_move_polls": move and move.polls,
        "new_due_by": update.due_by,
        "ok_at_now": update.polled_at if update.status is FeedStatus.OK else None,
    }


def _words_of(said: Any) -> tuple[str, ...]:
    """What is said, whatever the white space, by anything with a title and a text."""
    return (*storable(said.title).split(), "", *storable(said.text).split())


def _anew(row: int, entry: Entry, now: datetime) -> dict[str, Any]:
    return {
        "entry": row,
        "new_title": entry.title,
        "new_text": entry.text,
        "new_authors": entry.authors,
        "new_changed_at": now,
    }


def _new_article(feed: Feed, found: FoundEntry, now: datetime) -> dict[str, Any]:
    return {
        "url": found.url,
        "link": found.entry.url,
        "feed_id": feed.id,
        "host": found.host,
        "bucket": bucket_of(found.host),
        "state": ArticleState.NEW,
        "attempts": 0,
        "due_at": now,
        "first_seen_at": now,
    }


def _entry(feed: Feed, guid: str, found: FoundEntry, article: int, now: datetime) -> dict[str, Any]:
    entry = found.entry
    return {
        "feed_id": feed.id,
        "guid": guid,
        "article_id": article,
        "first_seen_at": now,
        "backlog": feed.ok_at is None,
        "link": entry.url,
        "published_at": entry.published_at,
        "language": entry.language,
        "authors": entry.authors,
        "title": entry.title,
        "text": entry.text,
    }
