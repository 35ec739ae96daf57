"""What each reader promises, as a function of bytes. An exception means that it was not kept.

The first bytes of some choose how the rest is read (`_chosen`), so that a fuzzer can change that, too.
"""

# ruff: noqa: PT017 - either is right, what comes or why nothing does

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import tomllib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from monitor import config, opml, websub
from monitor.config import editing
from monitor.config.document import decoded
from monitor.errors import (
    ConfigError,
    ParseError,
    Permanent,
    QueryError,
    Refused,
    Transient,
)
from monitor.extract import extract_page
from monitor.fetch.guard import Guard, written_address
from monitor.fetch.robots import Robots
from monitor.hands.commands import searched
from monitor.match import Document, Matcher, compile_watches
from monitor.match.language import LONGEST, parse, parse_term
from monitor.match.language.showing import rendered
from monitor.match.lookup import WHATEVER, condition_of, is_fulfilled, marks_of
from monitor.match.passage import best_passage, highlight
from monitor.match.plan import content_of
from monitor.match.query import Term, bracketed
from monitor.model import FeedSpec, ParsedFeed, Watch
from monitor.parse import cut, discover, parse_feed, parse_rest
from monitor.parse.build import web_link
from monitor.parse.marks import Marks, guid_mark
from monitor.parse.sitemaps import named_in_page, named_in_robots, parse_sitemap
from monitor.pipeline import adopt
from monitor.ports import Page
from monitor.stories.urls import canonical_url, host_of, resolve_redirector, same_site
from monitor.telling.changes import changes
from monitor.websub.discovery import links, offer_of
from monitor.websub.protocol import Proof, lease_of
from tests.fakes import FakeClock
from tests.match.test_language import check_tree, placeless, walk

T = TypeVar("T")

URL = "https://news.example/world/feed.xml"
CONTENT_TYPES = (
    "",
    "application/rss+xml; charset=utf-8",
    "application/feed+json",
    "text/html; charset=windows-1251",
    "text/xml; charset=utf-16",
    "text/html; charset=nonsense",
    "application/xhtml+xml",
)


def _chosen(data: bytes, options: Sequence[T]) -> tuple[T, bytes]:
    """What the first byte chooses, and the rest."""
    return options[(data[0] if data else 0) % len(options)], data[1:]


def _text(data: bytes) -> str:
    """As JSON may bring it: with halves of characters."""
    return data.decode("utf-8", "surrogateescape")


def _halves(data: bytes) -> tuple[bytes, bytes]:
    """What stands before the first NUL, and behind it."""
    one, _, two = data.partition(b"\0")
    return one, two


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value."""
    match value:
        case str():
            yield value
        case bytes() | int() | float() | None | datetime() | timedelta():
            pass
        case Mapping():
            for key, each in value.items():
                yield from _texts(key)
                yield from _texts(each)
        case Iterable():
            for each in value:
                yield from _texts(each)
        case _ if is_dataclass(value):
            for field in fields(value):
                yield from _texts(getattr(value, field.name))


def check_storable(value: Any) -> None:
    """Both databases take every text of it, and every moment has a zone."""
    for text in _texts(value):
        assert "\0" not in text, f"NUL in {text[:80]!r}"
        text.encode()


# --------------------------------------------------------------------------- feeds and pages


def feeds(data: bytes) -> None:
    """A feed is read or refused; read in part it says what the whole says of that part."""
    content_type, body = _chosen(data, CONTENT_TYPES)
    try:
        whole = parse_feed(body, url=URL, content_type=content_type)
    except ParseError:
        return
    check_storable(whole)
    for entry in whole.entries:
        assert entry.guid
        assert entry.url is None or urlsplit(entry.url).scheme in {"http", "https"}
        assert entry.published_at is None or entry.published_at.tzinfo is not None
    kept = Marks.unpacked(whole.blocks)
    fresh = [place for place in range(len(kept.guids())) if zlib.crc32(body) >> place % 30 & 1]
    _check_part(body, content_type, whole, fresh)
    _check_part(body, content_type, whole, [])


def _check_part(body: bytes, content_type: str, whole: ParsedFeed, fresh: Sequence[int]) -> None:
    """As if all items but those at these places had been read before."""
    kept = Marks.unpacked(whole.blocks)
    pairs = [pair for place, pair in enumerate(kept.guids().items()) if place not in fresh]
    before = replace(kept, each=b"".join(map(b"".join, pairs)), listing=b"another!").packed()
    found = cut(body, url=URL, content_type=content_type, blocks=before)
    parsed = found.unchanged or parse_rest(found)
    if parsed is None or not kept.cuts:
        return
    guids = [list(kept.guids().values())[place] for place in fresh]
    expected = tuple(entry for entry in whole.entries if guid_mark(entry.guid) in guids)
    assert parsed.entries in {expected, whole.entries}, (parsed.entries, expected)
    assert (parsed.hints, parsed.hub, parsed.topic) == (whole.hints, whole.hub, whole.topic)


def pages(data: bytes) -> None:
    """A page is an article, or `ParseError` says what it is instead."""
    content_type, body = _chosen(data, CONTENT_TYPES)
    try:
        found = extract_page(body, url=URL, content_type=content_type, languages=("en", None))
    except ParseError:
        return
    check_storable(found)
    assert found.published_at is None or found.published_at.tzinfo is not None
    _match_whole(found.title, found.body)


def listings(data: bytes) -> None:
    """Feeds and sitemaps that a page, a sitemap or a robots.txt names are http(s) URLs."""
    content_type, body = _chosen(data, CONTENT_TYPES)
    found = [each.url for each in discover(body, URL, content_type=content_type)]
    found += named_in_page(body, URL)
    found += named_in_robots(body.decode("utf-8", "replace"), URL)
    with contextlib.suppress(ParseError):
        sitemap = parse_sitemap(body, URL)
        check_storable(sitemap)
        found += sitemap.children
        found += [entry.url for entry in sitemap.entries if entry.url]
    for url in found:
        check_storable(url)
        assert urlsplit(url).scheme in {"http", "https"}, url


# --------------------------------------------------------------------------- queries

_WATCHES = (
    Watch(name="a", terms=("ceasefire", "停火", "युद्धविराम", "flood*", "=US")),
    Watch(name="b", query='("truce talks"~5 OR peace NEAR/3 deal) NOT sport'),
    Watch(name="c", query="title:هدنة OR lead:Waffenruhe OR ATLEAST/2 dam"),
)
_WATCHED: Matcher = compile_watches(_WATCHES)
_NEWS = Document(
    "Ceasefire holds in Kashmir; U.S. hails “truce talks”",
    "NEW DELHI, 10 May (AP) - The cease-fire between India's and Pakistan's forces held, AT&T said."
    "\n\n停火協議 war in Kraft. युद्धविराम जारी. الهدنة صامدة. The dam's gates weren't opened in 2025.",
    language="en",
    sources=("Dawn", "AP"),
    sites=("www.dawn.com",),
    tags=("wire",),
    authors=("Asma Khan",),
)


def _match_whole(title: str, body: str) -> None:
    """Spans are places of the text; passages come of them."""
    for hit in _WATCHED.match(Document(title, body)):
        _check_hit(hit, title, body)


def _check_hit(hit: Any, title: str, body: str) -> None:
    for span in hit.spans:
        text = title if span.field == "title" else body
        assert 0 <= span.start < span.end <= len(text)
    spans = [span for span in hit.spans if span.field == "body"]
    passage = best_passage(body, spans, 120)
    assert len(passage.text) <= 120
    assert "".join(piece for piece, _ in highlight(body, spans)) == body


def queries(data: bytes) -> None:
    """A query is read, and reads the same written out; or `QueryError` says where it is wrong.

    What it finds is found by the index of articles, too. Behind a NUL: a text.
    """
    typed, about = _halves(data)
    text = _text(typed)
    with contextlib.suppress(QueryError):
        config.checked(searched(text))
    for read in (parse, parse_term):
        try:
            found = read(text)
        except QueryError as error:
            assert error.text == text
            assert 0 <= error.start <= error.end <= len(text)
            assert "\n" not in error.message + error.hint
            assert rendered(error)
            continue
        root = found if isinstance(found, Term) else found.root
        check_tree(root)
        assert all(
            0 <= node.start <= node.end <= len(text)
            for node in walk(root)
            if hasattr(node, "start")
        )
        assert placeless(parse(bracketed(root)).root) == placeless(root)
    try:
        config.checked(text)
    except QueryError:
        return
    matcher = compile_watches([Watch(name="w", query=text)])
    [plan] = matcher.plans().values()
    assert matcher.plans().keys() == {content_of(matcher.watches[0])}
    condition = condition_of(plan.root, lambda _: WHATEVER)
    for document in (_NEWS, Document(text, _text(about)), Document("", about.decode("latin-1"))):
        for hit in matcher.match(document):
            _check_hit(hit, document.title, document.body)
            assert is_fulfilled(condition, marks_of(document))


# --------------------------------------------------------------------------- the configuration

_FILE = Path(tempfile.gettempdir()) / f"fuzz-{os.getpid()}.toml"
_ENVIRONMENT = {"SLACK_BOT_TOKEN": "xoxb-1-fuzz", "MONITOR_WEB_TOKEN": "a-token-of-some-length"}


def settings(data: bytes) -> None:
    """A configuration is read, or each mistake is said in a sentence with its place in the file."""
    path = Path("feeds.toml")
    try:
        text = decoded(path, data)
        config.load_text(text, path, _ENVIRONMENT)
    except ConfigError as error:
        lines = data.count(b"\n") + data.count(b"\r") + 1
        assert error.mistakes
        for mistake in error.mistakes:
            assert mistake.message
            assert 0 <= mistake.line <= lines
            assert "a-token-of-some-length" not in str(mistake)
    try:
        _FILE.write_bytes(data)
        rest = config.load_what_is_right(_FILE, _ENVIRONMENT)
    finally:
        _FILE.unlink(missing_ok=True)
    assert rest.settings is not None


def edits(data: bytes) -> None:
    """An edit of the file says what was asked for and nothing else, or is refused.

    Before a NUL the file, behind it what is written into it.
    """
    one, two = _halves(data)
    try:
        file = decoded(Path("feeds.toml"), one)
        words = two.decode("utf-8", "ignore").strip()[:LONGEST] or "x"  # as long as a query may be
    except ConfigError:
        return
    watch = {"name": words[:40], "query": words, "terms": [words, "flood"], "realtime": True}
    with contextlib.suppress(Refused):
        new = editing.with_watch(file, watch)
        _check_edit(file, new, "watch", 1)
        assert tomllib.loads(new)["watch"][-1].keys() == watch.keys()
        _check_kept(file, new)
        with contextlib.suppress(Refused):  # somebody else's goes by that name
            assert _data(editing.without_watch(new, words[:40])) == _data(file)
    names = [each.get("name") for each in _listed(file, "watch")]
    for name in names[:2]:
        if isinstance(name, str):
            with contextlib.suppress(Refused):
                _check_edit(file, editing.changed_watch(file, name, {"query": words}), "watch", 0)
            with contextlib.suppress(Refused):
                _check_edit(file, editing.without_watch(file, name), "watch", -1)
    with contextlib.suppress(Refused):
        _check_edit(file, editing.with_feed(file, {"name": words, "url": URL}), "feed", 1)


def _data(file: str) -> Any:
    return tomllib.loads(file)


def _listed(file: str, kind: str) -> list[dict[str, Any]]:
    try:
        found = _data(file).get(kind, [])
    except (ValueError, RecursionError):
        return []
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _check_edit(old: str, new: str, kind: str, more: int) -> None:
    before, after = _data(old), _data(new)
    assert {**before, kind: 0} == {**after, kind: 0}
    assert len(after.get(kind, [])) == len(before.get(kind, [])) + more


def _check_kept(old: str, new: str) -> None:
    """Every line is still there, in its order."""
    left = iter(new.splitlines())
    assert all(any(line == each for each in left) for line in old.splitlines() if line.strip())


# --------------------------------------------------------------------------- addresses

_GUARD = Guard()


class _Site:
    """A fetcher whose every page is one robots.txt."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def get(self, url: str, **_: Any) -> Page:
        return Page(body=self._body, url=url)


def urls(data: bytes) -> None:
    """A URL has one canonical form, which is itself; what is inside by its looks is no public host.

    Behind a NUL: what it is relative to, or read as a robots.txt.
    """
    one, two = _halves(data)
    url, other = _text(one), _text(two)
    for base in (None, URL, other):
        with contextlib.suppress(Permanent):
            canonical = canonical_url(url, base)
            assert canonical_url(canonical) == canonical
            assert urlsplit(canonical).scheme in {"http", "https"}
            check_storable(canonical)
            same_site(canonical, URL)
            _check_host(host_of(canonical))
    for given in (url, other):
        resolve_redirector(given)
        with contextlib.suppress(Permanent):
            host_of(given)
        link = web_link(URL, given)
        assert link is None or urlsplit(link).scheme in {"http", "https"}
        _check_host(given)
    with contextlib.suppress(Transient):
        asyncio.run(_asked(two, url.encode("utf-8", "replace").decode()))


def _check_host(host: str) -> None:
    """What is judged by its looks: where a proxy resolves names."""
    try:
        _GUARD.check_name(host)
    except Permanent:
        return
    address = written_address(host.strip("[]").rstrip(".").lower())
    assert address is None or address.is_global, host


async def _asked(body: bytes, url: str) -> None:
    robots = Robots(_Site(body), FakeClock())
    for each in ("https://news.example/a", url):
        await robots.allows(each)
        assert timedelta(0) <= robots.crawl_delay(each) <= timedelta(seconds=30)


def hubs(data: bytes) -> None:
    """What a publisher says of its hub is a hub or nothing; what a hub says is believed if signed.

    Before a NUL the Link header, behind it what else is said.
    """
    one, two = _halves(data)
    header, said = one.decode("latin-1"), two.decode("latin-1")
    assert all(isinstance(link.target, str) for link in links(header))
    parsed = ParsedFeed(title="", language=None, entries=(), hub=said, topic=header)
    for document in (None, parsed):
        offer = offer_of({"link": header}, document, URL)
        for url in offer or ():
            assert urlsplit(url).scheme in {"http", "https"}
            assert url.isprintable()
            check_storable(url)
    assert timedelta(0) < lease_of(said) <= timedelta(days=365)
    websub.same_topic(header, said)
    proof = Proof("a secret", header)
    proof.feed(two)
    assert not proof.holds(), "nobody can guess a signature"


def lists(data: bytes) -> None:
    """A list of feeds is read or refused in a sentence; written by us it says the same again."""
    try:
        outlines = opml.read(data)
    except Refused as error:
        assert "\n" not in str(error)
        return
    items = adopt.plan(outlines, ())
    assert len(items) == len(outlines)
    check_storable(outlines)
    sound = [(each, item.table) for each, item in zip(outlines, items, strict=True) if item.table]
    specs = [
        FeedSpec(
            url=str(table["url"]),
            name=str(table["name"]),
            publisher=each.publisher or "y",
            side=each.side,
            tags=each.tags[:3],
        )
        for each, table in sound[:20]
    ]
    again = opml.read(opml.write(specs, title="t", now=datetime(2025, 5, 10, tzinfo=UTC)))
    assert sorted(each.url for each in again) == sorted(each.url for each in specs)


def revisions(data: bytes) -> None:
    """What changed between two texts is told by parts of them; what is the same has no changes."""
    one, two = (half.decode("utf-8", "replace").replace("\0", " ") for half in _halves(data))
    found = changes(one, two)
    words = (_bare(one), _bare(two))
    for passage in found.passages:
        for edit in passage:
            sides = {"same": words, "gone": words[:1], "new": words[1:]}[edit.kind]
            assert any(_bare(edit.text) in side for side in sides), edit
    assert not changes(one, one).passages
    if one.split() == two.split():
        assert not found.passages


def _bare(text: str) -> str:
    """What can be seen, without ellipses and what stands in the place of controls."""
    return "".join(
        each for each in text if each.isprintable() and not each.isspace() and each not in "…\ufffd"
    )


PURE: Mapping[str, Any] = {
    target.__name__: target
    for target in (feeds, pages, listings, queries, settings, edits, urls, hubs, lists, revisions)
}
"""Those that need nothing but their bytes."""
