"""Texts with what was found in them standing out."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text

from monitor.match.passage import Passage

FOUND = "bold yellow"
"""How that looks."""


def marked(pieces: Iterable[tuple[str, bool]], style: str = "") -> Text:
    """A text with what was found in it."""
    text = Text(style=style)
    for piece, is_found in pieces:
        text.append(" ".join(piece.split("\n")), FOUND if is_found else "")
    return text


def passage_text(passage: Passage) -> Text:
    """A passage with what was found in it."""
    text = Text(passage.text)
    for start, end in passage.marks:
        text.stylize(FOUND, start, end)
    return text
