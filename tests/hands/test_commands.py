"""What `/monitor` answers, from a real database; nobody else's words decide how it looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from alerts import Card
from alerts.blocks import to_blocks
from monitor.config import Settings
from monitor.demo.slack import message_error, texts
from monitor.hands.commands import (
    HELP,
    MOST_LINES,
    Desk,
    answered,
    help_card,
    searched,
    watches_card,
)
from monitor.model import Hit, Span, Watch
from monitor.ports import Judged, Precision, WatchRow
from monitor.storage import SqlReports, SqlStore
from tests.contracts.material import NOW, content, given_articles

TRUCE = Watch(name="Truce", terms=("ceasefire",), channel="#asia")
MATCHED = Hit(watch="Truce", spans=(Span(field="title", start=0, end=9, term="ceasefire"),))
DESK_SETTINGS = Settings(watches=(TRUCE,))


def words_of(card: Card) -> str:
    """All that a card says, a line each."""
    rows = ["".join(part.text for part in each.parts) for each in card.lines]
    return "\n".join((card.title, *rows, "".join(part.text for part in card.note)))


async def ask(store: SqlStore, typed: str) -> str:
    """Everything that is answered, as words; each answer is one that Slack takes."""
    desk = Desk(reports=SqlReports(store), settings=DESK_SETTINGS, now=NOW)
    cards = [card async for card in answered(typed, desk)]
    for card in cards:
        rendered = to_blocks(card)
        assert message_error({"text": rendered.text, "blocks": rendered.blocks}) is None
        assert list(texts(rendered.blocks))
    return "\n".join(map(words_of, cards))


@pytest.fixture
async def archive(sqlite_store: SqlStore) -> SqlStore:
    """Three articles that were read; one of them was matched and is to be told."""
    await sqlite_store.write(lambda tx: tx.sync_watches([TRUCE], NOW))
    titles = ("ceasefire holds", "Cricket <!channel>", "Markets *fall*")
    for pending, title in zip(
        await given_articles(sqlite_store, "a", "b", "c"), titles, strict=True
    ):

        def save(tx: Any, pending: Any = pending, title: str = title) -> None:
            article = replace(content(pending.url, title=title), body=f"{title}. So they say.")
            tx.save_article(pending.id, article, state="done", now=NOW, due_at=None)
            story = tx.new_story(NOW)
            tx.put_in_story(pending.id, story, copy_of=None)
            if title.startswith("cease"):
                tx.set_hits(pending.id, [MATCHED], NOW)
                tx.want_delivery(story, "#asia", NOW)

        await sqlite_store.write(save)
    return sqlite_store


async def test_status_is_the_command_lines_own(archive: SqlStore) -> None:
    """Totals, and when what was polled last."""
    said = await ask(archive, "status")
    assert said.startswith("1 feed · 3 entries · 3 articles · 3 stories · 1 hit · 0 alerts shown")
    assert "The oldest unsent message was wanted" in said


async def test_watches_lists_where_each_leads(archive: SqlStore) -> None:
    """And what it found."""
    assert "Truce → #asia · 1 hit in 7 days" in await ask(archive, "watches")


@pytest.mark.parametrize("typed", ["test ceasefire", "TEST  ceasefire ", "test title:ceasefire"])
async def test_a_query_is_tried_on_what_is_stored(archive: SqlStore, typed: str) -> None:
    """How much it finds, and some of it."""
    said = await ask(archive, typed)
    assert "It would have matched 1 of the last 3 articles" in said
    assert "ceasefire holds" in said


@pytest.mark.parametrize(
    ("typed", "found", "missing"),
    [
        ("search cricket", "Cricket <!channel>", "Markets"),
        ("search say they", "Cricket", "Nothing"),  # all words, in any order
        ('search "so they say"', "Markets *fall*", "Nothing"),
        ("search cricket OR markets", "Markets", "ceasefire"),
        ("search cricket (", "Cricket", "Markets"),  # no query: its words
        ("search sinkhole", "Nothing found: sinkhole", "Cricket"),
    ],
)
async def test_a_search_takes_words_or_a_query(
    archive: SqlStore, typed: str, found: str, missing: str
) -> None:
    """Newest first, with what was found in bold."""
    said = await ask(archive, typed)
    assert found in said
    assert missing not in said


async def test_why_is_the_command_lines_own(archive: SqlStore) -> None:
    """Stage by stage; as Slack writes a link, too."""
    for typed in ("why https://news.example/a", "why <https://news.example/a|news.example/a>"):
        said = await ask(archive, typed)
        assert said.startswith("ceasefire holds\n")
        assert "Matched   yes Truce: ceasefire" in said
        assert "waits to be sent to #asia" in said
    assert (await ask(archive, "why https://news.example/z")).startswith("Not seen.")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "What you can ask"),
        ("help", "What you can ask"),
        ("statsu", "There is no /monitor statsu; did you mean status?"),
        ("<!channel>", "There is no /monitor <!channel>"),
        ("test", "Say more: /monitor test QUERY"),
        ("search  ", "Say more: /monitor search WORDS"),
        ("why", "Say more: /monitor why URL"),
        ("why nothing", "'nothing' is no web address"),
        ("test (a OR", "This is no query: "),
        ('search ""', "This is no query: "),
    ],
)
async def test_what_can_not_be_done_is_said(archive: SqlStore, typed: str, said: str) -> None:
    """In one sentence, with what can."""
    assert (await ask(archive, typed)).startswith(said)


async def test_an_empty_archive_is_no_test(sqlite_store: SqlStore) -> None:
    """There is nothing to say of a query then."""
    assert "no stored articles" in await ask(sqlite_store, "test ceasefire")
    assert "Nothing found" in await ask(sqlite_store, "search ceasefire")


def test_help_names_every_command() -> None:
    """Each with what it answers."""
    said = words_of(help_card())
    assert all(f"/monitor {usage}" in said and what in said for usage, what in HELP.items())


def test_a_long_list_of_watches_is_cut_and_counted() -> None:
    """More is for the page."""
    rows = [
        WatchRow(watch=Watch(name=f"W{number}", terms=("x",)), hits=number)
        for number in range(MOST_LINES + 5)
    ]
    card = watches_card(rows, Settings())
    assert len(card.lines) == MOST_LINES + 1
    assert words_of(card).strip().endswith("and 5 watches more")


def test_precision_stands_beside_a_watch() -> None:
    """As in `monitor watches list`."""
    found = Precision(judged=45, relevant=37, terms={"x": Judged(judged=45, relevant=37)})
    row = WatchRow(watch=TRUCE, hits=2, precision=found)
    assert "2 hits in 7 days · precision 82 % of 45 judged" in words_of(
        watches_card([row], Settings())
    )


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("indus treaty", "indus AND treaty"),
        ("indus", "indus"),
        ('"indus waters" treaty', '"indus waters" treaty'),
        ("title:indus", "title:indus"),
        ("a) b", '"a)" AND "b"'),
        ('say "what', '"say" AND "what"'),
    ],
)
def test_words_become_a_query(typed: str, query: str) -> None:
    """All of them must be there, unless somebody writes the language."""
    assert searched(typed) == query


async def test_old_articles_are_searched_for_a_year(archive: SqlStore) -> None:
    """What is older is for the page's archive."""
    desk = Desk(reports=SqlReports(archive), settings=DESK_SETTINGS, now=NOW + timedelta(days=400))
    [card] = [card async for card in answered("search cricket", desk)]
    assert card.title == "Nothing found: cricket"
