"""What a right service makes of the newsroom: the facts to check a run against.

The hits are stated by hand beside each article's words in `data/`; nothing here asks the matcher.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor.demo.newsroom import feed_path, path_of
from monitor.demo.script import Item, Script, load, words_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedArticle:
    """One article, however often it is listed and under however many URLs."""

    id: str  # outlet/slug
    path: str | None  # of the canonical URL, with its query; None: the entry has no link
    publisher: str
    language: str
    event: str  # the same for all articles about one event: what a person would call a story
    headlines: tuple[str, ...]  # first to last
    minute: int  # at which it appears; negative: in the feeds from the start
    changes: tuple[int, ...]  # minutes at which its text changes
    feeds: tuple[str, ...]  # the names of all that list it
    hits: tuple[str, ...]  # watches that its first version must hit
    later_hits: tuple[str, ...]  # watches that its last version must hit
    traps: tuple[str, ...]  # watches that only the page's furniture would hit
    furnished: bool  # the page repeats a paragraph of its site inside the article
    copy_of: str | None  # the wire report that its words come from
    twin_of: str | None  # the first article with exactly its words, punctuation aside
    backlog: bool  # in the feeds from the start
    old: bool  # its date lies more than a day before its appearance
    alertable: bool  # by its age: if it hits, somebody is told (unless backlog is held back too)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedFeed:
    """One feed over the whole time."""

    name: str
    path: str
    entries: int  # listed in all
    dies_at: int | None  # the minute from which it never answers again


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The whole newsroom at the end of the last hour."""

    articles: tuple[ExpectedArticle, ...]  # in order of appearance
    feeds: tuple[ExpectedFeed, ...]

    @property
    def entries(self) -> int:
        """Entries of all feeds together."""
        return sum(feed.entries for feed in self.feeds)


def expected(script: Script | None = None) -> Expected:
    """The facts of a script; of the one that ships, if none is given."""
    script = script or load()
    originals: dict[tuple[str, ...], str] = {}
    articles = []
    for item in script.items.values():
        first = originals.setdefault(words_of(item.versions[0].body), item.id)
        articles.append(_article(script, item, twin_of=None if first == item.id else first))
    feeds = tuple(
        ExpectedFeed(
            name=feed.name,
            path=feed_path(outlet, feed),
            entries=len(script.of(outlet)),
            dies_at=next((fault.start for fault in feed.faults if fault.until is None), None),
        )
        for outlet, feed in script.feeds
    )
    return Expected(articles=tuple(articles), feeds=feeds)


def _article(script: Script, item: Item, *, twin_of: str | None) -> ExpectedArticle:
    old = item.draft.days_ago is not None
    return ExpectedArticle(
        id=item.id,
        path=path_of(item) if item.draft.linked else None,
        publisher=item.outlet.name,
        language=item.outlet.language,
        event=item.draft.event,
        headlines=tuple(dict.fromkeys(version.headline for version in item.versions)),
        minute=item.draft.at,
        changes=tuple(version.minute for version in item.versions[1:]),
        feeds=tuple(feed.name for outlet, feed in script.feeds if outlet == item.outlet),
        hits=item.versions[0].hits,
        later_hits=item.versions[-1].hits,
        traps=item.draft.traps,
        furnished=bool(item.outlet.also_read),
        copy_of=item.draft.copy_of,
        twin_of=twin_of,
        backlog=item.draft.at < 0,
        old=old,
        alertable=not old,
    )
