"""`make bench ARGS=…` gives every benchmark the same options; its watches are what it says."""

from __future__ import annotations

import gzip
import importlib
import json
import random
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
import sqlalchemy as sa

from bench import _farm as farm
from bench import _peers as peers
from bench import _stories_rivals as rivals
from bench import load, soak
from bench._hostile import KINDS, NAMES, routes
from bench._soak_service import NameServer
from bench._stories_desk import START, WATCH, Desk, placed
from bench._stories_press import Press
from bench._stories_score import b_cubed, of_pairs
from bench._stories_sets import BadFile, Document, Pairs, Stories, read_documents
from bench._usage import cpu, family, memory
from bench._watches import Drawn, News, Newsroom, leaves, news
from monitor.match import compile_watches
from monitor.model import FeedSpec
from monitor.parse import parse_feed
from monitor.storage import SqlStore, tables

ROOT = Path(__file__).resolve().parent.parent
BENCHES = sorted(path.stem for path in (ROOT / "bench").glob("[a-z]*.py"))
LOOK = {  # the others: a few pages
    "alerts": ["--seconds", "2", "--feeds", "4", "--interval", "1", "--rates", "2"],
    "leader": ["--rounds", "1"],
    "load": [
        *("--feeds", "6", "--watches", "2", "--rate", "5", "--interval", "30"),
        *("--minutes", "0.2", "--double-minutes", "0.1", "--recovery", "0.1"),
    ],
    "match": ["--quick", "--limit", "2", "--rounds", "1"],
    "poll": ["--alone", "--feeds", "20", "--rounds", "1"],
    "polling": ["--limit", "3", "--rounds", "1"],
    "scale": ["--workers", "0", "--feeds", "2", "--limit", "3"],
    "schedule": ["--databases", "sqlite", "--feeds", "300", "--limit", "1"],
    "search": ["--limit", "300"],
    "spikes": ["--days", "1", "--bursts", "1", "--limit", "1"],
    "web": ["--articles", "60", "--rounds", "1"],
    "soak": ["--minutes", "0.05", "--hosts", "4", "--interval", "1"],
}


def run(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"bench.{name}", *arguments],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """What a benchmark says on stderr when it ends before it has begun; called in this process."""

    def call(name: str, *arguments: str | Path) -> str:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            importlib.import_module(f"bench.{name}").main()
        code, said = ended.value.code, capsys.readouterr()
        assert code
        assert said.out == ""
        return f"{said.err}{code}" if isinstance(code, str) else said.err

    return call


SLOW = {
    "alerts",
    "leader",
    "load",
    "match",
    "poll",
    "polling",
    "scale",
    "search",
    "soak",
    "stories",
    "web",
}
"""Even a look at a few pages takes them many seconds."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(each, marks=[pytest.mark.slow] * (each in SLOW)) for each in BENCHES],
)
def test_a_benchmark_ends_in_one_line_of_json(name: str, corpus: Path) -> None:
    """A look at a few articles of the tests' corpus, read by a program."""
    done = run(name, "--corpus", corpus, *LOOK.get(name, ["--limit", "3"]))
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout.splitlines()[-1]), dict)


@pytest.mark.parametrize("name", BENCHES)
def test_without_a_corpus_a_benchmark_says_so(
    name: str, tmp_path: Path, refused: Callable[..., str]
) -> None:
    """One sentence and no trace."""
    assert "set MONITOR_CORPUS" in refused(name, "--corpus", tmp_path)


@pytest.mark.parametrize("numbers", ["many", "10,", "0,10", ""])
def test_numbers_of_watches_that_are_none_are_refused(
    numbers: str, refused: Callable[..., str]
) -> None:
    """One sentence and no trace, before anything is read."""
    assert "not a list of numbers of watches" in refused("match", "--counts", numbers)


# --------------------------------------------------------------------------- the load


def test_a_poll_is_as_late_as_its_feed_had_been_due() -> None:
    """One look in between, before the row says when it is due next, does not count it twice."""
    schedule = load.Schedule({"a": 0, "b": 1})
    due = datetime(2026, 8, 22, 10, tzinfo=UTC)
    at = due.timestamp()
    schedule.look([("a", due), ("b", due + timedelta(seconds=5))])
    assert list(schedule.asked([(0, at + 2), (1, at + 4)])) == [(at + 2, 2.0), (at + 4, 0.0)]
    schedule.look([("a", due)])  # not written back yet
    assert list(schedule.asked([(0, at + 3)])) == []
    schedule.look([("a", due + timedelta(seconds=60))])
    assert list(schedule.asked([(0, at + 61)])) == [(at + 61, 1.0)]


def test_it_has_recovered_when_nothing_waits_longer_than_before() -> None:
    """Neither polls nor articles."""
    few, many = load.Depths(3, 40, 0), load.Depths(3, 400, 0)
    usual = load.Phase("load", 10, 0.0, lags=[(1.0, 0.5), (2.0, 0.6)], depths=[(1.0, few)] * 2)
    for lag, depths, calm in ((0.7, few, True), (9.0, few, False), (0.7, many, False)):
        now = load.Phase("again", 10, 9.0, lags=[(10.0, lag)] * 2, depths=[(10.0, depths)])
        assert load.is_calm(now, usual, 10.0) is calm


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


# --------------------------------------------------------------------------- stories: judging


@pytest.mark.parametrize(
    ("story", "precision", "recall", "threads"),
    [
        ({"a": 1, "b": 1, "c": 2, "d": 2}, 1, 1, 1),
        ({"a": 1, "b": 1, "c": 1, "d": 1}, 1 / 2, 1, 1),
        ({}, 1, 1 / 2, 2),  # who is in no story is alone
        ({"a": 1, "b": 2, "c": 2, "d": 2}, (1 + 1 / 3 + 4 / 3) / 4, 3 / 4, 3 / 2),
    ],
)
def test_b_cubed_is_that_of_bagga_and_baldwin(
    story: dict[str, int], precision: float, recall: float, threads: float
) -> None:
    """Events ab and cd."""
    score = b_cubed({"a": "x", "b": "x", "c": "y", "d": "y"}, story)
    found = score.precision, score.recall, score.threads
    assert found == pytest.approx((precision, recall, threads))


def test_pairs_are_judged_as_the_corpus_judges_them(corpus: Path, tmp_path: Path) -> None:
    """By `score.py`, which is the one that counts."""
    gold = {("a", "b"): True, ("a", "c"): True, ("b", "c"): False, ("c", "d"): False}
    said = {("a", "b"): True, ("b", "c"): True}
    (tmp_path / "gold").write_text(
        "".join(
            json.dumps({"a": a, "b": b, "label": int(its)}) + "\n" for (a, b), its in gold.items()
        )
    )
    (tmp_path / "pred").write_text("".join(json.dumps({"a": b, "b": a}) + "\n" for a, b in said))
    theirs = subprocess.run(
        [
            sys.executable,
            corpus / "stories" / "score.py",
            "pairs",
            tmp_path / "gold",
            tmp_path / "pred",
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    ours = of_pairs(gold, said)
    assert theirs.startswith(f"P {ours.precision:.4f} R {ours.recall:.4f} F1 {ours.f1:.4f} ")


# --------------------------------------------------------------------------- stories: files


def written(folder: Path, *rows: object, packed: bool = False) -> Path:
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    path = folder / ("docs.jsonl.gz" if packed else "docs.jsonl")
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    return path


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"id": 7}, Document(id="7", title="", text="")),
        ({"id": "a", "title": "T", "text": "", "lead": "L"}, Document(id="a", title="T", text="L")),
        ({"id": "a", "title": None, "source": None}, Document(id="a", title="", text="")),
        ({"base": "b", "edit": "e0"}, Document(id="b e0", title="", text="")),
        ({"id": "a", "day": ""}, Document(id="a", title="", text="")),
    ],
)
def test_documents_may_lack_what_they_like(
    tmp_path: Path, given: dict[str, object], expected: Document
) -> None:
    """All but an id."""
    assert read_documents(written(tmp_path, given)) == [expected]
    assert read_documents(written(tmp_path, given, "", packed=True)) == [expected]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"day": 0.0}, datetime(1970, 1, 1, tzinfo=UTC)),
        ({"day": 16139.5}, datetime(2014, 3, 10, 12, tzinfo=UTC)),
        ({"day": 736821.25}, datetime(2018, 5, 7, 6, tzinfo=UTC)),
        ({"day": "2013-10-09"}, datetime(2013, 10, 9, tzinfo=UTC)),
        ({"date": "2013-10-09T02:00:00+02:00"}, datetime(2013, 10, 9, tzinfo=UTC)),
        ({"date": "26-FEB-1987 15:01:01.79"}, datetime(1987, 2, 26, 15, 1, 1, tzinfo=UTC)),
        ({"date": "5-apr-1987 01:02:03.4&#5;&#5;V RM"}, datetime(1987, 4, 5, 1, 2, 3, tzinfo=UTC)),
    ],
)
def test_a_day_is_read_in_every_form_that_the_corpus_has(
    tmp_path: Path, given: dict[str, object], expected: datetime
) -> None:
    """Numbers count from the year 1 or from 1970."""
    (document,) = read_documents(written(tmp_path, {"id": "a"} | given))
    assert document.at == expected


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([], "no documents in it"),
        (["{"], "line 1: not JSON"),
        ([{"id": "a"}, "[]"], "line 2: not a JSON object"),
        ([{"title": "T"}], "line 1: a document without an id"),
        ([{"id": "a"}, "", {"id": "a"}], "two documents are called 'a'"),
        ([{"id": "a", "text": 5}], "line 1: its text is no text"),
        ([{"id": "a", "day": "soon"}], "line 1: 'soon' is no day"),
        ([{"id": "a", "day": 1e300}], "line 1: 1e+300 is no day"),
        ([{"id": "a", "date": [1]}], "line 1: [1] is no day"),
    ],
)
def test_a_wrong_file_is_told_of_in_a_sentence(
    tmp_path: Path, rows: list[object], complaint: str
) -> None:
    """With the line that is wrong."""
    with pytest.raises(BadFile) as raised:
        read_documents(written(tmp_path, *rows))
    assert complaint in str(raised.value)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\x1f\x8bnot really", b""])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    """Neither text nor packed text."""
    path = tmp_path / "docs.jsonl"
    path.write_bytes(content)
    with pytest.raises(BadFile, match=r"docs\.jsonl: "):
        read_documents(path)


# --------------------------------------------------------------------------- stories: ours


def report(name: str, *, days: float = 0, seed: int = 1, **also: str) -> Document:
    """Eighty words that only this seed has."""
    dice = random.Random(seed)
    words = ["".join(dice.choices("abdeiklmnorstuv", k=dice.randint(4, 9))) for _ in range(80)]
    return Document(
        id=name,
        title=" ".join(words[:6]).capitalize(),
        text=" ".join(words),
        at=datetime(2025, 5, 10, tzinfo=UTC) + timedelta(days=days),
        **also,
    )


def test_a_desk_takes_the_oldest_first_and_tells_where_each_one_is() -> None:
    """The same words under other titles and at other hosts are one family, and one story."""
    second = report("second", days=1, source="Other Times")
    first = report("first", url="https://www.times.example/a")
    other = report("other", seed=2)
    where, spent = placed([second, other, first], matched=True)
    assert where["first"].root == where["second"].root == "first"
    assert where["first"].story == where["second"].story != where["other"].story
    assert where["other"].root == "other"
    assert len(spent) == 3


@pytest.mark.parametrize("task", ["story", "pairs"])
def test_predict_prints_what_the_scorer_reads(tmp_path: Path, task: str) -> None:
    """A story for each document, or every two of one family; what is told, is told elsewhere."""
    texts = {"a": 1, "b": 1, "c": 2, "d": 1}
    rows = [{"id": key, "text": report(key, seed=seed).text} for key, seed in texts.items()]
    done = run("stories", "predict", "--task", task, written(tmp_path, *rows, packed=True))
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    if task == "pairs":
        assert said == [{"a": "a", "b": "b"}, {"a": "a", "b": "d"}, {"a": "b", "b": "d"}]
    else:
        assert [each["id"] for each in said] == ["a", "b", "c", "d"]
        assert len({each["story"] for each in said}) == 2
    assert "4 of 4 documents" in done.stderr


@pytest.mark.parametrize("content", [None, "{}"])
def test_predict_refuses_a_wrong_file_in_a_sentence(
    tmp_path: Path, content: str | None, refused: Callable[..., str]
) -> None:
    """Without a trace, and without a prediction."""
    path = written(tmp_path, content) if content else tmp_path / "none.jsonl"
    said = refused("stories", "predict", "--task", "story", path)
    assert len(said.splitlines()) == 1
    assert str(path) in said


@pytest.mark.parametrize(("tells", "posts"), [(False, 0), (True, 2)])
async def test_a_desk_tells_of_stories_if_it_is_to(
    sqlite_store: SqlStore, tells: bool, posts: int
) -> None:
    """Once of each, before the next document comes."""
    await sqlite_store.write(lambda tx: tx.sync_watches([WATCH], START))
    desk = Desk(sqlite_store, matched=True, tells=tells)
    await desk.take([report("a"), report("b"), report("c", seed=2)])
    assert desk.sink.posts == posts


# --------------------------------------------------------------------------- stories: cost


@pytest.mark.slow
def test_the_press_writes_news_with_copies(corpus: Path) -> None:
    """The same for the same seed; one in eight copies another, and no more are taken for copies."""
    begin, gap = datetime(2026, 1, 5, tzinfo=UTC), timedelta(seconds=10)
    news, again, others = (
        list(islice(Press(corpus, seed=seed).articles(begin, gap), many))
        for seed, many in ((1, 200), (1, 20), (2, 20))
    )
    assert news[:20] == again != others
    assert [each.at for each in news[:2]] == [begin, begin + gap]
    where, _ = placed(news, matched=False)
    copies = sum(each.root != key for key, each in where.items())
    assert 0.06 < copies / len(where) < 0.18


@pytest.mark.slow
def test_what_it_costs_is_told(corpus: Path) -> None:
    """On tables filled past the service, which the service then goes on with."""
    done = run("stories", "cost", "--corpus", corpus, "--articles", "200", "--sample", "100")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])["sqlite"]
    assert set(told["bytes_by_table"]) >= {"article", "article_key", "fingerprint", "story_term"}
    assert told["copies"]["parts"]["copy_candidates"]["p50_ms"] > 0
    assert told["events"]["parts"]["stories_about"]["cpu_ms"] > 0


@pytest.mark.parametrize("number", ["many", "99", "-5"])
def test_too_few_articles_tell_nothing(number: str, refused: Callable[..., str]) -> None:
    """One sentence and no trace."""
    assert "not a number of articles from 100 on" in refused(
        "stories", "cost", "--articles", number
    )


# --------------------------------------------------------------------------- stories: rivals


@pytest.mark.parametrize("make", rivals.RIVALS, ids=lambda make: make.__name__)
def test_a_rival_knows_the_same_from_another(make: type[rivals.Rival]) -> None:
    """Nobody is compared with one who does nothing."""
    words = rivals.words_of([report("a"), report("b"), report("c", seed=2)])
    for like in (make().likeness(words), *make().others(words)):
        assert like.shape == (3, 3)
        assert like[0, 1] == pytest.approx(1, abs=1e-5)
        assert like[0, 2] < make().usual


def test_a_rival_is_judged_at_its_best_too() -> None:
    """The best threshold is never worse than the usual one; the window parts what is far apart."""
    documents = [report("a"), report("b"), report("c", days=9), report("d", seed=2)]
    apart = Stories("", documents, {"a": "x", "b": "x", "c": "y", "d": "z"})
    judged = {(each.rival, each.how): each.score.f1 for each in rivals.on_stories(apart)}
    assert len(judged) == 9
    for make in rivals.RIVALS:
        assert judged[make.name, "best"] >= judged[make.name, make.told] == pytest.approx(0.8)
        assert judged[make.name, "best, 72 h"] == 1
    pairs = Pairs("", documents, {("a", "b"): True, ("a", "c"): False, ("a", "d"): False}, "pairs")
    assert {each.score.f1 for each in rivals.on_pairs(pairs) if each.how == "best, 72 h"} == {1}


# --------------------------------------------------------------------------- polls


def test_the_farm_grows_feeds_that_share_no_article(corpus: Path) -> None:
    """Of each model any number, told apart by the host of every link; then three items are new."""
    for model in islice(farm.models(corpus), 0, None, 9):
        kind = model.content_type
        first, other, news = (
            {
                entry.guid: entry.url
                for entry in parse_feed(
                    model.body(number, scene), url="http://127.1.0.1/", content_type=kind
                ).entries
            }
            for number, scene in (
                (17, farm.Scene.FIRST),
                (18, farm.Scene.FIRST),
                (17, farm.Scene.NEWS),
            )
        )
        links = set(filter(None, first.values()))
        assert links, model.name
        assert not links & set(other.values()), model.name
        assert 0 < len(news.keys() - first.keys()) <= 3, model.name  # some list an item twice
        assert len(first) + 15 > model.items > 4, model.name


@pytest.mark.parametrize("share", [0, 0.1, 0.5])
def test_hosts_fail_as_often_as_told(share: float) -> None:
    """And in each way as often as in the others."""
    how = Counter(farm.failing(number, share) for number in range(600))
    assert how[None] == 600 * (1 - share)
    assert {how[each] for each in farm.Failing} == {200 * share}
    assert len({farm.host(number) for number in range(2000)}) == 2000


def test_what_a_process_has_started_is_on_its_account() -> None:
    """While it runs, and when it has ended and was waited for."""
    burn = "t = __import__('time').process_time\nwhile t() < .3: pass"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}]); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as process:
        while cpu(process.pid) < 0.3:
            pass
        assert process.pid in family(process.pid)
        assert memory(process.pid) > 1
        process.communicate(b"\n")
    assert cpu(process.pid) == 0


# --------------------------------------------------------------------------- soak


async def test_lag_is_from_due_to_asked(sqlite_store: SqlStore, sqlite_url: str) -> None:
    """By the schedule before a poll and the server's book; of feeds that are not good, nothing."""
    good, bad = "https://good.example/feed", "https://bad.example/feed"
    specs = [FeedSpec(url=url, name=url, publisher=url) for url in (good, bad)]
    await sqlite_store.write(lambda tx: tx.sync_feeds(specs, START))
    engine = sa.create_engine(sqlite_url)

    def polled(at: float, due: float) -> None:
        values = {"polled_at": later(at), "due_at": later(due)}
        with engine.begin() as connection:
            connection.execute(sa.update(tables.feed).values(values))

    lags = soak.Lags(Path(sqlite_url.removeprefix("sqlite:///")), [good])
    assert list(lags.look([])) == []
    polled(5, due=60)
    asked = later(3).timestamp()
    assert list(lags.look([(good, asked), (bad, asked)])) == [3]
    assert list(lags.look([])) == []
    polled(70, due=90)
    assert list(lags.look([])) == [10]  # the server was never reached
    lags.close()
    engine.dispose()


def later(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("held", "share"), [([50, 60, 100, 100, 100, 100], 1.0), ([1, 1, 100, 100, 120, 120], 1.2)]
)
def test_memory_is_flat_if_its_last_third_is(held: list[float], share: float) -> None:
    """What is taken at the start does not count."""
    seen = soak.Seen(60, memory=[(10.0 * place, each) for place, each in enumerate(held)])
    assert seen.growth()[0] == pytest.approx(share)


def test_lags_of_the_start_do_not_count() -> None:
    """Everything is due then."""
    seen = soak.Seen(100, lags=[(10.0, 50.0)] * 50 + [(30.0, 1.0)] * 50)
    assert seen.p95() == 50
    assert seen.settled == 1


def test_an_error_is_a_line_that_nobody_has_foreseen(tmp_path: Path) -> None:
    """Warnings are foreseen; what is no line of the log, or on stderr, is not."""
    lines = [{"level": level, "event": "e"} for level in ("info", "warning", "error", "critical")]
    log, stderr = tmp_path / "log", tmp_path / "stderr"
    log.write_text("".join(f"{json.dumps(line)}\n" for line in lines) + "Fatal\n")
    stderr.write_text("Exception ignored\n")
    assert list(soak.errors(log, stderr)) == [
        *map(json.dumps, lines[2:]),
        "Fatal",
        "Exception ignored",
    ]


def test_a_name_server_gives_its_answers_in_turns() -> None:
    """Each host its own; what it does not know is asked for elsewhere."""
    names = NameServer({"a.example": [["127.2.0.1"], ["127.3.0.1", "127.3.0.2"]], "b.example": []})
    for addresses in (["127.2.0.1"], ["127.3.0.1", "127.3.0.2"], ["127.2.0.1"]):
        assert [each[4] for each in names.look_up("a.example", 80)] == [
            (address, 80) for address in addresses
        ]
    assert names.look_up("127.0.0.1", 80, type=socket.SOCK_STREAM)[0][4] == ("127.0.0.1", 80)


def test_every_hostile_way_is_somebodys(corpus: Path) -> None:
    """And leads to no answer that nobody has written."""
    assert set(KINDS) <= routes(corpus, "http://127.3.0.1:1{}".format).keys()
    assert set(NAMES) <= set(KINDS)
