"""Which addresses may be connected to.

The check sits where the socket is made: after DNS, on the very address that `connect` will use, for
every candidate of every hop. Odd spellings, redirects and DNS rebinding all end here, because
nothing is judged by its name. Only a proxy resolves names for itself: then what can be told by the
looks of a host is (`Guard.check_name`).

The table is this file's own, as `ipaddress.is_global` of Python 3.11 calls NAT64, 6to4 and
IPv4-compatible wrappers of private addresses global, and multicast too. Sources: the IANA IPv4 and
IPv6 Special-Purpose Address Registries (RFC 6890), the IPv6 Global Unicast Address Assignments,
RFC 6052 (NAT64), RFC 8215 (local-use NAT64).
"""

from __future__ import annotations

import contextvars
import errno
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any

from monitor.errors import Code, Permanent

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NOT_PUBLIC_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network: Linux connects to itself (RFC 791)
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # carrier-grade NAT (RFC 6598)
        "127.0.0.0/8",  # loopback (RFC 1122)
        "169.254.0.0/16",  # link-local, cloud metadata (RFC 3927)
        "172.16.0.0/12",  # private (RFC 1918)
        "192.0.0.0/24",  # IETF protocol assignments (RFC 6890)
        "192.0.2.0/24",  # documentation (RFC 5737)
        "192.88.99.0/24",  # 6to4 relay anycast, deprecated (RFC 7526)
        "192.168.0.0/16",  # private (RFC 1918)
        "198.18.0.0/15",  # benchmarking (RFC 2544)
        "198.51.100.0/24",  # documentation (RFC 5737)
        "203.0.113.0/24",  # documentation (RFC 5737)
        "224.0.0.0/4",  # multicast (RFC 5771)
        "240.0.0.0/4",  # reserved, broadcast (RFC 1112)
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")  # all that IANA has ever given out
_NOT_PUBLIC_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo and ORCHID among them (RFC 2928, 4380)
        "2001:db8::/32",  # documentation (RFC 3849)
        "2002::/16",  # 6to4 wraps any IPv4 address; deprecated (RFC 7526)
        "3fff::/20",  # documentation (RFC 9637)
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")  # how an IPv6-only host reaches IPv4 (RFC 6052)
_NUMBER = re.compile(r"\.(?:[0-9]+|0x[0-9a-f]*)\Z")  # no top-level domain is one (RFC 3696 §2)
_LOCAL_NAMES = (  # never in the public DNS
    ".localhost",  # RFC 6761
    ".localdomain",  # where distributions put localhost, too
    ".local",  # RFC 6762
    ".internal",  # ICANN, 2024; clouds keep their metadata there
    ".home.arpa",  # RFC 8375
)

_KNOWN = 4_096  # addresses of which it is remembered what they are


def unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv4-mapped or NAT64 address leads to; any other is itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, seen through what it may be wrapped in."""
    plain = unwrapped(address)
    if isinstance(plain, IPv4Address):
        return not any(plain in network for network in _NOT_PUBLIC_V4)
    if plain.scope_id is not None or plain not in _GLOBAL_UNICAST:
        return False
    return not any(plain in network for network in _NOT_PUBLIC_V6)


def plain_host(host: str) -> str:
    """A host name as it is compared: lower case, without brackets or the final dot."""
    return host.strip("[]").rstrip(".").lower()


def written_address(host: str) -> Address | None:
    """The address that a host is, in any spelling that `getaddrinfo` reads; None for a name.

    ``127.1``, ``0x7f.1``, ``017700000001`` and ``2130706433`` are all 127.0.0.1.
    """
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):  # ValueError: what can't be encoded
        return None


@dataclass(slots=True)
class Attempt:
    """What became of the candidate addresses of one hop."""

    host: str
    proxied: bool = False  # the addresses are those of the operator's own proxy
    refused: list[str] = field(default_factory=list)
    allowed: int = 0

    @property
    def blocked(self) -> bool:
        """Whether the guard alone kept the hop from being tried."""
        return bool(self.refused) and not self.allowed


# The connector does not tell the socket factory which host it connects for. A context variable
# does: connection attempts run in the requesting task, or in tasks that copy its context.
_current: contextvars.ContextVar[Attempt | None] = contextvars.ContextVar("attempt", default=None)


class Guard:
    """Makes sockets for public addresses, and for what the operator has allowed.

    `allow` holds host names, which may then resolve to anything, and addresses or networks in CIDR
    notation, which anybody may then resolve to. A host name opens its addresses for itself only.
    """

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self._hosts: set[str] = set()
        self._networks: list[Network] = []
        for item in allow:
            try:
                self._networks.append(ip_network(item.strip("[]"), strict=False))
            except ValueError:
                self._hosts.add(plain_host(item))
        self._is_open = lru_cache(maxsize=_KNOWN)(self._judge)

    def permits(self, host: str | None, address: str) -> bool:
        """Whether `host`, having resolved to `address`, may be connected to."""
        if host is not None and plain_host(host) in self._hosts:
            return True
        return self._is_open(address)

    def _judge(self, address: str) -> bool:
        found = ip_address(address)
        plain = unwrapped(found)
        return is_public(found) or any(plain in network for network in self._networks)

    def check_name(self, host: str) -> None:
        """Raise `Permanent` for a host that is inside by its looks, as far as looks tell.

        That is an address that is not public, in any spelling, what would be one if its numbers
        were right, and a name that no public name server knows: a reserved one, or one without a
        dot.
        """
        name = plain_host(host)
        address = written_address(name)
        if address is not None:
            public = self.permits(name, str(address))
        else:
            public = name in self._hosts or (
                "." in name and not _NUMBER.search(name) and not name.endswith(_LOCAL_NAMES)
            )
        if not public:
            raise Permanent(Code.BLOCKED, f"{name} is not public")

    @contextmanager
    def attempt(self, host: str, *, proxied: bool = False) -> Iterator[Attempt]:
        """Mark the connections made inside as made for this host; tells what became of them.

        `proxied`: they lead to the operator's proxy, which may stand anywhere.
        """
        attempt = Attempt(host, proxied)
        token = _current.set(attempt)
        try:
            yield attempt
        finally:
            _current.reset(token)

    def make_socket(self, info: tuple[int, int, int, str, tuple[Any, ...]]) -> socket.socket:
        """A socket for one candidate of `getaddrinfo`; `PermissionError` when it is not public."""
        family, kind, protocol, _, address = info
        attempt = _current.get()
        exempt = attempt is not None and attempt.proxied
        if not exempt and not self.permits(attempt.host if attempt else None, address[0]):
            if attempt:
                attempt.refused.append(address[0])
            raise PermissionError(errno.EACCES, f"{address[0]} is not a public address")
        if attempt:
            attempt.allowed += 1
        return socket.socket(family, kind, protocol)
