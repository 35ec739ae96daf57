"""What is answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from monitor.model import ArticleState, DeliveryState, Health
from monitor.web import view


def _whole_characters(value: object) -> object:
    """Text as UTF-8 can have it: feeds may hold half a character."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_whole_characters)]
Url = Annotated[
    Text | None,
    BeforeValidator(view.web_link),
    Field(description="http or https; null where there is none, or it holds a password or key."),
]

T = TypeVar("T", bound=BaseModel)


class Row(BaseModel):
    """What can be made of a value that has attributes of these names."""

    model_config = ConfigDict(from_attributes=True)


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


class Find(Row):
    """Where in an article a term was found."""

    field: Literal["title", "body"]
    start: int
    end: int
    term: Text


class FoundBy(BaseModel):
    """A watch that found something."""

    watch: Text
    finds: list[Find]


class Waits(Row):
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


class Listed(Row):
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


class MessageLine(Row):
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


class Delivery(Row):
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


class Event(Row):
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
