"""Lists of stories, on either database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts import Card
from monitor.compose import Rules, compose_reply, lead_of
from monitor.match import compile_watches
from monitor.model import StoryId
from monitor.ports import Sought
from monitor.storage import SqlReports, SqlStore
from monitor.stories.frequencies import shipped
from monitor.web.timeline import timeline
from tests.contracts.archive import Archive
from tests.contracts.material import CEASEFIRE, NOW
from tests.pipeline.desk import CHANNEL, HIT, Desk, News, text

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
CARD = Card(delivery_id="", title="Killed: 14 → 8")


@pytest.fixture
async def desk(store: SqlStore) -> Desk:
    await store.write(lambda tx: tx.sync_watches([CEASEFIRE], NOW))
    return Desk(store)


async def test_a_listed_story_is_counted(desk: Desk):
    """Its articles, those that add little to another one, and who carries them, first seen first."""
    body = text(1, 300)
    [first, *_] = await desk.bring(
        News("a", body, hits=(HIT,)),
        News("b", body, at=NOW + MINUTE),
        News("c", f"{text(2, 250)} {body}", at=NOW + 2 * MINUTE),
    )
    [row] = await SqlReports(desk.store).stories(10)
    assert (row.story, row.headline, row.articles, row.copies) == (first.story, "Headline a", 3, 1)
    assert row.publishers == ("Publisher 1", "Publisher 2", "Publisher 3")
    assert (row.created_at, row.first_at, row.last_at) == (NOW, NOW, NOW + 2 * MINUTE)
    assert row.channels == (CHANNEL,)


async def test_stories_stand_by_their_newest_articles(store: SqlStore):
    """What is shown is what they are sorted by, not when a watch found something in them."""
    archive = Archive()
    archive.watch(CEASEFIRE, NOW)
    hours = {"found late": (5, 0), "grew without a hit": (2, 4), "plain": (3, 3)}
    stories = {title: archive.story(NOW) for title in hours}
    for title, (found_at, newest_at) in hours.items():
        told = {"story": stories[title], "title": title}
        first = min(found_at, newest_at)
        matched_at = NOW + found_at * HOUR
        archive.article(NOW + first * HOUR, CEASEFIRE.name, matched_at=matched_at, **told)
        if newest_at > first:
            archive.article(NOW + newest_at * HOUR, **told)
    await archive.save(store)
    rows = await SqlReports(store).stories(10)
    assert [row.headline for row in rows] == ["grew without a hit", "plain", "found late"]
    assert [row.last_at for row in rows] == [NOW + hour * HOUR for hour in (4, 3, 0)]


@pytest.mark.parametrize(
    ("of", "near"),
    [(0, [3, 2, 1]), (3, [5, 4, 2]), (6, [5, 4, 3])],
    ids=["oldest", "middle", "newest"],
)
async def test_stories_are_found_near_another(desk: Desk, of: int, near: list[int]):
    """The nearest in time, the newest first; not itself, and none that nothing was found in."""
    minutes = (0, 3, 4, 6, 7, 8, 12)
    news = [
        News(f"s{n}", body, body.split(maxsplit=1)[0], NOW + each * MINUTE, (HIT,))
        for n, (each, body) in enumerate(zip(minutes, map(text, range(10, 17)), strict=True))
    ]
    quiet = News("quiet", text(99), at=NOW + 6 * MINUTE)
    again = News("again", text(10), at=NOW + 13 * MINUTE, hits=(HIT,))
    placed = await desk.bring(*news[:4], quiet, *news[4:], again)
    stories = [each.story for each in (*placed[:4], *placed[5:8])]
    assert placed[-1].story == stories[0]
    rows = await SqlReports(desk.store).stories(3, near=stories[of])
    assert [row.story for row in rows] == [stories[n] for n in near]


async def test_near_what_nothing_was_found_in_there_is_nothing(desk: Desk):
    """Nor near a story that there is not."""
    [quiet, _] = await desk.bring(News("quiet", text(1)), News("a", text(2), hits=(HIT,)))
    reports = SqlReports(desk.store)
    assert [await reports.stories(3, near=each) for each in (quiet.story, 77)] == [(), ()]


async def test_a_story_is_named_by_what_was_news(store: SqlStore):
    """In lists, beside its delivery, in a line, on the page, in its message: not by the backlog."""
    archive, day = Archive(), timedelta(days=1)
    archive.watch(CEASEFIRE, NOW)
    story = archive.story(NOW)
    for minutes, title, values in (
        (0, "nothing was found", {}),
        (1, "backlog", {"backlog": True}),
        (2, "late", {"published_at": NOW - 3 * day}),
        (3, "fresh", {}),
        (4, "later", {}),
    ):
        found = (CEASEFIRE.name,) if minutes else ()
        archive.article(NOW + minutes * MINUTE, *found, story=story, title=title, **values)
    await archive.save(store)
    await store.write(lambda tx: tx.want_delivery(StoryId(story), CHANNEL, NOW))
    rules = Rules(
        watches=(CEASEFIRE,),
        matcher=compile_watches((CEASEFIRE,)),
        default_channel=CHANNEL,
        interval=MINUTE,
        max_age=day,
    )
    reports = SqlReports(store, lambda: rules.max_age)
    trace = await reports.story(StoryId(story))
    assert trace is not None
    briefs = await store.read(lambda tx: tx.briefs([StoryId(story)], rules.max_age))
    lead = lead_of(trace.view, CHANNEL, rules)
    assert lead is not None
    said = [
        *(row.headline for row in await reports.stories(10)),
        *(row.headline for row in await reports.deliveries(10)),
        *(row.headline for row in trace.deliveries),
        briefs[StoryId(story)].headline,
        timeline(trace, shipped(), rules.max_age).headline,
        *(row.lead.title for row in (await reports.news.page(Sought(), 10)).rows),
        lead[0].title,
        compose_reply(CARD, trace.view, CHANNEL, rules).title,
    ]
    assert said == ["fresh"] * 7 + ["↳ Re: fresh — Killed: 14 → 8"]
