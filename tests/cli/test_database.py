"""`monitor db` as it is typed."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta

import pytest
import sqlalchemy as sa

from monitor.storage import exclusive
from monitor.storage import tables as t
from monitor.storage.migrate import head
from tests.cli.test_watches import ARTICLES, NOW, Desk, desk  # noqa: F401 a fixture


def age(desk: Desk, days: int) -> None:  # noqa: F811
    """Have all that is stored be older."""

    def work(tx) -> None:
        at = NOW - timedelta(days=days)
        tx.connection.execute(sa.update(t.story).values(created_at=at))
        tx.connection.execute(
            sa.update(t.article).values(first_seen_at=at, ingested_at=at, lease_until=None)
        )

    desk.run(work)


def rows(desk: Desk, table: str = "article") -> int:  # noqa: F811
    with sqlite3.connect(desk.folder / "monitor.db") as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_a_copy_is_made_beside_the_database_or_where_it_is_wanted(desk: Desk):  # noqa: F811
    """Its size, its place and its version are said; what is there is not replaced."""
    desk.archive(ARTICLES)
    said = desk.monitor("db", "backup")
    [copy] = desk.folder.glob("monitor-*.db")
    assert f"copied to {copy}, checked; version {head()}." in said
    assert "is there already" in desk.monitor("db", "backup", str(copy), code=3)
    desk.monitor("db", "backup", "other.db")
    with sqlite3.connect(desk.folder / "other.db") as connection:
        assert connection.execute("SELECT count(*) FROM article").fetchone() == (len(ARTICLES),)


def test_of_postgresql_the_command_is_printed(desk: Desk, monkeypatch):  # noqa: F811
    """Alone on stdout, so that a shell can take it; nothing is asked of the server."""
    monkeypatch.setenv("MONITOR_DATABASE_URL", "postgresql://desk:hush@db.lan/news")
    said = desk.monitor("db", "backup", "news.dump").splitlines()
    assert said[0] == (
        "pg_dump --format=custom --no-owner --file=news.dump postgresql://desk@db.lan/news"
    )
    assert "hush" not in "".join(said)


def test_a_newer_database_is_refused_in_a_sentence(desk: Desk):  # noqa: F811
    """With both versions, by every command that opens it, and exit code 3."""
    desk.monitor("db", "upgrade")
    with sqlite3.connect(desk.folder / "monitor.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for command in (("db", "upgrade"), ("db", "backup"), ("db", "prune"), ("status",), ("once",)):
        said = desk.monitor(*command, code=3)
        assert f"revision 9999, this program knows up to {head()}" in said.replace("\n", " ")
        assert "Traceback" not in said


def test_pruning_says_first_what_it_would_do_and_then_does_just_that(desk: Desk):  # noqa: F811
    """Table by table, the same rows; the second time there is nothing left."""
    desk.archive(ARTICLES)
    age(desk, 100)
    dry = json.loads(desk.monitor("db", "prune", "--dry-run", "--json"))
    assert dry["dry_run"]
    assert dry["tables"]["article"]["pruned"] == rows(desk) == len(ARTICLES)
    assert "6 rows would go" not in desk.monitor("db", "prune", "--older-than", "120d", "--dry-run")
    done = json.loads(desk.monitor("db", "prune", "--json"))
    pruned = [{k: v["pruned"] for k, v in each["tables"].items()} for each in (dry, done)]
    assert pruned[0] == pruned[1]
    assert (rows(desk), rows(desk, "story"), rows(desk, "entry")) == (0, 0, 0)
    assert "0 rows gone." in desk.monitor("db", "prune")


def test_pruning_prints_a_table(desk: Desk):  # noqa: F811
    """Rows and sizes of every table that has any, and what would go."""
    desk.archive(ARTICLES)
    age(desk, 100)
    said = desk.monitor("db", "prune", "--dry-run")
    assert said.splitlines()[0].split() == ["Table", "Rows", "Size", "Would", "go", "About"]
    [line] = [each.split() for each in said.splitlines() if each.startswith("article ")]
    assert (line[1], line[4]) == ("6", "6")
    assert "rows would go, about" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--older-than", "5d"), "must be at least 30d"),
        (("--older-than", "5"), "must be a time such as"),
        (("--older-than", "x"), "must be a time such as"),
        (("--vacuum", "--dry-run"), "choose one"),
    ],
)
def test_what_makes_no_sense_is_refused(desk: Desk, arguments, said):  # noqa: F811
    """In a sentence, before anything is done."""
    desk.archive(ARTICLES)
    assert said in desk.monitor("db", "prune", *arguments, code=2)
    assert rows(desk) == len(ARTICLES)


def test_room_is_given_back_when_nobody_is_at_it(desk: Desk):  # noqa: F811
    """The file is smaller then; a service that runs is not disturbed."""
    desk.archive({f"n{n}": ("Long", f"{n} words " * 2000) for n in range(60)})
    age(desk, 100)
    with exclusive(desk.url):
        said = desk.monitor("db", "prune", "--vacuum", code=3)
        assert "another monitor" in said
    size = (desk.folder / "monitor.db").stat().st_size
    assert "before" in desk.monitor("db", "prune", "--vacuum")
    assert (desk.folder / "monitor.db").stat().st_size < size / 2


def test_half_a_configuration_prunes_nothing(desk: Desk):  # noqa: F811
    """It might be another database, and a bound that is mistyped is none that somebody wants."""
    desk.archive(ARTICLES)
    age(desk, 100)
    desk.write("[retention\narticles = '90d'")
    desk.monitor("db", "prune", code=2)
    desk.write("[retention]\narticles = '9d'")
    assert "must be at least 30d" in desk.monitor("db", "prune", code=2)
    assert rows(desk) == len(ARTICLES)
