"""`make bench ARGS=…` gives every benchmark the same options; its watches are what it says."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from bench import _peers as peers
from bench._watches import Drawn, News, Newsroom, leaves, news
from monitor.match import compile_watches

ROOT = Path(__file__).resolve().parent.parent
BENCHES = sorted(path.stem for path in (ROOT / "bench").glob("[a-z]*.py"))
LOOK = {"match": ["--quick", "--limit", "2", "--rounds", "1"]}  # the others: a few pages


def run(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"bench.{name}", *arguments],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("name", BENCHES)
def test_a_benchmark_ends_in_one_line_of_json(name: str, corpus: Path) -> None:
    """A look at a few articles of the tests' corpus, read by a program."""
    done = run(name, "--corpus", corpus, *LOOK.get(name, ["--limit", "3"]))
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout.splitlines()[-1]), dict)


@pytest.mark.parametrize("name", BENCHES)
def test_without_a_corpus_a_benchmark_says_so(name: str, tmp_path: Path) -> None:
    """One sentence and no trace."""
    done = run(name, "--corpus", tmp_path)
    assert "set MONITOR_CORPUS" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("numbers", ["many", "10,", "0,10", ""])
def test_numbers_of_watches_that_are_none_are_refused(numbers: str) -> None:
    """One sentence and no trace, before anything is read."""
    done = run("match", "--counts", numbers)
    assert "not a list of numbers of watches" in done.stderr
    assert "Traceback" not in done.stderr


# --------------------------------------------------------------------------- the watches


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Invented news: words and names that return, some of them side by side."""
    dice = random.Random(5)
    words = ["".join(dice.choices("abdeiklmnorstuv", k=dice.randint(4, 9))) for _ in range(300)]
    words += [word.capitalize() for word in words[:150]]
    pairs = [" ".join(dice.sample(words, 2)) for _ in range(60)]
    return [
        ". ".join(" ".join(dice.choices(words, k=6) + dice.choices(pairs, k=2)) for _ in range(3))
        for _ in range(40)
    ]


@pytest.fixture(scope="module")
def drawn(texts: list[str]) -> list[Drawn]:
    return Newsroom(texts).draw(400)


def test_the_same_seed_draws_the_same_watches(texts: list[str], drawn: list[Drawn]) -> None:
    """Figures of two days are of the same watches, and 1,000 are the first of 10,000."""
    assert Newsroom(texts).draw(60) == drawn[:60]
    assert Newsroom(texts, seed=2).draw(60) != drawn[:60]


def test_the_mix_is_the_stated_one(drawn: list[Drawn]) -> None:
    """Of every twenty 12, 5, 2 and 1."""
    for start in range(0, len(drawn), 20):
        kinds = Counter(each.kind for each in drawn[start : start + 20])
        assert kinds == {"terms": 12, "boolean": 5, "proximity": 2, "wildcards": 1}


def test_a_watch_is_of_its_kind(drawn: list[Drawn]) -> None:
    """Lists have terms, the others a query with the operators of their kind."""
    for each in drawn:
        watch, number = each.watch("a watch"), len(set(leaves(each.root)))
        if each.kind == "terms":
            assert 1 <= len(watch.terms) <= 4
            assert watch.query is None
            continue
        assert watch.query is not None
        assert watch.terms == ()
        if each.kind == "boolean":
            assert 2 <= number <= 5
            assert " AND " in watch.query or " OR " in watch.query
        assert ("NEAR/" in watch.query) == (each.kind == "proximity")
        assert ("*" in watch.query) == (each.kind == "wildcards")


def test_every_kind_of_operator_is_drawn(drawn: list[Drawn]) -> None:
    """No writer is left out by mistake."""
    queries = "\n".join(each.watch("a watch").query or "" for each in drawn)
    for sign in (" AND ", " OR ", " NOT ", " NEAR/", " ONEAR/", ") NEAR/", '"', "*", " NOT ("):
        assert sign in queries
    assert any(" " in term for each in drawn for term in each.watch("a watch").terms)


def test_every_watch_can_be_read(drawn: list[Drawn]) -> None:
    """The benchmark speaks our language."""
    watches = [each.watch(str(place)) for place, each in enumerate(drawn)]
    assert compile_watches(watches).watches == tuple(watches)


def test_texts_without_news_are_refused() -> None:
    """Rather than looked through for ever."""
    with pytest.raises(ValueError, match="nothing to watch for"):
        Newsroom(["every word once"]).draw(1)


def test_articles_are_held_out_of_the_texts(corpus: Path) -> None:
    """Watches are not drawn from what they are then looked for in."""
    articles, texts = news(corpus)
    assert len({article.body for article in articles}) >= 30
    assert all(4_400 <= len(article.body) <= 5_000 for article in articles)
    known = {text[:500] for text in texts}
    assert not any(f"{title}\n\n{body}"[:500] in known for title, body in articles)


# --------------------------------------------------------------------------- the peers


@pytest.mark.parametrize("make", peers.PEERS, ids=lambda make: make.__name__)
def test_a_peer_finds_what_we_find(
    make: type[peers.Peer], texts: list[str], drawn: list[Drawn]
) -> None:
    """Nobody is compared with one who does nothing: same plain words, same watches."""
    if not make.here():
        pytest.skip(f"{make.module} is not installed")
    peer = make(drawn)
    ours = compile_watches([each.watch(str(place)) for place, each in enumerate(drawn)])
    judged = {place for place, each in enumerate(drawn) if peer.whole or each.kind == "terms"}
    found, expected = Counter[int](), Counter[int]()
    for text in texts[:10]:
        article = peers.Article.of(News("", text))
        found.update(peer.found(article) & judged)
        expected.update({int(hit.watch) for hit in ours.match(article.document)} & judged)
    both = (found & expected).total()
    assert both > 0.9 * expected.total() > 100
    assert both > 0.9 * found.total()
