"""The threat model names its tests, and they are there."""

from __future__ import annotations

import ast
import re
import stat
from pathlib import Path

import pytest

from monitor.config import load
from monitor.errors import ConfigError
from monitor.storage import upgrade
from monitor.storage.backup import backup
from tests.conftest import PROJECT
from tools.audit import judged

DOCUMENT = PROJECT / "docs" / "security.md"
NAMED = sorted(
    set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", DOCUMENT.read_text(encoding="utf-8")))
)


@pytest.mark.parametrize("file", sorted({file for file, _ in NAMED}))
def test_every_test_that_is_named_exists(file: str) -> None:
    """By its file and its name."""
    tree = ast.parse((PROJECT / file).read_text(encoding="utf-8"))
    there = {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name for of, name in NAMED if of == file} - there == set()


def test_every_threat_has_a_test() -> None:
    """Each row of a table of threats ends in one."""
    rows, is_threats = [], False
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        is_threats = line.startswith("|") and (is_threats or line.startswith("| threat |"))
        if is_threats and not line.startswith(("| threat |", "|---")):
            rows.append(line)
    assert len(rows) > 50
    assert [row for row in rows if not re.search(r"\| `tests/[\w/]+\.py::\w+` \|$", row)] == []


def test_a_backup_is_its_owners_alone(tmp_path: Path) -> None:
    """Nobody else on the machine may read what is watched."""
    url = f"sqlite:///{tmp_path / 'monitor.db'}"
    upgrade(url)
    target = tmp_path / "copy.db"
    backup(url, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "line",
    [
        "[slack]\ntoken",
        "[slack]\napp_token",
        "[slack]\nwebhook_url",
        "[web]\ntoken",
        "[web]\nread_token",
    ],
)
def test_a_secret_has_no_place_in_the_file(tmp_path: Path, line: str) -> None:
    """Which lies in a repository: it is said where it belongs, and not what it is."""
    path = tmp_path / "feeds.toml"
    path.write_text(f'{line} = "planted-secret"\n', encoding="utf-8")
    with pytest.raises(
        ConfigError, match="is a secret and does not belong in this file: set "
    ) as caught:
        load(path, {})
    assert "planted-secret" not in str(caught.value)


GOOD = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "c", "version": "3", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("dependencies", "status", "said"),
    [
        (None, 2, "No advisory service can be reached from here: nothing was looked up."),
        ([UNKNOWN], 2, "No advisory service can be reached from here: nothing was looked up."),
        ([GOOD, UNKNOWN], 2, "1 packages could not be looked up."),
        ([GOOD], 0, "Nothing is known against any of 1 packages."),
        ([GOOD, BAD, UNKNOWN], 1, "b 2: PYSEC-1, mended in 2.1"),
    ],
)
def test_an_audit_says_what_it_could_not_look_up(dependencies, status: int, said: str) -> None:
    """What was not asked about is not called good."""
    verdict = judged(dependencies)
    assert (verdict.status, verdict.lines[0]) == (status, said)
