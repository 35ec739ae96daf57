"""What it costs to match an article of 5 KB: whole path, text to hits with spans, CPU time.

    python -m bench.match_smoke [--corpus FOLDER] [--limit N]

Texts are the English ones of the corpus' articles, cut to 5,000 characters. Terms are drawn from
words of other articles, 60 % of one word and 40 % of two, so that most hit nothing: as watches do.
The last line is one JSON object.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from pathlib import Path

from bench import options_of
from monitor.match import Document, compile_watches
from monitor.model import Watch
from monitor.text import tokens

ROUNDS = 9
LENGTH = 5_000


def articles(corpus: Path) -> tuple[list[Document], list[str]]:
    """Documents to match, and the words of other articles."""
    index = json.loads((corpus / "articles" / "index.json").read_bytes())
    long = [each for each in index if each["lang"] == "en" and len(each["body"]) > LENGTH]
    others = [each["body"] for each in index if each["lang"] in {"en", "de", "es"}]
    words = sorted({token.norm for body in others for token in tokens(body) if len(token.norm) > 4})
    return [Document(each["title"], each["body"][:LENGTH]) for each in long], words


def microseconds(work: Callable[[Document], object], documents: list[Document]) -> float:
    """The best of several rounds, per document."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for document in documents:
            work(document)
        best = min(best, (time.process_time() - began) / len(documents))
    return best * 1e6


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--limit", type=int, help="articles to match")
    options = parser.parse_args()
    documents, words = articles(options.corpus)
    documents = documents[: options.limit]
    draw = random.Random(1)
    began = time.process_time()
    for document in documents:
        tokens(document.body)
    result: dict[str, float] = {
        "articles": len(documents),
        "tokens_cold_us": (time.process_time() - began) / len(documents) * 1e6,
        "tokens_us": microseconds(lambda document: tokens(document.body), documents),
    }
    for count in (10, 1_000, 10_000):
        terms = [" ".join(draw.choices(words, k=1 + (draw.random() < 0.4))) for _ in range(count)]
        watches = [Watch(name=str(place), terms=(term,)) for place, term in enumerate(terms)]
        began = time.process_time()
        matcher = compile_watches(watches)
        result[f"compile_{count}_s"] = time.process_time() - began
        result[f"hits_{count}"] = sum(len(matcher.match(each)) for each in documents) / len(
            documents
        )
        result[f"match_{count}_us"] = microseconds(matcher.match, documents)
    for name, value in result.items():
        print(f"{name:18}{value:12.4f}")
    print(json.dumps({name: round(value, 4) for name, value in result.items()}))


if __name__ == "__main__":
    main()
