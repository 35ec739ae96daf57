"""How many rows there are is known without counting them, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
import sqlalchemy as sa

from monitor.model import ArticleState
from monitor.storage import SqlReports, SqlStore
from monitor.storage import tables as t
from monitor.storage.tallies import MOST, TURNS, WINDOW, due_windows
from tests.contracts.material import MINUTE, NOW, given_story
from tests.contracts.test_plans import recording

DONE, NEW, FAILED = ArticleState.DONE, ArticleState.NEW, ArticleState.FAILED


@pytest.mark.parametrize(
    ("lowest", "highest", "known", "turn", "windows"),
    [
        pytest.param(1, 5, None, 0, [], id="one window that is not complete"),
        pytest.param(1, WINDOW, None, 0, [0], id="the first is complete"),
        pytest.param(1, 3 * WINDOW, 0, 5, [1, 2], id="those behind it"),
        pytest.param(1, 3 * WINDOW, 2, 1, [1], id="its turn"),
        pytest.param(1, 3 * WINDOW, 2, 1 + TURNS, [1], id="again an hour later"),
        pytest.param(1, 3 * WINDOW, 2, 7, [], id="nobody's turn"),
        pytest.param(1, 99 * WINDOW, None, 0, [*range(MOST)], id="not all of an archive at once"),
        pytest.param(9 * WINDOW, 10 * WINDOW, 3, 0, [9], id="what was deleted is passed over"),
        pytest.param(2 * WINDOW, 3 * WINDOW, 5, 2, [2], id="what was known is gone from the end"),
    ],
)
def test_windows_are_counted_once_and_then_in_turns(
    lowest: int, highest: int, known: int | None, turn: int, windows: Sequence[int]
) -> None:
    """Behind the newest rows, from the lowest id on."""
    assert list(due_windows(lowest, highest, known, turn)) == windows


async def given_far_apart(store: SqlStore, windows: int) -> None:
    """Copies of a story's one article, a window of ids apart; the last one waits."""
    await given_story(store)
    with store._engines.write.begin() as connection:
        [one] = connection.execute(sa.select(t.article)).mappings().all()
        rows = [
            dict(one) | {"id": one["id"] + number * WINDOW, "url": f"https://news.example/{number}"}
            for number in range(1, windows)
        ]
        rows[-1]["state"] = NEW
        connection.execute(sa.insert(t.article), rows)


async def test_a_total_is_right_before_and_after_it_is_kept(store: SqlStore) -> None:
    """And then only what is newer is counted."""
    await given_far_apart(store, 4)
    reports = SqlReports(store)
    before = await reports.counts(NOW)
    assert before.articles == {DONE: 3, NEW: 1}

    assert await store.write(lambda tx: tx.tally_rows(NOW)) == 3
    with recording(store._engines.read) as statements:
        assert await reports.counts(NOW) == before
    [ranged] = [values for text, values in statements if "article.id >=" in text]
    assert 3 * WINDOW in (ranged.values() if isinstance(ranged, dict) else ranged)


async def test_what_waits_is_never_kept_and_what_changed_shows_within_the_hour(
    store: SqlStore,
) -> None:
    """A turn of each window; and those whose articles are deleted are forgotten."""
    await given_far_apart(store, 4)
    reports = SqlReports(store)
    await store.write(lambda tx: tx.tally_rows(NOW))
    with store._engines.write.begin() as connection:
        connection.execute(sa.update(t.article).where(t.article.c.state == DONE).values(state=NEW))
    assert (await reports.counts(NOW)).articles[NEW] == 4

    for minute in range(TURNS):
        await store.write(lambda tx, at=NOW + minute * MINUTE: tx.tally_rows(at))  # type: ignore[misc]
    assert (await reports.counts(NOW)).articles == {NEW: 4}

    with store._engines.write.begin() as connection:
        connection.execute(sa.delete(t.hit))
        connection.execute(sa.delete(t.entry))
        connection.execute(sa.delete(t.article_url))
        connection.execute(sa.delete(t.article).where(t.article.c.id < 3 * WINDOW))
    await store.write(lambda tx: tx.tally_rows(NOW + timedelta(hours=1)))
    assert (await reports.counts(NOW)).articles == {NEW: 1}
    with store._engines.read.begin() as connection:
        kept = connection.execute(sa.select(t.row_tally.c.number)).scalars().all()
    assert kept == []
