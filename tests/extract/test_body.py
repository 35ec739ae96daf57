"""The body: witnesses, second looks, and lines that are none of the article's."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.extract.clutter import without_clutter
from tests.extract.pages import PARAGRAPHS, extract, json_ld, page_of

LONG = [f"{text} {number}" for number in range(3) for text in PARAGRAPHS]


def test_the_feeds_text_is_a_witness_as_well() -> None:
    """A full text in the feed trims what the page has around it, and stands in for a torn one."""
    told = "\n".join(PARAGRAPHS)
    more = ["Get the valley's news into your inbox every single morning, and never miss a boat."]
    whole = page_of(paragraphs=more + PARAGRAPHS + more)
    assert extract(whole).body != "\n\n".join(PARAGRAPHS)
    assert extract(whole, told=told).body == "\n\n".join(PARAGRAPHS)
    assert extract(page_of(paragraphs=PARAGRAPHS[:1]), told=told).body == "\n\n".join(PARAGRAPHS)


def test_a_feed_about_something_else_changes_nothing() -> None:
    """Feeds carry summaries of their own, and adverts."""
    for told in ("Read the full story.", "Something else entirely is said here. " * 30):
        assert extract(page_of(), told=told).body == "\n\n".join(PARAGRAPHS)


@pytest.mark.parametrize("parts", [2, 3])
def test_a_body_torn_in_parts_is_had_whole(parts: int) -> None:
    """Adverts and walls split a body in elements of one kind: all of them are the article."""
    size = len(LONG) // parts
    torn = "".join(
        "<div class='article--content'><div class='body articleBody'>"
        + "".join(f"<p class='paragraph'>{text}</p>" for text in LONG[start : start + size])
        + "</div><div class='advert'><span>Advert</span></div></div>"
        for start in range(0, len(LONG), size)
    )
    page = (
        f"<html lang=en><head><title>River truce holds</title></head><body>{torn}"
        f"<div class='teasers'><p>{PARAGRAPHS[0].upper()}</p></div></body></html>"
    )
    assert extract(page).body == "\n\n".join(LONG)


def test_a_comment_tears_no_word_apart() -> None:
    """Template engines leave comments inside sentences."""
    page = page_of().replace("thirty years", "thir<!-- 7 -->ty<!-- x --> years")
    assert extract(page).body == "\n\n".join(PARAGRAPHS)


def test_a_link_around_blocks_is_the_teaser_of_something_else() -> None:
    """Whole cards are links; words in a sentence are, too, and stay."""
    linked = page_of().replace("the first ferries", "<a href='/f'>the first ferries</a>")
    card = "<a href='/x'><div><h3>Other news</h3><p>Something else of some length was told.</p></div></a>"
    page = linked.replace("<p>The commission", f"{card}<p>The commission")
    assert extract(page).body == "\n\n".join(PARAGRAPHS)


# --------------------------------------------------------------------------- drawn by a script


MARKUP = "".join(f"<p class='x'>{text}</p>" for text in PARAGRAPHS)
ADVERT = MARKUP.replace("</p><p", "</p>$$ADVERT$$<p", 1)
FIGURE = f"<figure><figcaption>A boat.</figcaption></figure>{MARKUP}"
PIECES = [{"type": "text", "content": text} for text in PARAGRAPHS]
PIECES.insert(1, {"type": "image", "content": "https://valley.example/boat.jpg"})


@pytest.mark.parametrize(
    "script",
    [
        f"self.__next_f.push([1,{json.dumps(MARKUP)}])",
        f"self.__next_f.push([1,{json.dumps(ADVERT)}])",
        f"window.__STATE__={json.dumps({'a': {'html': FIGURE, 'b': MARKUP[:90]}})};",
        json.dumps(MARKUP).replace("<", "\\u003c"),
        f"Fusion.globalContent={json.dumps({'content_elements': PIECES})};Fusion.x=1",
        json.dumps({"props": {"body": [{"type": "paragraph", "text": t} for t in PARAGRAPHS]}}),
    ],
    ids=["flight", "adverts", "state", "escaped", "arc", "blocks"],
)
def test_an_article_that_only_a_script_holds_is_read(script: str) -> None:
    """As markup in one string, or as a list of pieces with their kinds."""
    page = (
        "<html lang=en><head><title>River truce holds</title></head><body><div id='root'></div>"
        f"<script>{script}</script></body></html>"
    )
    assert extract(page).body == "\n\n".join(PARAGRAPHS)


def test_scripts_are_not_read_where_the_page_shows_its_article() -> None:
    """They hold other articles, too."""
    other = json.dumps("".join(f"<p>{text.upper()}</p>" for text in LONG))
    assert extract(page_of(after=f"<script>x={other}</script>")).body == "\n\n".join(PARAGRAPHS)


# --------------------------------------------------------------------------- lines


@pytest.mark.parametrize(
    "line",
    [
        "Read more: Traders count their losses",
        "ALSO READ | Dam opened",
        "Lesen Sie auch",
        "Lesen Sie auch: Händler zählen",
        "À lire aussi : Les marchands comptent",
        "Lea también: Los comerciantes",
        "Leggi anche: I mercanti",
        "Czytaj więcej",
        "Читайте также: Торговцы считают",
        "यह भी पढ़ें: व्यापारी गिनते हैं",
        "یہ بھی پڑھیں: تاجر گنتے ہیں",
        "اقرأ أيضا: التجار",
        "Baca juga: Pedagang",
        "関連記事",
        "Related stories:",
        "(Image: Asha Verma)",
        "Foto: Asha Verma/Talpost",
        "© 2025 The Valley Post",
        "Copyright 2025 The Valley Post. All rights reserved.",
    ],
)
def test_pointers_and_credits_go(line: str) -> None:
    assert without_clutter([PARAGRAPHS[0], line, PARAGRAPHS[1]], []) == PARAGRAPHS[:2]


@pytest.mark.parametrize(
    "line",
    [
        "Read more books, the teacher said, and you will understand the river.",
        "Related diseases are on the rise: doctors count twice as many as last year.",
        "Lesen Sie mehr Bücher, sagte der Lehrer.",
        "Photo identification is required: voters have to bring a passport.",
        "The image: a boat on the river, seen from the eastern bank.",
        "Copyright law is what the quarrel is about.",
        "Recommended doses were lower, said the doctor.",
        "- A list item of the article",
        "More on this will be known on Monday, the commission said.",
    ],
)
def test_sentences_with_the_same_words_stay(line: str) -> None:
    """A pointer is alone in its line, or followed by a mark."""
    assert without_clutter([PARAGRAPHS[0], line], []) == [PARAGRAPHS[0], line]


def test_a_list_behind_a_pointer_goes_with_it() -> None:
    """Up to the next paragraph."""
    lines = [PARAGRAPHS[0], "Mehr zum Thema:", "- Fähren", "- Mehl", PARAGRAPHS[1], "- an item"]
    assert without_clutter(lines, []) == [PARAGRAPHS[0], PARAGRAPHS[1], "- an item"]


@pytest.mark.parametrize(
    ("before", "title"),
    [
        (["River truce holds"], "River truce holds"),
        (["VALLEY", "River Truce Holds!"], "River truce holds"),
        (["The river River truce holds"], "River truce holds"),
        (["404"], "404"),
    ],
)
def test_the_headline_is_not_said_again(before: list[str], title: str) -> None:
    """It stands at the top, with a kicker or behind one; in other quotes and letters."""
    assert without_clutter([*before, *PARAGRAPHS], [title]) == PARAGRAPHS


def test_a_headline_deep_in_the_text_or_in_a_long_one_stays() -> None:
    """There it is a quotation."""
    for lines in ([*PARAGRAPHS, "River truce holds"], [PARAGRAPHS[0], "River truce holds", "x"]):
        long = [line * (3 if n == 0 else 1) for n, line in enumerate(lines)]
        assert without_clutter(long, ["River truce holds"]) == long


@given(st.lists(st.text(max_size=80), max_size=8), st.lists(st.text(max_size=30), max_size=3))
def test_what_is_left_is_some_of_the_lines_in_their_order(
    lines: list[str], titles: list[str]
) -> None:
    """Nothing is made up, and the second time nothing more goes but headlines."""
    left = iter(lines)
    assert all(line in left for line in without_clutter(lines, titles))


def test_a_statement_that_agrees_spares_the_second_look() -> None:
    """And what is inside it stays whole."""
    stated = json_ld(**{"@type": "NewsArticle", "articleBody": " ".join(PARAGRAPHS)})
    assert extract(page_of(head=stated)).body == "\n\n".join(PARAGRAPHS)
