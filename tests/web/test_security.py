"""What guards the page."""

from __future__ import annotations

import pytest
from multidict import CIMultiDictProxy
from starlette.exceptions import HTTPException
from starlette.requests import Request

from monitor.web.hosts import host_of, is_local, may_call
from monitor.web.security import Forms
from tests.web.browser import browsing
from tests.web.samples import lifelike

PATHS = ["/", "/healthz", "/readyz", "/status", "/metrics", "/nope", "/static/style.css"]

OURS = [
    "localhost", "LOCALHOST:8080", "desk.localhost", "127.0.0.1:8080", "10.1.2.3", "[::1]:8080",
    "[fe80::1]", "desk.example.org", "Desk.Example.org.:80",
]  # fmt: skip

FOREIGN = [
    "evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example",
    "notlocalhost", "xdesk.example.org", "[evil.example]", "",
]  # fmt: skip


async def test_every_answer_is_guarded():
    """No answer may be framed, sniffed, scripted by others, or followed by a referrer; none sets a cookie."""
    async with browsing(lifelike()) as browser:
        for path in PATHS:
            assert_guarded(path, (await browser.get(path)).headers)


def assert_guarded(path: str, headers: CIMultiDictProxy[str]) -> None:
    """One answer's headers are what they must be."""
    policy = headers["Content-Security-Policy"].split("; ")
    assert policy == [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        f"form-action '{'self' if path == '/' else 'none'}'",  # it is sifted by a form
        "frame-ancestors 'none'",
    ]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == ("same-origin" if path == "/" else "no-referrer")
    assert headers["X-Frame-Options"] == "DENY"
    assert "Set-Cookie" not in headers
    assert "Server" not in headers
    assert ("immutable" if "static" in path else "no-store") in headers["Cache-Control"]


async def test_the_page_holds_nothing_that_its_policy_forbids():
    """No inline style, no inline script, nothing from another place: the policy breaks nothing."""
    async with browsing(lifelike()) as browser:
        page = (await browser.get()).page
    assert page.xpath("//script[not(@src)] | //style | //@style | //base | //iframe") == []
    loaded = page.xpath("//img/@src | //script/@src | //link/@href | //form/@action")
    assert all(value.startswith("/") for value in loaded)


async def test_addresses_localhost_and_own_names_are_answered():
    """An address can't be rebound by an attacker, and our own names are ours."""
    async with browsing(hosts=["desk.example.org"]) as browser:
        statuses = {host: (await browser.get("/healthz", Host=host)).status for host in OURS}
    assert set(statuses.values()) == {200}, statuses


async def test_foreign_names_get_nothing():
    """A name that an attacker points here is refused on every path, without a word of content."""
    async with browsing(lifelike(), hosts=["desk.example.org"]) as browser:
        for host in FOREIGN:
            for path in PATHS:
                answer = await browser.get(path, Host=host)
                assert answer.status == 421, host
                assert "does not go by that name" in answer.text
                assert "ceasefire" not in answer.text
                assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize(
    ("header", "host"),
    [("a.b:80", "a.b"), ("A.B.", "a.b"), ("[::1]:80", "::1"), ("[::1", "::1"), ("", ""), (":", "")],
)
def test_the_host_of_a_header(header: str, host: str):
    """Port, brackets, case and a final dot are not part of the name."""
    assert host_of(header) == host


def test_no_name_is_known_until_it_is_given():
    """Without names, only localhost and addresses may call."""
    assert not may_call("monitor", ())
    assert may_call("monitor:8080", {"monitor"})


@pytest.mark.parametrize(
    ("peer", "host", "local"),
    [
        ("127.0.0.1", "127.0.0.1:8080", True),
        ("127.8.8.8", "localhost:8080", True),
        ("::1", "[::1]:8080", True),
        ("::ffff:127.0.0.1", "desk.localhost", True),
        ("127.0.0.1", "desk.example.org", False),
        ("127.0.0.1", "192.168.1.7:8080", False),
        ("127.0.0.1", "0.0.0.0:8080", False),
        ("127.0.0.1", "", False),
        ("192.168.1.7", "localhost:8080", False),
        ("::ffff:192.168.1.7", "127.0.0.1", False),
        ("fe80::1", "[::1]", False),
        ("unix", "localhost", False),
        (None, "localhost", False),
    ],
)
def test_only_this_machine_by_a_name_of_its_own_may_change_anything(
    peer: str | None, host: str, local: bool
):
    """Neither other machines, nor a proxy here that passes on what its visitors called it."""
    assert is_local(peer, host) is local


async def test_a_form_that_breaks_off_is_no_bug():
    """Who leaves in the middle gets an answer that nobody reads, and the log keeps quiet."""

    async def leaves() -> dict[str, str]:
        return {"type": "http.disconnect"}

    headers = {
        b"host": b"localhost",
        b"origin": b"http://localhost",
        b"content-type": b"application/x-www-form-urlencoded",
    }
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/stories/1/split/1",
        "headers": [*headers.items()],
        "client": ("127.0.0.1", 1),
    }
    with pytest.raises(HTTPException, match="broke off") as caught:
        await Forms().read_from_anyone(Request(scope, leaves))
    assert caught.value.status_code == 400
