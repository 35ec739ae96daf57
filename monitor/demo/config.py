"""The feeds.toml under which the real service watches the newsroom."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from monitor.demo.newsroom import feed_path
from monitor.demo.script import load

WATCHES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "Ceasefire": ("ceasefire", "युद्धविराम", "संघर्षविराम", "جنگ بندی"),
        "Kashmir": ("Kashmir", "कश्मीर", "کشمیر"),
        "Operation Trishakti": ("Operation Trishakti", "ऑपरेशन त्रिशक्ति", "آپریشن تریشکتی"),
        "Bunyad-e-Azm": ("Bunyad-e-Azm", "बुनियाद-ए-अज़्म", "بنیادِ عزم"),
    }
)
"""What the demo looks for. The items of `data/` state which of these they hit."""

NEWSDESK, OPS = "newsdesk", "newsdesk-ops"
"""The channels of the demo's Slack."""

BULLETINS = "NBN News World"
"""The feed that had bulletins before the crisis."""

DIGEST: timedelta = timedelta(hours=5, minutes=40)
"""When the day is summed up, after the start."""

DEMANDS: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        # said aloud once so many outlets report it in words of their own
        # and when more of it begins than is usual
        "Ceasefire": {"escalate": {"publishers": 4}, "spike": {"stories": 6}},
        # one outlet's word is not enough: what nobody else reports waits, visibly
        "Operation Trishakti": {"min_publishers": 2},
    }
)
"""What a watch asks of a story beside its words."""

_HEAD = """\
# The demo's configuration: a newsroom on this machine, and what to look for in it.

[polling]
interval = "{interval}"

[fetch]
allow   = ["127.0.0.1"]
spacing = "0s"   # all outlets live at one address

[slack]
channel     = "#{newsdesk}"
ops_channel = "#{ops}"
{heartbeat}
[alerts]
max_age = "24h"

[web]
editable = true  # try it: save a watch on the page
"""


def demo_config(base_url: str, *, interval: str = "1m", start: datetime | None = None) -> str:
    """A feeds.toml for a newsroom that answers at `base_url`; feeds are asked every `interval`.

    With a `start` there is a digest `DIGEST` after it, and operators hear that all is well.
    """
    day: dict[str, object] = {}
    heartbeat = ""
    if start is not None:
        day["digest"] = f"{(start + DIGEST).astimezone(UTC):%H:%M} UTC"
        heartbeat = f'heartbeat   = "{day["digest"]}"\n'
    parts = [_HEAD.format(interval=interval, newsdesk=NEWSDESK, ops=OPS, heartbeat=heartbeat)]
    parts.extend(
        _table("watch", {"name": name, "terms": list(terms), **DEMANDS.get(name, {}), **day})
        for name, terms in WATCHES.items()
    )
    for outlet, feed in load().feeds:
        fields: dict[str, object] = {
            "name": feed.name,
            "url": base_url + feed_path(outlet, feed),
            "publisher": outlet.name,
            "language": outlet.language,
            "tags": list(feed.tags),
        }
        if outlet.side != "world":
            fields["side"] = outlet.side
        parts.append(_table("feed", fields))
    return "\n".join(parts)


def _table(name: str, fields: Mapping[str, object]) -> str:
    """A TOML table."""
    lines = [f"{key} = {_value(value)}" for key, value in fields.items()]
    return "\n".join([f"[[{name}]]", *lines, ""])


def _value(value: object) -> str:
    """JSON's strings, numbers and lists of strings are TOML's too."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
