"""uvicorn inside the service's own event loop: no signal handlers, no logs of its own, no exit().

The socket is bound here, because uvicorn ends the whole process when it can't bind.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self

import uvicorn
from starlette.types import ASGIApp

from monitor.errors import MonitorError

_GRACE: Final = 1
"""Seconds that answers under way have to end when the server stops (uvicorn wants an int)."""

_BACKLOG: Final = 128
"""Connections that wait to be taken. For each place here asyncio tries, and logs, once more each second
while no file is left (uvicorn has 2048: a core was busy with it)."""

_WHY: Final = {
    errno.EADDRINUSE: (
        "another program has that port: stop it, or set another `port` under [web] "
        "(MONITOR_WEB_PORT; of the demo, --port)"
    ),
    errno.EACCES: (
        "this user may not use that port: set a `port` above 1023 under [web] (MONITOR_WEB_PORT)"
    ),
    errno.EADDRNOTAVAIL: (
        "this machine has no such address: correct `host` under [web] (MONITOR_WEB_HOST)"
    ),
}


class WebError(MonitorError):
    """The page can't be served; the message says what to do."""


class WebServer:
    """Serves an ASGI application on a host and port until told to stop.

    Port 0 takes a free one; `port` and `url` tell which. Either call `start` and `stop`, or use it
    as an async context manager.
    """

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self.port = port
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the page, ending in a slash."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self._host, self._host)  # noqa: S104  named, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"

    async def start(self) -> None:
        """Bind and serve; returns when requests are answered. Raises `WebError`."""
        sockets = await _bind(self._host, self.port)
        self.port = sockets[0].getsockname()[1]
        config = uvicorn.Config(
            self._app,
            http="h11",
            ws="none",
            loop="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            workers=1,
            backlog=_BACKLOG,
            timeout_graceful_shutdown=_GRACE,
        )
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets), name="web")
        up = asyncio.create_task(self._server.up.wait())
        await asyncio.wait({up, self._serving}, return_when=asyncio.FIRST_COMPLETED)
        if not up.done():
            up.cancel()
            await self.wait()
            raise WebError(f"the page at {self.url} ended as soon as it was started")

    async def wait(self) -> None:
        """Until the server has ended; raises what ended it, if that was not `stop`."""
        if self._serving is not None:
            await asyncio.shield(self._serving)

    async def stop(self) -> None:
        """Let answers under way end, within a second; then close every connection."""
        if self._server is None or self._serving is None:
            return
        for end in getattr(getattr(self._app, "state", None), "endings", ()):
            end()  # what would never end by itself
        self._server.should_exit = True
        await self._serving
        self._server.abort()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.stop()


class _Server(uvicorn.Server):
    """uvicorn's server that leaves signals to the service and says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    def abort(self) -> None:
        """Cut what is still open: clients that neither read nor close."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()


async def _bind(host: str, port: int) -> list[socket.socket]:
    """Sockets on every address of the host; an address that this machine lacks is left out."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        raise WebError(
            f"can't serve the page on {host!r}: it is no address or known name"
        ) from error
    bound: list[socket.socket] = []
    missing: OSError | None = None
    for family, kind, protocol, _, address in dict.fromkeys(found):
        try:
            bound.append(_listen(family, kind, protocol, (*address[:1], port, *address[2:])))
        except OSError as error:
            if error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                missing = error
                continue
            for sock in bound:
                sock.close()
            raise _refusal(host, port, error) from error
        port = bound[0].getsockname()[1]
    if not bound:
        assert missing is not None
        raise _refusal(host, port, missing) from missing
    return bound


def _listen(family: int, kind: int, protocol: int, address: tuple[str | int, ...]) -> socket.socket:
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(128)  # taken ports are told now, not when uvicorn listens
    except OSError:
        sock.close()
        raise
    return sock


def _refusal(host: str, port: int, error: OSError) -> WebError:
    why = _WHY.get(error.errno or 0, error.strerror or str(error))
    return WebError(f"can't serve the page on {host}:{port}: {why}")
