"""What a message that lists several stories says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts import Card
from alerts.blocks import to_blocks
from monitor.model import Health, StoryId
from monitor.ports import Brief, Finding
from monitor.telling.digest import (
    HEADLINE,
    TOP,
    Period,
    digest,
    feeds_line,
    listed,
    pages,
    together,
    worth_a_line,
)
from monitor.telling.flood import PAGE

NOW = datetime(2025, 5, 10, 12, 0, tzinfo=UTC)
PERIOD = Period(name="Daily digest", since=NOW - timedelta(days=1), until=NOW)
FEEDS = {Health.LIVE: 40, Health.RECOVERED: 1, Health.SILENT: 2, Health.FAILING: 1}


def brief(story: int, *watches: str, headline: str = "", others: int = 0) -> Brief:
    return Brief(
        story=StoryId(story),
        headline=headline or f"Story {story}",
        url=f"https://news.example/{story}",
        publisher="Courier",
        others=others,
        first_seen_at=NOW,
        watches=watches,
    )


def words(card: Card) -> list[str]:
    """The lines of a card, as plain words."""
    return ["".join(part.text for part in line.parts) for line in card.lines]


def told(cards) -> list[str]:
    return [line.parts[0].text for card in cards for line in card.lines if line.bullet]


def test_a_digest_says_what_each_watch_found_and_how_the_feeds_are():
    """Counts, then the stories with most articles; a story of two watches stands once."""
    findings = [
        Finding(watch="Truce", story=StoryId(1), articles=7),
        Finding(watch="Truce", story=StoryId(2), articles=1),
        Finding(watch="Water", story=StoryId(1), articles=2),
    ]
    briefs = {StoryId(n): brief(n, others=n) for n in (1, 2)}
    [card] = digest(PERIOD, ["Truce", "Water", "Idle"], findings, briefs, FEEDS)
    assert card.title == "Daily digest: 2 stories"
    assert words(card) == [
        "Truce: 2 stories, 8 articles",
        "Story 1 — Courier · +1 outlet · ",
        "Story 2 — Courier · +2 outlets · ",
        "Water: 1 story, 2 articles",
        "Idle: nothing new",
    ]
    assert [part.url for part in card.lines[1].parts][:1] == ["https://news.example/1"]
    assert card.note[0].text == "41 of 44 feeds live (1 failing, 2 silent) · since "
    assert card.note[1].at == PERIOD.since


def test_a_digest_says_how_many_it_does_not_list():
    """Beside the first few of a watch."""
    findings = [Finding(watch="Truce", story=StoryId(n), articles=1) for n in range(12)]
    briefs = {story: brief(story) for story in worth_a_line(findings, ())}
    [card] = digest(PERIOD, ["Truce"], findings, briefs, FEEDS)
    assert len(told([card])) == TOP
    assert words(card)[-1] == f"and {12 - TOP} more"


@given(st.sets(st.integers(0, 200)), st.integers(0, 40))
def test_what_is_told_nowhere_else_is_listed_once(must, others):
    """However many messages that takes, none of which is too long."""
    stories = [StoryId(n) for n in sorted(must)]
    findings = [Finding(watch="Truce", story=story, articles=1) for story in stories]
    findings += [
        Finding(watch="Water", story=StoryId(n), articles=2) for n in range(1000, 1000 + others)
    ]
    briefs = {story: brief(story) for story in worth_a_line(findings, stories)}
    cards = digest(PERIOD, ["Truce", "Water"], findings, briefs, FEEDS, must=stories)
    found = told(cards)
    assert len(found) == len(set(found))
    assert {f"Story {story}" for story in stories} <= set(found)
    assert all(len(card.lines) <= PAGE for card in cards)
    assert [bool(card.note) for card in cards] == [False] * (len(cards) - 1) + [True]


def test_a_headline_is_cut_and_a_missing_one_is_the_address():
    """A list of twenty must fit into one message."""
    long = listed(brief(1, headline="x" * 500))
    assert long.parts[0].text == "x" * (HEADLINE - 1) + "…"
    untitled = listed(Brief(**{**_fields(brief(2)), "headline": ""}))
    assert untitled.parts[0].text == "https://news.example/2"


def _fields(brief: Brief) -> dict:
    return {name: getattr(brief, name) for name in brief.__slots__}


def test_a_list_says_why_it_is_one():
    """In small type below; each story with its watches."""
    card = together("Many", [brief(1, "Truce", "Water")], "Because.")
    assert words(card) == ["Story 1 — Courier · Truce, Water · "]
    assert [part.text for part in card.note] == ["Because."]


def test_feeds_that_are_all_well_need_no_detail():
    assert feeds_line({Health.LIVE: 44}) == "44 of 44 feeds live"
    assert feeds_line({Health.LIVE: 1, Health.NEW: 1}) == "1 of 2 feeds live"
    assert feeds_line({}) == "0 of 0 feeds live"


def test_the_longest_list_fits_into_one_message_of_slack():
    """Nothing that a page lists is cut away by who renders it."""
    long = [
        Brief(
            story=StoryId(n),
            headline=f"{n} " + "युद्धविराम <!channel> & *bold* " * 20,
            url=f"https://news.example/{n}?" + "x" * 500,
            publisher="P" * 100,
            others=1000,
            first_seen_at=NOW,
            watches=("W" * 100, "Q" * 100, "Z" * 100),
        )
        for n in range(PAGE)
    ]
    shown = str(to_blocks(together("T" * 80, long, "N" * 100)).blocks)
    assert [n for n in range(PAGE) if f"news.example/{n}?" not in shown] == []


@given(st.lists(st.integers(), max_size=200))
def test_pages_hold_all_in_order(rows):
    """None is empty but the only one."""
    found = list(pages(rows))
    assert [row for page in found for row in page] == rows
    assert all(len(page) <= PAGE for page in found)
    assert len(found) == 1 or all(found)
