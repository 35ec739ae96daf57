"""Discover: which feeds a web page names, and what is in each of them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from monitor.errors import Code, ParseError, Refused, WorkError
from monitor.model import Entry, ParsedFeed
from monitor.parse import FoundFeed, discover, parse_feed
from monitor.pipeline.parsing import PARSE_SECONDS
from monitor.pipeline.poll import FEED_ACCEPT
from monitor.ports import Fetcher, NotModified, Offload, Page

MOST: Final = 12
"""Feeds of a page that are asked for what is in them."""
NEWEST: Final = 5
"""Entries of each that are kept to be shown."""

_ACCEPT: Final = f"text/html, application/xhtml+xml, {FEED_ACCEPT}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A feed that a page names, with what is in it: entries, or why it can't be read."""

    feed: FoundFeed
    entries: int = 0
    newest_at: datetime | None = None
    trouble: str | None = None
    newest: tuple[Entry, ...] = ()
    language: str | None = None
    content: str | None = None  # the same for feeds that list the same
    known_as: str | None = None  # the name under which it is declared already
    same_as: str | None = None  # the URL of another of these that lists the same


async def look(
    address: str,
    fetcher: Fetcher,
    offload: Offload,
    *,
    max_bytes: int,
    known: Mapping[str, str] | None = None,
) -> Sequence[Looked]:
    """The feeds that a web page names, asked for what is in them; or the feed that it is itself.

    `known` are names of declared feeds by their URLs, without the scheme. Raises `Refused` with one
    sentence when there is none, or the page can't be had.
    """
    page = await _page(address, fetcher, max_bytes)
    found = await _named(page, fetcher, offload, max_bytes)
    first: dict[str, str] = {}
    told = []
    for each in found:
        same = first.setdefault(each.content, each.feed.url) if each.content else each.feed.url
        told.append(
            replace(
                each,
                known_as=(known or {}).get(bare(each.feed.url)),
                same_as=None if same == each.feed.url else same,
            )
        )
    return told


async def inspect(
    url: str, fetcher: Fetcher, offload: Offload, *, max_bytes: int, title: str = ""
) -> Looked:
    """What is in a feed, or why it can't be read."""
    return await _asked(FoundFeed(url, title, "feed"), fetcher, offload, max_bytes)


def bare(url: str) -> str:
    """A URL without what makes no other feed of it: its scheme, and a slash at its end."""
    return url.partition("://")[2].rstrip("/")


async def _named(
    page: Page, fetcher: Fetcher, offload: Offload, max_bytes: int
) -> Sequence[Looked]:
    try:
        parsed = await _parsed(page, offload)
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
    return [await _asked(feed, fetcher, offload, max_bytes) for feed in found[:MOST]]


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


async def _parsed(page: Page, offload: Offload) -> ParsedFeed:
    parse = partial(parse_feed, url=page.url, content_type=page.content_type)
    return await offload.run(parse, page.body, timeout=PARSE_SECONDS)


async def _asked(feed: FoundFeed, fetcher: Fetcher, offload: Offload, max_bytes: int) -> Looked:
    try:
        answer = await fetcher.get(feed.url, accept=FEED_ACCEPT, max_bytes=max_bytes)
        if isinstance(answer, NotModified):
            return Looked(feed=feed, trouble="the server says that it has not changed")
        return _told(feed, await _parsed(answer, offload))
    except WorkError as error:
        return Looked(feed=feed, trouble=error.detail)


def _told(feed: FoundFeed, parsed: ParsedFeed) -> Looked:
    dates = [entry.published_at for entry in parsed.entries if entry.published_at]
    links = "\n".join(entry.url or entry.guid for entry in parsed.entries)
    return Looked(
        feed=FoundFeed(feed.url, feed.title or parsed.title, feed.kind),
        entries=len(parsed.entries),
        newest_at=max(dates, default=None),
        newest=parsed.entries[:NEWEST],
        language=parsed.language,
        content=hashlib.sha256(links.encode(errors="replace")).hexdigest() if links else None,
    )
