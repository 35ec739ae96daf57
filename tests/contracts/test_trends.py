"""Mentions as they are counted and asked for, on both databases."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from monitor.model import ArticleId, ArticleState, Hit, StoryId
from monitor.ports import Transaction
from monitor.storage import SqlStore
from monitor.storage import tables as t
from monitor.storage.mentions import ANY, hour_of
from monitor.storage.spikes import NEW
from tests.contracts.archive import Archive
from tests.contracts.material import CEASEFIRE, KASHMIR, NOW, SPAN, content
from tests.contracts.test_plans import SCANS, plans, recording

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
