"""What is a copy, what is the same event: ours beside its rivals, on labelled sets, in one run.

    python -m bench.stories [--corpus FOLDER] [--limit N] [--ours]
    python -m bench.stories predict --task story|pairs [--told] DOCS.jsonl[.gz] > PRED.jsonl
    python -m bench.stories cost [--corpus FOLDER] [--articles N] [--postgres]

Without a command: precision, recall and F1 on every set of the corpus, of B³ where documents have
an event each, else of pairs. Ours goes the service's own way, database included
(`bench._stories_desk`), with one setting for all sets. The rivals (`bench._stories_rivals`) are
judged at the threshold that people use, and at the best one on each set, which nobody knows
beforehand. `told` is ours where every story is told of as soon as it is there: two that were told
are never made one without a person's word, so that what is begun twice stays two. `--limit` takes a few of each set, `--ours` leaves out the rivals.

`predict` says of any file of such documents what the corpus' `score.py` reads: for `story` the
story of each, for `pairs` every two articles of one family, that is the copies of one text: an
article says "also in 12 outlets" of all of them. What documents hold is told in
`bench._stories_sets`.

`cost` is told in `bench._stories_cost`. The last line of each is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from statistics import mean
from typing import Any, Final

import structlog

from bench import _stories_sets as sets
from bench import options_of
from bench._stories_desk import Placed, found_edits, merged, placed
from bench._stories_score import Score, b_cubed, of_pairs

Found = dict[str, Any]


REAL: Final = "copies, real pairs"
USUAL: Final = re.compile(r"e[0-57-9](?!\d)")  # edits that newsrooms make every day
STORIES: Final = {
    "AllSides": 0.90,
    "ECB+": 0.86,
    "ECB+, topics 1-25": 0.86,
    "UCI, titles only": 0.82,
}
THREADS: Final = 1.4


# --------------------------------------------------------------------------- the sets


def stories(corpus: Path, limit: int | None, *, rivals: bool) -> Iterator[tuple[str, Found]]:
    for given in sets.stories(corpus, limit):
        dated = sum(each.at is not None for each in given.documents)
        days = {each.at for each in given.documents}
        print(f"\n{given.name}: {len(given.documents):,} documents, ", end="")
        print(f"{len(set(given.event.values())):,} events", end="")
        print("; B³" if dated and len(days) > 1 else "; nobody says when; B³")
        where, spent = placed(given.documents, matched=True)
        found = row("ours", "", b_cubed(given.event, _stories(where)))
        found["ingest_ms"] = round(mean(spent) * 1e3, 3)
        where, _ = placed(given.documents, matched=True, tells=True)
        found["told"] = row("ours", "told", b_cubed(given.event, _stories(where)))
        yield given.name, {"ours": found, "rivals": _rivals(given) if rivals else []}


def _stories(where: Mapping[str, Placed]) -> dict[str, int]:
    return {key: each.story for key, each in where.items()}


def pairs(corpus: Path, limit: int | None, *, rivals: bool) -> Iterator[tuple[str, Found]]:
    for given in sets.pairs(corpus, limit):
        print(
            f"\n{given.name}: {len(given.documents):,} documents, {len(given.same):,} pairs, ",
            end="",
        )
        print(f"of which {sum(given.same.values()):,} are the same")
        where, _ = placed(given.documents, matched=given.wanted == "story")
        declared = {
            pair: _together(given.wanted, *(where[key] for key in pair)) for pair in given.same
        }
        found = row("ours", "", of_pairs(given.same, declared))
        yield given.name, {"ours": found, "rivals": _rivals(given) if rivals else []}


def _together(wanted: str, one: Placed, other: Placed) -> bool:
    return one.story == other.story if wanted == "story" else one.root == other.root


def edits(corpus: Path, limit: int | None, at: Mapping[str, float] | None) -> Found:
    """Of the rivals too where `at` says at which threshold they were best on real pairs."""
    given = sets.edits(corpus, limit)
    print(f"\n{given.name}: {len(given.edits):,} of {len(given.bases)} articles, ", end="")
    print(f"among {len(given.others)} others")
    score, shares = found_edits(given)
    found = row("ours", "", score)
    columns = [("ours", shares)]
    judged = []
    if at is not None:
        from bench import _stories_rivals as rivals  # noqa: PLC0415 (not everybody has numpy)

        for each, its in rivals.on_edits(given, at):
            judged.append(row(each.rival, each.how, each.score, each.at) | {"kinds": _rounded(its)})
            columns.append((f"{each.rival}, {each.how}", its))
    print("  recall by kind:")
    for number, (name, _) in enumerate(columns):
        print(f"    {number}: {name}")
    print(f"  {'':28}" + "".join(f"{number:>6}" for number in range(len(columns))))
    for kind in shares:
        print(f"  {kind:28}" + "".join(f"{its[kind]:6.2f}" for _, its in columns))
    return {"ours": found | {"kinds": _rounded(shares)}, "rivals": judged}


def pages(corpus: Path, limit: int | None) -> dict[str, float]:
    """The shares of different pages that were taken for copies."""
    found = {}
    print()
    for name, documents in sets.pages(corpus, limit).items():
        found[name] = merged(documents)
        print(f"{len(documents)} different {name}: ", end="")
        print(f"{found[name]:.3%} of their pairs are taken for copies")
    return found


def _rivals(given: sets.Stories | sets.Pairs) -> list[Found]:
    from bench import _stories_rivals as rivals  # noqa: PLC0415 (not everybody has numpy)

    judged = rivals.on_stories(given) if isinstance(given, sets.Stories) else rivals.on_pairs(given)
    return [row(each.rival, each.how, each.score, each.at) for each in judged]


def row(name: str, how: str, score: Score, at: float | None = None) -> Found:
    """Print one line of a table; the first of a table has the names of the columns."""
    if not how:
        print(f"  {'':28}{'P':>6}{'R':>7}{'F1':>7}{'threads':>9}{'at':>6}")
    threads = f"{score.threads:9.2f}" if score.threads is not None else f"{'':9}"
    print(f"  {f'{name}, {how}'.strip(', '):28}{score.precision:6.3f}{score.recall:7.3f}", end="")
    print(f"{score.f1:7.3f}{threads}" + (f"{at:6.2f}" if at is not None else ""), flush=True)
    found = {"name": name, **({"how": how} if how else {}), **score.as_json()}
    return found | ({"at": round(at, 3)} if at is not None else {})


def _rounded(shares: Mapping[str, float]) -> dict[str, float]:
    return {kind: round(share, 4) for kind, share in shares.items()}


# --------------------------------------------------------------------------- targets


def targets(found: Mapping[str, Found], shares: Found, apart: Mapping[str, float]) -> list[Found]:
    def judged(name: str, value: float, limit: float, *, least: bool = True) -> Found:
        reached = value >= limit if least else value <= limit
        sign = ">=" if least else "<="
        print(f"  {'PASS' if reached else 'FAIL'}  {name}: {value:.4g} (wanted: {sign} {limit:g})")
        return {"target": name, "limit": limit, "measured": round(value, 4), "reached": reached}

    kinds = shares["ours"]["kinds"]
    usual = [share for kind, share in kinds.items() if USUAL.match(kind)]
    return [
        judged(f"{REAL}: F1", found[REAL]["ours"]["f1"], 0.93),
        judged(f"{REAL}: P", found[REAL]["ours"]["p"], 0.93),
        judged("edits e0-e5, e7-e9, the worst: recall", min(usual), 0.98),
        judged("edits e6b: recall", kinds["e6b_copyedit12"], 0.90),
        judged("edits e12: recall", kinds["e12_summary2sent"], 0.90),
        judged("different pages taken for copies", apart["whole pages"], 0.001, least=False),
        *(
            judged(f"{name}: B³", found[name]["ours"]["f1"], limit)
            for name, limit in STORIES.items()
        ),
        *(
            judged(
                f"{name}: threads an event", found[name]["ours"]["threads"], THREADS, least=False
            )
            for name in STORIES
        ),
    ]


# --------------------------------------------------------------------------- predict


def predict(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.stories predict", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--task", choices=("story", "pairs"), required=True)
    parser.add_argument("--told", action="store_true", help="every story is told of at once")
    parser.add_argument("documents", type=Path, metavar="DOCS.jsonl[.gz]")
    given = parser.parse_args(arguments)
    try:
        documents = sets.read_documents(given.documents)
    except OSError as error:
        sys.exit(f"{given.documents}: can't be read ({error.strerror})")
    except sets.BadFile as error:
        sys.exit(str(error))
    where, _ = placed(
        documents,
        matched=given.task == "story",
        tells=given.told,
        progress=_progress(len(documents)),
    )
    if given.task == "story":
        for each in documents:
            print(json.dumps({"id": each.id, "story": str(where[each.id].story)}))
        return
    families: defaultdict[str, list[str]] = defaultdict(list)
    for each in documents:
        families[where[each.id].root].append(each.id)
    for family in families.values():
        for a, b in combinations(family, 2):
            print(json.dumps({"a": a, "b": b}))


def _progress(whole: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        if done == whole or done % 250 == 0:
            print(f"{done:,} of {whole:,} documents", file=sys.stderr)

    return tell


# --------------------------------------------------------------------------- the run


def main() -> None:
    # the log of an ingest costs more than its look-ups, and nobody reads it here
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    command = sys.argv[1:2]
    if command == ["predict"]:
        predict(sys.argv[2:])
        return
    if command == ["cost"]:
        from bench import _stories_cost  # noqa: PLC0415 (needs a database server's driver)

        _stories_cost.main(sys.argv[2:])
        return
    parser = options_of(__doc__)
    parser.add_argument("--limit", type=int, help="events, pairs of a kind, articles of each set")
    parser.add_argument("--ours", action="store_true", help="without the rivals")
    given = parser.parse_args()
    rivals = not given.ours
    found = dict(stories(given.corpus, given.limit, rivals=rivals))
    found |= dict(pairs(given.corpus, given.limit, rivals=rivals))
    at = {each["name"]: each["at"] for each in found[REAL]["rivals"] if each["how"] == "best, 72 h"}
    shares = edits(given.corpus, given.limit, at if rivals else None)
    apart = pages(given.corpus, given.limit)
    print()
    verdicts = targets(found, shares, apart)
    result = {
        "bench": "stories",
        "sets": found,
        "edits": shares,
        "pages": _rounded(apart),
        "targets": verdicts,
    }
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
