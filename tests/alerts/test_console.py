"""Alerts on a terminal and in a file."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from alerts import Card, Part, Passage, Posted, Stopped, line
from alerts.console import ConsoleSink
from tests.alerts.examples import AT, alert


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It lies."""
        return True


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal with colours, whatever runs the tests."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


async def test_an_alert_in_a_file_is_plain() -> None:
    """Four lines, the matched words between quotation marks."""
    stream = io.StringIO()

    await ConsoleSink(stream).post("console", alert(also=("PTI", "Dawn")))

    assert stream.getvalue() == (
        "■ India and Pakistan agree to a ceasefire\n"
        "  https://news.example.org/2025/05/10/ceasefire\n"
        "  │ Both sides said the «ceasefire» holds in «Kashmir».\n"
        "  Example Times · 2025-05-10 12:00 UTC · India–Pakistan ceasefire · ceasefire, Kashmir"
        " · +2 outlets: PTI, Dawn\n\n"
    )


async def test_an_alert_on_a_terminal_is_coloured() -> None:
    """The matched words stand out by colour and need no quotation marks."""
    stream = Terminal()

    await ConsoleSink(stream).post("console", alert())

    assert "\x1b[1;33mceasefire\x1b[0m" in stream.getvalue()
    assert "«" not in stream.getvalue()


async def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then quotation marks do the work of colour."""
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()

    await ConsoleSink(stream).post("console", alert())

    assert "«ceasefire»" in stream.getvalue()
    assert "\x1b[33" not in stream.getvalue()


async def test_a_publisher_can_not_drive_the_terminal() -> None:
    """Escape sequences and markup of others are words or nothing."""
    stream = io.StringIO()
    evil = "\x1b]0;owned\x07[bold]x[/bold] :smile: \x9b2J\u202e"

    await ConsoleSink(stream).post(
        "console",
        alert(
            headline=evil,
            publisher=evil,
            passage=Passage(text=evil, marks=((0, 3),)),
            url="https://a.example/\x1b[2J",
            terms=(evil,),
            watches=(evil,),
            also=(evil,),
        ),
    )

    shown = stream.getvalue()
    assert not set(shown) & {"\x1b", "\x07", "\x9b", "\u202e"}
    assert "[bold]x[/bold] :smile:" in shown


async def test_a_growing_story_is_one_line() -> None:
    """What is new, and about which story."""
    stream = io.StringIO()
    sink = ConsoleSink(stream)
    posted = await sink.post("console", alert())
    before = len(stream.getvalue())

    await sink.update(posted, alert(also=("PTI", "Dawn", "AP")))

    assert stream.getvalue()[before:] == (
        "updated: +3 outlets: PTI, Dawn, AP — India and Pakistan agree to a ceasefire\n"
    )


async def test_a_bare_alert_and_a_card() -> None:
    """Nothing is printed for what is not known."""
    stream = io.StringIO()
    sink = ConsoleSink(stream)

    await sink.post(
        "c", alert(url=None, passage=None, publisher="", published_at=None, watches=(), terms=())
    )
    said = line("since ", Part(text="", at=AT), bullet=True)
    await sink.post("c", Card(title="Dawn is silent\x1b[0m", lines=(said,)))

    assert stream.getvalue() == (
        "■ India and Pakistan agree to a ceasefire\n  found 2025-05-10 12:00 UTC\n\n"
        "● Dawn is silent[0m\n  • since 2025-05-10 12:00 UTC\n"
    )


async def test_a_closed_stream_stops_the_sink() -> None:
    """The queue waits; nothing is lost."""
    stream = io.StringIO()
    sink = ConsoleSink(stream)
    stream.close()

    with pytest.raises(Stopped, match="console_closed"):
        await sink.post("c", alert())


async def test_a_terminal_can_not_be_searched() -> None:
    """It says so instead of guessing."""
    sink = ConsoleSink(io.StringIO())

    assert (sink.can_update, sink.can_find) == (True, False)
    with pytest.raises(Stopped, match="cant_find"):
        await sink.find("c", "1", datetime.now(UTC))
    assert await sink.post("c", alert()) == Posted(channel="c", ref=alert().delivery_id)
