"""Fresh databases for tests: a migrated template is made once per run and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from monitor.model import Job
from monitor.storage import SqlStore, upgrade
from monitor.storage.address import read_address

DATABASES = ("sqlite", "postgresql")


class RecordingOutlet:
    """Where jobs go: keeps what it was given, inside the transaction and after it."""

    def __init__(self) -> None:
        self.inserted: list[Job] = []
        self.woken: list[Job] = []
        self.fault: Exception | None = None

    def insert(self, connection: Any, jobs: Sequence[Job]) -> None:
        """Called as the transaction's last statements."""
        self.inserted.extend(jobs)
        if self.fault is not None:
            raise self.fault

    def wake(self, jobs: Sequence[Job]) -> None:
        """Called after the commit."""
        self.woken.extend(jobs)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables and no rows."""
    path = tmp_path_factory.mktemp("template") / "monitor.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A SQLite database of this test's own."""
    path = tmp_path / "monitor.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def postgres_admin(postgres_server: str) -> Iterator[sa.Connection]:
    """A connection that may make databases."""
    engine = sa.create_engine(
        read_address(postgres_server).url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with engine.connect() as connection:
        yield connection


def _make(admin: sa.Connection, server: str, name: str, template: str) -> str:
    admin.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str, postgres_admin: sa.Connection) -> str:
    """Name of a database with all tables and no rows."""
    upgrade(_make(postgres_admin, postgres_server, "monitor_template", "template0"))
    return "monitor_template"


@pytest.fixture(scope="session")
def make_postgres(
    postgres_server: str, postgres_admin: sa.Connection
) -> Callable[[str], tuple[str, str]]:
    """Makes a database from a template; gives its name and its URL."""
    made = 0

    def make(template: str) -> tuple[str, str]:
        nonlocal made
        made += 1
        name = f"test_{made}"
        return name, _make(postgres_admin, postgres_server, name, template)

    return make


@pytest.fixture
def postgres_url(
    postgres_template: str,
    postgres_admin: sa.Connection,
    make_postgres: Callable[[str], tuple[str, str]],
) -> Iterator[str]:
    """A PostgreSQL database of this test's own."""
    name, url = make_postgres(postgres_template)
    yield url
    postgres_admin.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database: the test runs once on each kind."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url = request.getfixturevalue(name)
    assert isinstance(url, str)
    return url


@pytest.fixture
def empty_postgres_url(
    postgres_admin: sa.Connection, make_postgres: Callable[[str], tuple[str, str]]
) -> Iterator[str]:
    """A PostgreSQL database of this test's own, without tables."""
    name, url = make_postgres("template0")
    yield url
    postgres_admin.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that was never migrated (on SQLite: not even a file), of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'folder' / 'monitor.db'}"
    url = request.getfixturevalue("empty_postgres_url")
    assert isinstance(url, str)
    return url


@pytest.fixture
def outlet() -> RecordingOutlet:
    """Where the store's jobs go."""
    return RecordingOutlet()


@pytest.fixture
async def store(database_url: str, outlet: RecordingOutlet) -> AsyncIterator[SqlStore]:
    """An open store on each kind of database."""
    async with SqlStore(database_url, outlet) as opened:
        yield opened


@pytest.fixture
async def sqlite_store(sqlite_url: str, outlet: RecordingOutlet) -> AsyncIterator[SqlStore]:
    """An open store on SQLite, for tests of what stands on a store."""
    async with SqlStore(sqlite_url, outlet) as opened:
        yield opened
