"""What `monitor watches diff` prints: values in, lines out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from monitor.cli.show.backtests import samples
from monitor.match.backtest import Outcome
from monitor.match.plan import read
from monitor.match.query import bracketed
from monitor.model import Watch
from monitor.web import words


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A watch of the file beside the one of its name that was run last."""

    old: Watch | None  # None: it is new
    new: Watch | None  # None: it is gone
    outcome: Outcome | None  # over the archive; of what is gone, of the old one

    @property
    def name(self) -> str:
        """Of either."""
        watch = self.new or self.old
        assert watch is not None
        return watch.name

    @property
    def what(self) -> str:
        """What became of it, in a word."""
        return "new" if self.old is None else "gone" if self.new is None else "changed"

    @property
    def gained(self) -> int:
        """Articles in which only the new one finds something."""
        return self._count()[0]

    @property
    def lost(self) -> int:
        """And only the old one."""
        return self._count()[1]

    def _count(self) -> tuple[int, int]:
        if self.outcome is None:
            return 0, 0
        if self.outcome.difference is not None:
            return self.outcome.difference.only_new, self.outcome.difference.only_old
        hits = self.outcome.new.hits
        return (hits, 0) if self.new else (0, hits)

    @property
    def messages(self) -> tuple[int, int]:
        """In how many messages, before and now."""
        if self.outcome is None:
            return 0, 0
        told = self.outcome.new.messages
        if self.outcome.old is not None:
            return self.outcome.old.messages, told
        return (0, told) if self.new else (told, 0)


def differences(edits: Sequence[Edit]) -> Iterator[RenderableType]:
    """What the file would have other than what runs, for people."""
    if not edits:
        yield Text("The watches of the file are those that were run last.")
        return
    for edit in edits:
        yield from _edit(edit)
        yield ""


def _edit(edit: Edit) -> Iterator[RenderableType]:
    sign, style = {"new": ("+", "green"), "gone": ("-", "red"), "changed": ("~", "yellow")}[
        edit.what
    ]
    head = Text(f"{sign} ", style=style)
    head.append(edit.name, "bold")
    head.append(f"  {edit.what}", "dim")
    yield head
    old, new = edit.old, edit.new
    if old and new and old.channel != new.channel:
        was, now = old.channel or "the default channel", new.channel or "the default channel"
        yield Text(f"  channel: {was} → {now}")
    if edit.outcome is None:
        return
    for label, watch in (("-", old), ("+", new)):
        if watch is not None:
            yield Text(f"  {label} {bracketed(read(watch).root)}")
    before, after = edit.messages
    gained, lost = words.some(edit.gained, "article"), words.some(edit.lost, "article")
    yield Text(
        f"  of {words.some(edit.outcome.articles, 'article')}: {gained} more, {lost} less; "
        f"messages {words.number(before)} → {words.number(after)}"
    )
    if (difference := edit.outcome.difference) is not None:
        for title, found in (
            ("more", difference.samples_new),
            ("less", difference.samples_old),
        ):
            yield from (Padding(part, (0, 0, 0, 2)) for part in samples(title, found))


def differences_json(edits: Sequence[Edit]) -> list[dict[str, Any]]:
    """The same for machines."""
    return [
        {
            "name": edit.name,
            "change": edit.what,
            "old": bracketed(read(edit.old).root) if edit.old else None,
            "new": bracketed(read(edit.new).root) if edit.new else None,
            "old_channel": edit.old.channel if edit.old else None,
            "new_channel": edit.new.channel if edit.new else None,
            "articles": edit.outcome.articles if edit.outcome else None,
            "gained": edit.gained,
            "lost": edit.lost,
            "messages_before": edit.messages[0],
            "messages": edit.messages[1],
        }
        for edit in edits
    ]
