"""The door: where people log in and out, and what stands there for those who can't."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from monitor import telemetry
from monitor.web.access import Access, May, TooMany, Visitor, visitor
from monitor.web.hosts import path_of, peer_of
from monitor.web.pages import Pages
from monitor.web.security import Forms

_WRONG: Final = "This token opens nothing here."
_CLOSED: Final = (
    "This page is closed from here: it can be read on the machine that the service runs on, as "
    "localhost, or by who has the token that MONITOR_WEB_TOKEN sets."
)
_UNNAMED: Final = (
    "This page is read through a proxy that says who asks, and it did not say so: open the page by "
    "the proxy's address."
)
_FIRST: Final = "Log in first: send the token as “Authorization: Bearer …”, or open /login."
_KEYED: Final = (
    "A feed is opened by the key in its link, which changes with the token: copy the link anew, of what "
    "watches found from /follow, of a search from its page. Or send the token as “Authorization: Bearer …”."
)
_ONLY_READ: Final = "This token may read, and change nothing."
_PATH: Final = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,2000}")

_FEED: Final = re.compile(r"(/.*)?/hits\.(rss|atom|json)|/search\.rss", re.DOTALL)

log = telemetry.get_logger()


class Door:
    """`/login` and `/logout`."""

    def __init__(self, access: Access, forms: Forms, pages: Pages) -> None:
        self._access = access
        self._forms = forms
        self._pages = pages

    def routes(self) -> Sequence[BaseRoute]:
        """What is answered."""
        both = ["GET", "POST"]
        return [
            Route("/login", self.login, methods=both),
            Route("/logout", self.logout, methods=both),
        ]

    async def login(self, request: Request) -> Response:
        """A form for the token; and what becomes of it."""
        if not self._access.has_tokens:
            if visitor().may >= May.READ:  # this machine, or whom a proxy named: there is no need
                return RedirectResponse("/", HTTPStatus.SEE_OTHER)
            return self._closed()
        if request.method != "POST":
            return self._form(request, _path(request.query_params.get("next", "")))
        fields = await self._forms.read_from_anyone(request)
        where = _path(fields.get("next", ""))
        try:
            may = self._access.check(request, fields.get("secret", "").strip())
        except TooMany as error:
            response = self._form(request, where, str(error), HTTPStatus.TOO_MANY_REQUESTS)
            response.headers["Retry-After"] = str(error.seconds)
            return response
        if may is May.NOTHING:
            log.warning("login.refused", peer=peer_of(request))
            return self._form(request, where, _WRONG, HTTPStatus.FORBIDDEN)
        log.info("login.done", peer=peer_of(request), may=may.name.lower())
        response = RedirectResponse(where, HTTPStatus.SEE_OTHER)
        self._access.begin(request, response, may)
        return response

    async def logout(self, request: Request) -> Response:
        """A button; and what it does."""
        if request.method == "POST":
            await self._forms.read_from_anyone(request)
            response: Response = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
            self._access.end(request, response)
            return response
        return self._with_form(request, "logout.html", HTTPStatus.OK, who=visitor())

    async def refuse(self, request: Request, who: Visitor) -> Response:
        """What is shown in place of a page that is not for who asks."""
        wants_page = "text/html" in request.headers.get("accept", "")
        if who.wait:
            return _said(
                str(TooMany(who.wait)), HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(who.wait)}
            )
        if who.is_wrong:
            return _said(_WRONG, HTTPStatus.UNAUTHORIZED, _CHALLENGE | {_CHALLENGED: _INVALID})
        if who.may >= May.READ:
            return _said(_ONLY_READ, HTTPStatus.FORBIDDEN)
        if self._access.has_tokens:
            if wants_page and request.method in {"GET", "HEAD"}:
                asked = quote(path_of(request))
                if query := request.scope["query_string"].decode("latin-1"):
                    asked = f"{asked}?{query}"
                where = "" if asked == "/" else f"?next={quote(asked, safe='/')}"
                return RedirectResponse(f"/login{where}", HTTPStatus.SEE_OTHER)
            said = _KEYED if _FEED.fullmatch(path_of(request)) else _FIRST
            return _said(said, HTTPStatus.UNAUTHORIZED, _CHALLENGE)
        said = _UNNAMED if self._access.has_proxy else _CLOSED
        return self._closed() if wants_page else _said(said, HTTPStatus.FORBIDDEN)

    def _closed(self) -> Response:
        said = _UNNAMED if self._access.has_proxy else ""
        return self._pages.render("closed.html", status=HTTPStatus.FORBIDDEN, said=said)

    def _form(
        self, request: Request, where: str, trouble: str = "", status: HTTPStatus = HTTPStatus.OK
    ) -> Response:
        return self._with_form(request, "login.html", status, where=where, trouble=trouble)

    def _with_form(
        self, request: Request, template: str, status: HTTPStatus, **values: object
    ) -> Response:
        session, token = self._forms.token(request)
        response = self._pages.render(template, status=status, token=token, **values)
        self._forms.attach(response, session)
        return response


_CHALLENGED: Final = "WWW-Authenticate"
_CHALLENGE: Final = {_CHALLENGED: 'Bearer realm="monitor"'}
_INVALID: Final = 'Bearer realm="monitor", error="invalid_token"'


def _said(sentence: str, status: HTTPStatus, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(f"{sentence}\n", status, headers=headers)


def _path(asked: str) -> str:
    """Where somebody goes who has logged in: a path of this page, whatever a link said."""
    return asked if _PATH.fullmatch(asked) else "/"
