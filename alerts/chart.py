"""A chart of bars as a PNG: how many a day, or an hour, and what is usual. Pure.

Its letters are those of the font that comes with Pillow, which has the Latin script alone: a label
in any other is left out, because boxes say less than nothing.
"""

from __future__ import annotations

import io
import math
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from alerts.text import clean, shorten

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

WIDTH, HEIGHT = 960, 360  # pixels: Slack shows about half of that, and screens have twice as many
MOST_BARS = 200

_PAPER, _INK, _FAINT, _LINE = "#ffffff", "#1f2937", "#6b7280", "#e5e7eb"
_BAR, _MARKED, _USUAL = "#94a3b8", "#dc2626", "#1d4ed8"
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 72, 48  # margins
_TITLE, _SMALL = 26, 20  # sizes of letters
_TITLE_CHARACTERS = 60
_MOST_LABELS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars side by side, the oldest first."""

    title: str
    values: tuple[int, ...]
    labels: tuple[str, ...] = ()  # one for each bar; those for which there is room are shown
    usual: tuple[float, ...] = ()  # what was to be expected of each bar: a line
    marked: int = 0  # so many of the last bars are the news


def draw(chart: Chart) -> bytes:
    """The chart as a PNG. Of more bars than `MOST_BARS` the last are shown."""
    from PIL import Image, ImageDraw  # noqa: PLC0415 4 MB, and most services never draw

    values, labels = chart.values[-MOST_BARS:], chart.labels[-MOST_BARS:]
    usual = chart.usual[-MOST_BARS:]
    image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    pen = ImageDraw.Draw(image)
    top = _round_top(max([1.0, *values, *usual]))
    _axis(pen, top)
    if values:
        _bars(pen, values, top, len(values) - min(chart.marked, len(values)))
        _below(pen, labels, len(values))
    if usual:
        _usual(pen, usual, top)
    _head(pen, chart.title, legend=bool(usual))
    stream = io.BytesIO()
    # few colours: a quarter of the size
    image.quantize(64).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def drawable(text: str) -> str:
    """A label as the font can draw it: on one line, or nothing at all."""
    line = clean(text)
    return line if all(_is_latin(char) for char in line) else ""


def _is_latin(char: str) -> bool:
    """Whether the font has it: Latin letters with their accents, digits, common signs."""
    if char in "–—‘’“”…·×":
        return True
    return " " <= char <= "\u017f" and unicodedata.category(char)[0] in "LNPSZ"


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont  # noqa: PLC0415 as in `draw`

    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # else Pillow was built without FreeType
    return font


def _round_top(most: float) -> float:
    """The value at the top of the axis: 1, 2 or 5 times a power of ten, or four fifths of it."""
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (1, 2, 4, 5, 8, 10, 20) if step * power >= most)


def _at(value: float, top: float) -> float:
    """How far down a value is."""
    return HEIGHT - _BOTTOM - value / top * (HEIGHT - _TOP - _BOTTOM)


def _axis(pen: ImageDraw.ImageDraw, top: float) -> None:
    for value in _marks(top):
        down = _at(value, top)
        pen.line([(_LEFT, down), (WIDTH - _RIGHT, down)], fill=_LINE, width=2)
        words = f"{value:g}"
        pen.text((_LEFT - 12, down), words, fill=_FAINT, font=_font(_SMALL), anchor="rm")


def _marks(top: float) -> list[float]:
    """The values that the axis names: whole ones, for there are no halves of stories."""
    parts = next(parts for parts in (4, 5, 2, 1) if top % parts == 0)
    return [top * part / parts for part in range(parts + 1)]


def _bars(pen: ImageDraw.ImageDraw, values: tuple[int, ...], top: float, news: int) -> None:
    step = _step(len(values))
    gap = min(8.0, step * 0.2)
    for n, value in enumerate(values):
        left = _LEFT + n * step + gap / 2
        if value:
            box = [(left, _at(value, top)), (left + step - gap, _at(0, top))]
            pen.rectangle(box, fill=_MARKED if n >= news else _BAR)
    peak = max(range(len(values)), key=lambda n: (n >= news, values[n], n))
    for n, value in enumerate(values):
        if value and (n == peak or len(values) <= _MOST_LABELS):
            middle = _LEFT + (n + 0.5) * step
            font, above = _font(_SMALL), _at(value, top) - 4
            pen.text((middle, above), str(value), fill=_INK, font=font, anchor="mb")


def _below(pen: ImageDraw.ImageDraw, labels: tuple[str, ...], bars: int) -> None:
    """Labels below bars: the last has one, and every so-many-th before it."""
    step, font = _step(bars), _font(_SMALL)
    shown = [drawable(label) for label in labels]
    widest = max((font.getlength(label) for label in shown), default=0.0)
    every = max(1, math.ceil(bars / _MOST_LABELS), math.ceil((widest + 16) / step))
    for n, label in enumerate(shown):
        if (len(shown) - 1 - n) % every or not label:
            continue
        half = font.getlength(label) / 2
        middle = min(max(_LEFT + (n + 0.5) * step, half + 4), WIDTH - half - 4)
        pen.text((middle, HEIGHT - _BOTTOM + 10), label, fill=_FAINT, font=font, anchor="ma")


def _usual(pen: ImageDraw.ImageDraw, usual: tuple[float, ...], top: float) -> None:
    """A line in steps: each bar has its own."""
    step = _step(len(usual))
    points = [
        (_LEFT + (n + side) * step, _at(value, top))
        for n, value in enumerate(usual)
        for side in (0, 1)
    ]
    pen.line(points, fill=_USUAL, width=3, joint="curve")


def _head(pen: ImageDraw.ImageDraw, title: str, *, legend: bool) -> None:
    font = _font(_TITLE)
    words = shorten(drawable(title), _TITLE_CHARACTERS)
    pen.text((_LEFT, 22), words, fill=_INK, font=font, anchor="la")
    if legend:
        right = WIDTH - _RIGHT
        pen.text((right, 24), "usual", fill=_FAINT, font=_font(_SMALL), anchor="ra")
        left = right - _font(_SMALL).getlength("usual") - 12
        pen.line([(left - 32, 36), (left, 36)], fill=_USUAL, width=3)


def _step(bars: int) -> float:
    return (WIDTH - _LEFT - _RIGHT) / bars
