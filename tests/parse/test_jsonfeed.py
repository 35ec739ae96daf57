"""JSON Feed as its specification has it (versions 1 and 1.1)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from monitor.errors import Code, ParseError
from monitor.model import Entry, ParsedFeed
from monitor.parse import parse_feed

URL = "https://sky.example/feeds/all.json"
VERSION = "https://jsonfeed.org/version/1.1"


def parse(feed: dict[str, Any] | str) -> ParsedFeed:
    """As served with its own media type."""
    body = feed if isinstance(feed, str) else json.dumps(feed)
    return parse_feed(body.encode(), url=URL, content_type="application/feed+json")


def entry(**item: object) -> Entry:
    """The entry of one item."""
    [found] = parse({"version": VERSION, "title": "t", "items": [item]}).entries
    return found


def test_a_simple_feed() -> None:
    """Two notes, one in plain text and one in HTML."""
    feed = parse(
        {
            "version": VERSION,
            "title": "Harbour log",
            "home_page_url": "https://sky.example/",
            "feed_url": "https://sky.example/feed.json",
            "items": [
                {"id": "2", "content_text": "Second & last.", "url": "https://sky.example/2"},
                {"id": "1", "content_html": "<p>Ahoy, <b>all</b>!</p>", "url": "/1"},
            ],
        }
    )
    assert feed.title == "Harbour log"
    assert feed.topic == "https://sky.example/feed.json"
    assert [(e.guid, e.url, e.text) for e in feed.entries] == [
        ("2", "https://sky.example/2", "Second & last."),
        ("1", "https://sky.example/1", "Ahoy, all!"),
    ]


def test_a_feed_with_all_that_there_is() -> None:
    """A podcast's: attachments, tags and pictures are no text; extensions are passed over."""
    found = entry(
        id="http://sky.example/episode/7",
        url="https://sky.example/episode/7",
        external_url="https://elsewhere.example/",
        title="Episode 7: Tides",
        content_html="<p>With <a href='x'>guests</a>.</p>",
        content_text="With guests.",
        summary="Tides",
        image="https://sky.example/7.jpg",
        banner_image="https://sky.example/7b.jpg",
        date_published="2025-05-10T14:00:00+02:00",
        date_modified="2025-05-11T14:00:00Z",
        authors=[
            {"name": "Rosa Lind", "url": "https://rosa.example/", "avatar": "x"},
            {"url": "x"},
        ],
        author={"name": "Somebody of version 1"},
        tags=["sea"],
        language="en-GB",
        attachments=[{"url": "https://sky.example/7.m4a", "mime_type": "audio/x-m4a"}],
        _sky={"about": "https://sky.example/extension"},
    )
    assert found == Entry(
        guid="http://sky.example/episode/7",
        url="https://sky.example/episode/7",
        title="Episode 7: Tides",
        text="With guests.",
        authors=("Rosa Lind",),
        published_at=datetime(2025, 5, 10, 12, 0, tzinfo=UTC),
        language="en-GB",
    )


@pytest.mark.parametrize(
    ("item", "guid"),
    [
        ({"id": 17}, "17"),
        ({"id": 1.5}, "1.5"),
        ({"id": " a "}, "a"),
        ({"url": "https://sky.example/x"}, "https://sky.example/x"),
        ({"external_url": "https://sky.example/y"}, "https://sky.example/y"),
        ({"id": None, "url": "/z"}, "https://sky.example/z"),
    ],
)
def test_an_id_is_a_string_whatever_was_given(item: dict[str, Any], guid: str) -> None:
    """Numbers are coerced, as the specification asks; without one the address serves."""
    assert entry(title="t", **item).guid == guid


@pytest.mark.parametrize(
    ("feed", "item", "authors", "language"),
    [
        ({"author": {"name": "A"}}, {}, ("A",), None),
        ({"authors": [{"name": "A"}, {"name": "B"}]}, {}, ("A", "B"), None),
        ({"authors": [{"name": "A"}]}, {"authors": [{"name": "C"}]}, ("C",), None),
        ({"authors": [{"name": "A"}]}, {"author": {"name": "C"}}, ("C",), None),
        ({"authors": "A", "author": "B"}, {"authors": {"name": "C"}}, (), None),
        ({"language": "de"}, {}, (), "de"),
        ({"language": "de"}, {"language": "fr"}, (), "fr"),
        ({"language": ["de"]}, {"language": "what?"}, (), None),
    ],
)
def test_what_the_feed_says_holds_for_items_that_say_nothing(
    feed: dict[str, Any], item: dict[str, Any], authors: tuple[str, ...], language: str | None
) -> None:
    """Authors of both versions, and the language."""
    [found] = parse({"version": VERSION, "items": [{"title": "t", **item}], **feed}).entries
    assert (found.authors, found.language) == (authors, language)


@pytest.mark.parametrize(
    ("hubs", "hub"),
    [
        ([{"type": "WebSub", "url": "https://hub.example/"}], "https://hub.example/"),
        ([{"type": "rssCloud", "url": "x"}, {"type": "websub", "url": "/h"}],
         "https://sky.example/h"),
        ([{"type": "rssCloud", "url": "https://cloud.example/"}], None),
        ([{"type": "WebSub"}], None),
        (["https://hub.example/", None], None),
        ({"type": "WebSub", "url": "https://hub.example/"}, None),
    ],
)  # fmt: skip
def test_a_hub_is_one_that_speaks_websub(hubs: object, hub: str | None) -> None:
    """The first of them."""
    assert parse({"version": VERSION, "items": [], "hubs": hubs}).hub == hub


def test_an_expired_feed_is_read_like_any_other() -> None:
    """What it still lists is news to whoever has not read it."""
    assert len(parse({"expired": True, "next_url": "/2", "items": [{"title": "t"}]}).entries) == 1


@pytest.mark.parametrize("body", ['{"title": "t"}', '{"items": {}}', "[]", '"x"', "3"])
def test_json_of_another_kind_is_no_feed(body: str) -> None:
    """One sentence."""
    with pytest.raises(ParseError) as caught:
        parse(body)
    assert caught.value.code is Code.NOT_A_FEED


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-le"])
def test_the_encodings_of_json_are_read(encoding: str) -> None:
    """RFC 8259 wants UTF-8; old servers send what they like."""
    body = '{"items": [{"id": "1", "title": "Brücke\t"}]}'.encode(encoding)
    [found] = parse_feed(body, url=URL, content_type="application/json").entries
    assert found.title == "Brücke"
