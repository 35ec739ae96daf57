"""The pages on which people add feeds, take them out, have them polled, and read OPML in and out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from monitor import opml
from monitor.config import Settings
from monitor.config.addresses import same_url
from monitor.config.editing import changed_feed, with_feed, with_feeds, without_feed
from monitor.config.models import FeedTable
from monitor.errors import Refused
from monitor.model import FeedId, FeedSpec
from monitor.pipeline import adopt
from monitor.pipeline.adopt import Fate
from monitor.pipeline.by_hand import poll_by_hand
from monitor.pipeline.discover import Looked, bare, look
from monitor.ports import Fetcher, Offload, Store
from monitor.web import view
from monitor.web.desk import Desk
from monitor.web.editor import reasons, sentence
from monitor.web.edits import Edited, Edits
from monitor.web.security import NOT_HERE

FIELDS: Final = ("name", "url", "publisher", "side", "tier", "language", "tags")
"""What is asked of a feed that is to be added."""

_FORM: Final = 16_384  # bytes of a form with a feed in it
_LIST: Final = 3 * opml.LARGEST + 16_384  # a list as a browser encodes it
_AT_ONCE: Final = 2
"""Sites that are looked at side by side, for all who ask."""
_SHOWN: Final = 500
"""Feeds of a list that are shown one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scout:
    """What the page needs to look at feeds that are not declared yet, and to have some polled."""

    store: Store
    fetcher: Fetcher
    offload: Offload
    settings: Callable[[], Settings]
    pause: Callable[[str], timedelta]  # between two requests to the host of a URL
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A feed of a site, with what to do about it."""

    looked: Looked
    href: str | None  # where it is added; None: it can't be, or is there
    link: str | None  # to itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A feed as somebody typed it."""

    fields: Mapping[str, str]
    mistakes: Mapping[str, str]
    table: Mapping[str, Any]


class FeedChanges:
    """What may be changed about feeds; without a scout nothing."""

    def __init__(self, desk: Desk, scout: Scout | None) -> None:
        self._desk = desk
        self._edits = Edits(desk)
        self._forms = desk.forms
        self._scout = scout

    def routes(self) -> Sequence[BaseRoute]:
        """What is answered under ``/feeds``."""
        both = ["GET", "POST"]
        return [
            Route("/feeds.opml", self.export),
            Route("/feeds/add", self.add, methods=both),
            Route("/feeds/new", self.new, methods=both),
            Route("/feeds/import", self.bring, methods=both),
            Route("/feeds/{feed:int}/poll", self.poll, methods=["POST"]),
            Route("/feeds/{feed:int}/{what:str}", self.change, methods=both),
        ]

    def may_change(self, request: Request) -> bool:
        """Whether who asks may change something."""
        return self._scout is not None and self._forms.may_use(request)

    # -- adding one

    async def add(self, request: Request) -> Response:
        """Which feeds a site has."""
        scout = self._allowed(request)
        site, edited = "", Edited()
        found: Sequence[Looked] = ()
        if request.method == "POST":
            site = (await self._forms.read(request, largest=_FORM)).get("site", "").strip()
            feeds = scout.settings().feeds
            try:
                async with scout.turns:
                    found = await look(
                        site[:2000],
                        scout.fetcher,
                        scout.offload,
                        max_bytes=scout.settings().fetch.max_feed,
                        known={bare(feed.url): feed.name for feed in feeds},
                    )
            except Refused as error:
                edited = Edited(trouble=reasons(error))
        return self._form(
            request,
            "feeds_add.html",
            edited,
            site=site,
            candidates=[self._candidate(each, scout.settings().feeds) for each in found],
            language=view.language,
        )

    def _candidate(self, each: Looked, feeds: Sequence[FeedSpec]) -> Candidate:
        query = None
        if each.trouble is None and each.known_as is None:
            fields = adopt.suggest(each, feeds)
            query = urlencode({key: _typed(value) for key, value in fields.items()})
        return Candidate(
            looked=each,
            href=None if query is None else f"/feeds/new?{query}",
            link=view.feed_link(each.feed.url),
        )

    async def new(self, request: Request) -> Response:
        """What `feeds.toml` is to say of a feed; what that changes; and writing it."""
        scout = self._allowed(request)
        posted: Mapping[str, str] = {}
        if request.method == "POST":
            posted = await self._forms.read(request, largest=_FORM)
        feeds = scout.settings().feeds
        draft = drafted(posted or request.query_params, feeds)
        edited, lines = Edited(), ""
        if posted and not draft.mistakes:
            edited = await self._edited(request, partial(with_feed, feed=draft.table), posted)
            if edited.in_use is not None:
                return _go_to(draft.fields["name"], in_use=edited.in_use)
            if not self._edits.may_save(request):
                lines = await self._edits.lines("feed", draft.table)
        return self._form(
            request,
            "feeds_new.html",
            edited,
            draft=draft,
            lines=lines,
            sides=sorted({feed.side for feed in feeds if feed.side}),
        )

    # -- many at once

    async def bring(self, request: Request) -> Response:
        """What a list brings; and writing it."""
        scout = self._allowed(request)
        text, lines = "", ""
        items: Sequence[adopt.Item] = ()
        edited = Edited()
        if request.method == "POST":
            posted = await self._forms.read(request, largest=_LIST)
            text = posted.get("list", "")
            try:
                items = await asyncio.to_thread(_planned, text, scout.settings().feeds)
            except Refused as error:
                edited = Edited(trouble=reasons(error))
            if tables := [each.table for each in items if each.table is not None]:
                if self._edits.may_save(request) or posted.get("do") == "save":
                    edited = await self._edited(request, partial(with_feeds, feeds=tables), posted)
                else:
                    lines = await self._edits.lines("feed", *tables)
            if edited.in_use is not None:
                return _go_to("", in_use=edited.in_use)
        return self._form(
            request,
            "feeds_import.html",
            edited,
            text=text,
            items=items[:_SHOWN],
            counts={fate: sum(each.fate is fate for each in items) for fate in Fate},
            more=max(0, len(items) - _SHOWN),
            lines=lines,
            is_read=request.method == "POST" and not edited.trouble,
        )

    async def export(self, request: Request) -> Response:
        """The declared feeds as OPML."""
        del request
        scout = self._scout
        if scout is None:
            raise HTTPException(404)
        feeds = [each for each in scout.settings().feeds if view.feed_link(each.url)]
        body = opml.write(feeds, title="monitor", now=self._desk.clock.now())
        return Response(
            body,
            media_type="text/x-opml; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="feeds.opml"'},
        )

    # -- one that is there

    async def poll(self, request: Request) -> Response:
        """Have a feed polled now."""
        scout = self._allowed(request)
        feed = FeedId(_number(request))
        await self._forms.read(request)
        now = self._desk.clock.now()
        try:
            done = await scout.store.write(lambda tx: poll_by_hand(tx, now=now, feed=feed))
        except Refused as error:
            raise HTTPException(HTTPStatus.CONFLICT, sentence(error)) from error
        query = "" if done.due else "?left=1"
        return RedirectResponse(f"/feeds/{feed}{query}", HTTPStatus.SEE_OTHER)

    async def change(self, request: Request) -> Response:
        """Take a feed out of `feeds.toml`, or have it rest, or poll it again."""
        self._allowed(request)
        what = request.path_params["what"]
        feed = FeedId(_number(request))
        trace = await self._desk.reports.fleet.feed(feed, self._desk.clock.now(), entries=0)
        if what not in _CHANGES or trace is None:
            raise HTTPException(404)
        spec = trace.row.spec
        edit = partial(_CHANGES[what], name_or_url=spec.url)
        if request.method == "POST":
            posted = await self._forms.read(request)
            edited = await self._edits.save(request, edit, posted.get("mark", ""))
        else:
            edited = await self._edits.propose(edit)
        if edited.in_use is not None:
            if what == "wake":
                return RedirectResponse(f"/feeds/{feed}", HTTPStatus.SEE_OTHER)
            return _go_to("", in_use=edited.in_use)
        return self._form(request, "feeds_change.html", edited, what=what, feed=feed, spec=spec)

    # -- what they share

    def _allowed(self, request: Request) -> Scout:
        if self._scout is None:
            raise HTTPException(404)
        if not self._forms.may_use(request):
            raise HTTPException(HTTPStatus.FORBIDDEN, NOT_HERE)
        return self._scout

    async def _edited(
        self, request: Request, edit: Callable[[str], str], posted: Mapping[str, str]
    ) -> Edited:
        if posted.get("do") == "save":
            return await self._edits.save(request, edit, posted.get("mark", ""))
        return await self._edits.propose(edit)

    def _form(self, request: Request, template: str, edited: Edited, **values: Any) -> Response:
        return self._edits.form(
            request,
            template,
            status=HTTPStatus.CONFLICT if edited.trouble else HTTPStatus.OK,
            trouble=edited.trouble,
            proposal=edited.proposal,
            **values,
        )


def drafted(typed: Mapping[str, str], feeds: Sequence[FeedSpec]) -> Draft:
    """What was typed about a feed, with what is wrong by field."""
    fields = {name: " ".join(typed.get(name, "").split())[:2000] for name in FIELDS}
    said: dict[str, Any] = {name: value for name, value in fields.items() if value}
    if "tier" in said and said["tier"].isascii() and said["tier"].isdecimal():
        said["tier"] = int(said["tier"][:9])
    if "tags" in said:
        said["tags"] = [tag for each in said["tags"].split(",") if (tag := each.strip())]
    mistakes: dict[str, str] = {}
    try:
        FeedTable.model_validate({"name": "", "url": ""} | said)
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False):
            what = str(each.get("ctx", {}).get("error", each["msg"])).split("\n", 1)[0]
            mistakes.setdefault(str(each["loc"][0]), what)
    same = same_url(fields["url"]) if "url" not in mistakes else None
    for feed in feeds:
        if same is not None and same_url(feed.url) == same:
            mistakes["url"] = f"is declared already, as {feed.name}"
        if feed.name.casefold() == fields["name"].casefold():
            mistakes.setdefault("name", "is another feed's name already: choose one of its own")
    if said.get("tier") == _USUAL_TIER:
        del said["tier"]
    if not said.get("tags", True):
        del said["tags"]
    if said.get("publisher") == said.get("name"):
        said.pop("publisher", None)
    return Draft(fields=fields, mistakes=mistakes, table=said)


_USUAL_TIER: Final = 2


def _planned(text: str, feeds: Sequence[FeedSpec]) -> Sequence[adopt.Item]:
    return adopt.plan(opml.read(text.encode(errors="replace")), feeds)


_CHANGES: Final[Mapping[str, Callable[..., str]]] = {
    "remove": without_feed,
    "rest": partial(changed_feed, changes={"enabled": False}),
    "wake": partial(changed_feed, changes={"enabled": None}),
}


def _typed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _number(request: Request) -> int:
    number: int = request.path_params["feed"]
    if number > (1 << 63) - 1:
        raise HTTPException(404)
    return number


def _go_to(name: str, *, in_use: bool) -> Response:
    query = urlencode({"q": name} if name else {}) if in_use else "saved=1"
    return RedirectResponse(f"/feeds?{query}" if query else "/feeds", HTTPStatus.SEE_OTHER)
