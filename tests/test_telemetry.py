"""What a log line looks like, and what never stands in one."""

from __future__ import annotations

import io
import json
import logging

import pytest
from prometheus_client import generate_latest

from monitor import telemetry

TOKEN = "xoxb-123456789012-abcDEF"
SECRETS = (
    TOKEN,
    "xapp-1-A1-2-secret",
    "https://hooks.slack.com/services/T0/B0/verysecret",
    "https://reader:hunter2@feeds.example/rss",
    "https://feeds.example/rss?page=2&token=hunter2",
    "https://feeds.example/rss?access_token=hunter2#top",
    "https://feeds.example/rss?api_key=hunter2",
)


def logged(style, speak) -> str:
    stream = io.StringIO()
    telemetry.set_up_logging(style, stream=stream)
    speak(telemetry.get_logger())
    return stream.getvalue()


def test_a_line_for_machines_is_one_json_object():
    """Event, level, time in UTC, fields in any script."""
    line = logged("json", lambda log: log.info("feed.polled", feed="बीबीसी", new=3))
    entry = json.loads(line)
    assert entry["event"] == "feed.polled"
    assert (entry["feed"], entry["new"], entry["level"]) == ("बीबीसी", 3, "info")
    assert entry["time"].endswith("Z")
    assert list(entry)[:3] == ["time", "level", "event"]


@pytest.mark.parametrize("mark", ["\x85", "\u2028", "\u2029", "\u202e", "\u2066", "\x9b"])
@pytest.mark.parametrize("style", ["json", "text"])
def test_what_a_publisher_writes_stays_in_its_line(style, mark):
    """No reader sees a second line, or a line that runs backwards."""
    line = logged(style, lambda log: log.info("feed.polled", feed=f"a{mark}level=error"))
    assert len(line.splitlines()) == 1
    assert mark not in line
    assert f"u{ord(mark):04x}" in line


def test_a_line_for_people_is_plain_text_off_a_terminal():
    """No escape sequences in a file."""
    line = logged("auto", lambda log: log.info("feed.polled", new=3))
    assert json.loads(line)["event"] == "feed.polled"
    line = logged("text", lambda log: log.info("feed.polled", new=3))
    assert "feed.polled" in line
    assert "\x1b" not in line


@pytest.mark.parametrize("colours", [True, False])
def test_who_wants_no_colours_gets_none(colours):
    """On a terminal, too."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    telemetry.set_up_logging("auto", stream=stream, colours=colours)
    telemetry.get_logger().info("feed.polled", new=3)
    assert "feed.polled" in stream.getvalue()
    assert ("\x1b" in stream.getvalue()) is colours


@pytest.mark.parametrize("style", ["json", "text"])
@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_stands_in_a_log(style, secret):
    """Tokens, webhooks and passwords are cut out: of fields, of traces, of other libraries' lines."""

    def speak(log):
        log.warning("slack.refused", error=f"at {secret} again", tried=[secret])
        logging.getLogger("some.library").warning("request to %s", secret)
        try:
            int(f"bad: {secret}")
        except ValueError:
            log.exception("job.crashed")

    text = logged(style, speak)
    assert "***" in text
    for part in ("abcDEF", "A1-2-secret", "verysecret", "hunter2"):
        assert part not in text


@pytest.mark.parametrize("style", ["json", "text"])
def test_a_trace_shows_no_variables(style):
    """A bug is logged whole, without the pages and feeds that its functions held."""

    def speak(log):
        page = "the whole page of a newspaper"
        try:
            len(page) // 0
        except ZeroDivisionError:
            log.exception("job.crashed")

    text = logged(style, speak)
    assert "ZeroDivisionError" in text
    assert "len(page) // 0" in text
    assert "newspaper" not in text


def test_metric_names_begin_with_monitor():
    """One prefix; counters end in _total."""
    for line in generate_latest(telemetry.REGISTRY).decode().splitlines():
        if line.startswith("# TYPE"):
            _, _, name, kind = line.split()
            assert name.startswith("monitor_")
            assert kind != "counter" or name.endswith("_total")
