"""When watches were edited, and what they brought lately, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.model import Hit, Span, Watch
from monitor.pipeline.mentions import count_mentions
from monitor.ports import Snoozed, Watched
from monitor.ports.watches import Found
from monitor.storage import SqlReports, SqlStore
from tests.contracts.material import NOW
from tests.pipeline.desk import CHANNEL, Desk, News, text

TRUCE = Watch(name="Truce", terms=("truce",))
DAMS = Watch(name="Dams", query="dam*", channel="#water", min_publishers=2)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CHANNELS = {"Truce": CHANNEL, "Dams": "#water"}


@pytest.fixture
def reports(store: SqlStore) -> SqlReports:
    """The read side of the store."""
    return SqlReports(store)


async def lately(reports: SqlReports, name: str, now=NOW) -> Watched:
    """How one watch stands."""
    return (await reports.watched.lately([name], now, CHANNELS))[name]


@pytest.mark.parametrize(
    "edited",
    [
        replace(TRUCE, terms=("truce", "armistice")),
        replace(TRUCE, channel="#asia"),
        replace(TRUCE, min_publishers=3),
        replace(TRUCE, priority="critical"),
    ],
)
async def test_any_edit_of_a_watch_is_dated(
    store: SqlStore, reports: SqlReports, edited: Watch
) -> None:
    """Also of what is not stored; to be stored again, as at each start, is none."""
    await store.write(lambda tx: tx.sync_watches([TRUCE, DAMS], NOW))
    await store.write(lambda tx: tx.sync_watches([TRUCE, DAMS], NOW + HOUR))
    assert (await lately(reports, "Truce")).changed_at is None
    await store.write(lambda tx: tx.sync_watches([edited, DAMS], NOW + 2 * HOUR))
    await store.write(lambda tx: tx.sync_watches([edited, DAMS], NOW + 3 * HOUR))
    found = await lately(reports, "Truce")
    assert (found.created_at, found.changed_at) == (NOW, NOW + 2 * HOUR)
    assert (await lately(reports, "Dams")).changed_at is None


async def test_what_a_watch_brought_lately(store: SqlStore, reports: SqlReports) -> None:
    """Articles and stories by day; messages of its own channel; what is held and snoozed."""
    await store.write(lambda tx: tx.sync_watches([TRUCE, DAMS], NOW - 30 * DAY))
    hit = Hit(watch="Truce", spans=(Span(field="title", start=0, end=5, term="truce"),))
    desk = Desk(store)
    news = [
        News("old", text(1, 200), title="Truce at last", at=NOW - 2 * DAY, hits=(hit,)),
        News("new", text(2, 200), title="Truce broken", at=NOW - HOUR, hits=(hit,)),
        News("copy", text(2, 200), title="Truce broken", at=NOW - HOUR / 2, hits=(hit,)),
    ]
    placed = await desk.bring(*news)
    story = placed[-1].story
    await store.write(lambda tx: tx.want_delivery(story, "#other", NOW))
    await store.write(lambda tx: tx.hold(placed[0].story, "Truce", "1 of 2 publishers", NOW))
    await store.write(lambda tx: tx.snooze("Truce", CHANNEL, NOW + HOUR, "asha"))
    await store.write(lambda tx: tx.snooze("Truce", "#past", NOW - HOUR, "asha"))
    await count_mentions(store, NOW)

    found = await lately(reports, "Truce")
    assert (found.messages, found.held, found.counted_of) == (2, 1, None)
    assert found.snoozes == (Snoozed(channel=CHANNEL, until=NOW + HOUR, by="asha"),)
    days = await reports.watched.days(["Truce", "Dams"], NOW.date() - 7 * DAY)
    assert days == {
        "Truce": {NOW.date(): Found(2, 1), NOW.date() - 2 * DAY: Found(1, 1)},
    }
    assert await reports.watched.days(["Truce"], NOW.date()) == {"Truce": {NOW.date(): Found(2, 1)}}
    quiet = await lately(reports, "Dams")
    assert (quiet.messages, quiet.held, quiet.snoozes, quiet.precision) == (0, 0, (), None)
    assert await reports.watched.lately(["Nobody"], NOW, {}) == {}
    assert await reports.watched.days([], NOW.date()) == {}

    assert (await lately(reports, "Truce", NOW + 30 * DAY)).messages == 0

    delivery, *_ = await desk.show()
    await store.write(
        lambda tx: tx.judge(delivery.id, {"Truce": ["truce"]}, relevant=False, now=NOW)
    )
    judged = (await lately(reports, "Truce")).precision
    assert judged is not None
    assert (judged.judged, judged.relevant) == (1, 0)
