"""What guards the page: headers on every answer, the name it may be called by, and its forms.

A browser can be made to send requests here by any site whose name its owner points at this
address (DNS rebinding). Such a request carries that name in its Host header; so a name is answered
only if it is known. An IP address can't be rebound and is always answered; and so is who knows the
token of a hub's callback, whatever name the hub calls us by: it leads to no page.

Who may change something is the matter of `monitor.web.access`. That it was their wish, and not that
of another site in the same browser, is shown by what the browser says of its origin, and by a token
that only this page's own forms hold (OWASP, "Cross-Site Request Forgery Prevention": signed double
submit).
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.web.access import May, visitor
from monitor.web.hosts import Origins, host_of, may_call, path_of

_DIRECTIVES: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_NOT_USED: Final = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture",
    "encrypted-media", "fullscreen", "geolocation", "gyroscope", "hid", "magnetometer",
    "microphone", "midi", "payment", "picture-in-picture", "publickey-credentials-get",
    "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip

HEADERS: Final = {
    "Content-Security-Policy": _DIRECTIVES,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that don't read frame-ancestors
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _NOT_USED),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Sent with every answer that says nothing else."""

FORM_HEADERS: Final = {
    "Content-Security-Policy": _DIRECTIVES.replace("form-action 'none'", "form-action 'self'"),
    # with "no-referrer" a browser hides its origin from us, too
    "Referrer-Policy": "same-origin",
}
"""Sent with what holds a form."""


class Guard:
    """ASGI middleware: refuses unknown names, and adds `HEADERS` to whatever is answered."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        names: Collection[str] = (),
        by_any_name: Callable[[str], bool] = lambda _path: False,
    ) -> None:
        """`by_any_name`: the paths for which it doesn't matter."""
        self._app = app
        self._names = frozenset(host_of(name) for name in names)
        self._by_any_name = by_any_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                guard(MutableHeaders(scope=message))
            await send(message)

        header = Headers(scope=scope).get("host", "")
        known = may_call(header, self._names) or self._by_any_name(scope["path"])
        app = self._app if known else _REFUSED
        await app(scope, receive, send_guarded)


def guard(headers: MutableHeaders) -> None:
    """Add `HEADERS`, and forbid keeping the answer, unless it says otherwise."""
    for name, value in (HEADERS | {"Cache-Control": "no-store"}).items():
        headers.setdefault(name, value)


_REFUSED: Final = PlainTextResponse(
    "This page does not go by that name. Call it by an IP address or as localhost, or list the name "
    "in `hosts` under [web] of feeds.toml; a proxy in front must pass it on as Host.\n",
    status_code=421,
)


# --------------------------------------------------------------------------- forms

NOT_HERE: Final = (
    "You may read here, and change nothing: log out, and in again with the token that may change "
    "things (MONITOR_WEB_TOKEN)."
)
FOREIGN: Final = "This form was not sent from this page: nothing was changed."
_TOO_OLD: Final = (
    "This form is no longer good, because the service was started again or another one was opened "
    "since: nothing was changed. Go back, load the page anew, and try again."
)
_COOKIE: Final = "monitor-forms"
_SESSION: Final = re.compile(r"[0-9a-f]{32}")
_LARGEST: Final = 4096  # bytes of a form


class Forms:
    """Who may change something, and whether a form is this page's own.

    The secret lives as long as the process: a form of before a restart is refused.
    """

    def __init__(self, origins: Origins | None = None) -> None:
        self._secret = secrets.token_bytes(32)
        self._origins = origins or Origins()

    def may_use(self, _request: Request) -> bool:
        """Whether forms are of any use to who asks."""
        return visitor().may >= May.WRITE

    def by(self, _request: Request) -> str:
        """Who changes what they change, as it is kept: by the name that a proxy gave them."""
        return visitor().name

    def token(self, request: Request, path: str | None = None) -> tuple[str, str]:
        """A new form's session and token; it may be sent to `path`, or to where it is asked for."""
        session = self._session(request) or secrets.token_hex(16)
        return session, self._sign(session, path or path_of(request))

    def tokens(self, request: Request, paths: Iterable[str]) -> tuple[str, Mapping[str, str]]:
        """The session of several forms of one page, and the token of each, by its path."""
        session = self._session(request) or secrets.token_hex(16)
        return session, {path: self._sign(session, path) for path in paths}

    def attach(self, response: Response, session: str) -> None:
        """Have the browser show, with the form, that it was given it."""
        response.headers.update(FORM_HEADERS)
        response.set_cookie(_COOKIE, session, path="/", httponly=True, samesite="strict")

    async def read(self, request: Request, *, largest: int = _LARGEST) -> Mapping[str, str]:
        """A form's fields. Raises `HTTPException` unless it is ours, and its sender may use it.

        `largest`: of its body, in bytes as a browser encodes it: up to nine for a character.
        """
        if not self.may_use(request):
            raise HTTPException(403, NOT_HERE)
        return await self.read_from_anyone(request, largest=largest)

    async def read_from_anyone(
        self, request: Request, *, largest: int = _LARGEST
    ) -> Mapping[str, str]:
        """A form's fields, whoever sent it. Raises `HTTPException` unless it is ours."""
        if not self._origins.is_own(request):
            raise HTTPException(403, FOREIGN)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise HTTPException(415, "This is not a form as browsers send it.")
        fields = _fields(await body_of(request, largest))
        session = self._session(request)
        expected = self._sign(session, path_of(request)) if session else ""
        token = fields.get("token", "")
        if not session or not hmac.compare_digest(token.encode(), expected.encode()):
            raise HTTPException(403, _TOO_OLD)
        return fields

    def _session(self, request: Request) -> str | None:
        session = request.cookies.get(_COOKIE, "")
        return session if _SESSION.fullmatch(session) else None

    def _sign(self, session: str, path: str) -> str:
        return hmac.digest(self._secret, f"{session} {path}".encode(), "sha256").hex()


async def body_of(request: Request, largest: int) -> bytes:
    """What was sent, in so many bytes. Raises `HTTPException`."""
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > largest:
                raise HTTPException(413, "This form is too large.")
    except ClientDisconnect:
        raise HTTPException(400, "What was sent broke off.") from None
    return body


def _fields(body: bytes) -> Mapping[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20))
    except ValueError:  # also what is no UTF-8
        raise HTTPException(400, "This form can't be read.") from None
