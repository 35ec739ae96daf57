"""What people see first: what the watches found lately."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from monitor.web import view
from monitor.web.desk import Desk

_HITS: Final = 100
_DELIVERIES: Final = 25


class Now:
    """The front page."""

    nav: ClassVar = ("/", "Now")

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> Sequence[BaseRoute]:
        """What is answered at ``/``."""
        return [Route("/", self.index)]

    async def index(self, _request: Request) -> Response:
        """Recent hits, deliveries and feeds on one page."""
        reports, now = self._desk.reports, self._desk.clock.now()
        counts = await reports.counts(now)
        hits = await reports.hits(_HITS)
        deliveries = await reports.deliveries(_DELIVERIES)
        feeds = await reports.feeds()
        decisions = self._desk.decisions
        max_age = decisions.rules().max_age if decisions else None
        # in a thread: the passages of long bodies take up to a second each
        found = await asyncio.to_thread(view.reports, hits, max_age)
        return self._desk.pages.render(
            "index.html",
            figures=view.figures(counts, now),
            counts=counts,
            reports=found,
            deliveries=view.delivery_lines(deliveries),
            feeds=view.feed_lines(feeds),
        )
