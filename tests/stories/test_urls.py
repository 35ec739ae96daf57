"""One URL for one article: what makes no difference is gone, what makes one stays."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from unittest import mock

import feedparser
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.errors import Code, Permanent
from monitor.stories import urls
from monitor.stories.urls import (
    _clean_path,
    canonical_url,
    host_of,
    is_opaque,
    resolve_redirector,
    same_site,
)

SITE = "https://www.example.org"


@pytest.mark.parametrize(
    ("given_url", "expected"),
    [
        # scheme, host, port
        ("HTTP://WWW.Example.ORG", f"{SITE}/"),
        ("http://www.example.org:80/a", f"{SITE}/a"),
        ("https://www.example.org:443/a", f"{SITE}/a"),
        ("http://www.example.org:8080/a", "http://www.example.org:8080/a"),
        ("http://www.example.org:443/a", "http://www.example.org:443/a"),
        ("http://127.0.0.1/a", "http://127.0.0.1/a"),
        ("http://[0:0::1]:80/a", "http://[::1]/a"),
        ("http://localhost/a", "http://localhost/a"),
        ("https://user:secret@www.example.org./a", f"{SITE}/a"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ("https://xn--BCHER-kva.example/", "https://xn--bcher-kva.example/"),
        ("https://faß.de/", "https://xn--fa-hia.de/"),
        ("http://☃.example/", "https://xn--n3h.example/"),
        ("http://0x7f.1/a", "http://127.0.0.1/a"),
        ("https:www.example.org/a", f"{SITE}/a"),
        ("http://www.example.org./a", f"{SITE}/a"),
        ("https://भारत.भारत/", "https://xn--h2brj9c.xn--h2brj9c/"),
        ("  https://www.exam\nple.org/a\t ", f"{SITE}/a"),
        ("http:\\\\www.example.org\\a?b=\\", f"{SITE}/a?b=%5C"),
        ("https:/www.example.org/a", f"{SITE}/a"),
        # path
        (f"{SITE}/a/./b/../c", f"{SITE}/a/c"),
        (f"{SITE}/a/%2e%2E/c/..", f"{SITE}/"),
        (f"{SITE}//a///b", f"{SITE}/a/b"),
        (f"{SITE}/web/2025/https://a.example/b", f"{SITE}/web/2025/https://a.example/b"),
        (f"{SITE}/%7eme/%e2%80%93/a%2fb", f"{SITE}/~me/%E2%80%93/a%2Fb"),
        (f"{SITE}/100%/a b|c", f"{SITE}/100%25/a%20b%7Cc"),
        (f"{SITE}/कश्मीर", f"{SITE}/%E0%A4%95%E0%A4%B6%E0%A5%8D%E0%A4%AE%E0%A5%80%E0%A4%B0"),
        (f"{SITE}/a/index.html", f"{SITE}/a/"),
        (f"{SITE}/index.php?id=5", f"{SITE}/?id=5"),
        (f"{SITE}/a/reindex.html", f"{SITE}/a/reindex.html"),
        (f"{SITE}/a/", f"{SITE}/a/"),
        (f"{SITE}/a;jsessionid=1A2B?x=1", f"{SITE}/a?x=1"),
        # fragment
        (f"{SITE}/a#comments", f"{SITE}/a"),
        (f"{SITE}/#!/a b", f"{SITE}/#!/a%20b"),
        # AMP and mobile
        (f"{SITE}/story/amp", f"{SITE}/story"),
        (f"{SITE}/story/amp/", f"{SITE}/story/"),
        (f"{SITE}/story/amp/1", f"{SITE}/story"),
        (f"{SITE}/article69.ece/amp/", f"{SITE}/article69.ece"),
        (f"{SITE}/story.amp.html", f"{SITE}/story.html"),
        (f"{SITE}/story~amp.html", f"{SITE}/story.html"),
        (f"{SITE}/story.amp", f"{SITE}/story"),
        (f"{SITE}/story/index.amp", f"{SITE}/story/"),
        (f"{SITE}/story?outputType=amp", f"{SITE}/story"),
        (f"{SITE}/story?amp", f"{SITE}/story"),
        (f"{SITE}/amp", f"{SITE}/amp"),
        (f"{SITE}/amp/guitars", f"{SITE}/amp/guitars"),
        (f"{SITE}/champ/revamp", f"{SITE}/champ/revamp"),
        ("https://www.bhaskar.com/amp/local/1.html", "https://www.bhaskar.com/local/1.html"),
        ("https://www.bbc.com/news/amp/world-1", "https://www.bbc.com/news/world-1"),
        ("https://amp.example.org/a", f"{SITE}/a"),
        ("https://m.example.org/a", f"{SITE}/a"),
        ("https://m.news.example.co.uk/a", "https://news.example.co.uk/a"),
        ("https://amp.dev/a", "https://amp.dev/a"),
        ("https://m.amp.www.example.org/a", f"{SITE}/a"),
        ("https://m.amp.dev/a", "https://www.amp.dev/a"),
        ("https://m.co.uk/a", "https://m.co.uk/a"),
        # query
        (f"{SITE}/a?b=2&a=1&b=1", f"{SITE}/a?a=1&b=2&b=1"),
        (f"{SITE}/a?", f"{SITE}/a"),
        (f"{SITE}/a?x=&&y", f"{SITE}/a?x&y"),
        (f"{SITE}/story.php?12345", f"{SITE}/story.php?12345"),
        (f"{SITE}/a?q=a+b%20c", f"{SITE}/a?q=a%20b%20c"),
        (f"{SITE}/a?u=x%26y%3Dz", f"{SITE}/a?u=x%26y%3Dz"),
        (
            f"{SITE}/view?uid=1&cid=2&keyword=3&session=4",
            f"{SITE}/view?cid=2&keyword=3&session=4&uid=1",
        ),
        (f"{SITE}/a?objectid=1&amp;ref=rss", f"{SITE}/a?objectid=1"),
        (f"{SITE}/a?id=1&amp;p=2", f"{SITE}/a?id=1&p=2"),
        (f"{SITE}/a?ref=main&source=ap&from=home", f"{SITE}/a?from=home&ref=main&source=ap"),
        (f"{SITE}/a?ref=rss&source=rss_feed&from=twitter", f"{SITE}/a"),
    ],
)
def test_what_makes_no_difference_is_gone_and_what_makes_one_stays(
    given_url: str, expected: str
) -> None:
    """The canonical form, case by case; each is its own canonical form."""
    assert canonical_url(given_url) == expected
    assert canonical_url(expected) == expected


@pytest.mark.parametrize(
    "query",
    [
        "utm_source=rss&utm_medium=feed&utm_campaign=x",
        "UTM_Source=rss",
        "utm%5Fsource=rss",
        "fbclid=1&gclid=2&msclkid=3&yclid=4&igshid=5&twclid=6",
        "mc_cid=1&mc_eid=2&mkt_tok=3&_hsenc=4&_hsmi=5",
        "at_medium=RSS&at_campaign=KARANGA&at_bbc_team=x",
        "ns_mchannel=rss&ns_campaign=1490",
        "traffic_source=rss",
        "xtor=RSS-3208",
        "wt_mc=rss.red.ho.ho.rdf.beitrag.beitrag",
        "__twitter_impression=true",
        "ncid=rss&ocid=wispr&icid=x&cmpid=rss",
        "guccounter=1&guce_referrer=aHR0&guce_referrer_sig=x",
    ],
)
def test_tracking_parameters_are_no_part_of_the_url(query: str) -> None:
    """Analytics of any site."""
    assert canonical_url(f"{SITE}/a?id=7&{query}") == f"{SITE}/a?id=7"


@pytest.mark.parametrize(
    ("site", "query"),
    [
        ("www.theguardian.com", "CMP=share_btn_tw"),
        ("www.nytimes.com", "smid=tw-share&partner=rss&emc=rss"),
        ("www.dw.com", "maca=en-rss-en-all-1573-rdf"),
        ("www.wsj.com", "mod=rss_world"),
        ("www.cbc.ca", "cmp=rss"),
        ("www.washingtonpost.com", "wprss=rss_world&itid=lk_inline"),
        ("x.com", "s=20&t=abc"),
    ],
)
def test_an_outlets_own_parameters_are_gone_there_and_stay_elsewhere(site: str, query: str) -> None:
    """A name that tracks on one site may be the article's number on another."""
    assert canonical_url(f"https://{site}/a?{query}") == f"https://{site}/a"
    assert canonical_url(f"{SITE}/a?s=20&maca=1&smid=2") == f"{SITE}/a?maca=1&s=20&smid=2"


def test_a_relative_url_is_one_of_its_base() -> None:
    """Links of a page are given against its own URL."""
    assert canonical_url("/b?x=1#c", base="http://www.example.org/a/") == f"{SITE}/b?x=1"
    assert canonical_url("//www.example.org/b", base="https://a.example") == f"{SITE}/b"
    assert canonical_url("b", base=f"{SITE}/a/c") == f"{SITE}/a/b"


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "/a",
        "a.html",
        "ftp://a.example/",
        "javascript:alert(1)",
        "http://",
        "http://[::1/",
        "https://?",
        "http://a.example:port/",
        "http://a.example:70000/",
        "http://a b/",
        "http://a%00b/",
        "http://1.2.3.256/",
        "mailto:a@b.example",
        "urn:monitor:1234",
        "http://[v1.x]/",
    ],
)
def test_what_is_no_web_address_is_refused(bad: str) -> None:
    """One clear, permanent error."""
    for function in (canonical_url, host_of):
        with pytest.raises(Permanent, match="not an http") as caught:
            function(bad)
        assert caught.value.code is Code.BAD_URL
    assert resolve_redirector(bad) == bad


NEWS_ID = (
    base64.urlsafe_b64encode(
        b"\x08\x13\x22"
        + bytes([len(f"{SITE}/news/a?b=1")])
        + f"{SITE}/news/a?b=1".encode()
        + b"\xd2\x01\x00"
    )
    .decode()
    .rstrip("=")
)
LONG = f"{SITE}/" + "a" * 200
LONG_NEWS_ID = (
    base64.urlsafe_b64encode(
        b"\x08\x13\x22"
        + bytes([len(LONG) & 0x7F | 0x80, len(LONG) >> 7])
        + LONG.encode()
        + b"\xd2\x01\x00"
    )
    .decode()
    .rstrip("=")
)


@pytest.mark.parametrize(
    ("link", "target"),
    [
        (
            "https://www.google.com/url?rct=j&sa=t&url=https://www.example.org/a%3Fb%3D1&ct=ga&cd=x",
            f"{SITE}/a?b=1",
        ),
        ("https://www.google.co.in/url?q=http://www.example.org/a", "http://www.example.org/a"),
        (
            "https://www.google.com/url?url=https://www.google.com/url?q=https%3A%2F%2Fwww.example.org%2Fa",
            f"{SITE}/a",
        ),
        ("https://www.google.com/amp/s/www.example.org/a/amp", f"{SITE}/a/amp"),
        ("https://www-example-org.cdn.ampproject.org/c/s/www.example.org/a?x=1", f"{SITE}/a?x=1"),
        (f"https://news.google.com/rss/articles/{NEWS_ID}?oc=5", f"{SITE}/news/a?b=1"),
        (f"https://news.google.com/articles/{LONG_NEWS_ID}", LONG),
        (f"https://news.google.com/read/{NEWS_ID}?hl=en-IN&gl=IN", f"{SITE}/news/a?b=1"),
        (
            "https://www.bing.com/news/apiclick.aspx?ref=x&url=https%3a%2f%2fwww.example.org%2fa",
            f"{SITE}/a",
        ),
        ("https://l.facebook.com/l.php?u=https%3A%2F%2Fwww.example.org%2Fa&h=x", f"{SITE}/a"),
        ("https://duckduckgo.com/l/?uddg=https%3A%2F%2Fwww.example.org%2Fa", f"{SITE}/a"),
        (
            "http://us.rd.yahoo.com/dailynews/rss/*http://www.example.org/a",
            "http://www.example.org/a",
        ),
    ],
)
def test_a_redirector_that_carries_its_target_is_the_target(link: str, target: str) -> None:
    """No request is needed to know where these lead."""
    assert resolve_redirector(link) == target
    assert canonical_url(link) == canonical_url(target)


@pytest.mark.parametrize(
    "link",
    [
        f"{SITE}/url?url=https://a.example/",
        "https://www.google.com/url?rct=j",
        "https://www.google.com/url?url=/relative",
        "https://www.google.com/url?url=javascript:alert(1)",
        "https://www.google.com/url?url=http://[bad",
        "https://news.google.com/rss/articles/CBMiAUFVX3lxTE1abc",
        "https://news.google.com/rss/articles/!!!",
        "https://news.google.com/rss/articles/CBMi",
        "https://t.co/abc",
        "https://feedproxy.google.com/~r/Techcrunch/~3/0YXponzHReQ/",
    ],
)
def test_other_links_stay_what_they_are(link: str) -> None:
    """Only known redirectors are taken apart, and only to a web address."""
    assert resolve_redirector(link) == link


@pytest.mark.parametrize(
    ("link", "opaque"),
    [
        ("https://news.google.com/rss/articles/CBMiAUFVX3lxTE1abc?oc=5", True),
        ("https://news.google.com/read/CBMiAUFVX3lxTE1abc?hl=en", True),
        ("https://www.google.com/url?url=https://news.google.com/articles/CBMiAUFVX3lxTE1", True),
        (f"https://news.google.com/rss/articles/{NEWS_ID}?oc=5", False),
        (
            "https://news.google.com/topics/CAAqJggKIiBDQkFTRWdvSUwyMHZNRGx1YlY4U0FtVnVHZ0pWVXlnQVAB",
            False,
        ),
        ("https://news.example.org/rss/articles/CBMiAUFVX3lxTE1abc", False),
        ("https://t.co/abc", False),
        ("no link", False),
    ],
)
def test_what_only_its_maker_can_resolve_is_opaque(link: str, opaque: bool) -> None:
    """A Google News link of today; not one that carries its target, nor a shortener's."""
    assert is_opaque(link) is opaque


def test_the_host_is_where_requests_go() -> None:
    """Without port, userinfo or case; mobile hosts are hosts of their own."""
    assert host_of("http://user@M.Example.org:8080/a") == "m.example.org"
    assert host_of("https://bücher.example") == "xn--bcher-kva.example"
    assert host_of("http://[::1]:9/") == "[::1]"


def test_a_site_is_what_one_publisher_can_register() -> None:
    """By registrable domain; addresses and bare names by themselves."""
    assert same_site("https://m.bbc.co.uk/a", "http://www.bbc.co.uk:81/b")
    assert not same_site("https://bbc.co.uk/", "https://itv.co.uk/")
    assert not same_site("https://a.example.org/", "https://example.com/")
    assert same_site("http://127.0.0.1:1/", "http://127.0.0.1:2/")
    assert not same_site("http://127.0.0.1/", "http://127.0.0.2/")
    assert not same_site("http://localhost/", "http://otherhost/")
    with pytest.raises(Permanent):
        same_site("https://example.org", "nonsense")


def test_the_newsrooms_pages_under_tracking_parameters_are_the_same_pages(corpus: Path) -> None:
    """The feed that repeats everything names the URLs of the others."""
    feeds = corpus / "newsroom" / "feeds"
    elsewhere: set[str] = set()
    for path in feeds.iterdir():
        if path.suffix == ".json":
            links = [item["url"] for item in json.loads(path.read_bytes())["items"]]
        else:
            links = [entry.link for entry in feedparser.parse(path.read_bytes()).entries]
        if path.name == "everything-rss2.xml":
            tracked = links
        else:
            elsewhere |= {canonical_url(link) for link in links}
    assert len(tracked) == len(set(tracked)) == 55
    assert all("utm_" in link for link in tracked)
    assert {canonical_url(link) for link in tracked} == elsewhere


def test_parameters_that_others_know_to_track_are_known_here(corpus: Path) -> None:
    """The general rules of ClearURLs, but for names that are too short to be sure of."""
    rules = json.loads((corpus / "url_canon" / "clearurls_rules.json").read_bytes())
    names = [
        re.sub(r"\(\?:([^|)]*)[^)]*\)", r"\1", rule.replace("(?:%3F)?", ""))
        for rule in rules["providers"]["globalRules"]["rules"]
        if not re.search(r"[*+\[]|\?$|_\?z", rule.replace("(?:%3F)?", ""))
    ]
    own_risk = {"action_object_map", "gs_l", "hmb_campaign", "os_ehash", "spm", "ceneo_spo", "__s"}
    assert len(names) > 35
    left = {name for name in names if canonical_url(f"{SITE}/a?{name}=1") != f"{SITE}/a"}
    assert left <= own_risk


def check(url: str, base: str | None = None) -> None:
    """The laws that hold for any input."""
    try:
        once = canonical_url(url, base)
    except Permanent:
        return
    assert canonical_url(once) == once
    assert once.isascii()
    assert not re.search(r"[\s<>]", once)
    assert host_of(once)
    assert same_site(once, once)


def test_urls_are_read_as_browsers_read_them(corpus: Path) -> None:
    """The cases of the web platform tests: each fails or is the URL it must be."""
    cases = json.loads((corpus / "url_canon" / "wpt_urltestdata.json").read_bytes())
    cases = [case for case in cases if isinstance(case, dict)]
    assert len(cases) == 891
    for case in cases:
        check(case["input"], case.get("base"))
        check(case["input"])
        if case.get("protocol") in {"http:", "https:"}:
            expected = canonical_url(case["href"])
            assert canonical_url(case["input"], case.get("base")) == expected
            assert host_of(case["href"]) == re.sub(r"(?<=[^.])\.$", "", case["hostname"])
        else:  # a failure, or a scheme that no article has
            with pytest.raises(Permanent):
                canonical_url(case["input"], case.get("base"))


PIECES = """
    http:// https:// // www. m. amp. example .org .co.uk bücher / .. . %2e % %2f %zz amp .amp
    ~amp.html /amp/ index.html ? & = amp; utm_source a # ! : 80 8080 @ [ ] ::1 \\ + ; jsessionid= é
    www.google.com/url?q= news.google.com/rss/articles/CBMi us.rd.yahoo.com/* .cdn.ampproject.org/c/s/
"""
_parts = st.sampled_from([*PIECES.split(), " ", "\t", "\ud800"])


@given(st.lists(_parts | st.text(max_size=3), max_size=16).map("".join))
@example("a.example/amp/amp/index.html/amp")
@example("a.example/a?amp;amp;x=1")
@example("a.example:0/")
@example("/..amp")
@example("m.m.www.google.com/url?q=")
@example("news.google.com/rss/articles/CBMi¹")
@example("www.google.com/./url?q=http://www.google.com/amp/../url?q=http://a.example/")
@example("www.google.com/url?q=http://" * 2000)
def test_any_string_has_a_canonical_form_or_is_refused(rest: str) -> None:
    """Idempotent, ASCII, without blanks; nothing but `Permanent` is raised."""
    for url in (f"http://{rest}", f"https://www.example.org/{rest}", rest):
        check(url)
        check(url, base=f"{SITE}/a/b")
        resolve_redirector(url)


@pytest.mark.parametrize("mark", ["/amp", ".amp", "/amp/1"])
def test_a_path_that_takes_a_round_for_each_of_a_thousand_marks_is_refused(mark):
    """Each round reads the whole path: 40 ms for one URL of a feed that has five thousand."""
    with pytest.raises(Permanent):
        canonical_url("https://example.com/a" + mark * 300)
    assert canonical_url("https://example.com/a" + mark * 2) == "https://example.com/a"


@given(
    st.lists(
        st.sampled_from(
            [
                *(
                    "/",
                    "//",
                    ".",
                    "..",
                    "amp",
                    "AMP",
                    "Amp",
                    "index.html",
                    "default.aspx",
                    "~amp",
                    ".amp",
                ),
                *(
                    "news",
                    "a-b",
                    "%41",
                    "%2f",
                    "ä",
                    ";sid=1",
                    "x.html",
                    "1",
                    ":",
                    "amp_",
                    "articleshow",
                    " ",
                ),
            ]
        ),
        max_size=9,
    ),
    st.sampled_from(["example.org", "indiatimes.com", "bbc.com", "corriere.it", "haberturk.com"]),
)
def test_a_plain_path_is_what_the_long_way_makes_of_it(parts: list[str], domain: str) -> None:
    """What is passed on as it is, no rule would have changed."""
    path = "/" + "".join(parts)
    quickly = _clean_path(path, domain)
    with mock.patch.object(urls, "_PLAIN_PATH", re.compile("(?!)")):
        assert _clean_path(path, domain) == quickly
