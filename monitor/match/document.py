"""What is matched of an article."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """An article as the matcher reads it."""

    title: str
    body: str  # paragraphs apart by "\n\n"
    language: str | None = None
    sources: tuple[str, ...] = ()  # who published it: names of publisher and feed
    sites: tuple[str, ...] = ()  # hosts it is served from
    tags: tuple[str, ...] = ()
    sides: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    furniture: tuple[tuple[int, int], ...] = ()
    """Parts of the body, in order and apart, that are not the article's own: nothing counts there."""
