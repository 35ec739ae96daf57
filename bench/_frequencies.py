"""Makes monitor/stories/frequencies.txt, counts and nothing else, from the corpus.

    python -m bench._frequencies > monitor/stories/frequencies.txt

Read are articles, summaries and pairs of whatever language the corpus has; not the sets that only
judge stories (ECB+, the titles of UCI): a table that had seen them would flatter us. `--dev`
leaves out half of the AllSides stories too, those whose figures are quoted as held out.
"""

from __future__ import annotations

import argparse
import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from monitor.stories.frequencies import measured, written
from monitor.stories.terms import words

Text = tuple[str | None, str]


def main() -> None:
    """Reads the corpus, writes the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=Path("../shared/corpus"))
    parser.add_argument("--dev", action="store_true")
    arguments = parser.parse_args()
    texts = dict.fromkeys(_texts(arguments.corpus, dev=arguments.dev))  # each once
    table = measured((language, (word.form for word in words(text))) for language, text in texts)
    for line in written(table):
        print(line)


def _texts(corpus: Path, *, dev: bool) -> Iterator[Text]:
    for record in _lines(corpus / "stories/story_allsides.jsonl.gz"):
        if not (dev and zlib.crc32(f"s{record['story']}".encode()) % 2):
            yield "en", f"{record['title']}\n{record['text'] or record['lead']}"
    for name in ("copy_real_docs", "copy_edit_bases"):
        for record in _lines(corpus / f"stories/{name}.jsonl"):
            yield record.get("lang", "en"), f"{record.get('title', '')}\n{record['text']}"
    for record in _lines(corpus / "neardup/lede_aug2026_articles.jsonl.gz"):
        yield "en", f"{record['title']}\n{record['summary']}"
    for record in _lines(corpus / "neardup/semeval2022t8_pairs.jsonl"):
        yield record["lang1"], record["text1"]
        yield record["lang2"], record["text2"]
    for record in _lines(corpus / "neardup/tgcontest_pairs.jsonl"):
        yield record["lang"], f"{record['title1']}\n{record['text1']}"
        yield record["lang"], f"{record['title2']}\n{record['text2']}"
    for record in json.loads((corpus / "articles/index.json").read_text(encoding="utf-8")):
        yield record["lang"], f"{record['title']}\n{record['body']}"


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    opening = gzip.open if path.suffix == ".gz" else open
    with opening(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


if __name__ == "__main__":
    main()
