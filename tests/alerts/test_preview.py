"""The picture of a message is the message, and safe to put into a page."""

from __future__ import annotations

import re
from html import unescape
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from alerts import Card, Image, Part, Passage, line
from alerts.blocks import to_blocks
from alerts.elements import Rendered
from alerts.preview import CSS, to_html
from alerts.text import clean
from tests.alerts.examples import AT, alert


def text_of(html: str) -> str:
    """What a reader sees; fails if the HTML is not well formed."""
    return "".join(ET.fromstring(html).itertext())


def test_an_alert_as_slack_shows_it() -> None:
    """Bold linked headline, quote with bold terms, a grey line."""
    html = to_html(to_blocks(alert(also=("PTI", "Dawn"))), at=AT, edited=True)

    assert (
        '<p dir="auto"><a href="https://news.example.org/2025/05/10/ceasefire" '
        'rel="noopener noreferrer"><b>India and Pakistan agree to a ceasefire</b></a></p>'
        '<blockquote dir="auto">Both sides said the <b>ceasefire</b> holds in <b>Kashmir</b>.'
        "</blockquote>"
    ) in html
    assert '<time datetime="2025-05-10T12:00:00+00:00" title="2025-05-10 12:00 UTC">' in html
    assert "+2 outlets: PTI, Dawn" in html
    assert "(edited)" in html


def test_a_card() -> None:
    """Every kind of line, a mention, a time, a note and a picture's place."""
    card = Card(
        title="a <b>",
        lines=(
            line("at ", Part(text="", at=AT)),
            line(Part(text="x", url="https://a.example/")),
            line("one", bullet=True),
            line("two", bullet=True),
            line("said", quote=True),
            line("a  b", code=True),
        ),
        note=(Part(text="small"),),
        notify=("U1", "S2"),
        image=Image(png=b"png", alt="a <chart>"),
    )
    html = to_html(to_blocks(card, "F1"), at=AT)
    moment = (
        '<time datetime="2025-05-10T12:00:00+00:00" title="2025-05-10 12:00 UTC">'
        "May 10, 2025 12:00</time>"
    )
    for expected in (
        '<p dir="auto"><b>a &lt;b&gt;</b> <span class="slk-mention">@U1</span>',
        '<span class="slk-mention">@S2</span></p>',
        f'<p dir="auto">at {moment}</p>',
        '<a href="https://a.example/" rel="noopener noreferrer">x</a>',
        '<ul><li dir="auto">one</li><li dir="auto">two</li></ul>',
        '<blockquote dir="auto">said</blockquote>',
        '<pre dir="auto">a  b</pre>',
        "<span>small</span>",
        "a &lt;chart&gt;",
    ):
        assert expected in html


def test_a_message_that_fell_back_to_text() -> None:
    """A plain paragraph."""
    assert '<p dir="auto">words</p>' in to_html(Rendered(text="words", blocks=[]), at=AT)


@given(st.text("<>&\"'/ abscript=:{}\u202e\u0627", max_size=60))
def test_whatever_publishers_write_is_words(words: str) -> None:
    """Well-formed HTML without an element or attribute of theirs; the words come out again."""
    rendered = to_blocks(
        alert(
            headline=words,
            url="https://a.example/" + words,
            passage=Passage(text=words, marks=((0, 2), (4, 9))),
            publisher=words,
            watches=(words,),
            terms=(words,),
            also=(words,),
        )
    )
    html = to_html(rendered, at=AT, sender="monitor")

    assert clean(words) in text_of(html).replace("\u2068", "").replace("\u2069", "")
    tags = set(re.findall(r"<(/?\w+)", html))
    assert {tag.lstrip("/") for tag in tags} <= {
        "a", "article", "b", "blockquote", "div", "header", "p", "span", "time",
    }  # fmt: skip
    for target in re.findall(r'href="([^"]*)"', html):
        assert unescape(target).startswith("https://a.example/")


def test_every_class_has_a_style() -> None:
    """And no style reaches beyond the message."""
    html = to_html(to_blocks(alert()), at=AT, edited=True)

    for name in re.findall(r'class="([\w-]+)"', html):
        assert f".{name}" in CSS or name == "slk-message"
    assert all(rule.strip().startswith(".slk-") for rule in re.findall(r"\n([^\s{][^{]*){", CSS))
