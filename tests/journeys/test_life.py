"""The program as its operator runs it: start, edit, break, stop, start again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from email.utils import formatdate
from pathlib import Path

import aiohttp
import pytest

from monitor.demo.slack import SlackDouble
from tests.conftest import PROJECT
from tests.webserver import Reply, WebServer

pytestmark = pytest.mark.timeout(90)

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>Courier</title>
<item><guid>1</guid><title>Ceasefire announced along the line</title>
<link>{base}/ceasefire</link><pubDate>{date}</pubDate><description>Both sides agreed to a cease-fire.</description></item>
</channel></rss>"""
PAGE = """<html lang="en"><head><title>Ceasefire announced along the line</title></head><body>
<article><h1>Ceasefire announced along the line</h1>
<p>Both sides agreed on Saturday to a cease-fire along the disputed line, officials said, after
four days of shelling that emptied villages on either side of the valley and closed the roads.</p>
<p>The two directors of operations will speak again on Monday, a spokesman told reporters, and the
bridges are to open to lorries carrying food and medicine before the end of the week.</p>
</article></body></html>"""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Operator:
    """A folder with a feeds.toml, and the commands run in it."""

    def __init__(self, folder: Path, server: WebServer) -> None:
        self.folder = folder
        self.server = server
        self.port = free_port()
        self.config = folder / "feeds.toml"
        self.write("ceasefire")

    def write(self, term: str, *, extra: str = "") -> None:
        new = self.folder / "feeds.toml.new"
        new.write_text(
            f'[fetch]\nallow = ["127.0.0.1"]\n[web]\nport = {self.port}\n'
            # what the feed holds from the start is told, too, and nothing but alerts
            '[alerts]\nmax_age = "off"\nbackfill = "off"\n'
            f'[[watch]]\nname = "Truce"\nterms = ["{term}"]\n'
            f'[[feed]]\nname = "Courier"\nurl = "{self.server.url("/rss")}"\n{extra}',
            encoding="utf-8",
        )
        new.replace(self.config)  # as editors save

    async def start(self, *args: str, **env: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "monitor",
            *args,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), "MONITOR_LOG": "json"}
            | env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def command(self, *args: str, **env: str) -> tuple[int, str, str]:
        process = await self.start(*args, **env)
        out, err = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    @asynccontextmanager
    async def running(self, **env: str):
        service = Running(await self.start("run", **env))
        try:
            await service.event("service.started")
            yield service
        finally:
            if service.process.returncode is None:
                service.process.kill()
            await service.process.communicate()


class Running:
    """A service at work and its log."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.log: list[dict] = []

    async def event(self, name: str, **fields: object) -> dict:
        """Read the log until this event."""
        assert self.process.stderr is not None
        async with asyncio.timeout(60):
            while line := await self.process.stderr.readline():
                try:
                    entry = json.loads(line)
                except ValueError:
                    entry = {"event": line.decode().rstrip()}  # a sentence on the way out
                self.log.append(entry)
                if entry["event"] == name and fields.items() <= entry.items():
                    return entry
        raise AssertionError(f"no {name} in {self.log}")

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        async with asyncio.timeout(12):
            return await self.process.wait()


@pytest.fixture
async def operator(tmp_path):
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(WebServer())
        feed = RSS.format(base=server.url("").rstrip("/"), date=formatdate(usegmt=True))
        server.route("/rss", Reply(feed, headers={"Content-Type": "application/rss+xml"}))
        server.route("/ceasefire", Reply(PAGE, headers={"Content-Type": "text/html"}))
        yield Operator(tmp_path, server)


async def test_an_alert_reaches_the_terminal_and_the_page(operator):
    """Without Slack the alert is printed; the page and the probes tell of it; Ctrl-C ends it."""
    async with operator.running() as service:
        await service.event("alert.sent")
        assert service.process.stdout is not None
        printed = (await service.process.stdout.readuntil(b"\n\n")).decode()
        assert "Ceasefire announced along the line" in printed
        async with aiohttp.ClientSession(f"http://127.0.0.1:{operator.port}") as web:
            page = await (await web.get("/")).text()
            assert "<mark>cease-fire</mark>" in page
            assert (await web.get("/healthz")).status == 200
            assert (await web.get("/readyz")).status == 200
            assert (
                'monitor_polls_total{outcome="read"} 1.0'
                in await (await web.get("/metrics")).text()
            )
        status, out, err = await operator.command("healthcheck")
        assert (status, err) == (0, "")
        assert "ticked" in out
        assert await service.stop(signal.SIGINT) == 0


async def test_after_a_stop_it_goes_on_where_it_was(operator):
    """SIGTERM ends it with 0; the next start neither polls early nor alerts again."""
    async with operator.running() as service:
        await service.event("alert.sent")
        assert await service.stop() == 0
    asked = len(operator.server.requests)
    async with operator.running() as service:
        assert await service.stop() == 0
    assert len(operator.server.requests) == asked
    assert not any(entry["event"].startswith("alert") for entry in service.log)


async def test_edits_are_applied_as_they_are_saved_and_mistakes_are_not(operator):
    """A bad file keeps the old configuration and is reported with its line; a good one replaces it."""
    operator.write("nothing of the kind")
    async with operator.running() as service:
        await service.event("article.ingested", hits=[])
        operator.write("truce", extra='colour = "red"\n')
        rejected = await service.event("config.rejected")
        assert "feeds.toml:14:1:" in rejected["mistake"]
        assert "colour" in rejected["mistake"]
        async with aiohttp.ClientSession(f"http://127.0.0.1:{operator.port}") as web:
            assert "feeds.toml:14:1" in await (await web.get("/")).text()
        status, _, err = await operator.command("healthcheck")
        assert (status, err) == (0, "")  # the service is well, whatever the file says
        operator.write("truce")
        applied = await service.event("config.applied")
        assert any("Truce" in change for change in applied["changes"])
        assert await service.stop() == 0


async def test_operators_hear_of_mistakes_in_their_channel(operator):
    """A rejected edit is told where the people who run it look, and so is its end."""
    async with SlackDouble() as slack:
        for name in ("newsdesk", "newsdesk-ops"):
            slack.add_channel(name)
        channels = '[slack]\nchannel = "#newsdesk"\nops_channel = "#newsdesk-ops"\n'
        operator.write("ceasefire", extra=channels)
        env = {"SLACK_BOT_TOKEN": slack.token, "SLACK_API_URL": slack.url}
        async with operator.running(**env) as service:
            await slack.wait_for(1, "newsdesk")
            operator.write("ceasefire", extra=channels + 'colour = "red"\n')
            [told] = await slack.wait_for(1, "newsdesk-ops")
            assert "feeds.toml:17:1" in told["text"]
            assert "colour" in told["text"]
            operator.write("truce", extra=channels)
            await service.event("notice.updated")
            [told] = slack.messages("newsdesk-ops")
            assert "was applied" in told["text"]
            assert "Truce" in told["text"]
            assert await service.stop() == 0
        assert len(slack.messages("newsdesk")) == 1


async def test_a_misspelt_channel_loses_nothing(operator):
    """Its alerts wait; the corrected name gets them."""
    async with SlackDouble() as slack:
        slack.add_channel("newsdesk")
        operator.write("ceasefire", extra='[slack]\nchannel = "#newsdsek"\n')
        env = {"SLACK_BOT_TOKEN": slack.token, "SLACK_API_URL": slack.url}
        async with operator.running(**env) as service:
            await service.event("alert.closed")
            operator.write("ceasefire", extra='[slack]\nchannel = "#newsdesk"\n')
            await slack.wait_for(1, "newsdesk")
            assert await service.stop() == 0


async def test_sighup_reads_the_configuration_again(operator):
    """For those who send it out of habit; nothing happens when nothing changed."""
    async with operator.running() as service:
        await service.event("alert.sent")
        service.process.send_signal(signal.SIGHUP)
        assert await service.stop() == 0


async def test_a_second_service_on_the_same_database_is_refused(operator):
    """One sentence that names the other process, and exit status 3."""
    async with operator.running() as service:
        status, _, err = await operator.command("run", MONITOR_WEB_PORT=str(free_port()))
        assert status == 3
        assert str(service.process.pid) in err
        assert "Traceback" not in err
        assert await service.stop() == 0


async def test_a_taken_port_is_one_sentence(operator):
    """The page's port belongs to another program: say so and what to do."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", operator.port))
        sock.listen()
        status, _, err = await operator.command("run")
    assert status == 1
    assert f"127.0.0.1:{operator.port}" in err
    assert "Traceback" not in err


async def test_once_does_everything_and_ends(operator):
    """Poll, ingest, alert, a line of totals; a second time there is nothing to do."""
    status, out, _ = await operator.command("once")
    assert status == 0
    assert "Ceasefire announced along the line" in out
    assert "1 article" in out.splitlines()[-1]
    asked = len(operator.server.requests)
    status, out, _ = await operator.command("once")
    assert status == 0
    assert "Ceasefire" not in out
    assert len(operator.server.requests) == asked


async def test_what_a_terminal_showed_is_not_said_to_be_in_a_channel(operator):
    """Without a token nothing reached Slack, and nothing claims so; with one it still can."""
    operator.write("ceasefire", extra='[slack]\nchannel = "#newsdesk"\n')
    await operator.command("once")
    _, out, _ = await operator.command("why", operator.server.url("/ceasefire"))
    assert "yes in terminal" in out
    assert "#newsdesk" not in out


async def test_why_tells_the_story_of_an_article(operator):
    """Seen, text, story, match and alert, stage by stage; and what to do about an unknown one."""
    await operator.command("once")
    link = operator.server.url("/ceasefire")
    status, out, _ = await operator.command("why", link + "?utm_source=x")
    assert status == 0
    assert "in Courier" in out
    assert "Truce: ceasefire" in out
    assert "yes in terminal" in out
    status, out, _ = await operator.command("why", operator.server.url("/other"))
    assert "Not seen" in out
    assert "Courier: live" in out
    status, _, err = await operator.command("why", "nonsense")
    assert status == 1
    assert "Traceback" not in err


async def test_status_for_people_and_machines(operator):
    """Totals and feeds, as a table and as JSON; before the first run, a sentence."""
    status, _, err = await operator.command("status")
    assert status == 3
    assert "monitor run" in err or "db upgrade" in err
    await operator.command("once")
    status, out, _ = await operator.command("status")
    assert status == 0
    assert "Courier" in out
    status, out, _ = await operator.command("status", "--json")
    assert json.loads(out)["feed"][0]["health"] == "live"


@pytest.mark.parametrize("command", [["run"], ["check"], ["once"], ["db", "upgrade"]])
async def test_a_bad_configuration_ends_every_command_with_its_mistakes(operator, command):
    """All mistakes at once, each with file, line and column, and exit status 2."""
    operator.config.write_text('[[feed]]\nurl = "ftp://x"\n[[wach]]\n', encoding="utf-8")
    status, _, err = await operator.command(*command)
    assert status == 2
    assert "feeds.toml:2:" in err
    assert "feeds.toml:3:" in err
    assert "watch" in err
    assert "Traceback" not in err


async def test_a_bad_configuration_keeps_nobody_from_looking(operator):
    """The service goes on with the old one: its state and its reasons can be asked for."""
    await operator.command("once")
    operator.write("ceasefire", extra='colour = "red"\n')
    status, out, err = await operator.command("status")
    assert (status, "has 1 mistake" in err) == (0, True)
    assert "Courier" in out
    status, out, _ = await operator.command("why", operator.server.url("/ceasefire"))
    assert status == 0
    assert "yes in terminal" in out


async def test_check_says_what_will_happen(operator):
    """How many watches and feeds, and where alerts go."""
    status, out, _ = await operator.command("check")
    assert status == 0
    assert "1 watch over 1 feed" in out
    assert "terminal" in out


@pytest.mark.parametrize("args", [["rnu"], ["why"], ["run", "--port"], ["db"], []])
async def test_a_wrong_command_gets_help_and_no_trace(operator, args):
    """Usage goes with a hint; nothing shows a stack trace."""
    status, out, err = await operator.command(*args)
    assert "Traceback" not in out + err
    assert "Usage" in out + err
    assert status in {0, 2}
