"""A real HTTP/1.1 server on loopback whose answers a test writes down, and which writes down requests.

In an async test, on the test's own loop::

    async with WebServer() as server:
        server.route("/feed", Reply(FEED, headers={"ETag": '"1"'}))
        await fetcher.get(server.url("/feed"), ...)
        assert server.to("/feed")[0].headers["if-none-match"] == '"1"'

In a plain test, or beside a child process, on a thread of its own::

    with running(WebServer()) as server:
        subprocess.run([..., server.url("/")])

A route is a `Reply`, a list of them (one per request, the last for ever), a function of the
`Request` (plain or async) that returns a `Reply`, or a `Raw` that writes bytes as it likes: broken
HTTP, drips, bombs. A pattern that ends in ``*`` serves a whole tree; the longest match wins.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Self
from urllib.parse import parse_qsl, urlsplit

MAX_BODY = 64 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came; header names in lower case, the last of a name wins."""

    method: str
    target: str  # path and query as sent
    headers: dict[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters, decoded."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `Content-Length` is added; a `str` body is sent as UTF-8.

    `chunks` is sent with chunked transfer coding instead of `body`, each piece when it comes.
    """

    body: bytes | str = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    chunks: Callable[[], AsyncIterator[bytes]] | None = None
    close: bool = False  # end the connection after this answer

    def head(self, length: int) -> bytes:
        """The status line and headers, in Latin-1 as on the wire."""
        phrase = HTTPStatus(self.status).phrase if self.status in _STATUSES else "Unknown"
        given = {name.lower() for name in self.headers}
        lines = [f"HTTP/1.1 {self.status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.chunks is not None:
            lines.append("Transfer-Encoding: chunked")
        elif "content-length" not in given and self.status not in {204, 304}:
            lines.append(f"Content-Length: {length}")
        if self.close:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


_STATUSES = frozenset(int(status) for status in HTTPStatus)


@dataclass(frozen=True, slots=True)
class Raw:
    """A route that has the connection for itself: whatever it writes is what the client gets."""

    write: Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


Handler = Callable[[Request], Reply | Awaitable[Reply]]
Route = Reply | Sequence[Reply] | Handler | Raw


def redirect(to: str, status: int = 302, **headers: str) -> Reply:
    """A redirect; ``Set_Cookie="a=1"`` and the like become headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, headers={"Location": to, **named})


def conditional(
    body: bytes | str,
    *,
    etag: str | None = None,
    last_modified: str | None = None,
    content_type: str = "application/xml",
) -> Handler:
    """A route that answers 304 to whoever echoes its validators byte for byte."""
    headers = {"Content-Type": content_type}
    if etag is not None:
        headers["ETag"] = etag
    if last_modified is not None:
        headers["Last-Modified"] = last_modified

    def answer(request: Request) -> Reply:
        sent = request.headers
        if etag is not None and "if-none-match" in sent:
            same = sent["if-none-match"] == etag
        else:
            same = last_modified is not None and sent.get("if-modified-since") == last_modified
        return Reply(status=304, headers=headers) if same else Reply(body, headers=headers)

    return answer


class WebServer:
    """A scriptable server on one loopback address; see the module for how to use it."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host = host
        self.port = port  # 0: a free one, known once started
        self.requests: list[Request] = []
        self.connections = 0  # accepted so far
        self._routes: dict[str, Route] = {}
        self._turns: dict[str, int] = {}
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    # -- the script

    def route(self, pattern: str, route: Route) -> None:
        """Answer requests for a path (``/a``), or a tree (``/a/*``), from now on."""
        self._routes[pattern] = route
        self._turns.pop(pattern, None)

    def route_of(self, pattern: str) -> Route:
        """What answers a path, or a tree."""
        return self._routes[pattern]

    def url(self, path: str = "/") -> str:
        """The absolute URL of a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{path}"

    def to(self, path: str) -> list[Request]:
        """The requests that asked for this path, oldest first."""
        return [request for request in self.requests if request.path == path]

    # -- lifecycle

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the listener and every open connection."""
        assert self._server is not None
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # -- the wire

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        try:
            with contextlib.suppress(
                ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError
            ):
                while await self._serve(reader, writer):
                    pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; False when the connection has served its last."""
        try:
            request = await _read_request(reader)
        except (ValueError, asyncio.LimitOverrunError):
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return False
        self.requests.append(request)
        answer = self._answer(request)
        if isinstance(answer, Raw):
            await answer.write(request, writer)
            return False
        reply = await answer if inspect.isawaitable(answer) else answer
        await _write_reply(writer, request, reply)
        return not (reply.close or request.headers.get("connection", "").lower() == "close")

    def _answer(self, request: Request) -> Reply | Awaitable[Reply] | Raw:
        pattern = self._match(request.path)
        if pattern is None:
            return Reply("not found", status=404, headers={"Content-Type": "text/plain"})
        route = self._routes[pattern]
        if isinstance(route, Reply | Raw):
            return route
        if callable(route):
            return route(request)
        turn = self._turns.get(pattern, 0)
        self._turns[pattern] = turn + 1
        return route[min(turn, len(route) - 1)]

    def _match(self, path: str) -> str | None:
        if path in self._routes:
            return path
        trees = [p for p in self._routes if p.endswith("*") and path.startswith(p[:-1])]
        return max(trees, key=len, default=None)


async def _read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "surrogateescape")
    first, *lines = head[:-4].split("\r\n")
    method, target, _version = first.split(" ", 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await _read_chunked(reader)
    else:
        length = int(headers.get("content-length", "0"))
        if length > MAX_BODY:
            raise ValueError("body too large")
        body = await reader.readexactly(length)
    return Request(method, target, headers, body)


async def _read_chunked(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readline()
    return body


async def _write_reply(writer: asyncio.StreamWriter, request: Request, reply: Reply) -> None:
    body = reply.body.encode() if isinstance(reply.body, str) else reply.body
    writer.write(reply.head(len(body)))
    if reply.chunks is not None:
        async for chunk in reply.chunks():
            writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
    elif request.method != "HEAD" and reply.status not in {204, 304}:
        writer.write(body)
    await writer.drain()


@contextlib.contextmanager
def running(server: WebServer) -> Iterator[WebServer]:
    """Serve from a thread of its own: for plain tests, and beside child processes.

    Routes that are functions run on that thread; lists and `requests` may be read at any time.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="webserver", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
        try:
            yield server
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
