"""The Slack app as a manifest: what it is called, and exactly the scopes that the code uses. Pure.

`alerts/manifest.yaml` is what `as_yaml(manifest())` gives, for who has nothing installed yet.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from alerts.slack import wanted_scopes

COMMAND = "/monitor"
NEW_APP = "https://api.slack.com/apps?new_app=1&manifest_json="

WHY: Mapping[str, str] = {
    "chat:write": "post and edit its own messages",
    "chat:write.public": "post to public channels that it was not invited to",
    "channels:read": "find the id of a public channel by its name",
    "groups:read": "the same for private channels that it is in",
    "channels:history": "look whether a message arrived before posting it again",
    "groups:history": "the same in private channels",
    "files:write": "put the chart into a digest",
    "commands": f"hear {COMMAND}",
    "users:read": "say who acknowledged, by the name people know",
}
"""What each scope is for."""


def manifest(*, interactive: bool = False) -> dict[str, Any]:
    """The app; with buttons, a command and Socket Mode if it is to be `interactive`."""
    features: dict[str, Any] = {
        "app_home": {"home_tab_enabled": False, "messages_tab_enabled": False},
        "bot_user": {"display_name": "monitor", "always_online": True},
    }
    settings: dict[str, Any] = {
        "org_deploy_enabled": False,
        "socket_mode_enabled": interactive,
        "token_rotation_enabled": False,
    }
    if interactive:
        features["slash_commands"] = [
            {
                "command": COMMAND,
                "description": "How it stands, what a watch would find, why an article alerted",
                "usage_hint": "status | watches | test QUERY | search WORDS | why URL | help",
                "should_escape": False,
            }
        ]
        settings = {"interactivity": {"is_enabled": True}, **settings}
    return {
        "_metadata": {"major_version": 1},
        "display_information": {
            "name": "monitor",
            "description": "One living message per news story that matches your watches",
            "background_color": "#1f2937",
        },
        "features": features,
        "oauth_config": {"scopes": {"bot": list(wanted_scopes(interactive=interactive))}},
        "settings": settings,
    }


def as_yaml(app: Mapping[str, Any]) -> str:
    """A manifest as YAML, with what each scope is for."""
    head = "# The Slack app of monitor, with exactly the scopes that it uses. See docs/slack.md."
    return "\n".join((head, *_lines(app, ""))) + "\n"


def one_click(app: Mapping[str, Any]) -> str:
    """A URL that opens Slack with the manifest filled in."""
    return NEW_APP + quote(json.dumps(app, separators=(",", ":")), safe="")


def _lines(table: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in table.items():
        match value:
            case dict():
                yield f"{indent}{key}:"
                yield from _lines(value, f"{indent}  ")
            case list():
                yield f"{indent}{key}:"
                yield from _items(value, f"{indent}  ")
            case _:
                yield f"{indent}{key}: {_scalar(value)}"


def _items(rows: Sequence[Any], indent: str) -> Iterator[str]:
    width = (
        max(len(row) for row in rows if isinstance(row, str))
        if rows and isinstance(rows[0], str)
        else 0
    )
    for row in rows:
        if isinstance(row, dict):
            first, *rest = _lines(row, f"{indent}  ")
            yield f"{indent}- {first.lstrip()}"
            yield from rest
        else:
            why = f"# {WHY[row]}" if row in WHY else ""
            yield f"{indent}- {row:<{width}}  {why}".rstrip()


def _scalar(value: object) -> str:
    """Words as they are where YAML reads them as words, else quoted."""
    if not isinstance(value, str):
        return json.dumps(value)
    is_plain = value.replace(" ", "").isalnum() and not value.isdecimal()
    return value if is_plain else json.dumps(value)
