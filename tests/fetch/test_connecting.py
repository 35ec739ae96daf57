"""Connections that somebody else speaks over, against real sockets."""

from __future__ import annotations

import aiohttp
import pytest

from monitor.fetch.connecting import guarded
from tests.webserver import Reply, WebServer


async def test_only_what_is_allowed_is_connected_to():
    """As it is at that moment: a host by its name, or by where it is."""
    allow: list[str] = []
    async with WebServer() as server:
        server.route("/", Reply(b"here"))
        url = f"http://localhost:{server.port}/"
        connector = guarded(lambda: allow)("localhost")
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(aiohttp.ClientConnectorError) as caught:
                await session.get(url)
            assert isinstance(caught.value.os_error, PermissionError)
            assert server.connections == 0
            allow.append("localhost")
            async with session.get(url) as answer:
                assert await answer.read() == b"here"
        allow[:] = ["other.example", "127.0.0.0/8"]
        async with (
            aiohttp.ClientSession(connector=guarded(lambda: allow)("localhost")) as session,
            session.get(url) as answer,
        ):
            assert answer.status == 200
        allow[:] = ["localhost"]
        async with aiohttp.ClientSession(connector=guarded(lambda: allow)("other")) as session:
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get(url)  # a name opens its addresses for itself alone
