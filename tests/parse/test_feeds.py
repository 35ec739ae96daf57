"""Feed bytes to entries."""

from __future__ import annotations

import io
import json
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin
from xml.sax.saxutils import escape

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import Code, ParseError
from monitor.model import Entry, ParsedFeed
from monitor.parse import parse_feed
from monitor.parse.build import _PLAIN_LINK, _resolved, language_tag, web_link
from monitor.parse.dates import when
from monitor.parse.plain import one_line, paragraphs
from tests.webserver import WebServer, running

FEEDS = Path(__file__).parent.parent / "data" / "feeds"
URL = "http://feeds.example/in/feed.xml"
NOON = datetime(2025, 5, 10, 12, 0, tzinfo=UTC)


def parse(body: bytes | str, content_type: str = "") -> ParsedFeed:
    """Parse as if fetched from URL."""
    data = body.encode() if isinstance(body, str) else body
    return parse_feed(data, url=URL, content_type=content_type)


def refusal(body: bytes | str, content_type: str = "") -> ParseError:
    """Parse what is no feed, and say why not."""
    with pytest.raises(ParseError) as caught:
        parse(body, content_type)
    return caught.value


def rss(item: str) -> str:
    """A feed of one item."""
    return f'<rss version="2.0"><channel><title>t</title><item>{item}</item></channel></rss>'


def entry(item: str) -> Entry:
    """The entry that an RSS item gives."""
    return parse(rss(item)).entries[0]


# --------------------------------------------------------------------------- formats


def test_rss_is_read() -> None:
    """RSS 2.0: plain titles, longest text, zones, origLink, doubles and empty items left out."""
    feed = parse((FEEDS / "rss2.xml").read_bytes())
    assert (feed.title, feed.language) == ("The Valley Post & Courier", "en-IN")
    first, second, third, fourth = feed.entries
    assert first == Entry(
        guid="4711",
        url="http://feeds.example/news/river-truce?utm_source=rss",
        title="River ‘truce’ holds at Dalpur < 3 days",
        text="Boats crossed again on Saturday.\n\nFirst\n\nSecond\n\nOne\ntwo\n\nthree",
        authors=("Asha Verma", "Omar Lone"),
        published_at=NOON,
        language="en-IN",
    )
    assert second.guid == second.url == "http://valley.example/untitled"
    assert second.title == ("An item without a title, whose first words must do, as they are all …")
    assert third.url == "http://valley.example/att"
    assert third.title == "AT&T says a < b"
    assert third.text == "Escaped twice"
    assert third.published_at == NOON + timedelta(hours=4, minutes=30)
    assert fourth.url is None
    assert fourth.published_at is None
    assert fourth.guid.startswith("hash:")


def test_items_that_all_bear_one_guid_are_told_apart() -> None:
    """By guid and link, in whatever order they stand; the same item twice is still one."""
    items = [
        f"<item><guid isPermaLink='false'>0</guid><title>News {number}</title>"
        f"<link>http://feeds.example/{number}</link></item>"
        for number in (1, 2, 3, 3)
    ]
    body = "<rss version='2.0'><channel><title>t</title>{}</channel></rss>"
    there = parse(body.format("".join(items)).encode()).entries
    back = parse(body.format("".join(reversed(items))).encode()).entries
    assert [entry.title for entry in there] == ["News 1", "News 2", "News 3"]
    assert len({entry.guid for entry in there}) == 3
    assert set(there) == set(back)


def test_atom_is_read() -> None:
    """Atom: alternate links, several authors, xml:lang of feed and entry, published first."""
    feed = parse((FEEDS / "atom.xml").read_bytes(), "application/atom+xml")
    assert (feed.title, feed.language) == ("دریا نیوز", "ur")
    assert feed.entries == (
        Entry(
            guid="tag:darya.example,2025:1",
            url="http://darya.example/پل",
            title="پل پر جنگ بندی",
            text="پہلا\n\nدوسرا",
            authors=("مریم", "علی"),
            published_at=NOON.replace(minute=5, second=6),
            language="ur",
        ),
        Entry(
            guid="2",
            url="http://feeds.example/in/bridge.html",
            title="Bridge opens",
            text="Plain line one.\n\nPlain line two.",
            published_at=datetime(2025, 5, 10, 11, 0, 0, 500_000, tzinfo=UTC),
            language="en",
        ),
    )


def test_rdf_is_read() -> None:
    """RSS 1.0 in Latin-1: the declared encoding counts, rdf:about is the guid."""
    feed = parse((FEEDS / "rdf.xml").read_bytes())
    assert (feed.title, feed.language) == ("Flußblatt", "de")
    assert feed.entries == (
        Entry(
            guid="http://fluss.example/1",
            url="http://fluss.example/1?wt=rss",
            title="Fähre fährt wieder",
            text="Über den Fluß.",
            authors=("Jörg",),
            published_at=NOON,
            language="de",
        ),
    )


def test_json_feed_is_read() -> None:
    """JSON Feed: both versions' authors, text that looks like markup, odd items passed over."""
    feed = parse((FEEDS / "feed.json").read_bytes(), "application/feed+json")
    assert (feed.title, feed.language) == ("Ferry & Bridge", "en-GB")
    assert feed.entries == (
        Entry(
            guid="17",
            url="http://feeds.example/items/17",
            title="A bridge",
            text="One.\n\nTwo.",
            authors=("Rosa",),
            published_at=NOON + timedelta(hours=5),
            language="hi",
        ),
        Entry(
            guid="18",
            url="http://elsewhere.example/story",
            title="Is 3 < 4 & <p> a tag? …",
            text="Is 3 < 4 & <p> a tag?\n\nYes.",
            authors=("The desk",),
            published_at=NOON,
            language="en-GB",
        ),
    )


def corpus_files(corpus: Path) -> list[tuple[str, dict]]:
    """Every feed of the corpus with what its index says of it."""
    index = json.loads((corpus / "feeds" / "index.json").read_text())
    assert len(index) == 64
    return [(item["file"], item) for item in index]


def peer_of(body: bytes) -> list:
    """What feedparser reads."""
    return feedparser.parse(
        io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False
    ).entries


def test_every_feed_of_the_corpus_is_read(corpus: Path) -> None:
    """All 64 feeds: as many entries as feedparser counts, less doubles and empty ones; dated."""
    undated_by_peer = Counter()
    for name, known in corpus_files(corpus):
        body = (corpus / "feeds" / name).read_bytes()
        entries = parse(body).entries
        if name.endswith(".json"):
            assert len(entries) == len(json.loads(body)["items"]), name
        else:
            peer = peer_of(body)
            assert len(peer) == known["entries"], name
            filled = [e for e in peer if e.get("title") or e.get("link") or e.get("summary")]
            assert len(entries) == len({e.get("id") or e.get("link") for e in filled}), name
        assert all(e.title and e.guid for e in entries), name
        assert not any("<p>" in e.text or "&amp;" in e.title for e in entries), name
        dated = sum(e.published_at is not None for e in entries)
        assert dated >= known["entries_with_date"] - (known["entries"] - len(entries)), name
        undated_by_peer[name] = dated - known["entries_with_date"]
    assert undated_by_peer["koreatimes_2022.xml"] == 195  # "Thu,28 Jul 2022 4:35:5 GMT+9"


def test_dates_and_links_agree_with_feedparser(corpus: Path) -> None:
    """Where feedparser reads a date or a link, ours is the same."""
    for name, _ in corpus_files(corpus):
        if name.endswith(".json"):
            continue
        body = (corpus / "feeds" / name).read_bytes()
        ours = {e.guid: e for e in parse(body).entries}
        for peer in peer_of(body):
            entry = ours.pop(peer.get("id") or peer.get("link"), None)
            if entry is None:  # told apart by its words, or a double
                continue
            if parsed := dict.get(peer, "published_parsed"):
                assert entry.published_at == datetime(*parsed[:6], tzinfo=UTC), name
            if "feedburner_origlink" not in peer and peer.link.startswith("http"):
                assert entry.url == peer.link.replace(" ", "%20"), name


# --------------------------------------------------------------------------- what is no feed


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        (b"", Code.NOT_A_FEED, "empty"),
        (b"\xef\xbb\xbf \n", Code.NOT_A_FEED, "empty"),
        (b"<!DOCTYPE html><html><head><title>News</title></head>", Code.NOT_A_FEED, "web page"),
        (b"<html><body>Log in", Code.NOT_A_FEED, "web page"),
        (b"Service unavailable", Code.NOT_A_FEED, "no feed"),
        (b"\x89PNG\r\n\x1a\n", Code.NOT_A_FEED, "no feed"),
        (b"<sitemapindex></sitemapindex>", Code.NOT_A_FEED, "no feed"),
        (b'{"error": "gone"}', Code.NOT_A_FEED, "JSON"),
        (b'{"items": [', Code.PARSE, "JSON"),
        (b"{" * 100_000, Code.PARSE, "JSON"),
        (b'<rss version="2.0"><channel><title>x</title><it', Code.PARSE, "XML is broken"),
    ],
)
def test_what_is_no_feed_is_told_by_name(body: bytes, code: Code, detail: str) -> None:
    """The error says what was found instead."""
    error = refusal(body)
    assert error.code is code
    assert detail in error.detail


def test_an_empty_feed_is_a_feed() -> None:
    """No news is no error."""
    assert parse('<rss version="2.0"><channel><title>x</title></channel></rss>').entries == ()
    assert parse('{"version": "https://jsonfeed.org/version/1", "items": []}').entries == ()


def test_a_feed_with_a_wrong_content_type_is_a_feed() -> None:
    """The bytes count, not what the server calls them."""
    body = (FEEDS / "rss2.xml").read_bytes()
    for content_type in ("text/html", "application/json", "image/png", "x", "; charset=nonsense"):
        assert len(parse(body, content_type).entries) == 4


def test_the_header_gives_the_charset_that_the_document_lacks() -> None:
    """RFC 7303: the charset of the Content-Type header is believed."""
    body = rss("<title>Fähre</title>").encode("latin-1")
    feed = parse(body, "application/rss+xml; charset=iso-8859-1")
    assert feed.entries[0].title == "Fähre"


# --------------------------------------------------------------------------- hostile bytes


def test_a_body_that_names_a_file_or_a_url_is_not_opened(tmp_path: Path) -> None:
    """Feedparser opens strings that look like either; bytes from the net must not be one."""
    secret = tmp_path / "secret.xml"
    secret.write_text(rss("<title>secret</title>"))
    with running(WebServer()) as server:
        for body in (str(secret), f"file://{secret}", server.url("/feed")):
            assert refusal(body).code is Code.NOT_A_FEED
    assert not server.connections


def test_entities_fetch_nothing_and_read_nothing(tmp_path: Path) -> None:
    """External entities of all kinds stay unresolved."""
    secret = tmp_path / "secret.txt"
    secret.write_text("TOP SECRET")
    with running(WebServer()) as server:
        for target in (secret.as_uri(), server.url("/entity")):
            for declaration in (
                f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{target}">]>',
                f'<!DOCTYPE rss [<!ENTITY % p SYSTEM "{target}"> %p;]>',
                f'<!DOCTYPE rss SYSTEM "{target}">',
            ):
                item = rss("<title>a</title><description>b &x; c</description>")
                for found in parse(declaration + item).entries:
                    assert "SECRET" not in found.text + found.title
    assert not server.connections


def test_attack_documents_end_in_a_class(corpus: Path) -> None:
    """Billion laughs, quadratic blow-up, cyclic entities: refused, and nothing leaks."""
    files = sorted((corpus / "hostile" / "xml").iterdir())
    assert len(files) == 9
    for file in files:
        assert refusal(file.read_bytes()).code in {Code.NOT_A_FEED, Code.PARSE}


def test_naughty_strings_come_through(corpus: Path) -> None:
    """Strings that break things are titles and texts like any other, without control characters."""
    strings = json.loads((corpus / "hostile" / "big_list_of_naughty_strings.json").read_text())
    items = [{"id": str(n), "title": s, "content_html": s} for n, s in enumerate(strings)]
    items.append({"id": "lone", "title": "\ud800x\udfff\x00\x1b[31m"})
    feed = parse(json.dumps({"items": items}))
    assert {e.guid: e.title for e in feed.entries}["lone"] == "x[31m"
    for found in feed.entries:
        assert (found.title + found.text).encode()
        assert not set(found.title + found.text) & {chr(n) for n in range(32) if n != 10}


@pytest.mark.parametrize("kind", ["escaped", "cdata", "raw", "json"])
def test_naughty_strings_may_stand_anywhere(corpus: Path, kind: str) -> None:
    """As titles, links, guids, dates, authors and languages, of feed and items: each feed is read.

    As they are, too: then a feed may be beyond reading, and says so. What was read once is known.
    """
    strings = json.loads((corpus / "hostile" / "big_list_of_naughty_strings.json").read_text())
    names = ["title", "link", "guid", "pubDate", "description", "author", "language", "ttl"]
    keys = ["id", "url", "title", "content_html", "content_text", "date_published", "language"]

    def written(text: str) -> str:
        if kind == "escaped":
            return escape(text)
        return f"<![CDATA[{text}]]>" if kind == "cdata" else text

    step = 1 if kind == "raw" else len(strings)
    for start in range(0, len(strings), step):
        some = strings[start : start + step]
        if kind == "json":
            body = json.dumps({"items": [dict.fromkeys(keys, s) for s in some], "hubs": some})
        else:
            parts = ["".join(f"<{n}>{written(s)}</{n}>" for n in names) for s in some]
            items = "".join(f"<item>{part}</item>" for part in parts)
            body = f"<rss><channel>{parts[0]}{items}</channel></rss>"
        try:
            feed = parse_feed(body.encode("utf-8", "surrogatepass"), url=URL, content_type="")
        except ParseError:
            assert kind == "raw"
            continue
        for found in feed.entries:
            assert json.dumps([found.guid, found.url, found.title, found.text, found.authors])
            assert "\0" not in found.guid + found.title + found.text
        again = parse_feed(
            body.encode("utf-8", "surrogatepass"), url=URL, content_type="", blocks=feed.blocks
        )
        assert again.entries == () or kind == "raw"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda s: rss(s).encode()))
def test_any_bytes_are_a_feed_or_a_parse_error(body: bytes) -> None:
    """Nothing but ParseError ever comes out."""
    try:
        feed = parse(body)
    except ParseError:
        return
    assert isinstance(feed, ParsedFeed)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
_FIELDS = st.sampled_from(
    [
        "id",
        "url",
        "date_published",
        "title",
        "content_html",
        "content_text",
        "authors",
        "author",
        "language",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(_FIELDS, _JSON) | _JSON, max_size=5), _JSON)
def test_any_json_is_a_feed_or_a_parse_error(items: list[object], title: object) -> None:
    """Whatever types stand where strings should."""
    feed = parse(json.dumps({"items": items, "title": title, "language": title}))
    assert len({e.guid for e in feed.entries}) == len(feed.entries)


# --------------------------------------------------------------------------- identity


def test_a_relative_guid_does_not_depend_on_where_the_feed_lives() -> None:
    """Feedparser resolves guids as if they were links; then a feed that moves repeats itself."""
    body = rss("<title>a</title><guid isPermaLink='false'>333/a?b&amp;c</guid>").encode()
    for url in (URL, "http://other.example/", "https://feeds.example/"):
        found = parse_feed(body, url=url, content_type="").entries[0]
        assert found.guid == "333/a?b&c"
        link = parse_feed(
            rss("<title>a</title><guid>333</guid>").encode(), url=url, content_type=""
        )
        assert (link.entries[0].guid, link.entries[0].url) == ("333", urljoin(url, "333"))
    based = (
        "<rss xml:base='http://base.example/'><item><guid>333</guid><title>a</title></item></rss>"
    )
    assert parse(based).entries[0].guid == "333"
    whole = rss("<title>a</title><guid>http://feeds.example/in/1?a=1&amp;b=2</guid>").encode()
    assert parse(whole).entries[0].guid == "http://feeds.example/in/1?a=1&b=2"


def test_an_endless_guid_is_shortened_to_one_of_its_own() -> None:
    """Two long guids that differ at the end stay two."""
    one, two = (entry(f"<title>a</title><guid>{'x' * 5000}{n}</guid>").guid for n in "12")
    assert one != two
    assert len(one) < 500


def test_an_entry_without_id_and_link_is_known_by_its_words() -> None:
    """The same words are the same entry; other words are another."""
    assert entry("<title>a</title>").guid == entry("<title>a</title>").guid
    assert entry("<title>a</title>").guid != entry("<title>b</title>").guid


# --------------------------------------------------------------------------- plain text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain", "plain"),
        ("  two\n words\t", "two words"),
        ("<b>Bold</b> move", "Bold move"),
        ("one<br/>two", "one two"),
        ("&lt;b&gt;Bold&lt;/b&gt;", "Bold"),
        ("&amp;lt;b&amp;gt;x", "<b>x"),
        ("India&amp;#8217;s", "India’s"),
        ("a < b > c", "a < b > c"),
        ("<Foo> & bar", "<Foo> & bar"),
        ("AT&T &copy 2025", "AT&T &copy 2025"),
        ("x<!-- hidden -->y", "xy"),
        ("x<!-- open", "x"),
        ("nul\x00 bell\x07 c1\x85", "nul bell c1"),
        ("युद्धविराम\u200d", "युद्धविराम\u200d"),
    ],
)
def test_a_title_is_one_plain_line(markup: str, text: str) -> None:
    """Known tags and whole references go, all else stays."""
    assert one_line(markup) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain", "plain"),
        ("one\n\ntwo\nlines", "one\n\ntwo lines"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<div><p>one</p>tail</div>after", "one\n\ntail\n\nafter"),
        ("a<br>b<br><br>c", "a\nb\n\nc"),
        ("<p>a<script>b</script>c<style>d</style>e<noscript>f</noscript></p>", "ace"),
        ("<p>in<b>line</b> text</p>", "inline text"),
        ("<p>x<!-- no -->y</p>", "xy"),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "1\n\n2"),
        ("&lt;p&gt;one&lt;/p&gt;&lt;p&gt;two&lt;/p&gt;", "one\n\ntwo"),
        ("<p>&lt;p&gt;twice&lt;/p&gt;</p>", "twice"),
        ("3 < 4 &amp; 5", "3 < 4 & 5"),
        ("<div>" * 1000 + "deep" + "</div>" * 1000, "deep"),
        ("", ""),
    ],
)
def test_a_text_keeps_its_paragraphs(markup: str, text: str) -> None:
    """Block elements and double breaks part paragraphs; scripts and styles are gone."""
    assert paragraphs(markup) == text


@given(st.text())
def test_plain_text_is_settled(text: str) -> None:
    """No input raises, or leaves control characters or spare space behind."""
    for made in (one_line(text), paragraphs(text)):
        assert made == made.strip()
        assert "\n\n\n" not in made
        assert not any(ord(c) < 32 and c != "\n" for c in made)


# --------------------------------------------------------------------------- dates, links, tags


@pytest.mark.parametrize(
    "text",
    [
        "Sat, 10 May 2025 12:00:00 GMT",
        "Sat, 10 May 2025 17:30:00 +0530",
        "Sat, 10 May 2025 17:30:00 IST",
        "Sat, 10 May 2025 17:00:00 PKT",
        "Sat,10 May 2025 21:0:0 GMT+9",
        "Sat, 10May 2025 17:30:00 +0530",
        "10 May 2025 12:00 Z",
        "Saturday, 10 May 2025 08:00:00 EDT",
        "10-May-2025 12:00:00",
        "2025-05-10T12:00:00Z",
        "2025-05-10T17:30:00+05:30",
        "2025-05-10 12:00:00",
        "20250510T120000Z",
    ],
)
def test_dates_as_feeds_write_them(text: str) -> None:
    """Noon in UTC, however it is put."""
    assert when(text) == NOON


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "yesterday",
        "1970-01-01",
        "Sat, 32 May 2025 12:00:00 GMT",
        "10 Foo 2025 12:00:00",
        "10 May 2025 12:00:00 XYZ",
        "0001-01-01T00:00:00+23:00",
        "2025-05-10T12:00:00+99:00",
    ],
)
def test_what_is_no_date_is_none(text: str | None) -> None:
    """No guess is better than a wrong one."""
    assert when(text) is None


@given(st.text(alphabet="0123456789: +-,TZMayGmt.", max_size=40))
def test_any_text_is_a_date_or_none(text: str) -> None:
    """What comes out is aware and in UTC."""
    moment = when(text)
    assert moment is None or moment.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("given_link", "link"),
    [
        ("/a b", "http://feeds.example/a%20b"),
        ("https://x.example/ü?q=1#f", "https://x.example/ü?q=1#f"),
        ("//x.example/a", "http://x.example/a"),
        (" http://x.example/a\n", "http://x.example/a"),
        ("javascript:alert(1)", None),
        ("mailto:a@b.example", None),
        ("http://", None),
        ("http://[", None),
        ("http://x.example/" + "a" * 3000, None),
        ("", None),
        (None, None),
    ],
)
def test_links_are_absolute_and_of_the_web(given_link: str | None, link: str | None) -> None:
    """Relative links are resolved, what can't be fetched is none."""
    assert web_link(URL, given_link) == link


@given(
    st.from_regex(_PLAIN_LINK, fullmatch=True)
    | st.text("abz09./:?#&=;%~_@+-", max_size=12).map("https://x.example/".__add__)
)
def test_a_link_that_is_taken_as_it_is_would_be_resolved_to_itself(link: str) -> None:
    """The short way is none around what is looked for."""
    assert web_link("https://base.example/a/", link) == _resolved("https://base.example/a/", link)


def test_language_tags_are_checked() -> None:
    """Only what looks like a tag is one; underscores and countries are put right."""
    assert [language_tag(t) for t in ("en", "en_us", "zh-Hans-CN", "ur-PK")] == [
        "en",
        "en-us",
        "zh-Hans-CN",
        "ur-PK",
    ]
    assert not any(language_tag(t) for t in ("US", "English", "", None, "e", "en us", "x" * 50))


def test_an_author_of_a_hundred_thousand_letters_does_not_cost_the_feed() -> None:
    """The search for addresses takes the square of a name's length: 20 s for this one."""
    items = [{"id": "1", "title": "t", "authors": [{"name": "a" * 100_000}, {"name": "Asha"}]}]
    body = json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}).encode()
    began = time.process_time()
    [entry] = parse_feed(body, url="https://example.org/f", content_type="").entries
    assert entry.authors == ("Asha",)
    assert time.process_time() - began < 2
