"""Stories of the front page → what is shown of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.model import Deed, DeliveryState, Hand, Health
from monitor.ports import Hold
from monitor.web import stream
from tests.web.samples import NOW, before, hit_row, lifelike, now_row

DAY = timedelta(days=1)
ROW = now_row([hit_row(3, "Truce", "A truce.", "truce")])
[MESSAGE] = ROW.messages


def chips(**changes) -> list[str]:
    row = replace(ROW, **changes)
    return [" ".join((each.word, *each.where)) for each in stream.chips(row, max_age=DAY, now=NOW)]


@pytest.mark.parametrize(
    ("changes", "word", "tone"),
    [
        ({}, "alerted", "good"),
        ({"state": DeliveryState.FOLDED}, "alerted with others", "good"),
        ({"state": DeliveryState.HELD, "held_until": NOW}, "held until 12:00 UTC", "warn"),
        ({"state": DeliveryState.HELD}, "held for the digest", "warn"),
        ({"state": DeliveryState.PENDING, "sent_at": None}, "to be alerted", "calm"),
        ({"state": DeliveryState.PENDING}, "alerted", "good"),
        ({"state": DeliveryState.RETRY, "sent_at": None}, "trying again", "warn"),
        ({"state": DeliveryState.SENDING, "error": "timeout"}, "uncertain", "warn"),
        ({"state": DeliveryState.DEAD, "sent_at": None}, "alert failed", "bad"),
        ({"state": DeliveryState.DROPPED, "sent_at": None}, "dropped", "calm"),
    ],
    ids=str,
)
def test_a_message_says_what_became_of_its_story(changes, word: str, tone: str):
    """An edit that waits takes nothing back of what is shown."""
    message = replace(MESSAGE, **changes)
    [chip] = stream.chips(replace(ROW, messages=(message,)), max_age=DAY, now=NOW)
    assert (chip.word, chip.tone, chip.where) == (word, tone, (message.channel,))


def test_channels_in_one_state_share_a_word():
    """What people did is told once, whatever the channel."""
    done = {Deed.MUTED: Hand(by="Ada", at=NOW), Deed.SEEN: Hand(by="Ben", at=NOW)}
    both = (
        replace(MESSAGE, channel="#a", hands=done),
        replace(MESSAGE, channel="#b", hands=done),
        replace(MESSAGE, channel="#c", state=DeliveryState.DEAD, sent_at=None, error="no"),
    )
    assert chips(messages=both) == [
        "alerted #a #b",
        "alert failed #c",
        "acknowledged by Ben",
        "muted by Ada",
    ]


@pytest.mark.parametrize(("minutes", "is_told"), [(5, True), (-5, False)])
def test_a_snooze_is_told_while_it_lasts(minutes: int, is_told: bool):
    """Until when, and by whom."""
    hand = Hand(by="Ada", at=NOW + timedelta(minutes=minutes))
    said = chips(messages=(replace(MESSAGE, hands={Deed.SNOOZED: hand}),))
    assert ("snoozed until 12:05:00 UTC by Ada" in said) == is_told


def test_a_story_that_is_held_says_what_it_lacks():
    """For each watch that holds it."""
    hold = Hold(watch="Kashmir", lacks="1 of 2 publishers", since=NOW)
    assert chips(messages=(), held=(hold,)) == ["held: 1 of 2 publishers"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"backlog": True}, "Its feed held it already when it was polled for the first time"),
        ({"published_at": before(days=3)}, "It was older than [alerts] max_age"),
        ({}, "No message belongs to it"),
    ],
)
def test_a_story_that_nobody_was_told_of_says_why(changes, said: str):
    """In a sentence."""
    [chip] = stream.chips(
        replace(ROW, messages=(), lead=replace(ROW.lead, **changes)), max_age=DAY, now=NOW
    )
    assert chip.word == "no alert"
    assert chip.title.startswith(said)


def test_the_way_of_a_story_is_told_step_by_step():
    """What is not known is left out; what is dated ahead is told as that."""
    told = replace(MESSAGE, told_at=before(minutes=1))
    lead = replace(
        ROW.lead,
        published_at=before(minutes=5),
        first_seen_at=before(minutes=3),
        matched_at=before(minutes=2, seconds=50),
    )
    assert [(each.word, each.after) for each in stream.steps(lead, (told,))] == [
        ("published", ""),
        ("seen", "+ 2 min"),
        ("found", "+ 10 s"),
        ("alerted", "+ 1 min"),
    ]
    ahead = replace(lead, published_at=before(minutes=1), matched_at=None)
    assert [(each.word, each.after) for each in stream.steps(ahead, ())] == [
        ("published", ""),
        ("seen", "− 2 min"),
    ]


async def test_the_strip_of_a_busy_service():
    """It counts, and names what needs somebody."""
    strip = await lifelike().news.strip(NOW)
    shown = {each.label: each for each in stream.figures(strip, NOW)}
    assert (shown["Feeds live"].value, shown["Feeds live"].detail) == ("4 of 9", "4 in trouble")
    assert shown["Last poll"].detail == "1 due, 7 to be read"
    assert shown["Waiting"].detail == "1 tried again, the oldest for 14 min"
    assert [each for each, it in shown.items() if it.tone] == [
        "Feeds live",
        "Alerted in 24 h",
        "Waiting",
    ]


async def test_the_strip_of_a_service_at_rest():
    """Where all is well it says so, and needs nobody."""
    strip = replace(
        await lifelike().news.strip(NOW),
        feeds={Health.LIVE: 3},
        dead=0,
        waiting=0,
        retrying=0,
        uncertain=0,
        oldest_waiting_at=None,
        last_poll_at=NOW + timedelta(seconds=2),
    )
    shown = {each.label: each for each in stream.figures(strip, NOW)}
    assert shown["Feeds live"].detail == "all are well"
    assert shown["Last poll"].value == "now"  # it came while this was counted
    assert {each.tone for each in shown.values()} == {""}
    assert stream.needs(strip) == ()
