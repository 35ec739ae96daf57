"""The server: channels and messages in memory, behind the Web API's methods."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import math
import random
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

from monitor.demo.slack import faults, limits
from monitor.demo.slack.page import Page
from monitor.demo.slack.sockets import Sockets

ALL_SCOPES = (
    "chat:write",
    "chat:write.public",
    "channels:read",
    "groups:read",
    "channels:history",
    "groups:history",
    "files:write",
)
BURST = 25  # measured by users in 2018; then one a second
TIERS = {  # calls a minute, in the whole workspace: Slack's tiers 2, 3 and 4, by their least
    "conversations.list": 20,
    "chat.update": 50,
    "conversations.history": 50,
    "conversations.info": 50,
    "conversations.replies": 50,
    "users.info": 100,
}

Json = dict[str, Any]


@dataclass(slots=True)
class Channel:
    """A conversation and what is in it, oldest first."""

    id: str
    name: str
    private: bool = False
    member: bool = True
    archived: bool = False
    messages: list[Json] = field(default_factory=list)

    def row(self) -> Json:
        """As conversations.list shows it."""
        return {
            "id": self.id,
            "name": self.name,
            "is_channel": not self.private,
            "is_private": self.private,
            "is_member": self.member,
            "is_archived": self.archived,
        }


@dataclass(slots=True)
class Bucket:
    """What is left of a rate: full at first, filled evenly."""

    tokens: float
    filled_at: float

    def wait(self, now: float, rate: float, most: float) -> int:
        """Take one; or else how many whole seconds until there is one."""
        self.tokens = min(most, self.tokens + (now - self.filled_at) * rate)
        self.filled_at = now
        if self.tokens < 1:
            return max(1, math.ceil((1 - self.tokens) / rate))
        self.tokens -= 1
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as it was answered."""

    method: str
    channel: str  # as asked for: a name or an id
    fault: str  # name of the fault that struck, or ""
    error: str  # of the answer, or ""
    body: Json = field(repr=False)


class Refused(Exception):
    """The method says no."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


class SlackDouble:
    """A workspace with one bot in it.

    `rate_limited`: whether a channel takes 25 posts at once and then one a second, and a method as
    many calls as its tier. `history_lag`: how many looks at the history miss messages that were
    posted with a fault; `history_delay`: for how many seconds any of them does. `now` gives seconds
    since 1970 for time stamps, `monotonic` drives the rate limits. `witness` is called with a
    method before and after it is done.
    """

    def __init__(
        self,
        *,
        token: str = "xoxb-1-double",  # noqa: S107 nobody's
        app_token: str = "xapp-1-double",  # noqa: S107 nobody's
        scopes: tuple[str, ...] = ALL_SCOPES,
        rate_limited: bool = False,
        history_lag: int = 0,
        history_delay: float = 0.0,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.token = token
        self.app_token = app_token
        self.users: dict[str, Json] = {}  # by id, as users.info shows them
        self.files: dict[str, Json] = {}  # by id: title, bytes as they came, whether it is complete
        self.answers: list[Json] = []  # what came to response_urls, with the channel
        self.scopes = scopes
        self.rate_limited = rate_limited
        self.history_lag = history_lag
        self.file_lag = 0  # messages with a new file that are refused before it is known
        self.history_delay = history_delay
        self.calls: list[Call] = []
        self.url = ""
        self._now = now
        self._monotonic = monotonic
        self._channels: dict[str, Channel] = {}
        self._scripts: dict[str, deque[str]] = defaultdict(deque)
        self._hooks: dict[str, str] = {}
        self._lagging: set[str] = set()
        self._buckets: dict[str, Bucket] = {}
        self._dice: random.Random | None = None
        self._share = 0.0
        self.witness: Callable[[str, str], None] | None = None
        self._changed = asyncio.Condition()
        self.sockets = Sockets(self._changed)
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._port = 0
        self._last_ts = 0.0

    # ------------------------------------------------------------------------ life

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; port 0 takes a free one, later starts take the same again."""
        self._closing.clear()
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/services/{rest:.+}", self._webhook)
        app.router.add_get("/messages", self._listing)
        app.router.add_get("/link/", self.sockets.serve)
        app.router.add_post("/upload/{file}", self._take_file)
        app.router.add_post("/answers/{channel}/{rest:.+}", self._take_answer)
        app.router.add_routes(Page(self).routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port or self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}/api/"

    async def stop(self) -> None:
        """Close every connection; what is stored stays."""
        self._closing.set()
        await self.sockets.hang_up()
        await self._notify()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def page_url(self) -> str:
        """Where people look at it."""
        return self.url.removesuffix("api/")

    # ------------------------------------------------------------------------ for the page

    @property
    def is_closing(self) -> bool:
        """Whether nothing more will happen."""
        return self._closing.is_set()

    def now(self) -> float:
        """The workspace's time, in seconds since 1970."""
        return self._now()

    def channels(self) -> Sequence[Channel]:
        """All of them, in the order in which they were opened."""
        return tuple(self._channels.values())

    async def until_something(self, seconds: float) -> None:
        """Wait until something has happened. Raises TimeoutError if nothing does for so long."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    # ------------------------------------------------------------------------ for tests

    def add_channel(
        self, name: str, *, private: bool = False, member: bool = True, archived: bool = False
    ) -> str:
        """Open a channel; returns its id."""
        key = f"C{len(self._channels) + 1:08d}"
        self._channels[key] = Channel(
            id=key, name=name, private=private, member=member, archived=archived
        )
        return key

    def change_channel(self, name: str, **changes: Any) -> None:
        """Rename it, archive it, put the bot out."""
        channel = self._channel(name)
        for key, value in changes.items():
            setattr(channel, key, value)

    def script(self, method: str, *names: str) -> None:
        """What happens to the next calls of a method, one name for each (see `faults`)."""
        for name in names:
            faults.named(name)  # a misspelt one fails here, in the test
        self._scripts[method].extend(names)

    def misbehave(self, dice: random.Random, share: float) -> None:
        """From now on that share of all calls fails, each in a way of `faults.CHAOS`."""
        self._dice, self._share = dice, share

    def _draw(self) -> str:
        if self._dice is None or self._dice.random() >= self._share:
            return ""
        return self._dice.choices(list(faults.CHAOS), list(faults.CHAOS.values()))[0]

    def messages(self, channel: str | None = None) -> list[Json]:
        """Copies of what is stored, oldest first; of all channels without a name."""
        places = [self._channel(channel)] if channel else list(self._channels.values())
        rows = [row for place in places for row in place.messages]
        return copy.deepcopy(sorted(rows, key=lambda row: float(row["ts"])))

    def say(
        self, channel: str, text: str, *, thread_ts: str | None = None, user: str = "U0HUMAN"
    ) -> str:
        """Somebody else writes; returns the ts."""
        extra = {"thread_ts": thread_ts} if thread_ts else {}
        return self._store(self._channel(channel), {"text": text, "user": user, **extra})

    def delete(self, channel: str, ts: str) -> None:
        """Somebody deletes a message."""
        place = self._channel(channel)
        place.messages = [row for row in place.messages if row["ts"] != ts]

    def webhook_url(self, channel: str) -> str:
        """A new incoming webhook of a channel."""
        path = f"T0/B{len(self._hooks) + 1}/hook-secret-{len(self._hooks) + 1}"
        self._hooks[path] = self._channel(channel).id
        return self.url.removesuffix("api/") + "services/" + path

    def remove_webhook(self, url: str) -> None:
        """Somebody removes the integration."""
        del self._hooks[url.partition("/services/")[2]]

    async def wait_for(self, count: int, channel: str | None = None) -> list[Json]:
        """Wait until that many messages are stored, and return them."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.messages(channel)) >= count)
        return self.messages(channel)

    # ------------------------------------------------------------------------ people

    def add_user(self, key: str, name: str, *, handle: str = "") -> str:
        """Somebody joins the workspace; returns the id."""
        profile = {"display_name": name, "real_name": f"{name} Real"}
        self.users[key] = {"id": key, "name": handle or name.lower(), "profile": profile}
        return key

    async def press(self, channel: str, ts: str, action: str, *, user: str = "U0HUMAN") -> str:
        """Somebody presses a button that stands on a message; returns the envelope's id.

        Raises LookupError where no such button stands.
        """
        place = self._channel(channel)
        message: Json = next((row for row in place.messages if row["ts"] == ts), {})
        buttons = {
            element["action_id"]: element
            for block in message.get("blocks", [])
            if block["type"] == "actions"
            for element in block["elements"]
        }
        button = buttons[action]
        handle = self.users.get(user, {}).get("name", "human")
        payload = {
            "type": "block_actions",
            "user": {"id": user, "username": handle, "name": handle, "team_id": "T0"},
            "container": {"type": "message", "message_ts": ts, "channel_id": place.id},
            "channel": {"id": place.id, "name": place.name},
            "message": copy.deepcopy(message),
            "response_url": self.answer_url(place.id),
            "actions": [button | {"action_ts": self._next_ts()}],
        }
        return await self.sockets.tell("interactive", payload)

    async def command(self, channel: str, words: str, *, user: str = "U0HUMAN") -> str:
        """Somebody types ``/monitor`` and these words; returns the envelope's id."""
        place = self._channel(channel)
        payload = {
            "command": "/monitor",
            "text": words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
            "channel_id": place.id,
            "channel_name": place.name,
            "user_id": user,
            "user_name": self.users.get(user, {}).get("name", "human"),
            "response_url": self.answer_url(place.id),
            "trigger_id": f"trigger-{self._next_ts()}",
        }
        return await self.sockets.tell("slash_commands", payload)

    def answer_url(self, channel: str) -> str:
        """Where an answer may be sent to."""
        return self.url.removesuffix("api/") + f"answers/{channel}/{self._next_ts()}"

    async def wait_for_answers(self, count: int) -> list[Json]:
        """Wait until that many answers came, and return them."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.answers) >= count)
        return copy.deepcopy(self.answers)

    async def _take_answer(self, request: web.Request) -> web.Response:
        body = json.loads(await request.text())
        if found := limits.message_error(body):
            return web.json_response({"ok": False, "error": found[0]}, status=400)
        async with self._changed:
            ts = self._next_ts()
            self.answers.append(body | {"channel": request.match_info["channel"], "ts": ts})
            self._changed.notify_all()
        return web.Response(text="ok")

    # ------------------------------------------------------------------------ requests

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        body = await _arguments(request)
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        sent_token = bearer or str(body.get("token", ""))
        return await self._answer(
            method, body, request, lambda stored: self._run(method, body, sent_token, stored=stored)
        )

    async def _webhook(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["rest"]
        try:
            body = json.loads(await request.text())
        except ValueError:
            return web.Response(status=400, text="invalid_payload")
        return await self._answer(
            "webhook", body, request, lambda _: self._run_webhook(path, body), bare=True
        )

    async def _answer(
        self,
        method: str,
        body: Json,
        request: web.Request,
        run: Callable[[bool], Json],
        *,
        bare: bool = False,
    ) -> web.StreamResponse:
        """Do what was asked, or what the script says instead."""
        name = self._scripts[method].popleft() if self._scripts[method] else self._draw()
        fault = faults.named(name or "ok")
        answer: Json = {"ok": True}
        error, status, headers = "", 200, {}
        self._tell_witness(method, "before")
        if fault is None or fault.done:
            try:
                answer = run(fault is not None)
            except Refused as refused:
                error = refused.error
                status = refused.more.pop("status", 200)
                headers = refused.more.pop("headers", {})
                answer = {"ok": False, "error": error, **refused.more}
        self._note(method, body, name, error)
        self._tell_witness(method, "after")
        await self._notify()
        if fault is not None and fault.end == "late":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), fault.seconds)
        elif fault is not None:
            return await self._fail(fault, request)
        if bare:
            return web.Response(status=status, text=error or "ok", headers=headers)
        scopes = {"x-oauth-scopes": ",".join(self.scopes)}
        return web.json_response(answer, status=status, headers={**scopes, **headers})

    def _tell_witness(self, method: str, when: str) -> None:
        if self.witness is not None:
            self.witness(method, when)

    def _note(self, method: str, body: Json, fault: str, error: str) -> None:
        channel = str(body.get("channel", ""))
        call = Call(method=method, channel=channel, fault=fault, error=error, body=body)
        self.calls.append(call)

    async def _fail(self, fault: faults.Fault, request: web.Request) -> web.StreamResponse:
        if fault.end == "hang":
            await self._closing.wait()
        if fault.end in {"hang", "drop"}:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return web.Response(
            status=fault.status,
            text=fault.body,
            content_type=fault.content_type,
            headers=fault.headers,
        )

    def _run(self, method: str, body: Json, token: str, *, stored: bool) -> Json:
        handlers: dict[str, tuple[Callable[[Json], Json], str | None]] = {
            "auth.test": (self._auth_test, None),
            "chat.postMessage": (self._post, "chat:write"),
            "chat.update": (self._update, "chat:write"),
            "conversations.history": (self._history, "history"),
            "conversations.replies": (self._replies, "history"),
            "conversations.list": (self._list, "read"),
            "conversations.info": (self._info, "read"),
            "users.info": (self._user, "users:read"),
            "files.getUploadURLExternal": (self._place_file, "files:write"),
            "files.completeUploadExternal": (self._complete_file, "files:write"),
        }
        if method == "blocks.validate":
            return self._validate(body)
        if not token:
            raise Refused("not_authed")
        if method == "apps.connections.open":
            return self._open_connection(token)
        if token != self.token:
            raise Refused("invalid_auth")
        if method not in handlers:
            raise Refused("unknown_method", req_method=method)
        run, scope = handlers[method]
        if calls := TIERS.get(method):
            self._take_token(method, rate=calls / 60, most=calls)
        for needed in self._needed(scope, body):
            if needed not in self.scopes:
                raise Refused("missing_scope", needed=needed, provided=",".join(self.scopes))
        answer = run(body)
        if stored and method == "chat.postMessage":
            self._lagging.add(answer["ts"])
        return answer

    def _needed(self, scope: str | None, body: Json) -> list[str]:
        """The scopes of a call: reading asks by the kind of channel."""
        if scope is None:
            return []
        if scope in {"chat:write", "files:write", "users:read"}:
            return [scope]
        if "types" in body:
            kinds = {"public_channel": "channels", "private_channel": "groups"}
            return [f"{kinds[kind]}:{scope}" for kind in str(body["types"]).split(",")]
        channel = self._find(str(body.get("channel", "")))
        return [f"{'groups' if channel and channel.private else 'channels'}:{scope}"]

    # ------------------------------------------------------------------------ methods

    def _auth_test(self, _: Json) -> Json:
        return {
            "ok": True,
            "url": "https://double.slack.com/",
            "team": "Double",
            "team_id": "T0",
            "user": "monitor",
            "user_id": "U0BOT",
            "bot_id": "B0BOT",
        }

    def _post(self, body: Json) -> Json:
        channel = self._find(str(body.get("channel", "")))
        if channel is None or (channel.private and not channel.member):
            raise Refused("channel_not_found")
        if channel.archived:
            raise Refused("is_archived")
        if not channel.member and "chat:write.public" not in self.scopes:
            raise Refused("not_in_channel")
        self._check(body)
        self._check_thread(channel, body.get("thread_ts"))
        self._take_token(channel.id)
        kept: Json = {
            key: body[key] for key in ("text", "blocks", "metadata", "thread_ts") if key in body
        }
        if "thread_ts" in body and _true(body.get("reply_broadcast")):
            kept["subtype"] = "thread_broadcast"  # as history shows it
        ts = self._store(channel, {**kept, "bot_id": "B0BOT", "user": "U0BOT"})
        return {"ok": True, "channel": channel.id, "ts": ts, "message": kept | {"ts": ts}}

    def _update(self, body: Json) -> Json:
        channel = self._by_id(body)  # a name will not do
        message = next((row for row in channel.messages if row["ts"] == body.get("ts")), None)
        if message is None:
            raise Refused("message_not_found")
        if message.get("bot_id") != "B0BOT":
            raise Refused("cant_update_message")
        self._check(body, update=True)
        message["text"] = body.get("text") or message.get("text", "")
        message["blocks"] = body.get("blocks", [])  # left out, they are gone
        if "metadata" in body:
            message["metadata"] = body["metadata"]
        message["edited"] = {"user": "U0BOT", "ts": self._next_ts()}
        return {"ok": True, "channel": channel.id, "ts": message["ts"], "text": message["text"]}

    def _history(self, body: Json) -> Json:
        channel = self._readable(body)
        rows = [
            row
            for row in channel.messages
            if (row.get("thread_ts") is None or row.get("subtype") == "thread_broadcast")
            and _within(row["ts"], body)
        ]
        if self.history_lag > 0 and self._lagging:
            self.history_lag -= 1
            rows = [row for row in rows if row["ts"] not in self._lagging]
        rows = [row for row in rows if self._is_indexed(row)]
        return self._page([_shown(row, body) for row in reversed(rows)], body, "messages", 999)

    def _replies(self, body: Json) -> Json:
        channel = self._readable(body)
        parent = body.get("ts")
        if all(row["ts"] != parent for row in channel.messages):
            raise Refused("thread_not_found")
        rows = [
            row
            for row in channel.messages
            if row["ts"] == parent
            or (
                row.get("thread_ts") == parent
                and _within(row["ts"], body)
                and self._is_indexed(row)
            )
        ]
        return self._page([_shown(row, body) for row in rows], body, "messages", 999)

    def _is_indexed(self, row: Json) -> bool:
        return self.history_delay <= 0 or self._now() - float(row["ts"]) >= self.history_delay

    def _list(self, body: Json) -> Json:
        types = str(body.get("types", "public_channel")).split(",")
        rows = [
            channel.row()
            for channel in self._channels.values()
            if ("private_channel" if channel.private else "public_channel") in types
            and (channel.member or not channel.private)
            and not (channel.archived and _true(body.get("exclude_archived")))
        ]
        return self._page(rows, body, "channels", 1000)

    def _info(self, body: Json) -> Json:
        channel = self._by_id(body)
        return {"ok": True, "channel": channel.row()}

    def _user(self, body: Json) -> Json:
        if body.get("user") not in self.users:
            raise Refused("user_not_found")
        return {"ok": True, "user": self.users[body["user"]]}

    def _place_file(self, body: Json) -> Json:
        key = f"F{len(self.files) + 1:08d}"
        self.files[key] = {"name": body["filename"], "length": int(body["length"]), "ready": False}
        return {
            "ok": True,
            "upload_url": self.url.removesuffix("api/") + f"upload/{key}",
            "file_id": key,
        }

    async def _take_file(self, request: web.Request) -> web.Response:
        file = self.files.get(request.match_info["file"])
        content = await request.read()
        if file is None or len(content) != file["length"]:
            return web.Response(status=400, text="wrong length")
        file["content"] = content
        return web.Response(text=f"OK - {len(content)}")

    def _complete_file(self, body: Json) -> Json:
        wanted = body["files"]
        rows = json.loads(wanted) if isinstance(wanted, str) else wanted
        for row in rows:
            file = self.files.get(row["id"])
            if file is None or "content" not in file:
                raise Refused("file_not_found")
            file["ready"] = True
            file["lag"] = self.file_lag
        return {"ok": True, "files": [{"id": row["id"]} for row in rows]}

    def _open_connection(self, token: str) -> Json:
        if token == self.token:
            raise Refused("not_allowed_token_type")
        if token != self.app_token:
            raise Refused("invalid_auth")
        link = self.url.removesuffix("api/").replace("http://", "ws://") + "link/"
        return {"ok": True, "url": f"{link}?ticket={self.sockets.ticket()}"}

    def _validate(self, body: Json) -> Json:
        blocks = body.get("blocks") or []
        wrong = limits.block_errors(json.loads(blocks) if isinstance(blocks, str) else blocks)
        if wrong:
            raise Refused("invalid_blocks", errors=wrong)
        return {"ok": True}

    def _run_webhook(self, path: str, body: Json) -> Json:
        if path not in self._hooks:
            raise Refused("no_service", status=404)
        channel = self._channels[self._hooks[path]]
        if channel.archived:
            raise Refused("channel_is_archived", status=410)
        found = limits.message_error(body)
        if found:
            raise Refused(found[0], status=400)
        self._take_token(channel.id)
        self._store(channel, {key: body[key] for key in ("text", "blocks") if key in body})
        return {"ok": True}

    # ------------------------------------------------------------------------ parts

    def _check(self, body: Json, *, update: bool = False) -> None:
        found = limits.message_error(body, update=update)
        if found:
            error, details = found
            raise Refused(error, errors=details, response_metadata={"messages": details})
        for block in body.get("blocks") or ():
            key = block.get("slack_file", {}).get("id")
            if key is None:
                continue
            file = self.files.get(key, {})
            if not file.get("ready") or file["lag"] > 0:
                file["lag"] = file.get("lag", 0) - 1
                words = ["[ERROR] invalid slack file [json-pointer:/blocks/0/slack_file]"]
                raise Refused("invalid_blocks", errors=words, response_metadata={"messages": words})

    @staticmethod
    def _check_thread(channel: Channel, parent: str | None) -> None:
        """Only what is no reply itself can be answered."""
        if parent is None:
            return
        root = next((row for row in channel.messages if row["ts"] == parent), None)
        if root is None:
            raise Refused("thread_not_found")
        if "thread_ts" in root:
            raise Refused("cannot_reply_to_message")

    def _take_token(self, key: str, *, rate: float = 1.0, most: float = BURST) -> None:
        if not self.rate_limited:
            return
        now = self._monotonic()
        bucket = self._buckets.setdefault(key, Bucket(most, now))
        if wait := bucket.wait(now, rate, most):
            raise Refused("ratelimited", status=429, headers={"Retry-After": str(wait)})

    def _readable(self, body: Json) -> Channel:
        channel = self._by_id(body)
        if not channel.member:
            raise Refused("channel_not_found" if channel.private else "not_in_channel")
        return channel

    def _by_id(self, body: Json) -> Channel:
        channel = self._channels.get(str(body.get("channel", "")))
        if channel is None:
            raise Refused("channel_not_found")
        return channel

    def _find(self, wanted: str) -> Channel | None:
        if wanted in self._channels:
            return self._channels[wanted]
        name = wanted.removeprefix("#")
        return next((row for row in self._channels.values() if row.name == name), None)

    def _channel(self, wanted: str) -> Channel:
        channel = self._find(wanted)
        assert channel is not None, f"no channel {wanted}"
        return channel

    def _store(self, channel: Channel, message: Json) -> str:
        ts = self._next_ts()
        channel.messages.append({"type": "message", **message, "ts": ts})
        return ts

    def _next_ts(self) -> str:
        """Unique and rising: a microsecond later than the last if the clock stands still."""
        self._last_ts = max(round(self._now(), 6), round(self._last_ts + 1e-6, 6))
        return f"{self._last_ts:.6f}"

    @staticmethod
    def _page(rows: list[Json], body: Json, name: str, most: int) -> Json:
        try:
            limit = int(body.get("limit") or 100)
            start = int(str(body.get("cursor") or "page:0").removeprefix("page:"))
        except ValueError:
            raise Refused("invalid_cursor") from None
        if not 1 <= limit <= most:
            raise Refused("invalid_limit")
        more = start + limit < len(rows)
        cursor = f"page:{start + limit}" if more else ""
        return {
            "ok": True,
            name: rows[start : start + limit],
            "has_more": more,
            "response_metadata": {"next_cursor": cursor},
        }

    async def _listing(self, _: web.Request) -> web.Response:
        rows = {channel.name: channel.messages for channel in self._channels.values()}
        return web.json_response(rows)


async def _arguments(request: web.Request) -> Json:
    """Arguments as Slack takes them: query, form or JSON."""
    body: Json = dict(request.query)
    if request.content_type == "application/json":
        body |= json.loads(await request.text() or "{}")
    elif request.method == "POST":
        body |= dict(await request.post())
    return body


def _within(ts: str, body: Json) -> bool:
    inclusive = _true(body.get("inclusive"))
    at, oldest = float(ts), float(body.get("oldest") or 0)
    latest = float(body.get("latest") or "inf")
    return oldest < at < latest or (inclusive and at in {oldest, latest})


def _shown(row: Json, body: Json) -> Json:
    """A message as history shows it: metadata only for those who ask."""
    shown = copy.deepcopy(row)
    if "metadata" in shown and not _true(body.get("include_all_metadata")):
        del shown["metadata"]["event_payload"]
    return shown


def _true(value: Any) -> bool:
    return str(value).lower() in {"1", "true"}
