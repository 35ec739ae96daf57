"""What can be shown to people: frozen values, complete, ready for any sink.

A `Card` waits in a database until it is shown: `card_to_json` and `card_from_json` take it there
and back.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of text with the parts to be emphasised as sorted, disjoint (start, end) offsets."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """What somebody did about a message."""

    what: str  # our own word: "seen", "muted"
    by: str  # what they are called: untrusted
    at: datetime
    until: bool = False  # `at` is when it ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """What people can do about a message, where they can."""

    action: str  # what the service hears when it is pressed, together with the `delivery_id`
    label: str
    first: bool = False  # what is usually done


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
    also: tuple[str, ...] = ()  # who else has it, first seen first: publishers, agencies once each
    independent: int | None = None  # of them all, those who don't print what another wrote
    carriers: int | None = None  # publishers that have it, in their own words or an agency's
    pointer: bool = False  # only says where the story is told now: in another message
    touches: tuple[Touch, ...] = ()
    buttons: tuple[Button, ...] = ()
    revision: int = 0  # rises with each edit


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some words of a line. Untrusted: shown as they are, never read as markup."""

    text: str
    url: str | None = None  # http(s): the words are a link
    bold: bool = False
    at: datetime | None = None  # shown as this time in the reader's own zone, in place of `text`


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a card."""

    parts: tuple[Part, ...]
    bullet: bool = False
    quote: bool = False
    code: bool = False  # spaces count: what stands below what is meant


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture, small enough to wait in a database row."""

    png: bytes
    alt: str  # what it shows, for who can't see it; untrusted


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Anything said that is not a story itself: a reply, a digest, a spike, news of a feed.

    All words are untrusted but `delivery_id` and `notify`, which is the operator's own.
    """

    title: str
    lines: tuple[Line, ...] = ()
    note: tuple[Part, ...] = ()  # one line in small type below
    notify: tuple[str, ...] = ()  # ids of people (U…, W…) and of groups of them (S…)
    image: Image | None = None
    delivery_id: str = ""  # unique for ever, as that of an alert; the outbox gives it
    revision: int = 0  # rises with each edit


Message = Alert | Card


def line(*words: str | Part, bullet: bool = False, quote: bool = False, code: bool = False) -> Line:
    """A line of these parts; plain words are parts, too."""
    parts = tuple(word if isinstance(word, Part) else Part(text=word) for word in words)
    return Line(parts=parts, bullet=bullet, quote=quote, code=code)


def card_to_json(card: Card) -> str:
    """A card as JSON, without its `delivery_id` and `revision`. Equal cards give equal JSON."""
    kept: dict[str, Any] = {"title": card.title}
    if card.lines:
        kept["lines"] = [_line_to_json(each) for each in card.lines]
    if card.note:
        kept["note"] = [_part_to_json(each) for each in card.note]
    if card.notify:
        kept["notify"] = list(card.notify)
    if card.image:
        png = base64.b64encode(card.image.png).decode()
        kept["image"] = {"png": png, "alt": card.image.alt}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def card_from_json(text: str) -> Card:
    """The card of a JSON text, as far as it is one.

    Another version of this program may have written it: what is not known is passed over, and
    what is missing or of another kind is as if it had been left out.
    """
    try:
        kept = json.loads(text)
    except ValueError:
        kept = None
    kept = kept if isinstance(kept, dict) else {}
    return Card(
        title=_str(kept.get("title")),
        lines=_each(kept.get("lines"), _line_from_json),
        note=_each(kept.get("note"), _part_from_json),
        notify=tuple(name for name in _list(kept.get("notify")) if isinstance(name, str)),
        image=_image_from_json(kept.get("image")),
    )


def _line_to_json(one: Line) -> dict[str, Any]:
    flags = {"bullet": one.bullet, "quote": one.quote, "code": one.code}
    parts = [_part_to_json(part) for part in one.parts]
    return {"parts": parts, **{name: True for name, is_set in flags.items() if is_set}}


def _part_to_json(part: Part) -> dict[str, Any]:
    kept: dict[str, Any] = {"text": part.text}
    if part.url is not None:
        kept["url"] = part.url
    if part.bold:
        kept["bold"] = True
    if part.at is not None:
        kept["at"] = part.at.astimezone(UTC).isoformat()
    return kept


def _line_from_json(kept: Mapping[str, Any]) -> Line:
    return Line(
        parts=_each(kept.get("parts"), _part_from_json),
        bullet=kept.get("bullet") is True,
        quote=kept.get("quote") is True,
        code=kept.get("code") is True,
    )


def _part_from_json(kept: Mapping[str, Any]) -> Part:
    url = kept.get("url")
    return Part(
        text=_str(kept.get("text")),
        url=url if isinstance(url, str) else None,
        bold=kept.get("bold") is True,
        at=_time(kept.get("at")),
    )


def _image_from_json(kept: Any) -> Image | None:
    if not isinstance(kept, dict):
        return None
    try:
        png = base64.b64decode(_str(kept.get("png")), validate=True)
    except (binascii.Error, ValueError):
        return None
    return Image(png=png, alt=_str(kept.get("alt"))) if png else None


def _time(kept: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(_str(kept))
    except ValueError:
        return None
    return at if at.tzinfo else None


def _each(kept: Any, read: Callable[[Mapping[str, Any]], T]) -> tuple[T, ...]:
    return tuple(read(each) for each in _list(kept) if isinstance(each, dict))


def _list(kept: Any) -> Sequence[Any]:
    return kept if isinstance(kept, list) else []


def _str(kept: Any) -> str:
    return kept if isinstance(kept, str) else ""
