"""Who asks, and what they may do.

There are two ways in. **A token**, typed once into a form or sent as ``Authorization: Bearer``:
one that may change things and one that may only read. And **a proxy that knows its visitors**,
whose address the configuration names, and which says in a header who it is. Where neither is set,
the page belongs to those who sit at its machine: a loopback address, by a loopback name, and not
passed on by a proxy. As soon as either is set, they log in, too: a proxy on the same machine that
says nothing of its visitors looks exactly like them.

A session is a cookie that says until when it is good and what it may do, signed by a key that is
made of the token. So it outlives a restart, nothing of it is stored, and a new token ends all of
them. A log-out is remembered as long as the process lives. What a feed reader follows ends in a
key of the same making, good for that one feed.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum
from typing import Final, Literal

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from monitor.ports import Clock
from monitor.web.hosts import Origins, address_of, is_local, is_passed_on, path_of, peer_of

SESSION: Final = timedelta(days=7)
"""How long a browser stays logged in."""

TRIES: Final = 10
"""Wrong tokens of an address that are answered at once; then one each `AGAIN`."""

AGAIN: Final = timedelta(seconds=6)

PAGE: Final = "page"
"""Who changed something, where nobody has a name."""

_PEERS: Final = 4096
_COOKIE: Final = "monitor-session"
_SECURE_COOKIE: Final = f"__Host-{_COOKIE}"
_LONGEST_NAME: Final = 100
_VALUE: Final = re.compile(r"(read|write)\.([0-9]{10,12})\.([0-9a-f]{32})\.([0-9a-f]{64})")


class May(IntEnum):
    """What somebody may do; who may change things may read them."""

    NOTHING = 0
    READ = 1
    WRITE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who asks."""

    may: May
    how: Literal["stranger", "machine", "session", "bearer", "proxy"]
    name: str = PAGE  # by which what they change is kept
    is_wrong: bool = False  # a token was sent, and it is none
    wait: int = 0  # seconds until one is looked at again


STRANGER: Final = Visitor(may=May.NOTHING, how="stranger")


class TooMany(Exception):
    """So many wrong tokens came from an address that the next one is not looked at yet."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"Too many wrong tokens came from there: try again in {seconds} seconds.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What opens the page."""

    token: SecretStr | None = None
    read_token: SecretStr | None = None
    header: str | None = None  # in which proxies say who asks
    proxies: Sequence[str] = ()  # addresses and networks of these
    public_url: str | None = None


class Access:
    """Tells who asks; gives out sessions and keys of feeds."""

    def __init__(self, clock: Clock, doors: Doors | None = None) -> None:
        """Without `doors`, only this machine may ask anything."""
        doors = doors or Doors()
        self._clock = clock
        self._tokens = {
            may: token.get_secret_value().encode()
            for may, token in ((May.WRITE, doors.token), (May.READ, doors.read_token))
            if token is not None
        }
        self._header = doors.header
        self._proxies = [ipaddress.ip_network(each) for each in doors.proxies]
        self._throttle = _Throttle()
        self._ended: dict[str, int] = {}  # sessions that were logged out, until when they were good
        self.origins = Origins(doors.public_url)

    @property
    def has_tokens(self) -> bool:
        """Whether somebody can log in here."""
        return bool(self._tokens)

    @property
    def has_proxy(self) -> bool:
        """Whether somebody can be logged in by a proxy."""
        return self._header is not None

    # -- who asks

    def visitor(self, request: Request) -> Visitor:
        """Who asks; of several ways in, the first that leads somewhere."""
        if name := self._named_by_proxy(request):
            return Visitor(may=May.WRITE, how="proxy", name=name)
        if self._tokens:
            scheme, _, sent = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() == "bearer":
                return self._bearer(request, sent.strip())
            return self._session(request)
        if self._header is None and self._is_here(request):
            return Visitor(may=May.WRITE, how="machine")
        return STRANGER

    def _named_by_proxy(self, request: Request) -> str | None:
        if self._header is None or not self._is_proxy(peer_of(request)):
            return None
        said = request.headers.getlist(self._header)
        if len(said) != 1:  # two: somebody's own beside the proxy's
            return None
        name = said[0].encode("latin-1").decode("utf-8", "replace")
        return " ".join("".join(c if c.isprintable() else " " for c in name).split())[
            :_LONGEST_NAME
        ]

    def _is_proxy(self, peer: str | None) -> bool:
        address = address_of(peer or "")
        return address is not None and any(address in network for network in self._proxies)

    def _is_here(self, request: Request) -> bool:
        peer = peer_of(request)
        if is_passed_on(request) or self._is_proxy(peer):
            return False
        return is_local(peer, request.headers.get("host", ""))

    def _bearer(self, request: Request, sent: str) -> Visitor:
        try:
            may = self.check(request, sent)
        except TooMany as error:
            return Visitor(may=May.NOTHING, how="stranger", is_wrong=True, wait=error.seconds)
        if may is May.NOTHING:
            return Visitor(may=may, how="stranger", is_wrong=True)
        return Visitor(may=may, how="bearer", name="api")

    # -- tokens

    def check(self, request: Request, typed: str) -> May:
        """What a token opens. Raises `TooMany` while it is not to be looked at."""
        peer, now = self._source(request), self._clock.now().timestamp()
        if wait := self._throttle.wait(peer, now):
            raise TooMany(wait)
        digest = hashlib.sha256(typed.encode("utf-8", "surrogateescape")).digest()
        found = May.NOTHING
        for may, token in self._tokens.items():  # all of them: how long it takes tells nothing
            if hmac.compare_digest(digest, hashlib.sha256(token).digest()):
                found = may
        if found is May.NOTHING:
            self._throttle.note(peer, now)
        return found

    def _source(self, request: Request) -> str:
        """Where a request comes from: the address before our proxies, a network of IPv6."""
        peer = peer_of(request) or ""
        if self._is_proxy(peer):
            passed = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
            hops = [hop.strip() for hop in passed if address_of(hop.strip())]
            peer = next((hop for hop in reversed(hops) if not self._is_proxy(hop)), peer)
        address = address_of(peer)
        if isinstance(address, ipaddress.IPv6Address):
            return str(ipaddress.ip_network((address.packed[:8] + bytes(8), 64)))
        return peer

    # -- sessions

    def begin(self, request: Request, response: Response, may: May) -> None:
        """Have the browser stay logged in."""
        now = self._clock.now()
        until = int((now + SESSION).timestamp())
        said = f"{may.name.lower()}.{until}.{secrets.token_hex(16)}"
        secure = self.origins.is_https(request)
        response.set_cookie(
            _SECURE_COOKIE if secure else _COOKIE,
            f"{said}.{self._sign(may, 'session', said)}",
            max_age=int(SESSION.total_seconds()),
            path="/",
            httponly=True,
            samesite="strict",
            secure=secure,
        )

    def end(self, request: Request, response: Response) -> None:
        """Log the browser out; the session is good no more."""
        now = int(self._clock.now().timestamp())
        self._ended = {each: until for each, until in self._ended.items() if until > now}
        for name in (_SECURE_COOKIE, _COOKIE):
            if said := _VALUE.fullmatch(request.cookies.get(name, "")):
                self._ended[said[3]] = int(said[2])
            response.delete_cookie(
                name, path="/", httponly=True, samesite="strict", secure=name == _SECURE_COOKIE
            )

    def _session(self, request: Request) -> Visitor:
        name = _SECURE_COOKIE if self.origins.is_https(request) else _COOKIE
        said = _VALUE.fullmatch(request.cookies.get(name, ""))
        if said is None:
            return STRANGER
        may = May[said[1].upper()]
        expected = self._sign(may, "session", ".".join(said.groups()[:3])) or ""
        if not hmac.compare_digest(said[4], expected) or said[3] in self._ended:
            return STRANGER
        if int(said[2]) <= self._clock.now().timestamp():
            return STRANGER
        return Visitor(may=may, how="session")

    # -- feeds

    def key_of(self, feed: str) -> str | None:
        """What lets a reader without cookies follow one feed; None where there is no token."""
        may = May.READ if May.READ in self._tokens else May.WRITE
        signed = self._sign(may, "feed", feed)
        return None if signed is None else signed[:32]

    def is_key(self, feed: str, key: str) -> bool:
        """Whether this is the key of a feed."""
        expected = self.key_of(feed)
        return expected is not None and hmac.compare_digest(expected.encode(), key.encode())

    def _sign(self, may: May, purpose: str, said: str) -> str | None:
        token = self._tokens.get(may)
        if token is None:
            return None
        key = hmac.digest(token, f"monitor {purpose}".encode(), "sha256")
        return hmac.digest(key, said.encode(), "sha256").hex()


@dataclass(slots=True)
class _Throttle:
    """How many wrong tokens came from where: a bucket for each address, of which some are kept."""

    _full_at: OrderedDict[str, float] = field(default_factory=OrderedDict)  # when it is forgotten

    def wait(self, peer: str, now: float) -> int:
        """Seconds until a token from there is looked at."""
        left = self._full_at.get(peer, now) - now - (TRIES - 1) * AGAIN.total_seconds()
        return max(0, int(-(-left // 1)))

    def note(self, peer: str, now: float) -> None:
        """A wrong one came."""
        self._full_at[peer] = max(self._full_at.get(peer, now), now) + AGAIN.total_seconds()
        self._full_at.move_to_end(peer)
        while len(self._full_at) > _PEERS:
            self._full_at.popitem(last=False)


# --------------------------------------------------------------------------- for every request

_IN_SCOPE: Final = "monitor.visitor"
_visitor: ContextVar[Visitor] = ContextVar("visitor", default=STRANGER)


def visitor() -> Visitor:
    """Who asks what is being answered."""
    return _visitor.get()


def visitor_of(request: Request) -> Visitor:
    """Who asked, also when the answer is given outside of `Gate`."""
    found = request.scope.get(_IN_SCOPE, STRANGER)
    assert isinstance(found, Visitor)
    return found


Refuse = Callable[[Request, Visitor], Awaitable[Response]]


class Gate:
    """ASGI middleware: lets in who may read, and has what changes things asked for by who may."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        access: Access,
        is_open: Callable[[Request], bool],
        judges_itself: Callable[[str], bool],
        refuse: Refuse,
    ) -> None:
        """`is_open`: what anybody may ask; `judges_itself`: paths that look at writers themselves."""
        self._app = app
        self._access = access
        self._is_open = is_open
        self._judges_itself = judges_itself
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        who = self._access.visitor(request)
        scope[_IN_SCOPE] = who
        token = _visitor.set(who)
        try:
            app = self._app if self._may_pass(request, who) else await self._refuse(request, who)
            await app(scope, receive, send)
        finally:
            _visitor.reset(token)

    def _may_pass(self, request: Request, who: Visitor) -> bool:
        if self._is_open(request):
            return True
        if request.method in {"GET", "HEAD"} or self._judges_itself(path_of(request)):
            return who.may >= May.READ
        return who.may >= May.WRITE
