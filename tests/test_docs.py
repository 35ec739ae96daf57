"""What the documents say can be typed can be typed: each `$ monitor …` in them is run, on the demo's
archive, and says what they say it does. `…` stands for what changes.
"""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from monitor import config
from monitor.cli import main
from monitor.demo.archive import plant
from monitor.demo.config import BULLETINS, demo_config
from monitor.match import compile_watches
from monitor.storage import SqlStore
from tests.conftest import PROJECT

ELSEWHERE = {"run", "demo", "once"}
"""They serve, or go out: shown by the journeys."""


class Example(NamedTuple):
    place: str  # file and line
    command: str
    output: str

    @property
    def words(self) -> list[str]:
        """As a shell would pass them on, up to where they go to another program."""
        command = re.sub(r"\$\([^)]*\)", "x", self.command)  # what a shell would put there
        words = shlex.split(command, comments=True)
        return words[1 : words.index("|")] if "|" in words else words[1:]


def examples() -> Iterator[Example]:
    """All of them."""
    for path in (PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))):
        lines = path.read_text("utf-8").splitlines()
        at = 0
        while at < len(lines):
            if lines[at] != "```console":
                at += 1
                continue
            end = lines.index("```", at)
            yield from of_block(path.name, at + 1, lines[at + 1 : end])
            at = end + 1


def of_block(name: str, first: int, lines: list[str]) -> Iterator[Example]:
    """Each command with what follows it."""
    starts = [at for at, line in enumerate(lines) if line.startswith("$ ")]
    for at, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        command, *output = lines[at:end]
        while command.endswith("\\"):
            command = command[:-1] + output.pop(0).strip()
        yield Example(f"{name}:{first + at + 1}", command[2:], "\n".join(output).strip())


OURS = [each for each in examples() if each.command.startswith("monitor ")]
RUN = [each for each in OURS if each.words[0] not in ELSEWHERE]


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """A folder with the demo's feeds.toml, and three weeks of its news."""
    folder = tmp_path_factory.mktemp("docs")
    shutil.copyfile(sqlite_template, folder / "monitor.db")
    asyncio.run(_fill(folder, f"sqlite:///{folder / 'monitor.db'}"))
    return folder


async def _fill(folder: Path, url: str) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    text = demo_config("http://127.0.0.1:9", start=now)
    (folder / "feeds.toml").write_text(text, encoding="utf-8")
    settings = config.load(folder / "feeds.toml", {"MONITOR_DATABASE_URL": url})
    async with SqlStore(url) as store:
        await store.write(lambda tx: tx.sync_feeds(settings.feeds, now))
        await store.write(lambda tx: tx.sync_watches(settings.watches, now))
        await plant(store, url, compile_watches(settings.watches), BULLETINS, now)


def test_there_are_examples() -> None:
    """The documents are read rightly."""
    assert len(RUN) > 10
    assert {each.words[0] for each in RUN} >= {
        "watches",
        "search",
        "export",
        "db",
        "check",
        "status",
        "slack",
    }


@pytest.mark.parametrize("example", RUN, ids=lambda each: each.place)
def test_what_a_document_types_works(
    example: Example,
    archive: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It ends well, and says what is printed below it."""
    for name in ("feeds.toml", "monitor.db"):
        shutil.copyfile(archive / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONITOR_DATABASE_URL", f"sqlite:///{tmp_path / 'monitor.db'}")
    monkeypatch.setenv("COLUMNS", "120")
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_WEBHOOK_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "argv", ["monitor", *example.words])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code in {0, None}, said.err
    if example.output:
        wanted = ".*?".join(map(re.escape, re.split(r"…", example.output)))
        shown = "\n".join(line.rstrip() for line in said.out.strip().splitlines())
        assert re.fullmatch(wanted, shown, re.DOTALL), said.out
