"""Links that lead to an article by way of somebody else, and carry its URL in their own."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qs, unquote

_BY_QUERY: Final = (
    # (host, path, names of the parameter that holds the target)
    (r"(?:www\.|news\.)?google\.[a-z.]{2,6}", r"/url", ("url", "q")),  # Google Alerts, Search
    (r"(?:www\.)?bing\.com", r"/news/apiclick\.aspx", ("url",)),
    (r"(?:www\.)?youtube\.com", r"/redirect", ("q",)),
    (r"(?:www\.)?duckduckgo\.com", r"/l/", ("uddg",)),
    (r"lm?\.(?:facebook|instagram)\.com", r"/(?:l\.php)?", ("u",)),
    (r"(?:www\.)?facebook\.com", r"/(?:l|flx/warn)(?:\.php)?/?", ("u",)),
    (r"t\.umblr\.com", r"/redirect", ("z",)),
    (r"out\.reddit\.com", r"/.*", ("url",)),
    (r"(?:away\.)?vk\.com", r"/away\.php", ("to",)),
    (r"slack-redir\.net", r"/link", ("url",)),
    (r"(?:\w+\.)?safelinks\.protection\.outlook\.com", r"/.*", ("url",)),
    (r"(?:www\.)?linkedin\.com", r"/(?:redir/redirect|safety/go)", ("url",)),
)
_QUERY_RULES: Final = tuple(
    (re.compile(host), re.compile(path), names) for host, path, names in _BY_QUERY
)
_AMP_VIEWER: Final = re.compile(r"/amp/(?P<tls>s/)?(?P<rest>[^/]+\.[^/]+/.*)")
_AMP_CACHE: Final = re.compile(r"/[cv]/(?P<tls>s/)?(?P<rest>[^/]+\.[^/]+/.*)")
_GOOGLE: Final = re.compile(r"(?:www\.)?google\.[a-z.]{2,6}")
_NEWS_HOST: Final = "news.google.com"
_NEWS_ARTICLE: Final = re.compile(
    r"/(?:(?:rss/|__i/rss/rd/)?articles|(?:rss/)?read)/(?P<id>[A-Za-z0-9_-]+)"
)
_NEWS_MESSAGE: Final = b"\x08\x13\x22"  # field 1: 19; field 4: a string, its length follows


def target_of(host: str, path: str, query: str) -> str | None:
    """Where a redirector leads, if this is one and its link says so; not yet judged as a URL."""
    for paths, names in _rules_of(host):
        if paths.fullmatch(path):
            values = parse_qs(query)
            return next((values[name][0] for name in names if name in values), None)
    if host == _NEWS_HOST:
        return _of_google_news(path)
    if _GOOGLE.fullmatch(host):
        return _of_amp(_AMP_VIEWER.fullmatch(path), query)
    if host.endswith(".cdn.ampproject.org"):
        return _of_amp(_AMP_CACHE.fullmatch(path), query)
    if host.endswith("rd.yahoo.com"):
        return unquote(path).partition("*")[2] or None
    return None


@lru_cache(maxsize=1 << 12)
def _rules_of(host: str) -> Sequence[tuple[re.Pattern[str], Sequence[str]]]:
    return tuple((paths, names) for hosts, paths, names in _QUERY_RULES if hosts.fullmatch(host))


def is_opaque(host: str, path: str) -> bool:
    """Whether a link without a target shows a script or a consent page where an article should be.

    Google News is the one that feeds are made of. Links whose redirector answers with a redirect,
    as shorteners do, are followed like any other.
    """
    return host == _NEWS_HOST and _NEWS_ARTICLE.fullmatch(path) is not None


def _of_amp(match: re.Match[str] | None, query: str) -> str | None:
    if match is None:
        return None
    scheme = "https" if match["tls"] else "http"
    return f"{scheme}://{match['rest']}{'?' if query else ''}{query}"


def _of_google_news(path: str) -> str | None:
    """The URL inside an article id of Google News, as it was until summer 2024.

    Such an id is base64 of a small protobuf message that holds the URL as text; later ids hold a
    key that only Google can resolve, and stay what they are.
    """
    match = _NEWS_ARTICLE.fullmatch(path)
    if match is None:
        return None
    try:
        message = base64.urlsafe_b64decode(match["id"] + "=" * (-len(match["id"]) % 4))
    except binascii.Error:
        return None
    if not message.startswith(_NEWS_MESSAGE) or len(message) < 6:
        return None
    length, start = message[3], 4
    if length >= 0x80:  # a varint of two bytes: no URL there needs three
        length, start = length & 0x7F | message[4] << 7, 5
    return message[start : start + length].decode("ascii", "replace")
