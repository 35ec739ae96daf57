"""`/api/v1`: what the page shows, and some of what can be done on it, for programs.

An application of its own, so that whatever goes wrong in it is told as programs expect it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from monitor.web.access import Visitor
from monitor.web.api.document import described, document, shapes_of
from monitor.web.api.operations import HANDLERS, PREFIX, Answering
from monitor.web.api.problems import Problem
from monitor.web.api.resources import Resources
from monitor.web.desk import Desk
from monitor.web.hosts import Origins
from monitor.web.validators import revalidated, tag_of, unchanged


class Api:
    """The routes of the API, its document, and the page that tells of it."""

    def __init__(self, desk: Desk, origins: Origins) -> None:
        self._desk = desk
        self._operations = Resources(desk).operations
        self._answering = Answering(origins)

    def routes(self) -> Sequence[BaseRoute]:
        """What is answered at ``/api`` and below."""
        routes = [Route("/openapi.json", self._document)]
        for path in dict.fromkeys(each.path for each in self._operations):
            of_path = [each for each in self._operations if each.path == path]
            for each in of_path:
                # a name may hold a slash
                place = path.replace("{watch}", "{watch:path}")
                routes.append(Route(place, self._answering.endpoint(each), methods=[each.method]))
        app = Starlette(routes=routes, exception_handlers=HANDLERS)
        app.router.redirect_slashes = False
        return [
            Route("/api", self._page),
            Route(PREFIX, lambda _request: RedirectResponse("/api")),
            Mount(PREFIX, app=app),
        ]

    @cached_property
    def _told(self) -> dict[str, Any]:
        return document(self._operations, self._desk.pages.health.version)

    async def _document(self, request: Request) -> Response:
        body = json.dumps(self._told, ensure_ascii=False, separators=(",", ":")).encode()
        tag = tag_of(body)
        return unchanged(request, tag) or Response(
            body, headers=revalidated(tag), media_type="application/json"
        )

    async def _page(self, _request: Request) -> Response:
        told = self._told
        return self._desk.pages.render(
            "api.html",
            about=told["info"]["description"],
            groups=described(told),
            shapes=shapes_of(told),
        )


def is_api(path: str) -> bool:
    """Whether a path is answered as programs expect it."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def refuse(who: Visitor, *, is_closed: bool) -> Response:
    """What is answered who may not ask."""
    if who.wait:
        said = f"Too many wrong tokens came from there: try again in {who.wait} seconds."
        return Problem(429, said, headers={"Retry-After": str(who.wait)}).response()
    realm = 'Bearer realm="monitor"'
    if who.is_wrong:
        headers = {"WWW-Authenticate": f'{realm}, error="invalid_token"'}
        return Problem(401, "This token opens nothing here.", headers=headers).response()
    if is_closed:
        said = "The API is closed from here: set MONITOR_WEB_TOKEN where the service runs."
        return Problem(403, said).response()
    said = "Send the token as “Authorization: Bearer …”."
    return Problem(401, said, headers={"WWW-Authenticate": realm}).response()
