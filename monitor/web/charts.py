"""Charts as SVG that stands in the page: pure functions over plain values.

A chart is as wide as the place it is given and has letters of the page's own size there: lengths
along the time are per cent, heights are pixels. It holds no colour, style or script, which our
Content-Security-Policy would refuse: `static/charts.css` colours it for light and dark. Series are
told apart by patterns, too, and what is drawn stands in a table behind it (`templates/charts.html`).
Whatever comes from outside is escaped here. Times are UTC.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import svg
from markupsafe import Markup, escape

from monitor.web import words

MOST_SERIES: Final = 8
"""How many can be told apart; `gathered` makes one of the rest."""

OTHERS: Final = "others"

_DAY: Final = timedelta(days=1)
_KEY: Final = re.compile(r"[a-z][a-z0-9-]*")
_TOP: Final = 18  # pixels above the highest bar: marks stand there
_BELOW: Final = 22  # and below the lowest: times
_HEIGHT: Final = 150  # of the bars
_LABELS: Final = 6
_TILE: Final = 6  # pixels of a pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Counts under one name; a chart's series have as many each."""

    name: str
    values: Sequence[int]

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened in one of the steps."""

    step: int
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A step in the table behind a chart."""

    at: datetime
    label: str
    values: Sequence[int]
    said: str = ""  # what was marked

    @property
    def cells(self) -> Markup:
        """The counts as cells of a table: made here, because there may be a thousand."""
        cells = "".join(f'<td class="number">{value:,}</td>' for value in self.values)
        return Markup(cells)  # noqa: S704 - they are numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart, and the same in words and numbers."""

    key: str
    title: str
    drawing: Markup
    names: Sequence[str]  # of its series, in the order in which they are drawn, from below
    column: str  # what a step is: "Day", "Hour"
    rows: Sequence[Row]  # the newest first
    has_marks: bool

    @property
    def legend(self) -> Sequence[tuple[Markup, str]]:
        """A sample of each series' look and its name; nothing where there is but one."""
        if len(self.names) < 2:
            return ()
        return [(_sample(self.key, number), name) for number, name in enumerate(self.names)]


def bars(
    key: str,
    title: str,
    series: Sequence[Series],
    *,
    first: datetime,
    step: timedelta,
    marks: Sequence[Mark] = (),
    most: int = 0,
    height: int = _HEIGHT,
) -> Chart:
    """Bars over time, those of several series on top of each other.

    `first` is when the first bar's step began. `key` is the chart's own name on the page, for what
    refers to parts of it. With `most` the scale reaches as far at least, so that charts beside each
    other can be compared. Raises `ValueError` for more than `MOST_SERIES`, and series of different
    lengths.
    """
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is no name for a chart: small letters, digits and -.")
    if len(series) > MOST_SERIES:
        raise ValueError(f"{len(series)} series can't be told apart: `gathered` makes them fewer.")
    count = len(series[0].values) if series else 0
    if any(len(each.values) != count for each in series):
        raise ValueError("The series of a chart are of one length.")
    starts = [first + number * step for number in range(count)]
    sums = [sum(each.values[number] for each in series) for number in range(count)]
    said = {mark.step: mark.said for mark in marks if 0 <= mark.step < count}
    rows = [
        Row(
            at=at,
            label=_full(at, step),
            values=[each.values[number] for each in series],
            said=said.get(number, ""),
        )
        for number, at in enumerate(starts)
    ]
    top = _round_top(max([most, *sums]))
    elements: list[svg.Element] = [
        svg.Title(id=f"{key}-title", text=escape(title)),
        svg.Desc(id=f"{key}-desc", text=escape(_described(rows, sums, said, step))),
        *_patterns(key, len(series)),
        *_scale(top, height),
        *_stacks(key, series, top, height),
        *(_marker(number, count) for number in said),
        *_times(starts, step, height),
        *_tips(rows, series, sums, height),
    ]
    drawing = svg.SVG(
        class_=["bars"],
        width=svg.Length(100, "%"),
        height=_TOP + height + _BELOW,
        elements=elements,
        extra={"role": "img", "aria-labelledby": f"{key}-title {key}-desc"},
    )
    return Chart(
        key=key,
        title=title,
        drawing=Markup(str(drawing)),  # noqa: S704 - what is not ours in it was escaped
        names=[each.name for each in series],
        column="Day (UTC)" if step >= _DAY else "From (UTC)",
        rows=rows[::-1],
        has_marks=bool(said),
    )


def days(
    key: str, title: str, name: str, counts: Mapping[date, int], *, until: date, number: int
) -> Chart:
    """A bar for each of so many days, the last of which is `until`."""
    first = until - (number - 1) * _DAY
    values = [counts.get(first + step * _DAY, 0) for step in range(number)]
    start = datetime.combine(first, time(), UTC)
    return bars(key, title, [Series(name=name, values=values)], first=start, step=_DAY)


def gathered(series: Sequence[Series], most: int = MOST_SERIES) -> Sequence[Series]:
    """The largest of them, the largest first; if there are more than `most`, the rest is one."""
    ordered = sorted(series, key=lambda each: (-each.total, each.name))
    if len(ordered) <= most:
        return ordered
    rest = ordered[most - 1 :]
    summed = [sum(values) for values in zip(*(each.values for each in rest), strict=True)]
    return [*ordered[: most - 1], Series(name=OTHERS, values=summed)]


def spark(values: Sequence[int], said: str, *, marks: Collection[int] = ()) -> Markup:
    """Bars as high as a line or two of text, for a row of a table; `said` is read in their place.

    Above those of `marks`, by their place, something stands out.
    """
    top = max([1, *values])
    height, wide = 28, 10
    drawn = "".join(
        f"M{wide * number} {height}v-{_px(max(1.5, height * value / top))}h{wide - 2}V{height}z"
        for number, value in enumerate(values)
        if value
    )
    marked = "".join(f"M{wide * number} -5h{wide - 2}v3h-{wide - 2}z" for number in sorted(marks))
    elements: list[svg.Element] = [svg.Title(text=escape(said))]
    elements.append(_path("ground", f"M0 {height}h{wide * len(values)}"))
    if drawn:
        elements.append(_path("s0", drawn))
    if marked:
        elements.append(_path("mark", marked))
    drawing = svg.SVG(
        class_=["spark"],
        viewBox=svg.ViewBoxSpec(0, -5, max(1, wide * len(values)), height + 6),
        preserveAspectRatio=svg.PreserveAspectRatio("none"),
        elements=elements,
        extra={"role": "img"},
    )
    return Markup(str(drawing))  # noqa: S704 - what is not ours in it was escaped


def share(part: float) -> Markup:
    """A bar as long as a part of the whole, 0 to 1, for a cell beside its number."""
    wide = svg.Length(_px(100 * min(max(part, 0.0), 1.0)), "%")
    drawing = svg.SVG(
        class_=["share"],
        elements=[
            svg.Rect(class_=["whole"], width=svg.Length(100, "%"), height=svg.Length(100, "%")),
            svg.Rect(class_=["s0"], width=wide, height=svg.Length(100, "%")),
        ],
        extra={"aria-hidden": "true"},
    )
    return Markup(str(drawing))  # noqa: S704 - it holds numbers alone


# --------------------------------------------------------------------------- parts


def _scale(top: int, height: int) -> list[svg.Element]:
    """Lines at nothing, half and all, with their numbers in the margin."""
    elements: list[svg.Element] = []
    for value in (0, top // 2, top):
        y = _TOP + height - _px(height * value / top)
        elements += [
            svg.Line(
                class_=["ground" if not value else "grid"],
                x1=0,
                x2=svg.Length(100, "%"),
                y1=y,
                y2=y,
            ),
            svg.Text(class_=["value"], x=-8, y=y + 4, text=words.number(value)),
        ]
    return elements


def _stacks(key: str, series: Sequence[Series], top: int, height: int) -> list[svg.Element]:
    """The bars: of each series a group."""
    if not series:
        return []
    count = len(series[0].values)
    wide, x = _slots(count)
    below = [0] * count
    floor = _TOP + height
    groups: list[svg.Element] = []
    for number, each in enumerate(series):
        rects: list[str] = []
        for step, value in enumerate(each.values):
            if not value:
                continue
            tall = max(1.5, height * value / top)
            y = floor - height * below[step] / top - tall
            # hundreds of them: as text they take a tenth of the time
            rects.append(f'<rect x="{x[step]}%" width="{wide}%" y="{y:.6g}" height="{tall:.6g}"/>')
            below[step] += value
        if number and rects:
            look = f"url(#{key}-p{number})"
            groups.append(svg.G(fill=look, class_=["pieces"], text="".join(rects)))
        elif rects:
            groups.append(svg.G(class_=["s0", "pieces"], text="".join(rects)))
    return groups


def _tips(
    rows: Sequence[Row], series: Sequence[Series], sums: Sequence[int], height: int
) -> list[svg.Element]:
    """What is said where a pointer rests: a column over each step's whole height."""
    if not rows:
        return []
    wide = _px(100 / len(rows))
    names = [each.name for each in series]
    tips: list[str] = []
    for step, row in enumerate(rows):
        lines = [f"{row.label} UTC: {sums[step]:,}"]
        if len(names) > 1:
            lines += [f"{name}: {n:,}" for name, n in zip(names, row.values, strict=True) if n]
        if row.said:
            lines.append(row.said)
        title = escape("\n".join(lines))
        x = _px(100 * step / len(rows))
        tips.append(
            f'<rect x="{x}%" width="{wide}%" height="{_TOP + height}"><title>{title}</title></rect>'
        )
    return [svg.G(class_=["tips"], text="".join(tips))]


def _marker(step: int, count: int) -> svg.Element:
    """A triangle above a step. An own viewport stands at so many per cent; what is in it doesn't."""
    return svg.SVG(
        xmlns=None,
        class_=["marker"],
        x=svg.Length(_px(100 * (step + 0.5) / count), "%"),
        y=2,
        width=1,
        height=1,
        overflow="visible",
        elements=[_path("mark", "M-6 0h12l-6 10z")],
    )


def _times(starts: Sequence[datetime], step: timedelta, height: int) -> list[svg.Element]:
    """A few of the steps by name."""
    elements: list[svg.Element] = []
    shown = _shown(starts, step)
    for number, at in enumerate(shown):
        anchor = "start" if at == 0 else "middle"
        place = 0.0 if at == 0 else (at + 0.5) / len(starts)
        elements.append(
            svg.Text(
                class_=["time", anchor, "less"] if number % 2 else ["time", anchor],
                x=svg.Length(_px(100 * place), "%"),
                y=_TOP + height + 17,
                text=_short(starts[at], step),
            )
        )
    return elements


def _shown(starts: Sequence[datetime], step: timedelta) -> list[int]:
    """Which steps have their names below: even ones, few enough to be read."""
    count = len(starts)
    if step >= _DAY:
        stride = max(1, -(-count // _LABELS))
        return [number for number in range(0, count, stride) if number <= count - stride / 2]
    midnights = [number for number, at in enumerate(starts) if at.hour == 0]
    if len(midnights) > 2:
        stride = -(-len(midnights) // _LABELS)
        return midnights[::stride]
    hours = next(
        (hours for hours in (1, 2, 3, 4, 6) if count * step / timedelta(hours=hours) <= _LABELS), 6
    )
    return [number for number, at in enumerate(starts) if at.hour % hours == 0 and at.minute == 0]


def _patterns(key: str, count: int) -> list[svg.Element]:
    """How each series but the first, which is plain, is filled: colour and drawing."""
    if count < 2:
        return []
    patterns: list[svg.Element] = [
        svg.Pattern(
            id=f"{key}-p{number}",
            patternUnits="userSpaceOnUse",
            width=_TILE,
            height=_TILE,
            elements=[
                svg.Rect(class_=[f"s{number}"], width=_TILE, height=_TILE),
                _path("drawn", _DRAWN[number]),
            ],
        )
        for number in range(1, count)
    ]
    return [svg.Defs(elements=patterns)]


_DRAWN: Final = (
    "",
    "M-1.5 1.5l3-3M0 6L6 0M4.5 7.5l3-3",  # strokes that rise
    "M1.5 1.5h.01M4.5 4.5h.01",  # dots
    "M0 3H6",  # lines
    "M3 0V6",  # posts
    "M-1.5 4.5l3 3M0 0L6 6M4.5 -1.5l3 3",  # strokes that fall
    "M0 3H6M3 0V6",  # a grid
    "M0 0L6 6M0 6L6 0",  # a lattice
)


def _path(look: str, drawn: str) -> svg.Element:
    """What is drawn in SVG's own words; the library would have each of them as an object."""
    return svg.Path(class_=[look], extra={"d": drawn})


def _sample(key: str, number: int) -> Markup:
    """A square that looks like a series."""
    size = 2 * _TILE
    look = (
        svg.Rect(width=size, height=size, fill=f"url(#{key}-p{number})")
        if number
        else svg.Rect(class_=["s0"], width=size, height=size)
    )
    drawing = svg.SVG(
        class_=["sample"], width=size, height=size, elements=[look], extra={"aria-hidden": "true"}
    )
    return Markup(str(drawing))  # noqa: S704 - it holds numbers and a key that was looked at


def _slots(count: int) -> tuple[float, list[float]]:
    """How wide a bar is and where each begins, in per cent."""
    slot = 100 / max(count, 1)
    gap = slot * (0.2 if count > 40 else 0.26)
    return _px(slot - gap), [_px(number * slot + gap / 2) for number in range(count)]


# --------------------------------------------------------------------------- words and numbers


def _described(
    rows: Sequence[Row], sums: Sequence[int], said: Mapping[int, str], step: timedelta
) -> str:
    """What the chart shows, for who can't see it; the table behind it has the rest."""
    if not any(sums):
        return "Nothing in this time."
    highest = max(range(len(sums)), key=lambda number: sums[number])
    each = "day" if step == _DAY else "step"
    text = (
        f"{words.number(sum(sums))} from {rows[0].label} to {rows[-1].label} UTC; most in one {each}: "
        f"{words.number(sums[highest])}, {rows[highest].label}."
    )
    return text + "".join(f" {rows[number].label}: {what}." for number, what in said.items())


def _round_top(most: int) -> int:
    """Where the scale ends: 2, 4, 6, 8, 10, 12, 16, 20, …, so that its half is whole, too."""
    power = 1
    while 16 * power < most:
        power *= 10
    return next(part * power for part in (2, 4, 6, 8, 10, 12, 16) if part * power >= most)


def _short(at: datetime, step: timedelta) -> str:
    if step < _DAY and at.hour:
        return f"{at:%H:%M}"
    return f"{at.day} {at:%b}"


def _full(at: datetime, step: timedelta) -> str:
    return words.date(at) if step >= _DAY else f"{words.date(at)}, {at:%H:%M}"


def _px(value: float) -> float:
    """As exact as can be seen."""
    return round(value, 2)
