"""The outlets of `bench.alerts`: each has a host and a feed of its own, and prints what it is told to.

    python -m bench._alerts_press --feeds N --watches N [--every N]

A process of its own. It writes one line of JSON: the feeds' URLs and the watches' words. From then on
a line that names a rate (articles a second) begins a new edition, in which the outlets print one
after the other; one with a plus sign before it goes on with this edition at another rate. An empty
one ends it, and is answered by what was served: of each article its name, the watch that it is for,
if there is one, and when (seconds since the epoch) it was printed, a feed that lists it was served,
and its page. A question mark is answered by which feeds (their numbers) were asked for since the
last one, and when.

An article is 450 words in a page of 40 KB, as pages of news are: navigation, teasers, scripts. Its
words fall by lot, as often as news has them (`monitor.stories.frequencies`); one in sixteen stands in no
other article. A word that is not remembered costs most, and of 4,000 real articles in a row 5 to 8 words of a
hundred were not, as a rule, punctuation and capitals told apart. Some hold a watch's word; the watches take turns.
No two have a sentence in common.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from email.utils import formatdate
from functools import cache
from itertools import accumulate
from typing import Final

from monitor.stories.frequencies import shipped
from tests.webserver import Reply, Request, WebServer

NETWORK: Final = "127.4.0.0/16"
HITS: Final = 2.5
"""Articles a second that hold a watch's word, at most, unless each Nth is to (`--every`)."""
OWN: Final = 1 / 16
"""Share of words that stand in no other article."""
_LISTED: Final = 40
_NEIGHBOURS: Final = 100
_VOWELS, _CONSONANTS = "aeiou", "bdfgklmnprstvz"


@dataclass(slots=True)
class Printed:
    """An article and its times, 0.0 for what has not happened."""

    name: str
    watch: int | None
    printed_at: float
    listed_at: float = 0.0
    served_at: float = 0.0


@cache
def _vocabulary() -> tuple[Sequence[str], Sequence[int]]:
    """What English news is written in; beside each word how often it and those before it fall."""
    found = shipped().languages["en"].words
    return [*found], [*accumulate(found.values())]


def sentence(dice: random.Random) -> str:
    """Everybody's words and, as it falls, the article's own among them."""
    words, weights = _vocabulary()
    fallen = dice.choices(words, cum_weights=weights, k=dice.randint(9, 21))
    found = (word(dice, 5) if dice.random() < OWN else each for each in fallen)
    return " ".join(found).capitalize()


def word(dice: random.Random, syllables: int) -> str:
    """A word of so many syllables."""
    return "".join(dice.choice(_CONSONANTS) + dice.choice(_VOWELS) for _ in range(syllables))


class Press:
    """All outlets."""

    def __init__(self, feeds: int, watches: int, every: int | None = None) -> None:
        dice = random.Random("watches")
        self.watches = [word(dice, 6).capitalize() for _ in range(watches)]
        self._feeds = feeds
        self._every = every
        self.asked: list[tuple[int, float]] = []
        self._shell = self._furniture()
        self._server = WebServer("0.0.0.0")
        self._server.route("/*", self._answer)
        self._issues: list[list[Printed]] = [[] for _ in range(feeds)]
        self._printed: list[Printed] = []
        self._began, self._rate, self._edition = time.time(), 0.0, 0
        self._before = 0  # articles that were printed before the rate was this one

    async def serve(self) -> list[str]:
        """Listen; returns the feeds' URLs."""
        await self._server.start()
        return [f"{self._at(feed)}/feed" for feed in range(self._feeds)]

    async def stop(self) -> None:
        """Close everything."""
        await self._server.stop()

    def begin(self, rate: float) -> None:
        """A new edition."""
        self._began, self._rate, self._printed = time.time(), rate, []
        self._before = 0
        self._edition += 1
        self._issues = [[] for _ in range(self._feeds)]

    def go_on(self, rate: float) -> None:
        """From now on so many articles a second."""
        self._print()
        self._began, self._rate, self._before = time.time(), rate, len(self._printed)

    def end(self) -> list[Printed]:
        """Print nothing more; what was printed."""
        self.go_on(0.0)
        return self._printed

    def _at(self, feed: int) -> str:
        return f"http://127.4.{feed // 200}.{feed % 200 + 1}:{self._server.port}"

    def _print(self) -> None:
        """What should have been printed by now."""
        due = self._before + int((time.time() - self._began) * self._rate)
        for number in range(len(self._printed), due):
            dice = random.Random(f"name {self._edition} {number}")
            turn, rest = divmod(number, self._every or math.ceil(self._rate / HITS))
            watch = None if rest else turn % len(self.watches)
            at = self._began + (number - self._before) / self._rate
            article = Printed(word(dice, 7).capitalize(), watch, at)
            self._printed.append(article)
            # by lot: turns of feeds and of watches would meet in the same ones
            self._issues[dice.randrange(self._feeds)].append(article)

    def _answer(self, request: Request) -> Reply:
        self._server.requests.clear()
        _, _, high, low = request.headers["host"].partition(":")[0].split(".")
        feed = int(high) * 200 + int(low) - 1
        kind, _, name = request.path[1:].partition("/")
        if kind == "feed":
            self.asked.append((feed, time.time()))
            return self._feed(feed, request)
        if kind == "about":
            return Reply(self._shell, headers={"Content-Type": "text/html; charset=utf-8"})
        article = next((each for each in self._issues[feed] if each.name == name), None)
        if kind == "article" and article is not None:
            article.served_at = article.served_at or time.time()
            return Reply(self._page(article), headers={"Content-Type": "text/html; charset=utf-8"})
        return Reply(status=404)

    def _feed(self, feed: int, request: Request) -> Reply:
        self._print()
        issue = self._issues[feed]
        tag = f'"{self._edition}-{len(issue)}"'
        headers = {"ETag": tag, "Content-Type": "application/rss+xml"}
        if request.headers.get("if-none-match") == tag:
            return Reply(status=304, headers=headers)
        now = time.time()
        for article in issue:
            article.listed_at = article.listed_at or now
        items = (
            f"<item><title>{self._title(each)}</title><link>/article/{each.name}</link>"
            f"<pubDate>{formatdate(each.printed_at)}</pubDate></item>"
            for each in reversed(issue[-_LISTED:])
        )
        head = '<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>'
        # there always is an old one: a feed that was empty is no feed that has news. Neighbours
        # share it, for a page of each of thousands is nothing that anybody wants to wait for
        about = f"{self._at(feed - feed % _NEIGHBOURS)}/about"
        old = f"<item><title>About us</title><link>{about}</link></item>"
        return Reply(f"{head}{''.join(items)}{old}</channel></rss>", headers=headers)

    def _title(self, article: Printed) -> str:
        rest = sentence(random.Random(f"title {article.name}"))
        place = "" if article.watch is None else f" in {self.watches[article.watch]}"
        return f"{article.name}{place}: {rest}"

    def _page(self, article: Printed) -> str:
        dice = random.Random(f"body {article.name}")
        paragraphs = (" ".join(f"{sentence(dice)}." for _ in range(3)) for _ in range(10))
        title = self._title(article)
        body = f"<h1>{title}</h1>" + "".join(f"<p>{each}</p>" for each in paragraphs)
        return self._shell.replace("TITLE", title).replace("BODY", f"<article>{body}</article>")

    @staticmethod
    def _furniture() -> str:
        """A page without its article: a head, scripts, navigation, teasers, a foot."""
        dice = random.Random("furniture")
        links = "".join(
            f'<li><a href="/{word(dice, 3)}">{sentence(dice)}</a></li>' for _ in range(60)
        )
        teasers = "".join(
            f'<div class="teaser"><a href="/{word(dice, 4)}"><h3>{sentence(dice)}</h3></a></div>'
            for _ in range(30)
        )
        script = (
            f"<script>var config = {json.dumps([sentence(dice) for _ in range(200)])};</script>"
        )
        return (
            f'<html lang="en"><head><title>TITLE</title>{script}</head><body><nav><ul>{links}</ul>'
            f"</nav><main>BODY</main><aside>{teasers}</aside><footer>{sentence(dice)}</footer></body></html>"
        )


async def _serve(press: Press) -> None:
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    print(json.dumps({"feeds": await press.serve(), "watches": press.watches}), flush=True)
    while line := (await lines.readline()).decode():
        match line.strip():
            case "":
                print(json.dumps([asdict(each) for each in press.end()]), flush=True)
            case "?":
                print(json.dumps(press.asked), flush=True)
                press.asked.clear()
            case rate:
                (press.go_on if rate.startswith("+") else press.begin)(float(rate))
                print(json.dumps("begun"), flush=True)
    await press.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, required=True)
    parser.add_argument("--watches", type=int, required=True)
    parser.add_argument("--every", type=int, help="which of the articles are for a watch")
    options = parser.parse_args()
    asyncio.run(_serve(Press(options.feeds, options.watches, options.every)))


if __name__ == "__main__":
    main()
