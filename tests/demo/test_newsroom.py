"""Feeds and pages at an instant: what is listed, what a reader of either would recover."""

from __future__ import annotations

import dataclasses
import html
import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from urllib.parse import parse_qsl, unquote, urlsplit

import feedparser
import pytest

from monitor.demo.labels import LABELS
from monitor.demo.newsroom import CONTENT_TYPES, HOURS, Newsroom, feed_path
from monitor.demo.script import FeedScript, Item, Outlet, load, words_of
from monitor.extract import extract_page
from monitor.model import Entry
from monitor.parse import parse_feed

START = datetime(2025, 5, 10, 0, 0, tzinfo=UTC)
BASE = "http://127.0.0.1:9999"
NEWSROOM = Newsroom(start=START, base_url=BASE)
FEEDS = {feed.name: (outlet, feed) for outlet, feed in NEWSROOM.script.feeds}
LINKED = [item for item in load().items.values() if item.draft.linked]


def minute(number: float) -> datetime:
    return START + timedelta(minutes=number)


def entries(name: str, at: float) -> tuple[Entry, ...]:
    outlet, feed = FEEDS[name]
    body = NEWSROOM.feed_bytes(outlet, feed, minute(at))
    url = NEWSROOM.feed_url(outlet, feed)
    kind = CONTENT_TYPES[feed.format]
    return parse_feed(body, url=url, content_type=kind).entries


def entry_of(name: str, at: float, headline: str) -> Entry:
    (found,) = [entry for entry in entries(name, at) if headline in entry.title]
    return found


def answer(url: str, at: float):
    parts = urlsplit(url)
    return NEWSROOM.answer(unquote(parts.path), dict(parse_qsl(parts.query)), minute(at))


@pytest.mark.parametrize("at", [0, 45, 206, 240, HOURS * 60])
@pytest.mark.parametrize("name", FEEDS)
def test_a_feed_lists_what_is_out_newest_first(name: str, at: int):
    """Titles of the hour, links that work, dates in order."""
    outlet, _ = FEEDS[name]
    out = [item for item in NEWSROOM.script.of(outlet) if item.draft.at <= at][::-1]
    listed = entries(name, at)
    assert [entry.title for entry in listed] == [item.version(at).headline for item in out]
    for entry, item in zip(listed, out, strict=True):
        assert entry.published_at == (minute(item.published) if item.draft.dated else None)
        assert (entry.url is None) == (not item.draft.linked)
        assert entry.text


@pytest.mark.parametrize("name", [n for n, (_, f) in FEEDS.items() if f.format != "json"])
def test_xml_feeds_are_well_formed_in_the_encoding_that_they_declare(name: str):
    """The parser finds nothing to forgive."""
    outlet, feed = FEEDS[name]
    body = NEWSROOM.feed_bytes(outlet, feed, minute(HOURS * 60))
    parsed = feedparser.parse(body, response_headers={})
    assert not parsed.bozo, parsed.get("bozo_exception")
    assert parsed.encoding.removesuffix("-sig") == feed.encoding.removesuffix("-sig")
    assert len(parsed.entries) == len(NEWSROOM.script.of(outlet))


def test_all_formats_and_encodings_are_there():
    """RSS with and without full text, Atom, RDF, JSON Feed; a byte order mark, windows-1252."""
    feeds = [feed for _, feed in FEEDS.values()]
    assert {feed.format for feed in feeds} == {"rss", "atom", "rdf", "json"}
    assert {feed.text for feed in feeds if feed.format == "rss"} == {"summary", "full"}
    marked = next(pair for pair in FEEDS.values() if pair[1].encoding == "utf-8-sig")
    assert NEWSROOM.feed_bytes(*marked, minute(0)).startswith(b"\xef\xbb\xbf<?xml")
    western = next(pair for pair in FEEDS.values() if pair[1].encoding == "windows-1252")
    body = NEWSROOM.feed_bytes(*western, minute(HOURS * 60))
    with pytest.raises(UnicodeDecodeError):
        body.decode()
    assert "‘" in body.decode("windows-1252")


def test_what_an_encoding_lacks_is_written_as_a_character_reference():
    """Hindi survives an old content system."""
    outlet, feed = FEEDS["सतलुज समाचार"]
    old = dataclasses.replace(feed, encoding="windows-1252")
    titles = [
        [entry.title for entry in feedparser.parse(body, response_headers={}).entries]
        for body in (NEWSROOM.feed_bytes(outlet, each, minute(300)) for each in (feed, old))
    ]
    assert titles[0] == titles[1]
    assert titles[0]


def test_the_json_feed_says_what_version_one_dot_one_asks_for():
    """https://www.jsonfeed.org/version/1.1: version, title, and an id and content per item."""
    outlet, feed = FEEDS["Gulf Meridian Asia"]
    document = json.loads(NEWSROOM.feed_bytes(outlet, feed, minute(HOURS * 60)))
    assert document["version"] == "https://jsonfeed.org/version/1.1"
    for item in document["items"]:
        assert item["id"]
        assert item["content_html"]
        assert "<" not in item["summary"]


@pytest.mark.parametrize("item", LINKED, ids=lambda item: item.id)
def test_a_reader_recovers_each_version_of_an_article_from_its_page(item: Item):
    """At least 95 of 100 words, in order of frequency; headline, date, language, canonical URL."""
    for version in item.versions:
        at = NEWSROOM.instant(version.minute)
        page = NEWSROOM.page_html(item, at).encode()
        read = extract_page(page, url=NEWSROOM.url(item), content_type="text/html; charset=utf-8")
        assert recovered(version.body, read.body) >= 0.95
        assert read.title == version.headline
        assert read.published_at == minute(item.published)
        assert read.language == item.outlet.language
        assert read.canonical_url == NEWSROOM.url(item)
        assert read.authors
        for line in furniture(item.outlet):
            assert line not in read.body


def recovered(body: str, read: str) -> float:
    own = Counter(words_of(body))
    return (own & Counter(words_of(read))).total() / own.total()


def furniture(outlet: Outlet) -> list[str]:
    """Lines of a page that are nobody's article. "Also read" is not among them: it stands in it."""
    labels = LABELS[outlet.language]
    reply = [labels[key] for key in ("reply_note", "save") if key in labels]
    return [*outlet.comments, *outlet.most_read, *reply, labels["rights"]]


def test_pages_do_carry_the_furniture_that_readers_must_leave_out():
    """Otherwise the test above would prove nothing."""
    item = load().items["delhi-ledger/visas-cancelled"]
    page = html.unescape(NEWSROOM.page_html(item, minute(0)))
    for line in (*furniture(item.outlet), "Leave a Reply"):
        assert line in page


def test_the_same_also_read_stands_inside_every_article_of_a_site():
    """The trap for watches: it names Kashmir whatever the article is about."""
    items = [item for item in LINKED if item.outlet.also_read]
    assert len(items) >= 5
    for item in items:
        assert "Also read: Kashmir" in NEWSROOM.page_html(item, minute(HOURS * 60))
        if "Kashmir" not in item.versions[-1].hits:
            assert item.draft.traps == ("Kashmir",)


def test_copies_with_the_same_words_read_alike_on_differently_made_pages():
    """Where a site puts nothing into the article, extraction gives the wire's own words."""
    original = read_words("continental/india-pakistan-agree-ceasefire")
    for copy in ("gulf-meridian/oman-announces-ceasefire", "delhi-ledger/ceasefire-agreed-oman"):
        assert read_words(copy) == original


def read_words(name: str) -> tuple[str, ...]:
    item = load().items[name]
    page = NEWSROOM.page_html(item, minute(item.draft.at)).encode()
    return words_of(extract_page(page, url=NEWSROOM.url(item), content_type="text/html").body)


@pytest.mark.parametrize("item", LINKED, ids=lambda item: item.id)
def test_every_link_of_every_feed_leads_to_its_article(item: Item):
    """With tracking parameters, by AMP, in Devanagari, by query string."""
    for outlet, feed in FEEDS.values():
        if outlet == item.outlet:
            link = NEWSROOM.link(feed, item)
            assert link is not None
            assert link.isascii()
            found = answer(link, HOURS * 60)
            assert found.status == 200
            assert f'rel="canonical" href="{NEWSROOM.url(item)}"' in found.body.decode()


def test_one_feed_repeats_another_under_tracking_parameters_and_amp():
    """The same articles, no URL the same."""
    plain = entries("The Delhi Ledger", 300)
    just_in = entries("The Delhi Ledger: Just In", 300)
    assert [entry.title for entry in just_in] == [entry.title for entry in plain]
    assert all("utm_source=justin" in (entry.url or "") for entry in just_in)
    assert sum("/amp/?" in (entry.url or "") for entry in just_in) == 2


def test_an_entry_without_a_link_holds_its_whole_text():
    """There is no page to go to."""
    entry = entry_of("Gulf Meridian Asia", 212, "Text of the statement")
    item = load().items["gulf-meridian/text-of-omani-statement"]
    assert entry.url is None
    assert words_of(entry.text) == words_of(item.versions[0].body)


def test_an_old_article_comes_back_with_its_old_date():
    """More than a year before it is listed."""
    entry = entry_of("The Harbour Post: World", 260, "From the archive")
    assert entry.published_at == START - timedelta(days=412)


def test_revisions_keep_guid_and_link_and_change_headline_and_text():
    """A casualty figure rises, and is corrected."""
    seen = [entry_of("SPA National Wire", at, "Poonch, Mendhar") for at in (6, 30, 74)]
    assert len({(entry.guid, entry.url) for entry in seen}) == 1
    assert [re.search(r"least (\S+) civilians", e.text)[1] for e in seen] == ["six", "19", "nine"]
    assert "CORRECTED" in seen[2].title


def test_a_retraction_takes_back_the_whole_text():
    """Under the same URL."""
    item = load().items["delhi-ledger/blast-pasni-fuel-jetty"]
    assert "has withdrawn a report" not in NEWSROOM.page_html(item, minute(139))
    assert "has withdrawn a report" in NEWSROOM.page_html(item, minute(140))


def test_a_live_page_grows_from_the_top():
    """What was there stays, under what is new."""
    item = load().items["nbn/live-india-pakistan"]
    bodies = [version.body for version in item.versions]
    assert len(bodies) >= 6
    for before, after in pairwise(bodies):
        assert after.endswith(before)
    page = NEWSROOM.page_html(item, minute(299))
    assert page.count('class="live-post"') == len(bodies)


@pytest.mark.parametrize(
    ("name", "at", "status"),
    [
        ("spa/drones-intercepted", 123.9, 404),
        ("spa/drones-intercepted", 124, 500),
        ("spa/drones-intercepted", 136, 200),
        ("indus-courier/bunyad-e-azm-launched", 126, 404),
        ("indus-courier/bunyad-e-azm-launched", 127, 200),
    ],
)
def test_a_page_is_not_there_before_its_time_and_two_come_late(name: str, at: float, status: int):
    """The feed lists them all the while, with their whole text."""
    assert answer(NEWSROOM.url(load().items[name]), at).status == status


def test_feeds_of_the_late_pages_hold_their_whole_text():
    """So that the feed's own text can serve."""
    for name in ("spa/drones-intercepted", "indus-courier/bunyad-e-azm-launched"):
        item = load().items[name]
        feed = next(name for name, (outlet, _) in FEEDS.items() if outlet == item.outlet)
        entry = entry_of(feed, item.draft.at, item.versions[0].headline)
        assert words_of(entry.text) == words_of(item.versions[0].body)


@pytest.mark.parametrize(
    ("name", "at", "status", "challenge"),
    [
        ("Sarhad News", 239.9, 200, False),
        ("Sarhad News", 240, 500, False),
        ("Sarhad News", 262, 404, False),
        ("Sarhad News", 9999, 404, False),
        ("Chinar Chronicle", 126, 403, True),
        ("Chinar Chronicle", 140, 200, True),
        ("Chinar Chronicle", 148, 200, False),
    ],
)
def test_one_feed_dies_and_one_hides_behind_a_bot_check(
    name: str, at: float, status: int, challenge: bool
):
    """Errors and checks are HTML, and carry nothing to recognise them by."""
    got = answer(BASE + feed_path(*FEEDS[name]), at)
    assert got.status == status
    assert (b"Just a moment" in got.body) == challenge
    if status != 200 or challenge:
        assert got.content_type.startswith("text/html")
        assert got.etag is None
        assert got.last_modified is None


def test_a_feed_falls_silent_and_goes_on_answering():
    """From minute 213 on it is the same document."""
    outlet, feed = FEEDS["Market Lantern"]
    last = NEWSROOM.feed_bytes(outlet, feed, minute(213))
    assert NEWSROOM.feed_bytes(outlet, feed, minute(HOURS * 60)) == last
    assert NEWSROOM.feed_bytes(outlet, feed, minute(211)) != last


@pytest.mark.parametrize("name", FEEDS)
def test_tags_and_dates_change_exactly_when_the_document_does(name: str):
    """Over every minute of the story."""
    outlet, feed = FEEDS[name]
    previous = None
    for at in range(HOURS * 60):
        got = NEWSROOM.feed_answer(outlet, feed, minute(at))
        if got.status != 200 or b"Just a moment" in got.body:
            continue
        if previous is not None and feed_has_validators(feed):
            same = got.body == previous.body
            if feed.etag:
                assert (got.etag == previous.etag) == same
            if feed.last_modified:
                assert (got.last_modified == previous.last_modified) == same
        previous = got


def feed_has_validators(feed: FeedScript) -> bool:
    return feed.etag or feed.last_modified


def test_a_shorter_minute_brings_the_story_closer_and_leaves_the_backlog_where_it_was():
    """For a clock that runs as usual: six hours in six minutes."""
    quick = Newsroom(start=START, base_url=BASE, minute=timedelta(seconds=1))
    assert quick.instant(90) == START + timedelta(seconds=90)
    assert quick.instant(-90) == START - timedelta(minutes=90)
    outlet, feed = FEEDS["SPA National Wire"]
    assert len(quick.listed(outlet, feed, START + timedelta(seconds=6))) == 2


def test_unknown_paths_are_not_found_and_front_pages_name_the_feeds():
    """robots.txt lets everybody in."""
    assert answer(f"{BASE}/nobody/", 0).status == 404
    assert answer(f"{BASE}/robots.txt", 0).body.startswith(b"User-agent: *\nAllow: /")
    front = answer(f"{BASE}/", 0).body.decode()
    assert all(NEWSROOM.feed_url(*pair).replace("&", "&amp;") in front for pair in FEEDS.values())
    own = answer(f"{BASE}/spa/", 0).body.decode()
    assert "rss/national.xml" in own
    assert "gulf-meridian" not in own


def test_nothing_leads_away_from_the_newsroom():
    """No address in any page or feed but the newsroom's own and the names of vocabularies."""
    known = (
        "http://www.w3.org/",
        "http://purl.org/",
        "https://schema.org",
        "https://jsonfeed.org/",
    )
    documents = [NEWSROOM.page_html(item, minute(HOURS * 60)) for item in LINKED]
    documents += [
        NEWSROOM.feed_bytes(*pair, minute(HOURS * 60)).decode(errors="replace")
        for pair in FEEDS.values()
    ]
    for document in documents:
        for url in re.findall(r"https?://[^\"'<>\s]+", document):
            assert url.startswith((BASE, *known)), url
