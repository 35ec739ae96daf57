"""What may be asked: parameters and bodies, each with what is wrong with what is not so."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from monitor.model import DeliveryState
from monitor.ports import (
    Standing,
)

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
