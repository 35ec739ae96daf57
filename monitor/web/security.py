"""What guards the page: headers on every answer, and the name by which it may be called.

A browser can be made to send requests here by any site whose name its owner points at this
address (DNS rebinding). Such a request carries that name in its Host header; so a name is answered
only if it is known. An IP address can't be rebound and is always answered.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that don't read frame-ancestors
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Sent with every answer."""


def host_of(header: str) -> str:
    """The host of a Host header in lower case, without port, brackets or final dot."""
    host = header.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].removesuffix(".")


def may_call(header: str, names: Collection[str]) -> bool:
    """Whether a Host header is an address, ``localhost``, or one of these names."""
    host = host_of(header)
    if host == "localhost" or host.endswith(".localhost") or host in names:
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Guard:
    """ASGI middleware: refuses unknown names, and adds `HEADERS` to whatever is answered."""

    def __init__(self, app: ASGIApp, *, names: Collection[str] = ()) -> None:
        self._app = app
        self._names = frozenset(host_of(name) for name in names)

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
        app = self._app if may_call(header, self._names) else _REFUSED
        await app(scope, receive, send_guarded)


def guard(headers: MutableHeaders) -> None:
    """Add `HEADERS`, and forbid keeping the answer unless it says otherwise."""
    headers.update(HEADERS)
    headers.setdefault("Cache-Control", "no-store")


_REFUSED: Final = PlainTextResponse(
    "This page does not go by that name. Call it by an IP address, as localhost, or by the name "
    "that `host` under [web] has; a proxy in front must pass on one of these as Host.\n",
    status_code=421,
)
