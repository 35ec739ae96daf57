"""What a request says of where it was sent and where it comes from, and how far that goes."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

PASSED_ON: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers by which a proxy says that it passes on the request of somebody else."""


def host_of(header: str) -> str:
    """The host of a Host header in lower case, without port, brackets or final dot."""
    host = header.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].removesuffix(".")


def may_call(header: str, names: Collection[str]) -> bool:
    """Whether a Host header is an address, ``localhost``, or one of these names."""
    host = host_of(header)
    if host == "localhost" or host.endswith(".localhost") or host in names:
        return True
    return address_of(host) is not None


def is_local(peer: str | None, host: str) -> bool:
    """Whether a request of this address, with this Host header, comes from this machine."""
    name = host_of(host)
    by_name = name == "localhost" or name.endswith(".localhost") or _is_loopback(name)
    return by_name and peer is not None and _is_loopback(peer)


def address_of(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address that this is; one of IPv4 that is written as IPv6 is one of IPv4."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_loopback(text: str) -> bool:
    address = address_of(text)
    return address is not None and address.is_loopback


def is_passed_on(request: Request) -> bool:
    """Whether a proxy says that this is somebody else's request."""
    return any(name in request.headers for name in PASSED_ON)


def path_of(request: Request) -> str:
    """The path by which a route is chosen. `Request.url` ends it at a "?" that is a part of it."""
    path = request.scope["path"]
    assert isinstance(path, str)
    return path


def peer_of(request: Request) -> str | None:
    """The address at the other end of the connection."""
    return request.client.host if request.client else None


class Origins:
    """Which requests of browsers come from a page of ours, and whether by https."""

    def __init__(self, public_url: str | None = None) -> None:
        """`public_url`: where a proxy shows us."""
        public = urlsplit(public_url or "")
        self._public_host = public.hostname
        self._public_origin = _normal(public.scheme, public.netloc)
        self._public_is_https = public.scheme == "https"

    def is_https(self, request: Request) -> bool:
        """Whether the browser speaks https, as far as that can be known: to the public name."""
        called = host_of(request.headers.get("host", ""))
        return request.url.scheme == "https" or (
            self._public_is_https and called == self._public_host
        )

    def base(self, request: Request) -> str:
        """What URLs of this page begin with, as who asks calls it; without a slash at the end."""
        scheme = "https" if self.is_https(request) else "http"
        return f"{scheme}://{request.headers.get('host', '')}"

    def is_own(self, request: Request) -> bool:
        """Whether a browser says that a page of ours has it send this request.

        The scheme must be known to be wrong to count: a proxy that ends TLS tells nobody.
        """
        headers = request.headers
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return False
        origin = urlsplit(headers.get("origin", ""))
        said = _normal(origin.scheme, origin.netloc)
        if said is None or origin.path or origin.query:
            return False
        if said == self._public_origin:
            return True
        schemes = ["https"] if self.is_https(request) else ["http", "https"]
        host = headers.get("host", "")
        return said in [_normal(scheme, host) for scheme in schemes]


def _normal(scheme: str, host: str) -> tuple[str, str, int] | None:
    """Scheme, host and port, however they are written; None for what is none of the web."""
    usual = {"http": 80, "https": 443}.get(scheme)
    try:
        parts = urlsplit(f"//{host}")
        port = parts.port
    except ValueError:
        return None
    if usual is None or not parts.hostname or "@" in host:
        return None
    return scheme, parts.hostname.removesuffix("."), port or usual
