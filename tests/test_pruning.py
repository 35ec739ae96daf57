"""What is too old goes with all that is of it, and is never told again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from monitor.fetch import HttpFetcher
from monitor.model import ArticleId, FeedId, Kind, StoryId
from monitor.pipeline import retention
from monitor.pipeline.retention import Limits, Retention
from monitor.ports.retention import Bounds
from monitor.storage import SqlStore, pruning
from monitor.storage import tables as t
from tests.contracts.material import LEASE, NOW, given_articles, given_story, in_new_story
from tests.contracts.test_plans import SCANS, plans, recording
from tests.fakes import FakeClock
from tests.pipeline.conftest import CHANNEL, Newsroom, page
from tests.webserver import Reply, WebServer

DAY = timedelta(days=1)
ALL_OLD = Bounds(plain=NOW + 90 * DAY, matched=NOW + 90 * DAY)
LATER = NOW + 100 * DAY


async def rows(store: SqlStore, *tables: sa.Table) -> dict[str, int]:
    """How many there are."""

    def ask(connection: sa.Connection) -> dict[str, int]:
        count = sa.select(sa.func.count())
        return {
            table.name: connection.execute(count.select_from(table)).scalar_one()
            for table in tables or t.metadata.sorted_tables
        }

    return await store.query(ask)


async def prune(store: SqlStore, bounds: Bounds = ALL_OLD) -> dict[str, int]:
    """Every step of a round; rows that went, by table."""
    gone: dict[str, int] = {}
    after: StoryId | None = None
    for _ in range(100):
        done = await store.write(lambda tx, a=after: tx.prune(bounds, LATER, after=a))
        for name, number in done.rows.items():
            gone[name] = gone.get(name, 0) + number
        after = done.after
        if after is None:
            return gone
    raise AssertionError("a round that does not end")


def test_all_that_refers_to_an_article_or_a_story_goes_before_it() -> None:
    """A table that is added must say what becomes of its rows: else pruning stops at its key."""
    owners = {"article": pruning.BY_ARTICLE, "story": pruning.BY_STORY}
    cleared = {("article", "copy_of"), ("story", "follows"), ("story", "merged_into")}
    for table in t.metadata.sorted_tables:
        for key in table.foreign_keys:
            owner = key.column.table.name
            if owner not in owners or key.ondelete == "CASCADE":
                continue
            column = key.parent.name
            if (table.name, column) in cleared or (table.name, column) == ("article", "story_id"):
                continue
            assert table in owners[owner], f"{table.name}.{column} refers to {owner}"


async def test_an_old_story_goes_whole(store: SqlStore) -> None:
    """With its messages and all that people did; its feed, its watches and a mark of it stay."""
    story = await given_story(store)
    await store.write(lambda tx: tx.want_delivery(story, "#a", NOW))
    delivery = await store.write(lambda tx: tx.claim_due("#a", NOW, LEASE))
    assert delivery is not None
    [article] = (await store.read(lambda tx: tx.story_view(story))).articles
    await store.write(lambda tx: tx.keep_revision(article.article, "Before", "Words.", NOW))
    await store.write(lambda tx: tx.keep_fingerprint(article.article, NOW, [1], b"packed"))

    assert await prune(store) == {}, "its message is being sent"
    await store.write(
        lambda tx: tx.connection.execute(sa.update(t.delivery).values(state="sent"))  # type: ignore[attr-defined]
    )
    gone = await prune(store)
    assert gone.items() >= {
        "article": 1, "article_url": 1, "delivery": 1, "entry": 1, "fingerprint": 1, "hit": 1,
        "revision": 1, "story": 1,
    }.items()  # fmt: skip
    left = {name: number for name, number in (await rows(store)).items() if number}
    assert left.items() >= {"bygone": 2, "feed": 1, "watch": 2}.items()
    assert left.keys() & gone.keys() == set()
    assert await store.read(lambda tx: tx.is_bygone("https://news.example/a"))
    assert not await store.read(lambda tx: tx.is_bygone("https://news.example/b"))
    assert await prune(store) == {}


@pytest.mark.parametrize(
    ("bounds", "left"),
    [
        (Bounds(plain=None, matched=None), {"plain", "matched"}),
        (Bounds(plain=NOW, matched=NOW), {"plain", "matched"}),
        (Bounds(plain=NOW + DAY, matched=NOW - DAY), {"matched"}),
        (Bounds(plain=NOW + DAY, matched=None), {"matched"}),
        (Bounds(plain=NOW + DAY, matched=NOW + DAY), set()),
    ],
)
async def test_what_watches_found_lives_longer(
    store: SqlStore, bounds: Bounds, left: set[str]
) -> None:
    """One story in which one did, and one in which none did, of the same age."""
    stories = {"matched": await given_story(store)}
    [article] = await given_articles(store, "plain", number=2)
    stories["plain"] = await store.write(in_new_story(article.id, article.url))
    await prune(store, bounds)
    found = await store.query(lambda c: set(c.execute(sa.select(t.story.c.id)).scalars()))
    assert found == {stories[name] for name in left}


async def test_what_is_being_read_or_was_read_lately_stays(store: SqlStore) -> None:
    """A lease that runs; a page that was read anew."""
    story = await given_story(store)
    for column, at in (("lease_until", LATER + DAY), ("ingested_at", ALL_OLD.plain)):
        values = {"lease_until": None, "ingested_at": NOW} | {column: at}
        await store.write(
            lambda tx, v=values: tx.connection.execute(sa.update(t.article).values(v))  # type: ignore[attr-defined]
        )
        assert await prune(store) == {}, column
    assert (await rows(store, t.story)) == {"story": 1}
    assert story


async def test_no_chapter_and_no_merged_story_is_in_the_way(store: SqlStore) -> None:
    """The story before goes, the later one begins by itself; what was merged goes with its target."""
    first = await given_story(store)
    [article] = await given_articles(store, "b", number=2)
    target = await store.write(in_new_story(article.id, article.url))
    [young] = await given_articles(store, "c", number=3)
    chapter = await store.write(in_new_story(young.id, young.url))

    def arrange(tx) -> None:
        tx.connection.execute(
            sa.update(t.article).where(t.article.c.story_id == first).values(story_id=target)
        )
        tx.connection.execute(
            sa.update(t.story).where(t.story.c.id == first).values(merged_into=target)
        )
        tx.connection.execute(
            sa.update(t.story).where(t.story.c.id == chapter).values(follows=target)
        )
        tx.connection.execute(
            sa.update(t.article).where(t.article.c.story_id == chapter).values(first_seen_at=LATER)
        )

    await store.write(arrange)
    assert (await prune(store))["story"] == 2
    assert await store.query(
        lambda c: c.execute(sa.select(t.story.c.id, t.story.c.follows)).all()
    ) == [(chapter, None)]


async def test_a_copy_outlives_its_original(store: SqlStore) -> None:
    """Where people took it out of the story: it is a root from now on."""
    await given_story(store)
    [copy] = await given_articles(store, "copy", number=2)
    await store.write(in_new_story(copy.id, copy.url))
    await store.write(
        lambda tx: tx.connection.execute(  # type: ignore[attr-defined]
            sa.update(t.article)
            .where(t.article.c.id == copy.id)
            .values(copy_of=1, first_seen_at=LATER)
        )
    )
    assert (await prune(store))["article"] == 1
    assert await store.query(
        lambda c: c.execute(sa.select(t.article.c.id, t.article.c.copy_of)).all()
    ) == [(copy.id, None)]


async def test_what_was_never_read_goes_too(store: SqlStore) -> None:
    """An article that is in no story, unless somebody is at it."""
    [article] = await given_articles(store, "a")
    never = Bounds(plain=NOW + DAY, matched=None)
    await store.write(lambda tx: tx.prune(never, NOW))
    assert await rows(store, t.article) == {"article": 1}
    assert await prune(store, never) == {"article": 1, "article_url": 1, "entry": 1}
    assert article.id == ArticleId(1)


async def test_a_round_is_many_small_steps(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the sizes of windows and steps, all that is old goes in one round."""
    monkeypatch.setattr(pruning, "WINDOW", 3)
    monkeypatch.setattr(pruning, "STEP", 2)
    for article in await given_articles(store, *"abcdefgh"):
        if article.entry.guid != "c":
            await store.write(in_new_story(article.id, article.url))
    assert (await prune(store))["article"] == 8
    assert await rows(store, t.article, t.story, t.entry) == {"article": 0, "story": 0, "entry": 0}


async def test_marks_are_kept_for_two_years_after_they_were_met(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A feed that goes on listing what was deleted goes on being known."""
    await given_story(store)
    await prune(store)

    async def years_later(days: int) -> int:
        at = LATER + timedelta(days=days)
        for minute in range(3):
            await store.write(
                lambda tx, m=minute: tx._forget_marks(at + timedelta(minutes=m))  # type: ignore[attr-defined]
            )
        return (await rows(store, t.bygone))["bygone"]

    monkeypatch.setattr(pruning, "SLICES", 3)
    assert await years_later(700) == 2
    listed = {(FeedId(1), "a"): "https://news.example/a", (FeedId(2), "b"): "https://a.example/b"}
    met = await store.write(
        lambda tx: pruning.bygone(tx, listed, LATER + 700 * DAY)  # type: ignore[arg-type]
    )
    assert met == {(FeedId(1), "a")}
    assert await years_later(740) == 2
    assert await years_later(1440) == 0


# --------------------------------------------------------------------------- never told again


class _Here:
    """Parses beside the event loop."""

    async def ready(self):
        """At any time."""

    async def run(self, function, *args, timeout: float):
        return await asyncio.to_thread(function, *args)


@pytest.fixture
async def desk(store: SqlStore) -> AsyncIterator[Newsroom]:
    """A newsroom on each kind of database."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(WebServer())
        fetcher = await stack.enter_async_context(
            HttpFetcher(
                clock=FakeClock(), user_agent="monitor/test", timeout=5, allow=("127.0.0.1",)
            )
        )
        yield Newsroom(store, server, _Here(), fetcher)


async def test_what_was_deleted_is_not_told_again(desk: Newsroom) -> None:
    """By its feed in other bytes, under a new guid, by another feed, or by a link that leads there."""
    desk.rules(max_age=timedelta(hours=24))
    desk.server.route("/a", page("A ceasefire is agreed", canonical=desk.server.url("/a")))
    desk.feed("wire", date=False)
    desk.feed("second", date=False)
    await desk.declare("wire", "second")
    await desk.settle()
    desk.feed("wire", ("A ceasefire is agreed", "/a"), date=False)
    await desk.settle(minutes=10)
    [told] = desk.shown()

    desk.clock.advance(days=800)
    keeper = Retention(desk.context, Limits(articles=90 * DAY, matched=730 * DAY))
    assert (await keeper.look())["article"] == 1
    assert await rows(desk.store, t.article, t.entry) == {"article": 0, "entry": 0}

    desk.server.route("/x", Reply(status=302, headers={"Location": desk.server.url("/a")}))
    listings = {
        "wire": [("A ceasefire is agreed", "/a"), ("Rain", None)],  # other bytes, the same guid
        "second": [("Ceasefire: it is agreed", "/a")],  # a new guid, another feed
    }
    for name, items in listings.items():
        desk.feed(name, *items, date=False)
        await desk.settle(minutes=10)
    assert (await rows(desk.store, t.article))["article"] == 1, "the rain"
    desk.feed("second", ("Elsewhere: a ceasefire", "/x"), date=False)
    await desk.settle(minutes=10)
    assert desk.shown() == [told]
    assert (await rows(desk.store, t.hit))["hit"] == 1, "stored, and found in, as old news"

    desk.server.route("/b", page("Another ceasefire", canonical=desk.server.url("/b")))
    desk.feed("second", ("Another ceasefire", "/b"), date=False)
    await desk.settle(minutes=10)
    assert len(desk.shown()) == 2, "what is new is told"
    assert desk.sink.messages(CHANNEL)


async def test_a_feed_of_bygone_items_has_no_gap(desk: Newsroom) -> None:
    """What it lists was known: nothing was lost between two polls."""
    desk.feed("wire", *((f"Item {number}", None) for number in range(5)), date=False)
    await desk.declare("wire")
    await desk.settle()
    desk.clock.advance(days=100)
    await Retention(desk.context, Limits(articles=90 * DAY)).look()
    assert await rows(desk.store, t.entry) == {"entry": 0}
    desk.feed("wire", *((f"Item {number}", None) for number in range(5)), date=True)
    await desk.work(Kind.POLL, minutes=10)
    [row] = await desk.reports.feeds()
    assert (row.gaps, await rows(desk.store, t.entry)) == (0, {"entry": 0})


# --------------------------------------------------------------------------- by size


def _age(tx, *, story: StoryId, at: datetime) -> None:
    """Have a story come at a time."""
    stories = sa.update(t.story).where(t.story.c.id == story)
    tx.connection.execute(stories.values(created_at=at))
    articles = sa.update(t.article).where(t.article.c.story_id == story)
    tx.connection.execute(articles.values(first_seen_at=at, ingested_at=at, lease_until=None))


async def test_too_much_goes_oldest_first_and_no_younger_than_a_month(
    desk: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First what no watch found anything in, then the rest; what must stay is said once."""
    size, each = [0], 1_000

    async def write(work):
        result = await SqlStore.write(desk.store, work)
        if hasattr(result, "rows"):
            size[0] -= each * result.rows.get("story", 0)
        return result

    monkeypatch.setattr(desk.store, "write", write, raising=False)
    monkeypatch.setattr("monitor.storage.sizes.SizeWork.stored_bytes", lambda _: size[0])
    monkeypatch.setattr(pruning, "STEP", 1)
    ages = {"old": 89, "matched": 88, "older": 70, "young": 10}
    for number, (guid, age) in enumerate(ages.items(), 1):
        if guid == "matched":
            story = await given_story(desk.store, guid, number=number)
        else:
            [article] = await given_articles(desk.store, guid, number=number)
            story = await desk.store.write(in_new_story(article.id, article.url))
        at = desk.clock.now() - age * DAY
        await desk.store.write(partial(_age, story=story, at=at))
    names = sa.select(t.article.c.url).order_by(t.article.c.id)

    async def left() -> list[str]:
        found = await desk.store.query(lambda c: c.execute(names).scalars().all())
        return [url.rpartition("/")[2] for url in found]

    size[0] = 10_000
    keeper = Retention(desk.context, Limits(articles=90 * DAY, matched=730 * DAY, size=20_000))
    await keeper.look()
    assert await left() == [*ages], "within the limit and no older than it says"
    keeper.limits = Limits(articles=90 * DAY, matched=730 * DAY, size=9_900)
    await keeper.look()
    assert await left() == ["matched", "older", "young"], "one was enough"
    size[0] = 20_000
    for _ in range(4):
        await keeper.look()
    assert await left() == ["young"]
    assert timedelta(days=70) > retention.FLOOR


async def test_pruning_goes_by_indexes(store: SqlStore) -> None:
    """What a step costs does not grow with the archive; of stories it reads on where it stopped."""
    story = await given_story(store)
    await store.write(lambda tx: tx.want_delivery(story, "#a", NOW))
    await store.write(
        lambda tx: tx.connection.execute(sa.update(t.delivery).values(state="sent"))  # type: ignore[attr-defined]
    )
    with recording(store._engines.write) as statements:
        assert await prune(store)
    explained = plans(store, statements)
    assert len(explained) > 10
    assert {text: plan for text, plan in explained.items() if SCANS.search(plan)} == {}
