"""Which story an article belongs to: whoever brings it, however often, on either database."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from monitor.model import Hit
from monitor.pipeline.group import Role
from monitor.storage import SqlStore, upgrade
from monitor.stories.copies import HOTTEST
from tests.contracts.material import BUCKET, CEASEFIRE, LEASE, NOW, found, given_feed, several
from tests.pipeline.desk import HIT, HOUR, Desk, News, ingest, text


@pytest.fixture
async def desk(store: SqlStore) -> Desk:
    await store.write(lambda tx: tx.sync_watches([CEASEFIRE], NOW))
    return Desk(store)


# --------------------------------------------------------------------------- copies

LONG = text(1, 400)
CUT = LONG[: len(LONG) * 2 // 5]
GROWN = f"{text(2, 250)} {LONG}"


@pytest.mark.parametrize(
    ("later", "role", "novel"),
    [
        (News("b", LONG), Role.COPY, 0.0),
        (News("b", CUT), Role.COPY, 0.0),
        (News("b", GROWN), Role.UPDATE, 0.38),
        (News("b", text(3, 300)), Role.FIRST, None),
        (News("b", LONG, at=NOW + 13 * 24 * HOUR), Role.COPY, 0.0),
        (News("b", LONG, at=NOW + 15 * 24 * HOUR), Role.FIRST, None),
        (News("b", CUT, at=NOW + 71 * HOUR), Role.COPY, 0.0),
        (News("b", CUT, at=NOW + 73 * HOUR), Role.FIRST, None),
    ],
    ids=["same", "cut", "update", "other", "13 days", "15 days", "cut, 71 h", "cut, 73 h"],
)
async def test_a_copy_joins_the_family(desk: Desk, later: News, role: Role, novel: float | None):
    """The same words for two weeks, most of them for three days; with how much of it is new."""
    first, second = await desk.bring(News("a", LONG), later)
    assert (first.role, second.role) == (Role.FIRST, role)
    assert (first.story == second.story) == (role is not Role.FIRST)
    if novel is not None:
        [_, copy] = (await desk.view(first.story)).articles
        assert copy.copy_of == desk.ids["a"]
        assert copy.novelty == pytest.approx(novel, abs=0.08)


async def test_an_original_that_comes_late_joins_its_copy(desk: Desk):
    """Its date is of before the copy, of which a feed told first: the window looks both ways."""
    late = News("late", CUT, at=NOW - 70 * HOUR)
    [first] = await desk.bring(News("a", LONG))
    [second] = await desk.bring(late, now=NOW + HOUR)
    assert second.story == first.story


async def test_many_copies_are_one_family(desk: Desk):
    """More than may share a key: what a family has in common makes no key hot."""
    news = [News(f"n{n}", f"{LONG} {text(100 + n, 20)}") for n in range(60)]
    placed = await desk.bring(*news)
    assert len({each.story for each in placed}) == 1
    view = await desk.view(placed[0].story)
    assert {each.copy_of for each in view.articles} == {None, desk.ids["n0"]}
    assert await most_holders(desk.store) == 1
    for each in news:
        await desk.again(each)
    assert await most_holders(desk.store) == 1  # however often they are read


async def most_holders(store: SqlStore) -> int:
    """Articles that the most widely held key leads to."""
    of = "fingerprint, unnest(keys) AS key" if store.address.path is None else "article_key"
    held = sa.text(f"SELECT max(n) FROM (SELECT count(*) AS n FROM {of} GROUP BY key) AS k")
    return await store.query(lambda connection: connection.execute(held).scalar_one())


async def test_what_too_many_share_joins_nobody(desk: Desk):
    """A paragraph of furniture in many texts of their own; the copy is found all the same."""
    furniture = text(7, 60)
    own = [News(f"n{n}", f"{text(200 + n, 300)} {furniture}") for n in range(60)]
    placed = await desk.bring(*own)
    assert len({each.story for each in placed}) == 60
    [copy] = await desk.bring(News("copy", own[59].body[:1200]))
    assert copy.story == placed[59].story
    assert await most_holders(desk.store) == HOTTEST + 1  # and no look-up ever reads more


@pytest.mark.parametrize("told", [(), ("b",), ("a", "b")], ids=["nobody", "of one", "of both"])
async def test_a_copy_of_two_families_makes_them_one(desk: Desk, told: tuple[str, ...]):
    """Too far apart for each other, not for what was printed between: unless both were told."""
    one = News("a", LONG, hits=(HIT,) if "a" in told else ())
    other = News("b", LONG[:-30], at=NOW + 80 * HOUR, hits=(HIT,) if "b" in told else ())
    between = News("x", LONG[:-60], at=NOW + 40 * HOUR)
    first, second = await desk.bring(one, other)
    assert first.story != second.story
    shown = await desk.show()
    [placed] = await desk.bring(between, now=NOW + 81 * HOUR)
    if len(told) == 2:
        assert len(await desk.together()) == 2
        return
    assert await desk.together() == {frozenset("abx")}
    assert placed.story == (second.story if told else first.story)  # whose message stands
    view = await desk.view(placed.story)
    assert {each.copy_of for each in view.articles} == {None, desk.ids["a"]}
    assert {each.story for each in shown} <= {placed.story}
    assert await desk.view(first.story) == await desk.view(second.story) == view


async def test_a_digest_of_two_reports_leaves_them_two(desk: Desk):
    """It holds most of both, and is the same as neither."""
    first, second = await desk.bring(News("a", LONG), News("b", text(2, 400)))
    await desk.bring(News("digest", f"{LONG} {text(2, 400)}"))
    assert first.story != second.story
    assert len(await desk.together()) == 2


async def test_what_a_feed_tells_apart_stays_apart(store: SqlStore):
    """The same text under two headlines of one feed: neither a copy, nor the same event."""
    await store.write(lambda tx: tx.sync_watches([CEASEFIRE], NOW))
    feed = await given_feed(store)
    news = [
        News("a", LONG, title="Ceasefire in Hollin", hits=(HIT,)),
        News("b", LONG, title="Ceasefire at Varsk", hits=(HIT,)),
    ]
    entries = [found(each.name, title=each.title) for each in news]
    await store.write(lambda tx: tx.add_entries(feed, entries, NOW))
    claimed = await store.write(lambda tx: tx.claim_articles(BUCKET, NOW, LEASE, 10))
    ids = {pending.entry.guid: pending.id for pending in claimed}
    placed = [
        await store.write(lambda tx, n=each: ingest(tx, ids[n.name], n, NOW)) for each in news
    ]
    assert [each.role for each in placed] == [Role.FIRST, Role.FIRST]
    assert placed[0].story != placed[1].story


# --------------------------------------------------------------------------- events

EVENT = (
    "Hollin and Varsk sign a ceasefire over the river Teign after mediation by Quendale",
    "Ceasefire between Hollin and Varsk takes hold along the Teign, Quendale mediators say",
    "Guns silent on the Teign as Varsk and Hollin honour the Quendale ceasefire",
)
ELSEWHERE = "Ostrava miners and Kettlewell mill owners agree a ceasefire in their pay dispute"


def reports(*titles: str, every: timedelta = HOUR, hits: tuple[Hit, ...] = (HIT,)) -> list[News]:
    """Reports in words of their own."""
    return [
        News(f"r{n}", f"{title}. {text(300 + n, 30)}", title=title, at=NOW + n * every, hits=hits)
        for n, title in enumerate(titles)
    ]


async def test_reports_of_one_event_are_one_story(desk: Desk):
    """In words of their own, and the other event beside it."""
    placed = await desk.bring(*reports(*EVENT, ELSEWHERE))
    assert [each.role for each in placed] == [Role.FIRST, Role.REPORT, Role.REPORT, Role.FIRST]
    assert await desk.together() == {frozenset({"r0", "r1", "r2"}), frozenset({"r3"})}
    assert [each.copy_of for each in (await desk.view(placed[0].story)).articles] == [None] * 3


async def test_only_what_matched_is_looked_for_by_event(desk: Desk):
    """The firehose is not grouped: it is nobody's alert."""
    placed = await desk.bring(*reports(*EVENT, hits=()))
    assert len({each.story for each in placed}) == 3


async def test_after_three_days_a_chapter_opens(desk: Desk):
    """It follows the story, takes what comes next, and is followed in its turn."""
    titles = [EVENT[n % 3] for n in range(14)]
    placed = await desk.bring(*reports(*titles, every=14 * HOUR))
    stories = list(dict.fromkeys(each.story for each in placed))
    assert len(stories) == 3
    follows = [await desk.store.read(lambda tx, s=story: tx.chapter_after(s)) for story in stories]
    assert follows == [*stories[1:], None]
    assert [each.role for each in placed].count(Role.FIRST) == 3


async def test_a_copy_that_matched_has_its_story_found_by_event(desk: Desk):
    """The first of the family matched nothing: a watch came, or its text did."""
    original, *later = reports(*EVENT)
    unmatched = News("a", original.body, title=original.title)
    copy = News("b", original.body, title=original.title, hits=(HIT,))
    placed = await desk.bring(unmatched, copy, later[0])
    assert [each.role for each in placed] == [Role.FIRST, Role.COPY, Role.REPORT]
    assert len({each.story for each in placed}) == 1


# --------------------------------------------------------------------------- again and at once


async def test_the_same_ingest_again_changes_nothing(desk: Desk):
    """Neither stories nor threads nor families, in whatever order it is repeated."""
    news = [
        News("a", LONG),
        News("b", CUT),
        News("c", GROWN, hits=(HIT,)),
        *reports(*EVENT, ELSEWHERE),
    ]
    await desk.bring(*news)
    before = await desk.together()
    tables = await _tables(desk.store)
    for each in reversed(news):
        placed = await desk.again(each)
        assert placed.shown_in == ()
    assert await desk.together() == before
    assert await _tables(desk.store) == tables


async def test_what_was_told_stays_where_it_was_told(desk: Desk):
    """The page took the hit back, and says now what another one says: its message stands."""
    told = News("a", text(9, 100), hits=(HIT,))
    first, other = await desk.bring(told, News("b", LONG))
    await desk.show()
    await desk.again(replace(told, hits=()))
    placed = await desk.again(replace(told, body=LONG))
    assert placed.story == first.story != other.story
    assert len(await desk.show()) == 1


async def _tables(store: SqlStore) -> list[object]:
    """What grouping keeps, row for row."""
    statements = [
        "SELECT id, story_id, copy_of, novelty FROM article ORDER BY id",
        "SELECT id, follows, merged_into, thread FROM story ORDER BY id",
        "SELECT * FROM story_term ORDER BY term, story_id",
        "SELECT story_id, channel FROM delivery ORDER BY story_id",
    ]
    return [
        await store.query(lambda c, s=statement: [tuple(row) for row in c.execute(sa.text(s))])
        for statement in statements
    ]


@pytest.mark.parametrize("workers", [4])
async def test_copies_that_come_at_once_are_one_story_and_one_alert(
    database_url: str, workers: int
):
    """Forty copies, four workers with stores of their own."""
    async with several(database_url, workers) as stores:
        await stores[0].write(lambda tx: tx.sync_watches([CEASEFIRE], NOW))
        desk = Desk(stores[0])
        news = [News(f"n{n}", f"{text(50 + n, 15)} {LONG}", hits=(HIT,)) for n in range(40)]
        await desk.list(*news)

        async def work(store: SqlStore, mine: Sequence[News]) -> None:
            for each in mine:
                await store.write(lambda tx, n=each: ingest(tx, desk.ids[n.name], n, NOW))

        await asyncio.gather(
            *(work(store, news[number::workers]) for number, store in enumerate(stores))
        )
        assert await desk.together() == {frozenset(each.name for each in news)}
        shown = await desk.show()
    assert len({delivery.id for delivery in shown}) == 1


def stream(count: int = 200) -> list[News]:
    """Copies, updates and reports of some events, in the order of time."""
    rng = random.Random(11)
    news = []
    for number in range(count):
        seed = rng.randrange(count // 6)
        body = text(seed, 150)
        if rng.random() < 0.4:
            body = body[: len(body) // 2]
        if rng.random() < 0.3:
            body = f"{text(1000 + number, 80)} {body}"
        hits = (HIT,) if rng.random() < 0.5 else ()
        at = NOW + number * HOUR
        news.append(News(f"n{number}", body, title=text(seed, 8), at=at, hits=hits))
    return news


async def test_restarts_make_no_other_stories(database_url: str, empty_twin: str):
    """Nothing that decides is in memory: a new store every fifty articles changes nothing."""
    outcomes = []
    for url, every in ((database_url, 50), (empty_twin, 200)):
        news = stream()
        async with SqlStore(url) as store:
            await store.write(lambda tx: tx.sync_watches([CEASEFIRE], NOW))
            desk = Desk(store)
            await desk.list(*news)
        for begin in range(0, len(news), every):
            async with SqlStore(url) as store:
                desk.store = store
                for each in news[begin : begin + every]:
                    await desk.again(each)
        async with SqlStore(url) as store:
            desk.store = store
            outcomes.append(await desk.together())
    assert outcomes[0] == outcomes[1]
    assert 20 < len(outcomes[0]) < 120


@pytest.fixture
def empty_twin(request: pytest.FixtureRequest, database_url: str, tmp_path) -> str:
    """A second database of the same kind."""
    if database_url.startswith("sqlite"):
        url = f"sqlite:///{tmp_path / 'twin' / 'monitor.db'}"
    else:
        url = request.getfixturevalue("empty_postgres_url")
    upgrade(url)
    return url
