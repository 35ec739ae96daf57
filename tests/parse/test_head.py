"""What a feed says of itself: how often to ask, and where to subscribe."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Hints
from monitor.parse import parse_feed
from monitor.parse.head import LONGEST, read_hints, read_links

URL = "https://feeds.example/in/rss.xml"
HOUR = timedelta(hours=1)


def hours(*numbers: int) -> str:
    """As RSS 2.0 has them."""
    return f"<skipHours>{''.join(f'<hour>{n}</hour>' for n in numbers)}</skipHours>"


@pytest.mark.parametrize(
    ("head", "hints"),
    [
        ("", Hints()),
        ("<ttl>60</ttl>", Hints(ttl=HOUR)),
        ("<ttl> <![CDATA[ 5 ]]></ttl>", Hints(ttl=timedelta(minutes=5))),
        ("<TTL>5</TTL>", Hints(ttl=timedelta(minutes=5))),
        ("<ttl>0</ttl>", Hints()),
        ("<ttl>soon</ttl>", Hints()),
        ("<ttl>-5</ttl>", Hints()),
        ("<ttl>99999999999</ttl>", Hints()),
        ("<ttl>999999</ttl>", Hints(ttl=LONGEST)),
        ("<sy:updatePeriod>hourly</sy:updatePeriod>", Hints(ttl=HOUR)),
        (
            (
                "<sy:updatePeriod>\n daily\t</sy:updatePeriod>"
                "<sy:updateFrequency> 4 </sy:updateFrequency>"
            ),
            Hints(ttl=6 * HOUR),
        ),
        (
            "<x:updatePeriod>hourly</x:updatePeriod><x:updateFrequency>0</x:updateFrequency>",
            Hints(ttl=HOUR),
        ),
        ("<sy:updatePeriod>yearly</sy:updatePeriod>", Hints(ttl=LONGEST)),
        ("<sy:updatePeriod>never</sy:updatePeriod>", Hints()),
        ("<ttl>30</ttl><sy:updatePeriod>hourly</sy:updatePeriod>", Hints(ttl=HOUR)),
        (hours(0, 1, 23), Hints(skip_hours=frozenset({0, 1, 23}))),
        (hours(24), Hints(skip_hours=frozenset({0}))),
        (hours(25, 99), Hints()),
        (
            "<skipDays><day>Saturday</day><day>sunday</day><day>Someday</day></skipDays>",
            Hints(skip_days=frozenset({5, 6})),
        ),
    ],
)
def test_hints_are_read(head: str, hints: Hints) -> None:
    """Every hour and day, which feedparser does not; what means nothing is none."""
    assert read_hints(head.encode()) == hints
    body = f"<rss version='2.0'><channel>{head}<item><title>a</title></item></channel></rss>"
    assert parse_feed(body.encode(), url=URL, content_type="").hints == hints


def test_an_item_and_a_comment_give_no_hints() -> None:
    """Nor does what stands in its text."""
    body = (
        "<rss><channel><!-- <ttl>9</ttl> --><item><ttl>5</ttl><hour>3</hour>"
        "<link rel='hub' href='http://evil.example/'/></item></channel></rss>"
    )
    parsed = parse_feed(body.encode(), url=URL, content_type="")
    assert (parsed.hints, parsed.hub, parsed.topic) == (Hints(), None, None)


@pytest.mark.parametrize(
    ("head", "hub", "topic"),
    [
        ("<link>https://feeds.example/</link>", None, None),
        (
            ('<atom:link rel="hub" href="https://hub.example/?a=1&amp;b=2"/>'
            '<atom:link href="https://feeds.example/rss" rel="self" type="x"/>'),
            "https://hub.example/?a=1&b=2",
            "https://feeds.example/rss",
        ),
        ("<link rel='SELF HUB' href='/both'/>", *["https://feeds.example/both"] * 2),
        ("<a:link href = '/h' rel = 'hub' />", "https://feeds.example/h", None),
        ("<link rel='hub' href='javascript:x'/><link rel='hub' href='/b'/>",
         "https://feeds.example/b", None),
        ("<link rel='hub'/>", None, None),
    ],
)  # fmt: skip
def test_hub_and_topic_are_read(head: str, hub: str | None, topic: str | None) -> None:
    """The first of each (WebSub §4), absolute."""
    links = read_links(head.encode(), URL)
    assert (links.hub, links.topic) == (hub, topic)


@given(st.binary(max_size=200))
def test_any_bytes_give_hints_or_none(noise: bytes) -> None:
    """Bounded ones."""
    hints = read_hints(b"<ttl>" + noise + b"<hour>" + noise)
    assert hints.ttl is None or hints.ttl <= LONGEST
    assert hints.skip_hours <= set(range(24))
    read_links(b"<link rel='hub' href=" + noise + b"><link " + noise, URL)
