"""What one value may be: each function takes what TOML gave and returns the value, or raises
`Invalid` with a sentence that completes "port: …". No sentence repeats a value that could be a
secret.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from urllib.parse import SplitResult, urlsplit


class Invalid(ValueError):
    """A value that can't stand where it stands. pydantic collects it as any ValueError."""


# ------------------------------------------------------------------------------ text


def text(value: object) -> str:
    """One line of text that is not blank, without the spaces around it."""
    if not isinstance(value, str):
        raise Invalid(f'must be text in "quotes", not {_kind(value)}')
    line = value.strip()
    if not line:
        raise Invalid("must not be empty")
    if any(unicodedata.category(char) == "Cc" for char in line):
        raise Invalid("must be one line, without control characters")
    return line


def name(value: object) -> str:
    """A name that fits a headline."""
    line = text(value)
    if len(line) > 100:
        raise Invalid(f"must be at most 100 characters, not {len(line)}")
    return line


def term(value: object) -> str:
    """Something to search for: with at least one letter or digit, of any script."""
    line = text(value)
    if len(line) > 200:
        raise Invalid(f"a term must be at most 200 characters, not {len(line)}")
    if not any(unicodedata.category(char)[0] in "LN" for char in line):
        raise Invalid(f'"{line}" has no letter or digit to search for')
    return line


def choice(*allowed: str) -> Callable[[object], str]:
    """One of a few words."""

    def parse(value: object) -> str:
        word = text(value)
        if word in allowed:
            return word
        raise Invalid(f"must be {_one_of(allowed)}{did_you_mean(word.lower(), allowed)}")

    return parse


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean "…"?` or nothing."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else ""


def _one_of(words: tuple[str, ...]) -> str:
    *rest, last = [f'"{word}"' for word in words]
    return f"{', '.join(rest)} or {last}"


_LANGUAGES = {
    "english": "en",
    "hindi": "hi",
    "urdu": "ur",
    "bengali": "bn",
    "punjabi": "pa",
    "tamil": "ta",
    "arabic": "ar",
    "chinese": "zh",
    "french": "fr",
    "german": "de",
    "spanish": "es",
    "russian": "ru",
}


def language(value: object) -> str:
    """A language tag such as `hi` or `pt-BR`, in lower case."""
    tag = text(value).lower()
    if code := _LANGUAGES.get(tag):
        raise Invalid(f'must be a language code; did you mean "{code}"?')
    if not re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", tag):
        raise Invalid('must be a language code such as "en", "hi" or "ur"')
    return tag


def side(value: object) -> str:
    """Which party of a conflict a publisher belongs to, in lower case."""
    return name(value).lower()


def contact(value: object) -> str:
    """An e-mail address or a web page that says who is polling."""
    line = text(value)
    if re.fullmatch(r"[!-'*-~]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", line):
        return line
    if re.match(r"https?://", line) and line.isascii() and not re.search(r"[\s()]", line):
        return http_url(line)
    raise Invalid('must be an e-mail address or a web address, e.g. "newsdesk@example.org"')


def channel(value: object) -> str:
    """A Slack channel: `#name`, or the id of a channel, group or direct message."""
    line = text(value)
    if re.fullmatch(r"[CGD][A-Z0-9]{8,}", line):
        return line
    lowered = "#" + line.lstrip("#").strip().lower().replace(" ", "-")
    if line != lowered:
        raise Invalid(
            f"must be #name in lower case or an id such as C0123456789; did you mean {lowered}?"
        )
    if not re.fullmatch(r"#[\w-]{1,80}", line):
        raise Invalid("must be # and up to 80 letters, digits, - and _, e.g. #newsdesk")
    return line


# ------------------------------------------------------------------------------ numbers


def flag(value: object) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    raise Invalid("must be true or false, without quotes")


def number(lowest: int, highest: int) -> Callable[[object], int]:
    """A whole number within bounds."""

    def parse(value: object) -> int:
        if isinstance(value, str) and value.strip().isdecimal():
            raise Invalid(f"must be a number: write {value.strip()} without quotes")
        if isinstance(value, bool) or not isinstance(value, int):
            raise Invalid(f"must be a whole number, not {_kind(value)}")
        if not lowest <= value <= highest:
            raise Invalid(f"must be from {lowest} to {highest}, not {value}")
        return value

    return parse


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")


def duration(
    lowest: timedelta, highest: timedelta, *, example: str = "5m", or_off: bool = False
) -> Callable[[object], timedelta | None]:
    """A length of time such as `90s`, `5m` or `1h30m`; `off` is None where that makes sense.

    A timedelta, which only code can give, is taken as it is: the bounds are for people.
    """

    def parse(value: object) -> timedelta | None:
        if isinstance(value, timedelta) or (value is None and or_off):
            return value
        if or_off and (value is False or value in {"off", "none", "never"}):
            return None
        length = _duration(value, example, or_off=or_off)
        if length < lowest:
            raise Invalid(f"must be at least {show_duration(lowest)}")
        if length > highest:
            raise Invalid(f"must be at most {show_duration(highest)}")
        return length

    return parse


def _duration(value: object, example: str, *, or_off: bool) -> timedelta:
    off = ', or "off"' if or_off else ""
    if value == 0 and not isinstance(value, bool):
        return timedelta(0)
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise Invalid(f'lacks its unit: write "{value}s" for seconds, "{value}m" for minutes')
    if not isinstance(value, str):
        raise Invalid(f'must be a time such as "{example}"{off}, not {_kind(value)}')
    compact = re.sub(r"\s+", "", value).lower()
    if compact == "0":
        return timedelta(0)
    if not _DURATION.fullmatch(compact):
        raise Invalid(f'must be a time such as "{example}"{off}; units are s, m, h, d and w')
    seconds = sum(float(count) * _UNITS[unit] for count, unit in _DURATION_PART.findall(compact))
    if seconds > timedelta(days=36500).total_seconds():
        raise Invalid("must be less than a hundred years")
    return timedelta(seconds=seconds)


def show_duration(length: timedelta) -> str:
    """The way an operator would write it: `90s`, `5m`, `1h30m`."""
    seconds = length.total_seconds()
    if seconds < 60 or seconds % 1:
        return f"{seconds:g}s"
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count:g}{unit}")
    return "".join(parts)


_BYTES = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
}


def size(lowest: int, highest: int) -> Callable[[object], int]:
    """A number of bytes: `2097152`, `"2MB"`, `"2 MiB"`."""

    def parse(value: object) -> int:
        if isinstance(value, str):
            match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmg]?i?b?)", value.strip().lower())
            if not match or match[2] not in _BYTES:
                raise Invalid('must be a size such as "15MB", "2 MiB" or a number of bytes')
            value = int(float(match[1]) * _BYTES[match[2]])
        if isinstance(value, bool) or not isinstance(value, int):
            raise Invalid(f'must be a size such as "15MB" or a number of bytes, not {_kind(value)}')
        if not lowest <= value <= highest:
            raise Invalid(f"must be from {show_size(lowest)} to {show_size(highest)}")
        return value

    return parse


def show_size(count: int) -> str:
    """Bytes as people say them."""
    for unit in ("MiB", "KiB"):
        if count >= _BYTES[unit.lower()]:
            return f"{count / _BYTES[unit.lower()]:.3g} {unit}"
    return f"{count} bytes"


# ------------------------------------------------------------------------------ the network

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
    if re.search(r"\s", line):
        raise Invalid("must not contain spaces; write them as %20")
    if "@" in line and not line.isascii():
        raise Invalid("is not a URL that can be fetched")
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
            _ = urlsplit(line).port
        except ValueError:
            raise Invalid(
                "is not a URL: look at its host and port, and write / @ : in a password"
                " as %2F %40 %3A"
            ) from None
        return line
    if re.match(r"postgres(ql\+\w+)?://", line):
        raise Invalid("must start with postgresql://")
    if line.startswith("sqlite"):
        raise Invalid("must start with sqlite:/// (three slashes) and name a file")
    raise Invalid("must be sqlite:/// and a file, or postgresql://user:password@host/name")


# ------------------------------------------------------------------------------ words


def _kind(value: object) -> str:
    """What sort of TOML value this is, for a sentence."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
        case dict():
            return "a table"
        case datetime() | date() | time():
            return "a date or time"
        case _:
            return "this"
