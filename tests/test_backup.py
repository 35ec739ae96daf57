"""A copy is whole, the database's owner's alone, and the service that starts on it repeats nothing."""

from __future__ import annotations

import io
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from monitor.errors import StorageError
from monitor.storage import SqlStore, backup, upgrade
from monitor.storage import tables as t
from monitor.storage.backup import pg_dump
from monitor.storage.migrate import head
from tests.contracts.material import given_articles, given_story
from tests.pipeline.conftest import Newsroom, newsroom, page  # noqa: F401 a fixture


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def names(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


async def titles(path: Path) -> list[str]:
    async with SqlStore(url_of(path)) as store:
        rows = await store.query(lambda c: c.execute(sa.select(t.article.c.url)).scalars().all())
    return sorted(rows)


async def test_a_copy_is_one_moment_of_a_database_in_use(
    sqlite_store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written while it is copied is neither in it nor kept waiting."""
    await given_story(sqlite_store)
    url, target = url_of(sqlite_store.address.path or Path()), tmp_path / "copy.db"
    monkeypatch.setattr(backup, "PAGES", 10)
    with sqlite3.connect(sqlite_store.address.path or "") as other:
        told = []

        def progress(what: str, done: int, of: int) -> None:
            if not told:
                other.execute("INSERT INTO report_term VALUES (1, 2, 3)")
                other.commit()
            told.append((what, done, of))

        copied = backup.backup(url, target, progress=progress)
    assert copied.bytes == target.stat().st_size
    assert copied.revision == head()
    assert target.stat().st_mode & 0o777 == 0o600
    assert [name for name in names(tmp_path) if "copy.db" in name] == ["copy.db"]
    assert {what for what, _, _ in told} == {"Copying", "Checking"}
    assert len(told) > 5
    assert [each[1] for each in told] != sorted({each[1] for each in told}, reverse=True)
    with sqlite3.connect(target) as copy:
        assert copy.execute("SELECT count(*) FROM report_term").fetchone() == (0,)
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert await titles(target) == ["https://news.example/a"]


async def test_what_is_there_is_never_replaced(sqlite_store: SqlStore, tmp_path: Path) -> None:
    """Neither a file nor a link, even one that comes while it is copied."""
    url, target = url_of(sqlite_store.address.path or Path()), tmp_path / "copy.db"
    target.write_text("precious")
    with pytest.raises(StorageError, match="is there already"):
        backup.backup(url, target)

    late = tmp_path / "late.db"

    def progress(what: str, _done: int, _of: int) -> None:
        late.write_text("precious")

    with pytest.raises(StorageError, match="is there already"):
        backup.backup(url, late, progress=progress)
    assert (target.read_text(), late.read_text()) == ("precious", "precious")
    dangling = tmp_path / "link.db"
    dangling.symlink_to(tmp_path / "nowhere")
    with pytest.raises(StorageError, match="is there already"):
        backup.backup(url, dangling)
    with pytest.raises(StorageError, match=r"can't be written: No such file"):
        backup.backup(url, tmp_path / "no" / "folder.db")


async def test_damage_is_said_and_nothing_is_kept(sqlite_store: SqlStore, tmp_path: Path) -> None:
    """A page in the middle of the file is overwritten: the copy is looked through before it counts."""
    path = sqlite_store.address.path
    assert path is not None
    await given_articles(sqlite_store, *(f"n{number}" for number in range(200)))
    await sqlite_store.close()
    with sqlite3.connect(path) as connection:
        page_of = "SELECT rootpage FROM sqlite_schema WHERE name = 'ix_article_state'"
        [number] = connection.execute(page_of).fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek((number - 1) * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(StorageError, match="the file is damaged"):
        backup.backup(url_of(path), tmp_path / "copy.db")
    assert not [name for name in names(tmp_path) if "copy" in name]


def test_what_is_no_database_of_ours_is_not_copied(tmp_path: Path) -> None:
    """Nothing there; another file; an empty one."""
    for name, content, said in (
        ("none.db", None, "there is none yet"),
        ("text.db", b"words " * 100, "is not a SQLite database"),
        ("empty.db", b"", "the file is empty: restore a backup"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(StorageError, match=said):
            backup.backup(url_of(tmp_path / name), tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


def test_a_pipe_gets_the_same_bytes(sqlite_url: str, tmp_path: Path) -> None:
    """Once they are known to be whole."""
    backup.backup(sqlite_url, tmp_path / "copy.db")
    stream = io.BytesIO()
    copied = backup.backup_to_stream(sqlite_url, stream)
    assert len(stream.getvalue()) == copied.bytes
    assert stream.getvalue()[:100] == (tmp_path / "copy.db").read_bytes()[:100]


def test_postgresql_is_copied_by_its_own_program() -> None:
    """As the shell wants it, and without a password."""
    url = "postgresql://desk:hush@db.lan:5433/news desk?sslmode=require&password=hush"
    assert pg_dump(url, "a b.dump") == (
        "pg_dump --format=custom --no-owner --file='a b.dump' "
        "'postgresql://desk@db.lan:5433/news desk?sslmode=require'"
    )


async def test_a_service_on_the_copy_repeats_nothing(
    newsroom: Newsroom,  # noqa: F811
    tmp_path: Path,
) -> None:
    """What was told before the copy was made is not told from it; what grows is edited, as ever."""
    newsroom.server.route("/a", page("A ceasefire is agreed"))
    newsroom.feed("wire", ("A ceasefire is agreed", "/a"))
    await newsroom.declare("wire")
    await newsroom.settle()
    [told] = newsroom.shown()

    target = tmp_path / "copy.db"
    backup.backup(url_of(newsroom.store.address.path or Path()), target)
    upgrade(url_of(target))
    async with SqlStore(url_of(target)) as store:
        await store.write(lambda tx: tx.release_leases())
        again = Newsroom(store, newsroom.server, newsroom.context.offload, newsroom.context.fetcher)
        again.clock.advance(minutes=10)
        await again.settle(minutes=10)
        assert again.shown() == []
        newsroom.server.route("/b", page("Another ceasefire"))
        newsroom.feed("wire", ("A ceasefire is agreed", "/a"), ("Another ceasefire", "/b"))
        await again.settle(minutes=10)
        assert len(again.shown()) == 1, "what came since is told"
    assert newsroom.shown() == [told]
