"""`monitor feeds discover` as it is typed, at a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.cli import main
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
        self._monkeypatch.setattr("sys.argv", ["monitor", "feeds", "discover", *args])
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
    (tmp_path / "feeds.toml").write_text('[fetch]\nallow = ["127.0.0.0/8"]\nspacing = "0s"\n')
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
