"""A desk that articles come in at, over a store and without a web: for tests of grouping."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from string import ascii_lowercase

from monitor.model import (
    Article,
    ArticleId,
    ArticleState,
    Delivery,
    DeliveryState,
    Hit,
    Sent,
    Span,
    StoryId,
)
from monitor.pipeline.group import Placed, group, marks_of
from monitor.ports import StoryView, Transaction
from monitor.storage import SqlStore
from monitor.stories.frequencies import Frequencies
from tests.contracts.material import BUCKET, LEASE, NOW, found, given_feed

HOUR = timedelta(hours=1)
DEBOUNCE = timedelta(seconds=30)
HIT = Hit(watch="Ceasefire", spans=(Span(field="title", start=0, end=9, term="ceasefire"),))
FREQUENCIES = Frequencies({})

CHANNEL = "#news"
LATER = NOW + timedelta(days=60)


def text(seed: int, words: int = 200) -> str:
    """A text of its own for each seed: no two share a word, or the beginning of one."""
    rng = random.Random(seed)
    return " ".join("".join(rng.choices(ascii_lowercase, k=8)) for _ in range(words))


@dataclass(frozen=True)
class News:
    """An article as a test states it."""

    name: str
    body: str
    title: str = ""
    at: datetime = NOW
    hits: tuple[Hit, ...] = ()
    agency: str | None = None

    @property
    def article(self) -> Article:
        return Article(
            url=f"https://news.example/{self.name}",
            title=self.title or f"Headline {self.name}",
            body=self.body,
            source="page",
            published_at=self.at,
            language="en",
            agency=self.agency,
        )


def ingest(tx: Transaction, article: ArticleId, news: News, now: datetime) -> Placed:
    """What the pipeline does with an article that was read."""
    tx.lock_stories()
    content = news.article
    marks = marks_of(content, first_seen_at=now, matched=bool(news.hits), frequencies=FREQUENCIES)
    content = replace(content, text_hash=marks.fingerprint.exact)
    tx.save_article(article, content, state=ArticleState.DONE, now=now, due_at=None)
    placed = group(tx, article, marks, now=now, debounce=DEBOUNCE)
    tx.set_hits(article, news.hits, now)
    if news.hits and CHANNEL not in placed.shown_in:
        tx.want_delivery(placed.story, CHANNEL, now)
    return placed


@dataclass
class Desk:
    """Articles as they come in."""

    store: SqlStore
    ids: dict[str, ArticleId] = field(default_factory=dict)
    feeds: int = 0

    async def list(self, *news: News, now: datetime | None = None) -> None:
        """Have each listed by a feed of its own, so that nothing but its text tells it apart."""
        for each in news:
            self.feeds += 1
            feed = await given_feed(self.store, self.feeds)
            entry, seen = found(each.name, title=each.article.title), now or each.at
            await self.store.write(lambda tx, f=feed, e=entry, s=seen: tx.add_entries(f, [e], s))
        while claimed := await self.store.write(
            lambda tx: tx.claim_articles(BUCKET, LATER, LEASE, 500)
        ):
            self.ids |= {pending.entry.guid: pending.id for pending in claimed}

    async def bring(self, *news: News, now: datetime | None = None) -> list[Placed]:
        """List and ingest articles, one after the other, each at its own time unless told."""
        await self.list(*(each for each in news if each.name not in self.ids), now=now)
        return [await self.again(each, now=now) for each in news]

    async def again(self, news: News, now: datetime | None = None) -> Placed:
        """Ingest an article that was listed."""
        article, now = self.ids[news.name], now or news.at
        return await self.store.write(lambda tx: ingest(tx, article, news, now))

    async def view(self, story: StoryId) -> StoryView:
        return await self.store.read(lambda tx: tx.story_view(story))

    async def together(self) -> set[frozenset[str]]:
        """The stories, as sets of names."""
        stories: dict[StoryId | None, set[str]] = {}
        for name, article in self.ids.items():
            story = await self.store.read(lambda tx, a=article: tx.story_of(a))
            stories.setdefault(story, set()).add(name)
        return {frozenset(names) for names in stories.values()}

    async def show(self, channel: str = CHANNEL) -> list[Delivery]:
        """Post or edit what waits in a channel; those rows as they were claimed."""
        shown: list[Delivery] = []
        while delivery := await self.store.write(lambda tx: tx.claim_due(channel, LATER, LEASE)):
            sent = delivery.sent or Sent(channel="C1", ref=delivery.id[:6])
            await self.store.write(
                lambda tx, d=delivery, s=sent: tx.finish_delivery(
                    d.id, DeliveryState.SENT, LATER, sent=s
                )
            )
            shown.append(delivery)
        return shown
