"""What Block Kit messages are made of, whatever they say. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit

Block: TypeAlias = dict[str, Any]

MAX_URL = 3000  # Slack's own limit for a link
MAX_TEXT = 3500  # of the fallback; chat.update refuses more than 4,000
_DATE_FORMAT = "{date_short_pretty} {time}"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as Slack takes it."""

    text: str  # escaped mrkdwn: notifications, screen readers, and when blocks are refused
    blocks: list[Block]


def escape(text: str) -> str:
    """Text that mrkdwn shows as it is: no mention, no link, no channel-wide call can be forged."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def link_target(url: str | None) -> str | None:
    """The URL as a link's target: http(s) only, what could end a link percent-encoded.

    None if it can't be a link: no host, another scheme, longer than Slack takes.
    """
    if not url:
        return None
    encoded = "".join(_encoded(char) for char in url.strip())
    try:
        parts = urlsplit(encoded)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:  # an unclosed [ in the host
        return None
    if not usable or len(encoded) > MAX_URL:
        return None
    return parts.scheme + encoded[len(parts.scheme) :]  # urlsplit gives it in small letters


def plain(text: str) -> Block:
    """Words in which Slack looks for nothing."""
    return {"type": "plain_text", "text": text, "emoji": False}


def utc(at: datetime) -> str:
    """A time as words."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def date(at: datetime) -> str:
    """A time as mrkdwn, in the reader's own zone; clients that can't format it show UTC."""
    seconds = int(at.timestamp())
    if seconds <= 0:  # Slack reads positive numbers only
        return utc(at)
    return f"<!date^{seconds}^{_DATE_FORMAT}|{utc(at)}>"


def date_element(at: datetime) -> Block:
    """The same as an element of rich_text."""
    seconds = int(at.timestamp())
    if seconds <= 0:
        return {"type": "text", "text": utc(at)}
    return {"type": "date", "timestamp": seconds, "format": _DATE_FORMAT, "fallback": utc(at)}


def _encoded(char: str) -> str:
    category = unicodedata.category(char)
    if char in '<>|"' or category in {"Cc", "Cf", "Zs", "Zl", "Zp"}:
        return quote(char)
    return "%EF%BF%BD" if category == "Cs" else char
