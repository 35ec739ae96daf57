"""Items lost between two polls are noticed, and nothing else is taken for a loss."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.polling.gaps import CAUTION, Overlap, after, faster

NOW = datetime(2025, 5, 10, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class Reader:
    """Polls documents of (guid, hour of publication) each hour, and remembers what was listed."""

    def __init__(self) -> None:
        self.now = NOW
        self.polled_at: datetime | None = None
        self.newest_at: datetime | None = None
        self.seen: set[object] = set()
        self.last: dict[object, float | None] = {}
        self.overlap = Overlap()

    def poll(self, items: dict[object, float | None], *, wait: timedelta = HOUR) -> bool:
        self.now += wait
        if items == self.last:
            self.polled_at = self.now
            return False
        self.last = items
        dates = {
            guid: None if hours is None else NOW + timedelta(hours=hours)
            for guid, hours in items.items()
        }
        new = {guid: date for guid, date in dates.items() if guid not in self.seen}
        self.overlap, lost = after(
            self.overlap,
            listed=len(items),
            known=len(items) - len(new),
            published=tuple(new.values()),
            newest_at=self.newest_at,
            polled_at=self.polled_at,
            now=self.now,
        )
        self.overlap = Overlap.load(self.overlap.dump())
        self.seen |= set(items)
        self.newest_at = max(
            (date for date in (*dates.values(), self.newest_at) if date), default=None
        )
        self.polled_at = self.now
        return lost

    def window(
        self, first: int, size: int = 10, *, dated: bool = True
    ) -> dict[object, float | None]:
        """What a feed lists that posts an item each tenth of an hour."""
        return {n: n / 10 if dated else None for n in range(first, first + size)}

    def settle(self, polls: int = 6, *, dated: bool = True) -> int:
        """Some polls of a feed that overlaps; returns the first item of the last."""
        for n in range(polls):
            assert not self.poll(self.window(5 * n, dated=dated))
        return 5 * (polls - 1)


@pytest.mark.parametrize("dated", [True, False])
def test_items_are_lost_when_nothing_known_is_listed(dated):
    """On a feed that always overlapped: the list moved on by more than its length."""
    reader = Reader()
    first = reader.settle(dated=dated)
    assert reader.poll(reader.window(first + 25, dated=dated))


def test_an_outage_loses_items_too():
    """After two days away, whoever's fault it was."""
    reader = Reader()
    first = reader.settle()
    assert reader.poll(reader.window(first + 500), wait=timedelta(days=2))


def test_an_overlap_of_one_item_is_enough():
    """What lies between is listed then, but for chance."""
    reader = Reader()
    first = reader.settle()
    assert not reader.poll(reader.window(first + 9))


def test_reordered_items_are_the_same():
    """Overlap is a matter of what is listed, not of where."""
    reader = Reader()
    first = reader.settle()
    shuffled = dict(reversed(reader.window(first + 5).items()))
    assert not reader.poll(shuffled)


def test_the_first_poll_has_nothing_to_share():
    """It is backlog; and what follows is judged once the feed has shown its habit."""
    reader = Reader()
    assert not reader.poll(reader.window(0))
    assert not reader.poll(reader.window(100))  # nobody knows yet whether it ever overlaps
    assert not reader.poll(reader.window(102))
    assert not reader.poll(reader.window(104))
    assert not reader.poll(reader.window(200))  # twice is no habit


def test_an_empty_document_is_a_hiccup():
    """Neither it nor what comes back after it is a gap."""
    reader = Reader()
    first = reader.settle()
    before = reader.overlap
    assert not reader.poll({})
    assert reader.overlap == before
    assert not reader.poll(reader.window(first + 3))


def test_new_guids_for_old_items_lose_nothing():
    """As their dates tell, where not even their links are known."""
    reader = Reader()
    first = reader.settle()
    renamed = {f"tag:{n}": hours for n, hours in reader.window(first + 3).items()}
    assert not reader.poll(renamed)


def test_a_list_with_room_drops_nothing():
    """A relaunched site begins with two entries; alerts that are over are taken off."""
    reader = Reader()
    first = reader.settle()
    assert not reader.poll(reader.window(first + 200, size=4))


@pytest.mark.parametrize("size", [1, 2])
def test_the_shortest_lists_tell_nothing(size):
    """One item gives way to the next."""
    reader = Reader()
    for n in range(30):
        assert not reader.poll(reader.window(n // 3, size=size))
    assert not reader.poll(reader.window(50, size=size))


def test_a_feed_that_is_replaced_whole_loses_nothing():
    """A new issue each day: it never overlapped."""
    reader = Reader()
    for day in range(10):
        issue = {f"{day}/{n}": 24.0 * day for n in range(12)}
        assert not reader.poll(issue, wait=timedelta(days=1))


def test_a_replaced_issue_that_is_corrected_all_day_is_found_out():
    """It seems to overlap. Polled sooner it still shares nothing, so that is how it is.

    Polls come a little late: jitter, and others' turns.
    """
    reader = Reader()
    alarms = []
    while reader.now < NOW + timedelta(days=30):
        wait = 1.1 * min(4 * HOUR, faster(reader.overlap, reader.now) or 4 * HOUR)
        day, seconds = divmod((reader.now + wait - NOW).total_seconds(), 86400)
        issue: dict[object, float | None] = {f"{day}/{n}": 24 * day for n in range(12)}
        issue |= {f"{day}/more {hour}": 24 * day + hour for hour in range(int(seconds // 14400))}
        if reader.poll(issue, wait=wait):
            alarms.append(day)
    assert alarms == [1, 2]
    assert faster(reader.overlap, reader.now) is None


def test_after_a_loss_half_of_the_list_is_to_overlap():
    """Ten items, one each six minutes, polled each two hours: 30 minutes, by its dates' rate."""
    reader = Reader()
    first = reader.settle()
    assert faster(reader.overlap, reader.now) is None
    assert reader.poll(reader.window(first + 25), wait=2 * HOUR)
    assert faster(reader.overlap, reader.now) == timedelta(minutes=30)


@pytest.mark.parametrize("dates", [[None] * 10, [1.0] * 10, [100.0 + n for n in range(10)]])
def test_dates_that_tell_nothing_halve_the_interval_at_least_and_quarter_it_at_most(dates):
    """No dates, one for all, or days apart."""
    reader = Reader()
    reader.settle()
    issue = {f"x{n}": None if date is None else date + 5 for n, date in enumerate(dates)}
    assert reader.poll(issue, wait=2 * HOUR)
    bound = faster(reader.overlap, reader.now)
    assert bound is not None
    assert HOUR / 2 <= bound <= HOUR


def test_each_loss_makes_it_faster_and_care_ends():
    """A second loss does not slow it down; two weeks without one set it free."""
    reader = Reader()
    first = reader.settle()
    reader.poll(reader.window(first + 25), wait=2 * HOUR)
    bound = faster(reader.overlap, reader.now)
    assert reader.poll(reader.window(first + 300), wait=24 * HOUR)
    assert faster(reader.overlap, reader.now) == bound
    assert faster(reader.overlap, reader.now + CAUTION) == bound
    assert faster(reader.overlap, reader.now + CAUTION + HOUR) is None


@pytest.mark.parametrize("text", [None, "", "{", "[]", "7", '{"other": 1}', '{"items": 1, "x": 2}'])
def test_what_nobody_wrote_is_nothing(text):
    """A new feed, or the state of another version."""
    assert Overlap.load(text) == Overlap()


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12), st.integers(1, 3000)), max_size=40)
)
def test_its_memory_stays_small(polls):
    """However a feed behaves: JSON of less than 200 characters, and bounds that are in the future."""
    reader = Reader()
    for first, size, minutes in polls:
        wait = timedelta(minutes=minutes)
        lost = reader.poll(reader.window(first, size), wait=wait)
        bound = faster(reader.overlap, reader.now)
        assert not lost or (bound is not None and bound <= max(MINUTE, wait / 2))
    assert len(reader.overlap.dump()) < 200
    json.loads(reader.overlap.dump())


def test_real_feeds_polled_too_slowly(corpus):
    """Of documents of real feeds, every third was polled: nine alarms of ten are losses.

    What was lost is known from the two between. And no feed that always overlaps raises one.
    """
    alarms = true = 0
    for path in sorted((corpus / "posting_times").glob("*.snapshots.csv.gz")):
        items = [
            (_time(row["first_seen_utc"]), _time(row["last_seen_utc"]), row)
            for row in _rows(path.with_name(path.name.replace(".snapshots", "")))
        ]
        overlap, seen, last = Overlap(), set(), None
        newest = None
        before: set[int] = set()
        for at in sorted(_time(row["snapshot_utc"]) for row in _rows(path))[::3]:
            listed = {n for n, (first, end, _) in enumerate(items) if first <= at <= end}
            if listed and listed != before:
                new = [_time(items[n][2]["published_utc"]) for n in listed - seen]
                overlap, lost = after(
                    overlap,
                    listed=len(listed),
                    known=len(listed & seen),
                    published=new,
                    newest_at=newest,
                    polled_at=last,
                    now=at,
                )
                alarms += lost
                true += lost and any(last < first and end < at for first, end, _ in items)
                newest = max((date for date in (*new, newest) if date and date <= at), default=None)
                seen |= listed
                before = listed
            last = at
    assert alarms > 100
    assert true / alarms > 0.9


def _rows(path):
    with gzip.open(path, "rt") as file:
        return list(csv.DictReader(file))


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
