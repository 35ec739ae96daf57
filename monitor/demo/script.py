"""Reads `data/*.toml` into values: who publishes what, at which minute, and how it later changes.

Minute 0 is the start of the demo; what has a negative minute is in the feeds already (backlog).
A file holds one outlet, its feeds and its items. An item is written out, or is a `copy_of` another
with the edits that news desks make: another headline, dateline, spelling, a cut end, a paragraph
added. Revisions edit the version before them in the same way.
"""

from __future__ import annotations

import re
import tomllib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import ConfigDict, TypeAdapter

Quotes = Literal["straight", "curly", "single"]
Format = Literal["rss", "atom", "rdf", "json"]

MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A stretch of minutes, `until` excluded, in which a server does not give what it should."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    start: int
    until: int | None = None  # None: for good
    status: int = 500
    challenge: bool = False  # the body is a bot check

    def covers(self, minute: float) -> bool:
        """Whether it is on at this minute."""
        return self.start <= minute and (self.until is None or minute < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedScript:
    """One feed of an outlet."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    path: str  # below the outlet's
    format: Format = "rss"
    text: Literal["summary", "full"] = "summary"
    encoding: Literal["utf-8", "utf-8-sig", "windows-1252"] = "utf-8"
    window: int = 20  # most items listed
    etag: bool = True
    last_modified: bool = True
    tracking: str = ""  # query string added to every link
    amp: tuple[str, ...] = ()  # slugs that this feed links to in their AMP form
    tags: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What a desk changes in a text; None or empty leaves it as it was."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    at: int
    headline: str | None = None
    standfirst: str | None = None
    dateline: str | None = None
    body: str | None = None
    replace: tuple[tuple[str, str], ...] = ()  # in headline, standfirst and body
    cut: int = 0  # paragraphs taken off the end
    prepend: str = ""
    append: str = ""
    hits: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft(Edit):
    """An item as its file writes it."""

    slug: str
    event: str
    byline: str = ""
    copy_of: str | None = None  # "outlet/slug"
    days_ago: int | None = None  # carries the date of so many days before the start
    dated: bool = True
    linked: bool = True
    live: bool = False
    traps: tuple[str, ...] = ()
    fault: tuple[Fault, ...] = ()
    revision: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """Who publishes, and what the pages look like."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    slug: str
    name: str
    side: Literal["india", "pakistan", "world"]
    language: Literal["en", "hi", "ur"]
    zone: int  # minutes east of UTC
    template: str
    page_path: str  # below the outlet's; {slug} and {number} are the item's
    guid: Literal["url", "tag", "number"] = "url"
    quotes: Quotes = "straight"
    tagline: str
    nav: tuple[str, ...]
    also_read: tuple[str, ...] = ()  # the same paragraph in every article of the site
    most_read: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutletFile:
    """One file of `data/`."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    outlet: Outlet
    feed: tuple[FeedScript, ...]
    item: tuple[Draft, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """An item's text from a minute on."""

    minute: int
    headline: str
    standfirst: str
    paragraphs: tuple[str, ...]
    added: tuple[str, ...]  # the paragraphs on top that this version brought
    hits: tuple[str, ...]

    @property
    def body(self) -> str:
        """The article's own words, paragraphs apart by a blank line."""
        return "\n\n".join(self.paragraphs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An article of the newsroom with everything that will become of it."""

    outlet: Outlet
    draft: Draft
    versions: tuple[Version, ...]  # oldest first

    @property
    def id(self) -> str:
        """What `copy_of` names it by: outlet/slug."""
        return f"{self.outlet.slug}/{self.draft.slug}"

    @property
    def number(self) -> int:
        """The number that a content management system might have given it."""
        return 100_000 + zlib.crc32(self.id.encode()) % 900_000

    @property
    def published(self) -> int:
        """The minute that its date says; long before the start for an old article."""
        old = self.draft.days_ago
        return self.draft.at if old is None else -old * MINUTES_A_DAY

    def version(self, minute: float) -> Version:
        """The text as it stands at a minute; the first one if it is not out yet."""
        shown = [version for version in self.versions if version.minute <= minute]
        return shown[-1] if shown else self.versions[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The whole newsroom."""

    outlets: tuple[Outlet, ...]
    feeds: tuple[tuple[Outlet, FeedScript], ...]
    items: Mapping[str, Item] = field(repr=False)

    def of(self, outlet: Outlet) -> Sequence[Item]:
        """An outlet's items in the order in which they appear."""
        own = [item for item in self.items.values() if item.outlet == outlet]
        return sorted(own, key=lambda item: (item.draft.at, item.id))


def paragraphs_of(text: str) -> tuple[str, ...]:
    """Paragraphs stand apart by blank lines; a line break within one is a space."""
    return tuple(" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip())


def quoted(text: str, style: Quotes) -> str:
    """The text with its straight quotes set in an outlet's style.

    `single` is the British way: quotations in single marks.
    """
    if style == "straight":
        return text
    opening, closing = ("“", "”") if style == "curly" else ("‘", "’")
    text = re.sub(r'(^|[\s(\[—–-])"', rf"\1{opening}", text).replace('"', closing)
    return re.sub(r"(^|[\s(\[—–-])'", r"\1‘", text).replace("'", "’")


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text, for telling whether two are the same but for their punctuation."""
    return tuple(re.findall(r"\w+", text.casefold()))


@cache
def load() -> Script:
    """The newsroom that ships. Raises ValueError where a file is not what it should be."""
    folder = resources.files("monitor.demo") / "data"
    adapter = TypeAdapter(OutletFile)
    files = [
        adapter.validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
        for path in sorted(folder.iterdir(), key=lambda path: path.name)
        if path.name.endswith(".toml")
    ]
    return Script(
        outlets=tuple(file.outlet for file in files),
        feeds=tuple((file.outlet, feed) for file in files for feed in file.feed),
        items=_items(files),
    )


def _items(files: Iterable[OutletFile]) -> Mapping[str, Item]:
    """All items by id, in the order of time, so that what is copied exists before its copies."""
    drafts = [(file.outlet, draft) for file in files for draft in file.item]
    items: dict[str, Item] = {}
    for outlet, draft in sorted(drafts, key=lambda pair: (pair[1].at, pair[1].copy_of is not None)):
        item = Item(outlet=outlet, draft=draft, versions=_versions(outlet, draft, items))
        if item.id in items:
            raise ValueError(f"{item.id}: two items have this name")
        items[item.id] = item
    return items


def _versions(outlet: Outlet, draft: Draft, items: Mapping[str, Item]) -> tuple[Version, ...]:
    if draft.copy_of is None:
        source = Version(minute=0, headline="", standfirst="", paragraphs=(), added=(), hits=())
    else:
        source = items[draft.copy_of].version(draft.at)
    versions = [_edited(source, draft, outlet.quotes)]
    for edit in draft.revision:
        versions.append(_edited(versions[-1], edit, outlet.quotes))
    return tuple(versions)


def _edited(before: Version, edit: Edit, quotes: Quotes) -> Version:
    """The version that an edit makes of the one before."""
    paragraphs = before.paragraphs if edit.body is None else paragraphs_of(edit.body)
    if edit.dateline is not None:
        opening = paragraphs[0] if edit.body is not None else _without_dateline(paragraphs[0])
        paragraphs = (edit.dateline + opening, *paragraphs[1:])
    if edit.cut:
        paragraphs = paragraphs[: -edit.cut]
    added = paragraphs_of(edit.prepend)
    paragraphs = (*added, *paragraphs, *paragraphs_of(edit.append))
    headline = before.headline if edit.headline is None else edit.headline
    standfirst = before.standfirst if edit.standfirst is None else edit.standfirst

    def set_in_type(text: str) -> str:
        for old, new in edit.replace:
            text = text.replace(old, new)
        return quoted(text, quotes)

    shown = tuple(map(set_in_type, paragraphs))
    return Version(
        minute=edit.at,
        headline=set_in_type(headline),
        standfirst=set_in_type(standfirst),
        paragraphs=shown,
        added=shown[: len(added)] or shown,
        hits=before.hits if edit.hits is None else edit.hits,
    )


def _without_dateline(paragraph: str) -> str:
    """A wire's first paragraph without its "NEW DELHI (SPA) -- "."""
    return re.sub(r"^[A-Z][A-Z ,/]+(\([^)]*\))? ?(--|—|-|:) ", "", paragraph)
