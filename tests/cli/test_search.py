"""`monitor search` and `monitor export` as they are typed, over a small archive."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import json
import sys
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from monitor.cli import main
from monitor.storage import SqlStore
from tests.cli.test_watches import ARTICLES, NOW, Desk, desk  # noqa: F401 a fixture
from tests.contracts.test_search import index

TITLES = [title for title, _ in ARTICLES.values()]


@pytest.fixture
def archive(desk: Desk) -> Desk:  # noqa: F811
    """Six articles, an hour apart, the newest first; none is indexed yet."""
    desk.archive(dict(reversed(ARTICLES.items())))
    return desk


def test_finds_are_told_with_their_passages(archive: Desk) -> None:
    """Newest first; in any script; and where each is."""
    told = archive.monitor("search", "Kashmir OR युद्धविराम")
    assert "युद्धविराम लागू" in told
    assert "Ceasefire holds" in told
    assert "The guns are silent in Kashmir." in told
    assert "https://news.example/hindi" in told
    assert "Dawn Media" in told
    assert "Cricket" not in told


def test_nothing_found_is_said(archive: Desk) -> None:
    """With how the query was read, and which word is nowhere, once the service has indexed."""
    assert "No article matches zymurgy AND NOT cricket." in archive.monitor(
        "search", "zymurgy -cricket"
    )
    asyncio.run(_indexed(archive.url))
    told = archive.monitor("search", "zymurgy Kashmir")
    assert "In none at all stands “zymurgy”." in told


async def _indexed(url: str) -> None:
    async with SqlStore(url) as store:
        await index(store)


def test_a_mistake_is_shown_where_it_is(archive: Desk) -> None:
    """And is a mistake of usage."""
    assert "^^^" in archive.monitor("search", "truce AND", code=2)
    assert "is no time" in archive.monitor("search", "x", "--since", "3x", code=2)
    assert "give one of" in archive.monitor("search", "x", "--json", "--csv", code=2)
    assert 'no watch is called "Gaza"' in archive.monitor("search", "x", "--watch", "Gaza", code=2)
    assert "a language code" in archive.monitor("search", "x", "--language", "xx-yy", code=2)
    said = archive.monitor("search", "x", "--since", "1d", "--until", "3d", code=2)
    assert "must be later than --since" in said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_said_in_one_sentence(
    archive: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As when the output is sent into a file."""
    monkeypatch.setattr(sys, "argv", ["monitor", "status", "--json"])
    with contextlib.suppress(OSError), Path("/dev/full").open("w", buffering=1) as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(SystemExit) as ended:
            main()
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert said == "monitor: the output can't be written: no space is left for it\n"


def test_finds_for_programs(archive: Desk) -> None:
    """JSON, JSON lines and CSV say the same."""
    one = json.loads(archive.monitor("search", "talks", "--json"))
    lines = archive.monitor("search", "talks", "--jsonl").splitlines()
    table = list(csv.DictReader(io.StringIO(archive.monitor("search", "talks", "--csv"))))
    assert {each["title"] for each in one} == {TITLES[2], TITLES[3], TITLES[4]}
    assert [json.loads(line) for line in lines] == one
    assert [row["title"] for row in table] == [each["title"] for each in one]
    assert all(each["found"] == ["talks"] for each in one)


def test_a_search_can_be_narrowed(archive: Desk) -> None:
    """By time, and to so many."""

    def titles(*options: str) -> list[str]:
        found = json.loads(archive.monitor("search", "talks OR cricket OR the", "--json", *options))
        return [each["title"] for each in found]

    everything = titles()
    assert len(everything) == 5
    assert titles("--limit", "2") == everything[:2]
    late = (NOW - timedelta(hours=2.5)).isoformat()
    assert set(titles("--since", late)) | set(titles("--until", late)) == set(everything)
    assert len(titles("--since", "150m")) == len(titles("--since", late))
    assert titles("--publisher", "Nobody") == []


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_an_export_has_all_articles_with_their_texts(archive: Desk, ending: str) -> None:
    """Whole, beside nothing else: it takes its place when it is done."""
    file = archive.folder / f"all.{ending}"
    file.write_text("from yesterday")
    assert "6 articles written" in archive.monitor("export", "-o", str(file))
    rows = _rows(file)
    assert {row["title"] for row in rows} == set(TITLES)
    assert {row["body"] for row in rows} == {body for _, body in ARTICLES.values()}
    assert not list(archive.folder.glob(".all*"))
    assert "2 articles" in archive.monitor(
        "export", "-o", str(file), "-q", "Kashmir OR सीमा", "--since", "30d"
    )
    assert len(_rows(file)) == 2
    assert "0 articles" in archive.monitor("export", "-o", str(file), "-q", "zymurgy")
    assert _rows(file) == []


def _rows(file: Path) -> list[dict[str, object]]:
    if file.suffix == ".parquet":
        rows: list[dict[str, object]] = pq.read_table(file).to_pylist()
        return rows
    text = file.read_text("utf-8")
    if file.suffix == ".csv":
        return list(csv.DictReader(io.StringIO(text, newline="")))
    return [json.loads(line) for line in text.splitlines()]


def test_an_export_can_be_piped(archive: Desk) -> None:
    """Then nothing else is said."""
    lines = archive.monitor("export", "-o", "-", "--format", "jsonl").splitlines()
    assert len([json.loads(line) for line in lines]) == 6


def test_an_export_that_can_not_be_written_says_why(
    archive: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And leaves what was there."""
    file = archive.folder / "all.parquet"
    file.write_text("from yesterday")
    assert "can't be written" in archive.monitor("export", "-o", "/nowhere/x.csv", code=1)
    assert "does not say what to write" in archive.monitor("export", "-o", "x", code=2)
    assert "can't be piped" in archive.monitor("export", "-o", "-", "--format", "parquet", code=2)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    told = archive.monitor("export", "-o", str(file), code=1)
    assert "install monitor[parquet]" in told
    assert file.read_text() == "from yesterday"
    assert not list(archive.folder.glob(".all*"))
