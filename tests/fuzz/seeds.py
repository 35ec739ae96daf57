"""What fuzzing begins with: words of each language of ours, and the corpus where there is one."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from monitor.web.api.operations import write_cursor
from tests.conftest import PROJECT
from tests.contracts.material import NOW

LARGEST = 12_000
"""Bytes of a seed; what is larger is slow, and says nothing that its beginning doesn't."""

_RSS = """\
<?xml version="1.0"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom"
 xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">
<channel><title>T</title><language>en-gb</language><ttl>15</ttl><skipHours><hour>3</hour></skipHours>
<atom:link rel="hub" href="https://hub.example/"/><atom:link rel="self" href="https://news.example/f"/>
<item><title>One &amp; all</title><guid isPermaLink="false">1</guid><link>/a?utm_source=x</link>
<pubDate>Sat, 10 May 2025 12:00:00 +0530</pubDate><dc:creator>A. Khan, B. Rao</dc:creator>
<description>&lt;p&gt;Text&lt;/p&gt;</description><content:encoded><![CDATA[<p>More</p><item>]]></content:encoded></item>
<item xml:lang="ur"><title>دو</title><link>https://news.example/b#c</link><pubDate>yesterday</pubDate></item>
<item><guid>3</guid><title><![CDATA[<b>Three</b>]]></title></item></channel></rss>"""
_ATOM = """\
<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://news.example/"><title type="html">&lt;i&gt;T&lt;/i&gt;</title>
<link rel="self" href="/feed"/><entry xml:base="x/"><id>tag:1</id><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">O<b>n</b>e</div></title>
<link href="1.html"/><updated>2025-05-10T12:00:00Z</updated><author><name>A</name></author><content type="html">&lt;p&gt;x</content></entry>
<entry><id>tag:2</id><title>Two</title><link rel="alternate" href="//b.example/2"/><published>2025-13-45</published></entry></feed>"""
_RDF = """\
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><channel><title>T</title>
<items><rdf:Seq><rdf:li rdf:resource="http://a.example/1"/></rdf:Seq></items></channel>
<item rdf:about="http://a.example/1"><title>1</title><link>http://a.example/1</link></item></rdf:RDF>"""
_JSON = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1", "title": "T", "language": "en", "hubs": [{"url": "https://hub.example"}],
        "items": [
            {"id": 1, "url": "https://news.example/1", "title": "One", "content_html": "<p>x</p>", "authors": [{"name": "A"}],
             "date_published": "2025-05-10T12:00:00Z", "tags": ["a"]},
            {"id": "2", "external_url": "//b.example/2", "content_text": "x\ny", "author": {"name": "B"}},
        ],
    }
)  # fmt: skip
_PAGE = """\
<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Ceasefire holds | The Courier</title>
<meta property="og:title" content="Ceasefire holds"><meta property="article:published_time" content="2025-05-10T12:00:00+05:30">
<link rel="canonical" href="/world/1"><link rel="alternate" type="application/rss+xml" href="/feed"><link rel="sitemap" href="/s.xml">
<script type="application/ld+json">{"@context":"https://schema.org","@graph":[{"@type":["NewsArticle"],"headline":"Ceasefire holds",
"datePublished":"2025-05-10","author":[{"@type":"Person","name":"A. Khan"}],"articleBody":"The truce held.","isAccessibleForFree":"False"}]}</script>
<script>window.__DATA__={"body":"<p>Hidden text of the article, which is drawn by a script on the page of its reader.</p>"}</script></head>
<body><header><nav><a href="/rss">RSS</a></nav></header><article><h1>Ceasefire holds</h1><time datetime="2025-05-10T12:00">noon</time>
<p>The ceasefire between the two armies held through Saturday night, officials on both sides of the line said.</p>
<p>Shops opened in Uri for the first time in four days, and buses ran as far as the bridge, two drivers said.</p>
<div itemprop="liveBlogUpdate" itemtype="https://schema.org/BlogPosting" id="u1"><h2>11:02</h2><p>Talks begin in Doha between them.</p></div>
<div itemprop="liveBlogUpdate" itemtype="https://schema.org/BlogPosting" id="u2"><h2>10:44</h2><p>停火協議開始生效，雙方同意停止射擊。</p></div>
</article><div class="paywall">Subscribe to read on</div><footer>© Courier</footer></body></html>"""
_SITEMAP = """\
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">
<url><loc>https://news.example/1</loc><news:news><news:publication><news:name>C</news:name><news:language>en</news:language></news:publication>
<news:publication_date>2025-05-10T12:00:00Z</news:publication_date><news:title>One</news:title></news:news></url></urlset>"""
_INDEX = "<sitemapindex><sitemap><loc>https://news.example/news.xml</loc><lastmod>2025-05-10</lastmod></sitemap></sitemapindex>"
_ROBOTS = "User-agent: *\nDisallow: /private/*.pdf$\nAllow: /\nCrawl-delay: 2.5\nSitemap: https://news.example/sitemap-news.xml\n"
_QUERIES = (
    "ceasefire OR truce", '"Operation Sindoor" NEAR/5 (India OR Pakistan)', "title:停火 AND NOT lead:sport",
    "ATLEAST/2 dam", '"truce talks deal"~7', "cease-fire{3}", "=US AND site:bbc.co.uk lang:hi tag:wire",
    'source:"The Hindu" side:india author:Khan*', "wom?n Kashmir* -film", "(a OR (b AND (c NOT d))) ONEAR/3 e",
    "#IPL @AP U.S. AT&T F-16 10,000 l’Iran don't", "युद्धविराम OR هدنة OR صَه״ל OR หยุดยิง", "ti:truce w/5 talks", "“truce” – talks",
    "// a comment\nceasefire", "a or b and c near d", "hd=truce", "  ", '"', "((((", "NEAR/5{3}", "=\u3164",
)  # fmt: skip
_TEXTS = ("Ceasefire holds. The U.S. and Iran's talks …", "停火 協議\n\nKashmir’s women", "")
FILE = """\
[web]
editable = true

[[feed]]
name = "Wire"
url  = "https://feeds.example.org/rss.xml"

[[watch]]
name  = "Truce"   # since May
terms = ["truce", "जंग बंदी"]

[[watch]]
name  = "Ceasefire"
query = "ceasefire NOT film"
"""
_SETTINGS = """\
[monitor]
database = "sqlite:///monitor.db"
log = "json"
[fetch]
contact = "desk@example.org"
allow = ["10.0.0.0/8", "intranet.example"]
proxy = "http://proxy.example:3128"
[polling]
fastest = "1m"
slowest = "2h"
interval = { news = "5m" }
[alerts]
max_age = "2d"
quiet = "22:00-07:00"
timezone = "Asia/Kolkata"
[slack]
channel = "#desk"
heartbeat = "09:00"
[web]
host = "127.0.0.1"
port = 8080
hosts = ["desk.example"]
[retention]
articles = "90d"
size = "20GB"
[[webhook]]
name = "desk"
url = "https://hooks.example/x"
[[feed]]
name = "BBC"
url = "https://feeds.example.org/rss.xml"
tags = ["wire"]
tier = 1
[[watch]]
name = "Floods"
terms = ["flood", "बाढ़"]
variants.flood = ["inondation"]
escalate = { publishers = 5 }
channel = "webhook:desk"
[[watch]]
name = "Truce"
query = '''
ceasefire NEAR/5
  Kashmir
'''
min_publishers = 2
"""
_URLS = (
    "https://www.news.example/world/1.html?utm_source=x&b=2&a=1#top", "//m.news.example/a//b/../c;jsessionid=1",
    "http://user:pw@news.example:8080/%7euser/%C3%A4?q=ä", "https://news.google.com/rss/articles/CBMi?url=https://a.example/x",
    "http://0x7f.1/", "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]:80/", "https://bücher.example/amp/",
    "https://l.facebook.com/l.php?u=https%3A%2F%2Fa.example%2F1", "javascript:alert(1)", "http://127.1", "https://a.example/\u202e",
    "HTTPS://NEWS.EXAMPLE.:443/index.html", "http://①②⑦.⓪.⓪.①/", "http://localhost%00.example/", "https://a.example/\ud800",
    "data:text/html,x", "http://[fe80::1%25eth0]/", "http://metadata.google.internal/", "ftp://a.example/",
)  # fmt: skip
_LINKS = (
    '<https://hub.example/>; rel="hub", <https://news.example/feed>; rel="self"', '<hub>;rel=hub;anchor="#x"',
    '<a>; title="\\"; x"; rel = "next HUB" , <b>', "sha256=" + "0" * 64, "sha1=" + "a" * 40,
)  # fmt: skip
_OPML = """\
<?xml version="1.0"?><opml version="2.0" xmlns:monitor="urn:monitor:feed"><head><title>T</title></head><body>
<outline text="Asia"><outline text="Dawn &amp; co" xmlUrl="https://dawn.example/feed?a=1&b=2" category="/Wires/Asia,x" language="en"
 monitor:publisher="Dawn" monitor:tier="1"/><outline text="x" xmlurl="feed://b.example/"/></outline></body></opml>"""
_CURSORS = (
    write_cursor("articles", NOW, 2), write_cursor("stories", NOW, "x"), write_cursor("search", 3), "WyJhIl0", "W10", "e30", "====",
)  # fmt: skip
_REQUESTS = (
    "GET /", "GET /stories?order=new&watch=Ceasefire", "GET /search?q=ceasefire&time=week&from=2025-05-01", "GET /search.csv?q=truce",
    "GET /search.rss?q=%3Czq9%3E", "GET /stories/1", "GET /stories/1/why?article=1", "GET /stories/1/merge?q=<zq9>", "GET /watches/Ceasefire",
    "GET /watches/try?query=a+OR&name=<zq9>", "GET /watches/check?q=a+NEAR", "GET /watches/change?name=Truce", "GET /feeds/1", "GET /feeds.opml",
    "GET /feeds/1/pause", "GET /feeds/new?url=http://127.0.0.1/", "GET /trends?watch=Ceasefire&span=month&by=feed", "GET /trends.csv?day=2025-05-10",
    "GET /deliveries?state=dead&before=9", "GET /follow", "GET /hits.atom?key=x", "GET /watches/Ceasefire/hits.json", "GET /login?next=//evil.example",
    "GET /status", "GET /metrics", "GET /healthz", "GET /static/style.css", "GET /%2e%2e/etc/passwd", "GET /api/v1/openapi.json",
    "GET /api/v1/articles?q=ceasefire&limit=2&cursor=" + _CURSORS[0], "GET /api/v1/articles/1", "GET /api/v1/articles/9223372036854775808",
    "GET /api/v1/stories?watch=Ceasefire&since=2025-05-10T12:00:00%2B14:00&cursor=" + _CURSORS[1], "GET /api/v1/hits?limit=500&watch=<zq9>",
    "GET /api/v1/watches?cursor=" + _CURSORS[3], "GET /api/v1/queries?q=%22a%22+NEAR", "GET /api/v1/feeds/1", "GET /api/v1/deliveries/$DELIVERY",
    "GET /api/v1/deliveries?state=sent&cursor=" + _CURSORS[4], 'POST /api/v1/backtests\nContent-Type: application/json\n\n{"query":"truce","limit":5}',
    'POST /api/v1/stories/1/merge\nContent-Type: application/json\n\n{"other":2}', "POST /api/v1/feeds/1/poll\n\n", "POST /api/v1/deliveries/$DELIVERY/retry",
    'POST /api/v1/stories/1/split\nContent-Type: application/json\n\n{"article":1,"mark":"x"}', "DELETE /api/v1/articles/1", "HEAD /stories/1",
    "GET /websub/" + "a" * 43 + "?hub.mode=subscribe&hub.topic=https://news.example/a&hub.challenge=<zq9>&hub.lease_seconds=10",
    "GET /websub/" + "a" * 43 + "?hub.mode=denied&hub.topic=https://news.example/a&hub.reason=no", "GET /websub/" + "b" * 43,
    "POST /websub/" + "a" * 43 + "\nX-Hub-Signature: sha256=" + "0" * 64 + "\n\n<rss/>",
    "FORM /watches/try\n\nname=N&query=truce+AND+dam&terms=&channel=", "FORM /watches/change?name=Truce\n\nname=Truce&terms=truce%0Aflood&query=",
    "FORM /feeds/new\n\nurl=https://feeds.example/x&name=<zq9>&tags=a,b", "FORM /feeds/import\n\nopml=<opml><body/></opml>", "FORM /stories/1/split/1\n\nmark=x",
    "FORM /stories/1/hands\n\naction=mute&delivery=$DELIVERY", "FORM /login\n\ntoken2=x", "FORM /feeds/1/edit\n\nname=Wire&url=https://b.example/",
    "POST /stories/1/merge/2\nOrigin: https://evil.example\nContent-Type: application/x-www-form-urlencoded\n\ntoken=x", "GET /articles?url=x\nIf-None-Match: *",
)  # fmt: skip


def _press(value: str, action: str) -> dict[str, Any]:
    return {
        "type": "interactive", "envelope_id": "e1",
        "payload": {
            "type": "block_actions", "trigger_id": "t", "user": {"id": "U1", "username": "asha"},
            "container": {"channel_id": "C1", "message_ts": "1.2"},
            "actions": [{"action_id": action, "value": value, "action_ts": "1746878400.1"}],
        },
    }  # fmt: skip


def _command(words: str) -> dict[str, Any]:
    return {
        "type": "slash_commands", "envelope_id": "e2",
        "payload": {
            "command": "/monitor", "text": words, "channel_id": "C1", "user_id": "U1", "user_name": "asha",
            "response_url": "https://hooks.slack.com/commands/1", "trigger_id": "t2",
        },
    }  # fmt: skip


_ENVELOPES = (
    *(_press("$DELIVERY", action) for action in ("see", "mute", "snooze_1h", "reject", "accept")),
    _press("nothing", "see"), _press("$DELIVERY", "explode"),
    *map(_command, ("status", "watches", "test ceasefire AND truce", "search truce “holds”", "why https://news.example/first", "", "<@U1> [x]")),
    _command("why <https://news.example/plain|x>"), {"type": "hello"}, {"type": "events_api", "payload": {}}, {"type": "interactive", "payload": []},
)  # fmt: skip

OWN: Mapping[str, tuple[str, ...]] = {
    "feeds": tuple(f"\0{each}" for each in (_RSS, _ATOM, _RDF, _JSON, _PAGE)),
    "pages": (f"\0{_PAGE}", f"\3{_PAGE}"),
    "listings": tuple(f"\0{each}" for each in (_PAGE, _SITEMAP, _INDEX, _ROBOTS)),
    "queries": tuple(f"{query}\0{text}" for query in _QUERIES for text in _TEXTS[: 1 + len(query) % 3]),
    "settings": (_SETTINGS, FILE, '[[watch]]\nname="a"\nquery="a AND"\n', "feed = 3\n"),
    "edits": (f"{FILE}\0it's a \"new\" one\n OR two", f"{_SETTINGS}\0x", '[[watch]]\r\nname="a"\r\n# c\r\n\0\\', "watch=[{name='a'}]\0b"),
    "urls": tuple(f"{url}\0{_ROBOTS if n % 2 else 'https://b.example/c/'}" for n, url in enumerate(_URLS)),
    "hubs": tuple(f"{one}\0{two}" for one, two in zip(_LINKS, (*_LINKS[1:], "864000"), strict=True)),
    "lists": (_OPML,),
    "revisions": ("The truce held. Five died.\n\nTalks go on.\0The truce broke. Six died.\n\nTalks go on.", "停火協議\0停火协议", "a\0"),
    "requests": _REQUESTS,
    "envelopes": tuple(json.dumps(each) for each in _ENVELOPES),
}  # fmt: skip
"""For each target, what is small and says something."""


def seeds(target: str) -> Iterator[bytes]:
    """Everything to begin with."""
    yield from (each.encode("utf-8", "surrogatepass") for each in OWN[target])
    folder = Path(os.environ.get("MONITOR_CORPUS", PROJECT.parent / "shared" / "corpus"))
    if folder.is_dir() and target in _OF_CORPUS:
        for data in _OF_CORPUS[target](folder):
            yield data[:LARGEST]


def _files(folder: Path, *patterns: str) -> Iterator[bytes]:
    for pattern in patterns:
        for file in sorted(folder.glob(pattern)):
            if file.is_file() and file.name != "index.json":
                data = file.read_bytes() if file.stat().st_size < 1 << 22 else b""
                yield gzip.decompress(data) if pattern.endswith("html.gz") else data


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from _strings(each)
        case dict():
            for each in value.values():
                yield from _strings(each)


def _words(folder: Path, *files: str) -> Iterator[bytes]:
    for file in files:
        for text in _strings(json.loads((folder / file).read_bytes())):
            yield (
                text.encode("utf-8", "surrogatepass")
                + b"\0"
                + text.encode("utf-8", "surrogatepass")
            )


_OF_CORPUS: Mapping[str, Callable[[Path], Iterator[bytes]]] = {
    "feeds": lambda folder: (b"\0" + each for each in _files(folder, "feeds/*", "hostile/xml/*")),
    "pages": lambda folder: (b"\0" + each for each in _files(folder, "articles/pages/*.html.gz")),
    "listings": lambda folder: (b"\0" + each for each in _files(folder, "articles/pages/[A-F]*.html.gz", "hostile/xml/*")),
    "queries": lambda folder: _words(folder, *(f"query/{n}.json" for n in ("liqe_matches", "lucene_classic", "lucene_simple_inputs")),
                                     "hostile/big_list_of_naughty_strings.json"),
    "urls": lambda folder: _words(folder, "url_canon/wpt_urltestdata.json", "hostile/ssrf_urls.json"),
    "lists": lambda folder: _files(folder, "feed_lists/*.opml"),
}  # fmt: skip
