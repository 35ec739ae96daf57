"""`monitor run` in processes of its own, for `bench.scale` and `bench.load`; and what its database says."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from bench._alerts_press import NETWORK
from bench._children import ROOT
from monitor.demo.slack import SlackDouble
from monitor.model import ArticleState
from monitor.storage import tables as t
from monitor.storage.address import read_address
from monitor.storage.engines import make_engines

LOOK: Final = 0.2
"""Seconds between two looks at the database."""
LATEST: Final = 600.0
"""Seconds after which it is given up."""

WAITING: Final = sa.select(sa.func.count()).where(t.article.c.state == ArticleState.NEW)
"""How many articles are to be read."""
_UNPOLLED = sa.select(sa.func.count()).where(t.feed.c.polled_at.is_(None))
_FEEDS = sa.select(sa.func.count()).select_from(t.feed)


def feeds_toml(printed_by: dict[str, Any], *fetch: str) -> str:
    """A configuration for what `bench._alerts_press` prints; `fetch`: lines of that table."""
    lines = ["[fetch]", f'allow = ["{NETWORK}"]', *fetch, "[web]", "enabled = false"]
    for number, word in enumerate(printed_by["watches"]):
        lines += ["[[watch]]", f'name = "{word}"', f'terms = ["{word}"]']
        lines += [f'channel = "#watch-{number}"']
    for number, url in enumerate(printed_by["feeds"]):
        lines += ["[[feed]]", f'name = "Feed {number}"', f'url = "{url}"']
        lines += [f'publisher = "Outlet {number}"']
    return "\n".join(lines) + "\n"


@contextmanager
def processes(
    roles: Sequence[str], folder: Path, url: str, slack: SlackDouble
) -> Iterator[Sequence[subprocess.Popen[bytes]]]:
    """`monitor run` in each of these roles, with the folder's `feeds.toml`; its log is there, too."""
    environment = {
        "PATH": os.environ["PATH"],
        "MONITOR_LOG": "json",
        "MONITOR_DATABASE_URL": url,
        "SLACK_BOT_TOKEN": slack.token,
        "SLACK_API_URL": slack.url,
    }
    running: list[subprocess.Popen[bytes]] = []
    with (folder / "log").open("ab") as log:
        try:
            for role in roles:
                command = [sys.executable, "-m", "monitor", "run", "--role", role]
                command += ["--config", str(folder / "feeds.toml")]
                started = subprocess.Popen(
                    command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=log
                )
                running.append(started)
            yield running
        finally:
            for each in running:
                each.terminate()
            for each in running:
                each.wait(30)


async def until(
    done: Callable[[], bool],
    running: Sequence[subprocess.Popen[bytes]],
    folder: Path,
    latest: float = LATEST,
) -> None:
    """Wait for it; who has died meanwhile, or is too slow, ends the benchmark with the log."""
    last = time.monotonic() + latest
    while not await asyncio.to_thread(done):
        if time.monotonic() > last or any(each.poll() is not None for each in running):
            raise SystemExit((folder / "log").read_text(encoding="utf-8")[-4000:])
        await asyncio.sleep(LOOK)


def asked(url: str, question: sa.Select[Any]) -> Any:
    """The one value that a database answers."""
    engines = make_engines(read_address(url))
    try:
        with engines.read.connect() as connection:
            return connection.execute(question).scalar_one()
    finally:
        engines.dispose()


def is_ready(url: str, feeds: int) -> bool:
    """Whether each feed was polled, and what it listed then read."""
    try:
        return (
            int(asked(url, _FEEDS)) == feeds
            and asked(url, _UNPOLLED) == 0
            and asked(url, WAITING) == 0
        )
    except sa.exc.DBAPIError:
        return False  # not made yet


def postmaster(url: str) -> int:
    """PostgreSQL's first process, of which all others are children; 0 without one."""
    if not url.startswith("postgresql"):
        return 0
    engines = make_engines(read_address(url))
    with engines.read.connect() as connection:
        backend = connection.execute(sa.select(sa.func.pg_backend_pid())).scalar_one()
        status = Path(f"/proc/{backend}/status").read_text(encoding="ascii")
    engines.dispose()
    found = re.search(r"^PPid:\s*(\d+)", status, re.MULTILINE)
    assert found is not None
    return int(found[1])
