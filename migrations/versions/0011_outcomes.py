"""What became of messages, each time; hits by their time, messages by their channel."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """A table, empty until something is delivered; and indexes that take a second a million."""
    op.create_table(
        "outcome",
        sa.Column("id", ID, nullable=False),
        sa.Column("message", sa.String(32), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcome")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_outcome_message_id"), "outcome", ["message", "id"])
    op.create_index(op.f("ix_outcome_at"), "outcome", ["at"])
    op.create_index(op.f("ix_hit_matched_at_id"), "hit", ["matched_at", "id"])
    for table in ("delivery", "notice"):
        name = f"ix_{table}_channel_state_created_at"
        op.create_index(op.f(name), table, ["channel", "state", "created_at"])
