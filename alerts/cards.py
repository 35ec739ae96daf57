"""Cards as Block Kit. Pure.

All words stand in ``rich_text`` and ``plain_text`` elements, which Slack does not parse. Mentions
are made of the ids in `Card.notify` alone, and of those only that look like ids.

A card stays under 10,000 characters over all blocks (Slack refuses somewhere above 11,000) and
under 50 blocks; lines that don't fit are counted. No block of it is longer than 3,000 characters,
Slack's limit for the text of a section: one for rich_text was never published.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from alerts.elements import (
    MAX_TEXT,
    Block,
    Rendered,
    date,
    date_element,
    escape,
    link_target,
    plain,
    utc,
)
from alerts.message import Card, Line, Part
from alerts.text import clean, isolated, reads_right_to_left, shorten

MAX_CHARACTERS = 9000  # over all blocks of one message
MAX_BLOCK = 2900
LINES = 100
LINE = 1200  # characters
TITLE = 300
ALT = 500
NOTE = 1000
NOTE_ELEMENTS = 10  # Slack's limit
MENTIONS = 20
UNTITLED = "(untitled)"

_PERSON = re.compile(r"[UW][A-Z0-9]{1,20}")
_GROUP = re.compile(r"S[A-Z0-9]{1,20}")
_RLM = "\u200f"


def card_to_blocks(card: Card, image: str | None = None) -> Rendered:
    """What to send for a card. `image` is the service's id of its picture, once it has one."""
    head = [_title(card), *_mentions(card)]
    shown, more = _fitting(card)
    blocks = list(_rich(head, shown, more))
    if image and card.image:
        alt = isolated(shorten(clean(card.image.alt), ALT)) or "picture"
        blocks.append({"type": "image", "slack_file": {"id": image}, "alt_text": alt})
    if note := _note(card):
        blocks.append({"type": "context", "elements": note})
    return Rendered(text=_fallback(card, shown, more), blocks=blocks)


# ---------------------------------------------------------------------------- head


def _titled(card: Card) -> str:
    return shorten(clean(card.title), TITLE) or UNTITLED


def _title(card: Card) -> Block:
    title = _titled(card)
    lead = _RLM if reads_right_to_left(title) else ""
    return {"type": "text", "text": lead + isolated(title), "style": {"bold": True}}


def _mentions(card: Card) -> Iterator[Block]:
    for name in _notified(card):
        yield {"type": "text", "text": " "}
        if _PERSON.fullmatch(name):
            yield {"type": "user", "user_id": name}
        else:
            yield {"type": "usergroup", "usergroup_id": name}


def _notified(card: Card) -> list[str]:
    ids = [each for each in card.notify if _PERSON.fullmatch(each) or _GROUP.fullmatch(each)]
    return list(dict.fromkeys(ids))[:MENTIONS]


# ---------------------------------------------------------------------------- lines


def _fitting(card: Card) -> tuple[list[Line], int]:
    """The lines that fit into a message, and how many don't."""
    room = MAX_CHARACTERS - len(_titled(card)) - ALT - NOTE
    lines = [each for each in card.lines if _line_words(each, LINE)]
    shown: list[Line] = []
    for each in lines[:LINES]:
        room -= len(_line_words(each, LINE)) + 30
        if room < 0:
            break
        shown.append(each)
    return shown, len(lines) - len(shown)


def _rich(head: list[Block], lines: Sequence[Line], more: int) -> Iterator[Block]:
    """Blocks of rich text: the head above the first lines, neighbours of a kind put together."""
    parts: list[Block] = [{"type": "rich_text_section", "elements": head}]
    size = TITLE
    for kind, run in groupby(lines, key=lambda each: (each.bullet, each.quote, each.code)):
        rows: list[list[Block]] = []
        for each in run:
            row = list(_row(each))
            length = sum(len(element.get("text", "")) for element in row)
            if size + length > MAX_BLOCK:
                parts += _run(kind, rows)
                yield {"type": "rich_text", "elements": parts}
                parts, rows, size = [], [], 0
            rows.append(row)
            size += length
        parts += _run(kind, rows)
    if more:
        words = {"type": "text", "text": f"and {more} more", "style": {"italic": True}}
        parts.append({"type": "rich_text_section", "elements": [words]})
    yield {"type": "rich_text", "elements": parts}


def _run(kind: tuple[bool, bool, bool], rows: list[list[Block]]) -> Iterator[Block]:
    """Lines of a kind: one list, one quotation, one piece of code, or a section each."""
    bullet, is_quote, is_code = kind
    if not rows:
        return
    if is_code:
        yield {"type": "rich_text_preformatted", "elements": _stacked(rows)}
    elif bullet:
        sections = [{"type": "rich_text_section", "elements": row} for row in rows]
        yield {"type": "rich_text_list", "style": "bullet", "elements": sections}
    elif is_quote:
        yield {"type": "rich_text_quote", "elements": _stacked(rows)}
    else:
        for row in rows:
            yield {"type": "rich_text_section", "elements": row}


def _stacked(rows: list[list[Block]]) -> list[Block]:
    """Rows as elements of one block, each on a line of its own."""
    stacked = list(rows[0])
    for row in rows[1:]:
        stacked += [{"type": "text", "text": "\n"}, *row]
    return stacked


def _row(one: Line) -> Iterator[Block]:
    """A line's elements; the first says which way it reads."""
    if one.code:
        yield {"type": "text", "text": _line_words(one, LINE)}
        return
    if reads_right_to_left(_line_words(one, LINE)):
        yield {"type": "text", "text": _RLM}
    room = LINE
    for part in one.parts:
        if part.at is not None:
            yield date_element(part.at)
            continue
        if room <= 0:
            return
        words = edged(shorten(part.text, room))
        room -= len(words)
        if not words:
            continue
        element: Block = {"type": "text", "text": words}
        if (url := link_target(part.url)) and not words.isspace():
            element |= {"type": "link", "url": url}
        yield element | {"style": {"bold": True}} if part.bold else element


def _line_words(one: Line, limit: int) -> str:
    """A line as plain words, nothing if it says nothing."""
    if one.code:
        return shorten(preformatted(one), limit)
    words = shorten("".join(_part_words(part) for part in one.parts).strip(), limit)
    return (("• " if one.bullet else "> " if one.quote else "") + words) if words else ""


def _part_words(part: Part) -> str:
    return utc(part.at) if part.at is not None else edged(part.text)


def edged(text: str) -> str:
    """Cleaned and fenced, but a space at either end stays: it parts one part from the next."""
    words = clean(text)
    if not words:
        return " " if text.isspace() else ""
    lead, tail = " " if text[0].isspace() else "", " " if text[-1].isspace() else ""
    return lead + isolated(words) + tail


def preformatted(one: Line) -> str:
    """A line's words cleaned, with the spaces that put one thing below another."""
    text = "".join(part.text for part in one.parts)
    return " ".join(clean(piece) for piece in text.expandtabs(4).split(" ")).rstrip()


# ---------------------------------------------------------------------------- note, fallback


def _note(card: Card) -> list[Block]:
    """The note's elements: words in a row are one, so that few times leave few elements."""
    elements: list[Block] = []
    room = NOTE
    for is_time, run in groupby(card.note, key=lambda part: part.at is not None):
        if is_time:
            for part in run:
                assert part.at is not None
                elements.append({"type": "mrkdwn", "text": date(part.at), "verbatim": True})
            continue
        words = shorten("".join(_part_words(part) for part in run), max(room, 1)).strip()
        room -= len(words)
        if words and room >= 0:
            elements.append(plain(words))
    return elements[:NOTE_ELEMENTS]


def _fallback(card: Card, lines: Iterable[Line], more: int) -> str:
    """Title, mentions and lines, as far as they fit; escaped."""
    mentions = "".join(
        f" <@{name}>" if _PERSON.fullmatch(name) else f" <!subteam^{name}>"
        for name in _notified(card)
    )
    text = escape(isolated(_titled(card))) + mentions
    rows = [escape(_line_words(each, LINE)) for each in lines]
    if more:
        rows.append(f"and {more} more")
    for row in rows:
        if len(text) + 1 + len(row) > MAX_TEXT:
            return text
        text += "\n" + row
    return text
