"""What a broken HTTP call means for a message: was it certainly not shown, or perhaps?

Shared by the sinks that speak HTTP. Errors carry the name of what happened, never its text: texts
of aiohttp's errors quote addresses and headers, and both hold secrets here.
"""

from __future__ import annotations

import math

import aiohttp

from alerts.errors import AlertError, Ambiguous, Deferred, Stopped

CONNECT_SECONDS = 10.0
RETRY_AFTER_SECONDS = 30.0  # where a refusal names no time
RETRY_AFTER_CAP = 3600.0  # a service that asks for days is asked again in an hour


def timeouts(total: float) -> aiohttp.ClientTimeout:
    """Limits of one call in seconds."""
    return aiohttp.ClientTimeout(
        total=total, connect=min(CONNECT_SECONDS, total), sock_connect=min(CONNECT_SECONDS, total)
    )


def broken_off(error: aiohttp.ClientError | TimeoutError) -> AlertError:
    """The class of a call without an answer.

    No connection: nothing was sent, it may be repeated. A connection that broke: the request may
    have arrived, and only the service knows what it did with it.
    """
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Deferred("dns")
    if isinstance(error, aiohttp.ClientSSLError):
        return Deferred("tls", type(error).__name__)
    if isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)):
        return Deferred("connect", type(error).__name__)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return Deferred("proxy", f"HTTP {error.status}")
    if isinstance(error, (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError)):
        return Stopped("bad_address")
    if isinstance(error, TimeoutError):
        return Ambiguous("timeout")
    return Ambiguous("disconnected", type(error).__name__)


def retry_after(value: str | None) -> float:
    """Seconds of a Retry-After header; a sane default where it is missing or not a number."""
    try:
        seconds = float(value or "")
    except ValueError:
        return RETRY_AFTER_SECONDS
    if not math.isfinite(seconds) or seconds < 0:
        return RETRY_AFTER_SECONDS
    return min(seconds, RETRY_AFTER_CAP)
