"""AppriseSink through Apprise's own json:// service, over real HTTP."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from alerts import Closed, Deferred, Posted, Stopped
from alerts.apprise import AppriseSink, is_address, scheme_of
from alerts.message import Card, line
from tests.alerts.examples import alert
from tests.webserver import Reply, WebServer

# of Apprise's own plugins, as they are imported
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

CHANNEL = "apprise:desk"
SECRET = "s3cret"


@pytest.fixture
async def server() -> AsyncIterator[WebServer]:
    async with WebServer() as running:
        yield running


def address(server: WebServer, path: str = "/one") -> str:
    """Where a message arrives as JSON, with a password in it."""
    return f"json://robot:{SECRET}@127.0.0.1:{server.port}{path}"


async def test_every_address_of_a_list_gets_the_words(server: WebServer):
    """Plain text: what looks like markup is none."""
    server.route("/*", Reply(status=200))
    sink = AppriseSink({"desk": (address(server), address(server, "/two"))})
    headline = "<b>*Ceasefire* & more</b> \\n"
    assert await sink.post(CHANNEL, alert(headline=headline)) == Posted(channel=CHANNEL, ref="")
    for path in ("/one", "/two"):
        [request] = server.to(path)
        said = json.loads(request.body)
        assert said["title"] == headline.strip()
        assert "https://news.example.org/2025/05/10/ceasefire" in said["message"]
        assert "“Both sides said the ceasefire holds in Kashmir.”" in said["message"]


async def test_only_who_missed_it_is_tried_again(server: WebServer):
    """As long as this process runs; the next message goes to all."""
    server.route("/one", Reply(status=200))
    server.route("/two", [Reply(status=500), Reply(status=200), Reply(status=200)])
    sink = AppriseSink({"desk": (address(server), address(server, "/two"))})
    card = Card(title="Spike", lines=(line("9 new stories"),), delivery_id="c1")
    with pytest.raises(Deferred, match="apprise_failed: json: not taken"):
        await sink.post(CHANNEL, card)
    await sink.post(CHANNEL, card)
    assert (len(server.to("/one")), len(server.to("/two"))) == (1, 2)
    await sink.post(CHANNEL, alert())
    assert (len(server.to("/one")), len(server.to("/two"))) == (2, 3)


async def test_no_address_is_in_errors_or_logs(server: WebServer, caplog: pytest.LogCaptureFixture):
    """They hold passwords."""
    caplog.set_level(logging.DEBUG)
    server.route("/one", Reply(status=403))
    sink = AppriseSink({"desk": (address(server),)})
    with pytest.raises(Deferred) as caught:
        await sink.post(CHANNEL, alert())
    await server.stop()
    with pytest.raises(Deferred) as again:
        await sink.post(CHANNEL, alert())
    said = "".join(
        [*traceback.format_exception(caught.value), *traceback.format_exception(again.value)]
    )
    assert SECRET not in said + caplog.text
    assert str(server.port) not in said
    assert not [record for record in caplog.records if record.name.startswith("apprise")]


async def test_a_list_that_is_gone_keeps_its_queue():
    """An edit may bring it back."""
    with pytest.raises(Closed, match="no_such_list"):
        await AppriseSink({}).post(CHANNEL, alert())


async def test_what_can_not_be_done_is_refused():
    """Nothing can be changed or looked up."""
    sink = AppriseSink({"desk": ()})
    with pytest.raises(Stopped, match="cant_update"):
        await sink.update(Posted(channel=CHANNEL, ref=""), alert())
    with pytest.raises(Stopped, match="cant_find"):
        await sink.find(CHANNEL, "d1", datetime.now(UTC))
    assert not (sink.can_update)
    assert not (sink.can_find)
    assert not (sink.can_thread)
    await sink.close()


async def test_without_apprise_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    """The package is optional."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    sink = AppriseSink({"desk": ("json://127.0.0.1",)})
    with pytest.raises(Stopped, match=r"is not installed: pip install 'monitor\[apprise\]'"):
        await sink.post(CHANNEL, alert())


@pytest.mark.parametrize(
    ("text", "known"),
    [("mailtos://a:b@c.example", True), ("nothing://x", False), ("desk@c.example", False)],
)
def test_addresses_that_apprise_knows(text: str, known: bool):
    """What it does not is told before a message is lost on it."""
    assert is_address(text) is known


def test_of_an_address_only_its_scheme_is_shown():
    """The rest may be a secret."""
    assert scheme_of(f"mailto://robot:{SECRET}@x.example") == "mailto"
