"""What `monitor deliveries` and `monitor audit` print: values in, lines and tables out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from monitor.ports import AuditRow, DeliveryRow
from monitor.web import view, words

SHORT = 8
"""The last digits of a message's id by which it is called."""


def listed(rows: Sequence[DeliveryRow], now: datetime) -> Iterator[RenderableType]:
    """Each message in a line: its id, state, channel, attempts, age, and what it says; then why."""
    if not rows:
        yield Text("No messages.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("Id", "State", "Channel", "Attempts", "Wanted", "Message"):
        table.add_column(
            name,
            overflow="fold",
            justify="right" if name == "Attempts" else "left",
            no_wrap=name == "Id",
        )
    for line in view.delivery_lines(rows):
        row = line.row
        message = Text(row.headline or "(no headline)")
        if row.subject is not None:
            message.append(" (reply)" if row.story is not None else " (notice)", "dim")
        if line.error:
            message.append(f"\n{line.error}", "red" if line.tone == "bad" else "yellow")
        table.add_row(
            row.id[-SHORT:],
            line.state,
            Text(row.channel),
            str(row.attempts),
            words.ago(row.created_at, now),
            message,
        )
    yield table


def listed_json(rows: Sequence[DeliveryRow]) -> list[dict[str, Any]]:
    """The same for machines: times in ISO 8601."""
    return [
        {
            "id": row.id,
            "kind": "story" if row.subject is None else "reply" if row.story else "notice",
            "story": row.story,
            "subject": row.subject,
            "headline": row.headline,
            "channel": row.channel,
            "state": str(row.state),
            "uncertain": row.is_uncertain,
            "attempts": row.attempts,
            "created_at": row.created_at.isoformat(),
            "due_at": row.due_at.isoformat() if row.due_at else None,
            "sent_at": row.sent_at.isoformat() if row.sent_at else None,
            "error": row.error,
        }
        for row in rows
    ]


def audited(rows: Sequence[AuditRow], now: datetime) -> Iterator[RenderableType]:
    """Each deed in a line: when, who, what, on what, and where."""
    if not rows:
        yield Text("Nobody has done anything about a message yet.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("When", "Who", "What", "On", "Channel"):
        table.add_column(name, overflow="fold")
    for row in rows:
        cells = (row.name or row.user, row.action, row.headline or row.subject, row.channel)
        table.add_row(words.ago(row.at, now), *map(Text, cells))
    yield table


def audited_json(rows: Sequence[AuditRow]) -> list[dict[str, Any]]:
    """The same for machines."""
    return [
        {
            "at": row.at.isoformat(),
            "user": row.user,
            "name": row.name,
            "action": row.action,
            "subject": row.subject,
            "headline": row.headline,
            "channel": row.channel,
        }
        for row in rows
    ]
