"""A Slack incoming webhook: one address that posts to one channel, and can do nothing else.

The answer is a bare word without a message's id, so nothing can be changed or looked up later.
The address is the secret: it is in no error and no log, which is why the SDK's webhook client,
which writes it at DEBUG, is not used.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp

from alerts.blocks import to_blocks
from alerts.errors import AlertError, Ambiguous, Deferred, Rejected, Stopped
from alerts.message import Message
from alerts.pacing import Monotonic, Pacer, Pauses, Sleep
from alerts.sink import Blind, Posted
from alerts.transport import broken_off, retry_after, timeouts

_FORM = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_payload",
        "msg_blocks_too_long",
        "msg_too_long",
    }
)
# The webhook has no other channel to go to, so a channel's trouble is the sink's.
_STOP = frozenset(
    {
        "action_prohibited",
        "channel_is_archived",
        "channel_not_found",
        "invalid_token",
        "no_active_hooks",
        "no_service",
        "no_service_id",
        "no_team",
        "posting_to_general_channel_denied",
        "team_disabled",
        "token_revoked",
        "user_not_found",
    }
)


class SlackWebhookSink(Blind):
    """Alerts through ``SLACK_WEBHOOK_URL``; a growing story stays as it was posted."""

    name = "webhook"
    can_update = False

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 15.0,
        proxy: str | None = None,
        monotonic: Monotonic = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._url = url.strip()
        self._timeout = timeout
        self._proxy = proxy
        self._pace = Pacer(rate=1.0, monotonic=monotonic, sleep=sleep)
        self._pauses = Pauses(monotonic)
        self.may_post: Callable[[], bool] = lambda: True
        """Asked right before each post, after its turn: what was ours may not be."""
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self,
        channel: str,
        message: Message,
        *,
        thread: Posted | None = None,  # noqa: ARG002 - the seam asks for it
        broadcast: bool = False,  # noqa: ARG002 - the seam asks for it
    ) -> Posted:
        """Show a message. It goes to the webhook's own channel, whatever `channel` is."""
        rendered = to_blocks(message)
        common = {"text": rendered.text, "unfurl_links": False, "unfurl_media": False}
        try:
            await self._send({**common, "blocks": rendered.blocks})
        except Rejected as error:
            if error.code not in _FORM:
                raise
            # a definite refusal: the plain text can't be a second message
            await self._send(common)
        return Posted(channel=channel, ref="")

    async def update(self, posted: Posted, message: Message) -> None:  # noqa: ARG002 - the seam asks for it
        """Refuse: a webhook can't change what it posted."""
        raise Rejected("cant_update", "a webhook can't change messages")

    async def close(self) -> None:
        """Give back connections."""
        if self._session is not None:
            await self._session.close()

    async def _send(self, body: Mapping[str, Any]) -> None:
        if pause := self._pauses.left(""):
            raise Deferred("ratelimited", "waiting as asked", retry_after=pause)
        await self._pace.turn("")
        if not self.may_post():
            raise Deferred("away", "nothing is posted by who may be held for gone", retry_after=1)
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=timeouts(self._timeout))
        problem = await self._attempt(self._session, body)
        if problem is None:
            return
        if isinstance(problem, Deferred) and problem.retry_after:
            self._pauses.begin("", problem.retry_after)
        # raised here and not in a handler: aiohttp's errors hold the address
        raise problem

    async def _attempt(
        self, session: aiohttp.ClientSession, body: Mapping[str, Any]
    ) -> AlertError | None:
        try:
            async with session.post(
                self._url, json=body, proxy=self._proxy, allow_redirects=False
            ) as response:
                words = (await response.content.read(2048)).decode("utf-8", "replace").strip()
                return _problem(response.status, words, response.headers.get("Retry-After"))
        except (aiohttp.ClientError, TimeoutError) as error:
            return broken_off(error)


def _problem(status: int, words: str, retry_after_header: str | None) -> AlertError | None:
    """The class of an answer, or None for an ``ok``."""
    if status == 200 and words == "ok":
        return None
    code = words if words.replace("_", "").isalnum() and len(words) <= 64 else ""
    if status == 429 or code in {"rate_limited", "ratelimited"}:
        return Deferred("ratelimited", retry_after=retry_after(retry_after_header))
    if status >= 500:
        return Ambiguous("server_error", f"HTTP {status}")
    if code in _STOP or (not code and status >= 300):
        return Stopped(code or "http_error", f"HTTP {status}")
    if status >= 300:
        return Rejected(code, f"HTTP {status}")
    return Ambiguous("unreadable_answer", f"HTTP {status}")
