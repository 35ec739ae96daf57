"""Rows → what is shown."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import ArticleId, ArticleState, DeliveryState, FeedStatus, Health, StoryId
from monitor.web import view
from tests.web.samples import NO_COUNTS, NOW, before, delivery_row, feed_row, hit_row, lifelike


def test_watches_of_one_article_are_one_report():
    """An article that three watches matched is shown once, with all three and all their marks."""
    row = hit_row(1, "Truce in Kashmir", "", "Truce", watch="A")
    other = hit_row(1, "Truce in Kashmir", "", "Kashmir", watch="B", delivery=None)
    third = replace(row, watch="C")
    (report,) = view.reports([row, other, third])
    assert [found.watch for found in report.found] == ["A", "B", "C"]
    assert [found.terms for found in report.found] == [("Truce",), ("Kashmir",), ("Truce",)]
    assert [each.text for each in report.headline if each.marked] == ["Truce", "Kashmir"]
    assert report.states == (DeliveryState.SENT, None)


def test_a_term_that_is_the_name_of_its_watch_is_not_said_twice():
    """A watch named after its only find stands alone; with another find both are told."""
    row = hit_row(1, "Truce in Kashmir", "", "Truce", watch="truce")
    both = hit_row(2, "Truce in Kashmir", "", "Truce", "Kashmir", watch="truce")
    terms = [report.found[0].terms for report in view.reports([row, both])]
    assert terms == [(), ("Truce", "Kashmir")]


def test_copies_are_shown_under_the_first_and_do_not_lift_it():
    """A story stands where its first article stands, under that headline, however late a copy."""
    first = hit_row(60, "First", "", "First", story=StoryId(7))
    between = hit_row(30, "Between", "", "Between")
    copy = hit_row(2, "Copied", "", "Copied", story=StoryId(7), publisher="Indus Mirror")
    shown = view.reports([copy, between, first])
    assert ["".join(each.text for each in report.headline) for report in shown] == [
        "Between",
        "First",
    ]
    assert shown[1].also == ("Indus Mirror",)


def test_articles_without_a_story_stay_apart():
    """Before a story is decided, each article is its own."""
    rows = [hit_row(number, "x", "", "x", story=None) for number in (1, 2)]
    assert len(view.reports(rows)) == 2


def test_a_story_and_an_article_of_one_number_stay_apart():
    """Ids of stories and articles are of different kinds."""
    rows = [hit_row(1, "x", "", "x", story=None), hit_row(2, "y", "", "y", story=StoryId(1))]
    assert rows[0].article == ArticleId(1)
    assert len(view.reports(rows)) == 2


@pytest.mark.parametrize(
    ("code", "tag"),
    [("hi", "hi"), ("en_IN", "en-IN"), ("zh-Hant-TW", "zh-Hant-TW"), (" ur ", "ur"), (None, None),
     ("", None), ("English", None), ('en" onload="x', None), ("a", None)],
)  # fmt: skip
def test_only_language_tags_are_language_tags(code: str | None, tag: str | None):
    """Feeds write anything as their language; the page repeats only what is a tag."""
    assert view.language(code) == tag


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/rss?format=xml", True),
        ("https://me:hunter2@a.example/rss", False),
        ("https://a.example/rss?api_key=1", False),
        ("https://a.example/rss?x=1&token=2", False),
        ("https://a.example/rss?auth=", False),
        ("https://a.example/rss?monkey=1", True),
        ("ftp://a.example/rss", False),
        ("http://[broken", False),
    ],
)
def test_a_feed_with_a_secret_in_its_url_is_not_linked(url: str, shown: bool):
    """The page does not spread passwords and keys."""
    assert (view.feed_link(url) is not None) == shown


def test_feeds_in_trouble_stand_first_then_by_name():
    """Worst first; the others in the order of the alphabet, case aside."""
    rows = [
        feed_row("beta"),
        feed_row("Gamma", FeedStatus.FAILING, failures=2, error="timeout: x"),
        feed_row("Alpha"),
        feed_row("Delta", FeedStatus.FAILING, failures=9, error="dns: x"),
    ]
    assert [line.row.spec.name for line in view.feed_lines(rows)] == [
        "Delta",
        "Gamma",
        "Alpha",
        "beta",
    ]


def test_the_figures_of_a_busy_service():
    """The strip counts, and names what needs somebody."""
    shown = {each.label: each for each in view.figures(lifelike().totals, NOW)}
    assert (shown["Feeds live"].value, shown["Feeds live"].detail) == ("4 of 9", "4 in trouble")
    assert shown["Feeds live"].tone == "bad"
    assert (shown["Articles"].value, shown["Articles"].detail) == ("3,950", "7 to be read")
    assert shown["Deliveries sent"].detail == "1 failed, 3 waiting for 14 min, 1 uncertain"
    assert shown["Last poll"].value == "6 s ago"
    assert shown["Last poll"].detail == "1 due now"


def test_the_figures_of_a_new_service():
    """Nothing yet is said as such, and alarms nobody."""
    shown = {each.label: each for each in view.figures(NO_COUNTS, NOW)}
    assert (shown["Feeds live"].value, shown["Feeds live"].detail) == ("0 of 0", "none declared")
    assert shown["Last poll"].value == "none yet"
    assert {each.tone for each in shown.values()} == {""}


def test_the_figures_of_a_service_at_rest():
    """When all is fine the details say so."""
    counts = replace(
        NO_COUNTS,
        feeds={Health.LIVE: 3},
        entries=1,
        articles={ArticleState.DONE: 1, ArticleState.FAILED: 2},
        last_poll_at=before(seconds=1),
        deliveries={DeliveryState.RETRY: 1},
    )
    shown = {each.label: each for each in view.figures(counts, NOW)}
    assert shown["Feeds live"].detail == "all are live"
    assert shown["Articles"].detail == "2 without text"
    assert shown["Deliveries sent"].tone == "warn"


def test_notices_count_like_deliveries():
    """What was refused, what waits, and of what nobody knows."""
    counts = replace(
        NO_COUNTS,
        deliveries={DeliveryState.SENT: 2, DeliveryState.PENDING: 1},
        notices={DeliveryState.SENT: 3, DeliveryState.DEAD: 1, DeliveryState.SENDING: 1},
        uncertain=1,
    )
    figure = view.figures(counts, NOW)[-1]
    assert (figure.value, figure.tone) == ("5", "bad")
    assert figure.detail == "1 failed, 2 waiting, 1 uncertain"


def test_a_call_that_broke_off_is_uncertain():
    """One that runs is not; both are `sending`."""
    rows = [delivery_row(1, "a", DeliveryState.SENDING, error=error) for error in (None, "timeout")]
    assert [(line.state, line.error) for line in view.delivery_lines(rows)] == [
        ("sending", ""),
        ("uncertain", "timeout"),
    ]


marks = st.lists(st.tuples(st.integers(-5, 60), st.integers(-5, 60)))


@given(st.text(max_size=50), marks)
def test_cutting_at_marks_loses_nothing(text: str, places: list[tuple[int, int]]):
    """Segments put together are the text; marked are exactly the characters inside a mark."""
    cut = view.segments(text, places)
    assert "".join(each.text for each in cut) == text
    assert all(each.text for each in cut)
    inside = [any(start <= at < end for start, end in places) for at in range(len(text))]
    assert [each.marked for each in cut for _ in each.text] == inside
    assert all(one.marked != two.marked for one, two in itertools.pairwise(cut))
