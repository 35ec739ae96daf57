"""Everything goes over from one kind of database to the other, is compared, and can be gone on with."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import sqlalchemy as sa

from monitor.errors import StorageError
from monitor.model import Deed
from monitor.storage import SqlReports, SqlStore, moving, tables
from monitor.storage.moving import MADE_ANEW, move
from tests.contracts.material import (
    HIT,
    NOW,
    found,
    given_articles,
    given_entries,
    given_feed,
    given_story,
    in_new_story,
    spec,
)


async def filled(url: str) -> None:
    """Feeds, stories that follow and are merged into others, copies, messages, hands."""
    async with SqlStore(url) as store:
        story = await given_story(store)
        articles = await given_articles(store, "b", "c", number=2)
        for each in articles:
            await store.write(in_new_story(each.id, each.url, HIT))
        await store.write(lambda t: t.new_story(NOW, follows=story))
        await store.write(lambda t: t.put_in_story(articles[1].id, story, copy_of=articles[0].id))
        await store.write(lambda t: t.want_delivery(story, "#a", NOW))
        delivery = await store.write(lambda t: t.claim_due("#a", NOW, NOW - NOW))
        assert delivery is not None
        await store.write(lambda t: t.set_hand(delivery.id, Deed.SEEN, "Asha \x00 \ud800", NOW))
        await store.write(
            lambda t: t.keep_fingerprint(articles[0].id, NOW, [7, -5, 9], b"\x00packed")
        )


async def contents(url: str) -> Mapping[str, object]:
    """What every table holds, as the comparison of a move sees it."""
    async with SqlStore(url) as store:
        return await store.query(
            lambda connection: (
                {
                    table.name: moving._sum(connection, table)
                    for table in tables.metadata.sorted_tables
                    if table not in MADE_ANEW
                }
                | {"keys": moving._all_keys(connection)}
            )
        )


async def test_there_and_back_it_is_the_same(sqlite_url, empty_postgres_url, tmp_path):
    """SQLite to PostgreSQL to SQLite: each row, each link, what copies are found by."""
    await filled(sqlite_url)
    told = []
    rows = move(sqlite_url, empty_postgres_url, progress=lambda *each: told.append(each))
    back = f"sqlite:///{tmp_path / 'back' / 'monitor.db'}"
    assert move(empty_postgres_url, back) == rows
    first = await contents(sqlite_url)
    assert await contents(empty_postgres_url) == await contents(back) == first
    assert (rows["article"], rows["story"], rows["delivery"]) == (3, 3, 1)
    assert first["keys"].rows == 1
    assert {what for what, _, _ in told} == {"Copying", "Comparing"}
    assert told[-1][1] == told[-1][2]


async def test_a_service_goes_on_where_it_was_copied_to(sqlite_url, empty_postgres_url):
    """New rows get ids that nothing has; the index is made anew."""
    await filled(sqlite_url)
    move(sqlite_url, empty_postgres_url)
    async with SqlStore(empty_postgres_url) as store:
        feed = await given_feed(store, 7, host="other.example")
        added = await given_entries(store, feed, found("z"))
        assert added.entries == 1
        assert await store.write(lambda t: t.renew_index())
        assert len(await SqlReports(store).stories(10)) == 2
        queued = sa.select(sa.func.count()).select_from(tables.unindexed)
        assert await store.query(lambda c: c.execute(queued).scalar_one()) > 0


async def test_what_is_in_the_way_is_said(sqlite_url, postgres_url, tmp_path):
    """A target that holds something, a source that is not there, one onto itself."""
    await filled(sqlite_url)
    async with SqlStore(postgres_url) as store:
        await store.write(lambda t: t.sync_feeds([spec(1)], NOW))
    before = await contents(postgres_url)
    for source, target, said in (
        (sqlite_url, postgres_url, "holds something already (in table feed): name an empty one"),
        (f"sqlite:///{tmp_path / 'no.db'}", postgres_url, "there is none yet"),
        (sqlite_url, sqlite_url, "can't be copied to itself"),
    ):
        with pytest.raises(StorageError) as caught:
            move(source, target)
        assert said in str(caught.value)
    assert await contents(postgres_url) == before


async def test_nothing_is_kept_of_a_copy_that_differs(sqlite_url, empty_postgres_url, monkeypatch):
    """Whatever went wrong on the way is seen in the end."""
    await filled(sqlite_url)
    write = moving._write

    def clumsy(connection, table, rows):
        if table is tables.article:
            rows = [{**row, "title": "…"} for row in rows]
        write(connection, table, rows)

    monkeypatch.setattr(moving, "_write", clumsy)
    with pytest.raises(StorageError, match="table article: 3 rows became 3, or they differ"):
        move(sqlite_url, empty_postgres_url)
    monkeypatch.undo()
    assert move(sqlite_url, empty_postgres_url)["article"] == 3
