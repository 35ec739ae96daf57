"""Rows → what the page shows, decided before any HTML is written. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import urlsplit

from monitor.match.passage import best_passage
from monitor.model import DeliveryState, Span
from monitor.ports import DeliveryRow, FeedRow
from monitor.telemetry import redact
from monitor.web import words

PASSAGE: Final = 300
"""Length of a hit's passage in characters."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text that is marked, or not."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A watch that matched, with its own spellings of what was found."""

    watch: str
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLine:
    """A feed with what is wrong with it."""

    row: FeedRow
    href: str | None
    reason: str
    detail: str
    trouble: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryLine:
    """A row of the outbox with what is wrong with it."""

    row: DeliveryRow
    state: str
    tone: str
    error: str  # only while it matters: a message that is shown has none


def web_link(url: str | None) -> str | None:
    """The URL if a click may follow it: http(s) with a host, else None."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.hostname else None


@lru_cache(maxsize=20_000)  # a list of feeds asks for all of them each time
def feed_link(url: str) -> str | None:
    """A feed's URL for a click, unless it holds a password or a key."""
    link = web_link(url)
    return link if link and redact(link) == link else None


def language(code: str | None) -> str | None:
    """A language tag that may stand in a `lang` attribute, else None (feeds write anything)."""
    code = (code or "").strip().replace("_", "-")
    return code if _LANGUAGE.fullmatch(code) else None


def segments(text: str, marks: Iterable[tuple[int, int]]) -> tuple[Segment, ...]:
    """The text cut at its marks (half-open; any order, overlaps joined); nothing is lost."""
    cut: list[Segment] = []
    at = 0
    for start, end in sorted(marks):
        start, end = max(start, at), min(end, len(text))  # noqa: PLW2901  clipped to what is left
        if start >= end:
            continue
        if start > at:
            cut.append(Segment(text[at:start], marked=False))
        if start == at and cut and cut[-1].marked:
            cut[-1] = Segment(cut[-1].text + text[start:end], marked=True)
        else:
            cut.append(Segment(text[start:end], marked=True))
        at = end
    if at < len(text):
        cut.append(Segment(text[at:], marked=False))
    return tuple(cut)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A stretch of text, and what was found in it, by whom."""

    text: str
    labels: tuple[str, ...] = ()


def labelled(text: str, marks: Iterable[tuple[int, int, str]]) -> tuple[Labelled, ...]:
    """The text cut wherever a mark begins or ends (half-open, with a label); nothing is lost."""
    begins: dict[int, list[str]] = {}
    ends: dict[int, list[str]] = {}
    for start, end, label in marks:
        start, end = max(0, start), min(end, len(text))  # noqa: PLW2901  clipped to what there is
        if start < end:
            begins.setdefault(start, []).append(label)
            ends.setdefault(end, []).append(label)
    cut: list[Labelled] = []
    inside: list[str] = []
    at = 0
    for edge in sorted({*begins, *ends, len(text)}):
        if edge > at:
            cut.append(Labelled(text[at:edge], tuple(dict.fromkeys(inside))))
        for label in ends.get(edge, ()):
            inside.remove(label)
        inside += begins.get(edge, ())
        at = edge
    return tuple(cut)


def found_by(hits: Iterable[tuple[str, Iterable[Span]]]) -> tuple[Found, ...]:
    """Watches with what each of them found, each once."""
    terms: dict[str, dict[str, None]] = {}
    for watch, spans in hits:
        terms.setdefault(watch, {}).update(dict.fromkeys(span.term for span in spans))
    return tuple(Found(watch=watch, terms=_telling(watch, each)) for watch, each in terms.items())


def _telling(watch: str, terms: Iterable[str]) -> tuple[str, ...]:
    """The terms, unless they say no more than the watch's name."""
    given = tuple(terms)
    return () if [term.casefold() for term in given] == [watch.casefold()] else given


def headline(title: str, spans: Iterable[Span]) -> tuple[Segment, ...]:
    """A title with what was found in it."""
    return segments(title, _marks(spans, "title"))


def passage(body: str, spans: Iterable[Span]) -> tuple[Segment, ...]:
    """The part of a body that shows best what was found in it; of nothing, if there is no body."""
    return _best(body, tuple((it.start, it.end, it.term) for it in spans if it.field == "body"))


@lru_cache(maxsize=1_000)  # 1.7 ms each for a body of 6,000 characters, and most were shown before
def _best(body: str, finds: tuple[tuple[int, int, str], ...]) -> tuple[Segment, ...]:
    if not body.strip():
        return ()
    spans = [Span(field="body", start=start, end=end, term=term) for start, end, term in finds]
    best = best_passage(body, spans, limit=PASSAGE)
    return segments(best.text, best.marks)


def _marks(spans: Iterable[Span], field: Literal["title", "body"]) -> list[tuple[int, int]]:
    return [(span.start, span.end) for span in spans if span.field == field]


def feed_lines(rows: Sequence[FeedRow]) -> tuple[FeedLine, ...]:
    """Feeds with their errors as sentences: those in trouble first, worst first, then by name."""
    lines = [_feed_line(row) for row in rows]
    return tuple(
        sorted(
            lines, key=lambda it: (not it.trouble, -it.row.failures, it.row.spec.name.casefold())
        )
    )


def _feed_line(row: FeedRow) -> FeedLine:
    reason, detail = words.reason(row.error) if row.error else ("", "")
    return FeedLine(
        row=row,
        href=feed_link(row.spec.url),
        reason=reason,
        detail=detail,
        trouble=row.health.is_trouble,
    )


def delivery_lines(rows: Sequence[DeliveryRow]) -> tuple[DeliveryLine, ...]:
    """Rows of the outbox, in the order given."""
    return tuple(
        DeliveryLine(
            row=row,
            state="uncertain" if row.is_uncertain else words.DELIVERY[row.state],
            tone="warn" if row.is_uncertain else words.TONE[row.state],
            error=row.error if row.error and row.state is not DeliveryState.SENT else "",
        )
        for row in rows
    )
