"""What people do in Slack: buttons pressed, commands typed. By Socket Mode, without an open port.

The app connects to Slack (``apps.connections.open`` gives an address, a WebSocket does the rest)
and is handed *envelopes*. Each is turned into a value, queued here and acknowledged at once: Slack
shows an error to whoever waits longer than three seconds. Nothing is known here of what is done
about it; that is the handler's, and it must stand being told the same twice (`Deed.mark`), since
Slack hands an envelope out again if the acknowledgement was lost.

Not the SDK's Socket Mode client: its queue has no bound, its tasks are nobody's, it asks again
every five seconds for ever, also with a token that was revoked, writes whole envelopes at DEBUG and
takes a proxy from the environment whatever it is told (read in 3.47). What is used of the protocol
is one call, one acknowledgement and one goodbye.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import aiohttp

from alerts.blocks import to_blocks
from alerts.errors import AlertError, Ambiguous, Deferred, Rejected, Stopped
from alerts.message import Message
from alerts.pacing import Sleep
from alerts.slack import BASE_URL
from alerts.slack_errors import refusal
from alerts.transport import broken_off, timeouts

log = logging.getLogger(__name__)

HOOKS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
"""Where Slack wants answers to commands sent."""

MOST_WAITING = 200
"""Deeds that wait to be handled; one more is not acknowledged, and Slack says so to its author."""

HEARTBEAT = 15.0
"""Seconds between two questions whether the connection still stands."""

GOODBYE = 15.0
"""Seconds for which a connection that Slack is about to end is listened to, beside the new one."""

DRAIN = 2.0
"""Seconds for what was acknowledged to be done after a stop was asked for."""

MAKE_ANOTHER = (
    "Slack does not take this app-level token: make one under Basic Information on the app's page,"
    " with the scope connections:write"
)
_TOKEN = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "missing_scope",
        "not_allowed_token_type",
        "token_expired",
        "token_revoked",
    }
)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds between attempts to connect
MOST_WORDS = 2000  # of what is typed after a command


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """Somebody pressed a button on a message."""

    mark: str  # of this press: the same each time Slack tells of it
    action: str
    value: str  # what the button carried
    channel: str  # id
    ref: str  # of the message that it stands on
    user: str  # id
    user_name: str  # a handle: nothing that people are called by
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Somebody typed a command. Its words are what they typed: untrusted."""

    mark: str
    command: str  # with its slash
    words: str
    channel: str
    user: str
    user_name: str
    response_url: str  # where the answer goes: a secret, for half an hour
    at: datetime


Deed: TypeAlias = Pressed | Asked
Handler: TypeAlias = Callable[[Deed], Awaitable[None]]


def deeds_in(envelope: Mapping[str, Any], now: datetime) -> tuple[Deed, ...]:
    """What an envelope tells of; nothing if it is of a kind, or a shape, that is not ours."""
    payload = envelope.get("payload")
    if not isinstance(payload, dict):
        return ()
    try:
        match envelope.get("type"), payload.get("type"):
            case "slash_commands", _:
                return (_asked(payload, str(envelope.get("envelope_id", "")), now),)
            case "interactive", "block_actions":
                return tuple(_pressed(payload, action, now) for action in payload["actions"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return ()
    return ()


def unescaped(text: str) -> str:
    """What somebody typed: Slack hands on ``& < >`` as it wants them handed in."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _asked(payload: Mapping[str, Any], envelope: str, now: datetime) -> Asked:
    return Asked(
        mark=str(payload.get("trigger_id") or envelope),
        command=str(payload["command"]),
        words=unescaped(str(payload.get("text") or "")[:MOST_WORDS]),
        channel=str(payload["channel_id"]),
        user=str(payload["user_id"]),
        user_name=str(payload.get("user_name") or ""),
        response_url=str(payload["response_url"]),
        at=now,
    )


def _pressed(payload: Mapping[str, Any], action: Mapping[str, Any], now: datetime) -> Pressed:
    container, user = payload["container"], payload["user"]
    pressed_at = str(action.get("action_ts") or payload.get("trigger_id") or "")
    name, value = str(action["action_id"]), str(action.get("value") or "")
    return Pressed(
        mark=":".join((name, value, str(user["id"]), pressed_at)),
        action=name,
        value=value,
        channel=str(container["channel_id"]),
        ref=str(container["message_ts"]),
        user=str(user["id"]),
        user_name=str(user.get("username") or user.get("name") or ""),
        at=_moment(pressed_at) or now,
    )


def _moment(stamp: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(stamp), UTC)
    except (ValueError, OverflowError, OSError):
        return None


class SocketMode:
    """A standing connection to Slack, for as long as `run` runs.

    `problem` says why there is none, while there is none.
    """

    def __init__(
        self,
        app_token: str,
        *,
        base_url: str = BASE_URL,
        proxy: str | None = None,
        timeout: float = 15.0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`app_token`: the app-level token (``xapp-…``), with the scope connections:write."""
        self.problem: str | None = None
        self.connected = asyncio.Event()
        self._token = app_token.strip()
        self._base_url = base_url if base_url.endswith("/") else f"{base_url}/"
        self._proxy = proxy
        self._timeout = timeout
        self._sleep = sleep
        self._session: aiohttp.ClientSession | None = None
        # a backtest takes seconds: nobody's acknowledgement waits for it
        self._presses: asyncio.Queue[Deed] = asyncio.Queue(MOST_WAITING)
        self._commands: asyncio.Queue[Deed] = asyncio.Queue(MOST_WAITING)

    # ------------------------------------------------------------------------ life

    async def run(self, handle: Handler, stop: asyncio.Event) -> None:
        """Be connected, and have everything handled, until `stop`.

        Presses are handled one after the other, two commands at once. What was acknowledged before
        the stop has two seconds to be done. A handler that raises is logged; the rest goes on.
        """
        async with asyncio.TaskGroup() as tasks:
            workers = [
                tasks.create_task(_work(queue, handle))
                for queue in (self._presses, self._commands, self._commands)
            ]
            listening = tasks.create_task(self._listen())
            await stop.wait()
            listening.cancel()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DRAIN):
                    await self._presses.join()
                    await self._commands.join()
            for worker in workers:
                worker.cancel()

    async def close(self) -> None:
        """Give back connections."""
        if self._session is not None:
            await self._session.close()

    async def check(self) -> None:
        """Ask for an address and leave it at that. Raises AlertError: what the token lacks."""
        await self._address()

    # ------------------------------------------------------------------------ answers

    async def answer(self, url: str, message: Message) -> None:
        """Answer a command, to its author's eyes alone.

        Raises Rejected where `url` is no address of Slack's, or is not good any more (half an hour,
        five answers); Deferred where Slack can't take it just now.
        """
        if not self.is_ours(url):
            raise Rejected("bad_address", "an answer goes to Slack only")
        rendered = to_blocks(message)
        body = {
            "response_type": "ephemeral",
            "replace_original": False,
            "text": rendered.text,
            "blocks": rendered.blocks,
        }
        status, words = await self._post(url, body, {})
        if status == 429 or status >= 500:
            raise Deferred("unavailable", f"HTTP {status}")
        if status != 200 or (words.startswith("{") and not _json(words).get("ok", True)):
            raise Rejected("refused", f"HTTP {status}")

    def is_ours(self, url: str) -> bool:
        """Whether this is where Slack, or what stands in for it, takes answers."""
        try:
            given, api = urlsplit(url), urlsplit(self._base_url)
            if given.username or given.password:
                return False
            if given.scheme == "https" and given.hostname in HOOKS and given.port in {None, 443}:
                return True
            ours, theirs = ((at.scheme, at.hostname, at.port) for at in (api, given))
        except ValueError:  # a port that is no number
            return False
        return ours == theirs

    # ------------------------------------------------------------------------ listening

    async def _listen(self) -> None:
        """One connection after the other; where Slack announces the end, the next comes first."""
        pause = FIRST_PAUSE
        async with asyncio.TaskGroup() as readers:
            while True:
                leaving = _Leaving()
                try:
                    connection = await self._connect()
                except AlertError as error:
                    self._lost(str(error))
                    await self._sleep(LONGEST_PAUSE if isinstance(error, Stopped) else pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
                    continue
                readers.create_task(self._read(connection, leaving))
                await leaving.now.wait()
                if leaving.greeted and leaving.reason in _PLANNED:
                    pause = FIRST_PAUSE
                    continue  # at once
                self._lost(leaving.reason or "the connection broke")
                await self._sleep(pause)
                pause = FIRST_PAUSE if leaving.greeted else min(2 * pause, LONGEST_PAUSE)

    def _lost(self, why: str) -> None:
        if self.problem is None:
            log.warning("not connected to Slack: buttons and commands wait: %s", why)
        self.problem = why
        self.connected.clear()

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        url = await self._address()
        session = self._opened()
        try:
            async with asyncio.timeout(self._timeout):
                return await session.ws_connect(url, heartbeat=HEARTBEAT, proxy=self._proxy)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            # raised outside: the error holds the address, and the address is a ticket
            name = type(error).__name__
        raise Deferred("no_socket", name)

    async def _address(self) -> str:
        """Where to connect to: good once. Raises AlertError."""
        headers = {"Authorization": f"Bearer {self._token}"}
        status, words = await self._post(f"{self._base_url}apps.connections.open", None, headers)
        answer = _json(words)
        url = answer.get("url")
        if status == 200 and answer.get("ok") and isinstance(url, str):
            return url
        problem = refusal(status, answer, None)
        if isinstance(problem, Stopped) and problem.code in _TOKEN:
            raise Stopped(problem.code, MAKE_ANOTHER)
        raise problem

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, leaving: _Leaving) -> None:
        try:
            async with _closing(socket):
                async with asyncio.timeout(None) as limit:
                    async for message in socket:
                        if message.type is not aiohttp.WSMsgType.TEXT:
                            continue
                        envelope = _json(message.data)
                        match envelope.get("type"):
                            case "hello":
                                self.problem, leaving.greeted = None, True
                                self.connected.set()
                            case "disconnect":
                                leaving.because(str(envelope.get("reason") or "disconnect"))
                                if leaving.reason not in _PLANNED:
                                    return
                                limit.reschedule(asyncio.get_running_loop().time() + GOODBYE)
                            case _:
                                await self._take(socket, envelope)
        except (TimeoutError, aiohttp.ClientError, ConnectionError):
            pass  # what was not acknowledged comes again
        finally:
            leaving.because("")

    async def _take(
        self, socket: aiohttp.ClientWebSocketResponse, envelope: Mapping[str, Any]
    ) -> None:
        """Queue, then acknowledge. What is not acknowledged Slack tells of again, or regrets."""
        envelope_id = envelope.get("envelope_id")
        if not isinstance(envelope_id, str):
            return
        for deed in deeds_in(envelope, datetime.now(UTC)):
            queue = self._presses if isinstance(deed, Pressed) else self._commands
            try:
                queue.put_nowait(deed)
            except asyncio.QueueFull:
                log.warning("too much to do: what was done in Slack is not taken")
                return
        await socket.send_json({"envelope_id": envelope_id})

    # ------------------------------------------------------------------------ calls

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=timeouts(self._timeout))
        return self._session

    async def _post(self, url: str, body: Any, headers: Mapping[str, str]) -> tuple[int, str]:
        """Status and the beginning of the answer. Raises AlertError alone, without a secret."""
        try:
            async with self._opened().post(
                url, json=body, headers=headers, proxy=self._proxy, allow_redirects=False
            ) as response:
                return response.status, (await response.content.read(65536)).decode(
                    "utf-8", "replace"
                )
        except (aiohttp.ClientError, TimeoutError) as error:
            problem = broken_off(error)
        if isinstance(problem, Ambiguous):  # an address asked for twice, an answer said twice: fine
            problem = Deferred(problem.code, problem.detail)
        raise problem


_PLANNED = frozenset({"refresh_requested", "warning"})
"""Goodbyes before which there is time to be connected anew."""


class _Leaving:
    """That a connection ends, and why."""

    def __init__(self) -> None:
        self.now = asyncio.Event()
        self.reason = ""
        self.greeted = False

    def because(self, reason: str) -> None:
        """The first reason is the reason."""
        if not self.now.is_set():
            self.reason = reason
            self.now.set()


@asynccontextmanager
async def _closing(socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[None]:
    try:
        yield
    finally:
        with contextlib.suppress(aiohttp.ClientError, ConnectionError):
            await socket.close()


async def _work(queue: asyncio.Queue[Deed], handle: Handler) -> None:
    while True:
        deed = await queue.get()
        try:
            await handle(deed)
        except Exception as error:
            log.exception("what was done in Slack could not be handled: %s", type(error).__name__)
        finally:
            queue.task_done()


def _json(words: str) -> dict[str, Any]:
    """An object, or an empty one."""
    try:
        value = json.loads(words)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
