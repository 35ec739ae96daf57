"""`make bench ARGS=…` gives every benchmark the same options."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BENCHES = sorted(path.stem for path in (ROOT / "bench").glob("[a-z]*.py"))


@pytest.mark.parametrize("name", BENCHES)
def test_a_benchmark_ends_in_one_line_of_json(name: str, corpus: Path) -> None:
    """A look at a few articles of the tests' corpus, read by a program."""
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{name}", "--corpus", corpus, "--limit", "3"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert isinstance(json.loads(done.stdout.splitlines()[-1]), dict)


@pytest.mark.parametrize("name", BENCHES)
def test_without_a_corpus_a_benchmark_says_so(name: str, tmp_path: Path) -> None:
    """One sentence and no trace."""
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{name}", "--corpus", tmp_path],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert "set MONITOR_CORPUS" in done.stderr
    assert "Traceback" not in done.stderr
