"""The routes: the page, the probes, the metrics. Reads everything through `ports.Reports`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from monitor import telemetry
from monitor.errors import MonitorError
from monitor.ports import Clock, Counts, Reports
from monitor.web import assets, engine_view, view
from monitor.web.access import Access, Doors, Gate, Visitor
from monitor.web.api import Api, is_api
from monitor.web.api import refuse as refuse_program
from monitor.web.api.operations import on_http
from monitor.web.decisions import Decisions
from monitor.web.deliveries import Deliveries
from monitor.web.desk import Desk, Section
from monitor.web.editor import Editor
from monitor.web.feed_changes import Scout
from monitor.web.feeds import Feeds
from monitor.web.health import Check, Health, alive, ready
from monitor.web.hosts import path_of
from monitor.web.login import Door
from monitor.web.now import Now
from monitor.web.pages import Pages
from monitor.web.push import Pushes, is_callback
from monitor.web.search import Search
from monitor.web.security import Forms, Guard
from monitor.web.stories import Stories
from monitor.web.syndication import Syndication
from monitor.web.trends import Trends
from monitor.web.watches import Watches


def create_app(
    reports: Reports,
    health: Health,
    clock: Clock,
    *,
    registry: CollectorRegistry = telemetry.REGISTRY,
    stale_after: float = 3.0,
    hosts: Collection[str] = (),
    doors: Doors | None = None,
    decisions: Decisions | None = None,
    pushes: Pushes | None = None,
    editor: Editor | None = None,
    scout: Scout | None = None,
) -> Starlette:
    """The page as an ASGI application.

    `stale_after` is the age of the last tick, in seconds, from which the service counts as dead.
    `hosts` are the names, beside ``localhost`` and plain addresses, by which it may be called.
    `doors` are what opens it; without them it is this machine's alone.
    Without `decisions` nothing can be changed, without `pushes` no hub can call, without an `editor`
    `feeds.toml` is not known.
    """
    pages = Pages(health, clock, stale_after)
    access = Access(clock, doors)
    forms = Forms(access.origins)
    door = Door(access, forms, pages)
    desk = Desk(
        reports=reports,
        pages=pages,
        clock=clock,
        forms=forms,
        decisions=decisions,
        editor=editor,
    )
    now, search = Now(desk), Search(desk, access)
    sections: tuple[Section, ...] = (
        now,
        search,
        Trends(desk),
        Watches(desk),
        Feeds(desk, scout),
        Deliveries(desk),
    )
    pages.nav = tuple(section.nav for section in sections)

    async def refuse(request: Request, who: Visitor) -> Response:
        if is_api(path_of(request)):
            return refuse_program(who, is_closed=not access.has_tokens)
        return await door.refuse(request, who)

    async def refused(request: Request, error: Exception) -> Response:
        # a path with a line's end in it leads to no route of the API, and is still its own
        if is_api(path_of(request)):
            return await on_http(request, error)
        return await pages.refused(request, error)

    probes = _Probes(reports, health, clock, registry, stale_after)
    syndication = Syndication(desk, access)
    app = Starlette(
        routes=[
            *syndication.routes(),
            *(route for section in sections for route in section.routes()),
            *Stories(desk).routes(),
            *door.routes(),
            *Api(desk, access.origins).routes(),
            *(pushes.routes() if pushes else ()),
            Route("/healthz", probes.healthz),
            Route("/readyz", probes.readyz),
            Route("/status", probes.status),
            Route("/metrics", probes.metrics),
            Route("/favicon.ico", assets.icon),
            Route("/static/{name}", assets.asset),
        ],
        middleware=[
            Middleware(Guard, names=(*hosts, *_public(doors)), by_any_name=is_callback),
            Middleware(
                Gate,
                access=access,
                is_open=lambda request: (
                    _is_open(path_of(request))
                    or syndication.is_open(request)
                    or search.is_open(request)
                ),
                judges_itself=lambda path: is_api(path) or path == "/logout",
                refuse=refuse,
            ),
        ],
        exception_handlers={
            HTTPException: refused,
            MonitorError: pages.unavailable,
            500: pages.broken,
        },
    )
    app.state.endings = (now.live.end,)
    return app


def create_probes(
    reports: Reports,
    health: Health,
    clock: Clock,
    *,
    registry: CollectorRegistry = telemetry.REGISTRY,
    stale_after: float = 3.0,
    hosts: Collection[str] = (),
) -> Starlette:
    """What a process without the page answers: whether it lives, is ready, and its metrics."""
    probes = _Probes(reports, health, clock, registry, stale_after)
    return Starlette(
        routes=[
            Route("/healthz", probes.healthz),
            Route("/readyz", probes.readyz),
            Route("/metrics", probes.metrics),
        ],
        middleware=[Middleware(Guard, names=hosts)],
    )


_OPEN: Final = {"/login", "/healthz", "/readyz", "/metrics", "/favicon.ico"}
"""What anybody may ask: it tells nothing of what was found."""


def _is_open(path: str) -> bool:
    return path in _OPEN or path.startswith("/static/") or is_callback(path)


def _public(doors: Doors | None) -> Sequence[str]:
    """The name by which a proxy shows us."""
    url = doors.public_url if doors else None
    return (urlsplit(url).hostname or "",) if url else ()


class _Probes:
    """What programs read."""

    def __init__(
        self,
        reports: Reports,
        health: Health,
        clock: Clock,
        registry: CollectorRegistry,
        stale_after: float,
    ) -> None:
        self._reports = reports
        self._health = health
        self._clock = clock
        self._registry = registry
        self._stale_after = stale_after

    async def healthz(self, _request: Request) -> Response:
        """200 while the clockwork ticks, else 503: start this process again."""
        return _verdict(alive(self._health.tick_age(), self._stale_after))

    async def readyz(self, _request: Request) -> Response:
        """200 once the service is up and ticks, else 503."""
        return _verdict(ready(self._health, self._stale_after))

    async def status(self, _request: Request) -> Response:
        """What the page says, for a program; 503 if the database can't be read."""
        now = self._clock.now()
        said: dict[str, Any] = {
            "version": self._health.version,
            "now": now.isoformat(),
            "health": _said(alive(self._health.tick_age(), self._stale_after)),
            "ready": _said(ready(self._health, self._stale_after)),
            "config_error": self._health.config_error(),
            "sink_problem": self._health.sink_problem(),
        }
        try:
            engine = await self._health.engine_state()
            counts = await self._reports.counts(now)
            feeds = view.feed_lines(await self._reports.feeds())
        except MonitorError as error:
            said["storage_problem"] = telemetry.redact(str(error))
            return JSONResponse(said, HTTPStatus.SERVICE_UNAVAILABLE)
        said |= {
            "storage_problem": None,
            "engine": engine_view.as_json(engine),
            "counts": _counted(counts, now),
            "feeds_in_trouble": [_trouble(line) for line in feeds if line.trouble],
        }
        return JSONResponse(said)

    async def metrics(self, request: Request) -> Response:
        """Prometheus' text, or OpenMetrics if asked for. Answers without the database."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self._registry), headers={"Content-Type": content_type})


def _verdict(check: Check) -> Response:
    status = HTTPStatus.OK if check.ok else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse(_said(check), status)


def _said(check: Check) -> dict[str, Any]:
    return {"ok": check.ok, "reason": check.reason}


def _trouble(line: view.FeedLine) -> dict[str, Any]:
    row = line.row
    return {
        "name": row.spec.name,
        "health": row.health,
        "since": row.health_since.isoformat() if row.health_since else None,
        "failures": row.failures,
        "error": row.error,
        "ok_at": row.ok_at.isoformat() if row.ok_at else None,
    }


def _counted(counts: Counts, now: datetime) -> dict[str, Any]:
    oldest = counts.oldest_waiting_at
    return {
        "feeds": dict(counts.feeds),
        "due_feeds": counts.due_feeds,
        "last_poll_at": counts.last_poll_at.isoformat() if counts.last_poll_at else None,
        "entries": counts.entries,
        "articles": dict(counts.articles),
        "stories": counts.stories,
        "hits": counts.hits,
        "deliveries": dict(counts.deliveries),
        "notices": dict(counts.notices),
        "uncertain": counts.uncertain,
        "oldest_waiting_seconds": (now - oldest).total_seconds() if oldest else None,
    }
