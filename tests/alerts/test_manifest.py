"""The app's manifest and its documentation say what the code uses."""

from __future__ import annotations

import re
from pathlib import Path

import alerts
from alerts.slack import SCOPES

MANIFEST = Path(alerts.__file__).with_name("manifest.yaml").read_text(encoding="utf-8")
DOCS = (Path(__file__).parents[2] / "docs" / "slack.md").read_text(encoding="utf-8")


def test_the_manifest_asks_for_exactly_the_scopes_in_use() -> None:
    """No more than is needed, no less than `check` demands."""
    assert tuple(re.findall(r"^      - (\S+)", MANIFEST, re.MULTILINE)) == SCOPES
    assert "\n  name: monitor\n" in MANIFEST


def test_the_documentation_explains_every_scope() -> None:
    """Whoever must approve the app can read why."""
    table = re.findall(r"^\| (`[a-z].*?) \|", DOCS, re.MULTILINE)

    assert re.findall(r"`([a-z:.]+)`", " ".join(table)) == list(SCOPES)
