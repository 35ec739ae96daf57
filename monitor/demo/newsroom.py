"""The newsroom as it stands at an instant: feeds and pages as bytes. Pure; `server` puts it on a socket.

Time is given, never asked for: `Newsroom.answer(path, query, at)` is a function of its arguments and
of the script alone, so that a test can look at any minute and the demo can run in fast time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from functools import cache, cached_property
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import escape

from monitor.demo.labels import LABELS
from monitor.demo.script import Fault, FeedScript, Item, Outlet, Script, Version, load

CONTENT_TYPES = {
    "rss": "application/rss+xml",
    "atom": "application/atom+xml",
    "rdf": "application/rdf+xml",
    "json": "application/feed+json",
}
HOURS = 6
"""How long the newsroom has something to tell, in its own time."""

IDENTIFYING = ("id", "p", "feed")
"""The query parameters that choose a page; whatever else a link carries is somebody's tracking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server would say now, before conditions and compression are looked at."""

    body: bytes
    content_type: str
    status: int = 200
    etag: str | None = None  # the opaque tag, without quotes
    last_modified: datetime | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@cache
def _templates() -> jinja2.Environment:
    """Autoescaping everywhere: the same characters need it in HTML and in XML."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("monitor.demo"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@dataclass(frozen=True, kw_only=True)
class Newsroom:
    """All outlets, with the clock set so that minute 0 is `start`.

    `minute` is how long a newsroom minute lasts after the start: a second makes six hours pass in
    six minutes on a clock that runs as usual. Minutes before the start are always whole ones, so
    that backlog is as old as it says.
    """

    start: datetime
    base_url: str = "http://127.0.0.1"
    minute: timedelta = timedelta(minutes=1)
    script: Script = field(default_factory=load)

    # ------------------------------------------------------------------ time

    def minute_at(self, at: datetime) -> float:
        """The newsroom's minute at an instant."""
        return (at - self.start) / self.minute

    def instant(self, minute: float) -> datetime:
        """When a minute of the newsroom is: the inverse of `minute_at` from the start on."""
        length = self.minute if minute > 0 else timedelta(minutes=1)
        return (self.start + minute * length).replace(microsecond=0)

    # ------------------------------------------------------------------ addresses

    def home(self, outlet: Outlet) -> str:
        """An outlet's front page."""
        return f"{self.base_url}/{outlet.slug}/"

    def feed_url(self, outlet: Outlet, feed: FeedScript) -> str:
        """Where a feed is."""
        return self.base_url + feed_path(outlet, feed)

    def url(self, item: Item) -> str:
        """The canonical URL of an item's page."""
        return self.base_url + path_of(item)

    def link(self, feed: FeedScript, item: Item) -> str | None:
        """The URL by which a feed leads to an item: with tracking parameters, or to the AMP page."""
        if not item.draft.linked:
            return None
        url = self.url(item) + ("amp/" if item.draft.slug in feed.amp else "")
        return f"{url}{'&' if '?' in url else '?'}{feed.tracking}" if feed.tracking else url

    def guid(self, item: Item) -> str:
        """The id that an item keeps for ever, in its outlet's style."""
        match item.outlet.guid:
            case "url":
                return self.url(item)
            case "tag":
                return f"tag:{item.outlet.slug}.example,2025:{item.draft.slug}"
            case "number":
                return f"{item.number} at {self.home(item.outlet)}"

    # ------------------------------------------------------------------ feeds

    def listed(self, outlet: Outlet, feed: FeedScript, at: datetime) -> Sequence[Item]:
        """What a feed lists at an instant, newest first."""
        minute = self.minute_at(at)
        out = [item for item in self.script.of(outlet) if item.draft.at <= minute]
        return out[::-1][: feed.window]

    def feed_bytes(self, outlet: Outlet, feed: FeedScript, at: datetime) -> bytes:
        """The feed's document."""
        minute = self.minute_at(at)
        entries = [
            self._entry(feed, item, item.version(minute)) for item in self.listed(outlet, feed, at)
        ]
        if feed.format == "json":
            return self._json_feed(outlet, feed, entries)
        text = (
            _templates()
            .get_template(f"feed.{feed.format}.xml")
            .render(
                outlet=outlet,
                feed=feed,
                entries=entries,
                home=self.home(outlet),
                self_url=self.feed_url(outlet, feed),
                updated=self._changed(outlet, feed, at),
                rfc822=format_datetime,
            )
        )
        return text.encode(feed.encoding, "xmlcharrefreplace")

    def _entry(self, feed: FeedScript, item: Item, version: Version) -> dict[str, Any]:
        """One item as the feed templates want it."""
        zone = timezone(timedelta(minutes=item.outlet.zone))
        full = feed.text == "full" or not item.draft.linked
        published = self.instant(item.published).astimezone(zone)
        changed = item.draft.days_ago is None or len(item.versions) > 1
        return {
            "guid": self.guid(item),
            "is_link": item.outlet.guid == "url",
            "link": self.link(feed, item),
            "title": version.headline,
            "byline": item.draft.byline,
            "published": published if item.draft.dated else None,
            "updated": self.instant(version.minute).astimezone(zone) if changed else published,
            "teaser": version.standfirst or version.paragraphs[0],
            "summary": _summary(item, version, self.url(item)),
            "content": _html(version.paragraphs) if full else None,
        }

    def _json_feed(
        self, outlet: Outlet, feed: FeedScript, entries: Sequence[Mapping[str, Any]]
    ) -> bytes:
        items = []
        for entry in entries:
            fields = {
                "id": entry["guid"],
                "url": entry["link"],
                "title": entry["title"],
                "summary": entry["teaser"],
                "content_html": entry["content"] or entry["summary"],
                "authors": [{"name": entry["byline"]}],
                "date_published": entry["published"] and entry["published"].isoformat(),
                "date_modified": entry["updated"].isoformat(),
            }
            items.append({key: value for key, value in fields.items() if value})
        document = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": feed.name,
            "home_page_url": self.home(outlet),
            "feed_url": self.feed_url(outlet, feed),
            "language": outlet.language,
            "items": items,
        }
        return json.dumps(document, ensure_ascii=False, indent=1).encode()

    def _changed(self, outlet: Outlet, feed: FeedScript, at: datetime) -> datetime:
        """When the feed's document last became another."""
        minute = self.minute_at(at)
        changes = [item.version(minute).minute for item in self.listed(outlet, feed, at)]
        return self.instant(max(changes, default=-24 * 60))

    # ------------------------------------------------------------------ pages

    def page_html(self, item: Item, at: datetime, *, amp: bool = False) -> str:
        """The page of an item, furniture and all."""
        outlet, version = item.outlet, item.version(self.minute_at(at))
        zone = timezone(timedelta(minutes=outlet.zone))
        name = "amp" if amp else "live" if item.draft.live else outlet.template
        shown = [entry for entry in item.versions if entry.minute <= version.minute]
        return (
            _templates()
            .get_template(f"page.{name}.html")
            .render(
                outlet=outlet,
                item=item,
                version=version,
                authors=[
                    {"@type": "Person", "name": name} for name in item.draft.byline.split(" and ")
                ],
                updates=[
                    (self.instant(entry.minute).astimezone(zone), entry.added)
                    for entry in reversed(shown)
                ],
                url=self.url(item),
                home=self.home(outlet),
                feeds=[
                    (feed.name, self.feed_url(outlet, feed), CONTENT_TYPES[feed.format])
                    for owner, feed in self.script.feeds
                    if owner == outlet
                ],
                published=self.instant(item.published).astimezone(zone),
                modified=self.instant(max(version.minute, item.published)).astimezone(zone),
                labels=LABELS[outlet.language],
            )
        )

    # ------------------------------------------------------------------ answers

    @cached_property
    def _feeds(self) -> Mapping[str, tuple[Outlet, FeedScript]]:
        return {feed_path(outlet, feed): (outlet, feed) for outlet, feed in self.script.feeds}

    @cached_property
    def _pages(self) -> Mapping[str, Item]:
        linked = [item for item in self.script.items.values() if item.draft.linked]
        return {raw_path_of(item): item for item in linked}

    def answer(self, path: str, query: Mapping[str, str], at: datetime) -> Answer:
        """What is at a decoded path at an instant; 404 where nothing is, or nothing yet."""
        chosen = [f"{name}={query[name]}" for name in IDENTIFYING if name in query]
        key = f"{path}?{'&'.join(chosen)}" if chosen else path
        if key in self._feeds:
            return self.feed_answer(*self._feeds[key], at)
        if key in self._pages:
            return self.page_answer(self._pages[key], at)
        if key.removesuffix("amp/") in self._pages:
            return self.page_answer(self._pages[key.removesuffix("amp/")], at, amp=True)
        if path == "/robots.txt":
            return Answer(body=b"User-agent: *\nAllow: /\n", content_type="text/plain")
        return self._front_page(path)

    def feed_answer(self, outlet: Outlet, feed: FeedScript, at: datetime) -> Answer:
        """The feed, or whatever its server gives instead at this time."""
        fault = self._fault(feed.faults, at)
        if fault is not None:
            return _faulty(fault)
        body = self.feed_bytes(outlet, feed, at)
        charset = "utf-8" if feed.encoding == "utf-8-sig" else feed.encoding
        return Answer(
            body=body,
            content_type=f"{CONTENT_TYPES[feed.format]}; charset={charset}",
            etag=_tag(body) if feed.etag else None,
            last_modified=self._changed(outlet, feed, at) if feed.last_modified else None,
        )

    def page_answer(self, item: Item, at: datetime, *, amp: bool = False) -> Answer:
        """The page, or whatever its server gives instead; 404 before it is out."""
        minute = self.minute_at(at)
        fault = self._fault(item.draft.fault, at)
        if item.draft.at > minute:
            fault = Fault(start=0, status=404)
        if fault is not None:
            return _faulty(fault)
        body = self.page_html(item, at, amp=amp).encode()
        return Answer(
            body=body,
            content_type="text/html; charset=utf-8",
            etag=_tag(body),
            last_modified=self.instant(item.version(minute).minute),
        )

    def _fault(self, faults: Sequence[Fault], at: datetime) -> Fault | None:
        minute = self.minute_at(at)
        return next((fault for fault in faults if fault.covers(minute)), None)

    def _front_page(self, path: str) -> Answer:
        """The list of outlets, an outlet's front page with its feeds, or 404."""
        outlets = [o for o in self.script.outlets if path in {"/", f"/{o.slug}/"}]
        if not outlets:
            return _faulty(Fault(start=0, status=404))
        links = [
            (outlet, feed, self.feed_url(outlet, feed), CONTENT_TYPES[feed.format])
            for outlet, feed in self.script.feeds
            if outlet in outlets
        ]
        text = _templates().get_template("front.html").render(links=links, home=path != "/")
        return Answer(body=text.encode(), content_type="text/html; charset=utf-8")


def feed_path(outlet: Outlet, feed: FeedScript) -> str:
    """The path and query of a feed."""
    return f"/{outlet.slug}/{feed.path}"


def raw_path_of(item: Item) -> str:
    """The path and query of an item's page, letters as they are."""
    tail = item.outlet.page_path.format(slug=item.draft.slug, number=item.number)
    return f"/{item.outlet.slug}/{tail}"


def path_of(item: Item) -> str:
    """The path and query of an item's page as a URL writes them."""
    return quote(raw_path_of(item), safe="/?=&")


def _html(paragraphs: Sequence[str]) -> str:
    return "\n".join(f"<p>{escape(text)}</p>" for text in paragraphs)


def _summary(item: Item, version: Version, url: str) -> str:
    """What a feed says of an article that it does not give whole, as HTML."""
    teaser = version.standfirst or version.paragraphs[0]
    if item.outlet.template != "blog":
        return str(escape(teaser))
    words = version.paragraphs[0].split()
    teaser = " ".join(words[:55]) + (" […]" if len(words) > 55 else "")
    return (
        f'<p>{escape(teaser)}</p>\n<p>The post <a href="{escape(url)}">{escape(version.headline)}'
        f"</a> appeared first on {escape(item.outlet.name)}.</p>"
    )


def _tag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:20]


def _faulty(fault: Fault) -> Answer:
    """An error page, or a bot check."""
    name = "challenge" if fault.challenge else "error"
    text = _templates().get_template(f"{name}.html").render(status=fault.status)
    return Answer(
        status=fault.status,
        body=text.encode(),
        content_type="text/html; charset=utf-8",
        headers={"cf-mitigated": "challenge"} if fault.challenge else {},
    )
