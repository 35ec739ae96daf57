"""The hub that a feed offers, by its headers and by its document."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import ParsedFeed
from monitor.websub import Offer, offer_of
from monitor.websub.discovery import Link, links

URL = "https://news.example/world/feed"
HUB, SELF = "https://hub.example/", "https://news.example/feed"


def parsed(hub: str | None = None, topic: str | None = None) -> ParsedFeed:
    return ParsedFeed(title="News", language=None, entries=(), hub=hub, topic=topic)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", []),
        ("nonsense", []),
        ("<a>", [("a", "")]),
        ('<a>; rel="hub"', [("a", "hub")]),
        ("<a>; rel=hub", [("a", "hub")]),
        ("<a>;REL=HUB", [("a", "hub")]),
        ('<a> ; rel = "hub" ', [("a", "hub")]),
        ('<a>; rel="hub", <b>; rel="self"', [("a", "hub"), ("b", "self")]),
        ('<a>; title="x, <c>; rel=hub"; rel=self, <b>;rel=hub', [("a", "self"), ("b", "hub")]),
        (r'<a>; title="quoted \", <c>"; rel="hub"', [("a", "hub")]),
        ("<a,b;c>; rel=hub", [("a,b;c", "hub")]),
        ('<a>; rel="self hub"', [("a", "hub self")]),
        ("<a>; rel=self; rel=hub", [("a", "self")]),
        ("<a>; type=text/xml; rel=hub; x", [("a", "hub")]),
        ("<a>; rel=", [("a", "")]),
        ("<a>; rel", [("a", "")]),
        (", ,<a>; rel=hub,,", [("a", "hub")]),
        ("junk, <a>; rel=hub", [("a", "hub")]),
        ("<a; rel=hub, <b>; rel=hub", [("b", "hub")]),
        ('<a>; title="never ends, <b>; rel=hub', [("a", ""), ("b", "hub")]),
        ("<a>; rel=hub extra, <b>; rel=self", [("a", "hub"), ("b", "self")]),
    ],
)
def test_a_link_header_is_read_as_the_standard_has_it(header: str, found) -> None:
    """Commas in quotes and in targets, several relations, the first of two; odd ones passed over."""
    assert [(link.target, " ".join(sorted(link.relations))) for link in links(header)] == found


def test_an_anchor_makes_it_the_link_of_another_page() -> None:
    """A header may speak of others; their hub is not this feed's."""
    assert [*links('<a>; rel=hub; anchor="/other"')] == [Link("a", frozenset({"hub"}), "/other")]
    other = f'<{HUB}>; rel="hub"; anchor="https://elsewhere.example/"'
    assert offer_of({"link": other}, None, URL) is None
    assert offer_of({"link": f'<{HUB}>; rel=hub; anchor=""'}, None, URL) == Offer(HUB, URL)


@pytest.mark.parametrize(
    ("header", "document", "offer"),
    [
        ("", parsed(), None),
        ("", None, None),
        (f'<{HUB}>; rel="hub", <{SELF}>; rel="self"', None, Offer(HUB, SELF)),
        ("", parsed(HUB, SELF), Offer(HUB, SELF)),
        # the header comes first, each part of it
        (f"<{HUB}>; rel=hub, <{SELF}>; rel=self", parsed("https://b/", "https://c/"), (HUB, SELF)),
        (f"<{HUB}>; rel=hub", parsed("https://other.example/", SELF), (HUB, SELF)),
        (f"<{SELF}>; rel=self", parsed(HUB), (HUB, SELF)),
        # without a self it is known by where it was found
        (f"<{HUB}>; rel=hub", None, Offer(HUB, URL)),
        # of several hubs the first that can be asked
        (f"<ftp://a/>; rel=hub, <{HUB}>; rel=hub, <https://c/>; rel=hub", None, Offer(HUB, URL)),
        # relative ones are of the feed's own site
        ("</hub#x>; rel=hub, <./feed?a=1>; rel=self", None,
         ("https://news.example/hub", "https://news.example/world/feed?a=1")),
        # what no one could ask
        ("<javascript:alert(1)>; rel=hub", None, None),
        ("<>; rel=hub", None, None),
        ("<http://>; rel=hub", None, None),
        ("<http://[::1>; rel=hub", None, None),
        (f"<https://hub.example/{'a' * 2000}>; rel=hub", None, None),
        ("", parsed("https://hub.example/\u202e", SELF), None),
        (f"<{SELF}>; rel=self", parsed(), None),
        (f"<{HUB}>; rel=hubs, <{HUB}>; rel=pubsubhubbub", None, None),
    ],
)  # fmt: skip
def test_the_hub_of_a_feed(header: str, document: ParsedFeed | None, offer) -> None:
    """Header before document; hub and self may stand in different places."""
    assert offer_of({"link": header} if header else {}, document, URL) == offer


@given(st.text(alphabet='<>;,="\\ \trelhubsf/:', max_size=60))
def test_any_header_is_read_without_an_error(header: str) -> None:
    """And nothing that was not in it is found."""
    assert all(link.target in header for link in links(header))


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[a-z/:.?,;=]{1,12}", fullmatch=True),
            st.sampled_from(["hub", "self", "next"]),
            st.text(alphabet='a<>,;="\\', max_size=8),
        ),
        max_size=5,
    )
)
def test_what_is_written_by_the_standard_is_read_back(several) -> None:
    """However odd a title is, it hides no link and makes none up."""
    header = ", ".join(
        '<{}>; title="{}"; rel="{}"'.format(
            target, title.replace("\\", "\\\\").replace('"', '\\"'), relation
        )
        for target, relation, title in several
    )
    assert [(link.target, *link.relations) for link in links(header)] == [
        (target, relation) for target, relation, _ in several
    ]


@pytest.mark.parametrize("piece", [",", "<", "<a", ';a="', "<a>;", '<a>;a="\\', " ", "<a>; ", ";"])
def test_a_hostile_header_costs_no_time(piece: str) -> None:
    """What is repeated to the limit of headers and beyond is read in a moment."""
    began = time.process_time()
    [*links(piece * (200_000 // len(piece)))]
    assert time.process_time() - began < 0.5
