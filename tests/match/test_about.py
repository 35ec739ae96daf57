"""What a query asks of an article beside its text."""

from __future__ import annotations

from typing import get_args

import pytest

from monitor.match import Document
from monitor.match.about import wanted
from monitor.match.query import About

ARTICLE = Document(
    "",
    "",
    language="en-GB",
    sources=("The Times of India", "TOI World"),
    sites=("timesofindia.indiatimes.com", "www.bbc.co.uk"),
    tags=("wire", "South Asia"),
    sides=("india",),
    authors=("Hamid Mir", "PTI"),
)


@pytest.mark.parametrize(
    ("about", "value"),
    [
        ("source", "The Times of India"),
        ("source", "times of india"),
        ("source", "TOI"),
        ("source", "Times of Ind*"),
        ("source", "bbc.co.uk"),
        ("site", "bbc.co.uk"),
        ("site", "www.bbc.co.uk"),
        ("site", "https://bbc.co.uk/urdu"),
        ("site", "*.bbc.co.uk"),
        ("site", "bbc*"),
        ("site", "bbc"),
        ("site", "indiatimes.com"),
        ("lang", "en"),
        ("lang", "en_gb"),
        ("lang", "English"),
        ("lang", "e*"),
        ("tag", "WIRE"),
        ("tag", "south asia"),
        ("tag", "south*"),
        ("side", "India"),
        ("author", "Mir"),
        ("author", "hamid mir"),
    ],
)
def test_it_fits(about: About, value: str) -> None:
    """Names by words in a row, hosts with what is below them, languages with their regions."""
    assert wanted(about, value).fits(ARTICLE)


@pytest.mark.parametrize(
    ("about", "value"),
    [
        ("source", "Times of Oman"),
        ("source", "Ind"),
        ("source", "cnn.com"),
        ("site", "bc.co.uk"),
        ("site", "co"[:1]),
        ("site", "times.com"),
        ("site", "news*"),
        ("lang", "hi"),
        ("lang", "eng"),
        ("tag", "south"),
        ("tag", "asia"),
        ("side", "pakistan"),
        ("author", "Hamid Karzai"),
    ],
)
def test_it_does_not_fit(about: About, value: str) -> None:
    """Half a word is no word, half a host no host."""
    assert not wanted(about, value).fits(ARTICLE)


@pytest.mark.parametrize("about", get_args(About))
def test_an_article_of_which_nothing_is_known_fits_nothing(about: About) -> None:
    """Not even an open value."""
    assert not wanted(about, "x").fits(Document("", ""))
    assert not wanted(about, "x*").fits(Document("", ""))
