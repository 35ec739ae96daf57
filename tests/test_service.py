"""What the composition root decides."""

from __future__ import annotations

import sys

import pytest

from monitor.config import load
from monitor.service import Pace, rules_of, sink_of

WEBHOOK = "https://hooks.slack.com/services/T0/B0/never-print-me"
WATCHES = """
[[watch]]
name = "Truce"
terms = ["ceasefire"]
channel = "#asia"
[[watch]]
name = "Talks"
terms = ["ceasefire"]
"""


@pytest.mark.parametrize(
    ("slack", "env", "channel"),
    [
        ("", {}, "terminal"),
        ('[slack]\nchannel = "#news"\n', {}, "terminal"),
        ("", {"SLACK_WEBHOOK_URL": WEBHOOK}, "webhook"),
        ('[slack]\nchannel = "#news"\n', {"SLACK_WEBHOOK_URL": WEBHOOK}, "#news"),
    ],
)
async def test_what_shows_all_in_one_place_shows_a_story_once(tmp_path, slack, env, channel):
    """Neither a terminal nor a webhook has channels: a watch's own is not used."""
    path = tmp_path / "feeds.toml"
    path.write_text(slack + WATCHES)
    settings = load(path, env)
    sink = sink_of(settings, sys.stdout)
    rules = rules_of(settings, Pace(), sink)
    assert {rules.channel_of("Truce"), rules.channel_of("Talks")} == {channel}
    await sink.close()
