"""What a message looks like in Slack, as HTML. Pure; every word is escaped.

It renders what was sent, the blocks themselves, so what it shows is what is sent. Known are the
blocks that `alerts.blocks` and `alerts.cards` make.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from html import escape, unescape
from typing import Any

Json = dict[str, Any]

_DATE = re.compile(r"<!date\^(\d+)\^[^|>]*\|([^>]*)>")
_LINK = re.compile(r"<(https?://[^|>]+)\|([^>]*)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who looks at a message: when, where, and whom they know."""

    now: datetime
    zone: tzinfo | None = UTC  # None: the machine's
    names: Mapping[str, str] = field(default_factory=dict)  # of people, by id

    def at(self, seconds: float) -> datetime:
        """A moment on the reader's clock."""
        return datetime.fromtimestamp(seconds, UTC).astimezone(self.zone)

    def day(self, at: datetime) -> str:
        """Slack's {date_short_pretty}: today, yesterday, or Nov 20, 2025."""
        days = (self.now.astimezone(self.zone).date() - at.date()).days
        near = {-1: "tomorrow", 0: "today", 1: "yesterday"}
        return near.get(days) or f"{at:%b} {at.day}, {at.year}"


def body_html(message: Json, reader: Reader, channel: str = "") -> str:
    """What a message says. Its buttons are forms that are posted to ``/press``."""
    blocks = message.get("blocks") or []
    renderers: dict[str, Callable[[Json], str]] = {
        "rich_text": lambda block: _rich_text(block, reader),
        "context": lambda block: _context(block, reader),
        "actions": lambda block: _actions(block, channel, message.get("ts", "")),
        "image": _image,
    }
    body = "".join(renderers[block["type"]](block) for block in blocks)
    return body or f'<p dir="auto">{_text({**message, "type": "mrkdwn"}, reader)}</p>'


def words_of(message: Json) -> str:
    """What a notification says of a message: its fallback text, without its links."""
    return unescape(_LINK.sub(r"\2", str(message.get("text", ""))))


def _rich_text(block: Json, reader: Reader) -> str:
    return "".join(_part(part, reader) for part in block["elements"])


def _part(part: Json, reader: Reader) -> str:
    if part["type"] == "rich_text_list":
        rows = (f'<li dir="auto">{_line(row, reader)}</li>' for row in part["elements"])
        return f"<ul>{''.join(rows)}</ul>"
    tag = {
        "rich_text_section": "p",
        "rich_text_quote": "blockquote",
        "rich_text_preformatted": "pre",
    }[part["type"]]
    return f'<{tag} dir="auto">{_line(part, reader)}</{tag}>'


def _line(part: Json, reader: Reader) -> str:
    return "".join(_inline(element, reader) for element in part["elements"])


def _inline(element: Json, reader: Reader) -> str:
    kind = element["type"]
    if kind in {"user", "usergroup"}:
        key = element[f"{kind}_id"]
        return f'<span class="mention">@{escape(reader.names.get(key, key))}</span>'
    if kind == "date":
        return _time(element["timestamp"], element["fallback"], reader)
    words = escape(element["text"])
    style = element.get("style", {})
    if style.get("bold"):
        words = f"<b>{words}</b>"
    if style.get("italic"):
        words = f"<i>{words}</i>"
    if kind == "link":
        return f'<a href="{escape(element["url"])}" rel="noopener noreferrer">{words}</a>'
    return words


def _image(block: Json) -> str:
    file = escape(block["slack_file"]["id"])
    return f'<img class="picture" src="/files/{file}" alt="{escape(block["alt_text"])}">'


def _actions(block: Json, channel: str, ts: str) -> str:
    buttons = "".join(
        f'<button name="action" value="{escape(each["action_id"])}"'
        f' class="{escape(each.get("style", "default"))}">{escape(each["text"]["text"])}</button>'
        for each in block["elements"]
    )
    return (
        '<form class="actions" method="post" action="/press">'
        f'<input type="hidden" name="channel" value="{escape(channel)}">'
        f'<input type="hidden" name="ts" value="{escape(ts)}">{buttons}</form>'
    )


def _context(block: Json, reader: Reader) -> str:
    parts = " ".join(
        f'<span dir="auto">{_text(element, reader)}</span>' for element in block["elements"]
    )
    return f'<div class="context" dir="ltr">{parts}</div>'


def _text(element: Json, reader: Reader) -> str:
    """Words as they are; of mrkdwn, what our own messages make of it: times, links, escapes."""
    words = str(element["text"])
    if element["type"] != "mrkdwn":
        return escape(words)
    shown, end = "", 0
    for match in re.finditer(f"{_DATE.pattern}|{_LINK.pattern}", words):
        shown += escape(unescape(words[end : match.start()]))
        if match[1]:
            shown += _time(int(match[1]), match[2], reader)
        else:
            url, label = (escape(unescape(each)) for each in (match[3], match[4]))
            shown += f'<a href="{url}" rel="noopener noreferrer">{label}</a>'
        end = match.end()
    return shown + escape(unescape(words[end:]))


def _time(seconds: int, words: str, reader: Reader) -> str:
    at = reader.at(seconds)
    return (
        f'<time datetime="{at.astimezone(UTC).isoformat()}" title="{escape(words)}">'
        f"{reader.day(at)} {at:%H:%M}</time>"
    )
