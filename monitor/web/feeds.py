"""The routes of feeds: which there are and how they are, one of them whole, and who is first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from monitor.model import FeedId
from monitor.ports import FeedFigures, FeedTrace
from monitor.web import engine_view, view
from monitor.web import feed_view as shown
from monitor.web.charts import share
from monitor.web.desk import Desk
from monitor.web.feed_changes import FeedChanges, Scout
from monitor.web.security import FORM_HEADERS

PAGE: Final = 50
_MOST_PAGES: Final = 10_000
_LARGEST_ID: Final = (1 << 63) - 1


class Feeds:
    """Feeds on the page."""

    nav: ClassVar = ("/feeds", "Feeds")

    def __init__(self, desk: Desk, scout: Scout | None = None) -> None:
        self._desk = desk
        self._scout = scout
        self._changes = FeedChanges(desk, scout)
        self._pages = desk.pages

    def routes(self) -> Sequence[BaseRoute]:
        """What is answered under ``/feeds``."""
        return [
            Route("/feeds", self.feeds),
            Route("/feeds/firsts", self.firsts),
            Route("/feeds/{feed:int}", self.feed),
            *self._changes.routes(),
        ]

    async def feeds(self, request: Request) -> Response:
        """All feeds, or those that are sought."""
        sought = shown.sought(request.query_params)
        page = _page(request)
        now = self._desk.clock.now()
        found = await self._desk.reports.fleet.find(sought, now, skip=(page - 1) * PAGE, limit=PAGE)
        response = self._pages.render(
            "feeds.html",
            lines=[shown.line(each, now) for each in found.feeds],
            found=found,
            sought=sought,
            chosen=shown.state_of(sought),
            states=shown.states(found.states, found.left),
            sides=sorted(found.sides),
            tags=sorted(found.tags, key=str.casefold),
            orders=shown.ORDERS,
            page=page,
            pages=max(1, -(-found.found // PAGE)),
            size=PAGE,
            href=shown.href,
            may_change=self._changes.may_change(request),
            saved="saved" in request.query_params,
            percent=shown.percent,
            engine=engine_view.said(await self._pages.health.engine_state()),
        )
        response.headers.update(FORM_HEADERS)  # it is sought by a form
        return response

    async def feed(self, request: Request) -> Response:
        """One feed."""
        trace = await self._trace(request)
        now = self._desk.clock.now()
        may_change = self._changes.may_change(request)
        settings = self._scout.settings() if self._scout else None
        url = trace.row.spec.url
        session, token = self._desk.forms.token(request, f"/feeds/{trace.row.id}/poll")
        response = self._pages.render(
            "feed.html",
            may_change=may_change,
            is_left="left" in request.query_params,
            editor=self._desk.editor,
            token=token,
            trace=trace,
            row=trace.row,
            line=shown.line(_figures(trace), now),
            href=view.feed_link(trace.row.spec.url),
            by_then=shown.expected_by_then(trace.row),
            certainty=shown.certainty(trace.row, now),
            habits=shown.habits(trace, now),
            manners=shown.manners(
                trace,
                now,
                settings.cadence_of(url) if settings else None,
                self._scout.pause(url) if self._scout else None,
            ),
            week=shown.heat(trace.week, now),
            bins=shown.bins(trace.delays.counts),
            quantiles=shown.quantiles(trace.delays.counts),
            runner=shown.runner(trace.firsts) if trace.firsts else None,
            events=[shown.happening(each) for each in trace.events],
            share=share,
            percent=shown.percent,
            web_link=view.web_link,
            language=view.language,
        )
        if may_change:
            self._desk.forms.attach(response, session)
        return response

    async def firsts(self, request: Request) -> Response:
        """Which publishers are first with what several of them report."""
        del request
        found = await self._desk.reports.fleet.firsts(self._desk.clock.now())
        return self._pages.render(
            "feeds_first.html",
            runners=[shown.runner(each) for each in found],
            share=share,
            percent=shown.percent,
        )

    async def _trace(self, request: Request) -> FeedTrace:
        number = request.path_params["feed"]
        if number > _LARGEST_ID:
            raise HTTPException(404)
        trace = await self._desk.reports.fleet.feed(FeedId(number), self._desk.clock.now())
        if trace is None:
            raise HTTPException(404, f"There is no feed {number}.")
        return trace


def _figures(trace: FeedTrace) -> FeedFigures:
    return FeedFigures(row=trace.row, delays=trace.delays, firsts=trace.firsts)


def _page(request: Request) -> int:
    asked = request.query_params.get("page", "1")
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 6):
        return 1
    return min(max(int(asked), 1), _MOST_PAGES)
