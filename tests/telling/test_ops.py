"""What operators are told, in the words they read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.plain import words_of
from monitor.errors import Mistake
from monitor.model import Health
from monitor.ports import Day, IllFeed
from monitor.telling import ops
from tests.contracts.material import MINUTE, NOW

DAWN = IllFeed(
    name="Dawn",
    url="https://dawn.example/rss",
    health=Health.FAILING,
    since=NOW,
    error="HTTP 503",
)


def test_a_feed_in_trouble_and_well_again() -> None:
    """What it is, since when, and why; then since when it is not."""
    assert list(words_of(ops.ill(DAWN))) == [
        "Dawn is failing",
        "since 2025-05-10 12:00 UTC",
        "Several polls in a row failed.",
        "“HTTP 503”",
        "https://dawn.example/rss",
    ]
    assert list(words_of(ops.well(DAWN, NOW + MINUTE))) == [
        "Dawn is well again",
        "since 2025-05-10 12:01 UTC; it was failing since 2025-05-10 12:00 UTC",
        "https://dawn.example/rss",
    ]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ann:pass-word@dawn.example/rss", "dawn.example/rss"),
        ("https://dawn.example/rss?token=pass-word&page=1", "token=***&page=1"),
    ],
)
def test_a_feeds_password_is_told_to_nobody(url: str, shown: str) -> None:
    """A channel has more readers than the configuration."""
    feed = replace(DAWN, url=url)
    cards = [ops.ill(feed), ops.well(feed, NOW), ops.ill_together(1, [feed], polled=9, failed=5)]
    assert "pass-word" not in repr(cards)
    assert all(any(shown in words for words in words_of(card)) for card in cards[:2])


def test_a_card_says_which_time_it_speaks_of() -> None:
    """So that a message is not edited about another trouble."""
    assert ops.speaks_of(ops.ill(DAWN), NOW)
    assert not ops.speaks_of(ops.ill(DAWN), NOW + MINUTE)
    assert ops.speaks_of(ops.well(DAWN, NOW + MINUTE), NOW + MINUTE)


@pytest.mark.parametrize(
    ("polled", "failed", "told", "crowd"),
    [
        (4, 4, 0, False),  # few feeds
        (5, 5, 0, True),
        (40, 19, 0, False),  # theirs
        (40, 20, 0, True),  # ours
        (1000, 5, 4, False),
        (1000, 5, 5, True),  # one host's, say
    ],
)
def test_what_a_crowd_is(polled: int, failed: int, told: int, crowd: bool) -> None:
    """Half of all polls, or many messages."""
    assert ops.is_crowd(polled=polled, failed=failed, told=told) is crowd


def test_many_feeds_are_counted_and_the_first_named() -> None:
    """And the card is open as long as it names any."""
    card = ops.ill_together(340, [DAWN] * 30, polled=300, failed=290)
    words = list(words_of(card))
    assert words[0] == "340 feeds in trouble"
    assert words[2] == "So many at once: our own network, or a proxy, may be down."
    assert words[3] == ("• Dawn (https://dawn.example/rss) is failing since 2025-05-10 12:00 UTC")
    assert words[-1] == "and 320 more"
    assert ops.is_open(card)
    assert not ops.is_open(ops.well_together(NOW))


def test_a_rejected_edit_shows_where() -> None:
    """The line with its caret keeps its spaces."""
    mistake = Mistake("unknown key\n    colour = 1\n    ^^^^^^", "feeds.toml", 3, 1)
    card = ops.rejected([mistake])
    assert list(words_of(card)) == [
        "The configuration was rejected",
        "feeds.toml:3:1: unknown key",
        "    colour = 1",
        "    ^^^^^^",
        "The one before this edit stays in use.",
    ]


def test_an_applied_edit_says_what_changed() -> None:
    """Few of many changes, and what is odd about it."""
    words = list(words_of(ops.applied([f"+ feed {n}" for n in range(30)], ["too broad"])))
    assert words[1:3] == ["• + feed 0", "• + feed 1"]
    assert words[-2:] == ["• and 10 more", "Warning: too broad"]
    assert list(words_of(ops.applied([])))[1] == "• the mistake is gone"


def test_dead_letters_of_a_day_are_one_list() -> None:
    """The newest first; what falls off its end is counted."""
    card = None
    for number in range(1, 31):
        card = ops.dead_letter(card, number, "#desk", f"Story {number}", "no_text")
    assert card is not None
    words = list(words_of(card))
    assert words[0] == "30 messages could not be shown in #desk"
    assert words[1] == "• Story 30: no_text"
    assert words[20:22] == ["• Story 11: no_text", "and 10 more"]


def test_what_slack_lacks() -> None:
    """Nothing, if nothing does."""
    assert ops.slack_lacks((), (), ()) is None
    card = ops.slack_lacks(("groups:read",), ("#x",), ("#y",))
    assert card is not None
    assert len(card.lines) == 3


def test_a_heartbeat_is_a_line() -> None:
    """How the feeds are, what came, what waits."""
    feeds = {Health.LIVE: 40, Health.RECOVERED: 1, Health.SILENT: 3}
    day = Day(feeds=feeds, articles=1204, alerts=12, dead=0, oldest_waiting_at=None)
    assert list(words_of(ops.heartbeat(day, NOW)))[:2] == [
        "monitor is running",
        "41 of 44 feeds live (3 silent) · 1,204 articles · 12 alerts · nothing waits",
    ]
    late = Day(feeds={}, articles=1, alerts=0, dead=2, oldest_waiting_at=NOW - timedelta(hours=1))
    assert (
        "2 messages refused · oldest unsent 2025-05-10 11:00 UTC"
        in list(words_of(ops.heartbeat(late, NOW)))[1]
    )
