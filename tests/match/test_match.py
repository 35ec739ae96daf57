"""Which watches match, and where: whole words, in any spelling, each span just what was found."""

from __future__ import annotations

import itertools
import string
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import ConfigError
from monitor.match import Document, Matcher, compile_watches
from monitor.match.frequency import SHIPPED, Frequencies, measured
from monitor.match.matcher import MOST_SPANS
from monitor.match.spellings import Element
from monitor.model import Span, Watch
from monitor.text import tokens


def found(wanted: str | Watch, body: str, title: str = "") -> list[str]:
    """What a watch finds, as it stands in the text; a string is a term."""
    watch = Watch(name="w", terms=(wanted,)) if isinstance(wanted, str) else wanted
    return [
        {"title": title, "body": body}[span.field][span.start : span.end]
        for hit in compile_watches([watch]).match(Document(title, body))
        for span in hit.spans
    ]


def query(text: str, **more: tuple[tuple[str, tuple[str, ...]], ...]) -> Watch:
    """A watch with a query."""
    return Watch(name="w", query=text, **more)


@pytest.mark.parametrize(
    ("term", "text", "expected"),
    [
        ("ceasefire", "CEASEFIRE! The cease fires’ terms", ["CEASEFIRE", "cease fires"]),
        ("ceasefire", "a cease-\nfire and a cease\u00adfire", ["cease-\nfire", "cease\u00adfire"]),
        ("ceasefire", "#ceasefire #CeasefireNow", ["ceasefire", "Ceasefire"]),
        ("ceasefire", "They cease firing. Cease. Fire! Cease, fire", []),
        ("stateoftheart tank", "a state-of-the-ar-t tank", ["state-of-the-ar-t tank"]),
        ("ceasefire violation", "cease fire violations", ["cease fire violations"]),
        ("Kashmir", "Kashmir's, “Kashmir”, Jammu–Kashmir", ["Kashmir", "Kashmir", "Kashmir"]),
        ("Kashmir", "Kashmiri shawls", []),
        ("Operation Sindoor", "Operation\u00a0Sindoor's", ["Operation\u00a0Sindoor"]),
        ("Operation Sindoor", "the operation, Sindoor", ["operation, Sindoor"]),
        ("Gen Munir", "chief Gen. Munir said", ["Gen. Munir"]),
        ("US Secretary", "the U.S. Secretary of State", ["U.S. Secretary"]),
        ("M K Stalin", "M.K. Stalin and M K Stalin", ["M.K. Stalin", "M K Stalin"]),
        ("M.K. Stalin", "MK Stalin, M. K. Stalin", ["MK Stalin", "M. K. Stalin"]),
        ("Moody's", "Moody’s, Moodys and a moody man", ["Moody’s", "Moodys"]),
        ("McDonalds", "McDonald's", ["McDonald's"]),
        ("Hamas", "Hama's governor", []),
        ("woman", "women’s rights", ["women"]),
        ("cease-fire*", "ceasefires, cease-fires", ["ceasefires", "cease-fires"]),
        ("=AC/DC", "AC/DC, ac/dc", ["AC/DC"]),
        ("F-16", "F16, F 16, F-16s", ["F16", "F 16", "F-16s"]),
        ("example", "https://example.org/example me@example.org", []),
        ("सेना", "सेना ने, सेनाओं", ["सेना"]),
        ("停火", "各方宣布停火協議，停，火。停 火。停\n火", ["停火", "停\n火"]),
        ("停火 協議", "各方停火。協議", []),
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


def test_neither_phrase_nor_near_runs_from_the_title_into_the_body() -> None:
    """The last word of the title and the first of the body are no neighbours."""
    assert found("Operation Sindoor", title="An operation", body="Sindoor goes on") == []
    near = query("operation NEAR/100 Sindoor")
    assert found(near, title="An operation", body="Sindoor goes on") == []
    later = "said Sindoor begins"  # whose rarest two words stand in the body
    assert found(later, title="The army said", body="Sindoor begins") == []
    assert found(later, body="The army said Sindoor begins") == ["said Sindoor begins"]
    assert found(near, body="Sindoor goes on: an operation.") == ["Sindoor", "operation"]


def test_of_spans_of_a_hit_none_lies_within_another() -> None:
    """The longer is kept, of equals that of the first term; what only overlaps stays."""
    watch = Watch(name="w", terms=("Kashmir", "Jammu and Kashmir", "jammu and kashmir"))
    (hit,) = compile_watches([watch]).match(Document("", "Jammu and Kashmir, Kashmir"))
    assert [(span.start, span.end, span.term) for span in hit.spans] == [
        (0, 17, "Jammu and Kashmir"),
        (19, 26, "Kashmir"),
    ]
    assert found("na na", "na na na") == ["na na", "na na"]


def test_watches_share_words() -> None:
    """The same term in two watches hits for both; a longer one beside it as well."""
    watches = [
        Watch(name="a", terms=("Sindoor",)),
        Watch(name="b", terms=("Operation Sindoor", "Sindoor")),
        Watch(name="c", query="sindoor -cricket"),
    ]
    hits = compile_watches(watches).match(Document("Operation Sindoor", ""))
    assert [(hit.watch, [span.term for span in hit.spans]) for hit in hits] == [
        ("a", ["Sindoor"]),
        ("b", ["Operation Sindoor"]),
        ("c", ["sindoor"]),
    ]


def test_variants_count_as_their_term() -> None:
    """Found, they bear the name of the term; also in a query, near something."""
    variants = (("ceasefire", ("युद्धविराम", "جنگ بندی")),)
    watch = Watch(name="w", terms=("ceasefire",), variants=variants)
    for text in ("the cease-fire", "युद्धविराम लागू", "جنگ بندی کا اعلان"):
        (hit,) = compile_watches([watch]).match(Document("", text))
        assert [span.term for span in hit.spans] == ["ceasefire"]
    near = query("Ceasefire NEAR/2 भारत", variants=variants)
    assert found(near, "युद्धविराम पर भारत") == ["युद्धविराम", "भारत"]
    assert found(near, "युद्धविराम और शांति और भारत") == []


def test_what_is_not_the_articles_own_does_not_count() -> None:
    """Furniture is as if it were not there, but offsets stay."""
    body = "Also read: Kashmir\n\nA truce in Kashmir."
    watch = Watch(name="w", terms=("Kashmir",))
    document = Document("", body, furniture=((0, 18),))
    (hit,) = compile_watches([watch]).match(document)
    assert [(span.start, span.end) for span in hit.spans] == [(31, 38)]
    assert compile_watches([watch]).match(Document("", body[:18], furniture=((0, 18),))) == ()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("one\n\ntwo\n\ntruce", []),
        ("one\n\ntwo truce\n\nthree truce", ["truce"]),
        ("one\ntwo\ntruce", []),
        ("one\ntwo\n\ntruce\n\nfour", ["truce"]),
        ("truce", ["truce"]),
        ("", []),
    ],
)
def test_the_lead_is_the_title_and_two_paragraphs(body: str, expected: list[str]) -> None:
    """Paragraphs are apart by an empty line, or where there is none, by a line's end."""
    assert found(query("lead:truce"), body) == expected
    assert found(query("lead:truce"), body, title="A truce") == ["truce", *expected]


@pytest.mark.parametrize(
    ("title", "body", "expected"),
    [
        ("WHO WILL WIN THE WAR", "", []),
        ("WHO warns of cholera", "", ["WHO"]),
        ("WHO-led team in Gaza", "", ["WHO"]),
        ("", "The W.H.O. and those who follow the WHO", ["W.H.O.", "WHO"]),
        ("", "BREAKING: WHO SAYS IT WILL GO\n\nThe WHO said", ["WHO"]),
        ("", "He asked: AND WHO ARE YOU? Then left", []),
        ("WHO ने कहा", "", ["WHO"]),
        ("W.H.O. WARNS OF A NEW WAVE", "", ["W.H.O."]),
        ("", "WHO, EU and UN met", ["WHO"]),
        ("WHO, INDIA AND PAKISTAN sign", "", ["WHO"]),
        ("The WHO A B C staff", "", ["WHO"]),
        ("GUESS WHO CALLED", "Then\nWHO CARES NOW?\nAnd then the WHO", ["WHO"]),
        ("WHO", "", ["WHO"]),
        ("WHO, EU और UN, NATO", "", ["WHO"]),
        ("WHO会議 NATO会議 EU会議", "", ["WHO"]),
    ],
)
def test_capitals_say_nothing_where_everything_is_in_capitals(
    title: str, body: str, expected: list[str]
) -> None:
    """An acronym that is a word in small letters is not found in a shouted line."""
    assert found("WHO", body, title=title) == expected


@pytest.mark.parametrize(
    ("text", "body", "expected"),
    [
        ("a1 NEAR/1 b1", "a1 x b1, b1 a1", ["a1", "b1", "b1", "a1"]),
        ("a1 ONEAR/1 b1", "b1 x a1 x x b1", []),
        ("a1 NEAR/0 b1", "a1-b1", ["a1", "b1"]),
        ("a1 ONEAR/0 b1", "a1-b1", ["a1", "b1"]),
        ("a1 NEAR/0 a1", "a1", []),
        ("(a1 OR b1) NEAR/0 (a1 OR c1)", "a1 x a1 c1", ["a1", "c1"]),
        ("a1 NEAR/1 b1 NEAR/1 c1", "a1 x b1 x c1", ["a1", "b1", "c1"]),
        ("a1 NEAR/1 b1 NEAR/1 c1", "a1 x b1 x x c1", []),
        ("a1 NEAR/3 b1 NEAR/0 c1", "a1 x c1 x b1", ["a1", "c1", "b1"]),
        ('"a1 b1 c1"~1', "c1 a1 x b1", ["c1", "a1", "b1"]),
        ('"a1 b1 c1"~1', "c1 x a1 x b1", []),
        ('"a1 a1"~0', "a1", []),
        ("alph* NEAR/0 b?ta", "alphabet bita", ["alphabet", "bita"]),
        ("停火 NEAR/2 協議", "停火的協議。", ["停火", "協議"]),
        ("停火 NEAR/20 協議", "停火。協議", []),
        ("India NEAR/0 Pakistan", "India https://a.example Pakistan", []),
        ("ATLEAST/2 (a1 OR b1)", "a1 b1", ["a1", "b1"]),
        ("ATLEAST/2 a1", "a1", []),
        ("a1{2} -c1", "a1 a1", ["a1", "a1"]),
    ],
)
def test_near_and_counts(text: str, body: str, expected: list[str]) -> None:
    """Words between are counted as printed, in either order, never a word with itself."""
    assert found(
        query(text.replace("a1", "alpha").replace("b1", "beta").replace("c1", "gamma")),
        body.replace("a1", "alpha").replace("b1", "beta").replace("c1", "gamma"),
    ) == [
        each.replace("a1", "alpha").replace("b1", "beta").replace("c1", "gamma")
        for each in expected
    ]


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("(alpha NEAR/100 beta) NEAR/1 gamma", "alpha beta " * 400),
        ('"alpha beta gamma delta"~20', "alpha beta gamma " * 1_000),
        ('"alpha beta gamma delta"~20', "alpha beta gamma " * 8_000),
    ],
)
def test_what_stands_behind_a_page_of_the_same_words_is_found(text: str, page: str) -> None:
    """However many pairs there are before."""
    end = "x " * 200 + "alpha beta gamma delta"
    (hit,) = compile_watches([query(text)]).match(Document("", page + end))
    assert hit.spans[-1].end > len(page + end) - 8


def test_a_window_of_one_word_many_times_is_found_on_a_page_of_it() -> None:
    """Most of what could be tried there is one place twice, or too far away."""
    window = f'"{"alpha " * 20}"~100'
    (hit,) = compile_watches([query(window)]).match(Document("", "alpha " * 2_000))
    assert hit.spans[0].start == 0
    assert found(query(window), "alpha " * 19) == []


def test_a_wildcard_phrase_begins_and_ends_where_it_may() -> None:
    """Each way through a compound counts, and is gone only once."""
    assert found(query('"alph* alph* beta"'), "alpha-alpha-alpha beta") == [
        "alpha-alpha-alpha beta",
    ]
    assert found(query('"beta alph* alph*"'), "beta alpha-alpha-alpha") == ["beta alpha-alpha"]


def test_wildcards_with_one_stem_are_told_apart_by_their_other_letters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Hundreds of them are not all tried at each word with that stem."""
    letters = string.ascii_lowercase
    terms = tuple(f"alph{one}{other}?k" for one in letters for other in letters)
    tried = []
    fits = Element.fits

    def counted(self: Element, keys: Sequence[str]) -> bool:
        tried.append(self)
        return fits(self, keys)

    monkeypatch.setattr(Element, "fits", counted)
    words = [f"alph{letter}z{letter}k" for letter in letters]
    assert found(Watch(name="w", terms=terms), " ".join(words)) == words
    assert len(tried) < 3 * len(words)


def test_a_watch_for_a_source_alone_is_asked_of_every_article() -> None:
    """It has no word to wait for, and no spans."""
    watch = query("source:Dawn OR (ceasefire lang:ur)")
    matcher = compile_watches([watch])
    (hit,) = matcher.match(Document("", "nothing", sources=("Dawn",)))
    assert hit.spans == ()
    assert matcher.match(Document("", "nothing", sources=("BBC",))) == ()
    assert len(matcher.match(Document("", "ceasefire", language="ur"))) == 1


def test_every_watch_that_cannot_be_read_is_named() -> None:
    """What could never be found is refused, all of it at once."""
    watches = [
        Watch(name="w", terms=("—", "fine")),
        Watch(name="v", query="NOT cricket"),
        Watch(name="u"),
        Watch(name="fine", query="cricket"),
    ]
    with pytest.raises(ConfigError) as caught:
        compile_watches(watches)
    assert [str(mistake).split(":")[0] for mistake in caught.value.mistakes] == [
        "watch 'w'",
        "watch 'v'",
        "watch 'u'",
    ]


def test_nothing_is_found_without_watches_or_text() -> None:
    """No watches or no words: no hits."""
    assert compile_watches([]).match(Document("Kashmir", "ceasefire")) == ()
    assert compile_watches([Watch(name="w", terms=("Kashmir",))]).match(Document("", "")) == ()


def test_what_did_not_change_is_not_compiled_again() -> None:
    """A change of one watch among many costs one watch; order and names are the new ones."""
    watches = [Watch(name=str(n), terms=(f"word{n}", "shared")) for n in range(50)]
    old = compile_watches(watches)
    edited = [*reversed(watches[1:]), Watch(name="new", query="word0 -shared")]
    new = compile_watches(edited, previous=old)
    kept = {content: plan for content, plan in new.plans().items() if content in old.plans()}
    assert len(kept) == 49
    assert all(old.plans()[content] is plan for content, plan in kept.items())
    text = Document("word7 word0 word49", "")
    assert [hit.watch for hit in old.match(text)] == ["0", "7", "49"]
    assert [hit.watch for hit in new.match(text)] == ["49", "7", "new"]


def test_how_common_words_are_decides_what_is_waited_for_and_nothing_else() -> None:
    """The rarest required term is the anchor; hits are the same with any table."""
    watches = [query("said ceasefire"), query("said NEAR/3 (truce OR ceasefire) -cricket")]
    text = Document("", "They said a ceasefire; he said")
    shares = [Frequencies({"said": share, "ceasefire": 0.5}) for share in (0.9, 0.0)]
    matchers = [compile_watches(watches, frequencies=each) for each in (SHIPPED, *shares)]
    assert len({matcher.match(text) for matcher in matchers}) == 1
    anchors = [anchors_of(matcher) for matcher in matchers]
    assert anchors == [["ceasefire"], ["ceasefire"], ["said"]]


def anchors_of(matcher: Matcher) -> list[str]:
    """What the first watch waits for."""
    plan = next(iter(matcher.plans().values()))
    return [leaf.spellings[0][0].key for leaf in plan.anchors or ()]


@pytest.mark.parametrize(
    ("written", "anchors", "seconds"),
    [
        ("rare AND known", ["rare"], ["known"]),
        ("rare AND known AND common", ["rare"], ["known"]),
        ("(rare OR known) AND (common OR said)", ["rare", "known"], ["common", "said"]),
        ("rare NEAR/3 (common OR known) -said", ["rare"], ["common", "known"]),
        ("(rare OR (known AND common)) AND said", ["rare", "known"], ["said"]),
        ("rare AND (known OR source:Dawn)", ["rare"], []),
        ("rare AND NOT known", ["rare"], []),
        ("ATLEAST/2 (rare OR known)", ["rare", "known"], []),
        (f"rare AND ({' OR '.join(f'w{n}' for n in range(9))})", ["rare"], []),
        ("source:Dawn", [], []),
    ],
)
def test_a_query_waits_for_the_rarest_of_what_it_cannot_do_without(
    written: str, anchors: list[str], seconds: list[str]
) -> None:
    """One of its anchors, and one of the next rarest; of a long list of those it is only asked."""
    shares = {"rare": 0.001, "known": 0.01, "common": 0.1, "said": 0.5}
    matcher = compile_watches([query(written)], frequencies=Frequencies(shares))
    (plan,) = matcher.plans().values()
    found = [
        {leaf.spellings[0][0].key for leaf in wanted or ()}
        for wanted in (plan.anchors, plan.second)
    ]
    assert found == [{*anchors}, {*seconds}]


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        ("alpha beta gamma", True),
        ("Alpha, beta. “Gamma”", True),
        ("alpha-beta gamma", True),
        ("alpha beta-gamma", True),
        ("alpha’s beta gamma", True),
        ("alpha beta – gamma", True),
        ("alpha betas gammas", True),
        ("alpha beta", False),
        ("beta gamma", False),
        ("alpha beta nothing gamma", False),
        ("alpha beta beta", False),
        ("alpha beta not-gamma", False),
        ("gamma alpha beta", False),
    ],
)
def test_a_phrase_is_found_whatever_its_words_are_parts_of(text: str, is_there: bool) -> None:
    """Each pair of neighbours may be the one that it is looked for at; nobody looks for the rest."""
    for rare in ("alpha", "gamma"):
        matcher = compile_watches(
            [Watch(name="W", terms=("alpha beta gamma",))],
            frequencies=Frequencies({"alpha": 0.5, "beta": 0.5, "gamma": 0.5, rare: 0.001}),
        )
        for _ in range(2):  # its words were never seen, then they were
            hits = matcher.match(Document("", f"It is said: {text}"))
            assert [hit.watch for hit in hits] == ["W"] * is_there


def test_a_phrase_may_stand_in_fewer_chunks_than_it_has_words() -> None:
    """At the very beginning and the very end, where nothing is beside them."""
    shares = Frequencies(dict.fromkeys(("alpha", "beta"), 0.5))
    matcher = compile_watches(
        [Watch(name="W", terms=("alpha beta gamma delta", "gamma delta alpha beta"))],
        frequencies=shares,
    )
    for text in ("alpha-beta gamma delta", "gamma delta alpha-beta"):
        assert matcher.match(Document("", text))


def test_phrases_are_found_in_whatever_order_their_words_turn_up() -> None:
    """A word that is new is made known to those that it may follow, and they to it."""
    terms = ("alpha beta", "beta alpha", "beta beta", "gamma alpha beta")
    watches = [Watch(name=term, terms=(term,)) for term in terms]
    for order in itertools.permutations(("alpha", "beta", "gamma")):
        matcher = compile_watches(watches)
        for word in order:
            assert not matcher.match(Document("", word))
        found = matcher.match(Document("", "gamma alpha beta beta alpha"))
        assert [hit.watch for hit in found] == [*terms]


def test_frequencies_are_shares_of_texts() -> None:
    """Too few texts say nothing."""
    texts = ["truce truce"] * 30 + ["war"] * 30
    assert measured(texts).share("truce") == 0.5
    assert measured(texts).share("never") < 0.01
    assert measured(texts[:40]) is SHIPPED


@pytest.mark.parametrize(
    "text",
    [
        "alpha-" * 12_000,
        "alpha beta " * 6_000,
        "#Alpha" * 12_000,
        "alpha\u200d" * 12_000,
        "停火" * 12_000,
        "a.b." * 12_000,
        "alpha-\n" * 12_000,
        "WHO is " * 24_000,
        "WHO," * 24_000,
        "- " * 60_000,
        ("-".join(["alpha"] * 60) + " ") * 30,
    ],
    ids=[
        *("hyphens", "pairs", "tags", "joiners", "unspaced", "dots", "line ends", "capitals"),
        *("capitals in a list", "dashes", "parts"),
    ],
)
def test_no_page_takes_long(text: str) -> None:
    """A page of whatever suits the engine least ends in bounded work and bounded spans."""
    watches = [
        Watch(name="phrase", terms=("alpha alpha alpha alpha alpha", "alpha beta", "停火停火")),
        query("alpha NEAR/100 beta NEAR/100 alpha"),
        query('"alph* alph* alph* alph* alph* alph* alph* alph* alph* alph* alph* alph*"'),
        Watch(name="capitals", terms=("WHO",)),
        Watch(name="window", query='"alpha beta alpha beta"~50'),
        Watch(name="many", query="ATLEAST/9 (alpha* OR beta OR 停)"),
    ]
    for hit in compile_watches(watches).match(Document("", text)):
        assert len(hit.spans) <= MOST_SPANS


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


@given(_terms, _texts, _texts)
def test_a_term_is_found_in_any_text_that_holds_it(term: str, before: str, after: str) -> None:
    """A paragraph of the term's own words matches, whatever is around it."""
    assert found(term, f"{before}\n\n{term}\n\n{after}")
