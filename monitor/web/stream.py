"""Stories of the front page → what it shows of each, decided before any HTML is written. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from monitor.compose import why_not_news
from monitor.errors import Code
from monitor.model import ArticleId, Deed, DeliveryState, Hand, Health, StoryId
from monitor.ports import FeedRow, Message, NowRow, Reported, Standing, Strip
from monitor.web import view, words
from monitor.web.view import Found, Segment

NAMES: Final = 4
"""Publishers that are named beside the first one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A state in a word, and what else is to be said about it."""

    word: str
    tone: str
    title: str = ""  # the whole of it, as a sentence
    where: tuple[str, ...] = ()  # channels


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One time on the way from the publisher to the reader."""

    word: str  # published, seen, found, alerted
    at: datetime
    after: str  # since the step before: "+ 18 s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """What was reported last, where it is not what the story is named by."""

    article: ArticleId
    headline: tuple[Segment, ...]
    publisher: str
    language: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A story in the stream."""

    story: StoryId
    at: datetime  # when something was found in it last
    headline: tuple[Segment, ...]
    href: str | None  # of the article that leads it
    publisher: str
    language: str | None
    passage: tuple[Segment, ...]
    found: tuple[Found, ...]
    counts: tuple[str, ...]  # "5 publishers", "3 copies"
    also: tuple[str, ...]  # publishers beside the first
    more: int  # of these, not named
    sides: tuple[str, ...]
    steps: tuple[Step, ...]
    chips: tuple[Chip, ...]
    latest: Latest | None


def item(row: NowRow, max_age: timedelta | None, now: datetime) -> Item:
    """A story as it is shown; two milliseconds for a long body that was not shown before."""
    lead = row.lead
    spans = sorted({span for hit in lead.hits for span in hit.spans})
    others = [name for name in row.publishers if name != lead.publisher]
    return Item(
        story=row.story,
        at=row.at,
        headline=view.headline(lead.title, spans),
        href=view.web_link(lead.url),
        publisher=lead.publisher,
        language=view.language(lead.language),
        passage=view.passage(lead.body, spans),
        found=_found(row),
        counts=_counts(row),
        also=tuple(others[:NAMES]),
        more=max(0, len(others) - NAMES),
        sides=row.sides,
        steps=steps(lead, row.messages),
        chips=chips(row, max_age, now),
        latest=_latest(row.latest) if row.latest else None,
    )


def _found(row: NowRow) -> tuple[Found, ...]:
    """Every watch of the story, with what it found in the articles that are shown."""
    shown = [hit for each in (row.lead, row.latest) if each for hit in each.hits]
    found = {each.watch: each for each in view.found_by((hit.watch, hit.spans) for hit in shown)}
    return tuple(found.get(name) or Found(watch=name, terms=()) for name in row.watches)


def _counts(row: NowRow) -> tuple[str, ...]:
    said = []
    if len(row.publishers) > 1:
        said.append(words.some(len(row.publishers), "publisher"))
    if row.copies:
        said.append(words.some(row.copies, "copy", "copies"))
    if row.articles > row.copies + 1:
        said.append(words.some(row.articles - row.copies, "report"))
    return tuple(said)


def _latest(article: Reported) -> Latest:
    return Latest(
        article=article.article,
        headline=view.headline(article.title, (span for hit in article.hits for span in hit.spans)),
        publisher=article.publisher,
        language=view.language(article.language),
        at=article.first_seen_at,
    )


def steps(lead: Reported, messages: Iterable[Message]) -> tuple[Step, ...]:
    """When the lead was published, seen and found, and when its story was told first."""
    told = min((each.told_at for each in messages if each.told_at), default=None)
    times = (
        ("published", lead.published_at),
        ("seen", lead.first_seen_at),
        ("found", lead.matched_at),
        ("alerted", told),
    )
    made: list[Step] = []
    for word, at in times:
        if at is None:
            continue
        before = made[-1].at if made else None
        made.append(Step(word=word, at=at, after=_after(before, at)))
    return tuple(made)


def _after(before: datetime | None, at: datetime) -> str:
    if before is None:
        return ""
    return f"{'+' if at >= before else '−'} {words.span(at - before)}"


# --------------------------------------------------------------------------- what became of it

_STATE: Final[Mapping[DeliveryState, tuple[str, str]]] = {
    DeliveryState.SENT: ("alerted", "good"),
    DeliveryState.FOLDED: ("alerted with others", "good"),
    DeliveryState.HELD: ("held", "warn"),
    DeliveryState.PENDING: ("to be alerted", "calm"),
    DeliveryState.SENDING: ("to be alerted", "calm"),
    DeliveryState.RETRY: ("trying again", "warn"),
    DeliveryState.DEAD: ("alert failed", "bad"),
    DeliveryState.DROPPED: ("dropped", "calm"),
}

_EDITED: Final = {DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.RETRY}
"""What is shown already, and to be edited."""

STANDINGS: Final[Mapping[Standing, str]] = {
    Standing.ALERTED: "alerted",
    Standing.HELD: "held",
    Standing.ACKNOWLEDGED: "acknowledged",
    Standing.MUTED: "muted",
    Standing.SILENT: "no alert",
}
"""What one may look for, in words."""

_DONE: Final[Mapping[Deed, str]] = {
    Deed.SEEN: "acknowledged",
    Deed.MUTED: "muted",
    Deed.SNOOZED: "snoozed",
    Deed.IRRELEVANT: "not relevant",
}


def chips(row: NowRow, max_age: timedelta | None, now: datetime) -> tuple[Chip, ...]:
    """What became of a story: told where, held for what, and what people did about that."""
    made = [
        Chip(
            word=f"held: {hold.lacks}", tone="warn", title=f"For {hold.watch}, not told until then"
        )
        for hold in row.held
    ]
    by_state: dict[tuple[str, str, str], list[str]] = {}
    for each in row.messages:
        by_state.setdefault(_said(each), []).append(each.channel)
    made += [
        Chip(word=word, tone=tone, title=title, where=tuple(channels))
        for (word, tone, title), channels in by_state.items()
    ]
    made += by_hand((each.hands for each in row.messages), now)
    if not made:
        made.append(Chip(word="no alert", tone="calm", title=why_silent(row.lead, max_age)))
    return tuple(made)


def _said(message: Message) -> tuple[str, str, str]:
    word, tone = _STATE[message.state]
    if message.sent_at is not None and message.state in _EDITED:
        word, tone = _STATE[DeliveryState.SENT]
    if message.state is DeliveryState.SENDING and message.error is not None:
        word, tone = "uncertain", "warn"
    if message.state is DeliveryState.HELD and message.held_until is not None:
        word = f"held until {message.held_until:%H:%M} UTC"
    elif message.state is DeliveryState.HELD:
        word = "held for the digest"
    if message.state is DeliveryState.SENT:
        return word, tone, ""
    return word, tone, message.error or ""


def by_hand(hands: Iterable[Mapping[Deed, Hand]], now: datetime) -> tuple[Chip, ...]:
    """What people did about messages, each once; a snooze that is over is nothing."""
    done: dict[tuple[str, str], None] = {}
    for each in hands:
        for deed in _DONE:  # in the order in which it is always told
            hand = each.get(deed)
            if hand is None or (deed is Deed.SNOOZED and hand.at <= now):
                continue
            until = f" until {words.clock(hand.at, now)} UTC" if deed is Deed.SNOOZED else ""
            done[f"{_DONE[deed]}{until}", hand.by] = None
    return tuple(Chip(word=f"{word} by {by}", tone="calm") for word, by in done)


def why_silent(lead: Reported, max_age: timedelta | None) -> str:
    """Why nobody is told of a story, as a sentence."""
    reason = why_not_news(
        lead.published_at,
        first_seen_at=lead.first_seen_at,
        backlog=lead.backlog,
        max_age=max_age,
    )
    said = reason or "no message belongs to it"
    return f"{said[:1].upper()}{said[1:]}"


# --------------------------------------------------------------------------- how things stand


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of the strip on top."""

    label: str
    value: str
    detail: str
    href: str
    tone: str = ""  # "bad" or "warn" when somebody should look


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Something that somebody should look at."""

    said: str
    href: str
    tone: str


def needs(strip: Strip) -> tuple[Need, ...]:
    """What needs somebody, the worst first; nothing if all is well."""
    trouble = sum(number for health, number in strip.feeds.items() if health.is_trouble)
    found = [
        (strip.dead, "message", "could not be delivered", "/deliveries?state=failed", "bad"),
        (trouble, "feed", "in trouble", "/feeds", "bad"),
        (strip.uncertain, "message", "uncertain", "/deliveries?state=uncertain", "warn"),
        (strip.retrying, "message", "to be tried again", "/deliveries?state=retrying", "warn"),
    ]
    return tuple(
        Need(said=f"{words.some(number, noun)} {what}", href=href, tone=tone)
        for number, noun, what, href, tone in found
        if number
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """That no feed could be read yet."""

    feeds: int
    failed: int
    why: str  # of most, as a sentence
    is_network: bool  # it looks as if this machine reached nobody


_NETWORK: Final = {Code.DNS, Code.CONNECT, Code.TIMEOUT}


def unread(feeds: Sequence[FeedRow]) -> Unread | None:
    """Why nothing has come in: None once a feed was read, or before any has failed."""
    failed = [row.error for row in feeds if row.error]
    if not failed or any(row.ok_at for row in feeds):
        return None
    [(code, _)] = Counter(error.partition(":")[0] for error in failed).most_common(1)
    return Unread(
        feeds=len(feeds),
        failed=len(failed),
        why=words.reason(code)[0],
        is_network=code in _NETWORK,
    )


def figures(strip: Strip, now: datetime) -> tuple[Figure, ...]:
    """The strip on top: feeds, what comes in, what was found, what was told, what waits."""
    total = sum(strip.feeds.values())
    trouble = sum(number for health, number in strip.feeds.items() if health.is_trouble)
    new = strip.feeds.get(Health.NEW, 0)
    feeds = (
        f"{words.number(trouble)} in trouble"
        if trouble
        else f"{words.number(new)} not read yet"
        if new
        else "all are well"
        if total
        else "none declared"
    )
    polled = strip.last_poll_at
    reading = (
        f", {words.number(strip.waiting_articles)} to be read" if strip.waiting_articles else ""
    )
    since = strip.oldest_waiting_at
    waiting = f"the oldest for {words.span(now - since)}" if since and since < now else "to be sent"
    held = ", ".join(
        [f"{words.number(strip.held)} for quiet hours or a digest"] * bool(strip.held)
        + [f"{words.number(strip.stories_held)} to be confirmed"] * bool(strip.stories_held)
    )
    return (
        Figure(
            label="Feeds live",
            value=f"{words.number(total - trouble - new)} of {words.number(total)}",
            detail=feeds,
            href="/feeds",
            tone="bad" if trouble else "",
        ),
        Figure(
            label="Last poll",
            value=words.ago(min(polled, now), now) if polled else "none yet",
            detail=(f"{words.number(strip.due_feeds)} due" if strip.due_feeds else "none is due")
            + reading,
            href="/feeds",
        ),
        Figure(
            label="Found in 24 h",
            value=words.number(strip.hits),
            detail="matches of a watch" if strip.hits != 1 else "match of a watch",
            href="/?time=day",
        ),
        Figure(
            label="Alerted in 24 h",
            value=words.number(strip.told),
            detail=f"{words.number(strip.dead)} failed" if strip.dead else "none failed",
            href="/deliveries?state=failed" if strip.dead else "/deliveries",
            tone="bad" if strip.dead else "",
        ),
        Figure(
            label="Held",
            value=words.number(strip.held + strip.stories_held),
            detail=held or "nothing is held",
            href="/?state=held",
        ),
        Figure(
            label="Waiting",
            value=words.number(strip.waiting),
            detail=(f"{words.number(strip.retrying)} tried again, " if strip.retrying else "")
            + (waiting if strip.waiting else "nothing waits"),
            href="/deliveries?state=waiting",
            tone="warn" if strip.retrying or strip.uncertain else "",
        ),
    )
