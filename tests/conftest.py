"""What every test may ask for."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

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


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Logging is global, and who starts a service or a benchmark sets it up: put it back."""
    root = logging.getLogger()
    handlers, level, disabled = root.handlers[:], root.level, root.manager.disable
    yield
    root.handlers[:], root.level, root.manager.disable = handlers, level, disabled
    structlog.reset_defaults()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still until told otherwise."""
    return FakeClock()
