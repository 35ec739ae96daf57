"""`monitor stories` as it is typed, over a small archive."""

from __future__ import annotations

import json
import re

import pytest

from monitor.model import ArticleId, Hit, Span, StoryId, Watch
from monitor.ports import Transaction
from tests.cli.test_watches import NOW, Desk, desk  # noqa: F401 a fixture

FOUND = Hit(watch="Ceasefire", spans=(Span(field="title", start=0, end=9, term="ceasefire"),))


@pytest.fixture
def told(desk: Desk) -> Desk:  # noqa: F811
    """Three stories; something was found in two, of which one is told."""
    desk.archive(
        {
            "truce": ("Ceasefire holds", "The guns are silent."),
            "pact": ("Ceasefire pact signed", "In Hollin, on Monday."),
            "cricket": ("Cricket", "India won by six wickets."),
        }
    )

    def find(tx: Transaction) -> None:
        tx.sync_watches([Watch(name="Ceasefire", terms=("ceasefire",))], NOW)
        for article in (1, 2):
            tx.set_hits(ArticleId(article), [FOUND], NOW)
        tx.want_delivery(StoryId(1), "#newsdesk", NOW)

    desk.run(find)
    return desk


def test_stories_are_listed_newest_first(told: Desk):
    """Those in which something was found, with where they are told."""
    lines = told.monitor("stories", "list").splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [["1", "1", "h"], ["2", "2", "h"]]
    assert "#newsdesk" in lines[1]
    assert "Ceasefire holds" in lines[1]
    rows = json.loads(told.monitor("stories", "list", "--json", "--limit", "1"))
    assert [(row["story"], row["articles"], row["channels"]) for row in rows] == [(2, 1, [])]


def test_a_story_is_shown_to_machines_as_the_api_has_it(told: Desk):
    """With its articles and messages; nothing else is on stdout."""
    shown = json.loads(told.monitor("stories", "show", "1", "--json"))
    assert [each["url"] for each in shown["articles"]] == ["https://news.example/truce"]
    assert [each["channel"] for each in shown["deliveries"]] == ["#newsdesk"]


def test_in_a_pipe_a_row_is_a_line(desk: Desk):  # noqa: F811
    """However long its headline is: who greps wants all of it."""
    long = "Ceasefire holds, " + "and one more clause, " * 20 + "says the army"
    desk.archive({"truce": (long, "The guns are silent.")})

    def find(tx: Transaction) -> None:
        tx.sync_watches([Watch(name="Ceasefire", terms=("ceasefire",))], NOW)
        tx.set_hits(ArticleId(1), [FOUND], NOW)

    desk.run(find)
    _, row = desk.monitor("stories", "list").splitlines()
    assert row.endswith(long)


def test_a_story_that_waits_says_for_what(told: Desk):
    """In the list, in its own lines, of each of its articles, and counted."""
    told.run(lambda tx: tx.hold(StoryId(2), "Ceasefire", "1 of 2 publishers", NOW))
    assert "held: 1 of 2 publishers" in told.monitor("stories", "list").splitlines()[2]
    rows = json.loads(told.monitor("stories", "list", "--json", "--limit", "1"))
    assert rows[0]["held"] == [{"watch": "Ceasefire", "lacks": "1 of 2 publishers"}]
    shown = told.monitor("stories", "show", "2")
    assert re.search(r"Held for Ceasefire, since .*: 1 of 2 publishers\.", shown)
    why = " ".join(told.monitor("why", "https://news.example/pact").split())
    assert "not for Ceasefire: held: 1 of 2 publishers, since" in why
    assert "no delivery" not in why


def test_two_stories_are_merged_and_one_is_split_off(told: Desk):
    """By number and by URL; what was decided is told, and by whom."""
    assert told.monitor("stories", "merge", "2", "1") == "Stories 2 and 1 are one now: story 1.\n"
    shown = told.monitor("stories", "show", "2")
    assert shown.startswith("Story 2 was merged into story 1.\nStory 1: 2 articles")
    assert re.search(r"\w+ merged story 2 into it", shown)
    assert told.monitor("stories", "split", "https://news.example/pact?utm_source=x") == (
        "It is story 4 now.\n"
    )
    shown = told.monitor("stories", "show", "1")
    assert "Story 1: 1 article from 1 publisher, 1 independent report" in shown
    assert re.search(r"decided .*: https://news.example/pact is none of story 1\.", shown)
    assert "terminal: pending" in told.monitor("stories", "show", "4")


def test_an_article_is_shown_by_the_number_and_the_url_that_split_takes(desk: Desk):  # noqa: F811
    """A long URL is whole, to be copied; the database's third article is 3 here, too."""
    long = "a-headline-that-an-editor-made-into-an-address" * 3
    desk.archive({"one": ("One", "A."), "two": ("Two", "B."), long: ("Three", "C.")})
    desk.monitor("stories", "merge", "1", "3")
    shown = desk.monitor("stories", "show", "1").splitlines()
    assert [line for line in shown if ". " in line] == ["  3. Three", "  1. One"]
    assert f"  https://news.example/{long}" in shown
    assert desk.monitor("stories", "split", "3") == "It is story 4 now.\n"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("show", "9"), "monitor: there is no story 9: see `monitor stories list`\n"),
        (("merge", "1", "9"), "monitor: there is no story 9: see `monitor stories list`\n"),
        (("merge", "1", "1"), "monitor: stories 1 and 1 are one already\n"),
        (("split", "1"), "monitor: nothing is in story 1 beside this article\n"),
        (("split", "https://news.example/none"), "there is no article"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(told: Desk, args: tuple[str, ...], sentence: str):
    """And the exit code of a plain mistake."""
    assert sentence in told.monitor("stories", *args, code=1)


@pytest.mark.parametrize(
    ("variable", "value", "section"),
    [
        ("MONITOR_DATABASE_URL", "mysql://desk", ""),
        ("MONITOR_DATABASE_URL_FILE", "nowhere", ""),
        (None, None, 'database = "mysql://desk"'),
        (None, None, 'databse = "sqlite:///other.db"'),
    ],
)
def test_a_mistake_in_the_database_leads_to_no_other_one(told: Desk, variable, value, section):
    """The default one may be there as well, and hold other stories under the same numbers."""
    told.monkeypatch.delenv("MONITOR_DATABASE_URL")
    if variable:
        told.monkeypatch.setenv(variable, value)
    told.write(f"[monitor]\n{section}\n[[watch]]\nname = 'A'\nterms = ['a']")
    for args in (("stories", "merge", "1", "2"), ("status",)):
        assert len(told.monitor(*args, code=2).splitlines()) == 1


@pytest.mark.parametrize("args", [("merge", "1", "2"), ("split", "1")])
@pytest.mark.parametrize("toml", ["[[feed]]\nname = BBC", None])
def test_nothing_is_changed_by_half_a_file(told: Desk, args: tuple[str, ...], toml: str | None):
    """One sentence; what only looks says which database it took."""
    if toml is None:
        (told.folder / "feeds.toml").unlink(missing_ok=True)
    else:
        told.write(toml)
    [said] = told.monitor("stories", *args, code=2).splitlines()
    assert "feeds.toml" in said
    assert said.endswith("(nothing is changed before that is mended)")
    assert f"with the database {told.url}." in told.monitor("stories", "list")


def test_a_database_that_cant_be_read_is_not_looked_for_elsewhere(told: Desk):
    """The file names one, in a line that is no TOML."""
    told.monkeypatch.delenv("MONITOR_DATABASE_URL")
    told.write("[monitor]\ndatabase = sqlite:///mine.db\n")
    [said] = told.monitor("status", code=2).splitlines()
    assert said.endswith("(the database can't be told before that is mended)")


def test_a_healthcheck_finds_its_port_in_half_a_file(told: Desk):
    """A container is not restarted for an edit that the service has rejected."""
    told.write("[web]\nport = 9\n[[feed]]\nname = BBC")
    assert "no service answers at http://127.0.0.1:9/" in told.monitor("healthcheck", code=1)


def test_without_stories_there_is_nothing_to_list(desk: Desk):  # noqa: F811
    """A service that has found nothing yet."""
    desk.archive({})
    said = desk.monitor("stories", "list")
    assert said == "No story yet: nothing that a watch looks for has been found.\n"
