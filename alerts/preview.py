"""What a message looks like in Slack, as HTML. Pure; every word is escaped.

For pages and pictures that show what would have been posted. It renders the blocks themselves, not
the alert, so what it shows is what is sent. Known are the blocks that `alerts.blocks` and `alerts.cards` make.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from typing import Any

from alerts.elements import Block, Rendered

_DATE = re.compile(r"<!date\^(\d+)\^[^|>]*\|([^>]*)>")


def to_html(
    rendered: Rendered, *, at: datetime, sender: str = "monitor", edited: bool = False
) -> str:
    """One message of a Slack channel; style it with `CSS`. `at` is when it was posted."""
    body = "".join(_block(block) for block in rendered.blocks) or _paragraph(rendered.text)
    mark = '<span class="slk-edited">(edited)</span>' if edited else ""
    return (
        '<article class="slk-message"><div class="slk-avatar" aria-hidden="true">m</div>'
        f'<div class="slk-main"><header><b>{escape(sender)}</b><span class="slk-app">APP</span>'
        f"{_clock(at)}</header>{body}{mark}</div></article>"
    )


def _block(block: Block) -> str:
    renderers: dict[str, Callable[[Block], str]] = {
        "rich_text": _rich_text,
        "context": _context,
        "actions": _actions,
        "image": _image,
    }
    return renderers[block["type"]](block)


def _rich_text(block: Block) -> str:
    return "".join(_part(part) for part in block["elements"])


def _part(part: Block) -> str:
    if part["type"] == "rich_text_list":
        rows = (f'<li dir="auto">{_line(row)}</li>' for row in part["elements"])
        return f"<ul>{''.join(rows)}</ul>"
    tag = {
        "rich_text_section": "p",
        "rich_text_quote": "blockquote",
        "rich_text_preformatted": "pre",
    }[part["type"]]
    return f'<{tag} dir="auto">{_line(part)}</{tag}>'


def _line(part: Block) -> str:
    return "".join(_inline(element) for element in part["elements"])


def _inline(element: dict[str, Any]) -> str:
    kind = element["type"]
    if kind in {"user", "usergroup"}:
        return f'<span class="slk-mention">@{escape(element[f"{kind}_id"])}</span>'
    if kind == "date":
        return _time(element["timestamp"], element["fallback"])
    words = escape(element["text"])
    style = element.get("style", {})
    if style.get("bold"):
        words = f"<b>{words}</b>"
    if style.get("italic"):
        words = f"<i>{words}</i>"
    if kind == "link":
        return f'<a href="{escape(element["url"])}" rel="noopener noreferrer">{words}</a>'
    return words


def _image(block: Block) -> str:
    return f'<div class="slk-image" role="img">{escape(block["alt_text"])}</div>'


def _actions(block: Block) -> str:
    buttons = "".join(
        f'<span class="slk-button slk-{escape(each.get("style", "default"))}">'
        f"{escape(each['text']['text'])}</span>"
        for each in block["elements"]
    )
    return f'<div class="slk-actions">{buttons}</div>'


def _context(block: Block) -> str:
    parts = "".join(f"<span>{_text(element)}</span>" for element in block["elements"])
    return f'<div class="slk-context" dir="ltr">{parts}</div>'


def _paragraph(text: str) -> str:
    return f'<p dir="auto">{escape(text)}</p>'


def _text(element: dict[str, Any]) -> str:
    if element["type"] == "mrkdwn":
        return _DATE.sub(_moment, element["text"])  # our own characters alone
    return escape(element["text"])


def _moment(match: re.Match[str]) -> str:
    return _time(int(match[1]), match[2])


def _time(seconds: int, words: str) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return (
        f'<time datetime="{at.isoformat()}" title="{escape(words)}">'
        f"{at:%b} {at.day}, {at.year} {at:%H:%M}</time>"
    )


def _clock(at: datetime) -> str:
    utc = at.astimezone(UTC)
    return f'<time class="slk-time" datetime="{utc.isoformat()}">{utc:%H:%M}</time>'


CSS = """
.slk-message { display: flex; gap: 8px; padding: 8px 20px; background: #fff; color: #1d1c1d;
  font: 15px/1.46668 Lato, "Noto Sans", "Noto Nastaliq Urdu", "Noto Sans Devanagari", Arial,
  sans-serif; overflow-wrap: anywhere; }
.slk-message:hover { background: #f8f8f8; }
.slk-avatar { flex: none; width: 36px; height: 36px; border-radius: 8px; background: #1f2937;
  color: #fff; font-weight: 900; font-size: 20px; line-height: 34px; text-align: center; }
.slk-main { min-width: 0; flex: 1; }
.slk-main header { display: flex; align-items: baseline; gap: 6px; }
.slk-main header b { font-weight: 900; }
.slk-app { padding: 1px 3px; border-radius: 2px; background: #e8e8e8; color: #616061;
  font-size: 10px; font-weight: 700; line-height: 1.2; }
.slk-time, .slk-edited { color: #616061; font-size: 12px; }
.slk-message p { margin: 0; white-space: pre-wrap; }
.slk-message a { color: #1264a3; text-decoration: none; }
.slk-message a:hover { text-decoration: underline; }
.slk-message blockquote { position: relative; margin: 4px 0; padding-inline-start: 16px; }
.slk-message blockquote::before { content: ""; position: absolute; inset-block: 0;
  inset-inline-start: 0; width: 4px; border-radius: 8px; background: #ddd; }
.slk-message p:dir(rtl), .slk-message blockquote:dir(rtl) { font-size: 13px; line-height: 2.2; }
.slk-message ul { margin: 0; padding-inline-start: 22px; }
.slk-message pre { margin: 4px 0; padding: 8px; border: 1px solid #ddd; border-radius: 4px;
  background: #f8f8f8; font: 12px/1.5 Monaco, Menlo, Consolas, monospace; white-space: pre-wrap; }
.slk-mention { padding: 0 2px; border-radius: 3px; background: #e8f5fa; color: #1264a3; }
.slk-image { margin-top: 8px; max-width: 480px; padding: 48px 16px; border-radius: 8px;
  background: #f4f4f4; color: #616061; font-size: 13px; text-align: center; }
.slk-actions { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 8px; }
.slk-button { padding: 2px 12px; border: 1px solid #bbb; border-radius: 4px; font-size: 13px;
  font-weight: 700; }
.slk-primary { border-color: #007a5a; background: #007a5a; color: #fff; }
.slk-context { display: flex; flex-wrap: wrap; gap: 0 8px; margin-top: 4px; color: #616061;
  font-size: 13px; line-height: 1.38463; }
"""
