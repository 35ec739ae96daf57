"""What is held for later, what was told together with others, when digests are due, backfills."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
TOGETHER = sa.text("told_in IS NOT NULL")


def upgrade() -> None:
    """Two columns that are empty for what there is, and two empty tables."""
    op.add_column("delivery", sa.Column("held_until", TIME))
    op.add_column("delivery", sa.Column("told_in", sa.Text()))
    op.create_index(
        op.f("ix_delivery_channel_told_in"),
        "delivery",
        ["channel", "told_in"],
        postgresql_where=TOGETHER,
        sqlite_where=TOGETHER,
    )
    op.create_table(
        "digest",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("channel", "schedule", name=op.f("pk_digest")),
    )
    op.create_table(
        "backfill",
        sa.Column("id", ID, nullable=False),
        sa.Column("watches", sa.JSON(), nullable=False),
        sa.Column("wanted_at", TIME, nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("next_at", TIME, nullable=False),
        sa.Column("next_article", sa.BigInteger(), nullable=False),
        sa.Column("articles", sa.Integer(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backfill")),
    )
