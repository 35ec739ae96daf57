"""Sitemaps are read as they are found, and none of them costs more than its size."""

from __future__ import annotations

import gzip
import pickle
import time
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import Code, ParseError
from monitor.parse.build import MAX_ENTRIES
from monitor.parse.sitemaps import (
    LARGEST,
    looks_like_news,
    named_in_page,
    named_in_robots,
    parse_sitemap,
)

URL = "https://paper.example/sitemaps/news.xml"
SPACES = (
    'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    ' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
    ' xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'
)
NEWS = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<!-- made by hand -->
<urlset {SPACES}>
 <url>
  <loc>https://paper.example/2025/05/10/flood</loc>
  <lastmod>2025-05-10T11:30:00Z</lastmod>
  <news:news>
   <news:publication><news:name>The Paper</news:name><news:language>ur</news:language></news:publication>
   <news:publication_date>2025-05-10T15:00:00+05:00</news:publication_date>
   <news:title><![CDATA[Flood &amp; rain: Lahore's <b>worst</b>]]></news:title>
   <news:keywords>flood, rain</news:keywords>
  </news:news>
  <image:image><image:loc>https://paper.example/1.jpg</image:loc><image:title>A boat</image:title></image:image>
 </url>
 <url>
  <loc> /2025/05/10/later </loc>
  <news:news><news:title>Later</news:title><news:publication_date>2025-05-10</news:publication_date></news:news>
 </url>
 <url><loc>https://paper.example/about</loc><lastmod>2025-05-10T11:30:00Z</lastmod></url>
 <url><lastmod>2025-05-10</lastmod></url>
 <url><loc>javascript:alert(1)</loc></url>
 <url><loc>https://paper.example/about</loc></url>
</urlset>
"""


def test_a_news_sitemap_gives_entries():
    """Title, date and language of the extension; the newest first; nothing of an image."""
    flood, later, about = parse_sitemap(NEWS.encode(), URL).entries
    assert flood.url == flood.guid == "https://paper.example/2025/05/10/flood"
    assert flood.title == "Flood & rain: Lahore's worst"
    assert flood.published_at == datetime(2025, 5, 10, 10, tzinfo=UTC)
    assert (flood.language, flood.text, flood.authors) == ("ur", "", ())
    assert (later.url, later.title) == ("https://paper.example/2025/05/10/later", "Later")
    assert later.published_at == datetime(2025, 5, 10, tzinfo=UTC)
    assert (about.url, about.title, about.published_at) == ("https://paper.example/about", "", None)


@pytest.mark.parametrize(
    "body",
    [
        NEWS.encode(),
        b"\xef\xbb\xbf" + NEWS.encode(),
        b"\n\n " + NEWS.encode(),
        gzip.compress(NEWS.encode()),
        gzip.compress(NEWS.encode()) + b"what follows",
        NEWS.replace("UTF-8", "UTF-16").encode("utf-16"),
        NEWS.replace("</urlset>", "").encode(),  # cut off
        NEWS.replace(SPACES, "").encode(),  # no namespace is declared
        NEWS.replace("/about<", "/about?a=1&b=2<").encode(),
        NEWS.replace("news:", "n:").encode(),
        NEWS.upper().encode(),
    ],
    ids=[
        "utf-8",
        "bom",
        "space",
        "gzip",
        "gzip+",
        "utf-16",
        "cut",
        "bare",
        "amp",
        "prefix",
        "upper",
    ],
)
def test_it_is_read_however_it_was_made(body):
    """What can be read of it counts."""
    dates = [entry.published_at for entry in parse_sitemap(body, URL).entries]
    assert len(dates) == 3
    assert dates.count(None) == 1


def test_its_encoding_counts():
    """Also where a blank line stands before it is declared."""
    body = """
<?xml version="1.0" encoding="windows-1251"?><urlset><url><loc>/1</loc>
      <news><title>Привет</title></news></url></urlset>"""
    [entry] = parse_sitemap(body.encode("windows-1251"), URL).entries
    assert entry.title == "Привет"


def test_an_index_gives_its_sitemaps():
    """News first, then what changed last."""
    body = """<sitemapindex>
      <sitemap><loc>/old.xml</loc><lastmod>2024-01-01</lastmod></sitemap>
      <sitemap><loc>/pages.xml</loc></sitemap>
      <sitemap><loc>/new.xml.gz</loc><lastmod>2025-05-10T10:00:00Z</lastmod></sitemap>
      <sitemap><loc>https://paper.example/news-1.xml</loc></sitemap>
      <sitemap><loc>https://paper.example/news-2.xml</loc><lastmod>2025-05-10</lastmod></sitemap>
      <sitemap><loc>/newsletters.xml</loc><lastmod>2025-05-11</lastmod></sitemap>
      <sitemap><loc>mailto:x</loc></sitemap>
    </sitemapindex>"""
    found = parse_sitemap(body.encode(), URL)
    assert found.entries == ()
    assert [child.removeprefix("https://paper.example/") for child in found.children] == [
        "news-2.xml", "news-1.xml", "newsletters.xml", "new.xml.gz", "old.xml", "pages.xml",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", Code.PARSE),
        (b"not found", Code.PARSE),
        (b"<html><body><url><loc>https://x.test</loc></url></body></html>", Code.PARSE),
        (b"<rss><channel><item/></channel></rss>", Code.PARSE),
        (b"\x1f\x8b nothing packed", Code.PARSE),
        (gzip.compress(bytes(LARGEST + 1)), Code.TOO_LARGE),
    ],
)
def test_what_is_no_sitemap_is_said_so(body, code):
    """One error for each, and nothing else."""
    with pytest.raises(ParseError) as caught:
        parse_sitemap(body, URL)
    assert caught.value.code is code


@pytest.mark.parametrize(
    "entities",
    [
        '<!ENTITY x SYSTEM "file://{}">',
        '<!ENTITY x SYSTEM "{}">',
        '<!ENTITY % p SYSTEM "file://{}"> %p; <!ENTITY x "">',
        '<!ENTITY a "hunter2"><!ENTITY x "&a;&a;">',
    ],
)
def test_entities_lead_nowhere(tmp_path, entities):
    """No file is read, and nothing is put in."""
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    body = f"""<!DOCTYPE urlset [{entities.format(secret)}]>
      <urlset><url><loc>https://a.example/&x;</loc></url></urlset>"""
    [entry] = parse_sitemap(body.encode(), URL).entries
    assert "hunter2" not in entry.url


def test_entities_are_not_multiplied():
    """A billion of them."""
    tens = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise("abcdefghij"))
    body = f"""<!DOCTYPE urlset [<!ENTITY a "laughing"> {tens}]>
      <urlset><url><loc>https://a.example/&j;</loc></url></urlset>"""
    began = time.process_time()
    found = str(parse_sitemap(body.encode(), URL))
    assert len(found) < 2_000
    assert time.process_time() - began < 1


def test_hostile_xml_of_the_corpus(corpus):
    """Every bomb there is: a sitemap, or said to be none."""
    files = sorted((corpus / "hostile" / "xml").iterdir())
    assert files
    for path in files:
        with pytest.raises(ParseError):
            parse_sitemap(path.read_bytes(), URL)


def test_large_ones_are_cut_to_the_newest():
    """50,000 pages: what is newest is kept, wherever it stands."""
    rows = "".join(
        f"<url><loc>/{n}</loc><news><publication_date>{2000 + n // 2500}-01-01</publication_date>"
        "</news></url>"
        for n in range(50_000)
    )
    found = parse_sitemap(f"<urlset>{rows}</urlset>".encode(), URL)
    assert len(found.entries) == MAX_ENTRIES
    assert {entry.published_at.year for entry in found.entries} == {2018, 2019}
    assert pickle.loads(pickle.dumps(found)) == found


@given(st.binary(max_size=300) | st.text(alphabet="<>/ =\"'urlsetocmpindx:&;![]", max_size=300))
def test_no_bytes_are_too_odd(body):
    """A sitemap or a `ParseError`."""
    raw = body.encode() if isinstance(body, str) else body
    for each in (raw, b"<urlset><url><loc>" + raw, b"<sitemapindex>" + raw):
        try:
            parse_sitemap(each, URL)
        except ParseError as error:
            assert error.code is Code.PARSE  # noqa: PT017 - most bytes raise it, some do not


ROBOTS = """\
User-agent: *
Disallow: /
Sitemap: https://paper.example/sitemap.xml
sitemap:/sitemap-news.xml   # ours
SITEMAP : https://paper.example/sitemap.xml
Sitemap: ftp://paper.example/x
Sitemap:
# Sitemap: https://paper.example/no.xml
"""


def test_robots_txt_names_sitemaps():
    """Wherever they stand, each once, news first."""
    assert named_in_robots(ROBOTS, "https://paper.example/robots.txt") == (
        "https://paper.example/sitemap-news.xml",
        "https://paper.example/sitemap.xml",
    )


def test_a_page_names_sitemaps():
    """By a link of that kind."""
    page = b"""<head><link rel="stylesheet" href="/a.css"><a rel="sitemap" href="/no.xml">x</a>
      <link href='/sitemap.xml' rel='Sitemap' type="application/xml"></head>"""
    assert named_in_page(page, "https://paper.example/") == ("https://paper.example/sitemap.xml",)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://x.example/sitemap-news.xml", True),
        ("https://x.example/googlenews.xml.gz", True),
        ("https://x.example/sitemap/latest", True),
        ("https://x.example/sitemap.php?type=news", True),
        ("https://news.example/sitemap.xml", False),
        ("https://x.example/newsletter.xml", False),
        ("https://x.example/sitemap-2019.xml", False),
    ],
)
def test_news_is_known_by_the_path(url, expected):
    """Half of all hosts are called news."""
    assert looks_like_news(url) is expected
