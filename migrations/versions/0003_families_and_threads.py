"""Copies by fingerprint, stories by what they are about, and what people decided about both."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
KEYS = sa.JSON().with_variant(postgresql.ARRAY(sa.Integer()), "postgresql")


def upgrade() -> None:
    """Columns that may stay empty, and four tables.

    Articles of before have no fingerprint: exact twins of theirs are found, other copies not.
    """
    op.add_column("article", sa.Column("novelty", sa.Float()))
    op.add_column("article", sa.Column("agency", sa.Text()))
    op.add_column("story", sa.Column("merged_at", TIME))
    op.add_column("story", sa.Column("merged_by", sa.Text()))
    op.add_column("story", sa.Column("thread", sa.LargeBinary()))
    for name in ("follows", "merged_into"):
        _refer_to_a_story(name)
    op.create_table(
        "story_term",
        sa.Column("term", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("story_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("term", "story_id", name=op.f("pk_story_term")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "report_term",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("term", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "term", name=op.f("pk_report_term")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "article_key",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("article_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("day", "key", "article_id", name=op.f("pk_article_key")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "fingerprint",
        sa.Column("article_id", ID, nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("keys", KEYS),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_fingerprint")),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_fingerprint_article_id")
        ),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(
            op.f("ix_fingerprint_keys"),
            "fingerprint",
            ["keys"],
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
        )
    op.create_table(
        "verdict",
        sa.Column("article_id", ID, nullable=False),
        sa.Column("story_id", ID, nullable=False),
        sa.Column("belongs", sa.Boolean(), nullable=False),
        sa.Column("decided_at", TIME, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("article_id", "story_id", name=op.f("pk_verdict")),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_verdict_article_id")),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name=op.f("fk_verdict_story_id")),
    )
    op.create_index(op.f("ix_verdict_story_id"), "verdict", ["story_id"])


def _refer_to_a_story(name: str) -> None:
    """A column of stories that names another, and an index of those that do."""
    key = sa.ForeignKey("story.id", name=op.f(f"fk_story_{name}"))
    # in the column itself on SQLite, which adds no constraint to a table that is there
    inline = op.get_bind().dialect.name == "sqlite"
    op.add_column("story", sa.Column(name, ID, key), inline_references=inline)
    filled = sa.text(f"{name} IS NOT NULL")
    op.create_index(
        op.f(f"ix_story_{name}"), "story", [name], postgresql_where=filled, sqlite_where=filled
    )
