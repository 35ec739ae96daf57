"""The front page's questions, on either database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.model import Deed, DeliveryState, StoryId, Watch
from monitor.ports import Marks, Sought, Standing
from monitor.storage import SqlReports, SqlStore
from monitor.storage import now as storage_now
from tests.contracts.archive import Archive
from tests.contracts.material import CEASEFIRE, NOW

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FLOODS = Watch(name="Floods", terms=("flood",))


def headlines(page) -> list[str]:
    return [row.lead.title for row in page.rows]


@pytest.fixture
def archive() -> Archive:
    made = Archive()
    made.watch(CEASEFIRE, NOW)
    made.watch(FLOODS, NOW)
    return made


async def walked(reports: SqlReports, sought: Sought, limit: int) -> list[list[str]]:
    pages, before = [], None
    while True:
        page = await reports.news.page(sought, limit, before=before)
        pages.append(headlines(page))
        if page.earlier is None:
            return pages
        before = page.earlier


async def test_what_was_found_last_comes_first_and_each_story_once(
    store: SqlStore, archive: Archive
):
    """Over all pages, though its hits are on many of them."""
    stories = [archive.story(NOW) for _ in range(4)]
    for minute, number in enumerate((0, 1, 0, 2, 3, 0, 1)):
        archive.article(
            NOW + minute * MINUTE, CEASEFIRE.name, story=stories[number], title=f"s{number}"
        )
    archive.article(NOW + HOUR, title="nothing was found")
    await archive.save(store)
    reports = SqlReports(store)
    assert await walked(reports, Sought(), 10) == [["s1", "s0", "s3", "s2"]]
    assert await walked(reports, Sought(), 2) == [["s1", "s0"], ["s3", "s2"]]
    assert await walked(reports, Sought(), 1) == [["s1"], ["s0"], ["s3"], ["s2"]]
