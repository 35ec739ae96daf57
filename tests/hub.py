"""A WebSub hub over real HTTP: it is asked, verifies, and pushes, as well or as badly as told.

It calls callbacks by the name that they have, wherever `call_at` says that this name leads::

    async with Hub(call_at=server.port) as hub:
        ...  # something subscribes at hub.url
        await hub.settled()
        await hub.publish(topic, b"<rss/>")
"""

from __future__ import annotations

import asyncio
import hmac
import socket
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl

import aiohttp
from aiohttp.abc import AbstractResolver

from tests.webserver import Reply, Request, WebServer


@dataclass
class Heard:
    """What a callback answered."""

    status: int
    text: str
    headers: dict[str, str] = field(default_factory=dict)


class _Here(AbstractResolver):
    """Every name leads to this machine, whatever the port of its URL."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> Any:
        return [
            {
                "hostname": host,
                "host": "127.0.0.1",
                "port": self._port,
                "family": family,
                "proto": 0,
                "flags": 0,
            }
        ]

    async def close(self) -> None:
        pass


class Hub:
    """One hub. Its ways may be changed at any time."""

    def __init__(self, *, call_at: int, lease: int | None = 864_000) -> None:
        self.lease = lease  # seconds that it grants; None: it doesn't say
        self.answer = Reply("taken", status=202)  # to whoever asks for something
        self.verifies = "later"  # later | first (before it answers) | never
        self.topic: str | None = None  # that it asks about, in place of the right one
        self.method = "sha256"
        self.asked: list[dict[str, str]] = []  # forms, as they came
        self.heard: list[Heard] = []  # what callbacks answered to its questions
        self.subscribers: dict[tuple[str, str], str] = {}  # (topic, callback) → secret
        self._call_at = call_at
        self._server = WebServer()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._server.start()
        self._server.route("/hub", self._take)
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=_Here(self._call_at))
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.settled()
        await self.session.close()
        await self._server.stop()

    @property
    def url(self) -> str:
        """Where it is asked."""
        return self._server.url("/hub")

    async def _take(self, request: Request) -> Reply:
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        assert request.method == "POST"
        self.asked.append(form)
        if not 200 <= self.answer.status < 300:
            return self.answer
        if self.verifies == "first":
            await self.verify(form)
        elif self.verifies == "later":
            self._tasks.add(task := asyncio.create_task(self.verify(form)))
            task.add_done_callback(self._tasks.discard)
        return self.answer

    async def settled(self) -> None:
        """Until it has asked all that it had to ask."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def verify(self, form: dict[str, str]) -> None:
        """Ask a subscriber whether a request was meant, and do what was asked if it was."""
        topic, callback = form["hub.topic"], form["hub.callback"]
        question = {
            "hub.mode": form["hub.mode"],
            "hub.topic": self.topic or topic,
            "hub.challenge": "challenge-5f1c",
        }
        if form["hub.mode"] == "subscribe" and self.lease is not None:
            question["hub.lease_seconds"] = str(self.lease)
        heard = await self.ask(callback, question)
        if heard.status // 100 != 2 or heard.text != "challenge-5f1c":
            return
        if form["hub.mode"] == "subscribe":
            self.subscribers[topic, callback] = form["hub.secret"]
        else:
            self.subscribers.pop((topic, callback), None)

    async def ask(self, callback: str, question: dict[str, str]) -> Heard:
        """Put any question to a callback."""
        async with self.session.get(callback, params=question, allow_redirects=False) as answer:
            heard = Heard(answer.status, await answer.text(), dict(answer.headers))
        self.heard.append(heard)
        return heard

    async def publish(self, topic: str, body: bytes = b"<rss/>") -> list[int]:
        """Push to every subscriber of a topic; what they answered."""
        return [
            await self.push(callback, body, self.sign(secret, body))
            for (its, callback), secret in self.subscribers.items()
            if its == topic
        ]

    def sign(self, secret: str, body: bytes) -> str:
        """The header that proves who pushed."""
        return f"{self.method}={hmac.new(secret.encode(), body, self.method).hexdigest()}"

    async def push(self, callback: str, body: Any, signature: str | None = None) -> int:
        """Push anything to a callback."""
        headers = {"Content-Type": "application/rss+xml"}
        if signature is not None:
            headers["X-Hub-Signature"] = signature
        async with self.session.post(callback, data=body, headers=headers) as answer:
            return answer.status
