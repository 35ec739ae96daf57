"""Feed and page become an article; a story becomes an alert."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.compose import (
    Rules,
    compose_alert,
    compose_article,
    place_entry,
    voices,
    why_not_news,
)
from monitor.match import compile_watches
from monitor.model import (
    ArticleId,
    ArticleState,
    Delivery,
    DeliveryId,
    Entry,
    Extraction,
    Feed,
    FeedId,
    FeedSpec,
    FeedStatus,
    Hit,
    PendingArticle,
    Sent,
    Span,
    StoryId,
    Validators,
    Watch,
)
from monitor.ports import Coverage, StoryView

NOW = datetime(2025, 5, 10, 12, 0, tzinfo=UTC)
SPEC = FeedSpec(url="https://courier.example.com/rss", name="Courier World", publisher="Courier")
FEED = Feed(
    id=FeedId(1),
    spec=SPEC,
    host="courier.example.com",
    status=FeedStatus.OK,
    validators=Validators(),
    body_hash=None,
    failures=0,
    polled_at=None,
    due_at=NOW,
)


def entry(**changes) -> Entry:
    given = {
        "guid": "1",
        "url": "https://courier.example.com/a?utm_source=rss",
        "title": "Truce holds",
        "text": "From the feed.",
    }
    return Entry(**(given | changes))


def pending(**changes) -> PendingArticle:
    given = {
        "id": ArticleId(1),
        "url": "https://courier.example.com/a",
        "link": "https://courier.example.com/a?utm_source=rss",
        "state": ArticleState.NEW,
        "attempts": 1,
        "deaths": 0,
        "entry": entry(),
        "feed": SPEC,
        "backlog": False,
        "first_seen_at": NOW,
    }
    return PendingArticle(**(given | changes))


def page(**changes) -> Extraction:
    return Extraction(**({"title": "Truce holds | Courier", "body": "From the page."} | changes))


def test_an_entry_is_placed_by_its_canonical_url():
    """Tracking parameters are no part of what an article is known by, but the link is kept."""
    found = place_entry(FEED, entry())
    assert found.url == "https://courier.example.com/a"
    assert found.host == "courier.example.com"
    assert found.entry.url == "https://courier.example.com/a?utm_source=rss"


@pytest.mark.parametrize("url", [None, "https://", "http://[broken/"])
def test_an_entry_without_a_usable_link_is_known_by_feed_and_guid(url):
    """It becomes an article of its own, the same one at every poll, another for another guid."""
    found = place_entry(FEED, entry(url=url))
    assert found == place_entry(FEED, entry(url=url))
    assert found.url.startswith("urn:monitor:")
    assert found.url != place_entry(FEED, entry(url=url, guid="2")).url
    assert (found.entry.url, found.host) == (None, "courier.example.com")


def test_the_page_gives_the_text_and_the_feed_the_headline():
    """A page's title is guessed; the feed's is the publisher's own."""
    article = compose_article(pending(), "https://courier.example.com/a", page())
    assert (article.title, article.body, article.source) == (
        "Truce holds",
        "From the page.",
        "page",
    )


def test_without_a_page_the_feed_serves():
    """The feed's text is matched when the page can't be had."""
    article = compose_article(pending(), None, None)
    assert (article.body, article.source) == ("From the feed.", "feed")
    assert article.url == "https://courier.example.com/a"


@pytest.mark.parametrize(
    ("canonical", "expected"),
    [
        (
            "https://www.courier.example.com/world/truce",
            "https://www.courier.example.com/world/truce",
        ),
        ("https://courier.example.com/", "https://courier.example.com/final"),  # a lazy front page
        (
            "https://other.example.org/theirs",
            "https://courier.example.com/final",
        ),  # another site's word
        ("http://[broken/", "https://courier.example.com/final"),
        (None, "https://courier.example.com/final"),
    ],
)
def test_the_article_lives_where_its_site_says(canonical, expected):
    """rel=canonical is believed within the site; otherwise the end of the redirects counts."""
    found = compose_article(
        pending(), "https://courier.example.com/final?utm_medium=x", page(canonical_url=canonical)
    )
    assert found.url == expected


@pytest.mark.parametrize(
    ("published", "backlog", "max_age", "is_news"),
    [
        (NOW - timedelta(hours=1), False, timedelta(hours=24), True),
        (NOW - timedelta(hours=1), True, timedelta(hours=24), False),
        (NOW - timedelta(hours=25), False, timedelta(hours=24), False),
        (NOW + timedelta(hours=1), False, timedelta(hours=24), True),
        (NOW - timedelta(days=900), True, None, True),
        (None, False, timedelta(hours=24), True),
        (None, True, timedelta(hours=24), False),
    ],
)
def test_old_news_is_not_told(published, backlog, max_age, is_news):
    """Old at first sight, or in its feed from the start: stored, not sent, and a reason is given."""
    reason = why_not_news(published, first_seen_at=NOW, backlog=backlog, max_age=max_age)
    assert (reason is None) == is_news


# ------------------------------------------------------------------------------ alerts

WATCHES = (
    Watch(name="Truce", terms=("truce",)),
    Watch(name="Kashmir", terms=("Kashmir",)),
    Watch(name="South", terms=("truce",), channel="#south"),
)
RULES = Rules(
    watches=WATCHES,
    matcher=compile_watches(WATCHES),
    default_channel="#newsdesk",
    interval=timedelta(minutes=5),
)
DELIVERY = Delivery(
    id=DeliveryId("d1"),
    story=StoryId(1),
    channel="#newsdesk",
    attempts=1,
    sent=None,
    found_sending_at=None,
)


def covered(number: int, *publishers: str, hits: tuple[Hit, ...] = (), **more: Any) -> Coverage:
    body = "Officials said the truce holds. Calm returned to Kashmir."
    return Coverage(
        article=ArticleId(number),
        url=f"https://courier.example.com/{number}",
        title=f"Headline {number}",
        body=body,
        publishers=publishers,
        **({"published_at": NOW, "first_seen_at": NOW, "hits": hits} | more),
    )


def hit(watch: str, term: str, start: int) -> Hit:
    return Hit(
        watch=watch, spans=(Span(field="body", start=start, end=start + len(term), term=term),)
    )


TRUCE, KASHMIR, SOUTH = (
    hit("Truce", "truce", 19),
    hit("Kashmir", "Kashmir", 49),
    hit("South", "truce", 19),
)


def test_an_alert_names_every_watch_of_its_channel_and_everybody_who_carries_the_story():
    """One message: both watches of the channel, the first to report as publisher, then others."""
    view = StoryView(
        story=StoryId(1),
        articles=(
            covered(1, "Courier", "Ledger", hits=(TRUCE, KASHMIR, SOUTH)),
            covered(2, "Dawn Post", "Courier", hits=(TRUCE,)),
        ),
    )
    alert = compose_alert(DELIVERY, view, RULES)
    assert alert is not None
    assert (alert.headline, alert.publisher, alert.also) == (
        "Headline 1",
        "Courier",
        ("Ledger", "Dawn Post"),
    )
    assert (alert.watches, alert.terms) == (("Truce", "Kashmir"), ("truce", "Kashmir"))
    assert alert.passage is not None
    marked = [alert.passage.text[start:end] for start, end in alert.passage.marks]
    assert marked == ["truce", "Kashmir"]


def test_an_agency_is_named_once_whoever_prints_it():
    """Also where the first to report prints it; copies of a paper are papers."""
    papers = (copy(3, "Mirror", 2), copy(4, "Star", 2, agency="PTI"), copy(6, "Echo", 5))
    view = StoryView(
        story=StoryId(1),
        articles=(
            covered(1, "Courier", hits=(TRUCE,)),
            covered(2, "Ledger", agency="PTI"),
            covered(5, "Dawn Post"),
            *papers,
        ),
    )
    alert = compose_alert(DELIVERY, view, RULES)
    assert alert is not None
    assert alert.also == ("PTI", "Dawn Post", "Echo")
    assert (alert.carriers, alert.independent) == (6, 3)
    printed = replace(view.articles[0], agency="PTI", hits=(TRUCE,))
    alert = compose_alert(DELIVERY, replace(view, articles=(printed, *view.articles[1:])), RULES)
    assert alert is not None
    assert (alert.publisher, alert.also) == ("Courier", ("PTI", "Dawn Post", "Echo"))


def test_the_headline_is_of_the_first_article_that_hits():
    """A story may begin with an article that the channel's watches don't match."""
    view = StoryView(
        story=StoryId(1),
        articles=(covered(1, "Courier", hits=(SOUTH,)), covered(2, "Ledger", hits=(KASHMIR,))),
    )
    alert = compose_alert(DELIVERY, view, RULES)
    assert alert is not None
    assert (alert.headline, alert.publisher, alert.also) == ("Headline 2", "Ledger", ("Courier",))


def test_an_alert_whose_watch_was_deleted_is_still_shown():
    """What was wanted before an edit of the configuration is not lost by it."""
    view = StoryView(
        story=StoryId(1), articles=(covered(1, "C", hits=(hit("Gone", "truce", 19),)),)
    )
    alert = compose_alert(DELIVERY, view, RULES)
    assert alert is not None
    assert alert.watches == ("Gone",)


def test_nothing_is_left_to_show():
    """A story without hits for the channel makes no message."""
    view = StoryView(story=StoryId(1), articles=(covered(1, "Courier", hits=(SOUTH,)),))
    assert compose_alert(DELIVERY, view, RULES) is None


@pytest.mark.parametrize(
    "old",
    [{"published_at": NOW - timedelta(days=3)}, {"published_at": None, "backlog": True}],
    ids=["old", "backlog"],
)
def test_old_news_does_not_lead_what_is_news(old):
    """A story may begin with what nobody was told of; alone, it stands as it did."""
    first = covered(1, "Courier", hits=(TRUCE,), **old)
    view = StoryView(story=StoryId(1), articles=(first, covered(2, "Ledger", hits=(KASHMIR,))))
    alert = compose_alert(DELIVERY, view, RULES)
    assert alert is not None
    assert (alert.headline, alert.publisher, alert.also) == ("Headline 2", "Ledger", ("Courier",))
    alone = compose_alert(DELIVERY, StoryView(story=StoryId(1), articles=(first,)), RULES)
    assert alone is not None
    assert alone.headline == "Headline 1"


def test_a_message_whose_story_was_merged_points_to_the_other():
    """If it was shown; if not, there is nothing to say."""
    view = StoryView(story=StoryId(7), articles=(covered(1, "Courier", hits=(TRUCE,)),))
    assert compose_alert(DELIVERY, view, RULES) is None
    pointer = compose_alert(replace(DELIVERY, sent=Sent(channel="C", ref="1")), view, RULES)
    assert pointer is not None
    assert (pointer.pointer, pointer.headline, pointer.passage) == (True, "Headline 1", None)
    assert (pointer.watches, pointer.also) == ((), ())


def copy(number: int, publisher: str, of: int, **more: Any) -> Coverage:
    return covered(number, publisher, copy_of=ArticleId(of), **more)


@pytest.mark.parametrize(
    ("articles", "expected"),
    [
        ((covered(1, "Courier"), covered(2, "Ledger")), ("Courier", "Ledger")),
        ((covered(1, "Courier"), covered(2, "Courier")), ("Courier",)),
        ((covered(1, "Courier", "Portal"),), ("Courier",)),
        ((covered(1, "Courier"), copy(2, "Ledger", 1), copy(3, "Dawn", 1)), ("Courier",)),
        ((covered(1, "Courier"), copy(2, "Ledger", 1, agency="PTI")), ("PTI",)),
        (
            (covered(1, "A", agency="PTI"), covered(2, "B", agency="PTI"), covered(3, "PTI")),
            ("PTI",),
        ),
        (
            (covered(1, "A", agency="agencies"), copy(2, "B", 1, agency="AFP"), covered(3, "C")),
            ("AFP", "C"),
        ),
        ((copy(2, "Ledger", 1), copy(3, "Dawn", 1)), ("Ledger",)),
    ],
    ids=[
        "two reports",
        "one publisher",
        "one page, two feeds",
        "copies",
        "a credit speaks for all",
        "one agency",
        "a named agency",
        "the root is elsewhere",
    ],
)
def test_who_reports_a_story_counts_once(articles, expected):
    """Copies add nothing, and those of one agency are one voice, whoever prints them."""
    assert voices(StoryView(story=StoryId(1), articles=articles)) == expected
