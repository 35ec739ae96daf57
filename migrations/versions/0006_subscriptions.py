"""By what feeds' pushes come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
WAITING = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    """A table, empty until a public URL is set and a feed that offers a hub was read."""
    op.create_table(
        "subscription",
        sa.Column("id", ID, nullable=False),
        sa.Column("feed_id", ID, nullable=False),
        sa.Column("hub", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("callback", sa.Text(), nullable=False),
        sa.Column("token", sa.String(43), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", TIME),
        sa.Column("lease_until", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("asked_at", TIME),
        sa.Column("verified_at", TIME),
        sa.Column("expires_at", TIME),
        sa.Column("pushed_at", TIME),
        sa.Column("missed_at", TIME),
        sa.Column("error", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("token", name=op.f("uq_subscription_token")),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_subscription_feed_id")),
    )
    op.create_index(op.f("ix_subscription_feed_id"), "subscription", ["feed_id"])
    op.create_index(
        op.f("ix_subscription_bucket_due_at"),
        "subscription",
        ["bucket", "due_at"],
        postgresql_where=WAITING,
        sqlite_where=WAITING,
    )
