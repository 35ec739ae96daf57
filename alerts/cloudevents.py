"""Messages as signed events to any HTTP endpoint: CloudEvents 1.0, in structured JSON.

The envelope is that of the CloudEvents specification (cncf/spec, 1.0.2, "structured content mode"),
the headers are those of Standard Webhooks (standard-webhooks/standard-webhooks, 1.0.0):
``webhook-id``, ``webhook-timestamp`` and ``webhook-signature``, an HMAC-SHA256 over id, timestamp and
the raw body. An event that is sent again has the same id, so that who receives it can tell; so no
end of a call is ambiguous here, and whatever went wrong is tried again.

What an event holds is what was found, not what is shown: nothing is cleaned or cut, and none of it
is to be trusted. docs/event.schema.json is its schema.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from alerts.errors import AlertError, Closed, Deferred, Rejected
from alerts.message import Alert, Card, Message, card_to_json
from alerts.signing import signature
from alerts.sink import Posted
from alerts.transport import broken_off, retry_after, timeouts

PREFIX = "webhook:"
"""What the names of channels begin with that lead here; the endpoint's own name follows."""

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
_TRY_AGAIN = 60.0  # seconds; somebody may have mended the endpoint by then
_REFUSED = frozenset({400, 409, 410, 413, 414, 415, 422, 431})
"""This event and no other is the trouble, or (410) it is wanted no more."""
_LATER = frozenset({408, 425, 429})

Connector = Callable[[str], aiohttp.BaseConnector]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where events go, and the keys they are signed with: all of them, while one is replaced."""

    url: str
    keys: Sequence[bytes] = field(repr=False)


class EventSink:
    """Sends every message to the endpoint that its channel names (``webhook:desk``)."""

    name = "event"
    can_update = True  # by another event about the same subject
    can_find = True  # what is sent again is known by its id
    can_thread = True

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        *,
        source: str = "monitor",
        timeout: float = 15.0,
        connector: Connector | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`connector`: makes what connects to a host, which may refuse addresses by raising
        PermissionError. `now`: seconds since 1970.
        """
        self.endpoints = endpoints  # may be replaced at any time
        self._source = source
        self._timeout = timeout
        self._connector = connector
        self._now = now
        self._sessions: dict[str, aiohttp.ClientSession] = {}  # by host

    async def post(
        self,
        channel: str,
        message: Message,
        *,
        thread: Posted | None = None,
        broadcast: bool = False,
    ) -> Posted:
        """Send a message. Raises Deferred, Closed or Rejected."""
        event = to_event(message, channel, source=self._source)
        if thread is not None:
            event["data"] |= {"in_reply_to": thread.ref, "broadcast": broadcast}
        await self._send(channel, event)
        return Posted(channel=channel, ref=message.delivery_id)

    async def update(self, posted: Posted, message: Message) -> None:
        """Send what the message is now. Raises Deferred, Closed or Rejected."""
        event = to_event(message, posted.channel, source=self._source, again=True)
        await self._send(posted.channel, event)

    async def find(
        self,
        channel: str,  # noqa: ARG002 - the seam asks for it
        delivery_id: str,  # noqa: ARG002 - the seam asks for it
        since: datetime,  # noqa: ARG002 - the seam asks for it
        *,
        thread: Posted | None = None,  # noqa: ARG002 - the seam asks for it
    ) -> Posted | None:
        """None: to send it again does no harm."""
        return None

    async def close(self) -> None:
        """Give back connections."""
        for session in self._sessions.values():
            await session.close()

    async def _send(self, channel: str, event: Mapping[str, Any]) -> None:
        endpoint = self.endpoints.get(channel.removeprefix(PREFIX))
        if endpoint is None:
            raise Closed("no_such_webhook", channel, retry_after=_TRY_AGAIN)
        body, timestamp = json.dumps(event).encode(), int(self._now())
        headers = {
            "Content-Type": CONTENT_TYPE,
            "webhook-id": event["id"],
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(
                signature(key, event["id"], timestamp, body) for key in endpoint.keys
            ),
        }
        problem = await self._attempt(endpoint.url, body, headers)
        if problem is not None:
            raise problem  # outside of the handlers: aiohttp's errors hold the address

    async def _attempt(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> AlertError | None:
        try:
            async with self._opened(url).post(
                url, data=body, headers=headers, allow_redirects=False
            ) as response:
                return verdict(response.status, response.headers.get("Retry-After"))
        except (aiohttp.ClientError, TimeoutError) as error:
            found = broken_off(error)
            if isinstance(getattr(error, "os_error", None), PermissionError):
                return Closed("not_public", "the address is not public", retry_after=_TRY_AGAIN)
            return Deferred(found.code, found.detail)

    def _opened(self, url: str) -> aiohttp.ClientSession:
        host = urlsplit(url).hostname or ""
        if host not in self._sessions:
            self._sessions[host] = aiohttp.ClientSession(
                connector=self._connector(host) if self._connector else None,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=timeouts(self._timeout),
                auto_decompress=False,  # no answer's body is read
            )
        return self._sessions[host]


def verdict(status: int, retry_after_header: str | None) -> AlertError | None:
    """What an answer asks for; None for 2xx."""
    words = f"HTTP {status}"
    if 200 <= status < 300:
        return None
    if status in _LATER or status >= 500:
        wait = retry_after(retry_after_header) if retry_after_header or status == 429 else None
        return Deferred("ratelimited" if status == 429 else "server_error", words, retry_after=wait)
    if status in _REFUSED:
        return Rejected("gone" if status == 410 else "refused", words)
    # a redirect, a wrong address, a wrong key: of any event, until somebody mends it
    return Closed("http_error", words, retry_after=_TRY_AGAIN)


# ------------------------------------------------------------------------------ events


def to_event(message: Message, channel: str, *, source: str, again: bool = False) -> dict[str, Any]:
    """A message as an event. Its subject is the same for all about one message; its id tells
    repetitions of one event from news about it, also where that is what it said once before.
    """
    kind, data = _data(message)
    data = _whole({"channel": channel, **data})
    event = message.delivery_id
    if again:
        digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
        event = f"{event}.{message.revision}.{digest[:16]}"
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": event,
        "source": source,
        "type": f"monitor.{kind}.{'updated' if again else 'told'}",
        "subject": message.delivery_id,
        "datacontenttype": "application/json",
    }
    if isinstance(message, Alert):
        envelope["time"] = _time(message.found_at)
    return envelope | {"data": data}


def _data(message: Message) -> tuple[str, dict[str, Any]]:
    match message:
        case Alert():
            return "story", _story(message)
        case Card():
            return "card", json.loads(card_to_json(message))


def _story(alert: Alert) -> dict[str, Any]:
    passage = alert.passage
    return {
        "headline": alert.headline,
        "url": alert.url,
        "passage": {"text": passage.text, "marks": [list(mark) for mark in passage.marks]}
        if passage
        else None,
        "publisher": alert.publisher,
        "published_at": _time(alert.published_at) if alert.published_at else None,
        "found_at": _time(alert.found_at),
        "watches": list(alert.watches),
        "terms": list(alert.terms),
        "also": list(alert.also),
        "independent": alert.independent,
        "carriers": alert.carriers,
        "merged": alert.pointer,
    }


def _time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def _whole(value: Any) -> Any:
    """Without halves of surrogate pairs, which many readers of JSON refuse."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode() if not value.isascii() else value
    if isinstance(value, list):
        return [_whole(each) for each in value]
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    return value
