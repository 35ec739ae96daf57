"""robots.txt (RFC 9309): what a site asks crawlers not to read, and how fast they may.

Asked about article pages. Feeds are not: the operator named them one by one.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from protego import Protego

from monitor.errors import Code, Permanent, Transient, WorkError
from monitor.model import Validators
from monitor.ports import Clock, Fetcher, NotModified, Page

TOKEN = "monitor"  # noqa: S105 - the product token that a robots.txt calls us by
KEPT = timedelta(hours=24)
"""How long an answer holds (RFC 9309 §2.4)."""
ASKED_AGAIN = timedelta(minutes=10)
"""How long a server that could not say is not asked again."""
OLD = timedelta(days=7)
"""How long its last word holds meanwhile, if there was one."""
LONGEST_DELAY = timedelta(seconds=30)
READ = 500 << 10  # bytes: what the RFC has everybody read of it (§2.5)

_MOST = 2 << 20  # bytes; what is longer is no robots.txt
_HOSTS = 2_000
_MEMORY = 64 << 20  # bytes, estimated, of what is kept in all
_RULE = 1_500  # bytes that a rule takes beside six times its text, measured
_BUSY = frozenset({408, 425, 429})
_AGENT = re.compile(r"[ \t]*user[- ]?agent[ \t]*(?::[ \t]*|[ \t])([^\n\r#]*)", re.IGNORECASE)
_OF_THE_SITE = re.compile(r"(?:site-?maps?|host)\b", re.IGNORECASE)  # in a group or out of it
_PRODUCT = re.compile(r"[A-Za-z_-]+", re.ASCII)
_PLAIN_ORIGIN = re.compile(
    r"(https?://[a-z0-9.-]+(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}))?)(?:[/?#]|\Z)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class _Rules:
    """What an origin said."""

    until: datetime
    read_at: datetime
    robots: Protego | None  # None: it has no rules
    size: int = _RULE
    trouble: Transient | None = None  # it could not say


class Robots:
    """Knows what each origin's robots.txt says to us, asked through `fetcher` and kept for a day.

    In memory only, and bounded: the origins that were asked about longest ago are forgotten.
    """

    def __init__(self, fetcher: Fetcher, clock: Clock) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._known: OrderedDict[str, _Rules] = OrderedDict()
        self._size = 0
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def allows(self, url: str) -> bool:
        """Whether a page may be read. Raises `Transient` when its site can't say at present.

        A site without a robots.txt (4xx) allows everything; one that is in trouble (5xx, no
        answer, too many requests) is left alone until it is asked again in some minutes.
        """
        rules = await self._rules(url)
        if rules is None:
            return True  # no origin: the fetcher says what is wrong with it
        if rules.trouble is not None:
            raise rules.trouble
        robots = rules.robots
        if robots is None:
            return True
        if rules.size < 100 * _RULE:
            return robots.can_fetch(url, TOKEN)
        return await asyncio.to_thread(robots.can_fetch, url, TOKEN)

    def crawl_delay(self, url: str) -> timedelta:
        """The pause that a site asks for between two requests, as far as it was asked; ≤ 30 s."""
        rules = self._known.get(_origin(url) or "")
        delay = rules.robots.crawl_delay(TOKEN) if rules and rules.robots else None
        if delay is None or not math.isfinite(delay) or delay <= 0:
            return timedelta(0)
        return timedelta(seconds=min(delay, LONGEST_DELAY.total_seconds()))

    async def _rules(self, url: str) -> _Rules | None:
        origin = _origin(url)
        if origin is None:
            return None
        turn = self._asking.get(origin)
        if turn is None:
            turn = self._asking[origin] = asyncio.Lock()
        async with turn:  # who comes second finds what the first one brought
            rules = self._known.get(origin)
            if rules is None or rules.until <= self._clock.now():
                rules = await self._ask(origin, rules)
                self._keep(origin, rules)
            self._known.move_to_end(origin)
            return rules

    async def _ask(self, origin: str, before: _Rules | None) -> _Rules:
        try:
            page = await self._fetcher.get(
                f"{origin}/robots.txt", accept="text/plain, */*;q=0.1", max_bytes=_MOST
            )
        except WorkError as error:
            return self._without(error, before)
        now = self._clock.now()
        if isinstance(page, NotModified):  # nobody asked it whether it was
            return _Rules(now + KEPT, now, None)
        rules = list(_ours(page.body[:READ].decode("utf-8", "replace")))
        if not rules:
            return _Rules(now + KEPT, now, None)
        robots = await asyncio.to_thread(Protego.parse, "\n".join(rules))
        return _Rules(now + KEPT, now, robots, sum(_RULE + 6 * len(rule) for rule in rules))

    def _without(self, error: WorkError, before: _Rules | None) -> _Rules:
        """What holds when there is no answer."""
        now = self._clock.now()
        refused = 400 <= (error.status or 0) < 500 and error.status not in _BUSY
        if refused or not isinstance(error, Transient):
            return _Rules(now + KEPT, now, None)
        until = now + max(ASKED_AGAIN, min(error.retry_after or ASKED_AGAIN, KEPT))
        if before is not None and before.trouble is None and now - before.read_at < OLD:
            return _Rules(until, before.read_at, before.robots, before.size)
        trouble = Transient(
            error.code,
            f"robots.txt could not be asked: {error.detail}",
            status=error.status,
            retry_after=until - now,
        )
        return _Rules(until, now, None, trouble=trouble)

    def _keep(self, origin: str, rules: _Rules) -> None:
        old = self._known.pop(origin, None)
        self._size += rules.size - (old.size if old else 0)
        self._known[origin] = rules
        while len(self._known) > _HOSTS or (self._size > _MEMORY and len(self._known) > 1):
            _, forgotten = self._known.popitem(last=False)
            self._size -= forgotten.size


class RobotsFetcher:
    """A fetcher that reads only what robots.txt allows.

    `fetcher` keeps the pauses; what is asked of robots.txt goes through the `Robots`' own.
    """

    def __init__(self, fetcher: Fetcher, robots: Robots) -> None:
        self._fetcher = fetcher
        self._robots = robots

    async def get(
        self, url: str, *, accept: str, max_bytes: int, validators: Validators = Validators()
    ) -> Page | NotModified:
        """As the fetcher below. Raises `Permanent` with `Code.DISALLOWED` for what is not allowed.

        Where redirects led is asked about, too: what may not be read there was not read.
        """
        await self._check(url)
        answer = await self._fetcher.get(
            url, accept=accept, max_bytes=max_bytes, validators=validators
        )
        if isinstance(answer, Page) and answer.url != url:
            await self._check(answer.url)
        return answer

    async def post(self, url: str, fields: Mapping[str, str]) -> None:
        """As the fetcher below: robots.txt is about reading."""
        await self._fetcher.post(url, fields)

    async def _check(self, url: str) -> None:
        if not await self._robots.allows(url):
            raise Permanent(Code.DISALLOWED, "robots.txt does not allow it")


def _origin(url: str) -> str | None:
    """``https://host:port`` of a web URL."""
    if plain := _PLAIN_ORIGIN.match(url):  # nearly all are
        return plain[1]
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host:
        return None
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}" + (f":{port}" if port else "")


def _ours(text: str) -> Iterator[str]:
    """A robots.txt without the rules for others, whose names are all made one.

    A parser holds each rule once for each agent of its group, so that 20,000 of both, which go
    into the size that must be read, would be 400 million.
    """
    kept = False
    heads = False  # whether the lines before this one name agents
    for line in text.lstrip("\ufeff").splitlines():
        if match := _AGENT.match(line):
            name = match[1].strip()
            product = _PRODUCT.match(name)
            mine = name == "*" or (product is not None and product[0].lower() == TOKEN)
            kept = mine or (heads and kept)
            heads = True
            if mine:
                yield f"user-agent: {'*' if name == '*' else TOKEN}"
        elif (rule := line.partition("#")[0].strip()) and not _OF_THE_SITE.match(rule):
            heads = False
            if kept:
                yield rule
