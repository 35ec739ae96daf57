"""Charts: that they show what they were given, to everybody, and hold nothing that we refuse."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import jinja2
import pytest
from lxml import etree

from monitor.web import charts, words
from monitor.web.charts import Mark, Series

SVG = "{http://www.w3.org/2000/svg}"
FIRST = datetime(2025, 5, 10, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
HOSTILE = "<script>alert(1)</script> \"'&"


def tree(drawing: str) -> etree._Element:
    """A drawing, which must be XML, too."""
    return etree.fromstring(str(drawing))


def stacked(*counts: list[int], **other) -> charts.Chart:
    series = [Series(name=f"s{number}", values=values) for number, values in enumerate(counts)]
    return charts.bars("c", "A chart", series, **({"first": FIRST, "step": DAY} | other))


def heights(group: etree._Element) -> list[float]:
    return [float(rect.get("height")) for rect in group]


def pieces(chart: charts.Chart) -> list[etree._Element]:
    return [g for g in tree(chart.drawing).iter(f"{SVG}g") if "pieces" in g.get("class")]


def test_bars_are_as_high_as_their_counts():
    chart = stacked([1, 0, 4], [2, 0, 0])

    first, second = pieces(chart)

    assert heights(first)[1] == 4 * heights(first)[0]
    assert len(heights(first)) == 2  # nothing is no bar
    assert heights(second)[0] == 2 * heights(first)[0]
    [low, _], [high] = first, second
    assert float(high.get("y")) + float(high.get("height")) == pytest.approx(float(low.get("y")))


def test_charts_beside_each_other_have_one_scale_if_told_so():
    alone, compared = stacked([4]), stacked([4], most=8)

    assert heights(pieces(alone)[0]) == [2 * height for height in heights(pieces(compared)[0])]


@pytest.mark.parametrize(
    ("most", "scale"),
    [(0, ["0", "1", "2"]), (9, ["0", "5", "10"]), (11, ["0", "6", "12"]), (1300, None)],
)
def test_the_scale_ends_at_a_round_number(most, scale):
    drawing = tree(stacked([most]).drawing)

    values = [text.text for text in drawing.iter(f"{SVG}text") if text.get("class") == "value"]

    assert values == (scale or ["0", "800", "1,600"])


def test_what_is_drawn_stands_in_a_table_too():
    chart = stacked([1, 2], [3, 4], marks=[Mark(step=1, said="Spike: 4 stories")])

    assert [row.label for row in chart.rows] == ["11 May 2025", "10 May 2025"]
    assert [list(row.values) for row in chart.rows] == [[2, 4], [1, 3]]
    assert [row.said for row in chart.rows] == ["Spike: 4 stories", ""]
    assert chart.names == ["s0", "s1"]


def test_who_cannot_see_it_is_told_what_it_shows():
    drawing = tree(stacked([1, 5], marks=[Mark(step=1, said="Spike")]).drawing)

    title, description = drawing[0], drawing[1]

    assert drawing.get("role") == "img"
    assert drawing.get("aria-labelledby").split() == [title.get("id"), description.get("id")]
    assert title.text == "A chart"
    assert description.text == (
        "6 from 10 May 2025 to 11 May 2025 UTC; most in one day: 5, 11 May 2025. "
        "11 May 2025: Spike."
    )


@pytest.mark.parametrize("counts", [[], [[]], [[0, 0, 0]]], ids=["no series", "no steps", "zeros"])
def test_nothing_is_said_to_be_nothing(counts):
    chart = stacked(*counts)

    assert tree(chart.drawing)[1].text == "Nothing in this time."
    assert not pieces(chart)


def test_every_series_has_a_drawing_of_its_own():
    chart = stacked(*([[1]] * charts.MOST_SERIES))

    looks = [group.get("fill") for group in pieces(chart)]
    patterns = {each.get("id"): each for each in tree(chart.drawing).iter(f"{SVG}pattern")}

    assert looks == [None, *(f"url(#{name})" for name in patterns)]
    assert len({pattern[1].get("d") for pattern in patterns.values()}) == charts.MOST_SERIES - 1
    assert [name for _, name in chart.legend] == list(chart.names)


def test_the_policy_refuses_nothing_in_it():
    series = [Series(name=HOSTILE, values=[1, 2]), Series(name="b", values=[2, 3])]
    chart = charts.bars(
        "c", HOSTILE, series, first=FIRST, step=DAY, marks=[Mark(step=0, said=HOSTILE)]
    )
    drawn = [chart.drawing, charts.spark([1, 2], HOSTILE, marks=[1]), charts.share(0.4)]
    drawn += [sample for sample, _ in chart.legend]

    for drawing in drawn:
        for element in tree(drawing).iter():
            assert element.tag not in {f"{SVG}script", f"{SVG}style", "script"}
            assert not [name for name in element.attrib if name == "style" or name.startswith("on")]
    tips = [tip.text for tip in tree(chart.drawing).iter(f"{SVG}title")]
    assert tips[0] == HOSTILE
    assert tips[1] == f"10 May 2025 UTC: 3\n{HOSTILE}: 1\nb: 2\n{HOSTILE}"


@pytest.mark.parametrize(
    ("series", "key", "said"),
    [
        ([[1], [1, 2]], "c", "one length"),
        ([[1]] * 9, "c", "can't be told apart"),
        ([[1]], 'c"><b', "no name"),
    ],
)
def test_what_cannot_be_drawn_is_refused(series, key, said):
    with pytest.raises(ValueError, match=said):
        charts.bars(
            key,
            "A chart",
            [Series(name="s", values=values) for values in series],
            first=FIRST,
            step=DAY,
        )


@pytest.mark.parametrize(
    ("first", "step", "count", "shown"),
    [
        (FIRST, DAY, 7, ["10 May", "12 May", "14 May", "16 May"]),
        (FIRST, DAY, 3, ["10 May", "11 May", "12 May"]),
        (FIRST + 13 * HOUR, HOUR, 24, ["16:00", "20:00", "11 May", "04:00", "08:00", "12:00"]),
        (FIRST + 9 * HOUR, 3 * HOUR, 56, ["11 May", "13 May", "15 May", "17 May"]),
    ],
)
def test_a_few_steps_have_their_names_below(first, step, count, shown):
    drawing = tree(stacked([1] * count, first=first, step=step).drawing)

    times = [text.text for text in drawing.iter(f"{SVG}text") if "time" in text.get("class")]

    assert times == shown


def test_days_without_anything_are_days_too():
    chart = charts.days(
        "c", "Hits a day", "hits", {date(2025, 5, 8): 3}, until=date(2025, 5, 9), number=3
    )

    assert [(row.at.date(), list(row.values)) for row in chart.rows] == [
        (date(2025, 5, 9), [0]),
        (date(2025, 5, 8), [3]),
        (date(2025, 5, 7), [0]),
    ]


def test_the_smallest_are_one():
    series = [Series(name=str(number), values=[number, 1]) for number in range(12)]

    made = charts.gathered(series, most=4)

    assert [each.name for each in made] == ["11", "10", "9", charts.OTHERS]
    assert list(made[-1].values) == [sum(range(9)), 9]
    assert charts.gathered(series[:4], most=4)[0].name == "3"


def test_the_page_shows_the_table_behind_the_chart():
    templates = Path(charts.__file__).parent / "templates"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.globals["words"] = words
    page = environment.from_string(
        '{% import "charts.html" as charts %}{{ charts.figure(chart) }}'
    ).render(chart=stacked([1, 2], [3, 4], marks=[Mark(step=1, said=HOSTILE)]))

    [figure] = tree(f"<html>{page}</html>").iter("figure")
    cells = [[cell for cell in row.itertext() if cell.strip()] for row in figure.iter("tr")]

    assert cells == [
        ["Day (UTC)", "s0", "s1", "Marked"],
        ["11 May 2025", "2", "4", HOSTILE],
        ["10 May 2025", "1", "3"],
    ]
    assert figure.find(".//details/summary") is not None
