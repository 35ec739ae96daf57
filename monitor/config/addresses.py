"""What may stand where a host, a URL or a database is wanted. As in `values`, each function returns
the value or raises `Invalid`. Nothing here asks the network.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from monitor.config.values import Invalid, text

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


def is_host(value: str) -> bool:
    """Whether this is an IP address or a name that a resolver could be asked for."""
    try:
        ipaddress.ip_address(value.strip("[]").partition("%")[0])
    except ValueError:
        ascii_name = to_ascii(value)
        return (
            ascii_name is not None
            and len(ascii_name) <= 253
            and all(_LABEL.fullmatch(label) for label in ascii_name.split("."))
        )
    return True


def to_ascii(value: str) -> str | None:
    """A host name in lower case, IDN as punycode; None if it can't be one."""
    try:
        return value.strip().rstrip(".").encode("idna").decode().lower() or None
    except UnicodeError:
        return None


def host(value: object) -> str:
    """An address or name to listen on."""
    line = text(value)
    if "/" in line or not is_host(line):
        raise Invalid('must be a host name or an address, e.g. "127.0.0.1"')
    return line.strip("[]")


def allowed(value: object) -> str:
    """A host name, an IP address or a network (CIDR)."""
    line = text(value)
    try:
        network = ipaddress.ip_network(line, strict=False)
    except ValueError:
        return _allowed_name(line)
    if "/" in line and str(network) != str(ipaddress.ip_interface(line)):
        raise Invalid(f'"{line}" has bits set behind its mask; did you mean "{network}"?')
    return str(network) if "/" in line else str(network.network_address)


def network(value: object) -> str:
    """An IP address or a network (CIDR)."""
    line = allowed(value)
    try:
        ipaddress.ip_network(line)
    except ValueError:
        raise Invalid('must be an address or a network such as "10.0.0.0/8", no name') from None
    return line


def _allowed_name(line: str) -> str:
    bare = urlsplit(line if "//" in line else f"//{line}").netloc.rpartition("@")[2]
    bare = re.sub(r":\d*$", "", bare)
    if bare != line and is_host(bare) and not re.match(r"[\d.]+/", line):
        raise Invalid(f'must be a host alone, without scheme, port or path: "{bare.lower()}"')
    name_ = to_ascii(line)
    if name_ is None or not is_host(line) or re.fullmatch(r"[\d.]+", line):
        raise Invalid('must be a host name, an address or a network such as "10.0.0.0/8"')
    return name_


def http_url(value: object) -> str:
    """An absolute http(s) URL with a host."""
    line = text(value)
    if not re.match(r"https?://", line, re.IGNORECASE):
        raise Invalid("must start with http:// or https://")
    if re.match(r"\w+://[^/?#]*\s", line):
        raise Invalid("has a space in its host: leave it out")
    if re.search(r"\s", line):
        raise Invalid("must not contain spaces; write them as %20")
    try:
        parts = urlsplit(line)
        good_port = parts.port is None or parts.port > 0
    except ValueError:
        raise Invalid("is not a URL that can be fetched: look at its host and port") from None
    if not parts.hostname:
        raise Invalid("lacks a host, as in https://example.org/feed.xml")
    if not good_port or not is_host(parts.hostname):
        raise Invalid("is not a URL that can be fetched: look at its host and port")
    return line


def proxy(value: object) -> str:
    """An http(s) proxy; user and password may stand before its host."""
    line = http_url(value)
    parts = urlsplit(line)
    if parts.netloc.count("@") > 1:
        raise Invalid("is not a URL: write / @ : in a password as %2F %40 %3A")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise Invalid("must be a host and port alone, e.g. http://proxy.example:3128")
    return line


def public_url(value: object) -> str:
    """Where this machine is reached from outside: what a URL begins with."""
    line = http_url(value)
    parts = urlsplit(line)
    if "@" in parts.netloc or "?" in line or "#" in line:
        raise Invalid("must be a plain address, e.g. https://desk.example.org")
    return line.rstrip("/")


def same_url(url: str) -> str:
    """What two spellings of one URL have in common; the scheme does not count."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port not in {None, 80, 443} else ""
    return SplitResult(
        "", (to_ascii(parts.hostname or "") or "") + port, parts.path or "/", parts.query, ""
    ).geturl()


def is_private(url_host: str) -> bool:
    """Whether a host is, on its face, no public address (names are not looked up)."""
    if url_host == "localhost" or url_host.endswith(".localhost"):
        return True
    try:
        return not ipaddress.ip_address(url_host.partition("%")[0]).is_global
    except ValueError:
        return False


def is_loopback(url_host: str) -> bool:
    """Whether only this machine itself reaches what listens there (names are not looked up)."""
    if url_host == "localhost" or url_host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(url_host).is_loopback
    except ValueError:
        return False


def covers(allow: Iterable[str], url_host: str) -> bool:
    """Whether a list of hosts and networks names this host."""
    lowered = to_ascii(url_host) or url_host
    for entry in allow:
        if entry == lowered:
            return True
        try:
            if ipaddress.ip_address(lowered) in ipaddress.ip_network(entry):
                return True
        except ValueError:
            continue
    return False


def database(value: object) -> str:
    """A database URL: a SQLite file or a PostgreSQL server."""
    line = text(value)
    if line.startswith("sqlite:///"):
        path = line.removeprefix("sqlite:///").partition("?")[0]
        if not path.strip("/") or path in {":memory:", "/:memory:"}:
            raise Invalid("must name a file, e.g. sqlite:///data/monitor.db")
        return line
    if line.startswith("postgresql://"):
        try:
            parts = urlsplit(line)
            sound = parts.port != 0 and parts.netloc.count("@") <= 1  # else half of a password
        except ValueError:  # would pass for the host, and hosts are shown
            sound = False
        if not sound:
            raise Invalid(
                "is not a URL: look at its host and port, and write / @ : in a password"
                " as %2F %40 %3A"
            )
        return line
    if re.match(r"postgres(ql\+\w+)?://", line):
        raise Invalid("must start with postgresql://")
    if line.startswith("sqlite"):
        raise Invalid("must start with sqlite:/// (three slashes) and name a file")
    raise Invalid("must be sqlite:/// and a file, or postgresql://user:password@host/name")


def contact(value: object) -> str:
    """An e-mail address or a web page that says who is polling."""
    line = text(value)
    if re.fullmatch(r"[!-'*-~]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", line):
        return line
    if re.match(r"https?://", line) and line.isascii() and not re.search(r"[\s()]", line):
        return http_url(line)
    raise Invalid('must be an e-mail address or a web address, e.g. "newsdesk@example.org"')
