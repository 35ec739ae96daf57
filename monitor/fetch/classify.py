"""What went wrong, in the words of `monitor.errors`. Pure.

Details are short and made from our own words: a URL's query and user info, which may be secrets,
never come near them, and neither do the server's own phrases.
"""

from __future__ import annotations

import asyncio
import errno
import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import aiohttp

from monitor.errors import Code, Permanent, Transient, WorkError
from monitor.fetch.guard import Attempt

LONGEST_WAIT = timedelta(hours=24)
"""How long a server's `Retry-After` is believed: 88 hours have been seen in the wild."""

_SECONDS = re.compile(r"\s*(\d+)(?:\.\d*)?\s*", re.ASCII)

_GIVE_UP = {
    400: Code.CLIENT_ERROR,
    401: Code.UNAUTHORIZED,
    403: Code.UNAUTHORIZED,
    404: Code.NOT_FOUND,
    410: Code.GONE,
}
_PASSING = frozenset({408, 425})  # request timeout, too early: about this request, not the URL


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """How long a `Retry-After` header (RFC 9110 §10.2.3) asks to wait: 0 to `LONGEST_WAIT`.

    Seconds or an HTTP date; decimals, which some servers send, are cut off. None when the header
    is missing or can't be read.
    """
    if value is None:
        return None
    if match := _SECONDS.fullmatch(value):
        digits = match[1].lstrip("0") or "0"
        if len(digits) > 6:
            return LONGEST_WAIT
        return min(timedelta(seconds=int(digits)), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(value)
        if until.tzinfo is None:  # "-0000": UTC of unknown origin
            until = until.replace(tzinfo=UTC)
        return max(timedelta(0), min(until - now, LONGEST_WAIT))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def challenged(headers: Mapping[str, str]) -> bool:
    """Whether a bot check stands where the content should be.

    Cloudflare says ``cf-mitigated: challenge``; AWS WAF ``x-amzn-waf-action: challenge`` or
    ``captcha``, even with status 202.
    """
    return headers.get("cf-mitigated", "").lower() == "challenge" or headers.get(
        "x-amzn-waf-action", ""
    ).lower() in {"challenge", "captcha"}


def from_status(status: int, headers: Mapping[str, str], now: datetime) -> WorkError:
    """The error that an answer other than 200, 304 and a redirect stands for."""
    detail = f"{status} {_phrase(status)}".strip()
    if challenged(headers):
        wait = retry_after(headers.get("retry-after"), now)
        return Transient(Code.CHALLENGED, f"{detail}: a bot check", status=status, retry_after=wait)
    if status == 407:  # only a proxy asks for that, and only ours is there
        return Transient(Code.CONNECT, f"the proxy answered {detail}", status=status)
    if status == 429 or status in _PASSING or status >= 500:
        code = Code.RATE_LIMITED if status == 429 else Code.SERVER_ERROR
        if status in _PASSING:
            code = Code.CLIENT_ERROR
        wait = retry_after(headers.get("retry-after"), now)
        return Transient(code, detail, status=status, retry_after=wait)
    if 400 <= status < 500:
        return Permanent(_GIVE_UP.get(status, Code.CLIENT_ERROR), detail, status=status)
    if status == 304:
        return Transient(Code.PROTOCOL, f"{detail}, though nothing was known", status=status)
    if 300 <= status < 400:
        return Permanent(Code.REDIRECT, f"{detail}, which leads nowhere", status=status)
    return Permanent(Code.PROTOCOL, f"{detail}, which carries no content", status=status)


def from_exception(error: Exception, attempt: Attempt) -> WorkError:
    """The error that an exception of the HTTP client or the system stands for."""
    if attempt.blocked:
        address = str(attempt.refused[0])
        told = (
            attempt.host if attempt.host == address else f"{attempt.host} leads to {address}, which"
        )
        return Permanent(Code.BLOCKED, f"{told} is not public")
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        named = "the proxy" if attempt.proxied else attempt.host
        return Transient(Code.DNS, f"{named} has no address")
    if isinstance(error, asyncio.TimeoutError) or isinstance(cause, TimeoutError):
        return Transient(Code.TIMEOUT, f"{attempt.host} did not answer in time")
    if isinstance(error, aiohttp.ClientSSLError) or isinstance(cause, ssl.SSLError):
        return Transient(Code.TLS, _tls_detail(error))
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError | UnicodeError):
        return Permanent(Code.BAD_URL, f"{attempt.host} is not a host that can be asked")
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return Transient(Code.CONNECT, "the proxy can't be reached")
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return Transient(Code.CONNECT, f"the proxy answered {error.status} {_phrase(error.status)}")
    if isinstance(error, aiohttp.ClientConnectorError):
        return Transient(Code.CONNECT, _unreached(cause, attempt.host))
    if isinstance(error, aiohttp.ClientPayloadError):
        return Transient(Code.PROTOCOL, "the body broke off or could not be decoded")
    if isinstance(error, aiohttp.ClientResponseError):
        return Transient(Code.PROTOCOL, "the answer is not valid HTTP")
    return Transient(Code.PROTOCOL, "the server broke the connection off")


def _tls_detail(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        reason = getattr(error.certificate_error, "verify_message", "") or "not trusted"
        return f"the certificate is not valid: {reason}"[:200]
    return "the TLS handshake failed"


_UNREACHED: Final = {
    errno.ECONNREFUSED: "refuses the connection",
    errno.ECONNRESET: "broke the connection off",
    errno.ECONNABORTED: "broke the connection off",
    errno.EPIPE: "broke the connection off",
    errno.EHOSTUNREACH: "can't be reached from here",
    errno.ENETUNREACH: "can't be reached: this machine has no way to its network",
    errno.EADDRNOTAVAIL: "can't be reached: this machine has no address in its network",
}
"""Of an errno, what it means to who reads it."""

_ADDRESS: Final = re.compile(r"\('([0-9A-Fa-f.:%]+)', (\d+)")


def _unreached(cause: BaseException, host: str) -> str:
    """Why there is no connection; with the address, if one was asked and is not the host's name.

    asyncio says "Connect call failed ('192.0.2.1', 443)", of several addresses "Multiple exceptions:"
    and each.
    """
    code, said = getattr(cause, "errno", None), str(getattr(cause, "strerror", "") or "")
    why = _UNREACHED.get(code or 0, "can't be connected to")
    asked = dict.fromkeys(address for address, _ in _ADDRESS.findall(said) if address != host)
    where = f" ({', '.join([*asked][:3])})" if asked else ""
    return f"{host}{where} {why}"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
