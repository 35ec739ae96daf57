"""A database as the service would have left it after ninety days, written in one go.

The words are those of `monitor/stories/frequencies.txt`, as common as they are in news; in Hindi,
Urdu and others, too. Paragraphs return, as an archive of a million articles could not be written in
minutes otherwise; each headline is its own. What the product counts and indexes of articles is left
to its own functions.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from typing import Any, Final

import sqlalchemy as sa

from alerts.message import Card, Part, card_to_json, line
from monitor.model import ArticleState, DeliveryState, Span, bucket_of
from monitor.ports import spike_subject
from monitor.storage import tables as t
from monitor.stories.frequencies import shipped

END: Final = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
"""The newest article is of then: the page is asked as of that time."""

SPAN: Final = timedelta(days=90)
FEEDS: Final = 400
WATCHES: Final = 30
FOUND: Final = 0.1  # of all articles a watch found something in so many,
BOTH: Final = 0.3  # two watches in so many of those
IN_STORIES: Final = 0.3  # so many are of a story that others report, too
CHUNK: Final = 2_000

LANGUAGES: Final = {"en": 60, "hi": 12, "ur": 8, "ar": 5, "es": 5, "fr": 5, "de": 5}
SIDES: Final = ("india", "pakistan", None)
TERMS: Final = (
    "ceasefire", "Kashmir", "Line of Control", "Operation Trishakti", "Wagah", "Siachen", "Srinagar",
    "Muzaffarabad", "Indus treaty", "युद्धविराम", "कश्मीर", "नियंत्रण रेखा", "جنگ بندی", "کشمیر", "هدنة",
    "Baglihar", "Skardu", "Poonch", "Rajouri", "Uri sector", "Kargil", "hotline", "airspace",
    "visa suspension", "Kartarpur", "drone swarm", "naval drill", "missile test", "prisoner exchange",
    "flood gates",
)  # fmt: skip
RARE: Final = "zymurgist"  # a word that stands in one article of a hundred thousand

Rows = list[dict[str, Any]]


@dataclass
class Press:
    """Paragraphs and headlines in the languages of the archive."""

    dice: random.Random
    variety: float = 1.0  # of paragraphs
    paragraphs: dict[str, Sequence[str]] = field(default_factory=dict)
    words: dict[str, tuple[Sequence[str], Sequence[int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tables = shipped().languages
        for language in LANGUAGES:
            known = tables[language if language in tables else "en"].words
            words, weights = tuple(known), tuple(accumulate(known.values()))
            self.words[language] = words, weights
            many = int(self.variety * (3_000 if language == "en" else 800)) + 1
            self.paragraphs[language] = [
                " ".join(
                    self.dice.choices(words, cum_weights=weights, k=self.dice.randrange(45, 90))
                )
                for _ in range(many)
            ]

    def headline(self, language: str, number: int) -> str:
        """Some words and a number that no other has."""
        words, weights = self.words[language]
        return f"{' '.join(self.dice.choices(words, cum_weights=weights, k=7))} {number}"

    def body(self, language: str, first: str) -> str:
        """Three to five thousand bytes."""
        paragraphs = self.dice.choices(self.paragraphs[language], k=self.dice.randrange(7, 11))
        return f"{first}\n\n" + "\n\n".join(paragraphs)


def fill(
    connect: Callable[[], Any], articles: int, say: Callable[[str], None] = lambda _said: None
) -> None:
    """Write so many articles, and all that comes with them. `connect` begins a transaction."""
    dice = random.Random(20261123)
    press = Press(dice, variety=min(1.0, articles / 10_000))
    feeds = list(_feeds(dice))
    with connect() as connection:
        connection.execute(sa.insert(t.feed), feeds)
        connection.execute(sa.insert(t.watch), _watches())
    began = time.perf_counter()
    source = _articles(dice, press, [feed["language"] for feed in feeds], articles)
    done = 0
    while chunk := list(islice(source, CHUNK)):
        with connect() as connection:
            for table in _ORDER:
                rows = [row for tables in chunk for row in tables.get(table, ())]
                if rows:
                    _insert(connection, table, rows)
        done += len(chunk)
        if done % (25 * CHUNK) == 0:
            say(f"{done:,} articles in {time.perf_counter() - began:.0f} s")
    with connect() as connection:
        connection.execute(sa.insert(t.notice), _spikes(dice))
        if connection.dialect.name == "postgresql":
            for table in (t.feed, t.watch, t.story, t.article, t.entry, t.hit):
                last = f"(SELECT coalesce(max(id), 1) FROM {table.name})"
                sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
                connection.exec_driver_sql(f"SELECT setval({sequence}, {last})")


def _insert(connection: sa.Connection, table: sa.Table, rows: Rows) -> None:
    """In bulk: PostgreSQL takes what is copied three times as fast as what is inserted."""
    dialect = connection.dialect
    if dialect.name != "postgresql":
        connection.execute(sa.insert(table), rows)
        return
    types = {name: table.c[name].type.dialect_impl(dialect) for name in rows[0]}
    makers = [(name, each.bind_processor(dialect)) for name, each in types.items()]
    driver: Any = connection.connection.driver_connection
    columns = ", ".join(f'"{name}"' for name in types)
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as out:
        for row in rows:
            out.write_row([make(row[name]) if make else row[name] for name, make in makers])


_ORDER: Final = (
    t.story, t.article, t.article_url, t.entry, t.hit, t.revision, t.delivery, t.unindexed,
)  # fmt: skip


def _feeds(dice: random.Random) -> Iterator[dict[str, Any]]:
    names = list(LANGUAGES)
    for number in range(1, FEEDS + 1):
        language = dice.choices(names, list(LANGUAGES.values()))[0]
        host = f"outlet{number}.example"
        yield {
            "id": number,
            "url": f"https://{host}/feed",
            "name": f"Outlet {number}",
            "publisher": f"Publisher {(number + 3) // 4 if number % 2 else number}",
            "side": SIDES[number % 3],
            "language": language,
            "tags": ("wire",) if number % 5 == 0 else (),
            "declared": True,
            "host": host,
            "bucket": bucket_of(host),
            "status": "ok",
            "health": "failing" if number % 40 == 0 else "silent" if number % 33 == 0 else "live",
            "failures": 3 if number % 40 == 0 else 0,
            "polled_at": END - timedelta(seconds=number),
            "ok_at": END - timedelta(seconds=number),
            "due_at": END + timedelta(seconds=number),
            "entries": 0,
            "newest_at": END - timedelta(minutes=number),
            "created_at": END - SPAN,
        }


def _watches() -> Rows:
    return [
        {
            "id": number,
            "name": f"{term[:1].upper()}{term[1:]}",
            "terms": (term,),
            "declared": True,
            "created_at": END - SPAN,
        }
        for number, term in enumerate(TERMS, 1)
    ]


def _articles(
    dice: random.Random, press: Press, languages: Sequence[str], articles: int
) -> Iterator[dict[sa.Table, Rows]]:
    """An article with all its rows, the oldest first."""
    popular = [1 / rank for rank in range(1, FEEDS + 1)]
    feeds = dice.choices(range(1, FEEDS + 1), popular, k=articles)  # Zipf
    live: list[int] = []  # stories that go on
    for number in range(1, articles + 1):
        at = END - SPAN * (1 - number / articles)
        feed = feeds[number - 1]
        language = languages[feed - 1]
        rows: dict[sa.Table, Rows] = {}
        if live and dice.random() < IN_STORIES:
            story = dice.choice(live)
        else:
            story = number
            rows[t.story] = [{"id": story, "created_at": at}]
            live.append(story)
            if len(live) > 200:
                live.pop(0)
        watches: list[int] = []
        if dice.random() < FOUND:
            watches = sorted({_watch(dice) for _ in range(2 if dice.random() < BOTH else 1)})
        headline = press.headline(language, number)
        title = " ".join((*(TERMS[watch - 1] for watch in watches), headline))
        first = f"{RARE} {title}" if number % 100_000 == 50_000 else title
        url = f"https://outlet{feed}.example/{number}"
        rows[t.article] = [
            {
                "id": number,
                "url": url,
                "link": url,
                "feed_id": feed,
                "host": f"outlet{feed}.example",
                "bucket": bucket_of(f"outlet{feed}.example"),
                "state": ArticleState.DONE,
                "attempts": 1,
                "first_seen_at": at,
                "ingested_at": at + timedelta(seconds=4),
                "published_at": at - timedelta(seconds=dice.randrange(30, 3_000)),
                "language": language,
                "source": "page",
                "text_hash": f"{number:032x}",
                "story_id": story,
                "authors": (),
                "title": title,
                "body": press.body(language, first),
            }
        ]
        rows[t.article_url] = [{"url": url, "article_id": number}]
        rows[t.entry] = [
            {
                "id": number,
                "feed_id": feed,
                "guid": url,
                "article_id": number,
                "first_seen_at": at,
                "backlog": False,
                "link": url,
                "published_at": at - timedelta(minutes=3),
                "language": language,
                "authors": (),
                "title": title,
                "text": dice.choice(press.paragraphs[language]),
            }
        ]
        rows[t.unindexed] = [{"article_id": number, "wanted": 1}]
        if watches:
            rows[t.hit] = [
                _hit(number, place, watch, at, title) for place, watch in enumerate(watches)
            ]
            if story == number:
                rows[t.delivery] = [_delivery(story, at, dice)]
        if number % 50 == 0:
            rows[t.revision] = [
                {
                    "article_id": number,
                    "number": 1,
                    "replaced_at": at + timedelta(minutes=20),
                    "title": title,
                    "body": f"{title}\n\n{press.paragraphs[language][0]}",
                }
            ]
        yield rows


def _watch(dice: random.Random) -> int:
    """Some find much, most little."""
    return min(WATCHES, 1 + int(dice.expovariate(1 / 6)))


def _hit(article: int, place: int, watch: int, at: datetime, title: str) -> dict[str, Any]:
    term = TERMS[watch - 1]
    start = title.index(term)
    return {
        "id": 2 * article + place,
        "article_id": article,
        "watch_id": watch,
        "spans": (Span(field="title", start=start, end=start + len(term), term=term),),
        "matched_at": at + timedelta(seconds=4),
    }


def _delivery(story: int, at: datetime, dice: random.Random) -> dict[str, Any]:
    sent = dice.random() < 0.99
    return {
        "id": uuid.UUID(int=dice.getrandbits(128)).hex,
        "story_id": story,
        "channel": "#news",
        "state": DeliveryState.SENT if sent else DeliveryState.DEAD,
        "attempts": 1,
        "wanted": 1,
        "shown": 1,
        "sent_channel": "C1" if sent else None,
        "sent_ref": f"{at.timestamp():.6f}" if sent else None,
        "error": None if sent else "channel_not_found",
        "created_at": at + timedelta(seconds=4),
        "sent_at": at + timedelta(seconds=6) if sent else None,
    }


def _spikes(dice: random.Random) -> Rows:
    rows: Rows = []
    for number in range(60):
        at = END - SPAN * dice.random()
        watch = _watches()[_watch(dice) - 1]["name"]
        says = line(Part(text="12 new stories of 5 publishers in 60 minutes", bold=True), ", 4 ×.")
        rows.append(
            {
                "id": f"{int(at.timestamp()):016x}{number:016x}",
                "channel": "#news",
                "subject": spike_subject(watch, at),
                "broadcast": False,
                "card": card_to_json(Card(title=f"Spike: {watch}", lines=(says,))),
                "state": DeliveryState.SENT,
                "attempts": 1,
                "wanted": 1,
                "shown": 1,
                "created_at": at,
                "sent_at": at,
            }
        )
    return rows
