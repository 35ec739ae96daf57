"""Our way through feedparser's classes ends where its own does."""

from __future__ import annotations

import io
import re
import xml.sax
import xml.sax.handler
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from feedparser.api import StrictFeedParser, replace_doctype
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.parse.characters import utf8_of
from monitor.parse.reader import Document, parsed_date, read_document

URL = "https://news.example/feeds/all.xml"
ASKED_FOR = (
    *("id", "link", "feedburner_origlink", "title", "title_detail", "summary", "summary_detail"),
    *("content", "author", "published", "updated", "created", "language"),
)


class Plain(StrictFeedParser):
    """feedparser's parser for XML, told only to keep items apart and to leave guids as they are."""

    can_be_relative_uri = StrictFeedParser.can_be_relative_uri - {"id"}
    resolve_relative_uris = sanitize_html = False

    def _start_item(self, attributes):
        self._before = {
            name: type(value)(value) if isinstance(value, list | dict) else value
            for name, value in self.__dict__.items()
            if name not in {"entries", "property_depth_map", "_before"}
        }
        super()._start_item(attributes)

    _start_entry = _start_item

    def _end_item(self):
        super()._end_item()
        self.__dict__.update(self._before)

    _end_entry = _end_item


def by_feedparser(text: bytes) -> Document | None:
    """The document, driven by xml.sax as feedparser drives it; None if that is not well-formed."""
    version, data, _ = replace_doctype(text)
    parser = Plain(URL if re.search(rb"base\s*=", text, re.IGNORECASE) else "", None, "utf-8")
    parser.resolve_relative_uris = parser.sanitize_html = False
    reader = xml.sax.make_parser()
    reader.setFeature(xml.sax.handler.feature_namespaces, True)
    reader.setFeature(xml.sax.handler.feature_external_ges, False)
    reader.setContentHandler(parser)
    reader.setErrorHandler(parser)
    source = xml.sax.InputSource()
    source.setByteStream(io.BytesIO(data))
    source.setEncoding("utf-8")
    try:
        reader.parse(source)
    except xml.sax.SAXException:
        return None
    return Document(
        feed=parser.feeddata,
        entries=parser.entries,
        version=version or parser.version,
        fault=None,
    )


def told(entry: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is asked of an entry."""
    for name in ASKED_FOR:
        yield name, dict.get(entry, name)
    for name in ("published", "updated", "created"):
        if isinstance(text := dict.get(entry, name), str):
            parsed = dict.get(entry, f"{name}_parsed")
            yield f"{name}_parsed", parsed or parsed_date(text)
    authors = dict.get(entry, "authors") or ()
    yield "authors", [each.get("name") if isinstance(each, dict) else each for each in authors]


def assert_same(text: bytes) -> None:
    theirs = by_feedparser(text)
    if theirs is None:
        return
    ours = read_document(text, URL)
    assert ours.fault is None
    assert ours.version == theirs.version
    assert [dict(told(entry)) for entry in ours.entries] == [
        dict(told(entry)) for entry in theirs.entries
    ]
    for name in ("title", "title_detail", "language"):
        assert dict.get(ours.feed, name) == dict.get(theirs.feed, name)


def test_the_corpus_reads_alike(corpus: Path) -> None:
    """Every feed of it that is XML, entry by entry."""
    for path in sorted((corpus / "feeds").iterdir()):
        if path.suffix == ".xml":
            assert_same(utf8_of(path.read_bytes(), "application/xml"))


# ------------------------------------------------------------------------- made to be odd

SPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "creator": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "fb": "http://rssnamespace.org/feedburner/ext/1.0",
    "media": "http://search.yahoo.com/mrss/",
    "odd": "http://example.com/odd#",
    "rss": "http://backend.userland.com/rss2",
    "xhtml": "http://www.w3.org/1999/xhtml",
    "itunes": "http://www.itunes.com/DTDs/PodCast-1.0.dtd",
    "xlink": "http://www.w3.org/1999/xlink",
}
TAGS = st.sampled_from([
    *("title", "Title", "link", "guid", "id", "description", "summary", "content", "category"),
    *("pubDate", "date", "published", "updated", "modified", "issued", "created", "author", "name"),
    *("email", "uri", "url", "image", "textinput", "source", "language", "comments", "enclosure"),
    *("subtitle", "rights", "body", "div", "p", "svg", "math", "keywords", "managingEditor", "b"),
    *("authors", "links", "language", "homepage", "generator", "contributor", "info", "abstract"),
    *(
        f"{prefix}:{name}"
        for prefix in SPACES
        for name in ("title", "link", "creator", "date", "encoded", "origLink", "content", "group")
    ),
    *("media:thumbnail", "media:credit", "media:category", "media:description", "media:keywords"),
    *("dcterms:modified", "dcterms:issued", "creator:subject", "itunes:author", "xhtml:div"),
    *("itunes:keywords", "itunes:image", "content:encoded", "fb:origLink", "creator:language"),
])  # fmt: skip
ATTRIBUTES = st.dictionaries(
    st.sampled_from([
        *("type", "rel", "href", "HREF", "isPermaLink", "term", "domain", "url", "lang", "base"),
        *("xml:lang", "xml:base", "media:url", "xlink:href", "mode", "src", "rdf:about", "scheme"),
    ]),
    st.sampled_from([
        *("text", "html", "xhtml", "text/html", "text/plain", "application/xml", "Alternate", "self"),
        *("true", "false", "", "en-GB", "ur", "/relative", "http://other.example/x/", "a b", "base64"),
    ]),
    max_size=3,
)  # fmt: skip
WORDS = st.one_of(
    st.sampled_from([
        *(" ", "\n  ", "a & b", "<p>One</p>", "<b>bold", "&lt;i&gt;", "Sat, 10 May 2025 17:30:00 GMT"),
        *("2025-05-10", "Ã©tÃ©", "it\x92s", "https://x.example/?a=1&amp;b;=2", "/a", "Ada (a@x.example)"),
        *("a@x.example (Ada)", "Über", "خبر"),
    ]),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12),
)  # fmt: skip
DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in SPACES.items())


def element(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def written(tag: str, attributes: dict[str, str], space: str, parts: list[str]) -> str:
        given = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
        return f"<{tag}{given}{space}>{''.join(parts)}</{tag}>"

    own = st.sampled_from(["", "", "", *(f' xmlns="{uri}"' for uri in SPACES.values())])
    odd = st.sampled_from(["", "", ' xmlns:odd="http://purl.org/dc/elements/1.1/"'])
    space = st.builds(str.__add__, own, odd)
    return st.builds(written, TAGS, ATTRIBUTES, space, st.lists(inner, max_size=4))


PARTS = st.recursive(
    st.builds(escape, WORDS) | st.builds("<![CDATA[{}]]>".format, WORDS) | st.just("<!-- x -->"),
    element,
    max_leaves=8,
)
ITEM = st.builds(
    "<{0}{1}>{2}</{0}>".format,
    st.sampled_from(["item", "entry", "rss:item", "atom:entry"]),
    st.sampled_from(["", ' xml:lang="ur"', ' xml:base="http://base.example/"']),
    st.lists(element(PARTS), min_size=1, max_size=6).map("".join),
)
ROOT = st.sampled_from([
    ("<rss version='2.0' {}><channel>", "</channel></rss>"),
    ("<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='en' {}>", "</feed>"),
    ("<feed xmlns='http://www.w3.org/2005/Atom' xml:base='http://b.example/a/' {}>", "</feed>"),
    ("<rdf:RDF xmlns='http://purl.org/rss/1.0/' {}>", "</rdf:RDF>"),
])  # fmt: skip


@example(
    ("<rss version='2.0' {}><channel>", "</channel></rss>"),
    [],
    ["<item><image><p>x</p><link>/a</link></image></item>"],
)
@given(ROOT, st.lists(element(PARTS), max_size=3), st.lists(ITEM, max_size=3))
def test_any_feed_reads_as_feedparser_reads_it(
    root: tuple[str, str], head: list[str], items: list[str]
) -> None:
    """Whatever stands where: namespaces, languages, bases, markup, elements of no use to us."""
    rdf = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    text = f"{root[0].format(f'{DECLARED} {rdf}')}{''.join(head)}{''.join(items)}{root[1]}"
    try:
        assert_same(text.encode())
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        with pytest.raises((AttributeError, IndexError, KeyError, TypeError, ValueError)):
            by_feedparser(text.encode())  # it gives up, too
