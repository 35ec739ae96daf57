"""Weeks of an archive in a moment: rows as the service would have left them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa

from monitor.model import ArticleState, Span, Watch, bucket_of
from monitor.storage import SqlStore
from monitor.storage import tables as t
from tests.contracts.material import NOW

MINUTE = timedelta(minutes=1)


@dataclass
class Archive:
    """Rows to be written together: `save` does."""

    feeds: dict[str, int] = field(default_factory=dict)  # by publisher
    watches: dict[str, int] = field(default_factory=dict)
    _ids: Any = field(default_factory=lambda: count(1))
    _rows: dict[sa.Table, list[dict[str, Any]]] = field(default_factory=dict)

    def watch(self, watch: Watch, declared_at: datetime) -> int:
        """A watch that was first stored then."""
        if watch.name not in self.watches:
            self.watches[watch.name] = self._add(
                t.watch,
                name=watch.name,
                terms=watch.terms,
                query=watch.query,
                channel=watch.channel,
                declared=True,
                created_at=declared_at,
            )
        return self.watches[watch.name]

    def article(
        self,
        at: datetime,
        *watches: str,
        publisher: str = "Dawn",
        story: int | None = None,
        published_at: datetime | str | None = "",
        copy_of: int | None = None,
        agency: str | None = None,
        backlog: bool = False,
        matched_at: datetime | None = None,
        title: str = "",
    ) -> int:
        """An article that was first seen then, in a new story unless told; returns its id."""
        if story is None:
            story = self.story(at)
        if publisher not in self.feeds:
            self.feeds[publisher] = self._feed(publisher)
        number = next(self._ids)
        self._rows.setdefault(t.article, []).append(
            {
                "id": number,
                "url": f"https://news.example/{number}",
                "link": f"https://news.example/{number}",
                "feed_id": self.feeds[publisher],
                "host": "news.example",
                "bucket": bucket_of("news.example"),
                "state": ArticleState.DONE,
                "attempts": 1,
                "first_seen_at": at,
                "ingested_at": at,
                "published_at": at - 5 * MINUTE if published_at == "" else published_at,
                "story_id": story,
                "copy_of": copy_of,
                "agency": agency,
                "title": title or f"Headline {number}",
                "body": "Body.",
                "source": "page",
            }
        )
        self._add(
            t.entry,
            feed_id=self.feeds[publisher],
            guid=str(number),
            article_id=number,
            first_seen_at=at,
            backlog=backlog,
            authors=(),
            title="",
            text="",
        )
        for watch in watches:
            self._add(
                t.hit,
                article_id=number,
                watch_id=self.watches[watch],
                spans=(Span(field="title", start=0, end=1, term="H"),),
                matched_at=matched_at or at,
            )
        return number

    def story(self, at: datetime) -> int:
        """A story without articles as yet."""
        return self._add(t.story, created_at=at)

    async def save(self, store: SqlStore) -> None:
        """Write everything that was added since the last time."""
        with store._engines.write.begin() as connection:
            for table in (t.watch, t.feed, t.story, t.article, t.entry, t.hit):
                if rows := self._rows.pop(table, []):
                    connection.execute(sa.insert(table), rows)

    def _feed(self, publisher: str) -> int:
        return self._add(
            t.feed,
            url=f"https://news.example/feed/{publisher}",
            name=publisher,
            publisher=publisher,
            tags=(),
            declared=True,
            host="news.example",
            bucket=bucket_of("news.example"),
            status="ok",
            failures=0,
            entries=0,
            created_at=NOW - timedelta(days=90),
        )

    def _add(self, table: sa.Table, **values: Any) -> int:
        number = next(self._ids)
        self._rows.setdefault(table, []).append({"id": number, **values})
        return number
