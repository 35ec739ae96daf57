"""What every store knows of feeds that nobody could reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitor.errors import Code
from monitor.model import FeedId, FeedStatus
from monitor.ports import FeedUpdate, Reach
from monitor.storage import SqlStore
from tests.contracts.material import BUCKET, LEASE, MINUTE, NOW, SECOND, polled, spec

HOUR = timedelta(hours=1)
ASKED = NOW - 10 * MINUTE


def away(due_at: datetime = NOW + HOUR, code: Code = Code.DNS, **changes: Any) -> FeedUpdate:
    """A poll that reached nobody."""
    return polled(
        due_at,
        **({"polled_at": ASKED} | changes),
        status=FeedStatus.FAILING,
        failures=4,
        error_code=str(code),
    )


async def given(store: SqlStore, ends: Sequence[FeedUpdate]) -> Sequence[FeedId]:
    """Feeds that were read two hours ago, and whose last polls ended so."""
    specs = [spec(number) for number in range(len(ends))]
    await store.write(lambda tx: tx.sync_feeds(specs, NOW - 2 * HOUR))
    feeds = await store.write(lambda tx: tx.claim_feeds(BUCKET, NOW - 2 * HOUR, LEASE, 50))
    ids = sorted(feed.id for feed in feeds)
    good = polled(NOW - HOUR, polled_at=NOW - 2 * HOUR)
    await store.write(lambda tx: tx.save_feeds(dict.fromkeys(ids, good)))
    updates: Mapping[FeedId, FeedUpdate] = dict(zip(ids, ends, strict=True))
    await store.write(lambda tx: tx.save_feeds(updates))
    return ids


@pytest.mark.parametrize(
    ("end", "counts"),
    [
        (away(), (1, 1, ASKED)),
        (away(code=Code.CONNECT), (1, 1, ASKED)),
        (away(code=Code.TIMEOUT), (1, 1, ASKED)),
        (away(code=Code.SERVER_ERROR), (1, 0, None)),  # somebody answered
        (polled(NOW + HOUR, polled_at=ASKED), (1, 0, None)),
        (away(polled_at=NOW - 90 * MINUTE), (0, 0, None)),  # nobody knows how it is now
    ],
)
async def test_feeds_out_of_reach_are_counted(store: SqlStore, end, counts) -> None:
    """Of those that were asked lately."""
    await given(store, [end])
    assert await store.read(lambda tx: tx.reach(NOW)) == Reach(*counts)


async def test_who_was_not_read_for_a_week_is_away_by_itself(store: SqlStore) -> None:
    """Nor is a feed of the crowd that has never been read."""
    await given(store, [away(polled_at=NOW + 8 * 24 * HOUR)])
    later = NOW + 8 * 24 * HOUR + 10 * MINUTE
    assert await store.read(lambda tx: tx.reach(later)) == Reach(1, 0)
    assert await store.read(lambda tx: tx.unreached_feeds(later, NOW - HOUR)) == []


async def test_those_are_asked_again_who_would_wait_for_longer(store: SqlStore) -> None:
    """The longest unasked is the first; who was asked just now, is due anyway, or is asked, is none."""
    ids = await given(
        store,
        [
            away(),
            away(polled_at=ASKED - MINUTE),
            away(polled_at=NOW - SECOND),
            away(NOW + SECOND),
            polled(NOW + HOUR, polled_at=ASKED),
            away(NOW),
        ],
    )
    [leased] = await store.write(lambda tx: tx.claim_feeds(BUCKET, NOW, LEASE, 50))
    assert leased.id == ids[5]
    assert leased.error == "dns"
    found = await store.read(lambda tx: tx.unreached_feeds(NOW, NOW + MINUTE))
    assert found == [ids[1], ids[0]]

    assert await store.write(lambda tx: tx.ask_feeds_again(ids, NOW + 2 * SECOND)) == 3
    assert await store.write(lambda tx: tx.ask_feeds_again(ids, NOW + 2 * SECOND)) == 0
    due = await store.write(lambda tx: tx.claim_feeds(BUCKET, NOW + 2 * SECOND, LEASE, 50))
    assert {feed.id for feed in due} == {*ids[:4]}
