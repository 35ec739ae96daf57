"""What a search found, for files and programs: CSV, JSON lines, RSS. Pure."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import Final, TypeAlias
from xml.etree import ElementTree as ET

from monitor.match.passage import best_passage
from monitor.ports import Match
from monitor.web.view import web_link

Value: TypeAlias = "str | int | Sequence[str] | None"

COLUMNS: Final = (
    "id",
    "story",
    "first_seen_at",
    "published_at",
    "publisher",
    "language",
    "title",
    "passage",
    "url",
)
"""Of a table of finds: what every row has."""

EXPORTED: Final = (
    *(name for name in COLUMNS if name not in {"passage", "url"}),
    *("url", "found", "sides", "tags", "authors", "body"),
)
"""The same of an export, which has the whole text."""

PASSAGE: Final = 300
"""Characters of a passage."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet may take for the beginning of a formula, in width of either kind (OWASP, CSV
injection): a headline is somebody else's."""

_UNFIT: Final = re.compile(
    "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)  # for XML 1.0
_ATOM: Final = "http://www.w3.org/2005/Atom"


def record(match: Match) -> dict[str, Value]:
    """A find as one flat record, with what was matched in words. Times in UTC, as ISO 8601."""
    each = match.archived
    document = each.document
    in_body = [span for span in match.spans if span.field == "body"]
    return {
        "id": int(each.article),
        "story": None if each.story is None else int(each.story),
        "first_seen_at": _moment(each.first_seen_at),
        "published_at": None if each.published_at is None else _moment(each.published_at),
        "publisher": match.publisher,
        "language": document.language,
        "title": document.title,
        "passage": best_passage(document.body, in_body, PASSAGE).text,
        "url": web_link(each.url),
        "found": list(dict.fromkeys(_words(match))),
    }


def _words(match: Match) -> Iterable[str]:
    document = match.archived.document
    for span in match.spans:
        text = document.title if span.field == "title" else document.body
        yield " ".join(text[span.start : span.end].split())


def lines_of_csv(
    records: Iterable[Mapping[str, Value]], *, head: bool, columns: Sequence[str] = COLUMNS
) -> str:
    """Rows of a table (RFC 4180), with their heads if these are the first."""
    written = io.StringIO(newline="")
    table = csv.writer(written)
    if head:
        table.writerow(columns)
    for each in records:
        table.writerow([_cell(each[name]) for name in columns])
    return written.getvalue().encode("utf-8", "replace").decode()


def _cell(value: Value) -> Value:
    """A value that no spreadsheet takes for a formula: such a text begins with an apostrophe."""
    if not isinstance(value, str | int | None):
        value = "; ".join(value)
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return value


def lines_of_json(records: Iterable[Mapping[str, Value]]) -> str:
    """One object a line."""
    lines = (f"{json.dumps(each, ensure_ascii=False)}\n" for each in records)
    return "".join(lines).encode("utf-8", "replace").decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What a feed of finds says of itself."""

    title: str
    description: str
    page: str  # URL of the same search as a page
    own: str  # of the feed
    built_at: datetime


def rss(channel: Channel, matches: Iterable[Match], home: str) -> bytes:
    """Finds as RSS 2.0; what has no link on the web leads to its story below `home`."""
    ET.register_namespace("atom", _ATOM)
    root = ET.Element("rss", version="2.0")
    top = ET.SubElement(root, "channel")
    for name, text in (
        ("title", channel.title),
        ("link", channel.page),
        ("description", channel.description),
        ("lastBuildDate", format_datetime(channel.built_at, usegmt=True)),
        ("generator", "monitor"),
    ):
        _add(top, name, text)
    own = {"href": channel.own, "rel": "self", "type": "application/rss+xml"}
    ET.SubElement(top, f"{{{_ATOM}}}link", own)
    for match in matches:
        _add_item(top, match, home)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _add_item(top: ET.Element, match: Match, home: str) -> None:
    each, found = match.archived, record(match)
    item = ET.SubElement(top, "item")
    _add(item, "title", each.document.title or "(untitled)")
    link = web_link(each.url) or (f"{home}stories/{each.story}" if each.story else None)
    if link is not None:
        _add(item, "link", link)
    _add(item, "guid", f"{home}articles/{each.article}").set("isPermaLink", "false")
    _add(item, "pubDate", format_datetime(each.published_at or each.first_seen_at, usegmt=True))
    said = f"{match.publisher}: {found['passage']}".strip(": ")
    _add(item, "description", escape(said))  # readers take it for HTML


def _add(to: ET.Element, name: str, text: str) -> ET.Element:
    element = ET.SubElement(to, name)
    element.text = _UNFIT.sub("\ufffd", text)
    return element


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
