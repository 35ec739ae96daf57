"""What becomes of a subscription, event by event; and of polls."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import Code, Permanent, Transient
from monitor.model import Subscription, SubscriptionState
from monitor.websub import (
    accepted,
    asking,
    backup_due,
    confirmed,
    denied,
    is_active,
    is_left,
    is_miss,
    refused,
    soonest_poll,
)
from tests.websub.material import ACTIVE, DAY, HOUR, MINUTE, NOW, WANTED

State = SubscriptionState
DOWN = Transient(Code.SERVER_ERROR, "503 Service Unavailable")
NO_HUB = Permanent(Code.NOT_FOUND, "404 Not Found")


def test_from_wanted_to_active() -> None:
    """Asked, taken, verified; renewed after eight tenths of what the hub promised."""
    asked = asking(WANTED, NOW)
    assert (asked.state, asked.attempts, asked.asked_at) == (State.ASKED, 1, NOW)
    taken = accepted(asked, NOW)
    assert (taken.state, taken.due_at) == (State.ASKED, NOW + HOUR)
    active = confirmed(taken, "86400", NOW + MINUTE)
    assert active is not None
    assert (active.state, active.attempts, active.error) == (State.ACTIVE, 0, None)
    assert active.expires_at == NOW + MINUTE + DAY
    assert active.due_at == NOW + MINUTE + 0.8 * DAY


def test_a_hub_may_verify_before_it_answers() -> None:
    """Then neither its answer nor its failure to give one takes anything back."""
    asked = asking(WANTED, NOW)
    active = confirmed(asked, "86400", NOW + MINUTE)
    assert active is not None
    assert accepted(active, NOW + 2 * MINUTE) == active
    assert refused(active, DOWN, NOW + 2 * MINUTE) == active
    no = denied(asked, "", NOW + MINUTE)
    assert accepted(no, NOW + 2 * MINUTE) == no


def test_a_hub_that_takes_and_never_verifies_is_asked_less_and_less() -> None:
    """An hour, two, four, … a day; and people are told what may be the matter."""
    held, now, waits = WANTED, NOW, []
    for _ in range(7):
        held = accepted(asking(held, now), now)
        assert held.due_at is not None
        waits.append((held.due_at - now) / HOUR)
        now = held.due_at
    assert waits == [1, 2, 4, 8, 16, 24, 24]
    assert held.error is not None
    assert "public_url" in held.error
    active = confirmed(held, None, now)
    assert active is not None
    assert active.error is None


def test_a_dead_hub_is_asked_less_and_less() -> None:
    """Five minutes, ten, … a day, for as long as it takes."""
    held, now, waits = WANTED, NOW, []
    for _ in range(20):
        held = refused(asking(held, now), DOWN, now)
        assert held.due_at is not None
        waits.append(held.due_at - now)
        now = held.due_at
    assert waits[:3] == [5 * MINUTE, 10 * MINUTE, 20 * MINUTE]
    assert waits[-1] == DAY
    assert (held.state, held.error) == (State.FAILED, "server_error: 503 Service Unavailable")


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (NO_HUB, DAY),
        (Transient(Code.RATE_LIMITED, "429", retry_after=2 * HOUR), 2 * HOUR),
        (Transient(Code.RATE_LIMITED, "429", retry_after=MINUTE), 5 * MINUTE),
        (Transient(Code.RATE_LIMITED, "429", retry_after=30 * DAY), DAY),
    ],
)
def test_what_a_hub_refuses_with_tells_when_to_come_again(error, wait: timedelta) -> None:
    """What would fail again is tried once a day; its own word counts, up to a day."""
    assert refused(asking(WANTED, NOW), error, NOW).due_at == NOW + wait


def test_a_lease_goes_on_while_it_is_renewed() -> None:
    """A hub that is down when it is asked again still owes what it promised."""
    now = NOW + 8 * DAY
    held = refused(asking(ACTIVE, now), DOWN, now)
    assert is_active(held, now)
    assert held.error is not None
    late = refused(asking(held, NOW + 11 * DAY), DOWN, NOW + 11 * DAY)
    assert late.state is State.FAILED
    again = confirmed(asking(late, NOW + 12 * DAY), "864000", NOW + 12 * DAY)
    assert again is not None
    assert is_active(again, NOW + 20 * DAY)


@pytest.mark.parametrize(
    ("held", "agreed"),
    [
        (WANTED, False),  # nobody was asked
        (replace(ACTIVE, state=State.LEAVING), False),
        (asking(replace(ACTIVE, state=State.LEAVING), NOW + MINUTE), False),
        (denied(ACTIVE, "", NOW + HOUR), False),  # without having been asked again
        (asking(WANTED, NOW), True),
        (refused(asking(WANTED, NOW), DOWN, NOW), True),  # it got the question after all
        (denied(asking(WANTED, NOW), "", NOW), False),
        (asking(denied(ACTIVE, "", NOW + HOUR), NOW + 2 * HOUR), True),
        (ACTIVE, True),
    ],
)
def test_only_what_was_asked_for_is_confirmed(held: Subscription, agreed: bool) -> None:
    """A hub that asks what we never asked it, or not any more, hears no."""
    assert (confirmed(held, "600", NOW + DAY) is not None) is agreed


def test_what_was_confirmed_is_not_changed_by_asking_again() -> None:
    """Neither a longer nor a shorter lease comes of a question that we did not cause."""
    for lease in ("1", "99999999", None):
        assert confirmed(ACTIVE, lease, NOW + DAY) == ACTIVE


def test_however_short_a_lease_is_its_hub_is_not_pestered() -> None:
    """A minute's lease is asked for every ten minutes, and is none in between."""
    held = confirmed(asking(WANTED, NOW), "60", NOW)
    assert held is not None
    assert held.due_at == NOW + 10 * MINUTE
    assert is_active(held, NOW + 0.5 * MINUTE)
    assert not is_active(held, NOW + MINUTE)


def test_a_denial_is_told_in_the_hubs_words_made_plain() -> None:
    """In one line that can be shown, and asked again a day later."""
    held = denied(ACTIVE, "no\r\n\x1b[31mmore" + 500 * "!", NOW)
    assert held.state is State.DENIED
    assert held.error is not None
    assert held.error.startswith("denied by its hub: no [31mmore!")
    assert len(held.error) < 250
    assert held.due_at == NOW + DAY
    assert not is_active(held, NOW)
    assert denied(ACTIVE, " ", NOW).error == "denied by its hub"


def test_leave_is_taken_a_few_times_and_then_forgotten() -> None:
    """And not at all where nobody was asked, or the lease is over."""
    leaving = replace(ACTIVE, state=State.LEAVING, attempts=0)
    assert not is_left(ACTIVE, NOW)
    assert is_left(replace(WANTED, state=State.LEAVING), NOW)
    assert is_left(leaving, NOW + 11 * DAY)
    held, now, asked = leaving, NOW, 0
    while not is_left(held, now):
        asked += 1
        held = refused(asking(held, now), DOWN, now)
        assert held.state is State.LEAVING
        assert held.due_at is not None
        now = held.due_at
    assert asked == 3


events = st.lists(
    st.tuples(
        st.sampled_from(["ask", "accept", "refuse", "gone", "confirm", "deny"]),
        st.integers(0, 20),
        st.sampled_from([None, "0", "60", "86400", "864000", "9" * 12]),
    ),
    max_size=25,
)


@given(events)
def test_whatever_happens_a_subscription_is_asked_for_again(happens) -> None:
    """It is always due some time, never at once again, and never said to last when it doesn't."""
    held, now = WANTED, NOW
    for what, hours, lease in happens:
        now += hours * HOUR
        before = held
        match what:
            case "ask":
                held = asking(held, now)
            case "accept":
                held = accepted(held, now)
            case "refuse":
                held = refused(held, DOWN, now)
            case "gone":
                held = refused(held, NO_HUB, now)
            case "confirm":
                held = confirmed(held, lease, now) or held
            case "deny":
                held = denied(held, "", now)
        assert held.due_at is not None
        if held.due_at != before.due_at:
            assert now + 5 * MINUTE <= held.due_at <= now + 365 * DAY
        if held.state is State.ACTIVE:
            assert held.verified_at is not None
            assert held.expires_at is not None
        assert (held.hub, held.topic, held.callback) == (before.hub, before.topic, before.callback)


# --------------------------------------------------------------------------- polling


def test_a_push_has_a_feed_polled_at_once_but_not_too_often() -> None:
    """However often the hub calls, the publisher is asked no more often than its feed allows."""
    assert soonest_poll(NOW, None, 2 * MINUTE) == NOW
    assert soonest_poll(NOW, NOW - HOUR, 2 * MINUTE) == NOW
    assert soonest_poll(NOW, NOW - 0.5 * MINUTE, 2 * MINUTE) == NOW + 1.5 * MINUTE


@pytest.mark.parametrize(
    ("pushed", "before", "miss"),
    [
        (None, NOW - HOUR, True),
        (NOW - 2 * HOUR, NOW - HOUR, True),  # the last push is of the poll before
        (NOW - MINUTE, NOW - HOUR, False),
        (NOW - HOUR, NOW - HOUR, False),
        (NOW - MINUTE, None, False),
        (None, None, True),
    ],
)
def test_what_nobody_pushed_is_a_miss(pushed, before, miss: bool) -> None:
    """Of a hub that has promised to push."""
    held = replace(ACTIVE, pushed_at=pushed)
    assert is_miss(held, before, NOW) is miss
    assert not is_miss(replace(held, state=State.ASKED), before, NOW)
    assert not is_miss(held, before, NOW + 11 * DAY)


@pytest.mark.parametrize(
    ("held", "minutes", "wait"),
    [
        (None, 5, 5),
        (ACTIVE, 5, 5),  # it has not pushed yet
        (replace(ACTIVE, pushed_at=NOW), 5, 30),
        (replace(ACTIVE, pushed_at=NOW), 120, 360),  # up to the ceiling
        (replace(ACTIVE, pushed_at=NOW), 600, 600),  # and no sooner than without pushes
        (replace(ACTIVE, pushed_at=NOW, missed_at=NOW - HOUR), 5, 30),
        (replace(ACTIVE, pushed_at=NOW - HOUR, missed_at=NOW), 5, 5),
        (replace(ACTIVE, pushed_at=NOW, state=State.DENIED), 5, 5),
        (replace(ACTIVE, pushed_at=NOW, expires_at=NOW), 5, 5),
    ],
)
def test_polls_are_a_backup_while_a_hub_can_be_relied_on(held, minutes, wait) -> None:
    """Six times as rare, up to the feed's slowest; as ever after the first miss."""
    assert backup_due(held, NOW + minutes * MINUTE, NOW, 6 * HOUR) == NOW + wait * MINUTE
