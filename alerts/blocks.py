"""Messages as Slack's Block Kit. Pure: the same message always gives the same blocks.

What publishers wrote stands in ``rich_text`` and ``plain_text`` elements alone, which Slack shows
as they are. The one ``mrkdwn`` element holds a time in our own characters, because only mrkdwn
shows it in the reader's time zone. The fallback `Rendered.text`, which is mrkdwn too, is escaped:
``& < >`` are all that Slack asks for (docs.slack.dev, formatting message text).

Measured limits of the service: 50 blocks, about 12,000 characters over all blocks, 4,000 in the
text of ``chat.update``. An alert stays under 6 blocks and 2,500 characters; what else is said is
made in `alerts.cards`.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerts.cards import UNTITLED, card_to_blocks
from alerts.elements import MAX_TEXT, Block, Rendered, date, escape, link_target, plain
from alerts.message import Alert, Button, Message, Passage
from alerts.text import (
    clean,
    clean_passage,
    directed,
    isolated,
    pieces,
    shorten,
    shorten_passage,
)

MAX_CHARACTERS = 2500  # over all blocks of one message
HEADLINE = 300
PASSAGE = 300
NAME = 60  # a publisher, a watch or a term in the context line
WATCHES = 3  # named in the context line; the rest is counted
TERMS = 6
OUTLETS = 5
TOUCHES = 4  # as many as people can do; each is two of the ten elements of a context block
LABEL = 75  # Slack's own limit for a button
MOVED = "Now part of: "
SEPARATOR = "  ·  "


def to_blocks(message: Message, image: str | None = None) -> Rendered:
    """What to send for a message; `image` is Slack's id of a card's picture, once it has one."""
    return _alert(message) if isinstance(message, Alert) else card_to_blocks(message, image)


def outlets(also: tuple[str, ...]) -> str:
    """Who else carries the story: "+4 outlets: PTI, Dawn, …"; nothing if nobody does."""
    if not also:
        return ""
    count = "+1 outlet: " if len(also) == 1 else f"+{len(also)} outlets: "
    return count + _list(also, OUTLETS)


def independent(alert: Alert) -> str:
    """How many of those who carry the story report themselves; nothing where all of them do."""
    if alert.independent is None or alert.independent > len(alert.also):
        return ""
    return f"{alert.independent} independent report{'' if alert.independent == 1 else 's'}"


def carried(alert: Alert) -> str:
    """How many publishers have the story, where an agency stands for several of them."""
    if alert.carriers is None or alert.carriers <= len(alert.also) + 1:
        return ""
    return f"carried by {alert.carriers}"


def headline_of(alert: Alert) -> str:
    """The headline as it is shown; its address if it has none."""
    headline = shorten(clean(alert.headline) or clean(alert.url or "") or UNTITLED, HEADLINE)
    return MOVED + headline if alert.pointer else headline


def passage_of(alert: Alert) -> Passage | None:
    """The passage as it is shown; None if there is nothing to show."""
    if alert.passage is None:
        return None
    passage = shorten_passage(clean_passage(alert.passage), PASSAGE)
    return passage if passage.text else None


def facts_of(alert: Alert) -> list[str]:
    """The words of the context line beside the time: publisher, watches, terms, other outlets.

    A term that is the name of a watch is not said again.
    """
    names = {name.casefold() for name in alert.watches[:WATCHES]}
    terms = _list(tuple(term for term in alert.terms if term.casefold() not in names), TERMS)
    watches = _list(alert.watches, WATCHES)
    return [
        _name(alert.publisher),
        watches,
        terms,
        outlets(alert.also),
        carried(alert),
        independent(alert),
    ]


# ---------------------------------------------------------------------------- alert


def _alert(alert: Alert) -> Rendered:
    headline = headline_of(alert)
    url = link_target(alert.url)
    passage = passage_of(alert)
    elements = [_headline_element(headline, url)]
    if alert.pointer:
        blocks: list[Block] = [{"type": "rich_text", "elements": elements}]
        return Rendered(text=_fallback(alert, headline, url), blocks=blocks)
    if passage:
        elements.append({"type": "rich_text_quote", "elements": _quote_elements(passage)})
    return Rendered(
        text=_fallback(alert, headline, url),
        blocks=[{"type": "rich_text", "elements": elements}, _context(alert), *_hands(alert)],
    )


def _headline_element(headline: str, url: str | None) -> Block:
    before, after = directed(headline)
    shown: Block = {"type": "text", "text": before + headline + after, "style": {"bold": True}}
    if url:
        shown |= {"type": "link", "url": url}
    return {"type": "rich_text_section", "elements": [shown]}


def _quote_elements(passage: Passage) -> list[Block]:
    """The passage piece by piece; the first and the last also carry its direction."""
    before, after = directed(passage.text)
    parts = list(pieces(passage))
    last = len(parts) - 1
    elements: list[Block] = []
    for at, (piece, marked) in enumerate(parts):
        text = (before if at == 0 else "") + piece + (after if at == last else "")
        element: Block = {"type": "text", "text": text}
        elements.append(element | {"style": {"bold": True}} if marked else element)
    return elements


def _context(alert: Alert) -> Block:
    publisher, *rest = facts_of(alert)
    details = SEPARATOR.join(part for part in rest if part)
    elements = [_moment(alert)]
    if publisher:
        elements.insert(0, plain(publisher))
    if details:
        elements.append(plain(details))
    return {"type": "context", "elements": elements}


def _hands(alert: Alert) -> Iterator[Block]:
    """What people did about the message, and what they can do."""
    if alert.touches:
        elements: list[Block] = []
        for touch in alert.touches[:TOUCHES]:
            words = f"{touch.what} by {_name(touch.by) or UNTITLED}"
            elements.append(plain(f"{words}{' until' if touch.until else ''}"))
            elements.append({"type": "mrkdwn", "text": date(touch.at), "verbatim": True})
        yield {"type": "context", "elements": elements}
    if alert.buttons:
        yield {"type": "actions", "elements": [_button(each, alert) for each in alert.buttons]}


def _button(button: Button, alert: Alert) -> Block:
    shown = {
        "type": "button",
        "action_id": button.action,
        "text": plain(shorten(button.label, LABEL)),
        "value": alert.delivery_id,
    }
    return shown | {"style": "primary"} if button.first else shown


def _moment(alert: Alert) -> Block:
    """Publication, else when it was found: `<!date>` is shown in the reader's own time zone."""
    at = alert.published_at or alert.found_at
    prefix = "" if alert.published_at else "found "
    return {"type": "mrkdwn", "text": prefix + date(at), "verbatim": True}


def _fallback(alert: Alert, headline: str, url: str | None) -> str:
    label = escape(isolated(headline))
    rest = "".join(
        f" {sign} {escape(words)}"
        for sign, words in (("—", _name(alert.publisher)), ("·", _list(alert.watches, WATCHES)))
        if words
    )
    linked = f"<{escape(url)}|{label}>{rest}" if url else label + rest
    return linked if len(linked) <= MAX_TEXT else label + rest


# ---------------------------------------------------------------------------- words


def _name(text: str) -> str:
    return isolated(shorten(clean(text), NAME))


def _list(names: tuple[str, ...], limit: int) -> str:
    """The first of them and how many more there are."""
    shown = ", ".join(_name(name) or UNTITLED for name in names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown
