"""Headline and byline, out of several statements that differ."""

from __future__ import annotations

import pytest

from tests.extract.pages import extract, json_ld, page_of

READERS = "Boats cross the river again"
SEARCH = "River truce: all ferries of Saturday"


def head_of(
    *, stated: str = "", shared: str = "", site: str = "The Valley Post", section: str = ""
) -> str:
    """What a page states of its headline."""
    head = f'<meta property="og:site_name" content="{site}">'
    if section:
        head += f'<meta property="article:section" content="{section}">'
    if shared:
        head += f'<meta property="og:title" content="{shared}">'
    return head + (json_ld(**{"@type": "NewsArticle", "headline": stated}) if stated else "")


@pytest.mark.parametrize(
    ("head", "heading", "title"),
    [
        (head_of(stated=SEARCH, shared=READERS), SEARCH, READERS),
        (head_of(shared=READERS), SEARCH, READERS),
        (head_of(stated=READERS, shared=SEARCH), SEARCH, READERS),
        (head_of(stated=READERS), SEARCH, READERS),
        (head_of(stated=SEARCH), SEARCH, SEARCH),
        (head_of(shared=f"{SEARCH} | The Valley Post"), SEARCH, SEARCH),
        (head_of(), SEARCH, SEARCH),
        (head_of(shared=f"{READERS} - World", section="World"), SEARCH, READERS),
        (
            head_of(stated='"Boats" cross again', shared="“Boats” cross again"),
            SEARCH,
            "“Boats” cross again",
        ),
        (head_of(stated=f"{READERS}: a day on it"), READERS, f"{READERS}: a day on it"),
    ],
    ids=[
        "search everywhere but in what is shared",
        "the same without JSON-LD",
        "the window is what is shared",
        "only JSON-LD",
        "one for all",
        "the site behind it",
        "only the heading",
        "the section behind it",
        "printed quotes",
        "a heading that is shorter",
    ],
)
def test_the_headline_is_the_readers(head: str, heading: str, title: str) -> None:
    """One of two headlines is written for search engines: the window's."""
    assert extract(page_of(head=head, title=heading)).title == title


def byline(markup: str, *stated: object, meta: str = "") -> tuple[str, ...]:
    """The authors of a page with a byline above its text."""
    head = head_of() + meta
    if stated:
        head += json_ld(**{"@type": "NewsArticle", "author": list(stated)})
    return extract(page_of(head=head).replace("</h1>", f"</h1>{markup}")).authors


@pytest.mark.parametrize(
    "markup",
    [
        "<p class='byline'>By Asha Verma</p>",
        "<a rel='author' href='/a'>Asha Verma</a>",
        "<span itemprop='author'>Asha Verma</span>",
        "<div class='c-article__author-name'>von Asha Verma</div>",
    ],
)
@pytest.mark.parametrize(
    "outlet",
    [
        [],
        [{"@type": "Organization", "name": "The Valley Post"}],
        [{"@type": "Organization", "name": "valley.example"}],
        ["https://valley.example/people/7"],
    ],
)
def test_a_byline_names_who_an_outlet_does_not(markup: str, outlet: list[object]) -> None:
    """Statements that name only the outlet, its host or a profile leave the question open."""
    assert byline(markup, *outlet) == ("Asha Verma",)


@pytest.mark.parametrize(
    "markup",
    [
        "<button class='follow-author'>Follow topics now</button>",
        "<p class='author'>Updated 10 May 2025</p>",
        "<p class='author'>Desk</p>",
        "<p class='author-bio'>Asha Verma has written about the river for ten years.</p>",
    ],
)
def test_what_is_no_name_is_no_byline(markup: str) -> None:
    """The outlet is then all that is known."""
    assert byline(markup, {"name": "The Valley Post"}) == ("The Valley Post",)


def test_names_in_parts_are_put_together() -> None:
    """schema.org has given and family names."""
    people = {"givenName": "Asha", "familyName": "Verma"}, {"familyName": "Lone"}
    assert byline("", *people) == ("Asha Verma", "Lone")


def test_the_language_is_the_words_with_the_pages_variety() -> None:
    """Declared by the page, else by the feed."""
    assert extract(page_of(lang="en-IN"), languages=["en-GB"]).language == "en-IN"
    assert extract(page_of(lang=""), languages=["en-GB"]).language == "en-GB"
    assert extract(page_of(lang="de-AT")).language == "en"
