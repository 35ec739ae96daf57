"""Parts of a service opened by themselves, for a command: beside one that is at work, or without."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from monitor.clock import SystemClock
from monitor.compose import Rules
from monitor.config import Settings
from monitor.engine.pool import ProcessPool
from monitor.fetch.client import HttpFetcher
from monitor.fetch.politeness import PoliteFetcher
from monitor.parts import Pace, rules_of, sink_of
from monitor.pipeline.spikes import shortfalls
from monitor.ports import Clock, Fetcher, Offload, Reports, Store, Workload
from monitor.storage import SqlReports, SqlStore
from monitor.storage.address import read_address


@asynccontextmanager
async def looking_at(settings: Settings) -> AsyncIterator[Reports]:
    """The read side of a database that a service may be using. Raises `StorageError`."""
    async with SqlStore(settings.monitor.database, None) as store:
        yield SqlReports(store, lambda: settings.alerts.max_age)


async def spikes_unjudged(settings: Settings) -> Mapping[str, str]:
    """Why spikes of watches can't be judged yet, by their names. Raises `StorageError`."""
    if not any(watch.spike for watch in settings.watches):
        return {}
    async with SqlStore(settings.monitor.database, None) as store:
        return await shortfalls(store, settings.watches, SystemClock().now())


@asynccontextmanager
async def deciding(settings: Settings) -> AsyncIterator[tuple[Store, Rules]]:
    """The database that a service may be using, to be changed by hand; and the rules.

    Who changes it need not tell the service: what is due is found by its next tick.
    """
    async with SqlStore(settings.monitor.database, None) as store:
        sink = sink_of(settings, sys.stdout)
        try:
            yield store, rules_of(settings, Pace(), sink)
        finally:
            await sink.close()


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[SqlStore]:
    """The database itself, for who measures or prunes it. Raises `StorageError`."""
    async with SqlStore(settings.monitor.database, None) as store:
        yield store


@asynccontextmanager
async def fetching(
    settings: Settings, clock: Clock, *, polite: bool = True
) -> AsyncIterator[Fetcher]:
    """What gets URLs by these settings; unless it is `polite`, those of one host side by side."""
    async with HttpFetcher(
        clock=clock,
        user_agent=settings.monitor.user_agent,
        timeout=settings.fetch.timeout.total_seconds(),
        allow=settings.fetch.allow,
        proxy=settings.fetch.proxy,
    ) as http:
        yield PoliteFetcher(http, clock, spacing=settings.fetch.spacing) if polite else http


@asynccontextmanager
async def offloading() -> AsyncIterator[Offload]:
    """A process for what is to be parsed."""
    async with ProcessPool(workers=1) as pool:
        yield pool


async def workload_of(settings: Settings) -> Workload | None:
    """How the jobs stand of the processes that share a PostgreSQL; None where none has run yet, and on
    SQLite, where only the one process knows. Raises `StorageError`.
    """
    address = read_address(settings.monitor.database)
    if address.path is not None:
        return None
    from monitor.engine.cluster import ClusterEngine, is_prepared  # noqa: PLC0415 11 MB

    conninfo = address.conninfo
    if not await is_prepared(conninfo):
        return None
    engine = ClusterEngine(conninfo)
    await engine.open(make=False)
    try:
        return await engine.workload()
    finally:
        await engine.close()
