"""What the command line prints: values in, lines and tables out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.text import Text

from monitor.answers import ago, counts_line
from monitor.cli.examine import Finding
from monitor.config import Settings
from monitor.model import DeliveryState
from monitor.ports import Counts, FeedRow, Workload
from monitor.telemetry import redact
from monitor.web import engine_view, words

_STYLE = {"good": "green", "warn": "yellow", "bad": "red"}


def destination(settings: Settings) -> str:
    """Where alerts go, in words."""
    if settings.slack_token is not None:
        return f"Slack, {settings.slack.channel or 'each watch to its own channel'}"
    if settings.slack_webhook is not None:
        return "Slack's webhook (which can't edit them, answer in threads, or look what arrived)"
    return "the terminal (set SLACK_BOT_TOKEN for Slack)"


def finding(found: Finding) -> Text:
    """One line of `monitor doctor`: its sign, what was looked at, and what to do about it."""
    sign, style = {True: ("✓", "green"), False: ("✗", "red"), None: ("–", "dim")}[found.is_right]
    line = Text(f"{sign} ", style=style)
    line.append(f"{found.subject}: ", "bold")
    line.append(redact(found.said), "" if found.is_right else style)
    return line


def status(
    counts: Counts, feeds: Sequence[FeedRow], now: datetime, engine: Workload | None = None
) -> Iterator[Any]:
    """The totals and the feeds; and how the jobs of many processes stand."""
    yield Text(counts_line(counts), style="bold")
    yield f"Last poll {ago(counts.last_poll_at, now)}; {words.some(counts.due_feeds, 'feed')} due now."
    if engine is not None:
        for line in engine_view.sentences(engine):
            yield Text(line.text, style=_STYLE[line.tone] if line.tone == "bad" else "")
    if counts.oldest_waiting_at:
        yield f"[yellow]The oldest unsent message was wanted {ago(counts.oldest_waiting_at, now)}.[/]"
    if dead := counts.messages(DeliveryState.DEAD):
        yield (
            f"[red]{words.some(dead, 'message was', 'messages were')} refused for good:"
            " `monitor deliveries list --dead` says why.[/]"
        )
    yield (
        FeedTable(feeds, now)
        if feeds
        else Text("No feeds yet: `monitor run` takes each [[feed]] of feeds.toml.")
    )


class FeedTable:
    """Feeds in lines, and what is to be said of each in a paragraph below its line.

    A table whose last column holds sentences has no room for them on eighty columns. A name that
    is longer than its column has a line of its own.
    """

    def __init__(self, feeds: Sequence[FeedRow], now: datetime) -> None:
        self._rows = [
            (
                row.spec.name,
                (words.HEALTH[row.health], _STYLE.get(words.TONE[row.health], "")),
                (ago(row.polled_at, now), ""),
                (words.due(row.due_at, now), ""),
                (str(row.entries), ""),
                (ago(row.newest_at, now) if row.newest_at else "-", ""),
            )
            for row in feeds
        ]
        self._remarks = ["; ".join(filter(None, _remarks(row, now))) for row in feeds]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines, as wide as the console, or as they must be."""
        widths = [
            max(map(cell_len, (head, *(row[column][0] for row in self._rows))))
            for column, head in enumerate(_HEADS, start=1)
        ]
        room = max(options.max_width - sum(widths) - _GAP * len(widths), cell_len("Feed"))
        names = max(cell_len(name) for name in ("Feed", *(row[0] for row in self._rows)))
        width = min(names, room)
        yield _line("Feed", [(head, "bold") for head in _HEADS], [width, *widths], "bold")
        for (name, *cells), remark in zip(self._rows, self._remarks, strict=True):
            if cell_len(name) > width:
                yield Text(name, overflow="fold")
                name = ""  # noqa: PLW2901 it was said
            yield _line(name, cells, [width, *widths])
            if remark:
                yield Padding(
                    Text(remark, style="dim", overflow="fold"), (0, 0, 0, _GAP), expand=False
                )


_HEADS = ("Health", "Polled", "Next", "Entries", "Newest")
_GAP = 2


def _line(
    name: str, cells: Sequence[tuple[str, str]], widths: Sequence[int], style: str = ""
) -> Text:
    """Cells of these widths, with their styles; the last one ends the line."""
    line = Text(no_wrap=True, overflow="ignore")
    *others, last = ((name, style), *cells)
    for (text, how), width in zip(others, widths, strict=False):
        line.append(f"{text}{' ' * (width - cell_len(text) + _GAP)}", how)
    return line.append(*last)


def _remarks(row: FeedRow, now: datetime) -> tuple[str, ...]:
    return (row.error or "", words.health(row, now))


def status_json(
    counts: Counts, feeds: Sequence[FeedRow], engine: Workload | None = None
) -> dict[str, Any]:
    """The same for machines: times in ISO 8601."""

    def iso(then: datetime | None) -> str | None:
        return then.isoformat() if then else None

    return {
        "feeds": {str(state): number for state, number in counts.feeds.items()},
        "entries": counts.entries,
        "articles": {str(state): number for state, number in counts.articles.items()},
        "stories": counts.stories,
        "hits": counts.hits,
        "deliveries": {str(state): number for state, number in counts.deliveries.items()},
        "notices": {str(state): number for state, number in counts.notices.items()},
        "uncertain": counts.uncertain,
        "oldest_waiting_at": iso(counts.oldest_waiting_at),
        "last_poll_at": iso(counts.last_poll_at),
        "engine": engine_view.workload_json(engine) if engine else None,
        "feed": [
            {
                "name": row.spec.name,
                "url": redact(row.spec.url),
                "publisher": row.spec.publisher,
                "health": str(row.health),
                "health_since": iso(row.health_since),
                "gaps": row.gaps,
                "gap_at": iso(row.gap_at),
                "moved_to": row.move.url if row.move else None,
                "polled_at": iso(row.polled_at),
                "ok_at": iso(row.ok_at),
                "due_at": iso(row.due_at),
                "failures": row.failures,
                "error": row.error,
                "entries": row.entries,
                "newest_at": iso(row.newest_at),
                "subscription": str(row.subscription) if row.subscription else None,
                "pushed_at": iso(row.pushed_at),
            }
            for row in feeds
        ],
    }
