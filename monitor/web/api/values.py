"""What is asked and answered: the shapes that the document tells of, and how rows become them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from monitor.compose import named_by
from monitor.match.backtest import Outcome as Tested
from monitor.match.backtest import Sample
from monitor.match.passage import best_passage
from monitor.match.plan import read
from monitor.match.query import bracketed
from monitor.model import ArticleState, DeliveryState, Health, Hit, Span
from monitor.ports import (
    ArticleTrace,
    Coverage,
    DeliveryRow,
    FeedRow,
    FoundRow,
    Hold,
    Match,
    NowRow,
    Outcome,
    Standing,
    StoryTrace,
    WatchRow,
)
from monitor.web import view

PASSAGE: Final = 300  # characters
LARGEST_ID: Final = (1 << 63) - 1
MOST: Final = 200
"""Items of a page."""

MOST_TESTED: Final = 2_000
"""Articles that a backtest reads at once: a second or two of work."""

_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)
_RFC_3339: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


# --------------------------------------------------------------------------- what may be asked


def _when(value: object) -> datetime:
    """A moment as RFC 3339 has it, in UTC; what is before all articles is 1970."""
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError("must be a time as in RFC 3339, such as 2026-05-10T12:00:00Z")
    fraction = re.sub(r"(\.\d{6})\d+", r"\1", value.upper())
    try:
        at = datetime.fromisoformat(fraction)
    except ValueError as error:
        raise ValueError(f"is no time that there is: {error}") from None
    try:
        return min(max(at.astimezone(UTC), _EARLIEST), _LATEST)
    except OverflowError:
        return _EARLIEST if at.year < _EARLIEST.year else _LATEST


def _whole(value: object) -> object:
    """A whole number: in a query, its digits."""
    if isinstance(value, str):
        if not re.fullmatch(r"-?[0-9]{1,19}", value):
            raise ValueError("must be a whole number")
        return int(value)
    return value


_JSON_TIME: Final = WithJsonSchema({"type": "string", "format": "date-time"})
_NO_NULL: Final = r"^[^\x00]+$"
"""PostgreSQL's text has no NUL."""

When = Annotated[datetime, BeforeValidator(_when), _JSON_TIME]
Word = Annotated[str, Field(min_length=1, max_length=200, pattern=_NO_NULL)]
Query = Annotated[
    str,
    Field(
        min_length=1,
        max_length=10_000,
        pattern=_NO_NULL,
        json_schema_extra={"format": "watch-query"},
    ),
]
Cursor = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=200,
        description="Where to go on: `next` of the answer before.",
        json_schema_extra={"format": "cursor"},
    ),
]
Limit = Annotated[
    int, Field(ge=1, le=MOST, description="How many at most."), BeforeValidator(_whole)
]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID), BeforeValidator(_whole)]


class Asked(BaseModel):
    """Parameters: none is taken that is not known."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True)


class Paged(Asked):
    """A page of a list."""

    limit: Limit = 50
    cursor: Cursor = None


class ArticlesAsked(Paged):
    """Which articles."""

    q: Annotated[Query | None, Field(description="A query in the watch language.")] = None
    since: Annotated[When | None, Field(description="First seen then or later.")] = None
    until: Annotated[When | None, Field(description="First seen before then.")] = None
    watch: Annotated[Word | None, Field(description="That found something in it.")] = None
    publisher: Annotated[Word | None, Field(description="Of a feed that listed it.")] = None
    side: Annotated[Word | None, Field(description="Of a feed that listed it.")] = None
    language: Annotated[Word | None, Field(description="Its code; `pt` is also `pt-BR`.")] = None


class StoriesAsked(Paged):
    """Which stories: those of which one article is all of this."""

    q: Annotated[Word | None, Field(description="Words of its headline.")] = None
    since: Annotated[When | None, Field(description="Something was found then or later.")] = None
    until: Annotated[When | None, Field(description="Something was found before then.")] = None
    watch: Annotated[Word | None, Field(description="That found something.")] = None
    publisher: Annotated[Word | None, Field(description="Of a feed that listed the article.")] = (
        None
    )
    side: Annotated[Word | None, Field(description="Of a feed that listed the article.")] = None
    language: Annotated[Word | None, Field(description="Its code; `pt` is also `pt-BR`.")] = None
    standing: Annotated[Standing | None, Field(description="What became of the story.")] = None


class HitsAsked(Paged):
    """Which hits."""

    watch: Annotated[Word | None, Field(description="Of this watch.")] = None
    since: Annotated[When | None, Field(description="Found then or later.")] = None


class DeliveriesAsked(Paged):
    """Which messages."""

    state: Annotated[DeliveryState | None, Field(description="In this state.")] = None
    channel: Annotated[Word | None, Field(description="For this channel.")] = None


class Nothing(Asked):
    """No parameters."""


class MergeAsked(Asked):
    """What to make one story with."""

    other: Annotated[Id, Field(alias="with", description="The other story.")]


class SplitAsked(Asked):
    """What to take out of a story."""

    article: Annotated[Id, Field(description="Its copies go with it.")]
    mark: Annotated[
        Annotated[str, Field(max_length=64)] | None,
        Field(description="Of the story as it was looked at: if it is another one by now, 409."),
    ] = None


class QueryAsked(Asked):
    """A query to be read."""

    query: Query


class BacktestAsked(Asked):
    """A query to be run over what was stored."""

    query: Query
    since: Annotated[When | None, Field(description="As far back as this; else 30 days.")] = None
    limit: Annotated[
        int,
        Field(ge=1, le=MOST_TESTED, strict=True, description="Articles to be read in this step."),
    ] = 500
    cursor: Annotated[Cursor, Field(json_schema_extra={"format": "backtests-cursor"})] = None


# --------------------------------------------------------------------------- what is answered


def _whole_characters(value: object) -> object:
    """Text as UTF-8 can have it: feeds may hold half a character."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_whole_characters)]
Url = Annotated[
    Text | None,
    Field(description="http or https; null where there is none, or it holds a password or key."),
]

T = TypeVar("T", bound=BaseModel)


class Page(BaseModel, Generic[T]):
    """Some of a list."""

    items: list[T]
    next: Annotated[
        str | None, Field(description="`cursor` of what comes then; null: this is the end.")
    ]


class Searched(Page[T], Generic[T]):
    """Some of what a search found."""

    searched_back_to: Annotated[
        datetime | None,
        Field(description="Where looking ended, if the page is not full and there is more."),
    ] = None


class Excerpt(BaseModel):
    """A part of a text, on one line."""

    text: Text
    marks: Annotated[
        list[tuple[int, int]],
        Field(description="What was found: from a character to before another."),
    ]


class Find(BaseModel):
    """Where in an article a term was found."""

    field: Literal["title", "body"]
    start: int
    end: int
    term: Text


class FoundBy(BaseModel):
    """A watch that found something."""

    watch: Text
    finds: list[Find]


class Waits(BaseModel):
    """A story waits to be confirmed, for a watch."""

    watch: Text
    lacks: Text
    since: datetime


class ArticleLine(BaseModel):
    """An article in a list."""

    id: int
    story: int | None
    url: Url
    title: Text
    publisher: Text
    language: Text | None
    published_at: datetime | None
    first_seen_at: datetime
    passage: Annotated[Excerpt | None, Field(description="What shows best why it is here.")]


class Listed(BaseModel):
    """A feed that listed an article."""

    feed: Text
    publisher: Text
    url: Url
    title: Text
    published_at: datetime | None
    first_seen_at: datetime
    backlog: Annotated[bool, Field(description="The feed had it when it was polled first.")]


class Former(BaseModel):
    """What an article said before."""

    title: Text
    text: Annotated[Text | None, Field(description="null: it is a part of what it says now.")]
    replaced_at: datetime


class ArticleWhole(BaseModel):
    """All about an article."""

    id: int
    story: int | None
    url: Url
    title: Text
    text: Text
    state: ArticleState
    source: Annotated[Text | None, Field(description="Of the text: page or feed.")]
    language: Text | None
    published_at: datetime | None
    first_seen_at: datetime
    read_at: datetime | None
    due_at: Annotated[datetime | None, Field(description="When its page is asked for again.")]
    attempts: int
    error: Text | None
    copy_of: Annotated[Text | None, Field(description="URL of the article that it copies.")]
    hits: list[FoundBy]
    sightings: list[Listed]
    revisions: list[Former]
    held: list[Waits]


class MessageLine(BaseModel):
    """A message of a story."""

    id: str
    channel: Text
    state: DeliveryState
    sent_at: datetime | None


class StoryLine(BaseModel):
    """A story in a list."""

    id: int
    headline: Text
    url: Url
    language: Text | None
    found_at: Annotated[datetime, Field(description="When something was found in it last.")]
    first_seen_at: Annotated[datetime, Field(description="When the article that leads it was.")]
    articles: int
    copies: int
    publishers: list[Text]
    sides: list[Text]
    languages: list[Text]
    watches: list[Text]
    held: list[Waits]
    messages: list[MessageLine]


class StoryArticle(BaseModel):
    """An article of a story."""

    id: int
    url: Url
    title: Text
    publishers: list[Text]
    sides: list[Text]
    tier: int
    language: Text | None
    published_at: datetime | None
    first_seen_at: datetime
    copy_of: int | None
    novelty: Annotated[float | None, Field(description="Of a copy: the share that is new.")]
    agency: Text | None
    hits: list[FoundBy]


class Merged(BaseModel):
    """A story that became part of another one."""

    id: int
    at: datetime
    by: Annotated[Text | None, Field(description="null: nobody decided it.")]


class Delivery(BaseModel):
    """A message, or a notice."""

    id: str
    story: int | None
    headline: Text
    subject: Annotated[
        Text | None, Field(description="What a notice is about; null: a story's own message.")
    ]
    channel: Text
    state: DeliveryState
    is_uncertain: Annotated[bool, Field(description="Nobody knows yet whether it is shown.")]
    attempts: int
    created_at: datetime
    due_at: datetime | None
    sent_at: datetime | None
    error: Text | None


class Event(BaseModel):
    """What became of a message."""

    at: datetime
    what: Text
    error: Text | None


class DeliveryWhole(Delivery):
    """All about a message."""

    outcomes: list[Event]


class StoryWhole(BaseModel):
    """All about a story. Asked for one that was merged into another, it is that other one."""

    id: int
    headline: Text
    created_at: datetime
    follows: Annotated[int | None, Field(description="The chapter before.")]
    followed_by: int | None
    merged: list[Merged]
    mark: Annotated[
        str | None, Field(description="To be sent with a split; null: nothing can be changed.")
    ]
    articles: list[StoryArticle]
    deliveries: list[Delivery]
    held: list[Waits]


class HitLine(BaseModel):
    """A watch found something in an article."""

    id: int
    watch: Text
    found_at: datetime
    terms: Annotated[list[Text], Field(description="The watch's own spellings of what was found.")]
    finds: list[Find]
    article: ArticleLine


class Precision(BaseModel):
    """How people judged what a watch found."""

    judged: int
    relevant: int


class WatchLine(BaseModel):
    """A watch."""

    name: Text
    query: Annotated[Text, Field(description="What it looks for, with all its brackets.")]
    terms: list[Text]
    variants: Annotated[dict[str, list[Text]], Field(description="Spellings that count as a term.")]
    channel: Annotated[Text | None, Field(description="null: the usual one.")]
    hits_in_a_week: int
    precision: Precision | None


class QueryRead(BaseModel):
    """A query as it was understood."""

    query: Annotated[Text, Field(description="With all its brackets.")]
    notes: Annotated[list[Text], Field(description="What may not be as it was meant.")]


class FeedLine(BaseModel):
    """A feed."""

    id: int
    name: Text
    url: Url
    publisher: Text
    side: Text | None
    tier: int
    language: Text | None
    tags: list[Text]
    health: Health
    health_since: datetime | None
    polled_at: datetime | None
    ok_at: datetime | None
    due_at: datetime | None
    failures: int
    error: Text | None
    entries: int
    newest_at: datetime | None
    gaps: int
    gap_at: datetime | None
    is_pushed: bool


class Hastened(BaseModel):
    """What became of the wish to have a feed polled now."""

    feed: FeedLine
    left_alone: Annotated[Text | None, Field(description="Why it is not polled; null: it is due.")]


class TestedDay(BaseModel):
    """A day (UTC) of a backtest."""

    date: Annotated[str, Field(json_schema_extra={"format": "date"})]
    articles: int
    hits: int
    messages: int


class Backtest(BaseModel):
    """What a query would have found in some of what is stored."""

    query: Text
    articles: Annotated[int, Field(description="Read in this step.")]
    hits: int
    messages: Annotated[int, Field(description="Of this step: one per story.")]
    days: list[TestedDay]
    samples: Annotated[list[ArticleLine], Field(description="Some of what was found.")]
    read_back_to: datetime | None
    next: Annotated[str | None, Field(description="`cursor` of the next step; null: all was read.")]


class Verdict(BaseModel):
    """Whether something is as it should be."""

    ok: bool
    reason: Text


class Status(BaseModel):
    """How the service is."""

    version: str
    now: datetime
    health: Verdict
    ready: Verdict
    config_error: Text | None
    sink_problem: Text | None
    feeds: dict[str, int]
    messages: dict[str, int]
    hits_in_a_day: int
    articles_waiting: int
    stories_held: int
    oldest_waiting_at: datetime | None
    last_poll_at: datetime | None


# --------------------------------------------------------------------------- from rows


def _excerpt(body: str, spans: Iterable[Span]) -> Excerpt | None:
    if not body.strip():
        return None
    best = best_passage(body, [span for span in spans if span.field == "body"], PASSAGE)
    return Excerpt(text=best.text, marks=[*best.marks])


def _finds(spans: Iterable[Span]) -> list[Find]:
    return [Find(field=it.field, start=it.start, end=it.end, term=it.term) for it in spans]


def _found_by(hits: Iterable[Hit]) -> list[FoundBy]:
    return [FoundBy(watch=hit.watch, finds=_finds(hit.spans)) for hit in hits]


def _waits(holds: Iterable[Hold]) -> list[Waits]:
    return [Waits(watch=each.watch, lacks=each.lacks, since=each.since) for each in holds]


def article_found(match: Match) -> ArticleLine:
    """An article that a search found."""
    archived, document = match.archived, match.archived.document
    return ArticleLine(
        id=archived.article,
        story=archived.story,
        url=view.web_link(archived.url),
        title=document.title,
        publisher=match.publisher,
        language=document.language,
        published_at=archived.published_at,
        first_seen_at=archived.first_seen_at,
        passage=_excerpt(document.body, match.spans),
    )


def article(trace: ArticleTrace) -> ArticleWhole:
    """All about an article."""
    return ArticleWhole(
        id=trace.article,
        story=trace.story,
        url=view.web_link(trace.url),
        title=trace.title,
        text=trace.body,
        state=trace.state,
        source=trace.source,
        language=trace.language,
        published_at=trace.published_at,
        first_seen_at=trace.first_seen_at,
        read_at=trace.ingested_at,
        due_at=trace.due_at,
        attempts=trace.attempts,
        error=trace.error,
        copy_of=trace.copy_of,
        hits=_found_by(trace.hits),
        sightings=[
            Listed(
                feed=each.feed,
                publisher=each.publisher,
                url=view.web_link(each.url),
                title=each.title,
                published_at=each.published_at,
                first_seen_at=each.first_seen_at,
                backlog=each.backlog,
            )
            for each in trace.sightings
        ],
        revisions=[
            Former(title=each.title, text=each.body, replaced_at=each.replaced_at)
            for each in trace.revisions
        ],
        held=_waits(trace.held),
    )


def story_line(row: NowRow) -> StoryLine:
    """A story in a list."""
    lead = row.lead
    return StoryLine(
        id=row.story,
        headline=lead.title,
        url=view.web_link(lead.url),
        language=lead.language,
        found_at=row.at,
        first_seen_at=lead.first_seen_at,
        articles=row.articles,
        copies=row.copies,
        publishers=[*row.publishers],
        sides=[*row.sides],
        languages=[*row.languages],
        watches=[*row.watches],
        held=_waits(row.held),
        messages=[
            MessageLine(id=each.id, channel=each.channel, state=each.state, sent_at=each.sent_at)
            for each in row.messages
        ],
    )


def story(trace: StoryTrace, mark: str | None, max_age: timedelta | None) -> StoryWhole:
    """All about a story."""
    return StoryWhole(
        id=trace.view.story,
        headline=named_by(trace.view, max_age).title,
        created_at=trace.created_at,
        follows=trace.follows,
        followed_by=trace.chapter_after,
        merged=[Merged(id=each, at=at, by=by) for each, at, by in trace.merged],
        mark=mark,
        articles=[*map(_story_article, trace.view.articles)],
        deliveries=[*map(delivery, trace.deliveries)],
        held=_waits(trace.held),
    )


def _story_article(row: Coverage) -> StoryArticle:
    return StoryArticle(
        id=row.article,
        url=view.web_link(row.url),
        title=row.title,
        publishers=[*row.publishers],
        sides=[*row.sides],
        tier=row.tier,
        language=row.language,
        published_at=row.published_at,
        first_seen_at=row.first_seen_at,
        copy_of=row.copy_of,
        novelty=row.novelty,
        agency=row.agency,
        hits=_found_by(row.hits),
    )


def delivery(row: DeliveryRow) -> Delivery:
    """A message."""
    return Delivery(**_delivery(row))


def delivery_whole(row: DeliveryRow, outcomes: Sequence[Outcome]) -> DeliveryWhole:
    """All about a message."""
    events = [Event(at=each.at, what=each.what, error=each.error) for each in outcomes]
    return DeliveryWhole(**_delivery(row), outcomes=events)


def _delivery(row: DeliveryRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "story": row.story,
        "headline": row.headline,
        "subject": row.subject,
        "channel": row.channel,
        "state": row.state,
        "is_uncertain": row.is_uncertain,
        "attempts": row.attempts,
        "created_at": row.created_at,
        "due_at": row.due_at,
        "sent_at": row.sent_at,
        "error": row.error,
    }


def hit(row: FoundRow) -> HitLine:
    """A hit."""
    return HitLine(
        id=row.id,
        watch=row.hit.watch,
        found_at=row.matched_at,
        terms=[*dict.fromkeys(span.term for span in row.hit.spans)],
        finds=_finds(row.hit.spans),
        article=ArticleLine(
            id=row.article,
            story=row.story,
            url=view.web_link(row.url),
            title=row.title,
            publisher=row.publisher,
            language=row.language,
            published_at=row.published_at,
            first_seen_at=row.first_seen_at,
            passage=_excerpt(row.body, row.hit.spans),
        ),
    )


def watch(row: WatchRow) -> WatchLine:
    """A watch."""
    judged = row.precision
    return WatchLine(
        name=row.watch.name,
        query=bracketed(read(row.watch).root),
        terms=[*row.watch.terms],
        variants={term: [*spellings] for term, spellings in row.watch.variants},
        channel=row.watch.channel,
        hits_in_a_week=row.hits,
        precision=Precision(judged=judged.judged, relevant=judged.relevant) if judged else None,
    )


def feed(row: FeedRow) -> FeedLine:
    """A feed."""
    assert row.id is not None
    spec = row.spec
    return FeedLine(
        id=row.id,
        name=spec.name,
        url=view.feed_link(spec.url),
        publisher=spec.publisher,
        side=spec.side,
        tier=spec.tier,
        language=spec.language,
        tags=[*spec.tags],
        health=row.health,
        health_since=row.health_since,
        polled_at=row.polled_at,
        ok_at=row.ok_at,
        due_at=row.due_at,
        failures=row.failures,
        error=row.error,
        entries=row.entries,
        newest_at=row.newest_at,
        gaps=row.gaps,
        gap_at=row.gap_at,
        is_pushed=row.subscription == "active",
    )


def backtest(
    query: str, tested: Tested, back_to: datetime | None, following: str | None
) -> Backtest:
    """What a step of a backtest came to."""
    found = tested.new
    return Backtest(
        query=query,
        articles=tested.articles,
        hits=found.hits,
        messages=found.messages,
        days=[
            TestedDay(
                date=day.date.isoformat(),
                articles=day.articles,
                hits=day.hits,
                messages=day.messages,
            )
            for day in found.days
        ],
        samples=[*map(_sample, found.samples)],
        read_back_to=back_to,
        next=following,
    )


def _sample(sample: Sample) -> ArticleLine:
    return article_found(Match(archived=sample.archived, spans=sample.spans))
