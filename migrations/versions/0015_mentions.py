"""Mentions: how many articles and stories watches found, by hour and day, kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Tables, empty: what was found before is counted in the background, the newest first."""
    for table, first, second in (
        ("mention_hour", "at", "watch_id"),
        ("mention_day", "watch_id", "at"),
    ):
        kinds = {"at": sa.Integer(), "watch_id": sa.BigInteger()}
        op.create_table(
            table,
            sa.Column(first, kinds[first], nullable=False),
            sa.Column(second, kinds[second], nullable=False),
            sa.Column("feed_id", sa.BigInteger(), nullable=False),
            sa.Column("language", sa.Text(), nullable=False),
            sa.Column("articles", sa.Integer(), nullable=False),
            sa.Column("stories", sa.Integer(), nullable=False),
            sa.PrimaryKeyConstraint(first, second, "feed_id", "language", name=op.f(f"pk_{table}")),
            sqlite_with_rowid=False,
        )
    op.create_table(
        "mention_total",
        sa.Column("grain", sa.Integer(), nullable=False),
        sa.Column("watch_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("articles", sa.Integer(), nullable=False),
        sa.Column("stories", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("grain", "watch_id", "at", name=op.f("pk_mention_total")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "mention_due",
        sa.Column("id", ID, nullable=False),
        sa.Column("article_id", sa.BigInteger()),
        sa.Column("story_id", sa.BigInteger()),
        sa.Column("at", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mention_due")),
    )
