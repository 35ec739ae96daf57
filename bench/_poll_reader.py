"""reader (https://github.com/lemon24/reader), for `bench.poll`: run by the Python that has it.

Speaks as `bench._poll_ours` does. Settings: no search index (ours has none either), threads as
told by ``workers``, a server that says nothing gets as long as from ours.
"""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from pathlib import Path
from typing import Any


def poll(reader: Any, workers: int) -> dict[str, int]:
    ends: Counter[str] = Counter()
    for each in reader.update_feeds_iter(scheduled=False, workers=workers):
        if each.error:
            ends["failed"] += 1
        elif each.updated_feed is None:
            ends["nothing new"] += 1
        else:
            ends["read"] += 1
    return dict(ends)


def main() -> None:
    from reader import make_reader  # type: ignore[import-not-found]  # noqa: PLC0415 (a peer)

    order = json.loads(sys.stdin.readline())
    logging.basicConfig(filename=Path(order["folder"]) / "reader.log", level=logging.WARNING)
    reader = make_reader(
        str(Path(order["folder"]) / "reader.db"),
        session_timeout=(order["timeout"],) * 2,
        search_enabled=False,
    )
    for url in order["urls"]:
        reader.add_feed(url)
    print(json.dumps("ready"), flush=True)
    for _ in sys.stdin:
        print(json.dumps(poll(reader, order["workers"])), flush=True)


if __name__ == "__main__":
    main()
