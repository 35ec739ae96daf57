"""What it costs to parse a feed of which most was read before, beside feedparser, in one run.

    python -m bench.parse [--corpus FOLDER] [--rounds N] [--limit N]

Every RSS, Atom and RDF feed of the corpus, as it was served. The peer is feedparser with its
defaults, which reads all of it each time. Ours is `monitor.parse` from the bytes to the entries:

- `first`: nothing is known yet, so all is read, and the marks are made;
- `three new`: of all items but three the marks are there (three drawn with a fixed seed; feeds of
  four items or more);
- `nothing new`: of all, but the body's hash is another, as with a new `lastBuildDate`.

Both take turns feed by feed, and what is told is CPU time of one core, the least of the rounds: so
the ratios hold on a machine that is busy. `of all` compares the sums over all feeds, as a service
has them; `median` is that of the feeds' own ratios, in which a small one counts as much as a large.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

import feedparser

from bench import options_of
from monitor.parse import parse_feed
from monitor.parse.marks import Marks

URL: Final = "https://feeds.example/feed.xml"
TYPE: Final = "application/xml"
NEW: Final = 3
TARGETS: Final = {"three new": 8.0, "nothing new": 80.0}  # times as quick, of all


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed's bytes, with what is remembered of it in either case."""

    name: str
    body: bytes
    three_new: bytes | None  # None: it has no more than three items
    nothing_new: bytes
    cut: bool  # whether items can be cut away: not from what is broken

    @classmethod
    def of(cls, path: Path, dice: random.Random) -> Feed:
        body = path.read_bytes()
        blocks = parse_feed(body, url=URL, content_type=TYPE).blocks
        kept = Marks.unpacked(blocks)
        pairs = list(kept.guids().items())
        new = set(dice.sample(range(len(pairs)), min(NEW, len(pairs))))
        old = b"".join(mark + guid for n, (mark, guid) in enumerate(pairs) if n not in new)
        some = replace(kept, each=old, listing=b"of then.").packed() if old else None
        return cls(path.name, body, some, blocks, kept.cuts)


def theirs(feed: Feed) -> None:
    feedparser.parse(io.BytesIO(feed.body), response_headers={"content-type": TYPE})


def ours(feed: Feed, blocks: bytes) -> None:
    parse_feed(feed.body, url=URL, content_type=TYPE, blocks=blocks)


def ways(feed: Feed) -> dict[str, Callable[[], None]]:
    found: dict[str, Callable[[], None]] = {
        "feedparser": partial(theirs, feed),
        "first": partial(ours, feed, b""),
        "nothing new": partial(ours, feed, feed.nothing_new),
    }
    if feed.three_new is not None:
        found["three new"] = partial(ours, feed, feed.three_new)
    return found


def spent(feed: Feed, rounds: int) -> dict[str, float]:
    """Seconds that each way takes at least; nothing for one that does not apply."""
    least: dict[str, float] = {}
    for _ in range(rounds):
        for name, read in ways(feed).items():
            began = time.process_time()
            read()
            least[name] = min(least.get(name, 1e9), time.process_time() - began)
    return least


def compared(rows: Sequence[dict[str, float]], name: str) -> dict[str, Any]:
    """How many times as long as ours the peer takes."""
    pairs = [(row["feedparser"], row[name]) for row in rows if name in row]
    if not pairs:
        return {"feeds": 0}
    each = sorted(peer / our for peer, our in pairs)
    return {
        "feeds": len(pairs),
        "of_all": round(sum(peer for peer, _ in pairs) / sum(our for _, our in pairs), 2),
        "median": round(median(each), 2),
        "least": round(each[0], 2),
        "most": round(each[-1], 2),
        "ms": round(sum(our for _, our in pairs) / len(pairs) * 1e3, 3),
    }


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--rounds", type=_count, default=5)
    parser.add_argument("--limit", type=_count, help="at most so many feeds")
    options = parser.parse_args()
    paths = sorted(
        path
        for path in (Path(options.corpus) / "feeds").iterdir()
        if path.suffix in {".xml", ".atom", ".rdf", ".rss"}
    )[: options.limit]
    dice = random.Random(5)
    feeds = [Feed.of(path, dice) for path in paths]
    for feed in feeds[:3]:  # what is loaded at the first call is nobody's cost
        spent(feed, 1)
    rows = [spent(feed, options.rounds) for feed in feeds]
    peer = sum(row["feedparser"] for row in rows) / len(rows) * 1e3
    broken = [feed.name for feed in feeds if not feed.cut]
    size = sum(len(feed.body) for feed in feeds) / len(feeds)
    print(f"{len(feeds)} feeds of {size / 1000:.0f} KB; feedparser takes {peer:.1f} ms a feed.")
    if broken:
        print(f"Broken, so that nothing is cut away: {', '.join(broken)}.")
    print(f"\n{'times as quick':16}{'feeds':>7}{'of all':>9}{'median':>9}", end="")
    print(f"{'least':>9}{'most':>9}{'ms':>9}{'wanted':>9}")
    told = {}
    for name in ("first", "three new", "nothing new"):
        row = told[name] = compared(rows, name)
        wanted = TARGETS.get(name)
        if not row["feeds"]:
            continue
        print(f"{name:16}{row['feeds']:7}{row['of_all']:9.2f}{row['median']:9.2f}", end="")
        print(f"{row['least']:9.2f}{row['most']:9.2f}{row['ms']:9.3f}", end="")
        print(f"{wanted:9.0f}" if wanted else "")
    print(json.dumps({"bench": "parse", "feeds": len(feeds), "peer_ms": round(peer, 2), **told}))


def _count(given: str) -> int:
    if not given.isdecimal() or not int(given):
        raise argparse.ArgumentTypeError(f"{given!r} is not a number of them")
    return int(given)


if __name__ == "__main__":
    main()
