"""Good outlets, for `bench.soak`: each has a feed, and publishes a short article now and then.

    python -m bench._outlets --hosts N [--every SECONDS]

A process of its own. It writes one line of JSON with the feeds' URLs and what a name server says of
their names, then serves until its stdin ends. Each line that comes there is answered by what was
asked since the last one: the feed's URL, and when (seconds since the epoch).

Articles are invented: words of a language that nobody speaks, in sentences and paragraphs, no two
alike. Feeds list twenty, know ETag, and answer 304.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from typing import Final

from tests.webserver import Reply, Request, WebServer

HERE: Final = "127.1.0.1"
_LISTED: Final = 20
_AT_FIRST: Final = 3
_VOWELS, _CONSONANTS = "aeiou", "bdfgklmnprstvz"


class Outlets:
    """So many of them, on one address."""

    def __init__(self, number: int, every: float) -> None:
        self._every = every
        self._began = time.time()
        self._server = WebServer(HERE)
        self._server.route("/*", self._answer)
        self._number = number
        self.asked: list[tuple[str, float]] = []

    async def serve(self) -> dict[str, str]:
        """Listen; returns the URLs of the feeds by host."""
        await self._server.start()
        hosts = [f"outlet-{each}.example" for each in range(self._number)]
        return {host: self._feed_of(host) for host in hosts}

    async def stop(self) -> None:
        """Close everything."""
        await self._server.stop()

    def _feed_of(self, host: str) -> str:
        return f"http://{host}:{self._server.port}/feed"

    def _answer(self, request: Request) -> Reply:
        self._server.requests.clear()
        host = request.headers["host"].partition(":")[0]
        first, _, rest = request.path[1:].partition("/")
        if first == "feed":
            self.asked.append((self._feed_of(host), time.time()))
            return self._feed(host, request)
        if first == "article":
            title, paragraphs = article(host, int(rest))
            return Reply(_page(title, paragraphs), headers={"Content-Type": "text/html"})
        return Reply(status=404)

    def _feed(self, host: str, request: Request) -> Reply:
        phase = random.Random(host).random()
        newest = _AT_FIRST + int((time.time() - self._began) / self._every + phase)
        headers = {"ETag": f'"{newest}"', "Content-Type": "application/rss+xml"}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Reply(status=304, headers=headers)
        items = (
            f"<item><title>{article(host, each)[0]}</title><link>/article/{each}</link></item>"
            for each in range(newest, max(0, newest - _LISTED), -1)
        )
        head = '<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>'
        return Reply(f"{head}{''.join(items)}</channel></rss>", headers=headers)


def article(host: str, number: int) -> tuple[str, list[str]]:
    """The headline and paragraphs of an outlet's article."""
    dice = random.Random(f"{host}/{number}")

    def word() -> str:
        return "".join(
            dice.choice(_CONSONANTS) + dice.choice(_VOWELS) for _ in range(dice.randint(1, 4))
        )

    def sentence() -> str:
        return " ".join(word() for _ in range(dice.randint(6, 14))).capitalize()

    return sentence(), [". ".join(sentence() for _ in range(4)) + "." for _ in range(3)]


def _page(title: str, paragraphs: list[str]) -> str:
    body = "".join(f"<p>{each}</p>" for each in paragraphs)
    head = f"<title>{title}</title>"
    return f"<html><head>{head}</head><body><article><h1>{title}</h1>{body}</article></body></html>"


async def _serve(number: int, every: float) -> None:
    outlets = Outlets(number, every)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    feeds = await outlets.serve()
    print(json.dumps({"feeds": feeds, "names": {host: [[HERE]] for host in feeds}}), flush=True)
    while await lines.readline():
        print(json.dumps(outlets.asked), flush=True)
        outlets.asked.clear()
    await outlets.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, required=True)
    parser.add_argument("--every", type=float, default=60.0)
    options = parser.parse_args()
    asyncio.run(_serve(options.hosts, options.every))


if __name__ == "__main__":
    main()
