"""What people see first: stories in which something was found, as they come."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from monitor.ports import Choices, Standing
from monitor.web import sought, stream, words
from monitor.web.desk import Desk
from monitor.web.live import Live, write_marks
from monitor.web.security import FORM_HEADERS

_SHOWN: Final = 20
_FRESH: Final = timedelta(seconds=30)


class Now:
    """The front page."""

    nav: ClassVar = ("/", "Now")

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._choices: tuple[datetime, Choices] | None = None  # and when they were read
        self.live = Live(desk)

    def routes(self) -> Sequence[BaseRoute]:
        """What is answered at ``/``, and what follows it."""
        return [Route("/", self.index), Route("/live", self.live.listen, methods=["GET"])]

    async def index(self, request: Request) -> Response:
        """The stories that are sought, the newest first."""
        asked = sought.read(request.query_params)
        if any(not value for value in request.query_params.values()):  # a form sends all its fields
            return RedirectResponse(asked.url())
        desk, news = self._desk, self._desk.reports.news
        now = desk.clock.now()
        marks = await news.marks()  # first: what comes meanwhile is told twice, and never lost
        page = await news.page(asked.sought(now), _SHOWN, before=asked.before)
        strip = await news.strip(now)
        choices = await self._choices_at(now)
        rules = desk.decisions.rules() if desk.decisions else None
        max_age = rules.max_age if rules else None
        # in a thread: the passages of long bodies take up to a second each
        items = await asyncio.to_thread(
            lambda: [stream.item(row, max_age, now) for row in page.rows]
        )
        unread = None
        if not (items or asked.given or strip.entries):  # the first minutes, or no way out
            unread = stream.unread(await desk.reports.feeds())
        response = desk.pages.render(
            "now.html",
            unread=unread,
            figures=stream.figures(strip, now),
            needs=stream.needs(strip),
            strip=strip,
            items=items,
            page=page,
            asked=asked,
            options=_options(choices),
            chosen=[(name, _said(name, value)) for name, value in asked.given.items()],
            marks=write_marks(marks),
        )
        response.headers.update(FORM_HEADERS)
        return response

    async def _choices_at(self, now: datetime) -> Choices:
        """What may be looked for; asked anew when it is half a minute old."""
        if self._choices is None or not timedelta() <= now - self._choices[0] < _FRESH:
            self._choices = now, await self._desk.reports.news.choices()
        return self._choices[1]


def _options(choices: Choices) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Of each filter its values, and what they are called."""
    return {
        "watch": [(name, name) for name in choices.watches],
        "publisher": [(name, name) for name in choices.publishers],
        "side": [(name, name) for name in choices.sides],
        "language": words.languages(choices.languages),
        "state": [(str(each), said) for each, said in stream.STANDINGS.items()],
        "time": [(name, said) for name, (said, _) in sought.SPANS.items()],
    }


def _said(name: str, value: str) -> str:
    """A filter that is set, in words."""
    match name:
        case "q":
            return f"“{value}” in the headline"
        case "time":
            return f"found in {sought.SPANS[value][0]}"
        case "language":
            return f"in {words.language(value)}"
        case "state":
            return stream.STANDINGS[Standing(value)]
        case "from" | "to":
            return f"{name} {value}"
    return value
