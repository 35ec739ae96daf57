"""Fetching one URL, from a real server."""

from __future__ import annotations

import asyncio
import base64
import gzip
import socket
import zlib
from datetime import timedelta

import brotli
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st
from w3lib.url import safe_url_string
from yarl import URL

from monitor.errors import Code, Permanent, Transient, WorkError
from monitor.fetch import HttpFetcher
from monitor.fetch.client import _PLAIN_URL
from monitor.model import Validators
from monitor.ports import NotModified, Page
from tests.fakes import FakeClock
from tests.fetch.names import Names
from tests.webserver import Raw, Reply, Request, WebServer, conditional, redirect

ACCEPT = "application/rss+xml"
BODY = b"<rss version='2.0'/>"


async def get(
    fetcher: HttpFetcher,
    url: str,
    *,
    max_bytes: int = 1 << 20,
    validators: Validators = Validators(),
) -> Page | NotModified:
    """Get with what most tests want."""
    return await fetcher.get(url, accept=ACCEPT, max_bytes=max_bytes, validators=validators)


async def page(fetcher: HttpFetcher, url: str) -> Page:
    """Get what must be a page."""
    answer = await get(fetcher, url)
    assert isinstance(answer, Page)
    return answer


async def refusal(fetcher: HttpFetcher, url: str, **options: int) -> WorkError:
    """Get what must be refused, and say how."""
    with pytest.raises((Transient, Permanent)) as caught:
        await get(fetcher, url, **options)
    return caught.value


async def test_a_page_comes_with_its_body_type_and_validators(
    server: WebServer, fetcher: HttpFetcher
) -> None:
    """A 200 gives the bytes, where they came from, and what to recognise them by."""
    headers = {
        "Content-Type": "application/rss+xml; charset=utf-8",
        "ETag": 'W/"a b"',
        "Last-Modified": "Sat, 10 May 2025 11:00:00 GMT",
    }
    server.route("/feed", Reply(BODY, headers=headers))
    answer = await page(fetcher, server.url("/feed"))
    assert answer.url == server.url("/feed")
    assert answer.body == BODY
    assert answer.content_type == "application/rss+xml; charset=utf-8"
    assert answer.validators == Validators(
        etag='W/"a b"',
        last_modified="Sat, 10 May 2025 11:00:00 GMT",
        url=server.url("/feed"),
    )
    assert answer.headers["content-length"] == str(len(BODY))


async def test_the_request_says_who_asks_and_what_for(
    server: WebServer, fetcher: HttpFetcher
) -> None:
    """User agent and accepted types are sent; no cookie, no referrer, no validators."""
    server.route("/feed", Reply(BODY))
    await page(fetcher, server.url("/feed?a=b#part"))
    sent = server.requests[0]
    assert sent.target == "/feed?a=b"
    assert sent.headers["user-agent"] == "monitor/test"
    assert sent.headers["accept"] == ACCEPT
    assert not {"cookie", "referer", "if-none-match", "authorization"} & sent.headers.keys()


@pytest.mark.parametrize(
    "etag", ['"abc"', 'W/"abc"', "unquoted", '"gzip--1;a=b"', '"ü-日本"', '"a\\"b"']
)
async def test_validators_are_echoed_byte_for_byte(
    server: WebServer, fetcher: HttpFetcher, etag: str
) -> None:
    """Whatever a server uses as validators comes back as it was, and 304 is understood."""
    modified = "Sat, 10 May 25 11:00:00"  # not even a valid date: not ours to mend
    server.route("/feed", conditional(BODY, etag=etag, last_modified=modified))
    first = await page(fetcher, server.url("/feed"))
    second = await get(fetcher, server.url("/feed"), validators=first.validators)
    assert isinstance(second, NotModified)
    assert server.requests[1].headers["if-none-match"] == etag
    assert server.requests[1].headers["if-modified-since"] == modified


async def test_a_validator_that_can_not_be_stored_is_forgotten(
    server: WebServer, fetcher: HttpFetcher
) -> None:
    """Bytes that are no text, or far too many, are not kept."""
    server.route("/a", Reply(BODY, headers={"ETag": '"\udce9"'}))
    server.route("/b", Reply(BODY, headers={"ETag": '"' + "x" * 5000 + '"'}))
    for path in ("/a", "/b"):
        assert (await page(fetcher, server.url(path))).validators == Validators()


async def test_not_modified_without_having_asked_is_an_error(
    server: WebServer, fetcher: HttpFetcher
) -> None:
    """A 304 to an unconditional request leaves us with nothing."""
    server.route("/feed", Reply(status=304))
    assert (await refusal(fetcher, server.url("/feed"))).code is Code.PROTOCOL


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(server: WebServer, fetcher: HttpFetcher, status: int) -> None:
    """The answer is the target's, and says so; relative targets are resolved."""
    server.route("/old", redirect("new/feed?x=%2Fé#f", status))
    server.route("/new/feed", Reply(BODY))
    answer = await page(fetcher, server.url("/old"))
    assert answer.body == BODY
    assert answer.url == server.url("/new/feed?x=%2F%C3%A9")


async def test_validators_of_an_unknown_url_stay_within_the_origin(
    server: WebServer, fetcher: HttpFetcher
) -> None:
    """Same origin, same server: it may see its validators again."""
    server.route("/old", redirect("/new"))
    server.route("/new", conditional(BODY, etag='"1"'))
    answer = await get(fetcher, server.url("/old"), validators=Validators(etag='"1"'))
    assert isinstance(answer, NotModified)


async def test_a_feed_that_is_reached_through_redirects_is_answered_304(
    server: WebServer, fetcher: HttpFetcher
) -> None:
    """From http to https to www: validators are told to the URL that gave them, and to no other."""
    async with WebServer("127.0.0.2") as www:
        server.route("/feed", redirect(www.url("/feed"), 301))
        www.route("/feed", redirect("/rss.xml", 301))
        www.route("/rss.xml", conditional(BODY, etag='"1"'))
        first = await page(fetcher, server.url("/feed"))
        assert first.validators == Validators(etag='"1"', url=www.url("/rss.xml"))
        second = await get(fetcher, server.url("/feed"), validators=first.validators)
        assert isinstance(second, NotModified)
        told = [r.headers.get("if-none-match") for r in server.requests + www.requests]
        assert told == [None, None, None, None, None, '"1"']
        # the feed moves to another page of the origin: what was known is another page's
        www.route("/feed", redirect("/atom.xml", 301))
        www.route("/atom.xml", conditional(BODY, etag='"1"'))
        third = await get(fetcher, server.url("/feed"), validators=first.validators)
        assert isinstance(third, Page)
        assert www.to("/atom.xml")[0].headers.get("if-none-match") is None


@pytest.mark.parametrize(
    ("sent", "then"),
    [
        ({}, (None, None)),
        ({"ETag": '"2"'}, ('"2"', "Sat, 10 May 2025 11:00:00 GMT")),
        ({"Last-Modified": "x"}, ('"1"', "x")),
        ({"ETag": '"2"', "Last-Modified": "x"}, ('"2"', "x")),
    ],
)
async def test_a_304_renews_what_it_sends(
    server: WebServer,
    fetcher: HttpFetcher,
    sent: dict[str, str],
    then: tuple[str | None, str | None],
) -> None:
    """RFC 9111 §4.3.4: of what is held, a 304 replaces what it names and leaves the rest."""
    url = server.url("/feed")
    server.route("/feed", Reply(status=304, headers={**sent, "Cache-Control": "max-age=600"}))
    held = Validators(etag='"1"', last_modified="Sat, 10 May 2025 11:00:00 GMT", url=url)
    answer = await get(fetcher, url, validators=held)
    assert isinstance(answer, NotModified)
    assert (answer.validators.etag, answer.validators.last_modified) == then
    assert answer.validators.url == (url if sent else None)
    assert answer.headers["cache-control"] == "max-age=600"
    assert answer.fresh_for == timedelta(minutes=10)


async def test_an_answer_says_for_how_long_it_is_fresh(
    server: WebServer, fetcher: HttpFetcher
) -> None:
    """By Cache-Control or Expires; None when it says nothing."""
    server.route("/a", Reply(BODY, headers={"Cache-Control": "public, max-age=300", "Age": "100"}))
    server.route("/b", Reply(BODY))
    assert (await page(fetcher, server.url("/a"))).fresh_for == timedelta(seconds=200)
    assert (await page(fetcher, server.url("/b"))).fresh_for is None


@pytest.mark.parametrize(
    ("statuses", "moved"),
    [
        ((), False),
        ((301,), True),
        ((308,), True),
        ((301, 308), True),
        ((302,), False),
        ((303,), False),
        ((307,), False),
        ((301, 302), False),
        ((302, 301), False),
    ],
)
async def test_a_feed_has_moved_if_every_redirect_says_so_for_good(
    server: WebServer, fetcher: HttpFetcher, statuses: tuple[int, ...], moved: bool
) -> None:
    """One temporary redirect anywhere in the chain, and the URL is asked again next time."""
    for hop, status in enumerate(statuses):
        server.route(f"/{hop}", redirect(f"/{hop + 1}", status))
    last = f"/{len(statuses)}"
    server.route(last, conditional(BODY, etag='"1"'))
    for known in (Validators(), Validators(etag='"1"', url=server.url(last))):
        answer = await get(fetcher, server.url("/0"), validators=known)
        assert answer.moved_to == (server.url(last) if moved else None)


async def test_a_permanent_redirect_to_itself_or_without_the_secret_is_no_move(
    server: WebServer, fetcher: HttpFetcher
) -> None:
    """A cookie wall leads back; and the URL in the file keeps the password that the target lacks."""

    def wall(request: Request) -> Reply:
        return Reply(BODY) if "cookie" in request.headers else redirect("/a", 301, Set_Cookie="s=1")

    server.route("/a", wall)
    server.route("/b", redirect("/c", 301))
    server.route("/c", Reply(BODY))
    assert (await page(fetcher, server.url("/a"))).moved_to is None
    secret = server.url("/b").replace("//", "//ann:word@")
    assert (await page(fetcher, secret)).moved_to is None


async def test_secrets_and_validators_stay_with_their_origin(
    server: WebServer, fetcher: HttpFetcher
) -> None:
    """User info becomes a header for its own origin; across origins nothing is carried over."""
    async with WebServer() as other:
        server.route("/old", redirect("/older"))
        server.route("/older", redirect(other.url("/new").replace("//", "//eve:stolen@")))
        other.route("/new", Reply(BODY))
        url = server.url("/old").replace("//", "//ann:pass%20word@")
        answer = await get(fetcher, url, validators=Validators(etag='"1"'))
    assert isinstance(answer, Page)
    assert answer.url == other.url("/new")
    expected = "Basic " + base64.b64encode(b"ann:pass word").decode()
    assert [r.headers.get("authorization") for r in server.requests] == [expected, expected]
    assert [r.headers.get("if-none-match") for r in server.requests] == ['"1"', '"1"']
    assert not {"authorization", "if-none-match"} & other.requests[0].headers.keys()


async def test_cookies_live_as_long_as_one_chain(server: WebServer, fetcher: HttpFetcher) -> None:
    """A redirect that sets a cookie and leads back to itself ends well; the cookie is forgotten."""

    def wall(request: Request) -> Reply:
        if request.headers.get("cookie") == "seen=1":
            return Reply(BODY, headers={"Set-Cookie": "id=42"})
        return redirect("/article", Set_Cookie="seen=1; Path=/")

    server.route("/article", wall)
    for _ in range(2):
        assert (await page(fetcher, server.url("/article"))).body == BODY
    assert [r.headers.get("cookie") for r in server.requests] == [None, "seen=1", None, "seen=1"]


async def test_a_redirect_loop_is_noticed(server: WebServer, fetcher: HttpFetcher) -> None:
    """Going in a circle ends at the first place seen twice."""
    server.route("/a", redirect("/b"))
    server.route("/b", redirect("/a"))
    error = await refusal(fetcher, server.url("/a"))
    assert isinstance(error, Permanent)
    assert error.code is Code.REDIRECT
    assert len(server.requests) == 2


async def test_a_chain_of_redirects_has_an_end(server: WebServer, fetcher: HttpFetcher) -> None:
    """Five redirects are followed, the sixth is not."""
    server.route("/*", lambda r: redirect(f"/{int(r.path[1:]) + 1}"))
    server.route("/6", Reply(BODY))
    assert (await page(fetcher, server.url("/1"))).url == server.url("/6")
    error = await refusal(fetcher, server.url("/0"))
    assert error.code is Code.REDIRECT
    assert "5" in error.detail


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/hostname",
        "gopher://127.0.0.1/",
        "ftp://127.0.0.1/",
        "//",
        "http://[",
        "data:,x",
    ],
)
async def test_a_redirect_leads_to_http_or_nowhere(
    server: WebServer, fetcher: HttpFetcher, target: str
) -> None:
    """Other schemes and broken URLs end the chain."""
    server.route("/a", redirect(target))
    error = await refusal(fetcher, server.url("/a"))
    assert error.code is Code.REDIRECT


async def test_a_redirect_without_a_target_is_an_error(
    server: WebServer, fetcher: HttpFetcher
) -> None:
    """A 301 that does not say where to is nothing to follow."""
    server.route("/a", Reply(status=301))
    assert (await refusal(fetcher, server.url("/a"))).code is Code.REDIRECT


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "//example.org/",
        "file:///etc/hostname",
        "ftp://example.org/",
        "javascript:alert(1)",
        "http://",
        "http:///path",
        "http://[::1",
        "http://a b/",
        "http://a\x00b/",
        "http://x:99999/",
        "http://x:port/",
        "http://\ud800/",
        "http://a/" + "x" * 9000,
    ],
)
async def test_what_is_not_a_url_is_refused_at_once(fetcher: HttpFetcher, url: str) -> None:
    """Only http and https URLs with a host are asked."""
    error = await refusal(fetcher, url)
    assert isinstance(error, Permanent)
    assert error.code is Code.BAD_URL


@given(st.from_regex(_PLAIN_URL, fullmatch=True))
def test_a_plain_url_is_what_escaping_would_leave_of_it(url: str) -> None:
    """The shortcut for nearly all URLs differs in nothing from the long way."""
    assert safe_url_string(url) == url
    assert str(URL(url, encoded=True)) == str(URL(safe_url_string(url), encoded=True))


async def test_a_connection_is_used_again(server: WebServer, fetcher: HttpFetcher) -> None:
    """For the pages of a feed, after errors and redirects, too."""
    server.route("/feed", Reply(BODY))
    server.route("/a", redirect("/gone"))
    await page(fetcher, server.url("/feed"))
    assert (await refusal(fetcher, server.url("/a"))).code is Code.NOT_FOUND
    await page(fetcher, server.url("/feed"))
    assert server.connections == 1


async def test_a_kept_connection_that_was_closed_meanwhile_is_made_anew(
    server: WebServer, fetcher: HttpFetcher
) -> None:
    """Servers close what is idle without a word; that is nobody's failure."""

    async def answer_and_hang_up(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        await writer.drain()

    server.route("/feed", Raw(answer_and_hang_up))
    for _ in range(3):
        assert (await page(fetcher, server.url("/feed"))).body == b"hello"
    assert server.connections == 3


@pytest.mark.parametrize(
    ("status", "code"), [(403, Code.UNAUTHORIZED), (404, Code.NOT_FOUND), (410, Code.GONE)]
)
async def test_refusals_are_permanent(
    server: WebServer, fetcher: HttpFetcher, status: int, code: Code
) -> None:
    """The status decides."""
    server.route("/a", Reply("no", status=status))
    error = await refusal(fetcher, server.url("/a"))
    assert isinstance(error, Permanent)
    assert (error.code, error.status) == (code, status)


async def test_the_servers_wish_to_be_left_alone_is_kept(
    server: WebServer, fetcher: HttpFetcher, clock: FakeClock
) -> None:
    """Retry-After comes through in both forms, measured by our clock."""
    server.route("/a", Reply(status=429, headers={"Retry-After": "3600"}))
    until = (clock.now() + timedelta(minutes=5)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    server.route("/b", Reply(status=503, headers={"Retry-After": until}))
    for path, code, wait in (
        ("/a", Code.RATE_LIMITED, timedelta(hours=1)),
        ("/b", Code.SERVER_ERROR, timedelta(minutes=5)),
    ):
        error = await refusal(fetcher, server.url(path))
        assert isinstance(error, Transient)
        assert (error.code, error.retry_after) == (code, wait)


async def test_a_challenge_page_is_no_page(server: WebServer, fetcher: HttpFetcher) -> None:
    """A bot check is recognised even when it pretends to be fine."""
    server.route("/a", Reply("<html>", headers={"cf-mitigated": "challenge"}))
    assert (await refusal(fetcher, server.url("/a"))).code is Code.CHALLENGED


async def test_every_advertised_coding_is_decoded(server: WebServer, fetcher: HttpFetcher) -> None:
    """Whatever Accept-Encoding promises is understood."""
    text = b"news " * 1000
    encoders = {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "br": brotli.compress,
        "zstd": zstd.compress,
    }

    def answer(request: Request) -> Reply:
        coding = request.path[1:]
        return Reply(encoders[coding](text), headers={"Content-Encoding": coding})

    server.route("/*", answer)
    server.route("/plain", Reply(b""))
    await page(fetcher, server.url("/plain"))
    offered = server.requests[0].headers["accept-encoding"].replace(" ", "").split(",")
    assert set(offered) == set(encoders)
    for coding in offered:
        assert (await page(fetcher, server.url(f"/{coding}"))).body == text


async def test_a_body_may_be_as_large_as_the_cap(server: WebServer, fetcher: HttpFetcher) -> None:
    """The cap is the last length that passes; a declared length is believed before reading."""
    server.route("/a", Reply(b"x" * 1000))
    assert isinstance(await get(fetcher, server.url("/a"), max_bytes=1000), Page)
    error = await refusal(fetcher, server.url("/a"), max_bytes=999)
    assert isinstance(error, Permanent)
    assert error.code is Code.TOO_LARGE


async def test_a_broken_coding_is_a_protocol_error(server: WebServer, fetcher: HttpFetcher) -> None:
    """Garbage that calls itself gzip is neither a page nor a crash."""
    server.route("/a", Reply(b"not gzip at all", headers={"Content-Encoding": "gzip"}))
    error = await refusal(fetcher, server.url("/a"))
    assert isinstance(error, Transient)
    assert error.code is Code.PROTOCOL


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"HTTP/1.1",
        b"hello\r\n\r\n",
        b"<html>HTTP/0.9</html>",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"220 mail.example ESMTP\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_a_protocol_error(
    server: WebServer, fetcher: HttpFetcher, wire: bytes
) -> None:
    """A server that breaks off or speaks nonsense may do better later."""

    async def write(_: Request, writer: object) -> None:
        writer.write(wire)
        await writer.drain()

    server.route("/a", Raw(write))
    error = await refusal(fetcher, server.url("/a"))
    assert isinstance(error, Transient)
    assert error.code is Code.PROTOCOL


async def test_a_closed_port_is_a_connection_error(fetcher: HttpFetcher) -> None:
    """Nobody listens: perhaps later."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        error = await refusal(fetcher, f"http://127.0.0.1:{port}/?key=secret")
    assert isinstance(error, Transient)
    assert error.code is Code.CONNECT
    assert "secret" not in str(error)


async def test_plain_http_where_tls_is_expected_is_a_tls_error(fetcher: HttpFetcher) -> None:
    """The handshake fails, and says so."""

    async def speak_plainly(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(speak_plainly, "127.0.0.1", 0) as plain:
        port = plain.sockets[0].getsockname()[1]
        error = await refusal(fetcher, f"https://127.0.0.1:{port}/")
    assert isinstance(error, Transient)
    assert error.code is Code.TLS


async def test_an_unknown_host_is_a_dns_error(clock: FakeClock) -> None:
    """A name without an address may have one later."""
    async with HttpFetcher(clock=clock, user_agent="t", resolver=Names({})) as fetcher:
        error = await refusal(fetcher, "http://user:secret@nowhere.example/?key=secret")
    assert isinstance(error, Transient)
    assert error.code is Code.DNS
    assert "secret" not in str(error)
    assert "nowhere.example" in error.detail


async def test_silence_ends_at_the_deadline(server: WebServer, clock: FakeClock) -> None:
    """A server that never answers costs the timeout, no more; the fetcher is not affected."""

    async def wait(_: Request, writer: object) -> None:
        await asyncio.Event().wait()

    server.route("/hang", Raw(wait))
    server.route("/feed", Reply(BODY))
    async with HttpFetcher(
        clock=clock, user_agent="t", timeout=0.2, allow=["127.0.0.1"]
    ) as fetcher:
        error = await refusal(fetcher, server.url("/hang"))
        assert isinstance(error, Transient)
        assert error.code is Code.TIMEOUT
        assert (await page(fetcher, server.url("/feed"))).body == BODY


async def test_the_deadline_holds_for_the_whole_chain(server: WebServer, clock: FakeClock) -> None:
    """Redirects that dawdle share one deadline."""

    async def dawdle(request: Request) -> Reply:
        if len(server.requests) > 1:
            await asyncio.Event().wait()
        return redirect(request.path + "x")

    server.route("/*", dawdle)
    async with HttpFetcher(
        clock=clock, user_agent="t", timeout=0.2, allow=["127.0.0.1"]
    ) as fetcher:
        assert (await refusal(fetcher, server.url("/a"))).code is Code.TIMEOUT


async def test_the_environment_does_not_choose_a_proxy(
    server: WebServer, fetcher: HttpFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy variable that is meant for others is not obeyed."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server.route("/feed", Reply(BODY))
    assert (await page(fetcher, server.url("/feed"))).body == BODY
