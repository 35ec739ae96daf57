"""What grouping keeps of old articles goes, a little at a time; the archive stays."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from monitor.model import StoryId
from monitor.ports import Transaction
from monitor.storage import SqlStore, forgetting
from monitor.storage import tables as t
from tests.contracts.material import NOW, given_articles, in_new_story

DAY = timedelta(days=1)


async def given_days(store: SqlStore, *ages: int) -> list[StoryId]:
    """An article of so many days ago, the oldest first, each with keys, a fingerprint and terms."""
    stories = []
    for number, age in enumerate(ages):
        at = NOW - age * DAY
        [article] = await given_articles(store, f"n{number}", number=number + 1)
        await store.write(
            lambda tx, a=article.id, s=at: tx.connection.execute(  # type: ignore[attr-defined]
                sa.update(t.article).where(t.article.c.id == a).values(first_seen_at=s)
            )
        )
        story = await store.write(in_new_story(article.id, article.url))
        stories.append(story)
        await store.write(
            lambda tx, a=article.id, s=at, story=story: (
                tx.keep_fingerprint(a, s, [1, 2, -(2**31)], b"packed"),
                tx.set_thread(story, b"thread", [0, 7, 2**32 - 1]),
            )
        )
    return stories


async def kept(store: SqlStore) -> tuple[int, int, int]:
    """Rows of keys, fingerprints and terms."""
    is_sqlite = store.address.path is not None
    keys = "count(*) FROM article_key" if is_sqlite else "sum(cardinality(keys)) FROM fingerprint"
    one, two, three = [
        await store.query(lambda c, s=sa.text(f"SELECT {count}"): c.execute(s).scalar_one())
        for count in (keys, "count(*) FROM fingerprint", "count(*) FROM story_term")
    ]
    return one, two, three


@pytest.fixture(autouse=True)
def _short_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day of 24 minutes."""
    monkeypatch.setattr(forgetting, "SLICES", 24)


async def a_day(store: SqlStore, before: datetime) -> int:
    """Every minute of a day."""

    def work(tx: Transaction) -> int:
        return sum(tx.forget(before, NOW + minute * timedelta(minutes=1)) for minute in range(24))

    return await store.write(work)


async def test_what_is_older_goes_within_a_day(store: SqlStore) -> None:
    """Keys, fingerprints and terms of two articles; articles, stories and threads stay."""
    stories = await given_days(store, 20, 15, 3, 0)
    assert await kept(store) == (12, 4, 12)
    rows = 14 if store.address.path is not None else 8  # keys are no rows of their own
    assert await a_day(store, NOW - 14 * DAY) == rows
    assert await kept(store) == (6, 2, 6)
    assert await a_day(store, NOW - 14 * DAY) == 0
    assert len(await store.read(lambda tx: tx.threads(stories))) == 4
    terms = {0: 0.5, 7: 0.4, 2**32 - 1: 0.3}
    about = await store.read(lambda tx: tx.stories_about(terms, each=10, limit=10))
    assert {story for story, _ in about} == set(stories[2:])


async def test_it_goes_in_small_steps(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a day of keys to be deleted."""
    await given_days(store, 20, 19, 18, 0)
    monkeypatch.setattr(forgetting, "STEP", 4)
    monkeypatch.setattr(forgetting, "FINGERPRINTS", 2)
    left = [await kept(store)]
    while await store.write(lambda tx: tx.forget(NOW - 14 * DAY, NOW)):
        left.append(await kept(store))
    is_sqlite = store.address.path is not None
    assert [keys for keys, _, _ in left] == ([12, 8, 4, 3] if is_sqlite else [12, 6, 3])
    assert [fingerprints for _, fingerprints, _ in left] == (
        [4, 2, 1, 1] if is_sqlite else [4, 2, 1]
    )


async def test_a_merged_article_does_not_take_the_present_along(store: SqlStore) -> None:
    """Its time is of long ago, its id is not: what came before it is kept."""
    await given_days(store, 14, *range(13, 3, -1))
    [late] = await given_articles(store, "late", number=50)
    await store.write(in_new_story(late.id, late.url))
    await store.write(
        lambda tx: tx.connection.execute(  # type: ignore[attr-defined]
            sa.update(t.article)
            .where(t.article.c.id == late.id)
            .values(first_seen_at=NOW - 14 * DAY)
        )
    )
    await a_day(store, NOW - 14 * DAY)
    assert (await kept(store))[1] == 11


async def test_an_empty_database_has_nothing_to_forget(store: SqlStore) -> None:
    """A service that was just installed."""
    assert await store.write(lambda tx: tx.forget(NOW, NOW)) == 0
