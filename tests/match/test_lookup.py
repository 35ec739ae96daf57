"""What an article can be looked up by, and what must be looked up for a query."""

from __future__ import annotations

import contextlib
import random

import pytest

from monitor.match import Document, compile_watches
from monitor.match.about import Wanted
from monitor.match.lookup import (
    NOTHING,
    WHATEVER,
    Condition,
    Either,
    Every,
    condition_of,
    either,
    every,
    is_fulfilled,
    mark_of_feed,
    mark_of_language,
    marks_of,
)
from monitor.match.plan import content_of
from monitor.model import Watch
from tests.match.queries import Queries, documents, snippets


def by_feed(wanted: Wanted) -> Condition:
    """As if one feed were what a query wants of the feeds."""
    return f"feed {wanted.about}"


def condition(query: str) -> Condition:
    """That of a query."""
    [plan] = compile_watches([Watch(name="W", query=query)]).plans().values()
    return condition_of(plan.root, by_feed)


def test_whatever_matches_fulfils_the_condition(request: pytest.FixtureRequest) -> None:
    """Random watches against random articles in many scripts, real ones among them."""
    chance = random.Random(23)
    real: list[tuple[str, str]] = []
    with contextlib.suppress(pytest.skip.Exception):  # without the corpus all are made up
        real = snippets(request.getfixturevalue("corpus"), 120, chance)
    articles = documents(chance, 160, real)
    queries = Queries(chance, [text for each in articles for text in (each.title, each.body)])
    watches = [queries.watch(number) for number in range(400)]
    matcher = compile_watches(watches)
    plans = matcher.plans()
    conditions = {
        watch.name: condition_of(plans[content_of(watch)].root, lambda _: WHATEVER)
        for watch in watches
    }
    hits = candidates = 0
    for article in articles:
        marks = marks_of(article)
        for hit in matcher.match(article):
            hits += 1
            assert is_fulfilled(conditions[hit.watch], marks), (hit, article)
        candidates += sum(is_fulfilled(each, marks) for each in conditions.values())
    assert hits > 500
    assert candidates < 4 * hits  # and not much else


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("truce", "truce"),
        ("TRUCE", "truce"),
        ("truce AND talks", Every(("truce", "talks"))),
        ("truce OR talks", Either(("truce", "talks"))),
        ("truce NOT talks", "truce"),
        ("truce (talks OR peace)", Every(("truce", Either(("talks", "peace"))))),
        ("truce OR (truce talks)", "truce"),
        ("title:truce", ":ttruce"),
        ("lead:truce", "truce"),
        ("body:truce", "truce"),
        ("truce NEAR/3 talks", Every(("truce", "talks"))),
        ("ATLEAST/3 truce", "truce"),
        ('"truce talks"~5', Every(("truce", "talks"))),
        ("nuc*", Either(("nuc", "*nuc"))),
        ("nucl*", "*nuc"),
        ("nuclear*", "*nucle"),
        ("nu?lear", WHATEVER),
        ("=truce", "truce"),
        ("=Truce", "truce"),
        ("=iPhone", "=iPhone"),
        ("US", "=US"),
        ("lang:hindi", ":lhi"),
        ("lang:hi*", ":l^hi"),
        ("site:bbc.co.uk", ":hbbc.co.uk"),
        ("site:bbc*", WHATEVER),
        ("author:Khan", ":akhan"),
        ('author:"Asma K*"', ":aasma"),
        ("source:Dawn", "feed source"),
        ("source:dawn.com", Either(("feed source", ":hdawn.com"))),
        ("tag:wire side:india", Every(("feed tag", "feed side"))),
        ("lang:ur NOT source:Dawn", ":lur"),
    ],
)
def test_the_condition_of_a_query(query: str, expected: Condition) -> None:
    """All that can be asked of marks, and no more."""
    assert condition(query) == expected


def test_a_phrase_may_be_printed_in_several_ways() -> None:
    """Each of which is looked up."""
    found = condition("cease-fire")
    assert is_fulfilled(found, {"ceasefire"})
    assert is_fulfilled(found, {"cease", "fire"})
    assert not is_fulfilled(found, {"cease"})


def test_an_article_is_looked_up_by_its_words_and_by_what_is_known_of_it() -> None:
    """Readings of each word; beginnings of long ones; headline, language, hosts, authors."""
    marks = marks_of(
        Document(
            title="Talks",
            body="The iPhone’s cease-fires: कश्मीर",
            language="pt_BR",
            sites=("www.bbc.co.uk",),
            authors=("Asma Khan",),
        )
    )
    assert marks >= {"talks", "talk", ":ttalks", ":ttalk", "*tal"}
    assert marks >= {"cease", "fires", "ceasefires", "ceasefire", "=iPhone", "*cease", "कश्मीर"}
    assert marks >= {":lpt", ":lpt-br", ":l^p", ":hbbc.co.uk", ":hwww", ":aasma", ":akhan"}
    assert not marks & {"*the", ":tthe", "=The", ":lp", ":hk"}


def test_marks_are_words_to_any_index() -> None:
    """No blanks, however long and strange the text: Arabic has ligatures of whole sentences."""
    marks = marks_of(Document(title="ﷺA\x00B " + "x" * 500, body="a\u00a0b c\u2003d\x7f"))
    assert all(mark and not set(mark) & {" ", "\n", "\t", "\x00", "\x7f"} for mark in marks)
    assert max(map(len, marks)) == 64
    assert is_fulfilled(condition(f"{'x' * 500} OR nowhere"), marks)


def test_conditions_are_as_short_as_can_be() -> None:
    """What is always or never fulfilled falls away."""
    assert every([WHATEVER, "a"]) == "a"
    assert every(["a", NOTHING]) == NOTHING
    assert every([]) == WHATEVER
    assert either(["a", WHATEVER]) == WHATEVER
    assert either([NOTHING, "a"]) == "a"
    assert either([]) == NOTHING
    assert every([Every(("a", "b")), "b"]) == Every(("a", "b"))
    assert either(["a", Every(("a", "b")), "a"]) == "a"
    assert is_fulfilled(WHATEVER, set())
    assert not is_fulfilled(NOTHING, {"a"})


def test_feeds_and_languages_have_marks() -> None:
    """Which an index adds, and filters ask for."""
    assert mark_of_feed(12) == ":f12"
    assert mark_of_language("PT_br") == ":lpt-br"
