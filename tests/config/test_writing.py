"""The file is replaced whole, by a configuration without mistakes, over nobody's edit."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from monitor.config.editing import with_watch
from monitor.config.writing import source, write
from monitor.errors import ConfigError, Refused

FILE = """\
# ours
[[feed]]
name = "BBC"
url  = "https://feeds.example.org/rss.xml"

[[watch]]
name  = "Floods"
terms = ["flood"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "feeds.toml"
    path.write_bytes(FILE.encode())
    return path


def test_a_good_edit_is_written_with_the_mode_of_the_file(file: Path) -> None:
    file.chmod(0o640)
    old = source(file)
    text = with_watch(old.text, {"name": "Dams", "terms": ["dam"]})
    settings = write(file, text, old.mark, {})
    assert [watch.name for watch in settings.watches] == ["Floods", "Dams"]
    assert file.read_text() == text
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in file.parent.iterdir()] == ["feeds.toml"]


def test_the_byte_order_mark_and_the_line_ends_stay(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode())
    old = source(file)
    write(file, with_watch(old.text, {"name": "Dams", "terms": ["dam"]}), old.mark, {})
    content = file.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf# ours\r\n")
    assert content.count(b"\n") == content.count(b"\r\n")
    assert content.count(b"\xef\xbb\xbf") == 1


def test_an_edit_of_somebody_else_is_not_lost(file: Path) -> None:
    old = source(file)
    file.write_text(FILE + "# and a note\n")
    with pytest.raises(Refused, match="was edited by somebody else meanwhile"):
        write(file, FILE, old.mark, {})
    assert file.read_text().endswith("# and a note\n")


def test_a_mistake_is_told_with_its_place_and_nothing_is_written(file: Path) -> None:
    old = source(file)
    text = with_watch(old.text, {"name": "floods", "query": "dam AND ("})
    with pytest.raises(ConfigError) as error:
        write(file, text, old.mark, {})
    assert [mistake.line for mistake in error.value.mistakes] == [11, 12]
    assert file.read_text() == FILE


def test_a_link_stays_one(file: Path, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    link = tmp_path / "etc" / "feeds.toml"
    link.symlink_to("../feeds.toml")
    old = source(link)
    write(link, FILE + "# more\n", old.mark, {})
    assert link.is_symlink()
    assert file.read_text() == FILE + "# more\n"


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (errno.EROFS, "is mounted read-only"),
        (errno.EBUSY, "it is mounted as a single file: mount its folder instead"),
        (errno.EPERM, "it belongs to another user, who would lose it"),
        (errno.EACCES, "this user may not write to"),
        (errno.ENOSPC, "No space left on device"),
    ],
)
def test_why_a_file_cannot_be_written_is_one_sentence(
    file: Path, monkeypatch: pytest.MonkeyPatch, number: int, why: str
) -> None:
    def refuse(*_args: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "rename", refuse)
    old = source(file)
    with pytest.raises(ConfigError) as error:
        write(file, FILE + "# more\n", old.mark, {})
    assert why in str(error.value)
    assert str(error.value).count("\n") == 0
    assert file.read_text() == FILE
    assert [path.name for path in file.parent.iterdir()] == ["feeds.toml"]
