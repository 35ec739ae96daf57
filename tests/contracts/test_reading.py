"""What every store promises of articles that are read again, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from monitor.errors import Superseded
from monitor.model import ArticleId, ArticleState, Feed, Health, Hints, Move, Seen
from monitor.ports import Added, FoundEntry, Listing
from monitor.storage import SqlReports, SqlStore, sites, tables
from monitor.stories.furniture import PARAGRAPH_BITS, host_range
from tests.contracts.material import (
    BUCKET,
    HIT,
    HOST,
    LEASE,
    MINUTE,
    NOW,
    content,
    found,
    given_articles,
    given_entries,
    given_feed,
    given_story,
    in_new_story,
    polled,
    spec,
)

DAY = timedelta(days=1)
ONE, TWO, THREE = (host_range(HOST)[0] + number for number in range(3))


async def rows_of(store: SqlStore, table: sa.Table) -> int:
    count = sa.select(sa.func.count()).select_from(table)
    number = await store.query(lambda connection: connection.execute(count).scalar_one())
    assert isinstance(number, int)
    return number


# --------------------------------------------------------------------------- what sites repeat


async def test_a_paragraph_is_seen_in_other_articles(store: SqlStore) -> None:
    """With how many feeds say it, not in the article that asks, and not from before."""
    ids = [each.id for each in await given_articles(store, "a", "b", "c")]
    for article, days, fed in zip(ids, (40, 2, 1), (True, False, True), strict=True):
        at = NOW - days * DAY
        await store.write(
            lambda t, a=article, at=at, f=fed: t.note_paragraphs(a, {ONE: f, TWO: False}, at)
        )

    async def seen(but: int, days: int) -> dict[int, Seen]:
        since = NOW - days * DAY
        hashes = {ONE, TWO, THREE}
        return dict(
            await store.read(lambda t: t.seen_paragraphs(hashes, but=ArticleId(but), since=since))
        )

    both = {ONE: Seen(articles=2, fed=1), TWO: Seen(articles=2, fed=0)}
    assert await seen(but=0, days=30) == both
    assert await seen(but=ids[0], days=50) == both
    assert await seen(but=ids[2], days=30) == {
        ONE: Seen(articles=1, fed=0),
        TWO: Seen(articles=1, fed=0),
    }
    assert await store.read(lambda t: t.seen_paragraphs((), but=ids[0], since=NOW)) == {}


async def test_a_paragraph_is_noted_once_and_of_the_newest(store: SqlStore) -> None:
    """The same article again moves its day; of many articles four are kept."""
    articles = await given_articles(store, *"abcdef")
    for number, each in enumerate(articles):
        at = NOW + number * DAY
        for _ in range(2):
            await store.write(lambda t, a=each.id, at=at: t.note_paragraphs(a, {ONE: False}, at))
    await store.write(lambda t: t.note_paragraphs(articles[2].id, {ONE: True}, NOW + 9 * DAY))
    kept = sa.select(tables.site_paragraph.c.article_id, tables.site_paragraph.c.fed).order_by(
        tables.site_paragraph.c.article_id
    )
    rows = await store.query(lambda connection: connection.execute(kept).all())
    assert [(row.article_id, row.fed) for row in rows] == [
        (articles[2].id, True),
        (articles[3].id, False),
        (articles[4].id, False),
        (articles[5].id, False),
    ]


async def test_copies_and_strangers_note_nothing(store: SqlStore) -> None:
    """Nor does an article that was merged away meanwhile."""
    story = await given_story(store, "a")
    [first] = (await store.read(lambda t: t.story_view(story))).articles
    [copy] = await given_articles(store, "b", number=2)
    await store.write(lambda t: t.put_in_story(copy.id, story, copy_of=first.article))
    for article in (copy.id, ArticleId(999)):
        await store.write(lambda t, a=article: t.note_paragraphs(a, {ONE: False}, NOW))
    assert await rows_of(store, tables.site_paragraph) == 0


async def test_what_is_old_or_too_much_goes_in_turns(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slice a minute, all in a day; a host with too many loses the older half of its days."""
    monkeypatch.setattr(sites, "MOST_OF_A_HOST", 10)
    [article] = await given_articles(store, "a")
    first, _ = host_range(HOST)
    for day in range(4):
        hashes = dict.fromkeys(range(first + 10 * day, first + 10 * day + 5), False)
        at = NOW + day * DAY
        await store.write(lambda t, h=hashes, at=at: t.note_paragraphs(article.id, h, at))
    turn = NOW.replace(hour=0, minute=0)
    number = (first >> PARAGRAPH_BITS) * sites.SLICES >> (63 - PARAGRAPH_BITS)
    turn += ((number - int(turn.timestamp() // 60)) % sites.SLICES) * MINUTE
    assert await store.write(lambda t: t.forget_paragraphs(turn + MINUTE)) == 0
    assert await store.write(lambda t: t.forget_paragraphs(turn)) == 10
    assert await store.write(lambda t: t.forget_paragraphs(turn)) == 0
    later = turn + sites.SLICES * MINUTE * 50
    assert await store.write(lambda t: t.forget_paragraphs(later)) == 10
    assert await rows_of(store, tables.site_paragraph) == 0


# --------------------------------------------------------------------------- feeds that change


def said(each: FoundEntry, title: str, text: str = "Words.") -> FoundEntry:
    """An entry in other words."""
    return dataclasses.replace(each, entry=dataclasses.replace(each.entry, title=title, text=text))


async def same_feed(store: SqlStore) -> Feed:
    """The first feed, claimed once more."""
    later = NOW + 2 * LEASE
    [feed] = await store.write(lambda t: t.claim_feeds(BUCKET, later, LEASE, 10))
    return feed


async def test_what_is_remembered_of_a_document(store: SqlStore) -> None:
    """Marks of its items, what it asks of pollers, how it posts; and how often items were lost."""
    feed = await given_feed(store)
    assert feed.blocks == b""
    hints = Hints(ttl=timedelta(minutes=20), skip_hours=frozenset({0, 23}))
    listing = Listing(blocks=b"12345678", hints=hints, rhythm='{"n": 1}', overlap="[1]")
    await store.write(lambda t: t.keep_listings({feed.id: replace(listing, gap_at=NOW)}))
    await store.write(lambda t: t.keep_listings({feed.id: listing}))
    again = await same_feed(store)
    assert (again.hints, again.rhythm, again.overlap, again.gaps) == (hints, '{"n": 1}', "[1]", 1)
    assert again.blocks == b"12345678"
    assert await store.read(lambda t: t.rhythms(10)) == ({feed.spec.url: '{"n": 1}'}, 1)
    [row] = await SqlReports(store).feeds()
    assert (row.gaps, row.gap_at, row.rhythm) == (1, NOW, '{"n": 1}')


async def test_of_many_feeds_some_are_asked_how_they_post(store: SqlStore) -> None:
    """One of so many, evenly, whatever is not polled any more left out; and of how many each is."""
    specs = [spec(number) for number in range(1, 41)]
    await store.write(lambda t: t.sync_feeds(specs, NOW))
    await store.write(lambda t: t.sync_feeds(specs[:30], NOW))
    for most, feeds in ((100, 30), (40, 30), (39, 15), (10, 7), (1, 0)):
        some, step = await store.read(lambda t, most=most: t.rhythms(most))
        assert (len(some), step) == (feeds, -(-40 // most))
        assert set(some) <= {each.url for each in specs[:30]}


async def test_how_a_poll_leaves_its_feed(store: SqlStore) -> None:
    """Its health, and where it says it lives now."""
    feed = await given_feed(store)
    move = Move(url="https://new.example/feed", since=NOW, polls=2)
    update = polled(NOW, health=Health.SILENT, health_since=NOW, move=move)
    await store.write(lambda t: t.save_feeds({feed.id: update}))
    again = await same_feed(store)
    assert (again.health, again.health_since, again.move) == (Health.SILENT, NOW, move)
    await store.write(lambda t: t.save_feeds({feed.id: polled(NOW)}))
    assert (await same_feed(store)).move is None


@pytest.mark.parametrize(
    ("title", "text", "is_change"),
    [
        ("Title of a", "Words.", False),
        (" Title  of\na", "Words. ", False),
        ("Another title", "Words.", True),
        ("Title of a", "Other words.", True),
    ],
)
async def test_other_words_are_a_change(
    store: SqlStore, title: str, text: str, is_change: bool
) -> None:
    """Of an article that was read; what it was claimed with from then on are the new words."""
    await given_story(store, "a")
    feed = await same_feed(store)
    added = await given_entries(store, feed, said(found("a"), title, text))
    assert [each.read_at for each in added.changed] == ([NOW] if is_change else [])
    for each in added.changed:
        await store.write(lambda t, each=each: t.ask_again(each.article, NOW + MINUTE))
    later = NOW + MINUTE
    claimed = await store.write(lambda t: t.claim_articles(BUCKET, later, LEASE, 10))
    assert [(each.state, each.attempts, each.entry.title, each.entry.text) for each in claimed] == (
        [(ArticleState.DONE, 1, title, text)] if is_change else []
    )


async def test_what_is_not_read_yet_does_not_change(store: SqlStore) -> None:
    """It is going to be read anyway, in the new words."""
    feed = await given_feed(store)
    await given_entries(store, feed, found("a"))
    added = await given_entries(store, feed, said(found("a"), "Another title"))
    assert added == Added(known=1)
    [article] = await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10))
    assert article.entry.title == "Another title"
    text, later = content(article.url), NOW + LEASE
    await store.write(
        lambda t: t.save_article(
            article.id, text, state=ArticleState.PARTIAL, now=NOW, due_at=later
        )
    )
    await store.write(lambda t: t.ask_again(article.id, NOW))  # its page is tried again anyway
    assert not await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10))


async def test_what_a_feed_said_last_speaks(store: SqlStore) -> None:
    """Under a new guid, too; of several feeds the one with the most text."""
    await given_story(store, "a")
    url = "https://news.example/a"
    first = await same_feed(store)
    later = NOW + MINUTE
    newer = said(found("a2", url), "Newer", "Short.")
    added = await store.write(lambda t: t.add_entries(first, [newer], later))
    assert len(added.changed) == 1
    second = await given_feed(store, 2)
    other = await given_entries(store, second, said(found("x", url), "Other", "Sh."))
    assert other.changed == ()
    await store.write(lambda t: t.ask_again(added.changed[0].article, later))
    [article] = await store.write(lambda t: t.claim_articles(BUCKET, later, LEASE, 10))
    assert article.entry.title == "Newer"


# --------------------------------------------------------------------------- articles of before


async def test_an_article_is_stored_as_it_was_read(store: SqlStore) -> None:
    """With its hits; one that was not read yet is not."""
    story = await given_story(store, "a")
    [coverage] = (await store.read(lambda t: t.story_view(story))).articles
    stored = await store.read(lambda t: t.stored_article(coverage.article))
    assert stored is not None
    assert stored.content == content("https://news.example/a")
    assert (stored.story, stored.hits, stored.updates) == (story, (HIT,), {})
    [fresh] = await given_articles(store, "b", number=2)
    for article in (fresh.id, ArticleId(999)):
        assert await store.read(lambda t, a=article: t.stored_article(a)) is None


async def test_of_many_revisions_the_newest_are_kept(store: SqlStore) -> None:
    """In the order in which they were replaced; the trace tells of them."""
    await given_story(store, "a")
    [article] = [ArticleId(1)]
    for number in range(25):
        at = NOW + number * MINUTE
        body = f"Body {number}" if number % 2 else None
        await store.write(
            lambda t, n=number, at=at, b=body: t.keep_revision(article, f"Title {n}", b, at)
        )
    trace = await SqlReports(store).trace("https://news.example/a")
    assert trace is not None
    assert [each.title for each in trace.revisions] == [f"Title {n}" for n in range(5, 25)]
    assert [each.body for each in trace.revisions[:2]] == ["Body 5", None]
    assert trace.revisions[0].replaced_at == NOW + 5 * MINUTE


async def test_an_update_is_kept_once(store: SqlStore) -> None:
    """With the time that it was given first."""
    await given_story(store, "a")
    article = ArticleId(1)
    await store.write(lambda t: t.keep_updates(article, {"one": NOW, "two": NOW}))
    await store.write(lambda t: t.keep_updates(article, {"two": NOW + MINUTE, "three": NOW}))
    await store.write(lambda t: t.keep_updates(article, {}))
    stored = await store.read(lambda t: t.stored_article(article))
    assert stored is not None
    assert stored.updates == {"one": NOW, "two": NOW, "three": NOW}


async def test_furniture_is_shown_by_the_trace(store: SqlStore) -> None:
    """And is no part of the body."""
    [article] = await given_articles(store, "a")
    paragraphs = ("Also read: Kashmir", "यह भी पढ़ें")
    text = dataclasses.replace(content(article.url), furniture=paragraphs)
    await store.write(
        lambda t: t.save_article(article.id, text, state=ArticleState.DONE, now=NOW, due_at=None)
    )
    trace = await SqlReports(store).trace(article.url)
    assert trace is not None
    assert trace.furniture == paragraphs


async def test_what_is_left_is_not_due_until_then(store: SqlStore) -> None:
    """Its attempts begin anew; one that was merged away is told."""
    [one, two] = await given_articles(store, "a", "b")
    await store.write(in_new_story(one.id, one.url, text_hash="hash"))
    later = NOW + MINUTE
    await store.write(lambda t: t.ask_again(one.id, NOW))
    assert len(await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10))) == 1
    await store.write(lambda t: t.leave_article(one.id, now=NOW, due_at=later))
    assert not await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10))
    [again] = await store.write(lambda t: t.claim_articles(BUCKET, later, LEASE, 10))
    assert (again.id, again.attempts) == (one.id, 1)
    await store.write(lambda t: t.merge_article(two.id, one.id))
    with pytest.raises(Superseded):
        await store.write(lambda t: t.leave_article(two.id, now=NOW, due_at=None))


async def test_a_merged_articles_past_goes_with_it(store: SqlStore) -> None:
    """Nothing is left that names it."""
    [one, two] = await given_articles(store, "a", "b")
    for each in (one, two):
        await store.write(lambda t, a=each.id: t.keep_revision(a, "Title", "Body", NOW))
        await store.write(lambda t, a=each.id: t.keep_updates(a, {"one": NOW}))
    await store.write(lambda t: t.merge_article(two.id, one.id))
    assert await rows_of(store, tables.revision) == 1
    assert await rows_of(store, tables.article_update) == 1
