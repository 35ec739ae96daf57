"""Why an article did or did not alert for a watch, stage by stage. Pure.

The stages are those that an article goes through: fetched, extracted, grouped, matched, held,
told when, delivered. The first that stopped it is the answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Literal

from monitor.compose import why_not_news
from monitor.match import Document
from monitor.match.explain import Trace as Part
from monitor.match.explain import explain
from monitor.model import ArticleState, DeliveryId, DeliveryState, Hit, Watch
from monitor.ports import ArticleTrace, DeliveryRow, Hold, Outcome
from monitor.web import view, words
from monitor.web.outbox import Line, lines
from monitor.web.view import Segment

Tone = Literal["good", "bad", "warn", "calm"]

_SIGNS: Final[Mapping[Tone, str]] = {"good": "✓", "bad": "✗", "warn": "…", "calm": "·"}

FURNITURE: Final = 20
"""Paragraphs that were not read which are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a stage did with an article."""

    name: str
    tone: Tone  # good: it went on; bad: it ended here; warn: it waits here; calm: nothing to do
    said: tuple[str, ...]
    query: str = ""  # with all its brackets
    parts: Part | None = None  # of the query, and how the article answers them
    passage: tuple[Segment, ...] = ()
    furniture: tuple[str, ...] = ()
    messages: tuple[Line, ...] = ()

    @property
    def sign(self) -> str:
        """The same for those who see no colours."""
        return _SIGNS[self.tone]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Why an article did or did not alert for a watch."""

    verdict: str
    tone: Tone
    stages: tuple[Stage, ...]


def answer(
    trace: ArticleTrace,
    watch: Watch,
    document: Document,
    *,
    why_here: str,
    channel: str | None,
    rows: Sequence[DeliveryRow],
    outcomes: Mapping[DeliveryId, Sequence[Outcome]],
    max_age: timedelta | None,
    now: datetime,
) -> Answer:
    """The trace of an article and a watch.

    `document`: the article as watches read it; `why_here`: why it is in its story; `channel`: where
    the watch tells; `rows`: messages of the story.
    """
    mine = [row for row in rows if row.subject is None and row.channel == channel]
    hit = next((each for each in trace.hits if each.watch == watch.name), None)
    hold = next((each for each in trace.held if each.watch == watch.name), None)
    matched = _matched(trace, watch, document, hit)
    stages = [
        _fetched(trace, now),
        _extracted(trace, now),
        _grouped(trace, why_here),
        matched,
        _news(trace, max_age, hit),
        _held(watch, hold, hit, now),
        _told(mine, outcomes, hit, now),
        _delivered(mine, outcomes, channel, hit, now),
    ]
    verdict, tone = _verdict(stages, matched, mine, channel, hit, hold, now)
    return Answer(verdict=verdict, tone=tone, stages=tuple(stages))


def _verdict(
    stages: Sequence[Stage],
    matched: Stage,
    mine: Sequence[DeliveryRow],
    channel: str | None,
    hit: Hit | None,
    hold: Hold | None,
    now: datetime,
) -> tuple[str, Tone]:
    if hit is None:
        if stages[1].tone == "warn" or stages[2].tone == "warn":
            return "Not yet: the article is still to be read.", "warn"
        return f"It did not alert: {_going_on(matched.said[-1])}", "bad"
    shown = next((row for row in mine if row.sent_at is not None), None)
    if shown is not None and shown.sent_at is not None:
        return f"It is told in {channel}, since {words.clock(shown.sent_at, now)}.", "good"
    if any(row.state is DeliveryState.FOLDED for row in mine):
        return f"It was told in {channel}, in one message with others.", "good"
    if hold is not None:
        return f"It is held: {hold.lacks}.", "warn"
    stopped = next((each for each in stages[3:] if each.tone == "bad"), None)
    if stopped is not None:
        return f"It did not alert: {_going_on(stopped.said[0])}", "bad"
    waits = next((each for each in stages[3:] if each.tone == "warn"), None)
    if waits is not None:
        return f"Not yet: {_going_on(waits.said[0])}", "warn"
    return "It did not alert: no message of its story belongs to this watch's channel.", "bad"


def _going_on(sentence: str) -> str:
    """A sentence of ours behind a colon; one that begins with a name stays as it is."""
    return re.sub(
        r"^(A|It|Its|No|Not|Nothing|Some|None|The)\b", lambda first: first[0].lower(), sentence
    )


# --------------------------------------------------------------------------- the stages


def _fetched(trace: ArticleTrace, now: datetime) -> Stage:
    said = []
    for seen in trace.sightings:
        late = seen.first_seen_at - seen.published_at if seen.published_at else None
        after = (
            "with no date of its own"
            if late is None
            else f"{words.span(late)} after its publication"
            if late >= timedelta()
            else f"dated {words.span(late)} ahead"
        )
        old = ", held by the feed before it was first polled" if seen.backlog else ""
        said.append(
            f"Listed by {seen.feed}, seen {words.clock(seen.first_seen_at, now)}, {after}{old}."
        )
    if trace.published_at:
        said.append(f"Published {words.clock(trace.published_at, now)}.")
    if trace.attempts > 1:
        said.append(f"Its page was asked for {trace.attempts} times.")
    return Stage(name="Fetched", tone="good", said=tuple(said))


def _extracted(trace: ArticleTrace, now: datetime) -> Stage:
    length = words.some(len(trace.body.split()), "word")
    reason, detail = words.reason(trace.error) if trace.error else ("", "")
    why = " ".join(filter(None, (reason, detail)))
    tone: Tone = "good"
    match trace.state:
        case ArticleState.NEW:
            tone, first = "warn", f"Its page is to be read {words.due(trace.due_at, now)}."
        case ArticleState.PARTIAL:
            again = words.due(trace.due_at, now)
            first = f"{length} from the feed; the page is tried again {again}."
        case ArticleState.FAILED:
            first = "No text: only the headline was matched."
        case _:
            place = "page" if trace.source == "page" else "feed"
            spoken = (
                f"in {words.language(trace.language)}" if trace.language else "language unknown"
            )
            first = f"{length} from the {place}, {spoken}."
    said = [first]
    if why:
        said.append(why)
    if trace.ingested_at:
        said.append(f"Read {words.clock(trace.ingested_at, now)}.")
    if trace.updates:
        said.append(f"A rolling page: {words.some(trace.updates, 'update')} read, each once.")
    if trace.furniture:
        cut = words.some(len(trace.furniture), "paragraph")
        said.append(f"{cut} cut: they stand on other pages of the site, too.")
    if trace.revisions:
        said.append(f"{words.some(len(trace.revisions), 'revision')} since.")
    return Stage(
        name="Extracted", tone=tone, said=tuple(said), furniture=trace.furniture[:FURNITURE]
    )


def _grouped(trace: ArticleTrace, why_here: str) -> Stage:
    if trace.story is None:
        return Stage(name="Grouped", tone="warn", said=("It is in no story yet.",))
    said = [f"Story {trace.story}. {why_here}".strip()]
    if trace.copy_of:
        said.append(f"A copy of {trace.copy_of}.")
    return Stage(name="Grouped", tone="good", said=tuple(said))


def _matched(trace: ArticleTrace, watch: Watch, document: Document, hit: Hit | None) -> Stage:
    explanation = explain(watch, document)
    stage = partial(Stage, name="Matched", query=explanation.bracketed, parts=explanation.trace)
    if hit is not None:
        terms = ", ".join(dict.fromkeys(span.term for span in hit.spans))
        first = f"Found: {terms}." if terms else "By what is known of it beside its text."
        said = [first]
        if explanation.reasons():
            said.append("As the watch and the article are now, it would not match any more.")
        passage = view.passage(trace.body, hit.spans) or view.headline(trace.title, hit.spans)
        return stage(tone="good", said=tuple(said), passage=passage)
    if trace.story is None:
        return stage(tone="warn", said=("It is matched when it has been read.",))
    reasons = explanation.reasons()
    if not reasons:
        return stage(
            tone="bad",
            said=("It did not match when it was read; the watch as it is now would.",),
        )
    return stage(tone="bad", said=tuple(f"{reason}." for reason in reasons))


def _news(trace: ArticleTrace, max_age: timedelta | None, hit: Hit | None) -> Stage:
    reason = why_not_news(
        trace.published_at,
        first_seen_at=trace.first_seen_at,
        backlog=bool(trace.sightings) and all(seen.backlog for seen in trace.sightings),
        max_age=max_age,
    )
    if reason is None:
        return Stage(name="News", tone="good", said=("It was news when it was seen.",))
    tone: Tone = "bad" if hit else "calm"
    return Stage(name="News", tone=tone, said=(f"{reason[:1].upper()}{reason[1:]}.",))


def _held(watch: Watch, hold: Hold | None, hit: Hit | None, now: datetime) -> Stage:
    if hold is not None:
        since = words.clock(hold.since, now)
        return Stage(name="Confirmed", tone="warn", said=(f"It has {hold.lacks}, since {since}.",))
    wanted = []
    if watch.min_publishers > 1:
        wanted.append(words.some(watch.min_publishers, "publisher"))
    if watch.min_sides > 1:
        wanted.append(words.some(watch.min_sides, "side"))
    if not wanted:
        return Stage(name="Confirmed", tone="calm", said=("The watch asks for no confirmation.",))
    said = f"The watch asks for {' of '.join(wanted)}"
    return Stage(
        name="Confirmed",
        tone="good" if hit else "calm",
        said=(f"{said}: they are there." if hit else f"{said}.",),
    )


def _told(
    mine: Sequence[DeliveryRow],
    outcomes: Mapping[DeliveryId, Sequence[Outcome]],
    hit: Hit | None,
    now: datetime,
) -> Stage:
    """Quiet hours, digests, snoozes, floods."""
    said = []
    for row in mine:
        for each in outcomes.get(row.id, ()):
            if each.what == "held":
                said.append(f"{words.clock(each.at, now)}: {each.error or 'held'}.")
            elif each.what == "folded":
                said.append(f"{words.clock(each.at, now)}: alerted with others, in one message.")
    if any(row.state is DeliveryState.HELD for row in mine):
        return Stage(name="Paced", tone="warn", said=tuple(said) or ("It is held for later.",))
    if said:
        return Stage(name="Paced", tone="good", said=tuple(said))
    if hit is None or not mine:
        return Stage(name="Paced", tone="calm", said=("There was nothing to be told.",))
    return Stage(name="Paced", tone="good", said=("It was to be told at once.",))


def _delivered(
    mine: Sequence[DeliveryRow],
    outcomes: Mapping[DeliveryId, Sequence[Outcome]],
    channel: str | None,
    hit: Hit | None,
    now: datetime,
) -> Stage:
    if not mine:
        where = f" in {channel}" if channel else ""
        return Stage(
            name="Delivered",
            tone="bad" if hit else "calm",
            said=(f"No message of its story{where}.",),
        )
    told = lines(mine, {row.id: tuple(outcomes.get(row.id, ())) for row in mine})
    [row, *_] = mine
    tone: Tone = "warn"
    if row.sent_at is not None or row.state is DeliveryState.FOLDED:
        tone = "good"
    elif row.state.is_given_up:
        tone = "bad"
    error = f": {row.error}" if row.error and tone != "good" else ""
    by_whom = "" if hit else ", for what others of its story, or other watches, found"
    at = f" at {words.clock(row.sent_at, now)}" if row.sent_at else ""
    return Stage(
        name="Delivered",
        tone=tone if hit else "calm",
        said=(f"{row.channel}: {told[0].state}{at}{error}{by_whom}.",),
        messages=told,
    )
