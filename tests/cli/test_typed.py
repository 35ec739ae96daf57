"""Numbers as they are typed at the command line."""

from __future__ import annotations

import pytest
import typer

from monitor.cli.typed import LARGEST, decimal, whole
from tests.cli.test_watches import Desk, desk  # noqa: F401 a fixture


@pytest.mark.parametrize(
    ("read", "typed", "number"),
    [
        (whole(), " 7 ", 7),
        (whole(), 7, 7),
        (whole(), str(LARGEST), LARGEST),
        (whole(), "٧", 7),
        (whole(most=7), "7", 7),
        (decimal(0.5), "0.5", 0.5),
        (decimal(0.5), 10.0, 10.0),
        (decimal(0.5), "1e3", 1000.0),
    ],
)
def test_a_number_is_read(read, typed, number) -> None:
    """At both ends of its range; defaults come as numbers."""
    assert read(typed) == number


@pytest.mark.parametrize(
    ("read", "typed", "said"),
    [
        (whole(), "x", "'x' is no whole number"),
        (whole(), "", "'' is no whole number"),
        (whole(), "1.5", "'1.5' is no whole number"),
        (whole(), "9" * 5000, f"'{'9' * 30}…' is no whole number"),
        (whole(), "0", "0 is too small: 1 is the least"),
        (whole(most=1000), "1001", "1001 is too large: 1000 is the most"),
        (whole(), str(LARGEST + 1), f"{LARGEST + 1} is too large: {LARGEST} is the most"),
        (decimal(0.5), "abc", "'abc' is no number"),
        (decimal(0.5), "nan", "'nan' is no number"),
        (decimal(0.5), "inf", "'inf' is no number"),
        (decimal(0.5), "0.4", "0.4 is too small: 0.5 is the least"),
    ],
)
def test_what_is_no_number_is_said_in_a_sentence(read, typed, said) -> None:
    """Our own, whatever the command line is read by."""
    with pytest.raises(typer.BadParameter) as caught:
        read(typed)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    "args",
    [
        ("stories", "show", "x"),
        ("stories", "merge", "1", "x"),
        ("stories", "list", "--limit", "x"),
        ("watches", "test", "A", "--days", "x"),
        ("watches", "test", "A", "--limit", "x"),
        ("demo", "--port", "x"),
        ("demo", "--minutes", "x"),
    ],
)
def test_every_command_reads_them_so(desk: Desk, args: tuple[str, ...]) -> None:  # noqa: F811
    """And ends as usage does."""
    assert "'x' is no " in desk.monitor(*args, code=2)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("chekc",), "monitor: No such command 'chekc'. Did you mean 'check'?"),
        (("feeds", "lst"), "monitor feeds: No such command 'lst'. Did you mean 'list'?"),
        (("status", "--jsn"), "monitor status: No such option: --jsn (Possible options: --json)"),
        (
            ("run", "--role", "x"),
            "monitor run: Invalid value for '--role': 'x' is not one of 'all'",
        ),
        (("search",), "monitor search: Missing argument 'QUERY'."),
    ],
)
def test_what_is_mistyped_is_said_in_a_line(desk: Desk, args, said) -> None:  # noqa: F811
    """Without boxes or the words of a library; below it, how it is written."""
    first, second = desk.monitor(*args, code=2).strip().splitlines()
    assert first.startswith(said)
    assert second.startswith("Usage: monitor ")


@pytest.mark.parametrize("number", ["9" * 25, "9" * 5000])
def test_an_article_of_no_possible_number_is_not_there(desk: Desk, number: str) -> None:  # noqa: F811
    """It is not looked for beyond what a database counts to."""
    desk.archive({})
    assert "there is no article 999" in desk.monitor("stories", "split", number, code=1)
