"""The engine finds what the slow and obvious evaluator finds: no more, no less, at the same places.

2,000 random watches, compiled together, against 500 random articles in many scripts, among them
real ones where the corpus is at hand. Seeded: what fails once fails always.
"""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import pytest

from monitor.match import Document, Matcher, compile_watches
from monitor.match.explain import explain
from monitor.match.presearch import Presearch
from monitor.model import Hit, Watch
from tests.match.oracle import Keys, Oracle, Prepared, prepared
from tests.match.queries import Queries, documents, shape_of, snippets

WATCHES = 2_000
ARTICLES = 500
PARTS = 8  # so that several processes may share the work
SEED = 20_250_510


class World(NamedTuple):
    """Watches, and the articles they are put to."""

    watches: Sequence[Watch]
    prepared: Sequence[Prepared]
    matcher: Matcher
    articles: Sequence[Document]
    refused: int
    real: bool  # some of the articles are


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest) -> World:
    """Everything random, the same in every process."""
    chance = random.Random(SEED)
    real: list[tuple[str, str]] = []
    with contextlib.suppress(pytest.skip.Exception):  # without the corpus all are made up
        real = snippets(request.getfixturevalue("corpus"), 150, chance)
    articles = documents(chance, ARTICLES, real)
    chance.shuffle(articles)
    queries = Queries(chance, [text for each in articles for text in (each.title, each.body)])
    watches = [queries.watch(number) for number in range(WATCHES)]
    return World(
        watches,
        [prepared(watch) for watch in watches],
        compile_watches(watches),
        articles,
        queries.refused,
        bool(real),
    )


def disagreement(
    document: Document, watches: Sequence[Watch], expected: Sequence[Hit], found: Sequence[Hit]
) -> str:
    """The first watch about which engine and oracle differ, for who has to find out why."""
    by_name = {hit.watch: hit for hit in expected}
    got = {hit.watch: hit for hit in found}
    for watch in watches:
        one, other = by_name.get(watch.name), got.get(watch.name)
        if _shown(one, document) != _shown(other, document):
            return (
                f"{watch.query or watch.terms}  {watch.variants or ''}\n"
                f"title {document.title!r}\nbody {document.body!r}\n"
                f"furniture {document.furniture}\n"
                f"oracle {_shown(one, document)}\nengine {_shown(other, document)}"
            )
    return "the order of the hits"


def _shown(hit: Hit | None, document: Document) -> object:
    if hit is None:
        return None
    texts = {"title": document.title, "body": document.body}
    return [
        (span.field, span.start, span.end, texts[span.field][span.start : span.end], span.term)
        for span in hit.spans
    ]


@pytest.mark.parametrize("part", range(PARTS))
def test_the_engine_is_the_oracle(world: World, part: int) -> None:
    """The same hits in the same order, with the same spans, named by the same terms."""
    keys = Keys()
    hits = 0
    for document in world.articles[part::PARTS]:
        oracle = Oracle(document, keys)
        expected = [
            hit
            for watch, query in zip(world.watches, world.prepared, strict=True)
            if (hit := oracle.hit(query, watch.name)) is not None
        ]
        found = world.matcher.match(document)
        hits += len(found)
        if [_shown(hit, document) for hit in expected] != [_shown(hit, document) for hit in found]:
            pytest.fail(disagreement(document, world.watches, expected, found))
        assert [hit.watch for hit in expected] == [hit.watch for hit in found]
    assert hits > 500  # they were worth comparing


def test_the_random_watches_are_of_every_kind(world: World) -> None:
    """No node, field or number of levels is missing, and few words were thrown away."""
    shapes = Counter(
        kind for watch in world.watches if watch.query for kind in shape_of(watch.query)
    )
    kinds = "Term Meta And Or Not Near Onear Within AtLeast title body lead"
    assert {kind: shapes[kind] for kind in kinds.split() if shapes[kind] < 50} == {}
    assert sum(watch.query is None for watch in world.watches) > 100
    assert sum(bool(watch.variants) for watch in world.watches) > 40
    assert world.refused < WATCHES * 5


def test_a_watch_alone_finds_what_it_finds_among_others(world: World) -> None:
    """Compiled one by one, or anew after a change."""
    some = world.watches[:40]
    alone = [compile_watches([watch]) for watch in some]
    changed = compile_watches([*some[20:], *some[:20]], previous=world.matcher)
    for document in world.articles[:40]:
        together = {hit.watch: hit for hit in world.matcher.match(document)}
        expected = {watch.name: together.get(watch.name) for watch in some}
        by_itself = {
            watch.name: next(iter(matcher.match(document)), None)
            for watch, matcher in zip(some, alone, strict=True)
        }
        again = {hit.watch: hit for hit in changed.match(document)}
        assert by_itself == expected
        assert {name: again.get(name) for name in expected} == expected


def test_what_lacks_the_letters_does_not_match(world: World) -> None:
    """The backtest passes such articles over unread."""
    hits = [{hit.watch for hit in world.matcher.match(document)} for document in world.articles]
    passed_over = 0
    for watch in world.watches[::9]:
        presearch = Presearch(compile_watches([watch]).plans().values())
        for document, found in zip(world.articles, hits, strict=True):
            if not presearch.may_match(document):
                passed_over += 1
                assert watch.name not in found, (watch, document)
    assert passed_over > (1_000 if world.real else 100)


def test_an_explanation_says_what_the_engine_says(world: World) -> None:
    """Matched or not, and where."""
    for watch in world.watches[:60]:
        for document in world.articles[:25]:
            trace = explain(watch, document).trace
            hit = next(iter(compile_watches([watch]).match(document)), None)
            assert trace is not None
            assert trace.matched is (hit is not None)
            assert trace.spans == (hit.spans if hit else ())


def test_the_oracle_knows_what_it_is_to_know() -> None:
    """A few answers that need no machine to be seen."""

    def spans(query: str, title: str, body: str) -> list[tuple[str, int, int]] | None:
        hit = Oracle(Document(title, body), Keys()).hit(prepared(Watch(name="w", query=query)), "w")
        return None if hit is None else [(one.field, one.start, one.end) for one in hit.spans]

    body = "India said India and its neighbour Pakistan agreed to a cease-fire."
    assert spans("India NEAR/3 Pakistan", "", body) == [("body", 11, 16), ("body", 35, 43)]
    assert spans("Pakistan ONEAR/9 India", "", body) is None
    assert spans("ceasefire NOT India", "", body) is None
    assert spans("ceasefire OR (truce AND India)", "", body) == [("body", 56, 66)]
    assert spans("title:India", "", body) is None
    assert spans("ATLEAST/3 India", "India", body) == [
        ("title", 0, 5),
        ("body", 0, 5),
        ("body", 11, 16),
    ]
    assert spans("ATLEAST/4 India", "India", body) is None
    assert spans('"Pakistan India"~3', "", body) == [("body", 11, 16), ("body", 35, 43)]
