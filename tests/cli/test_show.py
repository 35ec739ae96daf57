"""What the command line prints reaches the reader whole."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rich.console import Console

from monitor import answers
from monitor.cli import show
from monitor.config import Settings
from monitor.model import ArticleId, ArticleState, FeedSpec, Hit, Span, StoryId, Watch
from monitor.ports import ArticleTrace, Revision, Sighting
from tests.web.samples import NO_COUNTS

NOW = datetime(2025, 5, 10, 12, tzinfo=UTC)


def printed(parts: Iterable[object]) -> str:
    """The parts as a terminal shows them."""
    console = Console(file=io.StringIO(), width=200)
    for part in parts:
        console.print(part, soft_wrap=True)
    return console.file.getvalue()


def test_status_without_feeds_says_where_they_come_from() -> None:
    """The name of a table in feeds.toml is not taken for markup."""
    assert "takes each [[feed]] of feeds.toml." in printed(show.status(NO_COUNTS, (), NOW))


def test_why_names_the_setting_that_kept_an_alert_back() -> None:
    """`[alerts] max_age` is named in full, so that it can be found in feeds.toml."""
    old = NOW - timedelta(days=9)
    trace = ArticleTrace(
        article=ArticleId(1),
        url="https://example.org/a",
        title="Ceasefire",
        body="",
        state=ArticleState.DONE,
        source="page",
        language="en",
        attempts=1,
        error=None,
        published_at=old,
        first_seen_at=NOW,
        ingested_at=NOW,
        due_at=None,
        story=StoryId(1),
        copy_of=None,
        sightings=(
            Sighting(
                feed="A",
                publisher="A",
                guid="1",
                url=None,
                title="",
                published_at=old,
                first_seen_at=NOW,
                backlog=False,
            ),
        ),
        hits=(Hit(watch="W", spans=(Span(field="title", start=0, end=9, term="ceasefire"),)),),
        deliveries=(),
    )
    settings = Settings(
        watches=(Watch(name="W", terms=("ceasefire",)),),
        feeds=(FeedSpec(url="https://example.org/feed", name="A", publisher="A"),),
    )
    assert "older than [alerts] max_age" in printed(answers.traced(trace, settings, NOW))


def test_why_tells_what_is_not_or_no_longer_read() -> None:
    """Paragraphs of the site's, former texts, updates of a rolling page; markup is shown as it is."""
    trace = ArticleTrace(
        article=ArticleId(1),
        url="https://example.org/live",
        title="Live: the line",
        body="It is quiet.",
        state=ArticleState.DONE,
        source="page",
        language="en",
        attempts=1,
        error=None,
        published_at=NOW,
        first_seen_at=NOW,
        ingested_at=NOW,
        due_at=NOW + timedelta(minutes=5),
        story=StoryId(1),
        copy_of=None,
        sightings=(),
        hits=(Hit(watch="W", spans=()),),
        deliveries=(),
        furniture=("Also read: [Kashmir]", *[f"line {number} " * 30 for number in range(12)]),
        revisions=(
            Revision(title="[Old] one", body="Two words", replaced_at=NOW - timedelta(hours=2)),
            Revision(title="Live: morning", body=None, replaced_at=NOW - timedelta(hours=1)),
        ),
        updates=3,
    )
    settings = Settings(watches=(Watch(name="W", terms=("ceasefire",)),))
    said = printed(answers.traced(trace, settings, NOW))
    assert "Rolling   3 updates read, each once, more are asked for in 5 min" in said
    assert "Revised   2 h ago: 2 words under “[Old] one”" in said
    assert "Revised   1 h ago: under “Live: morning”" in said
    assert "Not read  Also read: [Kashmir] (stands on other pages of the site, too)" in said
    assert "nor 3 other paragraphs of this kind" in said
    assert "yes W: by what it said before" in said


def test_a_span_is_said_as_the_page_says_it() -> None:
    """A day and a half is one day ago in the terminal and in the browser; one thing is no plural."""
    counts = replace(NO_COUNTS, entries=1, last_poll_at=NOW - timedelta(hours=36))
    said = printed(show.status(counts, (), NOW))
    assert "Last poll 1 day ago" in said
    assert "0 feeds · 1 entry ·" in said
