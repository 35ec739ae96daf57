"""What the page says of feeds, decided before any HTML is written. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from monitor.model import (
    WEEKDAYS,
    Cadence,
    DueBy,
    FeedEvent,
    FeedEventKind,
    Health,
    Subscription,
    SubscriptionState,
)
from monitor.polling import delays, gaps, week
from monitor.polling.rhythm import PRIOR, Rhythm, expectation, expected, silence
from monitor.ports import (
    Delays,
    FeedFigures,
    FeedOrder,
    FeedRow,
    FeedsSought,
    FeedTrace,
    Firsts,
)
from monitor.telemetry import redact
from monitor.web import words

TROUBLE: Final = "trouble"
"""All states of which somebody should know, as one filter."""

LEFT: Final = "left"
"""Feeds that are not declared any more, as one filter."""

_FEWEST: Final = 5
"""Below so many a share or a quantile says nothing."""

ORDERS: Final = {
    FeedOrder.TROUBLE: "trouble first",
    FeedOrder.NAME: "name",
    FeedOrder.PUBLISHER: "publisher",
    FeedOrder.ENTRIES: "most entries",
    FeedOrder.NEWEST: "longest without a new entry",
    FeedOrder.POLLED: "polled last",
    FeedOrder.DUE: "polled next",
}

WHY: Final = {
    DueBy.FIXED: "its interval is fixed",
    DueBy.BUDGET: "by its rhythm, within the budget of polls",
    DueBy.HINT: "it asks to be left alone until then",
    DueBy.CAUTION: "so soon because it lost entries lately",
    DueBy.PUSHED: "its hub says that there is something new",
    DueBy.BACKUP: "its hub pushes it: this only makes sure",
    DueBy.BACKOFF: "it failed: asked ever less often",
    DueBy.RETRY_AFTER: "its server said when to come again",
    DueBy.HAND: "somebody asked for it",
}
"""Why a feed is polled next when it is."""


def why(row: FeedRow) -> str:
    """Why the next poll is when it is; of a feed that is not polled any more, why not."""
    if row.health is Health.GONE and row.due_at is None:
        return "the publisher has closed it"
    if row.due_at is None:
        return ""
    if row.polled_at is None and row.due_by is not DueBy.HAND:
        return "it is new"
    return WHY[row.due_by] if row.due_by else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """How late entries are seen, in words; None: too few to say."""

    median: str
    p95: str
    of: int


def quantiles(counts: Mapping[int, int]) -> Quantiles | None:
    """The median and the 95th percentile of delays by slot."""
    of = delays.total(counts)
    median, p95 = delays.quantile(counts, 0.5), delays.quantile(counts, 0.95)
    if of < _FEWEST or median is None or p95 is None:
        return None
    return Quantiles(median=about(median), p95=about(p95), of=of)


def about(length: timedelta) -> str:
    """A length that is known to a fifth: ``40 s``, ``4 min``, ``2.5 h``, ``3 days``."""
    seconds = length.total_seconds()
    if seconds < 90:
        return f"{max(5, round(seconds / 5) * 5):.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 36 * 3600:
        hours = seconds / 3600
        return f"{hours:.0f} h" if hours >= 10 else f"{hours:.1f} h".replace(".0 ", " ")
    return f"{seconds / 86400:.0f} days"


def rate(of: Delays) -> str:
    """Entries a day; nothing where it was not watched for a good part of one."""
    if of.days < 0.25:
        return ""
    each = of.entries / max(of.days, 1.0) if of.days < 1 else of.entries / of.days
    return f"{each:.0f}" if each >= 10 else f"{each:.1f}".replace(".0", "")


def expected_by_then(row: FeedRow) -> str:
    """What is to be expected of a feed by its next poll, where that is due for that reason."""
    rhythm = Rhythm.from_json(row.rhythm)
    if row.due_by is not DueBy.BUDGET or rhythm.at is None or not (row.polled_at and row.due_at):
        return ""
    count = expected(rhythm, row.polled_at, row.due_at, PRIOR)
    return f"; {_few(count)} to be expected since the last one"


def percent(part: float) -> str:
    """A share of the whole: ``37 %``."""
    return f"{100 * part:.0f} %"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A feed in the list."""

    row: FeedRow
    since: str  # of its health, as a sentence
    reason: str
    detail: str
    why: str
    per_day: str
    delays: Quantiles | None
    firsts: Firsts | None  # None: too few stories to say


def line(figures: FeedFigures, now: datetime) -> Line:
    """A feed with what is wrong with it."""
    row = figures.row
    reason, detail = words.reason(row.error) if row.error else ("", "")
    return Line(
        row=row,
        since=words.health(row, now),
        reason=reason,
        detail=detail,
        why=why(row),
        per_day=rate(figures.delays),
        delays=quantiles(figures.delays.counts),
        firsts=telling(figures.firsts),
    )


def telling(firsts: Firsts | None) -> Firsts | None:
    """Where there were races enough for a share to mean something."""
    return firsts if firsts and firsts.stories >= _FEWEST else None


# --------------------------------------------------------------------------- what is sought


def sought(asked: Mapping[str, str]) -> FeedsSought:
    """What a URL asks for; what it says wrongly it does not say."""
    state = asked.get("state", "")
    states = {each for each in Health if each.is_trouble} if state == TROUBLE else set()
    if state in set(Health):
        states = {Health(state)}
    order = asked.get("sort", "")
    return FeedsSought(
        states=frozenset(states),
        side=_one(asked, "side"),
        publisher=_one(asked, "publisher"),
        tag=_one(asked, "tag"),
        text=asked.get("q", "").strip()[:200],
        order=FeedOrder(order) if order in set(FeedOrder) else FeedOrder.TROUBLE,
        left=state == LEFT,
    )


def _one(asked: Mapping[str, str], name: str) -> str | None:
    return asked.get(name, "").strip()[:200] or None


def state_of(wanted: FeedsSought) -> str:
    """What `sought` was told about states."""
    if wanted.left:
        return LEFT
    if not wanted.states:
        return ""
    return TROUBLE if len(wanted.states) > 1 else next(iter(wanted.states))


def href(wanted: FeedsSought, page: int = 1, **changes: str | None) -> str:
    """The URL of a list like this one, with other filters; without its page, the first."""
    said = {
        "q": wanted.text,
        "state": state_of(wanted),
        "side": wanted.side,
        "publisher": wanted.publisher,
        "tag": wanted.tag,
        "sort": "" if wanted.order is FeedOrder.TROUBLE else wanted.order,
        "page": str(page) if page > 1 else "",
    } | changes
    query = urlencode({name: value for name, value in said.items() if value})
    return f"/feeds?{query}" if query else "/feeds"


def states(counts: Mapping[Health, int], left: int = 0) -> Sequence[tuple[str, str, int]]:
    """Filters by state: value, word, how many; only those that there are."""
    trouble = sum(count for state, count in counts.items() if state.is_trouble)
    found = [(TROUBLE, "in trouble", trouble)] if trouble else []
    return [
        *found,
        *((str(state), words.HEALTH[state], counts[state]) for state in Health if state in counts),
        *([(LEFT, "not declared any more", left)] if left else []),
    ]


# --------------------------------------------------------------------------- one feed


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """An hour of the week."""

    level: int  # 0 … 5
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A row of the heat map."""

    name: str
    cells: Sequence[Cell]


def heat(weights: Mapping[int, float], now: datetime) -> Sequence[Day]:
    """In which hours of the week entries come, Monday first, UTC; nothing where none came yet."""
    profile = week.profile(weights, now)
    most = max(profile, default=0.0)
    if most <= 0.01:
        return ()
    return [
        Day(name=name, cells=[_cell(profile[day * 24 + hour], most) for hour in range(24)])
        for day, name in enumerate(WEEKDAYS)
    ]


def _cell(entries: float, most: float) -> Cell:
    if entries < 0.05:
        return Cell(level=0, said="0")
    # by the root: an hour with a quarter of the most is half as dark
    return Cell(level=1 + min(4, int(5 * (entries / most) ** 0.5)), said=f"{entries:.1f}")


def certainty(row: FeedRow, now: datetime) -> str:
    """How sure it is that something is wrong with a feed that answers."""
    rhythm = Rhythm.from_json(row.rhythm)
    if rhythm.at is None or not rhythm.items or row.failures:
        return ""
    posted_at = datetime.fromtimestamp(rhythm.at, UTC)
    quiet = now - posted_at
    if quiet < timedelta(minutes=1):
        return ""
    probability = silence(rhythm, posted_at, now, PRIOR)
    return (
        f"Nothing new for {words.span(quiet)}. By its own rhythm, {_of_silences(probability)} "
        f"that long or longer."
    )


def _of_silences(probability: float) -> str:
    if probability >= 0.095:
        return f"{100 * probability:.0f} of 100 silences are"
    if probability >= 0.00095:
        count = max(1, round(1000 * probability))
        return f"{count} of 1,000 silences {'is' if count == 1 else 'are'}"
    return "fewer than one of 1,000 silences is"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that is known of a feed: a name, and what there is to say."""

    name: str
    said: str
    tone: str = ""


def habits(trace: FeedTrace, now: datetime) -> Sequence[Fact]:
    """How it posts, as far as that is learned."""
    row = trace.row
    rhythm = Rhythm.from_json(row.rhythm)
    facts = [Fact(name="Entries", said=_entries(trace, now))]
    if rhythm.at is not None and rhythm.items:
        seen = expectation(rhythm, now, PRIOR)
        facts.append(
            Fact(
                name="Expected",
                said=f"{_few(seen.rate * 86400)} a day, {_few(seen.at(now.timestamp()) * 3600)} "
                f"in an hour like this one",
            )
        )
        if rhythm.quiet:
            longest = words.span(timedelta(seconds=rhythm.quiet))
            facts.append(Fact(name="Longest silence of late", said=longest))
    overlap = gaps.Overlap.load(row.overlap)
    if overlap.items:
        facts.append(Fact(name="Its document", said=f"lists {overlap.items} entries"))
    if row.gaps:
        when = f", last {words.ago(row.gap_at, now)}" if row.gap_at else ""
        facts.append(
            Fact(
                name="Gaps",
                said=f"entries were lost between polls {_times(row.gaps)}{when}",
                tone="warn",
            )
        )
    return facts


def _entries(trace: FeedTrace, now: datetime) -> str:
    per_day = rate(trace.delays)
    said = words.number(trace.row.entries)
    newest = f", the newest {words.ago(trace.row.newest_at, now)}" if trace.row.newest_at else ""
    return f"{said}{newest}{f'; {per_day} a day of late' if per_day else ''}"


def _few(count: float) -> str:
    if count < 0.05:
        return "hardly any"
    return f"{count:.0f}" if count >= 10 else f"{count:.1f}"


def _times(count: int) -> str:
    return "once" if count == 1 else "twice" if count == 2 else f"{words.number(count)} times"


def manners(
    trace: FeedTrace, now: datetime, cadence: Cadence | None, pause: timedelta | None
) -> Sequence[Fact]:
    """How it is asked, and what it and its server say of that."""
    row = trace.row
    facts = []
    if cadence is not None:
        facts.append(Fact(name="Interval", said=_cadence(cadence)))
    if pause is not None:
        facts.append(
            Fact(name="Pause", said=f"{words.span(pause)} between two requests to {trace.host}")
        )
    if asked := _asked(row):
        facts.append(Fact(name="It asks", said=asked))
    held = [
        name
        for name, value in (
            ("ETag", trace.validators.etag),
            ("Last-Modified", trace.validators.last_modified),
        )
        if value
    ]
    if row.ok_at is not None:
        facts.append(
            Fact(
                name="Validators",
                said=" and ".join(held) if held else "none: each poll brings the whole document",
            )
        )
    if trace.subscription is not None:
        facts.append(Fact(name="WebSub", said=_hub(trace.subscription, now)))
    if row.move is not None:
        facts.append(
            Fact(
                name="Moved",
                said=f"to {row.move.url}, said since {words.ago(row.move.since, now)}",
                tone="warn",
            )
        )
    return facts


def _cadence(cadence: Cadence) -> str:
    if cadence.interval is not None:
        return f"always {words.span(cadence.interval)}"
    said = f"{words.span(cadence.fastest)} to {words.span(cadence.slowest)}, as it posts"
    return said if cadence.weight == 1 else f"{said}; weight {cadence.weight:g}"


def _asked(row: FeedRow) -> str:
    parts = []
    if row.hints.ttl:
        parts.append(f"not to be asked more than every {words.span(row.hints.ttl)}")
    if row.hints.skip_hours:
        hours = len(row.hints.skip_hours)
        parts.append(f"not to be asked in {words.some(hours, 'hour')} of the day")
    if row.hints.skip_days:
        parts.append("nor on " + ", ".join(WEEKDAYS[day] for day in sorted(row.hints.skip_days)))
    return "; ".join(parts)


def _hub(held: Subscription, now: datetime) -> str:
    said = {
        SubscriptionState.WANTED: "is to be asked",
        SubscriptionState.ASKED: "was asked, and has not verified it yet",
        SubscriptionState.ACTIVE: "pushes",
        SubscriptionState.DENIED: "refuses",
        SubscriptionState.FAILED: "can't be had",
        SubscriptionState.LEAVING: "is being left",
    }[held.state]
    parts = [f"{held.hub} {said}"]
    if held.state is SubscriptionState.ACTIVE and held.expires_at:
        parts[0] += f" until {words.moment(held.expires_at)}"
    if held.pushed_at:
        parts.append(f"last push {words.ago(held.pushed_at, now)}")
    if held.missed_at:
        parts.append(f"last missed one {words.ago(held.missed_at, now)}")
    if held.error:
        parts.append(held.error)
    return redact("; ".join(parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A line of a feed's history."""

    event: FeedEvent
    what: str
    tone: str
    said: str
    lasted: str


_KINDS: Final = {
    FeedEventKind.ERROR: ("error", "bad"),
    FeedEventKind.GAP: ("gap", "warn"),
    FeedEventKind.MOVE: ("moved", "calm"),
}


def happening(event: FeedEvent) -> Happening:
    """An event in words."""
    what, tone = _KINDS.get(event.kind, ("health", "calm"))
    said = event.detail
    match event.kind:
        case FeedEventKind.ERROR:
            reason, detail = words.reason(event.detail)
            said = " ".join(filter(None, (reason, detail)))
        case FeedEventKind.GAP:
            said = "Entries were lost between two polls."
        case FeedEventKind.MOVE:
            said = f"It says for good that it lives at {event.detail}."
        case FeedEventKind.HEALTH:
            was, _, now = event.detail.partition(">")
            if {was, now} <= set(Health):
                said = f"Was {words.HEALTH[Health(was)]}, is {words.HEALTH[Health(now)]}."
                what, tone = words.HEALTH[Health(now)], words.TONE[Health(now)]
    until = event.until or event.at
    times = "" if event.count == 1 else _times(event.count)
    lasted = f"{times} in {words.span(until - event.at)}" if times else ""
    return Happening(event=event, what=what, tone=tone, said=said, lasted=lasted)


_REACH: Final = ("a minute", "5 min", "15 min", "an hour", "6 h", "a day", "a week")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """A line of a distribution."""

    name: str
    count: int
    share: float


def bins(counts: Mapping[int, int]) -> Sequence[Bin]:
    """How many took how long: up to a minute, up to 5 min, and so on."""
    found = delays.distribution(counts)
    total = sum(found)
    if not total:
        return ()
    return [
        Bin(name=f"up to {name}", count=count, share=count / total)
        for name, count in zip(_REACH, found, strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """A publisher among those who report the same."""

    firsts: Firsts
    ahead: str  # the median of its leads
    behind: str  # and of its lags


def runner(firsts: Firsts) -> Runner:
    """A publisher with how far ahead it is, and how far behind."""
    lead, lag = delays.quantile(firsts.ahead, 0.5), delays.quantile(firsts.behind, 0.5)
    return Runner(
        firsts=firsts, ahead=about(lead) if lead else "", behind=about(lag) if lag else ""
    )
