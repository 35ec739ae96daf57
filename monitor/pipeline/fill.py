"""Fill: what a feed dropped between two polls is looked up in its site's news sitemap.

Only sitemaps that robots.txt or the site's front page names are read, few and small ones. What they
list with a date from between the two polls is added as entries of the feed.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from monitor import telemetry, tracing
from monitor.compose import place_entry
from monitor.errors import Permanent, WorkError
from monitor.model import Entry, Feed, Job, Kind
from monitor.parse.sitemaps import looks_like_news, named_in_page, named_in_robots, parse_sitemap
from monitor.pipeline.context import Context
from monitor.ports import Added, FoundEntry, Page, Transaction
from monitor.stories.urls import same_site

log = telemetry.get_logger()

MOST = 200
"""Entries that one gap is filled with: the newest."""
DOCUMENTS = 3
LARGEST = 10 << 20  # bytes of a document as sent and as decoded
PARSE_SECONDS = 10.0

_XML = "application/xml, text/xml;q=0.9, */*;q=0.1"
_ROBOTS = 500 << 10
_FRONT_PAGE = 2 << 20
_SECTIONS = 3


async def fill(context: Context, feed: Feed, listed: Sequence[FoundEntry]) -> Added:
    """Add what was published between the last poll and what the feed lists now; says what it was.

    `feed` is as it was before the poll that found the gap, `listed` what that poll found. A site
    that names no sitemap, and one whose sitemaps can't be read, leaves the gap as it is.
    """
    since, home = feed.newest_at, _home(listed)
    if since is None or home is None:
        return Added()
    entries = await _published(context, home)
    found = await asyncio.to_thread(
        missing, feed, entries, listed, since=since, now=context.clock.now()
    )
    if not found:
        return Added()

    def save(tx: Transaction) -> Added:
        now = context.clock.now()
        added = tx.add_entries(feed, found, now)
        for bucket in added.buckets:
            tx.submit(Job(Kind.INGEST, str(bucket)))
        for story in added.stories:
            tx.refresh_deliveries(story, now + context.rules.debounce)
        return added

    began = context.clock.now()
    added = await context.store.write(save)
    for article in added.made:
        tracing.record(article, tracing.POLL, began, context.clock.now(), feed=feed.spec.name)
    telemetry.FILLED.inc(added.entries)
    log.info("feed.filled", feed=feed.spec.name, new=added.entries)
    return added


def missing(
    feed: Feed,
    entries: Sequence[Entry],
    listed: Sequence[FoundEntry],
    *,
    since: datetime,
    now: datetime,
) -> tuple[FoundEntry, ...]:
    """Of a sitemap's entries, those that the feed will have listed and nobody saw: newest first.

    Published after `since` and before what the feed lists now, at the site that it lists, in the
    sections that it lists if those are few, and not listed itself.
    """
    dates = sorted(each.entry.published_at for each in listed if each.entry.published_at)
    until = min(now, dates[len(dates) // 4]) if dates else now
    sections = _sections(listed)
    known = {each.url for each in listed}
    home = _home(listed)
    between = [
        entry
        for entry in entries
        if entry.published_at is not None and since < entry.published_at <= until
    ]
    between.sort(key=lambda entry: entry.published_at or since, reverse=True)
    found: list[FoundEntry] = []
    for entry in between:
        placed = place_entry(feed, entry)
        if (
            placed.url not in known
            and (not sections or _section(placed.url) in sections)
            and _is_of(home, placed.url)
        ):
            known.add(placed.url)
            found.append(placed)
            if len(found) == MOST:
                break
    return tuple(found)


async def _published(context: Context, home: str) -> Sequence[Entry]:
    """What the news sitemaps of a site list."""
    waiting = deque(await _named(context, home))
    asked: set[str] = set()
    entries: list[Entry] = []
    while waiting and len(asked) < DOCUMENTS:
        url = waiting.popleft()
        if url in asked:
            continue
        asked.add(url)
        page = await _get(context, url, _XML, LARGEST)
        if page is None:
            continue
        try:
            sitemap = await context.offload.run(
                parse_sitemap, page.body, page.url, timeout=PARSE_SECONDS
            )
        except WorkError as error:
            log.debug("sitemap.unread", url=url, error=error.detail)
            continue
        entries += sitemap.entries
        # an index of everything leads to years of archives: only its news is asked for
        waiting.extendleft(reversed([each for each in sitemap.children if looks_like_news(each)]))
    return entries


async def _named(context: Context, home: str) -> Sequence[str]:
    """The sitemaps that a site names: in robots.txt, else on its front page."""
    page = await _get(context, f"{home}/robots.txt", "text/plain, */*;q=0.1", _ROBOTS)
    if page is not None:
        named = named_in_robots(page.body.decode("utf-8", "replace"), page.url)
        if named:
            return named
    page = await _get(context, f"{home}/", "text/html, */*;q=0.1", _FRONT_PAGE)
    return named_in_page(page.body, page.url) if page is not None else ()


async def _get(context: Context, url: str, accept: str, max_bytes: int) -> Page | None:
    try:
        answer = await context.fetcher.get(url, accept=accept, max_bytes=max_bytes)
    except WorkError as error:
        log.debug("sitemap.unread", url=url, error=error.detail)
        return None
    return answer if isinstance(answer, Page) else None


def _home(listed: Sequence[FoundEntry]) -> str | None:
    """``https://host`` of the site that most of the entries lead to."""
    links = [urlsplit(each.entry.url) for each in listed if each.entry.url]
    homes = Counter(f"{link.scheme}://{link.netloc.rpartition('@')[2]}" for link in links)
    return homes.most_common(1)[0][0] if homes else None


def _is_of(home: str | None, url: str) -> bool:
    try:
        return home is not None and same_site(home, url)
    except Permanent:
        return False


def _sections(listed: Sequence[FoundEntry]) -> frozenset[str]:
    """The sections that a feed is about; empty if it does not look like being about any."""
    found = {_section(each.url) for each in listed}
    few = len(found) <= _SECTIONS and len(found) * 2 <= len(listed)
    return frozenset(found) if few and "" not in found else frozenset()


def _section(url: str) -> str:
    """The first part of a path with several; years and numbers are all one."""
    first, slash, _ = urlsplit(url).path.strip("/").partition("/")
    return ("#" if first.isdecimal() else first) if slash else ""
