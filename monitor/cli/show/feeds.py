"""What `monitor feeds` prints: feeds and how they are, what a web page names, what a list brings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from monitor.model import FeedSpec, Health
from monitor.pipeline import adopt
from monitor.pipeline.adopt import Fate, Item
from monitor.pipeline.discover import Looked
from monitor.polling import delays
from monitor.ports import FeedFigures, FeedsFound
from monitor.telemetry import redact
from monitor.web import feed_view, words

_STYLES = {"good": "green", "warn": "yellow", "bad": "red", "calm": "dim"}


def fleet(found: FeedsFound, now: datetime) -> Iterator[RenderableType]:
    """Each feed in a line, with what is wrong with it."""
    if not found.feeds:
        yield Text("No feed is declared." if not found.declared else "No feed is so.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("Feed", "Health", "Polled", "Next", "A day", "Delay", "First"):
        table.add_column(name, overflow="fold", justify="right" if name == "A day" else "left")
    for figures in found.feeds:
        line = feed_view.line(figures, now)
        row = line.row
        said = "; ".join(filter(None, (line.since, line.reason or line.detail)))
        health = Text(words.HEALTH[row.health], style=_STYLES[words.TONE[row.health]])
        if said:
            health.append(f": {said}", style="")
        table.add_row(
            Text(row.spec.name),
            health,
            Text(words.ago(row.polled_at, now) if row.polled_at else "never"),
            Text(words.due(row.due_at, now)),
            Text(line.per_day or "-"),
            Text(f"{line.delays.median} / {line.delays.p95}" if line.delays else "-"),
            Text(feed_view.percent(line.firsts.share) if line.firsts else "-"),
        )
    yield table
    states = feed_view.states(found.states)
    counts = ", ".join(f"{count} {text}" for name, text, count in states if name in set(Health))
    yield Text(f"{words.some(found.declared, 'feed')}: {counts}.")


def fleet_json(found: FeedsFound) -> list[dict[str, Any]]:
    """The same for machines: times in ISO 8601, lengths in seconds."""
    return [_figures_json(each) for each in found.feeds]


def _figures_json(figures: FeedFigures) -> dict[str, Any]:
    row, spec = figures.row, figures.row.spec
    firsts = figures.firsts

    def at(moment: datetime | None) -> str | None:
        return moment.isoformat() if moment else None

    def seconds(share: float) -> float | None:
        found = delays.quantile(figures.delays.counts, share)
        return found.total_seconds() if found else None

    return {
        "id": row.id,
        "name": spec.name,
        "url": redact(spec.url),
        "publisher": spec.publisher,
        "side": spec.side,
        "tier": spec.tier,
        "language": spec.language,
        "tags": list(spec.tags),
        "health": row.health,
        "since": at(row.health_since),
        "error": row.error,
        "failures": row.failures,
        "polled_at": at(row.polled_at),
        "due_at": at(row.due_at),
        "due_by": row.due_by,
        "entries": row.entries,
        "newest_at": at(row.newest_at),
        "entries_of_seven_days": figures.delays.entries,
        "delay_p50": seconds(0.5),
        "delay_p95": seconds(0.95),
        "first": firsts.first if firsts else 0,
        "of_stories": firsts.stories if firsts else 0,
    }


_FATES = {
    Fate.NEW: ("new", "green"),
    Fate.KNOWN: ("there already", "dim"),
    Fate.TWICE: ("twice in the list", "dim"),
    Fate.WRONG: ("wrong", "red"),
}


def planned(items: Sequence[Item], troubles: Mapping[str, str]) -> Iterator[RenderableType]:
    """Each feed of a list in a line, with what becomes of it."""
    if not items:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Line", justify="right")
    for name in ("Feed", "What", "URL"):
        table.add_column(name, overflow="fold")
    for each in items:
        what, style = _FATES[each.fate]
        why = each.why
        if each.fate is Fate.NEW and each.outline.url in troubles:
            what, style, why = "can't be read", "yellow", troubles[each.outline.url]
        name = each.table["name"] if each.table else each.outline.title
        table.add_row(
            str(each.outline.line),
            Text(name),
            Text(f"{what}: {why}" if why else what, style=style),
            Text(each.outline.url),
        )
    yield table


def planned_json(items: Sequence[Item], troubles: Mapping[str, str]) -> list[dict[str, Any]]:
    """The same for machines."""
    return [
        {
            "line": each.outline.line,
            "url": each.outline.url,
            "title": each.outline.title,
            "fate": each.fate,
            "why": each.why or None,
            "trouble": troubles.get(each.outline.url),
            "feed": None if each.table is None else dict(each.table),
        }
        for each in items
    ]


def exported_json(feeds: Sequence[FeedSpec]) -> list[dict[str, Any]]:
    """The feeds of the configuration, as `feeds.toml` says them."""
    return [dict(adopt.table_of_spec(feed)) for feed in feeds]


def listed(
    found: Sequence[Looked], now: datetime, *, numbered: bool = False
) -> Iterator[RenderableType]:
    """Each feed in a line: its address, what the page calls it, its kind, what is in it."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in (*[""] * numbered, "Feed", "Title", "Kind", "In it"):
        table.add_column(name, overflow="fold", no_wrap=name == "Feed")
    for number, each in enumerate(found, 1):
        table.add_row(
            *[str(number)] * numbered,
            Text(each.feed.url),
            Text(each.feed.title or "-"),
            Text(each.feed.kind),
            Text(_in_it(each, now), style="" if each.trouble is None else "yellow"),
        )
    yield table


def _in_it(each: Looked, now: datetime) -> str:
    if each.trouble is not None:
        return each.trouble
    newest = f", the newest {words.ago(each.newest_at, now)}" if each.newest_at else ""
    said = f"{words.some(each.entries, 'entry', 'entries')}{newest}"
    if each.known_as is not None:
        return f"{said}; declared already, as {each.known_as}"
    return f"{said}; the same entries as {each.same_as}" if each.same_as else said


def listed_json(found: Sequence[Looked]) -> list[dict[str, Any]]:
    """The same for machines: times in ISO 8601."""
    return [
        {
            "url": each.feed.url,
            "title": each.feed.title,
            "kind": each.feed.kind,
            "entries": each.entries,
            "newest_at": each.newest_at.isoformat() if each.newest_at else None,
            "trouble": each.trouble,
            "known_as": each.known_as,
            "same_as": each.same_as,
        }
        for each in found
    ]
