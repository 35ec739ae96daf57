"""Mentions as they are counted and asked for, on both databases."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from alerts.message import Card, Part, line
from monitor.model import ArticleId, ArticleState, Hit, StoryId
from monitor.pipeline.retention import Limits, Retention
from monitor.ports import Transaction, spike_subject
from monitor.ports.trends import Counted, Period, Split, Trend
from monitor.storage import SqlReports, SqlStore
from monitor.storage import tables as t
from monitor.storage.mentions import ANY, hour_of
from monitor.storage.spikes import NEW
from tests.contracts.archive import Archive
from tests.contracts.material import CEASEFIRE, KASHMIR, NOW, SPAN, content
from tests.contracts.test_plans import SCANS, plans, recording
from tests.fakes import FakeClock

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WATCHES = ("Ceasefire", "Kashmir")


@pytest.fixture
def archive() -> Archive:
    made = Archive()
    for watch in (CEASEFIRE, KASHMIR):
        made.watch(watch, NOW - 40 * DAY)
    return made


def hits(*watches: str) -> list[Hit]:
    return [Hit(watch=watch, spans=(SPAN,)) for watch in watches]


async def save(archive: Archive, store: SqlStore) -> None:
    """Write the archive, and let ids that are given from now on be none of its own."""
    await archive.save(store)
    if store._engines.write.dialect.name == "postgresql":
        with store._engines.write.begin() as connection:
            connection.execute(sa.text("ALTER SEQUENCE hit_id_seq RESTART 100000"))


async def count(store: SqlStore, now: datetime = NOW) -> int:
    """Count until nothing is left; how many steps that took."""
    steps = 1
    while await store.write(lambda tx: tx.count_mentions(now)):
        steps += 1
    return steps


def kept(connection: sa.Connection) -> dict[str, dict]:
    """What is counted, but for what is counted as nothing."""
    counted = {}
    for table in (t.mention_hour, t.mention_day, t.mention_total):
        key = [column.name for column in table.primary_key.columns]
        counted[table.name] = {
            tuple(getattr(row, name) for name in sorted(key)): (row.articles, row.stories)
            for row in connection.execute(sa.select(table))
            if row.articles or row.stories
        }
    return counted


def expected(connection: sa.Connection) -> dict[str, dict]:
    """The same, counted in the plainest way."""
    rows = connection.execute(
        sa.select(t.article, t.hit.c.watch_id)
        .join(t.hit, t.hit.c.article_id == t.article.c.id)
        .order_by(t.article.c.first_seen_at, t.article.c.id)
    ).all()
    listed = set(
        connection.execute(sa.select(t.entry.c.article_id).where(~t.entry.c.backlog)).scalars()
    )
    articles: Counter = Counter()
    stories: Counter = Counter()
    seen, begun = set(), set()
    for row in rows:
        published = row.published_at
        if not (row.id in listed if published is None else row.first_seen_at - published <= NEW):
            continue
        for watch in (row.watch_id, ANY):
            if (watch, row.id) in seen:
                continue
            seen.add((watch, row.id))
            place = (hour_of(row.first_seen_at), row.feed_id, row.language or "", watch)
            articles[place] += 1
            if row.story_id is not None and (watch, row.story_id) not in begun:
                begun.add((watch, row.story_id))
                stories[place] += 1
    counted = {name: Counter() for name in ("mention_hour", "mention_day", "mention_total")}
    for (hour, feed, language, watch), number in articles.items():
        more = complex(number, stories[hour, feed, language, watch])
        counted["mention_hour"][hour, feed, language, watch] += more
        counted["mention_day"][hour // 24, feed, language, watch] += more
        counted["mention_total"][hour, 1, watch] += more
        counted["mention_total"][hour // 24, 24, watch] += more
    return {
        name: {key: (int(each.real), int(each.imag)) for key, each in of.items()}
        for name, of in counted.items()
    }


async def assert_right(store: SqlStore) -> None:
    await count(store)
    assert await store.query(kept) == await store.query(expected)


async def test_what_was_there_before_is_counted_step_by_step(store: SqlStore, archive: Archive):
    for hours in (0, 1, 5, 26, 24 * 30):
        archive.article(NOW - hours * HOUR, "Ceasefire")
        archive.article(NOW - hours * HOUR, "Kashmir", "Ceasefire", publisher="BBC")
    await archive.save(store)

    assert await count(store) == 4  # gaps are passed over; the last finds nothing
    assert await store.query(kept) == await store.query(expected)
    assert await count(store) == 1


@pytest.mark.parametrize(
    ("published", "backlog", "counts"),
    [
        (timedelta(hours=23), True, True),
        (timedelta(hours=25), False, False),
        (None, False, True),
        (None, True, False),
    ],
)
async def test_a_mention_was_news_when_it_was_seen(
    store: SqlStore, archive: Archive, published, backlog, counts
):
    at = None if published is None else NOW - published
    archive.article(NOW, "Ceasefire", published_at=at, backlog=backlog)
    await archive.save(store)
    await assert_right(store)
    assert bool((await store.query(kept))["mention_hour"]) is counts


async def test_a_story_is_counted_where_it_was_mentioned_first(store: SqlStore, archive: Archive):
    """Also when an earlier article comes to it later, or the first one goes."""
    story = archive.story(NOW)
    archive.article(NOW - 3 * HOUR, "Kashmir", story=story, publisher="BBC")
    first = archive.article(NOW - 2 * HOUR, "Ceasefire", story=story)
    archive.article(NOW - HOUR, "Ceasefire", story=story, publisher="BBC")
    earlier = archive.article(NOW - 30 * HOUR)
    await save(archive, store)
    await assert_right(store)

    def goes(tx: Transaction) -> None:
        tx.set_hits(ArticleId(first), [], NOW)

    def comes(tx: Transaction) -> None:
        tx.put_in_story(ArticleId(earlier), StoryId(story), copy_of=None)
        tx.set_hits(ArticleId(earlier), hits("Ceasefire"), NOW)

    for change in (goes, comes):
        await store.write(change)
        await assert_right(store)


async def test_whatever_happens_the_counts_are_those_of_the_hits(store: SqlStore, archive: Archive):
    """Articles come, are read again, found by new watches, moved and merged; stories, too."""
    await changed_at_random(store, archive, changes=60)


async def changed_at_random(store: SqlStore, archive: Archive, *, changes: int) -> None:
    chance = random.Random(7)
    stories = [archive.story(NOW) for _ in range(6)]
    ids = [
        archive.article(
            NOW - chance.randrange(60) * HOUR - chance.randrange(60) * MINUTE,
            *chance.sample(WATCHES, chance.randrange(3)),
            publisher=chance.choice(("Dawn", "BBC", "PTI")),
            story=chance.choice(stories),
        )
        for _ in range(40)
    ]
    await save(archive, store)

    def found() -> list[Hit]:
        return hits(*chance.sample(WATCHES, chance.randrange(3)))

    def change(tx: Transaction) -> None:
        article = ArticleId(chance.choice(ids))
        match chance.randrange(5):
            case 0:
                tx.set_hits(article, found(), NOW)
            case 1:
                tx.add_hits(article, found(), NOW)
            case 2:
                story = StoryId(chance.choice(stories))
                tx.put_in_story(article, story, copy_of=None)
            case 3 if len(ids) > 10:
                ids.remove(article)
                tx.merge_article(article, ArticleId(chance.choice(ids)))
            case _:
                read = content(tx.url_of(article))
                published = NOW - chance.choice((0, 90)) * HOUR
                language = chance.choice(("en", "hi", None))
                read = replace(read, language=language, published_at=published)
                tx.save_article(article, read, state=ArticleState.DONE, now=NOW, due_at=None)
                tx.set_hits(article, found(), NOW)

    for number in range(changes):
        await store.write(change)
        if number % 20 == 19 and len(stories) > 2:
            gone = stories.pop()
            into = stories[0]
            await store.write(lambda tx: tx.merge_stories(gone, into, now=NOW))  # noqa: B023
        if number % 3 == 2:
            await assert_right(store)
    await assert_right(store)


async def test_counts_may_outlive_what_was_counted(store: SqlStore, archive: Archive):
    story = archive.story(NOW)
    old = [archive.article(NOW - days * DAY, "Ceasefire", story=story) for days in (9, 5)]
    archive.article(NOW, "Ceasefire", story=story)
    await archive.save(store)
    await count(store)
    before = await store.query(kept)

    assert await store.write(lambda tx: tx.seal_mentions(NOW - 3 * DAY)) == 0
    for article in old:
        await store.write(lambda tx: tx.set_hits(ArticleId(article), [], NOW))  # noqa: B023
    await count(store)

    after = await store.query(kept)
    assert {key: each[0] for key, each in after["mention_total"].items()} == {
        key: each[0] for key, each in before["mention_total"].items()
    }
    # of that day one watch's and any's, by hour, by day, and the totals of both
    assert await store.write(lambda tx: tx.seal_mentions(NOW, forget=NOW - 7 * DAY)) == 8
    assert len((await store.query(kept))["mention_day"]) == 4


async def test_retention_deletes_articles_and_no_counts(store: SqlStore, archive: Archive):
    story = archive.story(NOW - 801 * DAY)
    for days in (801, 800):
        archive.article(NOW - days * DAY, "Ceasefire", story=story)
    await archive.save(store)
    await count(store)
    before = await store.query(kept)
    context = SimpleNamespace(store=store, clock=FakeClock(NOW), stopping=False)

    gone = await Retention(context, Limits(articles=90 * DAY, matched=730 * DAY)).look()
    await store.write(lambda tx: touch_hours(tx, NOW - 800 * DAY))
    await count(store)

    assert gone["article"] == 2
    assert await store.query(kept) == before


def touch_hours(tx: Transaction, at: datetime) -> None:
    """Have an hour counted anew."""
    tx.connection.execute(sa.insert(t.mention_due).values(at=hour_of(at)))


# --------------------------------------------------------------------------- what is asked


async def asked(store: SqlStore, watches: tuple[str, ...] = (), **other) -> Trend:
    """What is told of a period, of two days by hours unless told otherwise."""
    await count(store)
    period = other.pop("period", Period(first=NOW - 47 * HOUR, steps=48, step=HOUR))
    return await SqlReports(store).trends.trend(period, watches=watches, **other)


def told(parts) -> list[tuple[str, int, int]]:
    return [(part.name, part.count, part.before) for part in parts]


@pytest.fixture
async def press(store: SqlStore, archive: Archive) -> SqlStore:
    """Two days of mentions, and some of before."""
    story = archive.story(NOW)
    archive.article(NOW - 3 * DAY, "Ceasefire", publisher="BBC")
    archive.article(NOW - 30 * HOUR, "Ceasefire", "Kashmir", story=story)
    archive.article(NOW - 29 * HOUR, "Ceasefire", story=story, publisher="BBC")
    archive.article(NOW, "Kashmir", publisher="BBC")
    await archive.save(store)
    with store._engines.write.begin() as connection:
        sides = {"BBC": None, "Dawn": "pakistan"}
        for publisher, side in sides.items():
            of = t.feed.c.publisher == publisher
            connection.execute(sa.update(t.feed).where(of).values(side=side))
        connection.execute(sa.update(t.article).values(language="en"))
    return store


PERIODS = [
    Period(first=NOW - 47 * HOUR, steps=48, step=HOUR),
    Period(first=NOW.replace(hour=0) - DAY, steps=2, step=DAY),
]


@pytest.mark.parametrize("period", PERIODS, ids=["hours", "days"])
async def test_a_period_is_told_in_parts(press: SqlStore, period: Period):
    trend = await asked(press, period=period)

    assert told([trend.whole]) == [("", 3, 1)]  # one article is found by two watches
    assert told(trend.watches) == [("Ceasefire", 2, 1), ("Kashmir", 2, 0)]
    assert told(trend.parts[Split.PUBLISHER]) == [("BBC", 2, 1), ("Dawn", 1, 0)]
    assert told(trend.parts[Split.SIDE]) == [("", 2, 1), ("pakistan", 1, 0)]
    assert told(trend.parts[Split.LANGUAGE]) == [("en", 3, 1)]
    assert sum(trend.whole.by_step) == 3
    assert trend.whole.by_step[-1] == 1
    assert len(trend.whole.by_step) == period.steps
    assert trend.since == (NOW - 3 * DAY).replace(hour=0)
    assert trend.counting is None


async def test_stories_are_told_where_they_began(press: SqlStore):
    trend = await asked(press, counted=Counted.STORIES)

    assert told([trend.whole]) == [("", 2, 1)]
    assert told(trend.parts[Split.PUBLISHER]) == [("BBC", 1, 1), ("Dawn", 1, 0)]


async def test_of_some_watches_only_theirs_is_told(press: SqlStore):
    trend = await asked(press, ("Kashmir", "Nobody's"))

    assert told([trend.whole]) == [("", 2, 0)]
    assert told(trend.watches) == [("Kashmir", 2, 0)]
    assert told(trend.parts[Split.PUBLISHER]) == [("BBC", 1, 0), ("Dawn", 1, 0)]


@pytest.mark.parametrize("period", PERIODS, ids=["hours", "days"])
@pytest.mark.parametrize(
    ("split", "series"),
    [
        (Split.WATCH, ["Ceasefire", "Kashmir"]),
        (Split.PUBLISHER, ["BBC", "Dawn"]),
        (Split.SIDE, ["", "pakistan"]),
        (Split.LANGUAGE, ["en"]),
    ],
)
async def test_the_largest_are_told_step_by_step(press: SqlStore, period, split, series):
    trend = await asked(press, split=split, period=period)

    assert [part.name for part in trend.series] == series
    for part in trend.series:
        assert sum(part.by_step) == part.count
    largest = await asked(press, split=split, period=period, largest=1)
    assert [part.name for part in largest.series] == series[:1]


async def test_spikes_are_told_with_their_stories(press: SqlStore):
    with press._engines.write.begin() as connection:
        row = connection.execute(sa.select(t.article).limit(1)).one()
        connection.execute(sa.insert(t.article_url).values(url=row.url, article_id=row.id))
    story, url = row.story_id, row.url

    def spike(watch: str, at: datetime) -> tuple[str, Card]:
        lines = (
            line(Part(text="9 new stories", bold=True), ", 4 × usual."),
            line(Part(text="Firing stops", url=url), " — Dawn", bullet=True),
            line(Part(text="Gone", url="https://news.example/gone"), " — BBC", bullet=True),
        )
        return spike_subject(watch, at), Card(title=f"Spike: {watch}", lines=lines)

    def tell(tx: Transaction) -> None:
        for watch, ago in (("Ceasefire", 3), ("Ceasefire", 60), ("Kashmir", 1)):
            for channel in ("#a", "#b"):
                tx.tell(channel, *spike(watch, NOW - ago * HOUR), NOW - ago * HOUR)
        tx.tell("#a", "spike:Ceasefire:other", Card(title="No spike"), NOW)

    await press.write(tell)

    trend = await asked(press)
    assert [(each.watch, each.at) for each in trend.spikes] == [
        ("Kashmir", NOW - HOUR),
        ("Ceasefire", NOW - 3 * HOUR),
    ]
    first = trend.spikes[0]
    assert first.said == "9 new stories, 4 × usual."
    assert [(each.title, each.story) for each in first.stories] == [
        ("Firing stops", story),
        ("Gone", None),
    ]
    assert [each.watch for each in (await asked(press, ("Kashmir",))).spikes] == ["Kashmir"]


async def test_an_archive_that_is_being_counted_says_so(store: SqlStore, archive: Archive):
    for days in range(20):
        archive.article(NOW - days * DAY, "Ceasefire")
    await archive.save(store)
    reports = SqlReports(store)
    assert (await reports.trends.trend(PERIODS[0])).since is None

    await store.write(lambda tx: tx.count_mentions(NOW))

    assert (await reports.trends.trend(PERIODS[0])).counting == NOW - 5 * HOUR


async def test_no_chart_reads_articles_or_hits(press: SqlStore):
    await count(press)
    with recording(press._engines.read) as statements:
        for split in Split:
            for period in PERIODS:
                await asked(press, split=split, period=period)
    growing = ("mention_hour", "mention_day", "mention_total", "notice", "article")
    explained = plans(press, [each for each in statements if "mention_due" not in each[0]])
    scans = re.compile(rf"(?:SCAN|Seq Scan on) (?:{'|'.join(growing)})\b")
    assert len(explained) > 10
    assert {text: plan for text, plan in explained.items() if scans.search(plan)} == {}
    assert not [text for text in explained if " hit" in text]


async def test_nothing_is_read_from_end_to_end(store: SqlStore, archive: Archive):
    story = archive.story(NOW)
    one, other = (archive.article(NOW - HOUR, "Ceasefire", story=story) for _ in range(2))
    await save(archive, store)
    with recording(store._engines.write) as statements:
        await count(store)
        await store.write(lambda tx: tx.set_hits(ArticleId(one), hits("Kashmir"), NOW))
        await store.write(lambda tx: tx.merge_article(ArticleId(one), ArticleId(other)))
        await count(store)
    explained = plans(store, statements)
    assert {text: plan for text, plan in explained.items() if SCANS.search(plan)} == {}
