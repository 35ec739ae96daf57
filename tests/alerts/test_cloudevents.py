"""EventSink against endpoints over real HTTP; its signatures are checked by a library of others."""

from __future__ import annotations

import base64
import json
import os
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from alerts import AlertError, Closed, Deferred, Passage, Posted, Rejected
from alerts.cloudevents import Endpoint, EventSink, to_event
from alerts.message import Card, Image, Message, Part, line
from alerts.signing import key_of, signature
from tests.alerts.examples import AT, alert
from tests.webserver import Reply, Request, WebServer

PROJECT = Path(__file__).resolve().parents[2]
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OLD = "whsec_" + base64.b64encode(b"old" * 10).decode()
CHANNEL = "webhook:desk"
CARD = Card(
    title="Spike: Truce",
    lines=(line("9 new stories ", Part(text="now", at=AT), bullet=True),),
    note=(Part(text="Dawn", url="https://www.dawn.com/"),),
    notify=("U123",),
    image=Image(png=b"\x89PNG", alt="bars"),
    delivery_id="c1",
)
MESSAGES: list[Message] = [
    alert(),
    alert(passage=None, url=None, published_at=None, independent=3, also=("PTI", "Dawn")),
    alert(pointer=True, headline="शांति \ud800 امن"),
    CARD,
    Card(title="", delivery_id="c2"),
]


@pytest.fixture
async def server() -> AsyncIterator[WebServer]:
    async with WebServer() as running:
        yield running


@pytest.fixture
async def sink(server: WebServer) -> AsyncIterator[EventSink]:
    endpoint = Endpoint(url=server.url("/hook"), keys=(key_of(SECRET),))
    made = EventSink({"desk": endpoint}, timeout=5.0)
    yield made
    await made.close()


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    """What the documentation promises."""
    text = (PROJECT / "docs" / "event.schema.json").read_text(encoding="utf-8")
    jsonschema.Draft202012Validator.check_schema(json.loads(text))
    return jsonschema.Draft202012Validator(json.loads(text))


def verified(request: Request, secret: str = SECRET) -> dict[str, Any]:
    """The event, if the signature holds. Raises where it does not, or is old."""
    event = Webhook(secret).verify(request.body, request.headers)
    assert isinstance(event, dict)
    return event


@pytest.mark.parametrize("message", MESSAGES)
async def test_every_message_arrives_signed_and_as_documented(
    server: WebServer, sink: EventSink, schema, message: Message
):
    """By the envelope's specification and by our own schema."""
    server.route("/hook", Reply(status=204))
    assert await sink.post(CHANNEL, message) == Posted(channel=CHANNEL, ref=message.delivery_id)
    [request] = server.to("/hook")
    assert request.method == "POST"
    assert request.headers["content-type"].startswith("application/cloudevents+json")
    event = verified(request)
    schema.validate(event)
    assert (event["id"], event["subject"]) == (message.delivery_id,) * 2
    assert event["id"] == request.headers["webhook-id"]


async def test_a_story_says_all_that_is_known(server: WebServer, sink: EventSink):
    """As it was found: other programs clean, cut and mark it as they like."""
    server.route("/hook", Reply(status=200, body="thanks"))
    headline = "<b>*Ceasefire*</b> & \u202emore\x00"
    await sink.post(CHANNEL, alert(headline=headline, also=("PTI",), independent=2, carriers=4))
    data = verified(server.to("/hook")[0])["data"]
    assert data == {
        "channel": CHANNEL,
        "headline": headline,
        "url": "https://news.example.org/2025/05/10/ceasefire",
        "passage": {
            "text": "Both sides said the ceasefire holds in Kashmir.",
            "marks": [[20, 29], [39, 46]],
        },
        "publisher": "Example Times",
        "published_at": "2025-05-10T12:00:00.000+00:00",
        "found_at": "2025-05-10T12:00:00.000+00:00",
        "watches": ["India–Pakistan ceasefire"],
        "terms": ["ceasefire", "Kashmir"],
        "also": ["PTI"],
        "independent": 2,
        "carriers": 4,
        "merged": False,
    }


async def test_what_is_sent_again_has_the_same_id(server: WebServer, sink: EventSink):
    """And what is new about a message has another one, under the same subject."""
    server.route("/hook", Reply(status=204))
    posted = await sink.post(CHANNEL, alert())
    await sink.post(CHANNEL, alert())
    await sink.update(posted, alert(also=("PTI",)))
    await sink.update(posted, alert(also=("PTI",)))
    await sink.update(posted, alert(also=("PTI", "Dawn"), revision=1))
    await sink.update(posted, alert(also=("PTI",), revision=2))  # as it was
    events = [verified(request) for request in server.to("/hook")]
    first, again, second, repeated, third, fourth = (event["id"] for event in events)
    assert first == again
    assert second == repeated
    assert len({first, second, third, fourth}) == 4
    assert {event["subject"] for event in events} == {first}
    assert [event["type"] for event in events] == [
        *["monitor.story.told"] * 2,
        *["monitor.story.updated"] * 4,
    ]


async def test_an_answer_names_what_it_answers(server: WebServer, sink: EventSink, schema):
    """By the subject of that message's events."""
    server.route("/hook", Reply(status=204))
    root = await sink.post(CHANNEL, alert())
    await sink.post(CHANNEL, CARD, thread=root, broadcast=True)
    event = verified(server.to("/hook")[1])
    schema.validate(event)
    assert (event["data"]["in_reply_to"], event["data"]["broadcast"]) == (root.ref, True)


async def test_two_keys_sign_while_one_is_replaced(server: WebServer):
    """A receiver with either takes it; one with another does not."""
    server.route("/hook", Reply(status=204))
    keys = tuple(map(key_of, (SECRET, OLD)))
    sink = EventSink({"desk": Endpoint(url=server.url("/hook"), keys=keys)})
    await sink.post(CHANNEL, alert())
    await sink.close()
    [request] = server.to("/hook")
    assert verified(request) == verified(request, OLD)
    with pytest.raises(Exception, match="No matching signature"):
        verified(request, "whsec_" + base64.b64encode(b"other" * 6).decode())
    with pytest.raises(Exception, match="No matching signature"):
        verified(replace(request, body=request.body.replace(b"told", b"sold")))


async def test_the_time_is_that_of_the_attempt(server: WebServer):
    """A receiver refuses what is old: so that nobody can send again what he overheard."""
    server.route("/hook", Reply(status=204))
    sink = EventSink(
        {"desk": Endpoint(url=server.url("/hook"), keys=(key_of(SECRET),))}, now=lambda: 1.9
    )
    await sink.post(CHANNEL, alert())
    await sink.close()
    [request] = server.to("/hook")
    assert request.headers["webhook-timestamp"] == "1"
    with pytest.raises(Exception, match="too old"):
        verified(request)


@pytest.mark.parametrize(
    ("status", "headers", "wanted", "code", "wait"),
    [
        (200, {}, None, "", None),
        (202, {}, None, "", None),
        (301, {"Location": "/elsewhere"}, Closed, "http_error", 60.0),
        (400, {}, Rejected, "refused", None),
        (401, {}, Closed, "http_error", 60.0),
        (403, {}, Closed, "http_error", 60.0),
        (404, {}, Closed, "http_error", 60.0),
        (408, {}, Deferred, "server_error", None),
        (410, {}, Rejected, "gone", None),
        (413, {}, Rejected, "refused", None),
        (429, {"Retry-After": "7"}, Deferred, "ratelimited", 7.0),
        (429, {}, Deferred, "ratelimited", 30.0),
        (500, {}, Deferred, "server_error", None),
        (503, {"Retry-After": "120"}, Deferred, "server_error", 120.0),
        (503, {"Retry-After": "soon"}, Deferred, "server_error", 30.0),
    ],
)
async def test_every_answer_is_classed_by_what_to_do(
    server: WebServer,
    sink: EventSink,
    status: int,
    headers: dict[str, str],
    wanted: type[AlertError] | None,
    code: str,
    wait: float | None,
):
    """Taken, later, never, or not until somebody mends it; no redirect is followed."""
    server.route("/hook", Reply(status=status, headers=headers))
    server.route("/elsewhere", Reply(status=204))
    if wanted is None:
        await sink.post(CHANNEL, alert())
        return
    with pytest.raises(wanted) as caught:
        await sink.post(CHANNEL, alert())
    assert type(caught.value) is wanted
    assert caught.value.code == code
    assert getattr(caught.value, "retry_after", None) == wait
    assert server.to("/elsewhere") == []


async def test_no_end_of_a_call_is_ambiguous(server: WebServer, sink: EventSink):
    """The id says that it is the same: so it may be sent again, and the address is in no error."""
    await server.stop()
    with pytest.raises(Deferred) as caught:
        await sink.post(CHANNEL, alert())
    said = "".join(traceback.format_exception(caught.value))
    assert "127.0.0.1" not in said
    assert await sink.find(CHANNEL, "d1", datetime.now(UTC)) is None


async def test_an_endpoint_that_is_gone_keeps_its_queue(sink: EventSink):
    """An edit may bring it back; it counts at once."""
    with pytest.raises(Closed, match="no_such_webhook"):
        await sink.post("webhook:other", alert())


async def test_who_connects_may_refuse_an_address(server: WebServer):
    """The guard of the service sits there."""
    import aiohttp

    def refuse(_: Any) -> Any:
        raise PermissionError(13, "not public")

    sink = EventSink(
        {"desk": Endpoint(url=server.url("/hook"), keys=(key_of(SECRET),))},
        connector=lambda _: aiohttp.TCPConnector(socket_factory=refuse),
    )
    with pytest.raises(Closed, match="not_public"):
        await sink.post(CHANNEL, alert())
    await sink.close()
    assert server.connections == 0


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_!!", "whsec_c2hvcnQ=", "c2hvcnQ=", "whsec_" + "A" * 100]
)
def test_a_secret_has_a_form(secret: str):
    """24 to 64 bytes, as the specification wants it."""
    with pytest.raises(ValueError, match="whsec_"):
        key_of(secret)


@given(
    event=st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=40),
    timestamp=st.integers(0, 2**33),
    body=st.binary(max_size=200),
)
def test_signatures_are_those_of_others(event: str, timestamp: int, body: bytes):
    """Of the library that the specification's authors wrote."""
    at = datetime.fromtimestamp(timestamp, UTC)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = body.hex()
    theirs = Webhook(SECRET).sign(event, at, text)
    assert signature(key_of(SECRET), event, timestamp, text.encode()) == theirs


@given(headline=st.text(), name=st.text(), marks=st.binary(max_size=9))
def test_any_words_make_an_event(headline: str, name: str, marks: bytes):
    """That is JSON, in which every letter is one."""
    message = alert(
        headline=headline, publisher=name, passage=Passage(text=marks.decode("latin-1"))
    )
    event = to_event(message, CHANNEL, source="monitor")
    json.dumps(event, ensure_ascii=False).encode()
    assert event["data"]["headline"].encode() == headline.encode("utf-8", "replace")


def test_the_example_of_the_documentation_works(tmp_path: Path):
    """As it stands there, with the reader's own secret: run, sent to, and lied to."""
    import re
    import subprocess
    import sys
    import urllib.error
    import urllib.request

    page = (PROJECT / "docs" / "alerts.md").read_text(encoding="utf-8")
    [code] = [
        each for each in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "webhook-id" in each
    ]
    assert "8000" in code
    script = tmp_path / "receiver.py"
    script.write_text(
        code.replace("8000", "0")
        .replace(
            "Receiver).serve_forever()",
            "Receiver) as server:\n    print(server.server_port, flush=True)\n"
            "    for _ in range(3): server.handle_request()",
        )
        .replace("HTTPServer((", "with HTTPServer(("),
        encoding="utf-8",
    )
    body = json.dumps(to_event(alert(), CHANNEL, source="monitor")).encode()

    def send(port: str, secret: str, at: datetime) -> int:
        signed = signature(key_of(secret), "d1", int(at.timestamp()), body)
        headers = {
            "webhook-id": "d1",
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signed,
        }
        request = urllib.request.Request(f"http://127.0.0.1:{port}/", data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    environment = {**os.environ, "WEBHOOK_SECRET": SECRET, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment
    ) as running:
        assert running.stdout is not None
        port = running.stdout.readline().strip()
        now = datetime.now(UTC)
        answers = [
            send(port, SECRET, now),
            send(port, OLD, now),
            send(port, SECRET, datetime.fromtimestamp(now.timestamp() - 3600, UTC)),
        ]
        said = running.stdout.read()
    assert answers == [204, 401, 401]
    assert "India and Pakistan agree to a ceasefire" in said
