"""Times, spans and reasons in words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import Code
from monitor.model import DeliveryState, Health, SubscriptionState
from monitor.web import words
from tests.web.samples import NOW, before, feed_row


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"), (0.04, "0 s"), (2.42, "2.4 s"), (9.96, "10 s"), (10, "10 s"), (89.4, "89 s"),
        (90, "1 min"), (3599, "59 min"), (3600, "1 h"), (3700, "1 h 1 min"), (21600, "6 h"),
        (40000, "11 h"), (86400, "1 day"), (3 * 86400, "3 days"), (-150, "2 min"),
    ],
)  # fmt: skip
def test_a_span_is_as_exact_as_it_is_useful(seconds: float, said: str):
    """Short spans keep a decimal, long ones lose what nobody reads."""
    assert words.span(timedelta(seconds=seconds)) == said


@pytest.mark.parametrize(
    ("then", "said"),
    [
        (NOW, "now"),
        (before(seconds=0.6), "now"),
        (before(seconds=3.7), "3 s ago"),
        (before(seconds=70), "70 s ago"),
        (before(minutes=3), "3 min ago"),
        (before(days=2), "2 days ago"),
        (before(days=200), "22 Oct 2024"),
        (before(seconds=-90), "in 1 min"),
    ],
)
def test_the_past_is_told_by_its_distance(then, said: str):
    """Ages are relative, far ones a date; a clock that runs ahead is not hidden."""
    assert words.ago(then, NOW) == said


def test_what_is_due():
    """A due time is ahead, now, or never."""
    assert words.due(NOW + timedelta(minutes=4), NOW) == "in 4 min"
    assert words.due(before(minutes=4), NOW) == "now"
    assert words.due(None, NOW) == "never"


def test_a_time_of_today_needs_no_day():
    """To the second; of another day with it."""
    assert words.clock(before(minutes=5), NOW) == "11:55:00"
    assert words.clock(before(hours=13), NOW) == "9 May, 23:00:00"
    assert words.clock(before(days=200), NOW) == "22 Oct 2024, 12:00:00"
    assert words.day_clock(before(minutes=5), NOW) == "11:55"


@pytest.mark.parametrize("code", Code)
def test_every_code_has_its_sentence(code: Code):
    """No code reaches the page as a bare word."""
    sentence, detail = words.reason(f"{code}: HTTP 418: teapot")
    assert sentence.endswith(".")
    assert detail == "HTTP 418: teapot"


def test_an_error_of_another_kind_is_shown_as_it_is():
    """A text without a known code is passed on whole."""
    assert words.reason("no such code: here") == ("", "no such code: here")
    assert words.reason("plain") == ("", "plain")


@pytest.mark.parametrize("state", [*Health, *DeliveryState])
def test_every_state_has_a_word_and_a_tone(state: Health | DeliveryState):
    """A state that is added to the model can't be forgotten on the page."""
    assert (words.HEALTH | words.DELIVERY)[state]
    assert words.TONE[state] in {"good", "calm", "warn", "bad"}


@given(st.timedeltas(timedelta(), timedelta(days=10000)))
def test_any_age_has_words(age: timedelta):
    """No age breaks the page."""
    assert words.span(age)
    assert words.ago(NOW - age, NOW)
    assert words.due(NOW + age, NOW)


@pytest.mark.parametrize(
    ("state", "until", "pushed", "said"),
    [
        (None, None, None, ""),
        (SubscriptionState.WANTED, None, None, ""),
        (SubscriptionState.ASKED, None, None, ""),
        (SubscriptionState.ACTIVE, 60, None, "to be pushed"),
        (SubscriptionState.ACTIVE, 60, -3, "pushed 3 min ago"),
        (SubscriptionState.ACTIVE, -1, -3, ""),
        (SubscriptionState.DENIED, None, -3, "its hub refuses to push it"),
        (SubscriptionState.FAILED, None, None, "its hub can't be had"),
    ],
)
def test_a_feed_that_is_pushed_says_so(state, until, pushed, said: str):
    """As long as its hub has promised to."""

    def at(minutes: int | None):
        return None if minutes is None else NOW + timedelta(minutes=minutes)

    row = feed_row("A", subscription=state, subscribed_until=at(until), pushed_at=at(pushed))
    assert words.health(row, NOW) == said


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("en", "English"),
        ("UR", "Urdu"),
        ("pt-BR", "Portuguese (BR)"),
        ("he", "Hebrew"),
        ("ht", "Haitian Creole"),
        ("tlh", "tlh"),
        ("x<y", "x<y"),
    ],
)
def test_a_language_is_called_by_its_name(code: str, name: str) -> None:
    """Where it has one here; else by its code."""
    assert words.language(code) == name


def test_languages_are_chosen_from_by_name() -> None:
    """The values stay codes."""
    assert words.languages(["ur", "de", "en"]) == [
        ("en", "English"),
        ("de", "German"),
        ("ur", "Urdu"),
    ]
