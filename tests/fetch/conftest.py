"""A server, and fetchers that may or may not reach it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from monitor.fetch import HttpFetcher
from tests.fakes import FakeClock
from tests.webserver import WebServer


@pytest.fixture
async def server() -> AsyncIterator[WebServer]:
    """A web server on loopback."""
    async with WebServer() as server:
        yield server


@pytest.fixture
async def fetcher(clock: FakeClock) -> AsyncIterator[HttpFetcher]:
    """A fetcher that the operator has allowed to reach loopback."""
    async with HttpFetcher(
        clock=clock, user_agent="monitor/test", timeout=20, allow=["127.0.0.0/8"]
    ) as fetcher:
        yield fetcher
