"""No secret is told: a service to which every kind of secret was given, in all that it says.

Everything works once and fails once: Slack, a program's webhook, an address of Apprise, a feed, the
proxy, the database. What it prints at the most talkative level, and all that it answers, is searched.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from email.utils import formatdate
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest

from monitor.demo.slack import SlackDouble
from tests.conftest import PROJECT
from tests.journeys.test_life import PAGE, RSS, free_port
from tests.webserver import Reply, Request, WebServer, redirect

pytestmark = pytest.mark.timeout(120)

PLANTED = {
    "bot token": "xoxb-7-plantedbottoken",
    "app token": "xapp-1-plantedapptoken",
    "token of the page": "planted-web-token-0001",
    "token to read": "planted-read-token-0002",
    "secret of a webhook": "whsec_" + base64.b64encode(b"planted-webhook-secret-3").decode(),
    "password of an address": "plantedapprisepw4",
    "password of the proxy": "plantedproxypw5",
    "password of a feed": "plantedfeedpw6",
    "token of a feed": "plantedfeedtoken7",
    "password of the database": "planted/database@pw8",
}
CHATTY = """
import logging, sys
from monitor import telemetry
real = telemetry.set_up_logging
def chatty(style, **how):
    real("json", **{**how, "level": "DEBUG"})
    for name in (*telemetry._QUIET, "urllib3", "apprise"):
        logging.getLogger(name).setLevel(logging.DEBUG)
telemetry.set_up_logging = chatty
from monitor.__main__ import main
sys.argv[0] = "monitor"
main()
"""


def spellings(secret: str) -> Iterator[str]:
    """How a secret may be written where it is told."""
    yield from {secret, quote(secret, safe=""), secret.removeprefix("whsec_")}
    yield base64.b64encode(secret.encode()).decode().rstrip("=")
    yield base64.b64encode(f"reader:{secret}".encode()).decode().rstrip("=")


def told(text: str) -> set[str]:
    """The secrets that stand in a text."""
    return {
        name for name, secret in PLANTED.items() if any(each in text for each in spellings(secret))
    }


class Talkative:
    """A service, or a command, and everything that it prints."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.folder, self.env = folder, env
        self.said: list[str] = []
        self.process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []

    async def start(self, *args: str) -> None:
        """Begin."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-W", "ignore", "-c", CHATTY, *args),
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), **self.env},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self._readers = [
            asyncio.create_task(self._read(pipe))
            for pipe in (self.process.stdout, self.process.stderr)
            if pipe is not None
        ]

    async def _read(self, pipe: asyncio.StreamReader) -> None:
        while piece := await pipe.read(1 << 16):
            self.said.append(piece.decode("utf-8", "replace"))

    @property
    def text(self) -> str:
        return "".join(self.said)

    async def until(self, ready: Callable[[str], bool]) -> None:
        """Wait until it has said so."""
        async with asyncio.timeout(60):
            while not ready(self.text):
                assert self.process is not None
                assert self.process.returncode is None, self.text[-3000:]
                await asyncio.sleep(0.1)

    async def end(self, *, stop: bool = False) -> int:
        """Its status."""
        assert self.process is not None
        if stop and self.process.returncode is None:
            self.process.terminate()
        async with asyncio.timeout(30):
            status = await self.process.wait()
        await asyncio.gather(*self._readers)
        return status

    async def command(self, *args: str) -> int:
        """Run one to its end."""
        await self.start(*args)
        return await self.end()


ASKED = (
    "/", "/feeds", "/feeds/1", "/feeds/2", "/feeds/3", "/feeds/4", "/feeds.opml", "/status", "/metrics", "/healthz", "/readyz", "/watches",
    "/deliveries", "/stories", "/search?q=truce", "/follow", "/trends", "/api", "/api/v1/status", "/api/v1/feeds", "/api/v1/deliveries",
    "/api/v1/feeds/1", "/api/v1/articles?cursor=x", "/api/v1/nothing", "/nothing", "/hits.rss?key=wrong", "/websub/" + "a" * 43,
)  # fmt: skip


async def test_no_secret_is_told(tmp_path: Path) -> None:
    """Neither printed, nor logged at any level, nor answered to anybody."""
    port = free_port()
    token, read_token = PLANTED["token of the page"], PLANTED["token to read"]
    async with (
        WebServer() as server,
        SlackDouble(token=PLANTED["bot token"], app_token=PLANTED["app token"]) as slack,
    ):
        slack.add_channel("newsdesk")
        slack.add_channel("ops")
        base = server.url("").rstrip("/")
        seen: list[Request] = []
        feed = RSS.format(base=base, date=formatdate(usegmt=True))

        def rss(request: Request) -> Reply:
            seen.append(request)
            return Reply(feed, headers={"Content-Type": "application/rss+xml"})

        server.route("/rss", rss)
        server.route("/keyed", rss)
        server.route("/old", redirect(f"{base}/keyed?token={PLANTED['token of a feed']}", 301))
        server.route("/broken*", Reply("<html>broken", status=500))
        server.route("/ceasefire", Reply(PAGE, headers={"Content-Type": "text/html"}))
        server.route("/hook", [Reply(status=500), Reply(status=204)])
        server.route("/mail", [Reply(status=500), Reply(status=200)])
        slack.script("chat.postMessage", "fatal_error", "500")
        userinfo = f"reader:{PLANTED['password of a feed']}@"
        key = f"?token={PLANTED['token of a feed']}"
        (tmp_path / "feeds.toml").write_text(
            f'[monitor]\nlog = "json"\ndatabase = "sqlite:///{tmp_path}/monitor.db"\n'
            f'[fetch]\nallow = ["127.0.0.1"]\nspacing = "0"\n[web]\nport = {port}\n[alerts]\nmax_age = "off"\n'
            '[slack]\nchannel = "#newsdesk"\nops_channel = "#ops"\n'
            f'[[webhook]]\nname = "desk"\nurl = "{base}/hook"\n'
            '[[watch]]\nname = "Truce"\nterms = ["ceasefire"]\n'
            '[[watch]]\nname = "Program"\nterms = ["ceasefire"]\nchannel = "webhook:desk"\n'
            '[[watch]]\nname = "Mail"\nterms = ["ceasefire"]\nchannel = "apprise:mail"\n'
            f'[[feed]]\nname = "Keyed"\nurl = "{base}/keyed{key}"\n'
            f'[[feed]]\nname = "Broken"\nurl = "{base}/broken{key}"\n'
            f'[[feed]]\nname = "Moved"\nurl = "{base}/old{key}"\n'
            f'[[feed]]\nname = "Named"\nurl = "http://{userinfo}127.0.0.1:{server.port}/rss"\n',
            encoding="utf-8",
        )
        env = {
            "SLACK_BOT_TOKEN": PLANTED["bot token"],
            "SLACK_APP_TOKEN": PLANTED["app token"],
            "SLACK_API_URL": slack.url,
            "MONITOR_WEB_TOKEN": token,
            "MONITOR_WEB_READ_TOKEN": read_token,
            "MONITOR_WEBHOOK_DESK_SECRET": PLANTED["secret of a webhook"],
            "MONITOR_APPRISE_MAIL": f"json://u:{PLANTED['password of an address']}@127.0.0.1:{server.port}/mail",
            "MONITOR_PROXY": f"http://ann:{PLANTED['password of the proxy']}@127.0.0.1:{server.port}",
        }
        service = Talkative(tmp_path, env)
        await service.start("run")
        await service.until(
            lambda text: text.count('"alert.sent"') >= 3 or "alert.postponed" in text
        )
        await slack.wait_for(1, "newsdesk")
        with (tmp_path / "feeds.toml").open("a", encoding="utf-8") as file:
            file.write(f'[[feed]]\nname = "Wrong"\nurl = "ftp://{userinfo}x.example/{key}"\n')
        await service.until(lambda text: "config.rejected" in text)
        await slack.wait_for(1, "ops")
        answers = []
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as web:
            for headers in (
                {},
                {"Authorization": f"Bearer {token}"},
                {"Authorization": "Bearer wrong"},
            ):
                for path in ASKED:
                    async with web.get(path, headers=headers) as answer:
                        answers.append((path, str(answer.headers) + await answer.text()))
                        if path == "/feeds" and token in str(headers):
                            assert "Keyed" in answers[-1][1]
            login = {"token": token, "next": "/"}
            async with web.post("/login", data=login) as answer:
                answers.append(("/login", str(answer.headers) + await answer.text()))
        answers.append(("#ops", json.dumps(slack.messages("ops"))))
        assert await service.end(stop=True) == 0
        for command in (
            "doctor", "check", "status", "status --json", "feeds list", "feeds list --json",
        ):  # fmt: skip
            tool = Talkative(tmp_path, env)
            await tool.command(*command.split())
            answers.append((command, tool.text))
        assert any("Moved" in text and "***" in text for _, text in answers)
        there = {request.headers.get("authorization", "") for request in seen}
        assert any(each.startswith("Basic ") for each in there), "the feed's password was used"
        assert any(PLANTED["token of a feed"] in request.target for request in seen)
    assert "DEBUG" in service.text or '"debug"' in service.text
    assert told(service.text) == set(), service.text
    assert {path: told(text) for path, text in answers if told(text)} == {}


async def test_no_password_of_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    """The sentence says which host, and no more."""
    (tmp_path / "feeds.toml").write_text(
        '[web]\nenabled = false\n[[feed]]\nname = "F"\nurl = "https://news.example/rss"\n'
        '[[watch]]\nname = "W"\nterms = ["truce"]\n',
        encoding="utf-8",
    )
    password = quote(PLANTED["password of the database"], safe="")
    tool = Talkative(
        tmp_path, {"MONITOR_DATABASE_URL": f"postgresql://m:{password}@127.0.0.1:{free_port()}/m"}
    )
    assert await tool.command("once") != 0
    assert "127.0.0.1" in tool.text
    assert told(tool.text) == set(), tool.text
