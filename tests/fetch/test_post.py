"""Forms are sent as they are asked for: through the same guard, under the same deadline."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest

from monitor.errors import Code, Permanent, Transient, WorkError
from monitor.fetch import HttpFetcher
from monitor.fetch.politeness import PoliteFetcher
from tests.fakes import FakeClock
from tests.webserver import Raw, Reply, WebServer, redirect

FORM = {"hub.mode": "subscribe", "hub.topic": "https://news.example/ä?a=1&b=2"}


async def test_a_form_is_sent_as_browsers_send_it(server: WebServer, fetcher: HttpFetcher) -> None:
    """POST, form-encoded in UTF-8, with our name on it; any 2xx will do."""
    server.route("/hub", Reply("taken", status=202))
    await fetcher.post(server.url("/hub"), FORM)
    [request] = server.requests
    assert request.method == "POST"
    assert request.headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert dict(parse_qsl(request.body.decode())) == FORM
    assert request.headers["user-agent"].startswith("monitor/")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_form_goes_where_it_is_sent_on_to(
    server: WebServer, fetcher: HttpFetcher, status: int
) -> None:
    """The whole form, not an empty question."""
    server.route("/old", redirect("/hub", status))
    server.route("/hub", Reply(status=204))
    await fetcher.post(server.url("/old"), FORM)
    assert [request.method for request in server.requests] == ["POST", "POST"]
    assert dict(parse_qsl(server.requests[-1].body.decode())) == FORM


@pytest.mark.parametrize(
    ("reply", "error", "code"),
    [
        (Reply(status=400), Permanent, Code.CLIENT_ERROR),
        (Reply(status=404), Permanent, Code.NOT_FOUND),
        (redirect("/elsewhere", 303), Permanent, Code.REDIRECT),
        (redirect("file:///etc/passwd", 307), Permanent, Code.REDIRECT),
        (redirect("/hub", 307), Permanent, Code.REDIRECT),
        (Reply(status=503, headers={"Retry-After": "120"}), Transient, Code.SERVER_ERROR),
        (Reply(status=202, headers={"cf-mitigated": "challenge"}), Transient, Code.CHALLENGED),
    ],
)
async def test_what_is_not_taken_is_told_by_class(
    server: WebServer,
    fetcher: HttpFetcher,
    reply: Reply,
    error: type[WorkError],
    code: Code,
) -> None:
    """The caller learns whether to come again."""
    server.route("/hub", reply)
    with pytest.raises(error) as caught:
        await fetcher.post(server.url("/hub"), FORM)
    assert caught.value.code is code
    if isinstance(caught.value, Transient) and code is Code.SERVER_ERROR:
        assert caught.value.retry_after == timedelta(minutes=2)


async def test_nothing_inside_the_network_is_sent_a_form(
    server: WebServer, clock: FakeClock
) -> None:
    """Neither by its address nor by a redirect: the guard is that of every request."""
    server.route("/hub", Reply(status=202))
    async with HttpFetcher(clock=clock, user_agent="monitor/test", timeout=5) as guarded:
        with pytest.raises(Permanent) as caught:
            await guarded.post(server.url("/hub"), FORM)
    assert caught.value.code is Code.BLOCKED
    assert server.requests == []


async def test_a_hub_that_never_answers_ends_at_the_deadline(
    server: WebServer, clock: FakeClock
) -> None:
    """However slowly it drips."""

    async def hang(_request, _writer) -> None:
        await asyncio.sleep(60)

    server.route("/hub", Raw(hang))
    async with HttpFetcher(
        clock=clock, user_agent="monitor/test", timeout=0.2, allow=("127.0.0.1",)
    ) as impatient:
        with pytest.raises(Transient) as caught:
            await impatient.post(server.url("/hub"), FORM)
    assert caught.value.code is Code.TIMEOUT


async def test_forms_take_turns_with_pages(
    server: WebServer, fetcher: HttpFetcher, clock: FakeClock
) -> None:
    """Spacing between two requests to a host holds for what is sent, too."""
    server.route("/hub", [Reply("a page"), Reply(status=202)])
    polite = PoliteFetcher(fetcher, clock, spacing=timedelta(seconds=2))
    await polite.get(server.url("/hub"), accept="*/*", max_bytes=1000)
    await polite.post(server.url("/hub"), FORM)
    assert clock.slept == [2.0]
