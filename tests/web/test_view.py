"""Rows → what is shown."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import DeliveryState, FeedStatus
from monitor.web import view
from tests.web.samples import delivery_row, feed_row


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


@given(text=st.text(max_size=40), marks=marks)
def test_labels_lose_nothing_and_stand_where_they_were_put(text, marks):
    """Overlapping or not: each character has the labels of the marks around it, in their order."""
    labelled = [(start, end, f"{start}-{end}") for start, end in marks]
    cut = view.labelled(text, labelled)
    assert "".join(each.text for each in cut) == text
    by_character = [set(each.labels) for each in cut for _ in each.text]
    assert by_character == [
        {label for start, end, label in labelled if max(0, start) <= at < end}
        for at in range(len(text))
    ]
