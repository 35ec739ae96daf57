"""Extraction measured on real pages: ours beside trafilatura's settings and others, in one run.

    python -m bench.extract [--index INDEX.json | --corpus FOLDER] [--limit N] [--repeat K]

INDEX.json lists pages with what is right of each: `file` (HTML, or that gzipped; relative to the
index), `url`, `title`, `body`, and if it is known `summary`, `authors` and `publishing_date`.

Text is scored as in article-extraction-benchmark: shingles of four words, precision and recall per
page, then their means. What a page's gold standfirst says counts for nobody and against nobody.
CPU is measured page by page in turns, so that the ratios hold on a machine that is busy; "x fast"
compares with trafilatura's bare text in its fast mode, without metadata. Ours is all of it: text,
title, authors, date, language, canonical URL, walls and updates. The last line is one JSON object.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import importlib.util
import json
import logging
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean
from typing import Any
from urllib.parse import urlsplit

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
        return 2 * both[0] * both[1] / sum(both) if sum(both) else 0.0

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
    from readability import Document  # type: ignore[import-untyped]  # noqa: PLC0415

    return Found(fromstring(Document(body.decode("utf-8", "replace")).summary()).text_content())


def resiliparse(body: bytes, _: str) -> Found:
    from resiliparse.extract.html2text import extract_plain_text  # noqa: PLC0415

    page = body.decode("utf-8", "replace")
    return Found(extract_plain_text(page, main_content=True, alt_texts=False))


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
    standfirst = set(shingles("\n".join(gold.get("summary") or ()))) - set(want)
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
    if gold.get("publishing_date"):
        moment = datetime.fromisoformat(gold["publishing_date"])
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        at = found.published_at
        day = at is not None and at.date() in {moment.date(), aware.astimezone(UTC).date()}
        count(into, "day", right=day)
        count(into, "moment", right=at == aware)
    if gold.get("authors"):
        want = {name.casefold() for name in gold["authors"]}
        count(into, "any author", right=bool(want & {name.casefold() for name in found.authors}))


def count(into: Tally, what: str, *, right: bool) -> None:
    into.asked[what] += 1
    into.right[what] += right


def read_index(index: Path) -> list[dict[str, Any]]:
    """The entries of an index. Raises `ValueError` with a sentence for what is none."""
    try:
        entries = json.loads(index.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"can't read {index}: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"{index} is not JSON") from None
    if not isinstance(entries, list) or not entries:
        raise ValueError(f"{index} is not a list of pages")
    for number, entry in enumerate(entries, start=1):
        for name in ("file", "url", "title", "body"):
            if not isinstance(entry, dict) or not isinstance(entry.get(name), str):
                raise ValueError(f"{index}: page {number} has no {name}")  # noqa: TRY004
        if not (index.parent / entry["file"]).is_file():
            raise ValueError(f"{index}: page {number} names {entry['file']}, which is not there")
    return entries


def page_of(index: Path, gold: Mapping[str, Any]) -> bytes:
    body = (index.parent / gold["file"]).read_bytes()
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


def attempt(extract: Extractor, body: bytes, url: str) -> Found:
    """What an extractor finds; nothing where it breaks down, as some do over hostile markup."""
    try:
        return extract(body, url)
    except Exception as error:  # noqa: BLE001 (a peer's bug is its result)
        print(f"{url}: {type(error).__name__}: {error}"[:120], file=sys.stderr)
        return Found("")


def run(
    index: Path, entries: list[dict[str, Any]], repeat: int
) -> tuple[dict[str, Tally], dict[str, Tally]]:
    """Every extractor on every page, in turns; the text is scored once, the time is the least.

    The second result is ours again, by halves of the hosts: what was looked at in one while this
    was written must hold in the other.
    """
    peers = extractors()
    tallies = {name: Tally() for name in peers}
    halves = {"ours, hosts of one half": Tally(), "ours, hosts of the other": Tally()}
    for extract in peers.values():  # what is loaded at the first call is nobody's cost
        attempt(extract, page_of(index, entries[0]), entries[0]["url"])
    for gold in entries:
        body = page_of(index, gold)
        for name, extract in peers.items():
            spent = []
            for _ in range(repeat):
                began = time.process_time()
                found = attempt(extract, body, gold["url"])
                spent.append(time.process_time() - began)
            rows = [tallies[name]]
            if extract is ours:
                rows.append(list(halves.values())[half_of(gold["url"])])
            for row in rows:
                row.seconds += min(spent)
                tally(row, gold, found)
    return tallies, {name: row for name, row in halves.items() if row.recall and row.precision}


def half_of(url: str) -> int:
    host = urlsplit(url).hostname or ""
    return int(hashlib.sha256(host.encode()).hexdigest(), 16) % 2


def report(tallies: Mapping[str, Tally], fast: Tally) -> dict[str, Any]:
    """Print a table, and return its figures."""
    base = fast.seconds / len(fast.recall)
    rows: dict[str, Any] = {}
    for name, row in tallies.items():
        shares = {what: row.share(what) for what in ("title", "day", "moment", "any author")}
        seconds = row.seconds / len(row.recall)
        rows[name] = {
            "f1": round(row.f1, 4),
            "precision": round(mean(row.precision), 4),
            "recall": round(mean(row.recall), 4),
            "empty": row.empty,
            "ms": round(seconds * 1e3, 2),
            "ratio_to_fast": round(seconds / base, 3),
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
    parser.add_argument("--index", type=Path, help="an index like the corpus' articles/index.json")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--repeat", type=int, default=1, help="runs per page; the fastest counts")
    corpus = parser.get_default("corpus")
    parser.set_defaults(corpus=None)  # it may be missing where an index is named
    options = parser.parse_args()
    index = options.index or Path(options.corpus or corpus) / "articles" / "index.json"
    if not options.index and not index.is_file():
        parser.error(f"no corpus at {corpus}: set MONITOR_CORPUS, or name an --index")
    try:
        entries = read_index(index)[: options.limit]
    except ValueError as error:
        parser.error(str(error))
    tallies, halves = run(index, entries, options.repeat)
    print(f"{'':32}{'F1':>7}{'P':>7}{'R':>7}{'empty':>7}{'ms':>7}{'x fast':>8}", end="")
    print(f"{'title':>8}{'day':>8}{'moment':>8}{'author':>8}")
    rows = report(tallies, tallies["trafilatura fast"])
    rows |= report(halves, tallies["trafilatura fast"])
    print(json.dumps({"bench": "extract", "pages": len(entries), "rows": rows}, ensure_ascii=False))


if __name__ == "__main__":
    main()
