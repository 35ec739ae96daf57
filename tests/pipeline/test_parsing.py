"""Documents that wait for a worker go together, and are judged each by itself."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from monitor.errors import Code, ParseError
from monitor.parse import Cut, cut
from monitor.pipeline import parsing
from monitor.pipeline.context import parsers_of
from monitor.pipeline.parsing import Parsing

POISON = "poison"


class Worker:
    """One that is killed by some documents; it writes down how many it is given at once."""

    def __init__(self) -> None:
        self.given: list[int] = []
        self.began, self.go = asyncio.Event(), asyncio.Event()

    async def run(self, function, argument, *, timeout):
        each = argument if isinstance(argument, list) else [argument]
        self.given.append(len(each))
        self.began.set()
        await self.go.wait()
        if any(POISON.encode() in found.rest for found in each):
            raise ParseError(Code.KILLED, "ran out of memory")
        return function(argument)


@pytest.fixture
async def worker():
    return Worker()


def document(title: str, words: str = ""):
    body = (
        f'<rss version="2.0"><channel><title>F</title><item><guid>{title}</guid>'
        f"<title>{title}</title><description>{words}</description></item></channel></rss>"
    )
    return cut(body.encode(), url="http://f.test/", content_type="application/rss+xml")


async def parsed(worker, *documents, workers=1):
    """What becomes of them, all asked for at the same time."""
    uses = Parsing(SimpleNamespace(parsers=parsers_of(workers), offload=worker))
    asked = [
        asyncio.create_task(uses.rest(found, f"{number}.test"))
        for number, found in enumerate(documents)
    ]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    worker.go.set()
    results = await asyncio.gather(*asked, return_exceptions=True)
    return [
        each.code if isinstance(each, ParseError) else [entry.title for entry in each.entries]
        for each in results
    ]


async def test_those_that_wait_go_together(worker):
    """The first goes at once, all others with the one that comes next."""
    titles = ["a", "b", "c", "d"]
    assert await parsed(worker, *map(document, titles)) == [[title] for title in titles]
    assert worker.given in ([4], [1, 3])


async def test_who_was_taken_along_waits_for_that_worker(worker):
    """One that finds a worker free meanwhile does not ask it again."""
    titles = [str(number) for number in range(9)]
    results = await parsed(worker, *map(document, titles), workers=3)
    assert results == [[title] for title in titles]
    assert sum(worker.given) == len(titles)


async def test_a_mistake_is_its_own(worker):
    """What is no feed says so; its neighbours are read."""
    bad = Cut(url="http://f.test/", rest=b"<rss", whole=True)
    results = await parsed(worker, document("a"), bad, document("c"))
    assert results in ([["a"], code, ["c"]] for code in (Code.PARSE, Code.NOT_A_FEED))


async def test_a_worker_that_is_killed_costs_only_the_culprit(worker):
    """All that were with it are parsed again, one by one."""
    results = await parsed(worker, document("a"), document("b", POISON), document("c"))
    assert results == [["a"], Code.KILLED, ["c"]]
    assert worker.given.count(1) >= 2


async def test_large_documents_go_by_themselves(worker):
    """Together they are no more than a worker reads in a tenth of a second."""
    large = "word " * (parsing.TOGETHER // 5)
    results = await parsed(worker, document("a"), document("b", large), document("c", large))
    assert results == [["a"], ["b"], ["c"]]
    assert worker.given == [1, 1, 1]


@pytest.mark.parametrize("gone", [0, 1, 2])
async def test_who_is_cancelled_leaves_the_others_their_turn(worker, gone):
    """Those whom it had taken with it are parsed by themselves; who took it goes on."""
    uses = Parsing(SimpleNamespace(parsers=parsers_of(2), offload=worker))
    asked = [asyncio.create_task(uses.rest(document(title), f"{title}.test")) for title in "abc"]
    await worker.began.wait()
    asked[gone].cancel()
    worker.go.set()
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(results.pop(gone), asyncio.CancelledError)
    assert sorted(each.entries[0].title for each in results) == sorted({*"abc"} - {"abc"[gone]})
