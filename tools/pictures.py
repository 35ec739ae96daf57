"""Makes the pictures of docs/img/ from the demo: `make pictures`.

    python tools/pictures.py [--folder FOLDER] [--minutes N] [--of DESK SLACK]

The demo is played to its end, or one that was played is looked at (`--of`, its two addresses); somebody acknowledges an alert, and Chromium is asked for pictures of
each page of the desk, light and dark, and for what Slack shows. Needs Debian's chromium, or one that
$MONITOR_CHROMIUM names.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from PIL import Image
from playwright.async_api import Browser as PlaywrightBrowser
from playwright.async_api import Page, async_playwright

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "img"
MINUTES = 5
PORT = 8770
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
QUERY = "(truce OR ceasefire) AND Kashmir"
FEED = "SPA National Wire"
COLOURS = 192
MOST = 150_000
"""Bytes of a picture."""


class Browser:
    """Chromium, and a page of it for each picture."""

    def __init__(self, browser: PlaywrightBrowser) -> None:
        self._browser = browser

    @asynccontextmanager
    async def showing(
        self, url: str, width: int, height: int, *, scale: float = 1, dark: bool = False
    ) -> AsyncIterator[Page]:
        """A page as it is shown in a window of this size."""
        context = await self._browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=scale,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        page = await context.new_page()
        try:
            await page.goto(url)
            await asyncio.sleep(1)  # pictures and fonts
            yield page
        finally:
            await context.close()


async def take(page: Page, element: str, *, most: float = 100_000) -> Image.Image:
    """A picture of an element, of so many pixels from its top at most."""
    box = await page.locator(element).first.bounding_box()
    assert box is not None, element
    shot = await page.screenshot(
        clip={
            "x": box["x"],
            "y": box["y"],
            "width": box["width"],
            "height": min(box["height"], most),
        },
        full_page=True,
    )
    return Image.open(io.BytesIO(shot))


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser with an empty profile."""
    program = os.environ.get("MONITOR_CHROMIUM") or shutil.which("chromium")
    if program is None:
        sys.exit("There is no chromium here; $MONITOR_CHROMIUM may name one.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield Browser(browser)
        await browser.close()


@asynccontextmanager
async def demo(minutes: float) -> AsyncIterator[tuple[str, str]]:
    """The demo, played to its end within so many minutes; where its page is, and its Slack."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "monitor", "demo", "--minutes", str(minutes), "--port", str(PORT),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    addresses: list[str] = []
    try:
        async for line in process.stdout:
            words = line.decode()
            print(words, end="")
            if found := re.match(r"(?:The page|Its Slack): +(\S+)", words):
                addresses.append(found[1])
            if words.startswith("The story is told"):
                break
        await asyncio.sleep(5)  # what is on its way arrives
        desk, slack = addresses
        yield desk, slack
    finally:
        process.terminate()
        await process.communicate()


async def messages(slack: str) -> dict[str, list[dict[str, Any]]]:
    """All that was said, by channel."""
    async with aiohttp.ClientSession() as session, session.get(f"{slack}messages") as answer:
        rows: dict[str, list[dict[str, Any]]] = await answer.json()
        return rows


async def acknowledge(slack: str, ts: str) -> None:
    """Press the button, and wait until the message says so."""
    form = {"channel": "newsdesk", "ts": ts, "action": "see"}
    origin = {"Origin": slack.rstrip("/")}
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{slack}press", data=form, headers=origin) as answer:
            answer.raise_for_status()
        async with asyncio.timeout(20):
            while not await _is_seen(slack, ts):  # noqa: ASYNC110 over HTTP
                await asyncio.sleep(0.5)


async def _is_seen(slack: str, ts: str) -> bool:
    rows = (await messages(slack))["newsdesk"]
    return any(row["ts"] == ts and "seen by" in str(row["blocks"]) for row in rows)


def keep(path: Path, picture: Image.Image) -> None:
    """Save it, with as few colours as it takes to be small."""
    picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.name}: {picture.size}, {size:,} bytes")
    if size > MOST:
        sys.exit(f"{path.name} is larger than {MOST:,} bytes.")


async def take_all(desk: str, slack: str, folder: Path) -> None:
    """Take all of them."""
    said = await messages(slack)
    roots = [row for row in said["newsdesk"] if "thread_ts" not in row]
    replies = [row for row in said["newsdesk"] if "thread_ts" in row]

    def saying(words: str) -> str:
        return next(str(row["ts"]) for row in reversed(roots) if words in str(row["blocks"]))

    most = max(roots, key=lambda row: int((re.search(r"carried by (\d+)", str(row)) or [0, 0])[1]))
    spike = saying("Spike: ")
    corrected = next(row["thread_ts"] for row in replies if "Corrected" in row["text"])
    await acknowledge(slack, most["ts"])
    newsdesk = f"{slack}archives/newsdesk"
    async with chromium() as browser:
        for suffix, dark in (("", False), ("-dark", True)):
            for name, path, height in await pages(desk):
                async with browser.showing(f"{desk}{path}", 1280, height, dark=dark) as page:
                    keep(folder / f"{name}{suffix}.png", await take(page, "html", most=height))
            address = f"{newsdesk}/{corrected}"
            async with browser.showing(address, 1440, 900, dark=dark) as page:
                script = "e => e.scrollIntoView({block: 'start'})"
                await page.locator(f'[id="m{spike}"]').evaluate(script)
                shown = Image.open(io.BytesIO(await page.screenshot()))
                keep(folder / f"slack{suffix}.png", shown)
        async with browser.showing(newsdesk, 1000, 30_000, scale=1.5) as page:
            for name, ts in (
                ("root", most["ts"]),
                ("digest", saying("Daily digest")),
                ("spike", spike),
            ):
                keep(folder / f"{name}.png", await take(page, f'[id="m{ts}"]'))
        async with browser.showing(f"{newsdesk}/{corrected}", 1200, 3000, scale=1.5) as page:
            keep(folder / "thread.png", await take(page, "#thread"))
        async with browser.showing(f"{slack}archives/newsdesk-ops", 1000, 3000, scale=1.5) as page:
            keep(folder / "ops.png", await take(page, "#channel"))


async def pages(desk: str) -> list[tuple[str, str, int]]:
    """Of each picture of the desk its name, its path, and how many pixels of it are shown."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{desk}api/v1/stories?limit=100") as answer:
            stories = (await answer.json())["items"]
        async with session.get(f"{desk}api/v1/feeds?limit=100") as answer:
            feeds = (await answer.json())["items"]
    story = max(stories, key=lambda each: int(each["articles"]))["id"]
    feed = next(each["id"] for each in feeds if each["name"] == FEED)
    return [
        ("page", "", 1240),
        ("story", f"stories/{story}", 1240),
        ("trace", f"stories/{story}/why?watch=Kashmir", 1100),
        ("search", f"search?{urlencode({'q': QUERY})}", 1000),
        ("trends", "trends", 1240),
        ("watches", "watches", 760),
        ("watch", "watches/Ceasefire", 1000),
        (
            "try",
            f"watches/try?{urlencode({'kind': 'query', 'text': QUERY, 'name': 'Truce'})}",
            1150,
        ),
        ("feeds", "feeds", 1000),
        ("feed", f"feeds/{feed}", 1100),
        ("firsts", "feeds/firsts", 620),
        ("deliveries", "deliveries", 900),
    ]


async def main() -> None:
    """Play, then look."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="that the demo is played in")
    parser.add_argument("--of", nargs=2, metavar=("DESK", "SLACK"), help="one that was played")
    options = parser.parse_args()
    if options.of:
        await take_all(*options.of, options.folder)
        return
    async with demo(options.minutes) as (desk, slack):
        await take_all(desk, slack, options.folder)


if __name__ == "__main__":
    asyncio.run(main())
