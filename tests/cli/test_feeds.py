"""`monitor feeds` as it is typed, at a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor import config
from monitor.cli import main
from monitor.clock import SystemClock
from monitor.storage import SqlStore, upgrade
from tests.webserver import Reply, WebServer, running

RSS = """<rss version="2.0"><channel><title>The Post</title>
<item><title>A</title><pubDate>Sat, 10 May 2025 12:00:00 GMT</pubDate></item>
<item><title>B</title><pubDate>Sat, 10 May 2025 11:00:00 GMT</pubDate></item></channel></rss>"""
PAGE = """<!DOCTYPE html><html><head><title>Post</title>
<link rel="alternate" type="application/rss+xml" title="All &amp; sundry" href="/rss.xml">
<link rel="alternate" type="application/atom+xml" href="/gone.atom">
</head><body><a href="/feeds/sport">Sport feed</a></body></html>"""
HTML = {"Content-Type": "text/html; charset=utf-8"}


class Desk:
    """A folder with a configuration that opens loopback, and a server."""

    def __init__(
        self, server: WebServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.server = server
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def discover(self, *args: str) -> tuple[int, str, str]:
        """The exit code, and what is printed on both streams."""
        return self.feeds("discover", *args)

    def feeds(self, *args: str) -> tuple[int, str, str]:
        """The same of any command about feeds."""
        self._monkeypatch.setattr("sys.argv", ["monitor", "feeds", *args])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        return code, *self._capsys.readouterr()


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Desk]:
    """At work in a folder of its own."""
    (tmp_path / "feeds.toml").write_text(
        '[fetch]\nallow = ["127.0.0.0/8"]\nspacing = "0s"\ntimeout = "2s"\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    with running(WebServer()) as server:
        server.route("/", Reply(PAGE, headers=HTML))
        server.route("/rss.xml", Reply(RSS))
        server.route("/gone.atom", Reply("", status=410))
        server.route("/feeds/sport", Reply("<html><body>Sport", headers=HTML))
        yield Desk(server, monkeypatch, capsys)


def test_a_pages_feeds_are_listed_with_what_is_in_them(desk: Desk) -> None:
    """Those that can't be read with the reason."""
    code, out, _ = desk.discover(desk.server.url("/"), "--json")
    assert code == 0
    rss, gone, sport = json.loads(out)
    assert rss == {
        "url": desk.server.url("/rss.xml"),
        "title": "All & sundry",
        "kind": "RSS",
        "entries": 2,
        "newest_at": "2025-05-10T12:00:00+00:00",
        "trouble": None,
        "known_as": None,
        "same_as": None,
    }
    assert (gone["kind"], gone["entries"]) == ("Atom", 0)
    assert "410" in gone["trouble"]
    assert (sport["title"], sport["kind"]) == ("Sport feed", "link")
    assert sport["trouble"] == "this is a web page, not a feed"


def test_a_table_is_for_people(desk: Desk) -> None:
    """One line for each feed."""
    code, out, _ = desk.discover(desk.server.url("/"))
    assert code == 0
    assert "2 entries, the newest " in out
    assert out.index("/rss.xml") < out.index("/gone.atom") < out.index("/feeds/sport")


def test_a_site_without_a_scheme_is_found(desk: Desk) -> None:
    """By https, and where nobody answers by http."""
    code, out, _ = desk.discover(desk.server.url("/").removeprefix("http://"))
    assert code == 0
    assert "/rss.xml" in out


def test_a_feed_is_its_own_feed(desk: Desk) -> None:
    """Its own title serves where no page has given one."""
    code, out, _ = desk.discover(desk.server.url("/rss.xml"), "--json")
    assert code == 0
    assert [(each["title"], each["entries"]) for each in json.loads(out)] == [("The Post", 2)]


@pytest.mark.parametrize(
    ("path", "reply", "sentence"),
    [
        ("/none", Reply("<html><body>Nothing", headers=HTML), "is no feed, and names none"),
        ("/gone", Reply("", status=404), "404"),
        ("/json", Reply('{"items": [', headers=HTML), "the JSON is broken"),
    ],
)
def test_no_feed_is_one_sentence(desk: Desk, path: str, reply: Reply, sentence: str) -> None:
    """On stderr, and the exit code says so, too."""
    desk.server.route(path, reply)
    code, out, err = desk.discover(desk.server.url(path))
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert sentence in err
    assert desk.server.url(path) in err


@pytest.mark.parametrize("address", ["http://[", "", "ftp://a.example/", "no host"])
def test_what_is_no_address_is_told(desk: Desk, address: str) -> None:
    """One sentence and no trace."""
    code, out, err = desk.discover(address)
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert (address or "'' is no address") in err


def test_no_configuration_is_needed(desk: Desk, tmp_path: Path) -> None:
    """Nor is its absence worth a word; what is inside the network stays closed then."""
    (tmp_path / "feeds.toml").unlink()
    code, _, err = desk.discover(desk.server.url("/"))
    assert code == 1
    assert "feeds.toml" not in err
    assert not desk.server.connections
    assert "127.0.0.1 is not public; [fetch] allow opens hosts of your own" in err


# --------------------------------------------------------------------------- feeds.toml

TWO = """
# mine
[[feed]]
name = "Wire"
url  = "https://a.example/rss.xml"
tags = ["asia"]

[[feed]]
name = "Other"
url  = "https://b.example/rss.xml"
side = "india"
tier = 1

[[watch]]
name  = "Ceasefire"
terms = ["ceasefire"]
"""


@pytest.fixture
def toml(desk: Desk, tmp_path: Path) -> Path:
    """A configuration with two feeds and a database of its own."""
    del desk
    path = tmp_path / "feeds.toml"
    database = f'[monitor]\ndatabase = "sqlite:///{tmp_path}/m.db"\n\n'
    path.write_text(database + path.read_text() + TWO)
    return path


def test_a_feed_is_added_by_the_address_of_its_site(desk: Desk, toml: Path) -> None:
    """The only one of a page that can be read; what is typed beside it counts more."""
    code, out, _ = desk.feeds(
        "add", desk.server.url("/"), "--name", "The Post", "--side", "india", "--tag", "x"
    )
    assert code == 0
    assert f'url  = "{desk.server.url("/rss.xml")}"' in toml.read_text()
    assert 'name = "The Post"' in out
    assert "# mine" in toml.read_text()
    code, out, err = desk.feeds("add", desk.server.url("/"))
    assert (code, out) == (1, "")
    assert "is declared already, as The Post" in err


def test_of_several_feeds_one_must_be_named(desk: Desk, toml: Path) -> None:
    """Where nobody can be asked: they are listed, and the exit code is that of usage."""
    desk.server.route("/feeds/sport", Reply(RSS.replace("<title>A", "<title>Sport")))
    before = toml.read_text()
    code, out, err = desk.feeds("add", desk.server.url("/"))
    assert (code, out) == (2, "")
    assert "/rss.xml" in err
    assert "give the URL of one of them" in err
    assert toml.read_text() == before


def test_what_is_wrong_is_not_written(desk: Desk, toml: Path) -> None:
    """The sentence is that of `monitor check`."""
    before = toml.read_text()
    code, _, err = desk.feeds("add", desk.server.url("/"), "--language", "klingon!")
    assert code == 2
    assert "language" in err
    assert toml.read_text() == before


def test_a_feed_is_removed_by_name_or_url(desk: Desk, toml: Path) -> None:
    """What it brought stays; who is not there is one sentence."""
    assert desk.feeds("remove", "Wire")[0] == 0
    assert desk.feeds("remove", "https://b.example/rss.xml")[0] == 0
    assert "[[feed]]" not in toml.read_text()
    code, _, err = desk.feeds("remove", "Wire")
    assert code == 1
    assert 'no feed "Wire"' in err


def test_what_is_exported_is_imported_as_it_was(desk: Desk, toml: Path, tmp_path: Path) -> None:
    """As OPML and as TOML; and nothing is new where all is there."""
    code, out, _ = desk.feeds("export", "--format", "toml")
    assert code == 0
    assert 'side = "india"' in out
    assert [each["name"] for each in json.loads(desk.feeds("export", "--format", "json")[1])] == [
        "Wire",
        "Other",
    ]
    listed = tmp_path / "list.opml"
    listed.write_text(desk.feeds("export")[1])
    before = toml.read_text()
    code, out, _ = desk.feeds("import", str(listed))
    assert code == 0
    assert "0 feeds were added" in out
    assert toml.read_text() == before
    desk.feeds("remove", "Other")
    code, out, _ = desk.feeds("import", str(listed), "--json")
    assert [each["fate"] for each in json.loads(out)] == ["known", "new"]
    assert json.loads(out)[1]["feed"] == {
        "name": "Other",
        "url": "https://b.example/rss.xml",
        "side": "india",
        "tier": 1,
    }
    assert 'name = "Other"' in toml.read_text()


def test_a_list_can_be_looked_at_and_asked_first(desk: Desk, toml: Path, tmp_path: Path) -> None:
    """`--dry-run` writes nothing, `--check` leaves out what can't be read."""
    listed = tmp_path / "list.opml"
    listed.write_text(
        f'<opml><body><outline text="Good" xmlUrl="{desk.server.url("/rss.xml")}"/>'
        f'<outline text="Gone" xmlUrl="{desk.server.url("/gone.atom")}"/></body></opml>'
    )
    before = toml.read_text()
    code, out, _ = desk.feeds("import", str(listed), "--dry-run")
    assert code == 0
    assert "2 feeds would be added" in out
    assert toml.read_text() == before
    code, out, _ = desk.feeds("import", str(listed), "--check")
    assert code == 0
    assert "can't be read: 410" in out
    assert "1 feed was added" in out
    assert "gone.atom" not in toml.read_text()


@pytest.mark.parametrize(
    ("content", "sentence"), [(None, "can't be read: No such file"), ("<rss/>", "this is no OPML")]
)
def test_a_list_that_is_none_is_one_sentence(
    desk: Desk, toml: Path, tmp_path: Path, content: str | None, sentence: str
) -> None:
    """And the exit code 1."""
    del toml
    if content is not None:
        (tmp_path / "list.opml").write_text(content)
    code, out, err = desk.feeds("import", str(tmp_path / "list.opml"))
    assert (code, out) == (1, "")
    assert sentence in err


def test_feeds_are_listed_and_polled_now(desk: Desk, toml: Path) -> None:
    """By the database, from another process than the service's."""
    code, _, err = desk.feeds("list")
    assert code == 3
    assert "there is none yet" in err
    settings = config.load(toml, {})

    async def stored() -> None:
        async with SqlStore(settings.monitor.database) as store:
            await store.write(lambda tx: tx.sync_feeds(settings.feeds, SystemClock().now()))

    upgrade(settings.monitor.database)
    asyncio.run(stored())
    code, out, _ = desk.feeds("list")
    assert code == 0
    assert "Wire" in out
    assert "2 feeds: 2 not read yet." in out
    assert json.loads(desk.feeds("list", "--json", "--state", "trouble")[1]) == []
    [other, wire] = json.loads(desk.feeds("list", "--json")[1])
    assert (wire["name"], wire["health"], wire["delay_p50"]) == ("Wire", "new", None)
    assert (other["side"], other["tier"]) == ("india", 1)
    assert desk.feeds("poll", "wire") == (0, "Wire is due now.\n", "")
    assert desk.feeds("poll", "--all")[1] == "2 feeds are due now.\n"
    assert "there is no feed nobody" in desk.feeds("poll", "nobody")[2]
    for verb in ("poll", "remove"):
        assert desk.feeds(verb, "Wrie")[2].endswith('feed "Wrie"; did you mean "Wire"?\n'), verb
    assert desk.feeds("poll")[0] == 2
