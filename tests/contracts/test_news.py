"""The front page's questions, on either database."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from alerts import Card
from monitor.model import Deed, DeliveryState, StoryId, Watch
from monitor.ports import Marks, Sought, Standing
from monitor.storage import SqlReports, SqlStore
from monitor.storage import now as storage_now
from monitor.storage import tables as t
from tests.contracts.archive import Archive
from tests.contracts.material import CEASEFIRE, NOW

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FLOODS = Watch(name="Floods", terms=("flood",))


def headlines(page) -> list[str]:
    return [row.lead.title for row in page.rows]


@pytest.fixture
def archive() -> Archive:
    made = Archive()
    made.watch(CEASEFIRE, NOW)
    made.watch(FLOODS, NOW)
    return made


async def walked(reports: SqlReports, sought: Sought, limit: int) -> list[list[str]]:
    pages, before = [], None
    while True:
        page = await reports.news.page(sought, limit, before=before)
        pages.append(headlines(page))
        if page.earlier is None:
            return pages
        before = page.earlier


async def test_what_was_found_last_comes_first_and_each_story_once(
    store: SqlStore, archive: Archive
):
    """Over all pages, though its hits are on many of them."""
    stories = [archive.story(NOW) for _ in range(4)]
    for minute, number in enumerate((0, 1, 0, 2, 3, 0, 1)):
        archive.article(
            NOW + minute * MINUTE, CEASEFIRE.name, story=stories[number], title=f"s{number}"
        )
    archive.article(NOW + HOUR, title="nothing was found")
    await archive.save(store)
    reports = SqlReports(store)
    assert await walked(reports, Sought(), 10) == [["s1", "s0", "s3", "s2"]]
    assert await walked(reports, Sought(), 2) == [["s1", "s0"], ["s3", "s2"]]
    assert await walked(reports, Sought(), 1) == [["s1"], ["s0"], ["s3"], ["s2"]]


@pytest.mark.parametrize(
    ("sought", "expected"),
    [
        (Sought(watch="Floods"), ["urdu"]),
        (Sought(publisher="Jang"), ["urdu"]),
        (Sought(side="india"), ["plain", "held"]),
        (Sought(language="en"), ["plain", "held"]),
        (Sought(language="ur"), ["urdu"]),
        (Sought(since=NOW + 2 * MINUTE), ["urdu", "plain"]),
        (Sought(until=NOW + 2 * MINUTE), ["held", "muted"]),
        (Sought(words=("PL", "ain")), ["plain"]),
        (Sought(standing=Standing.ALERTED), ["muted"]),
        (Sought(standing=Standing.HELD), ["held"]),
        (Sought(standing=Standing.MUTED), ["muted"]),
        (Sought(standing=Standing.ACKNOWLEDGED), ["muted"]),
        (Sought(standing=Standing.SILENT), ["urdu"]),
        (Sought(side="india", standing=Standing.HELD, language="en"), ["held"]),
        (Sought(publisher="%"), []),
    ],
    ids=str,
)
async def test_only_what_is_sought_is_found(
    store: SqlStore, archive: Archive, sought: Sought, expected: list[str]
):
    """Each filter by itself, and together; what is asked of few stories finds the same."""
    muted, held, plain, urdu = (archive.story(NOW) for _ in range(4))
    for minute, (story, title, values) in enumerate(
        (
            (muted, "muted", {"publisher": "Reuters"}),
            (held, "held", {}),
            (plain, "plain", {}),
            (urdu, "urdu", {"publisher": "Jang"}),
        )
    ):
        watch = FLOODS if story == urdu else CEASEFIRE
        at = NOW + minute * MINUTE
        archive.article(at, watch.name, story=story, title=title, **values)
    await archive.save(store)
    with store._engines.write.begin() as connection:
        speak = sa.update(t.article).values
        connection.execute(speak(language="en-IN").where(t.article.c.story_id.in_([held, plain])))
        connection.execute(speak(language="ur").where(t.article.c.story_id == urdu))
        connection.execute(
            sa.update(t.feed).where(t.feed.c.publisher == "Dawn").values(side="india")
        )
    await store.write(lambda tx: tx.hold(StoryId(held), CEASEFIRE.name, "1 of 2 publishers", NOW))
    for story in (muted, plain):
        await store.write(lambda tx, story=story: tx.want_delivery(StoryId(story), "#news", NOW))
    sent = await store.write(lambda tx: tx.claim_due("#news", NOW, HOUR))
    await store.write(lambda tx: tx.finish_delivery(sent.id, DeliveryState.SENT, NOW))
    for deed in (Deed.MUTED, Deed.SEEN):
        await store.write(lambda tx, deed=deed: tx.set_hand(sent.id, deed, "Ada", NOW))
    news = SqlReports(store).news
    assert headlines(await news.page(sought, 10)) == expected
    rows = await news.among(sought, [StoryId(each) for each in (muted, held, plain, urdu)])
    assert [row.lead.title for row in rows] == expected


async def test_a_story_is_shown_by_what_leads_it_and_by_what_came_last(
    store: SqlStore, archive: Archive
):
    """With all that became of it."""
    story = archive.story(NOW)
    lead = archive.article(NOW, CEASEFIRE.name, story=story, title="lead", agency="PTI")
    archive.article(NOW + MINUTE, CEASEFIRE.name, story=story, copy_of=lead, publisher="Copyist")
    archive.article(NOW + 2 * MINUTE, story=story, publisher="Quiet")
    archive.article(NOW + 3 * MINUTE, FLOODS.name, story=story, title="last", publisher="Jang")
    await archive.save(store)
    await store.write(lambda tx: tx.want_delivery(StoryId(story), "#news", NOW))
    [delivery] = await SqlReports(store).messages.newest(1)
    await store.write(lambda tx: tx.fold([delivery.id], "flood:#news:1"))
    [row] = (await SqlReports(store).news.page(Sought(), 10)).rows
    assert (row.story, row.at, row.lead.title, row.lead.article) == (
        story,
        NOW + 3 * MINUTE,
        "lead",
        lead,
    )
    assert row.latest is not None
    assert (row.latest.title, row.latest.publisher) == ("last", "Jang")
    assert (row.articles, row.copies) == (4, 1)
    assert row.publishers == ("Dawn", "Copyist", "Quiet", "Jang")
    assert row.watches == (CEASEFIRE.name, FLOODS.name)
    assert [(each.state, each.channel) for each in row.messages] == [
        (DeliveryState.FOLDED, "#news")
    ]


async def test_where_little_is_sought_looking_ends_and_goes_on(
    store: SqlStore, archive: Archive, monkeypatch: pytest.MonkeyPatch
):
    """It is told how far it looked; whoever goes on finds what is there, and nothing twice."""
    monkeypatch.setattr(storage_now, "STEP", 3)
    monkeypatch.setattr(storage_now, "STEPS", 2)
    for minute in range(20):
        title = "rare" if minute in {2, 18} else "common"
        archive.article(NOW + minute * MINUTE, CEASEFIRE.name, title=title)
    await archive.save(store)
    news, sought = SqlReports(store).news, Sought(words=("rare",))
    page = await news.page(sought, 5)
    assert headlines(page) == ["rare"]
    assert page.looked_back_to == NOW + 14 * MINUTE
    assert await walked(SqlReports(store), sought, 5) == [["rare"], [], ["rare"], []]


async def test_what_happens_about_stories_is_told(store: SqlStore, archive: Archive):
    """New hits, messages' outcomes, those told in a list with it, and people's deeds."""
    stories = [StoryId(archive.story(NOW)) for _ in range(4)]
    for story in stories:
        archive.article(NOW, CEASEFIRE.name, story=story)
    await archive.save(store)
    for story in stories:
        await store.write(lambda tx, story=story: tx.want_delivery(story, "#news", NOW))
    news = SqlReports(store).news
    ids = {row.story: row.id for row in await SqlReports(store).messages.newest(10)}
    start = await news.marks()
    assert await news.changed(start) == (start, ())
    assert set((await news.changed(Marks(hit=0, outcome=0, deed=0)))[1]) == set(stories)

    async def after(work) -> set[StoryId]:
        marks = await news.marks()
        await store.write(work)
        now, found = await news.changed(marks)
        assert now == await news.marks() != marks
        return set(found)

    assert await after(lambda tx: tx.note_outcome([ids[stories[0]]], "sent", NOW)) == {stories[0]}
    assert await after(
        lambda tx: tx.note_deed(
            "m", user="", name="Ada", action="see", subject=ids[stories[1]], channel="", now=NOW
        )
    ) == {stories[1]}
    card = Card(delivery_id="", title="Two stories")
    await store.write(lambda tx: tx.tell("#news", "flood:#news:1", card, NOW, due_at=NOW - HOUR))
    await store.write(lambda tx: tx.fold([ids[each] for each in stories[2:]], "flood:#news:1"))
    notice = await store.write(lambda tx: tx.claim_due("#news", NOW, HOUR))
    assert await after(lambda tx: tx.note_outcome([notice.id], "sent", NOW)) == set(stories[2:])


async def test_the_strip_counts_what_needs_somebody(store: SqlStore, archive: Archive):
    """Of the last day, and of what is not settled; what was settled long ago is not looked at."""
    for hours in (1, 30):
        archive.article(NOW - hours * HOUR, CEASEFIRE.name, matched_at=NOW - hours * HOUR)
    stories = [StoryId(archive.story(NOW)) for _ in range(3)]
    await archive.save(store)
    for story, state in zip(
        stories, (DeliveryState.SENT, DeliveryState.DEAD, DeliveryState.RETRY), strict=True
    ):
        await store.write(lambda tx, story=story: tx.want_delivery(story, "#news", NOW))
        row = await store.write(lambda tx: tx.claim_due("#news", NOW, HOUR))
        await store.write(
            lambda tx, row=row, state=state: tx.finish_delivery(row.id, state, NOW, error="no")
        )
    strip = await SqlReports(store).news.strip(NOW)
    assert (strip.hits, strip.told, strip.dead, strip.waiting, strip.retrying) == (1, 1, 1, 1, 1)
    assert (sum(strip.feeds.values()), strip.held, strip.stories_held) == (1, 0, 0)


# --------------------------------------------------------------------------- messages


async def test_messages_are_listed_from_the_newest_on(store: SqlStore, archive: Archive):
    """Of both kinds, by state and by channel, page by page."""
    stories = [StoryId(archive.story(NOW)) for _ in range(3)]
    for story in stories:
        archive.article(NOW, CEASEFIRE.name, story=story, title=f"story {story}")
    await archive.save(store)
    card = Card(delivery_id="", title="A notice")
    for minute, story in enumerate(stories):
        channel = "#b" if minute == 1 else "#a"
        at = NOW + minute * MINUTE
        await store.write(lambda tx, s=story, c=channel, at=at: tx.want_delivery(s, c, at))
    await store.write(lambda tx: tx.tell("#a", "feeds", card, NOW + 3 * MINUTE))
    messages = SqlReports(store).messages
    everything = await messages.newest(10)
    named = ["A notice", *(f"story {story}" for story in reversed(stories))]
    assert [row.headline for row in everything] == named
    paged, before = [], None
    while page := await messages.newest(1, before=before):
        paged += page
        before = (page[0].created_at, page[0].id)
    assert [row.headline for row in paged] == named
    assert [row.headline for row in await messages.newest(10, channel="#b")] == [named[2]]
    assert await messages.newest(10, states=[DeliveryState.DEAD]) == ()
    assert await messages.channels() == ["#a", "#b"]
    assert [row.headline for row in await messages.of_story(stories[0])] == [named[3]]


async def test_what_became_of_a_message_is_kept_in_order_and_forgotten(
    store: SqlStore, archive: Archive
):
    """For ninety days."""
    story = StoryId(archive.story(NOW))
    archive.article(NOW, CEASEFIRE.name, story=story)
    await archive.save(store)
    await store.write(lambda tx: tx.want_delivery(story, "#a", NOW))
    messages = SqlReports(store).messages
    [row] = await messages.newest(1)
    await store.write(lambda tx: tx.note_outcome([row.id], "deferred", NOW, error="ratelimited"))
    await store.write(lambda tx: tx.note_outcome([row.id], "sent", NOW + 40 * DAY))
    await store.write(lambda tx: tx.note_outcome([], "sent", NOW))
    became = (await messages.outcomes([row.id]))[row.id]
    assert [(each.what, each.error) for each in became] == [
        ("deferred", "ratelimited"),
        ("sent", None),
    ]
    await store.write(lambda tx: tx.forget_told(NOW + 91 * DAY))
    assert [each.what for each in (await messages.outcomes([row.id]))[row.id]] == ["sent"]
    assert await messages.outcomes([]) == {}
