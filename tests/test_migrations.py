"""Bringing a database to this version: from nothing, by several at once, never back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from monitor import __version__
from monitor.errors import StorageError
from monitor.model import BUCKETS
from monitor.storage import SqlStore, current, tables, upgrade
from monitor.storage.address import read_address
from monitor.storage.engines import make_engines
from monitor.storage.migrate import _config, _engine, head, make_folder

PROJECT = Path(__file__).parent.parent


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """Plain connections to a migrated database."""
    engines = make_engines(read_address(database_url))
    yield engines.write
    engines.dispose()


def test_the_migrations_make_the_tables_as_declared(engine: sa.Engine) -> None:
    """Columns, types, keys and indexes: nothing is left for autogenerate to say."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_partial_indexes_are_partial_on_both(engine: sa.Engine) -> None:
    """What waits is found without what does not; autogenerate does not compare this."""
    with engine.connect() as connection:
        inspector = sa.inspect(connection)
        found = {
            index["name"]: next(
                str(value)
                for name, value in index["dialect_options"].items()
                if name.endswith("_where")
            )
            for table in tables.metadata.tables
            for index in inspector.get_indexes(table)
            if any(name.endswith("_where") for name in index.get("dialect_options", {}))
        }
    assert {name: where.strip("()") for name, where in found.items()} == {
        "ix_feed_bucket_due_at": "due_at IS NOT NULL",
        "ix_article_bucket_due_at": "due_at IS NOT NULL",
        "ix_article_copy_of": "copy_of IS NOT NULL",
        "ix_article_first_seen_at_id": "ingested_at IS NOT NULL",
        "ix_story_follows": "follows IS NOT NULL",
        "ix_story_merged_into": "merged_into IS NOT NULL",
        "ix_delivery_channel_due_at_story_id": "due_at IS NOT NULL",
        "ix_delivery_created_at": "sent_at IS NULL",
    }


def test_an_upgrade_can_be_repeated(empty_url: str) -> None:
    """The second finds nothing to do; what is fixed for ever was written down by the first."""
    assert current(empty_url) is None
    assert upgrade(empty_url) == head()
    assert upgrade(empty_url) == current(empty_url) == head()

    engines = make_engines(read_address(empty_url))
    with engines.read.connect() as connection:
        facts = {row.key: row.value for row in connection.execute(sa.select(tables.monitor))}
    engines.dispose()
    assert facts == {"buckets": str(BUCKETS), "created_by": __version__}


def test_watches_of_the_first_version_are_kept(empty_url: str) -> None:
    """They have neither query nor spellings."""
    address = read_address(empty_url)
    if address.path is not None:
        make_folder(address)
    engine = _engine(address, create=True)
    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            sa.text(
                "INSERT INTO watch (name, terms, declared, created_at) VALUES"
                " ('Kashmir', '[\"Kashmir\"]', true, '2025-05-10T12:00:00.000000Z')"
            )
        )
    engine.dispose()
    upgrade(empty_url)

    engines = make_engines(address)
    with engines.read.connect() as connection:
        row = connection.execute(sa.select(tables.watch)).one()
    engines.dispose()
    assert (row.name, row.terms, row.query, row.variants) == ("Kashmir", ("Kashmir",), None, ())


def test_asking_for_the_revision_creates_nothing(tmp_path: Path) -> None:
    """`monitor check` looks before anything was ever started."""
    path = tmp_path / "folder" / "monitor.db"
    assert current(f"sqlite:///{path}") is None
    assert not path.parent.exists()


def test_several_processes_that_start_at_once_all_succeed(empty_url: str) -> None:
    """One makes the tables, the others wait for it."""
    program = "import sys; from monitor.storage import upgrade; print(upgrade(sys.argv[1]))"
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", program, empty_url],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(5)
    ]
    ended = [(*process.communicate(timeout=60), process.returncode) for process in starting]
    assert ended == [(f"{head()}\n", "", 0)] * len(starting)


async def test_a_newer_database_is_refused(database_url: str) -> None:
    """An older program would not know what it destroys."""
    engines = make_engines(read_address(database_url))
    with engines.write.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engines.dispose()

    with pytest.raises(StorageError, match=r"newer version \(revision 9999, .* up to 0004\)"):
        upgrade(database_url)
    assert current(database_url) == "9999"
    with pytest.raises(StorageError, match="newer version"):
        async with SqlStore(database_url):
            pass


async def test_a_database_of_other_buckets_is_refused(database_url: str) -> None:
    """Every row lies in the bucket it was given when it was made."""
    engines = make_engines(read_address(database_url))
    with engines.write.begin() as connection:
        connection.execute(sa.update(tables.monitor).values(value="8"))
    engines.dispose()

    with pytest.raises(StorageError, match=f"made for 8 buckets, this version has {BUCKETS}"):
        async with SqlStore(database_url):
            pass


def test_a_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    """The database holds what others wrote and where alerts go."""
    upgrade(f"sqlite:///{tmp_path / 'folder' / 'monitor.db'}")
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    """With the reason and what to do."""
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StorageError, match=r"file/data can't be made \(Not a directory\)"):
        upgrade(f"sqlite:///{tmp_path / 'file' / 'data' / 'monitor.db'}")


def test_a_file_name_may_hold_anything(tmp_path: Path) -> None:
    """Question marks, percent and hash signs are not ours to interpret."""
    url = f"sqlite:///{tmp_path / 'a%20b c#d?e=f'}"
    path = read_address(url).path
    assert path is not None
    upgrade(url)
    assert path.exists()
    assert current(url) == head()
