"""Benchmarks: peers and product side by side, in one run. The last line of each is one JSON object.

    python -m bench.NAME [--corpus FOLDER] …

The corpus is that of the tests: ``MONITOR_CORPUS``, unless the command line names another.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def options_of(description: str | None) -> argparse.ArgumentParser:
    """A parser that knows the option which every benchmark takes."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--corpus", type=_folder, default=os.environ.get("MONITOR_CORPUS", "../shared/corpus")
    )
    return parser


def _folder(given: str) -> Path:
    if not (Path(given) / "articles" / "index.json").is_file():
        raise argparse.ArgumentTypeError(f"no corpus at {given}: set MONITOR_CORPUS")
    return Path(given)
