"""Which feeds a web page names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import Code, ParseError
from monitor.parse import FoundFeed, discover, parse_feed
from monitor.parse.discover import MAX_FOUND

URL = "https://news.example/world/"


def found(markup: str) -> list[tuple[str, str, str]]:
    """As tuples."""
    page = f"<!DOCTYPE html><html><head>{markup}</head></html>"
    return [(feed.url, feed.title, feed.kind) for feed in discover(page.encode(), URL)]


@pytest.mark.parametrize(
    ("markup", "feeds"),
    [
        (
            '<link rel="alternate" type="application/rss+xml" title="All &amp; more" href="/rss">',
            [("https://news.example/rss", "All & more", "RSS")],
        ),
        (
            "<LINK HREF=atom.xml REL=Alternate TYPE='application/atom+xml; charset=utf-8'>",
            [("https://news.example/world/atom.xml", "", "Atom")],
        ),
        (
            '<link rel="alternate" type="application/feed+json" href="//j.example/f"/>',
            [("https://j.example/f", "", "JSON Feed")],
        ),
        (
            '<base href="https://cdn.example/a/"><link rel="feed" href="b">',
            [("https://cdn.example/a/b", "", "feed")],
        ),
        (
            (
                '<link rel="alternate" type="application/json" href="/wp-json/posts/1">'
                '<link rel="alternate" type="application/json" href="/feed.json">'
                '<link rel="alternate" type="text/xml" title="RSS" href="/x.php">'
            ),
            [
                ("https://news.example/feed.json", "", "JSON Feed"),
                ("https://news.example/x.php", "RSS", "XML"),
            ],
        ),
        (
            (
                '<a href="/about">About</a><a href="/feeds/all.xml"> All <b>news</b></a>'
                '<a class="x" href="https://feeds.feedburner.com/Post">Subscribe</a>'
                '<a href="/feedback">Feedback</a><a href="/rss.html">What is RSS?</a>'
                '<a href="https://feedly.com/i/subscription/feed/x">Feedly</a>'
            ),
            [
                ("https://news.example/feeds/all.xml", "All", "link"),
                ("https://feeds.feedburner.com/Post", "Subscribe", "link"),
            ],
        ),
        (
            '<a href="/rss">a</a><link rel="alternate" type="application/rss+xml" href="/rss">',
            [("https://news.example/rss", "", "RSS")],
        ),
        ('<link rel="alternate" hreflang="de" href="/de/feed">', []),
        ('<link rel="stylesheet" type="application/rss+xml" href="/x">', []),
        ('<link rel="alternate" type="application/rss+xml" href="javascript:x">', []),
        ('<link rel="alternate" type="application/rss+xml" href="">', []),
        ('<link rel="alternate" type="application/rss+xml" href="/world/">', []),
    ],
)
def test_feeds_of_a_page(markup: str, feeds: list[tuple[str, str, str]]) -> None:
    """Declared ones first, then links that look like one; none twice."""
    assert found(markup) == feeds


def test_a_page_in_another_encoding_is_read() -> None:
    """By its own declaration, or the header's."""
    page = '<html><link rel="alternate" type="application/rss+xml" title="Лента" href="/r"></html>'
    [feed] = discover(page.encode("cp1251"), URL, content_type="text/html; charset=windows-1251")
    assert feed == FoundFeed("https://news.example/r", "Лента", "RSS")


def test_a_page_of_ten_thousand_feeds_names_a_few() -> None:
    """Bounded, whatever a page claims."""
    assert len(found("".join(f'<a href="/rss/{n}">x</a>' for n in range(10_000)))) == MAX_FOUND


@pytest.mark.parametrize(
    ("markup", "detail"),
    [
        ("", "this is a web page, not a feed"),
        (
            '<link rel="alternate" type="application/rss+xml" href="/rss">',
            (
                "this is a web page, not a feed; it names https://news.example/rss"
                " (monitor feeds discover https://news.example/world/)"
            ),
        ),
        (
            (
                '<link rel="alternate" type="application/rss+xml" href="/rss"><a href="/feed">x</a>'
                '<a href="/atom">x</a>'
            ),
            (
                "this is a web page, not a feed; it names https://news.example/rss"
                " (2 more: monitor feeds discover https://news.example/world/)"
            ),
        ),
    ],
)
def test_a_page_given_as_a_feed_says_where_the_feed_is(markup: str, detail: str) -> None:
    """And how to see the others."""
    body = f"<!doctype html><html><head>{markup}</head></html>".encode()
    with pytest.raises(ParseError) as caught:
        parse_feed(body, url=URL, content_type="text/html")
    assert (caught.value.code, caught.value.detail) == (Code.NOT_A_FEED, detail)


@given(st.binary(max_size=300))
def test_any_bytes_name_feeds_or_none(noise: bytes) -> None:
    """Nothing is raised."""
    for body in (noise, b"<link rel=alternate type=application/rss+xml href=" + noise + b">"):
        assert all(feed.url.startswith("http") for feed in discover(body, URL))
