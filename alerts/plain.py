"""Messages as plain text, for wherever nothing else can be shown: a title and lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerts.blocks import facts_of, headline_of, passage_of
from alerts.cards import UNTITLED, edged, preformatted
from alerts.elements import link_target, utc
from alerts.message import Alert, Card, Line, Message, Part
from alerts.text import clean, isolated, shorten

TITLE = 150  # characters; a subject, on a telephone's screen
BODY = 3500


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A message in words alone."""

    title: str  # one line
    body: str  # lines


def to_plain(message: Message) -> Plain:
    """What to send for a message: cleaned of what can't be seen, never longer than `BODY`."""
    match message:
        case Alert():
            title, lines = headline_of(message), _story(message)
        case Card():
            title, *lines = words_of(message)
    body = "\n".join(each for each in lines if each)
    return Plain(title=shorten(title, TITLE), body=_cut(body))


def words_of(card: Card) -> Iterator[str]:
    """A card as plain words, a line each, whole; the first is its title. Times are in UTC."""
    yield clean(card.title) or UNTITLED
    lines = [_line(each) for each in card.lines]
    if card.image:
        lines.append(f"[{clean(card.image.alt)}]")
    yield from filter(None, (*lines, _parts(card.note)))


def context_of(alert: Alert) -> str:
    """The line below a story: publisher, time (in UTC), watches, terms, who else has it."""
    publisher, *rest = facts_of(alert)
    at, verb = (alert.published_at, "") if alert.published_at else (alert.found_at, "found ")
    return " · ".join(each for each in (publisher, verb + utc(at), *rest) if each)


def _story(alert: Alert) -> list[str]:
    lines = [link_target(alert.url) or ""]
    if not alert.pointer:
        passage = passage_of(alert)
        lines.append(f"“{isolated(passage.text)}”" if passage else "")
        lines.append(context_of(alert))
    return lines


def _line(one: Line) -> str:
    words = preformatted(one) if one.code else _parts(one.parts)
    if not words:
        return ""
    if one.quote:
        return f"“{words}”"
    return f"• {words}" if one.bullet else words


def _parts(parts: tuple[Part, ...]) -> str:
    return "".join(_part(part) for part in parts).strip()


def _part(part: Part) -> str:
    """A part's words, blanks at its ends kept; a link's address behind them."""
    if part.at is not None:
        return utc(part.at)
    shown = edged(part.text)
    target = link_target(part.url)
    if target is None:
        return shown
    words = shown.rstrip()
    return f"{words} ({target}){shown[len(words) :]}"


def _cut(body: str) -> str:
    """Whole lines, as many as there is room for."""
    if len(body) <= BODY:
        return body
    return body[: BODY + 1].rpartition("\n")[0] or shorten(body.partition("\n")[0], BODY)
