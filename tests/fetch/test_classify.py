"""Answers and exceptions in the words of monitor.errors."""

from __future__ import annotations

import errno
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import Code, Permanent, Transient
from monitor.fetch.classify import LONGEST_WAIT, from_exception, from_status, retry_after
from monitor.fetch.guard import Attempt

NOW = datetime(2025, 5, 10, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("1.5", 1),
        ("007", 7),
        ("86400", 86400),
        ("316800", 86400),
        ("9" * 5000, 86400),
        ("Sat, 10 May 2025 12:05:00 GMT", 300),
        ("Sat, 10 May 2025 11:00:00 GMT", 0),
        ("Sat, 10 May 2025 14:05:00 +0200", 300),
        ("Sat, 10 May 2025 12:05:00 -0000", 300),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86400),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(value: str, seconds: int) -> None:
    """Seconds and HTTP dates are understood, bounded by a day, never negative."""
    assert retry_after(value, NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize("value", [None, "", "soon", "-5", "٣", "Sat, 99 May 2025 12:00:00 GMT"])
def test_a_retry_after_that_makes_no_sense_is_no_wait(value: str | None) -> None:
    """What can't be read is as good as missing."""
    assert retry_after(value, NOW) is None


@given(st.text() | st.from_regex(r"\A\w{3}, \d+ \w{3} \d+ \d+:\d+:\d+ [+-]?\w*\Z"))
def test_any_retry_after_gives_a_bounded_wait_or_none(value: str) -> None:
    """No header can raise, or make us wait for longer than a day."""
    wait = retry_after(value, NOW)
    assert wait is None or timedelta(0) <= wait <= LONGEST_WAIT


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, Permanent, Code.CLIENT_ERROR),
        (401, Permanent, Code.UNAUTHORIZED),
        (403, Permanent, Code.UNAUTHORIZED),
        (404, Permanent, Code.NOT_FOUND),
        (408, Transient, Code.CLIENT_ERROR),
        (410, Permanent, Code.GONE),
        (418, Permanent, Code.CLIENT_ERROR),
        (429, Transient, Code.RATE_LIMITED),
        (451, Permanent, Code.CLIENT_ERROR),
        (500, Transient, Code.SERVER_ERROR),
        (503, Transient, Code.SERVER_ERROR),
        (599, Transient, Code.SERVER_ERROR),
        (204, Permanent, Code.PROTOCOL),
        (206, Permanent, Code.PROTOCOL),
        (300, Permanent, Code.REDIRECT),
    ],
)
def test_each_status_has_its_class_and_code(status: int, kind: type, code: Code) -> None:
    """What to do about a status follows from its class."""
    error = from_status(status, {}, NOW)
    assert type(error) is kind
    assert (error.code, error.status) == (code, status)
    assert str(status) in error.detail


@pytest.mark.parametrize(
    "headers",
    [{"cf-mitigated": "challenge"}, {"x-amzn-waf-action": "captcha"}],
)
@pytest.mark.parametrize("status", [200, 202, 403, 503])
def test_a_bot_check_is_told_apart_from_a_refusal(status: int, headers: dict[str, str]) -> None:
    """A challenge page has a code of its own, whatever status it hides behind."""
    error = from_status(status, headers, NOW)
    assert isinstance(error, Transient)
    assert error.code is Code.CHALLENGED


def test_the_servers_own_wait_travels_with_the_error() -> None:
    """429 and 503 carry Retry-After."""
    for status in (429, 503):
        error = from_status(status, {"retry-after": "90"}, NOW)
        assert isinstance(error, Transient)
        assert error.retry_after == timedelta(seconds=90)


@pytest.mark.parametrize(
    ("number", "said", "told"),
    [
        (
            errno.ECONNREFUSED,
            "Connect call failed ('192.0.2.1', 443)",
            "a.example (192.0.2.1) refuses the connection",
        ),
        (
            errno.ECONNREFUSED,
            "Multiple exceptions: Connect call failed ('2001:db8::1', 80, 0, 0), ('192.0.2.1', 80)",
            "a.example (2001:db8::1, 192.0.2.1) refuses the connection",
        ),
        (errno.EHOSTUNREACH, "No route to host", "a.example can't be reached from here"),
        (None, "Multiple exceptions: one, another", "a.example can't be connected to"),
    ],
)
def test_a_host_that_can_not_be_reached_is_told_in_words(number, said, told) -> None:
    """Not in those of the system's; with the addresses that were asked."""
    key = ConnectionKey("a.example", 443, True, True, None, None, None)
    error = aiohttp.ClientConnectorError(key, OSError(number, said))
    found = from_exception(error, Attempt(host="a.example"))
    assert (found.code, found.detail) == (Code.CONNECT, told)
