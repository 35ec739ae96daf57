"""The program while what it depends on hangs: Slack, the database, an operator's second name for it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.journeys.test_life import Operator, operator

__all__ = ["operator"]

pytestmark = pytest.mark.timeout(90)

QUIET = "nothing of the kind"


@contextmanager
def locked(operator: Operator, *before: str) -> Iterator[None]:
    """Another program writes to the database and does not come to an end."""
    path = operator.folder / "data" / "monitor.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        for statement in before:
            other.execute(statement)
        other.execute("BEGIN IMMEDIATE")
        yield


async def test_a_slack_that_hangs_keeps_neither_polls_nor_a_stop_waiting(operator):
    """Slack takes the first call and never answers: feeds are read, and SIGTERM ends it with 0."""
    asked = asyncio.Event()

    async def hang(_request):
        asked.set()
        await asyncio.Event().wait()

    operator.server.route("/api/*", hang)
    operator.write(QUIET, extra='[slack]\nchannel = "#newsdesk"\n')
    async with operator.running(
        SLACK_BOT_TOKEN="xoxb-1-2-abc",
        SLACK_API_URL=operator.server.url("/api/"),
    ) as service:
        await asked.wait()
        await service.event("article.ingested")
        assert not any(entry["event"].startswith("slack.") for entry in service.log)
        assert await service.stop() == 0


async def test_a_stop_does_not_wait_for_a_locked_database(operator):
    """Jobs that can't write give up in time; SIGTERM ends it with 0."""
    operator.write(QUIET)
    async with operator.running() as service:
        await service.event("article.ingested")
        with locked(operator, "UPDATE feed SET due_at = '2020-01-01T00:00:00.000000Z'"):
            await service.event("job.postponed")
            assert await service.stop() == 0


async def test_an_edit_is_applied_once_the_database_can_be_written_again(operator):
    """An edit while the database is locked ends nothing and is not forgotten."""
    operator.write(QUIET)
    async with operator.running() as service:
        await service.event("article.ingested")
        with locked(operator):
            operator.write("truce")
            await service.event("config.postponed")
        applied = await service.event("config.applied")
        assert any("Truce" in change for change in applied["changes"])
        assert await service.stop() == 0


async def test_a_symlink_to_the_database_is_the_same_database(operator):
    """A second program that comes by another name is refused all the same, with exit status 3."""
    async with operator.running() as service:
        await service.event("alert.sent")
        alias = operator.folder / "alias.db"
        alias.symlink_to(operator.folder / "data" / "monitor.db")
        status, _, err = await operator.command("once", MONITOR_DATABASE_URL=f"sqlite:///{alias}")
        assert status == 3
        assert str(service.process.pid) in err
        assert await service.stop() == 0
