"""What it costs to match an article against all watches: ours beside its peers, in one run.

    python -m bench.match [--corpus FOLDER] [--counts 10,1000,…] [--rounds N] [--limit N] [--quick]

The way of ours is the whole one: an article's text, its normal form, every watch that matches and
every span, offsets in the article. Watches are drawn as `bench._watches` tells, articles are
about 5 KB of real English news that neither the watches nor any reader has seen before. The peers
and what they are spared are in `bench._peers`; one that is not installed is left out.

CPU time of one process on one core. In each round every reader gets the articles of that round in
turns, so that the ratios, taken round by round, hold on a busy machine; what is told is their
median. A reader starts with ten other articles outside the clock, so that the processor's caches
are its own. Ours is judged twice. `again`: of texts that it has read before, as the peers have
theirs in their caches, and as the study did from which the targets come. `First sight`: of texts
that nobody has read; ours remembers what words mean, but from other articles, as in service.

Building is measured in a process of its own for each number of watches. The last line is one JSON
object.
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import Any, Final, TypeVar

from bench import options_of
from bench._peers import PEERS, AhoCorasickChecked, AhoCorasickRs, Article, Peer, Tantivy, UnionRe
from bench._watches import Drawn, Newsroom, leaves, news
from monitor.match import Document, Matcher, compile_watches
from monitor.match.frequency import Frequencies, measured
from monitor.model import Watch

T = TypeVar("T")

COUNTS: Final = (10, 1_000, 10_000, 100_000)
READ_BEFORE: Final = 3_000  # articles that filled the memory of ours before the first round
CHANGES: Final = 9
FIRST: Final = 10  # articles that come first after a start or a change
LAST: Final = 150  # articles that a process on its own reads in the end


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be reached; `at` is the number of watches."""

    what: str
    at: int
    limit: float
    least: bool  # the limit is a lower one
    unit: str


RATIOS: Final[dict[type[Peer], Target]] = {
    UnionRe: Target("times as fast as one union of re", 1_000, 60, least=True, unit="x"),
    Tantivy: Target("times as fast as tantivy", 10_000, 20, least=True, unit="x"),
    AhoCorasickRs: Target(
        "times the bare pass of ahocorasick-rs", 10_000, 8, least=False, unit="x"
    ),
    # whole words by a look at both neighbours: what the study called the bare pass
    AhoCorasickChecked: Target(
        "times a pass of ahocorasick-rs that checks its finds", 10_000, 8, least=False, unit="x"
    ),
}
GROWTH: Final = Target("growth from 1,000 watches", 100_000, 3, least=False, unit="x")
COMPILED: Final = Target("compiling", 100_000, 30, least=False, unit=" s")
MEMORY: Final = Target(
    "peak memory of a process that compiles", 100_000, 600, least=False, unit=" MB"
)
CHANGED: Final = Target("changing one watch", 10_000, 0.5, least=False, unit=" s")


# --------------------------------------------------------------------------- building


@dataclass(frozen=True, slots=True)
class Built:
    """What a process paid that did nothing else; megabytes and seconds of CPU."""

    seconds: float
    before: float  # memory with the watches read, before compiling
    after: float
    peak: float
    first: float  # the first article
    early: float  # each of the first ten
    steady: float  # each of the last hundred and fifty, the garbage collector's work included
    served: float  # memory behind these


def memory() -> tuple[float, float]:
    """Memory of this process in MB: now, and the most there ever was."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except FileNotFoundError:  # only Linux tells what is used now
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        return most, most
    fields = dict(line.split(":", 1) for line in lines)
    now, peak = (int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, peak


def build(watches: Sequence[Watch], known: Frequencies, documents: Sequence[Document]) -> Built:
    """Compile, then read: in a process that was started for this, and where nothing is frozen."""
    before, _ = memory()
    matcher, seconds = timed(partial(compile_watches, frequencies=known), watches)
    after, peak = memory()
    times = [timed(matcher.match, document)[1] for document in documents[:FIRST]]
    for document in documents[FIRST:-LAST]:
        matcher.match(document)
    steady = mean(timed(matcher.match, document)[1] for document in documents[-LAST:])
    return Built(seconds, before, after, peak, times[0], mean(times), steady, memory()[0])


def built(watches: Sequence[Watch], known: Frequencies, documents: Sequence[Document]) -> Built:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        return pool.submit(build, watches, known, documents).result()


# --------------------------------------------------------------------------- reading


@dataclass(slots=True)
class Times:
    """CPU seconds of one reader, round by round, article by article."""

    rounds: list[list[float]] = field(default_factory=list)

    def per_article(self) -> float:
        return median(mean(times) for times in self.rounds)

    def ratios(self, other: Times) -> list[float]:
        """How many times as long as the other, on the articles that both read, by round."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return [sum(own) / sum(its[: len(own)]) for own, its in pairs]


@dataclass(slots=True)
class Contest:
    """A number of watches and all who look for them."""

    watches: Sequence[Drawn]
    matcher: Matcher
    peers: list[Peer]
    first_sight: Times = field(default_factory=Times)
    again: Times = field(default_factory=Times)
    times: dict[str, Times] = field(default_factory=dict)
    hits: list[int] = field(default_factory=list)
    spans: list[int] = field(default_factory=list)

    def seen(self, look: str) -> Times:
        """What ours took, `again` or at `first sight`."""
        return self.again if look == "again" else self.first_sight

    def hold(self, articles: Sequence[Article], others: Sequence[Article], turn: int) -> None:
        """One round: all readers in turns, first of others, for nothing; ours begins elsewhere."""
        readers: list[Callable[[Sequence[Article], Sequence[Article]], None]] = [self._ours]
        readers += [partial(self._theirs, peer) for peer in self.peers]
        cut = turn % len(readers)
        for reader in readers[cut:] + readers[:cut]:
            reader(articles, others)

    def _ours(self, articles: Sequence[Article], others: Sequence[Article]) -> None:
        match = self.matcher.match
        for article in others:
            match(article.document)
        read = [timed(match, article.document) for article in articles]
        self.first_sight.rounds.append([seconds for _, seconds in read])
        self.hits += [len(hits) for hits, _ in read]
        self.spans += [sum(len(hit.spans) for hit in hits) for hits, _ in read]
        self.again.rounds.append([timed(match, article.document)[1] for article in articles])

    def _theirs(self, peer: Peer, articles: Sequence[Article], others: Sequence[Article]) -> None:
        most = None if len(self.watches) <= COUNTS[0] else peer.few
        for article in others[:most]:
            peer.read(article)
        spent = [timed(peer.read, article)[1] for article in articles[:most]]
        self.times.setdefault(peer.name, Times()).rounds.append(spent)

    def agreement(self, peer: Peer, articles: Sequence[Article]) -> dict[str, float]:
        """Watches that the peer and ours find per article: of what it knows, outside the clock."""
        judged = {
            place for place, drawn in enumerate(self.watches) if peer.whole or drawn.kind == "terms"
        }
        peers = [peer.found(article) & judged for article in articles]
        ours = [
            {int(hit.watch) for hit in self.matcher.match(article.document)} & judged
            for article in articles
        ]
        return {
            "finds": mean(map(len, peers)),
            "ours": mean(map(len, ours)),
            "both": mean(len(its & own) for its, own in zip(peers, ours, strict=True)),
        }


def timed(work: Callable[..., T], *given: Any) -> tuple[T, float]:
    """What a call returns, and the CPU time it took."""
    began = time.process_time()
    result = work(*given)
    return result, time.process_time() - began


def contest(watches: Sequence[Drawn], compiled: Matcher) -> Contest:
    peers: list[Peer] = []
    for make in PEERS:
        if not make.here():
            print(f"  {make.name}: left out, {make.module} is not installed")
        elif make.most is not None and len(watches) > make.most:
            print(f"  {make.name}: left out, its rounds would last minutes")
        else:
            peers.append(make(watches))
    return Contest(watches, compiled, peers)


def changes(
    watches: list[Watch], other: Sequence[Watch], matcher: Matcher, known: Frequencies
) -> tuple[list[float], Matcher]:
    """Seconds to compile again after each of a few changes of one watch; the last matcher."""
    again = partial(compile_watches, frequencies=known, previous=matcher)
    seconds = []
    for turn, another in enumerate(other):
        changed = list(watches)
        changed[turn * len(watches) // len(other)] = another
        later, spent = timed(again, changed)
        seconds.append(spent)
    return seconds, later


# --------------------------------------------------------------------------- report


def report(held: Contest, cost: Built, look: Sequence[Article]) -> dict[str, Any]:
    number = len(held.watches)
    own, again = held.first_sight.per_article(), held.again.per_article()
    every = {leaf for drawn in held.watches for leaf in leaves(drawn.root)}
    print(f"\n{number:,} watches of {len(every):,} leaves; ", end="")
    print(f"{mean(held.hits):.1f} hits and {mean(held.spans):.1f} spans an article")
    print(f"  {'':26}{'ms':>9}  {'x ours':>20}   watches found: its, ours, both")
    print(f"  {'ours, first sight':26}{own * 1e3:9.3f}")
    print(f"  {'ours, again':26}{again * 1e3:9.3f}")
    rows: dict[str, Any] = {}
    for peer in held.peers:
        times = held.times[peer.name]
        ratios = times.ratios(held.first_sight)
        agreed = held.agreement(peer, look)
        rows[peer.name] = {
            "ms": round(times.per_article() * 1e3, 4),
            "ratio_to_ours": round(median(ratios), 4),
            "ratio_least": round(min(ratios), 4),
            "ratio_most": round(max(ratios), 4),
            "agreement": {name: round(value, 2) for name, value in agreed.items()},
        }
        told = f"{median(ratios):.3g} ({min(ratios):.3g} … {max(ratios):.3g})"
        print(f"  {peer.name:26}{times.per_article() * 1e3:9.3f}  {told:>20}", end="")
        print(f"   {agreed['finds']:.1f}, {agreed['ours']:.1f}, {agreed['both']:.1f}", end="")
        print("" if peer.whole else " (terms only)")
    print(f"  compiled in {cost.seconds:.2f} s; memory {cost.before:.0f} MB before, ", end="")
    print(f"{cost.after:.0f} after, {cost.peak:.0f} peak, {cost.served:.0f} in service; ", end="")
    print(
        f"first article {cost.first * 1e3:.1f} ms, first {FIRST} {cost.early * 1e3:.1f} ms each, ",
        end="",
    )
    print(f"the last {LAST} {cost.steady * 1e3:.2f} ms with the collector")
    return {
        "hits": round(mean(held.hits), 2),
        "spans": round(mean(held.spans), 2),
        "ms": round(own * 1e3, 4),
        "again_ms": round(again * 1e3, 4),
        "peers": rows,
        "compile_s": round(cost.seconds, 3),
        "memory_mb": round(cost.after, 1),
        "peak_mb": round(cost.peak, 1),
        "served_mb": round(cost.served, 1),
        "first_ms": round(cost.first * 1e3, 2),
        "early_ms": round(cost.early * 1e3, 2),
        "steady_ms": round(cost.steady * 1e3, 4),
    }


def judged(target: Target, measured_value: float | None, look: str = "") -> dict[str, Any]:
    """Print whether a target is reached; None where it was not measured."""
    sign = ">=" if target.least else "<="
    name = f"{f'{look}: ' if look else ''}{target.what}, {target.at:,} watches"
    wanted = f"{sign} {target.limit:g}{target.unit}"
    if measured_value is None:
        print(f"  –     {name}: {wanted}, not measured")
        return {"target": name, "limit": target.limit, "measured": None, "reached": None}
    reached = measured_value >= target.limit if target.least else measured_value <= target.limit
    verdict = "PASS" if reached else "FAIL"
    print(f"  {verdict}  {name}: {measured_value:.3g}{target.unit} (wanted: {wanted})")
    return {
        "target": name,
        "limit": target.limit,
        "measured": round(measured_value, 3),
        "reached": reached,
    }


def targets(
    held: dict[int, Contest], costs: dict[int, Built], changed: list[float]
) -> Iterator[dict[str, Any]]:
    for look in ("again", "first sight"):
        for make, target in RATIOS.items():
            times = held[target.at].times.get(make.name) if target.at in held else None
            value = None
            if times:
                ratio = median(times.ratios(held[target.at].seen(look)))
                value = ratio if target.least else 1 / ratio
            yield judged(target, value, look)
        grown = None
        if {1_000, GROWTH.at} <= held.keys():
            rounds = zip(
                held[GROWTH.at].seen(look).rounds, held[1_000].seen(look).rounds, strict=True
            )
            grown = median(mean(most) / mean(few) for most, few in rounds)
        yield judged(GROWTH, grown, look)
    cost = costs.get(COMPILED.at)
    yield judged(COMPILED, cost.seconds if cost else None)
    yield judged(MEMORY, cost.peak if cost else None)
    yield judged(CHANGED, max(changed) if changed else None)


# --------------------------------------------------------------------------- the run


def counts(text: str) -> list[int]:
    try:
        numbers = sorted({int(number) for number in text.split(",")})
    except ValueError:
        numbers = []
    if not numbers or numbers[0] < 1:
        raise argparse.ArgumentTypeError(f"not a list of numbers of watches: {text}")
    return numbers


def options() -> argparse.Namespace:
    parser = options_of(__doc__)
    parser.add_argument("--counts", type=counts, help="numbers of watches, with commas")
    parser.add_argument("--rounds", type=int, help="7 unless told")
    parser.add_argument("--limit", type=int, help="articles a round: 12 unless told")
    parser.add_argument("--quick", action="store_true", help="a look: few watches, few rounds")
    given = parser.parse_args()
    given.counts = given.counts or (COUNTS[:2] if given.quick else COUNTS)
    given.rounds = given.rounds or (2 if given.quick else 7)
    given.limit = given.limit or (4 if given.quick else 12)
    return given


def main() -> None:
    given = options()
    held_out, texts = news(given.corpus)
    texts = texts[:: 8 if given.quick else 1]
    before = [Document("", text) for text in texts[: READ_BEFORE // (8 if given.quick else 1)]]
    articles = [Article.of(each) for each in held_out]
    early, articles = articles[:FIRST], articles[FIRST:]
    shares = given.rounds * len(given.counts)
    size = min(given.limit, len(articles) // shares)
    if not size:
        sys.exit(f"{len(articles)} articles are too few for {shares} turns: fewer rounds or counts")
    most = max(given.counts)
    drawn = Newsroom(texts).draw(most + CHANGES)
    watches = [each.watch(str(place)) for place, each in enumerate(drawn)]
    known = measured(texts)
    print(
        f"{len(texts):,} texts read, {most:,} watches drawn; {given.rounds} rounds of {size}",
        end="",
    )
    print(f" articles of {mean(len(each.text) for each in articles) / 1e3:.1f} KB")

    costs, held = {}, {}
    documents = [each.document for each in (*early, *articles)]
    documents[FIRST:FIRST] = before
    for number in given.counts:
        print(f"building {number:,} …", flush=True)
        costs[number] = built(watches[:number], known, documents)
        compiled = compile_watches(watches[:number], frequencies=known)
        for document in before:
            compiled.match(document)
        held[number] = contest(drawn[:number], compiled)
    gc.collect()
    gc.freeze()  # what stands here of peers and corpus would not stand in a service
    for turn in range(given.rounds):
        print(f"round {turn + 1} …", flush=True)
        for place, number in enumerate(given.counts):
            share = turn * len(given.counts) + place
            held[number].hold(articles[share : size * shares : shares], early, turn)

    rows = {
        str(number): report(held[number], costs[number], articles[:size]) for number in given.counts
    }
    changed: list[float] = []
    if CHANGED.at in held:
        matcher = held[CHANGED.at].matcher
        changed, later = changes(watches[: CHANGED.at], watches[most:], matcher, known)
        after = mean(timed(later.match, each.document)[1] for each in early)
        print(f"\none watch of {CHANGED.at:,} changed: compiled again in ", end="")
        print(f"{median(changed):.3f} s (at most {max(changed):.3f}); ", end="")
        print(f"the first {FIRST} articles after it {after * 1e3:.2f} ms each")
    print()
    verdicts = list(targets(held, costs, changed))
    result = {
        "bench": "match",
        "articles": size * shares,
        "rounds": given.rounds,
        "counts": rows,
        "change_s": round(median(changed), 4) if changed else None,
        "targets": verdicts,
    }
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
