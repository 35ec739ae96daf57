"""The workspace as a page: its channels, what is in one of them, a thread; and hands to press with.

Everything works without a script but that the page follows what happens; `static/live.js` does that.
It is served on loopback, to whoever sits at the machine: what they press or type goes through the
double's WebSocket as it would from Slack.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

import jinja2
from aiohttp import web
from markupsafe import Markup

from monitor.demo.slack.rendering import Reader, body_html

if TYPE_CHECKING:
    from monitor.demo.slack.server import Channel, SlackDouble

Json = dict[str, Any]

YOU: Final = "U0YOU"
"""The id of whoever looks at the page."""

KEEP_ALIVE: Final = 15.0
"""Seconds after which a stream of news says that it is still there."""
BREATH: Final = 0.5
"""Seconds between two pieces of news: the page is asked for again after each."""

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

STATIC: Final = {"slack.css": "text/css", "live.js": "text/javascript"}

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("monitor.demo.slack"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A message as the page has it."""

    ts: str
    by: str
    is_app: bool
    at: datetime
    day: str
    body: Markup
    edited: bool
    thread: str  # ts of the message whose thread is its own, or that it is in
    replies: int = 0
    last_reply: str = ""
    replied_to: str = ""  # of what is shown in the channel, too: the message it answers
    broadcast: bool = False
    private: bool = False  # for the eyes of whoever looks alone


def in_channel(channel: Channel, answers: Sequence[Json], reader: Reader) -> list[Shown]:
    """What stands in a channel, newest last: messages, replies that are shown there, answers."""
    rows = channel.messages
    roots = {row["ts"]: row for row in rows if "thread_ts" not in row}
    shown = [
        _shown(row, rows, roots, channel.id, reader)
        for row in rows
        if "thread_ts" not in row or row.get("subtype") == "thread_broadcast"
    ]
    private = [each for each in answers if each["channel"] == channel.id]
    shown += [_shown(each, (), {}, channel.id, reader, private=True) for each in private]
    return sorted(shown, key=lambda each: float(each.ts))


def in_thread(channel: Channel, root: str, reader: Reader) -> list[Shown]:
    """A message and what was said below it; nothing if there is no such message."""
    rows = [each for each in channel.messages if root in {each["ts"], each.get("thread_ts")}]
    if all(row["ts"] != root for row in rows):
        return []
    return [_shown(row, (), {}, channel.id, reader) for row in rows]


def _shown(
    row: Json,
    rows: Sequence[Json],
    roots: dict[str, Json],
    channel: str,
    reader: Reader,
    *,
    private: bool = False,
) -> Shown:
    replies = [each for each in rows if each.get("thread_ts") == row["ts"]]
    at = reader.at(float(row["ts"]))
    root = roots.get(row.get("thread_ts", ""), {})
    is_app = private or "bot_id" in row or "user" not in row
    last = reader.at(float(replies[-1]["ts"])) if replies else at
    return Shown(
        ts=row["ts"],
        by="monitor" if is_app else reader.names.get(row["user"], row["user"]),
        is_app=is_app,
        at=at,
        day=reader.day(at).capitalize(),
        body=Markup(body_html(row, reader, channel)),  # noqa: S704 escaped there, word by word
        edited="edited" in row,
        thread=str(row.get("thread_ts", row["ts"])),
        replies=len(replies),
        last_reply=f"{reader.day(last)} at {last:%H:%M}",
        replied_to=_title(root) if root else "",
        broadcast=row.get("subtype") == "thread_broadcast",
        private=private,
    )


def _title(message: Json) -> str:
    """The first bold words of a message."""
    for block in message.get("blocks", ()):
        for part in block.get("elements", ()):
            for each in part.get("elements", ()):
                if each.get("style", {}).get("bold"):
                    return str(each["text"])
    return str(message.get("text", ""))


class Page:
    """Serves a workspace as a page, below ``/``. `zone`: the reader's clock, None the machine's."""

    def __init__(self, slack: SlackDouble, *, zone: tzinfo | None = None) -> None:
        self._slack = slack
        self._zone = zone

    def routes(self) -> Iterator[web.RouteDef]:
        """Where everything is."""
        for method, path, handle in (
            ("GET", "/", self._home),
            ("GET", "/files/{file}", self._file),
            ("GET", "/static/{name}", self._asset),
            ("GET", "/events", self._events),
            ("GET", "/archives/{channel}", self._show),
            ("GET", "/archives/{channel}/{thread}", self._show),
            ("POST", "/press", self._press),
            ("POST", "/say", self._say),
        ):
            yield web.route(method, path, _guarded(handle))

    async def _home(self, _: web.Request) -> web.StreamResponse:
        first = next(iter(self._slack.channels()), None)
        if first is None:
            return web.Response(text="A workspace without channels.")
        raise web.HTTPSeeOther(f"/archives/{quote(first.name)}")

    async def _show(self, request: web.Request) -> web.StreamResponse:
        channel = self._known(request.match_info["channel"])
        reader = self._reader()
        thread = request.match_info.get("thread", "")
        below = in_thread(channel, thread, reader) if thread else []
        if thread and not below:
            raise web.HTTPNotFound
        text = _ENVIRONMENT.get_template("workspace.html").render(
            channels=[each for each in self._slack.channels() if not each.archived],
            channel=channel,
            messages=in_channel(channel, self._slack.answers, reader),
            thread=thread,
            below=below,
            you=reader.names.get(YOU),
        )
        return web.Response(text=text, content_type="text/html")

    def _reader(self) -> Reader:
        names = {
            key: str(user["profile"]["display_name"]) for key, user in self._slack.users.items()
        }
        return Reader(
            now=datetime.fromtimestamp(self._slack.now(), UTC), zone=self._zone, names=names
        )

    def _known(self, name: str) -> Channel:
        channel = next(
            (each for each in self._slack.channels() if name in {each.id, each.name}), None
        )
        if channel is None:
            raise web.HTTPNotFound
        return channel

    async def _file(self, request: web.Request) -> web.StreamResponse:
        content = self._slack.files.get(request.match_info["file"], {}).get("content")
        if content is None:
            raise web.HTTPNotFound
        return web.Response(body=content, content_type="image/png")

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in STATIC:
            raise web.HTTPNotFound
        words = (resources.files("monitor.demo.slack") / "static" / name).read_text("utf-8")
        return web.Response(text=words, content_type=STATIC[name])

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """A line whenever something has changed (server-sent events)."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"} | HEADERS
        )
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):  # who looked has gone
            while not self._slack.is_closing:
                try:
                    await self._slack.until_something(KEEP_ALIVE)
                    await response.write(b"data: changed\n\n")
                except TimeoutError:
                    await response.write(b": still here\n\n")
                await asyncio.sleep(BREATH)
        return response

    async def _press(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        channel = self._known(str(form.get("channel", "")))
        ts, action = str(form.get("ts", "")), str(form.get("action", ""))
        try:
            await self._slack.press(channel.name, ts, action, user=YOU)
        except LookupError:
            raise web.HTTPConflict(text="That button is gone: the message has changed.") from None
        raise web.HTTPSeeOther(f"/archives/{quote(channel.name)}#m{ts}")

    async def _say(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        channel, words = (
            self._known(str(form.get("channel", ""))),
            str(form.get("words", "")).strip(),
        )
        command, _, rest = words.partition(" ")
        if command == "/monitor":
            await self._slack.command(channel.name, rest.strip(), user=YOU)
        elif words:
            self._slack.say(channel.name, escape(words, quote=False), user=YOU)
        raise web.HTTPSeeOther(f"/archives/{quote(channel.name)}")


def _guarded(handle: Any) -> Any:
    """Only who calls this machine by its own name is answered, and only its own forms are taken."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        if request.url.host not in {"127.0.0.1", "localhost"}:
            raise web.HTTPMisdirectedRequest
        origin = urlsplit(request.headers.get("Origin", ""))
        if request.method == "POST" and origin.netloc != request.host:
            raise web.HTTPForbidden(text="A form of this page, please.")
        try:
            response: web.StreamResponse = await handle(request)
        except web.HTTPException as error:
            error.headers.update(HEADERS)
            raise
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    return guarded
