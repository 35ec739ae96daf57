"""Articles: claiming those that wait, writing their text, finding and merging the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from monitor.errors import Superseded
from monitor.model import (
    Article,
    ArticleId,
    ArticleState,
    Entry,
    FeedSpec,
    PendingArticle,
    StoryId,
)
from monitor.ports import Known
from monitor.storage import tables as t
from monitor.storage.indexing import forget_indexed, want_index
from monitor.storage.mentions import touch, touch_stories
from monitor.storage.types import storable
from monitor.storage.work import (
    OF_HOSTS,
    Fairness,
    Row,
    Work,
    claim,
    insert_missing,
    is_held,
)

FEW_OF_A_HOST = 10
"""Articles of one host claimed at once: they are fetched one after the other."""

CLAIM_ARTICLES, CLAIM_OF_IDLE_HOSTS, CLAIM_AMONG_MANY = (
    claim(
        t.article,
        fairly=Fairness(by_turns=t.article.c.feed_id, few_of=t.article.c.host, few=FEW_OF_A_HOST),
        returning=(
            t.article.c.id,
            t.article.c.url,
            t.article.c.link,
            t.article.c.state,
            t.article.c.attempts,
            t.article.c.deaths,
            t.article.c.due_at,
            t.article.c.first_seen_at,
        ),
        idle_in=idle_in,
    )
    for idle_in in ((), (t.article,), OF_HOSTS)
)
RELEASE_ARTICLES = (
    sa.update(t.article)
    .where(
        t.article.c.id.in_(sa.bindparam("articles", expanding=True)),
        t.article.c.lease_until.is_not(None),
        is_held(t.article),
    )
    .values(lease_until=None)
)
_is_at_work = (
    t.article.c.id == sa.bindparam("article"),
    t.article.c.lease_until.is_not(None),
    is_held(t.article),
)
SUSPECT = (
    sa.update(t.article)
    .where(*_is_at_work)
    .values(deaths=sa.bindparam("with_this", type_=sa.Integer()))
)
SET_ASIDE = (
    sa.update(t.article)
    .where(*_is_at_work)
    .values(lease_until=None, due_at=sa.bindparam("until", type_=t.article.c.due_at.type))
)

_last_of_its_feed = (
    sa.select(
        t.entry.c.id,
        t.entry.c.article_id,
        sa.func.length(t.entry.c.text).label("length"),
        sa.func.rank()
        .over(
            partition_by=(t.entry.c.article_id, t.entry.c.feed_id),
            order_by=sa.func.coalesce(t.entry.c.changed_at, t.entry.c.first_seen_at).desc(),
        )
        .label("age"),
        sa.func.min(sa.cast(t.entry.c.backlog, sa.Integer))
        .over(partition_by=t.entry.c.article_id)
        .label("all_backlog"),
    )
    .where(t.entry.c.article_id.in_(sa.bindparam("articles", expanding=True)))
    .subquery("said_last")
)
_ranked = sa.select(
    _last_of_its_feed.c.id,
    _last_of_its_feed.c.all_backlog,
    sa.func.row_number()
    .over(
        partition_by=_last_of_its_feed.c.article_id,
        order_by=(
            _last_of_its_feed.c.age,
            _last_of_its_feed.c.length.desc(),
            _last_of_its_feed.c.id,
        ),
    )
    .label("rank"),
).subquery("ranked")
FULLEST_ENTRIES = (
    sa.select(
        t.entry.c.article_id,
        t.entry.c.guid,
        t.entry.c.link,
        t.entry.c.title,
        t.entry.c.text,
        t.entry.c.authors,
        t.entry.c.published_at,
        t.entry.c.language,
        _ranked.c.all_backlog,
        t.feed.c.url,
        t.feed.c.name,
        t.feed.c.publisher,
        t.feed.c.side,
        t.feed.c.language.label("feed_language"),
        t.feed.c.tags,
    )
    .select_from(_ranked)
    .join(t.entry, t.entry.c.id == _ranked.c.id)
    .join(t.feed, t.feed.c.id == t.entry.c.feed_id)
    .where(_ranked.c.rank == 1)
)

_known = (
    t.article.c.id,
    t.article.c.story_id,
    t.article.c.state,
    t.article.c.source,
    sa.func.coalesce(t.article.c.copy_of, t.article.c.id).label("root"),
)
_twin_entry = t.entry.alias("other")
TOLD_APART = sa.select(
    sa.exists().where(
        t.entry.c.article_id == sa.bindparam("one"),
        _twin_entry.c.article_id == sa.bindparam("other"),
        _twin_entry.c.feed_id == t.entry.c.feed_id,
        _twin_entry.c.title != t.entry.c.title,
    )
)
URL_OF = sa.select(t.article.c.url).where(t.article.c.id == sa.bindparam("article"))
ARTICLE_AT = (
    sa.select(*_known)
    .join(t.article_url, t.article_url.c.article_id == t.article.c.id)
    .where(t.article_url.c.url == sa.bindparam("at"))
)
TWIN_OF = (
    sa.select(*_known)
    .where(
        t.article.c.text_hash == sa.bindparam("hash"),
        t.article.c.first_seen_at > sa.bindparam("since"),
        t.article.c.id != sa.bindparam("other_than"),
    )
    .order_by(t.article.c.first_seen_at, t.article.c.id)
    .limit(1)
)
_url_is_ours = sa.exists().where(
    t.article_url.c.url == sa.bindparam("at", type_=t.article_url.c.url.type),
    t.article_url.c.article_id == t.article.c.id,
)
_new_url = sa.bindparam("new_url", type_=t.article.c.url.type)
ADD_URL = insert_missing(
    t.article_url,
    # selected, so that nothing is added for an article that was merged away
    source=sa.select(sa.bindparam("new_url", type_=t.article_url.c.url.type), t.article.c.id).where(
        t.article.c.id == sa.bindparam("article")
    ),
)
SET_URL = (
    sa.update(t.article)
    .where(t.article.c.id == sa.bindparam("article"), _url_is_ours)
    .values(url=_new_url)
)
_is_leased = t.article.c.lease_until > sa.bindparam(
    "new_ingested_at", type_=t.article.c.lease_until.type
)
_is_others = sa.and_(~is_held(t.article), sa.func.coalesce(_is_leased, sa.false()))
SAVE_ARTICLE = (
    sa.update(t.article)
    .where(
        t.article.c.id == sa.bindparam("article"),
        sa.or_(is_held(t.article), sa.bindparam("unclaimed", type_=sa.Boolean())),
    )
    .values(
        {
            name: sa.bindparam(f"new_{name}")
            for name in (
                "state",
                "ingested_at",
                "published_at",
                "language",
                "source",
                "text_hash",
                "agency",
                "error_code",
                "error_detail",
                "authors",
                "title",
                "body",
                "furniture",
                "attempts",
            )
        }
    )
    .values(
        # what was not claimed may be at work elsewhere, and its host with it
        deaths=sa.case((_is_others, t.article.c.deaths), else_=0),
        due_at=sa.case(
            (_is_others, t.article.c.due_at),
            else_=sa.bindparam("new_due_at", type_=t.article.c.due_at.type),
        ),
        lease_until=sa.case((_is_others, t.article.c.lease_until), else_=None),
        url=sa.case((_url_is_ours, _new_url), else_=t.article.c.url),
    )
    .returning(t.article.c.url, t.article.c.story_id)
)
MERGED = sa.select(
    t.article.c.link,
    t.article.c.first_seen_at,
    t.article.c.story_id,
    t.article.c.copy_of,
    is_held(t.article).label("is_held"),
).where(t.article.c.id == sa.bindparam("article"))


class ArticleWork(Work):
    """The part of `ports.Transaction` about articles."""

    def claim_articles(
        self,
        bucket: int,
        now: datetime,
        lease: timedelta,
        limit: int,
        *,
        idle_hosts: bool = False,
    ) -> Sequence[PendingArticle]:
        """See `ports.Transaction`.

        Of what each feed said last of an article, the entry with the most text speaks.
        """
        statement = CLAIM_ARTICLES
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
        rows = sorted(rows, key=lambda row: (row.due_at, row.id))
        found = self._run(FULLEST_ENTRIES, {"articles": [row.id for row in rows]})
        entries = {row.article_id: row for row in found}
        return [_pending(row, entries[row.id]) for row in rows]

    def is_said_otherwise(self, article: ArticleId, entry: Entry) -> bool:
        """See `ports.Transaction`."""
        now = self._run(FULLEST_ENTRIES, {"articles": [article]}).one_or_none()
        return now is not None and (now.title, now.text) != (entry.title, entry.text)

    def release_articles(self, articles: Sequence[ArticleId]) -> None:
        """See `ports.Transaction`."""
        if articles:
            self._run(RELEASE_ARTICLES, {"articles": articles, "holder": self.holder})

    def suspect_article(self, article: ArticleId, deaths: int) -> None:
        """See `ports.Transaction`."""
        values = {"article": article, "with_this": deaths, "holder": self.holder}
        self._run(SUSPECT, values)

    def set_article_aside(self, article: ArticleId, until: datetime) -> None:
        """See `ports.Transaction`."""
        self._run(SET_ASIDE, {"article": article, "until": until, "holder": self.holder})

    def article_at(self, url: str) -> Known | None:
        """See `ports.Transaction`."""
        return _known_of(self._run(ARTICLE_AT, {"at": url}).one_or_none())

    def twin_of(self, text_hash: str, since: datetime, other_than: ArticleId) -> Known | None:
        """See `ports.Transaction`."""
        values = {"hash": text_hash, "since": since, "other_than": other_than}
        return _known_of(self._run(TWIN_OF, values).one_or_none())

    def told_apart(self, one: ArticleId, other: ArticleId) -> bool:
        """See `ports.Transaction`."""
        return bool(self._run(TOLD_APART, {"one": one, "other": other}).scalar_one())

    def url_of(self, article: ArticleId) -> str:
        """See `ports.Transaction`."""
        return str(self._run(URL_OF, {"article": article}).scalar_one())

    def save_article(
        self,
        article: ArticleId,
        content: Article,
        *,
        state: ArticleState,
        now: datetime,
        due_at: datetime | None,
        attempts: int = 0,
        error_code: str | None = None,
        error_detail: str | None = None,
        is_claimed: bool = True,
    ) -> None:
        """See `ports.Transaction`.

        A URL that leads to another article goes on doing so, and this one keeps its own.
        """
        saved = self._run(
            SAVE_ARTICLE,
            {
                "article": article,
                "holder": self.holder,
                "unclaimed": not is_claimed,
                "at": content.url,
                "new_url": content.url,
                "new_state": state,
                "new_due_at": due_at,
                "new_ingested_at": now,
                "new_published_at": content.published_at,
                "new_language": content.language,
                "new_source": content.source,
                "new_text_hash": content.text_hash,
                "new_agency": content.agency,
                "new_error_code": error_code,
                "new_error_detail": error_detail,
                "new_authors": content.authors,
                "new_title": content.title,
                "new_body": content.body,
                "new_furniture": content.furniture or None,
                "new_attempts": attempts,
            },
        ).one_or_none()
        if saved is None:
            raise superseded(article)
        want_index(self.connection, article)
        if saved.story_id is None:
            self.placeless.add(article)
            self.hitless.add(article)  # hits are found by stories
        if saved.url != storable(content.url):  # nobody's until now, or another's
            url = {"new_url": content.url, "article": article}
            self._on(ADD_URL, url)
            self._run(SET_URL, url | {"at": content.url})

    def merge_article(self, article: ArticleId, into: ArticleId) -> None:
        """See `ports.Transaction`. The one merged away is no more; hits it had go with it."""
        if article == into:
            return
        self.placeless.clear()
        self.hitless.clear()
        gone = self._run(MERGED, {"article": article, "holder": self.holder}).one_or_none()
        if gone is None or not gone.is_held:
            raise superseded(article)
        kept = self._run(MERGED, {"article": into, "holder": self.holder}).one()
        touch(self, article, into)  # as it was; and as it will be, in the hour of either
        touch_stories(self, gone.story_id, kept.story_id)
        for table in (t.entry, t.article_url):
            self._run(sa.update(table).where(table.c.article_id == article).values(article_id=into))
        copies = sa.update(t.article).where(t.article.c.copy_of == article)
        self._run(copies.where(t.article.c.id != into).values(copy_of=into))
        self._run(
            sa.update(t.article)
            .where(t.article.c.id == into)
            .values(
                link=kept.link or gone.link,
                first_seen_at=min(kept.first_seen_at, gone.first_seen_at),
                story_id=kept.story_id or gone.story_id,
                copy_of=None if kept.copy_of == article else kept.copy_of,
            )
        )
        for table in (t.hit, t.fingerprint, t.verdict, t.revision, t.article_update):
            self._run(sa.delete(table).where(table.c.article_id == article))
        self._run(sa.delete(t.article).where(t.article.c.id == article))
        forget_indexed(self.connection, [article])
        want_index(self.connection, into)


def superseded(article: ArticleId) -> Superseded:
    """What is raised where an article is not there any more, or was claimed by another process."""
    return Superseded(f"article {article} was merged into another, or claimed by another process")


def _known_of(row: Row | None) -> Known | None:
    if row is None:
        return None
    story = None if row.story_id is None else StoryId(row.story_id)
    return Known(
        article=ArticleId(row.id),
        story=story,
        state=ArticleState(row.state),
        root=ArticleId(row.root),
        source=row.source,
    )


def _pending(row: Row, entry: Row) -> PendingArticle:
    return PendingArticle(
        id=ArticleId(row.id),
        url=row.url,
        link=row.link,
        state=ArticleState(row.state),
        attempts=row.attempts + 1,
        deaths=row.deaths,
        entry=Entry(
            guid=entry.guid,
            url=entry.link,
            title=entry.title,
            text=entry.text,
            authors=entry.authors,
            published_at=entry.published_at,
            language=entry.language,
        ),
        feed=FeedSpec(
            url=entry.url,
            name=entry.name,
            publisher=entry.publisher,
            side=entry.side,
            language=entry.feed_language,
            tags=entry.tags,
        ),
        backlog=bool(entry.all_backlog),
        first_seen_at=row.first_seen_at,
    )
