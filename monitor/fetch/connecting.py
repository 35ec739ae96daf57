"""Connections to one host that somebody else speaks over: guarded as our own are."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any

import aiohttp

from monitor.fetch.guard import Guard
from monitor.fetch.resolver import ThreadResolver


def guarded(
    allow: Callable[[], Iterable[str]],
) -> Callable[[str], aiohttp.BaseConnector]:
    """What makes connectors that refuse (PermissionError) addresses that are not public.

    `allow` says what is allowed all the same (`Guard`) at the moment of each connection.
    """

    def connector(host: str) -> aiohttp.BaseConnector:
        def make_socket(info: tuple[int, int, int, str, tuple[Any, ...]]) -> socket.socket:
            guard = Guard(allow())
            with guard.attempt(host):
                return guard.make_socket(info)

        return aiohttp.TCPConnector(resolver=ThreadResolver(), socket_factory=make_socket)

    return connector
