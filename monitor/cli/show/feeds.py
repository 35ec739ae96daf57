"""What `monitor feeds` does and prints: which feeds a web page names, and what is in them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from monitor.config import Settings
from monitor.errors import Code, ParseError, Refused, WorkError
from monitor.model import ParsedFeed
from monitor.parse import FoundFeed, discover, parse_feed
from monitor.pipeline.poll import FEED_ACCEPT, PARSE_SECONDS
from monitor.ports import Clock, Fetcher, NotModified, Offload, Page
from monitor.service import fetching, offloading
from monitor.web import words

MOST = 12
"""Feeds of a page that are asked for what is in them."""

_ACCEPT = f"text/html, application/xhtml+xml, {FEED_ACCEPT}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A feed that a page names, with what is in it: entries, or why it can't be read."""

    feed: FoundFeed
    entries: int = 0
    newest_at: datetime | None = None
    trouble: str | None = None


async def look(address: str, settings: Settings, clock: Clock) -> Sequence[Looked]:
    """The feeds that a web page names, asked for what is in them; or the feed that it is itself.

    Raises `Refused` with one sentence when there is none, or the page can't be had.
    """
    async with fetching(settings, clock) as fetcher:
        page = await _page(address, fetcher, settings.fetch.max_feed)
        async with offloading() as pool:
            return await _named(page, fetcher, pool, settings.fetch.max_feed)


async def _named(page: Page, fetcher: Fetcher, pool: Offload, max_bytes: int) -> Sequence[Looked]:
    try:
        parsed = await _parsed(page, pool)
    except ParseError as error:
        if error.code is not Code.NOT_A_FEED:
            raise Refused(f"{page.url}: {error.detail}") from None
    else:
        return [_told(FoundFeed(page.url, parsed.title, "feed"), parsed)]
    found = await asyncio.to_thread(
        partial(discover, content_type=page.content_type), page.body, page.url
    )
    if not found:
        raise Refused(f"{page.url} is no feed, and names none")
    return [await _asked(feed, fetcher, pool, max_bytes) for feed in found[:MOST]]


async def _page(address: str, fetcher: Fetcher, max_bytes: int) -> Page:
    """The page at an address; at one without a scheme by https, and if nobody answers by http."""
    given = address.strip()
    schemes = ("",) if "://" in given else ("https://", "http://")
    urls = [f"{scheme}{given}" for scheme in schemes if given]
    trouble = f"{address!r} is no address of a page"
    for url in urls:
        try:
            answer = await fetcher.get(url, accept=_ACCEPT, max_bytes=max_bytes)
        except WorkError as error:
            trouble = f"{url}: {error.detail}"
            if error.code is Code.BLOCKED:
                trouble += "; [fetch] allow opens hosts of your own"
            if error.status is not None:  # there is a server, and that is its answer
                break
        else:
            if isinstance(answer, Page):
                return answer
            trouble = f"{url}: the server says that what it never sent has not changed"
    raise Refused(trouble)


async def _parsed(page: Page, pool: Offload) -> ParsedFeed:
    parse = partial(parse_feed, url=page.url, content_type=page.content_type)
    return await pool.run(parse, page.body, timeout=PARSE_SECONDS)


async def _asked(feed: FoundFeed, fetcher: Fetcher, pool: Offload, max_bytes: int) -> Looked:
    try:
        answer = await fetcher.get(feed.url, accept=FEED_ACCEPT, max_bytes=max_bytes)
        if isinstance(answer, NotModified):
            return Looked(feed=feed, trouble="the server says that it has not changed")
        return _told(feed, await _parsed(answer, pool))
    except WorkError as error:
        return Looked(feed=feed, trouble=error.detail)


def _told(feed: FoundFeed, parsed: ParsedFeed) -> Looked:
    dates = [entry.published_at for entry in parsed.entries if entry.published_at]
    named = FoundFeed(feed.url, feed.title or parsed.title, feed.kind)
    return Looked(feed=named, entries=len(parsed.entries), newest_at=max(dates, default=None))


def listed(found: Sequence[Looked], now: datetime) -> Iterator[RenderableType]:
    """Each feed in a line: its address, what the page calls it, its kind, what is in it."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("Feed", "Title", "Kind", "In it"):
        table.add_column(name, overflow="fold", no_wrap=name == "Feed")
    for each in found:
        table.add_row(
            Text(each.feed.url),
            Text(each.feed.title or "-"),
            Text(each.feed.kind),
            Text(_in_it(each, now), style="" if each.trouble is None else "yellow"),
        )
    yield table


def _in_it(each: Looked, now: datetime) -> str:
    if each.trouble is not None:
        return each.trouble
    newest = f", the newest {words.ago(each.newest_at, now)}" if each.newest_at else ""
    return f"{words.some(each.entries, 'entry', 'entries')}{newest}"


def listed_json(found: Sequence[Looked]) -> list[dict[str, Any]]:
    """The same for machines: times in ISO 8601."""
    return [
        {
            "url": each.feed.url,
            "title": each.feed.title,
            "kind": each.feed.kind,
            "entries": each.entries,
            "newest_at": each.newest_at.isoformat() if each.newest_at else None,
            "trouble": each.trouble,
        }
        for each in found
    ]
