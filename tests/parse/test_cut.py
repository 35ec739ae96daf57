"""What is new in a feed, and that to parse it alone says what parsing the whole does."""

from __future__ import annotations

import json
import pickle
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import Code, ParseError
from monitor.model import ParsedFeed
from monitor.parse import cut, parse_feed, parse_rest
from monitor.parse.marks import MAX_MARKS, Marks, guid_mark

URL = "http://feeds.example/in/feed.xml"


def parse(body: bytes | str, blocks: bytes = b"", content_type: str = "") -> ParsedFeed:
    """Parse as if fetched from URL."""
    data = body.encode() if isinstance(body, str) else body
    return parse_feed(data, url=URL, content_type=content_type, blocks=blocks)


def item(number: int, also: str = "") -> str:
    """An item of RSS."""
    return f"<item><title>Item {number}</title><guid>http://a.example/{number}</guid>{also}</item>"


def rss(*items: str, head: str = "<title>t</title>", root: str = "") -> str:
    """A feed of items."""
    body = "\n".join(items)
    return f'<rss version="2.0" {root}><channel>{head}\n{body}\n</channel></rss>'


def titles(feed: ParsedFeed) -> list[str]:
    """Of its entries."""
    return [entry.title for entry in feed.entries]


def without(blocks: bytes, places: Sequence[int]) -> bytes:
    """The marks of the same document without the items at these places."""
    kept = Marks.unpacked(blocks)
    pairs = [pair for place, pair in enumerate(kept.guids().items()) if place not in places]
    each = b"".join(mark + guid for mark, guid in pairs)
    return replace(kept, each=each, listing=b"another!").packed()


# --------------------------------------------------------------------------- what is cut


def test_only_what_is_new_is_parsed() -> None:
    """Three items of which two were there: one entry, and how many there were of each."""
    first = parse(rss(item(1), item(2)))
    second = parse(rss(item(3), item(1), item(2)), first.blocks)
    assert titles(second) == ["Item 3"]
    assert (second.listed, second.known) == (3, 2)
    assert second.blocks == parse(rss(item(3), item(1), item(2))).blocks
    assert (first.listed, first.known) == (2, 0)


def test_what_changed_under_its_guid_is_new() -> None:
    """Its publisher edited it: storage finds that it is a revision."""
    blocks = parse(rss(item(1), item(2))).blocks
    edited = parse(rss(item(1, "<description>More</description>"), item(2)), blocks)
    assert titles(edited) == ["Item 1"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<lastBuildDate>1</lastBuildDate>", "<lastBuildDate>2</lastBuildDate>"),
        ("<pubDate>1</pubDate><title>a</title>", "<pubDate>2</pubDate><title>b</title>"),
        ("<updated>1</updated><generator>x 1</generator>", "<updated>2</updated>"),
        ("<title>t</title><!-- made at 9 -->", "<title>t</title><!-- made <item> at 10 -->"),
        ("<title>t</title><?made at 9?>", "<title>t</title><?made at 10?>"),
        ("<items><li resource='1'/></items>", "<items><li resource='1'/><li/></items>"),
    ],
)
def test_a_new_date_is_no_news(before: str, after: str) -> None:
    """Nothing is parsed where only the channel's own words differ, wherever they stand."""
    blocks = parse(rss(item(1), item(2), head=before)).blocks
    found = cut(rss(item(1), item(2), head=after).encode(), url=URL, content_type="", blocks=blocks)
    assert found.unchanged is not None
    assert found.unchanged.entries == ()
    assert found.unchanged.blocks == blocks
    assert (found.unchanged.listed, found.unchanged.known) == (2, 2)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"head": "<language>en</language>"}, {"head": "<language>de</language>"}),
        ({"root": "xml:lang='en'"}, {"root": "xml:lang='de'"}),
        ({"root": "xml:base='http://a/'"}, {"root": "xml:base='http://b/'"}),
        ({"root": "xmlns:x='a'"}, {"root": "xmlns:x='http://purl.org/dc/elements/1.1/'"}),
    ],
)
def test_what_all_items_inherit_makes_all_new(before: dict, after: dict) -> None:
    """The same bytes say something else then; that they were there before is told all the same."""
    blocks = parse(rss(item(1), item(2), **before)).blocks
    again = parse(rss(item(1), item(2), **after), blocks)
    assert titles(again) == ["Item 1", "Item 2"]
    assert (again.listed, again.known) == (2, 2)


def test_two_items_of_one_guid_are_judged_together() -> None:
    """As without any cut: the whole is parsed, and both are known by guid and link."""
    one, two = (
        f"<item><guid isPermaLink='false'>0</guid><title>News {n}</title><link>http://a.example/{n}"
        "</link></item>"
        for n in (1, 2)
    )
    blocks = parse(rss(one)).blocks
    assert parse(rss(two, one), blocks).entries == parse(rss(two, one)).entries
    found = cut(rss(two, one).encode(), url=URL, content_type="", blocks=blocks)
    assert parse_rest(found) is None


@pytest.mark.parametrize(
    "broken",
    [
        "<item><title>Broken</b></title></item>",
        "<item><title>Item 9</title>",
        "<item><title>Item 9</title><item><title>Item 10</title></item></item>",
        "<item><title a=b>Item 9</title></item>",
    ],
)
def test_of_what_is_broken_nothing_is_cut(broken: str) -> None:
    """Whatever was read of it before; but if all is as it was, it isn't parsed again."""

    def feed(*items: str, built: int = 1) -> str:
        return rss(*items, item(2), broken, head=f"<lastBuildDate>{built}</lastBuildDate>")

    blocks = parse(rss(item(1), item(2))).blocks
    whole = parse(feed(item(3), item(1)))
    assert parse(feed(item(3), item(1)), blocks).entries == whole.entries
    again = feed(item(3), item(1), built=2).encode()
    found = cut(again, url=URL, content_type="", blocks=whole.blocks)
    assert found.unchanged is not None
    grown = feed(item(4), item(3), item(1))
    assert parse(grown, whole.blocks).entries == parse(grown).entries


@pytest.mark.parametrize(
    ("given_title", "title"),
    [
        ("Broken & so on", "Broken & so on"),
        ("R&B &nbsp;", "R&B"),
        ("&lt;b&gt;&amp; &#38;&rsquo;&NotEqualTilde;", "& &’≂̸"),
        ("<![CDATA[a & &nbsp; b]]> &unknown;", "a & b &unknown;"),
        ("x<!-- & -->&copy;", "x©"),
    ],
)
def test_ampersands_break_nothing(given_title: str, title: str) -> None:
    """The most frequent fault of feeds: what is beside it can be cut away all the same."""
    odd = f"<item><title>{given_title}</title><link>http://a.example/?a=1&b=2</link></item>"
    whole = parse(rss(item(1), odd))
    assert [(e.title, e.url) for e in whole.entries[1:]] == [(title, "http://a.example/?a=1&b=2")]
    assert titles(parse(rss(item(2), item(1), odd), whole.blocks)) == ["Item 2"]
    assert parse(rss(item(1), odd), parse(rss(item(1))).blocks).entries == whole.entries[1:]


def test_what_only_looks_like_an_item_is_none() -> None:
    """In CDATA, in a comment, in an instruction; and an item of another kind that is one."""
    text = "<description><![CDATA[<item>a</item></item>]]></description>"
    odd = item(1, text) + "<!-- <item> --><?x <item> ?>" + '<item x="1" />'
    blocks = parse(rss(odd)).blocks
    assert Marks.unpacked(blocks).cuts
    assert titles(parse(rss(item(2), odd), blocks)) == ["Item 2"]
    entity = '<!DOCTYPE rss [<!ENTITY x "<item><title>Hidden</title></item>">]>'
    assert not Marks.unpacked(parse(entity + rss(item(1), "&x;")).blocks).cuts


def test_an_items_own_traces_stay_in_it() -> None:
    """With feedparser alone the base and the language of one item leak into the next."""
    leaky = (
        "<item xml:base='http://leak.example/' xml:lang='fr'><title>Item 1</title>"
        "<content type='html' xmlns='http://www.w3.org/2005/Atom'><div>x</div></content></item>"
    )
    follower = "<item><title>Item 2</title><link>/two</link></item>"
    first, second = parse(rss(leaky, follower)).entries
    assert first.language == "fr"
    assert (second.url, second.language) == ("http://feeds.example/two", None)
    assert first.title == "Item 1"


def test_more_than_can_be_remembered_is_read_again() -> None:
    """Marks are bounded; what has none is parsed each time something is new."""
    items = [item(n) for n in range(MAX_MARKS + 5)]
    blocks = parse(rss(*items)).blocks
    assert len(Marks.unpacked(blocks).guids()) == MAX_MARKS
    assert parse(rss(*items), blocks).entries == ()
    again = parse(rss(*items, "<!-- other -->"), blocks)
    assert titles(again) == [f"Item {n}" for n in range(MAX_MARKS, MAX_MARKS + 5)]


def test_of_a_hundred_thousand_items_only_the_first_are_parsed() -> None:
    """The others are never seen by feedparser, which took minutes."""
    body = rss(*(f"<item><title>{n}</title></item>" for n in range(100_000))).encode()
    found = cut(body, url=URL, content_type="")
    assert len(found.marks) == 100_000
    assert found.rest.count(b"<item>") == 5_000
    assert found.whole


def test_a_cut_can_be_sent_to_another_process() -> None:
    """And is small: neither the body nor what is known goes along."""
    items = [item(n, f"<description>{'words ' * 300}</description>") for n in range(50)]
    blocks = parse(rss(*items[1:])).blocks
    found = cut(rss(*items).encode(), url=URL, content_type="", blocks=blocks)
    parcel = pickle.dumps(found)
    assert len(parcel) < 6_000
    assert parse_rest(pickle.loads(parcel)) == parse_rest(found)


@pytest.mark.parametrize("blocks", [b"x", b"1234567c", b"1234567d" + b"m" * 11, b"\xff" * 500])
def test_marks_that_nobody_has_written_are_none(blocks: bytes) -> None:
    """A row of another version, or a broken one, costs a whole parse."""
    assert titles(parse(rss(item(1)), blocks)) == ["Item 1"]


# --------------------------------------------------------------------------- encodings


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "windows-1251", "gb18030", "shift_jis"]
)
def test_every_encoding_is_cut_alike(encoding: str) -> None:
    """Decoding comes first, so that marks are of characters."""
    word = {"latin-1": "Fähre", "windows-1251": "Паром", "utf-16": "渡船"}.get(encoding, "渡")
    name = encoding.removesuffix("-sig")
    declaration = f'<?xml version="1.0" encoding="{name}"?>'
    old = declaration + rss(item(1, f"<author>{word}</author>"))
    new = declaration + rss(
        f"<item><title>{word}</title></item>", item(1, f"<author>{word}</author>")
    )
    blocks = parse(old.encode(encoding)).blocks
    found = parse(new.encode(encoding), blocks)
    assert titles(found) == [word]
    assert found.known == 1


def test_a_broken_character_costs_no_more_than_itself() -> None:
    """In a new item, beside known ones: as if all were read anew."""
    old = rss(item(1, "<author>मरियम</author>"), item(2)).encode()
    new = rss(item(3, "<author>\x01X</author>"), item(1, "<author>मरियम</author>"), item(2))
    body = new.encode().replace(b"X", b"\xe0\xa4")
    found = parse(body, parse(old).blocks)
    assert titles(found) == ["Item 3"]
    assert found.entries == parse(body).entries[:1]


# --------------------------------------------------------------------------- the same as the whole


def test_every_feed_of_the_corpus_says_the_same_in_part(corpus: Path) -> None:
    """All 64: any items known, the others' entries are those that the whole has of them."""
    dice, cuts = random.Random(7), 0
    for file in sorted((corpus / "feeds").iterdir()):
        if file.name == "index.json":
            continue
        body = file.read_bytes()
        whole = parse(body)
        kept = Marks.unpacked(whole.blocks)
        for count in (0, 1, 3):
            fresh = sorted(dice.sample(range(len(kept.guids())), min(count, len(kept.guids()))))
            found = cut(body, url=URL, content_type="", blocks=without(whole.blocks, fresh))
            parsed = found.unchanged or parse_rest(found)
            if parsed is None or not kept.cuts:  # a guid that two share; or it is broken
                continue
            cuts += 1
            guids = [list(kept.guids().values())[place] for place in fresh]
            expected = [e for e in whole.entries if guid_mark(e.guid) in guids]
            assert parsed.entries == tuple(expected), file.name
            assert parsed.blocks == whole.blocks, file.name
            assert parsed.hints == whole.hints, file.name
            assert (parsed.hub, parsed.topic) == (whole.hub, whole.topic), file.name
            if fresh and not found.json:
                assert (parsed.title, parsed.language) == (whole.title, whole.language), file.name
    assert cuts > 180


_DC = "xmlns:dc='http://purl.org/dc/elements/1.1/'"
_PIECES = st.sampled_from(
    [
        "",
        "<guid>same</guid>",
        "<guid>333</guid>",
        "<guid isPermaLink='false'>333</guid><link>http://feeds.example/in/333</link>",
        "<link>/relative</link>",
        "<link href='x.html' xml:base='http://base.example/'/>",
        "<description><![CDATA[<p>One</p></item><item>]]></description>",
        "<description>&lt;div xml:base='http://b.example'&gt;x</description>",
        "<summary type='html'><div xml:base='http://b.example/' xml:lang='fr'>x</div></summary>",
        "<summary type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>y<p>z</p></div></summary>",
        "<content type='html'><div>kept <b>bold</b></div></content>",
        "<content type='text/plain' mode='base64'>aGVsbG8=</content>",
        "<!-- <item> -->",
        "<?pi <entry> ?>",
        "<source url='http://s.example'><title>Elsewhere</title></source>",
        "<image><title>Pictured</title><url>http://i.example</url></image>",
        "<textinput><title>Asked</title></textinput>",
        f"<dc:creator {_DC}>Asha</dc:creator>",
        "<m:title xmlns:m='http://search.yahoo.com/mrss/'>Media</m:title>",
        "<author><name>Omar</name></author>",
        "<author>omar@a.example (Omar)</author>",
        "<language>ur</language>",
        "<dc:language xmlns:dc='http://purl.org/dc/terms/'>hi</dc:language>",
        "<pubDate>Sat, 10 May 2025 12:00:00 GMT</pubDate>",
        "<svg xmlns='http://www.w3.org/2000/svg'><title>drawn</title></svg>",
        "<x:item xmlns:x='http://x.example/'>foreign</x:item>",
        "<item><title>Nested</title></item>",
        "<entry/>",
        "<title type='html'>&lt;b&gt;Again",
        "<b>",
        "</b>",
        "& so",
        "&hellip;",
        "\x01",
        "é",
        "<a b='1>2'>c</a>",
        "]]>",
        "<ITEM/>",
    ]
)
_ITEMS = st.lists(st.lists(_PIECES, max_size=3).map("".join), min_size=1, max_size=6)
_ATTRIBUTES = st.sampled_from(["", " xml:lang='fr'", " xml:base='http://i.example/'", " id='1'"])
_HEADS = st.sampled_from(
    [
        "<title>t</title>",
        "<title>t</title><language>en</language>",
        "<title>u</title><lastBuildDate>now</lastBuildDate><!-- x -->",
        "<title>t</title><link rel='self' href='/self'/><ttl>5</ttl>",
        "<image><title>t</title></image><textinput><title>u</title></textinput>",
    ]
)
_SHAPES = st.sampled_from(
    [
        ("<rss version='2.0'><channel>{}", "item", "</channel></rss>"),
        ("<rss><channel>{}", "ITEM", "</channel></rss>"),
        ("<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='de'>{}", "entry", "</feed>"),
        (
            "<a:feed xmlns:a='http://www.w3.org/2005/Atom' xml:base='http://o.example/'>{}",
            "a:entry",
            "</a:feed>",
        ),
        (
            "<RDF xmlns='http://purl.org/rss/1.0/'><channel>{}</channel>",
            "item",
            "<textinput><title>Ask</title></textinput></RDF>",
        ),
        ("<!DOCTYPE rss [<!ENTITY e 'é'>]><rss><channel>{}", "item", "</channel></rss>"),
    ]
)


@settings(max_examples=200, deadline=None)
@given(
    _SHAPES,
    _ITEMS,
    _ATTRIBUTES,
    st.data(),
    _HEADS,
    _HEADS,
    st.sampled_from(["utf-8", "utf-16", "latin-1"]),
)
def test_any_feed_says_the_same_in_part(
    shape: tuple[str, str, str],
    bodies: list[str],
    also: str,
    data: st.DataObject,
    before: str,
    after: str,
    encoding: str,
) -> None:
    """Whatever stood in it before, and whatever its items are made of.

    Either the whole is parsed, or what it says of the items that were not there before.
    """
    top, name, bottom = shape
    items = [  # by their authors they are told apart, whom nothing behind them can change
        f"<{name}{also}><title>Item {n}</title>{body}<author>Who {n}</author></{name}>"
        for n, (body, also) in enumerate(zip(bodies, [also, *[""] * len(bodies)], strict=False))
    ]
    places = st.sets(st.sampled_from(range(len(items))))
    old = sorted(data.draw(places, label="known"))
    new = sorted(data.draw(places, label="listed now"))
    declaration = f"<?xml version='1.0' encoding='{encoding}'?>\n"

    def written(head: str, places: list[int]) -> bytes:
        inside = "\n".join(items[place] for place in places)
        return (declaration + top.format(head) + inside + bottom).encode(encoding)

    try:
        blocks = parse(written(before, old)).blocks
        whole = parse(written(after, new))
    except ParseError:
        return
    parsed = parse(written(after, new), blocks)
    known = {f"Who {place}" for place in old}
    fresh = tuple(entry for entry in whole.entries if known.isdisjoint(entry.authors))
    unchanged = () if old == new else fresh  # of what is broken, items may not bear their authors
    assert parsed.entries in {whole.entries, fresh, unchanged}
    assert (parsed.hints, parsed.hub, parsed.topic) == (whole.hints, whole.hub, whole.topic)
    if parsed.entries:
        assert (parsed.title, parsed.language) == (whole.title, whole.language)
    plain = not any(bodies[place] for place in {*old, *new})
    if plain and before == after and old and "ENTITY" not in top:
        assert parsed.entries == fresh


# --------------------------------------------------------------------------- JSON Feed


def test_a_json_feed_is_read_in_part() -> None:
    """Its items by their values: neither order of keys nor white space makes news."""

    def feed(*numbers: int, **also: object) -> str:
        items = [{"id": f"{n}", "title": f"Item {n}", "tags": [n]} for n in numbers]
        return json.dumps({"title": "t", "items": items, **also}, indent=numbers[0])

    first = parse(feed(1, 2))
    second = parse(feed(3, 1, 2), first.blocks)
    assert titles(second) == ["Item 3"]
    assert (second.listed, second.known) == (3, 2)
    assert parse(feed(3, 1, 2), second.blocks).entries == ()
    assert len(parse(feed(3, 1, 2, language="de"), second.blocks).entries) == 3
    shared = {"items": [{"id": "1", "title": "Item 1", "tags": [1]}]}
    shared["items"].append({"id": "1", "title": "Other", "url": "http://a.example/o"})
    assert parse(json.dumps(shared), first.blocks).entries == parse(json.dumps(shared)).entries


# --------------------------------------------------------------------------- any bytes


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.binary(max_size=60))
def test_any_bytes_are_cut_or_refused(body: bytes, blocks: bytes) -> None:
    """Nothing but ParseError comes out, whatever is remembered."""
    for given_body in (body, b"<rss><item>" + body, b"<rss>" + body + b"</item></rss>"):
        try:
            found = cut(given_body, url=URL, content_type="", blocks=blocks)
        except ParseError as error:
            assert error.code is Code.NOT_A_FEED  # noqa: PT017 (either is right)
        else:
            assert found.rest or found.marks


@pytest.mark.parametrize(
    "part",
    [
        b"<item",
        b"<item ",
        b"<item>",
        b"<item/>",
        b"<item></item>",
        b"<item></item >",
        b"</item>",
        b"<!--",
        b"<!---->",
        b"<![CDATA[",
        b"<?",
        b"<?x?>",
        b"<",
        b"<!ENTITY ",
        b"<a:",
        b"a:",
        b'<item "',
        b" xmlns='",
        b' lang="',
        b"<language>",
        b"<link ",
        b"<link href='",
        b"<link rel=hub href=",
        b"<ttl>",
        b"<hour>1</hour>",
        b"\xff",
        b"\xe2\x28",
        b"\0",
        b'{"items":[',
        b"<meta charset=",
        b"<base href='http://x/'>",
    ],
)
def test_hostile_bytes_take_no_more_than_their_length(part: bytes) -> None:
    """Anything, with or without marks: it takes no process that can be killed."""
    blocks = parse(rss(item(1), "<item></item>")).blocks
    for start in (b"", rss(item(1)).encode()[:-20], b"<html>"):
        body = start + part * (300_000 // len(part)) + b"</item>"
        began = time.process_time()
        for known in (b"", blocks):
            try:
                cut(body, url=URL, content_type="", blocks=known)
            except ParseError as error:
                assert error.code is Code.NOT_A_FEED  # noqa: PT017 (either is right)
        assert time.process_time() - began < 2, start
