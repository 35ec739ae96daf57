"""Which hub a feed offers, and by what name the hub knows it (WebSub §3).

The Link header is read first, then what stands in the document. Both are the publisher's words, and
any publisher's: a hub is only ever asked through the guarded client.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urldefrag, urljoin, urlsplit

from monitor.model import ParsedFeed

LONGEST = 2_000
"""Characters of a URL that is taken seriously."""

_BETWEEN = re.compile(r"[\s,]*")
_TARGET = re.compile(r"<([^<>]*)>")
_PARAMETER = re.compile(
    r"""\s*;\s*(?:(?P<name>[^\s=;,"]+)\s*(?:=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s;,"]*)))?)?"""
)
_ESCAPED = re.compile(r"\\(.)")


class Offer(NamedTuple):
    """Where a feed can be subscribed to, and as what."""

    hub: str
    topic: str


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a Link header (RFC 8288), its target as it was sent."""

    target: str
    relations: frozenset[str]  # in lower case
    anchor: str | None = None  # what it is a link of, if not of the page that sent it


def links(header: str) -> Iterator[Link]:
    """The links of one Link header, or of several joined by commas (RFC 8288 §3 and Appendix B).

    What can't be read is passed over. Of a parameter that is given twice, the first counts.
    """
    at = 0
    while (at := _behind(_BETWEEN, header, at)) < len(header):
        target = _TARGET.match(header, at)
        if target is None:
            at = _next(header, at)
            continue
        at, said = target.end(), dict[str, str]()
        while (parameter := _PARAMETER.match(header, at)) is not None:
            at = parameter.end()
            if parameter["name"] is not None:
                quoted = parameter["quoted"]
                value = parameter["plain"] or "" if quoted is None else _ESCAPED.sub(r"\1", quoted)
                said.setdefault(parameter["name"].lower(), value)
        yield Link(
            target[1].strip(), frozenset(said.get("rel", "").lower().split()), said.get("anchor")
        )
        at = _next(header, at)


def _behind(pattern: re.Pattern[str], header: str, at: int) -> int:
    match = pattern.match(header, at)
    return match.end() if match else at


def _next(header: str, at: int) -> int:
    """Behind the next comma."""
    comma = header.find(",", at)
    return len(header) if comma < 0 else comma + 1


def offer_of(headers: Mapping[str, str], parsed: ParsedFeed | None, url: str) -> Offer | None:
    """The hub that a feed offers; None if it offers none that can be asked.

    `headers` are those of its answer, names in lower case; `parsed` is None where the document was
    not read, as it is the one before; `url` is where the answer came from. A feed that names a hub
    and not itself is known to it by this URL: many do, though the specification asks for both.
    """
    hub, topic = None, None
    for link in links(headers.get("link", "")):
        if link.anchor is not None and urljoin(url, link.anchor) != url:
            continue
        if hub is None and "hub" in link.relations:
            hub = _sound(url, link.target)
        if topic is None and "self" in link.relations:
            topic = _sound(url, link.target)
    if parsed is not None and hub is None:
        hub = _sound(url, parsed.hub)
        topic = _sound(url, parsed.topic) or topic
    elif parsed is not None:
        topic = topic or _sound(url, parsed.topic)
    if hub is None or (topic := topic or _sound(url, url)) is None:
        return None
    return Offer(urldefrag(hub).url, topic)


def _sound(base: str, reference: str | None) -> str | None:
    """The http(s) URL that a reference leads to, if it is one that can be stored and sent."""
    if not reference or len(reference) > LONGEST:
        return None
    try:
        url = urljoin(base, reference.strip())
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return None
    if not sound or len(url) > LONGEST or not url.isprintable():
        return None
    return url
