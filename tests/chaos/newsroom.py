"""Invented news for one run, by a plan made of a seed: what is printed where and when, and what
people should have been told in the end.

Words are of a language that nobody speaks, so that no two stories have anything in common but what
the plan says: a desk's word, which its watch looks for. Each story has a name of its own, by which
it is known in whatever is shown of it.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Final, Self

from tests.webserver import Reply, Request, WebServer

NETWORK: Final = "127.3.0.0/16"
OPS: Final = "#ops"
ROBOTS: Final = (
    "/robots.txt"  # with it refused, too, some page would be refused five times, for good
)
PASSWORD, TOKEN = "planted-password-of-a-feed", "planted-token-of-a-feed"
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What one outlet prints first; times are seconds since the newsroom opened."""

    number: int
    name: str
    desks: tuple[int, ...]  # whose word it holds
    outlet: int
    at: float
    copies: tuple[tuple[int, float], ...]  # outlet, time
    revised_at: float | None  # from then on more were killed
    killed: int
    killed_later: int
    paragraphs: tuple[str, ...]
    tail: str  # of its headline

    def title(self, at: float) -> str:
        """Its headline then."""
        return f"{self._killed(at)} killed near {self.name} {self.tail}"

    def body(self, at: float, words: tuple[str, ...]) -> list[str]:
        """Its paragraphs then."""
        places = " and ".join(words[desk] for desk in self.desks) or "the hills"
        first = f"At least {self._killed(at)} people were killed near {self.name} in {places}."
        return [f"{first} {self.paragraphs[0]}", *self.paragraphs[1:]]

    def outlets(self) -> frozenset[int]:
        """All that print it."""
        return frozenset({self.outlet, *(outlet for outlet, _ in self.copies)})

    def _killed(self, at: float) -> int:
        return self.killed if self.revised_at is None or at < self.revised_at else self.killed_later


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that will be printed."""

    stories: tuple[Story, ...]
    others: tuple[Story, ...]  # what nobody watches
    desks: tuple[str, ...]  # their words; of the channels see `channel_of`
    outlets: tuple[str, ...]  # their publishers
    ends_at: float  # seconds; nothing new afterwards

    def printed(self) -> Iterator[tuple[int, int]]:
        """The articles, of which each outlet prints its own: the outlet, and the story."""
        for story in (*self.stories, *self.others):
            yield from ((each, story.number) for each in story.outlets())

    def hits(self) -> Iterator[tuple[str, int, int]]:
        """What is to be found: a desk's word, the outlet, and its story."""
        for story in self.stories:
            for desk in story.desks:
                yield from ((self.desks[desk], each, story.number) for each in story.outlets())

    def wanted(self) -> Iterator[tuple[str, Story]]:
        """Which channel is to be told of which story."""
        for story in self.stories:
            for desk in story.desks:
                yield channel_of(desk), story


def channel_of(desk: int) -> str:
    """The channel's name."""
    return f"#desk-{desk:02d}"


def outlet_of(host: str) -> int:
    """Whose address that is, with a port or without."""
    _, _, high, low = host.partition(":")[0].split(".")
    return int(high) * 200 + int(low) - 1


def made(
    seed: int, *, stories: int, channels: int, outlets: int, seconds: float, others: int = 0
) -> Plan:
    """A plan. Of ten stories one is for two desks, three are copied, and two are revised; `others`
    are for none.
    """
    dice = random.Random(f"plan {seed}")
    used: set[str] = set()

    def word(syllables: int) -> str:
        return "".join(dice.choice(_CONSONANTS) + dice.choice(_VOWELS) for _ in range(syllables))

    def name(syllables: int) -> str:
        while (found := word(syllables).capitalize()) in used:
            pass
        used.add(found)
        return found

    def sentence() -> str:
        return " ".join(word(dice.randint(3, 5)) for _ in range(dice.randint(8, 14))).capitalize()

    def paragraph() -> str:
        return "".join(f"{sentence()}. " for _ in range(4)).strip()

    desks = tuple(name(4) for _ in range(channels))
    publishers = tuple(f"The {name(3)} Courier" for _ in range(outlets))
    later = min(seconds, 600.0)  # within which a story is copied and revised
    planned = []
    for number in range(stories):
        at = dice.uniform(0, seconds)
        first = dice.randrange(outlets)
        rivals = [each for each in range(outlets) if each != first]
        copies = (
            dice.sample(rivals, dice.randint(1, min(4, len(rivals)))) if dice.random() < 0.3 else []
        )
        killed = dice.randint(3, 40)
        second = dice.sample(range(channels), 2) if dice.random() < 0.1 else [number % channels]
        planned.append(
            Story(
                number=number,
                name=name(5),
                desks=tuple(second),
                outlet=first,
                at=at,
                copies=tuple((each, at + dice.uniform(0.1, 1) * later) for each in sorted(copies)),
                revised_at=at + dice.uniform(0.2, 1) * later if dice.random() < 0.2 else None,
                killed=killed,
                killed_later=killed + dice.randint(1, 40),
                paragraphs=tuple(paragraph() for _ in range(3)),
                tail=" ".join(word(4) for _ in range(4)),
            )
        )
    besides = tuple(
        Story(
            number=stories + number,
            name=name(5),
            desks=(),
            outlet=dice.randrange(outlets),
            at=dice.uniform(0, seconds),
            copies=(),
            revised_at=None,
            killed=1,
            killed_later=1,
            paragraphs=tuple(paragraph() for _ in range(3)),
            tail=" ".join(word(4) for _ in range(4)),
        )
        for number in range(others)
    )
    return Plan(
        stories=tuple(planned),
        others=besides,
        desks=desks,
        outlets=publishers,
        ends_at=seconds + later,
    )


class Newsroom:
    """Serves a plan on loopback, each outlet at an address of its own; shut until `open`."""

    def __init__(
        self,
        plan: Plan,
        now: Callable[[], datetime],
        *,
        seed: int = 1,
        faults: float = 0.0,
        slow: float = 0.0,
        interval: float = 30.0,
    ) -> None:
        """`faults`: the share of requests that fail; `slow`: seconds that an answer takes at most;
        `interval`: seconds between two polls of a feed that says nothing else.
        """
        self.plan = plan
        self.overlaps: list[str] = []  # requests that came to a host while it answered another one
        self.failed = 0
        self._seed, self._faults, self._slow, self._interval = seed, faults, slow, interval
        self._busy: dict[int, str] = {}  # what an outlet is answering
        self._asked: Counter[str] = Counter()
        self._refused: set[str] = set()  # what failed the last time does not fail again
        self._now = now
        self._all = (*plan.stories, *plan.others)
        self._of: defaultdict[int, list[Story]] = defaultdict(list)
        for story in self._all:
            for outlet in story.outlets():
                self._of[outlet].append(story)
        self._opened: datetime | None = None
        self._server = WebServer("0.0.0.0")
        self._server.route("/*", self._answer)

    async def __aenter__(self) -> Self:
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop()

    @property
    def asked(self) -> int:
        """How many requests came."""
        return self._asked.total()

    def open(self) -> None:
        """Begin: the plan's times count from now."""
        self._opened = self._now()

    def age(self) -> float:
        """Seconds since then; below 0 before."""
        return -1.0 if self._opened is None else (self._now() - self._opened).total_seconds()

    def moment(self, at: float) -> datetime:
        """When that is."""
        return (self._opened or self._now()) + timedelta(seconds=at)

    def configure(self, path: Path, **alerts: object) -> None:
        """Write a feeds.toml for a service that is to watch it all."""
        lines = [
            f'[polling]\ninterval = "1m"\n[fetch]\nallow = ["{NETWORK}"]\nspacing = "0s"',
            f'[slack]\nops_channel = "{OPS}"\n[web]\nenabled = false\n[alerts]',
            *(f"{key} = {json.dumps(value)}" for key, value in alerts.items()),
        ]
        for number, word in enumerate(self.plan.desks):
            lines.append(f'[[watch]]\nname = "{word}"\nterms = ["{word}"]')
            lines.append(f'channel = "{channel_of(number)}"\nescalate = {{ publishers = 3 }}')
        for number, publisher in enumerate(self.plan.outlets):
            lines.append(f'[[feed]]\nname = "{publisher}"\npublisher = "{publisher}"')
            lines.append(f'url = "{self.address(number)}"\ninterval = "{self._interval:.0f}s"')
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def address(self, outlet: int) -> str:
        """Its feed, for which some want a password and some a token."""
        high, low = divmod(outlet, 200)
        user = f"reader:{PASSWORD}@" if outlet % 3 == 1 else ""
        key = f"?token={TOKEN}" if outlet % 3 == 2 else ""
        return f"http://{user}127.3.{high}.{low + 1}:{self._server.port}/feed{key}"

    async def _answer(self, request: Request) -> Reply:
        self._server.requests.clear()
        outlet = outlet_of(request.headers["host"])
        page = f"{outlet} {request.path}"
        self._asked[page] += 1
        # by the seed, the page and how often it was asked for: in whatever order they come
        dice = random.Random(f"newsroom {self._seed} {page} {self._asked[page]}")
        if (other := self._busy.get(outlet)) is not None:
            self.overlaps.append(f"{page}, at {self.age():.1f} s, while it answered {other}")
        self._busy[outlet] = page
        try:
            await asyncio.sleep(dice.uniform(0, self._slow))
            if page in self._refused:
                self._refused.remove(page)
            elif self._opened and request.path != ROBOTS and dice.random() < self._faults:
                self._refused.add(page)
                self.failed += 1
                return Reply(status=dice.choice((500, 502, 503)))
            return self._reply(outlet, request)
        finally:
            self._busy.pop(outlet, None)

    def _reply(self, outlet: int, request: Request) -> Reply:
        kind, _, rest = request.path[1:].partition("/")
        if kind == "feed":
            return self._feed(outlet, request)
        if kind == "story" and rest.isdecimal():
            return self._page(int(rest))
        return Reply(status=404)

    def _feed(self, outlet: int, request: Request) -> Reply:
        age = self.age()
        items = [
            f"<item><guid>{story.number}</guid><title>{story.title(age)}</title>"
            f"<link>/story/{story.number}</link>"
            f"<pubDate>{format_datetime(self.moment(at))}</pubDate></item>"
            for story in self._of[outlet]
            for place, at in ((story.outlet, story.at), *story.copies)
            if place == outlet and at <= age
        ]
        body = f'<?xml version="1.0"?><rss version="2.0"><channel><title>{self.plan.outlets[outlet]}</title>'
        body += "".join(reversed(items)) + "</channel></rss>"
        tag = f'"{hash(body):x}"'
        headers = {"ETag": tag, "Content-Type": "application/rss+xml"}
        if request.headers.get("if-none-match") == tag:
            return Reply(status=304, headers=headers)
        return Reply(body, headers=headers)

    def _page(self, number: int) -> Reply:
        story, age = self._all[number], self.age()
        title = story.title(age)
        body = "".join(f"<p>{each}</p>" for each in story.body(age, self.plan.desks))
        return Reply(
            f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1>{body}"
            "</article></body></html>",
            headers={"Content-Type": "text/html; charset=utf-8"},
        )
