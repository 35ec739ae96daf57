"""What page, feed, site and what was read before make of an article. Pure: values in, values out.

Three kinds of reading end here. The *first* one matches the whole text. Of a page that is read
*again* because its feed says something new, the words that changed make a revision, matched anew.
A *rolling* page (a live blog) grows: each update is matched once, as a text of its own under the
page's headline, and what was found before stays where it was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitor.compose import Rules, compose_article, compose_document
from monitor.match.matcher import MOST_SPANS
from monitor.model import (
    Article,
    ArticleState,
    Entry,
    Extraction,
    FeedSpec,
    Hit,
    PendingArticle,
    Seen,
    Span,
    Update,
)
from monitor.pipeline.group import Marks, marks_of
from monitor.ports import Stored
from monitor.stories.furniture import (
    Paragraph,
    furniture_of,
    paragraphs,
    plain_words,
    read_paragraphs,
    without,
)
from monitor.text import normal_form

LONGEST = 200_000
"""Characters of a rolling page that are kept, the newest."""

AGREES = 0.2
"""Share of what a feed says, by runs of six characters, that stands in a text about the same. Of 2,000
pairs of English texts about two matters none shared more than .18; of 115 summaries in a dozen
languages five out of six share more with their article's beginning."""

_GAP = "\n\n"


def beyond_wall(entry: Entry, page: Extraction) -> Extraction:
    """A page that shows only the beginning of its article: with that, or without a text.

    The longer of the two texts is taken, the feed's or the page's. Where the feed has a text, the
    page's has to be about the same: else it may be an offer to subscribe.
    """
    told, shown = plain_words(entry.text), plain_words(page.body)
    pieces = _pieces(told)
    agrees = len(pieces & _pieces(shown)) >= AGREES * len(pieces)
    return page if len(shown) > len(told) and agrees else replace(page, body="", updates=())


def _pieces(words: str) -> set[str]:
    """All runs of six characters: the same for scripts with and without spaces."""
    return {words[at : at + 6] for at in range(len(words) - 5)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A text cut into paragraphs that the site's memory can be asked about."""

    body: tuple[Paragraph, ...]
    updates: tuple[tuple[Update, tuple[Paragraph, ...]], ...] = ()  # oldest first

    def all(self) -> tuple[Paragraph, ...]:
        """Every paragraph, whatever it is part of."""
        return (*self.body, *(each for _, part in self.updates for each in part))

    def hashes(self) -> frozenset[int]:
        """What to ask about."""
        return frozenset(each.hash for each in self.all() if each.hash is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An article as it was read, and what follows from it."""

    content: Article
    marks: Marks
    hits: tuple[Hit, ...]
    told: frozenset[str]
    """Watches to tell of: on the first reading all that hit, later those that hit by what is new."""
    paragraphs: Mapping[int, bool] = field(default_factory=dict)
    """What stands in it, by hash: True where its feed says it, too."""
    updates: Mapping[str, datetime] = field(default_factory=dict)
    """Updates that were read for the first time: key → time."""
    last_update_at: datetime | None = None  # of a rolling page
    is_changed: bool = True  # says something else than when it was read last
    former: tuple[str, str | None] | None = None
    """Title and body that were replaced; no body where it stands as a part of the new one."""


def mark(pending: PendingArticle, host: str, page: Extraction | None) -> Marked:
    """Cut what will be the article's body into paragraphs."""
    entry = pending.entry
    if page is None or not page.body:
        return Marked(
            body=read_paragraphs(host, entry.text, title=entry.title, feed_text=entry.text)
        )
    title, told = entry.title or page.title, entry.text
    updates = tuple(
        (each, read_paragraphs(host, each.text, title=title, feed_text=told))
        for each in _oldest_first(page.updates)
    )
    body = read_paragraphs(host, page.body, title=title, feed_text=told)
    if updates:  # their words are in the body, too
        of_updates = f" {plain_words(_GAP.join(each.text for each in page.updates))} "
        body = tuple(each for each in body if f" {plain_words(each.text)} " not in of_updates)
    return Marked(body=body, updates=updates)


def read_article(
    pending: PendingArticle,
    page_url: str | None,
    page: Extraction | None,
    *,
    marked: Marked,
    seen: Mapping[int, Seen],
    stored: Stored | None,
    rules: Rules,
    now: datetime,
) -> Reading:
    """What an article says now, and what of it is to be told; `stored`: as it was read before."""
    furniture = furniture_of(marked.all(), seen)
    body, left_out = without(marked.body, furniture)
    updates = [(each, *without(part, furniture)) for each, part in marked.updates]
    parts = [body, *(text for _, text, _ in updates)]
    content = _composed(pending, page_url, page, [part for part in parts if part])
    content = replace(
        content,
        furniture=tuple(
            dict.fromkeys((*left_out, *(text for _, _, out in updates for text in out)))
        ),
    )
    known = {each.hash: each.fed for each in marked.all() if each.hash is not None}
    at = {each.id: min(each.at or now, now) for each, _, _ in updates}
    if stored is not None and stored.updates:
        texts = {each.id: text for each, text, _ in updates if each.id not in stored.updates}
        return _grown(pending, content, texts, at, stored, rules, known)
    if stored is not None and stored.content.source == "page" and _says_less(page, content, stored):
        # the page can't be had now: what it said stands, under the headline of today
        content = replace(stored.content, title=content.title)
    hits = (
        _match_parts(
            [body, *(text for _, text, _ in updates if text)], content, pending.feed, rules
        )
        if updates
        else _match(content, pending.feed, rules)
    )
    content, marks = _marked(content, pending, hits, rules)
    reading = Reading(
        content=content,
        marks=marks,
        hits=hits,
        told=frozenset(hit.watch for hit in hits),
        paragraphs=known,
        updates=at,
        last_update_at=max(at.values(), default=None),
    )
    return reading if stored is None else _held_against(stored, reading, pending.state)


def _says_less(page: Extraction | None, content: Article, stored: Stored) -> bool:
    """Whether there is no page, or a wall in front of it that lets less through than was read."""
    if page is None:
        return True
    return page.reason is not None and len(content.body) < len(stored.content.body)


def _composed(
    pending: PendingArticle, page_url: str | None, page: Extraction | None, parts: Iterable[str]
) -> Article:
    """The article with these parts of its text for a body."""
    body = _GAP.join(parts)
    if page is not None and page.body:
        return compose_article(pending, page_url, replace(page, body=body))
    entry = replace(pending.entry, text=body)
    return compose_article(replace(pending, entry=entry), page_url, page)


def _held_against(stored: Stored, reading: Reading, state: ArticleState) -> Reading:
    """A second reading: what it says that the first did not.

    A watch that hit what the article said before goes on counting, with nothing to mark: who was
    told of it should see what became of it, a retraction above all.
    """
    before, now = stored.content, reading.content
    if state is ArticleState.PARTIAL:  # the page was not to be had until now
        return replace(reading, is_changed=now.source == "page" or not _says_the_same(before, now))
    if _says_the_same(before, now):
        return replace(reading, is_changed=False, told=frozenset())
    hit_before = {hit.watch for hit in stored.hits}
    past = (Hit(watch=hit.watch, spans=()) for hit in stored.hits if hit.watch not in reading.told)
    return replace(
        reading,
        hits=(*reading.hits, *past),
        told=reading.told - hit_before,
        former=(before.title, before.body),
    )


def _says_the_same(before: Article, now: Article) -> bool:
    """The same words; what the site's memory counted as furniture only once of the two is passed."""
    if normal_form(before.title) != normal_form(now.title):
        return False
    return _own_words(before, now.furniture) == _own_words(now, before.furniture)


def _own_words(article: Article, furniture: Sequence[str]) -> list[str]:
    left_out = set(furniture)
    kept = (part for part in paragraphs(article.body) if part not in left_out)
    return [words for words in map(normal_form, kept) if words]


# --------------------------------------------------------------------------- rolling pages


def _grown(
    pending: PendingArticle,
    content: Article,
    texts: Mapping[str, str],
    at: Mapping[str, datetime],
    stored: Stored,
    rules: Rules,
    known: Mapping[int, bool],
) -> Reading:
    """A rolling page with its new updates, `texts` by key: what was read before stands."""
    before = stored.content
    title = content.title or before.title
    fresh = [text for text in texts.values() if text]
    body = _GAP.join([part for part in (before.body, *fresh) if part])
    content = replace(content, title=title, body=body, source=before.source, url=before.url)
    content = replace(
        content, furniture=tuple(dict.fromkeys((*before.furniture, *content.furniture)))
    )
    old = stored.hits if title == before.title else _under(title, stored.hits, pending.feed, rules)
    start = len(before.body) + len(_GAP) if before.body else 0
    new = _match_parts(["", *fresh], content, pending.feed, rules, start=start, alone=False)
    content, hits = _cut_to_length(content, _merged([*old, *new]))
    content, marks = _marked(content, pending, hits, rules)
    new_at = {key: at[key] for key in texts}
    return Reading(
        content=content,
        marks=marks,
        hits=hits,
        told=frozenset(hit.watch for hit in new),
        paragraphs=known if fresh else {},
        updates=new_at,
        last_update_at=max([*stored.updates.values(), *new_at.values()]),
        is_changed=bool(texts) or title != before.title,
        former=(before.title, None) if normal_form(title) != normal_form(before.title) else None,
    )


def _marked(
    content: Article, pending: PendingArticle, hits: Sequence[Hit], rules: Rules
) -> tuple[Article, Marks]:
    """What the article is grouped by; by its words the same text is known again."""
    marks = marks_of(
        content,
        first_seen_at=pending.first_seen_at,
        matched=bool(hits),
        frequencies=rules.frequencies,
    )
    return replace(content, text_hash=marks.fingerprint.exact), marks


def _match(content: Article, feed: FeedSpec, rules: Rules) -> tuple[Hit, ...]:
    return rules.matcher.match(compose_document(content, feed))


def _match_parts(
    parts: Sequence[str],
    content: Article,
    feed: FeedSpec,
    rules: Rules,
    *,
    start: int = 0,
    alone: bool = True,
) -> tuple[Hit, ...]:
    """Hits of the parts of a body, each read by itself under the headline.

    The first part is what the page says before its updates, and may be empty; `alone`: whether the
    headline counts with nothing but that. A hit in an update needs a word of the update. `start`:
    where the second part begins, if the first does not stand before it.
    """
    found: list[Hit] = []
    for number, part in enumerate(parts):
        if number == 0 and not alone:
            continue
        hits = _match(replace(content, body=part), feed, rules)
        if number > 0:
            hits = tuple(hit for hit in hits if _in_body(hit))
        found += [_shifted(hit, start) for hit in hits]
        start += len(part) + len(_GAP) if part else 0
    return _merged(found)


def _under(title: str, hits: Iterable[Hit], feed: FeedSpec, rules: Rules) -> list[Hit]:
    """Hits of before under another headline: they stand, with what of it they are found in."""
    empty = Article(url="", title=title, body="", source="page")
    found = {hit.watch: hit.spans for hit in _match(empty, feed, rules)}
    return [Hit(watch=hit.watch, spans=(*found.get(hit.watch, ()), *_in_body(hit))) for hit in hits]


def _in_body(hit: Hit) -> tuple[Span, ...]:
    return tuple(span for span in hit.spans if span.field == "body")


def _merged(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    """One hit for each watch, with the spans of all."""
    found: dict[str, dict[Span, None]] = {}
    for hit in hits:
        found.setdefault(hit.watch, {}).update(dict.fromkeys(hit.spans))
    return tuple(
        Hit(watch=watch, spans=_in_order(spans)[:MOST_SPANS]) for watch, spans in found.items()
    )


def _in_order(spans: Iterable[Span]) -> tuple[Span, ...]:
    return tuple(sorted(spans, key=lambda span: (span.field == "body", span.start, span.end)))


def _shifted(hit: Hit, by: int) -> Hit:
    """A hit whose body begins further on; or, with `by` negative, has lost its beginning."""
    in_title = (span for span in hit.spans if span.field == "title")
    in_body = (
        Span(field="body", start=span.start + by, end=span.end + by, term=span.term)
        for span in _in_body(hit)
        if span.start + by >= 0
    )
    return Hit(watch=hit.watch, spans=(*in_title, *in_body))


def _cut_to_length(content: Article, hits: tuple[Hit, ...]) -> tuple[Article, tuple[Hit, ...]]:
    """A body that has grown too long loses its oldest paragraphs."""
    over = len(content.body) - LONGEST
    if over <= 0:
        return content, hits
    gap = content.body.find(_GAP, over)
    cut = gap + len(_GAP) if gap >= 0 else over
    body = content.body[cut:]
    return replace(content, body=body), tuple(_shifted(hit, -cut) for hit in hits)


def _oldest_first(updates: Sequence[Update]) -> list[Update]:
    """By their times; where one has none, as pages print them: the newest on top."""
    if all(each.at is not None for each in updates):
        return sorted(updates, key=lambda each: (each.at, each.id))
    return [*reversed(updates)]
