"""Two versions at once on one database: what the newer one migrates, the older one can work with.

While processes are exchanged one by one, those of the version before go on beside the new ones, on
tables that have been migrated already. So a migration only adds: what is new may be left out by who
doesn't know it. What is to go, goes a version later, when nobody asks for it any more.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from monitor.errors import StorageError
from monitor.model import Health
from monitor.storage import SqlReports, SqlStore, tables, upgrade
from monitor.storage.address import read_address
from monitor.storage.engines import make_engines
from monitor.storage.migrate import _config, _engine, make_folder
from tests.contracts.material import BUCKET, LEASE, NOW, SECOND, found, in_new_story, polled, spec

MIGRATIONS = Path(__file__).parent.parent / "migrations" / "versions"
FIRST = "0018"
"""The first that may run beside a version before it: until then there was one process."""

ADDS = {"create_table", "create_index", "add_column", "batch_alter_table", "f", "get_bind"}
"""What a migration may call of Alembic's operations."""


def calls(source: str) -> Iterator[tuple[str, ast.Call]]:
    """What a migration does to the tables: the names of the operations, and how they are called."""
    tree = ast.parse(source)
    doers = {"op"} | {
        item.optional_vars.id
        for node in ast.walk(tree)
        if isinstance(node, ast.With)
        for item in node.items
        if isinstance(item.optional_vars, ast.Name)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in doers
        ):
            yield node.func.attr, node


def contractions(source: str) -> list[str]:
    """What of a migration the version before it could not work with."""
    found, made = [], set()
    for name, call in calls(source):
        said = {each.arg: ast.unparse(each.value) for each in call.keywords}
        words = ast.unparse(call)
        if name == "create_table":
            made.add(ast.unparse(call.args[0]))
        if name not in ADDS:
            found.append(words)
        elif name == "add_column":
            column = next(each for each in ast.walk(call) if _is_column(each))
            of = {each.arg: ast.unparse(each.value) for each in column.keywords}
            if of.get("nullable") == "False" and "server_default" not in of:
                found.append(words)
        elif (
            name == "create_index"
            and said.get("unique") == "True"
            and ast.unparse(call.args[1]) not in made
        ):
            found.append(words)
    return found


def _is_column(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "sa.Column"


def is_marked(source: str) -> bool:
    """Whether a migration says why the version before it is not disturbed all the same."""
    return any(
        isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CONTRACTS"
        for node in ast.parse(source).body
    )


@pytest.mark.parametrize(
    "path",
    sorted(path for path in MIGRATIONS.glob("0*.py") if path.name >= FIRST),
    ids=lambda path: path.stem,
)
def test_a_migration_only_adds(path: Path) -> None:
    """Or says, as `CONTRACTS = "why"`, since which version nobody asks for what it takes away."""
    source = path.read_text(encoding="utf-8")
    if not is_marked(source):
        assert contractions(source) == []


@pytest.mark.parametrize(
    ("does", "disturbs"),
    [
        ("op.add_column('feed', sa.Column('a', sa.Text()))", False),
        ("op.add_column('feed', sa.Column('a', sa.Text(), nullable=False))", True),
        (
            "op.add_column('feed', sa.Column('a', sa.Text(), nullable=False, server_default=''))",
            False,
        ),
        ("op.create_index('ix', 'feed', ['name'])", False),
        ("op.create_index('ix', 'feed', ['name'], unique=True)", True),
        ("op.create_table('a'); op.create_index('ix', 'a', ['name'], unique=True)", False),
        ("op.drop_column('feed', 'name')", True),
        ("op.drop_table('feed')", True),
        ("op.execute('DELETE FROM feed')", True),
        ("op.rename_table('feed', 'feeds')", True),
        ("with op.batch_alter_table('feed') as batch: batch.alter_column('name')", True),
        ("with op.batch_alter_table('feed') as batch: batch.add_column(sa.Column('a'))", False),
    ],
)
def test_what_only_adds(does: str, disturbs: bool) -> None:
    """Nothing that a statement of before could miss, or leave out and be refused for."""
    assert bool(contractions(does)) is disturbs


def test_the_tables_of_before_are_in_those_of_now(empty_url: str) -> None:
    """Each table and column, not stricter; and what is new can be left out of an INSERT."""
    address = read_address(empty_url)
    if address.path is not None:
        make_folder(address)
    engine = _engine(address, create=True)
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0017")
    before = _columns(engine)
    engine.dispose()
    upgrade(empty_url)
    engine = _engine(read_address(empty_url), create=False)
    now = _columns(engine)
    engine.dispose()
    for table, columns in before.items():
        for name, column in columns.items():
            again = now[table][name]
            assert str(again["type"]) == str(column["type"]), (table, name)
            assert again["nullable"] or not column["nullable"], (table, name)
        for name in now[table].keys() - columns.keys():
            column = now[table][name]
            assert column["nullable"] or column["default"] is not None, (table, name)


def _columns(engine: sa.Engine) -> dict[str, dict[str, sa.engine.interfaces.ReflectedColumn]]:
    inspector = sa.inspect(engine)
    return {
        table: {column["name"]: column for column in inspector.get_columns(table)}
        for table in inspector.get_table_names()
    }


def migrate_further(url: str) -> None:
    """As a version to come may: columns in every table, an index, a table, its number."""
    engines = make_engines(read_address(url))
    with engines.write.begin() as connection:
        for table in tables.metadata.sorted_tables:
            for column in ("later TEXT", "sooner INTEGER DEFAULT 7 NOT NULL"):
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {column}")
        connection.exec_driver_sql("CREATE INDEX ix_later ON feed (later)")
        connection.exec_driver_sql("CREATE TABLE later (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engines.dispose()


async def test_a_running_process_goes_on_when_a_newer_one_has_migrated(database_url: str) -> None:
    """It polls, reads, groups, tells, and shows what there is; only to start anew it refuses."""
    async with SqlStore(database_url) as store:
        await store.write(lambda tx: tx.sync_feeds([spec(1)], NOW))
        [feed] = await store.write(lambda tx: tx.claim_feeds(BUCKET, NOW, LEASE, 10))
        migrate_further(database_url)
        await store.write(lambda tx: tx.add_entries(feed, [found("a"), found("b")], NOW))
        await store.write(lambda tx: tx.save_feeds({feed.id: polled(NOW + SECOND)}))
        await store.write(lambda tx: tx.sync_feeds([spec(1), spec(2)], NOW))
        assert (
            len(await store.write(lambda tx: tx.claim_feeds(BUCKET, NOW + SECOND, LEASE, 9))) == 2
        )
        articles = await store.write(lambda tx: tx.claim_articles(BUCKET, NOW, LEASE, 10))
        assert len(articles) == 2

        story = await store.write(in_new_story(articles[0].id, articles[0].url))
        await store.write(lambda tx: tx.want_delivery(story, "#a", NOW))
        assert await store.write(lambda tx: tx.claim_due("#a", NOW, LEASE)) is not None
        counts = await SqlReports(store).counts(NOW)
        assert (counts.feeds, counts.stories) == ({Health.LIVE: 1, Health.NEW: 1}, 1)
    with pytest.raises(StorageError, match="9999"):
        async with SqlStore(database_url):
            pass
