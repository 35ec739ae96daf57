"""`monitor watches`, `check` and `why` as they are typed, over a small archive."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor import answers
from monitor.cli import main
from monitor.cli.show import backtests
from monitor.match.backtest import Archived, Backtest, Day
from monitor.model import Article, ArticleState, Entry, FeedSpec, Watch, bucket_of
from monitor.ports import FoundEntry, Transaction
from monitor.storage import SqlStore, upgrade
from tests.match.test_backtest import article as archived

NOW = datetime.now(UTC)
LEASE = timedelta(minutes=5)
HOST = "news.example"
FEEDS = """
[slack]
channel = "#newsdesk"

[[watch]]
name = "Ceasefire"
terms = ["ceasefire", "Kashmir"]
variants.ceasefire = ["युद्धविराम"]

[[watch]]
name = "Gaza talks"
channel = "#mideast"
query = '''
  Gaza NEAR/5 (talks OR truce)
  NOT title:opinion
'''

[[feed]]
name = "Dawn"
url = "https://news.example/feed"
side = "pakistan"
tags = ["newspaper"]
"""
ARTICLES = {
    "ceasefire": ("Ceasefire holds", "The guns are silent in Kashmir.\n\nSo far."),
    "hindi": ("युद्धविराम लागू", "सीमा पर शांति।"),
    "talks": ("Envoys meet", "In Cairo, the Gaza talks go on for another day."),
    "opinion": ("Opinion: the Gaza talks", "They must not fail."),
    "far": ("Far apart", "Gaza has one two three four five six words before talks."),
    "other": ("Cricket", "India won by six wickets."),
}


@dataclass
class Desk:
    """A folder with a configuration and, perhaps, a database."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/monitor.db"

    def monitor(self, *args: str, code: int = 0) -> str:
        """What a command prints, on both streams, without blanks at the ends of lines."""
        self.monkeypatch.setattr("sys.argv", ["monitor", *args])
        ended = 0
        try:
            main()
        except SystemExit as exit_:
            ended = int(exit_.code or 0)
        captured = self.capsys.readouterr()
        text = re.sub(r" +$", "", captured.out + captured.err, flags=re.MULTILINE)
        assert ended == code, text
        return text

    def write(self, toml: str) -> None:
        (self.folder / "feeds.toml").write_text(toml, encoding="utf-8")

    def run(self, work: Callable[[Transaction], object]) -> None:
        """Change the database."""

        async def change() -> None:
            async with SqlStore(self.url) as store:
                await store.write(work)

        upgrade(self.url)
        asyncio.run(change())

    def archive(self, articles: dict[str, tuple[str, str]], *, every: float = 1) -> None:
        """Have these articles been read, one each so many hours, the first being the newest."""

        def work(tx: Transaction) -> None:
            spec = FeedSpec(
                url=f"https://{HOST}/feed",
                name="Dawn",
                publisher="Dawn Media",
                side="pakistan",
                tags=("newspaper",),
            )
            tx.sync_feeds([spec], NOW - timedelta(days=300))
            [feed] = tx.claim_feeds(bucket_of(HOST), NOW, LEASE, 1)
            feed = replace(feed, ok_at=NOW)
            for number, (name, (title, body)) in enumerate(articles.items(), 1):
                seen = NOW - number * timedelta(hours=every)
                url = f"https://{HOST}/{name}"
                entry = Entry(guid=name, url=url, title=title, text="")
                tx.add_entries(feed, [FoundEntry(entry=entry, url=url, host=HOST)], seen)
                [claimed] = tx.claim_articles(bucket_of(HOST), seen, LEASE, 10)
                content = Article(url=url, title=title, body=body, source="page", published_at=seen)
                tx.save_article(claimed.id, content, state=ArticleState.DONE, now=seen, due_at=None)
                tx.put_in_story(claimed.id, tx.new_story(seen), copy_of=None)

        self.run(work)


@pytest.fixture
def desk(tmp_path, monkeypatch, capsys) -> Desk:
    """A configuration and an empty folder."""
    desk = Desk(tmp_path, monkeypatch, capsys)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("MONITOR_DATABASE_URL", desk.url)
    for name in ("MONITOR_CONFIG", "SLACK_BOT_TOKEN", "SLACK_WEBHOOK_URL"):
        monkeypatch.delenv(name, raising=False)
    desk.write(FEEDS)
    return desk


# --------------------------------------------------------------------------- list


def test_list_works_before_anything_has_run(desk: Desk) -> None:
    """What each watch reads as and where it leads; of hits nothing is known."""
    assert desk.monitor("watches", "list") == (
        "Ceasefire  terms → #newsdesk\n"
        "    ceasefire OR Kashmir\n"
        "Gaza talks  query → #mideast\n"
        "    (Gaza NEAR/5 (talks OR truce)) AND NOT title:opinion\n"
    )
    assert not (desk.folder / "monitor.db").exists()


def test_a_configuration_that_is_not_there_is_no_mistake_in_it(desk: Desk) -> None:
    """Whoever looks from another folder reads which file was looked for."""
    said = desk.monitor("watches", "list", "--config", "elsewhere.toml")
    assert "elsewhere.toml: there is no such file: its defaults are used here, with" in said
    assert "mistake" not in said


def test_the_page_of_the_demo_wants_a_port(desk: Desk) -> None:
    """What was typed is named, not the variable that stands for it."""
    assert "--port" in desk.monitor("demo", "--port", "80000", code=2)


def test_list_counts_the_hits_of_a_week(desk: Desk) -> None:
    """Of the watches that have run."""
    desk.run(lambda tx: tx.sync_watches([Watch(name="Ceasefire", terms=("ceasefire",))], NOW))
    said = desk.monitor("watches", "list")
    assert "Ceasefire  terms → #newsdesk · 0 hits in 7 days\n" in said
    assert "Gaza talks  query → #mideast · not run yet\n" in said


def test_list_says_how_precise_a_watch_is(desk: Desk) -> None:
    """By what people said of its messages; of its terms, those that they liked least."""
    desk.run(lambda tx: tx.sync_watches([Watch(name="Ceasefire", terms=("ceasefire",))], NOW))

    def judge(tx: Transaction) -> None:
        for number in range(4):
            tx.want_delivery(tx.new_story(NOW), "#newsdesk", NOW)
            delivery = tx.claim_due("#newsdesk", NOW, timedelta(minutes=5))
            assert delivery is not None
            terms = ["ceasefire"] if number else ["ceasefire", "truce"]
            tx.judge(delivery.id, {"Ceasefire": terms}, relevant=number > 0, now=NOW)

    desk.run(judge)
    said = desk.monitor("watches", "list")
    assert "precision 75 % of 4 judged; least: truce 0 %, ceasefire 75 %" in " ".join(said.split())
    first, second = json.loads(desk.monitor("watches", "list", "--json"))
    assert first["precision"]["terms"]["truce"] == {"judged": 1, "relevant": 0}
    assert second["precision"] is None


def test_list_says_whose_spikes_can_be_judged(desk: Desk) -> None:
    """Two weeks of articles come first: until then nothing is guessed, and it says so."""
    desk.write(FEEDS.replace('name = "Ceasefire"\n', 'name = "Ceasefire"\nspike = true\n'))
    desk.run(lambda tx: tx.sync_watches([Watch(name="Ceasefire", terms=("ceasefire",))], NOW))
    said = " ".join(desk.monitor("watches", "list").split())
    assert "0 hits in 7 days · spikes: too little history: 0 of 14 days " in said
    assert said.count("spikes") == 1


def test_list_is_there_for_machines(desk: Desk) -> None:
    """With all that was written."""
    first, second = json.loads(desk.monitor("watches", "list", "--json"))
    assert first == {
        "name": "Ceasefire",
        "kind": "terms",
        "terms": ["ceasefire", "Kashmir"],
        "query": None,
        "variants": {"ceasefire": ["युद्धविराम"]},
        "channel": "#newsdesk",
        "bracketed": "ceasefire OR Kashmir",
        "hits_7_days": None,
        "precision": None,
        "spikes": False,
        "spikes_unjudged": None,
    }
    assert (second["kind"], second["terms"]) == ("query", [])


def test_list_of_nothing_says_what_to_add(desk: Desk) -> None:
    """The table's name is not taken for markup."""
    desk.write('[[feed]]\nname = "A"\nurl = "https://a.example/feed"\n')
    assert desk.monitor("watches", "list") == "No watches. Add a [[watch]] to feeds.toml.\n"


# --------------------------------------------------------------------------- explain


def test_explain_takes_a_watch_apart(desk: Desk) -> None:
    """Brackets, what each term is found as (other spellings too), what is waited for."""
    said = desk.monitor("watches", "explain", "ceasefire")
    assert said.startswith("ceasefire OR Kashmir\n\nEach term is found as\n")
    assert re.search(r"^ceasefire +ceasefire, cease fire, युद्धविराम", said, re.MULTILINE)
    assert re.search(r"^Kashmir +kashmir$", said, re.MULTILINE)
    assert "one of ceasefire, Kashmir are looked at closely" in said


def test_explain_tells_what_may_surprise_about_a_query(desk: Desk) -> None:
    """With its place; and what is found in capitals, or exactly as it is written."""
    said = desk.monitor("watches", "explain", "--query", "US or =Hamas or tag:wire")
    assert 'column 4: "or" was read as OR' in said
    assert re.search(r"^US +US \(in capitals only\)$", said, re.MULTILINE)
    assert re.search(r"^Hamas +Hamas \(exactly so\)$", said, re.MULTILINE)
    assert "No word must be there: every article is asked." in said


def test_explain_shows_how_an_article_matches(desk: Desk) -> None:
    """By its URL, as a browser copies it, or by its number."""
    desk.archive(ARTICLES)
    said = desk.monitor("watches", "explain", "Gaza talks", "--article", "news.example/talks")
    assert "In Cairo, the Gaza talks go on for another day." in said
    assert "✓ (Gaza NEAR/5 (talks OR truce)) AND NOT title:opinion\n" in said
    assert "│   ├── ✓ Gaza  Gaza\n" in said
    assert "│       └── ✗ truce\n" in said
    assert "└── ✓ NOT title:opinion\n" in said
    assert said.endswith("It matches.\n")
    assert desk.monitor("watches", "explain", "Gaza talks", "-a", "3") == said


@pytest.mark.parametrize(
    ("article", "reason"),
    [
        ("opinion", "NOT title:opinion"),
        ("far", "not so near"),
        ("other", "Gaza"),
    ],
)
def test_explain_says_what_is_missing_or_which_not_fired(desk: Desk, article, reason) -> None:
    """In a sentence."""
    desk.archive(ARTICLES)
    url = f"https://{HOST}/{article}"
    said = desk.monitor("watches", "explain", "Gaza talks", "--article", url)
    last = said[said.index("It does not match") :]
    assert reason in " ".join(last.split())


def test_explain_knows_what_is_known_of_an_article_beside_its_text(desk: Desk) -> None:
    """Who published it, where, on which side."""
    desk.archive(ARTICLES)
    query = 'source:"Dawn Media" AND site:news.example AND side:pakistan AND tag:newspaper'
    said = desk.monitor("watches", "explain", "-q", query, "--article", "1")
    assert said.endswith("It matches.\n")


def test_explain_reads_a_file_or_what_is_piped_in(desk: Desk, monkeypatch) -> None:
    """The first line is the headline."""
    text = "Gaza: an opinion\n\nThe truce in Gaza holds.\n"
    (desk.folder / "a.txt").write_text(text, encoding="utf-8")
    said = desk.monitor("watches", "explain", "Gaza talks", "--text", "a.txt")
    assert "Gaza: an opinion\nThe truce in Gaza holds.\n" in said
    assert "✗ NOT title:opinion\n" in said
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert desk.monitor("watches", "explain", "Gaza talks", "--text", "-") == said


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("Gaza",), 'no watch is called "Gaza"; did you mean "Gaza talks"?'),
        (("Cesefire",), 'no watch is called "Cesefire"; did you mean "Ceasefire"?'),
        (("Indus",), 'no watch is called "Indus"; see `monitor watches list`'),
        ((), "give the name of a watch, or a query with --query"),
        (("Ceasefire", "--query", "x"), "give the name of a watch, or a query with --query"),
        (("Ceasefire", "--text", "a", "--article", "1"), "takes the place of --article"),
        (("Ceasefire", "--text", "no.txt"), "no.txt: No such file or directory"),
        (("Ceasefire", "--text", "latin1.txt"), "latin1.txt is not in UTF-8"),
        (("-q", "a NEAR/ b"), 'column 3: NEAR needs a number after "/"\n  a NEAR/ b\n    ^^^^^\n'),
        (("-q", "x AND (NOT)"), "^"),
        (("-q", "—"), "no word"),
    ],
)
def test_explain_refuses_in_a_sentence(desk: Desk, args: Sequence[str], said: str) -> None:
    """With exit code 2, as all that was typed wrong."""
    (desk.folder / "latin1.txt").write_bytes(b"caf\xe9")
    told = desk.monitor("watches", "explain", *args, code=2)
    assert said in told
    assert "Traceback" not in told


def test_an_article_that_is_not_there_is_told(desk: Desk) -> None:
    """By number and by URL; and when there is no database at all."""
    assert "there is none yet" in desk.monitor(
        "watches", "explain", "Ceasefire", "--article", "1", code=3
    )
    desk.archive(ARTICLES)
    for article in ("77", f"https://{HOST}/nowhere"):
        said = desk.monitor("watches", "explain", "Ceasefire", "--article", article, code=1)
        assert f"there is no article {article} in the database" in said
    said = desk.monitor("watches", "explain", "Ceasefire", "--article", "x y", code=1)
    assert "'x y' is no web address" in said


def test_a_watch_with_a_mistake_shows_its_mistake(desk: Desk) -> None:
    """Others are explained as ever."""
    desk.write(FEEDS.replace("NEAR/5", "NEAR/"))
    said = desk.monitor("watches", "explain", "Gaza talks", code=2)
    assert 'feeds.toml:14:8: watch "Gaza talks": query: NEAR needs a number after "/"' in said
    said = desk.monitor("watches", "explain", "Ceasefire")
    assert "has 1 mistake (see `monitor check`)" in said


# --------------------------------------------------------------------------- test


def test_test_tells_what_a_watch_would_find(desk: Desk) -> None:
    """How much, when, and some of it with its best passage."""
    desk.archive(ARTICLES)
    said = desk.monitor("watches", "test", "Ceasefire")
    assert said.startswith("ceasefire OR Kashmir\n6 articles of the last 30 days read in ")
    assert "It would have matched 2 of the last 6 articles, in 2 messages.\n" in said
    assert re.search(r"^\w+ +\d+ \w+ +2 +2  ████████████████████████$", said, re.MULTILINE) or (
        re.search(r"^\w+ +\d+ \w+ +1 +1  ████████████████████████$", said, re.MULTILINE)
    )
    assert "  • Ceasefire holds\n" in said
    assert "    Dawn Media · " in said
    assert "  https://news.example/hindi\n" in said
    assert "    The guns are silent in Kashmir." in said


def test_test_counts_no_message_for_what_is_too_old(desk: Desk) -> None:
    """`[alerts] max_age` holds for the archive as it does for what is new."""
    desk.archive({"a": ("Ceasefire", "x")})
    desk.write(FEEDS + '\n[alerts]\nmax_age = "1m"\n')
    assert "in 1 message." in desk.monitor("watches", "test", "Ceasefire")

    def older(tx: Transaction) -> None:
        known = tx.article_at(f"https://{HOST}/a")
        assert known is not None
        content = Article(
            url=f"https://{HOST}/a",
            title="Ceasefire",
            body="x",
            source="page",
            published_at=NOW - timedelta(days=2),
        )
        tx.save_article(known.article, content, state=ArticleState.DONE, now=NOW, due_at=None)

    desk.run(older)
    assert "in 0 messages." in desk.monitor("watches", "test", "Ceasefire")


def test_test_compares_with_the_version_that_ran_last(desk: Desk) -> None:
    """If it was another; what only one of them finds is shown."""
    desk.archive(ARTICLES)
    ran = Watch(name="Ceasefire", terms=("ceasefire", "Gaza"), channel="#other")
    desk.run(lambda tx: tx.sync_watches([ran], NOW))
    said = desk.monitor("watches", "test", "Ceasefire")
    assert "Compared with the version last run:\n    ceasefire OR Gaza\n" in said
    assert re.search(r"^1 +found by both$", said, re.MULTILINE)
    assert re.search(r"^1 +only by the edited version$", said, re.MULTILINE)
    assert re.search(r"^3 +only by the version last run$", said, re.MULTILINE)
    assert "In 2 messages; the version last run in 4.\n" in said
    new, old = said.split("Only by the version last run:")
    assert "• युद्धविराम लागू" in new.split("Only by the edited version:")[1]
    assert "• Envoys meet" in old

    same = replace(ran, terms=("ceasefire", "Kashmir"), variants=(("ceasefire", ("युद्धविराम",)),))
    desk.run(lambda tx: tx.sync_watches([same], NOW))
    assert "Compared" not in desk.monitor("watches", "test", "Ceasefire")


def test_test_compares_two_queries(desk: Desk) -> None:
    """For machines, too."""
    desk.archive(ARTICLES)
    args = ("watches", "test", "-q", "Gaza", "--against", "Gaza NOT title:opinion")
    said = desk.monitor(*args)
    assert re.search(r"^2 +found by both$", said, re.MULTILINE)
    assert re.search(r"^1 +only by this one$", said, re.MULTILINE)
    assert re.search(r"^0 +only by the other$", said, re.MULTILINE)

    found = json.loads(desk.monitor(*args, "--json"))
    assert (found["query"], found["against"]) == ("Gaza", "Gaza AND NOT title:opinion")
    assert (found["articles"], found["new"]["hits"], found["old"]["hits"]) == (6, 3, 2)
    assert (found["difference"]["only_new"], found["too_broad"]) == (1, False)
    [sample] = found["difference"]["samples_only_new"]
    assert sample["url"] == "https://news.example/opinion"
    assert sample["spans"] == [["title", 13, 17, "Gaza"]]
    assert sum(day["hits"] for day in found["new"]["days"]) == 3


def test_test_goes_back_as_far_as_it_is_told(desk: Desk) -> None:
    """By days, by number, by both; without a limit, thirty days."""
    desk.archive({str(n): (f"Gaza {n}", "") for n in range(60)}, every=24)

    def articles(*args: str) -> int:
        return json.loads(desk.monitor("watches", "test", "-q", "Gaza", "--json", *args))[
            "articles"
        ]

    assert articles() == 29
    assert articles("--days", "10") == 9
    assert articles("--limit", "7") == 7
    assert articles("--limit", "50") == 50
    assert articles("--limit", "50", "--days", "3") == 2
    said = desk.monitor("watches", "test", "-q", "Gaza", "--days", "100")
    assert "60 articles of the last 100 days read" in said
    assert "Week of" in said
    assert said.count("Mon ") >= 8
    said = desk.monitor("watches", "test", "-q", "Gaza", "--limit", "3")
    assert "\n3 articles read in " in said


def test_test_of_an_empty_archive_is_a_sentence(desk: Desk) -> None:
    """There is nothing to try it on."""
    assert "there is none yet" in desk.monitor("watches", "test", "Ceasefire", code=3)
    upgrade(desk.url)
    said = desk.monitor("watches", "test", "Ceasefire", code=1)
    assert said == "monitor: there are no articles of the last 30 days to try it on\n"
    said = desk.monitor("watches", "test", "Ceasefire", "--limit", "9", code=1)
    assert said == "monitor: there are no articles to try it on\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("Gaza",), 'did you mean "Gaza talks"?'),
        (("-q", "("), "never closed"),
        (("Ceasefire", "--against", "NOT x"), "only says what must not be found"),
        (("Ceasefire", "--days", "0"), "--days"),
        (("Ceasefire", "--limit", "0"), "--limit"),
    ],
)
def test_test_refuses_in_a_sentence(desk: Desk, args: Sequence[str], said: str) -> None:
    """Before anything is read."""
    assert said in desk.monitor("watches", "test", *args, code=2)


# --------------------------------------------------------------------------- too broad


def test_what_is_too_broad_is_told_by_test_and_by_check(desk: Desk) -> None:
    """With its place in the file, and how much it would bring."""
    desk.archive({str(n): ("The ceasefire" if n % 2 else "Nothing", "") for n in range(220)})
    sentence = "would have matched 110 of the last 220 articles, about 12 a day in 12 messages"
    said = " ".join(desk.monitor("watches", "test", "Ceasefire").split())
    assert f"It {sentence}. That is too broad: nobody reads so much." in said
    first, second, *_ = desk.monitor("check").splitlines()
    assert "fine" in first
    assert second.startswith(f'feeds.toml:5:1: watch "Ceasefire": is too broad: it {sentence};')
    assert "Gaza" not in second


def test_check_of_a_narrow_watch_says_nothing_more(desk: Desk) -> None:
    """With an archive, and without any."""
    fine = desk.monitor("check")
    assert fine.startswith("feeds.toml: fine. 2 watches over 1 feed")
    desk.archive(ARTICLES)
    assert desk.monitor("check") == fine


def test_a_watch_is_taken_apart_for_machines(desk: Desk) -> None:
    """Its brackets, its terms; of an article, whether it matches, and why not."""
    desk.archive(ARTICLES)
    told = json.loads(desk.monitor("watches", "explain", "Gaza talks", "--json"))
    assert told["bracketed"] == "(Gaza NEAR/5 (talks OR truce)) AND NOT title:opinion"
    assert [term["term"] for term in told["terms"]] == ["Gaza", "talks", "truce", "opinion"]
    assert told["matched"] is None
    far = desk.monitor("watches", "explain", "Gaza talks", "-a", f"https://{HOST}/far", "--json")
    assert (json.loads(far)["matched"], len(json.loads(far)["reasons"])) == (False, 1)


# --------------------------------------------------------------------------- why


def test_why_says_what_is_missing_of_each_watch(desk: Desk) -> None:
    """Or which NOT fired; and what would match by now."""
    desk.archive(ARTICLES)
    said = " ".join(desk.monitor("why", f"https://{HOST}/opinion").split())
    assert "Matched no Ceasefire: none of ceasefire OR Kashmir is there" in said
    assert "Matched no Gaza talks: NOT title:opinion" in said
    said = " ".join(desk.monitor("why", f"https://{HOST}/ceasefire").split())
    assert "no Ceasefire: not when it was read, but the watch as it is now would match" in said


def test_why_tells_machines_what_each_stage_did(desk: Desk) -> None:
    """Of every watch, with what became of it; and of what was never seen, the feeds of its site."""
    desk.archive(ARTICLES)
    told = json.loads(desk.monitor("why", f"https://{HOST}/opinion", "--json"))
    assert (told["seen"], told["title"]) == (True, "Opinion: the Gaza talks")
    verdicts = {each["name"]: each["verdict"] for each in told["watches"]}
    assert verdicts == {
        "Ceasefire": "It did not alert: none of ceasefire OR Kashmir is there.",
        "Gaza talks": "It did not alert: NOT title:opinion: title:opinion is there.",
    }
    [matched] = [it for it in told["watches"][0]["stages"] if it["name"] == "Matched"]
    assert matched["state"] == "bad"
    unseen = json.loads(desk.monitor("why", f"https://{HOST}/nothing", "--json"))
    assert (unseen["seen"], [it["name"] for it in unseen["feeds"]]) == (False, ["Dawn"])


def test_check_tells_machines_where_each_mistake_is(desk: Desk) -> None:
    """Nothing else is printed, and the exit code is the same."""
    desk.write(FEEDS.replace("terms =", "term ="))
    told = json.loads(desk.monitor("check", "--json", code=2))
    assert told["fine"] is False
    assert {"line", "column", "message", "file"} == told["mistakes"][0].keys()
    assert 'did you mean "terms"?' in told["mistakes"][0]["message"]
    desk.write(FEEDS)
    assert json.loads(desk.monitor("check", "--json"))["fine"] is True


def test_why_names_only_some_of_very_many_watches(desk: Desk) -> None:
    """A thousand lines help nobody."""
    desk.archive(ARTICLES)
    watches = "".join(f'[[watch]]\nname = "W{n}"\nterms = ["w{n}x"]\n' for n in range(50))
    desk.write(watches + FEEDS)
    said = desk.monitor("why", f"https://{HOST}/other")
    assert said.count("Matched") == answers._MOST_MISSED
    assert "nor any of 32 other watches" in said


# --------------------------------------------------------------------------- how it looks


def days(*hits: int) -> list[Day]:
    """Days with so many hits."""
    first = datetime(2025, 5, 1, tzinfo=UTC).date()
    return [Day(first + timedelta(days=n), 100, count, count) for n, count in enumerate(hits)]


def test_a_bar_is_as_long_as_its_count(desk: Desk) -> None:
    """In eighths of a column; one hit can be seen beside a thousand."""
    assert [backtests._bar(count, 8000) for count in (0, 1, 8000, 4000)] == [
        "",
        "▏",
        "█" * 24,
        "█" * 12,
    ]


def test_many_days_are_shown_as_weeks() -> None:
    """From Monday, nothing lost."""
    many = days(*[1] * 40)
    rows = list(backtests._rows(many))
    assert [row.date.weekday() for row in rows] == [0] * 7
    assert sum(row.hits for row in rows) == sum(row.articles for row in rows) / 100 == 40
    assert list(backtests._rows(many[:31])) == many[:31]


def test_words_that_look_like_markup_are_printed_as_they_are(desk: Desk) -> None:
    """A headline is somebody else's text."""
    desk.archive({"a": ("[bold]Gaza[/bold] [link=x]talks", "[red]Gaza[/] and a truce")})
    said = desk.monitor("watches", "test", "-q", "Gaza")
    assert "• [bold]Gaza[/bold] [link=x]talks\n" in said
    assert "[red]Gaza[/] and a truce" in said
    said = desk.monitor("watches", "explain", "-q", '"[red]" OR Gaza', "-a", "1")
    assert "[bold]Gaza[/bold] [link=x]talks\n[red]Gaza[/] and a truce\n" in said


def test_an_article_without_headline_or_link_can_be_named() -> None:
    """By its number."""
    linkless: Archived = replace(archived(7, "", "Ceasefire."), url=None)
    assert backtests.address(linkless) == "7"
    test = Backtest(Watch(name="W", query="ceasefire"))
    test.read([linkless])
    [sample] = test.outcome().new.samples
    assert str(next(iter(backtests._sample(sample)))) == "• (no headline)"


# --------------------------------------------------------------------------- backtest and diff


def test_backtest_says_which_messages_would_have_been_sent(desk: Desk) -> None:
    """One for each story and channel, whichever watches found something in it."""
    desk.archive(ARTICLES)
    said = desk.monitor("backtest")
    assert "6 articles of the last 30 days read" in said
    assert "3 messages would have been sent" in said
    assert re.search(r"Ceasefire +2 +2 +2", said)
    assert re.search(r"Gaza talks +1 +1 +1", said)
    assert "#mideast · Gaza talks · 1 article · Dawn Media" in said
    assert "Cricket" not in said
    assert "1 message would have been sent" in desk.monitor("watches", "backtest", "gaza talks")


def test_backtest_is_there_for_machines(desk: Desk) -> None:
    desk.archive(ARTICLES)
    found = json.loads(desk.monitor("backtest", "--json", "--limit", "3"))
    assert found["articles"] == 3
    assert [each["title"] for each in found["messages"]] == [
        ARTICLES[name][0] for name in ("ceasefire", "hindi", "talks")
    ]
    assert found["watches"][0] == {
        "name": "Ceasefire",
        "hits": 2,
        "stories": 2,
        "messages": 2,
        "too_few_publishers": 0,
    }


def test_backtest_holds_what_too_few_publishers_report(desk: Desk) -> None:
    desk.write(FEEDS.replace('terms = ["ceasefire"', 'min_publishers = 2\nterms = ["ceasefire"'))
    desk.archive(ARTICLES)
    said = desk.monitor("backtest")
    assert re.search(r"Ceasefire +2 +2 +0 +2 stories of too few publishers", said)
    assert "1 message would have been sent" in said


def test_diff_of_what_runs_is_nothing(desk: Desk) -> None:
    desk.run(lambda tx: tx.sync_watches(_watches(), NOW))
    assert desk.monitor("watches", "diff") == (
        "The watches of the file are those that were run last.\n"
    )
    assert json.loads(desk.monitor("watches", "diff", "--json")) == []


def test_diff_tells_what_an_edit_gains_and_loses(desk: Desk) -> None:
    """New, gone and changed watches, each over the archive; and where they lead."""
    old, moved = _watches()
    gone = Watch(name="Cricket", terms=("cricket",))
    desk.run(
        lambda tx: tx.sync_watches(
            [replace(old, terms=("ceasefire", "guns", "cricket"), variants=()), gone,
             replace(moved, channel=None)], NOW
        )
    )  # fmt: skip
    desk.archive(ARTICLES)
    desk.write(FEEDS + '\n[[watch]]\nname = "Cairo"\nterms = ["cairo"]\n')
    said = desk.monitor("watches", "diff")
    assert re.search(r"\+ Cairo  new\n  \+ cairo\n  of 6 articles: 1 article more, 0 ", said)
    assert re.search(r"- Cricket  gone\n  - cricket\n  of 6 articles: 0 articles more, 1 ", said)
    assert re.search(r"~ Ceasefire  changed\n  - ceasefire OR guns OR cricket\n  \+ ceas", said)
    assert "1 article more, 1 article less; messages 2 → 2" in said
    assert re.search(r"more:\n +• युद्धविराम लागू", said)
    assert re.search(r"less:\n +• Cricket", said)
    assert "~ Gaza talks  changed\n  channel: the default channel → #mideast" in said
    found = {each["name"]: each for each in json.loads(desk.monitor("watches", "diff", "--json"))}
    assert (found["Ceasefire"]["gained"], found["Ceasefire"]["lost"]) == (1, 1)
    assert found["Gaza talks"]["new_channel"] == "#mideast"


def _watches() -> list[Watch]:
    return [
        Watch(
            name="Ceasefire",
            terms=("ceasefire", "Kashmir"),
            variants=(("ceasefire", ("युद्धविराम",)),),
        ),
        Watch(
            name="Gaza talks",
            channel="#mideast",
            query="Gaza NEAR/5 (talks OR truce)\n  NOT title:opinion",
        ),
    ]


def test_backtest_without_watches_or_articles_is_a_sentence(desk: Desk) -> None:
    desk.run(lambda tx: None)
    said = desk.monitor("backtest", code=1)
    assert "there are no articles of the last 30 days to try it on" in said
    assert 'no watch is called "Gasa"' in desk.monitor("backtest", "Gasa", code=2)
    desk.write('[[feed]]\nname = "a"\nurl = "https://a.example/f"\n')
    assert "there is no watch to try: add a [[watch]]" in desk.monitor("backtest", code=1)
