"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fakes import FakeClock

pytest_plugins = ["tests.postgres", "tests.databases"]

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real feeds, pages and labelled data; tests that need it skip without it."""
    folder = Path(os.environ.get("MONITOR_CORPUS", PROJECT.parent / "shared" / "corpus"))
    if not folder.is_dir():
        pytest.skip(f"no corpus at {folder} (set MONITOR_CORPUS)")
    return folder


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still until told otherwise."""
    return FakeClock()
