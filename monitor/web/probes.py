"""What programs read: whether this process lives and is ready, how all stands, the metrics."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from http import HTTPStatus
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from monitor import telemetry
from monitor.errors import MonitorError
from monitor.ports import Clock, Counts, Reports
from monitor.web import engine_view, view
from monitor.web.health import Check, Health, alive, moving, ready
from monitor.web.security import Guard


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
    probes = Probes(reports, health, clock, registry, stale_after)
    return Starlette(
        routes=probes.routes(),
        middleware=[Middleware(Guard, names=hosts)],
    )


class Probes:
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

    def routes(self) -> tuple[Route, ...]:
        """What every process answers; with the page there is `status`, too."""
        return (
            Route("/livez", self.livez),
            Route("/healthz", self.healthz),
            Route("/readyz", self.readyz),
            Route("/metrics", self.metrics),
        )

    async def livez(self, _request: Request) -> Response:
        """200 while the process moves, else 503: start it again."""
        return _verdict(moving(self._health.stuck_for()))

    async def healthz(self, _request: Request) -> Response:
        """200 while the clockwork ticks, which takes the database, else 503."""
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
