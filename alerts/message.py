"""What can be shown to people: frozen values, complete, ready for any sink."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of text with the parts to be emphasised as sorted, disjoint (start, end) offsets."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What a channel should show for one story. Every string but `delivery_id` is untrusted."""

    delivery_id: str  # unique for ever: the service keeps it, so that a lost answer can be found
    headline: str
    url: str | None  # http(s) or nothing
    passage: Passage | None
    publisher: str
    published_at: datetime | None
    found_at: datetime
    watches: tuple[str, ...]
    terms: tuple[str, ...]  # the watches' own spellings of what was found
    also: tuple[str, ...] = ()  # other publishers that carry the story, first seen first
    independent: int | None = None  # of them all, those who don't print what another wrote
    pointer: bool = False  # only says where the story is told now: in another message


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A line for the people who run the service."""

    delivery_id: str
    text: str


Message = Alert | Notice
