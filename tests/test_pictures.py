"""The pictures of docs/img/ are what the program shows: each is taken from the demo, and no other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import PROJECT
from tests.journeys.desk import chromium

PICTURES = PROJECT / "docs" / "img"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_picture_of_the_documents_is_taken_from_the_demo(tmp_path: Path) -> None:
    """Each page of the desk, light and dark, and what Slack shows; as wide as those that are kept."""
    done = subprocess.run(
        [sys.executable, "tools/pictures.py", "--folder", tmp_path, "--minutes", "3"],
        cwd=PROJECT,
        env={**os.environ, "MONITOR_CHROMIUM": chromium()},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr or done.stdout
    assert width_of_each(tmp_path) == width_of_each(PICTURES)


def width_of_each(folder: Path) -> dict[str, int]:
    """Pixels, by file."""
    found = {}
    for path in folder.glob("*.png"):
        with Image.open(path) as picture:
            found[path.name] = picture.width
    return found
