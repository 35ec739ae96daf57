"""Times, spans and reasons in the words of a person. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import pycld2  # type: ignore[import-untyped]

from monitor.errors import Code
from monitor.model import ArticleState, DeliveryState, Health, SubscriptionState
from monitor.polling import moves
from monitor.ports import FeedRow

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400
_RECENT: Final = timedelta(days=7)

HEALTH: Final = {
    Health.NEW: "not read yet",
    Health.LIVE: "live",
    Health.RECOVERED: "recovered",
    Health.SILENT: "silent",
    Health.STALE: "stale",
    Health.FAILING: "failing",
    Health.CHALLENGED: "challenged",
    Health.GONE: "gone",
}
"""How a feed is, on the page."""

DELIVERY: Final = {
    DeliveryState.PENDING: "waiting",
    DeliveryState.SENDING: "sending",
    DeliveryState.SENT: "sent",
    DeliveryState.RETRY: "retrying",
    DeliveryState.DEAD: "failed",
    DeliveryState.DROPPED: "dropped",
    DeliveryState.HELD: "held",
    DeliveryState.FOLDED: "alerted with others",
}
"""A delivery's state on the page."""

ARTICLE: Final = {
    ArticleState.NEW: "waits for its page",
    ArticleState.DONE: "read",
    ArticleState.PARTIAL: "only the feed's own text",
    ArticleState.FAILED: "no text",
}
"""How far an article has come, on the page."""

TONE: Final = {
    Health.NEW: "calm",
    Health.LIVE: "good",
    Health.RECOVERED: "good",
    Health.SILENT: "warn",
    Health.STALE: "warn",
    Health.FAILING: "bad",
    Health.CHALLENGED: "bad",
    Health.GONE: "bad",
    DeliveryState.PENDING: "calm",
    DeliveryState.SENDING: "calm",
    DeliveryState.SENT: "good",
    DeliveryState.RETRY: "warn",
    DeliveryState.DEAD: "bad",
    DeliveryState.DROPPED: "calm",
    DeliveryState.HELD: "calm",
    DeliveryState.FOLDED: "good",
}
"""The colour of a state, always beside its word."""

_REASON: Final = {
    Code.TIMEOUT: "The server did not answer in time.",
    Code.DNS: "The host name has no address.",
    Code.CONNECT: "No connection to the server.",
    Code.TLS: "The server's certificate or encryption was refused.",
    Code.PROTOCOL: "The server broke off, or did not speak HTTP.",
    Code.REDIRECT: "The server redirects in a circle, or somewhere that can't be followed.",
    Code.BLOCKED: "The address is not a public one.",
    Code.DISALLOWED: "The site's robots.txt asks not to read this page.",
    Code.BAD_URL: "The URL can't be used.",
    Code.OPAQUE_LINK: "The link leads to an aggregator that does not say where the article is.",
    Code.TOO_LARGE: "The answer is too large.",
    Code.WRONG_TYPE: "The answer is not text.",
    Code.UNAUTHORIZED: "The server does not let us in.",
    Code.NOT_FOUND: "There is nothing at this URL.",
    Code.GONE: "The publisher has closed this feed for good.",
    Code.RATE_LIMITED: "The server asks us to come less often.",
    Code.CHALLENGED: "A bot check stands where the feed should be.",
    Code.CONSENT: "The page asks for consent to cookies instead of showing the article.",
    Code.PAYWALL: "The article is for subscribers: only its beginning is shown.",
    Code.CLIENT_ERROR: "The server refuses the request.",
    Code.SERVER_ERROR: "The server has trouble of its own.",
    Code.NOT_A_FEED: "What the server sends is not a feed.",
    Code.NO_TEXT: "The page holds no article.",
    Code.PARSE: "What the server sends can't be read.",
    Code.KILLED: "Reading it took too long or too much memory.",
}


def reason(error: str) -> tuple[str, str]:
    """A stored error (``code: detail``) as a sentence and its detail; either may be empty."""
    code, colon, detail = error.partition(": ")
    try:
        return _REASON[Code(code.strip())], detail.strip()
    except ValueError:
        return "", f"{code}{colon}{detail}".strip()


def health(feed: FeedRow, now: datetime) -> str:
    """What is to be said of how a feed is; empty if nothing is."""
    parts = []
    match feed.health:
        case Health.SILENT if feed.health_since:
            parts.append(f"nothing new for {span(now - feed.health_since)}: unusual for it")
        case Health.STALE if feed.newest_at:
            parts.append(f"it answers, but its newest entry is of {date(feed.newest_at)}")
        case Health.RECOVERED if feed.health_since:
            parts.append(f"well again since {ago(feed.health_since, now)}")
    if feed.gaps and feed.gap_at and now - feed.gap_at < _RECENT:
        parts.append(f"entries were lost between two polls {ago(feed.gap_at, now)}")
    if feed.move and moves.lasts(feed.move, now):
        parts.append(f"it has moved to {feed.move.url}: change its url in feeds.toml")
    if said := _pushed(feed, now):
        parts.append(said)
    return "; ".join(parts)


def _pushed(feed: FeedRow, now: datetime) -> str:
    """What is to be said of a feed's hub; nothing while it is being asked."""
    match feed.subscription:
        case SubscriptionState.ACTIVE if feed.subscribed_until and feed.subscribed_until > now:
            return f"pushed {ago(feed.pushed_at, now)}" if feed.pushed_at else "to be pushed"
        case SubscriptionState.DENIED:
            return "its hub refuses to push it"
        case SubscriptionState.FAILED:
            return "its hub can't be had"
    return ""


def span(length: timedelta) -> str:
    """How long: ``0.4 s``, ``40 s``, ``3 min``, ``2 h 5 min``, ``4 days``."""
    seconds = abs(length.total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    if seconds < 1.5 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min"
    if seconds < _DAY:
        hours, rest = divmod(seconds, _HOUR)
        minutes = rest // _MINUTE
        return f"{hours:.0f} h {minutes:.0f} min" if minutes and hours < 6 else f"{hours:.0f} h"
    days = int(seconds // _DAY)
    return f"{days} day" if days == 1 else f"{days} days"


def ago(then: datetime, now: datetime) -> str:
    """A time of the past: ``now``, ``40 s ago``, ``3 min ago``; far away, the date itself."""
    passed = now - then
    if passed > timedelta(days=30):
        return date(then)
    if passed < timedelta(seconds=-1):
        return f"in {span(passed)}"
    if passed < timedelta(seconds=1):
        return "now"
    if passed < timedelta(seconds=10):
        passed = timedelta(seconds=int(passed.total_seconds()))
    return f"{span(passed)} ago"


def due(then: datetime | None, now: datetime) -> str:
    """A time of the future: ``in 4 min``; ``now`` once it has come, ``never`` when it won't."""
    if then is None:
        return "never"
    left = then - now
    return "now" if left <= timedelta(seconds=1) else f"in {span(left)}"


def date(then: datetime) -> str:
    """A day: ``7 May 2025``."""
    return f"{then.day} {then:%b %Y}"


def clock(then: datetime, now: datetime) -> str:
    """A time to the second, with its day unless that is today: ``12:00:03``, ``9 May, 12:00:03``."""
    return f"{_day(then, now)}{then:%H:%M:%S}"


def day_clock(then: datetime, now: datetime) -> str:
    """A time to the minute, with its day unless that is today: ``12:00``, ``9 May, 12:00``."""
    return f"{_day(then, now)}{then:%H:%M}"


def _day(then: datetime, now: datetime) -> str:
    """What stands before a time of day; the year, too, if it is not this one."""
    if then.date() == now.date():
        return ""
    return f"{then.day} {then:%b}, " if then.year == now.year else f"{date(then)}, "


def moment(then: datetime) -> str:
    """A time to the second: ``10 May 2025, 12:00:03 UTC``."""
    return f"{date(then)}, {then:%H:%M:%S} UTC"


def number(count: int) -> str:
    """A count with its thousands apart: ``12,345``."""
    return f"{count:,}"


_NAMES: Final = {
    code: name.replace("_", " ").title() for name, code in pycld2.LANGUAGES if name[:2] != "X_"
} | {"he": "Hebrew", "jv": "Javanese", "nb": "Norwegian Bokmål", "nn": "Norwegian Nynorsk"}
"""What CLD2 calls the languages that it tells apart, in English; and what its codes of former times mean."""


def language(code: str) -> str:
    """A language by its name: ``Hindi``, ``Portuguese (BR)``; one that has none here by its code."""
    base, _, rest = code.replace("_", "-").partition("-")
    name = _NAMES.get(base.lower())
    if name is None:
        return code
    return f"{name} ({rest})" if rest else name


def languages(codes: Iterable[str]) -> Sequence[tuple[str, str]]:
    """Codes with their names, by name: what one may choose from."""
    return sorted(((code, language(code)) for code in codes), key=lambda each: each[1].casefold())


def some(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun: ``1 feed``, ``2 feeds``."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"
