"""A story → its timeline, why each article is in it, and what a change would do. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from monitor.compose import Rules, named_by, voices
from monitor.model import ArticleId, DeliveryState, StoryId
from monitor.pipeline.group import time_of
from monitor.ports import Coverage, DeliveryRow, StoryTrace, StoryView, Verdict
from monitor.stories import copies, events, terms
from monitor.stories.frequencies import Frequencies
from monitor.telling.changes import Changes, Revised, changes, revised
from monitor.web import view, words
from monitor.web.view import Found, Labelled, Segment

SHOWN: Final = 100
"""Families that a timeline shows, and copies of each."""

REVISIONS: Final = 5
"""Revisions of an article that a timeline shows, the newest."""

LONGEST: Final = 20_000
"""Characters of an article that a timeline shows; who wants more asks for the article alone."""

TEXTS: Final = 300_000
"""Characters of all articles together, likewise."""

DIFFERENCES: Final = 12
"""Copies of a story that are held against their originals: tens of milliseconds each."""

_SHARED: Final = 6  # words that tell what an article has in common with others
_WORD: Final = re.compile(r"\w[^\s,;:!?()\[\]«»“”\"]*")
_PART: Final = re.compile(r"[^/|&+–—-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """An article in its story."""

    article: ArticleId
    headline: tuple[Segment, ...]
    href: str | None
    publisher: str
    also: tuple[str, ...]  # other publishers whose feeds list it
    agency: str | None
    language: str | None
    at: datetime
    is_dated: bool  # `at` is its own date, else when it was first seen
    kind: str  # report | copy | update
    why: str  # it is in this story, as a sentence
    shared: tuple[str, ...]  # words it has in common with the reports before it
    found: tuple[Found, ...]
    passage: tuple[Segment, ...]
    text: tuple[Labelled, ...]  # all of it, with what each watch found; () if it is too long
    length: int  # words
    differs: Changes | None  # of a copy: from its original, as far as it was looked
    decisions: tuple[Verdict, ...]
    revised: tuple[Revised, ...]  # what it said before, the newest first
    copies: tuple[Piece, ...]  # only of a root
    more: int  # copies that are not shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A story with its articles, by their time."""

    story: StoryId
    headline: str
    language: str | None
    since: datetime
    counts: tuple[str, ...]  # "6 publishers", …
    found: tuple[Found, ...]
    pieces: tuple[Piece, ...]
    more: int  # pieces that are not shown
    can_split: bool  # something would be left
    kept_out: tuple[tuple[Verdict, str | None], ...]  # what people took out, with a link


def timeline(
    trace: StoryTrace,
    frequencies: Frequencies,
    max_age: timedelta | None = None,
    *,
    texts: bool = True,
) -> Timeline:
    """A story as people read it; some milliseconds for each report. `texts`: with all they say."""
    articles = trace.view.articles
    roots, families = _families(articles)
    likeness = _likeness([each for each in roots if each.hits], frequencies)
    room = _Room() if texts else _Room(characters=0, comparisons=0)
    lead = named_by(trace.view, max_age)
    by_id = {each.article: each for each in articles}
    first = min(
        (each for each in roots if each.copy_of is None),
        key=lambda each: (each.first_seen_at, each.article),
        default=None,
    )

    def piece(each: Coverage) -> Piece:
        copied = families.get(each.article, ())
        like = likeness.get(each.article)
        if each.copy_of is not None:
            why = _why_copy(each, by_id.get(each.copy_of))
        elif each is first:
            why = "It opened this chapter." if trace.follows else "It opened the story."
        else:
            why = _why_here(like, trace)
        return _piece(
            each,
            why=why,
            shared=like.shared if like else (),
            trace=trace,
            room=room,
            root=by_id.get(each.copy_of) if each.copy_of is not None else None,
            copies=tuple(
                _piece(copy, why=_why_copy(copy, each), trace=trace, room=room, root=each)
                for copy in copied[:SHOWN]
            ),
            more=max(0, len(copied) - SHOWN),
        )

    return Timeline(
        story=trace.view.story,
        headline=lead.title,
        language=view.language(lead.language),
        since=since(trace.view),
        counts=counts(trace.view),
        found=view.found_by((hit.watch, hit.spans) for each in articles for hit in each.hits),
        pieces=tuple(map(piece, roots[:SHOWN])),
        more=max(0, len(roots) - SHOWN),
        can_split=len(roots) > 1 or any(families.values()),
        kept_out=tuple(
            (each, view.web_link(each.url))
            for each in trace.verdicts
            if not each.belongs and each.story == trace.view.story and each.article not in by_id
        ),
    )


def since(story: StoryView) -> datetime:
    """The time of a story's first article."""
    return min(map(_time, story.articles))


def counts(story: StoryView) -> tuple[str, ...]:
    """How much there is to a story: articles, copies, publishers, and how many speak themselves."""
    articles = story.articles
    publishers = {name for each in articles for name in each.publishers}
    updates = sum(map(_is_update, articles))
    copied = sum(each.copy_of is not None for each in articles) - updates
    own = len(voices(story))
    said = [words.some(len(articles), "article")]
    if len(publishers) > 1:
        said.append(words.some(len(publishers), "publisher"))
    if copied:
        said.append(words.some(copied, "copy", "copies"))
    if updates:
        said.append(words.some(updates, "update"))
    if own < len(publishers):
        said.append(words.some(own, "independent report"))
    return tuple(said)


def _families(
    articles: Sequence[Coverage],
) -> tuple[Sequence[Coverage], Mapping[ArticleId, Sequence[Coverage]]]:
    """What stands in the timeline itself, by time, and what is folded under it.

    An update stands for itself, because it has something to say; so does a copy of nothing here.
    """
    ordered = sorted(articles, key=lambda each: (_time(each), each.article))
    inside = {each.article for each in articles}
    roots: list[Coverage] = []
    families: dict[ArticleId, list[Coverage]] = {}
    for each in ordered:
        if each.copy_of is None or each.copy_of not in inside or _is_update(each):
            roots.append(each)
        else:
            families.setdefault(each.copy_of, []).append(each)
    return roots, families


def _time(article: Coverage) -> datetime:
    return time_of(article.published_at, article.first_seen_at)


def _is_update(article: Coverage) -> bool:
    return article.copy_of is not None and (article.novelty or 0.0) > copies.NEWS


def _piece(
    article: Coverage,
    *,
    why: str,
    shared: tuple[str, ...] = (),
    trace: StoryTrace,
    room: _Room,
    root: Coverage | None = None,
    copies: tuple[Piece, ...] = (),
    more: int = 0,
) -> Piece:
    spans = sorted({span for hit in article.hits for span in hit.spans})
    publisher, *also = article.publishers or ("",)
    at = _time(article)
    kind = "report" if article.copy_of is None else "update" if _is_update(article) else "copy"
    return Piece(
        article=article.article,
        headline=view.headline(article.title, spans),
        href=view.web_link(article.url),
        publisher=publisher,
        also=tuple(also),
        agency=article.agency,
        language=view.language(article.language),
        at=at,
        is_dated=at == article.published_at,
        kind=kind,
        why=why,
        shared=shared,
        found=view.found_by((hit.watch, hit.spans) for hit in article.hits),
        passage=view.passage(article.body, spans) if kind != "copy" else (),
        text=whole(article) if room.takes(article.body) else (),
        length=len(article.body.split()),
        differs=changes(root.body, article.body) if root and room.compares() else None,
        decisions=_decisions(article, trace),
        revised=revised(
            trace.revisions.get(article.article, ()), article.title, article.body, most=REVISIONS
        )[::-1],
        copies=copies,
        more=more,
    )


def why_here(trace: StoryTrace, article: ArticleId, frequencies: Frequencies) -> str:
    """Why an article is in its story, as a sentence; empty if it is not there."""
    told = timeline(trace, frequencies, texts=False)
    pieces = [one for each in told.pieces for one in (each, *each.copies)]
    found = next((each for each in pieces if each.article == article), None)
    return found.why if found else ""


def whole(article: Coverage) -> tuple[Labelled, ...]:
    """All of an article's text, with what each watch found in it."""
    return view.labelled(
        article.body,
        (
            (span.start, span.end, f"{hit.watch}: {span.term}")
            for hit in article.hits
            for span in hit.spans
            if span.field == "body"
        ),
    )


@dataclass(slots=True)
class _Room:
    """How much more a page may hold."""

    characters: int = TEXTS
    comparisons: int = DIFFERENCES

    def takes(self, text: str) -> bool:
        if not text or len(text) > min(LONGEST, self.characters):
            return False
        self.characters -= len(text)
        return True

    def compares(self) -> bool:
        self.comparisons -= 1
        return self.comparisons >= 0


# --------------------------------------------------------------------------- why it is here


@dataclass(frozen=True, slots=True, kw_only=True)
class _Like:
    """How like an article is to the reports that came before it."""

    score: float  # 1 is just enough
    enough: bool
    shared: tuple[str, ...]


def _likeness(reports: Sequence[Coverage], frequencies: Frequencies) -> Mapping[ArticleId, _Like]:
    """The decisions by event, made again: each report against the thread of those before it."""
    likeness: dict[ArticleId, _Like] = {}
    thread: events.Thread | None = None
    own = [each for each in reports if each.copy_of is None]
    for each in sorted(own, key=lambda it: (it.first_seen_at, it.article))[:SHOWN]:
        report = events.report(
            each.title,
            each.body,
            at=_time(each),
            language=each.language,
            frequencies=frequencies,
        )
        if thread is None:
            thread = events.opened(report)
            continue
        shared = {
            term: weight * thread.centroid[term]
            for term, weight in report.vector.items()
            if term in thread.centroid
        }
        heaviest = sorted(shared, key=lambda term: (-shared[term], term))[:_SHARED]
        choice = events.choose(report, [thread])
        likeness[each.article] = _Like(
            score=choice.score, enough=choice.thread is not None, shared=_words(each, heaviest)
        )
        thread = events.grown(thread, report)
    return likeness


def _words(article: Coverage, numbers: Sequence[int]) -> tuple[str, ...]:
    """Terms as the words that an article has for them."""
    wanted = set(numbers)
    found: dict[int, str] = {}
    text = f"{article.title}\n{article.body[: terms.READ]}"
    for raw in dict.fromkeys(_WORD.findall(text)):
        if len(found) == len(wanted):
            break
        inside = [*terms.words(raw)]
        for word in inside:
            number = terms.term_id(word.form)
            if number in wanted:
                found.setdefault(number, raw.rstrip(".") if len(inside) == 1 else _part(raw, word))
    return tuple(found[number] for number in numbers if number in found)


def _part(raw: str, word: terms.Word) -> str:
    """Which part of "MUSCAT/ISLAMABAD" a term is: in the text's own letters, if they stand apart."""
    parts = (
        part
        for part in _PART.findall(raw)
        if [each.form for each in terms.words(part)] == [word.form]
    )
    return next(parts, word.form)


def _why_here(like: _Like | None, trace: StoryTrace) -> str:
    if like is None:
        return ""
    if like.enough:
        return f"The same event: likeness {like.score:.2f}, where 1 is enough."
    came = "It came with a story that was merged into this one. " if trace.merged else ""
    return f"{came}Likeness {like.score:.2f}, where 1 would be enough."


def _why_copy(copy: Coverage, root: Coverage | None) -> str:
    whose = f"that of {root.publishers[0]}" if root and root.publishers else "another's"
    if copy.novelty is None:
        return f"Its text is {whose}."
    if _is_update(copy):
        return f"{copy.novelty:.0%} of its text is new, the rest stands in {whose}."
    share = round(100 * (1 - copy.novelty))
    if share == 100:
        return f"Its text stands in {whose}."
    return f"{share}% of its text stands in {whose}."


def _decisions(article: Coverage, trace: StoryTrace) -> tuple[Verdict, ...]:
    """What people decided about an article: where it was taken out, else that it stays here."""
    mine = [each for each in trace.verdicts if each.article == article.article]
    out = tuple(each for each in mine if not each.belongs)
    return out or tuple(mine)


# --------------------------------------------------------------------------- what a change does


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """What becomes of a channel's message."""

    channel: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """What it means to take an article out of its story."""

    article: Coverage
    copies: tuple[Coverage, ...]  # that go with it
    left: StoryView  # what stays
    consequences: tuple[Consequence, ...]


def split(trace: StoryTrace, article: ArticleId, rules: Rules, *, can_edit: bool) -> Split | None:
    """What it means to take an article out; None if it is not in this story."""
    articles = trace.view.articles
    chosen = next((each for each in articles if each.article == article), None)
    if chosen is None:
        return None
    leaving = [each for each in articles if article in {each.article, each.copy_of}]
    gone = {each.article for each in leaving}
    staying = [each for each in articles if each.article not in gone]
    consequences = [
        Consequence(channel=row.channel, sentence=_after_split(row, staying, rules, can_edit))
        for row in trace.deliveries
        if not row.state.is_given_up
    ]
    consequences += [
        Consequence(channel=channel, sentence="A message of its own will be posted about it.")
        for channel in sorted(_channels(leaving, rules.channel_of))
    ]
    return Split(
        article=chosen,
        copies=tuple(each for each in leaving if each is not chosen),
        left=replace(trace.view, articles=tuple(staying)),
        consequences=tuple(consequences),
    )


def _after_split(
    row: DeliveryRow, staying: Sequence[Coverage], rules: Rules, can_edit: bool
) -> str:
    speaks = row.channel in _channels(staying, rules.channel_of)
    if not _is_shown(row):
        if speaks:
            return "The message that waits to be posted will tell of the others only."
        return "The message that waited to be posted is dropped: no watch found the others."
    if not speaks:
        return "The message of this story stays as it stands: no watch found the others."
    if not can_edit:
        return "The message of this story stays as it stands: messages can't be edited there."
    return "The message of this story will be edited to tell of the others only."


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """What it means to make two stories one."""

    into: StoryTrace  # goes on
    gone: StoryTrace
    consequences: tuple[Consequence, ...]


def merge(one: StoryTrace, other: StoryTrace, *, can_edit: bool) -> Merge:
    """What it means to make two stories one: the one that is shown goes on, else the older."""
    into, gone = sorted(
        (one, other), key=lambda it: (not any(map(_is_shown, it.deliveries)), it.view.story)
    )
    rows: dict[str, list[DeliveryRow]] = {}
    for row in (*into.deliveries, *gone.deliveries):
        rows.setdefault(row.channel, []).append(row)
    return Merge(
        into=into,
        gone=gone,
        consequences=tuple(
            Consequence(channel=channel, sentence=_after_merge(both, gone, can_edit))
            for channel, both in sorted(rows.items())
            if any(not row.state.is_given_up for row in both)
        ),
    )


def _after_merge(rows: Sequence[DeliveryRow], gone: StoryTrace, can_edit: bool) -> str:
    shown = sum(map(_is_shown, rows))
    if shown and not can_edit:
        return "What is shown stays as it stands: messages can't be edited there."
    if shown > 1:
        return (
            "Both stories are shown: one message will be edited to tell of both, and that of story "
            f"{gone.view.story} to say only where it is told now."
        )
    if shown:
        return "The message that is shown will be edited to tell of both."
    return "One message will be posted for both."


def _is_shown(row: DeliveryRow) -> bool:
    return row.sent_at is not None or row.state is DeliveryState.SENDING


def _channels(
    articles: Iterable[Coverage], channel_of: Callable[[str], str | None]
) -> frozenset[str]:
    places = {channel_of(hit.watch) for each in articles for hit in each.hits}
    return frozenset(place for place in places if place)
