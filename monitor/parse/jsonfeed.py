"""JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1), which feedparser does not read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from monitor.errors import Code, ParseError
from monitor.model import Entry, ParsedFeed
from monitor.parse.build import MAX_ENTRIES, build_entry, first_of_each, language_tag, web_link
from monitor.parse.dates import when
from monitor.parse.marks import NO_GUID, Marks, guid_mark, joined, mark_of
from monitor.parse.plain import one_line


def parse_json_feed(body: bytes, *, url: str, kept: Marks) -> ParsedFeed:
    """The entries of a JSON Feed in UTF-8, without those that `kept` knows. Raises `ParseError`."""
    try:
        data = json.loads(body, strict=False)  # a tab in a string is no reason to lose a feed
    except (ValueError, RecursionError):
        raise ParseError(Code.PARSE, "the JSON is broken") from None
    if not isinstance(data, dict) or not isinstance(data.get("items"), list):
        raise ParseError(Code.NOT_A_FEED, "this is JSON, but no JSON Feed: it lists no items")
    language = language_tag(data.get("language"))
    items = [item for item in data["items"][:MAX_ENTRIES] if isinstance(item, dict)]
    marks = [mark_of(_packed(item)) for item in items]
    inherited = mark_of(*(_packed(data.get(key)) for key in ("language", "authors", "author")))
    before = kept.guids()
    known = before if kept.cuts and kept.inherited == inherited else {}

    def built(known: Mapping[bytes, bytes]) -> dict[int, Entry | None]:
        pairs = enumerate(zip(items, marks, strict=True))
        return {
            place: _entry(item, url, language, data)
            for place, (item, mark) in pairs
            if mark not in known
        }

    entries = built(known)
    guids = {n: guid_mark(entry.guid) if entry else NO_GUID for n, entry in entries.items()}
    left_out = {known[mark] for mark in marks if mark in known} - {NO_GUID}
    if not left_out.isdisjoint(guids.values()):  # judged together, or not at all
        entries = built({})
        guids = {n: guid_mark(entry.guid) if entry else NO_GUID for n, entry in entries.items()}
    every = [guids.get(n) or known.get(mark, NO_GUID) for n, mark in enumerate(marks)]
    return ParsedFeed(
        title=one_line(_text(data, "title")),
        language=language,
        entries=first_of_each(entries.values()),
        hub=_hub(data, url),
        topic=web_link(url, data.get("feed_url")),
        listed=len(items),
        known=sum(mark in before for mark in marks),
        blocks=Marks(
            inherited=inherited, listing=bytes(8), cuts=True, each=joined(marks, every)
        ).packed(),
    )


def _packed(value: object) -> bytes:
    """The same bytes for the same value."""
    return json.dumps(value, sort_keys=True).encode()


def _hub(data: Mapping[str, Any], url: str) -> str | None:
    """The first hub that speaks WebSub; the spec names rssCloud as the other kind."""
    hubs = data.get("hubs")
    for hub in hubs if isinstance(hubs, list) else ():
        if isinstance(hub, dict) and _text(hub, "type").lower() == "websub":
            return web_link(url, hub.get("url"))
    return None


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
