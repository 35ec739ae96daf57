"""Adopt: what `feeds.toml` is to say of feeds that were found, or that another reader listed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from monitor.config import values
from monitor.config.addresses import http_url, same_url
from monitor.model import FeedSpec
from monitor.opml import Outline
from monitor.pipeline.discover import Looked

_LONGEST: Final = 100
_PARTS: Final = re.compile(r"\s+[-–—|»:·]\s+|\s*[|»]\s*|:\s+")
_EMPTY: Final = re.compile(
    r"(?i)^(rss|atom|feeds?|news|latest( news)?|home( ?page)?|index|top stories)$"
)


class Fate(StrEnum):
    """What is to be done about a feed of a list."""

    NEW = "new"  # it is to be added
    KNOWN = "known"  # it is declared already
    TWICE = "twice"  # it stands in the list before
    WRONG = "wrong"  # it can't be a feed


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A feed of a list, and what is to be done about it."""

    outline: Outline
    fate: Fate
    why: str = ""  # not new: as what it is known, or what is wrong
    table: Mapping[str, Any] | None = None  # new: what feeds.toml is to say


def plan(outlines: Iterable[Outline], feeds: Sequence[FeedSpec]) -> tuple[Item, ...]:
    """What a list brings beside the feeds that are declared. Nothing is asked of any server."""
    known = {same_url(feed.url): feed.name for feed in feeds}
    names = {feed.name.casefold() for feed in feeds}
    before: dict[str, int] = {}
    return tuple(_item(outline, known, names, before) for outline in outlines)


def _item(
    outline: Outline, known: Mapping[str, str], names: set[str], before: dict[str, int]
) -> Item:
    try:
        url = http_url(outline.url)
    except values.Invalid as error:
        return Item(outline=outline, fate=Fate.WRONG, why=f"its address {error}")
    same = same_url(url)
    if same in known:
        return Item(outline=outline, fate=Fate.KNOWN, why=known[same])
    if same in before:
        return Item(outline=outline, fate=Fate.TWICE, why=f"line {before[same]}")
    before[same] = outline.line
    name = unused(shortened(outline.title) or host_of(url), url, names)
    names.add(name.casefold())
    return Item(
        outline=outline,
        fate=Fate.NEW,
        table=table_of(
            name=name,
            url=url,
            publisher=outline.publisher,
            side=outline.side,
            tier=outline.tier,
            language=outline.language,
            tags=outline.tags,
        ),
    )


def table_of(
    *,
    name: str,
    url: str,
    publisher: str | None = None,
    side: str | None = None,
    tier: str | int | None = None,
    language: str | None = None,
    tags: Iterable[str] = (),
) -> Mapping[str, Any]:
    """A ``[[feed]]`` with what is worth saying in it: what can't be right is left out."""
    kept_tags = [tag for each in tags if (tag := _right(values.name, each))]
    rank = str(tier or "").strip()
    said = {
        "name": name,
        "url": url,
        "publisher": _right(values.name, publisher),
        "side": _right(values.side, side),
        "tier": int(rank) if rank in {"1", "3"} else None,
        "language": _right(values.language, language) or _right(values.language, _base(language)),
        "tags": list(dict.fromkeys(kept_tags)) or None,
    }
    if said["publisher"] == name:
        said["publisher"] = None
    return {key: value for key, value in said.items() if value is not None}


def table_of_spec(feed: FeedSpec) -> Mapping[str, Any]:
    """What `feeds.toml` says of a feed that is declared."""
    return table_of(
        name=feed.name,
        url=feed.url,
        publisher=feed.publisher,
        side=feed.side,
        tier=feed.tier,
        language=feed.language,
        tags=feed.tags,
    )


def _right(check: Callable[[object], str], value: object) -> str | None:
    try:
        return check(value) if value else None
    except values.Invalid:
        return None


def _base(language: str | None) -> str | None:
    """A language without what it says beside that: ``en_US.UTF-8`` is ``en``."""
    return re.split(r"[-_. ]", language, maxsplit=1)[0] if language else None


def suggest(found: Looked, feeds: Sequence[FeedSpec]) -> Mapping[str, Any]:
    """What `feeds.toml` is to say of a feed that was found, as far as one can tell.

    Publisher, side and tier are those of the feeds of the same site that are declared already.
    """
    url, host = found.feed.url, host_of(found.feed.url)
    own = next((feed for feed in feeds if host_of(feed.url) == host), None)
    title = shortened(found.feed.title)
    name = unused(title or host, url, {feed.name.casefold() for feed in feeds})
    return table_of(
        name=name,
        url=url,
        publisher=own.publisher if own else publisher_of(title) or host,
        side=own.side if own else None,
        tier=own.tier if own else None,
        language=found.language or (own.language if own else None),
    )


def publisher_of(title: str) -> str:
    """Whose feed this seems to be, by its title: ``The Post`` of ``World | The Post``."""
    parts = [part for each in _PARTS.split(title) if (part := each.strip())]
    telling = [part for part in parts if not _EMPTY.match(part)]
    return telling[-1] if len(parts) > 1 and telling and "|" in title else (telling or [""])[0]


def shortened(title: str) -> str:
    """A title that may be a name."""
    line = " ".join(title.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1].rstrip()}…"


def unused(name: str, url: str, names: Iterable[str]) -> str:
    """The name, or one like it that no other feed has (in small letters)."""
    taken = set(names)
    if name.casefold() not in taken:
        return name
    host = host_of(url)
    longer = shortened(f"{name} ({host})")
    number = 2
    while longer.casefold() in taken:
        longer = f"{shortened(name)[:80]} ({number})"
        number += 1
    return longer


def host_of(url: str) -> str:
    """The host of a URL without ``www.``, ``feeds.`` and their like."""
    host = (urlsplit(url).hostname or "").lower()
    return re.sub(r"^(www\d?|feeds?|rss)\.(?=.*\.)", "", host)
