"""Charts: PNGs that show what they are told, of anything."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from alerts.chart import HEIGHT, MOST_BARS, WIDTH, Chart, draw, drawable

MARKED, BAR, USUAL, LINE = (220, 38, 38), (148, 163, 184), (29, 78, 216), (229, 231, 235)


def picture(chart: Chart) -> Image.Image:
    """The chart as who opens the file sees it."""
    return Image.open(io.BytesIO(draw(chart))).convert("RGB")


def columns(image: Image.Image, colour: tuple[int, int, int]) -> list[int]:
    """The columns that hold a colour, and how much of it in each."""
    pixels = image.load()
    return [sum(pixels[x, y] == colour for y in range(HEIGHT)) for x in range(WIDTH)]


def test_bars_are_as_high_as_their_values():
    """Left to right, in proportion; the news is in its own colour, nothing is no bar."""
    image = picture(Chart(title="Stories", values=(2, 0, 4, 8), marked=1))
    grey, red = columns(image, BAR), columns(image, MARKED)
    step = (WIDTH - 64 - 24) / 4
    middles = [round(64 + (n + 0.5) * step) + 40 for n in range(4)]  # beside the numbers
    heights = [max(grey[x], red[x]) for x in middles]
    assert heights[1] == 0
    assert heights[2] == pytest.approx(2 * heights[0], abs=8)  # lines of the grid cross them
    assert heights[3] == pytest.approx(4 * heights[0], abs=12)
    assert [n for n, x in enumerate(middles) if red[x]] == [3]


def test_what_is_usual_is_a_line_over_all_bars():
    """From the first to the last of them; without it, there is none."""
    drawn = columns(picture(Chart(title="", values=(0, 0), usual=(3.0, 1.0))), USUAL)
    assert all(drawn[x] for x in range(70, WIDTH - 30))
    assert not any(columns(picture(Chart(title="", values=(1, 2))), USUAL))


@pytest.mark.parametrize(
    ("most", "lines"), [(1, 2), (2, 3), (3, 5), (5, 6), (7, 5), (9, 6), (16, 5), (50, 6), (100, 5)]
)
def test_the_axis_names_whole_numbers(most: int, lines: int):
    """No halves of stories: 0, 1, 2, 3, 4, 5 and not 0, 1.25, 2.5."""
    image = picture(Chart(title="", values=(most, 0)))
    row = [image.getpixel((WIDTH - 30, y)) == LINE for y in range(HEIGHT)]
    assert sum(row) == 2 * lines  # each is two pixels thick


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("Mon 5 May", "Mon 5 May"),
        ("“Ceasefire” – Überblick…", "“Ceasefire” – Überblick…"),
        ("युद्धविराम", ""),
        ("جنگ بندی", ""),
        ("Kashmir کشمیر", ""),
        ("a\nb\x1b[0m\u202e", "a b[0m"),
        ("🔥", ""),
    ],
)
def test_what_the_font_has_no_letters_for_is_left_out(label: str, shown: str):
    """Rather than boxes."""
    assert drawable(label) == shown


def test_a_title_in_another_script_costs_the_title_alone():
    """The bars are the same."""
    values = (1, 2, 3)
    assert draw(Chart(title="युद्धविराम", values=values)) == draw(Chart(title="", values=values))


@settings(max_examples=40, deadline=None)
@given(
    title=st.text(max_size=200),
    values=st.lists(st.integers(0, 10**9), max_size=MOST_BARS + 30),
    labels=st.lists(st.text(max_size=30), max_size=40),
    usual=st.lists(st.floats(0, 1e9), max_size=40),
    marked=st.integers(0, 300),
)
def test_any_chart_can_be_drawn(
    title: str, values: list[int], labels: list[str], usual: list[float], marked: int
):
    """Small enough for a database row and for Slack, and a picture of the promised size."""
    chart = Chart(
        title=title,
        values=tuple(values),
        labels=tuple(labels),
        usual=tuple(usual),
        marked=marked,
    )
    png = draw(chart)
    assert len(png) < 40_000
    assert Image.open(io.BytesIO(png)).size == (WIDTH, HEIGHT)


def test_the_same_chart_is_the_same_file():
    """What is written again has not changed."""
    chart = Chart(title="Stories", values=(1, 2), labels=("a", "b"), usual=(1.0, 1.0))
    assert draw(chart) == draw(chart)
