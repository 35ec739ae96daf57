"""Trends: how often watches find something, over time, by whom, and whether that is more than before."""

from __future__ import annotations

import asyncio
import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus
from typing import ClassVar, Final, TypeVar
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from monitor.ports.trends import DAY, HOUR, Counted, Part, Period, SpikeRow, Split, Trend
from monitor.web import charts, words
from monitor.web.charts import Chart, Mark, Series
from monitor.web.desk import Desk
from monitor.web.security import FORM_HEADERS

E = TypeVar("E", Split, Counted)

SPANS: Final = {"24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days"}
"""What can be chosen at once, by its name in the URL."""

CUSTOM: Final = "custom"
LONGEST: Final = 366
"""Days that can be asked for at once."""

MOST_WATCHES: Final = 50
"""How many can be named in a URL."""

_BY_HOURS: Final = 3  # days of one's own choice that are told by hours
_MOST_BARS: Final = 100
_PARTS: Final = 10
_SPIKES: Final = 5  # shown at once,
_OLDER_SPIKES: Final = 20  # and these on demand
_UNKNOWN: Final = {Split.SIDE: "no side", Split.LANGUAGE: "not known", Split.PUBLISHER: "not known"}


class Unclear(ValueError):
    """What was asked for can't be made out: one sentence for who asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a URL asks for."""

    span: str = "7d"
    first: date | None = None  # of a span of one's own choice; both are in it
    last: date | None = None
    watches: tuple[str, ...] = ()
    split: Split = Split.WATCH
    counted: Counted = Counted.ARTICLES

    def period(self, now: datetime) -> Period:
        """The hours or days meant, as of now."""
        if self.first is not None and self.last is not None:
            days = (self.last - self.first).days + 1
            first = datetime.combine(self.first, time(), UTC)
            if days <= _BY_HOURS:
                return Period(first=first, steps=24 * days, step=HOUR)
            return Period(first=first, steps=days, step=DAY)
        number, unit = int(self.span[:-1]), self.span[-1]
        if unit == "d" and number > 7:
            today = now.replace(hour=0, minute=0, second=0, microsecond=0)
            return Period(first=today - (number - 1) * DAY, steps=number, step=DAY)
        hours = number if unit == "h" else 24 * number
        bar = _HOURS_A_BAR[self.span]
        current = now.replace(minute=0, second=0, microsecond=0)
        end = current + (bar - current.hour % bar) * HOUR  # bars begin at midnight
        return Period(first=end - hours * HOUR, steps=hours, step=HOUR)

    def query(self, **other: str | tuple[str, ...]) -> str:
        """The query of the same page, but for some of it; what goes without saying is left out."""
        values: dict[str, str | tuple[str, ...]] = {
            "span": self.span,
            "from": self.first.isoformat() if self.first else "",
            "to": self.last.isoformat() if self.last else "",
            "watch": self.watches,
            "by": self.split,
            "count": self.counted,
        }
        if "span" in other:
            values |= {"from": "", "to": ""}
        values |= other
        said = {name: value for name, value in values.items() if value != _DEFAULTS.get(name, "")}
        return urlencode(said, doseq=True)

    def href(self, **other: str | tuple[str, ...]) -> str:
        """The same page, but for some of it."""
        query = self.query(**other)
        return f"/trends?{query}" if query else "/trends"

    @property
    def csv(self) -> str:
        """What is shown as a table for programs."""
        query = self.query()
        return f"/trends.csv?{query}" if query else "/trends.csv"


_HOURS_A_BAR: Final = {"24h": 1, "7d": 3}
_DEFAULTS: Final[Mapping[str, str | tuple[str, ...]]] = {
    "span": "7d",
    "by": Split.WATCH,
    "count": Counted.ARTICLES,
    "watch": (),
}


def read(query: QueryParams, now: datetime) -> Asked:
    """What is asked for. Raises `Unclear`."""
    span = query.get("span", "") or "7d"
    watches = tuple(dict.fromkeys(name for name in query.getlist("watch") if name))
    if len(watches) > MOST_WATCHES:
        raise Unclear(
            f"At most {MOST_WATCHES} watches can be chosen; without any it is all of them."
        )
    first = last = None
    if span == CUSTOM:
        first, last = _day(query, "from"), _day(query, "to")
        last = min(last, now.date())
        if first > last:
            raise Unclear("The first day comes after the last one.")
        if (last - first).days >= LONGEST:
            raise Unclear(f"At most {LONGEST} days can be shown at once.")
    elif span not in SPANS:
        raise Unclear(f"There is no span {span[:20]!r}: it is {', '.join(SPANS)} or {CUSTOM}.")
    return Asked(
        span=span,
        first=first,
        last=last,
        watches=watches,
        split=_one_of(Split, query, "by", Split.WATCH),
        counted=_one_of(Counted, query, "count", Counted.ARTICLES),
    )


class Trends:
    """How often watches find something."""

    nav: ClassVar = ("/trends", "Trends")

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> Sequence[BaseRoute]:
        """What is answered at ``/trends`` and ``/trends.csv``."""
        return [Route("/trends", self.trends), Route("/trends.csv", self.table)]

    async def trends(self, request: Request) -> Response:
        """The page."""
        now = self._desk.clock.now()
        trouble = ""
        try:
            asked = read(request.query_params, now)
        except Unclear as error:
            asked, trouble = Asked(), str(error)
        trend = await self._trend(asked, now)
        # in a thread: to draw eight series takes some ten milliseconds
        shown = await asyncio.to_thread(show, asked, trend, now)
        response = self._desk.pages.render(
            "trends.html",
            status=HTTPStatus.BAD_REQUEST if trouble else HTTPStatus.OK,
            trouble=trouble,
            asked=asked,
            shown=shown,
            trend=trend,
            spans=SPANS,
            splits=Split,
            unknown=_UNKNOWN,
        )
        response.headers.update(FORM_HEADERS)  # what is shown is chosen by a form
        return response

    async def table(self, request: Request) -> Response:
        """The chart's numbers as CSV."""
        now = self._desk.clock.now()
        try:
            asked = read(request.query_params, now)
        except Unclear as error:
            return Response(f"{error}\n", HTTPStatus.BAD_REQUEST, media_type="text/plain")
        trend = await self._trend(asked, now)
        period = asked.period(now)
        name = f"trends-{period.first:%Y-%m-%d}-{period.steps * period.step // HOUR}h.csv"
        return Response(
            as_csv(chart(asked, trend, now)),
            media_type="text/csv",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def _trend(self, asked: Asked, now: datetime) -> Trend:
        return await self._desk.reports.trends.trend(
            asked.period(now),
            watches=asked.watches,
            counted=asked.counted,
            split=asked.split,
            largest=charts.MOST_SERIES - 1,
        )


# --------------------------------------------------------------------------- what is shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A part, as a row of a table."""

    name: str
    count: int
    change: str
    share: str
    bar: Markup
    spark: Markup | None = None
    spikes: int = 0
    href: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Parts of one kind, the largest first."""

    split: Split
    lines: Sequence[Line]
    more: int  # that are not among them


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The page, but for what stands on all."""

    chart: Chart
    what: str  # "412 articles"
    change: str  # "" if nothing is known of the time before
    before: str
    watches: Ranking
    rankings: Sequence[Ranking]
    spikes: Sequence[SpikeRow]
    older: Sequence[SpikeRow]
    more_spikes: int
    end: datetime
    first: datetime


def show(asked: Asked, trend: Trend, now: datetime) -> Shown:
    """The answer as it is shown."""
    period = asked.period(now)
    whole = trend.whole
    compared = is_compared(trend, period)
    return Shown(
        chart=chart(asked, trend, now),
        what=words.some(whole.count, _one(asked.counted), asked.counted),
        change=change(whole.count, whole.before) if compared else "",
        before=words.number(whole.before),
        watches=ranked(
            Split.WATCH,
            trend.watches,
            len(trend.watches),
            compared=compared,
            spikes=trend.spikes,
            asked=asked,
            period=period,
        ),
        rankings=[
            ranked(split, parts, _PARTS, compared=compared)
            for split, parts in trend.parts.items()
            if len(parts) > 1 or any(part.name for part in parts)
        ],
        spikes=trend.spikes[:_SPIKES],
        older=trend.spikes[_SPIKES : _SPIKES + _OLDER_SPIKES],
        more_spikes=max(0, len(trend.spikes) - _SPIKES - _OLDER_SPIKES),
        first=period.first,
        end=min(period.end, now),
    )


def chart(asked: Asked, trend: Trend, now: datetime) -> Chart:
    """The counts over time: one bar an hour, three, a day or a week."""
    period = asked.period(now)
    bar = _steps_a_bar(asked, period)
    parts = trend.series
    together = [part.by_step for part in parts]
    names = [_named(asked.split, part.name) for part in parts]
    series = [
        Series(name=name, values=_summed(values, bar))
        for name, values in zip(names, together, strict=True)
    ]
    if asked.split is Split.WATCH:
        # an article that two watches found is counted for both
        rest = _rest([part.by_step for part in trend.watches if part.by_step], together)
    else:
        rest = _rest([trend.whole.by_step], together)
    if rest and any(rest):
        series.append(Series(name=charts.OTHERS, values=_summed(rest, bar)))
    if not series:
        series = [Series(name=str(asked.counted), values=_summed(trend.whole.by_step, bar))]
    width = bar * period.step
    marks: dict[int, list[str]] = {}
    for spike in reversed(trend.spikes):
        marks.setdefault((spike.at - period.first) // width, []).append(f"Spike: {spike.watch}")
    return charts.bars(
        "trend",
        f"{str(asked.counted).capitalize()} by {asked.split}, {_bar_in_words(width)}",
        series,
        first=period.first,
        step=width,
        marks=[Mark(step=step, said=", ".join(said)) for step, said in marks.items()],
        height=220,
    )


def is_compared(trend: Trend, period: Period) -> bool:
    """Whether what was before the period is known: the archive may have begun in it."""
    return trend.since is not None and trend.since < period.before.first + DAY


def change(count: int, before: int) -> str:
    """How much more or less than before: ``+40 %``, ``−12 %``, ``as before``, ``new``."""
    if count == before:
        return "as before"
    if not before:
        return "new"
    part = round(100 * (count - before) / before)
    if part == 0:
        return "as before"
    if part >= 1000:
        return f"×{count / before:.0f}"
    return f"+{part} %" if part > 0 else f"−{-part} %"


def as_csv(shown: Chart) -> str:
    """A chart's table, the oldest step first. No cell is a formula to who opens it."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(["from", *map(_plain, shown.names), "marked"])
    for row in reversed(shown.rows):
        at = row.at.isoformat(timespec="seconds").replace("+00:00", "Z")
        writer.writerow([at, *row.values, _plain(row.said)])
    return stream.getvalue()


def ranked(
    split: Split,
    parts: Sequence[Part],
    most: int,
    *,
    compared: bool,
    asked: Asked | None = None,
    period: Period | None = None,
    spikes: Sequence[SpikeRow] = (),
) -> Ranking:
    """Parts as rows of a table. Those of watches lead to a page of their own: of what is `asked`."""
    total = sum(part.count for part in parts)
    found = [part for part in parts if part.count or part.before or split is Split.WATCH]
    spiked: defaultdict[str, list[datetime]] = defaultdict(list)
    for spike in spikes:
        spiked[spike.watch].append(spike.at)
    lines = [
        Line(
            name=_named(split, part.name),
            count=part.count,
            change=change(part.count, part.before) if compared else "",
            share=f"{100 * part.count / total:.0f} %" if total else "0 %",
            bar=charts.share(part.count / total if total else 0.0),
            spark=_spark(part, spiked[part.name], period) if period else None,
            spikes=len(spiked[part.name]),
            href=asked.href(watch=(part.name,))
            if asked and asked.watches != (part.name,)
            else None,
        )
        for part in found[:most]
    ]
    return Ranking(split=split, lines=lines, more=max(0, len(found) - most))


def _spark(part: Part, spikes: Sequence[datetime], period: Period) -> Markup | None:
    """As many bars as can be seen, to a scale of their own: what it tells is when."""
    if not part.by_step:
        return None
    bar = max(1, -(-len(part.by_step) // 30))
    said = f"{part.name}: {words.number(part.count)}"
    marks = {(at - period.first) // (bar * period.step) for at in spikes}
    return charts.spark(_summed(part.by_step, bar), said, marks=marks)


def _named(split: Split, name: str) -> str:
    if split is Split.LANGUAGE and name:
        return words.language(name)
    return name or _UNKNOWN.get(split, "")


def _one(counted: Counted) -> str:
    return "article" if counted is Counted.ARTICLES else "story"


def _steps_a_bar(asked: Asked, period: Period) -> int:
    if period.step == HOUR:
        return _HOURS_A_BAR.get(asked.span, 1)
    return 7 if period.steps > _MOST_BARS else 1


def _bar_in_words(width: timedelta) -> str:
    if width >= 7 * DAY:
        return "a week a bar"
    if width == DAY:
        return "a day a bar"
    hours = width // HOUR
    return "an hour a bar" if hours == 1 else f"{hours} hours a bar"


def _summed(values: Sequence[int], together: int) -> Sequence[int]:
    """So many neighbours as one each."""
    if together == 1:
        return values
    return [sum(values[at : at + together]) for at in range(0, len(values), together)]


def _rest(whole: Sequence[Sequence[int]], shown: Sequence[Sequence[int]]) -> Sequence[int]:
    """What is in all of these and not in those."""
    if not whole:
        return ()
    sums = [sum(values) for values in zip(*whole, strict=True)]
    known = [sum(values) for values in zip(*shown, strict=True)] if shown else [0] * len(sums)
    return [max(0, every - some) for every, some in zip(sums, known, strict=True)]


def _plain(cell: str) -> str:
    """A cell that spreadsheets read as words (OWASP, CSV injection)."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell


def _day(query: QueryParams, name: str) -> date:
    text = query.get(name, "").strip()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Unclear(f"“{name}” must be a day such as 2025-05-10, not {text[:20]!r}.") from None


def _one_of(kind: type[E], query: QueryParams, name: str, default: E) -> E:
    text = query.get(name, "")
    if not text:
        return default
    try:
        return kind(text)
    except ValueError:
        known = ", ".join(kind)
        raise Unclear(f"There is no {name}={text[:20]!r}: it is {known}.") from None
