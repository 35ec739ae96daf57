"""OPML: what other readers write is read, what we write means the same again, nothing is expanded."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor import opml
from monitor.errors import Refused
from monitor.model import FeedSpec
from monitor.pipeline import adopt
from monitor.pipeline.adopt import Fate

NOW = datetime(2025, 5, 10, 12, 0, tzinfo=UTC)

LIST = b"""<?xml version="1.0"?>
<opml version="1.0"><head><title>Mine</title></head><body>
<outline text="Asia"><outline text="Wires">
  <outline text="A &amp; B" title="A &amp; B" type="rss" xmlUrl="https://a.example/rss" htmlUrl="https://a.example/" language="en"/>
</outline></outline>
<outline xmlurl="https://b.example/f?x=1&y=2" text="Sloppy" category="/Asia/India,war"/>
<outline text="A link" url="https://c.example/"/>
<outline xmlUrl="https://A.example/rss" text="Again"/>
<outline xmlUrl="feed://nowhere" text="Odd"/>
<outline xmlUrl="https://d.example/rss" text="Known"/>
</body></opml>"""


def test_folders_and_categories_are_tags_in_any_spelling() -> None:
    """Of attributes, and of ampersands that nobody escaped."""
    first, second, *_ = opml.read(LIST)
    assert (first.title, first.url, first.tags) == (
        "A & B",
        "https://a.example/rss",
        ("Asia", "Wires"),
    )
    assert (first.language, first.site, first.line) == ("en", "https://a.example/", 4)
    assert (second.title, second.tags) == ("Sloppy", ("Asia", "India", "war"))
    assert second.url.startswith("https://b.example/f?x=1")


def test_each_feed_of_a_list_is_new_known_twice_or_wrong() -> None:
    """As it is told before anything is written."""
    known = FeedSpec(url="http://d.example/rss", name="The D", publisher="The D")
    items = adopt.plan(opml.read(LIST), [known])
    assert [(each.fate, each.why) for each in items] == [
        (Fate.NEW, ""),
        (Fate.NEW, ""),
        (Fate.TWICE, "line 4"),
        (Fate.WRONG, "its address must start with http:// or https://"),
        (Fate.KNOWN, "The D"),
    ]
    assert items[0].table == {
        "name": "A & B",
        "url": "https://a.example/rss",
        "language": "en",
        "tags": ["Asia", "Wires"],
    }


def test_names_are_each_feeds_own() -> None:
    """A second one of a name is told by its host, a third by a number; none is longer than a name."""
    lines = "".join(
        f'<outline text="News" xmlUrl="https://{host}.example/{n}"/>'
        for n, host in enumerate(("a", "b", "b"))
    )
    long = f'<outline text="{"x" * 300}" xmlUrl="https://c.example/"/>'
    untitled = '<outline xmlUrl="https://www.d.example/rss"/>'
    items = adopt.plan(opml.read(f"<opml><body>{lines}{long}{untitled}</body></opml>".encode()), ())
    names = [each.table["name"] for each in items if each.table]
    assert names[:3] == ["News", "News (b.example)", "News (2)"]
    assert len(names[3]) == 100
    assert names[4] == "d.example"


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (b"", "no OPML"),
        (b"{}", "no OPML"),
        (b"<rss><channel/></rss>", "no OPML"),
        (b"<opml" + b" " * opml.LARGEST + b"/>", "too large: 1 MB"),
        (
            b'<!DOCTYPE opml [<!ENTITY a SYSTEM "file:///etc/passwd">]><opml>&a;</opml>',
            "entities of its own",
        ),
        (b'<!DOCTYPE o [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><opml>&b;</opml>', "entities"),
    ],
)
def test_what_is_no_list_or_a_hostile_one_is_refused(document: bytes, sentence: str) -> None:
    """In one sentence."""
    with pytest.raises(Refused, match=sentence):
        opml.read(document)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-7"])
def test_entities_are_refused_however_they_are_written(encoding: str) -> None:
    """Nothing of a file's stands in a name."""
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE opml [<!ENTITY a SYSTEM '
        '"file:///etc/passwd">]><opml><body><outline text="&a;" xmlUrl="https://a.example/"/>'
        "</body></opml>"
    )
    with pytest.raises(Refused):
        opml.read(text.encode(encoding))


def test_a_deep_list_ends_somewhere() -> None:
    """Folders in folders, a hundred thousand times, are neither a crash nor a wait."""
    deep = b"<opml><body>" + b'<outline text="x">' * 40_000 + b"</body></opml>"
    assert opml.read(deep) == ()


LETTERS = st.characters(codec="utf-8", exclude_categories=("C", "Z"))
TEXT = st.builds("{}{}".format, LETTERS, st.text(LETTERS | st.sampled_from("&<>\"'"), max_size=20))
TAG = st.from_regex(r"[a-z]{1,8}( [a-z]{1,5})?", fullmatch=True)
SPECS = st.lists(
    st.builds(
        FeedSpec,
        url=st.integers(0, 10**6).map(lambda n: f"https://a.example/{n}?a=1&b=<2>"),
        name=TEXT,
        publisher=TEXT,
        side=st.none() | st.sampled_from(["india", "pakistan"]),
        language=st.none() | st.sampled_from(["en", "hi", "ur"]),
        tags=st.lists(TAG, unique=True, max_size=3).map(tuple),
        tier=st.integers(1, 3),
    ),
    max_size=6,
    unique_by=lambda spec: spec.url,
)


@settings(max_examples=40)
@given(SPECS)
def test_what_we_write_means_the_same_again(specs: list[FeedSpec]) -> None:
    """Name, publisher, side, tier, language and tags, in any script."""
    unique = list({spec.name.casefold(): spec for spec in specs}.values())
    found = adopt.plan(opml.read(opml.write(unique, title="desk", now=NOW)), ())
    tables = {each.table["url"]: each.table for each in found if each.table}
    assert tables == {spec.url: adopt.table_of_spec(spec) for spec in unique}


def test_lists_of_the_wild_are_read(corpus: Path) -> None:
    """Every one of them, and each feed in it can be declared."""
    for path in sorted((corpus / "feed_lists").glob("*.opml")):
        items = adopt.plan(opml.read(path.read_bytes()), ())
        assert len(items) >= 3, path.name
        assert {each.fate for each in items} <= {Fate.NEW, Fate.TWICE}, path.name
