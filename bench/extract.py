"""Extraction measured on real pages: ours beside trafilatura's settings, in one run.

    python -m bench.extract [--corpus FOLDER] [--limit N] [--repeat K]

Text is scored as in article-extraction-benchmark: shingles of four words, precision and recall per
page, then their means. What a page's gold standfirst says counts for nobody and against nobody.
CPU is measured page by page in turns, so that the ratios hold on a machine that is busy. The last
line is one JSON object.
"""

from __future__ import annotations

import gzip
import html
import importlib.util
import json
import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean
from typing import Any

from trafilatura import bare_extraction

from bench import options_of
from monitor.errors import ParseError
from monitor.extract import extract_page

WORD = re.compile(r"\w+")
TYPE = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Found:
    """What an extractor says of a page; None where it does not say."""

    text: str
    title: str | None = None
    published_at: datetime | None = None
    authors: tuple[str, ...] = ()


@dataclass(slots=True)
class Tally:
    """What an extractor achieved over all pages."""

    precision: list[float] = field(default_factory=list)
    recall: list[float] = field(default_factory=list)
    empty: int = 0
    seconds: float = 0.0
    right: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)

    @property
    def f1(self) -> float:
        """The harmonic mean of mean precision and mean recall."""
        both = mean(self.precision), mean(self.recall)
        return 2 * both[0] * both[1] / sum(both)

    def share(self, what: str) -> float | None:
        """How often a field was right; None when the extractor gives none."""
        return self.right[what] / self.asked[what] if self.asked[what] else None


Extractor = Callable[[bytes, str], Found]


def ours(body: bytes, url: str) -> Found:
    try:
        page = extract_page(body, url=url, content_type=TYPE)
    except ParseError:
        return Found("", title="")
    return Found(page.body, page.title, page.published_at, page.authors)


def trafilatura(*, metadata: bool = False, **settings: Any) -> Extractor:
    def extract(body: bytes, url: str) -> Found:
        document: Any = bare_extraction(
            body, url=url, include_comments=False, with_metadata=metadata, **settings
        )
        if document is None:
            return Found("", title="" if metadata else None)
        if not metadata:
            return Found(document.text)
        day = datetime.fromisoformat(document.date).replace(tzinfo=UTC) if document.date else None
        authors = tuple((document.author or "").split("; ")) if document.author else ()
        return Found(document.text, document.title or "", day, authors)

    return extract


def readability(body: bytes, _: str) -> Found:
    from lxml.html import fromstring  # noqa: PLC0415 (not everybody has this peer)
    from readability import Document  # type: ignore[import-not-found]  # noqa: PLC0415

    return Found(fromstring(Document(body.decode()).summary()).text_content())


def resiliparse(body: bytes, _: str) -> Found:
    from resiliparse.extract.html2text import (  # type: ignore[import-not-found]  # noqa: PLC0415
        extract_plain_text,
    )

    return Found(extract_plain_text(body.decode(), main_content=True, alt_texts=False))


def extractors() -> dict[str, Extractor]:
    found: dict[str, Extractor] = {
        "ours": ours,
        "trafilatura standard": trafilatura(),
        "trafilatura precision": trafilatura(favor_precision=True),
        "trafilatura fast": trafilatura(fast=True),
        "trafilatura standard + metadata": trafilatura(metadata=True),
    }
    if importlib.util.find_spec("readability"):
        found["readability-lxml"] = readability
    if importlib.util.find_spec("resiliparse"):
        found["resiliparse"] = resiliparse
    return found


def shingles(text: str) -> Counter[tuple[str, ...]]:
    words = WORD.findall(text)
    if not words:
        return Counter()
    return Counter(tuple(words[n : n + 4]) for n in range(max(1, len(words) - 3)))


def score(gold: Mapping[str, Any], text: str) -> tuple[float | None, float | None]:
    """Precision and recall of a text; None where there is nothing to divide by."""
    want, got = shingles(gold["body"]), shingles(text)
    standfirst = set(shingles("\n".join(gold["summary"]))) - set(want)
    right = sum((want & got).values())
    wrong = sum(count for key, count in (got - want).items() if key not in standfirst)
    missed = sum((want - got).values())
    precision = right / (right + wrong) if right + wrong else None
    return precision, right / (right + missed) if right + missed else None


def one_line(text: str) -> str:
    return " ".join(html.unescape(text).split())


def tally(into: Tally, gold: Mapping[str, Any], found: Found) -> None:
    precision, recall = score(gold, found.text)
    into.empty += not found.text
    if precision is not None:
        into.precision.append(precision)
    if recall is not None:
        into.recall.append(recall)
    if found.title is None:
        return
    count(into, "title", right=one_line(found.title) == one_line(gold["title"]))
    if gold["publishing_date"]:
        moment = datetime.fromisoformat(gold["publishing_date"])
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        at = found.published_at
        day = at is not None and at.date() in {moment.date(), aware.astimezone(UTC).date()}
        count(into, "day", right=day)
        count(into, "moment", right=at == aware)
    if gold["authors"]:
        want = {name.casefold() for name in gold["authors"]}
        count(into, "any author", right=bool(want & {name.casefold() for name in found.authors}))


def count(into: Tally, what: str, *, right: bool) -> None:
    into.asked[what] += 1
    into.right[what] += right


def pages(index: Path, limit: int | None) -> Iterator[tuple[dict[str, Any], bytes]]:
    for gold in json.loads(index.read_text(encoding="utf-8"))[:limit]:
        yield gold, gzip.decompress((index.parent / gold["file"]).read_bytes())


def run(index: Path, limit: int | None, repeat: int) -> dict[str, Tally]:
    """Every extractor on every page, in turns; the text is scored once, the time is the least."""
    peers = extractors()
    tallies = {name: Tally() for name in peers}
    for gold, body in pages(index, limit):
        for name, extract in peers.items():
            spent = []
            for _ in range(repeat):
                began = time.process_time()
                found = extract(body, gold["url"])
                spent.append(time.process_time() - began)
            tallies[name].seconds += min(spent)
            tally(tallies[name], gold, found)
    return tallies


def report(tallies: dict[str, Tally], number: int) -> dict[str, Any]:
    base = tallies["trafilatura fast"].seconds
    rows: dict[str, Any] = {}
    print(f"{'':32}{'F1':>7}{'P':>7}{'R':>7}{'empty':>7}{'ms':>7}{'x fast':>8}", end="")
    print(f"{'title':>8}{'day':>8}{'moment':>8}{'author':>8}")
    for name, row in tallies.items():
        shares = {what: row.share(what) for what in ("title", "day", "moment", "any author")}
        rows[name] = {
            "f1": round(row.f1, 4),
            "precision": round(mean(row.precision), 4),
            "recall": round(mean(row.recall), 4),
            "empty": row.empty,
            "ms": round(row.seconds / number * 1e3, 2),
            "ratio_to_fast": round(row.seconds / base, 3),
            **{what: None if share is None else round(share, 4) for what, share in shares.items()},
        }
        line = rows[name]
        print(f"{name:32}{line['f1']:7.4f}{line['precision']:7.4f}{line['recall']:7.4f}", end="")
        print(f"{row.empty:7}{line['ms']:7.1f}{line['ratio_to_fast']:8.2f}", end="")
        print("".join("       –" if s is None else f"{s:8.3f}" for s in shares.values()))
    return rows


def main() -> None:
    logging.disable(logging.CRITICAL)
    parser = options_of(__doc__)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--repeat", type=int, default=1, help="runs per page; the fastest counts")
    options = parser.parse_args()
    index = options.corpus / "articles" / "index.json"
    number = len(json.loads(index.read_text(encoding="utf-8"))[: options.limit])
    rows = report(run(index, options.limit, options.repeat), number)
    print(json.dumps({"bench": "extract", "pages": number, "rows": rows}, ensure_ascii=False))


if __name__ == "__main__":
    main()
