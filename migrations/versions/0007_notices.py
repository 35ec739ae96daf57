"""All that is said beside the messages of stories."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
WAITING = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    """A table, empty at first: until now operators were told without one."""
    op.create_table(
        "notice",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("story_id", ID),
        sa.Column("broadcast", sa.Boolean(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("claimed_at", TIME),
        sa.Column("due_at", TIME),
        sa.Column("lease_until", TIME),
        sa.Column("sent_channel", sa.Text()),
        sa.Column("sent_ref", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("sent_at", TIME),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("channel", "subject", name=op.f("uq_notice_channel_subject")),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name=op.f("fk_notice_story_id")),
    )
    op.create_index(op.f("ix_notice_story_id"), "notice", ["story_id"])
    op.create_index(
        op.f("ix_notice_channel_due_at_id"),
        "notice",
        ["channel", "due_at", "id"],
        postgresql_where=WAITING,
        sqlite_where=WAITING,
    )
    op.create_index(op.f("ix_notice_state_created_at"), "notice", ["state", "created_at"])
