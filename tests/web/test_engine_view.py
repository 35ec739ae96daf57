"""How the engine stands is said where there is something to say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.model import Kind
from monitor.ports import EngineState, KindOfWork, Role, Workload
from monitor.storage import SqlReports, SqlStore
from monitor.web.engine_view import said
from tests.web.browser import browsing
from tests.web.samples import FixedHealth

IDLE = Workload(kinds=dict.fromkeys(Kind, KindOfWork()), workers=1)
BUSY = Workload(
    kinds=dict.fromkeys(Kind, KindOfWork())
    | {
        Kind.POLL: KindOfWork(queued=1200, running=3, oldest=0.4),
        Kind.DELIVER: KindOfWork(running=1),
    },
    workers=3,
    processes=5,
)
COUNTED = "5 processes, 3 of them doing jobs; 4 jobs at work, 1,200 queued."


def state(load: Workload) -> EngineState:
    return EngineState(role=Role.WEB, is_leader=False, workload=load)


@pytest.mark.parametrize(
    ("load", "troubles"),
    [
        (BUSY, []),
        (replace(BUSY, is_led=False), ["No process keeps the clock"]),
        (replace(IDLE, is_led=False), ["No process keeps the clock"]),
        (
            replace(IDLE, kinds=IDLE.kinds | {Kind.INGEST: KindOfWork(running=2, stalled=2)}),
            ["2 jobs are at work in processes that give no sign"],
        ),
        (
            replace(BUSY, kinds=BUSY.kinds | {Kind.DELIVER: KindOfWork(queued=1, oldest=190)}),
            ["Nobody does what is queued of deliver: the oldest waits for 3 min."],
        ),
    ],
)
def test_many_processes_are_counted_and_troubles_told(load: Workload, troubles: list[str]) -> None:
    """First how many there are, then what is wrong."""
    first, *rest = said(state(load))
    assert first.tone == "calm"
    assert [each.tone for each in rest] == ["bad"] * len(troubles)
    for each, trouble in zip(rest, troubles, strict=True):
        assert each.text.startswith(trouble)


def test_of_one_process_that_is_well_nothing_is_said() -> None:
    """As nearly everywhere."""
    assert said(state(IDLE)) == []


async def test_the_feeds_page_says_how_the_engine_stands(sqlite_store: SqlStore) -> None:
    """Only where there are many processes."""
    reports = SqlReports(sqlite_store)
    async with browsing(reports, FixedHealth(engine=state(BUSY))) as browser:
        page = await browser.get("/feeds")
    assert COUNTED in page.text
    async with browsing(reports) as browser:
        page = await browser.get("/feeds")
    assert "doing jobs" not in page.text
