"""What the composition root decides."""

from __future__ import annotations

import sys

import pytest

from monitor.config import load
from monitor.service import Pace, assembled, rules_of, sink_of

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


async def test_what_is_told_of_a_rejected_query_is_a_line_without_a_picture(tmp_path):
    """The page and Slack have no columns that a caret could stand below."""
    path = tmp_path / "feeds.toml"
    path.write_text(WATCHES)
    env = {"MONITOR_DATABASE_URL": f"sqlite:///{tmp_path / 'monitor.db'}"}
    async with assembled(load(path, env)) as service:
        broken = "[[watch]]\nname = 'Fire'\nquery = 'a hint: NEAR/ b'\n[[watch]]\nname = ''\n"
        path.write_text(broken + WATCHES)
        assert not await service.reload(path, env)
        told = (service.config_error() or "").splitlines()
    assert told[0].removeprefix(f"{path}:") == (
        '3:18: watch "Fire": query: NEAR needs a number after "/" (hint: write NEAR/5 for at most'
        " five words between; NEAR alone means NEAR/4)"
    )
    assert all(line.startswith(f"{path}:") for line in told)
