"""Group: which story an article belongs to, decided inside its ingest's transaction.

In this order: what people decided; the same words within two weeks; most of the same words within
three days; for an article that a watch matched, the same event; else a story of its own. One
article after the other (`Transaction.lock_stories`), by what the database holds and nothing else:
so the same articles make the same stories, whoever brings them and however often.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from monitor.model import Article, ArticleId, StoryId
from monitor.pipeline.merge import may_merge, merge
from monitor.ports import Candidate, Candidates, Transaction
from monitor.stories import copies, events
from monitor.stories.copies import Fingerprint, Kinship
from monitor.stories.events import Report, Thread
from monitor.stories.frequencies import Frequencies
from monitor.stories.urls import same_site

KEPT: Final = timedelta(days=14)
"""How long the same words are a copy of their first appearance, and what grouping keeps is kept."""


NEWEST: Final = 200
"""Stories that are looked up under a term: of a name that is in all the news, the newest."""

FOUND: Final = 30
"""Stories that share the heaviest terms with a report, and may have fallen silent since."""

JUDGED: Final = 20
"""Of those that have not, how many it is compared with, in the same order. Of 2,700 texts that joined a
story none joined one behind the eighth, and of 3,000 headlines one behind the fifteenth."""


class Role(StrEnum):
    """What an article is to its story."""

    COPY = "copy"  # its text is another's
    UPDATE = "update"  # a copy with much new text
    REPORT = "report"  # a text of its own about an event that others report
    FIRST = "first"  # the only one of its story so far
    SETTLED = "settled"  # where it was before


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What an article is grouped by: worked out before the transaction, which others wait for."""

    at: datetime  # its own time, see `time_of`
    fingerprint: Fingerprint
    report: Report | None = None  # of what a watch matched: nothing else is looked for by event


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The decision."""

    story: StoryId
    role: Role
    shown_in: Sequence[str] = ()  # channels that show the story already: they will be edited


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    """An article's family, where it has one."""

    root: ArticleId
    story: StoryId
    kinship: Kinship
    novelty: float


def time_of(published_at: datetime | None, first_seen_at: datetime) -> datetime:
    """An article's own time: its date, unless that is missing or in the future."""
    if published_at is None or published_at > first_seen_at:
        return first_seen_at
    return published_at


def marks_of(
    content: Article, *, first_seen_at: datetime, matched: bool, frequencies: Frequencies
) -> Marks:
    """What an article is grouped by; `matched`: by any watch. Some milliseconds."""
    at = time_of(content.published_at, first_seen_at)
    title, body, language = content.title, content.body, content.language
    fingerprint = copies.fingerprint(title, body)  # first: what it reads the report need not
    report = (
        events.report(title, body, at=at, language=language, frequencies=frequencies)
        if matched
        else None
    )
    return Marks(at=at, fingerprint=fingerprint, report=report)


def group(
    tx: Transaction,
    article: ArticleId,
    marks: Marks,
    *,
    now: datetime,
    debounce: timedelta,
    other_than: StoryId | None = None,
) -> Placed:
    """Put a saved article where it belongs, and that is not `other_than`.

    The caller holds `lock_stories`.

    An article that stands somewhere already moves only while it is alone there and nobody was told
    of it. Messages of the story that it joins are edited after `debounce`.
    """
    place = tx.place_of(article)
    found = tx.copy_candidates(
        marks.fingerprint.keys,
        marks.at - copies.WINDOW,
        min(marks.at + copies.WINDOW, now),
        other_than=article,
        hottest=copies.HOTTEST,
        limit=copies.RANKED,
    )
    if place.fixed:
        assert place.story is not None
        _keep(tx, article, marks, found, root=place.root, now=now)
        open_thread(tx, place.story, marks.report)
        return Placed(story=place.story, role=Role.SETTLED)
    families, apart = _families(tx, article, marks, found, now)
    ruled_out = place.ruled_out | apart | ({other_than} if other_than is not None else set())
    families = [family for family in families if family.story not in ruled_out]
    family = families[0] if families else None
    _keep(tx, article, marks, found, root=family.root if family else None, now=now)
    if family is not None:
        for other in families[1:]:
            family = _united(tx, family, other, now)
        tx.put_in_story(article, family.story, copy_of=family.root, novelty=family.novelty)
        open_thread(tx, family.story, marks.report)
        shown_in = tx.refresh_deliveries(family.story, now + debounce)
        return Placed(story=family.story, role=Role(family.kinship), shown_in=shown_in)
    event = _Event()
    if marks.report is not None:
        event = _event(tx, marks.report, ruled_out, now)
        if place.story is None:  # else it was counted when it was read first
            tx.add_report(marks.at, events.terms_to_count(marks.report))
    if event.story is not None:
        tx.put_in_story(article, event.story, copy_of=None)
        shown_in = tx.refresh_deliveries(event.story, now + debounce)
        return Placed(story=event.story, role=Role.REPORT, shown_in=shown_in)
    story = place.story
    if story is None or event.follows is not None:
        story = tx.new_story(now, follows=event.follows)
        tx.put_in_story(article, story, copy_of=None)
    if marks.report is not None:
        _set_thread(tx, story, events.opened(marks.report), marks.report)
    return Placed(story=story, role=Role.FIRST)


# --------------------------------------------------------------------------- copies


def _families(
    tx: Transaction,
    article: ArticleId,
    marks: Marks,
    found: Candidates,
    now: datetime,
) -> tuple[Sequence[_Family], AbstractSet[StoryId]]:
    """The families that the article may be of, the likeliest first; and whose story it is not.

    The latter are those that have its text, and that a feed lists beside it under another
    headline: whatever the two pages say (an offer to subscribe, as a rule), they are two.
    """
    families: dict[ArticleId, _Family] = {}
    apart: set[StoryId] = set()
    for candidate, family in _kin(tx, article, marks, found.articles, now):
        if family.root in families:
            continue
        if _told_apart(tx, article, candidate):
            apart.add(family.story)
        else:
            families[family.root] = family
    return [*families.values()], apart


def _told_apart(tx: Transaction, one: ArticleId, other: ArticleId) -> bool:
    """Whether a feed lists both under different headlines, and they are of one site.

    Who lists what others publish lists many outlets' prints of one report.
    """
    if not tx.told_apart(one, other):
        return False
    urls = tx.url_of(one), tx.url_of(other)
    return not all(url.startswith("http") for url in urls) or same_site(*urls)


def _kin(
    tx: Transaction,
    article: ArticleId,
    marks: Marks,
    candidates: Iterable[Candidate],
    now: datetime,
) -> Iterator[tuple[ArticleId, _Family]]:
    """The articles that this one is a copy of, the most alike first, each with its family."""
    if marks.fingerprint.exact is not None:
        twin = tx.twin_of(marks.fingerprint.exact, now - KEPT, article)
        if twin is not None and twin.story is not None:
            yield (
                twin.article,
                _Family(root=twin.root, story=twin.story, kinship=Kinship.COPY, novelty=0.0),
            )
    kin = []
    for each in candidates:
        other = copies.unpacked(each.packed)
        apart = marks.at - time_of(each.published_at, each.first_seen_at)
        kinship = copies.kinship(marks.fingerprint, other, apart)
        if kinship is not None:
            like = copies.likeness(marks.fingerprint, other)
            family = _Family(root=each.root, story=each.story, kinship=kinship, novelty=like.new)
            kin.append((-like.jaccard, each.first_seen_at, each.article, family))
    kin.sort(key=lambda found: found[:3])
    yield from ((candidate, family) for *_, candidate, family in kin)


def _keep(
    tx: Transaction,
    article: ArticleId,
    marks: Marks,
    found: Candidates,
    *,
    root: ArticleId | None,
    now: datetime,
) -> None:
    """Have the article found by later copies.

    Not by keys that too many share, and not by those that its family of this day is found by: else
    a report that fifty outlets print would make its own keys hot, and the next ones be no copies.
    """
    if now - marks.at > KEPT:
        return  # nothing that old is looked for
    held = {
        key
        for each in found.articles
        if each.root == root
        and abs(marks.at - time_of(each.published_at, each.first_seen_at)) < timedelta(days=1)
        for key in each.keys
    }
    keys = set(marks.fingerprint.keys) - found.hot - held
    tx.keep_fingerprint(article, marks.at, keys, copies.packed(marks.fingerprint))


def _united(tx: Transaction, family: _Family, other: _Family, now: datetime) -> _Family:
    """Two families turn out to be one: most of the article's text stands in both.

    That of an update does not: a digest holds two reports, and they are two all the same. Nor do
    they become one where both stories were told, or people took one out of the other.
    """
    if Kinship.UPDATE in {family.kinship, other.kinship}:
        return family
    story = family.story
    if other.story != story:
        if not may_merge(tx, story, other.story):
            return family
        story = merge(tx, story, other.story, now=now)
    root, joins = sorted((family.root, other.root))  # the older one, as ids count
    tx.join_families(joins, root)
    return replace(family, root=root, story=story)


# --------------------------------------------------------------------------- events


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """Where a report belongs: a story, or a new chapter of one, or neither."""

    story: StoryId | None = None
    follows: StoryId | None = None


def open_thread(tx: Transaction, story: StoryId, report: Report | None) -> None:
    """Have a story found by what this article reports, if it can't be found by event yet.

    Copies leave a thread as it is: the same words again are no more about the event than before.
    """
    if report is not None and not tx.threads([story]):
        _set_thread(tx, story, events.opened(report), report)


def _set_thread(tx: Transaction, story: StoryId, thread: Thread, report: Report) -> None:
    tx.set_thread(story, events.packed(thread), events.terms_to_index(report))


def _event(
    tx: Transaction, report: Report, ruled_out: AbstractSet[StoryId], now: datetime
) -> _Event:
    """The story of the event that an article reports; it is found by the article from now on."""
    found = _stories_about(tx, report, ruled_out)
    lately = tx.reports_with(events.terms_to_count(report), report.at - events.LATELY, report.at)
    choice = events.choose(report, [thread for _, thread in found], lately)
    if choice.thread is None:
        return _Event()
    story, thread = found[choice.thread]
    while report.at - thread.first_at > events.CHAPTER:
        following = tx.chapter_after(story)
        packed = tx.threads([following]) if following is not None else {}
        if following is None or following not in packed or following in ruled_out:
            return _Event(follows=story)
        story, thread = following, events.unpacked(packed[following])
    if choice.also is not None:
        other, its_thread = found[choice.also]
        is_open = report.at - its_thread.first_at <= events.CHAPTER
        told = events.is_terse(report)  # of headlines, the first few share no word
        if is_open and other != story and may_merge(tx, story, other, though_told=told):
            story = merge(tx, story, other, now=now)
            thread = events.unpacked(tx.threads([story])[story])
    _set_thread(tx, story, events.grown(thread, report), report)
    return _Event(story=story)


def _stories_about(
    tx: Transaction, report: Report, ruled_out: AbstractSet[StoryId]
) -> Sequence[tuple[StoryId, Thread]]:
    """The stories that share the heaviest terms with a report, of each term the newest."""
    terms = {term: report.vector[term] for term in events.terms_to_look_up(report)}
    found = tx.stories_about(terms, each=NEWEST, limit=FOUND + len(ruled_out))
    alive = [
        (story, packed)
        for story, packed in found
        if story not in ruled_out and not events.is_silent(packed, report.at)
    ]
    return [(story, events.unpacked(packed)) for story, packed in alive[:JUDGED]]
