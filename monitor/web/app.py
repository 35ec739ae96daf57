"""The page as a whole: its routes, who may use them, what an error looks like."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from monitor import telemetry
from monitor.errors import MonitorError
from monitor.ports import Clock, Reports
from monitor.web import assets
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
from monitor.web.health import Health
from monitor.web.hosts import path_of
from monitor.web.login import Door
from monitor.web.now import Now
from monitor.web.pages import Pages
from monitor.web.probes import Probes
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

    probes = Probes(reports, health, clock, registry, stale_after)
    syndication = Syndication(desk, access)
    app = Starlette(
        routes=[
            *syndication.routes(),
            *(route for section in sections for route in section.routes()),
            *Stories(desk).routes(),
            *door.routes(),
            *Api(desk, access.origins).routes(),
            *(pushes.routes() if pushes else ()),
            *probes.routes(),
            Route("/status", probes.status),
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


_OPEN: Final = {"/login", "/livez", "/healthz", "/readyz", "/metrics", "/favicon.ico"}
"""What anybody may ask: it tells nothing of what was found."""


def _is_open(path: str) -> bool:
    return path in _OPEN or path.startswith("/static/") or is_callback(path)


def _public(doors: Doors | None) -> Sequence[str]:
    """The name by which a proxy shows us."""
    url = doors.public_url if doors else None
    return (urlsplit(url).hostname or "",) if url else ()
