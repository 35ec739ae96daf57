"""One service per SQLite file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.errors import StorageError
from monitor.storage import exclusive

PROJECT = Path(__file__).parent.parent.parent
HOLD = """
import sys
from monitor.storage import exclusive
with exclusive(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_service_is_told_which_process_is_the_first(tmp_path: Path) -> None:
    """And a killed one leaves the file to the next."""
    url = f"sqlite:///{tmp_path / 'data' / 'monitor.db'}"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, url],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        with (
            pytest.raises(StorageError, match=rf"another monitor \(pid {first.pid}\) is using"),
            exclusive(url),
        ):
            pass
        first.kill()
        first.wait(30)
    with exclusive(url):
        assert (tmp_path / "data" / "monitor.db.lock").read_text() == f"{os.getpid()}\n"


def test_the_next_may_come_when_the_first_has_left(tmp_path: Path) -> None:
    """In one process, too."""
    url = f"sqlite:///{tmp_path / 'monitor.db'}"
    for _ in range(2):
        with (
            exclusive(url),
            pytest.raises(StorageError, match=f"pid {os.getpid()}"),
            exclusive(url),
        ):
            pass


def test_several_services_may_share_postgresql() -> None:
    """Leases and locks in the database keep them apart."""
    url = "postgresql://nobody@nowhere.invalid/monitor"
    with exclusive(url), exclusive(url):
        pass


def test_a_lock_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    """With the reason."""
    (tmp_path / "monitor.db.lock").mkdir()
    with (
        pytest.raises(StorageError, match=r"monitor.db.lock can't be written \(Is a directory\)"),
        exclusive(f"sqlite:///{tmp_path / 'monitor.db'}"),
    ):
        pass
