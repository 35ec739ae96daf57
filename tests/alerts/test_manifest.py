"""The app's manifest and its documentation say what the code uses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

import alerts
from alerts.manifest import WHY, as_yaml, manifest, one_click
from alerts.slack import INTERACTIVE_SCOPES, SCOPES, wanted_scopes

SHIPPED = Path(alerts.__file__).with_name("manifest.yaml")
DOCS = (Path(__file__).parents[2] / "docs" / "slack.md").read_text(encoding="utf-8")


def test_the_manifest_that_ships_is_the_one_that_is_printed() -> None:
    """Make it again with: monitor slack manifest > alerts/manifest.yaml."""
    assert SHIPPED.read_text(encoding="utf-8") == as_yaml(manifest())


@pytest.mark.parametrize("interactive", [False, True])
def test_yaml_and_link_are_the_same_manifest(interactive: bool) -> None:
    """What is pasted and what is clicked make one app."""
    app = manifest(interactive=interactive)
    assert yaml.safe_load(as_yaml(app)) == app
    query = parse_qs(urlsplit(one_click(app)).query)
    assert (json.loads(query["manifest_json"][0]), query["new_app"]) == (app, ["1"])
    assert len(one_click(app)) < 4000


def test_it_asks_for_exactly_the_scopes_in_use() -> None:
    """No more than is needed; buttons and a command only where they are asked for."""
    plain, interactive = manifest(), manifest(interactive=True)
    assert plain["oauth_config"]["scopes"]["bot"] == list(SCOPES)
    assert interactive["oauth_config"]["scopes"]["bot"] == [*SCOPES, *INTERACTIVE_SCOPES]
    assert not plain["settings"]["socket_mode_enabled"]
    assert "slash_commands" not in plain["features"]
    assert "interactivity" not in plain["settings"]
    assert interactive["settings"]["socket_mode_enabled"]
    assert interactive["settings"]["interactivity"] == {"is_enabled": True}


def test_every_scope_says_what_it_is_for() -> None:
    """Whoever must approve the app can read why, in the manifest and in the documentation."""
    assert set(WHY) >= set(wanted_scopes(interactive=True))
    table = re.findall(r"^\| (`[a-z].*?) \|", DOCS, re.MULTILINE)
    explained = re.findall(r"`([a-z]+:[a-z.]+|commands)`", " ".join(table))
    assert explained == list(wanted_scopes(interactive=True))


def test_lengths_that_slack_refuses_are_not_reached() -> None:
    """Of manifests' own schema: a command's description 2,000, a name 35, a hint 1,000."""
    [command] = manifest(interactive=True)["features"]["slash_commands"]
    assert len(command["description"]) <= 100
    assert len(command["usage_hint"]) <= 100
