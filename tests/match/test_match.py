"""Terms find whole words and phrases, in any spelling, and spans cover just what was found."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import ConfigError
from monitor.match import Document, TermTrace, compile_watches
from monitor.model import Hit, Span, Watch
from monitor.text import tokens


def found(term: str, body: str, title: str = "") -> list[str]:
    """What a watch for one term finds, as it stands in the text."""
    matcher = compile_watches([Watch(name="w", terms=(term,))])
    return [
        {"title": title, "body": body}[span.field][span.start : span.end]
        for hit in matcher.match(Document(title, body))
        for span in hit.spans
    ]


@pytest.mark.parametrize(
    ("term", "text", "expected"),
    [
        ("ceasefire", "A fragile cease-fire took hold.", ["cease-fire"]),
        ("ceasefire", "Both accepted the cease fire.", ["cease fire"]),
        ("ceasefire", "CEASEFIRE! The ceasefire’s terms", ["CEASEFIRE", "ceasefire"]),
        ("ceasefire", "a cease-\nfire and a cease\u00adfire", ["cease-\nfire", "cease\u00adfire"]),
        ("ceasefire", "#ceasefire #CeasefireNow", ["#ceasefire", "Ceasefire"]),
        (
            "cease-fire",
            "ceasefire, cease fire, cease–fire",
            ["ceasefire", "cease fire", "cease–fire"],
        ),
        ("cease fire", "ceasefire or cease-fire", ["ceasefire", "cease-fire"]),
        ("ceasefire", "They cease firing once the fire is out. Cease. Fire!", []),
        ("ceasefire violations", "cease fire violations", ["cease fire violations"]),
        ("Kashmir", "Kashmir's, “Kashmir”, Jammu–Kashmir", ["Kashmir", "Kashmir", "Kashmir"]),
        ("Kashmir", "Kashmiri shawls, kashmirs", []),
        (
            "Operation Sindoor",
            "#OperationSindoor and #operationsindoor",
            ["#OperationSindoor", "#operationsindoor"],
        ),
        (
            "Operation Sindoor",
            "Operation\u00a0Sindoor; operation\nSINDOOR",
            ["Operation\u00a0Sindoor", "operation\nSINDOOR"],
        ),
        ("Operation Sindoor", "the operation, Sindoor,", ["operation, Sindoor"]),
        ("Operation Sindoor", "It was an operation. Sindoor is a town.", []),
        ("Operation Sindoor", "operation\n\nSindoor", []),
        ("Operation Sindoor", "operation Sindoor's", ["operation Sindoor"]),
        ("Bunyan un Marsoos", "Operation Bunyān un Marsoos,", ["Bunyān un Marsoos"]),
        (
            "Bunyan un Marsoos",
            "Bunyān-un-Marsoos #BunyanUnMarsoos",
            ["Bunyān-un-Marsoos", "#BunyanUnMarsoos"],
        ),
        ("Asim Munir", "Gen. Asim Munir and Gen. Munir", ["Asim Munir"]),
        ("Gen Munir", "chief Gen. Munir said", ["Gen. Munir"]),
        ("US Secretary", "the U.S. Secretary of State", ["U.S. Secretary"]),
        ("U.S.", "US-brokered, U.S.-led", ["US", "U.S."]),
        ("MK Stalin", "M.K. Stalin and M K Stalin", ["M.K. Stalin"]),
        ("M K Stalin", "M.K. Stalin and M K Stalin", ["M.K. Stalin", "M K Stalin"]),
        ("F-16", "F16, F 16, F-16", ["F16", "F 16", "F-16"]),
        ("F16", "F16, F 16, F-16", ["F16", "F 16", "F-16"]),
        ("G20", "#G20Summit G-20", ["G20", "G-20"]),
        ("AT&T", "AT&T’s at t", ["AT&T"]),
        ("Quran", "the Qur’an, Qur'ān", ["Qur’an", "Qur'ān"]),
        ("Qur'an", "the Quran", ["Quran"]),
        ("Iran", "l’Iran, Irans", ["Iran"]),
        ("Turkiye", "TÜRKİYE’nin", ["TÜRKİYE"]),
        ("well", "we'll see", []),
        ("don", "don't", []),
        ("s", "Kashmir's", []),
        ("example", "https://example.org/example me@example.org", []),
        (
            "युद्धविराम",
            "भारत-पाक युद्धविराम। युद्ध विराम, युद्ध-विराम",
            ["युद्धविराम", "युद्ध विराम", "युद्ध-विराम"],
        ),
        ("सेना", "सेना ने, सेनाओं", ["सेना"]),
        ("ऑपरेशन सिंदूर", "ऑपरेशन सिन्दूर के बाद", ["ऑपरेशन सिन्दूर"]),
        ("क़ानून", "नया कानून लागू", ["कानून"]),
        ("جنگ بندی", "جنگ بندی کا اعلان، جنگ‌بندی", ["جنگ بندی", "جنگ‌بندی"]),
        ("كشمير", "مقبوضہ کشمیر میں", ["کشمیر"]),
        ("کشمیر", "كشمير، كشميري", ["كشمير"]),
        ("آتش‌بس", "آتش بس؛ آتشبس و آتش‌بس", ["آتش بس", "آتشبس", "آتش‌بس"]),
        ("停火", "各方宣布停火協議，停，火", ["停火"]),
        ("イラン", "ロードアイランド州とイラン", ["イラン"]),
        ("หยุดยิง", "ข้อตกลงหยุดยิงในกาซา", ["หยุดยิง"]),
    ],
)
def test_a_term_is_found_in_all_its_spellings_and_nowhere_else(
    term: str, text: str, expected: list[str]
) -> None:
    """Whole words and phrases; each span covers exactly what was found."""
    assert found(term, text) == expected


def test_the_seed_article_has_its_three_terms_and_the_other_name(corpus: Path) -> None:
    """The article the product was conceived from hits where a reader sees the words."""
    title, body = (corpus / "seed_article.txt").read_text("utf-8").split("\n", 1)
    matcher = compile_watches(
        [
            Watch(name="India–Pakistan", terms=("ceasefire", "Kashmir", "Operation Sindoor")),
            Watch(name="cricket", terms=("wicket", "innings")),
            Watch(name="other name", terms=("Bunyan un Marsoos",)),
        ]
    )
    first, second = matcher.match(Document(title, body))
    assert [(span.field, body[span.start : span.end]) for span in first.spans[1:]] == [
        ("body", word)
        for word in (
            *("ceasefire", "ceasefire", "Kashmir", "ceasefire", "Kashmir", "ceasefire"),
            *("Operation Sindoor", "ceasefire"),
        )
    ]
    assert first.spans[0] == Span(field="title", start=0, end=9, term="ceasefire")
    assert second.watch == "other name"
    (span,) = second.spans
    assert body[span.start : span.end] == "Bunyān un Marsoos"


def test_hits_come_in_the_order_of_the_watches_and_spans_title_first() -> None:
    """The order is the configuration's, then the reader's."""
    watches = [Watch(name=name, terms=(name,)) for name in ("truce", "absent", "Delhi")]
    hits = compile_watches(watches).match(Document("Delhi truce", "A truce in Delhi, Delhi"))
    assert [hit.watch for hit in hits] == ["truce", "Delhi"]
    assert [(span.field, span.start, span.end, span.term) for span in hits[1].spans] == [
        ("title", 0, 5, "Delhi"),
        ("body", 11, 16, "Delhi"),
        ("body", 18, 23, "Delhi"),
    ]


def test_a_phrase_never_runs_from_the_title_into_the_body() -> None:
    """The last word of the title and the first of the body are no neighbours."""
    assert found("Operation Sindoor", title="An operation", body="Sindoor goes on") == []


def test_spans_of_one_term_do_not_overlap() -> None:
    """Of overlapping finds of one term the first is kept."""
    assert found("na na", "na na na na na") == ["na na", "na na"]


def test_two_spellings_in_one_watch_mark_a_place_once() -> None:
    """The same words found by two terms of a watch are one span, of the first term."""
    watch = Watch(name="w", terms=("cease-fire", "ceasefire", "fire"))
    (hit,) = compile_watches([watch]).match(Document("", "the cease-fire"))
    assert [(span.start, span.end, span.term) for span in hit.spans] == [
        (4, 14, "cease-fire"),
        (10, 14, "fire"),
    ]


def test_terms_of_several_watches_share_words() -> None:
    """The same term in two watches hits for both; a longer one beside it as well."""
    watches = [
        Watch(name="a", terms=("Sindoor",)),
        Watch(name="b", terms=("Operation Sindoor", "Sindoor")),
        Watch(name="c", terms=("sindoor",)),
    ]
    hits = compile_watches(watches).match(Document("Operation Sindoor", ""))
    assert [(hit.watch, [span.term for span in hit.spans]) for hit in hits] == [
        ("a", ["Sindoor"]),
        ("b", ["Operation Sindoor", "Sindoor"]),
        ("c", ["sindoor"]),
    ]


def test_explain_says_how_each_term_is_looked_for_and_where_it_is() -> None:
    """Every term of the watch has a trace, found or not."""
    matcher = compile_watches([Watch(name="w", terms=("Ceasefire", "F-16", "Kashmir"))])
    assert matcher.explain("w", Document("Cease fire", "kashmir, Kashmir")) == (
        TermTrace(
            "Ceasefire",
            ("ceasefire", "cease fire"),
            (Span(field="title", start=0, end=10, term="Ceasefire"),),
        ),
        TermTrace("F-16", ("f 16", "f16"), ()),
        TermTrace(
            "Kashmir",
            ("kashmir",),
            (
                Span(field="body", start=0, end=7, term="Kashmir"),
                Span(field="body", start=9, end=16, term="Kashmir"),
            ),
        ),
    )
    with pytest.raises(KeyError, match="nobody"):
        matcher.explain("nobody", Document("", ""))


def test_a_term_without_a_word_is_a_mistake() -> None:
    """What could never be found is refused, all of it at once."""
    watches = [Watch(name="w", terms=("—", "fine")), Watch(name="v", terms=("https://a.example",))]
    with pytest.raises(ConfigError) as caught:
        compile_watches(watches)
    assert [str(mistake) for mistake in caught.value.mistakes] == [
        "watch 'w': term '—' has no word to look for",
        "watch 'v': term 'https://a.example' has no word to look for",
    ]


def test_nothing_is_found_without_watches_or_text() -> None:
    """No watches or no words: no hits."""
    assert compile_watches([]).match(Document("Kashmir", "ceasefire")) == ()
    assert compile_watches([Watch(name="w", terms=("Kashmir",))]).match(Document("", "")) == ()


_WORDS = ["cease", "fire", "ceasefire", "Kashmir", "un", "U.S.", "सेना", "停火", "F-16", "it's"]
_texts = st.lists(
    st.sampled_from(_WORDS) | st.sampled_from([" ", "-", ". ", ", ", "\n\n", "#", "’s "]),
    max_size=14,
).map(" ".join) | st.lists(st.sampled_from([*_WORDS, " ", "-", ". ", "#", "’s "]), max_size=14).map(
    "".join
)
_terms = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=3).map(" ".join)


@given(_terms, _texts, _texts)
def test_every_span_reads_like_its_term(term: str, title: str, body: str) -> None:
    """The normal form of what a span covers is the term's, but for where it is spaced."""
    matcher = compile_watches([Watch(name="w", terms=(term,))])
    for hit in matcher.match(Document(title, body)):
        for span in hit.spans:
            text = title if span.field == "title" else body
            covered = "".join(token.norm for token in tokens(text[span.start : span.end]))
            assert covered == "".join(token.norm for token in tokens(term))
            assert hit == Hit(watch="w", spans=hit.spans)


@given(_terms, _texts, _texts)
def test_a_term_is_found_in_any_text_that_holds_it(term: str, before: str, after: str) -> None:
    """A sentence of the term's own words matches, whatever is around it."""
    assert found(term, f"{before}\n\n{term}\n\n{after}")
