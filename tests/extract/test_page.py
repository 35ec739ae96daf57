"""Page bytes to an article."""

from __future__ import annotations

import gzip
import html
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import Code, ParseError
from monitor.extract import extract_page
from monitor.extract.metadata import moment_of, without_site
from monitor.extract.source import MAX_HTML, decode
from monitor.model import Extraction
from tests.extract.pages import PARAGRAPHS, URL, extract, page_of, refusal


def wordpress(title: str, paragraphs: list[str], form: str) -> str:
    """A page as a WordPress theme makes it, with its comment form."""
    body = "\n".join(f"<p>{html.escape(text)}</p>" for text in paragraphs)
    return f"""<!DOCTYPE html>
<html lang="en-US" class="no-js"><head><meta charset="UTF-8">
<title>{html.escape(title)} &#8211; The Valley Post</title>
<meta property="og:site_name" content="The Valley Post">
<meta property="og:title" content="{html.escape(title)} - The Valley Post">
<meta property="article:published_time" content="2025-05-11T03:14:15+05:00">
<meta name="author" content="Asha Verma">
<link rel="canonical" href="/2025/05/river-truce/">
<link rel="alternate" type="application/rss+xml" href="/feed/"></head>
<body class="post-template-default single single-post">
<header id="masthead" class="site-header"><p class="site-title">The Valley Post</p>
<nav><ul id="primary-menu"><li><a href="/">Home</a></li><li><a href="/world">World</a></li></ul>
</nav></header>
<div id="primary" class="content-area"><main id="main" class="site-main">
<article id="post-4711" class="post type-post hentry">
<header class="entry-header"><h1 class="entry-title">{html.escape(title)}</h1>
<div class="entry-meta"><span class="byline">by <a href="/author/asha">Asha Verma</a></span>
<a href="#respond" class="comments-link">0</a></div></header>
<div class="entry-content">
{body}
</div>
<footer class="entry-footer">Posted in <a href="/world">World</a></footer></article>
{form}
</main></div>
<aside id="secondary" class="widget-area"><h2>Recent Posts</h2><ul><li><a href="/a">Other news of
the day</a></li></ul></aside>
<footer id="colophon">Proudly powered by WordPress</footer></body></html>"""


FIELDS = """<p class="comment-notes">Your email address will not be published. Required fields are
marked *</p><p><label>Comment *</label><textarea name="comment" required></textarea></p>
<p><label>Name *</label><input name="author" type="text"></p>
<p><label>Email *</label><input name="email" type="email"></p>
<p><input type="checkbox"> Save my name, email, and website in this browser for the next time I
comment.</p><p><input type="submit" value="Post Comment"></p>"""
NOTE = "<p>Your email address will not be published. Required fields are marked *</p>"
FORMS = {
    "theme": f"""<div id="comments" class="comments-area"><div id="respond" class="comment-respond">
<h3 id="reply-title" class="comment-reply-title">Leave a Reply <small><a rel="nofollow"
href="#respond">Cancel reply</a></small></h3>
<form action="/wp-comments-post.php" method="post" id="commentform">{FIELDS}</form></div></div>""",
    "bare": f"<h3>Leave a Reply</h3><form action='/post' method='post'>{FIELDS}</form>",
    "notes": f"<h3>Leave a Reply</h3>{NOTE}<form>{FIELDS}</form>",
    "no form": f"<div><h4>Leave a Comment</h4>{NOTE}<div><p>Comment *</p><textarea></textarea>"
    "<p>Name *</p><p>Save my name, email, and website in this browser.</p></div></div>",
}
UNWANTED = (
    "Leave a",
    "Your email address",
    "Required fields",
    "Post Comment",
    "Save my name",
    "Cancel reply",
    "Recent Posts",
    "powered by",
)


# --------------------------------------------------------------------------- text


def forms_everywhere(title: str, paragraphs: list[str]) -> dict[str, str]:
    """The page with each form, behind the article and among its paragraphs."""
    pages = {}
    for name, form in FORMS.items():
        pages[f"{name}, behind"] = wordpress(title, paragraphs, form)
        inside = wordpress(title, paragraphs, "")
        end = '</div>\n<footer class="entry-footer">'
        assert end in inside
        pages[f"{name}, inside"] = inside.replace(end, form + end)
    return pages


@pytest.mark.parametrize("where", forms_everywhere("t", []))
def test_a_comment_form_is_no_part_of_the_article(where: str) -> None:
    """The body is the article's paragraphs and nothing else, whatever stands below it."""
    page = extract(forms_everywhere("River truce holds", PARAGRAPHS)[where])
    assert page.body == "\n\n".join(PARAGRAPHS)
    assert page.title == "River truce holds"
    assert page.authors == ("Asha Verma",)
    assert page.published_at == datetime(2025, 5, 10, 22, 14, 15, tzinfo=UTC)
    assert page.language == "en-US"
    assert page.canonical_url == URL


@pytest.mark.parametrize("where", forms_everywhere("t", []))
def test_the_seed_article_is_extracted_alone(corpus: Path, where: str) -> None:
    """The article this product was conceived from: whole, without its form."""
    title, *rest = (corpus / "seed_article.txt").read_text().split("\n\n")
    article = rest[rest.index("0") + 1 : rest.index("Leave a Reply")]
    page = extract(forms_everywhere(title, article)[where])
    assert page.title == title
    assert not [text for text in UNWANTED if text in page.body]
    words = [" ".join(paragraph.split()) for paragraph in article]
    assert page.body.split("\n\n") == words


def test_a_form_around_the_whole_page_is_not_taken_for_a_comment_form() -> None:
    """Some systems wrap everything into one form: the article stays."""
    whole = page_of(after="<textarea name='q'></textarea>")
    wrapped = whole.replace("<article>", "<form><article>").replace("<footer>", "</form><footer>")
    assert extract(wrapped).body == "\n\n".join(PARAGRAPHS)


def test_an_article_about_replies_is_whole() -> None:
    """The words of a form in the middle of an article are the article's."""
    for words in ("Leave a reply", "Your email address will not be published, says the new law."):
        paragraphs = [PARAGRAPHS[0], words, *PARAGRAPHS[1:]]
        assert extract(page_of(paragraphs=paragraphs)).body == "\n\n".join(paragraphs)


def test_an_article_that_only_a_script_draws_is_taken_from_the_statement() -> None:
    """JSON-LD's articleBody serves where the page shows next to nothing of it."""
    stated = {"@type": "NewsArticle", "headline": "x", "articleBody": "\n".join(PARAGRAPHS)}
    head = f'<script type="application/ld+json">{json.dumps(stated)}</script>'
    page = extract(page_of(head=head, paragraphs=PARAGRAPHS[:1]))
    assert page.body == "\n\n".join(PARAGRAPHS)


def test_what_stands_around_the_stated_article_is_cut() -> None:
    """What is found before and behind the whole articleBody is no part of it."""
    stated = {"@graph": [{"@type": ["NewsArticle"], "articleBody": " ".join(PARAGRAPHS)}]}
    head = f'<script type="application/ld+json">{json.dumps(stated)}</script>'
    more = ["Subscribe to our newsletter for more stories like this one, every single morning."]
    page = extract(page_of(head=head, paragraphs=more + PARAGRAPHS + more))
    assert page.body == "\n\n".join(PARAGRAPHS)


def test_a_teaser_is_not_believed() -> None:
    """A short articleBody, or one about something else, changes nothing."""
    for text in ("Boats crossed again.", "Something else entirely is said here. " * 30):
        stated = {"@type": "NewsArticle", "articleBody": text}
        head = f'<script type="application/ld+json">{json.dumps(stated)}</script>'
        assert extract(page_of(head=head)).body == "\n\n".join(PARAGRAPHS)


@pytest.mark.parametrize(
    "page",
    [
        "",
        "   ",
        "<html></html>",
        "<html><body><p>Please log in.</p></body></html>",
        "no markup at all",
        "<!-- nothing -->",
        "\x00\x01\x02",
    ],
)
def test_a_page_without_an_article_says_so(page: str) -> None:
    """Nothing worth calling a text is an error of its own."""
    assert refusal(page).code is Code.NO_TEXT


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"%PDF-1.7 ...", "application/pdf"),
        (b"%PDF-1.7 ...", "text/html"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", ""),
        (b"GIF89a", "text/html"),
        (b"PK\x03\x04", "application/octet-stream"),
        (b'{"a": 1}', "application/json"),
        (b"plain words", "text/plain"),
        (b"....", "video/mp4"),
    ],
)
def test_what_is_not_a_page_is_told_by_its_type(body: bytes, content_type: str) -> None:
    """Images, documents and data are refused before anything looks into them."""
    assert refusal(body, content_type).code is Code.WRONG_TYPE


@pytest.mark.parametrize("content_type", ["", "text/html", "application/xhtml+xml", "TEXT/HTML;x"])
def test_a_page_is_a_page_under_all_its_types(content_type: str) -> None:
    """Missing and odd content types don't keep a page from being read."""
    assert extract(page_of(), content_type).body == "\n\n".join(PARAGRAPHS)


def test_a_page_beyond_the_cap_is_read_up_to_it() -> None:
    """Scripts go first; the rest is cut, and what was before the cut is found."""
    padding = "<script>" + "x" * MAX_HTML + "</script>"
    assert extract(page_of(head=padding)).body == "\n\n".join(PARAGRAPHS)
    endless = page_of(after="<!--" + "x" * MAX_HTML + "--><p>lost</p>")
    assert PARAGRAPHS[0] in extract(endless).body


# --------------------------------------------------------------------------- characters


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("Fähre".encode(), "text/html", "Fähre"),
        ("Fähre".encode(), "text/html; charset=iso-8859-1", "Fähre"),
        ("\ufeffFähre".encode(), "text/html", "Fähre"),
        ("Fähre".encode("latin-1"), "text/html; charset=iso-8859-1", "Fähre"),
        ("Fähre".encode("latin-1"), "text/html", "Fähre"),
        (
            "<meta charset=windows-1251>Паром".encode("cp1251"),
            "",
            "<meta charset=windows-1251>Паром",
        ),
        ("Паром".encode("cp1251"), "text/html; charset=windows-1251", "Паром"),
        ("渡し船".encode("shift_jis"), "text/html; charset=Shift_JIS", "渡し船"),
        ("Fähre".encode("utf-16"), "text/html", "Fähre"),
        ("Fähre".encode("utf-16"), "text/html; charset=iso-8859-1", "Fähre"),  # the mark wins
        (b"\xef\xbb\xbfF\xc3\xa4hre", "text/html; charset=windows-1251", "Fähre"),
        ("<p>Ferry".encode("utf-16-le"), "text/html; charset=utf-16le", "<p>Ferry"),
        ("渡し船".encode("iso2022_jp"), "text/html; charset=ISO-2022-JP", "渡し船"),
        (
            "<meta charset='iso-2022-jp'>渡し船".encode("iso2022_jp"),
            "text/html",
            "<meta charset='iso-2022-jp'>渡し船",
        ),
        (b"Ferry \x1b\0", "text/html", "Ferry \x1b\0"),  # nothing says that it is anything else
        (  # the header wins over meta, as in browsers
            "<meta charset=utf-8>Паром".encode("cp1251"),
            "text/html; charset=windows-1251",
            "<meta charset=utf-8>Паром",
        ),
        ("<meta charset=windows-1251>Fähre".encode(), "", "<meta charset=windows-1251>Fähre"),
        ("Паром ".encode() * 20 + b"\xff", "text/html", "Паром " * 20 + "\ufffd"),
        (b"F\xff\xfe\x80hre", "text/html; charset=utf-8", None),
        (b"F\xe4hre", "text/html; charset=nonsense", "Fähre"),
    ],
)
def test_characters_come_from_header_meta_and_mark(
    body: bytes, content_type: str, text: str | None
) -> None:
    """Valid UTF-8 is UTF-8; else mark, header and meta are believed, and nothing ever raises."""
    made = decode(body, content_type)
    assert text is None or made == text


def test_control_characters_do_not_come_through() -> None:
    """NUL and its kind, raw or as references, are in no field."""
    dirty = [text.replace(" ", " \x00\x07", 1) + "&#0;&#7;\x1b" for text in PARAGRAPHS]
    page = extract(page_of(title="River\x00 truce\x08 holds", paragraphs=dirty))
    assert page.title == "River truce holds"
    assert not any(ord(char) < 32 and char != "\n" for char in page.body)


# --------------------------------------------------------------------------- metadata


def test_the_title_is_what_readers_see() -> None:
    """A first-level heading that the shared title begins with wins over the one with the site."""
    head = '<meta property="og:title" content="River truce holds - The Valley Post">'
    assert extract(page_of(head=head)).title == "River truce holds"


@pytest.mark.parametrize(
    ("title", "others", "sites", "alone"),
    [
        ("Truce holds in the valley | The Post", [], ["The Post"], "Truce holds in the valley"),
        ("Truce holds in the valley - The Post", [], ["THE POST"], "Truce holds in the valley"),
        ("Truce holds – DW – 13.06.2023", ["Truce holds"], [], "Truce holds"),
        ("Truce: what we know so far", [], ["The Post"], "Truce: what we know so far"),
        ("停戦、最も合意に近い段階に | 毎日新聞", [], ["毎日新聞"], "停戦、最も合意に近い段階に"),
        ("The Post | Truce", [], ["Truce"], "The Post"),
        ("A - B", [], ["B"], "A - B"),
        ("Anti-truce rally in Dalpur", ["Anti"], [], "Anti-truce rally in Dalpur"),
    ],
)
def test_the_sites_name_is_cut_off(
    title: str, others: list[str], sites: list[str], alone: str
) -> None:
    """Only what is known to be the site, or follows a title stated elsewhere, goes."""
    assert without_site(title, others, sites) == alone


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-05-10T12:00:00Z", datetime(2025, 5, 10, 12, tzinfo=UTC)),
        ("2025-05-10T17:30:00+0530", datetime(2025, 5, 10, 12, tzinfo=UTC)),
        ("2025-05-10T17:30:00.1234567+05:30", datetime(2025, 5, 10, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2025-05-10", datetime(2025, 5, 10, tzinfo=UTC)),
        ("1970-01-01", None),
        ("0001-01-01T00:00:00+23:00", None),
        ("soon", None),
        ("", None),
    ],
)
def test_moments_are_aware(text: str, moment: datetime | None) -> None:
    """ISO moments of all precisions, in UTC."""
    assert moment_of(text) == moment


def test_the_exact_moment_comes_before_the_day() -> None:
    """JSON-LD's datePublished is taken, not the date that the page shows."""
    stated = {
        "@type": "ReportageNewsArticle",
        "headline": "River truce &amp; ferry",
        "datePublished": "2025-05-10T12:34:56+00:00",
        "author": [{"@type": "Person", "name": "Asha Verma"}, {"name": "Omar Lone (Dalpur)"}],
    }
    head = f'<script type="application/ld+json">{json.dumps(stated)}</script>'
    page = extract(page_of(head=head, after="<time datetime='2025-05-12'>12 May</time>"))
    assert page.published_at == datetime(2025, 5, 10, 12, 34, 56, tzinfo=UTC)
    assert page.title == "River truce & ferry"
    assert page.authors == ("Asha Verma", "Omar Lone")


def test_the_words_are_searched_for_a_day_only_if_the_feed_gave_none() -> None:
    """What the page states of itself is read all the same."""
    shown = page_of(after="<p>Published on May 12, 2025 in Valley news</p>")
    assert extract(shown).published_at == datetime(2025, 5, 12, tzinfo=UTC)
    assert extract(shown, dated=True).published_at is None
    stated = page_of(after="<time datetime='2025-05-12'>12 May</time>")
    assert extract(stated, dated=True).published_at == datetime(2025, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "script",
    [
        "not json",
        "[" * 100_000,
        "null",
        '{"@graph": 5}',
        '{"@type": ["NewsArticle", 7], "headline": {"a": 1}, "author": [null, 5, {"name": [1]}]}',
        '{"@type": "NewsArticle", "datePublished": 20250510, "articleBody": ["x"]}',
    ],
)
def test_broken_statements_are_passed_over(script: str) -> None:
    """JSON-LD is written by anybody: no type of anything can raise."""
    page = extract(page_of(head=f'<script type="application/ld+json">{script}</script>'))
    assert page.body == "\n\n".join(PARAGRAPHS)
    assert page.title == "River truce holds"


@pytest.mark.parametrize(
    ("href", "canonical"),
    [
        ("https://www.valley.example/a", "https://www.valley.example/a"),
        ("/a?b=c", "https://valley.example/a?b=c"),
        ("", None),
        ("javascript:alert(1)", None),
        ("http://[", None),
    ],
)
def test_the_canonical_url_is_absolute(href: str, canonical: str | None) -> None:
    """As given, resolved against the page; not judged."""
    head = f'<link rel="canonical" href="{href}">'
    assert extract(page_of(head=head)).canonical_url == canonical


# --------------------------------------------------------------------------- real and hostile pages


def test_real_pages_are_read(corpus: Path) -> None:
    """A sample of the corpus: texts found, titles and days as the gold says, all fields clean."""
    index = json.loads((corpus / "articles" / "index.json").read_text())[::10]
    titles = days = 0
    for gold in index:
        body = gzip.decompress((corpus / "articles" / gold["file"]).read_bytes())
        page = extract_page(body, url=gold["url"], content_type="text/html")
        assert len(page.body) > 200, gold["id"]
        assert page.language or gold["country"], gold["id"]
        titles += page.title == " ".join(html.unescape(gold["title"]).split())
        moment = datetime.fromisoformat(gold["publishing_date"])
        assert page.published_at is not None, gold["id"]
        days += abs((page.published_at.date() - moment.date()).days) <= 1
    assert titles >= 0.7 * len(index)
    assert days >= 0.85 * len(index)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["", "text/html", "text/html; charset=x", "a/b"]))
def test_any_bytes_are_an_article_or_a_parse_error(body: bytes, content_type: str) -> None:
    """Nothing but ParseError ever comes out."""
    try:
        page = extract_page(body, url=URL, content_type=content_type)
    except ParseError:
        return
    assert isinstance(page, Extraction)


_PIECES = st.sampled_from(
    [
        *("p", "/p", "div", "/div", "form", "textarea", "/form", "h1", "h2", "table", "td"),
        *("article", "body", "/body", "html", "head", "title"),
        *("!--", "script type='application/ld+json'", "/script", "svg", "time datetime=x", "br"),
        *("link rel=canonical href=//", "meta property=og:title content=", "", "p" + PARAGRAPHS[0]),
    ]
).map(lambda tag: f"<{tag}>words &#0; -->")


@settings(max_examples=100, deadline=None)
@given(st.lists(_PIECES, max_size=30))
def test_any_tag_soup_is_an_article_or_a_parse_error(pieces: list[str]) -> None:
    """Markup in any order, closed or not."""
    try:
        page = extract("".join(pieces))
    except ParseError:
        return
    assert page.body


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 50_000 + "deep",
        "<p>" * 5_000,
        "<table><tr><td>" * 5_000,
        "<b " + " ".join(f"a{n}=1" for n in range(3_000)) + ">",
        "&lt;" * 50_000,
    ],
)
def test_monstrous_markup_ends(page: str) -> None:
    """Depth and width beyond reason give an answer, if only that there is no text."""
    assert refusal(page).code is Code.NO_TEXT
