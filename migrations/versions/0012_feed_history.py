"""What happened to feeds, how late their entries are seen, and who is first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Tables that fill from now on, and an index: seconds for a million entries."""
    op.add_column("feed", sa.Column("due_by", sa.Text()))
    op.create_index(op.f("ix_entry_feed_id_id"), "entry", ["feed_id", "id"])
    op.create_table(
        "feed_event",
        sa.Column("id", ID, nullable=False),
        sa.Column("feed_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_event")),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_feed_event_feed_id")),
    )
    op.create_index(op.f("ix_feed_event_feed_id_id"), "feed_event", ["feed_id", "id"])
    op.create_index(op.f("ix_feed_event_until"), "feed_event", ["until"])
    op.create_table(
        "feed_tally",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("feed_id", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "feed_id", "slot", name=op.f("pk_feed_tally")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "feed_week",
        sa.Column("feed_id", sa.BigInteger(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("feed_id", "hour", name=op.f("pk_feed_week")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "publisher_tally",
        sa.Column("week", sa.Integer(), nullable=False),
        sa.Column("publisher", sa.Text(), nullable=False),
        sa.Column("first", sa.Boolean(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("stories", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "week", "publisher", "first", "slot", name=op.f("pk_publisher_tally")
        ),
        sqlite_with_rowid=False,
    )
