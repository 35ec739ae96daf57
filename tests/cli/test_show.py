"""What the command line prints reaches the reader whole."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from rich.console import Console

from monitor import answers
from monitor.cli.show import summary as show
from monitor.config import Settings
from monitor.model import (
    DeliveryState,
    FeedSpec,
    FeedStatus,
    Health,
    Hit,
    Move,
    SubscriptionState,
    Watch,
)
from monitor.ports import Outcome, Revision
from tests.web.samples import NO_COUNTS, NOW, article_trace, delivery_row, feed_row


def printed(parts: Iterable[object]) -> str:
    """The parts as a terminal shows them."""
    console = Console(file=io.StringIO(), width=200)
    for part in parts:
        console.print(part, soft_wrap=True)
    return console.file.getvalue()


def test_status_without_feeds_says_where_they_come_from() -> None:
    """The name of a table in feeds.toml is not taken for markup."""
    assert "takes each [[feed]] of feeds.toml." in printed(show.status(NO_COUNTS, (), NOW))


def test_status_says_what_was_refused_and_where_that_stands() -> None:
    """Of stories' messages and of all others."""
    one, other = {DeliveryState.DEAD: 1}, {DeliveryState.DEAD: 2, DeliveryState.SENT: 5}
    counts = replace(NO_COUNTS, deliveries=one, notices=other)
    said = printed(show.status(counts, (), NOW))
    assert "3 messages were refused for good: `monitor deliveries list --dead` says why." in said
    assert "refused" not in printed(show.status(NO_COUNTS, (), NOW))


def test_why_names_the_setting_that_kept_an_alert_back() -> None:
    """`[alerts] max_age` is named in full, so that it can be found in feeds.toml."""
    old = NOW - timedelta(days=9)
    trace = article_trace(published_at=old)
    trace = replace(trace, sightings=(replace(trace.sightings[0], published_at=old),))
    settings = Settings(
        watches=(Watch(name="Truce", terms=("ceasefire",)),),
        feeds=(FeedSpec(url="https://example.org/feed", name="Dawn", publisher="Dawn"),),
    )
    assert "older than [alerts] max_age" in printed(answers.traced(trace, settings, NOW))


def test_why_tells_each_attempt_to_alert() -> None:
    """When it was, and how it ended, in the words of the page."""
    row = delivery_row(1, "Ceasefire", DeliveryState.SENT)
    trace = article_trace(deliveries=(row,))
    outcomes = (
        Outcome(at=NOW - timedelta(minutes=2), what="deferred", error="ratelimited: [20 s]"),
        Outcome(at=NOW - timedelta(minutes=1), what="sent", error=None),
    )
    said = printed(answers.traced(trace, Settings(), NOW, None, {row.id: outcomes}))
    assert "11:58:00 put off: ratelimited: [20 s]\n          11:59:00 shown" in said


def test_why_tells_what_is_not_or_no_longer_read() -> None:
    """Paragraphs of the site's, former texts, updates of a rolling page; markup is shown as it is."""
    trace = article_trace(
        title="Live: the line",
        body="It is quiet.",
        due_at=NOW + timedelta(minutes=5),
        hits=(Hit(watch="Truce", spans=()),),
        furniture=("Also read: [Kashmir]", *[f"line {number} " * 30 for number in range(12)]),
        revisions=(
            Revision(title="[Old] one", body="Two words", replaced_at=NOW - timedelta(hours=2)),
            Revision(title="Live: morning", body=None, replaced_at=NOW - timedelta(hours=1)),
        ),
        updates=3,
    )
    settings = Settings(watches=(Watch(name="Truce", terms=("ceasefire",)),))
    said = printed(answers.traced(trace, settings, NOW))
    assert "Rolling   3 updates read, each once, more are asked for in 5 min" in said
    assert "Revised   2 h ago: 2 words under “[Old] one”" in said
    assert "Revised   1 h ago: under “Live: morning”" in said
    assert "          [-[Old] one-] {+Live: morning+}\n" in said
    assert "          Live: [-morning-] {+the line+}\n" in said
    assert "          [-Two words-] {+It is quiet.+}\n" in said
    assert "Not read  Also read: [Kashmir] (stands on other pages of the site, too)" in said
    assert "nor 3 other paragraphs of this kind" in said
    assert "yes Truce: by what it said before" in said


def test_a_span_is_said_as_the_page_says_it() -> None:
    """A day and a half is one day ago in the terminal and in the browser; one thing is no plural."""
    counts = replace(NO_COUNTS, entries=1, last_poll_at=NOW - timedelta(hours=36))
    said = printed(show.status(counts, (), NOW))
    assert "Last poll 1 day ago" in said
    assert "0 feeds · 1 entry ·" in said


def test_status_fits_eighty_columns() -> None:
    """Each feed in a line that can be read, what is to be said of it below, with room for a URL."""
    url = "https://feeds.example.org/a-path-of-some-length/of-a-feed/rss.xml?edition=as"
    rows = (
        feed_row("Dawn", FeedStatus.FAILING, error="timeout: 20 s", failures=3),
        feed_row("A name that is far too long to stand beside all that", health=Health.SILENT),
        feed_row("[新华社]", move=Move(url=url, since=NOW - timedelta(days=3), polls=5)),
        feed_row(
            "Pushed",
            subscription=SubscriptionState.ACTIVE,
            subscribed_until=NOW + timedelta(days=2),
            pushed_at=NOW - timedelta(minutes=3),
            polled_at=NOW - timedelta(hours=2, minutes=5),
        ),
    )
    console = Console(file=io.StringIO(), width=80)
    for part in show.status(NO_COUNTS, rows, NOW):
        console.print(part)
    assert [line.rstrip() for line in console.file.getvalue().splitlines()[2:]] == [
        "Feed                       Health   Polled         Next      Entries  Newest",
        "Dawn                       failing  70 s ago       in 4 min  120      12 min ago",
        "  timeout: 20 s",
        "A name that is far too long to stand beside all that",
        "                           silent   70 s ago       in 4 min  120      12 min ago",
        "  nothing new for 3 days: unusual for it",
        "[新华社]                   live     70 s ago       in 4 min  120      12 min ago",
        "  it has moved to",
        f"  {url}:",
        "  change its url in feeds.toml",
        "Pushed                     live     2 h 5 min ago  in 4 min  120      12 min ago",
        "  pushed 3 min ago",
    ]
