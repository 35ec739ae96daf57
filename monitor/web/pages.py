"""Templates and what is said when there is no page: every page has the service's state on top."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import jinja2
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from monitor import telemetry
from monitor.ports import Clock
from monitor.web import words
from monitor.web.access import May, visitor, visitor_of
from monitor.web.assets import asset_url
from monitor.web.health import Health, ready
from monitor.web.security import guard
from monitor.web.watch_view import path as watch_path

_SENTENCES: Final = {
    404: "There is no such page here.",
    405: "This page can be read, not written to.",
    500: "This is a mistake in the program. It has been logged, and everything else goes on.",
}

log = telemetry.get_logger()


class Pages:
    """Renders templates: every page has the service's state on top."""

    def __init__(self, health: Health, clock: Clock, stale_after: float) -> None:
        self._health = health
        self._clock = clock
        self._stale_after = stale_after
        self.nav: Sequence[tuple[str, str]] = ()  # of each section its path and name
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.globals["words"] = words
        self._templates.globals["asset"] = asset_url
        self._templates.globals["watch_path"] = watch_path

    @property
    def health(self) -> Health:
        """How the service is."""
        return self._health

    def render(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A template with the service's state as a response."""
        html = self._templates.get_template(template).render(
            now=self._clock.now(),
            nav=self.nav,
            version=self._health.version,
            state=ready(self._health, self._stale_after),
            config_error=self._health.config_error(),
            sink_problem=self._health.sink_problem(),
            visitor=visitor(),
            **values,
        )
        # a feed may hold half a character; it must not take the page down
        body = html.encode("utf-8", "replace")
        return Response(body, status, media_type="text/html")

    def text(self, template: str, **values: Any) -> str:
        """A template that is a piece of a page, without the frame."""
        return self._templates.get_template(template).render(now=self._clock.now(), **values)

    async def refused(self, request: Request, error: Exception) -> Response:
        """404, 405 and their like."""
        assert isinstance(error, HTTPException)
        status = error.status_code
        said = error.detail
        if said == HTTPStatus(status).phrase:  # nobody said more
            said = _SENTENCES.get(status, said)
        response = self._problem(request, status, said)
        response.headers.update(error.headers or {})
        return response

    async def unavailable(self, request: Request, error: Exception) -> Response:
        """What the page reads from can't be read: an operator's matter, said as such."""
        log.warning("page.unavailable", path=request.url.path, error=str(error))
        return self._problem(request, HTTPStatus.SERVICE_UNAVAILABLE, telemetry.redact(str(error)))

    async def broken(self, request: Request, _error: Exception) -> Response:
        """A bug. The server logs it whole; this answer is made outside of `Guard`."""
        response = self._problem(request, 500, _SENTENCES[500])
        guard(response.headers)
        return response

    def _problem(self, request: Request, status: int, sentence: str) -> Response:
        is_stranger = (
            visitor_of(request).may is May.NOTHING
        )  # to whom no page says how the service is
        if is_stranger or "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse(f"{sentence}\n", status)
        return self.render(
            "problem.html",
            status=status,
            code=int(status),
            phrase=HTTPStatus(status).phrase,
            sentence=sentence,
        )
