"""Many feeds out of few, on as many loopback hosts: who is polled in `bench.poll`.

    python -m bench._farm --feeds N [--hosts N] [--failing SHARE] [--corpus FOLDER]

A process of its own, so that nobody pays for it who is measured. It writes one line of JSON with
the feeds' URLs, then serves until its stdin ends; each line that comes there names the `Scene` from
then on.

Each feed is one of the corpus under another host: in its items every URL gets a label of its own in
front, so that no two feeds share an article. Its first three items are held back until there is to be
news; the last three are cut off then, as feeds have a length. Every feed has a host to itself
(127.x.y.z), unless there are to be fewer of them; one host's feeds fail together or not at all. Of
the failing ones a third refuses connections, a third answers 500, a third says nothing until it
is given up.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from bench import options_of
from tests.webserver import Raw, Reply, Request, WebServer

HELD_BACK: Final = 3
_FEWEST: Final = 5  # items of a feed, beside those held back
_ITEM: Final = re.compile(rb"<(item|entry)[\s>].*?</\1\s*>", re.DOTALL)
_URL: Final = re.compile(rb"(xmlns(?::[\w-]+)?\s*=\s*[\"'])?(https?:(?:\\?/){2})")


class Scene(StrEnum):
    """How the good ones answer."""

    FIRST = "first poll"
    SAME = "304"
    UNCHANGED = "unchanged 200"
    NEWS = "three new items"


class Failing(StrEnum):
    """How the others do."""

    REFUSED = "refused"
    ERROR = "500"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Model:
    """A feed of the corpus, cut where a label goes: before and after the news."""

    name: str
    content_type: str
    items: int  # in either
    before: tuple[bytes, ...]
    after: tuple[bytes, ...]

    def body(self, number: int, scene: Scene) -> bytes:
        """The document of the feed with this number."""
        return (b"f%d." % number).join(self.after if scene is Scene.NEWS else self.before)


def models(corpus: Path) -> Iterator[Model]:
    """The feeds of the corpus that have items enough."""
    for each in json.loads((corpus / "feeds" / "index.json").read_text(encoding="utf-8")):
        document = (corpus / "feeds" / each["file"]).read_bytes()
        if each["format"] == "jsonfeed":
            kind, (head, items, tail) = "application/feed+json", _json_parts(document)
            between = b", "
        else:
            kind, (head, items, tail) = "application/xml", _xml_parts(document)
            between = b"\n"
        if len(items) >= HELD_BACK + _FEWEST:
            older, newer = items[HELD_BACK:], items[:-HELD_BACK]
            yield Model(
                each["file"],
                kind,
                len(older),
                _cut(head, between.join(older), tail),
                _cut(head, between.join(newer), tail),
            )


def _xml_parts(document: bytes) -> tuple[bytes, list[bytes], bytes]:
    found = list(_ITEM.finditer(document))
    if not found:
        return document, [], b""
    items = [match[0] for match in found]
    return document[: found[0].start()], items, document[found[-1].end() :]


def _json_parts(document: bytes) -> tuple[bytes, list[bytes], bytes]:
    feed = json.loads(document)
    items = [json.dumps(each, ensure_ascii=False).encode() for each in feed.pop("items")]
    return json.dumps(feed, ensure_ascii=False).encode()[:-1] + b', "items": [', items, b"]}"


def _cut(head: bytes, items: bytes, tail: bytes) -> tuple[bytes, ...]:
    pieces, start = [], 0
    for match in _URL.finditer(items):
        if match[1] is None:  # the name of a namespace is no address
            pieces.append(items[start : match.end()])
            start = match.end()
    pieces.append(items[start:])
    pieces[0] = head + pieces[0]
    pieces[-1] += tail
    return tuple(pieces)


def host(number: int) -> str:
    """The address of the host with this number."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


def failing(number: int, share: float) -> Failing | None:
    """How the host with this number fails, if it does: as many of each kind, evenly spread."""
    place = int((number + 1) * share)
    if place == int(number * share):
        return None
    return tuple(Failing)[place % len(Failing)]


class Farm:
    """The feeds, and how they answer now."""

    def __init__(self, feeds: Sequence[Model], number: int, hosts: int, share: float) -> None:
        self.scene = Scene.FIRST
        self._feeds = feeds
        self._hosts = hosts
        self._fails = [failing(each % hosts, share) for each in range(number)]
        self._server = WebServer("0.0.0.0")
        for each, how in enumerate(self._fails):
            self._server.route(f"/{each}", Raw(_silence) if how is Failing.SILENT else self._answer)
        self._closed = socket.socket()  # holds a port on which nobody listens
        self._closed.bind(("0.0.0.0", 0))

    async def serve(self) -> list[str]:
        """Listen; returns the feeds' URLs."""
        await self._server.start()
        refusing = self._closed.getsockname()[1]
        ports = [refusing if how is Failing.REFUSED else self._server.port for how in self._fails]
        return [
            f"http://{host(each % self._hosts)}:{port}/{each}" for each, port in enumerate(ports)
        ]

    async def stop(self) -> None:
        """Close everything."""
        await self._server.stop()
        self._closed.close()

    def _answer(self, request: Request) -> Reply:
        self._server.requests.clear()
        number = int(request.path[1:])
        if self._fails[number] is Failing.ERROR:
            return Reply("Internal Server Error", status=500)
        feed = self._feeds[number % len(self._feeds)]
        headers = {"Content-Type": feed.content_type}
        if self.scene is not Scene.UNCHANGED:
            headers["ETag"] = f'"{number}-{self.scene is Scene.NEWS:d}"'
            headers["Last-Modified"] = "Sat, 22 Aug 2026 10:00:00 GMT"
            if request.headers.get("if-none-match") == headers["ETag"]:
                return Reply(status=304, headers=headers)
        return Reply(feed.body(number, self.scene), headers=headers)


async def _silence(*_: object) -> None:
    await asyncio.sleep(3600)


async def _serve(farm: Farm) -> None:
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    print(json.dumps(await farm.serve()), flush=True)
    while line := (await lines.readline()).decode().strip():
        farm.scene = Scene(line)
        print(json.dumps(farm.scene), flush=True)
    await farm.stop()


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--feeds", type=int, required=True)
    parser.add_argument("--hosts", type=int)
    parser.add_argument("--failing", type=float, default=0.1)
    options = parser.parse_args()
    hosts = options.hosts or options.feeds
    asyncio.run(_serve(Farm(list(models(options.corpus)), options.feeds, hosts, options.failing)))


if __name__ == "__main__":
    main()
