"""Serves the newsroom on 127.0.0.1: conditional requests, gzip, nothing else."""

from __future__ import annotations

import gzip
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from aiohttp import ETag, web

from monitor.demo.newsroom import Answer, Newsroom
from monitor.ports import Clock

COMPRESS_FROM = 600  # bytes; below this gzip gains nothing


class NewsroomServer:
    """An async context manager: inside it, every outlet answers below `base_url`.

    All outlets share one host and port, so whoever fetches politely should be told not to space
    requests out. `port` 0 takes any that is free. Raises OSError where the port is taken.
    """

    def __init__(
        self,
        clock: Clock,
        start: datetime,
        *,
        minute: timedelta = timedelta(minutes=1),
        port: int = 0,
    ) -> None:
        self._clock = clock
        self._port = port
        self._runner: web.AppRunner | None = None
        self.newsroom = Newsroom(start=start, minute=minute)
        self.served: Counter[tuple[str, int]] = Counter()
        """Requests answered so far, by path with query and status."""

    @property
    def base_url(self) -> str:
        """http://127.0.0.1:PORT, without a slash at the end."""
        return self.newsroom.base_url

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get("/{path:.*}", self._handle)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self._port).start()
        except OSError:
            await runner.cleanup()
            raise
        port = runner.addresses[0][1]
        self.newsroom = replace(self.newsroom, base_url=f"http://127.0.0.1:{port}")
        self._runner = runner
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        answer = self.newsroom.answer(request.path, request.query, self._clock.now())
        response = _response(request, answer)
        self.served[request.path_qs, response.status] += 1
        return response


def _response(request: web.Request, answer: Answer) -> web.Response:
    """The answer under the request's conditions (RFC 9110, 13.2.2) and encodings."""
    headers = dict(answer.headers)
    headers["Vary"] = "Accept-Encoding"
    fresh = _is_fresh(request, answer)
    body = b"" if fresh else answer.body
    if len(body) >= COMPRESS_FROM and "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body, compresslevel=5, mtime=0)
    if not fresh:
        headers["Content-Type"] = answer.content_type
    response = web.Response(status=304 if fresh else answer.status, body=body, headers=headers)
    if answer.etag is not None:
        # Weak: the same tag stands for the plain and the compressed form.
        response.etag = ETag(value=answer.etag, is_weak=True)
    if answer.last_modified is not None:
        response.last_modified = answer.last_modified
    return response


def _is_fresh(request: web.Request, answer: Answer) -> bool:
    """Whether the client holds this very answer. If-None-Match, where given, decides alone."""
    if answer.status != 200:
        return False
    tags = request.if_none_match
    if tags is not None:
        return any(tag.value in {"*", answer.etag} for tag in tags)
    since = request.if_modified_since
    return (
        since is not None
        and answer.last_modified is not None
        and answer.last_modified.astimezone(UTC) <= since
    )
