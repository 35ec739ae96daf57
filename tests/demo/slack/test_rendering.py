"""The picture of a message is the message, and safe to put into a page."""

from __future__ import annotations

import re
from datetime import timedelta, timezone
from html import unescape
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import Card, Image, Part, Passage, line
from alerts.blocks import to_blocks
from alerts.message import Button, Touch
from alerts.text import clean
from monitor.demo.slack.rendering import Reader, body_html, words_of
from tests.alerts.examples import AT, alert

READER = Reader(now=AT, names={"U1": "Asha"})


def html_of(message, image=None, reader=READER) -> str:
    """As the double stored it."""
    rendered = to_blocks(message, image)
    stored = {"text": rendered.text, "blocks": rendered.blocks, "ts": "17.000001"}
    return body_html(stored, reader, "C1")


def text_of(html: str) -> str:
    """What a reader sees; fails if the HTML is not well formed."""
    return "".join(ET.fromstring(f"<div>{html}</div>").itertext())


def test_an_alert_as_slack_shows_it() -> None:
    """Bold linked headline, quote with bold terms, a grey line."""
    html = html_of(alert(also=("PTI", "Dawn")))
    assert (
        '<p dir="auto"><a href="https://news.example.org/2025/05/10/ceasefire" '
        'rel="noopener noreferrer"><b>India and Pakistan agree to a ceasefire</b></a></p>'
        '<blockquote dir="auto">Both sides said the <b>ceasefire</b> holds in <b>Kashmir</b>.'
        "</blockquote>"
    ) in html
    assert '<time datetime="2025-05-10T12:00:00+00:00" title="2025-05-10 12:00 UTC">' in html
    assert "+2 outlets: PTI, Dawn" in html


def test_what_hands_did_and_can_do() -> None:
    """Buttons are a form that says which message they stand on."""
    html = html_of(
        alert(
            touches=(Touch(what="✓ seen", by="Asha", at=AT),),
            buttons=(Button(action="mute", label="Mute <story>"),),
        )
    )
    assert '<input type="hidden" name="channel" value="C1">' in html
    assert '<input type="hidden" name="ts" value="17.000001">' in html
    assert (
        '<button name="action" value="mute" class="default">Mute &lt;story&gt;</button></form>'
    ) in html
    assert "✓ seen by Asha" in html


def test_a_card() -> None:
    """Every kind of line, a mention, a time, a note and a picture."""
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
    html = html_of(card, "F1")
    moment = (
        '<time datetime="2025-05-10T12:00:00+00:00" title="2025-05-10 12:00 UTC">today 12:00</time>'
    )
    for expected in (
        '<p dir="auto"><b>a &lt;b&gt;</b> <span class="mention">@Asha</span>',
        '<span class="mention">@S2</span></p>',
        f'<p dir="auto">at {moment}</p>',
        '<a href="https://a.example/" rel="noopener noreferrer">x</a>',
        '<ul><li dir="auto">one</li><li dir="auto">two</li></ul>',
        '<blockquote dir="auto">said</blockquote>',
        '<pre dir="auto">a  b</pre>',
        '<span dir="auto">small</span>',
        '<img class="picture" src="/files/F1" alt="a &lt;chart&gt;">',
    ):
        assert expected in html


@pytest.mark.parametrize(
    ("later", "hours", "shown"),
    [
        (timedelta(0), 0, "today 12:00"),
        (timedelta(days=1), 0, "yesterday 12:00"),
        (timedelta(days=9), 0, "May 10, 2025 12:00"),
        (timedelta(hours=8), 5, "yesterday 17:00"),
        (timedelta(hours=8), -5, "today 07:00"),
    ],
)
def test_times_are_the_readers(later: timedelta, hours: int, shown: str) -> None:
    """By their clock, held against their day."""
    reader = Reader(now=AT + later, zone=timezone(timedelta(hours=hours)))
    assert f">{shown}</time>" in html_of(
        Card(title="x", note=(Part(text="", at=AT),)), None, reader
    )


def test_a_message_that_fell_back_to_text() -> None:
    """A plain paragraph; what is linked and escaped there reads as meant."""
    text = "<https://a.example/?a=1&amp;b=2|A &lt;b&gt;> — x &amp; y"
    html = body_html({"text": text}, READER)
    assert html == (
        '<p dir="auto"><a href="https://a.example/?a=1&amp;b=2" rel="noopener noreferrer">'
        "A &lt;b&gt;</a> — x &amp; y</p>"
    )
    assert words_of({"text": text}) == "A <b> — x & y"


@given(st.text("<>&\"'/ abscript=:{}|^!\u202e\u0627", max_size=60), st.booleans())
def test_whatever_publishers_write_is_words(words: str, is_plain: bool) -> None:
    """Well-formed HTML without an element or attribute of theirs; the words come out again."""
    message = alert(
        headline=words,
        url="https://a.example/" + words,
        passage=Passage(text=words, marks=((0, 2), (4, 9))),
        publisher=words,
        watches=(words,),
        terms=(words,),
        also=(words,),
    )
    html = body_html({"text": to_blocks(message).text}, READER) if is_plain else html_of(message)

    assert clean(words) in text_of(html).replace("\u2068", "").replace("\u2069", "")
    tags = set(re.findall(r"<(/?\w+)", html))
    assert {tag.lstrip("/") for tag in tags} <= {"a", "b", "blockquote", "div", "p", "span", "time"}
    for target in re.findall(r'href="([^"]*)"', html):
        assert unescape(target).startswith("https://a.example/")
