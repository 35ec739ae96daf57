"""What a watch looks for, and why an article does not match."""

from __future__ import annotations

import pytest

from monitor.errors import QueryError
from monitor.match import Document
from monitor.match.explain import TermPlan, explain
from monitor.model import Watch


def reasons(query: str, body: str, title: str = "") -> tuple[str, ...]:
    """Why a query does not match."""
    return explain(Watch(name="w", query=query), Document(title, body)).reasons()


@pytest.mark.parametrize(
    ("query", "body", "expected"),
    [
        ("truce", "truce", ()),
        ("truce", "peace", ("truce is not there",)),
        ("truce -cricket", "truce, cricket", ("NOT cricket: cricket is there",)),
        (
            "truce -(cricket OR IPL)",
            "truce, IPL",
            ("NOT (cricket OR IPL): cricket OR IPL is there",),
        ),
        ("truce AND (India OR Delhi)", "truce", ("none of India OR Delhi is there",)),
        ("truce India", "", ("truce is not there", "India is not there")),
        (
            "Gaza NEAR/5 (talks OR truce)",
            "Gaza",
            ("none of talks OR truce is there",),
        ),
        (
            "Gaza NEAR/1 talks",
            "Gaza and then the talks",
            ("Gaza NEAR/1 talks: all of it is there, but not so near",),
        ),
        ("ATLEAST/3 truce", "truce", ("ATLEAST/3 truce: all of it is there, but not so often",)),
        (
            "talks ONEAR Gaza",
            "Gaza talks",
            ("talks ONEAR/4 Gaza: all of it is there, but not so near, or the other way round",),
        ),
        ("title:truce", "truce", ("title:truce is not there",)),
        ("truce source:Dawn", "truce", ("source:Dawn: the article has none",)),
    ],
)
def test_why_not(query: str, body: str, expected: tuple[str, ...]) -> None:
    """Each part that is missing, and the NOT that fired; nothing for what matches."""
    assert reasons(query, body) == expected


def test_a_field_that_is_otherwise_says_what_the_article_has() -> None:
    """Else nobody can tell a typing error from another publisher."""
    watch = Watch(name="w", query="truce source:Dawn lang:ur site:dawn.com -tag:sport")
    document = Document(
        "Truce",
        "",
        language="en",
        sources=("BBC", "BBC Asia"),
        sites=("bbc.co.uk",),
        tags=("sport",),
    )
    assert explain(watch, document).reasons() == (
        "source:Dawn: the article has BBC, BBC Asia",
        "lang:ur: the article has en",
        "site:dawn.com: the article has bbc.co.uk",
        "NOT tag:sport: tag:sport is there",
    )


def test_a_trace_has_the_shape_of_the_query() -> None:
    """Every part says what it is, whether it matched, and by which words."""
    watch = Watch(name="w", query="(truce OR ceasefire) AND India -cricket")
    trace = explain(watch, Document("India", "The truce")).trace
    assert trace is not None
    assert [(part.text, part.matched) for part in trace.parts] == [
        ("truce OR ceasefire", True),
        ("India", True),
        ("NOT cricket", True),
    ]
    assert [part.matched for part in trace.parts[0].parts] == [True, False]
    assert [(span.field, span.term) for span in trace.spans] == [
        ("title", "India"),
        ("body", "truce"),
    ]


def test_the_terms_are_shown_with_all_that_they_are_looked_for_by() -> None:
    """Their spellings, then those of their variants; the anchor is what is waited for."""
    watch = Watch(
        name="w",
        query="said Ceasefire -US",
        variants=(("ceasefire", ("जंग बंदी",)),),
    )
    found = explain(watch)
    assert found.trace is None
    assert not found.reasons()
    assert found.terms == (
        TermPlan("said", ("said",), is_anchor=False, capitals=False),
        TermPlan(
            "Ceasefire",
            ("ceasefire", "cease fire", "जंग बंदी", "#जंगबंदी"),
            is_anchor=True,
            capitals=False,
        ),
        TermPlan("US", ("=US",), is_anchor=False, capitals=True),
    )


def test_a_term_with_variants_is_one_part() -> None:
    """It matches where a variant does, and has no parts of its own."""
    watch = Watch(name="w", terms=("ceasefire", "truce"), variants=(("ceasefire", ("بندی",)),))
    trace = explain(watch, Document("", "بندی")).trace
    assert trace is not None
    assert [(part.text, part.matched, part.parts) for part in trace.parts] == [
        ("ceasefire", True, ()),
        ("truce", False, ()),
    ]


def test_a_watch_for_a_source_alone_is_always_asked() -> None:
    """There is no word to wait for."""
    assert explain(Watch(name="w", query="source:Dawn")).always
    assert not explain(Watch(name="w", query="source:Dawn truce")).always


def test_what_cannot_be_read_is_an_error() -> None:
    """With its place."""
    with pytest.raises(QueryError):
        explain(Watch(name="w", query="NOT cricket"))
