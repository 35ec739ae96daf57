"""What can't match by its letters alone does not match; what can is looked at."""

from __future__ import annotations

import contextlib
import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.match import Document, compile_watches
from monitor.match.plan import content_of
from monitor.match.presearch import Presearch, stem_of
from monitor.model import Watch
from monitor.text import chunk_of, plurals
from tests.match.queries import Queries, documents, snippets

WORDS = st.sampled_from(
    [
        "cease",
        "fire",
        "men",
        "Women's",
        "feet",
        "mice",
        "children",
        "F16",
        "F-16s",
        "Su-30MKI",
        "U.S.",
        "AT&T",
        "l'Iran",
        "O'Brien's",
        "1,000",
        "3.5",
        "25-year-old",
        "iPhone",
        "OperationSindoor",
        "X-ray",
        "COVID-19",
        "co-operate",
        "and/or",
        "foo_bar",
        "https://a.example/men",
        "24/7",
        "#OperationSindoor",
        "“so-called”",
        "(UN)",
    ]
)
RAWS = st.one_of(
    st.lists(WORDS, min_size=1, max_size=4).map("".join),
    st.text(string.ascii_letters + string.digits + ".,'’-&/_$", min_size=1, max_size=12),
)

BESIDE = "The delegations met in Geneva."


def presearch(query: str) -> Presearch:
    """That of one query."""
    return Presearch(compile_watches([Watch(name="W", query=query)]).plans().values())


def may(query: str, body: str, title: str = "") -> bool:
    """Whether a text may match a query."""
    return presearch(query).may_match(Document(title=title, body=body))


def test_whatever_matches_may_match(request: pytest.FixtureRequest) -> None:
    """Random watches against random articles in many scripts, real ones among them."""
    chance = random.Random(7)
    real: list[tuple[str, str]] = []
    with contextlib.suppress(pytest.skip.Exception):  # without the corpus all are made up
        real = snippets(request.getfixturevalue("corpus"), 200, chance)
    articles = documents(chance, 250, real)
    queries = Queries(chance, [text for each in articles for text in (each.title, each.body)])
    watches = [queries.watch(number) for number in range(500)]
    matcher = compile_watches(watches)
    plans = matcher.plans()
    searches = {watch.name: Presearch([plans[content_of(watch)]]) for watch in watches}
    hits = passed = 0
    for article in articles:
        for hit in matcher.match(article):
            hits += 1
            assert searches[hit.watch].may_match(article), (hit, article)
        passed += sum(search.may_match(article) for search in searches.values())
    assert hits > 300
    if real:  # what is made up has a few words of everything, and nearly all of it is looked at
        assert passed < 0.9 * len(articles) * len(watches)


@given(raw=RAWS)
def test_the_letters_of_a_key_are_in_what_it_is_looked_up_by(raw: str) -> None:
    """Of ASCII: of parts together, and of plurals."""
    raw = "".join(raw.split())
    if raw.isascii():
        letters = "".join(char for char in raw.lower() if char.isalnum())
        for reading in chunk_of(raw).readings:
            for key in reading.keys:
                assert stem_of(key).decode() in letters, key


def test_every_plural_has_the_letters_of_its_singular() -> None:
    """As the text package knows them, alone and as the last part of a word."""
    for plural in [*plurals._IRREGULAR, "cities", "movies", "policemen", "wives", "boxes"]:
        for singular in plurals.singulars(plural):
            assert stem_of(singular).decode() in plural
            assert stem_of(f"web{singular}").decode() in f"web{plural}"
    for singular in ("iran", "ceasefire", "truce", "kashmir", "talk", "boss"):
        assert stem_of(singular) == singular.encode()


@pytest.mark.parametrize(
    "body",
    [
        "A cease-fire holds.",
        "A cease fire holds.",
        "THE CEASEFIRES HOLD",
        "#CeaseFireNow",
        "a ‘cease’fire – so to speak",
        "ceas\u00adefire",
        "cease-\nfire",
        "a cease- \n  fire",
        "c\u200beasefire",
        "ｃｅａｓｅｆｉｒｅ",
        "naïve",  # not certain
    ],
)
def test_however_it_is_printed_it_may_match(body: str) -> None:
    """Or it is not certain, which is the same."""
    assert may("ceasefire NOT cricket", f"{BESIDE} {body} {BESIDE}")
    assert may("ceasefire NOT cricket", "", title=body)


@pytest.mark.parametrize(
    "body", ["", BESIDE, "It ceased.", "a fire", "“Quotes” – and • the rest… £5\xa0€"]
)
def test_what_lacks_its_letters_can_not_match(body: str) -> None:
    """Whatever quotes and dashes are in it."""
    assert not may("ceasefire", body)
    assert not may('ceasefire AND "the"', f"the {body}")
    assert may("ceasefire OR met", f"{body} met")


def test_a_query_that_needs_no_word_is_asked_of_everything() -> None:
    """`source:` alone."""
    assert may("source:Dawn", "")
    assert may("source:Dawn OR ceasefire", "")
    assert not may("source:Dawn AND ceasefire", BESIDE)


def test_another_script_is_not_in_plain_text() -> None:
    """A term in Hindi can't stand in it; in a text that is not plain it may."""
    assert not may("युद्धविराम", BESIDE)
    assert may("युद्धविराम OR met", BESIDE)
    assert may("ceasefire", "सीमा पर शांति")


def test_where_something_is_not_the_articles_own_all_may_match() -> None:
    """What stands around it may be one word."""
    split = Document(title="", body="cease- MORE\nfire", furniture=((7, 11),))
    assert presearch("ceasefire").may_match(split)


def test_of_several_watches_each_may() -> None:
    """Two versions are looked for at once."""
    both = compile_watches([Watch(name="a", query="one"), Watch(name="b", query="two")])
    search = Presearch(both.plans().values())
    found = [search.may_match(Document(title=word, body="")) for word in ("one", "two", "three")]
    assert found == [True, True, False]


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("woma*", "Women met."),
        ("policema*", "policemen"),
        ("crisi*", "two crises"),
        ("analysi*", "the analyses say"),
        ("phenomeno*", "phenomena"),
        ("alumnu*", "alumni"),
        ("mous?", "mice"),
        ("fo?t", "feet"),
        ('"two crisi*"', "two crises"),
    ],
)
def test_a_wildcard_that_finds_a_plural_may_find_it(query: str, body: str) -> None:
    """By its singular, of which the letters before the sign are more than the plural has."""
    assert compile_watches([Watch(name="W", query=query)]).match(Document("", body))
    assert may(query, body)
    assert not may(query, "")
