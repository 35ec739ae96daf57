"""What an analyst does at the desk, in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.journeys.desk import accessible, desk, reading

pytestmark = pytest.mark.timeout(90)

TRUCE = '[[watch]]\nname = "Truce"\nterms = ["ceasefire"]\nchannel = "#newsdesk"\n'


async def test_an_empty_desk_says_what_to_do(tmp_path: Path, sqlite_url: str) -> None:
    """First start: every page stands, in light and dark, says what is missing, and how to begin."""
    async with desk(tmp_path, sqlite_url) as at:
        for dark in (False, True):
            async with reading(at, dark=dark) as page:
                await page.goto("/")
                sections = page.get_by_role("navigation").get_by_role("link")
                paths = [await link.get_attribute("href") for link in await sections.all()]
                assert len(paths) >= 2
                for path in paths:
                    answer = await page.goto(path or "/")
                    assert answer is not None
                    assert answer.status == 200, path
                    await expect(page.locator("h1")).to_have_count(1)
                    assert await page.locator("main .empty").count() >= 1, path
                    await accessible(page)
