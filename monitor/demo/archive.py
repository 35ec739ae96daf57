"""Four weeks of ordinary days before the crisis: an outlet's bulletins, one an hour, and races.

A digest has days to compare with, and a spike something that is usual, because of the bulletins. A
race is what several outlets report, one of them first: so it is known who usually is. All of it is
written into the database as if the service had run all the time; who looks for it finds it.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

import sqlalchemy as sa

from monitor.match import Matcher
from monitor.match.document import Document
from monitor.model import ArticleId, ArticleState
from monitor.polling import delays, week
from monitor.ports import Store, Transaction
from monitor.storage import tables as t
from monitor.storage.feed_history import day_of

DAYS: Final = 28
_HOUR: Final = timedelta(hours=1)
_DAYTIME = range(7, 23)  # hours in which the watched words are said more often

PLAIN: Final = (
    ("Monsoon leaves the coast late", "Showers are to end along the coast by the weekend."),
    (
        "Rail link to the port opens in March",
        "The last of nine bridges has been tested with goods trains.",
    ),
    (
        "Wheat prices steady at the mandis",
        "Growers brought less than in the week before, at the same price.",
    ),
    (
        "Teachers end their sit-in",
        "Salaries that were due since spring are to be paid in two parts.",
    ),
    (
        "City counts its sparrows",
        "Volunteers found more of them than last year, most near the old wells.",
    ),
    (
        "Ferry service resumes on the creek",
        "Two boats will run from six in the morning until dark.",
    ),
    (
        "Court reserves its order on sand mining",
        "Both sides have a week to file what they still want to say.",
    ),
    ("Power cuts announced for Sunday", "Lines are to be moved for the new ring road."),
    (
        "Museum shows letters of a forgotten poet",
        "They were found in a tin box in the wall of a school.",
    ),
    ("Inflation eases to 4.1 percent", "Vegetables became cheaper for the third month in a row."),
    ("Chess title goes to a sixteen-year-old", "She won with black in the last round."),
    ("Dust storm closes the airport for an hour", "Eleven flights were sent elsewhere."),
    ("Union asks for shorter shifts at the kilns", "The owners have agreed to meet on Thursday."),
    (
        "Leopard seen near the reservoir",
        "Foresters ask people to keep their dogs indoors at night.",
    ),
    ("New bus lanes begin at the old fort", "Drivers have a month before they are fined."),
    ("Clinic on a boat reaches forty villages", "It carries a dentist for the first time."),
)
"""Headlines and sentences in which no watch finds anything."""

WATCHED: Final = (
    ("Snow closes the high road to Kashmir", "Lorries wait on both sides of the pass."),
    ("Kashmir saffron fetches a record price", "Buyers came from as far as the Gulf."),
    (
        "Houseboat owners in Kashmir ask for loans",
        "Half of the boats need new planks before the season.",
    ),
    ("Night trains to Kashmir from next year", "The tunnel under the range has been handed over."),
    ("Trout farms spread in Kashmir", "Cold springs are let to young people for ten years."),
    ("Schools in Kashmir close for the winter", "They open again in the first week of March."),
    ("Carpet weavers of Kashmir open a school", "Thirty girls learn the old notation."),
    ("Apple lorries from Kashmir get a lane of their own", "It is theirs from midnight until six."),
)
RARE: Final = (
    ("Ceasefire on the line holds, army says", "The last violation was recorded in June."),
    ("Old soldiers remember the ceasefire of 1949", "They met where the line was drawn."),
    ("Tribes agree on a ceasefire over a well", "Elders have set a date for a jirga."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulletin:
    """What was read at a full hour."""

    at: datetime
    title: str
    body: str


RACERS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "SPA National Wire": 5,
        "Continental Wire South Asia": 6,
        "NBN News World": 12,
        "The Delhi Ledger": 15,
        "Indus Courier": 18,
        "Gulf Meridian Asia": 22,
        "The Harbour Post: World": 40,
    }
)
"""Feeds that report the same, and the minutes after which they usually do."""

RACES: Final = 6
"""A day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Bulletin):
    """What an outlet had of a race; `at` is when it published that."""

    feed: str
    seen_at: datetime


def bulletins(start: datetime) -> Iterator[Bulletin]:
    """The bulletins of `DAYS` days before a start, oldest first; always the same ones."""
    dice = random.Random(DAYS)  # noqa: S311 not a secret
    last = start.replace(minute=0, second=0, microsecond=0)
    for number in range(DAYS * 24, 0, -1):
        at = last - (number - 1) * _HOUR
        items = dice.sample(PLAIN, 3)
        is_day = at.hour in _DAYTIME
        if dice.random() < (0.2 if is_day else 0.05):
            items[0] = dice.choice(WATCHED)
        elif dice.random() < 0.03:
            items[0] = dice.choice(RARE)
        yield Bulletin(
            at=at,
            title=f"Bulletin at {at:%H:%M}: {items[0][0]}",
            body="\n\n".join(f"{headline}. {sentence}" for headline, sentence in items),
        )


def races(start: datetime) -> Iterator[Sequence[Report]]:
    """What two to five outlets reported each, up to a day before a start; always the same."""
    dice = random.Random(RACES)  # noqa: S311 not a secret
    for number in range(RACES * (DAYS - 1)):
        began = start - timedelta(days=DAYS) + timedelta(days=1 / RACES) * (number + dice.random())
        headline, sentence = dice.choice(PLAIN)
        reports = []
        for feed in dice.sample(sorted(RACERS), dice.randint(2, 5)):
            at = began + timedelta(minutes=dice.expovariate(1 / RACERS[feed]))
            seen = at + timedelta(seconds=dice.choice((20, 35, 50, 80, 150, 400)))
            reports.append(Report(at=at, title=headline, body=sentence, feed=feed, seen_at=seen))
        yield reports


async def plant_races(store: Store, url: str, start: datetime) -> None:
    """Put the races into the SQLite database at this URL, and count who was first, and when.

    Comes before `plant`, because stories are counted in turn, and an old one stands for all.
    """
    await asyncio.to_thread(_write_races, url, tuple(races(start)))

    def count(tx: Transaction) -> None:
        tx.count_places(start)  # begins
        while tx.count_places(start):
            pass

    await store.write(count)


async def plant(store: Store, url: str, matcher: Matcher, feed: str, start: datetime) -> None:
    """Put the bulletins into the SQLite database at this URL, as articles of the feed of that name.

    Nothing else may be writing yet.
    """
    written = await asyncio.to_thread(_write, url, feed, tuple(bulletins(start)))
    found = [
        (article, matcher.match(Document(title=said.title, body=said.body)), said.at)
        for article, said in written
    ]

    def keep(tx: Transaction) -> None:
        for article, hits, at in found:
            tx.add_hits(article, hits, at)

    await store.write(keep)


def _write_races(url: str, run: Sequence[Sequence[Report]]) -> None:
    """Each race as a story, each report as an entry and an article, and the habits of the feeds."""
    engine = sa.create_engine(url)
    try:
        with engine.begin() as connection:
            chosen = sa.select(t.feed.c.name, t.feed.c.id).where(t.feed.c.name.in_(RACERS))
            feeds = {row.name: row.id for row in connection.execute(chosen)}
            for number, race in enumerate(run):
                story = _insert(connection, t.story, {"created_at": min(each.at for each in race)})
                for each in race:
                    _add(
                        connection, feeds[each.feed], each, story, f"urn:race:{number}:{each.feed}"
                    )
            for name, feed in feeds.items():
                had = [each for race in run for each in race if each.feed == name]
                counted = sa.update(t.feed).where(t.feed.c.id == feed)
                connection.execute(counted.values(entries=t.feed.c.entries + len(had)))
                _add_habits(connection, feed, had)
    finally:
        engine.dispose()


def _add_habits(connection: sa.Connection, feed: int, had: Sequence[Report]) -> None:
    """When the feed posts, and how soon that was seen: what polls would have counted."""
    slots: Counter[tuple[int, int]] = Counter()
    hours: dict[int, float] = defaultdict(float)
    for each in had:
        slots[day_of(each.seen_at), delays.slot_of(each.seen_at - each.at)] += 1
        hours[week.hour_of(each.at)] += week.weight(each.at)
    connection.execute(
        sa.insert(t.feed_tally),
        [
            {"day": day, "feed_id": feed, "slot": slot, "entries": count}
            for (day, slot), count in slots.items()
        ],
    )
    connection.execute(
        sa.insert(t.feed_week),
        [{"feed_id": feed, "hour": hour, "weight": weight} for hour, weight in hours.items()],
    )


def _write(url: str, feed: str, said: Sequence[Bulletin]) -> Sequence[tuple[ArticleId, Bulletin]]:
    """Each bulletin as an entry of the feed, an article and a story of its own."""
    engine = sa.create_engine(url)
    try:
        with engine.begin() as connection:
            feed_id = connection.execute(
                sa.select(t.feed.c.id).where(t.feed.c.name == feed)
            ).scalar_one()
            counted = sa.update(t.feed).where(t.feed.c.id == feed_id)
            connection.execute(counted.values(entries=t.feed.c.entries + len(said)))
            return [
                (
                    _add(
                        connection,
                        feed_id,
                        each,
                        _insert(connection, t.story, {"created_at": each.at}),
                        f"urn:bulletin:{each.at:%Y-%m-%dT%H}",
                    ),
                    each,
                )
                for each in said
            ]
    finally:
        engine.dispose()


def _add(connection: sa.Connection, feed: int, said: Bulletin, story: int, guid: str) -> ArticleId:
    seen = said.seen_at if isinstance(said, Report) else said.at
    words = {"feed_id": feed, "title": said.title, "authors": (), "published_at": said.at}
    article = _insert(
        connection,
        t.article,
        words
        | {
            "url": guid,
            "host": "127.0.0.1",
            "bucket": 0,
            "state": ArticleState.DONE,
            "attempts": 1,
            "first_seen_at": seen,
            "ingested_at": seen,
            "language": "en",
            "source": "feed",
            "story_id": story,
            "body": said.body,
            "furniture": (),
        },
    )
    _insert(
        connection,
        t.entry,
        words
        | {
            "guid": guid,
            "article_id": article,
            "first_seen_at": seen,
            "backlog": False,
            "text": said.body,
        },
    )
    connection.execute(sa.insert(t.unindexed), {"article_id": article, "wanted": 1})
    return ArticleId(article)


def _insert(connection: sa.Connection, table: sa.Table, values: Mapping[str, object]) -> int:
    """A row; returns its id."""
    key = connection.execute(sa.insert(table).returning(table.c.id), values).scalar_one()
    assert isinstance(key, int)
    return key
