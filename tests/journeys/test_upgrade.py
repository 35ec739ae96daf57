"""Two versions at work on one database: the one of before, out of the project's history, and this one."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from monitor.demo.slack import SlackDouble
from monitor.storage.address import read_address
from tests.conftest import PROJECT
from tests.journeys.test_life import free_port
from tests.pipeline.conftest import page, report_from
from tests.test_rolling import FIRST, MIGRATIONS
from tests.webserver import Reply, WebServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

NEWEST = max(path.name for path in MIGRATIONS.glob("0*.py"))
OUTLETS = 4
PATIENCE = 120  # seconds: the machine may be busy


def version_before(migration: str, folder: Path) -> Path:
    """The program as it was before it had a migration (how its file begins), in a folder."""
    if shutil.which("git") is None or not (PROJECT / ".git").exists():
        pytest.skip("no version before this one: not a clone")

    def git(*args: str) -> bytes:
        found = subprocess.run(["git", "-C", str(PROJECT), *args], capture_output=True, check=False)
        return found.stdout if found.returncode == 0 else b""

    files = f":(glob)migrations/versions/{migration[:4]}*"
    added = git("log", "--diff-filter=A", "--format=%H", "-1", "--", files).decode().strip()
    tree = git("archive", "--format=tar", f"{added}^") if added else b""
    if not tree:
        pytest.skip("no version before this one: the clone is shallow, or holds it uncommitted")
    with tarfile.open(fileobj=io.BytesIO(tree)) as archive:
        archive.extractall(folder, filter="data")
    assert not list((folder / "migrations" / "versions").glob(f"{migration[:4]}*"))
    return folder


class Process:
    """One of the program's processes, and its log so far."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.process: asyncio.subprocess.Process

    def lines(self, event: str = "") -> list[dict[str, Any]]:
        """What it logged; a line that is none of ours is an error."""
        found = []
        for line in self.log.read_text(encoding="utf-8").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                found.append({"event": line, "level": "error"})
        return [each for each in found if not event or each["event"] == event]

    async def until(self, event: str, after: int = 0) -> None:
        """Wait for more than so many of an event."""
        async with asyncio.timeout(PATIENCE):
            while len(self.lines(event)) <= after:
                assert self.process.returncode is None, self.lines()[-3:]
                await asyncio.sleep(0.1)

    async def ends(self, with_signal: signal.Signals) -> int:
        self.process.send_signal(with_signal)
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()


class Desk:
    """Outlets on two hosts, a Slack, a PostgreSQL, and processes of two versions."""

    def __init__(self, folder: Path, url: str, server: WebServer, slack: SlackDouble) -> None:
        self.folder, self.url, self.server, self.slack = folder, url, server, slack
        self.processes: list[Process] = []
        self.printed: list[list[str]] = [[] for _ in range(OUTLETS)]
        lines = [
            '[fetch]\nallow = ["127.0.0.1", "localhost"]\nspacing = "0s"\n',
            '[alerts]\nmax_age = "off"\nflood = 1000\nbackfill = "off"\n[slack]\nchannel = "#newsdesk"\n',
            '[web]\nenabled = false\n[[watch]]\nname = "Truce"\nterms = ["ceasefire"]\n',
        ]
        for outlet in range(OUTLETS):
            base = server.url(f"/{outlet}.xml")
            base = base.replace("127.0.0.1", "localhost") if outlet % 2 else base
            lines.append(f'[[feed]]\nname = "Outlet {outlet}"\nurl = "{base}"\n')
            self._print(outlet)
        (folder / "feeds.toml").write_text("".join(lines), encoding="utf-8")

    def _print(self, outlet: int) -> None:
        items = "".join(
            f"<item><guid>{each}</guid><title>{headline(each)}</title>"
            f"<link>{self.server.url(f'/{each}')}</link></item>"
            for each in self.printed[outlet]
        )
        rss = f'<rss version="2.0"><channel><title>Outlet {outlet}</title>{items}</channel></rss>'
        answer = Reply(rss, headers={"Content-Type": "application/rss+xml"})
        self.server.route(f"/{outlet}.xml", answer)

    def news(self) -> None:
        """Each outlet prints an article, and is asked."""
        for outlet, printed in enumerate(self.printed):
            printed.append(name := f"o{outlet}n{len(printed)}")
            text = f"Ceasefire. {report_from(name)}"
            self.server.route(f"/{name}", page(headline(name), text))
            self._print(outlet)
        self.sql("UPDATE feed SET due_at = now() WHERE lease_until IS NULL", commit=True)

    @property
    def articles(self) -> list[str]:
        return [each for printed in self.printed for each in printed]

    async def told(self) -> None:
        """Wait until everything that was printed is shown."""
        async with asyncio.timeout(PATIENCE):
            await self.slack.wait_for(len(self.articles), "newsdesk")

    def sql(self, text: str, *, commit: bool = False) -> Sequence[Any]:
        engine = sa.create_engine(read_address(self.url).url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            found = connection.exec_driver_sql(text)
            rows = found.all() if found.returns_rows else []
            if commit:
                connection.commit()
        return rows

    @asynccontextmanager
    async def process(self, tree: Path) -> AsyncIterator[Process]:
        """`monitor run` of that tree, once it has started."""
        process = Process(self.folder / f"log{len(self.processes)}")
        with process.log.open("wb") as log:
            process.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "monitor", "run"),
                *("--config", str(self.folder / "feeds.toml")),
                cwd=tree,
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONPATH": str(tree),
                    "MONITOR_LOG": "json",
                    "MONITOR_DATABASE_URL": self.url,
                    "MONITOR_WEB_PORT": str(free_port()),
                    "SLACK_BOT_TOKEN": self.slack.token,
                    "SLACK_API_URL": self.slack.url,
                },
                stdout=asyncio.subprocess.DEVNULL,
                stderr=log,
            )
        self.processes.append(process)
        try:
            await process.until("service.started")
            yield process
        finally:
            if process.process.returncode is None:
                process.process.kill()
                await process.process.wait()


def headline(name: str) -> str:
    """Words of its own: no two articles are reports of one event."""
    return f"Item{name} brings ceasefire {name}"


@pytest.mark.parametrize("migration", sorted({NEWEST, FIRST}))
async def test_two_versions_at_once_lose_nothing_and_tell_nothing_twice(
    migration, tmp_path, empty_postgres_url
):
    """Two processes of before; new ones come and migrate; of the old one is killed, one is stopped."""
    before = version_before(migration, tmp_path / "before")
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(WebServer())
        slack = await stack.enter_async_context(SlackDouble())
        slack.add_channel("newsdesk")
        desk = Desk(tmp_path, empty_postgres_url, server, slack)
        start = lambda tree: stack.enter_async_context(desk.process(tree))  # noqa: E731
        old, older = await start(before), await start(before)
        [[was]] = desk.sql("SELECT version_num FROM alembic_version")
        assert was < migration
        desk.news()
        await desk.told()

        new = await start(PROJECT)  # which migrates, beside the two
        [[now]] = desk.sql("SELECT version_num FROM alembic_version")
        assert now == NEWEST[:4]
        read = {each: len(each.lines("article.ingested")) for each in (old, older, new)}
        for _ in range(20):
            desk.news()
            await desk.told()
            more = {each: len(each.lines("article.ingested")) - read[each] for each in read}
            if more[new] and more[old] + more[older]:
                break
        assert more[new], "the new version read nothing"
        assert more[old] + more[older], "the version of before read nothing any more"

        desk.news()
        await asyncio.sleep(0.5)  # anywhere in what follows
        await older.ends(signal.SIGKILL)
        await start(PROJECT)
        desk.news()
        await desk.told()
        assert await old.ends(signal.SIGTERM) == 0
        desk.news()
        await desk.told()
        with pytest.raises(AssertionError, match=NEWEST[:4]):  # too old for what is there by now
            await start(before)
        assert desk.processes.pop().process.returncode == 3
        for each in desk.processes[2:]:
            assert await each.ends(signal.SIGTERM) == 0

    shown = [row["text"] for row in slack.messages("newsdesk")]
    for name in desk.articles:
        assert sum(headline(name) in text for text in shown) == 1, name
    assert len(shown) == len(desk.articles)
    [[done]] = desk.sql("SELECT count(*) FROM article WHERE state = 'done'")
    assert done == len(desk.articles)
    for table in ("feed", "article", "delivery"):
        assert desk.sql(f"SELECT id FROM {table} WHERE lease_until > now()") == []
    for process in desk.processes:
        wrong = [
            line
            for line in process.lines()
            if (line.get("level") in {"error", "critical"} or "exception" in line)
            # what multiprocessing says beside the log when somebody was killed
            and not (process is older and "resource_tracker" in line["event"])
        ]
        assert wrong == []
