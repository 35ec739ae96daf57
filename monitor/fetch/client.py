"""One URL at a time over HTTP, safely.

Every answer comes within one deadline for the whole chain of redirects, in a body that was counted
while it was read (on the wire and decoded), from an address that the guard let through. Bodies are
never read whole by the library: a few kilobytes that unpack to gigabytes end at the cap.

There are no retries here: leases are the one owner of them. Cookies live as long as one chain of
redirects (some publishers answer with a cookie and a redirect to the same page, for ever if the
cookie does not come back) and are then forgotten, so that nobody can follow us about.

A connection is kept for fifteen seconds, aiohttp's own measure: pages are asked for right after the
feed that lists them, which saves a TLS handshake, ten times the cost of a 304. Longer would be idle
sockets at thousands of hosts for the sake of a feed that is asked every half minute.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import NoReturn, Self, TypeVar
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver
from w3lib.url import safe_url_string
from yarl import URL

from monitor.errors import Code, Permanent, Transient, WorkError
from monitor.fetch.classify import challenged, from_exception, from_status
from monitor.fetch.guard import Guard
from monitor.fetch.resolver import ThreadResolver
from monitor.model import Validators
from monitor.polling.hints import fresh_for
from monitor.ports import Clock, NotModified, Page

T = TypeVar("T")

MAX_HOPS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}", re.ASCII)
_PLAIN_URL = re.compile(
    r"https?://[a-z0-9.-]{1,253}(?::[1-9][0-9]{0,3}|:[1-5][0-9]{4})?"
    r"/[\w.~!$&()*+,;=:@/%-]*(?:\?[\w.~!$&()*+,;=:@/%?-]+)?",
    re.ASCII,
)
_LONGEST_URL = 8000
_ECHOABLE = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,2048}")
_NOTHING = Validators()


class HttpFetcher:
    """Implements `monitor.ports.Fetcher` over aiohttp. An async context manager: enter it once.

    `timeout` is in seconds and holds for a call as a whole, redirects included. `allow` opens hosts
    and networks that are not public, see `Guard`. Nothing is taken from the environment.

    `proxy` is an http(s) URL, perhaps with user and password. Everything is asked through it, and
    names are then resolved by it: addresses and names that are not public by their looks are still
    refused here, where a name leads is for the proxy to judge.

    `resolver` and `tls` are for tests that need a name server or an authority of their own.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        user_agent: str,
        timeout: float = 20.0,
        allow: Sequence[str] = (),
        proxy: str | None = None,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._clock = clock
        self._resolver = resolver
        self._tls = tls
        self._sessions: list[aiohttp.ClientSession] = []  # the last is the one in use
        self._rules: tuple[str, tuple[str, ...], str | None] | None = None
        self.configure(user_agent=user_agent, timeout=timeout, allow=allow, proxy=proxy)

    def configure(
        self, *, user_agent: str, timeout: float, allow: Sequence[str], proxy: str | None
    ) -> None:
        """Take over an operator's edit, for all calls that begin from now on.

        No connection that was opened under the former rules is used again.
        """
        self._timeout = timeout
        if self._rules == (user_agent, tuple(allow), proxy):
            return
        self._rules = (user_agent, tuple(allow), proxy)
        self._user_agent = user_agent
        self._guard = Guard(allow)
        self._proxy = None if proxy is None else _Proxy(proxy)
        if self._sessions:
            self._sessions.append(self._new_session())

    async def __aenter__(self) -> Self:
        self._sessions.append(self._new_session())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for session in self._sessions:
            await session.close()
        self._sessions.clear()

    def _new_session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=self._resolver or ThreadResolver(),
            socket_factory=self._guard.make_socket,
            ssl=True if self._tls is None else self._tls,  # True: one context for all of aiohttp
            limit=0,  # the callers' lanes bound it; waiting here would count against the deadline
            limit_per_host=2,
            ttl_dns_cache=60,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self._user_agent},
            timeout=aiohttp.ClientTimeout(total=None),  # the deadline of `get` is the only one
            trust_env=False,
            max_field_size=32 << 10,  # security policies of real publishers exceed the default 8 k
        )

    async def get(
        self, url: str, *, accept: str, max_bytes: int, validators: Validators = _NOTHING
    ) -> Page | NotModified:
        """Follow redirects to an answer. Raises `Transient` or `Permanent`, nothing else.

        `max_bytes` bounds the body both as sent and as decoded. `validators` are told to the URL
        that gave them, wherever in the chain it stands; if that is not known, to the origin asked.
        """
        chain = _Chain(url, accept, validators)
        return await self._follow(chain, partial(self._judge, chain, max_bytes))

    async def post(self, url: str, fields: Mapping[str, str]) -> None:
        """Send a form, and again wherever it is sent on to; returns once it was taken (2xx).

        Raises `Transient` or `Permanent`, nothing else. What else is answered is not read.
        """
        chain = _Chain(url, "*/*", _NOTHING)
        await self._follow(chain, partial(self._taken, chain), fields)

    async def _follow(
        self,
        chain: _Chain,
        judge: Callable[[aiohttp.ClientResponse], Awaitable[T | None]],
        fields: Mapping[str, str] | None = None,
    ) -> T:
        """Ask one URL after the other, within the deadline, until one does not send us on."""
        try:
            async with asyncio.timeout(self._timeout):
                while (answer := await self._hop(chain, judge, fields)) is None:
                    pass
                return answer
        except TimeoutError:
            raise Transient(
                Code.TIMEOUT, f"no complete answer within {self._timeout:g} s"
            ) from None

    async def _hop(
        self,
        chain: _Chain,
        judge: Callable[[aiohttp.ClientResponse], Awaitable[T]],
        fields: Mapping[str, str] | None = None,
    ) -> T:
        """Ask one URL, with a form if there is one."""
        assert self._sessions, "HttpFetcher is used outside of `async with`"
        host, headers = chain.url.host or "", chain.headers()
        if self._proxy is None:
            proxy, tunnel = None, None
        else:
            self._guard.check_name(host)
            proxy, tunnel = self._proxy.url, self._proxy.authorize(chain.url, headers)
        with self._guard.attempt(host, proxied=proxy is not None) as attempt:
            try:
                async with self._sessions[-1].request(
                    "GET" if fields is None else "POST",
                    chain.url,
                    data=fields,
                    headers=headers,
                    allow_redirects=False,
                    proxy=proxy,
                    proxy_headers=tunnel,
                ) as response:
                    return await judge(response)
            except WorkError:
                raise
            except (aiohttp.ClientError, OSError, UnicodeError) as error:
                raise from_exception(error, attempt) from error

    async def _taken(self, chain: _Chain, response: aiohttp.ClientResponse) -> bool | None:
        """That a form was taken; None when it was sent on."""
        status, headers = response.status, _plain_headers(response)
        if status in _REDIRECTS - {303} and "Location" in response.headers:
            chain.redirect(response)
            return None
        if not 200 <= status < 300 or challenged(headers):
            raise from_status(status, headers, self._clock.now())
        return True

    async def _judge(
        self, chain: _Chain, max_bytes: int, response: aiohttp.ClientResponse
    ) -> Page | NotModified | None:
        """What was answered; None when it sent us on."""
        status, headers = response.status, _plain_headers(response)
        if status in _REDIRECTS and "Location" in response.headers:
            chain.redirect(response)
            return None
        if status == 304 and chain.known != _NOTHING:
            return NotModified(
                headers=headers,
                moved_to=chain.moved_to,
                fresh_for=fresh_for(headers, self._clock.now()),
                validators=_renewed(chain.known, _validators(response, chain.url)),
            )
        if status not in {200, 203} or challenged(headers):
            raise from_status(status, headers, self._clock.now())
        return Page(
            url=str(chain.url),
            body=await _read(response, max_bytes),
            content_type=headers.get("content-type", ""),
            validators=_validators(response, chain.url),
            headers=headers,
            moved_to=chain.moved_to,
            fresh_for=fresh_for(headers, self._clock.now()),
        )


class _Proxy:
    """The proxy that everything is asked through."""

    def __init__(self, url: str) -> None:
        parsed = URL(url)
        self.url = parsed.origin()
        self._authorization = _basic_auth(parsed)

    def authorize(self, target: URL, headers: dict[str, str]) -> dict[str, str] | None:
        """What the proxy is to know of us: headers of the request itself, or of the tunnel to it.

        aiohttp sends credentials with the first request of a connection only, so they are not left
        to it; and the inside of a tunnel is the server's, who must not see them.
        """
        if self._authorization is None:
            return None
        if target.scheme == "https":
            return {"Proxy-Authorization": self._authorization}
        headers["Proxy-Authorization"] = self._authorization
        return None


class _Chain:
    """Where a call stands: the URL to ask next, and what may be told to it."""

    def __init__(self, url: str, accept: str, validators: Validators) -> None:
        try:
            asked = _parse(url)
        except ValueError as error:
            raise Permanent(Code.BAD_URL, str(error)) from None
        self._authorization = _basic_auth(asked)
        self.url = asked if asked.user is None else asked.with_user(None)
        self._asked = self.url
        self._movable = asked.user is None  # a new URL would come without the operator's secret
        self._at_home = True  # no hop has left the origin yet
        self._accept = accept
        self._validators = validators
        self._cookies: aiohttp.CookieJar | None = None
        self._seen: set[tuple[str, str]] = {(str(self.url), "")}

    @property
    def known(self) -> Validators:
        """What is known of the next URL's answer, and may be told to it."""
        if self._validators.url is None:
            return self._validators if self._at_home else _NOTHING
        return self._validators if self._validators.url == str(self.url) else _NOTHING

    @property
    def moved_to(self) -> str | None:
        """Where the URL asked for lives now, if every redirect so far says so for good."""
        if self.url is self._asked or self.url == self._asked or not self._movable:
            return None
        return str(self.url)

    def headers(self) -> dict[str, str]:
        """What is sent beside the session's own headers."""
        headers, known = {"Accept": self._accept}, self.known
        if etag := _echoable(known.etag):
            headers["If-None-Match"] = etag
        if modified := _echoable(known.last_modified):
            headers["If-Modified-Since"] = modified
        if self._authorization:
            headers["Authorization"] = self._authorization
        if cookie := self._cookie():
            headers["Cookie"] = cookie
        return headers

    def redirect(self, response: aiohttp.ClientResponse) -> None:
        """Go where the answer points to; `Permanent` when that is nowhere to go."""
        status = response.status
        location = _decoded(response.headers["Location"])
        try:
            target = _parse(urljoin(str(self.url), location.strip())).with_user(None)
        except ValueError as error:
            raise Permanent(Code.REDIRECT, f"redirected to what {error}", status=status) from None
        self._movable &= status in _PERMANENT
        if not _same_party(self.url, target):
            self._at_home = False
            self._authorization = None
        if response.cookies:
            if self._cookies is None:
                self._cookies = aiohttp.CookieJar(unsafe=True)  # also for hosts that are addresses
            self._cookies.update_cookies(response.cookies, self.url)
        self.url = target
        self._note(status)

    def _note(self, status: int) -> None:
        place = (str(self.url), self._cookie())
        if place in self._seen:
            raise Permanent(Code.REDIRECT, "the redirects run in a circle", status=status)
        if len(self._seen) > MAX_HOPS:
            raise Permanent(Code.REDIRECT, f"more than {MAX_HOPS} redirects", status=status)
        self._seen.add(place)

    def _cookie(self) -> str:
        if self._cookies is None:
            return ""
        return "; ".join(
            morsel.OutputString([]) for morsel in self._cookies.filter_cookies(self.url).values()
        )


def _parse(text: str) -> URL:
    """A URL as a browser would ask for it: existing escapes are kept as they are.

    Raises `ValueError`, whose message completes "what …", unless it is http(s) with a host.
    """
    if len(text) > _LONGEST_URL:
        raise ValueError("is longer than any URL that works")
    try:
        if _PLAIN_URL.fullmatch(text):  # nearly all are: nothing is there to be escaped
            url = URL(text, encoded=True)
        else:
            url = URL(safe_url_string(text), encoded=True).with_fragment(None)
        host = url.host
    except ValueError:
        raise ValueError("is not a URL") from None
    if url.scheme not in {"http", "https"}:
        raise ValueError("is not an http or https URL")
    if not host or not _HOST.fullmatch(host):
        raise ValueError("has no valid host name")
    return url


def _same_party(old: URL, new: URL) -> bool:
    """The same origin, or the same host gone over from http to https on the usual ports."""
    if old.origin() == new.origin():
        return True
    upgrade = (old.scheme, old.port, new.scheme, new.port) == ("http", 80, "https", 443)
    return upgrade and old.host == new.host


def _basic_auth(url: URL) -> str | None:
    if url.user is None:
        return None
    pair = f"{url.user}:{url.password or ''}"
    return "Basic " + base64.b64encode(pair.encode()).decode("ascii")


def _validators(response: aiohttp.ClientResponse, url: URL) -> Validators:
    """What an answer can be recognised by; they are its URL's alone."""
    etag = _echoable(response.headers.get("ETag"))
    modified = _echoable(response.headers.get("Last-Modified"))
    if etag is None and modified is None:
        return _NOTHING
    return Validators(etag=etag, last_modified=modified, url=str(url))


def _renewed(held: Validators, sent: Validators) -> Validators:
    """What is held after a 304 that sent some anew (RFC 9111 §4.3.4); empty if it sent none."""
    if sent == _NOTHING:
        return _NOTHING
    return Validators(
        etag=sent.etag or held.etag,
        last_modified=sent.last_modified or held.last_modified,
        url=sent.url,
    )


def _decoded(header: str) -> str:
    """A header that aiohttp could not read as UTF-8, read as Latin-1."""
    if header.isascii():
        return header
    raw = header.encode("utf-8", "surrogateescape")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _plain_headers(response: aiohttp.ClientResponse) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    for name, value in response.headers.items():
        key, text = name.lower(), _decoded(value)
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _echoable(value: str | None) -> str | None:
    """A validator that can be stored and sent back byte for byte; None if it can't."""
    return value if value is not None and _ECHOABLE.fullmatch(value) else None


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """The body, counted as it comes. aiohttp unpacks it step by step, each step bounded."""
    if (response.content_length or 0) > max_bytes:
        _too_large(max_bytes, response.status)
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if max(len(body), response.content.total_raw_bytes) > max_bytes:
            _too_large(max_bytes, response.status)
        await asyncio.sleep(0)  # a body that comes faster than it is read leaves others their turn
    return bytes(body)


def _too_large(max_bytes: int, status: int) -> NoReturn:
    raise Permanent(Code.TOO_LARGE, f"the body exceeds {max_bytes:,} bytes", status=status)
