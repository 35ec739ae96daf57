"""What began for a watch, as both databases tell it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts.message import Card
from monitor.model import Watch
from monitor.ports import Beginnings, spike_subject
from monitor.storage import SqlStore
from monitor.telling.spikes import hour_of, quarter_of, start_of
from tests.contracts.archive import Archive
from tests.contracts.material import CEASEFIRE, KASHMIR, NOW
from tests.contracts.test_plans import SCANS, plans, recording

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def archive() -> Archive:
    made = Archive()
    for watch in (CEASEFIRE, KASHMIR):
        made.watch(watch, NOW - 40 * DAY)
    return made


async def lately(store: SqlStore, *watches: str) -> list[tuple[str, int, str, str]]:
    """What began in the last hour: watch, minutes ago, voice, title."""
    found = await store.read(lambda tx: tx.begun_since(watches or ("Ceasefire",), NOW - HOUR))
    return [(each.watch, round((NOW - each.at) / MINUTE), each.voice, each.title) for each in found]


async def test_a_story_begins_with_its_first_article(store: SqlStore, archive: Archive):
    """What goes on began before; what another watch found, this one may find for the first time."""
    old = archive.story(NOW - DAY)
    archive.article(NOW - DAY, "Ceasefire", story=old)
    archive.article(NOW - 20 * MINUTE, "Ceasefire", "Kashmir", story=old, title="Goes on")
    archive.article(NOW - 10 * MINUTE, "Ceasefire", title="New")
    archive.article(NOW - 61 * MINUTE, "Ceasefire", title="Before")
    archive.article(NOW - 5 * MINUTE, title="Of no watch")
    await archive.save(store)
    assert await lately(store) == [("Ceasefire", 10, "Dawn", "New")]
    assert await lately(store, "Ceasefire", "Kashmir", "Nobody's") == [
        ("Kashmir", 20, "Dawn", "Goes on"),
        ("Ceasefire", 10, "Dawn", "New"),
    ]
    assert await store.read(lambda tx: tx.begun_since((), NOW - HOUR)) == ()


async def test_a_copy_speaks_with_the_voice_of_what_it_prints(store: SqlStore, archive: Archive):
    """An agency's, if its root credits one; else that of who had the text first."""
    story = archive.story(NOW)
    root = archive.article(NOW - 9 * MINUTE, "Ceasefire", story=story, agency="PTI")
    archive.article(NOW - 8 * MINUTE, "Ceasefire", story=story, publisher="The Hindu", copy_of=root)
    own = archive.article(NOW - 7 * MINUTE, "Ceasefire", story=story, publisher="BBC")
    archive.article(NOW - 6 * MINUTE, "Ceasefire", story=story, publisher="Echo", copy_of=own)
    await archive.save(store)
    assert [voice for _, _, voice, _ in await lately(store)] == ["PTI", "PTI", "BBC", "BBC"]


@pytest.mark.parametrize(
    ("published", "backlog", "counts"),
    [
        (timedelta(minutes=59), False, True),
        (timedelta(minutes=61), False, False),  # seen late: the service was away, or the feed slow
        (timedelta(days=30), True, False),
        (timedelta(minutes=-90), False, True),  # of the future: a wrong time zone
        (None, False, True),
        (None, True, False),  # a new feed's list
        (timedelta(minutes=3), True, True),
    ],
)
async def test_only_what_is_fresh_begins(
    store: SqlStore, archive: Archive, published: timedelta | None, backlog: bool, counts: bool
):
    """Now, and in the baseline alike."""
    seen = NOW - 10 * MINUTE
    archive.article(
        seen,
        "Ceasefire",
        published_at=published if published is None else seen - published,
        backlog=backlog,
    )
    await archive.save(store)
    assert len(await lately(store)) == counts
    begun = await store.read(lambda tx: tx.beginnings("Ceasefire", NOW - DAY))
    assert begun.by_quarter == ({quarter_of(seen): 1} if counts else {})


async def test_what_was_late_at_first_begins_with_what_is_fresh(store: SqlStore, archive: Archive):
    """Both ways of counting have it at the same time."""
    story = archive.story(NOW)
    archive.article(NOW - 3 * HOUR, "Ceasefire", story=story, published_at=NOW - 9 * HOUR)
    archive.article(NOW - 10 * MINUTE, "Ceasefire", story=story)
    await archive.save(store)
    assert len(await lately(store)) == 1
    begun = await store.read(lambda tx: tx.beginnings("Ceasefire", NOW - DAY))
    assert begun.by_quarter == {quarter_of(NOW - 10 * MINUTE): 1}


async def test_stories_are_counted_by_quarters_each_once(store: SqlStore, archive: Archive):
    """At the time of their first article, on the quarter's edges, over weeks."""
    times = [NOW - 28 * DAY + MINUTE, NOW - DAY, NOW - DAY + 14 * MINUTE, NOW - DAY + 15 * MINUTE]
    for at in times:
        story = archive.story(at)
        archive.article(at, "Ceasefire", story=story)
        archive.article(at + HOUR, "Ceasefire", story=story, publisher="BBC")
    archive.article(NOW - DAY, "Kashmir")
    archive.article(NOW - 29 * DAY, "Ceasefire")
    await archive.save(store)
    begun = await store.read(lambda tx: tx.beginnings("Ceasefire", NOW - 28 * DAY))
    assert begun == Beginnings(
        by_quarter={
            quarter_of(times[0]): 1,
            quarter_of(times[1]): 2,
            quarter_of(times[3]): 1,
        },
        declared_at=NOW - 40 * DAY,
    )
    unknown = await store.read(lambda tx: tx.beginnings("Nobody's", NOW - 28 * DAY))
    assert unknown == Beginnings(by_quarter={}, declared_at=None)


async def test_what_was_matched_later_began_when_it_was_seen(store: SqlStore, archive: Archive):
    """A watch that was run over the archive has a history at once."""
    archive.article(NOW - 5 * DAY, "Ceasefire", matched_at=NOW - MINUTE)
    await archive.save(store)
    assert await lately(store) == []
    begun = await store.read(lambda tx: tx.beginnings("Ceasefire", NOW - 28 * DAY))
    assert begun.by_quarter == {quarter_of(NOW - 5 * DAY): 1}


async def test_hours_in_which_something_was_read(store: SqlStore, archive: Archive):
    """From their first moment up to the next hour's."""
    archive.article(NOW)
    archive.article(NOW + 3 * HOUR - timedelta(microseconds=1))
    await archive.save(store)
    hours = [
        (start_of(hour), start_of(hour + 1)) for hour in range(hour_of(NOW) - 1, hour_of(NOW) + 4)
    ]
    assert await store.read(lambda tx: tx.was_read(hours)) == [False, True, False, True, False]
    assert await store.read(lambda tx: tx.was_read(())) == []


async def test_when_a_spike_was_last_told(store: SqlStore):
    """Of this watch and channel alone, whatever other watches are called."""
    told = {
        ("#news", "A"): NOW - 3 * HOUR,
        ("#other", "A"): NOW - 2 * HOUR,
        ("#news", "A:2025"): NOW - HOUR,
        ("#news", "A 2"): NOW - HOUR,
        ("#news", "a"): NOW - HOUR,
    }
    for (channel, watch), at in told.items():
        card = Card(title=watch)
        await store.write(
            lambda tx, c=channel, w=watch, at=at, card=card: tx.tell(
                c, spike_subject(w, at), card, at
            )
        )
    earlier = NOW - 9 * HOUR
    await store.write(
        lambda tx: tx.tell("#news", spike_subject("A", earlier), Card(title="A"), earlier)
    )
    assert await store.read(lambda tx: tx.spike_told_at("#news", "A")) == NOW - 3 * HOUR
    assert await store.read(lambda tx: tx.spike_told_at("#news", "B")) is None


async def test_the_look_for_spikes_goes_by_indexes(store: SqlStore, archive: Archive):
    """Its cost does not grow with the archive."""
    archive.article(NOW - MINUTE, "Ceasefire")
    await archive.save(store)
    with recording(store._engines.read) as statements:
        await store.read(lambda tx: tx.begun_since(("Ceasefire", "Kashmir"), NOW - HOUR))
        await store.read(lambda tx: tx.beginnings("Ceasefire", NOW - 28 * DAY))
        await store.read(lambda tx: tx.was_read([(NOW - HOUR, NOW)]))
        await store.read(lambda tx: tx.spike_told_at("#news", "Ceasefire"))
    explained = plans(store, statements)
    assert len(explained) >= 5
    scans = {
        text: plan
        for text, plan in explained.items()
        if SCANS.search(plan) or "SCAN notice" in plan or "Seq Scan on notice" in plan
    }
    assert scans == {}


def test_a_subject_says_watch_and_minute():
    """In that order, so that those of a watch stand together."""
    assert spike_subject("A: b", NOW) == "spike:A: b:2025-05-10T12:00Z"
    assert Watch(name="A").spike is None


async def test_mentions_are_articles_each_once(store: SqlStore, archive: Archive):
    """Whichever of the watches found them; what was old when it was seen is none of that day."""
    story = archive.story(NOW)
    archive.article(NOW - DAY, "Ceasefire", "Kashmir", story=story)
    archive.article(NOW - DAY + MINUTE, "Kashmir", story=story)
    archive.article(NOW - MINUTE, "Ceasefire", published_at=NOW - 23 * HOUR)
    archive.article(NOW - MINUTE, "Ceasefire", published_at=NOW - 25 * HOUR)
    archive.article(NOW - MINUTE, "Ceasefire", published_at=None, backlog=True)
    archive.article(NOW - 3 * DAY, "Ceasefire")
    await archive.save(store)
    both = ("Ceasefire", "Kashmir")
    with recording(store._engines.read) as statements:
        found = await store.read(lambda tx: tx.mentions(both, NOW - 2 * DAY))
    assert found == {quarter_of(NOW - DAY): 2, quarter_of(NOW - MINUTE): 1}
    one = await store.read(lambda tx: tx.mentions(("Ceasefire",), NOW - 2 * DAY))
    assert one == {quarter_of(NOW - DAY): 1, quarter_of(NOW - MINUTE): 1}
    assert {
        text: plan for text, plan in plans(store, statements).items() if SCANS.search(plan)
    } == {}
