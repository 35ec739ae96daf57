"""Targets that need a database: what anybody may send to the page, and what Slack may tell."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlencode

from prometheus_client import CollectorRegistry

from alerts.blocks import to_blocks
from alerts.interactions import Asked, Pressed, deeds_in
from alerts.memory import MemorySink
from alerts.message import Card
from monitor import config
from monitor.compose import Rules
from monitor.hands import Hands
from monitor.match import compile_watches
from monitor.model import SubscriptionState
from monitor.pipeline import Context
from monitor.storage import SqlReports, SqlStore, upgrade
from monitor.web import Decisions, Pushes, create_app
from monitor.web.editor import Editor
from tests.contracts.material import CEASEFIRE, KASHMIR, NOW
from tests.contracts.test_subscriptions import subscribed
from tests.fakes import FakeClock
from tests.fuzz.seeds import FILE
from tests.pipeline.desk import CHANNEL, FREQUENCIES, HIT, HOUR, Desk, News, text
from tests.web.samples import FixedHealth

FORGED = b"<zq9"
"""A tag that stands in requests; in a page of ours it would be somebody else's."""

_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
_TOKEN = re.compile(r'name="token" value="([0-9a-f]+)"')


class _Newsroom:
    """A service's inside over a database of its own, for as long as the process lives."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
        url = f"sqlite:///{self.folder / 'monitor.db'}"
        upgrade(url)
        self.runner = asyncio.Runner()
        self.store = SqlStore(url)
        self.path = self.folder / "feeds.toml"
        self.path.write_text(FILE, encoding="utf-8")
        self.settings = config.load(self.path, {})
        self.clock = FakeClock(NOW + HOUR)
        self.rules = Rules(
            watches=(CEASEFIRE, KASHMIR),
            matcher=compile_watches((CEASEFIRE, KASHMIR)),
            default_channel=CHANNEL,
            interval=timedelta(minutes=5),
            frequencies=FREQUENCIES,
            buttons=True,
        )
        reports = SqlReports(self.store)
        self.app = create_app(
            reports,
            FixedHealth(),
            self.clock,
            registry=CollectorRegistry(),
            decisions=Decisions(self.store, self.clock, lambda: self.rules),
            pushes=Pushes(self.store, self.clock, lambda: self.rules),
            editor=Editor(self.path, {}, lambda: self.settings),
        )
        self.answers: list[Card] = []
        context = Context(
            store=self.store,
            fetcher=None,
            offload=None,
            sink=MemorySink(),
            clock=self.clock,
            rules=self.rules,
            jitter=lambda: 0.0,
        )
        self.hands = Hands(self, context, reports, lambda: self.settings)
        self.cookie = ""

    async def fill(self) -> None:
        """Five articles in two stories, one of them told; a subscription."""
        await self.store.write(lambda tx: tx.sync_watches([CEASEFIRE, KASHMIR], NOW))
        desk = Desk(self.store)
        await desk.bring(
            News("first", "The truce holds. " + text(1, 80), title="Ceasefire holds", hits=(HIT,)),
            News("second", "The truce ends. " + text(2, 80), title="Ceasefire ends", hits=(HIT,)),
            News("plain", text(3, 80)),
        )
        [shown, *_] = await desk.show()
        self.delivery = str(shown.id)
        feed = (await SqlReports(self.store).feeds())[0]
        await subscribed(self.store, feed.id, "a", state=SubscriptionState.ACTIVE)

    async def answer(self, _url: str, card: Card) -> None:
        """What is said to somebody in Slack."""
        self.answers.append(card)

    async def deliveries(self) -> Any:
        return await SqlReports(self.store).deliveries(100)

    async def ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """One request, as a server hands it to an application."""
        sent_as = quote(target.encode("utf-8", "surrogateescape"), safe=_VISIBLE)  # as h11 takes it
        raw, _, query = sent_as.encode().partition(b"?")
        named = {"host": "localhost", "content-length": str(len(body)), **headers}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote_to_bytes(raw).decode("utf-8", "replace"),
            "raw_path": raw,
            "query_string": query,
            "root_path": "",
            "headers": [
                (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace"))
                for name, value in named.items()
            ],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8080),
        }
        sent = [{"type": "http.request", "body": body, "more_body": False}]
        status, told, pieces = 0, dict[str, str](), list[bytes]()

        async def receive() -> Any:
            return sent.pop() if sent else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            nonlocal status, told
            if message["type"] == "http.response.start":
                status = message["status"]
                told = {k.decode().lower(): v.decode("latin-1") for k, v in message["headers"]}
            else:
                pieces.append(message.get("body", b""))

        async with asyncio.timeout(60):
            await self.app(scope, receive, send)
        return status, told, b"".join(pieces)

    def close(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@cache
def newsroom() -> _Newsroom:
    made = _Newsroom()
    made.runner.run(made.fill())
    return made


# --------------------------------------------------------------------------- requests


def requests(data: bytes) -> None:
    """Whatever is sent to the page, it is answered: below 500, guarded, with nobody's markup.

    A line of method and target, headers, an empty line, a body. FORM is a POST of a form as a page
    of ours has it: with its token.
    """
    room = newsroom()
    head, _, body = data.replace(b"$DELIVERY", room.delivery.encode()).partition(b"\n\n")
    first, *lines = head.decode("utf-8", "surrogateescape").split("\n")
    method, _, target = first.partition(" ")
    target = "/" + target.strip().lstrip("/")
    if unquote_to_bytes(target.partition("?")[0].encode("utf-8", "surrogateescape")) == b"/live":
        return  # has no end
    headers = {
        name: value.strip() for name, _, value in (line.partition(":") for line in lines) if name
    }
    headers = {
        name: value for name, value in headers.items() if name.isascii() and name.lower() != "host"
    }
    room.runner.run(_asked(room, method, target, headers, body))


async def _asked(
    room: _Newsroom, method: str, target: str, headers: dict[str, str], body: bytes
) -> None:
    headers = {name.lower(): value for name, value in headers.items()}
    if method == "FORM":
        method, headers, body = await _form(room, target, body)
    status, told, answer = await room.ask(
        method if method.isalpha() else "GET", target, headers, body
    )
    assert 200 <= status < 500, (status, answer[:300])
    assert told["x-content-type-options"] == "nosniff"
    assert "content-security-policy" in told
    assert "\n" not in told.get("location", "")
    kind = told.get("content-type", "")
    if kind.startswith("text/html") or "xml" in kind:
        assert FORGED not in answer, answer[max(0, answer.find(FORGED) - 200) :][:400]
    if target.startswith("/api/v1/") and status >= 400:
        assert kind == "application/problem+json", (status, kind)
        assert json.loads(answer)["status"] == status
    if room.path.read_text(encoding="utf-8") != FILE:
        config.load(room.path, {})
        room.path.write_text(FILE, encoding="utf-8")


async def _form(room: _Newsroom, target: str, body: bytes) -> tuple[str, dict[str, str], bytes]:
    """As a browser sends the form of a page."""
    cookie = {"cookie": room.cookie} if room.cookie else {}
    _, told, page = await room.ask("GET", target, cookie, b"")
    room.cookie = told.get("set-cookie", room.cookie).partition(";")[0]
    token = _TOKEN.search(page.decode())
    fields = urlencode({"token": token[1] if token else ""}).encode()
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "origin": "http://localhost",
        "cookie": room.cookie,
    }
    return "POST", headers, fields + b"&" + body


# --------------------------------------------------------------------------- Slack


def envelopes(data: bytes) -> None:
    """Whatever Slack's socket says, it is a deed or nothing; what is none changes no message."""
    room = newsroom()
    try:
        said = json.loads(data.replace(b"$DELIVERY", room.delivery.encode()))
    except (ValueError, RecursionError):
        return
    if not isinstance(said, dict):
        return
    deeds = deeds_in(said, NOW)
    room.runner.run(_handled(room, deeds, knows=b"$DELIVERY" in data))


async def _handled(room: _Newsroom, deeds: tuple[Asked | Pressed, ...], *, knows: bool) -> None:
    before = await room.deliveries()
    for deed in deeds[:5]:
        room.answers.clear()
        # a mark of its own: what was told before is passed over
        room.clock.advance(seconds=1)
        mark = f"{room.clock.now()} {deed.mark}"
        await room.hands.handle(replace(deed, mark=mark))
        for card in room.answers:
            json.dumps(to_blocks(card).blocks).encode()
        assert isinstance(deed, Pressed) or room.answers, "whoever asks is answered"
    assert knows or await room.deliveries() == before


SERVED: Mapping[str, Any] = {"requests": requests, "envelopes": envelopes}
