"""What the steps found, put together: an article out of feed and page, an alert out of a story.

Pure: rows in, values out. What the operator decided comes in as `Rules`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from alerts import Alert, Card, Passage
from monitor.errors import Permanent
from monitor.match import Document, Matcher
from monitor.match.passage import best_passage
from monitor.model import (
    Article,
    Cadence,
    Delivery,
    DigestTime,
    Entry,
    Extraction,
    Feed,
    FeedSpec,
    Hit,
    PendingArticle,
    Span,
    Watch,
)
from monitor.ports import Coverage, FoundEntry, StoryView
from monitor.stories.credits import agency_of
from monitor.stories.frequencies import Frequencies, shipped
from monitor.stories.urls import canonical_url, host_of, resolve_redirector, same_site
from monitor.telling import corroboration, hands


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the operator decided, compiled. A reload swaps it whole."""

    watches: tuple[Watch, ...]
    matcher: Matcher
    default_channel: str
    interval: timedelta  # between two polls of a feed, on the average
    budget: float | None = None  # or polls a minute, of all feeds together
    hint_cap: timedelta = timedelta(hours=1)  # how far feeds' own wishes are followed
    cadence: Cadence = Cadence()  # of all feeds that have none of their own
    cadences: Mapping[str, Cadence] = field(default_factory=dict)  # by feed URL
    public_url: str | None = None  # where hubs reach us; None: feeds are only polled
    max_age: timedelta | None = timedelta(hours=24)  # older news is stored, not sent
    max_feed: int = 15 << 20  # bytes
    max_page: int = 2 << 20
    page_attempts: int = 5
    frequencies: Frequencies = field(default_factory=shipped)  # of words, for stories
    flood: int = 10  # new stories a minute in one channel, above which they share a message
    debounce: timedelta = timedelta(seconds=30)  # a growing story edits its message this often
    ops_channel: str | None = None  # of those who run the service
    heartbeat: DigestTime | None = None  # when they are told that it runs
    buttons: bool = False  # below alerts: somebody listens to them
    repeat_critical: timedelta | None = None  # when nobody acknowledged it; None: never
    _named: Mapping[str, Watch] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the watches by name: each is asked for with every hit."""
        named = {watch.name: watch for watch in reversed(self.watches)}
        object.__setattr__(self, "_named", named)

    @property
    def channels(self) -> frozenset[str]:
        """Every channel in which something may be said."""
        ours = {self.ops_channel} if self.ops_channel else set()
        return frozenset({watch.channel or self.default_channel for watch in self.watches} | ours)

    def cadence_of(self, url: str) -> Cadence:
        """How often the feed at this URL is to be asked."""
        return self.cadences.get(url, self.cadence)

    def watch_of(self, name: str) -> Watch | None:
        """The watch of this name; None if there is none any more."""
        return self._named.get(name)

    def channel_of(self, watch: str) -> str | None:
        """Where a watch alerts; None if there is no such watch any more."""
        named = self._named.get(watch)
        return None if named is None else named.channel or self.default_channel


def place_entry(feed: Feed, entry: Entry) -> FoundEntry:
    """Where an entry's article belongs: its canonical URL and host.

    An entry without a usable link is an article of its own, known by feed and guid.
    """
    if entry.url:
        try:
            link = resolve_redirector(entry.url)
            url = canonical_url(link)
            placed = entry if link == entry.url else replace(entry, url=link)
            return FoundEntry(entry=placed, url=url, host=host_of(link))
        except Permanent:
            pass
    mark = hashlib.blake2b(f"{feed.spec.url}\n{entry.guid}".encode(), digest_size=16).hexdigest()
    return FoundEntry(entry=replace(entry, url=None), url=f"urn:monitor:{mark}", host=feed.host)


def why_not_news(
    published_at: datetime | None,
    *,
    first_seen_at: datetime,
    backlog: bool,
    max_age: timedelta | None,
) -> str | None:
    """Why people don't want to be told of an article, as a sentence; None if they do.

    `backlog`: the article was in its feeds already when they were polled for the first time.
    Without a `max_age` everything is news, backlog too.
    """
    if max_age is None:
        return None
    if backlog:
        return "its feed held it already when it was polled for the first time"
    if published_at is not None and first_seen_at - published_at > max_age:
        return "it was older than [alerts] max_age when it was first seen"
    return None


def compose_article(
    pending: PendingArticle, page_url: str | None, page: Extraction | None
) -> Article:
    """What is known of an article, the best of feed and page.

    The headline is the feed's: it is the publisher's own words, where a page's title is guessed.
    """
    entry = pending.entry
    body = page.body if page and page.body else entry.text
    title = entry.title or (page.title if page else "")
    authors = (page.authors if page else ()) or entry.authors
    return Article(
        url=_best_url(pending, page_url, page),
        title=title,
        body=body,
        source="page" if page and page.body else "feed",
        authors=authors,
        published_at=entry.published_at or (page.published_at if page else None),
        language=(page.language if page else None) or entry.language or pending.feed.language,
        agency=agency_of(authors, body),
    )


def _best_url(pending: PendingArticle, page_url: str | None, page: Extraction | None) -> str:
    """Where the article really lives: rel=canonical of the same site, else after redirects."""
    if page_url is None:
        return pending.url
    if page and page.canonical_url:
        try:
            named = canonical_url(page.canonical_url, base=page_url)
        except Permanent:
            named = ""
        if named and same_site(named, page_url) and not _is_front_page(named):
            return named
    try:
        url = canonical_url(page_url)
    except Permanent:
        return pending.url
    return pending.url if _is_front_page(url) else url


def _is_front_page(url: str) -> bool:
    """Many sites name it as canonical of everything, or send to it who may not read: no article."""
    return url.partition("?")[0].rstrip("/").count("/") <= 2


def compose_document(article: Article, feed: FeedSpec) -> Document:
    """An article as the watches read it, with what its first feed says of it."""
    host = host_of(article.url) if article.url.startswith("http") else ""
    return Document(
        title=article.title,
        body=article.body,
        language=article.language,
        sources=tuple(dict.fromkeys((feed.publisher, feed.name))),
        sites=(host,) if host else (),
        tags=feed.tags,
        sides=(feed.side,) if feed.side else (),
        authors=article.authors,
    )


def compose_alert(delivery: Delivery, view: StoryView, rules: Rules) -> Alert | None:
    """What the delivery's channel should show of a story; None when nothing is left to show."""
    lead = lead_of(view, delivery.channel, rules)
    if lead is None:
        return None
    first, hits = lead
    if view.story != delivery.story:  # it was merged: the channel shows the other one, too
        return None if delivery.sent is None else _pointer(delivery, first)
    spans = sorted({span for hit in hits for span in hit.spans})
    publishers = _distinct(name for each in view.articles for name in each.publishers)
    leading = first.publishers[0] if first.publishers else (publishers[0] if publishers else "")
    return Alert(
        delivery_id=delivery.id,
        headline=first.title,
        url=first.url,
        passage=_passage(first, spans),
        publisher=leading,
        published_at=first.published_at,
        found_at=first.first_seen_at,
        watches=_distinct(hit.watch for hit in hits),
        terms=_distinct(span.term for hit in hits for span in hit.spans),
        also=tuple(name for name in corroboration.carriers(view.articles) if name != leading),
        independent=len(voices(view)),
        carriers=len(publishers),
        touches=hands.touches(delivery.hands),
        buttons=hands.buttons(delivery.hands) if rules.buttons else (),
    )


class Seen(Protocol):
    """When an article was seen, and how old it was then."""

    @property
    def published_at(self) -> datetime | None:
        """By its own date."""

    @property
    def first_seen_at(self) -> datetime:
        """By us."""

    @property
    def backlog(self) -> bool:
        """Whether every feed that lists it did so when it was polled first."""


A = TypeVar("A", bound=Seen)


def leading(found: Iterable[A], max_age: timedelta | None) -> A | None:
    """The article that a story is named by, of those in which something was found; None of none.

    `found`: first seen first. It is the first that was news when it was found: what was none leads
    only where nothing else was found. This is the one rule for headlines. In what a channel is
    told of one story (its message, replies, reminders) `found` is what that channel's watches
    found; in all else (lists of several stories, the page, the command line) what any watch did.
    """
    articles = tuple(found)
    news = (each for each in articles if _is_news(each, max_age))
    return next(news, articles[0] if articles else None)


def lead_of(view: StoryView, channel: str, rules: Rules) -> tuple[Coverage, tuple[Hit, ...]] | None:
    """The article that a channel shows a story by, and what brought it there; None if nothing did."""
    hits = {each.article: hits_for(each, channel, rules) for each in view.articles}
    lead = leading((each for each in view.articles if hits[each.article]), rules.max_age)
    return None if lead is None else (lead, hits[lead.article])


def named_by(view: StoryView, max_age: timedelta | None) -> Coverage:
    """The article that a story is named by where no channel is asked for; it has one at least."""
    lead = leading((each for each in view.articles if each.hits), max_age)
    return lead or view.articles[0]


def voices(view: StoryView) -> tuple[str, ...]:
    """Who reports a story themselves, each once, see `monitor.telling.corroboration`."""
    return tuple(voice.name for voice in corroboration.voices(view.articles))


def compose_reply(card: Card, view: StoryView, channel: str, rules: Rules) -> Card:
    """A reply where messages can't be answered: it says which message of its channel it answers."""
    lead = lead_of(view, channel, rules)
    about = lead[0].title if lead else ""
    return replace(card, title=f"↳ Re: {about} — {card.title}") if about else card


def _pointer(delivery: Delivery, lead: Coverage) -> Alert:
    """What a message says when its story was merged into one that the channel shows."""
    return Alert(
        delivery_id=delivery.id,
        headline=lead.title,
        url=lead.url,
        passage=None,
        publisher=lead.publishers[0] if lead.publishers else "",
        published_at=lead.published_at,
        found_at=lead.first_seen_at,
        watches=(),
        terms=(),
        pointer=True,
    )


def _is_news(article: Seen, max_age: timedelta | None) -> bool:
    reason = why_not_news(
        article.published_at,
        first_seen_at=article.first_seen_at,
        backlog=article.backlog,
        max_age=max_age,
    )
    return reason is None


def hits_for(article: Coverage, channel: str, rules: Rules) -> tuple[Hit, ...]:
    """The hits that brought an article to a channel; all of them if its watches are gone."""
    mine = tuple(hit for hit in article.hits if rules.channel_of(hit.watch) == channel)
    orphans = tuple(hit for hit in article.hits if rules.channel_of(hit.watch) is None)
    return mine or orphans


def _passage(article: Coverage, spans: Sequence[Span]) -> Passage | None:
    in_body = [span for span in spans if span.field == "body"]
    if not article.body.strip():
        return None
    best = best_passage(article.body, in_body)
    return Passage(text=best.text, marks=tuple(best.marks))


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))
