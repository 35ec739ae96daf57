"""Makes the pictures of docs/img/ from the demo: `make pictures`.

The demo is played to its end, somebody acknowledges an alert, and Chromium is asked for pictures of
the page's parts, over its DevTools protocol. Needs Debian's chromium, or one that $CHROMIUM names.
"""

from __future__ import annotations

import asyncio
import base64
import io
import itertools
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from PIL import Image

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "img"
MINUTES = 5
PORT = 8770
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
COLOURS = 192
MOST = 150_000
"""Bytes of a picture."""


class Browser:
    """A page of Chromium."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """A command of the DevTools protocol, and what it answers."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            answer = await self._socket.receive_json(timeout=60)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return dict(answer["result"])

    async def show(self, url: str, width: int, height: int, scale: float, *, dark: bool) -> None:
        """Go to a page."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])
        await self.call("Page.navigate", url=url)
        await asyncio.sleep(1.5)

    async def scroll_to(self, element: str) -> None:
        """Have it at the top of what scrolls."""
        script = f"document.querySelector({element!r}).scrollIntoView({{block: 'start'}})"
        await self.call("Runtime.evaluate", expression=script)

    async def take(self, element: str, *, most: int = 100_000) -> Image.Image:
        """A picture of an element that is in sight, of so many pixels from its top at most."""
        script = f"JSON.stringify(document.querySelector({element!r}).getBoundingClientRect())"
        found = await self.call("Runtime.evaluate", expression=script)
        box = json.loads(found["result"]["value"])
        clip = {
            "x": box["x"],
            "y": box["y"],
            "width": box["width"],
            "height": min(box["height"], most),
            "scale": 1,
        }
        shot = await self.call("Page.captureScreenshot", format="png", clip=clip)
        return Image.open(io.BytesIO(base64.b64decode(shot["data"])))


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser with an empty profile."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if program is None:
        sys.exit("There is no chromium here; $CHROMIUM may name one.")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            program,
            *FLAGS,
            f"--user-data-dir={folder}",
            "about:blank",
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            told = Path(folder) / "DevToolsActivePort"
            while not (told.exists() and told.read_text().count("\n")):  # noqa: ASYNC110 a file
                await asyncio.sleep(0.1)
            port = told.read_text().split("\n")[0]
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    pages = [each for each in await answer.json() if each["type"] == "page"]
                async with session.ws_connect(
                    pages[0]["webSocketDebuggerUrl"], max_msg_size=0
                ) as socket:
                    yield Browser(socket)
        finally:
            process.terminate()
            await process.wait()


@asynccontextmanager
async def demo() -> AsyncIterator[tuple[str, str]]:
    """The demo, played to its end; where its page is, and its Slack."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "monitor", "demo", "--minutes", str(MINUTES), "--port", str(PORT),
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


def keep(name: str, picture: Image.Image) -> None:
    """Save it, with as few colours as it takes to be small."""
    path = FOLDER / f"{name}.png"
    picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.relative_to(FOLDER.parent.parent)}: {picture.size}, {size:,} bytes")
    if size > MOST:
        sys.exit(f"{path.name} is larger than {MOST:,} bytes.")


async def main(desk: str, slack: str) -> None:
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
            await browser.show(desk, 1280, 1240, 1, dark=dark)
            keep(f"page{suffix}", await browser.take("html", most=1240))
            await browser.show(f"{newsdesk}/{corrected}", 1440, 900, 1, dark=dark)
            await browser.scroll_to(f'[id="m{spike}"]')
            keep(f"slack{suffix}", await browser.take("body"))
        await browser.show(f"{newsdesk}", 1000, 30_000, 1.5, dark=False)
        for name, ts in (
            ("root", most["ts"]),
            ("digest", saying("Daily digest")),
            ("spike", spike),
        ):
            keep(name, await browser.take(f'[id="m{ts}"]'))
        await browser.show(f"{newsdesk}/{corrected}", 1200, 3000, 1.5, dark=False)
        keep("thread", await browser.take("#thread"))
        await browser.show(f"{slack}archives/newsdesk-ops", 1000, 3000, 1.5, dark=False)
        keep("ops", await browser.take("#channel"))


async def all_of_it() -> None:
    """Play, then look."""
    if len(sys.argv) == 3:  # the addresses of a demo that was played already
        await main(*sys.argv[1:])
        return
    async with demo() as addresses:
        await main(*addresses)


if __name__ == "__main__":
    asyncio.run(all_of_it())
