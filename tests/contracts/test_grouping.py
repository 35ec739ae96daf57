"""What copies and stories are found by: keys and terms, the same on either database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from monitor.model import ArticleId, StoryId
from monitor.ports import Candidates, Transaction
from monitor.storage import SqlStore
from tests.contracts.material import NOW, given_articles, in_new_story

DAY = timedelta(days=1)


async def given_stories(store: SqlStore, number: int) -> list[tuple[ArticleId, StoryId]]:
    """Articles, each in a story of its own, the oldest first."""
    found = []
    for place in range(number):
        [article] = await given_articles(store, f"n{place}", number=place + 1)
        story = await store.write(in_new_story(article.id, article.url))
        found.append((article.id, story))
    return found


# --------------------------------------------------------------------------- keys


async def candidates(store: SqlStore, *keys: int, days: int = 3, but: int = 0) -> Candidates:
    """The articles that share keys with one of now."""
    return await store.read(
        lambda tx: tx.copy_candidates(
            keys, NOW - days * DAY, NOW, other_than=ArticleId(but), hottest=2, limit=2
        )
    )


async def test_candidates_share_keys_of_the_days_asked_for(store: SqlStore) -> None:
    """Most keys first, then the older; only the keys asked for are told; and not the one asking."""
    (one, _), (two, story), (old, _) = await given_stories(store, 3)

    def keep(tx: Transaction) -> None:
        tx.keep_fingerprint(one, NOW, {1, 7, 8}, b"one")
        tx.keep_fingerprint(two, NOW - DAY, {1, 2, -(2**31)}, b"two")
        tx.keep_fingerprint(old, NOW - 4 * DAY, {1, 2}, b"old")

    await store.write(keep)
    found = await candidates(store, 1, 2, 3, -(2**31))
    assert [(each.article, each.keys, each.packed) for each in found.articles] == [
        (two, {1, 2, -(2**31)}, b"two"),
        (one, {1}, b"one"),
    ]
    assert found.articles[0].story == story
    assert [each.article for each in (await candidates(store, 2, days=4)).articles] == [two, old]
    assert [each.article for each in (await candidates(store, 7, but=one)).articles] == []
    assert (await candidates(store, 3)).articles == ()


async def test_keys_of_a_text_that_it_had_before_lead_to_it(store: SqlStore) -> None:
    """What is judged is the newer text; nothing is held twice."""
    [(one, _)] = await given_stories(store, 1)
    for keys, packed in (({1, 2}, b"first"), ({2, 3}, b"second"), (set[int](), b"third")):
        await store.write(lambda tx, k=keys, p=packed: tx.keep_fingerprint(one, NOW, k, p))
    [found] = (await candidates(store, 1, 2, 3)).articles
    assert (found.keys, found.packed) == ({1, 2, 3}, b"third")


async def test_a_key_that_too_many_share_is_passed_over(store: SqlStore) -> None:
    """It is told, so that nobody adds to it."""
    for article, _ in await given_stories(store, 3):
        keys = {1, 10 + article}
        await store.write(lambda tx, a=article, k=keys: tx.keep_fingerprint(a, NOW, k, b"packed"))
    assert await candidates(store, 1) == Candidates(hot=frozenset({1}))


# --------------------------------------------------------------------------- terms


@pytest.mark.parametrize(
    ("terms", "each", "limit", "found"),
    [
        ({1: 0.5}, 10, 10, [3, 2, 1, 0]),  # of those that share as much the newer first
        ({1: 0.5}, 2, 10, [3, 2]),
        ({1: 0.5}, 10, 1, [3]),
        ({2: 0.5, 3: 0.4}, 10, 10, [1, 2, 0]),
        ({2: 0.4, 3: 0.5}, 10, 10, [1, 0, 2]),
        ({2: 0.3, 3: 0.3, 2**32 - 1: 0.7}, 10, 10, [3, 1, 2, 0]),
        ({9: 0.9}, 10, 10, []),
        ({}, 10, 10, []),
    ],
)
async def test_the_stories_that_share_most_come_first(
    store: SqlStore, terms: Mapping[int, float], each: int, limit: int, found: list[int]
) -> None:
    """By the sum of what those terms weigh that lead to them."""
    stories = [story for _, story in await given_stories(store, 5)]
    leading = [{1, 3}, {1, 2, 3}, {1, 2}, {1, 2**32 - 1}]

    def set_threads(tx: Transaction) -> None:
        for number, keys in enumerate(leading):
            tx.set_thread(stories[number], b"thread %d" % number, keys)

    await store.write(set_threads)
    about = await store.read(lambda tx: tx.stories_about(terms, each=each, limit=limit))
    assert about == [(stories[number], b"thread %d" % number) for number in found]
