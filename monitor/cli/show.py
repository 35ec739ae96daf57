"""What the command line prints: values in, lines and tables out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from monitor.answers import ago, counts_line
from monitor.cli.examine import Finding
from monitor.config import Settings
from monitor.ports import Counts, FeedRow
from monitor.web import words

_STYLE = {"good": "green", "warn": "yellow", "bad": "red"}


def destination(settings: Settings) -> str:
    """Where alerts go, in words."""
    if settings.slack_token is not None:
        return f"Slack, {settings.slack.channel or 'each watch to its own channel'}"
    if settings.slack_webhook is not None:
        return "Slack's webhook"
    return "the terminal (set SLACK_BOT_TOKEN for Slack)"


def finding(found: Finding) -> Text:
    """One line of `monitor doctor`: its sign, what was looked at, and what to do about it."""
    sign, style = {True: ("✓", "green"), False: ("✗", "red"), None: ("–", "dim")}[found.is_right]
    line = Text(f"{sign} ", style=style)
    line.append(f"{found.subject}: ", "bold")
    line.append(found.said, "" if found.is_right else style)
    return line


def status(counts: Counts, feeds: Sequence[FeedRow], now: datetime) -> Iterator[Any]:
    """The totals and a table of feeds."""
    yield Text(counts_line(counts), style="bold")
    yield f"Last poll {ago(counts.last_poll_at, now)}; {words.some(counts.due_feeds, 'feed')} due now."
    if counts.oldest_waiting_at:
        yield f"[yellow]The oldest unsent message was wanted {ago(counts.oldest_waiting_at, now)}.[/]"
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("Feed", "Health", "Polled", "Next", "Entries", "Newest", "Remarks"):
        table.add_column(name, overflow="fold" if name in {"Feed", "Remarks"} else "ellipsis")
    for row in feeds:
        table.add_row(
            escape(row.spec.name),
            Text(words.HEALTH[row.health], style=_STYLE.get(words.TONE[row.health], "")),
            ago(row.polled_at, now),
            words.due(row.due_at, now),
            str(row.entries),
            ago(row.newest_at, now) if row.newest_at else "-",
            escape("; ".join(filter(None, (row.error, words.health(row, now))))),
        )
    yield table if feeds else Text("No feeds yet: `monitor run` takes each [[feed]] of feeds.toml.")


def status_json(counts: Counts, feeds: Sequence[FeedRow]) -> dict[str, Any]:
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
        "feed": [
            {
                "name": row.spec.name,
                "url": row.spec.url,
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
            }
            for row in feeds
        ],
    }
