"""Column types that mean the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from monitor.model import Hints, Span

KEY_LENGTH = 600
"""Characters of a text that may stand in a unique index as they are.

PostgreSQL refuses index rows above 2,704 bytes; a character has at most four.
"""


def storable(text: str) -> str:
    """`text` as both databases take it, of the same length, so that offsets still hold.

    PostgreSQL has no NUL in text, and neither driver can encode half of a surrogate pair; feeds
    and pages bring both.
    """
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


def key_of(text: str) -> str:
    """What a text is unique by: itself, or, if too long for an index, its start and its hash."""
    text = storable(text)
    if len(text) <= KEY_LENGTH:
        return text
    return f"{text[: KEY_LENGTH - 100]}…{hashlib.sha256(text.encode()).hexdigest()}"


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware time, in UTC on both ways: timestamptz, or text of a fixed width that sorts."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """Text on SQLite, which has no type for times."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.String(27))
        return dialect.type_descriptor(sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        """Refuses a time without a zone: it would be somebody's local time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError(f"a time without a zone can't be stored: {value!r}")
        value = value.astimezone(UTC)
        if dialect.name == "sqlite":
            return value.isoformat(timespec="microseconds")[:26] + "Z"
        return value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        """PostgreSQL answers in the zone of its session."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return datetime.fromisoformat(value)
        assert isinstance(value, datetime)
        return value.astimezone(UTC)


class Words(sa.types.TypeDecorator[str]):
    """Somebody else's text, made storable."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: sa.Dialect) -> str | None:
        """See `storable`."""
        return None if value is None else storable(value)


class Key(sa.types.TypeDecorator[str]):
    """Somebody else's text that rows are unique by. See `key_of`."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: sa.Dialect) -> str | None:
        """See `key_of`."""
        return None if value is None else key_of(value)


class Names(sa.types.TypeDecorator[tuple[str, ...]]):
    """A tuple of short texts, as a JSON list."""

    impl = sa.JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, _dialect: sa.Dialect) -> Any:
        """A list, which JSON knows."""
        return None if value is None else list(value)

    def process_result_value(self, value: Any, _dialect: sa.Dialect) -> tuple[str, ...]:
        """An absent list is an empty one."""
        return tuple(value or ())


class Spans(sa.types.TypeDecorator[tuple[Span, ...]]):
    """Where a watch's terms were found, as a JSON list of [field, start, end, term]."""

    impl = sa.JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Sequence[Span] | None, _dialect: sa.Dialect) -> Any:
        """Lists, which JSON knows."""
        if value is None:
            return None
        return [[span.field, span.start, span.end, span.term] for span in value]

    def process_result_value(self, value: Any, _dialect: sa.Dialect) -> tuple[Span, ...]:
        """The spans in the order they were given."""
        return tuple(
            Span(field=field, start=start, end=end, term=term)
            for field, start, end, term in value or ()
        )


class Variants(sa.types.TypeDecorator[tuple[tuple[str, tuple[str, ...]], ...]]):
    """Other spellings of a watch's terms, as a JSON list of [term, [spelling, …]]."""

    impl = sa.JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(
        self, value: Sequence[tuple[str, Sequence[str]]] | None, _dialect: sa.Dialect
    ) -> Any:
        """Lists, which JSON knows."""
        return None if value is None else [[term, list(others)] for term, others in value]

    def process_result_value(
        self, value: Any, _dialect: sa.Dialect
    ) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """In the order they were given; none where the column was not there yet."""
        return tuple((term, tuple(others)) for term, others in value or ())


class HintsColumn(sa.types.TypeDecorator[Hints]):
    """What a feed asks of pollers, as a JSON list of [seconds, hours, days]; NULL: nothing."""

    impl = sa.JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Hints | None, _dialect: sa.Dialect) -> Any:
        """Lists, which JSON knows."""
        if value is None or value == Hints():
            return None
        ttl = None if value.ttl is None else value.ttl.total_seconds()
        return [ttl, sorted(value.skip_hours), sorted(value.skip_days)]

    def process_result_value(self, value: Any, _dialect: sa.Dialect) -> Hints:
        """Nothing is asked for where nothing is stored."""
        if value is None:
            return Hints()
        ttl, hours, days = value
        return Hints(
            ttl=None if ttl is None else timedelta(seconds=ttl),
            skip_hours=frozenset(hours),
            skip_days=frozenset(days),
        )


Keys = sa.JSON(none_as_null=True).with_variant(postgresql.ARRAY(sa.Integer), "postgresql")
"""Whole numbers of 32 bits, any of which a row can be found by on PostgreSQL."""
