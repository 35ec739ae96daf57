"""Bringing a database to this version: from nothing, by several at once, never back."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from monitor import __version__
from monitor.errors import StorageError
from monitor.model import BUCKETS, ArticleId, FeedId, Health, Hints, StoryId, bucket_of
from monitor.pipeline.group import Role
from monitor.storage import SqlStore, current, tables, upgrade
from monitor.storage.address import read_address
from monitor.storage.engines import BUSY_SECONDS, make_engines
from monitor.storage.migrate import _config, _engine, _revisions, head, make_folder
from monitor.stories.copies import fingerprint
from tests.contracts.material import polled
from tests.pipeline.desk import Desk, News

PROJECT = Path(__file__).parent.parent
LEASED = "due_at IS NOT NULL AND lease_until IS NOT NULL"


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
        found = compare_metadata(context, tables.metadata)
        if connection.dialect.name == "sqlite":  # has no index over the elements of a list
            of_elements = {"ix_fingerprint_keys", "ix_article_mark_marks"}
            found = [each for each in found if getattr(each[1], "name", "") not in of_elements]
        assert found == []


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
    assert {name: re.sub("[()]", "", where) for name, where in found.items()} == {
        "ix_feed_bucket_due_at": "due_at IS NOT NULL",
        "ix_feed_bucket_lease_until": LEASED,
        "ix_article_bucket_lease_until": LEASED,
        "ix_subscription_bucket_due_at": "due_at IS NOT NULL",
        "ix_article_bucket_due_at": "due_at IS NOT NULL",
        "ix_article_copy_of": "copy_of IS NOT NULL",
        "ix_article_first_seen_at_id": "ingested_at IS NOT NULL",
        "ix_story_follows": "follows IS NOT NULL",
        "ix_story_merged_into": "merged_into IS NOT NULL",
        "ix_delivery_channel_due_at_story_id": "due_at IS NOT NULL",
        "ix_delivery_created_at": "sent_at IS NULL",
        "ix_notice_channel_due_at_id": "due_at IS NOT NULL",
        "ix_delivery_channel_told_in": "told_in IS NOT NULL",
    }


def test_the_files_names_tell_the_revisions() -> None:
    """As Alembic finds them, in one line from the first to the head."""
    scripts = ScriptDirectory.from_config(_config())
    assert {each.revision for each in scripts.walk_revisions()} == _revisions()
    assert scripts.get_heads() == [head()]


def test_a_start_without_migrations_does_without_alembic(tmp_path: Path) -> None:
    """It is as large as the rest of the storage."""
    url = f"sqlite:///{tmp_path}/monitor.db"
    upgrade(url)
    program = (
        "import sys; from monitor.storage import upgrade; upgrade(sys.argv[1]);"
        "sys.exit(any(each.partition('.')[0] == 'alembic' for each in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", program, url], check=True, cwd=PROJECT)


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


AT = "'2025-05-10T12:00:00.000000Z'"
OLD_ROWS = (
    (
        "feed (url, name, publisher, tags, declared, host, bucket, status, failures, entries,"
        f" created_at) VALUES ('https://a.example/f', 'F', 'P', '[]', true, 'a.example', {{bucket}},"
        f" 'ok', 0, 2, {AT})"
    ),
    f"story (created_at) VALUES ({AT})",
    (
        "article (url, link, feed_id, host, bucket, state, attempts, first_seen_at, ingested_at,"
        " source, text_hash, story_id, copy_of, title, body) VALUES"
        f" ('https://a.example/1', 'https://a.example/1', 1, 'a.example', {{bucket}}, 'done', 1, {AT},"
        f" {AT}, 'page', '{{hash}}', 1, NULL, 'Talks', '{{body}}'),"
        f" ('https://a.example/2', 'https://a.example/2', 1, 'a.example', {{bucket}}, 'done', 1, {AT},"
        f" {AT}, 'page', '{{hash}}', 1, 1, 'Talks end', '{{body}}')"
    ),
    "article_url (url, article_id) VALUES ('https://a.example/1', 1), ('https://a.example/2', 2)",
    (
        "entry (feed_id, guid, article_id, first_seen_at, backlog, authors, title, text) VALUES"
        f" (1, 'one', 1, {AT}, false, '[]', 'Talks', 'x'), (1, 'two', 2, {AT}, false, '[]', 'End', 'x')"
    ),
    f"watch (name, terms, declared, created_at) VALUES ('Talks', '[\"talks\"]', true, {AT})",
    (
        "hit (article_id, watch_id, spans, matched_at) VALUES"
        f' (1, 1, \'[["title", 0, 5, "talks"]]\', {AT})'
    ),
    (
        "delivery (id, story_id, channel, state, attempts, wanted, shown, sent_channel, sent_ref,"
        f" created_at, sent_at) VALUES ('d1', 1, '#desk', 'sent', 1, 1, 1, 'C1', '1.2', {AT}, {AT})"
    ),
)


async def test_what_the_version_before_stories_kept_goes_on(empty_url: str) -> None:
    """Every row is there, and the next copy joins the story that was told."""
    body = " ".join(f"word{number}" for number in range(60))
    marks = {"bucket": bucket_of("a.example"), "hash": fingerprint("Talks", body).exact}
    before = _make_old(empty_url, "0002", [row.format(body=body, **marks) for row in OLD_ROWS])
    upgrade(empty_url)
    assert _rows(empty_url, before) == before

    async with SqlStore(empty_url) as store:
        view = await store.read(lambda tx: tx.story_view(StoryId(1)))
        assert [each.copy_of for each in view.articles] == [None, 1]
        stored = await store.read(lambda tx: tx.stored_article(ArticleId(2)))
        assert stored is not None
        assert (stored.content.furniture, stored.content.agency, stored.updates) == ((), None, {})
        now = view.articles[0].first_seen_at + timedelta(hours=1)
        [feed] = await store.write(
            lambda tx: (
                tx.save_feeds({FeedId(1): polled(now)}),
                tx.claim_feeds(marks["bucket"], now, timedelta(minutes=5), 10),
            )[1]
        )
        assert (feed.health, feed.hints, feed.gaps) == (Health.LIVE, Hints(), 0)
        assert feed.blocks == b""
        desk = Desk(store, ids={}, feeds=7)
        [placed] = await desk.bring(News("copy", body), now=now)
        assert (placed.story, placed.role, placed.shown_in) == (1, Role.COPY, ["#desk"])


def _make_old(url: str, revision: str, rows: Sequence[str]) -> dict[str, list[dict[str, object]]]:
    """A database of an earlier revision with these rows; returns them as they are kept."""
    address = read_address(url)
    if address.path is not None:
        make_folder(address)
    engine = _engine(address, create=True)
    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for row in rows:
            connection.exec_driver_sql(f"INSERT INTO {row}")
        names = sorted({row.partition(" ")[0] for row in rows})
        kept = {name: _all(connection, name) for name in names}
    engine.dispose()
    return kept


def _rows(
    url: str, columns: Mapping[str, Sequence[Mapping[str, object]]]
) -> dict[str, list[dict[str, object]]]:
    """What these columns hold now."""
    engines = make_engines(read_address(url))
    with engines.read.connect() as connection:
        found = {
            table: [{name: row[name] for name in old[0]} for row in _all(connection, table)]
            for table, old in columns.items()
        }
    engines.dispose()
    return found


def _all(connection: sa.Connection, table: str) -> list[dict[str, object]]:
    rows = connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1")
    return [dict(row) for row in rows.mappings()]


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
    ended = [(*process.communicate(timeout=300), process.returncode) for process in starting]
    assert ended == [(f"{head()}\n", "", 0)] * len(starting)


def test_who_comes_second_waits_for_the_first(sqlite_url: str) -> None:
    """Longer than a transaction of the service would: an upgrade may take its time."""
    path = read_address(sqlite_url).path
    assert path is not None
    with contextlib.closing(
        sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        end = threading.Timer(BUSY_SECONDS + 0.3, other.execute, ["COMMIT"])
        end.start()
        assert upgrade(sqlite_url) == head()
        end.join()


async def test_a_newer_database_is_refused(database_url: str) -> None:
    """An older program would not know what it destroys."""
    engines = make_engines(read_address(database_url))
    with engines.write.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engines.dispose()

    with pytest.raises(StorageError, match=rf"newer version \(revision 9999, .* up to {head()}\)"):
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
