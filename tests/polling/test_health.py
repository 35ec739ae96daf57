"""How a feed is: called by its name in time, and never for a single poll's sake."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import Code
from monitor.model import FeedStatus, Health
from monitor.polling.health import (
    FAILURES,
    FEWEST_ITEMS,
    IMPROBABLE,
    RECOVERY,
    SHORTEST_SILENCE,
    STALE,
    WATCHED,
    Signs,
    judge,
)
from monitor.polling.rhythm import PRIOR, Rhythm, learn, silence

NOW = datetime(2025, 5, 10, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def good(**more) -> Signs:
    """A poll that read a feed which posted an hour ago."""
    usual = {
        "ok_at": NOW,
        "posted_at": NOW - HOUR,
        "posts": 500,
        "watched": 9 * DAY,
        "newest_at": NOW - HOUR,
    }
    return Signs(**{"status": FeedStatus.OK, **usual, **more})


def bad(failures: int, *, ago: timedelta | None = HOUR, code: Code = Code.TIMEOUT) -> Signs:
    """A failed poll of a feed that was read last so long ago."""
    return good(
        status=FeedStatus.FAILING,
        failures=failures,
        error=code,
        ok_at=None if ago is None else NOW - ago,
    )


QUIET = good(posted_at=NOW - 2 * DAY, silence=1e-9)
LONG_WEEKEND = date(2025, 4, 11)  # a Friday
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLY = NOW - 40 * DAY


@pytest.mark.parametrize(
    ("was", "signs", "expected"),
    [
        # well
        (Health.NEW, good(), Health.LIVE),
        (Health.LIVE, good(), Health.LIVE),
        (Health.NEW, good(posted_at=None, posts=0), Health.LIVE),
        # failing: three in a row, or two over six hours
        (Health.LIVE, bad(1), Health.LIVE),
        (Health.LIVE, bad(2), Health.LIVE),
        (Health.LIVE, bad(FAILURES), Health.FAILING),
        (Health.LIVE, bad(1, ago=7 * HOUR), Health.LIVE),
        (Health.LIVE, bad(2, ago=7 * HOUR), Health.FAILING),
        (Health.LIVE, bad(1, code=Code.NOT_FOUND), Health.LIVE),
        (Health.LIVE, bad(3, code=Code.NOT_A_FEED), Health.FAILING),
        (Health.NEW, bad(1, ago=None), Health.NEW),
        (Health.NEW, bad(3, ago=None), Health.FAILING),
        (Health.SILENT, bad(1), Health.SILENT),
        (Health.RECOVERED, bad(3), Health.FAILING),
        # a bot check, though other errors come in between
        (Health.LIVE, bad(1, code=Code.CHALLENGED), Health.LIVE),
        (Health.LIVE, bad(3, code=Code.CHALLENGED), Health.CHALLENGED),
        (Health.FAILING, bad(4, code=Code.CHALLENGED), Health.CHALLENGED),
        (Health.CHALLENGED, bad(5, code=Code.SERVER_ERROR), Health.CHALLENGED),
        # gone at once: it is the server's own word
        (Health.LIVE, good(status=FeedStatus.GONE, failures=1, error=Code.GONE), Health.GONE),
        # silent
        (Health.LIVE, QUIET, Health.SILENT),
        (Health.LIVE, good(posted_at=NOW - 2 * DAY, silence=2 * IMPROBABLE), Health.LIVE),
        (Health.LIVE, good(posted_at=NOW - SHORTEST_SILENCE + HOUR, silence=0), Health.LIVE),
        (Health.LIVE, good(posted_at=NOW - SHORTEST_SILENCE, silence=0), Health.SILENT),
        (Health.LIVE, good(posted_at=NOW - 2 * DAY, silence=0, posts=4), Health.LIVE),
        (Health.LIVE, good(posted_at=NOW - 2 * DAY, silence=0, watched=4 * DAY), Health.LIVE),
        (Health.LIVE, good(posted_at=NOW - 2 * DAY, silence=0, longest=1.1 * DAY), Health.LIVE),
        (Health.LIVE, good(posted_at=NOW - 2 * DAY, silence=0, longest=1.0 * DAY), Health.SILENT),
        (Health.FAILING, QUIET, Health.SILENT),
        (Health.SILENT, good(), Health.RECOVERED),
        # stale
        (Health.NEW, good(posted_at=None, posts=0, newest_at=NOW - STALE), Health.STALE),
        (Health.NEW, good(posted_at=None, posts=0, newest_at=NOW - STALE + DAY), Health.LIVE),
        (Health.STALE, good(posted_at=None, posts=0, newest_at=NOW - STALE), Health.STALE),
        (Health.STALE, good(newest_at=NOW - STALE), Health.RECOVERED),
        (Health.LIVE, good(newest_at=NOW - 300 * DAY), Health.LIVE),  # it posts old texts
        (Health.LIVE, good(posted_at=NOW - 31 * DAY, posts=3, silence=0), Health.STALE),
        (Health.LIVE, good(posted_at=NOW - 31 * DAY, posts=3, silence=0.1), Health.LIVE),
        (Health.LIVE, good(posted_at=None, newest_at=None), Health.STALE),  # live for forty days
        (Health.STALE, good(posted_at=None, newest_at=None), Health.STALE),
        # recovered
        (Health.FAILING, good(), Health.RECOVERED),
        (Health.CHALLENGED, good(), Health.RECOVERED),
        (Health.GONE, good(), Health.RECOVERED),
    ],
)
def test_a_feed_is_called(was, signs, expected):
    """By what it was, and what this poll showed."""
    assert judge(was, EARLY, signs, NOW)[0] is expected


@pytest.mark.parametrize(
    ("was", "since", "signs", "expected"),
    [
        (Health.LIVE, EARLY, good(), EARLY),
        (Health.LIVE, None, good(), NOW),
        (Health.NEW, None, good(), NOW),
        (Health.LIVE, EARLY, bad(3, ago=5 * HOUR), NOW - 5 * HOUR),
        (Health.NEW, EARLY, bad(3, ago=None), NOW),
        (Health.FAILING, EARLY, bad(9), EARLY),
        (Health.FAILING, EARLY, bad(9, code=Code.CHALLENGED), EARLY),
        (Health.LIVE, EARLY, QUIET, NOW - 2 * DAY),
        (Health.FAILING, EARLY, QUIET, NOW - 2 * DAY),
        (Health.LIVE, EARLY, good(posted_at=None, newest_at=NOW - 50 * DAY), NOW - 50 * DAY),
        (Health.LIVE, EARLY, good(posted_at=None, newest_at=None), EARLY),
        (Health.SILENT, EARLY, good(), NOW),
        (Health.LIVE, EARLY, good(status=FeedStatus.GONE), NOW),
    ],
)
def test_trouble_is_since_it_began(was, since, signs, expected):
    """Since it was read last, or listed something new last; not since somebody noticed."""
    assert judge(was, since, signs, NOW)[1] == expected


def test_recovered_is_news_for_a_day():
    """Then it is as any other."""
    state, since = judge(Health.FAILING, EARLY, good(), NOW)
    assert judge(state, since, good(), NOW + RECOVERY - HOUR) == (Health.RECOVERED, NOW)
    assert judge(state, since, good(), NOW + RECOVERY) == (Health.LIVE, NOW + RECOVERY)


def test_silence_ends_with_a_new_item_only():
    """A good poll is none, and a rhythm that has forgotten is no reason."""
    state, since = judge(Health.LIVE, EARLY, QUIET, NOW)
    later = good(posted_at=since, silence=0.5)
    assert judge(state, since, later, NOW + 90 * DAY) == (Health.SILENT, since)
    assert judge(state, since, good(posted_at=NOW), NOW + HOUR)[0] is Health.RECOVERED


def test_what_a_feed_broke_is_what_was_seen():
    """Up to the last poll before its news: while nobody asked, nobody knows. It fades in weeks."""
    rhythm = learn(Rhythm(), NOW, None, [])
    rhythm = learn(rhythm, NOW + 6 * DAY, NOW + 5 * HOUR, [None])
    assert rhythm.quiet == 5 * 3600
    rhythm = learn(rhythm, NOW + 34 * DAY, NOW + 6 * DAY + HOUR, [None])
    assert rhythm.quiet == 2.5 * 3600
    assert Rhythm.from_json(rhythm.to_json()).quiet == rhythm.quiet


def test_flapping_alarms_nobody():
    """Every second poll fails, for days: it is as it was."""
    state, since = Health.LIVE, EARLY
    for _ in range(50):
        for signs in (bad(1), bad(2), good()):
            state, since = judge(state, since, signs, NOW)
            assert (state, since) == (Health.LIVE, EARLY)


signs_of_any_kind = st.builds(
    Signs,
    status=st.sampled_from([FeedStatus.OK, FeedStatus.FAILING, FeedStatus.GONE]),
    failures=st.integers(0, 9),
    error=st.none() | st.sampled_from(Code),
    ok_at=st.none() | st.just(NOW - DAY),
    posted_at=st.none() | st.sampled_from([NOW, NOW - 2 * DAY, NOW - 60 * DAY]),
    posts=st.floats(0, 1e6),
    silence=st.floats(0, 1),
    newest_at=st.none() | st.sampled_from([NOW, NOW - 60 * DAY, NOW + 60 * DAY]),
)


@given(was=st.sampled_from(Health), since=st.none() | st.just(EARLY), signs=signs_of_any_kind)
def test_what_lasts_keeps_its_since(was, since, signs):
    """The same poll again changes nothing, but for a recovery that has been told."""
    state, began = judge(was, since, signs, NOW)
    assert judge(state, began, signs, NOW) == (state, began)
    if state is was and since is not None:
        assert began == since


def test_real_feeds_are_not_called_silent(corpus):
    """Posts of real feeds, polled as they were recorded: at most one false alarm in ten months.

    And of a feed that is cut off at the end of its record, when that is noticed: where there are
    ten posts a day, within half a day mostly; where there are two, within three days.
    """
    alarms, months, noticed = 0, 0.0, []
    for polls, posts in _streams(corpus / "posting_times"):
        state, since, rhythm, before, judged = Health.LIVE, polls[0], Rhythm(), None, None
        for at in polls:
            found = [published for published, seen in posts if (before or EPOCH) < seen <= at]
            if found or before is None:
                rhythm = learn(rhythm, at, before, found)
            before = at
            was, (state, since) = state, judge(state, since, _signs(rhythm, at), at)
            alarms += state is Health.SILENT and was is not Health.SILENT
            if rhythm.items >= FEWEST_ITEMS:
                judged = judged or at
        if judged is None or polls[-1] - polls[0] < 5 * DAY:
            continue
        months += (polls[-1] - judged) / DAY / 30.4
        if rhythm.exposure < WATCHED.total_seconds():
            continue
        cut = at = datetime.fromtimestamp(rhythm.at, UTC)
        state = Health.LIVE
        while state is not Health.SILENT and at < cut + 30 * DAY:
            at += HOUR / 2
            state, since = judge(state, since, _signs(rhythm, at), at)
        noticed.append((rhythm.items / (rhythm.exposure / 86400), (at - cut) / HOUR))
    assert months > 20
    assert alarms / months <= 0.1
    busy = sorted(hours for rate, hours in noticed if rate >= 10)
    others = sorted(hours for rate, hours in noticed if 2 <= rate < 10)
    assert busy[len(busy) // 2] <= 14
    assert busy[-1] <= 36
    assert others[len(others) // 2] <= 72
    assert others[-1] <= 132


@pytest.mark.parametrize("first_day", range(7))
def test_a_closed_office_is_not_silent(first_day):
    """No weekend raises an alarm, the first one neither; nor does a long one, after some weeks.

    Ten posts a day from Monday to Friday in office hours, polled each half an hour for two months.
    """
    monday = datetime(2025, 3, 3, tzinfo=UTC)
    start = monday + first_day * DAY + 9 * HOUR
    state, since, rhythm, before = Health.NEW, None, Rhythm(), None
    states = set()
    for n in range(60 * 48):
        at = start + n * HOUR / 2
        office = at.weekday() < 5 and 8 <= at.hour < 18 and at.date() != LONG_WEEKEND
        found = [at - HOUR / 4] if office and at.minute == 0 else []
        if found or before is None:
            rhythm = learn(rhythm, at, before, found)
        before = at
        state, since = judge(state, since, _signs(rhythm, at), at)
        states.add(state)
    assert states == {Health.LIVE}
    posted_at = datetime.fromtimestamp(rhythm.at, UTC)
    while state is not Health.SILENT:
        at += HOUR / 2
        state, since = judge(state, since, _signs(rhythm, at), at)
    assert since == posted_at
    assert at - since <= 6 * DAY


def _signs(rhythm: Rhythm, at: datetime) -> Signs:
    """As the poll has them."""
    if rhythm.at is None or not rhythm.items:
        return Signs(status=FeedStatus.OK, ok_at=at)
    posted_at = datetime.fromtimestamp(rhythm.at, UTC)
    return Signs(
        status=FeedStatus.OK,
        ok_at=at,
        posted_at=posted_at,
        posts=rhythm.items,
        watched=timedelta(seconds=rhythm.exposure),
        longest=timedelta(seconds=rhythm.quiet),
        silence=silence(rhythm, posted_at, at, PRIOR),
    )


def _streams(folder):
    """Of each unbroken record: when it was polled; when posts were made and when first seen."""
    for feed in json.loads((folder / "index.json").read_text()):
        windows = feed.get("contiguous_windows")
        if not windows or "scraped" in feed["file"]:
            continue
        posts = _posts(_rows(folder / feed["file"]))
        shots = _rows(folder / feed["file"].replace(".csv", ".snapshots.csv"))
        polls = sorted(_time(row["snapshot_utc"]) for row in shots)
        for window in windows:
            start, end = _time(window["start"]), _time(window["end"])
            inside = [at for at in polls if start <= at <= end]
            yield inside, [post for post in posts if start <= post[1] <= end]
    outlets: dict[str, list[dict[str, str]]] = {}
    for row in _rows(folder / "lede_56outlets_aug2026.csv.gz"):
        outlets.setdefault(row["outlet"], []).append(row)
    for rows in outlets.values():
        posts = _posts(rows)
        start, end = posts[0][1], posts[-1][1]
        yield [start + n * HOUR for n in range((end - start) // HOUR + 1)], posts


def _posts(rows: list[dict[str, str]]) -> list[tuple[datetime, datetime]]:
    dated = [row for row in rows if row["published_utc"]]
    times = [(_time(row["published_utc"]), _time(row["first_seen_utc"])) for row in dated]
    return sorted(times, key=lambda each: each[1])


def _rows(path):
    with gzip.open(path, "rt") as file:
        return list(csv.DictReader(file))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
