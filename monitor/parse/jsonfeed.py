"""JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1), which feedparser does not read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from monitor.errors import Code, ParseError
from monitor.model import Entry, ParsedFeed
from monitor.parse.build import MAX_ENTRIES, build_entry, first_of_each, language_tag, web_link
from monitor.parse.dates import when
from monitor.parse.plain import one_line


def looks_like_json(body: bytes, content_type: str) -> bool:
    """Whether bytes should be read as JSON: by their first character, whatever they are called."""
    start = body[:64].lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")
    return start.startswith(b"{") or ("json" in content_type.lower() and start[:1] != b"<")


def parse_json_feed(body: bytes, *, url: str) -> ParsedFeed:
    """The entries of a JSON Feed. Raises `ParseError`."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise ParseError(Code.PARSE, "the JSON is broken") from None
    if not isinstance(data, dict) or not isinstance(data.get("items"), list):
        raise ParseError(Code.NOT_A_FEED, "this is JSON, but no JSON Feed: it lists no items")
    language = language_tag(data.get("language"))
    items = [item for item in data["items"] if isinstance(item, dict)]
    return ParsedFeed(
        title=one_line(_text(data, "title")),
        language=language,
        entries=first_of_each(_entry(item, url, language, data) for item in items[:MAX_ENTRIES]),
    )


def _entry(
    item: Mapping[str, Any], base: str, language: str | None, feed: Mapping[str, Any]
) -> Entry | None:
    guid = item.get("id")
    return build_entry(
        guid=str(guid) if isinstance(guid, str | int | float) else "",
        link=web_link(base, item.get("url")) or web_link(base, item.get("external_url")),
        title=_text(item, "title"),
        texts=[_text(item, "content_html"), _text(item, "summary")],
        plain=_text(item, "content_text"),
        authors=list(_authors(item)) or list(_authors(feed)),
        published_at=when(item.get("date_published")) or when(item.get("date_modified")),
        language=language_tag(item.get("language")) or language,
    )


def _authors(holder: Mapping[str, Any]) -> Iterator[str]:
    """Version 1.1 has a list of authors, version 1 had one."""
    several = holder.get("authors")
    for author in several if isinstance(several, list) else [holder.get("author")]:
        if isinstance(author, dict):
            yield _text(author, "name")


def _text(holder: Mapping[str, Any], key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""
